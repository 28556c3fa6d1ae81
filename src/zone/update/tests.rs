use std::net::IpAddr;

use super::*;
use crate::dns::{Class, Message, Name};
use crate::zone::testing::{Record, build, dump, name, soa};

const RULES: Rules = Rules {
    limits: Limits { records: 0, records_per_type: 3, types_per_name: 0 },
    mail_addresses: Strictness::Warn,
    integrity: true,
    wildcards: true,
    max_ttl: None,
    serial: SerialMethod::Increment,
};

/// A record of a request, below the apex.
fn asked(owner: &str, rtype: u16, class: Class, ttl: u32, data: &[u8]) -> Vec<u8> {
    let owner = full(owner);
    let head = [&rtype.to_be_bytes()[..], &class.0.to_be_bytes(), &ttl.to_be_bytes()].concat();
    [owner.as_ref().as_bytes(), &head, &(data.len() as u16).to_be_bytes(), data].concat()
}

fn full(owner: &str) -> Name {
    let dot = if owner.is_empty() { "" } else { "." };
    name(&format!("{owner}{dot}Zone.example."))
}

fn request(prerequisites: &[Vec<u8>], changes: &[Vec<u8>]) -> Vec<u8> {
    let counts = [1, prerequisites.len() as u8, changes.len() as u8, 0].map(|count| [0, count]).concat();
    let question = [full("").as_ref().as_bytes(), &[0, 6, 0, 1]].concat();
    [&[0, 7, 0x28, 0][..], &counts, &question, &prerequisites.concat(), &changes.concat()].concat()
}

fn read(prerequisites: &[Vec<u8>], changes: &[Vec<u8>]) -> Result<Update, Unreadable> {
    Update::read(&Message::new(&request(prerequisites, changes)).unwrap())
}

fn zone() -> ZoneVersion {
    let server = full("ns").as_ref().as_bytes().to_vec();
    let records: Vec<Record> = vec![
        soa(1),
        (full(""), Rtype::NS, 60, server),
        (full("ns"), Rtype::A, 60, vec![127, 0, 0, 1]),
        (full("a"), Rtype::A, 60, vec![192, 0, 2, 1]),
        (full("a"), Rtype::A, 60, vec![192, 0, 2, 2]),
        (full("c"), Rtype::CNAME, 60, full("a").as_ref().as_bytes().to_vec()),
    ];
    build(&records)
}

fn make(version: &ZoneVersion, prerequisites: &[Vec<u8>], changes: &[Vec<u8>]) -> Made {
    read(prerequisites, changes).unwrap().make(version, &RULES, &vec![])
}

const A: u16 = 1;
const TXT: u16 = 16;

#[test]
fn a_transaction_leads_to_the_version_that_is_made() {
    let before = zone();
    let changes = [
        asked("new", A, Class::IN, 300, &[192, 0, 2, 9]),
        asked("a", A, Class::NONE, 0, &[192, 0, 2, 1]),
        asked("a", A, Class::IN, 77, &[192, 0, 2, 3]),
    ];
    let made = make(&before, &[], &changes);
    assert_eq!((made.rcode, made.is_unmet), (Rcode::NOERROR, false));
    let (version, transaction) = made.change.unwrap();
    assert_eq!((transaction.before.0, transaction.after.0, version.serial().0), (1, 2, 2));
    let mut edit = before.edit(Limits::default());
    assert!(transaction.apply(&mut edit, 0, &mut vec![]).unwrap().is_none());
    assert_eq!(dump(&edit.finish().unwrap()), dump(&version));
    let of_a: Vec<u32> = version.node(full("a").as_ref()).unwrap().rrsets().map(|rrset| rrset.ttl()).collect();
    assert_eq!(of_a, [77]);
    let texts: Vec<&str> = made.remarks.iter().map(|remark| remark.text.as_str()).collect();
    assert_eq!(
        texts,
        [
            "adding an RR at 'new.Zone.example' A 192.0.2.9",
            "deleting an RR at a.Zone.example A",
            "adding an RR at 'a.Zone.example' A 192.0.2.3",
        ]
    );
}

#[test]
fn what_comes_to_nothing_leaves_the_serial() {
    let version = zone();
    for changes in [
        vec![],
        vec![asked("a", A, Class::IN, 60, &[192, 0, 2, 1])],
        vec![asked("x", A, Class::IN, 60, &[192, 0, 2, 1]), asked("x", 255, Class::ANY, 0, &[])],
        vec![asked("c", A, Class::IN, 60, &[192, 0, 2, 1])],
        vec![asked("", 2, Class::ANY, 0, &[])],
    ] {
        let made = make(&version, &[], &changes);
        assert!(made.rcode == Rcode::NOERROR && made.change.is_none(), "{made:?}");
    }
}

