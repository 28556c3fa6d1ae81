//! Reading messages: the header's twelve bytes, the questions, and the records section by section (RFC 1035 section 4).
//!
//! Nothing is copied or collected: [`Message::records`] walks the bytes and yields each record with the place of its
//! data. What the data holds is for [`super::rdata`] to say.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::ops::Range;

use super::rcode::{Opcode, Rcode};
use super::wire::{Reader, WireError};
use super::{Class, NameBuf, Rtype};

/// Length of the header in bytes.
pub const HEADER_LENGTH: usize = 12;

const QR: u16 = 0x8000;
const AA: u16 = 0x0400;
const TC: u16 = 0x0200;
const RD: u16 = 0x0100;
const RA: u16 = 0x0080;
const AD: u16 = 0x0020;
const CD: u16 = 0x0010;

/// The header of a message.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// The ID by which a response is matched to its query.
    pub id: u16,
    /// All flags, opcode and rcode as they stand on the wire.
    pub flags: u16,
    /// How many questions, answer, authority and additional records follow.
    pub counts: [u16; 4],
}

#[allow(missing_docs)] // the flags have the names that RFC 1035 and RFC 4035 give them
impl Header {
    /// Reads the first twelve bytes.
    pub fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        let [a, b, c, d, e, f, g, h, i, j, k, l] = reader.array::<HEADER_LENGTH>()?;
        let number = |high, low| u16::from_be_bytes([high, low]);
        Ok(Self {
            id: number(a, b),
            flags: number(c, d),
            counts: [number(e, f), number(g, h), number(i, j), number(k, l)],
        })
    }

    /// The twelve bytes.
    pub fn to_bytes(self) -> [u8; HEADER_LENGTH] {
        let mut bytes = [0; HEADER_LENGTH];
        let fields = [self.id, self.flags].into_iter().chain(self.counts);
        for (place, field) in bytes.as_chunks_mut::<2>().0.iter_mut().zip(fields) {
            *place = field.to_be_bytes();
        }
        bytes
    }

    pub fn opcode(self) -> Opcode {
        Opcode((self.flags >> 11 & 0x0f) as u8)
    }

    /// The low four bits; EDNS adds more.
    pub fn rcode(self) -> Rcode {
        Rcode(self.flags & 0x0f)
    }

    /// QR: whether this is a response.
    pub fn is_response(self) -> bool {
        self.flags & QR != 0
    }

    pub fn aa(self) -> bool {
        self.flags & AA != 0
    }

    pub fn tc(self) -> bool {
        self.flags & TC != 0
    }

    pub fn rd(self) -> bool {
        self.flags & RD != 0
    }

    pub fn ra(self) -> bool {
        self.flags & RA != 0
    }

    pub fn ad(self) -> bool {
        self.flags & AD != 0
    }

    pub fn cd(self) -> bool {
        self.flags & CD != 0
    }

    /// Header of the response to this request: ID, opcode, and of a query RD and CD are kept (RFC 1035 section 4.1.1,
    /// RFC 4035 section 3.1.6), everything else clear.
    pub fn response(self, rcode: Rcode) -> Self {
        let bits = if self.opcode() == Opcode::QUERY { RD | CD } else { 0 };
        let kept = self.flags & (0x7800 | bits);
        Self { id: self.id, flags: kept | QR | u16::from(rcode.low_bits()), counts: [0; 4] }
    }

    pub fn with_aa(self) -> Self {
        Self { flags: self.flags | AA, ..self }
    }

    pub fn with_tc(self) -> Self {
        Self { flags: self.flags | TC, ..self }
    }
}

/// One entry of the question section.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Question {
    /// QNAME, in the case it was sent in.
    pub name: NameBuf,
    /// QTYPE.
    pub rtype: Rtype,
    /// QCLASS.
    pub class: Class,
}

