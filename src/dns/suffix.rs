//! Hashes of all suffixes of a name, in one pass from its last label to its first.
//!
//! Two things look up the longest suffix that they know: the message writer for compression, and the table of zones for
//! the zone that a name belongs to. ASCII case makes no difference to the hash, so a hit has to be compared in the way
//! that its user wants. With a random seed nobody can choose names that collide.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::NameRef;
use super::case::last_word;
use super::name::MAX_LABELS;

/// Any odd constant with bits all over: a multiplication spreads each byte over the whole product.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// The suffixes of one name at a time; the memory is used again for the next.
#[derive(Debug, Clone)]
pub struct Suffixes {
    labels: usize,
    /// How many of the first suffixes are not hashed.
    skipped: usize,
    starts: [u8; MAX_LABELS],
    hashes: [u64; MAX_LABELS],
}

impl Default for Suffixes {
    fn default() -> Self {
        Self { labels: 0, skipped: 0, starts: [0; MAX_LABELS], hashes: [0; MAX_LABELS] }
    }
}

impl Suffixes {
    /// Hashes the suffixes of `name`, all but the root.
    pub fn hash(&mut self, name: NameRef<'_>, seed: u64) {
        self.hash_shortest(name, seed, MAX_LABELS);
    }

    /// Hashes the suffixes of `name` that have at most so many labels.
    pub fn hash_shortest(&mut self, name: NameRef<'_>, seed: u64, most_labels: usize) {
        let bytes = name.as_bytes();
        self.find_labels(bytes);
        self.skipped = self.labels.saturating_sub(most_labels);
        let mut hash = root_hash(seed);
        let mut end = bytes.len().saturating_sub(1);
        // Slices of the labels that there are: `take(n).rev()` would step over all the places behind them.
        let starts = self.starts.get(self.skipped..self.labels).unwrap_or_default();
        let places = self.hashes.get_mut(self.skipped..self.labels).unwrap_or_default();
        for (&start, place) in starts.iter().zip(places).rev() {
            let start = usize::from(start);
            hash = mix(hash, bytes.get(start..end).unwrap_or_default());
            *place = hash;
            end = start;
        }
    }

    fn find_labels(&mut self, bytes: &[u8]) {
        (self.labels, self.skipped) = (0, 0);
        // A name has at most 255 bytes, and no label behind its root label.
        let mut at = 0_u8;
        while let Some(&length) = bytes.get(usize::from(at))
            && length > 0
            && let Some(start) = self.starts.get_mut(self.labels)
        {
            *start = at;
            at = at.wrapping_add(length).wrapping_add(1);
            self.labels = self.labels.wrapping_add(1);
        }
    }

    /// How many labels the name has, the root label not counted.
    pub fn labels(&self) -> usize {
        self.labels
    }

    /// Where each suffix that is hashed starts within the name, and its hash, the longest first.
    pub fn iter(&self) -> impl Iterator<Item = (usize, u64)> {
        let starts = self.starts.get(self.skipped..self.labels).unwrap_or_default();
        let hashes = self.hashes.get(self.skipped..self.labels).unwrap_or_default();
        starts.iter().zip(hashes).map(|(&start, &hash)| (usize::from(start), hash))
    }
}

/// What the root hashes to.
pub fn root_hash(seed: u64) -> u64 {
    spread(seed ^ MULTIPLIER)
}

/// Takes a label, its length byte included, into a hash. Bit 5 is set in every byte so that letters of both cases
/// agree; that a few other bytes then agree as well does no harm.
#[inline]
fn mix(hash: u64, label: &[u8]) -> u64 {
    let (chunks, _) = label.as_chunks::<8>();
    let whole = chunks.iter().fold(hash, |hash, chunk| spread(hash ^ fold(u64::from_le_bytes(*chunk))));
    // The last bytes may overlap those that came before, which saves a loop over single bytes.
    spread(whole ^ fold(last_word(label)))
}

fn fold(word: u64) -> u64 {
    word | 0x2020_2020_2020_2020
}

fn spread(value: u64) -> u64 {
    let product = u128::from(value).wrapping_mul(u128::from(MULTIPLIER));
    (product >> 64) as u64 ^ product as u64
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Name;

    fn hashes(text: &str, seed: u64) -> Vec<u64> {
        let name: Name = text.parse().unwrap();
        let mut suffixes = Suffixes::default();
        suffixes.hash(name.as_ref(), seed);
        suffixes.iter().map(|(_, hash)| hash).collect()
    }

    #[test]
    fn equal_suffixes_hash_alike_in_any_case() {
        let (long, short) = (hashes("a.rather-long-label.Example.COM", 1), hashes("example.com", 1));
        assert_eq!(long.len(), 4);
        assert_eq!(long[2..], short);
        assert_ne!(long[0], long[1]);
    }

    #[test]
    fn the_seed_and_label_borders_matter() {
        assert_ne!(hashes("example.com", 1), hashes("example.com", 2));
        assert_ne!(hashes("ab.c", 1)[0], hashes("a.bc", 1)[0]);
        assert!(hashes(".", 1).is_empty());
    }

    #[test]
    fn the_longest_name_has_all_its_suffixes() {
        let text = "a.".repeat(MAX_LABELS);
        assert_eq!(hashes(&text, 1).len(), MAX_LABELS);
    }
}
