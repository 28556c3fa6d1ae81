//! The primaries and the way to them, each as bad as can be while faults last.

use std::sync::Arc;

use super::{Arrival, Brought, World, versions};
use crate::dns::tsig::{Chain, Verdict, check_request};
use crate::dns::writer::{Case, Compression, Owner, Writer};
use crate::dns::{Class, Header, Key, Message, Opcode, Rcode, Rtype, Section};
use crate::transfer::axfr_out::Filling;
use crate::transfer::inbound::{Inbound, Progress};
use crate::transfer::message::{self, Ask, Opt, SoaReply};
use crate::transfer::peer::Peer;
use crate::transfer::refresh::{Event, Failure, SOA_TIMEOUT_S};
use crate::transfer::testing::{Asking, Exchange, FILLING, key, name, soa};
use crate::zone::{Limits, ZoneVersion};

/// How long a transfer may take, in seconds; one that never ends is broken off then.
const MAX_TRANSFER_S: u64 = 7200;
/// How many messages come in that time from a primary that never ends.
const ENDLESS_MESSAGES: usize = 100;

impl World {
    fn chance(&mut self, one_in: u64) -> bool {
        self.is_faulty && self.random.below(one_in) == 0
    }

    fn version_at(&self, peer: &Peer) -> usize {
        let last = peer.address.to_string().split(['.', ':']).nth(3).unwrap().parse::<usize>().unwrap();
        self.primaries[last]
    }

    /// Sends the query and lets the first fitting packet or the timeout arrive, as the server floor does.
    pub(super) fn ask(&mut self, peer: &Peer, tcp: bool, opt: Option<Opt>) {
        let id = (self.random.next_u64() >> 48) as u16;
        let apex = name("example.");
        let key = self.key.clone();
        let mut chain = key.as_deref().map(Chain::new);
        let mut asked = message::request(id, apex.as_ref(), Class::IN, Ask::Soa, opt).unwrap();
        if let Some(chain) = &mut chain {
            message::sign(chain, &mut asked, self.now_s());
        }
        if tcp && self.chance(3) {
            return self.arrives(1, Arrival::Told(Event::SoaFailed("connection refused".to_owned())));
        }
        let mut packets = Vec::new();
        for _ in 0..1 + u64::from(self.chance(5)) {
            let delay_s = if self.chance(4) { SOA_TIMEOUT_S + 1 } else { 1 + self.random.below(3) };
            if !self.chance(4) {
                packets.push((delay_s, self.soa_reply(peer, &asked)));
            }
        }
        if self.chance(6) {
            // What was asked before is answered now.
            let mut other = asked.clone();
            other[0] ^= 1;
            packets.push((0, self.soa_reply(peer, &other)));
        }
        packets.sort_by_key(|&(delay_s, _)| delay_s);
        let in_time = packets.into_iter().filter(|(delay_s, _)| *delay_s < SOA_TIMEOUT_S);
        let mut fitting = in_time.filter(|(_, bytes)| message::answers(bytes, id, Opcode::QUERY, apex.as_ref()));
        match fitting.next() {
            Some((delay_s, bytes)) => {
                assert_eq!(bytes[..2], asked[..2], "this answers another question");
                let reply = message::read_soa_reply(&bytes, apex.as_ref(), chain.as_mut(), self.now_s());
                assert!(self.is_faulty || matches!(reply, SoaReply::Current { .. }), "{reply:?}");
                self.arrives(delay_s, Arrival::Told(Event::SoaReply(reply)));
            }
            None => self.arrives(SOA_TIMEOUT_S, Arrival::Told(Event::SoaTimeout)),
        }
    }

    fn soa_reply(&mut self, peer: &Peer, asked: &[u8]) -> Vec<u8> {
        let request = Message::new(asked).unwrap();
        let wrong = Key { secret: b"wrong".to_vec(), ..key() };
        let key = if self.chance(9) { Some(Arc::new(wrong)) } else { self.key.clone() };
        let chain = match check_request(&request, |_, _| key.as_deref(), self.true_s).unwrap() {
            Verdict::Verified(chain) => Some(chain),
            Verdict::Unsigned | Verdict::Refused(_) => None,
        };
        let real = versions::serial(self.version_at(peer)).0;
        let serial = if self.chance(8) { real.wrapping_add(self.random.next_u64() as u32) } else { real };
        let rcodes = [Rcode::SERVFAIL, Rcode::REFUSED, Rcode::FORMERR, Rcode::NOTAUTH];
        let rcode = if self.chance(6) { rcodes[self.random.below(4) as usize] } else { Rcode::NOERROR };
        let (mut out, mut names) = (vec![0; 1232], Compression::default());
        let mut writer = Writer::new(&mut out, 1000, &mut names, Case::Kept);
        let apex = name("example.");
        writer.question(apex.as_ref(), Rtype::SOA, Class::IN).unwrap();
        if rcode == Rcode::NOERROR {
            let fields = (Rtype::SOA, Class::IN, 60);
            writer.record(Section::Answer, Owner::Name(apex.as_ref()), fields, &soa(serial)).unwrap();
        }
        let header = Header { flags: request.header().response(rcode).with_aa().flags, ..request.header() };
        let header = if self.chance(10) { header.with_tc() } else { header };
        let length = writer.finish(header);
        out.truncate(length);
        if let Some(mut chain) = chain.filter(|_| !self.chance(12)) {
            chain.sign(&out, self.true_s).append_to(&mut out);
        }
        if self.chance(10) {
            let place = self.random.below(out.len() as u64) as usize;
            out.truncate(place);
        }
        out
    }

