//! The names of a zone that is being built, in order or not.

use std::cmp::Ordering;
use std::mem;

use super::blocks::{BlockWriter, Place};
use super::key::{Key, Prefix};
use super::node::{self, Flags};
use super::trie::{Leaf, Trie, TrieWriter, Walk};

/// The names of the blocks so far. As long as nearly all come in canonical order they go straight into a trie, and the
/// few others are added to it at the end; else they are runs to sort.
#[derive(Default)]
pub(super) struct Names {
    /// None once too many were out of order.
    trie: Option<Box<TrieWriter>>,
    strays: Vec<Run>,
}

impl Names {
    #[inline]
    pub(super) fn push(&mut self, leaf: Leaf, labels: &[u8], blocks: &BlockWriter) {
        let is_first = self.trie.is_none() && self.strays.is_empty();
        let trie = if is_first { Some(self.trie.insert(Box::default())) } else { self.trie.as_mut() };
        if !trie.is_some_and(|trie| trie.push(labels, leaf)) {
            self.push_stray(leaf, labels, blocks);
        }
    }

    /// Takes a name that does not come behind all others. Files often start with a few names that belong elsewhere, so
    /// the trie begins anew while it is small.
    fn push_stray(&mut self, leaf: Leaf, labels: &[u8], blocks: &BlockWriter) {
        let in_order = self.trie.as_ref().map_or(0, |trie| trie.len());
        if self.strays.len() <= MOST_STRAYS && in_order <= MOST_STRAYS && in_order > 0 {
            self.dissolve(blocks);
            let trie = self.trie.insert(Box::default());
            trie.push(labels, leaf);
            return;
        }
        self.strays.push(Run::new(leaf, labels));
        if self.strays.len() > MOST_STRAYS + in_order / FEW {
            self.dissolve(blocks);
        }
    }

    /// Takes the trie apart.
    fn dissolve(&mut self, blocks: &BlockWriter) {
        if let Some(mut trie) = self.trie.take() {
            self.strays.extend(runs_of(&mem::take(&mut *trie).finish(), blocks));
        }
    }

    /// The names in canonical order.
    pub(super) fn finish(mut self, blocks: &BlockWriter) -> Ordered {
        let is_small = self.trie.as_ref().is_some_and(|trie| trie.len() <= MOST_STRAYS);
        if is_small && !self.strays.is_empty() {
            // Written in one go, the trie has no cells that adding names has left behind.
            self.dissolve(blocks);
        }
        self.strays.sort_by(|left, right| left.order(right, blocks).then(left.place.cmp(&right.place)));
        match self.trie {
            Some(trie) => Ordered::Nearly(trie.finish(), self.strays),
            None => Ordered::Sorted(self.strays),
        }
    }
}

/// What came of the names; the runs are in canonical order, those of one owner in the order in which they came.
pub(super) enum Ordered {
    /// Most are in the trie. The strays' owners may be, too.
    Nearly(Trie, Vec<Run>),
    /// All are runs.
    Sorted(Vec<Run>),
}

/// Names out of order are strays if they are no more than this, and one in [`FEW`] of the others.
const MOST_STRAYS: usize = 64;
const FEW: usize = 16;

/// The leaves of a trie as they were before there was one.
fn runs_of(trie: &Trie, blocks: &BlockWriter) -> Vec<Run> {
    let mut walk = Walk::new(trie);
    let leaves = std::iter::from_fn(|| walk.next(trie));
    let own = |leaf: Leaf| Leaf { flags: leaf.flags.own(), ..leaf };
    leaves.map(|leaf| Run::new(own(leaf), node::block_labels(blocks.at(leaf.place)))).collect()
}

/// A block and what sorting needs to know of it.
#[derive(Clone, Copy)]
pub(super) struct Run {
    pub(super) prefix: Prefix,
    pub(super) place: Place,
    pub(super) flags: Flags,
}

impl Run {
    fn new(leaf: Leaf, labels: &[u8]) -> Self {
        Self { prefix: Key::of_labels(labels).prefix(), place: leaf.place, flags: leaf.flags }
    }

    pub(super) fn leaf(&self) -> Leaf {
        Leaf { place: self.place, flags: self.flags }
    }

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

    pub(super) fn has_owner_of(&self, other: &Self, blocks: &BlockWriter) -> bool {
        let labels = |run: &Self| node::block_labels(blocks.at(run.place));
        self.prefix == other.prefix && (self.prefix.is_whole() || labels(self).eq_ignore_ascii_case(labels(other)))
    }
}
