//! Zones' journals: where they are, and how they keep up with what is served.
//!
//! What leads to a version is in the journal, and durable, before the version is published. A journal that cannot be
//! kept up is put aside, since it would lead astray at the next start.

use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::load::Loaded;
use crate::answer::snapshot::Journal;
use crate::conf::config::{Zone, ZoneSettings};
use crate::zone::file::{self, FileError};
use crate::zone::journal::{self, Followed, JournalError, Transaction, Writer};
use crate::zone::message::{Level, Message};
use crate::zone::{ZoneVersion, diff};

/// Where a zone's journal is; none for zones without a file.
pub(super) fn path(zone: &Zone) -> Option<PathBuf> {
    place(zone).map(|journal| journal.path(zone.apex.as_ref()))
}

/// The same, to be kept.
pub(super) fn place(zone: &Zone) -> Option<Journal> {
    let file = zone.path.clone()?;
    Some(zone.settings.journal.as_ref().map_or(Journal::Beside(file), |path| Journal::At(Arc::clone(path))))
}

/// What a primary's new version is to be, as `ixfr-from-differences` has it.
pub(super) enum Difference {
    /// The one that is served, for nothing has changed.
    None,
    /// The new one. The journal leads to it.
    Recorded,
    /// None: the contents have changed and the serial has not risen.
    Refused,
}

/// Records what leads from the version that is served to a new one.
pub(super) fn record(zone: &Zone, old: &ZoneVersion, new: &ZoneVersion, messages: &mut Vec<Message>) -> Difference {
    let (before, after) = (old.serial(), new.serial());
    if !after.is_newer_than(before) {
        if after == before && diff::is_same(old, new) {
            return Difference::None;
        }
        let (first, last) = (before.0.wrapping_add(1), before.0.wrapping_add(i32::MAX as u32));
        let text = format!("ixfr-from-differences: new serial ({after}) out of range [{first} - {last}]");
        messages.push(Message::of_zone(Level::Error, text));
        return Difference::Refused;
    }
    if let (Some(path), Some(transaction)) = (path(zone), diff::diff(old, new))
        && let Err(error) = append(&path, &[transaction])
    {
        messages.push(Message::of_zone(Level::Error, format!("ixfr-from-differences: failed: {error}")));
        messages.extend(put_aside(&path));
    }
    Difference::Recorded
}

/// Appends to a journal; durable when this returns.
pub(super) fn append(path: &Path, transactions: &[Transaction]) -> Result<(), JournalError> {
    Writer::open(path)?.append_all(transactions)
}

/// Keeps a zone's journal within `max-journal-size`, now that this version is in the zone's file: before, what leads to
/// it must not be dropped. A journal that stays too large does no harm.
pub(super) fn compact(zone: &Zone, saved: &ZoneVersion) -> Result<(), JournalError> {
    let Some(path) = path(zone) else { return Ok(()) };
    match journal::compact(&path, saved.serial(), limit(&zone.settings, saved)) {
        Err(error) if error.is_missing() => Ok(()),
        compacted => compacted,
    }
}

/// Removes a zone's journal, if there is one.
pub(super) fn remove(zone: &Zone) -> Result<(), JournalError> {
    let Some(path) = path(zone) else { return Ok(()) };
    match std::fs::remove_file(&path) {
        Err(source) if source.kind() != std::io::ErrorKind::NotFound => Err(JournalError::File { path, source }),
        _ => Ok(()),
    }
}

/// `max-journal-size`, by default twice the zone.
fn limit(settings: &ZoneSettings, version: &ZoneVersion) -> u32 {
    let default = || u32::try_from(version.size_bytes().saturating_mul(2)).unwrap_or(MAX_BYTES);
    settings.max_journal_bytes.unwrap_or_else(default).min(MAX_BYTES)
}

/// Moves a journal that is of no use out of the way; says so.
pub(super) fn put_aside(path: &Path) -> Option<Message> {
    let renamed: Result<PathBuf, FileError> = file::quarantine(path, file::JOURNAL);
    let text = match renamed {
        Ok(aside) => format!(
            "unable to load from '{}'; renaming file to '{}' for failure analysis and retransferring.",
            path.display(),
            aside.display()
        ),
        Err(fault) if path.exists() => fault.to_string(),
        Err(_) => return None,
    };
    Some(Message::of_zone(Level::Warning, text))
}

/// Makes the changes of the journal to a secondary's copy. One that does not fit is put aside: the copy is a version
/// that a primary had, and is refreshed at once.
pub(super) fn follow(zone: &Zone, path: &Path, mut loaded: Loaded, messages: &mut Vec<Message>) -> Loaded {
    match journal::follow(&loaded.version, path, super::load::limits(&zone.settings)) {
        Followed::Missing => return loaded,
        Followed::Nothing => {}
        Followed::To(version) => loaded.version = version.into(),
        Followed::Not(faults) => {
            messages.extend(faults);
            messages.extend(put_aside(path));
            loaded.is_doubtful = true;
        }
    }
    loaded.journal_modified = super::load::modified(path);
    loaded
}

/// The most that a journal can be.
const MAX_BYTES: u32 = i32::MAX as u32;
