//! Zones that are being read: that it goes on is looked at every second and said every ten, and where threads are held
//! up by large files or slow disks others take their place.

use std::time::{Duration, Instant};

use super::core::Core;
use super::logging::{Category, Severity, log};
use super::systemd;

/// When reading is looked at.
#[derive(Debug, Default)]
pub(super) struct Progress {
    next_look: Option<Instant>,
    looks: u32,
}

impl Progress {
    /// A file is about to be read.
    pub(super) fn begin(&mut self) {
        if self.next_look.is_none() {
            *self = Self { next_look: Some(Instant::now() + INTERVAL), looks: 0 };
        }
    }

    /// When there is something to do without an event.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.next_look
    }
}

impl Core {
    /// Looks whether reading goes on.
    pub(super) fn run_progress(&mut self, now: Instant) {
        if self.progress.next_look.is_none_or(|at| at > now) {
            return;
        }
        self.progress.next_look = (self.loads_open > 0).then(|| now + INTERVAL);
        if self.loads_open == 0 {
            return;
        }
        self.loader.help();
        self.progress.looks += 1;
        if self.progress.looks.is_multiple_of(LOOKS_PER_LINE) {
            self.say_progress();
        }
    }

    fn say_progress(&self) {
        let all = self.zones.len();
        let done = all.saturating_sub(self.loads_open);
        log!(Category::General, Severity::Info, "loading zones: {done} of {all} are done");
        systemd::loading(done, all, INTERVAL * (LOOKS_PER_LINE * 3));
    }
}

const INTERVAL: Duration = Duration::from_secs(1);
const LOOKS_PER_LINE: u32 = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn reading_is_looked_at_until_it_is_over() {
        let folder = tempfile::tempdir().unwrap();
        let (mut core, mut inbox) = Core::of_zones(folder.path(), "zone a.test { type primary; file \"FOLDER/a\"; };");
        let first = core.progress.next_deadline().unwrap();
        core.run_progress(first - Duration::from_millis(1));
        assert_eq!((core.progress.looks, core.progress.next_deadline()), (0, Some(first)));
        core.run_progress(first);
        assert_eq!((core.progress.looks, core.progress.next_deadline()), (1, Some(first + INTERVAL)));
        while core.loads_open > 0 {
            core.handle(inbox.recv().await.unwrap());
        }
        core.run_progress(first + INTERVAL);
        assert_eq!((core.progress.looks, core.progress.next_deadline()), (1, None));
    }
}
