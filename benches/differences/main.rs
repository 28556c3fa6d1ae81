//! What a secondary spends on differences: ten and ten thousand changes to a zone of a million records, from the
//! messages of the transfer to a version that could be published and a journal that leads to it.
//!
//! `cargo bench --bench differences` prints processor time in milliseconds for each step, the least of a few rounds;
//! of waiting for the disk there is nothing in it. The zone is the same each time: delegations, in no order that memory
//! would like. Changes are spread over it.

#![allow(clippy::unwrap_used, clippy::panic, clippy::print_stdout)]

use std::fs;
use std::hint::black_box;
use std::path::Path;
use std::sync::Arc;
use std::time::Duration;

use nomd::dns::{Class, Key, Message, Name, NameBuf, Rtype};
use nomd::transfer::inbound::{Inbound, Progress};
use nomd::transfer::message::{Ask, request};
use nomd::transfer::outbound::{Filling, Form, Outbound};
use nomd::zone::copy;
use nomd::zone::disk::Host;
use nomd::zone::journal::Transaction;
use nomd::zone::{Builder, Limits, ZoneVersion, diff};

/// Delegations of three servers each.
const DELEGATIONS: usize = 333_000;
/// How often each case is run.
const ROUNDS: usize = 5;
/// Any time: nothing here is signed.
const NOW_S: u64 = 1_800_000_000;

fn main() {
    let old = zone();
    println!("{:>8}{:>10}{:>10}{:>10}{:>10}", "changes", "receive", "journal", "drop", "all");
    for changes in [10, 10_000] {
        let messages = messages(&old, changes);
        let rounds: Vec<_> = (0..ROUNDS).map(|_| round(&old, &messages)).collect();
        let least = |of: fn(&[Duration; 3]) -> Duration| rounds.iter().map(of).min().unwrap().as_secs_f64() * 1000.0;
        let (receive, journal, drop) = (least(|times| times[0]), least(|times| times[1]), least(|times| times[2]));
        println!("{changes:>8}{receive:>10.3}{journal:>10.3}{drop:>10.3}{:>10.3}", receive + journal + drop);
    }
}

/// Takes the messages in, writes the journal, and takes the version down again: the time of each.
fn round(old: &ZoneVersion, messages: &[Vec<u8>]) -> [Duration; 3] {
    let folder = tempfile::tempdir().unwrap();
    let (version, transactions, receive) = timed(|| receive(old, messages));
    let ((), (), journal) = timed(|| (append(&folder.path().join("tld.jnl"), &transactions), ()));
    let ((), (), drop) = timed(|| (drop(black_box((version, transactions))), ()));
    [receive, journal, drop]
}

fn timed<A, B>(what: impl FnOnce() -> (A, B)) -> (A, B, Duration) {
    let before = processor_time();
    let (a, b) = what();
    (a, b, processor_time() - before)
}

fn receive(old: &ZoneVersion, messages: &[Vec<u8>]) -> (Box<ZoneVersion>, Vec<Transaction>) {
    let mut inbound = Inbound::new(old.apex().to_name(), Class::IN, 1, Some(old), None, Limits::default());
    for message in messages {
        match inbound.feed(message, NOW_S).unwrap() {
            Progress::More => {}
            Progress::Changed(version, transactions) => return (version, transactions),
            other => panic!("{other:?}"),
        }
    }
    panic!("differences have no end")
}

fn append(journal: &Path, transactions: &[Transaction]) {
    copy::append(&Host, journal, transactions).unwrap();
}

/// What this thread has had of the processor.
fn processor_time() -> Duration {
    let text = fs::read_to_string("/proc/thread-self/schedstat").unwrap();
    Duration::from_nanos(text.split_whitespace().next().unwrap().parse().unwrap())
}

/// The messages that lead to a version in which so many delegations have another server.
fn messages(old: &ZoneVersion, changes: usize) -> Vec<Vec<u8>> {
    let mut edit = old.edit(Limits::default());
    let apex = old.apex().to_name();
    edit.remove(apex.as_ref(), Rtype::SOA, &soa(1)).unwrap();
    edit.add_exactly(apex.as_ref(), Rtype::SOA, 3600, &soa(2)).unwrap();
    for change in 0..changes {
        let number = change * (DELEGATIONS / changes);
        let owner = delegation(number);
        edit.remove(owner.as_ref(), Rtype::NS, &server(1, number)).unwrap();
        edit.add_exactly(owner.as_ref(), Rtype::NS, 86400, &wire(&format!("ns1.moved{number}.example.net."))).unwrap();
    }
    let new = Arc::new(edit.finish().unwrap());
    let difference = diff::diff(old, &new).unwrap();
    let (ttl, soa) = old.soa_record().unwrap();
    let asked = request(1, apex.as_ref(), Class::IN, Ask::Ixfr(ttl, soa), None).unwrap();
    let asked = Message::new(&asked).unwrap();
    let filling = Filling { message_bytes: 65_535, one_answer: false };
    let head = (asked.header(), asked.question().unwrap());
    let mut out = Outbound::<&Key>::new(new, Form::Differences, filling, head, None);
    out.send_differences(vec![difference]);
    let next = || {
        let mut message = Vec::new();
        out.next(NOW_S, &mut message).unwrap().then_some(message)
    };
    std::iter::from_fn(next).collect()
}

fn zone() -> ZoneVersion {
    let apex: Name = "tld.".parse().unwrap();
    let mut builder = Builder::new(apex.clone(), Class::IN);
    builder.add(apex.as_ref(), Rtype::SOA, 3600, &soa(1)).unwrap();
    builder.add(apex.as_ref(), Rtype::NS, 3600, &wire("ns1.example.net.")).unwrap();
    for number in 0..DELEGATIONS {
        let owner = delegation(number);
        for each in 1..=3 {
            builder.add(owner.as_ref(), Rtype::NS, 86400, &server(each, number)).unwrap();
        }
    }
    builder.finish().unwrap()
}

/// The name of a delegation: syllables, as those of top-level domains are, in an order that looks random.
fn delegation(number: usize) -> NameBuf {
    const SYLLABLES: [&str; 16] =
        ["ba", "ko", "tech", "lu", "mi", "shop", "ra", "den", "fi", "web", "so", "ne", "city", "ta", "vel", "gu"];
    let mut rest = number.wrapping_mul(0x9e37_79b1) & 0xffff_ffff;
    let mut text = String::new();
    for _ in 0..4 {
        text.push_str(SYLLABLES[rest % SYLLABLES.len()]);
        rest /= SYLLABLES.len();
    }
    NameBuf::from_text(format!("{text}{number}.tld.").as_bytes(), None).unwrap()
}

fn server(each: usize, number: usize) -> Vec<u8> {
    wire(&format!("ns{each}.servers{}.net.", number % 9973))
}

fn soa(serial: u32) -> Vec<u8> {
    let numbers = [serial, 3600, 900, 604_800, 300].map(u32::to_be_bytes).concat();
    [wire("ns1.example.net."), wire("hostmaster.example.net."), numbers].concat()
}

fn wire(text: &str) -> Vec<u8> {
    text.parse::<Name>().unwrap().as_ref().as_bytes().to_vec()
}
