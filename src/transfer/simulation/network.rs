//! The way to the primaries, on which packets are lost, late, doubled and overtaken, and what they say of their serial.

use std::sync::Arc;

use super::tally::Fault;
use super::{Arrival, World, versions};
use crate::dns::tsig::{Chain, Verdict, check_request};
use crate::dns::writer::{Case, Compression, Owner, Writer};
use crate::dns::{Class, Header, Key, Message, Rcode, Rtype, Section};
use crate::transfer::message::{self, Ask, Opt, SoaReply};
use crate::transfer::peer::Peer;
use crate::transfer::refresh::{Event, SOA_TIMEOUT_S};
use crate::transfer::testing::{key, name, soa};

/// A reply on its way.
struct Packet {
    delay_s: u64,
    bytes: Vec<u8>,
    /// Whether it is whole, and signed with the key where there is one.
    is_vouched_for: bool,
}

impl World {
    /// Whether something goes wrong that does so once in so many times.
    pub(super) fn chance(&mut self, one_in: u64) -> bool {
        self.is_faulty && self.random.below(one_in) == 0
    }

    pub(super) fn version_at(&self, peer: &Peer) -> usize {
        let last = peer.address.to_string().split(['.', ':']).nth(3).unwrap().parse::<usize>().unwrap();
        self.primaries[last]
    }

    /// Sends the query and lets the first fitting packet or the timeout arrive, as the server floor does.
    pub(super) fn ask(&mut self, peer: &Peer, tcp: bool, opt: Option<Opt>) {
        let id = (self.random.next_u64() >> 48) as u16;
        let (apex, key) = (name("example."), self.key.clone());
        let mut chain = key.as_deref().map(Chain::new);
        let mut asked = message::request(id, apex.as_ref(), Class::IN, Ask::Soa, opt).unwrap();
        if let Some(chain) = &mut chain {
            message::sign(chain, &mut asked, self.now_s());
        }
        if tcp && self.chance(3) {
            return self.arrives(1, Arrival::Told(Event::SoaFailed("connection refused".to_owned())));
        }
        let packets = self.packets(peer, &asked);
        let Some(Packet { delay_s, bytes, is_vouched_for }) = self.first_of(packets, id) else {
            return self.arrives(SOA_TIMEOUT_S, Arrival::Told(Event::SoaTimeout));
        };
        assert_eq!(bytes[..2], asked[..2], "this answers another question");
        let reply = message::read_soa_reply(&bytes, apex.as_ref(), chain.as_mut(), self.now_s());
        self.judge_reply(&reply, is_vouched_for, peer);
        self.arrives(delay_s, Arrival::Told(Event::SoaReply(reply)));
    }

    /// What is under way from the primary, in the order of arrival.
    fn packets(&mut self, peer: &Peer, asked: &[u8]) -> Vec<Packet> {
        let mut packets = Vec::new();
        for _ in 0..1 + u64::from(self.chance(5)) {
            let delay_s = if self.chance(4) { SOA_TIMEOUT_S + 1 } else { 1 + self.random.below(3) };
            if !self.chance(4) {
                let (bytes, is_vouched_for) = self.soa_reply(peer, asked);
                packets.push(Packet { delay_s, bytes, is_vouched_for });
            }
        }
        if self.chance(6) {
            // What was asked before is answered now.
            let mut other = asked.to_vec();
            other[0] ^= 1;
            packets.push(Packet { delay_s: 0, bytes: self.soa_reply(peer, &other).0, is_vouched_for: false });
        }
        packets.sort_by_key(|packet| packet.delay_s);
        packets
    }

    /// The first packet that answers the question, and in time.
    fn first_of(&mut self, mut packets: Vec<Packet>, id: u16) -> Option<Packet> {
        let in_time = packets.iter().take_while(|packet| packet.delay_s < SOA_TIMEOUT_S).count();
        let fits = |packet: &Packet| message::answers(&packet.bytes, id);
        let Some(at) = packets[..in_time].iter().position(fits) else {
            let fault = if in_time < packets.len() { Fault::PacketLate } else { Fault::PacketLost };
            self.tally.count(fault);
            return None;
        };
        self.tally.count_if(at > 0, Fault::PacketOvertaken);
        self.tally.count_if(at + 1 < in_time, Fault::PacketDoubled);
        Some(packets.swap_remove(at))
    }

    /// What nobody has signed is not believed, and what is sound is.
    fn judge_reply(&mut self, reply: &SoaReply, is_vouched_for: bool, peer: &Peer) {
        let believed = match reply {
            SoaReply::Current { serial, .. } => Some(*serial),
            _ => None,
        };
        assert!(self.is_faulty || believed.is_some(), "{reply:?}");
        assert!(is_vouched_for || believed.is_none(), "nobody has signed this");
        let real = versions::serial(self.version_at(peer));
        self.tally.count_if(believed.is_some_and(|serial| serial != real), Fault::Lie);
        self.tally.count_if(matches!(reply, SoaReply::Tsig(_)), Fault::ReplySignature);
    }

    /// What the primary says, and whether it is whole and signed with the key where there is one.
    fn soa_reply(&mut self, peer: &Peer, asked: &[u8]) -> (Vec<u8>, bool) {
        let request = Message::new(asked).unwrap();
        let wrong = Key { secret: b"wrong".to_vec(), ..key() };
        let is_wrong = self.chance(9);
        let key = if is_wrong { Some(Arc::new(wrong)) } else { self.key.clone() };
        let chain = match check_request(&request, |_, _| key.as_deref(), self.true_s).unwrap() {
            Verdict::Verified(chain) => Some(chain),
            Verdict::Unsigned | Verdict::Refused(_) => None,
        };
        let chain = chain.filter(|_| !self.chance(12));
        let mut is_vouched_for = self.key.is_none() || (chain.is_some() && !is_wrong);
        let mut out = self.plain_reply(peer, request.header());
        if let Some(mut chain) = chain {
            chain.sign(&out, self.true_s).append_to(&mut out);
        }
        if self.chance(10) {
            let place = self.random.below(out.len() as u64) as usize;
            out.truncate(place);
            is_vouched_for = false;
        }
        (out, is_vouched_for)
    }

    /// What the primary says, unsigned: its serial, mostly.
    fn plain_reply(&mut self, peer: &Peer, request: Header) -> Vec<u8> {
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
        let header = Header { flags: request.response(rcode).with_aa().flags, ..request };
        let header = if self.chance(10) { header.with_tc() } else { header };
        let length = writer.finish(header);
        out.truncate(length);
        out
    }
}
