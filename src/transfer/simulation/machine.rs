//! The secondary's host: its clock, its disk, and what of the server's work lies between machine and disk.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::Brought;
use crate::dns::{Class, Serial};
use crate::transfer::random::Random;
use crate::transfer::saving::{Saving, Written};
use crate::transfer::testing::name;
use crate::zone::copy::{self, Behind, Copy, Durability, Form, News};
use crate::zone::disk::simulated::{Faults, Simulated};
use crate::zone::disk::{Access, Disk, DiskFile};
use crate::zone::file::{ZONE_FILE, quarantine};
use crate::zone::journal::{Followed, Journal, Transaction};
use crate::zone::raw::{self, RawError};
use crate::zone::{Limits, ZoneVersion};

/// Little enough for journals to be made shorter all the time.
const JOURNAL_BYTES: u32 = 0;
/// What a journal never surpasses at rest, whatever little is asked for.
pub(super) const LEAST_JOURNAL_BYTES: u64 = 4096;
/// Room for the copies, or not quite.
const ROOM_BYTES: u64 = 6000;
/// Where the configuration may say that they are.
const FILES: [&str; 2] = ["/cache/example.db", "/other/example.db"];
const JOURNALS: [&str; 2] = ["/cache/example.db.jnl", "/other/example.db.jnl"];

/// The disk, and what is known of what it holds.
pub(super) struct Machine {
    pub(super) disk: Simulated,
    pub(super) saving: Saving,
    pub(super) place: Place,
    /// When the copy is written once more.
    pub(super) save_at_s: Option<u64>,
    /// How often a transfer had to wait for the file.
    pub(super) waits: u64,
    /// How often changes did not lead on from what was on disk.
    pub(super) rewritten: u64,
    /// The write that is under way.
    pub(super) writing: Option<Writing>,
    /// How many effects on the disk had been seen when it was looked last at what a crash would leave.
    seen: u64,
}

/// Where file and journal are, by number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Place {
    pub(super) file: usize,
    pub(super) journal: usize,
}

/// What a transfer knows of the copy as it begins.
#[derive(Debug, Clone, Copy)]
pub(super) struct Target {
    pub(super) place: Place,
    /// Whether what is served was on disk.
    pub(super) is_durable: bool,
}

/// The file as it is being written, and the journal behind it.
pub(super) struct Writing {
    pub(super) version: Arc<ZoneVersion>,
    pub(super) place: Place,
    touched_s: u64,
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
        let (disk, saving) = (Simulated::new(seed), Saving::default());
        let place = Place::default();
        Self { disk, saving, place, save_at_s: None, waits: 0, rewritten: 0, writing: None, seen: 0 }
    }

    /// As it is when the server has just started.
    pub(super) fn restart(&mut self) {
        self.disk.restart();
        (self.saving, self.save_at_s, self.writing) = (Saving::default(), None, None);
    }

    pub(super) fn target(&self) -> Target {
        Target { place: self.place, is_durable: self.saving.is_durable() }
    }

    /// Makes a version durable before it is published; says where it is, and whether nothing went wrong.
    pub(super) fn keep(
        &mut self,
        brought: &Brought,
        target: Target,
        served: Option<&ZoneVersion>,
        now_s: u64,
    ) -> (Durability, bool) {
        let is_small = target.is_durable && !brought.changes.is_empty();
        let news = match served.filter(|_| target.is_durable) {
            _ if is_small => News::Changes(&brought.changes),
            Some(old) if brought.version.serial().is_newer_than(old.serial()) => News::Whole,
            old => News::Instead(old),
        };
        let (disk, writing, waits) = (&self.disk, &mut self.writing, &mut self.waits);
        let wait_for_file = || {
            let Some(writing) = writing else { return };
            *waits += 1;
            while !writing.advance(disk, now_s) {}
        };
        let kept = copy(disk, target.place).keep(&brought.version, news, now_s, wait_for_file);
        let is_sound = kept.faults.is_empty();
        self.rewritten += u64::from(is_small && is_sound && kept.durability == Durability::File);
        (kept.durability, is_sound)
    }

    /// Removes file or journal, if they are there.
    pub(super) fn remove(&self, file: bool, journal: bool) {
        let paths = [(file, FILES[self.place.file]), (journal, JOURNALS[self.place.journal])];
        paths.iter().filter(|(is_meant, _)| *is_meant).for_each(|(_, path)| drop(self.disk.remove(Path::new(path))));
    }

    /// Begins to write the file once more.
    pub(super) fn write(&mut self, version: Arc<ZoneVersion>, touched_s: u64, behind: Behind) {
        assert!(self.writing.is_none(), "two write the same file");
        self.writing = Some(Writing { version, place: self.place, touched_s, behind, file: None, journal: None });
    }

    /// Takes the next step of writing the file; true: it is over.
    pub(super) fn advance_writing(&mut self, now_s: u64) -> bool {
        self.writing.as_mut().is_none_or(|writing| writing.advance(&self.disk, now_s))
    }

    pub(super) fn touch(&mut self, at_s: u64) {
        let _ = copy(&self.disk, self.place).touch(time(at_s), self.saving.may_have_journal());
    }

    /// When what is served was vouched for last, as the disk has it.
    pub(super) fn modified_s(&self) -> Option<u64> {
        modified_s(&self.disk, self.place)
    }

    /// Whether the disk keeps what it is given, and always has.
    pub(super) fn is_sound(&self) -> bool {
        let troubles = self.disk.troubles();
        self.disk.faults() == Faults::default() && troubles.failures == 0 && troubles.full == 0
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
        load(&disk, self.place)
    }

    /// The changes in the journal that lead to this serial, as far as others are told of them.
    pub(super) fn step_to(&self, serial: Serial) -> Option<Transaction> {
        if self.saving.has_stray_journal() {
            return None;
        }
        let journal = Journal::open(&self.disk, Path::new(JOURNALS[self.place.journal])).ok()?;
        let entries = journal.entries(journal.first_serial()).ok()?.filter_map(Result::ok);
        entries.map(|entry| entry.transaction).find(|step| step.after == serial)
    }

    /// A start on what the disk holds.
    pub(super) fn load(&mut self) -> Option<Found> {
        load(&self.disk, self.place)
    }

    /// The version in the file alone, and how long the journal is.
    pub(super) fn at_rest(&self) -> (Option<ZoneVersion>, u64) {
        let journal = self.disk.open(Path::new(JOURNALS[self.place.journal]), Access::Read);
        (read(&self.disk, self.place).ok(), journal.and_then(|file| file.length()).unwrap_or(0))
    }

    /// Another sort of trouble, or none.
    pub(super) fn change_faults(&self, random: &mut Random) {
        if random.below(8) < 3 { self.sicken(random) } else { self.disk.set_faults(Faults::default()) }
    }

    /// Some sort of trouble.
    pub(super) fn sicken(&self, random: &mut Random) {
        self.disk.set_faults(match random.below(3) {
            0 => Faults { failing: 2 + random.below(14) as usize, ..Faults::default() },
            1 => Faults { room_bytes: Some(random.below(ROOM_BYTES) as usize), ..Faults::default() },
            _ => Faults { is_read_only: true, ..Faults::default() },
        });
    }
}

