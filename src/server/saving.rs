//! Secondaries' copies on disk: runs each zone's [`Saving`](crate::transfer::saving::Saving) machine, which decides
//! when they are written once more.
//!
//! A copy that cannot be written (no space, no permission) does not keep a new version from being served: a secondary
//! must not be stale, and the old file is still there, so a crash leaves the old version as it always does. The fault
//! is logged each time. BIND: the same, from memory.

use std::io;
use std::sync::{Arc, PoisonError};
use std::time::{Duration, UNIX_EPOCH};

use tokio::sync::{Mutex, MutexGuard, OwnedMutexGuard};
use tokio::task::JoinSet;

use super::control::listener::io_text;
use super::core::{Core, Event};
use super::journals;
use super::leave::{ByLeave, Leave};
use super::load;
use super::logging::line::{ZonePrefix, ZoneText};
use super::logging::{Category, Severity, log};
use super::refreshing::{Arrival, Brought, SAVERS};
use super::worker::unix_now_s;
use super::zones::{ZoneId, ZoneTask};
use crate::transfer::saving::{self, Action, Context, Written};
use crate::zone::ZoneVersion;
use crate::zone::copy::{Behind, Copy, KeepError};
use crate::zone::disk::{Disk, Host};
use crate::zone::file::FileError;

impl Core {
    /// Tells a zone's machine of an event and does what it says.
    pub(super) fn save_step(&mut self, id: ZoneId, event: saving::Event) {
        for action in self.saving_actions(id, event) {
            match action {
                Action::Wait(at_s) => self.refreshing.saves.set_no_later(id, at_s),
                Action::Write { touched_s, behind } => self.write_copy(id, touched_s, behind),
                Action::Touch(at_s) => self.touch(id, at_s),
            }
        }
    }

    fn saving_actions(&mut self, id: ZoneId, event: saving::Event) -> Vec<Action> {
        let is_transferring = self.refreshing.is_running(id);
        let Some(task) = self.zones.get_mut(id) else { return vec![] };
        let is_serving = task.served.contents().is_some();
        let delay_s = saving::delay_s(self.refreshing.random());
        let actions = task.saving.step(event, Context { now_s: unix_now_s(), is_serving, is_transferring, delay_s });
        task.served.set_stray_journal(task.saving.has_stray_journal());
        actions
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
        self.run_saving();
    }

    fn sync_zone(&mut self, id: ZoneId, drops_journal: bool) {
        let is_written = |task: &ZoneTask| task.is_secondary() || (task.is_dynamic() && task.has_own_sources());
        let Some(task) = self.zones.get(id).filter(|task| is_written(task)) else { return };
        let is_done = task.saving.is_done();
        let journal = journals::path(&task.conf).and_then(|path| load::modified(&path));
        if is_done && (journal.is_none() || !task.is_secondary()) {
            if journal.is_some() && drops_journal {
                self.drop_journal(id);
            }
            return;
        }
        // How old that is which is not in the file is known.
        let touched = journal.and_then(|touched| touched.duration_since(UNIX_EPOCH).ok());
        let touched_s = touched.map_or(0, |since| since.as_secs());
        self.save_step(id, saving::Event::Asked { touched_s, drops_journal });
    }

    /// Writes the copies whose turn has come, a few at a time.
    pub(super) fn run_saving(&mut self) {
        let now_s = unix_now_s();
        while !self.refreshing.is_saving_enough() {
            let Some(id) = self.refreshing.saves.due(now_s) else { return };
            self.save_step(id, saving::Event::Due);
        }
    }

    /// What waits by a clock that was ahead may wait too long.
    pub(super) fn clock_set_back(&mut self) {
        let waiting = self.zones.iter().filter(|(_, task)| !task.saving.is_done()).map(|(id, _)| id);
        for id in waiting.collect::<Vec<_>>() {
            self.save_step(id, saving::Event::ClockSetBack);
        }
    }

    /// Writes what is served, off the control side.
    fn write_copy(&mut self, id: ZoneId, touched_s: u64, behind: Behind) {
        let begun = self.writing(id, touched_s, behind);
        // Nobody else has seen these turns.
        let begun =
            begun.and_then(|(writing, turns)| Some((Arc::clone(&turns.file).try_lock_owned().ok()?, writing, turns)));
        let Some((turn, writing, turns)) = begun else {
            return self.save_step(id, saving::Event::Written(Written::Failed));
        };
        self.refreshing.saving.insert(id, turns);
        let (events, version) = (self.events.clone(), Arc::clone(&writing.version));
        tokio::spawn(async move {
            let saved = writing.run(turn).await;
            // Fails only when the server is going down.
            let _ = events.send(Event::Refresh(Brought { id, what: Arrival::Saved { version, saved } }));
        });
    }

