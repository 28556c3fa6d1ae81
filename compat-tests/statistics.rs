//! `rndc stats`: after the same requests named's file and nomd's say the same numbers, in the same words.

use std::collections::BTreeMap;
use std::fs;
use std::net::Ipv4Addr;

use super::edns::{ask_tcp, asking, asking_with};
use super::packets::{ask_udp, message, name, question, record};
use super::peers::listener::{Listener, honest};
use super::peers::{Kind, PATIENCE, Server, Spec, Zone, free_port, within};

/// The numbers of a dump by section and text.
type Numbers = BTreeMap<(String, String), i64>;

/// The sections that are compared; the others are about memory, sockets and other servers.
const SECTIONS: [&str; 5] = [
    "Incoming Requests",
    "Incoming Queries",
    "Outgoing Rcodes",
    "Name Server Statistics",
    "Zone Maintenance Statistics",
];

/// How many connections there are at once is up to the scheduler.
const NOT_COMPARED: [&str; 1] = ["TCP connection high-water"];

fn start(kind: Kind) -> Server {
    let long = "\"twenty bytes of text\" ".repeat(70);
    let text = "$TTL 300\n@ SOA ns hostmaster 7 7200 900 1209600 60\n NS ns\nns A 192.0.2.1\nwww A 192.0.2.2\n\
                alias CNAME www\ngone CNAME none\nloop CNAME loop\nsub NS ns.sub\nns.sub A 192.0.2.3\nbig TXT ";
    let zones = vec![
        Zone::primary("example.com", format!("{text}{long}\n")),
        Zone::primary("closed.test", text.to_owned() + "x\n").with("allow-query { none; };"),
        Zone::secondary("waiting.test", 1),
    ];
    let server = Server::start(kind, &Spec { zones, ..Spec::default() });
    server.wait_for_serial("example.com", 7);
    // The check at the start is over.
    server.wait_until_idle();
    server
}

fn dump(server: &Server) -> Numbers {
    let output = server.rndc(&["stats"]);
    assert_eq!(output.status, 0, "{:?}: {output:?}", server.kind);
    let text = fs::read_to_string(server.path("named.stats")).unwrap();
    let (_, last) = text.rsplit_once("+++ Statistics Dump +++").unwrap();
    let (mut section, mut numbers) = (String::new(), Numbers::new());
    for line in last.lines() {
        if let Some(name) = line.strip_prefix("++ ").and_then(|line| line.strip_suffix(" ++")) {
            section = name.to_owned();
        } else if let Some((count, what)) = line.trim_start().split_once(' ').filter(|_| line.starts_with(' ')) {
            numbers.insert((section.clone(), what.to_owned()), count.parse().unwrap());
        }
    }
    numbers
}

/// What has been added to the numbers.
fn added(server: &Server, before: &Numbers) -> Numbers {
    let is_compared = |section: &str, what: &str| SECTIONS.contains(&section) && !NOT_COMPARED.contains(&what);
    let after = dump(server).into_iter().filter(|((section, what), _)| is_compared(section, what));
    let difference = after.map(|(key, count)| (key.clone(), count - before.get(&key).unwrap_or(&0)));
    difference.filter(|(_, count)| *count != 0).collect()
}

