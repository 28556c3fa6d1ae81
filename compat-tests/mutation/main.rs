//! Damaged input at every door: nothing panics, hangs or floods the log, and each reply can be read by others.
//!
//! Inputs come from testdata, damaged by a seeded generator. A failure says with which NOMD_SEED it can be had again;
//! NOMD_ROUNDS sets how many inputs each door gets. The fuzz targets beside this folder go through the same doors.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod entries;
mod mutator;
mod words;

use std::panic::resume_unwind;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::mpsc::{RecvTimeoutError, channel};
use std::time::Duration;
use std::{env, fs, thread};

use data_encoding::HEXLOWER;
use mutator::Mutator;
use nomd::dns::message::Section;
use nomd::dns::tsig::Chain;
use nomd::dns::writer::{Case, Compression, Owner, Writer};
use nomd::dns::{Class, Header, Key, Name, NameBuf, Question, Rtype};
use nomd::transfer::outbound::{Filling, Form, Outbound};
use nomd::zone::disk::Host;
use nomd::zone::{Limits, raw};

#[test]
fn requests() {
    check("requests", requests_of_testdata(), 20_000, entries::packet);
}

#[test]
fn zone_texts() {
    let every_type = fs::read_to_string(testdata("zones/all-types.zone")).unwrap();
    let mut seeds = files(&testdata("zones"), "example.com.zone");
    seeds.push(every_type.replace("all.example.", &format!("{}.", entries::APEX)).into());
    assert!(seeds.iter().all(|seed| entries::zone_text(seed)));
    seeds.extend(files(&testdata("zones/broken"), ".zone"));
    check("zone_texts", seeds, 4000, entries::zone_text);
}

#[test]
fn configurations() {
    check("configurations", configurations_of_testdata(), 4000, named_conf);
}

#[test]
fn configurations_by_words() {
    let damage: Damage = |mutator, seeds| words::damaged(mutator, seeds, seeds, DEEPEST);
    check_damaged("configurations_by_words", configurations_of_testdata(), 4000, damage, named_conf);
}

/// How often a piece of a configuration is repeated at most.
const DEEPEST: usize = 10_000;
/// What reading a configuration may take besides its share for each of its bytes.
const MAX_BYTES: u64 = 1 << 22;
/// That share.
const MAX_BYTES_EACH: u64 = 1 << 10;

/// The door of configurations, which takes memory by their length.
fn named_conf(bytes: &[u8]) -> bool {
    let mut is_taken = false;
    let counted = allocation_counter::measure(|| is_taken = entries::named_conf(bytes));
    let most = MAX_BYTES + MAX_BYTES_EACH * bytes.len() as u64;
    assert!(counted.bytes_max <= most, "{} of {most} bytes: {}", counted.bytes_max, bytes.escape_ascii());
    is_taken
}

fn configurations_of_testdata() -> Vec<Vec<u8>> {
    let mut seeds = files(&testdata("conf/named/ok"), ".conf");
    assert!(seeds.iter().all(|seed| entries::named_conf(seed)));
    seeds.extend(files(&testdata("conf/hosts"), ".conf"));
    seeds.extend(files(&testdata("conf/named/err"), ".conf"));
    seeds
}

#[test]
fn raw_files() {
    let seeds = [".raw", ".raw0"].iter().flat_map(|ending| files(&testdata("zones"), ending)).collect::<Vec<_>>();
    assert!(seeds.iter().all(|seed| entries::raw(seed)));
    check("raw_files", seeds, 10_000, entries::raw);
}

#[test]
fn journals() {
    let seeds = files(&testdata("journal"), ".jnl");
    assert!(seeds.iter().all(|seed| entries::journal(seed)));
    check("journals", seeds, 10_000, entries::journal);
}

#[test]
fn transfers() {
    let mut seeds = [512, usize::from(u16::MAX)].map(transfer_of_testdata).to_vec();
    seeds.push(differences());
    assert!(seeds.iter().all(|seed| entries::transfer(seed)));
    check("transfers", seeds, 10_000, entries::transfer);
}

/// How long one input may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// How inputs are made of seeds.
type Damage = fn(&mut Mutator, &[Vec<u8>]) -> Vec<u8>;

/// Sends seeds through a door: first as they are, then with their bytes damaged.
fn check(name: &str, seeds: Vec<Vec<u8>>, rounds: u64, entry: fn(&[u8]) -> bool) {
    check_damaged(name, seeds, rounds, Mutator::damaged, entry);
}

