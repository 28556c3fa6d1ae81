//! A request in, a reply out: everything around the answer proper, in the order in which BIND checks it.
//!
//! First who gets no reply at all, then what cannot be read, EDNS, the opcode, the question, the view and TSIG; then
//! the query is answered, or the transfer or NOTIFY that it asks for is allowed or refused. Every reply leaves through
//! `Job::finish`, which adds OPT and TSIG.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::fmt;
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use super::acl::Peer;
use super::cookie::{COOKIE_LENGTH, CookieState};
use super::deferred::Update;
use super::facts::{Denied, Facts, Result as Found, Unanswered};
use super::opt::Opt;
use super::query::{self, Answer, Query};
use super::records::{Memory, Records};
use super::reply::{Head, close};
use super::request::{Question, Request};
use super::rrl::Action;
use super::snapshot::{Snapshot, TransferOut, View, Zone};
use super::sortlist::groups_for;
use crate::dns::edns::{MIN_UDP_SIZE, VERSION};
use crate::dns::message::Section;
use crate::dns::tsig::{self, Chain, Refusal, Verdict};
use crate::dns::writer::{Case, Compression, Writer};
use crate::dns::{Class, Header, Key, Message, NameRef, Opcode, Rcode, Reader, Rtype, WireError};
use crate::zone::ZoneVersion;

/// Over what a request came.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Transport {
    /// UDP.
    Udp,
    /// TCP.
    Tcp,
    /// TLS.
    Tls {
        /// Whether the client asked for DNS in the handshake (ALPN): transfers need that (RFC 9103).
        is_dot: bool,
    },
    /// HTTP.
    Http {
        /// Whether over TLS.
        is_encrypted: bool,
    },
}

/// Where a request came from.
#[derive(Debug, Clone, Copy)]
pub struct Client {
    /// The sender.
    pub source: SocketAddr,
    /// Our address that it was sent to.
    pub local: SocketAddr,
    /// Over what.
    pub transport: Transport,
    /// Who handed it on, where it came through a proxy.
    pub proxy: Option<Proxy>,
}

/// A proxy that speaks for a client.
#[derive(Debug, Clone, Copy)]
pub struct Proxy {
    /// Its address.
    pub peer: SocketAddr,
    /// Our address that it reached.
    pub local: SocketAddr,
}

/// What becomes of a request.
#[derive(Debug)]
pub enum Outcome {
    /// The first so many bytes of the reply buffer are to be sent.
    Reply(usize),
    /// There is no reply.
    Drop,
    /// A NOTIFY that is taken: the reply is to be sent, and the zone to be checked.
    Notify {
        /// Length of the reply.
        reply: usize,
        /// The secondary zone that may have changed.
        zone: Arc<Zone>,
        /// The serial that the primary announces, if it says.
        serial: Option<u32>,
    },
    /// A transfer that is allowed: to be sent by whoever sends transfers, there is no reply yet.
    Transfer(Transfer),
    /// An update that is allowed: to be answered later.
    Update(Update),
}

impl Outcome {
    /// How long the reply is, if there is one.
    pub fn reply_length(&self) -> Option<usize> {
        match self {
            Self::Reply(length) | Self::Notify { reply: length, .. } => Some(*length),
            Self::Drop | Self::Transfer(_) | Self::Update(_) => None,
        }
    }
}

/// A transfer that was asked for over TCP and is allowed.
#[derive(Clone)]
pub struct Transfer {
    /// The zone.
    pub zone: Arc<Zone>,
    /// Its version now.
    pub version: Arc<ZoneVersion>,
    /// AXFR or IXFR.
    pub rtype: Rtype,
    /// The serial that the client has, for IXFR.
    pub serial: Option<u32>,
    /// The key of the request, whose TSIG was right; every message of the transfer is signed with it, in a chain that
    /// starts at the request.
    pub key: Option<Arc<Key>>,
    /// How it is sent.
    pub how: TransferOut,
    /// The OPT records of its messages, where the request has one: that of the first, and that of all others.
    pub opts: Option<[Box<[u8]>; 2]>,
}

