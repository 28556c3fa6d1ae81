//! Parts against the whole.

use super::*;
use crate::dns::testing;
use crate::zone::testing::{APEX, Random, Record, build, dump, name};

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
