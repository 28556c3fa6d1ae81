//! Zones and queries made at random: nomd's replies are named's, section by section, and hickory-proto reads them.
//!
//! Differences that are meant stand in [`ACCEPTED`] with their reason; any other one fails, and says with which seed it
//! can be had again. An ordinary run asks some thousands; `NOMD_QUERIES` asks more, from `NOMD_SEED` on.

mod queries;
mod reply;
mod zones;

use std::fmt::Write;

use nomd::transfer::random::Random;

use crate::peers::{Kind, Server, Spec, Zone};
use queries::Query;
use reply::Reply;
use zones::Signing;

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

/// A rule that accepts a difference: the reason, and whether it applies to nomd's reply and named's.
type Accepted = (&'static str, fn(&Reply, &Reply) -> bool);

const ACCEPTED: &[Accepted] = &[
    (
        "named adds addresses one by one and then what signatures still fit; nomd adds an address with its signature or \
         not at all, so that a validator never gets one it can't use",
        |ours, theirs| {
            let bare = |reply: &Reply| Reply { additional: vec![], ..reply.clone() };
            bare(ours) == bare(theirs)
                && is_part(&ours.additional, &theirs.additional)
                && theirs.additional.iter().any(|record| record.contains(" rrsig "))
        },
    ),
    ("which optional addresses still fit into a small message", |ours, theirs| {
        let bare = |reply: &Reply| Reply { additional: vec![], ..reply.clone() };
        let is_near = ours.length.max(theirs.length) > SMALL - ADDRESS_LENGTH;
        bare(ours) == bare(theirs) && is_near && ours.length.max(theirs.length) <= SMALL
    }),
    (
        "glue that a referral behind a DNAME needs has to fit for nomd (RFC 9471), and for named only in plain referrals",
        |ours, theirs| {
            let has = |records: &[String], what| records.iter().any(|record| record.contains(what));
            ours.is_truncated() && has(&theirs.answer, " dname ") && has(&theirs.authority, " ns ")
        },
    ),
    (
        "a name below a wildcard that is an empty non-terminal: named leaves out the proof that the wildcard has no \
         records, without which the denial does not validate",
        |ours, theirs| {
            let bare = |reply: &Reply| Reply { authority: vec![], ..reply.clone() };
            let more = ours.authority.iter().filter(|record| !theirs.authority.contains(record));
            let is_proof = |record: &String| record.contains(" nsec") || record.contains(" rrsig NSEC");
            if ours.is_truncated() {
                return ours.edns == theirs.edns && theirs.answer.is_empty() && theirs.authority.iter().any(is_proof);
            }
            bare(ours) == bare(theirs)
                && is_part(&theirs.authority, &ours.authority)
                && more.clone().count() == 2
                && more.clone().all(is_proof)
        },
    ),
    (
        "which RRsets of ANY come before the cut, where there is no EDNS, and which is the one of minimal-any",
        |ours, theirs| {
            let bare = |reply: &Reply| Reply { answer: vec![], ..reply.clone() };
            let is_some = !ours.answer.is_empty() && !theirs.answer.is_empty();
            let is_any = ours.question.ends_with(" ANY") || ours.question.ends_with(" RRSIG");
            is_some && is_any && bare(ours) == bare(theirs)
        },
    ),
    ("named truncates where nomd finds room for more: it finds more to compress", |ours, theirs| {
        theirs.is_truncated() && ours.question == theirs.question && is_part(&theirs.answer, &ours.answer)
    }),
];

/// The least that is announced by EDNS, and one byte more.
const SMALL: usize = 513;
/// What an AAAA record takes, and its signature by ECDSA.
const ADDRESS_LENGTH: usize = 28 + 140;

/// Whether all records of the first are among those of the second.
fn is_part(some: &[String], all: &[String]) -> bool {
    some.iter().all(|record| all.contains(record))
}

/// How many queries go to one set of zones.
const PER_ROUND: usize = 1000;
/// How many an ordinary run asks.
const QUERIES: usize = 4000;

/// One set of zones and options.
struct Round {
    signing: Signing,
    options: &'static str,
    has_root: bool,
}

const ROUNDS: &[Round] = &[
    Round { signing: Signing::No, options: "", has_root: false },
    Round { signing: Signing::Nsec, options: "", has_root: false },
    Round { signing: Signing::Nsec3, options: "minimal-responses no;", has_root: false },
    Round { signing: Signing::OptOut, options: "", has_root: false },
    Round { signing: Signing::No, options: "minimal-responses yes; minimal-any yes;", has_root: true },
    Round { signing: Signing::Nsec, options: "minimal-responses no-auth;", has_root: false },
    Round { signing: Signing::Nsec3, options: "minimal-any yes;", has_root: false },
    Round { signing: Signing::No, options: "minimal-responses no; max-udp-size 700;", has_root: false },
];

impl Round {
    fn apexes(&self) -> Vec<&'static str> {
        let apexes = ["example.", "b.example.", "other.test."];
        if self.has_root { [&["."][..], &apexes].concat() } else { apexes.to_vec() }
    }

    fn spec(&self, dice: &mut Dice) -> Spec {
        let apexes = self.apexes();
        let mut zone = |apex: &str| {
            let children: &[&str] = match apex {
                "example." => &["b.example."],
                "." => &["example.", "test."],
                _ => &[],
            };
            let text = zones::zone(dice, apex, &apexes, children);
            let name = if apex == "." { apex } else { apex.trim_end_matches('.') };
            Zone::primary(name, zones::signed(&text, apex, self.signing))
                .with("check-names ignore; check-integrity no; check-mx ignore; check-srv-cname ignore; check-mx-cname ignore;")
        };
        let zones = apexes.iter().map(|apex| zone(apex)).collect();
        let options = format!("rrset-order {{ order none; }}; server-id \"test\"; {}", self.options);
        Spec { zones, options, ..Spec::default() }
    }
}

