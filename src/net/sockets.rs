//! Sockets for questions over UDP that serve again while many are asked of one server.
//!
//! To open a socket, to bind, connect and watch it and to close it takes several times what a question and its answer
//! take. Who wants to answer in the server's place has to guess the port and the ID, so a port is given up after some
//! questions, and each question has a socket for itself until it is answered.

use std::net::SocketAddr;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::net::UdpSocket;

use super::exchange::{ExchangeError, ask_over, open_udp};

/// The sockets to one server. Those that are not in use are closed with it.
#[derive(Debug)]
pub struct Sockets {
    server: SocketAddr,
    source: SocketAddr,
    spare: Mutex<Vec<Socket>>,
}

/// A socket, and how many questions it has been used for.
#[derive(Debug)]
struct Socket {
    socket: UdpSocket,
    asked: u32,
}

impl Sockets {
    /// None yet. A port in `source` lets only one question be asked at a time.
    #[must_use]
    pub fn new(server: SocketAddr, source: SocketAddr) -> Self {
        Self { server, source, spare: Mutex::default() }
    }

    /// Asks as [`super::exchange::ask_udp`] does.
    ///
    /// # Errors
    /// The same.
    pub async fn ask(
        &self,
        request: &[u8],
        limit: Duration,
        is_answer: impl FnMut(&[u8]) -> bool,
    ) -> Result<Vec<u8>, ExchangeError> {
        let spare = self.spare().pop();
        let Socket { socket, asked } = match spare {
            Some(spare) => spare,
            None => Socket { socket: open_udp(self.server, self.source).await?, asked: 0 },
        };
        let answer = ask_over(&socket, request, limit, is_answer).await?;
        let asked = asked.saturating_add(1);
        if asked < QUESTIONS {
            self.spare().push(Socket { socket, asked });
        }
        Ok(answer)
    }

    fn spare(&self) -> MutexGuard<'_, Vec<Socket>> {
        self.spare.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// How many questions a socket is used for.
const QUESTIONS: u32 = 64;

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::net::Ipv4Addr;

    use super::*;

    const LIMIT: Duration = Duration::from_secs(10);

    async fn pair() -> (UdpSocket, Sockets) {
        let server = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).await.unwrap();
        let sockets = Sockets::new(server.local_addr().unwrap(), (Ipv4Addr::LOCALHOST, 0).into());
        (server, sockets)
    }

    /// Answers so many questions with what they say; the ports that they came from, and how often each.
    async fn answer(server: &UdpSocket, questions: u32) -> HashMap<u16, u32> {
        let (mut ports, mut room) = (HashMap::new(), [0; 100]);
        for _ in 0..questions {
            let (length, client) = server.recv_from(&mut room).await.unwrap();
            server.send_to(&room[..length], client).await.unwrap();
            *ports.entry(client.port()).or_default() += 1;
        }
        ports
    }

    #[tokio::test]
    async fn a_socket_serves_again_but_not_for_ever() {
        let (server, sockets) = pair().await;
        let ask = async |questions: std::ops::Range<u32>| {
            for number in questions {
                let question = number.to_be_bytes();
                assert_eq!(sockets.ask(&question, LIMIT, |answer| answer == question).await.unwrap(), question);
            }
        };
        let ((), ports) = tokio::join!(ask(0..QUESTIONS), answer(&server, QUESTIONS));
        let [port] = ports.into_keys().collect::<Vec<_>>()[..] else { panic!("one socket asks them all") };
        assert!(sockets.spare().is_empty());
        // By chance the next one could have its port.
        let _taken = UdpSocket::bind((Ipv4Addr::LOCALHOST, port)).await;
        let ((), ports) = tokio::join!(ask(0..1), answer(&server, 1));
        assert!(!ports.contains_key(&port));
        assert_eq!(sockets.spare().len(), 1);
    }

    #[tokio::test]
    async fn questions_at_the_same_time_have_sockets_of_their_own() {
        let (server, sockets) = pair().await;
        let ask = |question: &'static [u8]| sockets.ask(question, LIMIT, move |answer| answer == question);
        let (one, two, ports) = tokio::join!(ask(b"one"), ask(b"two"), answer(&server, 2));
        assert_eq!((one.unwrap(), two.unwrap(), ports.len()), (b"one".to_vec(), b"two".to_vec(), 2));
    }

    #[tokio::test(start_paused = true)]
    async fn what_comes_late_is_no_answer_to_another_question_as_the_socket_is_gone() {
        let (_server, sockets) = pair().await;
        assert!(matches!(sockets.ask(b"silence", LIMIT, |_| true).await, Err(ExchangeError::TimedOut)));
        assert!(sockets.spare().is_empty());
    }
}
