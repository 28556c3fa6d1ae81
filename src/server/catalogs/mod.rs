//! Catalog zones on the control side: when one has other contents, its members come, change and go.
//!
//! A version is read and compared with the one before away from the control side, which then does with the members that
//! differ what a reconfiguration does with zones, so that one among ten thousand costs what one costs. What BIND says
//! of each step is said here. Members whose zone is another's, or could not be had, are looked at again each time.

mod configuring;
mod members;
mod schedule;
mod steps;

use std::collections::{BTreeSet, HashMap, HashSet};
use std::sync::Arc;
use std::time::{Duration, Instant};

use self::members::Members;
use self::schedule::{Schedule, Turn};
use super::access::Policies;
use super::core::{Core, Event};
use super::exchange::spawn_told;
use super::logging::{Category, Severity, log};
use super::plan::ZoneKey;
use super::reconfiguring::Touched;
use super::zones::{ZoneId, ZoneTask};
use crate::dns::Name;
use crate::dns::name::NoDot;
use crate::zone::ZoneVersion;
use crate::zone::catalog::{Catalog, Changes, Member, MemberId};
use crate::zone::message::{Level, Message};

/// The catalogs that are followed, and whose members zones are.
#[derive(Default)]
pub(super) struct Catalogs {
    /// By the keys of the catalog zones.
    consumers: HashMap<ZoneKey, Consumer>,
    owners: HashMap<ZoneId, (ZoneKey, MemberId)>,
}

/// What is kept of one catalog.
struct Consumer {
    members: Members,
    /// The version that the members follow.
    in_force: Arc<Catalog>,
    /// Members whose zones are not this catalog's.
    absent: BTreeSet<MemberId>,
    schedule: Schedule,
}

/// A version that has been read.
pub(super) struct Reading {
    /// What it was compared with.
    before: Arc<Catalog>,
    /// What it says and changes; none: it is broken.
    catalog: Option<(Catalog, Changes)>,
    messages: Vec<Message>,
}

impl Reading {
    fn of(version: &ZoneVersion, before: Arc<Catalog>) -> Self {
        let (catalog, messages) = Catalog::read(version, &before);
        let catalog = catalog.map(|catalog| {
            let changes = Changes::between(&before, &catalog);
            (catalog, changes)
        });
        Self { before, catalog, messages }
    }

    /// Whether it was compared with what is in force now. Else the catalog was dropped meanwhile, and is new again.
    fn is_for(&self, consumer: &Consumer) -> bool {
        Arc::ptr_eq(&self.before, &consumer.in_force)
    }
}

/// What steps share.
struct Pass<'h> {
    policies: Policies<'h>,
    touched: Touched,
    /// The names of members that were dropped.
    freed: HashSet<Name>,
}

impl Catalogs {
    /// Whether a zone is a member of some catalog.
    pub(super) fn has(&self, id: ZoneId) -> bool {
        self.owners.contains_key(&id)
    }

    /// The members of a view's catalogs that have zones.
    pub(super) fn members_of<'c>(&'c self, view: &'c str) -> impl Iterator<Item = ZoneId> + 'c {
        self.owners.iter().filter(move |(_, (catalog, _))| &*catalog.view == view).map(|(id, _)| *id)
    }

    /// A zone is gone, or no longer a member's.
    pub(super) fn forget(&mut self, id: ZoneId) {
        if let Some((key, member)) = self.owners.remove(&id) {
            self.set_absent(&key, &member, true);
        }
    }

    /// When some catalog has its turn.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.consumers.values().filter_map(|consumer| consumer.schedule.due()).min()
    }

    fn is_owner(&self, key: &ZoneKey, id: ZoneId) -> bool {
        self.owners.get(&id).is_some_and(|(owner, _)| owner == key)
    }

    fn own(&mut self, id: ZoneId, key: &ZoneKey, member: &MemberId) {
        self.owners.insert(id, (key.clone(), Arc::clone(member)));
        self.set_absent(key, member, false);
    }

    /// A member has a zone, or has none.
    fn set_absent(&mut self, key: &ZoneKey, member: &MemberId, is_absent: bool) {
        let Some(consumer) = self.consumers.get_mut(key) else { return };
        match is_absent {
            true => consumer.absent.insert(Arc::clone(member)),
            false => consumer.absent.remove(member),
        };
    }
}

