//! Zones and queries made at random: nomd's replies are named's, section by section, and hickory-proto reads them.
//!
//! Differences that are meant stand in [`rules::ACCEPTED`] with their reason; any other one fails, and says with which
//! seed it can be had again. An ordinary run asks some thousands; `NOMD_QUERIES` asks more, from `NOMD_SEED` on.

mod ask;
mod denials;
mod leading;
mod names;
mod others;
mod proofs;
mod queries;
mod reply;
mod rounds;
mod rules;
mod signers;
mod zones;

use std::fmt::Write;

use nomd::transfer::random::Random;

use crate::peers::{Kind, Server, Spec};
use queries::Query;
use reply::Reply;
use rounds::{ROUNDS, Round};
use rules::ACCEPTED;
use signers::Signer;

/// Numbers at random, the same from the same seed.
pub struct Dice(Random);

impl Dice {
    fn below(&mut self, bound: usize) -> usize {
        self.0.below(bound as u64) as usize
    }

    fn one_in(&mut self, odds: usize) -> bool {
        self.below(odds) == 0
    }

    fn pick<'a, T>(&mut self, all: &'a [T]) -> &'a T {
        &all[self.below(all.len())]
    }
}

/// How many queries go to one set of zones.
const PER_ROUND: usize = 500;
/// How many an ordinary run asks.
const QUERIES: usize = ROUNDS.len() * PER_ROUND;

fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn replies_are_those_of_named() {
    let (first, wanted) = (number("NOMD_SEED", 1), number("NOMD_QUERIES", QUERIES));
    let rounds = wanted.div_ceil(PER_ROUND);
    let mut report = String::new();
    let mut counts = [0; ACCEPTED.len()];
    let mut differing = 0;
    for (seed, round) in (first..).zip(ROUNDS.iter().cycle().skip(first - 1)).take(rounds) {
        differing += play(seed, round, &mut counts, &mut report);
    }
    println!("{} queries compared from NOMD_SEED={first} on, {differing} differ", rounds * PER_ROUND);
    for (count, (reason, _)) in counts.iter().zip(ACCEPTED) {
        println!("{count:8} accepted: {reason}");
    }
    assert_eq!(differing, 0, "of {} replies:\n{report}", rounds * PER_ROUND);
}

/// What servers of these kinds say to the same queries.
fn replies<const N: usize>(kinds: [Kind; N], spec: &Spec, apexes: &[&str], queries: &[Query]) -> [Vec<Reply>; N] {
    let ask = &|kind| {
        let server = Server::start(kind, spec);
        apexes.iter().for_each(|apex| server.wait_for_serial(apex, 1));
        let replies = ask::ask(server.port, queries);
        (server, replies)
    };
    let mut all = std::thread::scope(|scope| {
        kinds.map(|kind| scope.spawn(move || ask(kind))).map(|thread| thread.join().unwrap())
    });
    for (at, query) in queries.iter().enumerate() {
        // Where some are silent and some are not, a reply may be late.
        let silent = all.iter().filter(|(_, replies)| replies[at].is_none()).count();
        for (server, replies) in all.iter_mut().filter(|(_, replies)| replies[at].is_none() && silent < N) {
            replies[at] = ask::ask_again(server.port, query);
        }
    }
    all.map(|(_, replies)| replies.iter().map(|reply| Reply::read(reply.as_deref())).collect())
}

/// Asks both servers the same and reports what differs. How many do.
fn play(seed: usize, round: &Round, counts: &mut [usize], report: &mut String) -> usize {
    let mut dice = Dice(Random::new(seed as u64));
    let (zones, mut names) = round.zones(&mut dice);
    let inner = round.inner_zones(&mut dice, &mut names);
    let spec = round.spec(zones, &inner);
    let queries: Vec<Query> = (0..PER_ROUND).map(|id| queries::query(&mut dice, &names, id as u16)).collect();
    let [theirs, ours] = replies([Kind::Bind, Kind::Nomd], &spec, &round.apexes(), &queries);
    let has_spellings = matches!(round.signing, Some((Signer::Ldns, _)));
    let mut differing = 0;
    for ((query, theirs), ours) in queries.iter().zip(theirs).zip(ours) {
        if theirs == ours {
            continue;
        }
        if let Some(rule) = rules::accepting(query, &ours, &theirs, has_spellings) {
            counts[rule] += 1;
            continue;
        }
        differing += 1;
        if report.len() < REPORT_BYTES {
            let shown = &query.shown;
            let _ = writeln!(report, "NOMD_SEED={seed} {round:?}\n{shown}\n  named {theirs}  nomd {ours}");
        }
    }
    differing
}

/// No more than so much is reported.
const REPORT_BYTES: usize = 20_000;
