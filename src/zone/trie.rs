//! The index of a zone's names: a qp-trie after Tony Finch, over the keys of [`super::key`].
//!
//! A branch tells its twigs apart by one number of the key and holds a bitmap of those that there are; numbers that
//! all its names share are skipped. Branches and leaves are cells of 12 bytes in chunks, found by 32-bit references, so
//! there are no pointers, and chunks can be shared by versions of a zone. A leaf says where its block lies and what
//! sort of name it is, so a descent reads no block on its way. In-order, the leaves are the names in canonical order.
//!
//! A skipped number is never compared on the way down: what a descent finds holds only as far as its key agrees with
//! that of the leaf that it came to, and the caller has to look.

use std::sync::Arc;

use super::blocks::Place;
use super::key::{Key, NOBYTE, Successive};
use super::node::Flags;

/// How many cells a chunk has at most, as a power of two; the rest of a reference is the chunk's number.
const CHUNK_BITS: u32 = 16;
/// Numbers of a key are below this.
const NUMBERS: u32 = 47;
/// Marks a leaf.
const LEAF: u64 = 1 << 63;

/// A branch or a leaf.
///
/// A branch: bitmap in the low 47 bits, the offset of its number in the key in the next 16; then the reference of its
/// first twig. A leaf: the top bit set, flags in bits 32 to 47, the block's offset in the low 32; then the block's
/// chunk.
#[derive(Clone, Copy, Default)]
struct Cell([u32; 3]);

impl Cell {
    fn new(word: u64, link: u32) -> Self {
        Self([word as u32, (word >> 32) as u32, link])
    }

    fn branch(bitmap: u64, offset: usize, twigs: u32) -> Self {
        Self::new(bitmap | (offset as u64 & 0xffff) << NUMBERS, twigs)
    }

    fn leaf(leaf: Leaf) -> Self {
        Self::new(LEAF | u64::from(leaf.flags.0) << 32 | u64::from(leaf.place.offset), leaf.place.chunk)
    }

    fn word(self) -> u64 {
        u64::from(self.0[0]) | u64::from(self.0[1]) << 32
    }

    fn as_leaf(self) -> Option<Leaf> {
        let place = Place { chunk: self.0[2], offset: self.0[0] };
        (self.word() & LEAF != 0).then_some(Leaf { place, flags: Flags(self.0[1] as u16) })
    }

    /// Where in the key the number is that tells the twigs apart.
    fn offset(self) -> usize {
        (self.word() >> NUMBERS) as usize & 0xffff
    }

    fn bitmap(self) -> u64 {
        self.word() & ((1 << NUMBERS) - 1)
    }

    fn twigs(self) -> std::ops::Range<u32> {
        self.0[2]..self.0[2] + self.bitmap().count_ones()
    }

    /// The reference of the twig for `number`.
    fn twig(self, number: u8) -> Option<u32> {
        let bit = 1 << number;
        (self.bitmap() & bit != 0).then(|| self.0[2] + (self.bitmap() & (bit - 1)).count_ones())
    }
}

/// Where a name's block lies, and what sort of name it is.
#[derive(Clone, Copy, Debug)]
pub(super) struct Leaf {
    pub(super) place: Place,
    pub(super) flags: Flags,
}

/// An immutable trie.
#[derive(Clone, Default)]
pub(super) struct Trie {
    root: u32,
    len: usize,
    chunks: Box<[Arc<[Cell]>]>,
}

/// What a descent met on its way.
pub(super) struct Path {
    /// A leaf whose key has as long a beginning in common with the key looked for as any.
    pub(super) nearest: Leaf,
    /// Where in the key the descent found no way on; none if it came to a leaf.
    pub(super) stuck: Option<usize>,
    /// The names above that might matter.
    pub(super) above: Above,
}

/// Names above the one looked for, each with the length of its key. True up to the common part of the keys.
#[derive(Default)]
pub(super) struct Above {
    /// The topmost zone cut.
    pub(super) cut: Option<(usize, Leaf)>,
    /// The topmost name with a DNAME.
    pub(super) dname: Option<(usize, Leaf)>,
    /// The lowest name of all.
    pub(super) last: Option<(usize, Leaf)>,
}

impl Above {
    /// Takes note of a name; they come from the top down.
    pub(super) fn note(&mut self, key_len: usize, leaf: Leaf) {
        let found = Some((key_len, leaf));
        if leaf.flags.has(Flags::CUT) {
            self.cut = self.cut.or(found);
        }
        if leaf.flags.has(Flags::DNAME) {
            self.dname = self.dname.or(found);
        }
        self.last = found;
    }
}

impl Trie {
    /// How many names there are.
    pub(super) fn len(&self) -> usize {
        self.len
    }

    /// How many bytes the cells take.
    pub(super) fn size_bytes(&self) -> usize {
        self.chunks.iter().map(|chunk| size_of_val::<[Cell]>(chunk)).sum()
    }

