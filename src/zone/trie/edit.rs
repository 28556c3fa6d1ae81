//! Changing a trie without touching the versions that share its cells.
//!
//! A branch on the way to a change is copied before it is changed, once per edit: copies lie in chunks of the edit's
//! own, so a reference tells whose a cell is. The last chunk of a version, if it is short, is copied whole and filled
//! up, so that many small edits do not make as many chunks. Cells that only earlier versions need are counted; when
//! they outnumber the others, [`TrieEdit::finish`] writes all cells anew.

use std::mem;
use std::sync::Arc;

use super::{CHUNK_BITS, Cell, Cells, Leaf, Path, Trie, descend};
use crate::zone::contents::SMALL_SHARE;
use crate::zone::key::Key;

/// Cells per chunk.
const CHUNK_CELLS: usize = 1 << CHUNK_BITS;
/// A last chunk of at most so many cells is filled up by the next edit: copying it costs about as much as a few
/// changes do.
const SHORT_CHUNK: usize = 1 << 10;
/// A trie is not written anew for fewer dead cells than this, unless an edit copies it anyway.
const LEAST_DEAD: usize = 1 << 12;

/// A trie that is being changed.
pub(in crate::zone) struct TrieEdit {
    root: Cell,
    len: usize,
    dead: usize,
    shared: Vec<Arc<[Cell]>>,
    own: Vec<Vec<Cell>>,
}

/// Where a cell that may be changed lies.
#[derive(Clone, Copy)]
enum Slot {
    Root,
    At(u32),
}

impl TrieEdit {
    /// Starts from a version.
    pub(in crate::zone) fn new(trie: &Trie) -> Self {
        let mut shared = trie.chunks.to_vec();
        let short = shared.pop_if(|chunk| chunk.len() <= SHORT_CHUNK);
        let own = vec![short.map_or_else(Vec::new, |chunk| chunk.to_vec())];
        // The root's cell is copied into the next version.
        let dead = trie.dead + usize::from(trie.len > 0);
        let mut edit = Self { root: Cell::default(), len: trie.len, dead, shared, own };
        if trie.len > 0 {
            edit.root = edit.cell(trie.root);
        }
        edit
    }

    /// The same with all cells written anew.
    pub(in crate::zone) fn rewriting(trie: &Trie) -> Self {
        let mut edit = Self::new(trie);
        edit.rewrite();
        edit
    }

    /// Follows `key` from the root as far as it leads. None if there are no names.
    pub(in crate::zone) fn descend(&self, key: &Key) -> Option<Path> {
        (self.len > 0).then(|| descend(self, self.root, key))
    }

    /// Puts another leaf in the place of that of `key`, which must be there.
    pub(in crate::zone) fn replace(&mut self, key: &Key, leaf: Leaf) {
        self.change(key, |_| leaf);
    }

    /// Changes the leaf of `key`, which must be there.
    pub(in crate::zone) fn change(&mut self, key: &Key, change: impl FnOnce(Leaf) -> Leaf) {
        if let Some((slot, _)) = self.follow(key, usize::MAX)
            && let Some(leaf) = self.at(slot).as_leaf()
        {
            self.set(slot, Cell::leaf(change(leaf)));
        }
    }

    /// Adds the leaf of `key`, which is not there; `common` says how many numbers it shares with the nearest key.
    pub(in crate::zone) fn insert(&mut self, key: &Key, common: usize, nearest: &Key, leaf: Leaf) {
        self.len += 1;
        if self.len == 1 {
            self.root = Cell::leaf(leaf);
            return;
        }
        let Some((slot, _)) = self.follow(key, common) else { return };
        let cell = self.at(slot);
        let (number, leaf) = (key.at(common), Cell::leaf(leaf));
        if cell.as_leaf().is_none() && cell.offset() == common {
            self.add_twig(slot, number, leaf);
            return;
        }
        let other = nearest.at(common);
        let twigs = if number < other { [leaf, cell] } else { [cell, leaf] };
        let reference = self.push(&twigs);
        self.set(slot, Cell::branch(1 << number | 1 << other, common, reference));
    }

