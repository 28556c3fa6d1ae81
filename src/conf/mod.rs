//! Floor 2: configuration text to a checked, typed [`Config`].
//!
//! named.conf is one language; another (nsd.conf) would lower into the same [`Config`]. Nothing above this floor sees
//! configuration text, and nothing here opens a zone file or a socket.

pub mod config;
pub mod diagnostics;
pub mod rndc;
#[allow(dead_code)]
mod table;

use std::path::Path;

pub use config::Config;
pub use diagnostics::{Diagnostic, Diagnostics, Severity};

/// Reads a named.conf and all that it includes. What is worth saying about a configuration that can be used comes
/// with it; errors mean that there is none.
pub fn load(path: &Path) -> Result<(Config, Diagnostics), Diagnostics> {
    Err(unreadable(path))
}

fn unreadable(path: &Path) -> Diagnostics {
    let file = path.display().to_string().into();
    Diagnostics(vec![Diagnostic { severity: Severity::Error, file, line: 0, message: "cannot be read".to_owned() }])
}
