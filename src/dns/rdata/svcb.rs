//! The parameters of SVCB and HTTPS (RFC 9460 section 2): pairs of a key and a value, sorted by key on the wire, each
//! value of its own form.

use std::net::Ipv4Addr;

use super::check::is_template;
use super::cursor::number;
use super::encoding::Base64;
use super::print::{Printer, ip6, quoted};
use super::read::{self, Source};
use super::{Fault, print};
use crate::dns::text::{Token, Tokens};
use crate::dns::wire::{Reader, WireError};

const MANDATORY: u16 = 0;
const ALPN: u16 = 1;
const NO_DEFAULT_ALPN: u16 = 2;
const PORT: u16 = 3;
const IPV4_HINT: u16 = 4;
const ECH: u16 = 5;
const IPV6_HINT: u16 = 6;
const DOH_PATH: u16 = 7;

/// Keys with a name. BIND 9.18 reads the last of them, but prints it by number.
const KEYS: [(u16, &str); 8] = [
    (MANDATORY, "mandatory"),
    (ALPN, "alpn"),
    (NO_DEFAULT_ALPN, "no-default-alpn"),
    (PORT, "port"),
    (IPV4_HINT, "ipv4hint"),
    (ECH, "ech"),
    (IPV6_HINT, "ipv6hint"),
    (DOH_PATH, "dohpath"),
];

/// Reads parameters to the end of the record.
pub(super) fn read<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut params: Vec<(u16, Vec<u8>)> = Vec::new();
    while let Some(text) = source.optional_text()? {
        let (word, value) = split(text, source);
        source.go_back_to(Token { text, quoted: false });
        let (key, named) = key(word)?;
        let mut wire = Vec::new();
        match (named, value) {
            (true, value) => read_value(key, value, &mut wire)?,
            (false, value) => read::text(value.unwrap_or_default(), &mut wire)?,
        }
        check_value(key, &wire)?;
        params.push((key, wire));
    }
    params.sort_unstable_by_key(|(key, _)| *key);
    check_together(&params)?;
    for (key, value) in params {
        out.extend(key.to_be_bytes());
        out.extend((value.len() as u16).to_be_bytes());
        out.extend(value);
    }
    Ok(())
}

/// The word in front of the = and the value behind it, which may be quoted and then be a field of its own.
fn split<'a, T: Tokens<'a>>(text: &'a [u8], source: &mut Source<'a, '_, '_, T>) -> (&'a [u8], Option<&'a [u8]>) {
    let Some((word, value)) = memchr::memchr(b'=', text).and_then(|place| text.split_at_checked(place)) else {
        return (text, None);
    };
    let value = value.get(1..).unwrap_or_default();
    if value.is_empty()
        && let Some(quoted) = source.quotes_behind()
    {
        return (word, Some(quoted));
    }
    let bare = value.strip_prefix(b"\"").and_then(|value| value.strip_suffix(b"\""));
    (word, Some(bare.unwrap_or(value)))
}

/// A key's number, and whether it was given by name.
fn key(word: &[u8]) -> Result<(u16, bool), Fault> {
    if let Some((key, name)) = KEYS.iter().find(|(_, name)| name.as_bytes().eq_ignore_ascii_case(word)) {
        // BIND takes the value of a name in capitals as bytes.
        return Ok((*key, name.as_bytes() == word));
    }
    let digits = word.strip_prefix(b"key").ok_or(Fault::Syntax)?;
    let value = number(digits, u32::from(u16::MAX)).map_err(not_number_is_syntax)?;
    if digits.len() > 1 && digits.starts_with(b"0") { Err(Fault::Syntax) } else { Ok((value as u16, false)) }
}

/// Reads the value of a key that was given by name.
fn read_value(key: u16, value: Option<&[u8]>, out: &mut Vec<u8>) -> Result<(), Fault> {
    if key == NO_DEFAULT_ALPN {
        return if value.is_none() { Ok(()) } else { Err(Fault::Syntax) };
    }
    let mut plain = Vec::new();
    let may_be_empty = matches!(key, ECH | DOH_PATH);
    let value = value.filter(|value| !value.is_empty()).or(may_be_empty.then_some(&[][..]));
    read::text(value.ok_or(Fault::Syntax)?, &mut plain)?;
    let mut items = plain.split(|&byte| byte == b',');
    match key {
        MANDATORY => read_keys(items, out),
        ALPN => read_alpn(&plain, out),
        PORT => {
            let port = number(&plain, u32::from(u16::MAX)).map_err(not_number_is_syntax)?;
            out.extend((port as u16).to_be_bytes());
            Ok(())
        }
        IPV4_HINT => items.try_for_each(|item| {
            out.extend(read::ip4(item).map_err(|_| Fault::Syntax)?);
            Ok(())
        }),
        IPV6_HINT => items.try_for_each(|item| {
            out.extend(read::ip6(item).map_err(|_| Fault::Syntax)?);
            Ok(())
        }),
        ECH => {
            let mut base64 = Base64::new(out);
            base64.push(&plain)?;
            base64.finish()
        }
        _ => {
            out.extend(&plain);
            Ok(())
        }
    }
}

fn not_number_is_syntax(fault: Fault) -> Fault {
    if fault == Fault::NotNumber { Fault::Syntax } else { fault }
}

fn read_keys<'v>(items: impl Iterator<Item = &'v [u8]>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut keys = items.map(|item| key(item).map(|(key, _)| key)).collect::<Result<Vec<_>, _>>()?;
    keys.sort_unstable();
    if keys.windows(2).any(|pair| pair.first() == pair.last()) {
        return Err(Fault::Syntax);
    }
    out.extend(keys.into_iter().flat_map(u16::to_be_bytes));
    Ok(())
}

