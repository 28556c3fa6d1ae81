//! Telling others of new versions: the control side of outgoing NOTIFY.
//!
//! [`crate::transfer::notify`] says whom and how often; here names are resolved, messages sent within the rates, and
//! answers told. At most one NOTIFY for a zone is under way to one addressee, who may be told under several keys at one
//! address: a newer version takes the place of an older.

use std::collections::hash_map::Entry;
use std::collections::{BTreeMap, HashMap};
use std::io;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::{Duration, Instant};

use tokio::sync::Semaphore;

use super::control::listener::io_text;
use super::core::{Core, Event};
use super::exchange::{DATAGRAM_TIMEOUT, MessageIds, UNANSWERED_DATAGRAMS, ask_tcp, spawn_told};
use super::gate::{Doors, Gate};
use super::logging::line::ZonePrefix;
use super::logging::{Category, Severity, log};
use super::peers::Peers;
use super::timers::Timers;
use super::worker::unix_now_s;
use super::zones::{ZoneId, ZoneTask};
use crate::answer::Snapshot;
use crate::answer::counters::Counter;
use crate::conf::config::{self, Options, Remote};
use crate::dns::suffix::Suffixes;
use crate::dns::tsig::Chain;
use crate::dns::{Class, Name, NameRef, Rcode, Rtype, Serial};
use crate::net::exchange::{ExchangeError, Secure, ask_udp};
use crate::transfer::message::{self, Ask};
use crate::transfer::notify::{self, Delay, Mode, Next, Notification, Policy, Target};
use crate::transfer::peer::Peer;
use crate::transfer::rate::Pacer;
use crate::zone::Match;

/// A zone and who is told of it: one address with several keys is as many addressees, as with named.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Addressee {
    zone: ZoneId,
    address: SocketAddr,
    key: Option<Name>,
    tls: Option<Arc<str>>,
}

impl Addressee {
    fn new(zone: ZoneId, peer: &Peer) -> Self {
        let key = peer.key.as_ref().map(|key| key.name.clone());
        Self { zone, address: peer.address, key, tls: peer.tls.clone() }
    }

    /// Before all others of a zone.
    fn first(zone: ZoneId) -> Self {
        Self { zone, address: SocketAddr::from(([0; 4], 0)), key: None, tls: None }
    }
}

/// What the world has brought about a NOTIFY.
pub(super) enum Brought {
    /// The addresses of a name server.
    Addresses(Name, Vec<IpAddr>),
    /// What came of one message.
    Reply {
        /// Who was told.
        to: Addressee,
        /// Of which version.
        serial: Serial,
        /// How it went.
        outcome: Outcome,
    },
}

/// What came of one message.
pub(super) enum Outcome {
    /// An answer.
    Answered(Rcode),
    /// None in time.
    TimedOut,
    /// It could not be sent, or the answer cannot be trusted.
    Failed(String),
}

/// NOTIFYs to be sent and under way.
pub(super) struct Notifying {
    delays: HashMap<ZoneId, Delay>,
    due: Timers<ZoneId, u64>,
    open: BTreeMap<Addressee, Open>,
    changes: Pacer<Addressee>,
    at_start: Pacer<Addressee>,
    /// To where others take datagrams.
    doors: Doors<SocketAddr>,
    /// Names that are being looked up, and the zones that wait for each. Most zones of a server name the same few.
    resolving: HashMap<Name, BTreeMap<ZoneId, Occasion>>,
    /// The resolver's threads are those that write zones to disk, so it may not have all of them.
    lookups: Arc<Semaphore>,
    message_ids: MessageIds,
    epoch: Instant,
}

/// Why a NOTIFY is sent; the more urgent is the greater.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Occasion {
    /// The zone was loaded for the first time, as many others may have been.
    Start,
    /// There is a new version.
    Change,
}

struct Open {
    notification: Notification,
    serial: Serial,
}

