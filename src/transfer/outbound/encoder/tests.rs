use std::sync::Arc;

use crate::dns::writer::{Case, Compression, MAX_MESSAGE, Owner, Writer};
use crate::dns::{Class, Message, Rtype, Section, rdata};
use crate::transfer::inbound::{Inbound, Progress};
use crate::transfer::outbound::Filling;
use crate::transfer::testing::{FILLING, NOW_S, dump, exchange, name, soa, wire};
use crate::zone::{Builder, Limits, ZoneVersion};

/// A zone whose owners and targets share suffixes in every way: deep names, names that differ in case, targets at, below
/// and beside their owner, at the apex, outside, and the root.
fn tangled(apex: &str, hosts: u32) -> Arc<ZoneVersion> {
    let apex_name = name(apex);
    let below = |labels: &str| if apex == "." { format!("{labels}.") } else { format!("{labels}.{apex}") };
    let mut builder = Builder::new(apex_name.clone(), Class::IN);
    builder.add(apex_name.as_ref(), Rtype::SOA, 60, &soa(1)).unwrap();
    builder.add(apex_name.as_ref(), Rtype::NS, 60, &wire("ns.example.")).unwrap();
    let mut add = |owner: &str, rtype, rdata: &[u8]| builder.add(name(owner).as_ref(), rtype, 60, rdata).unwrap();
    for host in 0..hosts {
        let owner = below(&format!("a{}.b{}.C{}", host, host / 10, host / 100));
        add(&owner, Rtype::A, &host.to_be_bytes());
        add(&owner.to_uppercase(), Rtype::TXT, b"\x05hello");
        add(
            &owner,
            Rtype::MX,
            &[&[0, 10], wire(&below(&format!("mx.b{}.C{}", host / 10, host / 100))).as_slice()].concat(),
        );
        add(
            &owner,
            Rtype::MX,
            &[&[0, 20], wire(&format!("mx{}.Provider{}.example.net.", host % 3, host % 40)).as_slice()].concat(),
        );
        add(&below(&format!("p{host}")), Rtype::PTR, &wire(&below(&format!("x{}", host % 90))));
        add(&below(&format!("r{host}")), Rtype::PTR, &wire(if host % 2 == 0 { "." } else { apex }));
        add(&below(&format!("d{host}")), Rtype::NS, &wire(&format!("ns1.{}", below(&format!("d{host}")))));
        add(&below(&format!("d{host}")), Rtype::NS, &wire("NS1.provider1.EXAMPLE.net."));
    }
    Arc::new(builder.finish().unwrap())
}

fn received(messages: &[Vec<u8>], apex: &str) -> Vec<String> {
    let mut transfer = Inbound::new(name(apex), Class::IN, 7, None, None, Limits::default());
    for message in messages {
        if let Progress::Done(version) = transfer.feed(message, NOW_S).unwrap() {
            return dump(&version);
        }
    }
    panic!("no end");
}

#[test]
fn names_that_share_suffixes_arrive_as_they_were() {
    for apex in ["example.", "Sub.Example.ORG.", "."] {
        let version = tangled(apex, 300);
        for message_bytes in [700, 20480, 65535] {
            let messages = exchange(&version, None, Filling { message_bytes, ..FILLING }, 7).messages;
            assert_eq!(received(&messages, apex), dump(&version), "{apex} in messages of {message_bytes}");
            for message in messages {
                hickory_proto::op::Message::from_vec(&message).unwrap();
            }
        }
    }
}

/// How many bytes the records of these messages take in a writer that remembers all suffixes of all names.
fn size_with_a_table(messages: &[Vec<u8>]) -> usize {
    let (mut names, mut buffer) = (Compression::default(), vec![0; MAX_MESSAGE]);
    let size = |message: &Vec<u8>| {
        let message = Message::new(message).unwrap();
        let mut writer = Writer::new(&mut buffer, MAX_MESSAGE, &mut names, Case::Kept);
        for record in message.records() {
            let (record, mut data) = (record.unwrap(), Vec::new());
            rdata::from_wire(record.rtype, message.bytes(), record.rdata, &mut data).unwrap();
            let fields = (record.rtype, record.class, record.ttl);
            writer.record(Section::Answer, Owner::Name(record.owner.as_ref()), fields, &data).unwrap();
        }
        writer.len()
    };
    messages.iter().map(size).sum()
}

#[test]
fn messages_are_hardly_larger_than_with_a_table_of_all_suffixes() {
    let version = tangled("example.", 2000);
    let messages = exchange(&version, None, FILLING, 7).messages;
    let (ours, table) = (messages.iter().map(Vec::len).sum::<usize>(), size_with_a_table(&messages));
    assert!(ours <= table + table / 50, "{ours} bytes, {table} with a table");
}
