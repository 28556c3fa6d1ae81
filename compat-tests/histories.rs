//! Histories of changes at random, followed by differences: after each change every server has what its primary has.
//!
//! Each of named, nomd, NSD and Knot is the primary once, of nomd always and, where it is nomd, of all others too. An
//! ordinary run makes a short history of each; `NOMD_CHANGES` makes longer ones, from `NOMD_SEED` on.

use std::collections::BTreeSet;
use std::env;
use std::fmt::Write;

use nomd::transfer::random::Random;

use super::peers::{Key, Kind, Server, Spec, Zone, dig, free_port};

pub const ZONE: &str = "example.com";

/// Contents that change: lines of a master file, none of which clashes with another.
pub struct History {
    dice: Random,
    pub serial: u32,
    lines: BTreeSet<String>,
}

impl History {
    pub fn new(seed: u64) -> Self {
        let mut history = Self { dice: Random::new(seed), serial: 0, lines: BTreeSet::new() };
        (0..40).for_each(|_| history.add());
        history
    }

    /// Makes a few changes, and gives the text of the new version.
    pub fn next(&mut self) -> String {
        self.serial += 1 + self.dice.below(3) as u32;
        for _ in 0..=self.dice.below(8) {
            if self.dice.below(2) == 0 { self.add() } else { self.remove() }
        }
        let mut text = format!("$ORIGIN {ZONE}.\n$TTL 300\n@ SOA ns hm {} 3600 900 604800 60\n", self.serial);
        text += "@ NS ns\n@ NS ns.elsewhere.test.\nns A 127.0.0.1\n";
        self.lines.iter().for_each(|line| writeln!(text, "{line}").unwrap());
        text
    }

    /// Adds a record; names in lower case, as NSD keeps no other. TTLs belong to the owner's RRset, so each is a function of both.
    fn add(&mut self) {
        let (owner, number) = (self.dice.below(12), self.dice.below(250));
        let line = match self.dice.below(8) {
            0 | 1 => format!("h{owner} 6{owner} A 192.0.2.{number}"),
            2 => format!("h{owner} AAAA 2001:db8::{number}"),
            3 => format!("t{owner} TXT \"text {number}\" \"{}\"", "x".repeat(number as usize)),
            4 => format!("m{owner} 3600 MX {number} h{owner}"),
            5 => format!("c{owner}-{number} CNAME h{owner}"),
            6 => format!("deep.er.in.d{owner} TYPE65280 \\# 2 {number:04X}"),
            _ => format!("*.w{owner} A 192.0.2.{number}"),
        };
        self.lines.insert(line);
    }

    fn remove(&mut self) {
        let at = self.dice.below(self.lines.len().max(1) as u64);
        if let Some(line) = self.lines.iter().nth(at as usize).cloned() {
            self.lines.remove(&line);
        }
    }
}

pub fn primary(kind: Kind, text: String, key: Option<Key>, notify: &[u16]) -> Server {
    let zone = Zone::primary(ZONE, text).with("ixfr-from-differences yes; max-ixfr-ratio unlimited;");
    let zone = notify.iter().fold(zone, |zone, port| zone.notifying(*port));
    Server::start(kind, &Spec { zones: vec![zone], key, has_differences: true, ..Spec::default() })
}

/// Plays a history from one primary to these secondaries.
fn play(from: Kind, to: &[Kind], key: Option<&Key>) {
    let number = |name: &str, usual| env::var(name).map_or(usual, |text| text.parse().unwrap());
    let (seed, changes) = (number("NOMD_SEED", 1), number("NOMD_CHANGES", 6));
    println!("NOMD_SEED={seed} from {from:?} to {to:?}");
    let mut history = History::new(seed);
    let ports: Vec<u16> = to.iter().map(|_| free_port()).collect();
    let server = primary(from, history.next(), key.cloned(), &ports);
    server.wait_for_serial(ZONE, history.serial);
    let copy = Spec {
        zones: vec![Zone::secondary(ZONE, server.port)],
        key: key.cloned(),
        has_differences: true,
        ..Spec::default()
    };
    let copies: Vec<Server> = to.iter().zip(&ports).map(|(kind, port)| Server::start_at(*kind, &copy, *port)).collect();
    copies.iter().for_each(|copy| copy.wait_for_serial(ZONE, history.serial));
    let mut steps = vec![];
    for _ in 0..changes {
        let before = history.serial;
        server.change_zone(ZONE, &history.next());
        steps.push((before, history.serial));
        server.wait_for_serial(ZONE, history.serial);
        let whole = dig::transfer(server.port, ZONE, key);
        for copy in &copies {
            copy.wait_for_serial(ZONE, history.serial);
            let copied = dig::transfer(copy.port, ZONE, key);
            assert_eq!(copied, whole, "seed {seed}: {:?} has other contents of {}", copy.kind, history.serial);
        }
    }
    says_differences(&server, &copies, &steps);
}

/// It would be no history of differences if any version but the first came whole, to any of the servers.
fn says_differences(server: &Server, copies: &[Server], steps: &[(u32, u32)]) {
    let log = server.settled_log();
    assert!(!log.contains("AXFR-style"), "{log}");
    for (before, after) in steps.iter().filter(|_| server.kind == Kind::Nomd) {
        let line = format!("(serial {before} -> {after})");
        let started = log.lines().filter(|at| at.contains("': IXFR started") && at.ends_with(&line)).count();
        assert!(started >= copies.len(), "{started} {line} to {} servers: {log}", copies.len());
    }
    for copy in copies.iter().filter(|copy| copy.kind == Kind::Nomd) {
        assert!(copy.path("example.com.db.jnl").exists(), "from {:?}: {}", server.kind, copy.log());
    }
}

#[test]
fn nomd_follows_every_peer_by_differences() {
    for from in [Kind::Bind, Kind::Nsd, Kind::Knot] {
        play(from, &[Kind::Nomd], None);
    }
}

#[test]
fn nomd_follows_every_peer_by_differences_with_a_key() {
    for from in [Kind::Bind, Kind::Nsd, Kind::Knot] {
        play(from, &[Kind::Nomd], Some(&Key::new("hmac-sha512")));
    }
}

#[test]
fn every_peer_follows_nomd_by_differences() {
    play(Kind::Nomd, &[Kind::Bind, Kind::Nsd, Kind::Knot, Kind::Nomd], None);
}

#[test]
fn every_peer_follows_nomd_by_differences_with_a_key() {
    play(Kind::Nomd, &[Kind::Bind, Kind::Nsd, Kind::Knot, Kind::Nomd], Some(&Key::new("hmac-sha256")));
}
