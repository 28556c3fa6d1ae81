//! What `zonestatus` says of a secondary behind the lines that named has: its state, and a block for each primary.
//!
//! No line of a block starts as one of named's does or has its name with a colon, so that scripts which look for
//! `serial:` find named's.

use std::fmt;
use std::net::SocketAddr;
use std::time::{Duration, UNIX_EPOCH};

use super::super::logging::line::Socket;
use super::status::http_date;
use crate::transfer::guard::Guards;
use crate::transfer::refresh::Refresh;
use crate::transfer::standing::{Contact, LastTransfer, Trouble};

/// A secondary, shown in lines each of which ends.
#[derive(Debug)]
pub struct Secondary<'a>(pub &'a Refresh);

impl fmt::Display for Secondary<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let standing = self.0.standing();
        writeln!(f, "state: {}", self.0.state())?;
        let guards = self.0.guards();
        line(f, "guards", (guards != Guards::default()).then_some(guards))?;
        line(f, "last check", standing.checked_s().map(at))?;
        line(f, "last success", standing.answered_s().map(|at_s| at(at_s.get())))?;
        line(
            f,
            "last transfer",
            standing.last_transfer().map(|(primary, last)| format!("{} from {}", of(last), Socket(primary))),
        )?;
        self.0.primaries().try_for_each(|(primary, contact)| block(f, primary, contact))
    }
}

/// A primary, and what is known of it once it was asked.
fn block(f: &mut fmt::Formatter<'_>, primary: SocketAddr, contact: Option<&Contact>) -> fmt::Result {
    writeln!(f, "primary: {}", Socket(primary))?;
    let Some(contact) = contact else { return writeln!(f, "  not asked yet") };
    line(f, "  serial there", contact.serial)?;
    line(f, "  last check", Some(at(contact.checked_s)))?;
    line(f, "  last success", contact.answered_s.map(|at_s| at(at_s.get())))?;
    line(f, "  last error", contact.last_error.as_deref().map(error_of))?;
    line(f, "  last transfer", contact.last_transfer.as_ref().map(of))
}

fn line(f: &mut fmt::Formatter<'_>, name: &str, value: Option<impl fmt::Display>) -> fmt::Result {
    value.map_or(Ok(()), |value| writeln!(f, "{name}: {value}"))
}

fn error_of(error: &Trouble) -> String {
    let since = if error.is_over { ", over since" } else { "" };
    format!("{}: {}{since}", at(error.at_s), error.reason)
}

fn of(last: &LastTransfer) -> String {
    format!("{}: {} bytes in {:.3} seconds", at(last.ended_s), last.bytes, last.took.as_secs_f64())
}

fn at(seconds: u64) -> String {
    http_date(UNIX_EPOCH + Duration::from_secs(seconds))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Serial;
    use crate::transfer::message::SoaReply;
    use crate::transfer::peer::Unreachable;
    use crate::transfer::random::Random;
    use crate::transfer::refresh::{Context, Event, Settings, Timers};
    use crate::transfer::testing::peer;

    const NOW_S: u64 = 1_800_000_000;

    /// A zone with two primaries and a copy of serial 10, a second after each event.
    fn after(events: Vec<Event>) -> Refresh {
        let settings = Settings {
            primaries: (1..=2).map(|last| peer(last).into()).collect(),
            refresh_s: 300..=2_419_200,
            retry_s: 500..=1_209_600,
            try_tcp_refresh: false,
            multi_master: false,
            checks_when_due: true,
            guards: Guards::default(),
        };
        let (mut zone, mut random) = (Refresh::new(settings), Random::new(7));
        let mut unreachable = Unreachable::default();
        for (now_s, event) in (NOW_S..).zip(events) {
            zone.step(
                event,
                &mut Context { now_s, up_s: now_s - NOW_S, random: &mut random, unreachable: &mut unreachable },
            );
        }
        zone
    }

    fn loaded() -> Event {
        let timers = Timers { serial: Serial(10), refresh_s: 3600, retry_s: 900, expire_s: 604_800 };
        Event::Loaded { timers, modified_s: Some(NOW_S) }
    }

    fn current(serial: u32) -> Event {
        Event::SoaReply(SoaReply::Current { serial: Serial(serial), expire_s: None })
    }

    #[test]
    fn a_primary_that_was_not_asked_says_nothing_yet() {
        let expected =
            "state: current\nprimary: 192.0.2.1#53\n  not asked yet\nprimary: 192.0.2.2#53\n  not asked yet\n";
        assert_eq!(Secondary(&after(vec![loaded()])).to_string(), expected);
    }

    #[test]
    fn each_primary_has_its_serial_its_times_and_its_last_error() {
        let failed = || Event::SoaFailed("connection refused".to_owned());
        let mut zone =
            after(vec![loaded(), Event::Refresh, failed(), current(9), Event::Refresh, current(9), failed()]);
        let primary = peer(1).address;
        zone.note_transfer(primary, LastTransfer { ended_s: NOW_S, bytes: 1234, took: Duration::from_millis(12) });
        let expected = "\
state: primary went back
last check: Fri, 15 Jan 2027 08:00:06 GMT
last success: Fri, 15 Jan 2027 08:00:05 GMT
last transfer: Fri, 15 Jan 2027 08:00:00 GMT: 1234 bytes in 0.012 seconds from 192.0.2.1#53
primary: 192.0.2.1#53
  serial there: 9
  last check: Fri, 15 Jan 2027 08:00:05 GMT
  last success: Fri, 15 Jan 2027 08:00:05 GMT
  last error: Fri, 15 Jan 2027 08:00:02 GMT: connection refused, over since
  last transfer: Fri, 15 Jan 2027 08:00:00 GMT: 1234 bytes in 0.012 seconds
primary: 192.0.2.2#53
  serial there: 9
  last check: Fri, 15 Jan 2027 08:00:06 GMT
  last success: Fri, 15 Jan 2027 08:00:03 GMT
  last error: Fri, 15 Jan 2027 08:00:06 GMT: connection refused
";
        assert_eq!(Secondary(&zone).to_string(), expected);
    }
}
