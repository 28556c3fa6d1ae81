//! Updates that a secondary passes on (`allow-update-forwarding`): nsupdate asks named and nomd, both of which are
//! secondaries of the same named, or of primaries that answer as they are told.

use std::fs;
use std::io::{Read, Write};
use std::net::{IpAddr, Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::process::{Command, Stdio};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::packets::{ask_udp, framed, message, question, receive, record};
use super::peers::listener::{Heard, Listener, honest};
use super::peers::{self, Kind, PATIENCE, Server, Spec, Zone, dig, free_port, run, within};

const BOTH: [Kind; 2] = [Kind::Bind, Kind::Nomd];
const TEXT: &str = "$TTL 300\n@ SOA ns hm 1 7200 900 1209600 60\n@ NS ns\nns A 192.0.2.1\n";
const SECRET: &str = "bm9tZC1jb21wYXQtdGVzdHMtc2VjcmV0LTAxMjM0NTY=";
const OTHER_SECRET: &str = "YW5vdGhlci1zZWNyZXQtZm9yLWNvbXBhdC10ZXN0cy0=";
const UPDATE: u16 = 0x2800;

fn key(name: &str) -> String {
    format!("key {name} {{ algorithm hmac-sha256; secret \"{SECRET}\"; }};\n")
}

/// A named whose zones may be updated: by all, with either key, and by nobody.
fn primary() -> Server {
    let zones = vec![
        Zone::primary("open.test", TEXT).with("allow-update { any; };"),
        Zone::primary("keyed.test", TEXT).with("allow-update { key known; key theirs; };"),
        Zone::primary("closed.test", TEXT),
    ];
    let statements = key("known") + &key("theirs");
    let server = Server::start(Kind::Bind, &Spec { zones, statements, ..Spec::default() });
    server.wait_for_serial("closed.test", 1);
    server
}

/// Their secondary, and one of zones whose primaries are not there.
fn secondary(kind: Kind, port: u16) -> Server {
    let zone = |name: &str, primaries: &str, clauses: &str| {
        format!("zone {name} {{ type secondary; primaries {{ {primaries} }}; {clauses} }};\n")
    };
    let (any, there) = ("allow-update-forwarding { any; };", format!("127.0.0.1 port {port};"));
    let statements = [
        key("known"),
        zone("open.test", &there, any),
        zone("keyed.test", &there, any),
        zone("closed.test", &there, any),
        zone("none.test", &there, any),
        zone("refused.test", &there, ""),
        zone("picky.test", &there, "allow-update-forwarding { key known; };"),
        zone("dead.test", "127.0.0.1 port 1;", any),
        zone("spelled.test", "127.0.0.1 port 1;", "allow-update-forwarding { !127/8; any; };"),
    ];
    let options = "serial-query-rate 1000;".to_owned();
    let spec = Spec { statements: statements.concat(), options, flags: &["-d", "3"], ..Spec::default() };
    let server = Server::start(kind, &spec);
    ["open.test", "keyed.test", "closed.test"].iter().for_each(|zone| server.wait_for_serial(zone, 1));
    server
}

/// What nsupdate says, without what differs from run to run.
fn nsupdate(server: &Server, zone: &str, key: Option<(&str, &str)>, flags: &[&str]) -> Vec<String> {
    let key = key.map(|(name, secret)| format!("key hmac-sha256:{name} {secret}\n")).unwrap_or_default();
    let host = if server.kind == Kind::Bind { "bind" } else { "nomd" };
    let script = format!(
        "server 127.0.0.1 {}\nzone {zone}\n{key}update add {host}{}.{zone} 60 A 192.0.2.7\nsend\nanswer\n",
        server.port,
        flags.concat()
    );
    let path = server.path("script");
    fs::write(&path, script).unwrap();
    let output = run("nsupdate", &[flags, &[&path.display().to_string()]].concat());
    (output.stdout + &output.stderr).lines().filter(|line| !line.is_empty()).map(without_chance).collect()
}

/// A line without IDs, times and MACs.
fn without_chance(line: &str) -> String {
    match line.split_once(", id: ") {
        Some((head, _)) => head.to_owned(),
        None if line.contains("\tTSIG\t") => {
            let words: Vec<&str> = line.split_whitespace().collect();
            format!("{} {} {}", words[0], words[6], words[words.len() - 2..].join(" "))
        }
        None => line.to_owned(),
    }
}

/// What the log says of updates, without time, ports and the addresses of objects.
fn told(log: &str) -> Vec<String> {
    let marks = ["update", "signer", "request has invalid signature"];
    let lines = log.lines().filter(|line| marks.iter().any(|mark| line.contains(mark)));
    let lines = lines.filter_map(|line| match line.split_once("client @") {
        Some((_, behind)) => {
            behind.split_once('#').map(|(_, rest)| rest.trim_start_matches(char::is_numeric).to_owned())
        }
        None => line.split_once("zone ").map(|(_, behind)| behind.to_owned()),
    });
    // named says no more of a connection that came to nothing.
    lines.map(|line| line.replace("connection refused", "operation canceled")).collect()
}

/// What is counted of updates.
fn counted(server: &Server) -> Vec<String> {
    let _ = fs::remove_file(server.path("named.stats"));
    assert_eq!(server.rndc(&["stats"]).status, 0);
    let text = fs::read_to_string(server.path("named.stats")).unwrap();
    let is_compared =
        |line: &&str| ["pdate", "UPDATE", "TSIG", "invalid signature"].iter().any(|word| line.contains(word));
    text.lines().filter(is_compared).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn updates_are_passed_on_as_named_passes_them_on() {
    let primary = primary();
    let secondaries = BOTH.map(|kind| secondary(kind, primary.port));
    let (known, theirs) = (Some(("known", SECRET)), Some(("theirs", SECRET)));
    let (forged, stranger) = (Some(("known", OTHER_SECRET)), Some(("stranger", OTHER_SECRET)));
    let mut cases = vec![("none.test", None, vec![]), ("dead.test", None, vec![])];
    for flags in [vec![], vec!["-v"]] {
        cases.push(("open.test", None, flags.clone()));
        cases.extend([None, known, theirs, forged, stranger].map(|key| ("keyed.test", key, flags.clone())));
        cases.extend([None, known].map(|key| ("closed.test", key, flags.clone())));
        cases.extend([None, known, theirs].map(|key| ("refused.test", key, flags.clone())));
        cases.extend([None, known, theirs].map(|key| ("picky.test", key, flags.clone())));
        cases.push(("spelled.test", None, flags));
    }
    for (zone, key, flags) in cases {
        let [theirs, ours] = secondaries.each_ref().map(|server| {
            let before = server.settled_log().len();
            let said = nsupdate(server, zone, key, &flags);
            (said, told(&server.settled_log()[before..]))
        });
        assert_eq!(ours, theirs, "{zone} {key:?} {flags:?}");
    }
    for name in ["bind.open.test", "nomd.open.test", "nomd-v.open.test", "nomd.keyed.test", "nomd-v.keyed.test"] {
        assert_eq!(dig::ask(primary.port, name, "A", &[]).answer.len(), 1, "{name}");
    }
    let [theirs, ours] = secondaries.each_ref().map(counted);
    assert_eq!(ours, theirs);
    assert!(ours.iter().any(|line| line.ends_with("update responses forwarded")), "{ours:?}");
}

/// The answer over UDP, however long it takes.
fn asked(server: &Server, packet: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send_to(packet, ("127.0.0.1", server.port)).unwrap();
    let mut bytes = [0; 4096];
    let (length, _) = peers::receive(&socket, &mut bytes).expect("an answer");
    bytes[..length].to_vec()
}

fn is_update(heard: &Heard) -> bool {
    heard.bytes[2] >> 3 & 15 == 5
}

fn update(zone: &str) -> Vec<u8> {
    let added = record(&[&[3][..], b"new", &[0xc0, 12]].concat(), 1, 1, 60, &[192, 0, 2, 7]);
    message(0x1234, UPDATE, [1, 0, 1, 0], &[question(zone, 6, 1), added].concat())
}

/// What a primary answers to an update of a zone of this name.
fn answers(heard: &Heard) -> Vec<Vec<u8>> {
    if !is_update(heard) {
        return honest(heard, 1);
    }
    let mut reply = heard.bytes.clone();
    reply[2] |= 0x80;
    match heard.request.zone.trim_end_matches('.').split_at_checked(5) {
        Some(("rcode", rcode)) => reply[3] |= rcode.parse::<u8>().unwrap(),
        Some(("query", _)) => reply[2] = 0x80,
        Some(("other", _)) => reply[0] ^= 1,
        Some(("echos", _)) => reply[2] &= 0x7f,
        Some(("short", _)) => reply.truncate(40),
        Some(("close", _)) => return vec![],
        zone => panic!("{zone:?}"),
    }
    vec![reply]
}

#[test]
fn what_a_primary_says_is_passed_on_or_the_next_is_asked_as_by_named() {
    let primaries = [(); 2].map(|()| Listener::start((Ipv4Addr::LOCALHOST, free_port()).into(), answers));
    let faulty = ["query", "other", "echos", "short", "close"].map(str::to_owned);
    let zones: Vec<String> = (0..12).map(|rcode| format!("rcode{rcode}")).chain(faulty).collect();
    let [first, second] = primaries.each_ref().map(|one| one.address.port());
    let statement = |zone: &String| {
        let list = format!("127.0.0.1 port {first}; 127.0.0.1 port 1; 127.0.0.1 port {second};");
        format!("zone {zone} {{ type secondary; primaries {{ {list} }}; allow-update-forwarding {{ any; }}; }};\n")
    };
    let statements: String = zones.iter().map(statement).collect();
    let options = "serial-query-rate 1000;".to_owned();
    let spec = Spec { statements, options, flags: &["-d", "3"], ..Spec::default() };
    let servers = BOTH.map(|kind| Server::start(kind, &spec));
    for zone in &zones {
        let [theirs, ours] = servers.each_ref().map(|server| {
            let before = server.settled_log().len();
            let heard_before = primaries.each_ref().map(|one| one.heard().len());
            let reply = asked(server, &update(zone));
            let heard = [0, 1].map(|at| {
                let all = primaries[at].heard();
                all[heard_before[at]..]
                    .iter()
                    .filter(|heard| is_update(heard))
                    .map(|heard| heard.is_tcp)
                    .collect::<Vec<_>>()
            });
            (reply, heard, told(&server.settled_log()[before..]))
        });
        assert_eq!(ours, theirs, "{zone}");
    }
}

/// A secondary of one primary, with listeners for TCP, TLS and HTTP, and the ports of the latter two.
fn nomd_of(primary: &Listener, options: &str) -> (Server, [u16; 2]) {
    let ports = [free_port(), free_port()];
    let options = format!(
        "{options} listen-on port {} tls ephemeral {{ 127.0.0.1; }};\n\
         listen-on port {} tls none http default {{ 127.0.0.1; }};\n",
        ports[0], ports[1]
    );
    let (server, _) = of(Kind::Nomd, primary, &options);
    (server, ports)
}

fn of(kind: Kind, primary: &Listener, options: &str) -> (Server, u16) {
    let port = primary.address.port();
    let zone = Zone::secondary("example.test", port).with("allow-update-forwarding { any; };");
    let ruled = Zone::primary("ruled.test", TEXT).with("update-policy { grant somebody zonesub ANY; };");
    let server =
        Server::start(kind, &Spec { zones: vec![zone, ruled], options: options.to_owned(), ..Spec::default() });
    server.wait_for_serial("example.test", 1);
    (server, port)
}

/// A primary that answers updates once it may, with bytes behind the message that no server understands.
fn patient(may_answer: &Arc<AtomicBool>) -> Listener {
    let may_answer = Arc::clone(may_answer);
    let address: SocketAddr = (IpAddr::from(Ipv4Addr::LOCALHOST), free_port()).into();
    Listener::start(address, move |heard| {
        if !is_update(heard) {
            return honest(heard, 1);
        }
        within(PATIENCE, || may_answer.load(Ordering::SeqCst));
        let mut reply = heard.bytes.clone();
        reply[2] |= 0x80;
        vec![reply]
    })
}

/// A client whose update the primary has and has not answered.
fn client_of(server: &Server, primary: &Listener) -> TcpStream {
    let mut client = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    client.write_all(&framed(&update("example.test"))).unwrap();
    server.wait_until("the primary has it", || primary.heard().iter().any(is_update));
    client
}

#[test]
fn an_update_is_passed_on_byte_for_byte_and_holds_up_nothing() {
    let may_answer = Arc::new(AtomicBool::new(false));
    let primary = patient(&may_answer);
    let (server, [tls_port, http_port]) = nomd_of(&primary, "");
    let (update, query) = (update("example.test"), message(7, 0, [1, 0, 0, 0], &question("example.test", 6, 1)));
    let mut reply = update.clone();
    reply[2] |= 0x80;
    let mut tcp = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    tcp.write_all(&[framed(&update), framed(&query)].concat()).unwrap();
    assert_eq!(receive(&mut tcp).unwrap()[..2], query[..2], "the answer to the query comes first");
    let mut tls = Command::new("openssl");
    tls.args(["s_client", "-quiet", "-connect", &format!("127.0.0.1:{tls_port}")]).stderr(Stdio::null());
    let mut tls = tls.stdin(Stdio::piped()).stdout(Stdio::piped()).spawn().unwrap();
    tls.stdin.as_mut().unwrap().write_all(&framed(&update)).unwrap();
    fs::write(server.path("update"), &update).unwrap();
    let body = format!("@{}", server.path("update").display());
    let mut http = Command::new("curl");
    http.args(["-s", "--http2-prior-knowledge", "-H", "content-type: application/dns-message", "--data-binary", &body]);
    http.arg(format!("http://127.0.0.1:{http_port}/dns-query")).stdout(Stdio::piped());
    let http = http.spawn().unwrap();
    let updates = || primary.heard().into_iter().filter(is_update).collect::<Vec<_>>();
    server.wait_until("the primary has all three", || updates().len() == 3);
    assert!(updates().iter().all(|heard| heard.is_tcp && heard.bytes[2..] == update[2..]));
    may_answer.store(true, Ordering::SeqCst);
    assert_eq!(receive(&mut tcp).unwrap(), reply);
    let mut over_tls = vec![0; reply.len() + 2];
    tls.stdout.as_mut().unwrap().read_exact(&mut over_tls).unwrap();
    assert_eq!(over_tls, framed(&reply));
    drop(tls.stdin.take());
    tls.wait().unwrap();
    assert_eq!(http.wait_with_output().unwrap().stdout, reply);
    assert_eq!(asked(&server, &update), reply);
}

#[test]
fn one_update_more_than_may_be_under_way_is_dropped() {
    for kind in BOTH {
        let may_answer = Arc::new(AtomicBool::new(false));
        let primary = patient(&may_answer);
        let (server, _) = of(kind, &primary, "update-quota 1;");
        let mut client = client_of(&server, &primary);
        // What is dropped has no reply; that of the query behind it tells that it has had its turn.
        assert_eq!(ask_udp(&server, &update("example.test")), None, "{kind:?}");
        server.wait_for_log(
            "updating zone 'example.test/IN': update failed: too many DNS UPDATEs queued (quota reached)\n",
        );
        let mut stranger = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        stranger.write_all(&framed(&update("ruled.test"))).unwrap();
        assert_eq!(receive(&mut stranger).unwrap()[3] & 15, 5, "{kind:?}: what the rules refuse needs no place");
        // Later it may take a few more until there is room.
        assert!(counted(&server).contains(&"1 Update quota exceeded".to_owned()), "{kind:?} {:?}", counted(&server));
        may_answer.store(true, Ordering::SeqCst);
        assert_eq!(receive(&mut client).unwrap()[3] & 15, 0);
        server.wait_until("there is room again", || ask_udp(&server, &update("example.test")).is_some());
    }
}

#[test]
fn an_update_of_a_zone_that_is_dropped_meanwhile_is_passed_on_all_the_same_as_by_named() {
    for kind in BOTH {
        let may_answer = Arc::new(AtomicBool::new(false));
        let primary = patient(&may_answer);
        let (server, _) = of(kind, &primary, "");
        let mut client = client_of(&server, &primary);
        let conf = server.path("named.conf");
        let text = fs::read_to_string(&conf).unwrap();
        fs::write(&conf, text.replace("zone \"example.test\"", "zone \"other.test\"")).unwrap();
        assert_eq!(server.rndc(&["reconfig"]).status, 0);
        may_answer.store(true, Ordering::SeqCst);
        assert_eq!(receive(&mut client).unwrap()[3] & 15, 0, "{kind:?}");
    }
}
