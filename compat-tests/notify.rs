//! NOTIFY as it arrives and leaves, beside named.

use super::peers::{Kind, Server, Spec, Zone, dig};
use super::zones;

const ZONE: &str = "example.com";

#[test]
fn a_notify_is_answered_as_named_answers_it() {
    let answers = [Kind::Bind, Kind::Nomd].map(|kind| {
        let spec = Spec { zones: vec![Zone::primary(ZONE, zones::example(1))], ..Spec::default() };
        let primary = Server::start(kind, &spec);
        primary.wait_for_serial(ZONE, 1);
        let spec = Spec { zones: vec![Zone::secondary(ZONE, primary.port)], ..Spec::default() };
        let secondary = Server::start(kind, &spec);
        secondary.wait_for_serial(ZONE, 1);
        [
            (&primary, ZONE, "SOA"),
            (&secondary, ZONE, "SOA"),
            (&primary, "nowhere.example", "SOA"),
            (&primary, ZONE, "A"),
        ]
        .map(|(server, name, rtype)| dig::ask(server.port, name, rtype, &["+opcode=notify", "+norec", "+noedns"]))
    });
    assert_eq!(answers[1], answers[0]);
}

#[test]
fn a_notify_from_elsewhere_is_refused_and_said() {
    for kind in [Kind::Bind, Kind::Nomd] {
        let mut zone = Zone::secondary(ZONE, super::peers::free_port());
        zone.role = super::peers::Role::Secondary(1);
        let statements = format!("zone \"{ZONE}\" {{ type secondary; primaries {{ 192.0.2.1; }}; file \"s.db\"; }};");
        let server = Server::start(kind, &Spec { statements, ..Spec::default() });
        let answer = dig::ask(server.port, ZONE, "SOA", &["+opcode=notify", "+norec"]);
        assert_eq!(answer.status, "REFUSED", "{kind:?}");
        server.wait_for_log("refused notify from non-primary: 127.0.0.1#");
    }
}

#[test]
fn a_notify_is_told_of_in_named_s_words() {
    let told = [Kind::Bind, Kind::Nomd].map(|kind| {
        let key = "key k { algorithm hmac-sha256; secret \"c2VjcmV0c2VjcmV0c2VjcmV0\"; };";
        let secondary = format!("zone \"{ZONE}\" {{ type secondary; primaries {{ 192.0.2.1; }}; file \"s.db\"; }};");
        let server = Server::start(kind, &Spec { statements: format!("{key}\n{secondary}"), ..Spec::default() });
        let key = "-yhmac-sha256:k:c2VjcmV0c2VjcmV0c2VjcmV0";
        for (name, key) in [(ZONE, None), (ZONE, Some(key)), ("nowhere.example", Some(key))] {
            let options: Vec<&str> = ["+opcode=notify", "+norec"].into_iter().chain(key).collect();
            dig::ask(server.port, name, "SOA", &options);
        }
        server.wait_for_log("not authoritative");
        let log = server.log();
        let lines = log.lines().filter(|line| line.contains("notify"));
        // What is behind the time, without the client's port and its address in memory.
        let words = |line: &str| -> Vec<String> {
            let words = line.split(' ').skip(2).filter(|word| !word.starts_with("@0x"));
            words.map(|word| word.split('#').next().unwrap_or_default().to_owned()).collect()
        };
        let tails = lines.map(|line| (words(line), line.contains("/key k: ")));
        tails.collect::<Vec<_>>()
    });
    assert_eq!(told[1], told[0]);
    assert_eq!(told[0].len(), 5, "{:?}", told[0]);
}

/// A zone behind a dialled line waits for the heartbeat, a command or a NOTIFY; one beside it does not.
#[test]
fn a_dialled_zone_is_fetched_when_somebody_wants_it() {
    for kind in [Kind::Bind, Kind::Nomd] {
        let text = "$TTL 300\n@ SOA ns hostmaster 1 7200 900 1209600 60\n NS ns\nns A 192.0.2.1\n";
        let zones = [ZONE, "dialled.example"].map(|name| Zone::primary(name, text));
        let primary = Server::start(kind, &Spec { zones: zones.into(), ..Spec::default() });
        primary.wait_for_serial("dialled.example", 1);
        let dialled = Zone::secondary("dialled.example", primary.port).with("dialup yes;");
        let spec = Spec { zones: vec![dialled, Zone::secondary(ZONE, primary.port)], ..Spec::default() };
        let secondary = Server::start(kind, &spec);
        secondary.wait_for_serial(ZONE, 1);
        let serial = dig::ask(secondary.port, "dialled.example", "SOA", &[]);
        assert_eq!(serial.status, "SERVFAIL", "{kind:?}");
        assert!(secondary.rndc(&["refresh", "dialled.example"]).status == 0);
        secondary.wait_for_serial("dialled.example", 1);
    }
}
