//! Reading master files (RFC 1035 section 5), at the speed that memory allows.
//!
//! In: a file, the zone's name and class, and what to be strict about. Out: each record, uncompressed, to a [`Sink`];
//! all faults of the file in named's words; and the files read with their times, so that a reload can tell whether any
//! of them changed. A fault never ends the reading: the operator sees every wrong line at once (up to a limit).
//!
//! `window` brings the file in pieces of whole lines, `scan` finds the fields of an entry, `entry` makes records of
//! them, `directive` and `generate` do what starts with a dollar sign. Nothing is allocated per record.

mod batch;
mod directive;
mod entry;
mod fault;
mod generate;
mod heading;
mod parallel;
mod run;
mod scan;
mod signatures;
mod ttl;
mod window;

use std::io;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::SystemTime;

use crate::dns::rdata::{Judgement, NameChecks, Plain};
use crate::dns::text::Tokens;
use crate::dns::{Class, Name, NameBuf, NameRef, Rtype};
use crate::zone::message::{Level, Message, Strictness};
use batch::Batches;
use directive::Unfinished;
use entry::Owner;
use fault::{Fault, Lines, Stop, Voice};
use heading::Recent;
pub use parallel::read_on_threads;
use scan::{Scanner, line_ends};
use signatures::Said;
use ttl::Ttls;
use window::{Opened, Window};

/// Where parsed records go. `rdata` is complete and uncompressed.
pub trait Sink {
    /// Takes one record of the zone.
    fn record(&mut self, owner: NameRef<'_>, rtype: Rtype, ttl: u32, rdata: &[u8]);

    /// Whether no more records are of use; a `$GENERATE` ends then.
    fn is_full(&self) -> bool {
        false
    }

    /// Another owner has come, or the same in another case, in the zone or outside it.
    fn owner(&mut self, _owner: NameRef<'_>) -> Turn {
        Turn::Next
    }

    /// The owner to which [`Turn::Back`] would go.
    fn outer(&self) -> Option<NameRef<'_>> {
        None
    }

    /// Part of the names of owners is written so; the text may have capital letters.
    fn capitals(&mut self, _text: &[u8]) {}

    /// What comes now belongs to nothing that came before: another file begins or ends, or there is much of it.
    fn commit(&mut self) {}

    /// Takes one record of the zone that a `$GENERATE` has made. It belongs to no other.
    fn generated(&mut self, owner: NameRef<'_>, rtype: Rtype, ttl: u32, rdata: &[u8]) {
        self.record(owner, rtype, ttl, rdata);
    }

    /// The `$GENERATE` has ended: what comes now may belong to what came before it.
    fn end_generated(&mut self) {}

    /// Whether the methods from here on are to be called.
    const WANTS_PLACES: bool = false;

    /// Where the record stands that comes next.
    fn place(&mut self, _path: &Path, _line: u64) {}

    /// A file begins, in which the owner so far is inherited.
    fn begin_file(&mut self) {}

    /// It ends.
    fn end_file(&mut self) {}

    /// What came to light since this was asked last.
    fn refused(&mut self) -> Vec<Refused> {
        Vec::new()
    }
}

/// How an owner stands to those before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Turn {
    /// Their records are complete.
    Next,
    /// It is a server's that they name, and does not part them from what comes behind it.
    Server,
    /// It goes on behind those of servers.
    Back,
}

/// An RRset that named does not add.
#[derive(Debug)]
pub struct Refused {
    /// The file and line that named gives for it.
    pub place: (PathBuf, u64),
    /// The owner.
    pub owner: Name,
    /// Why.
    pub reason: String,
    /// What named says of that before.
    pub detail: Option<String>,
}

/// A sink for a file that is read in pieces.
pub trait PieceSink: Sink {
    /// What becomes of the records of a piece.
    type Piece: Send;

    /// Ends a piece. The records that come next belong to another one.
    fn end_piece(&mut self) -> Self::Piece;
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

/// What is asked of the names within record data.
fn name_checks(options: &Options) -> NameChecks {
    let judgement = |strictness| match strictness {
        Strictness::Ignore => Judgement::Ignore,
        Strictness::Warn => Judgement::Remark,
        Strictness::Fail => Judgement::Refuse,
    };
    let (names, addresses) = (judgement(options.check_names), judgement(options.check_mx));
    NameChecks { names, addresses, ..NameChecks::default() }
}

/// A file that went into a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its path as configured or as written behind `$INCLUDE`.
    pub path: Arc<Path>,
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
    /// Whether there are records that named only finds fault with when it adds them, which has been said too early.
    pub is_hasty: bool,
}

/// Reads the master file at `path` with all that it includes.
pub fn read(path: &Path, options: &Options, sink: &mut impl Sink) -> Report {
    Loader::new(options, sink).run(path, Opened::new(path))
}

/// The same for a file of fewer than so many bytes; none: it has more.
pub fn read_below(size: u64, path: &Path, options: &Options, sink: &mut impl Sink) -> Option<Report> {
    let opened = Opened::new(path);
    let is_large = opened.as_ref().is_ok_and(|opened| opened.size() >= size);
    (!is_large).then(|| Loader::new(options, sink).run(path, opened))
}

