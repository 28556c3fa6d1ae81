//! DNS cookies in the interoperable form: RFC 7873 as RFC 9018 fixes it.
//!
//! A server cookie is version 1, three zero bytes, the time of its making and a SipHash-2-4 over the client's cookie,
//! those eight bytes and the client's address, so that any server with the same secret can verify it.

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
    /// Only the client's part, or a server's part that is not to be believed.
    ClientOnly,
    /// We, or a server with our secret, gave it to this client not long ago.
    Valid,
}

/// The cookie to send: the client's part and a fresh server's part.
pub fn make(client: [u8; CLIENT_COOKIE], address: IpAddr, now_s: u64, secret: &Secret) -> [u8; COOKIE_LENGTH] {
    // RFC 9018: seconds since 1970 in serial number arithmetic.
    let [a, b, c, d] = (now_s as u32).to_be_bytes();
    complete(client, [VERSION, 0, 0, 0, a, b, c, d], address, secret)
}

/// Judges the cookie of a request, the client's and the server's part.
pub fn verify(
    client: [u8; CLIENT_COOKIE],
    server: &[u8],
    address: IpAddr,
    now_s: u64,
    secrets: &[Secret],
) -> CookieState {
    let Ok(server) = <[u8; 16]>::try_from(server) else { return CookieState::ClientOnly };
    let [version, r0, r1, r2, t0, t1, t2, t3, ..] = server;
    let age_s = (now_s as u32).wrapping_sub(u32::from_be_bytes([t0, t1, t2, t3])) as i32;
    if version != VERSION || !(-MAX_AHEAD_S..=MAX_AGE_S).contains(&age_s) {
        return CookieState::ClientOnly;
    }
    let head = [version, r0, r1, r2, t0, t1, t2, t3];
    // In a time that does not tell how much of it is right.
    let known = secrets.iter().any(|secret| {
        complete(client, head, address, secret).get(CLIENT_COOKIE..).is_some_and(|own| own.ct_eq(&server).into())
    });
    if known { CookieState::Valid } else { CookieState::ClientOnly }
}

fn complete(client: [u8; 8], head: [u8; 8], address: IpAddr, secret: &Secret) -> [u8; COOKIE_LENGTH] {
    let mut hasher = SipHasher24::new_with_key(secret);
    hasher.write(&client);
    hasher.write(&head);
    match address {
        IpAddr::V4(v4) => hasher.write(&v4.octets()),
        IpAddr::V6(v6) => hasher.write(&v6.octets()),
    }
    let mut cookie = [0; COOKIE_LENGTH];
    let parts = [client, head, hasher.finish().to_le_bytes()];
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

    fn address() -> IpAddr {
        "198.51.100.100".parse().unwrap()
    }

    #[test]
    fn the_example_of_the_rfc_is_reproduced() {
        let cookie = make(CLIENT, address(), MADE_S, &SECRET);
        assert_eq!(cookie[8..], *b"\x01\x00\x00\x00\x5c\xf7\x9f\x11\x1f\x81\x30\xc3\xee\xe2\x94\x80");
    }

    #[test]
    fn a_cookie_is_valid_for_its_client_and_its_hour() {
        let cookie = make(CLIENT, address(), MADE_S, &SECRET);
        let state =
            |now_s, from: &str, secret| verify(CLIENT, &cookie[8..], from.parse().unwrap(), now_s, &[[0; 16], secret]);
        assert_eq!(state(MADE_S + 3600, "198.51.100.100", SECRET), CookieState::Valid);
        assert_eq!(state(MADE_S - 300, "198.51.100.100", SECRET), CookieState::Valid);
        assert_eq!(state(MADE_S + 3601, "198.51.100.100", SECRET), CookieState::ClientOnly);
        assert_eq!(state(MADE_S - 301, "198.51.100.100", SECRET), CookieState::ClientOnly);
        assert_eq!(state(MADE_S, "198.51.100.101", SECRET), CookieState::ClientOnly);
        assert_eq!(state(MADE_S, "198.51.100.100", [1; 16]), CookieState::ClientOnly);
    }

    #[test]
    fn another_length_or_version_counts_as_the_client_part_alone() {
        let mut cookie = make(CLIENT, address(), MADE_S, &SECRET);
        assert_eq!(verify(CLIENT, &cookie[8..23], address(), MADE_S, &[SECRET]), CookieState::ClientOnly);
        cookie[8] = 2;
        assert_eq!(verify(CLIENT, &cookie[8..], address(), MADE_S, &[SECRET]), CookieState::ClientOnly);
    }
}
