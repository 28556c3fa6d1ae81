//! Conversations with a small world of zones: `testdata/answers/*.txt` holds questions and the replies they must get.
//!
//! A conversation file has comments (`#`), questions (`> NAME TYPE [CLASS] [+rd] [+edns] [+do] [+small] [+tcp]`) and
//! behind each the reply: `< RCODE flags`, then records as `answer|authority|additional NAME TTL TYPE RDATA`. What the
//! files say was compared with BIND 9.18 on the same zones. hickory-proto reads every reply as a second opinion.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use super::cookie::{CookieAlgorithm, Cookies};
use super::order::RrsetOrder;
use super::snapshot::{EdnsPolicy, Identity, MinimalResponses, ProxyPolicy, TransferPath, ZonePolicy, ZoneRole};
use super::table::ZoneTable;
use super::*;
use crate::dns::message::Section;
use crate::dns::{Algorithm, Class, Key, Message, Name, NameRef, Rcode, Rtype, rdata, tsig};
use crate::zone::master::{self, Options};
use crate::zone::message::Strictness;
use crate::zone::{Builder, ZoneVersion};

mod conversations;
mod rules;

/// Any time will do; signatures in the zones are not looked at.
const NOW_S: u64 = 1_800_000_000;

fn testdata(file: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/answers").join(file)
}

fn load(apex: &str, file: &str) -> ZoneVersion {
    let apex: Name = apex.parse().unwrap();
    let mut builder = Builder::new(apex.clone(), Class::IN);
    let options = Options {
        apex,
        class: Class::IN,
        check_names: Strictness::Ignore,
        check_mx: Strictness::Ignore,
        check_ns: Strictness::Ignore,
        check_wildcard: false,
        max_zone_ttl_s: None,
    };
    let report =
        master::read(&testdata(file), &options, &mut |owner: NameRef<'_>, rtype: Rtype, ttl: u32, data: &[u8]| {
            builder.add(owner, rtype, ttl, data).unwrap();
        });
    assert_eq!(report.failure, None, "{file}: {:?}", report.messages);
    builder.finish().unwrap()
}

fn zone(apex: &str, role: ZoneRole, policy: &Arc<ZonePolicy>, file: Option<&str>) -> Arc<Zone> {
    let zone = Zone::new(apex.parse().unwrap(), Class::IN, role, policy.clone());
    zone.publish(file.map(|file| Arc::new(load(apex, file))));
    Arc::new(zone)
}

fn key() -> Arc<Key> {
    let name = "k".parse().unwrap();
    Arc::new(Key {
        name,
        algorithm: Algorithm::Sha256,
        truncate_bits: None,
        secret: b"secretsecretsecretsecret".to_vec(),
    })
}

