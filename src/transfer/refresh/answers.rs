//! What the answer to a SOA query, or its absence, leads to.

use std::sync::Arc;

use super::{Action, Context, Forced, Level, Refresh, SOA_TRIES};
use crate::dns::name::NoDot;
use crate::dns::{Rcode, Serial};
use crate::transfer::message::{SoaReply, Unusable};
use crate::transfer::peer::{Peer, Socket};
use crate::transfer::standing::{self, State, TroubleKind};

/// Answers to SOA queries.
impl Refresh {
    pub(super) fn soa_replied(&mut self, reply: &SoaReply, context: &mut Context<'_>) {
        let Some(primary) = self.awaited(false) else { return };
        match *reply {
            SoaReply::Current { serial, expire_s } => self.compare(serial, expire_s, &primary, context),
            SoaReply::Rcode(rcode, has_opt) => self.rcode(rcode, has_opt, &primary, context),
            SoaReply::Truncated => self.truncated(&primary, context),
            SoaReply::Unusable(fault) => {
                let fault = unusable(fault);
                self.note(&primary, TroubleKind::Unusable, &fault, context);
                self.log(Level::Info, format!("refresh: {fault} {}", of(&primary)));
                self.next_primary(context);
            }
            SoaReply::Opcode(opcode) => {
                let fault = format!("unexpected opcode ({opcode})");
                self.note(&primary, TroubleKind::Unusable, &fault, context);
                let source = Socket(primary.source);
                self.log(Level::Info, format!("refresh: {fault} from {primary} (source {source})"));
                self.next_primary(context);
            }
            SoaReply::Tsig(error) => {
                self.failed(&primary, TroubleKind::Refused, &error.to_string(), context);
                self.note(&primary, TroubleKind::Refused, &standing::tsig_reason(error, context.now_s), context);
            }
            SoaReply::Malformed(error) => self.failed(&primary, TroubleKind::Unusable, &error.to_string(), context),
        }
    }

    fn compare(&mut self, theirs: Serial, expire_s: Option<u32>, primary: &Arc<Peer>, context: &mut Context<'_>) {
        self.standing.answered(primary, theirs, context.now_s);
        let Some(walk) = &mut self.walk else { return };
        (walk.announced, walk.reported_expire_s) = (Some(theirs), expire_s);
        let is_free = walk.forced == Some(Forced::Asked) || self.copy.is_none();
        let held_back = self.standing.held_back(primary, theirs).filter(|_| !is_free).map(str::to_owned);
        if let Some(reason) = held_back {
            return self.pass_over_held(theirs, &reason, primary, context);
        }
        let is_wanted = self.copy.is_none_or(|copy| theirs.is_newer_than(copy.serial));
        if walk.forced.is_some() || is_wanted {
            return self.transfer(primary, context);
        }
        let Some(ours) = self.copy.map(|copy| copy.serial) else { return };
        walk.is_fine = true;
        if theirs == ours {
            self.confirm(context);
        } else if !self.settings.multi_master && !std::mem::replace(&mut walk.told_of_lower, true) {
            let text = format!("serial number ({theirs}) received from primary {primary} < ours ({ours})");
            self.log(Level::Info, text);
        }
        self.next_primary(context);
    }

    /// The copy is current. A primary that is a secondary itself may say how long its own copy lives (RFC 7314): ours
    /// must not outlive it, though what it says never makes our life shorter than it is.
    pub(super) fn confirm(&mut self, context: &mut Context<'_>) {
        let reported_s = self.walk.as_ref().and_then(|walk| walk.reported_expire_s);
        let is_sound = self.standing.state(self.serial()) == State::Current;
        if let Some(walk) = self.walk.as_mut().filter(|_| is_sound) {
            walk.trouble = None;
        }
        let Some(copy) = &mut self.copy else { return };
        let lives_s = copy.lives_s(reported_s);
        if reported_s.is_none() || lives_s > copy.left_s(0, context) {
            copy.live_for(lives_s, context);
            self.actions.push(Action::Touch(copy.expires_s.saturating_sub(copy.expire_s.into())));
        }
        let refresh_s = copy.refresh_s.into();
        self.check_after(refresh_s, context);
    }

