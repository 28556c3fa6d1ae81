//! In which order, and under which spelling of its owner, named keeps the RRsets of a name.
//!
//! Raw files have the RRsets of a name as they lie in named's memory: in front the types that are asked for often; in
//! either part those that came together in the order in which they came, and what came later before what was there.
//! Each RRset keeps the case of the owner of its first record, and of signatures that did not all come together named
//! does not say when they are to be made anew. What follows from the types and the owner is not stored.
//! Any other node has a *listing* behind its RRsets: for each of them, in named's order, which one it is, whether it
//! came together, and where the capital letters of its owner are. A last entry says the same of the owner as a part of
//! other names: named spells a label everywhere as the first name had it that came with it.

use super::node::{Node, Rrset};
use super::records::{Arranged, Record};
use crate::dns::{NameBuf, NameRef, Rtype};

/// An RRset and its owner.
pub struct Listed<'a> {
    /// The RRset.
    pub rrset: Rrset<'a>,
    /// The owner as it is spelt for this RRset, where that is another way than the node's.
    pub spelling: Option<NameBuf>,
    /// Whether it is signatures that did not all come together.
    pub is_merged: bool,
}

/// The RRsets of a node, signatures included, in named's order.
pub fn listed<'a>(node: &Node<'a>) -> Vec<Listed<'a>> {
    let rrsets = node.rrsets().chain(node.signatures());
    let stored = node.listing();
    if stored.is_empty() {
        let mut all: Vec<_> = rrsets.map(|rrset| Listed { rrset, spelling: None, is_merged: false }).collect();
        all.sort_by_key(|listed| usual_place(listed.rrset.covered(), listed.rrset.rtype() == Rtype::RRSIG));
        return all;
    }
    let (rrsets, owner) = (rrsets.collect::<Vec<_>>(), node.owner());
    let own = Capitals::of(owner.as_ref());
    let listed = entries(stored).filter_map(|(place, is_merged, capitals)| {
        let spelling = (capitals != own).then(|| capitals.spell(owner.as_ref()));
        Some(Listed { rrset: *rrsets.get(place)?, spelling, is_merged })
    });
    listed.collect()
}

/// Where an RRset stands among others when nothing else is known: files written by named and its signer have them so.
fn usual_place(covered: Rtype, is_signature: bool) -> (bool, u32, bool) {
    let rank = match covered {
        Rtype::SOA => 0,
        Rtype::NS => 1,
        other => u32::from(other.0) + 2,
    };
    (!is_asked_for_often(covered), rank, is_signature)
}

/// Types that named puts in front.
fn is_asked_for_often(rtype: Rtype) -> bool {
    OFTEN.contains(&rtype.0)
}

/// What has to be stored of the RRsets of an owner, which mostly is nothing. `rrsets` are all of them as the block has
/// them, `own` is how the block spells the owner, apart from the apex, and `others` are the other spellings.
pub(super) fn of_rrsets(
    rrsets: &[Arranged],
    own: (&[u8], NameRef<'_>),
    others: &[Capitals],
    in_tree: Option<&Capitals>,
    out: &mut Vec<u8>,
) {
    let is_plain = others.is_empty() && in_tree.is_none() && !rrsets.iter().any(|rrset| rrset.first.is_merged);
    if (rrsets.len() < 2 && is_plain) || rrsets.len() > usize::from(IN_TREE) {
        return;
    }
    let mut order: Vec<(u8, &Record)> = (0..IN_TREE).zip(rrsets.iter().map(|rrset| &rrset.first)).collect();
    order.sort_by_key(|(_, first)| first.place_in_memory());
    if is_plain && order.is_sorted_by_key(|(_, first)| first.usual_place()) {
        return;
    }
    let own = NameBuf::join(own.0, own.1).unwrap_or(NameBuf::root());
    let own = Capitals::of(own.as_ref());
    for (place, first) in order {
        let known = usize::from(first.spelling).checked_sub(1).and_then(|spelling| others.get(spelling));
        let bits = &known.unwrap_or(&own).0;
        out.extend_from_slice(&[place, bits.len() as u8 | if first.is_merged { MERGED } else { 0 }]);
        out.extend_from_slice(bits);
    }
    if let Some(Capitals(bits)) = in_tree {
        out.extend_from_slice(&[IN_TREE, bits.len() as u8]);
        out.extend_from_slice(bits);
    }
}

/// How named spells the owner as a part of the names below it, where that is not as the names spell it that come first
/// in canonical order.
pub(super) fn in_tree(node: &Node<'_>) -> Option<Capitals> {
    entries(node.listing()).find(|(place, ..)| *place == usize::from(IN_TREE)).map(|(_, _, capitals)| capitals)
}

/// The owner as it is spelt as a part of the names below it; `previous` is the same of the name before, in canonical
/// order.
pub(super) fn tree_name(node: &Node<'_>, owner: NameRef<'_>, previous: Option<&NameBuf>) -> NameBuf {
    let own = in_tree(node).map_or_else(|| NameBuf::from_name(owner), |capitals| capitals.spell(owner));
    let Some(previous) = previous.map(NameBuf::as_ref) else { return own };
    let Some(shared) = owner.ancestors().find(|name| previous.is_at_or_below(*name)) else { return own };
    let mut bytes = own.as_ref().as_bytes().to_vec();
    let (at, from) = (bytes.len() - shared.len(), previous.len() - shared.len());
    bytes.splice(at.., previous.as_bytes().iter().skip(from).copied());
    NameRef::from_wire(&bytes).map_or(own, NameBuf::from_name)
}

/// The entries of a listing.
fn entries(mut stored: &[u8]) -> impl Iterator<Item = (usize, bool, Capitals)> + '_ {
    std::iter::from_fn(move || {
        let (&[place, length], rest) = stored.split_first_chunk()?;
        let (bits, rest) = rest.split_at_checked(usize::from(length & !MERGED))?;
        stored = rest;
        Some((usize::from(place), length & MERGED != 0, Capitals(bits.into())))
    })
}

