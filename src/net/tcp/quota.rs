//! How many TCP clients are served at once (`tcp-clients`), and how many there have been at most.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};

use tokio::sync::Notify;

use super::Limits;

/// A count of clients with a limit that may change.
#[derive(Debug)]
pub struct Quota {
    limit: AtomicUsize,
    used: AtomicUsize,
    high_water: AtomicUsize,
    freed: Notify,
}

impl Quota {
    pub(super) fn new(limit: usize) -> Self {
        Self {
            limit: AtomicUsize::new(limit),
            used: AtomicUsize::new(0),
            high_water: AtomicUsize::new(0),
            freed: Notify::new(),
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

    /// Waits until there is room for one more client, and takes it.
    pub(super) async fn acquire(limits: &Arc<Limits>) -> Permit {
        let quota = &limits.quota;
        loop {
            // Made before the look at the count, so that no release between the two is missed.
            let freed = quota.freed.notified();
            if quota.take() {
                return Permit { limits: Arc::clone(limits) };
            }
            freed.await;
        }
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
}

impl Drop for Permit {
    fn drop(&mut self) {
        self.limits.quota.used.fetch_sub(1, Ordering::Relaxed);
        self.limits.quota.freed.notify_waiters();
    }
}