    fn rcode(&mut self, rcode: Rcode, has_opt: bool, primary: &Arc<Peer>, context: &mut Context<'_>) {
        let dislikes_edns = match rcode {
            Rcode::SERVFAIL | Rcode::NOTIMP | Rcode::BADVERS => true,
            Rcode::FORMERR => !has_opt,
            _ => false,
        };
        if dislikes_edns && self.ask_without_edns() {
            let text = format!("refresh: rcode ({rcode}) retrying without EDNS {}", of(primary));
            return self.log(Level::Debug, text);
        }
        self.log(Level::Info, format!("refresh: unexpected rcode ({rcode}) from {}", of(primary)));
        let is_refusal = matches!(rcode, Rcode::REFUSED | Rcode::NOTAUTH);
        let kind = if is_refusal { TroubleKind::Refused } else { TroubleKind::Unusable };
        self.note(primary, kind, &rcode.to_string(), context);
        if rcode == Rcode::REFUSED {
            // The transfer may be allowed even if queries are not.
            return self.transfer(primary, context);
        }
        self.next_primary(context);
    }

    fn truncated(&mut self, primary: &Arc<Peer>, context: &mut Context<'_>) {
        let text = "refresh: truncated UDP answer, initiating TCP zone xfer for";
        self.log(Level::Info, format!("{text} {}", of(primary)));
        if !self.ask_over_tcp() {
            self.note(primary, TroubleKind::Unusable, "truncated answer", context);
            self.next_primary(context);
        }
    }

    pub(super) fn soa_timed_out(&mut self, context: &mut Context<'_>) {
        let Some(primary) = self.awaited(false) else { return };
        let Some(walk) = &self.walk else { return };
        if !walk.tcp && walk.tries < SOA_TRIES {
            return self.ask();
        }
        if !walk.tcp && self.ask_without_edns() {
            return self.log(Level::Debug, format!("refresh: timeout retrying without EDNS {}", of(&primary)));
        }
        let text = format!("refresh: retry limit for primary {primary} exceeded");
        self.log(Level::Info, format!("{text} (source {})", Socket(primary.source)));
        if !(self.settings.try_tcp_refresh && self.ask_over_tcp()) {
            self.note(&primary, TroubleKind::Unreachable, "timed out", context);
            self.next_primary(context);
        }
    }

    pub(super) fn soa_failed(&mut self, reason: &str, context: &mut Context<'_>) {
        if let Some(primary) = self.awaited(false) {
            self.failed(&primary, TroubleKind::Unreachable, reason, context);
        }
    }

    /// One whose key is not defined could not be asked with a signature, and is not asked without.
    pub(super) fn pass_over_unsigned(&mut self, primary: &Peer, context: &mut Context<'_>) {
        let Some(key) = &primary.missing_key else { return };
        let text = format!("unable to find key: {}", NoDot(key.as_ref()));
        self.note(primary, TroubleKind::Refused, &text, context);
        self.log(Level::Error, text);
        self.next_primary(context);
    }

    fn note(&mut self, primary: &Peer, kind: TroubleKind, reason: &str, context: &Context<'_>) {
        self.standing.failed(primary, kind, reason, context.now_s);
    }

    fn failed(&mut self, primary: &Peer, kind: TroubleKind, reason: &str, context: &mut Context<'_>) {
        self.note(primary, kind, reason, context);
        self.log(Level::Info, format!("refresh: failure trying {}: {reason}", of(primary)));
        self.next_primary(context);
    }

    /// False if that was so already.
    fn ask_without_edns(&mut self) -> bool {
        let Some(walk) = self.walk.as_mut().filter(|walk| walk.opt.is_some()) else { return false };
        (walk.opt, walk.tries) = (None, 0);
        self.ask();
        true
    }

    /// False if that was so already.
    fn ask_over_tcp(&mut self) -> bool {
        let Some(walk) = self.walk.as_mut().filter(|walk| !walk.tcp) else { return false };
        (walk.tcp, walk.tries) = (true, 0);
        self.ask();
        true
    }
}

fn of(primary: &Peer) -> String {
    format!("primary {primary} (source {})", Socket(primary.source))
}

fn unusable(fault: Unusable) -> String {
    match fault {
        Unusable::NotAuthoritative => "non-authoritative answer from".to_owned(),
        Unusable::Cname => "CNAME at top of zone in".to_owned(),
        Unusable::Referral => "referral response from".to_owned(),
        Unusable::NoData => "NODATA response from".to_owned(),
        Unusable::OtherSoa => "unable to get SOA record from".to_owned(),
        Unusable::SoaCount(count) => format!("answer SOA count ({count}) != 1 from"),
    }
}
