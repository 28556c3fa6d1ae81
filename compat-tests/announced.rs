//! NOTIFY: who is told of which zone, how often, and what becomes of one that comes in, with named and with nomd.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use super::faults::stream::{A, IN, NS, SOA, message, name, record, soa};
use super::peers::listener::{Heard, Listener, honest};
use super::peers::{Kind, PATIENCE, Server, Spec, Zone, free_port, receive, within};

const BOTH: [Kind; 2] = [Kind::Bind, Kind::Nomd];
const FAST: &str = "notify-rate 1000; startup-notify-rate 1000; serial-query-rate 1000;";

/// A listener at 127.0.5.N.
fn at(number: u8, port: u16) -> SocketAddr {
    (Ipv4Addr::new(127, 0, 5, number), port).into()
}

fn text(serial: u32) -> String {
    format!(
        "$TTL 300\n@ SOA ns1 h {serial} 86400 86400 1209600 60\n@ NS ns1\n@ NS ns2\n@ NS ns3\n\
         ns1 A 127.0.5.1\nns2 A 127.0.5.2\nns3 A 127.0.5.3\nns3 A 127.0.5.4\n"
    )
}

/// The clauses of a zone, which servers are told of it by a primary, and which by a secondary. 8 stands in `options`,
/// 9 in the zone; 1 is the server of MNAME.
const ZONES: [(&str, &str, &[u8], &[u8]); 7] = [
    ("yes", "notify yes;", &[2, 3, 4, 8], &[2, 3, 4, 8]),
    ("explicit", "notify explicit;", &[8], &[8]),
    ("only", "notify primary-only;", &[2, 3, 4, 8], &[]),
    ("no", "notify no;", &[], &[]),
    ("soa", "notify yes; notify-to-soa yes;", &[1, 2, 3, 4, 8], &[1, 2, 3, 4, 8]),
    ("own", "notify yes; also-notify { 127.0.5.9 port PORT; };", &[2, 3, 4, 9], &[2, 3, 4, 9]),
    ("own-explicit", "notify explicit; also-notify { 127.0.5.9 port PORT; };", &[9], &[9]),
];

/// Who has been told of what, by a server that has each zone as a primary and as a secondary.
fn told(kind: Kind) -> BTreeSet<(String, u8)> {
    let port = free_port();
    let listeners =
        [1, 2, 3, 4, 8, 9].map(|number| (number, Listener::start(at(number, port), |heard| honest(heard, 1))));
    let second = |name: &str| format!("second-{name}");
    let source = ZONES.iter().map(|(name, ..)| Zone::primary(&second(name), text(1)).with("notify no;"));
    let source = Server::start(Kind::Bind, &Spec { zones: source.collect(), ..Spec::default() });
    ZONES.iter().for_each(|(name, ..)| source.wait_for_serial(&second(name), 1));
    let zones = ZONES.iter().flat_map(|(name, clauses, ..)| {
        let clauses = clauses.replace("PORT", &port.to_string());
        [Zone::primary(name, text(1)).with(&clauses), Zone::secondary(&second(name), source.port).with(&clauses)]
    });
    let options = format!("{FAST} port {port}; also-notify {{ 127.0.5.8 port {port}; }};");
    let server = Server::start(kind, &Spec { zones: zones.collect(), options, ..Spec::default() });
    let all = || -> BTreeSet<(String, u8)> {
        let of = |(number, listener): &(u8, Listener)| {
            listener.heard().into_iter().map(|heard| (heard.request.zone, *number)).collect::<Vec<_>>()
        };
        listeners.iter().flat_map(of).collect()
    };
    within(PATIENCE, || all() == expected());
    // By the time that another round is over, so is the first one.
    let count = |wanted: usize| listeners.iter().map(|(_, listener)| listener.heard().len()).sum::<usize>() >= wanted;
    for (name, ..) in ZONES {
        server.rndc(&["notify", name]);
        server.rndc(&["notify", &second(name)]);
    }
    within(PATIENCE, || count(2 * expected().len()));
    all()
}

fn expected() -> BTreeSet<(String, u8)> {
    let of = |(name, _, primary, secondary): &(&str, &str, &[u8], &[u8])| {
        let first = primary.iter().map(|number| ((*name).to_owned(), *number));
        let second = secondary.iter().map(|number| (format!("second-{name}"), *number));
        first.chain(second).collect::<Vec<_>>()
    };
    ZONES.iter().flat_map(of).collect()
}

