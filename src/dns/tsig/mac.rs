//! The keyed hash of a TSIG key, fed piece by piece, and its result on the stack.

use hmac::{Hmac, KeyInit, Mac as _};
use md5::Md5;
use sha1::Sha1;
use sha2::{Sha224, Sha256, Sha384, Sha512};
use subtle::ConstantTimeEq;

use crate::dns::algorithm::{Algorithm, Key};

/// The longest MAC in bytes.
pub const MAX_MAC: usize = 64;

/// A MAC, whole or cut.
#[derive(Clone, Copy)]
pub(super) struct Mac {
    bytes: [u8; MAX_MAC],
    length: usize,
}

impl Mac {
    /// No MAC at all.
    pub(super) const EMPTY: Self = Self { bytes: [0; MAX_MAC], length: 0 };

    /// A copy of up to 64 bytes.
    pub(super) fn copy(bytes: &[u8]) -> Self {
        let mut mac = Self::EMPTY;
        for (place, byte) in mac.bytes.iter_mut().zip(bytes) {
            *place = *byte;
            mac.length += 1;
        }
        mac
    }

    pub(super) fn as_bytes(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// The first `length` bytes.
    pub(super) fn cut(self, length: usize) -> Self {
        Self { length: self.length.min(length), ..self }
    }

    /// Whether `received` is what this MAC starts with, in a time that does not tell how much of it is.
    pub(super) fn starts_with(&self, received: &[u8]) -> bool {
        self.as_bytes().get(..received.len()).is_some_and(|own| own.ct_eq(received).into())
    }
}

/// One HMAC of the six.
pub(super) enum Hasher {
    Md5(Hmac<Md5>),
    Sha1(Hmac<Sha1>),
    Sha224(Hmac<Sha224>),
    Sha256(Hmac<Sha256>),
    Sha384(Hmac<Sha384>),
    Sha512(Hmac<Sha512>),
}

impl Hasher {
    /// Starts with the key. None only if the hash takes no key of that length; HMAC takes any.
    pub(super) fn new(key: &Key) -> Option<Self> {
        let secret = &key.secret;
        match key.algorithm {
            Algorithm::Md5 => Hmac::new_from_slice(secret).map(Self::Md5),
            Algorithm::Sha1 => Hmac::new_from_slice(secret).map(Self::Sha1),
            Algorithm::Sha224 => Hmac::new_from_slice(secret).map(Self::Sha224),
            Algorithm::Sha256 => Hmac::new_from_slice(secret).map(Self::Sha256),
            Algorithm::Sha384 => Hmac::new_from_slice(secret).map(Self::Sha384),
            Algorithm::Sha512 => Hmac::new_from_slice(secret).map(Self::Sha512),
        }
        .ok()
    }

    pub(super) fn update(&mut self, bytes: &[u8]) {
        match self {
            Self::Md5(hash) => hash.update(bytes),
            Self::Sha1(hash) => hash.update(bytes),
            Self::Sha224(hash) => hash.update(bytes),
            Self::Sha256(hash) => hash.update(bytes),
            Self::Sha384(hash) => hash.update(bytes),
            Self::Sha512(hash) => hash.update(bytes),
        }
    }

    pub(super) fn finish(self) -> Mac {
        match self {
            Self::Md5(hash) => Mac::copy(&hash.finalize().into_bytes()),
            Self::Sha1(hash) => Mac::copy(&hash.finalize().into_bytes()),
            Self::Sha224(hash) => Mac::copy(&hash.finalize().into_bytes()),
            Self::Sha256(hash) => Mac::copy(&hash.finalize().into_bytes()),
            Self::Sha384(hash) => Mac::copy(&hash.finalize().into_bytes()),
            Self::Sha512(hash) => Mac::copy(&hash.finalize().into_bytes()),
        }
    }
}
