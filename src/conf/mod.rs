//! Floor 2: configuration text to a checked, typed [`Config`].
//!
//! named.conf is one language; another (nsd.conf) would lower into the same [`Config`]. Nothing above this floor sees
//! configuration text, and nothing here opens a zone file or a socket.

pub mod config;
pub mod diagnostics;
pub mod survey;

mod alike;
mod check;
mod judge;
mod lexer;
mod lower;
#[cfg(test)]
mod manual;
mod parse;
mod parse_address;
mod parse_value;
mod pattern;
mod print;
mod snippet;
mod status;
mod table;
mod tree;
mod value;

use std::path::Path;

pub use config::Config;
pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use judge::{Judgement, Manner, Wanted, judge};
pub use lower::{Content, ZoneToLoad, guards, rndc};
use parse::How;
pub use print::Secrets;
pub use snippet::Explained;
pub use status::{Tolerance, UnknownStatement};
use table::Scope;
use tree::{Arena, Tree};

/// Whose judgement counts of what may stand in a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Dialect {
    /// nomd's own: statements of every generation are read, those that BIND has dropped with a warning.
    #[default]
    Nomd,
    /// As strict as BIND 9.18.
    Bind918,
    /// As strict as BIND 9.20.
    Bind920,
}

/// Reads a named.conf and all that it includes. What is worth saying about a configuration that can be used comes
/// with it; errors mean that there is none.
pub fn load(path: &Path, tolerance: &Tolerance) -> Result<(Config, Diagnostics), Diagnostics> {
    load_as(path, Dialect::Nomd, tolerance)
}

/// The same as strictly as some version of BIND.
pub fn load_as(path: &Path, dialect: Dialect, tolerance: &Tolerance) -> Result<(Config, Diagnostics), Diagnostics> {
    let arena = Arena::default();
    let how = How { scope: Scope::Top, dialect };
    let (tree, faults) = parse::file(&arena, path, how);
    finish(tree.as_ref(), faults, tolerance)
}

/// Checks a tree, if there is one, and lowers it if it is sound.
fn finish(
    tree: Option<&Tree<'_>>,
    mut faults: Vec<Diagnostic>,
    tolerance: &Tolerance,
) -> Result<(Config, Diagnostics), Diagnostics> {
    let Some(tree) = tree else { return Err(Diagnostics(faults)) };
    let checked = Diagnostics(check::check(tree));
    let is_sound = !checked.has_errors();
    faults.extend(checked.0);
    faults.extend(status::review(tree, tolerance));
    if !is_sound {
        return Err(Diagnostics(faults));
    }
    let (config, more) = lower::lower(tree);
    faults.extend(more);
    let faults = Diagnostics(faults);
    if faults.has_errors() { Err(faults) } else { Ok((config, faults)) }
}

#[cfg(test)]
mod tests;
