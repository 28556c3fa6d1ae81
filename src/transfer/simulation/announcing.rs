//! A primary that changes while the network loses, doubles and delays what it tells: whoever can be reached is told of
//! the last version in time, and nobody more often than is allowed.

use std::collections::BTreeMap;

use crate::dns::{Rcode, Serial};
use crate::transfer::notify::{Delay, Next, Notification, TIMEOUT_S};
use crate::transfer::random::Random;
use crate::transfer::testing::peer;

const HISTORIES: u64 = 3000;
const SERVERS: u8 = 3;
/// How long a history goes on changing, and is looked at.
const CHANGES_S: u64 = 120;
const END_S: u64 = 400;
const DELAY_S: u64 = 5;
/// How often a message is sent.
const TRIES: usize = 3;

/// A message on its way, or the end of the wait for its answer.
#[derive(Clone, Copy)]
enum Arrival {
    Message(u8, Serial),
    Answer(u8, Serial),
    Timeout(u8, Serial),
}

struct World {
    random: Random,
    now_s: u64,
    serial: Serial,
    delay: Delay,
    open: BTreeMap<u8, (Notification, Serial)>,
    arrivals: Vec<(u64, Arrival)>,
    /// When each announcement was made.
    announced_s: Vec<u64>,
    /// The newest serial that each server was told, and when.
    told: BTreeMap<u8, (Serial, u64)>,
    /// Those who were given up, with the serial that they were to be told.
    given_up: BTreeMap<u8, Serial>,
    sent: BTreeMap<(u8, u32), usize>,
}

impl World {
    fn new(seed: u64) -> Self {
        let (delay, open, arrivals, announced_s) = (Delay::default(), BTreeMap::new(), vec![], vec![]);
        let (told, given_up, sent) = (BTreeMap::new(), BTreeMap::new(), BTreeMap::new());
        let random = Random::new(seed);
        Self { random, now_s: 0, serial: Serial(1), delay, open, arrivals, announced_s, told, given_up, sent }
    }

    fn run(&mut self) -> u64 {
        let mut changed_s = 0;
        while self.now_s < END_S {
            if self.now_s < CHANGES_S && self.random.below(20) == 0 {
                self.serial = Serial(self.serial.0 + 1);
                changed_s = self.now_s;
                self.delay.changed(DELAY_S, 0, self.now_s);
            }
            if self.delay.take_due(self.now_s) {
                self.announce();
            }
            while let Some(place) = self.arrivals.iter().position(|(at_s, _)| *at_s <= self.now_s) {
                let (_, arrival) = self.arrivals.swap_remove(place);
                self.arrive(arrival);
            }
            self.now_s += 1;
        }
        changed_s
    }

    fn announce(&mut self) {
        self.announced_s.push(self.now_s);
        for server in 1..=SERVERS {
            self.open.insert(server, (Notification::new(peer(server)), self.serial));
            self.send(server);
        }
    }

    fn send(&mut self, server: u8) {
        let Some((notification, serial)) = self.open.get_mut(&server) else { return };
        let serial = *serial;
        if let Next::End(_) = notification.send() {
            self.open.remove(&server);
            self.given_up.insert(server, serial);
            return;
        }
        *self.sent.entry((server, serial.0)).or_default() += 1;
        for _ in 0..=self.random.below(3) / 2 {
            if self.random.below(3) > 0 {
                let delay_s = self.random.below(4);
                self.arrivals.push((self.now_s + delay_s, Arrival::Message(server, serial)));
            }
        }
        self.arrivals.push((self.now_s + TIMEOUT_S, Arrival::Timeout(server, serial)));
    }

    fn arrive(&mut self, arrival: Arrival) {
        match arrival {
            Arrival::Message(server, serial) => {
                let told = self.told.get(&server).is_some_and(|(told, _)| !serial.is_newer_than(*told));
                if !told {
                    self.told.insert(server, (serial, self.now_s));
                }
                if self.random.below(3) > 0 {
                    self.arrivals.push((self.now_s + self.random.below(4), Arrival::Answer(server, serial)));
                }
            }
            Arrival::Answer(server, serial) => {
                if let Some((notification, of)) = self.open.get(&server).filter(|(_, of)| *of == serial) {
                    assert!(matches!(notification.answered(Rcode::NOERROR), Next::End(_)), "{of}");
                    self.open.remove(&server);
                }
            }
            Arrival::Timeout(server, serial) => {
                if self.open.get(&server).is_some_and(|(_, of)| *of == serial) {
                    self.send(server);
                }
            }
        }
    }
}

#[test]
fn whoever_can_be_reached_is_told_of_the_last_version_in_time_and_not_too_often() {
    let (mut given_up, mut repeated) = (0, 0);
    for seed in 0..HISTORIES {
        let mut world = World::new(seed);
        let changed_s = world.run();
        if changed_s == 0 {
            continue;
        }
        assert!(world.open.is_empty(), "seed {seed}: somebody is waited for");
        let gaps = world.announced_s.windows(2).map(|pair| pair[1] - pair[0]);
        assert!(gaps.min().is_none_or(|least_s| least_s >= DELAY_S), "seed {seed}: {:?}", world.announced_s);
        assert!(world.announced_s.last().is_some_and(|at_s| (changed_s..=changed_s + DELAY_S).contains(at_s)));
        assert!(world.sent.values().all(|times| *times <= TRIES), "seed {seed}: {:?}", world.sent);
        let latest_s = changed_s + DELAY_S + TRIES as u64 * TIMEOUT_S;
        for server in 1..=SERVERS {
            let told = world.told.get(&server).is_some_and(|(told, at_s)| *told == world.serial && *at_s <= latest_s);
            let is_given_up = world.given_up.get(&server) == Some(&world.serial);
            assert!(told || is_given_up, "seed {seed}: server {server} was not told of {}", world.serial);
            given_up += usize::from(!told);
            repeated += usize::from(world.sent.get(&(server, world.serial.0)).is_some_and(|times| *times > 1));
        }
    }
    assert!(given_up > 0 && repeated > given_up, "{given_up} {repeated}");
}
