//! What an operator asks of a secondary while something is wrong with its primary or its disk, beside named.

use std::net::Ipv4Addr;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::faults::primary::{FAULTY, Primary, Script, Step, send};
use super::faults::stream::{Request, Signer, zone_messages};
use super::peers::listener::Listener;
use super::peers::{Kind, Server, Spec, Zone, dig, free_port, head};

const BOTH: [Kind; 2] = [Kind::Bind, Kind::Nomd];
const ZONE: &str = "example.com";

fn version(serial: u32) -> String {
    format!("$TTL 300\n@ SOA ns h {serial} 3600 900 604800 300\n@ NS ns\nns A 192.0.2.{serial}\n")
}

fn primary(kind: Kind, port: u16, serial: u32) -> Server {
    let server =
        Server::start_at(kind, &Spec { zones: vec![Zone::primary(ZONE, version(serial))], ..Spec::default() }, port);
    server.wait_for_serial(ZONE, serial);
    server
}

fn secondary(primary: u16, clauses: &str) -> Spec {
    Spec { zones: vec![Zone::secondary(ZONE, primary).with(clauses)], ..Spec::default() }
}

/// Replaces words of the configuration and has it read.
fn reconfigure(server: &Server, from: &str, to: &str) {
    let path = server.path("named.conf");
    let before = std::fs::read_to_string(&path).unwrap();
    assert!(before.contains(from), "{from:?} is not in {before}");
    std::fs::write(&path, before.replace(from, to)).unwrap();
    assert_eq!(server.rndc(&["reconfig"]).status, 0, "{:?}: {}", server.kind, server.log());
}

#[test]
fn a_zone_that_was_never_loaded_is_asked_for_at_each_reconfig_as_by_named() {
    let primary = primary(Kind::Bind, free_port(), 1);
    for kind in BOTH {
        // Nobody listens where the first is looked for; nobody answers for the second before the others are asked.
        let wrong = free_port();
        let server = Server::start(kind, &secondary(wrong, ""));
        server.wait_for_log("refresh: failure trying primary");
        reconfigure(&server, &format!("port {wrong};"), &format!("port {};", primary.port));
        server.wait_for_serial(ZONE, 1);
    }
    for kind in BOTH {
        let port = free_port();
        let server = Server::start(kind, &secondary(port, ""));
        server.wait_for_log("refresh: failure trying primary");
        let _late = self::primary(Kind::Bind, port, 2);
        reconfigure(&server, "", "");
        server.wait_for_serial(ZONE, 2);
    }
}

#[test]
fn a_transfer_that_was_asked_for_while_no_primary_was_there_is_made_at_a_later_check_as_by_named() {
    for kind in BOTH {
        let port = free_port();
        let before = primary(Kind::Bind, port, 10);
        let server = Server::start(kind, &secondary(port, ""));
        server.wait_for_serial(ZONE, 10);
        drop(before);
        assert_eq!(server.rndc(&["retransfer", ZONE]).status, 0);
        server.wait_for_log("refresh: failure trying primary");
        let _after = primary(Kind::Bind, port, 5);
        server.wait_until("it follows", || {
            server.rndc(&["refresh", ZONE]);
            dig::serial(server.port, ZONE) == Some(5)
        });
    }
}

#[test]
fn sync_writes_a_copy_that_was_never_written_and_is_told_of_as_by_named() {
    let primary = primary(Kind::Bind, free_port(), 1);
    for kind in BOTH {
        let zone = format!(
            "zone {ZONE} {{ type secondary; file \"none/copy\"; primaries {{ 127.0.0.1 port {}; }}; }};",
            primary.port
        );
        let server = Server::start(kind, &Spec { statements: zone, ..Spec::default() });
        server.wait_for_serial(ZONE, 1);
        std::fs::create_dir(server.path("none")).unwrap();
        assert_eq!(server.rndc(&["sync", ZONE]).status, 0);
        server.wait_until("it is written", || server.path("none/copy").exists());
        let lines = [
            (&["sync", ZONE][..], "sync: dumping zone 'example.com/IN': success\n"),
            (&["sync", "-clean", ZONE], "sync: dumping zone 'example.com/IN', removing journal file: success\n"),
            (&["sync"], " dumping all zones: success\n"),
            (&["sync", "-clean"], " dumping all zones, removing journal files: success\n"),
        ];
        for (words, line) in lines {
            server.rndc(words);
            server.wait_for_log(line);
        }
    }
}

