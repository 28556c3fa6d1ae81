//! A request taken apart: header, question, OPT and the place of TSIG, in one pass and without copying.
//!
//! Nothing is refused here. A fault is noted, and what could be read until then is kept, because even a FORMERR echoes
//! the question and speaks EDNS where the request did.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::dns::edns::{Edns, Wishes};
use crate::dns::message::{HEADER_LENGTH, Section};
use crate::dns::suffix::Suffixes;
use crate::dns::{Class, Header, NameRef, Opcode, Reader, Rtype, WireError};

/// The question of a request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Question<'a> {
    pub(super) name: NameRef<'a>,
    pub(super) rtype: Rtype,
    pub(super) class: Class,
}

/// A request.
#[derive(Debug, Clone, Copy)]
pub(super) struct Request<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) header: Header,
    /// The first question.
    pub(super) question: Option<Question<'a>>,
    /// All questions as they stand.
    pub(super) questions: &'a [u8],
    pub(super) edns: Option<Edns<'a>>,
    /// What the options of EDNS ask for.
    pub(super) wishes: Wishes<'a>,
    /// Whether the last record is a TSIG.
    pub(super) has_tsig: bool,
    /// Whether some part could not be read, or stands where it must not.
    pub(super) is_malformed: bool,
}

impl<'a> Request<'a> {
    /// A request with this header that is still to be [taken apart](Self::read).
    #[inline]
    pub(super) fn new(bytes: &'a [u8], header: Header) -> Self {
        Self {
            bytes,
            header,
            question: None,
            questions: &[],
            edns: None,
            wishes: Wishes::default(),
            has_tsig: false,
            is_malformed: false,
        }
    }

    /// Takes apart what follows the header; the labels of the question's name are kept for who looks for its zone.
    pub(super) fn read(&mut self, labels: &mut Suffixes) {
        let mut reader = Reader::new(self.bytes).at(HEADER_LENGTH);
        let read = self.read_questions(&mut reader, labels).and_then(|()| self.read_records(&mut reader));
        if let Err(fault) = read {
            self.is_malformed = true;
            if fault != WireError::BadOption {
                // BIND: EDNS is spoken in a FORMERR only if it is an option that was malformed, and then without DO.
                (self.edns, self.wishes) = (None, Wishes::default());
            }
        }
    }

    fn read_questions(&mut self, reader: &mut Reader<'a>, labels: &mut Suffixes) -> Result<(), WireError> {
        let [count, ..] = self.header.counts;
        for _ in 0..count {
            if let Some(first) = &self.question {
                // BIND: several questions are all repeated in the FORMERR if they ask for types of one name.
                let name = reader.name()?;
                let (rtype, class) = (Rtype(reader.u16()?), Class(reader.u16()?));
                if name.as_ref() != first.name || class != first.class || rtype == first.rtype {
                    return Err(WireError::BadField);
                }
                continue;
            }
            // The first name has nothing before it that it could point to.
            let name = labels.read(reader.ahead())?;
            reader.take(name.len())?;
            let question = Question { name, rtype: Rtype(reader.u16()?), class: Class(reader.u16()?) };
            if self.is_of_a_zone() && matches!(question.class, Class::NONE | Class::ANY) {
                return Err(WireError::BadField);
            }
            self.question = Some(question);
        }
        self.questions = self.bytes.get(HEADER_LENGTH..reader.position()).unwrap_or_default();
        Ok(())
    }

    /// BIND: whether the question names a zone, so that one class has to be told.
    fn is_of_a_zone(&self) -> bool {
        matches!(self.header.opcode(), Opcode::NOTIFY | Opcode::UPDATE)
    }

    fn read_records(&mut self, reader: &mut Reader<'a>) -> Result<(), WireError> {
        let [_, answers, authorities, additionals] = self.header.counts;
        for _ in 0..u32::from(answers).saturating_add(u32::from(authorities)) {
            let (_, rtype, class, ..) = read_record(reader)?;
            if rtype == Rtype::OPT || rtype == Rtype::TSIG || !self.may_have(rtype, class) {
                return Err(WireError::BadField);
            }
        }
        if let (1, &[0, 0, 41, a, b, c, d, e, f, 0, 0]) = (additionals, reader.ahead()) {
            // What most requests end in: EDNS without options.
            let (size, ttl) = (u16::from_be_bytes([a, b]), u32::from_be_bytes([c, d, e, f]));
            self.edns = Some(Edns::from_parts(size, ttl, &[])?);
            return Ok(());
        }
        for _ in 0..additionals {
            self.read_additional(reader)?;
        }
        Ok(())
    }

    fn read_additional(&mut self, reader: &mut Reader<'a>) -> Result<(), WireError> {
        let (at_root, rtype, class, ttl, rdata) = read_record(reader)?;
        // TSIG is the last record (RFC 8945 section 5.1), OPT there is but one, at the root (RFC 6891 section 6.1.1).
        if self.has_tsig || rtype == Rtype::OPT && (!at_root || self.edns.is_some()) {
            return Err(WireError::BadField);
        }
        match rtype {
            Rtype::OPT => {
                let edns = self.edns.insert(Edns::from_parts(class.0, ttl, rdata)?);
                self.wishes = Wishes::read(edns).inspect_err(|_| edns.dnssec_ok = false)?;
            }
            Rtype::TSIG if class != Class::ANY => return Err(WireError::BadField),
            Rtype::TSIG => self.has_tsig = true,
            _ if !self.may_have(rtype, class) => return Err(WireError::BadField),
            _ => {}
        }
        Ok(())
    }

    /// Whether a record has the class that it must have: but for UPDATE, that of the question (BIND).
    fn may_have(&self, rtype: Rtype, class: Class) -> bool {
        // SIG(0) has the class ANY.
        let has_no_class = rtype == Rtype::TKEY || rtype == Rtype::SIG && class == Class::ANY;
        let is_that = |question: &Question<'_>| question.class == Class::ANY || question.class == class;
        has_no_class || self.header.opcode() == Opcode::UPDATE || self.question.as_ref().is_none_or(is_that)
    }

    /// The SOA serial in the given section: what a NOTIFY announces, or an IXFR starts from.
    pub(super) fn soa_serial(&self, section: Section) -> Option<u32> {
        let message = crate::dns::Message::new(self.bytes).ok()?;
        let record = message.records().map_while(Result::ok).find(|record| record.section == section)?;
        let mut reader = Reader::new(self.bytes).at(record.rdata.start);
        if record.rtype != Rtype::SOA || reader.skip_name().and_then(|()| reader.skip_name()).is_err() {
            return None;
        }
        reader.u32().ok()
    }
}

/// A record, as (owner is the root, type, class, TTL, data).
fn read_record<'a>(reader: &mut Reader<'a>) -> Result<(bool, Rtype, Class, u32, &'a [u8]), WireError> {
    let start = reader.position();
    reader.skip_name()?;
    let at_root = reader.position().saturating_sub(start) == 1;
    let (rtype, class, ttl) = (Rtype(reader.u16()?), Class(reader.u16()?), reader.u32()?);
    Ok((at_root, rtype, class, ttl, reader.long_bytes()?))
}
