//! `dnssec-policy` in a zone: whether it is there, and whether the zone can be signed by it.

use super::Zone;
use super::fit::value_place;
use crate::conf::check::{Context, all_named, named};
use crate::conf::table::ZoneType;
use crate::conf::tree::Node;

/// Policies that sign, or take back signatures, without a statement.
const BUILT_IN: [&str; 2] = ["default", "insecure"];
/// No policy.
const NONE: &str = "none";
/// Where BIND's operators are told more.
const MORE: &str = "See https://kb.isc.org/docs/dnssec-policy-requires-dynamic-dns-or-inline-signing";

impl<'a> Context<'a> {
    /// Whether a policy signs the zone.
    pub(super) fn check_policy(&self, zone: &Zone<'a>) -> bool {
        let Some(name) = self.policy_of(zone).and_then(Node::text) else { return false };
        if name == NONE {
            return false;
        }
        if !self.is_policy(name) {
            let rule = format!("option 'dnssec-policy {name}' has no matching dnssec-policy config");
            self.error(zone.node.place, format!("zone '{}': {rule}", zone.plain()));
            return false;
        }
        if let Some(node) = self.effective_in(zone, "max-zone-ttl") {
            let rule = "option 'max-zone-ttl' is ignored when used together with 'dnssec-policy'";
            self.warn(value_place(node), format!("zone '{}': {rule}", zone.plain()));
        }
        true
    }

    fn policy_of(&self, zone: &Zone<'a>) -> Option<&'a Node<'a>> {
        let signs = matches!(zone.kind, ZoneType::Primary | ZoneType::Secondary);
        signs.then(|| self.effective_in(zone, "dnssec-policy")).flatten()
    }

    fn is_policy(&self, name: &str) -> bool {
        BUILT_IN.contains(&name) || all_named(self.root, "dnssec-policy").any(|node| node.text() == Some(name))
    }

    /// What is signed is either changed by updates or kept apart from what it is made of.
    pub(super) fn check_signing(&self, zone: &Zone<'a>, signed: bool, dynamic: bool) {
        let is_inline = self.says_yes(named(zone.block, "inline-signing"));
        let Some(node) = self.policy_of(zone).filter(|_| signed && !dynamic && !is_inline) else { return };
        let rule = "'inline-signing yes;' must also be configured explicitly for zones using dnssec-policy";
        let without = match zone.kind {
            ZoneType::Primary => " without a configured 'allow-update' or 'update-policy'",
            _ => "",
        };
        self.error(value_place(node), format!("{rule}{without}. {MORE}"));
    }
}
