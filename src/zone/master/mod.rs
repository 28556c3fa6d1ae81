//! Reading master files (RFC 1035 section 5), at the speed that memory allows.
//!
//! In: a file, the zone's name and class, and what to be strict about. Out: each record, uncompressed, to a [`Sink`];
//! all faults of the file in named's words; and the files read with their times, so that a reload can tell whether any
//! of them changed. A fault never ends the reading: the operator sees every wrong line at once (up to a limit).
//!
//! `window` brings the file in pieces of whole lines, `scan` finds the fields of an entry, `entry` makes records of
//! them, `directive` and `generate` do what starts with a dollar sign. Nothing is allocated per record.

mod directive;
mod entry;
mod fault;
mod generate;
mod heading;
mod hosts;
mod parallel;
mod scan;
mod signatures;
mod ttl;
mod window;

use std::io;
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::dns::{Class, Name, NameBuf, NameRef, Rtype};
use crate::zone::message::{Level, Message, Strictness};
use entry::Owner;
use fault::{Fault, Stop, Voice};
use heading::Recent;
pub use parallel::read_on_threads;
use scan::{Scanner, line_ends};
use signatures::Said;
use ttl::Ttls;
use window::Window;

/// Where parsed records go. `rdata` is complete and uncompressed.
pub trait Sink {
    /// Takes one record of the zone.
    fn record(&mut self, owner: NameRef<'_>, rtype: Rtype, ttl: u32, rdata: &[u8]);

    /// Whether no more records are of use; a `$GENERATE` ends then.
    fn is_full(&self) -> bool {
        false
    }

    /// Whether [`Self::place`] is to be called.
    const WANTS_PLACES: bool = false;

    /// Where the record stands that comes next.
    fn place(&mut self, _path: &Path, _line: u64) {}
}

impl<F: FnMut(NameRef<'_>, Rtype, u32, &[u8])> Sink for F {
    fn record(&mut self, owner: NameRef<'_>, rtype: Rtype, ttl: u32, rdata: &[u8]) {
        self(owner, rtype, ttl, rdata);
    }
}

/// What a master file is read as.
#[derive(Debug, Clone)]
pub struct Options {
    /// The zone's name: the first `$ORIGIN`, and the limit of what belongs to the zone.
    pub apex: Name,
    /// The zone's class; a record of another class is a fault.
    pub class: Class,
    /// `check-names` for this zone.
    pub check_names: Strictness,
    /// `check-mx`, as far as it is about addresses in place of names.
    pub check_mx: Strictness,
    /// The same for name servers; named has no option for it and warns.
    pub check_ns: Strictness,
    /// `check-wildcard`: warn of asterisks that match nothing.
    pub check_wildcard: bool,
    /// `max-zone-ttl` in seconds: a longer TTL is a fault.
    pub max_zone_ttl_s: Option<u32>,
}

/// A file that went into a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its path as configured or as written behind `$INCLUDE`.
    pub path: PathBuf,
    /// Its time of last change, as it was when reading began.
    pub modified: Option<SystemTime>,
}

/// What came of reading a master file.
#[derive(Debug, Default)]
pub struct Report {
    /// Faults and warnings in file order.
    pub messages: Vec<Message>,
    /// The files read, the zone's own first.
    pub sources: Vec<Source>,
    /// Why the zone cannot be used, as named ends `loading from master file F failed: R`; none if it can.
    pub failure: Option<String>,
}

/// Reads the master file at `path` with all that it includes.
pub fn read(path: &Path, options: &Options, sink: &mut impl Sink) -> Report {
    Loader::new(options, sink).run(path)
}

/// Reads a file of root hints: its records may do without TTLs, and the first fault ends the reading.
pub fn read_hints(path: &Path, options: &Options, sink: &mut impl Sink) -> Report {
    let loader = Loader { are_hints: true, ..Loader::new(options, sink) };
    loader.run(path)
}

/// A run over a zone's files: what is the same in all of them.
struct Loader<'o, S> {
    options: &'o Options,
    sink: &'o mut S,
    report: Report,
    ttls: Ttls,
    /// How many files are open around the current one.
    depth: usize,
    /// Set when going on makes no sense: after a fatal fault, or too many.
    is_over: bool,
    /// The data of the current record, reused.
    rdata: Vec<u8>,
    /// The TTLs of the current owner's RRsets, as long as its records stand together.
    rrset_ttls: Vec<(u32, u32)>,
    recent: Recent,
    /// What has been said and is not said again.
    said: Said,
    /// Whether this is a piece of a file, read without what stands before it.
    is_piece: bool,
    /// Whether the last entry was wrong before its data.
    is_heading_faulty: bool,
    /// Whether these are the hints of where the root is.
    are_hints: bool,
}

/// Where in which file the reading is, and what names mean there.
struct Context<'p> {
    path: &'p Path,
    origin: NameBuf,
    owner: Owner,
    /// Whether `$ORIGIN` or an `$INCLUDE` came since the last owner that was written out.
    is_new_origin: bool,
}

impl<'o, S: Sink> Loader<'o, S> {
    fn new(options: &'o Options, sink: &'o mut S) -> Self {
        Self {
            options,
            sink,
            report: Report::default(),
            ttls: Ttls::default(),
            depth: 0,
            is_over: false,
            rdata: Vec::new(),
            rrset_ttls: Vec::new(),
            recent: Recent::default(),
            said: Said::default(),
            is_piece: false,
            is_heading_faulty: false,
            are_hints: false,
        }
    }

