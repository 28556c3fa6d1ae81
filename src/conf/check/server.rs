//! `server` blocks: each prefix once, sources of its own family, a key that is there.

use std::net::SocketAddr;

use ipnet::IpNet;

use super::key::Keys;
use super::{Context, all_named, named};
use crate::conf::lexer::Place;
use crate::conf::tree::{Block, Item, Node, Value};
use crate::dns::Name;

/// The statements with an address to send from, for IPv4 and IPv6.
const SOURCES: [(&str, &str); 3] = [
    ("transfer-source", "transfer-source-v6"),
    ("notify-source", "notify-source-v6"),
    ("query-source", "query-source-v6"),
];

impl Context<'_> {
    /// The servers of a view, or those of the top level where the view has none.
    pub(super) fn check_servers(&self, view: Option<Block<'_>>, keys: &Keys) {
        let block = view.filter(|block| named(*block, "server").is_some()).unwrap_or(self.root);
        let servers: Vec<(IpNet, &Node<'_>)> =
            all_named(block, "server").filter_map(|node| Some((prefix(node)?, node))).collect();
        for (at, (prefix, node)) in servers.iter().enumerate() {
            let Some(block) = node.block() else { continue };
            SOURCES.iter().for_each(|pair| self.check_sources(*prefix, node, block, *pair));
            for (_, later) in servers.iter().skip(at + 1).filter(|(other, _)| other == prefix) {
                let earlier = self.shown(node.block_place());
                let message = format!("server '{prefix}': already exists previous definition: {earlier}");
                self.error(later.block_place(), message);
            }
            if let Some(item) =
                named(block, "keys").and_then(|node| node.items.iter().find(|item| item.text().is_some()))
            {
                self.check_server_key(item, keys);
            }
        }
    }

    fn check_sources(&self, prefix: IpNet, node: &Node<'_>, block: Block<'_>, (v4, v6): (&str, &str)) {
        let (own, other) = if prefix.addr().is_ipv4() { (v4, v6) } else { (v6, v4) };
        if named(block, other).is_some() {
            self.error(node.block_place(), format!("server '{prefix}': {other} not legal"));
        }
        // A port is not discouraged here.
        let _ = self.check_source_port(named(block, own));
    }

    /// What is sent from an own port cannot be sent from the one that is listened on. Gives the place of another port.
    fn check_source_port(&self, node: Option<&Node<'_>>) -> Option<Place> {
        let node = node?;
        let (item, source) = source_of(node)?;
        let (name, port) = (node.statement.name, self.port());
        let place = if name.starts_with("query-") { item.place } else { node.place };
        if u32::from(source.port()) == port {
            self.error(place, format!("'{name}' cannot specify the DNS listener port ({port})"));
            return None;
        }
        Some(place).filter(|_| source.port() != 0)
    }

    /// The same of what is not for one server alone: an own port is easily guessed.
    pub(super) fn check_source(&self, node: Option<&Node<'_>>) {
        if let Some((node, place)) = node.and_then(|node| Some((node, self.check_source_port(Some(node))?))) {
            self.warn(place, format!("'{}': specifying a port is not recommended", node.statement.name));
        }
    }

    fn check_server_key(&self, item: &Item<'_>, keys: &Keys) {
        let text = item.text().unwrap_or_default();
        match text.parse::<Name>() {
            Err(_) => self.error(item.place, format!("bad key name '{text}'")),
            Ok(name) if !keys.has(&name) => self.error(item.place, format!("unknown key '{text}'")),
            Ok(_) => {}
        }
    }
}

/// The source of a statement, whatever stands around it.
pub(super) fn source_of<'a>(node: &Node<'a>) -> Option<(&'a Item<'a>, SocketAddr)> {
    node.items.iter().find_map(|item| match item.value {
        Value::Source(source) => Some((item, source)),
        _ => None,
    })
}

fn prefix(node: &Node<'_>) -> Option<IpNet> {
    match node.value()? {
        Value::Prefix(prefix) => Some(*prefix),
        _ => None,
    }
}
