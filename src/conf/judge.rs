//! named-checkconf's view of a configuration: read it, check it, and show it.
//!
//! What nomd makes of single statements plays no part here, so the verdict is that of BIND.

use std::path::{Path, PathBuf};

use super::diagnostics::{Diagnostic, Diagnostics, Severity};
use super::lower::ZoneToLoad;
use super::parse::{self, How};
use super::print::{self, Secrets};
use super::table::{Scope, clause};
use super::tree::{Arena, Tree};
use super::{Dialect, check, lower};

/// What is wanted of a sound configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wanted {
    /// The verdict alone.
    Verdict,
    /// The configuration in canonical form.
    Canonical(Secrets),
    /// Its zones, one a line.
    Zones,
}

/// The verdict.
#[derive(Debug)]
pub struct Judgement {
    /// All that there is to say.
    pub diagnostics: Diagnostics,
    /// What was wanted; empty where there are errors.
    pub text: String,
    /// The zones to load, if that was wanted and there are no errors.
    pub zones: Vec<ZoneToLoad>,
    /// Where their files are.
    pub directory: Option<PathBuf>,
}

/// How to judge.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Whose strictness.
    pub dialect: Dialect,
    /// Whether to say that statements are deprecated.
    pub with_deprecated: bool,
    /// Whether the modules of `plugin` statements must be there.
    pub with_plugins: bool,
    /// Whether zones are to be loaded.
    pub with_zones: bool,
    /// What to show.
    pub wanted: Wanted,
}

/// Reads and checks a named.conf with all that it includes.
pub fn judge(path: &Path, manner: Manner) -> Judgement {
    let arena = Arena::default();
    let (tree, mut said) = parse::file(&arena, path, How { scope: Scope::Top, dialect: manner.dialect });
    let check = if manner.with_plugins { check::check } else { check::check_core };
    said.extend(tree.as_ref().map(check).unwrap_or_default());
    if !manner.with_deprecated {
        said.retain(|fault| !is_deprecation(fault));
    }
    let diagnostics = Diagnostics(said);
    let mut judgement = Judgement { diagnostics, text: String::new(), zones: Vec::new(), directory: None };
    if let Some(tree) = tree.filter(|_| !judgement.diagnostics.has_errors()) {
        judgement.text = show(&tree, manner.wanted);
        judgement.directory = directory(&tree);
        if manner.with_zones {
            judgement.zones = lower::zones_to_load(&tree);
        }
    }
    judgement
}

/// Whether this is about a statement; algorithms that are deprecated are told in any case.
fn is_deprecation(fault: &Diagnostic) -> bool {
    let statement = fault.message.strip_suffix(" is deprecated").filter(|_| fault.severity == Severity::Warning);
    statement.is_some_and(|what| ["option '", "token '", "'type "].iter().any(|start| what.starts_with(start)))
}

fn directory(tree: &Tree<'_>) -> Option<PathBuf> {
    let options = tree.root.find(clause::OPTIONS)?.block()?;
    options.find(clause::DIRECTORY)?.text().map(PathBuf::from)
}

fn show(tree: &Tree<'_>, wanted: Wanted) -> String {
    match wanted {
        Wanted::Verdict => String::new(),
        Wanted::Canonical(secrets) => print::canonical(tree, secrets),
        Wanted::Zones => print::zones(tree),
    }
}
