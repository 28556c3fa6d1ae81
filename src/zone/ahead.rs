//! Leaves on their way out of a trie, with their blocks fetched from memory some at a time.
//!
//! In a zone whose file had another order than the canonical one, the blocks of successive names lie far from each
//! other, and whoever walks them waits for memory at each. A byte is read of the next few blocks together, so that
//! memory brings them all in the time of one.

use super::blocks::Place;
use super::trie::Leaf;

/// How many blocks are fetched at a time.
pub(super) const AHEAD: usize = 16;

/// The leaves that come next.
#[derive(Clone, Debug, Default)]
pub(super) struct Ahead {
    /// Those to come stand last.
    leaves: [Leaf; AHEAD],
    left: usize,
}

impl Ahead {
    /// The next leaf of those that `more` gives; `block` is the block at a place.
    #[inline]
    pub(super) fn next<'b>(
        &mut self,
        block: impl Fn(Place) -> &'b [u8],
        more: impl FnMut() -> Option<Leaf>,
    ) -> Option<Leaf> {
        if self.left == 0 {
            self.fill(block, more);
        }
        let leaf = self.leaves.len().checked_sub(self.left).and_then(|at| self.leaves.get(at)).copied();
        self.left = self.left.saturating_sub(1);
        leaf
    }

    fn fill<'b>(&mut self, block: impl Fn(Place) -> &'b [u8], mut more: impl FnMut() -> Option<Leaf>) {
        for (place, leaf) in self.leaves.iter_mut().zip(std::iter::from_fn(&mut more)) {
            *place = leaf;
            self.left += 1;
        }
        let (filled, _) = self.leaves.split_at(self.left);
        fetch(filled.iter().map(|leaf| block(leaf.place)));
        self.leaves.rotate_left(self.left);
    }
}

/// Reads a byte of each block. No read depends on another, so the processor has them all under way at the same time.
pub(super) fn fetch<'b>(blocks: impl Iterator<Item = &'b [u8]>) {
    let bytes = blocks.map(|block| block.first().copied().unwrap_or_default());
    std::hint::black_box(bytes.fold(0, |all, byte| all ^ byte));
}
