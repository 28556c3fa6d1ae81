//! `controls`: where rndc is listened to.

use std::net::{IpAddr, Ipv4Addr, SocketAddr};
use std::sync::Arc;

use super::{Context, clause};
use crate::conf::config::Control;
use crate::conf::rndc::DEFAULT_PORT;
use crate::conf::tree::{Node, Value};
use crate::dns::{Key, Name};

impl Context<'_> {
    /// The listeners; none where there is no `controls` statement at all.
    pub(super) fn controls(&self, keys: &[Arc<Key>]) -> Option<Vec<Control>> {
        self.tree.root.find(clause::CONTROLS)?;
        let blocks = self.tree.root.all(clause::CONTROLS).filter_map(Node::block);
        let listeners = blocks.flat_map(|block| block.all(clause::INET));
        Some(listeners.filter_map(|node| self.control(node, keys)).collect())
    }

    fn control(&self, node: &Node<'_>, keys: &[Arc<Key>]) -> Option<Control> {
        let address = match node.value()? {
            Value::Address(address) => *address,
            _ => IpAddr::V4(Ipv4Addr::UNSPECIFIED),
        };
        let port = match node.after("port") {
            Some(item) if item.number().is_some() => self.port_of(item),
            _ => DEFAULT_PORT,
        };
        let allow = self.match_list(node.after("allow").and_then(|item| item.list()).unwrap_or_default());
        let keys = Self::control_keys(node, keys);
        let read_only = node.after("read-only").is_some_and(|item| item.value == Value::Boolean(true));
        Some(Control { address: SocketAddr::new(address, port), allow, keys, read_only })
    }

    fn control_keys(node: &Node<'_>, keys: &[Arc<Key>]) -> Vec<Arc<Key>> {
        let named = node.after("keys").and_then(|item| item.list()).unwrap_or_default();
        let find = |text: &str| {
            let name = text.parse::<Name>().ok()?;
            keys.iter().find(|key| key.name == name).cloned()
        };
        named.iter().copied().flatten().filter_map(|item| find(item.text()?)).collect()
    }
}
