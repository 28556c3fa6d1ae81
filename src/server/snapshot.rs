//! From a configuration and the zones that run to the snapshot that workers answer from.

use std::sync::Arc;

use super::access::Host;
use super::plan::ZoneKey;
use crate::answer::acl::Acl;
use crate::answer::builtin;
use crate::answer::cookie::{CookieAlgorithm, Cookies};
use crate::answer::order::{Orders, RrsetOrder, Rule};
use crate::answer::rrl::{self, RateLimit};
use crate::answer::snapshot::{self, EdnsPolicy, Identity, MinimalResponses, PeerPolicy, ProxyPolicy, Snapshot};
use crate::answer::sortlist::{Group, SortRule};
use crate::answer::table::ZoneTable;
use crate::conf::config::{self, Config, Match, MatchElement, Options, Role, View};
use crate::dns::Key;

/// What the snapshot says of the server beside its configuration.
#[derive(Debug, Clone)]
pub(super) struct Server {
    /// version.bind, where the configuration is silent.
    pub(super) version: Box<str>,
    /// This host's name.
    pub(super) hostname: Option<Box<str>>,
    /// The cookie secret of this run, where the configuration has none.
    pub(super) cookie_secret: [u8; 16],
    /// The key of `update-policy local`, if there is one.
    pub(super) session_key: Option<Arc<Key>>,
}

/// Builds a snapshot. `table` gives the zones of a view; of the snapshot before, accounts of clients live on.
pub(super) fn build(
    config: &Config,
    server: &Server,
    host: &Host,
    before: &Snapshot,
    table: impl Fn(&View) -> Arc<ZoneTable>,
) -> Snapshot {
    let options = &config.options;
    let identity = identity(options, server);
    let limits = Limits { before, host, secret: server.cookie_secret };
    let view = |view| self::view(view, host, table(view), limits.of(view), server.session_key.clone());
    let mut views: Vec<snapshot::View> = config.views.iter().map(view).collect();
    views.push(builtin::view(
        &identity,
        edns(&options.edns, host),
        proxies(&options.proxies, host),
        Some(limits.find(builtin::NAME, builtin::RATE_LIMIT, Acl::Nobody)),
    ));
    Snapshot {
        views,
        blackhole: host.compile(&options.blackhole),
        match_mapped_addresses: options.match_mapped_addresses,
        identity,
        edns: edns(&options.edns, host),
        tcp_advertised_timeout_100ms: u16::try_from(options.tcp_advertised_timeout.as_millis() / 100)
            .unwrap_or(u16::MAX),
        cookies: cookies(options, server),
    }
}

/// The zones of a view. `zone` gives the running zone of a key; a zone that does not run is left out. `members` are
/// those that catalogs have brought.
pub(super) fn zone_table(
    view: &View,
    zone: impl Fn(&ZoneKey) -> Option<Arc<snapshot::Zone>>,
    members: impl Iterator<Item = Arc<snapshot::Zone>>,
) -> ZoneTable {
    let own: Arc<str> = view.name.as_str().into();
    let configured = view.zones.iter().filter_map(|configured| {
        let holder = match &configured.role {
            Role::InView(other) => other.as_str().into(),
            _ => own.clone(),
        };
        zone(&ZoneKey { view: holder, apex: configured.apex.clone(), class: configured.class })
    });
    ZoneTable::new(members.chain(configured))
}

fn view(
    view: &View,
    host: &Host,
    zones: Arc<ZoneTable>,
    rate_limit: Option<Arc<RateLimit>>,
    session_key: Option<Arc<Key>>,
) -> snapshot::View {
    snapshot::View {
        name: view.name.as_str().into(),
        class: view.class,
        match_clients: host.compile(&view.match_clients),
        match_destinations: host.compile(&view.match_destinations),
        match_recursive_only: view.match_recursive_only,
        keys: view.keys.iter().cloned().chain(session_key).collect(),
        zones,
        minimal_responses: match view.minimal_responses {
            config::MinimalResponses::No => MinimalResponses::No,
            config::MinimalResponses::Yes => MinimalResponses::Yes,
            config::MinimalResponses::NoAuth => MinimalResponses::NoAuth,
            config::MinimalResponses::NoAuthRecursive => MinimalResponses::NoAuthRecursive,
        },
        minimal_any: view.minimal_any,
        rrset_order: Orders::new(view.rrset_order.iter().map(order_rule)),
        sortlist: view.sortlist.iter().filter_map(|element| sort_rule(element, host)).collect(),
        max_restarts: view.max_query_restarts,
        no_case_compress: host.compile(&view.no_case_compress),
        offers_recursion: view.offers_recursion,
        allow_recursion: host.compile(&view.allow_recursion),
        edns: edns(&view.edns, host),
        proxies: proxies(&view.proxies, host),
        peers: peers(&view.servers),
        rate_limit,
    }
}

fn order_rule(rule: &config::OrderRule) -> Rule {
    let order = match rule.order {
        config::RrsetOrder::None => RrsetOrder::None,
        config::RrsetOrder::Random => RrsetOrder::Random,
        // Debian's named is built without fixed order, and goes round in its place.
        config::RrsetOrder::Cyclic | config::RrsetOrder::Fixed => RrsetOrder::Cyclic,
    };
    Rule { class: rule.class, rtype: rule.rtype, name: rule.name.clone(), order }
}

