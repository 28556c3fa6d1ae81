use std::net::Ipv4Addr;
use std::pin::Pin;
use std::sync::Mutex;

use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};
use tokio::sync::oneshot;
use tokio::time::Instant;

use super::*;
use crate::net::later::ReplyTo;
use crate::net::listen::bind_tcp;

/// Obeys the first word of a request; sends any other request back.
struct Obedient {
    ends: UnboundedSender<StreamEnd>,
    faults: Mutex<Vec<String>>,
    /// By which streams are told that they are prepared.
    prepared: Mutex<Vec<oneshot::Sender<()>>>,
    /// Replies that the test makes.
    promised: Mutex<Vec<ReplyTo>>,
}

impl Service for Obedient {
    fn serve(&self, request: &[u8], client: &Client, out: &mut Vec<u8>) -> Served {
        out.extend_from_slice(request);
        match request {
            b"close" => Served::Close,
            b"quiet" => Served::Nothing,
            b"panic" => panic!("asked to"),
            b"keep" => {
                client.keep_alive();
                Served::Reply
            }
            b"count" => Served::Stream(self.stream(COUNT as u32, Pull::Done)),
            b"break" => Served::Stream(self.stream(3, Pull::Abort)),
            b"prepare" => {
                let (prepared, preparing) = oneshot::channel();
                self.prepared.lock().unwrap().push(prepared);
                let counting = Counting { preparing: Some(preparing), ..*self.stream(1, Pull::Done) };
                Served::Stream(Box::new(counting))
            }
            b"promise" => {
                let (reply_to, awaited) = ReplyTo::connection();
                self.promised.lock().unwrap().push(reply_to);
                Served::Later(awaited)
            }
            b"endless" => Served::Stream(self.stream(u32::MAX, Pull::Done)),
            _ => Served::Reply,
        }
    }

    fn fault(&self, fault: Fault<'_>) {
        self.faults.lock().unwrap().push(format!("{fault:?}"));
    }
}

impl Obedient {
    fn stream(&self, count: u32, at_end: Pull) -> Box<Counting> {
        Box::new(Counting { preparing: None, next: 0, count, at_end, ends: self.ends.clone() })
    }
}

/// Messages of a stream: more than the kernel takes at once.
const COUNT: usize = 10_000;

/// A stream of messages of 1000 bytes, each beginning with its number.
struct Counting {
    preparing: Option<oneshot::Receiver<()>>,
    next: u32,
    count: u32,
    at_end: Pull,
    ends: UnboundedSender<StreamEnd>,
}

impl MessageStream for Counting {
    fn poll_ready(&mut self, context: &mut Context<'_>) -> Poll<()> {
        self.preparing.as_mut().map_or(Poll::Ready(()), |preparing| Pin::new(preparing).poll(context).map(drop))
    }

    fn next(&mut self, out: &mut Vec<u8>) -> Pull {
        frame(out, |out| {
            out.extend_from_slice(&self.next.to_be_bytes());
            out.resize(out.len() + 996, 0);
        });
        self.next += 1;
        if self.next < self.count { Pull::More } else { self.at_end }
    }

    fn limits(&self) -> StreamLimits {
        StreamLimits { idle: Duration::from_secs(7), total: Duration::from_secs(100) }
    }

    fn ended(self: Box<Self>, end: StreamEnd) {
        self.ends.send(end).unwrap();
    }
}

struct Setting {
    listening: Listening,
    service: Arc<Obedient>,
    limits: Arc<Limits>,
    ends: UnboundedReceiver<StreamEnd>,
}

fn start(clients: usize) -> Setting {
    start_at(Ipv4Addr::LOCALHOST, clients)
}

