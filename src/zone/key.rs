//! Names as trie keys: sequences of small numbers whose order is the canonical order of names.
//!
//! A key is made of the labels of a name relative to the apex, last label first, in lower case. Bytes that are common
//! in host names are one number each; any other byte is an escape and a second number. Each label is closed by
//! [`NOBYTE`], which sorts before everything, and behind its end a key goes on with `NOBYTE` for ever, so a name comes
//! right before its descendants (RFC 4034 section 6.1). Numbers are below 47, so a set of them fits into a word.

use std::cmp::Ordering;

/// Ends a label; the numbers behind the end of a key.
pub(super) const NOBYTE: u8 = 0;

/// The longest key: 254 bytes of labels, all of them escaped.
pub(super) const MAX_KEY: usize = 512;
/// How many different second numbers an escape has.
const ESCAPED: u8 = 46;
/// Marks a byte of two numbers in [`CODES`].
const ESCAPE: u8 = 0x80;
/// Length of a SHA-1 digest, the only hash of NSEC3.
pub(super) const HASH_LENGTH: usize = 20;
/// Length of the label that stands for one, its length byte included: base32 with the extended hex alphabet.
pub(super) const HASH_LABEL_LENGTH: usize = 33;

/// The key of one name.
#[derive(Clone, Debug)]
pub(super) struct Key {
    numbers: [u8; MAX_KEY],
    len: usize,
}

impl Key {
    /// The key of the apex.
    pub(super) const fn empty() -> Self {
        Self { numbers: [NOBYTE; MAX_KEY], len: 0 }
    }

    /// The key of a name given by its labels relative to the apex, in wire form without a root label.
    pub(super) fn of_labels(labels: &[u8]) -> Self {
        let mut key = Self::empty();
        key.set(labels);
        key
    }

    /// Makes this the key of another name.
    pub(super) fn set(&mut self, labels: &[u8]) {
        let before = std::mem::take(&mut self.len);
        match split_label(labels) {
            // A lone label, as most names have below the apex.
            Some((label, [])) => self.push_label(label),
            _ => self.push_labels(labels),
        }
        if let Some(rest) = self.numbers.get_mut(self.len..before) {
            rest.fill(NOBYTE);
        }
    }

    /// Goes on with labels, the last first.
    fn push_labels(&mut self, labels: &[u8]) {
        if let Some((first, others)) = split_label(labels) {
            if !others.is_empty() {
                self.push_labels(others);
            }
            self.push_label(first);
        }
    }

    /// Goes on with one more label.
    #[inline]
    pub(super) fn push_label(&mut self, label: &[u8]) {
        let end = self.len + label.len();
        let mut all = ESCAPE;
        if let Some(places) = self.numbers.get_mut(self.len..end) {
            all = 0;
            for (place, &byte) in places.iter_mut().zip(label) {
                *place = CODES[usize::from(byte)];
                all |= *place;
            }
        }
        if all & ESCAPE == 0 { self.close_label(end) } else { self.push_odd_label(label) }
    }

    /// The same for a label with bytes of two numbers.
    fn push_odd_label(&mut self, label: &[u8]) {
        // No name is too long for a key; the masks only show that no index is.
        let mut len = self.len;
        for &byte in label {
            let (first, second) = NUMBERS[usize::from(byte)];
            self.numbers[len % MAX_KEY] = first;
            self.numbers[(len + 1) % MAX_KEY] = second;
            len += 1 + usize::from(second != NOBYTE);
        }
        self.close_label(len);
    }

    fn close_label(&mut self, end: usize) {
        self.numbers[end % MAX_KEY] = NOBYTE;
        self.len = (end + 1).min(MAX_KEY);
    }

    /// Makes this the key of the one label that stands for a hash (RFC 5155 section 3.3), and returns that label.
    pub(super) fn set_hash(&mut self, hash: &[u8; HASH_LENGTH]) -> [u8; HASH_LABEL_LENGTH] {
        let before = self.len;
        let mut label = [HASH_LABEL_LENGTH as u8 - 1; HASH_LABEL_LENGTH];
        let places = self.numbers.as_chunks_mut::<8>().0.iter_mut().zip(label[1..].as_chunks_mut::<8>().0);
        for ((numbers, text), bits) in places.zip(hash.as_chunks::<5>().0) {
            let (letters, digits) = (above_nine(spread(*bits)), spread(*bits));
            *numbers = (digits + FIRST_DIGIT + letters * LETTERS_BEHIND_DIGITS).to_be_bytes();
            *text = (digits + repeated(b'0') + letters * (b'a' - b'9' - 1) as u64).to_be_bytes();
        }
        self.close_label(HASH_LABEL_LENGTH - 1);
        if let Some(rest) = self.numbers.get_mut(self.len..before) {
            rest.fill(NOBYTE);
        }
        label
    }

