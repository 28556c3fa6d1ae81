//! Differences on their way in: a secondary follows by IXFR, keeps them in its journal, and survives what does not fit.

use std::fs;
use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use tempfile::TempDir;

use super::peers::listener::{Listener, honest};
use super::peers::{Kind, Server, Spec, Zone, dig, free_port, signal};
use super::zones;

pub(super) const ZONE: &str = "example.com";

/// Its last version as a secondary has it in these tests.
pub(super) const LAST: u32 = 5;

pub(super) fn version(serial: u32) -> String {
    zones::example(serial) + &format!("w{serial}.{ZONE}. 60 A 192.0.2.{serial}\n")
}

pub(super) fn primary(text: String) -> Spec {
    let zone = Zone::primary(ZONE, text).with("ixfr-from-differences yes; max-ixfr-ratio unlimited;");
    Spec { zones: vec![zone], ..Spec::default() }
}

pub(super) fn secondary(port: u16, clauses: &str) -> Spec {
    Spec { zones: vec![Zone::secondary(ZONE, port).with(clauses)], ..Spec::default() }
}

/// A primary and a secondary that has followed it from serial 1 to the last.
pub(super) fn followed(source: Kind, copy: Kind, clauses: &str) -> (Server, Server) {
    followed_from(Server::start(source, &primary(version(1))), copy, clauses)
}

fn followed_from(from: Server, copy: Kind, clauses: &str) -> (Server, Server) {
    from.wait_for_serial(ZONE, 1);
    let to = Server::start(copy, &secondary(from.port, clauses));
    to.wait_for_serial(ZONE, 1);
    let file = to.path("example.com.db");
    to.wait_until("the copy is on disk", || file.exists());
    for serial in 2..=LAST {
        follow(&from, &to, serial);
    }
    assert_eq!(dig::transfer(to.port, ZONE, None), dig::transfer(from.port, ZONE, None), "{copy:?}");
    (from, to)
}

pub(super) fn follow(from: &Server, to: &Server, serial: u32) {
    from.change_zone(ZONE, &version(serial));
    from.reload(ZONE);
    from.wait_for_serial(ZONE, serial);
    to.refresh(ZONE);
    to.wait_for_serial(ZONE, serial);
}

/// The folder of a secondary that is killed, its primary gone as well.
pub(super) fn killed(copy: Kind) -> TempDir {
    let (_from, to) = followed(Kind::Bind, copy, "");
    signal(to.pid(), "KILL");
    to.stop()
}

/// What the lines at the end of transfers say before the time that they took.
fn completed(server: &Server) -> Vec<String> {
    server.wait_until_idle();
    let log = server.settled_log();
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

/// A primary without history answers with the whole zone.
#[test]
fn what_changed_in_a_small_zone_that_came_whole_is_served_again_after_a_crash_by_nomd_and_named() {
    let whole = Spec { zones: vec![Zone::primary(ZONE, version(1))], ..Spec::default() };
    for after in [Kind::Nomd, Kind::Bind] {
        let (from, to) = followed_from(Server::start(Kind::Bind, &whole), Kind::Nomd, "");
        assert!(to.path("example.com.db.jnl").exists());
        let contents = dig::transfer(from.port, ZONE, None);
        signal(to.pid(), "KILL");
        let server = Server::start_in(after, &secondary(free_port(), ""), free_port(), to.stop());
        server.wait_for_serial(ZONE, LAST);
        assert_eq!(dig::transfer(server.port, ZONE, None), contents, "{after:?}");
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
    let from = replaced(from, LAST, version(LAST) + &format!("other.{ZONE}. 60 A 192.0.2.99\n"));
    follow(&from, &to, LAST + 1);
    to.wait_for_log("failed while receiving responses: not exact");
    to.wait_for_log("Transfer status: IXFR failed");
    assert_eq!(dig::transfer(to.port, ZONE, None), dig::transfer(from.port, ZONE, None));
    // The journal led to another version.
    signal(to.pid(), "KILL");
    let server = Server::start_in(Kind::Bind, &secondary(free_port(), ""), free_port(), to.stop());
    server.wait_for_serial(ZONE, LAST + 1);
}

/// A primary of other contents under this serial, in the place of the one that there was.
pub(super) fn replaced(from: Server, serial: u32, text: String) -> Server {
    let (port, folder) = (from.port, from.stop());
    fs::remove_file(folder.path().join("example.com.db.jnl")).unwrap();
    let from = Server::start_in(Kind::Bind, &primary(text), port, folder);
    from.wait_for_serial(ZONE, serial);
    from
}

#[test]
fn a_zone_that_comes_whole_takes_the_journal_away_as_with_named() {
    for kind in [Kind::Bind, Kind::Nomd] {
        let (_from, to) = followed(Kind::Bind, kind, "");
        let journal = to.path("example.com.db.jnl");
        assert!(journal.exists(), "{kind:?}");
        to.wait_until_idle();
        assert_eq!(to.rndc(&["retransfer", ZONE]).status, 0);
        to.wait_until("the journal is gone", || !journal.exists());
        to.wait_for_serial(ZONE, LAST);
    }
}

/// A primary that says 6 when it is asked for its serial, and then sends version 4, which nomd never takes.
#[test]
fn a_zone_that_comes_whole_and_is_older_is_refused_where_differences_are_to_be_kept_as_by_named() {
    let by_named = "ixfr-from-differences: failed: new serial (4) out of range [6 - 2147483652]";
    for (kind, refusal) in [(Kind::Bind, by_named), (Kind::Nomd, "serial 4 is older than ours (5)")] {
        let told = Arc::new(AtomicU32::new(5));
        let tells = Arc::clone(&told);
        let primary = Listener::start((Ipv4Addr::LOCALHOST, free_port()).into(), move |heard| {
            let told = tells.load(Ordering::SeqCst);
            honest(heard, if heard.request.is_transfer() && told > 5 { 4 } else { told })
        });
        let clauses = "ixfr-from-differences yes; request-ixfr no;";
        let to = Server::start(kind, &secondary(primary.address.port(), clauses));
        to.wait_for_serial(ZONE, 5);
        told.store(6, Ordering::SeqCst);
        to.refresh(ZONE);
        to.wait_for_log(refusal);
        assert_eq!(dig::serial(to.port, ZONE), Some(5), "{kind:?}");
    }
}

#[test]
fn differences_are_not_asked_for_where_the_configuration_says_so() {
    for clauses in ["request-ixfr no;", "ixfr-from-differences yes; request-ixfr no;"] {
        let (from, _to) = followed(Kind::Bind, Kind::Nomd, clauses);
        let log = from.settled_log();
        assert!(log.contains("AXFR started") && !log.contains("IXFR started"), "{log}");
    }
}
