//! What a transfer has brought, made durable before it is served.

use std::path::PathBuf;
use std::sync::Arc;
use std::time::Duration;

use super::report::Report;
use super::{Arrived, Request};
use crate::server::copies::Copies;
use crate::server::journals::{self, Difference};
use crate::server::leave::ByLeave;
use crate::server::load;
use crate::server::logging::line::ZonePrefix;
use crate::server::logging::{Category, Severity, log};
use crate::server::refreshing::UNEXPECTED;
use crate::server::saving::{self, Turns};
use crate::server::worker::unix_now_s;
use crate::transfer::inbound::Received;
use crate::transfer::refresh::Failure;
use crate::zone::copy::{Copy, Durability, Kept, News};
use crate::zone::disk::Disk;
use crate::zone::journal::Transaction;
use crate::zone::master::Source;
use crate::zone::{ZoneVersion, diff};

impl Request {
    /// What leads to a small zone from the version on disk, where differences were asked for and the whole came. To
    /// append that to the journal is much less work for a disk than to write a file anew, and for whoever waits for it.
    pub(super) fn difference(&self, version: &ZoneVersion) -> Arc<[Transaction]> {
        let is_wanted = self.is_durable && self.file.is_some() && !self.zone.settings.ixfr_from_differences;
        let old = self.base().filter(|old| is_wanted && Copies::is_small(old) && Copies::is_small(version));
        let difference = old.and_then(|old| diff::diff_in_full(old, version));
        let most_bytes = version.size_bytes().max(BLOCK_BYTES);
        difference.into_iter().filter(|difference| difference.as_bytes().len() <= most_bytes).collect()
    }

    /// Waits until nothing older can take the place of what is written to the file. Changes go to the journal, which
    /// may grow meanwhile.
    pub(super) async fn wait_for_file(&self) {
        if let Some(turns) = &self.saving {
            turns.wait_for_file().await;
        }
    }

    /// Makes a version durable, with the changes that lead to it where they came. A few are written at a time: each
    /// takes a thread, and a disk that is asked for more at once gets no faster.
    pub(super) async fn store(
        self,
        version: ZoneVersion,
        transactions: Arc<[Transaction]>,
        received: Received,
        took: Duration,
    ) -> Arrived {
        let version = Arc::new(version);
        if let Some((kept, version)) = self.keep_together(&version, &transactions).await {
            return self.arrived(version, &kept, received, took);
        }
        let pass = self.writers.enter().await;
        let write = move || {
            let kept = self.keep(&version, &transactions);
            drop(pass);
            let nowhere = || Kept { durability: Durability::None, faults: vec![] };
            self.arrived(version, &kept.unwrap_or_else(nowhere), received, took)
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
    async fn keep_together(
        &self,
        version: &Arc<ZoneVersion>,
        transactions: &Arc<[Transaction]>,
    ) -> Option<(Kept, Arc<ZoneVersion>)> {
        let is_change = self.is_durable && !transactions.is_empty();
        let is_small = if is_change { Copies::are_small(transactions) } else { Copies::is_small(version) };
        let is_recorded = !is_change && self.zone.settings.ixfr_from_differences;
        let news = self.whole(version);
        // What takes the place of something newer may take more steps.
        let is_alone = !is_change && matches!(news, News::Instead(Some(_)));
        let is_taken = is_small && !is_recorded && !is_alone && self.saving.is_none();
        let copy = journals::copy(&self.zone).filter(|_| is_taken)?;
        let transactions = if is_change { Arc::clone(transactions) } else { [].into() };
        let is_newer = matches!(news, News::Whole);
        self.copies.keep(copy, Arc::clone(version), transactions, is_newer, self.leave.clone()).await
    }

    /// Writes a version to disk. A zone without a file is as durable as it can be. None: that may not be done any more.
    fn keep(&self, version: &ZoneVersion, transactions: &[Transaction]) -> Option<Kept> {
        let Some(copy) = journals::copy(&self.zone) else {
            return Some(Kept { durability: Durability::File, faults: vec![] });
        };
        let mut journal_turn = self.saving.as_deref().map(Turns::journal);
        let disk = ByLeave::to_keep(&copy, &self.leave);
        let copy = disk.of(&copy);
        let news = match () {
            () if self.is_durable && !transactions.is_empty() => News::Changes(transactions),
            () if self.record(&copy, version) => News::Recorded,
            () => self.whole(version),
        };
        let wait_for_file = || {
            drop(journal_turn.take());
            self.saving.iter().for_each(|turns| turns.block_for_file());
        };
        let kept = copy.keep(version, news, unix_now_s(), wait_for_file);
        Some(kept).filter(|_| !self.leave.is_away())
    }

    /// What a version is that came as a whole.
    fn whole(&self, version: &ZoneVersion) -> News<'_> {
        match self.old.as_deref().filter(|_| self.is_durable) {
            Some(old) if version.serial().is_newer_than(old.serial()) => News::Whole,
            old => News::Instead(old),
        }
    }

    /// Records in the journal what the transfer has changed, where that is asked for. What was transferred whatever the
    /// serial is no difference, as with named.
    fn record(&self, copy: &Copy<'_, impl Disk>, version: &ZoneVersion) -> bool {
        let is_asked_for = self.zone.settings.ixfr_from_differences && self.have.is_some();
        let Some(old) = self.old.as_ref().filter(|_| is_asked_for) else { return false };
        let mut messages = vec![];
        let difference = journals::record(copy, old, version, &mut messages);
        for message in messages.into_iter().filter(|_| !self.leave.is_away()) {
            log!(Category::General, Severity::Error, "{}{message}", ZonePrefix(self.text()));
        }
        matches!(difference, Difference::Recorded)
    }

    fn sources(&self) -> Vec<Source> {
        let source = |path: &PathBuf| Source { path: path.as_path().into(), modified: load::modified(path) };
        self.file.iter().map(source).collect()
    }
}

/// A difference of this size is worth less than the zone, however small that is: a disk writes no less at a time.
const BLOCK_BYTES: usize = 4 << 10;
