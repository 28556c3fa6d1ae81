//! Differences that come to nothing: what is said of them, up to the whole zone that takes their place.

use std::fs;

use super::primary::{FAULTY, Primary, Script, Step};
use super::stream::{A, Request, record, soa, zone_messages};
use super::{first_copy, notify};
use crate::packets::framed;
use crate::peers::{Kind, Server, Spec, Zone};

const IXFR: u16 = 251;

type Answer = fn(&Request) -> Vec<Vec<u8>>;

/// What is wrong, and the messages that come then.
const CASES: &[(&str, Answer)] = &[
    ("not-exact", |q| vec![differences(q, 1, vec![record(&format!("none.{}", q.zone), A, &[192, 0, 2, 9])], 2)]),
    ("out-of-sync", |q| vec![differences(q, 1, vec![soa(&q.zone, 7), soa(&q.zone, 8)], 2)]),
    ("midway-closed", |q| vec![begun(q)]),
    ("midway-refused", |q| vec![begun(q), q.refusal(5)]),
    ("refused", |q| vec![q.refusal(5)]),
    ("unknown", |q| vec![q.refusal(4)]),
    ("empty", |q| vec![q.reply(&[])]),
    ("other-id", |q| vec![begun(&Request { id: !q.id, ..q.clone() })]),
    ("cut", |q| vec![begun(q)[..40].to_vec()]),
];

fn begun(q: &Request) -> Vec<u8> {
    q.reply(&[soa(&q.zone, FAULTY), soa(&q.zone, 1)])
}

fn differences(q: &Request, from: u32, gone: Vec<Vec<u8>>, to: u32) -> Vec<u8> {
    let last = soa(&q.zone, to);
    q.reply(&[vec![last.clone(), soa(&q.zone, from)], gone, vec![last.clone(), last]].concat())
}

fn played(q: &Request) -> Vec<Step> {
    let answer = CASES.iter().find(|(name, _)| q.zone == zone(name)).map(|(_, answer)| *answer);
    let messages = match answer.filter(|_| q.rtype == IXFR) {
        Some(answer) => answer(q),
        None => zone_messages(q, FAULTY),
    };
    messages.iter().map(|message| Step::Send(framed(message))).collect()
}

fn zone(name: &str) -> String {
    format!("{name}.example")
}

/// What is said of each zone's transfers, and what is counted of all.
fn said(kind: Kind) -> (Vec<String>, Vec<String>) {
    let script = Script { soa: None, transfer: |q, _| played(q) };
    let zones = CASES.iter().map(|(name, _)| zone(name));
    let primary = Primary::start(zones.clone().map(|zone| (zone, script)).collect(), None);
    let spec =
        Spec { zones: zones.clone().map(|zone| Zone::secondary(&zone, primary.port)).collect(), ..Spec::default() };
    let server = Server::start(kind, &spec);
    zones.clone().for_each(|zone| drop(first_copy(&server, &zone, &format!("{zone}.db"))));
    server.wait_until_idle();
    primary.announce(FAULTY);
    let before = server.settled_log().len();
    zones.clone().for_each(|zone| notify(&server, &zone));
    zones.clone().for_each(|zone| server.wait_for_serial(&zone, FAULTY));
    server.wait_until_idle();
    let log = server.settled_log().split_off(before);
    let of_zone = |zone: String| {
        let lines = log.lines().filter_map(|line| plain(line, &zone, primary.port));
        lines.collect::<Vec<_>>().join("\n")
    };
    assert_eq!(server.rndc(&["stats"]).status, 0);
    let counted = fs::read_to_string(server.path("named.stats")).unwrap();
    let of_transfers = |line: &&str| ["AXFR req", "IXFR req", "transfer req"].iter().any(|what| line.contains(what));
    (zones.map(of_zone).collect(), counted.lines().filter(of_transfers).map(str::to_owned).collect())
}

/// A line of a zone's transfer without what differs from run to run.
fn plain(line: &str, zone: &str, port: u16) -> Option<String> {
    let of_zone = [format!("zone {zone}/IN: "), format!("transfer of '{zone}/IN' from 127.0.0.1#{port}: ")];
    let (_, text) = of_zone.iter().find_map(|prefix| line.split_once(prefix.as_str()))?;
    let begins = ["Transfer ", "transferred ", "failed ", "resetting", "retrying ", "IXFR "];
    let text = begins.iter().any(|begin| text.starts_with(begin)).then_some(text)?;
    match (text.split_once(" bytes, "), text.rsplit_once(" (serial ")) {
        (Some((received, _)), Some((_, serial))) => Some(format!("{received} bytes (serial {serial}")),
        _ => Some(text.to_owned()),
    }
}

#[test]
fn of_differences_that_come_to_nothing_and_of_the_zone_in_their_place_the_same_is_said_and_counted() {
    let [(ours, our_counts), (theirs, their_counts)] = [Kind::Nomd, Kind::Bind].map(said);
    for ((name, _), (ours, theirs)) in CASES.iter().zip(ours.iter().zip(&theirs)) {
        assert_eq!(ours, theirs, "{name}");
    }
    assert_eq!(our_counts, their_counts);
}