impl Question {
    fn read(reader: &mut Reader<'_>) -> Result<Self, WireError> {
        Ok(Self { name: reader.name()?, rtype: Rtype(reader.u16()?), class: Class(reader.u16()?) })
    }
}

/// Where in a message a record stands. The zone, prerequisite and update sections of UPDATE are the same places.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Section {
    /// The answer section.
    Answer,
    /// The authority section.
    Authority,
    /// The additional section.
    Additional,
}

/// One record, its data left where it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Record {
    /// The section that it stands in.
    pub section: Section,
    /// Where in the message the record starts.
    pub start: usize,
    /// The owner name, decompressed.
    pub owner: NameBuf,
    /// The type.
    pub rtype: Rtype,
    /// The class; in OPT the sender's UDP size.
    pub class: Class,
    /// The TTL; in OPT flags and the high bits of the rcode.
    pub ttl: u32,
    /// Where in the message its data stand. Names in it may be compressed.
    pub rdata: Range<usize>,
}

impl Record {
    fn read(reader: &mut Reader<'_>, section: Section) -> Result<Self, WireError> {
        let start = reader.position();
        let owner = reader.name()?;
        let (rtype, class, ttl) = (Rtype(reader.u16()?), Class(reader.u16()?), reader.u32()?);
        let length = reader.u16()?;
        let data_start = reader.position();
        reader.take(usize::from(length))?;
        Ok(Self { section, start, owner, rtype, class, ttl, rdata: data_start..reader.position() })
    }
}

/// A message whose header has been read.
#[derive(Debug, Clone, Copy)]
pub struct Message<'a> {
    bytes: &'a [u8],
    header: Header,
}

impl<'a> Message<'a> {
    /// Reads the header; fails only when the bytes are fewer than twelve.
    pub fn new(bytes: &'a [u8]) -> Result<Self, WireError> {
        Ok(Self { bytes, header: Header::read(&mut Reader::new(bytes))? })
    }

    /// The header.
    pub fn header(&self) -> Header {
        self.header
    }

    /// The whole message.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The questions. Ends after the first fault.
    pub fn questions(&self) -> Questions<'a> {
        let [left, ..] = self.header.counts;
        Questions { reader: self.body(), left }
    }

    /// The first question; an error also if there is none.
    pub fn question(&self) -> Result<Question, WireError> {
        self.questions().next().unwrap_or(Err(WireError::Truncated))
    }

    /// The records of all three sections in turn. Ends after the first fault. Bytes behind the last record are not
    /// looked at.
    pub fn records(&self) -> Records<'a> {
        let [questions, counts @ ..] = self.header.counts;
        let mut reader = self.body();
        for _ in 0..questions {
            if reader.skip_name().and_then(|()| reader.take(4).map(|_| ())).is_err() {
                return Records { reader, left: counts, failed: Some(WireError::Truncated) };
            }
        }
        Records { reader, left: counts, failed: None }
    }

    /// The data of `record`, names possibly compressed.
    pub fn rdata(&self, record: &Record) -> &'a [u8] {
        self.bytes.get(record.rdata.clone()).unwrap_or_default()
    }

    fn body(&self) -> Reader<'a> {
        Reader::new(self.bytes).at(HEADER_LENGTH)
    }
}

/// Walks the question section.
#[derive(Debug, Clone)]
pub struct Questions<'a> {
    reader: Reader<'a>,
    left: u16,
}

impl Questions<'_> {
    /// Where in the message the next question or, behind the last, the first record starts.
    pub fn position(&self) -> usize {
        self.reader.position()
    }
}

impl Iterator for Questions<'_> {
    type Item = Result<Question, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        self.left = self.left.checked_sub(1)?;
        let question = Question::read(&mut self.reader);
        if question.is_err() {
            self.left = 0;
        }
        Some(question)
    }
}

/// Walks the three record sections.
#[derive(Debug, Clone)]
pub struct Records<'a> {
    reader: Reader<'a>,
    left: [u16; 3],
    failed: Option<WireError>,
}

