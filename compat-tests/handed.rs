//! Transfers in and out within their limits: how many run at once, how large messages are, and when the next check is
//! due, with named and with nomd.

use std::collections::BTreeSet;
use std::io::Write;
use std::net::{IpAddr, Ipv4Addr, TcpStream};
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};

use super::packets::{framed, message, question, receive};
use super::peers::listener::{Listener, honest};
use super::peers::{Kind, PATIENCE, Server, Spec, Zone, dig, free_port, within};
use super::zones;

const BOTH: [Kind; 2] = [Kind::Bind, Kind::Nomd];
const ZONES_EACH: usize = 4;

/// How many transfers run from each of three primaries while none of them ends, and what `rndc status` says.
fn running(kind: Kind, options: &str) -> (Vec<usize>, Vec<String>) {
    let is_held = Arc::new(AtomicBool::new(true));
    let primaries = [1, 2, 3].map(|number| {
        let held = Arc::clone(&is_held);
        let address = (IpAddr::from(Ipv4Addr::new(127, 0, 6, number)), free_port());
        Listener::start(address.into(), move |heard| {
            if heard.kind() == "AXFR" {
                within(PATIENCE, || !held.load(Ordering::SeqCst));
            }
            honest(heard, 1)
        })
    });
    let zone = |(at, listener): (usize, &Listener)| {
        let (ip, port) = (listener.address.ip(), listener.address.port());
        let zone = |number| {
            format!("zone \"z{at}{number}.example\" {{ type secondary; primaries {{ {ip} port {port}; }}; }};\n")
        };
        (0..ZONES_EACH).map(zone).collect::<String>()
    };
    let statements =
        "server 127.0.6.3 { transfers 1; };\n".to_owned() + &primaries.iter().enumerate().map(zone).collect::<String>();
    let options = format!("serial-query-rate 1000; {options}");
    let server = Server::start(kind, &Spec { statements, options, ..Spec::default() });
    // On a busy host one may be asked twice.
    let zones_of = |one: &Listener, kind: &str| {
        let heard = one.heard().into_iter().filter(|heard| heard.kind() == kind);
        heard.map(|heard| heard.request.zone).collect::<BTreeSet<_>>().len()
    };
    let count = |kind: &'static str| primaries.each_ref().map(|one| zones_of(one, kind));
    server.wait_until("all primaries are asked", || count("SOA") == [ZONES_EACH; 3]);
    let status = || {
        let status = server.rndc(&["status"]).stdout;
        status.lines().filter(|line| line.starts_with("xfers")).map(str::to_owned).collect::<Vec<_>>()
    };
    let sum = |lines: &[String]| {
        lines.iter().filter_map(|line| line.split(": ").nth(1)?.parse::<usize>().ok()).sum::<usize>()
    };
    server.wait_until("all zones are to be transferred", || sum(&status()) == 3 * ZONES_EACH);
    server.wait_until("those that may have begun", || {
        status()[0].ends_with(&format!(" {}", count("AXFR").iter().sum::<usize>()))
    });
    let (counts, lines) = (count("AXFR"), status());
    is_held.store(false, Ordering::SeqCst);
    for at in 0..3 {
        (0..ZONES_EACH).for_each(|number| server.wait_for_serial(&format!("z{at}{number}.example"), 1));
    }
    (counts.to_vec(), lines)
}

#[test]
fn as_many_transfers_run_at_once_as_with_named() {
    for options in ["transfers-in 100;", "transfers-in 100; transfers-per-ns 3;"] {
        let [theirs, ours] = BOTH.map(|kind| running(kind, options));
        assert_eq!(ours, theirs, "{options}");
        assert_eq!(theirs.0[2], 1, "as the server statement says");
    }
    for kind in BOTH {
        let (counts, lines) = running(kind, "transfers-in 3; transfers-per-ns 2;");
        assert_eq!(counts.iter().sum::<usize>(), 3, "{kind:?}");
        assert_eq!(lines, ["xfers running: 3", "xfers deferred: 9"], "{kind:?}");
    }
}

/// The sizes of the messages of a transfer, and how many records there are in each.
fn messages(kind: Kind, options: &str) -> Vec<(usize, u16)> {
    let zone = "large.example";
    let spec = Spec {
        zones: vec![Zone::primary(zone, zones::large(zone, 7, 300))],
        options: options.into(),
        ..Spec::default()
    };
    let server = Server::start(kind, &spec);
    server.wait_for_serial(zone, 7);
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&framed(&message(1, 0, [1, 0, 0, 0], &question(zone, 252, 1)))).unwrap();
    let (mut messages, mut records) = (vec![], 0);
    while records < 604 {
        let message = receive(&mut stream).unwrap();
        let count = u16::from_be_bytes([message[6], message[7]]);
        records += count;
        messages.push((message.len(), count));
    }
    messages
}

