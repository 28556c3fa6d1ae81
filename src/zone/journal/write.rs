//! Appending to a journal: the records, made durable, and only then the header that makes them count.
//!
//! A crash before the header is written leaves a journal that ends where it did. The index is written with the header;
//! it is a help to find serials and never needed. To several journals is appended in the same steps: at each of them
//! the disk is asked by all before it is waited for.
//!
//! What is appended is exact, see `apply`.

use std::collections::BTreeSet;
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
    /// Header and index of the file, which say what counts.
    head: Vec<u8>,
    /// Whether there was no such file.
    is_new: bool,
}

/// Appends to a journal, which is durable when this returns. One that is begun is so before anything is in it.
pub fn append_to<D: Disk>(append: &Append<'_, D>) -> Result<(), JournalError> {
    let (mut writer, base) = Writer::of_append(append)?;
    writer.make_lasting(append.disk)?;
    writer.lay_down(append.transactions, base)?;
    writer.sync()?;
    writer.count()
}

/// Appends to several journals, each of which is durable when this returns, in about the time that one takes.
pub fn append_to_all<D: Disk>(appends: &[Append<'_, D>]) -> Vec<Result<(), JournalError>> {
    let laid = appends.iter().map(|append| Writer::begin_append(append));
    let laid: Vec<_> = laid.collect();
    let synced = laid.into_iter().map(|writer| writer.and_then(Writer::synced));
    let synced: Vec<_> = synced.collect();
    let mut folders = BTreeSet::new();
    let counted = synced.into_iter().zip(appends).map(|(writer, Append { disk, path, .. })| {
        let writer = writer?;
        if writer.is_new && !folders.contains(&path.parent()) {
            writer.sync_names(*disk)?;
            folders.insert(path.parent());
        }
        writer.put_head()?;
        writer.journal.file.begin_sync();
        Ok(writer)
    });
    let counted: Vec<_> = counted.collect();
    counted.into_iter().map(|writer: Result<Writer<_>, _>| writer?.sync_head()).collect()
}

/// What is to be appended to which journal.
#[derive(Debug)]
pub struct Append<'a, D> {
    /// The file system.
    pub disk: &'a D,
    /// The journal.
    pub path: &'a Path,
    /// What the zone's file holds: a journal that does not lead on from that is left alone.
    pub base: Serial,
    /// What is to be appended.
    pub transactions: &'a [Transaction],
}

impl<F: DiskFile> Writer<F> {
    /// Opens a journal, or begins one.
    pub fn open(disk: &impl Disk<File = F>, path: &Path) -> Result<Self, JournalError> {
        let writer = Self::begin(disk, path)?;
        writer.make_lasting(disk)?;
        Ok(writer)
    }

    /// Makes a journal that was begun one that is there after a crash. If it may not be, it is to be begun once more.
    fn make_lasting(&self, disk: &impl Disk<File = F>) -> Result<(), JournalError> {
        let lasting = if self.is_new { self.sync().and_then(|()| self.sync_names(disk)) } else { Ok(()) };
        if lasting.is_err() {
            let _ = disk.remove(&self.journal.path);
        }
        lasting
    }

    /// Writes what is to be appended, and lets the disk begin with it.
    fn begin_append<D: Disk<File = F>>(append: &Append<'_, D>) -> Result<Self, JournalError> {
        let (mut writer, base) = Self::of_append(append)?;
        writer.lay_down(append.transactions, base)?;
        writer.journal.file.begin_sync();
        Ok(writer)
    }

    /// The journal, unless it cannot lead on from the zone's file, and the serial of that if there is more to check.
    fn of_append<D: Disk<File = F>>(append: &Append<'_, D>) -> Result<(Self, Option<Serial>), JournalError> {
        let &Append { disk, path, base, transactions } = append;
        let found = Self::find(disk, path)?;
        let is_begun = found.as_ref().is_some_and(|writer| !writer.journal.is_empty());
        if !is_begun && transactions.first().is_none_or(|first| first.before != base) {
            return Err(JournalError::NoSerial { path: path.to_owned(), serial: base });
        }
        let writer = found.map_or_else(|| Self::create(disk, path), Ok)?;
        Ok((writer, is_begun.then_some(base)))
    }

    /// Opens a journal, or begins one that need not be there after a crash.
    fn begin(disk: &impl Disk<File = F>, path: &Path) -> Result<Self, JournalError> {
        Self::find(disk, path)?.map_or_else(|| Self::create(disk, path), Ok)
    }

    /// Opens a journal, if there is one. An empty file is in the way of the one that is to be begun.
    fn find(disk: &impl Disk<File = F>, path: &Path) -> Result<Option<Self>, JournalError> {
        let file = disk.open(path, Access::Update).map_err(JournalError::file(path));
        match file.and_then(|file| Journal::of(file, path)) {
            Ok(journal) => Ok(Some(Self::of(journal, false))),
            Err(error) if error.is_missing() => {
                let _ = disk.remove(path);
                Ok(None)
            }
            Err(error) => Err(error),
        }
    }

