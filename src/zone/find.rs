//! What a zone has for a name: everything that RFC 1034 section 4.3.2 asks, out of one descent.

use std::cmp::Ordering;

use super::contents::ZoneVersion;
use super::key::Key;
use super::node::{Flags, Node};
use super::trie::{Leaf, Path, Trie};
use crate::dns::{NameRef, case};

/// Where a name stands in a zone. It says what is there, not what to answer: a cut or a DNAME comes first.
pub struct Find<'a> {
    /// Whether the name exists.
    pub matched: Match<'a>,
    /// How many labels the closest encloser has, the root not counted: the name's own if it exists. 0 as well for a
    /// name that is not in the zone.
    pub encloser_labels: usize,
    /// The node of the closest encloser; none if that is an empty non-terminal.
    pub encloser: Option<Node<'a>>,
    /// The topmost zone cut below the apex, at the name or above it.
    pub cut: Option<Node<'a>>,
    /// The topmost node with a DNAME above the name.
    pub dname: Option<Node<'a>>,
    /// The source of synthesis (RFC 4592 section 3.3.1): the wildcard right below the closest encloser, if the name
    /// does not exist. One that is an empty non-terminal has nothing to give, but the name gets NODATA by it.
    pub wildcard: Match<'a>,
}

/// Whether a name exists.
#[derive(Clone, Copy)]
pub enum Match<'a> {
    /// It has RRsets.
    Node(Node<'a>),
    /// It has none, but names below it have.
    EmptyNonTerminal,
    /// It does not exist.
    Missing,
}

impl<'a> Match<'a> {
    /// The node, if there is one.
    pub fn node(self) -> Option<Node<'a>> {
        match self {
            Self::Node(node) => Some(node),
            Self::EmptyNonTerminal | Self::Missing => None,
        }
    }
}

impl ZoneVersion {
    /// Finds out what there is for `name`. Does not allocate.
    pub fn find(&self, name: NameRef<'_>) -> Find<'_> {
        if name.is_at_or_below(self.apex()) { self.find_below(name) } else { Find::nothing() }
    }

    /// The same for a name that is known to be the apex or below it.
    pub fn find_below(&self, name: NameRef<'_>) -> Find<'_> {
        let labels = self.labels_of(name);
        let key = Key::of_labels(labels);
        let Some(path) = self.names.descend(&key) else { return Find::nothing() };
        let nearest = self.labels_at(path.nearest);
        if path.stuck.is_none() && case::is_same(nearest, labels) {
            return self.exact(name, &key, &path);
        }
        self.inexact(&key, path, &common_labels(labels, nearest))
    }

    /// The node of exactly this name.
    pub fn node(&self, name: NameRef<'_>) -> Option<Node<'_>> {
        let labels = self.relative(name)?;
        let path = self.names.descend(&Key::of_labels(labels))?;
        let is_same = case::is_same(self.labels_at(path.nearest), labels);
        is_same.then(|| self.node_at(path.nearest))
    }

    /// The NSEC owner at the name or the last before it: whose NSEC record matches or covers the name.
    pub fn nsec_at_or_before(&self, name: NameRef<'_>) -> Option<Node<'_>> {
        let key = Key::of_labels(self.relative(name)?);
        self.at_or_before(&self.names, &key, Flags::NSEC).map(|leaf| self.node_at(leaf))
    }

    /// The NSEC3 owner whose hash is exactly this one.
    pub fn nsec3_matching(&self, hash: &[u8]) -> Option<Node<'_>> {
        let label = HashLabel::new(hash)?;
        let leaf = self.nsec3().descend(&label.key())?.nearest;
        case::is_same(self.labels_at(leaf), label.as_bytes()).then(|| self.node_at(leaf))
    }

    /// The NSEC3 owner at the hash or the last before it; the last of all if none is before, since the chain is a
    /// circle (RFC 5155 section 1.3). None only if the zone has no NSEC3 records.
    pub fn nsec3_covering(&self, hash: &[u8]) -> Option<Node<'_>> {
        let before = self.at_or_before(self.nsec3(), &HashLabel::new(hash)?.key(), Flags::default());
        before.or_else(|| self.nsec3().last()).map(|leaf| self.node_at(leaf))
    }

    fn exact(&self, name: NameRef<'_>, key: &Key, path: &Path) -> Find<'_> {
        let node = self.node_at(path.nearest);
        let cut = path.above.cut.map(|(_, leaf)| leaf).or(path.nearest.flags.has(Flags::CUT).then_some(path.nearest));
        debug_assert!(path.above.last.is_none_or(|(len, _)| len < key.len()));
        Find {
            matched: Match::Node(node),
            encloser_labels: name.label_count(),
            encloser: Some(node),
            cut: cut.map(|leaf| self.node_at(leaf)),
            dname: path.above.dname.map(|(_, leaf)| self.node_at(leaf)),
            wildcard: Match::Missing,
        }
    }

    /// The name has no node of its own: what the descent noted is true up to the closest encloser, whose labels are
    /// those that it has in common with the nearest leaf.
    fn inexact(&self, key: &Key, path: Path, common: &Common) -> Find<'_> {
        let end = key.end_of_labels(common.labels);
        let mut above = path.above;
        if common.is_whole {
            above.note(end, path.nearest);
        }
        let within = |found: Option<(usize, Leaf)>| found.filter(|&(len, _)| len <= end).map(|(_, leaf)| leaf);
        let encloser = match above.last {
            Some((len, leaf)) if len == end => Some(leaf),
            Some((len, _)) if len > end => self.leaf_of(&key.truncated(end)),
            _ => None,
        };
        let is_missing = end < key.len();
        Find {
            matched: if is_missing { Match::Missing } else { Match::EmptyNonTerminal },
            encloser_labels: self.apex().label_count() + common.labels,
            encloser: encloser.map(|leaf| self.node_at(leaf)),
            cut: within(above.cut).map(|leaf| self.node_at(leaf)),
            dname: within(above.dname).map(|leaf| self.node_at(leaf)),
            wildcard: if is_missing { self.wildcard_below(key, end, encloser) } else { Match::Missing },
        }
    }

    /// The wildcard right below the closest encloser, whose key is the first `end` numbers of `key`.
    fn wildcard_below(&self, key: &Key, end: usize, encloser: Option<Leaf>) -> Match<'_> {
        if encloser.is_some_and(|leaf| !leaf.flags.has(Flags::WILDCARD)) {
            return Match::Missing;
        }
        let mut wildcard = key.truncated(end);
        wildcard.push_label(b"*");
        let Some(path) = self.names.descend(&wildcard) else { return Match::Missing };
        match wildcard.difference_from(self.labels_at(path.nearest)) {
            None => Match::Node(self.node_at(path.nearest)),
            Some((at, _)) if at >= wildcard.len() => Match::EmptyNonTerminal,
            Some(_) => Match::Missing,
        }
    }

    fn leaf_of(&self, key: &Key) -> Option<Leaf> {
        let leaf = self.names.descend(key)?.nearest;
        key.difference_from(self.labels_at(leaf)).is_none().then_some(leaf)
    }

    fn at_or_before(&self, trie: &Trie, key: &Key, flags: Flags) -> Option<Leaf> {
        let nearest = trie.descend(key)?.nearest;
        match key.difference_from(self.labels_at(nearest)) {
            None => trie.at_or_before(key, None, false, flags),
            Some((at, order)) => trie.at_or_before(key, Some(at), order == Ordering::Greater, flags),
        }
    }
}

/// What a name has in common with another at its end.
struct Common {
    labels: usize,
    /// Whether that is all of the other.
    is_whole: bool,
}

/// How many labels two names have in common; both without those of the apex.
fn common_labels(labels: &[u8], other: &[u8]) -> Common {
    let bytes = case::common_end(labels, other);
    // Labels start at the same distance from the end in both, or they are not the same.
    let (mut ours, mut theirs) = (Starts::new(labels), Starts::new(other));
    loop {
        match (ours.left, theirs.left) {
            (left, other_left) if left == other_left && left <= bytes => {
                return Common { labels: ours.count(), is_whole: theirs.at == 0 };
            }
            (left, other_left) if left >= other_left => ours.next(),
            _ => theirs.next(),
        }
    }
}

/// Goes over the starts of the labels of a name.
struct Starts<'n> {
    labels: &'n [u8],
    at: usize,
    /// How many bytes there are from here to the end.
    left: usize,
}

