//! Standard output, which may have no reader or no room.

use std::fmt::Display;
use std::io::{self, ErrorKind, Write};

use crate::server::control::listener::io_text;

/// Prints. That nobody reads any more is no fault.
pub(super) fn print(text: impl Display) -> io::Result<()> {
    match write_to(&mut io::stdout().lock(), text) {
        Err(error) if error.kind() == ErrorKind::BrokenPipe => Ok(()),
        outcome => outcome,
    }
}

/// Prints and gives `code`; where that is not possible, says so in the name of the program and gives `otherwise`.
pub fn answer(program: &str, text: impl Display, code: u8, otherwise: u8) -> u8 {
    match print(text) {
        Ok(()) => code,
        Err(error) => {
            eprintln!("{program}: cannot write to standard output: {}", io_text(&error));
            otherwise
        }
    }
}

fn write_to(out: &mut impl Write, text: impl Display) -> io::Result<()> {
    write!(out, "{text}")?;
    out.flush()
}
