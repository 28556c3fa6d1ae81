//! Everything that a primary can do wrong in a transfer, one zone for each.

use super::primary::{Script, Step, send};
use super::stream::{
    A, CH, NS, Request, Signer, TXT, bulk, message, name, record, record_of, record_with, soa, zone_messages,
};
use crate::packets::framed;

/// A fault and what becomes of the zone.
pub struct Case {
    /// The zone is `NAME.example`.
    pub name: &'static str,
    pub script: Script,
    /// The serial that is served after it; 1: the old version.
    pub serial: u32,
}

const KEPT: u32 = 1;
const TAKEN: u32 = 2;

type Transfer = fn(&Request, Option<Signer>) -> Vec<Step>;

const fn transfer(name: &'static str, serial: u32, transfer: Transfer) -> Case {
    Case { name, script: Script { soa: None, transfer }, serial }
}

const fn query(name: &'static str, serial: u32, soa: fn(&Request) -> Vec<u8>) -> Case {
    Case { name, script: Script { soa: Some(soa), transfer: honest }, serial }
}

/// Faults of connections and messages.
pub fn of_messages() -> Vec<Case> {
    vec![
        transfer("honest", TAKEN, honest),
        transfer("closed-at-once", KEPT, |_, _| vec![]),
        transfer("closed-midway", KEPT, |q, s| send(honest_messages(q)[..1].to_vec(), s)),
        transfer("closed-within-a-message", KEPT, |q, _| {
            let mut bytes = honest_messages(q).iter().flat_map(|message| framed(message)).collect::<Vec<_>>();
            bytes.truncate(bytes.len() - 20);
            vec![Step::Send(bytes)]
        }),
        transfer("stalled", KEPT, |q, s| [send(honest_messages(q)[..1].to_vec(), s), vec![Step::Stall]].concat()),
        transfer("empty-message", KEPT, |_, _| vec![Step::Send(vec![0, 0])]),
        transfer("short-message", KEPT, |q, _| vec![Step::Send(framed(&honest_messages(q)[0][..5]))]),
        transfer("garbage", KEPT, |q, _| {
            let noise: Vec<u8> = (0..200_u8).map(|byte| byte.wrapping_mul(77)).collect();
            vec![Step::Send(framed(&[&q.id.to_be_bytes(), &noise[..]].concat()))]
        }),
        transfer("other-id", KEPT, |q, s| send(honest_messages(&Request { id: !q.id, ..q.clone() }), s)),
        transfer("other-id-later", KEPT, |q, s| {
            let mut messages = honest_messages(q);
            messages[1][0] ^= 0xff;
            send(messages, s)
        }),
        transfer("opcode", KEPT, |q, s| changed(q, s, 2, 0x20)),
        transfer("not-a-response", KEPT, |q, s| changed(q, s, 2, 0x80)),
        transfer("cut-short", TAKEN, |q, s| changed(q, s, 2, 0x02)),
        transfer("not-authoritative", TAKEN, |q, s| changed(q, s, 2, 0x04)),
        transfer("formerr", KEPT, |q, s| send(vec![q.refusal(1)], s)),
        transfer("servfail", KEPT, |q, s| send(vec![q.refusal(2)], s)),
        transfer("nxdomain", KEPT, |q, s| send(vec![q.refusal(3)], s)),
        transfer("refused", KEPT, |q, s| send(vec![q.refusal(5)], s)),
        transfer("notauth", KEPT, |q, s| send(vec![q.refusal(9)], s)),
        transfer("refused-midway", KEPT, |q, s| send(vec![honest_messages(q)[0].clone(), q.refusal(5)], s)),
        transfer("question-name", KEPT, |q, s| asked(q, s, &name("other.example"), None)),
        transfer("question-type", KEPT, |q, s| asked(q, s, &name(&q.zone), Some([0, 1, 0, 1]))),
        transfer("question-class", KEPT, |q, s| asked(q, s, &name(&q.zone), Some([0, 252, 0, 3]))),
        transfer("no-question", KEPT, |q, s| {
            let records = [vec![soa(&q.zone, 2)], bulk(&q.zone, 2), vec![soa(&q.zone, 2)]].concat();
            send(vec![message(q.id, 0x8400, &[], &records)], s)
        }),
        transfer("no-answers", KEPT, |q, s| send(vec![q.reply(&[])], s)),
        transfer("empty-in-between", TAKEN, |q, s| {
            let messages = honest_messages(q);
            send(vec![messages[0].clone(), message(q.id, 0x8400, &[], &[]), messages[1].clone()], s)
        }),
        transfer("count-too-high", KEPT, |q, s| changed(q, s, 7, 0x40)),
        transfer("bytes-behind", TAKEN, |q, s| {
            let mut messages = honest_messages(q);
            messages[0].extend([1, 2, 3]);
            send(messages, s)
        }),
    ]
}

