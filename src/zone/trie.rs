//! The index of a zone's names: a qp-trie after Tony Finch, over the keys of [`super::key`].
//!
//! A branch tells its twigs apart by one number of the key and holds a bitmap of those that there are; numbers that
//! all its names share are skipped. Branches and leaves are cells of 12 bytes in chunks, found by 32-bit references, so
//! there are no pointers, and chunks can be shared by versions of a zone. A leaf says where its block lies and what
//! sort of name it is, so a descent reads no block on its way. In-order, the leaves are the names in canonical order.
//!
//! A skipped number is never compared on the way down: what a descent finds holds only as far as its key agrees with
//! that of the leaf that it came to, and the caller has to look.

mod edit;
mod walk;
mod writer;

use std::sync::Arc;

use super::blocks::Place;
use super::chunks::Chunks;
use super::find::Way;
use super::key::{Difference, Key, MAX_KEY, NOBYTE};
use super::node::Flags;
pub(super) use edit::TrieEdit;
pub(super) use walk::Walk;
pub(super) use writer::TrieWriter;

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
#[derive(Clone, Copy, Default, PartialEq, Eq)]
struct Cell([u32; 3]);

impl Cell {
    /// A leaf of no name, in place of a cell that is not there: no reference ever leads to one.
    const NOTHING: Self = Self([0, (LEAF >> 32) as u32, 0]);

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
        (self.word() >> NUMBERS) as usize % MAX_KEY
    }

    fn bitmap(self) -> u64 {
        self.word() & ((1 << NUMBERS) - 1)
    }

    fn twigs(self) -> std::ops::Range<u32> {
        self.0[2]..self.0[2] + self.bitmap().count_ones()
    }

    /// Whether a name ends here: there is a twig for [`NOBYTE`], and it is the first.
    fn has_end(self) -> bool {
        self.bitmap() & (1 << NOBYTE) != 0
    }

    /// The reference of the twig for `number`.
    fn twig(self, number: u8) -> Option<u32> {
        let bit = 1 << number;
        (self.bitmap() & bit != 0).then(|| self.0[2] + (self.bitmap() & (bit - 1)).count_ones())
    }
}

/// Where a name's block lies, and what sort of name it is.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Leaf {
    pub(super) place: Place,
    pub(super) flags: Flags,
}

/// An immutable trie.
#[derive(Clone, Default)]
pub(super) struct Trie {
    root: u32,
    len: usize,
    /// How many cells belong to earlier versions only.
    dead: usize,
    chunks: Chunks<Cell>,
}

/// A descent that has got somewhere.
#[derive(Clone, Copy)]
pub(super) struct Descent(Cell);

/// A branch that a descent took.
#[derive(Clone, Copy)]
pub(super) struct Branch(Cell);

/// Where a descent has come to.
#[derive(Clone, Copy)]
pub(super) struct End {
    /// A leaf whose key has as long a beginning in common with the key looked for as any.
    pub(super) nearest: Leaf,
    /// Whether the descent found no way on before it came to a leaf.
    pub(super) is_stuck: bool,
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
#[derive(Clone, Copy, Default)]
pub(super) struct Above {
    /// The topmost zone cut.
    pub(super) cut: Option<(usize, Leaf)>,
    /// The topmost name with a DNAME.
    pub(super) dname: Option<(usize, Leaf)>,
    /// The lowest name of all.
    pub(super) last: Option<(usize, Leaf)>,
}

impl Above {
    /// Nothing but the apex, if it has a leaf.
    pub(super) fn of_apex(leaf: Option<Leaf>) -> Self {
        let mut above = Self::default();
        leaf.into_iter().for_each(|leaf| above.note(0, leaf));
        above
    }

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
    /// No names.
    pub(super) const EMPTY: Self = Self { root: 0, len: 0, dead: 0, chunks: Chunks::None };

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
        self.root().map(|root| descend(&*self.chunks, root, key))
    }

    /// Follows `key` from the root as far as it leads, with no look at the names above. None if there are no names.
    pub(super) fn go_to(&self, key: &Key) -> Option<End> {
        self.root().map(|root| go_to(&self.chunks, root, key, |_| ()))
    }

    /// The same, with the branches on the way noted. Those that are there from a key with the same first `len` numbers
    /// are not gone down again.
    pub(super) fn go_by(&self, key: &Key, len: usize, branches: &mut Vec<Branch>) -> Option<End> {
        let known = if len > 0 { branches.iter().take_while(|branch| branch.0.offset() < len).count() } else { 0 };
        let start = match known.checked_sub(1).and_then(|last| branches.get(last)) {
            Some(Branch(cell)) => self.cell(cell.twig(key.at(cell.offset()))?),
            None => self.root()?,
        };
        branches.truncate(known);
        Some(go_to(&self.chunks, start, key, |cell| branches.push(Branch(cell))))
    }

    /// The leaf that a descent by these branches came to.
    pub(super) fn end_of(&self, branches: &[Branch], key: &Key) -> Option<Leaf> {
        let end = match branches.last() {
            Some(Branch(cell)) => cell.twig(key.at(cell.offset())).map_or(*cell, |twig| self.cell(twig)),
            None => self.root()?,
        };
        Some(self.first_below(end))
    }

    /// Where a descent starts that goes on a step at a time.
    pub(super) fn begin(&self) -> Descent {
        Descent(self.root().unwrap_or(Cell::NOTHING))
    }

