//! Answers to SOA queries and NOTIFYs that are not what was asked for: what is said of them and done next, beside named.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::faults::stream::{CH, IN, Request, SOA, message, name, record, record_of, soa};
use super::peers::listener::{Heard, Listener, honest};
use super::peers::{Kind, Server, Spec, Zone, free_port};

const BOTH: [Kind; 2] = [Kind::Bind, Kind::Nomd];
/// The flags of an answer to a query, and of one to a NOTIFY.
const QUERY: u16 = 0x8400;
const NOTIFY: u16 = 0xa400;

fn question(zone: &str, rtype: u16, class: u16) -> Vec<u8> {
    [name(zone), rtype.to_be_bytes().to_vec(), class.to_be_bytes().to_vec()].concat()
}

/// The same version as before, from a SOA record of this owner.
fn same(owner: &str) -> Vec<u8> {
    soa(owner, 1)
}

fn in_class(request: &Request, class: u16) -> Vec<u8> {
    let usual = same(&request.zone);
    record_of(&request.zone, SOA, class, &usual[name(&request.zone).len() + 10..])
}

fn cut(mut bytes: Vec<u8>, by: usize) -> Vec<u8> {
    bytes.truncate(bytes.len() - by);
    bytes
}

/// An answer with this question and the usual record.
fn asking(request: &Request, question: &[u8]) -> Vec<u8> {
    message(request.id, QUERY, question, &[same(&request.zone)])
}

type Answer = fn(&Request) -> Vec<u8>;

/// What the first of two primaries may answer.
const ANSWERS: [Answer; 17] = [
    |q| q.reply(&[same("example")]),
    |q| q.reply(&[same(&format!("sub.{}", q.zone))]),
    |q| q.reply(&[same(&q.zone), soa(&q.zone, 2)]),
    |q| q.reply(&[same(&q.zone), same(&q.zone)]),
    |q| q.reply(&[same(&q.zone), same("example")]),
    |q| q.reply(&[record(&q.zone, SOA, &[0; 4])]),
    |q| q.reply(&[in_class(q, CH)]),
    |q| asking(q, &question("other.test", SOA, IN)),
    |q| asking(q, &question(&q.zone, 1, IN)),
    |q| asking(q, &question(&q.zone, SOA, CH)),
    |q| asking(q, &[]),
    |q| message(q.id, 0xa400, &q.question, &[same(&q.zone)]),
    |q| message(q.id, 0xac05, &q.question, &[]),
    |q| message(q.id, 0xfc00, &q.question, &[]),
    |q| cut(q.reply(&[same(&q.zone)]), 3),
    |q| cut(q.reply(&[]), q.question.len()),
    |q| [q.reply(&[same(&q.zone)]), vec![0; 3]].concat(),
];

fn zone_name(number: usize) -> String {
    format!("z{number}.test")
}

/// The number in a zone's name.
fn number_of(zone: &str) -> usize {
    zone.trim_start_matches('z').trim_end_matches(".test").parse().unwrap()
}

/// What the log says of each zone behind its name, without ports.
fn said(log: &str, count: usize, marks: &[&str]) -> Vec<Vec<String>> {
    let of_zone = |number| {
        let start = format!("zone {}/IN: ", zone_name(number));
        let behind = log.lines().filter_map(move |line| Some(line.split_once(start.as_str())?.1.to_owned()));
        let marked = behind.filter(|line| marks.iter().any(|mark| line.starts_with(mark)));
        marked.map(|line| without_ports(&line)).collect()
    };
    (0..count).map(of_zone).collect()
}

fn without_ports(line: &str) -> String {
    let mut parts = line.split('#');
    let first = parts.next().unwrap_or_default().to_owned();
    first + &parts.map(|part| part.trim_start_matches(|c: char| c.is_ascii_digit())).collect::<String>()
}

