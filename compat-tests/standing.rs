//! What `nomd sync` and `rndc status` tell of secondaries, and what they mean by it.

use std::fs::{self, File};
use std::time::{Duration, Instant, SystemTime};

use super::peers::{Key, Kind, Server, Spec, Zone, dig, free_port, nomd, run};
use super::zones;

const ZONE: &str = "example.com";

fn primary() -> Server {
    let zone = Zone::primary(ZONE, zones::example(1));
    let server = Server::start(Kind::Bind, &Spec { zones: vec![zone], ..Spec::default() });
    server.wait_for_serial(ZONE, 1);
    server
}

fn secondary(port: u16) -> Server {
    Server::start(Kind::Nomd, &Spec { zones: vec![Zone::secondary(ZONE, port)], ..Spec::default() })
}

/// What `nomd sync` says, and its exit code.
fn sync(server: &Server, words: &[&str]) -> (i32, String) {
    let rndc = server.path("rndc.conf").display().to_string();
    let output = run(nomd(), &[&["sync", "-c", &rndc], words].concat());
    (output.status, output.stdout + &output.stderr)
}

fn wait_for(server: &Server, code: i32, text: &str) -> String {
    let mut said = (0, String::new());
    server.wait_until(text, || {
        said = sync(server, &[]);
        said.0 == code && said.1.contains(text)
    });
    said.1
}

#[test]
fn a_copy_that_is_confirmed_is_current() {
    let from = primary();
    let to = secondary(from.port);
    let said = wait_for(&to, 0, "1 secondary zones: 1 current");
    assert!(said.contains("example.com  serial 1, confirmed "), "{said}");
    let (code, json) = sync(&to, &["--json"]);
    assert!(code == 0 && json.contains("\"state\": \"current\"") && json.contains("\"bytes\": "), "{json}");
    assert!(to.rndc(&["status"]).stdout.contains("secondary zones current: 1\n"));
}

#[test]
fn a_primary_that_is_gone_is_told_and_a_copy_that_never_was() {
    let from = primary();
    let port = from.port;
    let to = secondary(port);
    wait_for(&to, 0, "1 current");
    drop(from);
    to.rndc(&["refresh", ZONE]);
    let said = wait_for(&to, 2, "1 unreachable");
    assert!(
        said.contains(&format!("127.0.0.1:{port}: serial 1, asked ")) && said.contains(": connection refused"),
        "{said}"
    );
    let empty = secondary(free_port());
    wait_for(&empty, 2, "1 missing");
}

#[test]
fn a_primary_that_does_not_give_the_zone_is_told() {
    let from = primary();
    let zone = Zone::secondary("other.example", from.port);
    let to = Server::start(Kind::Nomd, &Spec { zones: vec![zone], ..Spec::default() });
    let said = wait_for(&to, 2, ": NOTAUTH");
    assert!(said.contains("1 missing"), "{said}");
}

#[test]
fn a_key_that_the_primary_does_not_know_is_told() {
    let from = primary();
    let spec =
        Spec { zones: vec![Zone::secondary(ZONE, from.port)], key: Some(Key::new("hmac-sha256")), ..Spec::default() };
    let to = Server::start(Kind::Nomd, &spec);
    let said = wait_for(&to, 2, "tsig indicates error (BADKEY)");
    let (code, json) = sync(&to, &["--json"]);
    assert!(code == 2 && json.contains("tsig indicates error (BADKEY)"), "{said} {json}");
}

#[test]
fn a_primary_that_went_back_is_told() {
    let from = primary();
    let to = secondary(from.port);
    wait_for(&to, 0, "1 current");
    let port = from.port;
    let folder = from.stop();
    let zone = Zone::primary(ZONE, zones::example(0));
    let from = Server::start_in(Kind::Bind, &Spec { zones: vec![zone], ..Spec::default() }, port, folder);
    from.wait_for_serial(ZONE, 0);
    to.rndc(&["refresh", ZONE]);
    wait_for(&to, 2, "1 primary went back");
}

#[test]
fn a_server_that_is_not_there_is_unknown() {
    let output = run(nomd(), &["sync", "-s", "127.0.0.1", "-p", &free_port().to_string(), "-k", "/nonexistent"]);
    assert_eq!(output.status, 3, "{output:?}");
}

/// The zone's version 2 with next to nothing in it.
const SMALL: &str = "@ 60 SOA ns hm 2 60 60 600 60\n@ 60 NS ns\nns 60 A 192.0.2.1\n";

fn guarded(port: u16, flags: &'static [&'static str]) -> Spec {
    Spec { zones: vec![Zone::secondary(ZONE, port)], flags, ..Spec::default() }
}

