//! One secondary zone's life: when it asks its primaries, whom, and when its copy expires (RFC 1034 section 4.3.5).
//!
//! Events go in with the time, [`Action`]s come out. At most one SOA query or transfer of a zone is under way, and each
//! is answered by exactly one event. What is not obvious: a check sets the next one at the *retry* interval as it
//! starts and moves it to the refresh interval as soon as one primary confirms the serial; the remaining primaries are
//! asked all the same. The expiry is kept on disk as the mtime of the zone's file, see [`Action::Touch`]. All as BIND
//! has it.

mod answers;
mod transfers;

use std::net::{IpAddr, SocketAddr};
use std::ops::RangeInclusive;
use std::sync::Arc;

use super::guard::Guards;
use super::message::{Opt, SoaReply};
use super::peer::{Peer, Unreachable};
use super::random::Random;
use super::standing::{Contact, LastTransfer, Standing, State, Unasked};
use crate::dns::Serial;
use crate::zone::Soa;

/// How long to wait for the answer to a SOA query, in seconds; the caller reports [`Event::SoaTimeout`] then.
pub const SOA_TIMEOUT_S: u64 = 5;
/// How often a SOA query is sent before something else is tried.
const SOA_TRIES: u32 = 3;
/// The longest expire interval: 24 weeks.
const MAX_EXPIRE_S: u32 = 14_515_200;
/// A zone that was never loaded tries again after this, then after twice as long,
const FIRST_RETRY_S: u32 = 60;
/// and so on up to this.
const LAST_RETRY_S: u32 = 6 * 3600;

/// What the configuration says of the zone.
#[derive(Debug, Clone)]
pub struct Settings {
    /// In the order of trial.
    pub primaries: Arc<[Arc<Peer>]>,
    /// `min-refresh-time` to `max-refresh-time`, in seconds.
    pub refresh_s: RangeInclusive<u64>,
    /// `min-retry-time` to `max-retry-time`, in seconds.
    pub retry_s: RangeInclusive<u64>,
    /// `try-tcp-refresh`.
    pub try_tcp_refresh: bool,
    /// `multi-master`: primaries may lag behind without a log line.
    pub multi_master: bool,
    /// Whether checks are made as they fall due; else only when somebody wants one (`dialup`).
    pub checks_when_due: bool,
    /// What BIND does not guard against.
    pub guards: Guards,
}

/// The serial and timers of a version, as its SOA record has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Timers {
    /// The serial.
    pub serial: Serial,
    /// REFRESH.
    pub refresh_s: u32,
    /// RETRY.
    pub retry_s: u32,
    /// EXPIRE.
    pub expire_s: u32,
}

impl From<Soa<'_>> for Timers {
    fn from(soa: Soa<'_>) -> Self {
        Self { serial: soa.serial, refresh_s: soa.refresh, retry_s: soa.retry, expire_s: soa.expire }
    }
}

/// What happened.
#[derive(Debug, Clone)]
pub enum Event {
    /// The zone was loaded from its file, last written or confirmed at `modified_s` (none: the file is gone already).
    Loaded {
        /// What the version says.
        timers: Timers,
        /// The mtime of the journal, else of the zone file.
        modified_s: Option<u64>,
    },
    /// There is no file, or none that can be used.
    Missing,
    /// The time last set by [`Action::Timer`] has come.
    Timer,
    /// A NOTIFY came, from an address that may send one.
    Notify {
        /// The sender.
        from: SocketAddr,
        /// The serial of the SOA record in it.
        serial: Option<Serial>,
    },
    /// `rndc refresh`.
    Refresh,
    /// The line is up: a check that is due is made.
    LineUp,
    /// `rndc retransfer`: transfer whatever the serial.
    Retransfer,
    /// The SOA query was answered.
    SoaReply(SoaReply),
    /// It was not, in [`SOA_TIMEOUT_S`].
    SoaTimeout,
    /// It could not be sent or the peer refused the connection; why, in BIND's words.
    SoaFailed(String),
    /// A new version is on disk and published.
    Transferred(Timers),
    /// The primary answered the transfer request with the SOA record alone, or with the version that we have.
    UpToDate,
    /// The transfer's turn came, and the primary is known to be out of reach by now.
    PassedOver,
    /// The transfer came to nothing; why, in words.
    TransferFailed(Failure, String),
}

