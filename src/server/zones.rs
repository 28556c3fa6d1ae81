//! The zones that run, as the control side sees them: their configuration, where their contents came from, what they
//! are doing. Workers see only the [`snapshot::Zone`] in each.

use std::collections::HashMap;
use std::hash::{BuildHasher, RandomState};
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use hashbrown::HashTable;

use super::logging::line::ZoneText;
use super::plan::ZoneKey;
use crate::answer::snapshot;
use crate::conf::config::{Role, Zone};
use crate::dns::{Class, NameRef, Serial};
use crate::transfer::refresh::Refresh;
use crate::zone::ZoneVersion;
use crate::zone::master::Source;

/// Tells zones apart for as long as the process runs; never used again, so that what arrives late for a zone that is
/// gone meets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ZoneId(u64);

impl ZoneId {
    /// The zone whose number this is.
    pub(super) fn of(number: u64) -> Self {
        Self(number)
    }

    /// The number by which the zone is known again where only numbers are carried.
    pub(super) fn number(self) -> u64 {
        self.0
    }
}

/// One zone.
pub(super) struct ZoneTask {
    /// Its name, class and view.
    pub(super) key: ZoneKey,
    /// Its statement.
    pub(super) conf: Arc<Zone>,
    /// What the workers answer from.
    pub(super) served: Arc<snapshot::Zone>,
    /// Where the contents that are served came from.
    pub(super) origin: Option<Origin>,
    /// Whether its file is being read.
    pub(super) loading: Loading,
    /// Where the copy on disk is older than what is served.
    pub(super) unsaved: Option<Unsaved>,
    /// When it is refreshed and from whom; secondaries only. In a box, for most zones of most servers are primaries.
    pub(super) refresh: Option<Box<Refresh>>,
}

/// What is served and not in the zone's file.
#[derive(Debug, Clone, Copy)]
pub(super) struct Unsaved {
    /// The mtime that the file is to have once it is written.
    pub(super) touched_s: u64,
    /// Whether the journal leads from the file to what is served. Else a crash takes the zone back.
    pub(super) is_journaled: bool,
    /// Whether the journal is to go once the file is written (`rndc sync -clean`).
    pub(super) drops_journal: bool,
}

/// Where contents came from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// When they were loaded or transferred.
    pub(super) at: SystemTime,
    /// The files read, for a zone that was loaded from files.
    pub(super) sources: Arc<[Source]>,
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
    /// Contents that have just come. The path of the zone's own file is that of its statement, not a copy.
    pub(super) fn now(mut sources: Vec<Source>, file: Option<&Arc<Path>>) -> Self {
        if let (Some(source), Some(file)) = (sources.first_mut(), file)
            && source.path == *file
        {
            source.path = Arc::clone(file);
        }
        Self { at: SystemTime::now(), sources: sources.into() }
    }
}

impl ZoneTask {
    /// How it is named in log lines.
    pub(super) fn log_name(&self) -> ZoneText<'_> {
        ZoneText { apex: self.key.apex.as_ref(), class: self.key.class, view: &self.key.view }
    }

    /// Whether its contents come from other servers.
    pub(super) fn is_secondary(&self) -> bool {
        matches!(self.conf.role, Role::Secondary { .. })
    }

    /// The file that it is loaded from.
    pub(super) fn file(&self) -> Option<&Arc<Path>> {
        match &self.conf.role {
            Role::Primary { file } => Some(file),
            Role::Secondary { file, .. } => file.as_ref(),
            Role::Hint | Role::InView(_) => None,
        }
    }

    /// The serial that is served.
    pub(super) fn serial(&self) -> Option<Serial> {
        self.served.contents().as_ref().map(|version| version.serial())
    }

    /// Whether it serves something else than this version.
    pub(super) fn serves_another(&self, version: &Arc<ZoneVersion>) -> bool {
        self.served.contents().as_ref().is_some_and(|served| !Arc::ptr_eq(served, version))
    }

    /// Whether what is served will be there again after a crash.
    pub(super) fn is_durable(&self) -> bool {
        self.unsaved.is_none_or(|unsaved| unsaved.is_journaled)
    }

    /// The files that its contents came from, if the file that it has now is the first of them.
    pub(super) fn sources(&self) -> Option<&Arc<[Source]>> {
        let sources = self.origin.as_ref().map(|origin| &origin.sources);
        sources.filter(|sources| sources.first().map(|source| &source.path) == self.file())
    }

    /// Whether one of its files is another than when it was read, or was never read.
    pub(super) fn is_stale(&self) -> bool {
        self.sources().is_none_or(|sources| have_changed(sources))
    }
}

