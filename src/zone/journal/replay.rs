//! Replay: a zone version and a journal make the version that the journal leads to.
//!
//! What does not fit the zone is refused and what has no effect is told, both as by named: see `apply`.

use std::io;
use std::path::Path;

use super::{ChangeError, Fault, Journal, JournalError};
use crate::zone::disk::{Disk, DiskFile};
use crate::zone::message::{Level, Message};
use crate::zone::{ContentsError, Limits, ZoneVersion};

/// Why a journal could not be applied to a zone.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// The zone's serial is not in the journal.
    #[error("journal out of sync with zone")]
    OutOfSync,
    /// A change cannot be made to the zone.
    #[error(transparent)]
    Change(#[from] ChangeError),
    /// The changes make no zone.
    #[error(transparent)]
    Contents(#[from] ContentsError),
    /// The journal cannot be read.
    #[error(transparent)]
    Journal(JournalError),
}

impl From<JournalError> for ReplayError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::NoSerial { .. } => Self::OutOfSync,
            other => Self::Journal(other),
        }
    }
}

/// The version that the journal leads to from `version`. None: the journal is empty or ends there. `remarks` takes what
/// named says of changes that are not as they should be.
pub fn replay(
    version: &ZoneVersion,
    journal: &Journal<impl DiskFile>,
    limits: Limits,
    remarks: &mut Vec<String>,
) -> Result<Option<ZoneVersion>, ReplayError> {
    if journal.is_empty() {
        return Ok(None);
    }
    let entries = journal.entries(version.serial())?;
    if journal.last_serial() == version.serial() {
        return Ok(None);
    }
    let (mut edit, mut made) = (version.edit(limits), 0);
    for entry in entries {
        let transaction = entry?.transaction;
        transaction.apply(&mut edit, made, remarks)?;
        made += transaction.count() as usize;
    }
    Ok(Some(edit.finish()?))
}

/// What became of a zone that may have a journal.
#[derive(Debug)]
pub enum Followed {
    /// There is none.
    Missing,
    /// It leads nowhere.
    Nothing,
    /// The version that it leads to; what named says of the changes.
    To(ZoneVersion, Vec<Message>),
    /// It does not fit; what there is to say, in named's words.
    Not(Vec<Message>),
}

/// Makes the changes of the journal at `path`, if there is one.
pub fn follow(disk: &impl Disk, version: &ZoneVersion, path: &Path, limits: Limits) -> Followed {
    let journal = match Journal::open(disk, path) {
        Ok(journal) => journal,
        Err(error) if error.is_missing() => return Followed::Missing,
        Err(error) => return Followed::Not(unopened(&error)),
    };
    let mut remarks = Vec::new();
    let replayed = replay(version, &journal, limits, &mut remarks);
    let message = |text| Message::at(Level::Warning, path, 0, text);
    let mut messages: Vec<_> = remarks.into_iter().map(message).collect();
    match replayed {
        Ok(None) => Followed::Nothing,
        Ok(Some(version)) => Followed::To(version, messages),
        Err(error) => {
            messages.extend(error.messages(path));
            Followed::Not(messages)
        }
    }
}

/// What named says of a journal that it cannot open.
fn unopened(error: &JournalError) -> Vec<Message> {
    let of_file = |path: &Path, text: &str| {
        let text = format!("{}: {text}", path.display());
        Some(Message::at(Level::Error, path, 0, text))
    };
    let (line, reason) = match error {
        JournalError::Bad { fault: fault @ Fault::NoHeader, .. } => (None, fault.to_string()),
        JournalError::Bad { path, fault: fault @ Fault::Format, .. } => {
            (of_file(path, &fault.to_string()), UNEXPECTED.to_owned())
        }
        JournalError::File { path, source } if source.kind() == io::ErrorKind::IsADirectory => {
            (of_file(path, "read: not a file"), UNEXPECTED.to_owned())
        }
        other => (None, other.to_string()),
    };
    let failed = Message::of_zone(Level::Error, format!("journal open failed: {reason}"));
    line.into_iter().chain([failed]).collect()
}

/// What named calls faults of journals that it has said more of.
const UNEXPECTED: &str = "unexpected error";

impl ReplayError {
    fn messages(&self, path: &Path) -> Vec<Message> {
        let misfit = match self {
            Self::Change(ChangeError::NotExact(misfit)) => Some(Message::at(Level::Error, path, 0, misfit.to_string())),
            _ => None,
        };
        let outcome = Message::of_zone(Level::Error, format!("journal rollforward failed: {self}"));
        misfit.into_iter().chain([outcome]).collect()
    }
}
