//! Packets and TCP streams that are odd or malformed: named and nomd answer them alike, to the byte, or alike not at all.

use std::io::{Read, Write};
use std::net::{Shutdown, TcpStream, UdpSocket};
use std::time::Duration;

use data_encoding::HEXLOWER;

use super::mutator::Mutator;
use super::peers::{self, Kind, PATIENCE, Server, Spec, Zone};
use super::zones;

/// A request, as it is sent.
struct Packet {
    name: &'static str,
    bytes: Vec<u8>,
}

const ID: u16 = 0x1234;
/// The ID of the query behind each packet, whose answer tells that the packet has had its turn.
const LAST_ID: u16 = 0xfffe;

const A: u16 = 1;
const SOA: u16 = 6;
const TSIG: u16 = 250;
const OPT: u16 = 41;
const IN: u16 = 1;
/// RD is set, as most clients have it.
const RD: u16 = 0x0100;

pub(super) fn name(text: &str) -> Vec<u8> {
    let labels = text.split('.').filter(|label| !label.is_empty());
    let mut wire: Vec<u8> = labels.flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).collect();
    wire.push(0);
    wire
}

pub(super) fn question(text: &str, rtype: u16, class: u16) -> Vec<u8> {
    [&name(text), &rtype.to_be_bytes()[..], &class.to_be_bytes()].concat()
}

pub(super) fn record(owner: &[u8], rtype: u16, class: u16, ttl: u32, rdata: &[u8]) -> Vec<u8> {
    let fixed = [&rtype.to_be_bytes()[..], &class.to_be_bytes(), &ttl.to_be_bytes()].concat();
    [owner, &fixed, &(rdata.len() as u16).to_be_bytes(), rdata].concat()
}

fn opt(rdata: &[u8]) -> Vec<u8> {
    record(&[0], OPT, 1232, 0, rdata)
}

pub(super) fn message(id: u16, flags: u16, counts: [u16; 4], body: &[u8]) -> Vec<u8> {
    let head: Vec<u8> = [[id, flags], [counts[0], counts[1]], [counts[2], counts[3]]]
        .concat()
        .iter()
        .flat_map(|word| word.to_be_bytes())
        .collect();
    [&head, body].concat()
}

/// An ordinary query with these bits in the flags.
fn flagged(flags: u16) -> Vec<u8> {
    message(ID, flags, [1, 0, 0, 0], &question("web.example.com", A, IN))
}

/// An ordinary query with these records behind it.
fn with(records: &[Vec<u8>]) -> Vec<u8> {
    let body = [question("mail.example.com", A, IN), records.concat()].concat();
    message(ID, RD, [1, 0, 0, records.len() as u16], &body)
}

fn asking(text: &str, rtype: u16, class: u16) -> Vec<u8> {
    message(ID, RD, [1, 0, 0, 0], &question(text, rtype, class))
}

