//! Receiving a zone: a stream of messages becomes a zone version (RFC 5936).
//!
//! Messages go in one at a time; the zone comes out whole behind the second SOA record, or never. With a key every
//! message must be signed, so that nothing enters the zone which no signature covers (the rule of Debian's bind9 since
//! CVE-2026-19033). Records outside the zone are dropped (CVE-2026-78301). The reasons of failure have BIND's words.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::message;
use crate::dns::message::{HEADER_LENGTH, Header, Message};
use crate::dns::tsig::{Chain, TsigError};
use crate::dns::wire::{Reader, WireError};
use crate::dns::{Class, Key, Name, NameBuf, Opcode, Rcode, Rtype, Serial, rdata};
use crate::zone::check::{self, Conflict};
use crate::zone::{Builder, ContentsError, Limits, ZoneVersion};

/// TTLs above this count as 0 (RFC 2181 section 8).
const MAX_TTL: u32 = 0x7fff_ffff;

/// Why a transfer failed. The texts are those behind BIND's `failed while receiving responses:`.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum AxfrError {
    /// The primary refused with this rcode.
    #[error("{0}")]
    Rcode(Rcode),
    /// The connection ended within the zone.
    #[error("end of file")]
    UnexpectedEnd,
    /// Records follow the SOA record that ends the zone.
    #[error("extra input data")]
    ExtraData,
    /// A message cannot be read.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A message is no answer to the request, or no part of a zone.
    #[error("FORMERR")]
    Malformed(Flaw),
    /// A response with another ID.
    #[error("unexpected message id")]
    Id,
    /// A response of another opcode.
    #[error("unexpected OPCODE")]
    Opcode,
    /// The signature is missing or wrong.
    #[error(transparent)]
    Tsig(#[from] TsigError),
    /// A SOA record elsewhere than at the apex.
    #[error("not at top of zone")]
    NotZoneTop,
    /// A limit was passed.
    #[error("too many records")]
    TooManyRecords,
    /// The zone has no NS records at its apex.
    #[error("bad zone")]
    NoNs,
    /// The zone has more than one SOA record, or none.
    #[error("bad zone")]
    BadZone,
    /// Records that exclude each other.
    #[error(transparent)]
    Conflict(#[from] Conflict),
    /// The primary answered IXFR with differences: ask again for the whole zone.
    #[error("differences instead of a zone")]
    Differences,
}

/// What is wrong with a message that can be read. The texts are the lines that BIND logs before it says `FORMERR`, or
/// our own where it says no more than that.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Flaw {
    /// QR is clear.
    #[error("not a response")]
    NotResponse,
    /// TC is set, which cannot be over TCP.
    #[error("truncated response")]
    Truncated,
    /// The first message does not repeat the question.
    #[error("missing question section")]
    NoQuestion,
    /// More than one question.
    #[error("too many questions ({0})")]
    Questions(u16),
    /// A question about another name.
    #[error("question name mismatch")]
    QuestionName,
    /// A question of another type.
    #[error("question type mismatch")]
    QuestionType,
    /// A question of another class.
    #[error("question class mismatch")]
    QuestionClass,
    /// A record of another class.
    #[error("record class mismatch")]
    RecordClass,
    /// A type that stands for no data.
    #[error("Unexpected {0} record in zone transfer")]
    MetaType(Rtype),
    /// Another record where the zone begins.
    #[error("first RR in zone transfer must be SOA")]
    FirstRecord,
    /// The second SOA record has other data than the first.
    #[error("start and ending SOA records mismatch")]
    SoaMismatch,
    /// A record whose data cannot be stored.
    #[error("record that no zone can hold")]
    Record,
}

impl From<Flaw> for AxfrError {
    fn from(flaw: Flaw) -> Self {
        Self::Malformed(flaw)
    }
}

impl From<ContentsError> for AxfrError {
    fn from(error: ContentsError) -> Self {
        match error {
            ContentsError::TooManyRecords(_) => Self::TooManyRecords,
            ContentsError::BadRecord => Flaw::Record.into(),
            ContentsError::OutOfZone | ContentsError::SoaCount { .. } => Self::BadZone,
        }
    }
}

/// What came in, for the line at the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Received {
    /// Messages.
    pub messages: u64,
    /// Records in the answer sections.
    pub records: u64,
    /// Bytes of the messages.
    pub bytes: u64,
    /// Records dropped because they are outside the zone.
    pub out_of_zone: u64,
}

/// How far the transfer is.
#[derive(Debug)]
pub enum Progress {
    /// Another message is to come.
    More,
    /// The primary has nothing newer than what was asked for.
    UpToDate(Serial),
    /// The zone is complete.
    Done(Box<ZoneVersion>),
}

