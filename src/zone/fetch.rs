//! Names of a zone looked up together, so that memory brings what their answers need in the time of one.
//!
//! A look-up in a large zone is a dozen loads from memory, each of which has to wait for the one before. Here several
//! go down the trie step by step at the same time: while one waits, the others' loads are under way. Nothing comes of
//! it but that the look-up proper, which follows, finds all in the cache.

use super::contents::ZoneVersion;
use super::key::Key;
use super::trie::Descent;
use crate::dns::NameRef;

/// How many names are looked up together: about as many loads as a processor has under way.
pub const LANES: usize = 16;
/// Zones with fewer names than this stay in the cache by themselves.
const LARGE: usize = 20_000;
/// What memory brings at a time.
const LINE_BYTES: usize = 64;
/// How many lines of a block are fetched; the processor sees by itself where longer ones go on.
const LINES: usize = 3;

/// Names to be looked up.
pub struct Fetch<'v> {
    version: &'v ZoneVersion,
    lanes: [Lane; LANES],
    count: usize,
}

/// One of them.
struct Lane {
    key: Key,
    descent: Descent,
}

impl<'v> Fetch<'v> {
    /// No names yet.
    pub fn new(version: &'v ZoneVersion) -> Self {
        let lanes = std::array::from_fn(|_| Lane { key: Key::empty(), descent: version.names.begin() });
        Self { version, lanes, count: 0 }
    }

    /// Adds a name that is the apex or below it; more than [`LANES`] are passed over.
    pub fn push(&mut self, name: NameRef<'_>) {
        if let Some(lane) = self.lanes.get_mut(self.count) {
            lane.key.set(self.version.labels_of(name));
            lane.descent = self.version.names.begin();
            self.count += 1;
        }
    }

    /// Looks all of them up, and begins anew.
    pub fn run(&mut self) {
        let (lanes, _) = self.lanes.split_at_mut(std::mem::take(&mut self.count));
        let names = &self.version.names;
        let mut is_open = true;
        while is_open {
            is_open = false;
            for lane in &mut *lanes {
                is_open |= names.go_on(&mut lane.descent, &lane.key);
            }
        }
        let blocks = lanes.iter().map(|lane| self.version.block_at(names.place_of(&lane.descent)));
        std::hint::black_box(blocks.map(touch).fold(0, |all, byte| all ^ byte));
    }
}

/// Reads a byte of each line at the beginning of a block.
fn touch(block: &[u8]) -> u8 {
    block.iter().step_by(LINE_BYTES).take(LINES).fold(0, |all, byte| all ^ byte)
}

impl ZoneVersion {
    /// Whether looking names up together is worth it.
    pub fn is_large(&self) -> bool {
        self.names.len() >= LARGE
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::zone::testing::{Random, build};

    #[test]
    fn names_of_a_zone_come_to_their_blocks() {
        for seed in 0..50 {
            let version = build(&Random(crate::dns::testing::Random::new(seed)).zone());
            let owners: Vec<_> = version.names().map(|node| node.owner()).take(LANES).collect();
            let mut fetch = Fetch::new(&version);
            owners.iter().for_each(|owner| fetch.push(owner.as_ref()));
            fetch.run();
            for (owner, lane) in owners.iter().zip(&fetch.lanes) {
                let found = version.names.descend(&lane.key).unwrap().nearest.place;
                assert_eq!(version.names.place_of(&lane.descent), found, "{owner} with seed {seed}");
            }
        }
    }

    #[test]
    fn names_beyond_the_lanes_are_passed_over() {
        let version = build(&[crate::zone::testing::soa(1)]);
        let mut fetch = Fetch::new(&version);
        (0..=LANES).for_each(|_| fetch.push(version.apex()));
        assert_eq!(fetch.count, LANES);
        fetch.run();
        assert_eq!(fetch.count, 0);
    }
}
