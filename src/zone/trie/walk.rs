//! Going through a trie in order.

use super::{Cells as _, Leaf, Trie};

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
