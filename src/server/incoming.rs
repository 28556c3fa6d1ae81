//! Transfers from primaries, down to a durable file.
//!
//! These run as tasks of their own and touch nothing that is served: what they bring goes to the control side. A
//! version is checked and on disk, in its file or its journal, before it gets there, so that whatever is published is
//! there again after a crash; only where it cannot be written it goes without, see `saving`.

mod course;
mod keep;
mod report;

use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::course::{Course, Limit};
pub(super) use self::report::Report;
use super::copies::Copies;
use super::exchange::exchange_text;
use super::gate::{Gate, Pass};
use super::leave::Leave;
use super::load;
use super::logging::line::{Socket, TransferPrefix, ZonePrefix, ZoneText};
use super::logging::{Category, Severity, log};
use super::saving::Turns;
use super::worker::{unix_now_s, up_s};
use crate::answer::counters::{Counter, Counters};
use crate::conf::config::Zone;
use crate::dns::tsig::Chain;
use crate::dns::{Key, Rcode, Serial};
use crate::net::connections::Connections;
use crate::net::exchange::{Connection, ExchangeError};
use crate::transfer::guard::Guards;
use crate::transfer::inbound::{Inbound, Progress, Received, StreamError};
use crate::transfer::message::{self, Ask};
use crate::transfer::peer::Peer;
use crate::transfer::refresh::{Event, Failure};
use crate::transfer::standing;
use crate::zone::ZoneVersion;
use crate::zone::copy::Durability;
use crate::zone::journal::Transaction;
use crate::zone::master::Source;

/// A transfer to be made.
pub(super) struct Request {
    /// The ID of its message.
    pub(super) id: u16,
    /// The zone.
    pub(super) zone: Zone,
    /// Its view's name.
    pub(super) view: Arc<str>,
    /// From whom.
    pub(super) primary: Arc<Peer>,
    /// The connections to it, with those that other transfers have left.
    pub(super) connections: Arc<Connections>,
    /// The version that is served.
    pub(super) old: Option<Arc<ZoneVersion>>,
    /// Whether what is on disk leads to that version.
    pub(super) is_durable: bool,
    /// The serial of the version that is served; none: whatever comes is taken.
    pub(super) have: Option<Serial>,
    /// Whether differences are not asked for, as they were and came to nothing.
    pub(super) asks_whole: bool,
    /// Where an older version is being written to the file.
    pub(super) saving: Option<Arc<Turns>>,
    /// To the primary's listener.
    pub(super) door: Gate,
    /// To writing to disk.
    pub(super) writers: Gate,
    /// How long the primary may send nothing whatever the zone says (`tcp-idle-timeout`).
    pub(super) idle_limit: Duration,
    /// What keeps a version from being published.
    pub(super) guards: Guards,
    /// Where the copy is kept; none: in memory only.
    pub(super) file: Option<PathBuf>,
    /// How often the working directory had changed, which relative names follow.
    pub(super) directories: u64,
    /// Who writes small ones.
    pub(super) copies: Copies,
    /// To write.
    pub(super) leave: Leave,
    /// What is counted.
    pub(super) counters: Arc<Counters>,
}

/// How a transfer ended.
pub(super) enum Arrived {
    /// A version that is checked, and on disk if that is possible.
    New {
        /// The contents.
        version: Arc<ZoneVersion>,
        /// Its file.
        sources: Vec<Source>,
        /// What it needs to be there again after a crash.
        durability: Durability,
        /// When it was written.
        kept_s: u64,
        /// What is said once it is served.
        report: Box<Report>,
    },
    /// The primary has nothing newer.
    UpToDate,
    /// It came to nothing; why, in words.
    Failed(Failure, String),
}

/// What a primary has sent.
enum Brought {
    Whole(ZoneVersion),
    Changed(ZoneVersion, Vec<Transaction>),
    /// What we have is current.
    Nothing,
}

impl Arrived {
    /// What the zone's machine is told when there is nothing to publish.
    pub(super) fn event(self) -> Event {
        match self {
            Self::New { .. } | Self::UpToDate => Event::UpToDate,
            Self::Failed(failure, reason) => Event::TransferFailed(failure, reason),
        }
    }
}

