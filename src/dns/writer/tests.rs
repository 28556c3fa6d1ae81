use super::*;
use crate::dns::rcode::Rcode;
use crate::dns::{Message, Name};

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn written(limit: usize, case: Case, write: impl FnOnce(&mut Writer<'_>)) -> Vec<u8> {
    let mut names = Compression::default();
    let mut buffer = vec![0xaa; MAX_MESSAGE];
    let mut writer = Writer::new(&mut buffer, limit, &mut names, case);
    write(&mut writer);
    let query = Header { id: 1, flags: 0, counts: [0; 4] };
    let length = writer.finish(query.response(Rcode::NOERROR));
    buffer.truncate(length);
    buffer
}

/// All owners of a message, as text.
fn owners(message: &[u8]) -> Vec<String> {
    Message::new(message).unwrap().records().map(|record| record.unwrap().owner.to_string()).collect()
}

const A: (Rtype, Class, u32) = (Rtype::A, Class::IN, 60);
const NS: (Rtype, Class, u32) = (Rtype::NS, Class::IN, 60);
const ADDRESS: &[u8] = &[192, 0, 2, 1];

#[test]
fn owners_and_rdata_are_compressed_against_the_question() {
    let owner = name("www.example.com");
    let message = written(512, Case::Kept, |writer| {
        writer.question(owner.as_ref(), Rtype::NS, Class::IN).unwrap();
        writer.record(Section::Answer, Owner::Name(owner.as_ref()), NS, b"\x02ns\x07example\x03com\x00").unwrap();
    });
    let expected = b"\x00\x01\x80\x00\x00\x01\x00\x01\x00\x00\x00\x00\
        \x03www\x07example\x03com\x00\x00\x02\x00\x01\
        \xc0\x0c\x00\x02\x00\x01\x00\x00\x00\x3c\x00\x05\x02ns\xc0\x10";
    assert_eq!(message, expected);
}

#[test]
fn case_is_kept_unless_the_client_does_not_care() {
    let (question, owner) = (name("example.com"), name("WWW.Example.com"));
    let write = |writer: &mut Writer<'_>| {
        writer.question(question.as_ref(), Rtype::A, Class::IN).unwrap();
        writer.record(Section::Answer, Owner::Name(owner.as_ref()), A, ADDRESS).unwrap();
    };
    let kept = written(512, Case::Kept, write);
    assert_eq!(owners(&kept), ["WWW.Example.com."]);
    assert!(kept.ends_with(b"\x03WWW\x07Example\xc0\x14\x00\x01\x00\x01\x00\x00\x00\x3c\x00\x04\xc0\x00\x02\x01"));
    let ignored = written(512, Case::Ignored, write);
    assert_eq!(owners(&ignored), ["WWW.example.com."]);
}

#[test]
fn names_in_newer_types_are_not_compressed() {
    let zone = name("example.com");
    let srv = b"\x00\x01\x00\x02\x00\x35\x07example\x03com\x00";
    let message = written(512, Case::Kept, |writer| {
        writer.question(zone.as_ref(), Rtype::SRV, Class::IN).unwrap();
        writer.record(Section::Answer, Owner::At(QUESTION_PLACE), (Rtype::SRV, Class::IN, 0), srv).unwrap();
    });
    assert!(message.ends_with(srv));
}

#[test]
fn soa_and_mx_names_are_compressed_in_their_places() {
    let zone = name("example.com");
    let soa = [zone.as_ref().as_bytes(), b"\x04root\x07example\x03com\x00", &[7; 20]].concat();
    let message = written(512, Case::Kept, |writer| {
        writer.question(zone.as_ref(), Rtype::SOA, Class::IN).unwrap();
        let owner = Owner::At(QUESTION_PLACE);
        writer.record(Section::Answer, owner, (Rtype::SOA, Class::IN, 0), &soa).unwrap();
        writer
            .record(Section::Answer, owner, (Rtype::MX, Class::IN, 0), b"\x00\x0a\x04root\x07example\x03com\x00")
            .unwrap();
    });
    let records: Vec<_> = Message::new(&message).unwrap().records().map(Result::unwrap).collect();
    assert_eq!(message[records[0].rdata.clone()], [b"\xc0\x0c\x04root\xc0\x0c", &[7; 20][..]].concat());
    assert_eq!(message[records[1].rdata.clone()], *b"\x00\x0a\xc0\x2b");
}

#[test]
fn an_rrset_that_does_not_fit_leaves_no_trace() {
    let (zone, other) = (name("example.com"), name("other.example"));
    let message = written(80, Case::Kept, |writer| {
        writer.question(zone.as_ref(), Rtype::A, Class::IN).unwrap();
        let many = [ADDRESS; 5];
        assert!(writer.rrset(Section::Answer, Owner::Name(other.as_ref()), A, many).is_err());
        assert_eq!(writer.count(Section::Answer), 0);
        // The names taken back must not be pointed to.
        writer.rrset(Section::Answer, Owner::Name(other.as_ref()), A, [ADDRESS]).unwrap();
    });
    assert_eq!(owners(&message), ["other.example."]);
}

