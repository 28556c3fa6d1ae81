//! The zones that run, as the control side sees them: their configuration, where their contents came from, what they
//! are doing. Workers see only the [`snapshot::Zone`] in each.

use std::hash::{BuildHasher, RandomState};
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use hashbrown::HashTable;

use super::logging::line::ZoneText;
use super::plan::ZoneKey;
use super::timers::Subject;
use crate::answer::snapshot;
use crate::conf::config::{Role, Zone};
use crate::dns::{Class, NameRef, Serial};
use crate::transfer::guard::Guards;
use crate::transfer::refresh::Refresh;
use crate::transfer::saving::Saving;
use crate::zone::ZoneVersion;
use crate::zone::master::Source;

/// Tells zones apart for as long as the process runs; never used again, so that what arrives late for a zone that is
/// gone meets nothing. Ids rise; the low bits are the zone's place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ZoneId(u64);

/// How many of an id's bits are the place: room for 67 million zones.
const PLACE_BITS: u32 = 26;

impl ZoneId {
    fn new(serial: u64, place: usize) -> Self {
        Self(serial << PLACE_BITS | place as u64)
    }

    /// The zone whose number this is.
    pub(super) fn of(number: u64) -> Self {
        Self(number)
    }

    /// The number by which the zone is known again where only numbers are carried.
    pub(super) fn number(self) -> u64 {
        self.0
    }

    /// Its place among all, which another zone has once this one is gone.
    pub(super) fn place(self) -> usize {
        (self.0 & ((1 << PLACE_BITS) - 1)) as usize
    }
}

impl Subject for ZoneId {
    fn number(self) -> usize {
        self.place()
    }
}

/// One zone.
pub(super) struct ZoneTask {
    id: ZoneId,
    /// Its view's name.
    pub(super) view: Arc<str>,
    /// Its statement.
    pub(super) conf: Zone,
    /// What the workers answer from.
    pub(super) served: Arc<snapshot::Zone>,
    /// Where the contents that are served came from.
    pub(super) origin: Option<Origin>,
    /// Whether its file is being read.
    pub(super) loading: Loading,
    /// Whether it is frozen no longer once its file has been read.
    pub(super) thaws: bool,
    /// What is on disk of what is served, and when the rest of it gets there.
    pub(super) saving: Saving,
    /// When it is refreshed and from whom; secondaries only. In a box, for most zones of most servers are primaries.
    pub(super) refresh: Option<Box<Refresh>>,
}

/// Where contents came from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// When they were loaded or transferred.
    pub(super) at: SystemTime,
    files: Files,
}

/// The files that contents came from.
#[derive(Debug, Clone)]
enum Files {
    /// That of the zone's statement, which was changed last at this time.
    Own(Option<SystemTime>),
    /// Others, the zone's own first; or none.
    Other(Arc<Vec<Source>>),
}

/// Whether a zone's file is being read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Loading {
    /// No.
    Idle,
    /// Yes.
    Running,
    /// Yes, and it has to be read once more: it may have changed since.
    Again,
}

impl Origin {
    /// Contents that have just come.
    pub(super) fn now(sources: Vec<Source>, zone: &Zone) -> Self {
        let files = match &sources[..] {
            [source] if Some(&*source.path) == zone.file().as_deref() => Files::Own(source.modified),
            _ => Files::Other(Arc::new(sources)),
        };
        Self { at: SystemTime::now(), files }
    }

    /// Contents of another zone that came then, whose place this one took.
    pub(super) fn inherited(at: SystemTime) -> Self {
        Self { at, files: Files::Other(Arc::default()) }
    }

    /// The files that went into contents of this zone, its own first.
    fn sources(&self, zone: &Zone) -> Vec<Source> {
        match &self.files {
            Files::Own(modified) => {
                let source = |path: PathBuf| Source { path: path.into(), modified: *modified };
                zone.file().map(source).into_iter().collect()
            }
            Files::Other(sources) => sources.to_vec(),
        }
    }

    /// Whether the file that the zone has now is the first of them.
    fn is_of(&self, zone: &Zone) -> bool {
        match &self.files {
            Files::Own(_) => true,
            Files::Other(sources) => sources.first().map(|source| &*source.path) == zone.file().as_deref(),
        }
    }
}

