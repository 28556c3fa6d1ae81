//! How named spells a label that several owners share, where they do not spell it alike.
//!
//! Its tree keeps each label once, as the first name has it that came with it. Dumps show that in `$ORIGIN`. What is
//! stored goes out from the spelling of the name that comes first in canonical order, as a walk meets that one first.

use super::{Builder, ContentsError};
use crate::dns::NameBuf;
use crate::zone::blocks::Place;
use crate::zone::edit::NamesEdit;
use crate::zone::key::{Key, last_first};
use crate::zone::node::{block_labels, block_len};
use crate::zone::trie::{Trie, Walk};

/// A label of the name at hand, and how names that share it spell it.
struct Level<'b> {
    /// Where the block of the first of them in canonical order is, and its spelling.
    first: Place,
    spelling: &'b [u8],
    /// The same of the one that came first.
    oldest: Place,
    oldest_spelling: &'b [u8],
}

/// A label that is spelt otherwise than by the first name in canonical order, whose block is given.
struct Exception {
    block: Place,
    /// How many labels are to the right of it below the apex.
    depth: usize,
    spelling: Vec<u8>,
}

impl Builder {
    /// The index with the spellings that do not show otherwise.
    pub(super) fn with_spellings(&mut self, names: Trie) -> Result<Trie, ContentsError> {
        let mut exceptions = self.exceptions(&names);
        if exceptions.is_empty() {
            return Ok(names);
        }
        exceptions.sort_by_key(|exception| exception.block);
        let mut edit = NamesEdit::new(&names);
        for same in exceptions.chunk_by(|left, right| left.block == right.block) {
            let Some(Exception { block: place, .. }) = same.first() else { continue };
            let block = self.blocks.at(*place);
            let key = Key::of_labels(block_labels(block));
            self.open.clear();
            self.open.push_block(block, self.apex.as_ref())?;
            self.dead_bytes += block_len(block);
            if let Ok(name) = NameBuf::join(&respelt(block_labels(block), same), self.apex.as_ref()) {
                self.open.spell_in_tree(name.as_ref());
            }
            let leaf = self.pack_again()?;
            edit.replace(&key, leaf);
        }
        Ok(edit.finish(&self.blocks))
    }

    fn exceptions(&self, names: &Trie) -> Vec<Exception> {
        let (mut found, mut levels) = (Vec::new(), Vec::<Level<'_>>::new());
        let mut walk = Walk::new(names);
        while let Some(leaf) = walk.next(names) {
            let came = self.came(leaf.place);
            for (depth, label) in last_first(block_labels(self.blocks.at(leaf.place))).enumerate() {
                match levels.get_mut(depth).filter(|level| level.spelling.eq_ignore_ascii_case(label)) {
                    Some(level) if came < level.oldest => (level.oldest, level.oldest_spelling) = (came, label),
                    Some(_) => {}
                    None => {
                        close(&mut levels, depth, &mut found);
                        let (first, spelling) = (leaf.place, label);
                        levels.push(Level { first, spelling, oldest: came, oldest_spelling: label });
                    }
                }
            }
        }
        close(&mut levels, 0, &mut found);
        found
    }

    /// Where the first records of a block were at first, which is in the order in which they came.
    fn came(&self, place: Place) -> Place {
        let joined = self.joined.binary_search_by_key(&place, |(place, _)| *place);
        joined.ok().and_then(|at| self.joined.get(at)).map_or(place, |(_, first)| *first)
    }
}

/// Leaves labels behind, and notes those that are not spelt as they are first met.
fn close(levels: &mut Vec<Level<'_>>, depth: usize, found: &mut Vec<Exception>) {
    for (level, depth) in levels.drain(depth..).zip(depth..) {
        if level.spelling != level.oldest_spelling {
            found.push(Exception { block: level.first, depth, spelling: level.oldest_spelling.to_vec() });
        }
    }
}

/// Labels with those that are spelt otherwise.
fn respelt(labels: &[u8], exceptions: &[Exception]) -> Vec<u8> {
    let spelling = |(depth, label)| {
        exceptions.iter().find(|other| other.depth == depth).map_or(label, |other| other.spelling.as_slice())
    };
    let all: Vec<&[u8]> = last_first(labels).enumerate().map(spelling).collect();
    all.iter().rev().flat_map(|label| [&[label.len() as u8], *label].concat()).collect()
}
