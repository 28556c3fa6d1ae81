//! A Debian host of its own: a network and a view of the file system that no other process sees (namespaces of Linux).
//!
//! It has the real /etc/bind, an empty /var/cache/bind and /run/named, a /dev/log and a service manager that write down
//! what they hear, port 53, and addresses at will. Making one takes root, by sudo where the tests run as somebody else.

use std::fs;
use std::io::Read;
use std::os::unix::fs::PermissionsExt;
use std::os::unix::net::UnixDatagram;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::mpsc::{Receiver, channel};
use std::sync::{Arc, Mutex};

use tempfile::TempDir;

use super::{Kind, Output, PATIENCE, dig, nomd, within};

/// A host; what runs there ends with it.
pub struct Host {
    dir: TempDir,
    /// The process that the namespaces belong to.
    holder: Child,
    syslog: Ear,
    manager: Ear,
}

/// What is found at the start, in words of the shell. The first argument is the folder of the host.
const SETUP: &str = r#"
set -e
mkdir "$1/etc" "$1/dev" "$1/bin"
cp -a /etc/bind/. "$1/etc"
mount --bind "$1/etc" /etc/bind
for dir in /var/cache/bind /run/named; do
    mkdir -p $dir
    mount -t tmpfs none $dir
    chown root:bind $dir
    chmod 775 $dir
done
mount -t tmpfs -o mode=755 none "$1/dev"
cp -a /dev/null /dev/zero /dev/random /dev/urandom "$1/dev"
ln -s "$1/log.sock" "$1/dev/log"
mount --bind "$1/dev" /dev
ip link set lo up
echo ready
exec sleep infinity
"#;

impl Host {
    /// A host with loopback and nothing else.
    pub fn new() -> Self {
        let dir = tempfile::Builder::new().prefix("nomd-host-").tempdir().unwrap();
        fs::set_permissions(dir.path(), fs::Permissions::from_mode(0o755)).unwrap();
        let [syslog, manager] = ["log.sock", "manager.sock"].map(|name| Ear::open(&dir.path().join(name)));
        let mut command = as_root("unshare");
        command.args(["--net", "--mount", "sh", "-c", SETUP, "sh"]).arg(dir.path());
        let mut holder = command.stdin(Stdio::null()).stdout(Stdio::piped()).spawn().unwrap();
        let mut word = [0; 5];
        holder.stdout.take().unwrap().read_exact(&mut word).expect("namespaces can be made");
        let host = Self { dir, holder, syslog, manager };
        std::os::unix::fs::symlink(nomd(), host.path("bin/named")).unwrap();
        host
    }

    /// Two hosts on one wire: 10.0.0.1 and 10.0.0.2.
    pub fn pair() -> [Self; 2] {
        let pair = [Self::new(), Self::new()];
        let [one, two] = [&pair[0], &pair[1]].map(|host| host.holder.id().to_string());
        let words = ["link", "add", "wire", "netns", &one, "type", "veth", "peer", "name", "wire", "netns", &two];
        let status = as_root("ip").args(words).status().unwrap();
        assert!(status.success());
        for (host, address) in pair.iter().zip(["10.0.0.1/24", "10.0.0.2/24"]) {
            host.done(&["ip", "addr", "add", address, "dev", "wire"]);
            host.done(&["ip", "link", "set", "wire", "up"]);
        }
        pair
    }

    /// A file in the folder that the host shares with the outside.
    pub fn path(&self, file: &str) -> PathBuf {
        self.dir.path().join(file)
    }

    /// Writes a file of the host's /etc/bind.
    pub fn write_conf(&self, file: &str, text: &str) {
        let path = self.path("etc").join(file);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }

    fn enter(&self, words: &[&str]) -> Command {
        let mut command = as_root("nsenter");
        command.args(["--net", "--mount", "--target", &self.holder.id().to_string(), "--"]).args(words);
        command.stdin(Stdio::null()).env("LC_ALL", "C").current_dir("/");
        command
    }

    /// Runs a program on the host to its end.
    pub fn run(&self, words: &[&str]) -> Output {
        let output = self.enter(words).output().unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        Output {
            status: output.status.code().unwrap_or(-1),
            stdout: text(&output.stdout),
            stderr: text(&output.stderr),
        }
    }

