//! One queue of deadlines for all zones: no timer, thread or descriptor per zone.
//!
//! Each subject has at most one deadline, the one set last. An earlier one is taken out at once and not passed over
//! when it comes up: a zone's expiry is weeks away and moves with every refresh, so what is left behind would pile up.
//! The deadlines are a binary heap in one piece of memory: a tree's nodes, made while very many zones change, would lie
//! scattered over the memory that their transfers need.

/// Who has a deadline: one of those that are numbered from 0 on.
pub(super) trait Subject: Copy + Ord {
    /// The number, which may be used again when this one is gone.
    fn number(self) -> usize;
}

/// Deadlines of subjects, in any clock whose moments can be ordered.
#[derive(Debug)]
pub(super) struct Timers<S, Moment> {
    /// Each is no later than the two at twice its index and one or two more.
    heap: Vec<(Moment, S)>,
    /// Where in the heap the subject of each number is, if it is there.
    places: Vec<u32>,
}

impl<S, Moment> Default for Timers<S, Moment> {
    fn default() -> Self {
        Self { heap: Vec::new(), places: Vec::new() }
    }
}

impl<S: Subject, Moment: Copy + Ord> Timers<S, Moment> {
    /// Sets the subject's deadline, in place of one it may have.
    pub(super) fn set(&mut self, subject: S, at: Moment) {
        let place = self.place_of_number(subject.number()).unwrap_or(self.heap.len());
        match self.heap.get_mut(place) {
            Some(known) => *known = (at, subject),
            None => self.heap.push((at, subject)),
        }
        self.settle(place);
    }

    /// Sets the subject's deadline unless it has an earlier one.
    pub(super) fn set_no_later(&mut self, subject: S, at: Moment) {
        if self.place(subject).and_then(|place| self.heap.get(place)).is_none_or(|(set, _)| at < *set) {
            self.set(subject, at);
        }
    }

    /// Whether the subject has a deadline.
    #[cfg(test)]
    pub(super) fn is_set(&self, subject: S) -> bool {
        self.place(subject).is_some()
    }

    /// Forgets the subject's deadline.
    pub(super) fn clear(&mut self, subject: S) {
        let Some(place) = self.place(subject) else { return };
        self.heap.swap_remove(place);
        self.note(subject, NOWHERE);
        self.settle(place);
    }

    /// The next deadline.
    pub(super) fn next_deadline(&self) -> Option<Moment> {
        self.heap.first().map(|(at, _)| *at)
    }

    /// Takes one subject whose deadline is `now` or before.
    pub(super) fn due(&mut self, now: Moment) -> Option<S> {
        let (_, subject) = *self.heap.first().filter(|(at, _)| *at <= now)?;
        self.clear(subject);
        Some(subject)
    }

    fn place(&self, subject: S) -> Option<usize> {
        let place = self.place_of_number(subject.number())?;
        self.heap.get(place).filter(|(_, there)| *there == subject).map(|_| place)
    }

    fn place_of_number(&self, number: usize) -> Option<usize> {
        self.places.get(number).filter(|place| **place != NOWHERE).map(|place| *place as usize)
    }

    fn note(&mut self, subject: S, place: u32) {
        let number = subject.number();
        if number >= self.places.len() {
            self.places.resize(number + 1, NOWHERE);
        }
        self.places[number] = place;
    }

    /// Moves what has come to `place`, if anything has, to where it belongs.
    fn settle(&mut self, mut place: usize) {
        if place >= self.heap.len() {
            return;
        }
        while place > 0 && self.heap[place] < self.heap[(place - 1) / 2] {
            place = self.swap(place, (place - 1) / 2);
        }
        while let Some(first) = self.first_below(place).filter(|&first| self.heap[first] < self.heap[place]) {
            place = self.swap(place, first);
        }
        self.note(self.heap[place].1, place as u32);
    }

    /// The earlier of the two below.
    fn first_below(&self, place: usize) -> Option<usize> {
        let below = 2 * place + 1..self.heap.len().min(2 * place + 3);
        below.min_by_key(|&below| self.heap[below])
    }

    /// Swaps what is at `place` with another, which is then where it belongs; says where the first is now.
    fn swap(&mut self, place: usize, other: usize) -> usize {
        self.heap.swap(place, other);
        self.note(self.heap[place].1, place as u32);
        other
    }
}

/// No place in the heap.
const NOWHERE: u32 = u32::MAX;

#[cfg(test)]
mod tests {
    use std::collections::BTreeMap;

    use super::*;
    use crate::dns::testing::Random;

    impl Subject for char {
        fn number(self) -> usize {
            self as usize - 'a' as usize
        }
    }

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
        timers.set('b', 10);
        timers.clear('b');
        assert_eq!(timers.next_deadline(), None);
        timers.set('b', 10);
        assert_eq!(timers.due(10), Some('b'));
        assert_eq!(timers.due(10), None);
    }

    #[test]
    fn a_deadline_that_moves_leaves_nothing_behind() {
        let mut timers = Timers::default();
        (0..1000).for_each(|at| timers.set('a', at));
        assert_eq!(timers.heap.len(), 1);
        assert_eq!(timers.due(1000), Some('a'));
        assert!(timers.heap.is_empty() && !timers.is_set('a'));
    }

    /// The second of a number has come behind the first.
    #[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
    struct Numbered(usize, bool);

    impl Subject for Numbered {
        fn number(self) -> usize {
            self.0
        }
    }

    #[test]
    fn a_number_that_is_used_again_is_of_its_new_subject() {
        let (old, new) = (Numbered(3, false), Numbered(3, true));
        let mut timers = Timers::default();
        timers.set(old, 10);
        timers.clear(new);
        assert!(timers.is_set(old));
        timers.set_no_later(new, 20);
        assert!(timers.is_set(new) && !timers.is_set(old));
        assert_eq!((timers.due(30), timers.due(30)), (Some(new), None));
    }

    #[test]
    fn subjects_come_in_the_order_of_their_deadlines_whatever_is_set_and_cleared() {
        for seed in 0..50 {
            let (mut random, mut timers, mut model) =
                (Random::new(seed), Timers::default(), BTreeMap::<Numbered, usize>::new());
            for _ in 0..2000 {
                let (subject, at) = (Numbered(random.below(40), false), random.below(60));
                match random.below(8) {
                    0..4 => {
                        timers.set(subject, at);
                        model.insert(subject, at);
                    }
                    4 => {
                        timers.set_no_later(subject, at);
                        let known = model.entry(subject).or_insert(at);
                        *known = at.min(*known);
                    }
                    5 => {
                        timers.clear(subject);
                        model.remove(&subject);
                    }
                    _ => {
                        let first = model.iter().map(|(&subject, &at)| (at, subject)).min();
                        let due = first.filter(|(first_at, _)| *first_at <= at).map(|(_, subject)| subject);
                        assert_eq!(timers.due(at), due, "seed {seed}");
                        model.retain(|&subject, _| Some(subject) != due);
                    }
                }
                assert_eq!(timers.next_deadline(), model.values().min().copied(), "seed {seed}");
                assert_eq!(timers.heap.len(), model.len(), "seed {seed}");
            }
        }
    }
}
