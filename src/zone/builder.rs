//! Builds the contents of a zone from records that come in any order.
//!
//! Records in; a [`ZoneVersion`] out. Records of one owner usually come together: they are gathered, merged into
//! RRsets and packed into a block as soon as the owner changes, so nothing but packed blocks waits for the end. If
//! owners came in canonical order the blocks already lie as they will be; otherwise they are sorted, and blocks of the
//! same owner are joined. Duplicate records are dropped and the first TTL of an RRset holds (RFC 2181 section 5.2).

use std::cmp::Ordering;
use std::mem;

use super::blocks::{BlockWriter, Place};
use super::contents::{Parts, ZoneVersion};
use super::key::{Key, Prefix, Successive};
use super::node::{self, Flags, Node};
use super::trie::{Leaf, Trie, TrieWriter};
use crate::dns::rdata;
use crate::dns::{Class, Name, NameRef, Rtype};

/// Why records are no zone. Words as BIND has them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentsError {
    /// More records than `max-records`, `max-records-per-type` or `max-types-per-name` allow; which one is told.
    #[error("too many records")]
    TooManyRecords(Limit),
    /// The owner is not at or below the apex.
    #[error("out-of-zone data")]
    OutOfZone,
    /// Rdata of more than 65,535 bytes, or an RRSIG that does not even say what it covers.
    #[error("bad record")]
    BadRecord,
    /// Not exactly one SOA record at the apex. How many NS records are there comes along for the loader's messages.
    #[error("has {soa} SOA records")]
    SoaCount {
        /// SOA records at the apex.
        soa: usize,
        /// NS records at the apex.
        ns: usize,
    },
}

/// Which limit was passed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Limit {
    /// `max-records`.
    Records,
    /// `max-records-per-type`.
    RecordsPerType,
    /// `max-types-per-name`.
    TypesPerName,
}

/// How much a zone may hold; 0 is no limit.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Limits {
    /// Records in all (`max-records`).
    pub records: u32,
    /// Records in an RRset (`max-records-per-type`).
    pub records_per_type: u32,
    /// RRsets at a name (`max-types-per-name`).
    pub types_per_name: u32,
}

/// All blocks are copied if more than one in so many has been replaced by a joined one.
const MOST_REPLACED: usize = 16;

/// Takes records and builds a zone version of them.
pub struct Builder {
    apex: Name,
    class: Class,
    limits: Limits,
    open: Open,
    block: Vec<u8>,
    blocks: BlockWriter,
    names: Runs,
    nsec3: Runs,
    differing_ttls: usize,
    records: usize,
}

impl Builder {
    /// An empty zone.
    pub fn new(apex: Name, class: Class) -> Self {
        Self {
            apex,
            class,
            limits: Limits::default(),
            open: Open::default(),
            block: Vec::new(),
            blocks: BlockWriter::default(),
            names: Runs::default(),
            nsec3: Runs::default(),
            differing_ttls: 0,
            records: 0,
        }
    }

    /// Sets limits; without this there are none.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// Adds one record; `rdata` is uncompressed wire form, already checked to be of its type.
    ///
    /// A limit may be reported only when the next owner comes or by [`Self::finish`].
    pub fn add(&mut self, owner: NameRef<'_>, rtype: Rtype, ttl: u32, rdata: &[u8]) -> Result<(), ContentsError> {
        if !self.open.is_owned_by(owner) {
            let labels = self.relative(owner)?;
            self.close()?;
            self.open.labels.extend_from_slice(labels);
            self.open.owner.extend_from_slice(owner.as_bytes());
        }
        self.open.push(rtype, ttl, rdata)
    }

    /// How many records had another TTL than the first of their RRset. Complete only for owners whose records came
    /// together and have been followed by another owner.
    pub fn differing_ttls(&self) -> usize {
        self.differing_ttls
    }

    /// Puts the zone together.
    pub fn finish(mut self) -> Result<ZoneVersion, ContentsError> {
        self.close()?;
        let (names, nsec3) = (mem::take(&mut self.names), mem::take(&mut self.nsec3));
        if !(names.is_sorted && nsec3.is_sorted) {
            return self.finish_unsorted(names, nsec3);
        }
        self.assemble(names.runs, nsec3.runs)
    }

