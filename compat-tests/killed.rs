//! kill -9 at random moments of transfers and of what is written after them: what is served again is a version that the
//! primary had, never an older one than was served before, and in the end what the primary has.
//!
//! An ordinary run kills nomd ten times under each of named and Knot; `NOMD_KILLS` does so more often, from `NOMD_SEED`
//! on.

use std::collections::BTreeMap;
use std::env;
use std::fmt::Write;
use std::thread::sleep;
use std::time::Duration;

use nomd::transfer::random::Random;

use super::histories::{History, ZONE, primary};
use super::peers::{Kind, Server, Spec, Zone, dig, free_port, signal};

/// How many records there are beside those that change: a whole transfer is to take a while.
const BULK: u32 = 4000;
/// The longest time from the NOTIFY to the kill; a transfer and what is written after it take less.
const LONGEST_US: u64 = 60_000;

/// A primary, what it ever had, and the secondary that is killed.
struct Play {
    seed: u64,
    dice: Random,
    history: History,
    primary: Server,
    /// The records of each version.
    versions: BTreeMap<u32, Vec<String>>,
    secondary: Server,
    /// The newest serial that was seen to be served.
    seen: u32,
}

impl Play {
    fn begin(from: Kind, seed: u64) -> Self {
        let mut history = History::new(seed);
        let primary = primary(from, text(&mut history), None, &[]);
        primary.wait_for_serial(ZONE, history.serial);
        let secondary = Server::start_at(Kind::Nomd, &spec(primary.port), free_port());
        secondary.wait_for_serial(ZONE, history.serial);
        let (dice, seen) = (Random::new(seed), history.serial);
        let mut play = Self { seed, dice, history, primary, versions: BTreeMap::new(), secondary, seen };
        play.note();
        play
    }

    /// Notes what the primary has now.
    fn note(&mut self) {
        let serial = self.history.serial;
        self.primary.wait_for_serial(ZONE, serial);
        self.versions.insert(serial, dig::transfer(self.primary.port, ZONE, None).unwrap());
    }

    fn change(&mut self) {
        let text = text(&mut self.history);
        self.primary.change_zone(ZONE, &text);
        self.note();
    }

    /// Has the change transferred, as differences or whole, and kills the server meanwhile.
    fn kill(mut self) -> Self {
        self.change();
        if self.dice.below(3) == 0 {
            self.secondary.rndc(&["retransfer", ZONE]);
        } else {
            super::faults::notify(&self.secondary, ZONE);
        }
        sleep(Duration::from_micros(self.dice.below(LONGEST_US)));
        if self.dice.below(2) == 0 {
            self.seen = dig::serial(self.secondary.port, ZONE).unwrap();
        }
        signal(self.secondary.pid(), "KILL");
        let (port, folder) = (self.secondary.port, self.secondary.stop());
        self.secondary = Server::start_in(Kind::Nomd, &spec(self.primary.port), port, folder);
        self.check();
        self
    }

    fn check(&mut self) {
        let (seed, secondary) = (self.seed, &self.secondary);
        secondary.wait_until("the zone is served", || dig::serial(secondary.port, ZONE).is_some());
        let served = dig::transfer(secondary.port, ZONE, None).unwrap();
        let found = self.versions.iter().find(|(_, records)| **records == served);
        let (serial, _) = found.unwrap_or_else(|| panic!("seed {seed}: the primary never had {served:?}"));
        assert!(*serial >= self.seen, "seed {seed}: {serial} is served, {} was\n{}", self.seen, secondary.log());
        assert!(!secondary.log().contains("unable to load from"), "seed {seed}: {}", secondary.log());
        self.seen = *serial;
    }

    fn end(mut self) {
        super::faults::notify(&self.secondary, ZONE);
        self.secondary.wait_for_serial(ZONE, self.history.serial);
        self.check();
        assert_eq!(self.seen, self.history.serial);
    }
}

fn spec(port: u16) -> Spec {
    Spec { zones: vec![Zone::secondary(ZONE, port).with("max-journal-size 40k;")], ..Spec::default() }
}

/// The next version, with records that stay.
fn text(history: &mut History) -> String {
    let mut text = history.next();
    (0..BULK).for_each(|number| writeln!(text, "bulk{number} A 198.51.100.{}", number % 250).unwrap());
    text
}

#[test]
fn a_server_that_is_killed_serves_again_what_it_served_or_something_newer() {
    let number = |name: &str, usual| env::var(name).map_or(usual, |text| text.parse::<u64>().unwrap());
    let (seed, kills) = (number("NOMD_SEED", 1), number("NOMD_KILLS", 20));
    for (from, seed) in [(Kind::Bind, seed), (Kind::Knot, seed + 1)] {
        println!("NOMD_SEED={seed}: {} kills under {from:?}", kills / 2);
        (0..kills / 2).fold(Play::begin(from, seed), |play, _| play.kill()).end();
    }
}
