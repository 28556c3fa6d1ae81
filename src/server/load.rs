//! Zones from their files: a few threads that read, check and build, and report each zone as it is done.
//!
//! A slow or broken file holds up one thread and no zone but its own; where all threads are held up and zones wait,
//! there will be another ([`Loader::help`]). Zones are read in the order of the
//! configuration, those that somebody asks for before the others. Nothing is published here: the outcomes wait for the
//! caller, who alone changes what is served, and who is told only when there were none: of many zones that are read
//! quickly several are taken at a time.

use std::collections::{BTreeMap, VecDeque};
use std::io;
use std::panic::{AssertUnwindSafe, catch_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Condvar, Mutex, MutexGuard, PoisonError};
use std::thread;
use std::time::SystemTime;

use super::control::listener::io_text;
use super::journals::{self, Difference};
use super::leave::{ByLeave, Leave};
use super::zones::ZoneId;
use crate::conf::config::{Checks, MasterfileFormat, Role, Verdict, Zone, ZoneSettings};
use crate::dns::name::NoDot;
use crate::zone::check::Policy;
use crate::zone::copy::Copy;
use crate::zone::disk::{Disk, Host};
use crate::zone::file::{self, quarantine};
use crate::zone::journal::Followed;
use crate::zone::master::{Options, Source};
use crate::zone::message::{Level, Message, Strictness};
use crate::zone::raw::RawError;
use crate::zone::{ContentsError, Limits, ZoneVersion, check, journal, load, raw};

/// A zone to be loaded.
#[derive(Debug)]
pub(super) struct Job {
    /// Whose outcome it will be.
    pub(super) id: ZoneId,
    /// The zone.
    pub(super) zone: Zone,
    /// Whether the changes in its journal are to be made.
    pub(super) follows_journal: bool,
    /// The version that is served, where the difference to it is to be recorded.
    pub(super) old: Option<Arc<ZoneVersion>>,
    /// To change the zone's files.
    pub(super) leave: Leave,
}

/// How many threads may be added: with so many files that cannot be read the disk is at fault.
const MAX_HELPERS: usize = 62;

/// A job, with the paths that it is about.
struct Reading<'j> {
    zone: &'j Zone,
    /// The zone's file.
    path: PathBuf,
    /// Its journal, where the changes in it are to be made.
    journal: Option<PathBuf>,
}

impl<'j> Reading<'j> {
    fn new(job: &'j Job) -> Self {
        let path = job.zone.file().unwrap_or_default();
        let journal = if job.follows_journal { journals::path(&job.zone) } else { None };
        Self { zone: &job.zone, path, journal }
    }

    /// The journal of a primary, which is a part of what is checked.
    fn of_primary(&self) -> Option<&Path> {
        self.journal.as_deref().filter(|_| matches!(self.zone.role, Role::Primary))
    }

    fn journal_modified(&self) -> Option<SystemTime> {
        self.journal.as_deref().and_then(modified)
    }
}

/// What came of loading a zone.
pub(super) struct Outcome {
    /// The zone.
    pub(super) id: ZoneId,
    /// What there is to say, in order.
    pub(super) messages: Vec<Message>,
    /// The contents, or why there are none.
    pub(super) result: Result<Loaded, LoadError>,
}

/// A zone version and where it came from.
pub(super) struct Loaded {
    /// The contents.
    pub(super) version: Arc<ZoneVersion>,
    /// The files that went into it, the zone's own first.
    pub(super) sources: Vec<Source>,
    /// When its journal was changed last: a secondary's, which is its clock, or a primary's that led on from the file.
    pub(super) journal_modified: Option<SystemTime>,
    /// Whether its journal was of no use, so that there may be newer contents.
    pub(super) is_doubtful: bool,
    /// Whether the journal of a dynamic zone led elsewhere, and was removed.
    pub(super) is_journal_dropped: bool,
}

impl Loaded {
    fn new(version: ZoneVersion, sources: Vec<Source>) -> Self {
        Self {
            version: Arc::new(version),
            sources,
            journal_modified: None,
            is_doubtful: false,
            is_journal_dropped: false,
        }
    }
}

