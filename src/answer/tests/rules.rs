//! What is about messages rather than zone data: EDNS, odd packets, TSIG, transfers, NOTIFY, and what never happens.

use super::*;
use crate::answer::acl;
use crate::answer::facts::Denied;
use crate::dns::testing::Random;

fn www(opt: Option<(u16, u32, &[u8])>) -> Vec<u8> {
    request("www.example.test", Rtype::A, Class::IN, 0, opt)
}

fn has(reply: &[u8], wanted: &[u8]) -> bool {
    reply.windows(wanted.len()).any(|window| window == wanted)
}

#[test]
fn what_is_no_request_gets_no_reply() {
    let world = world();
    let mut response = www(None);
    response[2] |= 0x80;
    assert_eq!(ask(&world, &response), None);
    assert_eq!(ask(&world, b"short"), None);
    let echo = Client { source: "192.0.2.9:7".parse().unwrap(), ..client(Transport::Udp) };
    let outcome = respond(&world, &www(None), &echo, NOW_S, &mut Scratch::new(1), &mut [0; 512]);
    assert!(matches!(outcome, Outcome::Drop));
    let blackhole = Snapshot { blackhole: Acl::Any, ..super::world() };
    assert_eq!(ask(&blackhole, &www(None)), None);
}

#[test]
fn a_proxy_is_heard_where_both_lists_allow_it() {
    let host = |address: &str| {
        let prefix = address.parse().unwrap();
        let entry = acl::Entry { negated: false, element: acl::Element::Prefix(prefix) };
        Acl::compile(&[entry], acl::HostAddresses::default())
    };
    let mut proxied = client(Transport::Udp);
    let proxy = Proxy { peer: "203.0.113.1:9".parse().unwrap(), local: "203.0.113.2:53".parse().unwrap() };
    proxied.proxy = Some(proxy);
    for (from, on, denied) in [
        (host("203.0.113.1/32"), Acl::Any, None),
        (host("192.0.2.200/32"), Acl::Any, Some(Denied::Proxy)),
        (Acl::Nobody, Acl::Any, Some(Denied::Proxy)),
        (Acl::Any, host("203.0.113.2/32"), None),
        (Acl::Any, host("192.0.2.1/32"), Some(Denied::ProxyInterface)),
    ] {
        let (mut world, mut scratch) = (world(), Scratch::new(1));
        world.views[0].proxies = ProxyPolicy { from, on };
        let outcome = respond(&world, &www(None), &proxied, NOW_S, &mut scratch, &mut [0; 512]);
        assert_eq!((outcome.reply_length().is_none(), scratch.facts().denied), (denied.is_some(), denied));
        assert!(ask(&world, &www(None)).is_some(), "others are not asked for leave");
    }
}

#[test]
fn malformed_requests_get_formerr_with_what_could_be_read() {
    let world = world();
    let bare = ask(&world, b"\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00").unwrap();
    assert_eq!(bare, b"\x00\x01\x80\x01\x00\x00\x00\x00\x00\x00\x00\x00");
    let looped = ask(&world, b"\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00\xc0\x0c\x00\x01\x00\x01").unwrap();
    assert_eq!(looped.len(), 12);
    let mut two = www(None);
    two[5] = 2;
    two.extend(b"\xc0\x0c\x00\x02\x00\x01");
    let reply = ask(&world, &two).unwrap();
    assert_eq!((rcode(&reply), &reply[12..]), (Rcode::FORMERR, &two[12..]), "two types of one name are repeated");
    for question in [&b"\x05other\x04test\x00\x00\x02\x00\x01"[..], b"\xc0\x0c\x00\x01\x00\x01"] {
        two.truncate(two.len() - 6);
        two.extend(question);
        let reply = ask(&world, &two).unwrap();
        assert_eq!((rcode(&reply), reply.len()), (Rcode::FORMERR, 12), "another name, or the same question");
        two.truncate(two.len() - question.len());
        two.extend(b"\xc0\x0c\x00\x02\x00\x01");
    }
    let short_cookie = ask(&world, &www(Some((1232, 0, b"\x00\x0a\x00\x07abcdefg")))).unwrap();
    assert_eq!(rcode(&short_cookie), Rcode::FORMERR);
}

