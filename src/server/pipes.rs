//! SOA queries over TCP and TLS: those to one primary go side by side over one connection (RFC 7766 section 6.2.1.1).
//!
//! A connection is opened by the first query and closed when nothing comes for a while. Answers are told apart by their
//! IDs. A primary that closes it after one answer, as some do, has the others asked over connections of their own.

use std::collections::HashMap;
use std::io;
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::{Instant, sleep_until};

use super::asking::SOA_TIMEOUT;
use super::ways::Way;
use crate::net::exchange::{Connection, ExchangeError, Secure};
use crate::transfer::peer::Peer;

/// The connections that are open.
#[derive(Default)]
pub(super) struct Pipes(HashMap<Way, Pipe>);

/// A connection to one primary.
#[derive(Clone)]
pub(super) struct Pipe(UnboundedSender<Asked>);

/// A query, and where its answer goes. Nothing comes if it is to be asked otherwise.
struct Asked {
    id: u16,
    query: Vec<u8>,
    answer: oneshot::Sender<Result<Vec<u8>, ExchangeError>>,
}

impl Pipes {
    /// The connection for queries to this primary.
    pub(super) fn to(&mut self, primary: &Peer, tls: Option<&Arc<Secure>>) -> Pipe {
        self.0.retain(|_, pipe| !pipe.0.is_closed());
        let way = Way::to(primary, tls);
        let (primary, tls) = (primary.clone(), tls.cloned());
        let open = || {
            let (pipe, inbox) = unbounded_channel();
            tokio::spawn(run(primary, tls, inbox));
            Pipe(pipe)
        };
        self.0.entry(way).or_insert_with(open).clone()
    }
}

impl Pipe {
    /// Asks; none if it has to be asked otherwise.
    pub(super) async fn ask(&self, id: u16, query: &[u8]) -> Option<Result<Vec<u8>, ExchangeError>> {
        let (answer, outcome) = oneshot::channel();
        self.0.send(Asked { id, query: query.to_vec(), answer }).ok()?;
        outcome.await.ok()
    }
}

/// Serves one connection until it ends.
async fn run(primary: Peer, tls: Option<Arc<Secure>>, mut inbox: UnboundedReceiver<Asked>) {
    let opened = Connection::open(primary.address, Some(primary.source), tls.as_deref(), primary.connect_limit).await;
    match opened {
        Ok(connection) => converse(connection, &mut inbox).await,
        Err(error) => {
            inbox.close();
            while let Some(asked) = inbox.recv().await {
                // Whoever asked may be gone.
                let _ = asked.answer.send(Err(alike(&error)));
            }
        }
    }
}

async fn converse(mut connection: Connection, inbox: &mut UnboundedReceiver<Asked>) {
    let mut waiting = HashMap::new();
    let mut heard = Instant::now();
    loop {
        tokio::select! {
            // Also where queries keep coming: a connection may be dead and not know it.
            () = sleep_until(heard + IDLE) => return,
            asked = inbox.recv() => {
                let Some(Asked { id, query, answer }) = asked else { return };
                // Of two with one ID the second is asked otherwise.
                if !waiting.contains_key(&id) {
                    heard = if waiting.is_empty() { Instant::now() } else { heard };
                    if connection.send(&query, SOA_TIMEOUT).await.is_err() {
                        return;
                    }
                    waiting.insert(id, answer);
                }
            }
            message = connection.receive(2 * IDLE) => {
                let Ok(message) = message else { return };
                heard = Instant::now();
                let id = message.first_chunk().map(|id| u16::from_be_bytes(*id));
                if let Some(answer) = id.and_then(|id| waiting.remove(&id)) {
                    let _ = answer.send(Ok(message.to_vec()));
                }
            }
        }
    }
}

/// The same error for another of those that it concerns.
fn alike(error: &ExchangeError) -> ExchangeError {
    match error {
        ExchangeError::TimedOut => ExchangeError::TimedOut,
        ExchangeError::Closed => ExchangeError::Closed,
        ExchangeError::Io(error) => ExchangeError::Io(io::Error::new(error.kind(), error.to_string())),
        other => ExchangeError::NoTls(other.to_string()),
    }
}

/// How long a connection on which no answer comes stays open.
const IDLE: Duration = Duration::from_secs(10);

#[cfg(test)]
mod tests {
    use tokio::io::{AsyncReadExt, AsyncWriteExt};
    use tokio::net::TcpListener;

    use super::*;
    use crate::transfer::testing::peer;

    fn primary(listener: &TcpListener) -> Peer {
        let source = ([127, 0, 0, 1], 0).into();
        Peer { address: listener.local_addr().unwrap(), source, ..peer(1) }
    }

    /// A query or answer of nothing but an ID.
    fn message(id: u16) -> Vec<u8> {
        [id.to_be_bytes(), [7, 7]].concat()
    }

    #[tokio::test]
    async fn queries_to_one_primary_go_over_one_connection_and_answers_in_any_order() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut pipes = Pipes::default();
        let [one, two] = [(); 2].map(|()| pipes.to(&primary(&listener), None));
        assert_eq!(pipes.0.len(), 1);
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut queries = [0; 12];
            stream.read_exact(&mut queries).await.unwrap();
            let (first, second) = queries.split_at(6);
            stream.write_all(&[second, first].concat()).await.unwrap();
            stream
        };
        let (queries, others) = (message(1), message(2));
        let (one, two, _stream) = tokio::join!(one.ask(1, &queries), two.ask(2, &others), server);
        assert_eq!((one.unwrap().unwrap(), two.unwrap().unwrap()), (message(1), message(2)));
    }

    #[tokio::test]
    async fn what_a_closed_connection_leaves_unanswered_is_asked_otherwise() {
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let mut pipes = Pipes::default();
        let pipe = pipes.to(&primary(&listener), None);
        let server = async {
            let (mut stream, _) = listener.accept().await.unwrap();
            let mut queries = [0; 12];
            stream.read_exact(&mut queries).await.unwrap();
            stream.write_all(&queries[..6]).await.unwrap();
        };
        let (queries, others) = (message(1), message(2));
        let (one, two, ()) = tokio::join!(pipe.ask(1, &queries), pipe.ask(2, &others), server);
        assert_eq!(one.unwrap().unwrap(), message(1));
        assert!(two.is_none());
        while !pipe.0.is_closed() {
            tokio::task::yield_now().await;
        }
        assert!(pipe.ask(3, &message(3)).await.is_none());
    }

    #[tokio::test]
    async fn all_hear_of_a_primary_that_takes_no_connection() {
        // No other test takes the port of this address meanwhile.
        let listener = TcpListener::bind("127.0.9.4:0").await.unwrap();
        let gone = primary(&listener);
        drop(listener);
        let pipe = Pipes::default().to(&gone, None);
        let (queries, others) = (message(1), message(2));
        let (one, two) = tokio::join!(pipe.ask(1, &queries), pipe.ask(2, &others));
        for outcome in [one, two] {
            let Some(Err(ExchangeError::Io(error))) = outcome else { panic!("{outcome:?}") };
            assert_eq!(error.kind(), io::ErrorKind::ConnectionRefused);
        }
    }
}
