//! Zones made at random from few labels, so that names are ancestors, siblings and wildcards of each other.

use std::collections::BTreeMap;
use std::fmt::Write;

use super::signers::UNKNOWN_TO_KNOT;
use super::{Dice, leading};

/// The labels of all names. Few, so that queries hit.
pub const LABELS: &[&str] = &["a", "b", "c", "D", "*", "x-long-label-0123456789", "\\000\\255"];
const NODES: usize = 40;
const DEEP_LABEL: &str = "sixty-three-bytes-are-the-most-that-a-label-can-have-here-is-on";
/// Less than a name may have: a server's label is to fit before it, and dnssec-signzone puts an asterisk there.
const MAX_NAME_BYTES: usize = 251;

/// What a zone is like.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Shape {
    /// Something of everything.
    Mixed,
    /// Mostly delegations, as a top-level domain has.
    Delegating,
}

/// A zone below that is served as well.
pub struct Child {
    pub apex: String,
    /// Its DS records, one a line; none for an insecure delegation.
    pub ds: String,
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

/// A name that is nearly as long as one can be.
fn deep_name(dice: &mut Dice, apex: &str) -> String {
    let label = *dice.pick(&["a", "b", DEEP_LABEL]);
    let room = MAX_NAME_BYTES - (apex.len() + 1).max(2) - dice.below(5);
    format!("{}{}", format!("{label}.").repeat(room / (label.len() + 1)), below(apex))
}

/// Whether a name belongs to a zone or one below it.
fn is_at_or_below(name: &str, apex: &str) -> bool {
    name.strip_suffix(apex).is_some_and(|rest| rest.is_empty() || rest.ends_with('.'))
}

/// A zone text with absolute names.
pub fn zone(dice: &mut Dice, apex: &str, all: &[&str], children: &[Child], shape: Shape) -> String {
    let mut nodes: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for number in 0..NODES {
        let owner = if number == 0 { deep_name(dice, apex) } else { name_below(dice, apex) };
        let folded = owner.to_lowercase();
        if nodes.contains_key(&folded) || children.iter().any(|child| is_at_or_below(&folded, &child.apex)) {
            continue;
        }
        let records = node(dice, &owner, apex, all, shape);
        nodes.insert(folded, records);
    }
    let mut text = format!("{apex} 3600 SOA ns.{0} hostmaster.{0} 1 7200 900 1209600 300\n", below(apex));
    let _ = writeln!(
        text,
        "{apex} 3600 NS ns.{0}\n{apex} 3600 NS out.elsewhere.test.\nns.{0} 3600 A 192.0.2.1",
        below(apex)
    );
    let _ = writeln!(text, "{apex} 600 MX 10 {}\n{apex} 600 TXT \"apex\"", target(dice, all));
    for Child { apex, ds } in children {
        let _ = write!(text, "{apex} 900 NS ns.{apex}\nns.{apex} 900 A 192.0.2.7\n{ds}");
    }
    nodes.values().flatten().for_each(|record| text.extend([record, "\n"]));
    text += &leading::records(dice, apex, all);
    text
}

/// What of a zone text NSD and Knot load: no types that are unknown to them, and nothing below a DNAME.
pub fn strict(text: &str) -> String {
    let owner = |line: &str| line.split(' ').next().unwrap_or_default().to_lowercase();
    let redirected: Vec<String> = text.lines().filter(|line| line.contains(" DNAME ")).map(owner).collect();
    let is_taken = |line: &&str| {
        let name = owner(line);
        let is_below = redirected.iter().any(|above| name != *above && is_at_or_below(&name, above));
        !is_below && !UNKNOWN_TO_KNOT.iter().any(|rtype| line.contains(rtype))
    };
    text.lines().filter(is_taken).flat_map(|line| [line, "\n"]).collect()
}

/// A zone's name as the end of others.
pub fn below(apex: &str) -> &str {
    if apex == "." { "" } else { apex }
}

fn node(dice: &mut Dice, owner: &str, apex: &str, all: &[&str], shape: Shape) -> Vec<String> {
    let content = match dice.below(20) {
        _ if shape == Shape::Delegating && !dice.one_in(4) => Content::Cut,
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
        let kind = dice.below(4);
        let server = match kind {
            0 => target(dice, all),
            1 => format!("ns{number}.{apex}").replace("..", "."),
            _ => format!("ns{number}.{owner}"),
        };
        // Any other name may be an alias.
        let has_glue = kind > 0 && server.ends_with(owner);
        if has_glue && !dice.one_in(4) {
            records.push(format!("{server} 500 A 192.0.2.{}", 10 + number));
        }
        if has_glue && dice.one_in(2) {
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
        let data = match dice.below(18) {
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
            14 | 15 => odd(dice, all),
            _ => format!("PTR {}", target(dice, all)),
        };
        records.push(format!("{owner} {} {data}", 60 * (1 + dice.below(3))));
    }
    records
}

/// Data of a type that few zones have.
fn odd(dice: &mut Dice, all: &[&str]) -> String {
    let number = dice.below(200);
    let target = target(dice, all);
    match dice.below(20) {
        0 => format!("CAA 0 issue \"ca{number}.test\""),
        1 => format!("SSHFP 4 2 {}", "00112233".repeat(8)),
        2 => format!("TLSA 3 1 1 {}", "44556677".repeat(8)),
        3 => format!("LOC 52 {} 0.000 N 4 0 0.000 E 10m 1m 10000m 10m", number % 60),
        4 => "HINFO \"cpu\" \"os\"".into(),
        5 => format!("RP {target} {target}"),
        6 => format!("URI {number} 1 \"https://test/{number}\""),
        7 => format!("SVCB {number} {target} port=53"),
        8 => format!("SVCB 0 {target}"),
        9 => "CERT 1 2 3 AAEC".into(),
        10 => "OPENPGPKEY AAEC".into(),
        11 => format!("MINFO {target} {target}"),
        12 => format!("MB {target}"),
        13 => format!("MG {target}"),
        14 => format!("MR {target}"),
        15 => format!("PX {number} {target} {target}"),
        16 => "EUI48 00-00-5e-00-53-2a".into(),
        17 => format!("LP {number} {target}"),
        18 => "NID 10 0014:4fff:ff20:ee64".into(),
        _ => "APL 1:192.0.2.0/24".into(),
    }
}

/// A name that something points to: in one of our zones, or elsewhere.
pub fn target(dice: &mut Dice, all: &[&str]) -> String {
    if dice.one_in(6) {
        return "out.elsewhere.test.".to_owned();
    }
    let apex = *dice.pick(all);
    name_below(dice, apex).replace("*.", "a.")
}