fn start_at(address: Ipv4Addr, clients: usize) -> Setting {
    let seconds = Duration::from_secs;
    let timeouts = Timeouts { initial: seconds(10), idle: seconds(20), keepalive: seconds(40) };
    let (sender, ends) = unbounded_channel();
    let service = Arc::new(Obedient {
        ends: sender,
        faults: Mutex::default(),
        prepared: Mutex::default(),
        promised: Mutex::default(),
    });
    let limits = Arc::new(Limits::new(timeouts, clients));
    let listener = bind_tcp((address, 0).into(), 10).unwrap();
    let (local, runtime) = (listener.local_addr().unwrap(), Handle::current());
    let stack = Stack::plain(Arc::clone(&limits));
    let listening = Listening::start(local, [(&runtime, listener)], &service, stack).unwrap();
    Setting { listening, service, limits, ends }
}

async fn connect(setting: &Setting) -> TcpStream {
    TcpStream::connect(setting.listening.local()).await.unwrap()
}

fn framed(messages: &[&[u8]]) -> Vec<u8> {
    let mut out = Vec::new();
    messages.iter().for_each(|message| frame(&mut out, |out| out.extend_from_slice(message)));
    out
}

async fn read_message(client: &mut TcpStream) -> Vec<u8> {
    let mut message = vec![0; client.read_u16().await.unwrap().into()];
    client.read_exact(&mut message).await.unwrap();
    message
}

async fn ask(client: &mut TcpStream, request: &[u8]) -> Vec<u8> {
    client.write_all(&framed(&[request])).await.unwrap();
    read_message(client).await
}

async fn is_closed(client: &mut TcpStream) -> bool {
    !matches!(client.read(&mut [0; 16]).await, Ok(1..))
}

#[tokio::test]
async fn queries_of_one_write_are_answered_by_one_write() {
    let setting = start(10);
    let mut client = connect(&setting).await;
    let queries = framed(&[b"q0", b"q1", b"q2", b"q3", b"q4", b"q5", b"q6", b"q7", b"q8", b"q9"]);
    client.write_all(&queries).await.unwrap();
    let mut answers = [0; 1000];
    let length = client.read(&mut answers).await.unwrap();
    assert_eq!(answers[..length], queries);
}

#[tokio::test]
async fn a_query_may_come_in_pieces() {
    let setting = start(10);
    let mut client = connect(&setting).await;
    client.set_nodelay(true).unwrap();
    // Each piece is certain to be read alone: the answer to the query before it has come.
    for piece in [1, 2, 4] {
        let queries = framed(&[b"whole", b"in pieces"]);
        let (head, tail) = queries.split_at(7 + piece);
        client.write_all(head).await.unwrap();
        assert_eq!(read_message(&mut client).await, b"whole");
        client.write_all(tail).await.unwrap();
        assert_eq!(read_message(&mut client).await, b"in pieces");
    }
}

#[tokio::test]
async fn the_largest_message_passes_both_ways() {
    let setting = start(10);
    let mut client = connect(&setting).await;
    let largest: Vec<u8> = (0..65535_u32).map(|number| number as u8).collect();
    assert_eq!(ask(&mut client, &largest).await, largest);
    assert_eq!(ask(&mut client, b"small").await, b"small");
}

#[tokio::test]
async fn a_request_without_reply_leaves_nothing_behind() {
    let setting = start(10);
    let mut client = connect(&setting).await;
    client.write_all(&framed(&[b"quiet", b"loud"])).await.unwrap();
    assert_eq!(read_message(&mut client).await, b"loud");
}

#[tokio::test]
async fn replies_that_come_later_hold_nothing_up_and_come_in_any_order() {
    let setting = start(10);
    let mut client = connect(&setting).await;
    client.write_all(&framed(&[b"promise", b"promise", b"promise", b"now"])).await.unwrap();
    assert_eq!(read_message(&mut client).await, b"now");
    let promised = std::mem::take(&mut *setting.service.promised.lock().unwrap());
    let [first, second, third] = <[ReplyTo; 3]>::try_from(promised).unwrap();
    third.send(b"third".to_vec());
    assert_eq!(read_message(&mut client).await, b"third");
    drop(second);
    assert_eq!(ask(&mut client, b"meanwhile").await, b"meanwhile");
    first.send(b"first".to_vec());
    assert_eq!(read_message(&mut client).await, b"first");
    tokio::time::pause();
    let begin = Instant::now();
    assert!(is_closed(&mut client).await);
    assert_eq!(begin.elapsed().as_secs_f64().round(), 20.0);
}

