//! `catalog-zones`: the zones that list others, and what holds for those.

use std::sync::Arc;
use std::time::Duration;

use super::inherit::Levels;
use super::{Context, clause};
use crate::conf::config::{CatalogZone, ZoneSettings};
use crate::conf::table::ZoneType;
use crate::conf::tree::{Item, Node, Value, after};
use crate::dns::Class;

impl Context<'_> {
    /// The catalogs of a view. BIND: of class IN alone.
    pub(super) fn catalogs(&self, levels: Levels<'_>, class: Class) -> Vec<CatalogZone> {
        let list = levels.find(clause::CATALOG_ZONES).and_then(Node::list).filter(|_| class == Class::IN);
        let elements = list.unwrap_or_default();
        if elements.is_empty() {
            return Vec::new();
        }
        let [_, view, options] = levels.0;
        let settings = Arc::new(self.settings(Levels([None, view, options]), ZoneType::Secondary));
        elements.iter().filter_map(|element| self.catalog(element, &settings)).collect()
    }

    fn catalog(&self, element: &[Item<'_>], settings: &Arc<ZoneSettings>) -> Option<CatalogZone> {
        let value = |keyword| after(element, keyword).map(|item| &item.value);
        let primaries = behind(element, "default-primaries").or_else(|| behind(element, "default-masters"));
        Some(CatalogZone {
            apex: after(element, "zone")?.text()?.parse().ok()?,
            primaries: primaries.map(|items| self.remotes_of(items)).unwrap_or_default().into(),
            primary_port: self.port,
            directory: after(element, "zone-directory").and_then(Item::text).map(Arc::from),
            is_in_memory: matches!(value("in-memory"), Some(Value::Boolean(true))),
            min_update_interval: match value("min-update-interval") {
                Some(Value::Seconds(seconds)) => Duration::from_secs((*seconds).into()),
                _ => DEFAULT_UPDATE_INTERVAL,
            },
            settings: Arc::clone(settings),
        })
    }
}

/// The items from behind a keyword to the list that it is about.
fn behind<'e, 'a>(element: &'e [Item<'a>], keyword: &str) -> Option<&'e [Item<'a>]> {
    let at = element.iter().position(|item| matches!(item.value, Value::Word(word) if word == keyword))?;
    let items = element.get(at + 1..)?;
    let list = items.iter().position(|item| item.list().is_some())?;
    items.get(..=list)
}

/// How often members follow their catalog at most, where nothing is said.
const DEFAULT_UPDATE_INTERVAL: Duration = Duration::from_secs(5);
