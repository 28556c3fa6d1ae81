//! How long a secondary waits and how long its copy lives: what is seen to hold for named holds for nomd. What would
//! take hours is seen in the times that the servers tell.

use std::fs;
use std::io::{Read, Write};
use std::net::{Ipv4Addr, SocketAddr, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::faults::stream::{Request, notify, soa};
use super::peers::listener::{Heard, Listener, honest};
use super::peers::{Kind, PATIENCE, Server, Spec, Zone, free_port, receive, run, within};

const BOTH: [Kind; 2] = [Kind::Bind, Kind::Nomd];
const ZONE: &str = "example";
/// A busy host may take so long from an event to the look at what became of it.
const SLACK_S: i64 = 40;

fn loopback() -> SocketAddr {
    (Ipv4Addr::LOCALHOST, free_port()).into()
}

/// Seconds from now until a time as `rndc zonestatus` shows it, of a zone that is not served on standard error.
fn until(server: &Server, what: &str) -> i64 {
    let output = server.rndc(&["zonestatus", ZONE]);
    let status = output.stdout + &output.stderr;
    let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(": ")).unwrap_or_default();
    let time = jiff::fmt::rfc2822::parse(line).unwrap_or_else(|error| panic!("{what}: {error}: {status}"));
    time.timestamp().as_second() - jiff::Timestamp::now().as_second()
}

/// The same for the next check; named tells it of a zone that is not served to collectors of statistics alone.
fn until_next_check(server: &Server, statistics_port: u16) -> i64 {
    if server.kind == Kind::Nomd {
        return until(server, "next refresh");
    }
    let mut stream = TcpStream::connect((Ipv4Addr::LOCALHOST, statistics_port)).unwrap();
    stream.write_all(b"GET /json/v1/zones HTTP/1.0\r\n\r\n").unwrap();
    let mut page = String::new();
    stream.read_to_string(&mut page).unwrap();
    let (_, rest) = page.split_once("\"refresh\":\"").unwrap_or_else(|| panic!("{page}"));
    let time: jiff::Timestamp = rest.split('"').next().unwrap_or_default().parse().unwrap();
    time.as_second() - jiff::Timestamp::now().as_second()
}

/// Has the zone checked once more: the check has come to its end when this returns, with so many queries heard since.
fn check(server: &Server, primary: &Listener, queries: usize) {
    server.wait_until_idle();
    let before = primary.heard().len();
    server.refresh(ZONE);
    wait_for_queries(server, primary, before + queries);
}

fn wait_for_queries(server: &Server, primary: &Listener, count: usize) {
    server.wait_until("the primary is asked", || primary.heard().len() >= count);
    server.wait_until_idle();
}

/// How often a check of a zone that was never loaded comes to nothing until it is told of as seldom as it will be.
const CHECKS: u32 = 11;

#[test]
fn a_zone_that_was_never_loaded_waits_from_a_minute_up_to_six_hours_as_with_named() {
    for kind in BOTH {
        let primary = Listener::start(loopback(), |heard| vec![heard.request.refusal(2)]);
        let statistics_port = free_port();
        let statements = match kind {
            Kind::Bind => format!("statistics-channels {{ inet 127.0.0.1 port {statistics_port}; }};"),
            _ => String::new(),
        };
        let zones = vec![Zone::secondary(ZONE, primary.address.port())];
        let server = Server::start(kind, &Spec { zones, statements, ..Spec::default() });
        // With EDNS, and without.
        wait_for_queries(&server, &primary, 2);
        for number in 0..CHECKS {
            let longest_s = (60 << number).min(6 * 3600);
            let next_s = until_next_check(&server, statistics_port);
            assert!((longest_s * 3 / 4 - SLACK_S..=longest_s).contains(&next_s), "{kind:?} {number}: {next_s}");
            check(&server, &primary, 2);
        }
    }
}

/// The zone's file as one that can be read once. It is gone before it ends.
fn vanishing(path: &std::path::Path) {
    let text = "$TTL 300\n@ SOA ns h 1 7200 2000 604800 60\n@ NS ns\nns A 192.0.2.1\n";
    let mut pipe = fs::OpenOptions::new().write(true).open(path).unwrap();
    pipe.write_all(text.as_bytes()).unwrap();
    fs::remove_file(path).unwrap();
}

