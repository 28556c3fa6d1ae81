//! A secondary against primaries, a network, a clock and a disk that misbehave, run from seeds.
//!
//! Packets are lost, late, doubled and overtaken; primaries die midway, lie about serials, change in mid-transfer, send
//! differences that do not fit, streams that are cut, damaged, wrongly signed or endless, and records outside the zone.
//! Disks are full, failing or read-only, the power fails at any step, and the clock is set. At every moment the version
//! served is one that a primary really had; after a crash what was published is there again, or where the disk refused
//! it an older one; and once the faults end the newest is served, and on disk, as soon as the timers allow.
//!
//! `NOMD_HISTORIES` makes more of them, from `NOMD_SEED` on.

mod machine;
mod network;
mod saves;
mod versions;

use std::net::SocketAddr;
use std::sync::Arc;

use self::machine::Machine;
use super::peer::{Peer, Unreachable};
use super::random::Random;
use super::refresh::{Action, Context, Event, Refresh, Settings, Timers};
use super::saving::{self, DELAY_S};
use super::testing::{NOW_S, key, peer, settings};
use crate::dns::{Key, Serial};
use crate::zone::ZoneVersion;
use crate::zone::copy::Durability;
use crate::zone::journal::Transaction;

const HISTORIES: u64 = 2000;
/// How many things happen before the faults end.
const STEPS: u64 = 60;
/// What the SOA records of the zone say, and what is added to it at the worst: a primary that is thought unreachable,
/// queries that time out.
const RETRY_S: u64 = 900;
const SLACK_S: u64 = 900;
/// The longest back-off of a zone without a copy.
const LAST_BACKOFF_S: u64 = 6 * 3600;

struct World {
    random: Random,
    unreachable: Unreachable,
    /// The clock of the primaries, and how far ours is ahead.
    true_s: u64,
    ahead_s: i64,
    is_faulty: bool,
    key: Option<Arc<Key>>,
    /// The version that each primary has, by number, and the newest that one ever had.
    primaries: Vec<usize>,
    newest: usize,
    settings: Arc<Settings>,
    zone: Refresh,
    machine: Machine,
    served: Option<Arc<ZoneVersion>>,
    /// The serials of which one is there after a crash; none: that is not known.
    promised: Option<Vec<Serial>>,
    /// By our clock.
    timer_s: Option<u64>,
    /// What arrives when, by the true clock.
    arrivals: Vec<(u64, Arrival)>,
    /// Whether a transfer runs.
    is_transferring: bool,
    crashes: u64,
}

/// What is under way.
enum Arrival {
    Told(Event),
    Version(Brought),
    /// A version that is on disk there, to be published.
    Kept(Arc<ZoneVersion>, Durability),
    /// The next step of writing the file once more.
    Disk,
}

/// A version received whole, and what led to it where differences came.
struct Brought {
    version: Arc<ZoneVersion>,
    changes: Vec<Transaction>,
}

impl Arrival {
    /// Whether with it the last transfer is over, if one runs.
    fn is_end(&self) -> bool {
        !matches!(self, Self::Version(_) | Self::Disk | Self::Told(Event::Notify { .. }))
    }
}

