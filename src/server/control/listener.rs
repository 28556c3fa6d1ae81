//! The server's side of the control channel on TCP.
//!
//! A connection says who it is (address, then MAC), is given a nonce, runs one command and is closed. What does not
//! pass is logged in named's words and closed without an answer. Settings may change under a listener; connections
//! that are open keep those they began with.

use std::io;
use std::net::SocketAddr;
use std::sync::{Arc, Mutex, PoisonError};
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use arc_swap::ArcSwap;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::Semaphore;
use tokio::time::timeout;

use super::auth::{Refusal, Replays, Session, Step, random_nonce};
use super::command::{self, Action, Commands, Reply};
use super::wire::{FrameError, MAX_REQUEST_BYTES};
use crate::dns::Key;
use crate::server::logging::{Category, Severity, log};

/// How long a connection may take to come up with each of its messages.
const READ_TIMEOUT: Duration = Duration::from_secs(60);
/// How many connections are served at a time; more wait in the kernel's queue.
const MAX_CONNECTIONS: usize = 100;

/// Whom a listener serves.
#[derive(Clone)]
pub struct Settings {
    /// Keys, each of which may sign.
    pub keys: Vec<Arc<Key>>,
    /// Only commands that change nothing.
    pub read_only: bool,
    /// Whether an address may connect.
    pub allow: Arc<dyn Fn(SocketAddr) -> bool + Send + Sync>,
}

/// Listens and serves until the future is dropped. `socket` is bound already, so that faults show at start.
pub async fn serve<C: Commands>(socket: TcpListener, settings: Arc<ArcSwap<Settings>>, commands: Arc<C>) {
    let replays = Arc::new(Mutex::new(Replays::default()));
    let permits = Arc::new(Semaphore::new(MAX_CONNECTIONS));
    loop {
        let Ok(permit) = Arc::clone(&permits).acquire_owned().await else { return };
        let (stream, peer) = match socket.accept().await {
            Ok(accepted) => accepted,
            Err(error) => {
                pause_after(&error).await;
                continue;
            }
        };
        let settings = settings.load_full();
        if !(settings.allow)(peer) {
            log!(Category::General, Severity::Warning, "rejected command channel message from {}", socket_text(peer));
            continue;
        }
        let connection =
            Connection { stream, peer, settings, replays: Arc::clone(&replays), commands: Arc::clone(&commands) };
        tokio::spawn(async move {
            connection.converse().await;
            drop(permit);
        });
    }
}

/// Says that a listener is up, in named's words.
pub fn log_listening(address: SocketAddr) {
    log!(Category::General, Severity::Notice, "command channel listening on {}", socket_text(address));
}

/// Says that a listener goes.
pub fn log_stopping(address: SocketAddr) {
    log!(Category::General, Severity::Notice, "stopping command channel on {}", socket_text(address));
}

/// Says that a listener could not be had.
pub fn log_failed(address: SocketAddr, error: &io::Error) {
    let address = socket_text(address);
    log!(Category::General, Severity::Warning, "couldn't add command channel {address}: {}", io_text(error));
}

/// `address#port`, as named writes sockets.
pub fn socket_text(address: SocketAddr) -> String {
    format!("{}#{}", address.ip(), address.port())
}

/// named's words for the faults of sockets.
pub fn io_text(error: &io::Error) -> String {
    match error.kind() {
        io::ErrorKind::AddrInUse => "address in use".to_owned(),
        io::ErrorKind::AddrNotAvailable => "address not available".to_owned(),
        io::ErrorKind::ConnectionRefused => "connection refused".to_owned(),
        io::ErrorKind::ConnectionReset => "connection reset".to_owned(),
        io::ErrorKind::NetworkUnreachable => "network unreachable".to_owned(),
        io::ErrorKind::HostUnreachable => "host unreachable".to_owned(),
        io::ErrorKind::TimedOut | io::ErrorKind::WouldBlock => "timed out".to_owned(),
        io::ErrorKind::UnexpectedEof => "end of file".to_owned(),
        io::ErrorKind::NotFound => "file not found".to_owned(),
        io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem => "permission denied".to_owned(),
        io::ErrorKind::IsADirectory | io::ErrorKind::NotADirectory => "not a file".to_owned(),
        io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => "disc full".to_owned(),
        _ => error.to_string(),
    }
}

/// After a failed accept (too many open files, as a rule) so that the loop does not spin.
async fn pause_after(error: &io::Error) {
    const PAUSE: Duration = Duration::from_millis(100);
    log!(Category::General, Severity::Warning, "command channel accept failed: {}", io_text(error));
    tokio::time::sleep(PAUSE).await;
}

struct Connection<C> {
    stream: TcpStream,
    peer: SocketAddr,
    settings: Arc<Settings>,
    replays: Arc<Mutex<Replays>>,
    commands: Arc<C>,
}

/// Why a conversation ended early.
enum End {
    /// The peer went away or took too long; nothing to say.
    Gone,
    /// It said something wrong.
    Refused(Refusal),
}

impl From<io::Error> for End {
    fn from(_: io::Error) -> Self {
        Self::Gone
    }
}

impl<C: Commands> Connection<C> {
    async fn converse(mut self) {
        if let Err(End::Refused(refusal)) = self.exchange().await {
            let peer = socket_text(self.peer);
            log!(Category::General, Severity::Error, "invalid command from {peer}: {refusal}");
        }
    }

