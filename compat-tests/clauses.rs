//! Clauses about transfers that stand in `server`, `options` and lists of primaries, obeyed as by named.

use std::collections::BTreeSet;
use std::net::{Ipv4Addr, Ipv6Addr, SocketAddr};
use std::sync::Arc;
use std::sync::atomic::AtomicU32;
use std::time::{Duration, SystemTime};

use super::faults::notify;
use super::peers::listener::{Heard, Listener, honest};
use super::peers::{Kind, Server, Spec, Zone, dig, free_port};
use super::zones;

const BOTH: [Kind; 2] = [Kind::Bind, Kind::Nomd];
const ZONE: &str = "example.com";

/// A version that has more than the one before it.
fn version(serial: u32) -> String {
    zones::example(serial) + &format!("w{serial}.{ZONE}. 60 A 192.0.2.{serial}\n")
}

#[test]
fn a_server_statement_asks_for_one_record_in_each_message_as_with_named() {
    let sizes = BOTH.map(|kind| {
        let statements = "server 127.0.0.2 { transfer-format one-answer; };".to_owned();
        let zones = vec![Zone::primary(ZONE, version(1))];
        let server = Server::start(kind, &Spec { zones, statements, ..Spec::default() });
        server.wait_for_serial(ZONE, 1);
        ["127.0.0.1", "127.0.0.2"].map(|from| {
            let output = dig::dig(server.port, &["-b", from, ZONE, "AXFR"]).stdout;
            let line = output.lines().find_map(|line| line.strip_prefix(";; XFR size: ")).unwrap_or_default();
            line.split(',').next().unwrap_or_default().to_owned()
        })
    });
    assert_eq!(sizes[1], sizes[0]);
    assert!(sizes[0][0].ends_with("messages 1") && !sizes[0][1].ends_with("messages 1"), "{sizes:?}");
}

/// Which of a primary's zone and a secondary's, that comes whole, gets a journal.
fn journals(kind: Kind, value: &str) -> [bool; 2] {
    let source = Server::start(
        Kind::Bind,
        &Spec { zones: vec![Zone::primary("second.test", version(1).replace(ZONE, "second.test"))], ..Spec::default() },
    );
    source.wait_for_serial("second.test", 1);
    let zones =
        vec![Zone::primary(ZONE, version(1)), Zone::secondary("second.test", source.port).with("request-ixfr no;")];
    let options = format!("ixfr-from-differences {value};");
    let server = Server::start(kind, &Spec { zones, options, ..Spec::default() });
    server.wait_for_serial(ZONE, 1);
    server.wait_for_serial("second.test", 1);
    let file = server.path("second.test.db");
    server.wait_until("the copy is on disk", || file.exists());
    source.change_zone("second.test", &version(2).replace(ZONE, "second.test"));
    source.wait_for_serial("second.test", 2);
    server.change_zone(ZONE, &version(2));
    server.refresh("second.test");
    server.wait_for_serial(ZONE, 2);
    server.wait_for_serial("second.test", 2);
    // A journal is written before the version is served.
    [ZONE, "second.test"].map(|zone| server.path(&format!("{zone}.db.jnl")).exists())
}

#[test]
fn differences_are_kept_of_primaries_of_secondaries_or_of_both_as_by_named() {
    for (value, kept) in [("primary", [true, false]), ("secondary", [false, true]), ("yes", [true, true])] {
        assert_eq!(BOTH.map(|kind| journals(kind, value)), [kept; 2], "{value}");
    }
}