fn requests() -> Vec<(Vec<u8>, bool)> {
    let plain = |flags, name, rtype, class| message(9, flags, [1, 0, 0, 0], &question(name, rtype, class));
    let cookie: &[u8] = b"8 bytes.";
    let malformed = record(&name("x.example.com"), 1, 1, 60, &[1]);
    let udp = [
        plain(0, "www.example.com", 1, 1),
        plain(0x0100, "www.example.com", 28, 1),
        plain(0, "none.example.com", 1, 1),
        plain(0, "alias.example.com", 28, 1),
        plain(0, "gone.example.com", 1, 1),
        plain(0, "loop.example.com", 1, 1),
        plain(0, "x.sub.example.com", 1, 1),
        plain(0, "big.example.com", 16, 1),
        plain(0, "www.example.com", 65280, 1),
        plain(0, "www.example.com", 254, 1),
        plain(0, "www.example.com", 41, 1),
        plain(0, "example.com", 252, 1),
        plain(0, "example.net", 1, 1),
        plain(0x0100, "example.net", 1, 1),
        plain(0, "www.closed.test", 1, 1),
        plain(0x0100, "www.closed.test", 1, 1),
        plain(0, "waiting.test", 6, 1),
        plain(0, "version.bind", 16, 3),
        plain(0, "www.example.com", 1, 5),
        plain(0x2400, "example.com", 6, 1),
        plain(0x2400, "example.net", 6, 1),
        plain(0x2400, "waiting.test", 6, 1),
        plain(0x2800, "example.com", 6, 1),
        message(9, 0x2800, [1, 0, 1, 0], &[question("example.com", 6, 1), malformed].concat()),
        plain(0x3800, "example.com", 6, 1),
        plain(0x8000, "www.example.com", 1, 1),
        vec![1, 2, 3],
        asking(
            "www.example.com",
            1,
            &[(3, b""), (8, &[0, 0, 0, 0]), (9, b""), (11, b""), (12, b""), (14, b"ab"), (65001, b"")],
        ),
        asking("www.example.com", 1, &[(10, cookie)]),
        asking("www.example.com", 1, &[(10, &[cookie, cookie].concat())]),
        asking("www.example.com", 1, &[(10, &[cookie, &[7; 16]].concat())]),
        asking("www.example.com", 1, &[(10, b"short")]),
        asking_with("www.example.com", 1, (1232, 0x0001_0000), &[(3, b"")]),
    ];
    let tcp = [
        plain(0, "www.example.com", 1, 1),
        plain(0, "example.com", 252, 1),
        plain(0, "closed.test", 252, 1),
        plain(0, "example.net", 252, 1),
        asking("www.example.com", 255, &[(11, b"")]),
    ];
    udp.map(|request| (request, false)).into_iter().chain(tcp.map(|request| (request, true))).collect()
}

#[test]
fn the_numbers_of_rndc_stats_are_those_of_named() {
    let requests = requests();
    let servers = [Kind::Bind, Kind::Nomd].map(start);
    let before = servers.each_ref().map(dump);
    for (request, is_tcp) in &requests {
        for server in &servers {
            if *is_tcp {
                ask_tcp(server, request)
            } else {
                ask_udp(server, request)
            };
        }
    }
    let added = || [0, 1].map(|at| added(&servers[at], &before[at]));
    // Transfers are counted when they have ended.
    within(PATIENCE, || added()[0] == added()[1]);
    let [theirs, ours] = added();
    let keys = theirs.keys().chain(ours.keys());
    let differing: BTreeMap<_, _> =
        keys.map(|key| (key, (theirs.get(key), ours.get(key)))).filter(|(_, (a, b))| a != b).collect();
    assert!(differing.is_empty(), "named's and ours: {differing:#?}");
    assert!(theirs.len() > 40, "{theirs:?}");
}

/// What a server says of its upkeep of a zone that it gets by AXFR and IXFR and tells another server of, and of one that
/// its primary refuses to give.
fn upkeep(kind: Kind) -> Vec<(String, i64)> {
    let text =
        |serial: u32| format!("$TTL 300\n@ SOA ns h {serial} 86400 86400 1209600 60\n@ NS ns\nns A 192.0.2.{serial}\n");
    let kept = "zone kept.test { type primary; file \"kept\"; allow-transfer { none; }; };";
    let primary = Spec {
        zones: vec![Zone::primary("given.test", text(1))],
        statements: kept.to_owned(),
        files: vec![("kept".to_owned(), text(1))],
        ..Spec::default()
    };
    let primary = Server::start(Kind::Bind, &primary);
    let told = Listener::start((Ipv4Addr::LOCALHOST, free_port()).into(), |heard| honest(heard, 1));
    let given = Zone::secondary("given.test", primary.port).notifying(told.address.port());
    let zones = vec![given, Zone::secondary("kept.test", primary.port)];
    let server = Server::start(kind, &Spec { zones, ..Spec::default() });
    for serial in [1, 2] {
        if serial == 2 {
            primary.change_zone("given.test", &text(2));
            server.refresh("given.test");
        }
        server.wait_for_serial("given.test", serial);
        server.wait_until_idle();
        // Of two that wait to be sent there would be one.
        server.wait_until("it has told of it", || told.heard().len() == serial as usize);
    }
    let of_zones = |((section, what), count): ((String, String), i64)| {
        Some((what, count)).filter(|_| section == "Zone Maintenance Statistics")
    };
    dump(&server).into_iter().filter_map(of_zones).collect()
}

#[test]
fn what_is_asked_and_told_of_zones_is_counted_as_by_named() {
    let [theirs, ours] = [Kind::Bind, Kind::Nomd].map(upkeep);
    assert_eq!(ours, theirs);
    assert_eq!(theirs.len(), 6, "{theirs:?}");
}
