//! The control side of the server: one task that owns everything that changes, and takes one event at a time.
//!
//! Commands, signals, loaded zones, timers, NOTIFYs and what transfers bring all arrive here as [`Event`]s; nothing
//! else publishes a zone or a snapshot. So there are no locks, and the order of things (check, durable, publish,
//! notify) can be read off the code. What takes time is done elsewhere: files by the [`Loader`], exchanges with other
//! servers by tasks.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, SystemTime};

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender};
use tokio::sync::oneshot;

use super::access::{Host, Policies};
use super::catalogs::{Catalogs, Reading};
use super::commands::Desk;
use super::connectors::Connectors;
use super::control::{Command, Reply};
use super::controls::Controls;
use super::copies::Copies;
use super::heartbeat::Heartbeat;
use super::limiting::{Row, Rows};
use super::listening::Listening;
use super::load::Loader;
use super::logging::{Category, Severity, log};
use super::notifying::Notifying;
use super::plan::ZoneKey;
use super::process::PidFile;
use super::progress::Progress;
use super::reconfiguring::{Read, Reconfiguring, Touched};
use super::refreshing::Refreshing;
use super::session_key::SessionKey;
use super::shared::{Retired, Shared};
use super::start::StartOptions;
use super::troubles::Troubles;
use super::updating::Updating;
use super::watch::FileWatch;
use super::worker::TcpService;
use super::zones::{ZoneId, Zones};
use super::{listening, process, snapshot, systemd};
use crate::answer::Snapshot;
use crate::answer::counters::Counters;
use crate::answer::table::ZoneTable;
use crate::conf::config::{Config, View};

/// What the control side is told.
pub(super) enum Event {
    /// Files of zones have been read.
    Loaded,
    /// The files of primary zones have been looked at: these changed.
    Changed(Vec<ZoneId>),
    /// The configuration has been read; none: the reading broke off.
    Configured(Box<Option<Read>>),
    /// `rndc` asks for something.
    Command(Command, oneshot::Sender<Reply>),
    /// SIGHUP.
    Hangup,
    /// SIGTERM or SIGINT.
    Terminate,
    /// Somebody asks for a zone that has not been read yet.
    Awaited(ZoneId),
    /// A NOTIFY that was answered by a worker.
    Notified(super::worker::Notified),
    /// What an exchange with another server has brought a secondary zone.
    Refresh(super::refreshing::Brought),
    /// What an exchange with another server has brought a NOTIFY of ours.
    Notify(super::notifying::Brought),
    /// An update that a worker has let through.
    Update(Box<super::updating::Requested>),
    /// What has become of one.
    UpdateEnded(Box<super::updating::Ended>),
    /// The host's addresses may have changed.
    Interfaces,
    /// Files of these names were changed in a directory with zone files.
    Files(BTreeSet<OsString>),
    /// Answers of some kind are over a limit.
    Limited(Row),
    /// Updates of a zone have been made; none: the work broke off.
    Updated(ZoneId, Box<Option<super::updating::Worked>>),
    /// A version of a catalog zone has been read; none: the reading broke off.
    Catalog(ZoneKey, Box<Option<Reading>>),
}

/// The control side's state.
pub(super) struct Core {
    pub(super) options: StartOptions,
    pub(super) config: Arc<Config>,
    pub(super) conf_path: PathBuf,
    pub(super) shared: Arc<Shared>,
    /// What the control side counts: what it asks and tells other servers.
    pub(super) counters: Arc<Counters>,
    pub(super) identity: snapshot::Server,
    pub(super) session_key: Option<SessionKey>,
    pub(super) host: Host,
    pub(super) zones: Zones,
    pub(super) loader: Loader,
    pub(super) copies: Copies,
    pub(super) listening: Listening,
    pub(super) connectors: Connectors,
    pub(super) controls: Controls,
    pub(super) service: Arc<TcpService>,
    pub(super) desk: Arc<Desk>,
    pub(super) refreshing: Refreshing,
    pub(super) notifying: Notifying,
    pub(super) heartbeat: Heartbeat,
    pub(super) catalogs: Catalogs,
    pub(super) updating: Updating,
    /// Rows of answers over a rate limit.
    pub(super) rows: Rows,
    pub(super) watch: Option<FileWatch>,
    pub(super) events: UnboundedSender<Event>,
    pub(super) reconfiguring: Reconfiguring,
    /// What of the configuration is not in force.
    pub(super) troubles: Troubles,
    pub(super) pid_file: Option<PidFile>,
    /// How many zones are being read since the last time that all were.
    pub(super) loads_open: usize,
    pub(super) progress: Progress,
    /// What is said when all of them have been read.
    pub(super) after_loads: AfterLoads,
    pub(super) booted: SystemTime,
    pub(super) last_configured: SystemTime,
    pub(super) last_reload_failed: bool,
    pub(super) is_stopping: bool,
}