/// Whether one of the files that a zone's contents came from is another than when it was read, or was never read.
pub(super) fn is_stale(zone: &Zone, origin: Option<&Origin>) -> bool {
    let has_changed = |source: &Source| super::load::modified(&source.path) != source.modified;
    origin.filter(|origin| origin.is_of(zone)).is_none_or(|origin| origin.sources(zone).iter().any(has_changed))
}

impl ZoneTask {
    /// A zone of which nothing has been read.
    pub(super) fn new(id: ZoneId, view: Arc<str>, conf: Zone, served: snapshot::Zone) -> Self {
        let (served, loading) = (Arc::new(served), Loading::Idle);
        Self { id, view, conf, served, origin: None, loading, thaws: false, saving: Saving::default(), refresh: None }
    }

    /// How it is named in log lines.
    pub(super) fn log_name(&self) -> ZoneText<'_> {
        ZoneText { apex: self.conf.apex.as_ref(), class: self.conf.class, view: &self.view }
    }

    fn is_at(&self, key: &ZoneKey) -> bool {
        self.conf.apex == key.apex && self.conf.class == key.class && self.view == key.view
    }

    /// Follows another statement from now on.
    pub(super) fn take_over(&mut self, conf: Zone) {
        if let Some(origin) = &mut self.origin
            && !conf.has_file_of(&self.conf)
        {
            origin.files = Files::Other(Arc::new(origin.sources(&self.conf)));
        }
        self.conf = conf;
    }

    /// What a secondary that is refreshed is guarded against.
    pub(super) fn guards(&self) -> Option<Guards> {
        self.refresh.as_ref().map(|refresh| refresh.guards())
    }

    /// Whether its contents come from other servers.
    pub(super) fn is_secondary(&self) -> bool {
        matches!(self.conf.role, Role::Secondary { .. })
    }

    /// The file that it is loaded from.
    pub(super) fn file(&self) -> Option<PathBuf> {
        self.conf.file()
    }

    /// The serial that is served.
    pub(super) fn serial(&self) -> Option<Serial> {
        self.served.contents().as_ref().map(|version| version.serial())
    }

    /// Whether it serves something else than this version.
    pub(super) fn serves_another(&self, version: &Arc<ZoneVersion>) -> bool {
        self.served.contents().as_ref().is_some_and(|served| !Arc::ptr_eq(served, version))
    }

    /// The files that its contents came from.
    pub(super) fn sources(&self) -> Vec<Source> {
        self.origin.as_ref().map(|origin| origin.sources(&self.conf)).unwrap_or_default()
    }

    /// Whether the file that it has now is the first of those.
    pub(super) fn has_own_sources(&self) -> bool {
        self.origin.as_ref().is_some_and(|origin| origin.is_of(&self.conf))
    }
}

/// All zones that run.
#[derive(Default)]
pub(super) struct Zones {
    /// By their places.
    tasks: Vec<Option<ZoneTask>>,
    /// Places of zones that are gone.
    free: Vec<u32>,
    /// Places by keys, which follow from the tasks.
    places: HashTable<u32>,
    hasher: RandomState,
    /// Zones so far.
    serial: u64,
}

impl Zones {
    /// Adds a zone that is not there yet.
    pub(super) fn add(&mut self, task: impl FnOnce(ZoneId) -> ZoneTask) -> ZoneId {
        let place = self.free.pop().unwrap_or(self.tasks.len() as u32);
        self.serial += 1;
        let id = ZoneId::new(self.serial, place as usize);
        let task = task(id);
        let hash = hash_of(&self.hasher, &task);
        if self.tasks.len() == place as usize {
            self.tasks.push(None);
        }
        self.tasks[place as usize] = Some(task);
        let (hasher, tasks) = (&self.hasher, &self.tasks);
        self.places.insert_unique(hash, place, |&place| at(tasks, place).map_or(0, |task| hash_of(hasher, task)));
        id
    }

    /// Takes a zone out.
    pub(super) fn remove(&mut self, key: &ZoneKey) -> Option<(ZoneId, ZoneTask)> {
        let (hash, tasks) = (self.hash_of_key(key), &self.tasks);
        let is_it = |&place: &u32| at(tasks, place).is_some_and(|task| task.is_at(key));
        let (place, _) = self.places.find_entry(hash, is_it).ok()?.remove();
        self.free.push(place);
        let task = self.tasks.get_mut(place as usize)?.take()?;
        Some((task.id, task))
    }

    /// A zone by its id; none: it is gone.
    pub(super) fn get(&self, id: ZoneId) -> Option<&ZoneTask> {
        self.tasks.get(id.place())?.as_ref().filter(|task| task.id == id)
    }

