//! Where a record leads: which RRsets of which name its client will ask for next.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::io::Write as _;

use crate::dns::{NameBuf, NameRef, Rtype};

/// What a name is led to for in most cases, in this order.
pub(super) const ADDRESSES: &[Rtype] = &[Rtype::A, Rtype::AAAA];
/// For RT records (RFC 1183 section 3.3).
const ROUTES: &[Rtype] = &[Rtype::X25, Rtype::ISDN, Rtype::A, Rtype::AAAA];
/// For LP records (RFC 6742 section 2.4).
const LOCATORS: &[Rtype] = &[Rtype::L32, Rtype::L64];
const SERVICES: &[Rtype] = &[Rtype::SRV];
pub(super) const TLSA: &[Rtype] = &[Rtype::TLSA];

/// Where mail is delivered.
const SMTP_PORT: u16 = 25;
/// The label behind that of the port in the names of TLSA records.
const TCP: &str = "\x04_tcp";
/// The most that a port takes as a label: its length, an underscore, five digits.
const MAX_PORT_LABEL: usize = 7;

/// Where the records of a type lead.
#[derive(Clone, Copy)]
pub(super) enum Lead {
    /// To these types at the name that stands behind so many bytes of rdata.
    Name { at: usize, wanted: &'static [Rtype] },
    /// To the addresses of the name there, unless it is the root, and to the certificates of the service at this port.
    /// Without one it is told by [`port`].
    Service { at: usize, port: Option<u16> },
    /// See [`naptr`].
    Naptr,
    /// See [`binding`].
    Binding,
}

impl Lead {
    /// None: there is nothing that helps the client.
    #[inline]
    pub(super) fn of(rtype: Rtype) -> Option<Self> {
        match rtype {
            Rtype::NS | Rtype::MB => Some(Self::Name { at: 0, wanted: ADDRESSES }),
            Rtype::MX => Some(Self::Service { at: 2, port: Some(SMTP_PORT) }),
            Rtype::SRV => Some(Self::Service { at: 6, port: None }),
            Rtype::AFSDB | Rtype::KX => Some(Self::Name { at: 2, wanted: ADDRESSES }),
            Rtype::RT => Some(Self::Name { at: 2, wanted: ROUTES }),
            Rtype::LP => Some(Self::Name { at: 2, wanted: LOCATORS }),
            Rtype::NAPTR => Some(Self::Naptr),
            Rtype::SVCB | Rtype::HTTPS => Some(Self::Binding),
            _ => None,
        }
    }
}

/// The name behind so many bytes.
pub(super) fn name_behind(rdata: &[u8], bytes: usize) -> Option<NameRef<'_>> {
    NameRef::from_prefix(rdata.get(bytes..)?).ok()
}

/// Where the first flag that says something about it leads (RFC 3403 section 4.1): "S" to SRV records, "A"
/// to addresses.
pub(super) fn naptr(rdata: &[u8]) -> Option<(NameRef<'_>, &'static [Rtype])> {
    let (flags, rest) = text(rdata.get(4..)?)?;
    let wanted = flags.iter().find_map(|flag| match flag.to_ascii_uppercase() {
        b'S' => Some(SERVICES),
        b'A' => Some(ADDRESSES),
        _ => None,
    })?;
    let (_services, rest) = text(rest)?;
    let (_expression, rest) = text(rest)?;
    Some((NameRef::from_prefix(rest).ok()?, wanted))
}

/// A character-string, and what is behind it.
fn text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (&length, rest) = bytes.split_first()?;
    rest.split_at_checked(length.into())
}

/// The target of an HTTPS or SVCB record, and whether it is an alias: of priority 0 (RFC 9460 section 2.4.1).
pub(super) fn binding(rdata: &[u8]) -> Option<(NameRef<'_>, bool)> {
    let (priority, rest) = rdata.split_first_chunk()?;
    Some((NameRef::from_prefix(rest).ok()?, *priority == [0, 0]))
}

/// The name of the certificates of a service at a host (RFC 6698 section 3). None: it would be too long.
pub(super) fn certificates(host: NameRef<'_>, port: u16) -> Option<NameBuf> {
    let mut labels = [0; MAX_PORT_LABEL + TCP.len()];
    let mut rest = labels.as_mut_slice();
    write!(rest, "\0_{port}{TCP}").ok()?;
    let left = rest.len();
    let length = labels.len().checked_sub(left)?;
    *labels.first_mut()? = u8::try_from(length.checked_sub(TCP.len())?.checked_sub(1)?).ok()?;
    NameBuf::join(labels.get(..length)?, host).ok()
}

/// The port in an SRV record.
pub(super) fn port(rdata: &[u8]) -> Option<u16> {
    Some(u16::from_be_bytes(*rdata.get(4..)?.first_chunk()?))
}
