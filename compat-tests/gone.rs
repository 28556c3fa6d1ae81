//! What is said of zones that a new configuration drops or makes others of, and of those that cannot be asked for,
//! beside named.

use std::fs;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU32, Ordering};

use super::peers::listener::{Listener, honest};
use super::peers::{Kind, PATIENCE, Server, Spec, Zone, dig, free_port, within};

const BOTH: [Kind; 2] = [Kind::Bind, Kind::Nomd];
const COPIED: &str = "copied.test";

fn text(serial: u32) -> String {
    format!("$TTL 300\n@ SOA ns h {serial} 7200 900 1209600 60\n@ NS ns\nns A 192.0.2.1\n")
}

fn files() -> Vec<(String, String)> {
    ["one", "two", "lower"].map(|name| (name.to_owned(), text(if name == "lower" { 6 } else { 7 }))).into()
}

/// What is said of zones when a new configuration is taken over, sorted.
fn said(server: &Server, statements: &str) -> Vec<String> {
    let path = server.path("named.conf");
    let before = fs::read_to_string(&path).unwrap();
    let (head, _) = before.split_once("// Zones\n").unwrap();
    fs::write(&path, format!("{head}// Zones\n{statements}")).unwrap();
    let length = server.settled_log().len();
    assert_eq!(server.rndc(&["reconfig"]).status, 0, "{:?}: {}", server.kind, server.log());
    server.wait_until("it is over", || server.log()[length..].contains("any newly configured zones are now loaded"));
    let log = server.settled_log().split_off(length);
    let mut said: Vec<_> = log.lines().filter_map(|line| Some(line[line.find(" zone ")?..].to_owned())).collect();
    said.retain(|line| line.contains("/IN"));
    said.sort();
    said
}

/// Both servers with these zones, whose statements can be replaced.
fn both(options: &str, statements: &str) -> [Server; 2] {
    BOTH.map(|kind| {
        let statements = format!("// Zones\n{statements}");
        Server::start(kind, &Spec { options: options.into(), statements, files: files(), ..Spec::default() })
    })
}

fn zone(name: &str, file: &str) -> String {
    format!("zone \"{name}\" {{ type primary; file \"{file}\"; }};\n")
}

fn copied(port: u16) -> String {
    format!("zone \"{COPIED}\" {{ type secondary; primaries {{ 127.0.0.1 port {port}; }}; file \"copy\"; }};\n")
}

#[test]
fn zones_that_go_or_become_others_are_told_of_as_by_named() {
    let source = Server::start(Kind::Bind, &Spec { zones: vec![Zone::primary(COPIED, text(7))], ..Spec::default() });
    let before = zone("a.test", "one") + &zone("b.test", "one") + &zone("c.test", "none") + &copied(source.port);
    let in_view = format!("view \"v\" {{\n{before}}};\n");
    let steps = [
        (&before, String::new(), 4),
        (&before, before.replace("type primary;", "type primary; notify no;"), 0),
        (&before, zone("a.test", "two") + &zone("b.test", "one") + &zone("c.test", "none") + &copied(source.port), 1),
        (&before, zone("a.test", "one") + &zone(COPIED, "one"), 3),
        (&before, in_view.clone(), 4),
        (&in_view, "view \"w\" { };\n".to_owned(), 4),
    ];
    for (before, after, removed) in steps {
        let [theirs, ours] = both("", before).map(|server| {
            server.wait_until("the zone is there", || dig::serial(server.port, COPIED) == Some(7));
            server.wait_until_idle();
            let mut said = said(&server, &after);
            said.retain(|line| line.contains("removed"));
            said
        });
        assert_eq!(ours, theirs, "{after}");
        assert_eq!(theirs.len(), removed, "{after}: {theirs:?}");
    }
}