    fn run(mut self, path: &Path) -> Report {
        let outcome = self.file(path, NameBuf::from_name(self.options.apex.as_ref()), Owner::none());
        match outcome {
            Err(fault) if fault.kind() == io::ErrorKind::IsADirectory => {
                let text = format!("isc_lex_gettoken() failed: {NOT_A_FILE}");
                self.stopped(Fault::worded(Voice::Load, text, NOT_A_FILE), path, 1);
            }
            Err(fault) => drop(self.report.failure.get_or_insert_with(|| read_fault_text(&fault))),
            Ok(()) => {}
        }
        self.report
    }

    /// Reads one file to its end.
    fn file(&mut self, path: &Path, origin: NameBuf, owner: Owner) -> io::Result<()> {
        let (mut window, modified) = Window::open(path)?;
        self.report.sources.push(Source { path: path.to_owned(), modified });
        let mut context = Context { path, origin, is_new_origin: owner.is_known(), owner };
        let mut line = 1;
        loop {
            let consumed = self.piece(window.piece(), window.is_last(), &mut line, &mut context);
            if window.is_last() || self.is_over {
                break;
            }
            window.advance(consumed)?;
        }
        if !self.is_over {
            self.end_of_file(window.piece(), context.path, line);
        }
        Ok(())
    }

    /// Reads the entries of a piece of a file that starts at `line`. Says how many bytes it used up: all, unless the
    /// last entry goes on behind the piece.
    fn piece(&mut self, text: &[u8], is_last: bool, line: &mut u64, context: &mut Context<'_>) -> usize {
        let mut scanner = Scanner::new(text, is_last, *line);
        let mut mark = 0;
        while let Some(is_inherited) = scanner.next_record() {
            let outcome = self.entry(&mut scanner, is_inherited, context);
            let fault_line = if outcome.is_err() { scanner.fault_line() } else { 0 };
            if outcome.is_err() {
                scanner.skip_record();
            }
            if scanner.is_starved() {
                *line += line_ends(text.get(..mark).unwrap_or_default());
                return mark;
            }
            self.is_heading_faulty = outcome.as_ref().is_err_and(Stop::is_before_data);
            if let Err(stop) = outcome {
                self.stopped(stop, context.path, fault_line);
            }
            if self.is_over {
                break;
            }
            mark = scanner.position();
        }
        *line = scanner.line();
        scanner.position()
    }

    /// A last line without an end is worth a word unless it is a comment; BIND gives its number if it is a record's.
    fn end_of_file(&mut self, text: &[u8], path: &Path, line: u64) {
        let last = text.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
        let is_record = match last.first() {
            None | Some(b';') => return,
            Some(b'$') => false,
            Some(_) => last.trim_ascii_start().first().is_some_and(|&byte| byte != b';'),
        };
        match is_record && !self.is_heading_faulty {
            true => self.warn(path, line, Voice::Plain, UNENDED),
            false => self.say(Level::Warning, path, line, format!("{}: {UNENDED}", path.display())),
        }
    }

    fn stopped(&mut self, stop: Stop, path: &Path, line: u64) {
        match stop {
            Stop::Starved => {}
            Stop::Fault(fault) => self.fault(&fault, path, line),
            Stop::Fatal(fault) => {
                self.is_over = true;
                self.fault(&fault, path, line);
                self.report.failure = Some(fault.reason);
            }
        }
    }

    fn fault(&mut self, fault: &Fault, path: &Path, line: u64) {
        for text in fault.lines(path, line) {
            self.say(Level::Error, path, line, text);
        }
        self.report.failure.get_or_insert_with(|| fault.reason.clone());
        self.is_over |= self.are_hints || self.report.messages.len() >= MAX_MESSAGES;
    }

    fn warn(&mut self, path: &Path, line: u64, voice: Voice, text: impl std::fmt::Display) {
        if self.report.messages.len() < MAX_MESSAGES {
            self.say(Level::Warning, path, line, voice.say(path, line, text));
        }
    }

    fn say(&mut self, level: Level, path: &Path, line: u64, text: String) {
        self.report.messages.push(Message { level, place: Some((path.to_owned(), line)), text });
    }
}

/// What named calls the reasons for which a file cannot be read.
fn read_fault_text(fault: &io::Error) -> String {
    match fault.kind() {
        io::ErrorKind::NotFound => "file not found".into(),
        io::ErrorKind::PermissionDenied => "permission denied".into(),
        io::ErrorKind::IsADirectory => NOT_A_FILE.into(),
        io::ErrorKind::FileTooLarge => "ran out of space".into(),
        _ => fault.to_string(),
    }
}

const UNENDED: &str = "file does not end with newline";
const NOT_A_FILE: &str = "not a file";
/// The most messages of one load: a file that is something else altogether must not fill the log.
const MAX_MESSAGES: usize = 1000;
/// The deepest nesting of `$INCLUDE`. BIND goes on until it runs out of files.
const MAX_INCLUDE_DEPTH: usize = 16;

#[cfg(test)]
mod tests;
