//! A zone file judged in the words of BIND's checkers: what `named-checkzone` and `named-checkconf -z` share.

use std::fmt::{Display, Write as _};
use std::path::Path;
use std::{fs, io};

use crate::dns::name::NoDot;
use crate::zone::disk::Host;
use crate::zone::journal::{self, Followed};
use crate::zone::load::{self, Loaded};
use crate::zone::master::Options;
use crate::zone::message::{Level, Message};
use crate::zone::raw::{self, RawError, RawFault};
use crate::zone::{ContentsError, Limits, WildcardOwner, ZoneVersion, check, print};

/// A file, what it should be, and how to read it.
pub(super) struct ZoneFile<'a> {
    pub(super) path: &'a Path,
    pub(super) is_raw: bool,
    /// Changes that are to be applied to the file, if there are any.
    pub(super) journal: Option<&'a Path>,
    pub(super) options: &'a Options,
    pub(super) limits: Limits,
    pub(super) policy: &'a check::Policy,
}

/// What came of it.
pub(super) struct Judged {
    /// What there is to say, in lines.
    pub(super) lines: String,
    /// The zone, or why there is none.
    pub(super) result: Result<ZoneVersion, String>,
}

impl ZoneFile<'_> {
    /// Reads the file and says how that went.
    pub(super) fn judge(&self) -> Judged {
        let mut lines = String::new();
        let result = self.load(&mut lines);
        match &result {
            Ok(version) => {
                let signed = if version.is_signed() { " (DNSSEC signed)" } else { "" };
                self.say(&mut lines, format_args!("loaded serial {}{signed}", version.serial()));
            }
            Err(_) => self.say(&mut lines, "not loaded due to errors."),
        }
        Judged { lines, result }
    }

    fn load(&self, lines: &mut String) -> Result<ZoneVersion, String> {
        let mut loaded = match self.is_raw {
            true => self.load_raw(lines),
            false => load::load_with_journal(self.path, self.journal, self.options, self.limits, self.policy),
        };
        if self.journal.is_some_and(is_blank) && loaded.version.take().is_some() {
            let reason = journal::Fault::NoHeader;
            loaded.messages.push(Message::of_zone(Level::Error, format!("journal open failed: {reason}")));
        }
        for message in &loaded.messages {
            match message.place {
                Some(_) => drop(writeln!(lines, "{message}")),
                None => self.say(lines, message),
            }
        }
        if let Some(reason) = &loaded.failure {
            self.say(lines, format_args!("loading from master file {} failed: {reason}", self.path.display()));
        }
        loaded.version.ok_or_else(|| loaded.failure.unwrap_or_else(|| BAD_ZONE.to_owned()))
    }

    fn load_raw(&self, lines: &mut String) -> Loaded {
        let mut loaded = Loaded::default();
        match raw::read(&Host, self.path, &self.options.apex, self.options.class, self.limits) {
            Ok((version, _)) => {
                let version = match self.journal.map(|path| journal::follow(&Host, &version, path, self.limits)) {
                    None | Some(Followed::Missing | Followed::Nothing) => version,
                    Some(Followed::To(version, messages)) => {
                        loaded.messages = messages;
                        version
                    }
                    Some(Followed::Not(messages)) => return Loaded { messages, ..loaded },
                };
                let verdict = check::primary(&version, self.policy);
                loaded.messages.extend(verdict.messages);
                loaded.failure = check::conflicts(&version).next().map(|(_, conflict)| conflict.to_string());
                if let Some(ttl) = self.longer_ttl(&version) {
                    let limit = self.options.max_zone_ttl_s.unwrap_or_default();
                    let _ = writeln!(lines, "dns_master_load: TTL {ttl} exceeds configured max-zone-ttl {limit}");
                    let _ = writeln!(lines, "dns_master_load: {TTL_TOO_LONG}");
                    return Loaded { failure: Some(TTL_TOO_LONG.to_owned()), ..Loaded::default() };
                }
                loaded.version = Some(version).filter(|_| !verdict.is_refused && loaded.failure.is_none());
            }
            Err(RawError::Contents { source: ContentsError::SoaCount { soa: 0, ns }, .. }) => {
                loaded.messages = check::presence(0, ns);
            }
            Err(fault) => {
                let reason = raw_reason(&fault);
                lines.push_str(&raw_lines(&fault, &reason));
                loaded.failure = Some(reason);
            }
        }
        loaded
    }

    /// The first TTL of a zone that is longer than may be.
    fn longer_ttl(&self, version: &ZoneVersion) -> Option<u32> {
        let limit = self.options.max_zone_ttl_s?;
        let mut ttls = version.nodes().flat_map(|node| print::in_dump_order(&node)).map(|listed| listed.rrset.ttl());
        ttls.find(|&ttl| ttl > limit)
    }

    fn say(&self, lines: &mut String, text: impl Display) {
        let _ = writeln!(lines, "zone {}/{}: {text}", NoDot(self.options.apex.as_ref()), self.options.class);
    }
}

/// Whether a journal is without a byte, as a crash may leave it: to the server it is none, to BIND's checkers an error.
fn is_blank(journal: &Path) -> bool {
    fs::metadata(journal).is_ok_and(|file| file.len() == 0)
}

/// What BIND says of the faults of raw files, line by line.
fn raw_lines(fault: &RawError, reason: &str) -> String {
    match fault {
        RawError::NotRaw { .. } => "dns_master_load: file format mismatch (not raw)\n".to_owned(),
        RawError::OtherZone { owner, .. }
        | RawError::Contents {
            source: ContentsError::Wildcard(WildcardOwner::Ns(owner) | WildcardOwner::Nsec3(owner)),
            ..
        } => {
            format!("dns_master_load: {}: {reason}\ndns_master_load: {reason}\n", NoDot(owner.as_ref()))
        }
        RawError::Bad { fault: RawFault::NoHeader, .. } => String::new(),
        RawError::Bad { fault: fault @ RawFault::Version, .. } => format!("dns_master_load: {fault}\n"),
        RawError::Bad { .. } => format!("dns_master_load: {reason}\n"),
        RawError::Read { .. } | RawError::Contents { .. } => String::new(),
    }
}

/// What BIND calls the faults of raw files.
fn raw_reason(fault: &RawError) -> String {
    match fault {
        RawError::Read { source, .. } if source.kind() == io::ErrorKind::NotFound => "file not found".to_owned(),
        RawError::Read { source, .. } if source.kind() == io::ErrorKind::IsADirectory => "not a file".to_owned(),
        RawError::Read { source, .. } => source.to_string(),
        RawError::NotRaw { .. } => "not implemented".to_owned(),
        RawError::Bad { fault: RawFault::Truncated | RawFault::NoHeader, .. } => "end of file".to_owned(),
        RawError::Bad { fault: RawFault::Version, .. } => "not implemented".to_owned(),
        RawError::Bad { fault, .. } => fault.to_string(),
        RawError::OtherZone { .. } => "not at top of zone".to_owned(),
        RawError::Contents { source, .. } => source.to_string(),
    }
}

/// Why a file with a TTL beyond `max-zone-ttl` is not read.
const TTL_TOO_LONG: &str = "out of range";
/// Why there is no zone, where the file could be read and the checks speak against it.
const BAD_ZONE: &str = "bad zone";
