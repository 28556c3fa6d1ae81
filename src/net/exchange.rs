//! Asking other servers: one datagram and its answer, or a connection, TCP or TLS, that messages come and go on.
//!
//! Bytes only: whether an answer belongs to the question (ID, question, signature) is the caller's to judge. The
//! sockets are connected, so the kernel discards what other addresses send. Runs on tokio.

use std::io::{self, Read};
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr, SocketAddr};
use std::pin::Pin;
use std::task::{Context, Waker};
use std::time::Duration;

use nix::sys::socket::{setsockopt, sockopt};
use socket2::SockRef;
use thiserror::Error;
use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, Interest, ReadBuf};
use tokio::net::{TcpSocket, TcpStream, UdpSocket};
use tokio::time::{Instant, timeout, timeout_at};

use super::tcp::frame;
use super::tls::TlsError;
use super::tls::client::{Connector, HandshakeError};

/// Sends a request over UDP, again after each of these times but the last, and returns the first datagram that
/// `is_answer` accepts; others are passed over. Port 0 of `source` lets the kernel choose the port.
///
/// # Errors
/// No answer in time, a port unreachable, or no route; see [`ExchangeError`].
pub async fn ask_udp(
    request: &[u8],
    server: SocketAddr,
    source: Option<SocketAddr>,
    limits: &[Duration],
    mut is_answer: impl FnMut(&[u8]) -> bool,
) -> Result<Vec<u8>, ExchangeError> {
    let socket = open_udp(server, source.unwrap_or_else(|| unspecified(server))).await?;
    let mut outcome = Err(ExchangeError::TimedOut);
    for limit in limits {
        outcome = ask_over(&socket, request, *limit, &mut is_answer).await;
        if !matches!(outcome, Err(ExchangeError::TimedOut)) {
            break;
        }
    }
    outcome
}

/// A socket that sends to this server alone, and receives from no other.
pub(super) async fn open_udp(server: SocketAddr, source: SocketAddr) -> io::Result<UdpSocket> {
    let socket = UdpSocket::bind(source).await?;
    socket.connect(server).await?;
    Ok(socket)
}

/// As [`ask_udp`], over a socket that is there already.
pub(super) async fn ask_over(
    socket: &UdpSocket,
    request: &[u8],
    limit: Duration,
    mut is_answer: impl FnMut(&[u8]) -> bool,
) -> Result<Vec<u8>, ExchangeError> {
    let deadline = Instant::now() + limit;
    socket.send(request).await?;
    loop {
        // That the server is not there is an error of the socket, and nothing to be read.
        let come = socket.async_io(Interest::READABLE | Interest::ERROR, || received(socket));
        let datagram = within(timeout_at(deadline, come).await)?;
        if is_answer(&datagram) {
            return Ok(datagram);
        }
    }
}

/// What has come. Room for it is taken only now: many may be waited for at once.
fn received(socket: &UdpSocket) -> io::Result<Vec<u8>> {
    let mut room = [0; DATAGRAM_MAX];
    let length = (&*SockRef::from(socket)).read(&mut room)?;
    Ok(room.get(..length).unwrap_or_default().to_vec())
}

/// A connection to another server.
pub struct Connection {
    stream: Box<dyn Stream>,
    local: SocketAddr,
    /// Bytes read beyond the last message handed out, from `start`.
    input: Vec<u8>,
    start: usize,
    /// How much is read at a time.
    room: usize,
    sent: u64,
    received: u64,
}

/// What lies below a connection.
trait Stream: AsyncRead + AsyncWrite + Send + Unpin {}

impl<T: AsyncRead + AsyncWrite + Send + Unpin> Stream for T {}

/// TLS for a connection, or why there is none to be had.
pub type Secure = Result<Connector, TlsError>;

