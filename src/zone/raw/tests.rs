use crate::dns::testing::Random;
use std::fs;

use super::*;
use crate::zone::check::Policy;
use crate::zone::disk::Host;
use crate::zone::load::load;
use crate::zone::master::Options;
use crate::zone::message::Strictness;
use crate::zone::print::{self, Style};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/zones").join(name)
}

fn apex() -> Name {
    "example.com".parse().unwrap()
}

fn load_fixture(name: &str) -> ZoneVersion {
    load_as(name, apex())
}

fn load_as(name: &str, apex: Name) -> ZoneVersion {
    let options = Options {
        apex,
        class: Class::IN,
        check_names: Strictness::Ignore,
        check_mx: Strictness::Warn,
        check_ns: Strictness::Warn,
        check_wildcard: true,
        max_zone_ttl_s: None,
    };
    load(&fixture(name), &options, Limits::default(), &Policy::default()).version.unwrap()
}

fn read_bytes(bytes: &[u8]) -> Result<(ZoneVersion, Header), RawError> {
    read_as(bytes, &apex())
}

fn read_as(bytes: &[u8], apex: &Name) -> Result<(ZoneVersion, Header), RawError> {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("f");
    fs::write(&path, bytes).unwrap();
    read(&Host, &path, apex, Class::IN, Limits::default())
}

fn fault_of(bytes: &[u8]) -> (u64, RawFault) {
    match read_bytes(bytes) {
        Err(RawError::Bad { offset, fault, .. }) => (offset, fault),
        Err(other) => panic!("{other}"),
        Ok(_) => panic!("read"),
    }
}

fn text_of(version: &ZoneVersion) -> String {
    let mut text = Vec::new();
    print::dump(version, Style::Full, &mut text).unwrap();
    String::from_utf8(text).unwrap()
}

#[test]
fn files_are_byte_for_byte_those_of_named() {
    let named = fs::read(fixture("example.com.raw")).unwrap();
    let dumped_at_s = u32::from_be_bytes(*named[8..].first_chunk().unwrap());
    let mut ours = Vec::new();
    dump(&load_fixture("example.com.zone"), &Header { dumped_at_s, ..Header::default() }, &mut ours).unwrap();
    assert_eq!(ours, named);
}

#[test]
fn both_versions_are_read() {
    let expected = text_of(&load_fixture("example.com.zone"));
    for name in ["example.com.raw", "example.com.raw0"] {
        let (version, header) = read(&Host, &fixture(name), &apex(), Class::IN, Limits::default()).unwrap();
        assert_eq!(text_of(&version), expected);
        assert_eq!((header.source_serial, header.last_transfer_s), (None, None));
    }
}

#[test]
fn a_written_file_reads_back_with_its_header() {
    let version = load_fixture("example.com.zone");
    let header = Header { form: Form::V1, dumped_at_s: 1, source_serial: Some(Serial(2)), last_transfer_s: Some(3) };
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("f");
    write(&Host, &path, &version, &header).unwrap();
    let (copy, read_header) = read(&Host, &path, &apex(), Class::IN, Limits::default()).unwrap();
    assert_eq!(read_header, header);
    assert_eq!(text_of(&copy), text_of(&version));
}

#[test]
fn what_is_not_raw_is_told_apart_from_what_is_broken() {
    for bytes in [&b"$TTL 5\n"[..], b"\0\0\0\x01rest"] {
        assert!(matches!(read_bytes(bytes), Err(RawError::NotRaw { .. })), "{bytes:?}");
    }
    assert_eq!(fault_of(b"\0\0\0\x02\0\0\0\x02\0\0\0\0"), (0, RawFault::Version));
    assert_eq!(fault_of(b"\0\0\0\x02\0\0\0\x02"), (0, RawFault::Version));
    assert_eq!(fault_of(b"\0\0\0\x02\0\0\0\x01\0\0"), (0, RawFault::NoHeader));
    assert_eq!((fault_of(b""), fault_of(b"\0\0\0\x02\0")), ((0, RawFault::NoHeader), (0, RawFault::NoHeader)));
}

#[test]
fn a_file_cut_anywhere_is_an_error() {
    let whole = fs::read(fixture("example.com.raw")).unwrap();
    let mut starts = vec![24];
    while *starts.last().unwrap() < whole.len() {
        let start = *starts.last().unwrap();
        starts.push(start + u32::from_be_bytes(*whole[start..].first_chunk().unwrap()) as usize);
    }
    for end in (25..whole.len()).filter(|end| !starts.contains(end)) {
        let start = *starts.iter().rfind(|start| **start < end).unwrap();
        assert_eq!(fault_of(&whole[..end]), (start as u64, RawFault::Truncated), "cut at {end}");
    }
}

