//! From one version of a zone to the next by adding and removing records, in time that depends on their number only.
//!
//! The records of each owner that is touched are taken out of its block, changed, and packed into a new block at the
//! end; everything else is shared with the version that the edit began with, which stays as it is. Flags that depend on
//! names above and below are mended where a change could have touched them.

mod names;

use std::hash::BuildHasher;

use hashbrown::{DefaultHashBuilder, HashTable};

use super::blocks::BlockWriter;
use super::builder::{ContentsError, Limit, Limits};
use super::contents::{Parts, ZoneVersion};
use super::key::Key;
use super::node;
use super::records::Records;
use super::trie::{Leaf, TrieEdit};
use crate::dns::name::MAX_NAME;
use crate::dns::{Class, NameRef, Rtype};
pub(super) use names::NamesEdit;

/// Why a change does not fit the zone that it is made to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// A record to be removed is not there.
    #[error("not exact")]
    NotThere,
    /// A record to be added is there already, or its RRset has another TTL.
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
    /// What has been touched, in the order in which it was.
    touched: Vec<Touched>,
    /// Where in `touched` an owner is, by its labels and whether it is one of NSEC3 records.
    places: HashTable<u32>,
    hasher: DefaultHashBuilder,
}

/// An owner with its records as they will be.
struct Touched {
    is_nsec3: bool,
    /// Its leaf in the version that the edit began with.
    before: Option<Leaf>,
    /// How many records it had then.
    count_before: usize,
    records: Records,
}

impl ZoneVersion {
    /// Begins an edit. Nothing of this version changes, whatever becomes of it.
    pub fn edit(&self, limits: Limits) -> Edit<'_> {
        let (places, hasher) = (HashTable::new(), DefaultHashBuilder::default());
        Edit { version: self, limits, touched: Vec::new(), places, hasher }
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
        let touched = self.touch(owner, rtype, rdata)?;
        if touched.records.find(rtype, class, rdata).is_some() {
            return Ok(false);
        }
        touched.records.interrupt();
        touched.records.push(rtype, ttl, rdata)?;
        Ok(true)
    }

    /// Adds a record that must not be there yet, and whose RRset, if there is one, must have its TTL.
    pub fn add_exactly(&mut self, owner: NameRef<'_>, rtype: Rtype, ttl: u32, rdata: &[u8]) -> Result<(), EditError> {
        let class = self.version.class();
        let touched = self.touch(owner, rtype, rdata)?;
        let has_other_ttl = touched.records.ttl(rtype, rdata).is_some_and(|known| known != ttl);
        if has_other_ttl || touched.records.find(rtype, class, rdata).is_some() {
            return Err(EditError::NotExact);
        }
        touched.records.interrupt();
        touched.records.push(rtype, ttl, rdata)?;
        Ok(())
    }

    /// Removes a record, whatever its TTL.
    pub fn remove(&mut self, owner: NameRef<'_>, rtype: Rtype, rdata: &[u8]) -> Result<(), EditError> {
        let class = self.version.class();
        let touched = self.touch(owner, rtype, rdata)?;
        let at = touched.records.find(rtype, class, rdata).ok_or(EditError::NotThere)?;
        touched.records.records.remove(at);
        Ok(())
    }

    /// The next version.
    pub fn finish(self) -> Result<ZoneVersion, ContentsError> {
        let Self { version, limits, touched, .. } = self;
        let mut writer = Writer {
            apex: version.apex(),
            class: version.class(),
            limits,
            blocks: BlockWriter::after(&version.blocks),
            names: NamesEdit::new(&version.names),
            nsec3: TrieEdit::new(version.nsec3()),
            records: version.record_count(),
            dead_bytes: version.dead_bytes,
        };
        for each in touched {
            writer.write(each)?;
        }
        writer.finish(version)
    }

    /// The records of an owner, to be changed.
    fn touch(&mut self, owner: NameRef<'_>, rtype: Rtype, rdata: &[u8]) -> Result<&mut Touched, EditError> {
        let labels = self.version.relative(owner).ok_or(ContentsError::OutOfZone)?;
        let is_nsec3 =
            rtype == Rtype::NSEC3 || (rtype == Rtype::RRSIG && rdata.starts_with(&Rtype::NSEC3.0.to_be_bytes()));
        let at = match self.touched.len().checked_sub(1).filter(|&last| self.touched[last].is_at(labels, is_nsec3)) {
            Some(last) => last,
            None => self.place(labels, is_nsec3)?,
        };
        Ok(&mut self.touched[at])
    }

    fn place(&mut self, labels: &[u8], is_nsec3: bool) -> Result<usize, EditError> {
        let Self { version, touched, places, hasher, .. } = self;
        let hash = hash_of(hasher, labels, is_nsec3);
        if let Some(&at) = places.find(hash, |&at| touched[at as usize].is_at(labels, is_nsec3)) {
            return Ok(at as usize);
        }
        let at = touched.len();
        touched.push(Touched::of(version, labels, is_nsec3)?);
        places.insert_unique(hash, at as u32, |&at| {
            let Touched { is_nsec3, records, .. } = &touched[at as usize];
            hash_of(hasher, &records.labels, *is_nsec3)
        });
        Ok(at)
    }
}

