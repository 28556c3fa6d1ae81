//! `rrset-order`: which rule is for which RRset, and what becomes of one that no rule is for, as with named.

use std::collections::HashSet;
use std::net::UdpSocket;

use super::packets::{message, question};
use super::peers::{Kind, PATIENCE, Server, Spec, Zone, receive};

/// How often an answer is asked for.
const ROUNDS: usize = 40;
const A: u16 = 1;
const MX: u16 = 15;
/// The records of each RRset.
const RECORDS: usize = 4;

/// In which order the records of an RRset come, answer by answer.
#[derive(Debug, PartialEq, Eq)]
enum Seen {
    /// Always the same.
    Stored,
    /// Each answer starts one record later.
    Cyclic,
    /// Neither.
    Random,
}

/// Options without which the servers of the zone stand in answers as well.
fn minimal(options: &str) -> String {
    format!("minimal-responses no-auth; {options}")
}

fn zone() -> Zone {
    let rrset = |owner: &str| (1..=RECORDS).map(|last| format!("{owner} A 192.0.2.{last}\n")).collect::<String>();
    let soa = "$TTL 300\n@ SOA ns hostmaster 7 7200 900 1209600 60\n NS ns\nns A 192.0.2.1\n";
    Zone::primary("example.com", [soa, "mail MX 1 www\n", &rrset("www"), &rrset("other"), &rrset("www.deep")].concat())
}

/// The last byte of each address in the replies to a question, all asked from one port, so that one worker answers. The
/// addresses are the last of all records.
fn orders(server: &Server, name: &str, rtype: u16) -> Vec<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(("127.0.0.1", server.port)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    let request = message(1, 0, [1, 0, 0, 0], &question(name, rtype, 1));
    let round = |_| {
        socket.send(&request).unwrap();
        let mut bytes = [0; 512];
        let (length, _) = receive(&socket, &mut bytes).unwrap();
        // Each record is a pointer, the fixed fields, and an address.
        bytes[length - 16 * RECORDS..length].chunks(16).map(|record| record[15]).collect()
    };
    (0..ROUNDS).map(round).collect()
}

fn seen(server: &Server, name: &str, rtype: u16) -> Seen {
    let orders = orders(server, name, rtype);
    let turned = |order: &Vec<u8>| [&order[1..], &order[..1]].concat();
    match &orders[..] {
        [first, rest @ ..] if rest.iter().all(|order| order == first) => Seen::Stored,
        all if all.windows(2).all(|pair| turned(&pair[0]) == pair[1]) => Seen::Cyclic,
        _ => Seen::Random,
    }
}

#[test]
fn random_order_is_any_order_with_named_and_here() {
    for kind in [Kind::Bind, Kind::Nomd] {
        let server = Server::start(kind, &Spec { zones: vec![zone()], options: minimal(""), ..Spec::default() });
        server.wait_for_serial("example.com", 7);
        let seen: HashSet<Vec<u8>> = (0..5).flat_map(|_| orders(&server, "www.example.com", A)).collect();
        // An order that only starts somewhere has 4. named has 12 of the 24 that there are.
        assert!(seen.len() > 8, "{kind:?}: {seen:?}");
    }
}

#[test]
fn the_first_rule_that_fits_orders_an_rrset_as_with_named() {
    use Seen::{Cyclic, Random, Stored};
    // The orders of www, other and www.deep.
    let cases = [
        ("", [Random, Random, Random]),
        ("{ order random; }", [Random, Random, Random]),
        ("{ order none; }", [Stored, Stored, Stored]),
        ("{ order cyclic; }", [Cyclic, Cyclic, Cyclic]),
        ("{ order fixed; }", [Cyclic, Cyclic, Cyclic]),
        ("{ }", [Stored, Stored, Stored]),
        ("{ name \"www.example.com\" order cyclic; }", [Cyclic, Stored, Stored]),
        ("{ name \"WWW.example.com\" order cyclic; order random; }", [Cyclic, Random, Random]),
        ("{ name \"*.deep.example.com\" order cyclic; }", [Stored, Stored, Cyclic]),
        ("{ name \"*.example.com\" order cyclic; }", [Cyclic, Cyclic, Cyclic]),
        ("{ name \"*.www.example.com\" order cyclic; }", [Stored, Stored, Stored]),
        ("{ name \"*\" order cyclic; }", [Cyclic, Cyclic, Cyclic]),
        ("{ order cyclic; name \"www.example.com\" order none; }", [Cyclic, Cyclic, Cyclic]),
        ("{ type AAAA order cyclic; }", [Stored, Stored, Stored]),
        ("{ type A order cyclic; order none; }", [Cyclic, Cyclic, Cyclic]),
        ("{ type ANY name \"other.example.com\" order random; }", [Stored, Random, Stored]),
        ("{ class CH order cyclic; }", [Stored, Stored, Stored]),
        ("{ class IN type A name \"other.example.com\" order cyclic; }", [Stored, Cyclic, Stored]),
    ];
    for (rules, expected) in cases {
        for kind in [Kind::Bind, Kind::Nomd] {
            let options = if rules.is_empty() { String::new() } else { format!("rrset-order {rules};") };
            let server =
                Server::start(kind, &Spec { zones: vec![zone()], options: minimal(&options), ..Spec::default() });
            server.wait_for_serial("example.com", 7);
            let found = ["www", "other", "www.deep"].map(|name| seen(&server, &format!("{name}.example.com"), A));
            assert_eq!(found, expected, "{kind:?} with {rules:?}");
        }
    }
}

#[test]
fn additional_addresses_stay_in_their_order_with_named_and_here() {
    for options in
        ["", "rrset-order { order cyclic; };", "rrset-order { type A name \"www.example.com\" order random; };"]
    {
        for kind in [Kind::Bind, Kind::Nomd] {
            let server =
                Server::start(kind, &Spec { zones: vec![zone()], options: minimal(options), ..Spec::default() });
            server.wait_for_serial("example.com", 7);
            assert_eq!(seen(&server, "mail.example.com", MX), Seen::Stored, "{kind:?} with {options:?}");
        }
    }
}
