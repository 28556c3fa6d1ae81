//! Watching zone files (`--watch`): a primary zone is loaded again when a file that it came from changes.
//!
//! Directories are watched, not files: editors replace files, and a watch would stay with the one that is gone. Events
//! are collected until it has been quiet for a moment, since a file is often written in several steps; whether one
//! really changed is then told by its time.

use std::collections::BTreeSet;
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use notify::{EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc::{UnboundedReceiver, UnboundedSender, unbounded_channel};

use super::core::Event;

/// Watches the directories of zone files.
pub(super) struct FileWatch {
    watcher: RecommendedWatcher,
    watched: BTreeSet<PathBuf>,
}

impl FileWatch {
    /// Starts to watch nothing; changes will be told as [`Event::Files`]. To be called within a runtime.
    pub(super) fn start(events: UnboundedSender<Event>) -> notify::Result<Self> {
        let (seen, names) = unbounded_channel();
        let watcher = notify::recommended_watcher(move |event: notify::Result<notify::Event>| {
            let Ok(event) = event else { return };
            if matches!(event.kind, EventKind::Create(_) | EventKind::Modify(_)) {
                for path in event.paths {
                    // The receiver goes only with the runtime.
                    let _ = path.file_name().map(|name| seen.send(name.to_owned()));
                }
            }
        })?;
        tokio::spawn(collect(names, events));
        Ok(Self { watcher, watched: BTreeSet::new() })
    }

    /// Watches the directories of these files, and no others any more.
    pub(super) fn follow(&mut self, files: impl Iterator<Item = Arc<Path>>) {
        let wanted: BTreeSet<PathBuf> = files.map(|file| directory(&file)).collect();
        for gone in self.watched.difference(&wanted) {
            // A directory that was removed took its watch with it.
            let _ = self.watcher.unwatch(gone);
        }
        let mut watched: BTreeSet<PathBuf> = self.watched.intersection(&wanted).cloned().collect();
        for new in wanted.difference(&self.watched) {
            if self.watcher.watch(new, RecursiveMode::NonRecursive).is_ok() {
                watched.insert(new.clone());
            }
        }
        self.watched = watched;
    }
}

fn directory(file: &Path) -> PathBuf {
    // The working directory may be another one later. It has no path once it is removed.
    let file = std::path::absolute(file).unwrap_or_else(|_| file.to_owned());
    match file.parent() {
        Some(parent) if !parent.as_os_str().is_empty() => parent.to_owned(),
        _ => PathBuf::from("."),
    }
}

/// Tells of changed files once no more changes come for a moment.
async fn collect(mut names: UnboundedReceiver<OsString>, events: UnboundedSender<Event>) {
    while let Some(first) = names.recv().await {
        let mut changed = BTreeSet::from([first]);
        while let Ok(next) = tokio::time::timeout(QUIET, names.recv()).await {
            match next {
                Some(name) => drop(changed.insert(name)),
                None => return,
            }
        }
        if events.send(Event::Files(changed)).is_err() {
            return;
        }
    }
}

/// How long no file may change before changes are told.
const QUIET: Duration = Duration::from_millis(200);
