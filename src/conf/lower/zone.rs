//! Zones: what each is here.

use std::sync::Arc;

use hashbrown::HashMap;

use super::inherit::Levels;
use super::view::Earlier;
use super::{Context, clause};
use crate::conf::alike::Alike;
use crate::conf::config::{MasterfileFormat, Remote, Role, Zone, ZoneKind, ZoneSettings};
use crate::conf::table::{Clause, ZoneType};
use crate::conf::tree::{Block, Node, Value};
use crate::dns::{Class, Name, ZonePath, ZonePaths};

/// Statements that say which zone this is, not how it is treated: zones may differ in them and share settings.
const OWN: [Clause; 5] = [clause::TYPE, clause::FILE, clause::PRIMARIES, clause::MASTERS, clause::IN_VIEW];

/// The view that zones stand in.
pub(super) struct Namespace<'a> {
    pub(super) class: Class,
    pub(super) levels: Levels<'a>,
    /// The block that holds the `zone` statements.
    pub(super) own: Block<'a>,
    pub(super) earlier: &'a Earlier,
}

/// What zones of one view have been lowered to so far, to be shared by those that say the same.
pub(super) struct Shared<'a> {
    settings: Alike<'a, Arc<ZoneSettings>>,
    primaries: HashMap<&'a Node<'a>, Arc<[Remote]>>,
    pub(super) paths: ZonePaths,
    kinds: HashMap<Identity, Arc<ZoneKind>>,
}

/// What tells the kinds of zones apart whose parts are shared: the parts' addresses.
type Identity = (Class, ZoneType, [usize; 3]);

impl Shared<'_> {
    pub(super) fn new() -> Self {
        let (paths, kinds) = (ZonePaths::default(), HashMap::new());
        Self { settings: Alike::new(&OWN), primaries: HashMap::new(), paths, kinds }
    }
}

impl Shared<'_> {
    /// One for all zones of a kind. What names another view is left alone.
    fn kind(&mut self, zone_type: ZoneType, kind: ZoneKind) -> Arc<ZoneKind> {
        let settings = Arc::as_ptr(&kind.settings).addr();
        let path = kind.path.as_ref().map_or(0, ZonePath::address);
        let primaries = match &kind.role {
            Role::Primary | Role::Hint => 0,
            Role::Secondary { primaries } => primaries.as_ptr().addr(),
            Role::InView(_) => return Arc::new(kind),
        };
        Arc::clone(
            self.kinds.entry((kind.class, zone_type, [settings, path, primaries])).or_insert_with(|| Arc::new(kind)),
        )
    }
}

impl Context<'_> {
    /// The zones of a view.
    pub(super) fn zones(&self, view: &Namespace<'_>) -> Vec<Zone> {
        let mut shared = Shared::new();
        let mut zones = Vec::new();
        for node in view.own.all(clause::ZONE) {
            let Some((apex, class)) = self.apex(node, view) else { continue };
            zones.extend(self.zone(node, apex, class, view, &mut shared));
        }
        zones.shrink_to_fit();
        zones
    }

    /// A zone's name and class, if they are sound.
    pub(super) fn apex(&self, node: &Node<'_>, view: &Namespace<'_>) -> Option<(Name, Class)> {
        let class = self.class(node, view.class);
        let apex = node.text()?.parse().ok()?;
        Some((apex, class))
    }

    fn zone<'a>(
        &self,
        node: &'a Node<'a>,
        apex: Name,
        class: Class,
        view: &Namespace<'_>,
        shared: &mut Shared<'a>,
    ) -> Option<Zone> {
        let block = node.block()?;
        let zone_type = zone_type(block)?;
        let role = match zone_type {
            ZoneType::InView => in_view(block, &apex, view)?,
            _ => self.role(block, zone_type, shared)?,
        };
        let text = block.find(clause::FILE).and_then(Node::text).filter(|_| role.has_contents());
        let path = text.map(|text| shared.paths.share(text, apex.as_ref()));
        let settings = self.shared_settings(block, zone_type, view, shared);
        if settings.masterfile_format == MasterfileFormat::Raw {
            self.refuse_style(node, block, view);
        }
        let kind = shared.kind(zone_type, ZoneKind { class, role, path, settings });
        Some(Zone { apex, kind })
    }

    /// Raw files have no layout that could be chosen: to choose one shows a wrong belief about the format.
    fn refuse_style(&self, node: &Node<'_>, block: Block<'_>, view: &Namespace<'_>) {
        let [_, outer, options] = view.levels.0;
        if let Some(style) = Levels([Some(block), outer, options]).find(clause::MASTERFILE_STYLE) {
            let zone = node.text().unwrap_or_default();
            let rule = "'masterfile-style' can only be used with 'masterfile-format text'";
            self.error(style.place, format!("zone '{zone}': {rule}"));
        }
    }

    fn role<'a>(&self, block: Block<'a>, zone_type: ZoneType, shared: &mut Shared<'a>) -> Option<Role> {
        let has_file = block.find(clause::FILE).and_then(Node::text).is_some();
        match zone_type {
            ZoneType::Primary if has_file => Some(Role::Primary),
            ZoneType::Hint if has_file => Some(Role::Hint),
            ZoneType::Secondary => Some(Role::Secondary { primaries: self.primaries(block, shared)? }),
            // The others are refused, or tolerated and then not there.
            _ => None,
        }
    }

    fn primaries<'a>(&self, block: Block<'a>, shared: &mut Shared<'a>) -> Option<Arc<[Remote]>> {
        let statement = block.find(clause::PRIMARIES).or_else(|| block.find(clause::MASTERS))?;
        if let Some(known) = shared.primaries.get(statement) {
            return Some(Arc::clone(known));
        }
        let before = self.fault_count();
        let remotes: Arc<[Remote]> = self.remotes(statement).into();
        if self.fault_count() > before {
            return None;
        }
        shared.primaries.insert(statement, Arc::clone(&remotes));
        Some(remotes)
    }

    /// The settings of a zone, shared with those that say the same. Faulty ones are not shared, so that each is
    /// reported.
    pub(super) fn shared_settings<'a>(
        &self,
        block: Block<'a>,
        zone_type: ZoneType,
        view: &Namespace<'_>,
        shared: &mut Shared<'a>,
    ) -> Arc<ZoneSettings> {
        if let Some(known) = shared.settings.find(zone_type, block) {
            return Arc::clone(known);
        }
        let before = self.fault_count();
        let [_, outer, options] = view.levels.0;
        let settings = Arc::new(self.settings(Levels([Some(block), outer, options]), zone_type));
        if self.fault_count() == before {
            shared.settings.remember(zone_type, Arc::clone(&settings));
        }
        settings
    }
}

pub(super) fn zone_type(block: Block<'_>) -> Option<ZoneType> {
    if block.find(clause::IN_VIEW).is_some() {
        return Some(ZoneType::InView);
    }
    match block.find(clause::TYPE).and_then(Node::value) {
        Some(Value::Word(word)) => ZoneType::from_word(word),
        _ => None,
    }
}

fn in_view(block: Block<'_>, apex: &Name, view: &Namespace<'_>) -> Option<Role> {
    let target = block.find(clause::IN_VIEW)?.text()?;
    let is_there = view.earlier.get(target).is_some_and(|zones| zones.contains(apex));
    is_there.then(|| Role::InView(target.to_owned()))
}
