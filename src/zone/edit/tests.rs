//! Edited versions against versions built anew from the same records.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::dns::{Name, testing};
use crate::zone::testing::{APEX, Random, Record, build, dump, name, soa};

/// Names with the flags that the trie has for them.
fn flags(version: &ZoneVersion) -> Vec<(String, Vec<bool>)> {
    let of = |node: crate::zone::Node<'_>| {
        let flags = [
            node.is_cut(),
            node.is_occluded(),
            node.has_dname(),
            node.has_cname(),
            node.has_wildcard(),
            node.has_nsec(),
            node.is_nsec3(),
        ];
        (node.owner().to_string().to_lowercase(), flags.to_vec())
    };
    version.nodes().map(of).collect()
}

/// Takes out some of the records and puts in others; the SOA record stays the only one.
fn change(random: &mut Random, records: &mut Vec<Record>, edit: &mut Edit<'_>) {
    for _ in 0..random.below(12) {
        let at = random.below(records.len());
        if random.below(2) == 0 && records[at].1 != Rtype::SOA {
            let (owner, rtype, _, rdata) = records.remove(at);
            edit.remove(owner.as_ref(), rtype, &rdata).unwrap();
        } else {
            let record = random.record();
            let is_new = edit.add(record.0.as_ref(), record.1, record.2, &record.3).unwrap();
            let is_known = |(owner, rtype, _, rdata): &Record| {
                (owner, rtype) == (&record.0, &record.1) && crate::dns::rdata::compare(*rtype, rdata, &record.3).is_eq()
            };
            assert_eq!(is_new, !records.iter().any(is_known), "{record:?}");
            if is_new {
                records.push(record);
            }
        }
    }
}

/// A zone without duplicates, so that what is removed is gone.
fn zone(random: &mut Random) -> (Vec<Record>, ZoneVersion) {
    let first = build(&[soa(1)]);
    let mut records = vec![soa(1)];
    let mut edit = first.edit(Limits::default());
    for _ in 0..random.below(8) {
        change(random, &mut records, &mut edit);
    }
    let version = edit.finish().unwrap();
    (records, version)
}

fn assert_same(edited: &ZoneVersion, records: &[Record], what: &str) {
    let built = build(records);
    assert_eq!(dump(edited), dump(&built), "{what}");
    assert_eq!(flags(edited), flags(&built), "{what}");
    assert_eq!((edited.record_count(), edited.node_count()), (built.record_count(), built.node_count()), "{what}");
}

#[test]
fn an_edited_version_is_what_building_it_anew_gives_and_old_versions_stay() {
    for seed in 1..=300 {
        let mut random = Random(testing::Random::new(seed));
        let (mut records, mut version) = zone(&mut random);
        assert_same(&version, &records, &format!("seed {seed}"));
        let mut old = Vec::new();
        for step in 0..10 {
            let before = dump(&version);
            let mut edit = version.edit(Limits::default());
            change(&mut random, &mut records, &mut edit);
            let next = edit.finish().unwrap();
            assert_same(&next, &records, &format!("seed {seed}, step {step}"));
            old.push((mem::replace(&mut version, next), before));
        }
        for (version, contents) in old {
            assert_eq!(dump(&version), contents, "seed {seed}");
        }
    }
}

/// What a zone is, said with plain ordered maps: owners in canonical order, those of NSEC3 records behind the others;
/// RRsets by type, signatures behind the others; records in the order of their data.
#[derive(Clone, Default)]
struct Model(BTreeMap<(bool, Name), Rrsets>);

type Rrsets = BTreeMap<(bool, Rtype), BTreeSet<Vec<u8>>>;

impl Model {
    fn place(record: &Record) -> ((bool, Name), (bool, Rtype)) {
        let (owner, rtype, _, rdata) = record;
        let is_signature = *rtype == Rtype::RRSIG;
        let covered = if is_signature { Rtype(u16::from_be_bytes([rdata[0], rdata[1]])) } else { *rtype };
        ((covered == Rtype::NSEC3, owner.clone()), (is_signature, covered))
    }

