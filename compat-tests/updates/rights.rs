//! Who may change what: `allow-update`, `update-policy`, and the key of this host.

use super::{BOTH, ZONE, nsupdate, records, start, text, told};
use crate::peers::{Kind, Server, Spec, Zone};

const KEYS: &str = r#"
key k { algorithm hmac-sha256; secret "bm9tZC1jb21wYXQtdGVzdHMtc2VjcmV0LTAxMjM0NTY="; };
key other { algorithm hmac-sha256; secret "bm9tZC1jb21wYXQtdGVzdHMtc2VjcmV0LTAxMjM0NTY="; };
key h.dyn.test { algorithm hmac-sha256; secret "bm9tZC1jb21wYXQtdGVzdHMtc2VjcmV0LTAxMjM0NTY="; };
"#;
const SECRET: &str = "bm9tZC1jb21wYXQtdGVzdHMtc2VjcmV0LTAxMjM0NTY=";

fn with(kind: Kind, clauses: &str) -> Server {
    let zones = vec![Zone::primary(ZONE, text()).with(clauses)];
    Server::start(kind, &Spec { zones, statements: KEYS.into(), ..Spec::default() })
}

/// Who asks for what, what nsupdate says of it, and what becomes of the zone.
fn play(kind: Kind, clauses: &str) -> Vec<String> {
    let server = with(kind, clauses);
    let mut outcomes = vec![];
    for who in ["", "k", "other", "h.dyn.test", "nobody"] {
        let key = format!("hmac-sha256:{who}:{SECRET}");
        for lines in [
            "add x.dyn.test 60 A 192.0.2.1\nadd x.dyn.test 60 A 192.0.2.2\nadd x.dyn.test 60 A 192.0.2.3",
            "add x.dyn.test 60 TXT t",
            "add x.y.dyn.test 60 TXT t",
            "add h.dyn.test 60 A 192.0.2.9",
            "add w.h.dyn.test 60 A 192.0.2.9\nadd dyn.test 60 NS ns.elsewhere.",
            "del x.dyn.test\ndel nowhere.dyn.test",
            "del nowhere.dyn.test A",
            "del nowhere.dyn.test PTR",
            "del nowhere.dyn.test SRV 1 1 1 a.",
            "prereq nxdomain a.dyn.test\nadd nowhere.dyn.test 60 TXT t",
        ] {
            // Who has no key is only known over TCP.
            for tcp in if who.is_empty() { &[false, true][..] } else { &[false] } {
                let mut words = if *tcp { vec!["-v"] } else { vec![] };
                if !who.is_empty() {
                    words.extend(["-y", &key]);
                }
                let output = nsupdate(&server, &words, lines);
                outcomes.push(format!("{who} {tcp} {lines}: {} {}", output.status, output.stderr));
            }
        }
        outcomes.extend(records(&server));
    }
    outcomes.extend(told(&server));
    outcomes
}

#[test]
fn lists_and_rules_let_those_change_a_zone_whom_named_lets() {
    for clauses in [
        "allow-update { key k; };",
        "allow-update { !key other; 127.0.0.1; };",
        "allow-update { none; };",
        "allow-update { };",
        "",
        "allow-query { none; }; allow-update { any; };",
        "update-policy { grant k zonesub ANY; };",
        "update-policy { grant k zonesub; };",
        "update-policy { grant k subdomain x.dyn.test. A(2) TXT; deny other name x.dyn.test.; grant other zonesub ANY; };",
        "update-policy { grant * self . A; grant *.test selfsub . TXT; grant h.dyn.test selfwild . A; };",
        "update-policy { grant k wildcard *.y.dyn.test. TXT; deny * zonesub TXT; grant k zonesub ANY; };",
        "update-policy { grant k name x.dyn.test. ANY(1) A(2); };",
    ] {
        let [theirs, ours] = BOTH.map(|kind| play(kind, clauses));
        for (theirs, ours) in theirs.iter().zip(&ours) {
            assert_eq!(ours, theirs, "{clauses}");
        }
        assert_eq!(ours.len(), theirs.len(), "{clauses}");
    }
}

