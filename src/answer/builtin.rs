//! The built-in view of class CH: version.bind, hostname.bind, authors.bind and id.server.
//!
//! They are zones like any other, made when the snapshot is made, and answered by the same code. As with BIND they have
//! a SOA, an NS that names the zone itself, and TXT records with a TTL of 0; an empty text makes a NODATA.

use std::sync::Arc;

use super::acl::Acl;
use super::order::RrsetOrder;
use super::rrl::{self, RateLimit};
use super::snapshot::{EdnsPolicy, Identity, MinimalResponses, ProxyPolicy, View, Zone, ZonePolicy, ZoneRole};
use super::table::ZoneTable;
use crate::dns::{Class, Name, Rtype};
use crate::zone::{Builder, ContentsError, ZoneVersion};

/// The view's name, as BIND has it.
pub const NAME: &str = "_bind";
/// What BIND's SOA of these zones holds: serial, refresh, retry, expire, minimum.
const SOA_NUMBERS: [u32; 5] = [0, 28_800, 7_200, 604_800, 86_400];
const SOA_TTL_S: u32 = 86_400;
/// The longest text that one character string holds.
const MAX_TEXT: usize = 255;

/// The limits of the view: BIND answers three like questions a second, and lets nothing slip.
pub const RATE_LIMIT: rrl::Settings = rrl::Settings {
    per_second: [3, 3, 3, 3, 3, 0],
    window_s: 15,
    slip: 0,
    log_only: false,
    ipv4_prefix_length: 24,
    ipv6_prefix_length: 56,
    max_table_size: 1000,
    qps_scale: 0,
};

/// The view, to stand behind all views of the configuration.
pub fn view(identity: &Identity, edns: EdnsPolicy, proxies: ProxyPolicy, rate_limit: Option<Arc<RateLimit>>) -> View {
    let text = |text: &Option<Box<str>>| text.iter().cloned().collect::<Vec<_>>();
    let zones = [
        ("version.bind", text(&identity.version)),
        ("hostname.bind", text(&identity.hostname)),
        ("authors.bind", identity.authors.to_vec()),
        ("id.server", text(&identity.server_id)),
    ];
    let policy = Arc::new(ZonePolicy {
        allow_query: Acl::Any,
        allow_query_on: Acl::Any,
        zero_no_soa_ttl: true,
        ..ZonePolicy::default()
    });
    let zones = zones.into_iter().filter_map(|(apex, texts)| {
        let apex: Name = apex.parse().ok()?;
        let version = contents(&apex, &texts).ok()?;
        let zone = Zone::new(apex, Class::CH, ZoneRole::Primary, policy.clone());
        zone.publish(Some(Arc::new(version)));
        Some(Arc::new(zone))
    });
    View {
        name: NAME.into(),
        class: Class::CH,
        match_clients: Acl::Any,
        match_destinations: Acl::Any,
        match_recursive_only: false,
        keys: Vec::new(),
        zones: Arc::new(ZoneTable::new(zones)),
        minimal_responses: MinimalResponses::NoAuthRecursive,
        minimal_any: false,
        rrset_order: RrsetOrder::None.into(),
        sortlist: Box::default(),
        max_restarts: 11,
        offers_recursion: false,
        allow_recursion: Acl::Nobody,
        no_case_compress: Acl::Nobody,
        edns,
        proxies,
        peers: Box::default(),
        rate_limit,
    }
}

fn contents(apex: &Name, texts: &[Box<str>]) -> Result<ZoneVersion, ContentsError> {
    let mut builder = Builder::new(apex.clone(), Class::CH);
    let name = apex.as_ref();
    let numbers: Vec<u8> = SOA_NUMBERS.iter().flat_map(|number| number.to_be_bytes()).collect();
    let soa = [name.as_bytes(), b"\x0ahostmaster", name.as_bytes(), &numbers].concat();
    builder.add(name, Rtype::SOA, SOA_TTL_S, &soa)?;
    builder.add(name, Rtype::NS, 0, name.as_bytes())?;
    for text in texts {
        let bytes = text.as_bytes();
        let rdata: Vec<u8> = bytes.chunks(MAX_TEXT).flat_map(|part| [&[part.len() as u8], part].concat()).collect();
        builder.add(name, Rtype::TXT, 0, &rdata)?;
    }
    builder.finish()
}
