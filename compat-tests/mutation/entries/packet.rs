//! Messages: requests to a small server, and the stream of a transfer.

use std::sync::{Arc, LazyLock};

use nomd::answer::acl::Acl;
use nomd::answer::builtin;
use nomd::answer::cookie::{CookieAlgorithm, Cookies};
use nomd::answer::order::Orders;
use nomd::answer::snapshot::{
    EdnsPolicy, Identity, MinimalResponses, ProxyPolicy, Snapshot, View, Zone, ZonePolicy, ZoneRole,
};
use nomd::answer::table::ZoneTable;
use nomd::answer::update::UpdatePolicy;
use nomd::answer::{Client, Outcome, Scratch, Transport, Update, respond};
use nomd::dns::tsig::Chain;
use nomd::dns::{Algorithm, Class, Key, Message, Name, Rcode};
use nomd::transfer::inbound::{Inbound, Progress};
use nomd::zone::message::Strictness;
use nomd::zone::print::{self, Style};
use nomd::zone::update::{Rules, SerialMethod};
use nomd::zone::{Limits, ZoneVersion};

use super::files::read_text;
use super::{APEX, NOW_S, OLD, TRANSFER_ID};

/// Zones of testdata/answers: the apex, the text, and what the zone is here.
const ZONES: [(&str, &[u8], ZoneRole); 4] = [
    ("example.test", include_bytes!("../../../testdata/answers/example.test.zone"), ZoneRole::Primary),
    ("other.test", include_bytes!("../../../testdata/answers/other.test.zone"), ZoneRole::Secondary),
    ("nsec.test", include_bytes!("../../../testdata/answers/nsec.test.zone.signed"), ZoneRole::Primary),
    ("nsec3.test", include_bytes!("../../../testdata/answers/nsec3.test.zone.signed"), ZoneRole::Primary),
];
const MAX_UDP_SIZE: u16 = 1232;
/// The length of the header, the only part that every reply repeats.
const HEADER_LENGTH: usize = 12;

/// What hickory-proto refuses though it is right, by words of its error, and why. Only what the server copies from a
/// request can be of the kind.
const TOO_STRICT: [(&str, &str); 0] = [];

static SNAPSHOT: LazyLock<Snapshot> = LazyLock::new(snapshot);
static KEY: LazyLock<Arc<Key>> = LazyLock::new(|| {
    let (name, secret) = ("key.test".parse().unwrap(), b"no secret at all".to_vec());
    Arc::new(Key { name, algorithm: Algorithm::Sha256, truncate_bits: None, secret })
});

/// A request over UDP and TCP, as it is and signed: a reply belongs to it, fits, and can be read by others.
pub fn packet(request: &[u8]) -> bool {
    let is_answered = answer(request, Transport::Udp) | answer(request, Transport::Tcp);
    if request.len() >= HEADER_LENGTH {
        let mut signed = request.to_vec();
        Chain::new(KEY.clone()).sign_request(request, NOW_S).append_to(&mut signed);
        answer(&signed, Transport::Udp);
    }
    is_answered
}

fn answer(request: &[u8], transport: Transport) -> bool {
    let client = Client {
        source: "192.0.2.200:5300".parse().unwrap(),
        local: "192.0.2.1:53".parse().unwrap(),
        transport,
        proxy: None,
    };
    let mut reply = vec![0; usize::from(u16::MAX)];
    let length = match respond(&SNAPSHOT, request, &client, NOW_S, &mut Scratch::new(1), &mut reply) {
        Outcome::Reply(length) | Outcome::Notify { reply: length, .. } => length,
        Outcome::Update(mut update) => {
            make(&update);
            let made = update.reply.make(Rcode::SERVFAIL, NOW_S);
            reply[..made.len()].copy_from_slice(&made);
            made.len()
        }
        Outcome::Drop | Outcome::Transfer(_) => return false,
    };
    let reply = &reply[..length];
    let context = || format!("{transport:?} {} gets {}", request.escape_ascii(), reply.escape_ascii());
    assert!(transport == Transport::Tcp || length <= usize::from(MAX_UDP_SIZE), "{length} bytes: {}", context());
    let header = Message::new(reply).unwrap().header();
    assert!(header.is_response() && header.id.to_be_bytes() == request[..2], "{}", context());
    second_opinion(reply).unwrap_or_else(|error| panic!("{error}: {}", context()));
    true
}

