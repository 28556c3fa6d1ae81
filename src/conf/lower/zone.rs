//! Zones: what each is here, and whether its statement makes sense.

use std::hash::{Hash, Hasher};
use std::path::PathBuf;
use std::sync::Arc;

use hashbrown::{Equivalent, HashMap};

use super::Context;
use super::inherit::Levels;
use super::view::{Earlier, Files};
use crate::conf::config::{Remote, Role, Zone, ZoneSettings};
use crate::conf::lexer::Place;
use crate::conf::table::{Clause, ZoneType, clause};
use crate::conf::tree::{Block, Node, Value};
use crate::dns::{Class, Name};

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
#[derive(Default)]
struct Shared<'a> {
    settings: HashMap<(ZoneType, Vec<&'a Node<'a>>), Arc<ZoneSettings>>,
    /// The statements of the zone at hand: memory to use again.
    statements: Vec<&'a Node<'a>>,
    primaries: HashMap<&'a Node<'a>, Arc<[Remote]>>,
}

/// A key of [`Shared::settings`] that is only looked for.
struct Statements<'k, 'a>(ZoneType, &'k [&'a Node<'a>]);

impl Hash for Statements<'_, '_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        (self.0, self.1).hash(state);
    }
}

impl<'a> Equivalent<(ZoneType, Vec<&'a Node<'a>>)> for Statements<'_, 'a> {
    fn equivalent(&self, key: &(ZoneType, Vec<&'a Node<'a>>)) -> bool {
        (self.0, self.1) == (key.0, key.1.as_slice())
    }
}