#[tokio::test]
async fn replies_before_a_close_are_sent() {
    let setting = start(10);
    let mut client = connect(&setting).await;
    client.write_all(&framed(&[b"first", b"close", b"never"])).await.unwrap();
    assert_eq!(read_message(&mut client).await, b"first");
    assert!(is_closed(&mut client).await);
}

#[tokio::test]
async fn a_panic_ends_its_connection_only() {
    let setting = start(10);
    let (mut unlucky, mut other) = (connect(&setting).await, connect(&setting).await);
    unlucky.write_all(&framed(&[b"panic"])).await.unwrap();
    assert!(is_closed(&mut unlucky).await);
    assert_eq!(ask(&mut other, b"alive").await, b"alive");
    let faults = setting.service.faults.lock().unwrap();
    assert!(faults.len() == 1 && faults[0].starts_with("Panic"), "{faults:?}");
}

#[tokio::test(start_paused = true)]
async fn a_client_that_says_nothing_is_left_after_the_initial_timeout() {
    let setting = start(10);
    let begin = Instant::now();
    let mut client = connect(&setting).await;
    client.write_all(&[0, 20, 1]).await.unwrap();
    assert!(is_closed(&mut client).await);
    assert_eq!(begin.elapsed().as_secs(), 10);
}

/// A clock that stands still goes on whenever all wait, also for what is on its way: it is stopped where nothing is.
#[tokio::test]
async fn a_connection_is_kept_for_the_idle_or_the_keepalive_timeout() {
    for (query, timeout_s) in [(&b"hello"[..], 20.0), (b"keep", 40.0)] {
        let setting = start(10);
        let mut client = connect(&setting).await;
        assert_eq!(ask(&mut client, query).await, query);
        tokio::time::pause();
        let begin = Instant::now();
        assert!(is_closed(&mut client).await);
        assert_eq!(begin.elapsed().as_secs_f64().round(), timeout_s);
        tokio::time::resume();
    }
}

#[tokio::test]
async fn at_the_quota_a_client_waits_until_another_leaves() {
    let setting = start(1);
    let mut first = connect(&setting).await;
    assert_eq!(ask(&mut first, b"one").await, b"one");
    let mut second = connect(&setting).await;
    second.write_all(&framed(&[b"two"])).await.unwrap();
    assert_eq!(ask(&mut first, b"more").await, b"more");
    assert!(second.try_read(&mut [0; 16]).is_err());
    assert_eq!(setting.limits.quota.used(), 1);
    drop(first);
    assert_eq!(read_message(&mut second).await, b"two");
    assert_eq!(setting.limits.quota.high_water(), 1);
}

#[tokio::test]
async fn at_the_quota_the_connection_that_is_idle_longest_makes_room() {
    let setting = start(2);
    let mut silent = connect(&setting).await;
    silent.write_all(b"\x00\x20half of a message").await.unwrap();
    tokio::time::sleep(Duration::from_millis(500)).await;
    let mut served = connect(&setting).await;
    assert_eq!(ask(&mut served, b"one").await, b"one");
    let mut late = connect(&setting).await;
    assert_eq!(ask(&mut late, b"two").await, b"two");
    assert_eq!(silent.read(&mut [0; 16]).await.unwrap_or(0), 0);
    assert_eq!(ask(&mut served, b"three").await, b"three");
    let faults = setting.service.faults.lock().unwrap();
    assert!(faults.len() == 1 && faults[0].starts_with("Quota"), "{faults:?}");
}