/// The first message of version 2, and the others when version 3 is announced.
fn slow(request: &Request, _: Option<Signer>) -> Vec<Step> {
    let mut steps = send(zone_messages(request, FAULTY), None);
    let last = steps.pop();
    steps.push(Step::Stall);
    steps.extend(last);
    steps
}

#[test]
fn a_copy_whose_form_changes_while_a_transfer_runs_has_the_new_form_as_with_named() {
    for kind in BOTH {
        let script = Script { soa: None, transfer: slow };
        let primary = Primary::start([(ZONE.to_owned(), script)].into(), None);
        let server = Server::start(kind, &secondary(primary.port, "request-ixfr no; masterfile-format text;"));
        server.wait_for_serial(ZONE, 1);
        let file = server.path("example.com.db");
        let is_raw = || head(&file, 4) == [0, 0, 0, 2];
        server.wait_until("the copy is written", || file.exists());
        assert!(!is_raw());
        primary.announce(FAULTY);
        server.rndc(&["refresh", ZONE]);
        server.wait_until("a transfer runs", || server.log().matches("connected using").count() == 2);
        reconfigure(&server, "masterfile-format text;", "masterfile-format raw;");
        primary.announce(3);
        server.wait_for_serial(ZONE, 2);
        server.wait_until("the copy has the new form", is_raw);
    }
}

/// What `retransfer` brings is a new start, be it older or newer, and no difference.
#[test]
fn a_retransfer_is_no_difference_whatever_its_serial_as_with_named() {
    for later in [5, 7, 9] {
        let [theirs, ours] = BOTH.map(|kind| {
            let serial = Arc::new(AtomicU32::new(7));
            let primary = Listener::primary(Ipv4Addr::LOCALHOST.into(), &serial);
            let server = Server::start(kind, &secondary(primary.address.port(), "ixfr-from-differences yes;"));
            server.wait_for_serial(ZONE, 7);
            server.wait_until_idle();
            serial.store(later, Ordering::SeqCst);
            assert_eq!(server.rndc(&["retransfer", ZONE]).status, 0);
            server.wait_until("it is transferred again", || server.log().matches("Transfer completed").count() == 2);
            server.wait_for_serial(ZONE, later);
            server.wait_until_idle();
            (server.settled_log().contains("ixfr-from-differences"), server.path("example.com.db.jnl").exists())
        });
        assert_eq!(ours, theirs, "{later}");
        assert_eq!(theirs, (false, false), "{later}");
    }
}

/// What a zone that is a primary's no more does without a primary: named serves it no more, nomd until it expires.
#[test]
fn a_primary_that_becomes_a_secondary_serves_its_contents_by_nomd_until_they_expire() {
    let zone = format!("zone {ZONE} {{ type primary; file \"zone\"; }};");
    for (kind, status) in [(Kind::Bind, "SERVFAIL"), (Kind::Nomd, "NOERROR")] {
        let files = vec![("zone".to_owned(), version(7))];
        let server = Server::start(kind, &Spec { statements: zone.clone(), files, ..Spec::default() });
        server.wait_for_serial(ZONE, 7);
        let to = format!("type secondary; file \"copy\"; primaries {{ 127.0.0.1 port {}; }};", free_port());
        reconfigure(&server, "type primary; file \"zone\";", &to);
        server.wait_for_log("refresh: failure trying primary");
        assert_eq!(dig::ask(server.port, ZONE, "SOA", &[]).status, status);
        let shown = server.rndc(&["zonestatus", ZONE]).stdout;
        assert_eq!(shown.contains("\nexpires: "), kind == Kind::Nomd, "{shown}");
    }
}
