//! What the apex of a zone says of the whole of it: its SOA, whether it is signed, how it proves what does not exist.
//!
//! [`Facts`] are read once for each version, since every negative answer needs them.

use super::node::Node;
use super::nsec3::{ApexProofs, Nsec3};
use crate::dns::{NameRef, Rtype, Serial};

/// The fields of the SOA record (RFC 1035 section 3.3.13) and its TTL.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Soa<'a> {
    /// The primary's name.
    pub mname: NameRef<'a>,
    /// The mailbox of who is responsible.
    pub rname: NameRef<'a>,
    /// The version.
    pub serial: Serial,
    /// Seconds between refreshes.
    pub refresh: u32,
    /// Seconds before a failed refresh is tried again.
    pub retry: u32,
    /// Seconds after which a secondary without contact stops answering.
    pub expire: u32,
    /// The negative TTL, the record's own TTL being its upper bound (RFC 2308 section 4).
    pub minimum: u32,
    /// The TTL of the record.
    pub ttl: u32,
}

/// How a zone proves that something does not exist.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Denial {
    /// Not at all.
    None,
    /// By NSEC (RFC 4034).
    Nsec,
    /// By NSEC3 (RFC 5155).
    Nsec3,
}

/// What answers need of the apex.
#[derive(Default)]
pub(super) struct Facts {
    pub(super) is_signed: bool,
    pub(super) negative_ttl: u32,
    has_nsec: bool,
    /// In a box, for most zones have none.
    nsec3: Option<Box<Nsec3>>,
}

impl Facts {
    /// Reads the apex of a zone with owners of NSEC3 records, or without.
    pub(super) fn new(apex: &Node<'_>, has_nsec3_owners: bool) -> Self {
        let soa = apex.rrset(Rtype::SOA);
        let soa = soa.as_ref().and_then(|rrset| parse_soa(rrset.rdatas().next()?, rrset.ttl()));
        let parameters = apex.rrset(Rtype::NSEC3PARAM);
        let nsec3 = parameters.and_then(|rrset| rrset.rdatas().find_map(Nsec3::parse)).map(Box::new);
        let has_signed_nsec = || apex.rrset(Rtype::NSEC).is_some_and(|nsec| nsec.signatures().is_some());
        Self {
            is_signed: has_zone_key(apex) && (nsec3.is_some() || has_signed_nsec()),
            negative_ttl: soa.map_or(0, |soa| soa.ttl.min(soa.minimum)),
            has_nsec: apex.has_nsec(),
            nsec3: nsec3.filter(|_| has_nsec3_owners),
        }
    }

    pub(super) fn denial(&self) -> Denial {
        match self.nsec3 {
            Some(_) => Denial::Nsec3,
            None if self.has_nsec => Denial::Nsec,
            None => Denial::None,
        }
    }

    /// The NSEC3 chain, where the zone has a complete one.
    pub(super) fn nsec3(&self) -> Option<&Nsec3> {
        self.nsec3.as_deref()
    }

    /// Keeps what the chain has for the apex.
    pub(super) fn note_apex_proofs(&mut self, proofs: Option<ApexProofs>) {
        if let Some(nsec3) = &mut self.nsec3 {
            nsec3.apex = proofs;
        }
    }
}

/// Whether a key may sign zone data (RFC 4034 section 2.1, and what RFC 2535 section 3.1.2 left of it).
fn has_zone_key(apex: &Node<'_>) -> bool {
    const PROTOCOLS: [u8; 2] = [3, 255];
    const KIND: u16 = 0x8300;
    const ZONE: u16 = 0x0100;
    let is_zone_key = |key: &[u8]| match *key {
        [high, low, protocol, ..] => u16::from_be_bytes([high, low]) & KIND == ZONE && PROTOCOLS.contains(&protocol),
        _ => false,
    };
    apex.rrset(Rtype::DNSKEY).is_some_and(|keys| keys.rdatas().any(is_zone_key))
}

/// The fields of a SOA record.
pub(super) fn parse_soa(rdata: &[u8], ttl: u32) -> Option<Soa<'_>> {
    let mname = NameRef::from_prefix(rdata).ok()?;
    let rest = rdata.get(mname.len()..)?;
    let rname = NameRef::from_prefix(rest).ok()?;
    let numbers = rest.get(rname.len()..)?;
    let number = |place: usize| numbers.get(place * 4..)?.first_chunk().map(|bytes| u32::from_be_bytes(*bytes));
    Some(Soa {
        mname,
        rname,
        serial: Serial(number(0)?),
        refresh: number(1)?,
        retry: number(2)?,
        expire: number(3)?,
        minimum: number(4)?,
        ttl,
    })
}
