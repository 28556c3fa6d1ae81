//! Dynamic update (RFC 2136): what a request asks of a zone, whether it may have that, and the version and the
//! transaction that come of it.
//!
//! [`Update::read`] takes a request apart, [`Update::scan`] looks at all changes before any is made, and
//! [`Update::make`] checks the prerequisites and makes the changes, one after the other, to a draft of the names
//! that they touch. What is different then becomes a transaction, and the version is what the transaction makes of the
//! one before, so that a journal leads to just what is served. Checks, their order and their words are BIND's.

mod changes;
mod draft;
mod grants;
mod prerequisites;
mod read;
mod scan;
mod settle;
#[cfg(test)]
mod tests;

pub use grants::{Grant, Grants, Matching, Requester};
pub use read::{Unreadable, Update};
pub use settle::SerialMethod;

use super::message::Strictness;
use super::{Limits, ZoneVersion};
use crate::dns::name::NoDot;
use crate::dns::{NameRef, Rcode, Rtype};
use crate::zone::journal::Transaction;

/// What a zone asks of updates.
#[derive(Debug, Clone, Copy)]
pub struct Rules {
    /// How much it may hold.
    pub limits: Limits,
    /// `check-mx`.
    pub mail_addresses: Strictness,
    /// `check-integrity`: whether mail goes to names that have addresses.
    pub integrity: bool,
    /// `check-wildcard`.
    pub wildcards: bool,
    /// `max-zone-ttl`.
    pub max_ttl: Option<u32>,
    /// How the serial is changed.
    pub serial: SerialMethod,
}

/// What came of an update.
#[derive(Debug)]
pub struct Made {
    /// What the requester is told.
    pub rcode: Rcode,
    /// Whether a prerequisite was not met, or could not be.
    pub is_unmet: bool,
    /// The next version and what leads to it; none if nothing has changed.
    pub change: Option<(ZoneVersion, Transaction)>,
    /// What there is to say, in order.
    pub remarks: Vec<Remark>,
}

/// A line for the log.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Remark {
    /// How much it matters.
    pub weight: Weight,
    /// Whether it is about the zone, whoever asks; else about the update.
    pub is_of_zone: bool,
    /// In named's words.
    pub text: String,
}

/// How much a remark matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the words of the log
pub enum Weight {
    Info,
    Warning,
    Error,
}

/// How many records of its type each change may leave at its name; 0 is no limit.
pub type Counts = Vec<u16>;

/// Why an update ends; it has been said.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Refused {
    rcode: Rcode,
    is_unmet: bool,
}

impl From<Rcode> for Refused {
    fn from(rcode: Rcode) -> Self {
        Self { rcode, is_unmet: false }
    }
}

impl Update {
    /// Makes the update to a version, if its prerequisites are met.
    pub fn make(&self, version: &ZoneVersion, rules: &Rules, counts: &Counts) -> Made {
        let mut remarks = Remarks::default();
        let made = self.try_make(version, rules, counts, &mut remarks);
        let (rcode, is_unmet, change) = match made {
            Ok(change) => (Rcode::NOERROR, false, change),
            Err(Refused { rcode, is_unmet }) => (rcode, is_unmet, None),
        };
        Made { rcode, is_unmet, change, remarks: remarks.0 }
    }

    fn try_make(
        &self,
        version: &ZoneVersion,
        rules: &Rules,
        counts: &Counts,
        remarks: &mut Remarks,
    ) -> Result<Option<(ZoneVersion, Transaction)>, Refused> {
        let mut draft = draft::Draft::of(version);
        prerequisites::check(&self.prerequisites, &mut draft, remarks)?;
        let mut making = changes::Making { draft, rules, remarks, has_new_serial: false };
        let counts = counts.iter().copied().chain(std::iter::repeat(0));
        self.changes.iter().zip(counts).try_for_each(|(change, most)| making.change(change, most))?;
        settle::settle(making)
    }
}

/// What there is to say.
#[derive(Default)]
struct Remarks(Vec<Remark>);

impl Remarks {
    fn say(&mut self, weight: Weight, text: impl Into<String>) {
        self.0.push(Remark { weight, is_of_zone: false, text: text.into() });
    }

    fn info(&mut self, text: impl Into<String>) {
        self.say(Weight::Info, text);
    }

    fn of_zone(&mut self, weight: Weight, text: String) {
        self.0.push(Remark { weight, is_of_zone: true, text });
    }

    /// Says why an update ends.
    fn refuse(&mut self, rcode: Rcode, why: &str) -> Refused {
        let is_answer = [Rcode::NXDOMAIN, Rcode::YXDOMAIN, Rcode::YXRRSET, Rcode::NXRRSET].contains(&rcode);
        let how = if is_answer { "unsuccessful" } else { "failed" };
        self.info(format!("update {how}: {why} ({rcode})"));
        rcode.into()
    }

    fn refuse_name(&mut self, rcode: Rcode, name: NameRef<'_>, why: &str) -> Refused {
        self.refuse(rcode, &format!("{}: {why}", NoDot(name)))
    }

    fn refuse_rrset(&mut self, rcode: Rcode, name: NameRef<'_>, rtype: Rtype, why: &str) -> Refused {
        self.refuse(rcode, &format!("{}/{rtype}: {why}", NoDot(name)))
    }
}
