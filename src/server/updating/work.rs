//! Updates of one zone being made, off the control side.

use std::path::PathBuf;
use std::sync::Arc;

use super::Requested;
use crate::answer::counters::Counter;
use crate::dns::Rcode;
use crate::server::leave::Leave;
use crate::server::logging::Severity;
use crate::server::saving::Turns;
use crate::zone::ZoneVersion;
use crate::zone::copy;
use crate::zone::disk::Host;
use crate::zone::journal::{JournalError, Transaction};
use crate::zone::update::{Made, Rules};

/// Updates that are made together.
pub(super) struct Work {
    pub(super) version: Arc<ZoneVersion>,
    pub(super) rules: Rules,
    /// Where the changes go; none for zones without a file.
    pub(super) journal: Option<PathBuf>,
    pub(super) leave: Leave,
    pub(super) turns: Arc<Turns>,
    pub(super) requests: Vec<Requested>,
}

/// What came of them.
pub(in crate::server) struct Worked {
    /// What is to be served from now on, if something has changed. It is on disk.
    pub(super) version: Option<Arc<ZoneVersion>>,
    pub(super) answers: Vec<Answered>,
}

/// An update that has been made, or has not.
pub(super) struct Answered {
    pub(super) requested: Requested,
    pub(super) rcode: Rcode,
    pub(super) counted: Vec<Counter>,
}

/// An update whose changes are in memory so far.
struct Tried {
    rcode: Rcode,
    counted: Vec<Counter>,
    /// Whether it has changed something, or was made to what only these updates have changed.
    is_on_changes: bool,
}

impl Work {
    pub(super) fn run(self) -> Worked {
        let (mut version, mut transactions, mut tried) = (Arc::clone(&self.version), vec![], vec![]);
        for requested in &self.requests {
            let (rcode, counted, change) = self.make(requested, &version);
            if let Some((next, transaction)) = change {
                version = Arc::new(next);
                transactions.push(transaction);
            }
            tried.push(Tried { rcode, counted, is_on_changes: !transactions.is_empty() });
        }
        let kept = if transactions.is_empty() { Ok(()) } else { self.keep(&transactions) };
        if let Err(why) = &kept {
            self.lose(&mut tried, why);
        }
        let is_changed = kept.is_ok() && !transactions.is_empty();
        let answer = |(requested, Tried { rcode, counted, .. })| Answered { requested, rcode, counted };
        let answers = self.requests.into_iter().zip(tried).map(answer).collect();
        Worked { version: is_changed.then_some(version), answers }
    }

    fn make(
        &self,
        requested: &Requested,
        version: &ZoneVersion,
    ) -> (Rcode, Vec<Counter>, Option<(ZoneVersion, Transaction)>) {
        let Some(asked) = &requested.update.asked else { return (Rcode::REFUSED, vec![], None) };
        let Made { rcode, is_unmet, change, remarks } = asked.update.make(version, &self.rules, &requested.counts);
        requested.tell(&remarks);
        let outcome = match rcode {
            Rcode::NOERROR => Counter::UpdateDone,
            Rcode::REFUSED => Counter::UpdateRej,
            _ => Counter::UpdateFail,
        };
        let unmet = is_unmet.then_some(Counter::UpdateBadPrereq);
        (rcode, [outcome].into_iter().chain(unmet).collect(), change)
    }

    /// Makes the changes durable.
    fn keep(&self, transactions: &[Transaction]) -> Result<(), Lost> {
        let Some(journal) = &self.journal else { return Ok(()) };
        // Nobody hears of the updates of a zone that is gone.
        let _held = self.leave.hold().ok_or(Lost::Gone)?;
        let mut is_appended = self.turns.journal();
        copy::append(&Host, journal, transactions).map_err(Lost::Journal)?;
        *is_appended = true;
        Ok(())
    }

    /// What was made in memory is not made at all.
    fn lose(&self, tried: &mut [Tried], why: &Lost) {
        for (tried, requested) in tried.iter_mut().zip(&self.requests).filter(|(tried, _)| tried.is_on_changes) {
            (tried.rcode, tried.counted) = (Rcode::SERVFAIL, vec![Counter::UpdateFail]);
            requested.say(Severity::Info, &format!("error: journal write failed: {why}"));
        }
    }
}

/// Why changes are not on disk.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("zone is gone")]
    Gone,
    #[error(transparent)]
    Journal(JournalError),
}

/// Today as named writes dates into serials: year, month and day, and room for a hundred changes.
pub(super) fn date_serial() -> u32 {
    let today = jiff::Zoned::now();
    let number = |part: i8| u32::try_from(part).unwrap_or_default();
    let year = u32::try_from(today.year()).unwrap_or_default();
    (year * 10_000 + number(today.month()) * 100 + number(today.day())) * 100
}
