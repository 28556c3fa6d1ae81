//! Appending to a journal: the records, made durable, and only then the header that makes them count.
//!
//! A crash before the header is written leaves a journal that ends where it did. The index is written with the header;
//! it is a help to find serials and never needed.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::layout::{self, HEADER_BYTES, Head, Header, Position, add_to_index};
use super::{Fault, Form, Journal, JournalError, Transaction};
use crate::dns::Serial;
use crate::zone::disk::{Access, Disk, DiskFile};

/// A journal that is open for writing.
#[derive(Debug)]
pub struct Writer<F = File> {
    journal: Journal<F>,
}

impl<F: DiskFile> Writer<F> {
    /// Opens a journal, or begins one.
    pub fn open(disk: &impl Disk<File = F>, path: &Path) -> Result<Self, JournalError> {
        let journal = match disk.open(path, Access::Update) {
            Ok(file) => Journal::of(file, path)?,
            Err(fault) if fault.kind() == io::ErrorKind::NotFound => create(disk, path, Form::V2)?,
            Err(fault) => return Err(JournalError::file(path)(fault)),
        };
        Ok(Self { journal })
    }

    /// The serial that the next transaction has to start from; none while there is no transaction.
    pub fn last_serial(&self) -> Option<Serial> {
        Some(self.journal.last_serial()).filter(|_| !self.journal.is_empty())
    }

    /// Appends a transaction, which is durable when this returns.
    pub fn append(&mut self, transaction: &Transaction) -> Result<(), JournalError> {
        self.append_all(std::slice::from_ref(transaction))
    }

    /// Appends transactions, all of which or none are in the journal after a crash, and durable when this returns.
    pub fn append_all(&mut self, transactions: &[Transaction]) -> Result<(), JournalError> {
        let Some(last) = transactions.last() else { return Ok(()) };
        let start = self.end();
        let (bytes, places) = self.laid_out(transactions, start)?;
        let end = u32::try_from(start + bytes.len() as u64).ok().filter(|end| *end <= MAX_BYTES);
        let end = end.ok_or_else(|| self.bad(start, Fault::TooLarge))?;
        self.drop_unreachable(last.after)?;
        self.put(&bytes, start)?;
        self.journal.file.sync_data().map_err(JournalError::file(&self.journal.path))?;
        if let (true, Some(first)) = (self.journal.is_empty(), places.first()) {
            self.journal.header.begin = *first;
        }
        self.journal.header.end = Position { serial: last.after, offset: end };
        places.iter().for_each(|place| add_to_index(&mut self.journal.index, *place));
        self.commit()
    }

    /// Where the next transaction goes.
    fn end(&self) -> u64 {
        let header = &self.journal.header;
        if header.is_empty() { header.index_end() } else { u64::from(header.end.offset) }
    }

    /// The bytes of transactions, and where each of them starts.
    fn laid_out(&self, transactions: &[Transaction], start: u64) -> Result<(Vec<u8>, Vec<Position>), JournalError> {
        let mut expected = self.last_serial();
        let (mut bytes, mut places) = (Vec::new(), Vec::with_capacity(transactions.len()));
        for transaction in transactions {
            let offset = start + bytes.len() as u64;
            let Transaction { before, after, .. } = *transaction;
            if let Some(expected) = expected.filter(|expected| *expected != before) {
                return Err(self.bad(offset, Fault::Serial { expected: expected.0, got: before.0 }));
            }
            expected = Some(after);
            let fits = |number: u64| u32::try_from(number).map_err(|_| self.bad(start, Fault::TooLarge));
            let size = fits(transaction.as_bytes().len() as u64)?;
            places.push(Position { serial: before, offset: fits(offset)? });
            Head { form: Form::V2, size, count: transaction.count(), before, after }.write(&mut bytes);
            bytes.extend_from_slice(transaction.as_bytes());
        }
        Ok((bytes, places))
    }

    /// Steps over what is too old to be compared with the serial that is to come, as named does.
    fn drop_unreachable(&mut self, after: Serial) -> Result<(), JournalError> {
        if self.journal.is_empty() {
            return Ok(());
        }
        while !after.is_newer_than(self.journal.header.begin.serial) {
            let mut begin = self.journal.header.begin;
            self.journal.step(&mut begin)?;
            self.journal.header.begin = begin;
        }
        let is_old = |entry: &&mut Position| !after.is_newer_than(entry.serial);
        self.journal.index.iter_mut().filter(is_old).for_each(|entry| *entry = Position::NONE);
        Ok(())
    }

    /// Writes header and index, and waits until they are on disk.
    pub(super) fn commit(&self) -> Result<(), JournalError> {
        let mut bytes = self.journal.header.to_bytes();
        bytes.extend_from_slice(&layout::index_bytes(&self.journal.index));
        self.put(&bytes, 0)?;
        self.journal.file.sync_data().map_err(JournalError::file(&self.journal.path))
    }

    fn put(&self, bytes: &[u8], offset: u64) -> Result<(), JournalError> {
        self.journal.file.write_all_at(bytes, offset).map_err(JournalError::file(&self.journal.path))
    }

    fn bad(&self, offset: u64, fault: Fault) -> JournalError {
        JournalError::bad(&self.journal.path, offset, fault)
    }
}

/// A journal without transactions, in a file that was not there.
fn create<D: Disk>(disk: &D, path: &Path, form: Form) -> Result<Journal<D::File>, JournalError> {
    let header = Header::new(form);
    let index = vec![Position::NONE; (header.index_end() as usize - HEADER_BYTES) / layout::POSITION_BYTES];
    let write = || -> io::Result<D::File> {
        let file = disk.open(path, Access::New)?;
        file.write_all_at(&[header.to_bytes(), layout::index_bytes(&index)].concat(), 0)?;
        file.sync()?;
        disk.sync_names(path)?;
        Ok(file)
    };
    let file = write().map_err(JournalError::file(path))?;
    Ok(Journal { path: PathBuf::from(path), file, header, index })
}

/// The most bytes in a journal: named's bound on one transaction and on `max-journal-size`.
const MAX_BYTES: u32 = i32::MAX as u32;
