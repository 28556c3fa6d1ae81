//! The syntax tree: statements with their values, each with its place.
//!
//! Values are already typed by the grammar, but names (of acls, keys, lists) are not resolved yet. Items are equal when
//! they say the same, wherever they stand: zones with equal statements share their settings by that.
//!
//! A tree lies in an [`Arena`] with the text that it was read from, so a server of many zones costs no allocation a
//! statement, and each item can show how it was written.

use std::hash::{Hash, Hasher};
use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;

use super::lexer::Place;
use super::table::{Clause, Statement};

/// The memory of a tree and of the text behind it.
#[derive(Debug, Default)]
pub(crate) struct Arena(bumpalo::Bump);

impl Arena {
    /// A place for the bytes of a file.
    pub(super) fn bytes(&self, length: usize) -> &mut [u8] {
        self.0.alloc_slice_fill_default(length)
    }

    /// Keeps text.
    pub(super) fn text(&self, text: &str) -> &str {
        self.0.alloc_str(text)
    }

    /// Keeps parts of a tree.
    pub(super) fn slice<T: Copy>(&self, parts: &[T]) -> &[T] {
        self.0.alloc_slice_copy(parts)
    }
}

/// A whole configuration.
#[derive(Debug)]
pub(crate) struct Tree<'a> {
    /// The files that it was read from.
    pub(crate) files: Vec<Arc<str>>,
    /// The statements of the top level.
    pub(crate) root: Block<'a>,
}

/// The statements of a block, in order.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
pub(crate) struct Block<'a>(pub(crate) &'a [Node<'a>]);

/// One statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Node<'a> {
    /// Which one.
    pub(crate) statement: &'static Statement,
    /// Where its name stands.
    pub(crate) place: Place,
    /// What follows the name.
    pub(crate) items: &'a [Item<'a>],
}

/// One part of a statement.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Item<'a> {
    /// Where it stands.
    pub(crate) place: Place,
    /// How it is written, the quotes of a string included; of a list or block the opening brace.
    pub(crate) raw: &'a str,
    /// What it says.
    pub(crate) value: Value<'a>,
}

/// What an item says.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub(crate) enum Value<'a> {
    /// A word of the grammar.
    Word(&'static str),
    /// A name, a file, or any other text.
    Text(&'a str),
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
    List(&'a [&'a [Item<'a>]]),
    /// `{ statement; ... }`.
    Block(Block<'a>),
}

impl PartialEq for Item<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.value == other.value
    }
}
impl Eq for Item<'_> {}

impl Hash for Item<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.value.hash(state);
    }
}

impl PartialEq for Node<'_> {
    fn eq(&self, other: &Self) -> bool {
        self.statement.clause == other.statement.clause && self.items == other.items
    }
}
impl Eq for Node<'_> {}

impl Hash for Node<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        self.statement.clause.hash(state);
        self.items.hash(state);
    }
}

impl<'a> Block<'a> {
    /// The statements of this name.
    pub(crate) fn all(self, clause: Clause) -> impl Iterator<Item = &'a Node<'a>> {
        self.0.iter().filter(move |node| node.statement.clause == clause)
    }

    /// The first statement of this name.
    pub(crate) fn find(self, clause: Clause) -> Option<&'a Node<'a>> {
        self.all(clause).next()
    }
}

impl<'a> Node<'a> {
    /// The first text among the items: the name in `zone "name" ...`, the value of most statements.
    pub(crate) fn text(&self) -> Option<&'a str> {
        self.items.iter().find_map(Item::text)
    }

    /// The second text: the class in `zone "name" IN { ... }`.
    pub(crate) fn second_text(&self) -> Option<&'a str> {
        self.items.iter().filter_map(Item::text).nth(1)
    }

    /// The first item.
    pub(crate) fn value(&self) -> Option<&'a Value<'a>> {
        self.items.first().map(|item| &item.value)
    }

    /// The block.
    pub(crate) fn block(&self) -> Option<Block<'a>> {
        self.items.iter().find_map(|item| match item.value {
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
    pub(crate) fn list(&self) -> Option<&'a [&'a [Item<'a>]]> {
        self.items.iter().find_map(Item::list)
    }

    /// The item behind the word `keyword`.
    pub(crate) fn after(&self, keyword: &str) -> Option<&'a Item<'a>> {
        after(self.items, keyword)
    }
}

/// The item behind the word `keyword`.
pub(crate) fn after<'a>(items: &'a [Item<'a>], keyword: &str) -> Option<&'a Item<'a>> {
    let at = items.iter().position(|item| matches!(item.value, Value::Word(word) if word == keyword))?;
    items.get(at + 1)
}

impl<'a> Item<'a> {
    /// Its text.
    pub(crate) fn text(&self) -> Option<&'a str> {
        match self.value {
            Value::Text(text) => Some(text),
            _ => None,
        }
    }

    /// Its list.
    pub(crate) fn list(&self) -> Option<&'a [&'a [Self]]> {
        match self.value {
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
