//! The records of one owner: gathered in any order, merged into RRsets, and packed into a block.
//!
//! Duplicates are dropped and the first TTL of an RRset holds (RFC 2181 section 5.2), or, as in BIND, the first of
//! those that came last.

use std::cmp::Ordering;

use super::blocks::{BlockWriter, Place};
use super::builder::{ContentsError, Limits, WideRrset};
use super::check::{is_of_concern, is_singleton};
use super::listing::{self, Capitals, Listed};
use super::node::{self, Flags, Node};
use crate::dns::rdata::Form;
use crate::dns::{Class, Name, NameBuf, NameRef, Rtype, case, rdata};

/// The records of the owner that is being added.
#[derive(Default)]
pub(super) struct Records {
    /// The whole owner name.
    pub(super) owner: Vec<u8>,
    /// Its labels without those of the apex.
    pub(super) labels: Vec<u8>,
    pub(super) records: Vec<Record>,
    rdatas: Vec<u8>,
    /// How many times something has come between those that are here.
    run: u16,
    /// How the owner is spelt now: as the block has it, or else one more than the place among `spellings`.
    spelling: u16,
    spellings: Vec<Capitals>,
    /// How the owner is spelt as a part of the names below it.
    in_tree: Option<Capitals>,
    listing: Vec<u8>,
    /// Those of the block that is put together.
    rrsets: Vec<Arranged>,
    /// Whether these are changes to what has been loaded.
    is_edit: bool,
}

/// An RRset among arranged records.
pub(super) struct Arranged {
    /// As it came: its TTL holds.
    pub(super) first: Record,
    /// How many records there are with the duplicates, which are behind the others.
    all: usize,
    /// How many without them.
    kept: usize,
    /// The bytes of those.
    size: usize,
    /// Whether those lie one behind the other.
    is_in_line: bool,
}

impl Arranged {
    fn new(records: &[Record], first: Record, kept: usize) -> Self {
        let (mut size, mut is_in_line, mut end) = (0, true, None);
        for record in records.iter().take(kept) {
            size += record.len();
            is_in_line &= end.is_none_or(|end| end == record.start);
            end = Some(record.end);
        }
        Self { first, all: records.len(), kept, size, is_in_line }
    }

    /// Marks signatures of which some were added to the others: named forgets when those are to be made anew.
    fn mark_merged(&mut self, records: &[Record]) {
        let mut kept = records.iter().take(self.kept);
        self.first.is_merged |= self.first.is_signature && kept.any(|record| record.run != self.first.run);
    }

    /// How long it is in a block.
    fn len(&self) -> usize {
        6 + node::size_len(self.kept) + node::size_len(self.size) + self.size
    }
}

/// One record: its rdata lies in [`Records::rdatas`], behind its length.
#[derive(Clone, Copy)]
pub(super) struct Record {
    pub(super) is_signature: bool,
    /// Whether it is the first of signatures that did not all come together.
    pub(super) is_merged: bool,
    /// The type covered, for a signature.
    pub(super) rtype: Rtype,
    ttl: u32,
    pub(super) start: u32,
    end: u32,
    pub(super) run: u16,
    pub(super) spelling: u16,
}

impl Record {
    pub(super) fn is_nsec3(&self) -> bool {
        self.rtype == Rtype::NSEC3
    }

    /// The RRset that it is of, as a number that orders them as a block does.
    fn rrset(&self) -> u32 {
        u32::from(self.is_signature) << 16 | u32::from(self.rtype.0)
    }

    fn is_of(&self, is_signature: bool, rtype: Rtype) -> bool {
        (self.is_signature, self.rtype) == (is_signature, rtype)
    }

    /// Gives it the TTL of what comes behind it and is merged with it.
    fn set_ttl(&mut self, ttl: u32) {
        self.is_merged |= self.ttl != ttl;
        self.ttl = ttl;
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
    pub(super) place: Place,
}

impl Records {
    /// Memory for changes to what has been loaded.
    pub(super) fn for_edit() -> Self {
        Self { is_edit: true, ..Self::default() }
    }

    pub(super) fn is_owned_by(&self, owner: NameRef<'_>) -> bool {
        !self.records.is_empty() && case::is_same(&self.owner, owner.as_bytes())
    }

