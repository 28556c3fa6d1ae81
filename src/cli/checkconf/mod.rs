//! `named-checkconf`: judges a named.conf, and shows its canonical form, lists its zones or loads them.
//!
//! Flags, words, order and exit codes are those of BIND's program. What is found goes to standard output; what is wrong
//! with the flags, and once more which zones did not load, to standard error.

mod flags;
mod load;

use std::ffi::OsString;
use std::io::Write as _;

use super::output;
use crate::conf::judge;
use crate::server::start::VERSION;
use flags::{Ending, Request};

/// Runs the program on the words behind its name; gives the exit code.
pub fn run(words: &[OsString]) -> u8 {
    match Request::parse(words) {
        Ok(request) => u8::from(!request.carry_out()),
        Err(Ending::Version) => output::answer("named-checkconf", format_args!("{VERSION}\n"), 0, 1),
        Err(Ending::Told { text, code }) => {
            eprintln!("{text}");
            code
        }
    }
}

impl Request {
    /// Whether the configuration is sound, and its zones load if that was asked for.
    fn carry_out(&self) -> bool {
        let judgement = judge(&self.file, self.manner());
        let mut out = std::io::stdout().lock();
        // Nobody may be reading any more, here and below.
        let _ = write!(out, "{}", judgement.diagnostics.shown_on(&std::io::stdout()));
        if judgement.diagnostics.has_errors() {
            return false;
        }
        let have_loaded = load::all(&judgement.zones, judgement.directory.as_deref(), self.with_journals, &mut out);
        if have_loaded {
            let _ = write!(out, "{}", judgement.text);
        }
        have_loaded
    }
}
