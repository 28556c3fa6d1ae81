//! How the secondaries stand: what `nomd sync` asks for, and the counts in `rndc status`.
//!
//! The rows are for a program: words with tabs between them, `-` for what is not there. `total` has a state and how
//! many zones are in it; `zone` what [`zone_row`] writes; behind it, for each of its primaries, `primary`.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::control::{Command, Reply};
use super::core::Core;
use super::zones::ZoneTask;
use crate::dns::name::NoDot;
use crate::transfer::refresh::Refresh;
use crate::transfer::standing::{Contact, LastTransfer, State};

/// How many zones are told of where nobody says how many.
const DEFAULT_ROWS: usize = 1000;
/// How many are told of at most: the reply has to fit a message of the control channel.
const MAX_ROWS: usize = 20_000;

impl Core {
    /// The rows, the worst zones first.
    pub(super) fn standing(&self, command: &Command) -> Reply {
        let asked = command.arguments.first().and_then(|word| word.parse().ok());
        let rows = asked.unwrap_or(DEFAULT_ROWS).min(MAX_ROWS);
        let mut zones: Vec<_> = self.secondaries().map(|(task, refresh)| (refresh.state(), task, refresh)).collect();
        zones.sort_by(|(a, x, _), (b, y, _)| a.cmp(b).then_with(|| x.conf.apex.cmp(&y.conf.apex)));
        let mut out = self.totals().fold(String::new(), |mut out, (state, count)| {
            let _ = writeln!(out, "total\t{state}\t{count}");
            out
        });
        for (state, task, refresh) in zones.into_iter().take(rows) {
            zone_row(&mut out, state, task, refresh);
            refresh.primaries().for_each(|(primary, contact)| primary_row(&mut out, primary, contact));
        }
        Reply::text(out)
    }

    /// How many secondaries are in each state that there is, the worst first.
    pub(super) fn totals(&self) -> impl Iterator<Item = (State, usize)> {
        let mut counts = State::ALL.map(|state| (state, 0_usize));
        for (_, refresh) in self.secondaries() {
            let state = refresh.state();
            counts.iter_mut().filter(|(each, _)| *each == state).for_each(|(_, count)| *count += 1);
        }
        counts.into_iter().filter(|(_, count)| *count > 0)
    }

    fn secondaries(&self) -> impl Iterator<Item = (&ZoneTask, &Refresh)> {
        self.zones.iter().filter_map(|(_, task)| Some((task, task.refresh.as_deref()?)))
    }
}

/// State, name, class, view, serial, when a primary last confirmed it, when the next check is due, when it expires; of
/// the last transfer whence, and [`transfer_words`].
fn zone_row(out: &mut String, state: State, task: &ZoneTask, refresh: &Refresh) {
    let (zone, standing) = (&task.conf, refresh.standing());
    let name = NoDot(zone.apex.as_ref());
    let _ = write!(out, "zone\t{state}\t{name}\t{}\t{}", zone.class, task.view);
    word(out, refresh.serial());
    word(out, standing.answered_s());
    word(out, Some(refresh.next_check_s()));
    word(out, refresh.expires_s());
    let last = standing.last_transfer();
    word(out, last.map(|last| last.primary));
    transfer_words(out, last);
    out.push('\n');
}

/// Address, serial, when it was asked, when it last answered as it should, what is wrong, when there last was something
/// wrong, and what; of the last transfer from it [`transfer_words`].
fn primary_row(out: &mut String, primary: SocketAddr, contact: Option<&Contact>) {
    let _ = write!(out, "primary\t{primary}");
    word(out, contact.and_then(|contact| contact.serial));
    word(out, contact.map(|contact| contact.checked_s));
    word(out, contact.and_then(|contact| contact.answered_s));
    word(out, contact.and_then(Contact::trouble).map(|trouble| &trouble.reason));
    let last_error = contact.and_then(|contact| contact.last_error.as_deref());
    word(out, last_error.map(|error| error.at_s));
    word(out, last_error.map(|error| &error.reason));
    transfer_words(out, contact.and_then(|contact| contact.last_transfer.as_deref()));
    out.push('\n');
}

/// When it ended, its bytes, its milliseconds.
fn transfer_words(out: &mut String, last: Option<&LastTransfer>) {
    word(out, last.map(|last| last.ended_s));
    word(out, last.map(|last| last.bytes));
    word(out, last.map(|last| last.took.as_millis()));
}

fn word(out: &mut String, value: Option<impl std::fmt::Display>) {
    let _ = match value {
        Some(value) => write!(out, "\t{value}"),
        None => write!(out, "\t-"),
    };
}
