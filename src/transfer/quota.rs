//! Which incoming transfers may run now: `transfers-in` in all, `transfers-per-ns` from each primary.
//!
//! First come, first served; a transfer whose primary is busy lets those from others pass.

use std::collections::VecDeque;
use std::net::IpAddr;

/// Transfers that run and transfers that wait ("deferred" in `rndc status`).
#[derive(Debug)]
pub struct Quota<Zone> {
    transfers_in: usize,
    transfers_per_ns: usize,
    running: Vec<Job<Zone>>,
    waiting: VecDeque<Job<Zone>>,
}

#[derive(Debug, Clone, Copy)]
struct Job<Zone> {
    zone: Zone,
    primary: IpAddr,
    /// `server { transfers }`, in place of `transfers-per-ns`.
    limit: Option<usize>,
}

impl<Zone: Copy + PartialEq> Quota<Zone> {
    /// The two limits.
    pub fn new(transfers_in: usize, transfers_per_ns: usize) -> Self {
        Self { transfers_in, transfers_per_ns, running: Vec::new(), waiting: VecDeque::new() }
    }

    /// Changes the limits; what runs goes on.
    pub fn set_limits(&mut self, transfers_in: usize, transfers_per_ns: usize) {
        (self.transfers_in, self.transfers_per_ns) = (transfers_in, transfers_per_ns);
    }

    /// Queues a zone's transfer, in place of one that it may have waiting.
    pub fn push(&mut self, zone: Zone, primary: IpAddr, limit: Option<usize>) {
        self.waiting.retain(|job| job.zone != zone);
        self.waiting.push_back(Job { zone, primary, limit });
    }

    /// The next zone whose transfer may start; it counts as running from now on.
    pub fn start(&mut self) -> Option<Zone> {
        if self.running.len() >= self.transfers_in {
            return None;
        }
        let at = self.waiting.iter().position(|job| self.has_room_at_primary(job))?;
        let job = self.waiting.remove(at)?;
        self.running.push(job);
        Some(job.zone)
    }

    /// Forgets a zone's transfer, running or waiting.
    pub fn finish(&mut self, zone: Zone) {
        self.running.retain(|job| job.zone != zone);
        self.waiting.retain(|job| job.zone != zone);
    }

    /// How many run.
    pub fn running(&self) -> usize {
        self.running.len()
    }

    /// How many wait.
    pub fn deferred(&self) -> usize {
        self.waiting.len()
    }

    fn has_room_at_primary(&self, wanted: &Job<Zone>) -> bool {
        let busy = self.running.iter().filter(|job| job.primary == wanted.primary).count();
        // A zone's own earlier transfer has to end first.
        busy < wanted.limit.unwrap_or(self.transfers_per_ns) && self.running.iter().all(|job| job.zone != wanted.zone)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const A: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 1));
    const B: IpAddr = IpAddr::V4(std::net::Ipv4Addr::new(192, 0, 2, 2));

    #[test]
    fn a_busy_primary_lets_others_pass() {
        let mut quota = Quota::new(3, 1);
        quota.push(1, A, None);
        quota.push(2, A, None);
        quota.push(3, B, None);
        quota.push(4, B, Some(2));
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
        quota.push(1, A, None);
        quota.push(2, B, None);
        assert_eq!((quota.start(), quota.start()), (Some(1), None));
        quota.finish(1);
        assert_eq!(quota.start(), Some(2));
    }
}