/// Why a transfer came to nothing, as far as it matters for what is next.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Failure {
    /// No connection, or it timed out.
    Unreachable,
    /// It took the connection at this time and then let the transfer wait in vain.
    Silent {
        /// By the clock that nobody sets.
        began_s: u64,
    },
    /// The zone is larger than allowed, and will be again.
    TooManyRecords,
    /// The version of this serial is smaller than the shrink guard allows.
    Shrunk(Serial),
    /// REFUSED, NOTAUTH, or a TSIG that one side does not accept.
    Refused,
    /// Anything else.
    Other,
}

/// What is to be done.
#[derive(Debug, Clone)]
pub enum Action {
    /// Send one SOA query, paced by `serial-query-rate`.
    AskSoa {
        /// Whom.
        primary: Arc<Peer>,
        /// TCP instead of UDP.
        tcp: bool,
        /// Its OPT record.
        opt: Option<Opt>,
    },
    /// Transfer the zone, as soon as the quotas allow.
    Transfer {
        /// From whom.
        primary: Arc<Peer>,
        /// The version to start from; none: the whole zone.
        have: Option<Serial>,
        /// Whether the zone may be as small as it likes: somebody asked for it.
        may_shrink: bool,
        /// Whether it goes ahead of those that routine checks lead to: a NOTIFY or somebody asked for it.
        is_hurried: bool,
    },
    /// Send [`Event::Timer`] once at this time, in place of one that was asked for before.
    Timer(u64),
    /// Stop serving the zone's contents; its file stays.
    Expire,
    /// Set the mtime of the zone's files, from which the expiry is counted.
    Touch(u64),
    /// Log this, with the zone in front.
    Log(Level, String),
}

/// How loud a log line is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Level {
    /// Debug 1.
    Debug,
    /// Worth a line.
    Info,
    /// Worth a look.
    Warning,
    /// Something has to be done.
    Error,
}

/// What a step may use.
#[derive(Debug)]
pub struct Context<'a> {
    /// Unix seconds.
    pub now_s: u64,
    /// Seconds by a clock that nobody sets.
    pub up_s: u64,
    /// Spreads the timers.
    pub random: &'a mut Random,
    /// Shared by all zones.
    pub unreachable: &'a mut Unreachable,
}

/// A secondary zone.
#[derive(Debug)]
pub struct Refresh {
    settings: Arc<Settings>,
    copy: Option<Held>,
    next_check_s: u64,
    /// What the retry interval is while there is no copy.
    backoff_s: u32,
    /// In a box, for most of the time there is none.
    walk: Option<Box<Walk>>,
    /// Somebody wanted a check during a check: check again after it.
    is_queued: bool,
    /// The newest serial that a NOTIFY told of since the last check began: check again unless that brings it.
    told: Option<Serial>,
    /// Why the next check transfers whatever the serial, if it does.
    forced: Option<Forced>,
    /// The lower serial that every primary has, and since when by the clock that nobody sets.
    lowered: Option<Box<(Serial, u64)>>,
    /// Whoever sent the last NOTIFY since the last check.
    notifier: Option<IpAddr>,
    /// The next check is made when it is due, even if others are not.
    is_wanted: bool,
    standing: Standing,
    actions: Vec<Action>,
}

// There may be very many. An allocator rounds up to 16 bytes.
#[cfg(target_pointer_width = "64")]
const _: () = assert!(size_of::<Refresh>() <= 248);

/// Why a transfer is made whatever the serial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Forced {
    /// Every primary has had the same lower serial for long enough. Later checks weigh that anew.
    Lowered,
    /// Somebody asked for it, which holds until it brings a version.
    Asked,
}

/// The version that is served, or would be.
#[derive(Debug, Clone, Copy)]
struct Held {
    serial: Serial,
    /// The intervals are within the limits of the configuration.
    refresh_s: u32,
    retry_s: u32,
    expire_s: u32,
    /// When it expires, as the time of its file has it.
    expires_s: u64,
    /// The same by the clock that nobody sets, from which on it is gone in any case.
    ends_up_s: u64,
    /// It is served though it has expired.
    is_past_expiry: bool,
    /// EXPIRE as the SOA record has it, without limits.
    stated_expire_s: u32,
}

impl Held {
    /// How long a copy just confirmed lives, by what the primary says of its own (RFC 7314): ours must not outlive it.
    /// One that has all of its life in front of it leaves ours within our limits.
    fn lives_s(&self, reported_s: Option<u32>) -> u64 {
        let reported_s = reported_s.filter(|reported_s| *reported_s < self.stated_expire_s);
        reported_s.map_or(self.expire_s, |reported_s| self.expire_s.min(reported_s)).into()
    }

