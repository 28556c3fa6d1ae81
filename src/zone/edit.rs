//! From one version of a zone to the next by adding and removing records, in time that depends on their number only.
//!
//! The records of an owner are taken out of its block, changed, and packed into a new block when the changes go on with
//! another owner; everything else is shared with the version that the edit began with, which stays as it is. So it is
//! best to make the changes to one owner together. Flags that depend on names above and below are mended where a change
//! could have touched them.

mod names;

use std::mem;

use super::blocks::BlockWriter;
use super::builder::{ContentsError, Limits};
use super::contents::{Parts, ZoneVersion};
use super::key::Key;
use super::node::{self, Flags};
use super::records::{Packed, Records};
use super::trie::{Leaf, TrieEdit};
use crate::dns::{Class, Name, NameBuf, NameRef, Rtype};
pub(super) use names::NamesEdit;

/// Why a change does not fit the zone that it is made to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// A record to be removed is not there.
    #[error("not exact")]
    NotThere,
    /// The RRset of a record has another TTL.
    #[error("not exact")]
    NotExact,
    /// The record cannot be in the zone.
    #[error(transparent)]
    Contents(ContentsError),
}

impl From<ContentsError> for EditError {
    fn from(error: ContentsError) -> Self {
        Self::Contents(error)
    }
}

/// A zone version in the making, out of another one.
pub struct Edit<'v> {
    version: &'v ZoneVersion,
    limits: Limits,
    blocks: BlockWriter,
    names: NamesEdit,
    nsec3: TrieEdit,
    /// How many there are.
    records: usize,
    dead_bytes: usize,
    open: Open,
    /// Names to which records were added, and at which some may exclude others.
    suspects: Vec<Name>,
}

/// The owner that changes are being made to.
struct Open {
    is_nsec3: bool,
    key: Key,
    /// Its leaf so far.
    before: Option<Leaf>,
    /// How many records its block has.
    count_before: usize,
    records: Records,
    done: Done,
}

/// What has been done to the records of an owner.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
enum Done {
    /// They have not been looked at: there is no such owner yet.
    Nowhere,
    Nothing,
    Removals,
    Additions,
}

impl ZoneVersion {
    /// Begins an edit. Nothing of this version changes, whatever becomes of it.
    pub fn edit(&self, limits: Limits) -> Edit<'_> {
        let (key, records) = (Key::empty(), Records::for_edit());
        Edit {
            version: self,
            limits,
            blocks: BlockWriter::after(&self.blocks),
            names: NamesEdit::new(&self.names),
            nsec3: TrieEdit::new(self.nsec3()),
            records: self.record_count(),
            dead_bytes: self.dead_bytes,
            open: Open { is_nsec3: false, key, before: None, count_before: 0, records, done: Done::Nowhere },
            suspects: Vec::new(),
        }
    }
}

