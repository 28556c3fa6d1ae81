//! The zones that run, as the control side sees them: their configuration, where their contents came from, what they
//! are doing. Workers see only the [`snapshot::Zone`] in each.

use std::collections::HashMap;
use std::path::PathBuf;
use std::sync::Arc;
use std::time::SystemTime;

use super::logging::line::ZoneText;
use super::plan::ZoneKey;
use crate::answer::snapshot;
use crate::conf::config::{Role, Zone};
use crate::dns::{Class, NameRef, Serial};
use crate::transfer::refresh::Refresh;
use crate::zone::master::Source;

/// Tells zones apart for as long as the process runs; never used again, so that what arrives late for a zone that is
/// gone meets nothing.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub(super) struct ZoneId(u64);

/// One zone.
pub(super) struct ZoneTask {
    /// Its name, class and view.
    pub(super) key: ZoneKey,
    /// Its statement.
    pub(super) conf: Zone,
    /// What the workers answer from.
    pub(super) served: Arc<snapshot::Zone>,
    /// Where the contents that are served came from.
    pub(super) origin: Option<Origin>,
    /// Whether its file is being read.
    pub(super) loading: Loading,
    /// When it is refreshed and from whom; secondaries only. In a box, for most zones of most servers are primaries.
    pub(super) refresh: Option<Box<Refresh>>,
}

/// Where contents came from.
#[derive(Debug, Clone)]
pub(super) struct Origin {
    /// When they were loaded or transferred.
    pub(super) at: SystemTime,
    /// The files read, for a zone that was loaded from files.
    pub(super) sources: Vec<Source>,
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
    pub(super) fn file(&self) -> Option<&PathBuf> {
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

    /// Whether one of its files is another than when it was read, or was never read.
    pub(super) fn is_stale(&self) -> bool {
        let Some(origin) = &self.origin else { return true };
        origin.sources.iter().any(|source| super::load::modified(&source.path) != source.modified)
    }
}

/// All zones that run.
#[derive(Default)]
pub(super) struct Zones {
    tasks: HashMap<ZoneId, ZoneTask>,
    ids: HashMap<ZoneKey, ZoneId>,
    next: u64,
}

impl Zones {
    /// Adds a zone that is not there yet.
    pub(super) fn add(&mut self, task: ZoneTask) -> ZoneId {
        let id = ZoneId(self.next);
        self.next += 1;
        self.ids.insert(task.key.clone(), id);
        self.tasks.insert(id, task);
        id
    }

    /// Takes a zone out.
    pub(super) fn remove(&mut self, key: &ZoneKey) -> Option<(ZoneId, ZoneTask)> {
        let id = self.ids.remove(key)?;
        self.tasks.remove(&id).map(|task| (id, task))
    }

    /// A zone by its id; none: it is gone.
    pub(super) fn get(&self, id: ZoneId) -> Option<&ZoneTask> {
        self.tasks.get(&id)
    }

    /// A zone by its id, to be changed.
    pub(super) fn get_mut(&mut self, id: ZoneId) -> Option<&mut ZoneTask> {
        self.tasks.get_mut(&id)
    }

    /// The id of a zone that runs.
    pub(super) fn id(&self, key: &ZoneKey) -> Option<ZoneId> {
        self.ids.get(key).copied()
    }

    /// Every zone, in no order.
    pub(super) fn iter(&self) -> impl Iterator<Item = (ZoneId, &ZoneTask)> {
        self.tasks.iter().map(|(id, task)| (*id, task))
    }

    /// Every zone, to be changed.
    pub(super) fn iter_mut(&mut self) -> impl Iterator<Item = (ZoneId, &mut ZoneTask)> {
        self.tasks.iter_mut().map(|(id, task)| (*id, task))
    }

    /// How many there are.
    pub(super) fn len(&self) -> usize {
        self.tasks.len()
    }

    /// The zones of this name and class in any view, or in the one that is named.
    pub(super) fn named(&self, apex: NameRef<'_>, class: Class, view: Option<&str>) -> Vec<ZoneId> {
        let matches = |key: &ZoneKey| {
            key.apex.as_ref() == apex && key.class == class && view.is_none_or(|view| *key.view == *view)
        };
        self.ids.iter().filter(|(key, _)| matches(key)).map(|(_, id)| *id).collect()
    }
}
