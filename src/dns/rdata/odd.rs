//! The fields that only one or two types have: which module reads, checks and prints each.

use super::print::Printer;
use super::read::Source;
use super::{Fault, Field, apl, gateway, hip, loc, old, svcb, types};
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
        Field::SomeTypes if source.peek().is_none() => {
            source.optional();
            Err(WireError::BadField.into())
        }
        Field::SomeTypes => types::read(source, out),
        Field::NxtTypes => types::read_nxt(source, out),
        Field::Apl => apl::read(source, out),
        Field::Loc => loc::read(source, out),
        Field::Nsap => old::read_nsap(source, out),
        Field::Wks => old::read_wks(source, out),
        Field::A6 => old::read_a6(source, out),
        Field::Atma => old::read_atma(source, out),
        Field::Gateway => gateway::read(source, out),
        Field::AmtRelay => gateway::read_relay(source, out),
        Field::Hip => hip::read(source, out),
        Field::SvcParams => svcb::read(source, out),
        _ => Err(Fault::UnknownType),
    }
}

/// Whether wire data is right.
pub(super) fn check(field: Field, reader: &mut Reader<'_>) -> Result<(), WireError> {
    match field {
        Field::Types => types::check(reader),
        Field::SomeTypes if reader.is_at_end() => Err(WireError::BadField),
        Field::SomeTypes => types::check(reader),
        Field::NxtTypes => types::check_nxt(reader),
        Field::Apl => apl::check(reader),
        Field::Loc => loc::check(reader),
        Field::Wks => old::check_wks(reader),
        Field::A6 => old::check_a6(reader),
        Field::Atma => old::check_atma(reader),
        Field::Gateway => gateway::check(reader),
        Field::AmtRelay => gateway::check_relay(reader),
        Field::Hip => hip::check(reader),
        Field::SvcParams => svcb::check(reader),
        _ => Err(WireError::BadField),
    }
}

/// Wire to text.
pub(super) fn print(field: Field, reader: &mut Reader<'_>, to: &mut Printer<'_, '_>) -> Result<(), WireError> {
    match field {
        Field::Types | Field::SomeTypes => types::print(reader, to),
        Field::NxtTypes => {
            types::print_nxt(reader, to);
            Ok(())
        }
        Field::Apl => apl::print(reader, to),
        Field::Loc => loc::print(reader, to),
        Field::Nsap => {
            old::print_nsap(reader, to);
            Ok(())
        }
        Field::Wks => old::print_wks(reader, to),
        Field::A6 => old::print_a6(reader, to),
        Field::Atma => old::print_atma(reader, to),
        Field::Gateway => gateway::print(reader, to),
        Field::AmtRelay => gateway::print_relay(reader, to),
        Field::Hip => hip::print(reader, to),
        Field::SvcParams => svcb::print(reader, to),
        _ => Err(WireError::BadField),
    }
}
