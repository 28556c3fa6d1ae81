//! What nomd is built from: licences that all of it may be given away under, and no crate twice without a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::process::Command;

/// Licences, as SPDX names them, that ask for no more than to be mentioned.
const ALLOWED: [&str; 11] = [
    "MIT",
    "Apache-2.0",
    "ISC",
    "BSD-2-Clause",
    "BSD-3-Clause",
    "Zlib",
    "Unlicense",
    "0BSD",
    "CC0-1.0",
    "Unicode-3.0",
    "CDLA-Permissive-2.0",
];

/// Crates that are there in two versions that do not go together. syn: tracing's macros are still on the version before
/// that of all others; it runs only while nomd is built.
const TWICE: [&str; 1] = ["syn"];

/// A crate of the build.
struct Package {
    name: String,
    version: String,
    /// The licence expression of its manifest; empty if it has none.
    licence: String,
}

#[test]
fn licences_ask_for_no_more_than_to_be_mentioned() {
    let packages = packages();
    let offenders: Vec<_> = packages.iter().filter(|package| !is_satisfied(&package.licence)).collect();
    let list = offenders.iter().map(|p| format!("{} {}: '{}'", p.name, p.version, p.licence)).collect::<Vec<_>>();
    assert!(list.is_empty(), "{}", list.join("\n"));
}

#[test]
fn crates_are_not_built_in_two_versions() {
    let mut versions = BTreeMap::<String, BTreeSet<String>>::new();
    for package in packages() {
        versions.entry(package.name).or_default().insert(generation(&package.version));
    }
    let twice: Vec<_> = versions.iter().filter(|(_, versions)| versions.len() > 1).map(|(name, _)| name).collect();
    assert_eq!(twice, TWICE);
}

/// Every crate that nomd is built of, as cargo lists them without asking a registry.
fn packages() -> Vec<Package> {
    let arguments = ["tree", "--offline", "--locked", "-e", "normal,build", "--prefix", "none", "--format", "{p}\t{l}"];
    let run = Command::new(env!("CARGO")).args(arguments).current_dir(env!("CARGO_MANIFEST_DIR")).output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let packages: Vec<_> = String::from_utf8(run.stdout).unwrap().lines().filter_map(package).collect();
    assert!(packages.len() > 20, "only {} crates listed", packages.len());
    packages
}

/// A line such as `syn v2.0.1 (proc-macro)`, a tab, and the licence, marked `(*)` if it was listed before.
fn package(line: &str) -> Option<Package> {
    let (package, licence) = line.split_once('\t')?;
    let mut words = package.split(' ');
    let (name, version) = (words.next()?.to_owned(), words.next()?.trim_start_matches('v').to_owned());
    Some(Package { name, version, licence: licence.trim_end_matches("(*)").trim().to_owned() })
}

/// The part of a version within which releases go together.
fn generation(version: &str) -> String {
    let mut numbers = version.split('.');
    match (numbers.next(), numbers.next()) {
        (Some("0"), Some(minor)) => format!("0.{minor}"),
        (major, _) => major.unwrap_or_default().to_owned(),
    }
}

/// Whether what is allowed satisfies an SPDX expression; `/` is the old way to write OR.
fn is_satisfied(expression: &str) -> bool {
    let spaced = expression.replace('(', " ( ").replace(')', " ) ").replace('/', " OR ");
    let words: Vec<_> = spaced.split_whitespace().collect();
    let mut rest = &words[..];
    either(&mut rest) == Some(true) && rest.is_empty()
}

/// Terms joined by OR; none if there is no expression.
fn either(words: &mut &[&str]) -> Option<bool> {
    let mut satisfied = both(words)?;
    while take(words, "OR") {
        satisfied |= both(words)?;
    }
    Some(satisfied)
}

/// Terms joined by AND, which binds closer.
fn both(words: &mut &[&str]) -> Option<bool> {
    let mut satisfied = term(words)?;
    while take(words, "AND") {
        satisfied &= term(words)?;
    }
    Some(satisfied)
}

/// A licence or a group. An exception (WITH) only grants more than the licence that it belongs to.
fn term(words: &mut &[&str]) -> Option<bool> {
    if take(words, "(") {
        let satisfied = either(words);
        return satisfied.filter(|_| take(words, ")"));
    }
    let (first, rest) = words.split_first()?;
    *words = rest;
    if take(words, "WITH") {
        *words = words.split_first()?.1;
    }
    Some(ALLOWED.contains(first))
}

fn take(words: &mut &[&str], word: &str) -> bool {
    let is_next = words.first() == Some(&word);
    if is_next {
        *words = &words[1..];
    }
    is_next
}

#[test]
fn licence_expressions_are_understood() {
    for (expression, satisfied) in [
        ("MIT", true),
        ("GPL-3.0-only", false),
        ("", false),
        ("GPL-2.0-only OR MIT", true),
        ("Unlicense/MIT", true),
        ("GPL-2.0/LGPL-2.1", false),
        ("(MIT OR Apache-2.0) AND Unicode-3.0", true),
        ("(MIT OR Apache-2.0) AND OpenSSL", false),
        ("MIT OR Apache-2.0 AND OpenSSL", true),
        ("Apache-2.0 WITH LLVM-exception", true),
        ("GPL-3.0-only WITH GCC-exception-3.1 OR ISC", true),
        ("MIT OR", false),
        ("(MIT", false),
        ("MIT Apache-2.0", false),
    ] {
        assert_eq!(is_satisfied(expression), satisfied, "{expression}");
    }
    assert_eq!(generation("0.11.3"), "0.11");
    assert_eq!(generation("2.0.119"), "2");
}
