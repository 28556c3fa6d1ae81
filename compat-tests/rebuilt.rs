//! Primaries that were built anew and start again with an old serial, or with the same one: what `rndc retransfer` brings
//! from them stays, and what was before is not handed out again, not even where the disk is full when it comes.

use std::fs;

use super::faults::disk::Small;
use super::ixfr::{self, LAST, ZONE};
use super::peers::{Kind, Server, Spec, dig, free_port, signal};
use super::zones;

/// Where the copy is.
const COPY: &str = "small/copy";

/// What the new primary has, which is too much for what room a removed copy leaves.
fn rebuilt(serial: u32) -> String {
    let name = |number| format!("rebuilt{number}.{ZONE}. 60 TXT \"{}\"\n", "x".repeat(200));
    zones::example(serial) + &(0..35).map(name).collect::<String>()
}

fn is_rebuilt(server: &Server) -> bool {
    dig::ask(server.port, &format!("rebuilt1.{ZONE}"), "TXT", &[]).status == "NOERROR"
}

fn secondary(port: u16) -> Spec {
    let primaries = format!("primaries {{ 127.0.0.1 port {port}; }};");
    let statements = format!("zone {ZONE} {{ type secondary; file \"{COPY}\"; {primaries} }};\n");
    Spec { statements, ..Spec::default() }
}

/// Who has the first version is told of what is served.
fn check_differences(server: &Server, kind: Kind, serial: u32) {
    let told = dig::dig(server.port, &[ZONE, "IXFR=1"]).stdout;
    assert!(told.contains("rebuilt1."), "{kind:?}, serial {serial}: {told}");
}

/// A secondary on a file system that was full when it fetched the zone from the new primary.
fn refused(kind: Kind, serial: u32) -> (Server, Server, Small) {
    let folder = tempfile::tempdir().unwrap();
    let small = Small::mount(&folder.path().join("small"));
    let from = Server::start(Kind::Bind, &ixfr::primary(ixfr::version(1)));
    from.wait_for_serial(ZONE, 1);
    let to = Server::start_in(kind, &secondary(from.port), free_port(), folder);
    to.wait_until("the copy is on disk", || to.path(COPY).exists());
    (2..=LAST).for_each(|serial| ixfr::follow(&from, &to, serial));
    let from = ixfr::replaced(from, serial, rebuilt(serial));
    small.fill();
    assert_eq!(to.rndc(&["retransfer", ZONE]).status, 0);
    to.wait_until("it is served", || is_rebuilt(&to));
    check_differences(&to, kind, serial);
    (from, to, small)
}

#[test]
fn what_was_before_does_not_come_back_after_a_crash() {
    for (kind, serial) in [(Kind::Bind, 2), (Kind::Nomd, 2), (Kind::Bind, LAST), (Kind::Nomd, LAST)] {
        let (from, to, small) = refused(kind, serial);
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
        let (_from, to, small) = refused(kind, serial);
        small.clear();
        to.rndc(&["sync", ZONE]);
        let is_written = || fs::read(to.path(COPY)).is_ok_and(|bytes| bytes.windows(8).any(|part| part == b"rebuilt1"));
        to.wait_until("it is written", is_written);
        check_differences(&to, kind, serial);
    }
}
