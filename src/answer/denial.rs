//! Proofs that something does not exist: the NSEC records of RFC 4035 section 3.1.3 and the NSEC3 records of RFC 5155
//! section 7.2.
//!
//! Each case names the records it needs; which node holds them is asked of the zone version. A record that serves two
//! ends is written once.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use sha1::{Digest, Sha1};

use super::query::Answer;
use crate::dns::message::Section;
use crate::dns::name::MAX_NAME;
use crate::dns::writer::{Full, Owner};
use crate::dns::{NameBuf, NameRef, Rtype};
use crate::zone::{Denial, Find, Node, ZoneVersion};

/// Length of a SHA-1 digest, the only hash of NSEC3.
const HASH_LENGTH: usize = 20;
/// The only NSEC3 hash algorithm.
const SHA1: u8 = 1;

/// A positive answer from a wildcard: the name itself does not exist.
pub(super) fn wildcard_answer(
    answer: &mut Answer<'_, '_>,
    version: &ZoneVersion,
    name: NameRef<'_>,
    found: &Find<'_>,
) -> Result<(), Full> {
    if !answer.records.dnssec_ok {
        return Ok(());
    }
    match version.denial() {
        Denial::None => Ok(()),
        Denial::Nsec => add_nsec(answer, version.nsec_at_or_before(name)),
        Denial::Nsec3 { .. } => {
            let next_closer = ancestor(name, found.encloser_labels.saturating_add(1));
            add_covering(answer, version, next_closer)
        }
    }
}

/// The name exists, or is matched by the wildcard at `node`, but the type does not. No node: the name, or the wildcard,
/// is an empty non-terminal.
pub(super) fn no_data(
    answer: &mut Answer<'_, '_>,
    version: &ZoneVersion,
    name: NameRef<'_>,
    found: &Find<'_>,
    node: Option<&Node<'_>>,
    is_wildcard: bool,
) -> Result<(), Full> {
    match (version.denial(), node) {
        (Denial::None, _) => Ok(()),
        (Denial::Nsec, Some(node)) => {
            add_nsec(answer, Some(*node))?;
            if is_wildcard { add_nsec(answer, version.nsec_at_or_before(name)) } else { Ok(()) }
        }
        (Denial::Nsec, None) if is_wildcard => no_name(answer, version, name, found),
        (Denial::Nsec, None) => add_nsec(answer, version.nsec_at_or_before(name)),
        (Denial::Nsec3 { .. }, Some(source)) if is_wildcard => {
            add_closest_encloser(answer, version, name, found.encloser_labels)?;
            add_matching(answer, version, source.owner().as_ref()).map(|_| ())
        }
        (Denial::Nsec3 { .. }, None) if is_wildcard => {
            let provable = add_closest_encloser(answer, version, name, found.encloser_labels)?;
            let wildcard = NameBuf::join(b"\x01*", ancestor(name, provable));
            wildcard.map_or(Ok(()), |wildcard| add_matching_or_encloser(answer, version, wildcard.as_ref()))
        }
        (Denial::Nsec3 { .. }, _) => add_matching_or_encloser(answer, version, name),
    }
}

/// Neither the name nor a wildcard for it exists.
pub(super) fn no_name(
    answer: &mut Answer<'_, '_>,
    version: &ZoneVersion,
    name: NameRef<'_>,
    found: &Find<'_>,
) -> Result<(), Full> {
    let wildcard_below = |labels| NameBuf::join(b"\x01*", ancestor(name, labels));
    match version.denial() {
        Denial::None => Ok(()),
        Denial::Nsec => {
            add_nsec(answer, version.nsec_at_or_before(name))?;
            let wildcard = wildcard_below(found.encloser_labels);
            wildcard.map_or(Ok(()), |wildcard| add_nsec(answer, version.nsec_at_or_before(wildcard.as_ref())))
        }
        Denial::Nsec3 { .. } => {
            let provable = add_closest_encloser(answer, version, name, found.encloser_labels)?;
            wildcard_below(provable).map_or(Ok(()), |wildcard| add_covering(answer, version, wildcard.as_ref()))
        }
    }
}

