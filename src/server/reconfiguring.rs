//! Reload and reconfig: a configuration is read and compared away from the control side, which then carries the plan
//! out.
//!
//! What cannot be read changes nothing. Otherwise each part happens, or stays as it was and is among the
//! [`Troubles`](super::troubles): workers see zones, keys and access lists by one snapshot, and what is seen from
//! outside follows one by one. Who asks while a configuration is being read is answered by the next reading, since the
//! files may have changed.

use std::collections::HashMap;
use std::env;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use tokio::sync::oneshot;

use super::access::Policies;
use super::control::listener::io_text;
use super::control::{Command, IscResult, Reply};
use super::core::{AfterLoads, Core, Event};
use super::exchange::spawn_told;
use super::journals;
use super::logging::line::ZonePrefix;
use super::logging::{self, Category, Severity, log};
use super::plan::{Plan, Source, Step, ZoneChange, ZoneKey, zone_change};
use super::process::PidFile;
use super::shared::Retired;
use super::start::{self, StartError};
use super::troubles::Part;
use super::worker::unix_now_s;
use super::zones::{Loading, Origin, ZoneId, ZoneTask};
use super::{load, systemd};
use crate::answer::snapshot::{Zone as ServedZone, ZoneRole};
use crate::conf;
use crate::conf::config::{Config, Options, Role, Zone};
use crate::transfer::saving::{self, Saving};
use crate::zone::ZoneVersion;

/// What somebody wants of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Demand {
    /// `rndc reload` and SIGHUP: it, and every zone that changed.
    Reload,
    /// `rndc reconfig`: it, and zones that are new.
    Reconfig,
}

/// A demand and who waits for its end; nobody waits for that of a signal.
pub(super) type Asked = (Demand, Option<oneshot::Sender<Reply>>);

/// Which demands there are.
#[derive(Default)]
pub(super) struct Reconfiguring {
    /// Those to be answered by the configuration that is being read.
    reading: Vec<Asked>,
    /// Those that came since.
    waiting: Vec<Asked>,
}

impl Reconfiguring {
    /// Whether a configuration is being read.
    pub(super) fn is_reading(&self) -> bool {
        !self.reading.is_empty()
    }
}

/// A configuration that has been read and compared with the one in force.
pub(super) type Read = Result<(Arc<Config>, Plan), StartError>;

/// From a demand to its answer.
impl Core {
    /// Has the configuration read, or read once more after the reading that is under way.
    pub(super) fn reconfigure(&mut self, demand: Demand, reply: Option<oneshot::Sender<Reply>>) {
        self.reconfiguring.waiting.push((demand, reply));
        self.begin_reading();
    }

    fn begin_reading(&mut self) {
        if self.reconfiguring.is_reading() || self.reconfiguring.waiting.is_empty() {
            return;
        }
        self.reconfiguring.reading = std::mem::take(&mut self.reconfiguring.waiting);
        systemd::reloading();
        let (old, path, options) = (Arc::clone(&self.config), self.conf_path.clone(), self.options.clone());
        let read = move || {
            let new = Arc::new(start::load_configuration(&path, &options)?);
            let plan = Plan::between(&old, &new);
            Ok((new, plan))
        };
        let work = async move { tokio::task::spawn_blocking(read).await };
        spawn_told(&self.events, work, |read| Event::Configured(Box::new(read.and_then(Result::ok))));
    }

    /// Tells what a reload would change, or would if the configuration were this file.
    pub(super) fn show_plan(&self, command: &Command, reply: oneshot::Sender<Reply>) {
        let path = command.arguments.first().map_or_else(|| self.conf_path.clone(), PathBuf::from);
        let (old, tolerance) = (Arc::clone(&self.config), self.options.tolerance.clone());
        tokio::task::spawn_blocking(move || {
            let shown = match conf::load(&path, &tolerance) {
                Ok((new, _)) => Reply::text(Plan::between(&old, &new).summary()),
                Err(faults) => Reply::failed_with(IscResult::FAILURE, faults.to_string().trim_end()),
            };
            answer(Some(reply), shown);
        });
    }

