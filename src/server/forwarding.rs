//! Passing updates on to the primaries of a secondary zone (`allow-update-forwarding`): byte for byte but for the ID,
//! so that a signature that is for the primary alone stays good, and the reply in the same way.
//!
//! As with BIND over TCP, however they came, to one primary after the other until one has an answer worth passing on.

use std::sync::Arc;
use std::time::Duration;

use super::core::{Core, Event};
use super::exchange::{ask_tcp, exchange_text, spawn_told};
use super::logging::line::{ZonePrefix, ZoneText};
use super::logging::{Category, Severity, log};
use super::peers::Peers;
use super::updating::{Ended, Requested};
use super::zones::ZoneId;
use crate::answer::counters::Counter;
use crate::conf::config::Role;
use crate::dns::message::Message;
use crate::dns::{Class, Name, Opcode, Rcode};
use crate::net::exchange::Secure;
use crate::transfer::peer::Peer;

impl Core {
    /// Passes an update on.
    pub(super) fn forward_update(&mut self, requested: Requested) {
        match self.forward(ZoneId::of(requested.update.zone.handle())) {
            Some(forward) => {
                self.counters.add(Counter::UpdateReqFwd);
                // A task that ends in a panic leaves the client without a reply.
                let ended =
                    |ended: Option<Ended>| ended.unwrap_or(Ended { counter: Counter::UpdateFwdFail, replied: None });
                spawn_told(&self.events, forward.run(requested), move |told| Event::UpdateEnded(Box::new(ended(told))));
            }
            // The zone is gone since, or has nobody to ask.
            None => self.update_ended(&Ended::failed(requested)),
        }
    }

    fn forward(&mut self, id: ZoneId) -> Option<Forward> {
        let task = self.zones.get(id)?;
        let Role::Secondary { primaries } = &task.conf.role else { return None };
        let peers = Peers::new(&self.config, &task.view);
        let peers = primaries.iter().map(|remote| peers.primary(remote, &task.conf.settings));
        let config = &self.config;
        let askable = peers.filter(|peer| peer.missing_key.is_none());
        let primaries: Vec<_> = askable.map(|peer| (self.connectors.of(config, &peer), peer)).collect();
        let message_id = self.refreshing.draw_id();
        let (apex, class, view) = (task.conf.apex.clone(), task.conf.class, Arc::clone(&task.view));
        (!primaries.is_empty()).then_some(Forward { apex, class, view, message_id, primaries })
    }
}

impl Ended {
    /// An update that nobody took.
    fn failed(requested: Requested) -> Self {
        Self { counter: Counter::UpdateFwdFail, replied: Some(requested.answer(Rcode::SERVFAIL)) }
    }
}

/// What it takes to pass an update on.
struct Forward {
    apex: Name,
    class: Class,
    view: Arc<str>,
    message_id: u16,
    primaries: Vec<(Option<Arc<Secure>>, Peer)>,
}

impl Forward {
    async fn run(self, requested: Requested) -> Ended {
        let mut message = requested.bytes.clone();
        if let Some(id) = message.first_chunk_mut() {
            *id = self.message_id.to_be_bytes();
        }
        for (tls, primary) in &self.primaries {
            if let Some(reply) = self.ask(primary, tls.as_deref(), &message).await {
                requested.relay(reply);
                return Ended { counter: Counter::UpdateRespFwd, replied: None };
            }
        }
        log!(Category::General, Severity::Debug(3), "{}exhausted dynamic update forwarder list", self.prefix());
        Ended::failed(requested)
    }

    /// A primary's answer, if the client is to have it.
    async fn ask(&self, primary: &Peer, tls: Option<&Secure>, message: &[u8]) -> Option<Vec<u8>> {
        let zone = self.prefix();
        let reason = match ask_tcp(message, primary, tls, ANSWER_LIMIT).await {
            Ok(reply) => match self.read(&reply) {
                Some(answer) => return self.is_worth_passing_on(primary, answer).then_some(reply),
                None => "unexpected error".to_owned(),
            },
            Err(error) => exchange_text(&error),
        };
        log!(Category::General, Severity::Info, "{zone}could not forward dynamic update to {primary}: {reason}");
        None
    }

    /// What an answer to our message says; none: it answers another.
    fn read(&self, reply: &[u8]) -> Option<Answer> {
        let message = Message::new(reply).ok()?;
        let header = message.header();
        let is_whole = message.questions().all(|question| question.is_ok()) && message.records().all(|it| it.is_ok());
        let answer = Answer { opcode: header.opcode(), rcode: header.rcode(), is_whole };
        (header.id == self.message_id && header.is_response()).then_some(answer)
    }

    /// BIND: whether an update was possible is for the client to know. Whoever is not in a state to say is passed over.
    fn is_worth_passing_on(&self, primary: &Peer, answer: Answer) -> bool {
        let (zone, rcode) = (self.prefix(), answer.rcode);
        if !answer.is_whole {
            return false;
        }
        if answer.opcode != Opcode::UPDATE {
            let what = format_args!("unexpected opcode ({}) from {primary}", answer.opcode);
            log!(Category::General, Severity::Info, "{zone}forwarding dynamic update: {what}");
            return false;
        }
        let said = format_args!("primary {primary} returned: {rcode}");
        match rcode {
            Rcode::NOERROR | Rcode::NXDOMAIN | Rcode::REFUSED | Rcode::YXDOMAIN | Rcode::YXRRSET | Rcode::NXRRSET => {
                log!(Category::General, Severity::Info, "{zone}forwarded dynamic update: {said}");
                true
            }
            Rcode::NOTAUTH | Rcode::NOTZONE => {
                let what = "forwarding dynamic update: unexpected response";
                log!(Category::General, Severity::Warning, "{zone}{what}: {said}");
                false
            }
            _ => false,
        }
    }

    fn prefix(&self) -> ZonePrefix<'_> {
        ZonePrefix(ZoneText { apex: self.apex.as_ref(), class: self.class, view: &self.view })
    }
}

/// What matters of a primary's answer.
#[derive(Clone, Copy)]
struct Answer {
    opcode: Opcode,
    rcode: Rcode,
    is_whole: bool,
}

/// BIND: how long a primary may take to answer, once it has taken the connection.
const ANSWER_LIMIT: Duration = Duration::from_secs(30);
