//! Random zones against a plain model: a sorted map of names.

use std::collections::{BTreeMap, BTreeSet};

use super::*;
use crate::dns::testing;
use crate::zone::nsec3::Nsec3;
use crate::zone::testing::{APEX, Random, Record, build, dump, hashed, name, soa};
use crate::zone::{Builder, Limits, Match, Way};

/// The plain model: types by name, NSEC3 owners apart.
#[derive(Default)]
struct Model {
    names: BTreeMap<Name, BTreeSet<Rtype>>,
    nsec3: BTreeSet<Name>,
    records: BTreeSet<(Name, Rtype, Vec<u8>)>,
}

impl Model {
    fn new(records: &[Record]) -> Self {
        let mut model = Self::default();
        for (owner, rtype, _, rdata) in records {
            model.records.insert((owner.clone(), *rtype, rdata.clone()));
            if *rtype == Rtype::NSEC3 {
                model.nsec3.insert(owner.clone());
            } else {
                model.names.entry(owner.clone()).or_default().insert(*rtype);
            }
        }
        model
    }

    fn has(&self, owner: NameRef<'_>, rtype: Rtype) -> bool {
        self.names.get(&owner.to_name()).is_some_and(|types| types.contains(&rtype))
    }

    fn is_cut(&self, owner: NameRef<'_>) -> bool {
        owner != name(APEX).as_ref() && self.has(owner, Rtype::NS)
    }

    fn exists(&self, owner: NameRef<'_>) -> bool {
        self.names.keys().any(|name| name.as_ref().is_at_or_below(owner))
    }

