//! Wire to text, field by field, as named writes zone files.

use std::fmt::{Display, Write};
use std::net::{Ipv4Addr, Ipv6Addr};

use data_encoding::{BASE32HEX_NOPAD, BASE64, HEXUPPER};

use super::{Field, Form, kind, mnemonic, time};
use crate::dns::name::write_label;
use crate::dns::wire::{Reader, WireError};
use crate::dns::{NameRef, Rtype};

/// Characters in a row before a blank, in base64 and hexadecimal.
const ROW: usize = 56;
const BASE64_ROW_BYTES: usize = ROW / 4 * 3;
const HEX_ROW_BYTES: usize = ROW / 2;

/// Prints the data of one record; data that does not fit its type comes out in the generic form.
pub(super) fn rdata(form: Form, bytes: &[u8], origin: Option<NameRef<'_>>, out: &mut String) {
    let start = out.len();
    let mut printer = Printer { out, start, origin };
    let mut reader = Reader::new(bytes);
    let printed = form.fields.iter().try_for_each(|&each| field(each, &mut reader, &mut printer));
    if printed.is_err() || !reader.is_at_end() {
        printer.out.truncate(start);
        printer.generic(bytes);
    }
}

/// Where the text goes.
pub(super) struct Printer<'p, 'o> {
    out: &'p mut String,
    start: usize,
    origin: Option<NameRef<'o>>,
}

impl Printer<'_, '_> {
    /// Starts a field: a blank, but not in front of the first.
    fn begin(&mut self) {
        if self.out.len() > self.start {
            self.out.push(' ');
        }
    }

    /// A field that prints by itself.
    pub(super) fn word(&mut self, value: impl Display) {
        self.begin();
        // Writing to a string cannot fail.
        let _ = write!(self.out, "{value}");
    }

    /// A domain name, relative to the origin if there is one above it. BIND: the origin itself is written out.
    pub(super) fn name(&mut self, name: NameRef<'_>) {
        // In its own case: what is left out must come back as it was.
        let is_above = |origin: &NameRef<'_>| {
            name.len() > origin.len() && name.is_at_or_below(*origin) && name.as_bytes().ends_with(origin.as_bytes())
        };
        match self.origin.filter(|origin| is_above(origin) && !origin.is_root()) {
            None => self.word(name),
            Some(origin) => {
                self.begin();
                relative(name, origin, self.out);
            }
        }
    }

    /// A character string in quotes.
    pub(super) fn string(&mut self, bytes: &[u8]) {
        self.begin();
        self.out.push('"');
        quoted(bytes, self.out);
        self.out.push('"');
    }

    /// Base64 in rows.
    pub(super) fn base64(&mut self, bytes: &[u8]) {
        for row in bytes.chunks(BASE64_ROW_BYTES) {
            self.base64_unbroken(row);
        }
    }

    /// Base64 without a blank in it.
    pub(super) fn base64_unbroken(&mut self, bytes: &[u8]) {
        self.begin();
        BASE64.encode_append(bytes, self.out);
    }

    /// Hexadecimal in rows.
    pub(super) fn hex(&mut self, bytes: &[u8]) {
        for row in bytes.chunks(HEX_ROW_BYTES) {
            self.hex_unbroken(row);
        }
    }

    /// Hexadecimal without a blank in it.
    pub(super) fn hex_unbroken(&mut self, bytes: &[u8]) {
        self.begin();
        HEXUPPER.encode_append(bytes, self.out);
    }

    /// The form for any type (RFC 3597 section 5).
    fn generic(&mut self, bytes: &[u8]) {
        self.word(format_args!("\\# {}", bytes.len()));
        self.hex(bytes);
    }
}

/// The labels in front of `origin`, which the name lies below.
fn relative(name: NameRef<'_>, origin: NameRef<'_>, out: &mut String) {
    let count = name.label_count().saturating_sub(origin.label_count());
    for (place, label) in name.labels().take(count).enumerate() {
        if place > 0 {
            out.push('.');
        }
        // Writing to a string cannot fail.
        let _ = write_label(out, label);
    }
}

/// What stands between the quotes.
pub(super) fn quoted(bytes: &[u8], out: &mut String) {
    for &byte in bytes {
        match byte {
            b'"' | b'\\' => out.extend(['\\', char::from(byte)]),
            b' '..=b'~' => out.push(char::from(byte)),
            // Writing to a string cannot fail.
            _ => _ = write!(out, "\\{byte:03}"),
        }
    }
}

