//! A primary behind a wire that is cut while a transfer runs, and mended.

use crate::peers::Kind;
use crate::peers::host::Host;

const PRIMARY: &str = r#"
zone "big.example" { type primary; file "/etc/bind/big"; allow-transfer { any; }; also-notify { 10.0.0.2; }; notify explicit; };
"#;

const SECONDARY: &str = r#"
zone "big.example" { type secondary; file "big"; primaries { 10.0.0.1; }; request-ixfr no; };
"#;

/// Large enough for the wire to be cut before all is there.
fn zone(serial: u32, records: u32) -> String {
    format!(
        "$TTL 300\n@ SOA ns hostmaster {serial} 1h 10m 1w 5m\n@ NS ns\nns A 10.0.0.1\n$GENERATE 1-{records} h$ A 192.0.2.1\n"
    )
}

fn options(more: &str) -> String {
    format!("options {{ directory \"/var/cache/bind\"; listen-on {{ any; }}; notify-delay 0; {more} }};\n")
}

#[test]
fn a_transfer_that_is_cut_leaves_the_old_version_and_goes_on_when_the_wire_is_mended() {
    let pair = Host::pair();
    let [primary, secondary] = &pair;
    primary.write_conf("named.conf.options", &options("transfer-format one-answer;"));
    let short = "tcp-idle-timeout 20; min-retry-time 1; max-retry-time 1;";
    secondary.write_conf("named.conf.options", &options(short));
    primary.write_conf("named.conf.local", PRIMARY);
    secondary.write_conf("named.conf.local", SECONDARY);
    primary.write_conf("big", &zone(1, 10));
    let _primary = primary.start(Kind::Bind, &[]);
    let _secondary = secondary.start(Kind::Nomd, &[]);
    let has = |serial| secondary.has_serial("127.0.0.1", "big.example", serial);
    secondary.wait_until("it has the zone", || has(1));

    primary.write_conf("big", &zone(2, 150_000));
    primary.done(&["rndc", "reload", "big.example"]);
    let connected = || secondary.log().matches("connected using 10.0.0.2#").count();
    secondary.wait_until("the second transfer runs", || connected() >= 2);
    secondary.done(&["ip", "link", "set", "wire", "down"]);
    assert!(has(1), "the transfer was over too soon:\n{}", secondary.log());
    primary.write_conf("big", &zone(3, 10));
    primary.done(&["rndc", "reload", "big.example"]);
    assert!(has(1));
    assert!(secondary.run(&["dig", "@127.0.0.1", "h5.big.example", "A", "+short"]).stdout.contains("192.0.2.1"));

    secondary.done(&["ip", "link", "set", "wire", "up"]);
    secondary.wait_until("it has caught up by itself", || has(3));
}
