//! Several transactions as one, without what they do and undo (RFC 1995 section 5).

use std::collections::HashMap;
use std::collections::hash_map::Entry;
use std::hash::{BuildHasher, RandomState};

use super::{Change, Changes, Journal, JournalError, Transaction};
use crate::dns::{Rtype, Serial, rdata};
use crate::zone::disk::DiskFile;

impl<F: DiskFile> Journal<F> {
    /// What leads from one serial to another, which need not be the last. From `exact_from` on the transactions are
    /// known to be exact: one addition brings each of their records, and none of them has no effect. Others are left as
    /// they are: of a record that comes and goes nothing is left only if it was not there before.
    pub fn condensed(&self, from: Serial, to: Serial, exact_from: Serial) -> Result<Vec<Transaction>, JournalError> {
        let (mut others, mut exact) = (Vec::new(), Vec::new());
        for entry in self.entries(from)? {
            let transaction = entry?.transaction;
            let (before, after) = (transaction.before, transaction.after);
            let is_exact = !exact_from.is_newer_than(before);
            if is_exact { &mut exact } else { &mut others }.push(transaction);
            if after == to {
                others.extend(condense(exact));
                return Ok(others);
            }
        }
        Err(JournalError::NoSerial { path: self.path.clone(), serial: to })
    }
}

/// What these lead to, each of which starts where the one before ends: as one transaction where that is shorter, that
/// is where records come and go. Else as they are, so that whoever takes them can hand on each of their versions; so
/// too where they are so many that to compare them costs more than to send them.
fn condense(transactions: Vec<Transaction>) -> Vec<Transaction> {
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
        fates.note(change);
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
    /// Takes note of a change.
    fn note(&mut self, change: Change<'t>) {
        let place = self.places.entry(hash(&self.hasher, &mut self.canonical, &change));
        let latest = match &place {
            Entry::Occupied(place) => Some(*place.get()),
            Entry::Vacant(_) => None,
        };
        let mut next = latest;
        while let Some(fate) = next.and_then(|at| self.fates.get_mut(at)) {
            if fate.first.is_of_same_record(&change) {
                fate.after = change.is_addition.then_some(change);
                return;
            }
            next = fate.next;
        }
        place.insert_entry(self.fates.len());
        self.fates.push(Fate { first: change, after: change.is_addition.then_some(change), next: latest });
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
    use crate::zone::disk::Host;
    use crate::zone::journal::Writer;
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

    /// Versions, and what leads from each to the next.
    fn history(random: &mut Random) -> (Vec<ZoneVersion>, Vec<Transaction>) {
        let zones: Vec<_> = (1..2 + random.below(7) as u32).map(|serial| random_zone(random, serial)).collect();
        let steps = zones.windows(2).map(|pair| diff(&pair[0], &pair[1]).unwrap()).collect();
        (zones, steps)
    }

    /// What a sloppy primary makes of it: records are added that are there already.
    fn sloppy(random: &mut Random, step: &Transaction, new: &ZoneVersion) -> Transaction {
        let mut changes = Changes::default();
        let mut push =
            |change: Change<'_>| changes.push(change.owner, change.rtype, change.class, change.ttl, change.rdata);
        step.changes().for_each(&mut push);
        for (node, rrset) in new.names().flat_map(|node| node.rrsets().map(move |rrset| (node, rrset))) {
            for rdata in rrset.rdatas().filter(|_| rrset.rtype() != Rtype::SOA && random.below(3) == 0) {
                let (owner, rtype, class, ttl) = (node.owner(), rrset.rtype(), new.class(), rrset.ttl());
                push(Change { is_addition: true, owner: owner.as_ref(), rtype, class, ttl, rdata });
            }
        }
        changes.finish().unwrap()
    }

    /// The version that these lead to, and how often they are not as they should be.
    fn apply(version: &ZoneVersion, transactions: &[Transaction]) -> (ZoneVersion, usize) {
        let (mut edit, mut inexact) = (version.edit(Limits::default()), 0);
        for transaction in transactions {
            inexact += usize::from(transaction.apply(&mut edit, 0, &mut vec![]).unwrap().is_some());
        }
        (edit.finish().unwrap(), inexact)
    }

    #[test]
    fn what_is_condensed_leads_to_the_same_version_and_is_no_longer() {
        let mut shorter = 0;
        for seed in 0..300 {
            let (zones, steps) = history(&mut Random(crate::dns::testing::Random::new(seed)));
            let bytes = |steps: &[Transaction]| steps.iter().map(Transaction::wire_bytes).sum::<u64>();
            let condensed = condense(steps.clone());
            let (reached, inexact) = apply(&zones[0], &condensed);
            assert!(is_same(&reached, zones.last().unwrap()) && inexact == 0, "seed {seed}");
            assert!(bytes(&condensed) <= bytes(&steps), "seed {seed}");
            shorter += usize::from(condensed.len() < steps.len());
        }
        assert!(shorter > 100, "{shorter}");
    }

    /// The first ones as named has taken them, the others as we do.
    #[test]
    fn whatever_a_sloppy_primary_has_sent_leads_every_client_to_our_version() {
        let folder = tempfile::tempdir().unwrap();
        let (mut sloppy_ones, mut shorter) = (0, 0);
        for seed in 0..300 {
            let mut random = Random(crate::dns::testing::Random::new(seed));
            let (zones, steps) = history(&mut random);
            let (path, of_named) = (folder.path().join(format!("{seed}.jnl")), random.below(steps.len() + 1));
            let told: Vec<_> =
                steps.iter().zip(&zones[1..]).map(|(step, new)| sloppy(&mut random, step, new)).collect();
            Writer::open(&Host, &path).unwrap().append_all(&told[..of_named]).unwrap();
            for (step, old) in told.iter().zip(&zones).skip(of_named) {
                let exact = step.apply(&mut old.edit(Limits::default()), 0, &mut vec![]).unwrap();
                let exact = exact.unwrap_or_else(|| step.clone());
                Writer::open(&Host, &path).unwrap().append(&exact).unwrap();
            }
            let last = zones.last().unwrap();
            for (from, zone) in zones.iter().enumerate().take(steps.len()) {
                let (journal, exact_from) = (Journal::open(&Host, &path).unwrap(), zones[of_named].serial());
                let condensed = journal.condensed(zone.serial(), last.serial(), exact_from).unwrap();
                let (reached, inexact) = apply(zone, &condensed);
                assert!(is_same(&reached, last), "seed {seed}, from {from}");
                assert!(inexact == 0 || from < of_named, "seed {seed}, from {from}");
                sloppy_ones += usize::from(inexact > 0);
                shorter += usize::from(condensed.len() < steps.len() - from);
            }
        }
        assert!(sloppy_ones > 100 && shorter > 100, "{sloppy_ones} {shorter}");
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
        let grows = steps(&[with(1, &[1]), with(2, &[1, 2]), with(3, &[1, 2, 3])]);
        assert_eq!(condense(grows.clone()), grows);
    }
}
