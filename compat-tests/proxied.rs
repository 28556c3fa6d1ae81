//! Requests behind the header of a proxy (PROXY version 2). named has it from 9.20 on, which is not here to be asked:
//! what is expected is what BIND's manual and its header reader say.

use std::io::{self, Read, Write};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::thread;
use std::time::Duration;

use super::packets::{framed, message, question, receive};
use super::peers::{self, Kind, PATIENCE, Server, Spec, dig, free_port};

const ZONE: &str = "$TTL 300\n@ SOA ns hm 1 3600 900 604800 60\n@ NS ns\nns A 127.0.0.1\nwww TXT \"";
const TXT: u16 = 16;
const SIGNATURE: &[u8] = b"\r\n\r\n\0\r\nQUIT\n";
/// How long a reply that must not come is waited for.
const SILENCE: Duration = Duration::from_millis(300);

/// The header of a proxy that speaks for a client, or for itself.
fn header(ends: Option<(&str, &str)>) -> Vec<u8> {
    let Some((source, destination)) = ends else { return [SIGNATURE, &[0x20, 0, 0, 0]].concat() };
    let [source, destination]: [SocketAddr; 2] = [source, destination].map(|end| end.parse().unwrap());
    let ports = [source.port().to_be_bytes(), destination.port().to_be_bytes()].concat();
    let body = match (source, destination) {
        (SocketAddr::V4(source), SocketAddr::V4(destination)) => {
            [&source.ip().octets()[..], &destination.ip().octets(), &ports].concat()
        }
        (SocketAddr::V6(source), SocketAddr::V6(destination)) => {
            [&source.ip().octets()[..], &destination.ip().octets(), &ports].concat()
        }
        _ => panic!("two families"),
    };
    let family = if source.is_ipv4() { 0x12 } else { 0x22 };
    [SIGNATURE, &[0x21, family], &(body.len() as u16).to_be_bytes(), &body].concat()
}

fn query() -> Vec<u8> {
    message(7, 0, [1, 0, 0, 0], &question("www.example", TXT, 1))
}

/// Listeners of these kinds, and a view for each way to come, which says its name. Gives their ports as well.
fn start<const N: usize>(options: &str, listeners: [&str; N]) -> (Server, [u16; N]) {
    let ports = listeners.map(|_| free_port());
    let listeners: String = listeners
        .iter()
        .zip(ports)
        .map(|(words, port)| format!("listen-on port {port} {words} {{ 127.0.0.1; }};\n"))
        .collect();
    let views = [
        ("inside", "match-clients { 192.0.2.0/24; };"),
        ("elsewhere", "match-destinations { 198.51.100.53; };"),
        ("proxy", "match-clients { 127.0.0.1; };"),
        ("outside", ""),
    ];
    let view = |(name, clauses): &(&str, &str)| {
        format!("view {name} {{ {clauses} zone example {{ type primary; file \"{name}.db\"; }}; }};\n")
    };
    let file = |(name, _): &(&str, &str)| (format!("{name}.db"), format!("{ZONE}{name}\"\n"));
    let spec = Spec {
        options: format!("querylog yes; {options} {listeners}"),
        statements: views.iter().map(view).collect(),
        files: views.iter().map(file).collect(),
        ..Spec::default()
    };
    let server = Server::start(Kind::Nomd, &spec);
    server.wait_until("its zones are loaded", || dig::serial(server.port, "example") == Some(1));
    (server, ports)
}

/// The text in a reply.
fn text(reply: &[u8]) -> String {
    let names = ["inside", "elsewhere", "proxy", "outside"];
    let found = names.iter().find(|name| reply.windows(name.len()).any(|window| window == name.as_bytes()));
    (*found.expect("a name of a view")).to_owned()
}

fn over_udp(port: u16, bytes: &[u8], patience: Duration) -> Option<String> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(patience)).unwrap();
    socket.send(bytes).unwrap();
    let mut reply = [0; 512];
    peers::receive(&socket, &mut reply).ok().map(|(length, _)| text(&reply[..length]))
}

/// The answer; none: the connection was closed.
fn over_tcp(port: u16, bytes: &[u8]) -> Option<String> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(bytes).unwrap();
    receive(&mut stream).map(|reply| text(&reply))
}

const INSIDE: Option<(&str, &str)> = Some(("192.0.2.1:5353", "192.0.2.53:53"));

#[test]
fn clients_are_those_whom_the_proxy_names() {
    let (server, [port]) = start("allow-proxy { 127.0.0.1; };", ["proxy plain"]);
    for (ends, view) in [
        (INSIDE, "inside"),
        (Some(("203.0.113.1:1", "192.0.2.53:53")), "outside"),
        (Some(("203.0.113.1:1", "198.51.100.53:53")), "elsewhere"),
        (Some(("[2001:db8::1]:1", "[2001:db8::2]:53")), "outside"),
        (None, "proxy"),
    ] {
        let udp = [header(ends), query()].concat();
        assert_eq!(over_udp(port, &udp, PATIENCE).as_deref(), Some(view), "{ends:?}");
        let tcp = [header(ends), framed(&query())].concat();
        assert_eq!(over_tcp(port, &tcp).as_deref(), Some(view), "{ends:?}");
    }
    server.wait_for_log(" 192.0.2.1#5353 (www.example): view inside: query: www.example IN TXT - (192.0.2.53)");
    server.wait_for_log(" 192.0.2.1#5353 (www.example): view inside: query: www.example IN TXT -T (192.0.2.53)");
}

