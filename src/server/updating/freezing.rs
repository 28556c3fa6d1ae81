//! `rndc freeze`, `thaw` and `sync`: a dynamic zone's file is written, and then its operator's to edit for a while.
//!
//! Whoever freezes a zone edits its file next, and whoever syncs one reads it, so the reply waits until it is written.

use std::sync::Arc;
use std::time::{SystemTime, UNIX_EPOCH};

use tokio::sync::oneshot;

use super::Running;
use crate::server::control::{IscResult, Reply};
use crate::server::core::{Core, Event};
use crate::server::exchange::spawn_told;
use crate::server::journals;
use crate::server::leave::ByLeave;
use crate::server::loading::is_behind;
use crate::server::logging::line::{ZoneText, is_implied, relative};
use crate::server::logging::{Category, Severity, log};
use crate::server::saving::log_fault;
use crate::server::zones::{Loading, ZoneId, ZoneTask};
use crate::transfer::saving::{self, Saving};
use crate::zone::copy::Durability;

/// Commands that wait for files.
#[derive(Default)]
pub(super) struct Freezing(Vec<Waiting>);

/// A command that waits until the files of these zones are written.
struct Waiting {
    zones: Vec<ZoneId>,
    /// Whether they are frozen only if they are.
    freezes: bool,
    answer: Reply,
    reply: oneshot::Sender<Reply>,
}

impl Freezing {
    /// A zone is gone: nobody waits for its file.
    pub(super) fn forget(&mut self, id: ZoneId) {
        self.settle(id);
    }

    fn settle(&mut self, id: ZoneId) {
        self.0.iter_mut().for_each(|waiting| waiting.zones.retain(|zone| *zone != id));
        for done in self.0.extract_if(.., |waiting| waiting.zones.is_empty()) {
            // Whoever asked may be gone.
            let _ = done.reply.send(done.answer);
        }
    }

    fn fail(&mut self, id: ZoneId) {
        for waiting in self.0.iter_mut().filter(|waiting| waiting.zones.contains(&id)) {
            let text = if waiting.freezes { "Flushing the zone updates to disk failed." } else { "" };
            waiting.answer = Reply::failed_with(IscResult::FAILURE, text);
        }
        self.settle(id);
    }

    fn is_awaited(&self, id: ZoneId) -> bool {
        self.0.iter().any(|waiting| waiting.zones.contains(&id))
    }

    fn is_to_be_frozen(&self, id: ZoneId) -> bool {
        self.0.iter().any(|waiting| waiting.freezes && waiting.zones.contains(&id))
    }
}

/// `'z/IN'`, and the view behind it.
pub(in crate::server) fn named(task: &ZoneTask) -> String {
    let zone = task.log_name();
    let view = if is_implied(zone.view) { String::new() } else { format!(" {}", zone.view) };
    format!("'{}/{}'{view}", relative(zone.apex), zone.class)
}

impl Core {
    /// `rndc freeze`, of one zone or of all: those that are frozen by it, and what there is to answer.
    pub(in crate::server) fn freeze(&self, only: Option<ZoneId>) -> (Vec<ZoneId>, Reply) {
        let Some(id) = only else { return self.freeze_all() };
        let result = self.freeze_zone(id);
        if ![IscResult::NOT_PRIMARY, IscResult::NOT_DYNAMIC].contains(&result) {
            self.say_frozen(id, Severity::Info, result);
        }
        match result {
            IscResult::SUCCESS => (vec![id], Reply::done()),
            IscResult::FROZEN => (vec![], Reply::failed_with(result, ALREADY_FROZEN)),
            other => (vec![], Reply::failed(other)),
        }
    }

    fn freeze_all(&self) -> (Vec<ZoneId>, Reply) {
        let (mut frozen, mut result) = (vec![], IscResult::SUCCESS);
        for id in self.dynamic_zones() {
            match self.freeze_zone(id) {
                IscResult::SUCCESS => frozen.push(id),
                other => {
                    self.say_frozen(id, Severity::Error, other);
                    result = other;
                }
            }
        }
        log!(Category::General, Severity::Info, "freezing all zones: {}", result.text());
        (frozen, if result.is_success() { Reply::done() } else { Reply::failed(result) })
    }