fn packets() -> Vec<Packet> {
    let plain = asking("mail.example.com", A, IN);
    let soa = || question("example.com", SOA, IN);
    let packet = |name, bytes| Packet { name, bytes };
    vec![
        packet("plain", plain.clone()),
        packet("empty", vec![]),
        packet("one byte", vec![0x12]),
        packet("eleven bytes", plain[..11].to_vec()),
        packet("header that says one question", message(ID, RD, [1, 0, 0, 0], &[])),
        packet("header that says none", message(ID, RD, [0; 4], &[])),
        packet("no question but OPT", message(ID, RD, [0, 0, 0, 1], &opt(&[]))),
        packet("no question but COOKIE", message(ID, RD, [0, 0, 0, 1], &opt(&[0, 10, 0, 4, 1, 2, 3, 4]))),
        packet("two questions", message(ID, RD, [2, 0, 0, 0], &[soa(), soa()].concat())),
        packet("two other questions", {
            message(ID, RD, [2, 0, 0, 0], &[soa(), question("mail.example.com", A, IN)].concat())
        }),
        packet("two types of one name", {
            message(ID, RD, [2, 0, 0, 0], &[soa(), question("example.com", A, IN)].concat())
        }),
        packet("two classes of one name", {
            message(ID, RD, [2, 0, 0, 0], &[soa(), question("example.com", A, 3)].concat())
        }),
        packet("two types of one name in other letters", {
            message(ID, RD, [2, 0, 0, 0], &[soa(), question("EXAMPLE.com", A, IN)].concat())
        }),
        packet("question cut in the name", plain[..20].to_vec()),
        packet("question cut in the class", plain[..plain.len() - 1].to_vec()),
        packet("bytes behind", [plain.clone(), vec![1, 2, 3]].concat()),
        packet("question is a pointer to itself", message(ID, RD, [1, 0, 0, 0], &[0xc0, 12, 0, 1, 0, 1])),
        packet("question points forward", message(ID, RD, [1, 0, 0, 0], &[0xc0, 20, 0, 1, 0, 1, 0, 0, 0, 0])),
        packet("question points into the header", message(ID, RD, [1, 0, 0, 0], &[1, b'a', 0xc0, 4, 0, 1, 0, 1])),
        packet("label of type 01", message(ID, RD, [1, 0, 0, 0], &[0x41, b'a', 0, 0, 1, 0, 1])),
        packet("label of type 10", message(ID, RD, [1, 0, 0, 0], &[0x81, b'a', 0, 0, 1, 0, 1])),
        packet("name of 256 bytes", {
            let labels = [[&[63][..], &[b'a'; 63]].concat().repeat(3), vec![62], vec![b'b'; 62], vec![0]].concat();
            message(ID, RD, [1, 0, 0, 0], &[&labels[..], &[0, 0, 1, 0, 1]].concat())
        }),
        packet("response", flagged(0x8000)),
        packet("AA", flagged(RD | 0x0400)),
        packet("TC", flagged(RD | 0x0200)),
        packet("RA", flagged(RD | 0x0080)),
        packet("Z", flagged(RD | 0x0040)),
        packet("AD", flagged(RD | 0x0020)),
        packet("CD", flagged(RD | 0x0010)),
        packet("rcode in a query", flagged(RD | 3)),
        packet("IQUERY", flagged(0x0800)),
        packet("STATUS", flagged(0x1000)),
        packet("opcode 3", flagged(0x1800)),
        packet("opcode 15", flagged(0x7800)),
        packet("opcode 3 with OPT", message(ID, 0x1800, [1, 0, 0, 1], &[soa(), opt(&[])].concat())),
        packet("opcode 3 without question", message(ID, 0x1800, [0; 4], &[])),
        packet("type 0", asking("mail.example.com", 0, IN)),
        packet("type OPT", asking("mail.example.com", OPT, IN)),
        packet("type TSIG", asking("mail.example.com", TSIG, IN)),
        packet("type TKEY", asking("mail.example.com", 249, IN)),
        packet("type MAILA", asking("mail.example.com", 254, IN)),
        packet("type MAILB", asking("mail.example.com", 253, IN)),
        packet("type AXFR", asking("example.com", 252, IN)),
        packet("type IXFR without SOA", asking("example.com", 251, IN)),
        packet("type 65535", asking("mail.example.com", 65535, IN)),
        packet("class 0", asking("mail.example.com", A, 0)),
        packet("class 2", asking("mail.example.com", A, 2)),
        packet("class 5", asking("mail.example.com", A, 5)),
        packet("class HS", asking("mail.example.com", A, 4)),
        packet("class CH", asking("mail.example.com", A, 3)),
        packet("class NONE", asking("mail.example.com", A, 254)),
        packet("class ANY", asking("mail.example.com", A, 255)),
        packet("two OPTs", with(&[opt(&[]), opt(&[])])),
        packet("OPT in the answer section", message(ID, RD, [1, 1, 0, 0], &[soa(), opt(&[])].concat())),
        packet("OPT in the authority section", message(ID, RD, [1, 0, 1, 0], &[soa(), opt(&[])].concat())),
        packet("OPT with an owner", with(&[record(&name("a"), OPT, 1232, 0, &[])])),
        packet("OPT of version 1", with(&[record(&[0], OPT, 1232, 0x0001_0000, &[])])),
        packet("OPT of version 255 and DO", with(&[record(&[0], OPT, 1232, 0x00ff_8000, &[])])),
        packet("OPT with other flags", with(&[record(&[0], OPT, 1232, 0x7fff, &[])])),
        packet("OPT of size 0", with(&[record(&[0], OPT, 0, 0, &[])])),
        packet("OPT with an unknown option", with(&[opt(&[0xff, 0xfe, 0, 1, 7])])),
        packet("OPT with half an option", with(&[opt(&[0, 10, 0])])),
        packet("OPT with an option past its end", with(&[opt(&[0, 3, 0, 9, 1])])),
        packet("COOKIE of no bytes", with(&[opt(&[0, 10, 0, 0])])),
        packet("COOKIE of 7 bytes", with(&[opt(&[0, 10, 0, 7, 1, 2, 3, 4, 5, 6, 7])])),
        packet("COOKIE of 9 bytes", with(&[opt(&[0, 10, 0, 9, 1, 2, 3, 4, 5, 6, 7, 8, 9])])),
        packet("COOKIE of 41 bytes", with(&[opt(&[&[0, 10, 0, 41][..], &[1; 41]].concat())])),
        packet("CLIENT-SUBNET cut", with(&[opt(&[0, 8, 0, 3, 0, 1, 24])])),
        packet("CLIENT-SUBNET of family 9", with(&[opt(&[0, 8, 0, 5, 0, 9, 8, 0, 1])])),
        packet("CLIENT-SUBNET with a prefix of 33", with(&[opt(&[0, 8, 0, 8, 0, 1, 33, 0, 1, 2, 3, 4])])),
        packet("CLIENT-SUBNET with a scope", with(&[opt(&[0, 8, 0, 7, 0, 1, 24, 24, 192, 0, 2])])),
        packet("CLIENT-SUBNET with bits behind the prefix", with(&[opt(&[0, 8, 0, 7, 0, 1, 20, 0, 192, 0, 255])])),
        packet("KEEPALIVE over UDP", with(&[opt(&[0, 11, 0, 0])])),
        packet("an additional record", with(&[record(&name("x"), A, IN, 5, &[1, 2, 3, 4])])),
        packet("an additional record of class CH", with(&[record(&name("x"), A, 3, 5, &[1, 2, 3, 4])])),
        packet("an additional KEY of class CH", with(&[record(&name("x"), 25, 3, 5, &[0, 0, 3, 1, 1])])),
        packet("an additional KEY of class IN", with(&[record(&name("x"), 25, IN, 5, &[0, 0, 3, 1, 1])])),
        packet(
            "an additional TKEY of class CH",
            with(&[record(&name("x"), 249, 3, 5, &[&[0][..], &[0; 16]].concat())]),
        ),
        packet("SIG(0)", with(&[record(&[0], 24, 255, 0, &sig_rdata(0))])),
        packet("SIG(0) and OPT", with(&[opt(&[]), record(&[0], 24, 255, 0, &sig_rdata(0))])),
        packet("SIG(0) before OPT", with(&[record(&[0], 24, 255, 0, &sig_rdata(0)), opt(&[])])),
        packet("SIG(0) with an owner", with(&[record(&name("x"), 24, 255, 0, &sig_rdata(0))])),
        packet("SIG(0) of class IN", with(&[record(&[0], 24, IN, 0, &sig_rdata(0))])),
        packet("an additional SIG", with(&[record(&name("x"), 24, IN, 5, &sig_rdata(1))])),
        packet("an additional SIG of class CH", with(&[record(&name("x"), 24, 3, 5, &sig_rdata(1))])),
        packet("EXPIRE of 3 bytes", with(&[opt(&[0, 9, 0, 3, 1, 2, 3])])),
        packet("EXPIRE of 4 bytes", with(&[opt(&[0, 9, 0, 4, 1, 2, 3, 4])])),
        packet("LLQ of 17 bytes", with(&[opt(&[&[0, 1, 0, 17][..], &[0; 17]].concat())])),
        packet("a second KEY-TAG of 1 byte", with(&[opt(&[0, 14, 0, 2, 1, 2, 0, 14, 0, 1, 7])])),
        packet("KEY-TAG of 3 bytes", with(&[opt(&[0, 14, 0, 3, 1, 2, 3])])),
        packet("extended error of 1 byte", with(&[opt(&[0, 15, 0, 1, 0])])),
        packet("CLIENT-TAG of 1 byte", with(&[opt(&[0, 16, 0, 1, 0])])),
        packet("an option malformed, with DO", with(&[record(&[0], OPT, 1232, 0x8000, &[0, 9, 0, 1, 1])])),
        packet("OPT before a record cut", {
            let cut = with(&[opt(&[]), record(&name("x"), A, IN, 5, &[1, 2, 3, 4])]);
            cut[..cut.len() - 1].to_vec()
        }),
        packet("an additional record cut", {
            let cut = with(&[record(&name("x"), A, IN, 5, &[1, 2, 3, 4])]);
            cut[..cut.len() - 1].to_vec()
        }),
        packet("an additional record of bad data", with(&[record(&name("x"), A, IN, 5, &[1, 2, 3])])),
        packet("a record in the answer section", {
            message(ID, RD, [1, 1, 0, 0], &[soa(), record(&name("x"), A, IN, 5, &[1, 2, 3, 4])].concat())
        }),
        packet("more records said than there", message(ID, RD, [1, 0, 0, 9], &soa())),
        packet("TSIG of no data", with(&[record(&name("k"), TSIG, 255, 0, &[])])),
        packet("TSIG of class IN", with(&[record(&name("k"), TSIG, IN, 0, &tsig_rdata(32))])),
        packet("TSIG by an unknown key", with(&[record(&name("k"), TSIG, 255, 0, &tsig_rdata(32))])),
        packet("TSIG before OPT", with(&[record(&name("k"), TSIG, 255, 0, &tsig_rdata(32)), opt(&[])])),
        packet("two TSIGs", {
            let tsig = record(&name("k"), TSIG, 255, 0, &tsig_rdata(32));
            with(&[tsig.clone(), tsig])
        }),
        packet("empty UPDATE", message(ID, 0x2800, [0; 4], &[])),
        packet("UPDATE of an unknown zone", message(ID, 0x2800, [1, 0, 0, 0], &question("other.example", SOA, IN))),
        packet("UPDATE that is not allowed", message(ID, 0x2800, [1, 0, 0, 0], &soa())),
        packet("UPDATE of type A", message(ID, 0x2800, [1, 0, 0, 0], &question("example.com", A, IN))),
        packet("NOTIFY of our zone", message(ID, 0x2400, [1, 0, 0, 0], &soa())),
        packet("NOTIFY of an unknown zone", message(ID, 0x2400, [1, 0, 0, 0], &question("other.example", SOA, IN))),
        packet("NOTIFY of type A", message(ID, 0x2400, [1, 0, 0, 0], &question("example.com", A, IN))),
        packet("NOTIFY without question", message(ID, 0x2400, [0; 4], &[])),
        packet("NOTIFY of two zones", message(ID, 0x2400, [2, 0, 0, 0], &[soa(), soa()].concat())),
        packet(
            "NOTIFY of class ANY",
            message(ID, 0x2400, [1, 0, 0, 1], &[question("example.com", SOA, 255), opt(&[])].concat()),
        ),
        packet("NOTIFY of class NONE", message(ID, 0x2400, [1, 0, 0, 0], &question("example.com", SOA, 254))),
        packet("UPDATE of class ANY", message(ID, 0x2800, [1, 0, 0, 0], &question("example.com", SOA, 255))),
        packet("NOTIFY of a name below", message(ID, 0x2400, [1, 0, 0, 0], &question("mail.example.com", SOA, IN))),
    ]
}