impl Record {
    fn usual_place(&self) -> (bool, u32, bool) {
        usual_place(self.rtype, self.is_signature)
    }

    /// Sorts RRsets by their first records as named does: what came in a later run of records is in front.
    fn place_in_memory(&self) -> (bool, std::cmp::Reverse<u16>, u32) {
        (!is_asked_for_often(self.rtype), std::cmp::Reverse(self.run), self.start)
    }
}

/// Where a name has capital letters: a bit for each byte of its wire form, the lowest first, without zeros at the end.
#[derive(PartialEq, Eq)]
pub(super) struct Capitals(Box<[u8]>);

impl Capitals {
    pub(super) fn of(name: NameRef<'_>) -> Self {
        let byte = |bytes: &[u8]| {
            let bits = bytes.iter().enumerate().map(|(at, byte)| u8::from(byte.is_ascii_uppercase()) << at);
            bits.fold(0, |all, bit| all | bit)
        };
        let mut bits: Vec<u8> = name.as_bytes().chunks(8).map(byte).collect();
        while bits.pop_if(|last| *last == 0).is_some() {}
        Self(bits.into())
    }

    /// The name with its capitals here.
    fn spell(&self, name: NameRef<'_>) -> NameBuf {
        let mut bytes = name.as_bytes().to_ascii_lowercase();
        for (at, byte) in bytes.iter_mut().enumerate() {
            if self.0.get(at / 8).is_some_and(|bits| bits >> (at % 8) & 1 == 1) {
                byte.make_ascii_uppercase();
            }
        }
        NameRef::from_wire(&bytes).map_or_else(|_| NameBuf::from_name(name), NameBuf::from_name)
    }
}

/// In the place of an RRset's in an entry that is about none.
const IN_TREE: u8 = u8::MAX;
/// Set in the length of an entry, which is small, for signatures that did not all come together.
const MERGED: u8 = 0x80;
/// The types that named keeps in front: A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, NAPTR, DNAME, DS, NSEC, DNSKEY,
/// NSEC3, SVCB, HTTPS.
const OFTEN: [u16; 17] = [1, 2, 5, 6, 12, 15, 16, 28, 33, 35, 39, 43, 47, 48, 50, 64, 65];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn capitals_make_the_name_again() {
        let name = |text: &str| NameBuf::from_text(text.as_bytes(), None).unwrap();
        for text in ["a.b.", "A.b.", "AbCdEfGhIjKlM.example.", ".", "x.EXAMPLE."] {
            let spelt = Capitals::of(name(text).as_ref()).spell(name(&text.to_ascii_uppercase()).as_ref());
            assert_eq!(spelt.to_string(), text);
        }
        assert!(Capitals::of(name("a.b.").as_ref()).0.is_empty());
    }
}
