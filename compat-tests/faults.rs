//! Bad input from primaries: whatever one does wrong, the old version goes on being served and nothing on disk is lost.
//!
//! The same scripted primary is put before named, so that what is refused and what is taken is no belief of ours.

mod cases;
mod copies;
mod deaf;
mod differences;
pub(super) mod disk;
mod images;
mod journals;
pub mod primary;
mod slow;
pub(super) mod stream;

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::net::UdpSocket;
use std::path::Path;

use cases::Case;
use primary::{FAULTY, Primary};

use super::peers::{Key, Kind, PATIENCE, Server, Spec, Zone, dig, receive};

/// What became of a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Outcome {
    serial: Option<u32>,
    /// What stands behind the last `Transfer status:`; empty if there was no transfer.
    status: String,
    records: Option<Vec<String>>,
}

/// Lets a secondary go through all cases at once and gives what became of each zone.
fn play(kind: Kind, cases: &[Case], key: Option<&Key>) -> BTreeMap<&'static str, Outcome> {
    let zone = |case: &Case| format!("{}.example", case.name);
    let scripts = cases.iter().map(|case| (zone(case), case.script)).collect();
    let primary = Primary::start(scripts, key.cloned());
    let limit = |case: &Case| if case.name == "large" { "max-records 12;" } else { "" };
    let zones = cases.iter().map(|case| Zone::secondary(&zone(case), primary.port).with(limit(case)));
    let options = "request-ixfr no; transfers-in 200; transfers-per-ns 200; serial-query-rate 1000;";
    let spec = Spec { zones: zones.collect(), key: key.cloned(), options: options.into(), ..Spec::default() };
    let server = Server::start(kind, &spec);
    let copies: Vec<Vec<u8>> =
        cases.iter().map(|case| first_copy(&server, &zone(case), &format!("{}.db", zone(case)))).collect();
    server.wait_until_idle();

    primary.announce(FAULTY);
    let before = server.settled_log().len();
    cases.iter().for_each(|case| notify(&server, &zone(case)));
    let is_stalled = |case: &Case| case.name == "stalled";
    for case in cases.iter().filter(|case| !is_stalled(case)) {
        let zone = zone(case);
        let over = [
            format!("transfer of '{zone}/IN' from 127.0.0.1#{}: Transfer completed: ", primary.port),
            format!("zone {zone}/IN: refresh: "),
            format!("zone {zone}/IN: serial number ("),
        ];
        server.wait_until(&format!("{zone} has had its fault"), || {
            let log = &server.log()[before..];
            over.iter().any(|line| log.contains(line))
        });
    }
    // named tells first what is wrong with an answer, and then may fetch the zone all the same.
    server.wait_until_left_with(cases.iter().filter(|case| is_stalled(case)).count());
    let log = server.settled_log().split_off(before);
    let outcomes = cases.iter().zip(&copies).map(|(case, copy)| {
        let zone = zone(case);
        let outcome = outcome(&server, &zone, &log, key);
        if outcome.serial == Some(1) && outcome.status != "success" {
            assert_eq!(&fs::read(server.path(&format!("{zone}.db"))).unwrap(), copy, "{kind:?} {zone}: the file");
        }
        (case.name, outcome)
    });
    let outcomes = outcomes.collect();
    server.wait_until("it leaves no files behind", || strays(&server.path("")).is_empty());

    primary.announce(11);
    cases.iter().for_each(|case| notify(&server, &zone(case)));
    // named forgets what was asked for during a transfer that then failed: it has to be asked again and again.
    cases.iter().filter(|case| case.name == "stalled").for_each(|case| {
        server.wait_until("the stalled zone is refreshed", || {
            assert_eq!(server.rndc(&["refresh", &zone(case)]).status, 0);
            dig::serial(server.port, &zone(case)) == Some(11)
        });
    });
    cases.iter().for_each(|case| server.wait_for_serial(&zone(case), 11));
    outcomes
}

/// Waits until version 1 is served and on disk, and reads its file.
fn first_copy(server: &Server, zone: &str, file: &str) -> Vec<u8> {
    server.wait_for_serial(zone, 1);
    let file = server.path(file);
    server.wait_until("the copy is on disk", || file.exists());
    fs::read(file).unwrap()
}

