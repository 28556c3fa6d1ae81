//! What a zone has for a name: everything that RFC 1034 section 4.3.2 asks, out of one descent.

use super::contents::{Denial, ZoneVersion};
use super::key::{Difference, Key, MAX_KEY};
use super::node::{Flags, Node};
use super::trie::{Above, Branch, End, Leaf};
use crate::dns::{NameRef, case};

/// Where a name stands in a zone. It says what is there, not what to answer: a cut or a DNAME comes first.
pub struct Find<'a> {
    /// Whether the name exists.
    pub matched: Match<'a>,
    /// How many labels the closest encloser of a name without RRsets has, the root not counted. 0 for all others, and
    /// for a name that is not in the zone.
    pub encloser_labels: usize,
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
        if !name.is_at_or_below(self.apex()) {
            return Find::nothing();
        }
        let key = Key::of_labels(self.labels_of(name));
        let end = self.names.go_to(&key);
        end.map_or(Find::nothing(), |end| self.found(name, &key, end))
    }

    /// The same for a name that is known to be the apex or below it, on a way that is kept: for the NSEC records that
    /// deny the name.
    pub fn find_below(&self, name: NameRef<'_>, way: &mut Way) -> Find<'_> {
        way.key.set(self.labels_of(name));
        let end = match self.denial() {
            Denial::Nsec => self.names.go_by(&way.key, 0, &mut way.branches),
            _ => self.names.go_to(&way.key),
        };
        end.map_or(Find::nothing(), |end| self.found(name, &way.key, end))
    }

    /// The node of exactly this name.
    pub fn node(&self, name: NameRef<'_>) -> Option<Node<'_>> {
        self.node_of(&Key::of_labels(self.relative(name)?), name)
    }

    /// The same for a name that is known to be the apex or below it.
    pub fn node_below(&self, name: NameRef<'_>, way: &mut Way) -> Option<Node<'_>> {
        way.key.set(self.labels_of(name));
        self.node_of(&way.key, name)
    }

    fn node_of(&self, key: &Key, name: NameRef<'_>) -> Option<Node<'_>> {
        let node = self.node_at(self.names.go_to(key)?.nearest);
        case::is_same(node.relative_owner(), self.labels_of(name)).then_some(node)
    }

    /// What a descent for a name has come to.
    fn found(&self, name: NameRef<'_>, key: &Key, end: End) -> Find<'_> {
        let node = self.node_at(end.nearest);
        if !end.is_stuck && case::is_same(node.relative_owner(), self.labels_of(name)) {
            return self.exact(key, node);
        }
        match key.difference_from(node.relative_owner()) {
            Some(difference) => self.inexact(key, end.nearest, difference),
            None => Find::nothing(),
        }
    }

    fn exact<'v>(&'v self, key: &Key, node: Node<'v>) -> Find<'v> {
        let above = if node.is_occluded() { self.above(key) } else { Above::default() };
        let node_of = |found: Option<(usize, Leaf)>| found.map(|(_, leaf)| self.node_at(leaf));
        Find {
            matched: Match::Node(node),
            encloser_labels: 0,
            cut: node_of(above.cut).or_else(|| node.is_cut().then_some(node)),
            dname: node_of(above.dname),
            wildcard: Match::Missing,
        }
    }

    /// The name has no node of its own: what it has in common with the nearest leaf is its closest encloser.
    fn inexact(&self, key: &Key, nearest: Leaf, difference: Difference) -> Find<'_> {
        let (labels, end) = key.labels_within(difference.at);
        let mut above = match (nearest.flags.has(Flags::OCCLUDED), labels) {
            // Nothing above the nearest leaf hides it, nor then the encloser, which is that leaf or the apex.
            (false, _) if difference.is_whole => Above::default(),
            (false, 0) => Above::of_apex(self.apex_leaf()),
            _ => self.above(key),
        };
        if difference.is_whole {
            above.note(end, nearest);
        }
        let within = |found: Option<(usize, Leaf)>| found.filter(|&(len, _)| len <= end).map(|(_, leaf)| leaf);
        let has_no_wildcard = above.last.is_some_and(|(len, leaf)| len == end && !leaf.flags.has(Flags::WILDCARD));
        let is_missing = end < key.len();
        Find {
            matched: if is_missing { Match::Missing } else { Match::EmptyNonTerminal },
            encloser_labels: self.apex().label_count() + labels,
            cut: within(above.cut).map(|leaf| self.node_at(leaf)),
            dname: within(above.dname).map(|leaf| self.node_at(leaf)),
            wildcard: if is_missing && !has_no_wildcard { self.wildcard_below(key, end) } else { Match::Missing },
        }
    }

    /// The names above the one with this key, true up to what it has in common with others.
    fn above(&self, key: &Key) -> Above {
        self.names.descend(key).map_or(Above::default(), |path| path.above)
    }

    /// The wildcard right below the closest encloser, whose key is the first `end` numbers of `key`.
    fn wildcard_below(&self, key: &Key, end: usize) -> Match<'_> {
        let mut wildcard = key.clone();
        wildcard.truncate(end);
        wildcard.push_label(b"*");
        let Some(end) = self.names.go_to(&wildcard) else { return Match::Missing };
        let node = self.node_at(end.nearest);
        match wildcard.difference_from(node.relative_owner()) {
            None => Match::Node(node),
            Some(difference) if difference.at >= wildcard.len() => Match::EmptyNonTerminal,
            Some(_) => Match::Missing,
        }
    }
}

/// The way of a look-up through a zone, kept so that those that follow from it do not start over. One serves any number
/// of look-ups in turn.
pub struct Way {
    pub(super) key: Key,
    pub(super) branches: Vec<Branch>,
}

impl Default for Way {
    fn default() -> Self {
        Self { key: Key::empty(), branches: Vec::with_capacity(MAX_KEY) }
    }
}

/// How many numbers at its beginning a key shares with the keys in the trie.
pub(super) fn common_len(key: &Key, nearest: &Key, stuck: Option<usize>) -> usize {
    let difference = key.first_difference(nearest).unwrap_or(usize::MAX);
    difference.min(stuck.unwrap_or(usize::MAX))
}

impl Find<'_> {
    fn nothing() -> Self {
        Find { matched: Match::Missing, encloser_labels: 0, cut: None, dname: None, wildcard: Match::Missing }
    }
}
