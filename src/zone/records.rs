//! The records of one owner: gathered in any order, merged into RRsets, and packed into a block.
//!
//! Duplicates are dropped and the first TTL of an RRset holds (RFC 2181 section 5.2).

use std::cmp::Ordering;

use super::builder::{ContentsError, Limit, Limits};
use super::node::{self, Flags, Node};
use crate::dns::{NameRef, Rtype, rdata};

/// The records of the owner that is being added.
#[derive(Default)]
pub(super) struct Records {
    /// The whole owner name.
    pub(super) owner: Vec<u8>,
    /// Its labels without those of the apex.
    pub(super) labels: Vec<u8>,
    pub(super) records: Vec<Record>,
    rdatas: Vec<u8>,
    /// The packed RRsets while a block is put together.
    body: Vec<u8>,
}

/// One record: its rdata lies in [`Records::rdatas`], behind its length.
#[derive(Clone, Copy)]
pub(super) struct Record {
    is_signature: bool,
    /// The type covered, for a signature.
    rtype: Rtype,
    ttl: u32,
    start: u32,
    end: u32,
}

impl Record {
    pub(super) fn is_nsec3(&self) -> bool {
        self.rtype == Rtype::NSEC3
    }

    fn rrset(&self) -> (bool, Rtype) {
        (self.is_signature, self.rtype)
    }

    /// RDLENGTH and rdata.
    fn bytes<'a>(&self, rdatas: &'a [u8]) -> &'a [u8] {
        rdatas.get(self.start as usize..self.end as usize).unwrap_or_default()
    }

    /// The rdata.
    fn data<'a>(&self, rdatas: &'a [u8]) -> &'a [u8] {
        self.bytes(rdatas).get(2..).unwrap_or_default()
    }

    fn len(&self) -> usize {
        (self.end - self.start) as usize
    }
}

/// What packing found.
#[derive(Default)]
pub(super) struct Packed {
    pub(super) flags: Flags,
    pub(super) records: usize,
    pub(super) differing_ttls: usize,
}

impl Records {
    pub(super) fn is_owned_by(&self, owner: NameRef<'_>) -> bool {
        !self.records.is_empty() && self.owner.eq_ignore_ascii_case(owner.as_bytes())
    }

    pub(super) fn clear(&mut self) {
        self.owner.clear();
        self.labels.clear();
        self.records.clear();
        self.rdatas.clear();
    }

    pub(super) fn push(&mut self, rtype: Rtype, ttl: u32, rdata: &[u8]) -> Result<(), ContentsError> {
        let length = u16::try_from(rdata.len()).map_err(|_| ContentsError::BadRecord)?;
        let is_signature = rtype == Rtype::RRSIG;
        let rtype = if is_signature { covered(rdata)? } else { rtype };
        let start = self.rdatas.len() as u32;
        self.rdatas.extend_from_slice(&length.to_be_bytes());
        self.rdatas.extend_from_slice(rdata);
        self.records.push(Record { is_signature, rtype, ttl, start, end: self.rdatas.len() as u32 });
        Ok(())
    }

    /// Where among the records this one is.
    pub(super) fn find(&self, rtype: Rtype, rdata: &[u8]) -> Option<usize> {
        let is_signature = rtype == Rtype::RRSIG;
        let covered = if is_signature { covered(rdata).ok()? } else { rtype };
        let is_same = |record: &Record| {
            record.rrset() == (is_signature, covered) && rdata::compare(rtype, record.data(&self.rdatas), rdata).is_eq()
        };
        self.records.iter().position(is_same)
    }

    /// The TTL of the RRset that this record is or would be of.
    pub(super) fn ttl(&self, rtype: Rtype, rdata: &[u8]) -> Option<u32> {
        let is_signature = rtype == Rtype::RRSIG;
        let covered = if is_signature { covered(rdata).ok()? } else { rtype };
        self.records.iter().find(|record| record.rrset() == (is_signature, covered)).map(|record| record.ttl)
    }

    /// Takes the records out of a block again. The first block's owner stays.
    pub(super) fn push_block(&mut self, block: &[u8]) -> Result<(), ContentsError> {
        let node = Node::new(NameRef::ROOT, Flags::default(), block);
        if self.records.is_empty() {
            self.labels.extend_from_slice(node.relative_owner());
        }
        for rrset in node.rrsets().chain(node.signatures()) {
            for rdata in rrset.rdatas() {
                self.push(rrset.rtype(), rrset.ttl(), rdata)?;
            }
        }
        Ok(())
    }

