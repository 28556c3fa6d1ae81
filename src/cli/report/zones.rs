//! Zones: files that are missing or closed to the account, copies that could not be written, shared files,
//! and what `rndc addzone` left.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::Scene;
use super::finding::{Finding, Level, counted};
use super::host::{Obstacle, Want};
use super::statements::zone_name;
use crate::conf::survey::ZoneSurvey;

/// What there is to know of zones and their files.
pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = unreadable(scene);
    findings.extend(unwritable(scene));
    findings.extend(in_memory(scene));
    findings.extend(shared(scene));
    findings.extend(added(scene));
    findings
}

/// Zones by what stands in their way.
type Grouped<'a> = BTreeMap<Obstacle, Vec<&'a ZoneSurvey>>;

fn unreadable(scene: &Scene<'_>) -> Vec<Finding> {
    let (mut missing, mut closed): (Vec<(&ZoneSurvey, PathBuf)>, Grouped<'_>) = (Vec::new(), Grouped::new());
    for (zone, path) in scene.zone_files() {
        match scene.inside.check(scene.account, &path, Want::Read) {
            Err(Obstacle::Missing(_)) if zone.zone_type == "primary" => missing.push((zone, path)),
            Err(obstacle @ Obstacle::Forbidden { .. }) => closed.entry(obstacle).or_default().push(zone),
            _ => {}
        }
    }
    let mut findings: Vec<Finding> =
        closed.iter().map(|(obstacle, zones)| closed_file(scene, obstacle, zones)).collect();
    if !missing.is_empty() {
        let message = format!("{} cannot be served, for the file is missing", counted(missing.len(), "primary zone"));
        let finding = Finding::new(Level::Warning, "zone-file-missing", message)
            .at(missing.iter().map(|(_, path)| path.display().to_string()))
            .advise("bring the file back, or take the zone out of the configuration")
            .hits(missing.iter().map(|(zone, _)| zone_name(zone)));
        findings.push(finding);
    }
    findings
}

fn closed_file(scene: &Scene<'_>, obstacle: &Obstacle, zones: &[&ZoneSurvey]) -> Finding {
    let user = &scene.account.name;
    let message = format!("{user} cannot read {}: {obstacle}", counted(zones.len(), "zone file"));
    Finding::new(Level::Warning, "zone-file-unreadable", message)
        .times(zones.len())
        .advise(obstacle.remedy(user))
        .hits(zones.iter().map(|zone| zone_name(zone)))
}

/// A copy is written beside its file and renamed, so the directory must be open.
fn unwritable(scene: &Scene<'_>) -> Vec<Finding> {
    let (mut copies, mut dynamic) = (Grouped::new(), Grouped::new());
    for (zone, path) in scene.zone_files().filter(|(zone, _)| zone.is_written()) {
        let directory = path.parent().unwrap_or(Path::new("/"));
        let Err(obstacle) = scene.inside.check(scene.account, directory, Want::Fill) else { continue };
        let group = if zone.is_dynamic() { &mut dynamic } else { &mut copies };
        group.entry(obstacle).or_default().push(zone);
    }
    let user = &scene.account.name;
    let of_copies = copies.iter().map(|(obstacle, zones)| {
        let count = counted(zones.len(), "secondary zone");
        let message = format!("{user} cannot save the copies of {count}: {obstacle}");
        directory(Finding::new(Level::Warning, "copy-unwritable", message), zones).advise(format!(
            "{}, or move the files; else they are fetched anew after each start",
            obstacle.remedy(user)
        ))
    });
    let of_dynamic = dynamic.iter().map(|(obstacle, zones)| {
        let count = counted(zones.len(), "dynamic zone");
        let message = format!("{user} cannot write the journals of {count}: {obstacle}");
        directory(Finding::new(Level::Warning, "dynamic-unwritable", message), zones)
            .advise("named cannot keep changes there either; move the files to a directory of its own")
    });
    of_copies.chain(of_dynamic).collect()
}

fn directory(finding: Finding, zones: &[&ZoneSurvey]) -> Finding {
    finding.times(zones.len()).hits(zones.iter().map(|zone| zone_name(zone)))
}

fn in_memory(scene: &Scene<'_>) -> Option<Finding> {
    let zones = scene.survey.zones.iter().filter(|zone| zone.zone_type == "secondary" && zone.file.is_none());
    let names: Vec<String> = zones.map(zone_name).collect();
    let message = format!("{} without 'file': fetched anew after every start", counted(names.len(), "secondary zone"));
    (!names.is_empty()).then(|| {
        Finding::new(Level::Note, "copy-in-memory", message)
            .times(names.len())
            .advise("give each a 'file', and it is served at once though its primaries be down")
            .hits(names)
    })
}

/// Files that several zones use under whatever name. named looks at the names alone.
fn shared(scene: &Scene<'_>) -> Vec<Finding> {
    let mut by_file: BTreeMap<PathBuf, Vec<&ZoneSurvey>> = BTreeMap::new();
    for (zone, path) in scene.zone_files() {
        by_file.entry(scene.inside.resolve(&path)).or_default().push(zone);
    }
    let shared = by_file.into_iter().filter(|(_, zones)| zones.len() > 1);
    let (written, read): (Vec<_>, Vec<_>) = shared.partition(|(_, zones)| zones.iter().any(|zone| zone.is_written()));
    let mut findings: Vec<Finding> = written.into_iter().map(|(path, zones)| overwritten(&path, &zones)).collect();
    let zones: usize = read.iter().map(|(_, zones)| zones.len()).sum();
    if zones > 0 {
        let message = format!("{} shared by {zones} primary zones", counted(read.len(), "file"));
        let finding = Finding::new(Level::Note, "file-shared", message)
            .at(read.iter().map(|(path, _)| path.display().to_string()))
            .advise("nothing writes them, so that is well");
        findings.push(finding);
    }
    findings
}

fn overwritten(path: &Path, zones: &[&ZoneSurvey]) -> Finding {
    let message = format!("{} zones overwrite each other's file {}", zones.len(), path.display());
    directory(Finding::new(Level::Warning, "file-overwritten", message), zones)
        .at(zones.iter().map(|zone| zone.place.clone()))
        .advise("give each its own file, or use in-view where the views share a zone")
}

/// What `rndc addzone` keeps: text as VIEW.nzf, LMDB as VIEW.nzd.
fn added(scene: &Scene<'_>) -> Vec<Finding> {
    let is_wanted = scene.survey.statements.others.iter().any(|uses| uses.name == ALLOW_NEW_ZONES);
    let directory = scene.directory();
    let is_store = |path: &PathBuf| path.extension().is_some_and(|end| end == "nzf" || end == "nzd");
    let stores: Vec<PathBuf> = scene.inside.entries(&directory).into_iter().filter(is_store).collect();
    if stores.is_empty() && is_wanted {
        let message = format!("no zone was ever added by rndc: there is no *.nzf or *.nzd in {}", directory.display());
        let advice = format!("nothing is lost by NOMD_TOLERATE={ALLOW_NEW_ZONES}, until a panel or script adds one");
        return vec![Finding::new(Level::Note, "addzone-unused", message).advise(advice)];
    }
    stores.iter().map(|path| store(scene, path)).collect()
}

fn store(scene: &Scene<'_>, path: &Path) -> Finding {
    let at = path.display();
    if path.extension().is_some_and(|end| end == "nzd") {
        let message = format!("{at} holds zones that rndc added; nomd does not read it");
        let advice = format!("'named-nzd2nzf {at}' prints them as statements: put those into named.conf");
        return Finding::new(Level::Warning, "addzone-store", message).advise(advice);
    }
    let text = scene.inside.text(path).unwrap_or_default();
    let count = text.lines().filter(|line| line.trim_start().starts_with("zone ")).count();
    let message = format!("{at} holds {} that rndc added; nomd does not read it", counted(count, "zone"));
    let advice =
        format!("its lines are zone statements: 'include \"{at}\";' in their view or, without views, in named.conf");
    Finding::new(Level::Warning, "addzone-store", message).times(count).advise(advice)
}

const ALLOW_NEW_ZONES: &str = "allow-new-zones";
