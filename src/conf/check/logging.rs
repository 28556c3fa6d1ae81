//! `logging`: what channels write to, and which channels categories name.

use std::collections::HashSet;

use super::{Context, all_named, named};
use crate::conf::tree::Node;

/// Channels that are always there.
const BUILT_IN: [&str; 4] = ["default_syslog", "default_stderr", "default_debug", "null"];
/// What a channel may write to: one of them.
const DESTINATIONS: [&str; 4] = ["file", "syslog", "null", "stderr"];
/// The categories of BIND 9.18, and `responses`, which is newer.
const CATEGORIES: [&str; 33] = [
    "cname",
    "client",
    "config",
    "database",
    "default",
    "delegation-only",
    "dispatch",
    "dnssec",
    "dnstap",
    "edns-disabled",
    "general",
    "lame-servers",
    "network",
    "notify",
    "nsid",
    "queries",
    "query-errors",
    "rate-limit",
    "resolver",
    "responses",
    "rpz",
    "rpz-passthru",
    "security",
    "serve-stale",
    "spill",
    "sslkeylog",
    "trust-anchor-telemetry",
    "unmatched",
    "update",
    "update-security",
    "xfer-in",
    "xfer-out",
    "zoneload",
];

impl Context<'_> {
    /// The `logging` statement.
    pub(super) fn check_logging(&self) {
        let Some(block) = named(self.root, "logging").and_then(Node::block) else { return };
        all_named(block, "channel").for_each(|node| self.check_channel(node));
        let own = all_named(block, "channel").filter_map(Node::text);
        let channels = own.chain(BUILT_IN).map(str::to_ascii_lowercase).collect();
        all_named(block, "category").for_each(|node| self.check_category(&channels, node));
    }

    fn check_channel(&self, node: &Node<'_>) {
        let Some(block) = node.block() else { return };
        if DESTINATIONS.iter().filter(|destination| named(block, destination).is_some()).count() != 1 {
            let name = node.text().unwrap_or_default();
            let rule = "exactly one of file, syslog, null, and stderr must be present";
            self.error(node.block_place(), format!("channel '{name}': {rule}"));
        }
    }

    fn check_category(&self, channels: &HashSet<String>, node: &Node<'_>) {
        // BIND: categories are told apart by the case of their letters, channels are not.
        let name = node.text().unwrap_or_default();
        if !CATEGORIES.contains(&name) {
            self.error(node.place, format!("undefined category: '{name}'"));
        }
        for item in node.list().unwrap_or_default().iter().copied().flatten() {
            let channel = item.text().unwrap_or_default();
            if !channels.contains(&channel.to_ascii_lowercase()) {
                self.error(item.place, format!("undefined channel: '{channel}'"));
            }
        }
    }
}
