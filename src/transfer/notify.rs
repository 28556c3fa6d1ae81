//! NOTIFY (RFC 1996): whom to tell of a new version, and when.
//!
//! A [`Delay`] for each zone brings changes together, [`targets`] says whom to tell, a [`Notification`] for each of
//! them repeats the message until it is answered; [`super::rate::Pacer`] holds the rates. A NOTIFY that comes in is
//! answered like any request, and [`super::refresh`] acts on it. Texts are BIND's.

use std::sync::Arc;

use super::peer::Peer;
use crate::dns::{Name, NameRef, Rcode, Rtype};
use crate::zone::ZoneVersion;

/// How long to wait for the answer before a NOTIFY is sent again, in seconds.
pub const TIMEOUT_S: u64 = 5;
/// How often a NOTIFY is sent.
const TRIES: u32 = 3;

/// `notify`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Nobody is told.
    No,
    /// The zone's servers and `also-notify`.
    Yes,
    /// `also-notify` only.
    Explicit,
    /// As yes, but only by the primary.
    PrimaryOnly,
}

/// What the configuration says of a zone.
#[derive(Debug, Clone)]
pub struct Policy {
    /// `notify`.
    pub mode: Mode,
    /// `also-notify`.
    pub also_notify: Arc<[Peer]>,
    /// `notify-to-soa`: the server in MNAME is told, too.
    pub to_soa: bool,
    /// Whether this server is the zone's primary.
    pub is_primary: bool,
}

/// Somebody to be told.
#[derive(Debug, Clone)]
pub enum Target {
    /// At this address.
    Peer(Peer),
    /// At the addresses of this name, which are to be looked up; the server's own are left out.
    Name(Name),
}

/// Whom to tell of `version`: `also-notify`, then the servers that the zone itself names.
pub fn targets(policy: &Policy, version: &ZoneVersion) -> Vec<Target> {
    let (explicit, from_ns) = match policy.mode {
        Mode::No => (false, false),
        Mode::Explicit => (true, false),
        Mode::Yes => (true, true),
        Mode::PrimaryOnly => (policy.is_primary, policy.is_primary),
    };
    let peers = policy.also_notify.iter().filter(|_| explicit).cloned().map(Target::Peer);
    let names = if from_ns { name_servers(version, policy.to_soa) } else { Vec::new() };
    peers.chain(names.into_iter().map(Target::Name)).collect()
}

/// The NS names of the apex; the one in MNAME is the primary and knows.
fn name_servers(version: &ZoneVersion, with_mname: bool) -> Vec<Name> {
    let mname = version.soa().map(|soa| soa.mname).filter(|_| !with_mname);
    let Some(servers) = version.apex_node().and_then(|apex| apex.rrset(Rtype::NS)) else { return Vec::new() };
    let names = servers.rdatas().filter_map(|data| NameRef::from_wire(data).ok());
    names.filter(|name| Some(*name) != mname).map(NameRef::to_name).collect()
}

/// Brings the changes of a zone together: the first is announced at once, further ones only `notify-delay` after that,
/// all of them `notify-defer` later.
#[derive(Debug, Clone, Default)]
pub struct Delay {
    last_s: Option<u64>,
    due_s: Option<u64>,
}

impl Delay {
    /// There is a new version. Says when it is to be announced.
    pub fn changed(&mut self, delay_s: u64, defer_s: u64, now_s: u64) -> u64 {
        let earliest_s = self.last_s.map_or(now_s, |last_s| last_s.saturating_add(delay_s));
        *self.due_s.get_or_insert(earliest_s.max(now_s).saturating_add(defer_s))
    }

    /// Whether an announcement is due; then it is taken as made.
    pub fn take_due(&mut self, now_s: u64) -> bool {
        let is_due = self.due_s.is_some_and(|due_s| due_s <= now_s);
        if is_due {
            (self.last_s, self.due_s) = (Some(now_s), None);
        }
        is_due
    }

    /// When the next announcement is due.
    pub fn due_s(&self) -> Option<u64> {
        self.due_s
    }

    /// When the last announcement is so long ago that nothing has to be known of it, unless another is due.
    pub fn ends_s(&self, delay_s: u64) -> Option<u64> {
        self.last_s.filter(|_| self.due_s.is_none()).map(|last_s| last_s.saturating_add(delay_s))
    }
}

/// One NOTIFY to one server, until it is answered or given up.
#[derive(Debug, Clone)]
pub struct Notification {
    /// The server.
    pub peer: Peer,
    tries: u32,
}

/// What is next for a notification.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Next {
    /// Send the message, and report what comes of it within [`TIMEOUT_S`].
    Send,
    /// It is over; log this, with the zone in front.
    End(String),
}

