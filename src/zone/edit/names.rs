//! Changing the index of a zone's names, with the flags that depend on the names above and below.

use std::mem;

use crate::zone::blocks::{BlockWriter, Place};
use crate::zone::find::common_len;
use crate::zone::key::Key;
use crate::zone::node::{self, Flags};
use crate::zone::trie::{Leaf, Trie, TrieEdit};

/// The trie of a zone's names while names come, go and change.
pub(in crate::zone) struct NamesEdit {
    trie: TrieEdit,
    /// Names at which a zone cut or a DNAME came or went.
    cuts: Vec<Key>,
}

impl NamesEdit {
    /// Starts from a version.
    pub(in crate::zone) fn new(trie: &Trie) -> Self {
        Self { trie: TrieEdit::new(trie), cuts: Vec::new() }
    }

    /// The trie as it is so far, but for flags.
    pub(super) fn trie(&self) -> &TrieEdit {
        &self.trie
    }

    /// The changed trie.
    pub(in crate::zone) fn finish(mut self, blocks: &BlockWriter) -> Trie {
        for key in mem::take(&mut self.cuts) {
            self.mend(&key, blocks);
        }
        self.trie.finish()
    }

    pub(in crate::zone) fn replace(&mut self, key: &Key, leaf: Leaf) {
        let mut occluded_below = leaf.flags.occludes_below();
        self.trie.change(key, |before| {
            occluded_below = before.flags.own().occludes_below();
            Leaf { flags: leaf.flags.with(before.flags.around()), ..leaf }
        });
        if occluded_below != leaf.flags.occludes_below() {
            self.cuts.push(key.clone());
        }
    }

    pub(in crate::zone) fn remove(&mut self, key: &Key, before: Leaf, labels: &[u8], blocks: &BlockWriter) {
        self.trie.remove(key);
        for parent in wildcard_parents(labels) {
            self.mend_wildcard(parent, blocks);
        }
        if before.flags.own().occludes_below() {
            self.cuts.push(key.clone());
        }
    }

    pub(in crate::zone) fn insert(&mut self, key: &Key, leaf: Leaf, labels: &[u8], blocks: &BlockWriter) {
        let mut flags = leaf.flags;
        if self.is_below_cut(key, blocks) {
            flags = flags.with(Flags::OCCLUDED);
        }
        let mut wildcard = key.clone();
        wildcard.push_label(b"*");
        if self.has_names_from(&wildcard, blocks) {
            flags = flags.with(Flags::WILDCARD);
        }
        insert(&mut self.trie, blocks, key, Leaf { flags, ..leaf });
        for parent in wildcard_parents(labels) {
            self.mend_wildcard(parent, blocks);
        }
        if leaf.flags.occludes_below() {
            self.cuts.push(key.clone());
        }
    }

    pub(in crate::zone) fn leaf_of(&self, key: &Key, blocks: &BlockWriter) -> Option<Leaf> {
        let leaf = self.trie.descend(key)?.nearest;
        (key_at(blocks, leaf) == *key).then_some(leaf)
    }

    /// Sets anew whether a name, if it has records, has a wildcard right below it, be it an empty non-terminal.
    fn mend_wildcard(&mut self, labels: &[u8], blocks: &BlockWriter) {
        let key = Key::of_labels(labels);
        let Some(leaf) = self.leaf_of(&key, blocks) else { return };
        let mut wildcard = key.clone();
        wildcard.push_label(b"*");
        let flags = leaf.flags.without(Flags::WILDCARD);
        let flags = if self.has_names_from(&wildcard, blocks) { flags.with(Flags::WILDCARD) } else { flags };
        self.trie.replace(&key, Leaf { flags, ..leaf });
    }

    /// Whether a cut or a DNAME is above the name.
    fn is_below_cut(&self, key: &Key, blocks: &BlockWriter) -> bool {
        let Some(path) = self.trie.descend(key) else { return false };
        let nearest = key_at(blocks, path.nearest);
        let common = common_len(key, &nearest, path.stuck);
        let is_above = |found: Option<(usize, Leaf)>| found.is_some_and(|(len, _)| len <= common);
        let is_parent = nearest.len() <= common && nearest.len() < key.len();
        is_above(path.above.cut) || is_above(path.above.dname) || (is_parent && path.nearest.flags.occludes_below())
    }

    /// Whether the name or one below it is there.
    fn has_names_from(&self, key: &Key, blocks: &BlockWriter) -> bool {
        let Some(path) = self.trie.descend(key) else { return false };
        common_len(key, &key_at(blocks, path.nearest), path.stuck) >= key.len()
    }

    /// Sets anew what depends on cuts that came or went, for all names below them.
    fn mend(&mut self, key: &Key, blocks: &BlockWriter) {
        if !self.has_names_from(key, blocks) {
            return;
        }
        let own = self.leaf_of(key, blocks);
        let is_occluding = self.is_below_cut(key, blocks) || own.is_some_and(|leaf| leaf.flags.occludes_below());
        let trie = &mut self.trie;
        // The names above the one at hand, from the changed one down, and whether they occlude.
        let mut above: Vec<(Place, bool)> = Vec::new();
        let top = key.clone();
        trie.update_below(key, key.len(), &mut |leaf: Leaf| {
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
}

/// The leaf of the owner with this key and these labels.
pub(super) fn leaf_of(trie: &TrieEdit, blocks: &BlockWriter, key: &Key, labels: &[u8]) -> Option<Leaf> {
    let path = trie.descend(key).filter(|path| path.stuck.is_none())?;
    let found = node::block_labels(blocks.at(path.nearest.place));
    found.eq_ignore_ascii_case(labels).then_some(path.nearest)
}

/// Adds a leaf that is not there.
pub(super) fn insert(trie: &mut TrieEdit, blocks: &BlockWriter, key: &Key, leaf: Leaf) {
    let Some(path) = trie.descend(key) else { return trie.insert(key, 0, key, leaf) };
    let nearest = key_at(blocks, path.nearest);
    let common = common_len(key, &nearest, path.stuck);
    trie.insert(key, common, &nearest, leaf);
}

fn key_at(blocks: &BlockWriter, leaf: Leaf) -> Key {
    Key::of_labels(node::block_labels(blocks.at(leaf.place)))
}

/// What stands behind each label `*`.
fn wildcard_parents(mut labels: &[u8]) -> impl Iterator<Item = &[u8]> {
    std::iter::from_fn(move || {
        while let Some((&length, rest)) = labels.split_first() {
            let (label, parent) = rest.split_at_checked(usize::from(length))?;
            labels = parent;
            if label == b"*" {
                return Some(parent);
            }
        }
        None
    })
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