impl Outcome {
    fn failed(job: &Job, error: LoadError) -> Self {
        Self { id: job.id, messages: vec![], result: Err(error) }
    }
}

/// Why a zone's file gave no contents.
#[derive(Debug)]
pub(super) enum LoadError {
    /// There is no such file.
    Missing,
    /// The file was read and its zone refused; the messages say why.
    Refused,
    /// The file cannot be used; the reason in named's words.
    Faulty(String),
    /// A secondary's copy could not be used, for this reason, and was put aside under this name.
    PutAside(String, PathBuf),
}

/// The threads that load.
pub(super) struct Loader {
    queues: Arc<Queues>,
    tell: Arc<dyn Fn() + Send + Sync>,
}

/// What goes to the threads and comes back from them.
#[derive(Default)]
struct Queues {
    jobs: Mutex<Jobs>,
    /// Rings when there is a job, or will be none any more.
    bell: Condvar,
    outcomes: Mutex<Vec<Outcome>>,
}

/// Zones to be read.
#[derive(Default)]
struct Jobs {
    /// Those that somebody waits for.
    urgent: VecDeque<Job>,
    /// The others. Ids rise in the order of the configuration.
    rest: BTreeMap<ZoneId, Job>,
    /// The leaves of those that are being read.
    running: BTreeMap<ZoneId, Leave>,
    /// How many threads wait for the bell. To ring it takes a system call, whether or not somebody hears it.
    idle: usize,
    /// How many jobs were taken, and how many when it was last looked whether that goes on.
    taken: u64,
    taken_before: u64,
    /// How many threads there are beside those of the start.
    helpers: usize,
    is_over: bool,
}

impl Loader {
    /// Starts so many threads; `tell` is called when there are outcomes to be taken.
    pub(super) fn start(threads: usize, tell: impl Fn() + Send + Sync + 'static) -> io::Result<Self> {
        let loader = Self { queues: Arc::default(), tell: Arc::new(tell) };
        for number in 0..threads.max(1) {
            loader.spawn(format!("load-{number}"), Queues::take)?;
        }
        Ok(loader)
    }

    /// Starts a thread that works as long as there is something to take.
    fn spawn(&self, name: String, take: fn(&Queues) -> Option<Job>) -> io::Result<()> {
        let (queues, tell) = (Arc::clone(&self.queues), Arc::clone(&self.tell));
        let work = move || {
            while let Some(job) = take(&queues) {
                if queues.put(outcome(&job, run)) {
                    tell();
                }
            }
        };
        thread::Builder::new().name(name).spawn(work).map(drop)
    }

    /// Queues a zone that is not queued yet.
    pub(super) fn load(&self, job: Job) {
        let mut jobs = self.queues.jobs();
        jobs.rest.insert(job.id, job);
        if jobs.idle > 0 {
            self.queues.bell.notify_one();
        }
    }

    /// Starts another thread if zones wait and none has been taken since this was called last. It ends with the queue.
    pub(super) fn help(&self) {
        let mut jobs = self.queues.jobs();
        let is_stuck = !jobs.is_empty() && jobs.taken == jobs.taken_before;
        jobs.taken_before = jobs.taken;
        if is_stuck && jobs.helpers < MAX_HELPERS {
            // Without it zones wait longer, that is all.
            let started = self.spawn(format!("load-more-{}", jobs.helpers), Queues::take_at_once);
            jobs.helpers += usize::from(started.is_ok());
        }
    }

    /// Has a zone read before others, if it still waits for its turn.
    pub(super) fn hurry(&self, id: ZoneId) {
        let mut jobs = self.queues.jobs();
        let job = jobs.rest.remove(&id);
        jobs.urgent.extend(job);
    }

    /// Has nothing come of a zone that is gone but its outcome: its files may be another's by now.
    pub(super) fn forget(&self, id: ZoneId) {
        let (waiting, running) = {
            let mut jobs = self.queues.jobs();
            (jobs.remove(id), jobs.running.remove(&id))
        };
        running.iter().for_each(Leave::take_away);
        if let Some(job) = waiting
            && self.queues.put(Outcome::failed(&job, LoadError::Refused))
        {
            (self.tell)();
        }
    }

