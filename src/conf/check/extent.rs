//! How much an address match list comes to with all the acls that it names, and how much that may be.
//!
//! Twenty acls that each name the one before twice make a million elements of as many lines, and to whom a list applies
//! is found out anew for each request.

use super::Context;
use super::acl::bare;
use crate::conf::tree::{Item, Value};

/// What a list comes to.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(super) struct Extent {
    /// How many lists lie within each other, those of acls included.
    pub(super) depth: usize,
    /// The elements that are no lists.
    pub(super) elements: usize,
}

impl Extent {
    /// The most that a list may come to.
    pub(super) const LARGEST: Self = Self { depth: 600, elements: 1 << 22 };

    /// Whether it is no more than that.
    pub(super) fn is_bearable(self) -> bool {
        self.depth <= Self::LARGEST.depth && self.elements <= Self::LARGEST.elements
    }

    /// This one beside another in the same list.
    fn beside(self, other: Self) -> Self {
        let elements = self.elements.saturating_add(other.elements.max(1));
        Self { depth: self.depth.max(other.depth), elements }
    }
}

impl Context<'_> {
    /// What a list comes to whose acls have been found sound.
    pub(super) fn extent(&self, list: &[&[Item<'_>]]) -> Extent {
        let inside = list.iter().map(|element| self.extent_of_element(element)).fold(Extent::default(), Extent::beside);
        Extent { depth: inside.depth + 1, ..inside }
    }

    fn extent_of_element(&self, element: &[Item<'_>]) -> Extent {
        match bare(element).first() {
            Some(Item { value: Value::List(list), .. }) => self.extent(list),
            Some(Item { value: Value::Text(name), .. }) => {
                self.acls.extent_of(&name.to_ascii_lowercase()).unwrap_or_default()
            }
            _ => Extent::default(),
        }
    }
}
