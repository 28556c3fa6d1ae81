//! ASCII case, eight bytes at a time: names are compared with every query.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

const HIGH_BITS: u64 = 0x8080_8080_8080_8080;

/// Whether two byte strings are the same but for the case of letters.
#[inline]
pub(crate) fn is_same(left: &[u8], right: &[u8]) -> bool {
    if left.len() != right.len() {
        return false;
    }
    let begins_same = match (left.first_chunk(), right.first_chunk()) {
        (Some(word), Some(other)) => is_same_word(u64::from_le_bytes(*word), u64::from_le_bytes(*other)),
        _ => true,
    };
    // The last words of strings of up to sixteen bytes hold all that the first ones do not.
    begins_same && is_same_word(last_word(left), last_word(right)) && (left.len() <= 16 || is_same_within(left, right))
}

fn is_same_within(left: &[u8], right: &[u8]) -> bool {
    let (words, _) = left.as_chunks::<8>();
    let (others, _) = right.as_chunks::<8>();
    let mut pairs = words.iter().zip(others);
    pairs.all(|(word, other)| is_same_word(u64::from_le_bytes(*word), u64::from_le_bytes(*other)))
}

/// Where two byte strings of the same length first differ but for the case of letters.
#[inline]
pub(crate) fn first_difference(left: &[u8], right: &[u8]) -> Option<usize> {
    let ((words, rest), (others, other_rest)) = (left.as_chunks::<8>(), right.as_chunks::<8>());
    let mut at = 0_usize;
    for (word, other) in words.iter().zip(others) {
        let difference = lower(u64::from_le_bytes(*word)) ^ lower(u64::from_le_bytes(*other));
        if difference != 0 {
            return Some(at.wrapping_add(difference.trailing_zeros() as usize / 8));
        }
        at = at.wrapping_add(8);
    }
    let mut pairs = rest.iter().zip(other_rest);
    pairs.position(|(byte, other)| !byte.eq_ignore_ascii_case(other)).map(|behind| at.wrapping_add(behind))
}

/// How many bytes at their ends are the very same in two byte strings.
#[inline]
pub(crate) fn common_end(left: &[u8], right: &[u8]) -> usize {
    let (mut left_rest, mut right_rest) = (left, right);
    while let (Some((front, word)), Some((other_front, other))) =
        (left_rest.split_last_chunk(), right_rest.split_last_chunk())
    {
        let difference = u64::from_le_bytes(*word) ^ u64::from_le_bytes(*other);
        if difference != 0 {
            let behind = left.len().wrapping_sub(left_rest.len());
            return behind.wrapping_add(difference.leading_zeros() as usize / 8);
        }
        (left_rest, right_rest) = (front, other_front);
    }
    let pairs = left_rest.iter().rev().zip(right_rest.iter().rev());
    left.len().wrapping_sub(left_rest.len()).wrapping_add(pairs.take_while(|(byte, other)| byte == other).count())
}

/// The last bytes of a string in one word, at most eight: the same for the same bytes, and different for strings of
/// the same length with other bytes there.
#[inline]
pub(crate) fn last_word(bytes: &[u8]) -> u64 {
    if let Some(last) = bytes.last_chunk() {
        return u64::from_le_bytes(*last);
    }
    if let (Some(first), Some(last)) = (bytes.first_chunk(), bytes.last_chunk()) {
        return u64::from(u32::from_le_bytes(*first)) << 32 | u64::from(u32::from_le_bytes(*last));
    }
    match *bytes {
        [] => 0,
        [a] => u64::from(a),
        [a, b] => u64::from(u16::from_le_bytes([a, b])),
        [a, b, c, ..] => u64::from(u32::from_le_bytes([a, b, c, 0])),
    }
}

/// Whether there is a capital letter.
#[inline]
pub(crate) fn has_capitals(bytes: &[u8]) -> bool {
    let is_changed = |word: u64| lower(word) != word;
    bytes.as_chunks().0.iter().any(|word| is_changed(u64::from_le_bytes(*word))) || is_changed(last_word(bytes))
}

#[inline]
fn is_same_word(word: u64, other: u64) -> bool {
    // Letters of both cases differ in one bit.
    (word ^ other) & !repeated(0x20) == 0 && (word == other || lower(word) == lower(other))
}

/// The word with each byte that is a capital letter made a small one.
#[inline]
fn lower(word: u64) -> u64 {
    let low_bits = word & !HIGH_BITS;
    // The high bit of a byte of either sum says that the byte is beyond Z, or at least A.
    let beyond = low_bits.wrapping_add(repeated(0x7f - b'Z'));
    let at_least = low_bits.wrapping_add(repeated(0x80 - b'A'));
    let capitals = !word & HIGH_BITS & (beyond ^ at_least);
    word | capitals >> 2
}

const fn repeated(byte: u8) -> u64 {
    u64::from_le_bytes([byte; 8])
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_folded_as_ascii_has_it() {
        for byte in 0..=u8::MAX {
            assert_eq!(lower(repeated(byte)), repeated(byte.to_ascii_lowercase()), "{byte}");
        }
    }

    #[test]
    fn strings_of_any_length_compare_as_byte_by_byte() {
        let text = b"A rather LONG text, with @[`{ beside the letters";
        for length in 0..text.len() {
            let left = &text[..length];
            assert!(is_same(left, &left.to_ascii_lowercase()));
            assert_eq!(has_capitals(left), left.iter().any(u8::is_ascii_uppercase));
            assert!((0..length).all(|from| !has_capitals(&left[from..].to_ascii_lowercase())));
            assert_eq!(first_difference(left, &left.to_ascii_lowercase()), None);
            for place in 0..length {
                let mut right = left.to_ascii_uppercase();
                right[place] ^= 0x80;
                assert!(!is_same(left, &right), "{length} {place}");
                assert_eq!(first_difference(left, &right), Some(place));
                let mut right = left.to_vec();
                right[place] ^= 0x20;
                assert_eq!(common_end(&right, left), length - place - 1);
                assert_eq!(common_end(left, &left[place..]), length - place);
            }
        }
        assert!(!is_same(b"ab", b"abc"));
    }
}
