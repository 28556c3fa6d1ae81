//! For tests of all floors: numbers that the same seed repeats, and bytes that they change.

/// A generator (Marsaglia's xorshift).
#[derive(Debug, Clone)]
pub(crate) struct Random(u64);

impl Random {
    /// The same seed gives the same numbers; it must not be 0.
    pub(crate) fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// A number below `bound`; 0 if that is 0.
    pub(crate) fn below(&mut self, bound: usize) -> usize {
        self.0 ^= self.0 << 13;
        self.0 ^= self.0 >> 7;
        self.0 ^= self.0 << 17;
        ((self.0 >> 11) as usize).checked_rem(bound).unwrap_or(0)
    }

    /// Any byte.
    pub(crate) fn byte(&mut self) -> u8 {
        self.below(256) as u8
    }

    /// Changes, drops, doubles or adds a few bytes.
    pub(crate) fn mutate(&mut self, bytes: &mut Vec<u8>) {
        for _ in 0..=self.below(4) {
            let place = self.below(bytes.len() + 1);
            let interesting = [0, 1, 0x3f, 0x40, 0x80, 0xc0, 0xff, self.byte()];
            let byte = interesting[self.below(interesting.len())];
            match self.below(4) {
                0 => bytes.insert(place, byte),
                1 if place < bytes.len() => drop(bytes.remove(place)),
                2 => bytes.truncate(place),
                _ => bytes.iter_mut().skip(place).take(1).for_each(|slot| *slot = byte),
            }
        }
    }
}
