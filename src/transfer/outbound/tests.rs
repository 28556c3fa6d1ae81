use super::*;
use crate::dns::{Class, Message, NameBuf};
use crate::transfer::inbound::{Inbound, Progress};
use crate::transfer::testing::{FILLING, NOW_S, dump, exchange, key, name, soa, zone};
use crate::zone::{Builder, Limits};

fn received(messages: &[Vec<u8>], chain: Option<Chain<&Key>>) -> Box<ZoneVersion> {
    let mut transfer = Inbound::new(name("example."), Class::IN, 7, None, chain, Limits::default());
    for (at, message) in (1..).zip(messages) {
        match transfer.feed(message, NOW_S).unwrap() {
            Progress::More => {}
            other @ (Progress::UpToDate(_) | Progress::Changed(..)) => panic!("{other:?}"),
            Progress::Done(version) => {
                assert_eq!(at, messages.len());
                assert_eq!(transfer.received().messages, messages.len() as u64);
                return version;
            }
        }
    }
    panic!("no end after {} messages", messages.len());
}

#[test]
fn what_is_sent_arrives() {
    let version = Arc::new(zone(5, 3000));
    let key = key();
    for (key, message_bytes) in [(None, 20480), (Some(&key), 20480), (Some(&key), 600), (None, 65535)] {
        let exchange = exchange(&version, key, Filling { message_bytes, ..FILLING }, 7);
        assert!(exchange.messages.iter().all(|message| message.len() <= message_bytes));
        assert_eq!(dump(&received(&exchange.messages, exchange.chain)), dump(&version));
    }
}

#[test]
fn every_message_decodes_in_another_library() {
    let version = Arc::new(zone(5, 1000));
    let key = key();
    for message in exchange(&version, Some(&key), FILLING, 7).messages {
        let decoded = hickory_proto::op::Message::from_vec(&message).unwrap();
        assert_eq!(decoded.answers.len(), usize::from(Message::new(&message).unwrap().header().counts[1]));
    }
}

#[test]
fn only_the_first_message_repeats_the_question_and_all_are_authoritative() {
    let messages = exchange(&Arc::new(zone(5, 2000)), None, FILLING, 7).messages;
    assert!(messages.len() > 2);
    for (at, message) in messages.iter().enumerate() {
        let header = Message::new(message).unwrap().header();
        assert!(header.aa() && header.is_response());
        assert_eq!((header.id, header.counts[0]), (7, u16::from(at == 0)));
    }
}

#[test]
fn one_answer_puts_one_record_in_each_message() {
    let version = Arc::new(zone(5, 10));
    let filling = Filling { one_answer: true, ..FILLING };
    let exchange = exchange(&version, None, filling, 7);
    assert_eq!(exchange.messages.len(), version.record_count() + 1);
    assert_eq!(dump(&received(&exchange.messages, None)), dump(&version));
}

#[test]
fn a_record_larger_than_the_message_size_gets_a_message_of_its_own() {
    let apex = name("example.");
    let mut builder = Builder::new(apex.clone(), Class::IN);
    builder.add(apex.as_ref(), Rtype::SOA, 60, &soa(1)).unwrap();
    builder.add(apex.as_ref(), Rtype::NS, 60, b"\x02ns\x07example\x00").unwrap();
    let text = [[255; 256]; 200].concat();
    builder.add(apex.as_ref(), Rtype::TXT, 60, &text).unwrap();
    let version = Arc::new(builder.finish().unwrap());
    let exchange = exchange(&version, None, FILLING, 7);
    assert_eq!(exchange.messages.iter().map(Vec::len).filter(|&length| length > 50_000).count(), 1);
    assert_eq!(dump(&received(&exchange.messages, None)), dump(&version));
}

#[test]
fn a_record_that_fits_into_no_message_ends_the_transfer_with_an_error() {
    let apex = name("example.");
    for (length, is_sent) in [(65_400, true), (65_500, false)] {
        let mut builder = Builder::new(apex.clone(), Class::IN);
        builder.add(apex.as_ref(), Rtype::SOA, 60, &soa(1)).unwrap();
        builder.add(name("big.example.").as_ref(), Rtype(65_400), 60, &vec![0; length]).unwrap();
        let version = Arc::new(builder.finish().unwrap());
        let question = Question { name: NameBuf::from_name(version.apex()), rtype: Rtype::AXFR, class: Class::IN };
        let head = (Header { id: 1, flags: 0, counts: [1, 0, 0, 0] }, question);
        let out = Outbound::new(version, Form::Whole, FILLING, head, None::<Chain<&Key>>);
        let mut out = out.with_opts([vec![0; 20].into(), vec![0; 20].into()]);
        let mut next = || out.next(NOW_S, &mut Vec::new());
        let outcome = std::iter::repeat_with(&mut next).find(|outcome| *outcome != Ok(true)).unwrap();
        assert_eq!(outcome, if is_sent { Ok(false) } else { Err(TooLarge(13 + 10 + length)) });
        assert_eq!(next(), Ok(false));
    }
}

