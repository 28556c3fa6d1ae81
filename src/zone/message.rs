//! What loading and checking a zone has to say, in BIND's words.
//!
//! Log rules written for named match on these texts, so a message holds the finished sentence; file and line are kept
//! beside it for callers that show them in another way. What is in front of a zone-level message (`zone z/IN: `) is
//! added by the caller, which knows the view.

use std::fmt;
use std::path::{Path, PathBuf};

/// How much a message matters: what named would log it at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Worth a line, harmless.
    Warning,
    /// A fault. Whether the zone is refused for it is said by the result that the message came with.
    Error,
}

/// What to do about a fault that the operator may choose to tolerate (`check-names` and its relatives).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Strictness {
    /// Do not look.
    Ignore,
    /// Say so and go on.
    #[default]
    Warn,
    /// Refuse the zone.
    Fail,
}

/// What a message is about, by which logs tell messages apart.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Subject {
    /// That the zone comes to be.
    Loading,
    /// A file's lines or a zone's records.
    Contents,
    /// Keys and what is signed with them.
    Keys,
}

/// One line about a zone or zone file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Message {
    /// How much it matters.
    pub level: Level,
    /// What it is about.
    pub subject: Subject,
    /// The file and line that it is about; none for faults of the zone as a whole.
    pub place: Option<(PathBuf, u64)>,
    /// The finished sentence, file and line included where BIND has them.
    pub text: String,
}

impl Message {
    /// A message about a zone as a whole.
    pub fn of_zone(level: Level, text: String) -> Self {
        Self { level, subject: Subject::Loading, place: None, text }
    }

    /// A message about a zone's records.
    pub fn of_records(level: Level, text: String) -> Self {
        Self { subject: Subject::Contents, ..Self::of_zone(level, text) }
    }

    /// A message about a line of a file; 0: the whole file.
    pub fn at(level: Level, path: &Path, line: u64, text: String) -> Self {
        Self { place: Some((path.to_owned(), line)), ..Self::of_records(level, text) }
    }
}

impl fmt::Display for Message {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.text)
    }
}
