//! Going through a trie in order, and looking for the leaf before a key.

use super::{Cell, Cells as _, Leaf, Trie};
use crate::zone::key::Key;
use crate::zone::node::Flags;

/// A place in the sequence of all leaves. It borrows nothing, so a transfer can keep it between messages; it is good
/// only for the trie that it began with.
#[derive(Clone, Debug)]
pub(in crate::zone) struct Walk(Vec<std::ops::Range<u32>>);

impl Walk {
    /// Before the first leaf.
    pub(in crate::zone) fn new(trie: &Trie) -> Self {
        let root = trie.root..trie.root + 1;
        Self(if trie.len > 0 { vec![root] } else { Vec::new() })
    }

    /// Several walks that together go where one would, each behind the one before: one for each twig of the root.
    pub(in crate::zone) fn parts(trie: &Trie) -> Vec<Self> {
        match trie.root() {
            Some(root) if root.as_leaf().is_none() => root.twigs().map(Self::below).collect(),
            _ => vec![Self::new(trie)],
        }
    }

    fn below(twig: u32) -> Self {
        Self(std::iter::once(twig..twig + 1).collect())
    }

    /// The next leaf.
    pub(in crate::zone) fn next(&mut self, trie: &Trie) -> Option<Leaf> {
        loop {
            let Some(reference) = self.0.last_mut()?.next() else {
                self.0.pop();
                continue;
            };
            let cell = trie.cell(reference);
            match cell.as_leaf() {
                Some(leaf) => return Some(leaf),
                None => self.0.push(cell.twigs()),
            }
        }
    }
}

/// Looks for the last leaf at or before a key.
pub(in crate::zone) struct Search<'t> {
    pub(in crate::zone) trie: &'t Trie,
    pub(in crate::zone) key: &'t Key,
    pub(in crate::zone) difference: Option<usize>,
    pub(in crate::zone) is_after: bool,
    pub(in crate::zone) flags: Flags,
}

impl Search<'_> {
    pub(in crate::zone) fn within(&self, cell: Cell) -> Option<Leaf> {
        let difference = self.difference.unwrap_or(usize::MAX);
        if let Some(leaf) = cell.as_leaf() {
            let comes_first = self.difference.is_none() || self.is_after;
            return (comes_first && leaf.flags.has(self.flags)).then_some(leaf);
        }
        if cell.offset() > difference {
            // All keys below share what the key looked for does not have: all are before it, or none.
            return if self.is_after { self.trie.last_below(cell, self.flags) } else { None };
        }
        let number = self.key.at(cell.offset());
        let same = cell.twig(number).and_then(|twig| self.within(self.trie.cell(twig)));
        same.or_else(|| self.before(cell, number))
    }

    /// The last leaf among the twigs below `number`.
    fn before(&self, cell: Cell, number: u8) -> Option<Leaf> {
        let before = (cell.bitmap() & ((1 << number) - 1)).count_ones();
        let first = cell.twigs().start;
        (first..first + before).rev().find_map(|twig| self.trie.last_below(self.trie.cell(twig), self.flags))
    }
}