/// A transfer under way.
pub struct AxfrIn<'k> {
    apex: Name,
    class: Class,
    id: u16,
    /// The serial in an IXFR request; none for AXFR.
    have: Option<Serial>,
    chain: Option<Chain<&'k Key>>,
    builder: Builder,
    state: State,
    /// The first record's data, which the last one's must equal.
    first_soa: Vec<u8>,
    rdata: Vec<u8>,
    received: Received,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing came yet.
    Start,
    /// The SOA record came and nothing else.
    FirstRecord,
    Records,
    End,
}

/// One record's fixed fields.
struct Fields {
    rtype: Rtype,
    ttl: u32,
}

impl<'k> AxfrIn<'k> {
    /// Awaits the answer to a request with this ID. `have` is the serial of an IXFR request; `chain` signed the
    /// request.
    pub fn new(
        apex: Name,
        class: Class,
        id: u16,
        have: Option<Serial>,
        chain: Option<Chain<&'k Key>>,
        limits: Limits,
    ) -> Self {
        let builder = Builder::new(apex.clone(), class).with_limits(limits);
        let (first_soa, rdata) = (Vec::new(), Vec::new());
        let (state, received) = (State::Start, Received::default());
        Self { apex, class, id, have, chain, builder, state, first_soa, rdata, received }
    }

    /// Takes the next message. After an error or anything but [`Progress::More`] the transfer is over.
    pub fn feed(&mut self, bytes: &[u8], now_s: u64) -> Result<Progress, AxfrError> {
        if self.state == State::End {
            return Err(AxfrError::ExtraData);
        }
        let message = Message::new(bytes)?;
        self.check_header(message.header())?;
        if let Some(chain) = &mut self.chain {
            chain.check_response(&message, now_s)?;
        }
        self.check_question(&message)?;
        self.received.messages = self.received.messages.saturating_add(1);
        self.received.bytes = self.received.bytes.saturating_add(bytes.len() as u64);
        self.take_records(&message)?;
        self.progress()
    }

    /// What came in.
    pub fn received(&self) -> Received {
        self.received
    }

    /// Why the transfer failed if the connection ends now.
    pub fn end_of_input(&self) -> AxfrError {
        AxfrError::UnexpectedEnd
    }

    fn check_header(&self, header: Header) -> Result<(), AxfrError> {
        if header.id != self.id {
            return Err(AxfrError::Id);
        }
        if !header.is_response() {
            return Err(Flaw::NotResponse.into());
        }
        if header.tc() {
            return Err(Flaw::Truncated.into());
        }
        if header.opcode() != Opcode::QUERY {
            return Err(AxfrError::Opcode);
        }
        if header.rcode() != Rcode::NOERROR {
            return Err(AxfrError::Rcode(header.rcode()));
        }
        Ok(())
    }

    /// The first message repeats the question, later ones may (RFC 5936 section 2.2.1).
    fn check_question(&self, message: &Message<'_>) -> Result<(), AxfrError> {
        let rtype = if self.have.is_some() { Rtype::IXFR } else { Rtype::AXFR };
        let flaw = match message.header().counts {
            [0, ..] if self.state == State::Start => Flaw::NoQuestion,
            [0, ..] => return Ok(()),
            [1, ..] => match message.question()? {
                question if question.name.as_ref() != self.apex.as_ref() => Flaw::QuestionName,
                question if question.rtype != rtype => Flaw::QuestionType,
                question if question.class != self.class => Flaw::QuestionClass,
                _ => return Ok(()),
            },
            [count, ..] => Flaw::Questions(count),
        };
        Err(flaw.into())
    }

    /// Takes the records of the answer section; the others hold nothing of a transfer.
    fn take_records(&mut self, message: &Message<'_>) -> Result<(), AxfrError> {
        let [questions, answers, ..] = message.header().counts;
        let mut reader = Reader::new(message.bytes()).at(HEADER_LENGTH);
        for _ in 0..questions {
            reader.skip_name()?;
            reader.take(4)?;
        }
        let mut owners = Owners::default();
        for _ in 0..answers {
            owners.read(message.bytes(), &mut reader)?;
            self.take_record(message.bytes(), &mut reader, &owners.last)?;
        }
        self.received.records = self.received.records.saturating_add(u64::from(answers));
        Ok(())
    }

