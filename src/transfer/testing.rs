//! Zones, keys and streams for the tests of this floor.

use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use super::guard::Guards;
use super::message::{Ask, Opt, request, sign};
use super::outbound::{Filling, Form, Outbound};
use super::peer::Peer;
use super::refresh::Settings;
use crate::dns::tsig::{Chain, Verdict, check_request};
use crate::dns::{Algorithm, Class, Key, Message, Name, NameBuf, Rtype};
use crate::zone::journal::Transaction;
use crate::zone::{Builder, ZoneVersion};

pub(super) const NOW_S: u64 = 1_800_000_000;

pub(super) const FILLING: Filling = Filling { message_bytes: 20480, one_answer: false };

pub(super) fn name(text: &str) -> Name {
    Name::from_text(text.as_bytes()).unwrap()
}

pub(super) fn wire(text: &str) -> Vec<u8> {
    name(text).as_ref().as_bytes().to_vec()
}

pub(super) fn key() -> Key {
    Key { name: name("k."), algorithm: Algorithm::Sha256, truncate_bits: None, secret: b"secret".to_vec() }
}

/// What a SOA query has that asks for nothing but when the zone expires.
pub(super) const OPT: Opt = Opt { udp_bytes: 1232, nsid: false, expire: true };

/// A server of 192.0.2.0/24, with nothing said about it.
pub(crate) fn peer(last: u8) -> Peer {
    Peer {
        address: SocketAddr::from(([192, 0, 2, last], 53)),
        source: SocketAddr::from(([0; 4], 0)),
        other_source: None,
        key: None,
        missing_key: None,
        tls: None,
        opt: Some(OPT),
        tcp_only: false,
        connect_limit: Duration::from_secs(15),
        request_ixfr: None,
        max_differences: None,
    }
}

/// What a secondary of these primaries is to do, all else being named's defaults.
pub(super) fn settings(primaries: impl IntoIterator<Item = Peer>) -> Settings {
    Settings {
        primaries: primaries.into_iter().map(Arc::new).collect(),
        refresh_s: 300..=2_419_200,
        retry_s: 500..=1_209_600,
        try_tcp_refresh: true,
        multi_master: false,
        checks_when_due: true,
        guards: Guards::default(),
    }
}

pub(super) fn soa(serial: u32) -> Vec<u8> {
    let numbers = [serial, 3600, 900, 604_800, 300].map(u32::to_be_bytes).concat();
    [wire("ns1.example."), wire("host.example."), numbers].concat()
}

/// A zone `example.` with so many hosts, whose addresses tell the serial.
pub(super) fn zone(serial: u32, hosts: u32) -> ZoneVersion {
    zone_with(serial, hosts, serial)
}

/// The same with another address for all.
pub(super) fn zone_with(serial: u32, hosts: u32, address: u32) -> ZoneVersion {
    let apex = name("example.");
    let mut builder = Builder::new(apex.clone(), Class::IN);
    builder.add(apex.as_ref(), Rtype::SOA, 3600, &soa(serial)).unwrap();
    builder.add(apex.as_ref(), Rtype::NS, 3600, &wire("ns1.example.")).unwrap();
    builder.add(apex.as_ref(), Rtype::MX, 3600, &[&[0, 10], wire("mail.example.").as_slice()].concat()).unwrap();
    for host in 0..hosts {
        let owner = NameBuf::from_text(format!("Host{host:07}.example.").as_bytes(), None).unwrap();
        builder.add(owner.as_ref(), Rtype::A, 300, &address.to_be_bytes()).unwrap();
        builder.add(owner.as_ref(), Rtype::A, 300, &host.to_be_bytes()).unwrap();
        builder.add(owner.as_ref(), Rtype::TXT, 60, b"\x05hello").unwrap();
    }
    builder.finish().unwrap()
}

/// Every record of a version as text, to compare two.
pub(super) fn dump(version: &ZoneVersion) -> Vec<String> {
    let mut lines = Vec::new();
    for node in version.nodes() {
        for rrset in node.rrsets().chain(node.signatures()) {
            let head = format!("{} {} {}", node.owner(), rrset.ttl(), rrset.rtype());
            lines.extend(rrset.rdatas().map(|rdata| format!("{head} {rdata:02x?}")));
        }
    }
    lines
}

/// The request for a transfer, and the messages that answer it.
pub(super) struct Exchange<'k> {
    pub(super) chain: Option<Chain<&'k Key>>,
    pub(super) messages: Vec<Vec<u8>>,
}

/// Transfers a zone whole.
pub(super) fn exchange<'k>(
    version: &Arc<ZoneVersion>,
    key: Option<&'k Key>,
    filling: Filling,
    id: u16,
) -> Exchange<'k> {
    Asking { version, key, filling, id, old: None, changes: vec![], ours_s: NOW_S, theirs_s: NOW_S }.exchange()
}

/// A transfer to be made.
pub(super) struct Asking<'a, 'k> {
    /// What the primary has.
    pub(super) version: &'a Arc<ZoneVersion>,
    pub(super) key: Option<&'k Key>,
    pub(super) filling: Filling,
    pub(super) id: u16,
    /// The version that differences are asked to.
    pub(super) old: Option<&'a ZoneVersion>,
    /// Those differences; none: the zone is sent.
    pub(super) changes: Vec<Transaction>,
    /// The clocks of both.
    pub(super) ours_s: u64,
    pub(super) theirs_s: u64,
}

impl<'k> Asking<'_, 'k> {
    /// Asks and is answered; where the primary does not like the clock with nothing.
    pub(super) fn exchange(self) -> Exchange<'k> {
        let Self { version, key, filling, id, .. } = self;
        let ask = self.old.and_then(ZoneVersion::soa_record).map_or(Ask::Axfr, |(ttl, soa)| Ask::Ixfr(ttl, soa));
        let rtype = if self.old.is_some() { Rtype::IXFR } else { Rtype::AXFR };
        let mut asked = request(id, version.apex(), Class::IN, ask, None).unwrap();
        let mut chain = key.map(Chain::new);
        if let Some(chain) = &mut chain {
            sign(chain, &mut asked, self.ours_s);
        }
        let message = Message::new(&asked).unwrap();
        let server = match check_request(&message, |_, _| key, self.theirs_s).unwrap() {
            Verdict::Verified(chain) => Some(chain),
            Verdict::Unsigned => None,
            Verdict::Refused(_) => return Exchange { chain, messages: vec![] },
        };
        let form = Form::of(rtype, self.old.map(ZoneVersion::serial), version.serial(), false);
        let head = (message.header(), message.question().unwrap());
        let mut out = Outbound::new(Arc::clone(version), form, filling, head, server);
        if !self.changes.is_empty() {
            out.send_differences(self.changes);
        }
        let next = || {
            let mut message = Vec::new();
            out.next(self.theirs_s, &mut message).unwrap().then_some(message)
        };
        Exchange { chain, messages: std::iter::from_fn(next).collect() }
    }
}