    /// Goes one step further down to where `key` is, or would be. False at the end.
    #[inline]
    pub(super) fn go_on(&self, descent: &mut Descent, key: &Key) -> bool {
        let cell = descent.0;
        if cell.as_leaf().is_some() {
            return false;
        }
        let twig = cell.twig(key.at(cell.offset())).unwrap_or(cell.twigs().start);
        descent.0 = self.cell(twig);
        true
    }

    /// The block that a descent has come to.
    pub(super) fn place_of(&self, descent: &Descent) -> Place {
        descent.0.as_leaf().unwrap_or_default().place
    }

    /// The last leaf that has all `flags` and whose key is that of the way or before it. `difference` is where the key
    /// parts from that of the nearest leaf, which the way has come to; none if it is the same.
    pub(super) fn at_or_before(
        &self,
        way: &Way,
        nearest: Leaf,
        difference: Option<Difference>,
        flags: Flags,
    ) -> Option<Leaf> {
        let parted = difference.map_or(usize::MAX, |difference| difference.at);
        // All keys below the branches behind share what the key does not have: all are before it, or none.
        let shared = way.branches.iter().take_while(|branch| branch.0.offset() <= parted).count();
        let (above, below) = way.branches.split_at_checked(shared).unwrap_or_default();
        let is_before = difference.is_none_or(|difference| difference.is_after);
        let is_stuck = above.last().is_some_and(|branch| branch.0.offset() == parted);
        let end = below.first().map_or(Cell::leaf(nearest), |branch| branch.0);
        let last = if is_before && !is_stuck { self.last_below(end, flags) } else { None };
        let before = |Branch(cell): &Branch| self.last_before(*cell, way.key.at(cell.offset()), flags);
        last.or_else(|| above.iter().rev().find_map(before))
    }

    /// The last leaf among the twigs of a branch below `number`.
    fn last_before(&self, cell: Cell, number: u8, flags: Flags) -> Option<Leaf> {
        let before = (cell.bitmap() & ((1 << number) - 1)).count_ones();
        let first = cell.twigs().start;
        (first..first + before).rev().find_map(|twig| self.last_below(self.cell(twig), flags))
    }

    /// The same names with other leaves, all cells new and in order. No name may be missing a leaf.
    pub(super) fn map(&self, change: &mut impl FnMut(Leaf) -> Leaf) -> Self {
        let mut edit = TrieEdit::rewriting(self);
        edit.update_all(change);
        edit.finish()
    }

    /// The last leaf of all.
    pub(super) fn last(&self) -> Option<Leaf> {
        self.last_below(self.root()?, Flags::default())
    }

    /// The cell that everything is below.
    fn root(&self) -> Option<Cell> {
        (self.len > 0).then(|| self.cell(self.root))
    }

    fn last_below(&self, cell: Cell, flags: Flags) -> Option<Leaf> {
        match cell.as_leaf() {
            Some(leaf) => leaf.flags.has(flags).then_some(leaf),
            None => cell.twigs().rev().find_map(|twig| self.last_below(self.cell(twig), flags)),
        }
    }
}

/// Whatever cells lie in.
trait Cells {
    /// The cell at a reference.
    fn cell(&self, reference: u32) -> Cell;

    /// The first leaf at or below a cell.
    fn first_below(&self, mut cell: Cell) -> Leaf {
        loop {
            match cell.as_leaf() {
                Some(leaf) => return leaf,
                None => cell = self.cell(cell.twigs().start),
            }
        }
    }
}

impl Cells for Trie {
    #[inline]
    fn cell(&self, reference: u32) -> Cell {
        self.chunks.cell(reference)
    }
}

impl Cells for [Arc<[Cell]>] {
    #[inline]
    fn cell(&self, reference: u32) -> Cell {
        let chunk = self.get((reference >> CHUNK_BITS) as usize);
        let at = reference as usize & ((1 << CHUNK_BITS) - 1);
        match chunk.and_then(|chunk| chunk.get(at)) {
            Some(cell) => *cell,
            None => nowhere(),
        }
    }
}

/// What a reference that leads to no cell leads to.
#[cold]
fn nowhere() -> Cell {
    Cell::NOTHING
}

/// Follows `key` from `cell` as far as it leads, and shows the branches on the way.
#[inline]
fn go_to(cells: &[Arc<[Cell]>], mut cell: Cell, key: &Key, mut show: impl FnMut(Cell)) -> End {
    loop {
        if let Some(nearest) = cell.as_leaf() {
            return End { nearest, is_stuck: false };
        }
        show(cell);
        match cell.twig(key.at(cell.offset())) {
            Some(twig) => cell = cells.cell(twig),
            None => return End { nearest: cells.first_below(cell), is_stuck: true },
        }
    }
}

/// Follows `key` from `cell` as far as it leads.
#[inline]
fn descend(cells: &(impl Cells + ?Sized), mut cell: Cell, key: &Key) -> Path {
    let mut above = Above::default();
    loop {
        if let Some(nearest) = cell.as_leaf() {
            return Path { nearest, stuck: None, above };
        }
        let offset = cell.offset();
        if cell.has_end()
            && offset < key.len()
            && key.is_label_start(offset)
            && let Some(leaf) = cells.cell(cell.twigs().start).as_leaf()
        {
            above.note(offset, leaf);
        }
        match cell.twig(key.at(offset)) {
            Some(twig) => cell = cells.cell(twig),
            None => return Path { nearest: cells.first_below(cell), stuck: Some(offset), above },
        }
    }
}
