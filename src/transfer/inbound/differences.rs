//! Differences as they come in (RFC 1995 section 4): each a SOA record and deletions, a SOA record and additions.
//!
//! They are made as a journal's are. What had an effect is kept beside the version that they make, for the journal.

use super::Fields;
use super::fault::{Flaw, Remark, StreamError};
use crate::dns::{NameRef, Rtype, Serial};
use crate::transfer::message;
use crate::zone::journal::{Changes, Transaction};
use crate::zone::{Edit, Limits, ZoneVersion, check};

/// Differences that take more than this and more than twice the zone are worth less than the zone.
const MAX_BYTES: usize = 64 << 20;

/// Differences under way.
pub(super) struct Differences<'v> {
    old: &'v ZoneVersion,
    edit: Edit<'v>,
    /// The serial of the first record, at which they end.
    last: Serial,
    part: Part,
    changes: Changes,
    /// What `changes` and `done` take, and may take.
    bytes: usize,
    max_bytes: usize,
    done: Vec<Transaction>,
    /// How many of them are taken; 0: as many as come.
    most: u32,
}

/// What comes behind the last SOA record.
#[derive(Debug, Clone, Copy)]
enum Part {
    Deletions,
    /// Additions, which lead to this serial.
    Additions(Serial),
}

impl<'v> Differences<'v> {
    /// Nothing yet: from `old` to the version with the serial `last`.
    pub(super) fn new(old: &'v ZoneVersion, last: Serial, limits: Limits, most: u32) -> Self {
        let (edit, changes) = (old.edit(limits), Changes::default());
        let (part, done) = (Part::Additions(old.serial()), Vec::new());
        let max_bytes = MAX_BYTES.max(old.size_bytes().saturating_mul(2));
        Self { old, edit, last, part, changes, bytes: 0, max_bytes, done, most }
    }

    /// Whether a record that comes now is added. A SOA record begins the other part.
    pub(super) fn would_add(&self, rtype: Rtype) -> bool {
        matches!(self.part, Part::Additions(_)) != (rtype == Rtype::SOA)
    }

    /// Takes a SOA record of the apex. True: it is the last record.
    /// `remarks` takes what named says of changes that are not as they should be.
    pub(super) fn take_soa(
        &mut self,
        fields: &Fields,
        rdata: &[u8],
        remarks: &mut Vec<Remark>,
    ) -> Result<bool, StreamError> {
        let got = message::serial_of(rdata).ok_or(Flaw::Record)?;
        match self.part {
            Part::Deletions => self.part = Part::Additions(got),
            Part::Additions(expected) if got != expected => return Err(Flaw::OutOfSync { expected, got }.into()),
            Part::Additions(_) => {
                self.commit(remarks)?;
                if got == self.last {
                    return Ok(true);
                }
                self.part = Part::Deletions;
            }
        }
        self.take_data(self.old.apex(), fields, rdata)?;
        Ok(false)
    }

    /// Takes a record of the zone.
    pub(super) fn take_data(&mut self, owner: NameRef<'_>, fields: &Fields, rdata: &[u8]) -> Result<(), StreamError> {
        self.changes.push(owner, fields.rtype, self.old.class(), fields.ttl, rdata);
        self.bytes = self.bytes.saturating_add(owner.len()).saturating_add(rdata.len());
        if self.bytes > self.max_bytes { Err(Flaw::LongDifferences.into()) } else { Ok(()) }
    }

    /// Makes the changes to the next serial, if there are any.
    fn commit(&mut self, remarks: &mut Vec<Remark>) -> Result<(), StreamError> {
        if self.bytes == 0 {
            return Ok(());
        }
        let transaction = std::mem::take(&mut self.changes).finish().map_err(Flaw::Differences)?;
        let mut of_changes = Vec::new();
        let exact = transaction.apply(&mut self.edit, 0, &mut of_changes);
        remarks.extend(of_changes.into_iter().map(Remark::Changes));
        self.done.push(exact?.unwrap_or(transaction));
        let is_too_many = self.most > 0 && self.done.len() > self.most as usize;
        if is_too_many { Err(StreamError::TooManyDifferences) } else { Ok(()) }
    }

    /// The version that they lead to, and they themselves.
    pub(super) fn finish(self) -> Result<(ZoneVersion, Vec<Transaction>), StreamError> {
        let (version, suspects) = self.edit.finish_with_suspects()?;
        let conflict = suspects.iter().find_map(|owner| check::conflict_at(&version, owner.as_ref()));
        conflict.map_or(Ok((version, self.done)), |conflict| Err(conflict.into()))
    }
}
