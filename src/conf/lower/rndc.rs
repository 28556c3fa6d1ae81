//! rndc.key and rndc.conf: how the control channel is reached and with which key.
//!
//! The server reads rndc.key for its default channel; the rndc client reads rndc.conf, or rndc.key where there is none.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use super::{Context, clause, read_key};
use crate::conf::check::check_keys;
use crate::conf::parse::How;
use crate::conf::table::{Clause, Scope};
use crate::conf::tree::{Arena, Block, Item, Node, Value, after};
use crate::conf::{Diagnostic, Diagnostics, Dialect, Severity, parse};
use crate::dns::Key;

/// Port of the control channel where none is configured.
pub const DEFAULT_PORT: u16 = clause::DEFAULT_PORT.default as u16;

/// An rndc.conf.
#[derive(Debug, Clone, Default)]
pub struct RndcConf {
    /// `key` statements.
    pub keys: Vec<Arc<Key>>,
    /// `default-key`, by name as written.
    pub default_key: Option<String>,
    /// `default-server`: a host name or address.
    pub default_server: Option<String>,
    /// `default-port`.
    pub default_port: Option<u16>,
    /// `default-source-address` and its v6 twin.
    pub default_sources: Vec<SocketAddr>,
    /// `server` statements.
    pub servers: Vec<RndcServer>,
}

/// A `server` statement of rndc.conf.
#[derive(Debug, Clone, Default)]
pub struct RndcServer {
    /// The server's name, as given with `rndc -s`.
    pub name: String,
    /// Its key, by name.
    pub key: Option<String>,
    /// Its port.
    pub port: Option<u16>,
    /// `addresses`: host names or addresses, each with a port of its own or none.
    pub addresses: Vec<(String, Option<u16>)>,
    /// `source-address` and its v6 twin.
    pub sources: Vec<SocketAddr>,
}

/// Reads a file that holds one `key` statement, such as rndc.key or session.key.
pub fn load_key_file(path: &Path) -> Result<Key, Diagnostics> {
    read(path, |_, root| root.find(clause::KEY).and_then(read_key))
}

/// Reads an rndc.conf.
pub fn load(path: &Path) -> Result<RndcConf, Diagnostics> {
    read(path, |context, root| Some(lower(context, root)))
}

/// Parses a file and lowers it; a fault anywhere spoils it.
fn read<T>(path: &Path, lower: impl Fn(&Context<'_>, Block<'_>) -> Option<T>) -> Result<T, Diagnostics> {
    let arena = Arena::default();
    let how = How { scope: Scope::Rndc, dialect: Dialect::Bind918 };
    let (tree, mut faults) = parse::file(&arena, path, how);
    let Some(tree) = tree else { return Err(Diagnostics(faults)) };
    faults.extend(check_keys(&tree));
    let context = Context::new(&tree);
    let lowered = lower(&context, tree.root);
    faults.extend(context.into_faults());
    let faults = Diagnostics(faults);
    match lowered {
        Some(lowered) if !faults.has_errors() => Ok(lowered),
        _ if faults.has_errors() => Err(faults),
        _ => Err(Diagnostics(vec![no_key(path)])),
    }
}

fn no_key(path: &Path) -> Diagnostic {
    let file = path.display().to_string().into();
    Diagnostic { severity: Severity::Error, file, line: 0, message: "no key statement".to_owned() }
}

fn lower(context: &Context<'_>, root: Block<'_>) -> RndcConf {
    let keys = root.all(clause::KEY).filter_map(read_key).map(Arc::new).collect();
    let servers = root.all(clause::SERVER).filter_map(|node| server(context, node)).collect();
    let Some(options) = root.find(clause::OPTIONS).and_then(Node::block) else {
        return RndcConf { keys, servers, ..RndcConf::default() };
    };
    let text = |clause| options.find(clause).and_then(Node::text).map(str::to_owned);
    RndcConf {
        keys,
        default_key: text(clause::DEFAULT_KEY),
        default_server: text(clause::DEFAULT_SERVER),
        default_port: port(context, options, clause::DEFAULT_PORT.clause),
        default_sources: sources(options, [clause::DEFAULT_SOURCE_ADDRESS, clause::DEFAULT_SOURCE_ADDRESS_V6]),
        servers,
    }
}

fn server(context: &Context<'_>, node: &Node<'_>) -> Option<RndcServer> {
    let (name, block) = (node.text()?.to_owned(), node.block()?);
    let listed = block.find(clause::ADDRESSES).and_then(Node::list).unwrap_or_default();
    let address = |items: &&[Item<'_>]| {
        let port = after(items, "port").map(|item| context.port_of(item));
        Some((items.first()?.text()?.to_owned(), port))
    };
    Some(RndcServer {
        name,
        key: block.find(clause::KEY).and_then(Node::text).map(str::to_owned),
        port: port(context, block, clause::PORT.clause),
        addresses: listed.iter().filter_map(address).collect(),
        sources: sources(block, [clause::SOURCE_ADDRESS, clause::SOURCE_ADDRESS_V6]),
    })
}

fn port(context: &Context<'_>, block: Block<'_>, clause: Clause) -> Option<u16> {
    block.find(clause)?.items.first().map(|item| context.port_of(item))
}

fn sources(block: Block<'_>, clauses: [Clause; 2]) -> Vec<SocketAddr> {
    let values = clauses.into_iter().filter_map(|clause| block.find(clause)?.value());
    let addresses = values.filter_map(|value| match value {
        Value::Source(address) => Some(*address),
        _ => None,
    });
    addresses.collect()
}
