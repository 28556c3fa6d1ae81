//! Proofs that something does not exist: the NSEC records of RFC 4035 section 3.1.3 and the NSEC3 records of RFC 5155
//! section 7.2.
//!
//! Each case names the records it needs; which node holds them is asked of the zone version. A record that serves two
//! ends is written once.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use sha1::block_api::compress;
use sha1::{Digest, Sha1};

use super::query::{Answer, Place};
use crate::dns::message::Section;
use crate::dns::name::MAX_NAME;
use crate::dns::writer::Full;
use crate::dns::{NameBuf, NameRef, Rtype};
use crate::zone::{Denial, Node, ZoneVersion};

/// Length of a SHA-1 digest, the only hash of NSEC3.
const HASH_LENGTH: usize = 20;
/// The only NSEC3 hash algorithm.
const SHA1: u8 = 1;

/// A positive answer from a wildcard: the name itself does not exist.
pub(super) fn wildcard_answer(answer: &mut Answer<'_, '_>, place: &Place<'_>) -> Result<(), Full> {
    if !answer.records.dnssec_ok {
        return Ok(());
    }
    match place.version.denial() {
        Denial::None => Ok(()),
        Denial::Nsec => add_nsec_of_found(answer, place),
        Denial::Nsec3 { .. } => {
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
        (Denial::Nsec3 { .. }, Some(source)) if is_wildcard => {
            add_closest_encloser(answer, place, *name, found.encloser_labels)?;
            add_matching(answer, place, source.owner().as_ref()).map(|_| ())
        }
        (Denial::Nsec3 { .. }, None) if is_wildcard => {
            let provable = add_closest_encloser(answer, place, *name, found.encloser_labels)?;
            let wildcard = NameBuf::join(b"\x01*", ancestor(*name, provable));
            wildcard.map_or(Ok(()), |wildcard| add_matching_or_encloser(answer, place, wildcard.as_ref()))
        }
        (Denial::Nsec3 { .. }, _) => add_matching_or_encloser(answer, place, *name),
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
        Denial::Nsec3 { .. } => {
            let provable = add_closest_encloser(answer, place, *name, found.encloser_labels)?;
            let wildcard = NameBuf::join(b"\x01*", ancestor(*name, provable));
            wildcard.map_or(Ok(()), |wildcard| add_covering(answer, place, wildcard.as_ref()))
        }
    }
}

/// A referral to a zone without DS.
pub(super) fn insecure_referral(answer: &mut Answer<'_, '_>, place: &Place<'_>, cut: &Node<'_>) -> Result<(), Full> {
    match place.version.denial() {
        Denial::None => Ok(()),
        Denial::Nsec => add_proof(answer, place, cut, Rtype::NSEC),
        Denial::Nsec3 { .. } => add_matching_or_encloser(answer, place, cut.owner().as_ref()),
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
    let Some(hash) = hash(place.version, name) else { return Ok(false) };
    let Some(node) = place.version.nsec3_matching(&hash, answer.way) else { return Ok(false) };
    add_proof(answer, place, &node, Rtype::NSEC3).map(|()| true)
}

fn add_covering(answer: &mut Answer<'_, '_>, place: &Place<'_>, name: NameRef<'_>) -> Result<(), Full> {
    let Some(hash) = hash(place.version, name) else { return Ok(()) };
    let node = place.version.nsec3_covering(&hash, answer.way);
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

/// The hash of a name under the zone's NSEC3 parameters (RFC 5155 section 5).
fn hash(version: &ZoneVersion, name: NameRef<'_>) -> Option<[u8; HASH_LENGTH]> {
    let Denial::Nsec3 { algorithm: SHA1, iterations, salt } = version.denial() else { return None };
    let first = short_digest(name.as_bytes(), salt, true);
    let first = first.unwrap_or_else(|| digest(name.folded(&mut [0; MAX_NAME]), salt));
    Some((0..iterations).fold(first, |hash, _| digest(&hash, salt)))
}

/// SHA-1 of both, one behind the other.
fn digest(bytes: &[u8], salt: &[u8]) -> [u8; HASH_LENGTH] {
    short_digest(bytes, salt, false)
        .unwrap_or_else(|| Sha1::new().chain_update(bytes).chain_update(salt).finalize().into())
}

/// The same where one block holds it all, as it does for most names: nothing has to be kept for a second one. The
/// bytes in front of the salt are taken in lower case if they are a name.
fn short_digest(bytes: &[u8], salt: &[u8], is_name: bool) -> Option<[u8; HASH_LENGTH]> {
    let mut block = [0; BLOCK_LENGTH];
    let (text, length) = block.split_last_chunk_mut::<8>()?;
    let all = bytes.len().saturating_add(salt.len());
    let front = text.get_mut(..bytes.len())?;
    front.copy_from_slice(bytes);
    if is_name {
        front.make_ascii_lowercase();
    }
    text.get_mut(bytes.len()..all)?.copy_from_slice(salt);
    *text.get_mut(all)? = END_OF_TEXT;
    *length = (all as u64).wrapping_mul(8).to_be_bytes();
    let mut state = INITIAL_STATE;
    compress(&mut state, &[block]);
    state.map(u32::to_be_bytes).as_flattened().first_chunk().copied()
}

/// A block of SHA-1, what stands behind the text in the last one, and the state before the first (FIPS 180-4).
const BLOCK_LENGTH: usize = 64;
const END_OF_TEXT: u8 = 0x80;
const INITIAL_STATE: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn short_texts_have_the_digest_that_long_ones_have() {
        let text = *b"only small letters, for names are hashed in lower case whatever they come in, and salts not";
        for (bytes, salt) in (0..60).flat_map(|bytes| (0..9).map(move |salt| (bytes, salt))) {
            let (bytes, salt) = (&text[..bytes], &text[..salt]);
            let whole: [u8; HASH_LENGTH] = Sha1::digest([bytes, salt].concat()).into();
            assert_eq!(digest(bytes, salt), whole);
            let is_short = bytes.len() + salt.len() < BLOCK_LENGTH - 8;
            assert_eq!(short_digest(bytes, salt, false), is_short.then_some(whole));
            assert_eq!(short_digest(&bytes.to_ascii_uppercase(), salt, true), is_short.then_some(whole));
        }
    }
}
