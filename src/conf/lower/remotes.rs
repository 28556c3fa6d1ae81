//! Lists of servers: `primaries`, `also-notify`, and the named lists that they may refer to.

use std::collections::{HashMap, HashSet};
use std::net::SocketAddr;
use std::sync::Arc;

use super::{Context, clause};
use crate::conf::config::Remote;
use crate::conf::table::Clause;
use crate::conf::tree::{Item, Node, Value, after};
use crate::dns::Name;

/// Which statements name lists. They share one name space; 9.20 gave them a common name.
const NAMING: [Clause; 3] = [clause::PRIMARIES, clause::MASTERS, clause::REMOTE_SERVERS];

/// The named lists.
#[derive(Default)]
pub(super) struct Lists<'a>(HashMap<String, &'a Node<'a>>);

impl<'a> Lists<'a> {
    /// Collects the statements. Where a name stands under several words, the first of [`NAMING`] counts.
    pub(super) fn of(context: &Context<'a>) -> Self {
        let mut lists: HashMap<String, &'a Node<'a>> = HashMap::new();
        for word in NAMING {
            for node in context.tree.root.all(word) {
                let name = node.text().unwrap_or_default();
                lists.entry(name.to_ascii_lowercase()).or_insert(node);
            }
        }
        Self(lists)
    }
}

/// One use of lists: what it has come to, and which named lists went into it.
#[derive(Default)]
struct Expansion {
    remotes: Vec<Remote>,
    used: HashSet<String>,
}

impl Context<'_> {
    /// The servers that a statement lists. Each named list counts once; a list that leads to itself thus ends.
    pub(super) fn remotes(&self, node: &Node<'_>) -> Vec<Remote> {
        self.remotes_of(node.items)
    }

    /// The same of a port, if there is one, and a list.
    pub(super) fn remotes_of(&self, items: &[Item<'_>]) -> Vec<Remote> {
        let mut expansion = Expansion::default();
        self.expand(items, None, &mut expansion);
        expansion.remotes
    }

    fn expand(&self, items: &[Item<'_>], outer_port: Option<u16>, into: &mut Expansion) {
        let port = after(items, "port").map(|item| self.port_of(item)).or(outer_port);
        for element in items.iter().find_map(Item::list).unwrap_or_default() {
            match element.first() {
                Some(Item { value: Value::Address(address), .. }) => {
                    let tls = after(element, "tls").and_then(Item::text).map(str::to_ascii_lowercase);
                    let port = after(element, "port").map(|item| self.port_of(item)).or(port);
                    let port = port.unwrap_or_else(|| self.usual_port(tls.is_some()));
                    let key = after(element, "key").and_then(|item| self.key_name(item));
                    into.remotes.push(Remote {
                        address: SocketAddr::new(*address, port),
                        key,
                        tls: tls.map(Arc::from),
                    });
                }
                Some(Item { value: Value::Text(name), .. }) => self.expand_named(name, port, into),
                _ => {}
            }
        }
    }

    fn expand_named(&self, name: &str, port: Option<u16>, into: &mut Expansion) {
        let folded = name.to_ascii_lowercase();
        let Some(node) = self.remotes.0.get(&folded) else { return };
        if into.used.insert(folded) {
            self.expand(node.items, port, into);
        }
    }

    /// Where servers are that are listed without a port.
    fn usual_port(&self, has_tls: bool) -> u16 {
        if has_tls { self.default_port(clause::TLS_PORT) } else { self.port }
    }

    /// A port number within its range.
    pub(crate) fn port_of(&self, item: &Item<'_>) -> u16 {
        let number = item.number().unwrap_or_default();
        u16::try_from(number).unwrap_or_else(|_| {
            self.error(item.place, format!("port value '{number}' is out of range"));
            0
        })
    }

    /// The key that a text names, for statements whose keys are looked up at run time.
    pub(super) fn key_of(&self, node: &Node<'_>) -> Option<Name> {
        self.key_name(node.items.first()?)
    }
}
