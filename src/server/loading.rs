//! What the control side does about zones' files: when they are read, and what becomes of the outcome.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::Path;
use std::sync::Arc;

use super::core::{AfterLoads, Core, Event};
use super::exchange::spawn_told;
use super::leave::Leave;
use super::load::{Job, LoadError, Loaded, Outcome};
use super::logging::line::ZonePrefix;
use super::logging::{Category, Severity, log};
use super::shared::Retired;
use super::zones::{Loading, Origin, ZoneId, ZoneTask, is_stale};
use crate::conf::config::Zone;
use crate::dns::Serial;
use crate::zone::contents::ZoneVersion;
use crate::zone::message::{Level, Subject};

impl Core {
    /// Has a zone's file read. A zone that is being read already is read once more afterwards.
    pub(super) fn load(&mut self, id: ZoneId) {
        let Some(task) = self.zones.get_mut(id) else { return };
        if task.conf.path.is_none() {
            // A secondary that is kept in memory only.
            self.start_refreshing(id);
            return;
        }
        if task.loading != Loading::Idle {
            task.loading = Loading::Again;
            return;
        }
        if self.updating.postpones_load(id) {
            return;
        }
        task.loading = Loading::Running;
        self.loads_open += 1;
        self.progress.begin();
        let served = task.served.version();
        let zone = task.conf.clone();
        // As with named, a primary's journal counts only where nothing of the file is served yet: later the file says
        // it all. What a secondary has is never in the file alone.
        let is_elsewhere = !task.has_own_sources();
        let follows_journal = task.is_secondary() || served.is_none() || is_elsewhere;
        let is_compared = !task.is_secondary() && !is_elsewhere && zone.settings.ixfr_from_differences;
        let old = served.filter(|_| is_compared);
        self.loader.load(Job { id, zone, follows_journal, old, leave: Leave::default() });
    }

    /// Reads what has changed on disk: the primaries' files that are newer than what is served. They are looked at
    /// elsewhere, since there may be many and the disk slow.
    pub(super) fn load_changed(&mut self) {
        let primaries = self.zones.iter().filter(|(_, task)| task.follows_its_file());
        let zones: Vec<(ZoneId, Zone, Option<Origin>)> =
            primaries.map(|(id, task)| (id, task.conf.clone(), task.origin.clone())).collect();
        let look = move || {
            let changed = zones.iter().filter(|(_, zone, origin)| is_stale(zone, origin.as_ref()));
            changed.map(|(id, ..)| *id).collect()
        };
        self.loads_open += 1;
        let work = async move { tokio::task::spawn_blocking(look).await.unwrap_or_default() };
        spawn_told(&self.events, work, |changed| Event::Changed(changed.unwrap_or_default()));
    }

    /// The files have been looked at.
    pub(super) fn files_looked_at(&mut self, changed: &[ZoneId]) {
        self.loads_open = self.loads_open.saturating_sub(1);
        for id in changed {
            // It may have been thawed or read since.
            if self.zones.get(*id).is_some_and(is_behind) {
                self.load(*id);
            }
        }
        self.say_if_all_loaded();
    }

    /// Remembers what to say once all files have been read, and says it if none has to be.
    pub(super) fn announce_loads(&mut self, what: AfterLoads) {
        self.after_loads = what;
        self.say_if_all_loaded();
    }

    /// Files have been read.
    pub(super) fn take_outcomes(&mut self) {
        self.loader.outcomes().into_iter().for_each(|outcome| self.loaded(outcome));
        self.say_if_all_loaded();
    }

    fn loaded(&mut self, outcome: Outcome) {
        self.loads_open = self.loads_open.saturating_sub(1);
        let id = outcome.id;
        if let Some(task) = self.zones.get_mut(id) {
            let again = task.loading == Loading::Again;
            task.loading = Loading::Idle;
            log_messages(task, &outcome);
            let is_read = outcome.result.is_ok();
            // What was found where a secondary's files were is not looked at where they are now.
            let is_outdated = again && task.is_secondary() && task.served.contents().is_none();
            match outcome.result {
                _ if is_outdated => {}
                Ok(loaded) => self.take_loaded(id, loaded),
                Err(error) => self.take_failure(id, &error),
            }
            if again {
                self.load(id);
            } else {
                self.thaw_loaded(id, is_read);
                self.make_updates(id);
                self.continue_freezing(id);
            }
        }
    }

