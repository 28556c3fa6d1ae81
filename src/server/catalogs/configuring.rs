//! What a new configuration changes about catalogs, and what `rndc delzone` does with a member.

use std::collections::HashSet;
use std::sync::Arc;

use super::members::Members;
use super::schedule::Schedule;
use super::steps::{log_step, remove_files};
use super::{Consumer, Pass, key_of};
use crate::conf::config::{CatalogZone, Config};
use crate::dns::Class;
use crate::dns::name::NoDot;
use crate::server::access::Policies;
use crate::server::control::{IscResult, Reply};
use crate::server::core::Core;
use crate::server::journals;
use crate::server::logging::{Category, Severity, log};
use crate::server::plan::ZoneKey;
use crate::server::reconfiguring::Touched;
use crate::server::zones::ZoneId;
use crate::zone::catalog::{Catalog, MemberId};

impl Core {
    /// Follows the catalogs of the configuration now in force, and no others. Gives back what is touched, now with
    /// members among it.
    pub(in crate::server) fn configure_catalogs(&mut self, policies: Policies<'_>, touched: Touched) -> Touched {
        let mut pass = Pass { policies, touched, freed: HashSet::new() };
        let config = Arc::clone(&self.config);
        let gone = self.catalogs.consumers.keys().filter(|key| wanted(&config).all(|(wanted, _)| wanted != **key));
        for key in gone.cloned().collect::<Vec<_>>() {
            self.drop_catalog(&key, &config, &mut pass);
        }
        for (key, conf) in wanted(&config) {
            self.configure_catalog(&key, conf, &mut pass);
        }
        pass.touched
    }

    /// BIND: every new configuration has the catalogs that are there looked at again.
    pub(in crate::server) fn ask_catalogs(&mut self) {
        let keys: Vec<ZoneKey> = self.catalogs.consumers.keys().cloned().collect();
        for key in keys {
            let task = self.zones.id(&key).and_then(|id| self.zones.get(id));
            if task.is_some_and(|task| task.served.contents().is_some()) {
                self.ask_catalog(&key);
            }
        }
    }

    fn configure_catalog(&mut self, key: &ZoneKey, conf: &CatalogZone, pass: &mut Pass<'_>) {
        let known = self.catalogs.consumers.get(key);
        if known.is_none_or(|consumer| !consumer.members.are_of(conf)) {
            let members = Members::new(conf.clone(), Arc::clone(&key.view));
            match self.catalogs.consumers.get_mut(key) {
                Some(consumer) => consumer.members = members,
                None => drop(self.catalogs.consumers.insert(key.clone(), Consumer::new(members))),
            }
            self.change_members(key, pass);
        }
        let consumer = self.catalogs.consumers.get(key);
        if let Some(directory) = consumer.and_then(|consumer| consumer.members.missing_directory()) {
            let what = format!("zone-directory '{directory}' not found; zone files will not be saved");
            log!(Category::Config, Severity::Warning, "catz: {what}");
        }
    }

    /// Makes members follow what the configuration says of them.
    fn change_members(&mut self, key: &ZoneKey, pass: &mut Pass<'_>) {
        let Some(consumer) = self.catalogs.consumers.get(key) else { return };
        let catalog = Arc::clone(&consumer.in_force);
        for (id, member) in self.own_members(key) {
            let member = catalog.members.get(&member);
            if let Some(zone) = member.and_then(|member| self.member_zone(key, member)) {
                self.change_member(id, zone, pass);
            }
        }
    }

    /// A catalog is followed no longer. As with named its members go like zones that the configuration has lost: their
    /// files stay. It is said only where the view has other catalogs.
    fn drop_catalog(&mut self, key: &ZoneKey, config: &Config, pass: &mut Pass<'_>) {
        let view = config.views.iter().find(|view| *view.name == *key.view);
        let is_said = view.is_some_and(|view| !view.catalogs.is_empty());
        if let Some(consumer) = self.catalogs.consumers.remove(key).filter(|_| is_said) {
            let name = NoDot(key.apex.as_ref());
            log!(Category::General, Severity::Warning, "catz: removing catalog zone {name}");
            let members = consumer.in_force.members.values().map(|member| NoDot(member.apex.as_ref()));
            members.for_each(|member| log_step("deleting", &member, key));
        }
        for (id, _) in self.own_members(key) {
            let Some(key) = self.zones.get(id).map(key_of) else { continue };
            self.say_removed(&key);
            self.drop_zone(&key);
            pass.touched.add(key);
        }
    }

    /// The zones that are a catalog's members, with their labels.
    fn own_members(&self, key: &ZoneKey) -> Vec<(ZoneId, MemberId)> {
        let own = self.catalogs.owners.iter().filter(|(_, (owner, _))| owner == key);
        own.map(|(id, (_, member))| (*id, Arc::clone(member))).collect()
    }

    /// `rndc delzone`: drops a member, until its catalog is looked at again.
    pub(in crate::server) fn delete_zone(&mut self, id: ZoneId, cleans: bool) -> Reply {
        let Some(task) = self.zones.get(id).filter(|_| self.catalogs.has(id)) else {
            return Reply::failed_with(IscResult::NOT_IMPLEMENTED, "allow-new-zones is not supported");
        };
        let (key, zone) = (key_of(task), task.conf.clone());
        let name = NoDot(zone.apex.as_ref());
        log!(Category::General, Severity::Info, "zone {name} scheduled for removal via delzone");
        let files = [zone.file(), journals::path(&zone)].into_iter().flatten();
        let in_use = files.into_iter().find(|path| path.exists());
        self.drop_zone(&key);
        let mut touched = Touched::none();
        touched.add(key.clone());
        self.publish_snapshot(&touched);
        log!(Category::General, Severity::Info, "deleting zone {name} in view {} via delzone", key.view);
        if cleans {
            remove_files(&zone);
            return Reply::text(format!("zone '{name}' and associated files will be deleted."));
        }
        // BIND ends the text behind the first file.
        let files = in_use.map(|path| format!("{IN_USE}{}", path.display())).unwrap_or_default();
        Reply::text(format!("zone '{name}' will be deleted.{files}"))
    }
}

impl Consumer {
    /// One that knows no version yet.
    fn new(members: Members) -> Self {
        let in_force = Arc::<Catalog>::default();
        Self { members, in_force, absent: std::collections::BTreeSet::new(), schedule: Schedule::default() }
    }
}

/// The catalogs that a configuration wants followed.
fn wanted(config: &Config) -> impl Iterator<Item = (ZoneKey, &CatalogZone)> {
    let key = |view: &str, conf: &CatalogZone| ZoneKey { view: view.into(), apex: conf.apex.clone(), class: Class::IN };
    config.views.iter().flat_map(move |view| view.catalogs.iter().map(move |conf| (key(&view.name, conf), conf)))
}

/// What stands in front of files that a zone leaves behind.
const IN_USE: &str = "The following files were in use and may now be removed:\n";
