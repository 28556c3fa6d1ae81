//! Exchanges of a secondary with its primaries: the SOA query, and the transfer down to a durable file.
//!
//! These run as tasks of their own and touch nothing that is served: what they bring goes to the control side. A
//! version is checked and on disk, in its file or its journal, before it gets there, so that whatever is published is
//! there again after a crash; only where it cannot be written it goes without, see `saving`.

mod course;

use std::net::SocketAddr;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::course::{Course, Limit};
use super::control::listener::io_text;
use super::copies::Copies;
use super::exchange::DATAGRAM_TIMEOUT;
use super::gate::Gate;
use super::journals::{self, Difference};
use super::leave::Leave;
use super::load;
use super::logging::line::{Socket, TransferPrefix, ZonePrefix, ZoneText, relative};
use super::logging::{Category, Severity, log};
use super::pipes::Pipe;
use super::refreshing::UNEXPECTED;
use super::saving::{self, Turns};
use super::worker::unix_now_s;
use crate::conf::config::Zone;
use crate::dns::tsig::Chain;
use crate::dns::wire::WireError;
use crate::dns::{Class, Key, Name, Opcode, Rcode, Serial};
use crate::net::exchange::{Connection, ExchangeError, Secure};
use crate::net::sockets::Sockets;
use crate::transfer::guard::Guards;
use crate::transfer::inbound::{Inbound, Progress, Received, StreamError};
use crate::transfer::message::{self, Ask, Opt, SoaReply};
use crate::transfer::peer::Peer;
use crate::transfer::refresh::{Event, Failure, SOA_TIMEOUT_S};
use crate::transfer::standing::{self, LastTransfer};
use crate::zone::copy::{Durability, Kept, News};
use crate::zone::journal::Transaction;
use crate::zone::master::Source;
use crate::zone::{ZoneVersion, diff};

/// A question for a primary's SOA record.
pub(super) struct SoaQuery {
    /// The ID of its message.
    pub(super) id: u16,
    /// The zone.
    pub(super) apex: Name,
    /// Its class.
    pub(super) class: Class,
    /// Who is asked.
    pub(super) primary: Arc<Peer>,
    /// What it is spoken to with, where TLS is asked for.
    pub(super) tls: Option<Arc<Secure>>,
    /// What EDNS says.
    pub(super) opt: Option<Opt>,
    /// The connection that it shares with others, where it goes over one.
    pub(super) pipe: Option<Pipe>,
    /// To where the primary takes datagrams.
    pub(super) door: Gate,
    /// The sockets that it may use, those of others while there are many.
    pub(super) sockets: Arc<Sockets>,
}

impl SoaQuery {
    /// Asks, and gives what the zone's machine is to be told.
    pub(super) async fn ask(self) -> Event {
        let (zone, id) = (self.apex.as_ref(), self.id);
        let mut chain = self.primary.key.as_deref().map(Chain::new);
        let mut query = match message::request(id, zone, self.class, Ask::Soa, self.opt) {
            Ok(query) => query,
            Err(error) => return Event::SoaFailed(error.to_string()),
        };
        if let Some(chain) = &mut chain {
            message::sign(chain, &mut query, unix_now_s());
        }
        match self.exchange(&query).await {
            Ok(bytes) if self.is_answer(&bytes) => {
                Event::SoaReply(message::read_soa_reply(&bytes, zone, chain.as_mut(), unix_now_s()))
            }
            Ok(_) => Event::SoaReply(SoaReply::Malformed(WireError::BadField)),
            Err(ExchangeError::TimedOut) => Event::SoaTimeout,
            Err(error) => Event::SoaFailed(exchange_text(&error)),
        }
    }

    async fn exchange(&self, query: &[u8]) -> Result<Vec<u8>, ExchangeError> {
        match &self.pipe {
            Some(pipe) => Box::pin(self.ask_through(pipe, query)).await,
            None => {
                let ask = || self.sockets.ask(query, SOA_TIMEOUT, |bytes| self.is_answer(bytes));
                self.door.inside(DATAGRAM_TIMEOUT, ask).await
            }
        }
    }

    async fn ask_through(&self, pipe: &Pipe, query: &[u8]) -> Result<Vec<u8>, ExchangeError> {
        let primary = &self.primary;
        let shared = tokio::time::timeout(primary.connect_limit + SOA_TIMEOUT, pipe.ask(self.id, query)).await;
        match shared.unwrap_or(Some(Err(ExchangeError::TimedOut))) {
            Some(outcome) => outcome,
            None => ask_tcp(query, primary, self.tls.as_deref(), SOA_TIMEOUT).await,
        }
    }

