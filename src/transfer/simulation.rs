//! A secondary against primaries and a network that misbehave, run from seeds with a clock of its own.
//!
//! Packets are lost, late and doubled; primaries die midway, lie about serials, send streams that are cut or damaged,
//! sign with the wrong key, or slip in records outside the zone. At every moment the version served is one that a
//! primary really had, the old one keeps serving until it expires, and once the faults end the newest one is served.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use super::axfr_out::Filling;
use super::inbound::{Inbound, Progress, StreamError};
use super::message::{self, Ask, Opt, SoaReply};
use super::peer::{Peer, Unreachable};
use super::random::Random;
use super::refresh::{Action, Context, Event, Failure, Refresh, SOA_TIMEOUT_S, Settings, Timers};
use super::testing::{FILLING, NOW_S, dump, exchange, key, name, peer, soa, zone};
use crate::dns::tsig::{Chain, Verdict, check_request};
use crate::dns::writer::{Case, Compression, Owner, Writer};
use crate::dns::{Class, Header, Key, Message, Opcode, Rcode, Rtype, Section, Serial};
use crate::zone::{Limits, ZoneVersion};

const SEEDS: u64 = 60;
/// How long primaries and network misbehave, and how long the secondary then has to recover, in seconds.
const FAULTS_S: u64 = 3 * 86_400;
const RECOVERY_S: u64 = 86_400;
const HOSTS: u32 = 12;

struct World {
    random: Random,
    unreachable: Unreachable,
    now_s: u64,
    faulty: bool,
    key: Option<Arc<Key>>,
    /// What each primary serves now; every version that ever was.
    primaries: Vec<Arc<ZoneVersion>>,
    versions: HashMap<u32, Arc<ZoneVersion>>,
    zone: Refresh,
    served: Option<Arc<ZoneVersion>>,
    /// A version received whole, until the machine hears of it.
    pending: Option<Arc<ZoneVersion>>,
    timer_s: Option<u64>,
    /// What arrives when: the answer to the one thing under way.
    arrivals: Vec<(u64, Event)>,
}

impl World {
    fn new(seed: u64) -> Self {
        let mut random = Random::new(seed);
        let key = (random.below(2) == 0).then(|| Arc::new(key()));
        let first = Arc::new(zone(1, HOSTS));
        let count = 1 + random.below(3) as u8;
        let peer = |last| Peer { key: key.clone(), ..peer(last) };
        let settings = Settings {
            primaries: (0..count).map(peer).collect(),
            refresh_s: 300..=2_419_200,
            retry_s: 500..=1_209_600,
            try_tcp_refresh: true,
            multi_master: false,
            checks_when_due: true,
        };
        Self {
            random,
            unreachable: Unreachable::default(),
            now_s: NOW_S,
            faulty: true,
            key,
            primaries: vec![Arc::clone(&first); usize::from(count)],
            versions: HashMap::from([(1, first)]),
            zone: Refresh::new(settings),
            served: None,
            pending: None,
            timer_s: None,
            arrivals: Vec::new(),
        }
    }

    fn run(&mut self) {
        self.step(Event::Missing);
        let faults_end_s = self.now_s + FAULTS_S;
        while self.now_s < faults_end_s {
            if self.random.below(12) == 0 {
                self.change();
            }
            self.advance();
        }
        self.faulty = false;
        self.publish();
        (0..self.primaries.len()).for_each(|at| self.primaries[at] = Arc::clone(&self.primaries[0]));
        let end_s = self.now_s + RECOVERY_S;
        while self.now_s < end_s {
            self.advance();
        }
        let newest = self.primaries[0].serial();
        assert_eq!(self.served.as_ref().map(|version| version.serial()), Some(newest), "it did not converge");
    }

    /// To the next thing that happens.
    fn advance(&mut self) {
        self.arrivals.sort_by_key(|&(at_s, _)| at_s);
        let arrival_s = self.arrivals.first().map(|&(at_s, _)| at_s);
        let timer_s = self.timer_s.filter(|&at_s| arrival_s.is_none_or(|arrival_s| at_s < arrival_s));
        let event = match timer_s {
            Some(_) => {
                self.timer_s = None;
                Event::Timer
            }
            None => self.arrivals.remove(0).1,
        };
        self.now_s = self.now_s.max(timer_s.or(arrival_s).unwrap());
        if matches!(event, Event::Transferred(_)) {
            self.served = self.pending.take();
            self.check_contents();
        }
        self.step(event);
    }

