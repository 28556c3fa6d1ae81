//! Other servers: how they are reached, and how each is treated.

use std::net::{IpAddr, SocketAddr};
use std::sync::Arc;

use ipnet::IpNet;

use crate::dns::Name;

/// A `server` statement: how one peer is treated.
#[derive(Debug, Clone, PartialEq)]
pub struct Server {
    /// Which peers.
    pub prefix: IpNet,
    /// The key of requests to it, by name: one that is not defined is found out at run time, as with BIND.
    pub key: Option<Name>,
    /// `edns no`: never sent EDNS.
    pub edns: bool,
    /// `tcp-only`: SOA queries and NOTIFY go over TCP.
    pub tcp_only: bool,
    /// `edns-udp-size`: what SOA queries to it say that we take.
    pub udp_size: Option<u16>,
    /// `request-expire`.
    pub request_expire: Option<bool>,
    /// `request-nsid`.
    pub request_nsid: Option<bool>,
    /// `request-ixfr`.
    pub request_ixfr: Option<bool>,
    /// `request-ixfr-max-diffs`.
    pub request_ixfr_max_diffs: Option<u32>,
    /// `transfers`: at most so many at a time from it.
    pub transfers: Option<u32>,
    /// `max-udp-size`: the largest answer to it.
    pub max_udp_size: Option<u16>,
    /// `provide-ixfr`: whether it gets differences.
    pub provide_ixfr: Option<bool>,
    /// `transfer-format one-answer`: how zones are sent to it.
    pub one_answer: Option<bool>,
    /// `notify-source`.
    pub notify_source: Option<SocketAddr>,
    /// `transfer-source`.
    pub transfer_source: Option<SocketAddr>,
}

/// Another server, as an element of `primaries` or `also-notify`.
#[derive(Debug, Clone, PartialEq)]
pub struct Remote {
    /// Where it is.
    pub address: SocketAddr,
    /// The key's name; one that is not defined is found out at run time, as with BIND.
    pub key: Option<Name>,
    /// The `tls` statement's name, in lower case.
    pub tls: Option<Arc<str>>,
}

/// The address that stands for "any" in `transfer-source *` and the like.
pub fn any_source(v6: bool) -> SocketAddr {
    let address =
        if v6 { IpAddr::V6(std::net::Ipv6Addr::UNSPECIFIED) } else { IpAddr::V4(std::net::Ipv4Addr::UNSPECIFIED) };
    SocketAddr::new(address, 0)
}
