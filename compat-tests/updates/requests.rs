//! Requests made by hand: each rule of RFC 2136 and what BIND adds to it.

use std::net::{Ipv4Addr, UdpSocket};

use super::{BOTH, ZONE, journal, records, start, told};
use crate::packets::{message, name, question, record};
use crate::peers::{Kind, PATIENCE, Server, Spec, Zone, dig, receive};

pub(super) const UPDATE: u16 = 0x2800;
pub(super) const IN: u16 = 1;
pub(super) const CH: u16 = 3;
pub(super) const NONE: u16 = 254;
pub(super) const ANY: u16 = 255;
pub(super) const A: u16 = 1;
pub(super) const NS: u16 = 2;
pub(super) const CNAME: u16 = 5;
pub(super) const SOA: u16 = 6;
pub(super) const MX: u16 = 15;
pub(super) const TXT: u16 = 16;
const MD: u16 = 3;
const WKS: u16 = 11;
const SIG: u16 = 24;
const NXT: u16 = 30;
const DNAME: u16 = 39;
const DS: u16 = 43;
const RRSIG: u16 = 46;
const NSEC: u16 = 47;
const DNSKEY: u16 = 48;
const NSEC3: u16 = 50;
const CDS: u16 = 59;
const CDNSKEY: u16 = 60;
const TKEY: u16 = 249;
const RESINFO: u16 = 261;
const PRIVATE: u16 = 65534;

/// A record below the zone's apex, or at it.
pub(super) fn at(owner: &str, rtype: u16, class: u16, ttl: u32, data: &[u8]) -> Vec<u8> {
    let owner = if owner.is_empty() { ZONE.to_owned() } else { format!("{owner}.{ZONE}") };
    record(&name(&owner), rtype, class, ttl, data)
}

pub(super) fn here(owner: &str) -> Vec<u8> {
    name(&format!("{owner}.{ZONE}"))
}

/// An update of a zone: prerequisites and changes.
pub(super) fn update_of(zone: &str, prerequisites: &[Vec<u8>], changes: &[Vec<u8>]) -> Vec<u8> {
    let body = [question(zone, SOA, IN), prerequisites.concat(), changes.concat()].concat();
    message(7, UPDATE, [1, prerequisites.len() as u16, changes.len() as u16, 0], &body)
}

fn ip(last: u8) -> [u8; 4] {
    Ipv4Addr::new(192, 0, 2, last).octets()
}

fn soa(serial: u32) -> Vec<u8> {
    let numbers = [serial, 2, 3, 4, 5].map(u32::to_be_bytes).concat();
    [name("a"), name("b"), numbers].concat()
}

fn mail(target: &str) -> Vec<u8> {
    [&[0, 1][..], &here(target)].concat()
}

/// A signature over records of a type.
fn signature(covered: u8) -> Vec<u8> {
    let numbers = [&[0, covered, 13, 2][..], &[0, 0, 0, 60, 0, 0, 0, 2, 0, 0, 0, 1, 0, 1]].concat();
    [&numbers[..], &name(ZONE), &[0x5a; 64]].concat()
}

fn key(flags: u16, fill: u8) -> Vec<u8> {
    [&flags.to_be_bytes()[..], &[3, 13], &[fill; 64]].concat()
}

