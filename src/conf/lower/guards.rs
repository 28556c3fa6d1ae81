//! A guard file: how secondaries are guarded against what BIND lets happen, each in its own way.
//!
//! It stands beside named.conf, so that named can read that, and has its syntax and words for faults. What is said of a
//! zone in one view goes before what is said of the zone, and that before what the file says of all.

use std::collections::HashMap;
use std::path::Path;

use super::{Context, clause};
use crate::conf::parse::{self, How};
use crate::conf::table::{Clause, Scope};
use crate::conf::tree::{Arena, Block, Node, Value};
use crate::conf::{Diagnostic, Diagnostics, Dialect};
use crate::dns::Name;

/// A guard file.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct GuardFile {
    everywhere: Vec<Setting>,
    zones: HashMap<Name, Vec<ZoneGuards>>,
}

/// What is said of a zone, in all views or in one.
#[derive(Debug, Clone, PartialEq, Eq)]
struct ZoneGuards {
    view: Option<String>,
    settings: Vec<Setting>,
}

/// Which guard is set, and to what; none: it is off.
pub type Setting = (Guard, Option<u32>);

/// A guard.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Guard {
    /// `shrink`, in percent.
    Shrink,
    /// `grace`, in seconds.
    Grace,
    /// `lower`, in seconds.
    Lower,
}

/// Reads a guard file.
pub fn load(path: &Path) -> Result<GuardFile, Diagnostics> {
    let arena = Arena::default();
    let (tree, faults) = parse::file(&arena, path, How { scope: Scope::Guards, dialect: Dialect::Nomd });
    let Some(tree) = tree else { return Err(Diagnostics(faults)) };
    let context = Context::new(&tree);
    let file = lower(&context, tree.root);
    let faults: Vec<Diagnostic> = faults.into_iter().chain(context.into_faults()).collect();
    let faults = Diagnostics(faults);
    if faults.has_errors() { Err(faults) } else { Ok(file) }
}

impl GuardFile {
    /// What is set for a zone; what comes later counts.
    pub fn settings(&self, apex: &Name, view: &str) -> impl Iterator<Item = Setting> {
        let zones = self.zones.get(apex).map(Vec::as_slice).unwrap_or_default();
        let in_all = zones.iter().filter(|zone| zone.view.is_none());
        let in_view = zones.iter().filter(move |zone| zone.view.as_deref() == Some(view));
        let of_zone = in_all.chain(in_view).flat_map(|zone| &zone.settings);
        self.everywhere.iter().chain(of_zone).copied()
    }
}

fn lower(context: &Context<'_>, root: Block<'_>) -> GuardFile {
    let mut file = GuardFile { everywhere: settings(context, root), zones: HashMap::new() };
    for node in root.all(clause::ZONE) {
        let Some((name, block)) = node.text().zip(node.block()) else { continue };
        let Ok(apex) = name.parse() else {
            context.error(node.place, format!("zone '{name}': is not a valid name"));
            continue;
        };
        let view = node.after("view").and_then(|item| item.text()).map(str::to_owned);
        let zones: &mut Vec<ZoneGuards> = file.zones.entry(apex).or_default();
        if zones.iter().any(|zone| zone.view == view) {
            context.error(node.place, format!("zone '{name}': already exists"));
        }
        zones.push(ZoneGuards { view, settings: settings(context, block) });
    }
    file
}

fn settings(context: &Context<'_>, block: Block<'_>) -> Vec<Setting> {
    let found = GUARDS.iter().filter_map(|&(clause, guard)| Some((guard, setting(context, block.find(clause)?)?)));
    found.collect()
}

/// The value of a guard, which may be `none`.
fn setting(context: &Context<'_>, node: &Node<'_>) -> Option<Option<u32>> {
    match *node.value()? {
        Value::Percent(percent) if !(1..100).contains(&percent) => {
            context.error(node.place, format!("'{}' must be from 1% to 99%", node.statement.name));
            None
        }
        Value::Percent(number) | Value::Seconds(number) => Some(Some(number)),
        _ => Some(None),
    }
}

const GUARDS: [(Clause, Guard); 3] =
    [(clause::SHRINK, Guard::Shrink), (clause::GRACE, Guard::Grace), (clause::LOWER, Guard::Lower)];

#[cfg(test)]
mod tests {
    use super::*;

    fn read(text: &str) -> Result<GuardFile, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("guards");
        std::fs::write(&path, text).unwrap();
        let shown = format!("{}/", folder.path().display());
        load(&path).map_err(|faults| faults.to_string().replace(&shown, ""))
    }

    #[test]
    fn what_is_said_of_a_zone_goes_before_what_is_said_of_all() {
        let text = "shrink 50%; grace 2d; // of all\n\
            zone \"Example.com\" { shrink none; lower 90m; };\n\
            zone example.com view inside { lower PT1H; };\n";
        let file = read(text).unwrap();
        let apex = "example.com".parse().unwrap();
        let all = [(Guard::Shrink, Some(50)), (Guard::Grace, Some(172_800))];
        let zone = [(Guard::Shrink, None), (Guard::Lower, Some(5400))];
        let settings = |apex: &Name, view| file.settings(apex, view).collect::<Vec<_>>();
        assert_eq!(settings(&apex, "_default"), [all, zone].concat());
        assert_eq!(settings(&apex, "inside"), [&all[..], &zone, &[(Guard::Lower, Some(3600))]].concat());
        assert_eq!(settings(&"example.org".parse().unwrap(), "inside"), all);
        assert_eq!(read("").unwrap(), GuardFile::default());
    }

    #[test]
    fn faults_are_told_with_their_lines() {
        let faults = [
            ("shrink 50%;\nshrnk 1%;\n", "guards:2: unknown option 'shrnk'\n"),
            ("\nshrink 100%;\n", "guards:2: 'shrink' must be from 1% to 99%\n"),
            ("grace soon;\n", "guards:1: expected ISO 8601 duration or TTL value near 'soon'\n"),
            ("zone a { };\nzone A { };\n", "guards:2: zone 'A': already exists\n"),
            ("zone \"a..b\" { };\n", "guards:1: zone 'a..b': is not a valid name\n"),
            ("zone a { file \"f\"; };\n", "guards:1: unknown option 'file'\n"),
        ];
        for (text, expected) in faults {
            assert_eq!(read(text).unwrap_err(), expected, "{text}");
        }
    }
}
