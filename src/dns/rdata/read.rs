//! Text to wire, field by field. What the odd types need stands in modules of their own.

use std::net::Ipv6Addr;

use super::check::{ds_digest_length, ssh_digest_length, zone_digest_length};
use super::cursor::{Cursor, number};
use super::encoding::{Base64, Hex, base32hex};
use super::{Fault, Field, Form, NameRule, check, fields_in_text, mnemonic, time};
use crate::dns::name::unescape;
use crate::dns::text::{Token, Tokens};
use crate::dns::wire::WireError;
use crate::dns::{NameRef, Rtype, ttl};

/// Fields of one record, as they are read.
pub(super) type Source<'a, 't, 'o, T> = Cursor<'t, 'o, T, Token<'a>>;

/// Reads all fields of a type and makes sure that none is left over.
pub(super) fn rdata<'a, T: Tokens<'a>>(
    form: Form,
    source: &mut Source<'a, '_, '_, T>,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    match source.peek() {
        Some(Token { text: b"\\#", quoted: false }) => return generic(form, source, out),
        None if source.meets_quotes() => return Err(source.fault_at_start()),
        None if source.begins_broken() => return Err(Fault::LoneAtStart),
        _ => {}
    }
    if form.rtype == Rtype::OPT {
        source.optional();
        return Err(Fault::NotImplemented);
    }
    for &each in fields_in_text(form) {
        field(each, source, out)
            .inspect_err(|fault| source.pass_over_if(is_put_back_late(form.rtype, *fault, source.last())))?;
    }
    source.end()
}

/// Whether BIND reports such a fault at the field behind it.
fn is_put_back_late(rtype: Rtype, fault: Fault, last: Option<Token<'_>>) -> bool {
    match (rtype, fault) {
        (LP, Fault::Name(_)) => true,
        (ZONEMD, Fault::OutOfRange) => last.is_some_and(|token| number(token.text, u32::MAX).is_ok()),
        _ => false,
    }
}

/// The form that any type can be written in (RFC 3597 section 5). Data of a type that is known must be right for it.
fn generic<'a, T: Tokens<'a>>(form: Form, source: &mut Source<'a, '_, '_, T>, out: &mut Vec<u8>) -> Result<(), Fault> {
    source.token()?;
    let is_number = |token: Token<'_>| !token.quoted && number(token.text, u32::MAX).is_ok();
    if form.rtype == Rtype::TXT && !source.peek().is_some_and(is_number) {
        string(b"\\#", out)?;
        return more_strings(source, out);
    }
    let length = source.u16().inspect_err(|fault| source.pass_over_if(*fault == Fault::OutOfRange))?;
    if form.rtype.is_meta() || form.rtype == Rtype(0) {
        return Err(Fault::MetaType);
    }
    let is_longer = |fault| if fault == Fault::BadHex { Fault::TooLong } else { fault };
    let start = out.len();
    let read = exact_hex(source, usize::from(length), out);
    read.map_err(|fault| if out.len() > start + usize::from(length) { is_longer(fault) } else { fault })?;
    // BIND looks at what the data is before it looks for more text.
    let checked = check::generic(form, out.get(source.start()..).unwrap_or_default());
    checked.inspect_err(|_| source.pass_over())?;
    source.end()
}

