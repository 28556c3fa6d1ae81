//! DNS over TCP (RFC 7766): connections accepted, messages framed, pipelined queries answered together.
//!
//! In: a bound listener and a [`Service`]; out: replies and streams of messages. All complete queries of one read are
//! answered by one write; a client that does not read its answers is not read from either, so what a connection can
//! hold is bounded. Runs on tokio; a service is called on its threads and must not block.

mod connection;
mod idle;
mod quota;
#[cfg(test)]
mod tests;

pub use connection::frame;
pub use quota::Quota;

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::net::{TcpListener, TcpStream};
use tokio::task::{JoinHandle, JoinSet};

use connection::Connection;
use idle::Idle;
use quota::Permit;

/// What answers the requests of all connections.
pub trait Service: Send + Sync + 'static {
    /// Answers one request. A reply is appended to `out`, without the length that precedes it on the wire.
    fn serve(&self, request: &[u8], client: &Client, out: &mut Vec<u8>) -> Served;

    /// Learns of a fault, to count and log it.
    fn fault(&self, fault: Fault<'_>);
}

/// What a [`Service`] made of a request.
pub enum Served {
    /// The reply is in `out`.
    Reply,
    /// There is no reply.
    Nothing,
    /// There is no reply and the client is not worth a connection.
    Close,
    /// The reply is many messages. Requests behind this one are answered after it.
    Stream(Box<dyn MessageStream>),
}

/// A reply of many messages, such as a zone transfer, made piece by piece as the client takes it.
pub trait MessageStream: Send {
    /// Appends the next messages to `out`, each with its length before it (see [`frame`]); some 64 KiB is a good piece.
    fn next(&mut self, out: &mut Vec<u8>) -> Pull;

    /// How long it may take.
    fn limits(&self) -> StreamLimits;

    /// Is told how it ended.
    fn ended(self: Box<Self>, end: StreamEnd);
}

/// What a stream says after a piece.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Pull {
    /// There are more messages.
    More,
    /// These were the last.
    Done,
    /// The rest cannot be made: the connection is closed, so that the client sees that messages are missing.
    Abort,
}

/// Limits of one stream.
#[derive(Clone, Copy, Debug)]
pub struct StreamLimits {
    /// The longest time in which the client takes nothing at all (`max-transfer-idle-out`).
    pub idle: Duration,
    /// The longest time from first to last byte (`max-transfer-time-out`).
    pub total: Duration,
}

/// How a stream ended.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum StreamEnd {
    /// Every message was handed to the kernel.
    Sent,
    /// A limit was reached.
    TimedOut,
    /// The client closed the connection, or it broke.
    Disconnected,
    /// The stream itself said [`Pull::Abort`], or panicked.
    Aborted,
}

/// The other end of a connection, as a [`Service`] sees it.
#[derive(Debug)]
pub struct Client {
    /// Its address.
    pub peer: SocketAddr,
    /// The address at which it reached us.
    pub local: SocketAddr,
    keepalive: AtomicBool,
}

impl Client {
    /// Grants the client `tcp-keepalive-timeout` from now on: it sent the EDNS option of RFC 7828.
    pub fn keep_alive(&self) {
        self.keepalive.store(true, Ordering::Relaxed);
    }

    fn is_kept_alive(&self) -> bool {
        self.keepalive.load(Ordering::Relaxed)
    }
}

/// What can go wrong beside a connection simply ending.
#[derive(Debug)]
pub enum Fault<'a> {
    /// [`Service::serve`] panicked at this request; its connection is closed.
    Panic(&'a Client, &'a [u8]),
    /// A connection could not be accepted at this address.
    Accept(SocketAddr, io::Error),
    /// There are as many clients as may be, and more want in at this address. Told now and then.
    Quota(SocketAddr),
}

/// How long a client may stay silent.
#[derive(Clone, Copy, Debug)]
pub struct Timeouts {
    /// Until its first whole request (`tcp-initial-timeout`).
    pub initial: Duration,
    /// Between requests, and without taking any byte of an answer (`tcp-idle-timeout`).
    pub idle: Duration,
    /// Instead of `idle`, once the client has asked for it (`tcp-keepalive-timeout`).
    pub keepalive: Duration,
}

