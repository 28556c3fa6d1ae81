//! What is on disk of a secondary, or of a primary that changes by updates: the zone's file, and the journal that leads
//! on from it to what is served.
//!
//! Changes go to the journal. A whole version goes to the file, and so do changes that the journal does not take; the
//! journal is dropped behind it, for it leads nowhere any more. A crash in between leaves a journal that ends before
//! the file, which the next start of a secondary removes; one that does not is dropped first (`way`). What is kept is
//! durable when the call returns.
//!
//! An operator may remove or replace either. So before changes go to a journal it is looked whether it leads on from
//! what is in the file, whose first bytes tell the serial; if not, the whole version is written.

mod base;
mod way;

use std::collections::BTreeSet;
use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::disk::{Access, Disk, DiskFile};
use super::file::{self, Draft, FileError, sync_names};
use super::journal::{self, Append, Followed, Journal, JournalError, Transaction, Writer};
use super::message::{Level, Message};
use super::print::{self, Style};
use super::raw::{self, Header};
use super::{Limits, ZoneVersion};

/// Where a copy is and what it is like.
#[derive(Debug, Clone)]
pub struct Copy<'d, D> {
    /// The file system.
    pub disk: &'d D,
    /// The zone's file.
    pub file: PathBuf,
    /// The journal.
    pub journal: PathBuf,
    /// How the file is written.
    pub form: Form,
    /// What the journal may grow to; none: to twice the zone.
    pub journal_bytes: Option<u32>,
}

/// How a zone's file is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// Raw.
    Raw,
    /// As a master file.
    Text(Style),
}

