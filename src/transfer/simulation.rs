//! A secondary against primaries, a network, a clock and a disk that misbehave, run from seeds.
//!
//! Packets are lost, late, doubled and overtaken; primaries die midway, lie about serials, change in mid-transfer, send
//! differences that do not fit, streams that are cut, damaged, wrongly signed or endless, and records outside the zone.
//! Disks are full, failing or read-only, the power fails at any step, copies are removed, primaries are built anew with
//! other contents under old serials, and the clock is set. At every moment the version served is one that a primary
//! really had, and so are the differences in the journal that lead to it; after a crash what was published is there
//! again, or where the disk refused it an older one; and once the faults end the newest is served, and on disk, as soon
//! as the timers allow.
//!
//! `NOMD_HISTORIES` makes more of them, from `NOMD_SEED` on.

mod announcing;
mod machine;
mod network;
mod notices;
mod saves;
mod streams;
mod tally;
mod troubles;
mod versions;

use std::sync::Arc;

use self::machine::{Machine, Place, Target};
use self::notices::Notice;
use self::tally::{Fault, Tally};
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
const REFRESH_S: u64 = 3600;
const RETRY_S: u64 = 900;
const EXPIRE_S: u64 = 604_800;
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
    /// The versions of which one is there after a crash, by number, where there may be none; none: that is not known.
    promised: Option<Vec<Option<usize>>>,
    /// Whether the power failed with a journal in place that leads elsewhere: to a start it looks like any other.
    has_stray_journal: bool,
    /// By our clock.
    timer_s: Option<u64>,
    /// What arrives when, by the true clock.
    arrivals: Vec<(u64, Arrival)>,
    /// Whether a transfer runs.
    is_transferring: bool,
    /// What was told of and not looked after yet.
    notices: Vec<Notice>,
    /// When a primary has vouched for what is on disk, at the latest: no copy is younger.
    vouched_s: u64,
    tally: Tally,
}

/// What is under way.
enum Arrival {
    Told(Event),
    Version(Brought, Target),
    /// A version that is on disk there since then, to be published.
    Kept(Arc<ZoneVersion>, Durability, u64, Place),
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
        !matches!(self, Self::Version(..) | Self::Disk | Self::Told(Event::Notify { .. }))
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
            has_stray_journal: false,
            timer_s: None,
            arrivals: Vec::new(),
            is_transferring: false,
            notices: Vec::new(),
            vouched_s: 0,
            tally: Tally::default(),
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
        let longest_s = if self.served.is_some() { REFRESH_S } else { LAST_BACKOFF_S };
        assert!(due_s <= longest_s, "the next check is {due_s} s away");
        let retry_s = if self.served.is_some() { RETRY_S } else { LAST_BACKOFF_S };
        self.run_for(due_s + retry_s + SLACK_S);
        assert_eq!(self.served_number(), Some(self.newest), "it did not converge");
        self.check_clock();
        self.hurry();
        self.run_for(2 * DELAY_S);
        self.check_copy();
        self.crash();
        assert_eq!(self.served_number(), Some(self.newest), "the newest is not on disk");
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

    fn served_number(&self) -> Option<usize> {
        self.served.as_deref().map(versions::number)
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
        self.check_saving();
        self.check_disk();
    }

    fn arrive(&mut self) {
        self.arrivals.sort_by_key(|&(at_s, _)| at_s);
        let arrival = self.arrivals.remove(0).1;
        self.is_transferring &= !arrival.is_end();
        match arrival {
            Arrival::Told(event) => self.step(event),
            Arrival::Version(brought, target) => self.keep(&brought, target),
            Arrival::Kept(version, durability, kept_s, place) => {
                // The configuration may have moved the copy meanwhile.
                let durability = if place == self.machine.place { durability } else { Durability::None };
                self.take(version, durability, kept_s);
            }
            Arrival::Disk => self.advance_writing(),
        }
    }

    fn take(&mut self, version: Arc<ZoneVersion>, durability: Durability, kept_s: u64) {
        let timers = Timers::from(version.soa().unwrap());
        let is_older = self.serial().is_some_and(|has| has.is_newer_than(version.serial()));
        let is_newer = self.serial().is_none_or(|has| version.serial().is_newer_than(has));
        let is_rebuilt =
            self.served_number().is_some_and(|has| !versions::are_of_a_line(has, versions::number(&version)));
        self.tally.count_if(is_older, Fault::WentBack);
        self.tally.count_if(is_rebuilt && !is_newer, Fault::Rebuilt);
        self.served = Some(version);
        self.has_stray_journal = false;
        self.save_step(saving::Event::Published { durability, kept_s });
        self.step(Event::Transferred(timers));
    }

