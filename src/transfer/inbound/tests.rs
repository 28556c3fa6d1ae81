use std::sync::Arc;

use super::*;
use crate::dns::message::Section;
use crate::dns::writer::{Case, Compression, Owner, Writer};
use crate::transfer::random::Random;
use crate::transfer::testing::{FILLING, NOW_S, dump, exchange, key, name, soa, wire, zone};

const ID: u16 = 7;
/// Rounds of the mutation test.
const MUTATIONS: u64 = 3000;

type Line<'l> = (&'l str, Rtype, Vec<u8>);

fn message(rtype: Rtype, class: Class, flags: u16, lines: &[Line<'_>]) -> Vec<u8> {
    let (mut out, mut names) = (vec![0; 65535], Compression::default());
    let mut writer = Writer::new(&mut out, 65535, &mut names, Case::Kept);
    writer.question(name("example.").as_ref(), rtype, Class::IN).unwrap();
    for (owner, rtype, data) in lines {
        let owner = name(owner);
        writer.record(Section::Answer, Owner::Name(owner.as_ref()), (*rtype, class, 60), data).unwrap();
    }
    let length = writer.finish(Header { id: ID, flags, counts: [0; 4] });
    out.truncate(length);
    out
}

fn answer(lines: &[Line<'_>]) -> Vec<u8> {
    message(Rtype::AXFR, Class::IN, 0x8400, lines)
}

fn start(serial: u32) -> Line<'static> {
    ("example.", Rtype::SOA, soa(serial))
}

fn ns() -> Line<'static> {
    ("example.", Rtype::NS, wire("ns1.example."))
}

fn transfer<'a>(have: Option<&'a ZoneVersion>, chain: Option<Chain<&'a Key>>) -> Inbound<'a> {
    Inbound::new(name("example."), Class::IN, ID, have, chain, Limits::default())
}