    fn say_frozen(&self, id: ZoneId, severity: Severity, result: IscResult) {
        let zone = self.zones.get(id).map(named).unwrap_or_default();
        log!(Category::General, severity, "freezing zone {zone}: {}", result.text());
    }

    /// All zones that change by updates.
    pub(in crate::server) fn dynamic_zones(&self) -> Vec<ZoneId> {
        self.zones.iter().filter(|(_, task)| task.is_dynamic()).map(|(id, _)| id).collect()
    }

    fn freeze_zone(&self, id: ZoneId) -> IscResult {
        match self.zones.get(id) {
            None => IscResult::NOT_FOUND,
            Some(task) if task.is_secondary() => IscResult::NOT_PRIMARY,
            Some(task) if !task.is_dynamic() => IscResult::NOT_DYNAMIC,
            Some(task) if task.served.is_frozen() => IscResult::FROZEN,
            Some(task) => {
                task.served.freeze(true);
                IscResult::SUCCESS
            }
        }
    }

    /// Lets updates be made again. Whoever waits until no more come would wait for ever.
    fn end_freeze(&mut self, id: ZoneId) {
        self.zones.get(id).iter().for_each(|task| task.served.freeze(false));
        self.updating.freezing.settle(id);
    }

    /// Answers a command once the files of these zones are written.
    pub(in crate::server) fn answer_when_written(
        &mut self,
        zones: Vec<ZoneId>,
        freezes: bool,
        answer: Reply,
        reply: oneshot::Sender<Reply>,
    ) {
        let zones: Vec<ZoneId> = zones.into_iter().filter(|id| self.is_to_be_written(*id)).collect();
        if zones.is_empty() {
            // Whoever asked may be gone.
            return drop(reply.send(answer));
        }
        self.updating.freezing.0.push(Waiting { zones: zones.clone(), freezes, answer, reply });
        zones.into_iter().for_each(|id| self.continue_freezing(id));
    }

    /// Whether something of what is served is not in a dynamic zone's file, or may not be soon.
    fn is_to_be_written(&self, id: ZoneId) -> bool {
        let task = self.zones.get(id).filter(|task| task.is_dynamic());
        task.is_some_and(|task| !task.saving.is_done() || task.saving.is_writing()) || self.updating.is_running(id)
    }

    /// Updates have been made to a zone: it may be that their end was waited for, to write its file.
    pub(in crate::server) fn continue_freezing(&mut self, id: ZoneId) {
        if !self.updating.freezing.is_awaited(id) || self.updating.is_running(id) {
            return;
        }
        if !self.is_to_be_written(id) {
            return self.updating.freezing.settle(id);
        }
        let is_writing = self.zones.get(id).is_some_and(|task| task.saving.is_writing());
        if !is_writing {
            self.sync(Some(id), false);
        }
    }

    /// Removes a journal that leads to what is in the file, unless updates are made; those that come wait for it.
    pub(in crate::server) fn drop_journal(&mut self, id: ZoneId) {
        let Some(task) = self.zones.get(id).filter(|task| task.loading == Loading::Idle) else { return };
        let is_from_file = task.has_own_sources() && task.served.contents().is_some();
        let Some(copy) = journals::copy(&task.conf).filter(|_| is_from_file) else { return };
        let (zone, view) = (task.conf.clone(), Arc::clone(&task.view));
        if self.updating.is_running(id) {
            return;
        }
        let (turns, journal) = (Arc::default(), self.journal_place(id));
        let queue = self.updating.queues.entry(id).or_default();
        queue.running = Some(Running { turns, journal, loads_after: false });
        let leave = queue.leave.clone();
        let drop_it = move || {
            let disk = ByLeave::to_keep(&copy, &leave);
            if let Err(error) = disk.of(&copy).drop_journal()
                && !leave.is_away()
            {
                log_fault(ZoneText { apex: zone.apex.as_ref(), class: zone.class, view: &view }, &error);
            }
        };
        let dropping = async move { tokio::task::spawn_blocking(drop_it).await.ok() };
        spawn_told(&self.events, dropping, move |_| Event::Updated(id, Box::new(None)));
    }

