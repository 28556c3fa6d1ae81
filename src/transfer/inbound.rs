//! Receiving a zone: a stream of messages becomes a zone version (RFC 5936, RFC 1995).
//!
//! Messages go in one at a time; the zone comes out whole behind its last record, or never. The answer to IXFR may be
//! the zone as well as differences. With a key every message must be signed, so that nothing enters the zone which no
//! signature covers (the rule of Debian's bind9 since CVE-2026-19033). Records outside the zone are dropped
//! (CVE-2026-78301). The reasons of failure have BIND's words.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod differences;
mod fault;

use self::differences::Differences;
pub use self::fault::{Flaw, Remark, StreamError};
use super::message;
use crate::dns::message::{HEADER_LENGTH, Header, Message};
use crate::dns::tsig::Chain;
use crate::dns::wire::{Reader, WireError};
use crate::dns::{Class, Key, Name, NameBuf, Opcode, Rcode, Rtype, Serial, rdata};
use crate::zone::hosts::Misnamed;
use crate::zone::journal::Transaction;
use crate::zone::message::Strictness;
use crate::zone::{Builder, ContentsError, Limits, WildcardOwner, ZoneVersion, check};

/// TTLs above this count as 0 (RFC 2181 section 8).
const MAX_TTL: u32 = 0x7fff_ffff;

/// What came in, for the line at the end. As with named a message counts once all of it was taken, and not where it
/// says that there is nothing newer.
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
    /// The serial of the version that the primary began to tell of.
    pub serial: Option<Serial>,
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
    /// The zone is complete, and this led to it from what was there.
    Changed(Box<ZoneVersion>, Vec<Transaction>),
}

/// A transfer under way.
pub struct Inbound<'a> {
    apex: Name,
    class: Class,
    id: u16,
    /// The version in an IXFR request; none for AXFR.
    have: Option<&'a ZoneVersion>,
    limits: Limits,
    /// How many differences are taken; 0: as many as come.
    max_differences: u32,
    check_names: Strictness,
    chain: Option<Chain<&'a Key>>,
    builder: Builder,
    differences: Option<Box<Differences<'a>>>,
    is_incremental: bool,
    remarks: Vec<Remark>,
    state: State,
    /// The first record's data, which the last one's must equal but for the case of letters, and its TTL.
    first_soa: Vec<u8>,
    first_ttl: u32,
    /// The last record, where it is not spelt like the first.
    last_soa: Option<(u32, Vec<u8>)>,
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
    Differences,
    /// The SOA record tells of nothing newer.
    UpToDate(Serial),
    End,
}

/// One record's fixed fields.
struct Fields {
    rtype: Rtype,
    ttl: u32,
}

impl<'a> Inbound<'a> {
    /// Awaits the answer to a request with this ID. `have` is the version of an IXFR request; `chain` signed the
    /// request.
    pub fn new(
        apex: Name,
        class: Class,
        id: u16,
        have: Option<&'a ZoneVersion>,
        chain: Option<Chain<&'a Key>>,
        limits: Limits,
    ) -> Self {
        let builder = Builder::new(apex.clone(), class).with_limits(limits);
        let (first_soa, rdata) = (Vec::new(), Vec::new());
        let (state, received) = (State::Start, Received::default());
        let differences = None;
        let max_differences = 0;
        Self {
            apex,
            class,
            id,
            have,
            limits,
            max_differences,
            check_names: Strictness::Ignore,
            chain,
            builder,
            differences,
            is_incremental: false,
            remarks: Vec::new(),
            state,
            first_soa,
            first_ttl: 0,
            last_soa: None,
            rdata,
            received,
        }
    }

    /// Takes at most so many differences; 0: as many as come.
    pub fn with_max_differences(self, max_differences: u32) -> Self {
        Self { max_differences, ..self }
    }

    /// Judges names as `check-names` of the zone says.
    pub fn with_check_names(self, check_names: Strictness) -> Self {
        Self { check_names, ..self }
    }

    /// Takes the next message. After an error or anything but [`Progress::More`] the transfer is over.
    pub fn feed(&mut self, bytes: &[u8], now_s: u64) -> Result<Progress, StreamError> {
        if self.state == State::End {
            return Err(StreamError::ExtraData);
        }
        let message = Message::new(bytes)?;
        self.check_header(message.header())?;
        if let Some(chain) = &mut self.chain {
            chain.check_response(&message, now_s)?;
        }
        self.check_question(&message)?;
        self.take_records(&message).inspect_err(|error| {
            // named reads a message whole before it looks at its records.
            if matches!(error, StreamError::Wire(_)) {
                self.remarks.clear();
            }
        })?;
        if !matches!(self.state, State::UpToDate(_)) {
            self.received.messages = self.received.messages.saturating_add(1);
            self.received.bytes = self.received.bytes.saturating_add(bytes.len() as u64);
        }
        self.progress()
    }

