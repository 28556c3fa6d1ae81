//! Which zones go, change and come.
//!
//! Most zones are the same as before, so they must cost next to nothing: a configuration that differs in one zone has
//! the others before and behind it in the same order, and these are compared in pairs. Only what is between is looked
//! up by name. Zones share their settings, so that equal ones are compared once.

use std::collections::HashMap;
use std::sync::Arc;

use super::{Source, Step, ZoneChange, ZoneKey, settings};
use crate::conf::config::{Role, View, Zone, ZoneSettings};
use crate::dns::NameRef;

/// The steps of all views' zones.
pub(super) fn steps(old: &[View], new: &[View]) -> Vec<Step> {
    let mut found = Found::default();
    for view in new {
        let before = old.iter().find(|before| before.name == view.name);
        found.compare(&view.name, &before.map(own_zones).unwrap_or_default(), &own_zones(view));
    }
    for gone in old.iter().filter(|view| new.iter().all(|other| other.name != view.name)) {
        found.compare(&gone.name, &own_zones(gone), &[]);
    }
    let Found { dropped, changed, added, .. } = found;
    dropped.into_iter().chain(changed).chain(added).collect()
}

/// The zones of a view that have contents of their own, in order.
fn own_zones(view: &View) -> Vec<&Zone> {
    view.zones.iter().filter(|zone| matches!(zone.role, Role::Primary | Role::Secondary { .. })).collect()
}

/// Steps by kind, and which settings are known to say the same.
#[derive(Default)]
struct Found {
    dropped: Vec<Step>,
    changed: Vec<Step>,
    added: Vec<Step>,
    equal_settings: HashMap<(*const ZoneSettings, *const ZoneSettings), bool>,
}

impl Found {
    fn compare(&mut self, view: &str, mut old: &[&Zone], mut new: &[&Zone]) {
        let view: Arc<str> = view.into();
        while let ([one, old_rest @ ..], [other, new_rest @ ..]) = (old, new)
            && is_same(one, other)
        {
            self.pair(&view, one, other);
            (old, new) = (old_rest, new_rest);
        }
        while let ([old_rest @ .., one], [new_rest @ .., other]) = (old, new)
            && is_same(one, other)
        {
            self.pair(&view, one, other);
            (old, new) = (old_rest, new_rest);
        }
        self.compare_by_name(&view, old, new);
    }

    fn compare_by_name(&mut self, view: &Arc<str>, old: &[&Zone], new: &[&Zone]) {
        let mut left: HashMap<NameRef<'_>, &Zone> = old.iter().map(|zone| (zone.apex.as_ref(), *zone)).collect();
        for zone in new {
            match left.remove(&zone.apex.as_ref()) {
                Some(before) => self.pair(view, before, zone),
                None => self.added.push(Step::AddZone(key(view, zone), (*zone).clone())),
            }
        }
        // In their old order, which a map has not kept.
        let gone = old.iter().filter(|zone| left.contains_key(&zone.apex.as_ref()));
        self.dropped.extend(gone.map(|zone| Step::DropZone(key(view, zone))));
    }

    fn pair(&mut self, view: &Arc<str>, old: &Zone, new: &Zone) {
        let equal = self.have_equal_settings(old, new);
        if let Some(change) = change(old, new, equal) {
            self.changed.push(Step::ChangeZone(key(view, new), new.clone(), change));
        }
    }

    fn have_equal_settings(&mut self, old: &Zone, new: &Zone) -> bool {
        let (old, new) = (&old.settings, &new.settings);
        let pair = (Arc::as_ptr(old), Arc::as_ptr(new));
        Arc::ptr_eq(old, new) || *self.equal_settings.entry(pair).or_insert_with(|| old == new)
    }
}

/// How a zone differs from before, if it does. `equal`: its settings say the same.
pub(super) fn change(old: &Zone, new: &Zone, equal: bool) -> Option<ZoneChange> {
    let source = source(old, new);
    let statements = match (source, equal) {
        (Source::Same, true) if has_same_primaries(old, new) => return None,
        (Source::Same, true) => vec![],
        _ => settings::zone(&old.settings, &new.settings),
    };
    Some(ZoneChange { source, statements: [statements, own_statements(old, new)].concat() })
}

fn key(view: &Arc<str>, zone: &Zone) -> ZoneKey {
    ZoneKey { view: Arc::clone(view), apex: zone.apex.clone(), class: zone.class }
}

fn is_same(old: &Zone, new: &Zone) -> bool {
    old.apex == new.apex && old.class == new.class
}

fn source(old: &Zone, new: &Zone) -> Source {
    if std::mem::discriminant(&old.role) != std::mem::discriminant(&new.role) {
        return Source::OtherRole;
    }
    let has_same_file = old.has_file_of(new);
    let has_same_format = old.settings.masterfile_format == new.settings.masterfile_format;
    if has_same_file && has_same_format { Source::Same } else { Source::OtherFile }
}

fn has_same_primaries(old: &Zone, new: &Zone) -> bool {
    match (&old.role, &new.role) {
        (Role::Secondary { primaries: old }, Role::Secondary { primaries: new }) => old == new,
        _ => true,
    }
}

/// The statements that say which zone it is.
fn own_statements(old: &Zone, new: &Zone) -> Vec<&'static str> {
    let differences = [
        ("type", source(old, new) == Source::OtherRole),
        ("file", !old.has_file_of(new)),
        ("primaries", !has_same_primaries(old, new)),
    ];
    differences.iter().filter(|(_, differs)| *differs).map(|(name, _)| *name).collect()
}
