//! The shape of the source: who may use whom, sizes, documentation, and words that have no place in it.
//!
//! Reads the files of this repository and lists every offence at once, as file:line. The rules are those of
//! `src/ARCHITECTURE.md`; they hold for code outside tests unless said otherwise.
#![allow(clippy::expect_used, clippy::panic, clippy::unwrap_used)]

mod licences;
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

/// All files of the repository but what is hidden, what is built, and what a fuzzer finds.
fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let visible = entries.filter(|path| {
        let name = path.file_name().unwrap().to_string_lossy();
        !name.starts_with('.') && !["target", "corpus", "artifacts"].contains(&&*name)
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

fn check_columns(name: &str, text: &str, offences: &mut Vec<String>) {
    for (number, line) in (1..).zip(text.lines()) {
        let columns = line.chars().count();
        if columns > COLUMNS_MAX {
            offences.push(format!("{name}:{number}: {columns} columns"));
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
    if !source.is_test_file() {
        check_columns(name, source.text, offences);
    }
    let lines = source.code_line_count();
    if lines > FILE_LINES_MAX {
        offences.push(format!("{name}:1: {lines} lines without tests"));
    }
    for function in source.functions().into_iter().filter(|function| function.lines > FUNCTION_LINES_MAX) {
        offences.push(format!("{name}:{}: function of {} lines", function.line, function.lines));
    }
    for (number, line) in source.code_lines() {
        check_line(name, number, line, offences);
    }
    check_floors(source, offences);
}

/// One line of code, its comments and the contents of its strings blanked.
fn check_line(name: &str, number: usize, line: &str, offences: &mut Vec<String>) {
    // server/start.rs: what goes wrong before there is a log.
    let may_print = name.starts_with("src/cli/") || ["src/main.rs", "src/server/start.rs"].contains(&name);
    for call in FORBIDDEN_CALLS.into_iter().filter(|call| line.contains(call)) {
        if !(may_print && call.contains("print")) {
            offences.push(format!("{name}:{number}: {call}"));
        }
    }
    if contains_word(&line.replace("unsafe_code", ""), "unsafe") && !name.starts_with("src/net/sys/") {
        offences.push(format!("{name}:{number}: unsafe outside src/net/sys"));
    }
}

/// What the code uses of other floors.
fn check_floors(source: &Source<'_>, offences: &mut Vec<String>) {
    let name = source.name;
    let path = name.trim_start_matches("src/").trim_end_matches(".rs").trim_end_matches("/mod");
    let own = path.split('/').next().unwrap();
    if ["lib", "main"].contains(&path) {
        return;
    }
    let Some((_, below)) = FLOORS.iter().find(|(floor, _)| *floor == own) else {
        offences.push(format!("{name}:1: {own} is no floor"));
        return;
    };
    for (line, used) in source::crate_roots(source.code(), path.split('/').count()) {
        if used != own && !below.contains(&used) {
            offences.push(format!("{name}:{line}: {own} uses {used}"));
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
            "src/net/x.rs:4: unsafe outside src/net/sys",
            "src/net/x.rs:10: todo!(",
            "src/net/x.rs:2: net uses server",
        ]
    );
}

#[test]
fn imports_of_a_floor_above_or_beside_are_seen() {
    let offences = |name: &str, code: &str| {
        let mut offences = Vec::new();
        check_source(&Source::new(name, &format!("//! Doc.\n{code}\n")), &mut offences);
        offences
    };
    assert_eq!(
        offences("src/zone/x.rs", "use crate::{\n    dns::{Name, Class},\n    conf::Config,\n};"),
        ["src/zone/x.rs:2: zone uses conf"]
    );
    assert_eq!(
        offences("src/answer/x.rs", "fn f() { crate::transfer::g() }"),
        ["src/answer/x.rs:2: answer uses transfer"]
    );
    assert_eq!(offences("src/net/mod.rs", "use super::zone;"), ["src/net/mod.rs:2: net uses zone"]);
    assert_eq!(offences("src/net/udp/mod.rs", "use super::super::zone;"), ["src/net/udp/mod.rs:2: net uses zone"]);
    assert_eq!(offences("src/extra.rs", ""), ["src/extra.rs:1: extra is no floor"]);
    for fine in ["use super::{a, b};", "use crate::net::x;", "use crate::dns;", "mod a { use crate::dns::{self, x}; }"]
    {
        assert!(offences("src/net/x.rs", fine).is_empty(), "{fine}");
    }
}

#[test]
fn literals_and_comments_hide_nothing_behind_them() {
    let code = "let a = ['→', '\"', '\\''];\nlet b = (br##\"\"# panic!( \"##, \"\\\"\", b'\"');\n\
                /* /* */ todo!() */ g::<'a>(dbg!(1));";
    let mut offences = Vec::new();
    check_source(&Source::new("src/net/x.rs", &format!("//! Doc.\n{code}\n")), &mut offences);
    assert_eq!(offences, ["src/net/x.rs:4: dbg!("]);
}
