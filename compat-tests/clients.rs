//! Who is answered at all, from which view, and for how long: ports, `blackhole`, views, `allow-query-on`, timeouts of
//! TCP, extended errors and HTTP statuses, with named and with nomd.

use std::collections::BTreeSet;
use std::io::{Read, Write};
use std::net::{SocketAddr, TcpStream, UdpSocket};
use std::time::{Duration, Instant};

use super::edns::asking;
use super::packets::{framed, hex, message, question};
use super::peers::host::as_root;
use super::peers::{Kind, PATIENCE, Server, Spec, Zone, free_port, receive, run};

const BOTH: [Kind; 2] = [Kind::Bind, Kind::Nomd];
const ZONE: &str = "$TTL 300\n@ SOA ns hm 1 3600 900 604800 60\n@ NS ns\nns A 127.0.0.1\nwww A 192.0.2.1\n";
/// How long a reply that must not come is waited for.
const SILENCE: Duration = Duration::from_millis(500);
const RD: u16 = 0x0100;

fn start(kind: Kind, options: &str, statements: &str) -> Server {
    let zones = if statements.contains("view ") { vec![] } else { vec![Zone::primary("example.com", ZONE)] };
    let options = format!("answer-cookie no; rrset-order {{ order none; }}; {options}");
    let files = vec![("example.db".to_owned(), ZONE.to_owned())];
    let server = Server::start(kind, &Spec { zones, options, statements: statements.into(), files, ..Spec::default() });
    server.wait_for_log("all zones loaded");
    server
}

/// The reply to a packet from one address to another, waited for so long.
fn ask_for(patience: Duration, socket: &UdpSocket, to: SocketAddr, packet: &[u8]) -> Option<Vec<u8>> {
    socket.connect(to).unwrap();
    socket.set_read_timeout(Some(patience)).unwrap();
    socket.send(packet).unwrap();
    let mut reply = [0; 4096];
    receive(socket, &mut reply).ok().map(|(length, _)| reply[..length].to_vec())
}

fn ask(from: &str, to: SocketAddr, packet: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind(from).unwrap();
    ask_for(PATIENCE, &socket, to, packet).unwrap_or_else(|| panic!("no reply from {to} to {from}"))
}

/// Whether there is a reply; one that is expected is waited for, and one that is not for a while.
fn is_answered(socket: &UdpSocket, to: SocketAddr, packet: &[u8], is_expected: bool) -> bool {
    ask_for(if is_expected { PATIENCE } else { SILENCE }, socket, to, packet).is_some()
}

fn at(address: &str, port: u16) -> SocketAddr {
    SocketAddr::new(address.parse().unwrap(), port)
}

fn query(flags: u16, rtype: u16, class: u16) -> Vec<u8> {
    message(7, flags, [1, 0, 0, 0], &question("www.example.com", rtype, class))
}

/// Runs the same with both servers; the answers have to be the same, and are returned.
fn same<T: PartialEq + std::fmt::Debug>(what: impl Fn(Kind) -> T) -> T {
    let [theirs, ours] = BOTH.map(what);
    assert_eq!(theirs, ours, "named's and nomd's");
    ours
}

#[test]
fn requests_from_ports_of_echoing_services_get_no_reply() {
    let malformed = message(7, 0, [1, 0, 0, 0], &[]);
    for kind in BOTH {
        let server = start(kind, "", "");
        let to = at("127.0.0.1", server.port);
        let silent = [7, 13, 19, 37].map(|port| (port, [false, false]));
        for (port, expected) in silent.into_iter().chain([(464, [true, false]), (465, [true, true])]) {
            let socket = UdpSocket::bind(("127.0.0.77", port)).unwrap();
            let found = [(query(0, 1, 1), expected[0]), (malformed.clone(), expected[1])]
                .map(|(packet, is_expected)| is_answered(&socket, to, &packet, is_expected));
            assert_eq!(found, expected, "{kind:?} from port {port}");
        }
    }
}

/// No socket can have port 0, so the packets are made by hand: what comes back to them goes by, raw as well. At an
/// address of its own, no other test's packets fill the socket's buffer.
const RAW: &str = r#"
use Socket;
my ($port, $query, @from) = @ARGV;
socket(my $socket, AF_INET, SOCK_RAW, 17) or die $!;
bind($socket, sockaddr_in(0, inet_aton("127.0.0.78"))) or die $!;
for my $from (@from) {
    my $packet = pack("n4", $from, $port, 8 + length($query) / 2, 0) . pack("H*", $query);
    send($socket, $packet, 0, sockaddr_in(0, INADDR_LOOPBACK)) or die $!;
}
my %left = map { $_ => 1 } grep { $_ } @from;
while (%left) {
    vec(my $ready = "", fileno($socket), 1) = 1;
    last unless select($ready, undef, undef, 60);
    recv($socket, my $packet, 65535, 0);
    my ($source, $to) = unpack("n2", substr($packet, 20));
    next if $source != $port;
    print "$to\n";
    delete $left{$to};
}
"#;

