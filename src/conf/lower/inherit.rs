//! The effective value of a statement: the innermost block that has it decides.

use std::time::Duration;

use crate::conf::table::{Clause, Setting};
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

    /// A boolean.
    pub(super) fn boolean(self, setting: Setting<bool>) -> bool {
        self.boolean_or(setting.clause, setting.default)
    }

    /// The same, where what holds without it is not fixed.
    pub(super) fn boolean_or(self, clause: Clause, default: bool) -> bool {
        match self.value(clause) {
            Some(Value::Boolean(value)) => *value,
            _ => default,
        }
    }

    /// A number.
    pub(super) fn number(self, setting: Setting<u32>) -> u32 {
        self.number_or(setting.clause, setting.default)
    }

    /// The same, where what holds without it is not fixed.
    pub(super) fn number_or(self, clause: Clause, default: u32) -> u32 {
        match self.value(clause) {
            Some(Value::Number(value)) => *value,
            _ => default,
        }
    }

    /// A number of units of so many milliseconds.
    pub(super) fn time(self, setting: Setting<u32>, unit_ms: u64) -> Duration {
        Duration::from_millis(u64::from(self.number(setting)) * unit_ms)
    }

    /// A duration.
    pub(super) fn duration(self, setting: Setting<Duration>) -> Duration {
        self.seconds(setting.clause).map_or(setting.default, |seconds| Duration::from_secs(seconds.into()))
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
