//! Eight bytes of text at a time, in a word: which of them are what one looks for, told by the high bit of each.

/// A word of text, its first byte the lowest.
#[derive(Clone, Copy)]
pub(crate) struct Eight(u64);

impl Eight {
    #[inline]
    pub(crate) fn new(bytes: [u8; 8]) -> Self {
        Self(u64::from_le_bytes(bytes))
    }

    /// Those that are `byte`, which is ASCII.
    #[inline]
    pub(crate) fn equal(self, byte: u8) -> u64 {
        self.within(byte, byte)
    }

    /// Those from `first` to `last`, which are ASCII.
    #[inline]
    pub(crate) fn within(self, first: u8, last: u8) -> u64 {
        self.ascii(self.at_least(first) & !self.at_least(last + 1))
    }

    /// Those that are at least `byte`, which is ASCII; nothing is said of bytes that are not.
    #[inline]
    pub(crate) fn at_least(self, byte: u8) -> u64 {
        (self.0 & !HIGH_BITS) + ONES * u64::from(0x80 - byte)
    }

    /// Those in which a bit is set.
    #[inline]
    pub(crate) fn with_bit(self, bit: u32) -> u64 {
        self.0 << (7 - bit)
    }

    /// Those of a mask that are ASCII; other bits than those of a mask are cleared.
    #[inline]
    pub(crate) fn ascii(self, mask: u64) -> u64 {
        mask & !self.0 & HIGH_BITS
    }

    /// The bytes with the bit set that tells small letters from capital ones.
    #[inline]
    pub(crate) fn lower(self) -> Self {
        Self(self.0 | (ONES * 0x20))
    }
}

/// The place of the first byte of a mask that is not empty.
#[inline]
pub(crate) fn first(mask: u64) -> usize {
    (mask.trailing_zeros() / 8) as usize
}

/// The mask of all bytes that are not in this one.
#[inline]
pub(crate) fn all_but(mask: u64) -> u64 {
    !mask & HIGH_BITS
}

/// All bits before the first byte of a mask; all of them if it is empty.
#[inline]
pub(crate) fn before(mask: u64) -> u64 {
    (mask & mask.wrapping_neg()).wrapping_sub(1)
}

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = ONES << 7;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_byte_is_found_where_it_stands() {
        for byte in 0..=u8::MAX {
            for place in 0..8 {
                let mut bytes = [b'/'; 8];
                bytes[place] = byte;
                let eight = Eight::new(bytes);
                let expected = |is_so: fn(u8) -> bool| u64::from_le_bytes(bytes.map(|byte| u8::from(is_so(byte)) << 7));
                assert_eq!(eight.equal(b'.'), expected(|byte| byte == b'.'));
                assert_eq!(eight.within(b'0', b'9'), expected(|byte| byte.is_ascii_digit()));
                assert_eq!(eight.lower().within(b'a', b'z'), expected(|byte| byte.is_ascii_alphabetic()));
                assert_eq!(eight.ascii(eight.with_bit(0)), expected(|byte| byte.is_ascii() && byte & 1 != 0));
                assert_eq!(all_but(eight.equal(b'"')), expected(|byte| byte != b'"'));
            }
        }
    }

    #[test]
    fn masks_tell_places() {
        assert_eq!((first(0x80), first(0x8080_0000)), (0, 2));
        assert_eq!((before(0x80), before(0x8080_0000), before(0)), (0x7f, 0x007f_ffff, u64::MAX));
    }
}
