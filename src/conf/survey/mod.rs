//! What a configuration holds, for an operator who is about to put nomd in named's place.
//!
//! A configuration that named would take is surveyed whole: what nomd refuses is taken as tolerated, so that the rest
//! can be looked at too. Nothing but the configuration's own files is read; `cli::report` looks at the host.

mod keys;
mod statements;
mod zones;

use std::path::Path;
use std::sync::Arc;

use super::Dialect;
use super::lexer::Place;
use super::parse::How;
use super::table::Scope;
use super::table::{Clause, clause};
use super::tree::Arena;
use super::tree::{Block, Node, Tree};
use super::{Config, Diagnostic, Diagnostics, Severity, Tolerance, check, lower, parse};

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
    /// Values that come to something else than with named.
    pub differences: Vec<Diagnostic>,
    /// What becomes of its statements.
    pub statements: StatementSurvey,
    /// Its keys.
    pub keys: KeySurvey,
    /// Where the statements stand that decide about recursion, for each view, `file:line`.
    pub recursion: Vec<Vec<String>>,
    /// Its zones, in order, those included that are refused.
    pub zones: Vec<ZoneSurvey>,
}

/// Surveys the named.conf `path` of the host whose root directory is `root`. Errors are those that named has too.
pub fn survey(root: &Path, path: &Path, tolerance: &Tolerance) -> Result<Survey, Diagnostics> {
    let arena = Arena::default();
    let how = How { scope: Scope::Top, dialect: Dialect::Nomd };
    let (tree, mut faults) = parse::file_within(&arena, root, path, how);
    let Some(tree) = tree else { return Err(Diagnostics(faults)) };
    faults.extend(check::check(&tree));
    let is_error = |fault: &Diagnostic| fault.severity == Severity::Error;
    if faults.iter().any(is_error) {
        return Err(Diagnostics(faults));
    }
    let (config, differences) = lower::lower(&tree);
    if differences.iter().any(is_error) {
        faults.extend(differences);
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
        differences,
    })
}

/// The statements that decide about recursion, for each view as [`Config`] has them.
fn recursion_places(tree: &Tree<'_>) -> Vec<Vec<String>> {
    let options = tree.root.find(clause::OPTIONS).and_then(Node::block);
    let decisive = |view: Option<Block<'_>>| {
        let levels = [view, options];
        let nodes = RECURSION.iter().filter_map(|wanted| levels.into_iter().flatten().find_map(|at| at.find(*wanted)));
        nodes.map(|node| shown(tree, node.place)).collect()
    };
    let mut views: Vec<Vec<String>> = tree.root.all(clause::VIEW).map(|view| decisive(view.block())).collect();
    if views.is_empty() {
        views.push(decisive(None));
    }
    views
}

const RECURSION: [Clause; 3] = [clause::RECURSION, clause::ALLOW_RECURSION, clause::ALLOW_QUERY_CACHE];

/// `file:line`.
fn shown(tree: &Tree<'_>, place: Place) -> String {
    let file = tree.files.get(place.file as usize).map_or("", |file| &**file);
    format!("{file}:{}", place.line)
}
