//! Secondary zones on the control side: runs each zone's [`Refresh`] machine with the host's clock, network and disk.
//!
//! The machine decides; here its actions are carried out: SOA queries paced by `serial-query-rate`, transfers within
//! the quotas, timers, expiry, and the times of files.

use std::collections::{BTreeMap, HashMap};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant, UNIX_EPOCH};

use tokio::task::AbortHandle;

use super::asking::SoaQuery;
use super::core::{self, Core};
use super::exchange::{MessageIds, UNANSWERED_DATAGRAMS, spawn_told};
use super::gate::{Doors, Gate};
use super::incoming::{self, Arrived, Request};
use super::leave::Leave;
use super::load;
use super::logging::line::ZonePrefix;
use super::logging::{Category, Severity, log};
use super::peers::Peers;
use super::saving::{Saved, Turns};
use super::shared::Retired;
use super::timers::Timers;
use super::ways::Ways;
use super::worker::{Notified, unix_now_s, up_s};
use super::zones::{Loading, Origin, ZoneId, ZoneTask};
use crate::answer::counters::Counter;
use crate::answer::snapshot;
use crate::conf::config::{Config, Role, ZoneKind};
use crate::conf::guards::Guard;
use crate::dns::Serial;
use crate::transfer::guard::Guards;
use crate::transfer::message::Opt;
use crate::transfer::peer::{Peer, Unreachable};
use crate::transfer::quota::{Quota, Turn};
use crate::transfer::random::Random;
use crate::transfer::rate::Pacer;
use crate::transfer::refresh::{Action, Context, Event, Failure, Level, Refresh, Settings};
use crate::transfer::saving;
use crate::zone::ZoneVersion;
use crate::zone::copy::Durability;

/// What an exchange has brought a zone.
pub(super) struct Brought {
    /// The zone.
    pub(super) id: ZoneId,
    /// What it was.
    pub(super) what: Arrival,
}

/// See [`Brought`].
pub(super) enum Arrival {
    /// The answer to the SOA query of this number, or its absence.
    Soa(u64, Event),
    /// The end of a transfer.
    Transfer(Arrived),
    /// The end of an attempt to write a copy once more.
    Saved {
        /// The version that was to be written.
        version: Arc<ZoneVersion>,
        /// What came of it.
        saved: Saved,
    },
}

/// What the secondary zones share. What many of them may wait in at once takes no memory when they are through.
pub(super) struct Refreshing {
    timers: Timers<ZoneId, u64>,
    /// When copies are written once more.
    pub(super) saves: Timers<ZoneId, u64>,
    /// How often the working directory has changed, which relative names follow.
    pub(super) directories: u64,
    /// Those that are being written: a transfer of the zone waits for its turn.
    pub(super) saving: HashMap<ZoneId, Arc<Turns>>,
    /// To writing what transfers bring to disk.
    writers: Gate,
    /// To the primaries' listeners.
    doors: Doors<IpAddr>,
    queries: Pacer<ZoneId>,
    /// To where the primaries' datagrams are taken.
    asked: Doors<SocketAddr>,
    /// What is open to the primaries.
    ways: Ways,
    asks: BTreeMap<ZoneId, Ask>,
    /// How many were ever wanted.
    wanted: u64,
    /// The number of the one whose answer is being taken.
    answered: Option<u64>,
    asking: usize,
    quota: Quota<ZoneId>,
    transfers: BTreeMap<ZoneId, Transfer>,
    running: HashMap<ZoneId, Running>,
    /// What came for zones whose files are still being read.
    early: BTreeMap<ZoneId, Event>,
    unreachable: Unreachable,
    /// What the configuration says of secondaries, once for all of a kind and its guards; by the kind's address.
    settings: HashMap<(usize, Guards), (Arc<ZoneKind>, Arc<Settings>)>,
    random: Random,
    message_ids: MessageIds,
    epoch: Instant,
    /// When the wall clock was last looked at for what is due, and what it showed.
    looked_at: Instant,
    looked_at_s: u64,
    /// When the memory that a crowd of exchanges has left free is given back to the system.
    tidies_at: Option<Instant>,
}

