//! The shape of the source: who may use whom, sizes, documentation, and words that have no place in it.
//!
//! Reads the files of this repository and lists every offence at once, as file:line. The rules are those of
//! `src/ARCHITECTURE.md`; they hold for code outside tests unless said otherwise.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod source;

use std::fs;
use std::path::{Path, PathBuf};

use source::Source;

#[test]
fn the_source_is_tidy() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut offences = Vec::new();
    for path in files(root) {
        let Ok(text) = fs::read_to_string(&path) else { continue };
        let name = path.strip_prefix(root).unwrap().to_str().unwrap();
        check_words(name, &text, &mut offences);
        if name.starts_with("src/") && name.ends_with(".rs") {
            check_source(&Source::new(name, &text), &mut offences);
        }
    }
    assert!(offences.is_empty(), "{} offences:\n{}", offences.len(), offences.join("\n"));
}

/// What lies below each floor.
const FLOORS: [(&str, &[&str]); 8] = [
    ("cli", &["server", "net", "answer", "transfer", "zone", "conf", "dns"]),
    ("server", &["net", "answer", "transfer", "zone", "conf", "dns"]),
    ("net", &["dns"]),
    ("answer", &["zone", "dns"]),
    ("transfer", &["zone", "dns"]),
    ("zone", &["dns"]),
    ("conf", &["dns"]),
    ("dns", &[]),
];

/// Calls that end the process, or print, and what they are written as.
const FORBIDDEN_CALLS: [&str; 8] =
    [".unwrap()", ".expect(\"", "panic!(", "todo!(", "unimplemented!(", "dbg!(", "println!(", "print!("];

/// Words of unfinished work, and paths of one machine. In pieces, so that this file does not offend itself.
const FORBIDDEN_WORDS: [&str; 6] = [
    concat!("TO", "DO"),
    concat!("FIX", "ME"),
    concat!("X", "XX"),
    concat!("/wo", "rk/"),
    concat!("/ro", "ot/"),
    concat!("/ho", "me/"),
];

const FUNCTION_LINES_MAX: usize = 70;
const FILE_LINES_MAX: usize = 800;
const COLUMNS_MAX: usize = 120;

/// All files of the repository but what is built and what is hidden.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let visible = entries.filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        !name.starts_with('.') && name != "target"
    });
    let mut found: Vec<_> = visible.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect();
    found.sort();
    found
}

/// Words forbidden in any text, tests and comments included.
fn check_words(name: &str, text: &str, offences: &mut Vec<String>) {
    for (number, line) in (1..).zip(text.lines()) {
        for word in FORBIDDEN_WORDS.into_iter().filter(|word| contains_word(line, word)) {
            offences.push(format!("{name}:{number}: {word}"));
        }
    }
}

/// Whether `word` stands in `line` with no letter beside it.
fn contains_word(line: &str, word: &str) -> bool {
    line.match_indices(word).any(|(at, _)| {
        let before = line[..at].chars().next_back();
        let after = line[at + word.len()..].chars().next();
        let joined = |beside: Option<char>| beside.is_some_and(|c| c.is_ascii_alphanumeric());
        word.starts_with('/') || !(joined(before) || joined(after))
    })
}

fn check_source(source: &Source<'_>, offences: &mut Vec<String>) {
    let name = source.name;
    if !source.text.starts_with("//!") && !source.text.starts_with("#![doc") && !source.is_test_file() {
        offences.push(format!("{name}:1: no module documentation"));
    }
    let lines = source.code_line_count();
    if lines > FILE_LINES_MAX {
        offences.push(format!("{name}:1: {lines} lines without tests"));
    }
    for (number, line) in (1..).zip(source.text.lines()) {
        let columns = line.chars().count();
        if columns > COLUMNS_MAX {
            offences.push(format!("{name}:{number}: {columns} columns"));
        }
    }
    for function in source.functions().into_iter().filter(|function| function.lines > FUNCTION_LINES_MAX) {
        offences.push(format!("{name}:{}: function of {} lines", function.line, function.lines));
    }
    for (number, line) in source.code_lines() {
        check_line(name, number, line, offences);
    }
}

/// One line of code, its comments and the contents of its strings blanked.
fn check_line(name: &str, number: usize, line: &str, offences: &mut Vec<String>) {
    let may_print = name.starts_with("src/cli/") || name == "src/main.rs";
    for call in FORBIDDEN_CALLS.into_iter().filter(|call| line.contains(call)) {
        if !(may_print && call.contains("print")) {
            offences.push(format!("{name}:{number}: {call}"));
        }
    }
    if contains_word(&line.replace("unsafe_code", ""), "unsafe") && !name.starts_with("src/net/sys/") {
        offences.push(format!("{name}:{number}: unsafe outside src/net/sys"));
    }
    let own = name.trim_start_matches("src/").split(['/', '.']).next().unwrap();
    let Some((_, below)) = FLOORS.iter().find(|(floor, _)| *floor == own) else { return };
    for used in source::crate_roots(line) {
        let is_floor = FLOORS.iter().any(|(floor, _)| *floor == used);
        if is_floor && used != own && !below.contains(&used) {
            offences.push(format!("{name}:{number}: {own} uses {used}"));
        }
    }
}

#[test]
fn offences_are_seen() {
    let text = "fn f() {\n    let a = crate::server::x().unwrap(); // unsafe\n    let b = \"panic!(\";\n    unsafe { g() }\n}\n\
                #[cfg(test)]\nmod tests {\n    fn t() { h().unwrap(); }\n}\nfn k() { todo!() }\n";
    let mut offences = Vec::new();
    check_source(&Source::new("src/net/x.rs", text), &mut offences);
    assert_eq!(
        offences,
        [
            "src/net/x.rs:1: no module documentation",
            "src/net/x.rs:2: .unwrap()",
            "src/net/x.rs:2: net uses server",
            "src/net/x.rs:4: unsafe outside src/net/sys",
            "src/net/x.rs:10: todo!(",
        ]
    );
}

#[test]
fn grouped_imports_are_seen() {
    assert_eq!(source::crate_roots("use crate::{dns::{Name, Class}, zone};"), ["dns", "zone"]);
}
