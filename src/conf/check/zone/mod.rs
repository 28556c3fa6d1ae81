//! Zones: what each is, whether it is there once, and the order of the checks of one.
//!
//! The order is that of BIND. A zone whose type, class or place is wrong is not looked into.

mod files;
mod fit;
mod grants;
mod names;
mod notify;
mod policy;
mod servers;
mod signing;
mod update;

pub(in crate::conf) use files::is_elsewhere;

use hashbrown::HashMap;

use files::Files;
use names::Namespace;
pub(super) use names::Zones;
use signing::{KeyDirectories, Signing};

use super::view::View;
use super::{Context, all_named, named, nearest};
use crate::conf::alike::Alike;
use crate::conf::table::{Clause, ZoneType, clause};
use crate::conf::tree::{Block, Node, Value};
use crate::dns::Name;

/// Who may do what to a zone.
const LISTS: [&str; 4] = ["allow-notify", "allow-transfer", "allow-update", "allow-update-forwarding"];

/// What zones are transferred by.
const TRANSPORTS: [&str; 2] = ["tcp", "tls"];

/// What tells zones apart that are alike: the files are checked for themselves.
const APART: [Clause; 2] = [clause::TYPE, clause::FILE];

/// What the zones of all views so far have taken for themselves.
#[derive(Default)]
pub(super) struct Taken {
    files: Files,
    key_directories: KeyDirectories,
}

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
    /// Its name in the one way to write it.
    fn plain(&self) -> String {
        self.apex.as_ref().map(|apex| names::plain(&apex.to_string())).unwrap_or_default()
    }

    fn is_root(&self) -> bool {
        self.apex.as_ref().is_some_and(|apex| apex.as_ref().is_root())
    }
}

impl<'a> Context<'a> {
    /// The zones of a view.
    pub(super) fn check_zones(&self, view: View<'a>, zones: &mut Zones, taken: &mut Taken) {
        let own = || all_named(view.block.unwrap_or(self.root), "zone");
        let refers = |node: &Node<'a>| node.block().is_some_and(|block| block.find(clause::IN_VIEW).is_some());
        let is_referred_to = view.block.is_some() || own().any(refers);
        let mut space = Namespace { seen: HashMap::new(), zones, is_referred_to };
        let mut sound = Alike::new(&APART);
        for node in own() {
            let Some(zone) = self.zone(node, view, &mut space) else { continue };
            let writes = self.check_unless_sound(&zone, &mut sound, taken);
            self.check_file(&zone, writes, &mut taken.files);
        }
    }

    /// Checks a zone unless one that says the same was sound; only the plain types, in which the name does not matter.
    /// Says whether the zone is changed here.
    fn check_unless_sound(&self, zone: &Zone<'a>, sound: &mut Alike<'a, ()>, taken: &mut Taken) -> bool {
        let is_plain = matches!(zone.kind, ZoneType::Primary | ZoneType::Secondary) && !zone.is_root();
        if is_plain && sound.find(zone.kind, zone.block).is_some() {
            return false;
        }
        let before = self.faults.borrow().len();
        let writes = self.check_zone(zone, taken);
        if is_plain && !writes && self.faults.borrow().len() == before {
            sound.remember(zone.kind, ());
        }
        writes
    }

    /// Says whether the zone is signed or changed here.
    fn check_zone(&self, zone: &Zone<'a>, taken: &mut Taken) -> bool {
        self.check_times(Some(zone.block));
        let policy = self.check_policy(zone);
        self.check_fit(zone);
        LISTS.into_iter().for_each(|name| self.check_own_list(zone, name));
        self.check_notify(zone);
        self.check_primaries(zone);
        self.check_own_sources(zone);
        self.check_agents(zone);
        self.check_mirror(zone);
        let dynamic = self.check_updates(zone);
        let inline = named(zone.block, "inline-signing").is_some_and(signing::says_yes);
        let signing = Signing { by_policy: policy.is_some(), dynamic, inline };
        self.check_apart(zone, signing);
        self.check_old_signing(zone, signing);
        self.check_dialup(zone);
        self.check_own_forward(zone);
        self.check_static_stub(zone);
        self.check_key_directory(zone, policy, &mut taken.key_directories);
        self.check_zone_options(zone.block);
        policy.is_some() || dynamic
    }

    /// The statement that decides for a zone.
    fn effective_in(&self, zone: &Zone<'a>, name: &str) -> Option<&'a Node<'a>> {
        nearest(&[Some(zone.block), zone.view.block, self.options], name)
    }

    /// Who may do something, and by which transport.
    fn check_own_list(&self, zone: &Zone<'a>, name: &str) {
        let Some(node) = self.effective_in(zone, name) else { return };
        self.check_list_of(Some(node));
        let Some((item, text)) = node.after("transport").and_then(|item| Some((item, item.text()?))) else { return };
        if !TRANSPORTS.iter().any(|known| known.eq_ignore_ascii_case(text)) {
            let rule = "is not a valid transport protocol for zone transfers. Please specify either 'tcp' or 'tls'";
            self.error(item.place, format!("'{text}' {rule}"));
        }
    }

    /// A mirror is for those who recurse here.
    fn check_mirror(&self, zone: &Zone<'a>) {
        if zone.kind == ZoneType::Mirror && !self.is_recursive(zone.view) {
            let rule = "mirror zones cannot be used if recursion is disabled";
            self.error(zone.node.block_place(), format!("zone '{}': {rule}", zone.name));
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
