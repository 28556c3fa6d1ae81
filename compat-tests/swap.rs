//! The two-way door: named's files serve nomd, and nomd's serve named.

use super::peers::{Kind, Server, Spec, Zone, dig, free_port, head};
use super::zones;

const ZONE: &str = "example.com";

fn secondary(primary: u16, clauses: &str) -> Spec {
    Spec { zones: vec![Zone::secondary(ZONE, primary).with(clauses)], ..Spec::default() }
}

/// One server fills the cache and stops, the primary dies, then each of `others` serves from the files in turn.
fn take_turns(first: Kind, others: &[Kind], clauses: &str) {
    let primary =
        Server::start(first, &Spec { zones: vec![Zone::primary(ZONE, zones::example(9))], ..Spec::default() });
    primary.wait_for_serial(ZONE, 9);
    let original = dig::transfer(primary.port, ZONE, None);
    let spec = secondary(primary.port, clauses);
    let server = Server::start(first, &spec);
    server.wait_for_serial(ZONE, 9);
    let file = server.path("example.com.db");
    server.wait_until("the copy is on disk", || file.exists());
    let mut dir = server.stop();
    drop(primary);
    for &next in others {
        let server = Server::start_in(next, &spec, free_port(), dir);
        server.wait_for_serial(ZONE, 9);
        assert_eq!(dig::transfer(server.port, ZONE, None), original, "{next:?} on the files of the one before it");
        dir = server.stop();
    }
}

#[test]
fn named_and_nomd_take_turns_on_one_cache() {
    take_turns(Kind::Bind, &[Kind::Nomd, Kind::Bind, Kind::Nomd], "");
}

#[test]
fn named_serves_the_cache_that_nomd_filled() {
    take_turns(Kind::Nomd, &[Kind::Bind, Kind::Nomd], "");
}

#[test]
fn text_caches_are_shared_as_well() {
    take_turns(Kind::Nomd, &[Kind::Bind, Kind::Nomd], "masterfile-format text;");
    take_turns(Kind::Bind, &[Kind::Nomd, Kind::Bind], "masterfile-format text;");
}

#[test]
fn both_write_the_same_raw_file() {
    let primary =
        Server::start(Kind::Bind, &Spec { zones: vec![Zone::primary(ZONE, zones::example(9))], ..Spec::default() });
    primary.wait_for_serial(ZONE, 9);
    let files = [Kind::Bind, Kind::Nomd].map(|kind| {
        let server = Server::start(kind, &secondary(primary.port, ""));
        server.wait_for_serial(ZONE, 9);
        let file = server.path("example.com.db");
        server.wait_until("the copy is on disk", || file.exists());
        let text = super::peers::run(
            "named-compilezone",
            &["-q", "-f", "raw", "-F", "text", "-s", "full", "-o", "-", ZONE, &file.display().to_string()],
        );
        assert_eq!(text.status, 0, "{kind:?}: {text:?}");
        (head(&file, 8), head(&file, 16)[12..].to_vec(), std::fs::metadata(&file).unwrap().len(), text.stdout)
    });
    assert_eq!(files[0], files[1]);
}

#[test]
fn a_cache_that_is_damaged_is_set_aside_and_fetched_anew() {
    // One of text includes a file that is not there.
    let damaged = [("raw", "this is no raw file"), ("text", "$INCLUDE none\n")];
    for (kind, (format, text)) in [Kind::Bind, Kind::Nomd].into_iter().flat_map(|kind| damaged.map(|one| (kind, one))) {
        let primary =
            Server::start(Kind::Bind, &Spec { zones: vec![Zone::primary(ZONE, zones::example(4))], ..Spec::default() });
        primary.wait_for_serial(ZONE, 4);
        let dir = tempfile::tempdir().unwrap();
        std::fs::write(dir.path().join("example.com.db"), text).unwrap();
        let clauses = format!("masterfile-format {format};");
        let server = Server::start_in(kind, &secondary(primary.port, &clauses), free_port(), dir);
        server.wait_for_serial(ZONE, 4);
        let aside = std::fs::read_dir(server.path("")).unwrap();
        let aside = aside.filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with("db-"));
        assert_eq!(aside.count(), 1, "{kind:?} keeps what it could not read: {format}");
    }
}

#[test]
fn a_zone_that_was_never_loaded_is_servfail() {
    for kind in [Kind::Bind, Kind::Nomd] {
        let server = Server::start(kind, &secondary(free_port(), ""));
        assert_eq!(dig::ask(server.port, ZONE, "SOA", &[]).status, "SERVFAIL", "{kind:?}");
        assert_eq!(dig::ask(server.port, "elsewhere.example", "SOA", &[]).status, "REFUSED", "{kind:?}");
    }
}

#[test]
fn a_cache_older_than_its_expiry_is_not_served() {
    for kind in [Kind::Bind, Kind::Nomd] {
        let primary =
            Server::start(Kind::Bind, &Spec { zones: vec![Zone::primary(ZONE, zones::example(4))], ..Spec::default() });
        primary.wait_for_serial(ZONE, 4);
        let spec = secondary(primary.port, "");
        let server = Server::start(Kind::Bind, &spec);
        server.wait_for_serial(ZONE, 4);
        let file = server.path("example.com.db");
        server.wait_until("the copy is on disk", || file.exists());
        let dir = server.stop();
        drop(primary);
        let long_ago = std::time::SystemTime::now() - std::time::Duration::from_secs(1_209_600 + 60);
        std::fs::File::options()
            .append(true)
            .open(dir.path().join("example.com.db"))
            .unwrap()
            .set_modified(long_ago)
            .unwrap();
        let server = Server::start_in(kind, &spec, free_port(), dir);
        server.wait_until("the zone is expired", || dig::ask(server.port, ZONE, "SOA", &[]).status == "SERVFAIL");
    }
}