    /// What is to be written for a zone, and where.
    fn writing(&self, id: ZoneId, touched_s: u64, behind: Behind) -> Option<(Writing, Arc<Turns>)> {
        let task = self.zones.get(id)?;
        let (copy, version, turns) =
            (journals::copy(&task.conf)?, task.served.version()?, self.updating.turns(id).unwrap_or_default());
        Some((Writing { copy, version, touched_s, behind, turns: Arc::clone(&turns) }, turns))
    }

    /// Writes what is still to be written before the server ends, behind what is being written.
    pub(super) async fn save_all(&mut self) {
        let mut writers = JoinSet::new();
        for id in self.zones.iter().map(|(id, _)| id).collect::<Vec<_>>() {
            let last = self.saving_actions(id, saving::Event::Stopping).pop();
            let Some(Action::Write { touched_s, behind }) = last else { continue };
            let Some((writing, turns)) = self.writing(id, touched_s, behind) else { continue };
            if writers.len() >= SAVERS {
                self.take_saved(&mut writers).await;
            }
            let turns = Arc::clone(self.refreshing.saving.get(&id).unwrap_or(&turns));
            writers.spawn(async move {
                let turn = Arc::clone(&turns.file).lock_owned().await;
                (id, Arc::clone(&writing.version), writing.run(turn).await)
            });
        }
        while !writers.is_empty() {
            self.take_saved(&mut writers).await;
        }
    }

    async fn take_saved(&mut self, writers: &mut JoinSet<(ZoneId, Arc<ZoneVersion>, Saved)>) {
        if let Some(Ok((id, version, saved))) = writers.join_next().await {
            self.saved(id, &version, saved);
        }
    }

    /// A copy was written, or could not be written.
    pub(super) fn saved(&mut self, id: ZoneId, version: &Arc<ZoneVersion>, saved: Saved) {
        self.refreshing.saving.remove(&id);
        let Some(task) = self.zones.get(id) else { return };
        let faults = saved.file.as_ref().err().into_iter().chain(saved.journal.as_ref().err());
        faults.for_each(|fault| log_fault(task.log_name(), fault));
        let is_served = !task.serves_another(version);
        let leads_on = match saved.journal {
            Ok(leads_on) => leads_on,
            // A primary's journal leads to nothing else, and what it is too long by does no harm. As with named it is
            // made shorter another time.
            Err(fault) => !task.is_secondary() && matches!(fault, KeepError::Compact(_)),
        };
        let written = match saved.file {
            Ok(()) => Written::Done { is_served, leads_on },
            Err(_) => Written::Failed,
        };
        self.save_step(id, saving::Event::Written(written));
        self.file_written(id, written != Written::Failed);
    }

    /// The mtime of a secondary's journal, or else of its file, is its expiry clock (BIND semantics 3.4).
    fn touch(&self, id: ZoneId, at_s: u64) {
        let Some(task) = self.zones.get(id) else { return };
        let Some(copy) = journals::copy(&task.conf) else { return };
        if let Err(error) = copy.touch(UNIX_EPOCH + Duration::from_secs(at_s), task.saving.may_have_journal()) {
            let zone = ZonePrefix(task.log_name());
            log!(Category::General, Severity::Warning, "{zone}could not touch {}: {error}", copy.file.display());
        }
    }
}

/// Who may write to a zone's copy, while it is written once more and a transfer has begun since.
#[derive(Debug, Default)]
pub(super) struct Turns {
    file: Arc<Mutex<()>>,
    /// Whether an update was appended to the journal since the copy has begun to be written, or about then.
    journal: std::sync::Mutex<bool>,
    /// To write at all.
    pub(super) leave: Leave,
}

impl Turns {
    /// Waits until nothing older can take the place of what is written to the file.
    pub(super) async fn wait_for_file(&self) {
        drop(self.file.lock().await);
    }

    /// The same; blocks the thread.
    pub(super) fn block_for_file(&self) {
        drop(self.file());
    }

    /// Waits until the file may be written, and keeps others from it; blocks the thread.
    pub(super) fn file(&self) -> MutexGuard<'_, ()> {
        self.file.blocking_lock()
    }

    /// Waits until the journal may be appended to, and keeps others from it.
    pub(super) fn journal(&self) -> std::sync::MutexGuard<'_, bool> {
        self.journal.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// A copy that is to be written.
struct Writing {
    copy: Copy<'static, Host>,
    version: Arc<ZoneVersion>,
    touched_s: u64,
    behind: Behind,
    turns: Arc<Turns>,
}

/// What came of writing a copy.
pub(super) struct Saved {
    file: Result<(), KeepError>,
    /// Whether the journal leads on from it; true where the file is not there.
    journal: Result<bool, KeepError>,
}