    /// The configuration has been read; nothing comes of a reading that broke off.
    pub(super) fn configured(&mut self, read: Option<Read>) {
        let asked = std::mem::take(&mut self.reconfiguring.reading);
        let broke_off = || Err(StartError::Configuration("unexpected error"));
        let outcome = read.unwrap_or_else(broke_off).and_then(|(config, plan)| self.take_over(plan, config));
        self.last_reload_failed = outcome.is_err();
        match outcome {
            Ok(()) => self.say_reconfigured(asked),
            Err(error) => say_failed(asked, &error.reason()),
        }
        self.begin_reading();
    }

    fn say_reconfigured(&mut self, asked: Vec<Asked>) {
        log!(Category::General, Severity::Info, "reloading configuration succeeded");
        if asked.iter().any(|(demand, _)| *demand == Demand::Reload) {
            log!(Category::General, Severity::Info, "reloading zones succeeded");
            self.load_changed();
            self.announce_loads(AfterLoads::All);
        } else {
            log!(Category::General, Severity::Info, "scheduled loading new zones");
            self.announce_loads(AfterLoads::New);
        }
        for (demand, reply) in asked {
            let done = match demand {
                Demand::Reload => Reply::text("server reload successful"),
                Demand::Reconfig => Reply::done(),
            };
            answer(reply, done);
        }
    }

    /// Takes over a configuration, part by part. A directory that cannot be used refuses it as a whole, since all
    /// files are relative to it; a log that cannot be opened fails the command, as with named, and nothing else.
    fn take_over(&mut self, plan: Plan, config: Arc<Config>) -> Result<(), StartError> {
        let is_elsewhere = self.change_directory(&config.options)?;
        self.carry_out(plan, config);
        if is_elsewhere {
            self.load_missing();
        }
        let log = self.follow_log();
        self.follow_pid_file();
        self.follow_settings();
        let mut unread = self.listening.read_certificates(&self.config);
        unread.extend(self.connectors.read_anew(&self.config));
        self.troubles.set_certificates(unread);
        self.rescan_interfaces();
        log
    }

    /// Goes to the directory of a configuration, unless we are there. Copies with relative names are elsewhere then, as
    /// if their zones named other files, and so is what updates have changed. Other primaries keep what they serve, as
    /// with named, until they are reloaded.
    fn change_directory(&mut self, options: &Options) -> Result<bool, StartError> {
        let before = env::current_dir().ok();
        start::enter_directory(options)?;
        if env::current_dir().ok() == before {
            return Ok(false);
        }
        self.refreshing.directories += 1;
        let is_written = |task: &ZoneTask| task.is_secondary() || !task.saving.is_done();
        let is_moved = |task: &ZoneTask| is_written(task) && journals::has_relative_path(&task.conf);
        let moved = self.zones.iter().filter(|(_, task)| is_moved(task) && task.served.contents().is_some());
        let touched = |task: &ZoneTask| {
            let files = [journals::path(&task.conf), task.file()].into_iter().flatten();
            files.filter_map(|file| Some(before.as_ref()?.join(file))).find_map(|file| load::modified(&file))
        };
        let has_moved_journal = |task: &ZoneTask| journals::path(&task.conf).is_some_and(|path| path.is_relative());
        let moved: Vec<_> = moved.map(|(id, task)| (id, touched(task), has_moved_journal(task))).collect();
        moved.into_iter().for_each(|(id, touched, has_other)| self.write_elsewhere(id, touched, has_other));
        Ok(true)
    }

    /// Reads the files of zones that have no contents: they may be where they are looked for now.
    fn load_missing(&mut self) {
        let is_missing = |task: &ZoneTask| task.served.contents().is_none() && journals::has_relative_path(&task.conf);
        let missing = self.zones.iter().filter(|(_, task)| is_missing(task));
        let missing: Vec<_> = missing.map(|(id, _)| id).collect();
        missing.into_iter().for_each(|id| self.load(id));
    }

