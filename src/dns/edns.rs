//! EDNS in requests (RFC 6891): the OPT record's size, version, DO flag and options, with the rules that BIND enforces
//! on those that it knows. What goes into a response is written by the answer code; the numbers for it are here.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::message::Record;
use super::wire::{Reader, WireError};

/// Numbers of options.
#[allow(missing_docs)] // the registry's names are their own meaning
pub mod option {
    pub const LLQ: u16 = 1;
    pub const NSID: u16 = 3;
    pub const CLIENT_SUBNET: u16 = 8;
    pub const EXPIRE: u16 = 9;
    pub const COOKIE: u16 = 10;
    pub const TCP_KEEPALIVE: u16 = 11;
    pub const PADDING: u16 = 12;
    pub const KEY_TAG: u16 = 14;
    pub const EXTENDED_ERROR: u16 = 15;
    pub const CLIENT_TAG: u16 = 16;
    pub const SERVER_TAG: u16 = 17;
    pub const ZONEVERSION: u16 = 19;
}

/// Numbers of extended errors (RFC 8914 section 4).
#[allow(missing_docs)] // the registry's names are their own meaning
pub mod extended_error {
    pub const OTHER: u16 = 0;
    pub const STALE_ANSWER: u16 = 3;
    pub const NOT_READY: u16 = 14;
    pub const PROHIBITED: u16 = 18;
    pub const NOT_AUTHORITATIVE: u16 = 20;
    pub const NOT_SUPPORTED: u16 = 21;
    pub const INVALID_DATA: u16 = 24;
}

/// The version that exists.
pub const VERSION: u8 = 0;
/// Sizes below this count as this (RFC 6891 section 6.2.3).
pub const MIN_UDP_SIZE: u16 = 512;
/// Length of a client cookie.
pub const CLIENT_COOKIE: usize = 8;
/// The longest part of a server (RFC 7873 section 4); a whole cookie has at most 40 bytes.
pub const MAX_SERVER_COOKIE: usize = 32;
const DO: u32 = 0x8000;

/// An OPT record whose options are whole.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Edns<'a> {
    /// How large a UDP response the sender can take, as sent.
    pub udp_size: u16,
    /// The high eight bits of the rcode; 0 in requests.
    pub rcode_high: u8,
    /// The version.
    pub version: u8,
    /// DO: the sender wants DNSSEC records.
    pub dnssec_ok: bool,
    options: &'a [u8],
}

impl<'a> Edns<'a> {
    /// Takes an OPT record with its data. An owner other than the root and an option that ends behind the data are
    /// faults.
    pub fn read(record: &Record, rdata: &'a [u8]) -> Result<Self, WireError> {
        if !record.owner.as_ref().is_root() {
            return Err(WireError::BadField);
        }
        Self::from_parts(record.class.0, record.ttl, rdata)
    }

    /// The same for whoever has read the record by other means: its class and TTL fields, and its data.
    pub fn from_parts(class: u16, ttl: u32, rdata: &'a [u8]) -> Result<Self, WireError> {
        let [rcode_high, version, ..] = ttl.to_be_bytes();
        let edns = Self { udp_size: class, rcode_high, version, dnssec_ok: ttl & DO != 0, options: rdata };
        let mut reader = Reader::new(rdata);
        while !reader.is_at_end() {
            reader.u16()?;
            reader.long_bytes()?;
        }
        Ok(edns)
    }

    /// Whether there is any option.
    pub fn has_options(&self) -> bool {
        !self.options.is_empty()
    }

    /// The options in order, each its number and data.
    pub fn options(&self) -> Options<'a> {
        Options(Reader::new(self.options))
    }

    /// The size that a UDP response may have.
    pub fn response_size(&self) -> u16 {
        self.udp_size.max(MIN_UDP_SIZE)
    }
}

/// Walks the options.
#[derive(Debug, Clone)]
pub struct Options<'a>(Reader<'a>);

impl<'a> Iterator for Options<'a> {
    type Item = (u16, &'a [u8]);

    fn next(&mut self) -> Option<Self::Item> {
        let code = self.0.u16().ok()?;
        Some((code, self.0.long_bytes().ok()?))
    }
}

/// What a request's options ask for.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Wishes<'a> {
    /// By options that need no more said.
    pub asked: Asked,
    /// The cookie: eight bytes of the client's, and any that this server gave it (RFC 7873).
    pub cookie: Option<Cookie<'a>>,
    /// Whom the query is asked for; echoed with scope 0 (RFC 7871).
    pub client_subnet: Option<ClientSubnet<'a>>,
}

/// Options that a request has.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub struct Asked {
    /// Which server this is (RFC 5001).
    pub nsid: bool,
    /// How long until a secondary's zone expires (RFC 7314).
    pub expire: bool,
    /// How long an idle connection stays open (RFC 7828).
    pub tcp_keepalive: bool,
    /// Padding (RFC 7830).
    pub padding: bool,
    /// The version of the zone that the answer is from (RFC 9660).
    pub zone_version: bool,
    /// The keys that the sender trusts (RFC 8145): nothing is asked for.
    pub key_tags: bool,
    /// Something else.
    pub other: bool,
}

