//! Between sockets and answers: what the workers of [`crate::net`] call for each batch or request.
//!
//! A worker takes the snapshot once a batch, answers, and posts what is more than an answer to the control side. It
//! never waits for anything.

use std::cell::RefCell;
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{SystemTime, UNIX_EPOCH};

use arc_swap::{ArcSwap, Cache};
use nix::time::{ClockId, clock_gettime};

use super::core::Event;
use super::limiting;
use super::logging::{Category, Severity, log};
use super::outgoing::{NotBegun, Outgoing};
use super::querylog;
use super::shared::Shared;
use super::updating::Taken;
use super::zones::ZoneId;
use crate::answer::counters::Counters;
use crate::answer::{Client, Facts, Outcome, Proxy, Scratch, Snapshot, Transfer, Transport, Zone, respond};
use crate::answer::{LANES, fetch};
use crate::net::later::ReplyTo;
use crate::net::proxy::Origin;
use crate::net::{tcp, udp};

/// A NOTIFY that has been answered and has to be acted on.
pub(super) struct Notified {
    /// The secondary zone.
    pub(super) zone: Arc<Zone>,
    /// Who sent it.
    pub(super) from: SocketAddr,
    /// The serial that it announced, if it did.
    pub(super) serial: Option<u32>,
}

/// Answers the datagrams of one worker thread.
pub(super) struct UdpResponder {
    snapshot: Cache<Arc<ArcSwap<Snapshot>>, Arc<Snapshot>>,
    scratch: Scratch,
    counters: Arc<Counters>,
    shared: Arc<Shared>,
}

impl UdpResponder {
    /// A responder with a seed of its own.
    pub(super) fn new(shared: Arc<Shared>, seed: u64) -> Self {
        let (snapshot, counters) = (Cache::new(shared.snapshot.clone()), shared.new_counters());
        Self { snapshot, scratch: Scratch::new(seed), counters, shared }
    }
}

impl udp::Responder for UdpResponder {
    fn respond(&mut self, batch: &mut udp::Batch) {
        let snapshot = self.snapshot.load();
        let now_s = unix_now_s();
        let is_logging = self.shared.is_logging_queries.load(Ordering::Relaxed);
        let (requests, replies) = batch.split();
        for index in 0..requests.len() {
            if index % LANES == 0 && index + 1 < requests.len() {
                fetch(snapshot, (index..index + LANES).map(|index| requests.bytes(index)), &mut self.scratch);
            }
            let Some(source) = requests.peer(index) else { continue };
            let client = Client { source, local: requests.local(), transport: Transport::Udp, proxy: None };
            let client = requests.header(index).map_or(client, |header| behind_proxy(client, header.origin));
            let request = requests.bytes(index);
            let outcome = respond(snapshot, request, &client, now_s, &mut self.scratch, replies.buffer(index));
            self.counters.count(self.scratch.facts(), &client, request.len(), outcome.reply_length());
            querylog::tell(snapshot, request, &client, self.scratch.facts(), is_logging);
            limiting::tell(&self.shared, snapshot, request, &client, self.scratch.facts());
            self.shared.post_awaited(self.scratch.facts());
            match outcome {
                Outcome::Reply(length) => replies.set(index, length),
                Outcome::Notify { reply, zone, serial } => {
                    if self.shared.post_notify(Notified { zone, from: source, serial }) {
                        replies.set(index, reply);
                    }
                }
                Outcome::Update(update) => {
                    let Some(reply_to) = requests.reply_to(index) else { continue };
                    let (facts, counters) = (self.scratch.facts(), &*self.counters);
                    let taken = Taken { snapshot, bytes: request, client: &client, facts, counters };
                    self.shared.post_update(update, taken, reply_to);
                }
                // Over UDP a transfer is answered like any query, if at all.
                Outcome::Drop | Outcome::Transfer(_) => {}
            }
        }
    }

    fn fault(&mut self, fault: udp::Fault<'_>) {
        match fault {
            // Replies that could not be sent are the network's business, as with named.
            udp::Fault::Unsent(_) => {}
            udp::Fault::Panic(requests) => {
                log!(Category::Client, Severity::Critical, "a batch of requests was dropped: {requests:?}");
            }
            udp::Fault::Receive(address, error) => {
                log!(Category::Client, Severity::Error, "receiving on UDP socket {address}: {error}");
            }
            udp::Fault::Wait(error) => log!(Category::Client, Severity::Error, "waiting for UDP sockets: {error}"),
        }
    }
}

/// Answers the requests of all TCP connections.
pub(super) struct TcpService {
    shared: Arc<Shared>,
    seed: u64,
}

impl TcpService {
    /// A service whose threads take seeds from this one on.
    pub(super) fn new(shared: Arc<Shared>, seed: u64) -> Self {
        Self { shared, seed }
    }

    fn stream(
        &self,
        transfer: Transfer,
        view: &str,
        request: &[u8],
        client: &tcp::Client,
        out: &mut Vec<u8>,
    ) -> tcp::Served {
        match Outgoing::begin(transfer, view, request, client, self.shared.clone()) {
            Ok(stream) => tcp::Served::Stream(Box::new(stream)),
            Err(NotBegun::Quota(refusal)) => {
                out.extend(refusal.unwrap_or_default());
                tcp::Served::Reply
            }
            Err(NotBegun::Unreadable) => tcp::Served::Close,
        }
    }
}

/// What a thread keeps between TCP requests.
struct PerThread {
    scratch: Scratch,
    counters: Arc<Counters>,
    reply: Box<[u8]>,
}

