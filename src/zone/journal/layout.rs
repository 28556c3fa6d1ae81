//! The fixed parts of a journal: header, index, and the heads of transactions. All numbers are big-endian.

use super::Fault;
use crate::dns::Serial;

/// A version of the format. In a file it is that of the header; transactions are told apart one by one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// `V9`, of BIND before 9.16.12: heads of transactions do not count records.
    V1,
    /// `V9.2`.
    V2,
}

/// Where a serial is in the file: what leads on from it starts there.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Position {
    pub(super) serial: Serial,
    /// 0 in entries of the index that are not used.
    pub(super) offset: u32,
}

/// The first 64 bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Header {
    pub(super) form: Form,
    pub(super) begin: Position,
    pub(super) end: Position,
    pub(super) index_size: u32,
    /// The serial of the unsigned zone, where named signs one zone into another.
    pub(super) source_serial: Option<Serial>,
}

/// The head of a transaction.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Head {
    pub(super) form: Form,
    /// Bytes behind the head.
    pub(super) size: u32,
    /// How many records; 0 where the form does not say.
    pub(super) count: u32,
    pub(super) before: Serial,
    pub(super) after: Serial,
}

impl Form {
    /// The first 16 bytes of a journal.
    pub(super) const fn magic(self) -> &'static [u8; MAGIC_BYTES] {
        match self {
            Self::V1 => b";BIND LOG V9\n\0\0\0",
            Self::V2 => b";BIND LOG V9.2\n\0",
        }
    }

    /// The length of a transaction's head.
    pub(super) const fn head_bytes(self) -> usize {
        match self {
            Self::V1 => 12,
            Self::V2 => 16,
        }
    }

    /// The number that named-journalprint shows.
    pub fn number(self) -> u8 {
        match self {
            Self::V1 => 1,
            Self::V2 => 2,
        }
    }

    pub(super) fn other(self) -> Self {
        match self {
            Self::V1 => Self::V2,
            Self::V2 => Self::V1,
        }
    }
}

impl Position {
    pub(super) const NONE: Self = Self { serial: Serial(0), offset: 0 };

    pub(super) fn is_used(self) -> bool {
        self.offset != 0
    }

    fn read(words: &mut Words<'_>) -> Self {
        Self { serial: Serial(words.next()), offset: words.next() }
    }

    fn write(self, out: &mut Vec<u8>) {
        out.extend_from_slice(&self.serial.0.to_be_bytes());
        out.extend_from_slice(&self.offset.to_be_bytes());
    }
}

impl Header {
    /// The header of a journal without transactions.
    pub(super) fn new(form: Form) -> Self {
        let (begin, end) = (Position::NONE, Position::NONE);
        Self { form, begin, end, index_size: INDEX_SIZE, source_serial: None }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.begin.offset == self.end.offset
    }

    /// Where the index ends and the first transaction starts.
    pub(super) fn index_end(&self) -> u64 {
        HEADER_BYTES as u64 + u64::from(self.index_size) * POSITION_BYTES as u64
    }

    pub(super) fn parse(bytes: &[u8; HEADER_BYTES]) -> Result<Self, Fault> {
        let (magic, rest) = bytes.split_at(MAGIC_BYTES);
        let form = [Form::V1, Form::V2].into_iter().find(|form| form.magic() == magic).ok_or(Fault::Format)?;
        let mut words = Words(rest);
        let (begin, end) = (Position::read(&mut words), Position::read(&mut words));
        let (index_size, source) = (words.next(), Serial(words.next()));
        let has_source = words.0.first().is_some_and(|flags| flags & FLAG_SOURCE_SERIAL != 0);
        let source_serial = Some(source).filter(|_| has_source);
        Ok(Self { form, begin, end, index_size, source_serial })
    }

    /// Whether all places that the header names are in a file of this length.
    pub(super) fn check(&self, length: u64) -> Result<(), Fault> {
        let starts_in_order = self.is_empty() || u64::from(self.begin.offset) >= self.index_end();
        let ends_in_order = self.begin.offset <= self.end.offset && u64::from(self.end.offset) <= length;
        if self.index_end() <= length && starts_in_order && ends_in_order { Ok(()) } else { Err(Fault::Offsets) }
    }

    pub(super) fn to_bytes(self) -> Vec<u8> {
        let mut bytes = self.form.magic().to_vec();
        self.begin.write(&mut bytes);
        self.end.write(&mut bytes);
        bytes.extend_from_slice(&self.index_size.to_be_bytes());
        bytes.extend_from_slice(&self.source_serial.map_or(0, |serial| serial.0).to_be_bytes());
        bytes.push(if self.source_serial.is_some() { FLAG_SOURCE_SERIAL } else { 0 });
        bytes.resize(HEADER_BYTES, 0);
        bytes
    }
}

impl Head {
    pub(super) fn parse(form: Form, bytes: &[u8]) -> Self {
        let mut words = Words(bytes);
        let size = words.next();
        let count = if form == Form::V2 { words.next() } else { 0 };
        Self { form, size, count, before: Serial(words.next()), after: Serial(words.next()) }
    }

    pub(super) fn write(self, out: &mut Vec<u8>) {
        let count = Some(self.count).filter(|_| self.form == Form::V2);
        let words = [Some(self.size), count, Some(self.before.0), Some(self.after.0)];
        words.into_iter().flatten().for_each(|word| out.extend_from_slice(&word.to_be_bytes()));
    }

    /// Whether the head can be that of a transaction that starts at this serial.
    pub(super) fn leads_on(&self, from: Serial) -> bool {
        self.before == from && self.after.is_newer_than(self.before)
    }

    /// The bytes of the transaction, head included.
    pub(super) fn span(&self) -> u64 {
        self.form.head_bytes() as u64 + u64::from(self.size)
    }
}

/// Reads the index, which is as long as `bytes`.
pub(super) fn parse_index(bytes: &[u8]) -> Vec<Position> {
    bytes.chunks_exact(POSITION_BYTES).map(|entry| Position::read(&mut Words(entry))).collect()
}

/// The bytes of an index.
pub(super) fn index_bytes(index: &[Position]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(index.len() * POSITION_BYTES);
    index.iter().for_each(|position| position.write(&mut bytes));
    bytes
}

/// Adds a position to the index as named does: in the first free place, and if there is none, every second entry gives
/// way.
pub(super) fn add_to_index(index: &mut [Position], position: Position) {
    let free = index.iter().position(|entry| !entry.is_used()).unwrap_or_else(|| thin_out(index));
    if let Some(entry) = index.get_mut(free) {
        *entry = position;
    }
}

fn thin_out(index: &mut [Position]) -> usize {
    let kept: Vec<Position> = index.iter().copied().step_by(2).collect();
    index.fill(Position::NONE);
    index.iter_mut().zip(&kept).for_each(|(entry, position)| *entry = *position);
    kept.len()
}

/// 32-bit words one after another; zeros behind the end.
struct Words<'a>(&'a [u8]);

impl Words<'_> {
    fn next(&mut self) -> u32 {
        let Some((word, rest)) = self.0.split_first_chunk() else { return 0 };
        self.0 = rest;
        u32::from_be_bytes(*word)
    }
}

pub(super) const HEADER_BYTES: usize = 64;
pub(super) const POSITION_BYTES: usize = 8;
/// The entries of the index in a new journal.
const INDEX_SIZE: u32 = 56;
const MAGIC_BYTES: usize = 16;
const FLAG_SOURCE_SERIAL: u8 = 0x01;