impl Records<'_> {
    /// Where in the message the next record starts; behind the last one, where the message proper ends.
    pub fn position(&self) -> usize {
        self.reader.position()
    }

    fn next_section(&mut self) -> Option<Section> {
        let sections = [Section::Answer, Section::Authority, Section::Additional];
        let (left, section) = self.left.iter_mut().zip(sections).find(|(left, _)| **left > 0)?;
        *left = left.saturating_sub(1);
        Some(section)
    }
}

impl Iterator for Records<'_> {
    type Item = Result<Record, WireError>;

    fn next(&mut self) -> Option<Self::Item> {
        if let Some(error) = self.failed.take() {
            self.left = [0; 3];
            return Some(Err(error));
        }
        let section = self.next_section()?;
        let record = Record::read(&mut self.reader, section);
        if record.is_err() {
            self.left = [0; 3];
        }
        Some(record)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const RESPONSE: &[u8] = b"\x12\x34\x85\x00\x00\x01\x00\x01\x00\x00\x00\x01\
        \x07example\x03com\x00\x00\x06\x00\x01\
        \xc0\x0c\x00\x0f\x00\x01\x00\x00\x0e\x10\x00\x07\x00\x0a\x02mx\xc0\x0c\
        \x00\x00\x29\x04\xd0\x00\x00\x80\x00\x00\x00";

    #[test]
    fn header_questions_and_records_are_read() {
        let message = Message::new(RESPONSE).unwrap();
        let header = message.header();
        assert!(header.is_response() && header.aa() && header.rd() && !header.tc());
        assert_eq!(header.to_bytes(), RESPONSE[..12]);
        let question = message.question().unwrap();
        assert_eq!((question.name.to_string().as_str(), question.rtype), ("example.com.", Rtype::SOA));
        let records: Vec<Record> = message.records().map(Result::unwrap).collect();
        assert_eq!(records.len(), 2);
        assert_eq!((records[0].section, records[0].rtype, records[0].ttl), (Section::Answer, Rtype::MX, 3600));
        assert_eq!(message.rdata(&records[0]), b"\x00\x0a\x02mx\xc0\x0c");
        assert_eq!((records[1].section, records[1].rtype), (Section::Additional, Rtype::OPT));
    }

    #[test]
    fn a_cut_message_ends_in_one_error() {
        for length in 12..RESPONSE.len() {
            let message = Message::new(&RESPONSE[..length]).unwrap();
            let faults = message.records().filter(Result::is_err).count();
            assert_eq!(faults, 1, "cut at {length}");
        }
        assert!(Message::new(&RESPONSE[..11]).is_err());
    }

    #[test]
    fn changed_bytes_never_panic() {
        for place in 0..RESPONSE.len() {
            for byte in 0..=u8::MAX {
                let mut changed = RESPONSE.to_vec();
                changed[place] = byte;
                let message = Message::new(&changed).unwrap();
                let _ = message.question();
                for record in message.records().flatten() {
                    let mut out = Vec::new();
                    let _ = crate::dns::rdata::from_wire(record.rtype, &changed, record.rdata, &mut out);
                }
            }
        }
    }

    #[test]
    fn a_response_keeps_what_the_query_had() {
        let query = Header { id: 7, flags: 0x0130 | 0x0040, counts: [1, 0, 0, 0] };
        let response = query.response(Rcode::NOTAUTH);
        assert_eq!(response.flags, 0x8000 | 0x0100 | 0x0010 | 9);
        assert_eq!(response.id, 7);
    }

    #[test]
    fn only_a_response_to_a_query_keeps_rd_and_cd() {
        let update = Header { id: 7, flags: 0x2800 | 0x0110, counts: [1, 0, 0, 0] };
        assert_eq!(update.response(Rcode::REFUSED).flags, 0x8000 | 0x2800 | 5);
    }
}
