//! Zones made at random from few labels, so that names are ancestors, siblings and wildcards of each other.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::fs;

use super::Dice;
use crate::peers::run;

/// The labels of all names. Few, so that queries hit.
pub const LABELS: &[&str] = &["a", "b", "c", "D", "*", "x-long-label-0123456789", "\\000\\255"];
const NODES: usize = 40;

/// How a zone is signed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Signing {
    No,
    Nsec,
    Nsec3,
    OptOut,
}

/// What stands at one name.
enum Content {
    Records,
    Alias,
    Redirection,
    Cut,
}

/// A name of one to four labels below `apex`.
pub fn name_below(dice: &mut Dice, apex: &str) -> String {
    let labels: Vec<&str> = (0..=dice.below(4)).map(|_| *dice.pick(LABELS)).collect();
    if apex == "." { format!("{}.", labels.join(".")) } else { format!("{}.{apex}", labels.join(".")) }
}

/// A zone text with absolute names.
pub fn zone(dice: &mut Dice, apex: &str, all: &[&str], children: &[&str]) -> String {
    let mut nodes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for _ in 0..NODES {
        let owner = name_below(dice, apex);
        if children.iter().any(|child| owner.to_lowercase().ends_with(child))
            || nodes.contains_key(&owner.to_lowercase())
        {
            continue;
        }
        let records = node(dice, &owner, apex, all);
        nodes.insert(owner.to_lowercase(), records);
    }
    let mut text = format!("{apex} 3600 SOA ns.{0} hostmaster.{0} 1 7200 900 1209600 300\n", below(apex));
    let _ = writeln!(
        text,
        "{apex} 3600 NS ns.{0}\n{apex} 3600 NS out.elsewhere.test.\nns.{0} 3600 A 192.0.2.1",
        below(apex)
    );
    let _ = writeln!(text, "{apex} 600 MX 10 {}\n{apex} 600 TXT \"apex\"", target(dice, all));
    for child in children {
        let _ = writeln!(text, "{child} 900 NS ns.{child}\nns.{child} 900 A 192.0.2.7");
    }
    nodes.values().flatten().for_each(|record| text.extend([record, "\n"]));
    text
}

/// A zone's name as the end of others.
fn below(apex: &str) -> &str {
    if apex == "." { "" } else { apex }
}

fn node(dice: &mut Dice, owner: &str, apex: &str, all: &[&str]) -> Vec<String> {
    let content = match dice.below(20) {
        0..=10 => Content::Records,
        11..=14 => Content::Alias,
        15 | 16 => Content::Redirection,
        _ => Content::Cut,
    };
    let is_wildcard = owner.starts_with("*.");
    match content {
        Content::Alias => vec![format!("{owner} 300 CNAME {}", target(dice, all))],
        Content::Redirection if !is_wildcard => {
            let dname = format!("{owner} 400 DNAME {}", target(dice, all));
            if dice.one_in(2) { vec![dname, format!("{owner} 400 TXT \"beside a DNAME\"")] } else { vec![dname] }
        }
        Content::Cut if !is_wildcard => cut(dice, owner, apex, all),
        _ => records(dice, owner, all),
    }
}

fn cut(dice: &mut Dice, owner: &str, apex: &str, all: &[&str]) -> Vec<String> {
    let mut records = vec![];
    for number in 0..=dice.below(3) {
        let server = match dice.below(4) {
            0 => target(dice, all),
            1 => format!("ns{number}.{apex}").replace("..", "."),
            _ => format!("ns{number}.{owner}"),
        };
        if server.ends_with(owner) && !dice.one_in(4) {
            records.push(format!("{server} 500 A 192.0.2.{}", 10 + number));
        }
        if server.ends_with(owner) && dice.one_in(2) {
            records.push(format!("{server} 500 AAAA 2001:db8::{number}"));
        }
        records.push(format!("{owner} 500 NS {server}"));
    }
    if dice.one_in(2) {
        records.push(format!("{owner} 500 DS 12345 13 2 {}", "0123456789abcdef".repeat(4)));
    }
    if dice.one_in(3) {
        records.push(format!("{owner} 500 TXT \"behind the cut\""));
    }
    records
}

fn records(dice: &mut Dice, owner: &str, all: &[&str]) -> Vec<String> {
    let mut records = vec![];
    for _ in 0..=dice.below(3) {
        let number = dice.below(200);
        let data = match dice.below(15) {
            0..=2 => format!("A 192.0.2.{number}"),
            3 => format!("AAAA 2001:db8::{number:x}"),
            4 => format!("MX {number} {}", target(dice, all)),
            5 => format!("SRV 1 2 {number} {}", target(dice, all)),
            6 => format!("TXT \"{}\"", "text ".repeat(1 + number % 40)),
            7 => format!("NAPTR 1 {number} \"s\" \"SIP+D2U\" \"\" {}", target(dice, all)),
            8 => format!("HTTPS 1 {} alpn=h2", target(dice, all)),
            9 => format!("KX {number} {}", target(dice, all)),
            10 => format!("RT {number} {}", target(dice, all)),
            11 => format!("AFSDB 1 {}", target(dice, all)),
            12 => format!("CDS {number} 13 2 {}", "89abcdef".repeat(8)),
            13 => format!("TYPE65280 \\# 4 0a0000{number:02x}"),
            _ => format!("PTR {}", target(dice, all)),
        };
        records.push(format!("{owner} {} {data}", 60 * (1 + dice.below(3))));
    }
    records
}

/// A name that something points to: in one of our zones, or elsewhere.
fn target(dice: &mut Dice, all: &[&str]) -> String {
    if dice.one_in(6) {
        return "out.elsewhere.test.".to_owned();
    }
    let apex = *dice.pick(all);
    name_below(dice, apex).replace("*.", "a.")
}

/// What dnssec-signzone makes of a zone.
pub fn signed(text: &str, apex: &str, signing: Signing) -> String {
    let denial: &[&str] = match signing {
        Signing::No => return text.to_owned(),
        Signing::Nsec => &[],
        Signing::Nsec3 => &["-3", "aabbccdd", "-H", "2"],
        Signing::OptOut => &["-3", "-", "-H", "0", "-A"],
    };
    let folder = tempfile::tempdir().unwrap();
    let here = folder.path().display().to_string();
    let (plain, out) = (folder.path().join("zone"), folder.path().join("signed"));
    fs::write(&plain, text).unwrap();
    let keygen = run("dnssec-keygen", &["-q", "-K", &here, "-a", "ECDSAP256SHA256", "-f", "KSK", apex]);
    assert_eq!(keygen.status, 0, "{keygen:?}");
    let (plain, out_text) = (plain.display().to_string(), out.display().to_string());
    let words =
        [&["-z", "-P", "-S", "-K", &here, "-d", &here, "-o", apex, "-f", &out_text][..], denial, &[&plain]].concat();
    let output = run("dnssec-signzone", &words);
    assert_eq!(output.status, 0, "{}{}", output.stdout, output.stderr);
    fs::read_to_string(out).unwrap()
}
