//! The names of a zone that is being built, in order or not.

use std::cmp::Ordering;
use std::mem;

use super::blocks::{BlockWriter, Place};
use super::key::{Key, Prefix};
use super::node::{self, Flags};
use super::trie::{Leaf, Trie, TrieWriter, Walk};

/// The names of the blocks so far: a trie as long as they come in canonical order, runs to sort from then on.
pub(super) enum Names {
    Sorted(Box<TrieWriter>),
    Unsorted(Vec<Run>),
}

impl Default for Names {
    fn default() -> Self {
        Self::Sorted(Box::default())
    }
}

impl Names {
    #[inline]
    pub(super) fn push(&mut self, leaf: Leaf, labels: &[u8], blocks: &BlockWriter) {
        if let Self::Sorted(trie) = self {
            if trie.push(labels, leaf) {
                return;
            }
            *self = Self::Unsorted(runs_of(&mem::take(&mut **trie).finish(), blocks));
        }
        if let Self::Unsorted(runs) = self {
            runs.push(Run::new(leaf, labels));
        }
    }

    /// Runs in canonical order, those of one owner in the order in which they came.
    pub(super) fn into_sorted_runs(self, blocks: &BlockWriter) -> Vec<Run> {
        match self {
            Self::Sorted(trie) => runs_of(&trie.finish(), blocks),
            Self::Unsorted(mut runs) => {
                runs.sort_by(|left, right| left.order(right, blocks));
                runs
            }
        }
    }
}

/// The leaves of a trie as they were before there was one.
fn runs_of(trie: &Trie, blocks: &BlockWriter) -> Vec<Run> {
    let mut walk = Walk::new(trie);
    let leaves = std::iter::from_fn(|| walk.next(trie));
    let own = |leaf: Leaf| Leaf { flags: leaf.flags.own(), ..leaf };
    leaves.map(|leaf| Run::new(own(leaf), node::block_labels(blocks.at(leaf.place)))).collect()
}

/// The trie over sorted runs.
pub(super) fn index(runs: Vec<Run>, blocks: &BlockWriter) -> Trie {
    let mut trie = TrieWriter::default();
    for run in runs {
        let labels = node::block_labels(blocks.at(run.place));
        let is_next = trie.push(labels, Leaf { place: run.place, flags: run.flags });
        debug_assert!(is_next, "the runs are sorted");
    }
    trie.finish()
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
