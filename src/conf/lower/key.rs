//! `key` statements.

use std::sync::Arc;

use super::clause;
use crate::conf::tree::{Block, Node};
use crate::dns::{Algorithm, Key};

/// The keys that a block declares.
pub(super) fn keys(block: Block<'_>) -> Vec<Arc<Key>> {
    block.all(clause::KEY).filter_map(read_key).map(Arc::new).collect()
}

/// Reads one statement; none where it is at fault.
pub(crate) fn read_key(node: &Node<'_>) -> Option<Key> {
    let block = node.block()?;
    let name = node.text()?.parse().ok()?;
    let secret: String = block.find(clause::SECRET)?.text()?.split_whitespace().collect();
    let secret = data_encoding::BASE64.decode(secret.as_bytes()).ok()?;
    let (algorithm, truncate_bits) = Algorithm::from_text(block.find(clause::ALGORITHM)?.text()?)?;
    Some(Key { name, algorithm, truncate_bits, secret })
}
