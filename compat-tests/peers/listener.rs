//! A peer that takes down what it is asked, message by message, and answers as it is told.

use std::io::Write;
use std::net::{IpAddr, SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::sync::{Arc, Mutex};
use std::thread;
use std::time::Duration;

use crate::faults::stream::{Request, soa, zone_messages};
use crate::packets::{framed, receive};

/// A message as it came.
#[derive(Debug, Clone)]
pub struct Heard {
    pub is_tcp: bool,
    pub from: SocketAddr,
    pub bytes: Vec<u8>,
    pub request: Request,
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
}

struct Shared {
    heard: Mutex<Vec<Heard>>,
    is_over: AtomicBool,
    answers: Box<Answers>,
}

impl Listener {
    pub fn start(address: SocketAddr, answers: impl Fn(&Heard) -> Vec<Vec<u8>> + Send + Sync + 'static) -> Self {
        let (tcp, udp) = (TcpListener::bind(address).unwrap(), UdpSocket::bind(address).unwrap());
        let (heard, is_over) = (Mutex::new(vec![]), AtomicBool::new(false));
        let shared = Arc::new(Shared { heard, is_over, answers: Box::new(answers) });
        udp.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let (by_udp, by_tcp) = (Arc::clone(&shared), Arc::clone(&shared));
        thread::spawn(move || by_udp.serve_udp(&udp));
        thread::spawn(move || {
            for stream in tcp.incoming() {
                let shared = Arc::clone(&by_tcp);
                if shared.is_over.load(Ordering::Relaxed) {
                    return;
                }
                thread::spawn(move || shared.serve_tcp(stream.ok()?));
            }
        });
        Self { address, shared }
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

impl Drop for Listener {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

impl Shared {
    fn serve_udp(&self, socket: &UdpSocket) {
        let mut bytes = [0; 4096];
        while !self.is_over.load(Ordering::Relaxed) {
            let Ok((length, from)) = socket.recv_from(&mut bytes) else { continue };
            for answer in self.answers(&bytes[..length], from, false).into_iter().take(1) {
                let _ = socket.send_to(&answer, from);
            }
        }
    }

    fn serve_tcp(&self, mut stream: TcpStream) -> Option<()> {
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

    fn answers(&self, bytes: &[u8], from: SocketAddr, is_tcp: bool) -> Vec<Vec<u8>> {
        let Some(request) = Request::read(bytes) else { return vec![] };
        let heard = Heard { is_tcp, from, bytes: bytes.to_vec(), request };
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