fn outcome(lines: &[Line<'_>]) -> Result<Progress, StreamError> {
    transfer(None, None).feed(&answer(lines), NOW_S)
}

fn reason(result: Result<Progress, StreamError>) -> String {
    result.unwrap_err().to_string()
}

#[test]
fn a_zone_ends_with_its_second_soa_record() {
    let Ok(Progress::Done(version)) = outcome(&[start(3), ns(), start(3)]) else { panic!() };
    assert_eq!((version.serial(), version.record_count()), (Serial(3), 2));
    assert!(matches!(outcome(&[start(3), ns()]), Ok(Progress::More)));
    assert!(matches!(outcome(&[start(3)]), Ok(Progress::More)));
}

#[test]
fn the_last_soa_record_may_be_spelt_otherwise_and_is_the_one_of_the_zone() {
    let mut last = start(3);
    last.2[1..4].make_ascii_uppercase();
    assert_ne!(last, start(3));
    let Ok(Progress::Done(version)) = outcome(&[start(3), ns(), last.clone()]) else { panic!() };
    assert_eq!(version.record_count(), 2);
    assert_eq!(version.soa_record().unwrap().1, last.2);
}

#[test]
fn streams_that_are_no_zone_fail_in_binds_words() {
    assert_eq!(reason(outcome(&[ns(), start(3)])), "FORMERR");
    assert_eq!(reason(outcome(&[start(3), ns(), start(4)])), "FORMERR");
    assert_eq!(reason(outcome(&[start(3), ns(), start(3), ns()])), "extra input data");
    assert_eq!(reason(outcome(&[start(3), start(3)])), "bad zone");
    assert_eq!(reason(outcome(&[start(3), ns(), ("a.example.", Rtype::SOA, soa(3))])), "not at top of zone");
    assert_eq!(reason(outcome(&[start(3), ns(), ("a.example.", Rtype::A, vec![1, 2, 3])])), "unexpected end of input");
    assert_eq!(StreamError::UnexpectedEnd.to_string(), "end of file");
}

#[test]
fn records_that_exclude_each_other_are_refused() {
    let alias = |to: &str| ("a.example.", Rtype::CNAME, name(to).as_ref().as_bytes().to_vec());
    let address = ("a.example.", Rtype::A, vec![1; 4]);
    assert_eq!(reason(outcome(&[start(3), ns(), alias("b."), address, start(3)])), "CNAME and other data");
    let two = [start(3), ns(), alias("b."), alias("c."), start(3)];
    assert_eq!(reason(outcome(&two)), "multiple RRs of singleton type");
    assert!(matches!(outcome(&[start(3), ns(), alias("b."), alias("b."), start(3)]), Ok(Progress::Done(_))));
}

#[test]
fn records_whose_owner_must_be_no_wildcard_are_refused_in_binds_words() {
    let hash = [&[1, 0, 0, 0, 0, 20][..], &[0; 20], &[0, 1, 0x40]].concat();
    for (owner, rtype, data, expected) in [
        ("*.s.example.", Rtype::NS, wire("ns1.example."), "invalid NS owner name (wildcard)"),
        ("*.example.", Rtype::NSEC3, hash.clone(), "bad owner name (check-names)"),
        ("W9.example.", Rtype::NSEC3, hash, "bad owner name (check-names)"),
    ] {
        assert_eq!(reason(outcome(&[start(3), ns(), (owner, rtype, data), start(3)])), expected, "{owner}");
    }
}

/// What is said of a zone of two messages, and how its transfer ends.
fn judged(strictness: Strictness, messages: [&[Line<'_>]; 2]) -> (Vec<String>, Result<(), StreamError>) {
    let mut transfer = transfer(None, None).with_check_names(strictness);
    let fed = messages.iter().try_for_each(|lines| transfer.feed(&answer(lines), NOW_S).map(drop));
    let text = |remark| match remark {
        Remark::Misnamed(name) => name.to_string(),
        Remark::Changes(line) => line,
    };
    (transfer.take_remarks().into_iter().map(text).collect(), fed)
}

/// In the words, the order and the number of named 9.18.49: of the two SOA records the last one counts.
#[test]
fn names_are_judged_as_check_names_says() {
    let mail = ("a_b.example.", Rtype::MX, [vec![0, 5], wire("c_d.example.")].concat());
    let address = |owner| (owner, Rtype::A, vec![1; 4]);
    let mut soa = start(3);
    soa.2 = [wire("n_s.example."), wire("h.example."), soa.2[soa.2.len() - 20..].to_vec()].concat();
    let messages: [&[Line<'_>]; 2] =
        [&[soa.clone(), ns(), address("ok.example."), mail], &[address("E_f.example."), address("g_h.other."), soa]];
    let (remarks, fed) = judged(Strictness::Warn, messages);
    assert_eq!(fed, Ok(()));
    let expected = [
        "a_b.example/MX: bad owner name (check-names)",
        "a_b.example/MX: c_d.example: bad name (check-names) ",
        "E_f.example/A: bad owner name (check-names)",
        "g_h.other/A: bad owner name (check-names)",
        "example/SOA: n_s.example: bad name (check-names) ",
    ];
    assert_eq!(remarks, expected);
    assert_eq!(judged(Strictness::Ignore, messages), (vec![], Ok(())));
    let (remarks, fed) = judged(Strictness::Fail, messages);
    let Err(StreamError::Misnamed(name)) = fed else { panic!("{fed:?}") };
    assert_eq!((remarks.len(), name.to_string().as_str()), (0, expected[0]));
    assert_eq!(name.reason(), "bad owner name (check-names)");
}

/// named reads it whole first.
#[test]
fn of_a_message_that_cannot_be_read_no_name_is_told() {
    let (misnamed, broken) = (("a_b.example.", Rtype::A, vec![1; 4]), ("a.example.", Rtype::A, vec![1; 3]));
    let (remarks, fed) = judged(Strictness::Warn, [&[start(3), ns()], &[misnamed, broken]]);
    assert_eq!((remarks, fed.unwrap_err().to_string().as_str()), (vec![], "unexpected end of input"));
}

#[test]
fn type_zero_is_no_record() {
    assert_eq!(reason(outcome(&[start(3), ns(), ("a.example.", Rtype(0), vec![1])])), "FORMERR");
}

#[test]
fn headers_and_questions_must_fit() {
    let feed = |bytes: &[u8]| reason(transfer(None, None).feed(bytes, NOW_S));
    assert_eq!(feed(&message(Rtype::AXFR, Class::IN, 0x8405, &[])), "REFUSED");
    assert_eq!(feed(&message(Rtype::AXFR, Class::IN, 0x8409, &[])), "NOTAUTH");
    assert_eq!(feed(&message(Rtype::AXFR, Class::IN, 0x0400, &[start(3)])), "FORMERR");
    assert_eq!(feed(&message(Rtype::AXFR, Class::IN, 0xa400, &[start(3)])), "unexpected OPCODE");
    assert_eq!(feed(&message(Rtype::IXFR, Class::IN, 0x8400, &[start(3)])), "FORMERR");
    assert_eq!(feed(&message(Rtype::AXFR, Class::CH, 0x8400, &[start(3)])), "FORMERR");
    // As with named TC says nothing over TCP.
    let whole = [start(3), ns(), start(3)];
    let truncated = message(Rtype::AXFR, Class::IN, 0x8600, &whole);
    assert!(matches!(transfer(None, None).feed(&truncated, NOW_S), Ok(Progress::Done(_))));
    let mut other = answer(&[start(3)]);
    other[1] ^= 1;
    assert_eq!(feed(&other), "unexpected message id");
}

/// The lines of named 9.18.49 before its `FORMERR`, for streams with the same flaws.
#[test]
fn a_formerr_comes_with_named_s_reason() {
    let flaw = |rtype, class, lines: &[Line<'_>]| match transfer(None, None)
        .feed(&message(rtype, class, 0x8400, lines), NOW_S)
        .unwrap_err()
    {
        StreamError::Malformed(flaw) => flaw.to_string(),
        other => panic!("{other:?}"),
    };
    let of = |lines: &[Line<'_>]| flaw(Rtype::AXFR, Class::IN, lines);
    assert_eq!(of(&[ns(), start(3)]), "first RR in zone transfer must be SOA");
    assert_eq!(of(&[start(3), ns(), start(4)]), "start and ending SOA records mismatch");
    assert_eq!(of(&[start(3), ("example.", Rtype::ANY, Vec::new())]), "Unexpected ANY record in zone transfer");
    assert_eq!(flaw(Rtype::IXFR, Class::IN, &[start(3)]), "question type mismatch");
    assert_eq!(flaw(Rtype::AXFR, Class::CH, &[start(3)]), "record class mismatch");
    let other = Inbound::new(name("other."), Class::IN, ID, None, None, Limits::default()).feed(&answer(&[]), NOW_S);
    assert_eq!(other.unwrap_err(), Flaw::QuestionName.into());
    let mut unasked = answer(&[]);
    unasked[5] = 0;
    unasked.truncate(12);
    assert_eq!(transfer(None, None).feed(&unasked, NOW_S).unwrap_err(), Flaw::NoQuestion.into());
}

#[test]
fn records_outside_the_zone_are_dropped() {
    let mut transfer = transfer(None, None);
    let lines = [start(3), ns(), ("www.other.", Rtype::A, vec![1; 4]), ("xexample.", Rtype::A, vec![1; 4]), start(3)];
    let Ok(Progress::Done(version)) = transfer.feed(&answer(&lines), NOW_S) else { panic!() };
    assert_eq!((version.record_count(), transfer.received().out_of_zone), (2, 2));
}

#[test]
fn limits_end_the_transfer() {
    let limits = Limits { records: 2, ..Limits::default() };
    let mut transfer = Inbound::new(name("example."), Class::IN, ID, None, None, limits);
    let lines = [start(3), ns(), ("a.example.", Rtype::A, vec![1; 4]), ("b.example.", Rtype::A, vec![1; 4]), start(3)];
    assert_eq!(reason(transfer.feed(&answer(&lines), NOW_S)), "too many records");
}

#[test]
fn every_message_must_be_signed() {
    let (version, key) = (Arc::new(zone(5, 2000)), key());
    let signed = exchange(&version, Some(&key), FILLING, ID);
    let plain = exchange(&version, None, FILLING, ID);
    for at in 0..2 {
        let mut transfer = transfer(None, signed.chain.clone());
        for message in &signed.messages[..at] {
            assert!(matches!(transfer.feed(message, NOW_S), Ok(Progress::More)));
        }
        assert_eq!(reason(transfer.feed(&plain.messages[at], NOW_S)), "expected a TSIG or SIG(0)");
    }
}

#[test]
fn a_changed_or_reordered_signed_message_is_found() {
    let (version, key) = (Arc::new(zone(5, 2000)), key());
    let signed = exchange(&version, Some(&key), FILLING, ID);
    let mut changed = signed.messages[0].clone();
    changed[60] ^= 1;
    assert_eq!(reason(transfer(None, signed.chain.clone()).feed(&changed, NOW_S)), "tsig verify failure");
    let mut swapped = transfer(None, signed.chain);
    swapped.feed(&signed.messages[0], NOW_S).unwrap();
    assert_eq!(reason(swapped.feed(&signed.messages[2], NOW_S)), "tsig verify failure");
}

#[test]
fn damaged_streams_never_panic_and_signed_ones_never_pass() {
    let (version, key) = (Arc::new(zone(5, 60)), key());
    let filling = crate::transfer::outbound::Filling { message_bytes: 700, ..FILLING };
    let plain = exchange(&version, None, filling, ID).messages;
    let signed = exchange(&version, Some(&key), filling, ID);
    for seed in 0..MUTATIONS {
        let mut random = Random::new(seed);
        let damaged = damage(&plain, &mut random);
        run(transfer(None, None), &damaged);
        let damaged = damage(&signed.messages, &mut random);
        if let Some(got) = run(transfer(None, signed.chain.clone()), &damaged) {
            assert_eq!(dump(&got), dump(&version), "seed {seed}");
        }
    }
}

/// The stream up to its first fault or its end.
fn run(mut transfer: Inbound<'_>, messages: &[Vec<u8>]) -> Option<Box<ZoneVersion>> {
    for message in messages {
        match transfer.feed(message, NOW_S) {
            Ok(Progress::More) => {}
            Ok(Progress::Done(version)) => return Some(version),
            Ok(Progress::Changed(..) | Progress::UpToDate(_)) | Err(_) => return None,
        }
    }
    None
}

/// Flips, cuts, doubles, drops or swaps.
fn damage(messages: &[Vec<u8>], random: &mut Random) -> Vec<Vec<u8>> {
    let mut damaged = messages.to_vec();
    for _ in 0..=random.below(3) {
        let at = random.below(damaged.len() as u64) as usize;
        let place = random.below(damaged[at].len().max(1) as u64) as usize;
        match random.below(6) {
            0 | 1 if !damaged[at].is_empty() => damaged[at][place] ^= 1 << random.below(8),
            2 if !damaged[at].is_empty() => damaged[at][place] = random.next_u64() as u8,
            3 => damaged[at].truncate(place),
            4 => damaged.insert(at, damaged[at].clone()),
            _ if damaged.len() > 1 => drop(damaged.remove(at)),
            _ => {}
        }
    }
    damaged
}

mod differences;
