//! How a secondary goes about a check: whom it asks what, over what, and what it does with each answer. named and nomd
//! send the same messages in the same order.

use std::collections::BTreeMap;
use std::net::{Ipv4Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::faults::stream::{IN, NS, Request, SOA, message, name, record, soa};
use super::peers::listener::{Heard, Listener, honest};
use super::peers::{Kind, Server, Spec, free_port};

const FAST: &str = "serial-query-rate 1000; notify-rate 1000; transfers-in 100; transfers-per-ns 100;";
const CNAME: u16 = 5;

/// What the first of two primaries answers, to the query for its SOA record or to all; none: what it should.
type Answers = fn(&Heard) -> Option<Vec<Vec<u8>>>;

fn only_soa(heard: &Heard, reply: impl FnOnce(&Request) -> Vec<u8>) -> Option<Vec<Vec<u8>>> {
    (heard.kind() == "SOA").then(|| vec![reply(&heard.request)])
}

fn has_opt(heard: &Heard) -> bool {
    heard.bytes[11] > 0
}

fn opt() -> Vec<u8> {
    vec![0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0]
}

/// An answer with this rcode to whom has EDNS, a sound one to others.
fn unless_plain(heard: &Heard, rcode: u16, with_opt: bool) -> Option<Vec<Vec<u8>>> {
    let mut reply = heard.request.refusal(rcode);
    if with_opt {
        reply.extend(opt());
        reply[11] = 1;
    }
    (heard.kind() == "SOA" && has_opt(heard)).then(|| vec![reply])
}

fn truncated(request: &Request) -> Vec<u8> {
    message(request.id, 0x8600, &request.question, &[])
}

const CASES: [(&str, Answers); 19] = [
    ("sound", |_| None),
    ("servfail", |heard| only_soa(heard, |request| request.refusal(2))),
    ("servfail-edns", |heard| unless_plain(heard, 2, true)),
    ("notimp-edns", |heard| unless_plain(heard, 4, true)),
    ("formerr-edns", |heard| unless_plain(heard, 1, false)),
    ("formerr-opt", |heard| unless_plain(heard, 1, true)),
    ("nxdomain", |heard| only_soa(heard, |request| request.refusal(3))),
    ("notauth", |heard| only_soa(heard, |request| request.refusal(9))),
    ("refused-soa", |heard| only_soa(heard, |request| request.refusal(5))),
    ("refused-all", |heard| Some(vec![heard.request.refusal(5)])),
    ("truncated", |heard| (!heard.is_tcp).then(|| vec![truncated(&heard.request)])),
    ("not-aa", |heard| {
        only_soa(heard, |request| message(request.id, 0x8000, &request.question, &[soa(&request.zone, 2)]))
    }),
    ("cname", |heard| only_soa(heard, |request| request.reply(&[record(&request.zone, CNAME, &name("x.example"))]))),
    ("nodata", |heard| only_soa(heard, |request| request.reply(&[]))),
    ("referral", |heard| {
        only_soa(heard, |request| {
            let mut reply = request.reply(&[record(&request.zone, NS, &name("ns.example"))]);
            reply.swap(7, 9);
            reply
        })
    }),
    ("two-soas", |heard| only_soa(heard, |request| request.reply(&[soa(&request.zone, 2), soa(&request.zone, 3)]))),
    ("other-question", |heard| {
        only_soa(heard, |request| {
            let question = [&name("other.example")[..], &SOA.to_be_bytes(), &IN.to_be_bytes()].concat();
            message(request.id, 0x8400, &question, &[soa(&request.zone, 2)])
        })
        .filter(|_| heard.is_tcp)
    }),
    ("lower", |heard| only_soa(heard, |request| request.reply(&[soa(&request.zone, 0xffff_fff0)]))),
    ("no-transfer", |heard| matches!(heard.kind(), "AXFR" | "IXFR").then(|| vec![heard.request.refusal(5)])),
];

/// Two primaries: the first one behaves once the zones are there. What is heard is told with the primary in front.
struct Primaries {
    listeners: [Listener; 2],
    phase: Arc<AtomicU32>,
}

impl Primaries {
    fn start() -> Self {
        let phase = Arc::new(AtomicU32::new(1));
        let of = |number: u32| {
            let phase = Arc::clone(&phase);
            let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
            Listener::start(address, move |heard| {
                let phase = phase.load(Ordering::SeqCst);
                let case = heard.request.zone.split('.').next().unwrap_or_default();
                let answers = CASES.iter().find(|(name, _)| *name == case).filter(|_| phase > 1 && number == 1);
                answers.and_then(|(_, answers)| answers(heard)).unwrap_or_else(|| honest(heard, phase))
            })
        };
        Self { listeners: [of(1), of(2)], phase }
    }

    /// What has been heard of each zone since then: the messages to the first, those to the second.
    fn heard(&self, since: [usize; 2]) -> BTreeMap<String, Vec<String>> {
        let mut all = BTreeMap::<String, Vec<String>>::new();
        for (number, (listener, since)) in self.listeners.iter().zip(since).enumerate() {
            for heard in listener.heard().into_iter().skip(since) {
                let over = if heard.is_tcp { "tcp" } else { "udp" };
                let edns = if has_opt(&heard) { " EDNS" } else { "" };
                let text = format!("{} {} {over}{edns}", number + 1, heard.kind());
                all.entry(heard.request.zone).or_default().push(text);
            }
        }
        all
    }
}

/// Lets all zones be checked once while the first primary misbehaves and there is a version 2.
fn walks(kind: Kind, options: &str, clauses: &str) -> (BTreeMap<String, Vec<String>>, Vec<String>) {
    let primaries = Primaries::start();
    let ports = primaries.listeners.each_ref().map(|listener| listener.address.port());
    let zone = |(name, _): &(&str, Answers)| {
        format!(
            "zone \"{name}.example\" {{ type secondary; file \"{name}.db\"; \
             primaries {{ 127.0.0.1 port {}; 127.0.0.1 port {}; }}; {clauses} }};\n",
            ports[0], ports[1]
        )
    };
    let statements = CASES.iter().map(zone).collect();
    let options = format!("{FAST} {options}");
    let server = Server::start(kind, &Spec { statements, options, ..Spec::default() });
    let zones: Vec<String> = CASES.iter().map(|(name, _)| format!("{name}.example")).collect();
    zones.iter().for_each(|zone| server.wait_for_serial(zone, 1));
    server.wait_until_idle();
    let before = primaries.listeners.each_ref().map(|listener| listener.heard().len());
    let log = server.settled_log().len();
    primaries.phase.store(2, Ordering::SeqCst);
    for zone in &zones {
        assert_eq!(server.rndc(&["refresh", zone]).status, 0);
    }
    zones.iter().for_each(|zone| server.wait_for_serial(zone, 2));
    server.wait_until_idle();
    let lines =
        server.settled_log()[log..].lines().filter(|line| line.contains("serial number (")).map(behind_zone).collect();
    (primaries.heard(before), lines)
}

fn behind_zone(line: &str) -> String {
    let (_, text) = line.split_once("zone ").unwrap_or(("", line));
    text.split('#').next().unwrap_or_default().to_owned()
}

/// Where nomd goes about it otherwise, and why.
const MEANT: [(&str, &str); 3] = [
    (
        "no-transfer.example",
        "where an IXFR has failed named asks for the serial again before an AXFR, though it was just told",
    ),
    (
        "refused-all.example",
        "the same: where the serial is refused as well, named leaves it at that, and nomd is refused AXFR",
    ),
    ("truncated.example", "nomd asks for the serial over TCP before any transfer, named only before AXFR"),
];

#[test]
fn a_check_takes_the_steps_of_named() {
    for (options, clauses) in [("", ""), ("request-ixfr no;", "multi-master yes; try-tcp-refresh no;")] {
        let [(theirs, their_lines), (ours, our_lines)] =
            [Kind::Bind, Kind::Nomd].map(|kind| walks(kind, options, clauses));
        let differs = |(zone, steps): (&String, &Vec<String>)| {
            let ours = ours.get(zone).cloned().unwrap_or_default();
            let is_about_ixfr = zone != "truncated.example";
            let is_meant = MEANT.iter().any(|(meant, _)| meant == zone) && (!is_about_ixfr || options.is_empty());
            (is_meant == (ours == *steps)).then(|| format!("{zone}\n   named {steps:?}\n   nomd  {ours:?}\n"))
        };
        let found: String = theirs.iter().filter_map(differs).collect();
        assert!(found.is_empty(), "with {options:?} {clauses:?}:\n{found}");
        assert_eq!(our_lines, their_lines, "{options:?} {clauses:?}");
        assert_eq!(their_lines.len(), usize::from(clauses.is_empty()), "{clauses:?}");
    }
}