/// named looks at the time of a file that it has read once more, and takes one that is gone meanwhile for one that is
/// to be confirmed within the retry interval. nomd knows the time of what it has read.
#[test]
fn a_copy_whose_file_is_gone_lives_for_the_retry_interval_with_named() {
    for (kind, expires_s) in [(Kind::Bind, 2000), (Kind::Nomd, 604_800)] {
        let folder = tempfile::Builder::new().prefix("nomd-compat-").tempdir().unwrap();
        let path = folder.path().join("example.db");
        assert_eq!(run("mkfifo", &[path.to_str().unwrap()]).status, 0);
        let writer = std::thread::spawn(move || vanishing(&path));
        let zones = vec![Zone::secondary(ZONE, free_port()).with("masterfile-format text;")];
        let server = Server::start_in(kind, &Spec { zones, ..Spec::default() }, free_port(), folder);
        server.wait_for_serial(ZONE, 1);
        writer.join().unwrap();
        let left_s = until(&server, "expires");
        assert!((expires_s - SLACK_S..=expires_s).contains(&left_s), "{kind:?}: {left_s}");
    }
}

/// An honest answer; whoever speaks EDNS is told how long the primary's own copy lives, unless that is 0.
fn with_expire(heard: &Heard, expire_s: u32) -> Vec<Vec<u8>> {
    let mut replies = honest(heard, 1);
    let speaks_edns = heard.bytes[11] > 0;
    if heard.kind() == "SOA" && speaks_edns && expire_s > 0 {
        replies[0].extend([&[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 8, 0, 9, 0, 4][..], &expire_s.to_be_bytes()].concat());
        replies[0][11] = 1;
    }
    replies
}

/// What the primary says of its copy at each check, and how long ours lives then. That of the SOA record is 1209600.
const LIVES: [(u32, i64); 6] = [
    (5000, 1_209_600),
    (0, 1_209_600),
    (1_209_600, 1_209_600),
    (2_000_000, 1_209_600),
    (900, 1_209_600),
    (0, 1_209_600),
];

#[test]
fn what_a_primary_says_of_its_own_copy_never_shortens_the_life_of_ours() {
    for kind in BOTH {
        let expire_s = Arc::new(AtomicU32::new(0));
        let told = Arc::clone(&expire_s);
        let primary = Listener::start(loopback(), move |heard| with_expire(heard, told.load(Ordering::SeqCst)));
        let zones = vec![Zone::secondary(ZONE, primary.address.port())];
        let server = Server::start(kind, &Spec { zones, ..Spec::default() });
        server.wait_for_serial(ZONE, 1);
        for (number, (told_s, lives_s)) in LIVES.into_iter().enumerate() {
            expire_s.store(told_s, Ordering::SeqCst);
            check(&server, &primary, 1);
            let left_s = until(&server, "expires");
            assert!((lives_s - SLACK_S..=lives_s).contains(&left_s), "{kind:?} {number}: {left_s}");
        }
    }
}

/// A copy that was confirmed long ago and lives for another hour.
const OLD_S: u64 = 1_209_600 - 3600;

