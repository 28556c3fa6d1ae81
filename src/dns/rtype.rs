//! Record types: the number as it stands on the wire, and its text form including `TYPEnnn` (RFC 3597).
//!
//! Mnemonics, fields and what else is known of a type come from the table in `grammar/rdata`, by way of
//! [`rdata::kind`]. Reading a mnemonic is on the path of zone loading: it is packed into one number and matched.

use std::fmt;
use std::str::FromStr;

use super::rdata;

/// A record or question type.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rtype(pub u16);

#[allow(missing_docs)] // the mnemonics are their own meaning
impl Rtype {
    pub const A: Self = Self(1);
    pub const NS: Self = Self(2);
    pub const CNAME: Self = Self(5);
    pub const SOA: Self = Self(6);
    pub const MB: Self = Self(7);
    pub const PTR: Self = Self(12);
    pub const MX: Self = Self(15);
    pub const TXT: Self = Self(16);
    pub const AFSDB: Self = Self(18);
    pub const X25: Self = Self(19);
    pub const ISDN: Self = Self(20);
    pub const RT: Self = Self(21);
    pub const SIG: Self = Self(24);
    pub const KEY: Self = Self(25);
    pub const AAAA: Self = Self(28);
    pub const NXT: Self = Self(30);
    pub const SRV: Self = Self(33);
    pub const NAPTR: Self = Self(35);
    pub const KX: Self = Self(36);
    pub const DNAME: Self = Self(39);
    pub const OPT: Self = Self(41);
    pub const APL: Self = Self(42);
    pub const DS: Self = Self(43);
    pub const RRSIG: Self = Self(46);
    pub const NSEC: Self = Self(47);
    pub const DNSKEY: Self = Self(48);
    pub const NSEC3: Self = Self(50);
    pub const NSEC3PARAM: Self = Self(51);
    pub const TLSA: Self = Self(52);
    pub const CDS: Self = Self(59);
    pub const CDNSKEY: Self = Self(60);
    pub const ZONEMD: Self = Self(63);
    pub const SVCB: Self = Self(64);
    pub const HTTPS: Self = Self(65);
    pub const L32: Self = Self(105);
    pub const L64: Self = Self(106);
    pub const LP: Self = Self(107);
    pub const TKEY: Self = Self(249);
    pub const TSIG: Self = Self(250);
    pub const IXFR: Self = Self(251);
    pub const AXFR: Self = Self(252);
    pub const MAILB: Self = Self(253);
    pub const MAILA: Self = Self(254);
    pub const ANY: Self = Self(255);
}

/// The text is no type.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown class/type")]
pub struct UnknownType;

impl Rtype {
    /// Reads a mnemonic or `TYPEnnn`, in any case.
    pub fn from_text(text: &[u8]) -> Result<Self, UnknownType> {
        if text.len() > size_of::<u128>() {
            return Err(UnknownType);
        }
        let packed = text.iter().fold(0_u128, |packed, byte| packed << 8 | u128::from(byte.to_ascii_uppercase()));
        rdata::by_mnemonic(packed).or_else(|| unlisted(text)).ok_or(UnknownType)
    }

    /// Whether the type stands in questions and messages only, never in a zone: the named ones and all from 128 to 255
    /// (RFC 6895 section 3.1).
    pub fn is_meta(self) -> bool {
        self == Self::OPT || (128..=255).contains(&self.0)
    }
}

/// The number of `TYPEnnn`, or of the type for which BIND has a word that it does not print.
fn unlisted(text: &[u8]) -> Option<Rtype> {
    if text.eq_ignore_ascii_case(b"KEYDATA") {
        return Some(Rtype(65533));
    }
    let (word, digits) = text.split_at_checked(4)?;
    if !word.eq_ignore_ascii_case(b"TYPE") || !digits.iter().all(u8::is_ascii_digit) {
        return None;
    }
    std::str::from_utf8(digits).ok()?.parse().ok().map(Rtype)
}

impl FromStr for Rtype {
    type Err = UnknownType;

    fn from_str(text: &str) -> Result<Self, UnknownType> {
        Self::from_text(text.as_bytes())
    }
}

impl fmt::Display for Rtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match rdata::kind(*self) {
            Some(kind) => f.write_str(kind.mnemonic),
            None => write!(f, "TYPE{}", self.0),
        }
    }
}

impl fmt::Debug for Rtype {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mnemonics_are_read_in_any_case() {
        assert_eq!("a".parse(), Ok(Rtype::A));
        assert_eq!("nSec3Param".parse(), Ok(Rtype::NSEC3PARAM));
        assert_eq!("NSAP-PTR".parse(), Ok(Rtype(23)));
        assert_eq!("DLV".parse(), Ok(Rtype(32769)));
        assert_eq!("any".parse(), Ok(Rtype::ANY));
    }

    #[test]
    fn numbers_stand_for_any_type() {
        assert_eq!("TYPE1".parse(), Ok(Rtype::A));
        assert_eq!("type65535".parse(), Ok(Rtype(65535)));
        assert_eq!(Rtype(65280).to_string(), "TYPE65280");
        for bad in ["", "TYPE", "TYPE65536", "TYPE+1", "TYPE-1", "AB", "ABCDEFGHIJKLMNOPQRS", "A\0"] {
            assert_eq!(bad.parse::<Rtype>(), Err(UnknownType), "{bad}");
        }
    }

    #[test]
    fn every_type_of_the_table_reads_what_it_prints() {
        for number in 0..=u16::MAX {
            assert_eq!(Rtype(number).to_string().parse(), Ok(Rtype(number)));
        }
    }
}