    fn create(disk: &impl Disk<File = F>, path: &Path) -> Result<Self, JournalError> {
        Ok(Self::of(create(disk, path, Form::V2)?, true))
    }

    fn of(journal: Journal<F>, is_new: bool) -> Self {
        let head = head(&journal.header, &journal.index);
        Self { journal, head, is_new }
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
        if transactions.is_empty() {
            return Ok(());
        }
        self.lay_down(transactions, None)?;
        self.sync()?;
        self.count()?;
        self.head = head(&self.journal.header, &self.journal.index);
        Ok(())
    }

    /// Writes transactions behind the last one. They do not count before the header says so. What the zone's file holds
    /// must not be outside of what is there then, if there is anything.
    fn lay_down(&mut self, transactions: &[Transaction], base: Option<Serial>) -> Result<(), JournalError> {
        let Some(last) = transactions.last() else { return Ok(()) };
        let start = self.end();
        let (bytes, places) = self.laid_out(transactions, start)?;
        let end = u32::try_from(start + bytes.len() as u64).ok().filter(|end| *end <= MAX_BYTES);
        let end = end.ok_or_else(|| self.bad(start, Fault::TooLarge))?;
        self.drop_unreachable(last.after)?;
        self.check_base(base)?;
        self.put(&bytes, start)?;
        if let (true, Some(first)) = (self.journal.is_empty(), places.first()) {
            self.journal.header.begin = *first;
        }
        self.journal.header.end = Position { serial: last.after, offset: end };
        places.iter().for_each(|place| add_to_index(&mut self.journal.index, *place));
        Ok(())
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

    /// Whether what is there leads on from this serial, as far as the header tells.
    fn check_base(&self, base: Option<Serial>) -> Result<(), JournalError> {
        let Header { begin, end, .. } = self.journal.header;
        let is_outside = |serial: &Serial| begin.serial.is_newer_than(*serial) || serial.is_newer_than(end.serial);
        match base.filter(is_outside) {
            Some(serial) => Err(JournalError::NoSerial { path: self.journal.path.clone(), serial }),
            None => Ok(()),
        }
    }

    /// Makes what was laid down count.
    fn count(&self) -> Result<(), JournalError> {
        self.put_head()?;
        self.sync_head()
    }

    /// Writes header and index.
    fn put_head(&self) -> Result<(), JournalError> {
        self.or_back(self.put(&head(&self.journal.header, &self.journal.index), 0))
    }

    fn sync_head(&self) -> Result<(), JournalError> {
        self.or_back(self.sync())
    }

    /// Where the disk refused to let what was laid down count, it may count all the same. So what counted before is put
    /// back, as far as the disk takes that.
    fn or_back(&self, counted: Result<(), JournalError>) -> Result<(), JournalError> {
        if counted.is_err() {
            let _ = self.put(&self.head, 0).and_then(|()| self.sync());
        }
        counted
    }

    /// Waits until what was written is on disk.
    fn sync(&self) -> Result<(), JournalError> {
        let file = &self.journal.file;
        let synced = if self.is_new { file.sync() } else { file.sync_data() };
        synced.map_err(JournalError::file(&self.journal.path))
    }

    fn synced(self) -> Result<Self, JournalError> {
        self.sync().map(|()| self)
    }

    fn sync_names(&self, disk: &impl Disk) -> Result<(), JournalError> {
        disk.sync_names(&self.journal.path).map_err(JournalError::file(&self.journal.path))
    }

    fn put(&self, bytes: &[u8], offset: u64) -> Result<(), JournalError> {
        self.journal.file.write_all_at(bytes, offset).map_err(JournalError::file(&self.journal.path))
    }

    fn bad(&self, offset: u64, fault: Fault) -> JournalError {
        JournalError::bad(&self.journal.path, offset, fault)
    }
}

/// A journal without transactions, in a file that was not there, and is not where it cannot be written. The disk is not
/// waited for.
fn create<D: Disk>(disk: &D, path: &Path, form: Form) -> Result<Journal<D::File>, JournalError> {
    let header = Header::new(form);
    let index = vec![Position::NONE; (header.index_end() as usize - HEADER_BYTES) / layout::POSITION_BYTES];
    let write = || -> io::Result<D::File> {
        let file = disk.open(path, Access::New)?;
        let written = file.write_all_at(&head(&header, &index), 0);
        if written.is_err() {
            // The fault that is told is the first one.
            let _ = disk.remove(path);
        }
        written.map(|()| file)
    };
    let file = write().map_err(JournalError::file(path))?;
    Ok(Journal { path: PathBuf::from(path), file, header, index })
}

/// The bytes of header and index.
fn head(header: &Header, index: &[Position]) -> Vec<u8> {
    [header.to_bytes(), layout::index_bytes(index)].concat()
}

/// The most bytes in a journal: named's bound on one transaction and on `max-journal-size`.
const MAX_BYTES: u32 = i32::MAX as u32;
