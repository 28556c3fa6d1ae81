//! `nomd try`: a primary and a secondary on loopback in one command, to see zones travel.
//!
//! Both are ordinary `nomd named` processes with files of their own in a temporary folder, so whatever is seen here is
//! what a host would do. They end, and the folder goes, with Ctrl-C or when the command is told to terminate.

use std::fs;
use std::io;
use std::net::{TcpListener, UdpSocket};
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};
use std::time::Duration;

use tokio::io::{AsyncBufReadExt, AsyncRead, BufReader};
use tokio::process::{Child, Command};
use tokio::signal::unix::{SignalKind, signal};
use tokio::sync::oneshot;

use super::keygen::random_secret;
use super::output;

/// Runs the two servers until they are told to end.
pub fn run() -> ExitCode {
    let runtime = tokio::runtime::Builder::new_current_thread().enable_all().build();
    match runtime.and_then(|runtime| runtime.block_on(serve())) {
        Ok(()) => ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("nomd try: {error}");
            ExitCode::FAILURE
        }
    }
}

async fn serve() -> io::Result<()> {
    // Taken first: whenever one comes, nothing is left behind.
    let (mut interrupt, mut terminate) = (signal(SignalKind::interrupt())?, signal(SignalKind::terminate())?);
    let mut hangup = signal(SignalKind::hangup())?;
    let folder = Folder::create()?;
    let pair = Pair::lay_out(&folder.0)?;
    let (mut primary, _) = start("primary", &folder.0, &["--watch"])?;
    let (mut secondary, settled) = start("secondary", &folder.0, &[])?;
    // Told after the first lines of the log, which would push it off the screen.
    let _ = tokio::time::timeout(START_PATIENCE, settled).await;
    output::print(format_args!("{}\n", pair.introduction(&folder.0)))?;
    let ended = tokio::select! {
        _ = interrupt.recv() => None,
        _ = terminate.recv() => None,
        _ = hangup.recv() => None,
        status = primary.wait() => Some(("primary", status?)),
        status = secondary.wait() => Some(("secondary", status?)),
    };
    stop(&mut primary).await?;
    stop(&mut secondary).await?;
    match ended {
        None => Ok(()),
        Some((which, status)) => Err(io::Error::other(format!("the {which} ended by itself: {status}"))),
    }
}

/// A temporary folder that goes when this does.
struct Folder(PathBuf);

impl Folder {
    fn create() -> io::Result<Self> {
        let path = std::env::temp_dir().join(format!("nomd-try-{}", std::process::id()));
        fs::create_dir(&path)?;
        Ok(Self(path))
    }
}

impl Drop for Folder {
    fn drop(&mut self) {
        // A folder that stays behind in the temporary directory harms nobody.
        let _ = fs::remove_dir_all(&self.0);
    }
}

/// The ports of both servers.
struct Pair {
    primary: Ports,
    secondary: Ports,
}

#[derive(Clone, Copy)]
struct Ports {
    dns: u16,
    control: u16,
}

impl Ports {
    /// Takes the next two that are free.
    fn free(candidates: &mut impl Iterator<Item = u16>) -> io::Result<Self> {
        let mut next = || candidates.find(|&port| is_free(port)).ok_or(io::Error::other("no free port on 127.0.0.1"));
        Ok(Self { dns: next()?, control: next()? })
    }
}

/// Whether a port is free on loopback for UDP and TCP at this moment.
fn is_free(port: u16) -> bool {
    TcpListener::bind(("127.0.0.1", port)).is_ok() && UdpSocket::bind(("127.0.0.1", port)).is_ok()
}

/// Ports to try, each once, in an order of our own. None of those that the kernel gives to clients, so that nobody's
/// question sits on one before its server does.
fn candidates() -> impl Iterator<Item = u16> {
    let first = (std::process::id() % u32::from(PORTS)) as u16;
    (0..PORTS).map(move |step| FIRST_PORT + (first + step) % PORTS)
}

impl Pair {
    /// Writes the configurations, the key and the zone.
    fn lay_out(folder: &Path) -> io::Result<Self> {
        let mut candidates = candidates();
        let pair = Self { primary: Ports::free(&mut candidates)?, secondary: Ports::free(&mut candidates)? };
        let key = random_secret(SECRET_BITS)?;
        let (primary, secondary) = (pair.primary, pair.secondary);
        let zone = format!(
            "type primary; file \"{ZONE}.zone\";\n  allow-transfer {{ key \"{KEY}\"; }};\n  \
             also-notify {{ 127.0.0.1 port {} key \"{KEY}\"; }};",
            secondary.dns
        );
        write_server(folder, "primary", primary, &key, &zone)?;
        let zone = format!(
            "type secondary; file \"{ZONE}.db\";\n  primaries {{ 127.0.0.1 port {} key \"{KEY}\"; }};\n  \
             allow-transfer {{ none; }};",
            primary.dns
        );
        write_server(folder, "secondary", secondary, &key, &zone)?;
        fs::write(zone_file(folder), ZONE_TEXT)?;
        Ok(pair)
    }

