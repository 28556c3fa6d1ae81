//! Address match lists of the configuration, compiled for answering against the addresses that this host has now.
//!
//! Zones share their lists by `Arc`, so each list is compiled once however many zones hold it.

use std::collections::HashMap;
use std::sync::Arc;

use ipnet::IpNet;

use crate::answer::acl::{Acl, Element, Entry, HostAddresses};
use crate::answer::snapshot::{TransferOut, TransferPath, ZonePolicy};
use crate::answer::update::UpdatePolicy;
use crate::conf::config::{GrantNames, GrantRule, Match, MatchElement, Remote, Role, Updates, Zone, ZoneSettings};
use crate::server::load;
use crate::zone::update::{Grant, Grants, Matching};

/// The addresses of this host and the networks that they are in.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub(super) struct Host {
    /// Each address as a prefix of full length.
    pub(super) localhost: Vec<IpNet>,
    /// Each network.
    pub(super) localnets: Vec<IpNet>,
}

impl Host {
    /// Compiles one list.
    pub(super) fn compile(&self, list: &[MatchElement]) -> Acl {
        let host = HostAddresses { localhost: &self.localhost, localnets: &self.localnets };
        Acl::compile(&entries(list), host)
    }
}

/// Compiles the lists of many zones, those of equal zones once.
pub(super) struct Policies<'h> {
    host: &'h Host,
    /// By the addresses of settings and primaries, which the value keeps alive.
    known: HashMap<(*const ZoneSettings, *const Remote), (Zone, Arc<ZonePolicy>)>,
    /// Whether lists follow the host's addresses, in the same way.
    follow: HashMap<*const ZoneSettings, (Arc<ZoneSettings>, bool)>,
}

impl<'h> Policies<'h> {
    /// None compiled yet.
    pub(super) fn new(host: &'h Host) -> Self {
        Self { host, known: HashMap::new(), follow: HashMap::new() }
    }

    /// What answering needs of a zone's statement.
    pub(super) fn of(&mut self, zone: &Zone) -> Arc<ZonePolicy> {
        let host = self.host;
        let key = (Arc::as_ptr(&zone.settings), primaries(zone).as_ptr());
        let (_, policy) = self.known.entry(key).or_insert_with(|| (zone.clone(), Arc::new(policy(host, zone))));
        Arc::clone(policy)
    }

    /// Whether some list of a zone changes with the host's addresses.
    pub(super) fn follow_host(&mut self, zone: &Zone) -> bool {
        let settings = &zone.settings;
        let (_, follows) = self.follow.entry(Arc::as_ptr(settings)).or_insert_with(|| {
            let ours = [&settings.allow_query, &settings.allow_query_on, &settings.allow_transfer];
            let theirs = [&settings.allow_notify, &settings.allow_update_forwarding];
            let follows = ours.into_iter().chain(theirs).any(|list| follows_host(list));
            let follows = follows
                || match &settings.updates {
                    Updates::None => false,
                    Updates::Allowed(list) => follows_host(list),
                    Updates::Granted(rules) => rules.iter().any(|rule| rule.names == GrantNames::Local),
                };
            (Arc::clone(settings), follows)
        });
        *follows
    }
}

fn follows_host(list: &[MatchElement]) -> bool {
    list.iter().any(|element| match &element.what {
        Match::Localhost | Match::Localnets => true,
        Match::List(list) => follows_host(list),
        Match::Any | Match::Prefix(_) | Match::Key(_) => false,
    })
}

fn policy(host: &Host, zone: &Zone) -> ZonePolicy {
    let settings = &zone.settings;
    ZonePolicy {
        allow_query: host.compile(&settings.allow_query),
        allow_query_on: host.compile(&settings.allow_query_on),
        allow_transfer: host.compile(&settings.allow_transfer),
        transfer_path: TransferPath { port: settings.transfer_port, is_tls: settings.transfer_is_tls },
        allow_notify: host.compile(&allow_notify(zone)),
        allow_update_forwarding: host.compile(&settings.allow_update_forwarding),
        updates: updates(host, &settings.updates),
        update_names: load::strictness(settings.checks.names),
        zero_no_soa_ttl: settings.zero_no_soa_ttl,
        provide_zone_version: settings.provide_zone_version,
        transfer_out: TransferOut {
            one_answer: settings.one_answer,
            idle: settings.max_transfer_idle_out,
            total: settings.max_transfer_time_out,
            provide_ixfr: settings.provide_ixfr,
            max_ixfr_percent: settings.max_ixfr_percent,
        },
    }
}

fn updates(host: &Host, updates: &Updates) -> UpdatePolicy {
    match updates {
        Updates::None => UpdatePolicy::None,
        Updates::Allowed(list) => UpdatePolicy::Allowed(host.compile(list)),
        Updates::Granted(rules) => UpdatePolicy::Granted {
            grants: Arc::new(Grants(rules.iter().map(grant).collect())),
            localhost: host.compile(&[MatchElement { negated: false, what: Match::Localhost }]),
        },
    }
}

fn grant(rule: &GrantRule) -> Grant {
    let matching = match &rule.names {
        GrantNames::Name(name) => Matching::Name(name.clone()),
        GrantNames::Subdomain(name) => Matching::Subdomain(name.clone()),
        GrantNames::Zonesub => Matching::Zone,
        GrantNames::Local => Matching::Local,
        GrantNames::Wildcard(name) => Matching::Wildcard(name.clone()),
        GrantNames::Itself => Matching::Itself,
        GrantNames::SelfSub => Matching::SelfSub,
        GrantNames::SelfWild => Matching::SelfWild,
        GrantNames::TcpSelf => Matching::TcpSelf,
        GrantNames::SixToFourSelf => Matching::SixToFour,
    };
    let GrantRule { is_granted, identity, types, .. } = rule.clone();
    Grant { is_granted, identity, matching, types }
}

/// NOTIFY is taken from the primaries, whatever their port, and from `allow-notify` (BIND semantics 2.9).
fn allow_notify(zone: &Zone) -> Vec<MatchElement> {
    let address = |remote: &Remote| IpNet::from(remote.address.ip());
    let element = |remote| MatchElement { negated: false, what: Match::Prefix(address(remote)) };
    let listed = Match::List(Arc::clone(&zone.settings.allow_notify));
    let primaries = primaries(zone).iter().map(element);
    primaries.chain([MatchElement { negated: false, what: listed }]).collect()
}

fn primaries(zone: &Zone) -> &[Remote] {
    match &zone.role {
        Role::Secondary { primaries } => primaries,
        _ => &[],
    }
}

fn entries(list: &[MatchElement]) -> Vec<Entry> {
    list.iter().map(|element| Entry { negated: element.negated, element: self::element(&element.what) }).collect()
}

fn element(what: &Match) -> Element {
    match what {
        Match::Any => Element::Any,
        Match::Localhost => Element::Localhost,
        Match::Localnets => Element::Localnets,
        Match::Prefix(prefix) => Element::Prefix(*prefix),
        Match::Key(name) => Element::Key(name.clone()),
        Match::List(list) => Element::List(entries(list)),
    }
}
