//! The two long replies, `status` and `zonestatus`, laid out as named 9.18 lays them out.
//!
//! Scripts look for single lines of them (`server is up and running`, `number of zones: N`), so that order and wording
//! are fixed. Dates are RFC 1123 in GMT.

use std::fmt;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;

/// What `status` shows.
#[derive(Debug, Clone)]
pub struct Status {
    /// The version, as `named -v` prints it; the configured `version` text follows in parentheses if any.
    pub version: String,
    /// The configured `version` text.
    pub version_text: Option<String>,
    /// Name of the host.
    pub hostname: String,
    /// System, machine, release and build, as uname gives them.
    pub system: String,
    /// When the process started.
    pub booted: SystemTime,
    /// When a configuration was last read with success.
    pub configured: SystemTime,
    /// Its file.
    pub configuration_file: String,
    /// CPUs of the host.
    pub cpus: usize,
    /// Threads that answer.
    pub workers: usize,
    /// UDP sockets per address.
    pub listeners: usize,
    /// Zones of all views, as named counts them.
    pub zones: usize,
    /// The debug level.
    pub debug_level: u32,
    /// Transfers in that run; named leaves those out aside.
    pub transfers_running: usize,
    /// Transfers that wait for their turn.
    pub transfers_deferred: usize,
    /// SOA queries on their way.
    pub soa_queries: usize,
    /// Whether queries are logged.
    pub query_log: bool,
    /// TCP connections open, and the most there may be.
    pub tcp_clients: (usize, u32),
    /// The most that were ever open.
    pub tcp_high_water: usize,
    /// Whether a reload runs, or how the last one ended.
    pub reload: Reload,
}

/// How reloading stands.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Reload {
    /// The last one went well, or there was none.
    Idle,
    /// One runs.
    Running,
    /// The last one failed; the configuration before it is in force.
    Failed,
}

impl fmt::Display for Status {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "version: {}", self.version)?;
        if let Some(text) = &self.version_text {
            write!(f, " ({text})")?;
        }
        writeln!(f, "\nrunning on {}: {}", self.hostname, self.system)?;
        writeln!(f, "boot time: {}", http_date(self.booted))?;
        writeln!(f, "last configured: {}", http_date(self.configured))?;
        writeln!(f, "configuration file: {}", self.configuration_file)?;
        writeln!(f, "CPUs found: {}", self.cpus)?;
        writeln!(f, "worker threads: {}", self.workers)?;
        writeln!(f, "UDP listeners per interface: {}", self.listeners)?;
        writeln!(f, "number of zones: {} (0 automatic)", self.zones)?;
        writeln!(f, "debug level: {}", self.debug_level)?;
        writeln!(f, "xfers running: {}", self.transfers_running)?;
        writeln!(f, "xfers deferred: {}", self.transfers_deferred)?;
        writeln!(f, "soa queries in progress: {}", self.soa_queries)?;
        writeln!(f, "query logging is {}", if self.query_log { "ON" } else { "OFF" })?;
        // There is no recursion; the figures are those of a named with recursion no.
        writeln!(f, "recursive clients: 0/900/1000")?;
        writeln!(f, "tcp clients: {}/{}", self.tcp_clients.0, self.tcp_clients.1)?;
        writeln!(f, "TCP high-water: {}", self.tcp_high_water)?;
        match self.reload {
            Reload::Idle => {}
            Reload::Running => writeln!(f, "reload/reconfig in progress")?,
            Reload::Failed => writeln!(f, "reload/reconfig failed")?,
        }
        write!(f, "server is up and running")
    }
}

/// What `zonestatus` shows of a zone that is loaded.
#[derive(Debug, Clone)]
pub struct ZoneStatus {
    /// The apex, without its last dot.
    pub name: String,
    /// `primary` or `secondary`.
    pub role: &'static str,
    /// Its master file and what that includes.
    pub files: Vec<String>,
    /// The SOA serial.
    pub serial: u32,
    /// Names that own something.
    pub nodes: usize,
    /// When this version was loaded or transferred.
    pub loaded: Option<SystemTime>,
    /// When its primaries are asked next, for a secondary.
    pub next_refresh: Option<SystemTime>,
    /// When it expires, for a secondary.
    pub expires: Option<SystemTime>,
    /// Whether it is signed.
    pub secure: bool,
    /// Whether it takes updates.
    pub dynamic: bool,
    /// Whether it takes none for a while.
    pub frozen: bool,
    /// Whether it was added at run time.
    pub is_added: bool,
}

impl fmt::Display for ZoneStatus {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let yes = |is: bool| if is { "yes" } else { "no" };
        writeln!(f, "name: {}", self.name)?;
        writeln!(f, "type: {}", self.role)?;
        if !self.files.is_empty() {
            writeln!(f, "files: {}", self.files.join(", "))?;
        }
        writeln!(f, "serial: {}", self.serial)?;
        writeln!(f, "nodes: {}", self.nodes)?;
        if let Some(time) = self.loaded {
            writeln!(f, "last loaded: {}", http_date(time))?;
        }
        if let Some(time) = self.next_refresh {
            writeln!(f, "next refresh: {}", http_date(time))?;
        }
        if let Some(time) = self.expires {
            writeln!(f, "expires: {}", http_date(time))?;
        }
        writeln!(f, "secure: {}", yes(self.secure))?;
        writeln!(f, "dynamic: {}", yes(self.dynamic))?;
        if self.dynamic {
            writeln!(f, "frozen: {}", yes(self.frozen))?;
        }
        write!(f, "reconfigurable via modzone: {}", yes(self.is_added))
    }
}

/// `Sat, 21 Nov 2026 02:39:05 GMT`.
pub fn http_date(time: SystemTime) -> String {
    let Ok(timestamp) = Timestamp::try_from(time) else { return String::new() };
    timestamp.to_zoned(TimeZone::UTC).strftime("%a, %d %b %Y %H:%M:%S GMT").to_string()
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::time::{Duration, UNIX_EPOCH};

    #[test]
    fn a_secondary_shows_its_timers() {
        let time = UNIX_EPOCH + Duration::from_secs(1_795_228_745);
        let status = ZoneStatus {
            name: "example.com".to_owned(),
            role: "secondary",
            files: vec!["exs.zone".to_owned()],
            serial: 1,
            nodes: 2,
            loaded: Some(time),
            next_refresh: Some(time),
            expires: Some(time),
            secure: false,
            dynamic: false,
            frozen: false,
            is_added: false,
        };
        let expected = "name: example.com\ntype: secondary\nfiles: exs.zone\nserial: 1\nnodes: 2\n\
            last loaded: Sat, 21 Nov 2026 02:39:05 GMT\nnext refresh: Sat, 21 Nov 2026 02:39:05 GMT\n\
            expires: Sat, 21 Nov 2026 02:39:05 GMT\nsecure: no\ndynamic: no\nreconfigurable via modzone: no";
        assert_eq!(status.to_string(), expected);
    }
}
