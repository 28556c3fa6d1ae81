//! Zones' journals: where they are, and how they keep up with what is served.
//!
//! What leads to a version is in the journal, and durable, before the version is published. A journal that cannot be
//! kept up is put aside, since it would lead astray at the next start.

use std::path::PathBuf;
use std::sync::Arc;

use super::load::{Job, Loaded};
use super::updating::is_dynamic;
use crate::answer::snapshot::Journal;
use crate::conf::config::{MasterfileFormat, Zone};
use crate::zone::copy::{self, Copy, Form};
use crate::zone::disk::{Disk, Host};
use crate::zone::journal::{self, Followed};
use crate::zone::message::{Level, Message};
use crate::zone::print::Style;
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

/// Whether the zone's file or its journal is another in another working directory.
pub(super) fn has_relative_path(zone: &Zone) -> bool {
    [zone.file(), path(zone)].into_iter().flatten().any(|path| path.is_relative())
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
pub(super) fn record(
    copy: &Copy<'_, impl Disk>,
    old: &ZoneVersion,
    new: &ZoneVersion,
    messages: &mut Vec<Message>,
) -> Difference {
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
    if let Some(transaction) = diff::diff(old, new)
        && let Err(error) = copy::append(copy.disk, &copy.journal, &[transaction])
    {
        messages.push(Message::of_zone(Level::Error, format!("ixfr-from-differences: failed: {error}")));
        messages.extend(copy::put_aside(copy.disk, &copy.journal));
    }
    Difference::Recorded
}

/// A zone's copy on disk; none for zones without a file.
pub(super) fn copy(zone: &Zone) -> Option<Copy<'static, Host>> {
    let journal_bytes = zone.settings.max_journal_bytes;
    Some(Copy { disk: &Host, file: zone.file()?, journal: path(zone)?, form: form(zone), journal_bytes })
}

/// How a zone's copy is written.
pub(super) fn form(zone: &Zone) -> Form {
    let settings = &zone.settings;
    let style = if settings.masterfile_style_full { Style::Full } else { Style::Relative };
    match settings.masterfile_format {
        MasterfileFormat::Raw => Form::Raw,
        MasterfileFormat::Text => Form::Text(style),
    }
}

/// Removes the journal of a dynamic zone that leads elsewhere than to what its operator has put into its file: the next
/// update would not go on from there.
pub(super) fn drop_outdated(
    job: &Job,
    copy: &Copy<'_, impl Disk>,
    version: &ZoneVersion,
    messages: &mut Vec<Message>,
) -> bool {
    if job.follows_journal || !is_dynamic(&job.zone) {
        return false;
    }
    let is_outdated = match journal::Journal::open(copy.disk, &copy.journal) {
        Ok(journal) => !journal.is_empty() && journal.last_serial() != version.serial(),
        Err(error) => !error.is_missing(),
    };
    if let Err(error) = if is_outdated { copy.drop_journal() } else { Ok(()) } {
        messages.push(Message::of_zone(Level::Warning, error.to_string()));
    }
    is_outdated
}

/// Makes the changes of the journal to a secondary's copy; where it does not fit, what is served is refreshed at once.
pub(super) fn follow(
    zone: &Zone,
    copy: &Copy<'_, impl Disk>,
    mut loaded: Loaded,
    messages: &mut Vec<Message>,
) -> Loaded {
    match copy::follow(copy.disk, &loaded.version, &copy.journal, super::load::file_limits(&zone.settings)) {
        Followed::Missing => return loaded,
        Followed::Nothing => {}
        Followed::To(version, remarks) => {
            messages.extend(remarks);
            loaded.version = version.into();
        }
        Followed::Not(faults) => {
            messages.extend(faults);
            loaded.is_doubtful = true;
        }
    }
    loaded.journal_modified = super::load::modified(&copy.journal);
    loaded
}
