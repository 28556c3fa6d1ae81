//! Those who wait for a turn: urgent ones before routine ones.
//!
//! Routine ones go in order. Of the urgent ones the latest and the oldest take turns: one that comes into a crowd is
//! not behind all of it, and none waits for ever.

use std::collections::BTreeMap;

/// The crowd.
#[derive(Debug)]
pub struct Crowd<Waiting> {
    waiting: BTreeMap<Place, Waiting>,
    takes_latest: bool,
}

/// Where one stands: urgent before routine, then by number.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub struct Place {
    is_routine: bool,
    number: u64,
}

impl Place {
    /// Among the urgent ones. Numbers grow with each one who comes.
    pub fn urgent(number: u64) -> Self {
        Self { is_routine: false, number }
    }

    /// Among the routine ones.
    pub fn routine(number: u64) -> Self {
        Self { is_routine: true, number }
    }

    /// Whether it is among the urgent ones.
    pub fn is_urgent(self) -> bool {
        !self.is_routine
    }
}

impl<Waiting> Crowd<Waiting> {
    /// Puts one in.
    pub fn push(&mut self, place: Place, one: Waiting) {
        self.waiting.insert(place, one);
    }

    /// Takes one out who does not want to wait any more.
    pub fn remove(&mut self, place: Place) {
        self.waiting.remove(&place);
    }

    /// Whose turn it is.
    pub fn pop(&mut self) -> Option<Waiting> {
        self.takes_latest = !self.takes_latest;
        let first_routine = Place::routine(0);
        let latest = self.waiting.range(..first_routine).next_back().filter(|_| self.takes_latest);
        match latest.map(|(&place, _)| place) {
            Some(place) => self.waiting.remove(&place),
            None => self.waiting.pop_first().map(|(_, one)| one),
        }
    }

    /// The place of the oldest of those who go first.
    pub fn first(&self) -> Option<Place> {
        self.waiting.keys().next().copied()
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nobody waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl<Waiting> Default for Crowd<Waiting> {
    fn default() -> Self {
        Self { waiting: BTreeMap::new(), takes_latest: false }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn urgent_ones_go_first_and_of_those_the_latest_and_the_oldest_in_turn() {
        let mut crowd = Crowd::default();
        crowd.push(Place::routine(1), 1);
        (2..=6).for_each(|number| crowd.push(Place::urgent(number), number));
        crowd.push(Place::routine(7), 7);
        assert_eq!((crowd.first(), crowd.len()), (Some(Place::urgent(2)), 7));
        let order: Vec<u64> = std::iter::from_fn(|| crowd.pop()).collect();
        assert_eq!(order, [6, 2, 5, 3, 4, 1, 7]);
    }

    #[test]
    fn one_who_goes_away_is_not_called() {
        let mut crowd = Crowd::default();
        (1..=3).for_each(|number| crowd.push(Place::urgent(number), number));
        crowd.remove(Place::urgent(3));
        assert_eq!((crowd.pop(), crowd.pop(), crowd.pop()), (Some(2), Some(1), None));
        assert!(crowd.is_empty());
    }
}