    fn follow_log(&mut self) -> Result<(), StartError> {
        match start::open_log(&self.config, &self.options) {
            Ok(routing) => {
                logging::configure(routing);
                self.troubles.mended(&Part::Logging);
                Ok(())
            }
            Err(error) => {
                self.troubles.note(Part::Logging, error.to_string());
                log!(Category::Config, Severity::Error, "{error}; logging stays as it was");
                Err(error)
            }
        }
    }

    /// Writes the process id where the configuration wants it now; only then does the old file go.
    pub(super) fn follow_pid_file(&mut self) {
        let wanted = self.config.options.pid_file.as_deref();
        if self.pid_file.as_ref().map(PidFile::path) == wanted {
            self.troubles.mended(&Part::PidFile);
            return;
        }
        let Some(path) = wanted else {
            self.pid_file = None;
            return self.troubles.mended(&Part::PidFile);
        };
        match PidFile::write(path) {
            Ok(written) => {
                self.pid_file = Some(written);
                self.troubles.mended(&Part::PidFile);
            }
            Err(error) => {
                let reason = format!("could not open file '{}': {}", path.display(), io_text(&error));
                log!(Category::General, Severity::Error, "{reason}");
                self.troubles.note(Part::PidFile, reason);
            }
        }
    }
}

/// Nothing was taken over, or the log was not.
fn say_failed(asked: Vec<Asked>, reason: &str) {
    log!(Category::General, Severity::Error, "reloading configuration failed: {reason}");
    systemd::reload_failed(reason);
    let result = IscResult::from_text(reason).unwrap_or(IscResult::FAILURE);
    for (_, reply) in asked {
        answer(reply, Reply::failed(result));
    }
}

fn answer(to: Option<oneshot::Sender<Reply>>, reply: Reply) {
    if let Some(to) = to {
        // Whoever asked may be gone.
        let _ = to.send(reply);
    }
}

/// The zones whose entries in the snapshot are others than before.
pub(super) enum Touched {
    /// Perhaps all.
    All,
    /// These, by view.
    Zones(HashMap<Arc<str>, Vec<ZoneKey>>),
}

impl Touched {
    /// Nothing so far.
    pub(super) fn none() -> Self {
        Self::Zones(HashMap::new())
    }

    /// One more.
    pub(super) fn add(&mut self, key: ZoneKey) {
        if let Self::Zones(zones) = self {
            zones.entry(Arc::clone(&key.view)).or_default().push(key);
        }
    }

    /// The zones that the steps of a plan change. Views that show zones of others are made anew: those may be shown
    /// in places that no step names.
    fn of(plan: &Plan, old: &Config, new: &Config) -> Self {
        let is_shown_elsewhere = |zone: &Zone| matches!(zone.role, Role::InView(_));
        let mut views = old.views.iter().chain(&new.views);
        if views.any(|view| view.zones.iter().any(is_shown_elsewhere)) {
            return Self::All;
        }
        let mut touched = Self::none();
        for step in &plan.steps {
            if let Step::DropZone(key) | Step::ChangeZone(key, ..) | Step::AddZone(key, _) = step {
                touched.add(key.clone());
            }
        }
        touched
    }
}

/// What a plan does to the zones.
impl Core {
    /// Makes zones go, change and come, catalogs' members among them, and shows it to the workers all at once.
    pub(super) fn carry_out(&mut self, plan: Plan, config: Arc<Config>) {
        let touched = Touched::of(&plan, &self.config, &config);
        let host = self.host.clone();
        let mut policies = Policies::new(&host);
        let changes_guards = self.config.guards != config.guards;
        let old = std::mem::replace(&mut self.config, config);
        self.shared.retire(Retired::Config(old));
        self.refreshing.configure(&self.config);
        self.notifying.configure(&self.config.options);
        self.follow_session_key();
        let changes_peers = plan.changes_peers();
        for step in plan.steps {
            match step {
                Step::DropZone(key) => {
                    self.say_removed(&key);
                    self.drop_zone(&key);
                }
                Step::ChangeZone(key, zone, change) => {
                    if self.is_another(&key, &zone, &change) {
                        self.say_removed(&key);
                    }
                    self.change_zone(key, zone, &change, &mut policies);
                }
                Step::AddZone(key, zone) => self.add_configured(key, zone, &mut policies),
                // These follow the configuration now in force, whether they differ or failed before.
                _ => {}
            }
        }
        if changes_peers || changes_guards {
            self.refreshed().into_iter().for_each(|id| self.configure_refresh(id));
        }
        let touched = self.configure_catalogs(policies, touched);
        self.publish_snapshot(&touched);
        self.last_configured = SystemTime::now();
        self.load_missing_copies();
        self.ask_catalogs();
    }

