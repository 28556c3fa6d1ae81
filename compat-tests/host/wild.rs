//! Configurations as they are found in the wild, with named and with nomd.

use super::super::peers::host::Host;
use super::super::peers::{Kind, Output};
use super::BOTH;

fn options(clauses: &str) -> String {
    format!(
        "options {{ directory \"/var/cache/bind\"; recursion no; dnssec-validation no; empty-zones-enable no; {clauses} }};\n"
    )
}

/// What dig shows of an answer that does not differ from run to run.
fn shown(output: &Output) -> String {
    // named 9.18 does not say why it refuses (RFC 8914).
    let changes = [";; ", "; <<>>", "; EDE: 20 ", "\n"];
    let kept =
        output.stdout.lines().filter(|line| !line.is_empty() && !changes.iter().any(|start| line.starts_with(start)));
    let header =
        output.stdout.lines().filter(|line| line.contains("status:")).map(|line| line.split(", id").next().unwrap());
    format!("{} {}", output.status, header.chain(kept).collect::<Vec<_>>().join("\n"))
}

#[test]
fn identity_and_access_are_as_configured() {
    let hostname = "version \"not told\"; hostname none; server-id \"ns-1\";";
    let named = "version none; hostname \"a.host\"; server-id hostname;";
    let zones = r#"
        acl near { 127.0.0.0/29; !::1; };
        zone "on.example" { type primary; file "/etc/bind/db.local"; allow-query-on { 127.0.0.1; }; };
        zone "none.example" { type primary; file "/etc/bind/db.local"; allow-query { none; }; };
        zone "near.example" { type primary; file "/etc/bind/db.local"; allow-query { !127.0.0.3; near; }; };
        include "/etc/bind/zones.d/*.conf";
    "#;
    for (clauses, has_version) in [(hostname, true), (named, true), ("", false)] {
        let [bind, nomd] = BOTH.map(|kind| {
            let host = Host::new();
            host.write_conf("named.conf.options", &options(&format!("{clauses} blackhole {{ 127.0.0.66; }};")));
            host.write_conf("named.conf.local", zones);
            for name in ["a", "b"] {
                let zone = format!("zone \"{name}.example\" {{ type primary; file \"/etc/bind/db.local\"; }};");
                host.write_conf(&format!("zones.d/{name}.conf"), &zone);
            }
            host.done(&["ip", "addr", "add", "127.0.0.2/8", "dev", "lo"]);
            let _service = host.start(kind, &[]);
            let mut questions = vec![
                "@127.0.0.1 hostname.bind CH TXT",
                "@127.0.0.1 id.server CH TXT",
                "@127.0.0.1 localhost +nsid",
                "@127.0.0.1 -b 127.0.0.66 localhost +time=1",
                "@127.0.0.1 on.example",
                "@127.0.0.2 on.example",
                "@127.0.0.1 none.example",
                "@127.0.0.1 -b 127.0.0.5 near.example",
                "@127.0.0.1 -b 127.0.0.3 near.example",
                "@127.0.0.1 -b 127.0.0.9 near.example",
                "@::1 near.example",
                "@127.0.0.1 a.example SOA",
                "@127.0.0.1 b.example SOA",
                "@127.0.0.1 outside.example",
            ];
            if has_version {
                questions.extend(["@127.0.0.1 version.bind CH TXT", "@127.0.0.1 authors.bind CH TXT"]);
            }
            questions
                .into_iter()
                .map(|question| {
                    let words: Vec<&str> = question.split(' ').collect();
                    (question, shown(&host.dig(&[&words[..], &["+norec"]].concat())))
                })
                .collect::<Vec<_>>()
        });
        for (nomd, bind) in nomd.iter().zip(&bind) {
            assert_eq!(nomd, bind, "{clauses}");
        }
    }
}

const PRIMARY: &str = r#"
masters downstream port 5399 { 10.0.0.2; };
zone "one.example" { type master; file "/etc/bind/one"; notify explicit; also-notify { downstream; }; };
zone "two.example" { type master; file "/etc/bind/two"; notify explicit; also-notify port 5399 { 10.0.0.2 port 53; 10.0.0.2; }; };
zone "self.example" { type master; file "/etc/bind/self"; };
"#;

const SECONDARY: &str = r#"
masters list { upstream; };
masters upstream { 10.0.0.1; };
zone "one.example" { type slave; masters { upstream; }; };
zone "two.example" { type slave; file "slaves/two"; masters { 10.0.0.1 port 53; }; };
zone "self.example" { type slave; file "slaves/self"; masters { list; }; masterfile-format text; };
"#;

fn zone(servers: &str, serial: u32) -> String {
    format!("$TTL 300\n@ SOA ns0 hostmaster ( {serial} 1h 10m 1w 5m )\n{servers}\nns0 A 10.0.0.9\n")
}

/// A primary and a secondary with named lists, ports and NS names of their own.
fn check(kinds: [Kind; 2]) {
    let pair = Host::pair();
    let [primary, secondary] = &pair;
    primary.write_conf("named.conf.options", &options("notify-delay 0;"));
    secondary.write_conf("named.conf.options", &options("listen-on { any; }; listen-on port 5399 { 10.0.0.2; };"));
    for (host, conf) in pair.iter().zip([PRIMARY, SECONDARY]) {
        host.write_conf("named.conf.local", conf);
    }
    // Of its name servers one is the primary itself, by two names, and one is the secondary.
    let own = " NS here\n NS loop\n NS there\nhere A 10.0.0.1\nloop A 127.0.0.1\nthere A 10.0.0.2";
    let all = [("one", " NS ns0"), ("two", " NS ns0"), ("self", own)];
    all.iter().for_each(|(name, servers)| primary.write_conf(name, &zone(servers, 1)));
    secondary.done(&["install", "-d", "-o", "bind", "/var/cache/bind/slaves"]);
    let _primary = primary.start(kinds[0], &[]);
    let _secondary = secondary.start(kinds[1], &[]);
    let follow = |serial| {
        for (name, _) in all {
            let zone = format!("{name}.example");
            secondary
                .wait_until(&format!("{kinds:?}: {zone} {serial}"), || secondary.has_serial("10.0.0.2", &zone, serial));
        }
    };
    follow(1);
    all.iter().for_each(|(name, servers)| primary.write_conf(name, &zone(servers, 2)));
    primary.done(&["rndc", "reload"]);
    follow(2);
    // named does send to 127.0.0.1, and answers itself.
    let is_own = |line: &str| line.contains(" 127.0.0.1#") || line.contains(" 10.0.0.1#");
    let is_told_of = primary.log().lines().any(|line| line.contains("received notify") && is_own(line));
    assert!(kinds[0] == Kind::Bind || !is_told_of, "{kinds:?} notifies itself:\n{}", primary.log());
    secondary.wait_for_file("/var/cache/bind/slaves/self");
    let text = secondary.done(&["cat", "/var/cache/bind/slaves/self"]);
    assert!(text.starts_with("$ORIGIN"), "{kinds:?}: {text}");
}

#[test]
fn lists_ports_and_own_names_are_understood_on_both_sides() {
    std::thread::scope(|scope| {
        for kinds in [[Kind::Nomd; 2], [Kind::Bind; 2], [Kind::Nomd, Kind::Bind], [Kind::Bind, Kind::Nomd]] {
            scope.spawn(move || check(kinds));
        }
    });
}