#[tokio::test]
async fn a_connection_that_is_being_served_makes_no_room() {
    let setting = start(1);
    let mut busy = connect(&setting).await;
    busy.write_all(&framed(&[b"endless"])).await.unwrap();
    assert_eq!(read_message(&mut busy).await.len(), 1000);
    let mut late = connect(&setting).await;
    late.write_all(&framed(&[b"me"])).await.unwrap();
    tokio::time::sleep(idle::GRACE + Duration::from_millis(300)).await;
    assert!(late.try_read(&mut [0; 16]).is_err());
    drop(busy);
    assert_eq!(read_message(&mut late).await, b"me");
}

#[tokio::test]
async fn a_raised_quota_admits_those_who_wait() {
    let setting = start(0);
    let mut client = connect(&setting).await;
    client.write_all(&framed(&[b"me"])).await.unwrap();
    setting.limits.quota.set_limit(1);
    assert_eq!(read_message(&mut client).await, b"me");
}

/// The numbers of messages of streams, and the other messages with their place, up to the end of so many streams.
async fn read_streams(client: &mut TcpStream, streams: usize) -> (Vec<usize>, Vec<(usize, Vec<u8>)>) {
    let (mut numbers, mut others, mut ends) = (vec![], vec![], 0);
    while ends < streams {
        let message = read_message(client).await;
        match message.first_chunk() {
            Some(number) if message.len() == 1000 => {
                numbers.push(u32::from_be_bytes(*number) as usize);
                ends += usize::from(numbers.last() == Some(&(COUNT - 1)));
            }
            _ => others.push((numbers.len(), message)),
        }
    }
    (numbers, others)
}

#[tokio::test]
async fn a_query_behind_a_stream_is_answered_before_its_end() {
    let mut setting = start(10);
    let mut client = connect(&setting).await;
    client.write_all(&framed(&[b"before", b"count"])).await.unwrap();
    assert_eq!(read_message(&mut client).await, b"before");
    assert_eq!(read_message(&mut client).await.len(), 1000);
    client.write_all(&framed(&[b"after"])).await.unwrap();
    let (numbers, others) = read_streams(&mut client, 1).await;
    assert!(numbers.into_iter().eq(1..COUNT), "a message is missing");
    assert!(others.len() == 1 && others[0].1 == b"after", "{others:?}");
    assert_eq!(setting.ends.recv().await, Some(StreamEnd::Sent));
    assert_eq!(ask(&mut client, b"later").await, b"later");
}

#[tokio::test]
async fn streams_of_one_connection_take_turns() {
    let mut setting = start(10);
    let mut client = connect(&setting).await;
    client.write_all(&framed(&[b"count", b"count"])).await.unwrap();
    let (numbers, _) = read_streams(&mut client, 2).await;
    assert_eq!(numbers.len(), COUNT * 2);
    let first_end = numbers.iter().position(|number| *number == COUNT - 1).unwrap();
    assert!(first_end > COUNT * 3 / 2, "the second began after message {first_end}");
    assert_eq!(setting.ends.recv().await, Some(StreamEnd::Sent));
    assert_eq!(setting.ends.recv().await, Some(StreamEnd::Sent));
}

#[tokio::test]
async fn a_stream_that_is_being_prepared_holds_up_nothing() {
    let mut setting = start(10);
    let mut client = connect(&setting).await;
    client.write_all(&framed(&[b"prepare", b"behind"])).await.unwrap();
    assert_eq!(read_message(&mut client).await, b"behind");
    assert_eq!(ask(&mut client, b"later").await, b"later");
    client.write_all(&framed(&[b"count"])).await.unwrap();
    let (numbers, _) = read_streams(&mut client, 1).await;
    assert_eq!(numbers.len(), COUNT);
    assert_eq!(setting.ends.recv().await, Some(StreamEnd::Sent));
    client.shutdown().await.unwrap();
    setting.service.prepared.lock().unwrap().pop().unwrap().send(()).unwrap();
    assert_eq!(read_message(&mut client).await.len(), 1000);
    assert_eq!(setting.ends.recv().await, Some(StreamEnd::Sent));
    assert!(is_closed(&mut client).await);
}

