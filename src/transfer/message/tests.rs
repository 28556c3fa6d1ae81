use hickory_proto::op;

use super::*;
use crate::dns::writer::{Case, Compression, Owner, Writer};
use crate::transfer::testing::{NOW_S, OPT, key, name, soa};

const PLAIN: Opt = Opt { udp_bytes: 1232, nsid: false, expire: false };

fn reply(flags: u16, change: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let (mut out, mut names) = (vec![0; 2048], Compression::default());
    let mut writer = Writer::new(&mut out, 2048, &mut names, Case::Kept);
    writer.question(name("example.").as_ref(), Rtype::SOA, Class::IN).unwrap();
    change(&mut writer);
    let length = writer.finish(Header { id: 1, flags, counts: [0; 4] });
    out.truncate(length);
    out
}

fn add(writer: &mut Writer<'_>, section: Section, rtype: Rtype, data: &[u8]) {
    writer.record(section, Owner::Name(name("example.").as_ref()), (rtype, Class::IN, 60), data).unwrap();
}

fn opt(writer: &mut Writer<'_>, ttl: u32, options: &[u8]) {
    let fields = (Rtype::OPT, Class(1232), ttl);
    writer.record(Section::Additional, Owner::Name(NameRef::ROOT), fields, options).unwrap();
}

fn read(bytes: &[u8]) -> SoaReply {
    read_soa_reply(bytes, name("example.").as_ref(), None, NOW_S)
}

#[test]
fn requests_decode_in_another_library() {
    let zone = name("example.");
    let soa = soa(9);
    for ask in [Ask::Soa, Ask::Axfr, Ask::Ixfr(60, &soa), Ask::Notify(&soa)] {
        let bytes = request(0x1234, zone.as_ref(), Class::IN, ask, Some(OPT)).unwrap();
        let decoded = op::Message::from_vec(&bytes).unwrap();
        assert_eq!(decoded.queries.len(), 1);
        assert_eq!(decoded.queries[0].name().to_string(), "example.");
        assert!(decoded.edns.is_some());
        let (answers, authorities) = (decoded.answers.len(), decoded.authorities.len());
        let expected = match ask {
            Ask::Notify(..) => (1, 0),
            Ask::Ixfr(..) => (0, 1),
            Ask::Soa | Ask::Axfr => (0, 0),
        };
        assert_eq!((answers, authorities), expected);
        assert_eq!(decoded.op_code == OpCode::Notify, matches!(ask, Ask::Notify(..)));
        assert_eq!(decoded.authoritative, matches!(ask, Ask::Notify(..)));
    }
}

/// The messages are held against bytes written by hand from the RFCs.
#[test]
fn requests_are_these_bytes() {
    let zone = name("eX.");
    let made = |ask, opt| request(0x1234, zone.as_ref(), Class::CH, ask, opt).unwrap();
    let head = |flags: [u8; 2], counts: [u8; 4], qtype: u8| {
        let [questions, answers, authorities, additionals] = counts;
        let counts = [0, questions, 0, answers, 0, authorities, 0, additionals];
        [[0x12, 0x34].as_slice(), &flags, &counts, b"\x02eX\x00", &[0, qtype, 0, 3]].concat()
    };
    assert_eq!(made(Ask::Soa, None), head([0, 0], [1, 0, 0, 0], 6));
    assert_eq!(made(Ask::Axfr, None), head([0, 0], [1, 0, 0, 0], 252));
    let plain = [0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 0];
    assert_eq!(made(Ask::Soa, Some(PLAIN)), [head([0, 0], [1, 0, 0, 1], 6), plain.to_vec()].concat());
    let expire = [0, 0, 41, 0x04, 0xd0, 0, 0, 0, 0, 0, 4, 0, 9, 0, 0];
    assert_eq!(made(Ask::Soa, Some(OPT)), [head([0, 0], [1, 0, 0, 1], 6), expire.to_vec()].concat());
    let all = Opt { udp_bytes: 2048, nsid: true, expire: true };
    let both = [0, 0, 41, 8, 0, 0, 0, 0, 0, 0, 8, 0, 3, 0, 0, 0, 9, 0, 0];
    assert_eq!(made(Ask::Soa, Some(all)), [head([0, 0], [1, 0, 0, 1], 6), both.to_vec()].concat());
    let soa = [b"\x01A\x02eX\x00\x01b\x02Ex\x00".as_slice(), &[7; 20]].concat();
    // Names differ in case where they were written so, and only names of the same case share their bytes.
    let packed = [b"\x01A\xc0\x0c\x01b\x02Ex\x00".as_slice(), &[7; 20]].concat();
    let record = |ttl: u8| [&[0xc0, 12, 0, 6, 0, 3, 0, 0, 0, ttl, 0, packed.len() as u8], packed.as_slice()].concat();
    assert_eq!(made(Ask::Ixfr(60, &soa), None), [head([0, 0], [1, 0, 1, 0], 251), record(60)].concat());
    let notify = [head([0x24, 0], [1, 1, 0, 0], 6), record(0)].concat();
    assert_eq!(made(Ask::Notify(&soa), None), notify);
    assert!(request(1, zone.as_ref(), Class::IN, Ask::Ixfr(60, &soa[..9]), None).is_err());
}