    /// The name and those above it up to the apex, the apex first.
    fn path(owner: NameRef<'_>) -> Vec<NameRef<'_>> {
        let mut path: Vec<_> =
            owner.ancestors().take_while(|name| name.is_at_or_below(self::name(APEX).as_ref())).collect();
        path.reverse();
        path
    }
}

/// What a node is called, to compare options of nodes.
fn owner(node: Option<Node<'_>>) -> Option<Name> {
    node.map(|node| node.owner().as_ref().to_name())
}

fn check_find(model: &Model, version: &ZoneVersion, asked: &Name, seed: u64) {
    let (find, path) = (version.find(asked.as_ref()), Model::path(asked.as_ref()));
    let context = format!("seed {seed}: {asked}");
    let wanted = |found: Option<&NameRef<'_>>| found.map(|name| name.to_name());
    let encloser = *path.iter().rfind(|name| model.exists(**name)).unwrap();
    match find.matched {
        Match::Node(node) => assert_eq!(node.owner().as_ref(), asked.as_ref(), "{context}"),
        Match::EmptyNonTerminal => assert!(encloser == asked.as_ref(), "{context}"),
        Match::Missing => assert!(encloser != asked.as_ref(), "{context}"),
    }
    assert_eq!(matches!(find.matched, Match::Node(_)), model.names.contains_key(asked), "{context}");
    let labels = if find.matched.node().is_none() { encloser.label_count() } else { 0 };
    assert_eq!(find.encloser_labels, labels, "{context}");
    assert_eq!(owner(find.cut), wanted(path.iter().find(|name| model.is_cut(**name))), "{context}");
    let above = &path[..path.len() - 1];
    assert_eq!(owner(find.dname), wanted(above.iter().find(|name| model.has(**name, Rtype::DNAME))), "{context}");
    let wildcard = name(&format!("*.{encloser}"));
    let has_wildcard = encloser != asked.as_ref() && model.names.contains_key(&wildcard);
    let is_there = encloser != asked.as_ref() && model.exists(wildcard.as_ref());
    assert_eq!(is_there, !matches!(find.wildcard, Match::Missing), "{context}");
    assert_eq!(owner(find.wildcard.node()), has_wildcard.then_some(wildcard), "{context}");
    assert_eq!(owner(version.node(asked.as_ref())).is_some(), model.names.contains_key(asked), "{context}");
    let nsec = model.names.range(..=asked.clone()).rfind(|(_, types)| types.contains(&Rtype::NSEC));
    let (mut way, nsec) = (Way::default(), nsec.map(|(name, _)| name.clone()));
    assert_eq!(owner(version.nsec_at_or_before(asked.as_ref(), &mut way)), nsec, "{context}");
    if version.denial() == Denial::Nsec {
        version.find_below(asked.as_ref(), &mut way);
        let labels = encloser.label_count() - version.apex().label_count();
        assert_eq!(owner(version.nsec_of_found(&way)), nsec, "{context}");
        let wildcard = name(&format!("*.{encloser}"));
        let before = model.names.range(..=wildcard).rfind(|(_, types)| types.contains(&Rtype::NSEC));
        let before = before.map(|(name, _)| name.clone());
        assert_eq!(owner(version.nsec_of_wildcard(labels, &mut way)), before, "{context}");
    }
}

fn check_flags(model: &Model, node: Node<'_>, seed: u64) {
    let owner = node.owner();
    let owner = owner.as_ref();
    let context = format!("seed {seed}: {owner}");
    assert_eq!(node.is_cut(), model.is_cut(owner), "{context}");
    assert_eq!(node.has_dname(), model.has(owner, Rtype::DNAME), "{context}");
    assert_eq!(node.has_cname(), model.has(owner, Rtype::CNAME), "{context}");
    assert_eq!(node.has_nsec(), model.has(owner, Rtype::NSEC), "{context}");
    assert_eq!(node.has_wildcard(), model.exists(name(&format!("*.{owner}")).as_ref()), "{context}");
    let path = Model::path(owner);
    let occludes = |name: &NameRef<'_>| model.is_cut(*name) || model.has(*name, Rtype::DNAME);
    assert_eq!(node.is_occluded(), path[..path.len() - 1].iter().any(occludes), "{context}");
}

fn check_nsec3(model: &Model, version: &ZoneVersion, hash: [u8; 20], seed: u64) {
    let asked = hashed(&hash);
    assert_eq!(
        version.nsec3_matching(&hash, &mut Way::default()).is_some(),
        model.nsec3.contains(&asked),
        "seed {seed}: {asked}"
    );
    let before = model.nsec3.range(..=asked.clone()).next_back().or(model.nsec3.last());
    let covering = version.nsec3_covering(&hash, &mut Way::default()).map(|leaf| version.node_at(leaf));
    assert_eq!(owner(covering), before.cloned(), "seed {seed}: {asked}");
}

#[test]
fn random_zones_answer_as_the_model_does() {
    for seed in 1..=400 {
        let mut random = Random(testing::Random::new(seed * 0x9e37_79b9));
        let records = random.zone();
        let (model, version) = (Model::new(&records), build(&records));
        let names: Vec<Name> = version.names().map(|node| node.owner().as_ref().to_name()).collect();
        assert_eq!(names, model.names.keys().cloned().collect::<Vec<_>>(), "seed {seed}");
        assert_eq!(version.node_count(), model.names.len() + model.nsec3.len(), "seed {seed}");
        assert_eq!(version.record_count(), model.records.len(), "seed {seed}");
        assert_eq!(dump(&version).len(), model.records.len(), "seed {seed}");
        version.names().for_each(|node| check_flags(&model, node, seed));
        for asked in (0..60).map(|_| random.name()).chain(names) {
            check_find(&model, &version, &asked, seed);
        }
        for byte in 0..=255 {
            check_nsec3(&model, &version, [byte; 20], seed);
        }
    }
}

#[test]
fn the_order_of_records_does_not_matter() {
    for seed in 1..=200 {
        let mut random = Random(testing::Random::new(seed * 0x9e37_79b9));
        let mut records = random.zone();
        let first = dump(&build(&records));
        for _ in 0..3 {
            for at in (1..records.len()).rev() {
                records.swap(at, random.below(at + 1));
            }
            assert_eq!(dump(&build(&records)), first, "seed {seed}");
        }
        records.sort_by(|left, right| left.0.cmp(&right.0));
        assert_eq!(dump(&build(&records)), first, "seed {seed}");
    }
}

#[test]
fn many_names_span_many_chunks() {
    let mut records: Vec<Record> = vec![soa(7)];
    for number in 0..70_000_u32 {
        records.push((name(&format!("n{number}.{APEX}")), Rtype::TXT, 60, vec![b'x'; 40]));
    }
    let version = build(&records);
    assert_eq!((version.node_count(), version.serial()), (70_001, Serial(7)));
    let owners: Vec<_> = version.nodes().map(|node| node.owner().as_ref().to_name()).collect();
    assert!(owners.windows(2).all(|pair| pair[0] < pair[1]));
    assert!(records.iter().all(|(owner, ..)| version.node(owner.as_ref()).is_some()));
    assert!(version.node(name(&format!("n70000.{APEX}")).as_ref()).is_none());
}

#[test]
fn owners_keep_their_case_and_rrsets_the_ttl_that_comes_last_apart() {
    let www = format!("wWw.{APEX}");
    let signature = [&Rtype::A.0.to_be_bytes()[..], b"sig"].concat();
    let version = build(&[
        (name(&www), Rtype::A, 300, vec![2]),
        soa(1),
        (name(&www.to_lowercase()), Rtype::A, 60, vec![1]),
        (name(&www), Rtype::RRSIG, 300, signature.clone()),
        (name(&www), Rtype::A, 60, vec![2]),
    ]);
    let node = version.node(name(&www).as_ref()).unwrap();
    assert_eq!(node.owner().to_string(), www);
    assert_eq!(node.relative_owner(), b"\x03wWw");
    let rrset = node.rrset(Rtype::A).unwrap();
    assert_eq!((rrset.ttl(), rrset.len(), rrset.as_bytes()), (60, 2, &b"\x00\x01\x01\x00\x01\x02"[..]));
    let signatures = rrset.signatures().unwrap();
    assert_eq!((signatures.rtype(), signatures.covered()), (Rtype::RRSIG, Rtype::A));
    assert_eq!(signatures.rdatas().collect::<Vec<_>>(), [&signature[..]]);
    assert!(node.rrset(Rtype::RRSIG).is_none());
    assert_eq!(node.rrsets().count(), 1);
}

#[test]
fn of_records_that_differ_in_the_case_of_a_name_the_last_is_kept_but_not_over_one_read_before() {
    let ns = |target: &str| (name(APEX), Rtype::NS, 60, name(target).as_ref().as_bytes().to_vec());
    let other = (name(&format!("www.{APEX}")), Rtype::A, 60, vec![1]);
    let version = build(&[soa(1), ns("B.x."), ns("a.x."), ns("b.X."), other, ns("A.x.")]);
    let rrset = version.apex_node().unwrap().rrset(Rtype::NS).unwrap();
    let targets: Vec<_> = rrset.rdatas().map(|rdata| NameRef::from_wire(rdata).unwrap().to_string()).collect();
    assert_eq!(targets, ["a.x.", "b.X."]);
}

#[test]
fn large_rrsets_stay_whole() {
    let many = |length: usize| {
        let records = (0..300_u16).map(move |number| {
            let rdata = [&number.to_be_bytes()[..], &vec![0; length]].concat();
            (name(&format!("big.{APEX}")), Rtype::TXT, 60, rdata)
        });
        [soa(1)].into_iter().chain(records).collect::<Vec<_>>()
    };
    let version = build(&many(200));
    let rrset = version.node(name(&format!("big.{APEX}")).as_ref()).unwrap().rrset(Rtype::TXT).unwrap();
    assert_eq!(rrset.rdatas().map(|rdata| rdata[..2].to_vec()).collect::<BTreeSet<_>>().len(), 300);
    assert!(rrset.rdatas().all(|rdata| rdata.len() == 202));
    let mut builder = Builder::new(name(APEX), Class::IN);
    let added =
        many(220).iter().try_for_each(|(owner, rtype, ttl, data)| builder.add(owner.as_ref(), *rtype, *ttl, data));
    assert_eq!(
        added.and_then(|()| builder.finish().map(|_| ())),
        Err(ContentsError::LargeRrset(name(&format!("big.{APEX}"))))
    );
}

#[test]
fn limits_count_what_is_kept() {
    let try_limits = |limits: Limits, records: &[Record]| {
        let mut builder = Builder::new(name(APEX), Class::IN).with_limits(limits);
        for (owner, rtype, ttl, rdata) in records {
            builder.add(owner.as_ref(), *rtype, *ttl, rdata)?;
        }
        builder.finish().map(|version| version.record_count())
    };
    let at = |text: &str, rtype, byte| (name(&format!("{text}.{APEX}")), rtype, 60, vec![byte]);
    let zone = [
        soa(1),
        at("a", Rtype::A, 1),
        at("b", Rtype::A, 1),
        at("a", Rtype::A, 2),
        at("a", Rtype::A, 2),
        at("a", Rtype::TXT, 1),
    ];
    let unlimited = Limits::default();
    assert_eq!(try_limits(unlimited, &zone), Ok(5));
    assert_eq!(try_limits(Limits { records: 5, ..unlimited }, &zone), Ok(5));
    assert_eq!(try_limits(Limits { records: 4, ..unlimited }, &zone), Err(ContentsError::TooManyRecords));
    assert_eq!(try_limits(Limits { records_per_type: 2, ..unlimited }, &zone), Ok(5));
    let wide = try_limits(Limits { records_per_type: 1, ..unlimited }, &zone);
    assert!(matches!(wide, Err(ContentsError::WideRrset(wide)) if wide.owner == name(&format!("a.{APEX}"))));
    assert_eq!(try_limits(Limits { types_per_name: 2, ..unlimited }, &zone), Ok(5));
    let too_many = Err(ContentsError::TooManyTypes(name(&format!("a.{APEX}"))));
    assert_eq!(try_limits(Limits { types_per_name: 1, ..unlimited }, &zone), too_many);
    assert_eq!(ContentsError::TooManyRecords.to_string(), "too many records");
}

#[test]
fn a_zone_has_one_soa_and_only_its_own_names() {
    let apex_ns = (name(APEX), Rtype::NS, 60, vec![0]);
    let finish = |records: &[Record]| {
        let mut builder = Builder::new(name(APEX), Class::IN);
        records.iter().for_each(|(owner, rtype, ttl, rdata)| {
            builder.add(owner.as_ref(), *rtype, *ttl, rdata).unwrap();
        });
        builder.finish().err()
    };
    assert_eq!(finish(&[]), Some(ContentsError::SoaCount { soa: 0, ns: 0 }));
    assert_eq!(finish(&[soa(1), apex_ns.clone(), soa(2)]), Some(ContentsError::SoaCount { soa: 2, ns: 1 }));
    assert_eq!(finish(&[soa(1), apex_ns, soa(1)]), None);
    let mut builder = Builder::new(name(APEX), Class::IN);
    let foreign = name("example.");
    assert_eq!(builder.add(foreign.as_ref(), Rtype::A, 1, &[1]), Err(ContentsError::OutOfZone));
    assert_eq!(builder.add(name(APEX).as_ref(), Rtype::RRSIG, 1, &[1]), Err(ContentsError::BadRecord));
    assert!(matches!(build(&[soa(1)]).find(foreign.as_ref()).matched, Match::Missing));
}

#[test]
fn the_soa_and_the_way_of_denial_are_read_from_the_apex() {
    let version = build(&[soa(9)]);
    let soa_fields = version.soa().unwrap();
    assert_eq!((soa_fields.serial, soa_fields.refresh, soa_fields.minimum, soa_fields.ttl), (Serial(9), 2, 5, 60));
    assert_eq!((soa_fields.mname.to_string(), soa_fields.rname.to_string()), ("m.".into(), "r.".into()));
    assert_eq!((version.denial(), version.is_signed()), (Denial::None, false));
    let key = (name(APEX), Rtype::DNSKEY, 60, vec![1, 0, 3, 8]);
    let nsec = build(&[soa(9), key.clone(), (name(APEX), Rtype::NSEC, 60, vec![1])]);
    assert_eq!((nsec.denial(), nsec.is_signed()), (Denial::Nsec, false));
    let signature = (name(APEX), Rtype::RRSIG, 60, vec![0, 47, 1]);
    let signed = build(&[soa(9), key.clone(), (name(APEX), Rtype::NSEC, 60, vec![1]), signature]);
    assert_eq!((signed.denial(), signed.is_signed()), (Denial::Nsec, true));
    let parameters = |flags| (name(APEX), Rtype::NSEC3PARAM, 60, vec![1, flags, 0, 5, 2, 0xaa, 0xbb]);
    let hash = (hashed(&[7; 20]), Rtype::NSEC3, 60, vec![1]);
    let nsec3 = build(&[soa(9), key.clone(), parameters(0), hash.clone()]);
    assert_eq!(nsec3.denial(), Denial::Nsec3);
    let unfinished = build(&[soa(9), key, parameters(1), hash]);
    assert_eq!(unfinished.denial(), Denial::None);
}

/// Knot writes the signatures of NSEC3 records behind all of these records.
#[test]
fn signatures_of_nsec3_records_may_come_apart_from_them() {
    let owner = hashed(&[7; 20]);
    let nsec3 = (owner.clone(), Rtype::NSEC3, 60, vec![1]);
    let signature = (owner.clone(), Rtype::RRSIG, 60, vec![0, 50, 1]);
    for records in [[nsec3.clone(), soa(1), signature.clone()], [signature, soa(1), nsec3]] {
        let version = build(&records);
        let node = version.node_at(version.nsec3_matching(&[7; 20], &mut Way::default()).unwrap());
        assert!(node.rrset(Rtype::NSEC3).is_some_and(|rrset| rrset.signatures().is_some()));
        assert!(matches!(version.find(owner.as_ref()).matched, Match::Missing));
    }
}

#[test]
fn what_nsec3_says_of_the_apex_is_what_its_hashes_lead_to() {
    let (apex, below) = (name(APEX), name(&format!("below.{APEX}")));
    let parameters = (apex.clone(), Rtype::NSEC3PARAM, 60, vec![1, 0, 0, 5, 2, 0xaa, 0xbb]);
    let nsec3 = |hash: &[u8; 20]| (hashed(hash), Rtype::NSEC3, 60, vec![1]);
    let hash = |name: &Name| Nsec3::parse(&parameters.3).unwrap().hash(name.as_ref());
    let wildcard = hash(&name(&format!("*.{APEX}")));
    let records: Vec<_> = (0..=255).map(|byte| nsec3(&[byte; 20])).chain([nsec3(&hash(&apex))]).collect();
    let version = build(&[&[soa(1), parameters.clone()], &records[..]].concat());
    let mut way = Way::default();
    assert_eq!(owner(version.nsec3_of(apex.as_ref(), &mut way)), Some(hashed(&hash(&apex))));
    assert_eq!(owner(version.nsec3_of(below.as_ref(), &mut way)), None);
    let before = version.nsec3_covering(&wildcard, &mut way).map(|leaf| version.node_at(leaf));
    assert_eq!(owner(version.nsec3_before_wildcard(apex.as_ref(), &mut way)), owner(before));
    let is_before = |owner: Name| owner < hashed(&hash(&below));
    assert!(owner(version.nsec3_before(below.as_ref(), &mut way)).is_some_and(is_before));
}

#[test]
fn a_cursor_goes_on_where_it_stopped() {
    let records: Vec<_> =
        [soa(1)].into_iter().chain((0..20).map(|byte| (hashed(&[byte; 20]), Rtype::NSEC3, 60, vec![1]))).collect();
    let version = build(&records);
    let mut cursor = version.cursor();
    for expected in version.nodes() {
        let resumed = cursor.clone().next(&version).unwrap();
        assert_eq!(resumed.owner(), expected.owner());
        cursor.next(&version).unwrap();
    }
    assert!(cursor.next(&version).is_none());
    assert_eq!(version.find(hashed(&[3; 20]).as_ref()).encloser_labels, version.apex().label_count());
}