/// Whether one of these files is another than when it was read.
pub(super) fn have_changed(sources: &[Source]) -> bool {
    sources.iter().any(|source| super::load::modified(&source.path) != source.modified)
}

/// All zones that run.
#[derive(Default)]
pub(super) struct Zones {
    /// In boxes, for a table has many empty places.
    tasks: HashMap<ZoneId, Box<ZoneTask>>,
    /// By their keys, which stand in the tasks.
    ids: HashTable<ZoneId>,
    hasher: RandomState,
    next: u64,
}

impl Zones {
    /// An id for a zone to come.
    pub(super) fn next_id(&mut self) -> ZoneId {
        self.next += 1;
        ZoneId(self.next)
    }

    /// Adds a zone that is not there yet.
    pub(super) fn add(&mut self, id: ZoneId, task: ZoneTask) {
        let hash = self.hasher.hash_one(&task.key);
        self.tasks.insert(id, Box::new(task));
        let (hasher, tasks) = (&self.hasher, &self.tasks);
        self.ids.insert_unique(hash, id, |id| tasks.get(id).map_or(0, |task| hasher.hash_one(&task.key)));
    }

    /// Takes a zone out.
    pub(super) fn remove(&mut self, key: &ZoneKey) -> Option<(ZoneId, ZoneTask)> {
        let (hash, tasks) = (self.hasher.hash_one(key), &self.tasks);
        let is_it = |id: &ZoneId| tasks.get(id).is_some_and(|task| task.key == *key);
        let (id, _) = self.ids.find_entry(hash, is_it).ok()?.remove();
        self.tasks.remove(&id).map(|task| (id, *task))
    }

    /// A zone by its id; none: it is gone.
    pub(super) fn get(&self, id: ZoneId) -> Option<&ZoneTask> {
        self.tasks.get(&id).map(|task| &**task)
    }

    /// A zone by its id, to be changed.
    pub(super) fn get_mut(&mut self, id: ZoneId) -> Option<&mut ZoneTask> {
        self.tasks.get_mut(&id).map(|task| &mut **task)
    }

    /// The id of a zone that runs.
    pub(super) fn id(&self, key: &ZoneKey) -> Option<ZoneId> {
        let is_it = |id: &ZoneId| self.tasks.get(id).is_some_and(|task| task.key == *key);
        self.ids.find(self.hasher.hash_one(key), is_it).copied()
    }

    /// Every zone, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ZoneId, &ZoneTask)> {
        self.tasks.iter().map(|(id, task)| (*id, &**task))
    }

    /// Every zone, to be changed.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (ZoneId, &mut ZoneTask)> {
        self.tasks.iter_mut().map(|(id, task)| (*id, &mut **task))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// The zones of this name and class in these views.
    pub(super) fn named<'v>(
        &self,
        apex: NameRef<'_>,
        class: Class,
        views: impl Iterator<Item = &'v str>,
    ) -> Vec<ZoneId> {
        let key = |view: &str| ZoneKey { view: view.into(), apex: apex.to_name(), class };
        views.filter_map(|view| self.id(&key(view))).collect()
    }

    /// The zone that workers see as this one, whatever has become of its policy since.
    pub(super) fn holder(&self, served: &snapshot::Zone) -> Option<ZoneId> {
        Some(ZoneId::of(served.handle())).filter(|id| self.tasks.contains_key(id))
    }
}