/// Why replies are not read with hickory-proto: it would refuse this one, whose serial is plain to see.
#[test]
fn an_odd_record_beside_the_soa_record_does_no_harm() {
    const CAA: u16 = 257;
    let caa_without_tag = [0, 0, b'x'];
    let bytes = reply(0x8400, |writer| {
        add(writer, Section::Answer, Rtype::SOA, &soa(9));
        add(writer, Section::Additional, Rtype(CAA), &caa_without_tag);
    });
    assert!(op::Message::from_vec(&bytes).is_err());
    assert_eq!(read(&bytes), SoaReply::Current { serial: Serial(9), expire_s: None });
}

#[test]
fn the_serial_and_the_expire_option_are_read() {
    let bytes = reply(0x8400, |writer| {
        add(writer, Section::Answer, Rtype::SOA, &soa(9));
        opt(writer, 0, &[0, 9, 0, 4, 0, 0, 1, 0]);
    });
    assert_eq!(read(&bytes), SoaReply::Current { serial: Serial(9), expire_s: Some(256) });
}

#[test]
fn an_answer_has_the_id_of_the_request_and_is_a_response() {
    let bytes = reply(0x8400, |_| {});
    assert!(answers(&bytes, 1));
    assert!(!answers(&bytes, 2) && !answers(&bytes[..11], 1));
    assert!(!answers(&reply(0x0400, |_| {}), 1));
}

#[test]
fn answers_without_a_serial_are_told_apart() {
    let unusable = |flags, change: &dyn Fn(&mut Writer<'_>)| read(&reply(flags, change));
    let (ns, target) = (b"\x02ns\x00".as_slice(), b"\x01x\x00".as_slice());
    assert_eq!(unusable(0x8400, &|_| {}), SoaReply::Unusable(Unusable::NoData));
    assert_eq!(
        unusable(0x8000, &|writer| add(writer, Section::Answer, Rtype::SOA, &soa(9))),
        SoaReply::Unusable(Unusable::NotAuthoritative)
    );
    assert_eq!(
        unusable(0x8400, &|writer| add(writer, Section::Answer, Rtype::CNAME, target)),
        SoaReply::Unusable(Unusable::Cname)
    );
    assert_eq!(
        unusable(0x8400, &|writer| add(writer, Section::Authority, Rtype::NS, ns)),
        SoaReply::Unusable(Unusable::Referral)
    );
    // BIND: a referral that does not claim authority is told of as that; a CNAME record spoils the SOA beside it.
    assert_eq!(
        unusable(0x8000, &|writer| add(writer, Section::Authority, Rtype::NS, ns)),
        SoaReply::Unusable(Unusable::NotAuthoritative)
    );
    let beside = |writer: &mut Writer<'_>| {
        add(writer, Section::Answer, Rtype::SOA, &soa(9));
        add(writer, Section::Answer, Rtype::CNAME, target);
    };
    assert_eq!(unusable(0x8400, &beside), SoaReply::Unusable(Unusable::Cname));
    let two = |writer: &mut Writer<'_>| [1, 2].iter().for_each(|&n| add(writer, Section::Answer, Rtype::SOA, &soa(n)));
    assert_eq!(unusable(0x8400, &two), SoaReply::Malformed(WireError::BadField));
    assert_eq!(unusable(0xac00, &|_| {}), SoaReply::Opcode(Opcode::UPDATE));
    assert_eq!(unusable(0x8600, &|_| {}), SoaReply::Truncated);
    assert_eq!(unusable(0x8405, &|_| {}), SoaReply::Rcode(Rcode::REFUSED, false));
    assert_eq!(unusable(0x8400, &|writer| opt(writer, 1 << 24, &[])), SoaReply::Rcode(Rcode::BADVERS, true));
    assert_eq!(read(&[0; 5]), SoaReply::Malformed(WireError::Truncated));
}

#[test]
fn a_signed_query_wants_a_signed_answer() {
    let key = key();
    let mut chain = Chain::new(&key);
    let mut asked = request(1, name("example.").as_ref(), Class::IN, Ask::Soa, Some(PLAIN)).unwrap();
    sign(&mut chain, &mut asked, NOW_S);
    let bytes = reply(0x8400, |writer| add(writer, Section::Answer, Rtype::SOA, &soa(9)));
    let read = read_soa_reply(&bytes, name("example.").as_ref(), Some(&mut chain), NOW_S);
    assert_eq!(read, SoaReply::Tsig(TsigError::Missing));
    assert_eq!(read_notify_reply(&bytes, None, NOW_S), Ok(Rcode::NOERROR));
    assert_eq!(read_notify_reply(&bytes, Some(&mut chain), NOW_S), Err(TsigError::Missing.into()));
}
