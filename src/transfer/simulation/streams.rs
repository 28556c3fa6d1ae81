//! The streams of zones and differences that primaries send, and what is wrong with them.

use std::sync::Arc;

use super::tally::Fault;
use super::{Arrival, Brought, World, versions};
use crate::dns::{Class, Key};
use crate::transfer::inbound::{Inbound, Progress, StreamError};
use crate::transfer::outbound::Filling;
use crate::transfer::peer::Peer;
use crate::transfer::refresh::{Event, Failure};
use crate::transfer::testing::{Asking, Exchange, FILLING, key, name};
use crate::zone::journal::Transaction;
use crate::zone::{Limits, ZoneVersion};

/// How long a transfer may take, in seconds.
const MAX_TRANSFER_S: u64 = 7200;
/// More differences are not taken.
const MAX_DIFFERENCES: u32 = 4;
/// Little enough for zones of some messages.
const MESSAGE_BYTES: usize = 180;

/// What came, nothing where we are current, or why it failed and whether the whole zone is to be asked for.
type Outcome = Result<Option<Brought>, (StreamError, bool)>;

/// The messages of a primary, and what is wrong with them.
struct Stream<'k> {
    exchange: Exchange<'k>,
    fault: Option<Fault>,
}

impl World {
    /// Transfers the zone, by differences where there is a version that they can be made to.
    pub(super) fn transfer(&mut self, peer: &Peer, is_forced: bool) {
        self.is_transferring = true;
        let target = self.machine.target();
        let old = self.served.clone().filter(|_| !is_forced && self.random.below(5) > 0);
        let have = self.serial().filter(|_| !is_forced);
        let is_reached = !self.chance(6);
        let received = is_reached.then(|| match self.receive(peer, old.as_deref()) {
            Err((_, true)) => self.receive(peer, None),
            received => received,
        });
        let arrival = match received {
            None => failed(Failure::Unreachable),
            Some(Err((error, _))) => failed(failure(&error)),
            Some(Ok(None)) => Arrival::Told(Event::UpToDate),
            Some(Ok(Some(brought))) => match have {
                Some(have) if brought.version.serial() == have => Arrival::Told(Event::UpToDate),
                Some(have) if !brought.version.serial().is_newer_than(have) => failed(Failure::Other),
                _ => Arrival::Version(brought, target),
            },
        };
        let most_s = if self.chance(8) { MAX_TRANSFER_S } else { 60 };
        let delay_s = 1 + self.random.below(most_s);
        self.arrives(delay_s, arrival);
    }

    fn receive(&mut self, peer: &Peer, old: Option<&ZoneVersion>) -> Outcome {
        let (id, key) = ((self.random.next_u64() >> 48) as u16, self.key.clone());
        let Stream { exchange, fault } = self.stream(peer, key.as_deref(), old, id);
        let limits = Limits { records: versions::MAX_RECORDS, ..Limits::default() };
        let incoming = Inbound::new(name("example."), Class::IN, id, old, exchange.chain, limits);
        let mut incoming = incoming.with_max_differences(MAX_DIFFERENCES);
        let outcome = take(&mut incoming, &exchange.messages, self.now_s());
        let has_dropped = incoming.received().out_of_zone > 0;
        self.judge_stream(fault, &outcome, has_dropped);
        outcome
    }

    /// Nothing that is not right becomes a version; differences that do not make one do not keep the zone from coming.
    fn judge_stream(&mut self, fault: Option<Fault>, outcome: &Outcome, has_dropped: bool) {
        if let Err((StreamError::NotExact(_) | StreamError::TooManyDifferences, is_asked_for_whole)) = outcome {
            assert!(is_asked_for_whole, "the whole zone is not asked for");
        }
        self.tally.count_if(matches!(outcome, Err((StreamError::TooManyDifferences, _))), Fault::ManyDifferences);
        let Some(fault) = fault else { return };
        match (fault, outcome) {
            (Fault::OutsideZone, _) => self.tally.count_if(has_dropped && matches!(outcome, Ok(Some(_))), fault),
            (Fault::Damage, Ok(_)) | (_, Ok(None)) | (Fault::Needless, Err(_)) => {}
            (Fault::Needless, Ok(Some(Brought { version, changes }))) => {
                let to = versions::number(version);
                let from = versions::beside(to, changes[0].before);
                assert!(*changes == versions::changes(from, to), "what has no effect is handed on");
                self.tally.count(fault);
            }
            (Fault::ChangedMidway, Ok(Some(brought))) if !brought.changes.is_empty() => {}
            (_, Ok(Some(_))) | (Fault::EndlessZone, Err((StreamError::UnexpectedEnd, _))) => {
                panic!("{fault:?} was not found")
            }
            (_, Err(_)) => self.tally.count(fault),
        }
    }

