//! What NSD and Knot say to the same queries: nomd follows named and not them, but where it differs from them the
//! difference is of a known class, and one of a new kind is looked at.
//!
//! Compared are the rcode, AA, the answer section, and the authority section where it says what the answer is: in
//! referrals and denials. Case does not count, since NSD keeps none.

use nomd::transfer::random::Random;

use super::queries::{self, Query};
use super::reply::Reply;
use super::rounds::WITH_OTHERS;
use super::{Dice, replies};
use crate::peers::Kind;

/// A class of differences: what it is, and whether it applies to nomd's reply and the other server's.
type Class = (&'static str, fn(&Essence, &Essence) -> bool);

const CLASSES: &[Class] = &[
    ("nomd, as named, gives up on chains that do not end: SERVFAIL; the others return what there is", |ours, _| {
        ours.rcode == SERVFAIL
    }),
    ("how far a chain of aliases is followed, and what is said about its end", |ours, theirs| {
        let is_alias = |record: &String| record.contains(" cname ") || record.contains(" dname ");
        ours.answer.iter().any(is_alias) && theirs.answer.iter().any(is_alias)
    }),
    ("a DNAME too long to follow: YXDOMAIN with or without AA", |ours, theirs| {
        [ours.rcode, theirs.rcode] == [YXDOMAIN; 2]
    }),
    ("which records prove an absence", |ours, theirs| {
        let is_proof = |record: &&String| !record.contains(" nsec") && !record.contains(" rrsig nsec");
        let bare = |essence: &Essence| essence.authority.iter().filter(is_proof).cloned().collect::<Vec<_>>();
        (ours.rcode, ours.is_authoritative, &ours.answer) == (theirs.rcode, theirs.is_authoritative, &theirs.answer)
            && bare(ours) == bare(theirs)
    }),
];
const SERVFAIL: u16 = 2;
const YXDOMAIN: u16 = 6;
const QUERIES: u16 = 400;

/// What is compared of a reply.
#[derive(Debug, Clone, PartialEq, Eq)]
struct Essence {
    rcode: u16,
    is_authoritative: bool,
    answer: Vec<String>,
    /// Empty where the answer speaks for itself.
    authority: Vec<String>,
}

impl From<&Reply> for Essence {
    fn from(reply: &Reply) -> Self {
        let reply = reply.folded();
        let authority = if reply.answer.is_empty() { reply.authority.clone() } else { vec![] };
        Self { rcode: reply.rcode(), is_authoritative: reply.is_authoritative(), answer: reply.answer, authority }
    }
}

#[test]
fn differences_from_nsd_and_knot_are_known() {
    let mut unknown = vec![];
    let mut total = 0;
    for (seed, round) in (1..).zip(WITH_OTHERS) {
        let mut dice = Dice(Random::new(seed));
        let (zones, names) = round.zones(&mut dice);
        let spec = round.spec(zones, &[]);
        let queries: Vec<Query> = (0..QUERIES).map(|id| queries::plain(&mut dice, &names, id)).collect();
        let [ours, nsd, knot] = replies([Kind::Nomd, Kind::Nsd, Kind::Knot], &spec, &round.apexes(), &queries);
        for (kind, theirs) in [(Kind::Nsd, nsd), (Kind::Knot, knot)] {
            total += theirs.len();
            let found = sort(&queries, &ours, &theirs);
            println!("{kind:?} {:?}: {:?} of {QUERIES} in each class", round.signing, found.counts);
            unknown.extend(found.unknown.into_iter().map(|text| format!("NOMD_SEED={seed} {kind:?} {text}")));
        }
    }
    CLASSES.iter().for_each(|(reason, _)| println!("{reason}"));
    println!("{} of {total} in no class", unknown.len());
    assert!(unknown.is_empty(), "{}", unknown.join("\n"));
}

/// How many replies differ in each class, and those that differ in none.
struct Sorted {
    counts: [usize; CLASSES.len()],
    unknown: Vec<String>,
}

fn sort(queries: &[Query], ours: &[Reply], theirs: &[Reply]) -> Sorted {
    let mut sorted = Sorted { counts: [0; CLASSES.len()], unknown: vec![] };
    for ((query, our_reply), their_reply) in queries.iter().zip(ours).zip(theirs) {
        let (ours, theirs) = (Essence::from(our_reply), Essence::from(their_reply));
        if ours == theirs {
            continue;
        }
        match CLASSES.iter().position(|(_, applies)| applies(&ours, &theirs)) {
            Some(class) => sorted.counts[class] += 1,
            None => sorted.unknown.push(format!("{}\n  nomd {our_reply}  other {their_reply}", query.shown)),
        }
    }
    sorted
}
