//! What the NSEC records of a reply deny, for differences in which the proof of one server is none.

use nomd::dns::NameBuf;

use super::reply::Reply;

/// Whether one reply differs from the other only in that, of the names that have to be denied, its NSEC records cover one
/// that those of the other do not: the name that is asked for, which has an asterisk, or a wildcard above it.
pub fn denies_more(ours: &Reply, theirs: &Reply) -> bool {
    let bare = |reply: &Reply| {
        let authority = reply.authority.iter().filter(|record| !is_proof(record)).cloned().collect();
        Reply { authority, ..reply.clone() }
    };
    let asked = ours.question.split(' ').next().unwrap_or_default();
    let has_asterisk = asked.split('.').any(|label| label == "*");
    let must_be_denied = || [asked.to_owned()].into_iter().chain(wildcards_above(asked));
    has_asterisk
        && bare(ours) == bare(theirs)
        && must_be_denied().any(|name| is_covered(&name, ours) && !is_covered(&name, theirs))
        && must_be_denied().all(|name| is_covered(&name, ours) || !is_covered(&name, theirs))
}

fn is_proof(record: &str) -> bool {
    record.contains(" in nsec ") || record.contains(" in rrsig NSEC ") || record.contains(" in rrsig nsec ")
}

/// The wildcards that the name could be made from.
fn wildcards_above(name: &str) -> impl Iterator<Item = String> {
    name.match_indices('.').map(|(at, _)| format!("*{}", &name[at..]))
}

/// Whether an NSEC record of the reply says that there is no such name, or nothing but names below it.
fn is_covered(name: &str, reply: &Reply) -> bool {
    let name_of = |text: &str| NameBuf::from_text(text.as_bytes(), None).unwrap();
    let name = name_of(name);
    reply.authority.iter().filter(|record| record.contains(" in nsec ")).any(|record| {
        let words: Vec<&str> = record.split(' ').collect();
        let (owner, next) = (name_of(words[0]), name_of(words[4]));
        owner < name && (name < next || next <= owner)
    })
}