    /// The same for one just transferred. It is there for its next check, and for one more: would it expire before, it
    /// would be transferred again at once, and again. BIND 9.18 goes by the SOA record alone.
    fn first_lives_s(&self, reported_s: Option<u32>) -> u64 {
        self.lives_s(reported_s).max(self.refresh_s.saturating_add(self.retry_s).min(self.expire_s).into())
    }

    /// It has so long to live from now on.
    fn live_for(&mut self, lives_s: u64, context: &Context<'_>) {
        self.expires_s = context.now_s.saturating_add(lives_s);
        self.ends_up_s = context.up_s.saturating_add(lives_s);
    }

    /// How long it has to live, if it may live so much longer than it should: no longer than any from now on, whatever
    /// the time of its file. Where that is ahead of ours it stays, for ours may be the clock that is wrong.
    fn left_s(&self, longer_s: u64, context: &Context<'_>) -> u64 {
        let until_s = |end_s: u64, now_s| end_s.saturating_add(longer_s).saturating_sub(now_s);
        until_s(self.expires_s, context.now_s).min(until_s(self.ends_up_s, context.up_s))
    }
}

/// A check under way: which primary is asked, and how.
#[derive(Debug)]
struct Walk {
    primaries: Arc<[Arc<Peer>]>,
    at: usize,
    opt: Option<Opt>,
    tcp: bool,
    tries: u32,
    is_transferring: bool,
    /// What was wrong with the copy when the check began.
    trouble: Option<State>,
    /// The primary being asked has no newer version.
    is_fine: bool,
    /// Those that came to nothing, to be asked from their other source when all have had their turn.
    again: Vec<Arc<Peer>>,
    told_of_lower: bool,
    forced: Option<Forced>,
    is_hurried: bool,
    /// The newest serial that a NOTIFY told of before it began.
    told: Option<Serial>,
    /// The serial in the answer of the primary being asked.
    announced: Option<Serial>,
    /// The EXPIRE option of the primary being asked.
    reported_expire_s: Option<u32>,
}

impl Refresh {
    /// A zone about which nothing is known yet; [`Event::Loaded`] or [`Event::Missing`] comes first.
    pub fn new(settings: impl Into<Arc<Settings>>) -> Self {
        Self {
            settings: settings.into(),
            copy: None,
            next_check_s: 0,
            backoff_s: FIRST_RETRY_S,
            walk: None,
            is_queued: false,
            told: None,
            forced: None,
            lowered: None,
            notifier: None,
            is_wanted: false,
            standing: Standing::default(),
            actions: Vec::new(),
        }
    }

    /// Takes over a new configuration. A check under way ends with the primaries it began with.
    pub fn configure(&mut self, settings: impl Into<Arc<Settings>>) {
        let settings = settings.into();
        if settings.guards != self.settings.guards {
            self.standing.release();
        }
        self.settings = settings;
        self.standing.keep_only(&self.settings.primaries);
    }

    /// Takes an event and says what is to be done about it.
    pub fn step(&mut self, event: Event, context: &mut Context<'_>) -> Vec<Action> {
        match event {
            Event::Loaded { timers, modified_s } => self.loaded(timers, modified_s, context),
            Event::Missing => self.next_check_s = context.now_s,
            Event::Timer => {}
            Event::Notify { from, serial } => self.notified(from, serial, context),
            Event::Refresh => self.want(context),
            Event::LineUp => self.is_wanted |= self.next_check_s <= context.now_s,
            Event::Retransfer => {
                self.forced = Some(Forced::Asked);
                self.want(context);
            }
            Event::SoaReply(reply) => self.soa_replied(&reply, context),
            Event::SoaTimeout => self.soa_timed_out(context),
            Event::SoaFailed(reason) => self.soa_failed(&reason, context),
            Event::Transferred(timers) => self.transferred(timers, context),
            Event::UpToDate => self.transfer_was_needless(context),
            Event::PassedOver => self.passed_over(context),
            Event::TransferFailed(failure, reason) => self.transfer_failed(failure, &reason, context),
        }
        self.check_clock(context);
        std::mem::take(&mut self.actions)
    }

    /// The serial of the copy; none if there is no copy or it expired.
    pub fn serial(&self) -> Option<Serial> {
        self.copy.map(|copy| copy.serial)
    }

