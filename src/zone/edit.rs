//! From one version of a zone to the next by adding and removing records, in time that depends on their number only.
//!
//! The records of each owner that is touched are taken out of its block, changed, and packed into a new block at the
//! end; everything else is shared with the version that the edit began with, which stays as it is. Flags that depend on
//! names above and below are mended where a change could have touched them.

use std::collections::HashMap;
use std::mem;

use super::blocks::{BlockWriter, Place};
use super::builder::{ContentsError, Limit, Limits};
use super::contents::{Parts, ZoneVersion};
use super::find::common_len;
use super::key::Key;
use super::node::{self, Flags};
use super::records::Records;
use super::trie::{Leaf, TrieEdit};
use crate::dns::{NameRef, Rtype};

/// Why a change does not fit the zone that it is made to.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum EditError {
    /// A record to be removed is not there.
    #[error("not exact")]
    NotThere,
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
    /// Where in `touched` an owner is, by its folded labels and whether it is one of NSEC3 records.
    places: HashMap<(bool, Box<[u8]>), usize>,
    folded: Vec<u8>,
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
        Edit { version: self, limits, touched: Vec::new(), places: HashMap::new(), folded: Vec::new() }
    }
}

impl Edit<'_> {
    /// Adds a record. False, with nothing done, if it is there already. `rdata` is uncompressed wire form, already
    /// checked to be of its type. The TTL of an RRset that is not empty stays.
    pub fn add(&mut self, owner: NameRef<'_>, rtype: Rtype, ttl: u32, rdata: &[u8]) -> Result<bool, EditError> {
        let touched = self.touch(owner, rtype, rdata)?;
        if touched.records.find(rtype, rdata).is_some() {
            return Ok(false);
        }
        touched.records.push(rtype, ttl, rdata)?;
        Ok(true)
    }

    /// Removes a record, whatever its TTL.
    pub fn remove(&mut self, owner: NameRef<'_>, rtype: Rtype, rdata: &[u8]) -> Result<(), EditError> {
        let touched = self.touch(owner, rtype, rdata)?;
        let at = touched.records.find(rtype, rdata).ok_or(EditError::NotThere)?;
        touched.records.records.remove(at);
        Ok(())
    }

    /// The next version.
    pub fn finish(self) -> Result<ZoneVersion, ContentsError> {
        let Self { version, limits, touched, .. } = self;
        let mut writer = Writer {
            limits,
            blocks: BlockWriter::after(&version.blocks),
            names: TrieEdit::new(&version.names),
            nsec3: TrieEdit::new(&version.nsec3),
            records: version.record_count(),
            dead_bytes: version.dead_bytes,
            block: Vec::new(),
            cuts: Vec::new(),
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
        let is_last = |last: &Touched| last.is_nsec3 == is_nsec3 && last.records.labels.eq_ignore_ascii_case(labels);
        let at = match self.touched.len().checked_sub(1).filter(|&last| is_last(&self.touched[last])) {
            Some(last) => last,
            None => self.place(labels, is_nsec3)?,
        };
        Ok(&mut self.touched[at])
    }

    fn place(&mut self, labels: &[u8], is_nsec3: bool) -> Result<usize, EditError> {
        self.folded.clear();
        self.folded.extend(labels.iter().map(u8::to_ascii_lowercase));
        let key = (is_nsec3, mem::take(&mut self.folded).into_boxed_slice());
        if let Some(&at) = self.places.get(&key) {
            self.folded = key.1.into_vec();
            return Ok(at);
        }
        self.touched.push(Touched::of(self.version, labels, is_nsec3)?);
        let at = self.touched.len() - 1;
        self.places.insert(key, at);
        Ok(at)
    }
}

impl Touched {
    fn of(version: &ZoneVersion, labels: &[u8], is_nsec3: bool) -> Result<Self, EditError> {
        let trie = if is_nsec3 { &version.nsec3 } else { &version.names };
        let path = trie.descend(&Key::of_labels(labels));
        let nearest = path.filter(|path| path.stuck.is_none()).map(|path| path.nearest);
        let before = nearest.filter(|&leaf| version.labels_at(leaf).eq_ignore_ascii_case(labels));
        let mut records = Records::default();
        match before {
            Some(leaf) => records.push_block(version.blocks.at(leaf.place))?,
            None => records.labels.extend_from_slice(labels),
        }
        Ok(Self { is_nsec3, before, count_before: records.records.len(), records })
    }
}

/// Writes the blocks and cells of the next version.
struct Writer {
    limits: Limits,
    blocks: BlockWriter,
    names: TrieEdit,
    nsec3: TrieEdit,
    records: usize,
    dead_bytes: usize,
    block: Vec<u8>,
    /// Names at which a zone cut or a DNAME came or went.
    cuts: Vec<Key>,
}

