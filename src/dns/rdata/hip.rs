//! HIP (RFC 8005): a host identity tag, a public key, and the rendezvous servers to the end.

use super::Fault;
use super::check::name as check_name;
use super::encoding::{Base64, Hex};
use super::print::{self, Printer};
use super::read::Source;
use crate::dns::text::Tokens;
use crate::dns::wire::{Reader, WireError};

/// Reads algorithm, tag and key, each one field, and names to the end of the record.
pub(super) fn read<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let algorithm = source.u8()?;
    let (mut tag, mut key) = (Vec::new(), Vec::new());
    let mut hex = Hex::new(&mut tag);
    hex.push(source.text()?)?;
    hex.finish()?;
    let mut base64 = Base64::new(&mut key);
    base64.push(source.text()?)?;
    base64.finish()?;
    let tag_length = u8::try_from(tag.len()).map_err(|_| Fault::OutOfRange)?;
    let key_length = u16::try_from(key.len()).map_err(|_| Fault::OutOfRange)?;
    out.extend([tag_length, algorithm]);
    out.extend(key_length.to_be_bytes());
    out.extend(tag);
    out.extend(key);
    while source.peek().is_some() {
        source.name(out)?;
    }
    Ok(())
}

/// Tag and key are there, and names follow.
pub(super) fn check(reader: &mut Reader<'_>) -> Result<(), WireError> {
    check_identity(reader).map_err(|_| WireError::BadField)?;
    while !reader.is_at_end() {
        check_name(reader)?;
    }
    Ok(())
}

fn check_identity(reader: &mut Reader<'_>) -> Result<(), WireError> {
    let (tag_length, _, key_length) = (reader.u8()?, reader.u8()?, reader.u16()?);
    if tag_length == 0 || key_length == 0 {
        return Err(WireError::BadField);
    }
    reader.take(usize::from(tag_length))?;
    reader.take(usize::from(key_length)).map(|_| ())
}

/// Prints the record; tag and key are not broken, for they are one field each.
pub(super) fn print(reader: &mut Reader<'_>, to: &mut Printer<'_, '_>) -> Result<(), WireError> {
    let (tag_length, algorithm, key_length) = (reader.u8()?, reader.u8()?, reader.u16()?);
    to.word(algorithm);
    to.hex_unbroken(reader.take(usize::from(tag_length))?);
    to.base64_unbroken(reader.take(usize::from(key_length))?);
    while !reader.is_at_end() {
        to.word(print::name(reader)?);
    }
    Ok(())
}
