//! The OPT record of a reply (RFC 6891): what the request's options are answered with.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::cookie::COOKIE_LENGTH;
use crate::dns::edns::{ClientSubnet, VERSION, extended_error, option};
use crate::dns::message::Section;
use crate::dns::writer::{Case, Compression, Full, Writer};
use crate::dns::{Class, Rcode, Rtype};

/// The DO bit among the flags (RFC 3225).
const DO: u32 = 0x8000;
/// Room for all options of a reply but padding: NSID and EDE take at most a text each.
const MAX_OPTIONS: usize = 512;
/// The largest block that a message is padded to a multiple of (BIND).
pub(super) const MAX_PADDING_BLOCK: usize = 512;
/// The owner, type, class, TTL and length of the record.
const FIXED_LENGTH: usize = 11;
/// The number and length of an option.
const OPTION_HEADER: usize = 4;
/// The longest text within an option.
const MAX_TEXT: usize = 128;

/// An extended error (RFC 8914): its code and text.
pub(super) type ExtendedError = (u16, &'static str);
/// The client is not allowed to ask this.
pub(super) const PROHIBITED: ExtendedError = (extended_error::PROHIBITED, "");
/// No zone of ours holds the name.
pub(super) const NOT_AUTHORITATIVE: ExtendedError = (extended_error::NOT_AUTHORITATIVE, "");
/// The zone is not loaded, or not transferred yet.
pub(super) const NOT_READY: ExtendedError = (extended_error::NOT_READY, "");
/// The zone has expired.
pub(super) const EXPIRED: ExtendedError = (extended_error::INVALID_DATA, "expired");
/// A chain of CNAME and DNAME ends nowhere.
pub(super) const MAX_RESTARTS_REACHED: ExtendedError = (extended_error::OTHER, "max. restarts reached");

/// The OPT record of a reply.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Opt<'a> {
    pub(super) udp_size: u16,
    pub(super) dnssec_ok: bool,
    pub(super) nsid: Option<&'a [u8]>,
    pub(super) cookie: Option<[u8; COOKIE_LENGTH]>,
    pub(super) expire_s: Option<u32>,
    /// Echoed with scope 0: the answer is the same for everybody.
    pub(super) subnet: Option<ClientSubnet<'a>>,
    pub(super) keepalive_100ms: Option<u16>,
    pub(super) error: Option<ExtendedError>,
    /// The version of the zone that the answer is from.
    pub(super) zone_version: Option<ZoneSerial>,
    /// The message is padded to a multiple of so many bytes.
    pub(super) padding_block: Option<u16>,
}

/// What ZONEVERSION tells (RFC 9660): which zone it is, by the number of its labels, and the serial.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct ZoneSerial {
    pub(super) labels: u8,
    pub(super) serial: u32,
}

impl Opt<'_> {
    /// Appends the record. Behind it comes a signature of so many bytes.
    pub(super) fn write(&self, writer: &mut Writer<'_>, rcode: Rcode, signature: usize) -> Result<(), Full> {
        if self.is_plain() {
            return self.record(writer, rcode, &[]);
        }
        let mut bytes = [0; MAX_OPTIONS];
        let mut options = Options { bytes: &mut bytes, length: 0 };
        self.options(&mut options);
        match self.padding_block {
            Some(block) => {
                let mut wide = [0; MAX_OPTIONS + OPTION_HEADER + MAX_PADDING_BLOCK];
                let mut options = Options { bytes: &mut wide, length: 0 };
                self.options(&mut options);
                let padding = padding(writer, options.length, signature, block.into());
                options.push(option::PADDING, &[ZEROS.get(..padding).unwrap_or_default()]);
                self.record(writer, rcode, options.written())
            }
            None => self.record(writer, rcode, options.written()),
        }
    }

    /// The record alone, as it stands in messages that are made elsewhere.
    pub(super) fn to_bytes(self) -> Box<[u8]> {
        let (mut bytes, mut names) = ([0; MAX_OPTIONS], Compression::default());
        let mut writer = Writer::new(&mut bytes, MAX_OPTIONS, &mut names, Case::Kept);
        let start = writer.len();
        // Without options it has room in any case.
        let plain = Self { udp_size: self.udp_size, dnssec_ok: self.dnssec_ok, ..Self::default() };
        let _ = self.write(&mut writer, Rcode::NOERROR, 0).or_else(|_| plain.write(&mut writer, Rcode::NOERROR, 0));
        let end = writer.len();
        bytes.get(start..end).unwrap_or_default().into()
    }

    fn record(&self, writer: &mut Writer<'_>, rcode: Rcode, rdata: &[u8]) -> Result<(), Full> {
        let flags = if self.dnssec_ok { DO } else { 0 };
        let ttl = u32::from(rcode.high_bits()) << 24 | u32::from(VERSION) << 16 | flags;
        let fields = (Rtype::OPT, Class(self.udp_size), ttl);
        writer.record_of_root(Section::Additional, fields, rdata)
    }

    /// How long the record is without padding.
    pub(super) fn len(&self) -> usize {
        if self.is_plain() {
            return FIXED_LENGTH;
        }
        let mut bytes = [0; MAX_OPTIONS];
        let mut options = Options { bytes: &mut bytes, length: 0 };
        self.options(&mut options);
        let padding = if self.padding_block.is_some() { OPTION_HEADER } else { 0 };
        options.length.saturating_add(FIXED_LENGTH).saturating_add(padding)
    }

    /// Whether there is no option, as in most replies.
    fn is_plain(&self) -> bool {
        let Self { nsid, cookie, expire_s, subnet, keepalive_100ms, error, zone_version, padding_block, .. } = self;
        let has_small =
            expire_s.is_some() | keepalive_100ms.is_some() | zone_version.is_some() | padding_block.is_some();
        !(nsid.is_some() | cookie.is_some() | subnet.is_some() | error.is_some() | has_small)
    }

    fn options(&self, options: &mut Options<'_>) {
        if let Some(text) = self.nsid {
            options.push(option::NSID, &[text.get(..MAX_TEXT.min(text.len())).unwrap_or_default()]);
        }
        if let Some(cookie) = &self.cookie {
            options.push(option::COOKIE, &[cookie]);
        }
        if let Some(seconds) = self.expire_s {
            options.push(option::EXPIRE, &[&seconds.to_be_bytes()]);
        }
        if let Some(subnet) = self.subnet {
            let [a, b] = subnet.family.to_be_bytes();
            options.push(option::CLIENT_SUBNET, &[&[a, b, subnet.source_bits, 0], subnet.address]);
        }
        if let Some(timeout) = self.keepalive_100ms {
            options.push(option::TCP_KEEPALIVE, &[&timeout.to_be_bytes()]);
        }
        if let Some((code, text)) = self.error {
            options.push(option::EXTENDED_ERROR, &[&code.to_be_bytes(), text.as_bytes()]);
        }
        if let Some(version) = self.zone_version {
            options.push(option::ZONEVERSION, &[&[version.labels, SOA_SERIAL], &version.serial.to_be_bytes()]);
        }
    }
}