impl Brought {
    fn new(version: Box<ZoneVersion>, changes: Vec<Transaction>) -> Self {
        Self { version: Arc::from(version), changes }
    }
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let key = (random.below(2) == 0).then(|| Arc::new(key()));
        let count = 1 + random.below(3) as u8;
        let peer = |last| Peer { key: key.clone(), ..peer(last) };
        let settings = Arc::new(settings((0..count).map(peer)));
        Self {
            random,
            unreachable: Unreachable::default(),
            true_s: NOW_S,
            ahead_s: 0,
            is_faulty: true,
            key,
            primaries: vec![0; usize::from(count)],
            newest: 0,
            zone: Refresh::new(Arc::clone(&settings)),
            settings,
            machine: Machine::new(seed + 1),
            served: None,
            promised: None,
            timer_s: None,
            arrivals: Vec::new(),
            is_transferring: false,
            crashes: 0,
        }
    }

    fn run(&mut self) {
        self.start();
        for _ in 0..STEPS {
            self.misbehave();
            self.advance();
        }
        self.end_faults();
        let due_s = self.zone.next_check_s().saturating_sub(self.now_s());
        let retry_s = if self.served.is_some() { RETRY_S } else { LAST_BACKOFF_S };
        self.run_for(due_s + retry_s + SLACK_S);
        assert_eq!(self.serial(), Some(versions::serial(self.newest)), "it did not converge");
        self.run_for(2 * DELAY_S);
        self.check_copy();
        self.crash();
        assert_eq!(self.serial(), Some(versions::serial(self.newest)), "the newest is not on disk");
    }

    fn end_faults(&mut self) {
        self.is_faulty = false;
        self.machine.disk.end_faults();
        self.set_clock(0);
        // What was under way when the last fault ended may bring anything.
        while !self.arrivals.is_empty() {
            self.advance();
        }
        self.publish();
        self.primaries.fill(self.newest);
    }

    fn run_for(&mut self, time_s: u64) {
        let end_s = self.true_s + time_s;
        while self.next_s() <= end_s {
            self.advance();
        }
    }

    fn now_s(&self) -> u64 {
        self.true_s.saturating_add_signed(self.ahead_s)
    }

    fn serial(&self) -> Option<Serial> {
        self.served.as_ref().map(|version| version.serial())
    }

    fn arrives(&mut self, delay_s: u64, arrival: Arrival) {
        self.arrivals.push((self.true_s + delay_s, arrival));
    }

    /// When something happens next, by the true clock.
    fn next_s(&self) -> u64 {
        let clocks = self.timer_s.into_iter().chain(self.machine.save_at_s);
        let clocks = clocks.map(|at_s| at_s.saturating_add_signed(-self.ahead_s).max(self.true_s));
        clocks.chain(self.arrivals.iter().map(|&(at_s, _)| at_s)).min().unwrap()
    }

    /// To the next thing that happens.
    fn advance(&mut self) {
        self.true_s = self.true_s.max(self.next_s());
        let now_s = self.now_s();
        self.machine.disk.set_clock(now_s);
        if self.timer_s.take_if(|at_s| *at_s <= now_s).is_some() {
            self.step(Event::Timer);
        } else if self.machine.save_at_s.take_if(|at_s| *at_s <= now_s).is_some() {
            self.save_step(saving::Event::Due);
        } else {
            self.arrive();
        }
        if self.machine.disk.is_down() {
            self.crash();
        }
        self.check_disk();
    }

    fn arrive(&mut self) {
        self.arrivals.sort_by_key(|&(at_s, _)| at_s);
        let arrival = self.arrivals.remove(0).1;
        self.is_transferring &= !arrival.is_end();
        match arrival {
            Arrival::Told(event) => self.step(event),
            Arrival::Version(brought) => self.keep(brought),
            Arrival::Kept(version, durability) => self.take(version, durability),
            Arrival::Disk => self.advance_writing(),
        }
    }

    fn take(&mut self, version: Arc<ZoneVersion>, durability: Durability) {
        let timers = Timers::from(version.soa().unwrap());
        self.served = Some(version);
        self.save_step(saving::Event::Published(durability));
        self.step(Event::Transferred(timers));
    }

    fn step(&mut self, event: Event) {
        let now_s = self.now_s();
        let mut context = Context { now_s, random: &mut self.random, unreachable: &mut self.unreachable };
        let expires_s = self.zone.expires_s();
        for action in self.zone.step(event, &mut context) {
            match action {
                Action::AskSoa { primary, tcp, opt } => self.ask(&primary, tcp, opt),
                Action::Transfer { primary, have, .. } => self.transfer(&primary, have.is_none()),
                Action::Timer(at_s) => self.timer_s = Some(at_s),
                Action::Expire => {
                    assert!(expires_s.is_none_or(|at_s| at_s <= now_s), "expired too early");
                    self.served = None;
                }
                Action::Touch(at_s) => self.save_step(saving::Event::Confirmed(at_s)),
                Action::Log(..) => {}
            }
        }
        assert_eq!(self.serial(), self.zone.serial(), "what is served is what the machine believes");
        let is_answer = |arrival: &Arrival| !matches!(arrival, Arrival::Told(Event::Notify { .. }) | Arrival::Disk);
        let under_way = self.arrivals.iter().filter(|(_, arrival)| is_answer(arrival)).count();
        assert!(under_way <= 1, "more than one thing is under way");
    }

    /// The power fails, and is back.
    fn crash(&mut self) {
        self.crashes += 1;
        self.machine.restart();
        self.arrivals.clear();
        self.is_transferring = false;
        (self.timer_s, self.served, self.unreachable) = (None, None, Unreachable::default());
        self.zone = Refresh::new(Arc::clone(&self.settings));
        self.start();
    }

    /// Serves what the disk holds.
    fn start(&mut self) {
        let Some(found) = self.machine.load() else {
            assert!(self.promised.is_none() || self.has_bad_disk(), "the copy is gone");
            self.promised = None;
            return self.step(Event::Missing);
        };
        let serial = found.version.serial();
        assert!(versions::is_true(&found.version), "no primary ever had what is on disk");
        let is_promised = self.promised.as_ref().is_none_or(|promised| promised.contains(&serial));
        assert!(is_promised || self.has_bad_disk(), "{serial} is on disk instead of {:?}", self.promised);
        // What could not be read now may be read another time.
        self.promised = Some(vec![serial]).filter(|_| !self.has_bad_disk());
        let timers = Timers::from(found.version.soa().unwrap());
        self.served = Some(Arc::new(found.version));
        self.step(Event::Loaded { timers, modified_s: found.modified_s });
        if found.is_doubtful {
            self.step(Event::Refresh);
        }
    }

    /// Whether the disk may not even read what it has.
    fn has_bad_disk(&self) -> bool {
        self.machine.disk.faults().failing > 0
    }
}