impl Notifying {
    /// Nothing to tell yet.
    pub(super) fn new(options: &Options) -> Self {
        Self {
            delays: HashMap::new(),
            due: Timers::default(),
            open: BTreeMap::new(),
            changes: Pacer::new(options.notify_rate),
            at_start: Pacer::new(options.startup_notify_rate),
            doors: Doors::new(UNANSWERED_DATAGRAMS),
            resolving: HashMap::new(),
            lookups: Arc::new(Semaphore::new(MAX_LOOKUPS)),
            message_ids: MessageIds::new(),
            epoch: Instant::now(),
        }
    }

    /// Takes over the rates of a new configuration.
    pub(super) fn configure(&mut self, options: &Options) {
        self.changes.set_rate(options.notify_rate);
        self.at_start.set_rate(options.startup_notify_rate);
    }

    /// Forgets a zone.
    pub(super) fn forget(&mut self, id: ZoneId) {
        self.delays.remove(&id);
        self.due.clear(id);
        let from_first = self.open.range(Addressee::first(id)..);
        for to in from_first.map(|(to, _)| to.clone()).take_while(|to| to.zone == id).collect::<Vec<_>>() {
            self.open.remove(&to);
            self.changes.remove(&to);
            self.at_start.remove(&to);
        }
    }

    /// When there is something to do without an event.
    pub(super) fn next_deadline(&mut self) -> Option<Instant> {
        let due = self.due.next_deadline().map(|at_s| self.epoch + Duration::from_secs(at_s));
        let paced = [self.changes.next_ms(), self.at_start.next_ms()].into_iter().flatten().min();
        let paced = paced.map(|at_ms| self.epoch + Duration::from_millis(at_ms));
        due.into_iter().chain(paced).min()
    }

    /// Whether a change of the zone is to be announced now. Nothing stays of one that was `delay_s` ago: of very many
    /// zones that change at once it would be megabytes.
    fn take_due(&mut self, id: ZoneId, delay_s: u64, now_s: u64) -> bool {
        let Some(delay) = self.delays.get_mut(&id) else { return false };
        let is_due = delay.take_due(now_s);
        match delay.due_s().or_else(|| delay.ends_s(delay_s)).filter(|next_s| *next_s > now_s) {
            Some(next_s) => self.due.set(id, next_s),
            None => drop(self.delays.remove(&id)),
        }
        if self.delays.is_empty() {
            self.delays.shrink_to_fit();
        }
        is_due
    }

    /// Seconds since the start: `notify-delay` is to hold whatever becomes of the wall clock.
    fn now_s(&self) -> u64 {
        self.epoch.elapsed().as_secs()
    }

    fn now_ms(&self) -> u64 {
        u64::try_from(self.epoch.elapsed().as_millis()).unwrap_or(u64::MAX)
    }

    /// Takes the next message whose turn it is.
    fn pop(&mut self) -> Option<Addressee> {
        let now_ms = self.now_ms();
        self.changes.pop(now_ms).or_else(|| self.at_start.pop(now_ms))
    }
}

impl Core {
    /// A zone has a new version: tells those who want to know, not more often than `notify-delay` allows.
    pub(super) fn announce(&mut self, id: ZoneId) {
        let defer = self.zones.get(id).map_or(Duration::ZERO, |task| task.conf.settings.notify_defer);
        self.announce_after(id, defer);
    }

    /// The same without `notify-defer`: somebody asks for it.
    pub(super) fn announce_now(&mut self, id: ZoneId) {
        self.announce_after(id, Duration::ZERO);
    }

    fn announce_after(&mut self, id: ZoneId, defer: Duration) {
        let Some(task) = self.zones.get(id) else { return };
        let delay_s = task.conf.settings.notify_delay.as_secs();
        let now_s = self.notifying.now_s();
        let due_s = self.notifying.delays.entry(id).or_default().changed(delay_s, defer.as_secs(), now_s);
        self.notifying.due.set(id, due_s);
        self.run_notifying();
    }

    /// A zone was loaded for the first time: others may have missed what happened while the server was down.
    pub(super) fn announce_at_start(&mut self, id: ZoneId) {
        match self.zones.get(id).map(|task| task.conf.settings.notify_defer) {
            Some(Duration::ZERO) => self.tell(id, Occasion::Start),
            _ => self.announce(id),
        }
    }

