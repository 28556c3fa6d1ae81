//! Journals beside BIND's programs: what named writes is printed, rewritten, compacted and applied as BIND does it.

use std::collections::BTreeSet;
use std::fmt::Write as _;
use std::fs;
use std::path::Path;
use std::process::{Command, Stdio};

use super::peers::{Kind, Server, Spec, Zone, dig, free_port, nomd};
use super::zones;

const ZONE: &str = "example.com";
/// More than the index of a journal has entries, and of more bytes than the least size of a journal.
const UPDATES: u32 = 70;

/// A primary whose zone has been updated often, stopped: its folder holds file and journal.
fn updated() -> tempfile::TempDir {
    let zone = Zone::primary(ZONE, zones::example(1)).with("allow-update { any; };");
    let server = Server::start(Kind::Bind, &Spec { zones: vec![zone], ..Spec::default() });
    server.wait_for_serial(ZONE, 1);
    let mut lines = format!("server 127.0.0.1 {}\nzone {ZONE}\n", server.port);
    for number in 0..UPDATES {
        let _ = writeln!(lines, "update add w{}.{ZONE} 60 A 192.0.2.{number}", number % 7);
        let _ = writeln!(lines, "update add t.{ZONE} 60 TXT \"number {number}\"\nsend");
    }
    fs::write(server.path("updates"), lines).unwrap();
    let script = fs::File::open(server.path("updates")).unwrap();
    assert!(Command::new("nsupdate").stdin(script).status().unwrap().success());
    // Without a dump: the file stays behind the journal.
    super::peers::signal(server.pid(), "KILL");
    server.stop()
}

/// Runs both programs on copies of a file; gives what they said and what became of the file.
pub(super) fn compare(program: &str, words: &[&str], folder: &Path, journal: &str) {
    let whole = fs::read(folder.join(journal)).unwrap();
    let run = |path: &str, first: &[&str]| {
        let mut command = Command::new(path);
        let output = command.args(first).args(words).current_dir(folder).stdin(Stdio::null()).output().unwrap();
        let left = fs::read(folder.join(journal)).unwrap();
        fs::write(folder.join(journal), &whole).unwrap();
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        (output.status.code(), text(&output.stdout), text(&output.stderr), left)
    };
    let (theirs, ours) = (run(program, &[]), run(nomd(), &[program]));
    assert_eq!((&ours.0, &ours.1, &ours.2), (&theirs.0, &theirs.1, &theirs.2), "{program} {words:?}");
    assert!(ours.3 == theirs.3, "{program} {words:?}: other journals");
}

#[test]
fn journals_of_named_are_printed_rewritten_and_compacted_as_by_bind() {
    let folder = updated();
    let journal = format!("{ZONE}.db.jnl");
    for words in ["", "-x", "-d", "-u", "-du", "-c 71", "-c 40", "-c 2", "-c 1", "-c 99"] {
        let words: Vec<&str> = words.split_whitespace().chain([journal.as_str()]).collect();
        compare("named-journalprint", &words, folder.path(), &journal);
    }
    assert!(Command::new("named-journalprint").args(["-d", &journal]).current_dir(&folder).status().unwrap().success());
    for words in ["-x", "-u", "-c 71"] {
        let words: Vec<&str> = words.split_whitespace().chain([journal.as_str()]).collect();
        compare("named-journalprint", &words, folder.path(), &journal);
    }
}

#[test]
fn wrong_command_lines_and_journals_are_told_as_bind_tells_them() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("junk"), "junk").unwrap();
    for words in ["", "-h", "-q junk", "-c", "-c x junk", "-c 1x junk", "junk junk", "nowhere", "junk", "-d junk"] {
        let words: Vec<&str> = words.split_whitespace().collect();
        compare("named-journalprint", &words, folder.path(), "junk");
    }
}

#[test]
fn checkers_apply_journals_as_bind_does() {
    let folder = updated();
    let (file, journal) = (format!("{ZONE}.db"), format!("{ZONE}.db.jnl"));
    fs::write(folder.path().join("junk"), "junk").unwrap();
    let text = zones::example(71);
    fs::write(folder.path().join("newest"), &text).unwrap();
    fs::write(folder.path().join("newer"), zones::example(90)).unwrap();
    fs::write(folder.path().join("misfit"), format!("{}\nw0.{ZONE}. 50 A 192.0.2.0\n", zones::example(1))).unwrap();
    for words in [
        format!("-j -D {ZONE} {file}"),
        format!("-J nowhere {ZONE} {file}"),
        format!("-J junk {ZONE} {file}"),
        format!("-J {journal} {ZONE} newest"),
        format!("-J {journal} {ZONE} newer"),
        format!("-J {journal} {ZONE} misfit"),
    ] {
        let words: Vec<&str> = ["-i", "local"].into_iter().chain(words.split_whitespace()).collect();
        compare("named-checkzone", &words, folder.path(), &journal);
    }
}