impl Connection {
    /// Connects, from the address of `source` if given, and within TLS if given.
    ///
    /// # Errors
    /// Refused, no route, no TLS, or not in time.
    pub async fn open(
        server: SocketAddr,
        source: Option<SocketAddr>,
        tls: Option<&Secure>,
        limit: Duration,
    ) -> Result<Self, ExchangeError> {
        let connector =
            tls.map(|tls| tls.as_ref().map_err(|error| ExchangeError::NoTls(error.to_string()))).transpose()?;
        let connected = async {
            let stream = Self::open_tcp(server, source).await?;
            let local = stream.local_addr()?;
            let stream: Box<dyn Stream> = match connector {
                Some(connector) => Box::new(connector.connect(stream, server.ip()).await?),
                None => Box::new(stream),
            };
            Ok(Self { stream, local, input: Vec::new(), start: 0, room: FIRST_READ_BYTES, sent: 0, received: 0 })
        };
        timeout(limit, connected).await.unwrap_or(Err(ExchangeError::TimedOut))
    }

    async fn open_tcp(server: SocketAddr, source: Option<SocketAddr>) -> io::Result<TcpStream> {
        let socket = if server.is_ipv4() { TcpSocket::new_v4()? } else { TcpSocket::new_v6()? };
        if let Some(mut source) = source.filter(|source| !source.ip().is_unspecified()) {
            // The kernel's search for a port that is free for all takes longer with each connection
            // of the last minute, up to a millisecond. Without the option it is slow, no more.
            let _ = setsockopt(&socket, sockopt::IpBindAddressNoPort, &true);
            // A port that stands with the source is for UDP: a second connection to the server could not have it.
            source.set_port(0);
            socket.bind(source)?;
        }
        let stream = socket.connect(server).await?;
        stream.set_nodelay(true)?;
        Ok(stream)
    }

    /// Sends one message, its length before it.
    ///
    /// # Errors
    /// The connection broke, the server took nothing in time, or the message is empty or too long.
    pub async fn send(&mut self, message: &[u8], limit: Duration) -> Result<(), ExchangeError> {
        let mut framed = Vec::with_capacity(message.len() + 2);
        frame(&mut framed, |out| out.extend_from_slice(message));
        if framed.is_empty() {
            return Err(ExchangeError::Length(message.len()));
        }
        let write = async {
            self.stream.write_all(&framed).await?;
            self.stream.flush().await
        };
        within(timeout(limit, write).await)?;
        self.sent += framed.len() as u64;
        Ok(())
    }

    /// The next message. `idle` is how long the server may send nothing at all; a message that trickles in is bounded
    /// by the caller's own limit on the whole exchange.
    ///
    /// # Errors
    /// The connection ended ([`ExchangeError::Closed`] between messages too), broke, or nothing came in time.
    pub async fn receive(&mut self, idle: Duration) -> Result<&[u8], ExchangeError> {
        let (from, to) = self.await_message(idle).await?;
        self.start = to;
        Ok(self.input.get(from..to).unwrap_or_default())
    }

    /// The next message, which is the next one still.
    ///
    /// # Errors
    /// As [`Connection::receive`].
    pub async fn peek(&mut self, idle: Duration) -> Result<&[u8], ExchangeError> {
        let (from, to) = self.await_message(idle).await?;
        Ok(self.input.get(from..to).unwrap_or_default())
    }

    /// Where the next message stands in the input.
    async fn await_message(&mut self, idle: Duration) -> Result<(usize, usize), ExchangeError> {
        loop {
            let ahead = self.input.get(self.start..).unwrap_or_default();
            let size = ahead.first_chunk().map(|length| usize::from(u16::from_be_bytes(*length)) + 2);
            match size {
                Some(size) if ahead.len() >= size => return Ok((self.start + 2, self.start + size)),
                _ => self.read(idle).await?,
            }
        }
    }

    /// Whether all that came was received, and the server has not closed it as far as is known. Gives back the room
    /// that reading took.
    pub(super) fn is_at_rest(&mut self) -> bool {
        if self.start < self.input.len() {
            return false;
        }
        (self.input, self.start, self.room) = (Vec::new(), 0, FIRST_READ_BYTES);
        let mut probe = [0];
        let mut context = Context::from_waker(Waker::noop());
        Pin::new(&mut self.stream).poll_read(&mut context, &mut ReadBuf::new(&mut probe)).is_pending()
    }