    /// Adds a zone of the configuration. If a catalog has brought it already, it is the configuration's from now on.
    fn add_configured(&mut self, key: ZoneKey, zone: Zone, policies: &mut Policies<'_>) {
        let member = self.zones.id(&key).and_then(|id| self.zones.get(id).map(|task| (id, task)));
        let Some((id, task)) = member else {
            self.add_zone(key, zone, None, policies);
            return;
        };
        let prefix = ZonePrefix(task.log_name());
        log!(Category::General, Severity::Warning, "{prefix}is configured and no longer a catalog's");
        let change = zone_change(&task.conf, &zone);
        self.catalogs.forget(id);
        if let Some(change) = change {
            self.change_zone(key, zone, &change, policies);
        }
    }

    /// Adds a zone and has its file read. Until that is done it has the contents of the zone that it takes the place
    /// of, if there was one.
    pub(super) fn add_zone(
        &mut self,
        key: ZoneKey,
        zone: Zone,
        inherited: Option<(Arc<ZoneVersion>, SystemTime)>,
        policies: &mut Policies<'_>,
    ) -> ZoneId {
        let role = match zone.role {
            Role::Secondary { .. } => ZoneRole::Secondary,
            _ => ZoneRole::Primary,
        };
        let policy = policies.of(&zone);
        let id = self.zones.add(|id| {
            let served = ServedZone::new(zone.apex.clone(), zone.class, role, policy).with_handle(id.number());
            let served = served.with_journal(journals::place(&zone));
            let (contents, loaded) = inherited.unzip();
            served.publish(contents);
            let mut task = ZoneTask::new(id, key.view, zone, served);
            task.origin = loaded.map(Origin::inherited);
            task
        });
        self.load(id);
        id
    }

    pub(super) fn change_zone(&mut self, key: ZoneKey, zone: Zone, change: &ZoneChange, policies: &mut Policies<'_>) {
        let Some(id) = self.zones.id(&key) else { return };
        let Some(task) = self.zones.get_mut(id) else { return };
        let contents = task.served.version();
        let (old_file, old_journal) = (task.file(), journals::path(&task.conf));
        let has_other_journal = journals::path(&zone) != old_journal;
        let is_elsewhere = has_other_journal || change.source == Source::OtherFile;
        let is_other = change.source == Source::OtherRole || (is_elsewhere && contents.is_none());
        if is_other {
            let inherited = contents.zip(task.origin.as_ref().map(|origin| origin.at));
            self.drop_zone(&key);
            self.add_zone(key, zone, inherited, policies);
            return;
        }
        let served = task.served.with_policy(policies.of(&zone)).with_journal(journals::place(&zone));
        task.served = Arc::new(served);
        let was_dynamic = task.is_dynamic();
        task.take_over(zone);
        if change.source == Source::OtherFile && !task.is_secondary() {
            // What is served is of the old file, and has a journal there.
            task.saving = Saving::default();
        }
        let is_static = was_dynamic && !task.is_dynamic();
        task.served.freeze(task.served.is_frozen() && !is_static);
        let is_moved = is_elsewhere && (task.is_secondary() || !task.saving.is_done());
        self.configure_refresh(id);
        match change.source {
            _ if is_moved => {
                let touched = [old_journal, old_file].into_iter().flatten().find_map(|path| load::modified(&path));
                if self.zones.get(id).is_some_and(ZoneTask::is_secondary) {
                    self.refreshing.leave_files(id);
                }
                self.write_elsewhere(id, touched, has_other_journal);
            }
            // From now on the file says what is new, and what it says has to be there.
            Source::Same if is_static => self.save_step(id, saving::Event::Due),
            Source::OtherFile => self.load(id),
            Source::Same | Source::OtherRole => {}
        }
    }

