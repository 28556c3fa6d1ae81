//! Transfers of a zone and the NOTIFYs that lead to them.

use std::net::SocketAddr;
use std::sync::Arc;

use super::{Action, Context, FIRST_RETRY_S, Failure, Forced, Level, Refresh, Timers};
use crate::dns::Serial;
use crate::transfer::peer::{Peer, Socket};
use crate::transfer::standing::TroubleKind;

/// Transfers and NOTIFY.
impl Refresh {
    pub(super) fn transfer(&mut self, primary: &Arc<Peer>, context: &mut Context<'_>) {
        if context.unreachable.contains(primary, context.up_s) {
            self.say_passed_over("refresh", primary);
            return self.next_primary(context);
        }
        let Some(walk) = &mut self.walk else { return };
        walk.is_transferring = true;
        let have = self.copy.map(|copy| copy.serial).filter(|_| walk.forced.is_none());
        let (may_shrink, is_hurried) = (walk.forced == Some(Forced::Asked), walk.is_hurried);
        self.actions.push(Action::Transfer { primary: Arc::clone(primary), have, may_shrink, is_hurried });
    }

    pub(super) fn passed_over(&mut self, context: &mut Context<'_>) {
        let Some(primary) = self.awaited(true) else { return };
        self.say_passed_over("got_transfer_quota", &primary);
        self.next_primary(context);
    }

    fn say_passed_over(&mut self, during: &str, primary: &Peer) {
        let text = format!("{during}: skipping zone transfer as primary {primary}");
        self.log(Level::Info, format!("{text} (source {}) is unreachable (cached)", Socket(primary.source)));
    }

    pub(super) fn transferred(&mut self, timers: Timers, context: &mut Context<'_>) {
        let Some(primary) = self.awaited(true) else { return };
        context.unreachable.remove(&primary);
        self.standing.loaded();
        self.standing.release();
        self.standing.answered(&primary, timers.serial, context.now_s);
        let reported_s = self.walk.as_ref().and_then(|walk| walk.reported_expire_s);
        let mut copy = self.copy_of(timers);
        copy.live_for(copy.first_lives_s(reported_s), context);
        self.copy = Some(copy);
        self.backoff_s = FIRST_RETRY_S;
        self.actions.push(Action::Touch(copy.expires_s.saturating_sub(copy.expire_s.into())));
        self.check_after(copy.refresh_s.into(), context);
        // Another primary may have what a NOTIFY told of.
        let told = self.walk.as_mut().and_then(|walk| {
            walk.forced = None;
            walk.told.take()
        });
        told.into_iter().for_each(|told| self.hear(told));
        self.end(context);
    }

    pub(super) fn transfer_was_needless(&mut self, context: &mut Context<'_>) {
        let Some(primary) = self.awaited(true) else { return };
        context.unreachable.remove(&primary);
        let announced = self.walk.as_ref().and_then(|walk| walk.announced);
        let told = self.walk.as_ref().and_then(|walk| walk.told);
        self.confirm(context);
        match (announced, self.copy) {
            (Some(announced), Some(copy)) if announced.is_newer_than(copy.serial) => {
                let text = format!("refresh: serial {announced} announced but not transferred from primary {primary}");
                self.log(Level::Info, format!("{text} (source {})", Socket(primary.source)));
                self.check_after(copy.retry_s.into(), context);
                self.next_primary(context);
            }
            // Another primary may have what a NOTIFY told of.
            _ if told.is_some_and(|told| self.is_news(told)) => self.next_primary(context),
            _ => self.end(context),
        }
    }

    pub(super) fn transfer_failed(&mut self, failure: Failure, reason: &str, context: &mut Context<'_>) {
        let Some(primary) = self.awaited(true) else { return };
        let kind = match failure {
            Failure::Unreachable => TroubleKind::Unreachable,
            Failure::Refused => TroubleKind::Refused,
            Failure::Shrunk(_) => TroubleKind::HeldBack,
            Failure::Silent { .. } | Failure::TooManyRecords | Failure::Other => TroubleKind::Unusable,
        };
        self.standing.failed(&primary, kind, reason, context.now_s);
        if failure != Failure::Unreachable {
            context.unreachable.connected(&primary);
        }
        match failure {
            Failure::Unreachable => context.unreachable.add(&primary, context.up_s),
            Failure::Silent { began_s } => context.unreachable.add_silent(&primary, began_s, context.up_s),
            Failure::TooManyRecords => {
                // It would fail in the same way soon; another primary may have a zone that is not.
                self.check_after(self.refresh_s(), context);
            }
            Failure::Shrunk(serial) => {
                // It would be no larger the next time; another primary may have it whole.
                self.standing.hold_back(&primary, serial, reason);
                self.check_after(self.refresh_s(), context);
            }
            Failure::Refused | Failure::Other => {}
        }
        self.next_primary(context);
    }

    /// A version that was held back is not transferred again, only to be held back once more.
    pub(super) fn pass_over_held(
        &mut self,
        held_back: Serial,
        reason: &str,
        primary: &Peer,
        context: &mut Context<'_>,
    ) {
        let text = format!("refresh: serial {held_back} is held back, not transferred again from primary {primary}");
        self.log(Level::Info, text);
        self.standing.failed(primary, TroubleKind::HeldBack, reason, context.now_s);
        self.check_after(self.refresh_s(), context);
        self.next_primary(context);
    }

    fn refresh_s(&self) -> u64 {
        self.copy.map_or(*self.settings.refresh_s.start(), |copy| copy.refresh_s.into())
    }

    pub(super) fn notified(&mut self, sender: SocketAddr, serial: Option<Serial>, context: &mut Context<'_>) {
        let text = format!("notify from {}", Socket(sender));
        if serial.is_some_and(|serial| !self.is_news(serial)) {
            return self.log(Level::Info, format!("{text}: zone is up to date"));
        }
        let of_serial = serial.map_or(String::new(), |serial| format!(": serial {serial}"));
        if self.walk.is_some() {
            self.log(Level::Info, format!("{text}{of_serial}: refresh in progress, refresh check queued"));
        } else {
            let told = if serial.is_some() { &of_serial } else { ": no serial" };
            self.log(Level::Info, format!("{text}{told}"));
        }
        for peer in self.settings.primaries.iter().filter(|peer| peer.address.ip() == sender.ip()) {
            context.unreachable.remove(peer);
        }
        self.notifier = Some(sender.ip());
        serial.into_iter().for_each(|serial| self.hear(serial));
        if serial.is_none() || self.walk.is_none() {
            self.want(context);
        }
    }
}
