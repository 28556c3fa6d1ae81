//! An update taken out of a request: the sections that prerequisites and changes are in.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::dns::message::{Message, Section};
use crate::dns::{Class, Name, Rtype, WireError, rdata};

/// What a request asks for.
#[derive(Debug, Clone)]
pub struct Update {
    pub(super) prerequisites: Vec<Asked>,
    pub(super) changes: Vec<Asked>,
}

/// A record of a request. What it stands for depends on its class, TTL and data.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Asked {
    pub(super) owner: Name,
    pub(super) rtype: Rtype,
    pub(super) class: Class,
    pub(super) ttl: u32,
    pub(super) rdata: Vec<u8>,
}

/// Why a request cannot be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Unreadable {
    /// It is no well-formed message.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// NSEC3 records never have such an owner; BIND answers SERVFAIL.
    #[error("bad owner name (check-names)")]
    Owner,
}

impl Update {
    /// Reads the sections of a request. What an update may not ask for is looked at later.
    pub fn read(message: &Message<'_>) -> Result<Self, Unreadable> {
        let mut update = Self { prerequisites: vec![], changes: vec![] };
        for record in message.records() {
            let record = record?;
            let (section, has_no_data) = match record.section {
                Section::Answer => (&mut update.prerequisites, matches!(record.class, Class::ANY | Class::NONE)),
                Section::Authority => (&mut update.changes, record.class == Class::ANY),
                Section::Additional => break,
            };
            let mut data = Vec::new();
            match has_no_data {
                true if !record.rdata.is_empty() => return Err(WireError::BadField.into()),
                true => {}
                false => rdata::from_wire(record.rtype, message.bytes(), record.rdata, &mut data)?,
            }
            let owner = record.owner.as_ref().to_name();
            let asked = Asked { owner, rtype: record.rtype, class: record.class, ttl: record.ttl, rdata: data };
            if asked.is_misplaced(record.section, has_no_data) {
                return Err(WireError::BadField.into());
            }
            if asked.rtype == Rtype::NSEC3 && !asked.owner.as_ref().starts_with_hash() {
                return Err(Unreadable::Owner);
            }
            section.push(asked);
        }
        Ok(update)
    }
}

impl Asked {
    /// Of signatures, what they cover.
    pub(super) fn covered(&self) -> Option<Rtype> {
        covered(self.rtype, &self.rdata)
    }

    /// Whether BIND takes it for malformed there, whatever its data.
    fn is_misplaced(&self, section: Section, has_no_data: bool) -> bool {
        let is_change = section == Section::Authority;
        match self.rtype {
            NO_TYPE => !has_no_data,
            Rtype::TKEY => is_change || !has_no_data,
            Rtype::SIG => is_change && self.class == Class::NONE,
            _ => self.covered() == Some(NO_TYPE),
        }
    }
}

/// What data of this type covers, if it is a signature.
pub(super) fn covered(rtype: Rtype, rdata: &[u8]) -> Option<Rtype> {
    let covered = rdata.first_chunk().filter(|_| rtype == Rtype::RRSIG)?;
    Some(Rtype(u16::from_be_bytes(*covered)))
}

/// No record is of this type.
const NO_TYPE: Rtype = Rtype(0);
