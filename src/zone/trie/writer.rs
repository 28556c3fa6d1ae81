//! Building a trie from names in order.

use std::sync::Arc;

use super::{CHUNK_BITS, Cell, Leaf, Trie};
use crate::zone::key::Successive;
use crate::zone::node::Flags;

/// Builds a trie from leaves that come in order, bottom up: every branch is written once, when its last twig is known.
#[derive(Default)]
pub(in crate::zone) struct TrieWriter {
    keys: Successive,
    /// The last name and those above it that there are, from the top down: the length of the key, and the flags.
    above: Vec<(usize, Flags)>,
    /// The leaf that came last; it is not in a branch yet.
    last: Option<Cell>,
    /// Branches on the way to the last leaf, from the root down.
    open: Vec<OpenBranch>,
    /// Their twigs so far, those of the lowest branch behind the others'.
    twigs: Vec<Cell>,
    full: Vec<Arc<[Cell]>>,
    chunk: Vec<Cell>,
    len: usize,
}

struct OpenBranch {
    offset: usize,
    bitmap: u64,
    first_twig: usize,
}

impl TrieWriter {
    /// How many names there are so far.
    pub(in crate::zone) fn len(&self) -> usize {
        self.len
    }

    /// Adds the leaf of a name that comes after all others, and sets the flags that depend on the names above and
    /// below. False, with nothing done, if the name does not come after them.
    pub(in crate::zone) fn push(&mut self, labels: &[u8], mut leaf: Leaf) -> bool {
        self.keys.next(labels);
        let Some(last) = self.last else {
            self.above.push((self.keys.current().len(), leaf.flags));
            self.last = Some(Cell::leaf(leaf));
            self.len = 1;
            return true;
        };
        let (previous, key) = (self.keys.previous(), self.keys.current());
        let offset = previous.first_difference(key).unwrap_or(usize::MAX);
        let number = previous.at(offset);
        if number >= key.at(offset) {
            self.keys.go_back();
            return false;
        }
        let is_wildcard = self.note_above(offset, &mut leaf);
        let cell = self.close_from(offset + 1, last);
        if self.open.last().is_none_or(|branch| branch.offset < offset) {
            self.open.push(OpenBranch { offset, bitmap: 0, first_twig: self.twigs.len() });
        }
        self.add_twig(number, cell);
        if is_wildcard {
            self.flag_last_above();
        }
        self.above.push((self.keys.current().len(), leaf.flags));
        self.last = Some(Cell::leaf(leaf));
        self.len += 1;
        true
    }

    /// Brings `above` to the names above the current one, whose key shares `common` numbers with the last. Says
    /// whether it is the wildcard right below the lowest of them, or makes it an empty non-terminal.
    fn note_above(&mut self, common: usize, leaf: &mut Leaf) -> bool {
        while self.above.pop_if(|(key_len, _)| *key_len > common).is_some() {}
        let Some(&(key_len, flags)) = self.above.last() else { return false };
        if flags.occludes_below() {
            leaf.flags = leaf.flags.with(Flags::OCCLUDED);
        }
        self.keys.current().has_wildcard_at(key_len)
    }

    /// Notes at the lowest name above that it has a wildcard. Its leaf is the first twig of the branch behind its key.
    fn flag_last_above(&mut self) {
        let Some(&(key_len, _)) = self.above.last() else { return };
        let branch = self.open.iter().find(|branch| branch.offset == key_len);
        let cell = branch.and_then(|branch| self.twigs.get_mut(branch.first_twig));
        if let Some((cell, mut leaf)) = cell.and_then(|cell| cell.as_leaf().map(|leaf| (cell, leaf))) {
            leaf.flags = leaf.flags.with(Flags::WILDCARD);
            *cell = Cell::leaf(leaf);
        }
    }

    /// The finished trie.
    pub(in crate::zone) fn finish(mut self) -> Trie {
        let Some(cell) = self.last.take() else { return Trie::default() };
        self.keys.next(&[]);
        let root = self.close_from(0, cell);
        let reference = self.make_room(1);
        self.chunk.push(root);
        self.full.push(self.chunk.as_slice().into());
        Trie { root: reference, len: self.len, dead: 0, chunks: self.full.into() }
    }

    /// Closes all branches that part at `offset` or behind it; `cell` is the last twig of the lowest, that of the
    /// previous key.
    fn close_from(&mut self, offset: usize, mut cell: Cell) -> Cell {
        while let Some(branch) = self.open.last()
            && branch.offset >= offset
        {
            let number = self.keys.previous().at(branch.offset);
            self.add_twig(number, cell);
            cell = self.close();
        }
        cell
    }

    fn add_twig(&mut self, number: u8, cell: Cell) {
        if let Some(branch) = self.open.last_mut() {
            branch.bitmap |= 1 << number;
            self.twigs.push(cell);
        }
    }

    /// Writes the lowest open branch's twigs and returns the branch.
    fn close(&mut self) -> Cell {
        let Some(branch) = self.open.pop() else { return Cell::default() };
        let count = self.twigs.len() - branch.first_twig;
        let reference = self.make_room(count);
        self.chunk.extend(self.twigs.drain(branch.first_twig..));
        Cell::branch(branch.bitmap, branch.offset, reference)
    }

    /// Where the next `count` cells will lie, side by side.
    fn make_room(&mut self, count: usize) -> u32 {
        if self.chunk.len() + count > 1 << CHUNK_BITS {
            self.full.push(self.chunk.as_slice().into());
            self.chunk.clear();
        }
        (self.full.len() << CHUNK_BITS | self.chunk.len()) as u32
    }
}
