//! Leave to write to a zone's files, which ends with the zone: they may be another's from then on.
//!
//! Whoever takes it away is the control side, which must not wait for a disk. So it is held for one step at a time,
//! none of which syncs or puts more than a little into a file: what was begun by a zone that is gone ends between two
//! of them. The order in which copies and journals are written lets a crash fall there, and so may this.

use std::fmt;
use std::io::{self, Read, Write};
use std::path::Path;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::zone::copy::Copy;
use crate::zone::disk::{Access, Disk, DiskFile, Host};

/// The leave; clones are one and the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Leave(Arc<State>);

#[derive(Debug, Default)]
struct State {
    is_away: AtomicBool,
    /// Held during a step.
    step: Mutex<()>,
}

impl Leave {
    /// Takes it away, once the step that is being taken has been.
    pub(super) fn take_away(&self) {
        // First of all, or one step after the other might go before.
        self.0.is_away.store(true, Ordering::Release);
        drop(self.step());
    }

    /// Whether it was taken away.
    pub(super) fn is_away(&self) -> bool {
        self.0.is_away.load(Ordering::Acquire)
    }

    /// To be held during a step.
    fn hold(&self) -> io::Result<MutexGuard<'_, ()>> {
        let step = self.step();
        self.check().map(|()| step)
    }

    fn check(&self) -> io::Result<()> {
        if self.is_away() { Err(io::Error::other("the zone is gone")) } else { Ok(()) }
    }

    fn step(&self) -> MutexGuard<'_, ()> {
        self.0.step.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// File systems on which nothing becomes of a zone's files without leave.
pub(super) struct ByLeave<'l, D = Host> {
    disk: &'l D,
    files: [&'l Path; 2],
    leave: &'l Leave,
}

impl<'l, D: Disk> ByLeave<'l, D> {
    /// For a copy.
    pub(super) fn to_keep(copy: &'l Copy<'_, D>, leave: &'l Leave) -> Self {
        Self { disk: copy.disk, files: [&copy.file, &copy.journal], leave }
    }

    /// The copy, to be written with that much leave.
    pub(super) fn of(&self, copy: &Copy<'_, D>) -> Copy<'_, Self> {
        let (file, journal) = (copy.file.clone(), copy.journal.clone());
        Copy { disk: self, file, journal, form: copy.form, journal_bytes: copy.journal_bytes }
    }

    /// Whether this may be a file that another zone has too: drafts have names of their own.
    fn is_shared(&self, path: &Path) -> bool {
        self.files.contains(&path) || path.extension().is_some_and(|extension| extension == "jnw")
    }
}

impl<'l, D: Disk> Disk for ByLeave<'l, D> {
    type File = FileByLeave<'l, D::File>;

    fn open(&self, path: &Path, access: Access) -> io::Result<Self::File> {
        let _held = if access == Access::Read { None } else { Some(self.leave.hold()?) };
        let access = match access {
            // What is open there already may be another's, and is to stay so.
            Access::Replace => {
                let _ = self.disk.remove(path);
                Access::New
            }
            access => access,
        };
        self.disk.open(path, access).map(|file| FileByLeave { file, leave: self.leave })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let _held = self.leave.hold()?;
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let _held = if self.is_shared(path) { Some(self.leave.hold()?) } else { None };
        self.disk.remove(path)
    }

    fn sync_names(&self, beside: &Path) -> io::Result<()> {
        self.disk.sync_names(beside)
    }

    fn modified(&self, path: &Path) -> io::Result<SystemTime> {
        self.disk.modified(path)
    }

    fn set_modified(&self, path: &Path, at: SystemTime) -> io::Result<()> {
        let _held = self.leave.hold()?;
        self.disk.set_modified(path, at)
    }
}

/// A file on such a file system.
#[derive(Debug)]
pub(super) struct FileByLeave<'l, F> {
    file: F,
    leave: &'l Leave,
}

impl<F: Read> Read for FileByLeave<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

/// What is filled from its beginning is not the zone's yet, and may be large: nobody waits for it.
impl<F: Write> Write for FileByLeave<'_, F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.leave.check()?;
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl<F: DiskFile + fmt::Debug> DiskFile for FileByLeave<'_, F> {
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        for (step, bytes) in (0..).step_by(STEP_BYTES).zip(bytes.chunks(STEP_BYTES)) {
            let _held = self.leave.hold()?;
            self.file.write_all_at(bytes, offset.saturating_add(step))?;
        }
        Ok(())
    }

    fn begin_sync(&self) {
        self.file.begin_sync();
    }

    fn sync(&self) -> io::Result<()> {
        self.file.sync()
    }

    fn sync_data(&self) -> io::Result<()> {
        self.file.sync_data()
    }
}

/// What is put into a file in one step.
const STEP_BYTES: usize = 256 << 10;

#[cfg(test)]
mod tests;