    fn add(&mut self, record: &Record) -> bool {
        let (owner, rrset) = Self::place(record);
        self.0.entry(owner).or_default().entry(rrset).or_default().insert(record.3.clone())
    }

    fn remove(&mut self, record: &Record) -> bool {
        let (owner, rrset) = Self::place(record);
        let Some(rrsets) = self.0.get_mut(&owner) else { return false };
        let was_there = rrsets.get_mut(&rrset).is_some_and(|rdatas| rdatas.remove(&record.3));
        rrsets.retain(|_, rdatas| !rdatas.is_empty());
        self.0.retain(|_, rrsets| !rrsets.is_empty());
        was_there
    }

    /// As [`dump`] has it.
    fn dump(&self) -> Vec<(String, Rtype, u32, Vec<u8>)> {
        let mut records = Vec::new();
        for ((_, owner), rrsets) in &self.0 {
            for ((is_signature, covered), rdatas) in rrsets {
                let rtype = if *is_signature { Rtype::RRSIG } else { *covered };
                let owner = owner.to_string().to_lowercase();
                records.extend(rdatas.iter().map(|rdata| (owner.clone(), rtype, 60, rdata.clone())));
            }
        }
        records
    }
}

#[test]
fn a_store_under_random_updates_is_an_ordered_map_and_so_is_each_version_held_open() {
    for seed in 1..=200 {
        let mut random = Random(testing::Random::new(seed));
        let (mut model, mut version) = (Model::default(), build(&[soa(1)]));
        model.add(&soa(1));
        let mut held = Vec::new();
        for step in 0..20 {
            let (mut edit, before) = (version.edit(Limits::default()), model.clone());
            for _ in 0..random.below(30) {
                let record = random.record();
                let (owner, rtype, ttl, rdata) = &record;
                if random.below(3) > 0 {
                    assert_eq!(edit.add(owner.as_ref(), *rtype, *ttl, rdata).unwrap(), model.add(&record));
                } else {
                    assert_eq!(edit.remove(owner.as_ref(), *rtype, rdata).is_ok(), model.remove(&record));
                }
            }
            let next = edit.finish().unwrap();
            assert_eq!(dump(&next), model.dump(), "seed {seed}, step {step}");
            held.push((mem::replace(&mut version, next), before));
            if random.below(4) == 0 {
                held.swap_remove(random.below(held.len()));
            }
        }
        for (version, model) in held {
            assert_eq!(dump(&version), model.dump(), "seed {seed}, a version held open");
        }
    }
}

#[test]
fn many_edits_do_not_make_a_version_grow() {
    let mut version = build(&[soa(1)]);
    let owner = |number: usize| name(&format!("n{number}.{APEX}"));
    let mut edit = version.edit(Limits::default());
    for number in 0..1000 {
        edit.add(owner(number).as_ref(), Rtype::TXT, 60, &[0; 100]).unwrap();
    }
    version = edit.finish().unwrap();
    let size_bytes = version.size_bytes();
    for round in 0..3000_u32 {
        let (from, to) = ([round as u8; 4], [(round + 1) as u8; 4]);
        let owner = owner(round as usize % 1000);
        let mut edit = version.edit(Limits::default());
        let _ = edit.remove(owner.as_ref(), Rtype::A, &from);
        edit.add(owner.as_ref(), Rtype::A, 60, &to).unwrap();
        version = edit.finish().unwrap();
    }
    assert!(version.size_bytes() < 3 * size_bytes, "{} of {size_bytes}", version.size_bytes());
}