    fn step(&mut self, event: Event) {
        let mut context = Context { now_s: self.now_s, random: &mut self.random, unreachable: &mut self.unreachable };
        let expires_s = self.zone.expires_s();
        for action in self.zone.step(event, &mut context) {
            match action {
                Action::AskSoa { primary, tcp, opt } => self.ask(&primary, tcp, opt),
                Action::Transfer { primary, .. } => self.transfer(&primary),
                Action::Timer(at_s) => self.timer_s = Some(at_s),
                Action::Expire => {
                    assert!(expires_s.is_some_and(|at_s| at_s <= self.now_s), "expired too early");
                    self.served = None;
                }
                Action::Touch(at_s) => assert!(at_s <= self.now_s),
                Action::Log(..) => {}
            }
        }
        self.check();
    }

    fn check(&self) {
        let served = self.served.as_ref().map(|version| version.serial());
        assert_eq!(served, self.zone.serial(), "what is served is what the machine believes");
        assert!(self.arrivals.len() <= 8, "more than one thing is under way");
    }

    fn check_contents(&self) {
        let version = self.served.as_ref().unwrap();
        assert_eq!(dump(version), dump(&self.versions[&version.serial().0]), "no primary ever had this");
    }

    /// A primary changes its zone, or goes back in time; it may say so, once or twice.
    fn change(&mut self) {
        let at = self.random.below(self.primaries.len() as u64) as usize;
        if self.random.below(6) == 0 {
            let serial = 1 + self.random.below(self.versions.len() as u64) as u32;
            self.primaries[at] = Arc::clone(&self.versions[&serial]);
        } else {
            self.publish();
            self.primaries[at] = Arc::clone(&self.primaries[0]);
        }
        let serial = (self.random.below(4) > 0).then(|| self.primaries[at].serial());
        let from = SocketAddr::from(([192, 0, 2, at as u8], 4711));
        for _ in 0..self.random.below(3) {
            self.arrivals.push((self.now_s + self.random.below(9), Event::Notify { from, serial }));
        }
    }

    /// The first primary has a new version.
    fn publish(&mut self) {
        let serial = self.versions.len() as u32 + 1;
        let version = Arc::new(zone(serial, HOSTS));
        self.versions.insert(serial, Arc::clone(&version));
        self.primaries[0] = version;
    }

    fn chance(&mut self, one_in: u64) -> bool {
        self.faulty && self.random.below(one_in) == 0
    }

    fn primary(&self, peer: &Peer) -> Arc<ZoneVersion> {
        let last = peer.address.to_string().split(['.', ':']).nth(3).unwrap().parse::<usize>().unwrap();
        Arc::clone(&self.primaries[last])
    }

    /// Sends the query and lets the first fitting packet or the timeout arrive, as the server floor does.
    fn ask(&mut self, peer: &Peer, tcp: bool, opt: Option<Opt>) {
        let id = (self.random.next_u64() >> 48) as u16;
        let apex = name("example.");
        let key = self.key.clone();
        let mut chain = key.as_deref().map(Chain::new);
        let mut asked = message::request(id, apex.as_ref(), Class::IN, Ask::Soa, opt).unwrap();
        if let Some(chain) = &mut chain {
            message::sign(chain, &mut asked, self.now_s);
        }
        if tcp && self.chance(3) {
            return self.arrivals.push((self.now_s + 1, Event::SoaFailed("connection refused".to_owned())));
        }
        let mut packets = Vec::new();
        for _ in 0..1 + u64::from(self.chance(5)) {
            let delay_s = if self.chance(4) { SOA_TIMEOUT_S + 1 } else { 1 };
            if !self.chance(4) {
                packets.push((delay_s, self.soa_reply(peer, &asked)));
            }
        }
        let in_time = packets.into_iter().filter(|(delay_s, _)| *delay_s < SOA_TIMEOUT_S);
        let mut fitting = in_time.filter(|(_, bytes)| message::answers(bytes, id, Opcode::QUERY, apex.as_ref()));
        let arrival = match fitting.next() {
            Some((delay_s, bytes)) => {
                let reply = message::read_soa_reply(&bytes, apex.as_ref(), chain.as_mut(), self.now_s);
                assert!(self.faulty || matches!(reply, SoaReply::Current { .. }), "{reply:?}");
                (self.now_s + delay_s, Event::SoaReply(reply))
            }
            None => (self.now_s + SOA_TIMEOUT_S, Event::SoaTimeout),
        };
        self.arrivals.push(arrival);
    }