#[test]
fn those_are_told_whom_named_tells() {
    for kind in BOTH {
        assert_eq!(told(kind), expected(), "{kind:?}");
    }
}

/// The serial in a NOTIFY: the first of the last five numbers of its SOA record.
fn serial(bytes: &[u8]) -> u32 {
    bytes.last_chunk::<20>().map_or(0, |numbers| u32::from_be_bytes([numbers[0], numbers[1], numbers[2], numbers[3]]))
}

#[test]
fn of_changes_within_the_delay_only_the_last_is_told() {
    for kind in BOTH {
        let port = free_port();
        let listener = Listener::start(at(1, port), |heard| honest(heard, 1));
        let also = format!("also-notify {{ 127.0.5.1 port {port}; }}; notify-delay {};", DELAY.as_secs());
        let zones = vec![Zone::primary("example", text(1)).with(&also)];
        let server = Server::start(kind, &Spec { zones, options: FAST.into(), ..Spec::default() });
        let serials = || listener.heard().iter().map(|heard| serial(&heard.bytes)).collect::<Vec<_>>();
        server.wait_until("the start is told of", || serials() == [1]);
        let began = Instant::now();
        for changed in 2..6 {
            server.change_zone("example", &text(changed));
            server.wait_for_serial("example", changed);
        }
        // A busy host may take longer than the delay.
        let delays = began.elapsed().as_secs() / DELAY.as_secs();
        server.wait_until("the last version is told of", || serials().last() == Some(&5));
        assert!(serials().len() as u64 <= 3 + delays, "{kind:?}: {:?}", serials());
    }
}

/// `notify-delay`.
const DELAY: Duration = Duration::from_secs(4);

/// The serial in a NOTIFY, and the key with which it is signed: its name is before TSIG's type and the class ANY.
fn signed(bytes: &[u8]) -> (u32, &'static str) {
    let tsig = |key: &'static str| {
        let owner = [&name(key)[..], &[0, 250, 0, 255]].concat();
        bytes.windows(owner.len()).position(|window| window == owner).map(|at| (serial(&bytes[..at]), key))
    };
    ["k1", "k2"].into_iter().find_map(tsig).unwrap_or((serial(bytes), "none"))
}

/// As secondaries with several views have it, who tell them apart by the keys.
#[test]
fn one_address_is_told_once_with_each_key_and_once_without_as_by_named() {
    for kind in BOTH {
        let port = free_port();
        let listener = Listener::start(at(2, port), |heard| honest(heard, 1));
        let also = ["k1", "k2", "k2"].map(|key| format!("127.0.5.2 port {port} key {key};")).concat();
        let statements = ["k1", "k2"]
            .map(|key| format!("key {key} {{ algorithm hmac-sha256; secret \"c2VjcmV0c2VjcmV0c2VjcmV0\"; }};\n"));
        let spec = Spec {
            zones: vec![Zone::primary("example", text(1)).with(&format!("notify yes; also-notify {{ {also} }};"))],
            options: format!("{FAST} port {port};"),
            statements: statements.concat(),
            ..Spec::default()
        };
        let server = Server::start(kind, &spec);
        let told = || {
            let heard = listener.heard();
            let mut told: Vec<_> = heard.iter().map(|heard| signed(&heard.bytes)).collect();
            told.sort_unstable();
            told
        };
        let mut expected = vec![];
        let steps = [("the start", 1), ("the change", 2), ("the command", 2)];
        for (number, (step, serial)) in steps.into_iter().enumerate() {
            match number {
                0 => {}
                1 => server.change_zone("example", &text(serial)),
                _ => assert_eq!(server.rndc(&["notify", "example"]).status, 0),
            }
            expected.extend(["k1", "k2", "none"].map(|key| (serial, key)));
            expected.sort_unstable();
            server.wait_until(&format!("all are told of {step}"), || told().len() >= expected.len());
            assert_eq!(told(), expected, "{kind:?}: {step}");
        }
    }
}

/// What a server of the root says that knows its own address and that of localhost.
fn root(heard: &Heard) -> Vec<Vec<u8>> {
    let request = &heard.request;
    let answer = match (request.zone.trim_end_matches('.'), request.rtype) {
        ("", NS) => record("", NS, &name("r")),
        ("r", A) => record("r", A, &[127, 0, 5, 53]),
        ("localhost", A) => record("localhost", A, &[127, 0, 0, 1]),
        _ => {
            let mut reply = request.reply(&[soa("", 1)]);
            reply.swap(7, 9);
            return vec![reply];
        }
    };
    vec![request.reply(&[answer])]
}

