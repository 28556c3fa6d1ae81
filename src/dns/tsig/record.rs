//! The TSIG record itself (RFC 8945 section 4.2): found and read in a message, and built for one.

use super::mac::MAX_MAC;
use crate::dns::message::{Message, Record, Section};
use crate::dns::name::MAX_NAME;
use crate::dns::wire::{Reader, WireError};
use crate::dns::{Class, NameBuf, NameRef, Rcode, Rtype};

/// The most bytes that a record built here has: owner, algorithm name, fixed fields, MAC, time.
const MAX_RECORD: usize = 2 * MAX_NAME + 26 + MAX_MAC + 6;

/// A TSIG record as it stands in a message.
#[derive(Debug, Clone)]
pub struct Tsig<'a> {
    /// Where in the message the record starts.
    pub start: usize,
    /// The key's name: the record's owner.
    pub key_name: NameBuf,
    /// The algorithm's name.
    pub algorithm: NameBuf,
    /// Zero by rights; BIND takes any that is signed.
    pub ttl_s: u32,
    /// When the message was signed, in seconds since 1970.
    pub time_s: u64,
    /// How far that may be off.
    pub fudge_s: u16,
    /// The MAC, possibly cut or empty.
    pub mac: &'a [u8],
    /// The message's ID when it was signed.
    pub original_id: u16,
    /// What was wrong with the request.
    pub error: Rcode,
    /// In BADTIME, the server's time.
    pub other: &'a [u8],
}

impl<'a> Tsig<'a> {
    /// The TSIG of a message; none if it has none. One that is not the last record of the additional section is a
    /// fault (RFC 8945 section 5.1), and so is anything else that keeps the records from being walked.
    pub fn find(message: &Message<'a>) -> Result<Option<Self>, WireError> {
        let mut found = None;
        for record in message.records() {
            let record = record?;
            if found.is_some() {
                return Err(WireError::BadField);
            }
            if record.rtype == Rtype::TSIG {
                found = Some(record);
            }
        }
        found.map(|record| Self::read(message.bytes(), &record)).transpose()
    }

    /// Reads one TSIG record.
    pub fn read(message: &'a [u8], record: &Record) -> Result<Self, WireError> {
        if record.section != Section::Additional || record.class != Class::ANY {
            return Err(WireError::BadField);
        }
        let mut reader = Reader::new(message).at(record.rdata.start).until(record.rdata.end)?;
        let tsig = Self {
            start: record.start,
            key_name: record.owner.clone(),
            ttl_s: record.ttl,
            algorithm: reader.name()?,
            time_s: reader.u48()?,
            fudge_s: reader.u16()?,
            mac: reader.long_bytes()?,
            original_id: reader.u16()?,
            error: Rcode(reader.u16()?),
            other: reader.long_bytes()?,
        };
        if reader.is_at_end() { Ok(tsig) } else { Err(WireError::ExtraData) }
    }

    /// Whether `now` is within the fudge of the time of signing.
    pub(super) fn is_timely(&self, now: u64) -> bool {
        now.abs_diff(self.time_s) <= u64::from(self.fudge_s)
    }
}

/// A TSIG record ready to be appended to a message, whose additional count it raises by one.
#[derive(Clone)]
pub struct Built {
    bytes: [u8; MAX_RECORD],
    length: usize,
}

impl std::fmt::Debug for Built {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "TSIG of {} bytes", self.length)
    }
}

/// What a TSIG record says beside its MAC.
#[derive(Clone, Copy)]
pub(super) struct Variables<'v> {
    pub(super) key_name: NameRef<'v>,
    pub(super) algorithm: NameRef<'v>,
    pub(super) time_s: u64,
    pub(super) fudge_s: u16,
    pub(super) error: Rcode,
    pub(super) ttl_s: u32,
    pub(super) other: &'v [u8],
}

impl Built {
    pub(super) fn new(variables: &Variables<'_>, mac: &[u8], original_id: u16) -> Self {
        let mut record = Self { bytes: [0; MAX_RECORD], length: 0 };
        record.push(variables.key_name.as_bytes());
        record.push(&Rtype::TSIG.0.to_be_bytes());
        record.push(&Class::ANY.0.to_be_bytes());
        record.push(&[0; 4]);
        let length = variables.algorithm.len() + 16 + mac.len() + variables.other.len();
        record.push(&(length as u16).to_be_bytes());
        record.push(variables.algorithm.as_bytes());
        record.push(&timers(variables));
        record.push(&(mac.len() as u16).to_be_bytes());
        record.push(mac);
        record.push(&original_id.to_be_bytes());
        record.push(&variables.error.0.to_be_bytes());
        record.push(&(variables.other.len() as u16).to_be_bytes());
        record.push(variables.other);
        record
    }

    fn push(&mut self, bytes: &[u8]) {
        let room = self.bytes.iter_mut().skip(self.length);
        for (place, byte) in room.zip(bytes) {
            *place = *byte;
        }
        self.length += bytes.len();
    }

    /// The record's bytes.
    pub fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Appends the record to `message` and counts it in the header.
    pub fn append_to(&self, message: &mut Vec<u8>) {
        self.append_behind(0, message);
    }

    /// The same for the message that begins at `start` of `out` and is the last there.
    pub fn append_behind(&self, start: usize, out: &mut Vec<u8>) {
        out.extend_from_slice(self.as_bytes());
        count_in(out.get_mut(start..).unwrap_or_default());
    }
}

/// Raises the additional count of a message by one.
pub(super) fn count_in(message: &mut [u8]) {
    if let Some(place) = message.get_mut(10..12).and_then(|place| place.first_chunk_mut()) {
        *place = u16::from_be_bytes(*place).wrapping_add(1).to_be_bytes();
    }
}

/// Time and fudge as they stand on the wire.
pub(super) fn timers(variables: &Variables<'_>) -> [u8; 8] {
    let [_, _, a, b, c, d, e, f] = variables.time_s.to_be_bytes();
    let [g, h] = variables.fudge_s.to_be_bytes();
    [a, b, c, d, e, f, g, h]
}