    fn step(&mut self, event: Event) {
        let now_s = self.now_s();
        self.note(&event);
        let (random, unreachable) = (&mut self.random, &mut self.unreachable);
        let mut context = Context { now_s, up_s: self.true_s, random, unreachable };
        let expires_s = self.zone.expires_s();
        for action in self.zone.step(event, &mut context) {
            match action {
                Action::AskSoa { primary, tcp, opt } => {
                    self.note_asked(primary.address);
                    self.ask(&primary, tcp, opt);
                }
                Action::Transfer { primary, have, .. } => self.transfer(&primary, have.is_none()),
                Action::Timer(at_s) => self.timer_s = Some(at_s),
                Action::Expire => {
                    assert!(expires_s.is_none_or(|at_s| at_s <= now_s), "expired too early");
                    self.served = None;
                    self.tally.count(Fault::Expiry);
                }
                Action::Touch(at_s) => {
                    self.vouched_s = self.vouched_s.max(at_s);
                    self.save_step(saving::Event::Confirmed(at_s));
                }
                Action::Log(..) => {}
            }
        }
        assert_eq!(self.serial(), self.zone.serial(), "what is served is what the machine believes");
        let is_answer = |arrival: &Arrival| !matches!(arrival, Arrival::Told(Event::Notify { .. }) | Arrival::Disk);
        let under_way = self.arrivals.iter().filter(|(_, arrival)| is_answer(arrival)).count();
        assert!(under_way <= 1, "more than one thing is under way");
        self.check_notices();
    }

    /// The power fails, and is back.
    fn crash(&mut self) {
        self.has_stray_journal |= self.machine.saving.has_stray_journal();
        self.machine.restart();
        self.arrivals.clear();
        self.notices.clear();
        self.is_transferring = false;
        (self.timer_s, self.served, self.unreachable) = (None, None, Unreachable::default());
        self.zone = Refresh::new(Arc::clone(&self.settings));
        self.start();
    }

    /// Serves what the disk holds.
    fn start(&mut self) {
        let Some(found) = self.machine.load() else {
            let is_promised = self.promised.as_ref().is_some_and(|promised| !promised.contains(&None));
            assert!(!is_promised || self.has_bad_disk(), "the copy is gone");
            self.promised = None;
            return self.step(Event::Missing);
        };
        self.check_found(&found);
        // What could not be read now may be read another time, and what was set aside may be back.
        let is_known = !self.has_bad_disk() && !found.is_doubtful;
        self.promised = is_known.then(|| vec![Some(versions::number(&found.version))]);
        let timers = Timers::from(found.version.soa().unwrap());
        self.served = Some(Arc::new(found.version));
        self.step(Event::Loaded { timers, modified_s: found.modified_s });
        if found.is_doubtful {
            self.machine.saving.note_stray_journal();
            self.step(Event::Refresh);
        }
    }

    /// Whether the disk may not even read what it has.
    pub(super) fn has_bad_disk(&self) -> bool {
        self.machine.disk.faults().failing > 0
    }
}

/// What came of histories.
#[derive(Clone, Copy, Default)]
struct Seen {
    versions: u64,
    tally: Tally,
}

impl Seen {
    fn of(seeds: impl Iterator<Item = u64>) -> Self {
        seeds.map(Self::of_one).fold(Self::default(), Self::and)
    }

    fn of_one(seed: u64) -> Self {
        let run = || {
            let mut world = World::new(seed);
            world.run();
            world.tally.add_troubles(world.machine.disk.troubles());
            world.tally.add(Fault::DiskSlow, world.machine.waits);
            world.tally.add(Fault::Removed, world.machine.rewritten);
            Self { versions: world.newest as u64, tally: world.tally }
        };
        std::panic::catch_unwind(run).unwrap_or_else(|_| panic!("failed with NOMD_SEED={seed} NOMD_HISTORIES=1"))
    }

    fn and(self, other: Self) -> Self {
        Self { versions: self.versions + other.versions, tally: self.tally.and(other.tally) }
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
    println!("{count} histories, {} versions", seen.versions);
    assert!(seen.versions > count * 3, "the primaries hardly changed: {} versions", seen.versions);
    seen.tally.check(count);
}

#[test]
fn a_primary_that_stays_dead_lets_the_copy_expire_on_time_whatever_starts_there_are() {
    for starts_anew in [false, true] {
        let mut world = World::new(1);
        world.is_faulty = false;
        world.start();
        while world.served.is_none() {
            world.advance();
        }
        let loaded_s = world.true_s;
        let mut crashes_at_s = loaded_s + EXPIRE_S / 2;
        while world.served.is_some() {
            // Nothing answers any more.
            let answers = world.arrivals.iter_mut().filter(|(_, arrival)| !matches!(arrival, Arrival::Disk));
            answers.for_each(|(_, arrival)| *arrival = Arrival::Told(Event::SoaTimeout));
            world.advance();
            assert!(world.true_s - loaded_s <= EXPIRE_S, "it is still there");
            if starts_anew && world.true_s >= crashes_at_s {
                crashes_at_s = u64::MAX;
                world.crash();
                assert!(world.served.is_some(), "it is far from its end");
            }
        }
        assert_eq!(world.true_s - loaded_s, EXPIRE_S);
    }
}
