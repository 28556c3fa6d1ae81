//! What exchanges with other servers share: message IDs, tasks whose end the control side always hears of, and one
//! question over TCP.

use std::hash::{BuildHasher, RandomState};
use std::time::Duration;

use tokio::sync::mpsc::UnboundedSender;
use tokio::task::AbortHandle;

use super::control::listener::io_text;
use super::core::Event;
use crate::net::exchange::{Connection, ExchangeError, Secure};
use crate::transfer::peer::Peer;

/// IDs of queries and NOTIFYs. Whoever guesses one can answer in a server's place, so they come from a hash under a key
/// that the system drew: those seen before tell nothing of the next.
pub(super) struct MessageIds {
    key: RandomState,
    drawn: u64,
}

impl MessageIds {
    /// With a key of its own.
    pub(super) fn new() -> Self {
        Self { key: RandomState::new(), drawn: 0 }
    }

    /// The next one.
    pub(super) fn draw(&mut self) -> u16 {
        self.drawn = self.drawn.wrapping_add(1);
        self.key.hash_one(self.drawn) as u16
    }
}

/// Runs a task and tells the control side what came of it; nothing, if the task panicked or was ended. So a place that
/// it holds in a quota is free again in any case, and nobody waits for it for ever.
pub(super) fn spawn_told<Outcome: Send + 'static>(
    events: &UnboundedSender<Event>,
    work: impl Future<Output = Outcome> + Send + 'static,
    event: impl FnOnce(Option<Outcome>) -> Event + Send + 'static,
) -> AbortHandle {
    let teller = Teller { events: events.clone(), event: Some(event), outcome: None };
    tokio::spawn(async move { teller.tell(work.await) }).abort_handle()
}

/// Tells of an outcome when it goes, in whatever way that comes about.
struct Teller<Outcome, Tell: FnOnce(Option<Outcome>) -> Event> {
    events: UnboundedSender<Event>,
    event: Option<Tell>,
    outcome: Option<Outcome>,
}

impl<Outcome, Tell: FnOnce(Option<Outcome>) -> Event> Teller<Outcome, Tell> {
    fn tell(mut self, outcome: Outcome) {
        self.outcome = Some(outcome);
    }
}

impl<Outcome, Tell: FnOnce(Option<Outcome>) -> Event> Drop for Teller<Outcome, Tell> {
    fn drop(&mut self) {
        if let Some(event) = self.event.take() {
            // Fails only when the server is going down.
            let _ = self.events.send(event(self.outcome.take()));
        }
    }
}

/// Asks over a connection of its own, with a limit for each step.
pub(super) async fn ask_tcp(
    query: &[u8],
    peer: &Peer,
    tls: Option<&Secure>,
    limit: Duration,
) -> Result<Vec<u8>, ExchangeError> {
    let mut connection = Connection::open(peer.address, Some(peer.source), tls, peer.connect_limit).await?;
    connection.send(query, limit).await?;
    connection.receive(limit).await.map(<[u8]>::to_vec)
}

/// What is said of an exchange that failed.
pub(super) fn exchange_text(error: &ExchangeError) -> String {
    match error {
        ExchangeError::Io(error) => io_text(error),
        other => other.to_string(),
    }
}

/// How many datagrams to one server may be without an answer. A socket has room for about 270 by default; what finds
/// none there is lost, and sent again a second later at best.
pub(super) const UNANSWERED_DATAGRAMS: usize = 64;
/// How long one that is not answered keeps others back.
pub(super) const DATAGRAM_TIMEOUT: Duration = Duration::from_millis(100);

#[cfg(test)]
mod tests {
    use std::collections::HashSet;

    use tokio::sync::mpsc::unbounded_channel;

    use super::*;

    #[test]
    fn message_ids_are_no_sequence_and_differ_between_drawers() {
        let (mut one, mut other) = (MessageIds::new(), MessageIds::new());
        let mut draw = || (0..200).map(|_| (one.draw(), other.draw())).unzip::<_, _, Vec<u16>, Vec<u16>>();
        let (ours, theirs) = draw();
        assert_ne!(ours, theirs);
        let steps: HashSet<u16> = ours.windows(2).map(|pair| pair[1].wrapping_sub(pair[0])).collect();
        assert!(steps.len() > 150, "{}", steps.len());
    }

    #[tokio::test]
    async fn a_task_that_panics_or_is_ended_is_told_all_the_same() {
        let (events, mut inbox) = unbounded_channel();
        let told = |outcome: Option<()>| if outcome.is_none() { Event::Interfaces } else { Event::Hangup };
        spawn_told(&events, async { panic!("on purpose") }, told);
        assert!(matches!(inbox.recv().await, Some(Event::Interfaces)));
        spawn_told(&events, std::future::pending(), told).abort();
        assert!(matches!(inbox.recv().await, Some(Event::Interfaces)));
        spawn_told(&events, async {}, told);
        assert!(matches!(inbox.recv().await, Some(Event::Hangup)));
    }
}
