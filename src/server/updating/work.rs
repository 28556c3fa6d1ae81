//! Updates of one zone being made, off the control side.

use std::sync::Arc;

use super::Requested;
use crate::answer::counters::Counter;
use crate::conf::config::Zone;
use crate::dns::Rcode;
use crate::server::journals;
use crate::server::leave::{ByLeave, Leave};
use crate::server::logging::line::{ZonePrefix, ZoneText};
use crate::server::logging::{Category, Severity, log};
use crate::server::saving::{self, Turns};
use crate::server::worker::unix_now_s;
use crate::zone::ZoneVersion;
use crate::zone::copy::{Durability, KeepError, News};
use crate::zone::journal::{JournalError, Transaction};
use crate::zone::update::{Made, Rules};

/// Updates that are made together.
pub(super) struct Work {
    pub(super) zone: Zone,
    pub(super) view: Arc<str>,
    pub(super) version: Arc<ZoneVersion>,
    pub(super) rules: Rules,
    pub(super) leave: Leave,
    pub(super) turns: Arc<Turns>,
    pub(super) requests: Vec<Requested>,
}

/// What came of them.
pub(in crate::server) struct Worked {
    /// What is to be served from now on, if something has changed, and where on disk it is.
    pub(super) version: Option<(Arc<ZoneVersion>, Durability)>,
    pub(super) answers: Vec<Answered>,
}

/// An update that has been made, or has not.
pub(super) struct Answered {
    pub(super) requested: Requested,
    pub(super) rcode: Rcode,
    pub(super) counted: Vec<Counter>,
    /// Whether it has changed something, or was made to what only the updates that are made with it have changed.
    is_on_changes: bool,
}

impl Work {
    pub(super) fn run(mut self) -> Worked {
        let (mut version, mut transactions, mut answers) = (Arc::clone(&self.version), vec![], vec![]);
        for requested in std::mem::take(&mut self.requests) {
            let (rcode, counted, change) = self.make(&requested, &version);
            if let Some((next, transaction)) = change {
                version = Arc::new(next);
                transactions.push(transaction);
            }
            answers.push(Answered { requested, rcode, counted, is_on_changes: !transactions.is_empty() });
        }
        let kept = (!transactions.is_empty()).then(|| self.keep(&version, &transactions));
        if let Some(Err(why)) = &kept {
            answers.iter_mut().filter(|answered| answered.is_on_changes).for_each(|answered| answered.lose(why));
        }
        Worked { version: kept.and_then(Result::ok).map(|durability| (version, durability)), answers }
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

    /// Makes the changes durable. A zone without a file is as durable as it can be.
    fn keep(&self, version: &ZoneVersion, transactions: &[Transaction]) -> Result<Durability, Lost> {
        let Some(copy) = journals::copy(&self.zone) else { return Ok(Durability::File) };
        let disk = ByLeave::to_keep(&copy, &self.leave);
        let copy = disk.of(&copy);
        let mut journal_turn = Some(self.turns.journal());
        let wait_for_file = || {
            drop(journal_turn.take());
            self.turns.file()
        };
        let mut kept = copy.keep(version, News::Updates(transactions), unix_now_s(), wait_for_file);
        if let (Durability::Journal, Some(is_appended)) = (kept.durability, &mut journal_turn) {
            **is_appended = true;
        }
        let fault = if kept.durability == Durability::None { kept.faults.pop() } else { None };
        // Nobody hears of the files of a zone that is gone.
        if self.leave.is_away() && kept.durability == Durability::None {
            return Err(Lost::Gone);
        }
        kept.faults.iter().for_each(|fault| saving::log_fault(self.text(), fault));
        if let Some(fault) = fault {
            return Err(fault.into());
        }
        if kept.durability == Durability::File {
            let what = "file and journal did not lead to what is served: the file is written anew";
            log!(Category::General, Severity::Warning, "{}{what}", ZonePrefix(self.text()));
        }
        Ok(kept.durability)
    }

    fn text(&self) -> ZoneText<'_> {
        ZoneText { apex: self.zone.apex.as_ref(), class: self.zone.class, view: &self.view }
    }
}

impl Answered {
    /// What was made in memory is not made at all.
    fn lose(&mut self, why: &Lost) {
        (self.rcode, self.counted) = (Rcode::SERVFAIL, vec![Counter::UpdateFail]);
        self.requested.say(Severity::Info, &format!("error: {why}"));
    }
}

/// Why changes are not on disk.
#[derive(Debug, thiserror::Error)]
enum Lost {
    #[error("journal write failed: zone is gone")]
    Gone,
    #[error("journal write failed: {0}")]
    Journal(JournalError),
    #[error(transparent)]
    File(KeepError),
}

impl From<KeepError> for Lost {
    fn from(fault: KeepError) -> Self {
        match fault {
            KeepError::Journal(error) => Self::Journal(error),
            other => Self::File(other),
        }
    }
}

/// Today as named writes dates into serials: year, month and day, and room for a hundred changes.
pub(super) fn date_serial() -> u32 {
    let today = jiff::Zoned::now();
    let number = |part: i8| u32::try_from(part).unwrap_or_default();
    let year = u32::try_from(today.year()).unwrap_or_default();
    (year * 10_000 + number(today.month()) * 100 + number(today.day())) * 100
}
