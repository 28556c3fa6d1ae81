//! Primaries that let a secondary wait: after how long it gives up, what it says of that, and whom it asks next.
//!
//! Times that are configured in minutes are waited for with `NOMD_MINUTES` set.

use std::io::Write;
use std::net::TcpStream;
use std::thread;
use std::time::Duration;

use super::primary::{FAULTY, Primary, Script, Step, send};
use super::stream::{Request, Signer, zone_messages};
use crate::packets::framed;
use crate::peers::{Kind, PATIENCE, Server, Spec, Zone, dig, within};

const BOTH: [Kind; 2] = [Kind::Bind, Kind::Nomd];

/// A zone, what is wrong with the first of its two primaries, and what the configuration says of it.
struct Slow {
    zone: &'static str,
    transfer: fn(&Request, Option<Signer>) -> Vec<Step>,
    clauses: &'static str,
}

fn mute(_: &Request, _: Option<Signer>) -> Vec<Step> {
    vec![Step::Stall]
}

fn begun(request: &Request, then: Step) -> Vec<Step> {
    [send(zone_messages(request, FAULTY)[..1].to_vec(), None), vec![then]].concat()
}

fn stalled(request: &Request, _: Option<Signer>) -> Vec<Step> {
    begun(request, Step::Stall)
}

fn dripping(request: &Request, _: Option<Signer>) -> Vec<Step> {
    begun(request, Step::Endless(request.clone(), Duration::from_secs(1)))
}

/// Lets version 2 appear on both primaries, and gives what is said of each transfer from the first.
fn play(kind: Kind, zones: &[Slow], options: &str, patience: Duration) -> Vec<Vec<String>> {
    let script = |slow: &Slow| (slow.zone.to_owned(), Script { soa: None, transfer: slow.transfer });
    let (first, second) = (Primary::start(zones.iter().map(script).collect(), None), Primary::start([].into(), None));
    let statement = |Slow { zone, clauses, .. }: &Slow| {
        let primaries = format!("127.0.0.1 port {}; 127.0.0.1 port {};", first.port, second.port);
        format!("zone {zone} {{ type secondary; file \"{zone}\"; primaries {{ {primaries} }}; {clauses} }};\n")
    };
    let options = format!("{options} request-ixfr no; transfers-in 20; transfers-per-ns 20;");
    let spec = Spec { statements: zones.iter().map(statement).collect(), options, ..Spec::default() };
    let server = Server::start(kind, &spec);
    zones.iter().for_each(|slow| server.wait_for_serial(slow.zone, 1));
    server.wait_until_idle();
    let before = server.settled_log().len();
    [&first, &second].iter().for_each(|primary| primary.announce(FAULTY));
    zones.iter().for_each(|slow| assert_eq!(server.rndc(&["refresh", slow.zone]).status, 0));
    let is_current = |slow: &Slow| within(patience, || dig::serial(server.port, slow.zone) == Some(FAULTY));
    for slow in zones {
        assert!(is_current(slow), "{kind:?} {}: {}", slow.zone, &server.log()[before..]);
    }
    let log = server.settled_log().split_off(before);
    zones.iter().map(|slow| said(&log, slow.zone, first.port)).collect()
}

/// The lines on transfers of a zone from a primary, without what differs from one time to the next.
fn said(log: &str, zone: &str, port: u16) -> Vec<String> {
    let from = format!("transfer of '{zone}/IN' from 127.0.0.1#{port}: ");
    let lines = log.lines().filter_map(|line| Some(line.split_once(&from)?.1));
    let lines = lines.filter(|line| !line.starts_with("connected using "));
    lines.map(without_numbers).collect()
}

fn without_numbers(line: &str) -> String {
    match line.split_once(" bytes, ").zip(line.split_once(" (serial ")) {
        Some(((what, _), (_, serial))) => format!("{what} (serial {serial}"),
        None => line.to_owned(),
    }
}

/// Both servers say the same, and what they say has these words in it.
fn check(zones: &[Slow], options: &str, patience: Duration, words: &[&str]) {
    let play = |kind| play(kind, zones, options, patience);
    let [theirs, ours] =
        thread::scope(|scope| BOTH.map(|kind| scope.spawn(move || play(kind))).map(|run| run.join().unwrap()));
    assert_eq!(ours, theirs);
    for ((lines, words), slow) in ours.iter().zip(words).zip(zones) {
        assert!(lines.iter().any(|line| line == words), "{}: {lines:?}", slow.zone);
    }
}

#[test]
fn a_primary_that_goes_silent_for_tcp_idle_timeout_is_left_for_the_next_one() {
    let zones = [
        Slow { zone: "mute.example", transfer: mute, clauses: "" },
        Slow { zone: "stalled.example", transfer: stalled, clauses: "" },
    ];
    let words = "failed while receiving responses: timed out";
    check(&zones, "tcp-idle-timeout 20;", PATIENCE, &[words; 2]);
}

