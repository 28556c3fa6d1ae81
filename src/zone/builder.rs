//! Builds the contents of a zone from records that come in any order.
//!
//! Records in; a [`ZoneVersion`] out. Records of one owner usually come together: they are gathered, merged into
//! RRsets and packed into a block as soon as the owner changes, so nothing but packed blocks waits for the end. If
//! owners came in canonical order the blocks already lie as they will be; otherwise they are sorted, and blocks of the
//! same owner are joined. Duplicate records are dropped; where TTLs differ, that of the block read last holds, as in
//! BIND.

mod batch;
mod spelling;

use std::mem;
use std::sync::Arc;

use super::ahead::{AHEAD, fetch};
use super::blocks::{BlockWriter, Place};
use super::contents::{Parts, ZoneVersion};
use super::edit::NamesEdit;
use super::key::Key;
use super::names::{Names, Ordered, Ranked};
use super::node::{self, Flags};
use super::records::{Record, Records};
use super::trie::{Leaf, Trie, TrieWriter};
use crate::dns::name::NoDot;
use crate::dns::{Class, Name, NameRef, Rtype};
use batch::{Batch, Tail};

/// Why records are no zone. Words as BIND has them.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ContentsError {
    /// More records than `max-records` allows.
    #[error("too many records")]
    TooManyRecords,
    /// More RRsets at a name, which is told, than `max-types-per-name` allows.
    #[error("too many records")]
    TooManyTypes(Name),
    /// More records in an RRset than `max-records-per-type` allows.
    #[error("too many records")]
    WideRrset(Box<WideRrset>),
    /// An RRset of more bytes than BIND stores; its owner is told.
    #[error("ran out of space")]
    LargeRrset(Name),
    /// The owner is not at or below the apex.
    #[error("out-of-zone data")]
    OutOfZone,
    /// A wildcard cannot have records of this type.
    #[error(transparent)]
    Wildcard(#[from] WildcardOwner),
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

impl ContentsError {
    /// The name at which there is too much, or what cannot be.
    pub fn owner(&self) -> Option<&Name> {
        match self {
            Self::WideRrset(wide) => Some(&wide.owner),
            Self::TooManyTypes(owner) | Self::LargeRrset(owner) => Some(owner),
            Self::Wildcard(WildcardOwner::Ns(owner) | WildcardOwner::Nsec3(owner)) => Some(owner),
            _ => None,
        }
    }
}

/// A record whose owner, which is told, must be no wildcard.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum WildcardOwner {
    /// An NS record.
    #[error("invalid NS owner name (wildcard)")]
    Ns(Name),
    /// An NSEC3 record.
    #[error("invalid NSEC3 owner name")]
    Nsec3(Name),
}

impl WildcardOwner {
    /// Whether a record of this type may have this owner.
    pub fn check(owner: NameRef<'_>, rtype: Rtype) -> Result<(), Self> {
        match rtype {
            Rtype::NS if owner.is_wildcard() => Err(Self::Ns(owner.to_name())),
            Rtype::NSEC3 if owner.is_wildcard() => Err(Self::Nsec3(owner.to_name())),
            _ => Ok(()),
        }
    }
}

/// An RRset that may not be as large as it is. The text is BIND's.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("error {} '{}/{rtype}' in '{}/{class}' (zone): too many records (must not exceed {most})",
    if *.grows { "updating" } else { "adding" }, NoDot(.owner.as_ref()), NoDot(.apex.as_ref()))]
pub struct WideRrset {
    /// Its owner.
    pub owner: Name,
    /// Its type.
    pub rtype: Rtype,
    /// The zone.
    pub apex: Name,
    /// Its class.
    pub class: Class,
    /// How many records may be in it.
    pub most: u32,
    /// Whether it is known to have been smaller, and to have come apart.
    pub grows: bool,
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

/// Records that come one behind the other in a file, packed.
pub struct Part {
    chunks: Vec<Arc<[u8]>>,
    leaves: Box<[Leaf]>,
    records: usize,
    differing_ttls: usize,
    has_capitals: bool,
    tail: Tail,
}

/// Takes records and builds a zone version of them.
pub struct Builder {
    apex: Name,
    class: Class,
    limits: Limits,
    open: Records,
    batch: Batch,
    blocks: BlockWriter,
    names: Names,
    nsec3: Names,
    /// The names of a part, in their order.
    listed: Option<Vec<Leaf>>,
    differing_ttls: usize,
    records: usize,
    /// Bytes of blocks that others have replaced.
    dead_bytes: usize,
    /// Whether there may be capital letters in owners.
    pub(super) has_capitals: bool,
    /// The blocks that others were joined in, and the first of those.
    joined: Vec<(Place, Place)>,
}

impl Builder {
    /// An empty zone.
    pub fn new(apex: Name, class: Class) -> Self {
        Self {
            apex,
            class,
            limits: Limits::default(),
            open: Records::default(),
            batch: Batch::default(),
            blocks: BlockWriter::default(),
            names: Names::default(),
            nsec3: Names::default(),
            listed: None,
            differing_ttls: 0,
            records: 0,
            dead_bytes: 0,
            has_capitals: false,
            joined: Vec::new(),
        }
    }

