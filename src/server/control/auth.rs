//! Who may speak on the control channel: MACs, times, nonces and replays, without any I/O.
//!
//! A connection goes through two messages. The first is answered with a nonce and runs nothing; the second repeats the
//! nonce and its command is run. Each is signed by a key of the listener (HMAC over everything behind `_auth`), dated
//! within [`CLOCK_SKEW_S`] and never seen before. BIND semantics 8.4 to 8.8.

use std::collections::HashMap;
use std::sync::Arc;

use data_encoding::{BASE64, BASE64_NOPAD};
use hmac::{Hmac, KeyInit, Mac};

use super::result::IscResult;
use super::wire::{self, FrameError, Table, Unverified};
use crate::dns::{Algorithm, Key};

/// How far the two clocks may be apart.
pub const CLOCK_SKEW_S: u32 = 300;
/// How long a message stays valid after it was made.
pub const LIFETIME_S: u32 = 60;
/// How long messages are remembered so that no copy of them is taken.
const REMEMBERED_S: u32 = 900;
/// How many are remembered; beyond that new ones are refused until some have aged.
const MAX_REMEMBERED: usize = 65_536;
/// `hsha` holds the Base64 of the longest MAC; shorter ones are filled with zero bytes.
const HSHA_TEXT_BYTES: usize = 88;

/// Why a message is refused, in named's words.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Refusal {
    /// Not a message.
    #[error("{0}")]
    Malformed(#[from] FrameError),
    /// No key of the listener made this MAC, or the nonce is wrong.
    #[error("bad auth")]
    BadAuth,
    /// Dated too far from our own clock.
    #[error("clock skew")]
    ClockSkew,
    /// Past its end.
    #[error("expired")]
    Expired,
    /// Seen before.
    #[error("duplicate")]
    Duplicate,
    /// Signed and dated, but not a request.
    #[error("failure")]
    NotARequest,
}

/// Verifies a frame with each key in turn; gives the body and the key.
pub fn open(frame: &[u8], keys: &[Arc<Key>]) -> Result<(Table, Arc<Key>), Refusal> {
    let message = wire::decode(frame)?;
    let key = keys.iter().find(|key| verify(&message, key)).ok_or(Refusal::BadAuth)?;
    Ok((message.body, Arc::clone(key)))
}

/// Signs a body and frames it, length field included.
pub fn seal(body: &Table, key: &Key) -> Vec<u8> {
    let mut signed = Vec::new();
    body.encode(&mut signed);
    let digest = mac(key, &signed);
    let auth = match key.algorithm {
        Algorithm::Md5 => Table::default().with("hmd5", BASE64_NOPAD.encode(&digest)),
        algorithm => {
            let mut value = vec![algorithm_byte(algorithm)];
            value.extend_from_slice(BASE64.encode(&digest).as_bytes());
            value.resize(1 + HSHA_TEXT_BYTES, 0);
            Table::default().with("hsha", value)
        }
    };
    wire::frame(auth, &signed)
}

fn verify(message: &Unverified<'_>, key: &Key) -> bool {
    let Some(claimed) = claimed_mac(&message.auth, key.algorithm) else { return false };
    let expected = mac(key, message.signed);
    subtle::ConstantTimeEq::ct_eq(expected.as_slice(), claimed.as_slice()).into()
}

/// The MAC that a message carries, if it is one of this algorithm.
fn claimed_mac(auth: &Table, algorithm: Algorithm) -> Option<Vec<u8>> {
    if algorithm == Algorithm::Md5 {
        return BASE64_NOPAD.decode(auth.bytes("hmd5")?).ok();
    }
    let (byte, text) = auth.bytes("hsha")?.split_first()?;
    let end = text.iter().position(|&byte| byte == 0).unwrap_or(text.len());
    let (text, filler) = text.split_at_checked(end)?;
    let well_formed = *byte == algorithm_byte(algorithm) && filler.iter().all(|&byte| byte == 0);
    if well_formed { BASE64.decode(text).ok() } else { None }
}