/// What has to hold before anything is changed.
fn prerequisites() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let one = |what, record| (what, vec![record]);
    let wild = || record(&name("n.other"), A, ANY, 0, &[]);
    vec![
        one("name in use", at("a", ANY, ANY, 0, &[])),
        one("name in use, and it is not", at("nx", ANY, ANY, 0, &[])),
        one("name not in use", at("nx", ANY, NONE, 0, &[])),
        one("name not in use, and it is", at("a", ANY, NONE, 0, &[])),
        one("RRset exists", at("a", A, ANY, 0, &[])),
        one("RRset exists, and does not", at("a", TXT, ANY, 0, &[])),
        one("RRset does not exist", at("a", TXT, NONE, 0, &[])),
        one("RRset does not exist, and does", at("a", A, NONE, 0, &[])),
        one("data", at("a", A, IN, 0, &ip(1))),
        one("other data", at("a", A, IN, 0, &ip(2))),
        one("data of nobody", at("nx", A, IN, 0, &ip(2))),
        ("data twice", vec![at("a", A, IN, 0, &ip(1)), at("a", A, IN, 0, &ip(1))]),
        ("data in capitals", vec![at("C", CNAME, IN, 0, &here("A"))]),
        ("the first that fails", vec![at("b", A, IN, 0, &ip(9)), at("a", A, IN, 0, &ip(9))]),
        ("data behind the others", vec![at("b", A, IN, 0, &ip(9)), at("nx", ANY, ANY, 0, &[])]),
        one("a TTL", at("a", A, ANY, 1, &[])),
        one("a TTL with data", at("a", A, IN, 1, &ip(1))),
        one("out of zone", wild()),
        one("class ANY with data", at("a", A, ANY, 0, &ip(1))),
        one("class NONE with data", at("a", A, NONE, 0, &ip(1))),
        one("class CH", at("a", TXT, CH, 0, b"\x01a")),
        one("type ANY with class IN", at("a", ANY, IN, 0, &[])),
        one("type ANY with class IN and data", at("a", ANY, IN, 0, &[1])),
        one("type AXFR exists", at("a", 252, ANY, 0, &[])),
        one("type AXFR does not exist", at("a", 252, NONE, 0, &[])),
        one("type 0", at("a", 0, ANY, 0, &[])),
        one("type 0 with class IN", at("a", 0, IN, 0, &[])),
        one("type 128", at("a", 128, IN, 0, &[1])),
        one("signatures", at("", RRSIG, ANY, 0, &[])),
        one("malformed data", at("a", A, IN, 0, &[1])),
        one("NSEC3 at another name", at("a", NSEC3, ANY, 0, &[])),
        one("malformed NSEC3 at another name", at("a", NSEC3, IN, 0, &[1])),
        one("class ANY with data of NSEC3", at("a", NSEC3, ANY, 0, &[1])),
        one("TKEY", at("a", TKEY, IN, 0, &[])),
        one("TKEY exists", at("a", TKEY, ANY, 0, &[])),
        one("a signature of the old kind", at("a", SIG, IN, 0, &signature(1))),
        one("no signature of the old kind", at("a", SIG, NONE, 0, &[])),
        one("a signature of nothing", at("a", RRSIG, IN, 0, &signature(0))),
    ]
}

/// What is looked at before any change is made.
fn scanned() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let one = |what, record| (what, vec![record]);
    let hash = "1avvqn74snj7ljilfr8vkm6bqv8d7n9o";
    vec![
        one("out of zone", record(&name("n.other"), A, IN, 60, &ip(1))),
        ("out of zone behind a change", vec![at("x", A, IN, 60, &ip(1)), record(&name("n.other"), A, IN, 60, &ip(1))]),
        one("malformed data", at("x", A, IN, 60, &[1, 2])),
        one("no data", at("x", A, IN, 60, &[])),
        one("class ANY with data", at("x", A, ANY, 0, &ip(1))),
        one("class ANY with a TTL", at("x", A, ANY, 5, &[])),
        one("class NONE without data", at("x", A, NONE, 0, &[])),
        one("class NONE with a TTL", at("x", A, NONE, 5, &ip(1))),
        one("class CH", at("x", TXT, CH, 4, b"\x01a")),
        one("type ANY of class IN", at("x", ANY, IN, 4, &[])),
        one("type ANY of class NONE", at("x", ANY, NONE, 0, &[])),
        one("type AXFR of class IN", at("x", 252, IN, 4, &[1])),
        one("type AXFR of class ANY", at("x", 252, ANY, 0, &[])),
        one("type 0 of class IN", at("x", 0, IN, 4, &[1])),
        one("type 0 of class ANY", at("x", 0, ANY, 0, &[])),
        one("type 128", at("x", 128, IN, 4, &[1])),
        one("OPT", record(&[0], 41, 1232, 0, &[])),
        one("TSIG", at("x", 250, ANY, 0, &[])),
        one("NSEC", at("a", NSEC, ANY, 0, &[])),
        one("NSEC3", at(hash, NSEC3, ANY, 0, &[])),
        one("NSEC3 at another name", at("a", NSEC3, ANY, 0, &[])),
        one("malformed NSEC3 at another name", at("a", NSEC3, IN, 0, &[1])),
        one("TKEY of class IN", at("a", TKEY, IN, 0, &[])),
        one("TKEY of class ANY", at("a", TKEY, ANY, 0, &[])),
        one("TKEY of class NONE", at("a", TKEY, NONE, 0, &[1])),
        one("a signature of the old kind", at("a", SIG, IN, 60, &signature(1))),
        one("one that goes", at("a", SIG, NONE, 0, &signature(1))),
        one("all signatures of the old kind", at("a", SIG, ANY, 0, &[])),
        one("a proof of the old kind", at("a", NXT, IN, 60, &[&name(ZONE)[..], &[0x40]].concat())),
        one("one that goes", at("a", NXT, NONE, 0, &[&name(ZONE)[..], &[0x40]].concat())),
        one("all proofs of the old kind", at("a", NXT, ANY, 0, &[])),
        one("a signature of nothing", at("a", RRSIG, IN, 60, &signature(0))),
        one("signatures below the apex", at("a", RRSIG, ANY, 0, &[])),
        one("signatures of the apex", at("", RRSIG, ANY, 0, &[])),
        one("an owner that is no host", at("a_b", A, IN, 60, &ip(1))),
        one("an owner that is no host goes", at("a_b", A, NONE, 0, &ip(1))),
        one("mail for what is no host", at("q", MX, IN, 60, &mail("a_b"))),
        one("an inner wildcard with an address", at("q.*.w", A, IN, 60, &ip(1))),
    ]
}

