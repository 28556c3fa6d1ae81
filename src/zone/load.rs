//! From a primary's master file to a zone version: read, build, check, and everything that is to be said about it.
//!
//! The caller logs the messages, those without a place behind `zone z/IN: `; then, if there is a failure, `loading from
//! master file F failed: R`; and, if there is no version, `not loaded due to errors.`.

use std::path::Path;

use super::builder::{Builder, ContentsError, Limits, Part};
use super::check::{self, Conflict, Policy};
use super::contents::ZoneVersion;
use super::journal::{self, Followed};
use super::master::{self, Options, PieceSink, Report, Sink, Source};
use super::message::{Level, Message};
use super::processors;
use crate::dns::name::NoDot;
use crate::dns::{Name, NameRef, Rtype};

/// What came of loading a zone.
#[derive(Default)]
pub struct Loaded {
    /// The zone, if it may be served.
    pub version: Option<ZoneVersion>,
    /// What to log, in order.
    pub messages: Vec<Message>,
    /// The files that the zone came from; a reload is due when one of them changes.
    pub sources: Vec<Source>,
    /// The reason, if the file could not be read to the end or had faults in it.
    pub failure: Option<String>,
}

/// Loads the zone of a primary from the master file at `path`.
pub fn load(path: &Path, options: &Options, limits: Limits, policy: &Policy) -> Loaded {
    load_with_journal(path, None, options, limits, policy)
}

/// Loads the zone of a primary from the master file at `path`, and makes the changes of a journal, if it is there,
/// before the zone is checked.
pub fn load_with_journal(
    path: &Path,
    journal: Option<&Path>,
    options: &Options,
    limits: Limits,
    policy: &Policy,
) -> Loaded {
    let builder = || Builder::new(options.apex.clone(), options.class).with_limits(limits);
    let (report, finished) = if_small(path, options, builder())
        .or_else(|| on_threads(path, options, builder()))
        .unwrap_or_else(|| in_one_go(path, options, builder()));
    let Report { messages, sources, failure } = report;
    let mut loaded = Loaded { version: None, messages, sources, failure };
    match finished {
        Ok(version) => loaded.judge(version, path, options, policy, journal.map(|journal| (journal, limits))),
        Err(ContentsError::SoaCount { soa, .. }) if soa > 1 => {
            loaded.refuse(&[(options.apex.clone(), Conflict::Singleton)], path, options)
        }
        // A file with faults in it may well have lost its SOA to them.
        Err(ContentsError::SoaCount { .. }) if loaded.failure.is_some() => {}
        Err(ContentsError::SoaCount { soa, ns }) => loaded.messages.extend(check::presence(soa, ns)),
        Err(fault) => drop(loaded.failure.get_or_insert_with(|| fault.to_string())),
    }
    loaded
}

/// A file smaller than this is not worth a second thread.
const LARGE_BYTES: u64 = 4 << 20;

/// Reads a file that is not large.
fn if_small(path: &Path, options: &Options, builder: Builder) -> Option<(Report, Result<ZoneVersion, ContentsError>)> {
    let mut records = Records { builder, fault: None };
    let report = master::read_below(LARGE_BYTES, path, options, &mut records)?;
    Some((report, records.finish()))
}

/// Reads a large file on all processors, if it lends itself to that.
fn on_threads(
    path: &Path,
    options: &Options,
    mut whole: Builder,
) -> Option<(Report, Result<ZoneVersion, ContentsError>)> {
    if processors() < 2 {
        return None;
    }
    let parts = whole.for_parts();
    let mut outcome = Ok(());
    let take = |part: Result<Part, ContentsError>| {
        if part.as_ref().is_ok_and(|part| whole.goes_on_in(part)) {
            return false;
        }
        if outcome.is_ok() {
            outcome = part.and_then(|part| whole.absorb(part));
        }
        true
    };
    let sink = || Records { builder: parts.for_parts(), fault: None };
    let report = master::read_on_threads(path, options, processors(), sink, take)?;
    Some((report, outcome.and_then(|()| whole.finish())))
}

fn in_one_go(path: &Path, options: &Options, builder: Builder) -> (Report, Result<ZoneVersion, ContentsError>) {
    let mut records = Records { builder, fault: None };
    let report = master::read(path, options, &mut records);
    (report, records.finish())
}

impl Loaded {
    /// Checks a version that has been built, and keeps it if nothing speaks against it.
    fn judge(
        &mut self,
        version: ZoneVersion,
        path: &Path,
        options: &Options,
        policy: &Policy,
        journal: Option<(&Path, Limits)>,
    ) {
        let conflicts: Vec<(Name, Conflict)> = check::conflicts(&version).take(MAX_CONFLICTS).collect();
        self.refuse(&conflicts, path, options);
        if self.failure.is_some() {
            return;
        }
        let followed =
            journal.map_or(Followed::Missing, |(journal, limits)| journal::follow(&version, journal, limits));
        let version = match followed {
            Followed::Missing | Followed::Nothing => version,
            Followed::To(version) => version,
            Followed::Not(messages) => return self.messages.extend(messages),
        };
        let verdict = check::primary(&version, policy);
        self.messages.extend(verdict.messages);
        if !verdict.is_refused {
            self.version = Some(version);
        }
    }

    /// Says which records exclude each other, if any do.
    fn refuse(&mut self, conflicts: &[(Name, Conflict)], path: &Path, options: &Options) {
        if let Some((_, first)) = conflicts.first() {
            for message in located(path, options, conflicts) {
                self.insert(message);
            }
            self.failure.get_or_insert_with(|| first.to_string());
        }
    }

