//! `nomd report`: what a host that runs named should know before nomd takes over.
//!
//! Reads the configuration and looks at the host's files; starts nothing, asks nobody, changes nothing. Each subject
//! has a module whose `check` turns facts into findings; `text` and `json` print them.

mod finding;
mod host;
mod json;
mod keys;
mod paths;
mod recursion;
mod service;
mod statements;
mod text;
mod words;
mod zones;

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::net::IpAddr;
use std::path::{Path, PathBuf};

use clap::Parser;
use clap::error::{ContextKind, ContextValue};

use self::finding::{Level, Section, counted};
use self::host::{Account, Host};
use self::service::Service;
use super::output;
use crate::conf::config::Destination;
use crate::conf::survey::{StatementSurvey, Survey, Treatment, ZoneSurvey, survey};
use crate::conf::{Diagnostics, Tolerance};
use crate::net::interfaces;
use crate::server::start::DEFAULT_CONFIG;

/// Runs the command: prints to standard output, and gives the exit code.
pub fn run(words: &[OsString]) -> u8 {
    let flags = match Flags::try_parse_from(words) {
        Ok(flags) => flags,
        Err(error) => {
            eprintln!("nomd report: {}\n{USAGE}", usage_fault(&error));
            return UNREADABLE;
        }
    };
    if flags.help {
        return output::answer("nomd report", format_args!("{HELP}\n"), READY, UNREADABLE);
    }
    match report(&flags, &Host::new(flags.root.as_deref().unwrap_or(Path::new("/")))) {
        Ok(report) => {
            let text = if flags.json { json::render(&report) } else { text::render(&report) };
            output::answer("nomd report", text, report.exit_code(), UNREADABLE)
        }
        Err(fault) => {
            eprint!("{fault}");
            UNREADABLE
        }
    }
}

/// What is wrong with a command line.
fn usage_fault(error: &clap::Error) -> String {
    match error.get(ContextKind::InvalidArg) {
        Some(ContextValue::String(argument)) => format!("{}: {argument}", error.kind()),
        _ => error.kind().to_string(),
    }
}

/// The flags of `nomd report`.
#[derive(Debug, Default, Parser)]
#[command(no_binary_name = true, disable_help_flag = true, disable_version_flag = true, args_override_self = true)]
struct Flags {
    #[arg(short = 'u')]
    user: Option<String>,
    #[arg(short = 't')]
    chroot: Option<PathBuf>,
    #[arg(long)]
    root: Option<PathBuf>,
    #[arg(long)]
    tolerate: Vec<String>,
    #[arg(long)]
    json: bool,
    #[arg(short = 'h', long)]
    help: bool,
    file: Option<PathBuf>,
}

/// Why there is no report.
#[derive(Debug, thiserror::Error)]
enum Fault {
    #[error(
        "{}nomd report: the configuration cannot be used; named would not take it either\n",
        faults.shown_on_for(&std::io::stderr(), root)
    )]
    Configuration { faults: Diagnostics, root: PathBuf },
    #[error("nomd report: no account is called '{0}'; name the one that the server runs as with -u\n")]
    Account(String),
    #[error("nomd report: {0}\n")]
    Tolerance(#[from] crate::conf::UnknownStatement),
}

/// Everything that the checks look at.
struct Scene<'a> {
    survey: &'a Survey,
    /// The host as a whole.
    host: &'a Host,
    /// The host as the server sees it: the same, or what lies within its chroot.
    inside: &'a Host,
    account: &'a Account,
    service: &'a Service,
    /// The configuration file.
    config: &'a Path,
    /// The addresses of this host.
    own_addresses: &'a [IpAddr],
}

fn report(flags: &Flags, host: &Host) -> Result<Report, Fault> {
    let service = Service::of(host);
    let used = service.flags();
    let chroot = flags.chroot.as_ref().or(used.and_then(|used| used.chroot.as_ref()));
    let inside = chroot.map_or_else(|| host.clone(), |directory| host.within(directory));
    let user = flags.user.as_deref().or(service.user()).unwrap_or(ROOT);
    let account = host.account(user).ok_or_else(|| Fault::Account(user.to_owned()))?;
    let config = flags.file.as_ref().or(used.map(|used| &used.config)).cloned();
    let config = inside.absolute(&config.unwrap_or_else(|| DEFAULT_CONFIG.into()));
    let survey = survey(inside.root(), &config, &tolerance(flags, &service)?)
        .map_err(|faults| Fault::Configuration { faults, root: inside.root().to_owned() })?;
    let own_addresses = own_addresses(host);
    let scene = Scene {
        survey: &survey,
        host,
        inside: &inside,
        account: &account,
        service: &service,
        config: &config,
        own_addresses: &own_addresses,
    };
    let sections = scene.sections();
    Ok(Report {
        config: config.display().to_string(),
        user: account.name.clone(),
        files: survey.files.len(),
        views: survey.config.views.len(),
        zones: zone_counts(&survey.zones),
        sections,
        environment: service.environment,
        statements: survey.statements,
    })
}

/// What the flags and the service tolerate.
fn tolerance(flags: &Flags, service: &Service) -> Result<Tolerance, Fault> {
    let mut tolerance = service.flags().map(|used| used.tolerance.clone()).unwrap_or_default();
    for names in &flags.tolerate {
        tolerance.add(names)?;
    }
    tolerance.add(&service.tolerate)?;
    Ok(tolerance)
}

/// Another host's addresses are not known.
fn own_addresses(host: &Host) -> Vec<IpAddr> {
    let known = if host.is_this() { interfaces::addresses().unwrap_or_default() } else { Vec::new() };
    known.iter().map(interfaces::InterfaceAddress::address).collect()
}

