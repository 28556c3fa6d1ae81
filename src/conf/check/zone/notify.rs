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
        self.check_mirror_notify(zone);
        if self.notifies(zone) {
            if let Some(node) = self.effective_in(zone, "also-notify") {
                // The faults have been noted; an empty list is none.
                let _ = self.check_remotes(node, Kind::Primaries);
            }
        } else if named(zone.block, "also-notify").is_some() {
            let rule = "'also-notify' set but 'notify' is disabled";
            self.warn(zone.node.block_place(), format!("zone '{}': {rule}", zone.name));
        }
    }

    /// A mirror notifies nobody but whom it is told to; that others are told more is not held against it.
    fn check_mirror_notify(&self, zone: &Zone<'a>) {
        let Some(node) = named(zone.block, "notify").filter(|_| zone.kind == ZoneType::Mirror) else { return };
        if node.value() != Some(&Value::Boolean(false)) && word(node) != Some("explicit") {
            let rule = "mirror zones can only be used with 'notify no;' or 'notify explicit;'";
            self.error(zone.node.block_place(), format!("zone '{}': {rule}", zone.name));
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
