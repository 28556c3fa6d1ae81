//! `named-checkconf -z` beside nomd's: the same zones, words and exit codes.

use std::fs;
use std::path::Path;
use std::process::Command;

use super::{Outcome, files, outcome};
use crate::peers::nomd;

/// A folder with testdata/checkconf, a raw zone and one that is cut off.
fn folder() -> tempfile::TempDir {
    let folder = tempfile::tempdir().unwrap();
    copy(&Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/checkconf"), folder.path());
    let words = ["-q", "-F", "raw", "-o", "good.raw", "a.test", "good.zone"];
    assert!(Command::new("named-compilezone").args(words).current_dir(folder.path()).status().unwrap().success());
    let raw = fs::read(folder.path().join("good.raw")).unwrap();
    fs::write(folder.path().join("cut.raw"), &raw[..raw.len() - 5]).unwrap();
    folder
}

fn copy(from: &Path, to: &Path) {
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            fs::create_dir(&target).unwrap();
            copy(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

/// Both programs on the same words: nomd's must not differ.
fn compare(words: &[&str], folder: &Path) -> Outcome {
    let theirs = outcome("named-checkconf", words, folder);
    let ours = outcome(nomd(), &[&["named-checkconf"], words].concat(), folder);
    assert_eq!(ours, theirs, "{words:?}");
    theirs
}

#[test]
fn zones_load_as_named_checkconf_loads_them() {
    let folder = folder();
    for path in files("checkconf", "conf") {
        let name = path.file_name().unwrap().to_str().unwrap();
        for flags in ["-z", "-zj", "-zi", "-zp", "-zpx", "-zl", "-zc"] {
            compare(&[flags, name], folder.path());
        }
    }
}

#[test]
fn zones_load_below_another_root() {
    if !nix::unistd::geteuid().is_root() {
        eprintln!("not root: no other root directory");
        return;
    }
    let folder = folder();
    let root = folder.path().to_str().unwrap();
    let (code, said, _) = compare(&["-t", root, "-z", "/directory.conf"], Path::new("/"));
    assert_eq!((code, said.as_str()), (Some(0), "zone a.test/IN: loaded serial 7\n"));
    compare(&["-t", root, "-t", "sub", "zones.conf"], Path::new("/"));
    let words = ["-t", root, "-w", "sub", "a.test", "inner.zone"];
    let theirs = outcome("named-checkzone", &words, folder.path());
    assert_eq!(outcome(nomd(), &[&["named-checkzone"][..], &words].concat(), folder.path()), theirs);
}

#[test]
fn wrong_flags_are_told_as_named_checkconf_tells_them() {
    let folder = folder();
    for line in include_str!("../checkconf/flags").lines() {
        compare(&line.split_whitespace().collect::<Vec<_>>(), folder.path());
    }
    compare(&["-t", ""], folder.path());
}

/// Journals are not read yet: a zone that has one is refused where it is asked for, and loads where it is not.
#[test]
fn a_zone_with_a_journal_is_refused_if_that_is_to_be_read() {
    let folder = folder();
    fs::write(folder.path().join("sub/inner.zone.jnl"), "x").unwrap();
    compare(&["-z", "directory.conf"], folder.path());
    let (code, said, _) = outcome(nomd(), &["named-checkconf", "-zj", "directory.conf"], folder.path());
    assert_eq!(code, Some(1));
    assert!(said.starts_with("zone a.test/IN: journal open failed: "), "{said}");
}
