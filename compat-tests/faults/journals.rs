//! Damaged journals of secondaries: bits flipped and ends cut off everywhere, in what named wrote and in what nomd did.
//!
//! Each zone has a copy and a journal that leads on from it; all are made from one image, whose name is replaced by one
//! of the same length. The primary is dead at first, so that what the files lead to is seen, and then has a newer
//! version. Damage that the format does not show (there is no checksum) is in the data alone, and is gone with the next
//! version as well.

use std::collections::HashMap;
use std::env;
use std::fs;
use std::path::Path;

use nomd::transfer::random::Random;

use super::copies::{give_to_bind, owned_by_bind};
use super::notify;
use super::primary::Primary;
use crate::peers::{Kind, Server, Spec, Zone, dig, free_port, signal};

/// The zone that the images are of.
const ZONE: &str = "z000.example";
/// Where the parts of a journal are: header, index, transactions.
const INDEX: usize = 64;
const TRANSACTIONS: usize = INDEX + 56 * 8;
/// How many flips there are in each of them, and how many ends.
const FLIPS: [usize; 3] = [25, 5, 40];
const CUTS: usize = 20;
/// The serial in the file, the one that the journal leads to, and that of the primary later on.
const SAVED: u32 = 1;
const JOURNALED: u32 = 4;
const NEWER: u32 = 9;

/// A copy with its journal.
struct Image {
    file: Vec<u8>,
    journal: Vec<u8>,
}

/// What became of a zone whose primary is dead.
#[derive(Debug)]
struct Outcome {
    serial: Option<u32>,
    /// How often the log names a fault of the journal, and whether it is put aside.
    told: usize,
    is_put_aside: bool,
}

fn text(serial: u32) -> String {
    format!(
        "$TTL 300\n@ SOA ns hm {serial} 86400 86400 1209600 60\n@ NS ns\nns A 192.0.2.1\n\
         version TXT \"{serial}\"\nMixed.Case{serial} MX {serial} ns\n"
    )
}

fn secondary(zones: impl Iterator<Item = String>, port: u16) -> Spec {
    let zones = zones.map(|zone| Zone::secondary(&zone, port)).collect();
    let options = "transfers-in 500; transfers-per-ns 500; serial-query-rate 1000;".into();
    Spec { zones, options, flags: &["-u", "bind"], ..Spec::default() }
}

/// What a secondary leaves that has followed by differences and is killed.
fn image(writer: Kind) -> Image {
    let clauses = "ixfr-from-differences yes; max-ixfr-ratio unlimited;";
    let zone = Zone::primary(ZONE, text(SAVED)).with(clauses);
    let source = Server::start(Kind::Bind, &Spec { zones: vec![zone], ..Spec::default() });
    source.wait_for_serial(ZONE, SAVED);
    let spec = secondary(std::iter::once(ZONE.to_owned()), source.port);
    let server = Server::start_in(writer, &spec, free_port(), owned_by_bind());
    let file = super::first_copy(&server, ZONE, &format!("{ZONE}.db"));
    for serial in SAVED + 1..=JOURNALED {
        source.change_zone(ZONE, &text(serial));
        source.wait_for_serial(ZONE, serial);
        notify(&server, ZONE);
        server.wait_for_serial(ZONE, serial);
    }
    signal(server.pid(), "KILL");
    let journal = fs::read(server.path(&format!("{ZONE}.db.jnl"))).unwrap();
    Image { file, journal }
}

/// What is compared with named, which puts the copy aside as well and so serves nothing, or takes no notice.
fn chosen(journal: &[u8]) -> Vec<(String, Vec<u8>)> {
    let mut magic = journal.to_vec();
    magic[0] ^= 1;
    let mut misfit = journal.to_vec();
    let owners: Vec<usize> = (0..misfit.len() - 5).filter(|at| &misfit[*at..at + 5] == b"Mixed").collect();
    // The last but one is deleted, the last added.
    misfit[owners[owners.len() - 2]] ^= 1;
    let (header, end) = (journal[..30].to_vec(), journal[..journal.len() - 5].to_vec());
    let images = [vec![], journal.to_vec(), magic, misfit, header, end];
    NAMEDS.iter().map(|(name, _)| (*name).to_owned()).zip(images).collect()
}

/// What named serves of them while the primary is dead.
const NAMEDS: [(&str, Option<u32>); 6] = [
    ("none", Some(SAVED)),
    ("sound", Some(JOURNALED)),
    ("magic", None),
    ("misfit", None),
    ("cut in the header", None),
    // Without its last record, which nobody is told of.
    ("cut at the end", Some(JOURNALED)),
];

/// One bit flipped, or the end cut off, anywhere.
fn random(journal: &[u8], dice: &mut Random) -> Vec<(String, Vec<u8>)> {
    let bounds = [0, INDEX, TRANSACTIONS, journal.len()];
    let mut all = vec![];
    for (part, flips) in bounds.windows(2).zip(FLIPS) {
        for _ in 0..flips {
            let (at, bit) = (part[0] + dice.below((part[1] - part[0]) as u64) as usize, dice.below(8));
            let mut bytes = journal.to_vec();
            bytes[at] ^= 1 << bit;
            all.push((format!("bit {bit} of byte {at} flipped"), bytes));
        }
    }
    for _ in 0..CUTS {
        let length = dice.below(journal.len() as u64) as usize;
        all.push((format!("cut to {length} bytes"), journal[..length].to_vec()));
    }
    all
}

