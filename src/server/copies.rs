//! Small copies on their way to disk: those that come at about the same time are written together.
//!
//! To wait until a file is durable takes milliseconds, however short it is, and a disk makes many files durable in
//! hardly more time than one. So when a thousand small zones change at once, one thread writes what has come meanwhile
//! and waits for all of it. Large copies are written by their transfers, so that no small one has to wait for them.

use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::{io, iter, thread};

use tokio::sync::oneshot;

use super::worker::unix_now_s;
use crate::zone::ZoneVersion;
use crate::zone::copy::{Copy, Kept, keep_all};
use crate::zone::disk::Host;

/// The way to the thread that writes; clones lead to the same one.
#[derive(Clone)]
pub(super) struct Copies(Sender<Waiting>);

/// A version that is to be kept as a whole.
struct Waiting {
    copy: Copy<'static, Host>,
    version: Arc<ZoneVersion>,
    done: oneshot::Sender<Kept>,
}

impl Copies {
    /// Starts the thread. It ends when nobody can send it anything.
    pub(super) fn start() -> io::Result<Self> {
        let (queue, waiting) = channel();
        thread::Builder::new().name("copies".into()).spawn(move || while write_some(&waiting) {})?;
        Ok(Self(queue))
    }

    /// Whether a version is written with others.
    pub(super) fn take(version: &ZoneVersion) -> bool {
        version.size_bytes() <= SMALL_BYTES
    }

    /// Makes a version durable in its zone's file. None: the thread broke off.
    pub(super) async fn keep(&self, copy: Copy<'static, Host>, version: Arc<ZoneVersion>) -> Option<Kept> {
        let (done, kept) = oneshot::channel();
        self.0.send(Waiting { copy, version, done }).ok()?;
        kept.await.ok()
    }
}

/// Waits for something to write, and writes what there is by then. False if there will be nothing any more.
fn write_some(waiting: &Receiver<Waiting>) -> bool {
    let Ok(first) = waiting.recv() else { return false };
    let mut together: Vec<_> = iter::once(first).chain(waiting.try_iter()).take(MOST).collect();
    // Whose transfer was ended may not be written: the file may be another zone's by now.
    together.retain(|waiting| !waiting.done.is_closed());
    let copies: Vec<_> = together.iter().map(|waiting| (waiting.copy.clone(), &*waiting.version)).collect();
    let kept = keep_all(&copies, unix_now_s());
    for (waiting, kept) in together.into_iter().zip(kept) {
        // Fails if the transfer was ended meanwhile.
        let _ = waiting.done.send(kept);
    }
    true
}

/// What a version takes in memory, which is about what it takes in a file.
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
            let keep = |name: &'static str| {
                let (copies, copy, version) = (copies.clone(), copy(folder.path(), name), version(&apex));
                tokio::spawn(async move { copies.keep(copy, version).await })
            };
            let (first, lost, last) = (keep("first"), keep("lost"), keep("last"));
            tokio::task::yield_now().await;
            lost.abort();
            tokio::task::yield_now().await;
            assert!(write_some(&waiting));
            for kept in [first, last] {
                assert_eq!(kept.await.unwrap().unwrap().durability, Durability::File);
            }
        });
        let read = |name| raw::read(&Host, &folder.path().join(name), &apex, Class::IN, Limits::default());
        assert!(read("first").is_ok() && read("last").is_ok() && read("lost").is_err());
        drop(copies);
        assert!(!write_some(&waiting));
    }
}