    /// Takes out the leaf of `key`, which must be there.
    pub(in crate::zone) fn remove(&mut self, key: &Key) {
        self.len -= 1;
        let Some((_, Some((parent, number)))) = self.follow(key, usize::MAX) else {
            self.root = Cell::default();
            return;
        };
        let branch = self.at(parent);
        let twigs: Vec<Cell> =
            branch.twigs().filter(|&twig| branch.twig(number) != Some(twig)).map(|twig| self.cell(twig)).collect();
        self.dead += twigs.len() + 1;
        let cell = match twigs.as_slice() {
            [last] => *last,
            _ => Cell::branch(branch.bitmap() & !(1 << number), branch.offset(), self.push(&twigs)),
        };
        self.set(parent, cell);
    }

    /// Changes the leaves whose keys start with the first `prefix_len` numbers of `key`, in order; or, if none does,
    /// those of some other branch that a descent cannot tell from them.
    pub(in crate::zone) fn update_below(
        &mut self,
        key: &Key,
        prefix_len: usize,
        change: &mut impl FnMut(Leaf) -> Leaf,
    ) {
        if self.len > 0
            && let Some((slot, _)) = self.follow(key, prefix_len)
        {
            self.update(slot, change);
        }
    }

    /// Changes all leaves, in order.
    pub(in crate::zone) fn update_all(&mut self, change: &mut impl FnMut(Leaf) -> Leaf) {
        if self.len > 0 {
            self.update(Slot::Root, change);
        }
    }

    fn update(&mut self, slot: Slot, change: &mut impl FnMut(Leaf) -> Leaf) {
        let cell = self.at(slot);
        if let Some(leaf) = cell.as_leaf() {
            self.set(slot, Cell::leaf(change(leaf)));
            return;
        }
        for twig in self.own_twigs(slot).twigs() {
            self.update(Slot::At(twig), change);
        }
    }

    /// The new version.
    pub(in crate::zone) fn finish(mut self) -> Trie {
        if self.len == 0 {
            return Trie::default();
        }
        if self.has_much_dead() {
            self.rewrite();
        }
        let root = self.push(&[self.root]);
        let Self { len, dead, shared, own, .. } = self;
        let own = own.into_iter().map(|chunk| chunk.as_slice().into());
        Trie { root, len, dead, chunks: shared.into_iter().chain(own).collect::<Vec<_>>().into() }
    }

    fn has_much_dead(&self) -> bool {
        let all = self.cell_count();
        if all <= SHORT_CHUNK { self.dead > all / SMALL_SHARE } else { self.dead > all / 2 && self.dead > LEAST_DEAD }
    }

    fn cell_count(&self) -> usize {
        self.shared.iter().map(|chunk| chunk.len()).sum::<usize>() + self.own.iter().map(Vec::len).sum::<usize>()
    }

    /// Copies the cells that are in use, so that the others can go.
    fn rewrite(&mut self) {
        let (shared, own) = (mem::take(&mut self.shared), mem::replace(&mut self.own, vec![Vec::new()]));
        let from = Self { root: self.root, len: self.len, dead: 0, shared, own };
        self.dead = 0;
        self.root = self.copy(&from, from.root);
    }

    fn copy(&mut self, from: &Self, cell: Cell) -> Cell {
        if cell.as_leaf().is_some() {
            return cell;
        }
        let twigs: Vec<Cell> = cell.twigs().map(|twig| self.copy(from, from.cell(twig))).collect();
        let reference = self.push(&twigs);
        Cell::branch(cell.bitmap(), cell.offset(), reference)
    }

