//! Journals: what changed from one serial of a zone to the next, in named's `.jnl` files.
//!
//! A file is a header, an index of where some of the transactions start, and the transactions; `layout` has the first
//! two, [`transaction`] the third. Version 9.2 is written as named writes it, but for four bytes of the header that are
//! our own; version 9 is read, and a file may hold transactions of both. What stands behind the end that the header
//! names was never committed. Reading is strict: a length, serial or record that lies makes the whole file unusable,
//! and the error names file and offset.

mod apply;
mod compact;
mod condense;
mod layout;
pub mod print;
mod read;
mod replay;
#[cfg(test)]
mod tests;
pub mod transaction;
mod write;

use std::io;
use std::path::{Path, PathBuf};

pub use apply::{ChangeError, Misfit};
pub use compact::{compact, rewrite};
pub use layout::Form;
pub use read::{Entry, Journal};
pub use replay::{Followed, ReplayError, follow, replay};
pub use transaction::{Change, Changes, Transaction};
pub use write::{Append, Writer, append_to, append_to_all};

use crate::dns::Serial;

/// What is wrong with a journal.
#[derive(Debug, thiserror::Error)]
pub enum JournalError {
    /// The file could not be opened, read or written.
    #[error("{path}: {source}")]
    File {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file contradicts itself.
    #[error("{path}: offset {offset}: {fault}")]
    Bad {
        /// The file.
        path: PathBuf,
        /// Where the faulty header or transaction starts.
        offset: u64,
        /// What is wrong with it.
        fault: Fault,
    },
    /// No transaction of the journal starts at this serial.
    #[error("{path}: serial {serial} is not in the journal")]
    NoSerial {
        /// The file.
        path: PathBuf,
        /// The serial.
        serial: Serial,
    },
}

/// What is wrong within a journal, or with what should go into one.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// The file is empty, as a crash leaves one that was created a moment ago.
    #[error("no more")]
    Empty,
    /// The file is shorter than its header.
    #[error("no more")]
    NoHeader,
    /// The file does not start as journals do.
    #[error("journal format not recognized")]
    Format,
    /// The header names places outside the file, or in the wrong order.
    #[error("bad offsets in header")]
    Offsets,
    /// A transaction starts at another serial than the one before it ended at, or does not lead to a later one.
    #[error("journal file corrupt: expected serial {expected}, got {got}")]
    Serial {
        /// The serial that the transaction should start at.
        expected: u32,
        /// The one that it has.
        got: u32,
    },
    /// A transaction is longer than the journal, or shorter than two SOA records.
    #[error("bad size of transaction")]
    Size,
    /// A record is cut short, has a name that is none or data that is not of its type.
    #[error("bad record")]
    Record,
    /// A transaction has not as many records as it says.
    #[error("bad record count")]
    Count,
    /// There are not two SOA records, of the serials before and after, in their places.
    #[error("malformed transaction: bad SOA records")]
    Soa,
    /// The journal would become larger than its offsets can say.
    #[error("transaction too big to be stored in journal")]
    TooLarge,
}

impl JournalError {
    fn file(path: &Path) -> impl Fn(io::Error) -> Self + '_ {
        |source| Self::File { path: path.to_owned(), source }
    }

    fn bad(path: &Path, offset: u64, fault: Fault) -> Self {
        Self::Bad { path: path.to_owned(), offset, fault }
    }

    /// Whether there is no such file, or nothing in it, which for most is no error.
    pub fn is_missing(&self) -> bool {
        match self {
            Self::File { source, .. } => source.kind() == io::ErrorKind::NotFound,
            Self::Bad { fault, .. } => *fault == Fault::Empty,
            Self::NoSerial { .. } => false,
        }
    }
}
