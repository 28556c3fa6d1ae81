//! Recursion: who may have it, where there is none, and which servers stand in for those of the other family.

use super::view::View;
use super::{Context, named, nearest};
use crate::conf::tree::{Block, Item, Node, Value};
use crate::dns::Name;

/// Who may recurse, and on which addresses.
const RECURSION_LISTS: [&str; 2] = ["allow-recursion", "allow-recursion-on"];
/// The highest port.
pub(super) const MAX_PORT: u32 = 65_535;

impl<'a> Context<'a> {
    /// Whether somebody may recurse in a view; one without statements recurses.
    pub(super) fn is_recursive(&self, view: View<'a>) -> bool {
        if self.effective(view, "recursion").and_then(Node::value) == Some(&Value::Boolean(false)) {
            return false;
        }
        let Some(list) = self.effective(view, "allow-recursion").and_then(Node::list) else { return true };
        self.check_match_list(list).is_err() || !is_none(list)
    }

    /// Lists of those who may recurse where nobody may.
    pub(super) fn check_recursion_lists(&self, view: View<'a>) {
        let recursion = self.effective(view, "recursion").and_then(Node::value) != Some(&Value::Boolean(false));
        for name in RECURSION_LISTS {
            let Some((item, list)) =
                self.effective(view, name).and_then(|node| Some((node.items.first()?, node.list()?)))
            else {
                continue;
            };
            if self.check_match_list(list).is_ok() && !recursion && !is_none(list) {
                let place = view.name().map(|name| format!(" for view {name}")).unwrap_or_default();
                self.warn(item.place, format!("both \"recursion no;\" and \"{name}\" active{place}"));
            }
        }
    }

    /// `dual-stack-servers`: names and ports.
    pub(super) fn check_dual_stack(&self, block: Option<Block<'_>>) {
        let Some(node) = block.and_then(|block| named(block, "dual-stack-servers")) else { return };
        if let Some(item) = node.after("port") {
            self.check_port(item);
        }
        for element in node.list().unwrap_or_default() {
            let Some((item, name)) = element.first().and_then(|item| Some((item, item.text()?))) else { continue };
            if name.parse::<Name>().is_err() {
                self.error(item.place, format!("bad name '{name}'"));
            }
            if let Some(item) = element.get(1..).and_then(port_item) {
                self.check_port(item);
            }
        }
    }

    /// A port that is none.
    pub(super) fn check_port(&self, item: &Item<'_>) {
        if let Some(port) = item.number().filter(|port| *port > MAX_PORT) {
            self.error(item.place, format!("port '{port}' out of range"));
        }
    }

    /// The port that is listened on.
    pub(super) fn port(&self) -> u32 {
        const DEFAULT_PORT: u32 = 53;
        let node = nearest(&[self.options], "port");
        node.and_then(|node| node.items.first())
            .and_then(Item::number)
            .filter(|port| *port <= MAX_PORT)
            .unwrap_or(DEFAULT_PORT)
    }
}

fn port_item<'a>(items: &'a [Item<'a>]) -> Option<&'a Item<'a>> {
    items.iter().find(|item| item.number().is_some())
}

/// Whether a list plainly matches nobody.
pub(super) fn is_none(list: &[&[Item<'_>]]) -> bool {
    !list.is_empty() && list.iter().all(|element| is_none_element(element))
}

fn is_none_element(element: &[Item<'_>]) -> bool {
    let Some((last, negations)) = element.split_last() else { return false };
    let is = |item: &Item<'_>, name: &str| item.text().is_some_and(|text| text.eq_ignore_ascii_case(name));
    match (&last.value, negations.len() % 2 == 1) {
        (Value::List(list), true) => match **list {
            [element] => matches!(element, [item] if is(item, "any")),
            _ => false,
        },
        (_, true) => is(last, "any"),
        (_, false) => is(last, "none"),
    }
}