    /// How many numbers the key has, the endless `NOBYTE`s behind them not counted.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// The number at `offset`.
    pub(super) fn at(&self, offset: usize) -> u8 {
        self.numbers.get(offset).copied().unwrap_or(NOBYTE)
    }

    /// Leaves only the first `len` numbers.
    pub(super) fn truncate(&mut self, len: usize) {
        let before = std::mem::replace(&mut self.len, len);
        if let Some(rest) = self.numbers.get_mut(len..before) {
            rest.fill(NOBYTE);
        }
    }

    /// Where this key and `other` first differ; none if they are the same.
    pub(super) fn first_difference(&self, other: &Self) -> Option<usize> {
        // Behind its end a key is all NOBYTE.
        let words = self.len.max(other.len).div_ceil(16);
        let pairs = self.numbers.as_chunks().0.iter().zip(other.numbers.as_chunks().0).take(words);
        for ((left, right), at) in pairs.zip((0..).step_by(16)) {
            let difference = u128::from_le_bytes(*left) ^ u128::from_le_bytes(*right);
            if difference != 0 {
                return Some(at + (difference.trailing_zeros() / 8) as usize);
            }
        }
        None
    }

    /// Where this key and that of the name with these labels first differ; none if they are the same. The other key is
    /// not made.
    pub(super) fn difference_from(&self, labels: &[u8]) -> Option<Difference> {
        match self.match_labels(labels) {
            Ok(at) => (at < self.len).then_some(Difference { at, is_after: true, is_whole: true }),
            Err(difference) => Some(difference),
        }
    }

    /// How many numbers of the key are these labels, or where the two part.
    fn match_labels(&self, labels: &[u8]) -> Result<usize, Difference> {
        let Some((label, others)) = split_label(labels) else { return Ok(0) };
        let start = if others.is_empty() { 0 } else { self.match_labels(others)? };
        let ours = self.numbers.get(start..start + label.len()).unwrap_or_default();
        let same = ours.iter().zip(label).take_while(|(number, byte)| **number == CODES[usize::from(**byte)]).count();
        let mut at = start + same;
        for &byte in label.get(same..).unwrap_or_default() {
            let (first, second) = NUMBERS[usize::from(byte)];
            let escaped = (second != NOBYTE).then_some(second);
            for number in [first].into_iter().chain(escaped) {
                if self.at(at) != number {
                    return Err(Difference { at, is_after: self.at(at) > number, is_whole: false });
                }
                at += 1;
            }
        }
        if self.at(at) != NOBYTE {
            return Err(Difference { at, is_after: true, is_whole: false });
        }
        Ok(at + 1)
    }

    /// Where the last `count` labels of the name end in the key.
    pub(super) fn end_of_labels(&self, count: usize) -> usize {
        let numbers = self.numbers.get(..self.len).unwrap_or_default();
        let mut ends = numbers.iter().enumerate().filter(|(_, number)| **number == NOBYTE);
        count.checked_sub(1).and_then(|before| ends.nth(before)).map_or(0, |(at, _)| at + 1)
    }

    /// How many whole labels the first `count` numbers hold, and where the last of them ends.
    pub(super) fn labels_within(&self, count: usize) -> (usize, usize) {
        let numbers = self.numbers.get(..count.min(self.len)).unwrap_or_default();
        let labels = numbers.iter().filter(|number| **number == NOBYTE).count();
        (labels, numbers.iter().rposition(|number| *number == NOBYTE).map_or(0, |last| last + 1))
    }