    /// Puts what is said of a conflict in front of what is said of later lines, as named finds it in between.
    fn insert(&mut self, message: Message) {
        let is_later = |other: &Message| match (&other.place, &message.place) {
            (Some((other_path, other_line)), Some((path, line))) => other_path == path && other_line > line,
            _ => false,
        };
        let at = self.messages.iter().position(is_later).unwrap_or(self.messages.len());
        if !self.messages.iter().take(at).any(|before| before.level == Level::Error) {
            self.failure = message.text.rsplit(": ").next().map(str::to_owned);
        }
        self.messages.insert(at, message);
    }
}

/// Hands the records of a file to the builder.
struct Records {
    builder: Builder,
    fault: Option<ContentsError>,
}

impl Records {
    fn finish(self) -> Result<ZoneVersion, ContentsError> {
        self.fault.map_or_else(|| self.builder.finish(), Err)
    }

    #[inline]
    fn note(&mut self, outcome: Result<(), ContentsError>) {
        if let Err(fault) = outcome {
            self.fault.get_or_insert(fault);
        }
    }
}

impl Sink for Records {
    #[inline]
    fn record(&mut self, owner: NameRef<'_>, rtype: Rtype, ttl: u32, rdata: &[u8]) {
        let added = self.builder.add_to_batch(owner, rtype, ttl, rdata);
        self.note(added);
    }

    fn is_full(&self) -> bool {
        self.fault.is_some()
    }

    fn owner(&mut self, owner: NameRef<'_>) {
        let turned = self.builder.turn(owner);
        self.note(turned);
    }

    fn commit(&mut self) {
        let committed = self.builder.commit();
        self.note(committed);
    }

    fn generated(&mut self, owner: NameRef<'_>, rtype: Rtype, ttl: u32, rdata: &[u8]) {
        let added = self.builder.add_generated(owner, rtype, ttl, rdata);
        self.note(added);
    }

    fn end_generated(&mut self) {
        let ended = self.builder.end_generated();
        self.note(ended);
    }
}

impl PieceSink for Records {
    type Piece = Result<Part, ContentsError>;

    fn end_piece(&mut self) -> Self::Piece {
        let part = self.builder.end_part();
        self.fault.take().map_or(part, Err)
    }
}

/// Conflicts show once the zone is built, when lines are forgotten: reads the file again to find them.
fn located(path: &Path, options: &Options, conflicts: &[(Name, Conflict)]) -> Vec<Message> {
    let suspects = conflicts.iter().map(|(owner, conflict)| Suspect::new(owner, *conflict)).collect();
    let mut search = Search { suspects, place: (path.to_owned(), 0), messages: Vec::new(), open: None };
    master::read(path, options, &mut search);
    search.close();
    search.messages
}

/// A name at which there is a conflict, and what of it has been read.
struct Suspect<'a> {
    owner: &'a Name,
    conflict: Conflict,
    has_cname: bool,
    has_other: bool,
    /// The types seen of which there may be one record.
    singletons: Vec<Rtype>,
}

impl<'a> Suspect<'a> {
    fn new(owner: &'a Name, conflict: Conflict) -> Self {
        Self { owner, conflict, has_cname: false, has_other: false, singletons: Vec::new() }
    }

    /// Takes note of a record. True if it completes the conflict.
    fn completes(&mut self, rtype: Rtype) -> bool {
        let is_second = self.singletons.contains(&rtype);
        if matches!(rtype, Rtype::CNAME | Rtype::DNAME | Rtype::SOA) {
            self.singletons.push(rtype);
        }
        self.has_cname |= rtype == Rtype::CNAME;
        self.has_other |= !check::may_stand_at_cname(rtype);
        match self.conflict {
            Conflict::Singleton => is_second,
            Conflict::CnameAndOther => self.has_cname && self.has_other,
        }
    }
}

/// The second reading of a file with conflicts.
struct Search<'a> {
    suspects: Vec<Suspect<'a>>,
    place: (std::path::PathBuf, u64),
    messages: Vec<Message>,
    /// A conflict that is complete, and where: BIND gives the last line of the records that stand together.
    open: Option<(usize, std::path::PathBuf, u64)>,
}

impl Search<'_> {
    fn close(&mut self) {
        let Some((which, path, line)) = self.open.take() else { return };
        let Some(suspect) = self.suspects.get(which) else { return };
        let owner = NoDot(suspect.owner.as_ref());
        let text = format!("dns_master_load: {}:{line}: {owner}: {}", path.display(), suspect.conflict);
        self.messages.push(Message { level: Level::Error, place: Some((path, line)), text });
    }
}

impl Sink for Search<'_> {
    const WANTS_PLACES: bool = true;

    fn place(&mut self, path: &Path, line: u64) {
        self.place = (path.to_owned(), line);
    }

    fn record(&mut self, owner: NameRef<'_>, rtype: Rtype, _ttl: u32, _rdata: &[u8]) {
        let which = self.suspects.iter().position(|suspect| suspect.owner.as_ref() == owner);
        if self.open.as_ref().is_some_and(|(open, ..)| Some(*open) != which) {
            self.close();
        }
        let Some(which) = which else { return };
        let (path, line) = &self.place;
        if self.suspects.get_mut(which).is_some_and(|suspect| suspect.completes(rtype)) || self.open.is_some() {
            self.open = Some((which, path.clone(), *line));
        }
    }
}

/// How many conflicts of a zone are listed.
const MAX_CONFLICTS: usize = 100;

#[cfg(test)]
mod tests;