/// How many bytes of padding make the message a multiple of `block`, as far as there is room (BIND: the signature is
/// counted with its room).
fn padding(writer: &Writer<'_>, options: usize, signature: usize, block: usize) -> usize {
    let record = options.saturating_add(FIXED_LENGTH).saturating_add(OPTION_HEADER);
    let used = writer.len().saturating_add(record).saturating_add(signature);
    let missing = match used.checked_rem(block) {
        None | Some(0) => 0,
        Some(over) => block.saturating_sub(over),
    };
    missing.min(writer.room().saturating_sub(record.saturating_add(signature)))
}

const ZEROS: [u8; MAX_PADDING_BLOCK] = [0; MAX_PADDING_BLOCK];
/// The one type of version there is (RFC 9660 section 7.2).
const SOA_SERIAL: u8 = 0;

/// Options under construction.
struct Options<'b> {
    bytes: &'b mut [u8],
    length: usize,
}

impl Options<'_> {
    fn written(&self) -> &[u8] {
        self.bytes.get(..self.length).unwrap_or_default()
    }

    /// Appends an option, or nothing if there is no room.
    fn push(&mut self, code: u16, parts: &[&[u8]]) {
        let length: usize = parts.iter().map(|part| part.len()).sum();
        let Ok(length) = u16::try_from(length) else { return };
        let header = [code.to_be_bytes(), length.to_be_bytes()];
        let all = [header.as_flattened()].into_iter().chain(parts.iter().copied());
        let mut end = self.length;
        for part in all {
            let start = end;
            end = end.saturating_add(part.len());
            let Some(place) = self.bytes.get_mut(start..end) else { return };
            place.copy_from_slice(part);
        }
        self.length = end;
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Header, Message};

    #[test]
    fn the_length_is_known_beforehand() {
        let subnet = ClientSubnet { family: 1, source_bits: 24, address: &[192, 0, 2] };
        let opt = Opt {
            udp_size: 1232,
            dnssec_ok: true,
            nsid: Some(b"ns1"),
            cookie: Some([7; COOKIE_LENGTH]),
            expire_s: Some(604_800),
            subnet: Some(subnet),
            keepalive_100ms: Some(300),
            error: Some(PROHIBITED),
            zone_version: Some(ZoneSerial { labels: 2, serial: 7 }),
            padding_block: None,
        };
        let (mut buffer, mut names) = ([0; 512], Compression::default());
        let mut writer = Writer::new(&mut buffer, 512, &mut names, Case::Kept);
        opt.write(&mut writer, Rcode::BADVERS, 0).unwrap();
        assert_eq!(writer.len(), 12 + opt.len());
        let length = writer.finish(Header { id: 0, flags: 0, counts: [0; 4] });
        let message = Message::new(&buffer[..length]).unwrap();
        let record = message.records().next().unwrap().unwrap();
        assert_eq!((record.rtype, record.class, record.ttl), (Rtype::OPT, Class(1232), 0x0100_8000));
        let read = crate::dns::edns::Edns::read(&record, message.rdata(&record)).unwrap();
        let codes: Vec<u16> = read.options().map(|(code, _)| code).collect();
        assert_eq!(codes, [3, 10, 9, 8, 11, 15, 19]);
    }

    #[test]
    fn padding_fills_the_last_block_as_far_as_there_is_room() {
        let length = |block, signature, limit| {
            let opt = Opt { padding_block: Some(block), nsid: Some(b"ns1"), ..Opt::default() };
            let (mut buffer, mut names) = ([0; 2048], Compression::default());
            let mut writer = Writer::new(&mut buffer, limit, &mut names, Case::Kept);
            opt.write(&mut writer, Rcode::NOERROR, signature).unwrap();
            writer.len()
        };
        let plain = 12 + Opt { nsid: Some(b"ns1"), ..Opt::default() }.len() + OPTION_HEADER;
        assert_eq!((length(0, 0, 512), length(1, 0, 512), length(plain as u16, 0, 512)), (plain, plain, plain));
        assert_eq!((length(128, 0, 512), length(468, 0, 2048), length(512, 0, 2048)), (128, 468, 512));
        assert_eq!((length(128, 50, 512), length(512, 0, 100)), (128 - 50, 100));
        assert_eq!(length(512, 40, 100), 60, "the signature has its room");
    }
}