    /// A zone's copy belongs in another file, or is to have another form, or what is served may be in a journal that is
    /// looked for elsewhere by now: it is written to the file, as old as the copy that there was.
    pub(super) fn write_elsewhere(&mut self, id: ZoneId, touched: Option<SystemTime>, has_other_journal: bool) {
        let touched_s = touched.and_then(|at| at.duration_since(SystemTime::UNIX_EPOCH).ok()).map(|age| age.as_secs());
        let touched_s = touched_s.or_else(|| self.vouched_s(id)).unwrap_or_else(unix_now_s);
        match self.zones.get_mut(id) {
            Some(task) if task.file().is_none() => task.saving = Saving::default(),
            _ => self.save_step(id, saving::Event::Moved { touched_s, has_other_journal }),
        }
    }

    /// Where a zone's journal is: its path, and how often the working directory has changed, which that may follow.
    pub(super) fn journal_place(&self, id: ZoneId) -> (Option<PathBuf>, u64) {
        let path = self.zones.get(id).and_then(|task| journals::path(&task.conf));
        (path, self.refreshing.directories)
    }

    /// Writes what was kept in a journal that was there, if it is elsewhere now. Not over another file that the zone
    /// was given meanwhile.
    pub(super) fn follow_journal(&mut self, id: ZoneId, before: &(Option<PathBuf>, u64)) {
        let (path, directories) = self.journal_place(id);
        let is_elsewhere =
            |task: &ZoneTask| path != before.0 || (directories != before.1 && journals::has_relative_path(&task.conf));
        let is_moved = |task: &ZoneTask| task.is_dynamic() && task.has_own_sources() && is_elsewhere(task);
        if self.zones.get(id).is_some_and(is_moved) {
            self.write_elsewhere(id, None, true);
        }
    }

    /// When a primary has vouched for what is served, which its expiry shows where the copy is gone.
    fn vouched_s(&self, id: ZoneId) -> Option<u64> {
        let task = self.zones.get(id)?;
        let expires_s = task.refresh.as_ref()?.expires_s()?;
        let expire_s = task.served.version()?.soa()?.expire;
        Some(expires_s.saturating_sub(expire_s.into()))
    }

    /// Whether to named it is another zone. A secondary's contents only move to another file, where named fetches
    /// them anew.
    fn is_another(&self, key: &ZoneKey, zone: &Zone, change: &ZoneChange) -> bool {
        let task = self.zones.id(key).and_then(|id| self.zones.get(id));
        let has_other_file = |task: &ZoneTask| !task.is_secondary() && !zone.has_file_of(&task.conf);
        change.source == Source::OtherRole || task.is_some_and(has_other_file)
    }

    /// The configuration has a zone no longer.
    pub(super) fn say_removed(&self, key: &ZoneKey) {
        let Some(task) = self.zones.id(key).and_then(|id| self.zones.get(id)) else { return };
        let role = if task.is_secondary() { "secondary" } else { "primary" };
        log!(Category::General, Severity::Info, "{}({role}) removed", ZonePrefix(task.log_name()));
    }

    /// Drops a zone; its files stay.
    pub(super) fn drop_zone(&mut self, key: &ZoneKey) {
        // Its contents go with the snapshot that still shows it.
        if let Some((id, task)) = self.zones.remove(key) {
            if task.loading != Loading::Idle {
                self.loader.forget(id);
            }
            self.refreshing.forget(id);
            self.forget_updates(id);
            self.notifying.forget(id);
            self.catalogs.forget(id);
            self.troubles.forget_zone(id);
        }
    }
}

#[cfg(test)]
impl Core {
    /// Carries out what leads to a configuration, as a reload does once it is read.
    pub(super) fn adopt(&mut self, config: Config) {
        let plan = Plan::between(&self.config, &config);
        self.carry_out(plan, Arc::new(config));
    }
}

#[cfg(test)]
mod tests;