/// Prints one field and moves behind it.
fn field(field: Field, reader: &mut Reader<'_>, to: &mut Printer<'_, '_>) -> Result<(), WireError> {
    match field {
        Field::Name(usage) if usage.absolute => to.word(name(reader)?),
        Field::Name(_) => to.name(name(reader)?),
        Field::Ip4 => to.word(ip4(reader)?),
        Field::Ip6 => to.word(ip6(reader)?),
        Field::U8 | Field::Algorithm | Field::Protocol | Field::DigestType | Field::HashAlgorithm => {
            to.word(reader.u8()?)
        }
        Field::Octal => to.word(format_args!("{:o}", reader.u16()?)),
        Field::TsigError => to.word(reader.u16()?),
        Field::SizedBase64 => to.base64(reader.long_bytes()?),
        Field::U16 | Field::KeyFlags | Field::NoFlags | Field::KeyTag => to.word(reader.u16()?),
        Field::U32 | Field::Ttl => to.word(reader.u32()?),
        Field::Time | Field::Date => to.word(time::to_text(reader.u32()?)),
        Field::Type | Field::Covered => to.word(Rtype(reader.u16()?)),
        Field::SigCovered => match Rtype(reader.u16()?) {
            rtype if kind(rtype).is_some() => to.word(rtype),
            unknown => to.word(unknown.0),
        },
        Field::DsyncScheme => word(to, mnemonic::DSYNC_SCHEMES, u16::from(reader.u8()?)),
        Field::CertAlgorithm => word(to, mnemonic::ALGORITHMS, u16::from(reader.u8()?)),
        Field::CertType => word(to, mnemonic::CERT_TYPES, reader.u16()?),
        Field::String | Field::Regexp | Field::Psdn => to.string(reader.short_bytes()?),
        Field::OptionalString | Field::Strings => strings(reader, to)?,
        Field::Text | Field::QuotedText => to.string(reader.rest()),
        Field::Tag => to.word(reader.short_bytes()?.escape_ascii()),
        Field::Hex | Field::DsDigest | Field::ZoneDigest | Field::SshDigest => to.hex(reader.rest()),
        Field::Base64 | Field::Key => to.base64(reader.rest()),
        Field::OptionalBase64 => to.base64(reader.rest()),
        Field::DoaData if reader.is_at_end() => to.word('-'),
        Field::DoaData => to.base64_unbroken(reader.rest()),
        Field::Salt => salt(reader.short_bytes()?, to),
        Field::Hash => to.word(BASE32HEX_NOPAD.encode(reader.short_bytes()?)),
        Field::Eui48 => eui(reader.take(6)?, to),
        Field::Eui64 => eui(reader.take(8)?, to),
        Field::Locator => locator(reader, to)?,
        Field::Any | Field::Bytes => to.generic(reader.rest()),
        odd => super::odd::print(odd, reader, to)?,
    }
    Ok(())
}

/// A name within uncompressed data.
pub(super) fn name<'a>(reader: &mut Reader<'a>) -> Result<NameRef<'a>, WireError> {
    let mut ahead = *reader;
    let name = NameRef::from_prefix(ahead.rest())?;
    reader.take(name.len())?;
    Ok(name)
}

/// An IPv4 address.
pub(super) fn ip4(reader: &mut Reader<'_>) -> Result<Ipv4Addr, WireError> {
    reader.u32().map(Ipv4Addr::from_bits)
}

/// An IPv6 address as text. BIND: the last 32 bits of what looks like an embedded IPv4 address come as a dotted quad,
/// also behind `::` alone.
pub(super) fn ip6(reader: &mut Reader<'_>) -> Result<String, WireError> {
    let address = Ipv6Addr::from(<[u8; 16]>::try_from(reader.take(16)?).unwrap_or_default());
    Ok(match address.segments() {
        [0, 0, 0, 0, 0, 0, high, low] if high != 0 => {
            format!("::{}", Ipv4Addr::from_bits(u32::from(high) << 16 | u32::from(low)))
        }
        _ => address.to_string(),
    })
}

fn word(to: &mut Printer<'_, '_>, words: &mnemonic::Words, value: u16) {
    match mnemonic::word(words, value) {
        Some(word) => to.word(word),
        None => to.word(value),
    }
}

fn strings(reader: &mut Reader<'_>, to: &mut Printer<'_, '_>) -> Result<(), WireError> {
    while !reader.is_at_end() {
        to.string(reader.short_bytes()?);
    }
    Ok(())
}

fn salt(salt: &[u8], to: &mut Printer<'_, '_>) {
    if salt.is_empty() { to.word('-') } else { to.hex_unbroken(salt) }
}

fn eui(bytes: &[u8], to: &mut Printer<'_, '_>) {
    let pairs: Vec<String> = bytes.iter().map(|byte| format!("{byte:02x}")).collect();
    to.word(pairs.join("-"));
}

fn locator(reader: &mut Reader<'_>, to: &mut Printer<'_, '_>) -> Result<(), WireError> {
    let (a, b, c, d) = (reader.u16()?, reader.u16()?, reader.u16()?, reader.u16()?);
    to.word(format_args!("{a:x}:{b:x}:{c:x}:{d:x}"));
    Ok(())
}
