//! DNS cookies in the interoperable form: RFC 7873 as RFC 9018 fixes it.
//!
//! A server cookie is version 1, three zero bytes, the time of its making and a SipHash-2-4 over the client's cookie,
//! those eight bytes and the client's address, so that any server with the same secret can verify it. BIND 9.18 can
//! make the hash by AES instead, in a way of its own (`cookie-algorithm aes`).

mod aes;

use std::hash::Hasher;
use std::net::IpAddr;

use siphasher::sip::SipHasher24;
use subtle::ConstantTimeEq;

use crate::dns::edns::CLIENT_COOKIE;

/// A secret shared by all servers behind one address.
pub type Secret = [u8; 16];
/// Length of a whole cookie in the form made here.
pub const COOKIE_LENGTH: usize = 24;

const VERSION: u8 = 1;
/// A cookie made earlier than this is no longer taken (RFC 9018 section 4.3).
const MAX_AGE_S: i32 = 3600;
/// A cookie of a server whose clock is ahead is taken up to this.
const MAX_AHEAD_S: i32 = 300;

/// What a request's cookie is worth.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CookieState {
    /// There was none.
    #[default]
    Absent,
    /// Only the client's part.
    New,
    /// A server's part of a length that is none of ours.
    BadSize,
    /// Made too long ago, or not yet.
    BadTime,
    /// Not made with any of our secrets for this client.
    NoMatch,
    /// We, or a server with our secret, gave it to this client not long ago.
    Valid,
}

/// What cookies are made with. Without secrets there are none (`answer-cookie no`).
#[derive(Debug, Clone, Default)]
pub struct Cookies {
    /// How the hash is made.
    pub algorithm: CookieAlgorithm,
    /// The first makes cookies, all verify.
    pub secrets: Vec<Secret>,
}

/// How the hash of a server cookie is made.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum CookieAlgorithm {
    /// RFC 9018.
    #[default]
    SipHash24,
    /// As BIND 9.18 with `cookie-algorithm aes`.
    Aes,
}

impl Cookies {
    /// The cookie to send: the client's part and a fresh server's part.
    pub fn make(&self, client: [u8; CLIENT_COOKIE], address: IpAddr, now_s: u64) -> Option<[u8; COOKIE_LENGTH]> {
        let secret = self.secrets.first()?;
        // RFC 9018: seconds since 1970 in serial number arithmetic.
        let [a, b, c, d] = (now_s as u32).to_be_bytes();
        Some(self.complete(client, [VERSION, 0, 0, 0, a, b, c, d], address, secret))
    }

    /// Judges the cookie of a request, the client's and the server's part.
    pub fn verify(&self, client: [u8; CLIENT_COOKIE], server: &[u8], address: IpAddr, now_s: u64) -> CookieState {
        let Ok(server) = <[u8; 16]>::try_from(server) else { return CookieState::BadSize };
        let [version, r0, r1, r2, t0, t1, t2, t3, ..] = server;
        let age_s = (now_s as u32).wrapping_sub(u32::from_be_bytes([t0, t1, t2, t3])) as i32;
        // With AES there is a number in the place of the version that anybody may choose.
        let is_known_version = version == VERSION || self.algorithm == CookieAlgorithm::Aes;
        if !(-MAX_AHEAD_S..=MAX_AGE_S).contains(&age_s) {
            return CookieState::BadTime;
        }
        let head = [version, r0, r1, r2, t0, t1, t2, t3];
        let own = |secret| self.complete(client, head, address, secret);
        // In a time that does not tell how much of it is right.
        let is_own = |secret| own(secret).get(CLIENT_COOKIE..).is_some_and(|cookie| cookie.ct_eq(&server).into());
        if is_known_version && self.secrets.iter().any(is_own) { CookieState::Valid } else { CookieState::NoMatch }
    }

    fn complete(&self, client: [u8; 8], head: [u8; 8], address: IpAddr, secret: &Secret) -> [u8; COOKIE_LENGTH] {
        let hash = match self.algorithm {
            CookieAlgorithm::SipHash24 => siphash(client, head, address, secret),
            CookieAlgorithm::Aes => aes_hash(client, head, address, secret),
        };
        join(client, head, hash)
    }
}

fn siphash(client: [u8; 8], head: [u8; 8], address: IpAddr, secret: &Secret) -> [u8; 8] {
    let mut hasher = SipHasher24::new_with_key(secret);
    hasher.write(&client);
    hasher.write(&head);
    match address {
        IpAddr::V4(v4) => hasher.write(&v4.octets()),
        IpAddr::V6(v6) => hasher.write(&v6.octets()),
    }
    hasher.finish().to_le_bytes()
}

