//! Starting with many zones, some of which cannot be read or not soon: the others do not wait for them.

use std::fs;

use nix::sys::stat::Mode;
use nix::unistd::mkfifo;

use super::peers::{Kind, Server, Spec, Zone, dig, free_port};

/// More than there are threads that read.
const SLOW: [&str; 4] = ["slow0.test", "slow1.test", "slow2.test", "slow3.test"];

fn master_file(serial: u32) -> String {
    format!("$TTL 300\n@ SOA ns h {serial} 3600 900 604800 300\n@ NS ns\nns A 192.0.2.1\n")
}

fn status(server: &Server, zone: &str) -> Option<String> {
    dig::try_ask(server.port, zone, "SOA").map(|answer| answer.status)
}

#[test]
fn zones_that_are_missing_wrong_or_slow_hold_up_no_other() {
    let dir = tempfile::Builder::new().prefix("nomd-compat-").tempdir().unwrap();
    // A pipe into which nobody writes yet is as slow as a file can be.
    SLOW.iter().for_each(|zone| mkfifo(&dir.path().join(format!("{zone}.db")), Mode::S_IRWXU).unwrap());
    let bad = ["missing.test", "wrong.test"];
    let statement = |zone: &&str| format!("zone \"{zone}\" {{ type primary; file \"{zone}.db\"; }};\n");
    let names: Vec<String> = (0..50).map(|number| format!("good{number}.test")).collect();
    let spec = Spec {
        zones: names.iter().map(|name| Zone::primary(name, master_file(1))).collect(),
        statements: SLOW.iter().chain(&bad).map(statement).collect(),
        files: vec![("wrong.test.db".to_owned(), "@ 300 SOA ns\n".to_owned())],
        ..Spec::default()
    };
    let server = Server::start_loading(Kind::Nomd, &spec, free_port(), dir);
    names.iter().for_each(|name| server.wait_for_serial(name, 1));
    server.wait_for_log("zone missing.test/IN: loading from master file missing.test.db failed: file not found");
    server.wait_for_log("zone wrong.test/IN: not loaded due to errors.");
    for zone in SLOW.iter().chain(&bad) {
        assert_eq!(status(&server, zone).as_deref(), Some("SERVFAIL"), "{zone}");
    }
    assert!(!server.log().contains("all zones loaded"));
    for zone in SLOW {
        fs::write(server.path(&format!("{zone}.db")), master_file(2)).unwrap();
        server.wait_for_serial(zone, 2);
    }
    server.wait_for_log("all zones loaded");
}
