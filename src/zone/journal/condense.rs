//! Several transactions as one, without what they do and undo (RFC 1995 section 5).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};

use super::transaction::{Change, Changes, Transaction};
use crate::dns::{Rtype, rdata};

/// What these lead to, each of which starts where the one before ends: as one transaction where that is shorter, that
/// is where records come and go. Else as they are, so that whoever takes them can hand on each of their versions; so
/// too where they are so many that to compare them costs more than to send them.
pub fn condense(transactions: Vec<Transaction>) -> Vec<Transaction> {
    let bytes: u64 = transactions.iter().map(Transaction::wire_bytes).sum();
    match Some(&transactions).filter(|_| bytes <= MAX_BYTES).and_then(|transactions| condensed(transactions)) {
        Some(one) => vec![one],
        None => transactions,
    }
}

/// What is compared at most: some 20 milliseconds.
const MAX_BYTES: u64 = 4 << 20;

fn condensed(transactions: &[Transaction]) -> Option<Transaction> {
    let [first, .., last] = transactions else { return None };
    let (mut fates, mut changed) = (Fates::default(), 0_usize);
    for change in transactions.iter().flat_map(Transaction::changes).filter(|change| change.rtype != Rtype::SOA) {
        fates.note(change)?;
        changed += 1;
    }
    let (deletions, additions) = (fates.all(Fate::deletion), fates.all(Fate::addition));
    if deletions.len() + additions.len() == changed {
        return None;
    }
    let mut changes = Changes::default();
    for change in [vec![soa(first, false)?], deletions, vec![soa(last, true)?], additions].concat() {
        changes.push(change.owner, change.rtype, change.class, change.ttl, change.rdata);
    }
    changes.finish().ok()
}

/// The SOA record of the version before or after.
fn soa(transaction: &Transaction, is_addition: bool) -> Option<Change<'_>> {
    transaction.changes().find(|change| change.rtype == Rtype::SOA && change.is_addition == is_addition)
}

/// What becomes of each record, in the order in which they are first named.
#[derive(Default)]
struct Fates<'t> {
    /// The latest with each hash.
    places: HashMap<u64, usize>,
    fates: Vec<Fate<'t>>,
    hasher: RandomState,
    canonical: Vec<u8>,
}

/// The record as it is named first, and as it is after all changes, if it is there.
struct Fate<'t> {
    first: Change<'t>,
    after: Option<Change<'t>>,
    /// Another with the same hash.
    next: Option<usize>,
}

impl<'t> Fates<'t> {
    /// Takes note of a change; none where a record comes that is there, as sloppy primaries have it: what was there
    /// before all changes cannot be known then.
    fn note(&mut self, change: Change<'t>) -> Option<()> {
        let place = self.places.entry(hash(&self.hasher, &mut self.canonical, &change));
        let latest = match &place {
            Entry::Occupied(place) => Some(*place.get()),
            Entry::Vacant(_) => None,
        };
        let mut next = latest;
        while let Some(fate) = next.and_then(|at| self.fates.get_mut(at)) {
            if is_same_record(&fate.first, &change) {
                let is_exact = fate.after.is_some() != change.is_addition;
                fate.after = change.is_addition.then_some(change);
                return is_exact.then_some(());
            }
            next = fate.next;
        }
        place.insert_entry(self.fates.len());
        self.fates.push(Fate { first: change, after: change.is_addition.then_some(change), next: latest });
        Some(())
    }

    fn all(&self, of: fn(&Fate<'t>) -> Option<Change<'t>>) -> Vec<Change<'t>> {
        self.fates.iter().filter_map(of).collect()
    }
}

impl<'t> Fate<'t> {
    /// The record as it was before all changes: what is deleted first was there.
    fn before(&self) -> Option<Change<'t>> {
        Some(self.first).filter(|first| !first.is_addition)
    }

    fn deletion(&self) -> Option<Change<'t>> {
        self.before().filter(|_| !self.is_as_before())
    }

    fn addition(&self) -> Option<Change<'t>> {
        self.after.filter(|_| !self.is_as_before())
    }

    fn is_as_before(&self) -> bool {
        let bytes = |change: Change<'t>| (change.ttl, change.owner.as_bytes(), change.rdata);
        self.before().map(bytes) == self.after.map(bytes)
    }
}

