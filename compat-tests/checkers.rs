//! What nomd's unit tests take for named's words, asked of the installed named-checkconf and named-checkzone.

use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;

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
    let output = Command::new(program).args(words).current_dir(folder).output();
    let output = output.unwrap_or_else(|error| panic!("{program} can't be run: {error}"));
    let said = [output.stdout, output.stderr].map(|bytes| String::from_utf8_lossy(&bytes).into_owned());
    (output.status.success(), said.concat())
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

/// Whatever is asked of it, `nomd named-checkconf` prints what named-checkconf does of a sound configuration.
#[test]
fn nomd_prints_configurations_as_named_checkconf_does() {
    let mut paths = files("conf/named/ok", "conf");
    paths.extend(files("conf/hosts", "conf"));
    for path in paths {
        let name = path.file_name().unwrap().to_str().unwrap();
        for flags in [vec!["-p"], vec!["-p", "-x"], vec!["-l"], vec!["-i"]] {
            let run = |program: &str, words: &[&str]| {
                let mut command = Command::new(program);
                command.args(words).args(&flags).arg(name).current_dir(path.parent().unwrap());
                command.output().unwrap_or_else(|error| panic!("{program} can't be run: {error}"))
            };
            let (real, ours) = (run("named-checkconf", &[]), run(env!("CARGO_BIN_EXE_nomd"), &["named-checkconf"]));
            assert_eq!(text(&ours.stdout), text(&real.stdout), "{flags:?} {}", path.display());
            assert_eq!((ours.status.code(), text(&ours.stderr)), (real.status.code(), text(&real.stderr)), "{name}");
        }
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
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
