//! Differences between nomd and named that are meant, each with its reason.

use super::denials::denies_more;
use super::queries::Query;
use super::reply::Reply;
use super::rounds::NO_CASE_COMPRESS;

/// A rule that accepts a difference: the reason, and whether it applies to nomd's reply and named's.
pub type Accepted = (&'static str, fn(&Query, &Reply, &Reply) -> bool);

/// Which rule accepts a difference, if one does. In zones with `has_spellings` a name may have several.
pub fn accepting(query: &Query, ours: &Reply, theirs: &Reply, has_spellings: bool) -> Option<usize> {
    let first = |ours: &Reply, theirs: &Reply| ACCEPTED.iter().position(|(_, applies)| applies(query, ours, theirs));
    // Later rules judge what is left of a difference.
    let ours = &ours.without_later_options();
    if has_spellings && ours != theirs && ours.folded() == theirs.folded() {
        return ACCEPTED.iter().position(|(reason, _)| *reason == SEVERAL_SPELLINGS);
    }
    let is_spelled = || query.client == NO_CASE_COMPRESS || theirs.spells_owners_differently();
    // Whatever else is in it is judged without the spelling.
    first(ours, theirs).or_else(|| is_spelled().then(|| first(&ours.folded(), &theirs.folded())).flatten())
}

const SEVERAL_SPELLINGS: &str = "a name that stands in the zone in several spellings, as ldns-signzone leaves it: named \
                                 keeps that of each RRset, nomd one for the name";

pub const ACCEPTED: &[Accepted] = &[
    (
        "options that named has since 9.20: ZONEVERSION and the extended error of what is not served",
        |_, ours, theirs| ours == theirs,
    ),
    (
        "named adds addresses one by one and then what signatures still fit; nomd adds an address with its signature or \
         not at all, so that a validator never gets one it can't use",
        |_, ours, theirs| {
            let bare = |reply: &Reply| Reply { additional: vec![], ..reply.clone() };
            bare(ours) == bare(theirs)
                && is_part(&ours.additional, &theirs.additional)
                && theirs.additional.iter().any(|record| record.contains(" rrsig "))
        },
    ),
    ("which optional addresses still fit into a small message", |_, ours, theirs| {
        let bare = |reply: &Reply| Reply { additional: vec![], ..reply.clone() };
        let is_near = ours.length.max(theirs.length) > SMALL - ADDRESS_LENGTH;
        bare(ours) == bare(theirs) && is_near && ours.length.max(theirs.length) <= SMALL
    }),
    (
        "glue that a referral behind an alias needs has to fit for nomd (RFC 9471), and for named only in plain referrals",
        |_, ours, theirs| {
            let has = |records: &[String], what| records.iter().any(|record| record.contains(what));
            ours.is_truncated() && !theirs.answer.is_empty() && has(&theirs.authority, " ns ")
        },
    ),
    (
        "a name below a wildcard that is an empty non-terminal: named leaves out the proof that the wildcard has no \
         records, without which the denial does not validate",
        |_, ours, theirs| {
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
        "names below an asterisk in a zone with NSEC: the record with which named denies a name, or the wildcard for it, is of \
         another part of the zone and does not cover it, so that the denial does not validate; nomd's does",
        |_, ours, theirs| denies_more(ours, theirs),
    ),
    (
        "which RRsets of ANY come before the cut, where there is no EDNS, and which is the one of minimal-any",
        |_, ours, theirs| {
            let bare = |reply: &Reply| Reply { answer: vec![], ..reply.clone() };
            let is_some = !ours.answer.is_empty() && !theirs.answer.is_empty();
            let is_any = ours.question.ends_with(" ANY") || ours.question.ends_with(" RRSIG");
            is_some && is_any && bare(ours) == bare(theirs)
        },
    ),
    ("the data of records that no query needs are not looked at", |query, ours, theirs| {
        query.is_damaged && theirs.rcode() == FORMERR && ours.rcode() != FORMERR
    }),
    ("a name has no bytes of the header in it: FORMERR before any question", |query, ours, _| {
        query.is_damaged && ours.rcode() == FORMERR && ours.question.is_empty()
    }),
    (SEVERAL_SPELLINGS, |_, ours, theirs| ours.folded() == theirs.folded() && theirs.spells_owners_differently()),
    ("named needs but the first glue of servers below the cut to fit, nomd all of it (RFC 9471)", |_, ours, theirs| {
        let is_referral = theirs.answer.is_empty() && theirs.authority.iter().any(|record| record.contains(" ns "));
        is_referral && ours.is_truncated() && !theirs.is_truncated() && ours.question == theirs.question
    }),
    ("nomd proves the absence of SIG, for which there has to be room, named does not", |_, ours, theirs| {
        let bare = |reply: &Reply| Reply { authority: vec![], ..reply.clone() };
        let is_like = bare(ours) == bare(theirs) || ours.is_truncated();
        ours.question.ends_with(" SIG") && theirs.answer.is_empty() && is_like
    }),
    (
        "nomd keeps room for ZONEVERSION, and does not point to names in data of types that are not compressed",
        |_, ours, theirs| {
            let is_near = [SMALL, EDNS_SIZE].iter().any(|limit| (limit - LITTLE..=*limit).contains(&theirs.length));
            ours.is_truncated() && !theirs.is_truncated() && is_near && ours.question == theirs.question
        },
    ),
    ("which of several faults of a packet is found first", |query, ours, theirs| {
        let bare = |reply: &Reply| Reply { edns: vec![], ..reply.clone() };
        query.is_damaged && [ours, theirs].map(Reply::rcode) == [FORMERR; 2] && bare(ours) == bare(theirs)
    }),
    (
        "to clients of no-case-compress, the order of records in a section decides which spelling others take over, and \
         the table of names forgets some",
        |query, ours, theirs| query.client == NO_CASE_COMPRESS && ours.folded() == theirs.folded(),
    ),
    ("named truncates where nomd finds room for more: it finds more to compress", |_, ours, theirs| {
        let is_question_alike = ours.question == theirs.question;
        theirs.is_truncated() && is_question_alike && is_part(&theirs.folded().answer, &ours.folded().answer)
    }),
];

/// The least that is announced by EDNS, and one byte more.
const SMALL: usize = 513;
/// What both announce.
const EDNS_SIZE: usize = 1232;
/// What one more option takes, or a name that is written once more.
const LITTLE: usize = 60;
/// What an AAAA record takes, and its signature by ECDSA.
const ADDRESS_LENGTH: usize = 28 + 140;

/// Whether all records of the first are among those of the second.
fn is_part(some: &[String], all: &[String]) -> bool {
    some.iter().all(|record| all.contains(record))
}

const FORMERR: u16 = 1;
