//! For tests: random zones that the same seed repeats, and what they hold as plain data.

use std::fs;

use super::check::Policy;
use super::load::load;
use super::master::Options;
use super::message::Strictness;
use super::{Builder, Limits, Node, Rrset, ZoneVersion};
use crate::dns::{Class, Name, Rtype, testing};

pub(super) const APEX: &str = "Zone.example.";
/// Letters of both cases, specials, bytes below and above the letters, and labels that hold what looks like others.
const LABELS: [&str; 17] = [
    "a",
    "B",
    "b",
    "ab",
    "*",
    "x-1",
    "_t",
    "\\000",
    "\\255",
    "\\127z",
    "\\@",
    "c\\.d",
    "\\003foo",
    "foo",
    "x\\003foo",
    "0",
    "long-label-of-some-length",
];

/// Zones that the same seed repeats.
pub(super) struct Random(pub(super) testing::Random);

impl Random {
    pub(super) fn below(&mut self, end: usize) -> usize {
        self.0.below(end)
    }

    pub(super) fn name(&mut self) -> Name {
        let depth = self.below(5);
        let labels: String = (0..depth).map(|_| format!("{}.", LABELS[self.below(LABELS.len())])).collect();
        name(&format!("{labels}{APEX}"))
    }

    pub(super) fn record(&mut self) -> Record {
        let types = [Rtype::A, Rtype::A, Rtype::A, Rtype::TXT, Rtype::NS, Rtype::DNAME, Rtype::CNAME, Rtype::NSEC];
        let rtype = types[self.below(types.len())];
        let rdata = match self.below(4) {
            0 => return (self.name(), Rtype::RRSIG, 60, [&rtype.0.to_be_bytes()[..], &[self.below(3) as u8]].concat()),
            1 => return (hashed(&[self.below(256) as u8; 20]), Rtype::NSEC3, 60, vec![1, self.below(3) as u8]),
            _ => vec![self.below(4) as u8],
        };
        (self.name(), rtype, 60, rdata)
    }

    pub(super) fn zone(&mut self) -> Vec<Record> {
        let count = self.below(60);
        let mut records: Vec<Record> = (0..count).map(|_| self.record()).collect();
        records.insert(self.below(count + 1), soa(1));
        records
    }
}

pub(super) type Record = (Name, Rtype, u32, Vec<u8>);

pub(super) fn name(text: &str) -> Name {
    text.parse().unwrap()
}

pub(super) fn hashed(hash: &[u8]) -> Name {
    name(&format!("{}.{APEX}", data_encoding::BASE32_DNSSEC.encode(hash).to_uppercase()))
}

pub(super) fn soa(serial: u32) -> Record {
    let numbers = [serial, 2, 3, 4, 5].map(u32::to_be_bytes).concat();
    (name(APEX), Rtype::SOA, 60, [&b"\x01m\x00\x01r\x00"[..], &numbers].concat())
}

pub(super) fn build(records: &[Record]) -> ZoneVersion {
    let mut builder = Builder::new(name(APEX), Class::IN);
    for (owner, rtype, ttl, rdata) in records {
        builder.add(owner.as_ref(), *rtype, *ttl, rdata).unwrap();
    }
    builder.finish().unwrap()
}

/// All records in the order in which the version has them, with the case of the owner folded.
pub(super) fn dump(version: &ZoneVersion) -> Vec<(String, Rtype, u32, Vec<u8>)> {
    let of_node = |node: Node<'_>| {
        let owner = node.owner().to_string().to_lowercase();
        let rrsets: Vec<_> = node.rrsets().chain(node.signatures()).collect();
        let of_rrset = |rrset: &Rrset<'_>| {
            let (rtype, ttl) = (rrset.rtype(), rrset.ttl());
            rrset.rdatas().map(move |rdata| (rtype, ttl, rdata.to_vec())).collect::<Vec<_>>()
        };
        let records: Vec<_> = rrsets.iter().flat_map(of_rrset).collect();
        records.into_iter().map(move |(rtype, ttl, rdata)| (owner.clone(), rtype, ttl, rdata)).collect::<Vec<_>>()
    };
    version.nodes().flat_map(of_node).collect()
}

/// A zone from its text.
pub(crate) fn read(apex: &str, text: &str) -> ZoneVersion {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("zone");
    fs::write(&path, text).unwrap();
    let options = Options {
        apex: apex.parse().unwrap(),
        class: Class::IN,
        check_names: Strictness::Ignore,
        check_mx: Strictness::Ignore,
        check_ns: Strictness::Ignore,
        check_wildcard: false,
        max_zone_ttl_s: None,
    };
    let policy = Policy { ns_addresses: false, integrity: false, ..Policy::default() };
    let loaded = load(&path, &options, Limits::default(), &policy);
    loaded.version.unwrap_or_else(|| panic!("{:?} {:?}", loaded.messages, loaded.failure))
}