impl Notification {
    /// To be sent; ask [`Self::send`].
    pub fn new(peer: Peer) -> Self {
        Self { peer, tries: 0 }
    }

    /// At the start and after a timeout.
    pub fn send(&mut self) -> Next {
        if self.tries >= TRIES {
            return Next::End(format!("notify to {}: retries exceeded", self.peer));
        }
        self.tries = self.tries.saturating_add(1);
        Next::Send
    }

    /// Whether it has been sent no more than once.
    pub fn is_first(&self) -> bool {
        self.tries <= 1
    }

    /// The server answered.
    pub fn answered(&self, rcode: Rcode) -> Next {
        Next::End(format!("notify response from {}: {rcode}", self.peer))
    }

    /// The message could not be sent, or its answer is not to be trusted.
    pub fn failed(&self, reason: &str) -> Next {
        Next::End(format!("notify to {} failed: {reason}", self.peer))
    }

    /// The line when the first message is sent (debug 3).
    pub fn sending(&self) -> String {
        let key = self.peer.key.as_ref().map_or(String::new(), |key| format!(" : TSIG ({})", key.name));
        format!("sending notify to {}{key}", self.peer)
    }
}

#[cfg(test)]
mod tests {

    use super::*;
    use crate::dns::Class;
    use crate::transfer::testing::peer;
    use crate::zone::Builder;

    fn wire(name: &str) -> Vec<u8> {
        Name::from_text(name.as_bytes()).unwrap().as_ref().as_bytes().to_vec()
    }

    fn soa() -> Vec<u8> {
        let numbers = [7u32, 1, 2, 3, 4].map(u32::to_be_bytes).concat();
        [wire("ns1.example."), wire("host.example."), numbers].concat()
    }

    fn zone() -> ZoneVersion {
        let apex = Name::from_text(b"example.").unwrap();
        let mut builder = Builder::new(apex.clone(), Class::IN);
        builder.add(apex.as_ref(), Rtype::SOA, 60, &soa()).unwrap();
        builder.add(apex.as_ref(), Rtype::NS, 60, &wire("NS1.example.")).unwrap();
        builder.add(apex.as_ref(), Rtype::NS, 60, &wire("ns2.other.")).unwrap();
        builder.finish().unwrap()
    }

    fn told(mode: Mode, is_primary: bool, to_soa: bool) -> Vec<String> {
        let policy = Policy { mode, also_notify: [peer(1)].into(), to_soa, is_primary };
        let target = |target: &Target| match target {
            Target::Peer(peer) => peer.to_string(),
            Target::Name(name) => name.to_string(),
        };
        targets(&policy, &zone()).iter().map(target).collect()
    }

    #[test]
    fn targets_follow_the_mode_and_leave_the_primary_out() {
        assert_eq!(told(Mode::Yes, false, false), ["192.0.2.1#53", "ns2.other."]);
        assert_eq!(told(Mode::Yes, true, true).len(), 3);
        assert_eq!(told(Mode::Explicit, true, false), ["192.0.2.1#53"]);
        assert_eq!(told(Mode::PrimaryOnly, true, false), ["192.0.2.1#53", "ns2.other."]);
        assert!(told(Mode::PrimaryOnly, false, false).is_empty());
        assert!(told(Mode::No, true, true).is_empty());
    }

    #[test]
    fn the_first_change_is_told_at_once_and_later_ones_together() {
        let mut delay = Delay::default();
        assert_eq!(delay.changed(5, 0, 100), 100);
        assert!(delay.take_due(100));
        assert_eq!(delay.changed(5, 0, 101), 105);
        assert_eq!(delay.changed(5, 0, 103), 105);
        assert!(!delay.take_due(104));
        assert!(delay.take_due(105));
        assert_eq!(delay.due_s(), None);
        assert_eq!(delay.changed(5, 0, 200), 200);
    }

    #[test]
    fn what_could_be_told_is_deferred_and_further_changes_join_it() {
        let mut delay = Delay::default();
        assert_eq!(delay.changed(5, 30, 100), 130);
        assert_eq!(delay.changed(5, 30, 120), 130);
        assert!(!delay.take_due(129));
        assert!(delay.take_due(130));
        assert_eq!(delay.changed(5, 30, 131), 165);
        assert_eq!(delay.changed(5, 0, 132), 165);
    }

    #[test]
    fn a_notify_is_sent_three_times() {
        let mut notification = Notification::new(peer(1));
        for _ in 0..3 {
            assert_eq!(notification.send(), Next::Send);
        }
        assert_eq!(notification.send(), Next::End("notify to 192.0.2.1#53: retries exceeded".to_owned()));
    }
}