/// What is said once all zones have been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum AfterLoads {
    /// Nothing: single zones only.
    Nothing,
    /// That all zones are loaded: start and reload.
    All,
    /// That new zones are loaded: reconfig.
    New,
}

impl Core {
    /// Works until told to stop.
    pub(super) async fn run(&mut self, events: &mut UnboundedReceiver<Event>) {
        while !self.is_stopping {
            let deadline = self.next_deadline();
            tokio::select! {
                event = events.recv() => match event {
                    Some(event) => self.handle(event),
                    None => return,
                },
                () = until(deadline) => self.run_timers(),
            }
            let is_crowded = self.refreshing.under_way() >= MANY;
            if is_crowded || self.refreshing.deferred() > 0 {
                self.refreshing.note_crowd();
            }
            if self.loads_open >= MANY || is_crowded {
                // To wake up for each zone by itself would cost as much as to read or transfer it.
                tokio::time::sleep(BETWEEN).await;
                self.catch_up(events);
            }
        }
    }

    /// Takes what has come meanwhile.
    fn catch_up(&mut self, events: &mut UnboundedReceiver<Event>) {
        for _ in 0..events.len() {
            if let Ok(event) = events.try_recv() {
                self.handle(event);
            }
        }
    }

    pub(super) fn handle(&mut self, event: Event) {
        match event {
            Event::Loaded => self.take_outcomes(),
            Event::Changed(zones) => self.files_looked_at(&zones),
            Event::Configured(read) => self.configured(*read),
            Event::Command(command, reply) => self.command(&command, reply),
            Event::Hangup => self.hangup(),
            Event::Terminate => self.is_stopping = true,
            Event::Awaited(id) => self.loader.hurry(id),
            Event::Notified(notified) => self.notified(&notified),
            Event::Refresh(brought) => self.refresh_brought(brought),
            Event::Notify(brought) => self.notify_brought(brought),
            Event::Update(requested) => self.update(*requested),
            Event::UpdateEnded(ended) => self.update_ended(&ended),
            Event::Interfaces => self.listening.scan_soon(),
            Event::Files(names) => self.files_changed(&names),
            Event::Limited(row) => self.limited(row),
            Event::Updated(id, worked) => self.updated(id, *worked),
            Event::Catalog(key, reading) => self.catalog_read(&key, *reading),
        }
    }

    fn next_deadline(&mut self) -> Option<Instant> {
        let deadlines = [
            self.refreshing.next_deadline(),
            self.notifying.next_deadline(),
            self.catalogs.next_deadline(),
            self.listening.next_scan(),
            self.rows.next_deadline(),
            self.progress.next_deadline(),
            self.heartbeat.next_deadline(),
        ];
        deadlines.into_iter().flatten().min()
    }

    fn run_timers(&mut self) {
        let now = Instant::now();
        self.run_refreshing();
        self.run_saving();
        self.run_notifying();
        self.run_catalogs(now);
        self.run_limiting();
        self.run_progress(now);
        self.run_heartbeat(now);
        if self.listening.next_scan().is_some_and(|at| at <= now) {
            self.rescan_interfaces();
        }
    }
}

