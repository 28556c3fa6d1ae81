//! Zones made at random whose records do not stand together: what named does with them shows in the order and in the
//! owners of what it writes.
//!
//! Few owners in several spellings, name servers among them, take turns with included files, `$GENERATE`, other origins
//! and data of many kilobytes. `NOMD_BATCHES` says how many zones to try, `NOMD_SEED` where to start.

use std::fmt::Write as _;
use std::fs;

use super::random::{Author, Material, difference, setting, show, shrink};

const SEED: u64 = 20_241_101;
const ZONES: u64 = 60;
const OWNERS: [&str; 29] = [
    "a",
    "b",
    "A",
    "c.a",
    "d",
    "D",
    "ns.d",
    "NS.d",
    "ns.D",
    "x.sub",
    "y.Sub",
    "z.SUB",
    "sub",
    "w.y.Sub",
    "w.Y.sub",
    "e",
    "ns1",
    "NS1",
    "@",
    "a.ex.test.",
    "A.EX.test.",
    "b.Ex.Test.",
    "*.w",
    "*.W",
    "q.*.w",
    "out.example.",
    "r1",
    "",
    "",
];
const SERVERS: [&str; 12] = ["ns1", "ns.d", "NS.d", "ns.D", "a", "A", "b", "ns.sub", "e", "out.example.", "d", "@"];
const DATA: [&str; 20] = [
    "A 192.0.2.1",
    "A 192.0.2.2",
    "AAAA ::1",
    "TXT a",
    "TXT b",
    "MX 1 a",
    "MX 1 A",
    "HINFO a b",
    "PTR a",
    "PTR A",
    "SRV 1 2 3 a",
    "TYPE65280 \\# 2 0001",
    "TYPE65280 \\# 2 0002",
    "NSEC a A",
    "CAA 0 issue \"a\"",
    "KX 1 a",
    "SSHFP 1 1 0000000000000000000000000000000000000000",
    "LOC 1 N 1 E 1m",
    "NS ns1",
    "NS ns.d",
];
const GENERATED: [&str; 6] = ["A 192.0.2.$", "TXT g$", "MX \"$ a\"", "NS ns$", "NS ns.d", "HINFO \"a $\""];
const ORIGINS: [&str; 5] = ["EX.test.", "ex.test.", "sub.ex.test.", "SUB.ex.test.", "Deep.Sub.ex.test."];
/// The included files.
const FILES: [(&str, &str); 3] = [
    ("first", " 60 TXT included\na A 192.0.2.7\n"),
    ("second", "a TXT included\nd NS ns.d\n"),
    ("third", "NS.d A 192.0.2.7\n$INCLUDE first\n HINFO c d\n"),
];
const FORMS: [&str; 3] = ["-s full", "-s relative", "-F raw"];

/// The entries of a zone behind its head.
fn zone(author: &mut Author<'_>) -> Vec<String> {
    let owners: Vec<&str> = (0..3 + author.below(7)).map(|_| author.pick(&OWNERS)).collect();
    (0..5 + author.below(30)).map(|_| entry(author, &owners)).collect()
}

fn entry(author: &mut Author<'_>, owners: &[&str]) -> String {
    let owner = author.pick(owners);
    match author.below(40) {
        0 => {
            let (owner, data) = (author.pick(&[owner, "g$", "G$.sub"]), author.pick(&GENERATED));
            format!("$GENERATE 1-{} {} {data}\n", 1 + author.below(3), if owner.is_empty() { "@" } else { owner })
        }
        1 => format!("$INCLUDE {} {}\n", author.pick(&FILES).0, author.pick(&["", "", "ex.test.", "Sub.ex.test."])),
        2 => format!("$ORIGIN {}\n", author.pick(&ORIGINS)),
        3 if author.one_in(6) => large(author, owner),
        _ => record(author, owner),
    }
}

fn record(author: &mut Author<'_>, owner: &str) -> String {
    let data = match author.below(6) {
        0 => signature(author),
        1 => format!("NS {}", author.pick(&SERVERS)),
        _ => author.pick(&DATA).to_owned(),
    };
    format!("{owner} {}{data}\n", author.pick(&["", "", "", "60 ", "120 "]))
}

fn signature(author: &mut Author<'_>) -> String {
    let covered = author.pick(&["A", "NS", "TXT", "HINFO", "NSEC", "SOA"]);
    let until = author.pick(&["20300101000000", "20280101000000", "20350101000000"]);
    format!("RRSIG {covered} 8 2 300 {until} 20200101000000 {} ex.test. AAAA", 1 + author.below(3))
}

/// Some records that are too much for one batch.
fn large(author: &mut Author<'_>, owner: &str) -> String {
    let mut text = String::new();
    for _ in 0..author.pick(&[2, 3, 5]) {
        let (rtype, digits) = (author.below(4), format!("{:02x}", author.below(9)));
        let _ = writeln!(
            text,
            "{owner} {} TYPE6529{rtype} \\# 30000 {}",
            60 * (1 + author.below(2)),
            digits.repeat(30_000)
        );
    }
    text
}

#[test]
fn records_that_do_not_stand_together_are_written_as_bind_writes_them() {
    let folder = tempfile::tempdir().unwrap();
    for (name, text) in FILES {
        fs::write(folder.path().join(name), text).unwrap();
    }
    let material = Material::new();
    let mut differences = Vec::new();
    let seed = setting("NOMD_SEED", SEED);
    for seed in seed..seed + setting("NOMD_BATCHES", ZONES) {
        let mut author = Author::new(&material, seed);
        let mut entries = zone(&mut author);
        let run = format!("named-compilezone -k ignore -i none {}", author.pick(&FORMS));
        if difference(folder.path(), &entries, &run, false).is_some() {
            shrink(folder.path(), &mut entries, &run, false);
            let difference = difference(folder.path(), &entries, &run, false).unwrap_or_default();
            differences.push(format!("NOMD_SEED={seed} {}", show(&entries, &run, difference)));
        }
    }
    assert!(differences.is_empty(), "{}", differences.join("\n"));
}