impl fmt::Debug for Transfer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Transfer({:?} {:?} from {:?}, {:?})", self.zone, self.rtype, self.serial, self.key)
    }
}

/// What a worker keeps between requests. One for each thread.
pub struct Scratch {
    pub(super) names: Compression,
    pub(super) search: query::Memory,
    records: Memory,
    /// Whom the last FORMERR over UDP went to, when, and with which ID.
    pub(super) last_formerr: Option<(SocketAddr, u64, u16)>,
    pub(super) facts: Facts,
}

impl Scratch {
    /// Starts with a seed for the order of records.
    pub fn new(seed: u64) -> Self {
        Self {
            names: Compression::default(),
            search: query::Memory::default(),
            records: Memory::new(seed),
            last_formerr: None,
            facts: Facts::default(),
        }
    }

    /// What happened to the last request.
    pub fn facts(&self) -> &Facts {
        &self.facts
    }
}

/// Answers one request at the time `now_s`, in seconds since 1970.
pub fn respond(
    snapshot: &Snapshot,
    request: &[u8],
    client: &Client,
    now_s: u64,
    scratch: &mut Scratch,
    reply: &mut [u8],
) -> Outcome {
    let address = snapshot.matched_address(client.source.ip());
    let is_blackholed = snapshot.blackhole.allows(Peer { address, key: None });
    let is_loop = client.transport == Transport::Udp && is_answering_back(client.source.port());
    let header = Header::read(&mut Reader::new(request)).ok().filter(|header| !header.is_response());
    let Some(header) = header.filter(|_| !is_blackholed && !is_loop) else {
        scratch.facts = Facts::default();
        return Outcome::Drop;
    };
    let mut request = Request::new(request, header);
    request.read(&mut scratch.search.suffixes);
    let local = snapshot.matched_address(client.local.ip());
    let (view, opt, signer) = (None, None, Signer::Nobody);
    Job { snapshot, request: &request, client, address, local, now_s, scratch, view, opt, signer }.run(reply)
}

/// Requests from these ports are not answered: services there would answer back for ever (BIND).
fn is_answering_back(port: u16) -> bool {
    matches!(port, 0 | 7 | 13 | 19 | 37)
}

/// The operations that there are here.
pub(super) fn is_known(opcode: Opcode) -> bool {
    matches!(opcode, Opcode::QUERY | Opcode::NOTIFY | Opcode::UPDATE)
}

/// What is known of a request before anything is done about it.
fn facts(request: &Request<'_>) -> Facts {
    Facts {
        is_request: true,
        is_malformed: request.is_malformed,
        opcode: request.header.opcode(),
        question: request.question.map(|question| (question.rtype, question.class)),
        recursion_desired: request.header.rd(),
        checking_disabled: request.header.cd(),
        edns_version: request.edns.map(|edns| edns.version),
        dnssec_ok: request.edns.is_some_and(|edns| edns.dnssec_ok),
        has_subnet: request.wishes.client_subnet.is_some(),
        asked: request.wishes.asked,
        has_tsig: request.has_tsig,
        ..Facts::default()
    }
}

/// The classes that views may be of.
fn has_views(class: Class) -> bool {
    matches!(class, Class::IN | Class::CH | Class::HS)
}

/// A request being answered.
pub(super) struct Job<'a> {
    pub(super) snapshot: &'a Snapshot,
    pub(super) request: &'a Request<'a>,
    pub(super) client: &'a Client,
    /// The client's address as lists match it.
    address: IpAddr,
    /// Our address that it was sent to, in the same way.
    local: IpAddr,
    pub(super) now_s: u64,
    pub(super) scratch: &'a mut Scratch,
    /// The view that takes the client, once that is known.
    pub(super) view: Option<&'a View>,
    /// The OPT record of the reply; none if the request has none.
    pub(super) opt: Option<Opt<'a>>,
    pub(super) signer: Signer<'a>,
}

