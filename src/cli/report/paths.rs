//! Files and directories of the server itself: its configuration, working directory, pid file, logs and control key.

use std::path::Path;

use super::Scene;
use super::finding::{Finding, Level};
use super::host::{Obstacle, Want};
use crate::conf::config::Destination;

/// What the account does not get at.
pub(super) fn check(scene: &Scene<'_>) -> Vec<Finding> {
    let mut findings = configuration(scene);
    findings.extend(working_directory(scene));
    findings.extend(logs(scene));
    findings.extend(control_key(scene));
    findings.extend(pid_file(scene));
    findings
}

/// The account is taken on before the configuration is read, as with named.
fn configuration(scene: &Scene<'_>) -> Vec<Finding> {
    let user = &scene.account.name;
    let closed = |file: &str| scene.inside.check(scene.account, Path::new(file), Want::Read).err();
    let obstacles = scene.survey.files.iter().filter_map(|file| closed(file));
    let finding = |obstacle: Obstacle| {
        let message = format!("{user} cannot read the configuration: {obstacle}");
        Finding::new(Level::Stop, "configuration-unreadable", message).advise(obstacle.remedy(user))
    };
    obstacles.map(finding).collect()
}

fn working_directory(scene: &Scene<'_>) -> Option<Finding> {
    let directory = scene.survey.config.options.directory.as_ref()?;
    let obstacle = scene.inside.check(scene.account, &scene.absolute(directory), Want::Fill).err()?;
    let message = format!("'directory' must be writable for {}: {obstacle}", scene.account.name);
    Some(Finding::new(Level::Stop, "directory-unwritable", message).advise(obstacle.remedy(&scene.account.name)))
}

/// A log file that cannot be opened stops named too.
fn logs(scene: &Scene<'_>) -> Vec<Finding> {
    let channels = scene.survey.config.logging.channels.iter();
    let finding = |(name, path): (&str, &Path)| {
        let path = scene.absolute(path);
        let obstacle = may_write(scene, &path).err()?;
        let message = format!("{} cannot write the log of channel '{name}': {obstacle}", scene.account.name);
        let advice = format!("{}, or log elsewhere", obstacle.remedy(&scene.account.name));
        Some(Finding::new(Level::Stop, "log-unwritable", message).advise(advice))
    };
    let files = channels.filter_map(|channel| match &channel.to {
        Destination::File { path, .. } => Some((channel.name.as_str(), path.as_path())),
        _ => None,
    });
    files.filter_map(finding).collect()
}

/// A file is written if it is there, or else made.
fn may_write(scene: &Scene<'_>, path: &Path) -> Result<(), Obstacle> {
    match scene.inside.has(path) {
        true => scene.inside.check(scene.account, path, Want::Write),
        false => scene.inside.check(scene.account, path.parent().unwrap_or(Path::new("/")), Want::Fill),
    }
}

/// Without keys in `controls`, rndc is let in by rndc.key beside named.conf.
fn control_key(scene: &Scene<'_>) -> Option<Finding> {
    let controls = &scene.survey.config.controls;
    let needs_file = controls.as_ref().is_none_or(|list| list.iter().any(|control| control.keys.is_empty()));
    let path = scene.config.with_file_name("rndc.key");
    let obstacle = scene.inside.check(scene.account, &path, Want::Read).err().filter(|_| needs_file)?;
    let message = format!("rndc will not get through, for {} cannot read its key: {obstacle}", scene.account.name);
    Some(Finding::new(Level::Warning, "control-key", message).advise(format!(
        "'rndc-confgen -a -u {} -c {}' makes one",
        scene.account.name,
        path.display()
    )))
}

/// BIND: said in the log, and no reason to stop.
fn pid_file(scene: &Scene<'_>) -> Option<Finding> {
    let path = scene.survey.config.options.pid_file.as_ref().map(|path| scene.absolute(path))?;
    let directory = path.parent()?;
    let obstacle = scene.inside.check(scene.account, directory, Want::Fill).err()?;
    if matches!(obstacle, Obstacle::Missing(_)) && is_made_at_boot(scene, directory) {
        return None;
    }
    let message = format!("{} cannot write its pid file: {obstacle}", scene.account.name);
    let advice = "monitoring that reads the file will miss it; systemd does without";
    Some(Finding::new(Level::Warning, "pid-unwritable", message).advise(advice))
}

/// /run is empty after each boot, and filled as tmpfiles.d says.
fn is_made_at_boot(scene: &Scene<'_>, directory: &Path) -> bool {
    let word = directory.display().to_string();
    let files = TMPFILES.iter().flat_map(|place| scene.host.entries(Path::new(place)));
    let mut texts = files.filter_map(|file| scene.host.text(&file));
    texts.any(|text| text.lines().any(|line| line.split_whitespace().nth(1) == Some(&word)))
}

const TMPFILES: [&str; 3] = ["/etc/tmpfiles.d", "/usr/lib/tmpfiles.d", "/run/tmpfiles.d"];
