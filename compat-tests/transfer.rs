//! Every pairing of primary and secondary: AXFR both ways, NOTIFY both ways, TSIG of every algorithm.

use super::peers::{Key, Kind, PEERS, Server, Spec, Zone, dig, free_port};
use super::zones;

const ZONE: &str = "example.com";

/// A primary that announces to a secondary; both run, the secondary holds serial 1.
fn pair(primary: Kind, secondary: Kind, key: Option<Key>) -> (Server, Server) {
    let (primary_port, secondary_port) = (free_port(), free_port());
    let zone = Zone::primary(ZONE, zones::example(1)).notifying(secondary_port);
    let from =
        Server::start_at(primary, &Spec { zones: vec![zone], key: key.clone(), ..Spec::default() }, primary_port);
    from.wait_for_serial(ZONE, 1);
    let zone = Zone::secondary(ZONE, primary_port);
    let to = Server::start_at(secondary, &Spec { zones: vec![zone], key, ..Spec::default() }, secondary_port);
    to.wait_for_serial(ZONE, 1);
    (from, to)
}

/// The copy is the original, and a change follows at once because it is announced.
fn follows(primary: Kind, secondary: Kind, key: Option<&Key>) {
    let (from, to) = pair(primary, secondary, key.cloned());
    let both = || (dig::transfer(from.port, ZONE, key), dig::transfer(to.port, ZONE, key));
    let (original, copy) = both();
    assert!(original.as_ref().is_some_and(|records| records.len() > 20), "{primary:?} gives no zone: {original:?}");
    assert_eq!(original, copy, "{secondary:?}'s copy of {primary:?}'s zone");
    from.change_zone(ZONE, &zones::example(2));
    to.wait_for_serial(ZONE, 2);
    let (original, copy) = both();
    assert_eq!(original, copy, "{secondary:?}'s copy of {primary:?}'s changed zone");
}

#[test]
fn peers_agree_among_themselves() {
    for p in PEERS {
        for q in PEERS {
            follows(p, q, Some(&Key::new("hmac-sha256")));
        }
    }
}
#[test]
fn nomd_is_primary_for_every_peer() {
    for peer in PEERS {
        follows(Kind::Nomd, peer, None);
    }
}

#[test]
fn nomd_is_secondary_of_every_peer() {
    for peer in PEERS {
        follows(peer, Kind::Nomd, None);
    }
}

#[test]
fn nomd_is_secondary_of_itself() {
    follows(Kind::Nomd, Kind::Nomd, Some(&Key::new("hmac-sha256")));
}

#[test]
fn nomd_is_primary_for_every_peer_with_a_key() {
    for peer in PEERS {
        follows(Kind::Nomd, peer, Some(&Key::new("hmac-sha256")));
    }
}

#[test]
fn nomd_is_secondary_of_every_peer_with_a_key() {
    for peer in PEERS {
        follows(peer, Kind::Nomd, Some(&Key::new("hmac-sha512")));
    }
}

#[test]
fn every_algorithm_signs_transfers_both_ways() {
    let all = [
        "hmac-md5",
        "hmac-sha1",
        "hmac-sha224",
        "hmac-sha256",
        "hmac-sha384",
        "hmac-sha512",
        "hmac-sha256-128",
        "hmac-sha512-256",
    ];
    for algorithm in all {
        let key = Key::new(algorithm);
        let (from, _to) = pair(Kind::Nomd, Kind::Bind, Some(key.clone()));
        assert!(dig::transfer(from.port, ZONE, Some(&key)).is_some(), "dig with {algorithm}");
        pair(Kind::Bind, Kind::Nomd, Some(key));
    }
}

#[test]
fn a_transfer_without_the_key_is_refused() {
    let key = Key::new("hmac-sha256");
    for kind in [Kind::Bind, Kind::Nomd] {
        let zones = vec![Zone::primary(ZONE, zones::example(1))];
        let server = Server::start(kind, &Spec { zones, key: Some(key.clone()), ..Spec::default() });
        server.wait_for_serial(ZONE, 1);
        assert_eq!(dig::transfer(server.port, ZONE, None), None, "{kind:?} without a key");
        let wrong = Key { secret: "d3JvbmcgYnV0IGxvbmcgZW5vdWdoIHRvIGJlIGEga2V5".into(), ..key.clone() };
        assert_eq!(dig::transfer(server.port, ZONE, Some(&wrong)), None, "{kind:?} with another key");
        assert!(dig::transfer(server.port, ZONE, Some(&key)).is_some(), "{kind:?} with the key");
        server.wait_for_log("zone transfer 'example.com/AXFR/IN' denied");
        server.wait_for_log("tsig verify failure (BADSIG)");
    }
}