    /// When the copy expires.
    pub fn expires_s(&self) -> Option<u64> {
        self.copy.map(|copy| copy.expires_s)
    }

    /// When the next check is due, if none is under way.
    pub fn next_check_s(&self) -> u64 {
        self.next_check_s
    }

    /// Whether a check or transfer is under way.
    pub fn is_busy(&self) -> bool {
        self.walk.is_some()
    }

    /// How the copy stands. A trouble lasts until a primary confirms the copy or the check that looks at it again ends.
    pub fn state(&self) -> State {
        if self.copy.is_some_and(|copy| copy.is_past_expiry) {
            return State::PastExpiry;
        }
        let told = self.standing.state(self.serial());
        let Some(walk) = self.walk.as_ref().filter(|_| self.copy.is_some()) else { return told };
        match walk.trouble {
            Some(trouble) => trouble,
            _ if walk.is_transferring => State::Transferring,
            _ if told == State::Behind => told,
            _ => State::Checking,
        }
    }

    /// What is known of its primaries.
    pub fn standing(&self) -> &Standing {
        &self.standing
    }

    /// Its primaries, each once, and what is known of those that were asked.
    pub fn primaries(&self) -> impl Iterator<Item = (SocketAddr, Option<&Contact>)> {
        let peers = &self.settings.primaries;
        let is_new = |at: usize, address| !peers.iter().take(at).any(|before| before.address == address);
        let addresses = peers.iter().map(|peer| peer.address).enumerate().filter(move |&(at, it)| is_new(at, it));
        addresses.map(|(_, address)| (address, self.standing.contact_of(address)))
    }

    /// What it is guarded against.
    pub fn guards(&self) -> Guards {
        self.settings.guards
    }

    /// Notes what the transfer just reported was like.
    pub fn note_transfer(&mut self, primary: SocketAddr, transfer: LastTransfer) {
        self.standing.transferred(primary, transfer);
    }

    /// Whether this address is one of the primaries', whatever the port: those may send NOTIFY.
    pub fn is_primary(&self, from: SocketAddr) -> bool {
        self.settings.primaries.iter().any(|peer| peer.address.ip() == from.ip())
    }

    fn log(&mut self, level: Level, text: String) {
        self.actions.push(Action::Log(level, text));
    }
}

/// The clock: what is due, and when to look again.
impl Refresh {
    fn check_clock(&mut self, context: &mut Context<'_>) {
        self.check_expiry(context);
        let is_due = self.next_check_s <= context.now_s || self.was_set_back(context.now_s);
        if self.walk.is_none() && is_due && self.may_check() {
            self.begin(context);
        }
        let check = (self.walk.is_none() && self.may_check()).then_some(self.next_check_s);
        let expiry = self.copy.as_ref().map(|copy| {
            let longer_s = if copy.is_past_expiry { self.settings.guards.grace_s } else { 0 };
            context.now_s.saturating_add(copy.left_s(longer_s, context))
        });
        let due = check.into_iter().chain(expiry).min();
        self.actions.extend(due.map(Action::Timer));
    }

    /// A copy that has expired goes, unless it has a time of grace; that is said, and shown as a state of its own.
    fn check_expiry(&mut self, context: &mut Context<'_>) {
        let grace_s = self.settings.guards.grace_s;
        let Some(copy) = &mut self.copy else { return };
        let left_s = copy.left_s(grace_s, context);
        if left_s == 0 {
            return self.expire(context);
        }
        let is_past_expiry = copy.left_s(0, context) == 0;
        let was_past = std::mem::replace(&mut copy.is_past_expiry, is_past_expiry);
        if is_past_expiry && !was_past {
            self.log(Level::Warning, format!("expired, and served for another {left_s} seconds of grace"));
        }
    }

    fn may_check(&self) -> bool {
        self.settings.checks_when_due || self.is_wanted
    }

    /// Whether the clock was set back since the next check was set: no check is ever set so far ahead. By that clock
    /// the copy would be stale for as long as the step was, and nobody would know.
    fn was_set_back(&self, now_s: u64) -> bool {
        let longest_s = match &self.copy {
            Some(copy) => copy.refresh_s.max(copy.retry_s).into(),
            None => u64::from(LAST_RETRY_S).max(*self.settings.refresh_s.start()),
        };
        self.next_check_s > now_s.saturating_add(longest_s)
    }