    fn is_answer(&self, bytes: &[u8]) -> bool {
        message::answers(bytes, self.id, Opcode::QUERY, self.apex.as_ref())
    }
}

/// Asks over a connection of its own, with a limit for each step.
pub(super) async fn ask_tcp(
    query: &[u8],
    peer: &Peer,
    tls: Option<&Secure>,
    limit: Duration,
) -> Result<Vec<u8>, ExchangeError> {
    let mut connection = Connection::open(peer.address, Some(peer.source), tls, peer.connect_limit).await?;
    connection.send(query, limit).await?;
    connection.receive(limit).await.map(<[u8]>::to_vec)
}

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
    /// What it is spoken to with, where TLS is asked for.
    pub(super) tls: Option<Arc<Secure>>,
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
    /// Who writes small ones.
    pub(super) copies: Copies,
    /// To write.
    pub(super) leave: Leave,
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
    #[error("failed while receiving responses: {0}")]
    Differences(StreamError),
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
            Self::Stream(error) | Self::Differences(error) => error.to_string(),
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
    let (began, began_s) = (Instant::now(), unix_now_s());
    log!(Category::XferIn, Severity::Info, "{}Transfer started.", ZonePrefix(request.text()));
    let mut received = Received::default();
    let mut outcome = request.attempt(&mut received).await;
    if let Err(error @ TransferError::Differences(_)) = outcome {
        request.fall_back(&error);
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
        let course = Course::new(self.door.enter().await);
        tokio::select! {
            outcome = Box::pin(self.receive(received, &course)) => outcome,
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

    /// The version that differences can be made to, where they are to be asked for.
    fn base(&self) -> Option<&ZoneVersion> {
        let is_wanted = self.primary.request_ixfr.unwrap_or(self.zone.settings.request_ixfr);
        self.old.as_deref().filter(|old| is_wanted && !self.asks_whole && self.have == Some(old.serial()))
    }

    /// Asks for the whole zone from now on.
    fn fall_back(&mut self, error: &TransferError) {
        let from = TransferPrefix(self.text(), self.primary.address);
        match error {
            TransferError::Differences(error @ (StreamError::Rcode(_) | StreamError::NoAnswer)) => {
                log!(Category::XferIn, Severity::Debug(3), "{from}got {error}, retrying with AXFR");
            }
            _ => {
                self.log_fault(error);
                log!(Category::XferIn, Severity::Info, "{from}retrying with AXFR due to previous IXFR failure");
            }
        }
        self.asks_whole = true;
    }

    /// Asks, and takes what comes.
    async fn receive(&self, received: &mut Received, course: &Course) -> Result<Brought, TransferError> {
        let (zone, primary) = (&self.zone, &self.primary);
        let mut connection =
            Connection::open(primary.address, Some(primary.source), self.tls.as_deref(), primary.connect_limit)
                .await
                .map_err(|error| TransferError::Connect(exchange_text(&error)))?;
        self.log_connected(&connection, primary.key.as_deref());
        let mut chain = primary.key.as_deref().map(Chain::new);
        let query = self.query(chain.as_mut())?;
        let broken = |error: ExchangeError| TransferError::Exchange(exchange_text(&error));
        connection.send(&query, primary.connect_limit).await.map_err(broken)?;
        let limits = load::limits(&zone.settings);
        let is_large = self.old.as_ref().is_some_and(|old| old.size_bytes() > LARGE_BYTES);
        let max_differences = primary.max_differences.unwrap_or(zone.settings.request_ixfr_max_diffs);
        let mut transfer = Inbound::new(zone.apex.clone(), zone.class, self.id, self.base(), chain, limits)
            .with_max_differences(max_differences);
        let (idle_limit, of_silence) = Limit::of_silence(zone.settings.max_transfer_idle_in, self.idle_limit);
        loop {
            let bytes = connection.receive(idle_limit).await;
            let progress = match bytes {
                // The last message builds the zone, which takes a while for a large one.
                Ok(bytes) if is_large || transfer.received().bytes > SMALL_BYTES => {
                    tokio::task::block_in_place(|| transfer.feed(bytes, unix_now_s()))
                }
                Ok(bytes) => transfer.feed(bytes, unix_now_s()),
                Err(ExchangeError::Closed) => Err(transfer.end_of_input()),
                Err(ExchangeError::TimedOut) => return Err(TransferError::TimedOut(of_silence)),
                Err(error) => return Err(broken(error)),
            };
            *received = transfer.received();
            course.came_in(received.bytes);
            match progress.map_err(|error| fault(&transfer, error))? {
                Progress::More => {}
                Progress::UpToDate(_) => return Ok(Brought::Nothing),
                Progress::Changed(version, transactions) => return Ok(Brought::Changed(*version, transactions)),
                Progress::Done(version) => return self.newer(*version),
            }
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

    /// What leads to a small zone from the version on disk, where differences were asked for and the whole came. To
    /// append that to the journal is much less work for a disk than to write a file anew, and for whoever waits for it.
    fn difference(&self, version: &ZoneVersion) -> Arc<[Transaction]> {
        let is_wanted = self.is_durable && self.file.is_some() && !self.zone.settings.ixfr_from_differences;
        let old = self.base().filter(|old| is_wanted && Copies::take(old) && Copies::take(version));
        let difference = old.and_then(|old| diff::diff_in_full(old, version));
        let most_bytes = version.size_bytes().max(BLOCK_BYTES);
        difference.into_iter().filter(|difference| difference.as_bytes().len() <= most_bytes).collect()
    }

    /// Waits until nothing older can take the place of what is written to the file. Changes go to the journal, which
    /// may grow meanwhile.
    async fn wait_for_file(&self) {
        if let Some(turns) = &self.saving {
            turns.wait_for_file().await;
        }
    }

    /// Makes a version durable, with the changes that lead to it where they came. A few are written at a time: each
    /// takes a thread, and a disk that is asked for more at once gets no faster.
    async fn store(
        self,
        version: ZoneVersion,
        transactions: Arc<[Transaction]>,
        received: Received,
        took: Duration,
    ) -> Arrived {
        let version = Arc::new(version);
        if let Some(kept) = self.keep_together(&version, &transactions).await {
            return self.arrived(version, &kept, received, took);
        }
        let pass = self.writers.enter().await;
        let write = move || {
            let leave = self.leave.clone();
            // Nobody hears of a transfer whose zone is gone.
            let Some(held) = leave.hold() else { return Arrived::Failed(Failure::Other, UNEXPECTED.to_owned()) };
            let kept = self.keep(&version, &transactions);
            drop((held, pass));
            self.arrived(version, &kept, received, took)
        };
        let broken_off = |_| Arrived::Failed(Failure::Other, UNEXPECTED.to_owned());
        tokio::task::spawn_blocking(write).await.unwrap_or_else(broken_off)
    }

    fn arrived(self, version: Arc<ZoneVersion>, kept: &Kept, received: Received, took: Duration) -> Arrived {
        kept.faults.iter().for_each(|fault| saving::log_fault(self.text(), fault));
        let (sources, serial, durability) = (self.sources(), Some(version.serial()), kept.durability);
        let report = Box::new(Report { request: self, received, took, serial });
        Arrived::New { version, sources, durability, kept_s: unix_now_s(), report }
    }

    /// Writes a small version to its file, or small changes to the journal, beside those of other zones. None: it is
    /// to be written by itself.
    async fn keep_together(&self, version: &Arc<ZoneVersion>, transactions: &Arc<[Transaction]>) -> Option<Kept> {
        let is_change = self.is_durable && !transactions.is_empty();
        let is_small = if is_change { Copies::take_changes(transactions) } else { Copies::take(version) };
        let is_recorded = !is_change && self.zone.settings.ixfr_from_differences;
        let is_taken = is_small && !is_recorded && self.saving.is_none();
        let copy = journals::copy(&self.zone).filter(|_| is_taken)?;
        let transactions = if is_change { Arc::clone(transactions) } else { [].into() };
        self.copies.keep(copy, Arc::clone(version), transactions, self.leave.clone()).await
    }

    /// Writes a version to disk. A zone without a file is as durable as it can be.
    fn keep(&self, version: &ZoneVersion, transactions: &[Transaction]) -> Kept {
        let Some(copy) = journals::copy(&self.zone) else {
            return Kept { durability: Durability::File, faults: vec![] };
        };
        let mut journal_turn = self.saving.as_deref().map(Turns::journal);
        let news = match () {
            () if self.is_durable && !transactions.is_empty() => News::Changes(transactions),
            () if self.record(version) => News::Recorded,
            () => News::Whole,
        };
        let wait_for_file = || {
            drop(journal_turn.take());
            self.saving.iter().for_each(|turns| turns.block_for_file());
        };
        copy.keep(version, news, unix_now_s(), wait_for_file)
    }

    /// Records in the journal what the transfer has changed, where that is asked for.
    fn record(&self, version: &ZoneVersion) -> bool {
        let Some(old) = self.old.as_ref().filter(|_| self.zone.settings.ixfr_from_differences) else { return false };
        let mut messages = vec![];
        let difference = journals::record(&self.zone, old, version, &mut messages);
        for message in messages {
            log!(Category::General, Severity::Error, "{}{message}", ZonePrefix(self.text()));
        }
        matches!(difference, Difference::Recorded)
    }

    fn sources(&self) -> Vec<Source> {
        let source = |path: &PathBuf| Source { path: path.as_path().into(), modified: load::modified(path) };
        self.file.iter().map(source).collect()
    }

    fn log_connected(&self, connection: &Connection, key: Option<&Key>) {
        let from = TransferPrefix(self.text(), self.primary.address);
        let key = key.map(|key| format!(" TSIG {}", relative(key.name.as_ref())));
        log!(
            Category::XferIn,
            Severity::Info,
            "{from}connected using {}{}",
            Socket(connection.local()),
            key.unwrap_or_default()
        );
    }

    /// BIND says in a line of its own what is behind some of its reasons.
    fn log_fault(&self, error: &TransferError) {
        let from = TransferPrefix(self.text(), self.primary.address);
        match error {
            TransferError::Stream(StreamError::Malformed(flaw))
            | TransferError::Differences(StreamError::Malformed(flaw)) => {
                log!(Category::XferIn, Severity::Notice, "{from}{flaw}");
            }
            TransferError::Stream(StreamError::WideRrset(wide))
            | TransferError::Differences(StreamError::WideRrset(wide)) => {
                log!(Category::ZoneLoad, Severity::Error, "{wide}");
            }
            TransferError::Stream(StreamError::NoNs) => {
                log!(Category::General, Severity::Error, "{}has no NS records", ZonePrefix(self.text()));
            }
            _ => {}
        }
        log!(Category::XferIn, Severity::Error, "{from}{error}");
    }
}

/// What is said of a transfer at its end.
pub(super) struct Report {
    request: Request,
    received: Received,
    took: Duration,
    /// The serial of the version that it brought.
    serial: Option<Serial>,
}

impl Report {
    /// Whether changes went to the journal that a zone has.
    pub(super) fn has_journal_of(&self, zone: &Zone) -> bool {
        journals::path(&self.request.zone) == journals::path(zone)
    }

    /// From whom it came.
    pub(super) fn primary(&self) -> SocketAddr {
        self.request.primary.address
    }

    /// What the transfer was like.
    pub(super) fn facts(&self) -> LastTransfer {
        LastTransfer { ended_s: unix_now_s(), bytes: self.received.bytes, took: self.took }
    }

    /// Says that the version is served.
    pub(super) fn say_success(&self) {
        let (zone, primary) = (ZonePrefix(self.request.text()), &self.request.primary);
        let key = primary.key.as_ref().map(|key| format!(": TSIG '{}'", relative(key.name.as_ref())));
        let serial = self.serial.unwrap_or(Serial(0));
        log!(Category::XferIn, Severity::Info, "{zone}transferred serial {serial}{}", key.unwrap_or_default());
        self.say("success");
    }

    fn say(&self, status: &str) {
        let from = TransferPrefix(self.request.text(), self.request.primary.address);
        log!(Category::XferIn, Severity::Info, "{from}Transfer status: {status}");
        let Received { messages, records, bytes, out_of_zone, .. } = self.received;
        if out_of_zone > 0 {
            log!(Category::XferIn, Severity::Warning, "{from}{out_of_zone} records outside the zone were left out");
        }
        let took = self.took.max(Duration::from_millis(1));
        let rate = u128::from(bytes) * 1000 / took.as_millis();
        log!(
            Category::XferIn,
            Severity::Info,
            "{from}Transfer completed: {messages} messages, {records} records, {bytes} bytes, {:.3} secs \
             ({rate} bytes/sec) (serial {})",
            took.as_secs_f64(),
            self.serial.or(self.received.serial).unwrap_or(Serial(0)),
        );
    }
}

fn fault(transfer: &Inbound<'_>, error: StreamError) -> TransferError {
    if transfer.suggests_axfr(&error) { TransferError::Differences(error) } else { TransferError::Stream(error) }
}

fn exchange_text(error: &ExchangeError) -> String {
    match error {
        ExchangeError::Io(error) => io_text(error),
        other => other.to_string(),
    }
}

/// A difference of this size is worth less than the zone, however small that is: a disk writes no less at a time.
const BLOCK_BYTES: usize = 4 << 10;
/// What is built of so many bytes is not worth another thread.
const SMALL_BYTES: u64 = 64 << 10;
/// Nor is what is changed in a zone of so many; a larger one may be put in order on that occasion.
const LARGE_BYTES: usize = 4 << 20;

pub(super) const SOA_TIMEOUT: Duration = Duration::from_secs(SOA_TIMEOUT_S);
