//! The OPT record of a reply (RFC 6891): what the request's options are answered with.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::cookie::COOKIE_LENGTH;
use crate::dns::edns::{ClientSubnet, VERSION, extended_error, option};
use crate::dns::message::Section;
use crate::dns::writer::{Full, Owner, Writer};
use crate::dns::{Class, NameRef, Rcode, Rtype};

/// The DO bit among the flags (RFC 3225).
const DO: u32 = 0x8000;
/// Room for all options of a reply: NSID and EDE take at most a text each.
const MAX_OPTIONS: usize = 512;
/// The longest text within an option.
const MAX_TEXT: usize = 128;

/// An extended error (RFC 8914): its code and text.
pub(super) type ExtendedError = (u16, &'static str);
/// The client is not allowed to ask this.
pub(super) const PROHIBITED: ExtendedError = (extended_error::PROHIBITED, "");
/// A chain of CNAME and DNAME ends nowhere.
pub(super) const MAX_RESTARTS_REACHED: ExtendedError = (extended_error::OTHER, "max. restarts reached");

/// The OPT record of a reply.
#[derive(Debug, Clone, Copy, Default)]
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
}

impl Opt<'_> {
    /// Appends the record.
    pub(super) fn write(&self, writer: &mut Writer<'_>, rcode: Rcode) -> Result<(), Full> {
        let mut options = Options { bytes: [0; MAX_OPTIONS], length: 0 };
        self.options(&mut options);
        let flags = if self.dnssec_ok { DO } else { 0 };
        let ttl = u32::from(rcode.high_bits()) << 24 | u32::from(VERSION) << 16 | flags;
        let rdata = options.bytes.get(..options.length).unwrap_or_default();
        let fields = (Rtype::OPT, Class(self.udp_size), ttl);
        writer.record(Section::Additional, Owner::Name(NameRef::ROOT), fields, rdata).map(|_| ())
    }

    /// How long the record is.
    pub(super) fn len(&self) -> usize {
        let mut options = Options { bytes: [0; MAX_OPTIONS], length: 0 };
        self.options(&mut options);
        options.length.saturating_add(11)
    }

    fn options(&self, options: &mut Options) {
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
    }
}

/// Options under construction.
struct Options {
    bytes: [u8; MAX_OPTIONS],
    length: usize,
}

impl Options {
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
    use crate::dns::writer::{Case, Compression};
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
        };
        let (mut buffer, mut names) = ([0; 512], Compression::default());
        let mut writer = Writer::new(&mut buffer, 512, &mut names, Case::Kept);
        opt.write(&mut writer, Rcode::BADVERS).unwrap();
        assert_eq!(writer.len(), 12 + opt.len());
        let length = writer.finish(Header { id: 0, flags: 0, counts: [0; 4] });
        let message = Message::new(&buffer[..length]).unwrap();
        let record = message.records().next().unwrap().unwrap();
        assert_eq!((record.rtype, record.class, record.ttl), (Rtype::OPT, Class(1232), 0x0100_8000));
        let read = crate::dns::edns::Edns::read(&record, message.rdata(&record)).unwrap();
        let codes: Vec<u16> = read.options().map(|(code, _)| code).collect();
        assert_eq!(codes, [3, 10, 9, 8, 11, 15]);
    }
}