    /// Appends the block of these records to `out`.
    pub(super) fn pack_into(&mut self, out: &mut Vec<u8>, limits: Limits) -> Result<Packed, ContentsError> {
        if !self.records.is_sorted_by_key(Record::rrset) {
            self.records.sort_by_key(Record::rrset);
        }
        let mut packed = Packed::default();
        let (mut rrsets, mut plain_len) = (0, None);
        let Self { rdatas, body, .. } = self;
        body.clear();
        for records in self.records.chunk_by_mut(|left, right| left.rrset() == right.rrset()) {
            let Some(&first) = records.first() else { continue };
            rrsets += 1;
            if first.is_signature {
                // Signatures sort behind everything else.
                plain_len.get_or_insert(body.len());
            } else {
                packed.flags = packed.flags.with(Flags::of_type(first.rtype, self.labels.is_empty()));
            }
            packed.differing_ttls += records.iter().filter(|record| record.ttl != first.ttl).count();
            packed.records += pack_rrset(records, first.ttl, rdatas, body, limits)?;
        }
        if limits.types_per_name > 0 && rrsets > limits.types_per_name {
            return Err(ContentsError::TooManyRecords(Limit::TypesPerName));
        }
        out.push(self.labels.len() as u8);
        out.extend_from_slice(&self.labels);
        let plain_len = plain_len.unwrap_or(body.len());
        node::push_size(out, plain_len);
        node::push_size(out, body.len() - plain_len);
        out.extend_from_slice(body);
        Ok(packed)
    }
}

/// Appends one RRset and returns how many records it has without duplicates.
fn pack_rrset(
    records: &mut [Record],
    ttl: u32,
    rdatas: &[u8],
    out: &mut Vec<u8>,
    limits: Limits,
) -> Result<usize, ContentsError> {
    let (covered, is_signature) = records.first().map_or((Rtype(0), false), |first| (first.rtype, first.is_signature));
    let rtype = if is_signature { Rtype::RRSIG } else { covered };
    let count = arrange(records, rtype, rdatas);
    let records = records.get(..count).unwrap_or_default();
    if limits.records_per_type > 0 && count > limits.records_per_type as usize {
        return Err(ContentsError::TooManyRecords(Limit::RecordsPerType));
    }
    out.extend_from_slice(&covered.0.to_be_bytes());
    out.extend_from_slice(&ttl.to_be_bytes());
    node::push_size(out, count);
    node::push_size(out, records.iter().map(Record::len).sum());
    records.iter().for_each(|record| out.extend_from_slice(record.bytes(rdatas)));
    Ok(count)
}

/// Brings records into canonical order, the first of equal ones in front, and says how many are left without the
/// others: duplicates, as in BIND.
fn arrange(records: &mut [Record], rtype: Rtype, rdatas: &[u8]) -> usize {
    let is_folded = |record: &Record| rdata::is_folded(rtype, record.data(rdatas));
    if records.len() < 2 {
        return records.len();
    }
    match records.iter().any(is_folded) {
        true => arrange_by(records, |left, right| rdata::compare(rtype, left.data(rdatas), right.data(rdatas))),
        false => arrange_by(records, |left, right| left.data(rdatas).cmp(right.data(rdatas))),
    }
}

fn arrange_by(records: &mut [Record], order: impl Fn(&Record, &Record) -> Ordering) -> usize {
    if records.is_sorted_by(|left, right| order(left, right).is_lt()) {
        return records.len();
    }
    records.sort_by(&order);
    let mut kept = 1;
    for at in 1..records.len() {
        if order(&records[kept - 1], &records[at]).is_ne() {
            records[kept] = records[at];
            kept += 1;
        }
    }
    kept
}

/// The type that an RRSIG covers (RFC 4034 section 3.1.1).
fn covered(rdata: &[u8]) -> Result<Rtype, ContentsError> {
    rdata.first_chunk().map(|bytes| Rtype(u16::from_be_bytes(*bytes))).ok_or(ContentsError::BadRecord)
}