/// A transfer that runs.
struct Running {
    task: AbortHandle,
    leave: Leave,
}

impl Running {
    fn end(&self) {
        self.task.abort();
        self.leave.take_away();
    }
}

/// A transfer that waits for its turn: from whom, the serial that must be surpassed, and whether the zone may shrink.
struct Transfer {
    primary: Arc<Peer>,
    have: Option<Serial>,
    may_shrink: bool,
}

/// A SOA query that waits for its turn.
struct Ask {
    number: u64,
    primary: Arc<Peer>,
    tcp: bool,
    opt: Option<Opt>,
}

impl Refreshing {
    /// Nothing to do yet.
    pub(super) fn new(config: &Config, seed: u64) -> Self {
        let options = &config.options;
        Self {
            timers: Timers::default(),
            saves: Timers::default(),
            directories: 0,
            saving: HashMap::new(),
            writers: Gate::new(WRITERS),
            doors: Doors::new(UNANSWERED),
            queries: Pacer::new(options.serial_query_rate),
            asked: Doors::new(UNANSWERED_DATAGRAMS),
            ways: Ways::default(),
            asks: BTreeMap::new(),
            wanted: 0,
            answered: None,
            asking: 0,
            quota: Quota::new(options.transfers_in as usize, options.transfers_per_ns as usize),
            transfers: BTreeMap::new(),
            running: HashMap::new(),
            early: BTreeMap::new(),
            unreachable: Unreachable::default(),
            settings: HashMap::new(),
            random: Random::new(seed),
            message_ids: MessageIds::new(),
            epoch: Instant::now(),
            looked_at: Instant::now(),
            looked_at_s: 0,
            tidies_at: None,
        }
    }

    /// Takes over the rates of a new configuration.
    pub(super) fn configure(&mut self, config: &Config) {
        let options = &config.options;
        self.settings.clear();
        self.queries.set_rate(options.serial_query_rate);
        self.quota.set_limits(options.transfers_in as usize, options.transfers_per_ns as usize);
    }

    /// Forgets a zone; what is under way for it comes to nothing.
    pub(super) fn forget(&mut self, id: ZoneId) {
        self.timers.clear(id);
        self.saves.clear(id);
        self.queries.remove(&id);
        self.asks.remove(&id);
        self.quota.finish(id);
        self.transfers.remove(&id);
        self.early.remove(&id);
        // Or they would write to the file of a zone that may be a primary by now.
        self.running.remove(&id).into_iter().for_each(|transfer| transfer.end());
        self.saving.remove(&id).into_iter().for_each(|turns| turns.leave.take_away());
    }

    /// What is under way for a secondary leaves its files alone: it has others now, and these may be another zone's.
    pub(super) fn leave_files(&self, id: ZoneId) {
        let transfer = self.running.get(&id).map(|transfer| &transfer.leave);
        let copy = self.saving.get(&id).map(|turns| &turns.leave);
        transfer.into_iter().chain(copy).for_each(Leave::take_away);
    }

    /// Keeps what came before a zone's file was read. Of several, a check makes up for all but a demand for a transfer.
    fn wait_for_load(&mut self, id: ZoneId, event: Event) {
        let kept = match (self.early.remove(&id), event) {
            (None, event) => event,
            (Some(Event::Retransfer), _) | (_, Event::Retransfer) => Event::Retransfer,
            (Some(_), _) => Event::Refresh,
        };
        self.early.insert(id, kept);
    }

    /// When there is something to do without an event.
    pub(super) fn next_deadline(&mut self) -> Option<Instant> {
        let now_s = unix_now_s();
        let save_s = self.saves.next_deadline().filter(|_| !self.is_saving_enough());
        let due_s = self.timers.next_deadline().into_iter().chain(save_s).min();
        let timer = due_s.map(|at_s| {
            // Timers are wall-clock times, to be looked at again when the clock may have been set.
            let due = Instant::now() + Duration::from_secs(at_s.saturating_sub(now_s)).min(LONGEST_SLEEP);
            due.min(self.looked_at + LONGEST_SLEEP)
        });
        let query = self.queries.next_ms().map(|at_ms| self.epoch + Duration::from_millis(at_ms));
        timer.into_iter().chain(query).chain(self.tidies_at).min()
    }

