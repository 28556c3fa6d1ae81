//! Real servers on loopback: nomd and its peers, each started from one common description in a folder of its own.
//!
//! A peer that is missing is a failure, never a skip. Every server is stopped by its pid when its handle goes away.

mod configs;
pub mod dig;
pub mod doors;
pub mod host;
pub mod listener;

use std::fs;
use std::io::{self, ErrorKind, Read};
use std::net::{SocketAddr, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::atomic::{AtomicU16, AtomicU32, Ordering};
use std::time::{Duration, Instant};

use tempfile::TempDir;

/// Which program serves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    Nomd,
    Bind,
    Nsd,
    Knot,
}

pub const PEERS: [Kind; 3] = [Kind::Bind, Kind::Nsd, Kind::Knot];

/// What one server is to do, in words that fit all of them.
#[derive(Debug, Clone, Default)]
pub struct Spec {
    pub zones: Vec<Zone>,
    /// Signs transfers and NOTIFY where it is set.
    pub key: Option<Key>,
    /// Further clauses for `options` of named.conf; only BIND and nomd read them.
    pub options: String,
    /// Further top-level statements of named.conf.
    pub statements: String,
    /// Further files by name, with their contents.
    pub files: Vec<(String, String)>,
    /// Whether NSD and Knot have and ask for differences; BIND and nomd do as their clauses say.
    pub has_differences: bool,
    /// Lines of NSD's `server` section.
    pub nsd: String,
    /// The name by which NSD knows its primaries over TLS; none: it asks without.
    pub nsd_asks: Option<&'static str>,
    /// Further flags for BIND and nomd.
    pub flags: &'static [&'static str],
}

#[derive(Debug, Clone)]
pub struct Zone {
    pub name: String,
    pub role: Role,
    /// Ports on 127.0.0.1 to which NOTIFY goes.
    pub notify: Vec<u16>,
    /// Further clauses for the zone statement of named.conf.
    pub clauses: String,
}

#[derive(Debug, Clone)]
pub enum Role {
    /// The text of the master file.
    Primary(String),
    /// The primary's port on 127.0.0.1.
    Secondary(u16),
}

#[derive(Debug, Clone)]
pub struct Key {
    pub algorithm: &'static str,
    pub secret: String,
}

impl Key {
    pub const NAME: &'static str = "transfer-key";

    pub fn new(algorithm: &'static str) -> Self {
        // Only for throw-away servers on loopback.
        Self { algorithm, secret: "bm9tZC1jb21wYXQtdGVzdHMtc2VjcmV0LTAxMjM0NTY=".into() }
    }
}

impl Zone {
    pub fn primary(name: &str, text: impl Into<String>) -> Self {
        Self { name: name.into(), role: Role::Primary(text.into()), notify: vec![], clauses: String::new() }
    }

    pub fn secondary(name: &str, primary: u16) -> Self {
        Self { name: name.into(), role: Role::Secondary(primary), notify: vec![], clauses: String::new() }
    }

    pub fn notifying(mut self, port: u16) -> Self {
        self.notify.push(port);
        self
    }

    pub fn with(mut self, clauses: &str) -> Self {
        self.clauses.push_str(clauses);
        self
    }

    /// The name of its file, the same for all servers so that they can take turns.
    pub fn file(&self) -> String {
        format!("{}.db", self.name)
    }
}

/// A running server.
pub struct Server {
    pub kind: Kind,
    pub port: u16,
    dir: TempDir,
    child: Child,
}

/// The longest that anything here is waited for.
pub const PATIENCE: Duration = Duration::from_secs(60);

impl Server {
    /// Starts a server in a new folder on a free port.
    pub fn start(kind: Kind, spec: &Spec) -> Self {
        Self::start_at(kind, spec, free_port())
    }

    /// Starts a server on a port that others have been told of already.
    pub fn start_at(kind: Kind, spec: &Spec, port: u16) -> Self {
        let dir = tempfile::Builder::new().prefix("nomd-compat-").tempdir().unwrap();
        Self::start_in(kind, spec, port, dir)
    }

    /// Starts a server in the folder that another one has left.
    pub fn start_in(kind: Kind, spec: &Spec, port: u16, dir: TempDir) -> Self {
        let log = dir.path().join("log");
        let logged_before = fs::metadata(log).map_or(0, |log| log.len()) as usize;
        let server = Self::start_loading(kind, spec, port, dir);
        if matches!(kind, Kind::Bind | Kind::Nomd) {
            server.wait_until("its zones are loaded", || server.log()[logged_before..].contains(" running\n"));
        }
        server
    }

