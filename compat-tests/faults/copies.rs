//! Damaged copies: put aside and fetched anew as named does it, while the other zones are served.

use std::collections::{BTreeMap, HashMap};
use std::fs;
use std::path::Path;

use super::images::{Damage, Image, What, all};
use super::primary::Primary;
use crate::peers::{Kind, Server, Spec, Zone, dig, free_port, run};

/// The version that the primary has when the damaged copies are found.
const NEWER: u32 = 5;

/// What became of a zone.
#[derive(Debug, PartialEq, Eq)]
struct Outcome {
    serial: Option<u32>,
    /// Why the copy could not be loaded.
    reason: String,
    is_put_aside: bool,
}

fn zone(damage: &Damage) -> String {
    format!("{}.example", damage.name)
}

fn spec(cases: &[Damage], port: u16) -> Spec {
    let options = "request-ixfr no; transfers-in 200; transfers-per-ns 200; serial-query-rate 1000;";
    let zones = cases.iter().map(|damage| Zone::secondary(&zone(damage), port)).collect();
    Spec { zones, options: options.into(), flags: &["-u", "bind"], ..Spec::default() }
}

/// The files that named writes for these zones.
fn images(cases: &[Damage], port: u16) -> Vec<Vec<u8>> {
    let folder = owned_by_bind();
    let server = Server::start_in(Kind::Bind, &spec(cases, port), free_port(), folder);
    cases.iter().map(|damage| super::first_copy(&server, &zone(damage), &format!("{}.db", zone(damage)))).collect()
}

pub fn owned_by_bind() -> tempfile::TempDir {
    let folder = tempfile::Builder::new().prefix("nomd-compat-").tempdir().unwrap();
    give_to_bind(folder.path());
    folder
}

pub fn give_to_bind(path: &Path) {
    let output = run("chown", &["-R", "bind:bind", &path.display().to_string()]);
    assert_eq!(output.status, 0, "{output:?}");
}

fn damage(path: &Path, image: &[u8], what: &What) {
    fs::write(path, image).unwrap();
    match what {
        What::Bytes(make) => fs::write(path, make(&Image::read(image))).unwrap(),
        What::File(change) => change(path),
    }
}

/// Starts a server on damaged copies and gives what became of each zone.
fn play(kind: Kind, cases: &[Damage], images: &[Vec<u8>], port: u16) -> BTreeMap<&'static str, Outcome> {
    let folder = owned_by_bind();
    for (case, image) in cases.iter().zip(images) {
        damage(&folder.path().join(format!("{}.db", zone(case))), image, &case.what);
    }
    give_to_bind(folder.path());
    let server = Server::start_in(kind, &spec(cases, port), free_port(), folder);
    for case in cases {
        let is_as_named = kind == Kind::Bind && DIFFERENCES.iter().any(|(name, _)| *name == case.name);
        let expected = if case.is_served || is_as_named { 1 } else { NEWER };
        server.wait_for_serial(&zone(case), expected);
    }
    let log = server.settled_log();
    let outcomes = cases.iter().map(|case| (case.name, outcome(&server, &zone(case), &log)));
    outcomes.collect()
}

fn outcome(server: &Server, zone: &str, log: &str) -> Outcome {
    let failed = format!("zone {zone}/IN: loading from master file {zone}.db failed: ");
    let renamed = format!("zone {zone}/IN: unable to load from '{zone}.db'; renaming file to '");
    let after = |mark: &str| log.lines().find_map(|line| line.split_once(mark).map(|(_, rest)| rest.to_owned()));
    let aside = after(&renamed).and_then(|rest| rest.split('\'').next().map(str::to_owned));
    Outcome {
        serial: dig::serial(server.port, zone),
        reason: after(&failed).unwrap_or_default(),
        is_put_aside: aside.is_some_and(|aside| server.path(&aside).exists()),
    }
}

/// Copies that named serves as they are.
const DIFFERENCES: &[(&str, &str)] = &[
    ("behind-the-end", "bytes that are no RRset are damage: what is missing behind them can't be known"),
    ("type-any", "no record has such a type"),
];

#[test]
fn damaged_copies_are_put_aside_and_fetched_anew() {
    let cases = all();
    let primary = Primary::start(HashMap::new(), None);
    let images = images(&cases, primary.port);
    primary.announce(NEWER);
    let [ours, named] = [Kind::Nomd, Kind::Bind].map(|kind| play(kind, &cases, &images, primary.port));
    for case in &cases {
        let (ours, named) = (&ours[case.name], &named[case.name]);
        let reason = DIFFERENCES.iter().find(|(name, _)| *name == case.name).map(|(_, reason)| *reason);
        let is_same = (ours.serial, ours.is_put_aside) == (named.serial, named.is_put_aside);
        assert_eq!(reason.is_none(), is_same, "{}: {ours:?} and named's {named:?} ({reason:?})", case.name);
        let is_told = case.is_served || case.name == "missing" || !ours.reason.is_empty();
        assert!(is_told, "{}: the log gives no reason", case.name);
    }
}
