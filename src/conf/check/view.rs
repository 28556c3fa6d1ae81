//! Views: their names and classes, and the order of the checks within one.
//!
//! Without `view` statements the top level is the one view. Then its own statements are those of the top level and of
//! `options`.

use std::collections::HashMap;

use super::key::Keys;
use super::zone::{Taken, Zones};
use super::{Context, all_named, named, nearest};
use crate::conf::lexer::Place;
use crate::conf::tree::{Block, Node, Value};
use crate::dns::Class;

/// Views that are always there.
const BUILT_IN: [(&str, Class); 2] = [("_bind", Class::CH), ("_default", Class::IN)];
/// Times of which zero is not one.
const NOT_ZERO: [&str; 4] = ["max-retry-time", "min-retry-time", "max-refresh-time", "min-refresh-time"];
/// Who may ask for what, and what else is for some clients only.
const LISTS: [&str; 9] = [
    "allow-query",
    "allow-query-on",
    "allow-query-cache",
    "allow-query-cache-on",
    "blackhole",
    "keep-response-order",
    "match-clients",
    "match-destinations",
    "sortlist",
];

/// A view that is being checked.
#[derive(Clone, Copy)]
pub(super) struct View<'a> {
    /// Its statement; none: the top level is the view.
    pub(super) node: Option<&'a Node<'a>>,
    /// Its class.
    pub(super) class: Class,
    /// What stands in it.
    pub(super) block: Option<Block<'a>>,
}

impl<'a> View<'a> {
    /// Its name, if it has a statement.
    pub(super) fn name(&self) -> Option<&'a str> {
        self.node.and_then(Node::text)
    }

    /// What tells of it behind the name of a thing.
    pub(super) fn of_view(&self) -> String {
        self.name().map(|name| format!(" for view {name}")).unwrap_or_default()
    }
}

impl<'a> Context<'a> {
    /// All views, each with all that it inherits.
    pub(super) fn check_views(&self) {
        let whole = View { node: None, class: Class::IN, block: None };
        let (mut zones, mut taken) = (Zones::new(), Taken::default());
        if named(self.root, "view").is_none() {
            return self.check_view(whole, &mut zones, &mut taken);
        }
        self.check_dual_stack(self.options);
        self.check_outside();
        let mut seen = HashMap::new();
        for node in all_named(self.root, "view") {
            if let Some(view) = self.name_and_class(node, &mut seen) {
                self.check_view(view, &mut zones, &mut taken);
            }
        }
    }

    /// Where there are views, every zone and plugin is in one.
    fn check_outside(&self) {
        for (name, what) in [("zone", "all zones must be in views"), ("plugin", "all plugins must be defined in views")]
        {
            if let Some(node) = named(self.root, name) {
                self.error(node.place, format!("when using 'view' statements, {what}"));
            }
        }
    }

    /// A view whose name and class are wrong is not looked into.
    fn name_and_class(&self, node: &'a Node<'a>, seen: &mut HashMap<(&'a str, Class), Place>) -> Option<View<'a>> {
        let name = node.text().unwrap_or_default();
        let class = self.class_of(node, name)?;
        if let Some(earlier) = seen.get(&(name, class)) {
            let earlier = self.shown(*earlier);
            self.error(node.place, format!("view '{name}': already exists previous definition: {earlier}"));
            return None;
        }
        if BUILT_IN.contains(&(name, class)) {
            self.error(node.place, format!("attempt to redefine builtin view '{name}'"));
        }
        seen.insert((name, class), node.place);
        Some(View { node: Some(node), class, block: node.block() })
    }

    fn class_of(&self, node: &Node<'_>, name: &str) -> Option<Class> {
        let Some(item) = node.items.iter().filter(|item| item.text().is_some()).nth(1) else { return Some(Class::IN) };
        let text = item.text().unwrap_or_default();
        let class = text.parse().ok();
        if class.is_none() {
            self.error(item.place, format!("view '{name}': invalid class {text}"));
        }
        class
    }

    fn check_view(&self, view: View<'a>, zones: &mut Zones, taken: &mut Taken) {
        let own = view.block.or(self.options);
        self.check_class(view);
        self.check_zones(view, zones, taken);
        self.check_policy_zones(view);
        self.check_catalogs(view);
        self.check_forward(own);
        self.check_times(self.options);
        self.check_times(view.block);
        self.check_dual_stack(own);
        self.check_rrset_order(own);
        let mut keys = Keys::default();
        for block in [Some(self.root), view.block].into_iter().flatten() {
            if keys.add(self, block).is_err() {
                return;
            }
        }
        self.check_servers(view.block, &keys);
        self.check_anchors(view);
        match view.block {
            Some(block) => self.check_options(block),
            // BIND: policies are not looked into where there are views.
            None => self.check_dnssec_policies(),
        }
        self.check_dnstap(view);
        LISTS.into_iter().for_each(|name| self.check_list_of(self.effective(view, name)));
        self.check_recursion_lists(view);
        self.check_dns64(view);
        self.check_rate_limit(view);
        if self.with_plugins {
            self.check_plugins(view);
        }
    }

    /// The statement that decides for a view.
    pub(super) fn effective(&self, view: View<'a>, name: &str) -> Option<&'a Node<'a>> {
        nearest(&[view.block, self.options], name)
    }

    fn check_class(&self, view: View<'a>) {
        let Some(node) = view.node.filter(|_| view.class != Class::IN) else { return };
        if self.is_recursive(view) {
            let name = view.name().unwrap_or_default();
            self.warn(node.block_place(), format!("recursion will be disabled for non-IN view '{name}'"));
        }
    }

    pub(super) fn check_forward(&self, own: Option<Block<'_>>) {
        let Some(block) = own else { return };
        if let Some(item) = named(block, "forward").and_then(|node| node.items.first())
            && named(block, "forwarders").is_none()
        {
            self.error(item.place, "no matching 'forwarders' statement");
        }
    }

    pub(super) fn check_times(&self, block: Option<Block<'_>>) {
        let Some(block) = block else { return };
        for name in NOT_ZERO {
            let value = named(block, name).and_then(|node| node.items.first());
            if let Some(item) = value.filter(|item| matches!(item.value, Value::Number(0) | Value::Seconds(0))) {
                self.error(item.place, format!("'{name}' must not be zero"));
            }
        }
    }
}