impl Writer {
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
            (true, None, Some(leaf)) => insert(&mut self.nsec3, &self.blocks, &key, leaf),
            (false, Some(_), Some(leaf)) => self.replace(key, leaf),
            (false, Some(before), None) => self.remove(key, before, &touched.records.labels),
            (false, None, Some(leaf)) => self.insert(key, leaf, &touched.records.labels),
        }
        Ok(())
    }

    fn pack(&mut self, records: &mut Records) -> Result<Leaf, ContentsError> {
        self.block.clear();
        let packed = records.pack_into(&mut self.block, self.limits)?;
        self.records += packed.records;
        Ok(Leaf { place: self.blocks.push(&self.block), flags: packed.flags })
    }

    fn replace(&mut self, key: Key, leaf: Leaf) {
        let Some(before) = self.names.descend(&key).map(|path| path.nearest) else { return };
        let flags = leaf.flags.with(before.flags.around());
        self.names.replace(&key, Leaf { flags, ..leaf });
        if before.flags.own().occludes_below() != leaf.flags.occludes_below() {
            self.cuts.push(key);
        }
    }

    fn remove(&mut self, key: Key, before: Leaf, labels: &[u8]) {
        self.names.remove(&key);
        if is_wildcard(labels) {
            self.flag_parent(labels, |flags| flags.without(Flags::WILDCARD));
        }
        if before.flags.own().occludes_below() {
            self.cuts.push(key);
        }
    }

    fn insert(&mut self, key: Key, leaf: Leaf, labels: &[u8]) {
        let mut flags = leaf.flags;
        if self.is_below_cut(&key) {
            flags = flags.with(Flags::OCCLUDED);
        }
        let mut wildcard = key.clone();
        wildcard.push_label(b"*");
        if self.leaf_of(&wildcard).is_some() {
            flags = flags.with(Flags::WILDCARD);
        }
        insert(&mut self.names, &self.blocks, &key, Leaf { flags, ..leaf });
        if is_wildcard(labels) {
            self.flag_parent(labels, |flags| flags.with(Flags::WILDCARD));
        }
        if leaf.flags.occludes_below() {
            self.cuts.push(key);
        }
    }

    fn leaf_of(&self, key: &Key) -> Option<Leaf> {
        let leaf = self.names.descend(key)?.nearest;
        (key_at(&self.blocks, leaf) == *key).then_some(leaf)
    }

    /// Changes the flags of the name right above, if it is one with records.
    fn flag_parent(&mut self, labels: &[u8], change: impl Fn(Flags) -> Flags) {
        let parent = labels.get(1 + usize::from(labels.first().copied().unwrap_or(0))..).unwrap_or_default();
        let key = Key::of_labels(parent);
        if let Some(leaf) = self.leaf_of(&key) {
            self.names.replace(&key, Leaf { flags: change(leaf.flags), ..leaf });
        }
    }

    /// Whether a cut or a DNAME is above the name.
    fn is_below_cut(&self, key: &Key) -> bool {
        let Some(path) = self.names.descend(key) else { return false };
        let nearest = key_at(&self.blocks, path.nearest);
        let common = common_len(key, &nearest, path.stuck);
        let is_above = |found: Option<(usize, Leaf)>| found.is_some_and(|(len, _)| len <= common);
        let is_parent = nearest.len() <= common && nearest.len() < key.len();
        is_above(path.above.cut) || is_above(path.above.dname) || (is_parent && path.nearest.flags.occludes_below())
    }

    /// Whether the name or one below it is there.
    fn has_names_from(&self, key: &Key) -> bool {
        let Some(path) = self.names.descend(key) else { return false };
        common_len(key, &key_at(&self.blocks, path.nearest), path.stuck) >= key.len()
    }

    /// Sets anew what depends on cuts that came or went, for all names below them.
    fn mend(&mut self, key: &Key) {
        if !self.has_names_from(key) {
            return;
        }
        let own = self.leaf_of(key);
        let is_occluding = self.is_below_cut(key) || own.is_some_and(|leaf| leaf.flags.occludes_below());
        let (blocks, names) = (&self.blocks, &mut self.names);
        // The names above the one at hand, from the changed one down, and whether they occlude.
        let mut above: Vec<(Place, bool)> = Vec::new();
        let top = key.clone();
        names.update_below(key, key.len(), &mut |leaf: Leaf| {
            let labels = node::block_labels(blocks.at(leaf.place));
            let own = Key::of_labels(labels);
            if own == top || own.first_difference(&top).is_some_and(|at| at < top.len()) {
                return leaf;
            }
            while above.pop_if(|(last, _)| !is_below(labels, node::block_labels(blocks.at(*last)))).is_some() {}
            let is_occluded = above.last().map_or(is_occluding, |&(_, occludes)| occludes);
            let flags = leaf.flags.without(Flags::OCCLUDED);
            let flags = if is_occluded { flags.with(Flags::OCCLUDED) } else { flags };
            above.push((leaf.place, flags.occludes_below()));
            Leaf { flags, ..leaf }
        });
    }

    fn finish(mut self, before: &ZoneVersion) -> Result<ZoneVersion, ContentsError> {
        let limit = self.limits.records as usize;
        if limit > 0 && self.records > limit {
            return Err(ContentsError::TooManyRecords(Limit::Records));
        }
        for key in mem::take(&mut self.cuts) {
            self.mend(&key);
        }
        let parts = Parts {
            apex: before.apex().to_name(),
            class: before.class(),
            blocks: self.blocks.finish(),
            record_count: self.records,
            dead_bytes: self.dead_bytes,
            names: self.names.finish(),
            nsec3: self.nsec3.finish(),
        };
        let version = ZoneVersion::checked(parts)?;
        Ok(if version.has_much_dead() { version.rewritten() } else { version })
    }
}

/// Adds a leaf that is not there.
fn insert(trie: &mut TrieEdit, blocks: &BlockWriter, key: &Key, leaf: Leaf) {
    let Some(path) = trie.descend(key) else { return trie.insert(key, 0, key, leaf) };
    let nearest = key_at(blocks, path.nearest);
    let common = common_len(key, &nearest, path.stuck);
    trie.insert(key, common, &nearest, leaf);
}

fn key_at(blocks: &BlockWriter, leaf: Leaf) -> Key {
    Key::of_labels(node::block_labels(blocks.at(leaf.place)))
}

fn is_wildcard(labels: &[u8]) -> bool {
    labels.starts_with(b"\x01*")
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

#[cfg(test)]
mod tests;
