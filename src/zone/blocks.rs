//! Where the blocks of nodes lie: byte chunks that versions of a zone share.
//!
//! A chunk never changes once it is part of a version. A block does not cross chunks; one that is larger than a chunk
//! has a chunk to itself.

use std::sync::Arc;

use super::chunks::Chunks;

/// How large a chunk grows before the next is begun.
const CHUNK_BYTES: usize = 1 << 20;
/// A last chunk of at most so many bytes is copied and filled up by the next edit.
pub(super) const SHORT_CHUNK_BYTES: usize = 1 << 14;

/// Where a block starts.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Debug, Default)]
pub(super) struct Place {
    pub(super) chunk: u32,
    pub(super) offset: u32,
}

/// The finished chunks of a version.
#[derive(Clone, Default)]
pub(super) struct Blocks(Chunks<u8>);

impl Blocks {
    /// The bytes from `place` to the end of its chunk.
    pub(super) fn at(&self, place: Place) -> &[u8] {
        let chunk = self.0.get(place.chunk as usize);
        chunk.and_then(|chunk| chunk.get(place.offset as usize..)).unwrap_or_default()
    }

    /// How many bytes all chunks have.
    pub(super) fn size_bytes(&self) -> usize {
        self.0.iter().map(|chunk| chunk.len()).sum()
    }
}

/// Chunks being filled.
#[derive(Default)]
pub(super) struct BlockWriter {
    full: Vec<Arc<[u8]>>,
    open: Vec<u8>,
}

impl BlockWriter {
    /// Goes on behind the blocks of a version, sharing its chunks. A short last one is filled up.
    pub(super) fn after(blocks: &Blocks) -> Self {
        let mut full = blocks.0.to_vec();
        let short = full.pop_if(|chunk| chunk.len() <= SHORT_CHUNK_BYTES);
        Self { full, open: short.map_or_else(Vec::new, |chunk| chunk.to_vec()) }
    }

    /// Appends a block.
    pub(super) fn push(&mut self, block: &[u8]) -> Place {
        self.push_with(block.len(), |out| out.extend_from_slice(block))
    }

    /// Appends a block of this size, which `write` appends to the chunk that it goes to.
    pub(super) fn push_with(&mut self, size: usize, write: impl FnOnce(&mut Vec<u8>)) -> Place {
        if !self.open.is_empty() && self.open.len() + size > CHUNK_BYTES {
            self.seal();
        }
        let place = Place { chunk: self.full.len() as u32, offset: self.open.len() as u32 };
        self.open.reserve(size);
        write(&mut self.open);
        place
    }

    /// Takes over the chunks of another writer. Says by how much the numbers of its chunks have grown.
    pub(super) fn append(&mut self, chunks: Vec<Arc<[u8]>>) -> u32 {
        if !self.open.is_empty() {
            self.seal();
        }
        let first = self.full.len() as u32;
        self.full.extend(chunks);
        first
    }

    /// The chunks so far. The writer begins anew with the memory that it has.
    pub(super) fn take(&mut self) -> Vec<Arc<[u8]>> {
        if !self.open.is_empty() {
            self.seal();
        }
        std::mem::take(&mut self.full)
    }

    /// The bytes from `place` to the end of its chunk.
    pub(super) fn at(&self, place: Place) -> &[u8] {
        let chunk = self.full.get(place.chunk as usize).map_or(self.open.as_slice(), |chunk| chunk);
        chunk.get(place.offset as usize..).unwrap_or_default()
    }

    /// The finished chunks.
    pub(super) fn finish(mut self) -> Blocks {
        Blocks(self.take().into())
    }

    fn seal(&mut self) {
        self.full.push(self.open.as_slice().into());
        self.open.clear();
    }
}