/// The bytes with another zone's name in place of the image's.
fn renamed(bytes: &[u8], zone: &str) -> Vec<u8> {
    let (from, to) = (&ZONE.as_bytes()[..4], &zone.as_bytes()[..4]);
    let mut bytes = bytes.to_vec();
    for at in 0..bytes.len().saturating_sub(3) {
        if &bytes[at..at + 4] == from {
            bytes[at..at + 4].copy_from_slice(to);
        }
    }
    bytes
}

fn write(folder: &Path, zone: &str, file: &[u8], journal: &[u8]) {
    fs::write(folder.join(format!("{zone}.db")), renamed(file, zone)).unwrap();
    if !journal.is_empty() {
        fs::write(folder.join(format!("{zone}.db.jnl")), renamed(journal, zone)).unwrap();
    }
}

fn zone(number: usize) -> String {
    format!("z{number:03}.example")
}

/// Starts a server on the files with the primary dead, and has what is fetched once it lives again.
fn play(kind: Kind, image: &Image, damages: &[(String, Vec<u8>)]) -> Vec<Outcome> {
    let folder = owned_by_bind();
    let zones: Vec<String> = (0..damages.len()).map(zone).collect();
    zones.iter().zip(damages).for_each(|(zone, (_, journal))| write(folder.path(), zone, &image.file, journal));
    give_to_bind(folder.path());
    let port = free_port();
    let server = Server::start_in(kind, &secondary(zones.iter().cloned(), port), free_port(), folder);
    server.wait_for_log("all zones loaded");
    // named forgets a NOTIFY that comes during a check that then fails.
    server.wait_until_idle();
    let log = server.settled_log();
    let outcomes = zones.iter().map(|zone| outcome(&server, zone, &log)).collect();
    let _primary = Primary::start_at(port, NEWER, HashMap::new(), None);
    zones.iter().for_each(|zone| notify(&server, zone));
    for zone in &zones {
        server.wait_for_serial(zone, NEWER);
        let [here, there] = [server.port, port].map(|port| dig::transfer(port, zone, None));
        assert_eq!(here, there, "{kind:?} {zone}");
    }
    outcomes
}

fn outcome(server: &Server, zone: &str, log: &str) -> Outcome {
    let prefix = format!("zone {zone}/IN: ");
    let said: Vec<_> = log.lines().filter_map(|line| line.split_once(&prefix).map(|(_, text)| text)).collect();
    let told = said.iter().filter(|text| text.starts_with("journal ") && text.contains(" failed: ")).count();
    let renamed = format!("unable to load from '{zone}.db.jnl'; renaming file to '");
    let aside = said.iter().find_map(|text| text.strip_prefix(&renamed)?.split('\'').next());
    Outcome {
        serial: dig::serial(server.port, zone),
        told,
        is_put_aside: aside.is_some_and(|aside| server.path(aside).exists()),
    }
}

/// Where the damage shows, the copy is served and the journal put aside and named once; elsewhere it is followed.
fn is_right(outcome: &Outcome) -> bool {
    let Outcome { serial, told, is_put_aside, .. } = *outcome;
    matches!((serial, told, is_put_aside), (Some(SAVED), 1, true) | (Some(JOURNALED), 0, false))
}

#[test]
fn journals_with_bits_flipped_and_ends_cut_off_are_found_named_and_put_aside() {
    let seed = env::var("NOMD_SEED").map_or(1, |text| text.parse().unwrap());
    for writer in [Kind::Nomd, Kind::Bind] {
        let image = image(writer);
        let damages = random(&image.journal, &mut Random::new(seed));
        let outcomes = play(Kind::Nomd, &image, &damages);
        let wrong = damages.iter().zip(&outcomes).filter(|(_, outcome)| !is_right(outcome));
        let wrong: Vec<_> = wrong.map(|((what, _), outcome)| format!("{what}: {outcome:?}")).collect();
        assert!(wrong.is_empty(), "NOMD_SEED={seed}, of {writer:?}:\n{}", wrong.join("\n"));
        let found = outcomes.iter().filter(|outcome| outcome.told == 1).count();
        assert!(found > damages.len() / 2, "{found} of {} are found", damages.len());
    }
}

#[test]
fn of_damaged_journals_the_copy_is_served_where_named_serves_nothing_or_less() {
    for writer in [Kind::Nomd, Kind::Bind] {
        let image = image(writer);
        let damages = chosen(&image.journal);
        let [ours, named] = [Kind::Nomd, Kind::Bind].map(|kind| play(kind, &image, &damages));
        for (((what, serial), ours), named) in NAMEDS.iter().zip(&ours).zip(&named) {
            assert_eq!(named.serial, *serial, "{what}: {named:?}");
            let is_damaged = !["none", "sound"].contains(what);
            assert_eq!((ours.told, ours.is_put_aside), (usize::from(is_damaged), is_damaged), "{what}: {ours:?}");
            assert_eq!(ours.serial, if *what == "sound" { *serial } else { Some(SAVED) }, "{what}: {ours:?}");
            assert_eq!(
                (named.told == 1, named.is_put_aside),
                (serial.is_none(), serial.is_none()),
                "{what}: {named:?}"
            );
        }
    }
}
