//! Damaged configurations, judged by nomd and by the installed named-checkconf.
//!
//! The ordinary run takes a few; `NOMD_ROUNDS` says how many, and `NOMD_SEED` from which seed on. A difference is told
//! with its seed and text.

use std::path::{Path, PathBuf};
use std::process::Command;
use std::{env, fs};

use crate::mutator::Mutator;
use crate::peers::nomd;
use crate::words;

/// How many configurations an ordinary run compares.
const ROUNDS: u64 = 150;
/// How often a piece is repeated at most: named has no bound for the depth of lists.
const DEEPEST: usize = 100;

fn number(variable: &str, default: u64) -> u64 {
    env::var(variable).map_or(default, |text| text.parse().unwrap())
}

/// Words of configurations that are left out, and why.
const EXCEPTIONS: [(&str, &str); 2] = [
    ("include", "what is included depends on the host, and named-checkconf crashes on an empty name"),
    ("dnstap-output", "its words have messages of their own"),
];

/// The configurations of folders below testdata.
fn seeds(folders: &[&str]) -> Vec<Vec<u8>> {
    let conf = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/conf");
    let mut paths: Vec<PathBuf> = folders
        .iter()
        .flat_map(|folder| fs::read_dir(conf.join(folder)).unwrap())
        .map(|entry| entry.unwrap().path())
        .filter(|path| path.extension().is_some_and(|end| end == "conf"))
        .collect();
    paths.sort();
    paths.iter().map(|path| fs::read(path).unwrap()).collect()
}

/// The exit code and what is printed.
fn verdict(program: &str, words: &[&str], folder: &Path) -> (Option<i32>, String) {
    let output = Command::new(program).args(words).arg("f.conf").current_dir(folder).output().unwrap();
    (output.status.code(), String::from_utf8_lossy(&output.stdout).into_owned())
}

fn has(text: &[u8], word: &str) -> bool {
    text.to_ascii_lowercase().windows(word.len()).any(|window| window == word.as_bytes())
}

#[test]
fn damaged_configurations_get_the_verdict_of_named_checkconf() {
    let (taken, all) = (seeds(&["named/ok", "hosts"]), seeds(&["named/ok", "named/err", "hosts"]));
    let folder = tempfile::tempdir().unwrap();
    let (first, rounds) = (number("NOMD_SEED", 1), number("NOMD_ROUNDS", ROUNDS));
    let (mut differing, mut compared, mut sound) = (Vec::new(), 0, 0);
    for seed in first..first + rounds {
        let seeds = if seed % 4 == 0 { &all } else { &taken };
        let text = words::damaged(&mut Mutator::new(seed), seeds, &all, DEEPEST);
        if EXCEPTIONS.iter().any(|(word, _)| has(&text, word)) {
            continue;
        }
        fs::write(folder.path().join("f.conf"), &text).unwrap();
        let theirs = verdict("named-checkconf", &["-p"], folder.path());
        let ours = verdict(nomd(), &["named-checkconf", "--strict", "9.18", "-p"], folder.path());
        (compared, sound) = (compared + 1, sound + u64::from(theirs.0 == Some(0)));
        if ours != theirs {
            differing.push(format!("seed {seed}: {}\n-- named {theirs:?}\n-- nomd  {ours:?}", text.escape_ascii()));
        }
    }
    println!("{compared} compared, {sound} sound, {} differ", differing.len());
    assert!(differing.is_empty(), "{}", differing.join("\n\n"));
}
