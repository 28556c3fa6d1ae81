//! Where a zone's copy stands: what each primary said last, and in one word what is wrong.

use std::fmt;
use std::net::SocketAddr;
use std::num::NonZeroU64;
use std::sync::Arc;
use std::time::Duration;

use smallvec::SmallVec;

use super::peer::Peer;
use crate::dns::Serial;
use crate::dns::tsig::TsigError;

/// How a copy stands, the worst first.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum State {
    /// No primary confirmed it in time: it is not served.
    Expired,
    /// There never was one.
    Missing,
    /// It has expired and is served on in its time of grace.
    PastExpiry,
    /// No primary gives it: they refuse, or do not accept the key or the time.
    Refused,
    /// A primary has a version that a guard keeps from being published.
    HeldBack,
    /// Every primary that answers has an older version.
    WentBack,
    /// No primary answers.
    Unreachable,
    /// A primary has a newer version.
    Behind,
    /// A newer version is on its way.
    Transferring,
    /// A primary is being asked.
    Checking,
    /// It is what the primaries had when they were asked last.
    Current,
}

impl State {
    /// Every state, the worst first.
    pub const ALL: [Self; 11] = [
        Self::Expired,
        Self::Missing,
        Self::PastExpiry,
        Self::Refused,
        Self::HeldBack,
        Self::WentBack,
        Self::Unreachable,
        Self::Behind,
        Self::Transferring,
        Self::Checking,
        Self::Current,
    ];

    /// Whether somebody should look at it.
    pub fn is_trouble(self) -> bool {
        self < Self::Behind
    }

    /// The state of this name.
    pub fn from_name(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|state| state.to_string() == name)
    }
}

impl fmt::Display for State {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Expired => "expired",
            Self::Missing => "missing",
            Self::PastExpiry => "past expiry",
            Self::Refused => "refused",
            Self::HeldBack => "held back",
            Self::WentBack => "primary went back",
            Self::Unreachable => "unreachable",
            Self::Behind => "behind",
            Self::Transferring => "transferring",
            Self::Checking => "checking",
            Self::Current => "current",
        })
    }
}

/// What is known of one primary.
#[derive(Debug, Clone)]
pub struct Contact {
    /// The primary.
    pub primary: SocketAddr,
    /// The serial that it told last.
    pub serial: Option<Serial>,
    /// When it was asked last and the outcome known.
    pub checked_s: u64,
    /// When it last answered as it should.
    pub answered_s: Option<NonZeroU64>,
    /// The last check or transfer that came to nothing.
    pub last_error: Option<Box<Trouble>>,
    /// The last transfer from it that brought a version, since the server started. Not in a box: most zones have one
    /// some day.
    pub last_transfer: Option<LastTransfer>,
    /// The serial of its version that a guard keeps from being published, and why.
    held_back: Option<Box<(Serial, String)>>,
}

impl Contact {
    fn new(primary: SocketAddr) -> Self {
        Self {
            primary,
            serial: None,
            checked_s: 0,
            answered_s: None,
            last_error: None,
            last_transfer: None,
            held_back: None,
        }
    }

    /// Why it is of no use, if it is of none.
    pub fn trouble(&self) -> Option<&Trouble> {
        self.last_error.as_deref().filter(|error| !error.is_over)
    }
}

/// Why a primary is of no use.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Trouble {
    /// What sort of trouble.
    pub kind: TroubleKind,
    /// In words, those of the log.
    pub reason: String,
    /// When it was met.
    pub at_s: u64,
    /// Whether the primary was of use since.
    pub is_over: bool,
}

/// See [`Trouble`].
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TroubleKind {
    /// No answer, or no connection.
    Unreachable,
    /// REFUSED, NOTAUTH, or a TSIG that one side does not accept.
    Refused,
    /// An answer that is of no use.
    Unusable,
    /// A version that a guard keeps from being published.
    HeldBack,
}

/// A transfer that brought a version.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct LastTransfer {
    /// When it ended.
    pub ended_s: u64,
    /// The bytes of its messages.
    pub bytes: u64,
    /// How long it took.
    pub took: Duration,
}

/// What is known of a zone's primaries and of the last transfer from them.
#[derive(Debug, Clone, Default)]
pub struct Standing {
    /// Most zones have one primary. What is known of it is not in memory of its own, which would lie scattered among
    /// what loads and checks of other zones need for a moment.
    contacts: SmallVec<[Contact; 1]>,
    has_expired: bool,
}

/// Not every primary gave an answer of use when it was asked last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Unasked;

/// What is wrong with a TSIG: the error that the primary found, and both clocks where it is the time.
pub fn tsig_reason(error: TsigError, now_s: u64) -> String {
    let code = error.rcode().map_or(String::new(), |code| format!(" ({})", code.tsig_text()));
    match error.theirs_s() {
        Some(theirs_s) => format!("{error}{code}: clock of the primary {}, ours {}", moment(theirs_s), moment(now_s)),
        None => format!("{error}{code}"),
    }
}

