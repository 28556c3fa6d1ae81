//! One TCP connection: requests cut out of the bytes read, replies framed and written, silence timed.
//!
//! Replies of many messages are written piece by piece, and between two pieces what else the client asks is answered:
//! a transfer holds nothing up (RFC 7766 section 6.2.1.1). The buffers belong to the connection and are used again for
//! every round. There is one timer a connection, moved only when it fires: most requests cost no timer operation at
//! all.

use std::collections::VecDeque;
use std::future::poll_fn;
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll};
use std::time::Duration;

use tokio::io::{AsyncRead, AsyncReadExt, AsyncWrite, AsyncWriteExt, ReadBuf};
use tokio::time::{Instant, Sleep, sleep_until};

use super::quota::Permit;
use super::{Awaited, Client, Fault, Limits, MessageStream, Pull, Served, Service, StreamEnd, StreamLimits};

/// A connection over TCP or TLS and what it needs.
pub(super) struct Connection<S, T> {
    stream: T,
    client: Client,
    service: Arc<S>,
    limits: Arc<Limits>,
    /// Bytes read and not yet answered.
    input: Vec<u8>,
    /// Framed replies not yet written.
    output: Vec<u8>,
    /// Replies of many messages under way; the first has the next turn.
    streams: VecDeque<Stream>,
    alarm: Alarm,
    permit: Permit,
}

impl<S: Service, T: AsyncRead + AsyncWrite + Unpin> Connection<S, T> {
    pub(super) fn new(stream: T, client: Client, service: Arc<S>, limits: Arc<Limits>, permit: Permit) -> Self {
        let alarm = Alarm::at(Instant::now() + limits.timeouts.load().initial);
        let (input, output, streams) = (Vec::new(), Vec::new(), VecDeque::new());
        Self { stream, client, service, limits, input, output, streams, alarm, permit }
    }

    /// Serves the client until one side has enough.
    pub(super) async fn run(mut self) {
        let end = loop {
            if let Err(closed) = self.turn().await {
                break closed.into();
            }
        };
        for Stream { messages, .. } in self.streams {
            messages.ended(end);
        }
    }

    /// Waits for requests, or sends more of the long replies, and answers what has been asked by then.
    async fn turn(&mut self) -> Result<(), Closed> {
        if self.streams.is_empty() {
            self.read().await?;
        } else if let Some(stream) = poll_fn(|context| self.poll_turn(context)).await? {
            self.send_piece(stream).await?;
            self.read_at_once().await?;
        }
        self.answer().await
    }

    /// The next of the long replies that is ready to be sent, or none where requests come before any is.
    fn poll_turn(&mut self, context: &mut Context<'_>) -> Poll<Result<Option<Stream>, Closed>> {
        let is_ready = |stream: &mut Stream| stream.messages.poll_ready(context).is_ready();
        let ready = self.streams.iter_mut().position(is_ready);
        if let Some(stream) = ready.and_then(|at| self.streams.remove(at)) {
            return Poll::Ready(Ok(Some(stream)));
        }
        let known = self.input.len();
        if self.streams.len() < MAX_STREAMS {
            self.poll_read_at_once(context)?;
        }
        if self.input.len() > known { Poll::Ready(Ok(None)) } else { Poll::Pending }
    }

    /// Reads what has come, at least one byte, with room for the rest of the request that has begun.
    async fn read(&mut self) -> Result<(), Closed> {
        let missing = frame_size(&self.input).map_or(0, |size| size.saturating_sub(self.input.len()));
        self.input.reserve(missing.max(READ_SIZE));
        tokio::select! {
            biased;
            read = self.stream.read_buf(&mut self.input) => match read {
                Ok(1..) => Ok(()),
                Ok(0) | Err(_) => Err(Closed::Disconnected),
            },
            () = self.alarm.rings() => Err(Closed::Idle),
        }
    }

    /// Reads what has come already, but no more than a connection may hold. A client that will ask nothing more still
    /// gets what it has asked for.
    async fn read_at_once(&mut self) -> Result<(), Closed> {
        if self.streams.len() >= MAX_STREAMS {
            return Ok(());
        }
        poll_fn(|context| Poll::Ready(self.poll_read_at_once(context))).await
    }