/// What goes wrong of itself.
impl World {
    fn misbehave(&mut self) {
        match self.random.below(40) {
            0..=9 => self.change(),
            10 | 11 => self.machine.change_faults(&mut self.random),
            12 | 13 => self.machine.disk.crash_after(self.random.below(60)),
            14 => self.crash(),
            15 => self.jump(),
            16 => self.step(Event::Refresh),
            17 => self.step(Event::Retransfer),
            18 => self.ask_to_save(),
            19 => self.stop(),
            _ => {}
        }
        if self.machine.disk.is_down() {
            self.crash();
        }
    }

    /// A primary changes its zone, or goes back in time; it may say so, once or twice.
    fn change(&mut self) {
        let at = self.random.below(self.primaries.len() as u64) as usize;
        if self.random.below(6) == 0 {
            self.primaries[at] = self.random.below(self.newest as u64 + 1) as usize;
        } else {
            self.publish();
            self.primaries[at] = self.newest;
        }
        let serial = (self.random.below(4) > 0).then(|| versions::serial(self.primaries[at]));
        let from = SocketAddr::from(([192, 0, 2, at as u8], 4711));
        for _ in 0..self.random.below(3) {
            let delay_s = self.random.below(9);
            self.arrives(delay_s, Arrival::Told(Event::Notify { from, serial }));
        }
    }

    /// The first primary has a new version.
    fn publish(&mut self) {
        self.newest += 1;
        self.primaries[0] = self.newest;
    }

    /// Our clock is set, to the right time or another.
    fn jump(&mut self) {
        let ahead_s = [0, 100, 4000, 10 * 86_400, -100, -4000, -10 * 86_400];
        let at = self.random.below(ahead_s.len() as u64) as usize;
        self.set_clock(ahead_s[at]);
    }

    fn set_clock(&mut self, ahead_s: i64) {
        let was_s = std::mem::replace(&mut self.ahead_s, ahead_s);
        self.machine.disk.set_clock(self.now_s());
        if ahead_s < was_s {
            // As the server floor does when it sees that the clock was set back.
            self.step(Event::Timer);
            self.save_step(saving::Event::ClockSetBack);
        }
    }
}

/// What came of histories.
#[derive(Clone, Copy, Default)]
struct Seen {
    versions: u64,
    crashes: u64,
}

impl Seen {
    fn of(seeds: impl Iterator<Item = u64>) -> Self {
        seeds.map(Self::of_one).fold(Self::default(), Self::and)
    }

    fn of_one(seed: u64) -> Self {
        let run = || {
            let mut world = World::new(seed);
            world.run();
            Self { versions: world.newest as u64, crashes: world.crashes }
        };
        std::panic::catch_unwind(run).unwrap_or_else(|_| panic!("failed with NOMD_SEED={seed} NOMD_HISTORIES=1"))
    }

    fn and(self, other: Self) -> Self {
        Self { versions: self.versions + other.versions, crashes: self.crashes + other.crashes }
    }
}

/// A number from the environment.
fn number(name: &str, usual: u64) -> u64 {
    std::env::var(name).map_or(usual, |text| text.parse().unwrap())
}

#[test]
fn whatever_happens_a_real_version_is_served_and_the_newest_in_the_end() {
    let (first, count) = (number("NOMD_SEED", 1), number("NOMD_HISTORIES", HISTORIES));
    let end = first + count;
    let threads = std::thread::available_parallelism().map_or(1, usize::from);
    let seen = std::thread::scope(|scope| {
        let begin = |number| scope.spawn(move || Seen::of((first + number as u64..end).step_by(threads)));
        let running: Vec<_> = (0..threads).map(begin).collect();
        let seen = running.into_iter().map(|thread| thread.join().unwrap());
        seen.fold(Seen::default(), Seen::and)
    });
    let Seen { versions, crashes } = seen;
    println!("{count} histories, {versions} versions, {crashes} crashes");
    assert!(versions > count * 3, "the primaries hardly changed: {versions} versions");
    assert!(crashes > count * 2, "there was hardly a crash: {crashes}");
}

#[test]
fn a_primary_that_stays_dead_lets_the_copy_expire_on_time() {
    let mut world = World::new(1);
    world.is_faulty = false;
    world.start();
    while world.served.is_none() {
        world.advance();
    }
    let loaded_s = world.true_s;
    while world.served.is_some() {
        // Nothing answers any more.
        for (_, arrival) in &mut world.arrivals {
            *arrival = Arrival::Told(Event::SoaTimeout);
        }
        world.advance();
    }
    assert_eq!(world.true_s - loaded_s, 604_800);
}
