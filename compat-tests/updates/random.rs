//! Updates at random, beside named: each gets the same reply, and from time to time the zones are compared.
//!
//! An ordinary run makes a few hundred; `NOMD_UPDATES` makes more, from `NOMD_SEED` on.

use std::env;

use nomd::transfer::random::Random;

use super::requests::{A, ANY, CNAME, IN, MX, NONE, NS, TXT, answer_to, at, here, update_of};
use super::{BOTH, ZONE, journal, records, start};
use crate::packets::name;
use crate::peers::{Server, dig};

const AAAA: u16 = 28;
const SRV: u16 = 33;
const TYPES: [u16; 10] = [A, A, A, TXT, TXT, CNAME, MX, NS, AAAA, SRV];
const OWNERS: [&str; 10] = ["", "a", "b", "c", "ns", "x", "x.y", "*.w", "sub", "host.sub"];
/// How many are made before the zones are compared.
const ROUND: u64 = 25;

struct Dice(Random);

impl Dice {
    fn of<T: Copy>(&mut self, all: &[T]) -> T {
        all[self.0.below(all.len() as u64) as usize]
    }

    fn data(&mut self, rtype: u16) -> Vec<u8> {
        let number = self.0.below(4) as u8;
        match rtype {
            A => vec![192, 0, 2, number],
            AAAA => [&[0; 15][..], &[number]].concat(),
            TXT => vec![1, number],
            MX => [&[0, number][..], &here(["a", "c", "nx", "ns"][usize::from(number)])].concat(),
            SRV => [&[0, number, 0, 1, 0, 1][..], &name("a")].concat(),
            _ => match number {
                0 => name("elsewhere"),
                number => here(["a", "ns", "x"][usize::from(number) - 1]),
            },
        }
    }

    fn prerequisite(&mut self) -> Vec<u8> {
        let (owner, rtype) = (self.of(&OWNERS), self.of(&TYPES));
        match self.0.below(5) {
            0 => at(owner, ANY, ANY, 0, &[]),
            1 => at(owner, ANY, NONE, 0, &[]),
            2 => at(owner, rtype, ANY, 0, &[]),
            3 => at(owner, rtype, NONE, 0, &[]),
            _ => at(owner, rtype, IN, 0, &self.data(rtype)),
        }
    }

    fn change(&mut self) -> Vec<u8> {
        let (owner, rtype) = (self.of(&OWNERS), self.of(&TYPES));
        match self.0.below(10) {
            0 => at(owner, ANY, ANY, 0, &[]),
            1 => at(owner, rtype, ANY, 0, &[]),
            2 | 3 => at(owner, rtype, NONE, 0, &self.data(rtype)),
            _ => at(owner, rtype, IN, self.of(&[60, 60, 60, 300]), &self.data(rtype)),
        }
    }

    fn update(&mut self) -> Vec<u8> {
        let prerequisites: Vec<_> = (0..self.0.below(3).saturating_sub(1)).map(|_| self.prerequisite()).collect();
        let changes: Vec<_> = (0..self.0.below(5)).map(|_| self.change()).collect();
        update_of(ZONE, &prerequisites, &changes)
    }
}

fn compare(servers: &[Server; 2], seed: u64, made: u64) {
    let [theirs, ours] = servers.each_ref().map(|server| (records(server), dig::serial(server.port, ZONE)));
    assert_eq!(ours, theirs, "NOMD_SEED={seed}: after {made} updates");
}

#[test]
fn updates_at_random_are_answered_and_made_as_by_named() {
    let number = |name: &str, usual| env::var(name).map_or(usual, |text| text.parse::<u64>().unwrap());
    let (seed, updates) = (number("NOMD_SEED", 1), number("NOMD_UPDATES", 400));
    println!("NOMD_SEED={seed}: {updates} updates");
    let mut dice = Dice(Random::new(seed));
    let servers = BOTH.map(start);
    for made in 1..=updates {
        let packet = dice.update();
        let [theirs, ours] = servers.each_ref().map(|server| answer_to(server, &packet));
        let text = data_encoding::HEXLOWER.encode(&packet);
        assert_eq!(ours, theirs, "NOMD_SEED={seed}: update {made}: {text}");
        if made % ROUND == 0 {
            compare(&servers, seed, made);
        }
    }
    compare(&servers, seed, updates);
    let [theirs, ours] = servers.each_ref().map(journal);
    assert_eq!(ours, theirs, "NOMD_SEED={seed}");
}