/// Faults of records.
pub fn of_records() -> Vec<Case> {
    vec![
        transfer("soa-alone", KEPT, |q, s| send(vec![q.reply(&[soa(&q.zone, 2)])], s)),
        transfer("soa-twice-alone", KEPT, |q, s| with(q, s, &[])),
        transfer("soa-not-first", KEPT, |q, s| send(vec![q.reply(&bulk(&q.zone, 2))], s)),
        transfer("soa-below", KEPT, |q, s| with_more(q, s, vec![soa(&format!("sub.{}", q.zone), 2)])),
        transfer("soa-above", KEPT, |q, s| send(vec![q.reply(&[soa("example", 2)])], s)),
        transfer("last-serial-higher", KEPT, |q, s| between(q, s, 2, 3)),
        transfer("last-serial-lower", KEPT, |q, s| between(q, s, 2, 1)),
        transfer("last-soa-differs", KEPT, |q, s| {
            let last = record(&q.zone, 6, &[name("other"), name("other"), vec![0, 0, 0, 2], vec![0; 16]].concat());
            send(vec![q.reply(&[vec![soa(&q.zone, 2)], bulk(&q.zone, 2), vec![last]].concat())], s)
        }),
        transfer("newer-than-announced", 7, |q, s| between(q, s, 7, 7)),
        transfer("no-newer-than-ours", KEPT, |q, s| between(q, s, 1, 1)),
        transfer("older-than-ours", KEPT, |q, s| between(q, s, 0, 0)),
        transfer("records-behind", KEPT, |q, s| {
            let records = [vec![soa(&q.zone, 2)], bulk(&q.zone, 2), vec![soa(&q.zone, 2)], bulk(&q.zone, 3)].concat();
            send(vec![q.reply(&records)], s)
        }),
        transfer("message-behind", TAKEN, |q, s| {
            let more = message(q.id, 0x8400, &[], &bulk(&q.zone, 3));
            send([honest_messages(q), vec![more]].concat(), s)
        }),
        transfer("outside", TAKEN, |q, s| {
            let outside = ["www.victim.example", "example", "com", "xoutside.example"];
            with_more(q, s, outside.map(|owner| record(owner, A, &[192, 0, 2, 66])).to_vec())
        }),
        transfer("ns-outside-alone", KEPT, |q, s| with(q, s, &[record("example", NS, &name("ns.example"))])),
        transfer("no-ns", KEPT, |q, s| with(q, s, &[record(&format!("a.{}", q.zone), A, &[192, 0, 2, 1])])),
        transfer("other-class", KEPT, |q, s| with_more(q, s, vec![record_of(&q.zone, TXT, CH, b"\x01x")])),
        transfer("class-none", KEPT, |q, s| with_more(q, s, vec![record_of(&q.zone, TXT, 254, b"\x01x")])),
        transfer("class-any", KEPT, |q, s| with_more(q, s, vec![record_of(&q.zone, TXT, 255, b"")])),
        transfer("type-zero", KEPT, |q, s| with_more(q, s, vec![record(&q.zone, 0, b"x")])),
        transfer("type-any", KEPT, |q, s| with_more(q, s, vec![record(&q.zone, 255, b"")])),
        transfer("type-axfr", KEPT, |q, s| with_more(q, s, vec![record(&q.zone, 252, b"")])),
        transfer("opt-in-answer", KEPT, |q, s| with_more(q, s, vec![record(&q.zone, 41, b"")])),
        transfer("owner-loop", KEPT, |q, s| with_more(q, s, vec![looped(q)])),
        transfer("owner-forward", KEPT, |q, s| {
            with_more(q, s, vec![record_with(&[0xff, 0xff], A, 1, 60, &[192, 0, 2, 1])])
        }),
        transfer("owner-label-type", KEPT, |q, s| with_more(q, s, vec![record_with(&[0x80, 1, 0], A, 1, 60, &[1; 4])])),
        transfer("a-too-short", KEPT, |q, s| with_more(q, s, vec![record(&q.zone, A, &[192, 0, 2])])),
        transfer("a-too-long", KEPT, |q, s| with_more(q, s, vec![record(&q.zone, A, &[192, 0, 2, 1, 1])])),
        transfer("ns-too-long", KEPT, |q, s| {
            with_more(q, s, vec![record(&q.zone, NS, &[name("ns.example"), vec![0]].concat())])
        }),
        transfer("txt-past-end", KEPT, |q, s| with_more(q, s, vec![record(&q.zone, TXT, b"\x05abc")])),
        transfer("rdata-past-message", KEPT, |q, s| {
            let mut last = record(&q.zone, A, &[192, 0, 2, 1]);
            let length = last.len() - 5;
            last[length] = 200;
            send(vec![q.reply(&[vec![soa(&q.zone, 2)], bulk(&q.zone, 2), vec![last]].concat())], s)
        }),
        transfer("ttl-negative", TAKEN, |q, s| {
            with_more(q, s, vec![record_with(&name(&q.zone), TXT, 1, 0x8000_0001, b"\x01x")])
        }),
        transfer("ttls-differ", TAKEN, |q, s| {
            let owner = name(&format!("t.{}", q.zone));
            with_more(q, s, [60, 30, 90].map(|ttl| record_with(&owner, A, 1, ttl, &[192, 0, 2, ttl as u8])).to_vec())
        }),
        transfer("repeated", TAKEN, |q, s| with_more(q, s, bulk(&q.zone, 2))),
        transfer("two-cnames", KEPT, |q, s| {
            let owner = format!("c.{}", q.zone);
            with_more(q, s, ["a.example", "b.example"].map(|to| record(&owner, 5, &name(to))).to_vec())
        }),
        transfer("cname-and-other", KEPT, |q, s| {
            let owner = format!("c.{}", q.zone);
            with_more(q, s, vec![record(&owner, 5, &name("a.example")), record(&owner, A, &[192, 0, 2, 1])])
        }),
        transfer("wide-rrset", KEPT, |q, s| {
            let owner = format!("w.{}", q.zone);
            with_more(q, s, (0..101).map(|last| record(&owner, A, &[192, 0, 2, last])).collect())
        }),
        transfer("many-types", KEPT, |q, s| {
            let owner = format!("w.{}", q.zone);
            with_more(q, s, (1000..1101).map(|rtype| record(&owner, rtype, b"x")).collect())
        }),
        transfer("large", KEPT, |q, s| {
            let zone = &q.zone;
            with_more(q, s, (0..20).map(|host| record(&format!("h{host}.{zone}"), A, &[192, 0, 2, host])).collect())
        }),
    ]
}