    /// Brings the runs into order and joins those of one owner. Blocks stay where they are: file order is near enough
    /// to canonical order for walks. Only if many were joined are all copied, to leave out those that they replace.
    fn finish_unsorted(mut self, mut names: Runs, mut nsec3: Runs) -> Result<ZoneVersion, ContentsError> {
        names.sort(&self.blocks);
        nsec3.sort(&self.blocks);
        let before = names.runs.len() + nsec3.runs.len();
        let (names, nsec3) = (self.join_runs(&names.runs)?, self.join_runs(&nsec3.runs)?);
        let joined = before - names.len() - nsec3.len();
        if joined <= before / MOST_REPLACED {
            return self.assemble(names, nsec3);
        }
        let from = mem::take(&mut self.blocks);
        let (names, nsec3) = (self.copy_runs(names, &from), self.copy_runs(nsec3, &from));
        drop(from);
        self.assemble(names, nsec3)
    }

    fn assemble(self, names: Vec<Run>, nsec3: Vec<Run>) -> Result<ZoneVersion, ContentsError> {
        let (names, nsec3) = (index(names, &self.blocks), index(nsec3, &self.blocks));
        let version = ZoneVersion::new(Parts {
            apex: self.apex,
            class: self.class,
            blocks: self.blocks.finish(),
            record_count: self.records,
            names,
            nsec3,
        });
        let apex = version.apex_node();
        let count = |rtype| apex.and_then(|apex| apex.rrset(rtype)).map_or(0, |rrset| rrset.len());
        match (count(Rtype::SOA), count(Rtype::NS)) {
            (1, _) => Ok(version),
            (soa, ns) => Err(ContentsError::SoaCount { soa, ns }),
        }
    }

    /// The owner's labels without the apex.
    fn relative<'n>(&self, owner: NameRef<'n>) -> Result<&'n [u8], ContentsError> {
        let apex = self.apex.as_ref();
        if !owner.is_at_or_below(apex) {
            return Err(ContentsError::OutOfZone);
        }
        owner.as_bytes().get(..owner.len() - apex.len()).ok_or(ContentsError::OutOfZone)
    }

    /// Packs the records of the open owner; NSEC3 records and their signatures into a block of their own.
    fn close(&mut self) -> Result<(), ContentsError> {
        if self.open.records.is_empty() {
            return Ok(());
        }
        let mut open = mem::take(&mut self.open);
        if open.records.iter().any(Record::is_nsec3) {
            let nsec3 = open.records.extract_if(.., |record| record.is_nsec3()).collect();
            let rest = mem::replace(&mut open.records, nsec3);
            let leaf = self.pack(&mut open)?;
            self.nsec3.push(leaf, &open.labels);
            open.records = rest;
        }
        if !open.records.is_empty() {
            let leaf = self.pack(&mut open)?;
            self.names.push(leaf, &open.labels);
        }
        open.clear();
        self.open = open;
        Ok(())
    }

    /// Appends a block with the records of `open`.
    fn pack(&mut self, open: &mut Open) -> Result<Leaf, ContentsError> {
        self.block.clear();
        let packed = open.pack_into(&mut self.block, self.limits)?;
        self.differing_ttls += packed.differing_ttls;
        self.records += packed.records;
        let place = self.blocks.push(&self.block);
        self.check_total()?;
        Ok(Leaf { place, flags: packed.flags })
    }

    fn check_total(&self) -> Result<(), ContentsError> {
        let limit = self.limits.records as usize;
        if limit > 0 && self.records > limit {
            return Err(ContentsError::TooManyRecords(Limit::Records));
        }
        Ok(())
    }

    /// One run for each owner out of sorted ones.
    fn join_runs(&mut self, runs: &[Run]) -> Result<Vec<Run>, ContentsError> {
        let mut joined = Vec::with_capacity(runs.len());
        let mut rest = runs;
        while let Some(first) = rest.first() {
            let same = 1 + rest.iter().skip(1).take_while(|run| run.has_owner_of(first, &self.blocks)).count();
            let (head, tail) = rest.split_at(same);
            joined.push(if same > 1 { self.join(first.prefix, head)? } else { *first });
            rest = tail;
        }
        Ok(joined)
    }

    /// One block out of all blocks of an owner.
    fn join(&mut self, prefix: Prefix, same: &[Run]) -> Result<Run, ContentsError> {
        let mut open = mem::take(&mut self.open);
        open.clear();
        for run in same {
            open.push_block(self.blocks.at(run.place))?;
        }
        // Packing counts them anew, without the duplicates that separate blocks have hidden.
        self.records -= open.records.len();
        let Leaf { place, flags } = self.pack(&mut open)?;
        self.open = open;
        Ok(Run { prefix, place, flags })
    }

    fn copy_runs(&mut self, mut runs: Vec<Run>, from: &BlockWriter) -> Vec<Run> {
        for run in &mut runs {
            let block = from.at(run.place);
            run.place = self.blocks.push(block.get(..node::block_len(block)).unwrap_or_default());
        }
        runs
    }
}

