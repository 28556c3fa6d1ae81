//! What the control side and the workers both hold: the snapshot, and the few switches and counts that change between
//! snapshots.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicUsize, Ordering};
use std::sync::mpsc::{Sender, channel};
use std::{io, thread};

use arc_swap::ArcSwap;
use tokio::sync::mpsc::UnboundedSender;

use super::core::Event;
use crate::answer::Snapshot;
use crate::zone::ZoneVersion;

/// See the module.
pub(super) struct Shared {
    /// What is answered from.
    pub(super) snapshot: Arc<ArcSwap<Snapshot>>,
    /// The control side's ear.
    pub(super) events: UnboundedSender<Event>,
    /// NOTIFYs that were answered and are not yet looked at.
    pub(super) notifies_open: AtomicUsize,
    /// Whether queries are logged (`rndc querylog`).
    pub(super) is_logging_queries: AtomicBool,
    /// Transfers that are being sent.
    pub(super) transfers_out: AtomicUsize,
    /// How many may be sent at once (`transfers-out`).
    pub(super) max_transfers_out: AtomicUsize,
    /// The size to which transfer messages are filled (`transfer-message-size`).
    pub(super) transfer_message_size: AtomicUsize,
    retired: Sender<Arc<ZoneVersion>>,
}

impl Shared {
    /// Starts with an empty snapshot and the thread that takes down versions no longer served.
    pub(super) fn start(events: UnboundedSender<Event>) -> io::Result<Self> {
        let (retired, queue) = channel::<Arc<ZoneVersion>>();
        thread::Builder::new().name("retire".into()).spawn(move || queue.into_iter().for_each(drop))?;
        Ok(Self {
            snapshot: Arc::new(ArcSwap::from_pointee(Snapshot::default())),
            events,
            notifies_open: AtomicUsize::new(0),
            is_logging_queries: AtomicBool::new(false),
            transfers_out: AtomicUsize::new(0),
            max_transfers_out: AtomicUsize::new(0),
            transfer_message_size: AtomicUsize::new(0),
            retired,
        })
    }

    /// Takes down a version that is no longer served, away from whoever has better to do: millions of names take time.
    pub(super) fn retire(&self, version: Option<Arc<ZoneVersion>>) {
        if let Some(version) = version {
            // The thread lives as long as the sender.
            let _ = self.retired.send(version);
        }
    }

    /// Takes one of the places for transfers that are sent; none is free: false.
    pub(super) fn take_transfer_place(&self) -> bool {
        let limit = self.max_transfers_out.load(Ordering::Relaxed);
        let took = self
            .transfers_out
            .fetch_update(Ordering::Relaxed, Ordering::Relaxed, |used| (used < limit).then_some(used + 1));
        took.is_ok()
    }

    /// Gives it back.
    pub(super) fn free_transfer_place(&self) {
        self.transfers_out.fetch_sub(1, Ordering::Relaxed);
    }
}
