//! Which NSEC and NSEC3 records prove that something does not exist.
//!
//! The last owner at or before a name is found from the branches of the descent that looked for the name: each is asked
//! from the lowest to the highest for a twig in front of the one that was taken.

use super::contents::ZoneVersion;
use super::find::Way;
use super::key::{Difference, HASH_LENGTH, Key};
use super::node::{Flags, Node};
use super::nsec3::ApexProofs;
use super::trie::Leaf;
use crate::dns::{NameRef, case};

impl ZoneVersion {
    /// The NSEC owner at the name or the last before it: whose NSEC record matches or covers the name.
    pub fn nsec_at_or_before(&self, name: NameRef<'_>, way: &mut Way) -> Option<Node<'_>> {
        way.key.set(self.relative(name)?);
        self.nsec_by(0, way)
    }

    /// The same for the name that was looked up last on this way, with [`Self::find_below`], in a zone with NSEC.
    pub fn nsec_of_found(&self, way: &Way) -> Option<Node<'_>> {
        let nearest = self.names.end_of(&way.branches, &way.key)?;
        self.nsec_before(nearest, way)
    }

    /// The same for the wildcard below the last `labels` labels of that name, those of the apex not counted.
    pub fn nsec_of_wildcard(&self, labels: usize, way: &mut Way) -> Option<Node<'_>> {
        let end = way.key.end_of_labels(labels);
        way.key.truncate(end);
        way.key.push_label(b"*");
        self.nsec_by(end, way)
    }

    /// Goes down from where the first `len` numbers of the key lead, which is where the way has been before.
    fn nsec_by(&self, len: usize, way: &mut Way) -> Option<Node<'_>> {
        let nearest = self.names.go_by(&way.key, len, &mut way.branches)?.nearest;
        self.nsec_before(nearest, way)
    }

    fn nsec_before(&self, nearest: Leaf, way: &Way) -> Option<Node<'_>> {
        let difference = way.key.difference_from(self.labels_at(nearest));
        let before = self.names.at_or_before(way, nearest, difference, Flags::NSEC);
        before.map(|leaf| self.node_at(leaf))
    }

    /// The NSEC3 owner that matches a name of the zone.
    pub fn nsec3_of(&self, name: NameRef<'_>, way: &mut Way) -> Option<Node<'_>> {
        let chain = self.facts.nsec3()?;
        let leaf = match chain.apex.filter(|_| name.len() == self.apex().len()) {
            Some(proofs) => proofs.matching,
            None => self.nsec3_matching(&chain.hash(name), way),
        };
        leaf.map(|leaf| self.node_at(leaf))
    }

    /// The NSEC3 owner that matches or covers a name of the zone.
    pub fn nsec3_before(&self, name: NameRef<'_>, way: &mut Way) -> Option<Node<'_>> {
        let hash = self.facts.nsec3()?.hash(name);
        self.nsec3_covering(&hash, way).map(|leaf| self.node_at(leaf))
    }

    /// The same for the wildcard right below a name.
    pub fn nsec3_before_wildcard(&self, encloser: NameRef<'_>, way: &mut Way) -> Option<Node<'_>> {
        match self.facts.nsec3()?.apex.filter(|_| encloser.len() == self.apex().len()) {
            Some(proofs) => proofs.before_wildcard.map(|leaf| self.node_at(leaf)),
            None => self.nsec3_before(encloser.wildcard()?.as_ref(), way),
        }
    }

    /// What the chain has for the apex, looked for by its hashes.
    pub(super) fn apex_proofs(&self) -> Option<ApexProofs> {
        let (mut way, apex, chain) = (Way::default(), self.apex(), self.facts.nsec3()?);
        let wildcard = apex.wildcard();
        Some(ApexProofs {
            matching: self.nsec3_matching(&chain.hash(apex), &mut way),
            before_wildcard: wildcard.and_then(|name| self.nsec3_covering(&chain.hash(name.as_ref()), &mut way)),
        })
    }

    /// The NSEC3 owner whose hash is exactly this one.
    pub(super) fn nsec3_matching(&self, hash: &[u8; HASH_LENGTH], way: &mut Way) -> Option<Leaf> {
        let label = way.key.set_hash(hash);
        let nearest = self.nsec3().go_to(&way.key)?.nearest;
        case::is_same(self.labels_at(nearest), &label).then_some(nearest)
    }

    /// The NSEC3 owner at the hash or the last before it; the last of all if none is before, since the chain is a
    /// circle (RFC 5155 section 1.3). None only if the zone has no NSEC3 records.
    pub(super) fn nsec3_covering(&self, hash: &[u8; HASH_LENGTH], way: &mut Way) -> Option<Leaf> {
        let label = way.key.set_hash(hash);
        let nearest = self.nsec3().go_by(&way.key, 0, &mut way.branches)?.nearest;
        let difference = difference(&way.key, &label, self.labels_at(nearest));
        let before = self.nsec3().at_or_before(way, nearest, difference, Flags::default());
        before.or_else(|| self.nsec3().last())
    }
}

/// Where the key of a hash and an owner part. The bytes of both labels have one number each.
fn difference(key: &Key, label: &[u8], owner: &[u8]) -> Option<Difference> {
    if owner.len() != label.len() {
        return key.difference_from(owner);
    }
    let at = case::first_difference(label, owner)?;
    let [ours, theirs] = [label, owner].map(|label| label.get(at).map(u8::to_ascii_lowercase));
    Some(Difference { at: at.saturating_sub(1), is_after: ours > theirs, is_whole: false })
}