    /// The ID of another message.
    pub(super) fn draw_id(&mut self) -> u16 {
        self.message_ids.draw()
    }

    /// The source of chance.
    pub(super) fn random(&mut self) -> &mut Random {
        &mut self.random
    }

    /// Whether as many copies are being written once more as may be at a time.
    pub(super) fn is_saving_enough(&self) -> bool {
        self.saving.len() >= SAVERS
    }

    /// Transfers that run.
    pub(super) fn running(&self) -> usize {
        self.quota.running()
    }

    /// Transfers that wait for their turn.
    pub(super) fn deferred(&self) -> usize {
        self.quota.deferred()
    }

    /// Whether a transfer of this zone runs.
    pub(super) fn is_running(&self, id: ZoneId) -> bool {
        self.running.contains_key(&id)
    }

    /// SOA queries that are under way.
    pub(super) fn queries(&self) -> usize {
        self.asking
    }

    /// Exchanges that are under way.
    pub(super) fn under_way(&self) -> usize {
        self.asking.saturating_add(self.running())
    }

    /// Remembers that many exchanges are under way, or wait for their turn: what serves again is kept for them, and
    /// when that has been over for a while, their memory is given back.
    pub(super) fn note_crowd(&mut self) {
        self.tidies_at = Some(Instant::now() + CALM);
    }

    /// Whether there are or were many exchanges just now.
    fn is_crowded(&self) -> bool {
        self.tidies_at.is_some()
    }

    fn number(&mut self) -> u64 {
        self.wanted = self.wanted.wrapping_add(1);
        self.wanted
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }
}

/// What starts and drives the zones' machines.
impl Core {
    /// Starts a secondary zone without a copy. What it has of the zone whose place it took lives as long as if it came
    /// now, and whatever a primary has takes its place: named serves nothing until then.
    pub(super) fn start_refreshing(&mut self, id: ZoneId) {
        let inherited = self.zones.get(id).filter(|task| task.refresh.is_none()).and_then(|task| task.served.version());
        let Some(timers) = inherited.and_then(|version| version.soa().map(Into::into)) else {
            return self.begin_refreshing(id, Event::Missing);
        };
        self.begin_refreshing(id, Event::Loaded { timers, modified_s: Some(unix_now_s()) });
        self.step(id, Event::Retransfer, true);
    }

    /// Serves a secondary's copy from disk at once, unless it has expired, and starts to refresh it.
    pub(super) fn take_cache(&mut self, id: ZoneId, loaded: load::Loaded) {
        let Some(task) = self.zones.get_mut(id) else { return };
        if task.refresh.as_ref().is_some_and(|refresh| refresh.serial().is_some()) {
            // A transfer was faster.
            return self.shared.retire_version(Some(loaded.version));
        }
        let Some(timers) = loaded.version.soa().map(Into::into) else { return self.start_refreshing(id) };
        let touched = loaded.journal_modified.or_else(|| loaded.sources.first().and_then(|source| source.modified));
        let modified_s = touched.and_then(|at| at.duration_since(UNIX_EPOCH).ok()).map(|since| since.as_secs());
        if loaded.journal_modified.is_none() {
            task.saving.note_no_journal();
        }
        if loaded.is_doubtful {
            task.saving.note_stray_journal();
            task.served.set_stray_journal(true);
        }
        super::loading::log_loaded(task, &loaded.version);
        task.origin = Some(Origin::now(loaded.sources, &task.conf));
        self.begin_refreshing(id, Event::Loaded { timers, modified_s });
        self.publish_unless_expired(id, loaded.version);
        if loaded.is_doubtful {
            self.step(id, Event::Refresh, true);
        }
        self.announce_at_start(id);
        self.catalog_published(id);
    }

    fn publish_unless_expired(&mut self, id: ZoneId, version: Arc<ZoneVersion>) {
        let Some(task) = self.zones.get_mut(id) else { return };
        if task.refresh.as_ref().is_some_and(|refresh| refresh.serial().is_some()) {
            task.served.publish_found(version);
        }
    }

