//! `server`: how one peer, or all of a prefix, is treated.

use std::net::SocketAddr;
use std::sync::Arc;

use ipnet::IpNet;

use super::inherit::Levels;
use super::{Context, clause, edns};
use crate::conf::config::Server;
use crate::conf::table::{Clause, Setting};
use crate::conf::tree::{Block, Node, Value};
use crate::dns::{Key, Name};

impl Context<'_> {
    /// The `server` statements of a block.
    pub(super) fn servers(&self, block: Block<'_>, keys: &[Arc<Key>]) -> Vec<Server> {
        block.all(clause::SERVER).filter_map(|node| self.server(node, keys)).collect()
    }

    fn server(&self, node: &Node<'_>, keys: &[Arc<Key>]) -> Option<Server> {
        let Some(Value::Prefix(prefix)) = node.value() else { return None };
        let prefix = *prefix;
        let block = node.block()?;
        let levels = Levels([Some(block), None, None]);
        let given = |setting: Setting<bool>| block.find(setting.clause).map(|_| levels.boolean(setting));
        let size = |setting: Setting<u32>| block.find(setting.clause).map(|_| edns::udp_size(levels.number(setting)));
        Some(Server {
            prefix,
            key: block.find(clause::KEYS).and_then(|node| self.defined_key(node, keys)),
            edns: levels.boolean(clause::EDNS),
            tcp_only: levels.boolean(clause::TCP_ONLY),
            udp_size: size(clause::EDNS_UDP_SIZE),
            request_expire: given(clause::REQUEST_EXPIRE),
            request_nsid: given(clause::REQUEST_NSID),
            request_ixfr: given(clause::REQUEST_IXFR),
            request_ixfr_max_diffs: block
                .find(clause::REQUEST_IXFR_MAX_DIFFS.clause)
                .map(|_| levels.number(clause::REQUEST_IXFR_MAX_DIFFS)),
            transfers: block.find(clause::TRANSFERS).map(|_| levels.number_or(clause::TRANSFERS, 0)),
            max_udp_size: size(clause::MAX_UDP_SIZE),
            provide_ixfr: given(clause::PROVIDE_IXFR),
            one_answer: levels.word(clause::TRANSFER_FORMAT).map(|word| word == "one-answer"),
            notify_source: source(block, prefix, clause::NOTIFY_SOURCE, clause::NOTIFY_SOURCE_V6),
            transfer_source: source(block, prefix, clause::TRANSFER_SOURCE, clause::TRANSFER_SOURCE_V6),
        })
    }

    /// Unlike a key in a list of primaries, one of a `server` statement must be defined.
    fn defined_key(&self, node: &Node<'_>, keys: &[Arc<Key>]) -> Option<Name> {
        self.key_of(node).filter(|name| keys.iter().any(|key| key.name == *name))
    }
}

/// The statement that has the family of the peer.
fn source(block: Block<'_>, peer: IpNet, v4: Clause, v6: Clause) -> Option<SocketAddr> {
    let clause = if peer.addr().is_ipv6() { v6 } else { v4 };
    match block.find(clause)?.value()? {
        Value::Source(address) => Some(*address),
        _ => None,
    }
}
