//! The HMAC algorithms that TSIG keys and the control channel use, by their names in named.conf and on the wire.

use super::{Name, NameRef};

/// A keyed hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[allow(missing_docs)] // the names are their own meaning
pub enum Algorithm {
    Md5,
    Sha1,
    Sha224,
    Sha256,
    Sha384,
    Sha512,
}

/// Every algorithm with its length in bits, name in named.conf, and name on the wire (RFC 8945 section 6).
const TABLE: [(Algorithm, u16, &str, &[u8]); 6] = [
    (Algorithm::Md5, 128, "hmac-md5", b"\x08hmac-md5\x07sig-alg\x03reg\x03int\x00"),
    (Algorithm::Sha1, 160, "hmac-sha1", b"\x09hmac-sha1\x00"),
    (Algorithm::Sha224, 224, "hmac-sha224", b"\x0bhmac-sha224\x00"),
    (Algorithm::Sha256, 256, "hmac-sha256", b"\x0bhmac-sha256\x00"),
    (Algorithm::Sha384, 384, "hmac-sha384", b"\x0bhmac-sha384\x00"),
    (Algorithm::Sha512, 512, "hmac-sha512", b"\x0bhmac-sha512\x00"),
];

impl Algorithm {
    fn row(self) -> &'static (Self, u16, &'static str, &'static [u8]) {
        TABLE.iter().find(|row| row.0 == self).unwrap_or(&TABLE[0])
    }

    /// Length of the whole MAC in bits.
    pub fn bits(self) -> u16 {
        self.row().1
    }

    /// The name that named.conf uses.
    pub fn text(self) -> &'static str {
        self.row().2
    }

    /// The name on the wire.
    pub fn wire_name(self) -> NameRef<'static> {
        NameRef::from_checked(self.row().3)
    }

    /// The algorithm of a wire name.
    pub fn from_wire(name: NameRef<'_>) -> Option<Self> {
        TABLE.iter().find(|row| NameRef::from_checked(row.3) == name).map(|row| row.0)
    }

    /// Reads `hmac-sha256` or `hmac-sha256-128`, the latter with the bits that MACs are cut to; also the bare wire name
    /// of md5 that BIND takes. None for an unknown word or for bits that are not a multiple of 8 or exceed the digest.
    pub fn from_text(text: &str) -> Option<(Self, Option<u16>)> {
        let lower = text.to_ascii_lowercase();
        let (algorithm, bits, rest) =
            TABLE.iter().filter_map(|row| Some((row.0, row.1, lower.strip_prefix(row.2)?))).find(|(_, _, rest)| {
                rest.is_empty() || rest.starts_with('-') || *rest == ".sig-alg.reg.int" || *rest == ".sig-alg.reg.int."
            })?;
        match rest.strip_prefix('-') {
            None => Some((algorithm, None)),
            Some(digits) => {
                let cut: u16 = digits.parse().ok()?;
                (cut <= bits && cut.is_multiple_of(8) && cut > 0).then_some((algorithm, Some(cut)))
            }
        }
    }
}

/// A shared secret with its name: what a `key` statement declares.
#[derive(Clone, PartialEq, Eq)]
pub struct Key {
    /// The key's name, which is part of what both sides must agree on.
    pub name: Name,
    /// Which HMAC.
    pub algorithm: Algorithm,
    /// MACs are cut to so many bits; none: the whole MAC.
    pub truncate_bits: Option<u16>,
    /// The secret itself, decoded.
    pub secret: Vec<u8>,
}

impl std::fmt::Debug for Key {
    /// Never prints the secret.
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Key({} {})", self.name, self.algorithm.text())
    }
}
