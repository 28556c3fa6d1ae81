//! The contents of a zone at one serial: immutable, shared by all who answer from it or transfer it.
//!
//! Names are indexed by a trie (`trie`); their RRsets lie packed in blocks ([`super::node`]). NSEC3 owners
//! have a trie of their own, since they are no names of the zone: nothing that looks for names can meet them. Small
//! zones have the same shape, only with short chunks: the trie of a few dozen names is a few hundred bytes.

use std::iter;

use super::ahead::Ahead;
pub use super::apex::{Denial, Soa};
use super::apex::{Facts, parse_soa};
use super::blocks::{BlockWriter, Blocks, Place, SHORT_CHUNK_BYTES};
use super::builder::ContentsError;
use super::node::{self, Flags, Node, Rrset};
use super::trie::{Leaf, Trie, Walk};
use crate::dns::{Class, Name, NameRef, Rtype, Serial};

/// One immutable content of a zone.
pub struct ZoneVersion {
    apex: Name,
    class: Class,
    record_count: usize,
    apex_leaf: Option<Leaf>,
    serial: Serial,
    pub(super) facts: Facts,
    pub(super) names: Trie,
    /// None for the most of zones, which have no NSEC3 records.
    nsec3: Option<Box<Trie>>,
    pub(super) blocks: Blocks,
    /// Bytes of blocks that only earlier versions need.
    pub(super) dead_bytes: usize,
}

/// Blocks are not copied for fewer dead bytes than this, unless an edit copies them anyway.
const LEAST_DEAD_BYTES: usize = 1 << 16;
/// What part of a small zone may be dead: there are many of them, and to copy one takes microseconds.
pub(super) const SMALL_SHARE: usize = 8;

/// What a [`ZoneVersion`] is made of.
pub(super) struct Parts {
    pub(super) apex: Name,
    pub(super) class: Class,
    pub(super) blocks: Blocks,
    pub(super) record_count: usize,
    pub(super) dead_bytes: usize,
    pub(super) names: Trie,
    pub(super) nsec3: Trie,
}

impl ZoneVersion {
    /// Puts the parts together if there is exactly one SOA record at the apex.
    pub(super) fn checked(parts: Parts) -> Result<Self, ContentsError> {
        Self::new(parts).with_one_soa()
    }

    /// The version itself, if there is exactly one SOA record at its apex.
    pub(super) fn with_one_soa(self) -> Result<Self, ContentsError> {
        let apex = self.apex_node();
        let count = |rtype| apex.and_then(|apex| apex.rrset(rtype)).map_or(0, |rrset| rrset.len());
        match (count(Rtype::SOA), count(Rtype::NS)) {
            (1, _) => Ok(self),
            (soa, ns) => Err(ContentsError::SoaCount { soa, ns }),
        }
    }

    /// Puts the parts together, whatever SOA records there are.
    pub(super) fn new(parts: Parts) -> Self {
        let Parts { apex, class, blocks, record_count, dead_bytes, names, nsec3 } = parts;
        let (serial, facts) = (Serial(0), Facts::default());
        let nsec3 = (nsec3.len() > 0).then(|| Box::new(nsec3));
        let mut version =
            Self { apex, class, record_count, apex_leaf: None, serial, facts, names, nsec3, blocks, dead_bytes };
        // The apex is the first of all names.
        let first = Walk::new(&version.names).next(&version.names);
        version.apex_leaf = first.filter(|&leaf| version.labels_at(leaf).is_empty());
        version.serial = version.soa().map_or(serial, |soa| soa.serial);
        version.facts = version.apex_node().map(|apex| Facts::new(&apex, version.nsec3.is_some())).unwrap_or_default();
        let proofs = version.apex_proofs();
        version.facts.note_apex_proofs(proofs);
        version
    }

