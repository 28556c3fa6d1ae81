//! The names of a zone that is being built, in order or not.

mod merge;

use std::cmp::Ordering;
use std::mem;

use super::blocks::{BlockWriter, Place};
use super::key::{Key, Prefix};
use super::node::{self, Flags};
use super::trie::{Leaf, Trie, TrieWriter, Walk};
pub(super) use merge::Ranked;
use merge::merged;

/// The names of the blocks so far. Once there are some, and as long as nearly all come in canonical order, they go
/// straight into a trie, and the few others are added to it at the end; else they are runs to sort.
#[derive(Default)]
pub(super) struct Names {
    /// None as long as there are few, and once too many were out of order.
    trie: Option<Box<TrieWriter>>,
    strays: Strays,
    is_many: bool,
}

impl Names {
    #[inline]
    pub(super) fn push(&mut self, leaf: Leaf, labels: &[u8], blocks: &BlockWriter) {
        match &mut self.trie {
            Some(trie) => {
                if !trie.push(labels, leaf) {
                    self.push_stray(leaf, labels, blocks);
                }
            }
            None => {
                self.strays.push(leaf, labels, blocks);
                if !self.is_many && self.strays.len() > MOST_STRAYS {
                    self.begin(blocks);
                }
            }
        }
    }

    /// There are more names than a small zone has: begins with the trie.
    fn begin(&mut self, blocks: &BlockWriter) {
        self.is_many = true;
        let first = mem::take(&mut self.strays.open);
        self.trie = Some(Box::default());
        for run in first {
            self.push(Leaf { place: run.place, flags: run.flags }, node::block_labels(blocks.at(run.place)), blocks);
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
        self.strays.push(leaf, labels, blocks);
        if self.strays.len() > MOST_STRAYS + in_order / FEW {
            self.dissolve(blocks);
        }
    }

    /// Takes the trie apart.
    fn dissolve(&mut self, blocks: &BlockWriter) {
        if let Some(mut trie) = self.trie.take() {
            leaves_of(&mem::take(&mut *trie).finish())
                .for_each(|leaf| self.strays.push(leaf, node::block_labels(blocks.at(leaf.place)), blocks));
        }
    }

    /// The names in canonical order.
    pub(super) fn finish(mut self, blocks: &BlockWriter) -> Ordered {
        let is_small = self.trie.as_ref().is_some_and(|trie| trie.len() <= MOST_STRAYS);
        if is_small && self.strays.len() > 0 {
            // Written in one go, the trie has no cells that adding names has left behind.
            self.dissolve(blocks);
        }
        let strays = merged(self.strays.finish(blocks), blocks);
        match self.trie {
            Some(trie) => Ordered::Nearly(trie.finish(), strays),
            None => Ordered::Sorted(strays),
        }
    }
}

/// What came of the names, in canonical order; those of one owner in the order in which they came.
pub(super) enum Ordered {
    /// Most are in the trie. The strays' owners may be, too.
    Nearly(Trie, Vec<Ranked>),
    /// All are out of it.
    Sorted(Vec<Ranked>),
}

/// Names out of order, sorted some thousand at a time as they come: those are still in the processor's cache, and in
/// most files much of them is in order.
#[derive(Default)]
struct Strays {
    sorted: Vec<Vec<Run>>,
    open: Vec<Run>,
    key: Option<Box<Key>>,
}

/// How many names are sorted together.
const SORTED: usize = 1 << 13;

impl Strays {
    fn len(&self) -> usize {
        self.sorted.len() * SORTED + self.open.len()
    }

    fn push(&mut self, leaf: Leaf, labels: &[u8], blocks: &BlockWriter) {
        let key = self.key.get_or_insert_with(|| Box::new(Key::empty()));
        key.set(labels);
        self.open.push(Run::new(key.prefix(), leaf.place, leaf.flags));
        if self.open.len() == SORTED {
            self.seal(blocks);
        }
    }

    fn seal(&mut self, blocks: &BlockWriter) {
        let mut runs = mem::take(&mut self.open);
        runs.sort_by(|left, right| left.order(right, blocks));
        self.sorted.push(runs);
    }

    fn finish(mut self, blocks: &BlockWriter) -> Vec<Vec<Run>> {
        self.seal(blocks);
        self.sorted
    }
}

/// Names out of order are strays if they are no more than this, and one in [`FEW`] of the others.
const MOST_STRAYS: usize = 64;
const FEW: usize = 16;

/// The leaves of a trie as they were before there was one.
fn leaves_of(trie: &Trie) -> impl Iterator<Item = Leaf> {
    let mut walk = Walk::new(trie);
    let leaves = std::iter::from_fn(move || walk.next(trie));
    leaves.map(|leaf| Leaf { flags: leaf.flags.own(), ..leaf })
}

/// A block and what sorting needs to know of it. The fields of the prefix stand apart to leave no gap: while a zone is
/// sorted there is one of these for each name.
#[derive(Clone, Copy)]
struct Run {
    head: u64,
    place: Place,
    tail: [u16; 3],
    flags: Flags,
}

const _: () = assert!(size_of::<Run>() == 24);

impl Run {
    fn new(prefix: Prefix, place: Place, flags: Flags) -> Self {
        Self { head: prefix.head, tail: prefix.tail, place, flags }
    }

    #[inline]
    fn prefix(&self) -> Prefix {
        Prefix { head: self.head, tail: self.tail }
    }

    fn key(&self, blocks: &BlockWriter) -> Key {
        Key::of_labels(node::block_labels(blocks.at(self.place)))
    }

    /// The canonical order, and that in which blocks of one owner came. Reads blocks only if the prefixes do not tell.
    #[inline]
    fn order(&self, other: &Self, blocks: &BlockWriter) -> Ordering {
        let prefixes = self.prefix().cmp(&other.prefix());
        if prefixes.is_ne() {
            return prefixes;
        }
        let is_whole = self.prefix().is_whole();
        let keys = if is_whole { Ordering::Equal } else { self.key(blocks).cmp(&other.key(blocks)) };
        keys.then(self.place.cmp(&other.place))
    }

    fn has_owner_of(&self, other: &Self, blocks: &BlockWriter) -> bool {
        let labels = |run: &Self| node::block_labels(blocks.at(run.place));
        self.prefix() == other.prefix()
            && (self.prefix().is_whole() || labels(self).eq_ignore_ascii_case(labels(other)))
    }
}