/// A referral to a zone without DS.
pub(super) fn insecure_referral(
    answer: &mut Answer<'_, '_>,
    version: &ZoneVersion,
    cut: &Node<'_>,
) -> Result<(), Full> {
    match version.denial() {
        Denial::None => Ok(()),
        Denial::Nsec => add_nsec(answer, Some(*cut)),
        Denial::Nsec3 { .. } => add_matching_or_encloser(answer, version, cut.owner().as_ref()),
    }
}

/// The NSEC3 of the name; with opt-out it may have none, and then its closest provable encloser and the record that
/// covers the next closer name stand for it (RFC 5155 sections 7.2.4 and 7.2.7).
fn add_matching_or_encloser(answer: &mut Answer<'_, '_>, version: &ZoneVersion, name: NameRef<'_>) -> Result<(), Full> {
    if add_matching(answer, version, name)? {
        return Ok(());
    }
    add_closest_encloser(answer, version, name, name.label_count().saturating_sub(1)).map(|_| ())
}

/// The closest encloser proof of RFC 5155 section 7.2.1, from an encloser of so many labels upwards. Says how many the
/// encloser has that it proves: with opt-out an empty non-terminal may have no record of its own.
fn add_closest_encloser(
    answer: &mut Answer<'_, '_>,
    version: &ZoneVersion,
    name: NameRef<'_>,
    encloser_labels: usize,
) -> Result<usize, Full> {
    let lowest = version.apex().label_count();
    for labels in (lowest..=encloser_labels).rev() {
        if add_matching(answer, version, ancestor(name, labels))? {
            return add_covering(answer, version, ancestor(name, labels.saturating_add(1))).map(|()| labels);
        }
    }
    Ok(encloser_labels)
}

fn add_matching(answer: &mut Answer<'_, '_>, version: &ZoneVersion, name: NameRef<'_>) -> Result<bool, Full> {
    let Some(node) = hash(version, name).and_then(|hash| version.nsec3_matching(&hash)) else { return Ok(false) };
    add_proof(answer, &node, Rtype::NSEC3).map(|()| true)
}

fn add_covering(answer: &mut Answer<'_, '_>, version: &ZoneVersion, name: NameRef<'_>) -> Result<(), Full> {
    let node = hash(version, name).and_then(|hash| version.nsec3_covering(&hash));
    node.map_or(Ok(()), |node| add_proof(answer, &node, Rtype::NSEC3))
}

fn add_nsec(answer: &mut Answer<'_, '_>, node: Option<Node<'_>>) -> Result<(), Full> {
    node.map_or(Ok(()), |node| add_proof(answer, &node, Rtype::NSEC))
}

fn add_proof(answer: &mut Answer<'_, '_>, node: &Node<'_>, rtype: Rtype) -> Result<(), Full> {
    let owner = node.owner();
    let rrset = node.rrset(rtype);
    rrset.map_or(Ok(()), |rrset| answer.records.add(Section::Authority, Owner::Name(owner.as_ref()), rrset))
}

/// The name with only its last `labels` labels.
fn ancestor(name: NameRef<'_>, labels: usize) -> NameRef<'_> {
    let skipped = name.label_count().saturating_sub(labels);
    name.ancestors().nth(skipped).unwrap_or(NameRef::ROOT)
}

/// The hash of a name under the zone's NSEC3 parameters (RFC 5155 section 5).
fn hash(version: &ZoneVersion, name: NameRef<'_>) -> Option<[u8; HASH_LENGTH]> {
    let Denial::Nsec3 { algorithm: SHA1, iterations, salt } = version.denial() else { return None };
    let once =
        |bytes: &[u8]| -> [u8; HASH_LENGTH] { Sha1::new().chain_update(bytes).chain_update(salt).finalize().into() };
    Some((0..iterations).fold(once(name.folded(&mut [0; MAX_NAME])), |hash, _| once(&hash)))
}