/// Packets that nomd answers otherwise.
const DIFFERENCES: &[(&str, &str)] = &[
    ("two types of one name", "named writes the second question with a pointer; nomd repeats it as it came"),
    ("two types of one name in other letters", "see above"),
    ("question points into the header", "a name has no bytes of the header in it: FORMERR before any question"),
    ("SIG(0) before OPT", "neither verifies SIG(0), and nomd does not look at its place and its owner either"),
    ("SIG(0) with an owner", "see above"),
    ("an additional record of bad data", "the data of records that no query needs is not looked at"),
];

fn tsig_rdata(mac_bytes: u8) -> Vec<u8> {
    let head = [&name("hmac-sha256")[..], &[0; 6], &[1, 44], &[0, mac_bytes]].concat();
    [head, vec![7; usize::from(mac_bytes)], ID.to_be_bytes().to_vec(), vec![0; 4]].concat()
}

/// A SIG by the root over nothing, of the type covered.
fn sig_rdata(covered: u8) -> Vec<u8> {
    [&[0, covered][..], &[0; 16], &[0, 1]].concat()
}

fn last_query() -> Vec<u8> {
    message(LAST_ID, 0, [1, 0, 0, 0], &question("web.example.com", SOA, IN))
}

fn server(kind: Kind) -> Server {
    let zones = vec![Zone::primary("example.com", zones::example(1))];
    // Cookies come with a secret of each server, and records in any order.
    let options = "answer-cookie no; rrset-order { order none; };";
    let server = Server::start(kind, &Spec { zones, options: options.into(), ..Spec::default() });
    server.wait_for_serial("example.com", 1);
    server
}