/// Reads one field. The kinds that zones consist of come first.
fn field<'a, T: Tokens<'a>>(field: Field, source: &mut Source<'a, '_, '_, T>, out: &mut Vec<u8>) -> Result<(), Fault> {
    match field {
        Field::Name(usage) if usage.rule != NameRule::Any => ruled_name(usage.rule, source, out)?,
        Field::Name(_) => source.name(out)?,
        Field::Ip4 => out.extend(ip4(source.text()?)?),
        Field::Ip6 => out.extend(ip6(source.text()?)?),
        Field::U8 => out.push(source.u8()?),
        Field::U16 => out.extend(source.u16()?.to_be_bytes()),
        Field::U32 => out.extend(source.number(u32::MAX)?.to_be_bytes()),
        Field::Octal => out.extend(octal(source)?.to_be_bytes()),
        Field::TsigError => out.extend(tsig_error(source.text()?)?.to_be_bytes()),
        Field::SizedBase64 => sized_base64(source, out)?,
        Field::Ttl => out.extend(duration(source.text()?)?.to_be_bytes()),
        Field::Time => out.extend(time::parse(source.text()?)?.to_be_bytes()),
        Field::Date => out.extend(time::parse_date(source.text()?)?.to_be_bytes()),
        Field::Type => out.extend(rtype(source.text()?)?.0.to_be_bytes()),
        Field::Covered | Field::SigCovered => out.extend(covered(source.text()?)?.0.to_be_bytes()),
        Field::KeyTag => out.extend(key_tag(source)?.to_be_bytes()),
        Field::NoFlags => match mnemonic::read_flags(source.text()?)? {
            0 => out.extend([0, 0]),
            _ => return Err(WireError::BadField.into()),
        },
        Field::Algorithm | Field::CertAlgorithm => out.push(word(source, mnemonic::ALGORITHMS, 255)? as u8),
        Field::DsyncScheme => out.push(scheme(source)?),
        Field::Protocol => out.push(word(source, mnemonic::PROTOCOLS, 255)? as u8),
        Field::DigestType => out.push(word(source, mnemonic::DIGEST_TYPES, 255)? as u8),
        Field::HashAlgorithm => out.push(word(source, mnemonic::HASHES, 255)? as u8),
        Field::CertType => out.extend(word(source, mnemonic::CERT_TYPES, 65535)?.to_be_bytes()),
        Field::KeyFlags => out.extend(mnemonic::read_flags(source.text()?)?.to_be_bytes()),
        Field::String => string(source.string()?, out)?,
        Field::OptionalString => source.optional_token()?.map_or(Ok(()), |token| string(token.text, out))?,
        Field::Regexp => regexp(source.string()?, out)?,
        Field::Strings => strings(source, out)?,
        Field::Text => text(source.string()?, out).inspect_err(|_| source.pass_over())?,
        Field::QuotedText => quoted_text(source.token()?, out)?,
        Field::Tag => tag(source.text()?, out)?,
        Field::Psdn => psdn(source.string()?, out)?,
        Field::Hex => hex(source, None, 1, out)?,
        Field::DsDigest => hex(source, out.last().copied().and_then(ds_digest_length), 1, out)?,
        Field::ZoneDigest => zone_digest(source, out)?,
        Field::SshDigest => hex(source, out.last().copied().and_then(ssh_digest_length), 0, out)?,
        Field::Base64 => base64(source, false, out)?,
        Field::OptionalBase64 => base64(source, true, out)?,
        Field::DoaData => doa_data(source, out)?,
        Field::Key => key(source, out)?,
        Field::Salt => salt(source.text()?, out).inspect_err(|fault| source.pass_over_if(*fault == Fault::BadHex))?,
        Field::Hash => {
            let is_sha1 = out.get(source.start()) == Some(&SHA1);
            hash(source.text()?, is_sha1, out)?
        }
        Field::Eui48 => eui(source, 6, out)?,
        Field::Eui64 => eui(source, 8, out)?,
        Field::Locator => locator(source.text()?, out)?,
        Field::Bytes => {
            source.optional();
            return Err(Fault::Syntax);
        }
        // Data of no known form has no text but the generic one, which was dealt with.
        Field::Any => {
            source.optional();
            return Err(Fault::UnknownType);
        }
        odd => super::odd::read(odd, source, out)?,
    }
    Ok(())
}

/// A name of which something is expected.
#[inline]
fn ruled_name<'a, T: Tokens<'a>>(
    rule: NameRule,
    source: &mut Source<'a, '_, '_, T>,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    let start = out.len();
    match rule {
        // BIND lets quotes stand around this one.
        NameRule::ServiceHost => match source.string()? {
            [] => Err(Fault::UnexpectedEnd),
            text if out.ends_with(&[0, 0]) => source.name_of(text, out),
            text => source.judged_name(text, rule, out),
        },
        NameRule::Signer => {
            source.name(out)?;
            let signer = NameRef::from_wire(out.get(start..).unwrap_or_default())?;
            let labels = out.get(source.start() + LABELS_PLACE).copied().unwrap_or_default();
            if signer.label_count() > usize::from(labels) { Err(Fault::OutOfRange) } else { Ok(()) }
        }
        rule => source.name_for(rule, out),
    }
}

fn word<'a, T: Tokens<'a>>(
    source: &mut Source<'a, '_, '_, T>,
    words: &mnemonic::Words,
    max: u32,
) -> Result<u16, Fault> {
    mnemonic::read(words, source.text()?, max)
}

/// Seconds, or numbers with units.
fn duration(text: &[u8]) -> Result<u32, Fault> {
    let seconds = ttl::seconds(text).ok_or(Fault::Syntax)?;
    u32::try_from(seconds).map_err(|_| Fault::OutOfRange)
}

