//! Reading a journal: where serials are, and the transactions from one of them on.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::layout::{self, HEADER_BYTES, Head, Header, Position};
use super::transaction::LENGTH_BYTES;
use super::{Fault, Form, JournalError, Transaction};
use crate::dns::Serial;
use crate::zone::disk::{Access, Disk, DiskFile};

/// A journal that is open for reading. What is appended meanwhile is not seen.
#[derive(Debug)]
pub struct Journal<F = File> {
    pub(super) path: PathBuf,
    pub(super) file: F,
    pub(super) header: Header,
    pub(super) index: Vec<Position>,
}

/// A transaction as it is in the file.
#[derive(Debug)]
pub struct Entry {
    /// Where its head starts.
    pub offset: u64,
    /// The form of its head.
    pub form: Form,
    /// The records that its head counts; 0 in the old form.
    pub stated_count: u32,
    /// What it says.
    pub transaction: Transaction,
}

impl<F: DiskFile> Journal<F> {
    /// Opens a journal and reads its header and index.
    pub fn open(disk: &impl Disk<File = F>, path: &Path) -> Result<Self, JournalError> {
        let file = disk.open(path, Access::Read).map_err(JournalError::file(path))?;
        Self::of(file, path)
    }

    pub(super) fn of(file: F, path: &Path) -> Result<Self, JournalError> {
        let at_start = |fault| JournalError::bad(path, 0, fault);
        if file.length().map_err(JournalError::file(path))? == 0 {
            return Err(at_start(Fault::Empty));
        }
        let mut bytes = [0; HEADER_BYTES];
        file.read_exact_at(&mut bytes, 0).map_err(|source| short(source, path))?;
        let header = Header::parse(&bytes).map_err(at_start)?;
        // Behind the header, which may tell of what was appended only a moment ago.
        let length = file.length().map_err(JournalError::file(path))?;
        if header.index_end() > length {
            return Err(at_start(Fault::NoHeader));
        }
        header.check(length).map_err(at_start)?;
        let mut index = vec![0; header.index_end() as usize - HEADER_BYTES];
        file.read_exact_at(&mut index, HEADER_BYTES as u64).map_err(JournalError::file(path))?;
        Ok(Self { path: path.to_owned(), file, header, index: layout::parse_index(&index) })
    }

    /// The form of the header.
    pub fn form(&self) -> Form {
        self.header.form
    }

    /// Whether there is no transaction.
    pub fn is_empty(&self) -> bool {
        self.header.is_empty()
    }

    /// The serial that the oldest transaction starts from.
    pub fn first_serial(&self) -> Serial {
        self.header.begin.serial
    }

    /// The serial that the newest transaction leads to.
    pub fn last_serial(&self) -> Serial {
        self.header.end.serial
    }

    /// The serial of the zone that this one is signed from, where the journal has it.
    pub fn source_serial(&self) -> Option<Serial> {
        self.header.source_serial
    }

    /// The size of the index, and the offsets in it.
    pub fn index(&self) -> (u32, impl Iterator<Item = u32>) {
        (self.header.index_size, self.index.iter().take_while(|entry| entry.is_used()).map(|entry| entry.offset))
    }

    /// The transactions that lead from `serial` to the newest, each checked to its last byte.
    pub fn entries(&self, serial: Serial) -> Result<impl Iterator<Item = Result<Entry, JournalError>>, JournalError> {
        let mut place = self.find(serial)?;
        let mut has_failed = false;
        Ok(std::iter::from_fn(move || {
            if has_failed || place == self.header.end {
                return None;
            }
            let entry = self.entry(&mut place);
            has_failed = entry.is_err();
            Some(entry)
        }))
    }

    /// At most so many bytes the transactions from `serial` on take, which is known without reading any.
    pub fn most_bytes_from(&self, serial: Serial) -> u64 {
        u64::from(self.header.end.offset.saturating_sub(self.nearest(serial).offset))
    }

