//! From a primary's master file to a zone version: read, build, check, and everything that is to be said about it.
//!
//! The caller logs the messages, those without a place behind `zone z/IN: `; then, if there is a failure, `loading from
//! master file F failed: R`; and, if there is no version, `not loaded due to errors.`.

mod rehearsal;

use std::path::Path;

use super::builder::{Builder, ContentsError, Limits, Part};
use super::check::{self, Conflict, Policy};
use super::contents::ZoneVersion;
use super::disk::Host;
use super::journal::{self, Followed};
use super::master::{self, Options, PieceSink, Report, Sink, Source, Turn};
use super::message::Message;
use super::processors;
use crate::dns::{NameRef, Rtype};

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
    /// Whether the journal led on from the file.
    pub is_led_on: bool,
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
    let (report, built) = if_small(path, options, builder())
        .or_else(|| on_threads(path, options, builder()))
        .unwrap_or_else(|| in_one_go(path, options, builder()));
    let Report { messages, sources, failure, .. } = with_refusals(report, &built, path, (options, limits));
    let mut loaded = Loaded { version: None, messages, sources, failure, is_led_on: false };
    match built.and_then(ZoneVersion::with_one_soa) {
        _ if loaded.failure.is_some() => {}
        Ok(version) => loaded.judge(version, policy, journal.map(|journal| (journal, limits))),
        Err(ContentsError::SoaCount { soa, ns }) => loaded.messages.extend(check::presence(soa, ns)),
        Err(fault) => loaded.failure = Some(fault.to_string()),
    }
    loaded
}

/// A file smaller than this is not worth a second thread.
const LARGE_BYTES: u64 = 4 << 20;

/// The records that there are, if they could be put together.
type Built = Result<ZoneVersion, ContentsError>;

/// Reads a file that is not large.
fn if_small(path: &Path, options: &Options, builder: Builder) -> Option<(Report, Built)> {
    let mut records = Records::new(builder);
    let report = master::read_below(LARGE_BYTES, path, options, &mut records)?;
    Some((report, records.finish()))
}

/// Reads a large file on all processors, if it lends itself to that.
fn on_threads(path: &Path, options: &Options, mut whole: Builder) -> Option<(Report, Built)> {
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
    let report = master::read_on_threads(path, options, processors(), || Records::new(parts.for_parts()), take)?;
    let version = outcome.and_then(|()| whole.finish_unchecked());
    Some((report, version))
}

fn in_one_go(path: &Path, options: &Options, builder: Builder) -> (Report, Built) {
    let mut records = Records::new(builder);
    let report = master::read(path, options, &mut records);
    (report, records.finish())
}

/// Says with the rest what named would say of records that it does not add, if there are any.
fn with_refusals(report: Report, built: &Built, path: &Path, (options, limits): (&Options, Limits)) -> Report {
    let conflict = built.as_ref().ok().and_then(first_conflict);
    let overfull = built.as_ref().err().and_then(ContentsError::owner);
    if conflict.is_none() && overfull.is_none() && !report.is_hasty {
        return report;
    }
    let mut suspects = match built {
        Ok(version) => check::conflicts(version).map(|(owner, _)| owner).collect(),
        Err(_) => rehearsal::suspects(path, options),
    };
    suspects.insert(options.apex.clone());
    suspects.extend(overfull.cloned());
    let told = rehearsal::read(path, options, limits, suspects);
    // The file may have been changed in the meantime.
    let failure = told.failure.or_else(|| Some(conflict?.to_string()));
    Report { sources: report.sources, failure, ..told }
}

/// What records of a version exclude each other, if any do.
fn first_conflict(version: &ZoneVersion) -> Option<Conflict> {
    check::conflicts(version).next().map(|(_, conflict)| conflict)
}

impl Loaded {
    /// Checks a version that has been built, and keeps it if nothing speaks against it.
    fn judge(&mut self, version: ZoneVersion, policy: &Policy, journal: Option<(&Path, Limits)>) {
        let followed =
            journal.map_or(Followed::Missing, |(journal, limits)| journal::follow(&Host, &version, journal, limits));
        let version = match followed {
            Followed::Missing | Followed::Nothing => version,
            Followed::To(version, messages) => {
                self.messages.extend(messages);
                self.is_led_on = true;
                version
            }
            Followed::Not(messages) => return self.messages.extend(messages),
        };
        let verdict = check::primary(&version, policy);
        self.messages.extend(verdict.messages);
        if !verdict.is_refused {
            self.version = Some(version);
        }
    }
}

/// Hands the records of a file to the builder.
struct Records {
    builder: Builder,
    fault: Option<ContentsError>,
}

impl Records {
    fn new(builder: Builder) -> Self {
        Self { builder, fault: None }
    }

    fn finish(self) -> Built {
        self.fault.map_or_else(|| self.builder.finish_unchecked(), Err)
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
        let added = self.builder.add(owner, rtype, ttl, rdata);
        self.note(added);
    }

    fn is_full(&self) -> bool {
        self.fault.is_some()
    }

    fn owner(&mut self, owner: NameRef<'_>) -> Turn {
        self.builder.turn(owner).unwrap_or_else(|fault| {
            self.fault.get_or_insert(fault);
            Turn::Next
        })
    }

    fn outer(&self) -> Option<NameRef<'_>> {
        self.builder.outer()
    }

    fn capitals(&mut self, text: &[u8]) {
        self.builder.has_capitals |= text.iter().any(u8::is_ascii_uppercase);
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

#[cfg(test)]
mod tests;