    /// A zone by its id, to be changed.
    pub(super) fn get_mut(&mut self, id: ZoneId) -> Option<&mut ZoneTask> {
        self.tasks.get_mut(id.place())?.as_mut().filter(|task| task.id == id)
    }

    /// The id of a zone that runs.
    pub(super) fn id(&self, key: &ZoneKey) -> Option<ZoneId> {
        let is_it = |&place: &u32| at(&self.tasks, place).is_some_and(|task| task.is_at(key));
        let place = *self.places.find(self.hash_of_key(key), is_it)?;
        at(&self.tasks, place).map(|task| task.id)
    }

    /// Every zone, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ZoneId, &ZoneTask)> {
        self.tasks.iter().flatten().map(|task| (task.id, task))
    }

    /// Every zone, to be changed.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (ZoneId, &mut ZoneTask)> {
        self.tasks.iter_mut().flatten().map(|task| (task.id, task))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.places.len()
    }

    /// The zone of this name and class in this view.
    pub(super) fn named(&self, apex: NameRef<'_>, class: Class, view: &str) -> Option<ZoneId> {
        self.id(&ZoneKey { view: view.into(), apex: apex.to_name(), class })
    }

    /// The zone that workers see as this one, whatever has become of its policy since.
    pub(super) fn holder(&self, served: &snapshot::Zone) -> Option<ZoneId> {
        self.get(ZoneId::of(served.handle())).map(|task| task.id)
    }

    fn hash_of_key(&self, key: &ZoneKey) -> u64 {
        self.hasher.hash_one((&key.view, &key.apex, key.class))
    }
}

fn at(tasks: &[Option<ZoneTask>], place: u32) -> Option<&ZoneTask> {
    tasks.get(place as usize)?.as_ref()
}

fn hash_of(hasher: &RandomState, task: &ZoneTask) -> u64 {
    hasher.hash_one((&task.view, &task.conf.apex, task.conf.class))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;
    use crate::answer::snapshot::ZoneRole;
    use crate::server::core::Core;

    fn add(zones: &mut Zones, conf: &Zone) -> ZoneId {
        let served = snapshot::Zone::new(conf.apex.clone(), conf.class, ZoneRole::Primary, Arc::default());
        zones.add(|id| ZoneTask::new(id, "_default".into(), conf.clone(), served))
    }

    #[test]
    fn an_id_is_not_used_again_though_its_place_is() {
        let folder = tempfile::tempdir().unwrap();
        let statement = |name: &str| format!("zone {name} {{ type primary; file \"x\"; }};\n");
        let config = Core::configuration(folder.path(), &[statement("a.test"), statement("b.test")].concat());
        let [a, b] = &config.views[0].zones[..] else { panic!("two zones") };
        let key = |zone: &Zone| ZoneKey { view: "_default".into(), apex: zone.apex.clone(), class: zone.class };
        let mut zones = Zones::default();
        let first = add(&mut zones, a);
        assert_eq!(zones.remove(&key(a)).map(|(id, _)| id), Some(first));
        let (second, third) = (add(&mut zones, b), add(&mut zones, a));
        assert_eq!(second.place(), first.place());
        assert!(first < second && second < third && zones.get(first).is_none());
        assert_eq!((zones.id(&key(b)), zones.id(&key(a)), zones.len()), (Some(second), Some(third), 2));
    }

    #[test]
    fn a_zone_whose_file_is_another_by_now_is_stale_until_it_is_read() {
        let folder = tempfile::tempdir().unwrap();
        std::fs::write(folder.path().join("a.test"), "").unwrap();
        let statement = |file: &str| format!("zone a.test {{ type primary; file \"FOLDER/{file}\"; }};\n");
        let zone = |file: &str| Core::configuration(folder.path(), &statement(file)).views[0].zones[0].clone();
        let mut zones = Zones::default();
        let id = add(&mut zones, &zone("a.test"));
        let task = zones.get_mut(id).unwrap();
        let path: Arc<Path> = folder.path().join("a.test").into();
        let source = Source { modified: crate::server::load::modified(&path), path };
        task.origin = Some(Origin::now(vec![source.clone()], &task.conf));
        assert!(!is_stale(&task.conf, task.origin.as_ref()));
        task.take_over(zone("other"));
        assert!(is_stale(&task.conf, task.origin.as_ref()) && !task.has_own_sources());
        assert_eq!(task.sources(), [source]);
    }
}
