//! From the command line to a running server, and its end.
//!
//! The order is named's: root given up, log, configuration, sockets, threads, zones, ready. Root goes before anything
//! is read or written, so that files belong to the account of `-u` from the first line of the log on, and before there
//! is a second thread; nothing is said to be ready before every zone has been read.

use std::hash::{BuildHasher, RandomState};
use std::io::IsTerminal;
use std::net::SocketAddr;
use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, SystemTime};
use std::{env, io};

use nix::unistd::{AccessFlags, access};
use tokio::runtime::Runtime;
use tokio::signal::unix::{Signal, SignalKind, signal};
use tokio::sync::mpsc::{UnboundedSender, unbounded_channel};

use super::access::Host;
use super::catalogs::Catalogs;
use super::commands::Desk;
use super::connectors::Connectors;
use super::control::listener::io_text;
use super::controls::Controls;
use super::copies::Copies;
use super::core::{AfterLoads, Core, Event};
use super::heartbeat::Heartbeat;
use super::limiting::Rows;
use super::listening::{self, Bound, Families, Listening, Workers};
use super::load::Loader;
use super::logging::{self, Category, Foreground, Routing, Severity, log, syslog};
use super::notices;
use super::notifying::Notifying;
use super::plan::Plan;
use super::privilege::{Account, PrivilegeError, change_root};
use super::process::{self, PidFile};
use super::progress::Progress;
use super::reconfiguring::Reconfiguring;
use super::refreshing::Refreshing;
use super::shared::Shared;
use super::stacks::Stacks;
use super::troubles::Troubles;
use super::updating::Updating;
use super::watch::FileWatch;
use super::worker::{TcpService, UdpResponder};
use super::zones::Zones;
use super::{snapshot, version};
use crate::conf::config::{Config, Listen, Options};
use crate::conf::{self, Diagnostics, Tolerance};
use crate::net::interfaces::{Changes, InterfaceAddress};
use crate::net::tcp;
use crate::net::udp::Worker;
use crate::transfer::guard::Guards;

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
    /// `--tolerate` and NOMD_TOLERATE: refused statements that may stand.
    pub tolerance: Tolerance,
    /// `--guard` and NOMD_GUARD: what BIND does not guard against.
    pub guards: Guards,
    /// `--guard-file` and NOMD_GUARD_FILE: those of single zones; an absolute path.
    pub guard_file: Option<PathBuf>,
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
    /// It was read, and what is wrong has been said.
    #[error("loading configuration: {0}")]
    Configuration(&'static str),
    #[error("change directory to '{0}' failed: {text}", text = io_text(.1))]
    Directory(PathBuf, io::Error),
    #[error("unable to listen on any configured interfaces")]
    NotListening,
    #[error(transparent)]
    Logging(#[from] logging::Fault),
    #[error("files can't be watched: {0}")]
    Watch(String),
    #[error(transparent)]
    System(#[from] io::Error),
}

impl StartError {
    /// Why a configuration is not taken over.
    pub(super) fn reason(&self) -> String {
        match self {
            Self::Configuration(result) => (*result).to_owned(),
            other => other.to_string(),
        }
    }
}

/// Runs the server until it is told to stop.
pub fn run(options: &StartOptions) -> ExitCode {
    if !options.foreground && !process::is_in_background() {
        return process::start_in_background().unwrap_or_else(|error| {
            eprintln!("nomd: {error}");
            ExitCode::FAILURE
        });
    }
    process::take_name();
    if process::is_in_background() {
        process::leave_session();
    }
    if let Err(error) = give_up_root(options) {
        eprintln!("named: {error}");
        return ExitCode::FAILURE;
    }
    let outcome = begin_logging(options).map_err(StartError::System).and_then(|()| serve(options));
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

/// Does what only root may do, but for binding ports, and becomes the account of `-u`.
fn give_up_root(options: &StartOptions) -> Result<(), PrivilegeError> {
    process::raise_limits();
    let account = options.user.as_deref().map(Account::find).transpose()?;
    if let Some(root) = &options.chroot {
        syslog::connect_for_good();
        change_root(root).map_err(PrivilegeError::Chroot)?;
    }
    account.map_or(Ok(()), |account| account.take())
}

fn begin_logging(options: &StartOptions) -> io::Result<()> {
    let (routing, fault) = Routing::initial(&options.log_target());
    logging::init(routing)?;
    if let Some(fault) = fault {
        log!(Category::General, Severity::Error, "{fault}");
    }
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
    stacks: Stacks,
    sockets: Sockets,
    workers: usize,
    controls: Controls,
}

/// What came of binding the addresses.
#[derive(Default)]
struct Sockets {
    bound: Vec<(SocketAddr, Listen, Bound)>,
    /// Those that could not be bound, and why.
    failed: Vec<(SocketAddr, String)>,
}

fn serve(options: &StartOptions) -> Result<(), StartError> {
    let prepared = prepare(options)?;
    let runtime = runtime(prepared.workers)?;
    // On the threads of the tasks that it starts: what one brings is taken, and leads to the next, without a wake-up.
    let core = runtime.spawn(run_core(options.clone(), prepared));
    let outcome = runtime.block_on(core).unwrap_or_else(|broken_off| resume_unwind(broken_off.into_panic()));
    // Transfers and connections that are still under way end here.
    runtime.shutdown_timeout(LAST_PATIENCE);
    // Only now does the pid file go.
    outcome.map(drop)
}

fn prepare(options: &StartOptions) -> Result<Prepared, StartError> {
    let workers = options.workers.unwrap_or_else(processors).max(1);
    log!(Category::General, Severity::Info, "found {} CPUs, using {workers} worker threads", processors());
    let conf_path = std::path::absolute(&options.config)?;
    let config = load_configuration(&conf_path, options)?;
    enter_directory(&config.options)?;
    let mut stacks = Stacks::default();
    if !stacks.read(&config).is_empty() {
        return Err(StartError::Configuration("TLS error"));
    }
    let (host, addresses) = listening::survey()?;
    let sockets = bind_all(&config.options, options.families(), &host, &addresses, workers)?;
    let controls = Controls::bind(&config, &conf_path, &host);
    logging::configure(open_log(&config, options)?);
    Ok(Prepared { config, conf_path, host, stacks, sockets, workers, controls })
}

/// Reads a configuration and the guard file, and says what there is to say about them.
pub(super) fn load_configuration(path: &Path, options: &StartOptions) -> Result<Config, StartError> {
    log!(Category::General, Severity::Info, "loading configuration from '{}'", path.display());
    let (mut config, notes) = conf::load(path, &options.tolerance).map_err(|faults| refused(&faults))?;
    log_diagnostics(&notes);
    if let Some(path) = &options.guard_file {
        log!(Category::General, Severity::Info, "loading guards from '{}'", path.display());
        config.guards = conf::guards::load(path).map_err(|faults| refused(&faults))?;
    }
    notices::say(&config);
    Ok(config)
}

/// Says what is wrong with a file.
fn refused(faults: &Diagnostics) -> StartError {
    log_diagnostics(faults);
    show_to_operator(faults);
    StartError::Configuration(faults.result())
}

/// Whoever starts the server by hand sees where the faults lie, wherever the log goes.
fn show_to_operator(faults: &Diagnostics) {
    logging::flush();
    let stderr = io::stderr();
    if stderr.is_terminal() {
        eprint!("{}", faults.shown_on(&stderr));
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
        log!(Category::Config, severity, "{}", diagnostic.to_string().trim_end_matches('\n'));
    }
}

/// Zone files and much else are relative to `directory`, where secondaries are written (BIND semantics 1.20).
pub(super) fn enter_directory(options: &Options) -> Result<(), StartError> {
    let Some(directory) = &options.directory else { return Ok(()) };
    if access(directory, AccessFlags::W_OK).is_err() {
        log!(Category::General, Severity::Error, "directory '{}' is not writable", directory.display());
        return Err(StartError::Configuration("permission denied"));
    }
    env::set_current_dir(directory).map_err(|error| StartError::Directory(directory.clone(), error))?;
    log!(Category::General, Severity::Info, "the working directory is now '{}'", directory.display());
    Ok(())
}

/// Opens the channels of the configuration, files anew.
pub(super) fn open_log(config: &Config, options: &StartOptions) -> Result<Routing, StartError> {
    // File names are relative to the working directory, which is that of the configuration by now.
    let (routing, unknown) = Routing::new(&config.logging, None, &options.log_target())?;
    for fault in unknown {
        log!(Category::Config, Severity::Warning, "{fault}");
    }
    Ok(routing)
}

fn bind_all(
    options: &Options,
    families: Families,
    host: &Host,
    addresses: &[InterfaceAddress],
    workers: usize,
) -> Result<Sockets, StartError> {
    let wanted = listening::wanted(options, families, host, addresses);
    if wanted.is_empty() {
        log!(Category::Network, Severity::Warning, "not listening on any interfaces");
    }
    let mut sockets = Sockets::default();
    for (&address, &clause) in &wanted {
        listening::say_listening(address, addresses);
        match listening::bind(address, clause, workers, options) {
            Ok(bound) => sockets.bound.push((address, clause.clone(), bound)),
            Err(error) => {
                listening::say_failed(address, addresses, &error);
                sockets.failed.push((address, io_text(&error.source)));
            }
        }
    }
    if sockets.bound.is_empty() && !wanted.is_empty() { Err(StartError::NotListening) } else { Ok(sockets) }
}

fn runtime(workers: usize) -> io::Result<Runtime> {
    tokio::runtime::Builder::new_multi_thread()
        .worker_threads(workers.max(MIN_RUNTIME_THREADS))
        .thread_name("control")
        .enable_all()
        .build()
}

async fn run_core(options: StartOptions, prepared: Prepared) -> Result<Option<PidFile>, StartError> {
    let (events, mut inbox) = unbounded_channel();
    let shared = Arc::new(Shared::start(events.clone())?);
    let seed = RandomState::new().hash_one(std::process::id());
    let mut core = Core::new(&options, prepared, &shared, &events, seed)?;
    spawn_signals(&events)?;
    spawn_interface_watch(&events);
    core.run(&mut inbox).await;
    core.end_updates(&mut inbox).await;
    core.save_all().await;
    core.shut_down();
    Ok(core.pid_file.take())
}

impl Core {
    fn new(
        options: &StartOptions,
        prepared: Prepared,
        shared: &Arc<Shared>,
        events: &UnboundedSender<Event>,
        seed: u64,
    ) -> Result<Self, StartError> {
        let Prepared { config, conf_path, host, stacks, sockets, workers, controls } = prepared;
        let service = Arc::new(TcpService::new(Arc::clone(shared), seed));
        let workers = Workers { udp: udp_workers(workers, shared, seed)?, tcp: tcp::Workers::start(workers)? };
        let listening = Listening::new(workers, &config.options, options.families(), stacks);
        let done = events.clone();
        // Fails only when the server is going down.
        let loader = Loader::start(processors(), move || drop(done.send(Event::Loaded)))?;
        let watch = options.watch.then(|| FileWatch::start(events.clone())).transpose();
        let mut core = Self {
            options: options.clone(),
            conf_path,
            shared: Arc::clone(shared),
            counters: shared.new_counters(),
            identity: identity(),
            session_key: None,
            host,
            zones: Zones::default(),
            loader,
            copies: Copies::start()?,
            listening,
            connectors: Connectors::default(),
            controls,
            service,
            desk: Arc::new(Desk(events.clone())),
            refreshing: Refreshing::new(&config, seed),
            notifying: Notifying::new(&config.options),
            heartbeat: Heartbeat::default(),
            catalogs: Catalogs::default(),
            updating: Updating::default(),
            rows: Rows::default(),
            watch: watch.map_err(|error| StartError::Watch(error.to_string()))?,
            events: events.clone(),
            loads_open: 0,
            progress: Progress::default(),
            after_loads: AfterLoads::All,
            booted: SystemTime::now(),
            last_configured: SystemTime::now(),
            last_reload_failed: false,
            is_stopping: false,
            reconfiguring: Reconfiguring::default(),
            troubles: Troubles::default(),
            pid_file: None,
            config: Arc::new(config),
        };
        core.shared.is_logging_queries.store(core.config.options.querylog, Ordering::Relaxed);
        core.follow_pid_file();
        core.carry_out(Plan::of_start(&core.config), Arc::clone(&core.config));
        for (address, clause, bound) in sockets.bound {
            core.listening.serve(address, &clause, bound, &core.service);
        }
        core.troubles.set_listeners(sockets.failed);
        core.follow_settings();
        core.listening.schedule_scan();
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
    snapshot::Server {
        version: version::FULL.into(),
        hostname: hostname.map(String::into_boxed_str),
        cookie_secret,
        session_key: None,
    }
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

/// Transfers in and the control side get two threads even where there is one worker, so that a large transfer never
/// holds up the rest.
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

#[cfg(test)]
impl Core {
    /// A control side with these zones, which listens nowhere, and its events, to be handled by the test. Files are
    /// relative to the folder.
    pub(super) fn of_zones(folder: &Path, zones: &str) -> (Self, tokio::sync::mpsc::UnboundedReceiver<Event>) {
        let conf_path = folder.join("named.conf");
        let (events, inbox) = unbounded_channel();
        let options = StartOptions {
            config: conf_path.clone(),
            foreground: true,
            log_to_stderr: false,
            log_file: None,
            debug_level: 0,
            port: None,
            family: Family::Both,
            user: None,
            chroot: None,
            workers: Some(1),
            watch: false,
            tolerance: Tolerance::default(),
            guards: Guards::default(),
            guard_file: None,
            command_line: String::new(),
        };
        let config = Self::configuration(folder, zones);
        let host = Host::default();
        let controls = Controls::bind(&config, &conf_path, &host);
        let (stacks, sockets) = (Stacks::default(), Sockets::default());
        let prepared = Prepared { config, conf_path, host, stacks, sockets, workers: 1, controls };
        let shared = Arc::new(Shared::start(events.clone()).unwrap());
        (Self::new(&options, prepared, &shared, &events, 1).unwrap(), inbox)
    }

    /// The configuration of [`Self::of_zones`].
    pub(super) fn configuration(folder: &Path, zones: &str) -> Config {
        let path = folder.join("named.conf");
        let options = "options { recursion no; listen-on { none; }; listen-on-v6 { none; }; session-keyfile none; };\n\
                       controls { };\n";
        let zones = zones.replace("FOLDER", &folder.display().to_string());
        std::fs::write(&path, format!("{options}{zones}")).unwrap();
        conf::load(&path, &Tolerance::default()).unwrap().0
    }
}
