//! NOTIFYs between servers: how often one is sent that nobody answers, whose are taken, and who is asked after one.

use std::net::{Ipv4Addr, SocketAddr, UdpSocket};
use std::time::Duration;

use super::faults::stream::notify;
use super::peers::listener::{Heard, Listener, honest};
use super::peers::{Key, Kind, PATIENCE, Server, Spec, Zone, dig, free_port, receive, within};
use super::zones;

const BOTH: [Kind; 2] = [Kind::Bind, Kind::Nomd];
const ZONE: &str = "example.com";

/// nomd sends the first once more after a second: a secondary whose socket was full follows five times sooner.
#[test]
fn a_notify_that_nobody_answers_is_sent_three_times_five_seconds_apart_as_by_named() {
    // Side by side, since each takes ten seconds.
    let pairs = BOTH.map(|kind| {
        let silent = Listener::start((Ipv4Addr::LOCALHOST, free_port()).into(), |_| vec![]);
        let zone = Zone::primary(ZONE, zones::example(1)).notifying(silent.address.port());
        (Server::start(kind, &Spec { zones: vec![zone], ..Spec::default() }), silent)
    });
    for (server, silent) in &pairs {
        let expected_s: &[u64] = if server.kind == Kind::Nomd { &[1, 4, 5] } else { &[5, 5] };
        server.wait_until("it has been told so often", || silent.heard().len() > expected_s.len());
        let heard = silent.heard();
        let is_the_same = |one: &Heard| one.is_notify() && one.bytes[2..] == heard[0].bytes[2..];
        assert!(heard.iter().all(is_the_same), "{:?}: {heard:?}", server.kind);
        let pauses: Vec<_> = heard.windows(2).map(|pair| pair[1].at - pair[0].at).collect();
        // One that listens on a busy host may be held up.
        let is_usual = |(pause, usual_s): (&Duration, &u64)| {
            (Duration::from_millis(usual_s * 500)..Duration::from_secs(usual_s + 4)).contains(pause)
        };
        assert!(pauses.iter().zip(expected_s).all(is_usual), "{:?}: {pauses:?}", server.kind);
    }
}

/// Whence a NOTIFY comes, whether it is signed, and what becomes of it.
const SENDERS: [(&str, bool, &str); 5] = [
    ("127.0.0.1", false, "REFUSED"),
    ("127.0.0.2", false, "NOERROR"),
    ("127.0.0.3", false, "REFUSED"),
    ("127.0.0.3", true, "NOERROR"),
    ("127.0.0.4", true, "REFUSED"),
];

/// The lines of `rndc stats` on NOTIFY.
fn counted(server: &Server) -> Vec<String> {
    assert_eq!(server.rndc(&["stats"]).status, 0);
    let text = std::fs::read_to_string(server.path("named.stats")).unwrap();
    let (_, last) = text.rsplit_once("+++ Statistics Dump +++").unwrap();
    last.lines().filter(|line| line.contains("notif")).map(|line| line.trim().to_owned()).collect()
}

#[test]
fn allow_notify_says_whose_notifies_are_taken_and_the_others_are_counted_as_by_named() {
    let key = Key::new("hmac-sha256");
    let signed = format!("{}:{}:{}", key.algorithm, Key::NAME, key.secret);
    let zone = format!(
        "zone \"{ZONE}\" {{ type secondary; primaries {{ 192.0.2.1; }}; file \"s.db\"; \
         allow-notify {{ !127.0.0.4; 127.0.0.2; key \"{}\"; }}; }};",
        Key::NAME
    );
    let servers = BOTH.map(|kind| {
        let spec = Spec { key: Some(key.clone()), statements: zone.clone(), ..Spec::default() };
        let server = Server::start(kind, &spec);
        for (from, is_signed, status) in SENDERS {
            let words = ["+opcode=notify", "+norec", "-b", from, "-y", &signed];
            let answer = dig::ask(server.port, ZONE, "SOA", &words[..if is_signed { 6 } else { 4 }]);
            assert_eq!(answer.status, status, "{kind:?} {from} {is_signed}");
        }
        server
    });
    let counts = || servers.each_ref().map(counted);
    assert!(within(PATIENCE, || counts()[1] == counts()[0]), "{:?}", counts());
    let counts = counts();
    assert!(counts[0].iter().any(|line| line.starts_with("3 ") && line.contains("reject")), "{counts:?}");
}

/// The last byte of the address of the primary that is asked first after the second of two has sent a NOTIFY.
fn asked_first(kind: Kind) -> u8 {
    let port = free_port();
    let primaries = [1, 2].map(|number| {
        let address = SocketAddr::from((Ipv4Addr::new(127, 0, 7, number), port));
        (number, Listener::start(address, |heard| honest(heard, 1)))
    });
    let statements = format!(
        "zone \"{ZONE}\" {{ type secondary; file \"s.db\"; \
         primaries {{ 127.0.7.1 port {port}; 127.0.7.2 port {port}; }}; }};"
    );
    let server = Server::start(kind, &Spec { statements, ..Spec::default() });
    server.wait_for_serial(ZONE, 1);
    let is_idle = || server.rndc(&["status"]).stdout.contains("soa queries in progress: 0\n");
    server.wait_until("no query is on its way", is_idle);
    let before = primaries.each_ref().map(|(_, primary)| primary.heard().len());
    let asked = || {
        let new = primaries.iter().zip(before).flat_map(|((number, primary), before)| {
            primary.heard().into_iter().skip(before).map(|heard| (heard.at, *number)).collect::<Vec<_>>()
        });
        new.min()
    };
    let sender = UdpSocket::bind("127.0.7.2:0").unwrap();
    sender.set_read_timeout(Some(PATIENCE)).unwrap();
    sender.send_to(&notify(ZONE), (Ipv4Addr::LOCALHOST, server.port)).unwrap();
    receive(&sender, &mut [0; 512]).unwrap();
    server.wait_until("a primary is asked", || asked().is_some());
    asked().unwrap().1
}

#[test]
fn the_second_primary_is_asked_first_if_it_sent_the_notify_and_with_named_the_first() {
    assert_eq!(BOTH.map(asked_first), [1, 2]);
}