/// What is made of changes, each on top of those before.
fn changes() -> Vec<(&'static str, Vec<Vec<u8>>)> {
    let one = |what, record| (what, vec![record]);
    let told = [&[0, 1, 13, 2][..], &[5; 32]].concat();
    vec![
        ("nothing", vec![]),
        one("a record", at("n", A, IN, 60, &ip(9))),
        one("the same again", at("n", A, IN, 60, &ip(9))),
        one("another", at("n", A, IN, 60, &ip(10))),
        one("a TTL, which all get", at("n", A, IN, 77, &ip(11))),
        one("the TTL of one that is there", at("n", A, IN, 78, &ip(9))),
        ("there and gone", vec![at("tmp", A, IN, 60, &ip(9)), at("tmp", A, ANY, 0, &[])]),
        ("gone and there", vec![at("n", A, NONE, 0, &ip(9)), at("n", A, IN, 78, &ip(9))]),
        one("one record goes", at("n", A, NONE, 0, &ip(9))),
        one("one that is not there goes", at("n", A, NONE, 0, &ip(9))),
        one("an RRset goes", at("n", A, ANY, 0, &[])),
        one("an RRset that is not there goes", at("n", A, ANY, 0, &[])),
        ("a name", vec![at("x.y", A, IN, 60, &ip(9)), at("x.y", TXT, IN, 60, b"\x01a")]),
        one("a name goes", at("x.y", ANY, ANY, 0, &[])),
        one("a name that is not there goes", at("x.y", ANY, ANY, 0, &[])),
        one("an alias beside an address", at("a", CNAME, IN, 60, &here("c"))),
        one("an address beside an alias", at("c", A, IN, 60, &ip(9))),
        one("another alias", at("c", CNAME, IN, 60, &here("ns"))),
        ("an alias in place of an address", vec![at("b", A, ANY, 0, &[]), at("b", CNAME, IN, 60, &here("a"))]),
        ("a tree's alias", vec![at("d", DNAME, IN, 60, &here("a")), at("d", DNAME, IN, 60, &here("ns"))]),
        (
            "WKS of one protocol",
            vec![
                at("wks", WKS, IN, 60, &[&ip(1)[..], &[6, 1]].concat()),
                at("wks", WKS, IN, 60, &[&ip(1)[..], &[6, 2]].concat()),
            ],
        ),
        (
            "two of a kind that allows one",
            vec![at("ri", RESINFO, IN, 60, b"\x06qname1"), at("ri", RESINFO, IN, 60, b"\x06qname2")],
        ),
        one("an obsolete type", at("md", MD, IN, 60, &here("a"))),
        one("a delegation of a wildcard", at("*.w", NS, IN, 60, &here("a"))),
        one("text at an inner wildcard", at("q.*.w", TXT, IN, 60, b"\x01a")),
        one("the type of signing", at("x", PRIVATE, IN, 60, b"a")),
        one("an unknown type", at("x", 65280, IN, 60, b"a")),
        one("a high TTL", at("x", TXT, IN, 0x8000_0001, b"\x01a")),
        one("mail for nobody", at("q", MX, IN, 60, &mail("nowhere"))),
        one("mail for an alias", at("q", MX, IN, 60, &mail("c"))),
        one("mail for an address", at("q", MX, IN, 60, &[&[0, 1][..], &name("192.0.2.1")].concat())),
        one("mail elsewhere", at("q", MX, IN, 60, &[&[0, 1][..], &name("mail.elsewhere")].concat())),
        ("mail for a wildcard", vec![at("*.mail", A, IN, 60, &ip(3)), at("q", MX, IN, 60, &mail("x.mail"))]),
        one("a server without address", at("", NS, IN, 60, &here("nowhere"))),
        one("the address of the server goes", at("ns", A, ANY, 0, &[])),
        one("a delegation without glue", at("sub", NS, IN, 60, &here("nowhere"))),
        one("mail behind a delegation", at("q", MX, IN, 60, &mail("x.sub"))),
        one("DS at the delegation", at("sub", DS, IN, 60, &[&[0, 1, 13, 2][..], &[7; 32]].concat())),
        one("the delegation goes, and DS with it", at("sub", NS, ANY, 0, &[])),
        one("DS without delegation", at("ds", DS, IN, 60, &[&[0, 1, 13, 2][..], &[7; 32]].concat())),
        one("DS at the apex", at("", DS, IN, 60, &[&[0, 1, 13, 2][..], &[7; 32]].concat())),
        one("a key for the parent that is none of the zone", at("", CDS, IN, 60, &told)),
        one("the same in full", at("", CDNSKEY, IN, 60, &key(257, 5))),
        one("the same at another name", at("cds", CDS, IN, 60, &told)),
        one("none for the parent", at("", CDS, IN, 60, &[0; 5])),
        one("none and one", at("", CDS, IN, 60, &told)),
        one("the parent is told nothing", at("", CDS, ANY, 0, &[])),
        one("SOA with an old serial", at("", SOA, IN, 60, &soa(1))),
        one("SOA with a new serial", at("", SOA, IN, 60, &soa(1000))),
        one("SOA below the apex", at("a", SOA, IN, 60, &soa(2000))),
        ("SOA twice", vec![at("", SOA, IN, 60, &soa(3000)), at("", SOA, IN, 60, &soa(2500))]),
        one("SOA goes", at("", SOA, NONE, 0, &soa(3000))),
        one("all SOA go", at("", SOA, ANY, 0, &[])),
        one("all NS go", at("", NS, ANY, 0, &[])),
        one("the last NS goes", at("", NS, NONE, 0, &here("ns"))),
        (
            "another NS, and the first goes",
            vec![at("", NS, IN, 300, &name("ns.elsewhere")), at("", NS, NONE, 0, &here("ns"))],
        ),
        ("all at the apex goes", vec![at("", TXT, IN, 60, b"\x01a"), at("", ANY, ANY, 0, &[])]),
        one("the serial goes round", at("", SOA, IN, 60, &soa(0x8000_0bb0))),
        one("and round", at("", SOA, IN, 60, &soa(u32::MAX))),
        one("and 0 is left out", at("o", TXT, IN, 60, b"\x01a")),
    ]
}