fn zone_counts(zones: &[ZoneSurvey]) -> BTreeMap<&'static str, usize> {
    let mut counts = BTreeMap::new();
    zones.iter().for_each(|zone| *counts.entry(zone.zone_type).or_default() += 1);
    counts
}

impl Scene<'_> {
    fn sections(&self) -> Vec<Section> {
        let section = |key, title, findings| Section { key, title, findings };
        vec![
            section("recursion", "Recursion", recursion::check(self)),
            section("statements", "Statements", statements::check(self)),
            section("keys", "Transfers and keys", keys::check(self)),
            section("zones", "Zones and their files", zones::check(self)),
            section("paths", "The server's own files", paths::check(self)),
            section("service", "The service", service::check(self)),
        ]
    }

    /// A path of the configuration; relative ones are in `directory`.
    fn absolute(&self, path: &Path) -> PathBuf {
        self.directory().join(path)
    }

    /// `directory`; a service that has none runs in the root directory.
    fn directory(&self) -> PathBuf {
        Path::new("/").join(self.survey.config.options.directory.as_deref().unwrap_or(Path::new("")))
    }

    /// Zones that have a file, each with it.
    fn zone_files(&self) -> impl Iterator<Item = (&ZoneSurvey, PathBuf)> {
        let zones = self.survey.zones.iter();
        zones.filter_map(|zone| Some((zone, self.absolute(zone.file.as_ref()?))))
    }

    /// The directories that the server writes into.
    fn written_directories(&self) -> Vec<PathBuf> {
        let config = &self.survey.config;
        let copies = self.zone_files().filter(|(zone, _)| zone.is_copy()).map(|(_, path)| path);
        let logs = config.logging.channels.iter().filter_map(|channel| match &channel.to {
            Destination::File { path, .. } => Some(self.absolute(path)),
            _ => None,
        });
        let files = copies.chain(logs).chain(config.options.pid_file.clone());
        let directories = files.filter_map(|path| Some(self.inside.resolve(path.parent()?)));
        directories.collect::<BTreeSet<_>>().into_iter().collect()
    }
}

/// All that was found.
struct Report {
    config: String,
    user: String,
    files: usize,
    views: usize,
    zones: BTreeMap<&'static str, usize>,
    statements: StatementSurvey,
    sections: Vec<Section>,
    /// Where the service takes variables from.
    environment: String,
}

/// What comes of it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    /// Nothing to heed.
    Ready,
    /// It starts, and somebody should read the warnings.
    Warnings,
    /// It does not start.
    Stopped,
}

impl Report {
    fn verdict(&self) -> Verdict {
        match () {
            () if self.count(Level::Stop) > 0 => Verdict::Stopped,
            () if self.count(Level::Warning) > 0 => Verdict::Warnings,
            () => Verdict::Ready,
        }
    }

    fn count(&self, level: Level) -> usize {
        self.sections.iter().flat_map(|section| &section.findings).filter(|finding| finding.level == level).count()
    }

    /// What `NOMD_TOLERATE` would have to name.
    fn refused(&self) -> Vec<&'static str> {
        let others = self.statements.others.iter();
        others.filter(|uses| uses.treatment == Treatment::Refused).map(|uses| uses.name).collect()
    }

    fn exit_code(&self) -> u8 {
        match self.verdict() {
            Verdict::Ready => READY,
            Verdict::Warnings => WARNINGS,
            Verdict::Stopped => STOPPED,
        }
    }

    /// What was looked at.
    fn title(&self) -> String {
        let kinds: Vec<String> = self.zones.iter().map(|(kind, count)| format!("{count} {kind}")).collect();
        let zones = self.zones.values().sum();
        let kinds = if kinds.is_empty() { String::new() } else { format!(" ({})", kinds.join(", ")) };
        let honoured = self.statements.honoured;
        let others: usize = self.statements.others.iter().map(|uses| uses.count).sum();
        format!(
            "{}, run by nomd as {}\n{}, {}, {}{kinds}; {honoured} of {} do what they do in named",
            self.config,
            self.user,
            counted(self.files, "file"),
            counted(self.views, "view"),
            counted(zones, "zone"),
            counted(honoured + others, "statement"),
        )
    }
}

/// Exit code: nothing to heed.
const READY: u8 = 0;
/// Exit code: it would start, with warnings.
const WARNINGS: u8 = 1;
/// Exit code: it would not start.
const STOPPED: u8 = 2;
/// Exit code: there is no report.
const UNREADABLE: u8 = 3;
/// The account of a server that is told none.
const ROOT: &str = "root";

const USAGE: &str = "usage: nomd report [-u user] [-t chroot] [--root directory] [--tolerate names] [--json] [file]";
const HELP: &str = "\
usage: nomd report [-u user] [-t chroot] [--root directory] [--tolerate names] [--json] [file]

Tells what would become of a host's named.conf under nomd, without touching anything.

  file              the configuration; default that of the named service, or /etc/bind/named.conf
  -u user           the account that the server runs as; default that of the service
  -t chroot         the server's root directory; default that of the service
  --root directory  look at the host whose root directory this is: a backup or an image
  --tolerate names  take these refused statements as tolerated
  --json            print JSON; nomd-report(1) tells its keys

Exit code: 0 nomd would start, 1 it would and there are warnings, 2 it would not start, 3 there is no
report: the configuration cannot be read or used, or a flag is wrong.";

#[cfg(test)]
mod tests;
