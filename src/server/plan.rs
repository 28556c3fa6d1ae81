//! What a new configuration changes: the zones that come, go, stay, or stay with other contents.
//!
//! Old configuration and new one in, lists out; nothing is touched here, so a plan can be made, looked at and dropped.

use std::collections::HashMap;
use std::sync::Arc;

use crate::conf::config::{Config, Role, Zone};
use crate::dns::{Class, Name};

/// What tells zones apart: the same name may stand in several views and classes.
#[derive(Debug, Clone, PartialEq, Eq, Hash)]
pub(super) struct ZoneKey {
    /// The view's name.
    pub(super) view: Arc<str>,
    /// The apex.
    pub(super) apex: Name,
    /// The class.
    pub(super) class: Class,
}

/// What becomes of a zone that is in both configurations.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Change {
    /// Its statement says the same as before.
    Nothing,
    /// Its contents stay, its settings do not.
    Settings,
    /// It is another thing than before, so its contents come from elsewhere.
    Contents,
}

/// The step from one configuration to another.
#[derive(Debug, Default)]
pub(super) struct Plan {
    /// Zones that only the new one has.
    pub(super) added: Vec<(ZoneKey, Zone)>,
    /// Zones that both have.
    pub(super) kept: Vec<(ZoneKey, Zone, Change)>,
    /// Zones that only the old one has.
    pub(super) dropped: Vec<ZoneKey>,
}

impl Plan {
    /// Compares the zones that run with those of a configuration.
    pub(super) fn new<'a>(running: impl Iterator<Item = (&'a ZoneKey, &'a Zone)>, new: &Config) -> Self {
        let mut running: HashMap<&ZoneKey, &Zone> = running.collect();
        let mut plan = Self::default();
        for (key, zone) in served_zones(new) {
            match running.remove(&key) {
                Some(old) => plan.kept.push((key, zone.clone(), Change::between(old, zone))),
                None => plan.added.push((key, zone.clone())),
            }
        }
        plan.dropped = running.into_keys().cloned().collect();
        plan
    }
}

impl Change {
    fn between(old: &Zone, new: &Zone) -> Self {
        let same_source = match (&old.role, &new.role) {
            (Role::Secondary { file: old, .. }, Role::Secondary { file: new, .. }) => old == new,
            (old, new) => old == new,
        };
        let same_format = old.settings.masterfile_format == new.settings.masterfile_format;
        if !same_source || !same_format {
            Self::Contents
        } else if old.settings == new.settings && old.role == new.role {
            Self::Nothing
        } else {
            Self::Settings
        }
    }
}

/// The zones of a configuration that have contents of their own, in order.
fn served_zones(config: &Config) -> impl Iterator<Item = (ZoneKey, &Zone)> {
    config.views.iter().flat_map(|view| {
        let name: Arc<str> = view.name.as_str().into();
        let own = |zone: &&Zone| matches!(zone.role, Role::Primary { .. } | Role::Secondary { .. });
        view.zones
            .iter()
            .filter(own)
            .map(move |zone| (ZoneKey { view: name.clone(), apex: zone.apex.clone(), class: zone.class }, zone))
    })
}
