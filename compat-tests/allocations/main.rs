//! A plain answer allocates nothing: what a worker keeps between requests is enough.
//!
//! Every kind of answer is asked for with the zones of `testdata/answers`, once to warm up and then counted. This is a
//! test binary of its own, because the counting allocator has to be that of the whole process.

#![allow(clippy::unwrap_used, missing_docs)]

use std::path::Path;
use std::sync::Arc;

use nomd::answer::acl::Acl;
use nomd::answer::builtin;
use nomd::answer::cookie::{CookieAlgorithm, Cookies};
use nomd::answer::order::Orders;
use nomd::answer::rrl::{self, RateLimit};
use nomd::answer::snapshot::{
    EdnsPolicy, Identity, MinimalResponses, ProxyPolicy, Snapshot, View, Zone, ZonePolicy, ZoneRole,
};
use nomd::answer::table::ZoneTable;
use nomd::answer::{Client, Outcome, Scratch, Transport, respond};
use nomd::dns::{Algorithm, Class, Key, Message, Name, Rcode, Rtype, tsig::Chain};
use nomd::zone::check::Policy;
use nomd::zone::master::Options;
use nomd::zone::message::Strictness;
use nomd::zone::{Limits, load};

const NOW_S: u64 = 1_800_000_000;
const ZONES: [(&str, &str); 4] = [
    ("example.test", "example.test.zone"),
    ("other.test", "other.test.zone"),
    ("nsec.test", "nsec.test.zone.signed"),
    ("nsec3.test", "nsec3.test.zone.signed"),
];

