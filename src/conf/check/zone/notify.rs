//! `notify` and `also-notify`.

use super::{Zone, word};
use crate::conf::check::remotes::Kind;
use crate::conf::check::{Context, named};
use crate::conf::table::ZoneType;
use crate::conf::tree::{Node, Value};

impl<'a> Context<'a> {
    /// Servers to notify where nobody is notified; those that are inherited are meant for other zones.
    pub(super) fn check_notify(&self, zone: &Zone<'a>) {
        if !matches!(zone.kind, ZoneType::Primary | ZoneType::Secondary | ZoneType::Mirror) {
            return;
        }
        if self.notifies(zone) {
            if let Some(node) = self.effective_in(zone, "also-notify") {
                // The faults have been noted; an empty list is none.
                let _ = self.check_remotes(node, Kind::Primaries);
            }
        } else if named(zone.block, "also-notify").is_some() {
            let rule = "'also-notify' set but 'notify' is disabled";
            self.warn(zone.node.block_place(), format!("zone '{}': {rule}", zone.plain()));
        }
    }

    fn notifies(&self, zone: &Zone<'a>) -> bool {
        let Some(node) = self.effective_in(zone, "notify") else { return true };
        match node.value() {
            Some(Value::Boolean(notifies)) => *notifies,
            _ => zone.kind == ZoneType::Primary || !is_for_primaries(node),
        }
    }
}

fn is_for_primaries(node: &Node<'_>) -> bool {
    matches!(word(node), Some("primary-only" | "master-only"))
}