    /// What has been read since the last time.
    pub(super) fn outcomes(&self) -> Vec<Outcome> {
        std::mem::take(&mut self.queues.outcomes.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

impl Drop for Loader {
    fn drop(&mut self) {
        self.queues.jobs().is_over = true;
        self.queues.bell.notify_all();
    }
}

impl Jobs {
    fn is_empty(&self) -> bool {
        self.urgent.is_empty() && self.rest.is_empty()
    }

    fn pop(&mut self) -> Option<Job> {
        let job = self.urgent.pop_front().or_else(|| self.rest.pop_first().map(|(_, job)| job));
        self.taken += u64::from(job.is_some());
        self.running.extend(job.iter().map(|job| (job.id, job.leave.clone())));
        job
    }

    /// Takes a job out that waits.
    fn remove(&mut self, id: ZoneId) -> Option<Job> {
        let urgent = || self.urgent.iter().position(|job| job.id == id);
        match self.rest.remove(&id) {
            None => urgent().and_then(|at| self.urgent.remove(at)),
            job => job,
        }
    }
}

impl Queues {
    fn jobs(&self) -> MutexGuard<'_, Jobs> {
        self.jobs.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// The next job, as soon as there is one; none: that was all.
    fn take(&self) -> Option<Job> {
        let mut jobs = self.jobs();
        while jobs.is_empty() && !jobs.is_over {
            jobs.idle += 1;
            jobs = self.bell.wait(jobs).unwrap_or_else(PoisonError::into_inner);
            jobs.idle -= 1;
        }
        jobs.pop()
    }

    /// The next job; none: there is none now, and one helper less.
    fn take_at_once(&self) -> Option<Job> {
        let mut jobs = self.jobs();
        let job = jobs.pop();
        jobs.helpers -= usize::from(job.is_none());
        job
    }

    /// Says whether it is the first that waits to be taken.
    fn put(&self, outcome: Outcome) -> bool {
        self.jobs().running.remove(&outcome.id);
        let mut outcomes = self.outcomes.lock().unwrap_or_else(PoisonError::into_inner);
        outcomes.push(outcome);
        outcomes.len() == 1
    }
}

/// What came of a job, also if reading it broke off: the thread goes on, and the zone is not waited for in vain.
fn outcome(job: &Job, read: impl Fn(&Job) -> Outcome) -> Outcome {
    catch_unwind(AssertUnwindSafe(|| read(job)))
        .unwrap_or_else(|_| Outcome::failed(job, LoadError::Faulty("unexpected error".to_owned())))
}

fn run(job: &Job) -> Outcome {
    let (reading, mut messages) = (Reading::new(job), vec![]);
    let is_text = job.zone.settings.masterfile_format == MasterfileFormat::Text;
    let found = if is_text { text(&reading, &mut messages) } else { image(&reading, &mut messages) };
    // Nobody hears of a zone that is gone.
    let Some(copy) = journals::copy(&job.zone).filter(|_| !job.leave.is_away()) else {
        return Outcome::failed(job, LoadError::Refused);
    };
    let disk = ByLeave::to_keep(&copy, &job.leave);
    let copy = disk.of(&copy);
    let result = match job.zone.role {
        Role::Secondary { .. } => {
            let loaded = found.map_err(|error| put_aside(&copy, error));
            let loaded = match &reading.journal {
                Some(_) => loaded.map(|loaded| journals::follow(&job.zone, &copy, loaded, &mut messages)),
                None => loaded,
            };
            loaded.inspect(|loaded| messages.extend(check::copy(&loaded.version)))
        }
        _ => found.and_then(|loaded| record(job, &copy, loaded, &mut messages)).map(|loaded| {
            let is_journal_dropped = journals::drop_outdated(job, &copy, &loaded.version, &mut messages);
            Loaded { is_journal_dropped, ..loaded }
        }),
    };
    Outcome { id: job.id, messages, result }
}

/// Records how a primary's contents have changed, where they are served already.
fn record(
    job: &Job,
    copy: &Copy<'_, impl Disk>,
    loaded: Loaded,
    messages: &mut Vec<Message>,
) -> Result<Loaded, LoadError> {
    let Some(old) = &job.old else { return Ok(loaded) };
    match journals::record(copy, old, &loaded.version, messages) {
        Difference::None => Ok(Loaded { version: Arc::clone(old), ..loaded }),
        Difference::Recorded => {
            if let Err(error) = copy.shorten(&loaded.version) {
                messages.push(Message::of_zone(Level::Warning, error.to_string()));
            }
            Ok(loaded)
        }
        Difference::Refused => Err(LoadError::Refused),
    }
}

/// What cannot be read of a secondary's copy is put aside, so that nothing is lost and the next transfer starts afresh.
fn put_aside(copy: &Copy<'_, impl Disk>, error: LoadError) -> LoadError {
    let reason = match error {
        LoadError::Missing | LoadError::PutAside(..) => return error,
        LoadError::Refused => "bad zone".to_owned(),
        LoadError::Faulty(reason) => reason,
    };
    if copy.file.is_dir() {
        return LoadError::Faulty(reason);
    }
    match quarantine(copy.disk, &copy.file, file::ZONE_FILE) {
        Ok(aside) => LoadError::PutAside(reason, aside),
        Err(fault) => LoadError::Faulty(format!("{reason}; {fault}")),
    }
}

fn text(reading: &Reading<'_>, messages: &mut Vec<Message>) -> Result<Loaded, LoadError> {
    let settings = &reading.zone.settings;
    let (options, policy) = (options(reading.zone), policy(reading.zone));
    let loaded = load::load_with_journal(&reading.path, reading.of_primary(), &options, file_limits(settings), &policy);
    messages.extend(loaded.messages);
    if !matches!(reading.zone.role, Role::Primary) {
        end_at_fault(messages);
    }
    match (loaded.version, loaded.failure) {
        (Some(version), _) => {
            let journal_modified = if loaded.is_led_on { reading.journal_modified() } else { None };
            Ok(Loaded { journal_modified, ..Loaded::new(version, loaded.sources) })
        }
        // Or a file that it includes is not there.
        (None, Some(reason)) if reason == "file not found" && !reading.path.exists() => Err(LoadError::Missing),
        (None, Some(reason)) => Err(LoadError::Faulty(reason)),
        (None, None) => Err(LoadError::Refused),
    }
}

/// named reads no further than to the first fault where nobody is there to mend the file.
fn end_at_fault(messages: &mut Vec<Message>) {
    let ends = |message: &Message| {
        let line = message.place.as_ref().map(|(_, line)| format!(":{line}: "));
        message.level == Level::Error && line.is_some_and(|line| message.text.contains(&line))
    };
    if let Some(last) = messages.iter().position(ends) {
        messages.truncate(last + 1);
    }
}

fn image(reading: &Reading<'_>, messages: &mut Vec<Message>) -> Result<Loaded, LoadError> {
    let (zone, path) = (reading.zone, reading.path.as_path());
    let source = Source { path: path.into(), modified: modified(path) };
    let version = match raw::read(&Host, path, &zone.apex, zone.class, file_limits(&zone.settings)) {
        Ok((version, _)) => version,
        Err(RawError::Read { source, .. }) if source.kind() == io::ErrorKind::NotFound => {
            return Err(LoadError::Missing);
        }
        Err(fault) => {
            messages.extend(overfull(path, &fault));
            return Err(LoadError::Faulty(reason(&fault)));
        }
    };
    if let Some((owner, conflict)) = check::conflicts(&version).next() {
        return Err(LoadError::Faulty(format!("{owner}: {conflict}")));
    }
    let followed = reading.of_primary().map(|path| journal::follow(&Host, &version, path, file_limits(&zone.settings)));
    let (version, journal_modified) = match followed {
        None | Some(Followed::Missing | Followed::Nothing) => (version, None),
        Some(Followed::To(version, remarks)) => {
            messages.extend(remarks);
            (version, reading.journal_modified())
        }
        Some(Followed::Not(faults)) => {
            messages.extend(faults);
            return Err(LoadError::Refused);
        }
    };
    let verdict = check::primary(&version, &policy(zone));
    messages.extend(verdict.messages);
    if verdict.is_refused {
        return Err(LoadError::Refused);
    }
    Ok(Loaded { journal_modified, ..Loaded::new(version, vec![source]) })
}

/// Why a raw file cannot be used; the log line has its name already.
fn reason(fault: &RawError) -> String {
    match fault {
        RawError::Read { source, .. } => io_text(source),
        RawError::NotRaw { .. } => "not raw".to_owned(),
        RawError::Bad { offset, fault, .. } => format!("offset {offset}: {fault}"),
        RawError::OtherZone { owner, .. } => format!("{owner}: not at top of zone"),
        RawError::Contents { source, .. } => source.to_string(),
    }
}

/// What named says of a raw file that has too much at a name.
fn overfull(path: &Path, fault: &RawError) -> Vec<Message> {
    let RawError::Contents { source, .. } = fault else { return vec![] };
    let Some(owner) = source.owner() else { return vec![] };
    let wide = if let ContentsError::WideRrset(wide) = source { Some(wide.to_string()) } else { None };
    let load = [format!("{}: {source}", NoDot(owner.as_ref())), source.to_string()];
    let lines = wide.into_iter().chain(load.map(|text| format!("dns_master_load: {text}")));
    lines.map(|text| Message::at(Level::Error, path, 0, text)).collect()
}

/// How the lines of a zone's file are read. Most of a secondary's copy is taken as it is: its primary has checked it.
pub(crate) fn options(zone: &Zone) -> Options {
    let checks = &zone.settings.checks;
    let is_primary = matches!(zone.role, Role::Primary);
    let primary_only = |strictness| if is_primary { strictness } else { Strictness::Ignore };
    Options {
        apex: zone.apex.clone(),
        class: zone.class,
        check_names: strictness(checks.names),
        check_mx: primary_only(strictness(checks.mx)),
        check_ns: Strictness::Warn,
        check_wildcard: is_primary && checks.wildcard,
        max_zone_ttl_s: zone.settings.max_zone_ttl.filter(|&limit_s| limit_s > 0),
    }
}

/// What a zone's contents are checked for.
pub(crate) fn policy(zone: &Zone) -> Policy {
    if matches!(zone.role, Role::Secondary { .. }) {
        let ignore = Strictness::Ignore;
        return Policy {
            ns_addresses: false,
            integrity: false,
            sibling: false,
            mx: ignore,
            mx_cname: ignore,
            srv_cname: ignore,
            duplicates: ignore,
            spf: false,
            resolver: None,
        };
    }
    let Checks { mx, mx_cname, srv_cname, dup_records, integrity, sibling, spf, .. } = zone.settings.checks;
    Policy {
        ns_addresses: true,
        integrity,
        sibling,
        mx: strictness(mx),
        mx_cname: strictness(mx_cname),
        srv_cname: strictness(srv_cname),
        duplicates: strictness(dup_records),
        spf: spf != Verdict::Ignore,
        resolver: None,
    }
}

/// The limits of what is read from files: as with named, `max-records` is for what comes from others alone.
pub(super) fn file_limits(settings: &ZoneSettings) -> Limits {
    Limits { records: 0, ..limits(settings) }
}

/// The limits of a zone's contents.
pub(super) fn limits(settings: &ZoneSettings) -> Limits {
    Limits {
        records: settings.max_records,
        records_per_type: settings.max_records_per_type,
        types_per_name: settings.max_types_per_name,
    }
}

/// When a file was changed last.
pub(super) fn modified(path: &Path) -> Option<SystemTime> {
    std::fs::metadata(path).and_then(|meta| meta.modified()).ok()
}

pub(super) fn strictness(verdict: Verdict) -> Strictness {
    match verdict {
        Verdict::Ignore => Strictness::Ignore,
        Verdict::Warn => Strictness::Warn,
        Verdict::Fail => Strictness::Fail,
    }
}

#[cfg(test)]
impl Loader {
    /// Without threads.
    pub(super) fn idle() -> Self {
        Self { queues: Arc::default(), tell: Arc::new(|| {}) }
    }

    /// Does what waits for threads.
    pub(super) fn work(&self) {
        let next = || self.queues.jobs().pop();
        while let Some(job) = next() {
            self.queues.put(outcome(&job, run));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::core::Core;

    /// A job for each of so many zones.
    fn jobs(count: u64) -> Vec<Job> {
        let folder = tempfile::tempdir().unwrap();
        let config = Core::configuration(folder.path(), "zone a.test { type primary; file \"FOLDER/zone\"; };");
        let zone = &config.views[0].zones[0];
        let (leave, follows_journal) = (Leave::default, false);
        let job =
            |number| Job { id: ZoneId::of(number), zone: zone.clone(), follows_journal, old: None, leave: leave() };
        (0..count).map(job).collect()
    }

    #[test]
    fn a_thread_is_added_only_where_zones_wait_and_none_is_taken() {
        let loader = Loader::idle();
        loader.help();
        jobs(3).into_iter().for_each(|job| loader.load(job));
        let _ = loader.queues.take();
        loader.help();
        assert_eq!((loader.queues.jobs().helpers, loader.outcomes().len()), (0, 0));
        loader.help();
        while loader.queues.jobs().helpers > 0 {
            thread::yield_now();
        }
        assert!(loader.outcomes().len() == 2 && loader.queues.jobs().is_empty());
    }

    #[test]
    fn a_zone_that_somebody_waits_for_is_read_before_others() {
        let loader = Loader::idle();
        let jobs = jobs(4);
        let ids: Vec<ZoneId> = jobs.iter().map(|job| job.id).collect();
        jobs.into_iter().for_each(|job| loader.load(job));
        loader.hurry(ids[2]);
        loader.hurry(ids[2]);
        let taken: Vec<ZoneId> = (0..4).filter_map(|_| loader.queues.take()).map(|job| job.id).collect();
        assert_eq!(taken, [ids[2], ids[0], ids[1], ids[3]]);
    }

    #[test]
    fn a_file_that_is_no_copy_stays_where_it_is_once_the_zone_that_is_being_read_is_gone() {
        let folder = tempfile::tempdir().unwrap();
        let zone = "zone a.test { type secondary; file \"FOLDER/zone\"; primaries { 192.0.2.1; }; };";
        let zone = Core::configuration(folder.path(), zone).views[0].zones[0].clone();
        let path = folder.path().join("zone");
        std::fs::write(&path, "text").unwrap();
        for is_gone in [true, false] {
            let loader = Loader::idle();
            let (id, leave) = (ZoneId::of(1), Leave::default());
            loader.load(Job { id, zone: zone.clone(), follows_journal: true, old: None, leave });
            let job = loader.queues.take().unwrap();
            if is_gone {
                loader.forget(id);
            }
            assert_eq!(matches!(run(&job).result, Err(LoadError::PutAside(..))), !is_gone);
            assert_eq!(path.exists(), is_gone);
        }
    }

    #[test]
    fn only_the_first_outcome_that_waits_is_told_of() {
        let loader = Loader::idle();
        let put = |job: &Job| loader.queues.put(outcome(job, run));
        let jobs = jobs(3);
        assert_eq!([put(&jobs[0]), put(&jobs[1])], [true, false]);
        assert_eq!(loader.outcomes().len(), 2);
        assert!(put(&jobs[2]));
    }

    #[test]
    fn a_load_that_panics_is_a_failure_of_its_zone_alone() {
        let job = jobs(1).remove(0);
        let outcome = outcome(&job, |_| panic!("on purpose"));
        assert_eq!(outcome.id, job.id);
        assert!(matches!(outcome.result, Err(LoadError::Faulty(_))));
    }
}
