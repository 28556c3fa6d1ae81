//! `response-policy`: its zones are zones of the view.

use std::collections::HashSet;

use super::view::View;
use super::{Context, all_named, named};
use crate::conf::tree::{Item, Node, Value, after};
use crate::dns::Name;

/// The most response policy zones of a view.
const MAX_ZONES: usize = 64;
/// The types of zones that hold records.
const TYPES: [&str; 4] = ["primary", "master", "secondary", "slave"];

impl<'a> Context<'a> {
    /// The statement of a view; one of `options` is not held against the zones of views.
    pub(super) fn check_policy_zones(&self, view: View<'a>) {
        let own = view.block.or(self.options);
        let Some(list) = own.and_then(|block| named(block, "response-policy")).and_then(Node::list) else { return };
        let known = self.zones_with_records(view);
        for (at, element) in list.iter().enumerate() {
            let Some((item, text)) = after(element, "zone").and_then(|item| Some((item, item.text()?))) else {
                continue;
            };
            if at >= MAX_ZONES {
                let name = view.name().unwrap_or_default();
                return self.error(item.place, format!("more than {MAX_ZONES} response policy zones in view '{name}'"));
            }
            self.check_view_zone(view, "response-policy zone", item, text, &known);
        }
    }

    /// A name that has to be that of a zone with records.
    pub(super) fn check_view_zone(
        &self,
        view: View<'a>,
        what: &str,
        item: &Item<'_>,
        text: &str,
        known: &HashSet<Name>,
    ) {
        match text.parse::<Name>() {
            Err(_) => self.error(item.place, format!("bad domain name '{text}'")),
            Ok(name) if !known.contains(&name) => {
                let of_view = view.of_view();
                self.error(item.place, format!("{what} '{text}'{of_view} is not a primary or secondary zone"));
            }
            Ok(_) => {}
        }
    }

    /// The zones of a view that hold records.
    pub(super) fn zones_with_records(&self, view: View<'a>) -> HashSet<Name> {
        let zones = all_named(view.block.unwrap_or(self.root), "zone");
        let holds = |node: &&Node<'_>| {
            let kind = node.block().and_then(|block| named(block, "type")).and_then(Node::value);
            matches!(kind, Some(Value::Word(word)) if TYPES.contains(word))
        };
        zones.filter(holds).filter_map(|node| node.text()?.parse().ok()).collect()
    }
}
