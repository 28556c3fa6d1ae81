//! What is said of rate limits: when a network comes over one, of each answer, and when it is over.
//!
//! The words are named's (BIND semantics 14). Workers say the first two; that the limit is no longer reached shows only
//! by nothing happening, so each row of limited answers is told to the control side, which looks after it.

use std::collections::VecDeque;
use std::fmt;
use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use super::core::{Core, Event};
use super::logging::{Category, Severity, log, without_waiting};
use super::querylog::Line;
use super::shared::Shared;
use super::worker::unix_now_s;
use crate::answer::rrl::{Action, Kind, Limited, RateLimit};
use crate::answer::{Client, Facts, Snapshot};
use crate::dns::name::NoDot;
use crate::dns::{NameRef, Rcode};

/// A row of answers over one limit.
pub(super) struct Row {
    /// What kind of answers, to whom, about what.
    about: String,
    account: u64,
    limits: Arc<RateLimit>,
    log_only: bool,
}

/// Says what there is to say of an answer over its limit.
pub(super) fn tell(shared: &Shared, snapshot: &Snapshot, request: &[u8], client: &Client, facts: &Facts) {
    let Some(limited) = &facts.limited else { return };
    let Some(line) = Line::new(snapshot, request, client, facts) else { return };
    let about = |noun| About { limited, line: &line, rcode: facts.rcode, noun };
    let would = if limited.log_only { "would " } else { "" };
    without_waiting(|| {
        if limited.is_first {
            log!(Category::RateLimit, Severity::Info, "{would}limit {}", about("responses"));
        }
        // named says this of errors only when it is debugged.
        if limited.kind != Kind::Error {
            let action = if limited.action == Action::Slip { "slip" } else { "drop" };
            log!(Category::RateLimit, Severity::Info, "{line}{would}rate limit {action} {}", about("response"));
        }
    });
    let view = facts.view.and_then(|index| snapshot.views.get(index));
    if let Some(limits) = view.and_then(|view| view.rate_limit.clone()).filter(|_| limited.is_first) {
        let (about, account, log_only) = (about("responses").to_string(), limited.account, limited.log_only);
        shared.post_row(Row { about, account, limits, log_only });
    }
}

/// What was limited.
struct About<'a> {
    limited: &'a Limited,
    line: &'a Line<'a>,
    rcode: Rcode,
    noun: &'static str,
}

impl fmt::Display for About<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { limited, line, rcode, noun } = self;
        match limited.kind {
            Kind::Response => {}
            Kind::Referral => f.write_str("referral ")?,
            Kind::NoData => f.write_str("NODATA ")?,
            Kind::NxDomain => f.write_str("NXDOMAIN ")?,
            Kind::Error => write!(f, "{rcode} error ")?,
            Kind::All => f.write_str("all ")?,
        }
        write!(f, "{noun} to {}", limited.network)?;
        if matches!(limited.kind, Kind::Error | Kind::All) {
            return Ok(());
        }
        write!(f, " for {}", NoDot(end(line.name.as_ref(), usize::from(limited.name_length))))?;
        match limited.kind {
            Kind::Response => write!(f, " {} {}", line.class, line.rtype)?,
            Kind::Referral | Kind::NoData => write!(f, " {}", line.class)?,
            _ => {}
        }
        write!(f, "  ({:08x})", limited.name_hash)
    }
}

/// So many bytes of the end of a name.
fn end(name: NameRef<'_>, length: usize) -> NameRef<'_> {
    name.ancestors().find(|ancestor| ancestor.len() <= length).unwrap_or(name)
}

/// The rows that are not over.
#[derive(Default)]
pub(super) struct Rows(VecDeque<(Instant, Row)>);

impl Rows {
    /// When to look at them again.
    pub(super) fn next_deadline(&self) -> Option<Instant> {
        self.0.front().map(|(at, _)| *at)
    }
}

impl Core {
    /// Looks after a row from now on.
    pub(super) fn limited(&mut self, row: Row) {
        self.rows.0.push_back((Instant::now() + INTERVAL, row));
    }

    /// Says of which rows nothing has been heard for long enough.
    pub(super) fn run_limiting(&mut self) {
        let now = Instant::now();
        while self.rows.next_deadline().is_some_and(|at| at <= now) {
            let Some((_, row)) = self.rows.0.pop_front() else { return };
            if row.limits.is_over(row.account, unix_now_s()) {
                self.rows.0.push_back((now + INTERVAL, row));
                continue;
            }
            self.shared.rows_open.fetch_sub(1, Ordering::Relaxed);
            row.say_stop("");
        }
    }

    /// Says of the rows that go on that they are no longer looked after: the star is BIND's mark for that.
    pub(super) fn end_limiting(&mut self) {
        self.rows.0.drain(..).for_each(|(_, row)| row.say_stop("*"));
    }
}

impl Row {
    fn say_stop(&self, mark: &str) {
        let would = if self.log_only { "would " } else { "" };
        log!(Category::RateLimit, Severity::Info, "{mark}{would}stop limiting {}", self.about);
    }
}

impl Shared {
    fn post_row(&self, row: Row) {
        if self.rows_open.fetch_add(1, Ordering::Relaxed) >= MAX_ROWS {
            self.rows_open.fetch_sub(1, Ordering::Relaxed);
            return;
        }
        // Fails only when the server is going down.
        let _ = self.events.send(Event::Limited(row));
    }
}

/// How often rows are looked after.
const INTERVAL: Duration = Duration::from_secs(10);
/// How many rows are looked after.
const MAX_ROWS: usize = 1000;
