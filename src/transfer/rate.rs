//! A queue that lets so many through in a second: `serial-query-rate`, `notify-rate` and their start-up siblings.
//!
//! One queue serves all zones, and takes no memory once it is empty, however many waited in it. Times are milliseconds
//! of any clock that does not go back. High rates go in small bursts, since to wake up for each job would cost more
//! than the job.

use std::collections::BTreeMap;

use super::crowd::{Crowd, Place};

/// Waiting jobs and when the next may go.
#[derive(Debug)]
pub struct Pacer<Job> {
    pace: Pace,
    next_ms: u64,
    /// How many may go before that.
    left: u32,
    queue: Crowd<Job>,
    waiting: BTreeMap<Job, Place>,
    /// How many were ever queued: numbers the places.
    places: u64,
}

/// So many at a time, so far apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Pace {
    burst: u32,
    interval_ms: u64,
}

impl<Job: Clone + Ord> Pacer<Job> {
    /// Lets `rate` jobs through each second; 0 counts as 1, as BIND has it.
    pub fn new(rate: u32) -> Self {
        let (queue, waiting) = (Crowd::default(), BTreeMap::new());
        Self { pace: Pace::of(rate), next_ms: 0, left: 0, queue, waiting, places: 0 }
    }

    /// Changes the rate; what waits keeps waiting.
    pub fn set_rate(&mut self, rate: u32) {
        self.pace = Pace::of(rate);
    }

    /// Queues a job unless it waits already.
    pub fn push(&mut self, job: Job) {
        if !self.waiting.contains_key(&job) {
            self.insert(job, Place::routine);
        }
    }

    /// Queues a job ahead of all routine ones, also if it waits among those.
    pub fn push_urgent(&mut self, job: Job) {
        if self.waiting.get(&job).is_none_or(|place| !place.is_urgent()) {
            self.remove(&job);
            self.insert(job, Place::urgent);
        }
    }

    fn insert(&mut self, job: Job, place: fn(u64) -> Place) {
        self.places = self.places.wrapping_add(1);
        let place = place(self.places);
        self.waiting.insert(job.clone(), place);
        self.queue.push(place, job);
    }

    /// Whether a job waits.
    pub fn contains(&self, job: &Job) -> bool {
        self.waiting.contains_key(job)
    }

    /// Takes a job out that is not wanted any more.
    pub fn remove(&mut self, job: &Job) {
        if let Some(place) = self.waiting.remove(job) {
            self.queue.remove(place);
        }
    }

    /// The next job, if one waits and its time has come.
    pub fn pop(&mut self, now_ms: u64) -> Option<Job> {
        let is_next = now_ms >= self.next_ms;
        if !is_next && self.left == 0 {
            return None;
        }
        let job = self.queue.pop()?;
        self.waiting.remove(&job);
        if is_next {
            // A caller that comes late may catch up with two bursts, not more.
            let earliest_ms = now_ms.saturating_sub(self.pace.interval_ms);
            self.next_ms = self.next_ms.max(earliest_ms).saturating_add(self.pace.interval_ms);
            self.left = self.pace.burst;
        }
        self.left = self.left.saturating_sub(1);
        Some(job)
    }

    /// When to come again; none if nothing waits.
    pub fn next_ms(&self) -> Option<u64> {
        (!self.is_empty()).then_some(if self.left > 0 { 0 } else { self.next_ms })
    }

    /// How many wait.
    pub fn len(&self) -> usize {
        self.waiting.len()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.waiting.is_empty()
    }
}

impl Pace {
    fn of(rate: u32) -> Self {
        let burst = if rate > SINGLE_RATE { rate.div_ceil(BURSTS) } else { 1 };
        Self { burst, interval_ms: u64::from(burst).saturating_mul(1000) / u64::from(rate.max(1)) }
    }
}

/// Up to this rate jobs go one by one;
const SINGLE_RATE: u32 = 200;
/// above it in about so many bursts a second.
const BURSTS: u32 = 100;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn so_many_go_in_a_second_and_no_more() {
        let mut pacer = Pacer::new(20);
        (0..1000).for_each(|job| pacer.push(job));
        let gone: Vec<(u64, i32)> = (5000..6000).filter_map(|now_ms| Some((now_ms, pacer.pop(now_ms)?))).collect();
        assert!((20..=23).contains(&gone.len()), "{}", gone.len());
        assert!(gone.is_sorted());
    }

    #[test]
    fn a_high_rate_goes_in_bursts_and_is_kept_as_well() {
        for rate in [201, 1000, 10_000] {
            let mut pacer = Pacer::new(rate);
            (0..20_000).for_each(|job| pacer.push(job));
            let mut wakes = 0;
            let mut gone = 0;
            for now_ms in 5000..6000 {
                wakes += u32::from(pacer.next_ms().is_some_and(|at_ms| at_ms <= now_ms));
                gone += std::iter::from_fn(|| pacer.pop(now_ms)).count();
            }
            let (least, most) = (rate as usize, rate as usize * 11 / 10);
            assert!((least..=most).contains(&gone) && wakes <= 101, "{rate}: {gone} in {wakes}");
        }
    }

    #[test]
    fn an_urgent_job_overtakes_and_is_there_once() {
        let mut pacer = Pacer::new(1000);
        [1, 2, 3, 3].into_iter().for_each(|job| pacer.push(job));
        pacer.push_urgent(3);
        pacer.push(3);
        let order: Vec<i32> = (0..10).filter_map(|now_ms| pacer.pop(now_ms)).collect();
        assert_eq!(order, [3, 1, 2]);
        assert_eq!(pacer.next_ms(), None);
    }

    #[test]
    fn a_job_taken_out_does_not_come_and_queues_behind_when_pushed_again() {
        let mut pacer = Pacer::new(1000);
        [1, 2, 3].into_iter().for_each(|job| pacer.push(job));
        pacer.push_urgent(3);
        pacer.remove(&3);
        pacer.remove(&1);
        pacer.push(1);
        assert_eq!(pacer.len(), 2);
        let order: Vec<i32> = (0..10).filter_map(|now_ms| pacer.pop(now_ms)).collect();
        assert_eq!(order, [2, 1]);
    }
}