/// From a new version to what it changes.
impl Core {
    /// A zone has other contents. If it is a catalog, its members follow.
    pub(super) fn catalog_published(&mut self, id: ZoneId) {
        if let Some(task) = self.zones.get(id).filter(|_| !self.catalogs.consumers.is_empty()) {
            self.ask_catalog(&key_of(task));
        }
    }

    /// Members follow the catalogs whose turn it is.
    pub(super) fn run_catalogs(&mut self, now: Instant) {
        let is_due = |consumer: &Consumer| consumer.schedule.due().is_some_and(|at| at <= now);
        let due = self.catalogs.consumers.iter().filter(|(_, consumer)| is_due(consumer));
        let due: Vec<ZoneKey> = due.map(|(key, _)| key.clone()).collect();
        due.iter().for_each(|key| self.begin_catalog(key));
    }

    fn ask_catalog(&mut self, key: &ZoneKey) {
        let Some(consumer) = self.catalogs.consumers.get_mut(key) else { return };
        let turn = consumer.schedule.ask(Instant::now(), consumer.members.conf.min_update_interval);
        self.take_turn(key, &turn);
    }

    fn take_turn(&mut self, key: &ZoneKey, turn: &Turn) {
        let name = NoDot(key.apex.as_ref());
        match turn {
            Turn::Now => self.begin_catalog(key),
            Turn::In(wait_s) => log!(
                Category::General,
                Severity::Info,
                "catz: {name}: new zone version came too soon, deferring update for {wait_s} seconds"
            ),
            Turn::Set => {
                log!(Category::General, Severity::Debug(3), "catz: {name}: update already queued or running");
            }
        }
    }

    /// Has the version that is served read.
    fn begin_catalog(&mut self, key: &ZoneKey) {
        let Some(consumer) = self.catalogs.consumers.get_mut(key) else { return };
        consumer.schedule.begin(Instant::now());
        let task = self.zones.id(key).and_then(|id| self.zones.get(id));
        let Some(version) = task.and_then(|task| task.served.version()) else {
            // It has expired since.
            consumer.schedule.end(Instant::now(), Duration::ZERO);
            return;
        };
        let name = NoDot(key.apex.as_ref());
        log!(Category::General, Severity::Info, "catz: {name}: reload start");
        let serial = version.serial();
        log!(Category::General, Severity::Info, "catz: updating catalog zone '{name}' with serial {serial}");
        let before = Arc::clone(&consumer.in_force);
        let read = move || Reading::of(&version, before);
        // Members are among what is to be read before the server is ready.
        self.loads_open += 1;
        let (work, key) = (async move { tokio::task::spawn_blocking(read).await }, key.clone());
        spawn_told(&self.events, work, |read| Event::Catalog(key, Box::new(read.and_then(Result::ok))));
    }

    /// A version has been read.
    pub(super) fn catalog_read(&mut self, key: &ZoneKey, reading: Option<Reading>) {
        self.loads_open = self.loads_open.saturating_sub(1);
        let consumer = self.catalogs.consumers.get(key);
        if consumer.is_some_and(|consumer| reading.as_ref().is_none_or(|reading| reading.is_for(consumer))) {
            let (catalog, messages) = reading.map_or((None, vec![]), |reading| (reading.catalog, reading.messages));
            messages.iter().for_each(say);
            let outcome = if catalog.is_some() { "success" } else { "failure" };
            if let Some((catalog, changes)) = catalog {
                self.follow_catalog(key, catalog, &changes);
            }
            log!(Category::General, Severity::Info, "catz: {}: reload done: {outcome}", NoDot(key.apex.as_ref()));
            self.end_catalog(key);
        }
        self.say_if_all_loaded();
    }

    fn end_catalog(&mut self, key: &ZoneKey) {
        let Some(consumer) = self.catalogs.consumers.get_mut(key) else { return };
        let interval = consumer.members.conf.min_update_interval;
        if let Some(turn) = consumer.schedule.end(Instant::now(), interval) {
            self.take_turn(key, &turn);
        }
    }

