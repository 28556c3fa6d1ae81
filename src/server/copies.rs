//! Small copies and changes on their way to disk: those that come at about the same time are written together.
//!
//! To wait until a file is durable takes milliseconds, however short it is, and a disk makes many files durable in
//! hardly more time than one. So when a thousand small zones change at once, one thread writes what has come meanwhile
//! and waits for all of it. Large copies are written by their transfers, so that no small one has to wait for them; so
//! is a large one of which only a small change has come, if its journal does not take that.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::{io, iter, thread};

use tokio::sync::oneshot;

use super::leave::{ByLeave, Leave};
use super::worker::unix_now_s;
use crate::zone::ZoneVersion;
use crate::zone::copy::{Copy, Durability, Kept, News, keep_all};
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
    /// None: it goes back, to be written by itself where the journal did not take what leads to a large one.
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
    /// Whether it is small as long as the journal takes it.
    fn is_change_alone(&self) -> bool {
        !self.transactions.is_empty() && !Copies::is_small(&self.version)
    }

    fn news(&self) -> News<'_> {
        match () {
            () if self.is_change_alone() => News::ChangesAlone(&self.transactions),
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
    // Nothing is written for a zone that is gone, or that nobody waits for any more.
    together.retain(|waiting| !waiting.leave.is_away() && !waiting.done.is_closed());
    let disks: Vec<_> = together.iter().map(|waiting| ByLeave::to_keep(&waiting.copy, &waiting.leave)).collect();
    let copies = together.iter().zip(&disks);
    let copies: Vec<_> =
        copies.map(|(waiting, disk)| (disk.of(&waiting.copy), &*waiting.version, waiting.news())).collect();
    let kept = keep_all(&copies, unix_now_s());
    for (waiting, kept) in together.into_iter().zip(kept) {
        let goes_back = waiting.is_change_alone() || waiting.leave.is_away();
        if goes_back && kept.durability == Durability::None {
            continue;
        }
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
    use std::fs;
    use std::io::Write;
    use std::os::unix::fs::FileTypeExt;
    use std::path::Path;
    use std::time::Duration;

    use nix::sys::stat::Mode;
    use nix::unistd::mkfifo;

    use super::*;
    use crate::dns::{Class, Name, Rtype};
    use crate::zone::copy::Form;
    use crate::zone::diff::diff;
    use crate::zone::{Builder, Limits, raw};

    fn version(apex: &Name, serial: u8) -> Arc<ZoneVersion> {
        filled(apex, serial, 0)
    }

    /// With so many bytes of records at other names.
    fn filled(apex: &Name, serial: u8, bytes: usize) -> Arc<ZoneVersion> {
        let mut builder = Builder::new(apex.clone(), Class::IN);
        builder.add(apex.as_ref(), Rtype::SOA, 60, &[&[0; 5][..], &[serial], &[0; 16]].concat()).unwrap();
        for number in 0..bytes >> 12 {
            let owner: Name = format!("{number}.{apex}").parse().unwrap();
            builder.add(owner.as_ref(), Rtype(65_280), 60, &[0; 4 << 10]).unwrap();
        }
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
                let (copies, copy, version) = (copies.clone(), copy(folder.path(), name), version(&apex, 0));
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
    #[test]
    fn a_zone_whose_change_waits_for_the_disk_is_dropped_at_once_and_nothing_of_it_is_written_then() {
        let apex = "example.".parse().unwrap();
        let (old, new) = (version(&apex, 5), version(&apex, 6));
        let transactions: Arc<[_]> = [diff(&old, &new).unwrap()].into();
        let mut bytes = vec![];
        raw::dump(&old, &raw::Header::default(), &mut bytes).unwrap();
        for on_disk in [&[][..], &bytes] {
            let (folder, (queue, waiting)) = (tempfile::tempdir().unwrap(), channel());
            let (copy, leave, (done, kept)) = (copy(folder.path(), "zone"), Leave::default(), oneshot::channel());
            let (file, version, transactions) = (copy.file.clone(), Arc::clone(&new), Arc::clone(&transactions));
            mkfifo(&file, Mode::S_IRWXU).unwrap();
            queue.send(Waiting { copy, version, transactions, is_newer: true, leave: leave.clone(), done }).unwrap();
            thread::scope(|scope| {
                scope.spawn(move || write_some(&waiting));
                // It is open once somebody reads it.
                let mut disk = fs::File::options().write(true).open(&file).unwrap();
                let (say, said) = channel();
                scope.spawn(move || {
                    leave.take_away();
                    say.send(()).unwrap();
                });
                said.recv_timeout(Duration::from_secs(10)).expect("it is taken away at once");
                disk.write_all(on_disk).unwrap();
            });
            assert!(kept.blocking_recv().is_err(), "it is neither kept nor at fault");
            assert!(fs::symlink_metadata(&file).unwrap().file_type().is_fifo(), "it is in its place");
            assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "and nothing beside it");
        }
    }

    #[test]
    fn a_large_zone_whose_journal_does_not_take_its_change_is_left_to_be_written_by_itself() {
        let apex = "example.".parse().unwrap();
        for (bytes, is_large) in [(0, false), (SMALL_BYTES, true)] {
            let (folder, (queue, waiting)) = (tempfile::tempdir().unwrap(), channel());
            let [old, new] = [5, 6].map(|serial| filled(&apex, serial, bytes));
            assert_eq!(Copies::is_small(&new), !is_large);
            let copy = copy(folder.path(), "zone");
            let keep = |transactions: Arc<[Transaction]>| {
                let (done, kept) = oneshot::channel();
                let (copy, version, leave) = (copy.clone(), Arc::clone(&new), Leave::default());
                queue.send(Waiting { copy, version, transactions, is_newer: true, leave, done }).unwrap();
                write_some(&waiting);
                kept.blocking_recv().ok().map(|(kept, _)| kept.durability)
            };
            let change: Arc<[_]> = [diff(&old, &new).unwrap()].into();
            assert_eq!(keep(Arc::clone(&change)), (!is_large).then_some(Durability::File));
            assert_eq!(copy.file.exists(), !is_large);
            copy.save(&old, 0).unwrap();
            assert_eq!(keep(change), Some(Durability::Journal));
        }
    }
}
