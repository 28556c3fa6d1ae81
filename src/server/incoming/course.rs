//! How a transfer gets on, and the limits that it may run into.

use std::convert::Infallible;
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use crate::conf::config::{TransferRate, ZoneSettings};
use crate::server::gate::Pass;

/// A limit of a transfer. The texts are BIND's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Limit {
    /// `max-transfer-time-in`.
    #[error("maximum transfer time exceeded")]
    Time,
    /// `min-transfer-rate-in`.
    #[error("minimum transfer rate reached")]
    Rate,
    /// `max-transfer-idle-in`: the primary was silent.
    #[error("maximum idle time exceeded")]
    Idle,
    /// `tcp-idle-timeout`, which does not know of transfers: the primary was silent.
    #[error("failed while receiving responses")]
    Silence,
}

impl Limit {
    /// How long the primary may be silent, and what is said of it then.
    pub(super) fn of_silence(of_zone: Duration, tcp_idle: Duration) -> (Duration, Self) {
        if of_zone < tcp_idle { (of_zone, Self::Idle) } else { (tcp_idle, Self::Silence) }
    }
}

/// How a transfer gets on.
pub(super) struct Course {
    bytes: AtomicU64,
    /// Held until the primary answers.
    pass: Mutex<Option<Pass>>,
}

impl Course {
    /// Holds the place at the primary's listener, where it has one, until the primary answers.
    pub(super) fn new(pass: Option<Pass>) -> Self {
        Self { bytes: AtomicU64::new(0), pass: Mutex::new(pass) }
    }

    /// So many bytes have come by now.
    pub(super) fn came_in(&self, bytes: u64) {
        self.bytes.store(bytes, Ordering::Relaxed);
        self.lets_others_in();
    }

    fn lets_others_in(&self) {
        drop(self.pass.lock().unwrap_or_else(PoisonError::into_inner).take());
    }

    /// Ends when the transfer has run for too long, or too slowly. A primary that does not answer holds up nobody for
    /// long.
    pub(super) async fn runs_into(&self, settings: &ZoneSettings) -> Limit {
        tokio::select! {
            () = tokio::time::sleep(settings.max_transfer_time_in) => Limit::Time,
            () = falls_below(settings.min_transfer_rate_in, &self.bytes) => Limit::Rate,
            never = self.lets_others_in_after(DOOR_TIMEOUT) => match never {},
        }
    }

    async fn lets_others_in_after(&self, limit: Duration) -> Infallible {
        tokio::time::sleep(limit).await;
        self.lets_others_in();
        std::future::pending().await
    }
}

/// Ends when fewer bytes have come in than there should. It looks once in each of the rate's periods.
async fn falls_below(rate: TransferRate, came_in: &AtomicU64) {
    if rate.within.is_zero() {
        return std::future::pending().await;
    }
    let mut before = 0;
    loop {
        tokio::time::sleep(rate.within).await;
        let now = came_in.load(Ordering::Relaxed);
        if now.saturating_sub(before) < rate.bytes {
            return;
        }
        before = now;
    }
}

/// How long a transfer without an answer keeps others from the primary's listener.
const DOOR_TIMEOUT: Duration = Duration::from_millis(500);

#[cfg(test)]
mod tests {
    use super::*;
    use crate::server::gate::Gate;

    #[tokio::test(start_paused = true)]
    async fn a_transfer_is_too_slow_when_one_period_brings_too_little() {
        let (minute, came_in) = (Duration::from_secs(60), AtomicU64::new(0));
        let began = tokio::time::Instant::now();
        let primary = async {
            for _ in 0..3 {
                came_in.fetch_add(1000, Ordering::Relaxed);
                tokio::time::sleep(minute).await;
            }
            std::future::pending::<()>().await;
        };
        tokio::select! {
            // At the end of a period it is looked before more comes in.
            biased;
            () = falls_below(TransferRate { bytes: 1000, within: minute }, &came_in) => {}
            () = primary => {}
        }
        assert_eq!(began.elapsed(), 4 * minute);
    }

    #[test]
    fn a_primary_may_be_silent_for_the_shorter_of_two_times() {
        let [second, hour] = [1, 3600].map(Duration::from_secs);
        assert_eq!(Limit::of_silence(hour, second), (second, Limit::Silence));
        assert_eq!(Limit::of_silence(second, hour), (second, Limit::Idle));
    }

    #[tokio::test(start_paused = true)]
    async fn the_next_transfer_is_let_in_when_the_primary_answers_or_takes_long() {
        let door = Gate::new(1);
        for answers in [true, false] {
            let course = Course::new(Some(door.enter().await));
            let began = tokio::time::Instant::now();
            let primary = async {
                tokio::time::sleep(DOOR_TIMEOUT / 2).await;
                if answers {
                    course.came_in(100);
                }
                std::future::pending().await
            };
            tokio::select! {
                pass = door.enter() => drop(pass),
                never = course.lets_others_in_after(DOOR_TIMEOUT) => match never {},
                () = primary => {}
            }
            assert_eq!(began.elapsed(), if answers { DOOR_TIMEOUT / 2 } else { DOOR_TIMEOUT });
        }
    }
}