    /// The first 18 numbers packed so that they compare like the key.
    #[inline]
    pub(super) fn prefix(&self) -> Prefix {
        let [first, second, third, ..] = self.numbers.as_chunks::<8>().0 else { return Prefix::default() };
        let [first, second, third] = [first, second, third].map(|numbers| packed(*numbers));
        Prefix { head: first << 16 | second >> 32, tail: [(second >> 16) as u16, second as u16, (third >> 32) as u16] }
    }

    /// Whether the label `*` stands at `offset`.
    pub(super) fn has_wildcard_at(&self, offset: usize) -> bool {
        let (first, second) = NUMBERS[usize::from(b'*')];
        self.at(offset) == first && self.at(offset + 1) == second && self.at(offset + 2) == NOBYTE
    }

    /// Whether a label may start at `offset`.
    pub(super) fn is_label_start(&self, offset: usize) -> bool {
        offset == 0 || self.at(offset - 1) == NOBYTE
    }
}

/// Where a key and another part.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Difference {
    /// The offset of the first number that is not the same.
    pub(super) at: usize,
    /// Whether the key comes behind the other.
    pub(super) is_after: bool,
    /// Whether all labels of the other are in the key.
    pub(super) is_whole: bool,
}

/// The first label without its length byte, and the labels behind it.
#[inline]
fn split_label(labels: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = labels.split_first()?;
    rest.split_at_checked(length.into())
}

/// Where the labels of a name start.
struct LabelStarts {
    starts: [u8; 128],
    count: usize,
}

impl LabelStarts {
    #[inline]
    fn new(labels: &[u8]) -> Self {
        let mut found = Self { starts: [0; 128], count: 0 };
        let mut at = 0;
        while let Some(&length) = labels.get(at) {
            found.starts[found.count % 128] = at as u8;
            found.count += 1;
            at += 1 + usize::from(length);
        }
        found
    }
}

/// The labels of a name relative to the apex, without their length bytes, the last first.
pub(super) fn last_first(labels: &[u8]) -> impl Iterator<Item = &[u8]> {
    let starts = LabelStarts::new(labels);
    let mut end = labels.len();
    (0..starts.count).rev().map(move |at| {
        let start = usize::from(starts.starts[at % 128]);
        let label = labels.get(start + 1..end).unwrap_or_default();
        end = start;
        label
    })
}

impl PartialEq for Key {
    fn eq(&self, other: &Self) -> bool {
        self.first_difference(other).is_none()
    }
}
impl Eq for Key {}

impl Ord for Key {
    fn cmp(&self, other: &Self) -> Ordering {
        let longer = self.len.max(other.len);
        self.numbers[..longer].cmp(&other.numbers[..longer])
    }
}

impl PartialOrd for Key {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Eight numbers of six bits side by side.
#[inline]
fn packed(numbers: [u8; 8]) -> u64 {
    let word = u64::from_be_bytes(numbers);
    let pairs = (word & 0x003f_003f_003f_003f) | (word & 0x3f00_3f00_3f00_3f00) >> 2;
    let fours = (pairs & 0x0000_0fff_0000_0fff) | (pairs & 0x0fff_0000_0fff_0000) >> 4;
    (fours & 0x00ff_ffff) | fours >> 32 << 24
}

/// The beginning of a key: 18 numbers of six bits and four bits more, in no more than 14 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default)]
pub(super) struct Prefix {
    pub(super) head: u64,
    pub(super) tail: [u16; 3],
}

impl Prefix {
    /// Whether the key ends within the prefix, so that keys with the same prefix are the same. No label is empty, so
    /// two `NOBYTE`s in a row are behind the end.
    pub(super) fn is_whole(self) -> bool {
        self.tail[2] == 0
    }
}

/// The keys of names that come one after the other, without an allocation or a copy for each.
pub(super) struct Successive {
    current: Box<Key>,
    previous: Box<Key>,
}

impl Successive {
    /// Goes on to the next name.
    pub(super) fn next(&mut self, labels: &[u8]) {
        std::mem::swap(&mut self.current, &mut self.previous);
        self.current.set(labels);
    }

    /// Forgets the last name: the one before it is the current one again, and there is none before.
    pub(super) fn go_back(&mut self) {
        std::mem::swap(&mut self.current, &mut self.previous);
    }

    /// The key of the last name.
    pub(super) fn current(&self) -> &Key {
        &self.current
    }

