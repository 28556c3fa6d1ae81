//! What named says of a faulty entry: which of its three prefixes, and the words.

use std::fmt;
use std::path::Path;

use super::scan::{ScanFault, Scanner};
use crate::dns::rdata::RdataError;

/// Why an entry of a master file was not taken.
#[derive(Debug)]
pub(super) enum Stop {
    /// The text at hand ends within the entry; nothing was done yet.
    Starved,
    /// The entry is wrong; the next ones are read all the same.
    Fault(Box<Fault>),
    /// The entry is wrong in a way that makes the rest meaningless.
    Fatal(Box<Fault>),
}

/// A wrong entry: the lines to print, without their file and line number, and the result that they come to.
#[derive(Debug)]
pub(super) struct Fault {
    lines: Vec<(Voice, String)>,
    /// What `loading from master file F failed:` ends with if this is the first fault.
    pub(super) reason: String,
}

/// The part of BIND that a message seems to come from, which is what its line starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    /// The reader of entries.
    Load,
    /// The reader of rdata.
    Rdata,
    /// Either of them, where BIND leaves the name out.
    Plain,
    /// The expansion of `$GENERATE`.
    Generate,
}

impl Voice {
    fn prefix(self) -> &'static str {
        match self {
            Self::Load => "dns_master_load: ",
            Self::Rdata => "dns_rdata_fromtext: ",
            Self::Plain => "",
            Self::Generate => "$GENERATE: ",
        }
    }

    /// A whole line.
    pub(super) fn say(self, path: &Path, line: u64, text: impl fmt::Display) -> String {
        format!("{}{}:{line}: {text}", self.prefix(), path.display())
    }
}

impl Stop {
    /// Whether the fault is one of the fields in front of a record's data.
    #[cold]
    pub(super) fn is_before_data(&self) -> bool {
        match self {
            Self::Starved => false,
            Self::Fault(fault) | Self::Fatal(fault) => fault.lines.iter().all(|(voice, _)| *voice != Voice::Rdata),
        }
    }

    /// The same fault, as the expansion of `$GENERATE` words it.
    pub(super) fn said_by_generate(mut self) -> Self {
        if let Self::Fault(fault) = &mut self {
            for (voice, _) in fault.lines.iter_mut().filter(|(voice, _)| *voice == Voice::Plain) {
                *voice = Voice::Generate;
            }
        }
        self
    }
}

impl Fault {
    /// A fault whose message is its reason, which is how most are worded.
    pub(super) fn load(reason: impl Into<String>) -> Stop {
        let reason = reason.into();
        Self::worded(Voice::Load, reason.clone(), reason)
    }

    /// A fault with a message of its own.
    pub(super) fn worded(voice: Voice, text: impl Into<String>, reason: impl Into<String>) -> Stop {
        Stop::Fault(Box::new(Self { lines: vec![(voice, text.into())], reason: reason.into() }))
    }

    /// Two lines, as BIND says some things twice.
    fn twice(first: String, second: &str) -> Stop {
        let lines = vec![(Voice::Load, first), (Voice::Load, second.to_owned())];
        Stop::Fault(Box::new(Self { lines, reason: second.to_owned() }))
    }

    /// A fault that BIND counts but does not print.
    pub(super) fn silent(reason: &str) -> Stop {
        Stop::Fault(Box::new(Self { lines: Vec::new(), reason: reason.to_owned() }))
    }

    /// The value of a record's TTL is above `max-zone-ttl`. BIND reads no further.
    pub(super) fn long_ttl(ttl: u32, limit: u32) -> Stop {
        match Self::twice(format!("TTL {ttl} exceeds configured max-zone-ttl {limit}"), "out of range") {
            Stop::Fault(fault) => Stop::Fatal(fault),
            other => other,
        }
    }

    /// The scanner has no more fields although the entry needs one.
    pub(super) fn missing_field(scanner: &Scanner<'_>) -> Stop {
        match scanner.fault() {
            _ if scanner.is_starved() => Stop::Starved,
            Some(fault) => Self::twice(format!("isc_lex_gettoken() failed: {fault}"), &fault.to_string()),
            None if scanner.is_at_end_of_file() => Self::twice("unexpected end of file".into(), UNEXPECTED_END),
            None => Self::twice("unexpected end of line".into(), UNEXPECTED_END),
        }
    }

    /// Makes sure that what ended the fields of good record data is the record's end.
    #[inline]
    pub(super) fn check_end(scanner: &Scanner<'_>) -> Result<(), Stop> {
        match scanner.fault() {
            _ if scanner.is_starved() => Err(Stop::Starved),
            Some(fault) => Err(Self::scan(fault)),
            None => Ok(()),
        }
    }

    /// Record data that does not parse.
    pub(super) fn rdata(error: &RdataError, scanner: &Scanner<'_>) -> Stop {
        match scanner.fault() {
            _ if scanner.is_starved() => Stop::Starved,
            Some(fault) => Self::scan(fault),
            None => Self::worded(Voice::Rdata, near(error, scanner), error.fault.to_string()),
        }
    }

    fn scan(fault: ScanFault) -> Stop {
        Self::worded(Voice::Rdata, fault.to_string(), fault.to_string())
    }

    /// The finished lines for an entry of `path` at `line`.
    pub(super) fn lines<'a>(&'a self, path: &'a Path, line: u64) -> impl Iterator<Item = String> + 'a {
        self.lines.iter().map(move |(voice, text)| voice.say(path, line, text))
    }
}

/// The fault with the field that it was met at. At the end of the file BIND says so.
fn near(error: &RdataError, scanner: &Scanner<'_>) -> String {
    match &error.near {
        None if scanner.is_at_end_of_file() => format!("near eof: {}", error.fault),
        _ => error.to_string(),
    }
}

const UNEXPECTED_END: &str = "unexpected end of input";
