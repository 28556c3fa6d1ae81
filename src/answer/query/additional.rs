//! The additional section: what the records of an answer lead to, and glue.
//!
//! Most types lead to the addresses of a name. MX and SRV lead to the certificates of the service there as well (TLSA),
//! NAPTR to SRV records or addresses, HTTPS and SVCB over CNAMEs to addresses or, as an alias, to the HTTPS or SVCB
//! records of another name. What is added and leads further is followed in its turn, as BIND does. All of it is left
//! out where there is no room.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

mod lead;

use super::{Answer, Place, synthesised_owner, target};
use crate::dns::host::is_host;
use crate::dns::message::Section;
use crate::dns::writer::{Full, Owner};
use crate::dns::{NameBuf, NameRef, Rtype};
use crate::zone::{Match, Node, Rrset, ZoneVersion};
use lead::{ADDRESSES, Lead, TLSA, binding, certificates, name_behind, naptr, port};

/// An RRset of more records leads nowhere, and so does what comes behind it (CVE-2024-11187).
const MAX_RECORDS: usize = 13;
/// So many CNAMEs from a service binding to its target are followed; one more is added and not followed.
const MAX_CNAMES: usize = 17;
/// RRsets lead to each other over at most so many steps, and at most as many as `max-query-restarts` says.
const MAX_STEPS: u32 = 32;

/// Nothing more is added: there is no room, or an RRset on the way has too many records.
struct Enough;

impl From<Full> for Enough {
    fn from(_: Full) -> Self {
        Self
    }
}

/// An RRset that leads somewhere.
#[derive(Clone, Copy)]
struct Origin<'a> {
    place: &'a Place<'a>,
    owner: NameRef<'a>,
    rrset: Rrset<'a>,
    /// How many others led here.
    steps: u32,
}

/// A name that is led to, and where its records are.
struct Found<'v> {
    name: NameRef<'v>,
    node: Node<'v>,
    is_wildcard: bool,
}

impl Answer<'_, '_> {
    /// Adds what the view has of what the records of an RRset lead to, as far as there is room.
    pub(super) fn add_additional(&mut self, place: &Place<'_>, rrset: Rrset<'_>) {
        if let Some(lead) = Lead::of(rrset.rtype()) {
            let _ = self.follow_lead(lead, Origin { place, owner: place.name, rrset, steps: 0 });
        }
    }

    fn follow_lead(&mut self, lead: Lead, origin: Origin<'_>) -> Result<(), Enough> {
        if origin.rrset.len() > MAX_RECORDS {
            return Err(Enough);
        }
        let mut rdatas = origin.rrset.rdatas();
        match lead {
            Lead::Name { at, wanted } => rdatas.try_for_each(|rdata| self.add(origin, name_behind(rdata, at), wanted)),
            Lead::Service { at, port } => self.add_services(origin, at, port),
            Lead::Naptr => rdatas.try_for_each(|rdata| {
                naptr(rdata).map_or(Ok(()), |(name, wanted)| self.add(origin, Some(name), wanted))
            }),
            Lead::Binding => rdatas.try_for_each(|rdata| self.add_bound(origin, rdata)),
        }
    }

    /// Adds the addresses of services first, then their certificates.
    fn add_services(&mut self, origin: Origin<'_>, at: usize, fixed: Option<u16>) -> Result<(), Enough> {
        let host = |rdata| name_behind(rdata, at).filter(|name| !name.is_root());
        origin.rrset.rdatas().try_for_each(|rdata| self.add(origin, host(rdata), ADDRESSES))?;
        origin.rrset.rdatas().try_for_each(|rdata| {
            let name = host(rdata).zip(fixed.or_else(|| port(rdata))).and_then(|(host, port)| certificates(host, port));
            self.add(origin, name.as_ref().map(NameBuf::as_ref), TLSA)
        })
    }

    /// Adds RRsets of a name.
    fn add(&mut self, origin: Origin<'_>, name: Option<NameRef<'_>>, wanted: &[Rtype]) -> Result<(), Enough> {
        let Some(name) = name else { return Ok(()) };
        self.at(origin.place, name, |answer, found| answer.add_wanted(origin, found, wanted))
    }

    fn add_wanted(&mut self, origin: Origin<'_>, found: &Found<'_>, wanted: &[Rtype]) -> Result<(), Enough> {
        let mut rrsets = wanted.iter().filter_map(|&rtype| found.node.rrset(rtype));
        rrsets.try_for_each(|rrset| self.add_rrset(origin, found, rrset))
    }

