//! Leave to write to a zone's files, which ends with the zone: they may be another's from then on.
//!
//! Whoever takes it away waits until it is not held, and that is the control side. So a large file is written under a
//! name of its own without it, and it is held only to put that in the place of the zone's.

use std::fs::File;
use std::io;
use std::path::Path;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::SystemTime;

use crate::zone::copy::Copy;
use crate::zone::disk::{Access, Disk, Host};

/// The leave; clones are one and the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Leave(Arc<Mutex<bool>>);

impl Leave {
    /// To be held while something is written. None: it was taken away.
    pub(super) fn hold(&self) -> Option<MutexGuard<'_, bool>> {
        Some(self.is_away()).filter(|is_away| !**is_away)
    }

    /// Takes it away, once what is being written has been.
    pub(super) fn take_away(&self) {
        *self.is_away() = true;
    }

    fn is_away(&self) -> MutexGuard<'_, bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// The host's file systems, where nothing takes the place of a zone's file or removes it or its journal without leave.
pub(super) struct ByLeave<'l> {
    leave: &'l Leave,
    files: [&'l Path; 2],
}

impl<'l> ByLeave<'l> {
    /// For a copy.
    pub(super) fn to_keep(copy: &'l Copy<'static, Host>, leave: &'l Leave) -> Self {
        Self { leave, files: [&copy.file, &copy.journal] }
    }

    /// The copy, to be written with that much leave.
    pub(super) fn of(&self, copy: &Copy<'static, Host>) -> Copy<'_, Self> {
        let Copy { file, journal, form, journal_bytes, .. } = copy.clone();
        Copy { disk: self, file, journal, form, journal_bytes }
    }

    fn hold(&self) -> io::Result<MutexGuard<'_, bool>> {
        self.leave.hold().ok_or_else(|| io::Error::other("the zone is gone"))
    }
}

impl Disk for ByLeave<'_> {
    type File = File;

    fn open(&self, path: &Path, access: Access) -> io::Result<File> {
        Host.open(path, access)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let _held = self.hold()?;
        Host.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let _held = if self.files.contains(&path) { Some(self.hold()?) } else { None };
        Host.remove(path)
    }

    fn sync_names(&self, beside: &Path) -> io::Result<()> {
        Host.sync_names(beside)
    }

    fn modified(&self, path: &Path) -> io::Result<SystemTime> {
        Host.modified(path)
    }

    fn set_modified(&self, path: &Path, at: SystemTime) -> io::Result<()> {
        Host.set_modified(path, at)
    }
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;
    use crate::zone::copy::Form;
    use crate::zone::file::{FileError, write_atomically};

    #[test]
    fn it_is_taken_away_once_nothing_is_written_and_then_nothing_is() {
        let leave = Leave::default();
        let (say, said) = channel();
        thread::scope(|scope| {
            let held = leave.hold();
            let taking = leave.clone();
            let taker = say.clone();
            scope.spawn(move || {
                taking.take_away();
                taker.send("taken away").unwrap();
            });
            say.send("written").unwrap();
            drop(held);
        });
        assert_eq!(said.try_iter().collect::<Vec<_>>(), ["written", "taken away"]);
        assert!(leave.hold().is_none());
    }

    #[test]
    fn a_file_that_is_being_written_keeps_nobody_from_taking_it_away_and_then_comes_to_nothing() {
        let folder = tempfile::tempdir().unwrap();
        let [file, journal] = ["zone", "zone.jnl"].map(|name| folder.path().join(name));
        [&file, &journal].iter().for_each(|path| fs::write(path, "old").unwrap());
        let (copy, leave) = (copy(&file, &journal), Leave::default());
        let disk = ByLeave::to_keep(&copy, &leave);
        let written = write_atomically(&disk, &file, |out| {
            leave.take_away();
            out.write_all(b"new")
        });
        assert!(matches!(written, Err(FileError::Rename { .. })), "{written:?}");
        assert!(disk.of(&copy).drop_journal().is_err());
        assert_eq!([&file, &journal].map(|path| fs::read(path).unwrap()), [b"old"; 2]);
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "what was written is gone");
    }

    #[test]
    fn with_leave_a_file_is_written_and_its_journal_removed() {
        let folder = tempfile::tempdir().unwrap();
        let [file, journal] = ["zone", "zone.jnl"].map(|name| folder.path().join(name));
        fs::write(&journal, "old").unwrap();
        let (copy, leave) = (copy(&file, &journal), Leave::default());
        let disk = ByLeave::to_keep(&copy, &leave);
        write_atomically(&disk, &file, |out| out.write_all(b"new")).unwrap();
        disk.of(&copy).drop_journal().unwrap();
        assert_eq!((fs::read(&file).unwrap(), journal.exists()), (b"new".to_vec(), false));
    }

    fn copy(file: &Path, journal: &Path) -> Copy<'static, Host> {
        Copy { disk: &Host, file: file.into(), journal: journal.into(), form: Form::Raw, journal_bytes: None }
    }
}
