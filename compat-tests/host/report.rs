//! `nomd report`: what it says comes true.

use super::super::peers::host::Host;
use super::super::peers::{Kind, Output, nomd};

/// Exit codes of `nomd report`.
const READY: i32 = 0;
const WARNINGS: i32 = 1;
const STOPPED: i32 = 2;

fn report(host: &Host, flags: &str) -> Output {
    let words: Vec<&str> = [nomd(), "report"].into_iter().chain(flags.split_whitespace()).collect();
    host.run(&words)
}

fn starts(host: &Host, flags: &str) -> bool {
    let program = host.program(Kind::Nomd);
    let words: Vec<&str> = [program.as_str()].into_iter().chain(flags.split_whitespace()).collect();
    host.try_start(&words).0.is_none()
}

#[test]
fn the_stock_package_starts_with_warnings() {
    let host = Host::new();
    let report = report(&host, "");
    assert_eq!(report.status, WARNINGS, "{report:?}");
    for line in [
        "/etc/bind/named.conf, run by nomd as bind\n4 files, 1 view, 5 zones (1 hint, 4 primary); ",
        "for localhost, localnets (the default,",
        "anybody may transfer 4 zones, for no allow-transfer says otherwise",
        "nomd would start. Read the ",
    ] {
        assert!(report.stdout.contains(line), "{line}\n{}", report.stdout);
    }
}

/// A server that the report lets start starts, and one that it stops does not.
#[test]
fn the_verdict_is_what_happens() {
    let host = Host::new();
    let conf = |options: &str, more: &str| {
        format!(
            "options {{ directory \"/var/cache/bind\"; pid-file none; listen-on port 5301 {{ 127.0.0.1; }};
             listen-on-v6 {{ none; }}; recursion no; allow-transfer {{ none; }}; {options} }};\ncontrols {{ }};\n{more}"
        )
    };
    for (name, options, more, flags, expected) in [
        ("plain", "", "", "", READY),
        ("dns64", "dns64 64:ff9b::/96 { };", "", "", STOPPED),
        ("tolerated", "dns64 64:ff9b::/96 { };", "", "--tolerate dns64", WARNINGS),
        ("signing", "", "zone a { type primary; file \"a\"; inline-signing yes; };", "", STOPPED),
        ("update", "", "zone a { type primary; file \"no-such\"; allow-update { any; }; };", "", WARNINGS),
        ("forward", "", "zone a { type forward; forwarders { 10.0.0.1; }; };", "--tolerate type-forward", WARNINGS),
        ("zone", "", "zone \"a.example\" { type primary; file \"no-such\"; };", "", WARNINGS),
        ("log", "", "logging { channel a { file \"/no/such\"; }; category general { a; }; };", "", STOPPED),
        ("partial", "dnstap { all; }; dnstap-output unix \"/run/tap\";", "statistics-channels { };", "", WARNINGS),
        ("secret", "", "", "", STOPPED),
    ] {
        host.write_conf(name, &conf(options, more));
        if name == "secret" {
            host.done(&["chmod", "600", "/etc/bind/secret"]);
        }
        let report = report(&host, &format!("{flags} /etc/bind/{name}"));
        let started = starts(&host, &format!("-f -u bind {flags} -c /etc/bind/{name}"));
        assert_eq!((report.status, started), (expected, expected != STOPPED), "{name}\n{}", report.stdout);
    }
}

#[test]
fn what_the_environment_tolerates_starts() {
    let host = Host::new();
    host.write_conf("named.conf.local", "zone a { type primary; file \"/etc/bind/db.empty\"; inline-signing yes; };");
    let program = host.program(Kind::Nomd);
    let words = [program.as_str(), "-g", "-u", "bind"];
    let (code, said) = host.try_start(&words);
    assert_eq!(code, Some(1));
    assert!(said.contains("/etc/bind/named.conf.local:1: option 'inline-signing' is refused: "), "{said}");
    let words: Vec<&str> = ["env", "NOMD_TOLERATE=inline-signing"].into_iter().chain(words).collect();
    let (code, said) = host.try_start(&words);
    assert_eq!(code, None);
    assert!(said.contains("option 'inline-signing' has no effect, which is tolerated: "), "{said}");
}
