//! `key` statements.

use std::sync::Arc;

use super::Context;
use crate::conf::table::clause;
use crate::conf::tree::{Block, Node};
use crate::dns::{Algorithm, Key, Name};

impl Context<'_> {
    /// The keys that a block declares.
    pub(super) fn keys(&self, block: &Block) -> Vec<Arc<Key>> {
        let mut seen = std::collections::HashMap::new();
        let mut keys = Vec::new();
        for node in block.all(clause::KEY) {
            let Some(key) = read_key(self, node) else { continue };
            match seen.insert(key.name.clone(), node.place) {
                None => keys.push(Arc::new(key)),
                Some(earlier) => {
                    let (name, earlier) = (node.text().unwrap_or_default(), self.shown(earlier));
                    self.error(node.place, format!("key '{name}': already exists previous definition: {earlier}"));
                }
            }
        }
        keys
    }
}

/// Reads one statement; its faults are noted.
pub(crate) fn read_key(context: &Context<'_>, node: &Node) -> Option<Key> {
    let name = node.text()?;
    let block = node.block()?;
    let (Some(algorithm), Some(secret)) = (block.find(clause::ALGORITHM), block.find(clause::SECRET)) else {
        context.error(node.place, format!("key '{name}' must have both 'secret' and 'algorithm' defined"));
        return None;
    };
    let Ok(parsed) = name.parse::<Name>() else {
        context.error(node.place, format!("key '{name}': bad key name"));
        return None;
    };
    let secret = secret_of(context, secret)?;
    let (algorithm, truncate_bits) = algorithm_of(context, node, algorithm)?;
    Some(Key { name: parsed, algorithm, truncate_bits, secret })
}

fn secret_of(context: &Context<'_>, node: &Node) -> Option<Vec<u8>> {
    let compact: String = node.text()?.split_whitespace().collect();
    match data_encoding::BASE64.decode(compact.as_bytes()) {
        Ok(secret) => Some(secret),
        Err(_) => {
            context.error(node.items.first()?.place, "bad secret 'bad base64 encoding'".to_owned());
            None
        }
    }
}

fn algorithm_of(context: &Context<'_>, key: &Node, node: &Node) -> Option<(Algorithm, Option<u16>)> {
    let (text, place) = (node.text()?, node.items.first()?.place);
    let Some((algorithm, bits)) = Algorithm::from_text(text) else {
        context.error(place, algorithm_fault(key.text()?, text));
        return None;
    };
    // RFC 8945 section 5.2.2.1: at least 80 bits, and at least half of the MAC.
    if bits.is_some_and(|bits| bits < (algorithm.bits() / 2).max(80)) {
        let name = key.text().unwrap_or_default();
        context.warn(place, format!("key '{name}' digest-bits too small [<{}]", (algorithm.bits() / 2).max(80)));
    }
    Some((algorithm, bits))
}

/// Why an algorithm's text is none.
fn algorithm_fault(key: &str, text: &str) -> String {
    let known = text.rsplit_once('-').and_then(|(name, bits)| Some((Algorithm::from_text(name)?.0, bits)));
    match known {
        None => format!("unknown algorithm '{text}'"),
        Some((algorithm, bits)) => match bits.parse::<u16>() {
            Err(_) => format!("key '{key}': unable to parse digest-bits"),
            Ok(bits) if bits > algorithm.bits() => {
                format!("key '{key}' digest-bits too large [{}..{}]", algorithm.bits() / 2, algorithm.bits())
            }
            Ok(_) => format!("key '{key}' digest-bits not multiple of 8"),
        },
    }
}
