//! Who may change a zone: `allow-update` and `update-policy`.

use super::Zone;
use super::fit::value_place;
use crate::conf::check::access::is_none;
use crate::conf::check::acl::Faulty;
use crate::conf::check::{Context, named};
use crate::conf::table::ZoneType;

impl<'a> Context<'a> {
    /// Whether a zone is changed by updates.
    pub(super) fn check_updates(&self, zone: &Zone<'a>) -> bool {
        if !matches!(zone.kind, ZoneType::Primary | ZoneType::Secondary) {
            return false;
        }
        match (named(zone.block, "update-policy"), named(zone.block, "allow-update")) {
            (Some(node), Some(_)) => {
                let rule = "'allow-update' is ignored when 'update-policy' is present";
                self.error(value_place(node), format!("zone '{}': {rule}", zone.name));
                true
            }
            (Some(node), None) => {
                self.check_grants(node);
                true
            }
            (None, _) => self.allows_updates(zone),
        }
    }

    /// BIND looks the list up a second time, and says twice what is wrong with it. To BIND an empty list is not `none`.
    fn allows_updates(&self, zone: &Zone<'a>) -> bool {
        let Some(node) = self.effective_in(zone, "allow-update") else { return false };
        let list = node.list().unwrap_or_default();
        if let Err(Faulty(reason)) = self.check_match_list(list) {
            self.error(value_place(node), format!("acl expansion failed: {reason}"));
            return false;
        }
        !is_none(list)
    }
}