/// Whether these are changes of one record, whatever its TTL and the case of names in it.
fn is_same_record(left: &Change<'_>, right: &Change<'_>) -> bool {
    (left.rtype, left.owner) == (right.rtype, right.owner)
        && rdata::compare(left.rtype, left.rdata, right.rdata).is_eq()
}

/// The same for all changes of one record.
fn hash(hasher: &RandomState, canonical: &mut Vec<u8>, change: &Change<'_>) -> u64 {
    canonical.clear();
    canonical.extend_from_slice(change.owner.as_bytes());
    canonical.make_ascii_lowercase();
    canonical.extend_from_slice(&change.rtype.0.to_be_bytes());
    rdata::canonical(change.rtype, change.rdata, canonical);
    hasher.hash_one(canonical.as_slice())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::diff::{diff, is_same};
    use crate::zone::testing::{APEX, Random, build, name, soa};
    use crate::zone::{Limits, ZoneVersion};

    /// Few names and data, so that records come and go.
    fn random_zone(random: &mut Random, serial: u32) -> ZoneVersion {
        let mut records = vec![soa(serial)];
        for _ in 0..random.below(12) {
            let rdata = vec![192, 0, 2, random.below(3) as u8];
            let owner = name(&format!("{}.{APEX}", ["a", "b", "C"][random.below(3)]));
            records.push((owner, Rtype::A, 60 + random.below(2) as u32, rdata));
        }
        build(&records)
    }

    fn apply(version: &ZoneVersion, transactions: &[Transaction]) -> ZoneVersion {
        let mut edit = version.edit(Limits::default());
        transactions.iter().for_each(|transaction| transaction.apply(&mut edit).unwrap());
        edit.finish().unwrap()
    }

    #[test]
    fn what_is_condensed_leads_to_the_same_version_and_is_no_longer() {
        let mut shorter = 0;
        for seed in 0..300 {
            let mut random = Random(crate::dns::testing::Random::new(seed));
            let zones: Vec<_> =
                (1..2 + random.below(7) as u32).map(|serial| random_zone(&mut random, serial)).collect();
            let steps: Vec<_> = zones.windows(2).map(|pair| diff(&pair[0], &pair[1]).unwrap()).collect();
            let bytes = |steps: &[Transaction]| steps.iter().map(Transaction::wire_bytes).sum::<u64>();
            let condensed = condense(steps.clone());
            assert!(is_same(&apply(&zones[0], &condensed), zones.last().unwrap()), "seed {seed}");
            assert!(bytes(&condensed) <= bytes(&steps), "seed {seed}");
            shorter += usize::from(condensed.len() < steps.len());
        }
        assert!(shorter > 100, "{shorter}");
    }

    #[test]
    fn a_record_that_comes_and_goes_leaves_nothing_and_one_that_stays_keeps_its_versions() {
        let with = |serial: u32, hosts: &[u8]| {
            let host = |host: &u8| (name(APEX), Rtype::A, 60, vec![192, 0, 2, *host]);
            build(&[vec![soa(serial)], hosts.iter().map(host).collect()].concat())
        };
        let steps = |zones: &[ZoneVersion]| -> Vec<_> {
            zones.windows(2).map(|pair| diff(&pair[0], &pair[1]).unwrap()).collect()
        };
        let comes_and_goes = condense(steps(&[with(1, &[1]), with(2, &[1, 2]), with(3, &[1])]));
        assert_eq!((comes_and_goes.len(), comes_and_goes[0].count()), (1, 2));
        let mut sloppy = steps(&[with(1, &[1]), with(2, &[1, 2]), with(3, &[1, 2, 3])]);
        let mut twice = Changes::default();
        for change in sloppy[1].changes().chain(sloppy[0].changes().skip(2)) {
            twice.push(change.owner, change.rtype, change.class, change.ttl, change.rdata);
        }
        sloppy[1] = twice.finish().unwrap();
        assert_eq!(condense(sloppy.clone()), sloppy);
        let grows = steps(&[with(1, &[1]), with(2, &[1, 2]), with(3, &[1, 2, 3])]);
        assert_eq!(condense(grows.clone()), grows);
    }
}