#[test]
fn each_primary_is_asked_with_its_own_key() {
    let keys = ["first", "second"].map(|name| {
        let secret = data_encoding::BASE64.encode(name.repeat(6).as_bytes());
        format!("key {name} {{ algorithm hmac-sha256; secret \"{secret}\"; }};\n")
    });
    let primaries = [("first", 1), ("second", 2)].map(|(key, serial)| {
        let clauses = format!("allow-query {{ key {key}; }}; allow-transfer {{ key {key}; }};");
        let zone = format!("zone \"{ZONE}\" {{ type primary; file \"zone\"; {clauses} }};");
        let files = vec![("zone".to_owned(), version(serial))];
        let spec = Spec { statements: keys.concat() + &zone, files, ..Spec::default() };
        Server::start(Kind::Bind, &spec)
    });
    primaries.iter().for_each(|primary| primary.wait_for_log("all zones loaded"));
    let [one, two] = primaries.each_ref().map(|primary| format!("127.0.0.1 port {}", primary.port));
    for kind in BOTH {
        let zone = format!(
            "zone \"{ZONE}\" {{ type secondary; file \"copy\"; primaries {{ {one} key first; {two} key second; }}; }};"
        );
        let server = Server::start(kind, &Spec { statements: keys.concat() + &zone, ..Spec::default() });
        server.wait_until("it has a version", || dig::serial(server.port, ZONE).is_some());
        server.refresh(ZONE);
        server.wait_for_serial(ZONE, 2);
    }
    for (primary, key) in primaries.iter().zip(["first", "second"]) {
        assert!(!primary.log().contains("denied"), "{key}: {}", primary.log());
    }
}

#[test]
fn zones_are_fetched_and_told_of_over_ipv6_by_each_from_each() {
    for (from, to) in [(0, 1), (1, 0), (1, 1)].map(|(from, to)| (BOTH[from], BOTH[to])) {
        let [source_port, port] = [free_port(), free_port()];
        let also = format!("also-notify {{ ::1 port {port}; }};");
        let source = Spec {
            zones: vec![Zone::primary(ZONE, version(1)).with(&also)],
            options: format!("listen-on-v6 port {source_port} {{ ::1; }};"),
            ..Spec::default()
        };
        let source = Server::start_at(from, &source, source_port);
        source.wait_for_serial(ZONE, 1);
        let clauses = format!("file \"copy\"; primaries {{ ::1 port {source_port}; }};");
        let copy = Spec {
            options: format!("listen-on-v6 port {port} {{ ::1; }};"),
            statements: format!("zone \"{ZONE}\" {{ type secondary; {clauses} }};"),
            ..Spec::default()
        };
        let copy = Server::start_at(to, &copy, port);
        copy.wait_for_serial(ZONE, 1);
        source.change_zone(ZONE, &version(2));
        copy.wait_for_serial(ZONE, 2);
        copy.wait_for_log("notify from ::1#");
        copy.wait_for_log(&format!("from ::1#{source_port}: Transfer completed"));
    }
}

/// What is sent about a zone over IPv6, and whether it comes from the port that stands with its source.
fn sources_over_ipv6(kind: Kind) -> Vec<(&'static str, bool)> {
    let serial = Arc::new(AtomicU32::new(1));
    let primary = Listener::primary(Ipv6Addr::LOCALHOST.into(), &serial);
    let [transfer_port, notify_port] = [free_port(), free_port()];
    let to = format!("::1 port {}", primary.address.port());
    let zone = format!(
        "zone \"{ZONE}\" {{ type secondary; file \"copy\"; primaries {{ {to}; }}; also-notify {{ {to}; }}; \
         transfer-source-v6 ::1 port {transfer_port}; notify-source-v6 ::1 port {notify_port}; }};"
    );
    let server = Server::start(kind, &Spec { statements: zone, ..Spec::default() });
    server.wait_until("all is asked and told", || primary.heard().len() >= 3);
    let fixed = |heard: &Heard| [transfer_port, notify_port][usize::from(heard.is_notify())];
    primary.heard().iter().map(|heard| (heard.kind(), heard.from.port() == fixed(heard))).collect()
}

#[test]
fn requests_over_ipv6_leave_from_the_sources_of_named() {
    let [theirs, ours] = BOTH.map(sources_over_ipv6);
    assert_eq!(ours, theirs);
    assert!(theirs.contains(&("SOA", true)) && theirs.contains(&("NOTIFY", true)), "{theirs:?}");
}

