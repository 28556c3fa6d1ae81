//! Whether wire data is what its type calls for, and decompression of what comes out of messages.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{Fault, Field, Form};
use crate::dns::Rtype;
use crate::dns::name::NameRef;
use crate::dns::wire::{Reader, WireError};

/// Checks all fields of uncompressed data.
pub(super) fn rdata(fields: &[Field], bytes: &[u8]) -> Result<(), WireError> {
    let mut reader = Reader::new(bytes);
    for &each in fields {
        let before = bytes.get(..reader.position()).unwrap_or_default();
        field(each, before, &mut reader)?;
    }
    if reader.is_at_end() { Ok(()) } else { Err(WireError::ExtraData) }
}

/// Checks data in the generic text form; of what is wrong it says what BIND says.
pub(super) fn generic(form: Form, bytes: &[u8]) -> Result<(), Fault> {
    const A6: Rtype = Rtype(38);
    const IPSECKEY: Rtype = Rtype(45);
    const RKEY: Rtype = Rtype(57);
    let rtype = form.rtype;
    let checked = rdata(form.fields, bytes).and_then(|()| private_key(rtype, bytes));
    checked.map_err(|fault| match (rtype, fault) {
        (_, WireError::BadPointer) => Fault::Disallowed,
        (Rtype::NXT, WireError::BadField) => Fault::BadBitmap,
        (A6, WireError::BadField) => Fault::OutOfRange,
        (IPSECKEY, WireError::BadField) => Fault::NotImplemented,
        (RKEY, WireError::BadField) if bytes.len() < KEY_HEAD_BYTES => WireError::Truncated.into(),
        (_, WireError::Truncated | WireError::ExtraData) if is_whole(rtype, bytes) => WireError::BadField.into(),
        (_, other) => other.into(),
    })
}

/// Whether BIND looks at the length of such data as a whole.
fn is_whole(rtype: Rtype, bytes: &[u8]) -> bool {
    const HOST: u8 = 3;
    match rtype.0 {
        SSHFP => bytes.len() >= 2,
        AMTRELAY => bytes.get(1).is_some_and(|form| form & 0x7f != HOST),
        RRSIG => bytes.get(SIGNER_PLACE..).is_some_and(|signer| NameRef::from_wire(signer).is_ok()),
        _ => WHOLE.contains(&rtype.0),
    }
}

/// Checks all fields of data within a message and appends them to `out`. Pointers are followed where the type is old
/// enough for senders to use them (RFC 3597 section 4).
pub(super) fn decompress(fields: &[Field], reader: &mut Reader<'_>, out: &mut Vec<u8>) -> Result<(), WireError> {
    let start = out.len();
    for &each in fields {
        if let Field::Name(usage) = each
            && usage.fold
        {
            out.extend_from_slice(reader.name()?.as_ref().as_bytes());
            continue;
        }
        let mut ahead = *reader;
        field(each, out.get(start..).unwrap_or_default(), &mut ahead)?;
        out.extend_from_slice(reader.take(ahead.position().saturating_sub(reader.position()))?);
    }
    if reader.is_at_end() { Ok(()) } else { Err(WireError::ExtraData) }
}

/// Checks one field and moves behind it; `before` is the record's data in front of it.
fn field(field: Field, before: &[u8], reader: &mut Reader<'_>) -> Result<(), WireError> {
    match field {
        Field::Name(_) => name(reader),
        Field::U8
        | Field::Algorithm
        | Field::CertAlgorithm
        | Field::Protocol
        | Field::DsyncScheme
        | Field::DigestType
        | Field::HashAlgorithm => skip(reader, 1),
        Field::U16
        | Field::Type
        | Field::Covered
        | Field::SigCovered
        | Field::CertType
        | Field::KeyFlags
        | Field::KeyTag
        | Field::Octal
        | Field::TsigError => skip(reader, 2),
        Field::SizedBase64 => reader.long_bytes().map(|_| ()),
        Field::NoFlags => match reader.u16()? {
            0 => Ok(()),
            _ => Err(WireError::BadField),
        },
        Field::U32 | Field::Ttl | Field::Time | Field::Date | Field::Ip4 => skip(reader, 4),
        Field::Eui48 => skip(reader, 6),
        Field::Eui64 | Field::Locator => skip(reader, 8),
        Field::Ip6 => skip(reader, 16),
        Field::String | Field::Salt => reader.short_bytes().map(|_| ()),
        Field::OptionalString if reader.is_at_end() => Ok(()),
        Field::OptionalString => reader.short_bytes().map(|_| ()),
        Field::Regexp => string_where(reader, super::regexp::is_valid),
        Field::Strings => strings(reader),
        Field::Tag if reader.is_at_end() => Err(WireError::Truncated),
        Field::Tag => string_where(reader, |text| !text.is_empty() && text.iter().all(u8::is_ascii_alphanumeric))
            .map_err(|_| WireError::BadField),
        Field::Psdn => string_where(reader, is_psdn),
        Field::Hash => string_where(reader, |hash| !hash.is_empty()),
        Field::Hex | Field::Base64 | Field::Nsap => rest_of(reader, 1, usize::MAX),
        Field::DsDigest => digest(reader, before, ds_digest_length, 1),
        Field::ZoneDigest => digest(reader, before, zone_digest_length, MIN_ZONE_DIGEST),
        Field::SshDigest => digest(reader, before, ssh_digest_length, 0),
        Field::Key if has_no_key(before) => Ok(()),
        Field::Key => rest_of(reader, 1, usize::MAX),
        Field::Text | Field::QuotedText | Field::OptionalBase64 | Field::DoaData | Field::Any | Field::Bytes => {
            rest_of(reader, 0, usize::MAX)
        }
        odd => super::odd::check(odd, reader),
    }
}

