//! `update-policy`: which of a zone's names and types somebody may change. The first rule that is about a change
//! decides.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::dns::{Name, NameRef, Rtype};

/// The rules of a zone, in order.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Grants(pub Vec<Grant>);

/// One rule.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Grant {
    /// `grant`, not `deny`.
    pub is_granted: bool,
    /// Whose key it is about; a wildcard is about all that are below.
    pub identity: Name,
    /// Which names it is about.
    pub matching: Matching,
    /// Which types, each with how many records of it may be at a name, 0 for any number; ANY is every type that is
    /// not named. None: all but those that hold a zone together.
    pub types: Vec<(Rtype, u16)>,
}

/// Which names a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Matching {
    /// This one.
    Name(Name),
    /// This one and what is below.
    Subdomain(Name),
    /// All of the zone.
    Zone,
    /// All of the zone, from this host.
    Local,
    /// What is below this wildcard's parent.
    Wildcard(Name),
    /// The name of the key.
    Itself,
    /// That, and what is below.
    SelfSub,
    /// What is below that.
    SelfWild,
    /// The reverse name of the address, over TCP.
    TcpSelf,
    /// That of the network that 6to4 makes of the address (RFC 3056), over TCP.
    SixToFour,
}

/// Who asks.
#[derive(Debug, Clone, Copy)]
pub struct Requester<'a> {
    /// The key whose MAC was right.
    pub key: Option<NameRef<'a>>,
    /// From where.
    pub address: IpAddr,
    /// Whether not over UDP.
    pub is_tcp: bool,
    /// Whether from this host.
    pub is_local: bool,
}

impl Grants {
    /// How many records of the type the requester may leave at a name, 0 for any number. None: it may not change them.
    pub fn most(&self, who: Requester<'_>, owner: NameRef<'_>, rtype: Rtype, apex: NameRef<'_>) -> Option<u16> {
        let found = self.0.iter().find_map(|grant| {
            let most = grant.most(rtype).filter(|_| grant.is_about(who, owner, apex))?;
            Some((grant.is_granted, most))
        });
        found.filter(|(is_granted, _)| *is_granted).map(|(_, most)| most)
    }
}

impl Grant {
    fn most(&self, rtype: Rtype) -> Option<u16> {
        let holds_together = matches!(rtype, Rtype::NS | Rtype::SOA | Rtype::RRSIG);
        match self.types[..] {
            [] if holds_together => None,
            [] => Some(0),
            ref types => {
                let of = |wanted| types.iter().find(|(known, _)| *known == wanted).map(|(_, most)| *most);
                of(rtype).or_else(|| of(Rtype::ANY))
            }
        }
    }

    fn is_about(&self, who: Requester<'_>, owner: NameRef<'_>, apex: NameRef<'_>) -> bool {
        let of_address = match self.matching {
            Matching::TcpSelf => Some(reverse_name(who.address)),
            Matching::SixToFour => Some(network_name(who.address)),
            _ => None,
        };
        if let Some(name) = of_address {
            return who.is_tcp && name.is_some_and(|name| self.is_identity(name.as_ref()) && name.as_ref() == owner);
        }
        let Some(key) = who.key.filter(|key| self.is_identity(*key)) else { return false };
        match &self.matching {
            Matching::Name(name) => owner == name.as_ref(),
            Matching::Subdomain(name) => owner.is_at_or_below(name.as_ref()),
            Matching::Zone => owner.is_at_or_below(apex),
            Matching::Local => who.is_local && owner.is_at_or_below(apex),
            Matching::Wildcard(name) => is_below_parent(owner, name.as_ref()),
            Matching::Itself => owner == key,
            Matching::SelfSub => owner.is_at_or_below(key),
            Matching::SelfWild => is_below(owner, key),
            Matching::TcpSelf | Matching::SixToFour => false,
        }
    }

    fn is_identity(&self, name: NameRef<'_>) -> bool {
        let identity = self.identity.as_ref();
        if identity.is_wildcard() { is_below_parent(name, identity) } else { name == identity }
    }
}

fn is_below(name: NameRef<'_>, other: NameRef<'_>) -> bool {
    name != other && name.is_at_or_below(other)
}

fn is_below_parent(name: NameRef<'_>, wildcard: NameRef<'_>) -> bool {
    wildcard.parent().is_some_and(|parent| is_below(name, parent))
}

/// The name under which an address is found in reverse.
fn reverse_name(address: IpAddr) -> Option<Name> {
    match address {
        IpAddr::V4(v4) => {
            let [a, b, c, d] = v4.octets();
            format!("{d}.{c}.{b}.{a}.in-addr.arpa.").parse().ok()
        }
        IpAddr::V6(v6) => nibbles(&v6.octets()).parse().ok(),
    }
}

/// The name of the network of 48 bits in which a host of this address is.
fn network_name(address: IpAddr) -> Option<Name> {
    let v6 = match address {
        IpAddr::V4(v4) => six_to_four(v4),
        IpAddr::V6(v6) => v6,
    };
    nibbles(v6.octets().get(..6)?).parse().ok()
}

fn six_to_four(v4: Ipv4Addr) -> Ipv6Addr {
    let [a, b, c, d] = v4.octets();
    Ipv6Addr::new(0x2002, u16::from_be_bytes([a, b]), u16::from_be_bytes([c, d]), 0, 0, 0, 0, 0)
}

fn nibbles(bytes: &[u8]) -> String {
    let labels = bytes.iter().rev().map(|byte| format!("{:x}.{:x}.", byte & 0xf, byte >> 4));
    labels.collect::<String>() + "ip6.arpa."
}
