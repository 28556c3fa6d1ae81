//! Sending a zone: a zone version, or what leads to it, becomes messages (RFC 5936 section 2.2, RFC 1995).
//!
//! Each call of [`Outbound::next`] fills one message, so a slow client holds one buffer and a reference to the version,
//! nothing else. The SOA record comes first and last, the first message repeats the question, and with a key every
//! message is signed. An AXFR-style answer to IXFR differs in the question only; a client that is up to date gets just
//! the SOA record (RFC 1995 section 2). Differences stand between the SOA records in place of the zone, as the journal
//! has them.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod encoder;

use std::ops::Deref;
use std::sync::Arc;

use crate::dns::message::{Header, Question};
use crate::dns::tsig::Chain;
use crate::dns::writer::MAX_MESSAGE;
use crate::dns::{Key, Rcode, Rtype, Serial};
use crate::zone::journal::Transaction;
use crate::zone::{Cursor, Node, ZoneVersion};
use encoder::Encoder;

/// What the answer to a transfer request looks like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// The whole zone.
    Whole,
    /// What leads to the version from an earlier one.
    Differences,
    /// The SOA record alone.
    CurrentSoa,
}

impl Form {
    /// The form for a request of this type. `client` is the serial in an IXFR request. Over UDP the answer is the SOA
    /// alone, which makes the client come back over TCP.
    pub fn of(rtype: Rtype, client: Option<Serial>, ours: Serial, is_udp: bool) -> Self {
        let is_current = client.is_some_and(|client| !ours.is_newer_than(client));
        if rtype == Rtype::IXFR && (is_udp || is_current) { Self::CurrentSoa } else { Self::Whole }
    }
}

/// How messages are filled.
#[derive(Debug, Clone, Copy)]
pub struct Filling {
    /// `transfer-message-size`: no message grows larger, unless a single record does not fit.
    pub message_bytes: usize,
    /// `transfer-format one-answer`: one record in each message.
    pub one_answer: bool,
}

/// What has been sent so far, for the line at the end.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Sent {
    /// Messages.
    pub messages: u64,
    /// Records in the answer sections.
    pub records: u64,
    /// Bytes of the messages, without the lengths in front of them.
    pub bytes: u64,
}

/// A record of so many bytes, which fits into no message beside what else has to be there. The text is named's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("RR too large for zone transfer ({0} bytes)")]
pub struct TooLarge(pub usize);

/// A transfer under way.
pub struct Outbound<K> {
    version: Arc<ZoneVersion>,
    form: Form,
    filling: Filling,
    header: Header,
    question: Question,
    chain: Option<Chain<K>>,
    cursor: Cursor,
    differences: Arc<[Transaction]>,
    /// The OPT record of the first message, and of the others; empty: none.
    opts: [Box<[u8]>; 2],
    place: Place,
    sent: Sent,
}

/// The next record to be sent.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Place {
    FirstSoa,
    /// So many records of the cursor's current node are sent: whole RRsets, and RRs of the next.
    Within {
        rrsets: usize,
        rrs: usize,
    },
    NextNode,
    /// A change of the differences: in which, at what offset, behind how many of its SOA records.
    Change {
        at: usize,
        offset: usize,
        soas: usize,
    },
    LastSoa,
    End,
}

impl<K: Deref<Target = Key> + Clone> Outbound<K> {
    /// Starts the answer to a request with this header and question; `chain` comes from the request's check.
    pub fn new(
        version: Arc<ZoneVersion>,
        form: Form,
        filling: Filling,
        (request, question): (Header, Question),
        chain: Option<Chain<K>>,
    ) -> Self {
        let header = request.response(Rcode::NOERROR).with_aa();
        let (cursor, place) = (version.cursor(), Place::FirstSoa);
        let (differences, sent, opts) = (Arc::from([]), Sent::default(), Default::default());
        Self { version, form, filling, header, question, chain, cursor, differences, opts, place, sent }
    }

    /// Sends what leads to the version instead of the version. Nothing may have been sent yet.
    pub fn send_differences(&mut self, differences: Vec<Transaction>) {
        debug_assert!(self.place == Place::FirstSoa, "the transfer has begun");
        (self.form, self.differences) = (Form::Differences, differences.into());
    }

    /// Ends the first message with one OPT record, the others with another.
    pub fn with_opts(self, opts: [Box<[u8]>; 2]) -> Self {
        Self { opts, ..self }
    }

    /// Appends the next message to `out`; false when there is none. After an error there is none either.
    pub fn next(&mut self, now_s: u64, out: &mut Vec<u8>) -> Result<bool, TooLarge> {
        if self.place == Place::End {
            return Ok(false);
        }
        // The cursor is not put back where a message is begun again: it stands at the node whose records come next.
        debug_assert!(self.place != Place::NextNode, "no message begins between two nodes");
        let (start, place) = (out.len(), self.place);
        let filled = self.fill(out, self.filling.message_bytes).or_else(|_| {
            self.place = place;
            out.truncate(start);
            self.fill(out, MAX_MESSAGE)
        });
        let records = filled.inspect_err(|_| {
            out.truncate(start);
            self.place = Place::End;
        })?;
        if let Some(chain) = &mut self.chain {
            chain.sign(out.get(start..).unwrap_or_default(), now_s).append_behind(start, out);
        }
        self.sent.messages = self.sent.messages.saturating_add(1);
        self.sent.records = self.sent.records.saturating_add(records);
        self.sent.bytes = self.sent.bytes.saturating_add(out.len().saturating_sub(start) as u64);
        Ok(true)
    }

