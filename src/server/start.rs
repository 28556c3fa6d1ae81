//! From the command line to a running server, and its end.
//!
//! The order is named's: configuration, sockets, root given up, threads, zones, ready. What needs root comes before the
//! threads that serve, and nothing is said to be ready before every zone has been read.

use std::hash::{BuildHasher, RandomState};
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};
use std::{env, io};

use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::access::Host;
use super::commands::Desk;
use super::controls::Controls;
use super::core::{AfterLoads, Core, Event};
use super::listening::{self, Bound, Families, Listening};
use super::load::Loader;
use super::logging::{self, Category, Foreground, Routing, Severity, log};
use super::notifying::Notifying;
use super::privilege::{Account, PrivilegeError, change_root};
use super::process::{self, PidFile};
use super::refreshing::Refreshing;
use super::shared::Shared;
use super::watch::FileWatch;
use super::worker::{TcpService, UdpResponder};
use super::zones::Zones;
use super::{snapshot, version};
use crate::conf::config::{Config, Options};
use crate::conf::{self, Diagnostics};
use crate::net::interfaces::{Changes, InterfaceAddress};
use crate::net::udp::Worker;

/// How the server is to be started.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct StartOptions {
    /// `-c`: the configuration file.
    pub config: PathBuf,
    /// `-f` and `-g`: stay in the foreground.
    pub foreground: bool,
    /// `-g`: log to standard error and nowhere else.
    pub log_to_stderr: bool,
    /// `-L`: log to this file in the place of syslog.
    pub log_file: Option<PathBuf>,
    /// `-d`: the debug level.
    pub debug_level: u32,
    /// `-p`: the port, over that of the configuration.
    pub port: Option<u16>,
    /// `-4` and `-6`.
    pub family: Family,
    /// `-u`: the account to run as.
    pub user: Option<String>,
    /// `-t`: the root directory.
    pub chroot: Option<PathBuf>,
    /// `-n`: worker threads; none: one for each CPU.
    pub workers: Option<usize>,
    /// `--watch`: zones are loaded again when their files change.
    pub watch: bool,
    /// The command line as the log shows it.
    pub command_line: String,
}

/// Which addresses are used.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// IPv4 and IPv6.
    Both,
    /// `-4`.
    V4Only,
    /// `-6`.
    V6Only,
}

