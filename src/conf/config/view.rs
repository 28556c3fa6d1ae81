//! Views, and what they say of answers.

use std::sync::Arc;
use std::time::Duration;

use super::{AddressMatchList, Proxies, Remote, Server, Zone, ZoneSettings};
use crate::dns::{Class, Key, Name, Rtype};

/// A view; without `view` statements the one called `_default`.
#[derive(Debug, Clone, PartialEq)]
pub struct View {
    /// Its name.
    pub name: String,
    /// Its class.
    pub class: Class,
    /// Who is served by it.
    pub match_clients: AddressMatchList,
    /// On which of our addresses.
    pub match_destinations: AddressMatchList,
    /// Only recursive queries.
    pub match_recursive_only: bool,
    /// Keys that were declared in the view, then those of the top level.
    pub keys: Vec<Arc<Key>>,
    /// Whether BIND would recurse for somebody here. nomd does not.
    pub recursion: bool,
    /// `recursion yes`, whoever may make use of it.
    pub offers_recursion: bool,
    /// `allow-recursion`: for whom that would be; nobody with `recursion no`. Default localhost and localnets.
    pub allow_recursion: AddressMatchList,
    /// `minimal-responses`.
    pub minimal_responses: MinimalResponses,
    /// `minimal-any`.
    pub minimal_any: bool,
    /// How it speaks EDNS.
    pub edns: Edns,
    /// `request-nsid`: whether primaries are asked for their identity.
    pub request_nsid: bool,
    /// Which proxies are heard.
    pub proxies: Proxies,
    /// `rrset-order`: the first rule that fits counts. Default random for all.
    pub rrset_order: Vec<OrderRule>,
    /// `sortlist`: each element a list of clients and what they get first.
    pub sortlist: AddressMatchList,
    /// `max-query-restarts`, default 11.
    pub max_query_restarts: u32,
    /// `server` statements.
    pub servers: Vec<Server>,
    /// `no-case-compress` clients.
    pub no_case_compress: AddressMatchList,
    /// `rate-limit`.
    pub rate_limit: Option<RateLimit>,
    /// The default for names outside every zone; their answer is REFUSED either way, but it is logged as denied.
    pub allow_query: AddressMatchList,
    /// `catalog-zones`.
    pub catalogs: Vec<CatalogZone>,
    /// Its zones, in order.
    pub zones: Vec<Zone>,
}

/// An element of `catalog-zones`: a zone that lists zones to serve.
#[derive(Debug, Clone, PartialEq)]
pub struct CatalogZone {
    /// The name of the zone.
    pub apex: Name,
    /// `default-primaries`: whom members are asked of where the catalog does not say.
    pub primaries: Arc<[Remote]>,
    /// The port of primaries that the catalog names: that of `options`.
    pub primary_port: u16,
    /// `zone-directory`: where members' files are. None: in the working directory.
    pub directory: Option<Arc<str>>,
    /// `in-memory`: members have no files.
    pub is_in_memory: bool,
    /// `min-update-interval`, default 5 s.
    pub min_update_interval: Duration,
    /// What members do and allow where the catalog does not say.
    pub settings: Arc<ZoneSettings>,
}

/// How EDNS is spoken.
#[derive(Debug, Clone, PartialEq)]
pub struct Edns {
    /// Our own EDNS size (`edns-udp-size`), default 1232.
    pub udp_size: u16,
    /// The largest UDP answer that we send (`max-udp-size`), default 1232.
    pub max_udp_size: u16,
    /// The largest to a client without a cookie of ours (`nocookie-udp-size`), default 4096.
    pub nocookie_udp_size: u16,
    /// `require-server-cookie`.
    pub require_server_cookie: bool,
    /// `response-padding`: for whom.
    pub padded: AddressMatchList,
    /// And to a multiple of how many bytes.
    pub padding_block: u16,
}

/// `rate-limit`: how many like answers a network gets.
#[derive(Debug, Clone, PartialEq)]
pub struct RateLimit {
    /// `responses-per-second`; 0 here and below: no limit.
    pub responses_per_second: u32,
    /// `referrals-per-second`.
    pub referrals_per_second: u32,
    /// `nodata-per-second`.
    pub nodata_per_second: u32,
    /// `nxdomains-per-second`.
    pub nxdomains_per_second: u32,
    /// `errors-per-second`.
    pub errors_per_second: u32,
    /// `all-per-second`.
    pub all_per_second: u32,
    /// `window` in seconds.
    pub window_s: u32,
    /// `slip`.
    pub slip: u32,
    /// `qps-scale`; 0: never.
    pub qps_scale: u32,
    /// `ipv4-prefix-length`.
    pub ipv4_prefix_length: u32,
    /// `ipv6-prefix-length`.
    pub ipv6_prefix_length: u32,
    /// `log-only`.
    pub log_only: bool,
    /// `max-table-size`.
    pub max_table_size: u32,
    /// `exempt-clients`.
    pub exempt_clients: AddressMatchList,
}

/// `minimal-responses`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the words of named.conf
pub enum MinimalResponses {
    No,
    Yes,
    NoAuth,
    NoAuthRecursive,
}

/// An element of `rrset-order`; what it does not say fits all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OrderRule {
    /// `class`.
    pub class: Option<Class>,
    /// `type`.
    pub rtype: Option<Rtype>,
    /// `name`: an owner, or a wildcard for all below.
    pub name: Option<Name>,
    /// `order`.
    pub order: RrsetOrder,
}

/// The orders of `rrset-order`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // the words of named.conf
pub enum RrsetOrder {
    None,
    Fixed,
    Random,
    Cyclic,
}
