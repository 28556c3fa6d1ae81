//! UDP workers: threads that receive a batch of requests, have it answered, and send the replies.
//!
//! Each worker owns one socket for each listening address; the sockets of one address form an `SO_REUSEPORT` group,
//! over which the kernel spreads the clients. In: sockets from [`crate::net::listen`], and commands. Out: replies.
//! Nothing is allocated, locked or asked of the kernel for a single packet, and no async runtime takes part.

mod batch;
#[cfg(test)]
mod tests;

pub use batch::{BATCH_SIZE, Batch, REPLY_SIZE, Replies, Requests};

use std::collections::BTreeMap;
use std::io::{self, ErrorKind};
use std::net::{SocketAddr, UdpSocket};
use std::os::fd::AsFd;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::sync::Arc;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::thread::{self, JoinHandle};

use nix::sys::epoll::{Epoll, EpollCreateFlags, EpollEvent, EpollFlags, EpollTimeout};
use nix::sys::eventfd::{EfdFlags, EventFd};

/// What a worker calls to answer requests. Each worker has its own, so that it can keep state without locks.
pub trait Responder: Send + 'static {
    /// Answers the requests of a batch; a request without a reply set is not answered.
    fn respond(&mut self, batch: &mut Batch);

    /// Learns of a fault, to count and log it. The worker goes on after it.
    fn fault(&mut self, fault: Fault<'_>);
}

/// What can go wrong in a worker.
#[derive(Debug)]
pub enum Fault<'a> {
    /// [`Responder::respond`] panicked at these requests; none of them is answered.
    Panic(&'a Requests),
    /// The kernel refused so many replies of one batch.
    Unsent(usize),
    /// A socket failed to receive; nothing is lost but what it told.
    Receive(SocketAddr, io::Error),
    /// A socket could not be waited on, or the wait itself failed.
    Wait(io::Error),
}

/// A running worker. Dropping it stops the thread and waits for its end.
#[derive(Debug)]
pub struct Worker {
    commands: Sender<Command>,
    wake: Arc<EventFd>,
    thread: Option<JoinHandle<()>>,
}

impl Worker {
    /// Starts a worker thread of that name, with no socket yet.
    ///
    /// # Errors
    /// The kernel gives no epoll, eventfd or thread.
    pub fn start(name: &str, responder: impl Responder) -> io::Result<Self> {
        let wake = Arc::new(EventFd::from_flags(EfdFlags::EFD_CLOEXEC | EfdFlags::EFD_NONBLOCK)?);
        let epoll = Epoll::new(EpollCreateFlags::EPOLL_CLOEXEC)?;
        epoll.add(wake.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, WAKE))?;
        let (commands, inbox) = channel();
        let state =
            State { epoll, wake: Arc::clone(&wake), inbox, endpoints: BTreeMap::new(), next: WAKE + 1, responder };
        let thread = thread::Builder::new().name(name.to_owned()).spawn(move || state.run())?;
        Ok(Self { commands, wake, thread: Some(thread) })
    }

    /// Serves one more socket, bound to `local`.
    pub fn add(&self, local: SocketAddr, socket: UdpSocket, framing: Framing) {
        self.tell(Command::Add(Endpoint { local, socket: Arc::new(socket), framing }));
    }

    /// Answers what the socket bound to `local` has received, and closes it.
    pub fn remove(&self, local: SocketAddr) {
        self.tell(Command::Remove(local));
    }

    fn tell(&self, command: Command) {
        // Either fails only if the thread has ended, and then there is nobody to tell.
        let _ = self.commands.send(command);
        let _ = self.wake.write(1);
    }
}

impl Drop for Worker {
    fn drop(&mut self) {
        self.tell(Command::Stop);
        if let Some(thread) = self.thread.take() {
            let _ = thread.join();
        }
    }
}

#[derive(Debug)]
enum Command {
    Add(Endpoint),
    Remove(SocketAddr),
    Stop,
}

#[derive(Debug)]
struct Endpoint {
    local: SocketAddr,
    socket: Arc<UdpSocket>,
    framing: Framing,
}