    /// The key of the one before.
    pub(super) fn previous(&self) -> &Key {
        &self.previous
    }
}

impl Default for Successive {
    fn default() -> Self {
        Self { current: Box::new(Key::empty()), previous: Box::new(Key::empty()) }
    }
}

/// The one or two numbers of each byte; the second is `NOBYTE` if there is none.
const NUMBERS: [(u8, u8); 256] = numbers();

/// The first number of each byte, with [`ESCAPE`] if there is a second.
static CODES: [u8; 256] = codes();

const fn codes() -> [u8; 256] {
    let mut codes = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let (first, second) = NUMBERS[byte];
        codes[byte] = if second == NOBYTE { first } else { first | ESCAPE };
        byte += 1;
    }
    codes
}

/// The number of `0`, in each byte, and by how many numbers `a` comes behind `9` more than in base32.
const FIRST_DIGIT: u64 = repeated(NUMBERS[b'0' as usize].0);
const LETTERS_BEHIND_DIGITS: u64 = (NUMBERS[b'a' as usize].0 - NUMBERS[b'9' as usize].0 - 1) as u64;

const fn repeated(byte: u8) -> u64 {
    u64::from_ne_bytes([byte; 8])
}

/// Eight groups of five bits, each in a byte of its own.
fn spread(bytes: [u8; 5]) -> u64 {
    let [a, b, c, d, e] = bytes.map(u64::from);
    let bits = a << 32 | b << 24 | c << 16 | d << 8 | e;
    let halves = bits & 0xf_ffff | (bits & 0xff_fff0_0000) << 12;
    let quarters = halves & 0x03ff_0000_03ff | (halves & 0xf_fc00_000f_fc00) << 6;
    quarters & 0x001f_001f_001f_001f | (quarters & 0x03e0_03e0_03e0_03e0) << 3
}

/// A one in each byte that is more than nine.
fn above_nine(bytes: u64) -> u64 {
    (bytes + repeated(0x80 - 10)) >> 7 & repeated(1)
}

const fn numbers() -> [(u8, u8); 256] {
    let mut table = [(0, 0); 256];
    let (mut first, mut second) = (NOBYTE, ESCAPED);
    let mut byte = 0;
    while byte < 256 {
        let folded = byte as u8;
        if folded.is_ascii_uppercase() {
            // Filled in below, with the numbers of the small letter.
        } else if is_common(folded) {
            first += 1;
            table[byte] = (first, NOBYTE);
            second = ESCAPED;
        } else {
            // A new escape when the last is used up or a common byte lies between.
            if second == ESCAPED {
                first += 1;
                second = 0;
            }
            second += 1;
            table[byte] = (first, second);
        }
        byte += 1;
    }
    let mut letter = b'A';
    while letter <= b'Z' {
        table[letter as usize] = table[letter.to_ascii_lowercase() as usize];
        letter += 1;
    }
    table
}

