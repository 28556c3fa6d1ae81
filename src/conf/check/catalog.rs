//! `catalog-zones`: each zone once, and as a zone of the view.

use hashbrown::HashMap;

use super::view::View;
use super::{Context, named};
use crate::conf::tree::{Item, Node, after};
use crate::dns::Name;

impl<'a> Context<'a> {
    /// The statement of a view; one of `options` is not held against the zones of views.
    pub(super) fn check_catalogs(&self, view: View<'a>) {
        let own = view.block.or(self.options);
        let Some(list) = own.and_then(|block| named(block, "catalog-zones")).and_then(Node::list) else { return };
        let known = self.zones_with_records(view);
        for (item, text) in list.iter().filter_map(|element| zone_of(element)) {
            self.check_view_zone(view, "catalog zone", item, text, &known);
        }
        let mut seen: HashMap<Name, &Item<'_>> = HashMap::new();
        for element in list.iter() {
            let Some((item, text)) = zone_of(element) else { continue };
            // BIND: what stands behind a bad name is not looked at again.
            let Ok(name) = text.parse::<Name>() else { return };
            if let Some(earlier) = seen.get(&name) {
                let earlier = self.shown(earlier.place);
                let shown = name.to_string();
                let shown = shown.strip_suffix('.').filter(|rest| !rest.is_empty()).unwrap_or(&shown);
                self.error(item.place, format!("catalog zone '{shown}': already added here {earlier}"));
            } else {
                seen.insert(name, item);
            }
            if after(element, "default-primaries").is_some() && after(element, "default-masters").is_some() {
                let of_view = view.of_view();
                let rule = "'default-primaries' and 'default-masters' can not be both defined";
                self.error(item.place, format!("catalog zone '{text}'{of_view}: {rule}"));
            }
        }
    }
}

fn zone_of<'a>(element: &'a [Item<'a>]) -> Option<(&'a Item<'a>, &'a str)> {
    let item = after(element, "zone")?;
    Some((item, item.text()?))
}
