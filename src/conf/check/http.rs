//! `http`: the endpoints of DNS over HTTPS.

use std::collections::HashMap;

use super::{Context, all_named, named};
use crate::conf::lexer::Place;
use crate::conf::tree::Node;

/// The name of what is there without a statement.
const BUILT_IN: &str = "default";

impl Context<'_> {
    /// All statements: their names, then what is in them.
    pub(super) fn check_http(&self) {
        let mut seen: HashMap<String, Place> = HashMap::new();
        for node in all_named(self.root, "http") {
            self.check_http_name(node, &mut seen);
            let endpoints = node.block().and_then(|block| named(block, "endpoints")).and_then(Node::list);
            for item in endpoints.unwrap_or_default().iter().copied().flatten() {
                let path = item.text().unwrap_or_default();
                if !is_path(path) {
                    self.error(item.place, format!("endpoint '{path}' is not a valid absolute HTTP path"));
                }
            }
        }
    }

    fn check_http_name(&self, node: &Node<'_>, seen: &mut HashMap<String, Place>) {
        let name = node.text().unwrap_or_default();
        if name.eq_ignore_ascii_case(BUILT_IN) {
            let rule = "(which is a built-in configuration)";
            return self.error(node.block_place(), format!("'http' name cannot be '{name}' {rule}"));
        }
        match seen.get(&name.to_ascii_lowercase()) {
            Some(earlier) => {
                let earlier = self.shown(*earlier);
                self.error(node.block_place(), format!("http '{name}' is duplicated: also defined at {earlier}"));
            }
            None => drop(seen.insert(name.to_ascii_lowercase(), node.block_place())),
        }
    }
}

/// An absolute path without a query: RFC 3986 section 3.3, of which the first segment may be empty only at the end.
fn is_path(text: &str) -> bool {
    let Some(rest) = text.strip_prefix('/') else { return false };
    !rest.starts_with('/') && are_path_letters(rest.as_bytes())
}

fn are_path_letters(text: &[u8]) -> bool {
    match text {
        [] => true,
        [b'%', high, low, rest @ ..] => high.is_ascii_hexdigit() && low.is_ascii_hexdigit() && are_path_letters(rest),
        [letter, rest @ ..] => {
            (letter.is_ascii_alphanumeric() || b"-._~!$&'()*+,;=:@/".contains(letter)) && are_path_letters(rest)
        }
    }
}
