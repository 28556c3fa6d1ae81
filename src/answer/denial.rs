//! Proofs that something does not exist: the NSEC records of RFC 4035 section 3.1.3 and the NSEC3 records of RFC 5155
//! section 7.2.
//!
//! Each case names the records it needs; which node holds them is asked of the zone version. A record that serves two
//! ends is written once.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::query::{Answer, Place};
use crate::dns::message::Section;
use crate::dns::writer::Full;
use crate::dns::{NameRef, Rtype};
use crate::zone::{Denial, Node};

/// A positive answer from a wildcard: the name itself does not exist.
pub(super) fn wildcard_answer(answer: &mut Answer<'_, '_>, place: &Place<'_>) -> Result<(), Full> {
    if !answer.records.dnssec_ok {
        return Ok(());
    }
    match place.version.denial() {
        Denial::None => Ok(()),
        Denial::Nsec => add_nsec_of_found(answer, place),
        Denial::Nsec3 => {
            let next_closer = ancestor(place.name, place.found.encloser_labels.saturating_add(1));
            add_covering(answer, place, next_closer)
        }
    }
}

/// The name exists, or is matched by the wildcard at `node`, but the type does not. No node: the name, or the wildcard,
/// is an empty non-terminal.
pub(super) fn no_data(
    answer: &mut Answer<'_, '_>,
    place: &Place<'_>,
    node: Option<&Node<'_>>,
    is_wildcard: bool,
) -> Result<(), Full> {
    let Place { name, found, .. } = place;
    match (place.version.denial(), node) {
        (Denial::None, _) => Ok(()),
        (Denial::Nsec, Some(node)) => {
            add_proof(answer, place, node, Rtype::NSEC)?;
            if is_wildcard { add_nsec_of_found(answer, place) } else { Ok(()) }
        }
        (Denial::Nsec, None) if is_wildcard => no_name(answer, place),
        (Denial::Nsec, None) => add_nsec_of_found(answer, place),
        (Denial::Nsec3, Some(source)) if is_wildcard => {
            add_closest_encloser(answer, place, *name, found.encloser_labels)?;
            add_matching(answer, place, source.owner().as_ref()).map(|_| ())
        }
        (Denial::Nsec3, None) if is_wildcard => {
            let provable = add_closest_encloser(answer, place, *name, found.encloser_labels)?;
            let wildcard = ancestor(*name, provable).wildcard();
            wildcard.map_or(Ok(()), |wildcard| add_matching_or_encloser(answer, place, wildcard.as_ref()))
        }
        (Denial::Nsec3, _) => add_matching_or_encloser(answer, place, *name),
    }
}

/// Neither the name nor a wildcard for it exists.
pub(super) fn no_name(answer: &mut Answer<'_, '_>, place: &Place<'_>) -> Result<(), Full> {
    let Place { version, name, found, .. } = place;
    match version.denial() {
        Denial::None => Ok(()),
        Denial::Nsec => {
            add_nsec_of_found(answer, place)?;
            let labels = found.encloser_labels.saturating_sub(version.apex().label_count());
            let node = version.nsec_of_wildcard(labels, answer.way);
            node.map_or(Ok(()), |node| add_proof(answer, place, &node, Rtype::NSEC))
        }
        Denial::Nsec3 => {
            let provable = add_closest_encloser(answer, place, *name, found.encloser_labels)?;
            let node = version.nsec3_before_wildcard(ancestor(*name, provable), answer.way);
            node.map_or(Ok(()), |node| add_proof(answer, place, &node, Rtype::NSEC3))
        }
    }
}

/// A referral to a zone without DS.
pub(super) fn insecure_referral(answer: &mut Answer<'_, '_>, place: &Place<'_>, cut: &Node<'_>) -> Result<(), Full> {
    match place.version.denial() {
        Denial::None => Ok(()),
        Denial::Nsec => add_proof(answer, place, cut, Rtype::NSEC),
        Denial::Nsec3 => add_matching_or_encloser(answer, place, cut.owner().as_ref()),
    }
}

/// The NSEC3 of the name; with opt-out it may have none, and then its closest provable encloser and the record that
/// covers the next closer name stand for it (RFC 5155 sections 7.2.4 and 7.2.7).
fn add_matching_or_encloser(answer: &mut Answer<'_, '_>, place: &Place<'_>, name: NameRef<'_>) -> Result<(), Full> {
    if add_matching(answer, place, name)? {
        return Ok(());
    }
    add_closest_encloser(answer, place, name, name.label_count().saturating_sub(1)).map(|_| ())
}

/// The closest encloser proof of RFC 5155 section 7.2.1, from an encloser of so many labels upwards. Says how many the
/// encloser has that it proves: with opt-out an empty non-terminal may have no record of its own.
fn add_closest_encloser(
    answer: &mut Answer<'_, '_>,
    place: &Place<'_>,
    name: NameRef<'_>,
    encloser_labels: usize,
) -> Result<usize, Full> {
    let lowest = place.version.apex().label_count();
    for labels in (lowest..=encloser_labels).rev() {
        if add_matching(answer, place, ancestor(name, labels))? {
            return add_covering(answer, place, ancestor(name, labels.saturating_add(1))).map(|()| labels);
        }
    }
    Ok(encloser_labels)
}

fn add_matching(answer: &mut Answer<'_, '_>, place: &Place<'_>, name: NameRef<'_>) -> Result<bool, Full> {
    let Some(node) = place.version.nsec3_of(name, answer.way) else { return Ok(false) };
    add_proof(answer, place, &node, Rtype::NSEC3).map(|()| true)
}

fn add_covering(answer: &mut Answer<'_, '_>, place: &Place<'_>, name: NameRef<'_>) -> Result<(), Full> {
    let node = place.version.nsec3_before(name, answer.way);
    node.map_or(Ok(()), |node| add_proof(answer, place, &node, Rtype::NSEC3))
}

/// The NSEC that matches or covers the name, which is the one that was looked up last.
fn add_nsec_of_found(answer: &mut Answer<'_, '_>, place: &Place<'_>) -> Result<(), Full> {
    let node = place.version.nsec_of_found(answer.way);
    node.map_or(Ok(()), |node| add_proof(answer, place, &node, Rtype::NSEC))
}

fn add_proof(answer: &mut Answer<'_, '_>, place: &Place<'_>, node: &Node<'_>, rtype: Rtype) -> Result<(), Full> {
    let rrset = node.rrset(rtype);
    rrset.map_or(Ok(()), |rrset| answer.add_at(Section::Authority, place, node, rrset, rrset.ttl()))
}

/// The name with only its last `labels` labels.
fn ancestor(name: NameRef<'_>, labels: usize) -> NameRef<'_> {
    let skipped = name.label_count().saturating_sub(labels);
    name.ancestors().nth(skipped).unwrap_or(NameRef::ROOT)
}