impl<'v> Edit<'v> {
    /// The version that the edit began with.
    pub fn version(&self) -> &'v ZoneVersion {
        self.version
    }

    /// Adds a record. False, with nothing done, if it is there already. `rdata` is uncompressed wire form, already
    /// checked to be of its type. The TTL of an RRset that is not empty stays.
    pub fn add(&mut self, owner: NameRef<'_>, rtype: Rtype, ttl: u32, rdata: &[u8]) -> Result<bool, EditError> {
        let class = self.version.class();
        Ok(self.touch(owner, rtype, rdata)?.add((rtype, class), ttl, rdata)?)
    }

    /// The same; an RRset that is not empty must have this TTL.
    pub fn add_exactly(&mut self, owner: NameRef<'_>, rtype: Rtype, ttl: u32, rdata: &[u8]) -> Result<bool, EditError> {
        let class = self.version.class();
        Ok(self.touch(owner, rtype, rdata)?.of_ttl(rtype, ttl, rdata)?.add((rtype, class), ttl, rdata)?)
    }

    /// Removes a record, whatever its TTL.
    pub fn remove(&mut self, owner: NameRef<'_>, rtype: Rtype, rdata: &[u8]) -> Result<(), EditError> {
        let class = self.version.class();
        self.touch(owner, rtype, rdata)?.remove((rtype, class), rdata)
    }

    /// Removes a record, which must have this TTL.
    pub fn remove_exactly(
        &mut self,
        owner: NameRef<'_>,
        rtype: Rtype,
        ttl: u32,
        rdata: &[u8],
    ) -> Result<(), EditError> {
        let class = self.version.class();
        self.touch(owner, rtype, rdata)?.of_ttl(rtype, ttl, rdata)?.remove((rtype, class), rdata)
    }

    /// The next version.
    pub fn finish(self) -> Result<ZoneVersion, ContentsError> {
        self.finish_with_suspects().map(|(version, _)| version)
    }

    /// The next version, and the names to which records were added that some there may exclude.
    pub fn finish_with_suspects(mut self) -> Result<(ZoneVersion, Vec<Name>), ContentsError> {
        self.close()?;
        let limit = self.limits.records as usize;
        if limit > 0 && self.records > limit {
            return Err(ContentsError::TooManyRecords);
        }
        let names = self.names.finish(&self.blocks);
        let parts = Parts {
            apex: self.version.apex().to_name(),
            class: self.version.class(),
            blocks: self.blocks.finish(),
            record_count: self.records,
            dead_bytes: self.dead_bytes,
            names,
            nsec3: self.nsec3.finish(),
        };
        let version = ZoneVersion::checked(parts)?;
        let version = if version.has_much_dead() { version.rewritten() } else { version };
        Ok((version, self.suspects))
    }

    /// The records of an owner, to be changed.
    fn touch(&mut self, owner: NameRef<'_>, rtype: Rtype, rdata: &[u8]) -> Result<&mut Open, EditError> {
        let labels = self.version.relative(owner).ok_or(ContentsError::OutOfZone)?;
        let is_nsec3 =
            rtype == Rtype::NSEC3 || (rtype == Rtype::RRSIG && rdata.starts_with(&Rtype::NSEC3.0.to_be_bytes()));
        if !self.open.is_at(labels, is_nsec3) {
            self.close()?;
            self.open(labels, is_nsec3)?;
        }
        Ok(&mut self.open)
    }

    /// Takes the records of an owner out of its block.
    fn open(&mut self, labels: &[u8], is_nsec3: bool) -> Result<(), ContentsError> {
        let Self { version, blocks, names, nsec3, open, .. } = self;
        (open.is_nsec3, open.done) = (is_nsec3, Done::Nothing);
        open.key.set(labels);
        let trie = if is_nsec3 { nsec3 } else { names.trie() };
        open.before = names::leaf_of(trie, blocks, &open.key, labels);
        open.records.clear();
        match open.before {
            Some(leaf) => open.records.push_block(blocks.at(leaf.place), version.apex())?,
            None => open.records.labels.extend_from_slice(labels),
        }
        open.count_before = open.records.records.len();
        Ok(())
    }

    /// Writes the records of the open owner, if they have changed, and the cells that lead to them.
    fn close(&mut self) -> Result<(), ContentsError> {
        let done = mem::replace(&mut self.open.done, Done::Nowhere);
        if done < Done::Removals {
            return Ok(());
        }
        let after = self.pack(done)?;
        let Self { blocks, names, nsec3, open, .. } = self;
        let (key, labels) = (&open.key, open.records.labels.as_slice());
        match (open.is_nsec3, open.before, after) {
            (_, None, None) => {}
            (true, Some(_), Some(leaf)) => nsec3.replace(key, leaf),
            (true, Some(_), None) => nsec3.remove(key),
            (true, None, Some(leaf)) => names::insert(nsec3, blocks, key, leaf),
            (false, Some(_), Some(leaf)) => names.replace(key, leaf),
            (false, Some(before), None) => names.remove(key, before, labels, blocks),
            (false, None, Some(leaf)) => names.insert(key, leaf, labels, blocks),
        }
        Ok(())
    }

    /// Writes the block of the open owner, if it has records.
    fn pack(&mut self, done: Done) -> Result<Option<Leaf>, ContentsError> {
        let (apex, class) = (self.version.apex(), self.version.class());
        self.records -= self.open.count_before;
        if let Some(before) = self.open.before {
            self.dead_bytes += node::block_len(self.blocks.at(before.place));
        }
        if self.open.records.records.is_empty() {
            return Ok(None);
        }
        let Packed { place, flags, records, .. } =
            self.open.records.pack((apex, class), self.limits, &mut self.blocks)?;
        self.records += records;
        if done == Done::Additions && (flags.has(Flags::CNAME) || flags.has(Flags::DOUBLE)) {
            let owner = NameBuf::join(&self.open.records.labels, apex).map_err(|_| ContentsError::OutOfZone)?;
            self.suspects.push(owner.as_ref().to_name());
        }
        Ok(Some(Leaf { place, flags }))
    }
}

impl Open {
    fn is_at(&self, labels: &[u8], is_nsec3: bool) -> bool {
        let is_open = self.done > Done::Nowhere && self.is_nsec3 == is_nsec3;
        is_open && self.records.labels.eq_ignore_ascii_case(labels)
    }

    /// The same, if the RRset that this record is or would be of has this TTL or is empty.
    fn of_ttl(&mut self, rtype: Rtype, ttl: u32, rdata: &[u8]) -> Result<&mut Self, EditError> {
        let has_other = self.records.ttl(rtype, rdata).is_some_and(|known| known != ttl);
        if has_other { Err(EditError::NotExact) } else { Ok(self) }
    }

    fn add(&mut self, (rtype, class): (Rtype, Class), ttl: u32, rdata: &[u8]) -> Result<bool, ContentsError> {
        if self.records.find(rtype, class, rdata).is_some() {
            return Ok(false);
        }
        self.records.interrupt();
        self.done = Done::Additions;
        self.records.push(rtype, ttl, rdata)?;
        Ok(true)
    }

    fn remove(&mut self, (rtype, class): (Rtype, Class), rdata: &[u8]) -> Result<(), EditError> {
        let at = self.records.find(rtype, class, rdata).ok_or(EditError::NotThere)?;
        self.records.records.remove(at);
        self.done = self.done.max(Done::Removals);
        Ok(())
    }
}

#[cfg(test)]
mod tests;