    /// A zone's file has been written, or could not be.
    pub(in crate::server) fn file_written(&mut self, id: ZoneId, is_written: bool) {
        let Some(task) = self.zones.get_mut(id).filter(|task| !task.is_secondary()) else { return };
        task.note_file_written();
        let is_writing = task.saving.is_writing();
        match is_written {
            // It is written once more.
            _ if is_writing => {}
            true if self.updating.freezing.is_to_be_frozen(id) => self.continue_freezing(id),
            true => self.updating.freezing.settle(id),
            false => {
                let is_frozen_by_it = self.updating.freezing.is_to_be_frozen(id);
                self.updating.freezing.fail(id);
                if is_frozen_by_it {
                    self.end_freeze(id);
                }
            }
        }
    }

    /// What was read of a primary's file is all that counts, but for the changes in its journal.
    pub(in crate::server) fn note_loaded_journal(&mut self, id: ZoneId, modified: Option<SystemTime>) {
        let Some(task) = self.zones.get_mut(id) else { return };
        task.saving = Saving::default();
        let modified = modified.filter(|_| task.is_dynamic());
        let kept = modified.and_then(|at| at.duration_since(UNIX_EPOCH).ok());
        if let Some(kept) = kept {
            let (durability, kept_s) = (Durability::Journal, kept.as_secs());
            self.save_step(id, saving::Event::Published { durability, kept_s });
        }
    }

    /// `rndc thaw`, of one zone or of all.
    pub(in crate::server) fn thaw(&mut self, only: Option<ZoneId>) -> Reply {
        let Some(id) = only else {
            for id in self.dynamic_zones() {
                self.thaw_zone(id);
            }
            log!(Category::General, Severity::Info, "thawing all zones: success");
            return Reply::done();
        };
        let Some(task) = self.zones.get(id) else { return Reply::failed(IscResult::NOT_FOUND) };
        if task.is_secondary() {
            return Reply::failed(IscResult::NOT_PRIMARY);
        }
        log!(Category::General, Severity::Info, "thawing zone {}: success", named(task));
        self.thaw_zone(id)
    }

    /// What was edited is read first; what cannot be read leaves the zone frozen.
    fn thaw_zone(&mut self, id: ZoneId) -> Reply {
        let Some(task) = self.zones.get_mut(id).filter(|task| task.served.is_frozen()) else { return Reply::done() };
        if task.loading != Loading::Idle || is_behind(task) {
            task.thaws = true;
            self.load(id);
            return Reply::text("A zone reload and thaw was started.\nCheck the logs to see the result.");
        }
        self.end_freeze(id);
        Reply::text("The zone reload and thaw was successful.")
    }

    /// A zone's file has been read, or could not be.
    pub(in crate::server) fn thaw_loaded(&mut self, id: ZoneId, is_read: bool) {
        let Some(task) = self.zones.get_mut(id) else { return };
        if std::mem::take(&mut task.thaws) && is_read {
            self.end_freeze(id);
        }
    }
}

/// What named says to those who freeze a zone once more.
const ALREADY_FROZEN: &str =
    "WARNING: The zone was already frozen.\nSomeone else may be editing it or it may still be re-loading.";

#[cfg(test)]
mod tests {
    use std::fs;
    use std::path::Path;
    use std::time::Duration;

    use tokio::sync::mpsc::UnboundedReceiver;

    use super::*;

    const ZONE: &str = "$TTL 300\n@ SOA ns h 1 3600 900 604800 300\n@ NS ns\nns A 192.0.2.1\n";

    /// A zone that has been read, and is to be written since something of it is in the journal alone.
    async fn changed(folder: &Path) -> (Core, UnboundedReceiver<Event>, ZoneId) {
        fs::write(folder.join("zone"), ZONE).unwrap();
        let zones = "zone dyn.test { type primary; file \"FOLDER/zone\"; allow-update { any; }; };";
        let (mut core, mut inbox) = Core::of_zones(folder, zones);
        core.finish_loads(&mut inbox).await;
        let id = core.zones.iter().next().unwrap().0;
        core.save_step(id, saving::Event::Published { durability: Durability::Journal, kept_s: 1 });
        (core, inbox, id)
    }

