//! Split horizon: which view a request is for, on both sides of a transfer.

use super::super::peers::Kind;
use super::super::peers::host::Host;

const ZONE: &str = "example.com";
const KEYS: &str = r#"
key "inside-key" { algorithm hmac-sha256; secret "aW5zaWRlLWluc2lkZS1pbnNpZGUtaW5zaWRlLTAxMjM="; };
key "outside-key" { algorithm hmac-sha512; secret "b3V0c2lkZS1vdXRzaWRlLW91dHNpZGUtb3V0c2lkZS0="; };
"#;
const INSIDE: &str = "hmac-sha256:inside-key:aW5zaWRlLWluc2lkZS1pbnNpZGUtaW5zaWRlLTAxMjM=";
const OUTSIDE: &str = "hmac-sha512:outside-key:b3V0c2lkZS1vdXRzaWRlLW91dHNpZGUtb3V0c2lkZS0=";

const OPTIONS: &str = r#"options {
    directory "/var/cache/bind"; recursion no; dnssec-validation no; empty-zones-enable no;
    listen-on-v6 { any; }; notify-delay 0;
};
"#;

const PRIMARY: &str = r#"
acl home { 127.0.0.0/8; 10.0.0.1; };
view "inside" {
    match-clients { key inside-key; !key outside-key; home; };
    server 10.0.0.2 { keys inside-key; };
    allow-transfer { key inside-key; };
    also-notify { 10.0.0.2; };
    zone "example.com" { type master; file "/etc/bind/inside"; };
    zone "shared.example" { type master; file "/etc/bind/shared"; allow-query { home; key outside-key; }; };
};
view "outside" {
    match-clients { any; };
    server 10.0.0.2 { keys outside-key; };
    allow-transfer { key outside-key; };
    also-notify { 10.0.0.2; };
    zone "example.com" { type master; file "/etc/bind/outside"; };
    zone "shared.example" { in-view "inside"; };
};
"#;

const SECONDARY: &str = r#"
view "inside" {
    match-clients { key inside-key; };
    zone "example.com" { type slave; file "inside"; masters { 10.0.0.1 key inside-key; }; };
};
view "outside" {
    match-clients { any; };
    zone "example.com" { type slave; file "outside"; masters { 10.0.0.1 key outside-key; }; };
};
"#;

fn text(view: &str, serial: u32) -> String {
    format!(
        "$TTL 300\n@ SOA ns1 hostmaster {serial} 3600 600 604800 300\n@ NS ns1\nns1 A 10.0.0.1\n@ TXT {view}-{serial}\n"
    )
}

fn shown(host: &Host, server: &str, key: Option<&str>, question: &[&str]) -> (String, Vec<String>) {
    let key: Vec<&str> = key.iter().flat_map(|key| ["-y", key]).collect();
    host.ask(&[&[server], question, &key].concat()).unwrap_or_default()
}

fn check(kinds: [Kind; 2]) {
    let pair = Host::pair();
    let [primary, secondary] = &pair;
    for (host, conf) in pair.iter().zip([PRIMARY, SECONDARY]) {
        host.write_conf("named.conf", &[OPTIONS, KEYS, conf].concat());
    }
    for view in ["inside", "outside", "shared"] {
        primary.write_conf(view, &text(view, 1));
    }
    let _primary = primary.start(kinds[0], &[]);
    let _secondary = secondary.start(kinds[1], &[]);
    let follows = |view: &str, key: Option<&str>, serial: u32| {
        let record = format!("{ZONE}. 300 IN TXT \"{view}-{serial}\"");
        secondary.wait_until(&format!("{kinds:?}: {record}"), || {
            shown(secondary, "@10.0.0.2", key, &[ZONE, "TXT"]).1 == [record.as_str()]
        });
    };
    follows("inside", Some(INSIDE), 1);
    follows("outside", None, 1);
    for (view, key, serial) in [("outside", Some(OUTSIDE), 2), ("inside", Some(INSIDE), 3)] {
        primary.write_conf(view, &text(view, serial));
        primary.done(&["rndc", "reload", ZONE, "IN", view]);
        follows(view, key, serial);
    }
    follows("outside", None, 2);
    let ambiguous = primary.run(&["rndc", "reload", ZONE]);
    assert_eq!((ambiguous.status, ambiguous.stdout.as_str()), (1, ""), "{kinds:?}: {ambiguous:?}");
    assert_eq!(shown(primary, "@127.0.0.1", None, &[ZONE, "TXT"]).1[0], "example.com. 300 IN TXT \"inside-3\"");
    assert_eq!(
        shown(primary, "@10.0.0.1", Some(OUTSIDE), &[ZONE, "TXT"]).1[0],
        "example.com. 300 IN TXT \"outside-2\""
    );
    assert_eq!(shown(primary, "@::1", None, &["shared.example", "TXT"]).0, "REFUSED");
    assert_eq!(shown(primary, "@::1", Some(OUTSIDE), &["shared.example", "TXT"]).0, "NOERROR");
}

#[test]
fn addresses_and_keys_choose_the_view_of_queries_transfers_and_notifies() {
    std::thread::scope(|scope| {
        for kinds in [[Kind::Nomd; 2], [Kind::Bind; 2], [Kind::Nomd, Kind::Bind], [Kind::Bind, Kind::Nomd]] {
            scope.spawn(move || check(kinds));
        }
    });
}
