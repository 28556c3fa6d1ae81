//! What the control side and the workers both hold: the snapshot, and the few switches and counts that change between
//! snapshots.

use std::sync::atomic::{AtomicBool, AtomicU64, AtomicUsize, Ordering};
use std::sync::mpsc::{Receiver, RecvTimeoutError, Sender, channel};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;
use std::{io, thread};

use arc_swap::ArcSwap;
use tokio::sync::mpsc::UnboundedSender;

use super::core::Event;
use crate::answer::Snapshot;
use crate::answer::counters::Counters;
use crate::conf::Config;
use crate::net::release_memory;
use crate::zone::ZoneVersion;

/// See the module.
pub(super) struct Shared {
    /// What is answered from.
    pub(super) snapshot: Arc<ArcSwap<Snapshot>>,
    /// The control side's ear.
    pub(super) events: UnboundedSender<Event>,
    /// NOTIFYs that were answered and are not yet looked at.
    pub(super) notifies_open: AtomicUsize,
    /// Rows of limited answers that are looked after.
    pub(super) rows_open: AtomicUsize,
    /// Whether queries are logged (`rndc querylog`).
    pub(super) is_logging_queries: AtomicBool,
    /// Of transfers that are being sent (`transfers-out`).
    pub(super) transfers_out: Arc<Places>,
    /// Of updates under way (`update-quota`).
    pub(super) updates: Arc<Places>,
    /// The size to which transfer messages are filled (`transfer-message-size`).
    pub(super) transfer_message_size: AtomicUsize,
    /// The counters of all workers.
    counters: Mutex<Vec<Arc<Counters>>>,
    /// Transfers that were sent to their end.
    pub(super) transfers_sent: AtomicU64,
    retired: Sender<Retired>,
}

/// What is served no longer and to be taken down.
pub(super) enum Retired {
    /// A version that another took the place of.
    Version(Arc<ZoneVersion>),
    /// A configuration.
    Config(Arc<Config>),
    /// A snapshot, with the zones that only it shows.
    Snapshot(Arc<Snapshot>),
    /// What reading zones needed and nobody does any more.
    Scraps,
}

impl Shared {
    /// Starts with an empty snapshot and the thread that takes down versions no longer served.
    pub(super) fn start(events: UnboundedSender<Event>) -> io::Result<Self> {
        let (retired, queue) = channel();
        thread::Builder::new().name("retire".into()).spawn(move || take_down(&queue))?;
        Ok(Self {
            snapshot: Arc::new(ArcSwap::from_pointee(Snapshot::default())),
            events,
            notifies_open: AtomicUsize::new(0),
            rows_open: AtomicUsize::new(0),
            is_logging_queries: AtomicBool::new(false),
            transfers_out: Arc::default(),
            updates: Arc::default(),
            transfer_message_size: AtomicUsize::new(0),
            counters: Mutex::default(),
            transfers_sent: AtomicU64::new(0),
            retired,
        })
    }

    /// Counters for another worker.
    pub(super) fn new_counters(&self) -> Arc<Counters> {
        let counters = Arc::new(Counters::default());
        self.all_counters().push(Arc::clone(&counters));
        counters
    }

    /// The counters of all workers so far.
    pub(super) fn all_counters(&self) -> MutexGuard<'_, Vec<Arc<Counters>>> {
        self.counters.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// Takes down a version that is no longer served, away from whoever has better to do: millions of names take time.
    pub(super) fn retire(&self, retired: Retired) {
        // The thread lives as long as the sender.
        let _ = self.retired.send(retired);
    }

    /// As [`Self::retire`], for the version before, if there was one.
    pub(super) fn retire_version(&self, version: Option<Arc<ZoneVersion>>) {
        version.into_iter().for_each(|version| self.retire(Retired::Version(version)));
    }
}

/// Places of which so many may be taken at a time.
#[derive(Default)]
pub(super) struct Places {
    taken: AtomicUsize,
    limit: AtomicUsize,
}

impl Places {
    /// Says how many there are. As with named, 0 is no limit.
    pub(super) fn set_limit(&self, limit: usize) {
        self.limit.store(limit, Ordering::Relaxed);
    }

    /// Takes one, if one is free.
    pub(super) fn take(self: &Arc<Self>) -> Option<Place> {
        let limit = self.limit.load(Ordering::Relaxed);
        let one_more = |taken| (limit == 0 || taken < limit).then_some(taken + 1);
        let took = self.taken.fetch_update(Ordering::Relaxed, Ordering::Relaxed, one_more);
        took.is_ok().then(|| Place(Arc::clone(self)))
    }
}

/// A place, until it is dropped.
pub(super) struct Place(Arc<Places>);

impl Drop for Place {
    fn drop(&mut self) {
        self.0.taken.fetch_sub(1, Ordering::Relaxed);
    }
}

impl Retired {
    fn is_held_elsewhere(&self) -> bool {
        match self {
            Self::Version(version) => Arc::strong_count(version) > 1,
            Self::Config(config) => Arc::strong_count(config) > 1,
            Self::Snapshot(snapshot) => Arc::strong_count(snapshot) > 1,
            Self::Scraps => false,
        }
    }
}

/// Takes down what comes, each as soon as nobody else holds it: whoever lets go last would have to do it, and that may
/// be a worker. The memory goes back to the system.
fn take_down(queue: &Receiver<Retired>) {
    let (mut held, mut has_freed) = (vec![], false);
    loop {
        let wait = if held.is_empty() && !has_freed { FOR_EVER } else { LOOK_AGAIN };
        match queue.recv_timeout(wait) {
            Ok(Retired::Scraps) => release_memory(),
            Ok(retired) => held.push(retired),
            // Once for many: nothing has come for a while.
            Err(RecvTimeoutError::Timeout) if std::mem::take(&mut has_freed) => release_memory(),
            Err(RecvTimeoutError::Timeout) => {}
            Err(RecvTimeoutError::Disconnected) => return,
        }
        let before = held.len();
        held.retain(Retired::is_held_elsewhere);
        has_freed |= held.len() < before;
    }
}

/// How long until it is looked whether something is held still.
const LOOK_AGAIN: Duration = Duration::from_secs(1);
/// There is nothing to look at: a day is as good as for ever.
const FOR_EVER: Duration = Duration::from_secs(86_400);

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_worker_still_holds_is_taken_down_after_it_lets_go() {
        let mut held = vec![];
        let in_use = Arc::new(Snapshot::default());
        held.push(Retired::Snapshot(Arc::clone(&in_use)));
        held.push(Retired::Snapshot(Arc::new(Snapshot::default())));
        held.retain(Retired::is_held_elsewhere);
        assert_eq!((held.len(), Arc::strong_count(&in_use)), (1, 2));
        let watched = Arc::downgrade(&in_use);
        drop(in_use);
        held.retain(Retired::is_held_elsewhere);
        assert!(held.is_empty() && watched.upgrade().is_none());
    }
}
