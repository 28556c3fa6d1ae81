//! Floor 2: configuration text to a checked, typed [`Config`].
//!
//! named.conf is one language; another (nsd.conf) would lower into the same [`Config`]. Nothing above this floor sees
//! configuration text, and nothing here opens a zone file or a socket.

pub mod config;
pub mod diagnostics;
pub mod rndc;
pub mod survey;

mod check;
mod lexer;
mod lower;
mod parse;
mod parse_value;
mod pattern;
mod status;
mod table;
mod tree;
mod value;

use std::path::Path;

pub use config::Config;
pub use diagnostics::{Diagnostic, Diagnostics, Severity};
pub use status::{Tolerance, UnknownStatement};

/// Reads a named.conf and all that it includes. What is worth saying about a configuration that can be used comes
/// with it; errors mean that there is none.
pub fn load(path: &Path, tolerance: &Tolerance) -> Result<(Config, Diagnostics), Diagnostics> {
    let (tree, faults) = parse::file(path, table::Scope::Top);
    finish(tree.as_ref(), faults, tolerance)
}

/// Checks a tree, if there is one, and lowers it if it is sound.
fn finish(
    tree: Option<&tree::Tree>,
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
