//! `key` statements.

use std::collections::HashMap;

use super::{Context, all_named, named};
use crate::conf::lexer::Place;
use crate::conf::tree::{Block, Node};
use crate::dns::Name;

/// The algorithms and the bits of their MACs; 0: they cannot be cut.
const ALGORITHMS: [(&str, u64); 8] = [
    ("hmac-md5", 128),
    ("hmac-md5.sig-alg.reg.int", 0),
    ("hmac-md5.sig-alg.reg.int.", 0),
    ("hmac-sha1", 160),
    ("hmac-sha224", 224),
    ("hmac-sha256", 256),
    ("hmac-sha384", 384),
    ("hmac-sha512", 512),
];
/// RFC 8945 section 5.2.2.1: a MAC is cut to no fewer bits than these, nor to less than its half.
const MIN_BITS: u64 = 80;

/// The keys that a view can use: name and place.
#[derive(Default)]
pub(super) struct Keys(HashMap<Name, Place>);

/// A key is at fault; the reason has been noted.
pub(super) struct BadKey;

impl Keys {
    /// Checks the keys of a block and adds them. Two of one name are a fault; with a broken one the checks
    /// of a view end, at once unless it is its name that is broken.
    pub(super) fn add(&mut self, context: &Context<'_>, block: Block<'_>) -> Result<(), BadKey> {
        let mut found = Ok(());
        for node in all_named(block, "key") {
            let text = node.text().unwrap_or_default();
            let Ok(name) = text.parse::<Name>() else {
                context.error(node.block_place(), format!("key '{text}': bad key name"));
                found = Err(BadKey);
                continue;
            };
            check(context, node, text)?;
            if let Some(earlier) = self.0.get(&name) {
                let earlier = context.shown(*earlier);
                let message = format!("key '{text}': already exists previous definition: {earlier}");
                context.error(node.block_place(), message);
            } else {
                self.0.insert(name, node.block_place());
            }
        }
        found
    }

    /// Whether a key of this name is among them.
    pub(super) fn has(&self, name: &Name) -> bool {
        self.0.contains_key(name)
    }
}

fn check(context: &Context<'_>, node: &Node<'_>, name: &str) -> Result<(), BadKey> {
    let statement = |what| node.block().and_then(|block| named(block, what)).and_then(|node| node.items.first());
    let (Some(algorithm), Some(secret)) = (statement("algorithm"), statement("secret")) else {
        let message = format!("key '{name}' must have both 'secret' and 'algorithm' defined");
        context.error(node.block_place(), message);
        return Err(BadKey);
    };
    if !is_base64(secret.text().unwrap_or_default()) {
        context.error(secret.place, "bad secret 'bad base64 encoding'");
        return Err(BadKey);
    }
    check_algorithm(context, name, algorithm.text().unwrap_or_default(), algorithm.place)
}

fn is_base64(text: &str) -> bool {
    let compact: Vec<u8> = text.bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
    data_encoding::BASE64.decode(&compact).is_ok()
}

fn check_algorithm(context: &Context<'_>, key: &str, text: &str, place: Place) -> Result<(), BadKey> {
    let fault = match find(text) {
        None => format!("unknown algorithm '{text}'"),
        Some((_, None)) => return Ok(()),
        Some((size, Some(bits))) => match bits.parse::<u64>().ok().filter(|_| !bits.starts_with('+')) {
            None => format!("key '{key}': unable to parse digest-bits"),
            Some(bits) if bits > size => format!("key '{key}' digest-bits too large [{}..{size}]", size / 2),
            Some(bits) if bits % 8 != 0 => format!("key '{key}' digest-bits not multiple of 8"),
            Some(bits) => {
                if bits < MIN_BITS.max(size / 2) {
                    context.warn(place, format!("key '{key}' digest-bits too small [<{}]", size / 2));
                }
                return Ok(());
            }
        },
    };
    context.error(place, fault);
    Err(BadKey)
}

/// The bits of an algorithm's MAC, and what stands behind its name and a hyphen.
fn find(text: &str) -> Option<(u64, Option<&str>)> {
    ALGORITHMS.iter().find_map(|(name, size)| {
        let start = text.get(..name.len()).filter(|start| start.eq_ignore_ascii_case(name))?;
        match text.get(start.len()..)? {
            "" => Some((*size, None)),
            rest => rest.strip_prefix('-').filter(|_| *size != 0).map(|bits| (*size, Some(bits))),
        }
    })
}
