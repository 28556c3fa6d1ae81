//! `dialup`: zones behind a line that is up now and then keep what can wait for one moment, the heartbeat.

use std::time::{Duration, Instant};

use super::core::Core;
use super::zones::ZoneId;
use crate::conf::config::Dialup;
use crate::transfer::refresh::Event;

/// When the next one is.
#[derive(Debug, Default)]
pub(super) struct Heartbeat {
    interval: Duration,
    next: Option<Instant>,
}

impl Heartbeat {
    /// Takes over `heartbeat-interval`; zero: never. The time until the next one begins anew if it has changed.
    pub(super) fn configure(&mut self, interval: Duration, now: Instant) {
        if interval != self.interval {
            (self.interval, self.next) = (interval, None);
            self.wind(now);
        }
    }

    /// When there is something to do.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.next
    }

    /// Whether it is time; then the next one is set.
    fn take_due(&mut self, now: Instant) -> bool {
        let is_due = self.next.is_some_and(|next| next <= now);
        if is_due {
            self.wind(now);
        }
        is_due
    }

    fn wind(&mut self, now: Instant) {
        self.next = (!self.interval.is_zero()).then(|| now + self.interval);
    }
}

impl Core {
    /// Does at the heartbeat what has waited for it.
    pub(super) fn run_heartbeat(&mut self, now: Instant) {
        if !self.heartbeat.take_due(now) {
            return;
        }
        for (id, dialup) in self.dialled() {
            if dialup.notifies_at_heartbeat() {
                self.announce(id);
            }
            match dialup {
                Dialup::Yes | Dialup::Refresh => self.refresh_at_heartbeat(id, Event::Refresh),
                // Not in BIND's manual: there the NOTIFY wakes the zone, and what is due is done on that occasion.
                Dialup::NotifyPassive => self.refresh_at_heartbeat(id, Event::LineUp),
                Dialup::No | Dialup::Notify | Dialup::Passive => {}
            }
        }
    }

    fn dialled(&self) -> Vec<(ZoneId, Dialup)> {
        let zones = self.zones.iter().map(|(id, task)| (id, task.conf.settings.dialup));
        zones.filter(|(_, dialup)| *dialup != Dialup::No).collect()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_heartbeat_comes_once_an_interval_and_starts_anew_with_another_one() {
        let minute = Duration::from_secs(60);
        let start = Instant::now();
        let mut heartbeat = Heartbeat::default();
        assert_eq!(heartbeat.next_deadline(), None);
        heartbeat.configure(minute, start);
        assert!(!heartbeat.take_due(start + minute / 2));
        heartbeat.configure(minute, start + minute / 2);
        assert!(heartbeat.take_due(start + minute));
        assert!(!heartbeat.take_due(start + minute));
        heartbeat.configure(2 * minute, start + minute);
        assert_eq!(heartbeat.next_deadline(), Some(start + 3 * minute));
        heartbeat.configure(Duration::ZERO, start + minute);
        assert_eq!(heartbeat.next_deadline(), None);
    }

    /// How many SOA queries are sent at the start, and by the first heartbeat on: seen to hold for named.
    #[tokio::test(flavor = "multi_thread")]
    async fn zones_are_checked_at_the_start_or_at_the_heartbeat_or_only_when_somebody_wants_it() {
        let folder = tempfile::tempdir().unwrap();
        let checks = |dialup: &str| {
            let zone = "zone example.test { type secondary; primaries { 127.0.0.1 port 1; };";
            let (mut core, _inbox) = Core::of_zones(folder.path(), &format!("{zone} dialup {dialup}; }};"));
            let at_start = core.refreshing.queries();
            let (now, minute) = (Instant::now(), Duration::from_secs(60));
            core.heartbeat.configure(minute, now);
            core.run_heartbeat(now + minute);
            (at_start, core.refreshing.queries())
        };
        let found = ["no", "notify", "yes", "refresh", "notify-passive", "passive"].map(checks);
        assert_eq!(found, [(1, 1), (1, 1), (0, 1), (0, 1), (0, 1), (0, 0)]);
    }
}
