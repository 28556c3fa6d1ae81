//! `sortlist`: in which order a client gets the addresses of an answer.
//!
//! The first rule whose clients hold the client decides. Its groups are lists of addresses, the best first; addresses
//! of one group stay in the order that they have, and those of no group come behind them all.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::net::IpAddr;

use super::acl::{Acl, Peer};
use crate::dns::Rtype;

/// What some clients get first.
#[derive(Debug, Clone, PartialEq)]
pub struct SortRule {
    /// Who.
    pub clients: Acl,
    /// Which addresses, in order; none: nothing is sorted for these clients.
    pub groups: Box<[Group]>,
}

/// Addresses that are as good as each other.
#[derive(Debug, Clone, PartialEq)]
pub struct Group {
    /// They come last of all, behind those of no group.
    pub is_last: bool,
    /// Which.
    pub addresses: Acl,
}

/// What this client gets first.
pub(super) fn groups_for(rules: &[SortRule], client: IpAddr) -> &[Group] {
    let rule = rules.iter().find(|rule| rule.clients.allows(Peer { address: client, key: None }));
    rule.map_or(&[], |rule| &rule.groups)
}

/// Whether records of this type are sorted.
pub(super) fn is_sorted(rtype: Rtype) -> bool {
    matches!(rtype, Rtype::A | Rtype::AAAA)
}

/// Where the data of an address record stand: the smaller, the earlier.
pub(super) fn rank(groups: &[Group], rdata: &[u8]) -> usize {
    let Some(address) = address(rdata) else { return UNLISTED };
    let peer = Peer { address, key: None };
    match groups.iter().enumerate().find(|(_, group)| group.addresses.allows(peer)) {
        Some((place, Group { is_last: true, .. })) => usize::MAX.saturating_sub(place),
        Some((place, _)) => place,
        None => UNLISTED,
    }
}

fn address(rdata: &[u8]) -> Option<IpAddr> {
    let v4 = || <[u8; 4]>::try_from(rdata).ok().map(IpAddr::from);
    v4().or_else(|| <[u8; 16]>::try_from(rdata).ok().map(IpAddr::from))
}

/// The rank of what is in no group.
const UNLISTED: usize = usize::MAX / 2;
