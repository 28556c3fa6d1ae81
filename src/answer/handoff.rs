//! Requests that are more than a question: transfers, NOTIFY and UPDATE. Here they are allowed or refused; to carry out
//! what is allowed is the server's part.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::sync::Arc;

use super::deferred::Update;
use super::facts::Denied;
use super::opt::Opt;
use super::reply::Head;
use super::request::Question;
use super::respond::{Job, Outcome, Signer, Transfer, Transport};
use super::snapshot::{TransferOut, View, Zone, ZoneRole};
use crate::dns::message::{HEADER_LENGTH, Header, Message, Section};
use crate::dns::tsig::Chain;
use crate::dns::wire::Reader;
use crate::dns::{Key, Rcode, Rtype};

impl Transfer {
    /// The reply where there is no place for the transfer: SERVFAIL with the question, OPT and TSIG as in any reply.
    pub fn refusal(&self, request: &Message<'_>, chain: Option<Chain<Arc<Key>>>, now_s: u64) -> Option<Vec<u8>> {
        let mut question = Reader::new(request.bytes()).at(HEADER_LENGTH);
        question.skip_name().ok()?;
        question.take(QUESTION_TAIL).ok()?;
        let opt = self.opts.as_ref().map_or(&[][..], |[first, _]| first);
        let counts = [1, 0, 0, u16::from(!opt.is_empty())];
        let header = Header { counts, ..request.header().response(Rcode::SERVFAIL) }.to_bytes();
        let question = request.bytes().get(HEADER_LENGTH..question.position())?;
        let mut reply = [&header[..], question, opt].concat();
        if let Some(mut chain) = chain {
            chain.sign(&reply, now_s).append_to(&mut reply);
        }
        Some(reply)
    }
}

/// QTYPE and QCLASS, in bytes.
const QUESTION_TAIL: usize = 4;

impl<'a> Job<'a> {
    /// AXFR and IXFR (RFC 5936, RFC 1995).
    pub(super) fn transfer(&mut self, view: &'a View, question: &Question<'a>, reply: &mut [u8]) -> Outcome {
        // BIND: before anything else is looked at.
        match self.client.transport {
            Transport::Http { .. } => return self.refuse(Rcode::NOTIMP, reply),
            Transport::Tls { is_dot: false } => return self.refuse(Rcode::SERVFAIL, reply),
            _ => {}
        }
        let Some(zone) = view.zones.get(question.name) else {
            return self.deny(Denied::TransferNotAuth, Rcode::NOTAUTH, reply);
        };
        if question.rtype == Rtype::AXFR && !self.is_tcp() {
            return self.refuse(Rcode::FORMERR, reply);
        }
        let serial = self.request.soa_serial(Section::Authority);
        if question.rtype == Rtype::IXFR && serial.is_none() {
            return self.refuse(Rcode::FORMERR, reply);
        }
        let Some(version) = zone.version() else { return self.refuse(Rcode::SERVFAIL, reply) };
        let policy = zone.policy();
        if !policy.transfer_path.includes(self.client) || !policy.allow_transfer.allows(self.peer()) {
            if let Some(opt) = &mut self.opt {
                opt.error = Some(super::opt::PROHIBITED);
            }
            return self.deny(Denied::Transfer, Rcode::REFUSED, reply);
        }
        if !self.is_tcp() {
            // BIND: an IXFR over UDP gets the SOA, from which the client sees whether to come back over TCP.
            return self.answer(view, &Question { rtype: Rtype::SOA, ..*question }, reply);
        }
        let key = self.key(view);
        let how = self.transfer_out(view, zone);
        let opts = self.opts(zone);
        Outcome::Transfer(Transfer { zone: zone.clone(), version, rtype: question.rtype, serial, key, how, opts })
    }

    /// BIND: the first message tells who we are and how long a secondary's copy lasts, the others what any reply does.
    fn opts(&self, zone: &Zone) -> Option<[Box<[u8]>; 2]> {
        let others = Opt { nsid: None, padding_block: None, ..self.opt? };
        let left_s = |at_s: u64| u32::try_from(at_s.saturating_sub(self.now_s)).ok();
        let expire_s = zone.expires_at_s().filter(|_| self.request.wishes.asked.expire).and_then(left_s);
        let first = Opt { nsid: self.opt?.nsid, expire_s, ..others };
        Some([first.to_bytes(), others.to_bytes()])
    }

    /// How the zone is sent to this client: what `server` says goes before what the zone says.
    fn transfer_out(&self, view: &View, zone: &Zone) -> TransferOut {
        let peer = view.peer(self.client.source.ip());
        let how = zone.policy().transfer_out;
        TransferOut {
            one_answer: peer.and_then(|peer| peer.one_answer).unwrap_or(how.one_answer),
            provide_ixfr: peer.and_then(|peer| peer.provide_ixfr).unwrap_or(how.provide_ixfr),
            ..how
        }
    }

    /// NOTIFY (RFC 1996).
    pub(super) fn notify(&mut self, view: &'a View, question: &Question<'a>, reply: &mut [u8]) -> Outcome {
        if question.rtype != Rtype::SOA {
            return self.refuse(Rcode::FORMERR, reply);
        }
        let Some(zone) = view.zones.get(question.name) else {
            return self.deny(Denied::NotifyNotAuth, Rcode::NOTAUTH, reply);
        };
        let head = Head { is_authoritative: true, ..Rcode::NOERROR.into() };
        if zone.role() == ZoneRole::Primary {
            return self.reply_without_records(head, reply);
        }
        if !zone.policy().allow_notify.allows(self.peer()) {
            return self.deny(Denied::Notify, Rcode::REFUSED, reply);
        }
        let serial = self.request.soa_serial(Section::Answer);
        match self.reply_without_records(head, reply) {
            Outcome::Reply(reply) => Outcome::Notify { reply, zone: zone.clone(), serial },
            other => other,
        }
    }

    /// UPDATE (RFC 2136): made by whoever keeps a primary zone, passed on for secondaries that allow that.
    pub(super) fn update(&mut self, view: &'a View, question: &Question<'a>, reply: &mut [u8]) -> Outcome {
        let update = match self.read_update() {
            Ok(update) => update,
            Err(rcode) => {
                self.scratch.facts.is_malformed = true;
                return self.refuse(rcode, reply);
            }
        };
        if question.rtype != Rtype::SOA {
            return self.deny(Denied::UpdateNotSoa, Rcode::FORMERR, reply);
        }
        let Some(zone) = view.zones.get(question.name) else {
            return self.deny(Denied::UpdateNotAuth, Rcode::NOTAUTH, reply);
        };
        if zone.role() == ZoneRole::Secondary {
            return match zone.policy().allow_update_forwarding.allows(self.peer()) {
                true => Outcome::Update(Update { zone: Arc::clone(zone), asked: None, reply: self.defer(view) }),
                false => self.deny(Denied::UpdateForwarding, Rcode::REFUSED, reply),
            };
        }
        match &self.signer {
            Signer::Refusal(refusal) => self.refuse(refusal.rcode, reply),
            _ => self.update_primary(view, zone, update, reply),
        }
    }

    fn deny(&mut self, what: Denied, rcode: Rcode, reply: &mut [u8]) -> Outcome {
        self.scratch.facts.denied = Some(what);
        self.refuse(rcode, reply)
    }

    /// The verified key of the request.
    pub(super) fn key(&self, view: &View) -> Option<Arc<Key>> {
        let Signer::Key(chain) = &self.signer else { return None };
        view.keys.iter().find(|key| std::ptr::eq(key.as_ref(), *chain.key())).cloned()
    }
}
