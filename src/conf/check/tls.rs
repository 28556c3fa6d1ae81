//! `tls`: certificates, protocols and ciphers.

use std::collections::HashMap;

use super::{Context, all_named, ciphers, named};
use crate::conf::lexer::Place;
use crate::conf::tree::{Block, Node};

/// Names that stand for what needs no statement.
pub(super) const BUILT_IN: [&str; 2] = [EPHEMERAL, "none"];
/// A key for this run of the server.
pub(super) const EPHEMERAL: &str = "ephemeral";
/// The versions of the protocol that may be asked for.
const PROTOCOLS: [&str; 2] = ["TLSv1.2", "TLSv1.3"];

impl Context<'_> {
    /// All statements.
    pub(super) fn check_tls(&self) {
        let mut seen: HashMap<String, Place> = HashMap::new();
        for node in all_named(self.root, "tls") {
            let (name, Some(block)) = (node.text().unwrap_or_default(), node.block()) else { continue };
            self.check_tls_name(node, name, &mut seen);
            if named(block, "key-file").is_some() != named(block, "cert-file").is_some() {
                let rule = "'cert-file' and 'key-file' must both be specified, or both omitted";
                self.error(node.block_place(), format!("tls '{name}': {rule}"));
            }
            self.check_protocols(node, name, block);
            self.check_ciphers(name, block);
        }
    }

    fn check_tls_name(&self, node: &Node<'_>, name: &str, seen: &mut HashMap<String, Place>) {
        let folded = name.to_ascii_lowercase();
        if BUILT_IN.contains(&folded.as_str()) {
            return self.error(node.block_place(), format!("tls clause name '{name}' is reserved for internal use"));
        }
        match seen.get(&folded) {
            Some(earlier) => {
                let earlier = self.shown(*earlier);
                self.error(node.block_place(), format!("tls clause '{name}' is duplicated: also defined at {earlier}"));
            }
            None => drop(seen.insert(folded, node.block_place())),
        }
    }

    fn check_ciphers(&self, name: &str, block: Block<'_>) {
        let Some(item) = named(block, "ciphers").and_then(|node| node.items.first()) else { return };
        if !item.text().is_some_and(ciphers::is_list) {
            self.error(item.place, format!("'ciphers' in the 'tls' clause '{name}' is not a valid cipher list string"));
        }
    }

    fn check_protocols(&self, tls: &Node<'_>, name: &str, block: Block<'_>) {
        let Some(node) = named(block, "protocols") else { return };
        let mut seen: Vec<&str> = Vec::new();
        for item in node.list().unwrap_or_default().iter().copied().flatten() {
            let text = item.text().unwrap_or_default();
            match PROTOCOLS.into_iter().find(|known| known.eq_ignore_ascii_case(text)) {
                None => self.error(item.place, format!("'{text}' is not a valid TLS protocol version")),
                Some(known) if seen.contains(&known) => {
                    self.error(item.place, format!("'{text}' is specified more than once in '{name}'"));
                }
                Some(known) => seen.push(known),
            }
        }
        if seen.is_empty() {
            let rule = "does not contain any valid TLS protocol versions definitions";
            self.error(tls.block_place(), format!("tls '{name}' {rule}"));
        }
    }
}
