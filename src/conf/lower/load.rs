//! The zones that `named-checkconf -z` loads: primaries, redirect zones that are no copies, and root hints.
//!
//! They are those of the tree, not of a [`Config`](crate::conf::Config): some of them nomd does not serve, and
//! named-checkconf names a zone and its class as they are written.

use std::path::PathBuf;
use std::sync::Arc;

use super::inherit::Levels;
use super::view::{DEFAULT_VIEW, Earlier};
use super::zone::{Namespace, Shared, zone_type};
use super::{Context, clause};
use crate::conf::check::is_elsewhere;
use crate::conf::config::{Role, Zone, ZoneKind};
use crate::conf::table::ZoneType;
use crate::conf::tree::{Block, Node, Tree};
use crate::dns::Class;

/// A zone that named-checkconf loads.
#[derive(Debug, Clone, PartialEq)]
pub struct ZoneToLoad {
    /// Its view, `_default` where there are no views.
    pub view: Arc<str>,
    /// Its name as it is written.
    pub name: String,
    /// Its class as it is written, or that of the view.
    pub class: Arc<str>,
    /// What its file should hold.
    pub content: Content,
}

/// What a file should hold.
#[derive(Debug, Clone, PartialEq)]
pub enum Content {
    /// A zone, read as a primary's.
    Zone {
        /// The zone.
        zone: Zone,
        /// `check-sibling`, where it is set: named-checkconf leaves it out by default, unlike named.
        checks_siblings: bool,
    },
    /// The name servers of the root.
    Hints {
        /// The file.
        file: PathBuf,
        /// Their class.
        class: Class,
    },
}

/// The zones to load, in order.
pub(crate) fn zones_to_load(tree: &Tree<'_>) -> Vec<ZoneToLoad> {
    let context = Context::new(tree);
    let mut zones = Vec::new();
    if tree.root.find(clause::VIEW).is_none() {
        context.to_load_of(&mut zones, DEFAULT_VIEW, Class::IN, None);
    }
    for view in tree.root.all(clause::VIEW) {
        let class = context.class(view, Class::IN);
        context.to_load_of(&mut zones, view.text().unwrap_or_default(), class, view.block());
    }
    zones
}

impl Context<'_> {
    fn to_load_of(&self, zones: &mut Vec<ZoneToLoad>, view: &str, class: Class, block: Option<Block<'_>>) {
        let levels = Levels([None, block, self.options]);
        let own = block.unwrap_or(self.tree.root);
        let namespace = Namespace { class, levels, own, earlier: &Earlier::new() };
        let (view, class): (Arc<str>, Arc<str>) = (view.into(), class.to_string().into());
        let mut shared = Shared::new();
        for node in own.all(clause::ZONE) {
            let Some(content) = self.content(node, &namespace, &mut shared) else { continue };
            let name = node.text().unwrap_or_default().to_owned();
            let class = node.second_text().map_or_else(|| Arc::clone(&class), Arc::from);
            zones.push(ZoneToLoad { view: Arc::clone(&view), name, class, content });
        }
    }

    /// What the file of a zone should hold, if it is to be loaded.
    fn content<'a>(&self, node: &'a Node<'a>, view: &Namespace<'_>, shared: &mut Shared<'a>) -> Option<Content> {
        let block = node.block()?;
        let zone_type = zone_type(block)?;
        let is_copy = || block.find(clause::PRIMARIES).or_else(|| block.find(clause::MASTERS)).is_some();
        let is_loaded = match zone_type {
            ZoneType::Primary | ZoneType::Hint => true,
            ZoneType::Redirect => !is_copy(),
            _ => false,
        };
        if !is_loaded || is_elsewhere(block) {
            return None;
        }
        let file = block.find(clause::FILE)?.text()?;
        let (apex, class) = self.apex(node, view)?;
        if zone_type == ZoneType::Hint {
            return Some(Content::Hints { file: file.into(), class });
        }
        let path = shared.paths.share(file, apex.as_ref());
        let settings = self.shared_settings(block, ZoneType::Primary, view, shared);
        let [_, outer, options] = view.levels.0;
        let checks_siblings = Levels([Some(block), outer, options]).boolean_or(clause::CHECK_SIBLING.clause, false);
        Some(Content::Zone {
            zone: Zone { apex, kind: ZoneKind { class, role: Role::Primary, path: Some(path), settings }.into() },
            checks_siblings,
        })
    }
}
