//! DNS over HTTP/2 (RFC 8484). What is answered to requests that are none is as with BIND, which speaks no HTTP/1.1.
//!
//! In: a connection, with or without TLS; out: each stream's reply. A request that came as a whole is answered at once;
//! a body that is still on its way, and a reply that comes later, are waited for beside the others. Silence is timed by
//! requests begun and ended.

use std::future::poll_fn;
use std::sync::Arc;
use std::task::Poll;

use bytes::Bytes;
use data_encoding::BASE64URL_NOPAD;
use h2::RecvStream;
use h2::server::{Builder, SendResponse};
use http::header::{CACHE_CONTROL, CONTENT_LENGTH, CONTENT_TYPE};
use http::request::Parts;
use http::{HeaderMap, HeaderValue, Method, Request, Response, StatusCode};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::task::JoinSet;
use tokio::time::{sleep, timeout};

use super::connection::serve_safely;
use super::quota::Permit;
use super::{Client, Limits, Served, Service};
use crate::dns::message::{HEADER_LENGTH, Section};
use crate::dns::{Message, Rtype};

/// What is found on a listener.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Site {
    /// The paths that are answered (`endpoints`).
    pub endpoints: Arc<[String]>,
    /// How many requests a connection may have open (`streams-per-connection`).
    pub streams: u32,
}

/// One connection.
pub(super) struct Session<S> {
    turn: Turn<S>,
    permit: Permit,
}

impl<S: Service> Session<S> {
    pub(super) fn new(site: Site, client: Client, service: Arc<S>, permit: Permit) -> Self {
        Self { turn: Turn { client: Arc::new(client), service, site }, permit }
    }

    /// Serves the client until one side has enough.
    pub(super) async fn run<T: AsyncRead + AsyncWrite + Unpin>(self, stream: T, limits: &Limits) {
        let mut builder = Builder::new();
        builder.max_concurrent_streams(self.turn.site.streams).max_header_list_size(MAX_HEADERS_SIZE);
        let mut patience = limits.timeouts.load().initial;
        let Ok(Ok(mut connection)) = timeout(patience, builder.handshake::<T, Bytes>(stream)).await else { return };
        let mut waiting = JoinSet::new();
        loop {
            tokio::select! {
                accepted = connection.accept() => {
                    let Some(Ok((request, stream))) = accepted else { return };
                    let mut turn = Box::pin(self.turn.clone().take(request, stream));
                    if poll_fn(|context| Poll::Ready(turn.as_mut().poll(context).is_pending())).await {
                        waiting.spawn(turn);
                    }
                }
                Some(_) = waiting.join_next() => {}
                () = sleep(patience) => return,
            }
            self.permit.activity().note();
            patience = limits.timeouts.load().idle;
        }
    }
}

/// What the answer to one request needs.
struct Turn<S> {
    client: Arc<Client>,
    service: Arc<S>,
    site: Site,
}

impl<S> Clone for Turn<S> {
    fn clone(&self) -> Self {
        Self { client: Arc::clone(&self.client), service: Arc::clone(&self.service), site: self.site.clone() }
    }
}

impl<S: Service> Turn<S> {
    async fn take(self, request: Request<RecvStream>, mut stream: SendResponse<Bytes>) {
        let reply = match self.read(request).await {
            Ok(message) => self.resolve(&message).await,
            Err(status) => Err(status),
        };
        let (head, body) = match reply {
            Ok(body) => (head(&body), body),
            Err(status) => (refusal(status), vec![]),
        };
        // Fails only if the client has gone, or has given up this request.
        if let Ok(mut rest) = stream.send_response(head, body.is_empty())
            && !body.is_empty()
        {
            let _ = rest.send_data(body.into(), true);
        }
    }

    async fn read(&self, request: Request<RecvStream>) -> Result<Vec<u8>, StatusCode> {
        let (head, mut body) = request.into_parts();
        let message = self.message(&head, &mut body).await;
        if message.is_err() {
            drain(&mut body).await;
        }
        message
    }

    /// The message that a request holds.
    async fn message(&self, head: &Parts, body: &mut RecvStream) -> Result<Vec<u8>, StatusCode> {
        let is_query_in_path = match head.method {
            Method::GET => true,
            Method::POST => false,
            _ => return Err(StatusCode::NOT_IMPLEMENTED),
        };
        if !self.site.endpoints.iter().any(|path| path == head.uri.path()) {
            return Err(StatusCode::NOT_FOUND);
        }
        let message = match head.uri.query() {
            Some(query) if is_query_in_path => decode(parameter(query).ok_or(StatusCode::BAD_REQUEST)?)?,
            None if !is_query_in_path => receive(&head.headers, body).await?,
            _ => return Err(StatusCode::BAD_REQUEST),
        };
        if message.len() < HEADER_LENGTH { Err(StatusCode::BAD_REQUEST) } else { Ok(message) }
    }

