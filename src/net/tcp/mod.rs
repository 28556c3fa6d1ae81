//! DNS over TCP (RFC 7766): connections accepted, messages framed, pipelined queries answered together.
//!
//! In: a bound listener and a [`Service`]; out: replies and streams of messages. All complete queries of one read are
//! answered by one write, and those behind a transfer before it ends; a client that does not read its answers is not
//! read from either, so what a connection can hold is bounded. The same over TLS (RFC 7858), and over HTTP (RFC 8484,
//! `http`): what lies above TCP is the [`Stack`] of the listener. Runs on tokio, on threads that share no connection
//! (`workers`); a service is called there and must not block.

mod connection;
pub mod http;
mod idle;
mod quota;
#[cfg(test)]
mod tests;
mod workers;

pub use connection::frame;
pub use quota::Quota;
pub use workers::Workers;

use std::io::{self, ErrorKind};
use std::net::SocketAddr;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll};
use std::time::Duration;

use arc_swap::ArcSwap;
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::{TcpListener, TcpStream};
use tokio::runtime::Handle;
use tokio::task::{JoinHandle, JoinSet};
use tokio::time::timeout;

use super::later::Awaited;
use super::proxy::{Header, Origin};
use super::tls::server::Acceptor;
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
    /// The reply comes later. Requests behind this one are answered meanwhile.
    Later(Awaited),
    /// There is no reply and the client is not worth a connection.
    Close,
    /// The reply is many messages. Requests behind this one are answered meanwhile.
    Stream(Box<dyn MessageStream>),
}

/// A reply of many messages, such as a zone transfer, made piece by piece as the client takes it.
pub trait MessageStream: Send {
    /// Waits until there are messages. What takes long to prepare is prepared elsewhere meanwhile.
    fn poll_ready(&mut self, _context: &mut Context<'_>) -> Poll<()> {
        Poll::Ready(())
    }

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
    /// The client took nothing for too long.
    Idle,
    /// It took too long.
    TooLong,
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
    /// What it speaks.
    pub layer: Layer,
    /// The two ends of the connection where they are not those above, but the proxy's that speaks for the client.
    pub proxy: Option<Origin>,
    keepalive: AtomicBool,
}

/// What a connection speaks.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Layer {
    /// DNS over TCP.
    Tcp,
    /// DNS over TLS.
    Tls {
        /// Whether the client said so in its first message (ALPN), as transfers ask for (RFC 9103).
        is_dot: bool,
    },
    /// DNS over HTTP.
    Http {
        /// Whether over TLS.
        is_encrypted: bool,
    },
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

/// What listeners share: timeouts and the quota of clients. Both can be changed while connections are open.
#[derive(Debug)]
pub struct Limits {
    /// Silence allowed.
    pub timeouts: Arc<ArcSwap<Timeouts>>,
    /// `tcp-clients`, or `listener-clients` of a listener for HTTP.
    pub quota: Quota,
    idle: Idle,
}

impl Limits {
    /// Limits with no client yet.
    #[must_use]
    pub fn new(timeouts: Timeouts, clients: usize) -> Self {
        Self::sharing(Arc::new(ArcSwap::from_pointee(timeouts)), clients)
    }

    /// The same timeouts with a quota of its own.
    #[must_use]
    pub fn beside(&self, clients: usize) -> Self {
        Self::sharing(Arc::clone(&self.timeouts), clients)
    }

    fn sharing(timeouts: Arc<ArcSwap<Timeouts>>, clients: usize) -> Self {
        Self { timeouts, quota: Quota::new(clients), idle: Idle::new() }
    }
}

/// Where proxies send their header.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ProxyHeader {
    /// Ahead of all that is above TCP (`proxy plain`).
    Plain,
    /// Within TLS (`proxy encrypted`).
    Encrypted,
}

/// What the connections of a listener speak above TCP, and their limits. It may be swapped: connections keep theirs.
#[derive(Clone, Debug)]
pub struct Stack {
    /// The header of a proxy.
    pub proxy: Option<ProxyHeader>,
    /// TLS.
    pub tls: Option<Acceptor>,
    /// HTTP/2.
    pub http: Option<http::Site>,
    /// Timeouts and quota.
    pub limits: Arc<Limits>,
}

impl Stack {
    /// DNS over TCP.
    #[must_use]
    pub fn plain(limits: Arc<Limits>) -> Self {
        Self { proxy: None, tls: None, http: None, limits }
    }
}

/// A listener being served. Dropping it closes the listener and its connections.
#[derive(Debug)]
pub struct Listening {
    local: SocketAddr,
    stack: Arc<ArcSwap<Stack>>,
    tasks: Vec<JoinHandle<()>>,
}

impl Listening {
    /// Serves the listeners of one address (non-blocking, as [`crate::net::listen`] makes them), each in a runtime.
    ///
    /// # Errors
    /// A listener cannot be registered with its runtime.
    pub fn start<'a, S: Service>(
        local: SocketAddr,
        listeners: impl IntoIterator<Item = (&'a Handle, std::net::TcpListener)>,
        service: &Arc<S>,
        stack: Stack,
    ) -> io::Result<Self> {
        let stack = Arc::new(ArcSwap::from_pointee(stack));
        let mut listening = Self { local, stack: Arc::clone(&stack), tasks: vec![] };
        for (runtime, listener) in listeners {
            let _entered = runtime.enter();
            let server = Server { local, service: Arc::clone(service), stack: Arc::clone(&stack) };
            listening.tasks.push(runtime.spawn(accept(TcpListener::from_std(listener)?, server)));
        }
        Ok(listening)
    }

