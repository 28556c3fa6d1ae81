//! Connections to one server that serve again (RFC 7766 section 6.2.1): where many small zones come from it, to open
//! and close one takes a good part of the work.

use std::fmt;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::time::Instant;

use super::exchange::{Connection, ExchangeError, Secure};

/// The connections to one server. Those that are not in use are closed with it.
pub struct Connections {
    server: SocketAddr,
    source: SocketAddr,
    tls: Option<Arc<Secure>>,
    limit: Duration,
    /// None: the server does not serve again.
    spare: Mutex<Option<Vec<Spare>>>,
}

/// A connection on which nothing is under way.
struct Spare {
    connection: Connection,
    since: Instant,
}

impl Connections {
    /// None yet. `limit` is how long it may take to connect.
    #[must_use]
    pub fn new(server: SocketAddr, source: SocketAddr, tls: Option<Arc<Secure>>, limit: Duration) -> Self {
        Self { server, source, tls, limit, spare: Mutex::new(Some(vec![])) }
    }

    /// A new one.
    ///
    /// # Errors
    /// As [`Connection::open`].
    pub async fn open(&self) -> Result<Connection, ExchangeError> {
        Connection::open(self.server, Some(self.source), self.tls.as_deref(), self.limit).await
    }

    /// One that has served before. The server may be about to close it, so what is sent over it may have to be sent
    /// again over a new one.
    pub fn take(&self) -> Option<Connection> {
        let mut spare = self.spare();
        let kept = spare.as_mut()?;
        kept.retain(|spare| spare.since.elapsed() < LONGEST_REST);
        while let Some(Spare { mut connection, .. }) = kept.pop() {
            if connection.is_at_rest() {
                return Some(connection);
            }
        }
        None
    }

    /// Keeps a connection for the next exchange, unless there is more to come on it.
    pub fn keep(&self, mut connection: Connection) {
        if let Some(kept) = self.spare().as_mut()
            && connection.is_at_rest()
        {
            kept.push(Spare { connection, since: Instant::now() });
        }
    }

    /// Keeps none from now on.
    pub fn keep_none(&self) {
        *self.spare() = None;
    }

    fn spare(&self) -> MutexGuard<'_, Option<Vec<Spare>>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl fmt::Debug for Connections {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Connections({})", self.server)
    }
}

/// How long a connection is kept without use: servers close those that say nothing after ten seconds or more.
const LONGEST_REST: Duration = Duration::from_secs(5);

#[cfg(test)]
mod tests {
    use std::net::Ipv4Addr;

    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::{TcpListener, TcpStream};

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);
    const FRAMED: &[u8] = b"\x00\x06answer";

    async fn pair() -> (TcpListener, Connections) {
        let listener = TcpListener::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let source = (Ipv4Addr::UNSPECIFIED, 0).into();
        let connections = Connections::new(listener.local_addr().unwrap(), source, None, LIMIT);
        (listener, connections)
    }

    /// A connection that has served once and is kept, and its other end.
    async fn keep_one(listener: &TcpListener, connections: &Connections, answer: &[u8]) -> TcpStream {
        let (near, far) = tokio::join!(connections.open(), listener.accept());
        let (mut near, mut far) = (near.unwrap(), far.unwrap().0);
        near.send(b"question", LIMIT).await.unwrap();
        far.read_exact(&mut [0; 10]).await.unwrap();
        far.write_all(answer).await.unwrap();
        assert_eq!(near.receive(LIMIT).await.unwrap(), b"answer");
        connections.keep(near);
        far
    }

    #[tokio::test]
    async fn a_connection_serves_again_by_one_at_a_time() {
        let (listener, connections) = pair().await;
        let mut far = keep_one(&listener, &connections, FRAMED).await;
        let mut again = connections.take().unwrap();
        assert!(connections.take().is_none());
        again.send(b"question", LIMIT).await.unwrap();
        far.read_exact(&mut [0; 10]).await.unwrap();
        far.write_all(FRAMED).await.unwrap();
        assert_eq!(again.peek(LIMIT).await.unwrap(), b"answer");
        assert_eq!(again.receive(LIMIT).await.unwrap(), b"answer");
    }

    #[tokio::test]
    async fn what_was_closed_meanwhile_is_not_taken() {
        let (listener, connections) = pair().await;
        let far = keep_one(&listener, &connections, FRAMED).await;
        let kept = connections.spare().as_mut().and_then(Vec::pop).unwrap();
        drop(far);
        let mut connection = kept.connection;
        assert!(matches!(connection.peek(LIMIT).await, Err(ExchangeError::Closed)));
        connections.keep(connection);
        assert!(connections.take().is_none());
    }

    #[tokio::test]
    async fn what_more_has_come_on_is_not_kept() {
        let (listener, connections) = pair().await;
        let _far = keep_one(&listener, &connections, &[FRAMED, FRAMED].concat()).await;
        assert!(connections.take().is_none());
    }

    #[tokio::test(start_paused = true)]
    async fn what_was_kept_for_long_or_from_a_server_that_serves_once_is_not_taken() {
        let (listener, connections) = pair().await;
        let _first = keep_one(&listener, &connections, FRAMED).await;
        tokio::time::advance(LONGEST_REST).await;
        assert!(connections.take().is_none());
        connections.keep_none();
        let _second = keep_one(&listener, &connections, FRAMED).await;
        assert!(connections.take().is_none());
    }
}