/// The trie over sorted runs.
fn index(mut runs: Vec<Run>, blocks: &BlockWriter) -> Trie {
    adjust(&mut runs, blocks);
    let mut trie = TrieWriter::default();
    for run in runs {
        let labels = node::block_labels(blocks.at(run.place));
        trie.push(labels, Leaf { place: run.place, flags: run.flags });
    }
    trie.finish()
}

/// Sets the flags that depend on the names above and below.
fn adjust(runs: &mut [Run], blocks: &BlockWriter) {
    let labels = |run: &Run| node::block_labels(blocks.at(run.place));
    // The runs of the names above the one at hand, from the top down.
    let mut above: Vec<usize> = Vec::new();
    for at in 0..runs.len() {
        let own = labels(&runs[at]);
        while above.pop_if(|&mut last| !is_below(own, labels(&runs[last]))).is_some() {}
        if let Some(&last) = above.last() {
            if runs[last].flags.occludes_below() {
                runs[at].flags = runs[at].flags.with(Flags::OCCLUDED);
            }
            if own.starts_with(b"\x01*") && own.len() == labels(&runs[last]).len() + 2 {
                runs[last].flags = runs[last].flags.with(Flags::WILDCARD);
            }
        }
        above.push(at);
    }
}

/// Whether labels belong to a name below the one that `parent` belongs to.
fn is_below(labels: &[u8], parent: &[u8]) -> bool {
    let Some(extra) = labels.len().checked_sub(parent.len()).filter(|&extra| extra > 0) else { return false };
    if !labels[extra..].eq_ignore_ascii_case(parent) {
        return false;
    }
    let mut at = 0;
    while at < extra {
        at += 1 + usize::from(labels[at]);
    }
    at == extra
}

/// A block and what sorting needs to know of it.
#[derive(Clone, Copy)]
struct Run {
    prefix: Prefix,
    place: Place,
    flags: Flags,
}

impl Run {
    fn key(&self, blocks: &BlockWriter) -> Key {
        Key::of_labels(node::block_labels(blocks.at(self.place)))
    }

    /// Reads blocks only if the prefixes do not tell.
    fn order(&self, other: &Self, blocks: &BlockWriter) -> Ordering {
        let prefixes = self.prefix.cmp(&other.prefix);
        if prefixes.is_ne() || self.prefix.is_whole() {
            return prefixes;
        }
        self.key(blocks).cmp(&other.key(blocks))
    }

    fn has_owner_of(&self, other: &Self, blocks: &BlockWriter) -> bool {
        let labels = |run: &Self| node::block_labels(blocks.at(run.place));
        self.prefix == other.prefix && (self.prefix.is_whole() || labels(self).eq_ignore_ascii_case(labels(other)))
    }
}

/// Blocks in the order in which they were packed.
struct Runs {
    runs: Vec<Run>,
    keys: Successive,
    is_sorted: bool,
}

impl Default for Runs {
    fn default() -> Self {
        Self { runs: Vec::new(), keys: Successive::default(), is_sorted: true }
    }
}

impl Runs {
    fn push(&mut self, leaf: Leaf, labels: &[u8]) {
        let Leaf { place, flags } = leaf;
        self.keys.next(labels);
        self.is_sorted &= self.runs.is_empty() || self.keys.previous() < self.keys.current();
        self.runs.push(Run { prefix: self.keys.current().prefix(), place, flags });
    }