    /// The zone's name.
    pub fn apex(&self) -> NameRef<'_> {
        self.apex.as_ref()
    }

    /// The zone's class.
    pub fn class(&self) -> Class {
        self.class
    }

    /// The SOA serial.
    pub fn serial(&self) -> Serial {
        self.serial
    }

    /// The fields of the SOA record. The builder has seen to it that there is one; none would mean bad rdata.
    pub fn soa(&self) -> Option<Soa<'_>> {
        let rrset = self.apex_node()?.rrset(Rtype::SOA)?;
        parse_soa(rrset.rdatas().next()?, rrset.ttl())
    }

    /// The TTL and data of the SOA record, for a request for what has changed since.
    pub fn soa_record(&self) -> Option<(u32, &[u8])> {
        let soa = self.apex_node()?.rrset(Rtype::SOA)?;
        Some((soa.ttl(), soa.rdatas().next()?))
    }

    /// How many records, signatures included.
    pub fn record_count(&self) -> usize {
        self.record_count
    }

    /// How many owner names, NSEC3 owners included.
    pub fn node_count(&self) -> usize {
        self.names.len() + self.nsec3().len()
    }

    /// How many bytes the contents take in memory, this struct and allocator overhead not counted.
    pub fn size_bytes(&self) -> usize {
        self.names.size_bytes() + self.nsec3().size_bytes() + self.blocks.size_bytes()
    }

    /// How large the zone is in transfers, as named counts it for `max-ixfr-ratio`: without compression, the owner and
    /// the fields in front of the data once for each RRset.
    pub fn wire_bytes(&self) -> u64 {
        let fields = 8;
        let of_rrset = |rrset: Rrset<'_>| fields + rrset.rdatas().map(|data| data.len() as u64).sum::<u64>();
        let of_node = |node: Node<'_>| {
            let owner = (node.relative_owner().len() + self.apex.as_ref().len()) as u64;
            node.rrsets().chain(node.signatures()).map(|rrset| owner + of_rrset(rrset)).sum::<u64>()
        };
        self.nodes().map(of_node).sum()
    }

    /// Whether the zone is signed: it has keys and a way to prove what does not exist. As with BIND, an NSEC chain that
    /// is not signed at the apex is none.
    pub fn is_signed(&self) -> bool {
        self.facts.is_signed
    }

    /// How the zone proves that something does not exist. NSEC3 only with a complete chain: an NSEC3PARAM without flags
    /// (RFC 5155 section 4.1.2).
    pub fn denial(&self) -> Denial {
        self.facts.denial()
    }

    /// How long a negative answer holds (RFC 2308 section 3).
    pub fn negative_ttl(&self) -> u32 {
        self.facts.negative_ttl
    }

    /// The node of the apex.
    pub fn apex_node(&self) -> Option<Node<'_>> {
        self.apex_leaf.map(|leaf| self.node_at(leaf))
    }

    pub(super) fn apex_leaf(&self) -> Option<Leaf> {
        self.apex_leaf
    }

    /// All nodes: the names in canonical order, then the NSEC3 owners in theirs.
    pub fn nodes(&self) -> impl Iterator<Item = Node<'_>> {
        let mut cursor = self.cursor();
        iter::from_fn(move || cursor.next(self))
    }

    /// The names of the zone in canonical order, without the owners of NSEC3 records.
    pub fn names(&self) -> impl Iterator<Item = Node<'_>> {
        let mut walk = Walk::new(&self.names);
        self.nodes_of(move || walk.next(&self.names))
    }

    /// The owners of NSEC3 records in canonical order.
    pub(super) fn nsec3_owners(&self) -> impl Iterator<Item = Node<'_>> {
        let mut walk = Walk::new(self.nsec3());
        self.nodes_of(move || walk.next(self.nsec3()))
    }

    /// The names of the zone that have this flag, found without a look at the others, in several parts, numbered.
    pub(super) fn name_parts_with(&self, flag: Flags) -> Vec<(usize, impl Iterator<Item = Node<'_>> + Clone + Sync)> {
        let nodes = |mut walk: Walk| {
            let mut leaves = move || walk.next(&self.names);
            self.nodes_of(move || iter::from_fn(&mut leaves).find(|leaf| leaf.flags.has(flag)))
        };
        Walk::parts(&self.names).into_iter().map(nodes).enumerate().collect()
    }

    /// The names of the zone that have any of these flags, found without a look at the others.
    pub(super) fn names_with(&self, flags: [Flags; 2]) -> impl Iterator<Item = Node<'_>> {
        let mut walk = Walk::new(&self.names);
        let mut leaves = iter::from_fn(move || walk.next(&self.names));
        self.nodes_of(move || leaves.find(|leaf| flags.iter().any(|&flag| leaf.flags.has(flag))))
    }

    fn nodes_of<F: FnMut() -> Option<Leaf>>(&self, leaves: F) -> Nodes<'_, F> {
        Nodes { version: self, ahead: Ahead::default(), leaves }
    }

    /// A place before the first of [`Self::nodes`] that borrows nothing.
    pub fn cursor(&self) -> Cursor {
        let (names, nsec3) = (Walk::new(&self.names), Walk::new(self.nsec3()));
        Cursor { names, nsec3, ahead: Ahead::default(), current: None }
    }

    /// The owners of NSEC3 records.
    pub(super) fn nsec3(&self) -> &Trie {
        self.nsec3.as_deref().unwrap_or(&Trie::EMPTY)
    }

    /// Whether edits have left so much behind that the blocks are worth copying.
    pub(super) fn has_much_dead(&self) -> bool {
        let all_bytes = self.blocks.size_bytes();
        if all_bytes <= SHORT_CHUNK_BYTES {
            return self.dead_bytes > all_bytes / SMALL_SHARE;
        }
        self.dead_bytes > all_bytes / 2 && self.dead_bytes > LEAST_DEAD_BYTES
    }

    /// Whether to copy all of it takes no more than to change a little of it does.
    pub fn is_small(&self) -> bool {
        self.size_bytes() <= SHORT_CHUNK_BYTES
    }

    /// The same version with its blocks copied in order, none but those in use.
    pub fn rewritten(&self) -> Self {
        let mut blocks = BlockWriter::default();
        let mut moved = |leaf: Leaf| {
            let block = self.blocks.at(leaf.place);
            let place = blocks.push(block.get(..node::block_len(block)).unwrap_or_default());
            Leaf { place, ..leaf }
        };
        let (names, nsec3) = (self.names.map(&mut moved), self.nsec3().map(&mut moved));
        Self::new(Parts {
            apex: self.apex.clone(),
            class: self.class,
            blocks: blocks.finish(),
            record_count: self.record_count,
            dead_bytes: 0,
            names,
            nsec3,
        })
    }

    #[inline]
    pub(super) fn node_at(&self, leaf: Leaf) -> Node<'_> {
        Node::new(self.apex(), leaf.flags, self.blocks.at(leaf.place))
    }

    /// The bytes from the start of a block on.
    pub(super) fn block_at(&self, place: Place) -> &[u8] {
        self.blocks.at(place)
    }

    pub(super) fn labels_at(&self, leaf: Leaf) -> &[u8] {
        node::block_labels(self.blocks.at(leaf.place))
    }

    /// The same for a name that is known to be the apex or below it.
    pub(super) fn labels_of<'n>(&self, name: NameRef<'n>) -> &'n [u8] {
        name.as_bytes().get(..name.len().saturating_sub(self.apex().len())).unwrap_or_default()
    }

    /// The labels of a name in the zone without those of the apex.
    pub fn relative<'n>(&self, name: NameRef<'n>) -> Option<&'n [u8]> {
        let apex = self.apex();
        let extra = name.len().checked_sub(apex.len())?;
        if name.is_at_or_below(apex) { name.as_bytes().get(..extra) } else { None }
    }
}