#[test]
fn the_same_formerr_is_not_sent_twice_to_one_sender() {
    let (world, mut scratch, mut reply) = (world(), Scratch::new(1), [0; 512]);
    let bare = b"\x00\x01\x00\x00\x00\x01\x00\x00\x00\x00\x00\x00";
    let mut again = |now_s| respond(&world, bare, &client(Transport::Udp), now_s, &mut scratch, &mut reply);
    assert!(matches!(again(NOW_S), Outcome::Reply(12)));
    assert!(matches!(again(NOW_S), Outcome::Drop));
    assert!(matches!(again(NOW_S + 5), Outcome::Reply(12)));
}

#[test]
fn classes_types_and_opcodes_that_are_not_served_have_their_codes() {
    let world = world();
    let code = |rtype, class| rcode(&ask(&world, &request("example.test", rtype, class, 0, None)).unwrap());
    assert_eq!(code(Rtype::A, Class(5)), Rcode::NOTIMP);
    assert_eq!(code(Rtype::A, Class::ANY), Rcode::FORMERR);
    assert_eq!(code(Rtype::A, Class::HS), Rcode::REFUSED);
    assert_eq!(code(Rtype::OPT, Class::IN), Rcode::FORMERR);
    assert_eq!(code(Rtype::MAILA, Class::IN), Rcode::NOTIMP);
    assert_eq!(code(Rtype::AXFR, Class::IN), Rcode::FORMERR);
    let status = ask(&world, &request("example.test", Rtype::A, Class::IN, 0x1000, None)).unwrap();
    assert_eq!((rcode(&status), status.len()), (Rcode::NOTIMP, 12));
    let code = |rtype, flags| rcode(&ask(&world, &request("example.test", rtype, Class::ANY, flags, None)).unwrap());
    assert_eq!((code(Rtype::A, 0x1000), code(Rtype::TKEY, 0x1000)), (Rcode::FORMERR, Rcode::NOTIMP));
    assert_eq!(code(Rtype::TKEY, 0), Rcode::FORMERR);
    let update = ask(&world, &request("example.test", Rtype::SOA, Class::IN, 0x2800, None)).unwrap();
    assert_eq!(rcode(&update), Rcode::REFUSED);
}

#[test]
fn another_version_of_edns_gets_badvers_and_no_answer() {
    let reply = ask(&world(), &www(Some((1232, 0x0001_8000, b"\x00\x03\x00\x00")))).unwrap();
    assert!(reply.ends_with(b"\x00\x00\x29\x04\xd0\x01\x00\x80\x00\x00\x00"));
    assert_eq!(Message::new(&reply).unwrap().header().counts, [1, 0, 0, 1]);
}

#[test]
fn options_are_answered() {
    let world = world();
    let options = b"\x00\x03\x00\x00\x00\x08\x00\x07\x00\x01\x18\x00\xc0\x00\x02\x00\x0a\x00\x0801234567";
    let reply = ask(&world, &www(Some((1232, 0, options)))).unwrap();
    assert!(has(&reply, b"\x00\x03\x00\x03sid"));
    assert!(has(&reply, b"\x00\x08\x00\x07\x00\x01\x18\x00\xc0\x00\x02"));
    assert!(has(&reply, b"\x00\x0a\x00\x1801234567\x01\x00\x00\x00"));
    let soa = request("example.test", Rtype::SOA, Class::IN, 0, Some((1232, 0, b"\x00\x09\x00\x00")));
    assert!(has(&ask(&world, &soa).unwrap(), b"\x00\x09\x00\x04\x00\x12\x75\x00"));
    let (_, keepalive) = outcome(&world, &www(Some((1232, 0, b"\x00\x0b\x00\x00"))), Transport::Tcp);
    assert!(has(&keepalive, b"\x00\x0b\x00\x02\x01\x2c"));
}

#[test]
fn a_query_without_question_but_with_a_cookie_gets_a_cookie() {
    let query = b"\x00\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x01\x00\x00\x29\x04\xd0\x00\x00\x00\x00\x00\x0c\x00\x0a\x00\x0801234567";
    let reply = ask(&world(), query).unwrap();
    assert_eq!(rcode(&reply), Rcode::NOERROR);
    assert!(has(&reply, b"\x00\x0a\x00\x1801234567"));
}

#[test]
fn whoever_may_not_ask_is_told_that_it_is_prohibited() {
    let world = world();
    let reply = ask(&world, &request("www.denied.test", Rtype::A, Class::IN, 0, Some((1232, 0, b"")))).unwrap();
    assert_eq!(rcode(&reply), Rcode::REFUSED);
    assert!(reply.ends_with(b"\x00\x0f\x00\x02\x00\x12"));
}

