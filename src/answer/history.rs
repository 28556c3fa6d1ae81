//! What is known of a zone's journal: whether it may be believed, and how far back it is this server's own.
//!
//! That is kept in memory, for a journal is written as by named, which has no place for it. What others have written
//! may add records that are there already, and is sent as it is.

use std::sync::atomic::{AtomicU64, Ordering};

use crate::dns::Serial;

/// See the module. Written by the control side alone.
#[derive(Debug, Default)]
pub(super) struct History(AtomicU64);

impl History {
    /// Whether the journal may lead to another version of the serial that is served.
    pub(super) fn is_stray(&self) -> bool {
        self.0.load(Ordering::Acquire) & STRAY != 0
    }

    pub(super) fn set_stray(&self, is_stray: bool) {
        if is_stray {
            self.0.fetch_or(STRAY, Ordering::AcqRel);
        } else {
            self.0.fetch_and(!STRAY, Ordering::AcqRel);
        }
    }

    /// The version from which on all that is in the journal was written here, and is exact.
    pub(super) fn own_from(&self) -> Option<Serial> {
        let word = self.0.load(Ordering::Acquire);
        Some(Serial(word as u32)).filter(|_| word & OWN != 0)
    }

    /// Whatever leads to this version may be of others.
    pub(super) fn begin(&self, serial: Serial) {
        let is_stray = self.0.load(Ordering::Acquire) & STRAY;
        self.0.store(is_stray | OWN | u64::from(serial.0), Ordering::Release);
    }

    /// What leads to this version was written here. One that is older than all before begins a history of its own.
    pub(super) fn go_on_to(&self, serial: Serial) {
        if self.own_from().is_none_or(|own_from| own_from.is_newer_than(serial)) {
            self.begin(serial);
        }
    }

    /// The same, for another.
    pub(super) fn copied(&self) -> Self {
        Self(AtomicU64::new(self.0.load(Ordering::Acquire)))
    }
}

const STRAY: u64 = 1 << 63;
/// The lowest 32 bits are a serial.
const OWN: u64 = 1 << 32;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_leads_on_from_the_first_version_is_own_until_an_older_one_begins_anew() {
        let history = History::default();
        assert_eq!(history.own_from(), None);
        for (serial, own_from) in [(7, 7), (9, 7), (8, 7), (5, 5), (6, 5)] {
            history.go_on_to(Serial(serial));
            assert_eq!(history.own_from(), Some(Serial(own_from)), "{serial}");
        }
        history.begin(Serial(9));
        assert_eq!(history.copied().own_from(), Some(Serial(9)));
    }

    #[test]
    fn whether_a_journal_is_astray_is_known_whatever_is_served() {
        let history = History::default();
        history.set_stray(true);
        history.go_on_to(Serial(u32::MAX));
        assert!(history.is_stray() && history.copied().is_stray());
        history.set_stray(false);
        assert!(!history.is_stray());
        assert_eq!(history.own_from(), Some(Serial(u32::MAX)));
    }
}