    /// Whether they are or will be, and the owner is spelt as it was for the record before.
    #[inline]
    pub(super) fn are_spelt(&self, owner: NameRef<'_>) -> bool {
        self.owner == owner.as_bytes()
    }

    /// The names of the servers that NS records here give.
    pub(super) fn servers(&self) -> impl Iterator<Item = &[u8]> {
        let servers = self.records.iter().filter(|record| record.is_of(false, Rtype::NS));
        servers.map(|record| record.data(&self.rdatas))
    }

    /// Whether the owner has capital letters.
    pub(super) fn have_capitals(&self) -> bool {
        self.owner.iter().any(u8::is_ascii_uppercase)
    }

    /// Begins the records of an owner, which is above the apex by `labels`.
    pub(super) fn begin(&mut self, owner: NameRef<'_>, labels: &[u8], apex: NameRef<'_>) {
        self.labels.extend_from_slice(labels);
        self.owner.extend_from_slice(owner.as_bytes());
        if !owner.as_bytes().ends_with(apex.as_bytes()) {
            self.know(Capitals::of(owner));
        }
    }

    /// Goes on under another spelling of the owner.
    pub(super) fn respell(&mut self, owner: NameRef<'_>) {
        self.owner.clear();
        self.owner.extend_from_slice(owner.as_bytes());
        self.know(Capitals::of(owner));
        self.interrupt();
    }

    /// Begins another run: named takes what comes for something new.
    pub(super) fn interrupt(&mut self) {
        self.run = self.run.saturating_add(u16::from(!self.records.is_empty()));
    }

    /// Spells the owner so as a part of the names below it.
    pub(super) fn spell_in_tree(&mut self, owner: NameRef<'_>) {
        self.in_tree = Some(Capitals::of(owner));
    }

    fn know(&mut self, spelling: Capitals) {
        let known = self.spellings.iter().position(|known| *known == spelling);
        let place = known.unwrap_or_else(|| {
            self.spellings.push(spelling);
            self.spellings.len() - 1
        });
        self.spelling = u16::try_from(place + 1).unwrap_or_default();
    }

    pub(super) fn clear(&mut self) {
        self.owner.clear();
        self.labels.clear();
        self.records.clear();
        self.rdatas.clear();
        self.spellings.clear();
        self.in_tree = None;
        (self.run, self.spelling) = (0, 0);
    }

    pub(super) fn push(&mut self, rtype: Rtype, ttl: u32, rdata: &[u8]) -> Result<(), ContentsError> {
        let length = u16::try_from(rdata.len()).map_err(|_| ContentsError::BadRecord)?;
        let is_signature = rtype == Rtype::RRSIG;
        let rtype = if is_signature { covered(rdata)? } else { rtype };
        self.push_of((is_signature, rtype), ttl, length, rdata);
        Ok(())
    }

    /// The same for a record that was generated: named does not look at what a signature covers then.
    pub(super) fn push_generated(&mut self, rtype: Rtype, ttl: u32, rdata: &[u8]) -> Result<(), ContentsError> {
        let length = u16::try_from(rdata.len()).map_err(|_| ContentsError::BadRecord)?;
        let rrset = if rtype == Rtype::RRSIG { (true, Rtype(0)) } else { (false, rtype) };
        self.push_of(rrset, ttl, length, rdata);
        Ok(())
    }

    #[inline]
    fn push_of(&mut self, (is_signature, rtype): (bool, Rtype), ttl: u32, length: u16, rdata: &[u8]) {
        let start = self.rdatas.len() as u32;
        self.rdatas.extend_from_slice(&length.to_be_bytes());
        self.rdatas.extend_from_slice(rdata);
        let (end, run, spelling) = (self.rdatas.len() as u32, self.run, self.spelling);
        self.records.push(Record { is_signature, is_merged: false, rtype, ttl, start, end, run, spelling });
    }

    /// Where among the records this one is.
    pub(super) fn find(&self, rtype: Rtype, class: Class, rdata: &[u8]) -> Option<usize> {
        let (is_signature, form) = (rtype == Rtype::RRSIG, rdata::in_class(rtype, class));
        let covered = if is_signature { covered(rdata).ok()? } else { rtype };
        let is_same = |record: &Record| {
            let data = record.data(&self.rdatas);
            // The case of names makes no difference in length.
            let may_be_same = record.is_of(is_signature, covered) && data.len() == rdata.len();
            may_be_same && (data == rdata || rdata::compare(form, data, rdata).is_eq())
        };
        self.records.iter().position(is_same)
    }

