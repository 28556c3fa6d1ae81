//! Says what becomes of statements that nomd does not do whole.
//!
//! One whose absence would change answers or lock somebody out is an error. One that is honoured in part is a warning,
//! and one that has no effect here a notice, each once however often it stands.

use std::collections::HashSet;

use super::Severity;
use super::diagnostics::Diagnostic;
use super::table::Status;
use super::tree::{Block, Item, Node, Tree, Value};

/// What there is to say about the statements of a tree.
pub(crate) fn review(tree: &Tree) -> Vec<Diagnostic> {
    let mut review = Review { tree, said: HashSet::new(), found: Vec::new() };
    review.block(&tree.root);
    review.found
}

struct Review<'a> {
    tree: &'a Tree,
    said: HashSet<&'static str>,
    found: Vec<Diagnostic>,
}

impl Review<'_> {
    fn block(&mut self, block: &Block) {
        for node in &block.0 {
            self.node(node);
        }
    }

    fn node(&mut self, node: &Node) {
        let name = node.statement.name;
        match node.statement.status {
            Status::Full => node.block().into_iter().for_each(|block| self.block(block)),
            Status::Gone => {}
            Status::Partial(what) => self.once(Severity::Warning, node, format!("option '{name}': {what}")),
            Status::Accepted(why) => self.once(Severity::Notice, node, format!("option '{name}' has no effect: {why}")),
            Status::Refused { unless, why } => {
                let said = plain(&node.items);
                if !unless.iter().any(|word| word.eq_ignore_ascii_case(&said)) {
                    self.say(Severity::Error, node, format!("option '{name}' is refused: {why}"));
                }
            }
        }
    }

    fn once(&mut self, severity: Severity, node: &Node, message: String) {
        if self.said.insert(node.statement.name) {
            self.say(severity, node, message);
        }
    }

    fn say(&mut self, severity: Severity, node: &Node, message: String) {
        let file = self.tree.files.get(node.place.file as usize).cloned().unwrap_or_default();
        self.found.push(Diagnostic { severity, file, line: node.place.line, message });
    }
}

/// Items as plain words; an empty list says the same as one of `none`.
fn plain(items: &[Item]) -> String {
    let words = items.iter().map(|item| match &item.value {
        Value::Word(word) => (*word).to_owned(),
        Value::Text(text) => text.to_string(),
        Value::Boolean(value) => if *value { "yes" } else { "no" }.to_owned(),
        Value::List(list) if list.is_empty() => "none".to_owned(),
        Value::List(list) => list.iter().map(|element| plain(element)).collect::<Vec<_>>().join(" "),
        _ => "?".to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}
