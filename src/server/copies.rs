//! Small copies and changes on their way to disk: those that come at about the same time are written together.
//!
//! To wait until a file is durable takes milliseconds, however short it is, and a disk makes many files durable in
//! hardly more time than one. So when a thousand small zones change at once, one thread writes what has come meanwhile
//! and waits for all of it. Large copies are written by their transfers, so that no small one has to wait for them.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::{io, iter, thread};

use tokio::sync::oneshot;

use super::leave::Leave;
use super::worker::unix_now_s;
use crate::zone::ZoneVersion;
use crate::zone::copy::{Copy, Kept, News, keep_all};
use crate::zone::disk::Host;
use crate::zone::journal::Transaction;

/// The way to the thread that writes; clones lead to the same one.
#[derive(Clone)]
pub(super) struct Copies(Sender<Waiting>);

/// A version that is to be kept.
struct Waiting {
    copy: Copy<'static, Host>,
    version: Arc<ZoneVersion>,
    /// What leads to it from the one that is on disk, where that is to be kept instead.
    transactions: Arc<[Transaction]>,
    /// Whether it is known to be newer than that.
    is_newer: bool,
    leave: Leave,
    done: oneshot::Sender<(Kept, Arc<ZoneVersion>)>,
}

impl Copies {
    /// Starts the thread. It ends when nobody can send it anything.
    pub(super) fn start() -> io::Result<Self> {
        let (queue, waiting) = channel();
        thread::Builder::new().name("copies".into()).spawn(move || while write_some(&waiting) {})?;
        Ok(Self(queue))
    }

    /// Whether a version is written with others.
    pub(super) fn is_small(version: &ZoneVersion) -> bool {
        version.size_bytes() <= SMALL_BYTES
    }

    /// Whether changes are written with others.
    pub(super) fn are_small(transactions: &[Transaction]) -> bool {
        transactions.iter().map(|transaction| transaction.as_bytes().len()).sum::<usize>() <= SMALL_BYTES
    }

    /// Makes a version durable: in its zone's journal if there are transactions that lead to it, else in its file.
    /// None: the thread broke off.
    pub(super) async fn keep(
        &self,
        copy: Copy<'static, Host>,
        version: Arc<ZoneVersion>,
        transactions: Arc<[Transaction]>,
        is_newer: bool,
        leave: Leave,
    ) -> Option<(Kept, Arc<ZoneVersion>)> {
        let (done, kept) = oneshot::channel();
        self.0.send(Waiting { copy, version, transactions, is_newer, leave, done }).ok()?;
        kept.await.ok()
    }
}

impl Waiting {
    fn news(&self) -> News<'_> {
        match () {
            () if !self.transactions.is_empty() => News::Changes(&self.transactions),
            () if self.is_newer => News::Whole,
            () => News::Instead(None),
        }
    }
}

/// Waits for something to write, and writes what there is by then. False if there will be nothing any more.
fn write_some(waiting: &Receiver<Waiting>) -> bool {
    let Ok(first) = waiting.recv() else { return false };
    let mut together: Vec<_> = iter::once(first).chain(waiting.try_iter()).take(MOST).collect();
    let leaves: Vec<_> = together.iter().map(|waiting| waiting.leave.clone()).collect();
    let held: Vec<_> = leaves.iter().map(Leave::hold).collect();
    // Nor is anything written that nobody waits for any more.
    let mut is_held = held.iter().map(Option::is_some);
    together.retain(|waiting| is_held.next().unwrap_or(false) && !waiting.done.is_closed());
    let copies = together.iter().map(|waiting| (waiting.copy.clone(), &*waiting.version, waiting.news()));
    let copies: Vec<_> = copies.collect();
    let kept = keep_all(&copies, unix_now_s());
    drop(held);
    for (waiting, kept) in together.into_iter().zip(kept) {
        let version = resettled(waiting.version);
        // Fails if the transfer was ended meanwhile.
        let _ = waiting.done.send((kept, version));
    }
    true
}

/// A small version in memory of this thread's own: the allocator gives each thread a pool, and what stays for long
/// among what goes at once would keep whole pages of it.
fn resettled(version: Arc<ZoneVersion>) -> Arc<ZoneVersion> {
    if version.is_small() { Arc::new(version.rewritten()) } else { version }
}

/// What a version takes in memory, which is about what it takes in a file, or what its changes take.
const SMALL_BYTES: usize = 256 << 10;
/// How many copies are written together: so many files are open.
const MOST: usize = 128;

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::dns::{Class, Name, Rtype};
    use crate::zone::copy::{Durability, Form};
    use crate::zone::{Builder, Limits, raw};

    fn version(apex: &Name) -> Arc<ZoneVersion> {
        let mut builder = Builder::new(apex.clone(), Class::IN);
        builder.add(apex.as_ref(), Rtype::SOA, 60, &[0; 22]).unwrap();
        Arc::new(builder.finish().unwrap())
    }

    fn copy(folder: &Path, name: &str) -> Copy<'static, Host> {
        let (file, journal) = (folder.join(name), folder.join(format!("{name}.jnl")));
        Copy { disk: &Host, file, journal, form: Form::Raw, journal_bytes: None }
    }

    #[test]
    fn what_waits_is_written_together_unless_nobody_waits_for_it_any_more() {
        let (folder, apex) = (tempfile::tempdir().unwrap(), "example.".parse().unwrap());
        let (queue, waiting) = channel();
        let copies = Copies(queue);
        let runtime = tokio::runtime::Builder::new_current_thread().build().unwrap();
        runtime.block_on(async {
            let gone = Leave::default();
            gone.take_away();
            let keep = |name: &'static str| {
                let leave = if name == "gone" { gone.clone() } else { Leave::default() };
                let (copies, copy, version) = (copies.clone(), copy(folder.path(), name), version(&apex));
                tokio::spawn(async move { copies.keep(copy, version, [].into(), false, leave).await })
            };
            let (first, lost, gone, last) = (keep("first"), keep("lost"), keep("gone"), keep("last"));
            tokio::task::yield_now().await;
            lost.abort();
            tokio::task::yield_now().await;
            assert!(write_some(&waiting));
            for kept in [first, last] {
                assert_eq!(kept.await.unwrap().unwrap().0.durability, Durability::File);
            }
            assert!(gone.await.unwrap().is_none());
        });
        let read = |name| raw::read(&Host, &folder.path().join(name), &apex, Class::IN, Limits::default());
        assert!(read("first").is_ok() && read("last").is_ok());
        assert!(read("lost").is_err() && read("gone").is_err());
        drop(copies);
        assert!(!write_some(&waiting));
    }
}
