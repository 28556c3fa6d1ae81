//! The cases: which zone is asked for what, and the mark of each.

use std::net::SocketAddr;
use std::sync::Arc;

use nomd::answer::acl::Acl;
use nomd::answer::builtin;
use nomd::answer::cookie::{CookieAlgorithm, Cookies};
use nomd::answer::order::Orders;
use nomd::answer::snapshot::{EdnsPolicy, Identity, MinimalResponses, ProxyPolicy, Snapshot, View};
use nomd::answer::table::ZoneTable;
use nomd::answer::{Client, Outcome, Scratch, Transport, respond};
use nomd::dns::{Class, Message, Name, Rcode, Rtype};

use crate::zones;

/// Different queries of a case.
pub(crate) const QUERIES: usize = 256;
/// Any time: no answer here depends on it.
const NOW_S: u64 = 1_800_000_000;

/// One kind of question.
pub(crate) struct Case {
    pub(crate) name: &'static str,
    /// The most instructions that its answers may take.
    pub(crate) mark: u64,
    /// The name asked for; `#` stands for a number that names exist for.
    pattern: &'static str,
    rtype: Rtype,
    edns: Edns,
    rcode: Rcode,
    /// How many records of the reply's three sections together, OPT included; a reply with others is none of this case.
    least_records: u16,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Edns {
    Absent,
    Plain,
    DnssecOk,
    Cookie,
}

/// All cases, in the order of the record.
#[rustfmt::skip]
pub(crate) fn all() -> Vec<Case> {
    use Edns::{Absent, Cookie, DnssecOk, Plain};
    let case = |name, mark, pattern, rtype, edns, rcode, least_records| {
        Case { name, mark, pattern, rtype, edns, rcode, least_records }
    };
    let (ok, nx) = (Rcode::NOERROR, Rcode::NXDOMAIN);
    vec![
        case("small", 1500, "host#.small.example", Rtype::A, Plain, ok, 2),
        case("small-without-edns", 1500, "host#.small.example", Rtype::A, Absent, ok, 1),
        case("small-cookie", 1900, "host#.small.example", Rtype::A, Cookie, ok, 2),
        case("small-cname", 2500, "www.host#.small.example", Rtype::A, Plain, ok, 3),
        case("small-mx", 2500, "host#.small.example", Rtype::MX, Plain, ok, 3),
        case("small-nodata", 2000, "host#.small.example", Rtype::SRV, Plain, ok, 2),
        case("small-nxdomain", 2000, "none.host#.small.example", Rtype::A, Plain, nx, 2),
        case("small-dname", 3000, "a.alias#.small.example", Rtype::A, Plain, ok, 3),
        case("refused", 1000, "host#.elsewhere.example", Rtype::A, Plain, Rcode::REFUSED, 1),
        case("referral", 2500, "www.del#.tld", Rtype::A, Plain, ok, 4),
        case("referral-glue", 4000, "www.in#.tld", Rtype::A, Plain, ok, 5),
        case("tld-nxdomain", 2500, "host#.tld", Rtype::A, Plain, nx, 2),
        case("nsec-positive", 2500, "host#.nsec.example", Rtype::A, DnssecOk, ok, 3),
        case("nsec-nxdomain", 4000, "host#x.nsec.example", Rtype::A, DnssecOk, nx, 7),
        case("nsec-nodata", 4000, "host#.nsec.example", Rtype::SRV, DnssecOk, ok, 5),
        case("nsec3-positive", 2500, "host#.nsec3.example", Rtype::A, DnssecOk, ok, 3),
        case("nsec3-nxdomain", 10_000, "host#x.nsec3.example", Rtype::A, DnssecOk, nx, 9),
        case("nsec3-nodata", 10_000, "host#.nsec3.example", Rtype::SRV, DnssecOk, ok, 5),
    ]
}

impl Case {
    /// The packets.
    pub(crate) fn queries(&self) -> Vec<Vec<u8>> {
        // A step without a common factor with the number of names, so that they come from all over the zone.
        let numbers = (0..QUERIES).map(|query| query * 7919 % zones::NAMES);
        numbers.map(|number| self.query(&self.pattern.replace('#', &format!("{number:05}")))).collect()
    }

    fn query(&self, name: &str) -> Vec<u8> {
        let name: Name = name.parse().unwrap();
        let additional = u8::from(self.edns != Edns::Absent);
        let mut bytes = vec![0x12, 0x34, 0, 0, 0, 1, 0, 0, 0, 0, 0, additional];
        bytes.extend(name.as_ref().as_bytes());
        bytes.extend(self.rtype.0.to_be_bytes());
        bytes.extend(Class::IN.0.to_be_bytes());
        let opt: &[u8] = match self.edns {
            Edns::Absent => &[],
            Edns::Plain => &[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 0],
            Edns::DnssecOk => &[0, 0, 41, 4, 208, 0, 0, 0x80, 0, 0, 0],
            Edns::Cookie => &[0, 0, 41, 4, 208, 0, 0, 0, 0, 0, 12, 0, 10, 0, 8, 1, 2, 3, 4, 5, 6, 7, 8],
        };
        bytes.extend(opt);
        bytes
    }
}

/// A worker with its zones.
pub(crate) struct Asker {
    snapshot: Snapshot,
    scratch: Scratch,
    reply: Vec<u8>,
    client: Client,
}

impl Asker {
    pub(crate) fn new() -> Self {
        let source: SocketAddr = "192.0.2.200:5300".parse().unwrap();
        let client = Client { source, local: "192.0.2.1:53".parse().unwrap(), transport: Transport::Udp, proxy: None };
        Self { snapshot: snapshot(), scratch: Scratch::new(1), reply: vec![0; 4096], client }
    }

    /// Answers all queries, and looks at the last reply.
    pub(crate) fn ask_all(&mut self, case: &Case, queries: &[Vec<u8>]) {
        let mut length = 0;
        for query in queries {
            match respond(&self.snapshot, query, &self.client, NOW_S, &mut self.scratch, &mut self.reply) {
                Outcome::Reply(bytes) => length = bytes,
                outcome => panic!("{}: {outcome:?}", case.name),
            }
        }
        let header = Message::new(&self.reply[..length]).unwrap().header();
        let [_, records @ ..] = header.counts;
        assert_eq!(header.rcode(), case.rcode, "{}", case.name);
        assert!(records.iter().sum::<u16>() >= case.least_records, "{}: {records:?}", case.name);
    }
}

fn snapshot() -> Snapshot {
    let identity = Identity::default();
    let view = View {
        name: "_default".into(),
        class: Class::IN,
        match_clients: Acl::Any,
        match_destinations: Acl::Any,
        match_recursive_only: false,
        keys: Vec::new(),
        zones: Arc::new(ZoneTable::new(zones::all())),
        minimal_responses: MinimalResponses::Yes,
        minimal_any: false,
        rrset_order: Orders::default(),
        sortlist: Box::default(),
        max_restarts: 11,
        offers_recursion: false,
        allow_recursion: Acl::Nobody,
        no_case_compress: Acl::Nobody,
        edns: EdnsPolicy::default(),
        proxies: ProxyPolicy::default(),
        peers: Box::default(),
        rate_limit: None,
    };
    Snapshot {
        views: vec![view, builtin::view(&identity, EdnsPolicy::default(), ProxyPolicy::default(), None)],
        identity,
        tcp_advertised_timeout_100ms: 300,
        cookies: Cookies { algorithm: CookieAlgorithm::SipHash24, secrets: vec![[7; 16]] },
        ..Snapshot::default()
    }
}