    fn begin_refreshing(&mut self, id: ZoneId, first: Event) {
        let settings = self.refresh_settings(id);
        let Some(task) = self.zones.get_mut(id) else { return };
        if matches!(&task.conf.role, Role::Secondary { primaries } if primaries.is_empty()) {
            let zone = ZonePrefix(task.log_name());
            log!(Category::General, Severity::Error, "{zone}cannot refresh: no primaries");
        }
        if task.refresh.is_none() {
            task.refresh = settings.map(|settings| Box::new(Refresh::new(settings)));
        }
        self.step(id, first, false);
        if let Some(event) = self.refreshing.early.remove(&id) {
            self.step(id, event, true);
        }
    }

    /// Gives a secondary the settings of the configuration now in force.
    pub(super) fn configure_refresh(&mut self, id: ZoneId) {
        let settings = self.refresh_settings(id);
        let refresh = self.zones.get_mut(id).and_then(|task| task.refresh.as_mut());
        if let (Some(settings), Some(refresh)) = (settings, refresh) {
            refresh.configure(settings);
            // By these, something else may be next.
            self.step(id, Event::Timer, false);
        }
    }

    /// A configuration was taken over: zones without a version are looked after as by named, which reads their files
    /// once more then: the operator may have put one in its place. No other secondary is checked: a line would be
    /// dialled, or thousands of primaries asked at once.
    pub(super) fn load_missing_copies(&mut self) {
        let is_unserved = |refresh: &Refresh| refresh.serial().is_none() && !refresh.is_busy();
        let is_missing =
            |task: &ZoneTask| task.loading == Loading::Idle && task.refresh.as_deref().is_some_and(is_unserved);
        let missing: Vec<_> = self.zones.iter().filter(|(_, task)| is_missing(task)).map(|(id, _)| id).collect();
        missing.into_iter().for_each(|id| self.load(id));
    }

    /// `dialup`: a heartbeat is the time at which the line is up.
    pub(super) fn refresh_at_heartbeat(&mut self, id: ZoneId, event: Event) {
        if self.zones.get(id).is_some_and(|task| task.refresh.is_some()) {
            self.step(id, event, false);
        }
    }

    /// The secondaries that are refreshed.
    pub(super) fn refreshed(&self) -> Vec<ZoneId> {
        self.zones.iter().filter(|(_, task)| task.refresh.is_some()).map(|(id, _)| id).collect()
    }

    fn refresh_settings(&mut self, id: ZoneId) -> Option<Arc<Settings>> {
        let task = self.zones.get(id)?;
        let kind = Arc::clone(&task.conf.kind);
        let key = (Arc::as_ptr(&kind).addr(), self.guards(task));
        if let Some((_, known)) = self.refreshing.settings.get(&key) {
            return Some(Arc::clone(known));
        }
        let settings = Arc::new(self.settings_of(id)?);
        if self.refreshing.settings.len() >= KINDS {
            self.refreshing.settings.retain(|_, (kind, _)| Arc::strong_count(kind) > 1);
        }
        self.refreshing.settings.insert(key, (kind, Arc::clone(&settings)));
        Some(settings)
    }

    fn settings_of(&self, id: ZoneId) -> Option<Settings> {
        let task = self.zones.get(id)?;
        let Role::Secondary { primaries } = &task.conf.role else { return None };
        let zone = &task.conf.settings;
        let peers = Peers::new(&self.config, &task.view);
        Some(Settings {
            primaries: primaries.iter().map(|remote| Arc::new(peers.primary(remote, zone))).collect(),
            refresh_s: zone.min_refresh_time.as_secs()..=zone.max_refresh_time.as_secs(),
            retry_s: zone.min_retry_time.as_secs()..=zone.max_retry_time.as_secs(),
            try_tcp_refresh: zone.try_tcp_refresh,
            guards: self.guards(task),
            multi_master: zone.multi_master,
            checks_when_due: zone.dialup.refreshes_when_due(),
        })
    }