    /// No part of the future above, which would make every connection larger by the buffer.
    fn poll_read_at_once(&mut self, context: &mut Context<'_>) -> Result<(), Closed> {
        let mut bytes = [0; READ_SIZE];
        let mut buffer = ReadBuf::new(&mut bytes);
        let read = Pin::new(&mut self.stream).poll_read(context, &mut buffer);
        self.input.extend_from_slice(buffer.filled());
        match read {
            Poll::Ready(Err(_)) => Err(Closed::Disconnected),
            _ => Ok(()),
        }
    }

    /// Answers the whole requests that have been read. What counts against the idle timeout is whole requests: a client
    /// that dribbles bytes is idle.
    async fn answer(&mut self) -> Result<(), Closed> {
        let mut done = 0;
        while self.streams.len() < MAX_STREAMS
            && let Some((request, end)) = next_request(&self.input, done)
        {
            done = end;
            match serve(&*self.service, request, &self.client, &mut self.output) {
                Served::Reply | Served::Nothing if self.output.len() < WRITE_SIZE => {}
                Served::Reply | Served::Nothing => self.flush().await?,
                Served::Close => return self.flush().await.and(Err(Closed::ByService)),
                Served::Later(awaited) => {
                    let reply = LateReply { awaited, reply: None, idle: self.idle() };
                    self.streams.push_back(Stream::new(Box::new(reply)));
                }
                Served::Stream(messages) => self.streams.push_back(Stream::new(messages)),
            }
        }
        if done == 0 {
            return Ok(());
        }
        self.input.drain(..done);
        self.flush().await?;
        self.note_activity();
        Ok(())
    }

    /// From now on the client is idle, or waits for long replies, which have limits of their own.
    fn note_activity(&mut self) {
        if self.streams.is_empty() {
            self.release_buffers();
            self.permit.activity().note();
            self.alarm.set(Instant::now() + self.idle());
        } else {
            self.permit.activity().note_busy();
        }
    }

    fn idle(&self) -> Duration {
        let timeouts = self.limits.timeouts.load();
        if self.client.is_kept_alive() { timeouts.keepalive } else { timeouts.idle }
    }

    /// Writes the replies, for as long as the client keeps taking some.
    async fn flush(&mut self) -> Result<(), Closed> {
        let idle = self.idle();
        self.write(idle, None).await
    }

    /// Sends one piece of a stream. It gets in line again for the next, or is told that it has been sent.
    async fn send_piece(&mut self, mut stream: Stream) -> Result<(), Closed> {
        match self.pump(&mut stream).await {
            Ok(Pull::More) => {
                self.streams.push_back(stream);
                // A client as fast as we are never makes us wait: let other connections have their turn.
                tokio::task::yield_now().await;
            }
            Ok(_) => {
                stream.messages.ended(StreamEnd::Sent);
                self.note_activity();
            }
            Err(closed) => {
                stream.messages.ended(closed.into());
                return Err(closed);
            }
        }
        Ok(())
    }

    async fn pump(&mut self, stream: &mut Stream) -> Result<Pull, Closed> {
        let messages = &mut *stream.messages;
        let pull = catch_unwind(AssertUnwindSafe(|| messages.next(&mut self.output))).unwrap_or(Pull::Abort);
        if pull == Pull::Abort {
            return Err(Closed::ByService);
        }
        self.write(messages.limits().idle, Some(stream.last)).await?;
        Ok(pull)
    }

    /// Writes all output; gives up when nothing moves for `idle`, or at `last`.
    async fn write(&mut self, idle: Duration, last: Option<Instant>) -> Result<(), Closed> {
        let mut written = self.write_at_once().await;
        while let Some(rest) = self.output.get(written..).filter(|rest| !rest.is_empty()) {
            let limit = Instant::now() + idle;
            let (limit, why) =
                last.filter(|last| *last < limit).map_or((limit, Closed::Idle), |last| (last, Closed::TooLong));
            self.alarm.set(limit);
            written += tokio::select! {
                biased;
                () = self.alarm.rings() => return Err(why),
                count = self.stream.write(rest) => count.map_err(|_: io::Error| Closed::Disconnected)?,
            };
        }
        self.output.clear();
        self.flush_stream(idle).await
    }

