//! Zone transfers that this server sends, as streams of a TCP connection.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::logging::line::{ClientPrefix, ZoneText};
use super::logging::{Category, Severity, log};
use super::shared::{Shared, TransferPlace};
use super::worker::unix_now_s;
use crate::answer::Transfer;
use crate::dns::message::{HEADER_LENGTH, Header, Message, Question};
use crate::dns::tsig::{self, Chain, Verdict};
use crate::dns::wire::Reader;
use crate::dns::{Key, Rcode, Rtype, Serial};
use crate::net::tcp::{self, MessageStream, Pull, StreamEnd, StreamLimits, frame};
use crate::transfer::axfr_out::{AxfrOut, Filling, Form};
use crate::zone::ZoneVersion;
use crate::zone::disk::Host;
use crate::zone::journal::{Journal, Transaction, condense};

/// A transfer being sent.
pub(super) struct Outgoing {
    transfer: AxfrOut<Arc<Key>>,
    limits: StreamLimits,
    facts: Facts,
    shared: Arc<Shared>,
    /// The client has what there is: no transfer to speak of.
    is_poll: bool,
    _place: TransferPlace,
}

/// What the log lines tell.
struct Facts {
    peer: SocketAddr,
    id: usize,
    view: Box<str>,
    key: Option<Arc<Key>>,
    question: Question,
    kind: &'static str,
    serial: Serial,
    began: Instant,
}

impl Outgoing {
    /// Begins a transfer of a zone in this view.
    pub(super) fn begin(
        transfer: Transfer,
        view: &str,
        request: &[u8],
        client: &tcp::Client,
        shared: Arc<Shared>,
    ) -> Result<Self, NotBegun> {
        let message = Message::new(request).map_err(|_| NotBegun::Unreadable)?;
        let question = message.question().map_err(|_| NotBegun::Unreadable)?;
        let chain = match &transfer.key {
            Some(key) => Some(chain(&message, key).ok_or(NotBegun::Unreadable)?),
            None => None,
        };
        let Some(place) = shared.transfer_place() else {
            let kind = question.rtype;
            log!(Category::XferOut, Severity::Error, "{kind} request denied: quota reached");
            return Err(NotBegun::Quota);
        };
        let serial = transfer.version.serial();
        let client_serial = transfer.serial.map(Serial);
        let form = Form::of(transfer.rtype, transfer.serial.map(Serial), serial, false);
        let mut facts = Facts {
            peer: client.peer,
            id: std::ptr::from_ref(client).addr(),
            view: view.into(),
            key: transfer.key.clone(),
            question: question.clone(),
            kind: if transfer.rtype == Rtype::AXFR { "AXFR" } else { "IXFR" },
            serial,
            began: Instant::now(),
        };
        let policy = transfer.how;
        let filling = Filling {
            message_bytes: shared.transfer_message_size.load(Ordering::Relaxed),
            one_answer: policy.one_answer,
        };
        let limits = StreamLimits { idle: policy.idle, total: policy.total };
        let differences = facts.differences(&transfer, form);
        let out = AxfrOut::new(transfer.version, form, filling, (message.header(), question), chain);
        let out = out.with_opts(transfer.opts.unwrap_or_default());
        let transfer = match (form, differences, client_serial) {
            (Form::Whole, Some(differences), Some(from)) => {
                facts.say("started", &format!(" (serial {from} -> {serial})"));
                out.with_differences(differences)
            }
            (Form::Whole, ..) => {
                facts.say("started", &format!(" (serial {serial})"));
                out
            }
            _ => out,
        };
        Ok(Self { transfer, limits, facts, shared, is_poll: form == Form::CurrentSoa, _place: place })
    }
}

/// Why a transfer did not begin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum NotBegun {
    /// The request, which has been read before, cannot be read again.
    Unreadable,
    /// `transfers-out` are under way.
    Quota,
}

impl MessageStream for Outgoing {
    fn next(&mut self, out: &mut Vec<u8>) -> Pull {
        while out.len() < PIECE {
            if !frame(out, |out| self.transfer.next(unix_now_s(), out)) {
                return Pull::Done;
            }
        }
        Pull::More
    }

    fn limits(&self) -> StreamLimits {
        self.limits
    }

    fn ended(self: Box<Self>, end: StreamEnd) {
        match end {
            StreamEnd::Sent => {
                self.shared.transfers_sent.fetch_add(1, Ordering::Relaxed);
                if !self.is_poll {
                    self.facts.say("ended", &self.summary());
                }
            }
            StreamEnd::Idle => self.facts.fail("send: operation canceled"),
            StreamEnd::TooLong => self.facts.fail("aborted: timed out"),
            StreamEnd::Disconnected => self.facts.fail("send: connection reset"),
            StreamEnd::Aborted => self.facts.fail("send: failure"),
        }
    }
}

impl Outgoing {
    fn summary(&self) -> String {
        let sent = self.transfer.sent();
        let took = self.facts.began.elapsed().max(Duration::from_millis(1));
        let rate = u128::from(sent.bytes) * 1000 / took.as_millis();
        let (messages, records, bytes) = (sent.messages, sent.records, sent.bytes);
        let seconds = took.as_secs_f64();
        let serial = self.facts.serial;
        format!(
            ": {messages} messages, {records} records, {bytes} bytes, {seconds:.3} secs ({rate} bytes/sec) \
             (serial {serial})"
        )
    }
}