    fn take_loaded(&mut self, id: ZoneId, loaded: Loaded) {
        let Some(task) = self.zones.get_mut(id) else { return };
        if task.is_secondary() {
            return self.take_cache(id, loaded);
        }
        if task.served.contents().as_ref().is_some_and(|served| Arc::ptr_eq(served, &loaded.version)) {
            log!(Category::ZoneLoad, Severity::Info, "{}ixfr-from-differences: unchanged", ZonePrefix(task.log_name()));
            task.origin = Some(Origin::now(loaded.sources, &task.conf));
            return self.troubles.forget_zone(id);
        }
        let before = task.serial();
        let now = loaded.version.serial();
        if loaded.is_journal_dropped {
            let zone = ZonePrefix(task.log_name());
            log!(Category::ZoneLoad, Severity::Info, "{zone}journal file is out of date: removing journal file");
        }
        // What came from elsewhere was another zone to named.
        let own = before.filter(|_| task.has_own_sources());
        log_serial_change(task, own, now);
        log_loaded(task, &loaded.version);
        if task.is_dynamic() && loaded.version.is_signed() {
            let zone = ZonePrefix(task.log_name());
            log!(
                Category::Update,
                Severity::Warning,
                "{zone}is signed: updates get SERVFAIL, for nothing is signed here"
            );
        }
        task.origin = Some(Origin::now(loaded.sources, &task.conf));
        self.troubles.forget_zone(id);
        let old = match own {
            Some(_) => task.served.publish(Some(loaded.version)),
            None => task.served.publish_found(loaded.version),
        };
        self.shared.retire_version(old);
        self.note_loaded_journal(id, loaded.journal_modified);
        match before {
            None => self.announce_at_start(id),
            Some(_) => self.announce(id),
        }
        self.catalog_published(id);
    }

    fn take_failure(&mut self, id: ZoneId, error: &LoadError) {
        let Some(task) = self.zones.get(id) else { return };
        if task.is_secondary() {
            log_cache_failure(task, error);
            self.start_refreshing(id);
        } else {
            log_failure(task, error);
            self.troubles.note_zone(id, task.log_name(), failure_text(error));
        }
    }

    pub(super) fn say_if_all_loaded(&mut self) {
        if self.loads_open > 0 {
            return;
        }
        match std::mem::replace(&mut self.after_loads, AfterLoads::Nothing) {
            AfterLoads::Nothing => return,
            AfterLoads::All => log!(Category::General, Severity::Notice, "all zones loaded"),
            AfterLoads::New => log!(Category::General, Severity::Info, "any newly configured zones are now loaded"),
        }
        log!(Category::General, Severity::Notice, "running");
        self.shared.retire(Retired::Scraps);
        // Which files are included is known only now.
        self.follow_files();
        self.say_ready();
    }

    /// Files were changed under the eyes of the watcher: their zones are loaded.
    pub(super) fn files_changed(&mut self, names: &BTreeSet<OsString>) {
        let is_named = |path: &Path| path.file_name().is_some_and(|name| names.contains(name));
        let reads = |task: &ZoneTask| {
            task.file().is_some_and(|file| is_named(&file))
                || task.sources().iter().any(|source| is_named(&source.path))
        };
        let zones: Vec<ZoneId> =
            self.zones.iter().filter(|(_, task)| reads(task) && is_behind(task)).map(|(id, _)| id).collect();
        for id in zones {
            self.load(id);
        }
    }
}

/// Whether a zone's file has something for it that was not read.
pub(super) fn is_behind(task: &ZoneTask) -> bool {
    task.follows_its_file() && is_stale(&task.conf, task.origin.as_ref())
}

fn log_messages(task: &ZoneTask, outcome: &Outcome) {
    for message in &outcome.messages {
        let severity = match message.level {
            Level::Warning => Severity::Warning,
            Level::Error => Severity::Error,
        };
        let zone = ZonePrefix(task.log_name());
        match (message.subject, &message.place) {
            (_, Some(_)) => log!(Category::General, severity, "{message}"),
            (Subject::Loading, None) => log!(Category::ZoneLoad, severity, "{zone}{message}"),
            (Subject::Contents, None) => log!(Category::General, severity, "{zone}{message}"),
            (Subject::Keys, None) => log!(Category::Dnssec, severity, "{zone}{message}"),
        }
    }
}

fn failure_text(error: &LoadError) -> &str {
    match error {
        LoadError::Missing => "file not found",
        LoadError::Faulty(reason) | LoadError::PutAside(reason, _) => reason,
        LoadError::Refused => "not loaded due to errors",
    }
}