#[test]
fn a_signed_query_gets_a_signed_answer() {
    let (world, key) = (world(), key());
    let mut request = www(Some((1232, 0, b"")));
    let mut chain = tsig::Chain::new(&*key);
    chain.sign_request(&request, NOW_S).append_to(&mut request);
    let reply = ask(&world, &request).unwrap();
    let message = Message::new(&reply).unwrap();
    assert_eq!(chain.check_response(&message, NOW_S), Ok(()));
    assert_eq!(message.header().counts[1], 2);
}

#[test]
fn a_wrong_signature_gets_notauth() {
    let (world, key) = (world(), key());
    for (change, error) in [(40, Rcode::BADSIG), (0, Rcode::BADTIME)] {
        let mut request = www(None);
        let mut chain = tsig::Chain::new(&*key);
        let signed_s = if change == 0 { NOW_S - 1000 } else { NOW_S };
        chain.sign_request(&request, signed_s).append_to(&mut request);
        if let Some(byte) = request.iter_mut().nth_back(change).filter(|_| change > 0) {
            *byte ^= 1;
        }
        let reply = ask(&world, &request).unwrap();
        let tsig = tsig::Tsig::find(&Message::new(&reply).unwrap()).unwrap().unwrap();
        assert_eq!((rcode(&reply), tsig.error), (Rcode::NOTAUTH, error));
        assert_eq!(tsig.mac.is_empty(), error == Rcode::BADSIG);
    }
}

#[test]
fn transfers_are_handed_over_or_refused() {
    let world = world();
    let axfr = |zone| outcome(&world, &request(zone, Rtype::AXFR, Class::IN, 0, None), Transport::Tcp);
    let (Outcome::Transfer(transfer), _) = axfr("Example.test") else { panic!("no transfer") };
    assert_eq!((transfer.zone.apex().to_string().as_str(), transfer.rtype), ("example.test.", Rtype::AXFR));
    assert_eq!(rcode(&axfr("www.example.test").1), Rcode::NOTAUTH);
    assert_eq!(rcode(&axfr("child.example.test").1), Rcode::REFUSED);
    assert_eq!(rcode(&axfr("broken.test").1), Rcode::SERVFAIL);
}

#[test]
fn a_transfer_that_finds_no_place_is_refused_with_opt_and_signature() {
    let (world, key) = (world(), key());
    let mut request = request("example.test", Rtype::AXFR, Class::IN, 0, Some((1232, 0, b"\x00\x03\x00\x00")));
    let mut theirs = tsig::Chain::new(&*key);
    theirs.sign_request(&request, NOW_S).append_to(&mut request);
    let (Outcome::Transfer(transfer), _) = outcome(&world, &request, Transport::Tcp) else { panic!("no transfer") };
    let request = Message::new(&request).unwrap();
    let verdict = tsig::check_request(&request, |_, _| Some(&*key), NOW_S).unwrap();
    let tsig::Verdict::Verified(ours) = verdict else { panic!("no signature") };
    let reply = transfer.refusal(&request, Some(ours.with_key(Arc::clone(&key))), NOW_S).unwrap();
    let message = Message::new(&reply).unwrap();
    assert_eq!(theirs.check_response(&message, NOW_S), Ok(()));
    assert_eq!((rcode(&reply), message.header().counts), (Rcode::SERVFAIL, [1, 0, 0, 2]));
    assert!(has(&reply, b"\x00\x03\x00\x03sid"));
}

#[test]
fn an_ixfr_tells_its_serial_and_over_udp_gets_the_soa() {
    let world = world();
    let mut ixfr = request("example.test", Rtype::IXFR, Class::IN, 0, None);
    assert_eq!(rcode(&outcome(&world, &ixfr, Transport::Tcp).1), Rcode::FORMERR);
    ixfr[9] = 1;
    ixfr.extend(b"\xc0\x0c\x00\x06\x00\x01\x00\x00\x00\x00\x00\x16\x00\x00\x00\x00\x00\x2a");
    ixfr.extend([0; 16]);
    let (Outcome::Transfer(transfer), _) = outcome(&world, &ixfr, Transport::Tcp) else { panic!("no transfer") };
    assert_eq!(transfer.serial, Some(42));
    let reply = ask(&world, &ixfr).unwrap();
    let first = Message::new(&reply).unwrap().records().next().unwrap().unwrap();
    assert_eq!((first.section, first.rtype), (Section::Answer, Rtype::SOA));
}

