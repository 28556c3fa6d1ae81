//! Signed messages (RFC 8945): a server checks a request and signs its responses, a client signs a request and checks
//! the responses.
//!
//! Either side holds a [`Chain`], which remembers the MAC that the next message is chained to. Every message is signed,
//! also each of a transfer, and an unsigned one among them is a fault (the rule of Debian's bind9 since
//! CVE-2026-19033), so that nothing is applied which no signature covers. The time is always a parameter.

mod mac;
mod record;

use std::ops::Deref;

use super::message::Message;
use super::name::MAX_NAME;
use super::wire::WireError;
use super::{Algorithm, Key, NameBuf, NameRef, Rcode};
pub use mac::MAX_MAC;
use mac::{Hasher, Mac};
pub use record::{Built, Tsig};
use record::{Variables, timers};

/// How far the clocks of two hosts may be apart, in seconds.
pub const FUDGE_S: u16 = 300;
/// A MAC may be cut to half of its length, but not below this (RFC 8945 section 5.2.2.1).
const MIN_MAC: usize = 10;

/// What the TSIG of a request turned out to be.
#[derive(Debug)]
pub enum Verdict<'k> {
    /// The request has none.
    Unsigned,
    /// It is right; responses are signed with this.
    Verified(Chain<&'k Key>),
    /// It is wrong: the response says so, with a TSIG that says why.
    Refused(Box<Refusal<'k>>),
}

/// A request refused for its TSIG.
#[derive(Debug)]
pub struct Refusal<'k> {
    /// BADKEY, BADSIG, BADTIME or BADTRUNC.
    pub error: Rcode,
    /// What the response says: NOTAUTH, or FORMERR for a MAC of a length that none has.
    pub rcode: Rcode,
    /// The name of the key that the request claims.
    pub key_name: NameBuf,
    algorithm: NameBuf,
    request_time_s: u64,
    /// The key, if the signature itself was right.
    signer: Option<Chain<&'k Key>>,
}

/// One side of a signed exchange, with a key that is borrowed (`&Key`) or kept alive (`Arc<Key>`).
#[derive(Clone)]
pub struct Chain<K> {
    key: K,
    /// The MAC of the message before the next one.
    last: Mac,
    /// How many messages followed the request.
    messages: u64,
}

/// Why a response is not to be trusted. The texts are BIND's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum TsigError {
    /// The response has no TSIG.
    #[error("expected a TSIG or SIG(0)")]
    Missing,
    /// The TSIG is malformed or not in its place.
    #[error("FORMERR")]
    Malformed,
    /// Another key or algorithm, or a MAC that is wrong.
    #[error("tsig verify failure")]
    Wrong,
    /// The server did not accept the request's TSIG.
    #[error("tsig indicates error")]
    Peer(Rcode),
    /// The server did not accept the request's time; its own is this.
    #[error("clocks are unsynchronized")]
    PeerClock(u64),
    /// Signed too long ago or too far ahead, at this time.
    #[error("clocks are unsynchronized")]
    Clock(u64),
    /// The MAC is shorter than the key allows.
    #[error("truncated TSIG")]
    Truncated,
}

impl TsigError {
    /// With BADTIME comes the server's time (RFC 8945 section 5.2.3).
    fn of_peer(tsig: &Tsig<'_>) -> Self {
        match *tsig.other {
            [a, b, c, d, e, f] if tsig.error == Rcode::BADTIME => {
                Self::PeerClock(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
            }
            _ => Self::Peer(tsig.error),
        }
    }

    /// The TSIG error that stands for it, where the server has told it or the clocks are wrong.
    pub fn rcode(self) -> Option<Rcode> {
        match self {
            Self::Peer(rcode) => Some(rcode),
            Self::PeerClock(_) | Self::Clock(_) => Some(Rcode::BADTIME),
            _ => None,
        }
    }

    /// The clock of the other side, where that is what is wrong.
    pub fn theirs_s(self) -> Option<u64> {
        match self {
            Self::PeerClock(theirs_s) | Self::Clock(theirs_s) => Some(theirs_s),
            _ => None,
        }
    }
}

/// Checks the TSIG of a request. `keys` finds a key by name and algorithm: a known name with another algorithm is as
/// good as unknown. A fault calls for FORMERR.
pub fn check_request<'k>(
    message: &Message<'_>,
    keys: impl Fn(NameRef<'_>, Algorithm) -> Option<&'k Key>,
    now_s: u64,
) -> Result<Verdict<'k>, WireError> {
    match Tsig::find(message)? {
        None => Ok(Verdict::Unsigned),
        Some(tsig) => check_found(message, &tsig, keys, now_s),
    }
}

