//! Says what becomes of statements that nomd does not do whole.
//!
//! One whose absence would change answers or lock somebody out is an error, unless it is tolerated by name. One that is
//! honoured in part is a warning, and one that has no effect here a notice, each once however often it stands.

mod tolerance;
mod values;

use std::collections::HashMap;

use super::Severity;
use super::diagnostics::Diagnostic;
use super::lexer::Place;
use super::table::Status;
use super::tree::{Block, Item, Node, Tree, Value};

pub use tolerance::{Tolerance, UnknownStatement};

/// How often a refusal of one name is said with its place; the rest is counted.
const MAX_SAID: usize = 10;

/// What nomd makes of one statement.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Outcome {
    /// Done as BIND does it.
    Honoured,
    /// Done in part: what an operator will miss.
    Partial(&'static str),
    /// Without effect: why that does no harm.
    Ignored(&'static str),
    /// Not done, and that would change answers or lock somebody out: why.
    Refused(&'static str),
}

/// One statement and what becomes of it.
#[derive(Debug)]
pub(crate) struct Finding<'a> {
    /// The statement.
    pub(crate) node: &'a Node<'a>,
    /// Where it stands, or what in it is at issue.
    pub(crate) place: Place,
    /// What it goes by: the statement's name or, where only a value is at issue, what [`Tolerance`] calls that.
    pub(crate) name: &'static str,
    /// Whether only its value is at issue.
    pub(crate) is_value: bool,
    /// What becomes of it.
    pub(crate) outcome: Outcome,
}

/// What there is to say about the statements of a tree.
pub(crate) fn review(tree: &Tree<'_>, tolerance: &Tolerance) -> Vec<Diagnostic> {
    let mut review = Review { tree, tolerance, said: HashMap::new(), found: Vec::new() };
    visit(tree.root, &mut |finding| review.say(&finding));
    review.count_the_rest();
    review.name_the_switch();
    review.found
}

/// Shows every statement, and within a statement every value, that something becomes of. What stands in a block of
/// which nothing becomes is not looked at.
pub(crate) fn visit<'a>(block: Block<'a>, see: &mut impl FnMut(Finding<'a>)) {
    for node in block.0 {
        let (name, place) = (node.statement.name, node.place);
        let outcome = outcome(node);
        see(Finding { node, place, name, is_value: false, outcome });
        if outcome == Outcome::Honoured {
            values::visit(node, see);
            node.block().into_iter().for_each(|block| visit(block, see));
        }
    }
}

/// What becomes of a statement as a whole.
pub(crate) fn outcome(node: &Node<'_>) -> Outcome {
    match node.statement.status {
        Status::Full => Outcome::Honoured,
        Status::Gone => Outcome::Ignored("BIND has dropped it too"),
        Status::Accepted(why) => Outcome::Ignored(why),
        Status::Partial { unless, .. } | Status::Refused { unless, .. } if says(node, unless) => Outcome::Honoured,
        Status::Partial { what, .. } => Outcome::Partial(what),
        Status::Refused { why, .. } => Outcome::Refused(why),
    }
}

/// Whether a statement's value is one of these.
fn says(node: &Node<'_>, values: &[&str]) -> bool {
    let said = plain(node.items);
    values.iter().any(|value| value.eq_ignore_ascii_case(&said))
}

struct Review<'a> {
    tree: &'a Tree<'a>,
    tolerance: &'a Tolerance,
    /// How often something was said or kept back, by what it goes by.
    said: HashMap<(&'static str, Severity), usize>,
    found: Vec<Diagnostic>,
}

impl Review<'_> {
    fn say(&mut self, finding: &Finding<'_>) {
        let (severity, message) = match finding.outcome {
            Outcome::Honoured => return,
            // The parser has said that it no longer exists.
            _ if finding.node.statement.status == Status::Gone => return,
            Outcome::Partial(what) => (Severity::Warning, format!("option '{}': {what}", finding.name)),
            Outcome::Ignored(why) => (Severity::Notice, format!("option '{}' has no effect: {why}", finding.name)),
            Outcome::Refused(why) if self.tolerance.has(finding.name) => {
                (Severity::Warning, format!("{} has no effect, which is tolerated: {why}", subject(finding)))
            }
            Outcome::Refused(why) => (Severity::Error, format!("{} is refused: {why}", subject(finding))),
        };
        let count = self.said.entry((finding.name, severity)).or_default();
        *count += 1;
        if *count <= most_said(severity) {
            self.push(severity, finding.place, message);
        }
    }

    /// A refusal stops the start, so each is worth its place; but ten thousand zones may share one.
    fn count_the_rest(&mut self) {
        let beyond = |((name, severity), count): (&(&'static str, Severity), &usize)| {
            let rest = count.saturating_sub(MAX_SAID);
            (*severity == Severity::Error && rest > 0).then_some((*name, rest))
        };
        let mut rest: Vec<(&str, usize)> = self.said.iter().filter_map(beyond).collect();
        rest.sort_unstable();
        for (name, count) in rest {
            let message = format!("option '{name}' is refused: {count} more times (nomd report counts them by zone)");
            let fault = Diagnostic { severity: Severity::Error, file: "".into(), line: 0, message };
            self.found.push(fault);
        }
    }

    /// Whoever reads why nothing starts should not have to look for the way out.
    fn name_the_switch(&mut self) {
        let refused = self.said.keys().filter(|(_, severity)| *severity == Severity::Error);
        let mut names: Vec<&str> = refused.map(|(name, _)| *name).collect();
        names.sort_unstable();
        if !names.is_empty() {
            let names = names.join(",");
            let message = format!("to start without what is refused: --tolerate {names}, or NOMD_TOLERATE={names}");
            self.found.push(Diagnostic { severity: Severity::Notice, file: "".into(), line: 0, message });
        }
    }

    fn push(&mut self, severity: Severity, place: Place, message: String) {
        let file = self.tree.files.get(place.file as usize).cloned().unwrap_or_default();
        self.found.push(Diagnostic { severity, file, line: place.line, message });
    }
}

fn most_said(severity: Severity) -> usize {
    if severity == Severity::Error { MAX_SAID } else { 1 }
}

/// How a message calls what it is about.
fn subject(finding: &Finding<'_>) -> String {
    match (finding.is_value, finding.name.strip_prefix("type-")) {
        (true, Some(zone_type)) => format!("a zone of type '{zone_type}'"),
        (true, None) => format!("'{}' in '{}'", finding.name, finding.node.statement.name),
        (false, _) => format!("option '{}'", finding.name),
    }
}

/// Items as plain words; an empty list says the same as one of `none`.
fn plain(items: &[Item<'_>]) -> String {
    let words = items.iter().map(|item| match &item.value {
        Value::Word(word) => (*word).to_owned(),
        Value::Text(text) => text.to_string(),
        Value::Boolean(value) => if *value { "yes" } else { "no" }.to_owned(),
        Value::Number(number) => number.to_string(),
        Value::List([]) => "none".to_owned(),
        Value::List(list) => list.iter().map(|element| plain(element)).collect::<Vec<_>>().join(" "),
        _ => "?".to_owned(),
    });
    words.collect::<Vec<_>>().join(" ")
}