#[test]
fn notify_is_taken_by_secondaries_and_noted_by_primaries() {
    let world = world();
    let notify = |zone, rtype| outcome(&world, &request(zone, rtype, Class::IN, 0x2400, None), Transport::Udp);
    let (Outcome::Notify { zone, serial, .. }, reply) = notify("other.test", Rtype::SOA) else { panic!("not taken") };
    assert_eq!((zone.apex().to_string().as_str(), serial, rcode(&reply)), ("other.test.", None, Rcode::NOERROR));
    let (Outcome::Reply(_), reply) = notify("example.test", Rtype::SOA) else { panic!("not answered") };
    assert!(Message::new(&reply).unwrap().header().aa());
    assert_eq!(rcode(&notify("denied.test", Rtype::SOA).1), Rcode::REFUSED);
    assert_eq!(rcode(&notify("unknown.test", Rtype::SOA).1), Rcode::NOTAUTH);
    assert_eq!(rcode(&notify("example.test", Rtype::A).1), Rcode::FORMERR);
}

#[test]
fn an_update_of_a_secondary_is_handed_on_also_with_a_key_that_is_not_known() {
    let world = world();
    let update = |zone: &str, signer: Option<&Key>| {
        let mut bytes = request(zone, Rtype::SOA, Class::IN, 0x2800, Some((1232, 0, &[])));
        signer.into_iter().for_each(|key| tsig::Chain::new(key).sign_request(&bytes, NOW_S).append_to(&mut bytes));
        outcome(&world, &bytes, Transport::Udp)
    };
    let stranger = Key { name: "stranger".parse().unwrap(), ..(*key()).clone() };
    let forger = Key { secret: b"another".to_vec(), ..(*key()).clone() };
    let tsig_error = |reply: &[u8]| {
        let message = Message::new(reply).unwrap();
        tsig::Tsig::find(&message).unwrap().map(|tsig| tsig.error)
    };
    for (signer, known, error) in [
        (None, None, None),
        (Some(&*key()), Some(key()), Some(Rcode::NOERROR)),
        (Some(&stranger), None, Some(Rcode::BADKEY)),
    ] {
        let (Outcome::Update(mut update), _) = update("other.test", signer) else { panic!("not handed on") };
        assert_eq!(update.zone.apex().to_string(), "other.test.");
        assert_eq!(update.reply.key().map(|key| &key.name), known.as_ref().map(|key| &key.name));
        let reply = update.reply.make(Rcode::SERVFAIL, NOW_S);
        assert_eq!((rcode(&reply), tsig_error(&reply)), (Rcode::SERVFAIL, error));
        assert!(reply.starts_with(&[0x12, 0x34, 0xa8]) && hickory_proto::op::Message::from_vec(&reply).is_ok());
    }
    let refused = |zone, signer| {
        let (Outcome::Reply(_), reply) = update(zone, signer) else { panic!("not answered") };
        (rcode(&reply), tsig_error(&reply))
    };
    assert_eq!(refused("other.test", Some(&forger)), (Rcode::NOTAUTH, Some(Rcode::BADSIG)));
    assert_eq!(refused("denied.test", None), (Rcode::REFUSED, None));
    assert_eq!(refused("denied.test", Some(&stranger)), (Rcode::REFUSED, Some(Rcode::BADKEY)));
    assert_eq!(refused("example.test", None), (Rcode::REFUSED, None));
    assert_eq!(refused("example.test", Some(&stranger)), (Rcode::NOTAUTH, Some(Rcode::BADKEY)));
    assert_eq!(refused("unknown.test", None), (Rcode::NOTAUTH, None));
}

#[test]
fn an_expired_zone_is_servfail_until_it_is_published_again() {
    let world = world();
    let zone = world.views[0].zones.get("example.test".parse::<Name>().unwrap().as_ref()).unwrap().clone();
    let version = zone.publish(None);
    assert_eq!(rcode(&ask(&world, &www(None)).unwrap()), Rcode::SERVFAIL);
    assert!(!zone.wait(), "the first who asked was told of");
    zone.publish(version);
    assert_eq!(rcode(&ask(&world, &www(None)).unwrap()), Rcode::NOERROR);
}