#[test]
fn requests_from_port_0_get_no_reply() {
    // More ports than workers, so that each has had its turn after the first packet.
    let from: Vec<String> = (0..16).map(|number| if number == 0 { 0 } else { 40_000 + number }.to_string()).collect();
    let replies = same(|kind| {
        let server = start(kind, "", "");
        let query = data_encoding::HEXLOWER.encode(&query(0, 1, 1));
        let mut command = as_root("perl");
        let output = command.args(["-e", RAW, &server.port.to_string(), &query]).args(&from).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        String::from_utf8_lossy(&output.stdout).lines().map(str::to_owned).collect::<BTreeSet<_>>()
    });
    assert_eq!(replies, from.into_iter().skip(1).collect());
}

#[test]
fn who_is_in_blackhole_gets_no_reply() {
    for kind in BOTH {
        let server = start(kind, "blackhole { 127.0.0.9; !127.0.0.10; 127.0.0.8/29; };", "");
        let to = at("127.0.0.1", server.port);
        for (from, expected) in [("127.0.0.1", true), ("127.0.0.9", false), ("127.0.0.10", true), ("127.0.0.11", false)]
        {
            let socket = UdpSocket::bind((from, 0)).unwrap();
            assert_eq!(is_answered(&socket, to, &query(0, 1, 1), expected), expected, "{kind:?} from {from}");
        }
    }
}

#[test]
fn allow_query_and_allow_query_on_refuse_with_an_extended_error() {
    let port = free_port();
    let listen = format!("listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 port {port} {{ ::1; }};");
    let zone = |name: &str, clauses: &str| format!("zone {name} {{ type primary; file \"example.db\"; {clauses} }};\n");
    let zones = zone("on.test", "allow-query-on { ::1; };") + &zone("from.test", "allow-query { 127.0.0.2; ::/0; };");
    let replies = same(|kind| {
        let _server = start(kind, &listen, &zones);
        let ways = [("127.0.0.1:0", "127.0.0.1"), ("127.0.0.2:0", "127.0.0.1"), ("[::1]:0", "::1")];
        ["on.test", "from.test"].map(|zone| {
            let packet = asking(&format!("www.{zone}"), 1, &[]);
            ways.map(|(from, to)| hex(&Some(ask(from, at(to, port), &packet))))
        })
    });
    let rcodes = replies.each_ref().map(|replies| replies.each_ref().map(|reply| reply[7..8].to_owned()));
    assert_eq!(rcodes, [["5", "5", "0"], ["5", "0", "0"]]);
    assert!(replies[0][0].ends_with("000f00020012"), "{replies:?}");
}

#[test]
fn a_view_is_chosen_by_both_addresses_by_rd_and_by_class() {
    let port = free_port();
    let listen = format!("listen-on port {port} {{ 127.0.0.1; }}; listen-on-v6 port {port} {{ ::1; }};");
    let zone = "zone example.com { type primary; file \"example.db\"; };";
    let views = format!(
        "view recursive {{ match-recursive-only yes; match-clients {{ 127.0.0.3; }}; {zone} }};\n\
         view there {{ match-destinations {{ ::1; }}; match-clients {{ any; }}; {zone} }};\n\
         view here {{ match-clients {{ 127.0.0.1; }}; {zone} }};\n"
    );
    let replies = same(|kind| {
        let _server = start(kind, &listen, &views);
        let mut replies = vec![];
        for (from, to) in [("127.0.0.1:0", "127.0.0.1"), ("127.0.0.3:0", "127.0.0.1"), ("[::1]:0", "::1")] {
            for packet in [query(0, 1, 1), query(RD, 1, 1), asking("www.example.com", 1, &[]), query(0, 16, 3)] {
                replies.push(hex(&Some(ask(from, at(to, port), &packet))));
            }
        }
        replies
    });
    let rcodes: String = replies.iter().map(|reply| &reply[7..8]).collect();
    assert_eq!(rcodes, "000550550005", "{replies:?}");
}