/// Makes an update of a primary: its transaction leads to its version.
fn make(update: &Update) {
    let (Some(asked), Some(before)) = (&update.asked, update.zone.version()) else { return };
    let rules = Rules {
        limits: Limits::default(),
        mail_addresses: Strictness::Warn,
        integrity: true,
        wildcards: true,
        max_ttl: None,
        serial: SerialMethod::Increment,
    };
    let (Ok(counts), _) = asked.update.scan(&before, Strictness::Warn, None) else { return };
    let made = asked.update.make(&before, &rules, &counts);
    if let Some((version, transaction)) = made.change {
        assert_eq!((transaction.before, transaction.after), (before.serial(), version.serial()));
        assert_eq!(made.rcode, Rcode::NOERROR);
    }
}

/// Whether hickory-proto reads a reply.
fn second_opinion(reply: &[u8]) -> Result<(), String> {
    match hickory_proto::op::Message::from_vec(reply) {
        Err(error) => {
            let error = error.to_string();
            if TOO_STRICT.iter().any(|(words, _)| error.contains(words)) { Ok(()) } else { Err(error) }
        }
        Ok(_) => Ok(()),
    }
}

/// The stream of an answer to AXFR, and to IXFR: a zone that comes out can be written.
pub fn transfer(stream: &[u8]) -> bool {
    let old = read_text(&APEX.parse().unwrap(), OLD.as_bytes()).version.unwrap();
    let versions = [None, Some(&old)].map(|have| receive(stream, have));
    for version in versions.iter().flatten() {
        print::dump(version, Style::Relative, &mut Vec::new()).unwrap();
    }
    versions.iter().any(Option::is_some)
}

/// Takes the messages of a TCP stream, each behind its length.
fn receive(mut stream: &[u8], have: Option<&ZoneVersion>) -> Option<Box<ZoneVersion>> {
    let mut transfer = Inbound::new(APEX.parse().unwrap(), Class::IN, TRANSFER_ID, have, None, Limits::default());
    while let Some((length, rest)) = stream.split_first_chunk::<2>() {
        let (message, rest) = rest.split_at_checked(u16::from_be_bytes(*length).into())?;
        stream = rest;
        match transfer.feed(message, NOW_S) {
            Ok(Progress::More) => {}
            Ok(Progress::Done(version) | Progress::Changed(version, _)) => return Some(version),
            Ok(Progress::UpToDate(_)) | Err(_) => return None,
        }
    }
    None
}

fn snapshot() -> Snapshot {
    let identity = Identity { version: Some("1".into()), server_id: Some("id".into()), ..Identity::default() };
    let view = View {
        name: "_default".into(),
        class: Class::IN,
        match_clients: Acl::Any,
        match_destinations: Acl::Any,
        match_recursive_only: false,
        keys: vec![KEY.clone()],
        zones: Arc::new(ZoneTable::new(ZONES.map(|(apex, text, role)| zone(apex, text, role)))),
        minimal_responses: MinimalResponses::No,
        minimal_any: false,
        rrset_order: Orders::default(),
        sortlist: Box::default(),
        max_restarts: 11,
        offers_recursion: false,
        allow_recursion: Acl::Any,
        no_case_compress: Acl::Nobody,
        edns: edns(),
        proxies: ProxyPolicy::default(),
        peers: Box::default(),
        rate_limit: None,
    };
    Snapshot {
        views: vec![view, builtin::view(&identity, edns(), ProxyPolicy::default(), None)],
        identity,
        edns: edns(),
        tcp_advertised_timeout_100ms: 300,
        cookies: Cookies { algorithm: CookieAlgorithm::SipHash24, secrets: vec![[7; 16]] },
        ..Snapshot::default()
    }
}

fn edns() -> EdnsPolicy {
    EdnsPolicy {
        udp_size: MAX_UDP_SIZE,
        max_udp_size: MAX_UDP_SIZE,
        padded: Acl::Any,
        padding_block: 128,
        ..EdnsPolicy::default()
    }
}

fn zone(apex: &str, text: &[u8], role: ZoneRole) -> Arc<Zone> {
    let open = ZonePolicy {
        allow_query: Acl::Any,
        allow_query_on: Acl::Any,
        allow_transfer: Acl::Any,
        allow_notify: Acl::Any,
        allow_update_forwarding: Acl::Any,
        updates: UpdatePolicy::Allowed(Acl::Any),
        ..ZonePolicy::default()
    };
    let apex: Name = apex.parse().unwrap();
    let version = read_text(&apex, text).version.unwrap();
    let zone = Zone::new(apex, Class::IN, role, Arc::new(open));
    zone.publish(Some(Arc::new(version)));
    Arc::new(zone)
}
