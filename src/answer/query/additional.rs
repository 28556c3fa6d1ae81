//! The additional section: addresses of the names that NS, MX, SRV and their like point to, and glue.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{Answer, Place, synthesised_owner};
use crate::dns::message::Section;
use crate::dns::writer::{Full, Owner};
use crate::dns::{NameRef, Rtype};
use crate::zone::{Match, Node, Rrset, ZoneVersion};

/// Addresses are looked up for at most so many targets; an RRset with more gets none at all (CVE-2024-11187).
const MAX_TARGETS: usize = 13;
/// What is added for a target, in this order.
const ADDRESSES: [Rtype; 2] = [Rtype::A, Rtype::AAAA];

impl Answer<'_, '_> {
    /// Adds what the view has of addresses for the targets of an RRset, as far as there is room.
    pub(super) fn add_addresses(&mut self, place: &Place<'_>, rrset: Rrset<'_>) {
        let Some(before) = bytes_before_target(rrset.rtype()) else { return };
        if rrset.len() > MAX_TARGETS {
            return;
        }
        for rdata in rrset.rdatas() {
            let target = rdata.get(before..).and_then(|rest| NameRef::from_prefix(rest).ok());
            let _ = target.filter(|target| !target.is_root()).map_or(Ok(()), |target| self.add_target(place, target));
        }
    }

    /// Adds the addresses of a name from whatever zone of the view it belongs to. Glue is no such data.
    fn add_target(&mut self, place: &Place<'_>, target: NameRef<'_>) -> Result<(), Full> {
        let view = self.query.view;
        let Some(zone) = view.zones.find(target, self.suffixes) else { return Ok(()) };
        if std::ptr::eq(&raw const **zone, place.zone) {
            return self.add_found(place.version, target);
        }
        if !self.may_enter(zone) || self.denied_by(zone).is_some() {
            return Ok(());
        }
        let contents = zone.contents();
        contents.as_deref().map_or(Ok(()), |version| self.add_found(version, target))
    }

    fn add_found(&mut self, version: &ZoneVersion, target: NameRef<'_>) -> Result<(), Full> {
        let found = version.find_below(target, self.spare);
        if found.cut.is_some() || found.dname.is_some() {
            return Ok(());
        }
        match (found.matched, found.wildcard) {
            (Match::Node(node), _) => self.add_addresses_of(&node, node.owner().as_ref()),
            (Match::Missing, Match::Node(source)) => self.add_synthesised(&source, target),
            _ => Ok(()),
        }
    }

    fn add_addresses_of(&mut self, node: &Node<'_>, owner: NameRef<'_>) -> Result<(), Full> {
        for rrset in ADDRESSES.into_iter().filter_map(|rtype| node.rrset(rtype)) {
            self.records.add(Section::Additional, Owner::Name(owner), rrset)?;
        }
        Ok(())
    }

    /// The same out of a wildcard, whose RRsets may serve several names.
    fn add_synthesised(&mut self, source: &Node<'_>, target: NameRef<'_>) -> Result<(), Full> {
        let owner = synthesised_owner(target, source);
        for rrset in ADDRESSES.into_iter().filter_map(|rtype| source.rrset(rtype)) {
            self.records.add_again(Section::Additional, Owner::Name(owner.as_ref()), rrset, rrset.ttl())?;
        }
        Ok(())
    }

    /// Adds glue for a referral. Without the addresses of servers below the cut the referral leads nowhere, so they
    /// have to fit (RFC 9471); those of servers below other cuts are added as far as they do. Addresses that the zone
    /// holds with authority are no glue.
    pub(super) fn add_glue(&mut self, version: &ZoneVersion, cut: NameRef<'_>, ns: Rrset<'_>) -> Result<(), Full> {
        let targets = || ns.rdatas().map(NameRef::from_checked);
        let mut has_others = false;
        for target in targets().filter(|target| target.is_at_or_below(version.apex())) {
            match target.is_at_or_below(cut) {
                true => self.add_glue_of(version, target)?,
                false => has_others = true,
            }
        }
        let is_other = |target: &NameRef<'_>| target.is_at_or_below(version.apex()) && !target.is_at_or_below(cut);
        if has_others {
            let _ = targets().filter(is_other).try_for_each(|target| self.add_glue_of(version, target));
        }
        Ok(())
    }

    /// Adds as much of the glue for these servers as there is room for.
    pub(super) fn add_optional_glue(&mut self, place: &Place<'_>, ns: Rrset<'_>) {
        let names = ns.rdatas().filter_map(|rdata| NameRef::from_prefix(rdata).ok());
        let mut targets = names.filter(|target| target.is_at_or_below(place.version.apex()));
        let _ = targets.try_for_each(|target| self.add_glue_of(place.version, target));
    }

    /// The target is in the zone.
    fn add_glue_of(&mut self, version: &ZoneVersion, target: NameRef<'_>) -> Result<(), Full> {
        match version.node_below(target, self.spare) {
            Some(node) if node.is_occluded() || node.is_cut() => self.add_addresses_of(&node, node.owner().as_ref()),
            _ => Ok(()),
        }
    }
}

/// How many bytes of rdata stand before the name whose addresses help the client; none: there is no such name.
fn bytes_before_target(rtype: Rtype) -> Option<usize> {
    match rtype {
        Rtype::NS | Rtype::MB => Some(0),
        Rtype::MX | Rtype::AFSDB | Rtype::RT | Rtype::KX | Rtype::SVCB | Rtype::HTTPS => Some(2),
        Rtype::SRV => Some(6),
        _ => None,
    }
}
