//! The messages that refresh and NOTIFY exchange: built and read here, signed by [`crate::dns::tsig`].
//!
//! Requests are written by hickory-proto, which costs nothing that matters here: one goes out for each check of a
//! zone. Replies are read with the codec of floor 1, because hickory-proto refuses a whole message for one record that
//! it does not like, though the SOA record beside it is sound; and the TSIG is verified on those bytes anyway. RFC
//! 1035, RFC 1996 (NOTIFY), RFC 1995 (IXFR), RFC 7314 (EDNS EXPIRE).

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use hickory_proto::ProtoError;
use hickory_proto::op::{self, MessageType, OpCode, Query};
use hickory_proto::rr::rdata::opt::EdnsOption;
use hickory_proto::rr::{self, RData, RecordType};
use hickory_proto::serialize::binary::{BinDecoder, Restrict};
use thiserror::Error;

use crate::dns::edns::{Edns, option};
use crate::dns::message::{Header, Message, Record, Section};
use crate::dns::tsig::{Chain, TsigError};
use crate::dns::wire::WireError;
use crate::dns::writer::MAX_MESSAGE;
use crate::dns::{Class, Key, NameRef, Opcode, Rcode, Rtype, Serial};

/// The OPT record of a request.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opt {
    /// The UDP size that it advertises.
    pub udp_bytes: u16,
    /// Whether it asks which server answers (`request-nsid`).
    pub nsid: bool,
    /// Whether it asks how long the copy of a secondary lives (`request-expire`).
    pub expire: bool,
}

/// What a request asks.
#[derive(Debug, Clone, Copy)]
pub enum Ask<'a> {
    /// The zone's SOA record.
    Soa,
    /// The whole zone.
    Axfr,
    /// What changed since the version with this TTL and SOA data.
    Ixfr(u32, &'a [u8]),
    /// Nothing: tells of a version with this SOA data.
    Notify(&'a [u8]),
}

/// Writes a request about `zone`; sign it with [`sign`]. It fails only for SOA data that is none.
pub fn request(
    id: u16,
    zone: NameRef<'_>,
    class: Class,
    ask: Ask<'_>,
    opt: Option<Opt>,
) -> Result<Vec<u8>, ProtoError> {
    let (qtype, op_code) = match ask {
        Ask::Soa => (RecordType::SOA, OpCode::Query),
        Ask::Axfr => (RecordType::AXFR, OpCode::Query),
        Ask::Ixfr(..) => (RecordType::IXFR, OpCode::Query),
        Ask::Notify(..) => (RecordType::SOA, OpCode::Notify),
    };
    let name = rr::Name::from_labels(zone.labels())?;
    let mut query = Query::query(name.clone(), qtype);
    query.set_query_class(class.0.into());
    let mut message = op::Message::new(id, MessageType::Query, op_code);
    message.add_query(query);
    match ask {
        Ask::Soa | Ask::Axfr => {}
        Ask::Ixfr(ttl, soa) => message.authorities.push(soa_record(name, class, ttl, soa)?),
        Ask::Notify(soa) => {
            // RFC 1996 section 3.3. The TTL tells nothing; BIND has 0 there.
            message.metadata.authoritative = true;
            message.answers.push(soa_record(name, class, 0, soa)?);
        }
    }
    message.edns = opt.map(edns);
    message.to_vec()
}

fn soa_record(owner: rr::Name, class: Class, ttl: u32, data: &[u8]) -> Result<rr::Record, ProtoError> {
    let length = u16::try_from(data.len()).unwrap_or(u16::MAX);
    let data = RData::read(&mut BinDecoder::new(data), RecordType::SOA, Restrict::new(length))?;
    let mut record = rr::Record::from_rdata(owner, ttl, data);
    record.dns_class = class.0.into();
    Ok(record)
}

fn edns(opt: Opt) -> op::Edns {
    let mut edns = op::Edns::new();
    edns.set_max_payload(opt.udp_bytes);
    // An empty option asks for the value (RFC 5001 section 2.1, RFC 7314 section 2).
    for (code, _) in [(option::NSID, opt.nsid), (option::EXPIRE, opt.expire)].into_iter().filter(|(_, asks)| *asks) {
        edns.options_mut().insert(EdnsOption::Unknown(code, Vec::new()));
    }
    edns
}

/// Appends the request's TSIG.
pub fn sign(chain: &mut Chain<&Key>, request: &mut Vec<u8>, now_s: u64) {
    if request.len() < MAX_MESSAGE {
        chain.sign_request(request, now_s).append_to(request);
    }
}

/// What a primary says when asked for its SOA record.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum SoaReply {
    /// It is authoritative and has this version; `expire_s` is what its EXPIRE option says.
    Current {
        /// The serial.
        serial: Serial,
        /// How long its copy will live.
        expire_s: Option<u32>,
    },
    /// Another rcode than NOERROR; whether an OPT record came with it.
    Rcode(Rcode, bool),
    /// TC is set.
    Truncated,
    /// NOERROR, but no use.
    Unusable(Unusable),
    /// It answers a request of another kind.
    Opcode(Opcode),
    /// It does not verify.
    Tsig(TsigError),
    /// It cannot be read, or contradicts itself.
    Malformed(WireError),
}

