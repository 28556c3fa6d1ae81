//! When members follow their catalog: at once, but no more often than `min-update-interval` has it.

use std::time::{Duration, Instant};

/// What was asked of one catalog.
#[derive(Debug, Default)]
pub(super) struct Schedule {
    /// When members followed last.
    began: Option<Instant>,
    /// When they do next, if that is set.
    due: Option<Instant>,
    is_running: bool,
    /// Whether the catalog changed while they did.
    is_asked: bool,
}

/// When members follow.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum Turn {
    /// At once.
    Now,
    /// In so many seconds.
    In(u64),
    /// They will in any case.
    Set,
}

impl Schedule {
    /// The catalog has changed.
    pub(super) fn ask(&mut self, now: Instant, interval: Duration) -> Turn {
        if self.is_running || self.due.is_some() {
            self.is_asked = self.is_running;
            return Turn::Set;
        }
        // BIND: in whole seconds.
        let passed_s = self.began.map(|began| now.saturating_duration_since(began).as_secs());
        match passed_s.map_or(0, |passed_s| interval.as_secs().saturating_sub(passed_s)) {
            0 => Turn::Now,
            wait_s => self.wait(now, wait_s),
        }
    }

    /// Members begin to follow.
    pub(super) fn begin(&mut self, now: Instant) {
        *self = Self { began: Some(now), due: None, is_running: true, is_asked: false };
    }

    /// They have followed, or could not. Gives their next turn if the catalog has changed meanwhile.
    pub(super) fn end(&mut self, now: Instant, interval: Duration) -> Option<Turn> {
        self.is_running = false;
        if !std::mem::take(&mut self.is_asked) {
            return None;
        }
        Some(if interval.is_zero() { Turn::Now } else { self.wait(now, interval.as_secs()) })
    }

    /// When they follow next.
    pub(super) fn due(&self) -> Option<Instant> {
        self.due
    }

    #[cfg(test)]
    pub(super) fn is_running(&self) -> bool {
        self.is_running
    }

    fn wait(&mut self, now: Instant, wait_s: u64) -> Turn {
        self.due = Some(now + Duration::from_secs(wait_s));
        Turn::In(wait_s)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const INTERVAL: Duration = Duration::from_secs(5);

    #[test]
    fn the_first_change_counts_at_once_and_the_next_after_the_interval() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        assert_eq!(schedule.ask(start, INTERVAL), Turn::Now);
        schedule.begin(start);
        assert_eq!(schedule.end(start, INTERVAL), None);
        let soon = start + Duration::from_millis(1900);
        assert_eq!(schedule.ask(soon, INTERVAL), Turn::In(4));
        assert_eq!(schedule.due(), Some(soon + Duration::from_secs(4)));
        assert_eq!(schedule.ask(soon, INTERVAL), Turn::Set);
        schedule.begin(soon + Duration::from_secs(4));
        assert_eq!((schedule.due(), schedule.end(soon, INTERVAL)), (None, None));
        assert_eq!(schedule.ask(soon + Duration::from_secs(9), INTERVAL), Turn::Now);
    }

    #[test]
    fn a_change_while_members_follow_comes_after_another_interval() {
        let start = Instant::now();
        let mut schedule = Schedule::default();
        schedule.begin(start);
        assert_eq!(schedule.ask(start, INTERVAL), Turn::Set);
        assert_eq!(schedule.end(start, INTERVAL), Some(Turn::In(5)));
        schedule.begin(start);
        schedule.ask(start, Duration::ZERO);
        assert_eq!(schedule.end(start, Duration::ZERO), Some(Turn::Now));
    }
}
