//! The versions that a primary has had, and what led from each to the next.

use std::sync::{Arc, LazyLock};

use crate::dns::Serial;
use crate::transfer::testing::{dump, zone};
use crate::zone::ZoneVersion;
use crate::zone::diff::diff;
use crate::zone::journal::Transaction;

/// How many there are; a history ends before they run out.
pub(super) const COUNT: usize = 160;
/// Serials wrap around on the way.
const FIRST_SERIAL: u32 = u32::MAX - 40;
const HOSTS: u32 = 3;

struct Versions {
    all: Vec<Arc<ZoneVersion>>,
    dumps: Vec<Vec<String>>,
    steps: Vec<Transaction>,
    /// What leads to each from contents that no primary ever had.
    misfits: Vec<Transaction>,
}

static VERSIONS: LazyLock<Versions> = LazyLock::new(|| {
    let all: Vec<_> = (0..COUNT).map(|number| Arc::new(zone(serial(number).0, HOSTS))).collect();
    let dumps = all.iter().map(|version| dump(version)).collect();
    let steps = all.windows(2).map(|pair| diff(&pair[0], &pair[1]).unwrap()).collect();
    let others = (0..COUNT).map(|number| zone(serial(number).0, HOSTS + 2));
    let misfits = others.zip(&all[1..]).map(|(other, next)| diff(&other, next).unwrap()).collect();
    Versions { all, dumps, steps, misfits }
});

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

/// Whether a primary had just this.
pub(super) fn is_true(version: &ZoneVersion) -> bool {
    VERSIONS.dumps.get(number(version.serial())).is_some_and(|lines| *lines == dump(version))
}

/// What leads from one version to a later one.
pub(super) fn changes(from: usize, to: usize) -> Vec<Transaction> {
    VERSIONS.steps[from..to].to_vec()
}

/// The same, as told by a primary that has forgotten what it had.
pub(super) fn misfitting_changes(from: usize, to: usize) -> Vec<Transaction> {
    let mut changes = changes(from, to);
    changes[0] = VERSIONS.misfits[from].clone();
    changes
}
