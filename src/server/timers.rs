//! One queue of deadlines for all zones: no timer, thread or descriptor per zone.
//!
//! Each subject has at most one deadline that counts, the one set last; older entries are passed over when they come
//! up.

use std::cmp::Reverse;
use std::collections::{BinaryHeap, HashMap};
use std::hash::Hash;

/// Deadlines of subjects, in any clock whose moments can be ordered.
#[derive(Debug)]
pub(super) struct Timers<Subject, Moment> {
    queue: BinaryHeap<Reverse<(Moment, Subject)>>,
    current: HashMap<Subject, Moment>,
}

impl<Subject: Ord, Moment: Ord> Default for Timers<Subject, Moment> {
    fn default() -> Self {
        Self { queue: BinaryHeap::new(), current: HashMap::new() }
    }
}

impl<Subject: Copy + Ord + Hash, Moment: Copy + Ord> Timers<Subject, Moment> {
    /// Sets the subject's deadline, in place of one it may have.
    pub(super) fn set(&mut self, subject: Subject, at: Moment) {
        if self.current.insert(subject, at) != Some(at) {
            self.queue.push(Reverse((at, subject)));
        }
    }

    /// Forgets the subject's deadline.
    pub(super) fn clear(&mut self, subject: Subject) {
        self.current.remove(&subject);
    }

    /// The next deadline that counts.
    pub(super) fn next_deadline(&mut self) -> Option<Moment> {
        self.drop_stale();
        self.queue.peek().map(|Reverse((at, _))| *at)
    }

    /// Takes one subject whose deadline is `now` or before.
    pub(super) fn due(&mut self, now: Moment) -> Option<Subject> {
        self.drop_stale();
        let Reverse((at, subject)) = *self.queue.peek()?;
        if at > now {
            return None;
        }
        self.queue.pop();
        self.current.remove(&subject);
        Some(subject)
    }

    fn drop_stale(&mut self) {
        while let Some(Reverse((at, subject))) = self.queue.peek() {
            if self.current.get(subject) == Some(at) {
                return;
            }
            self.queue.pop();
        }
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
    fn a_cleared_deadline_never_comes() {
        let mut timers = Timers::default();
        timers.set(1, 10);
        timers.clear(1);
        assert_eq!(timers.next_deadline(), None);
        timers.set(1, 10);
        assert_eq!(timers.due(10), Some(1));
        assert_eq!(timers.due(10), None);
    }
}
