//! Other servers as the configuration describes them: address, key, source address, and what `server` statements say.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;
use std::time::Duration;

use crate::conf::config::{Config, Remote, Server, View, ZoneSettings};
use crate::dns::{Key, Name};
use crate::transfer::message::Opt;
use crate::transfer::peer::Peer;

/// Finds what there is to know of peers in one view.
pub(super) struct Peers<'c> {
    view: Option<&'c View>,
    connect_limit: Duration,
}

impl<'c> Peers<'c> {
    /// The peers of a view.
    pub(super) fn new(config: &'c Config, view: &str) -> Self {
        let connect_limit = config.options.tcp_primaries_timeout;
        Self { view: config.views.iter().find(|each| each.name == view), connect_limit }
    }

    /// A primary.
    pub(super) fn primary(&self, remote: &Remote, zone: &ZoneSettings) -> Peer {
        let name = self.key_name(remote);
        let key = name.and_then(|name| self.key(name));
        let missing_key = name.filter(|_| key.is_none()).cloned();
        let server = self.server(remote.address.ip());
        let by_family = if remote.address.is_ipv4() { zone.transfer_source } else { zone.transfer_source_v6 };
        let source = server.and_then(|server| server.transfer_source).unwrap_or(by_family);
        let other_source = alternative(remote, source, zone).filter(|_| missing_key.is_none());
        Peer { other_source, missing_key, ..self.peer(remote, zone, source, key) }
    }

    /// Whom a NOTIFY goes to. A key that is not defined leaves it unsigned (BIND semantics 1.17).
    pub(super) fn notified(&self, remote: &Remote, zone: &ZoneSettings) -> Peer {
        let key = self.key_name(remote).and_then(|name| self.key(name));
        let server = self.server(remote.address.ip());
        let by_family = if remote.address.is_ipv4() { zone.notify_source } else { zone.notify_source_v6 };
        let source = server.and_then(|server| server.notify_source).unwrap_or(by_family);
        self.peer(remote, zone, source, key)
    }

    /// `server { transfers }`.
    pub(super) fn transfers(&self, address: IpAddr) -> Option<usize> {
        self.server(address).and_then(|server| server.transfers).map(|limit| limit as usize)
    }

    fn peer(&self, remote: &Remote, zone: &ZoneSettings, source: SocketAddr, key: Option<Arc<Key>>) -> Peer {
        let server = self.server(remote.address.ip());
        Peer {
            address: remote.address,
            source,
            other_source: None,
            key,
            missing_key: None,
            tls: remote.tls.clone(),
            opt: self.opt(server, zone),
            tcp_only: remote.tls.is_some() || server.is_some_and(|server| server.tcp_only),
            connect_limit: self.connect_limit,
            max_differences: server.and_then(|server| server.request_ixfr_max_diffs),
            request_ixfr: server.and_then(|server| server.request_ixfr),
        }
    }

    /// The OPT record of SOA queries. One without a `server` statement is asked for BIND's own size of a buffer.
    fn opt(&self, server: Option<&Server>, zone: &ZoneSettings) -> Option<Opt> {
        if server.is_some_and(|server| !server.edns) {
            return None;
        }
        let view = self.view?;
        Some(Opt {
            udp_bytes: server.map_or(BUFFER_BYTES, |server| server.udp_size.unwrap_or(view.edns.udp_size)),
            nsid: server.and_then(|server| server.request_nsid).unwrap_or(view.request_nsid),
            expire: server.and_then(|server| server.request_expire).unwrap_or(zone.request_expire),
        })
    }

    /// BIND semantics 1.54: the key of the element, else that of the `server` statement.
    fn key_name<'r>(&'r self, remote: &'r Remote) -> Option<&'r Name> {
        remote.key.as_ref().or_else(|| self.server(remote.address.ip()).and_then(|server| server.key.as_ref()))
    }

    fn key(&self, name: &Name) -> Option<Arc<Key>> {
        self.view?.keys.iter().find(|key| key.name == *name).cloned()
    }

    /// The most specific `server` statement for an address.
    fn server(&self, address: IpAddr) -> Option<&'c Server> {
        let servers = self.view?.servers.iter();
        servers.filter(|server| server.prefix.contains(&address)).max_by_key(|server| server.prefix.prefix_len())
    }
}

/// Where a primary is asked from when `source` fails.
fn alternative(remote: &Remote, source: SocketAddr, zone: &ZoneSettings) -> Option<SocketAddr> {
    let by_family = if remote.address.is_ipv4() { zone.alt_transfer_source } else { zone.alt_transfer_source_v6 };
    Some(by_family).filter(|other| zone.use_alt_transfer_source && *other != source)
}

/// What BIND says that it can take where nothing is said of the other server.
const BUFFER_BYTES: u16 = 2048;