/// named 9.18 tells nobody why; its successors do, with these codes (RFC 8914).
#[test]
fn a_zone_that_is_not_there_yet_or_has_expired_fails_and_here_says_why() {
    let short = "$TTL 300\n@ SOA ns hm 1 1 1 2 60\n@ NS ns\nns A 127.0.0.1\nwww A 192.0.2.1\n";
    let [theirs, ours] = BOTH.map(|kind| {
        let primary = Server::start(kind, &Spec { zones: vec![Zone::primary("gone.test", short)], ..Spec::default() });
        primary.wait_for_serial("gone.test", 1);
        let zones = vec![Zone::secondary("gone.test", primary.port), Zone::secondary("waiting.test", free_port())];
        let options = "answer-cookie no; min-refresh-time 1; min-retry-time 1;".to_owned();
        let secondary = Server::start(kind, &Spec { zones, options, ..Spec::default() });
        secondary.wait_for_serial("gone.test", 1);
        primary.stop();
        let ask = |name: &str| ask("127.0.0.1:0", at("127.0.0.1", secondary.port), &asking(name, 1, &[]));
        let is_gone = || ask("www.gone.test")[3] & 15 == 2;
        secondary.wait_until("the zone has expired", is_gone);
        ["www.gone.test", "www.waiting.test"].map(ask)
    });
    for (name, (theirs, ours), code) in
        [("expired", (&theirs[0], &ours[0]), 24), ("waiting", (&theirs[1], &ours[1]), 14)]
    {
        // The length of the options, which are the last that there is.
        let bare = theirs.len() - 2;
        assert_eq!((&theirs[..bare], &theirs[bare..]), (&ours[..bare], &[0, 0][..]), "{name}");
        assert_eq!((&ours[bare + 2..bare + 4], ours[bare + 7]), (&[0, 15][..], code), "{name}: {ours:02x?}");
    }
}

/// How often it is tried at most.
const ATTEMPTS: usize = 5;

/// How long a connection stays open on which this is said, in tenths of a second, roughly.
fn lifetime(server: &Server, said: &[u8]) -> u128 {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(said).unwrap();
    let began = Instant::now();
    let _ = stream.read_to_end(&mut vec![]);
    began.elapsed().as_millis() / 100
}

#[test]
fn silent_connections_are_left_after_the_timeouts_of_named() {
    let options = "tcp-initial-timeout 25; tcp-idle-timeout 10; tcp-keepalive-timeout 50;";
    for kind in BOTH {
        let server = start(kind, options, "");
        let plain = framed(&query(0, 1, 1));
        let kept = framed(&asking("www.example.com", 1, &[(11, b"")]));
        for (name, said, least) in [("nothing", &[][..], 25), ("a query", &plain, 10), ("keepalive", &kept, 50)] {
            // A loaded machine may be late, but not each time.
            let (late, mut took) = (least + 14, lifetime(&server, said));
            for _ in 1..ATTEMPTS {
                took = if took < late { took } else { lifetime(&server, said) };
            }
            assert!((least - 1..late).contains(&took), "{kind:?}: {name}: {took}");
        }
    }
}

#[test]
fn http_requests_that_are_none_get_the_statuses_of_named() {
    let statuses = same(|kind| {
        let port = free_port();
        let server = start(kind, &format!("listen-on port {port} tls none http default {{ 127.0.0.1; }};"), "");
        let url = format!("http://127.0.0.1:{port}");
        let body = server.path("body");
        std::fs::write(&body, query(0, 1, 1)).unwrap();
        std::fs::write(server.path("large"), vec![7; 70_000]).unwrap();
        std::fs::write(server.path("short"), b"short").unwrap();
        let data = |file: &str| format!("@{}", server.path(file).display());
        let is_message = ["-H", "content-type: application/dns-message"];
        let encoded = data_encoding::BASE64URL_NOPAD.encode(&query(0, 1, 1));
        let (path, other) = (format!("{url}/dns-query"), format!("{url}/other"));
        let get = |query: &str| format!("{path}?{query}");
        let cases: Vec<Vec<String>> = vec![
            vec![get(&format!("dns={encoded}"))],
            vec![get(&format!("x=1&dns={encoded}"))],
            vec![get("dns=")],
            vec![get("dns=!!")],
            vec![get("dns=AAAA")],
            vec![get("name=www")],
            vec![path.clone()],
            vec![format!("{other}?dns={encoded}")],
            vec!["--data-binary".into(), data("body"), path.clone(), is_message[0].into(), is_message[1].into()],
            vec!["--data-binary".into(), data("short"), path.clone(), is_message[0].into(), is_message[1].into()],
            vec!["--data-binary".into(), data("large"), path.clone(), is_message[0].into(), is_message[1].into()],
            vec!["--data-binary".into(), data("body"), path.clone(), "-H".into(), "content-type: text/plain".into()],
            vec!["--data-binary".into(), data("body"), other, is_message[0].into(), is_message[1].into()],
            vec!["-X".into(), "DELETE".into(), path.clone()],
        ];
        let status = |words: &Vec<String>| {
            let common = ["--http2-prior-knowledge", "-s", "-m", "60", "-o", "/dev/null", "-w", "%{http_code}"];
            let words: Vec<&str> = common.into_iter().chain(words.iter().map(String::as_str)).collect();
            run("curl", &words).stdout
        };
        cases.iter().map(status).collect::<Vec<_>>()
    });
    assert!(statuses.iter().filter(|status| *status == "200").count() >= 3, "{statuses:?}");
    assert!(
        statuses.iter().any(|status| status == "404") && statuses.iter().any(|status| status == "415"),
        "{statuses:?}"
    );
}
