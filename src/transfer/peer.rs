//! Other servers: how one is reached, and which were out of reach lately.

use std::fmt;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::message::Opt;
use crate::dns::{Key, Name};

/// How long an unreachable server is passed over, in seconds.
const UNREACHABLE_S: u64 = 600;
/// How many unreachable servers are remembered; the one unused longest makes room.
const UNREACHABLE_MAX: usize = 10;
/// How many failures in a row make a server unreachable.
const FAILURES: u32 = 2;

/// Another server as an element of `primaries` or `also-notify`, its key looked up.
#[derive(Clone)]
pub struct Peer {
    /// Address and port.
    pub address: SocketAddr,
    /// Where requests to it come from; an unspecified address and port 0 leave it to the host.
    pub source: SocketAddr,
    /// Where they come from when that fails (`alt-transfer-source`); none: nowhere else.
    pub other_source: Option<SocketAddr>,
    /// What requests are signed with.
    pub key: Option<Arc<Key>>,
    /// The name of a key that is not defined: it is not asked, for nothing could be signed.
    pub missing_key: Option<Name>,
    /// The `tls` statement under which it is asked; none: in plain text.
    pub tls: Option<Arc<str>>,
    /// The OPT record of SOA queries to it; none: they have no EDNS (`server { edns no }`).
    pub opt: Option<Opt>,
    /// Whether SOA queries and NOTIFY go over TCP (`server { tcp-only }`).
    pub tcp_only: bool,
    /// How long it may take to accept a connection (`tcp-primaries-timeout`).
    pub connect_limit: Duration,
    /// Whether it is asked for differences, over what the zone says (`server { request-ixfr }`).
    pub request_ixfr: Option<bool>,
    /// How many differences are taken from it at most, over what the zone says (`server { request-ixfr-max-diffs }`).
    pub max_differences: Option<u32>,
}

/// As BIND prints it.
impl fmt::Display for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}", Socket(self.address))
    }
}

impl fmt::Debug for Peer {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Peer({self})")
    }
}

/// An address and port as BIND prints them: `192.0.2.1#53`.
#[derive(Debug, Clone, Copy)]
pub struct Socket(pub SocketAddr);

impl fmt::Display for Socket {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "{}#{}", self.0.ip(), self.0.port())
    }
}

/// Servers that could not be reached lately, shared by all zones. Times are of a clock that nobody sets.
#[derive(Debug, Default)]
pub struct Unreachable {
    entries: Vec<Entry>,
}

#[derive(Debug)]
struct Entry {
    remote: SocketAddr,
    local: SocketAddr,
    failures: u32,
    /// Transfers that it let wait in vain, one after the other.
    silences: u32,
    silent_s: u64,
    used_s: u64,
    until_s: u64,
}

impl Entry {
    /// Whether it counts yet.
    fn is_valid(&self, up_s: u64) -> bool {
        up_s < self.until_s
    }
}

impl Unreachable {
    /// Whether the server is to be passed over.
    pub fn contains(&mut self, peer: &Peer, up_s: u64) -> bool {
        let Some(entry) = self.find(peer) else { return false };
        if !entry.is_valid(up_s) {
            return false;
        }
        entry.used_s = up_s;
        entry.failures >= FAILURES || entry.silences >= FAILURES
    }

    /// Notes that the server could not be reached.
    pub fn add(&mut self, peer: &Peer, up_s: u64) {
        let entry = self.entry(peer, up_s);
        entry.failures = entry.failures.saturating_add(1);
    }

    /// Notes that the server took a connection at `began_s` and then let a transfer wait in vain. Of transfers that
    /// waited side by side one counts: a line that was down for a moment holds up all of them.
    pub fn add_silent(&mut self, peer: &Peer, began_s: u64, up_s: u64) {
        let entry = self.entry(peer, up_s);
        if entry.silences == 0 || entry.silent_s <= began_s {
            entry.silences = entry.silences.saturating_add(1);
            entry.silent_s = up_s;
        }
    }

    /// Notes that the server took a transfer's connection, which says nothing of what it sends. That it answers queries
    /// says nothing of connections: UDP may be open where TCP is not. BIND: the same.
    pub fn connected(&mut self, peer: &Peer) {
        self.find(peer).into_iter().for_each(|entry| entry.failures = 0);
    }

