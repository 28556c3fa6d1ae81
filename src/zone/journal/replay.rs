//! Replay: a zone version and a journal make the version that the journal leads to.
//!
//! What is deleted must be there, what is added must not be, and has the TTL of its RRset. Named lets additions without
//! effect pass; here they mean that the zone is not the one that the journal was written for.

use std::fmt;
use std::io;
use std::path::Path;

use super::{Change, Fault, Journal, JournalError, Transaction};
use crate::dns::name::NoDot;
use crate::dns::{Class, Name, Rtype};
use crate::zone::disk::{Disk, DiskFile};
use crate::zone::fetch::{Fetch, LANES};
use crate::zone::message::{Level, Message};
use crate::zone::{ContentsError, Edit, EditError, Limits, WildcardOwner, ZoneVersion};

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

/// Why a change could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// It does not fit the zone.
    #[error("not exact")]
    NotExact(Misfit),
    /// The record cannot be in the zone.
    #[error(transparent)]
    Contents(#[from] ContentsError),
}

/// A change that does not fit the zone that it is to be made to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    owner: Name,
    rtype: Rtype,
    class: Class,
    is_addition: bool,
}

impl fmt::Display for Misfit {
    /// As named logs it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, rtype, class, is_addition } = self;
        let what = if *is_addition { "add" } else { "del" };
        write!(f, "dns_diff_apply: {}/{rtype}/{class}: {what} not exact", NoDot(owner.as_ref()))
    }
}

impl From<JournalError> for ReplayError {
    fn from(error: JournalError) -> Self {
        match error {
            JournalError::NoSerial { .. } => Self::OutOfSync,
            other => Self::Journal(other),
        }
    }
}

/// The version that the journal leads to from `version`. None: the journal is empty or ends there.
pub fn replay(
    version: &ZoneVersion,
    journal: &Journal<impl DiskFile>,
    limits: Limits,
) -> Result<Option<ZoneVersion>, ReplayError> {
    if journal.is_empty() {
        return Ok(None);
    }
    let entries = journal.entries(version.serial())?;
    if journal.last_serial() == version.serial() {
        return Ok(None);
    }
    let mut edit = version.edit(limits);
    for entry in entries {
        entry?.transaction.apply(&mut edit)?;
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
    /// The version that it leads to.
    To(ZoneVersion),
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
    match replay(version, &journal, limits) {
        Ok(None) => Followed::Nothing,
        Ok(Some(version)) => Followed::To(version),
        Err(error) => Followed::Not(error.messages(path)),
    }
}

/// What named says of a journal that it cannot open.
fn unopened(error: &JournalError) -> Vec<Message> {
    let of_file = |path: &Path, text: &str| {
        let text = format!("{}: {text}", path.display());
        Some(Message { level: Level::Error, place: Some((path.to_owned(), 0)), text })
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
            Self::Change(ChangeError::NotExact(misfit)) => {
                Some(Message { level: Level::Error, place: Some((path.to_owned(), 0)), text: misfit.to_string() })
            }
            _ => None,
        };
        let outcome = Message::of_zone(Level::Error, format!("journal rollforward failed: {self}"));
        misfit.into_iter().chain([outcome]).collect()
    }
}

impl Transaction {
    /// Makes its changes, those to one owner together. In a large zone some owners are looked up at a time beforehand.
    pub fn apply(&self, edit: &mut Edit<'_>) -> Result<(), ChangeError> {
        let version = edit.version();
        let mut changes: Vec<Change<'_>> = self.changes().collect();
        // Both parts mostly come in order.
        changes.sort_by(|left, right| left.owner.cmp(&right.owner));
        let mut owners = changes.chunk_by(|left, right| left.owner == right.owner).peekable();
        let (mut together, mut fetch) = (Vec::with_capacity(LANES), Fetch::new(version));
        while owners.peek().is_some() {
            together.extend(owners.by_ref().take(LANES));
            if version.is_large() {
                let names = together.iter().filter_map(|changes: &&[Change<'_>]| Some(changes.first()?.owner));
                names.filter(|owner| owner.is_at_or_below(version.apex())).for_each(|owner| fetch.push(owner));
                fetch.run();
            }
            together.drain(..).flatten().try_for_each(|change| change.apply(edit, version.class()))?;
        }
        Ok(())
    }
}

impl Change<'_> {
    /// Makes the change. Owners outside the zone are passed over, as BIND does since CVE-2026-78301.
    fn apply(&self, edit: &mut Edit<'_>, class: Class) -> Result<(), ChangeError> {
        if self.class != class {
            return Err(self.misfit());
        }
        if self.is_addition {
            WildcardOwner::check(self.owner, self.rtype).map_err(ContentsError::from)?;
        }
        let done = match self.is_addition {
            true => edit.add_exactly(self.owner, self.rtype, self.ttl, self.rdata),
            false => edit.remove(self.owner, self.rtype, self.rdata),
        };
        match done {
            Ok(()) | Err(EditError::Contents(ContentsError::OutOfZone)) => Ok(()),
            Err(EditError::NotExact | EditError::NotThere) => Err(self.misfit()),
            Err(EditError::Contents(error)) => Err(error.into()),
        }
    }

    fn misfit(&self) -> ChangeError {
        let Self { rtype, class, is_addition, .. } = *self;
        ChangeError::NotExact(Misfit { owner: self.owner.to_name(), rtype, class, is_addition })
    }
}
