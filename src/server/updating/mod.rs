//! Dynamic updates (RFC 2136) of the zones that we are primary for.
//!
//! Workers have said who may ask; what is asked is made here, for each zone one update after the other: off the control
//! side, in [`work`], into the journal, and only then is the version published, others are told, and the requester is
//! answered. Updates that wait for the one before are made together and share its wait for the disk. A zone's file
//! follows some time later ([`saving`]), when it is asked for, and when its operator wants to edit it ([`freezing`]).

mod freezing;
mod request;
mod work;

use std::collections::{HashMap, VecDeque};
use std::path::PathBuf;
use std::sync::Arc;

use tokio::sync::mpsc::UnboundedReceiver;

use super::core::{Core, Event};
use super::exchange::spawn_told;
use super::leave::Leave;
use super::load;
use super::saving::Turns;
use super::worker::unix_now_s;
use super::zones::{Loading, Origin, ZoneId, ZoneTask};
use crate::answer::counters::Counter;
use crate::conf::config::{SerialUpdateMethod, Updates, Zone};
use crate::dns::Rcode;
use crate::transfer::saving;
use crate::zone::ZoneVersion;
use crate::zone::copy::Durability;
use crate::zone::master::Source;
use crate::zone::update::{Rules, SerialMethod};
use freezing::Freezing;
pub(super) use freezing::named;
pub(super) use request::{Ended, Requested, Taken};
pub(super) use work::Worked;
use work::{Answered, Work};

/// The updates of all zones.
#[derive(Default)]
pub(super) struct Updating {
    queues: HashMap<ZoneId, Queue>,
    freezing: Freezing,
}

/// The updates of a zone.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Requested>,
    running: Option<Running>,
    /// To write to the zone's files.
    leave: Leave,
}

/// Updates that are being made.
struct Running {
    turns: Arc<Turns>,
    /// Where the journal is to which they go.
    journal: (Option<PathBuf>, u64),
    /// Whether the zone's file is to be read once they have been made.
    loads_after: bool,
}

impl Updating {
    /// Whether updates of this zone are being made.
    pub(super) fn is_running(&self, id: ZoneId) -> bool {
        self.running(id).is_some()
    }

    /// Who takes turns with the updates of this zone at its files.
    pub(super) fn turns(&self, id: ZoneId) -> Option<Arc<Turns>> {
        self.running(id).map(|running| Arc::clone(&running.turns))
    }

    fn running(&self, id: ZoneId) -> Option<&Running> {
        self.queues.get(&id).and_then(|queue| queue.running.as_ref())
    }

    /// Has a zone's file read later, if updates are being made to it.
    pub(super) fn postpones_load(&mut self, id: ZoneId) -> bool {
        let running = self.queues.get_mut(&id).and_then(|queue| queue.running.as_mut());
        running.map(|running| running.loads_after = true).is_some()
    }

    /// Forgets a zone; gives the updates that waited.
    fn forget(&mut self, id: ZoneId) -> VecDeque<Requested> {
        self.freezing.forget(id);
        let queue = self.queues.remove(&id).unwrap_or_default();
        queue.leave.take_away();
        queue.waiting
    }
}

impl ZoneTask {
    /// Whether it changes by updates.
    pub(super) fn is_dynamic(&self) -> bool {
        is_dynamic(&self.conf)
    }

    /// Whether its file is for its operator to edit, as it is until it has been read, and once a freeze has written it.
    pub(super) fn follows_its_file(&self) -> bool {
        let is_to_be_edited = || self.served.is_frozen() && self.saving.is_done() && !self.saving.is_writing();
        !self.is_secondary() && (!self.is_dynamic() || !self.has_own_sources() || is_to_be_edited())
    }

    /// Its file has just been written: what it says is what is served, unless it was given another file meanwhile.
    pub(super) fn note_file_written(&mut self) {
        let (Some(path), Some(at)) = (self.file(), self.origin.as_ref().map(|origin| origin.at)) else { return };
        if !self.is_secondary() && self.has_own_sources() {
            let source = Source { modified: load::modified(&path), path: path.into() };
            let mut origin = Origin::now(vec![source], &self.conf);
            origin.at = at;
            self.origin = Some(origin);
        }
    }
}

/// Whether a zone changes by updates.
pub(super) fn is_dynamic(zone: &Zone) -> bool {
    zone.settings.updates != Updates::None
}

impl Core {
    /// Somebody asks for an update of a zone that we are primary for.
    pub(super) fn update_primary(&mut self, requested: Requested) {
        let id = ZoneId::of(requested.update.zone.handle());
        let Some(task) = self.zones.get(id) else { return self.fail_updates([requested]) };
        // It may have been frozen since the worker looked.
        if let Err(rcode) = requested.check_frozen(&task.served) {
            self.counters.add(Counter::UpdateRej);
            return self.count_reply(&requested.answer(rcode));
        }
        self.updating.queues.entry(id).or_default().waiting.push_back(requested);
        self.make_updates(id);
    }

