//! The versions that a primary has had, and what led from each to the next.

use std::hash::{DefaultHasher, Hash, Hasher};
use std::sync::{Arc, LazyLock};

use crate::dns::{Class, NameRef, Rtype, Serial};
use crate::transfer::testing::{zone, zone_with};
use crate::zone::ZoneVersion;
use crate::zone::diff::diff;
use crate::zone::journal::{Changes, Transaction};

/// How many there are of each line; a history ends before they run out.
pub(super) const COUNT: usize = 160;
/// More records than any of them has.
pub(super) const MAX_RECORDS: u32 = 25;
/// Serials wrap around on the way.
const FIRST_SERIAL: u32 = u32::MAX - 40;
/// Enough for versions of a few messages each.
const HOSTS: u32 = 4;

/// How often primaries are built anew, with other contents under the same serials.
const LINES: usize = 4;

/// What primaries had from one time that they were built to the next. The number of a version is that of its line times
/// [`COUNT`], and its place there.
struct Line {
    all: Vec<Arc<ZoneVersion>>,
    prints: Vec<u64>,
    steps: Vec<Transaction>,
    /// The same steps, each with additions of all that is there already.
    needless: Vec<Transaction>,
    /// What leads to each from contents that no primary ever had: with more hosts, other addresses.
    misfits: [Vec<Transaction>; 2],
}

static LINES_OF_VERSIONS: LazyLock<Vec<Line>> = LazyLock::new(|| (0..LINES as u32).map(Line::new).collect());
static ENDLESS: LazyLock<Arc<ZoneVersion>> =
    LazyLock::new(|| Arc::new(zone(FIRST_SERIAL.wrapping_add(COUNT as u32), 2 * MAX_RECORDS)));

impl Line {
    fn new(line: u32) -> Self {
        let made = |place: usize, hosts: u32, address: u32| {
            let serial = serial(place).0;
            zone_with(serial, hosts, serial.wrapping_add(line << 24).wrapping_sub(address))
        };
        let all: Vec<_> = (0..COUNT).map(|place| Arc::new(made(place, HOSTS, 0))).collect();
        let misfits = |hosts: u32, address: u32| {
            let others = (0..COUNT).map(|place| made(place, hosts, address));
            others.zip(&all[1..]).map(|(other, next)| diff(&other, next).unwrap()).collect()
        };
        let steps: Vec<_> = all.windows(2).map(|pair| diff(&pair[0], &pair[1]).unwrap()).collect();
        Self {
            prints: all.iter().map(|version| print(version)).collect(),
            needless: steps.iter().zip(&all[1..]).map(|(step, next)| needless(step, next)).collect(),
            steps,
            misfits: [misfits(HOSTS + 2, 0), misfits(HOSTS, 1)],
            all,
        }
    }

    fn of(number: usize) -> &'static Self {
        &LINES_OF_VERSIONS[number / COUNT]
    }
}

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
    Serial(FIRST_SERIAL.wrapping_add(place(number) as u32))
}

/// How many versions there were before it.
pub(super) fn place(number: usize) -> usize {
    number % COUNT
}

/// The version of a serial in the same line as another, by number.
pub(super) fn beside(other: usize, serial: Serial) -> usize {
    other / COUNT * COUNT + serial.0.wrapping_sub(FIRST_SERIAL) as usize
}

/// The version of the same serial in the next line, if there is one.
pub(super) fn rebuilt(number: usize) -> Option<usize> {
    Some(number + COUNT).filter(|rebuilt| *rebuilt < LINES * COUNT)
}

/// Whether a primary that had one of these came to the other.
pub(super) fn are_of_a_line(one: usize, other: usize) -> bool {
    one / COUNT == other / COUNT
}

/// A version.
pub(super) fn version(number: usize) -> Arc<ZoneVersion> {
    Arc::clone(&Line::of(number).all[place(number)])
}

/// One that is newer than all, of which only the beginning is ever sent.
pub(super) fn endless() -> Arc<ZoneVersion> {
    Arc::clone(&ENDLESS)
}

/// Which version of a primary this is.
pub(super) fn number(version: &ZoneVersion) -> usize {
    let (print, lines) = (print(version), (0..LINES).map(|line| line * COUNT));
    let mut numbers = lines.map(|line| beside(line, version.serial()));
    let is_it = |number: &usize| Line::of(*number).prints.get(place(*number)) == Some(&print);
    numbers.find(is_it).expect("no primary ever had this")
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
    Line::of(to).steps[place(from)..place(to)].to_vec()
}

/// The same, as told by a sloppy primary.
pub(super) fn needless_changes(from: usize, to: usize) -> Vec<Transaction> {
    Line::of(to).needless[place(from)..place(to)].to_vec()
}

/// The same, as told by a primary that has forgotten what it had, or what it was asked.
pub(super) fn misfitting_changes(from: usize, to: usize, kind: usize) -> Vec<Transaction> {
    let (mut changes, Line { steps, misfits, .. }, from) = (changes(from, to), Line::of(to), place(from));
    match (kind, misfits.get(kind)) {
        (_, Some(misfits)) => changes[0] = misfits[from].clone(),
        (2, _) if from > 0 => changes.insert(0, steps[from - 1].clone()),
        _ if changes.len() > 1 => drop(changes.remove(1)),
        _ => changes[0] = misfits[0][from].clone(),
    }
    changes
}

/// How many kinds of those there are.
pub(super) const MISFITS: u64 = 4;