/// Faults in the answer to the SOA query.
pub fn of_queries() -> Vec<Case> {
    vec![
        query("soa-serial-lower", KEPT, |q| q.reply(&[soa(&q.zone, 0)])),
        query("soa-nodata", KEPT, |q| q.reply(&[])),
        query("soa-twice", KEPT, |q| q.reply(&[soa(&q.zone, 2), soa(&q.zone, 3)])),
        query("soa-elsewhere", KEPT, |q| q.reply(&[soa("example", 2)])),
        query("soa-is-cname", KEPT, |q| q.reply(&[record(&q.zone, 5, &name("other.example"))])),
        query("soa-not-authoritative", KEPT, |q| message(q.id, 0x8000, &q.question, &[soa(&q.zone, 2)])),
        query("soa-nxdomain", KEPT, |q| q.refusal(3)),
        query("soa-notauth", KEPT, |q| q.refusal(9)),
        query("soa-refused", TAKEN, |q| q.refusal(5)),
    ]
}

/// Faults of signatures; the secondary has a key.
pub fn of_signatures() -> Vec<Case> {
    vec![
        transfer("signed", TAKEN, honest),
        transfer("unsigned", KEPT, |q, _| send(honest_messages(q), None)),
        transfer("unsigned-last", KEPT, |q, s| signed_only(q, s, &[0])),
        transfer("unsigned-first", KEPT, |q, s| signed_only(q, s, &[1])),
        transfer("unsigned-between", KEPT, |q, s| {
            let messages = honest_messages(q);
            let between = message(q.id, 0x8400, &[], &[record(&format!("u.{}", q.zone), A, &[192, 0, 2, 66])]);
            let mut signer = s.unwrap();
            let first = signer.sign(&messages[0]);
            let last = signer.sign(&messages[1]);
            send(vec![first, between, last], None)
        }),
        transfer("wrong-mac", KEPT, |q, s| with_signer(q, s, Signer::forget_secret)),
        transfer("wrong-mac-last", KEPT, |q, s| {
            let (messages, mut signer) = (honest_messages(q), s.unwrap());
            let first = signer.sign(&messages[0]);
            signer.forget_secret();
            send(vec![first, signer.sign(&messages[1])], None)
        }),
        transfer("wrong-key", KEPT, |q, s| with_signer(q, s, |signer| signer.key_name = "other-key".into())),
        transfer("short-mac", KEPT, |q, s| with_signer(q, s, |signer| signer.mac_bytes = 16)),
        transfer("tiny-mac", KEPT, |q, s| with_signer(q, s, |signer| signer.mac_bytes = 8)),
        transfer("no-mac", KEPT, |q, s| with_signer(q, s, |signer| signer.mac_bytes = 0)),
        transfer("old", KEPT, |q, s| with_signer(q, s, |signer| signer.skew_s = -1000)),
        transfer("from-the-future", KEPT, |q, s| with_signer(q, s, |signer| signer.skew_s = 1000)),
        transfer("changed-behind-the-mac", KEPT, |q, s| {
            let mut steps = honest(q, s);
            if let Some(Step::Send(bytes)) = steps.first_mut() {
                // The serial within the first SOA record is all that is forged.
                let at = bytes.windows(4).position(|word| word == [0, 0, 0, 2]).unwrap();
                bytes[at + 3] = 9;
            }
            steps
        }),
        transfer("cut-tsig", KEPT, |q, s| {
            let mut signed = s.unwrap().sign(&honest_messages(q)[0]);
            signed.truncate(signed.len() - 10);
            send(vec![signed], None)
        }),
        transfer("tsig-not-last", KEPT, |q, s| {
            let mut signed = s.unwrap().sign(&honest_messages(q)[0]);
            signed.extend(record("more.example", A, &[192, 0, 2, 1]));
            signed[11] += 1;
            send(vec![signed], None)
        }),
    ]
}