#[test]
fn lengths_that_lie_are_errors_with_their_offset() {
    let whole = fs::read(fixture("example.com.raw")).unwrap();
    let with = |place: usize, byte: u8| {
        let mut bytes = whole.clone();
        bytes[place] = byte;
        fault_of(&bytes)
    };
    assert_eq!(with(24, 0xff), (24, RawFault::Truncated));
    assert_eq!(with(27, 5), (24, RawFault::Length));
    assert_eq!(with(29, 3), (24, RawFault::Class));
    assert_eq!(with(31, 0), (24, RawFault::Type));
    assert_eq!(with(31, 255), (24, RawFault::Type));
    assert_eq!(with(41, 2), (24, RawFault::Count));
    assert_eq!(with(41, 0), (24, RawFault::Count));
    assert_eq!(with(43, 0xff), (24, RawFault::Owner));
}

#[test]
fn owners_outside_the_zone_are_dropped() {
    let mut bytes = fs::read(fixture("example.com.raw")).unwrap();
    let record = [&b"\0\0\0\x1d\0\x01\0\x01\0\0\0\0\0\x05\0\0\0\x01\0\x03\x01x\0\0\x04"[..], &[192, 0, 2, 1]].concat();
    bytes.extend_from_slice(&record);
    let (version, _) = read_bytes(&bytes).unwrap();
    assert_eq!(text_of(&version), text_of(&load_fixture("example.com.zone")));
}

#[test]
fn records_whose_owner_must_be_no_wildcard_are_refused_in_binds_words() {
    let hash = [&[1, 0, 0, 0, 0, 20][..], &[0; 20], &[0, 1, 0x40]].concat();
    for (rtype, data, expected) in [
        (Rtype::NS, b"\x02ns\x00".to_vec(), "invalid NS owner name (wildcard)"),
        (Rtype::NSEC3, hash, "invalid NSEC3 owner name"),
    ] {
        let mut builder = Builder::new(apex(), Class::IN);
        let soa = [&b"\x00\x00"[..], &[0; 20]].concat();
        builder.add(apex().as_ref(), Rtype::SOA, 60, &soa).unwrap();
        let owner: Name = "!.example.com".parse().unwrap();
        builder.add(owner.as_ref(), rtype, 60, &data).unwrap();
        let mut bytes = Vec::new();
        dump(&builder.finish().unwrap(), &Header::default(), &mut bytes).unwrap();
        assert!(read_bytes(&bytes).is_ok());
        let place = bytes.windows(2).position(|pair| pair == b"\x01!").unwrap();
        bytes[place + 1] = b'*';
        let RawError::Contents { source, .. } = read_bytes(&bytes).unwrap_err() else { panic!("{rtype}") };
        assert_eq!(source.to_string(), expected);
    }
}

#[test]
fn mutated_files_never_panic() {
    let whole = fs::read(fixture("example.com.raw")).unwrap();
    let mut random = Random::new(0x1234_5678_9abc_def1);
    for _ in 0..2000 {
        let mut bytes = whole.clone();
        for _ in 0..=random.below(4) {
            let place = random.below(bytes.len());
            bytes[place] = random.byte();
        }
        bytes.truncate(24 + random.below(bytes.len() * 2));
        if let Ok((version, _)) = read_bytes(&bytes) {
            assert!(!text_of(&version).is_empty());
        }
    }
}

#[test]
fn text_dumps_are_byte_for_byte_those_of_named() {
    let version = load_fixture("example.com.zone");
    for (style, name) in [(Style::Full, "example.com.full"), (Style::Relative, "example.com.relative")] {
        let mut text = Vec::new();
        print::dump(&version, style, &mut text).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), fs::read_to_string(fixture(name)).unwrap());
    }
}

#[test]
fn from_text_to_raw_and_back_nothing_is_lost_of_any_type() {
    for (name, apex) in [("all-types.zone", "all.example."), ("example.com.zone", "example.com.")] {
        let apex: Name = apex.parse().unwrap();
        let version = load_as(name, apex.clone());
        for form in [Form::V0, Form::V1] {
            let (mut bytes, header) = (Vec::new(), Header { form, ..Header::default() });
            dump(&version, &header, &mut bytes).unwrap();
            let (again, _) = read_as(&bytes, &apex).unwrap();
            assert_eq!(text_of(&again), text_of(&version), "{name}, {form:?}");
        }
    }
}

#[test]
fn a_text_dump_loads_as_the_same_zone() {
    let version = load_fixture("example.com.zone");
    for name in ["example.com.full", "example.com.relative"] {
        assert_eq!(text_of(&load_fixture(name)), text_of(&version));
    }
}