fn hash_of(hasher: &DefaultHashBuilder, labels: &[u8], is_nsec3: bool) -> u64 {
    let mut folded = [0; MAX_NAME];
    let folded = folded.get_mut(..labels.len()).unwrap_or_default();
    folded.copy_from_slice(labels);
    folded.make_ascii_lowercase();
    hasher.hash_one((&*folded, is_nsec3))
}

impl Touched {
    fn is_at(&self, labels: &[u8], is_nsec3: bool) -> bool {
        self.is_nsec3 == is_nsec3 && self.records.labels.eq_ignore_ascii_case(labels)
    }

    fn of(version: &ZoneVersion, labels: &[u8], is_nsec3: bool) -> Result<Self, EditError> {
        let trie = if is_nsec3 { version.nsec3() } else { &version.names };
        let path = trie.descend(&Key::of_labels(labels));
        let nearest = path.filter(|path| path.stuck.is_none()).map(|path| path.nearest);
        let before = nearest.filter(|&leaf| version.labels_at(leaf).eq_ignore_ascii_case(labels));
        let mut records = Records::for_edit();
        match before {
            Some(leaf) => records.push_block(version.blocks.at(leaf.place), version.apex())?,
            None => records.labels.extend_from_slice(labels),
        }
        Ok(Self { is_nsec3, before, count_before: records.records.len(), records })
    }
}

/// Writes the blocks and cells of the next version.
struct Writer<'v> {
    apex: NameRef<'v>,
    class: Class,
    limits: Limits,
    blocks: BlockWriter,
    names: NamesEdit,
    nsec3: TrieEdit,
    records: usize,
    dead_bytes: usize,
}

impl Writer<'_> {
    fn write(&mut self, mut touched: Touched) -> Result<(), ContentsError> {
        self.records -= touched.count_before;
        if let Some(before) = touched.before {
            self.dead_bytes += node::block_len(self.blocks.at(before.place));
        }
        let after = if touched.records.records.is_empty() { None } else { Some(self.pack(&mut touched.records)?) };
        let key = Key::of_labels(&touched.records.labels);
        match (touched.is_nsec3, touched.before, after) {
            (_, None, None) => {}
            (true, Some(_), Some(leaf)) => self.nsec3.replace(&key, leaf),
            (true, Some(_), None) => self.nsec3.remove(&key),
            (true, None, Some(leaf)) => names::insert(&mut self.nsec3, &self.blocks, &key, leaf),
            (false, Some(_), Some(leaf)) => self.names.replace(key, leaf),
            (false, Some(before), None) => self.names.remove(key, before, &touched.records.labels, &self.blocks),
            (false, None, Some(leaf)) => self.names.insert(key, leaf, &touched.records.labels, &self.blocks),
        }
        Ok(())
    }

    fn pack(&mut self, records: &mut Records) -> Result<Leaf, ContentsError> {
        let packed = records.pack((self.apex, self.class), self.limits, &mut self.blocks)?;
        self.records += packed.records;
        Ok(Leaf { place: packed.place, flags: packed.flags })
    }

    fn finish(self, before: &ZoneVersion) -> Result<ZoneVersion, ContentsError> {
        let limit = self.limits.records as usize;
        if limit > 0 && self.records > limit {
            return Err(ContentsError::TooManyRecords(Limit::Records));
        }
        let names = self.names.finish(&self.blocks);
        let parts = Parts {
            apex: before.apex().to_name(),
            class: before.class(),
            blocks: self.blocks.finish(),
            record_count: self.records,
            dead_bytes: self.dead_bytes,
            names,
            nsec3: self.nsec3.finish(),
        };
        let version = ZoneVersion::checked(parts)?;
        Ok(if version.has_much_dead() { version.rewritten() } else { version })
    }
}

#[cfg(test)]
mod tests;