    /// Transfers the zone, by differences where there is a version that they can be made to.
    pub(super) fn transfer(&mut self, peer: &Peer, is_forced: bool) {
        self.is_transferring = true;
        let old = self.served.clone().filter(|_| !is_forced && self.random.below(5) > 0);
        let have = self.served.as_ref().map(|served| served.serial()).filter(|_| !is_forced);
        let received = match self.receive(peer, old.as_deref()) {
            Err((_, true)) => self.receive(peer, None),
            received => received,
        };
        let arrival = match received {
            Ok(Some(brought)) => match have {
                Some(have) if brought.version.serial() == have => Arrival::Told(Event::UpToDate),
                Some(have) if !brought.version.serial().is_newer_than(have) => {
                    Arrival::Told(Event::TransferFailed(Failure::Other, "older".to_owned()))
                }
                _ => Arrival::Version(brought),
            },
            Ok(None) => Arrival::Told(Event::UpToDate),
            Err((failure, _)) => Arrival::Told(Event::TransferFailed(failure, String::new())),
        };
        let is_slow = self.chance(8);
        let most_s = if is_slow { MAX_TRANSFER_S } else { 60 };
        let delay_s = 1 + self.random.below(most_s);
        self.arrives(delay_s, arrival);
    }

    /// What came, nothing where we are current, or why it failed and whether the whole zone is to be asked for.
    fn receive(&mut self, peer: &Peer, old: Option<&ZoneVersion>) -> Result<Option<Brought>, (Failure, bool)> {
        if self.chance(6) {
            return Err((Failure::Unreachable, false));
        }
        let id = (self.random.next_u64() >> 48) as u16;
        let key = self.key.clone();
        let stream = self.stream(peer, key.as_deref(), old, id);
        let messages = self.spoil(peer, stream.messages, key.is_some());
        let mut incoming = Inbound::new(name("example."), Class::IN, id, old, stream.chain, Limits::default());
        for message in messages {
            match incoming.feed(&message, self.now_s()) {
                Ok(Progress::More) => {}
                Ok(Progress::UpToDate(_)) => return Ok(None),
                Ok(Progress::Done(version)) => return Ok(Some(Brought::new(version, vec![]))),
                Ok(Progress::Changed(version, changes)) => return Ok(Some(Brought::new(version, changes))),
                Err(error) => return Err((Failure::Other, incoming.suggests_axfr(&error))),
            }
        }
        let end = incoming.end_of_input();
        Err((Failure::Other, incoming.suggests_axfr(&end)))
    }

    /// What the primary sends.
    fn stream<'k>(&mut self, peer: &Peer, key: Option<&'k Key>, old: Option<&ZoneVersion>, id: u16) -> Exchange<'k> {
        let (has, from) = (self.version_at(peer), old.map(|old| versions::number(old.serial())));
        let changes = match from.filter(|&from| from < has) {
            Some(from) if self.chance(5) => versions::misfitting_changes(from, has),
            Some(from) if self.random.below(6) > 0 => versions::changes(from, has),
            _ => vec![],
        };
        let (version, filling) = (&versions::version(has), Filling { message_bytes: 300, ..FILLING });
        Asking { version, key, filling, id, old, changes, ours_s: self.now_s(), theirs_s: self.true_s }.exchange()
    }

    /// Cuts, doubles, loses, swaps or damages messages. Damage that no checksum finds is left to signed streams.
    fn spoil(&mut self, peer: &Peer, mut messages: Vec<Vec<u8>>, signed: bool) -> Vec<Vec<u8>> {
        if messages.is_empty() {
            return messages;
        }
        let at = self.random.below(messages.len() as u64) as usize;
        if self.chance(5) {
            messages.truncate(at);
        } else if self.chance(8) {
            let length = messages[at].len() / 2;
            messages[at].truncate(length);
        } else if self.chance(12) {
            self.splice(peer, &mut messages, at);
        } else if self.chance(12) {
            let middle = messages[messages.len() / 2].clone();
            messages.truncate(at);
            messages.extend(std::iter::repeat_n(middle, ENDLESS_MESSAGES));
        } else if signed && self.chance(3) {
            let place = self.random.below(messages[at].len() as u64) as usize;
            messages[at][place] ^= 1 << self.random.below(8);
        } else if signed && self.chance(6) {
            messages.remove(at);
        } else if signed && self.chance(6) {
            let last = messages.len() - 1;
            messages.swap(at, last);
        } else if !signed && self.chance(3) {
            slip_in(&mut messages[0]);
        }
        messages
    }

    /// The primary has another version from this message on.
    fn splice(&mut self, peer: &Peer, messages: &mut Vec<Vec<u8>>, at: usize) {
        let other = self.random.below(self.newest as u64 + 1) as usize;
        if other != self.version_at(peer) {
            let (key, version) = (self.key.clone(), &versions::version(other));
            let filling = Filling { message_bytes: 300, ..FILLING };
            let id = u16::from_be_bytes([messages[0][0], messages[0][1]]);
            let clock_s = self.true_s;
            let (key, old, changes) = (key.as_deref(), None, vec![]);
            let others = Asking { version, key, filling, id, old, changes, ours_s: clock_s, theirs_s: clock_s };
            let others = others.exchange();
            messages.truncate(at);
            messages.extend(others.messages.into_iter().skip(at));
        }
    }
}

/// Appends `evil. A 6.6.6.6` to the answer section of an unsigned message.
fn slip_in(message: &mut Vec<u8>) {
    message.extend_from_slice(b"\x04evil\x00\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x06\x06\x06\x06");
    let count = u16::from_be_bytes([message[6], message[7]]) + 1;
    message[6..8].copy_from_slice(&count.to_be_bytes());
}