    fn expire(&mut self, context: &Context<'_>) {
        self.copy = None;
        self.standing.expired();
        self.backoff_s = FIRST_RETRY_S;
        self.next_check_s = context.now_s;
        self.log(Level::Warning, "expired".to_owned());
        self.actions.push(Action::Expire);
    }

    /// The first check after a load comes within the retry interval, spread more than later ones.
    fn loaded(&mut self, timers: Timers, modified_s: Option<u64>, context: &mut Context<'_>) {
        let mut copy = self.copy_of(timers);
        copy.live_for(if modified_s.is_some() { copy.expire_s } else { copy.retry_s }.into(), context);
        if let Some(modified_s) = modified_s {
            copy.expires_s = modified_s.saturating_add(copy.expire_s.into());
        }
        let retry_s = u64::from(copy.retry_s);
        let delay_s = context.random.jitter(retry_s, retry_s / 4 * 3);
        self.next_check_s = context.now_s.saturating_add(delay_s);
        self.standing.loaded();
        self.copy = Some(copy);
    }

    /// The timers within their limits.
    fn copy_of(&self, timers: Timers) -> Held {
        let refresh_s = clamp(timers.refresh_s, &self.settings.refresh_s);
        let retry_s = clamp(timers.retry_s, &self.settings.retry_s);
        let least_s = refresh_s.saturating_add(retry_s).min(MAX_EXPIRE_S);
        let expire_s = timers.expire_s.clamp(least_s, MAX_EXPIRE_S);
        let stated_expire_s = timers.expire_s;
        let (serial, expires_s, ends_up_s) = (timers.serial, 0, 0);
        Held { serial, refresh_s, retry_s, expire_s, expires_s, ends_up_s, is_past_expiry: false, stated_expire_s }
    }

    fn check_after(&mut self, interval_s: u64, context: &mut Context<'_>) {
        let delay_s = context.random.jitter(interval_s, interval_s / 4);
        // An interval of 0 would be due again before the clock moves on.
        self.next_check_s = context.now_s.saturating_add(delay_s.max(1));
    }
}

/// Walking the primaries.
impl Refresh {
    /// Checks now, or again after the check under way.
    fn want(&mut self, context: &mut Context<'_>) {
        if self.walk.is_some() {
            self.is_queued = true;
        } else {
            (self.next_check_s, self.is_wanted) = (context.now_s, true);
        }
    }

    /// Whether a version is newer than the copy.
    fn is_news(&self, serial: Serial) -> bool {
        self.serial().is_none_or(|has| serial.is_newer_than(has))
    }

    /// Notes what a NOTIFY has told. An older one that is late does not hide a newer.
    fn hear(&mut self, serial: Serial) {
        self.told = Some(self.told.filter(|told| told.is_newer_than(serial)).unwrap_or(serial));
    }

    fn begin(&mut self, context: &mut Context<'_>) {
        let retry_s = self.copy.map_or(self.backoff_s, |copy| copy.retry_s).into();
        self.check_after(retry_s, context);
        if self.copy.is_none() {
            self.backoff_s = self.backoff_s.saturating_mul(2).min(LAST_RETRY_S);
        }
        (self.is_queued, self.is_wanted) = (false, false);
        let trouble = Some(self.state()).filter(|state| *state != State::Current);
        if self.settings.primaries.is_empty() {
            return;
        }
        let is_hurried = self.notifier.is_some() || self.forced == Some(Forced::Asked);
        self.walk = Some(Box::new(Walk {
            primaries: self.in_turn(),
            at: 0,
            opt: None,
            tcp: false,
            tries: 0,
            is_transferring: false,
            trouble,
            is_fine: false,
            again: Vec::new(),
            told_of_lower: false,
            forced: self.forced.take(),
            is_hurried,
            told: self.told.take(),
            announced: None,
            reported_expire_s: None,
        }));
        self.approach(context);
    }

    /// The primaries as they are asked: whoever has sent a NOTIFY has the new version, others may lag behind. BIND
    /// begins with the first of its list all the same, which costs the time-out of one that is down.
    fn in_turn(&mut self) -> Arc<[Arc<Peer>]> {
        let (notifier, primaries) = (self.notifier.take(), &self.settings.primaries);
        let is_notifier = |peer: &&Arc<Peer>| Some(peer.address.ip()) == notifier;
        if !primaries.iter().skip(1).any(|peer| is_notifier(&peer)) {
            return Arc::clone(primaries);
        }
        let (first, others): (Vec<_>, Vec<_>) = primaries.iter().partition(is_notifier);
        first.into_iter().chain(others).cloned().collect()
    }