    /// The TTL of the RRset that this record is or would be of.
    pub(super) fn ttl(&self, rtype: Rtype, rdata: &[u8]) -> Option<u32> {
        let is_signature = rtype == Rtype::RRSIG;
        let covered = if is_signature { covered(rdata).ok()? } else { rtype };
        self.records.iter().find(|record| record.is_of(is_signature, covered)).map(|record| record.ttl)
    }

    /// Takes the records out of a block again. The first block's owner stays.
    pub(super) fn push_block(&mut self, block: &[u8], apex: NameRef<'_>) -> Result<(), ContentsError> {
        let node = Node::new(apex, Flags::default(), block);
        if self.records.is_empty() {
            self.labels.extend_from_slice(node.relative_owner());
            self.in_tree = listing::in_tree(&node);
        }
        self.interrupt();
        for Listed { rrset, spelling, is_merged } in listing::listed(&node) {
            match spelling {
                Some(spelling) => self.know(Capitals::of(spelling.as_ref())),
                None if self.labels == node.relative_owner() => self.spelling = 0,
                None => self.know(Capitals::of(node.owner().as_ref())),
            }
            // What comes later has the say about the TTL.
            let (is_signature, covered) = (rrset.rtype() == Rtype::RRSIG, rrset.covered());
            let earlier = self.records.iter_mut().filter(|record| record.is_of(is_signature, covered));
            earlier.for_each(|record| record.set_ttl(rrset.ttl()));
            for rdata in rrset.rdatas() {
                let length = u16::try_from(rdata.len()).map_err(|_| ContentsError::BadRecord)?;
                self.push_of((is_signature, covered), rrset.ttl(), length, rdata);
                self.records.last_mut().into_iter().for_each(|record| record.is_merged = is_merged);
            }
        }
        Ok(())
    }

