//! Which incoming transfers may run now: `transfers-in` in all, `transfers-per-ns` from each primary.
//!
//! First come, first served, but for those that a NOTIFY or an operator wants: they go first. A transfer whose primary
//! is busy lets those from others pass, and of several primaries the one with the fewest that run is next: what one has
//! changed is not behind all that another has.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::net::IpAddr;

use super::crowd::{Crowd, Place};

/// Transfers that run and transfers that wait ("deferred" in `rndc status`).
#[derive(Debug)]
pub struct Quota<Zone> {
    transfers_in: usize,
    transfers_per_ns: usize,
    running: HashMap<Zone, IpAddr>,
    waiting: BTreeMap<Zone, (IpAddr, Place)>,
    primaries: HashMap<IpAddr, Primary<Zone>>,
}

/// How a transfer is to be queued.
#[derive(Debug, Clone, Copy)]
pub struct Turn {
    /// From whom.
    pub primary: IpAddr,
    /// `server { transfers }`, in place of `transfers-per-ns` from now on.
    pub limit: Option<usize>,
    /// Whether it goes ahead of routine ones.
    pub is_hurried: bool,
    /// Grows from one that somebody wanted to the next. It tells which of two was wanted later, in whatever order they
    /// come to be queued.
    pub number: u64,
}

/// What runs from a primary and what waits for it.
#[derive(Debug)]
struct Primary<Zone> {
    running: usize,
    /// `server { transfers }`, in place of `transfers-per-ns`.
    limit: Option<usize>,
    queue: Crowd<Zone>,
}

impl<Zone> Primary<Zone> {
    /// The first has the lowest: who waits for something urgent, with the fewest running, and for the longest time.
    fn rank(&self) -> Option<(bool, usize, Place)> {
        let first = self.queue.first()?;
        Some((!first.is_urgent(), self.running, first))
    }
}

impl<Zone: Copy + Ord + Hash> Quota<Zone> {
    /// The two limits.
    pub fn new(transfers_in: usize, transfers_per_ns: usize) -> Self {
        let (running, waiting, primaries) = (HashMap::new(), BTreeMap::new(), HashMap::new());
        Self { transfers_in, transfers_per_ns, running, waiting, primaries }
    }

    /// Changes the limits; what runs goes on.
    pub fn set_limits(&mut self, transfers_in: usize, transfers_per_ns: usize) {
        (self.transfers_in, self.transfers_per_ns) = (transfers_in, transfers_per_ns);
    }

    /// Queues a zone's transfer, in place of one that it may have.
    pub fn push(&mut self, zone: Zone, turn: Turn) {
        let Turn { primary, limit, is_hurried, number } = turn;
        self.finish(zone);
        let place = if is_hurried { Place::urgent(number) } else { Place::routine(number) };
        self.waiting.insert(zone, (primary, place));
        let fresh = || Primary { running: 0, limit, queue: Crowd::default() };
        let at = self.primaries.entry(primary).or_insert_with(fresh);
        at.limit = limit;
        at.queue.push(place, zone);
    }

    /// The next zone whose transfer may start; it counts as running from now on.
    pub fn start(&mut self) -> Option<Zone> {
        if self.running.len() >= self.transfers_in {
            return None;
        }
        let per_ns = self.transfers_per_ns;
        let free = self.primaries.iter_mut().filter(|(_, at)| at.running < at.limit.unwrap_or(per_ns));
        let (&address, at) = free.filter_map(|each| Some((each.1.rank()?, each))).min_by_key(|(rank, _)| *rank)?.1;
        let zone = at.queue.pop()?;
        at.running = at.running.saturating_add(1);
        self.waiting.remove(&zone);
        self.running.insert(zone, address);
        Some(zone)
    }

    /// Forgets a zone's transfer, running or waiting.
    pub fn finish(&mut self, zone: Zone) {
        if let Some((address, place)) = self.waiting.remove(&zone) {
            self.take_out(address, |at| at.queue.remove(place));
        }
        if let Some(address) = self.running.remove(&zone) {
            self.take_out(address, |at| at.running = at.running.saturating_sub(1));
        }
    }

