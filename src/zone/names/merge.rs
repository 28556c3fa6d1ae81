//! Many sorted sequences of blocks made one. Each is freed when it has been used up, so that the index which is made of
//! them next takes the place of what is sorted and not more memory beside it.

use std::cmp::Ordering;
use std::collections::BinaryHeap;
use std::collections::binary_heap::PeekMut;
use std::vec::IntoIter;

use super::Run;
use crate::zone::blocks::{BlockWriter, Place};
use crate::zone::node::Flags;
use crate::zone::trie::Leaf;

/// A block whose turn is known.
#[derive(Clone, Copy)]
pub(in crate::zone) struct Ranked {
    pub(in crate::zone) place: Place,
    flags: Flags,
    /// Whether the one before has the same owner.
    pub(in crate::zone) is_repeated: bool,
}

impl Ranked {
    pub(in crate::zone) fn leaf(&self) -> Leaf {
        Leaf { place: self.place, flags: self.flags }
    }
}

/// What is left of a sequence.
struct Head<'b> {
    run: Run,
    rest: IntoIter<Run>,
    blocks: &'b BlockWriter,
}

impl<'b> Head<'b> {
    fn new(runs: Vec<Run>, blocks: &'b BlockWriter) -> Option<Self> {
        let mut rest = runs.into_iter();
        rest.next().map(|run| Self { run, rest, blocks })
    }
}

/// The sequences as one.
pub(super) fn merged(sequences: Vec<Vec<Run>>, blocks: &BlockWriter) -> Vec<Ranked> {
    let mut merged = Vec::with_capacity(sequences.iter().map(Vec::len).sum());
    let mut heads: BinaryHeap<Head<'_>> = sequences.into_iter().filter_map(|runs| Head::new(runs, blocks)).collect();
    let mut last: Option<Run> = None;
    while let Some(mut head) = heads.peek_mut() {
        let run = head.run;
        let is_repeated = last.replace(run).is_some_and(|last| last.has_owner_of(&run, blocks));
        merged.push(Ranked { place: run.place, flags: run.flags, is_repeated });
        match head.rest.next() {
            Some(next) => head.run = next,
            None => drop(PeekMut::pop(head)),
        }
    }
    merged
}

/// The greatest head is the one whose turn comes first.
impl Ord for Head<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        other.run.order(&self.run, self.blocks)
    }
}

impl PartialOrd for Head<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

impl PartialEq for Head<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.cmp(other).is_eq()
    }
}
impl Eq for Head<'_> {}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::testing::Random;
    use crate::zone::key::Key;
    use crate::zone::node;

    /// A block of a name that shares its beginning with many others.
    fn block(random: &mut Random) -> Vec<u8> {
        let label = format!("{}{}", "a".repeat(random.below(3) * 12), random.below(40));
        let label = if random.below(2) == 0 { label.to_uppercase() } else { label };
        [&[label.len() as u8 + 1, label.len() as u8], label.as_bytes(), &[0, 0]].concat()
    }

    #[test]
    fn sequences_become_one_in_canonical_order() {
        for seed in 1..=30 {
            let mut random = Random::new(seed);
            let mut blocks = BlockWriter::default();
            let mut runs = Vec::new();
            for _ in 0..random.below(400) {
                let place = blocks.push(&block(&mut random));
                let key = Key::of_labels(node::block_labels(blocks.at(place)));
                runs.push(Run::new(key.prefix(), place, Flags::default()));
            }
            let mut expected = runs.clone();
            expected.sort_by(|left, right| left.order(right, &blocks));
            let mut sequences = vec![Vec::new(); 1 + random.below(9)];
            let count = sequences.len();
            expected.iter().for_each(|run| sequences[random.below(count)].push(*run));
            let ranked = merged(sequences, &blocks);
            let places = |runs: &[Run]| runs.iter().map(|run| run.place).collect::<Vec<_>>();
            assert_eq!(ranked.iter().map(|ranked| ranked.place).collect::<Vec<_>>(), places(&expected), "seed {seed}");
            for (pair, ranked) in expected.windows(2).zip(&ranked[1..]) {
                assert_eq!(ranked.is_repeated, pair[0].key(&blocks) == pair[1].key(&blocks), "seed {seed}");
            }
        }
    }
}
