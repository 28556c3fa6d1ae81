//! Writing messages into a buffer of fixed size, with names compressed (RFC 1035 section 4.1.4).
//!
//! In go uncompressed records, out comes a message of at most the given limit. What does not fit is left out whole:
//! [`Writer::rrset`] writes all records of an RRset or none, and [`Writer::mark`] lets a caller take back more. Names
//! are compressed at owners and within the data of the types that RFC 3597 section 4 allows.
//!
//! A pointer is used only to a name in the very same case, as BIND does, so that owners keep the case they were loaded
//! with; [`Case::Ignored`] is for clients of `no-case-compress`. Where names stand is remembered in [`Compression`], a
//! table of fixed size in which a newer name may push out an older one: that costs bytes, never correctness, and keeps
//! a message of hundreds of records as cheap per record as a small one.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::message::{HEADER_LENGTH, Header, Section};
use super::{Class, NameRef, Rtype, rdata};

mod compression;

pub use compression::{Case, Compression};

/// The largest message: what the length before a message on TCP can say.
pub const MAX_MESSAGE: usize = 65535;
/// Where the name of the first question starts.
pub const QUESTION_PLACE: u16 = 12;
/// How far a pointer of 14 bits reaches.
pub const MAX_POINTER: usize = 0x3fff;

/// The message has no room for what was to be written. Nothing of it was.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("ran out of space")]
pub struct Full;

/// The owner of a record: a name, or the place in the message where that name already stands.
#[derive(Debug, Clone, Copy)]
pub enum Owner<'n> {
    /// To be compressed as far as it can be.
    Name(NameRef<'n>),
    /// Stands in this message already, so many bytes from its start.
    At(u16),
}

/// A place in a message under construction to which [`Writer::rollback`] returns.
#[derive(Debug, Clone, Copy)]
pub struct Mark {
    end: usize,
    counts: [u16; 4],
}

/// A message under construction.
#[derive(Debug)]
pub struct Writer<'a> {
    buffer: &'a mut [u8],
    /// How many bytes are written.
    end: usize,
    /// How many may be.
    limit: usize,
    counts: [u16; 4],
    names: &'a mut Compression,
}

impl<'a> Writer<'a> {
    /// Starts a message of at most `limit` bytes in `buffer`, with room for its header. A buffer or limit too small for
    /// the header makes every later write fail and [`Self::finish`] return 0.
    pub fn new(buffer: &'a mut [u8], limit: usize, names: &'a mut Compression, case: Case) -> Self {
        names.start(case);
        let limit = limit.min(buffer.len()).min(MAX_MESSAGE);
        Self { buffer, end: HEADER_LENGTH, limit, counts: [0; 4], names }
    }

    /// How many bytes are written, header included.
    pub fn len(&self) -> usize {
        self.end
    }

    /// Whether nothing follows the header yet.
    pub fn is_empty(&self) -> bool {
        self.end == HEADER_LENGTH
    }

    /// How many records the section holds.
    pub fn count(&self, section: Section) -> u16 {
        self.counts.get(slot(section)).copied().unwrap_or(0)
    }

    /// How many bytes more may be written.
    pub fn room(&self) -> usize {
        self.limit.saturating_sub(self.end)
    }

    /// Takes `bytes` off the room that is left, for what has to stand at the end in any case: OPT and TSIG.
    pub fn reserve(&mut self, bytes: usize) {
        self.limit = self.limit.saturating_sub(bytes);
    }

    /// Gives back room that was [reserved](Self::reserve).
    pub fn release(&mut self, bytes: usize) {
        self.limit = self.limit.saturating_add(bytes).min(self.buffer.len()).min(MAX_MESSAGE);
    }

    /// Remembers this place.
    pub fn mark(&self) -> Mark {
        Mark { end: self.end, counts: self.counts }
    }

    /// Takes back everything since `mark`.
    pub fn rollback(&mut self, mark: Mark) {
        if self.end > mark.end {
            self.names.forget_from(mark.end);
        }
        (self.end, self.counts) = (mark.end, mark.counts);
    }

