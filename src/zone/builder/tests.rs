//! Parts against the whole.

use super::*;
use crate::dns::testing;
use crate::zone::testing::{APEX, Random, Record, build, dump, name, soa};

/// The zone out of parts that end before these records.
fn in_parts(records: &[Record], ends: &[usize]) -> ZoneVersion {
    let mut whole = Builder::new(name(APEX), Class::IN);
    // One for every other part, as with two threads.
    let mut builders = [whole.for_parts(), whole.for_parts()];
    let starts = std::iter::once(&0).chain(ends);
    for (number, (&start, &end)) in starts.zip(ends.iter().chain([&records.len()])).enumerate() {
        let part = &mut builders[number % 2];
        for (owner, rtype, ttl, rdata) in &records[start..end] {
            part.add(owner.as_ref(), *rtype, *ttl, rdata).unwrap();
        }
        whole.absorb(part.end_part().unwrap()).unwrap();
    }
    whole.finish().unwrap()
}

#[test]
fn parts_make_the_zone_that_the_whole_makes_wherever_it_is_split() {
    for seed in 1..=40 {
        let mut random = Random(testing::Random::new(seed));
        let records = random.zone();
        let whole = build(&records);
        for first in 0..=records.len() {
            let second = first + random.below(records.len() - first + 1);
            let joined = in_parts(&records, &[first, second]);
            assert_eq!(dump(&joined), dump(&whole), "seed {seed}, split at {first} and {second}");
            assert_eq!(joined.record_count(), whole.record_count(), "seed {seed}, split at {first} and {second}");
        }
    }
}

#[test]
fn a_part_that_goes_on_with_what_the_last_one_ended_with_is_told() {
    let (owner, server) = (name(&format!("d.{APEX}")), name(&format!("ns.d.{APEX}")));
    let mut whole = Builder::new(name(APEX), Class::IN);
    let mut part = whole.for_parts();
    let mut end_with = |owners: &[&Name]| {
        for owner in owners {
            part.turn(owner.as_ref()).unwrap();
            part.add(owner.as_ref(), Rtype::NS, 60, server.as_ref().as_bytes()).unwrap();
        }
        part.end_part().unwrap()
    };
    whole.absorb(end_with(&[&owner])).unwrap();
    assert!(whole.goes_on_in(&end_with(&[&owner])));
    assert!(whole.goes_on_in(&end_with(&[&server, &owner])));
    let other = name(&format!("e.{APEX}"));
    for owners in [[&other, &owner], [&server, &other]] {
        assert!(!whole.goes_on_in(&end_with(&owners)));
    }
}

/// What depends on the names around a name.
fn surroundings(version: &ZoneVersion) -> Vec<(String, [bool; 3])> {
    let of = |node: crate::zone::Node<'_>| {
        (node.owner().to_string().to_lowercase(), [node.is_cut(), node.is_occluded(), node.has_wildcard()])
    };
    version.nodes().map(of).collect()
}

#[test]
fn a_few_names_out_of_order_make_no_difference() {
    for seed in 1..=60 {
        let mut random = Random(testing::Random::new(seed));
        let ordered = (0..300).map(|number| (name(&format!("n{number:03}.{APEX}")), Rtype::A, 60, vec![1]));
        let mut records: Vec<Record> = std::iter::once(soa(1)).chain(ordered).collect();
        for _ in 0..random.below(12) {
            records.insert(1 + random.below(records.len()), random.record());
        }
        let nearly = build(&records);
        // Backwards, no name comes behind the others, and all are sorted.
        records[1..].reverse();
        let sorted = build(&records);
        assert_eq!(dump(&nearly), dump(&sorted), "seed {seed}");
        assert_eq!(surroundings(&nearly), surroundings(&sorted), "seed {seed}");
    }
}

#[test]
fn a_small_zone_whose_records_come_apart_takes_no_more_than_one_whose_records_come_in_order() {
    let host = |number: u8| (name(&format!("n{number}.{APEX}")), Rtype::A, 60, vec![192, 0, 2, number]);
    let ns = |number: u8| (name(APEX), Rtype::NS, 60, vec![2, b'n', number, 0]);
    let in_order = [soa(1), ns(1), ns(2), host(1), host(2)];
    let apart = [soa(1), ns(1), host(2), ns(2), host(1)];
    assert_eq!(build(&apart).size_bytes(), build(&in_order).size_bytes());
}