    /// Starts a server that may not have loaded its zones yet: named and nomd answer for these with SERVFAIL then.
    pub fn start_loading(kind: Kind, spec: &Spec, port: u16, dir: TempDir) -> Self {
        for zone in &spec.zones {
            if let Role::Primary(text) = &zone.role {
                fs::write(dir.path().join(zone.file()), text).unwrap();
            }
        }
        for (name, text) in &spec.files {
            fs::write(dir.path().join(name), text).unwrap();
        }
        let control_port = free_port();
        let mut command = configs::configure(kind, spec, dir.path(), port, control_port);
        let log = fs::OpenOptions::new().create(true).append(true).open(dir.path().join("log")).unwrap();
        command.stdin(Stdio::null()).stdout(log.try_clone().unwrap()).stderr(log);
        let child = command.spawn().unwrap_or_else(|error| panic!("{kind:?} can't be started ({command:?}): {error}"));
        let server = Self { kind, port, dir, child };
        server.wait_until("it answers at all", || dig::try_ask(port, ".", "SOA").is_some());
        server
    }

    pub fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    pub fn log(&self) -> String {
        fs::read_to_string(self.path("log")).unwrap_or_default()
    }

    pub fn pid(&self) -> u32 {
        self.child.id()
    }

    /// Waits for something that other processes bring about; fails with the server's log when it does not come.
    pub fn wait_until(&self, what: &str, holds: impl FnMut() -> bool) {
        if !within(PATIENCE, holds) {
            panic!("{:?} on port {}: in vain waited until {what}; its log:\n{}", self.kind, self.port, self.log());
        }
    }

    /// Waits until this serial of the zone is served.
    pub fn wait_for_serial(&self, zone: &str, serial: u32) {
        self.wait_until(&format!("{zone} is served with serial {serial}"), || {
            dig::serial(self.port, zone) == Some(serial)
        });
    }

    /// Waits for a line in the log.
    pub fn wait_for_log(&self, text: &str) {
        self.wait_until(&format!("its log says {text:?}"), || self.log().contains(text));
    }

    /// Its log with all that there is to say of what it has done up to now: nomd's is written by a thread of its own.
    pub fn settled_log(&self) -> String {
        if matches!(self.kind, Kind::Nsd | Kind::Knot) {
            return self.log();
        }
        static NEXT: AtomicU32 = AtomicU32::new(0);
        let mark = format!("mark{}.invalid", NEXT.fetch_add(1, Ordering::Relaxed));
        // A command is logged when it comes: the second one after all that was under way when the first one came.
        self.rndc(&["zonestatus", "invalid"]);
        self.rndc(&["zonestatus", &mark]);
        self.wait_for_log(&mark);
        self.log()
    }

    /// Waits until it neither asks for a serial nor fetches a zone.
    pub fn wait_until_idle(&self) {
        self.wait_until_left_with(0);
    }

    /// Waits until it is idle but for so many transfers that do not end.
    pub fn wait_until_left_with(&self, transfers: usize) {
        self.wait_until("it is idle", || {
            let status = self.rndc(&["status"]).stdout;
            let count = |what: &str| status.lines().find_map(|line| line.strip_prefix(what)?.parse::<usize>().ok());
            let [running, deferred, asked] =
                ["xfers running: ", "xfers deferred: ", "soa queries in progress: "].map(count);
            (running, deferred) == (Some(transfers), Some(0)) && asked.is_some_and(|asked| asked <= transfers)
        });
    }

    /// Has a secondary check a zone, once it is idle: named passes over the command while a check or a transfer of the
    /// zone has not come to its end, which is later than the new version is served.
    pub fn refresh(&self, zone: &str) {
        self.wait_until_idle();
        let output = self.rndc(&["refresh", zone]);
        assert_eq!(output.status, 0, "{:?} refresh {zone}: {output:?}", self.kind);
    }

    /// Replaces a zone's master file and tells the server.
    pub fn change_zone(&self, zone: &str, text: &str) {
        let path = self.path(&format!("{zone}.db"));
        let before = fs::metadata(&path).and_then(|meta| meta.modified()).unwrap();
        fs::write(&path, text).unwrap();
        // Servers look at the time of the file, some of them in whole seconds.
        let later = before + Duration::from_secs(2);
        fs::File::options().append(true).open(&path).unwrap().set_modified(later).unwrap();
        self.reload(zone);
    }