#[test]
fn an_unmet_prerequisite_changes_nothing_and_is_counted() {
    let version = zone();
    let change = [asked("x", A, Class::IN, 60, &[192, 0, 2, 1])];
    for (prerequisite, rcode, is_unmet) in [
        (asked("nx", 255, Class::ANY, 0, &[]), Rcode::NXDOMAIN, true),
        (asked("a", 255, Class::NONE, 0, &[]), Rcode::YXDOMAIN, true),
        (asked("a", TXT, Class::ANY, 0, &[]), Rcode::NXRRSET, true),
        (asked("a", A, Class::NONE, 0, &[]), Rcode::YXRRSET, true),
        (asked("a", A, Class::IN, 0, &[192, 0, 2, 1]), Rcode::NXRRSET, false),
        (asked("a", A, Class::IN, 1, &[192, 0, 2, 1]), Rcode::FORMERR, true),
        (asked("a", TXT, Class::CH, 0, b"\x01a"), Rcode::FORMERR, true),
    ] {
        let made = make(&version, &[prerequisite], &change);
        assert_eq!((made.rcode, made.is_unmet, made.change.is_none()), (rcode, is_unmet, true));
    }
    let both = [[192, 0, 2, 2], [192, 0, 2, 1]].map(|data| asked("A", A, Class::IN, 0, &data));
    assert!(make(&version, &both, &change).change.is_some());
}

#[test]
fn a_limit_undoes_the_whole_update() {
    let add = |last| asked("a", A, Class::IN, 60, &[192, 0, 2, last]);
    let made = make(&zone(), &[], &[asked("x", A, Class::IN, 60, &[192, 0, 2, 1]), add(3), add(4)]);
    assert!(made.rcode == Rcode::SERVFAIL && made.change.is_none());
    assert_eq!(made.remarks.last().unwrap().text, "adding an RR failed: too many records");
}

#[test]
fn serials_follow_their_method_if_that_makes_them_newer() {
    let next = |method: SerialMethod, serial| method.next(crate::dns::Serial(serial)).0;
    assert_eq!(next(SerialMethod::Increment, 7), 8);
    assert_eq!(next(SerialMethod::Increment, u32::MAX), 1);
    assert_eq!(next(SerialMethod::At(2_026_112_200), 7), 2_026_112_200);
    assert_eq!(next(SerialMethod::At(2_026_112_200), 2_026_112_200), 2_026_112_201);
    assert_eq!(next(SerialMethod::At(5), 7), 8);
}

#[test]
fn the_first_rule_about_a_change_decides() {
    let grant = |is_granted, identity: &str, matching, types: &[(Rtype, u16)]| Grant {
        is_granted,
        identity: name(identity),
        matching,
        types: types.to_vec(),
    };
    let grants = Grants(vec![
        grant(true, "k.", Matching::Subdomain(full("a")), &[(Rtype::A, 2), (Rtype::TXT, 0)]),
        grant(false, "*.", Matching::Name(full("secret")), &[]),
        grant(true, "k.", Matching::Zone, &[]),
        grant(true, "*.zone.example.", Matching::SelfSub, &[(Rtype::ANY, 0)]),
        grant(true, "*.in-addr.arpa.", Matching::TcpSelf, &[(Rtype::PTR, 1)]),
        grant(true, "local.", Matching::Local, &[(Rtype::ANY, 0)]),
    ]);
    let address: IpAddr = "192.0.2.7".parse().unwrap();
    let (apex, key, host) = (full(""), name("k."), full("h"));
    let most = |key: Option<&Name>, owner: &Name, rtype| {
        let who = Requester { key: key.map(Name::as_ref), address, is_tcp: key.is_none(), is_local: false };
        grants.most(who, owner.as_ref(), rtype, apex.as_ref())
    };
    assert_eq!(most(Some(&key), &full("x.a"), Rtype::A), Some(2));
    assert_eq!(most(Some(&key), &full("x.a"), Rtype::MX), Some(0));
    assert_eq!(most(Some(&key), &full("secret"), Rtype::A), None);
    assert_eq!(most(Some(&key), &full(""), Rtype::SOA), None);
    assert_eq!(most(Some(&host), &full("x.h"), Rtype::NS), Some(0));
    assert_eq!(most(Some(&host), &full("x"), Rtype::A), None);
    assert_eq!(most(Some(&name("local.")), &full("x"), Rtype::A), None);
    assert_eq!(most(None, &name("7.2.0.192.in-addr.arpa."), Rtype::PTR), Some(1));
    assert_eq!(most(None, &name("8.2.0.192.in-addr.arpa."), Rtype::PTR), None);
}

#[test]
fn damaged_requests_never_panic() {
    let version = zone();
    let bytes = request(
        &[asked("a", A, Class::IN, 0, &[192, 0, 2, 1])],
        &[asked("", 6, Class::IN, 60, &soa(9).3), asked("m", 15, Class::IN, 60, b"\0\x01\x01a\0")],
    );
    for place in 0..bytes.len() {
        for byte in [0, 1, 5, 46, 51, 63, 64, 192, 254, 255, bytes[place] ^ 1] {
            let mut changed = bytes.clone();
            changed[place] = byte;
            let Ok(update) = Update::read(&Message::new(&changed).unwrap()) else { continue };
            if let (Ok(counts), _) = update.scan(&version, Strictness::Fail, None) {
                let made = update.make(&version, &RULES, &counts);
                assert!(made.rcode == Rcode::NOERROR || made.change.is_none());
            }
        }
    }
}