impl<'n> Starts<'n> {
    fn new(labels: &'n [u8]) -> Self {
        Self { labels, at: 0, left: labels.len() }
    }

    fn next(&mut self) {
        self.at += 1 + self.labels.get(self.at).map_or(0, |length| usize::from(*length));
        self.left = self.labels.len().saturating_sub(self.at);
    }

    /// How many labels there are from here on.
    fn count(mut self) -> usize {
        let mut count = 0;
        while self.left > 0 {
            self.next();
            count += 1;
        }
        count
    }
}

/// How many numbers at its beginning a key shares with the keys in the trie.
pub(super) fn common_len(key: &Key, nearest: &Key, stuck: Option<usize>) -> usize {
    let difference = key.first_difference(nearest).unwrap_or(usize::MAX);
    difference.min(stuck.unwrap_or(usize::MAX))
}

/// The label of the NSEC3 owner of a hash, its length byte before it: base32 with the extended hex alphabet (RFC 5155
/// section 3.3).
struct HashLabel {
    bytes: [u8; 64],
    len: usize,
}

impl HashLabel {
    fn new(hash: &[u8]) -> Option<Self> {
        let len = data_encoding::BASE32_DNSSEC.encode_len(hash.len());
        let mut label = Self { bytes: [0; 64], len: len + 1 };
        let (length, text) = label.bytes.get_mut(..=len)?.split_first_mut()?;
        *length = len as u8;
        data_encoding::BASE32_DNSSEC.encode_mut(hash, text);
        Some(label)
    }

    fn as_bytes(&self) -> &[u8] {
        &self.bytes[..self.len]
    }

    fn key(&self) -> Key {
        Key::of_labels(self.as_bytes())
    }
}

impl Find<'_> {
    fn nothing() -> Self {
        Find {
            matched: Match::Missing,
            encloser_labels: 0,
            encloser: None,
            cut: None,
            dname: None,
            wildcard: Match::Missing,
        }
    }
}