/// The same for a TSIG that has been found already.
pub fn check_found<'k>(
    message: &Message<'_>,
    tsig: &Tsig<'_>,
    keys: impl Fn(NameRef<'_>, Algorithm) -> Option<&'k Key>,
    now_s: u64,
) -> Result<Verdict<'k>, WireError> {
    let found = Algorithm::from_wire(tsig.algorithm.as_ref()).and_then(|each| keys(tsig.key_name.as_ref(), each));
    let Some(key) = found else { return Ok(Refusal::verdict(Rcode::BADKEY, tsig, None)) };
    let chain = Chain::new(key);
    match chain.check(message, tsig, now_s) {
        Ok(()) => Ok(Verdict::Verified(chain.after(tsig.mac, 0))),
        Err(TsigError::Clock(_)) => Ok(Refusal::verdict(Rcode::BADTIME, tsig, Some(chain.after(tsig.mac, 0)))),
        Err(TsigError::Truncated) => Ok(Refusal::verdict(Rcode::BADTRUNC, tsig, Some(chain.after(tsig.mac, 0)))),
        Err(TsigError::Malformed) => Ok(Refusal::malformed(tsig)),
        Err(_) => Ok(Refusal::verdict(Rcode::BADSIG, tsig, None)),
    }
}

impl<'k> Refusal<'k> {
    fn verdict(error: Rcode, tsig: &Tsig<'_>, signer: Option<Chain<&'k Key>>) -> Verdict<'k> {
        Verdict::Refused(Box::new(Self::new(error, Rcode::NOTAUTH, tsig, signer)))
    }

    /// BIND: the reply to a MAC of such a length has a TSIG as well.
    fn malformed(tsig: &Tsig<'_>) -> Verdict<'k> {
        Verdict::Refused(Box::new(Self::new(Rcode::BADSIG, Rcode::FORMERR, tsig, None)))
    }

    fn new(error: Rcode, rcode: Rcode, tsig: &Tsig<'_>, signer: Option<Chain<&'k Key>>) -> Self {
        let (key_name, algorithm) = (tsig.key_name.clone(), tsig.algorithm.clone());
        Self { error, rcode, key_name, algorithm, request_time_s: tsig.time_s, signer }
    }

    /// The same without a MAC.
    pub fn without_mac(&self) -> Refusal<'static> {
        let (key_name, algorithm) = (self.key_name.clone(), self.algorithm.clone());
        let Self { error, rcode, request_time_s, .. } = *self;
        Refusal { error, rcode, key_name, algorithm, request_time_s, signer: None }
    }

    /// The TSIG of the response, which must be whole but for it. It carries a MAC if the request's was right (RFC 8945
    /// section 5.2); BADTIME repeats the request's time and adds the server's.
    pub fn sign(&self, response: &[u8], now_s: u64) -> Built {
        let is_time = self.error == Rcode::BADTIME;
        let [_, _, server_time @ ..] = now_s.to_be_bytes();
        let variables = Variables {
            key_name: self.key_name.as_ref(),
            algorithm: self.algorithm.as_ref(),
            time_s: if is_time { self.request_time_s } else { now_s },
            fudge_s: FUDGE_S,
            error: self.error,
            ttl_s: 0,
            other: if is_time { &server_time } else { &[] },
        };
        let mac = self.signer.as_ref().map_or(Mac::EMPTY, |chain| chain.mac_of(response, &variables));
        Built::new(&variables, mac.as_bytes(), id_of(response))
    }
}

impl<K: Deref<Target = Key> + Clone> Chain<K> {
    /// A client's side, before the request is signed.
    pub fn new(key: K) -> Self {
        Self { key, last: Mac::EMPTY, messages: 0 }
    }

    /// The key.
    pub fn key(&self) -> &K {
        &self.key
    }

    /// The same chain, which keeps its key alive itself.
    pub fn with_key<Other>(&self, key: Other) -> Chain<Other> {
        Chain { key, last: self.last, messages: self.messages }
    }

    /// How many bytes the TSIG of the next message takes at most.
    pub fn record_length(&self) -> usize {
        let algorithm = self.key.algorithm;
        self.key.name.as_ref().len() + algorithm.wire_name().len() + usize::from(algorithm.bits() / 8) + 26
    }

    /// Signs a client's request, whole but for its TSIG.
    pub fn sign_request(&mut self, request: &[u8], now_s: u64) -> Built {
        let built = self.sign(request, now_s);
        self.messages = 0;
        built
    }

    /// Signs a server's next response, whole but for its TSIG.
    pub fn sign(&mut self, message: &[u8], now_s: u64) -> Built {
        let variables = self.variables(now_s);
        let mac = self.mac_of(message, &variables);
        let built = Built::new(&variables, mac.as_bytes(), id_of(message));
        *self = self.after(mac.as_bytes(), self.messages.saturating_add(1));
        built
    }

    /// Checks a client's next response.
    pub fn check_response(&mut self, message: &Message<'_>, now_s: u64) -> Result<(), TsigError> {
        let tsig = Tsig::find(message).map_err(|_| TsigError::Malformed)?.ok_or(TsigError::Missing)?;
        let same_key = tsig.key_name.as_ref() == self.key.name.as_ref()
            && tsig.algorithm.as_ref() == self.key.algorithm.wire_name();
        if !same_key {
            return Err(TsigError::Wrong);
        }
        if tsig.mac.is_empty() && tsig.error != Rcode::NOERROR {
            return Err(TsigError::of_peer(&tsig));
        }
        self.check(message, &tsig, now_s)?;
        *self = self.after(tsig.mac, self.messages.saturating_add(1));
        if tsig.error == Rcode::NOERROR { Ok(()) } else { Err(TsigError::of_peer(&tsig)) }
    }