/// The reply to a request that is always answered.
pub(super) fn answer_to(server: &Server, packet: &[u8]) -> Vec<u8> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(("127.0.0.1", server.port)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send(packet).unwrap();
    let mut reply = [0; 512];
    let (length, _) = receive(&socket, &mut reply).unwrap();
    reply[..length].to_vec()
}

fn rcode(server: &Server, what: &str, packet: &[u8]) -> u8 {
    let reply = answer_to(server, packet);
    assert_eq!(reply[2], 0xa8, "{:?}: {what}", server.kind);
    assert_eq!(reply[4..12], [0, 1, 0, 0, 0, 0, 0, 0], "{:?}: {what}", server.kind);
    reply[3]
}

/// The replies, the records, the journal and the log.
fn play(kind: Kind) -> [Vec<String>; 4] {
    let server = start(kind);
    let change = || vec![at("x", A, IN, 60, &ip(99))];
    let mut replies = vec![];
    for (what, asked) in prerequisites() {
        let code = rcode(&server, what, &update_of(ZONE, &asked, &change()));
        rcode(&server, what, &update_of(ZONE, &[], &[at("x", ANY, ANY, 0, &[])]));
        replies.push(format!("if {what}: {code}"));
    }
    for (what, changes) in scanned().into_iter().chain(changes()) {
        replies.push(format!("{what}: {}", rcode(&server, what, &update_of(ZONE, &[], &changes))));
    }
    let unmet = [at("nx", ANY, ANY, 0, &[])];
    let outside = [record(&name("n.other"), A, IN, 60, &ip(1))];
    replies.push(format!("both: {}", rcode(&server, "both", &update_of(ZONE, &unmet, &outside))));
    for zone in ["nowhere.test", "sub.dyn.test", "test"] {
        replies.push(format!("{zone}: {}", rcode(&server, zone, &update_of(zone, &[], &change()))));
        replies.push(format!("{zone}: {}", rcode(&server, zone, &update_of(zone, &[], &[at("x", A, IN, 60, &[1])]))));
    }
    let other = message(7, UPDATE, [1, 0, 0, 0], &question(ZONE, A, IN));
    replies.push(format!("no SOA: {}", rcode(&server, "no SOA", &other)));
    [replies, records(&server), journal(&server), told(&server)]
}