/// How much later than the answer to the last query another one may come: datagrams overtake each other on their way
/// from processor to processor.
const OVERTAKING: Duration = Duration::from_millis(300);
/// The same on a busy host.
const HELD_UP: Duration = Duration::from_secs(10);

/// The answer over UDP, from a port of its own: named does not send the same peer one FORMERR after the other.
pub(super) fn ask_udp(server: &Server, packet: &[u8]) -> Option<Vec<u8>> {
    ask_udp_for(OVERTAKING, server, packet)
}

/// The answer over UDP to what is always answered.
pub(super) fn answer_to(server: &Server, packet: &[u8]) -> Vec<u8> {
    let answer = ask_udp_for(HELD_UP, server, packet);
    answer.unwrap_or_else(|| panic!("{:?} does not answer {}", server.kind, HEXLOWER.encode(packet)))
}

/// What both servers answer over UDP. Where one does and the other does not, it may but be late.
pub(super) fn ask_both([one, other]: [(&Server, &[u8]); 2]) -> [Option<Vec<u8>>; 2] {
    let ask = |patience| [one, other].map(|(server, packet)| ask_udp_for(patience, server, packet));
    let answers = ask(OVERTAKING);
    if answers[0].is_some() == answers[1].is_some() { answers } else { ask(HELD_UP) }
}

