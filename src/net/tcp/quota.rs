//! How many TCP clients are served at once (`tcp-clients`, `listener-clients`), and how many there have been at most.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep};

use super::Limits;
use super::idle::Activity;

/// A count of clients with a limit that may change.
#[derive(Debug)]
pub struct Quota {
    limit: AtomicUsize,
    used: AtomicUsize,
    high_water: AtomicUsize,
    freed: Notify,
    began: Instant,
    /// When it was last told that there is no room, in seconds since one before it began; 0: never.
    told_s: AtomicU64,
}

impl Quota {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit: AtomicUsize::new(limit),
            used: AtomicUsize::new(0),
            high_water: AtomicUsize::new(0),
            freed: Notify::new(),
            began: Instant::now(),
            told_s: AtomicU64::new(0),
        }
    }

    /// Clients served now.
    #[must_use]
    pub fn used(&self) -> usize {
        self.used.load(Ordering::Relaxed)
    }

    /// The most clients ever served at once (the counter `TCPConnHighWater`).
    #[must_use]
    pub fn high_water(&self) -> usize {
        self.high_water.load(Ordering::Relaxed)
    }

    /// The limit.
    #[must_use]
    pub fn limit(&self) -> usize {
        self.limit.load(Ordering::Relaxed)
    }

    /// Changes the limit. Clients beyond a lower one stay until they leave.
    pub fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
        self.freed.notify_waiters();
    }

    /// Takes a client's place if there is one.
    pub(super) fn try_acquire(limits: &Arc<Limits>) -> Option<Permit> {
        limits.quota.take().then(|| {
            let (number, activity) = limits.idle.insert();
            Permit { limits: Arc::clone(limits), number, activity }
        })
    }

    /// Waits until there is room for one more client, and takes it. Connections that have long been idle make room.
    pub(super) async fn acquire(limits: &Arc<Limits>) -> Permit {
        loop {
            // Made before the look at the count, so that no release between the two is missed.
            let freed = limits.quota.freed.notified();
            if let Some(permit) = Self::try_acquire(limits) {
                return permit;
            }
            limits.idle.evict();
            tokio::select! {
                () = freed => {}
                () = sleep(EVICTION_PAUSE) => {}
            }
        }
    }

    /// Whether it is time to tell once more that there is no room.
    pub(super) fn may_tell(&self) -> bool {
        let now_s = self.began.elapsed().as_secs() + 1;
        let told_s = self.told_s.load(Ordering::Relaxed);
        let is_due = told_s == 0 || now_s >= told_s + TELL_PAUSE_S;
        is_due && self.told_s.compare_exchange(told_s, now_s, Ordering::Relaxed, Ordering::Relaxed).is_ok()
    }

    fn take(&self) -> bool {
        let limit = self.limit();
        let taken = self
            .used
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| (used < limit).then_some(used.wrapping_add(1)));
        let Ok(before) = taken else { return false };
        self.high_water.fetch_max(before + 1, Ordering::Relaxed);
        true
    }
}

/// One client's place; free again when dropped.
#[derive(Debug)]
pub(super) struct Permit {
    limits: Arc<Limits>,
    number: u64,
    activity: Arc<Activity>,
}

impl Permit {
    /// The number of the client's connection.
    pub(super) fn number(&self) -> u64 {
        self.number
    }

    /// What the connection tells of itself with.
    pub(super) fn activity(&self) -> &Activity {
        &self.activity
    }
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limits.idle.remove(self.number);
        self.limits.quota.used.fetch_sub(1, Ordering::Relaxed);
        self.limits.quota.freed.notify_waiters();
    }
}

/// How long to wait before another look for connections that have been idle long enough.
const EVICTION_PAUSE: Duration = Duration::from_millis(100);

/// Seconds between two notices that there is no room.
const TELL_PAUSE_S: u64 = 60;