    async fn exchange(&mut self) -> Result<(), End> {
        let mut session = Session::new(random_nonce());
        loop {
            let frame = self.read().await?;
            match self.receive(&mut session, &frame).map_err(End::Refused)? {
                Step::Greet(bytes) => self.write(&bytes).await?,
                Step::Run(request) => {
                    let (verb, reply) = self.run(&request.line).await;
                    let bytes = session.reply(&request, reply.result, &reply.text, now_s());
                    let written = self.write(&bytes).await;
                    if let Some(verb) = verb {
                        self.commands.replied(verb);
                    }
                    return written;
                }
            }
        }
    }

    fn receive(&self, session: &mut Session, frame: &[u8]) -> Result<Step, Refusal> {
        let mut replays = self.replays.lock().unwrap_or_else(PoisonError::into_inner);
        session.receive(frame, &self.settings.keys, &mut replays, now_s())
    }

    async fn run(&self, line: &str) -> (Option<command::Verb>, Reply) {
        self.log_command(line);
        match command::read(line, self.peer, self.settings.read_only) {
            Action::Answer(reply) => (None, reply),
            Action::Run(command) if command.verb == command::Verb::Null => (None, Reply::done()),
            Action::Run(command) => (Some(command.verb), self.commands.run(command).await),
        }
    }

    fn log_command(&self, line: &str) {
        // A line break in a command must not forge a log line.
        let text = line.replace(char::is_control, "?");
        let severity = if command::is_quiet(&text) { Severity::Debug(1) } else { Severity::Info };
        log!(Category::General, severity, "received control channel command '{text}'");
        if !command::is_known(&text) {
            log!(Category::General, Severity::Warning, "unknown control channel command '{text}'");
        } else if self.settings.read_only && !command::is_read_only(&text) {
            log!(Category::General, Severity::Warning, "rejecting restricted control channel command '{text}'");
        }
    }

    async fn read(&mut self) -> Result<Vec<u8>, End> {
        let length =
            usize::try_from(timeout(READ_TIMEOUT, self.stream.read_u32()).await.map_err(gone)??).map_err(gone)?;
        if length > MAX_REQUEST_BYTES {
            return Err(End::Refused(FrameError::TooLong.into()));
        }
        let mut frame = vec![0; length];
        timeout(READ_TIMEOUT, self.stream.read_exact(&mut frame)).await.map_err(gone)??;
        Ok(frame)
    }

    async fn write(&mut self, bytes: &[u8]) -> Result<(), End> {
        Ok(timeout(READ_TIMEOUT, self.stream.write_all(bytes)).await.map_err(gone)??)
    }
}

fn gone<E>(_: E) -> End {
    End::Gone
}

fn now_s() -> u32 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default();
    u32::try_from(since.as_secs()).unwrap_or(u32::MAX)
}

#[cfg(test)]
mod tests {
    use super::super::client;
    use super::*;
    use crate::dns::Algorithm;
    use crate::server::control::{Command, IscResult, Verb};

    struct Dummy;

    impl Commands for Dummy {
        async fn run(&self, command: Command) -> Reply {
            match command.verb {
                Verb::ZoneStatus => command.zone.map_or_else(Reply::done, |zone| Reply::no_such_zone(&zone)),
                _ => Reply::text("server is up and running"),
            }
        }
    }

    fn key(secret: &[u8]) -> Arc<Key> {
        let name = "rndc-key.".parse().unwrap();
        Arc::new(Key { name, algorithm: Algorithm::Sha256, truncate_bits: None, secret: secret.to_vec() })
    }

    /// Serves on a free port until the runtime that comes back is dropped.
    fn server(allowed: bool) -> (tokio::runtime::Runtime, SocketAddr) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(1).enable_all().build().unwrap();
        let socket = runtime.block_on(TcpListener::bind("127.0.0.1:0")).unwrap();
        let address = socket.local_addr().unwrap();
        let settings = Settings { keys: vec![key(b"secret")], read_only: false, allow: Arc::new(move |_| allowed) };
        runtime.spawn(serve(socket, Arc::new(ArcSwap::from_pointee(settings)), Arc::new(Dummy)));
        (runtime, address)
    }

    #[test]
    fn our_client_and_our_listener_understand_each_other() {
        let (_runtime, address) = server(true);
        let run = |line: &str| client::run(address, None, &key(b"secret"), line).unwrap();
        assert_eq!(run("status").text, "server is up and running");
        assert_eq!(run("null").result, IscResult::SUCCESS);
        let failed = run("zonestatus nosuch");
        assert_eq!(failed.error.as_deref(), Some("not found"));
        assert_eq!(failed.text, "no matching zone 'nosuch' in any view");
        assert_eq!(run("frobnicate").error.as_deref(), Some("unknown command"));
        assert_eq!(run("testgen 100000").text.len(), 100_000);
    }

    #[test]
    fn strangers_are_turned_away_without_a_word() {
        let (_runtime, address) = server(true);
        let wrong = client::run(address, None, &key(b"wrong"), "status").unwrap_err();
        assert!(matches!(wrong, client::ClientError::Closed), "{wrong}");
        let (_runtime, address) = server(false);
        let refused = client::run(address, None, &key(b"secret"), "status").unwrap_err();
        assert!(matches!(refused, client::ClientError::Closed), "{refused}");
    }
}
