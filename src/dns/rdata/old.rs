//! Types that hardly anybody writes any more, and that old zones still hold: WKS (RFC 1035 section 3.4.2), NSAP
//! (RFC 1706), A6 (RFC 2874).

use super::encoding::Hex;
use super::print::{self, Printer};
use super::read::{self, Source};
use super::{Fault, NameRule, check};
use crate::dns::NameRef;
use crate::dns::text::Tokens;
use crate::dns::wire::{Reader, WireError};

/// Protocols that WKS may give by name.
const PROTOCOLS: [(&str, u16); 3] = [("icmp", 1), ("tcp", 6), ("udp", 17)];
/// Services that WKS may give by name; all others by port.
const SERVICES: [(&str, u16); 20] = [
    ("ftp-data", 20),
    ("ftp", 21),
    ("ssh", 22),
    ("telnet", 23),
    ("smtp", 25),
    ("time", 37),
    ("domain", 53),
    ("tftp", 69),
    ("finger", 79),
    ("http", 80),
    ("kerberos", 88),
    ("pop3", 110),
    ("sunrpc", 111),
    ("auth", 113),
    ("nntp", 119),
    ("ntp", 123),
    ("imap2", 143),
    ("snmp", 161),
    ("https", 443),
    ("printer", 515),
];
/// A bit for each port.
const MAX_WKS_BITMAP: usize = 65_536 / 8;

/// Reads the address, the protocol and the ports of WKS.
pub(super) fn read_wks<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>, out: &mut Vec<u8>) -> Result<(), Fault> {
    out.extend(read::ip4(source.text()?)?);
    out.push(word_or_number(&PROTOCOLS, source.text()?, u8::MAX.into(), Fault::UnknownProtocol)? as u8);
    let start = out.len();
    while let Some(text) = source.optional_text()? {
        let port = word_or_number(&SERVICES, text, u16::MAX.into(), Fault::UnknownService)?;
        let place = start + usize::from(port / 8);
        if out.len() <= place {
            out.resize(place + 1, 0);
        }
        if let Some(byte) = out.get_mut(place) {
            *byte |= 0x80 >> (port % 8);
        }
    }
    Ok(())
}

fn word_or_number(words: &[(&str, u16)], text: &[u8], max: i64, unknown: Fault) -> Result<u16, Fault> {
    if let Some((_, value)) = words.iter().find(|(word, _)| word.as_bytes().eq_ignore_ascii_case(text)) {
        return Ok(*value);
    }
    let number: i64 = std::str::from_utf8(text).ok().and_then(|text| text.parse().ok()).ok_or(unknown)?;
    if (0..=max).contains(&number) { Ok(number as u16) } else { Err(Fault::OutOfRange) }
}

/// The bitmap covers no more than all ports.
pub(super) fn check_wks(reader: &mut Reader<'_>) -> Result<(), WireError> {
    reader.take(5)?;
    match reader.rest() {
        bitmap if bitmap.len() > MAX_WKS_BITMAP => Err(WireError::ExtraData),
        [.., 0] => Err(WireError::BadField),
        _ => Ok(()),
    }
}

/// Prints protocol and ports as numbers.
pub(super) fn print_wks(reader: &mut Reader<'_>, to: &mut Printer<'_, '_>) -> Result<(), WireError> {
    to.word(print::ip4(reader)?);
    to.word(reader.u8()?);
    for (place, byte) in reader.rest().iter().enumerate() {
        for bit in (0..8_usize).filter(|bit| byte & (0x80 >> bit) != 0) {
            to.word(place * 8 + bit);
        }
    }
    Ok(())
}

/// Reads `0x` and hexadecimal with dots anywhere.
pub(super) fn read_nsap<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let text = source.text()?;
    if text.len() < 2 {
        return Err(Fault::UnexpectedEnd);
    }
    let digits = text.strip_prefix(b"0x").or(text.strip_prefix(b"0X")).ok_or(Fault::Syntax)?;
    let mut hex = Hex::new(out);
    for part in digits.split(|&byte| byte == b'.') {
        hex.push(part).map_err(|_| Fault::Syntax)?;
    }
    match hex.finish() {
        Ok(0) | Err(_) => Err(Fault::UnexpectedEnd),
        Ok(_) => Ok(()),
    }
}

/// The forms of ATMA addresses (ATM Forum, af-saa-0069): an end system's, and one of E.164.
const END_SYSTEM: u8 = 0;
const E164: u8 = 1;

