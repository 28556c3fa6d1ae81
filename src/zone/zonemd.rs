//! Digests over whole zones (RFC 8976): made, and held against the ZONEMD records of the zone.
//!
//! In: a zone version. Out: the digest of its records in canonical order and form (RFC 4034 section 6), or a verdict
//! over what the zone says of itself, or the next version with records that are true. The records are hashed as the
//! walk meets them; nothing of the zone is copied. The owners of NSEC3 records, which the store keeps apart, are woven
//! into the names. Signatures are nobody's business here: in a signed zone a digest proves as much as its own signature
//! does.

use std::fmt;

use data_encoding::HEXLOWER;
use sha2::{Digest, Sha384, Sha512};

use super::builder::Limits;
use super::contents::ZoneVersion;
use super::edit::EditError;
use super::node::{Node, Rrset};
use crate::dns::{Rtype, Serial, rdata};

/// How the records of a zone are hashed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Hash {
    /// SHA-384, which every implementation has.
    Sha384,
    /// SHA-512.
    Sha512,
}

impl Hash {
    /// The hash of this number in ZONEMD records.
    fn from_number(number: u8) -> Option<Self> {
        match number {
            1 => Some(Self::Sha384),
            2 => Some(Self::Sha512),
            _ => None,
        }
    }

    fn number(self) -> u8 {
        match self {
            Self::Sha384 => 1,
            Self::Sha512 => 2,
        }
    }

    /// The digest of all records of a zone but its ZONEMD records at the apex and their signatures.
    pub fn digest(self, version: &ZoneVersion) -> Vec<u8> {
        match self {
            Self::Sha384 => hash_zone::<Sha384>(version),
            Self::Sha512 => hash_zone::<Sha512>(version),
        }
    }
}

impl fmt::Display for Hash {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Sha384 => "SHA-384",
            Self::Sha512 => "SHA-512",
        })
    }
}

/// Why a zone is not what its ZONEMD records say it is, or why they say nothing.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ZonemdFault {
    /// There is none.
    #[error("there is no ZONEMD record")]
    Absent,
    /// The record is about another version.
    #[error("serial mismatch: the ZONEMD record is for {record}, the SOA serial is {zone}")]
    Serial {
        /// The serial in the record.
        record: Serial,
        /// That of the zone.
        zone: Serial,
    },
    /// A way to put records together that is not known.
    #[error("unsupported scheme {0}")]
    Scheme(u8),
    /// A hash that is not known.
    #[error("unsupported hash algorithm {0}")]
    Algorithm(u8),
    /// Several records for one scheme and hash: none of them counts.
    #[error("more than one ZONEMD record of scheme {0} and hash algorithm {1}")]
    Several(u8, u8),
    /// The data is too short to be a ZONEMD record's.
    #[error("malformed ZONEMD record")]
    Malformed,
    /// The contents are others.
    #[error(
        "digest mismatch: the ZONEMD record has {hash} {}, the zone {}",
        HEXLOWER.encode(record),
        HEXLOWER.encode(zone)
    )]
    Digest {
        /// With which hash.
        hash: Hash,
        /// What the record says.
        record: Vec<u8>,
        /// What the zone comes to.
        zone: Vec<u8>,
    },
}

/// Holds the zone against its ZONEMD records (RFC 8976 section 4): which hash vouches for it, or what speaks against
/// each record. One that matches is enough.
pub fn verify(version: &ZoneVersion) -> Result<Hash, Vec<ZonemdFault>> {
    let apex = version.apex_node();
    let Some(rrset) = apex.and_then(|apex| apex.rrset(Rtype::ZONEMD)) else { return Err(vec![ZonemdFault::Absent]) };
    let mut faults = Vec::new();
    for data in rrset.rdatas() {
        match verify_record(version, &rrset, data) {
            Ok(hash) => return Ok(hash),
            Err(fault) => faults.push(fault),
        }
    }
    faults.dedup();
    Err(faults)
}

fn verify_record(version: &ZoneVersion, rrset: &Rrset<'_>, data: &[u8]) -> Result<Hash, ZonemdFault> {
    let Some((&[a, b, c, d, scheme, algorithm], digest)) = data.split_first_chunk() else {
        return Err(ZonemdFault::Malformed);
    };
    let (record, zone) = (Serial(u32::from_be_bytes([a, b, c, d])), version.serial());
    if record != zone {
        return Err(ZonemdFault::Serial { record, zone });
    }
    if scheme != SIMPLE {
        return Err(ZonemdFault::Scheme(scheme));
    }
    let hash = Hash::from_number(algorithm).ok_or(ZonemdFault::Algorithm(algorithm))?;
    let is_alike = |other: &&[u8]| other.get(4..6) == Some(&[scheme, algorithm]);
    if rrset.rdatas().filter(is_alike).count() > 1 {
        return Err(ZonemdFault::Several(scheme, algorithm));
    }
    let zone = hash.digest(version);
    if zone == digest { Ok(hash) } else { Err(ZonemdFault::Digest { hash, record: digest.to_vec(), zone }) }
}