    /// Follows `key` from the root as far as it leads. None if there are no names at all.
    pub(super) fn descend(&self, key: &Key) -> Option<Path> {
        let mut above = Above::default();
        let mut cell = self.root()?;
        loop {
            if let Some(nearest) = cell.as_leaf() {
                return Some(Path { nearest, stuck: None, above });
            }
            let offset = cell.offset();
            if offset < key.len() && key.is_label_start(offset) {
                let ancestor = cell.twig(NOBYTE).and_then(|twig| self.cell(twig).as_leaf());
                if let Some(leaf) = ancestor {
                    above.note(offset, leaf);
                }
            }
            match cell.twig(key.at(offset)) {
                Some(twig) => cell = self.cell(twig),
                None => return Some(Path { nearest: self.first_below(cell), stuck: Some(offset), above }),
            }
        }
    }

    /// The last leaf that has all `flags` and whose key is `key` or before it. `difference` is where `key` parts from
    /// all keys there are, none if it is one of them; `is_after` whether the key nearest to it is the smaller one.
    pub(super) fn at_or_before(
        &self,
        key: &Key,
        difference: Option<usize>,
        is_after: bool,
        flags: Flags,
    ) -> Option<Leaf> {
        let search = Search { trie: self, key, difference, is_after, flags };
        search.within(self.root()?)
    }

    /// The last leaf of all.
    pub(super) fn last(&self) -> Option<Leaf> {
        self.last_below(self.root()?, Flags::default())
    }

    fn root(&self) -> Option<Cell> {
        (self.len > 0).then(|| self.cell(self.root))
    }

    fn cell(&self, reference: u32) -> Cell {
        let chunk = self.chunks.get((reference >> CHUNK_BITS) as usize);
        let at = reference as usize & ((1 << CHUNK_BITS) - 1);
        chunk.and_then(|chunk| chunk.get(at)).copied().unwrap_or(Cell([0, (LEAF >> 32) as u32, 0]))
    }

    fn first_below(&self, mut cell: Cell) -> Leaf {
        loop {
            match cell.as_leaf() {
                Some(leaf) => return leaf,
                None => cell = self.cell(cell.twigs().start),
            }
        }
    }

    fn last_below(&self, cell: Cell, flags: Flags) -> Option<Leaf> {
        match cell.as_leaf() {
            Some(leaf) => leaf.flags.has(flags).then_some(leaf),
            None => cell.twigs().rev().find_map(|twig| self.last_below(self.cell(twig), flags)),
        }
    }
}

/// Looks for the last leaf at or before a key.
struct Search<'t> {
    trie: &'t Trie,
    key: &'t Key,
    difference: Option<usize>,
    is_after: bool,
    flags: Flags,
}

impl Search<'_> {
    fn within(&self, cell: Cell) -> Option<Leaf> {
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

/// A place in the sequence of all leaves. It borrows nothing, so a transfer can keep it between messages; it is good
/// only for the trie that it began with.
#[derive(Clone, Debug)]
pub(super) struct Walk(Vec<std::ops::Range<u32>>);

impl Walk {
    /// Before the first leaf.
    pub(super) fn new(trie: &Trie) -> Self {
        let root = trie.root..trie.root + 1;
        Self(if trie.len > 0 { vec![root] } else { Vec::new() })
    }

    /// The next leaf.
    pub(super) fn next(&mut self, trie: &Trie) -> Option<Leaf> {
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

/// Builds a trie from leaves that come in order, bottom up: every branch is written once, when its last twig is known.
#[derive(Default)]
pub(super) struct TrieWriter {
    keys: Successive,
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
    /// Adds the leaf of a name that comes after all others.
    pub(super) fn push(&mut self, labels: &[u8], leaf: Leaf) {
        self.len += 1;
        self.keys.next(labels);
        if let Some(cell) = self.last.replace(Cell::leaf(leaf)) {
            let (last, key) = (self.keys.previous(), self.keys.current());
            debug_assert!(last < key);
            let offset = last.first_difference(key).unwrap_or(0);
            let number = last.at(offset);
            let cell = self.close_from(offset + 1, cell);
            if self.open.last().is_none_or(|branch| branch.offset < offset) {
                self.open.push(OpenBranch { offset, bitmap: 0, first_twig: self.twigs.len() });
            }
            self.add_twig(number, cell);
        }
    }

    /// The finished trie.
    pub(super) fn finish(mut self) -> Trie {
        let Some(cell) = self.last.take() else { return Trie::default() };
        self.keys.next(&[]);
        let root = self.close_from(0, cell);
        let reference = self.make_room(1);
        self.chunk.push(root);
        self.full.push(self.chunk.as_slice().into());
        Trie { root: reference, len: self.len, chunks: self.full.into() }
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
