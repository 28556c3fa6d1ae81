//! Connections by how long nothing whole has come of them, so that at the quota of clients the most idle makes room.
//!
//! Whoever opens connections and says nothing, or half a message, or dribbles, holds no place for longer than
//! [`GRACE`] if others want it. A connection tells of its requests by a store to a place of its own; only opening,
//! closing and eviction look at all of them.

use std::collections::BTreeMap;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::task::AbortHandle;
use tokio::time::Instant;

/// How long a connection is left alone before another may take its place.
pub(super) const GRACE: Duration = Duration::from_secs(1);
/// The time of a connection that is being served.
const BUSY: u64 = u64::MAX;

/// When a connection was opened, or its last request answered, in milliseconds since the table began.
#[derive(Debug)]
pub(super) struct Activity {
    began: Instant,
    since_ms: AtomicU64,
}

impl Activity {
    /// A request has been answered.
    pub(super) fn note(&self) {
        let since_ms = u64::try_from(self.began.elapsed().as_millis()).unwrap_or(BUSY);
        self.since_ms.store(since_ms, Ordering::Relaxed);
    }

    /// A long reply is on its way; it has limits of its own.
    pub(super) fn note_busy(&self) {
        self.since_ms.store(BUSY, Ordering::Relaxed);
    }
}

/// All open connections, by number.
#[derive(Debug)]
pub(super) struct Idle {
    began: Instant,
    open: Mutex<Open>,
}

#[derive(Debug, Default)]
struct Open {
    next: u64,
    connections: BTreeMap<u64, (Arc<Activity>, Option<AbortHandle>)>,
}

impl Idle {
    /// No connections yet.
    pub(super) fn new() -> Self {
        Self { began: Instant::now(), open: Mutex::default() }
    }

    /// Takes a connection in: its number, and what it tells of itself with.
    pub(super) fn insert(&self) -> (u64, Arc<Activity>) {
        let activity = Arc::new(Activity { began: self.began, since_ms: AtomicU64::new(0) });
        activity.note();
        let mut open = self.open();
        let number = open.next;
        open.next += 1;
        open.connections.insert(number, (Arc::clone(&activity), None));
        (number, activity)
    }

    /// Says which task serves a connection, unless it has ended by now.
    pub(super) fn set_task(&self, number: u64, task: AbortHandle) {
        if let Some((_, place)) = self.open().connections.get_mut(&number) {
            *place = Some(task);
        }
    }

    /// Forgets a connection.
    pub(super) fn remove(&self, number: u64) {
        self.open().connections.remove(&number);
    }

    /// Closes the connection that has been idle longest, if that is long enough. Whether there was one.
    pub(super) fn evict(&self) -> bool {
        let mut open = self.open();
        let since_ms = |activity: &Activity| activity.since_ms.load(Ordering::Relaxed);
        let longest = open.connections.iter().min_by_key(|(_, (activity, _))| since_ms(activity));
        let now = self.began.elapsed();
        let is_long = |since_ms| now.saturating_sub(Duration::from_millis(since_ms)) >= GRACE;
        let Some((&number, _)) = longest.filter(|(_, (activity, _))| is_long(since_ms(activity))) else { return false };
        let task = open.connections.remove(&number).and_then(|(_, task)| task);
        task.inspect(AbortHandle::abort).is_some()
    }

    fn open(&self) -> MutexGuard<'_, Open> {
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
