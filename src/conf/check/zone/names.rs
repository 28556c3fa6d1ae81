//! Which zone a statement is about: type, class and name, and whether it is there already.

use hashbrown::hash_map::Entry;
use hashbrown::{HashMap, HashSet};

use super::{Zone, word};
use crate::conf::check::view::View;
use crate::conf::check::{Context, named};
use crate::conf::lexer::Place;
use crate::conf::table::ZoneType;
use crate::conf::tree::{Item, Node};
use crate::dns::{Class, Name};

/// The zones of all views so far that `in-view` may refer to, by view and class.
pub(in crate::conf::check) type Zones = HashMap<(String, Class), HashSet<Name>>;

/// What may stand beside `in-view`.
const BESIDE_IN_VIEW: [&str; 3] = ["in-view", "forward", "forwarders"];

/// The view without a statement.
const DEFAULT_VIEW: &str = "_default";

/// The zones of a view so far, and those of all.
pub(super) struct Namespace<'z> {
    pub(super) seen: HashMap<(Name, u8), Place>,
    pub(super) zones: &'z mut Zones,
    /// Whether there may be zones that refer to those of this view.
    pub(super) is_referred_to: bool,
}

impl<'a> Context<'a> {
    /// A zone that is worth looking into.
    pub(super) fn zone(&self, node: &'a Node<'a>, view: View<'a>, space: &mut Namespace<'_>) -> Option<Zone<'a>> {
        let (name, block) = (node.text()?, node.block()?);
        let in_view = named(block, "in-view");
        let word = named(block, "type").and_then(word).unwrap_or_default();
        let kind = match in_view {
            Some(_) => Some(ZoneType::InView),
            None => ZoneType::from_word(word),
        };
        let Some(kind) = kind else {
            self.error(node.place, format!("zone '{name}': type not present"));
            return None;
        };
        if kind == ZoneType::Redirect && name != "." {
            self.error(node.place, "redirect zones must be called \".\"");
            return None;
        }
        if let Some(item) = named(block, "type").and_then(|node| node.items.first())
            && kind == ZoneType::DelegationOnly
        {
            self.warn(item.place, "'type delegation-only' is deprecated");
        }
        self.check_class_of(node, name, view)?;
        let apex = self.check_apex(node, name, kind, space);
        let zone = Zone { node, block, view, kind, word, name, apex };
        match in_view.and_then(|node| node.items.first()) {
            Some(item) => self.check_in_view(&zone, item, space),
            None => remember(&zone, space),
        }
        (kind != ZoneType::InView).then_some(zone)
    }

    fn check_class_of(&self, node: &Node<'_>, name: &str, view: View<'_>) -> Option<()> {
        let Some(item) = node.items.iter().filter(|item| item.text().is_some()).nth(1) else { return Some(()) };
        let text = item.text().unwrap_or_default();
        let message = match text.parse::<Class>() {
            Ok(class) if class == view.class => return Some(()),
            Ok(_) => format!("zone '{name}': class '{text}' does not match view/default class"),
            Err(_) => format!("zone '{name}': invalid class {text}"),
        };
        self.error(item.place, message);
        None
    }

    /// Root hints, a redirect zone and another zone may share the name of the root.
    fn check_apex(&self, node: &Node<'_>, text: &str, kind: ZoneType, space: &mut Namespace<'_>) -> Option<Name> {
        let Ok(apex) = text.parse::<Name>() else {
            self.error(node.place, format!("zone '{text}': is not a valid name"));
            return None;
        };
        let group = match kind {
            ZoneType::Hint => 1,
            ZoneType::Redirect => 2,
            _ => 3,
        };
        match space.seen.entry((apex.clone(), group)) {
            Entry::Occupied(earlier) => {
                let (name, earlier) = (plain(&apex.to_string()), self.shown(*earlier.get()));
                self.error(node.place, format!("zone '{name}': already exists previous definition: {earlier}"));
            }
            Entry::Vacant(place) => drop(place.insert(node.place)),
        }
        Some(apex)
    }

    fn check_in_view(&self, zone: &Zone<'_>, item: &Item<'_>, space: &Namespace<'_>) {
        let (name, target) = (zone.name, item.text().unwrap_or_default());
        let known = space.zones.get(&(target.to_owned(), zone.view.class));
        if zone.apex.as_ref().is_some_and(|apex| !known.is_some_and(|zones| zones.contains(apex))) {
            let rule = format!("does not exist in view '{target}', or view '{target}' is not yet defined");
            self.error(item.place, format!("'in-view' zone '{name}' {rule}"));
        }
        if zone.block.0.iter().any(|inner| !BESIDE_IN_VIEW.contains(&inner.statement.name)) {
            let rule = "'in-view' used with incompatible zone options";
            self.error(zone.node.place, format!("zone '{name}': {rule}"));
        }
    }
}

/// Keeps a zone that others may refer to.
fn remember(zone: &Zone<'_>, space: &mut Namespace<'_>) {
    if !space.is_referred_to {
        return;
    }
    let hidden = [ZoneType::Forward, ZoneType::Redirect, ZoneType::DelegationOnly];
    let Some(apex) = zone.apex.clone().filter(|_| !hidden.contains(&zone.kind)) else { return };
    let view = zone.view.name().unwrap_or(DEFAULT_VIEW).to_owned();
    space.zones.entry((view, zone.view.class)).or_default().insert(apex);
}

/// A zone's name as messages have it: in lower case and without a final dot.
pub(super) fn plain(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.strip_suffix('.') {
        Some(bare) if !bare.is_empty() => bare.to_owned(),
        _ => name,
    }
}