#[test]
fn a_transfer_may_take_and_be_idle_for_as_many_minutes_as_are_configured() {
    if !has_minutes() {
        return;
    }
    let zones = [
        Slow { zone: "idle.example", transfer: stalled, clauses: "max-transfer-idle-in 1;" },
        Slow { zone: "mute.example", transfer: mute, clauses: "max-transfer-idle-in 1;" },
        Slow { zone: "time.example", transfer: stalled, clauses: "max-transfer-time-in 1;" },
        Slow { zone: "drip.example", transfer: dripping, clauses: "max-transfer-time-in 1;" },
    ];
    let [idle, time] = ["maximum idle time exceeded: timed out", "maximum transfer time exceeded: timed out"];
    check(&zones, "tcp-idle-timeout 1200;", Duration::from_secs(100), &[idle, idle, time, time]);
}

/// A zone whose next version passes a limit, and what the log says of that besides.
struct Large {
    zone: &'static str,
    more: fn() -> String,
    limit: &'static str,
}

const LARGE: [Large; 3] = [
    Large { zone: "wide.example", more: hosts_of_one_name, limit: "max-records-per-type 5;" },
    Large { zone: "types.example", more: types_of_one_name, limit: "max-types-per-name 4;" },
    Large { zone: "records.example", more: hosts_of_one_name, limit: "max-records 8;" },
];

fn hosts_of_one_name() -> String {
    (1..10).map(|last| format!("a A 192.0.2.{last}\n")).collect()
}

fn types_of_one_name() -> String {
    (1000..1007).map(|rtype| format!("a TYPE{rtype} \\# 1 00\n")).collect()
}

fn text(serial: u32, more: &str) -> String {
    format!("$TTL 300\n@ SOA ns h {serial} 3600 900 604800 300\n@ NS ns\nns A 192.0.2.1\n{more}")
}

/// What a secondary says of versions that are too large for it, asked for by IXFR and then by AXFR.
fn refused(kind: Kind, primary: &Server) -> Vec<Vec<String>> {
    let zones = LARGE.iter().map(|large| Zone::secondary(large.zone, primary.port).with(large.limit)).collect();
    let server = Server::start(kind, &Spec { zones, ..Spec::default() });
    for large in LARGE {
        server.wait_for_serial(large.zone, 1);
        primary.change_zone(large.zone, &text(2, &(large.more)()));
        primary.wait_for_serial(large.zone, 2);
        server.refresh(large.zone);
        let is_over = || said(&server.log(), large.zone, primary.port).iter().any(|line| line.ends_with(TOO_MANY));
        server.wait_until("the transfer is over", is_over);
        server.wait_until_idle();
        assert_eq!(dig::serial(server.port, large.zone), Some(1));
    }
    // Of the two attempts named says more, and counts less, than nomd.
    let log = server.settled_log();
    let why = |line: &&str| line.contains("error adding '") || line.contains("failed while receiving");
    let lines = |large: &Large| -> Vec<String> {
        let lines = log.lines().filter(why).filter(|line| line.contains(large.zone));
        lines.filter_map(|line| line.rsplit_once("/IN' ").map(|(_, rest)| without_port(rest))).collect()
    };
    LARGE.iter().map(lines).collect()
}

/// What is said of a transfer, without whence it comes.
fn without_port(line: &str) -> String {
    line.split_once(": ").filter(|(from, _)| from.starts_with("from ")).map_or(line, |(_, what)| what).to_owned()
}

const TOO_MANY: &str = "Transfer status: too many records";

#[test]
fn differences_that_pass_a_limit_are_refused_and_so_is_the_whole_zone() {
    let journaled = |large: &Large| {
        let clauses = "ixfr-from-differences yes; max-ixfr-ratio unlimited;";
        Zone::primary(large.zone, text(1, "")).with(clauses)
    };
    let told = BOTH.map(|kind| {
        let zones = LARGE.iter().map(journaled).collect();
        let options = "max-records-per-type 0; max-types-per-name 0;".to_owned();
        let primary = Server::start(Kind::Bind, &Spec { zones, options, ..Spec::default() });
        refused(kind, &primary)
    });
    assert_eq!(told[1], told[0]);
    let (why, wide) =
        ("failed while receiving responses: too many records", "(zone): too many records (must not exceed 5)");
    assert_eq!(told[1], [vec![wide, why, wide, why], vec![why; 2], vec![why; 2]]);
}