#[test]
fn a_small_zone_that_changes_all_the_time_takes_hardly_more_than_one_that_does_not() {
    let host = |number: u8, serial: u8| {
        (name(&format!("n{number}.sub.{APEX}")), Rtype::A, 60, vec![192, 0, number % 3, serial])
    };
    for count in [3, 10, 100] {
        let mut version = build(&[vec![soa(1)], (0..count).map(|number| host(number, 0)).collect()].concat());
        let (size_bytes, mut most) = (version.size_bytes(), 0);
        for round in 0..1000 {
            let (number, mut edit) = ((round % usize::from(count)) as u8, version.edit(Limits::default()));
            let serial = (round / usize::from(count)) as u8;
            let (owner, rtype, ttl, old) = host(number, serial);
            edit.remove(owner.as_ref(), rtype, &old).unwrap();
            edit.add(owner.as_ref(), rtype, ttl, &host(number, serial.wrapping_add(1)).3).unwrap();
            version = edit.finish().unwrap();
            most = most.max(version.size_bytes());
        }
        assert!(most <= size_bytes + size_bytes / 5, "{most} of {size_bytes}");
    }
}

#[test]
fn a_record_that_is_not_there_cannot_be_removed() {
    let version = build(&[soa(1), (name(&format!("a.{APEX}")), Rtype::A, 60, vec![1])]);
    let mut edit = version.edit(Limits::default());
    let owner = name(&format!("a.{APEX}"));
    assert_eq!(edit.remove(owner.as_ref(), Rtype::A, &[2]), Err(EditError::NotThere));
    assert_eq!(edit.remove(name(&format!("b.{APEX}")).as_ref(), Rtype::A, &[1]), Err(EditError::NotThere));
    assert_eq!(edit.remove(name("elsewhere.").as_ref(), Rtype::A, &[1]), Err(ContentsError::OutOfZone.into()));
    assert_eq!(edit.remove(owner.as_ref(), Rtype::A, &[1]), Ok(()));
    assert_eq!(edit.remove(owner.as_ref(), Rtype::A, &[1]), Err(EditError::NotThere));
}

#[test]
fn exact_changes_know_the_ttl_of_the_rrset() {
    let owner = name(&format!("a.{APEX}"));
    let (owner, version) = (owner.as_ref(), build(&[soa(1), (owner.clone(), Rtype::A, 60, vec![1])]));
    let mut edit = version.edit(Limits::default());
    assert_eq!(edit.add_exactly(owner, Rtype::A, 61, &[1]), Err(EditError::NotExact));
    assert_eq!(edit.add_exactly(owner, Rtype::A, 61, &[2]), Err(EditError::NotExact));
    assert_eq!(edit.add_exactly(owner, Rtype::A, 60, &[1]), Ok(false));
    assert_eq!(edit.add_exactly(owner, Rtype::A, 60, &[2]), Ok(true));
    assert_eq!(edit.remove_exactly(owner, Rtype::A, 61, &[1]), Err(EditError::NotExact));
    assert_eq!(edit.remove_exactly(owner, Rtype::A, 60, &[3]), Err(EditError::NotThere));
    assert_eq!(edit.remove_exactly(owner, Rtype::A, 60, &[1]), Ok(()));
    assert_eq!(edit.remove_exactly(owner, Rtype::A, 60, &[2]), Ok(()));
    assert_eq!(edit.remove_exactly(owner, Rtype::A, 60, &[1]), Err(EditError::NotThere));
    assert_eq!(edit.add_exactly(owner, Rtype::A, 61, &[1]), Ok(true));
}

#[test]
fn a_version_keeps_one_soa_record_and_its_limits() {
    let version = build(&[soa(1)]);
    let mut edit = version.edit(Limits::default());
    let (owner, rtype, _, rdata) = soa(1);
    edit.remove(owner.as_ref(), rtype, &rdata).unwrap();
    assert_eq!(edit.finish().unwrap_err(), ContentsError::SoaCount { soa: 0, ns: 0 });
    let mut edit = version.edit(Limits { records: 1, ..Limits::default() });
    edit.add(owner.as_ref(), Rtype::A, 60, &[1]).unwrap();
    assert_eq!(edit.finish().unwrap_err(), ContentsError::TooManyRecords);
}