    /// What a zone is guarded against: the guard file goes before the command line.
    fn guards(&self, task: &ZoneTask) -> Guards {
        let settings = self.config.guards.settings(&task.conf.apex, &task.view);
        settings.fold(self.options.guards, |guards, (guard, value)| match guard {
            Guard::Shrink => Guards { shrink_percent: value, ..guards },
            Guard::Grace => Guards { grace_s: value.map_or(0, u64::from), ..guards },
            Guard::Lower => Guards { lower_s: value.map(u64::from), ..guards },
        })
    }

    /// `rndc refresh`.
    pub(super) fn refresh_now(&mut self, id: ZoneId) {
        self.step(id, Event::Refresh, true);
    }

    /// `rndc retransfer`.
    pub(super) fn retransfer_now(&mut self, id: ZoneId) {
        self.step(id, Event::Retransfer, true);
    }

    fn step_all(&mut self, event: &Event) {
        for id in self.refreshed() {
            self.step(id, event.clone(), false);
        }
    }

    /// A NOTIFY came from somebody who may send one.
    pub(super) fn notified(&mut self, notified: &Notified) {
        self.shared.notifies_open.fetch_sub(1, Ordering::Relaxed);
        let Some(id) = self.zones.holder(&notified.zone).or_else(|| self.successor(&notified.zone)) else { return };
        self.step(id, Event::Notify { from: notified.from, serial: notified.serial.map(Serial) }, true);
    }

    /// The zone that took the place of one that is gone.
    fn successor(&self, gone: &snapshot::Zone) -> Option<ZoneId> {
        self.config.views.iter().find_map(|view| self.zones.named(gone.apex(), gone.class(), &view.name))
    }

    /// An exchange has ended. What it leads to comes before checks that have not begun: at most those under way wait
    /// in front of a NOTIFY.
    pub(super) fn refresh_brought(&mut self, brought: Brought) {
        let id = brought.id;
        match brought.what {
            Arrival::Soa(number, event) => {
                self.refreshing.asking = self.refreshing.asking.saturating_sub(1);
                self.refreshing.answered = Some(number);
                self.step(id, event, true);
                self.refreshing.answered = None;
            }
            Arrival::Transfer(arrived) => {
                self.refreshing.quota.finish(id);
                self.refreshing.running.remove(&id);
                match &arrived {
                    Arrived::New { .. } => self.counters.add(Counter::XfrSuccess),
                    Arrived::Failed(..) => self.counters.add(Counter::XfrFail),
                    Arrived::UpToDate => {}
                }
                let event = self.take_transfer(id, arrived);
                // What is due is begun to be written before the next transfer of the zone begins.
                self.run_saving();
                self.step(id, event, true);
                self.start_transfers();
            }
            Arrival::Saved { version, saved } => self.saved(id, &version, saved),
        }
    }

    /// Publishes a version that is checked, and durable if that is possible, and says what the machine is to be told.
    fn take_transfer(&mut self, id: ZoneId, arrived: Arrived) -> Event {
        let Some(task) = self.zones.get_mut(id) else { return Event::UpToDate };
        let Arrived::New { version, sources, durability, kept_s, report } = arrived else { return arrived.event() };
        let Some(timers) = version.soa().map(Into::into) else { return Event::UpToDate };
        task.origin = Some(Origin::now(sources, &task.conf));
        // The configuration may have moved the copy while the transfer ran, or may want another form of it.
        let is_in_place = task.has_own_sources()
            && report.has_form_of(&task.conf)
            && report.has_directory_of(&task.conf, self.refreshing.directories)
            && (durability == Durability::File || report.has_journal_of(&task.conf));
        let durability = if is_in_place { durability } else { Durability::None };
        report.say_success();
        task.refresh.iter_mut().for_each(|refresh| refresh.note_transfer(report.primary(), report.facts()));
        let served = Arc::clone(&task.served);
        // First, so that nobody is told of this version what a journal holds that leads to another one.
        self.save_step(id, saving::Event::Published { durability, kept_s });
        self.shared.retire_version(served.publish(Some(version)));
        self.announce(id);
        self.catalog_published(id);
        Event::Transferred(timers)
    }