    pub fn reload(&self, zone: &str) {
        let conf = |name: &str| self.path(name).display().to_string();
        let output = match self.kind {
            Kind::Nomd | Kind::Bind => self.rndc(&["reload", zone]),
            Kind::Nsd => run("nsd-control", &["-c", &conf("nsd.conf"), "reload", zone]),
            Kind::Knot => run("knotc", &["-c", &conf("knot.conf"), "zone-reload", zone]),
        };
        assert_eq!(output.status, 0, "{:?} reload {zone}: {output:?}", self.kind);
    }

    /// Runs the real rndc against it.
    pub fn rndc(&self, words: &[&str]) -> Output {
        let conf = self.path("rndc.conf").display().to_string();
        run("rndc", &[&["-c", &conf], words].concat())
    }

    /// Waits until it has ended by itself and gives its exit code.
    pub fn wait_for_end(&mut self) -> i32 {
        assert!(within(PATIENCE, || self.child.try_wait().unwrap().is_some()), "{:?} does not end", self.kind);
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// Stops it in good order and gives back its folder.
    pub fn stop(mut self) -> TempDir {
        self.terminate();
        let dir = std::mem::replace(&mut self.dir, tempfile::tempdir().unwrap());
        drop(self);
        dir
    }

    fn terminate(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            signal(self.child.id(), "TERM");
            if !within(PATIENCE, || self.child.try_wait().unwrap().is_some()) {
                let _ = self.child.kill();
            }
            let _ = self.child.wait();
        }
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.terminate();
    }
}

/// Sends a signal by name to one process.
pub fn signal(pid: u32, name: &str) {
    run("kill", &["-s", name, &pid.to_string()]);
}

/// Asks again and again until it holds or the time is over.
pub fn within(limit: Duration, mut holds: impl FnMut() -> bool) -> bool {
    let end = Instant::now() + limit;
    loop {
        if holds() {
            return true;
        }
        if Instant::now() > end {
            return false;
        }
        std::thread::sleep(Duration::from_millis(20));
    }
}

/// The next datagram, and whence it comes. A wait for one with a time limit ends early where the process is halted and
/// goes on.
pub fn receive(socket: &UdpSocket, bytes: &mut [u8]) -> io::Result<(usize, SocketAddr)> {
    loop {
        match socket.recv_from(bytes) {
            Err(error) if error.kind() == ErrorKind::Interrupted => {}
            outcome => return outcome,
        }
    }
}

/// A port that nobody has now, and that no other test gets. None of those that the kernel gives to clients, since a
/// client of one test must never sit on the port of another test's server, nor of those that `nomd try` takes.
pub fn free_port() -> u16 {
    static NEXT: AtomicU16 = AtomicU16::new(0);
    let first = (std::process::id() % u32::from(PORTS)) as u16;
    loop {
        let port = FIRST_PORT + (first + NEXT.fetch_add(1, Ordering::Relaxed)) % PORTS;
        if !is_taken(port) {
            return port;
        }
    }
}

/// Whether anybody has a port, at any address. It is looked up and not tried: a program that another test is starting
/// would hold what it is tried with open for a moment.
fn is_taken(port: u16) -> bool {
    let end = format!(":{port:04X}");
    let is_here = |line: &str| line.split_whitespace().nth(1).is_some_and(|local| local.ends_with(&end));
    // A host without IPv6 has but two of these.
    let tables = ["tcp", "udp", "tcp6", "udp6"].map(|name| fs::read_to_string(format!("/proc/net/{name}")));
    tables.into_iter().flatten().any(|table| table.lines().any(is_here))
}

const FIRST_PORT: u16 = 12_000;
const PORTS: u16 = 10_000;

/// What a program said.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Output {
    pub status: i32,
    pub stdout: String,
    pub stderr: String,
}

/// Runs a program to its end; one that is not there is a failure.
pub fn run(program: &str, words: &[&str]) -> Output {
    let output = Command::new(program)
        .args(words)
        .stdin(Stdio::null())
        .env("LC_ALL", "C")
        .output()
        .unwrap_or_else(|error| panic!("{program} can't be run: {error}"));
    Output {
        status: output.status.code().unwrap_or(-1),
        stdout: String::from_utf8_lossy(&output.stdout).into_owned(),
        stderr: String::from_utf8_lossy(&output.stderr).into_owned(),
    }
}

/// The program under test.
pub fn nomd() -> &'static str {
    env!("CARGO_BIN_EXE_nomd")
}

/// The first bytes of a file.
pub fn head(path: &Path, len: usize) -> Vec<u8> {
    let mut bytes = vec![];
    fs::File::open(path).unwrap().take(len as u64).read_to_end(&mut bytes).unwrap();
    bytes
}
