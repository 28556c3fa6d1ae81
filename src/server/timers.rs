//! One queue of deadlines for all zones: no timer, thread or descriptor per zone.
//!
//! Each subject has at most one deadline, the one set last. An earlier one is taken out at once and not passed over
//! when it comes up: a zone's expiry is weeks away and moves with every refresh, so what is left behind would pile up.

use std::collections::{BTreeSet, HashMap};
use std::hash::Hash;

/// Deadlines of subjects, in any clock whose moments can be ordered.
#[derive(Debug)]
pub(super) struct Timers<Subject, Moment> {
    queue: BTreeSet<(Moment, Subject)>,
    current: HashMap<Subject, Moment>,
}

impl<Subject, Moment> Default for Timers<Subject, Moment> {
    fn default() -> Self {
        Self { queue: BTreeSet::new(), current: HashMap::new() }
    }
}

impl<Subject: Copy + Ord + Hash, Moment: Copy + Ord> Timers<Subject, Moment> {
    /// Sets the subject's deadline, in place of one it may have.
    pub(super) fn set(&mut self, subject: Subject, at: Moment) {
        self.clear(subject);
        self.current.insert(subject, at);
        self.queue.insert((at, subject));
    }

    /// Sets the subject's deadline unless it has an earlier one.
    pub(super) fn set_no_later(&mut self, subject: Subject, at: Moment) {
        if self.current.get(&subject).is_none_or(|set| at < *set) {
            self.set(subject, at);
        }
    }

    /// Whether the subject has a deadline.
    #[cfg(test)]
    pub(super) fn is_set(&self, subject: Subject) -> bool {
        self.current.contains_key(&subject)
    }

    /// Forgets the subject's deadline.
    pub(super) fn clear(&mut self, subject: Subject) {
        if let Some(at) = self.current.remove(&subject) {
            self.queue.remove(&(at, subject));
        }
    }

    /// The next deadline.
    pub(super) fn next_deadline(&self) -> Option<Moment> {
        self.queue.first().map(|(at, _)| *at)
    }

    /// Takes one subject whose deadline is `now` or before.
    pub(super) fn due(&mut self, now: Moment) -> Option<Subject> {
        let (_, subject) = *self.queue.first().filter(|(at, _)| *at <= now)?;
        self.clear(subject);
        Some(subject)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_deadline_set_last_is_the_one_that_counts() {
        let mut timers = Timers::default();
        timers.set('a', 10);
        timers.set('b', 20);
        timers.set('a', 30);
        assert_eq!(timers.next_deadline(), Some(20));
        assert_eq!(timers.due(19), None);
        assert_eq!(timers.due(20), Some('b'));
        assert_eq!(timers.due(29), None);
        timers.set('a', 25);
        assert_eq!(timers.due(40), Some('a'));
        assert_eq!(timers.due(40), None);
    }

    #[test]
    fn a_deadline_may_be_asked_for_that_is_no_later() {
        let mut timers = Timers::default();
        for at in [20, 30, 10, 15] {
            timers.set_no_later('a', at);
        }
        assert_eq!((timers.due(10), timers.next_deadline()), (Some('a'), None));
    }

    #[test]
    fn a_cleared_deadline_never_comes() {
        let mut timers = Timers::default();
        timers.set(1, 10);
        timers.clear(1);
        assert_eq!(timers.next_deadline(), None);
        timers.set(1, 10);
        assert_eq!(timers.due(10), Some(1));
        assert_eq!(timers.due(10), None);
    }

    #[test]
    fn a_deadline_that_moves_leaves_nothing_behind() {
        let mut timers = Timers::default();
        (0..1000).for_each(|at| timers.set('a', at));
        assert_eq!((timers.queue.len(), timers.current.len()), (1, 1));
        assert_eq!(timers.due(1000), Some('a'));
        assert!(timers.queue.is_empty() && timers.current.is_empty());
    }
}
