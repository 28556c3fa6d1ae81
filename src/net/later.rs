//! Replies that are not there yet when the next request is read: whoever makes one takes along where it goes.
//!
//! Over UDP it leaves from the socket that the request came to, if that is still open; on a connection it is waited for
//! beside what else the client asks, and comes in whatever order (RFC 7766 section 7).

use std::net::{SocketAddr, UdpSocket};
use std::pin::Pin;
use std::sync::Weak;
use std::task::{Context, Poll};

use tokio::sync::oneshot;

/// Where the reply to one request goes. Dropped, there is none.
#[derive(Debug)]
pub struct ReplyTo(Way);

#[derive(Debug)]
enum Way {
    Datagram(Weak<UdpSocket>, SocketAddr),
    Connection(oneshot::Sender<Vec<u8>>),
}

impl ReplyTo {
    /// To the sender of a datagram, from the socket that it came to.
    pub(super) fn datagram(socket: Weak<UdpSocket>, peer: SocketAddr) -> Self {
        Self(Way::Datagram(socket, peer))
    }

    /// To a connection, which awaits it.
    #[must_use]
    pub fn connection() -> (Self, Awaited) {
        let (sender, receiver) = oneshot::channel();
        (Self(Way::Connection(sender)), Awaited(receiver))
    }

    /// Sends the reply, without the length that precedes it on a connection. As any reply, it may be lost.
    pub fn send(self, reply: Vec<u8>) {
        match self.0 {
            Way::Datagram(socket, peer) => {
                let _ = socket.upgrade().map(|socket| socket.send_to(&reply, peer));
            }
            Way::Connection(sender) => {
                let _ = sender.send(reply);
            }
        }
    }
}

/// A reply that a connection waits for. None: there is none.
#[derive(Debug)]
pub struct Awaited(oneshot::Receiver<Vec<u8>>);

impl Future for Awaited {
    type Output = Option<Vec<u8>>;

    fn poll(mut self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<Self::Output> {
        Pin::new(&mut self.0).poll(context).map(Result::ok)
    }
}