    /// Appends a block of these records to `blocks`.
    pub(super) fn pack(
        &mut self,
        (apex, class): (NameRef<'_>, Class),
        limits: Limits,
        blocks: &mut BlockWriter,
    ) -> Result<Packed, ContentsError> {
        let packed = self.arrange((apex, class), limits)?;
        self.listing.clear();
        let in_tree = self.in_tree.as_ref();
        listing::of_rrsets(&self.rrsets, (&self.labels, apex), &self.spellings, in_tree, &mut self.listing);
        let (plain, signatures) = self.body_sizes();
        let signatures = signatures + node::listing_size(&self.listing);
        let sizes = node::size_len(plain) + node::size_len(signatures);
        let place = blocks.push_with(1 + self.labels.len() + sizes + plain + signatures, |out| {
            out.push(self.labels.len() as u8);
            out.extend_from_slice(&self.labels);
            node::push_size(out, plain);
            node::push_size(out, signatures);
            self.write_rrsets(out);
            node::push_listing(out, &self.listing);
        });
        Ok(Packed { place, ..packed })
    }

    /// Brings the records into the order in which a block has them, without duplicates.
    fn arrange(&mut self, (apex, class): (NameRef<'_>, Class), limits: Limits) -> Result<Packed, ContentsError> {
        if !self.records.is_sorted_by_key(Record::rrset) {
            self.records.sort_by_key(Record::rrset);
        }
        self.rrsets.clear();
        let mut packed = Packed::default();
        for records in self.records.chunk_by_mut(|left, right| left.rrset() == right.rrset()) {
            let Some(&(mut first)) = records.first() else { continue };
            // Signatures may come in another part of the file than the NSEC3 records that they belong beside.
            if !first.is_signature || first.is_nsec3() {
                packed.flags = packed.flags.with(Flags::of_type(first.rtype, self.labels.is_empty()));
            }
            let differing = records.iter().filter(|record| record.ttl != first.ttl).count();
            if differing > 0 {
                packed.differing_ttls += differing;
                first.ttl = ttl_of_last_run(records);
            }
            let rtype = if first.is_signature { Rtype::RRSIG } else { first.rtype };
            let kept = arrange(records, || rdata::in_class(rtype, class), &self.rdatas);
            if limits.records_per_type > 0 && kept > limits.records_per_type as usize {
                return Err(self.wide(rtype, (apex, class), limits.records_per_type));
            }
            let rdatas = records.iter().take(kept).map(|record| record.data(&self.rdatas));
            if !first.is_signature && is_of_concern(rtype, kept, rdatas, apex) {
                packed.flags = packed.flags.with(Flags::CONCERN);
            }
            if !first.is_signature && kept > 1 && is_singleton(rtype) {
                packed.flags = packed.flags.with(Flags::DOUBLE);
            }
            packed.records += kept;
            let mut rrset = Arranged::new(records, first, kept);
            if !self.is_edit {
                rrset.mark_merged(records);
            }
            if rrset.size > MAX_RRSET {
                return Err(self.at_owner(apex, ContentsError::LargeRrset));
            }
            self.rrsets.push(rrset);
        }
        if limits.types_per_name > 0 && self.rrsets.len() > limits.types_per_name as usize {
            return Err(self.at_owner(apex, ContentsError::TooManyTypes));
        }
        Ok(packed)
    }

    #[cold]
    fn wide(&self, rtype: Rtype, (apex, class): (NameRef<'_>, Class), most: u32) -> ContentsError {
        let wide = |owner| WideRrset { owner, rtype, apex: apex.to_name(), class, most, grows: false };
        self.at_owner(apex, |owner| ContentsError::WideRrset(Box::new(wide(owner))))
    }

    /// The fault with the owner that it is about.
    #[cold]
    fn at_owner(&self, apex: NameRef<'_>, fault: impl FnOnce(Name) -> ContentsError) -> ContentsError {
        NameBuf::join(&self.labels, apex).map_or(ContentsError::OutOfZone, |owner| fault(owner.as_ref().to_name()))
    }

    /// How long the RRsets are in a block: the plain ones, and the signatures.
    fn body_sizes(&self) -> (usize, usize) {
        let (mut plain, mut signatures) = (0, 0);
        for rrset in &self.rrsets {
            *if rrset.first.is_signature { &mut signatures } else { &mut plain } += rrset.len();
        }
        (plain, signatures)
    }

    /// Appends the arranged RRsets.
    fn write_rrsets(&self, out: &mut Vec<u8>) {
        let mut records = self.records.as_slice();
        for rrset in &self.rrsets {
            let (these, others) = records.split_at_checked(rrset.all).unwrap_or_default();
            let Some(first) = these.first() else { continue };
            node::push_header(out, rrset.first.rtype, rrset.first.ttl, rrset.kept, rrset.size);
            if rrset.is_in_line {
                let start = first.start as usize;
                out.extend_from_slice(self.rdatas.get(start..start + rrset.size).unwrap_or_default());
            } else {
                these.iter().take(rrset.kept).for_each(|record| out.extend_from_slice(record.bytes(&self.rdatas)));
            }
            records = others;
        }
    }
}

/// The most bytes that an RRset has, two for the length of each record included: it must fit into a message.
pub(super) const MAX_RRSET: usize = 65_512;

/// What holds for records of an RRset that have come apart: each run has the TTL of its first.
#[cold]
fn ttl_of_last_run(records: &[Record]) -> u32 {
    let run = records.last().map(|last| last.run);
    records.iter().find(|record| Some(record.run) == run).map_or(0, |first| first.ttl)
}

/// Brings records into canonical order, one of equal ones in front, and says how many are left without the others:
/// duplicates. As in BIND it is the last of those that came together, and the first of those that did not.
fn arrange(records: &mut [Record], form: impl Fn() -> Form, rdatas: &[u8]) -> usize {
    if records.len() < 2 {
        return records.len();
    }
    let form = form();
    let is_folded = |record: &Record| rdata::is_folded(form, record.data(rdatas));
    match records.iter().any(is_folded) {
        true => arrange_by(records, |left, right| rdata::compare(form, left.data(rdatas), right.data(rdatas))),
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
        let (last, record) = (records[kept - 1], records[at]);
        if order(&last, &record).is_ne() {
            records[kept] = record;
            kept += 1;
        } else if last.run == record.run {
            records[kept - 1] = record;
        }
    }
    kept
}

/// The type that an RRSIG covers (RFC 4034 section 3.1.1).
fn covered(rdata: &[u8]) -> Result<Rtype, ContentsError> {
    rdata.first_chunk().map(|bytes| Rtype(u16::from_be_bytes(*bytes))).ok_or(ContentsError::BadRecord)
}
