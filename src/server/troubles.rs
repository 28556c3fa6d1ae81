//! The parts of the configuration that are not in force, each with its reason, until a later reload mends them.

use std::collections::BTreeMap;
use std::fmt::{self, Display};
use std::net::SocketAddr;

use super::control::listener::socket_text;
use super::zones::ZoneId;

/// A part that can stay as it was while the rest goes on.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Part {
    /// The `logging` statement.
    Logging,
    /// The pid file.
    PidFile,
    /// A control channel; none: the default one.
    Control(Option<SocketAddr>),
    /// The certificate of a `tls` statement.
    Certificate(String),
    /// An address to listen on.
    Listener(SocketAddr),
}

/// See the module.
#[derive(Debug, Default)]
pub(super) struct Troubles {
    parts: BTreeMap<Part, String>,
    /// Primary zones whose files could not be used, with their names.
    zones: BTreeMap<ZoneId, String>,
}

impl Troubles {
    /// A part is not in force.
    pub(super) fn note(&mut self, part: Part, reason: String) {
        self.parts.insert(part, reason);
    }

    /// A part is in force, or not wanted any more.
    pub(super) fn mended(&mut self, part: &Part) {
        self.parts.remove(part);
    }

    /// The control channels that there are not, in the place of those known before.
    pub(super) fn set_controls(&mut self, failed: impl IntoIterator<Item = (Option<SocketAddr>, String)>) {
        self.parts.retain(|part, _| !matches!(part, Part::Control(_)));
        self.parts.extend(failed.into_iter().map(|(address, reason)| (Part::Control(address), reason)));
    }

    /// The `tls` statements whose certificates cannot be used, in the place of those known before.
    pub(super) fn set_certificates(&mut self, failed: impl IntoIterator<Item = (String, String)>) {
        self.parts.retain(|part, _| !matches!(part, Part::Certificate(_)));
        self.parts.extend(failed.into_iter().map(|(name, reason)| (Part::Certificate(name), reason)));
    }

    /// The addresses that cannot be listened on, in the place of those known before.
    pub(super) fn set_listeners(&mut self, failed: impl IntoIterator<Item = (SocketAddr, String)>) {
        self.parts.retain(|part, _| !matches!(part, Part::Listener(_)));
        self.parts.extend(failed.into_iter().map(|(address, reason)| (Part::Listener(address), reason)));
    }

    /// A zone's file cannot be used.
    pub(super) fn note_zone(&mut self, id: ZoneId, name: impl Display, reason: &str) {
        self.zones.insert(id, format!("zone {name}: {reason}"));
    }

    /// A zone's file has been loaded, or the zone is gone.
    pub(super) fn forget_zone(&mut self, id: ZoneId) {
        self.zones.remove(&id);
    }
}

impl Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Logging => f.write_str("logging"),
            Self::PidFile => f.write_str("pid-file"),
            Self::Control(None) => f.write_str("default control channel"),
            Self::Control(Some(address)) => write!(f, "control channel {}", socket_text(*address)),
            Self::Certificate(name) => write!(f, "tls {name}"),
            Self::Listener(address) => write!(f, "listener {}", socket_text(*address)),
        }
    }
}

impl Display for Troubles {
    /// A line for each; of many zones the first few.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.parts.iter().try_for_each(|(part, reason)| write!(f, "\nnot in force: {part}: {reason}"))?;
        self.zones.values().take(MAX_ZONES_SHOWN).try_for_each(|zone| write!(f, "\nnot in force: {zone}"))?;
        match self.zones.len().saturating_sub(MAX_ZONES_SHOWN) {
            0 => Ok(()),
            more => write!(f, "\nnot in force: {more} more zones"),
        }
    }
}

/// So many zones are shown by name.
const MAX_ZONES_SHOWN: usize = 10;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn troubles_are_shown_part_by_part_until_they_are_mended() {
        let mut troubles = Troubles::default();
        assert_eq!(troubles.to_string(), "");
        let address: SocketAddr = "192.0.2.1:53".parse().unwrap();
        troubles.set_listeners([(address, "address in use".to_owned())]);
        troubles.note(Part::Logging, "permission denied".to_owned());
        let lines = "\nnot in force: logging: permission denied\nnot in force: listener 192.0.2.1#53: address in use";
        assert_eq!(troubles.to_string(), lines);
        troubles.set_listeners([]);
        troubles.mended(&Part::Logging);
        assert_eq!(troubles.to_string(), "");
    }

    #[test]
    fn many_zones_are_counted_behind_the_first_ten() {
        let mut troubles = Troubles::default();
        let ids: Vec<ZoneId> = (0..12).map(ZoneId::of).collect();
        ids.iter().for_each(|id| troubles.note_zone(*id, "a.test/IN", "file not found"));
        let text = troubles.to_string();
        assert_eq!(text.matches("zone a.test/IN: file not found").count(), MAX_ZONES_SHOWN);
        assert!(text.ends_with("\nnot in force: 2 more zones"), "{text}");
        ids.iter().for_each(|id| troubles.forget_zone(*id));
        assert_eq!(troubles.to_string(), "");
    }
}
