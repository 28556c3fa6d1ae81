//! The versions that a primary has had, and what led from each to the next.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock};

use crate::dns::{Class, NameRef, Rtype, Serial};
use crate::transfer::testing::{zone, zone_with};
use crate::zone::ZoneVersion;
use crate::zone::diff::diff;
use crate::zone::journal::{Changes, Transaction};

/// How many there are; a history ends before they run out.
pub(super) const COUNT: usize = 160;
/// More records than any of them has.
pub(super) const MAX_RECORDS: u32 = 25;
/// Serials wrap around on the way.
const FIRST_SERIAL: u32 = u32::MAX - 40;
/// Enough for versions of a few messages each.
const HOSTS: u32 = 4;

struct Versions {
    all: Vec<Arc<ZoneVersion>>,
    prints: Vec<u64>,
    steps: Vec<Transaction>,
    /// The same steps, each with additions of all that is there already.
    needless: Vec<Transaction>,
    /// What leads to each from contents that no primary ever had: with more hosts, other addresses.
    misfits: [Vec<Transaction>; 2],
    endless: Arc<ZoneVersion>,
}

static VERSIONS: LazyLock<Versions> = LazyLock::new(|| {
    let all: Vec<_> = (0..COUNT).map(|number| Arc::new(zone(serial(number).0, HOSTS))).collect();
    let misfits = |hosts: u32, address: u32| {
        let others = (0..COUNT).map(|number| serial(number).0);
        let others = others.map(|serial| zone_with(serial, hosts, serial.wrapping_sub(address)));
        others.zip(&all[1..]).map(|(other, next)| diff(&other, next).unwrap()).collect()
    };
    let steps: Vec<_> = all.windows(2).map(|pair| diff(&pair[0], &pair[1]).unwrap()).collect();
    Versions {
        prints: all.iter().map(|version| print(version)).collect(),
        needless: steps.iter().zip(&all[1..]).map(|(step, next)| needless(step, next)).collect(),
        steps,
        misfits: [misfits(HOSTS + 2, 0), misfits(HOSTS, 1)],
        endless: Arc::new(zone(serial(COUNT).0, 2 * MAX_RECORDS)),
        all,
    }
});

/// What leads to a version, with additions of all that it has.
fn needless(step: &Transaction, next: &ZoneVersion) -> Transaction {
    let mut changes = Changes::default();
    let mut push = |owner: NameRef<'_>, rtype, ttl, data: &[u8]| changes.push(owner, rtype, Class::IN, ttl, data);
    step.changes().for_each(|change| push(change.owner, change.rtype, change.ttl, change.rdata));
    for node in next.nodes() {
        for rrset in node.rrsets().filter(|rrset| rrset.rtype() != Rtype::SOA) {
            rrset.rdatas().for_each(|data| push(node.owner().as_ref(), rrset.rtype(), rrset.ttl(), data));
        }
    }
    changes.finish().unwrap()
}

/// The serial of a version.
pub(super) fn serial(number: usize) -> Serial {
    Serial(FIRST_SERIAL.wrapping_add(number as u32))
}

/// The version of a serial, by number.
pub(super) fn number(serial: Serial) -> usize {
    serial.0.wrapping_sub(FIRST_SERIAL) as usize
}

/// A version.
pub(super) fn version(number: usize) -> Arc<ZoneVersion> {
    Arc::clone(&VERSIONS.all[number])
}

/// One that is newer than all, of which only the beginning is ever sent.
pub(super) fn endless() -> Arc<ZoneVersion> {
    Arc::clone(&VERSIONS.endless)
}

/// Whether a primary had just this.
pub(super) fn is_true(version: &ZoneVersion) -> bool {
    VERSIONS.prints.get(number(version.serial())) == Some(&print(version))
}

/// What tells contents apart.
fn print(version: &ZoneVersion) -> u64 {
    let mut hasher = DefaultHasher::new();
    for node in version.nodes() {
        node.relative_owner().hash(&mut hasher);
        for rrset in node.rrsets() {
            (rrset.rtype().0, rrset.ttl()).hash(&mut hasher);
            rrset.rdatas().for_each(|rdata| rdata.hash(&mut hasher));
        }
    }
    hasher.finish()
}

/// What leads from one version to a later one.
pub(super) fn changes(from: usize, to: usize) -> Vec<Transaction> {
    VERSIONS.steps[from..to].to_vec()
}

/// The same, as told by a sloppy primary.
pub(super) fn needless_changes(from: usize, to: usize) -> Vec<Transaction> {
    VERSIONS.needless[from..to].to_vec()
}

/// The same, as told by a primary that has forgotten what it had, or what it was asked.
pub(super) fn misfitting_changes(from: usize, to: usize, kind: usize) -> Vec<Transaction> {
    let mut changes = changes(from, to);
    match (kind, VERSIONS.misfits.get(kind)) {
        (_, Some(misfits)) => changes[0] = misfits[from].clone(),
        (2, _) if from > 0 => changes.insert(0, VERSIONS.steps[from - 1].clone()),
        _ if changes.len() > 1 => drop(changes.remove(1)),
        _ => changes[0] = VERSIONS.misfits[0][from].clone(),
    }
    changes
}

/// How many kinds of those there are.
pub(super) const MISFITS: u64 = 4;