    /// Writes a question. The first one's name is what answers are compressed against.
    pub fn question(&mut self, name: NameRef<'_>, rtype: Rtype, class: Class) -> Result<(), Full> {
        let mark = self.mark();
        let name_written = if self.is_empty() { self.question_name(name) } else { self.name(name).map(|_| ()) };
        let written = name_written.and_then(|()| {
            let [a, b] = rtype.0.to_be_bytes();
            let [c, d] = class.0.to_be_bytes();
            self.bytes(&[a, b, c, d])
        });
        self.counted(mark, 0, written)
    }

    /// Copies a question section of `count` questions as it was received. Nothing is compressed against it.
    pub fn questions_as_sent(&mut self, questions: &[u8], count: u16) -> Result<(), Full> {
        self.bytes(questions)?;
        self.counts = [count, 0, 0, 0];
        Ok(())
    }

    /// Writes all records of an RRset, or none. The owner's place is returned for further records of that name.
    pub fn rrset<'n, 'r>(
        &mut self,
        section: Section,
        owner: Owner<'n>,
        (rtype, class, ttl): (Rtype, Class, u32),
        rdatas: impl IntoIterator<Item = &'r [u8]>,
    ) -> Result<Owner<'n>, Full> {
        let mark = self.mark();
        let mut owner = owner;
        for rdata in rdatas {
            match self.record(section, owner, (rtype, class, ttl), rdata) {
                Ok(place) => owner = place,
                Err(full) => {
                    self.rollback(mark);
                    return Err(full);
                }
            }
        }
        Ok(owner)
    }

    /// Writes one record from its uncompressed data, or nothing. The owner's place is returned for further records of
    /// that name.
    pub fn record<'n>(
        &mut self,
        section: Section,
        owner: Owner<'n>,
        (rtype, class, ttl): (Rtype, Class, u32),
        rdata: &[u8],
    ) -> Result<Owner<'n>, Full> {
        let mark = self.mark();
        let written = self.owner(owner).and_then(|place| {
            self.rdata((rtype, class, ttl), rdata)?;
            Ok(place)
        });
        self.counted(mark, slot(section), written)
    }

    /// Writes the header and returns the length of the whole message.
    pub fn finish(self, header: Header) -> usize {
        let bytes = Header { counts: self.counts, ..header }.to_bytes();
        match self.buffer.first_chunk_mut::<HEADER_LENGTH>() {
            Some(place) if self.limit >= HEADER_LENGTH => *place = bytes,
            _ => return 0,
        }
        self.end
    }

    /// Counts what was written, or takes back what was written of it.
    fn counted<T>(&mut self, mark: Mark, slot: usize, written: Result<T, Full>) -> Result<T, Full> {
        match (written, self.counts.get_mut(slot)) {
            (Ok(value), Some(count)) if *count < u16::MAX => {
                *count = count.saturating_add(1);
                Ok(value)
            }
            _ => {
                self.rollback(mark);
                Err(Full)
            }
        }
    }

    fn owner<'n>(&mut self, owner: Owner<'n>) -> Result<Owner<'n>, Full> {
        match owner {
            Owner::At(place) => self.pointer(usize::from(place)).map(|()| owner),
            Owner::Name(name) => self.name(name).map(|place| place.map_or(owner, Owner::At)),
        }
    }

    /// Writes what follows the owner of a record.
    fn rdata(&mut self, (rtype, class, ttl): (Rtype, Class, u32), rdata: &[u8]) -> Result<(), Full> {
        let length = u16::try_from(rdata.len()).map_err(|_| Full)?;
        let ([a, b], [c, d], [e, f, g, h]) = (rtype.0.to_be_bytes(), class.0.to_be_bytes(), ttl.to_be_bytes());
        let [i, j] = length.to_be_bytes();
        self.bytes(&[a, b, c, d, e, f, g, h, i, j])?;
        let Some(shape) = Shape::of(rtype) else { return self.plain_rdata(rtype, rdata) };
        let length_place = self.end.saturating_sub(2);
        let start = self.end;
        let mut rest = self.split(rdata, shape.before)?;
        for _ in 0..shape.names {
            let Ok(name) = NameRef::from_prefix(rest) else { break };
            self.name(name)?;
            rest = rest.get(name.len()..).unwrap_or_default();
        }
        self.bytes(rest)?;
        let length = u16::try_from(self.end.saturating_sub(start)).map_err(|_| Full)?;
        if let Some(place) = self.buffer.get_mut(length_place..length_place.saturating_add(2)) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }

    /// Writes the data of a type whose names are not compressed.
    fn plain_rdata(&mut self, rtype: Rtype, rdata: &[u8]) -> Result<(), Full> {
        let start = self.end;
        self.bytes(rdata)?;
        if self.names.notes_plain_names() {
            for field in rdata::names(rtype, rdata) {
                self.names.note(field.name, start.saturating_add(field.range.start));
            }
        }
        Ok(())
    }

    /// Writes the first `count` bytes of `bytes` and returns the others.
    fn split<'b>(&mut self, bytes: &'b [u8], count: usize) -> Result<&'b [u8], Full> {
        let (head, tail) = bytes.split_at_checked(count).unwrap_or((bytes, &[]));
        self.bytes(head)?;
        Ok(tail)
    }

    /// Writes the first name of the message.
    fn question_name(&mut self, name: NameRef<'_>) -> Result<(), Full> {
        self.bytes(name.as_bytes())?;
        self.names.note_question(QUESTION_PLACE);
        Ok(())
    }

    /// Writes a name, compressed, and returns its place if pointers can reach it.
    fn name(&mut self, name: NameRef<'_>) -> Result<Option<u16>, Full> {
        // The root is shorter than a pointer to it.
        if name.is_root() {
            return self.bytes(name.as_bytes()).map(|()| None);
        }
        let written = self.buffer.get(..self.end).unwrap_or_default();
        let known = self.names.find(name, written);
        let start = self.end;
        self.bytes(name.as_bytes().get(..known.fresh).unwrap_or_default())?;
        if let Some(place) = known.place {
            self.pointer(usize::from(place))?;
        }
        self.names.remember(&known, start);
        let place = if known.fresh == 0 { known.place } else { u16::try_from(start).ok() };
        Ok(place.filter(|&place| usize::from(place) <= MAX_POINTER))
    }

    fn pointer(&mut self, place: usize) -> Result<(), Full> {
        let place = u16::try_from(place).map_err(|_| Full)?;
        self.bytes(&(0xc000 | place).to_be_bytes())
    }

    #[inline]
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let end = self.end.saturating_add(bytes.len());
        if end > self.limit {
            return Err(Full);
        }
        self.buffer.get_mut(self.end..end).ok_or(Full)?.copy_from_slice(bytes);
        self.end = end;
        Ok(())
    }
}

/// Where the names are in the data of the types whose names may be compressed.
#[derive(Debug, Clone, Copy)]
pub struct Shape {
    /// Bytes in front of the first name.
    pub before: usize,
    /// How many names follow each other; a single one is the last of the data.
    pub names: usize,
}

impl Shape {
    /// None: the data are copied as they are. Only types of RFC 1035 are compressed (RFC 3597 section 4).
    pub fn of(rtype: Rtype) -> Option<Self> {
        match rtype.0 {
            // NS, MD, MF, CNAME, MB, MG, MR, PTR
            2..=5 | 7..=9 | 12 => Some(Self { before: 0, names: 1 }),
            // SOA, MINFO
            6 | 14 => Some(Self { before: 0, names: 2 }),
            // MX
            15 => Some(Self { before: 2, names: 1 }),
            _ => None,
        }
    }
}

/// Which of the header's counts a section has.
fn slot(section: Section) -> usize {
    match section {
        Section::Answer => 1,
        Section::Authority => 2,
        Section::Additional => 3,
    }
}

#[cfg(test)]
mod tests;