    fn take_record(&mut self, message: &[u8], reader: &mut Reader<'_>, owner: &NameBuf) -> Result<(), AxfrError> {
        let (rtype, class, ttl) = (Rtype(reader.u16()?), Class(reader.u16()?), reader.u32()?);
        let length = usize::from(reader.u16()?);
        let start = reader.position();
        reader.take(length)?;
        if class != self.class {
            return Err(Flaw::RecordClass.into());
        }
        if rtype.is_meta() || rtype == Rtype(0) {
            return Err(Flaw::MetaType(rtype).into());
        }
        self.rdata.clear();
        rdata::from_wire(rtype, message, start..reader.position(), &mut self.rdata)?;
        let fields = Fields { rtype, ttl: if ttl > MAX_TTL { 0 } else { ttl } };
        if rtype == Rtype::SOA { self.take_soa(&fields, owner) } else { self.take_data(&fields, owner) }
    }

    /// The first SOA record starts the zone, the second ends it.
    fn take_soa(&mut self, fields: &Fields, owner: &NameBuf) -> Result<(), AxfrError> {
        if owner.as_ref() != self.apex.as_ref() {
            return Err(AxfrError::NotZoneTop);
        }
        match self.state {
            State::Start => {
                self.first_soa.clone_from(&self.rdata);
                self.builder.add(owner.as_ref(), fields.rtype, fields.ttl, &self.rdata)?;
                self.state = State::FirstRecord;
            }
            State::FirstRecord | State::Records if self.first_soa == self.rdata => self.state = State::End,
            State::FirstRecord if self.have.is_some() => return Err(AxfrError::Differences),
            State::FirstRecord | State::Records => return Err(Flaw::SoaMismatch.into()),
            State::End => return Err(AxfrError::ExtraData),
        }
        Ok(())
    }

    fn take_data(&mut self, fields: &Fields, owner: &NameBuf) -> Result<(), AxfrError> {
        match self.state {
            State::Start => return Err(Flaw::FirstRecord.into()),
            State::End => return Err(AxfrError::ExtraData),
            State::FirstRecord | State::Records => self.state = State::Records,
        }
        match self.builder.add(owner.as_ref(), fields.rtype, fields.ttl, &self.rdata) {
            Err(ContentsError::OutOfZone) => {
                self.received.out_of_zone = self.received.out_of_zone.saturating_add(1);
                Ok(())
            }
            added => Ok(added?),
        }
    }

    fn progress(&mut self) -> Result<Progress, AxfrError> {
        match self.state {
            State::FirstRecord => match (self.have, message::serial_of(&self.first_soa)) {
                (Some(have), Some(serial)) if !serial.is_newer_than(have) => {
                    self.state = State::End;
                    Ok(Progress::UpToDate(serial))
                }
                _ => Ok(Progress::More),
            },
            State::Start | State::Records => Ok(Progress::More),
            State::End => self.finish().map(|version| Progress::Done(Box::new(version))),
        }
    }

    /// A zone needs NS records at its apex, and none that exclude each other; the builder counts the SOA records.
    fn finish(&mut self) -> Result<ZoneVersion, AxfrError> {
        let empty = Builder::new(self.apex.clone(), self.class);
        let version = std::mem::replace(&mut self.builder, empty).finish()?;
        let has_ns = version.apex_node().is_some_and(|apex| apex.rrset(Rtype::NS).is_some());
        if let Some((_, conflict)) = check::conflicts(&version).next() {
            return Err(conflict.into());
        }
        if has_ns { Ok(version) } else { Err(AxfrError::NoNs) }
    }
}

impl std::fmt::Debug for AxfrIn<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "AxfrIn({}, {:?}, {:?})", self.apex, self.state, self.received)
    }
}

/// The owners of successive records. An owner is mostly a pointer to the owner before, which is decompressed already.
struct Owners {
    last: NameBuf,
    /// Where `last` stands in the message.
    place: Option<usize>,
}

impl Default for Owners {
    fn default() -> Self {
        Self { last: NameBuf::root(), place: None }
    }
}

impl Owners {
    fn read(&mut self, message: &[u8], reader: &mut Reader<'_>) -> Result<(), WireError> {
        let start = reader.position();
        let bytes = message.get(start..).and_then(|rest| rest.first_chunk::<2>());
        let target = bytes.map(|&bytes| u16::from_be_bytes(bytes)).filter(|&pointer| pointer >= 0xc000);
        let target = target.map(|pointer| usize::from(pointer & 0x3fff));
        if target.is_some() && target == self.place {
            reader.take(2)?;
            return Ok(());
        }
        self.last = reader.name()?;
        self.place = target.or(Some(start));
        Ok(())
    }
}

#[cfg(test)]
mod tests;