impl Writing {
    async fn run(self, turn: OwnedMutexGuard<()>) -> Saved {
        let path = self.copy.file.clone();
        let run = move || {
            let saved = self.write();
            drop(turn);
            saved
        };
        let broken_off = |error| {
            let fault = FileError::Write { path, source: io::Error::other(error) };
            Saved { file: Err(KeepError::File(fault)), journal: Ok(true) }
        };
        tokio::task::spawn_blocking(run).await.unwrap_or_else(broken_off)
    }

    fn write(&self) -> Saved {
        let touched = UNIX_EPOCH + Duration::from_secs(self.touched_s);
        let disk = ByLeave::to_keep(&self.copy, &self.turns.leave);
        let copy = disk.of(&self.copy);
        let file = self
            .clear_way(&copy)
            .and_then(|()| copy.save_as_of(touched, &self.version, unix_now_s()).map_err(KeepError::File));
        let is_appended = self.turns.journal();
        let behind = match self.behind {
            // It leads to what is served, or is about to be.
            Behind::Ended | Behind::Void if *is_appended => Behind::Shortened,
            behind => behind,
        };
        let journal = match file {
            Err(_) => Ok(true),
            Ok(()) => copy.settle(&self.version, behind),
        };
        // What has become of files that are not the zone's any more is no fault.
        if self.turns.leave.is_away() { Saved { file: Ok(()), journal: Ok(true) } } else { Saved { file, journal } }
    }

    fn clear_way(&self, copy: &Copy<'_, impl Disk>) -> Result<(), KeepError> {
        if self.behind != Behind::Void {
            return Ok(());
        }
        let _turn = self.turns.journal();
        copy.clear_way(&self.version)
    }
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

#[cfg(test)]
mod tests {
    use std::path::Path;
    use std::sync::mpsc::channel;
    use std::{fs, thread};

    use super::*;
    use crate::dns::{Class, Name, Rtype};
    use crate::zone::Builder;
    use crate::zone::copy::{self, Form};
    use crate::zone::diff::diff;

    fn version(serial: u8) -> Arc<ZoneVersion> {
        let apex: Name = "example.".parse().unwrap();
        let mut builder = Builder::new(apex.clone(), Class::IN);
        let soa = [&[0; 5][..], &[serial], &[0; 16]].concat();
        builder.add(apex.as_ref(), Rtype::SOA, 60, &soa).unwrap();
        Arc::new(builder.finish().unwrap())
    }

    /// A version that is to be written, with what becomes of the journal.
    fn writing(folder: &Path, serial: u8, behind: Behind) -> Writing {
        let [file, journal] = ["zone", "zone.jnl"].map(|name| folder.join(name));
        let copy = Copy { disk: &Host, file, journal, form: Form::Raw, journal_bytes: None };
        Writing { copy, version: version(serial), touched_s: 7, behind, turns: Arc::default() }
    }

    #[test]
    fn a_zone_that_is_dropped_waits_for_no_copy_that_is_being_written_and_loses_no_journal_to_it() {
        let folder = tempfile::tempdir().unwrap();
        let writing = writing(folder.path(), 0, Behind::Dropped);
        let (file, journal, turns) = (&writing.copy.file, &writing.copy.journal, &writing.turns);
        fs::write(journal, "another zone's").unwrap();
        let (say, said) = channel();
        thread::scope(|scope| {
            // A transfer appends to the journal meanwhile.
            let journal_turn = turns.journal();
            let saved = scope.spawn(|| writing.write());
            while !file.exists() {
                thread::yield_now();
            }
            let leave = turns.leave.clone();
            scope.spawn(move || {
                leave.take_away();
                say.send(()).unwrap();
            });
            said.recv_timeout(Duration::from_secs(10)).expect("it is taken away at once");
            drop(journal_turn);
            let Saved { file, journal } = saved.join().unwrap();
            assert!(file.is_ok() && journal.is_ok(), "and that is no fault");
        });
        assert_eq!(fs::read(journal).unwrap(), b"another zone's");
    }

    #[test]
    fn a_journal_that_was_appended_to_while_all_was_written_to_the_file_stays() {
        for is_appended in [false, true] {
            let folder = tempfile::tempdir().unwrap();
            let writing = writing(folder.path(), 5, Behind::Ended);
            let step = diff(&version(5), &version(6)).unwrap();
            thread::scope(|scope| {
                let mut turn = writing.turns.journal();
                scope.spawn(|| writing.write());
                while !writing.copy.file.exists() {
                    thread::yield_now();
                }
                copy::append(&Host, &writing.copy.journal, &[step]).unwrap();
                *turn = is_appended;
            });
            assert_eq!(writing.copy.journal.exists(), is_appended);
        }
    }
}
