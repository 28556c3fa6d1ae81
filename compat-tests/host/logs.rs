//! The `logging` statement: which lines go where, how they look, and how files are rolled and rotated.

use super::super::peers::host::Host;
use super::BOTH;

const OPTIONS: &str = r#"options {
    directory "/var/cache/bind"; recursion no; dnssec-validation no; listen-on-v6 { none; }; querylog no;
};
logging {
    channel all { file "all.log"; severity info; print-time yes; print-category yes; print-severity yes; };
    channel general { file "/var/cache/bind/general.log"; print-time iso8601; severity notice; };
    channel utc { file "utc.log"; print-time iso8601-utc; print-severity yes; severity notice; };
    channel queries { file "queries.log" versions 2 size 1k; print-category yes; };
    channel full { file "full.log" size 300; };
    channel grave { syslog local3; severity error; };
    category default { all; grave; };
    category general { general; utc; };
    category queries { queries; full; null; };
    category config { null; };
    category query-errors { null; };
    category lame-servers { default_debug; };
};
"#;

const ZONES: &str = r#"zone "a.example" { type primary; file "/etc/bind/db.local"; };
zone "bad.example" { type primary; file "/etc/bind/no-such"; };
"#;

fn log(host: &Host, name: &str) -> String {
    host.done(&["cat", &format!("/var/cache/bind/{name}")])
}

/// A log with what differs from run to run made the same: digits, and the order of lines.
fn shape(text: &str) -> Vec<String> {
    let digits = |text: &str| text.chars().map(|c| if c.is_ascii_digit() { '0' } else { c }).collect::<String>();
    let mut lines: Vec<String> = text.lines().map(digits).collect();
    lines.sort();
    lines
}

#[test]
fn lines_go_to_the_channels_of_their_categories_and_look_as_with_named() {
    let [bind, nomd] = BOTH.map(|kind| {
        let host = Host::new();
        host.write_conf("named.conf.options", OPTIONS);
        host.write_conf("named.conf.local", ZONES);
        let mut service = host.start(kind, &[]);
        host.ask(&["@127.0.0.1", "not.logged.localhost"]);
        host.done(&["rndc", "querylog", "on"]);
        for _ in 0..25 {
            host.ask(&["@127.0.0.1", "-b", "127.0.0.1#54321", "localhost", "A", "+dnssec"]);
        }
        host.done(&["rndc", "querylog", "off"]);
        host.done(&["mv", "/var/cache/bind/all.log", "/var/cache/bind/all.old"]);
        host.done(&["rndc", "reload"]);
        host.wait_until("the log is opened anew", || host.run(&["test", "-e", "/var/cache/bind/all.log"]).status == 0);
        host.wait_until("zones are loaded again", || log(&host, "utc.log").matches("all zones loaded").count() == 2);
        service.signal("TERM");
        service.wait_for_end();
        let zones = shape(&log(&host, "all.old"))
            .into_iter()
            .filter(|line| line.contains("zone ") && !line.contains("managed"));
        let addressed: String = log(&host, "queries.log")
            .lines()
            .map(|line| {
                // The address of an object in memory.
                line.split(' ').filter(|word| !word.starts_with("@0x")).collect::<Vec<_>>().join(" ") + "\n"
            })
            .collect();
        let sizes = ["queries.log.0", "queries.log.1", "full.log"].map(|name| log(&host, name).lines().count());
        let more = host.run(&["test", "-e", "/var/cache/bind/queries.log.2"]).status;
        let syslog: Vec<String> = host
            .log()
            .lines()
            // While it ends, named may or may not tell of its interface scanner.
            .filter(|line| line.starts_with("<155>") && !line.contains("interface scanning"))
            .map(|line| line.split(": ").skip(1).collect())
            .collect();
        let old_lines = log(&host, "all.log").contains("zone localhost/IN: loaded");
        let shapes = ["general.log", "utc.log"].map(|name| shape(&log(&host, name)));
        (zones.collect::<Vec<_>>(), shape(&addressed), sizes, more, syslog, old_lines, shapes)
    });
    assert_eq!(nomd, bind);
    let (zones, queries, sizes, _, syslog, _, _) = nomd;
    assert!(!zones.is_empty() && !queries.is_empty() && !syslog.is_empty() && !sizes.contains(&0));
}
