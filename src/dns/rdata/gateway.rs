//! IPSECKEY (RFC 4025) and AMTRELAY (RFC 8777): both name a host in a form that a number in front of it tells: none, an
//! IPv4 or IPv6 address, or a domain name.

use super::Fault;
use super::check::name as check_name;
use super::print::{self, Printer};
use super::read::{self, Source};
use crate::dns::text::Tokens;
use crate::dns::wire::{Reader, WireError};

const NONE: u8 = 0;
const IP4: u8 = 1;
const IP6: u8 = 2;
const NAME: u8 = 3;
/// In the type byte of AMTRELAY: the relay may be used without discovery.
const DISCOVERY_OPTIONAL: u8 = 0x80;

/// Reads what stands behind the precedence of IPSECKEY: gateway type, algorithm, gateway, key.
pub(super) fn read<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let form = source.number(u32::from(NAME))? as u8;
    let algorithm = source.u8()?;
    out.extend([form, algorithm]);
    read_host(form, source, out)?;
    read::base64(source, false, out)
}

/// Reads what stands behind the precedence of AMTRELAY: the discovery bit, relay type, relay.
pub(super) fn read_relay<'a, T: Tokens<'a>>(
    source: &mut Source<'a, '_, '_, T>,
    out: &mut Vec<u8>,
) -> Result<(), Fault> {
    let discovery = source.number(1)? as u8;
    let form = source.number(u32::from(!DISCOVERY_OPTIONAL))? as u8;
    out.push(discovery << 7 | form);
    read_host(form, source, out)
}

fn read_host<'a, T: Tokens<'a>>(form: u8, source: &mut Source<'a, '_, '_, T>, out: &mut Vec<u8>) -> Result<(), Fault> {
    match form {
        NONE if source.text()? == b"." => {}
        NONE => return Err(Fault::Syntax),
        IP4 => out.extend(read::ip4(source.text()?)?),
        IP6 => out.extend(read::ip6(source.text()?)?),
        NAME => source.name(out)?,
        _ => {
            source.token()?;
            source.pass_over();
            return Err(Fault::NotImplemented);
        }
    }
    Ok(())
}

/// The same on the wire. A key may be missing if the algorithm says that there is none (RFC 4025 section 2.4).
pub(super) fn check(reader: &mut Reader<'_>) -> Result<(), WireError> {
    let (form, algorithm) = (reader.u8()?, reader.u8()?);
    if form > NAME {
        return Err(WireError::BadField);
    }
    check_host(form, reader)?;
    if reader.rest().is_empty() && algorithm != 0 { Err(WireError::Truncated) } else { Ok(()) }
}

/// The same on the wire; of relay types to come nothing is known.
pub(super) fn check_relay(reader: &mut Reader<'_>) -> Result<(), WireError> {
    match reader.u8()? & !DISCOVERY_OPTIONAL {
        form if form <= NAME => check_host(form, reader),
        _ => {
            reader.rest();
            Ok(())
        }
    }
}

fn check_host(form: u8, reader: &mut Reader<'_>) -> Result<(), WireError> {
    match form {
        IP4 => reader.take(4).map(|_| ()),
        IP6 => reader.take(16).map(|_| ()),
        NAME => check_name(reader),
        _ => Ok(()),
    }
}

/// Prints what stands behind the precedence of IPSECKEY.
pub(super) fn print(reader: &mut Reader<'_>, to: &mut Printer<'_, '_>) -> Result<(), WireError> {
    let (form, algorithm) = (reader.u8()?, reader.u8()?);
    to.word(form);
    to.word(algorithm);
    print_host(form, reader, to)?;
    to.base64(reader.rest());
    Ok(())
}

/// Prints what stands behind the precedence of AMTRELAY.
pub(super) fn print_relay(reader: &mut Reader<'_>, to: &mut Printer<'_, '_>) -> Result<(), WireError> {
    let byte = reader.u8()?;
    let form = byte & !DISCOVERY_OPTIONAL;
    to.word(byte >> 7);
    to.word(form);
    print_host(form, reader, to)
}

fn print_host(form: u8, reader: &mut Reader<'_>, to: &mut Printer<'_, '_>) -> Result<(), WireError> {
    match form {
        NONE => to.word('.'),
        IP4 => to.word(print::ip4(reader)?),
        IP6 => to.word(print::ip6(reader)?),
        NAME => to.word(print::name(reader)?),
        _ => return Err(WireError::BadField),
    }
    Ok(())
}
