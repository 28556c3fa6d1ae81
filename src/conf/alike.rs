//! Zones that say the same, of which a server of many has few kinds: what was found out of one holds for the others.

use std::hash::{Hash, Hasher};

use hashbrown::{Equivalent, HashMap};

use super::table::{Clause, ZoneType};
use super::tree::{Block, Node};

/// What is known of zones by their statements, those left out that tell zones apart and do not matter.
pub(super) struct Alike<'a, T> {
    apart: &'static [Clause],
    known: HashMap<(ZoneType, Vec<&'a Node<'a>>), T>,
    /// The statements of the zone that was asked for last: memory to use again.
    statements: Vec<&'a Node<'a>>,
}

impl<'a, T> Alike<'a, T> {
    /// Nothing is known yet; `apart` are the statements that do not matter.
    pub(super) fn new(apart: &'static [Clause]) -> Self {
        Self { apart, known: HashMap::new(), statements: Vec::new() }
    }

    /// What is known of a zone.
    pub(super) fn find(&mut self, kind: ZoneType, block: Block<'a>) -> Option<&T> {
        self.statements.clear();
        self.statements.extend(block.0.iter().filter(|node| !self.apart.contains(&node.statement.clause)));
        self.known.get(&Statements(kind, &self.statements))
    }

    /// Keeps what was found out of the zone that was looked for last.
    pub(super) fn remember(&mut self, kind: ZoneType, found: T) {
        self.known.insert((kind, self.statements.clone()), found);
    }
}

/// A key that is only looked for.
struct Statements<'k, 'a>(ZoneType, &'k [&'a Node<'a>]);

impl Hash for Statements<'_, '_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0, self.1).hash(state);
    }
}

impl<'a> Equivalent<(ZoneType, Vec<&'a Node<'a>>)> for Statements<'_, 'a> {
    fn equivalent(&self, key: &(ZoneType, Vec<&'a Node<'a>>)) -> bool {
        (self.0, self.1) == (key.0, key.1.as_slice())
    }
}
