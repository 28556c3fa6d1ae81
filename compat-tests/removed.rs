//! Copies and journals that an operator removes or puts there under a running secondary, directories that are changed,
//! zones that are primaries for a while: what is served next is there again after a crash.

use std::fs;

use tempfile::TempDir;

use super::peers::{Kind, Server, Spec, Zone, dig, free_port, signal};
use super::zones;

const ZONE: &str = "example.com";
const FILE: &str = "example.com.db";
const JOURNAL: &str = "example.com.db.jnl";

fn source(clauses: &str) -> Server {
    let zone = Zone::primary(ZONE, zones::example(1)).with(clauses);
    let source = Server::start(Kind::Bind, &Spec { zones: vec![zone], ..Spec::default() });
    source.wait_for_serial(ZONE, 1);
    source
}

fn spec(primary: u16) -> Spec {
    Spec { zones: vec![Zone::secondary(ZONE, primary)], ..Spec::default() }
}

/// A secondary that has a copy.
fn secondary(kind: Kind, source: &Server) -> Server {
    let server = Server::start(kind, &spec(source.port));
    server.wait_for_serial(ZONE, 1);
    let copy = server.path(FILE);
    server.wait_until("the copy is on disk", || copy.exists());
    server
}

/// Lets the secondary follow its primary to a new version.
fn follow(source: &Server, server: &Server, serial: u32) {
    source.change_zone(ZONE, &(zones::example(serial) + &format!("w{serial}.{ZONE}. 60 A 192.0.2.{serial}\n")));
    source.reload(ZONE);
    source.wait_for_serial(ZONE, serial);
    server.refresh(ZONE);
    server.wait_for_serial(ZONE, serial);
}

/// What a server that is killed leaves of these files in this folder of its own.
pub(super) fn left_by(server: Server, folder: &str, names: [&str; 2]) -> TempDir {
    signal(server.pid(), "KILL");
    let (old, new) = (server.stop(), tempfile::tempdir().unwrap());
    for name in names {
        let path = old.path().join(folder).join(name);
        if path.exists() {
            fs::copy(path, new.path().join(name)).unwrap();
        }
    }
    new
}

/// The same secondary, killed and started again on what is in this folder of its own, with a primary that is dead.
fn after_a_crash(kind: Kind, server: Server, folder: &str) -> Server {
    Server::start_in(kind, &spec(free_port()), free_port(), left_by(server, folder, [FILE, JOURNAL]))
}

/// Replaces text in the configuration, which is read again.
pub(super) fn reconfigure(server: &Server, from: &str, to: &str) {
    let conf = server.path("named.conf");
    let old = fs::read_to_string(&conf).unwrap();
    assert!(old.contains(from), "{old}");
    fs::write(&conf, old.replace(from, to)).unwrap();
    assert_eq!(server.rndc(&["reconfig"]).status, 0);
}

/// Sends the server to a folder of its own.
pub(super) fn enter(server: &Server, folder: &str) {
    let own = server.path("").display().to_string();
    let own = own.trim_end_matches('/');
    fs::create_dir_all(server.path(folder)).unwrap();
    reconfigure(server, &format!("directory \"{own}\";"), &format!("directory \"{own}/{folder}\";"));
}

#[test]
fn a_zone_that_comes_whole_for_a_copy_that_was_removed_survives_a_crash() {
    for kind in [Kind::Bind, Kind::Nomd] {
        let source = source("");
        let server = secondary(kind, &source);
        fs::remove_file(server.path(FILE)).unwrap();
        follow(&source, &server, 2);
        let file = server.path(FILE);
        server.wait_until("the copy is written", || file.exists());
        after_a_crash(kind, server, "").wait_for_serial(ZONE, 2);
    }
}

#[test]
fn differences_for_a_copy_or_a_journal_that_was_removed_survive_a_crash() {
    for removed in [&[FILE][..], &[JOURNAL], &[FILE, JOURNAL]] {
        let source = source("ixfr-from-differences yes;");
        let server = secondary(Kind::Nomd, &source);
        follow(&source, &server, 2);
        removed.iter().for_each(|name| fs::remove_file(server.path(name)).unwrap());
        follow(&source, &server, 3);
        after_a_crash(Kind::Nomd, server, "").wait_for_serial(ZONE, 3);
    }
}

