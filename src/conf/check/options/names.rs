//! Statements whose values are domain names.

use crate::conf::check::{Context, all_named, named};
use crate::conf::tree::{Block, Item, Node};
use crate::dns::Name;

/// Statements with names, each said with the name.
const NAMED: [&str; 5] = ["empty-server", "empty-contact", "dns64-server", "dns64-contact", "disable-empty-zone"];

impl Context<'_> {
    /// `root-delegation-only exclude { ... }`.
    pub(super) fn check_delegation_only(&self, block: Block<'_>) {
        let excluded = named(block, "root-delegation-only").and_then(Node::list);
        for item in excluded.unwrap_or_default().iter().copied().flatten() {
            self.check_domain(item);
        }
    }

    /// Servers and contacts of the zones that are there by themselves, and which of those are not to be.
    pub(super) fn check_builtin_zones(&self, block: Block<'_>) {
        for name in NAMED {
            for item in all_named(block, name).filter_map(|node| node.items.first()) {
                if let Some(text) = item.text().filter(|text| text.parse::<Name>().is_err()) {
                    self.error(item.place, format!("{name}: invalid name '{text}'"));
                }
            }
        }
    }

    /// A name in a statement of which the message says nothing.
    pub(super) fn check_domain(&self, item: &Item<'_>) -> Option<Name> {
        let text = item.text()?;
        let name = text.parse().ok();
        if name.is_none() {
            self.error(item.place, format!("bad domain name '{text}'"));
        }
        name
    }
}