    /// Asks the primary at hand for the first time.
    fn approach(&mut self, context: &mut Context<'_>) {
        let Some(walk) = &mut self.walk else { return };
        let Some(primary) = walk.primaries.get(walk.at) else { return };
        if primary.missing_key.is_some() {
            let primary = Arc::clone(primary);
            return self.pass_over_unsigned(&primary, context);
        }
        (walk.opt, walk.tcp) = (primary.opt, primary.tcp_only);
        (walk.tries, walk.is_transferring, walk.is_fine) = (0, false, false);
        (walk.announced, walk.reported_expire_s) = (None, None);
        self.ask();
    }

    fn ask(&mut self) {
        let Some(walk) = &mut self.walk else { return };
        let Some(primary) = walk.primaries.get(walk.at) else { return };
        walk.tries = walk.tries.saturating_add(1);
        self.actions.push(Action::AskSoa { primary: Arc::clone(primary), tcp: walk.tcp, opt: walk.opt });
    }

    fn next_primary(&mut self, context: &mut Context<'_>) {
        let Some(walk) = &mut self.walk else { return };
        walk.turn();
        if walk.at < walk.primaries.len() { self.approach(context) } else { self.end(context) }
    }

    /// The check is over; what was queued meanwhile is due now. What somebody asked for and nobody gave is asked for at
    /// the next check, where going back is weighed anew.
    fn end(&mut self, context: &Context<'_>) {
        let forced = self.walk.take().and_then(|walk| walk.forced);
        let goes_back = forced != Some(Forced::Lowered) && self.must_go_back(context.up_s);
        let asked = forced.filter(|forced| *forced == Forced::Asked);
        self.forced = self.forced.or(asked).or(goes_back.then_some(Forced::Lowered));
        let told = self.told.take();
        self.told = told.filter(|told| self.is_news(*told));
        // Those asked last may be primaries no more.
        self.standing.keep_only(&self.settings.primaries);
        if std::mem::take(&mut self.is_queued) || self.told.is_some() || goes_back {
            (self.next_check_s, self.is_wanted) = (context.now_s, true);
        } else {
            self.notifier = None;
        }
    }

    /// Whether the primaries are to be followed down: all have had the same lower serial for long enough. One that
    /// cannot be asked says nothing either way.
    fn must_go_back(&mut self, up_s: u64) -> bool {
        let (Some(lower_s), Some(copy)) = (self.settings.guards.lower_s, &self.copy) else { return false };
        let ours = copy.serial;
        let theirs = match self.standing.common_serial(&self.settings.primaries) {
            Err(Unasked) => return false,
            Ok(theirs) => theirs.filter(|theirs| ours.is_newer_than(*theirs)),
        };
        let Some(theirs) = theirs else {
            self.lowered = None;
            return false;
        };
        let known = self.lowered.as_deref().filter(|(serial, _)| *serial == theirs);
        let since_s = known.map_or(up_s, |&(_, since_s)| since_s);
        self.lowered = Some(Box::new((theirs, since_s)));
        let held_s = up_s.saturating_sub(since_s);
        let is_enough = held_s >= lower_s;
        if is_enough {
            let text = format!("every primary has had serial {theirs} for {held_s} seconds: going back from {ours}");
            self.log(Level::Warning, text);
        }
        is_enough
    }

    /// The primary at hand, while its answer (or the transfer from it) is awaited.
    fn awaited(&self, transfer: bool) -> Option<Arc<Peer>> {
        let walk = self.walk.as_ref().filter(|walk| walk.is_transferring == transfer)?;
        walk.primaries.get(walk.at).cloned()
    }
}

impl Walk {
    /// Turns to the next primary.
    fn turn(&mut self) {
        let primary = self.primaries.get(self.at).filter(|_| !self.is_fine);
        if let Some((primary, source)) = primary.and_then(|primary| Some((primary, primary.other_source?))) {
            self.again.push(Arc::new(Peer { source, other_source: None, ..Peer::clone(primary) }));
        }
        self.at = self.at.saturating_add(1);
        if self.at >= self.primaries.len() && !self.again.is_empty() {
            (self.primaries, self.at) = (std::mem::take(&mut self.again).into(), 0);
        }
    }
}

fn clamp(seconds: u32, limits: &RangeInclusive<u64>) -> u32 {
    let within = u64::from(seconds).min(*limits.end()).max(*limits.start());
    u32::try_from(within).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests;