#[test]
fn a_copy_with_a_relative_name_follows_the_directory() {
    for kind in [Kind::Bind, Kind::Nomd] {
        let source = source("");
        let server = secondary(kind, &source);
        enter(&server, "moved");
        follow(&source, &server, 2);
        let file = server.path("moved").join(FILE);
        server.wait_until("the copy is written", || file.exists());
        after_a_crash(kind, server, "moved").wait_for_serial(ZONE, 2);
    }
}

/// named writes nothing before the next transfer.
#[test]
fn what_is_served_is_written_to_a_new_directory_and_what_was_in_the_old_one_stays() {
    let source = source("");
    let server = secondary(Kind::Nomd, &source);
    enter(&server, "moved");
    let file = server.path("moved").join(FILE);
    server.wait_until("the copy is written", || file.exists());
    assert!(server.path(FILE).exists());
    after_a_crash(Kind::Nomd, server, "moved").wait_for_serial(ZONE, 1);
}

#[test]
fn in_a_new_directory_what_is_missing_is_read_at_once_and_what_is_served_with_the_next_reload() {
    for kind in [Kind::Bind, Kind::Nomd] {
        let zone = Zone::primary(ZONE, zones::example(1));
        let server = Server::start(kind, &Spec { zones: vec![zone], ..Spec::default() });
        server.wait_for_serial(ZONE, 1);
        let conf = server.path("named.conf");
        let more = "zone \"more.example\" { type primary; file \"more.db\"; };";
        fs::write(&conf, fs::read_to_string(&conf).unwrap() + more).unwrap();
        assert_eq!(server.rndc(&["reconfig"]).status, 0);
        server.wait_until("it is missing", || dig::ask(server.port, "more.example", "SOA", &[]).status == "SERVFAIL");
        fs::create_dir(server.path("moved")).unwrap();
        fs::write(server.path("moved/more.db"), zones::large("more.example", 5, 10)).unwrap();
        fs::write(server.path("moved").join(FILE), zones::example(5)).unwrap();
        enter(&server, "moved");
        server.wait_for_serial("more.example", 5);
        assert_eq!(dig::serial(server.port, ZONE), Some(1), "{kind:?}");
        assert_eq!(server.rndc(&["reload"]).status, 0);
        server.wait_for_serial(ZONE, 5);
    }
}

#[test]
fn a_secondary_that_was_a_primary_for_a_while_is_again_what_its_journal_says() {
    for kind in [Kind::Bind, Kind::Nomd] {
        let source = source("ixfr-from-differences yes;");
        let server = secondary(kind, &source);
        follow(&source, &server, 2);
        follow(&source, &server, 3);
        drop(source);
        let conf = server.path("named.conf");
        let as_secondary = fs::read_to_string(&conf).unwrap();
        fs::write(server.path("other.db"), zones::example(2)).unwrap();
        let as_primary = format!("zone \"{ZONE}\" {{ type primary; file \"other.db\"; }};\n");
        let at = as_secondary.find(&format!("zone \"{ZONE}\"")).unwrap();
        let end = at + as_secondary[at..].find("};\n").unwrap() + "};\n".len();
        fs::write(&conf, [&as_secondary[..at], &as_primary, &as_secondary[end..]].concat()).unwrap();
        assert_eq!(server.rndc(&["reconfig"]).status, 0);
        server.wait_for_serial(ZONE, 2);
        fs::write(&conf, as_secondary).unwrap();
        assert_eq!(server.rndc(&["reconfig"]).status, 0);
        server.wait_for_serial(ZONE, 3);
    }
}

#[test]
fn a_copy_that_is_put_in_its_place_is_served_from_the_next_reload_or_reconfig_on() {
    let source = source("");
    let filled = secondary(Kind::Nomd, &source);
    drop(source);
    for (kind, command) in [Kind::Bind, Kind::Nomd].into_iter().flat_map(|kind| [(kind, "reload"), (kind, "reconfig")])
    {
        let server = Server::start(kind, &spec(free_port()));
        server.wait_for_log("refresh: failure trying primary");
        fs::copy(filled.path(FILE), server.path(FILE)).unwrap();
        assert_eq!(server.rndc(&[command]).status, 0);
        server.wait_for_serial(ZONE, 1);
    }
}
