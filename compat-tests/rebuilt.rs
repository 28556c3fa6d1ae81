//! Primaries that were built anew and start again with an old serial, or with the same one: what `rndc retransfer` brings
//! from them stays, and what was before is not handed out again, not even where the disk is full or read-only when it
//! comes.

use std::fs;

use super::faults::disk::Small;
use super::ixfr::{self, LAST, ZONE};
use super::peers::{Kind, Server, Spec, dig, free_port, signal};
use super::zones;

/// Where the copy is.
const COPY: &str = "small/copy";
const JOURNAL: &str = "small/copy.jnl";

/// What the new primary has, which is too much for what room a removed copy leaves.
fn rebuilt(serial: u32) -> String {
    let name = |number| format!("rebuilt{number}.{ZONE}. 60 TXT \"{}\"\n", "x".repeat(200));
    zones::example(serial) + &(0..35).map(name).collect::<String>()
}

fn is_rebuilt(server: &Server) -> bool {
    dig::ask(server.port, &format!("rebuilt1.{ZONE}"), "TXT", &[]).status == "NOERROR"
}

fn secondary(port: u16) -> Spec {
    let clauses = format!("file \"{COPY}\"; journal \"{JOURNAL}\"; primaries {{ 127.0.0.1 port {port}; }};");
    let statements = format!("zone {ZONE} {{ type secondary; {clauses} }};\n");
    Spec { statements, ..Spec::default() }
}

/// Who has the first version is told of what is served.
fn check_differences(server: &Server, kind: Kind, serial: u32) {
    let told = dig::dig(server.port, &[ZONE, "IXFR=1"]).stdout;
    assert!(told.contains("rebuilt1."), "{kind:?}, serial {serial}: {told}");
}

/// A secondary whose file system was spoilt when it fetched the zone from the new primary.
fn refused(kind: Kind, serial: u32, spoil: impl FnOnce(&Small)) -> (Server, Server, Small) {
    let folder = tempfile::tempdir().unwrap();
    let small = Small::mount(&folder.path().join("small"));
    let from = Server::start(Kind::Bind, &ixfr::primary(ixfr::version(1)));
    from.wait_for_serial(ZONE, 1);
    let to = Server::start_in(kind, &secondary(from.port), free_port(), folder);
    to.wait_until("the copy is on disk", || to.path(COPY).exists());
    (2..=LAST).for_each(|serial| ixfr::follow(&from, &to, serial));
    let from = ixfr::replaced(from, serial, rebuilt(serial));
    spoil(&small);
    assert_eq!(to.rndc(&["retransfer", ZONE]).status, 0);
    to.wait_until("it is served", || is_rebuilt(&to));
    check_differences(&to, kind, serial);
    (from, to, small)
}

#[test]
fn what_was_before_does_not_come_back_after_a_crash() {
    for (kind, serial) in [(Kind::Bind, 2), (Kind::Nomd, 2), (Kind::Bind, LAST), (Kind::Nomd, LAST)] {
        let (from, to, small) = refused(kind, serial, Small::fill);
        signal(to.pid(), "KILL");
        small.clear();
        let to = Server::start_in(kind, &secondary(from.port), free_port(), to.stop());
        to.rndc(&["refresh", ZONE]);
        to.wait_until("the new primary's zone is served", || is_rebuilt(&to));
        assert_eq!(dig::serial(to.port, ZONE), Some(serial), "{kind:?}");
        check_differences(&to, kind, serial);
    }
}

#[test]
fn what_was_before_is_not_told_of_once_there_is_room() {
    for (kind, serial) in [(Kind::Bind, 2), (Kind::Nomd, 2), (Kind::Bind, LAST), (Kind::Nomd, LAST)] {
        let (_from, to, small) = refused(kind, serial, Small::fill);
        small.clear();
        to.rndc(&["sync", ZONE]);
        let is_written = || fs::read(to.path(COPY)).is_ok_and(|bytes| bytes.windows(8).any(|part| part == b"rebuilt1"));
        to.wait_until("it is written", is_written);
        check_differences(&to, kind, serial);
    }
}

/// To named it is still what led to the serial that it serves.
#[test]
fn what_was_before_is_not_told_of_while_its_journal_cannot_be_removed() {
    for serial in [2, LAST] {
        let (_from, to, small) = refused(Kind::Nomd, serial, |small| small.remount("ro"));
        assert!(to.path(JOURNAL).exists());
        small.remount("rw");
        to.rndc(&["sync", ZONE]);
        to.wait_until("it is removed", || !to.path(JOURNAL).exists());
        check_differences(&to, Kind::Nomd, serial);
    }
}

/// The configuration is set back to an earlier journal, of the primary that there was then.
#[test]
fn a_journal_that_is_not_of_what_is_served_is_not_told_of_while_it_cannot_be_removed() {
    let other = "small/other.jnl";
    let (from, to, small) = refused(Kind::Nomd, LAST, |small| {
        let [journal, other] = [JOURNAL, other].map(|name| small.path().with_file_name(name));
        fs::copy(journal, other).unwrap();
    });
    let conf = to.path("named.conf");
    let text = fs::read_to_string(&conf).unwrap();
    small.remount("ro");
    fs::write(&conf, text.replace(JOURNAL, other)).unwrap();
    assert_eq!(to.rndc(&["reconfig"]).status, 0);
    assert!(to.path(other).exists());
    check_differences(&to, Kind::Nomd, LAST);
    small.remount("rw,size=1m");
    to.rndc(&["sync", ZONE]);
    to.wait_until("it is removed", || !to.path(other).exists());
    let changed = rebuilt(LAST + 1);
    from.change_zone(ZONE, &changed);
    from.reload(ZONE);
    from.wait_for_serial(ZONE, LAST + 1);
    to.refresh(ZONE);
    to.wait_for_serial(ZONE, LAST + 1);
    let told = dig::dig(to.port, &[ZONE, &format!("IXFR={LAST}")]).stdout;
    assert!(!told.contains("rebuilt1."), "it tells of differences again: {told}");
}
