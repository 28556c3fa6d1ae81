//! What changed from one version of a zone to another, as a transaction of its journal.
//!
//! The order is named's: deletions before additions, in both the SOA record first and then by type, names in canonical
//! order. Records whose TTL changed are deleted and added. What both versions have in common costs a comparison.

use std::cmp::Ordering;

use super::journal::{Changes, Transaction};
use super::node::{Node, Rrset};
use super::{Cursor, ZoneVersion};
use crate::dns::{Class, NameBuf, Rtype, rdata};

/// What leads from `old` to `new`. None if the serial does not rise, since no journal has such a transaction.
pub fn diff(old: &ZoneVersion, new: &ZoneVersion) -> Option<Transaction> {
    Found::between(old, new).transaction()
}

/// The same; none as well if names are spelled anew, which no transaction says.
pub fn diff_in_full(old: &ZoneVersion, new: &ZoneVersion) -> Option<Transaction> {
    let found = Found::between(old, new);
    if found.is_respelled { None } else { found.transaction() }
}

/// Whether two versions have the same records.
pub fn is_same(old: &ZoneVersion, new: &ZoneVersion) -> bool {
    let found = Found::between(old, new);
    found.deletions.is_empty() && found.additions.is_empty()
}

/// The records that one version has and the other has not.
struct Found<'v> {
    class: Class,
    deletions: Vec<Record<'v>>,
    additions: Vec<Record<'v>>,
    /// Whether a name that both have differs in its case.
    is_respelled: bool,
}

/// A record of one of the versions.
#[derive(Clone, Copy)]
struct Record<'v> {
    node: Node<'v>,
    rtype: Rtype,
    ttl: u32,
    data: &'v [u8],
}

impl Record<'_> {
    fn is_soa(&self) -> bool {
        self.rtype == Rtype::SOA
    }

    fn push_to(&self, changes: &mut Changes, class: Class) {
        changes.push(self.node.owner().as_ref(), self.rtype, class, self.ttl, self.data);
    }
}

impl<'v> Found<'v> {
    fn between(old: &'v ZoneVersion, new: &'v ZoneVersion) -> Self {
        let (deletions, additions) = (Vec::new(), Vec::new());
        let mut found = Self { class: new.class(), deletions, additions, is_respelled: false };
        found.versions(old, new);
        found
    }

    fn transaction(self) -> Option<Transaction> {
        if !self.deletions.iter().any(Record::is_soa) {
            return None;
        }
        let mut changes = Changes::default();
        for mut records in [self.deletions, self.additions] {
            records.sort_by_key(|record| (!record.is_soa(), record.rtype));
            records.iter().for_each(|record| record.push_to(&mut changes, self.class));
        }
        changes.finish().ok()
    }

    /// Walks both versions in step. Owners of NSEC3 records come behind all names in either.
    fn versions(&mut self, old: &'v ZoneVersion, new: &'v ZoneVersion) {
        let (mut olds, mut news) = (Side::new(old), Side::new(new));
        loop {
            match (&olds.node, &news.node) {
                (None, None) => return,
                (Some((before, old_owner)), Some((after, new_owner))) if olds.order(&news).is_eq() => {
                    self.is_respelled |= old_owner.as_ref().as_bytes() != new_owner.as_ref().as_bytes();
                    self.nodes(*before, *after);
                    olds.step();
                    news.step();
                }
                (Some((before, _)), _) if olds.order(&news).is_lt() => {
                    push_all(*before, &mut self.deletions);
                    olds.step();
                }
                (_, Some((after, _))) => {
                    push_all(*after, &mut self.additions);
                    news.step();
                }
                (Some(_), None) => return,
            }
        }
    }

    fn nodes(&mut self, old: Node<'v>, new: Node<'v>) {
        let (mut before, mut after) = (all(&old).peekable(), all(&new).peekable());
        loop {
            let order = match (before.peek(), after.peek()) {
                (None, None) => return,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(left), Some(right)) => key(left).cmp(&key(right)),
            };
            let left = before.next_if(|_| order.is_le());
            let right = after.next_if(|_| order.is_ge());
            self.rrsets((old, left), (new, right));
        }
    }

    fn rrsets(&mut self, (old, before): (Node<'v>, Option<Rrset<'v>>), (new, after): (Node<'v>, Option<Rrset<'v>>)) {
        if let (Some(before), Some(after)) = (before, after)
            && before.ttl() == after.ttl()
        {
            if before.as_bytes() != after.as_bytes() {
                self.records((old, before), (new, after));
            }
            return;
        }
        before.into_iter().for_each(|rrset| push_rrset(old, &rrset, &mut self.deletions));
        after.into_iter().for_each(|rrset| push_rrset(new, &rrset, &mut self.additions));
    }

    /// Compares two RRsets of one TTL, whose data are in canonical order.
    fn records(&mut self, (old, before): (Node<'v>, Rrset<'v>), (new, after): (Node<'v>, Rrset<'v>)) {
        let (rtype, ttl) = (before.rtype(), before.ttl());
        let form = rdata::in_class(rtype, self.class);
        let (mut lefts, mut rights) = (before.rdatas().peekable(), after.rdatas().peekable());
        loop {
            let order = match (lefts.peek(), rights.peek()) {
                (None, None) => return,
                (Some(_), None) => Ordering::Less,
                (None, Some(_)) => Ordering::Greater,
                (Some(left), Some(right)) => rdata::compare(form, left, right),
            };
            let (left, right) = (lefts.next_if(|_| order.is_le()), rights.next_if(|_| order.is_ge()));
            match (left, right) {
                (Some(data), None) => self.deletions.push(Record { node: old, rtype, ttl, data }),
                (None, Some(data)) => self.additions.push(Record { node: new, rtype, ttl, data }),
                (left, right) => self.is_respelled |= left != right,
            }
        }
    }
}

/// A walk through one of the versions.
struct Side<'v> {
    version: &'v ZoneVersion,
    cursor: Cursor,
    node: Option<(Node<'v>, NameBuf)>,
}

impl<'v> Side<'v> {
    fn new(version: &'v ZoneVersion) -> Self {
        let mut side = Self { version, cursor: version.cursor(), node: None };
        side.step();
        side
    }

    fn step(&mut self) {
        self.node = self.cursor.next(self.version).map(|node| (node, node.owner()));
    }

    fn order(&self, other: &Self) -> Ordering {
        match (&self.node, &other.node) {
            (None, None) => Ordering::Equal,
            (Some(_), None) => Ordering::Less,
            (None, Some(_)) => Ordering::Greater,
            (Some((left, left_owner)), Some((right, right_owner))) => {
                left.is_nsec3().cmp(&right.is_nsec3()).then_with(|| left_owner.as_ref().cmp(&right_owner.as_ref()))
            }
        }
    }
}

fn all<'v>(node: &Node<'v>) -> impl Iterator<Item = Rrset<'v>> {
    node.rrsets().chain(node.signatures())
}

/// How the RRsets of a node are ordered: as the node has them, signatures behind the others.
fn key(rrset: &Rrset<'_>) -> (bool, Rtype) {
    (rrset.rtype() == Rtype::RRSIG, rrset.covered())
}

fn push_all<'v>(node: Node<'v>, into: &mut Vec<Record<'v>>) {
    all(&node).for_each(|rrset| push_rrset(node, &rrset, into));
}

fn push_rrset<'v>(node: Node<'v>, rrset: &Rrset<'v>, into: &mut Vec<Record<'v>>) {
    let (rtype, ttl) = (rrset.rtype(), rrset.ttl());
    into.extend(rrset.rdatas().map(|data| Record { node, rtype, ttl, data }));
}