    /// Does what is due.
    pub(super) fn run_refreshing(&mut self) {
        let now_s = unix_now_s();
        self.refreshing.looked_at = Instant::now();
        if now_s < std::mem::replace(&mut self.refreshing.looked_at_s, now_s) {
            // The clock was set back, and timers set by the old one may be far off.
            self.step_all(&Event::Timer);
            self.clock_set_back();
        }
        while let Some(id) = self.refreshing.timers.due(now_s) {
            self.step(id, Event::Timer, false);
        }
        self.send_queries();
        if self.refreshing.tidies_at.take_if(|at| *at <= Instant::now()).is_some() {
            self.refreshing.ways.close_spare();
            self.shared.retire(Retired::Scraps);
        }
    }

    /// Tells a zone's machine of an event and does what it says.
    fn step(&mut self, id: ZoneId, event: Event, is_urgent: bool) {
        let Some(task) = self.zones.get_mut(id) else { return };
        let Some(refresh) = task.refresh.as_mut() else { return self.refreshing.wait_for_load(id, event) };
        let Refreshing { random, unreachable, .. } = &mut self.refreshing;
        let actions = refresh.step(event, &mut Context { now_s: unix_now_s(), up_s: up_s(), random, unreachable });
        // Of a copy that is gone the time stays: it tells that the zone has expired.
        if let Some(at_s) = refresh.expires_s() {
            task.served.set_expiry(Some(at_s));
        }
        for action in actions {
            self.act(id, action, is_urgent);
        }
        self.send_queries();
        self.start_transfers();
    }

    fn act(&mut self, id: ZoneId, action: Action, is_urgent: bool) {
        let Some(task) = self.zones.get_mut(id) else { return };
        match action {
            Action::AskSoa { primary, tcp, opt } => {
                let number = self.refreshing.number();
                self.refreshing.asks.insert(id, Ask { number, primary, tcp, opt });
                if is_urgent {
                    self.refreshing.queries.push_urgent(id);
                } else {
                    self.refreshing.queries.push(id);
                }
            }
            Action::Transfer { primary, have, may_shrink, is_hurried } => {
                let address = primary.address.ip();
                let limit = Peers::new(&self.config, &task.view).transfers(address);
                // Many may be asked about faster than they are transferred, and in another order.
                let number = self.refreshing.answered.take().unwrap_or_else(|| self.refreshing.number());
                self.refreshing.quota.push(id, Turn { primary: address, limit, is_hurried, number });
                self.refreshing.transfers.insert(id, Transfer { primary, have, may_shrink });
            }
            Action::Timer(at_s) => self.refreshing.timers.set(id, at_s),
            Action::Expire => {
                let old = task.served.publish(None);
                self.shared.retire_version(old);
            }
            Action::Touch(at_s) => self.save_step(id, saving::Event::Confirmed(at_s)),
            Action::Log(level, text) => say(task, level, &text),
        }
    }

    /// Sends the SOA queries whose turn it is.
    fn send_queries(&mut self) {
        let now_ms = self.refreshing.now_ms();
        while let Some(id) = self.refreshing.queries.pop(now_ms) {
            let Some(ask) = self.refreshing.asks.remove(&id) else { continue };
            let Some(task) = self.zones.get(id) else { continue };
            self.refreshing.asking += 1;
            self.counters.add_for(ask.primary.address.ip(), [Counter::SOAOutv4, Counter::SOAOutv6]);
            let message_id = self.refreshing.draw_id();
            let (apex, class) = (task.conf.apex.clone(), task.conf.class);
            let tls = self.connectors.of(&self.config, &ask.primary);
            let Ask { number, primary, tcp, opt } = ask;
            let is_over_tcp = tcp || tls.is_some();
            let is_crowded = self.refreshing.is_crowded();
            let pipe = is_over_tcp.then(|| self.refreshing.ways.pipe(&primary, tls.as_ref()));
            let door = self.refreshing.asked.to(primary.address);
            let sockets = self.refreshing.ways.sockets(&primary, is_crowded);
            let query = SoaQuery { id: message_id, apex, class, primary, tls, opt, pipe, door, sockets };
            spawn_told(&self.events, query.ask(), move |event| {
                let what = Arrival::Soa(number, event.unwrap_or_else(|| Event::SoaFailed(UNEXPECTED.to_owned())));
                core::Event::Refresh(Brought { id, what })
            });
        }
    }

