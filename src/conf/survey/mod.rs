//! What a configuration holds, for an operator who is about to put nomd in named's place.
//!
//! A configuration that named would take is surveyed whole: what nomd refuses is taken as tolerated, so that the rest
//! can be looked at too. Nothing but the configuration's own files is read; `cli::report` looks at the host.

mod keys;
mod statements;
mod zones;

use std::path::Path;
use std::sync::Arc;

use super::lexer::Place;
use super::table::{Clause, clause};
use super::tree::{Node, Tree};
use super::{Config, Diagnostic, Diagnostics, Severity, Tolerance, lower, parse, table};

pub use keys::{KeyDefinition, KeySurvey, KeyUse};
pub use statements::{StatementSurvey, Treatment, Uses};
pub use zones::ZoneSurvey;

/// A configuration and what there is to know about it.
#[derive(Debug)]
pub struct Survey {
    /// The configuration without what is refused.
    pub config: Config,
    /// The files that it was read from.
    pub files: Vec<Arc<str>>,
    /// What named would say of it too.
    pub warnings: Vec<Diagnostic>,
    /// What becomes of its statements.
    pub statements: StatementSurvey,
    /// Its keys.
    pub keys: KeySurvey,
    /// Where statements about recursion stand, `file:line`.
    pub recursion: Vec<String>,
    /// Its zones, in order, those included that are refused.
    pub zones: Vec<ZoneSurvey>,
}

/// Surveys a named.conf. Errors are those that named has too.
pub fn survey(path: &Path, tolerance: &Tolerance) -> Result<Survey, Diagnostics> {
    let (tree, mut faults) = parse::file(path, table::Scope::Top);
    let Some(tree) = tree else { return Err(Diagnostics(faults)) };
    let (config, more) = lower::lower(&tree);
    faults.extend(more);
    let is_error = |fault: &Diagnostic| fault.severity == Severity::Error;
    if faults.iter().any(is_error) {
        return Err(Diagnostics(faults));
    }
    Ok(Survey {
        config,
        statements: statements::survey(&tree, tolerance),
        keys: keys::survey(&tree),
        recursion: recursion_places(&tree),
        zones: zones::survey(&tree),
        files: tree.files.clone(),
        warnings: faults,
    })
}

/// The statements of options and views that decide about recursion.
fn recursion_places(tree: &Tree) -> Vec<String> {
    let levels = tree.root.all(clause::OPTIONS).chain(tree.root.all(clause::VIEW)).filter_map(Node::block);
    let nodes = levels.flat_map(|block| block.0.iter());
    let decisive = nodes.filter(|node| RECURSION.contains(&node.statement.clause));
    decisive.map(|node| shown(tree, node.place)).collect()
}

const RECURSION: [Clause; 3] = [clause::RECURSION, clause::ALLOW_RECURSION, clause::ALLOW_QUERY_CACHE];

/// `file:line`.
fn shown(tree: &Tree, place: Place) -> String {
    let file = tree.files.get(place.file as usize).map_or("", |file| &**file);
    format!("{file}:{}", place.line)
}