/// Has a zone checked; quicker for many than rndc.
pub fn notify(server: &Server, zone: &str) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send_to(&stream::notify(zone), ("127.0.0.1", server.port)).unwrap();
    let mut reply = [0; 512];
    receive(&socket, &mut reply).unwrap_or_else(|error| panic!("{:?} on NOTIFY for {zone}: {error}", server.kind));
    assert_eq!(reply[3] & 15, 0, "{:?} on NOTIFY for {zone}", server.kind);
}

fn outcome(server: &Server, zone: &str, log: &str, key: Option<&Key>) -> Outcome {
    let named = format!("transfer of '{zone}/IN' from ");
    let lines = log.lines().filter(|line| line.contains(&named));
    let mut statuses =
        lines.filter_map(|line| line.split_once("Transfer status: ").map(|(_, status)| status.to_owned()));
    Outcome {
        serial: dig::serial(server.port, zone),
        status: statuses.next_back().unwrap_or_default(),
        records: dig::transfer(server.port, zone, key),
    }
}

/// Temporary files and files put aside.
fn strays(folder: &Path) -> Vec<String> {
    let names = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().file_name().into_string().unwrap());
    names.filter(|name| name.starts_with("tmp-") || name.starts_with("db-")).collect()
}

/// Both servers keep or take the zone as the case says, with the same contents and the same word for it.
fn check(cases: &[Case], key: Option<&Key>) {
    let (ours, named) = (play(Kind::Nomd, cases, key), play(Kind::Bind, cases, key));
    let mut found = vec![];
    for case in cases {
        let (ours, named) = (&ours[case.name], &named[case.name]);
        let reason = DIFFERENCES.iter().find(|(name, _)| *name == case.name).map(|(_, reason)| *reason);
        assert_eq!(reason.is_none(), ours == named, "{}: {ours:?} and named's {named:?} ({reason:?})", case.name);
        if ours.serial != Some(case.serial) {
            found.push(format!("{}: {ours:?}", case.name));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
}

/// Where nomd does or says something else than named.
const DIFFERENCES: &[(&str, &str)] = &[
    ("garbage", "the header is judged before the rest is read"),
    ("not-a-response", "named looks at no QR bit here: a query is no answer"),
    ("no-newer-than-ours", "the version that is served is not exchanged for another of its serial"),
    ("older-than-ours", "a secondary does not go back in time unless it is told to by rndc retransfer"),
    ("outside", "records outside the zone are dropped, as Debian's later named does (CVE-2026-78301)"),
    ("ttl-negative", "RFC 2181 section 8: such a TTL counts as 0, as in master files"),
    ("short-mac", "named calls a short MAC a wrong one"),
    ("cut-tsig", "a TSIG record that cannot be read is FORMERR, whatever is wrong with it"),
    ("tsig-not-last", "a TSIG record that cannot be read is FORMERR, whatever is wrong with it"),
];

#[test]
fn faults_of_messages_leave_the_old_version() {
    check(&cases::of_messages(), None);
}

#[test]
fn faults_of_records_leave_the_old_version() {
    check(&cases::of_records(), None);
}

#[test]
fn faults_in_soa_answers_leave_the_old_version() {
    check(&cases::of_queries(), None);
}

#[test]
fn faults_of_signatures_leave_the_old_version() {
    check(&cases::of_signatures(), Some(&Key::new("hmac-sha256")));
}

#[test]
fn a_primary_that_is_gone_is_named_and_the_old_version_served() {
    for kind in [Kind::Bind, Kind::Nomd] {
        let primary = Primary::start(HashMap::new(), None);
        let port = primary.port;
        let server =
            Server::start(kind, &Spec { zones: vec![Zone::secondary("gone.example", port)], ..Spec::default() });
        let copy = first_copy(&server, "gone.example", "gone.example.db");
        drop(primary);
        server.wait_until("the port is closed", || UdpSocket::bind(("127.0.0.1", port)).is_ok());
        server.refresh("gone.example");
        server.wait_for_log(&format!(
            "zone gone.example/IN: refresh: failure trying primary 127.0.0.1#{port} (source 0.0.0.0#0): \
             connection refused"
        ));
        assert_eq!(dig::serial(server.port, "gone.example"), Some(1));
        assert_eq!(fs::read(server.path("gone.example.db")).unwrap(), copy, "{kind:?}");
    }
}