#[test]
fn messages_of_a_transfer_are_as_large_as_is_said() {
    let [theirs, ours] = BOTH.map(|kind| messages(kind, "transfer-format one-answer;"));
    assert_eq!(ours, theirs);
    assert!(theirs.iter().all(|(_, records)| *records == 1));
    for (options, limit) in [("transfer-message-size 1000;", 1000), ("transfer-message-size 5000;", 5000), ("", 20480)]
    {
        let [theirs, ours] = BOTH.map(|kind| messages(kind, options));
        for messages in [&theirs, &ours] {
            assert!(messages.iter().all(|(bytes, _)| *bytes <= limit + SLACK), "{options}: {messages:?}");
        }
        assert!(ours.len() <= theirs.len() + 1, "{options}: {} and {}", ours.len(), theirs.len());
    }
}

/// named stops behind the record that fills a message.
const SLACK: usize = 100;

/// A busy host may take so long from a check to the look at what became of it.
const SLACK_S: i64 = 60;

/// Seconds from now until a time of `rndc zonestatus`.
fn until(server: &Server, what: &str) -> i64 {
    let status = server.rndc(&["zonestatus", "example.com"]).stdout;
    let line = status.lines().find_map(|line| line.strip_prefix(what)?.strip_prefix(": ")).unwrap_or_default();
    let time = jiff::fmt::rfc2822::parse(line).unwrap_or_else(|error| panic!("{what}: {error}: {status}"));
    time.timestamp().as_second() - jiff::Timestamp::now().as_second()
}

#[test]
fn timers_are_kept_within_their_limits_as_by_named() {
    // REFRESH, RETRY and EXPIRE, settings, and what the refresh interval and the time to expiry come to.
    let cases = [
        ([7200, 900, 1_209_600], "", 7200, 1_209_600),
        ([10, 5, 100], "", 300, 800),
        ([10, 5, 100], "min-refresh-time 1000; min-retry-time 2000;", 1000, 3000),
        ([100_000, 90_000, 1_209_600], "max-refresh-time 5000; max-retry-time 900;", 5000, 1_209_600),
        ([7200, 900, 2_000_000_000], "", 7200, 14_515_200),
    ];
    for ([refresh, retry, expire], clauses, refresh_s, expire_s) in cases {
        let text = format!("$TTL 300\n@ SOA ns1 h 1 {refresh} {retry} {expire} 60\n@ NS ns1\nns1 A 127.0.0.1\n");
        let source =
            Server::start(Kind::Bind, &Spec { zones: vec![Zone::primary("example.com", text)], ..Spec::default() });
        source.wait_for_serial("example.com", 1);
        for kind in BOTH {
            let zones = vec![Zone::secondary("example.com", source.port).with(clauses)];
            let server = Server::start(kind, &Spec { zones, ..Spec::default() });
            server.wait_for_serial("example.com", 1);
            server.wait_until_idle();
            let (next, expires) = (until(&server, "next refresh"), until(&server, "expires"));
            assert!((refresh_s * 3 / 4 - SLACK_S..=refresh_s).contains(&next), "{kind:?} {refresh} {clauses}: {next}");
            assert!((expire_s - SLACK_S..=expire_s).contains(&expires), "{kind:?} {expire} {clauses}: {expires}");
        }
    }
}

#[test]
fn every_message_is_signed_with_every_algorithm() {
    // named takes no unsigned message within a signed transfer, and dig checks what is signed.
    use super::peers::Key;
    let zone = "large.example";
    for algorithm in
        ["hmac-md5", "hmac-sha1", "hmac-sha224", "hmac-sha256", "hmac-sha384", "hmac-sha512", "hmac-sha512-256"]
    {
        let key = Key::new(algorithm);
        let zones = vec![Zone::primary(zone, zones::large(zone, 7, 2000))];
        let server = Server::start(Kind::Nomd, &Spec { zones, key: Some(key.clone()), ..Spec::default() });
        server.wait_for_serial(zone, 7);
        let zones = vec![Zone::secondary(zone, server.port)];
        let copy = Server::start(Kind::Bind, &Spec { zones, key: Some(key.clone()), ..Spec::default() });
        copy.wait_for_serial(zone, 7);
        assert_eq!(
            dig::transfer(server.port, zone, Some(&key)).map(|records| records.len()),
            Some(4003),
            "{algorithm}"
        );
    }
}