/// BIND: the cookie, then each eight bytes of the address, encrypted together with what came before, whose halves are
/// added up. An IPv4 address is filled up with zeros.
fn aes_hash(client: [u8; 8], head: [u8; 8], address: IpAddr, secret: &Secret) -> [u8; 8] {
    let step = |first: [u8; 8], second: [u8; 8]| {
        let [low, high] = halves(aes::encrypt(secret, &pair(first, second)));
        std::array::from_fn(|index| low.get(index).unwrap_or(&0) ^ high.get(index).unwrap_or(&0))
    };
    let hash = step(client, head);
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            step(hash, [a, b, c, d, 0, 0, 0, 0])
        }
        IpAddr::V6(v6) => halves(v6.octets()).into_iter().fold(hash, step),
    }
}

fn pair(first: [u8; 8], second: [u8; 8]) -> [u8; 16] {
    (u128::from(u64::from_be_bytes(first)) << 64 | u128::from(u64::from_be_bytes(second))).to_be_bytes()
}

fn halves(block: [u8; 16]) -> [[u8; 8]; 2] {
    let number = u128::from_be_bytes(block);
    [((number >> 64) as u64).to_be_bytes(), (number as u64).to_be_bytes()]
}

fn join(client: [u8; 8], head: [u8; 8], hash: [u8; 8]) -> [u8; COOKIE_LENGTH] {
    let mut cookie = [0; COOKIE_LENGTH];
    let parts = [client, head, hash];
    for (place, part) in cookie.as_chunks_mut::<8>().0.iter_mut().zip(parts) {
        *place = part;
    }
    cookie
}

#[cfg(test)]
mod tests {
    use super::*;

    /// RFC 9018 appendix A.1.
    const SECRET: Secret = *b"\xe5\xe9\x73\xe5\xa6\xb2\xa4\x3f\x48\xe7\xdc\x84\x9e\x37\xbf\xcf";
    const CLIENT: [u8; 8] = *b"\x24\x64\xc4\xab\xcf\x10\xc9\x57";
    const MADE_S: u64 = 1_559_731_985;

    fn cookies(secrets: &[Secret]) -> Cookies {
        Cookies { algorithm: CookieAlgorithm::SipHash24, secrets: secrets.to_vec() }
    }

    fn address() -> IpAddr {
        "198.51.100.100".parse().unwrap()
    }

    #[test]
    fn the_example_of_the_rfc_is_reproduced() {
        let cookie = cookies(&[SECRET]).make(CLIENT, address(), MADE_S).unwrap();
        assert_eq!(cookie[8..], *b"\x01\x00\x00\x00\x5c\xf7\x9f\x11\x1f\x81\x30\xc3\xee\xe2\x94\x80");
    }

    #[test]
    fn a_cookie_is_valid_for_its_client_and_its_hour() {
        let cookie = cookies(&[SECRET]).make(CLIENT, address(), MADE_S).unwrap();
        let state = |now_s, from: &str, secret| {
            cookies(&[[0; 16], secret]).verify(CLIENT, &cookie[8..], from.parse().unwrap(), now_s)
        };
        assert_eq!(state(MADE_S + 3600, "198.51.100.100", SECRET), CookieState::Valid);
        assert_eq!(state(MADE_S - 300, "198.51.100.100", SECRET), CookieState::Valid);
        assert_eq!(state(MADE_S + 3601, "198.51.100.100", SECRET), CookieState::BadTime);
        assert_eq!(state(MADE_S - 301, "198.51.100.100", SECRET), CookieState::BadTime);
        assert_eq!(state(MADE_S, "198.51.100.101", SECRET), CookieState::NoMatch);
        assert_eq!(state(MADE_S, "198.51.100.100", [1; 16]), CookieState::NoMatch);
    }

    #[test]
    fn another_length_or_version_counts_as_the_client_part_alone() {
        let own = cookies(&[SECRET]);
        let mut cookie = cookies(&[SECRET]).make(CLIENT, address(), MADE_S).unwrap();
        assert_eq!(own.verify(CLIENT, &cookie[8..23], address(), MADE_S), CookieState::BadSize);
        cookie[8] = 2;
        assert_eq!(own.verify(CLIENT, &cookie[8..], address(), MADE_S), CookieState::NoMatch);
    }
}
