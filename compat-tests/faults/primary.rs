//! A primary that does what it is told: it answers SOA queries with a chosen serial and plays a script for each AXFR.
//!
//! Versions 1 and 3 of a zone are served as they should be; the script of a zone is played while version 2 is announced.
//! Everything is written by hand here, so that no code under test has a say in it.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use super::stream::{Request, Signer, soa, zone_messages};
use crate::peers::Key;

/// What is done with a connection, in order; afterwards it is closed.
#[derive(Debug, Clone)]
pub enum Step {
    /// These bytes go out.
    Send(Vec<u8>),
    /// Nothing happens until the primary behaves again.
    Stall,
}

/// What goes wrong with a zone while version 2 is announced.
#[derive(Debug, Clone, Copy)]
pub struct Script {
    /// The answer to a SOA query; none: the usual one.
    pub soa: Option<fn(&Request) -> Vec<u8>>,
    /// What is done with a request for the zone.
    pub transfer: fn(&Request, Option<Signer>) -> Vec<Step>,
}

/// The running primary.
pub struct Primary {
    pub port: u16,
    shared: Arc<Shared>,
}

struct Shared {
    serial: AtomicU32,
    is_over: AtomicBool,
    scripts: HashMap<String, Script>,
    key: Option<Key>,
}

/// The version during which the scripts are played.
pub const FAULTY: u32 = 2;

impl Primary {
    /// Starts with version 1 of every zone.
    pub fn start(scripts: HashMap<String, Script>, key: Option<Key>) -> Self {
        let (tcp, udp) = loop {
            let tcp = TcpListener::bind("127.0.0.1:0").unwrap();
            if let Ok(udp) = UdpSocket::bind(tcp.local_addr().unwrap()) {
                break (tcp, udp);
            }
        };
        let port = tcp.local_addr().unwrap().port();
        let shared = Arc::new(Shared { serial: AtomicU32::new(1), is_over: AtomicBool::new(false), scripts, key });
        udp.set_read_timeout(Some(Duration::from_millis(100))).unwrap();
        let (by_udp, by_tcp) = (Arc::clone(&shared), Arc::clone(&shared));
        thread::spawn(move || by_udp.serve_udp(&udp));
        thread::spawn(move || {
            for stream in tcp.incoming() {
                let shared = Arc::clone(&by_tcp);
                if shared.is_over.load(Ordering::Relaxed) {
                    return;
                }
                // A secondary that hangs up early is part of the game.
                thread::spawn(move || shared.serve_tcp(stream?));
            }
        });
        Self { port, shared }
    }

    /// Announces another version.
    pub fn announce(&self, serial: u32) {
        self.shared.serial.store(serial, Ordering::SeqCst);
    }
}

impl Drop for Primary {
    fn drop(&mut self) {
        self.shared.is_over.store(true, Ordering::SeqCst);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(("127.0.0.1", self.port));
    }
}

impl Shared {
    fn serve_udp(&self, socket: &UdpSocket) {
        let mut bytes = [0; 4096];
        while !self.is_over.load(Ordering::Relaxed) {
            let Ok((length, from)) = socket.recv_from(&mut bytes) else { continue };
            if let Some(request) = Request::read(&bytes[..length]) {
                let _ = socket.send_to(&self.answer(&request), from);
            }
        }
    }

    fn serve_tcp(&self, mut stream: TcpStream) -> std::io::Result<()> {
        loop {
            let mut length = [0; 2];
            stream.read_exact(&mut length)?;
            let mut bytes = vec![0; usize::from(u16::from_be_bytes(length))];
            stream.read_exact(&mut bytes)?;
            let Some(request) = Request::read(&bytes) else { return Ok(()) };
            if !request.is_transfer() {
                stream.write_all(&framed(&self.answer(&request)))?;
                continue;
            }
            for step in self.steps(&request) {
                match step {
                    Step::Send(bytes) => stream.write_all(&bytes)?,
                    Step::Stall => self.stall(),
                }
            }
            // All that was written arrives before the end does.
            stream.shutdown(Shutdown::Write)?;
            return stream.read_to_end(&mut vec![]).map(drop);
        }
    }

    fn stall(&self) {
        while self.serial.load(Ordering::SeqCst) == FAULTY && !self.is_over.load(Ordering::Relaxed) {
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn script(&self, request: &Request) -> Option<&Script> {
        self.scripts.get(&request.zone).filter(|_| self.serial.load(Ordering::SeqCst) == FAULTY)
    }

    fn signer(&self, request: &Request) -> Option<Signer> {
        self.key.as_ref().and_then(|key| Signer::new(key, request))
    }

    fn answer(&self, request: &Request) -> Vec<u8> {
        let answer = match self.script(request).and_then(|script| script.soa) {
            Some(make) => make(request),
            None => request.reply(&[soa(&request.zone, self.serial.load(Ordering::SeqCst))]),
        };
        self.signer(request).map_or(answer.clone(), |mut signer| signer.sign(&answer))
    }

    fn steps(&self, request: &Request) -> Vec<Step> {
        let signer = self.signer(request);
        match self.script(request) {
            Some(script) => (script.transfer)(request, signer),
            None => send(zone_messages(request, self.serial.load(Ordering::SeqCst)), signer),
        }
    }
}

/// Each message signed if there is a signer, and framed.
pub fn send(messages: Vec<Vec<u8>>, mut signer: Option<Signer>) -> Vec<Step> {
    let mut sign = |message: Vec<u8>| signer.as_mut().map_or(message.clone(), |signer| signer.sign(&message));
    messages.into_iter().map(|message| Step::Send(framed(&sign(message)))).collect()
}

/// A message behind its length.
pub fn framed(message: &[u8]) -> Vec<u8> {
    let length = u16::try_from(message.len()).unwrap();
    [&length.to_be_bytes(), message].concat()
}
