//! `controls`: who may talk to the control channels, and with which keys.

use super::{Context, all_named};
use crate::conf::tree::{Node, Value};

/// The bits of a socket's mode by which everyone can talk through it.
const EVERYONE: u32 = 0o006;
/// The bits by which its owner or its group can.
const SOMEBODY: [u32; 2] = [0o600, 0o060];

impl Context<'_> {
    /// All channels; within one statement those over IP first.
    pub(super) fn check_controls(&self) {
        for block in all_named(self.root, "controls").filter_map(Node::block) {
            all_named(block, "inet").for_each(|node| self.check_inet(node));
            all_named(block, "unix").for_each(|node| self.check_unix(node));
        }
    }

    fn check_inet(&self, node: &Node<'_>) {
        // A fault has been noted; the keys are looked at all the same.
        let _ = self.check_match_list(node.after("allow").and_then(|item| item.list()).unwrap_or_default());
        self.check_control_keys(node);
    }

    fn check_unix(&self, node: &Node<'_>) {
        let path = node.text().unwrap_or_default();
        let perm = node.after("perm").and_then(|item| item.number()).unwrap_or_default();
        if perm & EVERYONE == EVERYONE {
            self.warn(node.place, format!("unix control '{path}' allows access to everyone"));
        } else if SOMEBODY.iter().all(|bits| perm & bits != *bits) {
            self.warn(node.place, format!("unix control '{path}' allows access to nobody"));
        }
        self.check_control_keys(node);
    }

    /// The keys are those of the top level, and named as they are declared.
    fn check_control_keys(&self, node: &Node<'_>) {
        for item in node.after("keys").and_then(|item| item.list()).unwrap_or_default().iter().copied().flatten() {
            let Value::Text(name) = &item.value else { continue };
            let is_it = |known: &str| known.eq_ignore_ascii_case(name);
            if !all_named(self.root, "key").filter_map(Node::text).any(is_it) {
                self.error(item.place, format!("unknown key '{name}'"));
            }
        }
    }
}