    /// Does what is due.
    pub(super) fn run_notifying(&mut self) {
        let now_s = self.notifying.now_s();
        while let Some(id) = self.notifying.due.due(now_s) {
            let delay = self.zones.get(id).map_or(Duration::ZERO, |task| task.conf.settings.notify_delay);
            if self.notifying.take_due(id, delay.as_secs(), now_s) {
                self.tell(id, Occasion::Change);
            }
        }
        while let Some(to) = self.notifying.pop() {
            self.send(&to);
        }
    }

    /// Queues a message to each target of a zone, or has its name resolved first.
    fn tell(&mut self, id: ZoneId, why: Occasion) {
        let Some(task) = self.zones.get(id) else { return };
        let Some(version) = task.served.version() else { return };
        let targets = notify::targets(&self.notify_policy(task), &version);
        if targets.is_empty() {
            return;
        }
        let (zone, serial) = (ZonePrefix(task.log_name()), version.serial());
        log!(Category::Notify, Severity::Info, "{zone}sending notifies (serial {serial})");
        for target in targets {
            match target {
                Target::Peer(peer) => self.queue(id, peer, why),
                Target::Name(name) => self.resolve(id, name, why),
            }
        }
    }

    fn notify_policy(&self, task: &ZoneTask) -> Policy {
        let settings = &task.conf.settings;
        let peers = Peers::new(&self.config, &task.view);
        let peer = |remote: &Remote| peers.notified(remote, settings);
        Policy {
            mode: match settings.notify {
                config::Notify::No => Mode::No,
                config::Notify::Yes => Mode::Yes,
                config::Notify::Explicit => Mode::Explicit,
                config::Notify::PrimaryOnly => Mode::PrimaryOnly,
            },
            also_notify: settings.also_notify.iter().map(peer).collect(),
            to_soa: settings.notify_to_soa,
            is_primary: !task.is_secondary(),
        }
    }

    /// Finds a name server's addresses: in zones of our own, else with the system's resolver.
    fn resolve(&mut self, id: ZoneId, name: Name, why: Occasion) {
        let Some(task) = self.zones.get(id) else { return };
        let snapshot = self.shared.snapshot.load();
        if let Some(addresses) = own_addresses(&snapshot, &task.view, name.as_ref()) {
            self.take_addresses(id, &addresses, why);
            return;
        }
        match self.notifying.resolving.entry(name.clone()) {
            Entry::Occupied(mut waiting) => {
                let occasion = waiting.get_mut().entry(id).or_insert(why);
                *occasion = why.max(*occasion);
            }
            Entry::Vacant(none) => {
                none.insert(BTreeMap::from([(id, why)]));
                let found = look_up(Arc::clone(&self.notifying.lookups), addresses(name.clone()));
                spawn_told(&self.events, found, |found| {
                    Event::Notify(Brought::Addresses(name, found.unwrap_or_default()))
                });
            }
        }
    }

    fn take_addresses(&mut self, id: ZoneId, addresses: &[IpAddr], why: Occasion) {
        let Some(task) = self.zones.get(id) else { return };
        let port = self.config.options.port;
        let peers = Peers::new(&self.config, &task.view);
        let addresses = addresses.iter().map(|address| SocketAddr::new(*address, port));
        let others = addresses.filter(|address| !self.listening.has(*address));
        let remotes = others.map(|address| Remote { address, key: None, tls: None });
        let peers: Vec<Peer> = remotes.map(|remote| peers.notified(&remote, &task.conf.settings)).collect();
        for peer in peers {
            self.queue(id, peer, why);
        }
        self.run_notifying();
    }

    fn queue(&mut self, id: ZoneId, peer: Peer, why: Occasion) {
        let Some(serial) = self.zones.get(id).and_then(ZoneTask::serial) else { return };
        let to = Addressee::new(id, &peer);
        self.notifying.open.insert(to.clone(), Open { notification: Notification::new(peer), serial });
        match why {
            Occasion::Start if self.notifying.changes.contains(&to) => {}
            Occasion::Start => self.notifying.at_start.push(to),
            Occasion::Change => {
                self.notifying.at_start.remove(&to);
                self.notifying.changes.push(to);
            }
        }
    }

