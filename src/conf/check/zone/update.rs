//! Who may change a zone: `allow-update` and `update-policy`.

use super::Zone;
use super::fit::value_place;
use crate::conf::check::access::is_none;
use crate::conf::check::{Context, named};
use crate::conf::table::ZoneType;
use crate::conf::tree::{Item, Node, Value};

impl<'a> Context<'a> {
    /// Whether a zone is changed by updates.
    pub(super) fn check_updates(&self, zone: &Zone<'a>) -> bool {
        let policy = named(zone.block, "update-policy");
        if let Some(node) = policy
            && named(zone.block, "allow-update").is_some()
        {
            let rule = "'allow-update' is ignored when 'update-policy' is present";
            self.error(value_place(node), format!("zone '{}': {rule}", zone.plain()));
        }
        zone.kind == ZoneType::Primary && (policy.is_some() || self.allows_updates(zone))
    }

    /// BIND looks the list up a second time, and says twice what is wrong with it.
    fn allows_updates(&self, zone: &Zone<'a>) -> bool {
        let Some(node) = self.effective_in(zone, "allow-update") else { return false };
        let list = node.list().unwrap_or_default();
        if self.check_match_list(list).is_err() {
            self.error(value_place(node), "acl expansion failed: not found");
            return false;
        }
        !list.is_empty() && !is_none(list)
    }

    /// Whether a statement of yes or no says yes.
    pub(super) fn says_yes(&self, node: Option<&Node<'_>>) -> bool {
        matches!(node.and_then(|node| node.items.first()), Some(Item { value: Value::Boolean(true), .. }))
    }
}