/// A question, whether with DO, and the rcode of the reply.
type Case = (&'static str, Rtype, Class, bool, Rcode);

const CASES: [Case; 27] = [
    ("www.example.test", Rtype::A, Class::IN, false, Rcode::NOERROR),
    ("example.test", Rtype::MX, Class::IN, false, Rcode::NOERROR),
    ("example.test", Rtype::ANY, Class::IN, false, Rcode::NOERROR),
    ("example.test", Rtype::NS, Class::IN, true, Rcode::NOERROR),
    ("x.sub.example.test", Rtype::A, Class::IN, false, Rcode::NOERROR),
    ("x.secure.example.test", Rtype::A, Class::IN, true, Rcode::NOERROR),
    ("nothing.example.test", Rtype::A, Class::IN, false, Rcode::NXDOMAIN),
    ("www.example.test", Rtype::AAAA, Class::IN, false, Rcode::NOERROR),
    ("b.ent.example.test", Rtype::A, Class::IN, false, Rcode::NOERROR),
    ("alias2.example.test", Rtype::A, Class::IN, false, Rcode::NOERROR),
    ("loop1.example.test", Rtype::A, Class::IN, false, Rcode::SERVFAIL),
    ("x.dname.example.test", Rtype::A, Class::IN, false, Rcode::NOERROR),
    ("x.wild.example.test", Rtype::MX, Class::IN, false, Rcode::NOERROR),
    ("naptr.example.test", Rtype::NAPTR, Class::IN, false, Rcode::NOERROR),
    ("web.example.test", Rtype::HTTPS, Class::IN, true, Rcode::NOERROR),
    ("x.web.example.test", Rtype::HTTPS, Class::IN, false, Rcode::NOERROR),
    ("www.nsec.test", Rtype::A, Class::IN, true, Rcode::NOERROR),
    ("nothing.nsec.test", Rtype::A, Class::IN, true, Rcode::NXDOMAIN),
    ("www.nsec.test", Rtype::AAAA, Class::IN, true, Rcode::NOERROR),
    ("x.cwild.nsec.test", Rtype::A, Class::IN, true, Rcode::NOERROR),
    ("nothing.nsec3.test", Rtype::A, Class::IN, true, Rcode::NXDOMAIN),
    ("www.nsec3.test", Rtype::AAAA, Class::IN, true, Rcode::NOERROR),
    ("x.cwild.nsec3.test", Rtype::A, Class::IN, true, Rcode::NOERROR),
    ("x.sub.nsec3.test", Rtype::A, Class::IN, true, Rcode::NOERROR),
    ("nowhere.invalid", Rtype::A, Class::IN, true, Rcode::REFUSED),
    ("www.example.test", Rtype::OPT, Class::IN, false, Rcode::FORMERR),
    ("version.bind", Rtype::TXT, Class::CH, false, Rcode::NOERROR),
];

#[test]
fn a_plain_answer_allocates_nothing() {
    let world = World::new();
    for case in CASES {
        let (name, rtype, class, dnssec_ok, _) = case;
        world.check(&request(name, rtype, class, dnssec_ok), case);
    }
}

#[test]
fn a_signed_answer_allocates_nothing() {
    let world = World::new();
    for case in CASES {
        let (name, rtype, class, dnssec_ok, _) = case;
        let plain = request(name, rtype, class, dnssec_ok);
        let mut signed = plain.clone();
        Chain::new(world.key.clone()).sign_request(&plain, NOW_S).append_to(&mut signed);
        // The built-in view has no keys.
        if class == Class::IN {
            world.check(&signed, case);
        }
    }
}

#[test]
fn an_answer_over_its_limit_allocates_nothing() {
    let world = World::with(rrl::Settings { per_second: [1, 1, 1, 1, 1, 0], ..GENEROUS });
    let request = request("www.example.test", Rtype::A, Class::IN, true);
    let (mut scratch, mut reply) = (Scratch::new(1), vec![0; 4096]);
    let (source, local) = ("192.0.2.200:5300".parse().unwrap(), "192.0.2.1:53".parse().unwrap());
    let client = Client { source, local, transport: Transport::Udp, proxy: None };
    let mut answer = || respond(&world.snapshot, &request, &client, NOW_S, &mut scratch, &mut reply);
    answer();
    answer();
    let mut dropped = 0;
    let counted = allocation_counter::measure(|| {
        dropped = (0..10).filter(|_| matches!(answer(), Outcome::Drop)).count();
    });
    assert_eq!((dropped, counted.count_total), (5, 0));
}

struct World {
    snapshot: Snapshot,
    key: Arc<Key>,
}

impl World {
    fn new() -> Self {
        Self::with(GENEROUS)
    }

    fn with(limits: rrl::Settings) -> Self {
        let name = "key.test".parse().unwrap();
        let secret = b"no secret at all".to_vec();
        let key = Arc::new(Key { name, algorithm: Algorithm::Sha256, truncate_bits: None, secret });
        Self { snapshot: snapshot(&key, limits), key }
    }

    /// Asks over UDP and TCP; the first answer may allocate, the second may not.
    fn check(&self, request: &[u8], case: Case) {
        let mut scratch = Scratch::new(1);
        let mut reply = vec![0; usize::from(u16::MAX)];
        for transport in [Transport::Udp, Transport::Tcp] {
            let (source, local) = ("192.0.2.200:5300".parse().unwrap(), "192.0.2.1:53".parse().unwrap());
            let client = Client { source, local, transport, proxy: None };
            // A second FORMERR to the same client within a second is not sent.
            let mut answer = |now_s| respond(&self.snapshot, request, &client, now_s, &mut scratch, &mut reply);
            answer(NOW_S);
            let mut length = 0;
            let counted = allocation_counter::measure(|| {
                if let Outcome::Reply(written) = answer(NOW_S + 1) {
                    length = written;
                }
            });
            assert_eq!(Message::new(&reply[..length]).unwrap().header().rcode(), case.4, "{case:?}");
            assert_eq!(counted.count_total, 0, "{case:?} over {transport:?}");
        }
    }
}

fn snapshot(key: &Arc<Key>, limits: rrl::Settings) -> Snapshot {
    let identity = Identity { version: Some("1".into()), server_id: Some("id".into()), ..Identity::default() };
    let view = View {
        name: "_default".into(),
        class: Class::IN,
        match_clients: Acl::Any,
        match_destinations: Acl::Any,
        match_recursive_only: false,
        keys: vec![Arc::clone(key)],
        zones: Arc::new(ZoneTable::new(ZONES.map(|(apex, file)| zone(apex, file)))),
        minimal_responses: MinimalResponses::No,
        minimal_any: false,
        rrset_order: Orders::default(),
        sortlist: Box::default(),
        max_restarts: 11,
        offers_recursion: false,
        allow_recursion: Acl::Any,
        no_case_compress: Acl::Nobody,
        edns: EdnsPolicy::default(),
        proxies: ProxyPolicy::default(),
        peers: Box::default(),
        rate_limit: Some(Arc::new(RateLimit::new(limits, Acl::Nobody, [7; 16]))),
    };
    Snapshot {
        views: vec![view, builtin::view(&identity, EdnsPolicy::default(), ProxyPolicy::default(), None)],
        identity,
        tcp_advertised_timeout_100ms: 300,
        cookies: Cookies { algorithm: CookieAlgorithm::SipHash24, secrets: vec![[7; 16]] },
        ..Snapshot::default()
    }
}

fn zone(apex: &str, file: &str) -> Arc<Zone> {
    let apex: Name = apex.parse().unwrap();
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/answers").join(file);
    let ignore = Strictness::Ignore;
    let options = Options {
        apex: apex.clone(),
        class: Class::IN,
        check_names: ignore,
        check_mx: ignore,
        check_ns: ignore,
        check_wildcard: false,
        max_zone_ttl_s: None,
    };
    let version = load::load(&path, &options, Limits::default(), &Policy::default()).version.unwrap();
    let policy = ZonePolicy { allow_query: Acl::Any, allow_query_on: Acl::Any, ..ZonePolicy::default() };
    let zone = Zone::new(apex, Class::IN, ZoneRole::Primary, Arc::new(policy));
    zone.publish(Some(Arc::new(version)));
    Arc::new(zone)
}

/// A request with an OPT record that asks for NSID and carries a client cookie.
fn request(name: &str, rtype: Rtype, class: Class, dnssec_ok: bool) -> Vec<u8> {
    let name: Name = name.parse().unwrap();
    let mut bytes = vec![0x12, 0x34, 1, 0, 0, 1, 0, 0, 0, 0, 0, 1];
    bytes.extend(name.as_ref().as_bytes());
    bytes.extend(rtype.0.to_be_bytes());
    bytes.extend(class.0.to_be_bytes());
    bytes.extend([0, 0, 41, 4, 208, 0, 0, if dnssec_ok { 0x80 } else { 0 }, 0, 0, 16]);
    bytes.extend([0, 3, 0, 0, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8]);
    bytes
}

/// Limits that nothing here reaches: counting allocates nothing either.
const GENEROUS: rrl::Settings = rrl::Settings {
    per_second: [1 << 18; rrl::KINDS],
    window_s: 15,
    slip: 2,
    log_only: false,
    ipv4_prefix_length: 24,
    ipv6_prefix_length: 56,
    max_table_size: 1000,
    qps_scale: 0,
};