/// Why an answer does not tell the serial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Unusable {
    /// AA is clear.
    NotAuthoritative,
    /// The zone's name has a CNAME record.
    Cname,
    /// NS records instead of an answer.
    Referral,
    /// No answer.
    NoData,
    /// So many SOA records, instead of one.
    SoaCount(usize),
    /// A SOA record of another zone.
    OtherSoa,
}

/// Whether `bytes` answer the request with this ID, be it in a way that is of no use; what else comes to the same
/// socket is passed over. As with BIND, which does not look at the question either.
pub fn answers(bytes: &[u8], id: u16) -> bool {
    let header = Message::new(bytes).map(|message| message.header());
    header.is_ok_and(|header| header.id == id && header.is_response())
}

/// Reads the answer to a SOA query. With `chain`, which signed the query, it must be signed.
pub fn read_soa_reply(bytes: &[u8], zone: NameRef<'_>, chain: Option<&mut Chain<&Key>>, now_s: u64) -> SoaReply {
    let message = match Message::new(bytes) {
        Ok(message) => message,
        Err(error) => return SoaReply::Malformed(error),
    };
    if let Some(Err(error)) = chain.map(|chain| chain.check_response(&message, now_s)) {
        return SoaReply::Tsig(error);
    }
    let found = match Found::read(&message, zone) {
        Ok(found) => found,
        Err(error) => return SoaReply::Malformed(error),
    };
    let header = message.header();
    if header.opcode() != Opcode::QUERY {
        return SoaReply::Opcode(header.opcode());
    }
    let rcode = Rcode(found.high_rcode << 4 | header.rcode().0);
    if rcode != Rcode::NOERROR {
        return SoaReply::Rcode(rcode, found.has_opt);
    }
    if header.tc() {
        return SoaReply::Truncated;
    }
    match (found.fault(header), found.soa.as_deref().and_then(serial_of)) {
        (Some(fault), _) => SoaReply::Unusable(fault),
        (None, Some(serial)) => SoaReply::Current { serial, expire_s: found.expire_s },
        (None, None) => SoaReply::Unusable(Unusable::NoData),
    }
}

/// Why an answer to a NOTIFY says nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Error)]
pub enum NotifyFault {
    /// It does not verify.
    #[error(transparent)]
    Tsig(#[from] TsigError),
    /// It cannot be read.
    #[error(transparent)]
    Wire(#[from] WireError),
}

/// Reads the answer to a NOTIFY. What it answers does not matter to BIND.
pub fn read_notify_reply(bytes: &[u8], chain: Option<&mut Chain<&Key>>, now_s: u64) -> Result<Rcode, NotifyFault> {
    let message = Message::new(bytes)?;
    chain.map_or(Ok(()), |chain| chain.check_response(&message, now_s))?;
    records(&message).try_for_each(|record| record.map(drop))?;
    Ok(message.header().rcode())
}

/// The records of an answer; of more than one question or class it is none.
fn records<'a>(message: &Message<'a>) -> impl Iterator<Item = Result<Record, WireError>> + use<'a> {
    let [questions, ..] = message.header().counts;
    let question = message.questions().next().and_then(Result::ok);
    let mut class = question.map(|question| question.class);
    message.records().map(move |record| {
        let record = record?;
        let has_class = !matches!(record.rtype, Rtype::OPT | Rtype::TSIG);
        let is_of_one = !has_class || *class.get_or_insert(record.class) == record.class;
        if questions <= 1 && is_of_one { Ok(record) } else { Err(WireError::BadField) }
    })
}