#[test]
fn a_transfer_without_an_end_is_ended_by_max_records() {
    let endless = |request: &Request, _: Option<Signer>| begun(request, Step::Endless(request.clone(), Duration::ZERO));
    let [zone, clauses] = ["endless.example", "max-records 500;"];
    let words = "failed while receiving responses: too many records";
    for kind in BOTH {
        let script = Script { soa: None, transfer: endless };
        let primary = Primary::start([(zone.to_owned(), script)].into(), None);
        let zones = vec![Zone::secondary(zone, primary.port).with(clauses)];
        let options = "request-ixfr no;".to_owned();
        let server = Server::start(kind, &Spec { zones, options, ..Spec::default() });
        server.wait_for_serial(zone, 1);
        primary.announce(FAULTY);
        server.refresh(zone);
        server.wait_until(words, || said(&server.log(), zone, primary.port).iter().any(|line| line == words));
        assert_eq!(dig::serial(server.port, zone), Some(1));
    }
}

/// A zone file that passes a limit, and how many lines tell of it. Of `max-records` named makes nothing here.
#[test]
fn a_zone_file_with_too_much_at_a_name_is_told_of_with_file_and_line() {
    let apart = "a A 192.0.2.77\nb A 192.0.2.1\n";
    let zone = |name: &str, more: String, limit| Zone::primary(name, text(1, &more)).with(limit);
    let zones = [
        zone("wide.example", hosts_of_one_name(), LARGE[0].limit),
        zone("apart.example", format!("{apart}{}", hosts_of_one_name()), "max-records-per-type 9;"),
        zone("types.example", types_of_one_name(), LARGE[1].limit),
        zone("records.example", hosts_of_one_name(), LARGE[2].limit),
    ];
    let told = BOTH.map(|kind| {
        let server = Server::start(kind, &Spec { zones: zones.to_vec(), ..Spec::default() });
        server.wait_for_serial("records.example", 1);
        zones.each_ref().map(|zone| {
            let outcome = if zone.name == "records.example" { "loaded serial 1" } else { "not loaded due to errors." };
            server.wait_for_log(&format!("zone {}/IN: {outcome}", zone.name));
            let log = server.log();
            let starts = ["error ", "dns_master_load: ", "zone "];
            let text = |line: &str| starts.iter().find_map(|start| Some(line[line.find(start)?..].to_owned()));
            log.lines().filter(|line| line.contains(&zone.name)).filter_map(text).collect::<Vec<_>>()
        })
    });
    assert_eq!(told[1], told[0]);
    assert_eq!(told[1].each_ref().map(Vec::len), [4, 4, 3, 1], "{told:?}");
}

pub(super) fn has_minutes() -> bool {
    std::env::var_os("NOMD_MINUTES").is_some()
}

/// named 9.18 has no such limit.
#[test]
fn a_transfer_that_brings_too_little_in_a_minute_is_given_up_by_nomd() {
    if !has_minutes() {
        return;
    }
    let rate = "min-transfer-rate-in 10000 1;";
    let zones = [Slow { zone: "rate.example", transfer: dripping, clauses: rate }];
    let said = play(Kind::Nomd, &zones, "", Duration::from_secs(100));
    assert!(said[0].iter().any(|line| line == "minimum transfer rate reached: timed out"), "{said:?}");
}

/// Clients ask for zones that no socket holds, and take nothing.
#[test]
fn a_transfer_is_sent_for_as_many_minutes_as_are_configured() {
    if !has_minutes() {
        return;
    }
    let large = text(1, &format!("$GENERATE 1-100000 h$ TXT {}\n", "x".repeat(200)));
    let zone = |name: &str, limit: &str| Zone::primary(name, large.clone()).with(limit);
    let zones =
        vec![zone("idle.example", "max-transfer-idle-out 1;"), zone("time.example", "max-transfer-time-out 1;")];
    let expected = ["'idle.example/IN': send: operation canceled", "'time.example/IN': aborted: timed out"];
    let servers = BOTH.map(|kind| Server::start(kind, &Spec { zones: zones.clone(), ..Spec::default() }));
    let ask = |server: &Server, zone: &Zone| {
        server.wait_for_serial(&zone.name, 1);
        let mut client = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
        let question = [&super::stream::name(&zone.name)[..], &[0, 252, 0, 1]].concat();
        client.write_all(&framed(&super::stream::message(1, 0, &question, &[]))).unwrap();
        client
    };
    let clients: Vec<_> = servers.iter().flat_map(|server| zones.iter().map(|zone| ask(server, zone))).collect();
    for server in &servers {
        let is_over = || expected.iter().all(|line| server.log().contains(line));
        assert!(within(Duration::from_secs(100), is_over), "{:?}: {}", server.kind, server.log());
    }
    drop(clients);
}
