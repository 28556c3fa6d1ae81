//! Secondaries' copies on disk: written before a version is published, and once more later where that failed.
//!
//! A copy that cannot be written (no space, no permission) does not keep a new version from being served: a secondary
//! must not be stale, and the old file is still there, so a crash leaves the old version as it always does. The fault
//! is logged each time. BIND: the same, from memory.

use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::control::listener::io_text;
use super::core::{Core, Event};
use super::logging::line::{ZonePrefix, ZoneText};
use super::logging::{Category, Severity, log};
use super::refreshing::{Arrival, Brought};
use super::worker::unix_now_s;
use super::zones::ZoneId;
use crate::conf::config::{MasterfileFormat, ZoneSettings};
use crate::zone::ZoneVersion;
use crate::zone::file::{FileError, write_atomically};
use crate::zone::print::{self, Style};
use crate::zone::raw::{self, Header};

/// Why a copy could not be written.
#[derive(Debug, thiserror::Error)]
pub(super) enum SaveError {
    #[error("{}: write: {}", path.display(), io_text(source))]
    Write { path: PathBuf, source: std::io::Error },
    #[error("{}: rename: {}", path.display(), io_text(source))]
    Rename { path: PathBuf, source: std::io::Error },
    #[error(transparent)]
    Thread(#[from] tokio::task::JoinError),
}

impl From<FileError> for SaveError {
    fn from(error: FileError) -> Self {
        match error {
            FileError::Write { path, source } => Self::Write { path, source },
            FileError::Rename { path, source } => Self::Rename { path, source },
        }
    }
}

/// Makes a version durable.
pub(super) async fn save(
    path: PathBuf,
    version: Arc<ZoneVersion>,
    settings: Arc<ZoneSettings>,
) -> Result<(), SaveError> {
    Ok(tokio::task::spawn_blocking(move || write(&path, &version, &settings)).await??)
}

/// Writes a zone's copy so that named reads it as its own.
fn write(path: &Path, version: &ZoneVersion, settings: &ZoneSettings) -> Result<(), FileError> {
    let style = if settings.masterfile_style_full { Style::Full } else { Style::Relative };
    match settings.masterfile_format {
        MasterfileFormat::Raw => {
            let dumped_at_s = u32::try_from(unix_now_s()).unwrap_or(u32::MAX);
            raw::write(path, version, &Header { dumped_at_s, ..Header::default() })
        }
        MasterfileFormat::Text => write_atomically(path, |out| print::dump(version, style, out)),
    }
}

/// Says that a copy could not be written.
pub(super) fn log_fault(zone: ZoneText<'_>, error: &SaveError) {
    log!(Category::General, Severity::Error, "{}dumping master file: {error}", ZonePrefix(zone));
}

impl Core {
    /// Writes a zone's copy after a while; `touched_s` is the mtime that it is to have.
    pub(super) fn save_later(&mut self, id: ZoneId, touched_s: u64) {
        if let Some(task) = self.zones.get_mut(id) {
            task.unsaved_s = Some(touched_s);
            self.refreshing.saves.set(id, unix_now_s().saturating_add(RETRY.as_secs()));
        }
    }

    /// Writes the copies whose turn has come.
    pub(super) fn run_saving(&mut self) {
        let now_s = unix_now_s();
        while let Some(id) = self.refreshing.saves.due(now_s) {
            self.save_again(id);
        }
    }

    fn save_again(&mut self, id: ZoneId) {
        let Some((path, version, settings)) = self.unsaved(id) else { return };
        let events = self.events.clone();
        tokio::spawn(async move {
            let outcome = save(path, Arc::clone(&version), settings).await;
            let what = Arrival::Saved { version, outcome };
            // Fails only when the server is going down.
            let _ = events.send(Event::Refresh(Brought { id, what }));
        });
    }

    /// What is to be written for a zone, and where.
    fn unsaved(&self, id: ZoneId) -> Option<(PathBuf, Arc<ZoneVersion>, Arc<ZoneSettings>)> {
        let task = self.zones.get(id).filter(|task| task.unsaved_s.is_some())?;
        Some((task.file()?.clone(), task.served.version()?, Arc::clone(&task.conf.settings)))
    }

    /// Writes what is still to be written before the server ends.
    pub(super) async fn save_all(&mut self) {
        let unsaved = self.zones.iter().filter(|(_, task)| task.unsaved_s.is_some()).map(|(id, _)| id);
        for id in unsaved.collect::<Vec<_>>() {
            let Some((path, version, settings)) = self.unsaved(id) else { continue };
            let outcome = save(path, Arc::clone(&version), settings).await;
            self.saved(id, &version, outcome);
        }
    }

    /// A copy was written, or could not be written again.
    pub(super) fn saved(&mut self, id: ZoneId, version: &Arc<ZoneVersion>, outcome: Result<(), SaveError>) {
        let Some(task) = self.zones.get_mut(id) else { return };
        let Some(touched_s) = task.unsaved_s else {
            // A transfer has brought a newer version meanwhile, which this one may have overwritten.
            return self.save_over(id, version);
        };
        if let Err(error) = outcome {
            log_fault(task.log_name(), &error);
            return self.save_later(id, touched_s);
        }
        task.unsaved_s = None;
        super::refreshing::touch(task, touched_s);
        self.save_over(id, version);
    }

    /// Writes the version that is served if it is another than the one that was written last.
    fn save_over(&mut self, id: ZoneId, written: &Arc<ZoneVersion>) {
        let Some(task) = self.zones.get_mut(id) else { return };
        if task.served.contents().as_ref().is_some_and(|served| !Arc::ptr_eq(served, written)) {
            task.unsaved_s = Some(unix_now_s());
            self.save_again(id);
        }
    }
}

/// When a copy that could not be written is written again. BIND: the same.
const RETRY: Duration = Duration::from_secs(900);