    /// Sends the next message of a notification, or ends it.
    fn send(&mut self, to: &Addressee) {
        let id = self.notifying.message_ids.draw();
        let Some(task) = self.zones.get(to.zone) else { return };
        let Some(open) = self.notifying.open.get_mut(to) else { return };
        let next = open.notification.send();
        if let Next::End(text) = next {
            log!(Category::Notify, Severity::Info, "{}{text}", ZonePrefix(task.log_name()));
            self.notifying.open.remove(to);
            return;
        }
        log!(Category::Notify, Severity::Debug(3), "{}{}", ZonePrefix(task.log_name()), open.notification.sending());
        let Some(soa) = soa_of(task) else {
            // Expired meanwhile.
            self.notifying.open.remove(to);
            return;
        };
        let (apex, class, peer, serial) =
            (task.conf.apex.clone(), task.conf.class, open.notification.peer.clone(), open.serial);
        let is_first = open.notification.is_first();
        if is_first {
            self.counters.add_for(peer.address.ip(), [Counter::NotifyOutv4, Counter::NotifyOutv6]);
        }
        let tls = self.connectors.of(&self.config, &peer);
        let door = self.notifying.doors.to(peer.address);
        let to = to.clone();
        let message = async move { exchange((id, is_first), &apex, class, (&peer, tls.as_deref(), &door), &soa).await };
        spawn_told(&self.events, message, move |outcome| {
            let outcome = outcome.unwrap_or_else(|| Outcome::Failed("unexpected error".to_owned()));
            Event::Notify(Brought::Reply { to, serial, outcome })
        });
    }

    /// Something came of a message or a name.
    pub(super) fn notify_brought(&mut self, brought: Brought) {
        match brought {
            Brought::Addresses(name, addresses) => {
                for (id, why) in self.notifying.resolving.remove(&name).unwrap_or_default() {
                    self.take_addresses(id, &addresses, why);
                }
            }
            Brought::Reply { to, serial, outcome } => {
                if self.notifying.open.get(&to).is_some_and(|open| open.serial == serial) {
                    self.take_reply(&to, &outcome);
                }
            }
        }
    }

    fn take_reply(&mut self, to: &Addressee, outcome: &Outcome) {
        let Some(open) = self.notifying.open.get(to) else { return };
        let (next, is_fine) = match outcome {
            Outcome::TimedOut => return self.send(to),
            Outcome::Answered(rcode) => (open.notification.answered(*rcode), *rcode == Rcode::NOERROR),
            Outcome::Failed(reason) => (open.notification.failed(reason), false),
        };
        self.notifying.open.remove(to);
        let (Next::End(text), Some(task)) = (next, self.zones.get(to.zone)) else { return };
        let severity = if is_fine { Severity::Debug(3) } else { Severity::Info };
        log!(Category::Notify, severity, "{}{text}", ZonePrefix(task.log_name()));
    }
}

/// The data of the SOA record that is served.
fn soa_of(task: &ZoneTask) -> Option<Vec<u8>> {
    task.served.version()?.soa_record().map(|(_, soa)| soa.to_vec())
}

/// What the system's resolver says of a name.
async fn addresses(name: Name) -> io::Result<Vec<IpAddr>> {
    let found = tokio::net::lookup_host(format!("{}:0", crate::dns::name::NoDot(name.as_ref()))).await?;
    Ok(found.map(|address| address.ip()).collect())
}

