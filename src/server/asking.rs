//! Asking a primary for its SOA record.

use std::sync::Arc;
use std::time::Duration;

use super::exchange::{DATAGRAM_TIMEOUT, ask_tcp, exchange_text};
use super::gate::Gate;
use super::pipes::Pipe;
use super::worker::unix_now_s;
use crate::dns::tsig::Chain;
use crate::dns::wire::WireError;
use crate::dns::{Class, Name};
use crate::net::exchange::{ExchangeError, Secure};
use crate::net::sockets::Sockets;
use crate::transfer::message::{self, Ask, Opt, SoaReply};
use crate::transfer::peer::Peer;
use crate::transfer::refresh::{Event, SOA_TIMEOUT_S};

/// A question for a primary's SOA record.
pub(super) struct SoaQuery {
    /// The ID of its message.
    pub(super) id: u16,
    /// The zone.
    pub(super) apex: Name,
    /// Its class.
    pub(super) class: Class,
    /// Who is asked.
    pub(super) primary: Arc<Peer>,
    /// What it is spoken to with, where TLS is asked for.
    pub(super) tls: Option<Arc<Secure>>,
    /// What EDNS says.
    pub(super) opt: Option<Opt>,
    /// The connection that it shares with others, where it goes over one.
    pub(super) pipe: Option<Pipe>,
    /// To where the primary takes datagrams.
    pub(super) door: Gate,
    /// The sockets that it may use, those of others while there are many.
    pub(super) sockets: Arc<Sockets>,
}

impl SoaQuery {
    /// Asks, and gives what the zone's machine is to be told.
    pub(super) async fn ask(self) -> Event {
        let (zone, id) = (self.apex.as_ref(), self.id);
        let mut chain = self.primary.key.as_deref().map(Chain::new);
        let mut query = match message::request(id, zone, self.class, Ask::Soa, self.opt) {
            Ok(query) => query,
            Err(error) => return Event::SoaFailed(error.to_string()),
        };
        if let Some(chain) = &mut chain {
            message::sign(chain, &mut query, unix_now_s());
        }
        match self.exchange(&query).await {
            Ok(bytes) if self.is_answer(&bytes) => {
                Event::SoaReply(message::read_soa_reply(&bytes, zone, chain.as_mut(), unix_now_s()))
            }
            Ok(_) => Event::SoaReply(SoaReply::Malformed(WireError::BadField)),
            Err(ExchangeError::TimedOut) => Event::SoaTimeout,
            Err(error) => Event::SoaFailed(exchange_text(&error)),
        }
    }

    async fn exchange(&self, query: &[u8]) -> Result<Vec<u8>, ExchangeError> {
        match &self.pipe {
            Some(pipe) => Box::pin(self.ask_through(pipe, query)).await,
            None => {
                let ask = || self.sockets.ask(query, SOA_TIMEOUT, |bytes| self.is_answer(bytes));
                self.door.inside(DATAGRAM_TIMEOUT, ask).await
            }
        }
    }

    async fn ask_through(&self, pipe: &Pipe, query: &[u8]) -> Result<Vec<u8>, ExchangeError> {
        let primary = &self.primary;
        let shared = tokio::time::timeout(primary.connect_limit + SOA_TIMEOUT, pipe.ask(self.id, query)).await;
        match shared.unwrap_or(Some(Err(ExchangeError::TimedOut))) {
            Some(outcome) => outcome,
            None => ask_tcp(query, primary, self.tls.as_deref(), SOA_TIMEOUT).await,
        }
    }

    fn is_answer(&self, bytes: &[u8]) -> bool {
        message::answers(bytes, self.id)
    }
}

/// How long an answer is waited for.
pub(super) const SOA_TIMEOUT: Duration = Duration::from_secs(SOA_TIMEOUT_S);