#[test]
fn updates_are_answered_made_kept_and_told_of_as_by_named() {
    let [theirs, ours] = BOTH.map(play);
    for (theirs, ours) in theirs.iter().zip(&ours) {
        for (theirs, ours) in theirs.iter().zip(ours) {
            assert_eq!(ours, theirs);
        }
        assert_eq!(ours.len(), theirs.len());
    }
}

#[test]
fn while_a_zone_is_frozen_updates_are_refused_whatever_else_is_wrong_with_them_as_by_named() {
    let run = |kind| {
        let server = start(kind);
        assert_eq!(server.rndc(&["freeze", ZONE]).status, 0, "{kind:?}");
        let ask = |(what, changes): (_, Vec<_>)| (what, rcode(&server, what, &update_of(ZONE, &[], &changes)));
        (scanned().into_iter().map(ask).collect::<Vec<_>>(), told(&server))
    };
    let [theirs, ours] = BOTH.map(run);
    assert_eq!(ours, theirs);
}

/// Signatures cannot be made, so nothing may change that is signed.
#[test]
fn signed_zones_are_not_changed_without_their_keys() {
    for kind in BOTH {
        let server = start(kind);
        let a_key = at("", DNSKEY, IN, 60, &key(257, 0x5a));
        assert_eq!(rcode(&server, "a key", &update_of(ZONE, &[], &[a_key])), 2, "{kind:?}");
        assert_eq!(dig::serial(server.port, ZONE), Some(1), "{kind:?}");
    }
}

#[test]
fn that_a_zone_is_signed_and_takes_no_updates_is_told_when_it_is_loaded() {
    let signature = "13 2 60 20300101000000 20200101000000 1 @ AAAA";
    let text = super::text() + &format!("@ DNSKEY 257 3 13 AAAA\n@ NSEC ns A NS\n@ RRSIG NSEC {signature}\n");
    let zone = Zone::primary(ZONE, text).with("allow-update { any; };");
    let server = Server::start(Kind::Nomd, &Spec { zones: vec![zone], ..Spec::default() });
    server.wait_for_log("is signed: updates get SERVFAIL");
    assert_eq!(rcode(&server, "an update", &update_of(ZONE, &[], &[at("x", A, IN, 60, &ip(1))])), 2);
}

#[test]
fn zones_with_keys_but_without_proofs_are_changed_as_by_named() {
    let steps = [
        at("x", A, IN, 60, &ip(1)),
        at("", DNSKEY, IN, 77, &key(257, 5)),
        at("", DNSKEY, IN, 60, &key(0, 7)),
        at("", DNSKEY, NONE, 0, &key(0, 7)),
        at("", DNSKEY, IN, 60, &key(257, 9)),
        at("", CDS, IN, 60, &[&[0, 1, 13, 2][..], &[5; 32]].concat()),
        at("", CDNSKEY, IN, 60, &key(257, 5)),
        at("", DNSKEY, ANY, 0, &[]),
        at("x", A, NONE, 0, &ip(1)),
    ];
    let text = |data: &[u8]| data.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let a_key = format!("@ DNSKEY \\# 68 {}\n", text(&key(257, 5)));
    for proof in ["", "@ NSEC ns A NS\n", "@ NSEC3PARAM 1 0 0 -\n", "@ TYPE65534 \\# 5 0501010000\n"] {
        let run = |kind| {
            let text = super::text() + &a_key + proof;
            let zone = Zone::primary(ZONE, text).with("allow-update { any; };");
            let server = Server::start(kind, &Spec { zones: vec![zone], ..Spec::default() });
            server.wait_for_serial(ZONE, 1);
            let codes =
                steps.each_ref().map(|step| rcode(&server, proof, &update_of(ZONE, &[], std::slice::from_ref(step))));
            (codes, records(&server))
        };
        let [theirs, ours] = BOTH.map(run);
        assert_eq!(ours, theirs, "{proof}");
    }
}