    /// Makes the updates of a zone that wait, unless others are being made or its file is being read.
    pub(super) fn make_updates(&mut self, id: ZoneId) {
        let journal = self.journal_place(id);
        let Some(task) = self.zones.get(id).filter(|task| task.loading == Loading::Idle) else { return };
        let Some(queue) = self.updating.queues.get_mut(&id).filter(|queue| queue.running.is_none()) else { return };
        // Updates of contents from elsewhere would not be found again behind a file that could not be read.
        let version = task.served.version().filter(|_| task.has_own_sources());
        let Some(version) = version.filter(|_| !queue.waiting.is_empty()) else {
            let queue = self.updating.queues.remove(&id).unwrap_or_default();
            return self.fail_updates(queue.waiting);
        };
        let count = queue.waiting.len().min(MOST_TOGETHER);
        let requests: Vec<Requested> = queue.waiting.drain(..count).collect();
        let turns = self.refreshing.saving.get(&id).cloned().unwrap_or_default();
        queue.running = Some(Running { turns: Arc::clone(&turns), journal, loads_after: false });
        let (zone, view, leave) = (task.conf.clone(), Arc::clone(&task.view), queue.leave.clone());
        let work = Work { rules: rules(&zone), zone, view, version, leave, turns, requests };
        let made = async move { tokio::task::spawn_blocking(move || work.run()).await.ok() };
        spawn_told(&self.events, made, move |worked| Event::Updated(id, Box::new(worked.flatten())));
    }

    /// Updates of a zone have been made; none: the work broke off, and those who asked have no reply.
    pub(super) fn updated(&mut self, id: ZoneId, worked: Option<Worked>) {
        let running = self.updating.queues.get_mut(&id).and_then(|queue| queue.running.take());
        if let Some(Worked { version, answers }) = worked {
            if let Some((version, durability)) = version {
                self.publish_update(id, version, durability);
            }
            answers.into_iter().for_each(|answered| self.answer_update(answered));
        }
        // Otherwise the zone is gone.
        if let Some(Running { journal, loads_after, .. }) = running {
            self.follow_journal(id, &journal);
            if loads_after {
                self.load(id);
            }
            self.make_updates(id);
            self.continue_freezing(id);
        }
    }

    /// The zone of updates is gone. Those that are being made are answered when they have been.
    pub(super) fn forget_updates(&mut self, id: ZoneId) {
        let waiting = self.updating.forget(id);
        self.fail_updates(waiting);
    }

    fn fail_updates(&self, requests: impl IntoIterator<Item = Requested>) {
        requests.into_iter().for_each(|requested| self.count_reply(&requested.answer(Rcode::SERVFAIL)));
    }

    /// Sees to the updates that are being made when the server ends: who has one on disk is told so.
    pub(super) async fn end_updates(&mut self, events: &mut UnboundedReceiver<Event>) {
        while self.updating.queues.values().any(|queue| queue.running.is_some()) {
            match events.recv().await {
                Some(Event::Updated(id, worked)) => self.updated(id, *worked),
                Some(_) => {}
                None => return,
            }
        }
    }

    fn publish_update(&mut self, id: ZoneId, version: Arc<ZoneVersion>, durability: Durability) {
        let Some(task) = self.zones.get_mut(id) else { return };
        let old = task.served.publish(Some(version));
        self.shared.retire_version(old);
        // Where the zone was given another file meanwhile, what was written is none of its.
        if task.has_own_sources() {
            if durability == Durability::File {
                task.note_file_written();
            }
            self.save_step(id, saving::Event::Published { durability, kept_s: unix_now_s() });
        }
        self.announce(id);
        self.catalog_published(id);
    }

    /// Tells the requester what has come of an update.
    fn answer_update(&mut self, answered: Answered) {
        let Answered { requested, rcode, counted, .. } = answered;
        counted.into_iter().for_each(|counter| self.counters.add(counter));
        self.count_reply(&requested.answer(rcode));
    }
}

/// What a zone asks of updates, at this moment.
fn rules(zone: &Zone) -> Rules {
    let (settings, checks) = (&zone.settings, &zone.settings.checks);
    Rules {
        limits: load::limits(settings),
        mail_addresses: load::strictness(checks.mx),
        integrity: checks.integrity,
        wildcards: checks.wildcard,
        max_ttl: settings.max_zone_ttl.filter(|&most| most > 0),
        serial: match settings.serial_update_method {
            SerialUpdateMethod::Increment => SerialMethod::Increment,
            SerialUpdateMethod::UnixTime => SerialMethod::At(u32::try_from(unix_now_s()).unwrap_or_default()),
            SerialUpdateMethod::Date => SerialMethod::At(work::date_serial()),
        },
    }
}

/// How many updates of a zone are made at a time.
const MOST_TOGETHER: usize = 64;