    /// Sets limits; without this there are none.
    pub fn with_limits(mut self, limits: Limits) -> Self {
        self.limits = limits;
        self
    }

    /// A builder for parts of the same zone, which [`Self::end_part`] makes.
    pub fn for_parts(&self) -> Self {
        Self { listed: Some(Vec::new()), ..Self::new(self.apex.clone(), self.class).with_limits(self.limits) }
    }

    /// The records since the last part, for another builder to [`Self::absorb`]. Memory is used again for the next
    /// part: what the system has to find and clear costs as much as parsing does.
    pub fn end_part(&mut self) -> Result<Part, ContentsError> {
        let tail = self.tail();
        let closed = self.close();
        let listed = self.listed.get_or_insert_default();
        let leaves = listed.as_slice().into();
        listed.clear();
        let (records, differing_ttls) = (mem::take(&mut self.records), mem::take(&mut self.differing_ttls));
        let (chunks, has_capitals) = (self.blocks.take(), mem::take(&mut self.has_capitals));
        closed.map(|()| Part { chunks, leaves, records, differing_ttls, has_capitals, tail })
    }

    /// Takes over the records of a part that come behind those so far.
    pub fn absorb(&mut self, part: Part) -> Result<(), ContentsError> {
        self.close()?;
        self.batch.tail = part.tail;
        self.has_capitals |= part.has_capitals;
        self.records += part.records;
        self.differing_ttls += part.differing_ttls;
        self.check_total()?;
        let first_chunk = self.blocks.append(part.chunks);
        for mut leaf in part.leaves {
            leaf.place.chunk += first_chunk;
            let labels = node::block_labels(self.blocks.at(leaf.place));
            let names = if leaf.flags.has(Flags::NSEC3) { &mut self.nsec3 } else { &mut self.names };
            names.push(leaf, labels, &self.blocks);
        }
        Ok(())
    }

    /// Adds one record; `rdata` is uncompressed wire form, already checked to be of its type.
    ///
    /// A limit may be reported only when the next owner comes or by [`Self::finish`].
    pub fn add(&mut self, owner: NameRef<'_>, rtype: Rtype, ttl: u32, rdata: &[u8]) -> Result<(), ContentsError> {
        if !self.open.are_spelt(owner) {
            if self.open.is_owned_by(owner) {
                self.open.respell(owner);
            } else {
                self.close()?;
                self.begin(owner)?;
            }
        }
        self.open.push(rtype, ttl, rdata)
    }

    /// Tells that the records that come next came apart from those before, of the same owner or not.
    pub fn begin_rrset(&mut self) {
        self.open.interrupt();
    }

    fn begin(&mut self, owner: NameRef<'_>) -> Result<(), ContentsError> {
        let labels = self.relative(owner)?;
        self.open.begin(owner, labels, self.apex.as_ref());
        Ok(())
    }

    /// How many records had another TTL than the first of their RRset. Complete only for owners whose records came
    /// together and have been followed by another owner.
    pub fn differing_ttls(&self) -> usize {
        self.differing_ttls
    }

    /// Puts the zone together.
    pub fn finish(self) -> Result<ZoneVersion, ContentsError> {
        self.finish_unchecked().and_then(ZoneVersion::with_one_soa)
    }

    /// Puts the records together, even if they are no zone for want of a SOA record or having several.
    pub(super) fn finish_unchecked(mut self) -> Result<ZoneVersion, ContentsError> {
        self.close()?;
        let (names, nsec3) = (mem::take(&mut self.names), mem::take(&mut self.nsec3));
        let (mut names, nsec3) = (self.index(names)?, self.index(nsec3)?);
        if self.has_capitals {
            names = self.with_spellings(names)?;
        }
        Ok(self.assemble(names, nsec3))
    }

    /// Joins the blocks of one owner and makes a trie of all. Blocks stay where they are: file order is near enough to
    /// canonical order for walks.
    fn index(&mut self, names: Names) -> Result<Trie, ContentsError> {
        match names.finish(&self.blocks) {
            Ordered::Sorted(ranked) => self.index_ranked(&ranked),
            Ordered::Nearly(trie, strays) if strays.is_empty() => Ok(trie),
            Ordered::Nearly(trie, strays) => self.add_strays(&trie, &strays),
        }
    }

    fn add_strays(&mut self, trie: &Trie, strays: &[Ranked]) -> Result<Trie, ContentsError> {
        let mut names = NamesEdit::new(trie);
        let mut rest = strays;
        while let Some(first) = rest.first() {
            let (same, tail) = split_owner(rest);
            rest = tail;
            let labels = node::block_labels(self.blocks.at(first.place)).to_vec();
            let key = Key::of_labels(&labels);
            let known = names.leaf_of(&key, &self.blocks).map(|leaf| leaf.place);
            let mut places: Vec<Place> = same.iter().map(|ranked| ranked.place).chain(known).collect();
            places.sort_unstable();
            let leaf = if places.len() > 1 { self.join(&places)? } else { first.leaf() };
            match known {
                Some(_) => names.replace(&key, leaf),
                None => names.insert(&key, leaf, &labels, &self.blocks),
            }
        }
        Ok(names.finish(&self.blocks))
    }

