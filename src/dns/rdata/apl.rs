//! APL (RFC 3123): a list of address prefixes, each possibly negated, their trailing zero bytes left out on the wire.

use std::net::{Ipv4Addr, Ipv6Addr};

use super::Fault;
use super::cursor::number;
use super::print::Printer;
use super::read::{self, Source};
use crate::dns::text::Tokens;
use crate::dns::wire::{Reader, WireError};

const IP4: u16 = 1;
const IP6: u16 = 2;
const NEGATED: u8 = 0x80;

/// Reads prefixes to the end of the record; there may be none.
pub(super) fn read<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>, out: &mut Vec<u8>) -> Result<(), Fault> {
    while let Some(text) = source.optional_text()? {
        read_prefix(text, out)?;
    }
    Ok(())
}

/// `[!]family:address/bits`.
fn read_prefix(text: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    let (negated, text) = match text.strip_prefix(b"!") {
        Some(rest) => (NEGATED, rest),
        None => (0, text),
    };
    let (family, rest) = split(text, b':').ok_or(Fault::Syntax)?;
    let (address, bits) = split(rest, b'/').ok_or(Fault::Syntax)?;
    let family = number(if family.is_empty() { b"0" } else { family }, u32::from(u16::MAX))
        .map_err(|fault| if fault == Fault::NotNumber { Fault::Syntax } else { fault })? as u16;
    let mut octets = match family {
        IP4 => read::ip4(address)?.to_vec(),
        IP6 => read::ip6(address)?.to_vec(),
        _ => return Err(Fault::NotImplemented),
    };
    let bits = number(bits, octets.len() as u32 * 8)? as u8;
    while octets.last() == Some(&0) {
        octets.pop();
    }
    out.extend(family.to_be_bytes());
    out.extend([bits, negated | octets.len() as u8]);
    out.extend(octets);
    Ok(())
}

fn split(text: &[u8], at: u8) -> Option<(&[u8], &[u8])> {
    let (left, right) = text.split_at_checked(memchr::memchr(at, text)?)?;
    Some((left, right.get(1..)?))
}

/// Lengths fit the family, and no address ends in a zero byte.
pub(super) fn check(reader: &mut Reader<'_>) -> Result<(), WireError> {
    while !reader.is_at_end() {
        let (family, bits, length) = (reader.u16()?, reader.u8()?, reader.u8()? & !NEGATED);
        let address = reader.take(usize::from(length))?;
        let (max_bits, max_length) = match family {
            IP4 => (32, 4),
            IP6 => (128, 16),
            _ => (u8::MAX, usize::from(length)),
        };
        if bits > max_bits || address.len() > max_length || address.last() == Some(&0) {
            return Err(WireError::BadField);
        }
    }
    Ok(())
}

/// Prints the list; one with an unknown family has no text of its own.
pub(super) fn print(reader: &mut Reader<'_>, to: &mut Printer<'_, '_>) -> Result<(), WireError> {
    while !reader.is_at_end() {
        let (family, bits, length) = (reader.u16()?, reader.u8()?, reader.u8()?);
        let address = reader.take(usize::from(length & !NEGATED))?;
        let sign = if length & NEGATED == 0 { "" } else { "!" };
        match family {
            IP4 => to.word(format_args!("{sign}{family}:{}/{bits}", Ipv4Addr::from(padded(address)))),
            IP6 => to.word(format_args!("{sign}{family}:{}/{bits}", Ipv6Addr::from(padded(address)))),
            _ => return Err(WireError::BadField),
        }
    }
    Ok(())
}

fn padded<const N: usize>(address: &[u8]) -> [u8; N] {
    let mut whole = [0; N];
    for (place, byte) in whole.iter_mut().zip(address) {
        *place = *byte;
    }
    whole
}
