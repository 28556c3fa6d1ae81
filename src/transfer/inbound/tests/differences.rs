use super::*;
use crate::zone::Builder;

fn old() -> ZoneVersion {
    let mut builder = Builder::new(name("example."), Class::IN);
    for (owner, rtype, data) in [start(5), ns(), host(1)] {
        builder.add(name(owner).as_ref(), rtype, 60, &data).unwrap();
    }
    builder.finish().unwrap()
}

/// An address of `a.example.`.
fn host(last: u8) -> Line<'static> {
    ("a.example.", Rtype::A, vec![192, 0, 2, last])
}

/// The outcome of messages that answer IXFR of version 5, and whether AXFR is worth trying after it.
fn feed_all(messages: &[&[Line<'_>]]) -> (Result<Progress, StreamError>, bool) {
    let old = old();
    let mut transfer = transfer(Some(&old), None);
    for lines in messages {
        match transfer.feed(&message(Rtype::IXFR, Class::IN, 0x8400, lines), NOW_S) {
            Ok(Progress::More) => {}
            Ok(progress) => return (Ok(progress), false),
            Err(error) => {
                let again = transfer.suggests_axfr(&error);
                return (Err(error), again);
            }
        }
    }
    let error = StreamError::UnexpectedEnd;
    let again = transfer.suggests_axfr(&error);
    (Err(error), again)
}

fn feed(lines: &[Line<'_>]) -> (Result<Progress, StreamError>, bool) {
    feed_all(&[lines])
}

fn addresses(version: &ZoneVersion) -> Vec<Vec<u8>> {
    let node = version.node(name("a.example.").as_ref());
    let rrset = node.as_ref().and_then(|node| node.rrset(Rtype::A));
    rrset.iter().flat_map(|rrset| rrset.rdatas()).map(<[u8]>::to_vec).collect()
}

#[test]
fn ixfr_may_be_answered_by_the_soa_or_the_zone() {
    assert!(matches!(feed(&[start(5)]).0, Ok(Progress::UpToDate(Serial(5)))));
    assert!(matches!(feed(&[start(4), ns()]).0, Ok(Progress::UpToDate(Serial(4)))));
    assert!(matches!(feed(&[start(6), ns(), start(6)]).0, Ok(Progress::Done(_))));
    assert!(matches!(feed_all(&[&[start(6)], &[ns(), start(6)]]).0, Ok(Progress::Done(_))));
}

#[test]
fn differences_are_made_to_the_version_at_hand() {
    let first = [start(6), start(5), host(1), start(6), host(2), start(6)];
    let Ok(Progress::Changed(version, transactions)) = feed(&first).0 else { panic!() };
    assert_eq!((version.serial(), addresses(&version)), (Serial(6), vec![vec![192, 0, 2, 2]]));
    assert_eq!((transactions.len(), transactions[0].count()), (1, 4));
}

#[test]
fn several_differences_come_in_as_many_messages_as_they_like() {
    let lines =
        [start(9), start(5), start(7), host(2), start(7), host(1), start(8), host(3), start(8), start(9), start(9)];
    let one_by_one: Vec<_> = lines.iter().map(std::slice::from_ref).collect();
    for messages in [one_by_one.as_slice(), &[&lines[..]]] {
        let Ok(Progress::Changed(version, transactions)) = feed_all(messages).0 else { panic!() };
        assert_eq!((version.serial(), addresses(&version).len()), (Serial(9), 2));
        let serials: Vec<_> = transactions.iter().map(|each| (each.before.0, each.after.0)).collect();
        assert_eq!(serials, [(5, 7), (7, 8), (8, 9)]);
    }
}

/// As BIND does since 9.18.31: the last version may well be within the limits.
#[test]
fn differences_beyond_a_limit_lead_to_axfr() {
    let old = old();
    let lines = [start(7), start(5), host(1), start(6), host(2), start(6), host(2), start(7), host(3), start(7)];
    let bytes = message(Rtype::IXFR, Class::IN, 0x8400, &lines);
    let with = |limits, most| {
        let mut transfer = Inbound::new(name("example."), Class::IN, ID, Some(&old), None, limits);
        transfer = transfer.with_max_differences(most);
        transfer.feed(&bytes, NOW_S).map_err(|error| (error.to_string(), transfer.suggests_axfr(&error)))
    };
    assert!(matches!(with(Limits::default(), 2), Ok(Progress::Changed(..))));
    assert_eq!(with(Limits::default(), 1).unwrap_err(), ("too many differences".to_owned(), true));
    let few = Limits { records: 2, ..Limits::default() };
    assert_eq!(with(few, 0).unwrap_err(), ("too many records".to_owned(), true));
}

/// They are told of with the message in which they come into effect, and not handed on.
#[test]
fn additions_of_what_is_there_already_are_taken() {
    let (old, no_effect) = (old(), "example/IN: dns_diff_apply: update with no effect");
    let mut transfer = transfer(Some(&old), None);
    let mut feed = |lines: &[Line<'_>]| {
        let progress = transfer.feed(&message(Rtype::IXFR, Class::IN, 0x8400, lines), NOW_S).unwrap();
        (progress, transfer.take_remarks())
    };
    let (_, remarks) = feed(&[start(7), start(5), start(6), host(1), start(6)]);
    assert_eq!(remarks, [Remark::Changes(no_effect.to_owned())]);
    let (_, remarks) = feed(&[start(7), host(1)]);
    assert!(remarks.is_empty());
    let (Progress::Changed(version, transactions), remarks) = feed(&[host(2), start(7)]) else { panic!() };
    assert_eq!((addresses(&version).len(), remarks.len()), (2, 0));
    assert_eq!(transactions.iter().map(Transaction::count).collect::<Vec<_>>(), [2, 3]);
}

/// As by named 9.18.49: what goes is not judged, nor is the SOA record that it begins with.
#[test]
fn only_names_that_differences_add_are_judged() {
    let misnamed = |owner| (owner, Rtype::A, vec![1; 4]);
    let mut had = vec![start(5), ns(), misnamed("o_d.example.")];
    had.push(start(5));
    let Ok(Progress::Done(old)) = outcome(&had) else { panic!() };
    let lines = [start(6), start(5), misnamed("o_d.example."), start(6), misnamed("n_w.example."), start(6)];
    let feed = |strictness| {
        let mut transfer = transfer(Some(&old), None).with_check_names(strictness);
        let bytes = message(Rtype::IXFR, Class::IN, 0x8400, &lines);
        let fed = transfer.feed(&bytes, NOW_S).map(|_| transfer.take_remarks());
        fed.map_err(|error| (error.to_string(), transfer.suggests_axfr(&error)))
    };
    let remarks = feed(Strictness::Warn).unwrap();
    let [Remark::Misnamed(name)] = &remarks[..] else { panic!("{remarks:?}") };
    assert_eq!(name.to_string(), "n_w.example/A: bad owner name (check-names)");
    assert_eq!(feed(Strictness::Ignore), Ok(vec![]));
    assert_eq!(feed(Strictness::Fail), Err(("bad owner name (check-names)".to_owned(), true)));
}

#[test]
fn differences_that_do_not_fit_are_told_of_behind_those_without_effect() {
    let old = old();
    let mut transfer = transfer(Some(&old), None);
    let lines = [start(7), start(5), start(6), host(1), start(6), host(2), start(7), start(7)];
    let error = transfer.feed(&message(Rtype::IXFR, Class::IN, 0x8400, &lines), NOW_S).unwrap_err();
    let StreamError::NotExact(misfit) = error else { panic!("{error}") };
    assert_eq!(misfit.to_string(), "dns_diff_apply: a.example/A/IN: del not exact");
    assert_eq!(transfer.take_remarks().len(), 1);
}

#[test]
fn differences_that_do_not_fit_lead_to_axfr() {
    let cases: [(&[Line<'_>], &str); 6] = [
        (&[start(6), start(5), host(9), start(6), start(6)], "not exact"),
        (&[start(6), start(5), start(7), start(6)], "FORMERR"),
        (&[start(6), start(5), start(4), start(4)], "FORMERR"),
        (&[start(6), start(4), start(6), start(6)], "FORMERR"),
        (&[start(6), start(5), ns(), start(6), start(6)], "bad zone"),
        (&[start(6), start(5), start(6), start(6), host(2)], "extra input data"),
    ];
    for (lines, expected) in cases {
        let (outcome, again) = feed(lines);
        assert_eq!((reason(outcome).as_str(), again), (expected, true), "{lines:?}");
    }
    let wild = ("*.s.example.", Rtype::NS, wire("ns1.example."));
    let (outcome, again) = feed(&[start(6), start(5), start(6), wild, start(6)]);
    assert_eq!((reason(outcome).as_str(), again), ("invalid NS owner name (wildcard)", true));
    let alias = ("a.example.", Rtype::CNAME, wire("b.example."));
    let (outcome, again) = feed(&[start(6), start(5), start(6), alias, start(6)]);
    assert_eq!((reason(outcome).as_str(), again), ("CNAME and other data", true));
}

#[test]
fn a_primary_without_ixfr_is_asked_for_the_zone() {
    let (outcome, again) = feed(&[]);
    assert_eq!((reason(outcome).as_str(), again), ("empty answer section", true));
    let old = old();
    let mut refused = transfer(Some(&old), None);
    let error = refused.feed(&message(Rtype::IXFR, Class::IN, 0x8404, &[]), NOW_S).unwrap_err();
    assert_eq!((error.to_string().as_str(), refused.suggests_axfr(&error)), ("NOTIMP", true));
}

#[test]
fn a_stream_that_breaks_off_leads_to_axfr_only_within_differences() {
    assert!(!feed(&[start(6)]).1);
    assert!(feed(&[start(6), start(5), host(1)]).1);
}

#[test]
fn differences_outside_the_zone_are_dropped() {
    let stray = ("a.other.", Rtype::A, vec![1; 4]);
    let lines = [start(6), start(5), stray.clone(), start(6), stray, host(2), start(6)];
    let Ok(Progress::Changed(version, transactions)) = feed(&lines).0 else { panic!() };
    assert_eq!((version.record_count(), transactions[0].count()), (4, 3));
}

/// Differences that take more than the zone are worth less than it, and must not fill the memory.
#[test]
fn differences_without_end_are_refused() {
    let old = old();
    let mut transfer = transfer(Some(&old), None);
    let head = message(Rtype::IXFR, Class::IN, 0x8400, &[start(6), start(5), start(6)]);
    assert!(matches!(transfer.feed(&head, NOW_S), Ok(Progress::More)));
    let text = ("a.example.", Rtype::TXT, [[255].as_slice(), &[b'x'; 255]].concat().repeat(100));
    let more = message(Rtype::IXFR, Class::IN, 0x8400, &[text.clone(), text]);
    let error = loop {
        match transfer.feed(&more, NOW_S) {
            Ok(progress) => assert!(matches!(progress, Progress::More)),
            Err(error) => break error,
        }
    };
    assert_eq!(error, Flaw::LongDifferences.into());
    assert!(transfer.received().bytes < 100 << 20);
}
