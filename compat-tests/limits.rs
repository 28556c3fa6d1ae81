//! Rate limits: of a burst of like questions, named and nomd answer, truncate and drop the same.

use std::fmt::Write;
use std::net::UdpSocket;
use std::time::Instant;

use data_encoding::HEXLOWER;

use super::peers::{Kind, PATIENCE, Server, Spec, Zone, receive};

const A: u16 = 1;
const TXT: u16 = 16;
const ANY: u16 = 255;
const IN: u16 = 1;
/// How many questions a burst has. A second that passes meanwhile lets one more be answered in full, at the start.
const BURST: u16 = 9;
/// The question behind each burst, whose answer tells that all others have had their turn: each is for another name.
const LAST_ID: u16 = 0xfffe;

fn zone() -> String {
    let names = "$TTL 300\n@ SOA ns hm 1 3600 600 86400 300\n@ NS ns\nns A 192.0.2.1\na A 192.0.2.2\nc CNAME a\n\
                 *.w A 192.0.2.3\n*.v A 192.0.2.4\nsub NS ns.sub\nns.sub A 192.0.2.5\nd DNAME e\n";
    (0..100).fold(names.to_owned(), |mut text, number| {
        let _ = writeln!(text, "last{number} A 192.0.2.99");
        text
    })
}

fn query(id: u16, name: &str, rtype: u16, option: &[u8]) -> Vec<u8> {
    let additional = u8::from(!option.is_empty());
    let mut bytes = [&id.to_be_bytes()[..], &[0, 0, 0, 1, 0, 0, 0, 0, 0, additional]].concat();
    for label in name.split('.') {
        bytes.push(label.len() as u8);
        bytes.extend_from_slice(label.as_bytes());
    }
    bytes.push(0);
    bytes.extend([rtype, IN].iter().flat_map(|word| word.to_be_bytes()));
    bytes.extend_from_slice(option);
    bytes
}

/// An OPT record without options, and one with the client's part of a cookie.
const EDNS: &[u8] = &[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0];
const COOKIE: &[u8] = &[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 12, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8];

/// A burst: what it is about, its questions by number, their type and OPT.
struct Burst(&'static str, fn(u16) -> String, u16, &'static [u8]);

const BURSTS: &[Burst] = &[
    Burst("one name", |_| "a.g.test".into(), A, &[]),
    Burst("one name with EDNS", |_| "ns.g.test".into(), A, EDNS),
    Burst("one name with a cookie", |_| "last98.g.test".into(), A, COOKIE),
    Burst("one name, ANY", |_| "a.g.test".into(), ANY, &[]),
    Burst("no data", |_| "a.g.test".into(), TXT, &[]),
    Burst("no name", |number| format!("n{number}.g.test"), A, &[]),
    Burst("a wildcard", |number| format!("n{number}.w.g.test"), A, &[]),
    Burst("another wildcard of the zone", |number| format!("n{number}.v.g.test"), A, &[]),
    Burst("a referral", |number| format!("n{number}.sub.g.test"), A, &[]),
    Burst("an alias", |_| "c.g.test".into(), A, &[]),
    Burst("outside all zones", |number| format!("n{number}.x.test"), A, &[]),
];

/// What became of a question.
#[derive(PartialEq, Clone)]
enum Fate {
    Answered,
    Limited(String),
    Dropped,
}

