//! The set of types that a name has, as NSEC, NSEC3 and CSYNC carry it (RFC 4034 section 4.1.2): windows of 256 types,
//! each a bitmap of up to 32 bytes; and the older single bitmap of NXT (RFC 2535 section 5.2).

use super::cursor::number;
use super::print::Printer;
use super::read::{Source, rtype};
use super::{Fault, kind};
use crate::dns::Rtype;
use crate::dns::text::Tokens;
use crate::dns::wire::{Reader, WireError};

/// Bytes of a whole window.
const WINDOW: usize = 32;
/// NXT knows types below this only, and not type 0.
const MAX_NXT_TYPE: u16 = 128;

/// Reads types to the end of the record, in any order.
pub(super) fn read<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut types = Vec::new();
    while let Some(text) = source.optional_text()? {
        types.push(rtype(text)?.0);
    }
    types.sort_unstable();
    for window in types.chunk_by(|left, right| left >> 8 == right >> 8) {
        let mut bitmap = [0_u8; WINDOW];
        let mut length = 0;
        for &number in window {
            let (byte, bit) = place(number);
            if let Some(slot) = bitmap.get_mut(byte) {
                *slot |= bit;
            }
            length = byte + 1;
        }
        out.push(window.first().map_or(0, |number| (number >> 8) as u8));
        out.push(length as u8);
        out.extend(bitmap.iter().take(length));
    }
    Ok(())
}

/// The byte within its window and the bit within that of a type.
fn place(number: u16) -> (usize, u8) {
    (usize::from(number & 0xff) / 8, 0x80 >> (number % 8))
}

/// Windows rise, and none is empty or ends in an empty byte.
pub(super) fn check(reader: &mut Reader<'_>) -> Result<(), WireError> {
    let mut last = None;
    while !reader.is_at_end() {
        let window = reader.u8()?;
        let bitmap = reader.short_bytes().map_err(|_| WireError::BadField)?;
        let rises = last.is_none_or(|last| window > last);
        if !rises || bitmap.len() > WINDOW || bitmap.last().is_none_or(|&byte| byte == 0) {
            return Err(WireError::BadField);
        }
        last = Some(window);
    }
    Ok(())
}

/// The types of a bitmap, rising.
pub(super) fn print(reader: &mut Reader<'_>, printer: &mut Printer<'_, '_>) -> Result<(), WireError> {
    while !reader.is_at_end() {
        let window = u16::from(reader.u8()?) << 8;
        print_bits(reader.short_bytes()?, window, printer);
    }
    Ok(())
}

fn print_bits(bitmap: &[u8], window: u16, printer: &mut Printer<'_, '_>) {
    set_bits(bitmap).for_each(|bit| printer.word(Rtype(window | bit)));
}

fn set_bits(bitmap: &[u8]) -> impl Iterator<Item = u16> {
    let bits =
        |(first, byte): (u16, u8)| (0..8).filter(move |bit| byte & (0x80 >> bit) != 0).map(move |bit| first | bit);
    (0..).step_by(8).zip(bitmap.iter().copied()).flat_map(bits)
}

/// Whether the types of a well-formed bitmap hold `wanted`.
pub fn holds(bitmap: &[u8], wanted: Rtype) -> bool {
    let (byte, bit) = place(wanted.0);
    let mut reader = Reader::new(bitmap);
    while let (Ok(window), Ok(bits)) = (reader.u8(), reader.short_bytes()) {
        if u16::from(window) == wanted.0 >> 8 {
            return bits.get(byte).is_some_and(|value| value & bit != 0);
        }
    }
    false
}

/// Reads the types of NXT.
pub(super) fn read_nxt<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut bitmap = [0_u8; MAX_NXT_TYPE as usize / 8];
    let mut length = 0;
    while let Some(text) = source.optional_text()? {
        let number = nxt_type(text)?;
        if !(1..MAX_NXT_TYPE).contains(&number) {
            source.pass_over();
            return Err(Fault::OutOfRange);
        }
        let (byte, bit) = place(number);
        if let Some(slot) = bitmap.get_mut(byte) {
            *slot |= bit;
        }
        length = length.max(byte + 1);
    }
    out.extend(bitmap.iter().take(length));
    Ok(())
}

/// A type of NXT: by name, or BIND's way by its number alone, which may have a sign.
fn nxt_type(text: &[u8]) -> Result<u16, Fault> {
    let digits = text.strip_prefix(b"+").or_else(|| text.strip_prefix(b"-")).unwrap_or(text);
    if digits.is_empty() || !digits.iter().all(u8::is_ascii_digit) {
        return Ok(rtype(text)?.0);
    }
    let value = number(digits, u32::from(u16::MAX)).unwrap_or(u32::from(MAX_NXT_TYPE)) as u16;
    Ok(if text.starts_with(b"-") { MAX_NXT_TYPE } else { value })
}

/// The bitmap of NXT: up to 16 bytes, the last not empty. One whose first bit is set has another form, never defined.
pub(super) fn check_nxt(reader: &mut Reader<'_>) -> Result<(), WireError> {
    let bitmap = reader.rest();
    let plain = bitmap.first().is_some_and(|first| first & 0x80 == 0);
    let valid = bitmap.len() <= usize::from(MAX_NXT_TYPE / 8) && bitmap.last().is_some_and(|&last| last != 0);
    if bitmap.is_empty() || !plain || valid { Ok(()) } else { Err(WireError::BadField) }
}

/// The types of NXT; one without a name is written as its number alone.
pub(super) fn print_nxt(reader: &mut Reader<'_>, printer: &mut Printer<'_, '_>) {
    for bit in set_bits(reader.rest()) {
        match kind(Rtype(bit)) {
            Some(kind) => printer.word(kind.mnemonic),
            None => printer.word(bit),
        }
    }
}
