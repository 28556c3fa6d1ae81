//! rndc.key and rndc.conf: how the control channel is reached and with which key.
//!
//! The server reads rndc.key for its default channel; the rndc client reads rndc.conf, or rndc.key where there is none.

use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use super::Diagnostics;
use crate::dns::Key;

/// Port of the control channel where none is configured.
pub const DEFAULT_PORT: u16 = 953;

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
    Err(super::unreadable(path))
}

/// Reads an rndc.conf.
pub fn load(path: &Path) -> Result<RndcConf, Diagnostics> {
    Err(super::unreadable(path))
}
