//! What is open to the primaries: sockets and connections that serve again while many zones are asked about or
//! transferred, and the pipes of SOA queries.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::sync::Arc;

use super::pipes::{Pipe, Pipes};
use crate::net::connections::Connections;
use crate::net::exchange::Secure;
use crate::net::sockets::Sockets;
use crate::transfer::peer::Peer;

/// All of it.
#[derive(Default)]
pub(super) struct Ways {
    sockets: HashMap<Way, Arc<Sockets>>,
    connections: HashMap<Way, Arc<Connections>>,
    pipes: Pipes,
}

/// Whither, whence, and within which TLS.
#[derive(PartialEq, Eq, Hash)]
pub(super) struct Way {
    server: SocketAddr,
    source: SocketAddr,
    tls: Option<usize>,
}

impl Way {
    /// To this primary. What is kept under it has to hold the TLS, or another one could take its address.
    pub(super) fn to(primary: &Peer, tls: Option<&Arc<Secure>>) -> Self {
        Self { server: primary.address, source: primary.source, tls: tls.map(|secure| Arc::as_ptr(secure).addr()) }
    }
}

impl Ways {
    /// The sockets to a primary, shared with others in a crowd. From a port that is given only one can be open.
    pub(super) fn sockets(&mut self, primary: &Peer, is_crowded: bool) -> Arc<Sockets> {
        let fresh = || Arc::new(Sockets::new(primary.address, primary.source));
        match is_crowded && primary.source.port() == 0 {
            true => Arc::clone(self.sockets.entry(Way::to(primary, None)).or_insert_with(fresh)),
            false => fresh(),
        }
    }

    /// The connections to a primary, shared with others in a crowd.
    pub(super) fn connections(
        &mut self,
        primary: &Peer,
        tls: Option<Arc<Secure>>,
        is_crowded: bool,
    ) -> Arc<Connections> {
        let way = Way::to(primary, tls.as_ref());
        let fresh = || Arc::new(Connections::new(primary.address, primary.source, tls, primary.connect_limit));
        match is_crowded {
            true => Arc::clone(self.connections.entry(way).or_insert_with(fresh)),
            false => fresh(),
        }
    }

    /// The connection that the SOA queries to a primary share.
    pub(super) fn pipe(&mut self, primary: &Peer, tls: Option<&Arc<Secure>>) -> Pipe {
        self.pipes.to(primary, tls)
    }

    /// Closes what a crowd has left.
    pub(super) fn close_spare(&mut self) {
        self.sockets.clear();
        self.connections.clear();
    }
}