/// An element of `sortlist`. BIND: clients alone get their own addresses first, and what has another form ends sorting.
fn sort_rule(element: &MatchElement, host: &Host) -> Option<SortRule> {
    let acl = |element: &MatchElement| host.compile(&[MatchElement { negated: false, ..element.clone() }]);
    let group = |element: &MatchElement| Group { is_last: element.negated, addresses: acl(element) };
    let (clients, order) = match &element.what {
        Match::Any => return None,
        Match::List(list) => match &list[..] {
            [] => return None,
            [clients] if !clients.negated => (clients, clients),
            [clients, order] if !clients.negated => (clients, order),
            _ => return Some(SortRule { clients: Acl::Any, groups: Box::default() }),
        },
        _ => (element, element),
    };
    let groups: Box<[Group]> = match &order.what {
        Match::List(list) if !std::ptr::eq(clients, order) => list.iter().map(group).collect(),
        _ => Box::new([Group { is_last: false, addresses: acl(order) }]),
    };
    Some(SortRule { clients: acl(clients), groups })
}

/// The rate limits of views.
struct Limits<'a> {
    before: &'a Snapshot,
    host: &'a Host,
    secret: [u8; 16],
}

impl Limits<'_> {
    fn of(&self, view: &View) -> Option<Arc<RateLimit>> {
        let limit = view.rate_limit.as_ref()?;
        Some(self.find(&view.name, rate_settings(limit), self.host.compile(&limit.exempt_clients)))
    }

    /// Those of the snapshot before where they are the same, so that no attacker starts anew with a reload.
    fn find(&self, view: &str, settings: rrl::Settings, exempt: Acl) -> Arc<RateLimit> {
        let before = self.before.views.iter().find(|before| *before.name == *view);
        let before = before.and_then(|view| view.rate_limit.as_ref());
        match before.filter(|before| before.is_of(&settings, &exempt)) {
            Some(before) => before.clone(),
            None => Arc::new(RateLimit::new(settings, exempt, self.secret)),
        }
    }
}

fn rate_settings(limit: &config::RateLimit) -> rrl::Settings {
    rrl::Settings {
        per_second: [
            limit.responses_per_second,
            limit.referrals_per_second,
            limit.nodata_per_second,
            limit.nxdomains_per_second,
            limit.errors_per_second,
            limit.all_per_second,
        ],
        window_s: limit.window_s,
        slip: limit.slip.min(rrl::MAX_SLIP) as u8,
        log_only: limit.log_only,
        ipv4_prefix_length: limit.ipv4_prefix_length.min(32) as u8,
        ipv6_prefix_length: limit.ipv6_prefix_length.min(128) as u8,
        max_table_size: limit.max_table_size,
        qps_scale: limit.qps_scale,
    }
}

fn identity(options: &Options, server: &Server) -> Identity {
    let hostname = || server.hostname.clone();
    let text = |configured: &config::Identity, default: Option<Box<str>>| match configured {
        config::Identity::Default => default,
        config::Identity::None => None,
        config::Identity::Hostname => hostname(),
        config::Identity::Text(text) => Some(text.as_str().into()),
    };
    // BIND: once `version` is set, authors.bind is empty as well; nomd's authors are not BIND's either way.
    let authors: Box<[Box<str>]> = match options.version {
        config::Identity::Default => Box::new(["The nomd developers".into()]),
        _ => Box::default(),
    };
    Identity {
        version: text(&options.version, Some(server.version.clone())),
        hostname: text(&options.hostname, hostname()),
        server_id: text(&options.server_id, None),
        authors,
    }
}

fn edns(edns: &config::Edns, host: &Host) -> EdnsPolicy {
    EdnsPolicy {
        udp_size: edns.udp_size,
        max_udp_size: edns.max_udp_size,
        nocookie_udp_size: edns.nocookie_udp_size,
        requires_cookie: edns.require_server_cookie,
        padded: host.compile(&edns.padded),
        padding_block: edns.padding_block,
    }
}

fn proxies(proxies: &config::Proxies, host: &Host) -> ProxyPolicy {
    ProxyPolicy { from: host.compile(&proxies.from), on: host.compile(&proxies.on) }
}

/// The `server` statements that say how a peer is answered.
fn peers(servers: &[config::Server]) -> Box<[PeerPolicy]> {
    let policy = |server: &config::Server| PeerPolicy {
        prefix: server.prefix,
        max_udp_size: server.max_udp_size,
        provide_ixfr: server.provide_ixfr,
        one_answer: server.one_answer,
    };
    let mut peers: Vec<PeerPolicy> = servers.iter().map(policy).collect();
    peers.sort_by_key(|peer| std::cmp::Reverse(peer.prefix.prefix_len()));
    peers.into()
}

fn cookies(options: &Options, server: &Server) -> Cookies {
    let secrets = match options.cookie_secrets[..] {
        _ if !options.answer_cookie => vec![],
        [] => vec![server.cookie_secret],
        ref configured => configured.to_vec(),
    };
    let algorithm = if options.cookie_by_aes { CookieAlgorithm::Aes } else { CookieAlgorithm::SipHash24 };
    Cookies { algorithm, secrets }
}