    fn freeze(core: &mut Core, id: ZoneId) -> oneshot::Receiver<Reply> {
        let (reply, answer) = oneshot::channel();
        let (zones, text) = core.freeze(Some(id));
        core.answer_when_written(zones, true, text, reply);
        answer
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_thaw_while_a_freeze_writes_the_file_reads_nothing_of_it_and_ends_the_freeze() {
        let folder = tempfile::tempdir().unwrap();
        let (mut core, _inbox, id) = changed(folder.path()).await;
        let mut answer = freeze(&mut core, id);
        assert!(answer.try_recv().is_err() && core.zones.get(id).unwrap().saving.is_writing());
        // What is written has taken the place of the file, which nobody has told us of yet.
        let file = fs::File::options().append(true).open(folder.path().join("zone")).unwrap();
        file.set_modified(SystemTime::now() + Duration::from_secs(2)).unwrap();
        assert_eq!(core.thaw(Some(id)).text, "The zone reload and thaw was successful.");
        let task = core.zones.get(id).unwrap();
        assert!(task.loading == Loading::Idle && !task.served.is_frozen());
        assert!(answer.try_recv().is_ok_and(|reply| reply.result.is_success()));
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn what_is_written_to_a_file_that_the_zone_has_no_longer_is_not_taken_for_what_its_new_file_says() {
        let folder = tempfile::tempdir().unwrap();
        let (mut core, mut inbox, id) = changed(folder.path()).await;
        core.sync(Some(id), false);
        fs::write(folder.path().join("other"), "nonsense\n").unwrap();
        let zones = "zone dyn.test { type primary; file \"FOLDER/other\"; allow-update { any; }; };";
        core.adopt(Core::configuration(folder.path(), zones));
        while core.refreshing.saving.contains_key(&id) {
            let event = inbox.recv().await.unwrap();
            core.handle(event);
        }
        core.finish_loads(&mut inbox).await;
        assert!(!core.zones.get(id).unwrap().has_own_sources());
    }

    /// Whether something is to be written after updates that ended once the zone had these files.
    async fn is_written_behind_updates(file: &str, journal: &str) -> bool {
        let folder = tempfile::tempdir().unwrap();
        let (mut core, _inbox, id) = changed(folder.path()).await;
        core.zones.get_mut(id).unwrap().saving = Saving::default();
        let journal_before = core.journal_place(id);
        let running = Running { turns: Arc::default(), journal: journal_before, loads_after: false };
        core.updating.queues.entry(id).or_default().running = Some(running);
        let clauses = format!("allow-update {{ any; }}; file \"FOLDER/{file}\"; {journal}");
        core.adopt(Core::configuration(folder.path(), &format!("zone dyn.test {{ type primary; {clauses} }};")));
        core.refreshing.directories += 1;
        core.updated(id, None);
        !core.zones.get(id).unwrap().saving.is_done()
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn updates_that_end_after_their_journal_was_named_anew_are_written_to_the_file_unless_that_is_another() {
        for (file, journal, is_written) in [
            ("zone", "", false),
            ("zone", "journal \"FOLDER/named-anew\";", true),
            ("zone", "journal \"relative\";", true),
            ("other", "journal \"FOLDER/named-anew\";", false),
            ("other", "journal \"relative\";", false),
        ] {
            assert_eq!(is_written_behind_updates(file, journal).await, is_written, "{file} {journal}");
        }
    }

    #[tokio::test(flavor = "multi_thread")]
    async fn a_file_that_is_read_instead_of_being_written_keeps_nobody_waiting() {
        let folder = tempfile::tempdir().unwrap();
        let (mut core, mut inbox, id) = changed(folder.path()).await;
        let (reply, mut answer) = oneshot::channel();
        core.updating.freezing.0.push(Waiting { zones: vec![id], freezes: false, answer: Reply::done(), reply });
        core.load(id);
        core.finish_loads(&mut inbox).await;
        assert!(answer.try_recv().is_ok());
    }
}