    /// Bytes sent so far, lengths included, TLS not.
    #[must_use]
    pub fn sent(&self) -> u64 {
        self.sent
    }

    /// Bytes received so far, lengths included.
    #[must_use]
    pub fn received(&self) -> u64 {
        self.received
    }

    /// The address from which it is made.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.local
    }

    /// Reads what is there, behind what is left of the last read: little at first, for most zones are small and many
    /// may be transferred at once, and much where there is more, for a transfer may be many megabytes.
    async fn read(&mut self, idle: Duration) -> Result<(), ExchangeError> {
        self.input.drain(..self.start);
        self.start = 0;
        self.input.reserve(self.room);
        let count = within(timeout(idle, self.stream.read_buf(&mut self.input)).await)?;
        self.received += count as u64;
        if self.input.len() == self.input.capacity() {
            self.room = READ_BYTES;
        }
        if count == 0 { Err(ExchangeError::Closed) } else { Ok(()) }
    }
}

/// Why there is no answer.
#[derive(Debug, Error)]
pub enum ExchangeError {
    /// Nothing came, or could be sent, in time.
    #[error("timed out")]
    TimedOut,
    /// The server closed the connection.
    #[error("end of file")]
    Closed,
    /// A message that the length before it cannot describe.
    #[error("a message of {0} bytes cannot be sent over TCP")]
    Length(usize),
    /// TLS was to be spoken, and cannot be.
    #[error("{0}")]
    NoTls(String),
    /// TLS was not agreed on.
    #[error(transparent)]
    Handshake(#[from] HandshakeError),
    /// What the kernel said.
    #[error(transparent)]
    Io(#[from] io::Error),
}

fn within<T>(outcome: Result<io::Result<T>, tokio::time::error::Elapsed>) -> Result<T, ExchangeError> {
    Ok(outcome.map_err(|_| ExchangeError::TimedOut)??)
}

fn unspecified(server: SocketAddr) -> SocketAddr {
    let any: IpAddr = if server.is_ipv4() { Ipv4Addr::UNSPECIFIED.into() } else { Ipv6Addr::UNSPECIFIED.into() };
    (any, 0).into()
}

/// The largest datagram that is asked for: the limit of `edns-udp-size`.
const DATAGRAM_MAX: usize = 4096;

/// Room for the first reads of a connection: a small zone, or what answers a question.
const FIRST_READ_BYTES: usize = 4 << 10;

/// Room for one read once that was filled: a whole message of the largest size, and more behind it.
const READ_BYTES: usize = 128 << 10;

#[cfg(test)]
mod tests {
    use tokio::net::TcpListener;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    async fn udp_server() -> (UdpSocket, SocketAddr) {
        let socket = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let address = socket.local_addr().unwrap();
        (socket, address)
    }

    /// Where nobody is: another test may take a port of 127.0.0.1, but none of this address.
    async fn nobody(last: u8) -> SocketAddr {
        UdpSocket::bind((Ipv4Addr::new(127, 0, 9, last), 0)).await.unwrap().local_addr().unwrap()
    }

    async fn tcp_pair(source: Option<SocketAddr>) -> (Connection, TcpStream) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let server = listener.local_addr().unwrap();
        let (near, far) = tokio::join!(Connection::open(server, source, None, LIMIT), listener.accept());
        (near.unwrap(), far.unwrap().0)
    }

    #[tokio::test]
    async fn datagrams_from_elsewhere_or_not_accepted_are_passed_over() {
        let (server, address) = udp_server().await;
        let (stranger, _) = udp_server().await;
        let serve = async {
            let mut request = [0; 100];
            let (length, client) = server.recv_from(&mut request).await.unwrap();
            stranger.send_to(b"right", client).await.unwrap();
            server.send_to(b"wrong", client).await.unwrap();
            server.send_to(&request[..length], client).await.unwrap();
        };
        let accept = |answer: &[u8]| answer != b"wrong";
        let (answer, ()) = tokio::join!(ask_udp(b"question", address, None, &[LIMIT], accept), serve);
        assert_eq!(answer.unwrap(), b"question");
    }

    #[tokio::test]
    async fn that_nobody_is_there_is_told_at_once() {
        let address = nobody(2).await;
        let refused = ask_udp(b"question", address, None, &[LIMIT], |_| true).await;
        let is_refused = |error: &io::Error| error.kind() == io::ErrorKind::ConnectionRefused;
        assert!(matches!(&refused, Err(ExchangeError::Io(error)) if is_refused(error)), "{refused:?}");
    }

    #[tokio::test]
    async fn a_request_leaves_from_the_source_address() {
        let (server, address) = udp_server().await;
        let source = SocketAddr::from((Ipv4Addr::new(127, 0, 0, 9), 0));
        let ask = ask_udp(b"question", address, Some(source), &[LIMIT], |_| true);
        let serve = async {
            let (_, client) = server.recv_from(&mut [0; 100]).await.unwrap();
            assert_eq!(client.ip(), source.ip());
            server.send_to(b"answer", client).await.unwrap();
        };
        assert_eq!(tokio::join!(ask, serve).0.unwrap(), b"answer");
        let (near, far) = tcp_pair(Some(source)).await;
        assert_eq!((near.local().ip(), far.peer_addr().unwrap().ip()), (source.ip(), source.ip()));
    }

    #[tokio::test(start_paused = true)]
    async fn a_silent_server_is_asked_again_and_times_out() {
        let (server, address) = udp_server().await;
        let begin = Instant::now();
        let limits = [1, 4].map(Duration::from_secs);
        let outcome = ask_udp(b"question", address, None, &limits, |_| true).await;
        assert!(matches!(outcome, Err(ExchangeError::TimedOut)), "{outcome:?}");
        assert_eq!(begin.elapsed().as_secs(), 5);
        let heard = || server.try_recv(&mut [0; 100]).ok();
        assert_eq!(std::iter::from_fn(heard).collect::<Vec<_>>(), [8, 8]);
    }

    #[tokio::test]
    async fn a_closed_port_is_an_error_at_once() {
        let address = nobody(3).await;
        let outcome = ask_udp(b"question", address, None, &[LIMIT], |_| true).await;
        assert!(
            matches!(&outcome, Err(ExchangeError::Io(error)) if error.kind() == io::ErrorKind::ConnectionRefused),
            "{outcome:?}"
        );
    }

    #[tokio::test]
    async fn messages_come_whole_however_they_are_cut() {
        let (mut near, mut far) = tcp_pair(None).await;
        near.send(b"please", LIMIT).await.unwrap();
        let mut request = [0; 8];
        far.read_exact(&mut request).await.unwrap();
        assert_eq!(&request, b"\x00\x06please");
        let large = vec![7; 65535];
        let mut bytes = Vec::new();
        [&b"one"[..], &large, b"three"]
            .iter()
            .for_each(|message| frame(&mut bytes, |out| out.extend_from_slice(message)));
        let total = bytes.len() as u64;
        let serve = async move {
            for piece in bytes.chunks(1001) {
                far.write_all(piece).await.unwrap();
                tokio::task::yield_now().await;
            }
        };
        let receive = async {
            assert_eq!(near.receive(LIMIT).await.unwrap(), b"one");
            assert_eq!(near.receive(LIMIT).await.unwrap(), large);
            assert_eq!(near.receive(LIMIT).await.unwrap(), b"three");
            assert!(matches!(near.receive(LIMIT).await, Err(ExchangeError::Closed)));
        };
        tokio::join!(serve, receive);
        assert_eq!((near.sent(), near.received()), (8, total));
    }

    #[tokio::test]
    async fn a_connection_that_falls_silent_times_out() {
        let (mut near, _far) = tcp_pair(None).await;
        tokio::time::pause();
        assert!(matches!(near.receive(LIMIT).await, Err(ExchangeError::TimedOut)));
    }
}