    /// Makes members go, come and change, and shows it to the workers at once.
    fn follow_catalog(&mut self, key: &ZoneKey, catalog: Catalog, changes: &Changes) {
        let Some(consumer) = self.catalogs.consumers.get_mut(key) else { return };
        let new = Arc::new(catalog);
        let old = std::mem::replace(&mut consumer.in_force, Arc::clone(&new));
        let host = self.host.clone();
        let mut pass = Pass { policies: Policies::new(&host), touched: Touched::none(), freed: HashSet::new() };
        let gone: Vec<(&MemberId, &Member)> = named(&old, &changes.gone).collect();
        let is_own = |member: &Member| self.holder(key, &member.apex).is_some_and(|id| self.catalogs.is_owner(key, id));
        let own = gone.iter().map(|(_, member)| *member).filter(|member| is_own(member));
        let reset: HashSet<&Name> = own.map(|member| &member.apex).collect();
        named(&new, &changes.come).for_each(|(_, member)| self.take_from_giver(key, member, &mut pass));
        gone.iter().for_each(|(id, member)| self.remove_member(key, id, member, &mut pass));
        for (id, member) in named(&new, &changes.come) {
            if reset.contains(&member.apex) {
                let name = NoDot(member.apex.as_ref());
                log!(Category::General, Severity::Info, "catz: zone '{name}' unique label has changed, reset state");
            }
            self.add_member(key, id, member, &mut pass);
        }
        self.restore_members(key, &new, changes, &mut pass);
        for (id, member) in named(&new, &changes.changed) {
            self.modify_member(key, id, member, &mut pass);
        }
        self.give_freed(key, &mut pass);
        self.publish_snapshot(&pass.touched);
    }

    /// Adds members of other catalogs that had to wait for names which are free now. BIND: with their next version.
    fn give_freed(&mut self, key: &ZoneKey, pass: &mut Pass<'_>) {
        let freed = std::mem::take(&mut pass.freed);
        let others = self.catalogs.consumers.iter().filter(|(other, _)| *other != key && other.view == key.view);
        let waiting = others.flat_map(|(other, consumer)| {
            let absent = consumer.absent.iter().filter_map(|id| consumer.in_force.members.get_key_value(id));
            let wanted = absent.filter(|(_, member)| freed.contains(&member.apex));
            wanted.map(|(id, member)| (other.clone(), Arc::clone(id), member.clone()))
        });
        for (other, id, member) in waiting.collect::<Vec<_>>() {
            if self.holder(&other, &member.apex).is_none() {
                self.add_member(&other, &id, &member, pass);
            }
        }
    }

    /// Adds members of before whose zones were not there and whose names are free by now.
    fn restore_members(&mut self, key: &ZoneKey, catalog: &Catalog, changes: &Changes, pass: &mut Pass<'_>) {
        let Some(consumer) = self.catalogs.consumers.get_mut(key) else { return };
        consumer.absent.retain(|id| catalog.members.contains_key(id));
        let is_old = |id: &&MemberId| changes.come.binary_search(id).is_err();
        let absent: Vec<MemberId> = consumer.absent.iter().filter(is_old).cloned().collect();
        for (id, member) in named(catalog, &absent) {
            if self.holder(key, &member.apex).is_none_or(|holder| self.may_take(key, &member.apex, holder)) {
                self.take_from_giver(key, member, pass);
                self.add_member(key, id, member, pass);
            }
        }
    }
}

/// The members with these labels.
fn named<'c>(catalog: &'c Catalog, ids: &'c [MemberId]) -> impl Iterator<Item = (&'c MemberId, &'c Member)> {
    ids.iter().filter_map(|id| catalog.members.get_key_value(id))
}

fn key_of(task: &ZoneTask) -> ZoneKey {
    ZoneKey { view: Arc::clone(&task.view), apex: task.conf.apex.clone(), class: task.conf.class }
}

fn say(message: &Message) {
    let severity = match message.level {
        Level::Warning => Severity::Warning,
        Level::Error => Severity::Error,
    };
    log!(Category::General, severity, "{message}");
}

#[cfg(test)]
mod tests;