impl Writing {
    /// Takes the next step: the file, the journal; true: it is over.
    fn advance(&mut self, disk: &Simulated, now_s: u64) -> bool {
        let copy = copy(disk, self.place);
        match (self.file, self.journal) {
            (None, _) => {
                let is_void = self.behind == Behind::Void;
                let has_way = !is_void || copy.clear_way(&self.version).is_ok();
                let save = || copy.save_as_of(time(self.touched_s), &self.version, now_s).is_ok();
                self.file = Some(has_way && save());
            }
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

fn copy(disk: &Simulated, place: Place) -> Copy<'_, Simulated> {
    let (file, journal) = (PathBuf::from(FILES[place.file]), PathBuf::from(JOURNALS[place.journal]));
    Copy { disk, file, journal, form: Form::Raw, journal_bytes: Some(JOURNAL_BYTES) }
}

fn read(disk: &Simulated, place: Place) -> Result<ZoneVersion, RawError> {
    let (path, apex) = (Path::new(FILES[place.file]), name("example."));
    raw::read(disk, path, &apex, Class::IN, Limits::default()).map(|(version, _)| version)
}

/// Reads file and journal as the server does.
fn load(disk: &Simulated, place: Place) -> Option<Found> {
    let mut version = match read(disk, place) {
        Ok(version) => version,
        Err(RawError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => return None,
        Err(_) => {
            let _ = quarantine(disk, Path::new(FILES[place.file]), ZONE_FILE);
            return None;
        }
    };
    let mut is_doubtful = false;
    match copy::follow(disk, &version, Path::new(JOURNALS[place.journal]), Limits::default()) {
        Followed::Missing | Followed::Nothing => {}
        Followed::To(next, _) => version = next,
        Followed::Not(_) => is_doubtful = true,
    }
    Some(Found { version, modified_s: modified_s(disk, place), is_doubtful })
}

fn modified_s(disk: &Simulated, place: Place) -> Option<u64> {
    let journal = disk.modified(Path::new(JOURNALS[place.journal]));
    let at = journal.or_else(|_| disk.modified(Path::new(FILES[place.file])));
    Some(at.ok()?.duration_since(UNIX_EPOCH).ok()?.as_secs())
}

fn time(at_s: u64) -> SystemTime {
    UNIX_EPOCH + Duration::from_secs(at_s)
}
