//! The secondary's host: its clock, its disk, and what of the server's work lies between machine and disk.

use std::path::{Path, PathBuf};
use std::time::{Duration, UNIX_EPOCH};

use crate::dns::Class;
use crate::transfer::random::Random;
use crate::transfer::testing::name;
use crate::zone::copy::{self, Copy, Durability, Form, News};
use crate::zone::disk::Disk;
use crate::zone::disk::simulated::{Faults, Simulated};
use crate::zone::file::{ZONE_FILE, quarantine};
use crate::zone::journal::{Followed, Transaction};
use crate::zone::raw::{self, RawError};
use crate::zone::{Limits, ZoneVersion};

/// When a copy is written whose changes are in the journal, in seconds.
pub(super) const SAVE_DELAY_S: u64 = 900;
/// Little enough for journals to be made shorter all the time.
const JOURNAL_BYTES: u32 = 0;
/// Room for the copies, or not quite.
const ROOM_BYTES: u64 = 16_000;
const FILE: &str = "/cache/example.db";
const JOURNAL: &str = "/cache/example.db.jnl";

/// The disk, and what is known of what it holds.
pub(super) struct Machine {
    pub(super) disk: Simulated,
    /// When the copy is written once more, and whether the journal leads to what is served.
    pub(super) unsaved: Option<Unsaved>,
    pub(super) save_at_s: Option<u64>,
}

#[derive(Debug, Clone, Copy)]
pub(super) struct Unsaved {
    pub(super) touched_s: u64,
    pub(super) is_journaled: bool,
}

/// What is found at a start.
pub(super) struct Found {
    pub(super) version: ZoneVersion,
    pub(super) modified_s: Option<u64>,
    pub(super) is_doubtful: bool,
}

impl Machine {
    pub(super) fn new(seed: u64) -> Self {
        Self { disk: Simulated::new(seed), unsaved: None, save_at_s: None }
    }

    fn copy(&self) -> Copy<'_, Simulated> {
        let (file, journal) = (PathBuf::from(FILE), PathBuf::from(JOURNAL));
        Copy { disk: &self.disk, file, journal, form: Form::Raw, journal_bytes: Some(JOURNAL_BYTES) }
    }

    pub(super) fn is_durable(&self) -> bool {
        self.unsaved.is_none_or(|unsaved| unsaved.is_journaled)
    }

    /// Makes a version durable before it is published; says whether it is, and nothing went wrong.
    pub(super) fn keep(&mut self, version: &ZoneVersion, changes: &[Transaction], now_s: u64) -> bool {
        let is_small = self.is_durable() && !changes.is_empty();
        let news = if is_small { News::Changes(changes) } else { News::Whole };
        let kept = self.copy().keep(version, news, now_s);
        self.unsaved = None;
        if kept.durability != Durability::File {
            let is_journaled = kept.durability == Durability::Journal;
            self.save_later(Unsaved { touched_s: now_s, is_journaled }, now_s);
        }
        kept.durability != Durability::None && kept.faults.is_empty()
    }

    fn save_later(&mut self, unsaved: Unsaved, now_s: u64) {
        self.unsaved = Some(unsaved);
        self.save_at_s.get_or_insert(now_s + SAVE_DELAY_S);
    }

    /// Writes the file once more; says whether that did what it should.
    pub(super) fn save(&mut self, served: &ZoneVersion, now_s: u64) -> bool {
        self.save_at_s = None;
        let Some(unsaved) = self.unsaved else { return true };
        if self.copy().save(served, now_s).is_err() {
            self.save_later(unsaved, now_s);
            return false;
        }
        self.unsaved = None;
        self.touch(unsaved.touched_s);
        self.copy().shorten(served).is_ok()
    }

    pub(super) fn touch(&mut self, at_s: u64) {
        if let Some(unsaved) = &mut self.unsaved {
            unsaved.touched_s = at_s;
        }
        if self.is_durable() {
            let _ = self.copy().touch(UNIX_EPOCH + Duration::from_secs(at_s));
        }
    }

    /// A start on what the disk holds.
    pub(super) fn load(&mut self) -> Option<Found> {
        (self.unsaved, self.save_at_s) = (None, None);
        let (disk, journal) = (&self.disk, Path::new(JOURNAL));
        let read = raw::read(disk, Path::new(FILE), &name("example."), Class::IN, Limits::default());
        let mut version = match read {
            Ok((version, _)) => version,
            Err(RawError::Read { source, .. }) if source.kind() == std::io::ErrorKind::NotFound => return None,
            Err(_) => {
                let _ = quarantine(disk, Path::new(FILE), ZONE_FILE);
                return None;
            }
        };
        let mut is_doubtful = false;
        match copy::follow(disk, &version, journal, Limits::default()) {
            Followed::Missing | Followed::Nothing => {}
            Followed::To(next) => version = next,
            Followed::Not(_) => is_doubtful = true,
        }
        let modified_s = self.modified_s(journal).or_else(|| self.modified_s(Path::new(FILE)));
        Some(Found { version, modified_s, is_doubtful })
    }

    fn modified_s(&self, path: &Path) -> Option<u64> {
        let at = self.disk.modified(path).ok()?;
        at.duration_since(UNIX_EPOCH).ok().map(|since| since.as_secs())
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
