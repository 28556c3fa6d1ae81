//! The examples of RFC 8976 appendix A (`testdata/zonemd`), and zones that differ from them in one thing.

use std::fs;
use std::path::Path;

use super::*;
use crate::dns::{Name, NameRef};
use crate::zone::testing::read;

const SHA384: &[Hash] = &[Hash::Sha384];

fn example(file: &str) -> String {
    fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/zonemd").join(file)).unwrap()
}

fn simple() -> ZoneVersion {
    read("example", &example("simple.zone"))
}

fn zonemds(version: &ZoneVersion) -> Vec<Vec<u8>> {
    let rrset = version.apex_node().unwrap().rrset(Rtype::ZONEMD);
    rrset.iter().flat_map(|rrset| rrset.rdatas()).map(<[u8]>::to_vec).collect()
}

fn faults(text: &str) -> Vec<String> {
    verify(&read("example", text)).unwrap_err().iter().map(ToString::to_string).collect()
}

#[test]
fn the_examples_of_the_rfc_are_verified() {
    for (apex, file) in [
        ("example", "simple.zone"),
        ("example", "complex.zone"),
        ("example", "several.zone"),
        ("uri.arpa", "uri.arpa.zone"),
        ("root-servers.net", "root-servers.net.zone"),
    ] {
        assert_eq!(verify(&read(apex, &example(file))), Ok(Hash::Sha384), "{file}");
    }
}

#[test]
fn both_hashes_of_the_example_are_computed() {
    let version = read("example", &example("several.zone"));
    let known: Vec<_> = zonemds(&version).into_iter().filter(|data| data[4] == SIMPLE && data[5] < 3).collect();
    let renewed = renew(&version, &[Hash::Sha512, Hash::Sha384]).unwrap().unwrap();
    assert_eq!(zonemds(&renewed.version), known);
}

#[test]
fn sha_512_alone_vouches_for_a_zone() {
    let renewed = renew(&simple(), &[Hash::Sha512]).unwrap().unwrap();
    assert_eq!(verify(&renewed.version), Ok(Hash::Sha512));
}

#[test]
fn what_is_wrong_with_each_record_is_said() {
    let text = example("simple.zone");
    let none: String = text.replace("ZONEMD  2018031900 1 1 (", "TYPE65280 \\# 48 (");
    assert_eq!(faults(&none), ["there is no ZONEMD record"]);
    let old = text.replace("ZONEMD  2018031900", "ZONEMD  2018031899");
    let words = "serial mismatch: the ZONEMD record is for 2018031899, the SOA serial is 2018031900";
    assert_eq!(faults(&old), [words]);
    assert_eq!(faults(&text.replace(" 1 1 (", " 240 1 (")), ["unsupported scheme 240"]);
    assert_eq!(faults(&text.replace(" 1 1 (", " 1 240 (")), ["unsupported hash algorithm 240"]);
    let [fault] = &faults(&text.replace("113.63", "113.64"))[..] else { panic!() };
    let record = "c68090d90a7aed716bc459f9340e3d7c1370d4d24b7e2fc3a1ddc0b9a87153b9a9713b3c9ae5cc27777f98b8e730044c";
    let start = format!("digest mismatch: the ZONEMD record has SHA-384 {record}, the zone ");
    assert!(fault.starts_with(&start) && fault.len() == start.len() + 96, "{fault}");
}

#[test]
fn two_records_of_one_hash_do_not_count_even_if_one_is_right() {
    let other = format!("example. 86400 ZONEMD 2018031900 1 1 {}\n", "ab".repeat(48));
    let expected = ["more than one ZONEMD record of scheme 1 and hash algorithm 1"];
    assert_eq!(faults(&(example("simple.zone") + &other)), expected);
}

#[test]
fn records_of_unknown_schemes_do_not_hide_one_that_is_right() {
    let text = example("several.zone").replace("62e6cf51", "62e6cf52");
    assert_eq!(verify(&read("example", &text)), Ok(Hash::Sha512));
}

#[test]
fn a_true_record_is_left_alone() {
    assert!(renew(&simple(), SHA384).unwrap().is_none());
}

