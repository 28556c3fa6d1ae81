//! A batch of requests received together, and room for their replies.
//!
//! Requests and replies can be borrowed apart ([`Batch::split`]), so that a responder may look at all requests,
//! prefetch what each will need, and write replies while it still reads requests.

use std::fmt;
use std::io;
use std::mem;
use std::net::{Ipv4Addr, SocketAddr, SocketAddrV4, UdpSocket};
use std::os::fd::AsFd;
use std::sync::{Arc, Weak};

use super::Framing;
use crate::net::later::ReplyTo;
use crate::net::proxy::Header;
use crate::net::sys::{self, Buffer, Peer};

/// The requests that one system call received, and their replies.
#[derive(Debug)]
pub struct Batch {
    requests: Requests,
    replies: Replies,
}

impl Batch {
    /// An empty batch with its buffers.
    pub(super) fn new() -> Self {
        let requests = Requests {
            buffers: buffers(),
            lengths: [0; BATCH_SIZE],
            peers: [Peer::default(); BATCH_SIZE],
            count: 0,
            headers: Vec::new(),
            socket: Weak::new(),
            local: SocketAddrV4::new(Ipv4Addr::UNSPECIFIED, 0).into(),
        };
        Self { requests, replies: Replies { buffers: buffers(), lengths: [0; BATCH_SIZE] } }
    }

    /// The requests and the replies, to be used side by side.
    pub fn split(&mut self) -> (&Requests, &mut Replies) {
        (&self.requests, &mut self.replies)
    }

    /// The requests.
    #[must_use]
    pub fn requests(&self) -> &Requests {
        &self.requests
    }

    /// Fills the batch from a socket bound to `local`, without waiting, and forgets the replies of before.
    pub(super) fn receive(&mut self, socket: &Arc<UdpSocket>, local: SocketAddr, framing: Framing) -> io::Result<()> {
        let Requests { buffers, lengths, peers, .. } = &mut self.requests;
        let received = sys::receive(socket.as_fd(), buffers, lengths, peers);
        self.requests.count = received.as_ref().map_or(0, |count| *count);
        self.requests.local = local;
        self.requests.note_socket(socket);
        self.requests.read_headers(framing);
        self.replies.lengths = [0; BATCH_SIZE];
        received.map(drop)
    }

    /// Sends the replies that are set; says how many the kernel would not take.
    pub(super) fn send(&self, socket: &UdpSocket) -> usize {
        let replies = self.replies.buffers.iter().zip(&self.replies.lengths).zip(&self.requests.peers);
        let set = replies.take(self.requests.count).filter_map(|((buffer, length), peer)| {
            let bytes = buffer.get(..*length)?;
            (!bytes.is_empty()).then_some((bytes, peer))
        });
        sys::send(socket.as_fd(), set)
    }

    /// Puts an address that the kernel refuses in the place of a sender.
    #[cfg(test)]
    pub(super) fn unreachable(&mut self, index: usize) {
        self.requests.peers[index] = Peer::default();
    }
}

/// The requests of a batch, numbered from 0.
pub struct Requests {
    buffers: Box<[Buffer]>,
    lengths: [usize; BATCH_SIZE],
    peers: [Peer; BATCH_SIZE],
    count: usize,
    local: SocketAddr,
    /// Of a proxy, one for each datagram; empty where there is no proxy.
    headers: Vec<Header>,
    /// That they came to.
    socket: Weak<UdpSocket>,
}

impl Requests {
    /// How many there are: at least one when a responder is called.
    #[must_use]
    pub fn len(&self) -> usize {
        self.count
    }

    /// Whether there is none.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.count == 0
    }

    /// The bytes of request `index`; empty if it did not fit its buffer, or if there is no such request.
    #[must_use]
    pub fn bytes(&self, index: usize) -> &[u8] {
        if index >= self.count {
            return &[];
        }
        let length = self.lengths.get(index).map_or(0, |length| *length);
        let start = self.header(index).map_or(0, |header| header.size);
        self.buffers.get(index).and_then(|buffer| buffer.get(start..length)).unwrap_or_default()
    }

    /// What the proxy in front of this socket says of request `index`; none: there is no proxy.
    #[must_use]
    pub fn header(&self, index: usize) -> Option<Header> {
        self.headers.get(index).copied()
    }

    fn read_headers(&mut self, framing: Framing) {
        let mut headers = mem::take(&mut self.headers);
        headers.clear();
        if framing == Framing::Proxied {
            // No request is left of a datagram whose header is malformed.
            let header = |index| Header::read(self.bytes(index)).unwrap_or(Header { size: usize::MAX, origin: None });
            headers.extend((0..self.count).map(header));
        }
        self.headers = headers;
    }

    /// Who sent request `index`.
    #[must_use]
    pub fn peer(&self, index: usize) -> Option<SocketAddr> {
        self.peers.get(..self.count)?.get(index).map(Peer::address)
    }

    /// Where the reply to request `index` goes if it is not there when the batch is sent.
    #[must_use]
    pub fn reply_to(&self, index: usize) -> Option<ReplyTo> {
        self.peer(index).map(|peer| ReplyTo::datagram(Weak::clone(&self.socket), peer))
    }

    /// Holding it would keep its address in use.
    fn note_socket(&mut self, socket: &Arc<UdpSocket>) {
        if self.socket.as_ptr() != Arc::as_ptr(socket) {
            self.socket = Arc::downgrade(socket);
        }
    }

    /// The address to which all of them were sent.
    #[must_use]
    pub fn local(&self) -> SocketAddr {
        self.local
    }
}

impl fmt::Debug for Requests {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries((0..self.count).map(|index| (self.peer(index), self.bytes(index)))).finish()
    }
}

/// The replies of a batch: the one numbered as a request goes to its sender.
pub struct Replies {
    buffers: Box<[Buffer]>,
    lengths: [usize; BATCH_SIZE],
}

impl Replies {
    /// Where to write reply `index`: [`REPLY_SIZE`] bytes, holding what an earlier batch left there.
    pub fn buffer(&mut self, index: usize) -> &mut [u8] {
        self.buffers.get_mut(index).and_then(|buffer| buffer.get_mut(..REPLY_SIZE)).unwrap_or_default()
    }

    /// Says that reply `index` is complete, in the first `length` bytes of its buffer. Zero: no reply after all.
    pub fn set(&mut self, index: usize, length: usize) {
        if let Some(slot) = self.lengths.get_mut(index) {
            *slot = length.min(REPLY_SIZE);
        }
    }
}

impl fmt::Debug for Replies {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Replies").field("lengths", &self.lengths).finish_non_exhaustive()
    }
}

fn buffers() -> Box<[Buffer]> {
    vec![[0; size_of::<Buffer>()]; BATCH_SIZE].into_boxed_slice()
}

/// Requests in a batch at most.
pub const BATCH_SIZE: usize = 64;

/// The largest reply over UDP: the upper bound of `max-udp-size`.
pub const REPLY_SIZE: usize = 4096;