/// How the reply is signed.
pub(super) enum Signer<'a> {
    Nobody,
    Key(Chain<&'a Key>),
    Refusal(Box<Refusal<'a>>),
}

impl<'a> Job<'a> {
    /// Whether a reply may be of any size: TCP, and all that is on it.
    pub(super) fn is_tcp(&self) -> bool {
        self.client.transport != Transport::Udp
    }

    /// Begins the OPT record of the reply, if the request has one.
    fn begin_opt(&mut self) {
        let (snapshot, wishes) = (self.snapshot, &self.request.wishes);
        let Some(edns) = &self.request.edns else { return };
        let plain = Opt { udp_size: snapshot.edns.udp_size, dnssec_ok: edns.dnssec_ok, ..Opt::default() };
        if edns.version != VERSION || !edns.has_options() {
            self.opt = Some(plain);
            return;
        }
        let server_id = snapshot.identity.server_id.as_deref().map(str::as_bytes);
        self.opt = Some(Opt {
            nsid: server_id.filter(|_| wishes.asked.nsid),
            cookie: self.reply_cookie(),
            subnet: wishes.client_subnet,
            keepalive_100ms: (wishes.asked.tcp_keepalive && self.is_tcp())
                .then_some(snapshot.tcp_advertised_timeout_100ms),
            ..plain
        });
    }

    /// A fresh cookie for a client that sent one (RFC 9018 section 4).
    fn reply_cookie(&mut self) -> Option<[u8; COOKIE_LENGTH]> {
        let theirs = self.request.wishes.cookie?;
        let address = self.client.source.ip();
        let cookies = &self.snapshot.cookies;
        let fresh = cookies.make(theirs.client, address, self.now_s)?;
        self.scratch.facts.cookie = match theirs.server {
            None => CookieState::New,
            Some(server) => cookies.verify(theirs.client, server, address, self.now_s),
        };
        Some(fresh)
    }

    fn run(&mut self, reply: &mut [u8]) -> Outcome {
        self.scratch.facts = facts(self.request);
        self.begin_opt();
        let (request, opcode) = (self.request, self.request.header.opcode());
        if request.is_malformed {
            return self.refuse(Rcode::FORMERR, reply);
        }
        if request.edns.is_some_and(|edns| edns.version != VERSION) {
            return self.refuse(Rcode::BADVERS, reply);
        }
        let [questions, ..] = request.header.counts;
        let Some(question) = request.question else {
            if !is_known(opcode) {
                return self.refuse(Rcode::NOTIMP, reply);
            }
            // RFC 7873 section 5.4: a query without a question asks for a cookie.
            let wants_cookie = opcode == Opcode::QUERY && self.opt.is_some_and(|opt| opt.cookie.is_some());
            return self.refuse(if wants_cookie { Rcode::NOERROR } else { Rcode::FORMERR }, reply);
        };
        match question.class {
            _ if questions > 1 => self.refuse(Rcode::FORMERR, reply),
            Class(0) if is_known(opcode) => self.refuse(Rcode::FORMERR, reply),
            // BIND: the class of a TKEY question says nothing.
            Class::ANY if question.rtype == Rtype::TKEY && !is_known(opcode) => self.refuse(Rcode::NOTIMP, reply),
            Class::NONE | Class::ANY => self.refuse(Rcode::FORMERR, reply),
            class if has_views(class) => self.in_a_view(&question, reply),
            _ => self.refuse(Rcode::NOTIMP, reply),
        }
    }

    /// Finds the view, checks TSIG, and goes on by opcode.
    fn in_a_view(&mut self, question: &Question<'a>, reply: &mut [u8]) -> Outcome {
        let view = match self.select_view(question.class) {
            Ok(Some(view)) => view,
            Ok(None) => {
                self.scratch.facts.denied = Some(Denied::NoView);
                let rcode = if is_known(self.request.header.opcode()) { Rcode::REFUSED } else { Rcode::NOTIMP };
                return self.prohibit(rcode, reply);
            }
            Err(_) => return self.refuse(Rcode::FORMERR, reply),
        };
        self.enter(view);
        if let Some(denied) = self.client.proxy.and_then(|proxy| self.refused_proxy(view, proxy)) {
            self.scratch.facts.denied = Some(denied);
            return Outcome::Drop;
        }
        match &self.signer {
            Signer::Nobody => {}
            Signer::Key(_) => self.scratch.facts.is_verified = true,
            Signer::Refusal(refusal) => {
                self.scratch.facts.tsig_error = Some(refusal.error);
                // BIND: an update may be for others who know the key.
                if refusal.error != Rcode::BADKEY || self.request.header.opcode() != Opcode::UPDATE {
                    return self.refuse(refusal.rcode, reply);
                }
            }
        }
        match self.request.header.opcode() {
            opcode if !is_known(opcode) => self.refuse(Rcode::NOTIMP, reply),
            Opcode::QUERY => self.query(view, question, reply),
            // BIND: nothing but queries for other classes (CVE-2026-5946).
            _ if question.class != Class::IN => self.refuse(Rcode::NOTIMP, reply),
            Opcode::NOTIFY => self.notify(view, question, reply),
            _ => self.update(view, question, reply),
        }
    }

    /// From now on the view's settings of EDNS hold.
    fn enter(&mut self, view: &'a View) {
        self.view = Some(view);
        let is_true = self.is_tcp() || self.scratch.facts.cookie == CookieState::Valid;
        let Some(opt) = &mut self.opt else { return };
        opt.udp_size = view.edns.udp_size;
        // BIND: a padded reply is a large one, and nothing for an address that may be forged.
        let is_padded = self.request.wishes.asked.padding && is_true && view.edns.padding_block > 0;
        if is_padded && view.edns.padded.allows(Peer { address: self.address, key: None }) {
            opt.padding_block = Some(view.edns.padding_block);
        }
    }

    /// What keeps a proxy from speaking for others. It is no client: lists look at where it is, not at whom it names.
    fn refused_proxy(&self, view: &View, proxy: Proxy) -> Option<Denied> {
        let unsigned = |address: SocketAddr| Peer { address: self.snapshot.matched_address(address.ip()), key: None };
        match () {
            () if !view.proxies.from.allows(unsigned(proxy.peer)) => Some(Denied::Proxy),
            () if !view.proxies.on.allows(unsigned(proxy.local)) => Some(Denied::ProxyInterface),
            () => None,
        }
    }

    /// The first view that takes this client. Its keys are those that a TSIG is checked with, so views may be told
    /// apart by key.
    fn select_view(&mut self, class: Class) -> Result<Option<&'a View>, WireError> {
        let snapshot = self.snapshot;
        for (index, view) in snapshot.views.iter().enumerate() {
            if view.class != class || view.match_recursive_only && !self.request.header.rd() {
                continue;
            }
            if self.request.has_tsig {
                self.signer = self.check_tsig(view)?;
            }
            let from = self.peer();
            if view.match_clients.allows(from) && view.match_destinations.allows(Peer { address: self.local, ..from }) {
                self.scratch.facts.view = Some(index);
                return Ok(Some(view));
            }
            self.signer = Signer::Nobody;
        }
        Ok(None)
    }

    fn check_tsig(&self, view: &'a View) -> Result<Signer<'a>, WireError> {
        let message = Message::new(self.request.bytes)?;
        let keys = |name: NameRef<'_>, algorithm| {
            let found = view.keys.iter().find(|key| key.name.as_ref() == name && key.algorithm == algorithm);
            found.map(Arc::as_ref)
        };
        Ok(match tsig::check_request(&message, keys, self.now_s)? {
            Verdict::Unsigned => Signer::Nobody,
            Verdict::Verified(chain) => Signer::Key(chain),
            Verdict::Refused(refusal) => Signer::Refusal(refusal),
        })
    }

    pub(super) fn peer(&self) -> Peer<'a> {
        let key = match &self.signer {
            Signer::Key(chain) => Some(chain.key().name.as_ref()),
            _ => None,
        };
        Peer { address: self.address, key }
    }

    fn query(&mut self, view: &'a View, question: &Question<'a>, reply: &mut [u8]) -> Outcome {
        self.scratch.facts.is_query = true;
        match question.rtype {
            Rtype::AXFR | Rtype::IXFR => self.transfer(view, question, reply),
            Rtype::MAILA | Rtype::MAILB => self.refuse(Rcode::NOTIMP, reply),
            // Types that no record has: OPT, TSIG and the unassigned ones of RFC 6895 section 3.1.
            rtype if rtype == Rtype::OPT || rtype != Rtype::ANY && (128..=255).contains(&rtype.0) => {
                self.refuse(Rcode::FORMERR, reply)
            }
            _ if self.lacks_cookie(view) => self.reply_without_records(Rcode::BADCOOKIE.into(), reply),
            _ => self.answer(view, question, reply),
        }
    }

    /// Whether a client that knows cookies is to come again with ours (RFC 7873 section 5.2.3).
    fn lacks_cookie(&self, view: &View) -> bool {
        view.edns.requires_cookie
            && !self.is_tcp()
            && !matches!(self.scratch.facts.cookie, CookieState::Absent | CookieState::Valid)
    }

    pub(super) fn answer(&mut self, view: &'a View, question: &Question<'a>, reply: &mut [u8]) -> Outcome {
        let (request, peer, udp_size) = (self.request, self.peer(), self.udp_size());
        let edns = request.edns;
        let query = Query {
            view,
            name: question.name,
            rtype: question.rtype,
            peer,
            local: self.local,
            is_tcp: self.is_tcp(),
            recursion_desired: request.header.rd(),
            is_small: !self.is_tcp() && edns.is_some() && udp_size <= MIN_UDP_SIZE,
            now_s: self.now_s,
            may_cross_zones: request.header.rd() && view.allow_recursion.allows(peer),
            wants_zone_version: request.wishes.asked.zone_version,
        };
        let case = if view.no_case_compress.allows(peer) { Case::Ignored } else { Case::Kept };
        let (limit, tail, signature) = (self.limit(udp_size), self.tail_length(), self.signature_length());
        let scratch = &mut *self.scratch;
        let mut writer = Writer::new(reply, limit, &mut scratch.names, case);
        writer.reserve(tail);
        // Not the type that is answered: an IXFR over UDP is answered with the SOA record.
        let asked = request.question.map_or(question.rtype, |asked| asked.rtype);
        if writer.question(question.name, asked, question.class).is_err() {
            return Outcome::Drop;
        }
        let dnssec_ok = edns.is_some_and(|edns| edns.dnssec_ok);
        let of = (question.name, question.class);
        let order = (&view.rrset_order, groups_for(&view.sortlist, peer.address));
        let records = Records::new(writer, of, dnssec_ok, order, &mut scratch.records);
        let mut answer = Answer::new(&query, records, &mut scratch.search, &mut scratch.facts);
        answer.fill();
        if let Some(opt) = &mut self.opt {
            (opt.error, opt.expire_s) = (answer.error, answer.expire_s.filter(|_| request.wishes.asked.expire));
            opt.zone_version = answer.zone_version;
        }
        let (facts, first, mut writer) = (answer.facts, answer.first, answer.records.writer);
        // What has no room has not been counted as anything yet.
        let lacks_room = facts.is_truncated && facts.result == Found::Failure;
        facts.has_answer = lacks_room || writer.count(Section::Answer) > 0;
        let head = Head {
            rcode: facts.rcode,
            is_authoritative: facts.is_authoritative && facts.rcode != Rcode::REFUSED,
            is_truncated: facts.is_truncated,
        };
        let is_bare = head.is_truncated && tail > 0 || facts.unanswered == Some(Unanswered::NotLoaded);
        writer.release(tail);
        let length = close(writer, self.opt.as_ref(), signature, request, head);
        match self.rate_limit(view, question, &first, head.rcode) {
            None if is_bare => self.reply_without_records(head, reply),
            None => self.finish(length, head, reply),
            Some(Action::Drop) => Outcome::Drop,
            Some(Action::Slip) => self.slip(head.rcode, reply),
        }
    }
}
