//! The programs that make keys, beside BIND's: the same words and exit codes, apart from the secrets, and keys that both
//! sides read.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;
use std::process::Command;

use crate::peers::{nomd, run};

/// What came of a program: exit code, standard output and error, every secret by its length alone.
type Outcome = (Option<i32>, String, String);

fn outcome(program: &str, first: &[&str], words: &[&str], folder: &Path) -> Outcome {
    let output = Command::new(program).args(first).args(words).current_dir(folder).output().unwrap();
    let text = |bytes: &[u8]| masked(&String::from_utf8_lossy(bytes));
    (output.status.code(), text(&output.stdout), text(&output.stderr))
}

fn masked(text: &str) -> String {
    let mask = |line: &str| match line.split_once("secret \"") {
        Some((before, secret)) => format!("{before}secret of {}\n", secret.len()),
        None => format!("{line}\n"),
    };
    text.lines().map(mask).collect()
}

/// Runs both programs in folders of their own; gives what they left there.
fn compare(program: &str, words: &[&str]) -> Vec<(String, u32, String)> {
    let folders = [tempfile::tempdir().unwrap(), tempfile::tempdir().unwrap()];
    for folder in &folders {
        fs::create_dir_all(folder.path().join("root/sub")).unwrap();
        fs::write(folder.path().join("there"), "something longer than a key ".repeat(20)).unwrap();
        fs::set_permissions(folder.path().join("there"), fs::Permissions::from_mode(0o644)).unwrap();
    }
    let theirs = outcome(program, &[], words, folders[0].path());
    let ours = outcome(nomd(), &[program], words, folders[1].path());
    assert_eq!(ours, theirs, "{program} {words:?}");
    let [theirs, ours] = folders.each_ref().map(|folder| files(folder.path(), folder.path()));
    assert_eq!(ours, theirs, "{program} {words:?}");
    ours
}

/// Every file below a folder: its path, mode and contents.
fn files(root: &Path, folder: &Path) -> Vec<(String, u32, String)> {
    let mut found = vec![];
    for entry in fs::read_dir(folder).unwrap().map(Result::unwrap) {
        let path = entry.path();
        if path.is_dir() {
            found.extend(files(root, &path));
            continue;
        }
        let name = path.strip_prefix(root).unwrap().display().to_string();
        let mode = path.metadata().unwrap().permissions().mode() & 0o7777;
        found.push((name, mode, masked(&fs::read_to_string(&path).unwrap())));
    }
    found.sort();
    found
}

fn compare_lines(program: &str, lines: &str) {
    for line in lines.lines() {
        compare(program, &line.split_whitespace().collect::<Vec<_>>());
    }
}

#[test]
fn rndc_confgen_prints_what_binds_prints() {
    compare_lines("rndc-confgen", include_str!("keygen/rndc-confgen"));
    compare("rndc-confgen", &["-k", "a b"]);
    compare("rndc-confgen", &["-k", ""]);
    compare("rndc-confgen", &["-b", ""]);
    compare("rndc-confgen", &["-b", " 12"]);
}

#[test]
fn rndc_confgen_writes_key_files_as_binds_does() {
    let mode = |left: &[(String, u32, String)], name| left.iter().find(|file| file.0 == name).map(|file| file.1);
    assert_eq!(mode(&compare("rndc-confgen", &["-a", "-c", "new"]), "new"), Some(0o600));
    assert_eq!(mode(&compare("rndc-confgen", &["-a", "-c", "there"]), "there"), Some(0o644));
    assert_eq!(mode(&compare("rndc-confgen", &["-a", "-c", "k", "-t", "root"]), "root/k"), Some(0o600));
    for words in ["-a -c there/x", "-a -c root", "-a -c nowhere/x", "-a -c k -u no-such-user", "-a -c k -V -A md5"] {
        compare_lines("rndc-confgen", words);
    }
}

#[test]
fn rndc_confgen_tells_what_it_has_written_before_it_fails() {
    let folder = tempfile::tempdir().unwrap();
    let words = ["-a", "-c", "k", "-t", "nowhere"];
    let (code, stdout, stderr) = outcome(nomd(), &["rndc-confgen"], &words, folder.path());
    assert_eq!((code, stdout.as_str()), (Some(1), "wrote key file \"k\"\n"));
    // BIND's leaves without emptying its buffer; on a terminal the line is there.
    let theirs = outcome("rndc-confgen", &[], &words, folder.path());
    assert_eq!((code, String::new(), stderr), theirs);
}

#[test]
fn tsig_keygen_prints_what_binds_prints() {
    compare_lines("tsig-keygen", include_str!("keygen/tsig-keygen"));
    compare("tsig-keygen", &["a b"]);
    compare("tsig-keygen", &[""]);
}

#[test]
fn ddns_confgen_prints_what_binds_prints() {
    compare_lines("ddns-confgen", include_str!("keygen/ddns-confgen"));
    compare("ddns-confgen", &["-s", ""]);
    compare("ddns-confgen", &["-k", "", "-z", "x"]);
}

#[test]
fn both_checkers_take_the_keys_that_are_made() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("named.conf");
    for algorithm in ["md5", "sha1", "sha224", "sha256", "sha384", "sha512"] {
        let key = run(nomd(), &["tsig-keygen", "-a", algorithm, "k.example"]).stdout;
        fs::write(&path, key + "controls { inet 127.0.0.1 port 9953 allow { any; } keys { k.example; }; };\n").unwrap();
        let verdict = run("named-checkconf", &[path.to_str().unwrap()]);
        assert_eq!((verdict.status, verdict.stdout.as_str()), (0, ""), "{algorithm}");
    }
}