#[test]
fn records_take_turns() {
    let first_of = |order: RrsetOrder| {
        let mut world = world();
        world.views[0].rrset_order = order.into();
        let (mut scratch, mut reply) = (Scratch::new(3), [0; 512]);
        let mut firsts: Vec<u8> = (0..64)
            .map(|_| {
                let outcome = respond(&world, &www(None), &client(Transport::Udp), NOW_S, &mut scratch, &mut reply);
                let Outcome::Reply(length) = outcome else { panic!("no reply") };
                let message = Message::new(&reply[..length]).unwrap();
                let record = message.records().next().unwrap().unwrap();
                reply[record.rdata.end - 1]
            })
            .collect();
        firsts.sort_unstable();
        firsts.dedup();
        firsts
    };
    assert_eq!(first_of(RrsetOrder::None), [3]);
    assert_eq!(first_of(RrsetOrder::Cyclic), [3, 4]);
    assert_eq!(first_of(RrsetOrder::Random), [3, 4]);
}

/// Found by the mutation test: the reply repeated a second question whose name was a pointer to nowhere.
#[test]
fn questions_whose_names_point_astray_are_not_repeated() {
    let mut bytes = www(None);
    bytes[5] = 2;
    bytes.extend_from_slice(&[0xff, 0xff, 0, 1, 0, 1]);
    let reply = ask(&world(), &bytes).unwrap();
    let header = Message::new(&reply).unwrap().header();
    assert_eq!((header.rcode(), header.counts), (Rcode::FORMERR, [0; 4]));
}

#[test]
fn mutated_requests_never_panic_and_every_reply_decodes() {
    let (world, seed) = (world(), 0x6e6f_6d64_u64);
    let mut random = Random::new(seed);
    let options = b"\x00\x03\x00\x00\x00\x0a\x00\x0801234567\x00\x08\x00\x07\x00\x01\x18\x00\xc0\x00\x02";
    let names =
        ["x.cwild.nsec3.test", "www.sub.example.test", "loop1.example.test", "a.dname.nsec.test", "version.bind"];
    let mut signed = www(None);
    tsig::Chain::new(&*key()).sign_request(&signed, NOW_S).append_to(&mut signed);
    let mut originals = vec![signed];
    originals.extend(names.map(|name| request(name, Rtype::ANY, Class::IN, 0, Some((1232, 0x8000, &options[..])))));
    for round in 0..30_000 {
        let mut bytes = originals[random.below(originals.len())].clone();
        for _ in 0..=random.below(4) {
            let place = random.below(bytes.len());
            match random.below(3) {
                0 => bytes[place] = random.byte(),
                1 => bytes.truncate(place + 1),
                _ => bytes.insert(place, random.byte()),
            }
        }
        let transport = if random.below(2) == 0 { Transport::Udp } else { Transport::Tcp };
        if let (Outcome::Reply(length), reply) = outcome(&world, &bytes, transport) {
            let decoded = hickory_proto::op::Message::from_vec(&reply);
            assert!(decoded.is_ok(), "seed {seed:x}, round {round}: {decoded:?} for {bytes:02x?}, {length} bytes");
        }
    }
}

#[test]
fn a_transfer_over_udp_is_a_fault_only_where_there_is_a_zone() {
    let code = |name| rcode(&ask(&world(), &request(name, Rtype::AXFR, Class::IN, 0, None)).unwrap());
    assert_eq!(code("example.test"), Rcode::FORMERR);
    assert_eq!(code("www.example.test"), Rcode::NOTAUTH);
}

#[test]
fn a_truncated_reply_with_edns_has_no_records() {
    let query = request("nothing.nsec3.test", Rtype::A, Class::IN, 0, Some((512, 0x8000, b"")));
    let reply = ask(&world(), &query).unwrap();
    let header = Message::new(&reply).unwrap().header();
    assert_eq!((header.flags & 0x0200, header.counts), (0x0200, [1, 0, 0, 1]));
}

#[test]
fn the_servers_of_the_root_come_with_their_glue_and_no_other_addresses() {
    let mut world = world();
    let policy = Arc::new(ZonePolicy { allow_query: Acl::Any, allow_query_on: Acl::Any, ..ZonePolicy::default() });
    world.views[0].zones = Arc::new(ZoneTable::new([zone(".", ZoneRole::Primary, &policy, Some("root.zone"))]));
    let reply = ask(&world, &request(".", Rtype::NS, Class::IN, 0, None)).unwrap();
    assert!(has(&reply, &[192, 0, 2, 1]), "the server below a cut");
    assert!(!has(&reply, &[192, 0, 2, 2]), "the server in the zone");
}