/// The scheme of DSYNC. BIND reports a wrong one at the field behind it; and so it does with key tags.
fn scheme<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>) -> Result<u8, Fault> {
    let scheme = word(source, mnemonic::DSYNC_SCHEMES, 255);
    let is_wrong = |fault: &Fault| matches!(fault, Fault::OutOfRange | Fault::UnknownType);
    scheme.inspect_err(|fault| source.pass_over_if(is_wrong(fault))).map(|scheme| scheme as u8)
}

fn key_tag<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>) -> Result<u16, Fault> {
    let tag = source.u16();
    tag.inspect_err(|fault| source.pass_over_if(*fault == Fault::OutOfRange))
}

/// A record type by mnemonic or number.
pub(super) fn rtype(text: &[u8]) -> Result<Rtype, Fault> {
    Rtype::from_text(text).map_err(|_| Fault::UnknownType)
}

/// The type that a signature covers: BIND also takes its number alone.
fn covered(text: &[u8]) -> Result<Rtype, Fault> {
    rtype(text).or_else(|fault| {
        // What strtol makes of it, and whether that is all.
        let digits = text.strip_prefix(b"-").unwrap_or(text);
        let length = digits.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (digits, behind) = digits.split_at_checked(length).ok_or(fault)?;
        match number(digits, u32::from(u16::MAX)) {
            Err(Fault::OutOfRange) => Err(Fault::OutOfRange),
            Ok(1..) if text.starts_with(b"-") => Err(Fault::OutOfRange),
            Ok(number) if behind.is_empty() => Ok(Rtype(number as u16)),
            _ => Err(fault),
        }
    })
}

/// Four numbers with dots between, no leading zeros.
pub(super) fn ip4(text: &[u8]) -> Result<[u8; 4], Fault> {
    let mut octets = [0_u8; 4];
    let mut parts = text.split(|&byte| byte == b'.');
    for octet in &mut octets {
        *octet = parts.next().and_then(self::octet).ok_or(Fault::BadIp4)?;
    }
    if parts.next().is_some() { Err(Fault::BadIp4) } else { Ok(octets) }
}

fn octet(text: &[u8]) -> Option<u8> {
    match text {
        [ones @ b'0'..=b'9'] => Some(ones - b'0'),
        [tens @ b'1'..=b'9', ones @ b'0'..=b'9'] => Some((tens - b'0') * 10 + (ones - b'0')),
        [b'1', tens @ b'0'..=b'9', ones @ b'0'..=b'9'] => Some(100 + (tens - b'0') * 10 + (ones - b'0')),
        [b'2', tens @ b'0'..=b'5', ones @ b'0'..=b'9'] => (200 + (tens - b'0') * 10).checked_add(ones - b'0'),
        _ => None,
    }
}

/// An IPv6 address.
pub(super) fn ip6(text: &[u8]) -> Result<[u8; 16], Fault> {
    let text = std::str::from_utf8(text).map_err(|_| Fault::BadIp6)?;
    text.parse::<Ipv6Addr>().map(|address| address.octets()).map_err(|_| Fault::BadIp6)
}

/// Text with its escapes resolved, without a length.
pub(super) fn text(text: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut rest = text;
    while let Some(place) = memchr::memchr(b'\\', rest) {
        let (plain, escape) = rest.split_at_checked(place).ok_or(Fault::Syntax)?;
        out.extend_from_slice(plain);
        let (byte, behind) = unescape(escape.get(1..).unwrap_or_default()).map_err(|_| Fault::Syntax)?;
        out.push(byte);
        rest = behind;
    }
    out.extend_from_slice(rest);
    Ok(())
}

/// Text that must stand in quotes.
fn quoted_text(token: Token<'_>, out: &mut Vec<u8>) -> Result<(), Fault> {
    if token.quoted { text(token.text, out) } else { Err(Fault::Syntax) }
}

/// A character string: its length byte and its bytes.
pub(super) fn string(source: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    let start = out.len();
    out.push(0);
    text(source, out)?;
    let length = u8::try_from(out.len() - start - 1).map_err(|_| Fault::Syntax)?;
    if let Some(place) = out.get_mut(start) {
        *place = length;
    }
    Ok(())
}