/// Why a transfer failed.
#[derive(Debug, thiserror::Error)]
enum TransferError {
    #[error("failed to connect: {0}")]
    Connect(String),
    #[error("failed while receiving responses: {0}")]
    Stream(StreamError),
    /// The answer to IXFR is of no use; the whole zone may be.
    #[error("failed while receiving responses: {error}")]
    Differences {
        error: StreamError,
        /// Whether differences had begun to come.
        is_incremental: bool,
    },
    #[error("failed while receiving responses: {0}")]
    Exchange(String),
    #[error("{0}: timed out")]
    TimedOut(Limit),
    #[error("serial {serial} is older than ours ({have})")]
    Older { serial: Serial, have: Serial },
    #[error("held back: {after} records, where {before} are served")]
    Shrunk { serial: Serial, before: usize, after: usize },
}

impl TransferError {
    /// The reason alone, as the status line has it.
    fn status(&self) -> String {
        match self {
            Self::Connect(reason) | Self::Exchange(reason) => reason.clone(),
            Self::Differences { is_incremental: true, .. } => "IXFR failed".to_owned(),
            Self::Stream(error) | Self::Differences { error, .. } => error.to_string(),
            Self::TimedOut(_) => "timed out".to_owned(),
            Self::Older { .. } => "not newer".to_owned(),
            Self::Shrunk { .. } => "held back".to_owned(),
        }
    }

    /// The same with what else there is to know.
    fn reason(&self) -> String {
        match self {
            Self::Stream(StreamError::Tsig(error)) => standing::tsig_reason(*error, unix_now_s()),
            Self::Shrunk { .. } => self.to_string(),
            other => other.status(),
        }
    }

    fn failure(&self, began_s: u64) -> Failure {
        match self {
            Self::TimedOut(Limit::Idle | Limit::Silence) => Failure::Silent { began_s },
            Self::Connect(_) => Failure::Unreachable,
            Self::Shrunk { serial, .. } => Failure::Shrunk(*serial),
            Self::Stream(StreamError::TooManyRecords | StreamError::WideRrset(_)) => Failure::TooManyRecords,
            Self::Stream(StreamError::Rcode(Rcode::REFUSED | Rcode::NOTAUTH) | StreamError::Tsig(_)) => {
                Failure::Refused
            }
            _ => Failure::Other,
        }
    }
}

/// Transfers a zone or what has changed in it, makes it durable, and says so as named does.
pub(super) async fn transfer(mut request: Request) -> Arrived {
    let (mut began, began_s) = (Instant::now(), up_s());
    request.log_started();
    let mut received = Received::default();
    let mut outcome = request.attempt(&mut received).await;
    if let Err(error @ TransferError::Differences { .. }) = &outcome {
        request.fall_back(error, received, began.elapsed());
        (received, began) = (Received::default(), Instant::now());
        outcome = request.attempt(&mut received).await;
    }
    let took = began.elapsed();
    match outcome.and_then(|brought| request.guarded(brought)) {
        Ok(Brought::Whole(version)) => {
            let difference = request.difference(&version);
            if difference.is_empty() {
                request.wait_for_file().await;
            }
            request.store(version, difference, received, took).await
        }
        Ok(Brought::Changed(version, transactions)) => {
            request.store(version, transactions.into(), received, took).await
        }
        Ok(Brought::Nothing) => {
            Report { request, received, took, serial: None }.say("up to date");
            Arrived::UpToDate
        }
        Err(error) => {
            request.log_fault(&error);
            let status = error.status();
            Report { request, received, took, serial: None }.say(&status);
            Arrived::Failed(error.failure(began_s), error.reason())
        }
    }
}