fn honest_messages(request: &Request) -> Vec<Vec<u8>> {
    zone_messages(request, TAKEN)
}

fn honest(request: &Request, signer: Option<Signer>) -> Vec<Step> {
    send(honest_messages(request), signer)
}

/// The honest transfer, bits of one byte of the first message turned over.
fn changed(request: &Request, signer: Option<Signer>, at: usize, bits: u8) -> Vec<Step> {
    let mut messages = honest_messages(request);
    messages[0][at] ^= bits;
    send(messages, signer)
}

/// The honest transfer behind another question.
fn asked(request: &Request, signer: Option<Signer>, zone: &[u8], rest: Option<[u8; 4]>) -> Vec<Step> {
    let same = request.question[request.question.len() - 4..].to_vec();
    let question = [zone, &rest.map_or(same, |rest| rest.to_vec())].concat();
    let mut messages = honest_messages(request);
    messages[0].splice(12..12 + request.question.len(), question);
    send(messages, signer)
}

/// One message: these records between two SOA records.
fn with(request: &Request, signer: Option<Signer>, records: &[Vec<u8>]) -> Vec<Step> {
    let soa = || vec![soa(&request.zone, TAKEN)];
    send(vec![request.reply(&[soa(), records.to_vec(), soa()].concat())], signer)
}

/// One message: the usual records and these.
fn with_more(request: &Request, signer: Option<Signer>, records: Vec<Vec<u8>>) -> Vec<Step> {
    with(request, signer, &[bulk(&request.zone, TAKEN), records].concat())
}

/// The usual records between SOA records with these serials.
fn between(request: &Request, signer: Option<Signer>, first: u32, last: u32) -> Vec<Step> {
    let zone = &request.zone;
    send(vec![request.reply(&[vec![soa(zone, first)], bulk(zone, first), vec![soa(zone, last)]].concat())], signer)
}

/// A record whose owner points at itself.
fn looped(request: &Request) -> Vec<u8> {
    let before =
        12 + request.question.len() + soa(&request.zone, TAKEN).len() + bulk(&request.zone, TAKEN).concat().len();
    let pointer = (0xc000 | u16::try_from(before).unwrap()).to_be_bytes();
    record_with(&pointer, A, 1, 60, &[192, 0, 2, 1])
}

fn with_signer(request: &Request, signer: Option<Signer>, change: fn(&mut Signer)) -> Vec<Step> {
    let mut signer = signer.unwrap();
    change(&mut signer);
    honest(request, Some(signer))
}

/// The honest transfer with signatures on some of its messages alone.
fn signed_only(request: &Request, signer: Option<Signer>, which: &[usize]) -> Vec<Step> {
    let mut signer = signer.unwrap();
    let messages = honest_messages(request).into_iter().enumerate();
    let sign = |(at, message): (usize, Vec<u8>)| if which.contains(&at) { signer.sign(&message) } else { message };
    send(messages.map(sign).collect(), None)
}
