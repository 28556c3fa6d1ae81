//! What is said of a transfer: that it is connected, what went wrong, and what it brought. The words are BIND's.

use std::net::SocketAddr;
use std::time::Duration;

use super::{Request, TransferError};
use crate::conf::config::Zone;
use crate::dns::Serial;
use crate::net::exchange::Connection;
use crate::server::journals;
use crate::server::logging::line::{Socket, TransferPrefix, ZonePrefix, relative};
use crate::server::logging::{Category, Severity, log};
use crate::server::worker::unix_now_s;
use crate::transfer::inbound::{Received, Remark, StreamError};
use crate::transfer::standing::LastTransfer;

/// What is said of a transfer at its end.
pub(in crate::server) struct Report {
    pub(super) request: Request,
    pub(super) received: Received,
    pub(super) took: Duration,
    /// The serial of the version that it brought.
    pub(super) serial: Option<Serial>,
}

impl Report {
    /// Whether changes went to the journal that a zone has.
    pub(in crate::server) fn has_journal_of(&self, zone: &Zone) -> bool {
        journals::path(&self.request.zone) == journals::path(zone)
    }

    /// Whether a copy that is written has the form of a zone's.
    pub(in crate::server) fn has_form_of(&self, zone: &Zone) -> bool {
        journals::form(&self.request.zone) == journals::form(zone)
    }

    /// Whether what is kept is where it is looked for now that the working directory has changed so often.
    pub(in crate::server) fn has_directory_of(&self, zone: &Zone, directories: u64) -> bool {
        self.request.directories == directories || !journals::has_relative_path(zone)
    }

    /// From whom it came.
    pub(in crate::server) fn primary(&self) -> SocketAddr {
        self.request.primary.address
    }

    /// What the transfer was like.
    pub(in crate::server) fn facts(&self) -> LastTransfer {
        LastTransfer { ended_s: unix_now_s(), bytes: self.received.bytes, took: self.took }
    }

    /// Says that the version is served.
    pub(in crate::server) fn say_success(&self) {
        let (zone, primary) = (ZonePrefix(self.request.text()), &self.request.primary);
        let key = primary.key.as_ref().map(|key| format!(": TSIG '{}'", relative(key.name.as_ref())));
        let serial = self.serial.unwrap_or(Serial(0));
        log!(Category::XferIn, Severity::Info, "{zone}transferred serial {serial}{}", key.unwrap_or_default());
        self.say("success");
    }

    pub(super) fn say(&self, status: &str) {
        self.request.log_end(status, &self.received, self.took, self.serial);
    }
}

impl Request {
    /// Says that the primary is about to be asked.
    pub(super) fn log_started(&self) {
        log!(Category::XferIn, Severity::Info, "{}Transfer started.", ZonePrefix(self.text()));
    }

    /// Says how it ended, and with what: the serial of the version that it brought, or else was to bring.
    pub(super) fn log_end(&self, status: &str, received: &Received, took: Duration, serial: Option<Serial>) {
        let from = TransferPrefix(self.text(), self.primary.address);
        log!(Category::XferIn, Severity::Info, "{from}Transfer status: {status}");
        let &Received { messages, records, bytes, out_of_zone, .. } = received;
        if out_of_zone > 0 {
            log!(Category::XferIn, Severity::Warning, "{from}{out_of_zone} records outside the zone were left out");
        }
        let took = took.max(Duration::from_millis(1));
        let rate = u128::from(bytes) * 1000 / took.as_millis();
        log!(
            Category::XferIn,
            Severity::Info,
            "{from}Transfer completed: {messages} messages, {records} records, {bytes} bytes, {:.3} secs \
             ({rate} bytes/sec) (serial {})",
            took.as_secs_f64(),
            serial.or(received.serial).unwrap_or(Serial(0)),
        );
    }

    /// Says that the primary has taken the connection.
    pub(super) fn log_connected(&self, connection: &Connection) {
        let from = TransferPrefix(self.text(), self.primary.address);
        let key = self.primary.key.as_ref().map(|key| format!(" TSIG {}", relative(key.name.as_ref())));
        log!(
            Category::XferIn,
            Severity::Info,
            "{from}connected using {}{}",
            Socket(connection.local()),
            key.unwrap_or_default()
        );
    }

    /// Says what there is to say of records that are taken.
    pub(super) fn log_remark(&self, remark: &Remark) {
        match remark {
            Remark::Changes(line) => log!(Category::General, Severity::Warning, "{line}"),
            Remark::Misnamed(name) => {
                log!(Category::General, Severity::Warning, "{}{name}", ZonePrefix(self.text()));
            }
        }
    }

    /// BIND says in a line of its own what is behind some of its reasons.
    pub(super) fn log_fault(&self, error: &TransferError) {
        let from = TransferPrefix(self.text(), self.primary.address);
        match error {
            TransferError::Stream(StreamError::Malformed(flaw))
            | TransferError::Differences { error: StreamError::Malformed(flaw), .. } => {
                log!(Category::XferIn, Severity::Notice, "{from}{flaw}");
            }
            TransferError::Stream(StreamError::WideRrset(wide))
            | TransferError::Differences { error: StreamError::WideRrset(wide), .. } => {
                log!(Category::ZoneLoad, Severity::Error, "{wide}");
            }
            TransferError::Differences { error: StreamError::NotExact(misfit), .. } => {
                log!(Category::General, Severity::Error, "{misfit}");
            }
            TransferError::Stream(StreamError::Misnamed(name))
            | TransferError::Differences { error: StreamError::Misnamed(name), .. } => {
                log!(Category::General, Severity::Error, "{}{name}", ZonePrefix(self.text()));
            }
            TransferError::Stream(StreamError::NoNs) => {
                log!(Category::General, Severity::Error, "{}has no NS records", ZonePrefix(self.text()));
            }
            _ => {}
        }
        log!(Category::XferIn, Severity::Error, "{from}{error}");
    }
}
