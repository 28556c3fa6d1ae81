//! Zone transfers that this server sends, as streams of a TCP connection. Its thread has others to serve: differences
//! of some size are looked for elsewhere.

mod differences;
mod facts;

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::task::{Context, Poll, ready};
use std::time::Duration;

use tokio::task::JoinHandle;

use super::logging::{Category, Severity, log};
use super::shared::{Place, Shared};
use super::worker::unix_now_s;
use crate::answer::Transfer;
use crate::dns::message::Message;
use crate::dns::tsig::{self, Chain, Verdict};
use crate::dns::{Key, Serial};
use crate::net::tcp::{self, MessageStream, Pull, StreamEnd, StreamLimits, frame};
use crate::transfer::outbound::{Filling, Form, Outbound};
use differences::{Found, NOT_IN_JOURNAL, Search};
use facts::Facts;

/// A transfer being sent.
pub(super) struct Outgoing {
    transfer: Outbound<Arc<Key>>,
    /// The differences that are still being looked for.
    search: Option<JoinHandle<Found>>,
    limits: StreamLimits,
    facts: Facts,
    shared: Arc<Shared>,
    /// The client has what there is: no transfer to speak of.
    is_poll: bool,
    /// A record fits into no message.
    is_stuck: bool,
    _place: Place,
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
        let Some(place) = shared.transfers_out.take() else {
            log!(Category::XferOut, Severity::Error, "{} request denied: quota reached", question.rtype);
            return Err(NotBegun::Quota(transfer.refusal(&message, chain, unix_now_s())));
        };
        let form = Form::of(transfer.rtype, transfer.serial.map(Serial), transfer.version.serial(), false);
        let facts = Facts::new(&transfer, view, &question, client);
        let filling = Filling {
            message_bytes: shared.transfer_message_size.load(Ordering::Relaxed),
            one_answer: transfer.how.one_answer,
        };
        let limits = StreamLimits { idle: transfer.how.idle, total: transfer.how.total };
        let search = if form == Form::Whole { Search::begin(&transfer) } else { None };
        let out = Outbound::new(transfer.version, form, filling, (message.header(), question), chain);
        let out = out.with_opts(transfer.opts.unwrap_or_default());
        let is_poll = form == Form::CurrentSoa;
        let mut this =
            Self { transfer: out, search: None, limits, facts, shared, is_poll, is_stuck: false, _place: place };
        match search {
            Some(Search::UnderWay(search)) => this.search = Some(search),
            Some(Search::Ended(found)) => this.take_differences(found),
            None if is_poll => {}
            None => this.facts.say_started(None),
        }
        Ok(this)
    }

    /// Goes on with the differences, or with the whole zone for want of them.
    fn take_differences(&mut self, found: Found) {
        match found {
            Ok(found) => {
                self.facts.say_started(Some(found.from));
                self.transfer.send_differences(found.transactions);
            }
            Err(reason) => {
                self.facts.fall_back(reason.as_deref());
                self.facts.say_started(None);
            }
        }
    }
}

/// Why a transfer did not begin.
#[derive(Debug)]
pub(super) enum NotBegun {
    /// The request, which has been read before, cannot be read again.
    Unreadable,
    /// `transfers-out` are under way; the reply says so.
    Quota(Option<Vec<u8>>),
}

impl MessageStream for Outgoing {
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        if let Some(search) = &mut self.search {
            let found = ready!(Pin::new(search).poll(context));
            self.search = None;
            // A search that has panicked has found nothing.
            self.take_differences(found.unwrap_or_else(|_| Err(Some(NOT_IN_JOURNAL.to_owned()))));
        }
        Poll::Ready(())
    }

    fn next(&mut self, out: &mut Vec<u8>) -> Pull {
        while out.len() < PIECE {
            match frame(out, |out| self.transfer.next(unix_now_s(), out)) {
                Ok(true) => {}
                Ok(false) => return Pull::Done,
                Err(record) => {
                    self.is_stuck = true;
                    self.facts.fail(&record.to_string());
                    return Pull::Abort;
                }
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
            StreamEnd::Aborted if self.is_stuck => self.facts.fail("sending zone data: ran out of space"),
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

/// The request's own check, once more: it holds what the signatures of the answers start from.
fn chain(request: &Message<'_>, key: &Arc<Key>) -> Option<Chain<Arc<Key>>> {
    let verdict = tsig::check_request(request, |_, _| Some(key.as_ref()), unix_now_s()).ok()?;
    match verdict {
        Verdict::Verified(chain) => Some(chain.with_key(Arc::clone(key))),
        Verdict::Unsigned | Verdict::Refused(_) => None,
    }
}

/// How much is made at a time, in bytes.
const PIECE: usize = 64 * 1024;