    /// Writes what can be written without waiting, which is usually all and spares the timer.
    async fn write_at_once(&mut self) -> usize {
        poll_fn(|context| match Pin::new(&mut self.stream).poll_write(context, &self.output) {
            Poll::Ready(Ok(count)) => Poll::Ready(count),
            _ => Poll::Ready(0),
        })
        .await
    }

    /// Waits until what TLS keeps back has gone; without TLS there is nothing.
    async fn flush_stream(&mut self, idle: Duration) -> Result<(), Closed> {
        if poll_fn(|context| Poll::Ready(Pin::new(&mut self.stream).poll_flush(context).is_ready())).await {
            return Ok(());
        }
        self.alarm.set(Instant::now() + idle);
        tokio::select! {
            biased;
            flushed = self.stream.flush() => flushed.map_err(|_: io::Error| Closed::Disconnected),
            () = self.alarm.rings() => Err(Closed::Idle),
        }
    }

    /// Gives back what a large message needed, so that an idle connection stays small.
    fn release_buffers(&mut self) {
        if self.input.is_empty() {
            self.input.shrink_to(READ_SIZE);
        }
        self.output.shrink_to(KEPT_SIZE);
    }
}

/// A reply of many messages under way.
struct Stream {
    messages: Box<dyn MessageStream>,
    /// When it has to have been sent.
    last: Instant,
}

impl Stream {
    fn new(messages: Box<dyn MessageStream>) -> Self {
        let last = Instant::now() + messages.limits().total;
        Self { messages, last }
    }
}

/// A reply that is not there yet. How long it may take is for those who make it.
struct LateReply {
    awaited: Awaited,
    reply: Option<Vec<u8>>,
    idle: Duration,
}

impl MessageStream for LateReply {
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        Pin::new(&mut self.awaited).poll(context).map(|reply| self.reply = reply)
    }

    fn next(&mut self, out: &mut Vec<u8>) -> Pull {
        if let Some(reply) = self.reply.take() {
            frame(out, |out| out.extend(reply));
        }
        Pull::Done
    }

    fn limits(&self) -> StreamLimits {
        StreamLimits { idle: self.idle, total: LONG }
    }

    fn ended(self: Box<Self>, _end: StreamEnd) {}
}

/// Why a connection ends.
#[derive(Clone, Copy)]
enum Closed {
    Disconnected,
    Idle,
    TooLong,
    ByService,
}

impl From<Closed> for StreamEnd {
    fn from(closed: Closed) -> Self {
        match closed {
            Closed::Disconnected => Self::Disconnected,
            Closed::Idle => Self::Idle,
            Closed::TooLong => Self::TooLong,
            Closed::ByService => Self::Aborted,
        }
    }
}

/// Has one request answered, framing the reply.
fn serve<S: Service>(service: &S, request: &[u8], client: &Client, out: &mut Vec<u8>) -> Served {
    let start = out.len();
    let served = frame(out, |out| serve_safely(service, request, client, out));
    if !matches!(served, Served::Reply) {
        out.truncate(start);
    }
    served
}

/// Has one request answered; a panic costs the client its connection.
pub(super) fn serve_safely<S: Service>(service: &S, request: &[u8], client: &Client, out: &mut Vec<u8>) -> Served {
    catch_unwind(AssertUnwindSafe(|| service.serve(request, client, out))).unwrap_or_else(|_| {
        service.fault(Fault::Panic(client, request));
        Served::Close
    })
}

/// Appends one message to `out`, written by `write`, with its length before it (RFC 1035 section 4.2.2). A message that
/// turns out empty, or longer than a length can say, is taken back.
pub fn frame<T>(out: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>) -> T) -> T {
    let start = out.len();
    out.extend_from_slice(&[0; LENGTH_SIZE]);
    let result = write(out);
    let size = out.len().saturating_sub(start + LENGTH_SIZE);
    match (u16::try_from(size), out.get_mut(start..start + LENGTH_SIZE)) {
        (Ok(length @ 1..), Some(place)) => place.copy_from_slice(&length.to_be_bytes()),
        _ => out.truncate(start),
    }
    result
}