fn ask_udp_for(patience: Duration, server: &Server, packet: &[u8]) -> Option<Vec<u8>> {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(("127.0.0.1", server.port)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    socket.send(packet).unwrap();
    socket.send(&last_query()).unwrap();
    let mut answer = None;
    let mut bytes = [0; 4096];
    while let Ok((length, _)) = peers::receive(&socket, &mut bytes) {
        if bytes[..2] != LAST_ID.to_be_bytes() {
            answer = Some(bytes[..length].to_vec());
        }
        socket.set_read_timeout(Some(patience)).unwrap();
        if answer.is_some() && bytes[..2] == LAST_ID.to_be_bytes() {
            break;
        }
    }
    answer
}

pub(super) fn hex(bytes: &Option<Vec<u8>>) -> String {
    bytes.as_ref().map_or("nothing".into(), |bytes| HEXLOWER.encode(bytes))
}

#[test]
fn odd_packets_are_answered_as_named_does() {
    let (named, nomd) = (server(Kind::Bind), server(Kind::Nomd));
    let mut found = vec![];
    for packet in packets() {
        let [theirs, ours] = ask_both([&named, &nomd].map(|server| (server, &packet.bytes[..])));
        let reason = DIFFERENCES.iter().find(|(name, _)| *name == packet.name).map(|(_, reason)| reason);
        if reason.is_none() != (theirs == ours) {
            let (name, bytes) = (packet.name, hex(&Some(packet.bytes)));
            found.push(format!("{name}: {bytes}\n   named {}\n   nomd  {}", hex(&theirs), hex(&ours)));
        }
    }
    assert!(found.is_empty(), "answered in another way, or not any more:\n{}", found.join("\n"));
}

pub(super) fn framed(message: &[u8]) -> Vec<u8> {
    [&(message.len() as u16).to_be_bytes()[..], message].concat()
}

/// What is written into a connection, and whether nothing more is said to come.
fn streams() -> Vec<(&'static str, Vec<u8>, bool)> {
    let plain = framed(&asking("mail.example.com", A, IN));
    let stream = |name, bytes: &[Vec<u8>], is_over| (name, bytes.concat(), is_over);
    vec![
        stream("plain", std::slice::from_ref(&plain), false),
        stream("plain and over", std::slice::from_ref(&plain), true),
        stream("nothing and over", &[], true),
        stream("length of 0", &[vec![0, 0]], false),
        stream("length of 0 behind a query", &[plain.clone(), vec![0, 0]], false),
        stream("length of 5", &[framed(&[1, 2, 3, 4, 5])], false),
        stream("length of 11", &[framed(&[0; 11])], false),
        stream("half a length and over", &[vec![0]], true),
        stream("half a message and over", &[plain[..20].to_vec()], true),
        stream("a query, half a message and over", &[plain.clone(), plain[..20].to_vec()], true),
        stream("header that says one question", &[framed(&message(ID, RD, [1, 0, 0, 0], &[]))], false),
        stream("a response", &[framed(&flagged(0x8000))], false),
        stream("an opcode that there is not", &[framed(&flagged(0x7800))], false),
        stream(
            "two questions",
            &[framed(&message(ID, 0, [2, 0, 0, 0], &question("example.com", SOA, IN).repeat(2)))],
            false,
        ),
        stream("the largest length, of zeros", &[framed(&[0; 65535])], false),
        stream("the largest length and over", &[vec![0xff, 0xff, 1, 2, 3]], true),
        stream(
            "a query with bytes behind",
            &[framed(&[asking("mail.example.com", A, IN), vec![0; 3000]].concat())],
            false,
        ),
        stream("a transfer of another name", &[framed(&asking("mail.example.com", 252, IN))], false),
        stream("a transfer of class CH", &[framed(&asking("example.com", 252, 3))], false),
        stream("IXFR without SOA", &[framed(&asking("example.com", 251, IN))], false),
    ]
}

/// All that comes back, sorted, and whether the server then closes the connection.
fn converse(server: &Server, bytes: &[u8], is_over: bool) -> (Vec<String>, bool) {
    let mut stream = TcpStream::connect(("127.0.0.1", server.port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    // A server may close in the middle of what is written.
    let _ = stream.write_all(bytes);
    let _ = if is_over { stream.shutdown(Shutdown::Write) } else { stream.write_all(&framed(&last_query())) };
    let mut answers = vec![];
    let is_closed = loop {
        let Some(answer) = receive(&mut stream) else { break true };
        if answer[..2] == LAST_ID.to_be_bytes() {
            break false;
        }
        answers.push(hex(&Some(answer)));
    };
    answers.sort();
    (answers, is_closed)
}

pub(super) fn receive(stream: &mut TcpStream) -> Option<Vec<u8>> {
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut message = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut message).ok()?;
    Some(message)
}

#[test]
fn odd_streams_are_answered_as_named_does() {
    let (named, nomd) = (server(Kind::Bind), server(Kind::Nomd));
    let mut found = vec![];
    for (name, bytes, is_over) in streams() {
        let (theirs, ours) = (converse(&named, &bytes, is_over), converse(&nomd, &bytes, is_over));
        let reason = STREAM_DIFFERENCES.iter().find(|(other, _)| *other == name);
        if reason.is_none() != (theirs == ours) {
            found.push(format!("{name}:\n   named {theirs:?}\n   nomd  {ours:?}"));
        }
    }
    assert!(found.is_empty(), "answered in another way, or not any more:\n{}", found.join("\n"));
}

/// Streams with which nomd deals otherwise.
const STREAM_DIFFERENCES: &[(&str, &str)] = &[
    ("length of 0", "what is no request is passed over, as over UDP; the other queries of the connection are answered"),
    ("length of 0 behind a query", "see above: named closes the connection"),
    ("length of 5", "see above: named closes the connection"),
    ("length of 11", "see above: named closes the connection"),
    ("a response", "see above: named closes the connection"),
];

/// Requests of testdata, turned over.
fn damaged(count: usize) -> Vec<Vec<u8>> {
    let text = include_str!("../testdata/wire/requests");
    let lines = text.lines().filter(|line| !line.starts_with('#'));
    let mut seeds: Vec<Vec<u8>> =
        lines.map(|line| HEXLOWER.decode(line.split(' ').nth(1).unwrap().as_bytes()).unwrap()).collect();
    seeds.extend(packets().into_iter().map(|packet| packet.bytes));
    let mut mutator = Mutator::new(SEED);
    (0..count).map(|_| mutator.damaged(&seeds)).collect()
}

/// Any number does; the same packets come every time.
const SEED: u64 = 20_000;

#[test]
fn nothing_that_comes_in_keeps_a_server_from_answering() {
    let nomd = server(Kind::Nomd);
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.set_nonblocking(true).unwrap();
    let mut answers = 0;
    for (number, packet) in damaged(15_000).iter().enumerate() {
        // One that is too large for a datagram does not go out.
        let _ = socket.send_to(packet, ("127.0.0.1", nomd.port));
        while socket.recv(&mut [0; 65535]).is_ok() {
            answers += 1;
        }
        if number % 500 == 0 {
            println!("{number} packets");
            answer_to(&nomd, &asking("mail.example.com", A, IN));
        }
    }
    assert!(answers > 1000, "{answers} answers");
    for batch in damaged(5_000).chunks(50) {
        let mut stream = TcpStream::connect(("127.0.0.1", nomd.port)).unwrap();
        stream.set_write_timeout(Some(Duration::from_secs(1))).unwrap();
        // It is closed as soon as a length does not hold.
        let _ = batch.iter().try_for_each(|message| stream.write_all(&framed(&message[..message.len().min(65535)])));
        let _ = stream.write_all(&batch.concat());
    }
    let plain = framed(&asking("mail.example.com", A, IN));
    assert_eq!(converse(&nomd, &plain, false).0.len(), 1, "over TCP afterwards");
    answer_to(&nomd, &asking("mail.example.com", A, IN));
    let log = nomd.settled_log();
    assert!(!log.contains("panic"), "{log}");
}
