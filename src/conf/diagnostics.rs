//! What is wrong with a configuration: all of it, not only the first fault.
//!
//! Each diagnostic names its file and line and is printed in the form that BIND gives it, `file:line: message`, so that
//! editors and log rules that know named know nomd.

use std::fmt;
use std::sync::Arc;

/// How much a diagnostic weighs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Severity {
    /// Said for information: accepted, but without effect here.
    Notice,
    /// The configuration is used, but somebody should look.
    Warning,
    /// The configuration is not used.
    Error,
}

/// One thing to say about a configuration.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Diagnostic {
    /// How much it weighs.
    pub severity: Severity,
    /// The file, as it was named in the configuration. Empty: no one file is at fault.
    pub file: Arc<str>,
    /// The line, from 1; 0 where none applies.
    pub line: u32,
    /// The message, in named's words where named has the same one.
    pub message: String,
}

impl fmt::Display for Diagnostic {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.file.is_empty(), self.line) {
            (true, _) => f.write_str(&self.message),
            (false, 0) => write!(f, "{}: {}", self.file, self.message),
            (false, line) => write!(f, "{}:{line}: {}", self.file, self.message),
        }
    }
}

/// All that there is to say about a configuration, in the order in which it was found.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Diagnostics(pub Vec<Diagnostic>);

impl Diagnostics {
    /// Whether one of them is an error.
    pub fn has_errors(&self) -> bool {
        self.0.iter().any(|diagnostic| diagnostic.severity == Severity::Error)
    }

    /// named's word for the outcome as a whole.
    pub fn result(&self) -> &'static str {
        let mut errors = self.iter().filter(|diagnostic| diagnostic.severity == Severity::Error);
        let last = errors.next_back().map_or("", |diagnostic| diagnostic.message.as_str());
        // Only a file that cannot be had and a text that ends early are more than a failure.
        let is_outcome = |result: &&str| last.trim_end().ends_with(*result) && !last.contains("option");
        RESULTS.into_iter().find(is_outcome).unwrap_or("failure")
    }

    /// Each in turn.
    pub fn iter(&self) -> std::slice::Iter<'_, Diagnostic> {
        self.0.iter()
    }
}

const RESULTS: [&str; 4] = ["file not found", "permission denied", "not a file", "unexpected end of input"];

impl<'a> IntoIterator for &'a Diagnostics {
    type Item = &'a Diagnostic;
    type IntoIter = std::slice::Iter<'a, Diagnostic>;

    fn into_iter(self) -> Self::IntoIter {
        self.iter()
    }
}

impl fmt::Display for Diagnostics {
    /// One a line.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        for diagnostic in self {
            writeln!(f, "{diagnostic}")?;
        }
        Ok(())
    }
}

impl std::error::Error for Diagnostics {}