fn check_damaged(name: &str, seeds: Vec<Vec<u8>>, rounds: u64, damage: Damage, entry: fn(&[u8]) -> bool) {
    assert!(seeds.iter().any(|seed| entry(seed)), "{name}: no seed is taken");
    let first = number("NOMD_SEED", 1);
    let rounds = number("NOMD_ROUNDS", rounds);
    let (beat, beats) = channel();
    let worker = thread::spawn(move || {
        let run = |seed| {
            beat.send(seed).unwrap();
            u64::from(entry(&damage(&mut Mutator::new(seed), &seeds)))
        };
        (first..first + rounds).map(run).sum::<u64>()
    });
    let mut last = first;
    let stop = loop {
        match beats.recv_timeout(PATIENCE) {
            Ok(seed) => last = seed,
            Err(stop) => break stop,
        }
    };
    let again = format!("NOMD_SEED={last} NOMD_ROUNDS=1 cargo test --test mutation {name}");
    assert!(stop == RecvTimeoutError::Disconnected, "no end after {PATIENCE:?}: {again}");
    match worker.join() {
        Ok(taken) => eprintln!("{name}: {taken} of {rounds} damaged inputs taken"),
        Err(panic) => {
            eprintln!("again: {again}");
            resume_unwind(panic);
        }
    }
}

fn number(variable: &str, default: u64) -> u64 {
    env::var(variable)
        .map_or(default, |text| text.parse().unwrap_or_else(|_| panic!("{variable} is no number: {text}")))
}

fn testdata(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(path)
}

/// The files of a folder whose names end so.
fn files(folder: &Path, ending: &str) -> Vec<Vec<u8>> {
    let mut paths: Vec<_> = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path()).collect();
    paths.sort();
    let wanted = paths.iter().filter(|path| path.to_str().unwrap().ends_with(ending));
    wanted.map(|path| fs::read(path).unwrap()).collect()
}

fn requests_of_testdata() -> Vec<Vec<u8>> {
    let text = fs::read_to_string(testdata("wire/requests")).unwrap();
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    lines.map(|line| HEXLOWER.decode(line.split(' ').nth(1).unwrap().as_bytes()).unwrap()).collect()
}

/// A zone as it is sent, each message behind its length.
fn transfer_of_testdata(message_bytes: usize) -> Vec<u8> {
    let apex: Name = entries::APEX.parse().unwrap();
    let question = Question { name: NameBuf::from_name(apex.as_ref()), rtype: Rtype::AXFR, class: Class::IN };
    let (version, _) =
        raw::read(&Host, &testdata("zones/example.com.raw"), &apex, Class::IN, Limits::default()).unwrap();
    let filling = Filling { message_bytes, one_answer: false };
    let header = Header { id: entries::TRANSFER_ID, flags: 0, counts: [1, 0, 0, 0] };
    let unsigned = None::<Chain<&Key>>;
    let mut transfer = Outbound::new(Arc::new(version), Form::Whole, filling, (header, question), unsigned);
    let (mut stream, mut message) = (Vec::new(), Vec::new());
    while transfer.next(entries::NOW_S, &mut message).unwrap() {
        stream.extend_from_slice(&u16::try_from(message.len()).unwrap().to_be_bytes());
        stream.append(&mut message);
    }
    stream
}

/// What changes the zone of [`entries::OLD`], as it is sent: twice the address.
fn differences() -> Vec<u8> {
    let apex: Name = entries::APEX.parse().unwrap();
    let (mut message, mut names) = (vec![0; 1000], Compression::default());
    let mut writer = Writer::new(&mut message, 1000, &mut names, Case::Kept);
    writer.question(apex.as_ref(), Rtype::IXFR, Class::IN).unwrap();
    let mut add = |rtype, data: &[u8]| {
        writer.record(Section::Answer, Owner::Name(apex.as_ref()), (rtype, Class::IN, 60), data).unwrap();
    };
    for (serial, last) in [(3, None), (1, Some(1)), (2, Some(2)), (2, Some(2)), (3, Some(3)), (3, None)] {
        add(Rtype::SOA, &[&[0, 0][..], &[serial, 2, 3, 4, 5].map(u32::to_be_bytes).concat()].concat());
        last.into_iter().for_each(|last| add(Rtype::A, &[192, 0, 2, last]));
    }
    let length = writer.finish(Header { id: entries::TRANSFER_ID, flags: 0x8400, counts: [0; 4] });
    message.truncate(length);
    [&u16::try_from(length).unwrap().to_be_bytes()[..], &message].concat()
}