    /// Notes that the server is there: it gave a transfer or sent a NOTIFY.
    pub fn remove(&mut self, peer: &Peer) {
        self.entries.retain(|entry| (entry.remote, entry.local) != (peer.address, peer.source));
    }

    fn find(&mut self, peer: &Peer) -> Option<&mut Entry> {
        self.entries.iter_mut().find(|entry| (entry.remote, entry.local) == (peer.address, peer.source))
    }

    /// What is known of the server, for another while.
    fn entry(&mut self, peer: &Peer, up_s: u64) -> &mut Entry {
        let (remote, local) = (peer.address, peer.source);
        self.entries.retain(|entry| entry.is_valid(up_s) || (entry.remote, entry.local) != (remote, local));
        let at = self.entries.iter().position(|entry| (entry.remote, entry.local) == (remote, local));
        let at = at.unwrap_or_else(|| {
            self.make_room();
            let (failures, silences, silent_s) = (0, 0, 0);
            self.entries.push(Entry { remote, local, failures, silences, silent_s, used_s: 0, until_s: 0 });
            self.entries.len().saturating_sub(1)
        });
        let entry = &mut self.entries[at];
        (entry.until_s, entry.used_s) = (up_s.saturating_add(UNREACHABLE_S), up_s);
        entry
    }

    fn make_room(&mut self) {
        if self.entries.len() >= UNREACHABLE_MAX {
            let oldest = self.entries.iter().enumerate().min_by_key(|(_, entry)| entry.used_s).map(|(at, _)| at);
            oldest.map(|at| self.entries.swap_remove(at));
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::transfer::testing::peer;

    #[test]
    fn a_server_is_unreachable_after_two_failures_for_ten_minutes() {
        let mut unreachable = Unreachable::default();
        unreachable.add(&peer(1), 100);
        assert!(!unreachable.contains(&peer(1), 101));
        unreachable.add(&peer(1), 110);
        assert!(unreachable.contains(&peer(1), 709));
        assert!(!unreachable.contains(&peer(1), 710));
        unreachable.add(&peer(1), 720);
        assert!(!unreachable.contains(&peer(1), 721), "the count starts anew");
    }

    #[test]
    fn a_sign_of_life_clears_the_server() {
        let mut unreachable = Unreachable::default();
        unreachable.add(&peer(1), 0);
        unreachable.add(&peer(1), 0);
        unreachable.remove(&peer(1));
        assert!(!unreachable.contains(&peer(1), 1));
    }

    #[test]
    fn a_server_that_lets_two_transfers_wait_in_vain_is_unreachable_though_it_answers_queries() {
        let mut unreachable = Unreachable::default();
        unreachable.add_silent(&peer(1), 100, 130);
        unreachable.add_silent(&peer(1), 101, 131);
        assert!(!unreachable.contains(&peer(1), 131), "both waited at the same time");
        unreachable.add_silent(&peer(1), 200, 230);
        unreachable.connected(&peer(1));
        assert!(unreachable.contains(&peer(1), 829) && !unreachable.contains(&peer(1), 830));
        unreachable.remove(&peer(1));
        assert!(!unreachable.contains(&peer(1), 231));
    }

    #[test]
    fn a_server_that_takes_a_connection_is_there_as_far_as_is_known() {
        let mut unreachable = Unreachable::default();
        unreachable.add(&peer(1), 100);
        unreachable.connected(&peer(1));
        unreachable.add(&peer(1), 101);
        assert!(!unreachable.contains(&peer(1), 101));
    }

    #[test]
    fn the_server_unused_longest_makes_room() {
        let mut unreachable = Unreachable::default();
        for last in 0..=10 {
            unreachable.add(&peer(last), u64::from(last));
            unreachable.add(&peer(last), u64::from(last));
        }
        assert!(!unreachable.contains(&peer(0), 20));
        assert!(unreachable.contains(&peer(1), 20));
        assert!(unreachable.contains(&peer(10), 20));
    }

    #[test]
    fn peers_print_like_bind() {
        assert_eq!(peer(9).to_string(), "192.0.2.9#53");
        assert_eq!(Socket("[2001:db8::1]:5300".parse().unwrap()).to_string(), "2001:db8::1#5300");
    }
}
