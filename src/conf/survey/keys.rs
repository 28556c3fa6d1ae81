//! Keys: where each is defined, and where keys are named.
//!
//! named takes a key that nobody defines in lists of servers and in address match lists, and finds out at run time.

use std::collections::HashSet;

use super::shown;
use crate::conf::table::clause;
use crate::conf::tree::{Block, Item, Node, Tree, Value};

/// The key that named makes up for `update-policy local`.
const SESSION_KEY: &str = "local-ddns";

/// The keys of a configuration.
#[derive(Debug, Default)]
pub struct KeySurvey {
    /// `key` statements, in order.
    pub defined: Vec<KeyDefinition>,
    /// Uses of keys that are not defined.
    pub undefined: Vec<KeyUse>,
}

/// A `key` statement.
#[derive(Debug)]
pub struct KeyDefinition {
    /// Its name, in lower case and without a final dot.
    pub name: String,
    /// Its algorithm as written.
    pub algorithm: String,
    /// `file:line`.
    pub place: String,
    /// Whether anything names it.
    pub is_used: bool,
}

/// One place that names a key.
#[derive(Debug)]
pub struct KeyUse {
    /// The key's name.
    pub name: String,
    /// The statement that names it.
    pub within: &'static str,
    /// `file:line`.
    pub place: String,
}

pub(super) fn survey(tree: &Tree<'_>) -> KeySurvey {
    let mut walk = Walk { tree, survey: KeySurvey::default(), uses: Vec::new() };
    walk.block(tree.root);
    let Walk { mut survey, uses, .. } = walk;
    let used: HashSet<&str> = uses.iter().map(|named| named.name.as_str()).collect();
    survey.defined.iter_mut().for_each(|key| key.is_used = used.contains(key.name.as_str()));
    let defined: HashSet<&str> = survey.defined.iter().map(|key| key.name.as_str()).collect();
    let is_known = |named: &KeyUse| defined.contains(named.name.as_str()) || named.name == SESSION_KEY;
    // Identities of update-policy may be other things than keys.
    let unknown = |named: &KeyUse| !is_known(named) && named.within != UPDATE_POLICY;
    let known: Vec<bool> = uses.iter().map(unknown).collect();
    survey.undefined = uses.into_iter().zip(known).filter_map(|(named, unknown)| unknown.then_some(named)).collect();
    survey
}

struct Walk<'a> {
    tree: &'a Tree<'a>,
    survey: KeySurvey,
    uses: Vec<KeyUse>,
}

impl Walk<'_> {
    fn block(&mut self, block: Block<'_>) {
        for node in block.0 {
            self.node(node);
        }
    }

    fn node(&mut self, node: &Node<'_>) {
        if node.statement.clause == clause::KEY {
            self.define(node);
        } else if node.statement.clause == clause::KEYS {
            // Of a `server`: one name. Those of a dnssec-policy are no TSIG keys and stand in a list.
            node.items.first().into_iter().for_each(|item| self.name(node, item));
        } else if node.statement.name == UPDATE_POLICY {
            let elements = node.list().unwrap_or_default();
            elements.iter().filter_map(|element| element.get(1)).for_each(|item| self.name(node, item));
        } else {
            self.items(node, node.items);
            node.block().into_iter().for_each(|block| self.block(block));
        }
    }

    fn define(&mut self, node: &Node<'_>) {
        let algorithm = node.block().and_then(|block| block.find(clause::ALGORITHM)).and_then(Node::text);
        self.survey.defined.push(KeyDefinition {
            name: plain(node.text().unwrap_or_default()),
            algorithm: algorithm.unwrap_or_default().to_ascii_lowercase(),
            place: shown(self.tree, node.place),
            is_used: false,
        });
    }

    /// `key NAME` and `keys { NAME; ... }` among the items, however deep.
    fn items(&mut self, node: &Node<'_>, items: &[Item<'_>]) {
        for (at, item) in items.iter().enumerate() {
            match (&item.value, items.get(at + 1)) {
                (Value::Word("key"), Some(next)) => self.name(node, next),
                (Value::Word("keys"), Some(next)) => {
                    let elements = next.list().unwrap_or_default();
                    elements.iter().filter_map(|element| element.first()).for_each(|name| self.name(node, name));
                }
                (Value::List(list), _) => list.iter().for_each(|element| self.items(node, element)),
                _ => {}
            }
        }
    }

    fn name(&mut self, node: &Node<'_>, item: &Item<'_>) {
        let Some(text) = item.text() else { return };
        let place = shown(self.tree, item.place);
        self.uses.push(KeyUse { name: plain(text), within: node.statement.name, place });
    }
}

/// A key's name in the one form in which names are compared.
fn plain(name: &str) -> String {
    name.strip_suffix('.').unwrap_or(name).to_ascii_lowercase()
}

const UPDATE_POLICY: &str = "update-policy";
