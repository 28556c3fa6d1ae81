//! The zones of a configuration, as `named-checkconf -l` lists them: name, class, view and type.

use std::fmt::Write as _;

use crate::conf::table::clause;
use crate::conf::tree::{Block, Node, Tree};
use crate::dns::Class;

/// One line for each zone, view by view.
pub(in crate::conf) fn zones(tree: &Tree<'_>) -> String {
    let mut out = String::new();
    let mut views = tree.root.all(clause::VIEW).peekable();
    if views.peek().is_none() {
        list(&mut out, tree.root, "_default", "IN");
    }
    for view in views {
        let (Some(name), Some(block)) = (view.text(), view.block()) else { continue };
        let class = view.second_text().and_then(|text| text.parse().ok()).unwrap_or(Class::IN);
        list(&mut out, block, name, &class.to_string());
    }
    out
}

fn list(out: &mut String, block: Block<'_>, view: &str, class: &str) {
    for zone in block.all(clause::ZONE) {
        let name = zone.text().unwrap_or_default();
        let class = zone.second_text().unwrap_or(class);
        let _ = writeln!(out, "{name} {class} {view} {}", kind(zone));
    }
}

/// `primary`, or `in-view` and the name of that view.
fn kind(zone: &Node<'_>) -> String {
    let Some(block) = zone.block() else { return String::new() };
    let word = block.find(clause::TYPE).and_then(|node| node.items.first()).map(|item| item.raw);
    match block.find(clause::IN_VIEW).and_then(Node::text) {
        Some(view) => format!("in-view {view}"),
        None => word.unwrap_or_default().to_owned(),
    }
}
