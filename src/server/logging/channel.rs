//! A channel: which lines it takes, what stands in front of them, where they go.

use std::io::Write as _;
use std::time::SystemTime;

use jiff::Timestamp;
use jiff::tz::TimeZone;

use super::Severity;
use super::file::LogFile;
use super::layer::{Line, dynamic_rank};
use super::syslog::Syslog;
use crate::conf::config::{self, PrintTime};

/// A channel that is open.
#[derive(Debug)]
pub struct Channel {
    /// Its name.
    pub name: String,
    /// The least severe lines that pass.
    pub threshold: Threshold,
    /// What stands in front.
    pub prefix: Prefix,
    /// Where lines go.
    pub sink: Sink,
}

/// Where a channel's lines go.
#[derive(Debug)]
pub enum Sink {
    /// A file.
    File(LogFile),
    /// The system's log.
    Syslog(Syslog),
    /// Standard error.
    Stderr,
    /// Nowhere.
    Null,
}

/// The least severe lines that a channel takes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Threshold {
    /// Up to this rank, whatever the debug level.
    Fixed(i64),
    /// Up to the debug level.
    Dynamic,
    /// Up to the debug level, and nothing at all while that is 0: the default_debug channel.
    OnlyDebugging,
}

impl Threshold {
    /// That of a configured severity.
    pub fn new(severity: config::Severity) -> Self {
        Self::Fixed(match severity {
            config::Severity::Critical => Severity::Critical.rank(),
            config::Severity::Error => Severity::Error.rank(),
            config::Severity::Warning => Severity::Warning.rank(),
            config::Severity::Notice => Severity::Notice.rank(),
            config::Severity::Info => Severity::Info.rank(),
            config::Severity::Debug(level) => i64::from(level),
            config::Severity::Dynamic => return Self::Dynamic,
        })
    }

    /// Whether a line passes at this debug level.
    pub fn takes(self, severity: Severity, debug_level: u32) -> bool {
        severity.rank()
            <= match self {
                Self::Fixed(rank) => rank,
                Self::OnlyDebugging if debug_level == 0 => return false,
                Self::Dynamic | Self::OnlyDebugging => dynamic_rank(debug_level),
            }
    }
}

/// What stands in front of a line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Prefix {
    /// The time, in one of three forms.
    pub time: PrintTime,
    /// The category.
    pub category: bool,
    /// The severity.
    pub severity: bool,
}

impl Prefix {
    /// Nothing.
    pub const NONE: Self = Self { time: PrintTime::No, category: false, severity: false };
    /// Only the local time, as with `named -g`.
    pub const TIME: Self = Self { time: PrintTime::Local, category: false, severity: false };

    /// The line with its prefix, without a line end.
    pub fn format(self, line: &Line) -> String {
        let mut out = self.time(line.time);
        if self.category {
            out.push_str(line.category.name());
            out.push_str(": ");
        }
        if self.severity {
            out.push_str(&line.severity.to_string());
            out.push_str(": ");
        }
        out.push_str(&line.text);
        out
    }

    fn time(self, time: SystemTime) -> String {
        let zone = if self.time == PrintTime::Iso8601Utc { TimeZone::UTC } else { TimeZone::system() };
        let Ok(timestamp) = Timestamp::try_from(time) else { return String::new() };
        let local = timestamp.to_zoned(zone);
        let format = match self.time {
            PrintTime::No => return String::new(),
            PrintTime::Local => "%d-%b-%Y %H:%M:%S%.3f ",
            PrintTime::Iso8601 => "%Y-%m-%dT%H:%M:%S%.3f ",
            PrintTime::Iso8601Utc => "%Y-%m-%dT%H:%M:%S%.3fZ ",
        };
        local.strftime(format).to_string()
    }
}

impl Channel {
    /// Writes a line if it passes.
    pub fn write(&mut self, line: &Line, debug_level: u32) {
        if !self.threshold.takes(line.severity, debug_level) {
            return;
        }
        let mut text = self.prefix.format(line);
        match &mut self.sink {
            Sink::File(file) => file.write(&text),
            Sink::Syslog(syslog) => syslog.write(line.severity, &text),
            Sink::Stderr => {
                text.push('\n');
                // A closed standard error has no better place to complain to.
                let _ = std::io::stderr().lock().write_all(text.as_bytes());
            }
            Sink::Null => {}
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::logging::Category;
    use std::time::{Duration, UNIX_EPOCH};

    fn line(severity: Severity) -> Line {
        // 20 November 2026, 11:38:18.819 UTC.
        let time = UNIX_EPOCH + Duration::from_millis(1_795_174_698_819);
        Line { time, category: Category::XferIn, severity, text: "zone a/IN: text".to_owned() }
    }

    #[test]
    fn prefixes_stand_in_named_s_order() {
        let all = Prefix { time: PrintTime::Iso8601Utc, category: true, severity: true };
        let text = all.format(&line(Severity::Debug(3)));
        assert_eq!(text, "2026-11-20T11:38:18.819Z xfer-in: debug 3: zone a/IN: text");
        assert_eq!(Prefix::NONE.format(&line(Severity::Info)), "zone a/IN: text");
    }

    #[test]
    fn local_time_has_day_month_and_milliseconds() {
        let text = Prefix::TIME.format(&line(Severity::Info));
        let (time, rest) = text.split_at(25);
        assert_eq!(rest, "zone a/IN: text");
        assert!(time.contains("-Nov-2026 ") && time.ends_with(":18.819 "), "{time}");
    }

    #[test]
    fn thresholds_follow_the_debug_level_only_when_told_to() {
        let info = Threshold::new(config::Severity::Info);
        assert!(info.takes(Severity::Info, 9) && !info.takes(Severity::Debug(1), 9));
        assert!(Threshold::Dynamic.takes(Severity::Debug(2), 2) && !Threshold::Dynamic.takes(Severity::Debug(3), 2));
        assert!(Threshold::Dynamic.takes(Severity::Info, 0));
        assert!(!Threshold::OnlyDebugging.takes(Severity::Critical, 0));
    }
}
