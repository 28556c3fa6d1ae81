//! Which incoming transfers may run now: `transfers-in` in all, `transfers-per-ns` from each primary.
//!
//! First come, first served, but for those that a NOTIFY or an operator wants: they go first, and of them the latest
//! and the oldest in turn, so that one that comes into a crowd is not behind all of it, and none waits for ever. A
//! transfer whose primary is busy lets those from others pass.

use std::collections::{BTreeMap, HashMap};
use std::hash::Hash;
use std::net::IpAddr;

/// Transfers that run and transfers that wait ("deferred" in `rndc status`).
#[derive(Debug)]
pub struct Quota<Zone> {
    transfers_in: usize,
    transfers_per_ns: usize,
    running: HashMap<Zone, IpAddr>,
    waiting: HashMap<Zone, Place>,
    primaries: HashMap<IpAddr, Primary<Zone>>,
    /// How many were ever queued: numbers the places.
    places: u64,
    /// Whether the latest of those that are hurried is next.
    takes_latest: bool,
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
}

/// What runs from a primary and what waits for it, in order.
#[derive(Debug)]
struct Primary<Zone> {
    running: usize,
    /// `server { transfers }`, in place of `transfers-per-ns`.
    limit: Option<usize>,
    queue: BTreeMap<Rank, Zone>,
}

/// Where a transfer is in its queue: whether it is a routine one, and the number of its place.
type Rank = (bool, u64);

#[derive(Debug, Clone, Copy)]
struct Place {
    rank: Rank,
    primary: IpAddr,
}

impl<Zone: Copy + Eq + Hash> Quota<Zone> {
    /// The two limits.
    pub fn new(transfers_in: usize, transfers_per_ns: usize) -> Self {
        let (running, waiting, primaries) = (HashMap::new(), HashMap::new(), HashMap::new());
        Self { transfers_in, transfers_per_ns, running, waiting, primaries, places: 0, takes_latest: false }
    }

    /// Changes the limits; what runs goes on.
    pub fn set_limits(&mut self, transfers_in: usize, transfers_per_ns: usize) {
        (self.transfers_in, self.transfers_per_ns) = (transfers_in, transfers_per_ns);
    }

    /// Queues a zone's transfer, in place of one that it may have.
    pub fn push(&mut self, zone: Zone, turn: Turn) {
        let Turn { primary, limit, is_hurried } = turn;
        self.finish(zone);
        self.places = self.places.wrapping_add(1);
        let rank = (!is_hurried, self.places);
        self.waiting.insert(zone, Place { rank, primary });
        let fresh = || Primary { running: 0, limit, queue: BTreeMap::new() };
        let at = self.primaries.entry(primary).or_insert_with(fresh);
        at.limit = limit;
        at.queue.insert(rank, zone);
    }

    /// The next zone whose transfer may start; it counts as running from now on.
    pub fn start(&mut self) -> Option<Zone> {
        if self.running.len() >= self.transfers_in {
            return None;
        }
        let per_ns = self.transfers_per_ns;
        let free = self.primaries.iter_mut().filter(|(_, at)| at.running < at.limit.unwrap_or(per_ns));
        let (&address, at) =
            free.filter(|(_, at)| !at.queue.is_empty()).min_by_key(|(_, at)| at.queue.keys().next().copied())?;
        self.takes_latest = !self.takes_latest;
        let zone = at.pop(self.takes_latest)?;
        at.running = at.running.saturating_add(1);
        self.waiting.remove(&zone);
        self.running.insert(zone, address);
        Some(zone)
    }

    /// Forgets a zone's transfer, running or waiting.
    pub fn finish(&mut self, zone: Zone) {
        if let Some(place) = self.waiting.remove(&zone) {
            self.leave(place.primary, |at| _ = at.queue.remove(&place.rank));
        }
        if let Some(address) = self.running.remove(&zone) {
            self.leave(address, |at| at.running = at.running.saturating_sub(1));
        }
    }

    /// Changes what is known of a primary, and forgets it when nothing runs or waits there any more.
    fn leave(&mut self, address: IpAddr, change: impl FnOnce(&mut Primary<Zone>)) {
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

impl<Zone> Primary<Zone> {
    fn pop(&mut self, takes_latest: bool) -> Option<Zone> {
        let latest = self.queue.range(..(true, 0)).next_back().filter(|_| takes_latest);
        match latest.map(|(rank, _)| *rank) {
            Some(rank) => self.queue.remove(&rank),
            None => self.queue.pop_first().map(|(_, zone)| zone),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    fn routine(primary: IpAddr, limit: Option<usize>) -> Turn {
        Turn { primary, limit, is_hurried: false }
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
