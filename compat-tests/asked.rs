//! What a server asks others and tells them, byte for byte as named does: SOA queries, transfers and NOTIFY, shaped by
//! `server` statements and by what stands in `options`.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use super::peers::listener::{Heard, Listener};
use super::peers::{Key, Kind, Server, Spec};

/// What is said of one other server.
const SERVERS: [&str; 19] = [
    "",
    "send-cookie yes;",
    "send-cookie no;",
    "request-nsid yes;",
    "request-nsid no;",
    "request-expire no;",
    "request-ixfr no;",
    "edns no;",
    "edns no; request-nsid yes;",
    "edns-udp-size 600;",
    "edns-udp-size 100;",
    "edns-udp-size 9000;",
    "edns-version 0;",
    "padding 128;",
    "tcp-keepalive yes;",
    "tcp-only yes;",
    "tcp-only yes; padding 128; tcp-keepalive yes; request-nsid yes;",
    "bogus yes;",
    "keys transfer-key;",
];

const FAST: &str = "serial-query-rate 1000; notify-rate 1000; startup-notify-rate 1000; transfers-in 100;";
/// How many messages a zone sends for two versions: a query, a transfer and a NOTIFY for each.
const MESSAGES: usize = 6;

/// The address of the server of which one of the statements is said.
fn address(number: usize) -> IpAddr {
    Ipv4Addr::new(127, 0, 3, u8::try_from(number).unwrap() + 1).into()
}

/// One without a statement comes last.
fn statements(listeners: &[Listener]) -> String {
    let servers = SERVERS.iter().enumerate();
    let servers = servers.map(|(number, clauses)| format!("server {} {{ {clauses} }};\n", address(number)));
    let zones = listeners.iter().enumerate().map(|(number, listener)| {
        let to = format!("{} port {}", listener.address.ip(), listener.address.port());
        format!(
            "zone \"z{number}.example\" {{ type secondary; primaries {{ {to}; }}; also-notify {{ {to}; }}; \
             file \"z{number}\"; }};\n"
        )
    });
    servers.chain(zones).collect()
}

/// The messages about two versions of each zone, by what they go to.
fn messages(kind: Kind, options: &str) -> BTreeMap<usize, Vec<String>> {
    let serial = Arc::new(AtomicU32::new(1));
    let listeners: Vec<_> = (0..=SERVERS.len()).map(|number| Listener::primary(address(number), &serial)).collect();
    let key = Some(Key::new("hmac-sha256"));
    let options = format!("{FAST} {options}");
    let server = Server::start(kind, &Spec { key, options, statements: statements(&listeners), ..Spec::default() });
    // What is not signed in return is not taken, so with a key there is but the query.
    let wanted = |number: usize, count: usize| match SERVERS.get(number) {
        Some(clauses) if clauses.starts_with("keys") => count / (MESSAGES / 2),
        _ => count,
    };
    let have_heard = |count: usize| {
        listeners.iter().enumerate().all(|(number, listener)| listener.heard().len() >= wanted(number, count))
    };
    server.wait_until("all is asked and told of version 1", || have_heard(MESSAGES / 2));
    server.wait_until_idle();
    serial.store(2, Ordering::SeqCst);
    for number in 0..listeners.len() {
        server.rndc(&["refresh", &format!("z{number}.example")]);
    }
    server.wait_until("all is asked and told of version 2", || have_heard(MESSAGES));
    listeners.iter().map(|listener| listener.heard().iter().map(text).collect()).enumerate().collect()
}

/// A message without its ID and what it went over; of a signature only that it is there.
fn text(heard: &Heard) -> String {
    let algorithm = b"\x0bhmac-sha256\x00";
    let signed = heard.bytes.windows(algorithm.len()).position(|bytes| bytes == algorithm);
    let length = signed.unwrap_or(heard.bytes.len());
    let body = data_encoding::HEXLOWER.encode(&heard.bytes[2..length]);
    format!("{} {} {body}", heard.kind(), if heard.is_tcp { "tcp" } else { "udp" })
}

#[test]
fn other_servers_are_asked_and_told_in_the_bytes_of_named() {
    for options in ["", "request-nsid yes; edns-udp-size 700;", "request-expire no; request-ixfr no; send-cookie yes;"]
    {
        let [theirs, ours] = [Kind::Bind, Kind::Nomd].map(|kind| messages(kind, options));
        for (number, messages) in &theirs {
            let clauses = SERVERS.get(*number).unwrap_or(&"nothing");
            assert_eq!(ours[number], *messages, "with {options:?} and {clauses:?}");
        }
    }
}

/// What is sent about a zone, and from which address.
fn sources(kind: Kind) -> Vec<Vec<(&'static str, IpAddr)>> {
    let serial = Arc::new(AtomicU32::new(1));
    let listeners = [0, 1, 2].map(|number| Listener::primary(address(number), &serial));
    let servers = format!(
        "server {} {{ transfer-source 127.0.0.7; notify-source 127.0.0.8; }};\nserver {} {{ edns no; }};\n",
        address(1),
        address(2)
    );
    let zones = listeners.iter().enumerate().map(|(number, listener)| {
        let to = format!("{} port {}", listener.address.ip(), listener.address.port());
        let own = if number == 2 { "transfer-source 127.0.0.9; notify-source 127.0.0.10;" } else { "" };
        format!(
            "zone \"z{number}.example\" {{ type secondary; primaries {{ {to}; }}; also-notify {{ {to}; }}; {own} }};\n"
        )
    });
    let statements = servers + &zones.collect::<String>();
    let options = format!("{FAST} transfer-source 127.0.0.5; notify-source 127.0.0.6;");
    let server = Server::start(kind, &Spec { options, statements, ..Spec::default() });
    let all = || listeners.iter().all(|listener| listener.heard().len() >= MESSAGES / 2);
    server.wait_until("all is asked and told", all);
    let source = |heard: &Heard| (heard.kind(), heard.from.ip());
    listeners.iter().map(|listener| listener.heard().iter().map(source).collect()).collect()
}

#[test]
fn requests_leave_from_the_addresses_of_named() {
    let [theirs, ours] = [Kind::Bind, Kind::Nomd].map(sources);
    assert_eq!(ours, theirs);
    let last = |parts: &Vec<(_, IpAddr)>| parts.iter().map(|(_, from)| from.to_string()).collect::<Vec<_>>();
    assert_eq!(last(&ours[0]), ["127.0.0.5", "127.0.0.5", "127.0.0.6"]);
    assert_eq!(last(&ours[2]), ["127.0.0.9", "127.0.0.9", "127.0.0.10"]);
}
