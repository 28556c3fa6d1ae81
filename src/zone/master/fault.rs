//! What named says of a faulty entry: which of its three prefixes, and the words.

use std::fmt;
use std::path::Path;

use super::scan::{Rest, ScanFault, Scanner};
use crate::dns::rdata::{self, Near, RdataError};

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
    /// Whether BIND has read the end of the line when it finds this out, and so leaves the next line out as well.
    pub(super) skips_next: bool,
    /// What of the record's data BIND has not read by then.
    pub(super) rest: Rest,
}

impl Lines {
    /// All of them the same.
    pub(super) fn all(line: u64) -> Self {
        Self { start: line, field: line, reached: line }
    }
}

/// The lines of an entry that messages are about.
#[derive(Debug, Clone, Copy)]
pub(super) struct Lines {
    /// Where it starts.
    pub(super) start: u64,
    /// Where the field stands that was read last.
    pub(super) field: u64,
    /// Where reading has come to.
    pub(super) reached: u64,
}

/// The part of BIND that a message seems to come from, which is what its line starts with.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Voice {
    /// The reader of entries.
    Load,
    /// What takes fields apart for it.
    Lexer,
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
            Self::Load | Self::Lexer => "dns_master_load: ",
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

impl Fault {
    /// A fault whose message is its reason, which is how most are worded.
    pub(super) fn load(reason: impl Into<String>) -> Stop {
        let reason = reason.into();
        Self::worded(Voice::Load, reason.clone(), reason)
    }

    /// A fault with a message of its own.
    pub(super) fn worded(voice: Voice, text: impl Into<String>, reason: impl Into<String>) -> Stop {
        Stop::Fault(Box::new(Self {
            lines: vec![(voice, text.into())],
            reason: reason.into(),
            skips_next: false,
            rest: Rest::All,
        }))
    }

    /// What comes to light when records are added to the zone.
    pub(super) fn refused(text: String, reason: String) -> Self {
        Self { lines: vec![(Voice::Load, text)], reason, skips_next: false, rest: Rest::All }
    }

    /// Two lines, as BIND says some things twice.
    fn twice(voice: Voice, first: String, second: &str) -> Stop {
        let lines = vec![(voice, first), (Voice::Load, second.to_owned())];
        Stop::Fault(Box::new(Self { lines, reason: second.to_owned(), skips_next: false, rest: Rest::All }))
    }

    /// BIND has read the end of the line by then, and so leaves the next line out as well.
    pub(super) fn skipping_next(mut stop: Stop) -> Stop {
        if let Stop::Fault(fault) = &mut stop {
            fault.skips_next = true;
        }
        stop
    }

    /// BIND has read the entry to its end by then.
    pub(super) fn read_whole(mut stop: Stop) -> Stop {
        if let Stop::Fault(fault) = &mut stop {
            fault.rest = Rest::Nothing;
        }
        stop
    }

    /// Whether quotes that do not end or a lone parenthesis are in the place of the first field of record data.
    pub(super) fn is_about_start(&self) -> bool {
        let has_open_quotes = || self.rest == Rest::Nothing && self.reason == ScanFault::Quotes.to_string();
        self.is_about_rdata() && (self.rest == Rest::Whole || has_open_quotes())
    }

    /// Whether something of the entry is left, other than record data.
    pub(super) fn leaves_fields(&self) -> bool {
        !self.is_about_rdata() && self.rest != Rest::Nothing
    }

    /// Quotes where none may be. BIND goes on behind the first of them.
    pub(super) fn quotes(scanner: &mut Scanner<'_>) -> Stop {
        scanner.reopen_quotes();
        Self::load("syntax error")
    }

    /// What BIND says when it cannot even tell the fields apart.
    pub(super) fn unreadable(fault: ScanFault) -> Stop {
        if fault == ScanFault::Null {
            return Self::load(fault.to_string());
        }
        Self::twice(Voice::Lexer, format!("isc_lex_gettoken() failed: {fault}"), &fault.to_string())
    }

    /// Whether it was found where the file ends.
    pub(super) fn is_about_end(&self) -> bool {
        let is_about_quotes = self.rest == Rest::Nothing && self.reason == UNEXPECTED_END;
        is_about_quotes || self.lines.first().is_some_and(|(_, text)| text.starts_with("near eof"))
    }

    /// Whether it was found in record data.
    pub(super) fn is_about_rdata(&self) -> bool {
        self.lines.first().is_some_and(|(voice, _)| *voice == Voice::Rdata)
    }

