//! What may be the case of a zone, a bit for each: with very many zones, each byte counts.

use std::sync::atomic::{AtomicU8, Ordering};

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Flags(AtomicU8);

/// One of them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag {
    /// Somebody has asked for contents when there were none.
    Awaited = 1,
    /// No updates are made.
    Frozen = 2,
    /// The journal may lead to another version of the serial that is served.
    StrayJournal = 4,
}

impl Flags {
    pub(super) fn is(&self, flag: Flag) -> bool {
        self.0.load(Ordering::Acquire) & flag as u8 != 0
    }

    /// Says whether something is the case; returns whether it was.
    pub(super) fn set(&self, flag: Flag, is_so: bool) -> bool {
        let before = match is_so {
            true => self.0.fetch_or(flag as u8, Ordering::AcqRel),
            false => self.0.fetch_and(!(flag as u8), Ordering::AcqRel),
        };
        before & flag as u8 != 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_is_set_and_taken_back_without_the_others() {
        let flags = Flags::default();
        assert!(!flags.set(Flag::Frozen, true) && flags.set(Flag::Frozen, true));
        assert!(!flags.set(Flag::Awaited, true) && !flags.is(Flag::StrayJournal));
        assert!(flags.set(Flag::Frozen, false) && !flags.is(Flag::Frozen) && flags.is(Flag::Awaited));
    }
}
