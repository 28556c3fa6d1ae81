//! The secondary's host: its clock, its disk, and what of the server's work lies between machine and disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use crate::dns::Class;
use crate::transfer::random::Random;
use crate::transfer::saving::{Saving, Written};
use crate::transfer::testing::name;
use crate::zone::copy::{self, Behind, Copy, Durability, Form, News};
use crate::zone::disk::simulated::{Faults, Simulated};
use crate::zone::disk::{Access, Disk, DiskFile};
use crate::zone::file::{ZONE_FILE, quarantine};
use crate::zone::journal::{Followed, Transaction};
use crate::zone::raw::{self, RawError};
use crate::zone::{Limits, ZoneVersion};

/// Little enough for journals to be made shorter all the time.
const JOURNAL_BYTES: u32 = 0;
/// What a journal never surpasses at rest, whatever little is asked for.
pub(super) const LEAST_JOURNAL_BYTES: u64 = 4096;
/// Room for the copies, or not quite.
const ROOM_BYTES: u64 = 16_000;
const FILE: &str = "/cache/example.db";
const JOURNAL: &str = "/cache/example.db.jnl";

/// The disk, and what is known of what it holds.
pub(super) struct Machine {
    pub(super) disk: Simulated,
    pub(super) saving: Saving,
    /// When the copy is written once more.
    pub(super) save_at_s: Option<u64>,
    /// The write that is under way.
    pub(super) writing: Option<Writing>,
    /// How many effects on the disk had been seen when it was looked last at what a crash would leave.
    seen: u64,
}

/// The file as it is being written, and the journal behind it.
pub(super) struct Writing {
    pub(super) version: Arc<ZoneVersion>,
    behind: Behind,
    /// Whether the file could be written.
    file: Option<bool>,
    /// Whether the journal leads on from it.
    journal: Option<bool>,
}

/// What is found at a start.
pub(super) struct Found {
    pub(super) version: ZoneVersion,
    pub(super) modified_s: Option<u64>,
    pub(super) is_doubtful: bool,
}

impl Machine {
    pub(super) fn new(seed: u64) -> Self {
        Self { disk: Simulated::new(seed), saving: Saving::default(), save_at_s: None, writing: None, seen: 0 }
    }

    /// As it is when the server has just started.
    pub(super) fn restart(&mut self) {
        self.disk.restart();
        (self.saving, self.save_at_s, self.writing) = (Saving::default(), None, None);
    }

    /// Makes a version durable before it is published; says where it is, and whether nothing went wrong.
    pub(super) fn keep(&mut self, version: &ZoneVersion, changes: &[Transaction], now_s: u64) -> (Durability, bool) {
        let is_small = self.saving.is_durable() && !changes.is_empty();
        let news = if is_small { News::Changes(changes) } else { News::Whole };
        let (copy, writing) = (copy(&self.disk), &mut self.writing);
        let wait_for_file = || writing.iter_mut().for_each(|writing| while !writing.advance(&copy, now_s) {});
        let kept = copy.keep(version, news, now_s, wait_for_file);
        (kept.durability, kept.faults.is_empty())
    }

    /// Begins to write the file once more.
    pub(super) fn write(&mut self, version: Arc<ZoneVersion>, behind: Behind) {
        assert!(self.writing.is_none(), "two write the same file");
        self.writing = Some(Writing { version, behind, file: None, journal: None });
    }

    /// Takes the next step of writing the file; true: it is over.
    pub(super) fn advance_writing(&mut self, now_s: u64) -> bool {
        self.writing.as_mut().is_none_or(|writing| writing.advance(&copy(&self.disk), now_s))
    }

    pub(super) fn touch(&mut self, at_s: u64) {
        let _ = copy(&self.disk).touch(UNIX_EPOCH + Duration::from_secs(at_s));
    }

    /// Whether anything has happened to the disk since this was asked last.
    pub(super) fn is_changed(&mut self) -> bool {
        let steps = self.disk.steps();
        std::mem::replace(&mut self.seen, steps) != steps
    }

    /// What the power failing now would leave, and a start would find on a sound disk.
    pub(super) fn found_after_a_crash(&self) -> Option<Found> {
        let disk = self.disk.detached();
        disk.restart();
        disk.end_faults();
        load(&disk)
    }

    /// A start on what the disk holds.
    pub(super) fn load(&mut self) -> Option<Found> {
        load(&self.disk)
    }

    /// The version in the file alone, and how long the journal is.
    pub(super) fn at_rest(&self) -> (Option<ZoneVersion>, u64) {
        let length = self.disk.open(Path::new(JOURNAL), Access::Read).and_then(|file| file.length());
        (read(&self.disk).ok(), length.unwrap_or(0))
    }

    /// Another sort of trouble, or none.
    pub(super) fn change_faults(&self, random: &mut Random) {
        self.disk.set_faults(match random.below(8) {
            0 => Faults { failing: 2 + random.below(6) as usize, ..Faults::default() },
            1 => Faults { room_bytes: Some(random.below(ROOM_BYTES) as usize), ..Faults::default() },
            2 => Faults { is_read_only: true, ..Faults::default() },
            _ => Faults::default(),
        });
    }
}

impl Writing {
    /// Takes the next step: the file, the journal; true: it is over.
    fn advance(&mut self, copy: &Copy<'_, Simulated>, now_s: u64) -> bool {
        match (self.file, self.journal) {
            (None, _) => self.file = Some(copy.save(&self.version, now_s).is_ok()),
            (Some(true), None) => {
                self.journal = Some(copy.settle(&self.version, self.behind).unwrap_or(false));
            }
            _ => return true,
        }
        false
    }

    /// What the zone is told of it.
    pub(super) fn outcome(&self, is_served: bool) -> Written {
        match self.file {
            Some(true) => Written::Done { is_served, leads_on: self.journal.unwrap_or(true) },
            _ => Written::Failed,
        }
    }
}

fn copy(disk: &Simulated) -> Copy<'_, Simulated> {
    let (file, journal) = (PathBuf::from(FILE), PathBuf::from(JOURNAL));
    Copy { disk, file, journal, form: Form::Raw, journal_bytes: Some(JOURNAL_BYTES) }
}

fn read(disk: &Simulated) -> Result<ZoneVersion, RawError> {
    raw::read(disk, Path::new(FILE), &name("example."), Class::IN, Limits::default()).map(|(version, _)| version)
}

/// Reads file and journal as the server does.
fn load(disk: &Simulated) -> Option<Found> {
    let mut version = match read(disk) {
        Ok(version) => version,
        Err(RawError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => return None,
        Err(_) => {
            let _ = quarantine(disk, Path::new(FILE), ZONE_FILE);
            return None;
        }
    };
    let mut is_doubtful = false;
    match copy::follow(disk, &version, Path::new(JOURNAL), Limits::default()) {
        Followed::Missing | Followed::Nothing => {}
        Followed::To(next) => version = next,
        Followed::Not(_) => is_doubtful = true,
    }
    let modified_s = modified_s(disk, JOURNAL).or_else(|| modified_s(disk, FILE));
    Some(Found { version, modified_s, is_doubtful })
}

fn modified_s(disk: &Simulated, path: &str) -> Option<u64> {
    let at = disk.modified(Path::new(path)).ok()?;
    at.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
}
