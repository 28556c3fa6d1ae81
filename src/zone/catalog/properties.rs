//! Properties of members: whom to ask, whom to notify, and who may ask and transfer.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::read::Fault;
use crate::dns::{Name, Rtype};
use crate::zone::Rrset;

/// What a catalog says of its members, or of one.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Properties {
    /// Whom to ask; empty: whom the configuration says.
    pub primaries: Vec<Server>,
    /// Whom to notify besides; empty: whom the configuration says. BIND has no such property.
    pub also_notify: Vec<Server>,
    /// Who may ask.
    pub allow_query: Option<Vec<Access>>,
    /// Who may transfer.
    pub allow_transfer: Option<Vec<Access>>,
}

/// A server to ask or to notify.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub struct Server {
    /// What stands in front of the property, for the records of a server with a key.
    label: Box<[Box<[u8]>]>,
    /// Its address; a labelled one may have a key alone, and is no server then.
    pub address: Option<IpAddr>,
    /// The name of its key.
    pub key: Option<Name>,
}

/// An element of an access list.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Access {
    /// `!`: a match here means no.
    pub is_negated: bool,
    /// Which addresses.
    pub network: IpNet,
}

/// Which property a record is of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Property {
    Primaries,
    AlsoNotify,
    AllowQuery,
    AllowTransfer,
}

impl Property {
    /// By its label.
    pub(super) fn from_label(label: &[u8]) -> Option<Self> {
        match label {
            b"primaries" | b"masters" => Some(Self::Primaries),
            b"also-notify" => Some(Self::AlsoNotify),
            b"allow-query" => Some(Self::AllowQuery),
            b"allow-transfer" => Some(Self::AllowTransfer),
            _ => None,
        }
    }
}

impl Properties {
    /// Takes the records of a property; `label` is what stands in front of it.
    pub(super) fn take(&mut self, property: Property, label: &[&[u8]], rrset: &Rrset<'_>) -> Result<(), Fault> {
        match (property, label) {
            (Property::Primaries, label) => list(&mut self.primaries, label, rrset),
            (Property::AlsoNotify, label) => list(&mut self.also_notify, label, rrset),
            (_, [_, ..]) => Err(Fault::Failure),
            (Property::AllowQuery, []) => access_list(rrset).map(|list| self.allow_query = Some(list)),
            (Property::AllowTransfer, []) => access_list(rrset).map(|list| self.allow_transfer = Some(list)),
        }
    }

    /// The same, with the catalog's in the place of those that are not there.
    pub(super) fn over(self, catalog: &Self) -> Self {
        Self {
            primaries: if self.primaries.is_empty() { catalog.primaries.clone() } else { self.primaries },
            also_notify: if self.also_notify.is_empty() { catalog.also_notify.clone() } else { self.also_notify },
            allow_query: self.allow_query.or_else(|| catalog.allow_query.clone()),
            allow_transfer: self.allow_transfer.or_else(|| catalog.allow_transfer.clone()),
        }
    }
}

/// Lists the servers of these records.
fn list(servers: &mut Vec<Server>, label: &[&[u8]], rrset: &Rrset<'_>) -> Result<(), Fault> {
    if label.is_empty() { add(servers, rrset) } else { set(servers, label, rrset) }
}

/// Addresses without a label: servers without keys.
fn add(servers: &mut Vec<Server>, rrset: &Rrset<'_>) -> Result<(), Fault> {
    for rdata in rrset.rdatas() {
        let address = Some(address(rrset.rtype(), rdata).ok_or(Fault::Failure)?);
        servers.push(Server { address, ..Server::default() });
    }
    Ok(())
}

/// The address or the key of the server with this label. BIND: of several records the first counts.
fn set(servers: &mut Vec<Server>, label: &[&[u8]], rrset: &Rrset<'_>) -> Result<(), Fault> {
    let rdata = rrset.rdatas().next().ok_or(Fault::Failure)?;
    let (address, key) = match rrset.rtype() {
        Rtype::TXT => (None, Some(Name::from_text(only_string(rdata).ok_or(Fault::Failure)?)?)),
        rtype => (Some(address(rtype, rdata).ok_or(Fault::Failure)?), None),
    };
    let label: Box<[Box<[u8]>]> = label.iter().map(|part| (*part).into()).collect();
    match servers.iter_mut().find(|server| server.label == label) {
        Some(server) => {
            server.address = address.or(server.address);
            server.key = key.or_else(|| server.key.take());
        }
        None => servers.push(Server { label, address, key }),
    }
    Ok(())
}

fn address(rtype: Rtype, rdata: &[u8]) -> Option<IpAddr> {
    match rtype {
        Rtype::A => <[u8; 4]>::try_from(rdata).ok().map(IpAddr::from),
        Rtype::AAAA => <[u8; 16]>::try_from(rdata).ok().map(IpAddr::from),
        _ => None,
    }
}

/// The text of a TXT record that has only one string.
pub(super) fn only_string(rdata: &[u8]) -> Option<&[u8]> {
    let (&length, text) = rdata.split_first()?;
    (usize::from(length) == text.len()).then_some(text)
}

/// The list of the first APL record; elements of other families than IPv4 and IPv6 are left out, as BIND does.
fn access_list(rrset: &Rrset<'_>) -> Result<Vec<Access>, Fault> {
    let first = rrset.rdatas().next().filter(|_| rrset.rtype() == Rtype::APL);
    let (mut rest, mut list) = (first.ok_or(Fault::Failure)?, Vec::new());
    while let [family_high, family_low, bits, length, tail @ ..] = rest {
        let (is_negated, length) = (length & NEGATED != 0, usize::from(length & !NEGATED));
        let (address, tail) = tail.split_at_checked(length).ok_or(Fault::Failure)?;
        let address = match u16::from_be_bytes([*family_high, *family_low]) {
            1 => padded(address).map(|bytes| IpAddr::V4(Ipv4Addr::from(bytes))),
            2 => padded(address).map(|bytes| IpAddr::V6(Ipv6Addr::from(bytes))),
            _ => None,
        };
        let network = address.and_then(|address| IpNet::new(address, *bits).ok());
        list.extend(network.map(|network| Access { is_negated, network }));
        rest = tail;
    }
    Ok(list)
}

/// An address whose last zero bytes were left out.
fn padded<const N: usize>(bytes: &[u8]) -> Option<[u8; N]> {
    let mut whole = [0; N];
    whole.get_mut(..bytes.len())?.copy_from_slice(bytes);
    Some(whole)
}

/// The bit of the length byte that turns an element of an APL record around (RFC 3123 section 4).
const NEGATED: u8 = 0x80;
