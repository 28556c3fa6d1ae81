//! `--zonemd` beside the tools of ldns: what one makes of a zone, the other finds true.

use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use crate::peers::nomd;

/// Names in capitals wherever canonical form folds them, glue, a delegation, an alias of a tree, a record twice.
const ZONE: &str = "\
$ORIGIN ex.test.
$TTL 300
@ SOA ns1 h 1 2 3 4 5
@ NS Ns1
ns1 A 192.0.2.1
Sub NS NS.Sub
ns.SUB A 192.0.2.4
*.Wild TXT \"Case Of Text Stays\"
mail MX 10 MAIL.Ex.Test.
mail MX 9 mail2.Ex.Test.
srv SRV 1 2 3 SRV.Ex.Test.
rp RP A.B C.D
naptr NAPTR 1 2 \"\" \"\" \"\" X.Y.
kx KX 1 Kx
af AFSDB 1 Af
rt RT 1 RT
px PX 1 P.X X.P
dn DNAME Other.Example.
svcb SVCB 1 Svc.Example.
twice A 192.0.2.7
twice A 192.0.2.7
";

/// Exit code and both streams of a program.
fn run(program: &str, words: &str, folder: &Path) -> (Option<i32>, String) {
    let mut command = Command::new(program);
    let output = command.args(words.split_whitespace()).current_dir(folder).stdin(Stdio::null()).output().unwrap();
    let text = String::from_utf8_lossy(&[output.stdout, output.stderr].concat()).into_owned();
    (output.status.code(), text)
}

fn run_well(program: &str, words: &str, folder: &Path) -> String {
    let (code, text) = run(program, words, folder);
    assert_eq!(code, Some(0), "{program} {words}: {text}");
    text
}

fn verify(file: &str, folder: &Path) -> (Option<i32>, String) {
    run(nomd(), &format!("named-checkzone -i none --zonemd verify ex.test {file}"), folder)
}

/// A folder with the zone in it, and the names of two keys.
fn folder() -> (tempfile::TempDir, String) {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("zone"), ZONE).unwrap();
    let key = |flag| run_well("ldns-keygen", &format!("{flag} -a ECDSAP256SHA256 ex.test"), folder.path());
    let keys = format!("{} {}", key("").trim(), key("-k").trim());
    (folder, keys)
}

#[test]
fn what_ldns_computes_is_verified() {
    let (folder, keys) = folder();
    for flags in ["-Z -z sha384", "-Z -z sha512", "-z sha384", "-n -z sha512", "-n -p -z sha384 -z sha512"] {
        let keys = if flags.contains("-Z") { "" } else { &keys };
        run_well("ldns-signzone", &format!("{flags} -f made zone {keys}"), folder.path());
        let (code, text) = verify("made", folder.path());
        assert!(code == Some(0) && text.contains(": ZONEMD verified: SHA-"), "{flags}: {text}");
        let made = fs::read_to_string(folder.path().join("made")).unwrap();
        fs::write(folder.path().join("changed"), made.replace("192.0.2.4", "192.0.2.5")).unwrap();
        let (code, text) = verify("changed", folder.path());
        assert!(code == Some(1) && text.contains("ZONEMD not verified: digest mismatch"), "{flags}: {text}");
    }
}

#[test]
fn ldns_verifies_what_is_computed() {
    let (folder, keys) = folder();
    for compute in ["compute", "compute=sha384", "compute=sha512", "compute=sha512,sha384"] {
        let words = format!("named-compilezone -i none --zonemd {compute} -o made ex.test zone");
        assert!(run_well(nomd(), &words, folder.path()).contains("ZONEMD computed, serial 1\n"));
        run_well("ldns-verify-zone", "-Z made", folder.path());
        for flags in ["", "-n"] {
            run_well("ldns-signzone", &format!("{flags} -z sha384 -f signed zone {keys}"), folder.path());
            let words = format!("named-compilezone -i none --zonemd {compute} -o made ex.test signed");
            run_well(nomd(), &words, folder.path());
            run_well("ldns-verify-zone", "-ZZZ made", folder.path());
        }
    }
}

#[test]
fn the_serial_of_a_record_left_behind_is_told() {
    let (folder, _) = folder();
    run_well("ldns-signzone", "-Z -z sha384 -f made zone", folder.path());
    let made = fs::read_to_string(folder.path().join("made")).unwrap();
    fs::write(folder.path().join("next"), made.replace(" 1 2 3 4 5", " 2 2 3 4 5")).unwrap();
    let expected = "zone ex.test/IN: loaded serial 2\nzone ex.test/IN: ZONEMD not verified: serial mismatch: the ZONEMD \
                    record is for 1, the SOA serial is 2\n";
    assert_eq!(verify("next", folder.path()), (Some(1), expected.to_owned()));
}

#[test]
fn a_signed_zone_without_a_record_gets_none() {
    let (folder, keys) = folder();
    run_well("ldns-signzone", &format!("-f signed zone {keys}"), folder.path());
    let words = "named-compilezone -i none --zonemd compute -o made ex.test signed";
    let (code, text) = run(nomd(), words, folder.path());
    assert!(
        code == Some(1) && text.contains("ZONEMD not computed: the zone is signed without a ZONEMD record"),
        "{text}"
    );
    assert!(!folder.path().join("made").exists());
}

#[test]
fn wrong_words_are_told() {
    let (folder, _) = folder();
    for (words, told) in [
        ("--zonemd compute ex.test zone", "--zonemd compute needs -D or -o\n"),
        ("--zonemd compute=md5 -D ex.test zone", "invalid argument to --zonemd: compute=md5\n"),
        ("--zonemd= ex.test zone", "invalid argument to --zonemd: \n"),
    ] {
        assert_eq!(run(nomd(), &format!("named-checkzone {words}"), folder.path()), (Some(1), told.to_owned()));
    }
}
