//! The end of every reply: errors without records, OPT, the header, and TSIG.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::cookie::CookieState;
use super::opt::{Opt, PROHIBITED};
use super::request::Request;
use super::respond::{Job, Outcome, Signer, is_known};
use super::snapshot::EdnsPolicy;
use crate::dns::edns::{Edns, MIN_UDP_SIZE};
use crate::dns::tsig::{self, Built};
use crate::dns::writer::{Case, MAX_MESSAGE, Writer};
use crate::dns::{Rcode, Rtype};

/// Room for what the answer may yet add to OPT: the EXPIRE option and ZONEVERSION.
const EXPIRE_LENGTH: usize = 8;
const ZONEVERSION_LENGTH: usize = 10;
/// Longest record that refuses a TSIG: two names, the fixed fields, a MAC and the server's time.
const MAX_REFUSAL_LENGTH: usize = 255 + 255 + 26 + tsig::MAX_MAC + 6;
/// Errors over UDP are not sent to this port: kpasswd (BIND).
const ERROR_DROPPED_PORT: u16 = 464;

/// What the header of a reply says.
#[derive(Clone, Copy)]
pub(super) struct Head {
    pub(super) rcode: Rcode,
    pub(super) is_authoritative: bool,
    pub(super) is_truncated: bool,
}

impl From<Rcode> for Head {
    fn from(rcode: Rcode) -> Self {
        Self { rcode, is_authoritative: false, is_truncated: false }
    }
}

impl Job<'_> {
    /// The largest reply that this client takes, which takes so much over UDP.
    pub(super) fn limit(&self, udp_size: u16) -> usize {
        if self.is_tcp() {
            return MAX_MESSAGE;
        }
        if self.scratch.facts.cookie == CookieState::Valid {
            return udp_size.into();
        }
        udp_size.min(self.edns_policy().nocookie_udp_size).into()
    }

    /// The largest reply over UDP that the client would have and may have, whether or not it is who it says.
    #[inline]
    pub(super) fn udp_size(&self) -> u16 {
        let theirs = self.request.edns.as_ref().map_or(MIN_UDP_SIZE, Edns::response_size);
        if theirs > MIN_UDP_SIZE { theirs.min(self.most_over_udp()) } else { theirs }
    }

    /// The most that the client may have over UDP.
    fn most_over_udp(&self) -> u16 {
        let own = self.view.filter(|view| !view.peers.is_empty());
        let own = own.and_then(|view| view.peer(self.client.source.ip())?.max_udp_size);
        own.unwrap_or(self.edns_policy().max_udp_size)
    }

    /// How EDNS is spoken to this client.
    pub(super) fn edns_policy(&self) -> &EdnsPolicy {
        self.view.map_or(&self.snapshot.edns, |view| &view.edns)
    }

    /// What OPT and TSIG will take.
    pub(super) fn tail_length(&self) -> usize {
        let opt = self.opt.as_ref().map_or(0, Opt::len);
        let is_soa = self.request.question.is_some_and(|question| question.rtype == Rtype::SOA);
        let expire = if self.request.wishes.asked.expire && is_soa { EXPIRE_LENGTH } else { 0 };
        let version = if self.request.wishes.asked.zone_version { ZONEVERSION_LENGTH } else { 0 };
        opt.saturating_add(expire).saturating_add(version).saturating_add(self.signature_length())
    }

    /// What TSIG will take.
    pub(super) fn signature_length(&self) -> usize {
        match &self.signer {
            Signer::Nobody => 0,
            Signer::Key(chain) => chain.record_length(),
            Signer::Refusal(_) => MAX_REFUSAL_LENGTH,
        }
    }

    /// Refuses with an error and says that it is a matter of permission.
    pub(super) fn prohibit(&mut self, rcode: Rcode, reply: &mut [u8]) -> Outcome {
        if let Some(opt) = &mut self.opt {
            opt.error = Some(PROHIBITED);
        }
        self.refuse(rcode, reply)
    }

    /// A reply without records, in most cases an error.
    pub(super) fn refuse(&mut self, rcode: Rcode, reply: &mut [u8]) -> Outcome {
        if self.must_keep_silent(rcode) || self.is_error_over_limit(rcode) {
            return Outcome::Drop;
        }
        self.reply_without_records(rcode.into(), reply)
    }

    /// A reply of header, question, OPT and TSIG.
    pub(super) fn reply_without_records(&mut self, head: Head, reply: &mut [u8]) -> Outcome {
        let (limit, signature) = (self.limit(self.udp_size()), self.signature_length());
        let request = self.request;
        let mut writer = Writer::new(reply, limit, &mut self.scratch.names, Case::Kept);
        let [questions, ..] = request.header.counts;
        if is_known(request.header.opcode()) && !request.questions.is_empty() {
            // Without room for the question the reply goes without it.
            let _ = writer.questions_as_sent(request.questions, questions);
        }
        let length = close(writer, self.opt.as_ref(), signature, request, head);
        self.finish(length, head, reply)
    }

    /// Signs the message of so many bytes if it is to be signed, and notes what it says.
    pub(super) fn finish(&mut self, length: usize, head: Head, reply: &mut [u8]) -> Outcome {
        if length == 0 {
            return Outcome::Drop;
        }
        let facts = &mut self.scratch.facts;
        facts.rcode = head.rcode;
        facts.reply_has_edns = self.opt.is_some();
        facts.reply_is_signed = !matches!(self.signer, Signer::Nobody);
        (facts.is_authoritative, facts.is_truncated) = (head.is_authoritative, head.is_truncated);
        let message = reply.get(..length).unwrap_or_default();
        let built = match &mut self.signer {
            Signer::Nobody => return Outcome::Reply(length),
            Signer::Key(chain) => chain.sign(message, self.now_s),
            Signer::Refusal(refusal) => refusal.sign(message, self.now_s),
        };
        append(reply, length, &built).map_or(Outcome::Drop, Outcome::Reply)
    }

    /// Two servers that answer each other's errors would do so for ever (BIND semantics 12.4).
    fn must_keep_silent(&mut self, rcode: Rcode) -> bool {
        if self.is_tcp() || rcode == Rcode::NOERROR {
            return false;
        }
        if self.client.source.port() == ERROR_DROPPED_PORT {
            return true;
        }
        let this = (self.client.source, self.now_s, self.request.header.id);
        rcode == Rcode::FORMERR && self.scratch.last_formerr.replace(this) == Some(this)
    }
}

/// Appends OPT, writes the header, and returns the length.
pub(super) fn close(
    mut writer: Writer<'_>,
    opt: Option<&Opt<'_>>,
    signature: usize,
    request: &Request<'_>,
    head: Head,
) -> usize {
    if let Some(opt) = opt {
        // A text that explains an error is no reason to go without OPT.
        if opt.write(&mut writer, head.rcode, signature).is_err() {
            let _ = Opt { error: None, ..*opt }.write(&mut writer, head.rcode, signature);
        }
    }
    let header = request.header.response(head.rcode);
    let header = if head.is_authoritative { header.with_aa() } else { header };
    writer.finish(if head.is_truncated { header.with_tc() } else { header })
}

/// Appends a TSIG record to the message of `length` bytes and counts it.
fn append(reply: &mut [u8], length: usize, built: &Built) -> Option<usize> {
    let record = built.as_bytes();
    let end = length.checked_add(record.len())?;
    reply.get_mut(length..end)?.copy_from_slice(record);
    let count = reply.get_mut(10..12)?.first_chunk_mut()?;
    *count = u16::from_be_bytes(*count).checked_add(1)?.to_be_bytes();
    Some(end)
}