#[test]
fn what_has_no_sound_header_gets_no_reply() {
    let (_server, [port]) = start("allow-proxy { any; };", ["proxy plain"]);
    let mut of_no_port = header(INSIDE);
    let end = of_no_port.len();
    of_no_port[end - 2..].fill(0);
    for head in [vec![], of_no_port, header(INSIDE)[1..].to_vec(), b"PROXY TCP4 192.0.2.1 192.0.2.2 1 2\r\n".to_vec()] {
        assert_eq!(over_udp(port, &[&head[..], &query()].concat(), SILENCE), None, "{head:02x?}");
        // Enough for a header in any case.
        let stream = [&head[..], &framed(&query()).repeat(2)].concat();
        assert_eq!(over_tcp(port, &stream), None, "{head:02x?}");
    }
    assert_eq!(over_udp(port, &header(INSIDE), SILENCE), None, "nothing behind the header");
    let whole = [header(INSIDE), query()].concat();
    assert_eq!(over_udp(port, &whole, PATIENCE).as_deref(), Some("inside"));
}

#[test]
fn a_proxy_that_is_not_allowed_is_not_heard() {
    for options in ["", "allow-proxy { 192.0.2.0/24; };", "allow-proxy { any; }; allow-proxy-on { 192.0.2.53; };"] {
        let (server, [port]) = start(options, ["proxy plain"]);
        assert_eq!(over_udp(port, &[header(INSIDE), query()].concat(), SILENCE), None, "{options}");
        assert_eq!(over_tcp(port, &[header(INSIDE), framed(&query())].concat()), None, "{options}");
        assert_eq!(over_udp(port, &[header(None), query()].concat(), SILENCE), None, "{options}");
        assert_eq!(over_udp(server.port, &query(), PATIENCE).as_deref(), Some("proxy"), "another listener");
    }
}

/// A proxy in front of a port, which speaks for one connection: its own port.
fn proxy(port: u16) -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").unwrap();
    let own = listener.local_addr().unwrap().port();
    thread::spawn(move || {
        let (mut client, _) = listener.accept().unwrap();
        let mut server = TcpStream::connect(("127.0.0.1", port)).unwrap();
        server.write_all(&header(INSIDE)).unwrap();
        let (mut requests, mut to_server) = (client.try_clone().unwrap(), server.try_clone().unwrap());
        thread::spawn(move || {
            let _ = io::copy(&mut requests, &mut to_server);
            let _ = to_server.shutdown(Shutdown::Write);
        });
        let _ = io::copy(&mut server, &mut client);
    });
    own
}

#[test]
fn a_header_stands_before_tls_or_within_it() {
    let listeners =
        ["proxy plain tls ephemeral", "proxy encrypted tls ephemeral", "proxy plain tls ephemeral http default"];
    let (_server, [plain, encrypted, https]) = start("allow-proxy { any; };", listeners);
    for (port, how) in [(plain, "+tls"), (https, "+https")] {
        let output = dig::dig(proxy(port), &[how, "www.example", "TXT", "+short"]);
        assert_eq!(output.stdout, "\"inside\"\n", "{how}: {output:?}");
    }
    let mut client = Command::new("openssl")
        .args(["s_client", "-quiet", "-connect", &format!("127.0.0.1:{encrypted}")])
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::null())
        .spawn()
        .unwrap();
    client.stdin.as_mut().unwrap().write_all(&[header(INSIDE), framed(&query())].concat()).unwrap();
    let mut reply = [0; 60];
    client.stdout.as_mut().unwrap().read_exact(&mut reply).unwrap();
    client.kill().unwrap();
    client.wait().unwrap();
    assert_eq!(text(&reply), "inside");
}

#[test]
fn reconfig_takes_a_proxy_away_from_an_open_address() {
    let (server, [port]) = start("allow-proxy { any; };", ["proxy plain"]);
    let path = server.path("named.conf");
    let conf = std::fs::read_to_string(&path).unwrap();
    assert!(over_udp(port, &[header(INSIDE), query()].concat(), PATIENCE).is_some());
    std::fs::write(&path, conf.replace("proxy plain", "")).unwrap();
    assert_eq!(server.rndc(&["reconfig"]).status, 0);
    server.wait_until("plain requests are answered", || over_udp(port, &query(), SILENCE).is_some());
    server.wait_until("over TCP as well", || over_tcp(port, &framed(&query())).as_deref() == Some("proxy"));
}