/// The substitution of NAPTR.
fn regexp(text: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    let start = out.len() + 1;
    string(text, out)?;
    if super::regexp::is_valid(out.get(start..).unwrap_or_default()) { Ok(()) } else { Err(Fault::Syntax) }
}

fn strings<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>, out: &mut Vec<u8>) -> Result<(), Fault> {
    string(source.string()?, out)?;
    more_strings(source, out)
}

fn more_strings<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>, out: &mut Vec<u8>) -> Result<(), Fault> {
    while let Some(token) = source.optional_token()? {
        string(token.text, out)?;
    }
    Ok(())
}

/// The property of CAA: letters and digits (RFC 8659 section 4.1).
fn tag(text: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_alphanumeric) { Err(Fault::Syntax) } else { string(text, out) }
}

/// An address of X.25: four digits or more (RFC 1183 section 3.1).
fn psdn(text: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    match check::is_psdn(text) {
        true => string(text, out),
        false if text.len() < check::MIN_PSDN => Err(Fault::Syntax),
        false => Err(Fault::OutOfRange),
    }
}

/// All that is left as hexadecimal: just as many bytes as `length` says, or else at least `min`.
fn hex<'a, T: Tokens<'a>>(
    source: &mut Source<'a, '_, '_, T>,
    length: Option<usize>,
    min: usize,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    if let Some(length) = length {
        return exact_hex(source, length, out);
    }
    if hex_digits(source, out)? < min { Err(Fault::UnexpectedEnd) } else { Ok(()) }
}

/// The digest of ZONEMD. BIND takes what is no digit for the end as long as there is too little for any digest.
fn zone_digest<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let (start, length) = (out.len(), out.last().copied().and_then(zone_digest_length));
    let read = hex(source, length, check::MIN_ZONE_DIGEST, out);
    let is_short = out.len() < start + check::MIN_ZONE_DIGEST;
    let is_end = |fault| is_short && matches!(fault, Fault::BadHex | Fault::UnexpectedToken);
    read.map_err(|fault| if is_end(fault) { Fault::UnexpectedEnd } else { fault })
}

/// So many bytes in hexadecimal; what is left behind them is another fault's matter.
fn exact_hex<'a, T: Tokens<'a>>(
    source: &mut Source<'a, '_, '_, T>,
    length: usize,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    let mut hex = Hex::new(out);
    while hex.digits() < 2 * length {
        let text = source.optional_text()?.ok_or(Fault::UnexpectedEnd)?;
        hex.push(text).inspect_err(|_| source.pass_over())?;
    }
    if hex.digits() > 2 * length {
        source.pass_over();
        return Err(Fault::BadHex);
    }
    Ok(())
}

/// All that is left as hexadecimal. A fault is reported at the field behind it, as BIND does.
fn hex_digits<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>, out: &mut Vec<u8>) -> Result<usize, Fault> {
    let mut hex = Hex::new(out);
    while let Some(text) = source.optional_text()? {
        hex.push(text).inspect_err(|_| source.pass_over())?;
    }
    hex.finish()
}

/// All that is left as base64.
pub(super) fn base64<'a, T: Tokens<'a>>(
    source: &mut Source<'a, '_, '_, T>,
    may_be_empty: bool,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    let mut base64 = Base64::new(out);
    while let Some(text) = source.optional_text()? {
        base64.push(text).inspect_err(|_| source.pass_over())?;
        if base64.is_whole() {
            break;
        }
    }
    if base64.is_empty() && !may_be_empty {
        return Err(Fault::UnexpectedEnd);
    }
    base64.finish().inspect_err(|_| source.pass_over())
}

/// The length of what follows, and so much in base64.
fn sized_base64<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let length = source.u16()?;
    out.extend(length.to_be_bytes());
    let end = out.len() + usize::from(length);
    let mut base64 = Base64::new(out);
    while base64.end() < end && !base64.is_whole() {
        base64.push(source.text()?).inspect_err(|_| source.pass_over())?;
    }
    let is_right = base64.end() == end && base64.finish().is_ok();
    if is_right { Ok(()) } else { Err(Fault::BadBase64) }.inspect_err(|_| source.pass_over())
}

/// Two bytes in octal.
fn octal<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>) -> Result<u16, Fault> {
    let text = source.text().map_err(|fault| if fault == Fault::UnexpectedToken { Fault::NotNumber } else { fault })?;
    if text.is_empty() || !text.iter().all(|digit| (b'0'..=b'7').contains(digit)) {
        return Err(Fault::NotNumber);
    }
    let digits = text.iter().skip_while(|&&digit| digit == b'0').map(|digit| u32::from(digit - b'0'));
    let value = digits.fold(0_u32, |value, digit| value.saturating_mul(8).saturating_add(digit));
    u16::try_from(value).map_err(|_| Fault::OutOfRange)
}

