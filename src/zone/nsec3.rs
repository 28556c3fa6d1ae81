//! The NSEC3 chain of a zone: its parameters, the hash of names under them (RFC 5155 section 5), and the two records
//! that stand in most of its negative answers.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use sha1::block_api::compress;
use sha1::{Digest, Sha1};

use super::key::HASH_LENGTH;
use super::trie::Leaf;
use crate::dns::NameRef;
use crate::dns::name::MAX_NAME;

/// The parameters of a chain.
pub(super) struct Nsec3 {
    iterations: u16,
    salt: Box<[u8]>,
    /// What proves that the apex is an encloser, and that there is no wildcard right below it.
    pub(super) apex: Option<ApexProofs>,
}

/// Where two NSEC3 owners lie, looked up once for each version.
#[derive(Clone, Copy)]
pub(super) struct ApexProofs {
    /// The one that matches the apex.
    pub(super) matching: Option<Leaf>,
    /// The one that covers the wildcard below the apex, if that does not exist.
    pub(super) before_wildcard: Option<Leaf>,
}

impl Nsec3 {
    /// The parameters in an NSEC3PARAM record, unless its flags say that its chain is not complete, or its hash is
    /// unknown.
    pub(super) fn parse(rdata: &[u8]) -> Option<Self> {
        let (&[algorithm, flags, high, low, salt_len], rest) = rdata.split_first_chunk()?;
        let salt = rest.get(..usize::from(salt_len))?.into();
        let iterations = u16::from_be_bytes([high, low]);
        (flags == 0 && algorithm == SHA1).then_some(Self { iterations, salt, apex: None })
    }

    /// The hash of a name.
    pub(super) fn hash(&self, name: NameRef<'_>) -> [u8; HASH_LENGTH] {
        let first = short_digest(name.as_bytes(), &self.salt, true);
        let first = first.unwrap_or_else(|| digest(name.folded(&mut [0; MAX_NAME]), &self.salt));
        (0..self.iterations).fold(first, |hash, _| digest(&hash, &self.salt))
    }
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

/// The one hash of NSEC3 (RFC 5155 section 11).
const SHA1: u8 = 1;

/// A block of SHA-1, what stands behind the text in the last one, and the state before the first (FIPS 180-4).
const BLOCK_LENGTH: usize = 64;
const END_OF_TEXT: u8 = 0x80;
const INITIAL_STATE: [u32; 5] = [0x6745_2301, 0xefcd_ab89, 0x98ba_dcfe, 0x1032_5476, 0xc3d2_e1f0];

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Name;

    /// The first name of RFC 5155 appendix A.
    #[test]
    fn names_are_hashed_with_salt_and_iterations_whatever_their_case() {
        let chain = Nsec3::parse(&[1, 0, 0, 12, 4, 0xaa, 0xbb, 0xcc, 0xdd]).unwrap();
        let encoding = data_encoding::BASE32HEX_NOPAD;
        for name in ["example.", "EXAMPLE."] {
            let hash = chain.hash(name.parse::<Name>().unwrap().as_ref());
            assert_eq!(encoding.encode(&hash), "0P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM");
        }
    }

    #[test]
    fn a_chain_that_is_not_complete_or_of_another_hash_is_none() {
        assert!(Nsec3::parse(&[1, 1, 0, 0, 0]).is_none());
        assert!(Nsec3::parse(&[2, 0, 0, 0, 0]).is_none());
        assert!(Nsec3::parse(&[1, 0, 0, 0, 2, 0xaa]).is_none());
    }

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