    /// Stable, so that blocks of one owner stay in the order in which they came.
    fn sort(&mut self, blocks: &BlockWriter) {
        if !self.is_sorted {
            self.runs.sort_by(|left, right| left.order(right, blocks));
        }
    }
}

/// The records of the owner that is being added.
#[derive(Default)]
struct Open {
    /// The whole owner name.
    owner: Vec<u8>,
    /// Its labels without those of the apex.
    labels: Vec<u8>,
    records: Vec<Record>,
    rdatas: Vec<u8>,
    /// The packed RRsets while a block is put together.
    body: Vec<u8>,
}

/// One record: its rdata lies in [`Open::rdatas`], behind its length.
#[derive(Clone, Copy)]
struct Record {
    is_signature: bool,
    /// The type covered, for a signature.
    rtype: Rtype,
    ttl: u32,
    start: u32,
    end: u32,
}

impl Record {
    fn is_nsec3(&self) -> bool {
        self.rtype == Rtype::NSEC3
    }

    fn rrset(&self) -> (bool, Rtype) {
        (self.is_signature, self.rtype)
    }
}

/// What packing found.
#[derive(Default)]
struct Packed {
    flags: Flags,
    records: usize,
    differing_ttls: usize,
}

impl Open {
    fn is_owned_by(&self, owner: NameRef<'_>) -> bool {
        !self.records.is_empty() && self.owner.eq_ignore_ascii_case(owner.as_bytes())
    }

    fn clear(&mut self) {
        self.owner.clear();
        self.labels.clear();
        self.records.clear();
        self.rdatas.clear();
    }

    fn push(&mut self, rtype: Rtype, ttl: u32, rdata: &[u8]) -> Result<(), ContentsError> {
        let length = u16::try_from(rdata.len()).map_err(|_| ContentsError::BadRecord)?;
        let is_signature = rtype == Rtype::RRSIG;
        let rtype = if is_signature { covered(rdata)? } else { rtype };
        let start = self.rdatas.len() as u32;
        self.rdatas.extend_from_slice(&length.to_be_bytes());
        self.rdatas.extend_from_slice(rdata);
        self.records.push(Record { is_signature, rtype, ttl, start, end: self.rdatas.len() as u32 });
        Ok(())
    }

    /// Takes the records out of a block again. The first block's owner stays.
    fn push_block(&mut self, block: &[u8]) -> Result<(), ContentsError> {
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
    fn pack_into(&mut self, out: &mut Vec<u8>, limits: Limits) -> Result<Packed, ContentsError> {
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
    let bytes = |record: &Record| rdatas.get(record.start as usize..record.end as usize).unwrap_or_default();
    let data = |record: &Record| bytes(record).get(2..).unwrap_or_default();
    let (covered, is_signature) = records.first().map_or((Rtype(0), false), |first| (first.rtype, first.is_signature));
    let rtype = if is_signature { Rtype::RRSIG } else { covered };
    // Equal ones are duplicates, as in BIND.
    let is_same = |left: &Record, right: &Record| rdata::compare(rtype, data(left), data(right)).is_eq();
    if records.len() > 1 {
        records.sort_by(|left, right| rdata::compare(rtype, data(left), data(right)));
    }
    let groups = || records.chunk_by(is_same).filter_map(|same| same.first());
    let count = groups().count();
    if limits.records_per_type > 0 && count > limits.records_per_type as usize {
        return Err(ContentsError::TooManyRecords(Limit::RecordsPerType));
    }
    out.extend_from_slice(&covered.0.to_be_bytes());
    out.extend_from_slice(&ttl.to_be_bytes());
    node::push_size(out, count);
    node::push_size(out, groups().map(|record| bytes(record).len()).sum());
    groups().for_each(|record| out.extend_from_slice(bytes(record)));
    Ok(count)
}

/// The type that an RRSIG covers (RFC 4034 section 3.1.1).
fn covered(rdata: &[u8]) -> Result<Rtype, ContentsError> {
    rdata.first_chunk().map(|bytes| Rtype(u16::from_be_bytes(*bytes))).ok_or(ContentsError::BadRecord)
}