    /// What new connections speak.
    #[must_use]
    pub fn stack(&self) -> &ArcSwap<Stack> {
        &self.stack
    }

    /// The address listened on.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Closes the listener and its connections, and waits until the address is free again.
    pub async fn stop(mut self) {
        for mut task in std::mem::take(&mut self.tasks) {
            task.abort();
            // An aborted task ends in an error; that is what is waited for.
            let _ = (&mut task).await;
        }
    }
}

impl Drop for Listening {
    fn drop(&mut self) {
        self.tasks.iter().for_each(JoinHandle::abort);
    }
}

/// What the connections of one listener have in common.
struct Server<S> {
    local: SocketAddr,
    service: Arc<S>,
    stack: Arc<ArcSwap<Stack>>,
}

/// Accepts connections for ever. BIND: at the quota of clients, one more waits and the others stay in the kernel's
/// queue. Unlike BIND's, one that has been idle for a while then makes room.
async fn accept<S: Service>(listener: TcpListener, server: Server<S>) {
    let mut connections = JoinSet::new();
    loop {
        match listener.accept().await {
            Ok((stream, peer)) => {
                let stack = server.stack.load_full();
                let permit = admit(&server, &stack.limits).await;
                Visit::new(peer, &server, stack, permit).begin(stream, &mut connections);
            }
            Err(error) => pause_after(error, &server).await,
        }
        // Those that have ended take a little memory until the next comes.
        while connections.try_join_next().is_some() {}
    }
}

/// Waits for a place, and tells of it now and then.
async fn admit<S: Service>(server: &Server<S>, limits: &Arc<Limits>) -> Permit {
    if let Some(permit) = Quota::try_acquire(limits) {
        return permit;
    }
    if limits.quota.may_tell() {
        server.service.fault(Fault::Quota(server.local));
    }
    Quota::acquire(limits).await
}

/// A client that has been let in.
struct Visit<S> {
    client: Client,
    service: Arc<S>,
    stack: Arc<Stack>,
    permit: Permit,
}

impl<S: Service> Visit<S> {
    fn new(peer: SocketAddr, server: &Server<S>, stack: Arc<Stack>, permit: Permit) -> Self {
        let (layer, keepalive) = (Layer::Tcp, AtomicBool::new(false));
        let client = Client { peer, local: server.local, layer, proxy: None, keepalive };
        Self { client, service: Arc::clone(&server.service), stack, permit }
    }

    /// Serves the connection in a task of its own, which for DNS over TCP has no room for more than that.
    fn begin(self, stream: TcpStream, connections: &mut JoinSet<()>) {
        let (number, limits) = (self.permit.number(), Arc::clone(&self.stack.limits));
        let task = match (&self.stack.tls, &self.stack.http) {
            _ if self.stack.proxy == Some(ProxyHeader::Plain) => connections.spawn(self.speak_behind_proxy(stream)),
            (None, None) => connections.spawn(self.speak_dns(stream)),
            (None, Some(_)) => connections.spawn(self.speak_http(stream, false)),
            (Some(_), _) => connections.spawn(self.speak_tls(stream)),
        };
        limits.idle.set_task(number, task);
    }

    async fn speak_behind_proxy(mut self, mut stream: TcpStream) {
        if self.read_header(&mut stream).await.is_none() {
            return;
        }
        match (&self.stack.tls, &self.stack.http) {
            (None, None) => self.speak_dns(stream).await,
            (None, Some(_)) => Box::pin(self.speak_http(stream, false)).await,
            (Some(_), _) => Box::pin(self.speak_tls(stream)).await,
        }
    }

    /// Learns from the proxy whom it speaks for. None: what it says cannot be read, or takes too long.
    async fn read_header<T: AsyncRead + Unpin>(&mut self, stream: &mut T) -> Option<()> {
        let patience = self.stack.limits.timeouts.load().initial;
        let header = timeout(patience, Header::receive(stream)).await.ok()?.ok()?;
        let client = &mut self.client;
        client.proxy = Some(Origin { source: client.peer, destination: client.local });
        if let Some(origin) = header.origin {
            (client.peer, client.local) = (origin.source, origin.destination);
        }
        Some(())
    }

    async fn speak_dns<T: AsyncRead + AsyncWrite + Unpin>(self, stream: T) {
        let Self { client, service, stack, permit } = self;
        Connection::new(stream, client, service, Arc::clone(&stack.limits), permit).run().await;
    }

    async fn speak_http<T: AsyncRead + AsyncWrite + Unpin>(mut self, stream: T, is_encrypted: bool) {
        self.client.layer = Layer::Http { is_encrypted };
        if let Some(site) = self.stack.http.clone() {
            http::Session::new(site, self.client, self.service, self.permit).run(stream, &self.stack.limits).await;
        }
    }

    /// A client that does not get on with TLS is left after the same time as one that says nothing.
    async fn speak_tls(mut self, stream: TcpStream) {
        let Some(acceptor) = self.stack.tls.clone() else { return };
        let patience = self.stack.limits.timeouts.load().initial;
        let Ok(Ok((mut stream, is_agreed))) = timeout(patience, acceptor.accept(stream)).await else { return };
        if self.stack.proxy == Some(ProxyHeader::Encrypted) && self.read_header(&mut stream).await.is_none() {
            return;
        }
        match self.stack.http {
            // BIND: without word of HTTP/2 from the client there is no HTTP.
            Some(_) if !is_agreed => {}
            Some(_) => Box::pin(self.speak_http(stream, true)).await,
            None => {
                self.client.layer = Layer::Tls { is_dot: is_agreed };
                self.speak_dns(stream).await;
            }
        }
    }
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