/// What has come for a copy.
#[derive(Debug, Clone, Copy)]
pub enum News<'t> {
    /// This, which leads to the new version from the one that is on disk.
    Changes(&'t [Transaction]),
    /// The same, where somebody is told whether it was kept: what the disk does not take for the journal is not kept.
    Updates(&'t [Transaction]),
    /// The same, where the zone is too large to be written with others: the journal takes it, or it is not kept.
    ChangesAlone(&'t [Transaction]),
    /// The whole zone, which is newer than what file and journal lead to.
    Whole,
    /// The whole zone, which may be no newer than what they lead to: this, which it is not newer than, where that is
    /// known.
    Instead(Option<&'t ZoneVersion>),
    /// The whole zone; the journal leads to it already.
    Recorded,
}

/// Where a version is on disk.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Durability {
    /// In the zone's file.
    File,
    /// In the journal, which leads to it from the version in the file.
    Journal,
    /// Nowhere.
    None,
}

/// What becomes of the journal behind a version that is in the file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Behind {
    /// It is kept within its size.
    Shortened,
    /// It goes, unless it leads on.
    Dropped,
    /// It goes unless it ends with that version: what else it leads to was served before.
    Ended,
    /// It goes: where it ends with a version of that serial, too, that is another one.
    Void,
}

/// What came of keeping a version.
#[derive(Debug)]
pub struct Kept {
    /// Where it is.
    pub durability: Durability,
    /// What went wrong on the way.
    pub faults: Vec<KeepError>,
}

/// What a disk does not let happen.
#[derive(Debug, thiserror::Error)]
pub enum KeepError {
    /// Changes could not be appended to the journal.
    #[error("journal: {0}")]
    Journal(JournalError),
    /// The zone's file could not be written.
    #[error("dumping master file: {0}")]
    File(FileError),
    /// The journal could not be made shorter.
    #[error("dns_journal_compact failed: {0}")]
    Compact(JournalError),
    /// The journal could not be removed.
    #[error("unable to remove journal '{}': {source}", path.display())]
    Remove {
        /// The journal.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

impl<D: Disk> Copy<'_, D> {
    /// Makes a version durable, before it is served. What is written beside the journal has its turn first.
    pub fn keep<Turn>(&self, version: &ZoneVersion, news: News<'_>, now_s: u64, turn: impl FnOnce() -> Turn) -> Kept {
        let append = self.append(version, news);
        let fault = match append.map(|append| journal::append_to(&append)) {
            Some(Ok(())) => return Kept { durability: Durability::Journal, faults: vec![] },
            appended => append_fault(appended),
        };
        let faults: Vec<_> = fault.into_iter().collect();
        let is_given_up = match news {
            News::ChangesAlone(_) => true,
            News::Updates(_) => matches!(faults[..], [KeepError::Journal(JournalError::File { .. })]),
            _ => false,
        };
        if is_given_up {
            return Kept { durability: Durability::None, faults };
        }
        let _turn = turn();
        kept(self.save_whole(version, news, now_s), || self.follow_up(version, news), faults)
    }

    /// What is to go to the journal, where only changes have come and the file is one that it may lead on from.
    fn append<'a>(&'a self, version: &ZoneVersion, news: News<'a>) -> Option<Append<'a, D>> {
        let transactions = match news {
            News::Changes(transactions) | News::Updates(transactions) | News::ChangesAlone(transactions) => {
                transactions
            }
            News::Whole | News::Instead(_) | News::Recorded => return None,
        };
        let base = base::serial(self.disk, &self.file, self.form, version.apex())?;
        // Steps that go round would not be found to lead on from the file.
        let is_ahead = transactions.iter().all(|step| step.after.is_newer_than(base));
        is_ahead.then_some(Append { disk: self.disk, path: &self.journal, base, transactions })
    }

    /// Does with the journal what there is to do now that the file has what has come.
    fn follow_up(&self, version: &ZoneVersion, news: News<'_>) -> Result<(), KeepError> {
        match news {
            News::Recorded => self.shorten(version).map(drop),
            _ => self.drop_journal(),
        }
    }

    fn save_whole(&self, version: &ZoneVersion, news: News<'_>, now_s: u64) -> Result<(), KeepError> {
        self.make_way(version, news, now_s)?;
        let placed = self.place(self.draft(version, now_s), version, news, now_s);
        placed.and_then(|()| sync_names(self.disk, &self.file)).map_err(KeepError::File)
    }

    /// Writes a version to the file, so that named reads it as its own.
    pub fn save(&self, version: &ZoneVersion, now_s: u64) -> Result<(), FileError> {
        self.draft(version, now_s)?.put_in_place(self.disk)?;
        sync_names(self.disk, &self.file)
    }

    /// The same for a version that was vouched for some time ago, from which its expiry is counted, crash or no crash.
    pub fn save_as_of(&self, modified: SystemTime, version: &ZoneVersion, now_s: u64) -> Result<(), FileError> {
        self.draft(version, now_s)?.dated(self.disk, modified)?.put_in_place(self.disk)?;
        sync_names(self.disk, &self.file)
    }

    fn draft(&self, version: &ZoneVersion, now_s: u64) -> Result<Draft<D::File>, FileError> {
        match self.form {
            Form::Raw => {
                let header = Header { dumped_at_s: u32::try_from(now_s).unwrap_or(u32::MAX), ..Header::default() };
                Draft::write(self.disk, &self.file, |out| raw::dump(version, &header, out))
            }
            Form::Text(style) => Draft::write(self.disk, &self.file, |out| print::dump(version, style, out)),
        }
    }

    /// Keeps the journal within its size, now that this version is in the file: before, what leads to it must not be
    /// dropped. A journal that stays too large does no harm; one that does not lead on from the file is removed: false.
    pub fn shorten(&self, saved: &ZoneVersion) -> Result<bool, KeepError> {
        let twice = || u32::try_from(saved.size_bytes().saturating_mul(2)).unwrap_or(MAX_JOURNAL_BYTES);
        let limit_bytes = self.journal_bytes.unwrap_or_else(twice).min(MAX_JOURNAL_BYTES);
        match journal::compact(self.disk, &self.journal, saved.serial(), limit_bytes) {
            Err(JournalError::NoSerial { .. }) => self.drop_journal().map(|()| false),
            Err(error) if !error.is_missing() => Err(KeepError::Compact(error)),
            _ => Ok(true),
        }
    }

    /// Does with the journal what there is to do now that this version is in the file. False: it did not lead on.
    pub fn settle(&self, saved: &ZoneVersion, behind: Behind) -> Result<bool, KeepError> {
        let last = || match Journal::open(self.disk, &self.journal) {
            Ok(journal) => Ok(Some(journal.last_serial())),
            // What cannot be read now may lead on.
            Err(error @ JournalError::File { .. }) if !error.is_missing() => Err(KeepError::Compact(error)),
            Err(_) => Ok(None),
        };
        let goes = match behind {
            Behind::Shortened => false,
            Behind::Dropped => last()?.is_none_or(|last| last == saved.serial()),
            Behind::Ended => last()? != Some(saved.serial()),
            Behind::Void => true,
        };
        if goes { self.drop_journal().map(|()| true) } else { self.shorten(saved) }
    }

    /// Removes the journal, if there is one. It must not come back with a crash: it may lead on from the file by now.
    pub fn drop_journal(&self) -> Result<(), KeepError> {
        let removed = match self.disk.remove(&self.journal) {
            // An earlier removal may be in no more than memory; beside the file it went to disk with that.
            Err(error) if error.kind() == io::ErrorKind::NotFound && !self.has_journal_beside() => Ok(()),
            removed => removed,
        };
        match removed.and_then(|()| self.disk.sync_names(&self.journal)) {
            Err(source) if source.kind() != io::ErrorKind::NotFound => {
                Err(KeepError::Remove { path: self.journal.clone(), source })
            }
            _ => Ok(()),
        }
    }

    fn has_journal_beside(&self) -> bool {
        self.journal.parent() == self.file.parent()
    }

    /// Sets when file and journal were changed last, from which the expiry is counted. What is not there stays away.
    pub fn touch(&self, at: SystemTime, has_journal: bool) -> io::Result<()> {
        if has_journal {
            // The journal's time is a help where it can be had; the file's is what counts.
            let _ = self.disk.set_modified(&self.journal, at);
        }
        match self.disk.set_modified(&self.file, at) {
            Err(error) if error.kind() == io::ErrorKind::NotFound => Ok(()),
            touched => touched,
        }
    }
}

/// What came of a version that was to go to the file; if it did, there is something to be done about the journal.
fn kept(
    saved: Result<(), KeepError>,
    shorten: impl FnOnce() -> Result<(), KeepError>,
    mut faults: Vec<KeepError>,
) -> Kept {
    let (durability, fault) = match saved {
        // A journal that stays may lead on from the file, and to another version.
        Ok(()) => shorten().map_or_else(|fault| (Durability::None, Some(fault)), |()| (Durability::File, None)),
        Err(fault) => (Durability::None, Some(fault)),
    };
    faults.extend(fault);
    Kept { durability, faults }
}

/// Makes versions of several zones durable as [`Copy::keep`] does, in about the time that one takes: all are written
/// before any is waited for.
pub fn keep_all<D: Disk>(copies: &[(Copy<'_, D>, &ZoneVersion, News<'_>)], now_s: u64) -> Vec<Kept> {
    let appended = append_all(copies);
    let is_saved = |news: News<'_>, appended: &Option<Result<(), JournalError>>| {
        !matches!((news, appended), (_, Some(Ok(()))) | (News::ChangesAlone(_), _))
    };
    let left = copies.iter().zip(&appended).filter(|((.., news), appended)| is_saved(*news, appended));
    let left: Vec<_> = left.map(|(copy, _)| copy).collect();
    let mut saved = save_all(&left, now_s).into_iter();
    let kept = copies.iter().zip(appended).map(|((copy, version, news), appended)| match appended {
        Some(Ok(())) => Kept { durability: Durability::Journal, faults: vec![] },
        appended => {
            let faults = append_fault(appended).into_iter().collect();
            if let News::ChangesAlone(_) = news {
                return Kept { durability: Durability::None, faults };
            }
            kept(saved.next().unwrap_or(Ok(())), || copy.follow_up(version, *news), faults)
        }
    });
    kept.collect()
}

/// Appends what has changed to the journals of those of which only that has come.
fn append_all<D: Disk>(copies: &[(Copy<'_, D>, &ZoneVersion, News<'_>)]) -> Vec<Option<Result<(), JournalError>>> {
    let appends: Vec<_> = copies.iter().map(|(copy, version, news)| copy.append(version, *news)).collect();
    let has_changes: Vec<_> = appends.iter().map(Option::is_some).collect();
    let appends: Vec<_> = appends.into_iter().flatten().collect();
    let mut appended = journal::append_to_all(&appends).into_iter();
    has_changes.into_iter().map(|has_changes| if has_changes { appended.next() } else { None }).collect()
}

/// What went wrong with appending. A journal that does not lead on from the file is an operator's doing, and no fault.
fn append_fault(appended: Option<Result<(), JournalError>>) -> Option<KeepError> {
    match appended?.err()? {
        JournalError::NoSerial { .. } => None,
        error => Some(KeepError::Journal(error)),
    }
}

/// Writes versions to their files.
fn save_all<D: Disk>(copies: &[&(Copy<'_, D>, &ZoneVersion, News<'_>)], now_s: u64) -> Vec<Result<(), KeepError>> {
    let drafts = copies.iter().map(|(copy, version, news)| {
        copy.make_way(version, *news, now_s)?;
        Ok(copy.draft(version, now_s))
    });
    let drafts: Vec<_> = drafts.collect();
    let placed = copies
        .iter()
        .zip(drafts)
        .map(|((copy, version, news), draft)| copy.place(draft?, version, *news, now_s).map_err(KeepError::File));
    let placed: Vec<_> = placed.collect();
    let (mut all, mut synced) = (Vec::with_capacity(copies.len()), BTreeSet::new());
    for ((copy, ..), placed) in copies.iter().zip(placed) {
        let folder = copy.file.parent();
        let saved = match synced.contains(&folder) {
            true => placed,
            false => placed.and_then(|()| sync_names(copy.disk, &copy.file).map_err(KeepError::File)),
        };
        if saved.is_ok() {
            synced.insert(folder);
        }
        all.push(saved);
    }
    all
}

/// Appends to a journal; durable when this returns.
pub fn append(disk: &impl Disk, path: &Path, transactions: &[Transaction]) -> Result<(), JournalError> {
    Writer::open(disk, path)?.append_all(transactions)
}

/// Makes the changes of a journal to a copy. One that does not fit is put aside: the copy is a version that a primary
/// had, and is refreshed at once.
pub fn follow(disk: &impl Disk, version: &ZoneVersion, path: &Path, limits: Limits) -> Followed {
    let bytes = disk.open(path, Access::Read).and_then(|file| file.length());
    if bytes.as_ref().is_err_and(|error| error.kind() == io::ErrorKind::NotFound) {
        return Followed::Missing;
    }
    // A crash leaves one to which nothing was written yet, too.
    let is_left = matches!(bytes, Ok(0)) || is_left_behind(disk, version, path);
    if is_left && disk.remove(path).is_ok() {
        return Followed::Nothing;
    }
    let followed = journal::follow(disk, version, path, limits);
    match followed {
        Followed::Not(mut faults) => {
            faults.extend(put_aside(disk, path));
            Followed::Not(faults)
        }
        other => other,
    }
}

/// Whether a journal is one that a crash leaves: it ends before the version in the file, which was written behind it.
/// It is no fault, and leads to nothing that is newer.
fn is_left_behind(disk: &impl Disk, version: &ZoneVersion, path: &Path) -> bool {
    let journal = Journal::open(disk, path);
    journal.is_ok_and(|journal| version.serial().is_newer_than(journal.last_serial()))
}

/// Moves a journal that is of no use out of the way; says so.
pub fn put_aside(disk: &impl Disk, path: &Path) -> Option<Message> {
    let text = match file::quarantine(disk, path, file::JOURNAL) {
        Ok(aside) => format!(
            "unable to load from '{}'; renaming file to '{}' for failure analysis and retransferring.",
            path.display(),
            aside.display()
        ),
        Err(fault) if disk.modified(path).is_ok() => fault.to_string(),
        Err(_) => return None,
    };
    Some(Message::of_zone(Level::Warning, text))
}

/// The most that a journal can be.
const MAX_JOURNAL_BYTES: u32 = i32::MAX as u32;

#[cfg(test)]
mod tests;