/// A primary's file gave no zone; the version before it, if any, goes on being served.
fn log_failure(task: &ZoneTask, error: &LoadError) {
    let zone = ZonePrefix(task.log_name());
    if !matches!(error, LoadError::Refused) {
        let (file, reason) = (file_text(task), failure_text(error));
        log!(Category::ZoneLoad, Severity::Error, "{zone}loading from master file {file} failed: {reason}");
    }
    log!(Category::ZoneLoad, Severity::Error, "{zone}not loaded due to errors.");
}

/// A secondary's copy cannot be used; a missing one is no news.
fn log_cache_failure(task: &ZoneTask, error: &LoadError) {
    let (zone, file) = (ZonePrefix(task.log_name()), file_text(task));
    if let LoadError::Faulty(reason) | LoadError::PutAside(reason, _) = error {
        log!(Category::ZoneLoad, Severity::Error, "{zone}loading from master file {file} failed: {reason}");
    }
    if let LoadError::PutAside(_, aside) = error {
        log!(
            Category::General,
            Severity::Warning,
            "{zone}unable to load from '{file}'; renaming file to '{}' for failure analysis and retransferring.",
            aside.display()
        );
    }
}

fn file_text(task: &ZoneTask) -> String {
    task.file().map(|path| path.display().to_string()).unwrap_or_default()
}

/// The words of named for serials that do not rise (BIND semantics 5.13).
fn log_serial_change(task: &ZoneTask, before: Option<Serial>, now: Serial) {
    let Some(before) = before else { return };
    let zone = ZonePrefix(task.log_name());
    if before == now {
        log!(
            Category::ZoneLoad,
            Severity::Error,
            "{zone}zone serial ({now}) unchanged. zone may fail to transfer to secondaries."
        );
    } else if !now.is_newer_than(before) {
        log!(Category::ZoneLoad, Severity::Error, "{zone}zone serial ({now}/{before}) has gone backwards");
    }
}

/// The line that tells of a loaded zone.
pub(super) fn log_loaded(task: &ZoneTask, version: &Arc<ZoneVersion>) {
    let signed = if version.is_signed() { " (DNSSEC signed)" } else { "" };
    log!(
        Category::ZoneLoad,
        Severity::Info,
        "{}loaded serial {}{signed}",
        ZonePrefix(task.log_name()),
        version.serial()
    );
}

#[cfg(test)]
mod tests {
    use std::fs;
    use std::time::Duration;

    use tokio::sync::mpsc::UnboundedReceiver;

    use super::*;

    const ZONE: &str = "$TTL 300\n@ SOA ns h 1 3600 900 604800 300\n@ NS ns\nns A 192.0.2.1\n";

    impl Core {
        /// Waits until all files that are being read have been.
        pub(in crate::server) async fn finish_loads(&mut self, inbox: &mut UnboundedReceiver<Event>) {
            while self.loads_open > 0 {
                let event = inbox.recv().await.unwrap();
                self.handle(event);
            }
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_that_was_seen_to_have_changed_is_not_read_over_the_updates_that_have_come_since() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("zone");
        fs::write(&path, ZONE).unwrap();
        let zones = "zone dyn.test { type primary; file \"FOLDER/zone\"; allow-update { any; }; };";
        let (mut core, mut inbox) = Core::of_zones(folder.path(), zones);
        core.finish_loads(&mut inbox).await;
        let id = core.zones.iter().next().unwrap().0;
        let loading = |core: &Core| core.zones.get(id).unwrap().loading;
        core.freeze(Some(id));
        fs::write(&path, ZONE.replace("h 1", "h 20")).unwrap();
        let file = fs::File::options().append(true).open(&path).unwrap();
        file.set_modified(std::time::SystemTime::now() + Duration::from_secs(2)).unwrap();
        core.files_looked_at(&[id]);
        assert_eq!(loading(&core), Loading::Running);
        core.thaw(Some(id));
        core.finish_loads(&mut inbox).await;
        let task = core.zones.get(id).unwrap();
        assert_eq!((task.serial(), task.served.is_frozen()), (Some(Serial(20)), false));
        core.files_looked_at(&[id]);
        assert_eq!(loading(&core), Loading::Idle, "its updates are in no file");
        core.freeze(Some(id));
        core.files_looked_at(&[id]);
        assert_eq!(loading(&core), Loading::Idle, "it was read since");
    }
}