impl Facts {
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

    /// What leads from the client's serial to the version, where it may have that. Says why not, as named does.
    fn differences(&mut self, transfer: &Transfer, form: Form) -> Option<Vec<Transaction>> {
        let from = transfer.serial.map(Serial).filter(|_| form == Form::Whole && transfer.rtype == Rtype::IXFR)?;
        let policy = transfer.how;
        let found = match transfer.zone.journal() {
            _ if !policy.provide_ixfr => Err(None),
            Some(path) => differences(&path, from, &transfer.version, policy.max_ixfr_percent).map_err(Some),
            None => Err(Some(NOT_IN_JOURNAL.to_owned())),
        };
        let fall_back = |reason| {
            self.kind = "AXFR-style IXFR";
            if let Some(reason) = reason {
                let (client, zone) = (self.client(), self.zone());
                log!(Category::XferOut, Severity::Info, "{client}transfer of '{zone}': {reason}, falling back to AXFR");
            }
        };
        found.map_err(fall_back).ok()
    }

    fn say(&self, what: &str, rest: &str) {
        let (client, zone, kind) = (self.client(), self.zone(), self.kind);
        let key = match &self.key {
            Some(key) if what == "started" => format!(": TSIG {}", super::logging::line::relative(key.name.as_ref())),
            _ => String::new(),
        };
        log!(Category::XferOut, Severity::Info, "{client}transfer of '{zone}': {kind} {what}{key}{rest}");
    }

    fn fail(&self, reason: &str) {
        let (client, zone) = (self.client(), self.zone());
        log!(Category::XferOut, Severity::Error, "{client}transfer of '{zone}': {reason}");
    }
}

/// The transactions of a journal that lead from a serial to a version, or why they are not sent.
fn differences(
    path: &Path,
    from: Serial,
    to: &ZoneVersion,
    max_percent: Option<u32>,
) -> Result<Vec<Transaction>, String> {
    let missing = |_| NOT_IN_JOURNAL.to_owned();
    let journal = Journal::open(&Host, path).map_err(missing)?;
    let (mut found, mut bytes) = (Vec::new(), 0_u64);
    for entry in journal.entries(from).map_err(missing)? {
        let transaction = entry.map_err(missing)?.transaction;
        bytes += transaction.wire_bytes();
        let after = transaction.after;
        found.push(transaction);
        // The journal is written before a version is served, and may be ahead.
        if after == to.serial() {
            return judge(bytes, to, max_percent).map(|()| condense(found));
        }
        if bytes > MAX_DIFFERENCES_BYTES {
            return Err(format!("IXFR delta size exceeds {MAX_DIFFERENCES_BYTES} bytes"));
        }
    }
    Err(NOT_IN_JOURNAL.to_owned())
}

/// Whether differences of this size may be sent. The size of the zone is counted only where the ratio is in doubt.
fn judge(bytes: u64, zone: &ZoneVersion, max_percent: Option<u32>) -> Result<(), String> {
    let is_beyond = |zone_bytes: u64| max_percent.is_some_and(|most| bytes * 100 / zone_bytes.max(1) > most.into());
    if !is_beyond(zone.size_bytes() as u64 / 4) {
        return Ok(());
    }
    let zone_bytes = zone.wire_bytes();
    if !is_beyond(zone_bytes) {
        return Ok(());
    }
    Err(format!("IXFR delta size ({bytes} bytes) exceeds the maximum ratio to database size ({zone_bytes} bytes)"))
}

/// The refusal of a request for want of a place, as named words it: SERVFAIL with the question.
pub(super) fn servfail(request: &[u8]) -> Option<Vec<u8>> {
    let header = Message::new(request).ok()?.header();
    let mut question = Reader::new(request).at(HEADER_LENGTH);
    question.skip_name().ok()?;
    question.take(QUESTION_TAIL).ok()?;
    let mut reply = Header { counts: [1, 0, 0, 0], ..header.response(Rcode::SERVFAIL) }.to_bytes().to_vec();
    reply.extend_from_slice(request.get(HEADER_LENGTH..question.position())?);
    Some(reply)
}

/// The request's own check, once more: it holds what the signatures of the answers start from.
fn chain(request: &Message<'_>, key: &Arc<Key>) -> Option<Chain<Arc<Key>>> {
    let verdict = tsig::check_request(request, |_, _| Some(key.as_ref()), unix_now_s()).ok()?;
    match verdict {
        Verdict::Verified(chain) => Some(chain.with_key(Arc::clone(key))),
        Verdict::Unsigned | Verdict::Refused(_) => None,
    }
}

const NOT_IN_JOURNAL: &str = "IXFR version not in journal";
/// Differences are held in memory while they are sent; where they are larger the zone is sent, which is held anyway.
const MAX_DIFFERENCES_BYTES: u64 = 64 << 20;
/// How much is made at a time, in bytes.
const PIECE: usize = 64 * 1024;
/// QTYPE and QCLASS, in bytes.
const QUESTION_TAIL: usize = 4;