fn moment(at_s: u64) -> String {
    let at = i64::try_from(at_s).ok().and_then(|at_s| jiff::Timestamp::from_second(at_s).ok());
    at.map_or_else(|| at_s.to_string(), |at| at.to_string())
}

impl Standing {
    /// The primaries that were asked, in the order of the first time.
    pub fn contacts(&self) -> &[Contact] {
        &self.contacts
    }

    /// What is known of the primary at this address, if it was asked.
    pub fn contact_of(&self, primary: SocketAddr) -> Option<&Contact> {
        self.contacts.iter().find(|contact| contact.primary == primary)
    }

    /// When a primary last answered as it should.
    pub fn answered_s(&self) -> Option<NonZeroU64> {
        self.contacts.iter().filter_map(|contact| contact.answered_s).max()
    }

    /// When a primary was last asked and the outcome known.
    pub fn checked_s(&self) -> Option<u64> {
        self.contacts.iter().map(|contact| contact.checked_s).max()
    }

    /// The last transfer that brought a version, and whence.
    pub fn last_transfer(&self) -> Option<(SocketAddr, &LastTransfer)> {
        let all = self.contacts.iter().filter_map(|contact| Some((contact.primary, contact.last_transfer.as_ref()?)));
        all.max_by_key(|(_, last)| last.ended_s)
    }

    pub(super) fn answered(&mut self, primary: &Peer, serial: Serial, now_s: u64) {
        let contact = self.contact(primary.address);
        contact.serial = Some(serial);
        (contact.checked_s, contact.answered_s) = (now_s, NonZeroU64::new(now_s));
        contact.last_error.iter_mut().for_each(|error| error.is_over = true);
    }

    pub(super) fn failed(&mut self, primary: &Peer, kind: TroubleKind, reason: &str, now_s: u64) {
        let contact = self.contact(primary.address);
        let trouble = Trouble { kind, reason: reason.to_owned(), at_s: now_s, is_over: false };
        contact.last_error = Some(Box::new(trouble));
        contact.checked_s = now_s;
    }

    /// A version came that a guard keeps from being published.
    pub(super) fn hold_back(&mut self, primary: &Peer, serial: Serial, reason: &str) {
        let contact = self.contact(primary.address);
        contact.serial = Some(serial);
        contact.held_back = Some(Box::new((serial, reason.to_owned())));
    }

    /// Why this very version is held back, if it is.
    pub(super) fn held_back(&self, primary: &Peer, serial: Serial) -> Option<&str> {
        let contact = self.contact_of(primary.address)?;
        contact.held_back.as_deref().filter(|(held, _)| *held == serial).map(|(_, reason)| reason.as_str())
    }

    /// What was held back was so beside another version, or by another guard.
    pub(super) fn release(&mut self) {
        self.contacts.iter_mut().for_each(|contact| contact.held_back = None);
    }

    pub(super) fn transferred(&mut self, primary: SocketAddr, transfer: LastTransfer) {
        self.contact(primary).last_transfer = Some(transfer);
    }

    pub(super) fn expired(&mut self) {
        self.has_expired = true;
    }

    pub(super) fn loaded(&mut self) {
        self.has_expired = false;
    }

    /// Forgets primaries that the configuration no longer names.
    pub(super) fn keep_only(&mut self, primaries: &[Arc<Peer>]) {
        self.contacts.retain(|contact| primaries.iter().any(|peer| peer.address == contact.primary));
    }

    /// The serial that all of these primaries have; none: they differ.
    pub(super) fn common_serial(&self, primaries: &[Arc<Peer>]) -> Result<Option<Serial>, Unasked> {
        let sound = |contact: &&Contact| contact.trouble().is_none();
        let serial = |peer: &Arc<Peer>| {
            self.contact_of(peer.address).filter(sound).and_then(|contact| contact.serial).ok_or(Unasked)
        };
        let serials = primaries.iter().map(serial).collect::<Result<Vec<_>, _>>()?;
        let first = serials.first().copied();
        Ok(first.filter(|first| serials.iter().all(|serial| serial == first)))
    }

    /// How the copy stands by what the primaries said last.
    pub(super) fn state(&self, ours: Option<Serial>) -> State {
        let Some(ours) = ours else { return if self.has_expired { State::Expired } else { State::Missing } };
        let sound = || self.contacts.iter().filter(|contact| contact.trouble().is_none());
        let serials = || sound().filter_map(|contact| contact.serial);
        match () {
            () if self.has(TroubleKind::HeldBack) => State::HeldBack,
            () if self.is_behind(ours) => State::Behind,
            () if serials().any(|serial| serial == ours) => State::Current,
            () if serials().next().is_some() => State::WentBack,
            () => self.worst_trouble(),
        }
    }