/// The serial that was served before is that of another zone.
#[test]
fn a_secondary_that_becomes_a_primary_is_compared_with_nothing_as_by_named() {
    let source = Server::start(Kind::Bind, &Spec { zones: vec![Zone::primary(COPIED, text(7))], ..Spec::default() });
    for options in ["", "ixfr-from-differences yes;"] {
        for (file, serial) in [("one", 7), ("lower", 6)] {
            let [theirs, ours] = both(options, &copied(source.port)).map(|server| {
                server.wait_for_serial(COPIED, 7);
                server.wait_until_idle();
                let said = said(&server, &zone(COPIED, file));
                server.wait_for_serial(COPIED, serial);
                said
            });
            assert_eq!(ours, theirs, "{options} {file}");
            assert_eq!(theirs.len(), 2, "{theirs:?}");
        }
    }
}

/// Two secondaries of this primary, with their files.
fn two_copied(primary: &Listener, [a, b]: [&str; 2]) -> String {
    let primaries = format!("primaries {{ {} port {}; }};", primary.address.ip(), primary.address.port());
    let zone = |name, file| format!("zone \"{name}\" {{ type secondary; {primaries} file \"{file}\"; }};\n");
    zone("a.test", a) + &zone("b.test", b)
}

#[test]
fn a_transfer_leaves_the_file_alone_that_its_zone_had_and_another_has_now_as_by_named() {
    for kind in BOTH {
        let (serial, is_held) = (Arc::new(AtomicU32::new(1)), Arc::new(AtomicBool::new(true)));
        let (newest, held) = (Arc::clone(&serial), Arc::clone(&is_held));
        let primary = Listener::start((IpAddr::from(Ipv4Addr::LOCALHOST), free_port()).into(), move |heard| {
            let serial = if heard.request.zone == "a.test" { newest.load(Ordering::SeqCst) } else { 1 };
            if serial == 2 && heard.kind().ends_with("XFR") {
                within(PATIENCE, || !held.load(Ordering::SeqCst));
            }
            honest(heard, serial)
        });
        let statements = format!("// Zones\n{}", two_copied(&primary, ["one", "two"]));
        let server = Server::start(kind, &Spec { statements, ..Spec::default() });
        ["a.test", "b.test"].iter().for_each(|zone| server.wait_for_serial(zone, 1));
        let has = |file: &str, zone: &[u8]| {
            fs::read(server.path(file)).is_ok_and(|bytes| bytes.windows(zone.len()).any(|window| window == zone))
        };
        server.wait_until("the copies are there", || has("one", b"\x01a\x04test") && has("two", b"\x01b\x04test"));
        let transfers = || primary.heard().iter().filter(|heard| heard.kind().ends_with("XFR")).count();
        let before = transfers();
        serial.store(2, Ordering::SeqCst);
        assert_eq!(server.rndc(&["refresh", "a.test"]).status, 0);
        server.wait_until("the transfer is under way", || transfers() > before);
        said(&server, &two_copied(&primary, ["three", "one"]));
        server.wait_until("the file is another's", || has("one", b"\x01b\x04test"));
        is_held.store(false, Ordering::SeqCst);
        server.wait_for_serial("a.test", 2);
        assert!(has("one", b"\x01b\x04test"), "{kind:?}");
        server.wait_until("the other file is written", || has("three", b"\x01a\x04test"));
    }
}

#[test]
fn a_primary_whose_key_is_not_defined_is_told_of_once_for_each_check_as_by_named() {
    let keyed = |more: &str| copied(1).replace("port 1;", "port 1 key \"Not.There\";").replace("file", more) + "\n";
    let [theirs, ours] = both("", "").map(|server| {
        let count = || server.log().matches(": unable to find key: Not.There\n").count();
        let mut counts = vec![];
        for statements in [keyed("file"), keyed("file"), keyed("notify yes; file")] {
            said(&server, &statements);
            server.wait_until("the key is missed", || count() > counts.len());
            counts.push(count());
        }
        for command in ["refresh", "retransfer"] {
            assert_eq!(server.rndc(&[command, COPIED]).status, 0);
            server.wait_until("the key is missed", || count() > counts.len());
            counts.push(count());
        }
        server.settled_log();
        (counts, count())
    });
    assert_eq!(ours, theirs);
    assert_eq!(theirs, (vec![1, 2, 3, 4, 5], 5));
}