    /// Changes what is known of a primary, and forgets it when nothing runs or waits there any more.
    fn take_out(&mut self, address: IpAddr, change: impl FnOnce(&mut Primary<Zone>)) {
        let Some(at) = self.primaries.get_mut(&address) else { return };
        change(at);
        if at.running == 0 && at.queue.is_empty() {
            self.primaries.remove(&address);
        }
    }

    /// How many run.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// How many wait.
    pub fn deferred(&self) -> usize {
        self.waiting.len()
    }
}

#[cfg(test)]
mod tests {
    use std::sync::atomic::{AtomicU64, Ordering};

    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn routine(primary: IpAddr, limit: Option<usize>) -> Turn {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        Turn { primary, limit, is_hurried: false, number: NUMBER.fetch_add(1, Ordering::Relaxed) }
    }

    #[test]
    fn hurried_ones_go_first_and_of_a_crowd_the_latest_and_the_oldest_in_turn() {
        let mut quota = Quota::new(10, 10);
        quota.push(1, routine(A, None));
        (2..=5).for_each(|zone| quota.push(zone, Turn { is_hurried: true, ..routine(A, None) }));
        quota.push(6, routine(A, None));
        let mut started: Vec<i32> = std::iter::from_fn(|| quota.start()).collect();
        let routine = started.split_off(4);
        assert_eq!((started, routine), (vec![5, 2, 4, 3], vec![1, 6]));
    }

    #[test]
    fn a_busy_primary_lets_others_pass() {
        let mut quota = Quota::new(3, 1);
        quota.push(1, routine(A, None));
        quota.push(2, routine(A, None));
        quota.push(3, routine(B, None));
        quota.push(4, routine(B, Some(2)));
        let started: Vec<i32> = std::iter::from_fn(|| quota.start()).collect();
        assert_eq!(started, [1, 3, 4]);
        assert_eq!((quota.running(), quota.deferred()), (3, 1));
        quota.finish(3);
        assert_eq!(quota.start(), None, "its primary is busy");
        quota.finish(1);
        assert_eq!(quota.start(), Some(2));
    }

    #[test]
    fn one_of_another_primary_is_not_behind_a_crowd() {
        let mut quota = Quota::new(4, 10);
        (1..=5).for_each(|zone| quota.push(zone, Turn { is_hurried: true, ..routine(A, None) }));
        assert_eq!((quota.start(), quota.start()), (Some(5), Some(1)));
        quota.push(6, routine(B, None));
        assert_eq!(quota.start(), Some(4), "a routine one");
        quota.push(6, Turn { is_hurried: true, ..routine(B, None) });
        assert_eq!(quota.start(), Some(6));
    }

    #[test]
    fn the_latest_is_the_one_that_was_wanted_last_whenever_it_was_queued() {
        let mut quota = Quota::new(10, 10);
        for number in [1, 9, 3, 5] {
            quota.push(number, Turn { is_hurried: true, number, ..routine(A, None) });
        }
        let started: Vec<u64> = std::iter::from_fn(|| quota.start()).collect();
        assert_eq!(started, [9, 1, 5, 3]);
    }

    #[test]
    fn the_total_holds() {
        let mut quota = Quota::new(1, 5);
        quota.push(1, routine(A, None));
        quota.push(2, routine(B, None));
        assert_eq!((quota.start(), quota.start()), (Some(1), None));
        quota.finish(1);
        assert_eq!(quota.start(), Some(2));
    }

    #[test]
    fn a_zone_forgotten_gives_its_place_back_and_leaves_nothing_behind() {
        let mut quota = Quota::new(10, 1);
        quota.push(1, routine(A, None));
        quota.push(2, routine(A, None));
        quota.push(3, routine(A, None));
        assert_eq!(quota.start(), Some(1));
        quota.finish(2);
        assert_eq!((quota.start(), quota.deferred()), (None, 1));
        quota.finish(1);
        assert_eq!(quota.start(), Some(3));
        quota.finish(3);
        assert!(quota.primaries.is_empty() && quota.running.is_empty() && quota.waiting.is_empty());
    }

    #[test]
    fn a_zone_that_is_queued_again_goes_to_its_new_primary() {
        let mut quota = Quota::new(10, 1);
        quota.push(1, routine(A, None));
        quota.push(1, routine(B, None));
        assert_eq!((quota.start(), quota.start()), (Some(1), None));
        assert!(!quota.primaries.contains_key(&A));
    }
}