/// The algorithm's number in `hsha`, as BIND numbers its HMACs.
fn algorithm_byte(algorithm: Algorithm) -> u8 {
    match algorithm {
        Algorithm::Md5 => 157,
        Algorithm::Sha1 => 161,
        Algorithm::Sha224 => 162,
        Algorithm::Sha256 => 163,
        Algorithm::Sha384 => 164,
        Algorithm::Sha512 => 165,
    }
}

fn mac(key: &Key, data: &[u8]) -> Vec<u8> {
    fn digest<M: Mac + KeyInit>(secret: &[u8], data: &[u8]) -> Vec<u8> {
        // HMAC takes keys of every length; were it to refuse one, the empty MAC matches nothing.
        let Ok(mut mac) = <M as KeyInit>::new_from_slice(secret) else { return Vec::new() };
        mac.update(data);
        mac.finalize().into_bytes().to_vec()
    }
    match key.algorithm {
        Algorithm::Md5 => digest::<Hmac<md5::Md5>>(&key.secret, data),
        Algorithm::Sha1 => digest::<Hmac<sha1::Sha1>>(&key.secret, data),
        Algorithm::Sha224 => digest::<Hmac<sha2::Sha224>>(&key.secret, data),
        Algorithm::Sha256 => digest::<Hmac<sha2::Sha256>>(&key.secret, data),
        Algorithm::Sha384 => digest::<Hmac<sha2::Sha384>>(&key.secret, data),
        Algorithm::Sha512 => digest::<Hmac<sha2::Sha512>>(&key.secret, data),
    }
}

/// A fresh number that nobody can guess, never 0.
pub fn random_nonce() -> u32 {
    use std::hash::{BuildHasher, RandomState};
    loop {
        // RandomState is keyed by the system's randomness; its hash of nothing is a SipHash output under that key.
        let hash = RandomState::new().hash_one(std::time::Instant::now());
        let nonce = u32::try_from(hash >> 32).unwrap_or(1);
        if nonce != 0 {
            return nonce;
        }
    }
}

/// The messages of the last minutes.
#[derive(Debug, Default)]
pub struct Replays(HashMap<(Vec<u8>, Vec<u8>, u32, u32), u32>);

impl Replays {
    /// Remembers a message. False: it was there already, or there is no room to remember it.
    fn admit(&mut self, request: &Request, now_s: u32) -> bool {
        if self.0.len() >= MAX_REMEMBERED {
            self.0.retain(|_, &mut seen_s| now_s.saturating_sub(seen_s) < REMEMBERED_S);
        }
        let identity = (request.from.clone(), request.to.clone(), request.serial, request.made_s);
        let known = self.0.get(&identity).is_some_and(|&seen_s| now_s.saturating_sub(seen_s) < REMEMBERED_S);
        if known || self.0.len() >= MAX_REMEMBERED {
            return false;
        }
        self.0.insert(identity, now_s);
        true
    }
}

/// A message that has passed every check.
#[derive(Debug, Clone)]
pub struct Request {
    /// The command line.
    pub line: String,
    /// The key that signed it and signs the reply.
    pub key: Arc<Key>,
    from: Vec<u8>,
    to: Vec<u8>,
    serial: u32,
    made_s: u32,
    nonce: u32,
}

/// What to do with a message.
#[derive(Debug)]
pub enum Step {
    /// Send these bytes and wait for the next message.
    Greet(Vec<u8>),
    /// Run its command, then send [`Session::reply`].
    Run(Request),
}

/// The server's side of one connection.
#[derive(Debug)]
pub struct Session {
    nonce: u32,
    greeted: bool,
}

impl Session {
    /// A connection that expects this nonce, which must not be 0.
    pub fn new(nonce: u32) -> Self {
        Self { nonce, greeted: false }
    }