impl Request {
    fn text(&self) -> ZoneText<'_> {
        ZoneText { apex: self.zone.apex.as_ref(), class: self.zone.class, view: &self.view }
    }

    async fn attempt(&self, received: &mut Received) -> Result<Brought, TransferError> {
        let mut chain = self.primary.key.as_deref().map(Chain::new);
        let query = self.query(chain.as_mut())?;
        let (answering, pass) = Box::pin(self.ask_again_or_enter(&query)).await;
        let course = Course::new(pass);
        let exchange = async {
            let connection = match answering {
                Some(connection) => connection,
                None => self.ask(&query).await?,
            };
            self.receive(connection, chain, received, &course).await
        };
        tokio::select! {
            outcome = Box::pin(exchange) => outcome,
            limit = course.runs_into(&self.zone.settings) => Err(TransferError::TimedOut(limit)),
        }
    }

    /// Keeps back what the shrink guard does not let pass.
    fn guarded(&self, brought: Brought) -> Result<Brought, TransferError> {
        let (Brought::Whole(version) | Brought::Changed(version, _)) = &brought else { return Ok(brought) };
        let Some(old) = self.old.as_deref() else { return Ok(brought) };
        let (serial, before, after) = (version.serial(), old.record_count(), version.record_count());
        let is_shrunk = self.guards.is_shrunk(before, after);
        if is_shrunk { Err(TransferError::Shrunk { serial, before, after }) } else { Ok(brought) }
    }

    /// What it counts as, over IPv4 and IPv6.
    pub(super) fn kind(&self) -> [Counter; 2] {
        match self.base() {
            Some(_) => [Counter::IXFRReqv4, Counter::IXFRReqv6],
            None => [Counter::AXFRReqv4, Counter::AXFRReqv6],
        }
    }

    /// The version that differences can be made to, where they are to be asked for.
    fn base(&self) -> Option<&ZoneVersion> {
        let is_wanted = self.primary.request_ixfr.unwrap_or(self.zone.settings.request_ixfr);
        self.old.as_deref().filter(|old| is_wanted && !self.asks_whole && self.have == Some(old.serial()))
    }

    /// Asks for the whole zone from now on. named asks for the SOA record anew before that.
    fn fall_back(&mut self, failed: &TransferError, received: Received, took: Duration) {
        self.asks_whole = true;
        let from = TransferPrefix(self.text(), self.primary.address);
        match failed {
            TransferError::Differences { error, .. } if error.is_of_message() => {
                let got = if *error == StreamError::NoAnswer { "" } else { "got " };
                log!(Category::XferIn, Severity::Debug(3), "{from}{got}{error}, retrying with AXFR");
                log!(Category::XferIn, Severity::Info, "{from}resetting");
            }
            _ => {
                self.log_fault(failed);
                self.log_end(&failed.status(), &received, took, None);
                self.counters.add(Counter::XfrFail);
                self.log_started();
                self.counters.add_for(self.primary.address.ip(), self.kind());
                let (zone, primary) = (ZonePrefix(self.text()), Socket(self.primary.address));
                let what = format_args!("retrying with AXFR from {primary} due to previous IXFR failure");
                log!(Category::XferIn, Severity::Debug(1), "{zone}{what}");
            }
        }
    }

    /// Asks over a connection that has served before, or gets leave to open a new one.
    async fn ask_again_or_enter(&self, query: &[u8]) -> (Option<Connection>, Option<Pass>) {
        if let Some(answering) = self.ask_again(query).await {
            return (Some(answering), None);
        }
        let pass = self.door.enter().await;
        // Another transfer may have left one meanwhile.
        match self.ask_again(query).await {
            Some(answering) => (Some(answering), None),
            None => (None, Some(pass)),
        }
    }

    /// Asks over a connection that has served before, where there is one. None unless it is answered: the primary may
    /// have been about to close it, or may take one request only on each.
    async fn ask_again(&self, query: &[u8]) -> Option<Connection> {
        let mut connection = self.connections.take()?;
        let answer = async {
            connection.send(query, AGAIN_TIMEOUT).await?;
            connection.peek(AGAIN_TIMEOUT).await.map(|bytes| bytes.starts_with(&self.id.to_be_bytes()))
        };
        if matches!(answer.await, Ok(true)) {
            self.log_connected(&connection);
            return Some(connection);
        }
        self.connections.keep_none();
        None
    }

    /// Asks over a new connection.
    async fn ask(&self, query: &[u8]) -> Result<Connection, TransferError> {
        let opened = self.connections.open().await;
        let mut connection = opened.map_err(|error| TransferError::Connect(exchange_text(&error)))?;
        self.log_connected(&connection);
        connection.send(query, self.primary.connect_limit).await.map_err(|error| broken(&error))?;
        Ok(connection)
    }

    /// Takes what comes.
    async fn receive(
        &self,
        mut connection: Connection,
        chain: Option<Chain<&Key>>,
        received: &mut Received,
        course: &Course,
    ) -> Result<Brought, TransferError> {
        let zone = &self.zone;
        let limits = load::limits(&zone.settings);
        let is_large = self.old.as_ref().is_some_and(|old| old.size_bytes() > LARGE_BYTES);
        let max_differences = self.primary.max_differences.unwrap_or(zone.settings.request_ixfr_max_diffs);
        let mut transfer = Inbound::new(zone.apex.clone(), zone.class, self.id, self.base(), chain, limits)
            .with_max_differences(max_differences)
            .with_check_names(load::strictness(zone.settings.checks.names));
        let (idle_limit, of_silence) = Limit::of_silence(zone.settings.max_transfer_idle_in, self.idle_limit);
        let progress = loop {
            let bytes = connection.receive(idle_limit).await;
            let progress = match bytes {
                // The last message builds the zone, which takes a while for a large one.
                Ok(bytes) if is_large || transfer.received().bytes > SMALL_BYTES => {
                    tokio::task::block_in_place(|| transfer.feed(bytes, unix_now_s()))
                }
                Ok(bytes) => transfer.feed(bytes, unix_now_s()),
                Err(ExchangeError::Closed) => Err(StreamError::UnexpectedEnd),
                Err(ExchangeError::TimedOut) => return Err(TransferError::TimedOut(of_silence)),
                Err(error) => return Err(broken(&error)),
            };
            *received = transfer.received();
            transfer.take_remarks().iter().for_each(|remark| self.log_remark(remark));
            course.came_in(received.bytes);
            match progress.map_err(|error| fault(&transfer, error))? {
                Progress::More => {}
                last => break last,
            }
        };
        self.connections.keep(connection);
        match progress {
            Progress::Changed(version, transactions) => Ok(Brought::Changed(*version, transactions)),
            Progress::Done(version) => self.newer(*version),
            Progress::More | Progress::UpToDate(_) => Ok(Brought::Nothing),
        }
    }

    /// The request, signed.
    fn query(&self, chain: Option<&mut Chain<&Key>>) -> Result<Vec<u8>, TransferError> {
        let soa = self.base().and_then(ZoneVersion::soa_record);
        let ask = soa.map_or(Ask::Axfr, |(ttl, soa)| Ask::Ixfr(ttl, soa));
        let mut query = message::request(self.id, self.zone.apex.as_ref(), self.zone.class, ask, None)
            .map_err(|error| TransferError::Exchange(error.to_string()))?;
        if let Some(chain) = chain {
            message::sign(chain, &mut query, unix_now_s());
        }
        Ok(query)
    }

    /// A primary may have gone back since it was asked for its serial, or stand for several of which some lag behind.
    /// BIND takes what comes; we serve no older version unless we are told to (compat-tests/faults.rs).
    fn newer(&self, version: ZoneVersion) -> Result<Brought, TransferError> {
        let serial = version.serial();
        match self.have {
            Some(have) if serial == have => Ok(Brought::Nothing),
            Some(have) if !serial.is_newer_than(have) => Err(TransferError::Older { serial, have }),
            _ => Ok(Brought::Whole(version)),
        }
    }
}

fn fault(transfer: &Inbound<'_>, error: StreamError) -> TransferError {
    match transfer.suggests_axfr(&error) {
        true => TransferError::Differences { error, is_incremental: transfer.is_incremental() },
        false => TransferError::Stream(error),
    }
}

fn broken(error: &ExchangeError) -> TransferError {
    TransferError::Exchange(exchange_text(error))
}

/// How long a connection that has served before may take to answer until a new one is opened.
const AGAIN_TIMEOUT: Duration = Duration::from_secs(5);
/// What is built of so many bytes is not worth another thread.
const SMALL_BYTES: u64 = 64 << 10;
/// Nor is what is changed in a zone of so many; a larger one may be put in order on that occasion.
const LARGE_BYTES: usize = 4 << 20;
