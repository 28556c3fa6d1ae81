//! `dnssec-policy` in a zone: whether it is there, and whether the zone can be signed by it.

use super::Zone;
use super::fit::value_place;
use super::signing::Signing;
use crate::conf::check::{Context, named};
use crate::conf::table::ZoneType;
use crate::conf::tree::Node;

/// Policies that sign, or take back signatures, without a statement.
const BUILT_IN: [&str; 2] = ["default", "insecure"];
/// No policy.
const NONE: &str = "none";
/// Where BIND's operators are told more.
const MORE: &str = "See https://kb.isc.org/docs/dnssec-policy-requires-dynamic-dns-or-inline-signing";

impl<'a> Context<'a> {
    /// The policy that signs the zone. BIND asks whatever the type of the zone.
    pub(super) fn check_policy(&self, zone: &Zone<'a>) -> Option<&'a str> {
        let name = self.effective_in(zone, "dnssec-policy").and_then(Node::text).filter(|name| *name != NONE)?;
        if !self.is_policy(name) {
            let rule = format!("option 'dnssec-policy {name}' has no matching dnssec-policy config");
            self.error(zone.node.place, format!("zone '{}': {rule}", zone.name));
            return None;
        }
        if let Some(node) = self.effective_in(zone, "max-zone-ttl") {
            let rule = "option 'max-zone-ttl' is ignored when used together with 'dnssec-policy'";
            self.warn(value_place(node), format!("zone '{}': {rule}", zone.name));
        }
        Some(name)
    }

    fn is_policy(&self, name: &str) -> bool {
        BUILT_IN.contains(&name) || self.policies.contains(name)
    }

    /// What is signed is either changed by updates or kept apart from what it is made of.
    pub(super) fn check_apart(&self, zone: &Zone<'a>, signing: Signing) {
        let signs = matches!(zone.kind, ZoneType::Primary | ZoneType::Secondary) && signing.by_policy;
        if signs && signing.dynamic && named(zone.block, "inline-signing").is_none() {
            let rule =
                "Before upgrading, explicitly set 'inline-signing no;' to your dnssec-policy or zone configuration";
            self.warn(zone.node.place, format!("'inline-signing' default changed to 'yes' in 9.20. {rule}"));
        }
        let Some(node) = self.effective_in(zone, "dnssec-policy").filter(|_| signs) else { return };
        if signing.dynamic || signing.inline {
            return;
        }
        let rule = "'inline-signing yes;' must also be configured explicitly for zones using dnssec-policy";
        let without = match zone.kind {
            ZoneType::Primary => " without a configured 'allow-update' or 'update-policy'",
            _ => "",
        };
        self.error(value_place(node), format!("{rule}{without}. {MORE}"));
    }
}