#[test]
fn a_copy_that_is_confirmed_lives_as_long_as_that_of_the_primary_as_with_named() {
    for (told_s, lives_s) in [(5000, 5000), (600, 3600), (0, 1_209_600)] {
        for kind in BOTH {
            let primary = Listener::start(loopback(), move |heard| with_expire(heard, told_s));
            let folder = tempfile::Builder::new().prefix("nomd-compat-").tempdir().unwrap();
            let path = folder.path().join("example.db");
            let text = "$TTL 300\n@ SOA ns h 1 86400 86400 1209600 60\n@ NS ns\nns A 192.0.2.1\n";
            fs::write(&path, text).unwrap();
            let then = std::time::SystemTime::now() - std::time::Duration::from_secs(OLD_S);
            fs::File::options().append(true).open(&path).unwrap().set_modified(then).unwrap();
            let zones = vec![Zone::secondary(ZONE, primary.address.port()).with("masterfile-format text;")];
            let server = Server::start_in(kind, &Spec { zones, ..Spec::default() }, free_port(), folder);
            server.wait_for_serial(ZONE, 1);
            check(&server, &primary, 1);
            let left_s = until(&server, "expires");
            assert!((lives_s - SLACK_S..=lives_s).contains(&left_s), "{kind:?} {told_s}: {left_s}");
            // For the next start, the time of the file says the same.
            server.wait_until(&format!("of {told_s} seconds the file knows"), || {
                let age = fs::metadata(server.path("example.db")).unwrap().modified().unwrap().elapsed();
                let left_s = 1_209_600 - age.unwrap_or_default().as_secs() as i64;
                (lives_s - SLACK_S..=lives_s).contains(&left_s)
            });
        }
    }
}

/// Four zones of one primary that takes one transfer at a time, begins the first one, and is gone before the others:
/// how many cannot connect and how many do not try, and whether it is tried after a NOTIFY from another port and from
/// its own.
fn skipped(kind: Kind) -> ((usize, usize), [bool; 2]) {
    let is_held = Arc::new(AtomicBool::new(true));
    let held = Arc::clone(&is_held);
    let address = loopback();
    let primary = Listener::start(address, move |heard| {
        if heard.request.is_transfer() {
            within(PATIENCE, || !held.load(Ordering::SeqCst));
            return vec![];
        }
        honest(heard, 1)
    });
    let names = ["a.example", "b.example", "c.example", ZONE];
    let zones = names.map(|name| Zone::secondary(name, address.port())).into();
    let options = "transfers-per-ns 1; serial-query-rate 1000;".to_owned();
    let server = Server::start(kind, &Spec { zones, options, ..Spec::default() });
    let are_waiting = || server.rndc(&["status"]).stdout.contains("xfers deferred: 3\n");
    server.wait_until("three transfers wait", are_waiting);
    drop(primary);
    server.wait_until("nobody listens there", || TcpStream::connect(address).is_err());
    is_held.store(false, Ordering::SeqCst);
    let count = |text: &str| server.log().lines().filter(|line| line.contains(text)).count();
    let counts = || (count("failed to connect: connection refused"), count("is unreachable (cached)"));
    server.wait_until("all have been tried", || counts().0 + counts().1 >= 3);
    let before = counts();
    let socket = |address: SocketAddr| {
        let mut bound = None;
        server.wait_until("the address is free", || {
            bound = UdpSocket::bind(address).ok();
            bound.is_some()
        });
        bound.unwrap()
    };
    let (primary, elsewhere) = (socket(address), socket((Ipv4Addr::LOCALHOST, 0).into()));
    let tried = [(&elsewhere, "a.example"), (&primary, "b.example")].map(|(from, zone)| {
        let before = counts();
        from.send_to(&notify(zone), (Ipv4Addr::LOCALHOST, server.port)).unwrap();
        answer_query(&primary);
        server.wait_until("it is tried or not", || counts() != before);
        counts().0 > before.0
    });
    (before, tried)
}

/// Answers the next query, honestly.
fn answer_query(socket: &UdpSocket) {
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let mut bytes = [0; 512];
    loop {
        let (length, from) = receive(socket, &mut bytes).unwrap();
        let is_reply = bytes[2] & 0x80 > 0;
        if let Some(request) = Request::read(&bytes[..length]).filter(|_| !is_reply) {
            socket.send_to(&request.reply(&[soa(&request.zone, 1)]), from).unwrap();
            return;
        }
    }
}

/// named passes it over for ten minutes, whatever it answers or sends meanwhile: it would forget that for a NOTIFY
/// between the very addresses and ports of a transfer. nomd does for any NOTIFY from its address.
#[test]
fn a_primary_that_two_transfers_could_not_reach_is_passed_over() {
    for (kind, tried) in [(Kind::Bind, [false, false]), (Kind::Nomd, [true, true])] {
        assert_eq!(skipped(kind), ((2, 1), tried), "{kind:?}");
    }
}