/// Why the server did not start.
#[derive(Debug, thiserror::Error)]
pub(super) enum StartError {
    #[error("loading configuration: failure")]
    Configuration,
    #[error(transparent)]
    Privilege(#[from] PrivilegeError),
    #[error("change directory to '{0}' failed: {1}")]
    Directory(PathBuf, io::Error),
    #[error("the working directory is not writable")]
    NotWritable,
    #[error("couldn't open pid file '{0}': {1}")]
    PidFile(PathBuf, io::Error),
    #[error(transparent)]
    Logging(#[from] logging::Fault),
    #[error("files can't be watched: {0}")]
    Watch(String),
    #[error(transparent)]
    System(#[from] io::Error),
}

/// Runs the server until it is told to stop.
pub fn run(options: &StartOptions) -> ExitCode {
    if !options.foreground && !process::is_in_background() {
        return process::start_in_background().unwrap_or_else(|error| {
            eprintln!("nomd: {error}");
            ExitCode::FAILURE
        });
    }
    if process::is_in_background() {
        process::leave_session();
    }
    let outcome = begin_logging(options).and_then(|()| serve(options));
    match &outcome {
        Ok(()) => log!(Category::General, Severity::Notice, "exiting"),
        Err(error) => {
            log!(Category::General, Severity::Critical, "{error}");
            log!(Category::General, Severity::Critical, "exiting (due to fatal error)");
        }
    }
    logging::flush();
    if outcome.is_ok() { ExitCode::SUCCESS } else { ExitCode::FAILURE }
}

fn begin_logging(options: &StartOptions) -> Result<(), StartError> {
    logging::init(Routing::initial(&options.log_target())?)?;
    logging::set_debug_level(options.debug_level);
    log!(Category::General, Severity::Notice, "starting {}", version::BANNER);
    log!(Category::General, Severity::Notice, "running on {}", version::system());
    log!(Category::General, Severity::Notice, "running as: {}", options.command_line);
    Ok(())
}

impl StartOptions {
    /// Where lines go before, and with `-g` also after, the configuration is read.
    pub(super) fn log_target(&self) -> Foreground {
        Foreground { stderr: self.log_to_stderr, file: self.log_file.clone() }
    }

    pub(super) fn families(&self) -> Families {
        Families { ipv4: self.family != Family::V6Only, ipv6: self.family != Family::V4Only, port: self.port }
    }
}

/// All that is done before there are threads that serve.
struct Prepared {
    config: Config,
    conf_path: PathBuf,
    host: Host,
    bound: Vec<(SocketAddr, Bound)>,
    workers: usize,
    controls: Controls,
}

fn serve(options: &StartOptions) -> Result<(), StartError> {
    let prepared = prepare(options)?;
    let _pid_file = prepared.config.options.pid_file.as_deref().map(write_pid_file).transpose()?;
    let runtime = runtime(prepared.workers)?;
    let outcome = runtime.block_on(run_core(options, prepared));
    // Transfers and connections that are still under way end here.
    runtime.shutdown_timeout(LAST_PATIENCE);
    outcome
}

fn prepare(options: &StartOptions) -> Result<Prepared, StartError> {
    let account = options.user.as_deref().map(Account::find).transpose()?;
    if let Some(root) = &options.chroot {
        change_root(root)?;
    }
    process::raise_limits();
    let workers = options.workers.unwrap_or_else(processors).max(1);
    log!(Category::General, Severity::Info, "found {} CPUs, using {workers} worker threads", processors());
    let conf_path = std::path::absolute(&options.config)?;
    let config = load_configuration(&conf_path)?;
    enter_directory(&config.options)?;
    let (host, addresses) = listening::survey()?;
    let bound = bind_all(&config.options, options.families(), &host, &addresses, workers);
    let controls = Controls::bind(&config, &conf_path, &host);
    if let Some(account) = account {
        account.take()?;
    }
    check_writable()?;
    configure_logging(&config, options)?;
    Ok(Prepared { config, conf_path, host, bound, workers, controls })
}

fn load_configuration(path: &Path) -> Result<Config, StartError> {
    log!(Category::General, Severity::Info, "loading configuration from '{}'", path.display());
    match conf::load(path) {
        Ok((config, notes)) => {
            log_diagnostics(&notes);
            say_recursion(&config);
            Ok(config)
        }
        Err(faults) => {
            log_diagnostics(&faults);
            Err(StartError::Configuration)
        }
    }
}

/// Logs what there is to say about a configuration.
pub(super) fn log_diagnostics(diagnostics: &Diagnostics) {
    for diagnostic in diagnostics {
        let severity = match diagnostic.severity {
            conf::Severity::Notice => Severity::Notice,
            conf::Severity::Warning => Severity::Warning,
            conf::Severity::Error => Severity::Error,
        };
        log!(Category::Config, severity, "{diagnostic}");
    }
}

/// Stock BIND is also a resolver for its own host; whoever counts on that has to know.
fn say_recursion(config: &Config) {
    if config.views.iter().any(|view| view.recursion) {
        log!(
            Category::Config,
            Severity::Warning,
            "this configuration also asks for recursion, by default for local clients: nomd answers only for its own \
             zones, so clients that resolve through this host need another resolver ('recursion no;' ends this warning)"
        );
    }
}

/// Zone files and much else are relative to `directory`.
fn enter_directory(options: &Options) -> Result<(), StartError> {
    let Some(directory) = &options.directory else { return Ok(()) };
    env::set_current_dir(directory).map_err(|error| StartError::Directory(directory.clone(), error))?;
    log!(Category::General, Severity::Info, "the working directory is now '{}'", directory.display());
    Ok(())
}

/// BIND semantics 1.20: secondaries, journals and much else are written there.
fn check_writable() -> Result<(), StartError> {
    nix::unistd::access(".", nix::unistd::AccessFlags::W_OK).map_err(|_| StartError::NotWritable)
}

/// Puts the channels of the configuration in the place of the first ones; files are opened anew.
pub(super) fn configure_logging(config: &Config, options: &StartOptions) -> Result<(), StartError> {
    // File names are relative to the working directory, which is that of the configuration by now.
    let (routing, unknown) = Routing::new(&config.logging, None, &options.log_target())?;
    logging::configure(routing);
    for fault in unknown {
        log!(Category::Config, Severity::Warning, "{fault}");
    }
    Ok(())
}

fn bind_all(
    options: &Options,
    families: Families,
    host: &Host,
    addresses: &[InterfaceAddress],
    workers: usize,
) -> Vec<(SocketAddr, Bound)> {
    let mut all = vec![];
    for address in listening::wanted(options, families, host, addresses) {
        match listening::bind(address, workers, options) {
            Ok(bound) => {
                listening::say_listening(address, addresses);
                all.push((address, bound));
            }
            Err(error) => log!(Category::Network, Severity::Error, "{error}"),
        }
    }
    all
}

fn write_pid_file(path: &Path) -> Result<PidFile, StartError> {
    PidFile::write(path).map_err(|error| StartError::PidFile(path.to_owned(), error))
}

fn runtime(workers: usize) -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers.max(MIN_RUNTIME_THREADS))
        .thread_name("serve")
        .enable_all()
        .build()
}

async fn run_core(options: &StartOptions, prepared: Prepared) -> Result<(), StartError> {
    let (events, inbox) = unbounded_channel();
    let shared = Arc::new(Shared::start(events.clone())?);
    let seed = RandomState::new().hash_one(std::process::id());
    let mut core = Core::new(options, prepared, &shared, &events, seed)?;
    spawn_signals(&events)?;
    spawn_interface_watch(&events);
    core.run(inbox).await;
    core.shut_down();
    Ok(())
}

impl Core {
    fn new(
        options: &StartOptions,
        prepared: Prepared,
        shared: &Arc<Shared>,
        events: &UnboundedSender<Event>,
        seed: u64,
    ) -> Result<Self, StartError> {
        let Prepared { config, conf_path, host, bound, workers, controls } = prepared;
        let service = Arc::new(TcpService::new(Arc::clone(shared), seed));
        let listening = Listening::new(udp_workers(workers, shared, seed)?, &config.options, options.families());
        let done = events.clone();
        // Fails only when the server is going down.
        let loader = Loader::start(processors(), move |outcome| drop(done.send(Event::Loaded(outcome))))?;
        let watch = options.watch.then(|| FileWatch::start(events.clone())).transpose();
        let mut core = Self {
            options: options.clone(),
            conf_path,
            shared: Arc::clone(shared),
            identity: identity(),
            host,
            zones: Zones::default(),
            loader,
            listening,
            controls,
            service,
            desk: Arc::new(Desk(events.clone())),
            refreshing: Refreshing::new(&config, seed),
            notifying: Notifying::new(&config.options, (seed >> 16) as u16),
            watch: watch.map_err(|error| StartError::Watch(error.to_string()))?,
            events: events.clone(),
            loads_open: 0,
            after_loads: AfterLoads::All,
            booted: SystemTime::now(),
            last_configured: SystemTime::now(),
            last_reload_failed: false,
            is_stopping: false,
            config,
        };
        core.shared.is_logging_queries.store(core.config.options.querylog, Ordering::Relaxed);
        core.adopt(core.config.clone());
        for (address, sockets) in bound {
            core.listening.serve(address, sockets, &core.service);
        }
        core.follow_configuration();
        core.announce_loads(AfterLoads::All);
        Ok(core)
    }
}

fn udp_workers(count: usize, shared: &Arc<Shared>, seed: u64) -> io::Result<Vec<Worker>> {
    let worker = |number: usize| {
        let responder = UdpResponder::new(Arc::clone(shared), seed.wrapping_add(number as u64));
        Worker::start(&format!("udp-{number}"), responder)
    };
    (0..count).map(worker).collect()
}

fn identity() -> snapshot::Server {
    let hostname = nix::unistd::gethostname().ok().and_then(|name| name.into_string().ok());
    let mut cookie_secret = [0; 16];
    let halves = cookie_secret.chunks_exact_mut(8);
    halves.for_each(|half| half.copy_from_slice(&RandomState::new().hash_one(0).to_be_bytes()));
    snapshot::Server { version: version::FULL.into(), hostname: hostname.map(String::into_boxed_str), cookie_secret }
}

/// SIGHUP reloads, SIGTERM and SIGINT end; SIGUSR1, which would end an unprepared process, is ignored.
fn spawn_signals(events: &UnboundedSender<Event>) -> io::Result<()> {
    tokio::spawn(forward(signal(SignalKind::hangup())?, || Event::Hangup, events.clone()));
    for kind in [SignalKind::terminate(), SignalKind::interrupt()] {
        tokio::spawn(forward(signal(kind)?, || Event::Terminate, events.clone()));
    }
    let mut ignored = signal(SignalKind::user_defined1())?;
    tokio::spawn(async move { while ignored.recv().await.is_some() {} });
    Ok(())
}

async fn forward(mut signal: Signal, event: fn() -> Event, events: UnboundedSender<Event>) {
    while signal.recv().await.is_some() {
        if events.send(event()).is_err() {
            return;
        }
    }
}

/// Hears of addresses that come and go; without the kernel's word the interfaces are still looked at now and then.
fn spawn_interface_watch(events: &UnboundedSender<Event>) {
    let Ok(mut changes) = Changes::subscribe() else { return };
    let events = events.clone();
    tokio::spawn(async move {
        while changes.changed().await.is_ok() {
            if events.send(Event::Interfaces).is_err() {
                return;
            }
        }
    });
}

/// How many processors there are.
pub(super) fn processors() -> usize {
    std::thread::available_parallelism().map_or(1, usize::from)
}

/// TCP and transfers get two threads even where one worker answers UDP, so that a large transfer never holds up the
/// rest.
const MIN_RUNTIME_THREADS: usize = 2;
/// How long what is under way may take to end.
const LAST_PATIENCE: Duration = Duration::from_secs(1);

/// The configuration file of Debian's named.
pub const DEFAULT_CONFIG: &str = "/etc/bind/named.conf";
/// The pid file of Debian's named, where the configuration says nothing.
pub const DEFAULT_PID_FILE: &str = "/run/named/named.pid";
/// The session key of Debian's named, where the configuration says nothing.
pub const DEFAULT_SESSION_KEY: &str = "/run/named/session.key";

/// What `-v` prints.
pub const VERSION: &str = version::FULL;
