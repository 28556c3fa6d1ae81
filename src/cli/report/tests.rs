//! Hosts of `testdata/report`: each a root directory, who owns what in it, and the report as page and as JSON.

use std::fs;
use std::path::{Path, PathBuf};

use super::host::Attributes;
use super::*;

/// What `root` owns in a fixture, if nothing else is said.
const FILE_MODE: u32 = 0o100_644;
const DIRECTORY_MODE: u32 = 0o040_755;

fn folder(name: &str) -> PathBuf {
    Path::new("testdata/report").join(name)
}

/// A host of the fixtures. Git keeps neither owners nor most modes, so they stand beside it.
fn host(name: &str) -> Host {
    let root = folder(name).join("root");
    let mut host = Host::new(&root);
    state_all(&root, Path::new("/"), &mut host);
    let modes = fs::read_to_string(folder(name).join("modes")).unwrap();
    for line in modes.lines().filter(|line| !line.starts_with('#')) {
        let [mode, uid, gid, path] = line.split(' ').collect::<Vec<_>>()[..] else { panic!("{line}") };
        let mode = u32::from_str_radix(mode, 8).unwrap();
        let attributes = Attributes { mode, uid: uid.parse().unwrap(), gid: gid.parse().unwrap() };
        host.stated.insert(path.into(), attributes);
        for above in Path::new(path).ancestors().skip(1) {
            let open = Attributes { mode: DIRECTORY_MODE, uid: 0, gid: 0 };
            host.stated.entry(above.to_owned()).or_insert(open);
        }
    }
    host
}

fn state_all(root: &Path, path: &Path, host: &mut Host) {
    let on_disk = root.join(path.strip_prefix("/").unwrap());
    let is_directory = fs::symlink_metadata(&on_disk).unwrap().is_dir();
    let mode = if is_directory { DIRECTORY_MODE } else { FILE_MODE };
    host.stated.insert(path.to_owned(), Attributes { mode, uid: 0, gid: 0 });
    for entry in fs::read_dir(on_disk).into_iter().flatten() {
        state_all(root, &path.join(entry.unwrap().file_name()), host);
    }
}

fn report_of(name: &str, flags: &Flags) -> Report {
    report(flags, &host(name)).unwrap_or_else(|fault| panic!("{name}: {fault}"))
}

/// Compares with a file, or writes it where BLESS is set.
fn expect(path: &Path, said: &str) {
    if std::env::var_os("BLESS").is_some() {
        fs::write(path, said).unwrap();
    }
    let expected = fs::read_to_string(path).unwrap_or_default();
    assert!(said == expected, "{} differs; this was said:\n{said}", path.display());
}

fn expect_report(name: &str, exit_code: u8) {
    expect_report_with(name, &Flags::default(), exit_code);
}

fn expect_report_with(name: &str, flags: &Flags, exit_code: u8) {
    let report = report_of(name, flags);
    expect(&folder(name).join("report.txt"), &text::render(&report));
    expect(&folder(name).join("report.json"), &json::render(&report));
    assert_eq!(report.exit_code(), exit_code, "{name}");
}

#[test]
fn a_plain_secondary_is_ready() {
    expect_report("secondary", READY);
}

#[test]
fn the_stock_package_is_a_resolver_and_lets_anybody_transfer() {
    expect_report("stock", WARNINGS);
}

#[test]
fn a_busy_host_is_told_what_to_do_line_by_line() {
    expect_report("busy", STOPPED);
}

#[test]
fn a_server_in_a_chroot_is_looked_at_within_it() {
    expect_report("chroot", WARNINGS);
}

#[test]
fn a_host_without_a_service_is_told_of_by_its_flags() {
    let file = Some("/usr/local/etc/namedb/named.conf".into());
    expect_report_with("freebsd", &Flags { file, user: Some("bind".to_owned()), ..Flags::default() }, STOPPED);
}

#[test]
fn what_is_tolerated_does_not_stop() {
    let names = "allow-new-zones,response-policy,dnssec-policy,inline-signing,geoip";
    let flags = Flags { tolerate: vec![names.to_owned(), "type-forward".to_owned()], ..Flags::default() };
    let report = report_of("busy", &flags);
    let statements = &report.sections[1].findings;
    assert!(statements.iter().all(|finding| finding.level != Level::Stop), "{}", text::render(&report));
    assert_eq!(statements.iter().filter(|finding| finding.code == "tolerated").count(), 6);
}

#[test]
fn another_account_is_looked_at_if_it_is_named() {
    let flags = Flags { user: Some("root".to_owned()), ..Flags::default() };
    assert!(!text::render(&report_of("busy", &flags)).contains("no right to"));
    let flags = Flags { user: Some("nobody".to_owned()), ..Flags::default() };
    let fault = report(&flags, &host("busy")).err().unwrap();
    assert!(fault.to_string().starts_with("nomd report: no account is called 'nobody'"), "{fault}");
}

#[test]
fn what_named_would_not_take_either_is_no_report() {
    let flags = Flags { file: Some("/etc/passwd".into()), ..Flags::default() };
    let fault = report(&flags, &host("stock")).err().unwrap().to_string();
    assert!(fault.starts_with("/etc/passwd:1: ") && fault.contains("named would not take it either"), "{fault}");
}

/// Scripts go by the codes, so each has its line in the manual.
#[test]
fn every_code_stands_in_the_manual() {
    let manual = include_str!("../../../man/nomd-report.1");
    let listed: Vec<&str> = manual.lines().filter_map(|line| line.strip_prefix(".It Li ")).collect();
    let listed: Vec<&str> = listed.iter().flat_map(|line| line.split(" , ")).collect();
    for name in ["stock", "busy", "chroot"] {
        let report = report_of(name, &Flags::default());
        for finding in report.sections.iter().flat_map(|section| &section.findings) {
            assert!(listed.contains(&finding.code), "{}", finding.code);
        }
    }
}

/// Ten thousand zones are a page all the same.
#[test]
fn many_zones_make_no_longer_page() {
    const ZONES: usize = 10_000;
    const MAX_LINES: usize = 60;
    let folder = tempfile::tempdir().unwrap();
    let zone = |at| format!("zone z{at}.example {{ type primary; file \"/etc/bind/z{at}\"; inline-signing yes; }};\n");
    fs::create_dir_all(folder.path().join("etc/bind")).unwrap();
    fs::write(folder.path().join("etc/bind/named.conf"), (0..ZONES).map(zone).collect::<String>()).unwrap();
    fs::write(folder.path().join("etc/passwd"), "root:x:0:0:root:/root:/bin/sh\n").unwrap();
    let report = report(&Flags::default(), &Host::new(folder.path())).unwrap_or_else(|fault| panic!("{fault}"));
    let page = text::render(&report);
    assert!(page.lines().count() < MAX_LINES, "{page}");
    assert!(page.contains("10000 zones: z0.example, z1.example, z2.example, z3.example and 9996 more"), "{page}");
}
