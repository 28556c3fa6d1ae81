//! Where log lines go.

use std::path::PathBuf;

/// `logging`.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Logging {
    /// Declared channels, beside the built-in default_syslog, default_debug, default_stderr and null.
    pub channels: Vec<Channel>,
    /// Categories that were given channels: name in lower case, channel names.
    pub categories: Vec<(String, Vec<String>)>,
}

/// A logging channel.
#[derive(Debug, Clone, PartialEq)]
pub struct Channel {
    /// Its name.
    pub name: String,
    /// Where lines go.
    pub to: Destination,
    /// The least severe lines that pass.
    pub severity: Severity,
    /// What stands in front of a line.
    pub print_time: PrintTime,
    /// `print-category`.
    pub print_category: bool,
    /// `print-severity`.
    pub print_severity: bool,
    /// `buffered`.
    pub buffered: bool,
}

/// Where a channel's lines go.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Destination {
    /// A file.
    File {
        /// Its path, relative to `directory`.
        path: PathBuf,
        /// How many old versions are kept: none means that it is never rolled, `u32::MAX` that all are kept.
        versions: Option<u32>,
        /// Rolled, or with no versions closed, at this size in bytes.
        size: Option<u64>,
        /// `suffix timestamp`.
        timestamp_suffix: bool,
    },
    /// syslog with this facility's name.
    Syslog(String),
    /// Standard error.
    Stderr,
    /// Nowhere.
    Null,
}

/// A channel's threshold.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the words of named.conf
pub enum Severity {
    Critical,
    Error,
    Warning,
    Notice,
    Info,
    /// `debug N`: always up to this level.
    Debug(u32),
    /// Follows the server's debug level.
    Dynamic,
}

/// `print-time`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the words of named.conf
pub enum PrintTime {
    No,
    Local,
    Iso8601,
    Iso8601Utc,
}