fn secondary(primary: u16, clauses: &str) -> Spec {
    Spec { zones: vec![Zone::secondary(ZONE, primary).with(clauses)], ..Spec::default() }
}

pub(super) fn primary(text: String, clauses: &str) -> Spec {
    Spec { zones: vec![Zone::primary(ZONE, text).with(clauses)], ..Spec::default() }
}

#[test]
fn a_primary_serves_what_the_journal_of_named_leads_to() {
    let server = Server::start_in(Kind::Nomd, &primary(zones::example(1), ""), free_port(), updated());
    server.wait_for_serial(ZONE, 71);
}

/// A journal as named wrote it before its version 9.16.12.
#[test]
fn journals_of_the_old_format_are_replayed_for_primaries_and_secondaries_as_by_named() {
    for kind in [Kind::Bind, Kind::Nomd] {
        let copy = secondary(free_port(), "masterfile-format text;");
        for spec in [primary(zones::example(1), ""), copy] {
            let folder = updated();
            let journal = format!("{ZONE}.db.jnl");
            let mut downgrade = Command::new("named-journalprint");
            assert!(downgrade.args(["-d", &journal]).current_dir(&folder).status().unwrap().success());
            assert!(fs::read(folder.path().join(&journal)).unwrap().starts_with(b";BIND LOG V9\n\0"));
            let server = Server::start_in(kind, &spec, free_port(), folder);
            server.wait_for_serial(ZONE, 71);
            assert_eq!(dig::ask(server.port, &format!("w1.{ZONE}"), "A", &[]).answer.len(), 10, "{kind:?}");
        }
    }
}

#[test]
fn a_primary_whose_file_is_newer_than_its_journal_is_refused_as_by_named() {
    for kind in [Kind::Bind, Kind::Nomd] {
        let server = Server::start_in(kind, &primary(zones::example(90), ""), free_port(), updated());
        server.wait_for_log("zone example.com/IN: journal rollforward failed: journal out of sync with zone");
        server.wait_for_log("zone example.com/IN: not loaded due to errors.");
    }
}

/// A primary that has kept a journal through reloads from serial 1 to 9.
fn reloaded(kind: Kind, clauses: &str) -> Server {
    let server = Server::start(kind, &primary(zones::example(1), &format!("ixfr-from-differences yes; {clauses}")));
    server.wait_for_serial(ZONE, 1);
    change(&server, &[2, 5, 9]);
    server
}

/// Reloads a primary with a version for each of these serials, which has a record that the one before has not.
fn change(server: &Server, serials: &[u32]) {
    for &serial in serials {
        let text = zones::example(serial) + &format!("w{serial}.{ZONE}. 60 A 192.0.2.{serial}\n");
        server.change_zone(ZONE, &text);
        server.reload(ZONE);
        server.wait_for_serial(ZONE, serial);
    }
}

/// Its journal.
fn kept(kind: Kind) -> Vec<u8> {
    let server = reloaded(kind, "");
    server.change_zone(ZONE, &(zones::example(9) + &format!("w.{ZONE}. 60 A 192.0.2.1\n")));
    server.reload(ZONE);
    server.wait_for_log("ixfr-from-differences: new serial (9) out of range [10 - 2147483656]");
    fs::read(server.path("example.com.db.jnl")).unwrap()
}

#[test]
fn the_differences_of_reloads_are_journaled_as_by_named() {
    let [theirs, ours] = [Kind::Bind, Kind::Nomd].map(kept);
    assert!(ours == theirs);
    for kind in [Kind::Bind, Kind::Nomd] {
        let copy = tempfile::tempdir().unwrap();
        fs::write(copy.path().join("example.com.db.jnl"), &ours).unwrap();
        let server = Server::start_in(kind, &primary(zones::example(1), ""), free_port(), copy);
        server.wait_for_serial(ZONE, 9);
    }
}

/// The files of a secondary of named that has followed its primary by IXFR and was killed, both gone now.
fn followed() -> tempfile::TempDir {
    let source = Server::start(Kind::Bind, &primary(zones::example(1), "ixfr-from-differences yes;"));
    source.wait_for_serial(ZONE, 1);
    let server = Server::start(Kind::Bind, &secondary(source.port, ""));
    server.wait_for_serial(ZONE, 1);
    let copy = server.path("example.com.db");
    server.wait_until("the copy is on disk", || copy.exists());
    source.change_zone(ZONE, &zones::example(2));
    source.reload(ZONE);
    source.wait_for_serial(ZONE, 2);
    server.refresh(ZONE);
    server.wait_for_serial(ZONE, 2);
    super::peers::signal(server.pid(), "KILL");
    server.stop()
}