/// Why no ZONEMD record can be made.
#[derive(Debug, thiserror::Error)]
pub enum RenewError {
    /// The records that list the types of a signed zone's apex would have to change, and with them the digest.
    #[error("the zone is signed without a ZONEMD record: sign it again with one in it, to be replaced")]
    NoPlaceholder,
    /// The record does not fit into the zone.
    #[error(transparent)]
    Edit(#[from] EditError),
}

/// What came of making ZONEMD records.
pub struct Renewed {
    /// The zone with true records.
    pub version: ZoneVersion,
    /// Whether the signatures of the ones before are gone with them, so that the records are to be signed.
    pub lacks_signature: bool,
}

/// Puts a record for each of these hashes in the place of the ZONEMD records that the zone has. None: it has the very
/// same.
pub fn renew(version: &ZoneVersion, hashes: &[Hash]) -> Result<Option<Renewed>, RenewError> {
    let apex = version.apex_node();
    let (before, ttl) = (apex.and_then(|apex| apex.rrset(Rtype::ZONEMD)), version.soa().map_or(0, |soa| soa.ttl));
    let is_signed = apex.is_some_and(|apex| apex.signatures().next().is_some());
    if is_signed && before.is_none() {
        return Err(RenewError::NoPlaceholder);
    }
    let mut records: Vec<Vec<u8>> = hashes.iter().map(|hash| record(version, *hash)).collect();
    records.sort();
    records.dedup();
    let is_same = |before: &Rrset<'_>| before.ttl() == ttl && before.rdatas().eq(records.iter().map(Vec::as_slice));
    if before.as_ref().is_some_and(is_same) {
        return Ok(None);
    }
    let mut edit = version.edit(Limits::default());
    let signatures = before.and_then(|before| before.signatures());
    for rrset in before.iter().chain(&signatures) {
        rrset.rdatas().try_for_each(|data| edit.remove(version.apex(), rrset.rtype(), data))?;
    }
    for data in &records {
        edit.add(version.apex(), Rtype::ZONEMD, ttl, data)?;
    }
    let version = edit.finish().map_err(EditError::from)?;
    Ok(Some(Renewed { version, lacks_signature: is_signed }))
}

/// The data of a ZONEMD record that is true of the zone.
fn record(version: &ZoneVersion, hash: Hash) -> Vec<u8> {
    let head = version.serial().0.to_be_bytes();
    [&head[..], &[SIMPLE, hash.number()], &hash.digest(version)].concat()
}

fn hash_zone<D: Digest>(version: &ZoneVersion) -> Vec<u8> {
    let mut canonical = Canonical::<D>::new(version);
    let (mut names, mut hashed) = (version.names().peekable(), version.nsec3_owners().peekable());
    loop {
        let order = match (names.peek(), hashed.peek()) {
            (None, None) => return canonical.finish(),
            (Some(_), None) => std::cmp::Ordering::Less,
            (None, Some(_)) => std::cmp::Ordering::Greater,
            (Some(name), Some(hash)) => name.owner().cmp(&hash.owner()),
        };
        let name = names.next_if(|_| order.is_le());
        canonical.name(name, hashed.next_if(|_| order.is_ge()));
    }
}

/// Feeds records to a hash in canonical form.
struct Canonical<'v, D> {
    version: &'v ZoneVersion,
    hasher: D,
    /// Records that have not been hashed yet.
    pending: Vec<u8>,
    /// The RRsets of the name at hand.
    rrsets: Vec<Rrset<'v>>,
    /// What each record of an RRset begins with: owner, type, class and TTL.
    heading: Vec<u8>,
}

impl<'v, D: Digest> Canonical<'v, D> {
    fn new(version: &'v ZoneVersion) -> Self {
        let pending = Vec::with_capacity(PENDING_BYTES);
        Self { version, hasher: D::new(), pending, rrsets: Vec::new(), heading: Vec::new() }
    }

    /// All records of a name: it may be among the names of the zone, among the owners of NSEC3 records, or both.
    fn name(&mut self, name: Option<Node<'v>>, hashed: Option<Node<'v>>) {
        self.rrsets.clear();
        for node in name.iter().chain(&hashed) {
            let is_digested = |rrset: &Rrset<'_>| !(node.is_apex() && rrset.covered() == Rtype::ZONEMD);
            self.rrsets.extend(node.rrsets().chain(node.signatures()).filter(is_digested));
        }
        let Some(node) = name.or(hashed) else { return };
        self.heading.clear();
        self.heading.extend_from_slice(node.relative_owner());
        self.heading.extend_from_slice(self.version.apex().as_bytes());
        self.heading.make_ascii_lowercase();
        // Signatures are one RRset, in the order of what they cover.
        self.rrsets.sort_by_key(|rrset| (rrset.rtype(), rrset.covered()));
        let rrsets = std::mem::take(&mut self.rrsets);
        rrsets.iter().for_each(|rrset| self.rrset(rrset));
        self.rrsets = rrsets;
    }

    fn rrset(&mut self, rrset: &Rrset<'_>) {
        let owner_len = self.heading.len();
        self.heading.extend_from_slice(&rrset.rtype().0.to_be_bytes());
        self.heading.extend_from_slice(&self.version.class().0.to_be_bytes());
        self.heading.extend_from_slice(&rrset.ttl().to_be_bytes());
        let form = rdata::in_class(rrset.rtype(), self.version.class());
        for data in rrset.rdatas() {
            self.pending.extend_from_slice(&self.heading);
            self.pending.extend_from_slice(&(data.len() as u16).to_be_bytes());
            match rdata::is_folded(form, data) {
                true => rdata::canonical(form, data, &mut self.pending),
                false => self.pending.extend_from_slice(data),
            }
            if self.pending.len() >= PENDING_BYTES {
                self.hash_pending();
            }
        }
        self.heading.truncate(owner_len);
    }

    fn hash_pending(&mut self) {
        self.hasher.update(&self.pending);
        self.pending.clear();
    }

    fn finish(mut self) -> Vec<u8> {
        self.hash_pending();
        self.hasher.finalize().to_vec()
    }
}

/// The only scheme there is: all records, one after the other.
const SIMPLE: u8 = 1;
/// So much is hashed at once.
const PENDING_BYTES: usize = 1 << 14;

#[cfg(test)]
mod tests;