    /// A fault that BIND counts but does not print.
    pub(super) fn silent(reason: &str) -> Stop {
        Stop::Fault(Box::new(Self { lines: Vec::new(), reason: reason.to_owned(), skips_next: false, rest: Rest::All }))
    }

    /// The value of a record's TTL is above `max-zone-ttl`. BIND reads no further.
    pub(super) fn long_ttl(ttl: u32, limit: u32) -> Stop {
        let text = format!("TTL {ttl} exceeds configured max-zone-ttl {limit}");
        Self::fatal(Self::twice(Voice::Load, text, "out of range"))
    }

    /// BIND reads no further behind this fault.
    pub(super) fn fatal(stop: Stop) -> Stop {
        match stop {
            Stop::Fault(fault) => Stop::Fatal(fault),
            other => other,
        }
    }

    /// The scanner has no more fields although the entry needs one.
    pub(super) fn missing_field(scanner: &mut Scanner<'_>) -> Stop {
        match scanner.fault() {
            _ if scanner.is_starved() => Stop::Starved,
            Some(ScanFault::Quotes | ScanFault::QuotesAtEnd | ScanFault::Null) => {
                scanner.enter_quotes();
                Self::load("syntax error")
            }
            Some(fault) => Self::unreadable(fault),
            None if scanner.is_at_end_of_file() => {
                Self::twice(Voice::Lexer, "unexpected end of file".into(), UNEXPECTED_END)
            }
            None => Self::skipping_next(Self::twice(Voice::Lexer, "unexpected end of line".into(), UNEXPECTED_END)),
        }
    }

    /// Makes sure that what ended the fields of good record data is the record's end.
    #[inline]
    pub(super) fn check_end(scanner: &Scanner<'_>) -> Result<(), Stop> {
        match scanner.fault() {
            _ if scanner.is_starved() => Err(Stop::Starved),
            Some(fault) => Err(Self::scan(fault, false)),
            None => Ok(()),
        }
    }

    /// Record data that does not parse.
    pub(super) fn rdata(error: &RdataError, scanner: &Scanner<'_>) -> Stop {
        match scanner.fault() {
            _ if scanner.is_starved() => Stop::Starved,
            Some(fault) if error.near != Near::Quotes => Self::scan(fault, error.fault == rdata::Fault::LoneAtStart),
            _ if error.fault == rdata::Fault::Oversized => Self::silent(&error.fault.to_string()),
            _ => Self::at(error, scanner),
        }
    }

    fn at(error: &RdataError, scanner: &Scanner<'_>) -> Stop {
        let is_open = matches!(error.fault, rdata::Fault::OpenQuotes | rdata::Fault::OpenAtStart);
        let ends_open = is_open && scanner.is_at_open_end() && !matches!(error.near, Near::Field(_));
        let mut stop = match (&error.near, ends_open) {
            (Near::End, true) => Self::worded(Voice::Rdata, format!("near eof: {UNEXPECTED_END}"), UNEXPECTED_END),
            (_, true) => Self::worded(Voice::Rdata, UNEXPECTED_END, UNEXPECTED_END),
            (_, false) => Self::worded(Voice::Rdata, near(error, scanner), error.fault.to_string()),
        };
        if let Stop::Fault(fault) = &mut stop {
            fault.rest = match (&error.near, error.fault) {
                (Near::Quotes, rdata::Fault::OpenAtStart | rdata::Fault::NullAtStart) => Rest::Nothing,
                (Near::Quotes, _) => Rest::BehindQuote,
                _ => Rest::All,
            };
        }
        stop
    }

    fn scan(fault: ScanFault, is_at_start: bool) -> Stop {
        let mut stop = Self::worded(Voice::Rdata, fault.to_string(), fault.to_string());
        if let Stop::Fault(fault) = &mut stop
            && is_at_start
        {
            fault.rest = Rest::Whole;
        }
        stop
    }

    /// The finished lines, with the number of the line that each is about.
    pub(super) fn lines<'a>(&'a self, path: &'a Path, lines: Lines) -> impl Iterator<Item = (u64, String)> + 'a {
        self.lines.iter().map(move |(voice, text)| {
            let line = match voice {
                Voice::Rdata => lines.field,
                Voice::Lexer => lines.reached,
                _ => lines.start,
            };
            (line, voice.say(path, line, text))
        })
    }
}

/// The fault with the field that it was met at. At the end of the file BIND says so.
fn near(error: &RdataError, scanner: &Scanner<'_>) -> String {
    match &error.near {
        Near::End if scanner.is_at_end_of_file() => format!("near eof: {}", error.fault),
        _ => error.to_string(),
    }
}

const UNEXPECTED_END: &str = "unexpected end of input";
