//! `named-checkzone` judges a zone file; `named-compilezone` also writes it out as text or in the raw format.
//!
//! Flags, words, order and exit codes are those of BIND's programs, which are one program of two names as well; the
//! second is stricter by default. Not done: looking up names outside the zone, which BIND's `-i full` asks DNS for, and
//! applying journals.

mod flags;

use std::ffi::OsString;
use std::fmt::Display;
use std::fs::File;
use std::io::{self, BufWriter, Write};
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use crate::dns::name::NoDot;
use crate::server::start::VERSION;
use crate::zone::load::{self, Loaded};
use crate::zone::{ZoneVersion, check, print, raw};
use flags::{Format, Request};

/// Which of the two programs runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// `named-checkzone`.
    Check,
    /// `named-compilezone`.
    Compile,
}

/// Runs the program on the words behind its name; gives the exit code.
pub fn run(tool: Tool, words: &[OsString]) -> u8 {
    let request = match Request::parse(tool, words) {
        Ok(request) => request,
        Err(fault) => return flags::tell(tool, &fault),
    };
    if request.wants_version {
        println!("{VERSION}");
        return 0;
    }
    u8::from(request.carry_out().is_none())
}

impl Request {
    /// Loads the zone, and writes it where that is asked for. None: something is wrong, and has been told.
    fn carry_out(&self) -> Option<()> {
        let (apex, file) = (NoDot(self.options.apex.as_ref()), self.file.display());
        self.trace(format_args!("loading \"{apex}\" from \"{file}\" class \"{}\"", self.options.class));
        let version = self.load()?;
        if self.writes {
            self.write(&version)?;
        }
        self.say("OK");
        Some(())
    }

    fn load(&self) -> Option<ZoneVersion> {
        if let Some(journal) = self.journal.as_deref().filter(|path| path.exists()) {
            self.say_of_zone(format_args!("journal open failed: {}: not implemented", journal.display()));
            self.say_of_zone("not loaded due to errors.");
            return None;
        }
        let loaded = match self.input {
            Format::Text => load::load(&self.file, &self.options, self.limits, &self.policy),
            Format::Raw(_) => self.load_raw(),
        };
        for message in &loaded.messages {
            match message.place {
                Some(_) => self.say(message),
                None => self.say_of_zone(message),
            }
        }
        if let Some(reason) = &loaded.failure {
            self.say_of_zone(format_args!("loading from master file {} failed: {reason}", self.file.display()));
        }
        match &loaded.version {
            Some(version) => {
                let signed = if version.is_signed() { " (DNSSEC signed)" } else { "" };
                self.say_of_zone(format_args!("loaded serial {}{signed}", version.serial()));
            }
            None => self.say_of_zone("not loaded due to errors."),
        }
        loaded.version
    }

    fn load_raw(&self) -> Loaded {
        let mut loaded = Loaded::default();
        match raw::read(&self.file, &self.options.apex, self.options.class, self.limits) {
            Ok((version, _)) => {
                let verdict = check::primary(&version, &self.policy);
                loaded.messages = verdict.messages;
                loaded.failure = check::conflicts(&version).next().map(|(_, conflict)| conflict.to_string());
                loaded.version = Some(version).filter(|_| !verdict.is_refused && loaded.failure.is_none());
            }
            Err(fault) => {
                if matches!(fault, raw::RawError::NotRaw { .. }) {
                    self.say("dns_master_load: file format mismatch (not raw)");
                }
                loaded.failure = Some(raw_reason(&fault));
            }
        }
        loaded
    }

    fn write(&self, version: &ZoneVersion) -> Option<()> {
        let apex = NoDot(self.options.apex.as_ref());
        match &self.output {
            None => self.trace(format_args!("dumping \"{apex}\"")),
            Some(path) => self.trace(format_args!("dumping \"{apex}\" to \"{}\"", path.display())),
        }
        let announces = self.tool == Tool::Compile && self.output.is_some();
        let begin = |path: &Path| format!("dump zone to {}...", path.display());
        let announced = self.output.as_deref().filter(|_| announces).map(begin);
        let written = match &self.output {
            None => self.dump(version, io::stdout().lock()),
            Some(path) => match File::create(path) {
                Ok(file) => self.dump(version, file),
                Err(fault) => {
                    eprintln!("could not open output file \"{}\" for writing", path.display());
                    Err(fault)
                }
            },
        };
        if let Some(announced) = announced {
            self.say(format_args!("{announced}done"));
        }
        written.ok()
    }

    fn dump(&self, version: &ZoneVersion, out: impl Write) -> io::Result<()> {
        let mut out = BufWriter::new(out);
        match self.output_format {
            Format::Text => print::dump(version, self.style, &mut out)?,
            Format::Raw(form) => {
                let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
                let dumped_at_s = now.as_secs() as u32;
                let header = raw::Header { form, dumped_at_s, source_serial: self.serial, last_transfer_s: None };
                raw::dump(version, &header, &mut out)?;
            }
        }
        out.flush()
    }

    fn say_of_zone(&self, text: impl Display) {
        let apex = NoDot(self.options.apex.as_ref());
        self.say(format_args!("zone {apex}/{}: {text}", self.options.class));
    }

    /// Prints a line where it does not mix with the zone. Nobody may be reading any more, which is no fault.
    fn say(&self, text: impl Display) {
        let _ = match (self.is_quiet, self.writes && self.output.is_none()) {
            (true, _) => Ok(()),
            (_, true) => writeln!(io::stderr(), "{text}"),
            _ => writeln!(io::stdout(), "{text}"),
        };
    }

    /// Tells a step to who asked for that.
    fn trace(&self, text: impl Display) {
        if self.is_verbose {
            eprintln!("{text}");
        }
    }
}

/// What BIND calls the faults of raw files.
fn raw_reason(fault: &raw::RawError) -> String {
    use raw::{RawError, RawFault};
    match fault {
        RawError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => "file not found".to_owned(),
        RawError::Read { source, .. } => source.to_string(),
        RawError::NotRaw { .. } => "not implemented".to_owned(),
        RawError::Bad { fault: RawFault::Truncated, .. } => "end of file".to_owned(),
        RawError::Bad { fault, .. } => fault.to_string(),
        RawError::Contents { source, .. } => source.to_string(),
    }
}
