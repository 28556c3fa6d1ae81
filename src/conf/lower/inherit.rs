//! The effective value of a statement: the innermost block that has it decides.

use std::time::Duration;

use crate::conf::table::Clause;
use crate::conf::tree::{Block, Node, Value};

/// The blocks that a statement may stand in, the innermost first.
#[derive(Clone, Copy)]
pub(super) struct Levels<'a>(pub(super) [Option<Block<'a>>; 3]);

impl<'a> Levels<'a> {
    /// The statement that decides.
    pub(super) fn find(self, clause: Clause) -> Option<&'a Node<'a>> {
        self.0.into_iter().flatten().find_map(|block| block.find(clause))
    }

    fn value(self, clause: Clause) -> Option<&'a Value<'a>> {
        self.find(clause).and_then(Node::value)
    }

    /// A boolean, or what is written in place of one.
    pub(super) fn boolean(self, clause: Clause, default: bool) -> bool {
        match self.value(clause) {
            Some(Value::Boolean(value)) => *value,
            _ => default,
        }
    }

    /// A number.
    pub(super) fn number(self, clause: Clause, default: u32) -> u32 {
        match self.value(clause) {
            Some(Value::Number(value)) => *value,
            _ => default,
        }
    }

    /// A number of units of so many milliseconds.
    pub(super) fn time(self, clause: Clause, default: u32, unit_ms: u64) -> Duration {
        Duration::from_millis(u64::from(self.number(clause, default)) * unit_ms)
    }

    /// A duration in seconds. `unlimited` is none.
    pub(super) fn seconds(self, clause: Clause) -> Option<u32> {
        match self.value(clause) {
            Some(Value::Seconds(value)) => Some(*value),
            _ => None,
        }
    }

    /// A word of the grammar.
    pub(super) fn word(self, clause: Clause) -> Option<&'static str> {
        match self.value(clause) {
            Some(Value::Word(word)) => Some(word),
            _ => None,
        }
    }
}