/// Protocol names with commas between; a backslash makes a comma or backslash part of a name (RFC 9460 appendix A.1).
fn read_alpn(list: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut start = out.len();
    out.push(0);
    let mut bytes = list.iter();
    while let Some(&byte) = bytes.next() {
        match byte {
            b',' => {
                close_alpn(start, out)?;
                start = out.len();
                out.push(0);
            }
            b'\\' => out.push(*bytes.next().ok_or(Fault::Syntax)?),
            _ => out.push(byte),
        }
    }
    close_alpn(start, out)
}

fn close_alpn(start: usize, out: &mut [u8]) -> Result<(), Fault> {
    let length = u8::try_from(out.len() - start - 1).ok().filter(|&length| length > 0).ok_or(Fault::Syntax)?;
    if let Some(place) = out.get_mut(start) {
        *place = length;
    }
    Ok(())
}

/// The rules between parameters: no key twice, all mandatory ones there, no-default-alpn only beside alpn.
fn check_together(params: &[(u16, Vec<u8>)]) -> Result<(), Fault> {
    if params.windows(2).any(|pair| matches!(pair, [left, right] if left.0 == right.0)) {
        return Err(Fault::Duplicate);
    }
    let find = |key| params.iter().find(|(other, _)| *other == key).map(|(_, value)| value.as_slice());
    let mandatory = find(MANDATORY).unwrap_or_default().as_chunks().0;
    let missing =
        mandatory.iter().map(|key| u16::from_be_bytes(*key)).any(|key| key == MANDATORY || find(key).is_none());
    if missing || (find(NO_DEFAULT_ALPN).is_some() && find(ALPN).is_none()) {
        return Err(Fault::Disallowed);
    }
    Ok(())
}

/// Keys rise, and the values of known ones are right.
pub(super) fn check(reader: &mut Reader<'_>) -> Result<(), WireError> {
    let mut last = None;
    while !reader.is_at_end() {
        let key = reader.u16()?;
        if last.is_some_and(|last| key <= last) {
            return Err(WireError::BadField);
        }
        check_value(key, reader.long_bytes()?)?;
        last = Some(key);
    }
    Ok(())
}

fn check_value(key: u16, value: &[u8]) -> Result<(), WireError> {
    let is_list_of = |size: usize| !value.is_empty() && value.len().is_multiple_of(size);
    let valid = match key {
        MANDATORY => is_list_of(2) && value.as_chunks::<2>().0.is_sorted_by(|left, right| left < right),
        ALPN => !value.is_empty() && holds_strings(value),
        NO_DEFAULT_ALPN => value.is_empty(),
        PORT => value.len() == 2,
        IPV4_HINT => is_list_of(4),
        IPV6_HINT => is_list_of(16),
        DOH_PATH => is_template(value),
        _ => true,
    };
    if valid { Ok(()) } else { Err(WireError::BadField) }
}

/// Whether `value` is nothing but character strings that are not empty.
fn holds_strings(value: &[u8]) -> bool {
    let mut reader = Reader::new(value);
    while !reader.is_at_end() {
        if reader.short_bytes().is_ok_and(|string| !string.is_empty()) {
            continue;
        }
        return false;
    }
    true
}

/// Prints all parameters.
pub(super) fn print(reader: &mut Reader<'_>, to: &mut Printer<'_, '_>) -> Result<(), WireError> {
    while !reader.is_at_end() {
        let key = reader.u16()?;
        let mut value = Reader::new(reader.long_bytes()?);
        match print_value(key, &mut value)? {
            Some(text) => to.word(format_args!("{}={text}", key_text(key))),
            None => to.word(key_text(key)),
        }
    }
    Ok(())
}

fn key_text(key: u16) -> String {
    match KEYS.iter().find(|(number, _)| *number == key && key != DOH_PATH) {
        Some((_, name)) => (*name).to_owned(),
        None => format!("key{key}"),
    }
}

/// The text of a value; none if there is no value.
fn print_value(key: u16, value: &mut Reader<'_>) -> Result<Option<String>, WireError> {
    if value.is_at_end() {
        return Ok(None);
    }
    Ok(Some(match key {
        MANDATORY => list(value, |value| value.u16().map(key_text))?,
        ALPN => print_alpn(value)?,
        PORT => value.u16()?.to_string(),
        IPV4_HINT => list(value, |value| print::ip4(value).as_ref().map(Ipv4Addr::to_string).map_err(|error| *error))?,
        IPV6_HINT => list(value, ip6)?,
        ECH => data_encoding::BASE64.encode(value.rest()),
        _ => in_quotes(value.rest()),
    }))
}

fn list<'v>(
    value: &mut Reader<'v>,
    item: impl Fn(&mut Reader<'v>) -> Result<String, WireError>,
) -> Result<String, WireError> {
    let mut items = Vec::new();
    while !value.is_at_end() {
        items.push(item(value)?);
    }
    Ok(items.join(","))
}

fn print_alpn(value: &mut Reader<'_>) -> Result<String, WireError> {
    let mut names = Vec::new();
    while !value.is_at_end() {
        if !names.is_empty() {
            names.push(b',');
        }
        for &byte in value.short_bytes()? {
            if matches!(byte, b',' | b'\\') {
                names.push(b'\\');
            }
            names.push(byte);
        }
    }
    Ok(in_quotes(&names))
}

fn in_quotes(bytes: &[u8]) -> String {
    let mut text = String::from('"');
    quoted(bytes, &mut text);
    text.push('"');
    text
}
