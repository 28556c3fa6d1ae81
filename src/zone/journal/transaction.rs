//! What leads from one serial to the next: the old SOA record, what is deleted, the new SOA record, what is added.
//!
//! In memory a transaction is the bytes that it has in the file, checked once, when it is read or put together.

use super::Fault;
use crate::dns::{Class, NameRef, Rtype, Serial, rdata};

/// The changes from one serial to the next.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Transaction {
    /// The serial that the changes are to be made to.
    pub before: Serial,
    /// The serial that they lead to.
    pub after: Serial,
    count: u32,
    body: Vec<u8>,
}

/// One record of a transaction.
#[derive(Debug, Clone, Copy)]
pub struct Change<'a> {
    /// Whether the record is added, else it is deleted.
    pub is_addition: bool,
    /// Its owner.
    pub owner: NameRef<'a>,
    /// Its type.
    pub rtype: Rtype,
    /// Its class.
    pub class: Class,
    /// Its TTL.
    pub ttl: u32,
    /// Its data, uncompressed.
    pub rdata: &'a [u8],
}

/// A transaction that is being put together, in the order of the file.
#[derive(Debug, Default)]
pub struct Changes {
    count: u32,
    soas: Soas,
    fault: Option<Fault>,
    body: Vec<u8>,
}

impl Changes {
    /// Adds the next record, whose data is known to be of its type. Those behind the first SOA record are deleted,
    /// those behind the second added.
    pub fn push(&mut self, owner: NameRef<'_>, rtype: Rtype, class: Class, ttl: u32, rdata: &[u8]) {
        let length = owner.len() + FIXED_BYTES + rdata.len();
        self.body.reserve(LENGTH_BYTES + length);
        self.body.extend_from_slice(&(length as u32).to_be_bytes());
        self.body.extend_from_slice(owner.as_bytes());
        self.body.extend_from_slice(&rtype.0.to_be_bytes());
        self.body.extend_from_slice(&class.0.to_be_bytes());
        self.body.extend_from_slice(&ttl.to_be_bytes());
        self.body.extend_from_slice(&(rdata.len() as u16).to_be_bytes());
        self.body.extend_from_slice(rdata);
        self.count += 1;
        self.fault = self.fault.take().or(self.soas.note(rtype, rdata).err());
    }

    /// The transaction, if it is one.
    pub fn finish(self) -> Result<Transaction, Fault> {
        let Self { count, soas, fault, body } = self;
        let (before, after) = fault.map_or_else(|| soas.serials(), Err)?;
        Ok(Transaction { before, after, count, body })
    }
}

impl Transaction {
    /// Checks the body of a transaction to its last byte.
    pub(super) fn of(body: Vec<u8>) -> Result<Self, Fault> {
        let (mut parser, mut soas) = (Parser { rest: &body, soas: 0 }, Soas::default());
        let mut count = 0_u32;
        while !parser.rest.is_empty() {
            let change = parser.next().filter(Change::is_sound).ok_or(Fault::Record)?;
            soas.note(change.rtype, change.rdata)?;
            count += 1;
        }
        let (before, after) = soas.serials()?;
        Ok(Self { before, after, count, body })
    }

    /// How many records, the two SOA records included.
    pub fn count(&self) -> u32 {
        self.count
    }

    /// How many bytes the records take in a message, without compression.
    pub fn wire_bytes(&self) -> u64 {
        (self.body.len() - self.count as usize * LENGTH_BYTES) as u64
    }

    /// The records as they lie in the file.
    pub fn as_bytes(&self) -> &[u8] {
        &self.body
    }

    /// The changes in order.
    pub fn changes(&self) -> impl Iterator<Item = Change<'_>> {
        self.changes_from(0, 0).map(|(change, _)| change)
    }

    /// The changes from an offset on, at which so many SOA records have gone by, each with what there is behind it: for
    /// who cannot take all at once.
    pub fn changes_from(&self, offset: usize, soas: usize) -> impl Iterator<Item = (Change<'_>, usize)> {
        let mut parser = Parser { rest: self.body.get(offset..).unwrap_or_default(), soas };
        std::iter::from_fn(move || {
            let change = parser.next()?;
            Some((change, self.body.len() - parser.rest.len()))
        })
    }
}

impl Change<'_> {
    /// Whether the record can be in a zone, and its data is of its type.
    fn is_sound(&self) -> bool {
        !self.rtype.is_meta() && self.rtype != Rtype(0) && rdata::check(self.rtype, self.rdata).is_ok()
    }
}

/// The serials of a transaction's SOA records.
#[derive(Debug, Default)]
struct Soas {
    before: Option<Serial>,
    after: Option<Serial>,
}

impl Soas {
    /// Takes note of a record of any type: the first is a SOA record, and there are no more than two.
    fn note(&mut self, rtype: Rtype, rdata: &[u8]) -> Result<(), Fault> {
        if rtype == Rtype::SOA {
            let place = if self.before.is_none() { &mut self.before } else { &mut self.after };
            let others = place.replace(soa_serial(rdata).ok_or(Fault::Soa)?);
            return others.map_or(Ok(()), |_| Err(Fault::Soa));
        }
        self.before.map(drop).ok_or(Fault::Soa)
    }

    /// What the changes start from and lead to, if that is newer.
    fn serials(&self) -> Result<(Serial, Serial), Fault> {
        let serials = self.before.zip(self.after);
        serials.filter(|(before, after)| after.is_newer_than(*before)).ok_or(Fault::Soa)
    }
}

/// Reads records one by one.
struct Parser<'a> {
    rest: &'a [u8],
    /// How many SOA records have gone by.
    soas: usize,
}

impl<'a> Parser<'a> {
    /// The next record, as far as one is there.
    fn next(&mut self) -> Option<Change<'a>> {
        let (length, rest) = self.rest.split_first_chunk()?;
        let (record, rest) = rest.split_at_checked(u32::from_be_bytes(*length) as usize)?;
        self.rest = rest;
        let mut change = parse(record)?;
        self.soas += usize::from(change.rtype == Rtype::SOA);
        change.is_addition = self.soas > 1;
        Some(change)
    }
}

/// Reads a record that fills `record`. Which way it changes the zone is not known here.
fn parse(record: &[u8]) -> Option<Change<'_>> {
    let owner = NameRef::from_prefix(record).ok()?;
    let (fixed, data) = record.get(owner.len()..)?.split_first_chunk::<FIXED_BYTES>()?;
    let [t0, t1, c0, c1, l0, l1, l2, l3, d0, d1] = *fixed;
    let is_whole = usize::from(u16::from_be_bytes([d0, d1])) == data.len();
    is_whole.then_some(Change {
        is_addition: false,
        owner,
        rtype: Rtype(u16::from_be_bytes([t0, t1])),
        class: Class(u16::from_be_bytes([c0, c1])),
        ttl: u32::from_be_bytes([l0, l1, l2, l3]),
        rdata: data,
    })
}

/// The serial in the data of an SOA record that has been checked: behind it stand four more numbers.
fn soa_serial(rdata: &[u8]) -> Option<Serial> {
    let numbers = rdata.last_chunk::<SOA_NUMBERS_BYTES>()?;
    numbers.first_chunk().map(|serial| Serial(u32::from_be_bytes(*serial)))
}

/// The length in front of a record.
pub(super) const LENGTH_BYTES: usize = 4;
/// Type, class, TTL and RDLENGTH.
const FIXED_BYTES: usize = 10;
const SOA_NUMBERS_BYTES: usize = 20;