fn number(variable: &str, default: usize) -> usize {
    std::env::var(variable).ok().and_then(|text| text.parse().ok()).unwrap_or(default)
}

#[test]
fn replies_are_those_of_named() {
    let (first, wanted) = (number("NOMD_SEED", 1), number("NOMD_QUERIES", QUERIES));
    let rounds = wanted.div_ceil(PER_ROUND);
    let mut report = String::new();
    let mut differing = 0;
    for (seed, round) in (first..).zip(ROUNDS.iter().cycle().skip(first - 1)).take(rounds) {
        differing += play(seed, round, &mut report);
    }
    println!("{} queries compared from NOMD_SEED={first} on, {differing} differ", rounds * PER_ROUND);
    assert_eq!(differing, 0, "of {} replies:\n{report}", rounds * PER_ROUND);
}

/// Asks both servers the same and reports what differs. How many do.
fn play(seed: usize, round: &Round, report: &mut String) -> usize {
    let mut dice = Dice(Random::new(seed as u64));
    let spec = round.spec(&mut dice);
    let apexes = round.apexes();
    let queries: Vec<Query> = (0..PER_ROUND).map(|id| queries::query(&mut dice, &apexes, id as u16)).collect();
    let [theirs, ours] = [Kind::Bind, Kind::Nomd].map(|kind| {
        let server = Server::start(kind, &spec);
        for apex in &apexes {
            server.wait_for_serial(apex, 1);
        }
        queries::ask(server.port, &queries)
    });
    let mut differing = 0;
    for ((query, theirs), ours) in queries.iter().zip(theirs).zip(ours) {
        let (theirs, ours) = (Reply::read(theirs.as_deref()), Reply::read(ours.as_deref()));
        if theirs == ours || ACCEPTED.iter().any(|(_, applies)| applies(&ours, &theirs)) {
            continue;
        }
        differing += 1;
        if report.len() < REPORT_BYTES {
            let _ = writeln!(
                report,
                "NOMD_SEED={seed} {:?} {}\n{}\n  named {theirs}  nomd {ours}",
                round.signing, round.options, query.shown
            );
        }
    }
    differing
}

/// No more than so much is reported.
const REPORT_BYTES: usize = 20_000;
