//! Secondaries' copies on disk: written before a version is published, and once more later where that failed or where
//! the changes alone went to the journal.
//!
//! A copy that cannot be written (no space, no permission) does not keep a new version from being served: a secondary
//! must not be stale, and the old file is still there, so a crash leaves the old version as it always does. The fault
//! is logged each time. BIND: the same, from memory.

use std::io;
use std::sync::Arc;
use std::time::{Duration, UNIX_EPOCH};

use tokio::sync::Mutex;

use super::control::listener::io_text;
use super::core::{Core, Event};
use super::journals;
use super::load;
use super::logging::line::{ZonePrefix, ZoneText};
use super::logging::{Category, Severity, log};
use super::refreshing::{Arrival, Brought};
use super::worker::unix_now_s;
use super::zones::{Unsaved, ZoneId};
use crate::zone::ZoneVersion;
use crate::zone::copy::{Copy, KeepError};
use crate::zone::disk::Host;
use crate::zone::file::FileError;

/// Writes a zone's copy, off the control side.
async fn save(copy: Copy<'static, Host>, version: Arc<ZoneVersion>) -> Result<(), KeepError> {
    let path = copy.file.clone();
    let write = move || copy.save(&version, unix_now_s());
    let written = tokio::task::spawn_blocking(write).await;
    let broken_off = |error| Err(FileError::Write { path, source: io::Error::other(error) });
    written.unwrap_or_else(broken_off).map_err(KeepError::File)
}

/// Says what the disk does not let happen to a copy.
pub(super) fn log_fault(zone: ZoneText<'_>, error: &KeepError) {
    let zone = ZonePrefix(zone);
    match error {
        KeepError::Journal(_) => log!(Category::General, Severity::Error, "{zone}{error}"),
        KeepError::File(FileError::Write { path, source }) => {
            let (path, reason) = (path.display(), io_text(source));
            log!(Category::General, Severity::Error, "{zone}dumping master file: {path}: write: {reason}");
        }
        KeepError::File(FileError::Rename { path, source }) => {
            let (path, reason) = (path.display(), io_text(source));
            log!(Category::General, Severity::Error, "{zone}dumping master file: {path}: rename: {reason}");
        }
        KeepError::Compact(_) => log!(Category::General, Severity::Warning, "{zone}{error}"),
        KeepError::Remove { path, source } => {
            let (path, reason) = (path.display(), io_text(source));
            log!(Category::General, Severity::Warning, "{zone}unable to remove journal '{path}': {reason}");
        }
    }
}

impl Core {
    /// Writes a zone's copy after a while, unless that is set already.
    pub(super) fn save_later(&mut self, id: ZoneId, unsaved: Unsaved) {
        let Some(task) = self.zones.get_mut(id) else { return };
        task.unsaved = Some(unsaved);
        if !self.refreshing.saves.is_set(id) {
            self.refreshing.saves.set(id, unix_now_s().saturating_add(DELAY.as_secs()));
        }
    }

    /// `rndc sync`: writes what is in the journals to the files, of one zone or of all.
    pub(super) fn sync(&mut self, only: Option<ZoneId>, drops_journal: bool) {
        let ids = match only {
            Some(id) => vec![id],
            None => self.zones.iter().map(|(id, _)| id).collect(),
        };
        for id in ids {
            self.sync_zone(id, drops_journal);
        }
    }

    fn sync_zone(&mut self, id: ZoneId, drops_journal: bool) {
        let Some(task) = self.zones.get_mut(id).filter(|task| task.is_secondary()) else { return };
        let journal = journals::path(&task.conf).and_then(|path| load::modified(&path));
        // A journal that was followed at the start leads on from the file as well.
        let Some(touched) = journal.or_else(|| task.unsaved.and_then(|_| load::modified(&task.file()?))) else {
            return;
        };
        let touched_s = touched.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        let unsaved = task.unsaved.unwrap_or(Unsaved { touched_s, is_journaled: true, drops_journal });
        task.unsaved = Some(Unsaved { drops_journal, ..unsaved });
        self.save_again(id);
    }

    /// Writes the copies whose turn has come.
    pub(super) fn run_saving(&mut self) {
        let now_s = unix_now_s();
        while let Some(id) = self.refreshing.saves.due(now_s) {
            self.save_again(id);
        }
    }

