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
use compression::{Known, ROOT};

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
    /// These labels in front of the name that stands at a place.
    Below(&'n [u8], u16),
    /// The same of labels that no other name of the message has, such as hashes: they are neither looked for nor
    /// remembered.
    Alone(&'n [u8], u16),
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
        self.take_back(mark.end);
        self.counts = mark.counts;
    }

    /// Takes back all bytes from `end` on.
    #[cold]
    fn take_back(&mut self, end: usize) {
        if self.end > end {
            self.names.forget_from(end);
        }
        self.end = end;
    }

    /// Whether names keep their case: pointers lead to names in the very same one only.
    pub fn keeps_case(&self) -> bool {
        self.names.keeps_case()
    }

    /// Writes the question, the first thing in a message. Its name is what answers are compressed against.
    pub fn question(&mut self, name: NameRef<'_>, rtype: Rtype, class: Class) -> Result<(), Full> {
        let ([a, b], [c, d]) = (rtype.0.to_be_bytes(), class.0.to_be_bytes());
        self.pair(name.as_bytes(), &[a, b, c, d])?;
        self.names.note_question(name);
        self.counts = [1, 0, 0, 0];
        Ok(())
    }

    /// Copies a question section of `count` questions as it was received. Nothing is compressed against it.
    pub fn questions_as_sent(&mut self, questions: &[u8], count: u16) -> Result<(), Full> {
        self.bytes(questions)?;
        self.counts = [count, 0, 0, 0];
        Ok(())
    }

    /// Writes all records of an RRset, or none. The owner's place is returned for further records of that name, if
    /// pointers can reach it.
    pub fn rrset<'r>(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        fields: (Rtype, Class, u32),
        rdatas: impl IntoIterator<Item = &'r [u8]>,
    ) -> Result<Option<u16>, Full> {
        let (mark, mut place, mut tail) = (self.mark(), None, Tail::default());
        for rdata in rdatas {
            match self.record_behind(&mut tail, section, place.map_or(owner, Owner::At), fields, rdata) {
                Ok(written) => place = written,
                Err(full) => {
                    self.rollback(mark);
                    return Err(full);
                }
            }
        }
        Ok(place)
    }

    /// Writes one record from its uncompressed data, or nothing. The owner's place is returned as by [`Self::rrset`].
    pub fn record(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        fields: (Rtype, Class, u32),
        rdata: &[u8],
    ) -> Result<Option<u16>, Full> {
        self.record_behind(&mut Tail::default(), section, owner, fields, rdata)
    }

    /// Writes one record of the root, whose data are copied as they are: OPT.
    pub fn record_of_root(&mut self, section: Section, fields: (Rtype, Class, u32), rdata: &[u8]) -> Result<(), Full> {
        let start = self.end;
        let written = self.plain([0], fields, rdata);
        self.counted(start, slot(section), written)
    }

    /// As [`Self::record`], behind another record of the RRset, whose names had this tail.
    #[inline]
    fn record_behind<'r>(
        &mut self,
        tail: &mut Tail<'r>,
        section: Section,
        owner: Owner<'_>,
        fields: (Rtype, Class, u32),
        rdata: &'r [u8],
    ) -> Result<Option<u16>, Full> {
        let start = self.end;
        let written = match (owner, Shape::of(fields.0)) {
            (Owner::At(place), None) if self.names.keeps_case() => {
                self.plain((POINTER | place).to_be_bytes(), fields, rdata).map(|()| Some(place))
            }
            (Owner::At(place), Some(shape)) => {
                let owner = (POINTER | place).to_be_bytes();
                self.plain(owner, fields, &[]).and_then(|()| self.names(shape, rdata, tail)).map(|()| Some(place))
            }
            (_, shape) => self.owner(owner).and_then(|place| {
                match shape {
                    Some(shape) => self.plain([], fields, &[]).and_then(|()| self.names(shape, rdata, tail)),
                    None => self.plain([], fields, rdata).map(|()| self.note_names(fields.0, rdata)),
                }
                .map(|()| place)
            }),
        };
        self.counted(start, slot(section), written)
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

    /// Counts what was written, or takes back what was written of it from `start` on.
    #[inline]
    fn counted<T>(&mut self, start: usize, slot: usize, written: Result<T, Full>) -> Result<T, Full> {
        match (written, self.counts.get_mut(slot)) {
            (Ok(value), Some(count)) if *count < u16::MAX => {
                *count = count.wrapping_add(1);
                Ok(value)
            }
            _ => {
                self.take_back(start);
                Err(Full)
            }
        }
    }

    fn owner(&mut self, owner: Owner<'_>) -> Result<Option<u16>, Full> {
        match owner {
            Owner::At(place) => self.pointer(place).map(|()| Some(place)),
            Owner::Name(name) => self.name(name),
            Owner::Below(labels, parent) => self.labels(labels, parent).map(|written| written.place),
            Owner::Alone(labels, parent) => {
                let start = self.end;
                self.bytes(labels)?;
                self.pointer(parent).map(|()| reachable(start))
            }
        }
    }

    /// Writes a record with such an owner, whose data are copied as they are.
    #[inline]
    fn plain<const N: usize>(
        &mut self,
        owner: [u8; N],
        (rtype, class, ttl): (Rtype, Class, u32),
        rdata: &[u8],
    ) -> Result<(), Full> {
        let length = u16::try_from(rdata.len()).map_err(|_| Full)?;
        let record = self.next(N.wrapping_add(FIXED_LENGTH).wrapping_add(rdata.len()))?;
        let (place, behind) = record.split_first_chunk_mut::<N>().ok_or(Full)?;
        let (fixed, data) = behind.split_first_chunk_mut::<FIXED_LENGTH>().ok_or(Full)?;
        let ([a, b], [c, d], [e, f, g, h]) = (rtype.0.to_be_bytes(), class.0.to_be_bytes(), ttl.to_be_bytes());
        let [i, j] = length.to_be_bytes();
        (*place, *fixed) = (owner, [a, b, c, d, e, f, g, h, i, j]);
        data.copy_from_slice(rdata);
        Ok(())
    }

    /// Writes data with names in them behind the fixed fields, whose last two bytes get their length.
    fn names<'r>(&mut self, shape: Shape, rdata: &'r [u8], tail: &mut Tail<'r>) -> Result<(), Full> {
        let start = self.end;
        let (before, mut rest) = rdata.split_at_checked(shape.before).unwrap_or_default();
        if !before.is_empty() {
            self.bytes(before)?;
        }
        for _ in 0..shape.names {
            let length = self.name_behind(rest, tail)?;
            rest = rest.get(length..).unwrap_or_default();
        }
        if !rest.is_empty() {
            self.bytes(rest)?;
        }
        let length = u16::try_from(self.end.wrapping_sub(start)).map_err(|_| Full)?;
        if let Some(place) = self.buffer.get_mut(start.wrapping_sub(2)..start) {
            place.copy_from_slice(&length.to_be_bytes());
        }
        Ok(())
    }

    /// Writes the name at the start of `bytes`, and says how many bytes it has there. Names of an RRset are mostly the
    /// same but for their first labels: the tail of the last one is not looked for again.
    fn name_behind<'r>(&mut self, bytes: &'r [u8], tail: &mut Tail<'r>) -> Result<usize, Full> {
        let first = bytes.first().map_or(0, |&length| usize::from(length).wrapping_add(1));
        let (label, rest) = bytes.split_at_checked(first).unwrap_or_default();
        if first > 1 && !tail.bytes.is_empty() && rest.starts_with(tail.bytes) {
            self.labels(label, tail.place)?;
            return Ok(first.wrapping_add(tail.bytes.len()));
        }
        let written = self.labels(bytes, ROOT)?;
        let length = written.length.wrapping_add(1);
        if let Some(place) = written.behind_first.filter(|_| self.names.keeps_case()) {
            *tail = Tail { bytes: bytes.get(first..length).unwrap_or_default(), place };
        }
        Ok(length)
    }

    /// Notes the names in data that were just written as they are. BIND always does; it shows only where later names
    /// take over their case.
    fn note_names(&mut self, rtype: Rtype, rdata: &[u8]) {
        if !self.names.keeps_case() {
            let start = self.end.saturating_sub(rdata.len());
            for field in rdata::names(rtype, rdata) {
                self.names.note(field.name, start.saturating_add(field.range.start));
            }
        }
    }

    /// Writes a name, compressed, and returns its place if pointers can reach it.
    fn name(&mut self, name: NameRef<'_>) -> Result<Option<u16>, Full> {
        self.labels(name.as_bytes(), ROOT).map(|written| written.place)
    }

    /// Writes the labels at the start of `bytes` in front of the name at `parent`, compressed.
    fn labels(&mut self, bytes: &[u8], parent: u16) -> Result<Written, Full> {
        // The root is shorter than a pointer to it.
        if parent == ROOT && bytes.first().is_none_or(|&length| length == 0) {
            return self.bytes(&[0]).map(|()| Written::default());
        }
        let start = self.end;
        let Known { fresh, length, place } =
            self.names.place(bytes, parent, self.buffer.get(..start).unwrap_or_default());
        let labels = bytes.get(..fresh).unwrap_or_default();
        let end = (POINTER | place).to_be_bytes();
        self.pair(labels, if place == ROOT { &[0] } else { &end }).inspect_err(|_| self.names.forget_from(start))?;
        if fresh == 0 {
            return Ok(Written { length, place: Some(place), behind_first: None });
        }
        let first = bytes.first().map_or(0, |&length| usize::from(length).wrapping_add(1));
        let behind_first = if fresh == first { Some(place) } else { reachable(start.wrapping_add(first)) };
        Ok(Written { length, place: reachable(start), behind_first })
    }

    fn pointer(&mut self, place: u16) -> Result<(), Full> {
        self.bytes(&(POINTER | place).to_be_bytes())
    }

    /// Writes both, or nothing.
    #[inline]
    fn pair(&mut self, left: &[u8], right: &[u8]) -> Result<(), Full> {
        let (place, behind) = self.next(left.len().wrapping_add(right.len()))?.split_at_mut(left.len());
        place.copy_from_slice(left);
        behind.copy_from_slice(right);
        Ok(())
    }

    #[inline]
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Full> {
        self.next(bytes.len())?.copy_from_slice(bytes);
        Ok(())
    }

    /// The next so many bytes of the message, to be written.
    #[inline]
    fn next(&mut self, count: usize) -> Result<&mut [u8], Full> {
        let end = self.end.wrapping_add(count);
        if end > self.limit {
            return Err(Full);
        }
        let next = self.buffer.get_mut(self.end..end).ok_or(Full)?;
        self.end = end;
        Ok(next)
    }
}

/// Labels that were written.
#[derive(Clone, Copy, Default)]
struct Written {
    /// How many bytes they have uncompressed.
    length: usize,
    /// Where they stand, if pointers can reach it.
    place: Option<u16>,
    /// Where what is behind the first of them stands, if that is known and pointers can reach it.
    behind_first: Option<u16>,
}

/// What stands behind the first label of a name in the data of an RRset, and where it does in the message.
#[derive(Clone, Copy, Default)]
struct Tail<'r> {
    bytes: &'r [u8],
    place: u16,
}

/// A place in the message as pointers name it, if they can.
fn reachable(place: usize) -> Option<u16> {
    u16::try_from(place).ok().filter(|_| place <= MAX_POINTER)
}

/// What tells a pointer from a label.
const POINTER: u16 = 0xc000;
/// The type, class, TTL and length of a record.
const FIXED_LENGTH: usize = 10;

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
