//! What becomes of the statements, each counted with its first places.

use std::collections::HashMap;

use super::shown;
use crate::conf::Tolerance;
use crate::conf::status::{self, Outcome};
use crate::conf::tree::Tree;

/// How many places of one statement are kept.
const MAX_PLACES: usize = 3;

/// The statements of a configuration.
#[derive(Debug, Default)]
pub struct StatementSurvey {
    /// How many do what BIND does.
    pub honoured: usize,
    /// The others, each once, in the order in which they come.
    pub others: Vec<Uses>,
}

/// What becomes of one statement wherever it stands.
#[derive(Debug)]
pub struct Uses {
    /// Its name, or what `--tolerate` calls a value.
    pub name: &'static str,
    /// The statement that holds the value, where only that is at issue.
    pub within: Option<&'static str>,
    /// What becomes of it.
    pub treatment: Treatment,
    /// Why, or what an operator will miss.
    pub why: &'static str,
    /// How often it stands.
    pub count: usize,
    /// Where it stands first, `file:line`.
    pub places: Vec<String>,
}

/// What becomes of a statement that nomd does not do whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Treatment {
    /// Stops the start.
    Refused,
    /// Would stop the start, but is tolerated.
    Tolerated,
    /// Done in part.
    Partial,
    /// Without effect.
    Ignored,
}

pub(super) fn survey(tree: &Tree<'_>, tolerance: &Tolerance) -> StatementSurvey {
    let mut survey = StatementSurvey::default();
    let mut known: HashMap<(&str, &str), usize> = HashMap::new();
    status::visit(tree.root, &mut |finding| {
        let Some((treatment, why)) = treatment(finding.outcome, tolerance.has(finding.name)) else {
            survey.honoured += 1;
            return;
        };
        let at = *known.entry((finding.name, why)).or_insert_with(|| {
            let within = finding.is_value.then_some(finding.node.statement.name);
            survey.others.push(Uses { name: finding.name, within, treatment, why, count: 0, places: Vec::new() });
            survey.others.len() - 1
        });
        let Some(uses) = survey.others.get_mut(at) else { return };
        uses.count += 1;
        if uses.places.len() < MAX_PLACES {
            uses.places.push(shown(tree, finding.place));
        }
    });
    survey
}

fn treatment(outcome: Outcome, is_tolerated: bool) -> Option<(Treatment, &'static str)> {
    Some(match outcome {
        Outcome::Honoured => return None,
        Outcome::Partial(what) => (Treatment::Partial, what),
        Outcome::Ignored(why) => (Treatment::Ignored, why),
        Outcome::Refused(why) if is_tolerated => (Treatment::Tolerated, why),
        Outcome::Refused(why) => (Treatment::Refused, why),
    })
}
