//! Transfers that are odd in one way, taken or refused by secondaries as by named's.

use std::net::Ipv4Addr;

use super::faults::stream::{self, A, IN, NS, Request, SOA, name, record, record_with, soa};
use super::ixfr::{ZONE, secondary};
use super::peers::listener::Listener;
use super::peers::{Kind, Server, dig, free_port};

const NSEC3: u16 = 50;
const SERIAL: u32 = 5;

/// The messages that answer a request for the zone.
type Odd = fn(&Request) -> Vec<Vec<u8>>;

/// The zone in one message, with these records beside the usual ones.
fn whole(request: &Request, others: &[Vec<u8>], last: Vec<u8>) -> Vec<Vec<u8>> {
    let first = vec![soa(ZONE, SERIAL)];
    vec![request.reply(&[first, stream::bulk(ZONE, SERIAL), others.to_vec(), vec![last]].concat())]
}

/// The SOA record of another TTL and in other letters.
fn spelt_anew() -> Vec<u8> {
    let usual = soa(ZONE, SERIAL);
    let data = &usual[name(ZONE).len() + 10..];
    let letters = data.len() - 20;
    record_with(&name(ZONE), SOA, IN, 77, &[data[..letters].to_ascii_uppercase(), data[letters..].to_vec()].concat())
}

fn hash() -> Vec<u8> {
    [&[1, 0, 0, 0, 0, 20][..], &[0; 20], &[0, 1, 0x40]].concat()
}

/// What is sent, and what named makes of it.
const CASES: [(Odd, &str); 6] = [
    (|request| whole(request, &[], spelt_anew()), "success"),
    (|request| whole(request, &[record(&format!("*.s.{ZONE}"), NS, &name("ns."))], soa(ZONE, SERIAL)), WILDCARD),
    (|request| whole(request, &[record(&format!("*.{ZONE}"), NSEC3, &hash())], soa(ZONE, SERIAL)), NO_HASH),
    (|request| whole(request, &[record(&format!("w9.{ZONE}"), NSEC3, &hash())], soa(ZONE, SERIAL)), NO_HASH),
    (|request| whole(request, &[record(&format!("*.{ZONE}"), A, &[192, 0, 2, 9])], soa(ZONE, SERIAL)), "success"),
    (|request| whole(request, &[], soa(ZONE, SERIAL)).into_iter().map(truncated).collect(), "success"),
];

const WILDCARD: &str = "invalid NS owner name (wildcard)";
const NO_HASH: &str = "bad owner name (check-names)";

/// The same with TC.
fn truncated(mut message: Vec<u8>) -> Vec<u8> {
    message[2] |= 2;
    message
}

#[test]
fn odd_transfers_are_taken_or_refused_as_by_named() {
    for (odd, expected) in CASES {
        let served = [Kind::Bind, Kind::Nomd].map(|kind| {
            let primary = Listener::start((Ipv4Addr::LOCALHOST, free_port()).into(), move |heard| {
                if heard.request.is_transfer() {
                    odd(&heard.request)
                } else {
                    vec![heard.request.reply(&[soa(ZONE, SERIAL)])]
                }
            });
            let to = Server::start(kind, &secondary(primary.address.port(), ""));
            to.wait_for_log(&format!("Transfer status: {expected}"));
            if expected == "success" {
                to.wait_for_serial(ZONE, SERIAL);
            }
            dig::transfer(to.port, ZONE, None)
        });
        let [theirs, ours] = served;
        assert_eq!(theirs.is_some(), expected == "success", "{expected}");
        assert_eq!(ours, theirs, "{expected}");
    }
}
