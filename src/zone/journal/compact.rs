//! Making a journal shorter, or of another form: what is kept goes into a new file that takes the place of the old one.
//!
//! Which transactions are kept is named's choice: those that the zone file does not have yet, and of the others about
//! as many as fill half of the size that is asked for.

use std::ffi::OsStr;
use std::io::{self, BufWriter, Write};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::layout::{self, Head, Header, POSITION_BYTES, Position, add_to_index};
use super::{Form, Journal, JournalError};
use crate::dns::Serial;
use crate::zone::disk::{Access, Disk, DiskFile};

/// Makes a journal no larger than `target_bytes`, as far as it can be without what leads on from `serial`, which is
/// what the zone file holds. A journal of the old form is always written anew.
pub fn compact(disk: &impl Disk, path: &Path, serial: Serial, target_bytes: u32) -> Result<(), JournalError> {
    let journal = Journal::open(disk, path)?;
    if journal.is_empty() {
        return Ok(());
    }
    let Header { begin, end, form, .. } = journal.header;
    if begin.serial.is_newer_than(serial) || serial.is_newer_than(end.serial) {
        return Err(JournalError::NoSerial { path: path.to_owned(), serial });
    }
    let index_end = journal.header.index_end() as u32;
    let target_bytes = target_bytes.max(MIN_BYTES);
    let target_bytes = if target_bytes < index_end * 2 { target_bytes / 2 + index_end } else { target_bytes };
    if form == Form::V2 && end.offset < target_bytes {
        return Ok(());
    }
    let start = journal.first_kept(serial, target_bytes.saturating_sub(index_end) / 2)?;
    journal.rewrite_from(disk, start, Form::V2)
}

/// Writes a whole journal anew in this form.
pub fn rewrite(disk: &impl Disk, path: &Path, form: Form) -> Result<(), JournalError> {
    let journal = Journal::open(disk, path)?;
    if journal.is_empty() { Ok(()) } else { journal.rewrite_from(disk, journal.header.begin, form) }
}

impl<F: DiskFile> Journal<F> {
    /// The first transaction to be kept if about `wanted` bytes may be.
    fn first_kept(&self, serial: Serial, wanted: u32) -> Result<Position, JournalError> {
        let end = self.header.end;
        let is_kept = |place: &Position, best: Position| {
            !place.serial.is_newer_than(serial)
                && end.offset.saturating_sub(place.offset) >= wanted
                && place.offset > best.offset
        };
        let mut best = self.header.begin;
        for place in self.index.iter().filter(|place| place.is_used()) {
            if is_kept(place, best) {
                best = *place;
            }
        }
        let mut next = best;
        while next.serial != serial {
            self.step(&mut next)?;
            if next.serial == end.serial || !is_kept(&next, best) {
                break;
            }
            best = next;
        }
        if best.serial != serial {
            self.step(&mut best)?;
        }
        Ok(best)
    }

    fn rewrite_from(&self, disk: &impl Disk, start: Position, form: Form) -> Result<(), JournalError> {
        let beside = beside(&self.path);
        let written = self
            .copy_to(disk, &beside, start, form)
            .and_then(|()| disk.rename(&beside, &self.path).map_err(JournalError::file(&self.path)));
        if written.is_err() {
            // The fault that is told is the first one.
            let _ = disk.remove(&beside);
            return written;
        }
        // What is appended from now on must not be to a file that a crash puts the old one in the place of.
        disk.sync_names(&self.path).map_err(JournalError::file(&self.path))
    }

    fn copy_to(&self, disk: &impl Disk, beside: &Path, start: Position, form: Form) -> Result<(), JournalError> {
        let file = disk.open(beside, Access::Replace).map_err(JournalError::file(beside))?;
        let mut copy = Copy::new(self, BufWriter::new(file), beside.to_owned(), form);
        copy.put(&vec![0; copy.offset as usize])?;
        copy.header.begin = Position { serial: start.serial, offset: copy.offset };
        let mut place = start;
        while place != self.header.end {
            copy.transaction(self, &mut place)?;
        }
        copy.finish(|| disk.set_modified(beside, disk.modified(&self.path)?))
    }
}

/// Where the new file is written. As with named only `.jnl` gives way: other journals may differ from this one in what
/// looks like an extension alone.
fn beside(path: &Path) -> PathBuf {
    let bytes = path.as_os_str().as_bytes();
    let stem = bytes.strip_suffix(b".jnl").filter(|stem| !stem.is_empty()).unwrap_or(bytes);
    let mut name = OsStr::from_bytes(stem).to_owned();
    name.push(".jnw");
    name.into()
}

/// A journal in the making, out of another one.
struct Copy<O: DiskFile> {
    out: BufWriter<O>,
    path: PathBuf,
    header: Header,
    index: Vec<Position>,
    offset: u32,
}

impl<O: DiskFile> Copy<O> {
    fn new(journal: &Journal<impl DiskFile>, out: BufWriter<O>, path: PathBuf, form: Form) -> Self {
        let header = Header { source_serial: journal.header.source_serial, ..Header::new(form) };
        let offset = header.index_end() as u32;
        let index = vec![Position::NONE; (offset as usize - layout::HEADER_BYTES) / POSITION_BYTES];
        Self { out, path, header, index, offset }
    }

    fn transaction(&mut self, journal: &Journal<impl DiskFile>, place: &mut Position) -> Result<(), JournalError> {
        let start = u64::from(place.offset);
        let from = journal.step(place)?;
        let mut body = vec![0; from.size as usize];
        let body_start = start + from.form.head_bytes() as u64;
        journal.file.read_exact_at(&mut body, body_start).map_err(JournalError::file(&journal.path))?;
        let head = match (from.form, self.header.form) {
            (Form::V1, Form::V2) => {
                let counted = super::Transaction::of(body.clone());
                let counted = counted.map_err(|fault| JournalError::bad(&journal.path, start, fault))?;
                Head { form: Form::V2, count: counted.count(), ..from }
            }
            (_, form) => Head { form, ..from },
        };
        let mut bytes = Vec::with_capacity(Form::V2.head_bytes());
        head.write(&mut bytes);
        add_to_index(&mut self.index, Position { serial: from.before, offset: self.offset });
        self.put(&bytes)?;
        self.put(&body)?;
        self.offset += head.span() as u32;
        self.header.end = Position { serial: from.after, offset: self.offset };
        Ok(())
    }

    fn put(&mut self, bytes: &[u8]) -> Result<(), JournalError> {
        self.out.write_all(bytes).map_err(JournalError::file(&self.path))
    }

    /// Writes the header, which had no place to point to before, dates the file back and makes all durable.
    fn finish(mut self, date: impl FnOnce() -> io::Result<()>) -> Result<(), JournalError> {
        if self.header.end == Position::NONE {
            self.header.begin = Position::NONE;
        }
        let head = [self.header.to_bytes(), layout::index_bytes(&self.index)].concat();
        let finish = |out: &mut BufWriter<O>| -> io::Result<()> {
            out.flush()?;
            out.get_ref().write_all_at(&head, 0)?;
            date()?;
            out.get_ref().sync()
        };
        finish(&mut self.out).map_err(JournalError::file(&self.path))
    }
}

/// A smaller size is not asked for.
const MIN_BYTES: u32 = 4096;
