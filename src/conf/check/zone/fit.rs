//! Statements that a zone of some type cannot have, and words that mean nothing for it.

use super::{Zone, word};
use crate::conf::check::{Context, named};
use crate::conf::lexer::Place;
use crate::conf::table::{Scope, Statement, ZoneType};
use crate::conf::tree::Node;

/// Statements of several parts: their faults are at their names, those of others at their values.
const OF_PARTS: [&str; 16] = [
    "allow-transfer",
    "also-notify",
    "alt-transfer-source",
    "alt-transfer-source-v6",
    "dual-stack-servers",
    "forwarders",
    "masters",
    "notify-source",
    "notify-source-v6",
    "parental-agents",
    "parental-source",
    "parental-source-v6",
    "primaries",
    "sig-validity-interval",
    "transfer-source",
    "transfer-source-v6",
];
/// Statements that have another form in a zone than in `options`, so that BIND counts them among those of zones.
const OF_ZONES: [&str; 2] = ["check-names", "ixfr-from-differences"];

impl Context<'_> {
    /// BIND goes through its table of statements: first those of zones alone, each part by name.
    pub(super) fn check_fit(&self, zone: &Zone<'_>) {
        let stray = |node: &&Node<'_>| node.statement.name != "type" && !node.statement.fits(zone.kind);
        let mut strays: Vec<&Node<'_>> = zone.block.0.iter().filter(stray).collect();
        strays.sort_by_key(|node| (!is_of_zones(node.statement), node.statement.name));
        strays.dedup_by_key(|node| node.statement.name);
        for node in strays {
            let (option, kind, name) = (node.statement.name, zone.word, zone.name);
            self.error(value_place(node), format!("option '{option}' is not allowed in '{kind}' zone '{name}'"));
        }
    }

    /// `dialup`: only some zones can be refreshed or stay passive.
    pub(super) fn check_dialup(&self, zone: &Zone<'_>) {
        let Some((node, said)) = named(zone.block, "dialup").and_then(|node| Some((node, word(node)?))) else { return };
        let is_secondary = zone.kind == ZoneType::Secondary;
        if !is_secondary && !matches!(zone.kind, ZoneType::Primary | ZoneType::Stub) {
            return;
        }
        let fits = match said {
            "notify" => is_secondary || zone.kind == ZoneType::Primary,
            "refresh" | "passive" => is_secondary || zone.kind == ZoneType::Stub,
            "notify-passive" => is_secondary,
            _ => true,
        };
        if !fits {
            let (kind, name) = (zone.word, zone.name);
            let shown = node.items.first().map_or(said, |item| item.raw);
            self.error(value_place(node), format!("dialup type '{shown}' is not allowed in '{kind}' zone '{name}'"));
        }
    }
}

/// Where a statement's value stands for BIND.
pub(super) fn value_place(node: &Node<'_>) -> Place {
    match node.items.first() {
        Some(item) if !OF_PARTS.contains(&node.statement.name) => item.place,
        _ => node.place,
    }
}

fn is_of_zones(statement: &Statement) -> bool {
    OF_ZONES.contains(&statement.name) || Scope::Options.find(statement.name).is_none()
}