#[tokio::test]
async fn a_client_that_will_ask_no_more_gets_its_stream() {
    let mut setting = start(10);
    let mut client = connect(&setting).await;
    client.write_all(&framed(&[b"count"])).await.unwrap();
    client.shutdown().await.unwrap();
    let (numbers, _) = read_streams(&mut client, 1).await;
    assert_eq!(numbers.len(), COUNT);
    assert_eq!(setting.ends.recv().await, Some(StreamEnd::Sent));
    assert!(is_closed(&mut client).await);
}

#[tokio::test]
async fn so_many_streams_are_under_way_and_the_rest_wait() {
    let setting = start(10);
    let mut client = connect(&setting).await;
    let mut requests = vec![&b"count"[..]; 30];
    requests.push(b"last");
    client.write_all(&framed(&requests)).await.unwrap();
    let (numbers, others) = read_streams(&mut client, 30).await;
    assert_eq!(numbers.len(), 30 * COUNT);
    let ended = numbers[..others[0].0].iter().filter(|number| **number == COUNT - 1).count();
    assert!(ended >= 8, "answered after {ended} streams");
}

#[tokio::test]
async fn a_stream_that_aborts_closes_the_connection() {
    let mut setting = start(10);
    let mut client = connect(&setting).await;
    client.write_all(&framed(&[b"break"])).await.unwrap();
    let mut all = Vec::new();
    let _ = client.read_to_end(&mut all).await;
    assert_eq!(all.len(), 2 * 1002);
    assert_eq!(setting.ends.recv().await, Some(StreamEnd::Aborted));
}

#[tokio::test]
async fn a_client_that_does_not_read_stops_its_stream_and_then_loses_it() {
    let mut setting = start(10);
    let mut client = connect(&setting).await;
    client.write_all(&framed(&[b"endless"])).await.unwrap();
    client.readable().await.unwrap();
    tokio::time::pause();
    let begin = Instant::now();
    assert_eq!(setting.ends.recv().await, Some(StreamEnd::Idle));
    assert_eq!(begin.elapsed().as_secs_f64().round(), 7.0);
}

#[tokio::test]
async fn a_client_that_goes_away_ends_its_stream() {
    let mut setting = start(10);
    let mut client = connect(&setting).await;
    client.write_all(&framed(&[b"endless"])).await.unwrap();
    read_message(&mut client).await;
    drop(client);
    assert_eq!(setting.ends.recv().await, Some(StreamEnd::Disconnected));
}

#[tokio::test]
async fn stopping_closes_connections_and_frees_the_address() {
    // No other test takes the port of this address meanwhile.
    let setting = start_at(Ipv4Addr::new(127, 0, 9, 5), 10);
    let mut client = connect(&setting).await;
    assert_eq!(ask(&mut client, b"here").await, b"here");
    let local = setting.listening.local();
    setting.listening.stop().await;
    assert!(is_closed(&mut client).await);
    bind_tcp(local, 10).unwrap();
    assert_eq!(setting.limits.quota.used(), 0);
}

#[tokio::test]
async fn an_idle_connection_takes_little_memory() {
    let setting = start(10);
    let stack = Arc::new(Stack::plain(Arc::clone(&setting.limits)));
    let (local, service) = (setting.listening.local(), Arc::clone(&setting.service));
    let server = Server { local, service, stack: Arc::new(ArcSwap::new(Arc::clone(&stack))) };
    let permit = Quota::try_acquire(&setting.limits).unwrap();
    let size = size_of_val(&Visit::new(local, &server, stack, permit).speak_dns(connect(&setting).await));
    assert!(size <= 1500, "{size} bytes beside its buffers");
}

#[test]
fn a_message_that_no_length_can_say_is_taken_back() {
    let mut out = vec![1];
    frame(&mut out, |out| out.resize(out.len() + 65536, 0));
    frame(&mut out, |_| ());
    assert_eq!(out, [1]);
}
