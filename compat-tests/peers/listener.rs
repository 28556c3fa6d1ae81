//! A peer that takes down what it is asked, message by message, and answers as it is told.

use std::io::Write;
use std::net::{IpAddr, SocketAddr, TcpStream};
use std::sync::atomic::{AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Instant;

use super::doors::{Doors, Host};
use crate::faults::stream::{Request, soa, zone_messages};
use crate::packets::{framed, receive};

/// A message as it came.
#[derive(Debug, Clone)]
pub struct Heard {
    pub is_tcp: bool,
    pub from: SocketAddr,
    pub bytes: Vec<u8>,
    pub request: Request,
    /// When it came.
    pub at: Instant,
}

impl Heard {
    pub fn is_notify(&self) -> bool {
        self.bytes[2] >> 3 & 15 == 4
    }

    /// SOA, IXFR, AXFR or NOTIFY.
    pub fn kind(&self) -> &'static str {
        match self.request.rtype {
            _ if self.is_notify() => "NOTIFY",
            251 => "IXFR",
            252 => "AXFR",
            _ => "SOA",
        }
    }
}

/// What is answered: messages, over UDP the first of them; none: silence, and the end of a connection.
type Answers = dyn Fn(&Heard) -> Vec<Vec<u8>> + Send + Sync;

/// The running peer.
pub struct Listener {
    pub address: SocketAddr,
    shared: Arc<Shared>,
    _doors: Doors,
}

struct Shared {
    heard: Mutex<Vec<Heard>>,
    answers: Box<Answers>,
}

impl Listener {
    pub fn start(address: SocketAddr, answers: impl Fn(&Heard) -> Vec<Vec<u8>> + Send + Sync + 'static) -> Self {
        let shared = Arc::new(Shared { heard: Mutex::new(vec![]), answers: Box::new(answers) });
        Self { address, _doors: Doors::open(address, &shared), shared }
    }

    /// A primary of any zone at this serial.
    pub fn primary(address: IpAddr, serial: &Arc<AtomicU32>) -> Self {
        let serial = Arc::clone(serial);
        Self::start((address, super::free_port()).into(), move |heard| honest(heard, serial.load(Ordering::SeqCst)))
    }

    /// All messages so far.
    pub fn heard(&self) -> Vec<Heard> {
        self.shared.heard.lock().unwrap().clone()
    }
}

impl Host for Shared {
    fn datagram(&self, bytes: &[u8], from: SocketAddr) -> Option<Vec<u8>> {
        self.answers(bytes, from, false).into_iter().next()
    }

    fn connection(&self, mut stream: TcpStream) -> Option<()> {
        let from = stream.peer_addr().ok()?;
        loop {
            let bytes = receive(&mut stream)?;
            let answers = self.answers(&bytes, from, true);
            if answers.is_empty() {
                return None;
            }
            for answer in answers {
                stream.write_all(&framed(&answer)).ok()?;
            }
        }
    }
}

impl Shared {
    fn answers(&self, bytes: &[u8], from: SocketAddr, is_tcp: bool) -> Vec<Vec<u8>> {
        let Some(request) = Request::read(bytes) else { return vec![] };
        let heard = Heard { is_tcp, from, bytes: bytes.to_vec(), request, at: Instant::now() };
        self.heard.lock().unwrap().push(heard.clone());
        (self.answers)(&heard)
    }
}

/// What a sound primary with this version says. A NOTIFY it takes note of.
pub fn honest(heard: &Heard, serial: u32) -> Vec<Vec<u8>> {
    let request = &heard.request;
    match heard.kind() {
        "NOTIFY" => {
            let mut reply = request.reply(&[]);
            reply[2] = 0xa4;
            vec![reply]
        }
        "SOA" => vec![request.reply(&[soa(&request.zone, serial)])],
        _ => zone_messages(request, serial),
    }
}
