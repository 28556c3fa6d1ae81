//! Hashes of the suffixes of a name.
//!
//! Two things look up the longest suffix that they know: the message writer for compression without regard to case, and
//! the table of zones for the zone that a name belongs to. ASCII case makes no difference to the hash, so a hit has to
//! be compared in the way that its user wants. With a random seed nobody can choose names that collide.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::NameRef;
use super::case::last_word;
use super::name::{MAX_LABEL, MAX_LABELS, MAX_NAME, NameError};

/// Any odd constant with bits all over: a multiplication spreads each byte over the whole product.
const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;

/// The suffixes of one name at a time; the memory is used again for the next.
#[derive(Debug, Clone)]
pub struct Suffixes {
    labels: usize,
    starts: [u8; MAX_LABELS],
    hashes: [u64; MAX_LABELS],
}

impl Default for Suffixes {
    fn default() -> Self {
        Self { labels: 0, starts: [0; MAX_LABELS], hashes: [0; MAX_LABELS] }
    }
}

impl Suffixes {
    /// Hashes the suffixes of `name`, all but the root, each from the one behind it.
    pub fn hash(&mut self, name: NameRef<'_>, seed: u64) {
        let bytes = name.as_bytes();
        self.find_labels(bytes);
        let mut hash = seed;
        let mut end = bytes.len().wrapping_sub(1);
        let mut left = self.labels;
        while left > 0 {
            left = left.wrapping_sub(1);
            let (Some(&start), Some(place)) = (self.starts.get(left), self.hashes.get_mut(left)) else { return };
            let start = usize::from(start);
            hash = mix(hash, bytes.get(start..end).unwrap_or_default());
            *place = hash;
            end = start;
        }
    }

    /// Reads the name at the start of `bytes` as [`NameRef::from_prefix`] does, and finds its labels.
    pub fn read<'b>(&mut self, bytes: &'b [u8]) -> Result<NameRef<'b>, NameError> {
        let (mut at, mut labels) = (0_usize, 0_usize);
        loop {
            let length = *bytes.get(at).ok_or(NameError::BadWire)?;
            if usize::from(length) > MAX_LABEL {
                return Err(NameError::BadWire);
            }
            let next = at.wrapping_add(1).wrapping_add(length.into());
            if next > MAX_NAME {
                return Err(NameError::NameTooLong);
            }
            if length == 0 {
                self.labels = labels;
                return bytes.get(..next).map(NameRef::from_checked).ok_or(NameError::BadWire);
            }
            *self.starts.get_mut(labels).ok_or(NameError::NameTooLong)? = at as u8;
            (at, labels) = (next, labels.wrapping_add(1));
        }
    }

    /// Only finds the labels of a name, for [`Self::last`].
    pub fn find(&mut self, name: NameRef<'_>) {
        self.find_labels(name.as_bytes());
    }

    /// The suffix of so many labels of the name whose labels were found.
    pub fn last<'n>(&self, name: NameRef<'n>, labels: usize) -> Option<&'n [u8]> {
        let first = self.labels.checked_sub(labels)?;
        let start = if labels == 0 { name.len().wrapping_sub(1) } else { usize::from(*self.starts.get(first)?) };
        name.as_bytes().get(start..)
    }

    fn find_labels(&mut self, bytes: &[u8]) {
        self.labels = 0;
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
        let starts = self.starts.get(..self.labels).unwrap_or_default();
        let hashes = self.hashes.get(..self.labels).unwrap_or_default();
        starts.iter().zip(hashes).map(|(&start, &hash)| (usize::from(start), hash))
    }
}

/// The hash of a whole name, by its bytes.
#[inline]
pub fn hash(name: &[u8], seed: u64) -> u64 {
    mix(seed, name)
}

/// Takes labels, their length bytes included, into a hash. Bit 5 is set in every byte so that letters of both cases
/// agree; that a few other bytes then agree as well does no harm.
#[inline]
fn mix(hash: u64, labels: &[u8]) -> u64 {
    // The last bytes may overlap those that came before, which saves a loop over single bytes.
    let (mut hash, mut rest) = (hash ^ MULTIPLIER, labels);
    while let Some((chunk, behind)) = rest.split_first_chunk()
        && !behind.is_empty()
    {
        hash = spread(hash ^ fold(u64::from_le_bytes(*chunk)));
        rest = behind;
    }
    spread(hash ^ fold(last_word(labels)))
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
    fn suffixes_are_counted_from_the_last_label() {
        let name: Name = "a.rather-long-label.Example.COM".parse().unwrap();
        let mut suffixes = Suffixes::default();
        suffixes.find(name.as_ref());
        let last = |labels| suffixes.last(name.as_ref(), labels).map(|bytes| hash(bytes, 1));
        let expected = |text: &str| Some(hash(text.parse::<Name>().unwrap().as_ref().as_bytes(), 1));
        assert_eq!([last(0), last(1), last(2)], [expected("."), expected("com"), expected("example.com")]);
        assert_eq!((last(4), last(5)), (expected("A.RATHER-long-label.example.com"), None));
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