/// What is said of each answer. Both servers have asked the second primary by then, as they do after any first.
fn after_answers(kind: Kind) -> Vec<Vec<String>> {
    let is_amiss = Arc::new(AtomicBool::new(false));
    let (port, amiss) = (free_port(), Arc::clone(&is_amiss));
    let answer = move |heard: &Heard| match heard.kind() {
        "SOA" if amiss.load(Ordering::SeqCst) => vec![ANSWERS[number_of(&heard.request.zone)](&heard.request)],
        _ => honest(heard, 1),
    };
    let first = Listener::start((Ipv4Addr::new(127, 0, 6, 1), port).into(), answer);
    let second = Listener::start((Ipv4Addr::new(127, 0, 6, 2), port).into(), |heard| honest(heard, 1));
    let to = format!("primaries {{ 127.0.6.1 port {port}; 127.0.6.2 port {port}; }}");
    let zone = |number| format!("zone \"{}\" {{ type secondary; file \"f{number}\"; {to}; }};\n", zone_name(number));
    let spec = Spec {
        statements: (0..ANSWERS.len()).map(zone).collect(),
        options: "serial-query-rate 1000; transfers-in 100; transfers-per-ns 100;".into(),
        ..Spec::default()
    };
    let server = Server::start(kind, &spec);
    (0..ANSWERS.len()).for_each(|number| server.wait_for_serial(&zone_name(number), 1));
    server.wait_until_idle();
    is_amiss.store(true, Ordering::SeqCst);
    let before = (server.settled_log().len(), [&first, &second].map(|primary| primary.heard().len()));
    (0..ANSWERS.len()).for_each(|number| assert_eq!(server.rndc(&["refresh", &zone_name(number)]).status, 0));
    let asked = |primary: &Listener, before: usize| primary.heard().len() - before;
    server.wait_until("the second is asked", || asked(&second, before.1[1]) == ANSWERS.len());
    assert_eq!(asked(&first, before.1[0]), ANSWERS.len(), "{kind:?} asks the first once");
    server.wait_until_idle();
    said(&server.settled_log()[before.0..], ANSWERS.len(), &["refresh: "])
}

#[test]
fn a_primary_that_answers_amiss_is_told_of_and_the_next_asked_at_once_as_by_named() {
    let [theirs, ours] = BOTH.map(after_answers);
    assert_eq!(ours, theirs);
    assert_eq!(theirs.iter().filter(|lines| lines.is_empty()).count(), 5, "{theirs:?}");
}

/// What may answer a NOTIFY.
const REPLIES: [Answer; 10] = [
    |q| message(q.id, NOTIFY, &q.question, &[]),
    |q| message(q.id, QUERY, &q.question, &[]),
    |q| message(q.id, QUERY | 5, &q.question, &[]),
    |q| message(q.id, NOTIFY | 11, &q.question, &[]),
    |q| message(q.id, NOTIFY, &question("other.test", SOA, IN), &[]),
    |q| message(q.id, NOTIFY, &question(&q.zone, 1, IN), &[]),
    |q| message(q.id, NOTIFY, &[], &[]),
    |q| cut(message(q.id, NOTIFY, &q.question, &[]), q.question.len()),
    |q| cut(message(q.id, NOTIFY, &q.question, &[same(&q.zone)]), 3),
    |q| [message(q.id, NOTIFY, &q.question, &[]), vec![0; 3]].concat(),
];

fn after_replies(kind: Kind) -> Vec<Vec<String>> {
    let told = Listener::start((Ipv4Addr::LOCALHOST, free_port()).into(), |heard| {
        vec![REPLIES[number_of(&heard.request.zone)](&heard.request)]
    });
    let text = "$TTL 300\n@ SOA ns h 1 7200 900 1209600 60\n@ NS ns\nns A 192.0.2.1\n";
    let zone = |number| Zone::primary(&zone_name(number), text).notifying(told.address.port());
    let options = "notify-rate 1000; startup-notify-rate 1000;".into();
    let zones = (0..REPLIES.len()).map(zone).collect();
    let server = Server::start(kind, &Spec { zones, options, flags: &["-d", "3"], ..Spec::default() });
    let marks = ["notify response from ", "notify to "];
    let said = || said(&server.log(), REPLIES.len(), &marks);
    server.wait_until("all are told of", || said().iter().all(|lines| !lines.is_empty()));
    assert_eq!(told.heard().len(), REPLIES.len(), "{kind:?} tells once");
    said()
}

#[test]
fn a_notify_that_is_answered_amiss_is_not_repeated_as_by_named() {
    let [theirs, ours] = BOTH.map(after_replies);
    assert_eq!(ours, theirs);
}