/// The whole request that begins at `start`, and where the next one begins.
fn next_request(input: &[u8], start: usize) -> Option<(&[u8], usize)> {
    let rest = input.get(start..)?;
    let size = frame_size(rest)?;
    Some((rest.get(LENGTH_SIZE..size)?, start + size))
}

/// The size of the frame at the head of `bytes`, its length included.
fn frame_size(bytes: &[u8]) -> Option<usize> {
    bytes.first_chunk().map(|length| LENGTH_SIZE + usize::from(u16::from_be_bytes(*length)))
}

/// A timer that can be moved at no cost: only an earlier time than the one it waits for touches the timer wheel.
struct Alarm {
    sleep: Pin<Box<Sleep>>,
    at: Instant,
}

impl Alarm {
    fn at(at: Instant) -> Self {
        Self { sleep: Box::pin(sleep_until(at)), at }
    }

    fn set(&mut self, at: Instant) {
        self.at = at;
        if at < self.sleep.deadline() {
            self.sleep.as_mut().reset(at);
        }
    }

    async fn rings(&mut self) {
        loop {
            self.sleep.as_mut().await;
            if self.sleep.deadline() >= self.at {
                return;
            }
            self.sleep.as_mut().reset(self.at);
        }
    }
}

/// What takes longer than any reply is made.
const LONG: Duration = Duration::from_secs(3600);

/// Size of the length that precedes a message.
const LENGTH_SIZE: usize = 2;

/// Room for one read, and what an idle connection keeps for the next: many queries, or the start of a larger message.
const READ_SIZE: usize = 4096;

/// Replies gathered before they are written, if that many requests came at once.
const WRITE_SIZE: usize = 64 << 10;

/// What an idle connection keeps for its replies.
const KEPT_SIZE: usize = 16 << 10;

/// How many long replies may be under way to one client; then it is not read from. BIND: 23 requests of any kind.
const MAX_STREAMS: usize = 23;

#[cfg(test)]
mod tests {
    use std::sync::atomic::AtomicBool;

    use super::super::{Layer, Quota, StreamLimits, Timeouts};
    use super::*;

    /// Answers everything by a stream of two large messages.
    struct Generous;

    struct Large(usize);

    impl Service for Generous {
        fn serve(&self, _request: &[u8], _client: &Client, _out: &mut Vec<u8>) -> Served {
            Served::Stream(Box::new(Large(2)))
        }

        fn fault(&self, _fault: Fault<'_>) {}
    }

    impl MessageStream for Large {
        fn next(&mut self, out: &mut Vec<u8>) -> Pull {
            frame(out, |out| out.resize(out.len() + 65_535, 1));
            self.0 -= 1;
            if self.0 == 0 { Pull::Done } else { Pull::More }
        }

        fn limits(&self) -> StreamLimits {
            StreamLimits { idle: Duration::from_secs(7), total: Duration::from_secs(100) }
        }

        fn ended(self: Box<Self>, _end: StreamEnd) {}
    }

    #[tokio::test]
    async fn behind_a_stream_an_idle_connection_keeps_no_large_buffer() {
        let seconds = Duration::from_secs;
        let timeouts = Timeouts { initial: seconds(10), idle: seconds(20), keepalive: seconds(40) };
        let limits = Arc::new(Limits::new(timeouts, 1));
        let address = ([127, 0, 0, 1], 53).into();
        let keepalive = AtomicBool::new(false);
        let client = Client { peer: address, local: address, layer: Layer::Tcp, proxy: None, keepalive };
        let (mut theirs, ours) = tokio::io::duplex(1 << 20);
        let permit = Quota::try_acquire(&limits).unwrap();
        let mut connection = Connection::new(ours, client, Arc::new(Generous), limits, permit);
        theirs.write_all(b"\x00\x01q").await.unwrap();
        for _ in 0..3 {
            assert!(connection.turn().await.is_ok());
        }
        assert!(connection.streams.is_empty());
        assert!(connection.output.capacity() <= KEPT_SIZE, "{}", connection.output.capacity());
    }
}