impl Context<'_> {
    /// The zones of a view.
    pub(super) fn zones(&self, view: &Namespace<'_>, files: &mut Files) -> Vec<Zone> {
        let mut shared = Shared::default();
        let mut seen: HashMap<Name, Place> = HashMap::new();
        let mut zones = Vec::new();
        for node in view.own.all(clause::ZONE) {
            let Some((apex, class)) = self.apex(node, view) else { continue };
            if let Some(earlier) = seen.insert(apex.clone(), node.place) {
                let (name, earlier) = (plain(node), self.shown(earlier));
                self.error(node.place, format!("zone '{name}': already exists previous definition: {earlier}"));
            }
            zones.extend(self.zone(node, apex, class, view, files, &mut shared));
        }
        zones
    }

    /// A zone's name and class, if they are sound.
    fn apex(&self, node: &Node<'_>, view: &Namespace<'_>) -> Option<(Name, Class)> {
        let name = node.text()?;
        let Ok(apex) = name.parse::<Name>() else {
            self.error(node.place, format!("zone '{name}': is not a valid name"));
            return None;
        };
        let class = self.class(node, view.class);
        if class != view.class {
            let message = format!("zone '{name}': class '{class}' does not match view/default class");
            self.error(node.place, message);
            return None;
        }
        Some((apex, class))
    }

    fn zone<'a>(
        &self,
        node: &'a Node<'a>,
        apex: Name,
        class: Class,
        view: &Namespace<'_>,
        files: &mut Files,
        shared: &mut Shared<'a>,
    ) -> Option<Zone> {
        let block = node.block()?;
        let zone_type = self.zone_type(node, block)?;
        self.check_fit(node, block, zone_type);
        let role = match zone_type {
            ZoneType::InView => self.in_view(node, block, &apex, view)?,
            _ => self.role(node, block, zone_type, files, shared)?,
        };
        let settings = self.shared_settings(block, zone_type, view, shared);
        Some(Zone { apex, class, role, settings })
    }

    fn zone_type(&self, node: &Node<'_>, block: Block<'_>) -> Option<ZoneType> {
        if block.find(clause::IN_VIEW).is_some() {
            return Some(ZoneType::InView);
        }
        match block.find(clause::TYPE).and_then(Node::value) {
            Some(Value::Word(word)) => ZoneType::from_word(word),
            _ => {
                self.error(node.place, format!("zone '{}': type not present", plain(node)));
                None
            }
        }
    }

    /// Statements that this type of zone cannot have.
    fn check_fit(&self, node: &Node<'_>, block: Block<'_>, zone_type: ZoneType) {
        for inner in block.0 {
            if inner.statement.fits(zone_type) || inner.statement.clause == clause::TYPE {
                continue;
            }
            let name = plain(node);
            if zone_type == ZoneType::InView {
                self.error(node.place, format!("zone '{name}': 'in-view' used with incompatible zone options"));
                continue;
            }
            let Some(Value::Word(word)) = block.find(clause::TYPE).and_then(Node::value) else { continue };
            let message = format!("option '{}' is not allowed in '{word}' zone '{name}'", inner.statement.name);
            self.error(inner.place, message);
        }
    }

    fn in_view(&self, node: &Node<'_>, block: Block<'_>, apex: &Name, view: &Namespace<'_>) -> Option<Role> {
        let target = block.find(clause::IN_VIEW)?.text()?;
        if view.earlier.get(target).is_some_and(|zones| zones.contains(apex)) {
            return Some(Role::InView(target.to_owned()));
        }
        let name = plain(node);
        let message =
            format!("'in-view' zone '{name}' does not exist in view '{target}', or view '{target}' is not yet defined");
        self.error(node.place, message);
        None
    }

    fn role<'a>(
        &self,
        node: &'a Node<'a>,
        block: Block<'a>,
        zone_type: ZoneType,
        files: &mut Files,
        shared: &mut Shared<'a>,
    ) -> Option<Role> {
        let file = block.find(clause::FILE);
        let path = file.and_then(Node::text).map(PathBuf::from);
        if let (Some(file), Some(path)) = (file, &path) {
            self.check_file(file, path, zone_type == ZoneType::Secondary, files);
        }
        match zone_type {
            ZoneType::Primary => Some(Role::Primary { file: self.required_file(node, path)? }),
            ZoneType::Hint => self.required_file(node, path).map(|_| Role::Hint),
            ZoneType::Secondary => {
                Some(Role::Secondary { file: path, primaries: self.primaries(node, block, shared)? })
            }
            // The others are refused, or tolerated and then not there.
            _ => None,
        }
    }

    fn required_file(&self, node: &Node<'_>, path: Option<PathBuf>) -> Option<PathBuf> {
        if path.is_none() {
            self.error(node.place, format!("zone '{}': missing 'file' entry", plain(node)));
        }
        path
    }

    /// A file that one zone writes belongs to no other.
    fn check_file(&self, node: &Node<'_>, path: &PathBuf, writes: bool, files: &mut Files) {
        match files.get(path) {
            Some((earlier, written)) if writes || *written => {
                let earlier = self.shown(*earlier);
                self.error(node.place, format!("writeable file '{}': already in use: {earlier}", path.display()));
            }
            Some(_) => {}
            None => drop(files.insert(path.clone(), (node.place, writes))),
        }
    }

    fn primaries<'a>(&self, node: &Node<'_>, block: Block<'a>, shared: &mut Shared<'a>) -> Option<Arc<[Remote]>> {
        let Some(statement) = block.find(clause::PRIMARIES).or_else(|| block.find(clause::MASTERS)) else {
            self.error(node.place, format!("zone '{}': missing 'primaries' entry", plain(node)));
            return None;
        };
        if let Some(known) = shared.primaries.get(statement) {
            return Some(Arc::clone(known));
        }
        let before = self.fault_count();
        let remotes: Arc<[Remote]> = self.remotes(statement).into();
        if self.fault_count() > before {
            return None;
        }
        if remotes.is_empty() {
            self.error(node.place, format!("zone '{}': empty 'primaries' entry", plain(node)));
        }
        shared.primaries.insert(statement, Arc::clone(&remotes));
        Some(remotes)
    }

    /// The settings of a zone, shared with those that say the same. Faulty ones are not shared, so that each is
    /// reported.
    fn shared_settings<'a>(
        &self,
        block: Block<'a>,
        zone_type: ZoneType,
        view: &Namespace<'_>,
        shared: &mut Shared<'a>,
    ) -> Arc<ZoneSettings> {
        shared.statements.clear();
        shared.statements.extend(block.0.iter().filter(|node| !OWN.contains(&node.statement.clause)));
        if let Some(known) = shared.settings.get(&Statements(zone_type, &shared.statements)) {
            return Arc::clone(known);
        }
        let before = self.fault_count();
        let [_, outer, options] = view.levels.0;
        let settings = Arc::new(self.settings(Levels([Some(block), outer, options]), zone_type));
        if self.fault_count() == before {
            shared.settings.insert((zone_type, shared.statements.clone()), Arc::clone(&settings));
        }
        settings
    }
}

/// A zone's name as messages have it: in lower case and without a final dot.
fn plain(node: &Node<'_>) -> String {
    let name = node.text().unwrap_or_default().to_ascii_lowercase();
    match name.strip_suffix('.') {
        Some(bare) if !bare.is_empty() => bare.to_owned(),
        _ => name,
    }
}