/// A server of all zones in testdata, one that nobody may ask, and one that is not loaded.
fn world() -> Snapshot {
    let open = Arc::new(ZonePolicy {
        allow_query: Acl::Any,
        allow_query_on: Acl::Any,
        allow_transfer: Acl::Any,
        transfer_path: TransferPath::default(),
        allow_notify: Acl::Any,
        allow_update_forwarding: Acl::Any,
        zero_no_soa_ttl: true,
        ..ZonePolicy::default()
    });
    let closed = Arc::new(ZonePolicy::default());
    let loaded_but_closed =
        Arc::new(ZonePolicy { allow_query: Acl::Any, allow_query_on: Acl::Any, ..ZonePolicy::default() });
    let zones = [
        zone("example.test", ZoneRole::Primary, &open, Some("example.test.zone")),
        zone("other.test", ZoneRole::Secondary, &open, Some("other.test.zone")),
        zone("child.example.test", ZoneRole::Primary, &loaded_but_closed, Some("child.example.test.zone")),
        zone("nsec.test", ZoneRole::Primary, &open, Some("nsec.test.zone.signed")),
        zone("nsec3.test", ZoneRole::Primary, &open, Some("nsec3.test.zone.signed")),
        zone("optout.test", ZoneRole::Primary, &open, Some("optout.test.zone.signed")),
        zone("denied.test", ZoneRole::Secondary, &closed, Some("other.test.zone")),
        zone("broken.test", ZoneRole::Primary, &open, None),
    ];
    let identity = Identity {
        version: Some("1.0 test".into()),
        hostname: None,
        server_id: Some("sid".into()),
        authors: Box::new([]),
    };
    let view = View {
        name: "_default".into(),
        class: Class::IN,
        match_clients: Acl::Any,
        match_destinations: Acl::Any,
        match_recursive_only: false,
        keys: vec![key()],
        zones: Arc::new(ZoneTable::new(zones)),
        minimal_responses: MinimalResponses::NoAuthRecursive,
        minimal_any: false,
        rrset_order: RrsetOrder::None.into(),
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

fn client(transport: Transport) -> Client {
    let (source, local) = ("192.0.2.200:5300".parse().unwrap(), "192.0.2.1:53".parse().unwrap());
    Client { source, local, transport, proxy: None }
}

fn outcome(snapshot: &Snapshot, request: &[u8], transport: Transport) -> (Outcome, Vec<u8>) {
    let mut reply = vec![0; 65535];
    let outcome = respond(snapshot, request, &client(transport), NOW_S, &mut Scratch::new(1), &mut reply);
    if let Outcome::Reply(length) | Outcome::Notify { reply: length, .. } = outcome {
        reply.truncate(length);
    }
    (outcome, reply)
}

fn ask(snapshot: &Snapshot, request: &[u8]) -> Option<Vec<u8>> {
    match outcome(snapshot, request, Transport::Udp) {
        (Outcome::Reply(_) | Outcome::Notify { .. }, reply) => {
            hickory_proto::op::Message::from_vec(&reply).unwrap_or_else(|error| panic!("{error}: {reply:02x?}"));
            Some(reply)
        }
        _ => None,
    }
}

/// A request of one question, with an OPT record if there are options.
fn request(name: &str, rtype: Rtype, class: Class, flags: u16, opt: Option<(u16, u32, &[u8])>) -> Vec<u8> {
    let name: Name = name.parse().unwrap();
    let mut bytes = vec![0x12, 0x34];
    bytes.extend(flags.to_be_bytes());
    bytes.extend([0, 1, 0, 0, 0, 0, 0, u8::from(opt.is_some())]);
    bytes.extend(name.as_ref().as_bytes());
    bytes.extend(rtype.0.to_be_bytes());
    bytes.extend(class.0.to_be_bytes());
    if let Some((size, ttl, options)) = opt {
        bytes.extend([0, 0, 41]);
        bytes.extend(size.to_be_bytes());
        bytes.extend(ttl.to_be_bytes());
        bytes.extend((options.len() as u16).to_be_bytes());
        bytes.extend(options);
    }
    bytes
}

fn rcode(reply: &[u8]) -> Rcode {
    Message::new(reply).unwrap().header().rcode()
}

/// A reply as conversation files have it.
fn describe(reply: &[u8]) -> String {
    let message = Message::new(reply).unwrap();
    let header = message.header();
    let mut text = format!("< {}", header.rcode());
    for (name, is_set) in [("aa", header.aa()), ("tc", header.tc()), ("rd", header.rd()), ("cd", header.cd())] {
        if is_set {
            write!(text, " {name}").unwrap();
        }
    }
    text.push('\n');
    for record in message.records().map(Result::unwrap).filter(|record| record.rtype != Rtype::OPT) {
        let section = match record.section {
            Section::Answer => "answer",
            Section::Authority => "authority",
            Section::Additional => "additional",
        };
        let (mut data, mut words) = (Vec::new(), String::new());
        rdata::from_wire(record.rtype, reply, record.rdata.clone(), &mut data).unwrap();
        rdata::to_text(record.rtype, &data, &mut words);
        if record.rtype == Rtype::RRSIG {
            // Signatures differ with each signing; what they cover does not.
            words.truncate(words.find(' ').unwrap());
        }
        writeln!(text, "{section} {} {} {} {words}", record.owner, record.ttl, record.rtype).unwrap();
    }
    text
}