fn skip(reader: &mut Reader<'_>, count: usize) -> Result<(), WireError> {
    reader.take(count).map(|_| ())
}

/// An uncompressed name.
pub(super) fn name(reader: &mut Reader<'_>) -> Result<(), WireError> {
    let mut ahead = *reader;
    let bytes = ahead.rest();
    let name = NameRef::from_prefix(bytes).map_err(|_| name_fault(bytes))?;
    skip(reader, name.len())
}

/// What is wrong with a name that is none.
#[cold]
fn name_fault(bytes: &[u8]) -> WireError {
    let mut rest = bytes;
    loop {
        match rest.split_first() {
            None => return WireError::Truncated,
            Some((length @ 1..64, labels)) => match labels.get(usize::from(*length)..) {
                None => return WireError::Truncated,
                Some(behind) => rest = behind,
            },
            Some((0, _)) => return WireError::NameTooLong,
            Some((0xc0.., _)) => return WireError::BadPointer,
            Some(_) => return WireError::BadLabel,
        }
    }
}

fn strings(reader: &mut Reader<'_>) -> Result<(), WireError> {
    reader.short_bytes()?;
    while !reader.is_at_end() {
        reader.short_bytes()?;
    }
    Ok(())
}

fn string_where(reader: &mut Reader<'_>, valid: impl Fn(&[u8]) -> bool) -> Result<(), WireError> {
    if valid(reader.short_bytes()?) { Ok(()) } else { Err(WireError::BadField) }
}

/// All that is left, if it is at least `min` and at most `max` bytes.
fn rest_of(reader: &mut Reader<'_>, min: usize, max: usize) -> Result<(), WireError> {
    match reader.rest().len() {
        length if length < min => Err(WireError::Truncated),
        length if length > max => Err(WireError::ExtraData),
        _ => Ok(()),
    }
}

/// A digest whose length follows from the number before it.
fn digest(
    reader: &mut Reader<'_>,
    before: &[u8],
    length: fn(u8) -> Option<usize>,
    min: usize,
) -> Result<(), WireError> {
    match before.last().copied().and_then(length) {
        Some(length) => rest_of(reader, length, length),
        None => rest_of(reader, min, usize::MAX),
    }
}

const SSHFP: u16 = 44;
const RRSIG: u16 = 46;
const AMTRELAY: u16 = 260;
/// X25, NSEC3, NSEC3PARAM, NID, L32, L64, EUI48, EUI64.
const WHOLE: [u16; 8] = [19, 50, 51, 104, 105, 106, 108, 109];
/// Flags, protocol and algorithm of keys.
pub(super) const KEY_HEAD_BYTES: usize = 4;
/// Where the signer stands in signatures.
const SIGNER_PLACE: usize = 18;

/// The digest of a DS (registry of RFC 3658): SHA-1, SHA-256, GOST, SHA-384.
pub(super) fn ds_digest_length(digest_type: u8) -> Option<usize> {
    match digest_type {
        1 => Some(20),
        2 => Some(32),
        4 => Some(48),
        _ => None,
    }
}

/// The digest of a zone (RFC 8976 section 2.2.3): SHA-384, SHA-512.
pub(super) fn zone_digest_length(algorithm: u8) -> Option<usize> {
    match algorithm {
        1 => Some(48),
        2 => Some(64),
        _ => None,
    }
}

/// The shortest digest of a zone in bytes (RFC 8976 section 2.2.4).
pub(super) const MIN_ZONE_DIGEST: usize = 12;

/// The fingerprint of a host key (RFC 4255, RFC 6594): SHA-1, SHA-256.
pub(super) fn ssh_digest_length(fingerprint_type: u8) -> Option<usize> {
    match fingerprint_type {
        1 => Some(20),
        2 => Some(32),
        _ => None,
    }
}

/// Whether the flags at the start of a KEY say that there is no key (RFC 2535 section 3.1.2).
pub(super) fn has_no_key(before: &[u8]) -> bool {
    before.first().is_some_and(|flags| flags & 0xc0 == 0xc0)
}

/// Keys of the private algorithm start with the name of whose it is (RFC 4034 appendix A.1.1). BIND does not look when
/// the key is in base64.
fn private_key(rtype: Rtype, bytes: &[u8]) -> Result<(), WireError> {
    const PRIVATE_DNS: u8 = 253;
    const KEYS: [u16; 4] = [25, 48, 57, 60];
    match bytes {
        [_, _, _, PRIVATE_DNS, key @ ..] if KEYS.contains(&rtype.0) => name(&mut Reader::new(key)),
        _ => Ok(()),
    }
}

/// Whether this is a template with the variable `dns` (RFC 9461 section 5, RFC 6570 section 2).
pub(super) fn is_template(path: &[u8]) -> bool {
    let mut rest = std::str::from_utf8(path).unwrap_or_default();
    let (is_absolute, mut has_dns) = (rest.starts_with('/'), false);
    while let Some((literal, behind)) = rest.split_once('{') {
        let Some((expression, behind)) = behind.split_once('}').filter(|_| !literal.contains('}')) else {
            return false;
        };
        let variables = expression.trim_start_matches(|c| "+#./;?&".contains(c));
        has_dns |= variables.split(',').any(|variable| variable.split([':', '*']).next() == Some("dns"));
        rest = behind;
    }
    is_absolute && has_dns && !rest.contains('}')
}

/// The shortest address of X.25.
pub(super) const MIN_PSDN: usize = 4;

/// An address of X.25: four digits or more (RFC 1183 section 3.1).
pub(super) fn is_psdn(text: &[u8]) -> bool {
    text.len() >= MIN_PSDN && text.iter().all(u8::is_ascii_digit)
}