impl std::fmt::Debug for ZoneVersion {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "ZoneVersion({}, serial {}, {} records)", self.apex(), self.serial, self.record_count)
    }
}

/// The nodes of some leaves.
#[derive(Clone)]
struct Nodes<'a, F> {
    version: &'a ZoneVersion,
    ahead: Ahead,
    leaves: F,
}

impl<'a, F: FnMut() -> Option<Leaf>> Iterator for Nodes<'a, F> {
    type Item = Node<'a>;

    fn next(&mut self) -> Option<Node<'a>> {
        let leaf = self.ahead.next(|place| self.version.blocks.at(place), &mut self.leaves);
        leaf.map(|leaf| self.version.node_at(leaf))
    }
}

/// A place among the nodes of a zone version. It is good only for the version that it came from; with another it yields
/// nonsense, though nothing worse.
#[derive(Clone, Debug)]
pub struct Cursor {
    names: Walk,
    nsec3: Walk,
    ahead: Ahead,
    current: Option<Leaf>,
}

impl Cursor {
    /// The next node of `version`.
    pub fn next<'a>(&mut self, version: &'a ZoneVersion) -> Option<Node<'a>> {
        let more = || self.names.next(&version.names).or_else(|| self.nsec3.next(version.nsec3()));
        self.current = self.ahead.next(|place| version.blocks.at(place), more);
        self.current(version)
    }

    /// The node that [`Self::next`] gave last, for whoever could not finish with it at once.
    #[inline]
    pub fn current<'a>(&self, version: &'a ZoneVersion) -> Option<Node<'a>> {
        self.current.map(|leaf| version.node_at(leaf))
    }
}

#[cfg(test)]
mod tests;
