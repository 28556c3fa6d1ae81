//! Response codes and operation codes: the numbers in a header (RFC 6895 sections 2.2 and 2.3), extended by EDNS and
//! TSIG, with the texts that BIND logs and that dig prints.

use std::fmt;

/// A response code. Twelve bits with EDNS, sixteen in TSIG.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Rcode(pub u16);

#[allow(missing_docs)] // the mnemonics are their own meaning
impl Rcode {
    pub const NOERROR: Self = Self(0);
    pub const FORMERR: Self = Self(1);
    pub const SERVFAIL: Self = Self(2);
    pub const NXDOMAIN: Self = Self(3);
    pub const NOTIMP: Self = Self(4);
    pub const REFUSED: Self = Self(5);
    pub const YXDOMAIN: Self = Self(6);
    pub const YXRRSET: Self = Self(7);
    pub const NXRRSET: Self = Self(8);
    pub const NOTAUTH: Self = Self(9);
    pub const NOTZONE: Self = Self(10);
    pub const BADVERS: Self = Self(16);
    /// In the error field of TSIG only, where 16 is not BADVERS.
    pub const BADSIG: Self = Self(16);
    pub const BADKEY: Self = Self(17);
    pub const BADTIME: Self = Self(18);
    pub const BADMODE: Self = Self(19);
    pub const BADNAME: Self = Self(20);
    pub const BADALG: Self = Self(21);
    pub const BADTRUNC: Self = Self(22);
    pub const BADCOOKIE: Self = Self(23);
}

/// The codes with texts of their own; all others print as numbers.
const RCODES: [(Rcode, &str); 19] = [
    (Rcode::NOERROR, "NOERROR"),
    (Rcode::FORMERR, "FORMERR"),
    (Rcode::SERVFAIL, "SERVFAIL"),
    (Rcode::NXDOMAIN, "NXDOMAIN"),
    (Rcode::NOTIMP, "NOTIMP"),
    (Rcode::REFUSED, "REFUSED"),
    (Rcode::YXDOMAIN, "YXDOMAIN"),
    (Rcode::YXRRSET, "YXRRSET"),
    (Rcode::NXRRSET, "NXRRSET"),
    (Rcode::NOTAUTH, "NOTAUTH"),
    (Rcode::NOTZONE, "NOTZONE"),
    (Rcode::BADVERS, "BADVERS"),
    (Rcode::BADKEY, "BADKEY"),
    (Rcode::BADTIME, "BADTIME"),
    (Rcode::BADMODE, "BADMODE"),
    (Rcode::BADNAME, "BADNAME"),
    (Rcode::BADALG, "BADALG"),
    (Rcode::BADTRUNC, "BADTRUNC"),
    (Rcode::BADCOOKIE, "BADCOOKIE"),
];

impl Rcode {
    /// The four bits that the header holds.
    pub fn low_bits(self) -> u8 {
        (self.0 & 0x0f) as u8
    }

    /// The eight bits that go into the OPT record.
    pub fn high_bits(self) -> u8 {
        (self.0 >> 4 & 0xff) as u8
    }

    /// The text of an error field of TSIG, where 16 means a bad signature (RFC 8945 section 3).
    pub fn tsig_text(self) -> String {
        if self == Self::BADSIG { "BADSIG".to_owned() } else { self.to_string() }
    }
}

impl fmt::Display for Rcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match RCODES.iter().find(|(code, _)| code == self) {
            Some((_, text)) => f.write_str(text),
            None if (11..16).contains(&self.0) => write!(f, "RESERVED{}", self.0),
            None => self.0.fmt(f),
        }
    }
}

impl fmt::Debug for Rcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

/// What a message asks for: four bits of the header.
#[derive(Clone, Copy, PartialEq, Eq, Hash)]
pub struct Opcode(pub u8);

#[allow(missing_docs)] // the mnemonics are their own meaning
impl Opcode {
    pub const QUERY: Self = Self(0);
    pub const IQUERY: Self = Self(1);
    pub const STATUS: Self = Self(2);
    pub const NOTIFY: Self = Self(4);
    pub const UPDATE: Self = Self(5);
}

/// What BIND prints for each of the sixteen values.
const OPCODES: [&str; 16] = [
    "QUERY",
    "IQUERY",
    "STATUS",
    "RESERVED3",
    "NOTIFY",
    "UPDATE",
    "RESERVED6",
    "RESERVED7",
    "RESERVED8",
    "RESERVED9",
    "RESERVED10",
    "RESERVED11",
    "RESERVED12",
    "RESERVED13",
    "RESERVED14",
    "RESERVED15",
];

impl fmt::Display for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(OPCODES.get(usize::from(self.0)).unwrap_or(&"RESERVED"))
    }
}

impl fmt::Debug for Opcode {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_print_as_bind_prints_them() {
        assert_eq!(Rcode::NXDOMAIN.to_string(), "NXDOMAIN");
        assert_eq!((Rcode(11).to_string().as_str(), Rcode(24).to_string().as_str()), ("RESERVED11", "24"));
        assert_eq!(Rcode::BADSIG.tsig_text(), "BADSIG");
        assert_eq!(Rcode::BADVERS.to_string(), "BADVERS");
        assert_eq!(Opcode::NOTIFY.to_string(), "NOTIFY");
        assert_eq!(Opcode(3).to_string(), "RESERVED3");
    }

    #[test]
    fn a_code_is_split_between_header_and_opt() {
        assert_eq!((Rcode::BADCOOKIE.high_bits(), Rcode::BADCOOKIE.low_bits()), (1, 7));
        assert_eq!((Rcode::REFUSED.high_bits(), Rcode::REFUSED.low_bits()), (0, 5));
    }
}