    /// Runs a program that is to succeed, and gives what it printed.
    pub fn done(&self, words: &[&str]) -> String {
        let output = self.run(words);
        assert_eq!(output.status, 0, "{words:?}: {output:?}");
        output.stdout
    }

    /// The words that start named or nomd under the name of named.
    pub fn program(&self, kind: Kind) -> String {
        match kind {
            Kind::Nomd => self.path("bin/named").display().to_string(),
            _ => "/usr/sbin/named".to_owned(),
        }
    }

    /// Starts it as Debian's service does, with further flags; it serves when this returns.
    pub fn start(&self, kind: Kind, flags: &[&str]) -> Service<'_> {
        let service = self.launch(kind, &[&["-f", "-u", "bind"], flags].concat());
        self.wait_until("the service is ready", || self.states() == ["READY=1"]);
        service
    }

    /// Starts it with these flags and waits for nothing.
    pub fn launch(&self, kind: Kind, flags: &[&str]) -> Service<'_> {
        let program = self.program(kind);
        let mut command = self.enter(&[&[program.as_str()], flags].concat());
        command.env("NOTIFY_SOCKET", self.path("manager.sock"));
        let log = fs::OpenOptions::new().create(true).append(true).open(self.path("stderr")).unwrap();
        let child = command.stdout(log.try_clone().unwrap()).stderr(log).spawn().unwrap();
        Service { host: self, child }
    }

    /// Starts it with these words, and ends it again once it serves: its exit code, none if it came to serve, and what
    /// it printed on standard error and then on standard output.
    pub fn try_start(&self, words: &[&str]) -> (Option<i32>, String) {
        let readies = || self.manager.heard().matches("READY=1").count();
        let (before, paths) = (readies(), ["tried.err", "tried.out"].map(|name| self.path(name)));
        let [err, out] = paths.each_ref().map(|path| fs::File::create(path).unwrap());
        let mut command = self.enter(words);
        let child = command.env("NOTIFY_SOCKET", self.path("manager.sock")).stdout(out).stderr(err).spawn().unwrap();
        let mut service = Service { host: self, child };
        let mut serves = false;
        self.wait_until(&format!("{words:?} have ended or serve"), || {
            // Whoever has told that it serves may have ended since.
            let has_ended = service.child.try_wait().unwrap().is_some();
            serves = readies() > before;
            has_ended || serves
        });
        if serves {
            service.signal("TERM");
        }
        let code = service.wait_for_end();
        let said = paths.map(|path| fs::read_to_string(path).unwrap()).concat();
        ((!serves).then_some(code), said)
    }

    /// The states that the service manager has been told of, without repetition.
    pub fn states(&self) -> Vec<String> {
        let states = self.manager.heard();
        let told =
            states.lines().filter(|line| ["READY=", "RELOADING=", "STOPPING="].iter().any(|s| line.starts_with(s)));
        let mut told: Vec<String> = told.map(str::to_owned).collect();
        // named says twice that it is ready: for the command and for the zones.
        told.dedup();
        told
    }

    /// All that came to the host's syslog and standard error so far.
    pub fn log(&self) -> String {
        self.syslog.heard() + &fs::read_to_string(self.path("stderr")).unwrap_or_default()
    }

    /// Waits for what is brought about there.
    pub fn wait_until(&self, what: &str, holds: impl FnMut() -> bool) {
        assert!(within(PATIENCE, holds), "in vain waited until {what}; the log:\n{}", self.log());
    }

    /// Waits for a line in the log.
    pub fn wait_for_log(&self, text: &str) {
        self.wait_until(&format!("the log says {text:?}"), || self.log().contains(text));
    }

    /// Waits for a file of the host.
    pub fn wait_for_file(&self, path: &str) {
        self.wait_until(&format!("{path} is there"), || self.run(&["test", "-e", path]).status == 0);
    }

    /// Asks a server that the host can reach.
    pub fn dig(&self, words: &[&str]) -> Output {
        self.run(&[&["dig", "+tries=1", "+time=10", "+nocookie"], words].concat())
    }

    /// The status and the answer section of dig's output; none where there is no answer.
    pub fn ask(&self, words: &[&str]) -> Option<(String, Vec<String>)> {
        let output = self.dig(words);
        dig::parse(&output.stdout).map(|answer| (answer.status, answer.answer))
    }

    /// Whether this address has this serial of the zone.
    pub fn has_serial(&self, address: &str, zone: &str, serial: u32) -> bool {
        let answer = self.dig(&[&format!("@{address}"), "+short", zone, "SOA"]).stdout;
        answer.split_whitespace().nth(2) == Some(&serial.to_string())
    }

    /// The process that the pid file of Debian's package names.
    pub fn pid(&self) -> String {
        self.done(&["cat", "/run/named/named.pid"]).trim().to_owned()
    }
}