/// What the records of an answer are.
#[derive(Debug, Default)]
struct Found {
    /// The data of the zone's SOA record.
    soa: Option<Vec<u8>>,
    /// SOA records of other names.
    other_soas: usize,
    has_cname: bool,
    has_authority_ns: bool,
    has_authority_soa: bool,
    has_opt: bool,
    high_rcode: u16,
    expire_s: Option<u32>,
}

impl Found {
    fn read(message: &Message<'_>, zone: NameRef<'_>) -> Result<Self, WireError> {
        let mut found = Self::default();
        for record in records(message) {
            let record = record?;
            match (record.section, record.rtype) {
                (Section::Answer, Rtype::SOA) if record.owner.as_ref() == zone => {
                    found.add_soa(soa_data(message, record.rdata.clone())?)?;
                }
                (Section::Answer, Rtype::SOA) => found.other_soas = found.other_soas.saturating_add(1),
                (Section::Answer, Rtype::CNAME) => found.has_cname = true,
                (Section::Authority, Rtype::NS) => found.has_authority_ns = true,
                (Section::Authority, Rtype::SOA) => found.has_authority_soa = true,
                (Section::Additional, Rtype::OPT) => {
                    let edns = Edns::read(&record, message.rdata(&record))?;
                    found.has_opt = true;
                    found.high_rcode = (record.ttl >> 24) as u16;
                    found.expire_s = expire_of(&edns);
                }
                _ => {}
            }
        }
        Ok(found)
    }

    /// A name has one SOA record, or the same several times.
    fn add_soa(&mut self, data: Vec<u8>) -> Result<(), WireError> {
        if self.soa.as_ref().is_some_and(|before| *before != data) {
            return Err(WireError::BadField);
        }
        self.soa = Some(data);
        Ok(())
    }

    /// In the order in which BIND looks for them.
    fn fault(&self, header: Header) -> Option<Unusable> {
        match self.other_soas.saturating_add(self.soa.iter().count()) {
            _ if !header.aa() => Some(Unusable::NotAuthoritative),
            _ if self.has_cname => Some(Unusable::Cname),
            0 if self.has_authority_ns && !self.has_authority_soa => Some(Unusable::Referral),
            0 => Some(Unusable::NoData),
            1 if self.soa.is_none() => Some(Unusable::OtherSoa),
            1 => None,
            count => Some(Unusable::SoaCount(count)),
        }
    }
}

/// The data of a SOA record, whose names may be compressed.
fn soa_data(message: &Message<'_>, range: std::ops::Range<usize>) -> Result<Vec<u8>, WireError> {
    let mut data = Vec::new();
    crate::dns::rdata::from_wire(Rtype::SOA, message.bytes(), range, &mut data)?;
    Ok(data)
}

/// The serial within SOA data: the first of five numbers at the end.
pub(super) fn serial_of(soa: &[u8]) -> Option<Serial> {
    let (_, numbers) = soa.split_last_chunk::<20>()?;
    numbers.first_chunk().map(|serial| Serial(u32::from_be_bytes(*serial)))
}

fn expire_of(edns: &Edns<'_>) -> Option<u32> {
    edns.options().find_map(|(code, data)| match (code, <[u8; 4]>::try_from(data)) {
        (option::EXPIRE, Ok(value)) => Some(u32::from_be_bytes(value)),
        _ => None,
    })
}

#[cfg(test)]
mod tests;