#[test]
fn a_large_zone_takes_many_messages_and_arrives_whole() {
    let zone = "large.example";
    for (primary, secondary) in [(Kind::Nomd, Kind::Bind), (Kind::Bind, Kind::Nomd), (Kind::Nomd, Kind::Nomd)] {
        let key = Some(Key::new("hmac-sha256"));
        let text = zones::large(zone, 7, 5_000);
        let spec = Spec { zones: vec![Zone::primary(zone, text)], key: key.clone(), ..Spec::default() };
        let from = Server::start(primary, &spec);
        from.wait_for_serial(zone, 7);
        let spec = Spec { zones: vec![Zone::secondary(zone, from.port)], key: key.clone(), ..Spec::default() };
        let to = Server::start(secondary, &spec);
        to.wait_for_serial(zone, 7);
        let copy = dig::transfer(to.port, zone, key.as_ref());
        assert_eq!(copy.as_ref().map(Vec::len), Some(10_003), "{secondary:?} of {primary:?}");
        assert_eq!(dig::transfer(from.port, zone, key.as_ref()), copy);
    }
}

#[test]
fn an_ixfr_request_gets_the_whole_zone_where_there_is_no_journal() {
    let server =
        Server::start(Kind::Nomd, &Spec { zones: vec![Zone::primary(ZONE, zones::example(5))], ..Spec::default() });
    server.wait_for_serial(ZONE, 5);
    let old = dig::dig(server.port, &[ZONE, "IXFR=4", "+noall", "+answer", "+tcp"]).stdout;
    assert!(old.lines().filter(|line| line.contains("\tSOA\t")).count() == 2 && old.contains("192.0.2.80"), "{old}");
    let current = dig::dig(server.port, &[ZONE, "IXFR=5", "+noall", "+answer", "+tcp"]).stdout;
    assert_eq!(current.lines().filter(|line| line.contains("\tIN\t")).count(), 1, "{current}");
    let datagram = dig::dig(server.port, &[ZONE, "IXFR=4", "+noall", "+answer", "+notcp"]).stdout;
    assert_eq!(datagram.lines().filter(|line| line.contains("\tIN\t")).count(), 1, "{datagram}");
}

#[test]
fn several_primaries_are_tried_in_order() {
    let spec = Spec { zones: vec![Zone::primary(ZONE, zones::example(3))], ..Spec::default() };
    let from = Server::start(Kind::Bind, &spec);
    from.wait_for_serial(ZONE, 3);
    let dead = free_port();
    let mut zone = Zone::secondary(ZONE, from.port);
    zone.role = super::peers::Role::Secondary(dead);
    let statements = format!(
        "primaries two {{ 127.0.0.1 port {dead}; 127.0.0.1 port {}; }};
         zone \"{ZONE}\" {{ type slave; file \"{ZONE}.db\"; masters {{ two; }}; }};",
        from.port
    );
    let to = Server::start(Kind::Nomd, &Spec { statements, ..Spec::default() });
    to.wait_for_serial(ZONE, 3);
}

#[test]
fn a_transfer_beyond_the_quota_is_servfail() {
    use std::io::{Read, Write};
    use std::net::TcpStream;

    let zone = "large.example";
    let query = [b"\0\x1f\0\x07\0\0\0\x01\0\0\0\0\0\0\x05large\x07example\0".as_slice(), b"\0\xfc\0\x01"].concat();
    let mut with_nsid = [&query[2..], b"\0\0\x29\x04\xd0\0\0\0\0\0\x04\0\x03\0\0"].concat();
    with_nsid[11] = 1;
    let mut refused = vec![];
    for kind in [Kind::Bind, Kind::Nomd] {
        let zones = vec![Zone::primary(zone, zones::large(zone, 7, 100_000))];
        let options = "transfers-out 1; server-id \"me\";".into();
        let server = Server::start(kind, &Spec { zones, options, ..Spec::default() });
        server.wait_for_serial(zone, 7);
        let ask = || {
            let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
            stream.write_all(&query).unwrap();
            stream
        };
        // The first client reads a little and then leaves the rest where it is.
        let mut first = ask();
        first.read_exact(&mut [0; 100]).unwrap();
        let mut reply = [0; 14];
        ask().read_exact(&mut reply).unwrap();
        assert_eq!(reply[2..6], query[2..4].iter().chain(&[0x80, 2]).copied().collect::<Vec<u8>>(), "{kind:?}");
        server.wait_for_log("request denied: quota reached");
        refused.push(reply_to(server.port, &with_nsid));
    }
    assert_eq!(refused[1], refused[0]);
    assert_eq!(refused[1][3] & 15, 2, "{refused:?}");
}

#[test]
fn transfers_out_of_0_is_no_limit() {
    for kind in [Kind::Bind, Kind::Nomd] {
        let zones = vec![Zone::primary(ZONE, zones::example(1))];
        let server = Server::start(kind, &Spec { zones, options: "transfers-out 0;".into(), ..Spec::default() });
        server.wait_for_serial(ZONE, 1);
        assert!(dig::transfer(server.port, ZONE, None).is_some(), "{kind:?}");
    }
}

/// The reply to this request over TCP.
fn reply_to(port: u16, request: &[u8]) -> Vec<u8> {
    use std::io::Write;

    let mut stream = std::net::TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.write_all(&super::packets::framed(request)).unwrap();
    super::packets::receive(&mut stream).unwrap()
}
