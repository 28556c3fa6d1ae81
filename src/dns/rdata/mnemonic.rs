//! The words that stand for numbers in the data of DNSSEC and certificate records.

use super::Fault;
use super::cursor::number;

/// Words and their numbers.
pub(super) type Words = [(&'static str, u16)];

/// DNSSEC algorithms.
pub(super) const ALGORITHMS: &Words = &[
    ("RSAMD5", 1),
    ("DH", 2),
    ("DSA", 3),
    ("RSASHA1", 5),
    ("NSEC3DSA", 6),
    ("NSEC3RSASHA1", 7),
    ("RSASHA256", 8),
    ("RSASHA512", 10),
    ("ECCGOST", 12),
    ("ECDSAP256SHA256", 13),
    ("ECDSAP384SHA384", 14),
    ("ED25519", 15),
    ("ED448", 16),
    ("INDIRECT", 252),
    ("PRIVATEDNS", 253),
    ("PRIVATEOID", 254),
];

/// Types of the digests of DS (registry of RFC 3658).
pub(super) const DIGEST_TYPES: &Words =
    &[("SHA-1", 1), ("SHA1", 1), ("SHA-256", 2), ("SHA256", 2), ("GOST", 3), ("SHA-384", 4), ("SHA384", 4)];

/// The one hash of NSEC3 (RFC 5155 section 11).
pub(super) const HASHES: &Words = &[("SHA-1", 1)];

/// Types of certificates (RFC 4398 section 2.1).
pub(super) const CERT_TYPES: &Words = &[
    ("PKIX", 1),
    ("SPKI", 2),
    ("PGP", 3),
    ("IPKIX", 4),
    ("ISPKI", 5),
    ("IPGP", 6),
    ("ACPKIX", 7),
    ("IACPKIX", 8),
    ("URI", 253),
    ("OID", 254),
];

/// What a KEY is for (RFC 2535 section 3.1.3).
pub(super) const PROTOCOLS: &Words =
    &[("NONE", 0), ("TLS", 1), ("EMAIL", 2), ("DNSSEC", 3), ("IPSEC", 4), ("ALL", 255)];

/// The RCODEs that TSIG and TKEY can have (RFC 1035 section 4.1.1, RFC 2136 section 2.2, RFC 8945 section 3).
pub(super) const TSIG_ERRORS: &Words = &[
    ("NOERROR", 0),
    ("FORMERR", 1),
    ("SERVFAIL", 2),
    ("NXDOMAIN", 3),
    ("NOTIMP", 4),
    ("REFUSED", 5),
    ("YXDOMAIN", 6),
    ("YXRRSET", 7),
    ("NXRRSET", 8),
    ("NOTAUTH", 9),
    ("NOTZONE", 10),
    ("BADSIG", 16),
    ("BADKEY", 17),
    ("BADTIME", 18),
    ("BADMODE", 19),
    ("BADNAME", 20),
    ("BADALG", 21),
    ("BADTRUNC", 22),
];

/// Schemes of DSYNC (RFC 9859 section 2.2).
pub(super) const DSYNC_SCHEMES: &Words = &[("NOTIFY", 1)];

/// Flags of KEY and DNSKEY (RFC 2535 section 3.1.2, RFC 4034 section 2.1.1, RFC 5011 section 7).
const KEY_FLAGS: &Words = &[
    ("NOCONF", 0x4000),
    ("NOAUTH", 0x8000),
    ("NOKEY", 0xc000),
    ("FLAG2", 0x2000),
    ("EXTEND", 0x1000),
    ("FLAG4", 0x0800),
    ("FLAG5", 0x0400),
    ("USER", 0x0000),
    ("ZONE", 0x0100),
    ("HOST", 0x0200),
    ("NTYP3", 0x0300),
    ("FLAG8", 0x0080),
    ("FLAG9", 0x0040),
    ("FLAG10", 0x0020),
    ("FLAG11", 0x0010),
    ("SIG0", 0x0000),
    ("SIG1", 0x0001),
    ("SIG2", 0x0002),
    ("SIG3", 0x0003),
    ("SIG4", 0x0004),
    ("SIG5", 0x0005),
    ("SIG6", 0x0006),
    ("SIG7", 0x0007),
    ("SIG8", 0x0008),
    ("SIG9", 0x0009),
    ("SIG10", 0x000a),
    ("SIG11", 0x000b),
    ("SIG12", 0x000c),
    ("SIG13", 0x000d),
    ("SIG14", 0x000e),
    ("SIG15", 0x000f),
    ("KSK", 0x0001),
];

fn find(words: &Words, text: &[u8]) -> Option<u16> {
    words.iter().find(|(word, _)| word.as_bytes().eq_ignore_ascii_case(text)).map(|(_, value)| *value)
}

/// A word or a number up to `max`.
pub(super) fn read(words: &Words, text: &[u8], max: u32) -> Result<u16, Fault> {
    match number(text, max) {
        Err(Fault::NotNumber) => find(words, text).ok_or(Fault::UnknownType),
        number => number.map(|value| value as u16),
    }
}

/// The word of a number.
pub(super) fn word(words: &Words, value: u16) -> Option<&'static str> {
    words.iter().find(|(_, number)| *number == value).map(|(word, _)| *word)
}

/// A number, also in hexadecimal, or words with | between.
pub(super) fn read_flags(text: &[u8]) -> Result<u16, Fault> {
    if let Some(digits) = text.strip_prefix(b"0x") {
        let digits = std::str::from_utf8(digits).map_err(|_| Fault::UnknownFlag)?;
        let number = u64::from_str_radix(digits, 16).map_err(|_| Fault::UnknownFlag)?;
        return u16::try_from(number).map_err(|_| Fault::OutOfRange);
    }
    if text.first().is_some_and(u8::is_ascii_digit) {
        return number(text, u32::from(u16::MAX)).map(|value| value as u16);
    }
    text.strip_suffix(b"|")
        .unwrap_or(text)
        .split(|&byte| byte == b'|')
        .try_fold(0, |flags, word| Ok(flags | find(KEY_FLAGS, word).ok_or(Fault::UnknownFlag)?))
}