#[test]
fn a_host_may_change_its_own_reverse_names_over_tcp_as_with_named() {
    const REVERSE: &str = "127.in-addr.arpa";
    let run = |kind| {
        let rules = "update-policy { grant *.127.in-addr.arpa tcp-self . PTR(1); grant * 6to4-self . PTR; };";
        let text = "$TTL 60\n@ SOA ns. m. 1 2 3 4 5\n@ NS ns.\n";
        let zones = vec![Zone::primary(REVERSE, text).with(rules)];
        let server = Server::start(kind, &Spec { zones, ..Spec::default() });
        server.wait_for_serial(REVERSE, 1);
        let mut outcomes = vec![];
        for words in [&[][..], &["-v"]] {
            for owner in ["1.0.0.127.in-addr.arpa", "2.0.0.127.in-addr.arpa"] {
                let lines = format!("zone {REVERSE}\nadd {owner} 60 PTR host.");
                outcomes.push((words, owner, nsupdate(&server, words, &lines).stderr));
            }
        }
        (outcomes, told(&server))
    };
    let [theirs, ours] = BOTH.map(run);
    assert_eq!(ours, theirs);
}

#[test]
fn the_session_key_lets_this_host_change_what_is_local() {
    for kind in BOTH {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("session.key").display().to_string();
        let options = format!("session-keyfile \"{path}\"; session-keyname \"of-host\"; session-keyalg hmac-sha512;");
        let server = with(kind, "update-policy { grant k zonesub ANY; };");
        let conf = server.path("named.conf");
        let text = std::fs::read_to_string(&conf).unwrap();
        let text = text.replace("session-keyfile none;", &options);
        let local = text.replace("{ grant k zonesub ANY; }", "local");
        // It is made whether or not a zone asks for it, and once.
        let keys = [text, local].map(|text| {
            std::fs::write(&conf, text).unwrap();
            assert_eq!(server.rndc(&["reconfig"]).status, 0, "{kind:?}");
            std::fs::read_to_string(&path).unwrap()
        });
        assert_eq!(keys[0], keys[1], "{kind:?}");
        let made = server.settled_log().matches("generating session key for dynamic DNS\n").count();
        assert_eq!(made, 1, "{kind:?}");
        let [key, _] = keys;
        let beginning = "key \"of-host\" {\n\talgorithm hmac-sha512;\n\tsecret \"";
        assert!(key.starts_with(beginning) && key.ends_with("\";\n};\n"), "{kind:?} {key}");
        let mode = std::os::unix::fs::PermissionsExt::mode(&std::fs::metadata(&path).unwrap().permissions());
        assert_eq!(mode & 0o777, 0o600, "{kind:?}");
        let output = nsupdate(&server, &["-k", &path], "add x.dyn.test 60 A 192.0.2.1");
        assert_eq!((output.status, &*output.stderr), (0, ""), "{kind:?}");
        server.wait_for_serial(ZONE, 2);
        assert_eq!(nsupdate(&server, &["-v"], "add y.dyn.test 60 A 192.0.2.1").stderr, "update failed: REFUSED\n");
        drop(server.stop());
        assert!(!std::path::Path::new(&path).exists(), "{kind:?}");
    }
}

/// named refuses such a configuration as a whole.
#[test]
fn a_zone_that_nobody_may_change_for_want_of_a_session_key_is_told_of() {
    let server = with(Kind::Nomd, "update-policy local;");
    let missing = format!("failed to enable auto DDNS policy for zone {ZONE}: session key not found\n");
    server.wait_for_log(&missing);
    assert_eq!(nsupdate(&server, &["-v"], "add y.dyn.test 60 A 192.0.2.1").stderr, "update failed: REFUSED\n");
}

#[test]
fn replies_are_signed_over_udp_and_tcp() {
    for kind in BOTH {
        let server = with(kind, "allow-update { key k; };");
        for (words, last) in [(&["-d"][..], 1), (&["-d", "-v"], 2)] {
            let key = format!("hmac-sha256:k:{SECRET}");
            let lines = format!("add x.dyn.test 60 A 192.0.2.{last}");
            let output = nsupdate(&server, &[words, &["-y", &key]].concat(), &lines);
            let (_, reply) = output.stderr.split_once("Reply from update query:").unwrap();
            assert!(reply.contains("status: NOERROR") && reply.contains("TSIG PSEUDOSECTION"), "{kind:?} {reply}");
            assert!(!output.stderr.contains("TSIG error"), "{kind:?} {output:?}");
        }
        server.wait_for_serial(ZONE, 3);
    }
    // A zone that does not change by updates.
    let server = Server::start(Kind::Nomd, &super::spec(""));
    assert_eq!(nsupdate(&server, &[], "add x.dyn.test 60 A 192.0.2.1").stderr, "update failed: REFUSED\n");
    drop(start(Kind::Nomd));
}