/// named resolves the name itself, though it does so for nobody else; nomd asks the host's resolver.
#[test]
fn servers_outside_our_zones_are_looked_up_and_told() {
    for kind in BOTH {
        let port = free_port();
        let _root = Listener::start(at(53, port), root);
        let told = Listener::start((Ipv4Addr::LOCALHOST, port).into(), |heard| honest(heard, 1));
        let text = "$TTL 300\n@ SOA ns h 1 86400 86400 1209600 60\n@ NS localhost.\n";
        let spec = Spec {
            zones: vec![Zone::primary("example", text).with("notify yes;")],
            options: format!("{FAST} port {port};"),
            statements: "zone \".\" { type hint; file \"root.hints\"; };".to_owned(),
            files: vec![("root.hints".to_owned(), ". 60 NS r.\nr. 60 A 127.0.5.53\n".to_owned())],
            ..Spec::default()
        };
        let server = Server::start(kind, &spec);
        server.wait_until("the server is told", || told.heard().iter().any(|heard| heard.kind() == "NOTIFY"));
    }
}

/// Sends a NOTIFY with this serial, or none, and waits for the answer.
fn notify(server: &Server, zone: &str, serial: Option<u32>) {
    let question = [&name(zone)[..], &SOA.to_be_bytes(), &IN.to_be_bytes()].concat();
    let records: Vec<_> = serial.map(|serial| soa(zone, serial)).into_iter().collect();
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send_to(&message(7, 0x2400, &question, &records), ("127.0.0.1", server.port)).unwrap();
    receive(&socket, &mut [0; 512]).unwrap();
}

/// What a secondary with serial 5 says of NOTIFYs, and how often it asks.
fn taken(kind: Kind) -> (Vec<String>, usize) {
    let (serial, is_held) = (Arc::new(AtomicU32::new(5)), Arc::new(AtomicBool::new(false)));
    let (current, held) = (Arc::clone(&serial), Arc::clone(&is_held));
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let primary = Listener::start(address, move |heard| {
        within(PATIENCE, || !held.load(Ordering::SeqCst));
        honest(heard, current.load(Ordering::SeqCst))
    });
    let zones = vec![Zone::secondary("example", primary.address.port())];
    let server = Server::start(kind, &Spec { zones, options: FAST.into(), ..Spec::default() });
    server.wait_for_serial("example", 5);
    let asked = || primary.heard().iter().filter(|heard| heard.kind() == "SOA").count();
    let begun = asked();
    for old in [4, 5, 0xf000_0000] {
        notify(&server, "example", Some(old));
    }
    is_held.store(true, Ordering::SeqCst);
    notify(&server, "example", None);
    server.wait_until("the primary is asked", || asked() == begun + 1);
    notify(&server, "example", Some(6));
    server.wait_for_log("refresh check queued");
    serial.store(6, Ordering::SeqCst);
    is_held.store(false, Ordering::SeqCst);
    server.wait_for_serial("example", 6);
    notify(&server, "example", Some(6));
    let up_to_date = || server.log().matches("zone is up to date").count();
    server.wait_until("all is said", || up_to_date() == 4);
    // named checks once more what it was told of during the check.
    server.wait_until("the primary is asked", || asked() > begun + usize::from(kind == Kind::Bind));
    let log = server.settled_log();
    let lines = log.lines().filter_map(|line| line.split_once("zone example/IN: ")).filter_map(|(_, line)| {
        let (before, port_and_more) = line.strip_prefix("notify from ")?.split_once('#')?;
        Some(format!("{before}{}", port_and_more.trim_start_matches(|c: char| c.is_ascii_digit())))
    });
    (lines.collect(), asked() - begun)
}

#[test]
fn a_notify_leads_to_what_it_leads_to_with_named() {
    let [theirs, ours] = BOTH.map(taken);
    assert_eq!(ours.0, theirs.0);
    assert_eq!(theirs.0.len(), 6);
    // nomd leaves out a check for a version that a transfer has brought meanwhile.
    assert_eq!((ours.1, theirs.1), (1, 2));
}