    /// Whether a primary has a newer version, be it one that cannot be transferred.
    fn is_behind(&self, ours: Serial) -> bool {
        let answers = |contact: &&Contact| contact.trouble().is_none_or(|error| error.kind == TroubleKind::Unusable);
        let mut serials = self.contacts.iter().filter(answers).filter_map(|contact| contact.serial);
        serials.any(|serial| serial.is_newer_than(ours))
    }

    fn has(&self, kind: TroubleKind) -> bool {
        let troubles = self.contacts.iter().filter_map(|contact| contact.trouble());
        troubles.map(|trouble| trouble.kind).any(|each| each == kind)
    }

    /// The state where no primary is of use. Nothing is wrong as long as none was asked.
    fn worst_trouble(&self) -> State {
        if self.has(TroubleKind::Refused) {
            return State::Refused;
        }
        let is_troubled = self.contacts.iter().any(|contact| contact.trouble().is_some());
        if is_troubled { State::Unreachable } else { State::Current }
    }

    fn contact(&mut self, address: SocketAddr) -> &mut Contact {
        let at = self.contacts.iter().position(|contact| contact.primary == address).unwrap_or_else(|| {
            self.contacts.push(Contact::new(address));
            self.contacts.len().saturating_sub(1)
        });
        &mut self.contacts[at]
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Rcode;
    use crate::transfer::testing::peer;

    const OURS: Option<Serial> = Some(Serial(5));

    /// A primary for each element: the serial that it told, or its trouble.
    fn standing(primaries: &[Result<u32, TroubleKind>]) -> Standing {
        let mut standing = Standing::default();
        for (last, told) in (1..).zip(primaries) {
            match told {
                Ok(serial) => standing.answered(&peer(last), Serial(*serial), 100),
                Err(kind) => standing.failed(&peer(last), *kind, "why", 100),
            }
        }
        standing
    }

    #[test]
    fn the_state_follows_from_what_the_primaries_said() {
        let state = |primaries: &[_]| standing(primaries).state(OURS);
        let (gone, no) = (Err(TroubleKind::Unreachable), Err(TroubleKind::Refused));
        assert_eq!(state(&[]), State::Current);
        assert_eq!(state(&[Ok(5)]), State::Current);
        assert_eq!(state(&[gone, Ok(5)]), State::Current);
        assert_eq!(state(&[Ok(5), Ok(6)]), State::Behind);
        assert_eq!(state(&[Ok(4), Ok(5)]), State::Current);
        assert_eq!(state(&[Ok(4), gone]), State::WentBack);
        assert_eq!(state(&[gone, gone]), State::Unreachable);
        assert_eq!(state(&[gone, no]), State::Refused);
        assert_eq!(state(&[no, gone]), State::Refused);
    }

    #[test]
    fn a_newer_version_that_cannot_be_transferred_leaves_the_copy_behind() {
        let mut standing = standing(&[Ok(6)]);
        standing.failed(&peer(1), TroubleKind::Unusable, "SERVFAIL", 100);
        assert_eq!(standing.state(OURS), State::Behind);
        standing.failed(&peer(1), TroubleKind::Unreachable, "timed out", 100);
        assert_eq!(standing.state(OURS), State::Unreachable);
    }

    #[test]
    fn a_copy_that_expired_was_there_once() {
        let mut standing = standing(&[Ok(5)]);
        standing.expired();
        assert_eq!(standing.state(None), State::Expired);
        standing.loaded();
        assert_eq!(standing.state(OURS), State::Current);
    }

    #[test]
    fn a_primary_that_answers_again_is_in_no_trouble() {
        let mut standing = standing(&[Err(TroubleKind::Refused)]);
        standing.answered(&peer(1), Serial(5), 200);
        assert_eq!(standing.contacts().len(), 1);
        assert!(standing.contacts()[0].trouble().is_none() && standing.answered_s() == NonZeroU64::new(200));
        standing.keep_only(&[peer(2).into()]);
        assert!(standing.contacts().is_empty());
    }

    #[test]
    fn a_wrong_clock_is_shown_beside_ours() {
        let clocks = "clock of the primary 2001-09-09T01:46:40Z, ours 2001-09-09T01:53:20Z";
        for error in [TsigError::PeerClock(1_000_000_000), TsigError::Clock(1_000_000_000)] {
            let reason = tsig_reason(error, 1_000_000_400);
            assert_eq!(reason, format!("clocks are unsynchronized (BADTIME): {clocks}"));
        }
    }

    #[test]
    fn what_the_primary_finds_wrong_with_a_signature_is_told() {
        let reason = |error| tsig_reason(error, 0);
        assert_eq!(reason(TsigError::Peer(Rcode::BADKEY)), "tsig indicates error (BADKEY)");
        assert_eq!(reason(TsigError::Peer(Rcode::BADSIG)), "tsig indicates error (BADSIG)");
        assert_eq!(reason(TsigError::Wrong), "tsig verify failure");
    }
}