/// What workers see.
impl Core {
    /// Compiles the lists anew that follow the host's addresses, which have changed.
    pub(super) fn recompile_access(&mut self) {
        let host = self.host.clone();
        let mut policies = Policies::new(&host);
        for (_, task) in self.zones.iter_mut() {
            if policies.follow_host(&task.conf) {
                task.served = Arc::new(task.served.with_policy(policies.of(&task.conf)));
            }
        }
        self.publish_snapshot(&Touched::All);
    }

    /// Shows the workers the zones and settings of this moment. Views none of whose zones is touched keep their table.
    pub(super) fn publish_snapshot(&self, touched: &Touched) {
        let before = self.shared.snapshot.load_full();
        let table = |view: &View| self.zone_table(view, &before, touched);
        let new = Arc::new(snapshot::build(&self.config, &self.identity, &self.host, &before, table));
        self.shared.retire(Retired::Snapshot(self.shared.snapshot.swap(new)));
    }

    fn zone_table(&self, view: &View, before: &Snapshot, touched: &Touched) -> Arc<ZoneTable> {
        let served = |key: &ZoneKey| self.zones.id(key).and_then(|id| self.zones.get(id)).map(|task| &task.served);
        let table = before.views.iter().find(|before| *before.name == *view.name).map(|before| &before.zones);
        let (Touched::Zones(touched), Some(table)) = (touched, table) else {
            let members = self.catalogs.members_of(&view.name).filter_map(|id| self.zones.get(id));
            let members = members.map(|task| Arc::clone(&task.served));
            return Arc::new(snapshot::zone_table(view, |key| served(key).cloned(), members));
        };
        match touched.get(view.name.as_str()) {
            None => Arc::clone(table),
            Some(keys) => Arc::new(table.with(keys.iter().map(|key| (key.apex.as_ref(), served(key).cloned())))),
        }
    }
}

/// The world outside: addresses, logs, the service manager.
impl Core {
    /// Makes limits, control channels and watches follow the configuration now in force.
    pub(super) fn follow_settings(&mut self) {
        let options = &self.config.options;
        self.shared.transfers_out.set_limit(options.transfers_out as usize);
        self.shared.updates.set_limit(options.update_quota as usize);
        self.shared.transfer_message_size.store(usize::from(options.transfer_message_size), Ordering::Relaxed);
        self.heartbeat.configure(options.heartbeat_interval, Instant::now());
        let failed = self.controls.follow(&self.config, &self.conf_path, &self.host, &self.desk);
        self.troubles.set_controls(failed);
        self.follow_files();
    }

    /// Looks at the host's addresses and follows them.
    pub(super) fn rescan_interfaces(&mut self) {
        match listening::survey() {
            Ok((host, addresses)) => {
                if host != self.host {
                    self.host = host;
                    self.recompile_access();
                }
                let failed = self.listening.follow(&self.config.options, &self.host, &addresses, &self.service);
                self.troubles.set_listeners(failed);
            }
            Err(error) => {
                log!(Category::Network, Severity::Error, "interfaces can't be scanned: {error}");
                self.listening.schedule_scan();
            }
        }
    }

    /// Watches the directories of the files that there are now, if files are watched.
    pub(super) fn follow_files(&mut self) {
        if let Some(mut watch) = self.watch.take() {
            watch.follow(self.primary_files());
            self.watch = Some(watch);
        }
    }

    /// Tells those who wait for it that all zones are loaded.
    pub(super) fn say_ready(&self) {
        systemd::ready();
        if process::is_in_background()
            && let Err(error) = process::tell_started()
        {
            log!(Category::General, Severity::Error, "the starting process can't be told: {error}");
        }
    }

    /// Ends what is seen from outside.
    pub(super) fn shut_down(&mut self) {
        systemd::stopping();
        log!(Category::General, Severity::Info, "shutting down");
        self.end_limiting();
        self.listening.close_all();
        self.controls.close();
    }
}

/// With so many zones yet to be read, or exchanges with primaries under way, events are taken several at a time,
const MANY: usize = 64;
/// so far apart.
const BETWEEN: Duration = Duration::from_millis(1);

async fn until(deadline: Option<Instant>) {
    match deadline {
        Some(at) => tokio::time::sleep_until(at.into()).await,
        None => std::future::pending().await,
    }
}
