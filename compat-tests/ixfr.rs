//! Differences on their way in: a secondary follows by IXFR, keeps them in its journal, and survives what does not fit.

use std::fs;

use tempfile::TempDir;

use super::peers::{Kind, Server, Spec, Zone, dig, free_port, signal};
use super::zones;

const ZONE: &str = "example.com";

/// Its last version as a secondary has it in these tests.
const LAST: u32 = 5;

fn version(serial: u32) -> String {
    zones::example(serial) + &format!("w{serial}.{ZONE}. 60 A 192.0.2.{serial}\n")
}

fn primary(text: String) -> Spec {
    let zone = Zone::primary(ZONE, text).with("ixfr-from-differences yes; max-ixfr-ratio unlimited;");
    Spec { zones: vec![zone], ..Spec::default() }
}

fn secondary(port: u16, clauses: &str) -> Spec {
    Spec { zones: vec![Zone::secondary(ZONE, port).with(clauses)], ..Spec::default() }
}

/// A primary and a secondary that has followed it from serial 1 to the last.
fn followed(source: Kind, copy: Kind, clauses: &str) -> (Server, Server) {
    let from = Server::start(source, &primary(version(1)));
    from.wait_for_serial(ZONE, 1);
    let to = Server::start(copy, &secondary(from.port, clauses));
    to.wait_for_serial(ZONE, 1);
    let file = to.path("example.com.db");
    to.wait_until("the copy is on disk", || file.exists());
    for serial in 2..=LAST {
        follow(&from, &to, serial);
    }
    assert_eq!(dig::transfer(to.port, ZONE, None), dig::transfer(from.port, ZONE, None), "{source:?} {copy:?}");
    (from, to)
}

fn follow(from: &Server, to: &Server, serial: u32) {
    from.change_zone(ZONE, &version(serial));
    from.reload(ZONE);
    from.wait_for_serial(ZONE, serial);
    to.rndc(&["refresh", ZONE]);
    to.wait_for_serial(ZONE, serial);
}

/// The folder of a secondary that is killed, its primary gone as well.
fn killed(copy: Kind) -> TempDir {
    let (_from, to) = followed(Kind::Bind, copy, "");
    signal(to.pid(), "KILL");
    to.stop()
}

/// What the lines at the end of transfers say before the time that they took.
fn completed(server: &Server) -> Vec<String> {
    let log = server.log();
    let lines = log.lines().filter_map(|line| line.split_once("Transfer completed: "));
    lines.filter_map(|(_, rest)| rest.rsplit_once(" bytes,")).map(|(counts, _)| counts.to_owned()).collect()
}

#[test]
fn a_secondary_follows_by_differences_as_named_does() {
    let [theirs, ours] = [Kind::Bind, Kind::Nomd].map(|kind| followed(Kind::Bind, kind, ""));
    assert_eq!(completed(&ours.1), completed(&theirs.1));
    let [theirs, ours] = [theirs, ours].map(|(_, server)| {
        signal(server.pid(), "KILL");
        let folder = server.stop();
        fs::read(folder.path().join("example.com.db.jnl")).unwrap()
    });
    assert!(ours == theirs, "other journals");
}

#[test]
fn differences_come_from_nomd_too() {
    let (from, _) = followed(Kind::Nomd, Kind::Nomd, "");
    from.wait_for_log("IXFR started (serial 4 -> 5)");
}

#[test]
fn what_was_served_is_served_again_after_a_crash_by_nomd_and_named() {
    for (before, after) in [(Kind::Nomd, Kind::Nomd), (Kind::Nomd, Kind::Bind), (Kind::Bind, Kind::Nomd)] {
        let server = Server::start_in(after, &secondary(free_port(), ""), free_port(), killed(before));
        server.wait_for_serial(ZONE, LAST);
        assert!(!server.log().contains("journal rollforward failed"), "{before:?} {after:?}");
    }
}

#[test]
fn a_server_that_is_stopped_leaves_a_whole_file() {
    let (_from, mut server) = followed(Kind::Bind, Kind::Nomd, "");
    server.rndc(&["stop"]);
    assert_eq!(server.wait_for_end(), 0);
    let folder = server.stop();
    fs::remove_file(folder.path().join("example.com.db.jnl")).unwrap();
    let server = Server::start_in(Kind::Nomd, &secondary(free_port(), ""), free_port(), folder);
    server.wait_for_serial(ZONE, LAST);
}

#[test]
fn sync_writes_the_file_and_clean_removes_the_journal() {
    for kind in [Kind::Bind, Kind::Nomd] {
        let (_from, to) = followed(Kind::Bind, kind, "");
        let journal = to.path("example.com.db.jnl");
        to.rndc(&["sync", ZONE]);
        assert!(journal.exists(), "{kind:?}");
        to.rndc(&["sync", "-clean", ZONE]);
        to.wait_until("the journal is gone", || !journal.exists());
        signal(to.pid(), "KILL");
        let server = Server::start_in(kind, &secondary(free_port(), ""), free_port(), to.stop());
        server.wait_for_serial(ZONE, LAST);
    }
}

/// A primary that has other contents under the same serial, and then what makes no sense without them.
#[test]
fn differences_that_do_not_fit_are_followed_by_the_whole_zone_at_once() {
    let (from, to) = followed(Kind::Bind, Kind::Nomd, "");
    let port = from.port;
    let folder = from.stop();
    fs::remove_file(folder.path().join("example.com.db.jnl")).unwrap();
    let text = version(LAST) + &format!("other.{ZONE}. 60 A 192.0.2.99\n");
    let from = Server::start_in(Kind::Bind, &primary(text), port, folder);
    from.wait_for_serial(ZONE, LAST);
    follow(&from, &to, LAST + 1);
    to.wait_for_log("failed while receiving responses: not exact");
    to.wait_for_log("retrying with AXFR due to previous IXFR failure");
    assert_eq!(dig::transfer(to.port, ZONE, None), dig::transfer(from.port, ZONE, None));
    // The journal led to another version.
    signal(to.pid(), "KILL");
    let server = Server::start_in(Kind::Bind, &secondary(free_port(), ""), free_port(), to.stop());
    server.wait_for_serial(ZONE, LAST + 1);
}

#[test]
fn differences_are_not_asked_for_where_the_configuration_says_so() {
    for clauses in ["request-ixfr no;", "ixfr-from-differences yes; request-ixfr no;"] {
        let (from, _to) = followed(Kind::Bind, Kind::Nomd, clauses);
        let log = from.log();
        assert!(log.contains("AXFR started") && !log.contains("IXFR started"), "{log}");
    }
}
