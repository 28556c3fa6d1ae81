//! A primary that does what it is told: it answers SOA queries with a chosen serial and plays a script for each AXFR.
//!
//! Versions 1 and 3 of a zone are served as they should be; the script of a zone is played while version 2 is announced.
//! Everything is written by hand here, so that no code under test has a say in it.

use std::collections::HashMap;
use std::io::{Read, Write};
use std::net::{Shutdown, SocketAddr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};
use std::thread;
use std::time::Duration;

use super::stream::{A, Request, Signer, message, record, soa, zone_messages};
use crate::packets::{framed, receive};
use crate::peers::doors::{Doors, Host};
use crate::peers::{Key, free_port};

/// What is done with a connection, in order; afterwards it is closed.
#[derive(Debug, Clone)]
pub enum Step {
    /// These bytes go out.
    Send(Vec<u8>),
    /// Nothing happens until the primary behaves again.
    Stall,
    /// Until then records of the zone in question come, one in a message, with a pause behind each.
    Endless(Request, Duration),
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
    _doors: Doors,
}

struct Shared {
    serial: AtomicU32,
    scripts: HashMap<String, Script>,
    key: Option<Key>,
}

/// The version during which the scripts are played.
pub const FAULTY: u32 = 2;

impl Primary {
    /// Starts with version 1 of every zone.
    pub fn start(scripts: HashMap<String, Script>, key: Option<Key>) -> Self {
        Self::start_at(free_port(), 1, scripts, key)
    }

    /// Starts with this version of every zone on a port that others have been told of already.
    pub fn start_at(port: u16, serial: u32, scripts: HashMap<String, Script>, key: Option<Key>) -> Self {
        let shared = Arc::new(Shared { serial: AtomicU32::new(serial), scripts, key });
        Self { port, _doors: Doors::open(([127, 0, 0, 1], port).into(), &shared), shared }
    }

    /// Announces another version.
    pub fn announce(&self, serial: u32) {
        self.shared.serial.store(serial, Ordering::SeqCst);
    }
}

impl Drop for Primary {
    fn drop(&mut self) {
        // What stalls goes on, and ends.
        self.announce(0);
    }
}

impl Host for Shared {
    fn datagram(&self, bytes: &[u8], _from: SocketAddr) -> Option<Vec<u8>> {
        Request::read(bytes).map(|request| self.answer(&request))
    }

    fn connection(&self, mut stream: TcpStream) -> Option<()> {
        loop {
            let request = Request::read(&receive(&mut stream)?)?;
            if !request.is_transfer() {
                stream.write_all(&framed(&self.answer(&request))).ok()?;
                continue;
            }
            for step in self.steps(&request) {
                match step {
                    Step::Send(bytes) => stream.write_all(&bytes).ok()?,
                    Step::Stall => self.stall(),
                    Step::Endless(request, pause) => self.go_on(&request, pause, &mut stream)?,
                }
            }
            // All that was written arrives before the end does.
            stream.shutdown(Shutdown::Write).ok()?;
            return stream.read_to_end(&mut vec![]).ok().map(drop);
        }
    }
}

impl Shared {
    fn is_faulty(&self) -> bool {
        self.serial.load(Ordering::SeqCst) == FAULTY
    }

    fn stall(&self) {
        while self.is_faulty() {
            thread::sleep(Duration::from_millis(20));
        }
    }

    fn go_on(&self, request: &Request, pause: Duration, stream: &mut TcpStream) -> Option<()> {
        for number in (0..).take_while(|_| self.is_faulty()) {
            let record = record(&format!("h{number}.{}", request.zone), A, &[192, 0, 2, 1]);
            stream.write_all(&framed(&message(request.id, 0x8400, &[], &[record]))).ok()?;
            thread::sleep(pause);
        }
        Some(())
    }

    fn script(&self, request: &Request) -> Option<&Script> {
        self.scripts.get(&request.zone).filter(|_| self.is_faulty())
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