#[test]
fn a_zone_that_shrinks_beyond_its_guard_is_held_back_until_it_is_asked_for() {
    let from = primary();
    let to = Server::start(Kind::Nomd, &guarded(from.port, &["--guard", "shrink=50"]));
    wait_for(&to, 0, "1 current");
    from.change_zone(ZONE, SMALL);
    from.wait_for_serial(ZONE, 2);
    to.rndc(&["refresh", ZONE]);
    let said = wait_for(&to, 2, "1 held back");
    assert!(said.contains("held back: 3 records, where "), "{said}");
    to.wait_for_serial(ZONE, 1);
    to.rndc(&["retransfer", ZONE]);
    to.wait_for_serial(ZONE, 2);
}

#[test]
fn a_zone_has_guards_of_its_own_that_a_reconfig_changes() {
    let from = primary();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("guards");
    let guard = |text: &str| fs::write(&path, format!("shrink none;\nzone \"{ZONE}\" {{ {text} }};\n")).unwrap();
    guard("shrink 50%;");
    let flags: &[&str] = Box::leak(Box::new(["--guard-file", path.to_str().unwrap().to_owned().leak()]));
    let to = Server::start(Kind::Nomd, &guarded(from.port, flags));
    wait_for(&to, 0, "1 current");
    from.change_zone(ZONE, SMALL);
    from.wait_for_serial(ZONE, 2);
    to.rndc(&["refresh", ZONE]);
    wait_for(&to, 2, "1 held back");
    let status = to.rndc(&["zonestatus", ZONE]).stdout;
    assert!(status.contains("\nstate: held back\nguards: shrink=50%\nlast check: "), "{status}");
    guard("shrink 500%;");
    assert_ne!(to.rndc(&["reconfig"]).status, 0);
    to.wait_for_log("guards:2: 'shrink' must be from 1% to 99%");
    guard("shrink none;");
    assert_eq!(to.rndc(&["reconfig"]).status, 0);
    to.rndc(&["refresh", ZONE]);
    to.wait_for_serial(ZONE, 2);
}

#[test]
fn a_lower_serial_of_all_primaries_is_followed_where_the_operator_says_so() {
    let from = primary();
    let to = Server::start(Kind::Nomd, &guarded(from.port, &["--guard", "lower=0"]));
    wait_for(&to, 0, "1 current");
    let (port, folder) = (from.port, from.stop());
    let zone = Zone::primary(ZONE, zones::example(0));
    let from = Server::start_in(Kind::Bind, &Spec { zones: vec![zone], ..Spec::default() }, port, folder);
    from.wait_for_serial(ZONE, 0);
    to.rndc(&["refresh", ZONE]);
    to.wait_for_serial(ZONE, 0);
    to.wait_for_log("every primary has had serial 0 for 0 seconds: going back from 1");
}

#[test]
fn a_lower_serial_is_followed_after_every_primary_has_had_it_for_the_time_that_the_operator_says() {
    let from = primary();
    let to = Server::start(Kind::Nomd, &guarded(from.port, &["--guard", "lower=3s"]));
    wait_for(&to, 0, "1 current");
    let (port, folder) = (from.port, from.stop());
    let zone = Zone::primary(ZONE, zones::example(0));
    let from = Server::start_in(Kind::Bind, &Spec { zones: vec![zone], ..Spec::default() }, port, folder);
    from.wait_for_serial(ZONE, 0);
    let seen = Instant::now();
    to.rndc(&["refresh", ZONE]);
    let said = wait_for(&to, 2, "1 primary went back");
    assert!(said.contains("serial 1,"), "{said}");
    to.wait_until("it goes back", || {
        to.rndc(&["refresh", ZONE]);
        dig::serial(to.port, ZONE) == Some(0)
    });
    // The server counts whole seconds: the first and the last may have been short.
    assert!(seen.elapsed() > Duration::from_secs(2), "{:?}: {}", seen.elapsed(), to.log());
    to.wait_for_log("every primary has had serial 0 for 3 seconds: going back from 1");
}

#[test]
fn an_expired_copy_is_served_in_its_time_of_grace_and_that_is_told() {
    let from = primary();
    let spec = guarded(from.port, &["--guard", "grace=1w"]);
    let to = Server::start(Kind::Nomd, &spec);
    wait_for(&to, 0, "1 current");
    drop(from);
    let folder = to.stop();
    let long_ago = SystemTime::now() - Duration::from_secs(1_209_600 + 60);
    File::options().append(true).open(folder.path().join("example.com.db")).unwrap().set_modified(long_ago).unwrap();
    let to = Server::start_in(Kind::Nomd, &spec, free_port(), folder);
    to.wait_for_serial(ZONE, 1);
    wait_for(&to, 2, "1 past expiry");
    to.wait_for_log("expired, and served for another 604");
}