#[test]
fn a_secondary_serves_what_the_journal_of_named_leads_to_while_the_primary_is_dead() {
    let server = Server::start_in(Kind::Nomd, &secondary(free_port(), ""), free_port(), followed());
    server.wait_for_serial(ZONE, 2);
}

#[test]
fn a_damaged_journal_of_a_secondary_is_put_aside_and_the_copy_served() {
    let folder = followed();
    let path = folder.path().join("example.com.db.jnl");
    let whole = fs::read(&path).unwrap();
    fs::write(&path, &whole[..whole.len() - 5]).unwrap();
    let server = Server::start_in(Kind::Nomd, &secondary(free_port(), ""), free_port(), folder);
    server.wait_for_serial(ZONE, 1);
    let log = server.settled_log();
    assert_eq!(log.matches("journal open failed: ").count(), 1, "{log}");
    assert!(log.contains("example.com.db.jnl'; renaming file to '"), "{log}");
    let aside = fs::read_dir(server.path("")).unwrap().map(|entry| entry.unwrap().file_name());
    assert!(aside.into_iter().any(|name| name.to_string_lossy().starts_with("jn-")));
}

/// The answer section of a request for differences, in order.
fn ixfr(server: &Server, from: u32, words: &[&str]) -> Vec<String> {
    let question = format!("IXFR={from}");
    let words = [&[ZONE, question.as_str(), "+noall", "+answer", "+nocmd"], words].concat();
    let text = dig::dig(server.port, &words).stdout;
    text.lines().filter(|line| line.contains("\tIN\t")).map(str::to_owned).collect()
}

#[test]
fn differences_are_handed_out_as_by_named() {
    let [theirs, ours] = [Kind::Bind, Kind::Nomd].map(|kind| reloaded(kind, "max-ixfr-ratio unlimited;"));
    for from in [5, 9, 10] {
        assert_eq!(ixfr(&ours, from, &["+tcp"]), ixfr(&theirs, from, &["+tcp"]), "from {from}");
    }
    assert_eq!(ixfr(&ours, 1, &["+notcp"]), ixfr(&theirs, 1, &["+notcp"]));
    for server in [&theirs, &ours] {
        server.wait_for_log("transfer of 'example.com/IN': IXFR started (serial 5 -> 9)");
        server.wait_for_log("transfer of 'example.com/IN': IXFR ended: 1 messages, ");
    }
}

/// What differences come to: which records go, and which come.
fn net(lines: &[String]) -> [BTreeSet<&str>; 2] {
    let ([mut gone, mut come], mut is_addition) = ([BTreeSet::new(), BTreeSet::new()], true);
    for line in &lines[1..lines.len() - 1] {
        if line.contains("\tSOA\t") {
            is_addition = !is_addition;
            continue;
        }
        let (to, from) = if is_addition { (&mut come, &mut gone) } else { (&mut gone, &mut come) };
        if !from.remove(line.as_str()) {
            to.insert(line.as_str());
        }
    }
    [gone, come]
}

#[test]
fn what_comes_and_goes_between_two_versions_is_left_out_of_their_differences() {
    let [theirs, ours] = [Kind::Bind, Kind::Nomd].map(|kind| reloaded(kind, "max-ixfr-ratio unlimited;"));
    for (from, records) in [(1, 7), (2, 8)] {
        let (theirs, ours) = (ixfr(&theirs, from, &["+tcp"]), ixfr(&ours, from, &["+tcp"]));
        assert_eq!(ours.len(), records, "{ours:#?}");
        assert_eq!(net(&ours), net(&theirs), "from {from}");
    }
}

#[test]
fn secondaries_follow_differences_over_several_versions() {
    let clauses = "ixfr-from-differences yes; notify no; max-ixfr-ratio unlimited;";
    let source = Server::start(Kind::Nomd, &primary(zones::example(1), clauses));
    source.wait_for_serial(ZONE, 1);
    let servers = [Kind::Bind, Kind::Nomd].map(|kind| Server::start(kind, &secondary(source.port, "")));
    servers.iter().for_each(|server| server.wait_for_serial(ZONE, 1));
    change(&source, &[2, 5, 9]);
    for server in servers {
        server.refresh(ZONE);
        server.wait_for_serial(ZONE, 9);
        assert_eq!(dig::transfer(server.port, ZONE, None), dig::transfer(source.port, ZONE, None));
    }
    assert_eq!(source.settled_log().matches("IXFR started (serial 1 -> 9)").count(), 2);
}