    /// Adds what a service binding leads to, and the CNAMEs on the way there.
    fn add_bound(&mut self, origin: Origin<'_>, rdata: &[u8]) -> Result<(), Enough> {
        let Some((target, is_alias)) = binding(rdata) else { return Ok(()) };
        if target.is_root() {
            // The owner itself serves; an alias to nowhere says that there is no service (RFC 9460 section 2.5).
            let is_own = !is_alias && !origin.owner.is_root() && is_host(origin.owner, false);
            return self.add(origin, Some(origin.owner).filter(|_| is_own), ADDRESSES);
        }
        let mut next = Some(NameBuf::from_name(target));
        for _ in 0..=MAX_CNAMES {
            let Some(name) = next else { break };
            let add = |answer: &mut Self, found: &Found<'_>| answer.add_bound_at(origin, found, is_alias);
            next = self.at(origin.place, name.as_ref(), add)?;
        }
        Ok(())
    }

    /// The same at one name. Where a CNAME leads from there, if there is one.
    fn add_bound_at(
        &mut self,
        origin: Origin<'_>,
        found: &Found<'_>,
        is_alias: bool,
    ) -> Result<Option<NameBuf>, Enough> {
        if let Some(cname) = found.node.rrset(Rtype::CNAME) {
            self.add_rrset(origin, found, cname)?;
            return Ok(target(cname).map(NameBuf::from_name));
        }
        let own = [origin.rrset.rtype()];
        let wanted = if is_alias && found.node.rrset(origin.rrset.rtype()).is_some() { &own } else { ADDRESSES };
        self.add_wanted(origin, found, wanted).map(|()| None)
    }

    /// Adds an RRset, and what it leads to.
    fn add_rrset(&mut self, origin: Origin<'_>, found: &Found<'_>, rrset: Rrset<'_>) -> Result<(), Enough> {
        let is_new = if found.is_wildcard {
            let owner = synthesised_owner(found.name, &found.node);
            self.records.add_additional(owner.as_ref(), rrset, true)?
        } else {
            self.records.add_additional(found.node.owner().as_ref(), rrset, false)?
        };
        let lead = Lead::of(rrset.rtype()).filter(|_| is_new);
        if origin.steps >= self.query.view.max_restarts.min(MAX_STEPS) {
            return Ok(());
        }
        let steps = origin.steps.saturating_add(1);
        lead.map_or(Ok(()), |lead| self.follow_lead(lead, Origin { owner: found.name, rrset, steps, ..origin }))
    }

    /// Finds a name in whatever zone of the view it belongs to. Glue and what is hidden by a DNAME are no such data.
    fn at<T: Default>(
        &mut self,
        place: &Place<'_>,
        name: NameRef<'_>,
        then: impl FnOnce(&mut Self, &Found<'_>) -> Result<T, Enough>,
    ) -> Result<T, Enough> {
        let view = self.query.view;
        let Some(zone) = view.zones.find(name, self.suffixes) else { return Ok(T::default()) };
        if std::ptr::eq(&raw const **zone, place.zone) {
            return self.at_in(place.version, name, then);
        }
        if !self.may_enter(zone) || self.denied_by(zone).is_some() {
            return Ok(T::default());
        }
        let contents = zone.contents();
        contents.as_deref().map_or(Ok(T::default()), |version| self.at_in(version, name, then))
    }

    fn at_in<T: Default>(
        &mut self,
        version: &ZoneVersion,
        name: NameRef<'_>,
        then: impl FnOnce(&mut Self, &Found<'_>) -> Result<T, Enough>,
    ) -> Result<T, Enough> {
        let found = version.find_below(name, self.spare);
        if found.cut.is_some() || found.dname.is_some() {
            return Ok(T::default());
        }
        match (found.matched, found.wildcard) {
            (Match::Node(node), _) => then(self, &Found { name, node, is_wildcard: false }),
            (Match::Missing, Match::Node(node)) => then(self, &Found { name, node, is_wildcard: true }),
            _ => Ok(T::default()),
        }
    }
}

/// Glue.
impl Answer<'_, '_> {
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
            Some(node) if node.is_occluded() || node.is_cut() => self.add_addresses_of(&node),
            _ => Ok(()),
        }
    }

    fn add_addresses_of(&mut self, node: &Node<'_>) -> Result<(), Full> {
        let owner = node.owner();
        for rrset in ADDRESSES.iter().filter_map(|&rtype| node.rrset(rtype)) {
            self.records.add(Section::Additional, Owner::Name(owner.as_ref()), rrset)?;
        }
        Ok(())
    }
}