#[test]
fn limits_of_the_zone_hold_for_updates_as_with_named() {
    let run = |kind| {
        let clauses = "allow-update { any; }; max-records 11; max-records-per-type 3; max-types-per-name 2; \
                       max-zone-ttl 400; check-names warn; check-mx fail; check-integrity no;";
        let zone = Zone::primary(ZONE, super::text()).with(clauses);
        let server = Server::start(kind, &Spec { zones: vec![zone], ..Spec::default() });
        server.wait_for_serial(ZONE, 1);
        let each = |number: u8, owner: &str, rtype, data: &[u8]| {
            let packet = update_of(ZONE, &[], &[at(owner, rtype, IN, 500, data)]);
            format!("{number} {owner} {rtype}: {}", rcode(&server, "limit", &packet))
        };
        let mut replies: Vec<String> = (1..6).map(|last| each(last, "l", A, &ip(last))).collect();
        replies.extend((0..3).map(|number| each(number, "b", 65280 + u16::from(number), b"a")));
        let in_between = (65280..65283).map(|rtype| at("i", rtype, IN, 60, b"a")).chain([at("i", 65280, ANY, 0, &[])]);
        let in_between = update_of(ZONE, &[], &in_between.collect::<Vec<_>>());
        replies.push(rcode(&server, "types in between", &in_between).to_string());
        replies.extend((1..5).map(|last| each(last, "t", TXT, &[1, last])));
        replies.push(each(0, "a_b", A, &ip(1)));
        let mail = [&[0, 1][..], &name("192.0.2.1")].concat();
        replies.push(each(0, "m", MX, &mail));
        [replies, records(&server), told(&server)]
    };
    let [theirs, ours] = BOTH.map(run);
    assert_eq!(ours, theirs);
}

#[test]
fn types_that_an_update_deletes_count_until_it_is_made_as_with_named() {
    let some = |types: [u16; 2]| (types[0]..types[1]).map(|rtype| at("n", rtype, IN, 60, b"a")).collect::<Vec<_>>();
    let none = |rtype| vec![at("n", rtype, ANY, 0, &[])];
    let steps = [
        some([65280, 65283]),
        [none(ANY), some([65283, 65284])].concat(),
        [none(ANY), some([65280, 65281])].concat(),
        [some([65281, 65282]), none(65281), some([65282, 65284])].concat(),
        [none(65280), some([65281, 65283])].concat(),
        some([65283, 65284]),
        none(ANY),
        some([65283, 65284]),
        some([65280, 65283]),
    ];
    let run = |kind| {
        let server = Server::start(kind, &super::spec("allow-update { any; }; max-types-per-name 3;"));
        server.wait_for_serial(ZONE, 1);
        let codes = steps.each_ref().map(|changes| rcode(&server, "types", &update_of(ZONE, &[], changes)));
        (codes, records(&server), told(&server))
    };
    let [theirs, ours] = BOTH.map(run);
    assert_eq!(ours, theirs);
}

#[test]
fn the_serial_follows_its_method_as_with_named() {
    for method in ["increment", "unixtime", "date"] {
        let serials = BOTH.map(|kind| {
            let spec = super::spec(&format!("allow-update {{ any; }}; serial-update-method {method};"));
            let server = Server::start(kind, &spec);
            server.wait_for_serial(ZONE, 1);
            let serials: Vec<u32> = (1..4)
                .map(|last| {
                    rcode(&server, method, &update_of(ZONE, &[], &[at("x", A, IN, 60, &ip(last))]));
                    dig::serial(server.port, ZONE).unwrap()
                })
                .collect();
            serials
        });
        let [theirs, ours] = serials;
        // Clocks go on; within a second it is counted on.
        let is_near = ours.iter().zip(&theirs).all(|(ours, theirs)| ours.abs_diff(*theirs) <= 60);
        assert!(is_near && ours.is_sorted(), "{method}: {ours:?} and {theirs:?}");
    }
}
