//! The names that an update touches, as they are after each of its changes.

use std::collections::BTreeMap;
use std::collections::BTreeSet;

use super::read::covered;
use crate::dns::{Class, Name, NameRef, Rtype, rdata};
use crate::zone::journal::{Changes, Transaction};
use crate::zone::{Node, Rrset, ZoneVersion};

/// A record at a name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Rr {
    pub(super) rtype: Rtype,
    pub(super) ttl: u32,
    pub(super) rdata: Vec<u8>,
}

impl Rr {
    /// Of signatures, what they cover.
    pub(super) fn covered(&self) -> Option<Rtype> {
        covered(self.rtype, &self.rdata)
    }

    /// Whether it is in the RRset of this type, or of the signatures of it. All signatures together are no RRset.
    pub(super) fn is_in(&self, rtype: Rtype, of: Option<Rtype>) -> bool {
        self.rtype == rtype && self.covered() == of
    }

    /// Whether the data is the same, letters of either case being alike where DNSSEC has it so.
    pub(super) fn has(&self, class: Class, data: &[u8]) -> bool {
        rdata::compare(rdata::in_class(self.rtype, class), &self.rdata, data).is_eq()
    }
}

/// A name that is touched.
struct Touched {
    /// The owner as the zone has it.
    owner: Name,
    before: Vec<Rr>,
    now: Vec<Rr>,
    /// The types that there have been so far, those that are gone again among them; of signatures with what they cover.
    types: BTreeSet<(Rtype, Option<Rtype>)>,
}

/// A version with changes to some of its names.
pub(super) struct Draft<'v> {
    version: &'v ZoneVersion,
    names: BTreeMap<Name, Touched>,
}

impl<'v> Draft<'v> {
    /// No changes yet.
    pub(super) fn of(version: &'v ZoneVersion) -> Self {
        Self { version, names: BTreeMap::new() }
    }

    pub(super) fn version(&self) -> &'v ZoneVersion {
        self.version
    }

    pub(super) fn is_apex(&self, owner: NameRef<'_>) -> bool {
        owner == self.version.apex()
    }

    /// The records at a name.
    pub(super) fn at(&mut self, owner: &Name) -> &mut Vec<Rr> {
        &mut self.touch(owner).now
    }

    /// How many types there have been at a name, if this is one more. BIND: what goes counts until all has been made.
    pub(super) fn one_more_type(&mut self, owner: &Name, rtype: Rtype, of: Option<Rtype>) -> Option<usize> {
        let types = &mut self.touch(owner).types;
        types.insert((rtype, of)).then_some(types.len())
    }

    fn touch(&mut self, owner: &Name) -> &mut Touched {
        let version = self.version;
        let touched = || {
            let node = version.node(owner.as_ref());
            let before = node.map(|node| records(&node)).unwrap_or_default();
            let owner = node.map_or_else(|| owner.clone(), |node| node.owner().as_ref().to_name());
            let types = before.iter().map(|rr| (rr.rtype, rr.covered())).collect();
            Touched { owner, now: before.clone(), before, types }
        };
        self.names.entry(owner.clone()).or_insert_with(touched)
    }

    /// Whether there is an RRset of this type, or of signatures of it, at a name.
    pub(super) fn has(&mut self, owner: &Name, rtype: Rtype, of: Option<Rtype>) -> bool {
        self.at(owner).iter().any(|rr| rr.is_in(rtype, of))
    }

    /// Whether there is an RRset of this type at the apex, now and in the version.
    pub(super) fn has_at_apex(&mut self, rtype: Rtype) -> (bool, bool) {
        let had = self.version.apex_node().is_some_and(|apex| apex.rrset(rtype).is_some());
        let apex = self.version.apex().to_name();
        (self.has(&apex, rtype, None), had)
    }

    /// What was deleted and added at each name that has changed.
    pub(super) fn differences(&self) -> Vec<(&Name, Vec<&Rr>, Vec<&Rr>)> {
        let differences = self.names.values().map(|touched| {
            let (before, now) = (touched.before.iter().collect(), touched.now.iter().collect());
            let only = |these: &BTreeSet<_>, those: &BTreeSet<_>| these.difference(those).copied().collect::<Vec<_>>();
            (&touched.owner, only(&before, &now), only(&now, &before))
        });
        differences.filter(|(_, deleted, added)| !(deleted.is_empty() && added.is_empty())).collect()
    }

    pub(super) fn is_changed(&self) -> bool {
        !self.differences().is_empty()
    }

    /// What leads from the version to the draft, in named's order: SOA first, then by type, then by name.
    pub(super) fn transaction(&self) -> Option<Transaction> {
        let differences = self.differences();
        let mut changes = Changes::default();
        let deleted = differences.iter().flat_map(|(owner, deleted, _)| deleted.iter().map(move |rr| (*owner, *rr)));
        let added = differences.iter().flat_map(|(owner, _, added)| added.iter().map(move |rr| (*owner, *rr)));
        for mut records in [deleted.collect::<Vec<_>>(), added.collect()] {
            records.sort_by_key(|(_, rr)| (rr.rtype != Rtype::SOA, rr.rtype));
            for (owner, rr) in records {
                changes.push(owner.as_ref(), rr.rtype, self.version.class(), rr.ttl, &rr.rdata);
            }
        }
        changes.finish().ok()
    }
}

fn records(node: &Node<'_>) -> Vec<Rr> {
    let of_rrset = |rrset: Rrset<'_>| {
        let (rtype, ttl) = (rrset.rtype(), rrset.ttl());
        rrset.rdatas().map(move |data| Rr { rtype, ttl, rdata: data.to_vec() }).collect::<Vec<_>>()
    };
    node.rrsets().chain(node.signatures()).flat_map(of_rrset).collect()
}
