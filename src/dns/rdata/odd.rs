//! The fields that only one or two types have: which module reads, checks and prints each.

use super::print::Printer;
use super::read::Source;
use super::{Fault, Field, types};
use crate::dns::text::Tokens;
use crate::dns::wire::{Reader, WireError};

/// Text to wire.
pub(super) fn read<'a, T: Tokens<'a>>(
    field: Field,
    source: &mut Source<'a, '_, '_, T>,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    match field {
        Field::Types => types::read(source, out),
        Field::NxtTypes => types::read_nxt(source, out),
        _ => Err(Fault::UnknownType),
    }
}

/// Whether wire data is right.
pub(super) fn check(field: Field, reader: &mut Reader<'_>) -> Result<(), WireError> {
    match field {
        Field::NxtTypes => types::check_nxt(reader),
        _ => Err(WireError::BadField),
    }
}

/// Wire to text.
pub(super) fn print(field: Field, reader: &mut Reader<'_>, to: &mut Printer<'_, '_>) -> Result<(), WireError> {
    match field {
        Field::NxtTypes => types::print_nxt(reader, to),
        _ => return Err(WireError::BadField),
    }
    Ok(())
}