/// The life that is left to a copy of which its file says that it was confirmed so long ago, by its server's own word.
fn expire(server: &Server) -> Option<u64> {
    let output = dig::dig(server.port, &[ZONE, "SOA", "+expire"]).stdout;
    let (_, rest) = output.split_once("; EXPIRE: ")?;
    rest.split_whitespace().next()?.parse().ok()
}

const SOA_EXPIRE_S: u64 = 1_209_600;

/// A secondary whose file is the zone in text, and has so long to live.
fn aged(kind: Kind, primary: u16, left_s: u64) -> Server {
    let folder = tempfile::Builder::new().prefix("nomd-compat-").tempdir().unwrap();
    let path = folder.path().join("example.com.db");
    std::fs::write(&path, version(1)).unwrap();
    let then = SystemTime::now() - Duration::from_secs(SOA_EXPIRE_S - left_s);
    std::fs::File::options().append(true).open(&path).unwrap().set_modified(then).unwrap();
    let zones = vec![Zone::secondary(ZONE, primary).with("masterfile-format text;")];
    let server = Server::start_in(kind, &Spec { zones, ..Spec::default() }, free_port(), folder);
    server.wait_for_serial(ZONE, 1);
    server
}

#[test]
fn a_secondary_tells_how_long_its_copy_lives_and_one_that_asks_it_takes_no_more() {
    // A busy host may take so long.
    let about = |left_s: u64| left_s - 60..=left_s;
    for (first, second) in [(0, 1), (1, 0), (1, 1)].map(|(first, second)| (BOTH[first], BOTH[second])) {
        let first = aged(first, free_port(), 5000);
        let told_s = expire(&first);
        assert!(told_s.is_some_and(|told_s| about(5000).contains(&told_s)), "{:?}: {told_s:?}", first.kind);
        let second = aged(second, first.port, 1000);
        assert!(expire(&second).is_some_and(|left_s| about(1000).contains(&left_s)), "{:?}", second.kind);
        second.refresh(ZONE);
        second.wait_until("it lives longer", || expire(&second).is_some_and(|left_s| !about(1000).contains(&left_s)));
        let left_s = expire(&second);
        assert!(left_s.is_some_and(|left_s| about(5000).contains(&left_s)), "{:?}: {left_s:?}", second.kind);
    }
}

/// Here many queries share a connection, where named makes one for each.
#[test]
fn serials_of_many_zones_are_asked_for_over_one_connection() {
    let address = SocketAddr::from((Ipv4Addr::LOCALHOST, free_port()));
    let primary = Listener::start(address, |heard| honest(heard, 1));
    let names: Vec<String> = (0..40).map(|number| format!("z{number}.test")).collect();
    let text = "$TTL 300\n@ SOA ns h 1 86400 86400 1209600 60\n@ NS ns\nns A 192.0.2.1\n";
    let spec = Spec {
        zones: names.iter().map(|name| Zone::secondary(name, address.port()).with("masterfile-format text;")).collect(),
        files: names.iter().map(|name| (format!("{name}.db"), text.to_owned())).collect(),
        options: "serial-query-rate 1000;".to_owned(),
        statements: "server 127.0.0.1 { tcp-only yes; };".to_owned(),
        ..Spec::default()
    };
    let server = Server::start(Kind::Nomd, &spec);
    server.wait_for_log("all zones loaded");
    names.iter().for_each(|name| notify(&server, name));
    let asked = || primary.heard().iter().map(|heard| heard.request.zone.clone()).collect::<BTreeSet<_>>();
    server.wait_until("all are asked for", || asked().len() == names.len());
    let connections: BTreeSet<_> = primary.heard().iter().map(|heard| (heard.is_tcp, heard.from)).collect();
    assert_eq!(connections.iter().filter(|(is_tcp, _)| *is_tcp).count(), 1, "{connections:?}");
    assert_eq!(connections.len(), 1, "{connections:?}");
}