    /// Goes down to where the keys part at `common`: the slot of the first leaf or branch that does not part before,
    /// and the slot of the branch above it with the number that led here. All on the way may be changed then. None if
    /// the way ends before.
    fn follow(&mut self, key: &Key, common: usize) -> Option<(Slot, Option<(Slot, u8)>)> {
        let (mut slot, mut parent) = (Slot::Root, None);
        loop {
            let cell = self.at(slot);
            if cell.as_leaf().is_some() || cell.offset() >= common {
                return Some((slot, parent));
            }
            let number = key.at(cell.offset());
            let twig = self.own_twigs(slot).twig(number)?;
            (slot, parent) = (Slot::At(twig), Some((slot, number)));
        }
    }

    /// Makes the twigs of the branch at `slot` ours.
    fn own_twigs(&mut self, slot: Slot) -> Cell {
        let branch = self.at(slot);
        let twigs = branch.twigs();
        let Some(chunk) = self.shared.get((twigs.start >> CHUNK_BITS) as usize) else { return branch };
        // The twigs of a branch lie in one chunk.
        let count = twigs.len();
        let cells = chunk.get(within(twigs.start)..).and_then(|cells| cells.get(..count)).unwrap_or_default();
        let reference = append(&mut self.own, self.shared.len(), cells);
        self.dead += count;
        let branch = Cell::branch(branch.bitmap(), branch.offset(), reference);
        self.set(slot, branch);
        branch
    }

    fn add_twig(&mut self, slot: Slot, number: u8, leaf: Cell) {
        let branch = self.at(slot);
        let mut cells: Vec<Cell> = branch.twigs().map(|twig| self.cell(twig)).collect();
        self.dead += cells.len();
        let before = (branch.bitmap() & ((1 << number) - 1)).count_ones();
        cells.insert(before as usize, leaf);
        let reference = self.push(&cells);
        self.set(slot, Cell::branch(branch.bitmap() | 1 << number, branch.offset(), reference));
    }

    /// Appends cells side by side.
    fn push(&mut self, cells: &[Cell]) -> u32 {
        append(&mut self.own, self.shared.len(), cells)
    }

    fn at(&self, slot: Slot) -> Cell {
        match slot {
            Slot::Root => self.root,
            Slot::At(reference) => self.cell(reference),
        }
    }

    fn set(&mut self, slot: Slot, cell: Cell) {
        match slot {
            Slot::Root => self.root = cell,
            Slot::At(reference) => {
                let own = (reference >> CHUNK_BITS) as usize - self.shared.len();
                let place = self.own.get_mut(own).and_then(|chunk| chunk.get_mut(within(reference)));
                debug_assert!(place.is_some(), "only cells of this edit are changed");
                place.into_iter().for_each(|place| *place = cell);
            }
        }
    }
}

impl Cells for TrieEdit {
    fn cell(&self, reference: u32) -> Cell {
        let number = (reference >> CHUNK_BITS) as usize;
        let chunk = match number.checked_sub(self.shared.len()) {
            None => self.shared.get(number).map(|chunk| &**chunk),
            Some(own) => self.own.get(own).map(Vec::as_slice),
        };
        chunk.and_then(|chunk| chunk.get(within(reference))).copied().unwrap_or(Cell::NOTHING)
    }
}

/// Appends cells side by side to chunks behind so many others.
fn append(own: &mut Vec<Vec<Cell>>, others: usize, cells: &[Cell]) -> u32 {
    if own.last().is_none_or(|chunk| chunk.len() + cells.len() > CHUNK_CELLS) {
        // Behind a full chunk there is much to come.
        own.push(Vec::with_capacity(if own.is_empty() { 0 } else { CHUNK_CELLS }));
    }
    let number = others + own.len() - 1;
    let Some(chunk) = own.last_mut() else { return 0 };
    let reference = (number << CHUNK_BITS | chunk.len()) as u32;
    chunk.extend_from_slice(cells);
    reference
}

/// Where in its chunk a cell lies.
fn within(reference: u32) -> usize {
    reference as usize & (CHUNK_CELLS - 1)
}