/// Reads hexadecimal, or decimal digits behind a plus, with dots between.
pub(super) fn read_atma<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let text = source.text()?;
    let (form, digits) = text.strip_prefix(b"+").map_or((END_SYSTEM, text), |digits| (E164, digits));
    out.push(form);
    let start = out.len();
    if form == E164 {
        out.extend(digits.iter().filter(|byte| **byte != b'.'));
        let address = out.get(start..).unwrap_or_default();
        return match address {
            [] => Err(Fault::UnexpectedEnd),
            digits => digits.iter().all(u8::is_ascii_digit).then_some(()).ok_or(Fault::Syntax),
        };
    }
    let is_parted = digits.starts_with(b".") || digits.ends_with(b".") || digits.windows(2).any(|pair| pair == b"..");
    let mut hex = Hex::new(out);
    for part in digits.split(|&byte| byte == b'.') {
        hex.push(part).map_err(|_| Fault::Syntax)?;
    }
    match hex.finish() {
        Ok(count) if count > 0 && !is_parted => Ok(()),
        _ => Err(Fault::UnexpectedEnd),
    }
}

/// There is an address, and one of E.164 is all digits.
pub(super) fn check_atma(reader: &mut Reader<'_>) -> Result<(), WireError> {
    let form = reader.u8()?;
    match reader.rest() {
        [] => Err(WireError::Truncated),
        digits if form == E164 && !digits.iter().all(u8::is_ascii_digit) => Err(WireError::BadField),
        _ => Ok(()),
    }
}

/// Prints an address without dots; one of a form to come has no text of its own.
pub(super) fn print_atma(reader: &mut Reader<'_>, to: &mut Printer<'_, '_>) -> Result<(), WireError> {
    match reader.u8()? {
        END_SYSTEM => to.word(data_encoding::HEXLOWER.encode(reader.rest())),
        E164 => to.word(format_args!("+{}", reader.rest().escape_ascii())),
        _ => return Err(WireError::BadField),
    }
    Ok(())
}

/// Prints it without dots.
pub(super) fn print_nsap(reader: &mut Reader<'_>, to: &mut Printer<'_, '_>) {
    to.word(format_args!("0x{}", data_encoding::HEXLOWER.encode(reader.rest())));
}

/// Reads the prefix length of A6, the bits behind the prefix, and the name that the prefix is found under.
pub(super) fn read_a6<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let prefix = source.number(128)? as u8;
    out.push(prefix);
    if prefix < 128 {
        let mut address = read::ip6(source.text()?)?;
        let start = usize::from(prefix / 8);
        if let Some(byte) = address.get_mut(start) {
            *byte &= 0xff >> (prefix % 8);
        }
        out.extend(address.iter().skip(start));
    }
    if prefix > 0 { source.name_for(NameRule::Host, out) } else { Ok(()) }
}

/// How many address bytes stand behind a prefix length.
fn a6_suffix(prefix: u8) -> Result<usize, WireError> {
    if prefix > 128 { Err(WireError::BadField) } else { Ok(16 - usize::from(prefix / 8)) }
}

/// The name that the prefix is found under.
pub(super) fn a6_name(rdata: &[u8]) -> Option<NameRef<'_>> {
    let (&prefix, rest) = rdata.split_first().filter(|(prefix, _)| **prefix > 0)?;
    NameRef::from_wire(rest.get(a6_suffix(prefix).ok()?..)?).ok()
}

/// Suffix and name are there as the prefix length says.
pub(super) fn check_a6(reader: &mut Reader<'_>) -> Result<(), WireError> {
    let prefix = reader.u8()?;
    let suffix = reader.take(a6_suffix(prefix)?)?;
    if prefix < 128 && suffix.first().is_some_and(|byte| byte & !(0xff >> (prefix % 8)) != 0) {
        return Err(WireError::BadField);
    }
    if prefix > 0 { check::name(reader) } else { Ok(()) }
}

/// Prints A6; BIND leaves two blanks where the address is missing.
pub(super) fn print_a6(reader: &mut Reader<'_>, to: &mut Printer<'_, '_>) -> Result<(), WireError> {
    let prefix = reader.u8()?;
    to.word(prefix);
    let suffix = reader.take(a6_suffix(prefix)?)?;
    let mut address = [0; 16];
    for (place, byte) in address.iter_mut().skip(16 - suffix.len()).zip(suffix) {
        *place = *byte;
    }
    if suffix.is_empty() {
        to.word("");
    } else {
        to.word(print::ip6(&mut Reader::new(&address))?);
    }
    if prefix > 0 {
        to.name(print::name(reader)?);
    }
    Ok(())
}