/// An RCODE of TSIG and TKEY (RFC 8945 section 3). BIND takes a sign for a number out of range.
fn tsig_error(text: &[u8]) -> Result<u16, Fault> {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let is_negative = digits.len() < text.len() && number(digits, u32::MAX).is_ok();
    if is_negative { Err(Fault::OutOfRange) } else { mnemonic::read(mnemonic::TSIG_ERRORS, text, u16::MAX.into()) }
}

/// The data of DOA, or - for none.
fn doa_data<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>, out: &mut Vec<u8>) -> Result<(), Fault> {
    if source.peek().is_some_and(|token| token.text == b"-" && !token.quoted) {
        source.token()?;
        return Ok(());
    }
    base64(source, false, out)
}

/// The key material of KEY and DNSKEY, which is missing when the flags say that there is no key (RFC 2535 section
/// 3.1.2).
fn key<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>, out: &mut Vec<u8>) -> Result<(), Fault> {
    // The flags of KEYDATA stand behind its times; in front of protocol and algorithm they stand in all.
    let flags = out.len().saturating_sub(check::KEY_HEAD_BYTES).max(source.start());
    let no_key = check::has_no_key(out.get(flags..).unwrap_or_default());
    if no_key { Ok(()) } else { base64(source, false, out) }
}

/// Hexadecimal behind a length byte, or - for none.
fn salt(text: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    if text == b"-" {
        out.push(0);
        return Ok(());
    }
    let length = u8::try_from(text.len() / 2).map_err(|_| Fault::OutOfRange)?;
    out.push(length);
    let mut hex = Hex::new(out);
    hex.push(text)?;
    hex.finish().map(|_| ())
}

/// Base32 behind a length byte.
fn hash(text: &[u8], is_sha1: bool, out: &mut Vec<u8>) -> Result<(), Fault> {
    let start = out.len();
    out.push(0);
    base32hex(text, out)?;
    let length = u8::try_from(out.len() - start - 1).map_err(|_| Fault::OutOfRange)?;
    if let Some(place) = out.get_mut(start) {
        *place = length;
    }
    if is_sha1 && length != SHA1_BYTES { Err(Fault::OutOfRange) } else { Ok(()) }
}

/// `count` bytes of one or two hexadecimal digits with `-` between. BIND reports a fault at the field behind it.
fn eui<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>, count: usize, out: &mut Vec<u8>) -> Result<(), Fault> {
    let text = source.text()?;
    let mut rest = text;
    for place in 0..count {
        let digits = rest.iter().take(2).take_while(|byte| byte.is_ascii_hexdigit()).count();
        let read = rest.split_at_checked(digits).filter(|(digits, _)| !digits.is_empty());
        let Some((value, behind)) = read.and_then(|(digits, behind)| Some((hex_value(digits)?, behind))) else {
            source.pass_over();
            return Err(Fault::BadEui);
        };
        out.push(value);
        // As with C's sscanf, what follows the last number does not matter.
        rest = if place + 1 == count { behind } else { behind.strip_prefix(b"-").unwrap_or_default() };
    }
    Ok(())
}

fn hex_value(digits: &[u8]) -> Option<u8> {
    u8::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()
}

/// Four groups of up to four hexadecimal digits with : between (RFC 6742).
fn locator(text: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut groups = text.split(|&byte| byte == b':');
    for _ in 0..4 {
        let group = groups.next().filter(|group| (1..=4).contains(&group.len())).ok_or(Fault::Syntax)?;
        let value = group
            .iter()
            .try_fold(0_u16, |value, &digit| char::from(digit).to_digit(16).map(|digit| value << 4 | digit as u16));
        out.extend(value.ok_or(Fault::Syntax)?.to_be_bytes());
    }
    if groups.next().is_some() { Err(Fault::Syntax) } else { Ok(()) }
}

/// The one hash of NSEC3 (RFC 5155 section 11), and its length.
pub(super) const SHA1: u8 = 1;
pub(super) const SHA1_BYTES: u8 = 20;
const LP: Rtype = Rtype(107);
const ZONEMD: Rtype = Rtype(63);
/// Where the number of labels stands in signatures.
const LABELS_PLACE: usize = 3;