    /// Takes a frame without its length field.
    pub fn receive(
        &mut self,
        frame: &[u8],
        keys: &[Arc<Key>],
        replays: &mut Replays,
        now_s: u32,
    ) -> Result<Step, Refusal> {
        let (body, key) = open(frame, keys)?;
        let request = check(&body, key, now_s)?;
        if !replays.admit(&request, now_s) {
            return Err(Refusal::Duplicate);
        }
        if self.greeted {
            return if request.nonce == self.nonce { Ok(Step::Run(request)) } else { Err(Refusal::BadAuth) };
        }
        self.greeted = true;
        Ok(Step::Greet(self.reply(&request, IscResult::SUCCESS, "", now_s)))
    }

    /// The frame that answers a request.
    pub fn reply(&self, request: &Request, result: IscResult, text: &str, now_s: u32) -> Vec<u8> {
        let control = Table::default()
            .with_number("_ser", request.serial)
            .with_number("_tim", now_s)
            .with_number("_exp", now_s.saturating_add(LIFETIME_S))
            .with_number("_rpl", 1)
            .with_number("_nonce", self.nonce);
        let mut data = Table::default().with("type", request.line.as_str()).with("result", result.code().to_string());
        if !result.is_success() {
            data = data.with("err", result.text());
        }
        if !text.is_empty() {
            data = data.with("text", text);
        }
        seal(&Table::default().with_table("_ctrl", control).with_table("_data", data), &request.key)
    }
}

/// The checks of a request that need no memory.
fn check(body: &Table, key: Arc<Key>, now_s: u32) -> Result<Request, Refusal> {
    let control = body.table("_ctrl").ok_or(Refusal::NotARequest)?;
    if control.find("_rpl").is_some() {
        return Err(Refusal::NotARequest);
    }
    let made_s = control.number("_tim").ok_or(Refusal::NotARequest)?;
    if made_s.abs_diff(now_s) > CLOCK_SKEW_S {
        return Err(Refusal::ClockSkew);
    }
    if control.number("_exp").is_some_and(|end_s| now_s > end_s) {
        return Err(Refusal::Expired);
    }
    let line = body.table("_data").and_then(|data| data.text("type")).ok_or(Refusal::NotARequest)?;
    let bytes = |name| control.bytes(name).unwrap_or_default().to_vec();
    Ok(Request {
        line,
        key,
        from: bytes("_frm"),
        to: bytes("_to"),
        serial: control.number("_ser").ok_or(Refusal::NotARequest)?,
        made_s,
        nonce: control.number("_nonce").unwrap_or(0),
    })
}