#[test]
fn the_count_is_what_was_sent() {
    let version = Arc::new(zone(5, 500));
    let question = Question { name: NameBuf::from_name(version.apex()), rtype: Rtype::AXFR, class: Class::IN };
    let head = (Header { id: 1, flags: 0, counts: [1, 0, 0, 0] }, question);
    let mut out = Outbound::new(Arc::clone(&version), Form::Whole, FILLING, head, None::<Chain<&Key>>);
    let (mut buffer, mut messages) = (Vec::new(), 0);
    while out.next(NOW_S, &mut buffer).unwrap() {
        messages += 1;
    }
    assert!(messages > 1 && !out.next(NOW_S, &mut buffer).unwrap());
    assert_eq!(out.sent(), Sent { messages, bytes: buffer.len() as u64, records: version.record_count() as u64 + 1 });
}

#[test]
fn ixfr_gets_the_soa_alone_over_udp_and_when_the_client_is_current() {
    let form = |rtype, client: u32, is_udp| Form::of(rtype, Some(Serial(client)), Serial(10), is_udp);
    assert_eq!(form(Rtype::IXFR, 10, false), Form::CurrentSoa);
    assert_eq!(form(Rtype::IXFR, 11, false), Form::CurrentSoa);
    assert_eq!(form(Rtype::IXFR, 9, true), Form::CurrentSoa);
    assert_eq!(form(Rtype::IXFR, 9, false), Form::Whole);
    assert_eq!(Form::of(Rtype::AXFR, None, Serial(10), false), Form::Whole);
    let version = Arc::new(zone(10, 10));
    let question = Question { name: NameBuf::from_name(version.apex()), rtype: Rtype::IXFR, class: Class::IN };
    let head = (Header { id: 1, flags: 0, counts: [1, 0, 0, 0] }, question);
    let mut out = Outbound::new(version, Form::CurrentSoa, FILLING, head, None::<Chain<&Key>>);
    let mut buffer = Vec::new();
    assert!(out.next(NOW_S, &mut buffer).unwrap());
    assert_eq!(Message::new(&buffer).unwrap().header().counts, [1, 1, 0, 0]);
    assert!(!out.next(NOW_S, &mut buffer).unwrap());
}

#[test]
fn differences_come_between_the_soa_records_in_messages_of_any_size() {
    let versions: Vec<Arc<ZoneVersion>> = (4..7).map(|serial| Arc::new(zone(serial, 40))).collect();
    let steps: Vec<_> = versions.windows(2).map(|pair| crate::zone::diff::diff(&pair[0], &pair[1]).unwrap()).collect();
    let types: Vec<u16> = steps.iter().flat_map(|step| step.changes().map(|change| change.rtype.0)).collect();
    for (message_bytes, one_answer) in [(20480, false), (100, false), (20480, true)] {
        let question = Question { name: NameBuf::from_name(versions[2].apex()), rtype: Rtype::IXFR, class: Class::IN };
        let header = Header { id: 7, flags: 0, counts: [1, 0, 0, 0] };
        let filling = Filling { message_bytes, one_answer };
        let mut out = Outbound::<&Key>::new(Arc::clone(&versions[2]), Form::Whole, filling, (header, question), None);
        out.send_differences(steps.clone());
        let (mut message, mut records) = (Vec::new(), vec![]);
        while out.next(NOW_S, &mut message).unwrap() {
            let decoded = hickory_proto::op::Message::from_vec(&message).unwrap();
            records.extend(decoded.answers.iter().map(|it| u16::from(it.record_type())));
            message.clear();
        }
        assert_eq!(records, [&[Rtype::SOA.0], &types[..], &[Rtype::SOA.0]].concat(), "{message_bytes} {one_answer}");
        assert_eq!(out.sent().records, records.len() as u64);
    }
}
