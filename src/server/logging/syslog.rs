//! The system's log, through its datagram socket, in the form that syslog(3) gives lines.
//!
//! `<priority>Mon dd hh:mm:ss named[pid]: text`. A line that the socket does not take is dropped, after one attempt to
//! connect again: the log daemon may have been restarted.

use std::os::unix::net::UnixDatagram;
use std::sync::OnceLock;

use jiff::Zoned;

use super::Severity;

/// The socket of the log daemon.
const SOCKET: &str = "/dev/log";
/// What lines are said by. Log rules look for named.
const IDENT: &str = "named";

/// For when the log daemon's socket cannot be reached by its name.
static LASTING: OnceLock<UnixDatagram> = OnceLock::new();

/// A connection to the log daemon.
#[derive(Debug)]
pub struct Syslog {
    facility: u8,
    socket: Option<UnixDatagram>,
}

impl Syslog {
    /// For a facility by its word in named.conf; none for an unknown one.
    pub fn new(facility: &str) -> Option<Self> {
        let facility = FACILITIES.iter().find(|row| row.0.eq_ignore_ascii_case(facility))?.1;
        Some(Self { facility, socket: connect() })
    }

    /// Sends a line.
    pub fn write(&mut self, severity: Severity, text: &str) {
        let now = Zoned::now().strftime("%b %e %H:%M:%S").to_string();
        let datagram = datagram(self.facility, severity, &now, std::process::id(), text);
        for _ in 0..2 {
            if self.socket.as_ref().is_some_and(|socket| socket.send(datagram.as_bytes()).is_ok()) {
                return;
            }
            self.socket = connect();
        }
    }
}

/// Connects in a way that lasts: what `change_root` hides stays connected.
pub fn connect_for_good() {
    if let Some(socket) = open() {
        // Fails only where there is one already.
        let _ = LASTING.set(socket);
    }
}

fn connect() -> Option<UnixDatagram> {
    open().or_else(|| LASTING.get()?.try_clone().ok())
}

fn open() -> Option<UnixDatagram> {
    let socket = UnixDatagram::unbound().ok()?;
    socket.connect(SOCKET).ok()?;
    Some(socket)
}

fn datagram(facility: u8, severity: Severity, time: &str, pid: u32, text: &str) -> String {
    let priority = u32::from(facility) * 8 + level(severity);
    format!("<{priority}>{time} {IDENT}[{pid}]: {text}")
}

/// The number of syslog(3).
fn level(severity: Severity) -> u32 {
    match severity {
        Severity::Critical => 2,
        Severity::Error => 3,
        Severity::Warning => 4,
        Severity::Notice => 5,
        Severity::Info => 6,
        Severity::Debug(_) => 7,
    }
}

const FACILITIES: [(&str, u8); 20] = [
    ("kern", 0),
    ("user", 1),
    ("mail", 2),
    ("daemon", 3),
    ("auth", 4),
    ("syslog", 5),
    ("lpr", 6),
    ("news", 7),
    ("uucp", 8),
    ("cron", 9),
    ("authpriv", 10),
    ("ftp", 11),
    ("local0", 16),
    ("local1", 17),
    ("local2", 18),
    ("local3", 19),
    ("local4", 20),
    ("local5", 21),
    ("local6", 22),
    ("local7", 23),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_datagram_has_priority_time_and_ident() {
        let text = datagram(3, Severity::Info, "Nov  2 01:02:03", 42, "running");
        assert_eq!(text, "<30>Nov  2 01:02:03 named[42]: running");
        assert_eq!(datagram(16, Severity::Error, "t", 1, "x"), "<131>t named[1]: x");
    }

    #[test]
    fn an_unknown_facility_is_refused() {
        assert!(Syslog::new("nosuch").is_none());
    }
}