    /// How many bytes the records take in messages, without compression, that lead from one serial to another. Only
    /// the heads of transactions are read, and those of the old form count a few bytes too many.
    pub fn wire_bytes(&self, from: Serial, to: Serial) -> Result<u64, JournalError> {
        let (mut place, mut bytes) = (self.find(from)?, 0);
        while place.serial != to {
            if place == self.header.end {
                return Err(JournalError::NoSerial { path: self.path.clone(), serial: to });
            }
            let head = self.step(&mut place)?;
            bytes += u64::from(head.size).saturating_sub(u64::from(head.count) * LENGTH_BYTES as u64);
        }
        Ok(bytes)
    }

    /// Where the transaction that leads on from `serial` starts; for the newest serial that is the end.
    pub(super) fn find(&self, serial: Serial) -> Result<Position, JournalError> {
        let missing = || JournalError::NoSerial { path: self.path.clone(), serial };
        if self.is_empty() {
            return Err(missing());
        }
        let mut place = self.nearest(serial);
        while place.serial != serial {
            if place == self.header.end || place.serial.is_newer_than(serial) {
                return Err(missing());
            }
            self.step(&mut place)?;
        }
        Ok(place)
    }

    /// The last position that is known without reading transactions and is not behind `serial`.
    fn nearest(&self, serial: Serial) -> Position {
        let Header { begin, end, .. } = self.header;
        if serial == end.serial {
            return end;
        }
        let is_fit = |entry: &&Position| {
            let is_inside = (begin.offset..end.offset).contains(&entry.offset);
            entry.is_used() && is_inside && !entry.serial.is_newer_than(serial)
        };
        self.index.iter().filter(is_fit).max_by_key(|entry| entry.offset).copied().unwrap_or(begin)
    }

    /// Goes one transaction on.
    pub(super) fn step(&self, place: &mut Position) -> Result<Head, JournalError> {
        let head = self.head(*place)?;
        // The head has been found to end within the journal, whose end is 32 bits.
        *place = Position { serial: head.after, offset: place.offset + head.span() as u32 };
        Ok(head)
    }

    fn entry(&self, place: &mut Position) -> Result<Entry, JournalError> {
        let start = u64::from(place.offset);
        let head = self.step(place)?;
        let mut body = vec![0; head.size as usize];
        let body_start = start + head.form.head_bytes() as u64;
        self.file.read_exact_at(&mut body, body_start).map_err(JournalError::file(&self.path))?;
        let bad = |fault| JournalError::bad(&self.path, start, fault);
        let transaction = Transaction::of(body).map_err(bad)?;
        if (transaction.before, transaction.after) != (head.before, head.after) {
            return Err(bad(Fault::Soa));
        }
        if head.form == Form::V2 && head.count != transaction.count() {
            return Err(bad(Fault::Count));
        }
        Ok(Entry { offset: start, form: head.form, stated_count: head.count, transaction })
    }

    /// The head of the transaction at a position. A journal may have been taken over from an older version, and then
    /// the heads of its transactions are of both forms: the one that fits the serials is right.
    fn head(&self, place: Position) -> Result<Head, JournalError> {
        let mut bytes = [0; Form::V2.head_bytes()];
        let start = u64::from(place.offset);
        let bad = |fault| JournalError::bad(&self.path, start, fault);
        self.file.read_exact_at(&mut bytes, start).map_err(|_| bad(Fault::Size))?;
        let expected = Head::parse(self.header.form, &bytes);
        let heads = [expected, Head::parse(self.header.form.other(), &bytes)];
        let Some(head) = heads.into_iter().find(|head| head.leads_on(place.serial)) else {
            return Err(bad(Fault::Serial { expected: place.serial.0, got: expected.before.0 }));
        };
        let end = Position { serial: head.after, offset: u32::try_from(start + head.span()).unwrap_or(u32::MAX) };
        let is_at_end = end.offset == self.header.end.offset;
        match () {
            () if end.offset > self.header.end.offset => Err(bad(Fault::Size)),
            () if is_at_end != (end.serial == self.header.end.serial) => Err(bad(Fault::Offsets)),
            () => Ok(head),
        }
    }
}

fn short(source: io::Error, path: &Path) -> JournalError {
    match source.kind() {
        io::ErrorKind::UnexpectedEof => JournalError::bad(path, 0, Fault::NoHeader),
        _ => JournalError::file(path)(source),
    }
}