    /// What has been sent.
    pub fn sent(&self) -> Sent {
        self.sent
    }

    /// The version being sent.
    pub fn version(&self) -> &ZoneVersion {
        &self.version
    }

    /// Appends a message with as many records as fit and returns how many; an error if not even one does.
    fn fill(&mut self, out: &mut Vec<u8>, limit: usize) -> Result<u64, TooLarge> {
        let [first, others] = &self.opts;
        let opt = if self.sent.messages == 0 { first } else { others };
        let reserved = self.chain.as_ref().map_or(0, Chain::record_length).saturating_add(opt.len());
        let room = limit.min(MAX_MESSAGE).saturating_sub(reserved);
        out.reserve(limit.min(MAX_MESSAGE));
        let (version, differences) = (Arc::clone(&self.version), Arc::clone(&self.differences));
        let mut encoder = Encoder::new(out, room, version.apex(), version.class());
        if self.sent.messages == 0 {
            // Cannot fail in a message that is to hold records; then there are none either.
            let _ = encoder.question(&self.question);
        }
        let most = if self.filling.one_answer { 1 } else { u16::MAX };
        let mut filler = Filler { version: &version, differences: &differences, encoder, most };
        while self.place != Place::End {
            match filler.step(self.form, self.place, &mut self.cursor) {
                Ok(place) => self.place = place,
                Err(place) => {
                    self.place = place;
                    break;
                }
            }
        }
        let (records, refused) = (filler.encoder.records(), filler.encoder.refused_bytes());
        filler.encoder.finish(self.header, opt);
        if records == 0 { Err(TooLarge(refused)) } else { Ok(records.into()) }
    }
}

/// Fills one message.
struct Filler<'m, 'v> {
    version: &'v ZoneVersion,
    differences: &'v [Transaction],
    encoder: Encoder<'m, 'v>,
    most: u16,
}

impl<'v> Filler<'_, 'v> {
    /// Writes what stands at `place`. Ok: the place behind it; Err: the place to go on from in the next message.
    fn step(&mut self, form: Form, place: Place, cursor: &mut Cursor) -> Result<Place, Place> {
        match place {
            Place::FirstSoa => {
                self.soa().map_err(|_| place)?;
                Ok(match form {
                    Form::Whole => Place::NextNode,
                    Form::Differences => Place::Change { at: 0, offset: 0, soas: 0 },
                    Form::CurrentSoa => Place::End,
                })
            }
            Place::NextNode => match cursor.next(self.version) {
                Some(node) => self.node(&node, 0, 0),
                None => Ok(Place::LastSoa),
            },
            Place::Within { rrsets, rrs } => match cursor.current(self.version) {
                Some(node) => self.node(&node, rrsets, rrs),
                None => Ok(Place::NextNode),
            },
            Place::Change { at, offset, soas } => self.changes(at, offset, soas),
            Place::LastSoa => self.soa().map(|()| Place::End).map_err(|_| place),
            Place::End => Ok(Place::End),
        }
    }

    /// Writes the changes of a transaction but the first ones.
    fn changes(&mut self, at: usize, offset: usize, mut soas: usize) -> Result<Place, Place> {
        let Some(transaction) = self.differences.get(at) else { return Ok(Place::LastSoa) };
        let mut place = Place::Change { at, offset, soas };
        for (change, offset) in transaction.changes_from(offset, soas) {
            if let Some(labels) = self.version.relative(change.owner) {
                self.encoder.owner(labels);
                let written = self.encoder.single(change.rtype, change.ttl, change.rdata, self.most);
                written.map_err(|_| place)?;
            }
            soas = soas.saturating_add(usize::from(change.rtype == Rtype::SOA));
            place = Place::Change { at, offset, soas };
        }
        Ok(Place::Change { at: at.saturating_add(1), offset: 0, soas: 0 })
    }

    /// Writes the SOA record. Fails if it does not fit.
    fn soa(&mut self) -> Result<(), usize> {
        self.encoder.owner(&[]);
        let rrset = self.version.apex_node().and_then(|node| node.rrset(Rtype::SOA));
        rrset.map_or(Ok(()), |rrset| self.encoder.rrset(&rrset, 0, self.most))
    }

    /// Writes the records of a node but the first ones.
    fn node(&mut self, node: &Node<'v>, rrsets: usize, rrs: usize) -> Result<Place, Place> {
        self.encoder.owner(node.relative_owner());
        let is_apex = node.is_apex();
        let mut all = node.rrsets().chain(node.signatures()).enumerate().skip(rrsets);
        all.try_for_each(|(at, rrset)| {
            let skipped = if at == rrsets { rrs } else { 0 };
            if is_apex && rrset.rtype() == Rtype::SOA {
                return Ok(());
            }
            let written = self.encoder.rrset(&rrset, skipped, self.most);
            written.map_err(|written| Place::Within { rrsets: at, rrs: skipped.saturating_add(written) })
        })?;
        Ok(Place::NextNode)
    }
}

#[cfg(test)]
mod tests;