/// The fate of each question of a burst, and how many seconds it took; the cookie of a server is cut off.
fn fates(server: &Server, burst: &Burst, last: usize) -> (Vec<Fate>, usize) {
    let Burst(_, name, rtype, option) = burst;
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(("127.0.0.1", server.port)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let began = Instant::now();
    for number in 0..BURST {
        socket.send(&query(number, &name(number), *rtype, option)).unwrap();
    }
    socket.send(&query(LAST_ID, &format!("last{last}.g.test"), A, &[])).unwrap();
    let mut fates = vec![Fate::Dropped; usize::from(BURST)];
    let mut bytes = [0; 4096];
    while let Ok((length, _)) = receive(&socket, &mut bytes) {
        let id = u16::from_be_bytes([bytes[0], bytes[1]]);
        if id == LAST_ID {
            break;
        }
        let is_limited = bytes[2] & 2 != 0 || bytes[3] & 15 == 7;
        let shown = &bytes[2..length.min(60)];
        let fate = if is_limited { Fate::Limited(HEXLOWER.encode(shown)) } else { Fate::Answered };
        fates[usize::from(id)] = fate;
    }
    (fates, began.elapsed().as_secs() as usize)
}

/// The fates from the first question over the limit on.
fn over_the_limit((fates, took_s): &(Vec<Fate>, usize)) -> Vec<String> {
    // Errors may have been used up while the server was asked whether it is ready.
    let answered = fates.iter().take_while(|fate| **fate == Fate::Answered).count();
    assert!(answered <= 2 + took_s, "{answered} answered in {took_s} seconds");
    let shown = fates[answered..].iter().map(|fate| match fate {
        Fate::Answered => "answered".to_owned(),
        Fate::Limited(bytes) => bytes.clone(),
        Fate::Dropped => "dropped".to_owned(),
    });
    // One second more or less at the start leaves one less or more at the end.
    shown.take(usize::from(BURST) - 2).collect()
}

fn server(kind: Kind, limits: &str) -> Server {
    let options = format!("rate-limit {{ responses-per-second 1; window 15; {limits} }};");
    let server =
        Server::start(kind, &Spec { zones: vec![Zone::primary("g.test", zone())], options, ..Spec::default() });
    server.wait_for_serial("g.test", 1);
    server
}

fn compare(limits: &str) {
    let (named, nomd) = (server(Kind::Bind, limits), server(Kind::Nomd, limits));
    for (last, burst) in BURSTS.iter().enumerate().filter(|(_, burst)| burst.0 != "another wildcard of the zone") {
        let names = |server| -> Vec<String> {
            over_the_limit(&fates(server, burst, last)).iter().map(|fate| without_number(fate)).collect()
        };
        let (theirs, ours) = (names(&named), names(&nomd));
        // On a busy host a burst may take seconds, each of which lets one more be answered.
        let both = ours.len().min(theirs.len());
        assert_eq!(ours[..both], theirs[..both], "{}: with {limits:?}", burst.0);
    }
}

/// The header of an answer; questions differ by when the limit was reached.
fn without_number(fate: &str) -> String {
    fate.get(..20).unwrap_or(fate).to_owned()
}

#[test]
fn bursts_are_limited_as_named_limits_them() {
    compare("");
}

#[test]
fn other_slips_let_as_many_pass_as_with_named() {
    compare("slip 1;");
    compare("slip 3;");
    compare("slip 0;");
}

#[test]
fn all_wildcards_of_a_zone_share_a_limit() {
    for kind in [Kind::Bind, Kind::Nomd] {
        let server = server(kind, "");
        let of = |what| BURSTS.iter().find(|burst| burst.0 == what).unwrap();
        fates(&server, of("a wildcard"), 0);
        let (second, _) = fates(&server, of("another wildcard of the zone"), 1);
        assert!(second.iter().all(|fate| *fate != Fate::Answered));
    }
}

#[test]
fn log_only_and_exempt_clients_are_all_answered() {
    for limits in ["log-only yes;", "exempt-clients { 127.0.0.0/8; };"] {
        for kind in [Kind::Bind, Kind::Nomd] {
            let (fates, _) = fates(&server(kind, limits), &BURSTS[0], 0);
            assert!(fates.iter().all(|fate| *fate == Fate::Answered), "{limits}");
        }
    }
}

#[test]
fn limits_are_logged_as_named_logs_them() {
    let lines = [Kind::Bind, Kind::Nomd].map(|kind| {
        let server = server(kind, "");
        fates(&server, &BURSTS[5], 0);
        let lines = || -> Vec<String> {
            server.log().lines().filter(|line| line.contains("imit")).take(3).map(without_hash).collect()
        };
        server.wait_until("three lines are logged", || lines().len() == 3);
        lines()
    });
    assert!(lines[0][0].ends_with("limit NXDOMAIN responses to 127.0.0.0/24 for g.test  "), "{:?}", lines[0]);
    assert_eq!(lines[1][0], lines[0][0]);
    let behind_client = |line: &String| line.split("): ").nth(1).map(str::to_owned);
    assert_eq!(behind_client(&lines[1][1]), behind_client(&lines[0][1]));
    assert_eq!(behind_client(&lines[1][2]), behind_client(&lines[0][2]));
}

/// A line from its words on, without the number of the name at its end.
fn without_hash(line: &str) -> String {
    let start = line.find("client @").or_else(|| line.find("limit ")).unwrap_or_default();
    line[start..].rsplit_once('(').map_or(line, |(before, _)| before).to_owned()
}