#[test]
fn a_new_record_takes_serial_and_ttl_of_the_soa() {
    let text =
        "@ 77 SOA ns h 9 2 3 4 5\n 60 NS ns\nns 60 A 192.0.2.1\n 60 ZONEMD 1 1 2 00\n".replace(" 60 ZONEMD", "; ");
    let renewed = renew(&read("example", &text), SHA384).unwrap().unwrap();
    let rrset = renewed.version.apex_node().unwrap().rrset(Rtype::ZONEMD).unwrap();
    assert_eq!((rrset.ttl(), rrset.len()), (77, 1));
    assert!(zonemds(&renewed.version)[0].starts_with(&[0, 0, 0, 9, 1, 1]));
    assert!(!renewed.lacks_signature);
    assert_eq!(verify(&renewed.version), Ok(Hash::Sha384));
}

/// A signature over `covered` at the apex, of no worth.
fn signature(covered: &str) -> String {
    format!("example. 86400 RRSIG {covered} 8 1 86400 20300101000000 20200101000000 1 example. AAAA\n")
}

#[test]
fn the_signature_of_the_record_is_no_part_of_the_digest_and_goes_with_it() {
    let version = read("example", &(example("simple.zone") + &signature("ZONEMD")));
    assert_eq!(verify(&version), Ok(Hash::Sha384));
    assert!(renew(&version, SHA384).unwrap().is_none());
    let renewed = renew(&version, &[Hash::Sha512]).unwrap().unwrap();
    assert!(renewed.lacks_signature);
    assert_eq!(renewed.version.apex_node().unwrap().signatures().count(), 0);
    assert_eq!(verify(&renewed.version), Ok(Hash::Sha512));
}

#[test]
fn a_signed_zone_needs_a_record_to_replace() {
    let text = "@ 77 SOA ns h 9 2 3 4 5\n 60 NS ns\nns 60 A 192.0.2.1\n".to_owned() + &signature("SOA");
    assert!(matches!(renew(&read("example", &text), SHA384), Err(RenewError::NoPlaceholder)));
}

/// The canonical form of some records by the letter: sorted as a list, each in full.
fn plainly(version: &ZoneVersion) -> Vec<u8> {
    let mut records: Vec<(Name, Rtype, Vec<u8>, u32)> = Vec::new();
    for node in version.nodes() {
        for rrset in node.rrsets().chain(node.signatures()) {
            for data in rrset.rdatas().filter(|_| !(node.is_apex() && rrset.covered() == Rtype::ZONEMD)) {
                let mut canonical = Vec::new();
                rdata::canonical(rrset.rtype(), data, &mut canonical);
                records.push((node.owner().as_ref().to_name(), rrset.rtype(), canonical, rrset.ttl()));
            }
        }
    }
    records.sort();
    let mut hasher = Sha384::new();
    for (owner, rtype, data, ttl) in records {
        hasher.update(owner.as_ref().as_bytes().to_ascii_lowercase());
        hasher.update([&rtype.0.to_be_bytes()[..], &version.class().0.to_be_bytes(), &ttl.to_be_bytes()].concat());
        hasher.update((data.len() as u16).to_be_bytes());
        hasher.update(data);
    }
    hasher.finalize().to_vec()
}

#[test]
fn random_zones_with_hashed_owners_among_the_names_are_digested_in_order() {
    for seed in 0..200 {
        let mut random = crate::zone::testing::Random(crate::dns::testing::Random::new(seed));
        let version = crate::zone::testing::build(&random.zone());
        assert_eq!(Hash::Sha384.digest(&version), plainly(&version), "seed {seed}");
    }
}

#[test]
fn an_owner_of_nsec3_that_is_a_name_as_well_comes_once_with_its_types_in_order() {
    let hash = "0p9mhaveqvm6t7vbl5lop2u3t2rp3tom";
    let nsec3 = format!("{hash} 60 NSEC3 1 0 0 - 1P9MHAVEQVM6T7VBL5LOP2U3T2RP3TOM A\n");
    let text = format!("@ 60 SOA ns h 9 2 3 4 5\n 60 NS ns\nns 60 A 192.0.2.1\n{nsec3}{hash} 60 A 192.0.2.1\n");
    let version = read("example", &(text + &format!("{hash} 60 TYPE65280 \\# 1 00\n")));
    assert_eq!(version.nodes().filter(|node| node.owner().as_ref().label_count() == 2).count(), 3);
    assert_eq!(Hash::Sha384.digest(&version), plainly(&version));
    let owner = format!("{hash}.example").parse::<Name>().unwrap();
    assert!(version.node(NameRef::from_wire(owner.as_ref().as_bytes()).unwrap()).is_some());
}
