//! Zones: what each is, whether it is there once, and the order of the checks of one.
//!
//! The order is that of BIND. A zone whose type, class or place is wrong is not looked into.

mod files;
mod fit;
mod names;
mod notify;
mod policy;
mod update;

use hashbrown::HashMap;

pub(super) use files::Files;
use names::Namespace;
pub(super) use names::Zones;

use super::remotes::Kind;
use super::view::View;
use super::{Context, all_named, named, nearest};
use crate::conf::alike::Alike;
use crate::conf::table::{Clause, ZoneType, clause};
use crate::conf::tree::{Block, Item, Node, Value};
use crate::dns::Name;

/// Who may do what to a zone.
const LISTS: [&str; 4] = ["allow-notify", "allow-transfer", "allow-update", "allow-update-forwarding"];

/// What tells zones apart that are alike: the files are checked for themselves.
const APART: [Clause; 2] = [clause::TYPE, clause::FILE];

/// A zone that is being checked.
pub(super) struct Zone<'a> {
    node: &'a Node<'a>,
    block: Block<'a>,
    view: View<'a>,
    kind: ZoneType,
    /// The word of its type as it is written; empty for `in-view`.
    word: &'static str,
    /// Its name as it is written.
    name: &'a str,
    apex: Option<Name>,
}

impl Zone<'_> {
    /// Its name as messages have it.
    fn plain(&self) -> String {
        names::plain(self.name)
    }

    fn is_root(&self) -> bool {
        self.apex.as_ref().is_some_and(|apex| apex.as_ref().is_root())
    }
}

impl<'a> Context<'a> {
    /// The zones of a view.
    pub(super) fn check_zones(&self, view: View<'a>, zones: &mut Zones, files: &mut Files) {
        let own = || all_named(view.block.unwrap_or(self.root), "zone");
        let refers = |node: &Node<'a>| node.block().is_some_and(|block| block.find(clause::IN_VIEW).is_some());
        let is_referred_to = view.block.is_some() || own().any(refers);
        let mut space = Namespace { seen: HashMap::new(), zones, is_referred_to };
        let mut sound = Alike::new(&APART);
        for node in own() {
            let Some(zone) = self.zone(node, view, &mut space) else { continue };
            let writes = self.check_unless_sound(&zone, &mut sound);
            self.check_file(&zone, writes, files);
        }
    }

    /// Checks a zone unless one that says the same was sound; only the plain types, in which the name does not matter.
    /// Says whether the zone is changed here.
    fn check_unless_sound(&self, zone: &Zone<'a>, sound: &mut Alike<'a, ()>) -> bool {
        let is_plain = matches!(zone.kind, ZoneType::Primary | ZoneType::Secondary) && !zone.is_root();
        if is_plain && sound.find(zone.kind, zone.block).is_some() {
            return false;
        }
        let before = self.faults.borrow().len();
        let writes = self.check_zone(zone);
        if is_plain && !writes && self.faults.borrow().len() == before {
            sound.remember(zone.kind, ());
        }
        writes
    }

    /// Says whether the zone is signed or changed here.
    fn check_zone(&self, zone: &Zone<'a>) -> bool {
        let signed = self.check_policy(zone);
        self.check_fit(zone);
        for name in LISTS {
            self.check_list_of(self.effective_in(zone, name));
        }
        self.check_notify(zone);
        self.check_primaries(zone);
        self.check_agents(zone);
        let dynamic = self.check_updates(zone);
        self.check_signing(zone, signed, dynamic);
        self.check_dialup(zone);
        self.check_own_forward(zone);
        self.check_server_names(zone);
        self.check_options(zone.block);
        self.check_loading_keys(zone);
        signed || dynamic
    }

    /// The statement that decides for a zone.
    fn effective_in(&self, zone: &Zone<'a>, name: &str) -> Option<&'a Node<'a>> {
        nearest(&[Some(zone.block), zone.view.block, self.options], name)
    }

    fn check_primaries(&self, zone: &Zone<'_>) {
        let needs = match zone.kind {
            ZoneType::Secondary | ZoneType::Stub => true,
            ZoneType::Mirror => !zone.is_root(),
            _ => false,
        };
        if !needs {
            return;
        }
        let place = zone.node.block_place();
        match (named(zone.block, "primaries"), named(zone.block, "masters")) {
            (Some(node), Some(_)) => {
                self.error(node.place, "'primaries' and 'masters' cannot both be used in the same zone");
            }
            (None, None) => self.error(place, format!("zone '{}': missing 'primaries' entry", zone.plain())),
            (Some(node), None) | (None, Some(node)) => {
                if self.check_remotes(node, Kind::Primaries) == Some(0) {
                    self.error(place, format!("zone '{}': empty 'primaries' entry", zone.plain()));
                }
            }
        }
    }

    fn check_agents(&self, zone: &Zone<'_>) {
        if !matches!(zone.kind, ZoneType::Primary | ZoneType::Secondary) {
            return;
        }
        if let Some(node) = named(zone.block, "parental-agents") {
            // The faults have been noted; an empty list is none.
            let _ = self.check_remotes(node, Kind::Agents);
        }
    }

    fn check_own_forward(&self, zone: &Zone<'_>) {
        self.check_forward(Some(zone.block));
        self.check_times(Some(zone.block));
    }

    /// `server-names` of a static stub are not within it: they could not be looked up.
    fn check_server_names(&self, zone: &Zone<'_>) {
        let Some(apex) = zone.apex.as_ref().filter(|_| zone.kind == ZoneType::StaticStub) else { return };
        let Some(list) = named(zone.block, "server-names").and_then(Node::list) else { return };
        for text in list.iter().copied().flatten().filter_map(Item::text) {
            match text.parse::<Name>() {
                Err(_) => self.error(zone.node.place, format!("server-name '{text}' is not a valid name")),
                Ok(name) if name.as_ref().is_at_or_below(apex.as_ref()) => {
                    let rule = format!("must not be a subdomain of zone name '{}'", zone.plain());
                    self.error(zone.node.place, format!("server-name '{text}' {rule}"));
                }
                Ok(_) => {}
            }
        }
    }
}

/// The word that a statement says.
fn word(node: &Node<'_>) -> Option<&'static str> {
    match node.value()? {
        Value::Word(word) => Some(word),
        _ => None,
    }
}