    /// Never while a transfer runs, which may write a newer version to the same file; one that starts meanwhile waits.
    fn save_again(&mut self, id: ZoneId) {
        let Some((copy, version)) = self.unsaved(id) else { return };
        if self.refreshing.is_running(id) {
            return self.refreshing.saves.set(id, unix_now_s().saturating_add(PAUSE.as_secs()));
        }
        let turn = Arc::new(Mutex::new(()));
        let Ok(held) = Arc::clone(&turn).try_lock_owned() else { return };
        self.refreshing.saving.insert(id, turn);
        let events = self.events.clone();
        tokio::spawn(async move {
            let outcome = save(copy, Arc::clone(&version)).await;
            drop(held);
            let what = Arrival::Saved { version, outcome };
            // Fails only when the server is going down.
            let _ = events.send(Event::Refresh(Brought { id, what }));
        });
    }

    /// What is to be written for a zone, and where.
    fn unsaved(&self, id: ZoneId) -> Option<(Copy<'static, Host>, Arc<ZoneVersion>)> {
        let task = self.zones.get(id).filter(|task| task.unsaved.is_some())?;
        Some((journals::copy(&task.conf)?, task.served.version()?))
    }

    /// Writes what is still to be written before the server ends.
    pub(super) async fn save_all(&mut self) {
        let unsaved = self.zones.iter().filter(|(_, task)| task.unsaved.is_some()).map(|(id, _)| id);
        for id in unsaved.collect::<Vec<_>>() {
            let Some((copy, version)) = self.unsaved(id) else { continue };
            let outcome = save(copy, Arc::clone(&version)).await;
            self.saved(id, &version, outcome);
        }
    }

    /// A copy was written, or could not be written.
    pub(super) fn saved(&mut self, id: ZoneId, version: &Arc<ZoneVersion>, outcome: Result<(), KeepError>) {
        self.refreshing.saving.remove(&id);
        let Some(task) = self.zones.get_mut(id) else { return };
        if let Some(unsaved) = task.unsaved {
            if let Err(error) = outcome {
                log_fault(task.log_name(), &error);
                return self.save_later(id, unsaved);
            }
            task.unsaved = None;
            super::refreshing::touch(task, unsaved.touched_s);
            if self.shorten_journal(id, version, unsaved.drops_journal) && unsaved.is_journaled {
                return self.save_rest_later(id, version);
            }
        }
        // A transfer may have brought a newer version meanwhile, which this one has overwritten.
        self.save_over(id, version);
    }

    /// Writes the version that is served if it is another than the one that was written last.
    fn save_over(&mut self, id: ZoneId, written: &Arc<ZoneVersion>) {
        let Some(task) = self.zones.get_mut(id).filter(|task| task.serves_another(written)) else { return };
        task.unsaved = Some(Unsaved { touched_s: unix_now_s(), is_journaled: false, drops_journal: false });
        self.save_again(id);
    }

    /// What went to the journal while the file was written has time.
    fn save_rest_later(&mut self, id: ZoneId, written: &Arc<ZoneVersion>) {
        if self.zones.get(id).is_some_and(|task| task.serves_another(written)) {
            self.save_later(id, Unsaved { touched_s: unix_now_s(), is_journaled: true, drops_journal: false });
        }
    }

    /// Drops what the file holds from the journal, unless a transfer may be writing to it. False if the journal does
    /// not lead on from that version.
    fn shorten_journal(&self, id: ZoneId, saved: &Arc<ZoneVersion>, may_drop: bool) -> bool {
        let Some(task) = self.zones.get(id).filter(|_| !self.refreshing.is_running(id)) else { return true };
        let Some(copy) = journals::copy(&task.conf) else { return true };
        let shortened = match may_drop && !task.serves_another(saved) {
            true => copy.drop_journal().map(|()| true),
            false => copy.shorten(saved),
        };
        shortened.unwrap_or_else(|error| {
            log_fault(task.log_name(), &error);
            false
        })
    }
}

/// When a copy is written whose changes are in the journal, or which could not be written before. BIND: the same.
const DELAY: Duration = Duration::from_secs(900);
/// How much longer where a transfer runs.
const PAUSE: Duration = Duration::from_secs(5);
