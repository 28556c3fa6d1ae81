//! How the secondaries stand: what `nomd sync` asks for, and the counts in `rndc status`.
//!
//! The rows are for a program: words with tabs between them, `-` for what is not there. `total` has a state and how
//! many zones are in it; `zone` what [`zone_row`] writes; behind it, for each of its primaries, `primary`. All zones
//! are told in parts: a last row `more` says where the next begins.

use std::fmt::Write as _;
use std::net::SocketAddr;

use super::control::{Command, Reply};
use super::core::Core;
use super::zones::{ZoneId, ZoneTask};
use crate::dns::name::NoDot;
use crate::transfer::refresh::Refresh;
use crate::transfer::standing::{Contact, LastTransfer, State};

/// How many zones are told of where nobody says how many.
const DEFAULT_ROWS: usize = 1000;
/// Behind so many bytes no row of a zone begins: the reply has to fit a message of the control channel.
const PART_BYTES: usize = 4 << 20;

impl Core {
    /// The rows: of so many zones, the worst first, or a part of all.
    pub(super) fn standing(&self, command: &Command) -> Reply {
        let mut words = command.arguments.iter().map(String::as_str);
        let first = words.next();
        let number = words.next().or(first).and_then(|word| word.parse().ok());
        Reply::text(match first {
            Some("all") => self.part(number.unwrap_or(0), PART_BYTES),
            _ => self.worst(number.unwrap_or(DEFAULT_ROWS)),
        })
    }

    fn worst(&self, rows: usize) -> String {
        let mut zones: Vec<_> = self.secondaries().map(|(_, task, refresh)| (refresh.state(), task, refresh)).collect();
        zones.sort_by(|(a, x, _), (b, y, _)| a.cmp(b).then_with(|| x.conf.apex.cmp(&y.conf.apex)));
        let mut out = self.total_rows();
        for (_, task, refresh) in zones.into_iter().take(rows) {
            if out.len() >= PART_BYTES {
                break;
            }
            rows_of(&mut out, task, refresh);
        }
        out
    }

    /// Zones in the order of their places, from one on.
    fn part(&self, from: usize, part_bytes: usize) -> String {
        let mut out = if from == 0 { self.total_rows() } else { String::new() };
        for (id, task, refresh) in self.secondaries().filter(|(id, ..)| id.place() >= from) {
            if out.len() >= part_bytes && id.place() > from {
                let _ = writeln!(out, "more\t{}", id.place());
                break;
            }
            rows_of(&mut out, task, refresh);
        }
        out
    }

    fn total_rows(&self) -> String {
        self.totals().fold(String::new(), |mut out, (state, count)| {
            let _ = writeln!(out, "total\t{state}\t{count}");
            out
        })
    }

    /// How many secondaries are in each state that there is, the worst first.
    pub(super) fn totals(&self) -> impl Iterator<Item = (State, usize)> {
        let mut counts = State::ALL.map(|state| (state, 0_usize));
        for (.., refresh) in self.secondaries() {
            let state = refresh.state();
            counts.iter_mut().filter(|(each, _)| *each == state).for_each(|(_, count)| *count += 1);
        }
        counts.into_iter().filter(|(_, count)| *count > 0)
    }

    fn secondaries(&self) -> impl Iterator<Item = (ZoneId, &ZoneTask, &Refresh)> {
        self.zones.iter().filter_map(|(id, task)| Some((id, task, task.refresh.as_deref()?)))
    }
}

/// The rows of a zone.
fn rows_of(out: &mut String, task: &ZoneTask, refresh: &Refresh) {
    zone_row(out, refresh.state(), task, refresh);
    refresh.primaries().for_each(|(primary, contact)| primary_row(out, primary, contact));
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
    word(out, last.map(|(primary, _)| primary));
    transfer_words(out, last.map(|(_, last)| last));
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
    transfer_words(out, contact.and_then(|contact| contact.last_transfer.as_ref()));
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

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test(flavor = "multi_thread")]
    async fn parts_tell_of_every_zone_once() {
        let folder = tempfile::tempdir().unwrap();
        let zone = |name| format!("zone {name}.test {{ type secondary; primaries {{ 127.0.0.1 port 1; }}; }};\n");
        let (core, _inbox) = Core::of_zones(folder.path(), &["a", "b", "c", "d", "e"].map(zone).concat());
        for (part_bytes, parts) in [(0, 5), (200, 2), (4000, 1)] {
            let (mut rows, mut next, mut asked) = (String::new(), Some(0), 0);
            while let Some(from) = next {
                let part = core.part(from, part_bytes);
                next = part.lines().last().and_then(|row| row.strip_prefix("more\t")).map(|from| from.parse().unwrap());
                rows.push_str(&part);
                asked += 1;
            }
            for name in ["a", "b", "c", "d", "e"] {
                assert_eq!(rows.matches(&format!("\t{name}.test\t")).count(), 1, "{rows}");
            }
            assert_eq!((rows.matches("total\t").count(), asked), (1, parts), "{rows}");
        }
    }
}