const fn is_common(byte: u8) -> bool {
    matches!(byte, b'-' | b'0'..=b'9' | b'_' | b'a'..=b'z')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Name;

    fn key(text: &str) -> Key {
        let name: Name = text.parse().unwrap();
        let bytes = name.as_ref().as_bytes();
        Key::of_labels(&bytes[..bytes.len() - 1])
    }

    #[test]
    fn every_byte_orders_as_its_lower_case() {
        for left in 0..=255_u8 {
            for right in 0..=255_u8 {
                let (a, b) = (Key::of_labels(&[1, left]), Key::of_labels(&[1, right]));
                assert_eq!(a.cmp(&b), left.to_ascii_lowercase().cmp(&right.to_ascii_lowercase()), "{left} {right}");
            }
        }
        assert!(NUMBERS.iter().all(|&(first, second)| first < 47 && second < 47 && first > NOBYTE));
    }

    #[test]
    fn keys_order_as_names_do() {
        let texts = [
            ".",
            "example.",
            "a.example.",
            "yljkjljk.a.example.",
            "Z.a.example.",
            "zABC.a.EXAMPLE.",
            "z.example.",
            "\\001.z.example.",
            "*.z.example.",
            "\\200.z.example.",
            "examplez.",
        ];
        for pair in texts.windows(2) {
            assert!(key(pair[0]) < key(pair[1]), "{pair:?}");
        }
    }

    #[test]
    fn the_longest_names_have_whole_keys() {
        let escaped = key(&format!("{0}.{0}.{0}.{1}.", "\\255".repeat(63), "\\255".repeat(61)));
        assert_eq!(escaped.len(), 2 * (3 * 63 + 61) + 4);
        assert_eq!(escaped.labels_within(escaped.len()), (4, escaped.len()));
        assert_eq!(key(&"a.".repeat(127)).labels_within(512), (127, 2 * 127));
    }

    #[test]
    fn equal_prefixes_that_are_whole_are_equal_keys() {
        let (short, long) = (key("a.example."), key("a.example.a-label-that-is-too-long."));
        assert!(short.prefix().is_whole() && !long.prefix().is_whole());
        assert_ne!(short.prefix(), key("aa.example.").prefix());
        assert_eq!(long.prefix(), key("b.example.a-label-that-is-too-long.").prefix());
        assert!(key("0123456789012345.").prefix().is_whole());
        assert!(key("a.01234567890123.").prefix().is_whole());
        assert!(!key("a.012345678901234.").prefix().is_whole());
    }

    #[test]
    fn prefixes_hold_the_first_numbers() {
        for text in [".", "a.", "abcdefgh.ijklmnop.qrstuvwx.", "0123456789-_abcdefghijklmnop.z."] {
            let key = key(text);
            let packed = key.numbers[..19].iter().fold(0, |packed, &number| packed << 6 | u128::from(number)) >> 2;
            let tail = [packed >> 32, packed >> 16, packed].map(|bits| bits as u16);
            assert_eq!(key.prefix(), Prefix { head: (packed >> 48) as u64, tail }, "{text}");
        }
    }

    #[test]
    fn a_key_that_is_set_anew_keeps_nothing() {
        let mut keys = Successive::default();
        for labels in [b"\x03www\x07example".as_slice(), b"\x01a", b"", b"\x02bc\x01d"] {
            keys.next(labels);
            assert_eq!(keys.current().numbers, Key::of_labels(labels).numbers);
        }
        assert_eq!(keys.previous().len(), 0);
    }

    #[test]
    fn a_key_compares_with_labels_as_with_their_key() {
        let texts = [".", "a.", "A.b.", "aa.b.", "\\001a.b.", "\\002a.b.", "b.", "x.y.z.", "x.y-y.z."];
        for (left, right) in texts.iter().flat_map(|left| texts.iter().map(move |right| (left, right))) {
            let (one, other, name) = (key(left), key(right), right.parse::<Name>().unwrap());
            let bytes = name.as_ref().as_bytes();
            let expected = one.first_difference(&other).map(|at| (at, one.cmp(&other).is_gt()));
            let found = one.difference_from(&bytes[..bytes.len() - 1]);
            assert_eq!(found.map(|found| (found.at, found.is_after)), expected, "{left} {right}");
            let is_whole = other.len() < one.len() && expected.is_some_and(|(at, _)| at == other.len());
            assert_eq!(found.is_some_and(|found| found.is_whole), is_whole, "{left} {right}");
        }
    }

    #[test]
    fn the_key_of_a_hash_is_that_of_its_label() {
        let mut made = key("a-name-that-was-there.before.it-was-set-to-a-hash.");
        for hash in (0..=255_u8).map(|byte| std::array::from_fn(|at| byte.wrapping_mul(at as u8 ^ 0x5b))) {
            let text = data_encoding::BASE32_DNSSEC.encode(&hash);
            let label = made.set_hash(&hash);
            assert_eq!(label, *[&[32], text.as_bytes()].concat());
            assert_eq!(made.numbers, key(&text).numbers);
        }
    }

    #[test]
    fn labels_are_found_in_keys() {
        let (www, wwx) = (key("www.example."), key("wwx.example."));
        let common = www.first_difference(&wwx).unwrap();
        assert_eq!(common, "example.ww".len());
        assert_eq!(www.labels_within(common), (1, "example.".len()));
        assert_eq!([0, 7, 8, www.len()].map(|count| www.labels_within(count).0), [0, 0, 1, 2]);
        let mut parent = www.clone();
        parent.truncate(8);
        assert_eq!((parent.len(), parent.numbers), (8, key("EXAMPLE.").numbers));
        assert_eq!(www.first_difference(&key("WWW.example.")), None);
    }
}
