//! What systemd is told of our state (sd_notify). Without systemd these do nothing.

use std::time::Duration;

use sd_notify::NotifyState;

/// Zones are loaded, queries are answered.
pub(super) fn ready() {
    tell(&[NotifyState::Ready, NotifyState::Status("running"), NotifyState::MainPid(std::process::id())]);
}

/// Zones are being read, and it may take so much longer.
pub(super) fn loading(done: usize, all: usize, longer: Duration) {
    let status = format!("loading zones: {done} of {all} are done");
    let longer_us = u32::try_from(longer.as_micros()).unwrap_or(u32::MAX);
    tell(&[NotifyState::Status(&status), NotifyState::ExtendTimeoutUsec(longer_us)]);
}

/// A reload has ended without effect; what was served before goes on.
pub(super) fn reload_failed(reason: &str) {
    tell(&[NotifyState::Ready, NotifyState::Status(&format!("reload command finished: {reason}"))]);
}

/// A reload has begun; [`ready`] ends it.
pub(super) fn reloading() {
    match NotifyState::monotonic_usec_now() {
        Ok(moment) => tell(&[NotifyState::Reloading, moment]),
        Err(_) => tell(&[NotifyState::Reloading]),
    }
}

/// The end has begun.
pub(super) fn stopping() {
    tell(&[NotifyState::Stopping]);
}

fn tell(states: &[NotifyState<'_>]) {
    // A service manager that does not listen changes nothing for those who ask us.
    let _ = sd_notify::notify(states);
}
