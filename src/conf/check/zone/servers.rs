//! Servers that a zone names: its primaries and parental agents, those to forward to, those of a static stub, and the
//! addresses that it sends from.

use super::fit::value_place;
use super::{Zone, word};
use crate::conf::check::remotes::Kind;
use crate::conf::check::{Context, named, nearest};
use crate::conf::table::ZoneType;
use crate::conf::tree::{Item, Node};
use crate::dns::Name;

/// Addresses to send from, which have no port of their own.
const SOURCES: [&str; 6] = [
    "transfer-source",
    "transfer-source-v6",
    "notify-source",
    "notify-source-v6",
    "parental-source",
    "parental-source-v6",
];
/// Networks for private use (RFC 1918), and those with unique local addresses (RFC 4193): their reverse zones.
const PRIVATE: [(&str, &str); 5] = [
    ("10.in-addr.arpa", "rfc1918"),
    ("172.in-addr.arpa", "rfc1918"),
    ("168.192.in-addr.arpa", "rfc1918"),
    ("c.f.ip6.arpa", "ula"),
    ("d.f.ip6.arpa", "ula"),
];

impl<'a> Context<'a> {
    /// Where a zone comes from.
    pub(super) fn check_primaries(&self, zone: &Zone<'a>) {
        let needs = match zone.kind {
            ZoneType::Secondary | ZoneType::Stub => true,
            ZoneType::Mirror => !zone.is_root(),
            _ => false,
        };
        if !needs {
            return;
        }
        let (new, old) = (named(zone.block, "primaries"), named(zone.block, "masters"));
        if let (Some(node), Some(_)) = (new, old) {
            self.error(node.place, "'primaries' and 'masters' cannot both be used in the same zone");
        }
        let fault = match new.or(old) {
            None => "missing",
            Some(node) if self.check_remotes(node, Kind::Primaries) == Some(0) => "empty",
            Some(_) => return,
        };
        self.error(zone.node.block_place(), format!("zone '{}': {fault} 'primaries' entry", zone.name));
    }

    /// Who tells whether the parent has the zone's DS records.
    pub(super) fn check_agents(&self, zone: &Zone<'_>) {
        if !matches!(zone.kind, ZoneType::Primary | ZoneType::Secondary) {
            return;
        }
        let Some(node) = named(zone.block, "parental-agents") else { return };
        if self.check_remotes(node, Kind::Agents) == Some(0) {
            self.error(zone.node.block_place(), format!("zone '{}': empty 'parental-agents' entry", zone.name));
        }
    }

    /// What is sent from a port of its own. What a view says is not looked at, as with BIND.
    pub(super) fn check_own_sources(&self, zone: &Zone<'a>) {
        for name in SOURCES {
            self.check_source(nearest(&[Some(zone.block), self.options], name));
        }
    }

    /// Servers to forward to: of the root there are some already, and what is private is not to leave the house.
    pub(super) fn check_own_forward(&self, zone: &Zone<'a>) {
        self.check_forward(Some(zone.block));
        if let (Some(node), Some(outer)) = (named(zone.block, "forwarders"), self.effective(zone.view, "forwarders"))
            && zone.is_root()
        {
            let earlier = self.shown(outer.place);
            let rule = "forwarders declared in root zone and in general configuration";
            self.error(value_place(node), format!("{rule}: {earlier}"));
        }
        let inherited = self.effective_in(zone, "forward");
        if zone.kind != ZoneType::Forward
            || named(zone.block, "forward").is_some()
            || inherited.and_then(word) == Some("only")
        {
            return;
        }
        if let Some(what) = zone.apex.as_ref().and_then(private_network) {
            let rule = "did you want 'forward only;'?";
            self.warn(zone.node.place, format!("inherited 'forward first;' for {what} zone '{}' - {rule}", zone.name));
        }
    }

    /// The servers of a static stub: addresses without a scope, and names that can be looked up elsewhere.
    pub(super) fn check_static_stub(&self, zone: &Zone<'_>) {
        if zone.kind != ZoneType::StaticStub {
            return;
        }
        let items = |name| {
            let list = named(zone.block, name).and_then(Node::list).unwrap_or_default();
            list.iter().copied().flatten()
        };
        for item in items("server-addresses").filter(|item| has_scope(item)) {
            self.error(item.place, "scoped address is not allowed for static stub server-addresses");
        }
        let Some(apex) = &zone.apex else { return };
        for text in items("server-names").filter_map(Item::text) {
            let fault = match text.parse::<Name>() {
                Err(_) => "is not a valid name".to_owned(),
                Ok(name) if name.as_ref().is_at_or_below(apex.as_ref()) => {
                    format!("must not be a subdomain of zone name '{}'", zone.name)
                }
                Ok(_) => continue,
            };
            self.error(zone.node.place, format!("server-name '{text}' {fault}"));
        }
    }
}

/// Whether an address is bound to an interface other than none.
fn has_scope(item: &Item<'_>) -> bool {
    item.raw.split_once('%').is_some_and(|(_, scope)| scope != "0")
}

/// What kind of private network a reverse zone is for.
fn private_network(apex: &Name) -> Option<&'static str> {
    let is_below = |zone: &str| zone.parse::<Name>().is_ok_and(|zone| apex.as_ref().is_at_or_below(zone.as_ref()));
    let (zone, what) = PRIVATE.into_iter().find(|(zone, _)| is_below(zone))?;
    // Of 172/8 only 172.16/12 is private.
    let is_private = |octet: u8| is_below(&format!("{octet}.{zone}"));
    (!zone.starts_with("172.") || (16..=31).any(is_private)).then_some(what)
}