/// Waits for a look-up as long as named would. A name that is not found by then gets no NOTIFY, as with named; the
/// thread that still looks for it keeps its permit.
async fn look_up(
    lookups: Arc<Semaphore>,
    lookup: impl Future<Output = io::Result<Vec<IpAddr>>> + Send + 'static,
) -> Vec<IpAddr> {
    // Never closed, so there is a permit for everybody in turn.
    let permit = lookups.acquire_owned().await;
    let lookup = tokio::spawn(async move {
        let found = lookup.await;
        drop(permit);
        found
    });
    let found = tokio::time::timeout(LOOKUP_TIMEOUT, lookup).await;
    found.ok().and_then(Result::ok).and_then(Result::ok).unwrap_or_default()
}

async fn exchange(
    (id, is_first): (u16, bool),
    apex: &Name,
    class: Class,
    (peer, tls, door): (&Peer, Option<&Secure>, &Gate),
    soa: &[u8],
) -> Outcome {
    let mut query = match message::request(id, apex.as_ref(), class, Ask::Notify(soa), None) {
        Ok(query) => query,
        Err(error) => return Outcome::Failed(error.to_string()),
    };
    let mut chain = peer.key.as_deref().map(Chain::new);
    if let Some(chain) = &mut chain {
        message::sign(chain, &mut query, unix_now_s());
    }
    let is_answer = |bytes: &[u8]| message::answers(bytes, id);
    let answer = match peer.tcp_only {
        true => ask_tcp(&query, peer, tls, TIMEOUT).await,
        false => {
            let limits: &[Duration] = if is_first { &FIRST_TIMEOUTS } else { &[TIMEOUT] };
            let ask = || ask_udp(&query, peer.address, Some(peer.source), limits, is_answer);
            door.inside(DATAGRAM_TIMEOUT, ask).await
        }
    };
    match answer {
        Ok(answer) => match message::read_notify_reply(&answer, chain.as_mut(), unix_now_s()) {
            Ok(rcode) => Outcome::Answered(rcode),
            Err(error) => Outcome::Failed(error.to_string()),
        },
        Err(ExchangeError::TimedOut) => Outcome::TimedOut,
        // Nobody listens there yet: that may change, as with an answer that does not come.
        Err(ExchangeError::Io(error)) if error.kind() == io::ErrorKind::ConnectionRefused => {
            tokio::time::sleep(TIMEOUT).await;
            Outcome::TimedOut
        }
        Err(ExchangeError::Io(error)) => Outcome::Failed(io_text(&error)),
        Err(error) => Outcome::Failed(error.to_string()),
    }
}

/// A name's addresses if it is within a zone of the view; none: others have to be asked.
fn own_addresses(snapshot: &Snapshot, view: &str, name: NameRef<'_>) -> Option<Vec<IpAddr>> {
    let view = snapshot.views.iter().find(|each| &*each.name == view)?;
    let mut suffixes = Suffixes::default();
    let zone = view.zones.find(name, &mut suffixes)?;
    let version = zone.version()?;
    let found = version.find(name);
    let node = match (found.matched, found.cut) {
        // Glue below a cut is as good as what the child says.
        (Match::Node(node), _) => node,
        (_, Some(_)) => return None,
        _ => return Some(vec![]),
    };
    let v4 = node.rrset(Rtype::A).into_iter().flat_map(|rrset| rrset.rdatas());
    let v4 = v4.filter_map(|rdata| <[u8; 4]>::try_from(rdata).ok()).map(IpAddr::from);
    let v6 = node.rrset(Rtype::AAAA).into_iter().flat_map(|rrset| rrset.rdatas());
    let v6 = v6.filter_map(|rdata| <[u8; 16]>::try_from(rdata).ok()).map(IpAddr::from);
    Some(v4.chain(v6).collect())
}

/// How many names are looked up at once.
const MAX_LOOKUPS: usize = 16;
/// How long one is waited for: named's `resolver-query-timeout`.
const LOOKUP_TIMEOUT: Duration = Duration::from_secs(10);
const TIMEOUT: Duration = Duration::from_secs(notify::TIMEOUT_S);
/// A datagram that a full socket lost should not cost five seconds: the first is sent once more after one of them.
const FIRST_TIMEOUTS: [Duration; 2] = [Duration::from_secs(1), Duration::from_secs(notify::TIMEOUT_S - 1)];

#[cfg(test)]
mod tests;