/// What all listeners share: timeouts and the quota of clients. Both can be changed while connections are open.
#[derive(Debug)]
pub struct Limits {
    /// Silence allowed.
    pub timeouts: ArcSwap<Timeouts>,
    /// `tcp-clients`.
    pub quota: Quota,
    idle: Idle,
}

impl Limits {
    /// Limits with no client yet.
    #[must_use]
    pub fn new(timeouts: Timeouts, clients: usize) -> Self {
        Self { timeouts: ArcSwap::from_pointee(timeouts), quota: Quota::new(clients), idle: Idle::new() }
    }
}

/// A listener being served. Dropping it closes the listener and its connections.
#[derive(Debug)]
pub struct Listening {
    local: SocketAddr,
    task: JoinHandle<()>,
}

impl Listening {
    /// Serves a listener (non-blocking, as [`crate::net::listen::bind_tcp`] makes it). To be called within a runtime.
    ///
    /// # Errors
    /// The listener cannot be registered with the runtime.
    pub fn start<S: Service>(
        listener: std::net::TcpListener,
        service: Arc<S>,
        limits: Arc<Limits>,
    ) -> io::Result<Self> {
        let local = listener.local_addr()?;
        let listener = TcpListener::from_std(listener)?;
        let task = tokio::spawn(accept(listener, Server { local, service, limits }));
        Ok(Self { local, task })
    }

    /// The address listened on.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Closes the listener and its connections, and waits until the address is free again.
    pub async fn stop(mut self) {
        self.task.abort();
        // An aborted task ends in an error; that is what is waited for.
        let _ = (&mut self.task).await;
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.task.abort();
    }
}

/// What the connections of one listener have in common.
struct Server<S> {
    local: SocketAddr,
    service: Arc<S>,
    limits: Arc<Limits>,
}

/// Accepts connections for ever. BIND: at the quota of clients, one more waits and the others stay in the kernel's
/// queue. Unlike BIND's, one that has been idle for a while then makes room.
async fn accept<S: Service>(listener: TcpListener, server: Server<S>) {
    let mut connections = JoinSet::new();
    loop {
        tokio::select! {
            accepted = listener.accept() => match accepted {
                Ok((stream, peer)) => {
                    let permit = admit(&server).await;
                    let number = permit.number();
                    if let Some(connection) = open(stream, peer, &server, permit) {
                        let task = connections.spawn(connection.run());
                        server.limits.idle.set_task(number, task);
                    }
                }
                Err(error) => pause_after(error, &server).await,
            },
            Some(_) = connections.join_next() => {}
        }
    }
}

/// Waits for a place, and tells of it now and then.
async fn admit<S: Service>(server: &Server<S>) -> Permit {
    if let Some(permit) = Quota::try_acquire(&server.limits) {
        return permit;
    }
    if server.limits.quota.may_tell() {
        server.service.fault(Fault::Quota(server.local));
    }
    Quota::acquire(&server.limits).await
}

fn open<S: Service>(stream: TcpStream, peer: SocketAddr, server: &Server<S>, permit: Permit) -> Option<Connection<S>> {
    // Fails only if the client has gone already.
    stream.set_nodelay(true).ok()?;
    let client = Client { peer, local: server.local, keepalive: AtomicBool::new(false) };
    Some(Connection::new(stream, client, Arc::clone(&server.service), Arc::clone(&server.limits), permit))
}

/// A client that gave up before it was accepted is no fault; want of descriptors or memory is, and takes time to pass.
async fn pause_after<S: Service>(error: io::Error, server: &Server<S>) {
    if matches!(error.kind(), ErrorKind::ConnectionAborted | ErrorKind::ConnectionReset | ErrorKind::Interrupted) {
        return;
    }
    server.service.fault(Fault::Accept(server.local, error));
    tokio::time::sleep(ACCEPT_PAUSE).await;
}

/// How long a listener rests when the system has no room for another connection.
const ACCEPT_PAUSE: Duration = Duration::from_millis(100);