/// A request's cookie.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Cookie<'a> {
    /// The client's part.
    pub client: [u8; CLIENT_COOKIE],
    /// The server's part, of 8 to 32 bytes.
    pub server: Option<&'a [u8]>,
}

/// A request's client subnet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ClientSubnet<'a> {
    /// 0, 1 for IPv4, 2 for IPv6.
    pub family: u16,
    /// How many bits of the address count.
    pub source_bits: u8,
    /// So many bytes of the address as those bits need.
    pub address: &'a [u8],
}

impl<'a> Wishes<'a> {
    /// Reads the options of a request; of repeated ones the first counts. A known option whose data is malformed is a
    /// fault, which calls for FORMERR; unknown ones are passed over.
    pub fn read(edns: &Edns<'a>) -> Result<Self, WireError> {
        let (mut wishes, mut is_scoped) = (Self::default(), false);
        for (code, data) in edns.options() {
            if !has_fitting_length(code, data.len()) {
                return Err(WireError::BadOption);
            }
            match code {
                option::NSID => wishes.asked.nsid = true,
                option::EXPIRE => wishes.asked.expire = true,
                option::TCP_KEEPALIVE => wishes.asked.tcp_keepalive = true,
                option::PADDING => wishes.asked.padding = true,
                // Data in a request is passed over (RFC 9660 section 3.1).
                option::ZONEVERSION => wishes.asked.zone_version = true,
                option::KEY_TAG => wishes.asked.key_tags = true,
                option::COOKIE => wishes.cookie = wishes.cookie.or(Some(Cookie::read(data)?)),
                option::CLIENT_SUBNET => is_scoped |= wishes.note_subnet(data)?,
                _ => wishes.asked.other = true,
            }
        }
        // Not a fault of the form, so the FORMERR speaks no EDNS, unless there is one as well.
        if is_scoped { Err(WireError::BadField) } else { Ok(wishes) }
    }

    /// BIND: the form of all is looked at, the scope only of the one that counts. Whether that one has a scope, which
    /// is for replies.
    fn note_subnet(&mut self, data: &'a [u8]) -> Result<bool, WireError> {
        let (subnet, scope_bits) = ClientSubnet::read(data)?;
        let is_first = self.client_subnet.is_none();
        self.client_subnet = self.client_subnet.or(Some(subnet));
        Ok(is_first && scope_bits != 0)
    }
}

/// Whether an option may have so many bytes. BIND: those that mean nothing to an authoritative server have to be right
/// as well.
fn has_fitting_length(code: u16, bytes: usize) -> bool {
    match code {
        option::LLQ => bytes == 18,
        option::EXPIRE => bytes == 0 || bytes == 4,
        option::KEY_TAG => bytes != 0 && bytes.is_multiple_of(2),
        option::EXTENDED_ERROR => bytes >= 2,
        option::CLIENT_TAG | option::SERVER_TAG => bytes == 2,
        _ => true,
    }
}

impl<'a> Cookie<'a> {
    fn read(data: &'a [u8]) -> Result<Self, WireError> {
        let (client, server) = data.split_first_chunk().ok_or(WireError::BadOption)?;
        match server.len() {
            0 => Ok(Self { client: *client, server: None }),
            8..=MAX_SERVER_COOKIE => Ok(Self { client: *client, server: Some(server) }),
            _ => Err(WireError::BadOption),
        }
    }
}

impl<'a> ClientSubnet<'a> {
    /// Reads it, and how many bits of the scope there are.
    fn read(data: &'a [u8]) -> Result<(Self, u8), WireError> {
        let mut reader = Reader::new(data);
        let fixed = reader.u16().and_then(|family| Ok((family, reader.u8()?, reader.u8()?)));
        let (family, source_bits, scope_bits) = fixed.map_err(|_| WireError::BadOption)?;
        let address = reader.rest();
        let max_bits = match family {
            0 => 0,
            1 => 32,
            2 => 128,
            _ => return Err(WireError::BadOption),
        };
        let subnet = Self { family, source_bits, address };
        if source_bits > max_bits || scope_bits > max_bits || !subnet.address_fits() {
            return Err(WireError::BadOption);
        }
        Ok((subnet, scope_bits))
    }

    /// Whether the address has just the bytes that its bits need, with zeros behind the last bit (RFC 7871 section 6).
    fn address_fits(&self) -> bool {
        let unused = (8_u8.wrapping_sub(self.source_bits)) & 7;
        let tail = self.address.last().map_or(0, |last| last & !(0xff_u8 << unused));
        self.address.len() == usize::from(self.source_bits).div_ceil(8) && tail == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn wishes(options: &[u8]) -> Result<Wishes<'_>, WireError> {
        Edns::from_parts(1232, 0x8000, options).and_then(|edns| Wishes::read(&edns))
    }