/// Reads a file of root hints: its records may do without TTLs, and the first fault ends the reading.
pub fn read_hints(path: &Path, options: &Options, sink: &mut impl Sink) -> Report {
    let loader = Loader { are_hints: true, ..Loader::new(options, sink) };
    loader.run(path, Opened::new(path))
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
    batches: Batches,
    recent: Recent,
    /// What has been said and is not said again.
    said: Said,
    /// Whether what comes up to the end of a line is left out.
    skips_line: bool,
    /// Whether there was a `$DATE` in the past.
    has_date: bool,
    checks: NameChecks,
    /// Reads the data that is written plainly.
    plain: Plain,
    /// Whether this is a piece of a file, read without what stands before it.
    is_piece: bool,
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
    /// A directive whose name was wrong.
    unfinished: Option<Unfinished>,
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
            batches: Batches::default(),
            recent: Recent::default(),
            said: Said::default(),
            skips_line: false,
            has_date: false,
            checks: name_checks(options),
            plain: Plain::default(),
            is_piece: false,
            are_hints: false,
        }
    }

    fn run(mut self, path: &Path, opened: io::Result<Opened>) -> Report {
        let outcome = self.file(path, opened, NameBuf::from_name(self.options.apex.as_ref()), Owner::none(), true);
        match outcome {
            Err(fault) if fault.kind() == io::ErrorKind::IsADirectory => drop(self.no_file(path)),
            Err(fault) => drop(self.report.failure.get_or_insert_with(|| read_fault_text(&fault))),
            Ok(()) => {}
        }
        self.report
    }

    /// A path that is no file: BIND opens it, and fails to read the first line.
    fn no_file(&mut self, path: &Path) -> Stop {
        let text = format!("isc_lex_gettoken() failed: {NOT_A_FILE}");
        self.stopped(&Fault::worded(Voice::Load, text, NOT_A_FILE), path, Lines::all(1));
        Fault::silent(NOT_A_FILE)
    }

    /// Reads one file to its end.
    fn file(
        &mut self,
        path: &Path,
        opened: io::Result<Opened>,
        origin: NameBuf,
        owner: Owner,
        is_new_origin: bool,
    ) -> io::Result<()> {
        let opened = opened?;
        let modified = opened.modified();
        let mut window = Window::new(opened)?;
        self.report.sources.push(Source { path: path.into(), modified });
        if S::WANTS_PLACES {
            self.sink.begin_file();
        }
        let mut context = Context { path, origin, is_new_origin, owner, unfinished: None };
        let mut line = 1;
        loop {
            let consumed = self.piece(window.piece(), window.is_last(), &mut line, &mut context);
            if window.is_last() || self.is_over {
                break;
            }
            window.advance(consumed)?;
        }
        if !self.is_over {
            self.end_of_file(window.piece(), context.path);
            if S::WANTS_PLACES {
                self.sink.end_file();
                self.hear();
            }
        }
        Ok(())
    }

    /// Reads the entries of a piece of a file that starts at `line`. Says how many bytes it used up: all, unless the
    /// last entry goes on behind the piece.
    fn piece(&mut self, text: &[u8], is_last: bool, line: &mut u64, context: &mut Context<'_>) -> usize {
        let mut scanner = Scanner::new(text, is_last, *line);
        let mut mark = 0;
        if self.skips_line {
            self.leave_line(&mut scanner, context.path);
            mark = scanner.position();
        }
        while let Some(is_inherited) = scanner.next_record() {
            let said = (self.report.messages.len(), self.report.failure.is_some());
            if let Err(stop) = self.entry(&mut scanner, is_inherited, context) {
                let reached = Tokens::line(&mut scanner);
                let lines = Lines { start: scanner.start_line(), field: scanner.fault_line(), reached };
                self.leave(&stop, &mut scanner, context.path, lines);
            }
            if scanner.is_starved() {
                self.unsay(said);
                *line += line_ends(text.get(..mark).unwrap_or_default());
                return mark;
            }
            if self.is_over {
                break;
            }
            mark = scanner.position();
        }
        *line = scanner.line();
        scanner.position()
    }

    /// A last line that is blank, or a comment behind blanks, and has no end. BIND has no number for it.
    fn end_of_file(&mut self, text: &[u8], path: &Path) {
        let last = text.rsplit(|&byte| byte == b'\n').next().unwrap_or_default();
        let begins_blank = last.first().is_some_and(|first| b" \t".contains(first));
        if begins_blank && last.trim_ascii_start().first().is_none_or(|&byte| byte == b';') {
            self.warn_of_end(path);
        }
    }

    /// Goes behind an entry that was not taken, and says why.
    #[cold]
    fn leave(&mut self, stop: &Stop, scanner: &mut Scanner<'_>, path: &Path, lines: Lines) {
        let says_more = matches!(stop, Stop::Fault(fault) if fault.leaves_fields());
        match stop {
            Stop::Fault(fault) if fault.is_about_rdata() => scanner.skip_data(fault.rest),
            Stop::Fault(_) if says_more => {}
            _ => scanner.skip_record(),
        }
        if scanner.is_starved() {
            return;
        }
        let is_about_start = matches!(stop, Stop::Fault(fault) if fault.is_about_start());
        let field = if is_about_start { lines.reached } else { lines.field };
        self.stopped(stop, path, Lines { field, ..lines });
        let mut is_broken_off = false;
        if says_more {
            is_broken_off = self.leave_fields(scanner, path);
            if scanner.is_starved() {
                return;
            }
        }
        let is_about_field = matches!(stop, Stop::Fault(fault) if fault.is_about_rdata() && !fault.is_about_end());
        if is_about_field && scanner.fault().is_none() && scanner.is_at_open_end() {
            self.warn(path, lines.field, Voice::Plain, NO_NEWLINE);
        }
        let skips_next = matches!(stop, Stop::Fault(fault) if fault.skips_next);
        let is_open = is_broken_off || says_more && !skips_next && scanner.is_at_open_end();
        if is_open || (skips_next && !self.leave_next(scanner, path)) {
            self.break_off(path);
        }
    }

    /// Goes behind the next entry, and finds fault with it as BIND does. False if the file ends before that.
    fn leave_next(&mut self, scanner: &mut Scanner<'_>, path: &Path) -> bool {
        scanner.begin_next();
        let is_there = !scanner.is_at_end_of_file();
        self.leave_fields(scanner, path);
        (is_there && !scanner.is_at_open_end()) || scanner.is_starved()
    }

    /// The file ends while BIND leaves out a line: it goes on with that in the one that includes the file.
    fn break_off(&mut self, path: &Path) {
        self.warn_of_end(path);
        self.skips_line = true;
    }

    /// Goes to the end of the line that is left out.
    #[cold]
    fn leave_line(&mut self, scanner: &mut Scanner<'_>, path: &Path) {
        let said = (self.report.messages.len(), self.report.failure.is_some());
        self.skips_line = false;
        let is_there = !scanner.is_at_end_of_file();
        self.leave_fields(scanner, path);
        if scanner.is_starved() {
            self.unsay(said);
            scanner.rewind();
            self.skips_line = true;
        } else if !is_there || scanner.is_at_open_end() {
            self.break_off(path);
        }
    }

    /// The same where a file was included. What is left of the text at hand is taken for the line at least.
    fn leave_line_behind_include(&mut self, scanner: &mut Scanner<'_>, path: &Path) {
        if self.skips_line && scanner.has_whole_record() {
            self.leave_line(scanner, path);
        }
    }

    /// Goes to the end of an entry, and finds fault with whatever on the way cannot be told apart, as BIND does. True
    /// if the file has ended within parentheses.
    fn leave_fields(&mut self, scanner: &mut Scanner<'_>, path: &Path) -> bool {
        let mut is_broken_off;
        loop {
            is_broken_off = scanner.has_lone_parenthesis() && scanner.is_at_end_of_file();
            scanner.resume();
            scanner.skip_fields();
            let Some(fault) = scanner.fault() else { break };
            let (start, field) = (scanner.fault_line(), Tokens::line(scanner));
            let lines = Lines { start, field, reached: field };
            self.stopped(&Fault::unreadable(fault), path, lines);
        }
        scanner.finish_record();
        is_broken_off
    }

    /// Takes back what an entry has said that will be read again.
    #[cold]
    fn unsay(&mut self, (messages, has_failed): (usize, bool)) {
        self.report.messages.truncate(messages);
        self.report.failure.take_if(|_| !has_failed);
    }

    fn stopped(&mut self, stop: &Stop, path: &Path, lines: Lines) {
        match stop {
            Stop::Starved => {}
            Stop::Fault(fault) => self.fault(fault, path, lines),
            Stop::Fatal(fault) => {
                self.is_over = true;
                self.fault(fault, path, lines);
                self.report.failure = Some(fault.reason.clone());
            }
        }
    }

    /// BIND expects another line, and has reached the end of the file.
    fn warn_of_end(&mut self, path: &Path) {
        let text = format!("{}: {NO_NEWLINE}", path.display());
        self.say(Level::Warning, path, 0, text);
    }

    fn fault(&mut self, fault: &Fault, path: &Path, lines: Lines) {
        for (line, text) in fault.lines(path, lines) {
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

    fn say(&mut self, level: Level, path: &Path, line: u64, mut text: String) {
        while text.len() > MAX_MESSAGE_BYTES {
            text.pop();
        }
        self.report.messages.push(Message::at(level, path, line, text));
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

const NO_NEWLINE: &str = "file does not end with newline";
const NOT_A_FILE: &str = "not a file";
/// The most messages of one load: a file that is something else altogether must not fill the log.
const MAX_MESSAGES: usize = 100_000;
/// The longest message, which is how much BIND logs at a time.
const MAX_MESSAGE_BYTES: usize = 8191;
/// The deepest nesting of `$INCLUDE`. BIND goes on until it runs out of files.
const MAX_INCLUDE_DEPTH: usize = 16;

#[cfg(test)]
mod tests;
