//! The zones of a view, found by the longest suffix of a name that is the apex of one.
//!
//! One hash table for any number of zones. Which label counts occur is kept in a bit mask, so that only suffixes that
//! can be an apex are looked up: one look-up when all zones have two labels, whatever the length of the name.

use std::hash::{BuildHasher, RandomState};
use std::sync::Arc;

use hashbrown::HashTable;

use super::snapshot::Zone;
use crate::dns::suffix::{self, Suffixes};
use crate::dns::{NameRef, case};

/// Zones by apex.
#[derive(Clone)]
pub struct ZoneTable {
    seed: u64,
    zones: HashTable<Arc<Zone>>,
    /// Bit n: some apex has n labels.
    label_counts: u128,
}

impl ZoneTable {
    /// A table of these zones. Of two with the same apex the later one is kept.
    pub fn new(zones: impl IntoIterator<Item = Arc<Zone>>) -> Self {
        let zones: Vec<Arc<Zone>> = zones.into_iter().collect();
        // Random, so that nobody can choose apexes that collide.
        let seed = RandomState::new().hash_one(zones.len());
        let mut table = Self { seed, zones: HashTable::with_capacity(zones.len()), label_counts: 0 };
        zones.into_iter().for_each(|zone| table.insert(zone));
        table
    }

    /// The same table with other zones, or none, in the place of some.
    pub fn with<'a>(&self, changes: impl Iterator<Item = (NameRef<'a>, Option<Arc<Zone>>)>) -> Self {
        let mut table = self.clone();
        for (apex, zone) in changes {
            match zone {
                Some(zone) => table.insert(zone),
                None => table.remove(apex),
            }
        }
        table
    }

    /// Its label count stays among those that occur: that costs a look-up at most.
    fn remove(&mut self, apex: NameRef<'_>) {
        let hash = suffix::hash(apex.as_bytes(), self.seed);
        if let Ok(entry) = self.zones.find_entry(hash, |zone| zone.apex() == apex) {
            entry.remove();
        }
    }

    fn insert(&mut self, zone: Arc<Zone>) {
        let seed = self.seed;
        let hash_of = |zone: &Arc<Zone>| suffix::hash(zone.apex().as_bytes(), seed);
        self.label_counts |= 1 << zone.apex().label_count();
        match self.zones.find_mut(hash_of(&zone), |other| other.apex() == zone.apex()) {
            Some(same) => *same = zone,
            None => {
                self.zones.insert_unique(hash_of(&zone), zone, hash_of);
            }
        }
    }

    /// The zone that `name` belongs to.
    pub fn find(&self, name: NameRef<'_>, suffixes: &mut Suffixes) -> Option<&Arc<Zone>> {
        suffixes.find(name);
        self.find_by(name, suffixes)
    }

    /// The same for a name whose labels are known already.
    pub fn find_by(&self, name: NameRef<'_>, suffixes: &Suffixes) -> Option<&Arc<Zone>> {
        let mut counts = self.label_counts & u128::MAX >> (u128::BITS - 1).saturating_sub(suffixes.labels() as u32);
        while let Some(labels) = counts.checked_ilog2() {
            counts ^= 1 << labels;
            let suffix = suffixes.last(name, labels as usize)?;
            // Length bytes are below 64, so folding them as if they were letters changes none of them.
            let same = |zone: &Arc<Zone>| case::is_same(zone.apex().as_bytes(), suffix);
            if let Some(zone) = self.zones.find(suffix::hash(suffix, self.seed), same) {
                return Some(zone);
            }
        }
        None
    }

    /// The zone with this apex.
    pub fn get(&self, apex: NameRef<'_>) -> Option<&Arc<Zone>> {
        self.find(apex, &mut Suffixes::default()).filter(|zone| zone.apex() == apex)
    }

    /// All zones, in no order.
    pub fn iter(&self) -> impl Iterator<Item = &Arc<Zone>> {
        self.zones.iter()
    }

    /// How many zones.
    pub fn len(&self) -> usize {
        self.zones.len()
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.zones.is_empty()
    }
}

impl Default for ZoneTable {
    fn default() -> Self {
        Self::new([])
    }
}

impl std::fmt::Debug for ZoneTable {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ZoneTable({} zones)", self.len())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::answer::snapshot::{ZonePolicy, ZoneRole};
    use crate::dns::{Class, Name};

    fn table(apexes: &[&str]) -> ZoneTable {
        let policy = Arc::new(ZonePolicy::default());
        ZoneTable::new(
            apexes
                .iter()
                .map(|apex| Arc::new(Zone::new(apex.parse().unwrap(), Class::IN, ZoneRole::Primary, policy.clone()))),
        )
    }

    fn found(table: &ZoneTable, name: &str) -> Option<String> {
        let name: Name = name.parse().unwrap();
        table.find(name.as_ref(), &mut Suffixes::default()).map(|zone| zone.apex().to_string())
    }

    #[test]
    fn the_longest_apex_wins_in_any_case() {
        let table = table(&["example.com", "sub.example.com", "net"]);
        assert_eq!(found(&table, "a.b.SUB.example.com").as_deref(), Some("sub.example.com."));
        assert_eq!(found(&table, "subexample.com"), None);
        assert_eq!(found(&table, "x.Example.COM").as_deref(), Some("example.com."));
        assert_eq!(found(&table, "com"), None);
        assert_eq!(found(&table, "net").as_deref(), Some("net."));
    }

    #[test]
    fn the_root_zone_takes_the_rest() {
        let table = table(&[".", "example.com"]);
        assert_eq!(found(&table, "nowhere.test").as_deref(), Some("."));
        assert_eq!(found(&table, ".").as_deref(), Some("."));
        assert!(table.get(NameRef::ROOT).is_some());
    }

    #[test]
    fn a_changed_table_leaves_the_old_one_as_it_was() {
        let old = table(&["example.com", "example.net", "."]);
        let name = |text: &str| text.parse::<Name>().unwrap();
        let zone = |text: &str| old.get(name(text).as_ref()).cloned();
        let (gone, came) = (name("EXAMPLE.net"), name("new.example.com"));
        let added = Zone::new(came.clone(), Class::IN, ZoneRole::Primary, Arc::new(ZonePolicy::default()));
        let new = old.with([(gone.as_ref(), None), (came.as_ref(), Some(Arc::new(added)))].into_iter());
        assert_eq!((old.len(), new.len()), (3, 3));
        assert_eq!(found(&new, "example.net").as_deref(), Some("."));
        assert_eq!(found(&new, "a.new.example.com").as_deref(), Some("new.example.com."));
        assert_eq!(found(&old, "a.new.example.com").as_deref(), Some("example.com."));
        assert!(Arc::ptr_eq(&zone("example.com").unwrap(), new.get(name("example.com").as_ref()).unwrap()));
    }

    #[test]
    fn a_repeated_apex_replaces_and_many_zones_are_all_found() {
        let names: Vec<String> = (0..5000).map(|n| format!("z{n}.example.")).collect();
        let mut apexes: Vec<&str> = names.iter().map(String::as_str).collect();
        apexes.push("Z7.example.");
        let table = table(&apexes);
        assert_eq!(table.len(), 5000);
        assert_eq!(found(&table, "www.z7.example").as_deref(), Some("Z7.example."));
        assert!(names.iter().all(|name| found(&table, name).as_deref() == Some(name) || name.starts_with("z7.")));
    }
}