impl Drop for Host {
    fn drop(&mut self) {
        self.syslog.close();
        self.manager.close();
        kill("KILL", &self.holder.id().to_string());
        let _ = self.holder.wait();
        // What root has written there may not be ours to remove.
        let _ = as_root("rm").arg("-rf").arg(self.dir.path()).status();
    }
}

/// A server on a host.
pub struct Service<'a> {
    host: &'a Host,
    child: Child,
}

impl Service<'_> {
    /// Waits until it has ended and gives its exit code.
    pub fn wait_for_end(&mut self) -> i32 {
        let child = &mut self.child;
        self.host.wait_until("the service has ended", || child.try_wait().unwrap().is_some());
        self.child.wait().unwrap().code().unwrap_or(-1)
    }

    /// Sends it a signal.
    pub fn signal(&self, name: &str) {
        kill(name, &self.child.id().to_string());
    }
}

impl Drop for Service<'_> {
    fn drop(&mut self) {
        if self.child.try_wait().unwrap().is_none() {
            self.signal("TERM");
            if !within(PATIENCE, || self.child.try_wait().unwrap().is_some()) {
                self.signal("KILL");
            }
            let _ = self.child.wait();
        }
    }
}

/// A socket whose datagrams are written down as lines at once, so that nobody waits for room in it.
struct Ear {
    path: PathBuf,
    heard: Arc<Mutex<String>>,
    /// Answers [`MARK`].
    echo: Mutex<Receiver<()>>,
}

/// What we say ourselves.
const MARK: &[u8] = b"mark";

impl Ear {
    fn open(path: &Path) -> Self {
        let socket = UnixDatagram::bind(path).unwrap();
        fs::set_permissions(path, fs::Permissions::from_mode(0o666)).unwrap();
        let heard = Arc::new(Mutex::new(String::new()));
        let lines = Arc::clone(&heard);
        let (answer, echo) = channel();
        std::thread::spawn(move || {
            let mut buffer = [0; 8192];
            // An empty datagram is the end.
            while let Ok(len @ 1..) = socket.recv(&mut buffer) {
                if &buffer[..len] == MARK {
                    let _ = answer.send(());
                    continue;
                }
                let line = String::from_utf8_lossy(&buffer[..len]).trim_end_matches('\0').to_owned();
                *lines.lock().unwrap() += &(line + "\n");
            }
        });
        Self { path: path.to_owned(), heard, echo: Mutex::new(echo) }
    }

    /// All that was said to it before this is asked.
    fn heard(&self) -> String {
        let echo = self.echo.lock().unwrap();
        self.say(MARK);
        echo.recv().unwrap();
        self.heard.lock().unwrap().clone()
    }

    fn close(&self) {
        self.say(&[]);
    }

    fn say(&self, words: &[u8]) {
        UnixDatagram::unbound().unwrap().send_to(words, &self.path).unwrap();
    }
}

/// Sends a signal by name to one process, whoever it belongs to.
pub fn kill(signal: &str, pid: &str) {
    let _ = as_root("kill").args(["-s", signal, pid]).stderr(Stdio::null()).status();
}

/// A program that needs root.
pub fn as_root(program: &str) -> Command {
    if nix::unistd::geteuid().is_root() {
        return Command::new(program);
    }
    let mut command = Command::new("sudo");
    command.args(["-n", program]);
    command
}