    /// The reply; a message that has none is no good request, as with BIND.
    async fn resolve(&self, message: &[u8]) -> Result<Vec<u8>, StatusCode> {
        let mut reply = Vec::new();
        match serve_safely(&*self.service, message, &self.client, &mut reply) {
            Served::Reply => Ok(reply),
            Served::Nothing => Err(StatusCode::BAD_REQUEST),
            Served::Later(awaited) => awaited.await.ok_or(StatusCode::BAD_REQUEST),
            // A reply of many messages has no form in HTTP, and services are told what is spoken.
            Served::Close | Served::Stream(_) => Err(StatusCode::INTERNAL_SERVER_ERROR),
        }
    }
}

/// The value of `dns` in a query; BIND: the last.
fn parameter(query: &str) -> Option<&str> {
    query.rsplit('&').find_map(|pair| pair.strip_prefix("dns="))
}

fn decode(text: &str) -> Result<Vec<u8>, StatusCode> {
    let message = BASE64URL_NOPAD.decode(text.as_bytes()).map_err(|_| StatusCode::BAD_REQUEST)?;
    if message.len() > MAX_MESSAGE_SIZE { Err(StatusCode::PAYLOAD_TOO_LARGE) } else { Ok(message) }
}

/// A body as a whole, if it is a message and no longer than one can be.
async fn receive(headers: &HeaderMap, body: &mut RecvStream) -> Result<Vec<u8>, StatusCode> {
    let is_message = |kind: &HeaderValue| kind.as_bytes().eq_ignore_ascii_case(DNS_MESSAGE.as_bytes());
    if headers.get(CONTENT_TYPE).is_some_and(|kind| !is_message(kind)) {
        return Err(StatusCode::UNSUPPORTED_MEDIA_TYPE);
    }
    let mut message = Vec::new();
    while let Some(piece) = body.data().await {
        let piece = piece.map_err(|_| StatusCode::BAD_REQUEST)?;
        if message.len() + piece.len() > MAX_MESSAGE_SIZE {
            return Err(StatusCode::PAYLOAD_TOO_LARGE);
        }
        message.extend_from_slice(&piece);
        let _ = body.flow_control().release_capacity(piece.len());
    }
    Ok(message)
}

/// Takes what is still to come of a body: to some clients a stream is broken whose reply comes before they have sent
/// all.
async fn drain(body: &mut RecvStream) {
    let mut size = 0;
    while let Some(Ok(piece)) = body.data().await
        && size < MAX_DRAINED_SIZE
    {
        size += piece.len();
        let _ = body.flow_control().release_capacity(piece.len());
    }
}

fn head(body: &[u8]) -> Response<()> {
    let caching = match least_ttl(body) {
        Some(ttl_s) => format!("max-age={ttl_s}"),
        None => "no-cache, no-store, must-revalidate".to_owned(),
    };
    let head = Response::builder().header(CONTENT_TYPE, DNS_MESSAGE).header(CONTENT_LENGTH, body.len());
    head.header(CACHE_CONTROL, caching).body(()).unwrap_or_default()
}

fn refusal(status: StatusCode) -> Response<()> {
    let mut head = Response::new(());
    *head.status_mut() = status;
    head
}

/// How long a cache may keep an answer (RFC 8484 section 5.1): as long as each of its records, or without any as long
/// as the SOA record lets it be remembered that there is none. None: not at all.
fn least_ttl(message: &[u8]) -> Option<u32> {
    let message = Message::new(message).ok()?;
    let (mut answer_s, mut negative_s) = (None::<u32>, None::<u32>);
    for record in message.records().flatten() {
        match record.section {
            Section::Answer => answer_s = Some(answer_s.map_or(record.ttl, |least| least.min(record.ttl))),
            Section::Authority if record.rtype == Rtype::SOA => {
                let minimum = message.rdata(&record).last_chunk().map(|bytes| u32::from_be_bytes(*bytes));
                negative_s = minimum.map(|minimum| minimum.min(record.ttl));
            }
            _ => {}
        }
    }
    answer_s.or(negative_s)
}

/// The type of what is sent either way.
const DNS_MESSAGE: &str = "application/dns-message";

/// RFC 1035 section 4.2.2.
const MAX_MESSAGE_SIZE: usize = 65_535;

/// How much of a body that is of no use is taken.
const MAX_DRAINED_SIZE: usize = 1 << 20;

/// Room for a message in a path, which is of at most 64 KiB, and as much as any client sends beside it.
const MAX_HEADERS_SIZE: u32 = 96 << 10;
