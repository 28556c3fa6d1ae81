//! What is done with one member: its zone is added, changed or dropped, if it is the catalog's to do so.

use std::fmt::Display;

use super::{Pass, key_of};
use crate::conf::config::Zone;
use crate::dns::Name;
use crate::dns::name::NoDot;
use crate::server::core::Core;
use crate::server::journals;
use crate::server::logging::{Category, Severity, log};
use crate::server::plan::{ZoneChange, ZoneKey, zone_change};
use crate::server::zones::ZoneId;
use crate::zone::catalog::{Member, MemberId};

impl Core {
    /// Takes a member from the catalog that gives it away.
    pub(super) fn take_from_giver(&mut self, key: &ZoneKey, member: &Member, pass: &mut Pass<'_>) {
        let holder = self.holder(key, &member.apex).filter(|holder| self.may_take(key, &member.apex, *holder));
        let owned = holder.and_then(|holder| self.catalogs.owners.get(&holder).map(|(owner, _)| (holder, owner)));
        if let Some((holder, owner)) = owned {
            log_step("deleting", &NoDot(member.apex.as_ref()), owner);
            self.delete_member(holder, pass);
        }
    }

    pub(super) fn add_member(&mut self, key: &ZoneKey, id: &MemberId, member: &Member, pass: &mut Pass<'_>) {
        let name = NoDot(member.apex.as_ref());
        log_step("adding", &name, key);
        self.catalogs.set_absent(key, id, true);
        if let Some(holder) = self.holder(key, &member.apex) {
            let reason = match self.catalogs.has(holder) {
                true => "another catalog zone already contains an entry with that zone",
                false => "it is an explicitly configured zone",
            };
            return log_refusal(&format!("zone '{name}' will not be added because {reason}"));
        }
        let Some(zone) = self.member_zone(key, member) else { return };
        let zone_key = ZoneKey { apex: member.apex.clone(), ..key.clone() };
        pass.touched.add(zone_key.clone());
        let added = self.add_zone(zone_key, zone, None, &mut pass.policies);
        self.catalogs.own(added, key, id);
    }

    pub(super) fn modify_member(&mut self, key: &ZoneKey, id: &MemberId, member: &Member, pass: &mut Pass<'_>) {
        let name = NoDot(member.apex.as_ref());
        let Some(holder) = self.holder(key, &member.apex) else { return self.add_member(key, id, member, pass) };
        log_step("modifying", &name, key);
        match self.catalogs.owners.get(&holder) {
            None => return log_refusal(&format!("zone '{name}' is not a dynamically added zone")),
            Some((owner, label)) if (owner, label) == (key, id) => {}
            Some(_) => return log_refusal(&format!("zone '{name}' exists in multiple catalog zones")),
        }
        if let Some(zone) = self.member_zone(key, member) {
            self.change_member(holder, zone, pass);
        }
    }

    pub(super) fn change_member(&mut self, id: ZoneId, zone: Zone, pass: &mut Pass<'_>) {
        let Some(task) = self.zones.get(id) else { return };
        let (key, Some(change)) = (key_of(task), zone_change(&task.conf, &zone)) else { return };
        let has_other_primaries = change.statements.contains(&"primaries");
        pass.touched.add(key.clone());
        self.replace_member(&key, zone, &change, pass);
        if has_other_primaries {
            self.refresh_now(id);
        }
    }

    /// Changes a member's zone; one that has no contents yet may become another.
    fn replace_member(&mut self, key: &ZoneKey, zone: Zone, change: &ZoneChange, pass: &mut Pass<'_>) {
        let before = self.zones.id(key);
        let owner = before.and_then(|id| self.catalogs.owners.get(&id).cloned());
        self.change_zone(key.clone(), zone, change, &mut pass.policies);
        let after = self.zones.id(key).filter(|after| Some(*after) != before);
        if let Some((after, (catalog, member))) = after.zip(owner) {
            self.catalogs.own(after, &catalog, &member);
        }
    }

    pub(super) fn remove_member(&mut self, key: &ZoneKey, id: &MemberId, member: &Member, pass: &mut Pass<'_>) {
        let name = NoDot(member.apex.as_ref());
        log_step("deleting", &name, key);
        let refuse = |reason: &str| {
            log!(Category::General, Severity::Warning, "catz: catz_delzone_taskaction: zone '{name}' {reason}");
        };
        match self.holder(key, &member.apex) {
            None => refuse("not found"),
            Some(holder) => match self.catalogs.owners.get(&holder) {
                None => refuse("is not a dynamically added zone"),
                Some((owner, label)) if (owner, label) == (key, id) => self.delete_member(holder, pass),
                Some(_) => refuse("exists in multiple catalog zones"),
            },
        }
        self.catalogs.set_absent(key, id, false);
    }

    /// Drops a member's zone and its files.
    pub(super) fn delete_member(&mut self, id: ZoneId, pass: &mut Pass<'_>) {
        let Some(task) = self.zones.get(id) else { return };
        let (key, zone) = (key_of(task), task.conf.clone());
        self.drop_zone(&key);
        remove_files(&zone);
        let name = NoDot(key.apex.as_ref());
        log!(Category::General, Severity::Warning, "catz: catz_delzone_taskaction: zone '{name}' deleted");
        pass.freed.insert(key.apex.clone());
        pass.touched.add(key);
    }

    /// A member as a zone; why it cannot be one is said.
    pub(super) fn member_zone(&mut self, key: &ZoneKey, member: &Member) -> Option<Zone> {
        let zone = self.catalogs.consumers.get_mut(key)?.members.zone(member);
        if let Err(fault) = &zone {
            let name = NoDot(member.apex.as_ref());
            log!(Category::General, Severity::Error, "catz: {fault}");
            log!(
                Category::General,
                Severity::Error,
                "catz: error \"failure\" while trying to generate config for zone '{name}'"
            );
        }
        zone.ok()
    }

    /// The zone of a catalog's view that has a name.
    pub(super) fn holder(&self, catalog: &ZoneKey, apex: &Name) -> Option<ZoneId> {
        self.zones.id(&ZoneKey { apex: apex.clone(), ..catalog.clone() })
    }

    /// Whether a zone is a member of another catalog that gives it away to this one.
    pub(super) fn may_take(&self, key: &ZoneKey, apex: &Name, holder: ZoneId) -> bool {
        let owner = self.catalogs.owners.get(&holder).map(|(owner, _)| owner).filter(|owner| *owner != key);
        let owner = owner.and_then(|owner| self.catalogs.consumers.get(owner));
        owner.is_some_and(|owner| owner.in_force.gives(apex, &key.apex))
    }
}

/// BIND says that a step is taken before it looks whether it can be.
pub(super) fn log_step(step: &str, name: &impl Display, catalog: &ZoneKey) {
    let catalog = NoDot(catalog.apex.as_ref());
    log!(Category::General, Severity::Info, "catz: {step} zone '{name}' from catalog '{catalog}' - success");
}

fn log_refusal(why: &str) {
    log!(Category::General, Severity::Warning, "catz: catz_addmodzone_taskaction: {why}");
}

/// The files of a zone that is gone for good. That one is not there, or stays, keeps nothing else from being done.
pub(super) fn remove_files(zone: &Zone) {
    let Some(file) = zone.file() else { return };
    for path in [Some(file), journals::path(zone)].into_iter().flatten() {
        match std::fs::remove_file(&path) {
            Err(error) if error.kind() != std::io::ErrorKind::NotFound => {
                log!(Category::General, Severity::Warning, "file {} not removed: {error}", path.display());
            }
            _ => {}
        }
    }
}