thread_local! {
    static PER_THREAD: RefCell<Option<PerThread>> = const { RefCell::new(None) };
}

impl tcp::Service for TcpService {
    fn serve(&self, request: &[u8], client: &tcp::Client, out: &mut Vec<u8>) -> tcp::Served {
        PER_THREAD.with_borrow_mut(|state| {
            let state = state.get_or_insert_with(|| PerThread {
                scratch: Scratch::new(self.seed),
                counters: self.shared.new_counters(),
                reply: vec![0; usize::from(u16::MAX)].into_boxed_slice(),
            });
            let snapshot = self.shared.snapshot.load();
            let proxy = client.proxy.map(|ends| Proxy { peer: ends.source, local: ends.destination });
            let from = Client { source: client.peer, local: client.local, transport: transport(client.layer), proxy };
            let outcome = respond(&snapshot, request, &from, unix_now_s(), &mut state.scratch, &mut state.reply);
            let facts = state.scratch.facts();
            state.counters.count(facts, &from, request.len(), outcome.reply_length());
            querylog::tell(&snapshot, request, &from, facts, self.shared.is_logging_queries.load(Ordering::Relaxed));
            self.shared.post_awaited(facts);
            if facts.asked.tcp_keepalive {
                client.keep_alive();
            }
            match outcome {
                Outcome::Reply(length) => reply(&state.reply, length, out),
                Outcome::Notify { reply: length, zone, serial } => {
                    match self.shared.post_notify(Notified { zone, from: client.peer, serial }) {
                        true => reply(&state.reply, length, out),
                        false => tcp::Served::Nothing,
                    }
                }
                Outcome::Transfer(transfer) => {
                    let view = view_name(&snapshot, facts);
                    self.stream(transfer, view, request, client, out)
                }
                Outcome::Update(update) => {
                    let (reply_to, awaited) = ReplyTo::connection();
                    let (bytes, client, counters) = (request, &from, &*state.counters);
                    let taken = Taken { snapshot: &snapshot, bytes, client, facts, counters };
                    self.shared.post_update(update, taken, reply_to);
                    tcp::Served::Later(awaited)
                }
                // BIND: such a proxy is not worth its connection. Over HTTP there is always some reply.
                Outcome::Drop if facts.is_proxy_refused() && !matches!(client.layer, tcp::Layer::Http { .. }) => {
                    tcp::Served::Close
                }
                Outcome::Drop => tcp::Served::Nothing,
            }
        })
    }

    fn fault(&self, fault: tcp::Fault<'_>) {
        match fault {
            tcp::Fault::Panic(client, request) => {
                log!(Category::Client, Severity::Critical, "a request of {} was dropped: {request:?}", client.peer);
            }
            tcp::Fault::Quota(address) => {
                log!(Category::General, Severity::Error, "TCP connection failed: quota reached ({address})");
            }
            tcp::Fault::Accept(address, error) => {
                log!(Category::Network, Severity::Error, "accepting on TCP socket {address}: {error}");
            }
        }
    }
}

/// The client that a proxy names, if it does, in its place.
fn behind_proxy(proxy: Client, origin: Option<Origin>) -> Client {
    let ends = Proxy { peer: proxy.source, local: proxy.local };
    let origin = origin.unwrap_or(Origin { source: proxy.source, destination: proxy.local });
    Client { source: origin.source, local: origin.destination, proxy: Some(ends), ..proxy }
}

/// The view that a request was answered from.
pub(super) fn view_name<'s>(snapshot: &'s Snapshot, facts: &Facts) -> &'s str {
    facts.view.and_then(|index| snapshot.views.get(index)).map_or("", |view| &view.name)
}

fn transport(layer: tcp::Layer) -> Transport {
    match layer {
        tcp::Layer::Tcp => Transport::Tcp,
        tcp::Layer::Tls { is_dot } => Transport::Tls { is_dot },
        tcp::Layer::Http { is_encrypted } => Transport::Http { is_encrypted },
    }
}

fn reply(buffer: &[u8], length: usize, out: &mut Vec<u8>) -> tcp::Served {
    match buffer.get(..length) {
        Some(reply) => {
            out.extend_from_slice(reply);
            tcp::Served::Reply
        }
        None => tcp::Served::Nothing,
    }
}

impl Shared {
    /// Tells the control side of a zone that is asked for and has not been read yet, once for each.
    fn post_awaited(&self, facts: &Facts) {
        if let Some(number) = facts.awaited {
            // Fails only when the server is going down.
            let _ = self.events.send(Event::Awaited(ZoneId::of(number)));
        }
    }

    /// Tells the control side of a NOTIFY. A flood of them is cut off: one that is not taken must not be answered, so
    /// that its sender comes again.
    pub(super) fn post_notify(&self, notified: Notified) -> bool {
        if self.notifies_open.fetch_add(1, Ordering::Relaxed) >= MAX_OPEN_NOTIFIES {
            self.notifies_open.fetch_sub(1, Ordering::Relaxed);
            return false;
        }
        // Fails only when the server is going down.
        self.events.send(Event::Notified(notified)).is_ok()
    }
}

/// Seconds since 1970, for TSIG, cookies and EXPIRE.
pub(super) fn unix_now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs())
}

/// Seconds by a clock that nobody sets, to tell how long something has lasted.
pub(super) fn up_s() -> u64 {
    clock_gettime(ClockId::CLOCK_BOOTTIME).map_or(0, |now| now.tv_sec().unsigned_abs())
}

/// How many NOTIFYs may wait for the control side.
pub(super) const MAX_OPEN_NOTIFIES: usize = 100_000;
