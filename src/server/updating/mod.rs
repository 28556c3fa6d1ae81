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
use std::sync::Arc;

use super::core::{Core, Event};
use super::exchange::spawn_told;
use super::journals;
use super::leave::Leave;
use super::load;
use super::logging::Severity;
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

/// The updates of a zone of which some are being made.
#[derive(Default)]
struct Queue {
    waiting: VecDeque<Requested>,
    is_running: bool,
    /// To write to the journal.
    leave: Leave,
    turns: Option<Arc<Turns>>,
    /// Whether the zone's file is to be read once nothing runs.
    loads_after: bool,
}

impl Updating {
    /// Whether updates of this zone are being made.
    pub(super) fn is_running(&self, id: ZoneId) -> bool {
        self.queues.get(&id).is_some_and(|queue| queue.is_running)
    }

    /// Who takes turns with the updates of this zone at its files.
    pub(super) fn turns(&self, id: ZoneId) -> Option<Arc<Turns>> {
        self.queues.get(&id).and_then(|queue| queue.turns.clone())
    }

    /// Has a zone's file read later, if updates are being made to it.
    pub(super) fn postpones_load(&mut self, id: ZoneId) -> bool {
        let queue = self.queues.get_mut(&id).filter(|queue| queue.is_running);
        queue.map(|queue| queue.loads_after = true).is_some()
    }

    /// Forgets a zone; nobody gets a reply any more.
    pub(super) fn forget(&mut self, id: ZoneId) {
        self.queues.remove(&id).into_iter().for_each(|queue| queue.leave.take_away());
        self.freezing.forget(id);
    }
}

impl ZoneTask {
    /// Whether it changes by updates.
    pub(super) fn is_dynamic(&self) -> bool {
        is_dynamic(&self.conf)
    }

    /// Whether its file is for its operator to edit.
    pub(super) fn follows_its_file(&self) -> bool {
        !self.is_secondary() && (!self.is_dynamic() || self.is_frozen)
    }

    /// Its file has just been written: what it says is what is served.
    pub(super) fn note_file_written(&mut self) {
        let (Some(path), Some(at)) = (self.file(), self.origin.as_ref().map(|origin| origin.at)) else { return };
        if !self.is_secondary() {
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
        let Some(id) = self.zones.holder(&requested.update.zone) else {
            return self.count_reply(&requested.answer(Rcode::SERVFAIL));
        };
        if self.zones.get(id).is_some_and(|task| task.is_frozen) {
            requested.say(Severity::Info, FROZEN);
            self.counters.add(Counter::UpdateRej);
            return self.count_reply(&requested.answer(Rcode::REFUSED));
        }
        self.updating.queues.entry(id).or_default().waiting.push_back(requested);
        self.make_updates(id);
    }

    /// Makes the updates of a zone that wait, unless others are being made or its file is being read.
    pub(super) fn make_updates(&mut self, id: ZoneId) {
        let turns = self.refreshing.saving.get(&id).cloned();
        let Some(task) = self.zones.get(id).filter(|task| task.loading == Loading::Idle) else { return };
        let (zone, version) = (task.conf.clone(), task.served.version());
        let Some(queue) = self.updating.queues.get_mut(&id).filter(|queue| !queue.is_running) else { return };
        // Where nothing is served there is nothing to wait for either.
        let most = if version.is_some() { MOST_TOGETHER } else { usize::MAX };
        let count = queue.waiting.len().min(most);
        if count == 0 {
            self.updating.queues.remove(&id);
            return;
        }
        let requests: Vec<Requested> = queue.waiting.drain(..count).collect();
        let Some(version) = version else {
            let answers = requests.into_iter().map(|requested| requested.answer(Rcode::SERVFAIL));
            return answers.for_each(|replied| self.count_reply(&replied));
        };
        let turns = turns.or_else(|| queue.turns.clone()).unwrap_or_default();
        (queue.is_running, queue.turns) = (true, Some(Arc::clone(&turns)));
        let leave = queue.leave.clone();
        let work = Work { rules: rules(&zone), journal: journals::path(&zone), version, leave, turns, requests };
        let made = async move { tokio::task::spawn_blocking(move || work.run()).await.ok() };
        spawn_told(&self.events, made, move |worked| Event::Updated(id, Box::new(worked.flatten())));
    }

    /// Updates of a zone have been made; none: the work broke off, and those who asked have no reply.
    pub(super) fn updated(&mut self, id: ZoneId, worked: Option<Worked>) {
        let Some(queue) = self.updating.queues.get_mut(&id) else { return };
        queue.is_running = false;
        queue.turns = None;
        let loads = std::mem::take(&mut queue.loads_after);
        if let Some(Worked { version, answers }) = worked {
            if let Some(version) = version {
                self.publish_update(id, version);
            }
            answers.into_iter().for_each(|answered| self.answer_update(answered));
        }
        if loads {
            self.load(id);
        }
        self.make_updates(id);
        self.continue_freezing(id);
    }

    fn publish_update(&mut self, id: ZoneId, version: Arc<ZoneVersion>) {
        let Some(task) = self.zones.get_mut(id) else { return };
        let old = task.served.publish(Some(version));
        self.shared.retire_version(old);
        let durability = Durability::Journal;
        self.save_step(id, saving::Event::Published { durability, kept_s: unix_now_s() });
        self.announce(id);
        self.catalog_published(id);
    }

    /// Tells the requester what has come of an update.
    fn answer_update(&mut self, answered: Answered) {
        let Answered { requested, rcode, counted } = answered;
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

/// What is said of an update of a frozen zone.
const FROZEN: &str = "update failed: dynamic update temporarily disabled because the zone is frozen.  \
    Use 'rndc thaw' to re-enable updates. (REFUSED)";
/// How many updates of a zone are made at a time.
const MOST_TOGETHER: usize = 64;