#[test]
fn the_whole_zone_is_sent_where_differences_may_not_or_cannot_be() {
    let whole = |server: &Server, from| {
        let records = ixfr(server, from, &["+tcp"]);
        records.iter().filter(|line| line.contains("\tSOA\t")).count() == 2 && records.len() > 5
    };
    for kind in [Kind::Bind, Kind::Nomd] {
        let server = reloaded(kind, "");
        assert!(whole(&server, 3), "{kind:?}");
        server.wait_for_log("transfer of 'example.com/IN': AXFR-style IXFR started (serial 9)");
        server.wait_for_log("IXFR version not in journal, falling back to AXFR");
        let server = reloaded(kind, "max-ixfr-ratio 1%;");
        assert!(whole(&server, 1), "{kind:?}");
        server.wait_for_log(
            "IXFR delta size (852 bytes) exceeds the maximum ratio to database size (822 bytes), falling back to AXFR",
        );
        let server = Server::start_in(kind, &refusing(), free_port(), reloaded(kind, "").stop());
        server.wait_for_serial(ZONE, 9);
        assert!(whole(&server, 5), "{kind:?}");
    }
}

/// A primary that hands out no differences.
fn refusing() -> Spec {
    let text = zones::example(9) + &format!("w9.{ZONE}. 60 A 192.0.2.9\n");
    let zone = Zone::primary(ZONE, text).with("ixfr-from-differences yes;");
    Spec { zones: vec![zone], options: "provide-ixfr no;".into(), ..Spec::default() }
}

#[test]
fn a_secondary_of_named_follows_nomd_by_differences() {
    let source = Server::start(Kind::Nomd, &primary(zones::example(1), "ixfr-from-differences yes;"));
    source.wait_for_serial(ZONE, 1);
    let server = Server::start(Kind::Bind, &secondary(source.port, ""));
    server.wait_for_serial(ZONE, 1);
    for serial in 2..6 {
        source.change_zone(ZONE, &(zones::example(serial) + &format!("w{serial}.{ZONE}. 60 A 192.0.2.{serial}\n")));
        source.reload(ZONE);
        source.wait_for_serial(ZONE, serial);
        server.refresh(ZONE);
        server.wait_for_serial(ZONE, serial);
        source.wait_for_log(&format!("IXFR started (serial {} -> {serial})", serial - 1));
    }
    assert_eq!(dig::transfer(server.port, ZONE, None), dig::transfer(source.port, ZONE, None));
}

#[test]
fn a_journal_of_reloads_is_kept_within_its_limit_as_by_named() {
    let journals = [Kind::Bind, Kind::Nomd].map(|kind| {
        let clauses = "ixfr-from-differences yes; max-journal-size 4k;";
        let server = Server::start(kind, &primary(zones::example(1), clauses));
        server.wait_for_serial(ZONE, 1);
        for serial in 2..14 {
            let records = (0..20).map(|host| format!("w{host}.{ZONE}. 60 A 192.0.2.{serial}\n"));
            server.change_zone(ZONE, &(zones::example(serial) + &records.collect::<String>()));
            server.reload(ZONE);
            server.wait_for_serial(ZONE, serial);
        }
        fs::read(server.path("example.com.db.jnl")).unwrap()
    });
    assert!(journals[0].len() < 8000, "{}", journals[0].len());
    assert!(journals[0] == journals[1], "{} {}", journals[0].len(), journals[1].len());
}

#[test]
fn a_secondary_journals_the_differences_of_transfers_where_that_is_asked_for() {
    let source = Server::start(Kind::Bind, &primary(zones::example(1), ""));
    source.wait_for_serial(ZONE, 1);
    let spec = secondary(source.port, "ixfr-from-differences yes;");
    let server = Server::start(Kind::Nomd, &spec);
    server.wait_for_serial(ZONE, 1);
    for serial in [2, 3] {
        source.change_zone(ZONE, &(zones::example(serial) + &format!("w{serial}.{ZONE}. 60 A 192.0.2.{serial}\n")));
        source.reload(ZONE);
        source.wait_for_serial(ZONE, serial);
        server.refresh(ZONE);
        server.wait_for_serial(ZONE, serial);
    }
    assert_eq!(ixfr(&server, 2, &["+tcp"]).iter().filter(|line| line.contains("\tSOA\t")).count(), 4);
    let server = Server::start_in(Kind::Bind, &spec, free_port(), server.stop());
    server.wait_for_serial(ZONE, 3);
    assert!(!server.log().contains("journal rollforward failed"));
}