#[test]
fn reserved_room_stays_free_until_released() {
    let zone = name("example.com");
    written(29 + 16 + 11, Case::Kept, |writer| {
        writer.question(zone.as_ref(), Rtype::A, Class::IN).unwrap();
        writer.reserve(12);
        assert!(writer.record(Section::Answer, Owner::At(QUESTION_PLACE), A, ADDRESS).is_err());
        writer.release(12);
        assert!(writer.record(Section::Answer, Owner::At(QUESTION_PLACE), A, ADDRESS).is_ok());
        assert!(writer.record(Section::Additional, Owner::Name(NameRef::ROOT), A, &[]).is_ok());
    });
}

/// Names of as many labels as there may be, all but the first alike.
#[test]
fn no_label_of_a_name_hides_another() {
    let deep = format!("b.{}other.test", "a.".repeat(120));
    for start in 0..deep.split('.').count() {
        let (question, owner) = (name(&deep), name(&deep.split('.').skip(start).collect::<Vec<_>>().join(".")));
        let message = written(512, Case::Kept, |writer| {
            writer.question(question.as_ref(), Rtype::A, Class::IN).unwrap();
            writer.record(Section::Answer, Owner::Name(owner.as_ref()), A, ADDRESS).unwrap();
        });
        assert_eq!(message.len(), 12 + question.as_ref().len() + 4 + 16, "from label {start}");
    }
}

#[test]
fn owners_below_a_name_of_the_message_are_compressed_as_whole_names_are() {
    let (zone, other) = (name("example.com"), name("a.b.example.com"));
    let write = |writer: &mut Writer<'_>, owners: [Owner<'_>; 2]| {
        writer.question(zone.as_ref(), Rtype::A, Class::IN).unwrap();
        owners.into_iter().for_each(|owner| {
            assert_eq!(writer.record(Section::Answer, owner, A, ADDRESS), Ok(Some(29)));
        });
    };
    let whole = written(512, Case::Kept, |writer| write(writer, [Owner::Name(other.as_ref()); 2]));
    let below = written(512, Case::Kept, |writer| write(writer, [Owner::Below(b"\x01a\x01b", QUESTION_PLACE); 2]));
    assert_eq!(whole, below);
    assert_eq!(owners(&below), ["a.b.example.com."; 2]);
}

#[test]
fn owners_that_stand_alone_read_back_and_have_a_place() {
    let zone = name("example.com");
    let message = written(512, Case::Kept, |writer| {
        writer.question(zone.as_ref(), Rtype::A, Class::IN).unwrap();
        for (label, place) in [(b"\x01a", 29), (b"\x01b", 47)] {
            assert_eq!(
                writer.record(Section::Answer, Owner::Alone(label, QUESTION_PLACE), A, ADDRESS),
                Ok(Some(place))
            );
        }
        writer.record(Section::Answer, Owner::At(29), A, ADDRESS).unwrap();
    });
    assert_eq!(owners(&message), ["a.example.com.", "b.example.com.", "a.example.com."]);
}

#[test]
fn the_root_is_never_pointed_to() {
    let message = written(512, Case::Kept, |writer| {
        writer.question(NameRef::ROOT, Rtype::A, Class::IN).unwrap();
        let place = writer.record(Section::Answer, Owner::Name(NameRef::ROOT), A, ADDRESS).unwrap();
        writer.record(Section::Answer, place.map_or(Owner::Name(NameRef::ROOT), Owner::At), A, ADDRESS).unwrap();
    });
    assert_eq!(message.len(), 12 + 5 + 2 * 15);
    assert_eq!(owners(&message), [".", "."]);
}

#[test]
fn nothing_is_written_where_not_even_a_header_fits() {
    assert_eq!(
        written(11, Case::Kept, |writer| assert!(writer.question(NameRef::ROOT, Rtype::A, Class::IN).is_err())),
        b""
    );
}

#[test]
fn messages_do_not_see_the_names_of_earlier_ones() {
    let (mut names, mut buffer) = (Compression::default(), [0; 512]);
    let zone = name("example.com");
    for _ in 0..3 {
        let mut writer = Writer::new(&mut buffer, 512, &mut names, Case::Kept);
        writer.question(zone.as_ref(), Rtype::A, Class::IN).unwrap();
        assert_eq!(writer.len(), 12 + 13 + 4);
    }
}

#[test]
fn a_long_message_reads_back_as_written() {
    // More names than slots, and more bytes than pointers reach.
    let expected: Vec<String> = (0..1500).map(|n| format!("host{}.sub{}.example.com.", n / 2, n % 7)).collect();
    let message = written(MAX_MESSAGE, Case::Kept, |writer| {
        for text in &expected {
            let owner = name(text);
            writer.record(Section::Answer, Owner::Name(owner.as_ref()), NS, owner.as_ref().as_bytes()).unwrap();
        }
    });
    assert!(message.len() > MAX_POINTER);
    assert_eq!(owners(&message), expected);
    let read = Message::new(&message).unwrap();
    for (record, text) in read.records().map(Result::unwrap).zip(&expected) {
        let target = crate::dns::Reader::new(&message).at(record.rdata.start).name().unwrap();
        assert_eq!(&target.to_string(), text);
    }
}