    fn introduction(&self, folder: &Path) -> String {
        let (primary, secondary) = (self.primary.dns, self.secondary.dns);
        let conf = |name: &str| folder.join(name).join("rndc.conf").display().to_string();
        format!(
            "nomd try: two servers for the zone {ZONE}

  primary    127.0.0.1 port {primary}   {folder}/primary/named.conf
  secondary  127.0.0.1 port {secondary}   {folder}/secondary/named.conf
  zone file  {zone}

Transfers and NOTIFY between them are signed with the key \"{KEY}\". In another terminal, ask either:

  dig @127.0.0.1 -p {primary} www.{ZONE} A
  dig @127.0.0.1 -p {secondary} www.{ZONE} A

look at them:

  rndc -c {primary_conf} status
  rndc -c {secondary_conf} zonestatus {ZONE}

(nomd rndc does the same as rndc.) Then change the zone: edit the file and raise the serial. The primary sees it,
announces it, and the secondary fetches it. By hand: rndc -c {primary_conf} reload {ZONE}

Ctrl-C ends both and removes the folder.
",
            folder = folder.display(),
            zone = zone_file(folder).display(),
            primary_conf = conf("primary"),
            secondary_conf = conf("secondary"),
        )
    }
}

fn zone_file(folder: &Path) -> PathBuf {
    folder.join("primary").join(format!("{ZONE}.zone"))
}

fn write_server(folder: &Path, name: &str, ports: Ports, secret: &str, zone: &str) -> io::Result<()> {
    let home = folder.join(name);
    fs::create_dir(&home)?;
    let rndc_secret = random_secret(SECRET_BITS)?;
    let rndc_key = format!("key \"rndc-key\" {{ algorithm hmac-sha256; secret \"{rndc_secret}\"; }};\n");
    let conf = format!(
        "{rndc_key}key \"{KEY}\" {{ algorithm hmac-sha256; secret \"{secret}\"; }};
controls {{ inet 127.0.0.1 port {control} allow {{ 127.0.0.1; }} keys {{ \"rndc-key\"; }}; }};
options {{
  directory \"{home}\"; pid-file \"{home}/named.pid\"; session-keyfile none;
  listen-on port {dns} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }};
  recursion no; notify explicit; notify-delay 0;
}};
zone \"{ZONE}\" {{
  {zone}
}};
",
        control = ports.control,
        dns = ports.dns,
        home = home.display(),
    );
    fs::write(home.join("named.conf"), conf)?;
    let rndc = format!(
        "{rndc_key}options {{ default-key \"rndc-key\"; default-server 127.0.0.1; default-port {}; }};\n",
        ports.control
    );
    fs::write(home.join("rndc.conf"), rndc)
}

/// Starts one server; its log lines are shown with its name in front. The receiver hears when a zone has come over.
fn start(name: &'static str, folder: &Path, flags: &[&str]) -> io::Result<(Child, oneshot::Receiver<()>)> {
    let conf = folder.join(name).join("named.conf");
    let mut child = Command::new(std::env::current_exe()?)
        .args(["named", "-g", "-c"])
        .arg(conf)
        .args(flags)
        .stdin(Stdio::null())
        .stderr(Stdio::piped())
        // The terminal's Ctrl-C is for us, who end both in order.
        .process_group(0)
        .kill_on_drop(true)
        .spawn()?;
    let (settled, hear) = oneshot::channel();
    if let Some(log) = child.stderr.take() {
        tokio::spawn(show(name, log, settled));
    }
    Ok((child, hear))
}

async fn show(name: &'static str, log: impl AsyncRead + Unpin, settled: oneshot::Sender<()>) {
    let (mut lines, mut settled) = (BufReader::new(log).lines(), Some(settled));
    while let Ok(Some(line)) = lines.next_line().await {
        // The pair runs on if nobody looks.
        let _ = output::print(format_args!("{name:9} | {line}\n"));
        if line.contains(TRANSFERRED)
            && let Some(settled) = settled.take()
        {
            // Nobody waits for it on the primary.
            let _ = settled.send(());
        }
    }
}

/// Asks a server to end and waits for it; one that does not is killed.
async fn stop(child: &mut Child) -> io::Result<()> {
    if let Some(pid) = child.id().and_then(|pid| i32::try_from(pid).ok()) {
        // It may have ended by itself.
        let _ = nix::sys::signal::kill(nix::unistd::Pid::from_raw(pid), nix::sys::signal::Signal::SIGTERM);
    }
    match tokio::time::timeout(END_PATIENCE, child.wait()).await {
        Ok(ended) => ended.map(drop),
        Err(_) => child.kill().await,
    }
}

/// The length of the secrets that are made.
const SECRET_BITS: usize = 256;
const ZONE: &str = "example.com";
const KEY: &str = "transfer-key";
/// Far above the well-known services of hosts; from 32,768 on are the kernel's own choices.
const FIRST_PORT: u16 = 22_000;
const PORTS: u16 = 10_000;
const TRANSFERRED: &str = "Transfer completed";
const START_PATIENCE: Duration = Duration::from_secs(5);
const END_PATIENCE: Duration = Duration::from_secs(10);

const ZONE_TEXT: &str = "$TTL 300
@       SOA  ns1 hostmaster 1 3600 600 604800 300   ; the first number is the serial: raise it with each change
        NS   ns1
        NS   ns2
        MX   10 mail
ns1     A    192.0.2.1
ns2     A    192.0.2.2
mail    A    192.0.2.25
www     A    192.0.2.80
        AAAA 2001:db8::80
";
