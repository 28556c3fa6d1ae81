//! What nomd's unit tests take for named's words, asked of the installed named-checkconf and named-checkzone.

mod loading;

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

use crate::peers::nomd;

fn files(folder: &str, extension: &str) -> Vec<PathBuf> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata").join(folder);
    let entries = fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut files: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == extension)).collect();
    files.sort();
    assert!(files.len() > 5, "{}", folder.display());
    files
}

/// Runs a program in a folder: whether it was content, and what it said.
fn check(program: &str, words: &[&str], folder: &Path) -> (bool, String) {
    let (code, out, err) = outcome(program, words, folder);
    (code == Some(0), out + &err)
}

fn sorted<'a>(lines: impl Iterator<Item = &'a str>) -> Vec<&'a str> {
    let mut lines: Vec<&str> = lines.filter(|line| !line.trim().is_empty()).collect();
    lines.sort_unstable();
    lines.dedup();
    lines
}

#[test]
fn named_checkconf_says_what_is_expected_of_nomd() {
    for (folder, is_sound) in [("conf/named/ok", true), ("conf/named/err", false)] {
        for path in files(folder, "conf") {
            let name = path.file_name().unwrap().to_str().unwrap();
            let (content, said) = check("named-checkconf", &[name], path.parent().unwrap());
            let expected = fs::read_to_string(path.with_extension("expected")).unwrap_or_default();
            assert_eq!((content, sorted(said.lines())), (is_sound, sorted(expected.lines())), "{}", path.display());
        }
    }
}

/// Whatever is asked of it, `nomd named-checkconf` prints what named-checkconf does, to the letter.
#[test]
fn nomd_answers_as_named_checkconf_does() {
    for folder in ["conf/named/ok", "conf/named/err", "conf/hosts"] {
        for path in files(folder, "conf") {
            let (name, folder) = (path.file_name().unwrap().to_str().unwrap(), path.parent().unwrap());
            for flags in ["-c", "-p", "-px", "-l", "-i", "-z"] {
                let theirs = outcome("named-checkconf", &[flags, name], folder);
                let ours = outcome(nomd(), &["named-checkconf", flags, name], folder);
                assert_eq!(ours, theirs, "{flags} {}", path.display());
            }
        }
    }
}

/// Exit code, standard output and standard error.
type Outcome = (Option<i32>, String, String);

/// Runs a program in a folder.
fn outcome(program: &str, words: &[&str], folder: &Path) -> Outcome {
    let output = Command::new(program).args(words).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("{program} can't be run: {error}"));
    let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

#[test]
fn named_checkzone_says_what_is_expected_of_nomd() {
    for path in files("zones/broken", "zone") {
        let folder = tempfile::tempdir().unwrap();
        fs::copy(&path, folder.path().join("f")).unwrap();
        let (_, said) = check("named-checkzone", &["-k", "fail", "ex.test", "f"], folder.path());
        let expected = fs::read_to_string(path.with_extension("messages")).unwrap();
        let (failure, messages): (Vec<&str>, Vec<&str>) =
            expected.lines().partition(|line| line.starts_with("failed: "));
        for line in messages {
            assert!(said.lines().any(|said| said == line), "{}: {line:?} is not in\n{said}", path.display());
        }
        for reason in failure {
            let reason = reason.trim_start_matches("failed: ");
            assert!(said.contains(&format!("failed: {reason}")), "{}: {reason:?} is not in\n{said}", path.display());
        }
    }
}
