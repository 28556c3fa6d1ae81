//! The standing of zones for people.

use std::fmt::{self, Write as _};

use super::rows::{Primary, Standing, Transfer, Zone};
use crate::transfer::standing::State;

impl Standing<'_> {
    /// A line for each zone, and what is known of the primaries: of those that are not current, or of all.
    pub(super) fn table(&self, now_s: u64, is_verbose: bool) -> String {
        let totals: Vec<_> = self.totals.iter().map(|(state, count)| format!("{count} {state}")).collect();
        let all: u64 = self.totals.iter().map(|(_, count)| count).sum();
        let mut out = format!("{all} secondary zones: {}\n", if all == 0 { "none".into() } else { totals.join(", ") });
        let name_width = self.zones.iter().map(|zone| zone.shown_name().len()).max().unwrap_or_default();
        for zone in &self.zones {
            zone.show(&mut out, name_width, now_s);
            let shown = zone.primaries.iter().filter(|_| is_verbose || zone.state != State::Current);
            shown.for_each(|primary| primary.show(&mut out, now_s));
        }
        match all.saturating_sub(self.zones.len() as u64) {
            0 => {}
            more => {
                let _ = writeln!(out, "and {more} more that are no worse; without -n all are shown");
            }
        }
        out
    }
}

impl Zone<'_> {
    fn shown_name(&self) -> String {
        let class = if self.class == "IN" { String::new() } else { format!("/{}", self.class) };
        let view = if self.view == "_default" { String::new() } else { format!(" ({})", self.view) };
        format!("{}{class}{view}", self.name)
    }

    fn show(&self, out: &mut String, name_width: usize, now_s: u64) {
        let (state, name) = (self.state.to_string(), self.shown_name());
        let _ = write!(out, "{state:STATE_WIDTH$}  {name:name_width$}  serial {}", Shown(self.serial));
        let _ = write!(out, ", confirmed {}", Ago(self.confirmed_s, now_s));
        let _ = write!(out, ", next check {}", In(self.next_s, now_s));
        let _ = writeln!(out, ", expires {}", In(self.expires_s, now_s));
    }
}

impl Primary<'_> {
    fn show(&self, out: &mut String, now_s: u64) {
        let _ = write!(out, "{:STATE_WIDTH$}  {}: ", "", self.address);
        if self.checked_s.is_none() {
            out.push_str("not asked yet\n");
            return;
        }
        let _ = write!(out, "serial {}, asked {}", Shown(self.serial), Ago(self.checked_s, now_s));
        if let Some(Transfer { ended_s, bytes, took_ms }) = self.transfer {
            let _ = write!(out, ", last transfer {} ({bytes} bytes in {took_ms} ms)", Ago(Some(ended_s), now_s));
        }
        let _ = match (self.trouble, self.last_error) {
            (Some(trouble), _) => write!(out, ", answered {}: {trouble}", Ago(self.answered_s, now_s)),
            (None, Some(error)) => write!(out, ", last error {}: {error}", Ago(self.last_error_s, now_s)),
            (None, None) => Ok(()),
        };
        out.push('\n');
    }
}

struct Shown(Option<u64>);
/// How long ago a moment was.
struct Ago(Option<u64>, u64);
/// In how long a moment will be.
struct In(Option<u64>, u64);

impl fmt::Display for Shown {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(number) => write!(f, "{number}"),
            None => f.write_str("-"),
        }
    }
}

impl fmt::Display for Ago {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(at_s) => write!(f, "{} ago", span(self.1.saturating_sub(at_s))),
            None => f.write_str("never"),
        }
    }
}

impl fmt::Display for In {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self.0 {
            Some(at_s) if at_s <= self.1 => f.write_str("now"),
            Some(at_s) => write!(f, "in {}", span(at_s - self.1)),
            None => f.write_str("-"),
        }
    }
}

/// A time span in its two largest units.
fn span(seconds: u64) -> String {
    let units = [(604_800, "w"), (86_400, "d"), (3600, "h"), (60, "m"), (1, "s")];
    let at = units.iter().position(|(size, _)| seconds >= *size).unwrap_or(units.len() - 1);
    let mut rest = seconds;
    units.iter().skip(at).take(2).fold(String::new(), |mut out, (size, unit)| {
        if out.is_empty() || rest >= *size {
            let _ = write!(out, "{}{unit}", rest / size);
        }
        rest %= size;
        out
    })
}

/// As wide as the longest state.
const STATE_WIDTH: usize = 17;