    #[test]
    fn the_fixed_fields_are_read() {
        let edns = Edns::from_parts(400, 0x0101_8000, b"").unwrap();
        assert_eq!((edns.rcode_high, edns.version, edns.dnssec_ok), (1, 1, true));
        assert_eq!(edns.response_size(), 512);
    }

    #[test]
    fn options_must_be_whole() {
        assert_eq!(Edns::from_parts(512, 0, b"\x00\x03\x00\x01"), Err(WireError::Truncated));
        assert_eq!(Edns::from_parts(512, 0, b"\x00\x03\x00"), Err(WireError::Truncated));
        let edns = Edns::from_parts(512, 0, b"\x00\x03\x00\x00\xff\xff\x00\x01x").unwrap();
        assert_eq!(edns.options().collect::<Vec<_>>(), [(3, &b""[..]), (65535, &b"x"[..])]);
    }

    #[test]
    fn wishes_are_read() {
        let found = wishes(b"\x00\x03\x00\x00\x00\x09\x00\x00\x00\x0b\x00\x00\x00\x0c\x00\x02\x00\x00").unwrap();
        assert!(found.asked.nsid && found.asked.expire && found.asked.tcp_keepalive && found.asked.padding);
        assert_eq!((found.cookie, found.client_subnet), (None, None));
    }

    #[test]
    fn key_tags_are_whole() {
        let tags = |options: &[u8]| wishes(options).map(|wishes| wishes.asked.key_tags);
        assert_eq!(tags(b"\x00\x0e\x00\x02\x4f\x66"), Ok(true));
        assert_eq!(tags(b"\x00\x0e\x00\x02\x4f\x66\x00\x0e\x00\x01\x4f"), Err(WireError::BadOption));
        assert_eq!(tags(b"\x00\x0e\x00\x01\x4f"), Err(WireError::BadOption));
        assert_eq!(tags(b"\x00\x0e\x00\x00"), Err(WireError::BadOption));
    }

    #[test]
    fn options_of_a_known_form_have_their_length() {
        let is_taken =
            |code: u8, length: u8| wishes(&[&[0, code, 0, length][..], &vec![0; length.into()]].concat()).is_ok();
        for (code, lengths) in [(1, &[18][..]), (9, &[0, 4]), (16, &[2]), (17, &[2])] {
            assert!((0..=20).all(|length| is_taken(code, length) == lengths.contains(&length)), "option {code}");
        }
        assert!(!is_taken(15, 1) && is_taken(15, 2) && is_taken(15, 9));
        assert!((0..=18).all(|length| is_taken(2, length) && is_taken(12, length)));
    }

    #[test]
    fn cookies_are_split_and_short_ones_refused() {
        let cookie = |length: usize| {
            let data = vec![7; length];
            Cookie::read(&data).map(|cookie| cookie.server.map(<[u8]>::len))
        };
        assert_eq!((cookie(7), cookie(8), cookie(9)), (Err(WireError::BadOption), Ok(None), Err(WireError::BadOption)));
        assert_eq!((cookie(16), cookie(40), cookie(41)), (Ok(Some(8)), Ok(Some(32)), Err(WireError::BadOption)));
    }

    #[test]
    fn only_the_client_subnet_that_counts_must_have_no_scope() {
        let (scoped, bare) = (b"\x00\x08\x00\x04\x00\x01\x00\x07", b"\x00\x08\x00\x04\x00\x01\x00\x00");
        assert_eq!(wishes(scoped).map(|_| ()), Err(WireError::BadField));
        assert_eq!(wishes(&[&bare[..], scoped].concat()).map(|found| found.client_subnet.is_some()), Ok(true));
        let broken = b"\x00\x08\x00\x04\x00\x01\x21\x00";
        assert_eq!(wishes(&[&scoped[..], broken].concat()).map(|_| ()), Err(WireError::BadOption));
        assert_eq!(wishes(&[&bare[..], broken].concat()).map(|_| ()), Err(WireError::BadOption));
    }

    #[test]
    fn client_subnets_obey_their_rules() {
        let subnet = |data: &[u8]| ClientSubnet::read(data).is_ok();
        assert!(subnet(b"\x00\x01\x18\x00\x0a\x01\x02"));
        assert!(subnet(b"\x00\x01\x17\x00\x0a\x01\x02"));
        assert!(subnet(b"\x00\x00\x00\x00"));
        assert!(!subnet(b"\x00\x01\x17\x00\x0a\x01\x03"), "a bit behind the prefix");
        assert!(!subnet(b"\x00\x01\x21\x00\x0a\x01\x02\x03\x04"), "33 bits of IPv4");
        assert!(!subnet(b"\x00\x01\x18\x00\x0a\x01"), "too few bytes");
        assert!(!subnet(b"\x00\x03\x00\x00") && !subnet(b"\x00\x01\x18"));
    }
}
