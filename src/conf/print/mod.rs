//! Trees as text: named.conf in the canonical form that named-checkconf prints, byte for byte.
//!
//! The printer walks the syntax of each statement beside its items, as the parser did. A block shows its statements in
//! the order of the table: see [`Scope::order`]. Parts that may come in any order are shown in that of the table too.

mod value;
mod zones;

pub(super) use zones::zones;

use std::cmp::Reverse;

use super::table::{Kind, Scope, Syntax};
use super::tree::{Block, Item, Node, Tree, Value};

/// What becomes of secrets in print.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Secrets {
    /// They are printed.
    Shown,
    /// A question mark stands for each of their characters.
    Hidden,
}

/// The whole configuration.
pub(super) fn canonical(tree: &Tree<'_>, secrets: Secrets) -> String {
    let mut printer = Printer { out: String::new(), depth: 0, secrets };
    printer.statements(Scope::Top, tree.root);
    printer.out
}

/// The items of a statement that are still to be printed.
type Rest<'r, 'a> = &'r mut &'a [Item<'a>];

struct Printer {
    out: String,
    depth: usize,
    secrets: Secrets,
}

impl Printer {
    fn statements(&mut self, scope: Scope, block: Block<'_>) {
        let mut nodes: Vec<&Node<'_>> = block.0.iter().collect();
        nodes.sort_by_key(|node| scope.order(node.statement));
        for node in nodes {
            self.statement(node);
        }
    }

    fn statement(&mut self, node: &Node<'_>) {
        self.indent();
        self.part(node.statement.name);
        let start = self.out.len();
        if node.statement.gap && lacks_first(&node.statement.syntax, node.items) {
            self.out.push(' ');
        }
        self.syntax(&node.statement.syntax, &mut &*node.items);
        if self.out.len() == start {
            self.out.push(' ');
        }
        self.out.push_str(";\n");
    }

    fn syntax(&mut self, syntax: &Syntax, rest: Rest<'_, '_>) {
        match syntax {
            Syntax::Word(word) => {
                self.part(word);
                take(rest);
                self.implied(word, rest);
            }
            Syntax::Value(kind) => self.value(*kind, rest),
            Syntax::Sequence(parts) => parts.iter().for_each(|part| self.syntax(part, rest)),
            Syntax::OneOf(choices) => self.choice(choices, rest),
            Syntax::Optional(inner) if begins(inner, rest) => self.syntax(inner, rest),
            Syntax::Optional(_) => {}
            Syntax::AnyOrder(parts) => self.any_order(parts, rest),
            Syntax::List(element) => self.list(element, rest),
            Syntax::Block(scope) => self.block(*scope, rest),
        }
    }

    /// What a word stands for that has nothing behind it.
    fn implied(&mut self, word: &str, rest: &[Item<'_>]) {
        if word == "debug" && rest.is_empty() {
            self.part("1");
        }
    }

    /// A word wins over a value, as when it was read. It is shown as it was written, unless it stands for a string or a
    /// list, or is `auto`.
    fn choice(&mut self, choices: &[Syntax], rest: Rest<'_, '_>) {
        let fitting = choices.iter().filter(|choice| begins(choice, rest));
        let stands_for_string =
            choices.iter().any(|choice| matches!(choice, Syntax::Value(Kind::Quoted) | Syntax::List(_)));
        match fitting.min_by_key(|choice| matches!(choice, Syntax::Value(_))) {
            Some(Syntax::Word(word)) if !stands_for_string && *word != "auto" => {
                self.part(take(rest).map_or("", |item| item.raw))
            }
            Some(choice) => self.syntax(choice, rest),
            None => {}
        }
    }

    fn any_order(&mut self, parts: &[Syntax], rest: Rest<'_, '_>) {
        let start = self.out.len();
        let mut pieces = Vec::new();
        while let Some(at) = parts.iter().position(|part| begins(part, rest)) {
            self.syntax(&parts[at], rest);
            pieces.push((Reverse(at), self.out.split_off(start)));
        }
        pieces.sort();
        while let Some((_, piece)) = pieces.pop() {
            self.out.push_str(&piece);
        }
    }

    fn list(&mut self, element: &Syntax, rest: Rest<'_, '_>) {
        let Some(list) = take(rest).and_then(Item::list) else { return };
        self.braces(|printer| {
            for items in list {
                printer.indent();
                printer.syntax(element, &mut &**items);
                printer.out.push_str(";\n");
            }
        });
    }

    fn block(&mut self, scope: Scope, rest: Rest<'_, '_>) {
        if let Some(Value::Block(block)) = take(rest).map(|item| &item.value) {
            self.braces(|printer| printer.statements(scope, *block));
        }
    }

    /// What `inside` prints, in braces.
    fn braces(&mut self, inside: impl FnOnce(&mut Self)) {
        self.part("{\n");
        self.depth += 1;
        inside(self);
        self.depth -= 1;
        self.indent();
        self.out.push('}');
    }

    /// Text, with a blank before it unless it is the first on its line or negated.
    fn part(&mut self, text: &str) {
        if !matches!(self.out.as_bytes().last(), None | Some(b'\n' | b'\t' | b'!')) {
            self.out.push(' ');
        }
        self.out.push_str(text);
    }

    fn indent(&mut self) {
        self.out.extend(std::iter::repeat_n('\t', self.depth));
    }
}

/// The next item.
fn take<'a>(rest: Rest<'_, 'a>) -> Option<&'a Item<'a>> {
    let (first, others) = rest.split_first()?;
    *rest = others;
    Some(first)
}

/// Whether the next item is the first of what `syntax` stands for.
fn begins(syntax: &Syntax, rest: &[Item<'_>]) -> bool {
    let Some(first) = rest.first() else { return false };
    match syntax {
        Syntax::Word(word) => matches!(first.value, Value::Word(found) if found == *word),
        Syntax::Value(kind) => value::fits(*kind, &first.value),
        Syntax::List(_) => matches!(first.value, Value::List(_)),
        Syntax::Block(_) => matches!(first.value, Value::Block(_)),
        Syntax::Sequence(parts) => {
            parts.iter().find(|part| !is_absent(part, rest)).is_some_and(|part| begins(part, rest))
        }
        Syntax::OneOf(parts) | Syntax::AnyOrder(parts) => parts.iter().any(|part| begins(part, rest)),
        Syntax::Optional(inner) => begins(inner, rest),
    }
}

/// Whether a sequence starts with an optional part that is not there.
fn lacks_first(syntax: &Syntax, items: &[Item<'_>]) -> bool {
    matches!(syntax, Syntax::Sequence([first, ..]) if is_absent(first, items))
}

/// Whether this is an optional part that is not there.
fn is_absent(part: &Syntax, rest: &[Item<'_>]) -> bool {
    match part {
        Syntax::Optional(inner) => !begins(inner, rest),
        Syntax::AnyOrder(parts) => !parts.iter().any(|part| begins(part, rest)),
        _ => false,
    }
}

#[cfg(test)]
mod tests;
