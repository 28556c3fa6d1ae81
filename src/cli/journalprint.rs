//! `named-journalprint` shows the changes in a zone's journal, or writes the journal in another form.
//!
//! Flags, output and exit codes are those of BIND's program, with one difference that is meant: a journal with a fault
//! in it ends in one line that names file and offset, where BIND's skips what it cannot read.

use std::ffi::OsString;
use std::io::{self, BufWriter, Write};
use std::path::{Path, PathBuf};

use super::getopt::{Flag, Flags, number};
use crate::dns::Serial;
use crate::zone::disk::Host;
use crate::zone::journal::{self, Fault, Form, Journal, JournalError, print};

/// Runs the program on the words behind its name; gives the exit code.
pub fn run(words: &[OsString]) -> u8 {
    let request = match Request::parse(words) {
        Ok(request) => request,
        Err(Wrong::Flag(letter)) => {
            let what = if letter == 'c' { "option requires an argument" } else { "illegal option" };
            eprintln!("named-journalprint: {what} -- {letter}\n{USAGE}");
            return 1;
        }
        Err(Wrong::Words) => {
            eprintln!("{USAGE}");
            return 1;
        }
        Err(Wrong::Serial(text)) => {
            eprintln!("invalid serial: {text}");
            return 1;
        }
    };
    u8::from(!request.carry_out())
}

/// What a command line asks for.
#[derive(Debug, PartialEq, Eq)]
struct Request {
    file: PathBuf,
    is_detailed: bool,
    rewrites: Option<Form>,
    compacts: Option<Serial>,
}

/// What is wrong with a command line.
#[derive(Debug, PartialEq, Eq)]
enum Wrong {
    Flag(char),
    Words,
    Serial(String),
}

impl Request {
    fn parse(words: &[OsString]) -> Result<Self, Wrong> {
        let mut flags = Flags::new("c:dux", words);
        let mut request = Self { file: PathBuf::new(), is_detailed: false, rewrites: None, compacts: None };
        for flag in flags.by_ref() {
            match flag {
                Flag::Plain('d') => request.rewrites = Some(Form::V1),
                Flag::Plain('u') => request.rewrites = Some(Form::V2),
                Flag::Plain(_) => request.is_detailed = true,
                Flag::With(_, value) => {
                    let text = value.to_string_lossy();
                    let serial = number(&text).filter(|_| !text.is_empty());
                    let serial = serial.ok_or_else(|| Wrong::Serial(text.into_owned()))?;
                    request.compacts = Some(Serial(serial as u32));
                }
                Flag::Wrong(letter) => return Err(Wrong::Flag(letter)),
            }
        }
        let [file] = flags.rest() else { return Err(Wrong::Words) };
        request.file = file.into();
        Ok(request)
    }

    fn carry_out(&self) -> bool {
        match (self.rewrites, self.compacts) {
            (Some(form), _) => journal::rewrite(&Host, &self.file, form).is_ok(),
            (None, Some(serial)) => journal::compact(&Host, &self.file, serial, 0).is_ok(),
            (None, None) => self.print(),
        }
    }

    fn print(&self) -> bool {
        let journal = match Journal::open(&Host, &self.file) {
            Ok(journal) => journal,
            Err(error) if error.is_missing() => {
                eprintln!("no journal");
                return false;
            }
            Err(error) => {
                eprintln!("{}", not_opened(&error, &self.file));
                return false;
            }
        };
        let mut out = BufWriter::new(io::stdout().lock());
        let printed = print::print(&journal, self.is_detailed, &mut out);
        // Nobody may be reading any more, which is no fault.
        let _ = out.flush();
        if let Err(print::PrintError::Journal(error)) = &printed {
            eprintln!("{error}");
        }
        printed.is_ok()
    }
}

fn not_opened(error: &JournalError, path: &Path) -> String {
    match error {
        JournalError::Bad { fault: Fault::NoHeader | Fault::Empty, .. } => {
            format!("journal open failure: no more: {}", path.display())
        }
        other => other.to_string(),
    }
}

const USAGE: &str = "Usage: named-journalprint [-dux] journal";