    fn assemble(self, names: Trie, nsec3: Trie) -> ZoneVersion {
        let version = ZoneVersion::new(Parts {
            apex: self.apex,
            class: self.class,
            blocks: self.blocks.finish(),
            record_count: self.records,
            dead_bytes: self.dead_bytes,
            names,
            nsec3,
        });
        if version.has_much_dead() { version.rewritten() } else { version }
    }

    /// The owner's labels without the apex.
    fn relative<'n>(&self, owner: NameRef<'n>) -> Result<&'n [u8], ContentsError> {
        let apex = self.apex.as_ref();
        if !owner.is_at_or_below(apex) {
            return Err(ContentsError::OutOfZone);
        }
        owner.as_bytes().get(..owner.len() - apex.len()).ok_or(ContentsError::OutOfZone)
    }

    /// Packs the records of the open owner.
    fn pack_open(&mut self) -> Result<(), ContentsError> {
        let closed = if self.open.records.is_empty() { Ok(()) } else { self.pack_all() };
        self.open.clear();
        closed
    }

    /// Packs what is open; NSEC3 records and their signatures into a block of their own.
    fn pack_all(&mut self) -> Result<(), ContentsError> {
        if self.open.records.iter().any(Record::is_nsec3) {
            let nsec3 = self.open.records.extract_if(.., |record| record.is_nsec3()).collect();
            let rest = mem::replace(&mut self.open.records, nsec3);
            let leaf = self.pack()?;
            self.note(leaf);
            self.open.records = rest;
        }
        if !self.open.records.is_empty() {
            let leaf = self.pack()?;
            self.note(leaf);
        }
        Ok(())
    }

    /// Takes note of a block with the owner that is open.
    fn note(&mut self, leaf: Leaf) {
        let labels = &self.open.labels;
        match &mut self.listed {
            Some(listed) => listed.push(leaf),
            None if leaf.flags.has(Flags::NSEC3) => self.nsec3.push(leaf, labels, &self.blocks),
            None => self.names.push(leaf, labels, &self.blocks),
        }
    }

    /// Appends a block with the records that are open.
    fn pack(&mut self) -> Result<Leaf, ContentsError> {
        let packed = self.open.pack((self.apex.as_ref(), self.class), self.limits, &mut self.blocks)?;
        self.differing_ttls += packed.differing_ttls;
        self.records += packed.records;
        self.check_total()?;
        Ok(Leaf { place: packed.place, flags: packed.flags })
    }

    fn check_total(&self) -> Result<(), ContentsError> {
        let limit = self.limits.records as usize;
        if limit > 0 && self.records > limit {
            return Err(ContentsError::TooManyRecords);
        }
        Ok(())
    }

    /// The trie over blocks in canonical order, those of one owner joined.
    fn index_ranked(&mut self, ranked: &[Ranked]) -> Result<Trie, ContentsError> {
        let mut trie = TrieWriter::default();
        let (mut rest, mut far) = (ranked, ranked);
        while let Some(first) = rest.first() {
            if far.len() >= rest.len() {
                let (near, behind) = far.split_at(far.len().min(AHEAD));
                fetch(near.iter().map(|ranked| self.blocks.at(ranked.place)));
                far = behind;
            }
            let (same, tail) = split_owner(rest);
            rest = tail;
            let places = || same.iter().map(|ranked| ranked.place).collect::<Vec<_>>();
            let leaf = if same.len() > 1 { self.join(&places())? } else { first.leaf() };
            let is_next = trie.push(node::block_labels(self.blocks.at(leaf.place)), leaf);
            debug_assert!(is_next, "the blocks are in order");
        }
        Ok(trie.finish())
    }

    /// One block out of all blocks of an owner. Nothing else may be open.
    fn join(&mut self, places: &[Place]) -> Result<Leaf, ContentsError> {
        self.open.clear();
        for &place in places {
            let block = self.blocks.at(place);
            self.dead_bytes += node::block_len(block);
            self.open.push_block(block, self.apex.as_ref())?;
        }
        let leaf = self.pack_again()?;
        if self.has_capitals {
            self.joined.extend(places.first().map(|&first| (leaf.place, first)));
        }
        Ok(leaf)
    }

    /// Packs what has been taken out of blocks.
    fn pack_again(&mut self) -> Result<Leaf, ContentsError> {
        // Packing counts records anew, without the duplicates that separate blocks have hidden.
        self.records -= self.open.records.len();
        let leaf = self.pack();
        self.open.clear();
        leaf
    }
}

/// The blocks of the first owner and the others.
fn split_owner(ranked: &[Ranked]) -> (&[Ranked], &[Ranked]) {
    let others = ranked.iter().skip(1).take_while(|ranked| ranked.is_repeated).count();
    ranked.split_at(ranked.len().min(1 + others))
}

#[cfg(test)]
mod tests;
