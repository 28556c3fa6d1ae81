//! Making way for a version that is not newer than what is on disk, as `rndc retransfer` may bring one.
//!
//! Behind a file that holds that version the journal would be taken to lead on from it, to contents that nobody ever
//! had, and those who ask for differences would be told what led to another version of its serial. So the journal goes
//! first, and before that what it leads to goes to the file: a crash leaves what was published, or what has come. Where
//! the disk does not take what has come, a file that is not older goes as well, since nothing newer would ever take its
//! place after a crash. BIND removes both at once.

use super::{Copy, KeepError, News, base};
use crate::dns::Serial;
use crate::zone::ZoneVersion;
use crate::zone::disk::Disk;
use crate::zone::file::{Draft, FileError};
use crate::zone::journal::{Journal, JournalError};

impl<D: Disk> Copy<'_, D> {
    /// Takes the journal out of the way of a version that is to go to the file, if it does not end before that.
    pub(super) fn make_way(&self, version: &ZoneVersion, news: News<'_>, now_s: u64) -> Result<(), KeepError> {
        let News::Instead(old) = news else { return Ok(()) };
        // What cannot be read now may be read at the next start.
        let is_in_the_way = self.has_journal_to(|last| !version.serial().is_newer_than(last)).unwrap_or(old.is_some());
        if !is_in_the_way {
            return Ok(());
        }
        if let Some(old) = old {
            // What is refused here is told of the new version, too.
            let _ = self.put_into_file(old, now_s);
        }
        self.drop_journal()
    }

    /// Removes a journal that is known to lead elsewhere and would be taken to lead to this version, or on from it.
    pub fn clear_way(&self, version: &ZoneVersion) -> Result<(), KeepError> {
        let is_in_the_way = self.has_journal_to(|last| !version.serial().is_newer_than(last));
        if is_in_the_way == Some(true) { self.drop_journal() } else { Ok(()) }
    }

    /// Whether there is a journal that ends with such a serial; none: it cannot be read.
    fn has_journal_to(&self, is_meant: impl Fn(Serial) -> bool) -> Option<bool> {
        match Journal::open(self.disk, &self.journal) {
            Ok(journal) => Some(!journal.is_empty() && is_meant(journal.last_serial())),
            Err(error @ JournalError::File { .. }) if !error.is_missing() => None,
            Err(_) => Some(false),
        }
    }

    /// Writes what file and journal lead to into the file, as old as it is.
    fn put_into_file(&self, old: &ZoneVersion, now_s: u64) -> Result<(), FileError> {
        if base::serial(self.disk, &self.file, self.form, old.apex()) == Some(old.serial()) {
            return Ok(());
        }
        match self.disk.modified(&self.journal) {
            Ok(modified) => self.save_as_of(modified, old, now_s),
            Err(_) => Ok(()),
        }
    }

    /// Puts a version in the place of the file: if there is no room beside one that must go, once that is gone.
    pub(super) fn place(
        &self,
        draft: Result<Draft<D::File>, FileError>,
        version: &ZoneVersion,
        news: News<'_>,
        now_s: u64,
    ) -> Result<(), FileError> {
        let placed = draft.and_then(|draft| draft.put_in_place(self.disk));
        match placed {
            Err(_) if self.withdraw(version, news) => self.draft(version, now_s)?.put_in_place(self.disk),
            placed => placed,
        }
    }

    /// Removes a file that is not older than a version which the disk does not take; true: there is more room now.
    fn withdraw(&self, version: &ZoneVersion, news: News<'_>) -> bool {
        let News::Instead(_) = news else { return false };
        let found = base::serial(self.disk, &self.file, self.form, version.apex());
        let goes = found.is_some_and(|serial| !version.serial().is_newer_than(serial));
        goes && self.disk.remove(&self.file).and_then(|()| self.disk.sync_names(&self.file)).is_ok()
    }
}
