//! What the command line of named asks for.

use std::path::PathBuf;

/// How the server is to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartOptions {
    /// `-c`: the configuration file.
    pub config: PathBuf,
    /// `-f` and `-g`: stay in the foreground.
    pub foreground: bool,
    /// `-g`: log to standard error and nowhere else.
    pub log_to_stderr: bool,
    /// `-L`: log to this file in the place of syslog.
    pub log_file: Option<PathBuf>,
    /// `-d`: the debug level.
    pub debug_level: u32,
    /// `-p`: the port, over that of the configuration.
    pub port: Option<u16>,
    /// `-4` and `-6`.
    pub family: Family,
    /// `-u`: the account to run as.
    pub user: Option<String>,
    /// `-t`: the root directory.
    pub chroot: Option<PathBuf>,
    /// `-n`: worker threads; none: one for each CPU.
    pub workers: Option<usize>,
    /// The command line as the log shows it.
    pub command_line: String,
}

/// Which addresses are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPv4 and IPv6.
    Both,
    /// `-4`.
    V4Only,
    /// `-6`.
    V6Only,
}

/// The configuration file of Debian's named.
pub const DEFAULT_CONFIG: &str = "/etc/bind/named.conf";
/// The pid file of Debian's named, where the configuration says nothing.
pub const DEFAULT_PID_FILE: &str = "/run/named/named.pid";
/// The session key of Debian's named, where the configuration says nothing.
pub const DEFAULT_SESSION_KEY: &str = "/run/named/session.key";

/// The version in the form that named prints it: scripts look for `BIND 9`.
pub const VERSION: &str = concat!("nomd ", env!("CARGO_PKG_VERSION"), " (compatible with BIND 9.18.49)");
