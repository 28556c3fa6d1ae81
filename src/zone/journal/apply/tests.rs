use super::*;
use crate::zone::testing::{APEX, build, dump, name, soa};
use crate::zone::{Limits, ZoneVersion};

/// An address: a label below the apex, the TTL, and the last byte.
type Address<'a> = (&'a str, u32, u8);

fn record((label, ttl, last): Address<'_>) -> (Name, Rtype, u32, Vec<u8>) {
    (name(&format!("{label}.{APEX}")), Rtype::A, ttl, vec![192, 0, 2, last])
}

fn zone(serial: u32, addresses: &[Address<'_>]) -> ZoneVersion {
    build(&[vec![soa(serial)], addresses.iter().copied().map(record).collect()].concat())
}

/// What leads from version 1 to version 2.
fn step(deletions: &[Address<'_>], additions: &[Address<'_>]) -> Transaction {
    let mut changes = Changes::default();
    for (serial, addresses) in [(1, deletions), (2, additions)] {
        let records = [vec![soa(serial)], addresses.iter().copied().map(record).collect()].concat();
        for (owner, rtype, ttl, rdata) in records {
            changes.push(owner.as_ref(), rtype, Class::IN, ttl, &rdata);
        }
    }
    changes.finish().unwrap()
}

/// What becomes of the zone, what is said, and the exact transaction.
fn applied(
    to: &ZoneVersion,
    transaction: &Transaction,
    earlier: usize,
) -> (Result<ZoneVersion, String>, Vec<String>, Option<Transaction>) {
    let (mut edit, mut remarks) = (to.edit(Limits::default()), vec![]);
    match transaction.apply(&mut edit, earlier, &mut remarks) {
        Ok(exact) => (Ok(edit.finish().unwrap()), remarks, exact),
        Err(ChangeError::NotExact(misfit)) => (Err(misfit.to_string()), remarks, None),
        Err(error) => panic!("{error}"),
    }
}

const OLD: [Address<'_>; 3] = [("a", 60, 1), ("a", 60, 2), ("b", 60, 1)];
const NO_EFFECT: &str = "Zone.example/IN: dns_diff_apply: update with no effect";

/// Deletions and additions, what named says of them, and those of them that are exact.
type Case<'a> = (&'a [Address<'a>], &'a [Address<'a>], &'a [&'a str], &'a [Address<'a>], &'a [Address<'a>]);

#[test]
fn what_has_no_effect_is_made_and_told_of_as_by_named_and_is_no_part_of_the_exact_transaction() {
    let [a_to_60, n_to_61] = [("a", 62, 60), ("n", 62, 61)].map(|(label, from, to)| {
        format!("'{label}.Zone.example/A/IN': TTL differs in rdataset, adjusting {from} -> {to}")
    });
    let cases: [Case<'_>; 13] = [
        (&[], &[("a", 60, 1)], &[NO_EFFECT], &[], &[]),
        (&[], &[("A", 60, 1)], &[NO_EFFECT], &[], &[]),
        (&[], &[("a", 60, 1), ("a", 60, 2)], &[NO_EFFECT], &[], &[]),
        (&[], &[("a", 60, 1), ("a", 60, 3)], &[], &[], &[("a", 60, 3)]),
        (&[], &[("a", 60, 1), ("b", 60, 1), ("a", 60, 2)], &[NO_EFFECT; 3], &[], &[]),
        (&[], &[("c", 60, 1), ("c", 60, 1)], &[], &[], &[("c", 60, 1)]),
        (&[], &[("c", 60, 1), ("b", 60, 3), ("c", 60, 1)], &[NO_EFFECT], &[], &[("c", 60, 1), ("b", 60, 3)]),
        (&[], &[("n", 61, 1), ("n", 62, 2)], &[&n_to_61], &[], &[("n", 61, 1), ("n", 61, 2)]),
        (&[], &[("a", 60, 1), ("a", 62, 2)], &[&a_to_60, NO_EFFECT], &[], &[]),
        (&[], &[("a", 60, 1), ("a", 62, 3)], &[&a_to_60], &[], &[("a", 60, 3)]),
        (&[("a", 60, 1), ("a", 62, 2)], &[], &[&a_to_60], &[("a", 60, 1), ("a", 60, 2)], &[]),
        (&[("a", 60, 1), ("a", 60, 1)], &[], &[], &[("a", 60, 1)], &[]),
        (&[("a", 60, 1)], &[("a", 60, 1), ("b", 60, 1)], &[NO_EFFECT], &[("a", 60, 1)], &[("a", 60, 1)]),
    ];
    for (deletions, additions, expected, exact_deletions, exact_additions) in cases {
        let told = step(deletions, additions);
        let (version, remarks, exact) = applied(&zone(1, &OLD), &told, 0);
        assert_eq!(remarks, expected, "{deletions:?} {additions:?}");
        assert_eq!(exact, Some(step(exact_deletions, exact_additions)), "{deletions:?} {additions:?}");
        let (again, nothing, same) = applied(&zone(1, &OLD), &exact.unwrap(), 0);
        assert_eq!((dump(&again.unwrap()), nothing, same), (dump(&version.unwrap()), vec![], None));
    }
    let exact = step(&[("a", 60, 1)], &[("a", 60, 3), ("c", 7, 1)]);
    let (version, remarks, same) = applied(&zone(1, &OLD), &exact, 0);
    assert_eq!((remarks, same), (vec![], None));
    assert_eq!(dump(&version.unwrap()), dump(&zone(2, &[("a", 60, 2), ("a", 60, 3), ("b", 60, 1), ("c", 7, 1)])));
}

#[test]
fn what_does_not_fit_is_refused_as_by_named() {
    let cases: [(&[Address<'_>], &[Address<'_>], &str); 5] = [
        (&[], &[("a", 61, 1)], "a.Zone.example/A/IN: add not exact"),
        (&[], &[("a", 61, 9)], "a.Zone.example/A/IN: add not exact"),
        (&[("a", 61, 1)], &[], "a.Zone.example/A/IN: del not exact"),
        (&[("a", 60, 1), ("a", 60, 9)], &[], "a.Zone.example/A/IN: del not exact"),
        (&[("a", 60, 1), ("b", 60, 1), ("a", 60, 1)], &[], "a.Zone.example/A/IN: del not exact"),
    ];
    for (deletions, additions, expected) in cases {
        let (outcome, ..) = applied(&zone(1, &OLD), &step(deletions, additions), 0);
        assert_eq!(outcome.unwrap_err(), format!("dns_diff_apply: {expected}"), "{deletions:?} {additions:?}");
    }
    let (refusal, remarks, _) = applied(&zone(1, &OLD), &step(&[], &[("a", 60, 1), ("b", 61, 1)]), 0);
    assert!(refusal.is_err());
    assert_eq!(remarks, [NO_EFFECT]);
}

/// In the order of the records, however they are made.
#[test]
fn remarks_come_in_the_order_of_the_transaction() {
    let additions = [("n", 61, 1), ("n", 62, 2), ("a", 60, 1), ("m", 61, 1), ("m", 62, 2)];
    let (_, remarks, _) = applied(&zone(1, &OLD), &step(&[], &additions), 0);
    assert_eq!(remarks.iter().map(|remark| &remark[..2]).collect::<Vec<_>>(), ["'n", "Zo", "'m"]);
}

#[test]
fn signatures_of_two_types_are_two_rrsets() {
    let signature = |covered: Rtype, ttl| {
        let rdata = [&covered.0.to_be_bytes()[..], &[0; 16], b"\x01k\x00sig"].concat();
        (name(&format!("a.{APEX}")), Rtype::RRSIG, ttl, rdata)
    };
    let old = build(&[soa(1), signature(Rtype::A, 60), signature(Rtype::TXT, 61)]);
    let mut changes = Changes::default();
    let lines = [soa(1), soa(2), signature(Rtype::A, 60), signature(Rtype::TXT, 61)];
    for (owner, rtype, ttl, rdata) in lines {
        changes.push(owner.as_ref(), rtype, Class::IN, ttl, &rdata);
    }
    let (version, remarks, exact) = applied(&old, &changes.finish().unwrap(), 0);
    assert_eq!((version.unwrap().record_count(), remarks), (3, vec![NO_EFFECT.to_owned(); 2]));
    assert_eq!(exact.unwrap().count(), 2);
}

/// An RRset that does not come within 101 records, two SOA records among them, is told of twice.
#[test]
fn records_are_made_in_the_batches_of_named() {
    let addresses: Vec<Address<'_>> = (0..40).map(|last| ("a", 60, last)).collect();
    let old = zone(1, &addresses);
    for (earlier, others, expected) in
        [(0, 0, 1), (59, 0, 1), (60, 0, 2), (98, 0, 2), (99, 0, 1), (160, 0, 1), (161, 0, 2), (0, 59, 1), (0, 60, 2)]
    {
        let others: Vec<Address<'_>> = (0..others).map(|last| ("b", 60, last)).collect();
        let (_, remarks, exact) = applied(&old, &step(&[], &[others, addresses.clone()].concat()), earlier);
        assert_eq!(remarks.len(), expected, "{earlier}");
        assert!(exact.is_some());
    }
}

#[test]
fn what_is_outside_the_zone_is_passed_over() {
    let mut changes = Changes::default();
    let stray = (name("elsewhere."), Rtype::A, 60, vec![192, 0, 2, 1]);
    for (owner, rtype, ttl, rdata) in [soa(1), stray.clone(), soa(2), stray] {
        changes.push(owner.as_ref(), rtype, Class::IN, ttl, &rdata);
    }
    let (version, remarks, exact) = applied(&zone(1, &OLD), &changes.finish().unwrap(), 0);
    assert_eq!((version.unwrap().record_count(), remarks, exact), (4, vec![], Some(step(&[], &[]))));
}