    /// What the primary sends.
    fn stream<'k>(&mut self, peer: &Peer, key: Option<&'k Key>, old: Option<&ZoneVersion>, id: u16) -> Stream<'k> {
        let has = self.version_at(peer);
        let from = old.map(|old| versions::beside(has, old.serial())).filter(|&from| from < has);
        if self.chance(25) {
            let mut exchange = self.exchange(&versions::endless(), key, old, vec![], id);
            let fault = exchange.messages.pop().map(|_| Fault::EndlessZone);
            return Stream { exchange, fault };
        }
        let mut fault = None;
        let changes = match from {
            Some(from) if self.chance(5) => {
                fault = Some(Fault::Misfit);
                versions::misfitting_changes(from, has, self.random.below(versions::MISFITS) as usize)
            }
            Some(from) if self.chance(5) => {
                fault = Some(Fault::Needless);
                versions::needless_changes(from, has)
            }
            Some(from) if self.random.below(6) > 0 => versions::changes(from, has),
            _ => vec![],
        };
        let has_changes = !changes.is_empty();
        let exchange = self.exchange(&versions::version(has), key, old, changes, id);
        let mut stream = Stream { exchange, fault };
        if fault.is_none() && !stream.exchange.messages.is_empty() {
            stream.fault = self.spoil(&mut stream.exchange, has, old.filter(|_| has_changes), id);
        }
        stream
    }

    fn exchange<'k>(
        &self,
        version: &Arc<ZoneVersion>,
        key: Option<&'k Key>,
        old: Option<&ZoneVersion>,
        changes: Vec<Transaction>,
        id: u16,
    ) -> Exchange<'k> {
        let filling = Filling { message_bytes: MESSAGE_BYTES, ..FILLING };
        Asking { version, key, filling, id, old, changes, ours_s: self.now_s(), theirs_s: self.true_s }.exchange()
    }

    /// Does something to a stream, or nothing. It is one of differences to the old version, if there is one.
    fn spoil(&mut self, stream: &mut Exchange<'_>, has: usize, old: Option<&ZoneVersion>, id: u16) -> Option<Fault> {
        let is_signed = stream.chain.is_some();
        let at = self.random.below(stream.messages.len() as u64) as usize;
        if self.chance(5) {
            stream.messages.truncate(at);
            Some(Fault::DiedMidway)
        } else if !is_signed && self.chance(6) {
            self.splice(&mut stream.messages, at, has, old, id)
        } else if is_signed && self.chance(6) {
            self.forge(stream, has, old, id);
            Some(Fault::StreamSignature)
        } else if !is_signed && self.chance(3) {
            let owner: &[u8] = if self.chance(2) { b"\x04evil\x00" } else { b"\x0bevilexample\x00" };
            slip_in(&mut stream.messages[0], owner);
            Some(Fault::OutsideZone)
        } else if self.chance(4) {
            self.damage(&mut stream.messages, at, is_signed);
            Some(Fault::Damage)
        } else {
            None
        }
    }

    /// The primary has another version from this message on.
    fn splice(
        &mut self,
        messages: &mut Vec<Vec<u8>>,
        at: usize,
        has: usize,
        old: Option<&ZoneVersion>,
        id: u16,
    ) -> Option<Fault> {
        let other = has - versions::place(has) + self.random.below(versions::place(self.newest) as u64 + 1) as usize;
        let from = old.map_or(0, |old| versions::beside(has, old.serial()));
        if other == has || at == 0 || (old.is_some() && other <= from) {
            return None;
        }
        let changes = old.map(|_| versions::changes(from, other)).unwrap_or_default();
        let others = self.exchange(&versions::version(other), None, old, changes, id).messages;
        if at >= others.len() {
            return None;
        }
        messages.splice(at.., others.into_iter().skip(at));
        Some(Fault::ChangedMidway)
    }

    /// Somebody else sends the zone, who has another key or none.
    fn forge(&mut self, stream: &mut Exchange<'_>, has: usize, old: Option<&ZoneVersion>, id: u16) {
        let wrong = Key { secret: b"wrong".to_vec(), ..key() };
        let key = Some(&wrong).filter(|_| self.random.below(2) == 0);
        stream.messages = self.exchange(&versions::version(has), key, old, vec![], id).messages;
    }

    /// Cuts, changes, loses or swaps messages. Damage that no checksum finds is left to signed streams.
    fn damage(&mut self, messages: &mut Vec<Vec<u8>>, at: usize, is_signed: bool) {
        match self.random.below(if is_signed { 5 } else { 1 }) {
            0 => {
                let length = messages[at].len() / 2;
                messages[at].truncate(length);
            }
            1 | 2 => {
                let place = self.random.below(messages[at].len() as u64) as usize;
                messages[at][place] ^= 1 << self.random.below(8);
            }
            3 => drop(messages.remove(at)),
            _ => {
                let last = messages.len() - 1;
                messages.swap(at, last);
            }
        }
    }
}

fn failed(failure: Failure) -> Arrival {
    Arrival::Told(Event::TransferFailed(failure, String::new()))
}

/// As the server floor has it.
fn failure(error: &StreamError) -> Failure {
    match error {
        StreamError::TooManyRecords | StreamError::WideRrset(_) => Failure::TooManyRecords,
        StreamError::Tsig(_) => Failure::Refused,
        _ => Failure::Other,
    }
}

/// Takes the messages, and then the end of the connection.
fn take(incoming: &mut Inbound<'_>, messages: &[Vec<u8>], now_s: u64) -> Outcome {
    for message in messages {
        match incoming.feed(message, now_s) {
            Ok(Progress::More) => {}
            Ok(Progress::UpToDate(_)) => return Ok(None),
            Ok(Progress::Done(version)) => return Ok(Some(Brought::new(version, vec![]))),
            Ok(Progress::Changed(version, changes)) => return Ok(Some(Brought::new(version, changes))),
            Err(error) => return Err((error.clone(), incoming.suggests_axfr(&error))),
        }
    }
    let end = StreamError::UnexpectedEnd;
    Err((end.clone(), incoming.suggests_axfr(&end)))
}

/// Appends an address of an owner to the answer section of an unsigned message.
fn slip_in(message: &mut Vec<u8>, owner: &[u8]) {
    message.extend_from_slice(owner);
    message.extend_from_slice(b"\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x06\x06\x06\x06");
    let count = u16::from_be_bytes([message[6], message[7]]) + 1;
    message[6..8].copy_from_slice(&count.to_be_bytes());
}