    /// What came in.
    pub fn received(&self) -> Received {
        self.received
    }

    /// What named says of the records that came in since this was last asked for: some are not as they should be.
    pub fn take_remarks(&mut self) -> Vec<Remark> {
        std::mem::take(&mut self.remarks)
    }

    /// Whether the whole zone is to be asked for at once, where differences were asked for and this came. Not where
    /// the next stream would break off in the same place.
    pub fn suggests_axfr(&self, error: &StreamError) -> bool {
        self.have.is_some()
            && match error {
                StreamError::Tsig(_) => false,
                StreamError::UnexpectedEnd | StreamError::Misnamed(_) => self.state == State::Differences,
                _ => true,
            }
    }

    /// Whether differences have begun to come.
    pub fn is_incremental(&self) -> bool {
        self.is_incremental
    }

    fn check_header(&self, header: Header) -> Result<(), StreamError> {
        if header.id != self.id {
            return Err(StreamError::Id);
        }
        if !header.is_response() {
            return Err(Flaw::NotResponse.into());
        }
        if header.opcode() != Opcode::QUERY {
            return Err(StreamError::Opcode);
        }
        if header.rcode() != Rcode::NOERROR {
            return Err(StreamError::Rcode(header.rcode()));
        }
        Ok(())
    }

    /// The first message repeats the question, later ones may (RFC 5936 section 2.2.1).
    fn check_question(&self, message: &Message<'_>) -> Result<(), StreamError> {
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
    fn take_records(&mut self, message: &Message<'_>) -> Result<(), StreamError> {
        let [questions, answers, ..] = message.header().counts;
        if answers == 0 && self.have.is_some() && self.state == State::Start {
            return Err(StreamError::NoAnswer);
        }
        let mut reader = Reader::new(message.bytes()).at(HEADER_LENGTH);
        for _ in 0..questions {
            reader.skip_name()?;
            reader.take(4)?;
        }
        let mut owners = Owners::default();
        for _ in 0..answers {
            owners.read(message.bytes(), &mut reader)?;
            self.received.records = self.received.records.saturating_add(1);
            self.take_record(message.bytes(), &mut reader, &owners.last)?;
            if matches!(self.state, State::UpToDate(_)) {
                break;
            }
        }
        Ok(())
    }

    fn take_record(&mut self, message: &[u8], reader: &mut Reader<'_>, owner: &NameBuf) -> Result<(), StreamError> {
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

    /// The first SOA record starts the zone. The second ends it, or is that of the version that differences start from.
    fn take_soa(&mut self, fields: &Fields, owner: &NameBuf) -> Result<(), StreamError> {
        if owner.as_ref() != self.apex.as_ref() {
            return Err(StreamError::NotZoneTop);
        }
        match self.state {
            State::Start => self.take_first(fields)?,
            State::FirstRecord | State::Records if self.is_first_again() => self.take_last(fields, owner)?,
            State::FirstRecord if self.starts_differences() => self.begin_differences(fields)?,
            State::FirstRecord | State::Records => return Err(Flaw::SoaMismatch.into()),
            State::Differences => {
                self.check_names(fields.rtype, owner)?;
                self.take_difference(fields, None)?;
            }
            State::UpToDate(_) | State::End => return Err(StreamError::ExtraData),
        }
        Ok(())
    }

    fn take_first(&mut self, fields: &Fields) -> Result<(), StreamError> {
        let serial = message::serial_of(&self.rdata).ok_or(Flaw::Record)?;
        self.received.serial = Some(serial);
        if self.have.is_some_and(|have| !serial.is_newer_than(have.serial())) {
            self.state = State::UpToDate(serial);
            return Ok(());
        }
        (self.first_soa, self.first_ttl) = (self.rdata.clone(), fields.ttl);
        self.builder.add(self.apex.as_ref(), fields.rtype, fields.ttl, &self.rdata)?;
        self.state = State::FirstRecord;
        Ok(())
    }

    fn is_first_again(&self) -> bool {
        rdata::compare(Rtype::SOA, &self.first_soa, &self.rdata).is_eq()
    }

    /// BIND: of the two it is the last that is kept.
    fn take_last(&mut self, fields: &Fields, owner: &NameBuf) -> Result<(), StreamError> {
        self.check_names(fields.rtype, owner)?;
        self.state = State::End;
        let is_same = self.first_soa == self.rdata && self.first_ttl == fields.ttl;
        self.last_soa = (!is_same).then(|| (fields.ttl, self.rdata.clone()));
        Ok(())
    }

    fn starts_differences(&self) -> bool {
        self.have.is_some_and(|have| message::serial_of(&self.rdata) == Some(have.serial()))
    }

    fn begin_differences(&mut self, fields: &Fields) -> Result<(), StreamError> {
        let last = message::serial_of(&self.first_soa);
        let (limits, most) = (self.limits, self.max_differences);
        self.differences = self.have.zip(last).map(|(have, last)| Box::new(Differences::new(have, last, limits, most)));
        (self.state, self.is_incremental) = (State::Differences, true);
        self.take_difference(fields, None)
    }

    /// Takes a record of differences; without an owner, a SOA record of the apex.
    fn take_difference(&mut self, fields: &Fields, owner: Option<&NameBuf>) -> Result<(), StreamError> {
        let Some(differences) = &mut self.differences else { return Err(StreamError::ExtraData) };
        match owner {
            Some(owner) => differences.take_data(owner.as_ref(), fields, &self.rdata)?,
            None if differences.take_soa(fields, &self.rdata, &mut self.remarks)? => self.state = State::End,
            None => {}
        }
        Ok(())
    }

    fn take_data(&mut self, fields: &Fields, owner: &NameBuf) -> Result<(), StreamError> {
        match self.state {
            State::Start => return Err(Flaw::FirstRecord.into()),
            State::UpToDate(_) | State::End => return Err(StreamError::ExtraData),
            State::FirstRecord | State::Records | State::Differences => self.check_names(fields.rtype, owner)?,
        }
        let added = match self.state {
            State::Differences if self.have.is_some_and(|have| have.relative(owner.as_ref()).is_none()) => {
                Err(ContentsError::OutOfZone)
            }
            State::Differences => return self.take_difference(fields, Some(owner)),
            _ => {
                self.state = State::Records;
                let (owner, rtype) = (owner.as_ref(), fields.rtype);
                let checked = WildcardOwner::check(owner, rtype).map_err(ContentsError::from);
                checked.and_then(|()| self.builder.add(owner, rtype, fields.ttl, &self.rdata))
            }
        };
        match added {
            Err(ContentsError::OutOfZone) => {
                self.received.out_of_zone = self.received.out_of_zone.saturating_add(1);
                Ok(())
            }
            added => Ok(added?),
        }
    }

    /// Judges the names of a record that is to be in the zone, or would be if it were not outside it.
    #[inline]
    fn check_names(&mut self, rtype: Rtype, owner: &NameBuf) -> Result<(), StreamError> {
        let strictness = if rtype == Rtype::NSEC3 { Strictness::Fail } else { self.check_names };
        let is_deletion = self.differences.as_ref().is_some_and(|differences| !differences.would_add(rtype));
        let is_asked = strictness != Strictness::Ignore && !is_deletion;
        if !is_asked || Misnamed::is_in_none(owner.as_ref(), rtype, self.class, &self.rdata) {
            return Ok(());
        }
        for misnamed in Misnamed::all(owner.as_ref(), rtype, self.class, &self.rdata) {
            if strictness == Strictness::Fail {
                return Err(StreamError::Misnamed(Box::new(misnamed)));
            }
            self.remarks.push(Remark::Misnamed(misnamed));
        }
        Ok(())
    }

    fn progress(&mut self) -> Result<Progress, StreamError> {
        match (self.state, self.differences.take_if(|_| self.state == State::End)) {
            (State::UpToDate(serial), _) => Ok(Progress::UpToDate(serial)),
            (State::End, Some(differences)) => {
                let (version, transactions) = differences.finish()?;
                Ok(Progress::Changed(Box::new(checked(version)?), transactions))
            }
            (State::End, None) => self.finish().map(|version| Progress::Done(Box::new(version))),
            _ => Ok(Progress::More),
        }
    }

    /// None of the records exclude each other; the builder counts the SOA records.
    fn finish(&mut self) -> Result<ZoneVersion, StreamError> {
        let empty = Builder::new(self.apex.clone(), self.class);
        let version = std::mem::replace(&mut self.builder, empty).finish()?;
        if let Some((_, conflict)) = check::conflicts(&version).next() {
            return Err(conflict.into());
        }
        match self.last_soa.take() {
            Some((ttl, data)) => checked(self.with_soa(&version, ttl, &data)?),
            None => checked(version),
        }
    }

    /// The same version with its SOA record as it came last.
    fn with_soa(&self, version: &ZoneVersion, ttl: u32, data: &[u8]) -> Result<ZoneVersion, StreamError> {
        let mut edit = version.edit(self.limits);
        let changed = edit
            .remove(self.apex.as_ref(), Rtype::SOA, &self.first_soa)
            .and_then(|()| edit.add(self.apex.as_ref(), Rtype::SOA, ttl, data));
        changed.map_err(|_| StreamError::BadZone)?;
        Ok(edit.finish()?)
    }
}

/// A zone needs NS records at its apex.
fn checked(version: ZoneVersion) -> Result<ZoneVersion, StreamError> {
    let has_ns = version.apex_node().is_some_and(|apex| apex.rrset(Rtype::NS).is_some());
    if has_ns { Ok(version) } else { Err(StreamError::NoNs) }
}

impl std::fmt::Debug for Inbound<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Inbound({}, {:?}, {:?})", self.apex, self.state, self.received)
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
