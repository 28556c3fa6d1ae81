//! UDP and TCP at one address, behind which a test answers by hand.

use std::net::{SocketAddr, TcpListener, TcpStream, UdpSocket};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread;
use std::time::Duration;

/// Who answers.
pub trait Host: Send + Sync + 'static {
    /// What goes back to a datagram; none: silence.
    fn datagram(&self, bytes: &[u8], from: SocketAddr) -> Option<Vec<u8>>;

    /// Has a connection to itself, in a thread of its own; what it gives only ends that, early or not.
    fn connection(&self, stream: TcpStream) -> Option<()>;
}

/// Open until the handle goes away.
pub struct Doors {
    pub address: SocketAddr,
    is_over: Arc<AtomicBool>,
}

impl Doors {
    pub fn open(address: SocketAddr, host: &Arc<impl Host>) -> Self {
        let (tcp, udp) = (TcpListener::bind(address).unwrap(), UdpSocket::bind(address).unwrap());
        udp.set_read_timeout(Some(LOOK)).unwrap();
        let is_over = Arc::new(AtomicBool::new(false));
        let (by_udp, by_tcp) = ((Arc::clone(host), Arc::clone(&is_over)), (Arc::clone(host), Arc::clone(&is_over)));
        thread::spawn(move || answer(&*by_udp.0, &udp, &by_udp.1));
        thread::spawn(move || accept(&by_tcp.0, &tcp, &by_tcp.1));
        Self { address, is_over }
    }
}

impl Drop for Doors {
    fn drop(&mut self) {
        self.is_over.store(true, Ordering::Relaxed);
        // Wakes the thread that accepts.
        let _ = TcpStream::connect(self.address);
    }
}

fn answer(host: &impl Host, socket: &UdpSocket, is_over: &AtomicBool) {
    let mut bytes = [0; 4096];
    while !is_over.load(Ordering::Relaxed) {
        let Ok((length, from)) = socket.recv_from(&mut bytes) else { continue };
        if let Some(answer) = host.datagram(&bytes[..length], from) {
            let _ = socket.send_to(&answer, from);
        }
    }
}

fn accept(host: &Arc<impl Host>, listener: &TcpListener, is_over: &AtomicBool) {
    for stream in listener.incoming() {
        let host = Arc::clone(host);
        if is_over.load(Ordering::Relaxed) {
            return;
        }
        thread::spawn(move || host.connection(stream.ok()?));
    }
}

/// How often it is looked whether it is over.
const LOOK: Duration = Duration::from_millis(100);
