//! Where replies meet the limits of [`super::rrl`].

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::cookie::CookieState;
use super::facts::Result as Found;
use super::query::First;
use super::reply::Head;
use super::request::Question;
use super::respond::{Job, Outcome};
use super::rrl::{Action, Kind, RateLimit, Subject};
use super::snapshot::View;
use crate::dns::{Class, NameRef, Rcode, Rtype};

impl Job<'_> {
    /// What becomes of an answer by the limits of the view; none: it is sent.
    pub(super) fn rate_limit(
        &mut self,
        view: &View,
        question: &Question<'_>,
        first: &First,
        rcode: Rcode,
    ) -> Option<Action> {
        let limits = view.rate_limit.as_deref().filter(|_| self.is_limited())?;
        let Some(kind) = kind(first.kind) else { return self.count(limits, &Subject::error(), rcode) };
        let end = question.name.len().saturating_sub(first.name_length);
        let name = NameRef::from_prefix(question.name.as_bytes().get(end..)?).ok()?;
        let (rtype, class) = (question.rtype, question.class);
        self.count(limits, &Subject { kind, name: Some(name), is_wildcard: first.is_wildcard, rtype, class }, rcode)
    }

    /// Whether an error is over the limit of the view that the request came to.
    pub(super) fn is_error_over_limit(&mut self, rcode: Rcode) -> bool {
        let snapshot = self.snapshot;
        let view = self.scratch.facts.view.and_then(|index| snapshot.views.get(index));
        let limits = view.and_then(|view| view.rate_limit.as_deref());
        let Some(limits) = limits.filter(|_| rcode != Rcode::NOERROR && self.is_limited()) else { return false };
        self.count(limits, &Subject::error(), rcode).is_some()
    }

    /// Over TCP, and with a cookie of ours, the source is not forged.
    fn is_limited(&self) -> bool {
        !self.is_tcp() && self.scratch.facts.cookie != CookieState::Valid
    }

    fn count(&mut self, limits: &RateLimit, subject: &Subject<'_>, rcode: Rcode) -> Option<Action> {
        let limited = limits.count(self.peer(), subject, self.now_s)?;
        self.scratch.facts.limited = Some(limited);
        if limited.log_only {
            return None;
        }
        self.scratch.facts.rcode = rcode;
        Some(limited.action)
    }

    /// An answer without records that makes a true client ask again: with the cookie that it gets here, or over TCP.
    pub(super) fn slip(&mut self, rcode: Rcode, reply: &mut [u8]) -> Outcome {
        let head = if self.request.wishes.cookie.is_some() {
            Head::from(Rcode::BADCOOKIE)
        } else {
            Head { rcode, is_authoritative: true, is_truncated: true }
        };
        self.reply_without_records(head, reply)
    }
}

impl Subject<'_> {
    /// Errors are told apart by nothing.
    fn error() -> Self {
        Subject { kind: Kind::Error, name: None, is_wildcard: false, rtype: Rtype(0), class: Class::IN }
    }
}

/// What an answer counts as; none: an error.
fn kind(found: Found) -> Option<Kind> {
    Some(match found {
        Found::Success => Kind::Response,
        Found::Referral => Kind::Referral,
        Found::NoData => Kind::NoData,
        Found::NxDomain => Kind::NxDomain,
        Found::Failure => return None,
    })
}