    fn soa_reply(&mut self, peer: &Peer, asked: &[u8]) -> Vec<u8> {
        let request = Message::new(asked).unwrap();
        let wrong = Key { secret: b"wrong".to_vec(), ..key() };
        let key = if self.chance(9) { Some(Arc::new(wrong)) } else { self.key.clone() };
        let chain = match check_request(&request, |_, _| key.as_deref(), self.now_s).unwrap() {
            Verdict::Verified(chain) => Some(chain),
            Verdict::Unsigned | Verdict::Refused(_) => None,
        };
        let real = self.primary(peer).serial().0;
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
        if let Some(mut chain) = chain {
            chain.sign(&out, self.now_s).append_to(&mut out);
        }
        if self.chance(10) {
            let place = self.random.below(out.len() as u64) as usize;
            out.truncate(place);
        }
        out
    }

    fn transfer(&mut self, peer: &Peer) {
        let event = match self.receive(peer) {
            Ok(version) => {
                let timers = Timers::from(version.soa().unwrap());
                self.pending = Some(Arc::from(version));
                Event::Transferred(timers)
            }
            Err(failure) => Event::TransferFailed(failure, String::new()),
        };
        self.arrivals.push((self.now_s + 1 + self.random.below(60), event));
    }

    fn receive(&mut self, peer: &Peer) -> Result<Box<ZoneVersion>, Failure> {
        if self.chance(6) {
            return Err(Failure::Unreachable);
        }
        let id = (self.random.next_u64() >> 48) as u16;
        let key = self.key.clone();
        let filling = Filling { message_bytes: 400, ..FILLING };
        let stream = exchange(&self.primary(peer), key.as_deref(), filling, id);
        let messages = self.spoil(stream.messages, key.is_some());
        let mut incoming = Inbound::new(name("example."), Class::IN, id, None, stream.chain, Limits::default());
        for message in messages {
            match incoming.feed(&message, NOW_S) {
                Ok(Progress::More) => {}
                Ok(Progress::Done(version)) => return Ok(version),
                Ok(progress) => panic!("AXFR answered by {progress:?}"),
                Err(_) => return Err(Failure::Other),
            }
        }
        assert_eq!(incoming.end_of_input(), StreamError::UnexpectedEnd);
        Err(Failure::Other)
    }

    /// Cuts, doubles, loses or damages messages. Damage that no checksum finds is left to signed streams.
    fn spoil(&mut self, mut messages: Vec<Vec<u8>>, signed: bool) -> Vec<Vec<u8>> {
        let at = self.random.below(messages.len() as u64) as usize;
        if self.chance(5) {
            messages.truncate(at);
        } else if self.chance(6) {
            let length = messages[at].len() / 2;
            messages[at].truncate(length);
        } else if signed && self.chance(3) {
            let place = self.random.below(messages[at].len() as u64) as usize;
            messages[at][place] ^= 1 << self.random.below(8);
        } else if signed && self.chance(6) {
            messages.remove(at);
        } else if !signed && self.chance(3) {
            slip_in(&mut messages[0]);
        }
        messages
    }
}

/// Appends `evil. A 6.6.6.6` to the answer section of an unsigned message.
fn slip_in(message: &mut Vec<u8>) {
    message.extend_from_slice(b"\x04evil\x00\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\x06\x06\x06\x06");
    let count = u16::from_be_bytes([message[6], message[7]]) + 1;
    message[6..8].copy_from_slice(&count.to_be_bytes());
}

#[test]
fn whatever_happens_a_real_version_is_served_and_the_newest_in_the_end() {
    let mut held = 0;
    for seed in 0..SEEDS {
        let outcome = std::panic::catch_unwind(|| {
            let mut world = World::new(seed);
            world.run();
            world.versions.len()
        });
        match outcome {
            Ok(versions) => held += versions,
            Err(_) => panic!("failed with seed {seed}"),
        }
    }
    assert!(held > SEEDS as usize * 5, "the primaries hardly changed: {held} versions");
}

#[test]
fn a_primary_that_stays_dead_lets_the_copy_expire_on_time() {
    let mut world = World::new(1);
    world.faulty = false;
    world.step(Event::Missing);
    while world.served.is_none() {
        world.advance();
    }
    let loaded_s = world.now_s;
    while world.served.is_some() {
        // Nothing answers any more.
        for (_, event) in &mut world.arrivals {
            *event = Event::SoaTimeout;
        }
        world.advance();
    }
    assert_eq!(world.now_s - loaded_s, 604_800);
    assert_eq!(world.zone.serial(), None::<Serial>);
}
