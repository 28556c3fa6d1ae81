//! The syntax tree: statements with their values, each with its place.
//!
//! Values are already typed by the grammar, but names (of acls, keys, lists) are not resolved yet. Items are equal when
//! they say the same, wherever they stand: zones with equal statements share their settings by that.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;

use super::lexer::Place;
use super::table::{Clause, Statement};

/// A whole configuration.
#[derive(Debug)]
pub(crate) struct Tree {
    /// The files that it was read from.
    pub(crate) files: Vec<Arc<str>>,
    /// The statements of the top level.
    pub(crate) root: Block,
}

/// The statements of a block, in order.
#[derive(Debug, Default, PartialEq, Eq, Hash)]
pub(crate) struct Block(pub(crate) Vec<Node>);

/// One statement.
#[derive(Debug)]
pub(crate) struct Node {
    /// Which one.
    pub(crate) statement: &'static Statement,
    /// Where its name stands.
    pub(crate) place: Place,
    /// What follows the name.
    pub(crate) items: Vec<Item>,
}

/// One part of a statement.
#[derive(Debug)]
pub(crate) struct Item {
    /// Where it stands.
    pub(crate) place: Place,
    /// What it says.
    pub(crate) value: Value,
}

/// What an item says.
#[derive(Debug, PartialEq, Eq, Hash)]
pub(crate) enum Value {
    /// A word of the grammar.
    Word(&'static str),
    /// A name, a file, or any other text.
    Text(Box<str>),
    /// yes or no.
    Boolean(bool),
    /// An integer.
    Number(u32),
    /// A size in bytes.
    Bytes(u64),
    /// `NN%`.
    Percent(u32),
    /// A duration.
    Seconds(u32),
    /// An address.
    Address(IpAddr),
    /// An address to send from, port 0 for any.
    Source(SocketAddr),
    /// An address and prefix length.
    Prefix(IpNet),
    /// `{ element; ... }`.
    List(Vec<Vec<Item>>),
    /// `{ statement; ... }`.
    Block(Block),
}

impl PartialEq for Item {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
impl Eq for Item {}

impl Hash for Item {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

impl PartialEq for Node {
    fn eq(&self, other: &Self) -> bool {
        self.statement.clause == other.statement.clause && self.items == other.items
    }
}
impl Eq for Node {}

impl Hash for Node {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.statement.clause.hash(state);
        self.items.hash(state);
    }
}

impl Block {
    /// The statements of this name.
    pub(crate) fn all(&self, clause: Clause) -> impl Iterator<Item = &Node> {
        self.0.iter().filter(move |node| node.statement.clause == clause)
    }

    /// The first statement of this name.
    pub(crate) fn find(&self, clause: Clause) -> Option<&Node> {
        self.all(clause).next()
    }
}

impl Node {
    /// The first text among the items: the name in `zone "name" ...`, the value of most statements.
    pub(crate) fn text(&self) -> Option<&str> {
        self.items.iter().find_map(Item::text)
    }

    /// The second text: the class in `zone "name" IN { ... }`.
    pub(crate) fn second_text(&self) -> Option<&str> {
        self.items.iter().filter_map(Item::text).nth(1)
    }

    /// The first item.
    pub(crate) fn value(&self) -> Option<&Value> {
        self.items.first().map(|item| &item.value)
    }

    /// The block.
    pub(crate) fn block(&self) -> Option<&Block> {
        self.items.iter().find_map(|item| match &item.value {
            Value::Block(block) => Some(block),
            _ => None,
        })
    }

    /// Where its block starts; its name's place if it has none.
    pub(crate) fn block_place(&self) -> Place {
        let block = self.items.iter().find(|item| matches!(item.value, Value::Block(_)));
        block.map_or(self.place, |item| item.place)
    }

    /// The list.
    pub(crate) fn list(&self) -> Option<&[Vec<Item>]> {
        self.items.iter().find_map(Item::list)
    }

    /// The item behind the word `keyword`.
    pub(crate) fn after(&self, keyword: &str) -> Option<&Item> {
        after(&self.items, keyword)
    }
}

/// The item behind the word `keyword`.
pub(crate) fn after<'a>(items: &'a [Item], keyword: &str) -> Option<&'a Item> {
    let at = items.iter().position(|item| matches!(item.value, Value::Word(word) if word == keyword))?;
    items.get(at + 1)
}

impl Item {
    /// Its text.
    pub(crate) fn text(&self) -> Option<&str> {
        match &self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Its list.
    pub(crate) fn list(&self) -> Option<&[Vec<Self>]> {
        match &self.value {
            Value::List(list) => Some(list),
            _ => None,
        }
    }

    /// Its number.
    pub(crate) fn number(&self) -> Option<u32> {
        match self.value {
            Value::Number(number) => Some(number),
            _ => None,
        }
    }
}
