//! What the log tells of a transfer.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Instant;

use crate::answer::Transfer;
use crate::dns::message::Question;
use crate::dns::{Key, Rtype, Serial};
use crate::net::tcp;
use crate::server::logging::line::{ClientPrefix, ZoneText, relative};
use crate::server::logging::{Category, Severity, log};

/// What the lines tell.
pub(super) struct Facts {
    peer: SocketAddr,
    id: usize,
    view: Box<str>,
    key: Option<Arc<Key>>,
    question: Question,
    kind: &'static str,
    pub(super) serial: Serial,
    pub(super) began: Instant,
}

impl Facts {
    pub(super) fn new(transfer: &Transfer, view: &str, question: &Question, client: &tcp::Client) -> Self {
        Self {
            peer: client.peer,
            id: std::ptr::from_ref(client).addr(),
            view: view.into(),
            key: transfer.key.clone(),
            question: question.clone(),
            kind: if transfer.rtype == Rtype::AXFR { "AXFR" } else { "IXFR" },
            serial: transfer.version.serial(),
            began: Instant::now(),
        }
    }

    /// Tells that no differences are sent, and why, where there is more to say than that they may not be.
    pub(super) fn fall_back(&mut self, reason: Option<&str>) {
        self.kind = "AXFR-style IXFR";
        if let Some(reason) = reason {
            let (client, zone) = (self.client(), self.zone());
            log!(Category::XferOut, Severity::Info, "{client}transfer of '{zone}': {reason}, falling back to AXFR");
        }
    }

    /// Tells of the beginning, of differences with the serial that they lead from.
    pub(super) fn say_started(&self, from: Option<Serial>) {
        let serial = self.serial;
        match from {
            Some(from) => self.say("started", &format!(" (serial {from} -> {serial})")),
            None => self.say("started", &format!(" (serial {serial})")),
        }
    }

    pub(super) fn say(&self, what: &str, rest: &str) {
        let (client, zone, kind) = (self.client(), self.zone(), self.kind);
        let key = match &self.key {
            Some(key) if what == "started" => format!(": TSIG {}", relative(key.name.as_ref())),
            _ => String::new(),
        };
        log!(Category::XferOut, Severity::Info, "{client}transfer of '{zone}': {kind} {what}{key}{rest}");
    }

    pub(super) fn fail(&self, reason: &str) {
        let (client, zone) = (self.client(), self.zone());
        log!(Category::XferOut, Severity::Error, "{client}transfer of '{zone}': {reason}");
    }

    fn client(&self) -> ClientPrefix<'_> {
        let key = self.key.as_ref().map(|key| key.name.as_ref());
        ClientPrefix {
            id: self.id,
            peer: self.peer,
            key,
            qname: Some(self.question.name.as_ref()),
            view: Some(&self.view),
        }
    }

    fn zone(&self) -> ZoneText<'_> {
        ZoneText { apex: self.question.name.as_ref(), class: self.question.class, view: &self.view }
    }
}