/// What a datagram holds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Framing {
    /// A request.
    Bare,
    /// A request behind the header of a proxy.
    Proxied,
}

/// What the worker's thread owns.
struct State<R> {
    epoll: Epoll,
    wake: Arc<EventFd>,
    inbox: Receiver<Command>,
    /// By the number under which epoll knows them.
    endpoints: BTreeMap<u64, Endpoint>,
    next: u64,
    responder: R,
}

impl<R: Responder> State<R> {
    fn run(mut self) {
        let mut batch = Batch::new();
        let mut events = [EpollEvent::empty(); EVENTS_MAX];
        loop {
            let ready = match self.epoll.wait(&mut events, EpollTimeout::NONE) {
                Ok(ready) => ready,
                Err(nix::Error::EINTR) => continue,
                Err(error) => return self.responder.fault(Fault::Wait(error.into())),
            };
            for event in events.iter().take(ready) {
                if event.data() == WAKE {
                    if self.obey(&mut batch) == Flow::Stop {
                        return;
                    }
                } else if let Some(endpoint) = self.endpoints.get(&event.data()) {
                    serve(endpoint, &mut batch, &mut self.responder);
                }
            }
        }
    }

    /// Carries out the commands that have come.
    fn obey(&mut self, batch: &mut Batch) -> Flow {
        let _ = self.wake.read();
        while let Ok(command) = self.inbox.try_recv() {
            match command {
                Command::Add(endpoint) => self.add(endpoint),
                Command::Remove(local) => self.remove(local, batch),
                Command::Stop => {
                    self.endpoints.values().for_each(|endpoint| serve(endpoint, batch, &mut self.responder));
                    return Flow::Stop;
                }
            }
        }
        Flow::Go
    }

    fn add(&mut self, endpoint: Endpoint) {
        match self.epoll.add(endpoint.socket.as_fd(), EpollEvent::new(EpollFlags::EPOLLIN, self.next)) {
            Ok(()) => {
                self.endpoints.insert(self.next, endpoint);
                self.next += 1;
            }
            Err(error) => self.responder.fault(Fault::Wait(error.into())),
        }
    }

    fn remove(&mut self, local: SocketAddr, batch: &mut Batch) {
        let at_address = self.endpoints.iter().filter(|(_, endpoint)| endpoint.local == local);
        for id in at_address.map(|(id, _)| *id).collect::<Vec<_>>() {
            let Some(endpoint) = self.endpoints.remove(&id) else { continue };
            serve(&endpoint, batch, &mut self.responder);
            let _ = self.epoll.delete(endpoint.socket.as_fd());
        }
    }
}

#[derive(PartialEq, Eq)]
enum Flow {
    Go,
    Stop,
}

/// Answers what a socket has received. Goes on without asking epoll while batches are worth it, but not for ever: other
/// sockets and commands wait.
fn serve(endpoint: &Endpoint, batch: &mut Batch, responder: &mut impl Responder) {
    for _ in 0..ROUNDS_MAX {
        match batch.receive(&endpoint.socket, endpoint.local, endpoint.framing) {
            Ok(()) => {}
            Err(error) if matches!(error.kind(), ErrorKind::WouldBlock | ErrorKind::Interrupted) => return,
            Err(error) => return responder.fault(Fault::Receive(endpoint.local, error)),
        }
        if catch_unwind(AssertUnwindSafe(|| responder.respond(batch))).is_err() {
            responder.fault(Fault::Panic(batch.requests()));
            continue;
        }
        let unsent = batch.send(&endpoint.socket);
        if unsent > 0 {
            responder.fault(Fault::Unsent(unsent));
        }
        if batch.requests().len() < BUSY_SIZE {
            return;
        }
    }
}

/// The number under which epoll knows the eventfd that announces commands.
const WAKE: u64 = 0;

/// Sockets that one wait can report; others are reported by the next.
const EVENTS_MAX: usize = 64;

/// Batches taken from one socket before the others get their turn.
const ROUNDS_MAX: usize = 16;

/// A batch of at least this many requests says that more are coming: receiving again is then cheaper than waiting.
const BUSY_SIZE: usize = 4;