    /// Starts the transfers for which there is room. Primaries that others could not reach meanwhile are passed over.
    fn start_transfers(&mut self) {
        let mut passed_over = vec![];
        while let Some(id) = self.refreshing.quota.start() {
            let transfer = self.refreshing.transfers.remove(&id);
            let primary = transfer.as_ref().map(|transfer| &transfer.primary);
            if primary.is_some_and(|primary| self.refreshing.unreachable.contains(primary, up_s())) {
                self.refreshing.quota.finish(id);
                passed_over.push(id);
                continue;
            }
            match transfer.and_then(|transfer| self.request(id, transfer)) {
                Some(request) => self.start_transfer(id, request),
                None => self.refreshing.quota.finish(id),
            }
        }
        for id in passed_over {
            self.step(id, Event::PassedOver, true);
        }
    }

    fn request(&mut self, id: ZoneId, Transfer { primary, have, may_shrink }: Transfer) -> Option<Request> {
        let task = self.zones.get(id)?;
        let tls = self.connectors.of(&self.config, &primary);
        let is_crowded = self.refreshing.is_crowded();
        Some(Request {
            id: self.refreshing.draw_id(),
            door: self.refreshing.doors.to(primary.address.ip()),
            zone: task.conf.clone(),
            view: Arc::clone(&task.view),
            connections: self.refreshing.ways.connections(&primary, tls, is_crowded),
            primary,
            old: task.served.version(),
            is_durable: task.saving.is_durable(),
            have,
            asks_whole: false,
            idle_limit: self.config.options.tcp_idle_timeout,
            saving: self.refreshing.saving.get(&id).cloned(),
            writers: self.refreshing.writers.clone(),
            guards: task.guards().filter(|_| !may_shrink).unwrap_or_default(),
            file: task.file(),
            directories: self.refreshing.directories,
            copies: self.copies.clone(),
            leave: Leave::default(),
            counters: Arc::clone(&self.counters),
        })
    }

    fn start_transfer(&mut self, id: ZoneId, request: Request) {
        let leave = request.leave.clone();
        self.counters.add_for(request.primary.address.ip(), request.kind());
        let task = spawn_told(&self.events, incoming::transfer(request), move |arrived| {
            let broke_off = || Arrived::Failed(Failure::Other, UNEXPECTED.to_owned());
            let what = Arrival::Transfer(arrived.unwrap_or_else(broke_off));
            core::Event::Refresh(Brought { id, what })
        });
        self.refreshing.running.insert(id, Running { task, leave });
    }
}

fn say(task: &ZoneTask, level: Level, text: &str) {
    let zone = ZonePrefix(task.log_name());
    match level {
        Level::Debug => log!(Category::General, Severity::Debug(1), "{zone}{text}"),
        Level::Info => log!(Category::General, Severity::Info, "{zone}{text}"),
        Level::Warning => log!(Category::General, Severity::Warning, "{zone}{text}"),
        Level::Error => log!(Category::General, Severity::Error, "{zone}{text}"),
    }
}

/// The longest time without a look at the wall clock.
const LONGEST_SLEEP: Duration = Duration::from_secs(60);
/// How long after a crowd of exchanges its memory is given back.
const CALM: Duration = Duration::from_secs(1);
/// How many new connections may be without an answer of one primary: listeners of named and Knot have a queue of 10
/// for each thread, and connections that find no place there wait for a second or half a minute.
const UNANSWERED: usize = 10;
/// The settings of so many kinds of zones are kept whether there is such a zone or not.
const KINDS: usize = 1000;
/// How many transfers write to disk at a time.
const WRITERS: usize = 8;
/// And how many copies are written once more.
pub(super) const SAVERS: usize = 32;
/// What is said of a task that broke off; named has these words for what should not happen.
pub(super) const UNEXPECTED: &str = "unexpected error";

#[cfg(test)]
mod tests;