    /// The chain behind a message with this MAC.
    fn after(&self, mac: &[u8], messages: u64) -> Self {
        Self { key: self.key.clone(), last: Mac::copy(mac), messages }
    }

    fn variables(&self, now_s: u64) -> Variables<'_> {
        Variables {
            key_name: self.key.name.as_ref(),
            algorithm: self.key.algorithm.wire_name(),
            time_s: now_s,
            fudge_s: FUDGE_S,
            error: Rcode::NOERROR,
            ttl_s: 0,
            other: &[],
        }
    }

    /// The MAC that this side sends with `message`, cut as the key wants it. BIND: one that answers is as long as the
    /// one that it answers at least.
    fn mac_of(&self, message: &[u8], variables: &Variables<'_>) -> Mac {
        let whole = self.digest(variables, |hasher| hasher.update(message));
        match self.key.truncate_bits {
            Some(bits) => whole.cut(usize::from(bits / 8).max(self.last.as_bytes().len())),
            None => whole,
        }
    }

    /// Compares a message's MAC with what it must be; then the time, then whether it was cut too short.
    fn check(&self, message: &Message<'_>, tsig: &Tsig<'_>, now_s: u64) -> Result<(), TsigError> {
        let whole = usize::from(self.key.algorithm.bits() / 8);
        let allowed = whole.div_ceil(2).max(MIN_MAC)..=whole;
        if !tsig.mac.is_empty() && !allowed.contains(&tsig.mac.len()) {
            return Err(TsigError::Malformed);
        }
        let variables = Variables {
            key_name: tsig.key_name.as_ref(),
            algorithm: tsig.algorithm.as_ref(),
            time_s: tsig.time_s,
            fudge_s: tsig.fudge_s,
            error: tsig.error,
            ttl_s: tsig.ttl_s,
            other: tsig.other,
        };
        let mac = self.digest(&variables, |hasher| feed_signed(hasher, message, tsig));
        if tsig.mac.is_empty() || !mac.starts_with(tsig.mac) {
            return Err(TsigError::Wrong);
        }
        if !tsig.is_timely(now_s) {
            return Err(TsigError::Clock(tsig.time_s));
        }
        let wanted = self.key.truncate_bits.map_or(whole, |bits| usize::from(bits / 8));
        if tsig.mac.len() < wanted { Err(TsigError::Truncated) } else { Ok(()) }
    }

    /// The whole MAC over the message before, this message, and the TSIG's other fields; from the second response on
    /// only its timers (RFC 8945 section 5.3.1).
    fn digest(&self, variables: &Variables<'_>, feed_message: impl FnOnce(&mut Hasher)) -> Mac {
        let Some(mut hasher) = Hasher::new(&self.key) else { return Mac::EMPTY };
        let last = self.last.as_bytes();
        if !last.is_empty() {
            hasher.update(&(last.len() as u16).to_be_bytes());
            hasher.update(last);
        }
        feed_message(&mut hasher);
        if self.messages == 0 {
            feed_variables(&mut hasher, variables);
        } else {
            hasher.update(&timers(variables));
        }
        hasher.finish()
    }
}

impl<K: Deref<Target = Key>> std::fmt::Debug for Chain<K> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Chain({:?}, message {})", *self.key, self.messages)
    }
}

/// A received message as it was before its TSIG: the original ID, one additional record less, nothing behind.
fn feed_signed(hasher: &mut Hasher, message: &Message<'_>, tsig: &Tsig<'_>) {
    let mut header = message.header();
    header.id = tsig.original_id;
    if let Some(additional) = header.counts.last_mut() {
        *additional = additional.saturating_sub(1);
    }
    let header = header.to_bytes();
    hasher.update(&header);
    hasher.update(message.bytes().get(header.len()..tsig.start).unwrap_or_default());
}

/// RFC 8945 section 4.3.3: names in canonical form, all fields but MAC and original ID.
fn feed_variables(hasher: &mut Hasher, variables: &Variables<'_>) {
    hasher.update(variables.key_name.folded(&mut [0; MAX_NAME]));
    hasher.update(&super::Class::ANY.0.to_be_bytes());
    hasher.update(&variables.ttl_s.to_be_bytes());
    hasher.update(variables.algorithm.folded(&mut [0; MAX_NAME]));
    hasher.update(&timers(variables));
    hasher.update(&variables.error.0.to_be_bytes());
    hasher.update(&(variables.other.len() as u16).to_be_bytes());
    hasher.update(variables.other);
}

/// The first two bytes of a message.
fn id_of(message: &[u8]) -> u16 {
    message.first_chunk().map_or(0, |id| u16::from_be_bytes(*id))
}

#[cfg(test)]
mod tests;
