//! A small generator of pseudo-random numbers (SplitMix64), seeded by the caller.
//!
//! It spreads timers. It is not for query IDs: those have to be hard to guess.

/// The generator.
#[derive(Debug, Clone)]
pub struct Random(u64);

impl Random {
    /// The same seed gives the same numbers.
    pub fn new(seed: u64) -> Self {
        Self(seed)
    }

    /// The next 64 bits.
    pub fn next_u64(&mut self) -> u64 {
        self.0 = self.0.wrapping_add(0x9e37_79b9_7f4a_7c15);
        let mixed = (self.0 ^ (self.0 >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
        let mixed = (mixed ^ (mixed >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
        mixed ^ (mixed >> 31)
    }

    /// A number below `bound`; 0 if that is 0.
    pub fn below(&mut self, bound: u64) -> u64 {
        self.next_u64().checked_rem(bound).unwrap_or(0)
    }

    /// `value` less up to `spread`, exclusive.
    pub fn jitter(&mut self, value: u64, spread: u64) -> u64 {
        value.saturating_sub(self.below(spread))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn jitter_stays_within_its_spread() {
        let mut random = Random::new(1);
        for _ in 0..10_000 {
            assert!((76..=100).contains(&random.jitter(100, 25)));
        }
        assert_eq!(random.jitter(7, 0), 7);
    }
}
