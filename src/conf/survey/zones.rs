//! Zones: their files, and which of them a refused statement hits, wherever that stands.

use std::path::PathBuf;

use super::shown;
use crate::conf::status::{self, Outcome};
use crate::conf::table::{ZoneType, clause};
use crate::conf::tree::{Block, Item, Node, Tree, Value, after};

/// A zone's statement as an operator wrote it.
#[derive(Debug)]
pub struct ZoneSurvey {
    /// Its name in lower case, without a final dot.
    pub name: String,
    /// The view that it is in; none where there are no views.
    pub view: Option<String>,
    /// Where its statement stands, `file:line`.
    pub place: String,
    /// `type` in today's words; `in-view` where that stands in its place.
    pub zone_type: &'static str,
    /// `file`.
    pub file: Option<PathBuf>,
    /// `journal`, or its default beside the file.
    pub journal: Option<PathBuf>,
    /// What hits it, by the names that `--tolerate` knows.
    pub refused: Vec<&'static str>,
    /// Whether it takes updates.
    pub takes_updates: bool,
}

impl ZoneSurvey {
    /// Whether named writes its file: a copy, or what updates and signing make of it.
    pub fn is_written(&self) -> bool {
        self.is_copy() || self.is_dynamic()
    }

    /// Whether its contents come from elsewhere.
    pub fn is_copy(&self) -> bool {
        matches!(self.zone_type, "secondary" | "mirror")
    }

    /// Whether named changes its contents by itself.
    pub fn is_dynamic(&self) -> bool {
        self.takes_updates || self.refused.iter().any(|name| DYNAMIC.contains(name))
    }
}

/// Statements with which named changes the contents of a primary zone.
const DYNAMIC: [&str; 3] = ["auto-dnssec", "dnssec-policy", "inline-signing"];

pub(super) fn survey(tree: &Tree<'_>) -> Vec<ZoneSurvey> {
    let options = tree.root.find(clause::OPTIONS).and_then(Node::block);
    let refused = refused_names(tree);
    let mut zones = Vec::new();
    let mut add = |holder: Block<'_>, view: Option<&Node<'_>>| {
        let survey = ViewSurvey { tree, view, options, refused: &refused };
        zones.extend(holder.all(clause::ZONE).filter_map(|node| survey.zone(node)));
    };
    add(tree.root, None);
    for view in tree.root.all(clause::VIEW) {
        view.block().into_iter().for_each(|block| add(block, Some(view)));
    }
    zones
}

/// What is refused somewhere: only that need be looked for in each zone.
fn refused_names(tree: &Tree<'_>) -> Vec<&'static str> {
    let mut names = Vec::new();
    status::visit(tree.root, &mut |finding| {
        if matches!(finding.outcome, Outcome::Refused(_)) && !finding.is_value && !names.contains(&finding.name) {
            names.push(finding.name);
        }
    });
    names
}

struct ViewSurvey<'a> {
    tree: &'a Tree<'a>,
    view: Option<&'a Node<'a>>,
    options: Option<Block<'a>>,
    refused: &'a [&'static str],
}

impl ViewSurvey<'_> {
    fn zone(&self, node: &Node<'_>) -> Option<ZoneSurvey> {
        let block = node.block()?;
        let (zone_type, word) = zone_type(block)?;
        let file = block.find(clause::FILE).and_then(Node::text);
        let journal = named(block, "journal").and_then(Node::text).map(str::to_owned);
        Some(ZoneSurvey {
            name: plain(node.text()?),
            view: self.view.and_then(Node::text).map(str::to_owned),
            place: shown(self.tree, node.place),
            zone_type: word,
            file: file.map(PathBuf::from),
            journal: journal.or_else(|| file.map(|file| format!("{file}.jnl"))).map(PathBuf::from),
            refused: self.hits(node, block, zone_type),
            takes_updates: zone_type == ZoneType::Primary && self.takes_updates(block),
        })
    }

    fn takes_updates(&self, zone: Block<'_>) -> bool {
        let levels = [Some(zone), self.view.and_then(Node::block), self.options];
        let allowed = levels.into_iter().flatten().find_map(|block| named(block, "allow-update"));
        let is_none = |list: &[&[Item<'_>]]| matches!(list, [[item]] if item.text() == Some("none"));
        named(zone, "update-policy").is_some()
            || allowed.is_some_and(|node| node.list().is_some_and(|list| !is_none(list)))
    }

    /// What hits a zone: values of its own, and statements of its own, its view or options that it may have.
    fn hits(&self, zone: &Node<'_>, block: Block<'_>, zone_type: ZoneType) -> Vec<&'static str> {
        let own_name = plain(zone.text().unwrap_or_default());
        let mut hits = Vec::new();
        status::visit(block, &mut |finding| {
            if finding.is_value && matches!(finding.outcome, Outcome::Refused(_)) && !hits.contains(&finding.name) {
                hits.push(finding.name);
            }
        });
        let levels = [Some(block), self.view.and_then(Node::block), self.options];
        for name in self.refused {
            let effective = levels.into_iter().flatten().find_map(|block| named(block, name));
            // A policy and an update right are for zones that have a file of their own.
            let fits = table_entry(name).is_some_and(|entry| entry.fits(zone_type));
            let is_refused = |node: &Node<'_>| matches!(status::outcome(node), Outcome::Refused(_));
            let is_hit = |node: &Node<'_>| is_refused(node) && (fits || lists_zone(node, &own_name));
            if effective.is_some_and(is_hit) && !hits.contains(name) {
                hits.push(name);
            }
        }
        hits
    }
}

/// Whether a statement of a view has an element `zone NAME ...`, as response-policy has.
fn lists_zone(node: &Node<'_>, name: &str) -> bool {
    let elements = node.list().unwrap_or_default();
    let mut listed = elements.iter().filter_map(|element| after(element, "zone")?.text());
    listed.any(|listed| plain(listed) == name)
}

fn table_entry(name: &str) -> Option<&'static crate::conf::table::Statement> {
    crate::conf::table::Scope::Zone.find(name)
}

fn named<'a>(block: Block<'a>, name: &str) -> Option<&'a Node<'a>> {
    block.0.iter().find(|node| node.statement.name == name)
}

fn zone_type(block: Block<'_>) -> Option<(ZoneType, &'static str)> {
    if block.find(clause::IN_VIEW).is_some() {
        return Some((ZoneType::InView, "in-view"));
    }
    let Some(Value::Word(word)) = block.find(clause::TYPE)?.value() else { return None };
    let today = match *word {
        "master" => "primary",
        "slave" => "secondary",
        other => other,
    };
    Some((ZoneType::from_word(word)?, today))
}

fn plain(name: &str) -> String {
    let name = name.to_ascii_lowercase();
    match name.strip_suffix('.') {
        Some(bare) if !bare.is_empty() => bare.to_owned(),
        _ => name,
    }
}