/// The body of a request: the client's side. The nonce is that of the greeting, once there was one.
pub fn request(line: &str, serial: u32, now_s: u32, nonce: Option<u32>) -> Table {
    let mut control = Table::default()
        .with_number("_ser", serial)
        .with_number("_tim", now_s)
        .with_number("_exp", now_s.saturating_add(LIFETIME_S));
    if let Some(nonce) = nonce {
        control = control.with_number("_nonce", nonce);
    }
    Table::default().with_table("_ctrl", control).with_table("_data", Table::default().with("type", line))
}

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: u32 = 1_800_000_000;

    fn key(algorithm: Algorithm, secret: &[u8]) -> Arc<Key> {
        let name = "rndc-key.".parse().unwrap();
        Arc::new(Key { name, algorithm, truncate_bits: None, secret: secret.to_vec() })
    }

    fn send(session: &mut Session, body: &Table, with: &Key, keys: &[Arc<Key>]) -> Result<Step, Refusal> {
        session.receive(&seal(body, with)[4..], keys, &mut Replays::default(), NOW_S)
    }

    #[test]
    fn every_algorithm_greets_and_then_runs() {
        use Algorithm::{Md5, Sha1, Sha224, Sha256, Sha384, Sha512};
        for algorithm in [Md5, Sha1, Sha224, Sha256, Sha384, Sha512] {
            let keys = [key(Sha256, b"other"), key(algorithm, b"secret")];
            let mut session = Session::new(77);
            let Ok(Step::Greet(reply)) = send(&mut session, &request("null", 1, NOW_S, None), &keys[1], &keys) else {
                panic!("no greeting with {algorithm:?}");
            };
            let (body, _) = open(&reply[4..], &keys[1..]).unwrap();
            assert_eq!(body.table("_ctrl").unwrap().number("_nonce"), Some(77));
            let second = request("status", 2, NOW_S, Some(77));
            let Ok(Step::Run(run)) = send(&mut session, &second, &keys[1], &keys) else { panic!("not run") };
            assert_eq!(run.line, "status");
        }
    }

    #[test]
    fn a_wrong_key_nonce_or_algorithm_is_bad_auth() {
        let keys = [key(Algorithm::Sha256, b"secret")];
        let mut session = Session::new(77);
        let body = request("null", 1, NOW_S, None);
        for wrong in [key(Algorithm::Sha256, b"wrong"), key(Algorithm::Sha512, b"secret"), key(Algorithm::Md5, b"")] {
            assert_eq!(send(&mut session, &body, &wrong, &keys).unwrap_err(), Refusal::BadAuth);
        }
        send(&mut session, &body, &keys[0], &keys).unwrap();
        for nonce in [None, Some(78)] {
            let second = request("stop", 2, NOW_S, nonce);
            assert_eq!(send(&mut session, &second, &keys[0], &keys).unwrap_err(), Refusal::BadAuth);
        }
    }

    #[test]
    fn stale_and_future_messages_are_refused() {
        let keys = [key(Algorithm::Sha256, b"secret")];
        let at = |made_s| request("null", 1, made_s, None);
        let refusal = |body: &Table| send(&mut Session::new(1), body, &keys[0], &keys).unwrap_err();
        assert_eq!(refusal(&at(NOW_S - CLOCK_SKEW_S - 1)), Refusal::ClockSkew);
        assert_eq!(refusal(&at(NOW_S + CLOCK_SKEW_S + 1)), Refusal::ClockSkew);
        assert_eq!(refusal(&at(NOW_S - LIFETIME_S - 1)), Refusal::Expired);
        assert!(send(&mut Session::new(1), &at(NOW_S + CLOCK_SKEW_S), &keys[0], &keys).is_ok());
    }

    #[test]
    fn a_replayed_message_is_refused_until_it_is_forgotten() {
        let keys = [key(Algorithm::Sha256, b"secret")];
        let mut replays = Replays::default();
        let frame = seal(&request("null", 1, NOW_S, None), &keys[0]);
        let mut receive = |now_s| Session::new(1).receive(&frame[4..], &keys, &mut replays, now_s).err();
        assert_eq!(receive(NOW_S), None);
        assert_eq!(receive(NOW_S + 1), Some(Refusal::Duplicate));
    }

    #[test]
    fn no_flipped_bit_is_accepted() {
        let keys = [key(Algorithm::Sha256, b"secret")];
        let frame = seal(&request("status", 1, NOW_S, None), &keys[0]);
        // Length, version, `_auth` pair, `hsha` key; then the value's type, of which string reads as binary does.
        let type_byte = 4 + 4 + 11 + 5;
        for at in (4..frame.len()).filter(|&at| at != type_byte) {
            for bit in 0..8 {
                let mut mutated = frame[4..].to_vec();
                mutated[at - 4] ^= 1 << bit;
                assert!(open(&mutated, &keys).is_err(), "byte {at} bit {bit}");
            }
        }
    }

    #[test]
    fn a_reply_is_not_taken_for_a_request() {
        let keys = [key(Algorithm::Sha256, b"secret")];
        let mut session = Session::new(5);
        let Step::Greet(reply) = send(&mut session, &request("null", 1, NOW_S, None), &keys[0], &keys).unwrap() else {
            panic!("no greeting");
        };
        let refused = session.receive(&reply[4..], &keys, &mut Replays::default(), NOW_S).unwrap_err();
        assert_eq!(refused, Refusal::NotARequest);
    }
}
