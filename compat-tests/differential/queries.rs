//! Queries made at random: names that exist, nearly exist and do not, every type, flags, and every kind of EDNS.

use std::io::{Read, Write};
use std::net::{TcpStream, UdpSocket};

use nomd::dns::NameBuf;

use super::{Dice, zones};
use crate::peers::PATIENCE;

/// A query, as it is sent.
#[derive(Debug, Clone)]
pub struct Query {
    /// For people.
    pub shown: String,
    pub bytes: Vec<u8>,
    pub is_tcp: bool,
}

/// A, NS, CNAME, SOA, PTR, MX, TXT, AAAA, SRV, NAPTR, DNAME, DS, RRSIG, NSEC, DNSKEY, NSEC3, NSEC3PARAM, HTTPS, ANY,
/// TYPE65280, CAA.
const TYPES: &[u16] =
    &[1, 2, 5, 6, 12, 15, 16, 18, 21, 28, 33, 35, 36, 39, 43, 46, 47, 48, 50, 51, 59, 65, 255, 65280, 257];
/// Types that no zone holds, and types of questions: MD, KEY, SIG, WKS, ATMA, IXFR, AXFR, MAILB, MAILA, OPT, TSIG, TKEY, 0,
/// 65535.
const ODD_TYPES: &[u16] = &[3, 25, 24, 11, 34, 251, 252, 253, 254, 41, 250, 249, 0, 65535];
const IN: u16 = 1;
const RD: u16 = 0x0100;
const CD: u16 = 0x0010;
const AD: u16 = 0x0020;

/// A query about one of the zones, or about nothing that is served.
pub fn query(dice: &mut Dice, apexes: &[&str], id: u16) -> Query {
    let name = name(dice, apexes);
    let rtype = if dice.one_in(25) { *dice.pick(ODD_TYPES) } else { *dice.pick(TYPES) };
    let class = if dice.one_in(60) { *dice.pick(&[4, 254, 255, 0, 77]) } else { IN };
    let opcode = if dice.one_in(80) { *dice.pick(&[1, 2, 3, 6, 15]) } else { 0 };
    let mut flags = opcode << 11;
    for (flag, odds) in [(RD, 2), (CD, 5), (AD, 5), (0x0400, 40), (0x0200, 40), (0x0080, 40), (0x0040, 40)] {
        if dice.one_in(odds) {
            flags |= flag;
        }
    }
    let (edns, edns_shown) = if dice.one_in(4) { (vec![], "no EDNS".to_owned()) } else { edns(dice) };
    let is_tcp = dice.one_in(8) && !matches!(rtype, 251 | 252);
    let mut bytes: Vec<u8> =
        [id, flags, 1, 0, 0, u16::from(!edns.is_empty())].iter().flat_map(|word| word.to_be_bytes()).collect();
    let wire = NameBuf::from_text(name.as_bytes(), None).unwrap();
    bytes.extend_from_slice(wire.as_ref().as_bytes());
    bytes.extend([rtype, class].iter().flat_map(|word| word.to_be_bytes()));
    bytes.extend_from_slice(&edns);
    let shown =
        format!("{name} type {rtype} class {class} flags {flags:04x} {edns_shown}{}", if is_tcp { " TCP" } else { "" });
    Query { shown, bytes, is_tcp }
}

fn name(dice: &mut Dice, apexes: &[&str]) -> String {
    let apex = *dice.pick(apexes);
    let name = match dice.below(12) {
        0 => apex.to_owned(),
        1 => zones::name_below(dice, "elsewhere.test."),
        2 => format!("ns.{}", if apex == "." { "" } else { apex }),
        _ => zones::name_below(dice, apex),
    };
    match dice.below(6) {
        0 => name.to_uppercase(),
        1 => name.chars().map(|letter| if dice.one_in(2) { letter.to_ascii_uppercase() } else { letter }).collect(),
        _ => name,
    }
}

/// An OPT record, and what is in it.
fn edns(dice: &mut Dice) -> (Vec<u8>, String) {
    let size = *dice.pick(&[0u16, 512, 513, 1232, 1232, 1232, 1400, 4096, 65535]);
    let version = if dice.one_in(40) { 1u8 } else { 0 };
    let flags: u16 = if dice.one_in(2) { 0x8000 } else { 0 } | if dice.one_in(30) { 0x0001 } else { 0 };
    let mut options: Vec<u8> = vec![];
    let mut shown = format!("EDNS {version} size {size} flags {flags:04x}");
    for _ in 0..dice.below(3) {
        let (code, data): (u16, Vec<u8>) = match dice.below(9) {
            0 => (3, vec![]),
            1 => (10, vec![1, 2, 3, 4, 5, 6, 7, 8]),
            2 => (10, vec![7; 24]),
            3 => (9, vec![]),
            4 => (12, vec![0; dice.below(20)]),
            5 => (8, vec![0, 1, 24, 0, 192, 0, 2]),
            6 => (11, vec![]),
            7 => (19, vec![]),
            _ => (65001, vec![1, 2, 3]),
        };
        shown += &format!(" option {code}:{}", data.len());
        options.extend([code, data.len() as u16].iter().flat_map(|word| word.to_be_bytes()));
        options.extend(data);
    }
    let mut opt = vec![0, 0, 41];
    opt.extend(size.to_be_bytes());
    opt.extend([0, version]);
    opt.extend(flags.to_be_bytes());
    opt.extend((options.len() as u16).to_be_bytes());
    opt.extend(options);
    (opt, shown)
}

/// Puts queries to a server, so many at once; their IDs are their places.
pub fn ask(port: u16, queries: &[Query]) -> Vec<Option<Vec<u8>>> {
    let mut replies = vec![None; queries.len()];
    for (at, query) in queries.iter().enumerate().filter(|(_, query)| query.is_tcp) {
        replies[at] = ask_tcp(port, query);
    }
    let udp: Vec<usize> = (0..queries.len()).filter(|&at| !queries[at].is_tcp).collect();
    for some in udp.chunks(AT_ONCE) {
        ask_udp(port, queries, some, &mut replies);
    }
    replies
}

/// How many queries are under way at once over UDP.
const AT_ONCE: usize = 50;
/// Behind each lot goes a query that is surely answered: when its answer is there, so are the others.
const LAST_ID: u16 = 0xffff;

fn ask_udp(port: u16, queries: &[Query], some: &[usize], replies: &mut [Option<Vec<u8>>]) {
    let socket = UdpSocket::bind("127.0.0.1:0").unwrap();
    socket.connect(("127.0.0.1", port)).unwrap();
    socket.set_read_timeout(Some(PATIENCE)).unwrap();
    for &at in some {
        socket.send(&queries[at].bytes).unwrap();
    }
    let last = [&LAST_ID.to_be_bytes()[..], &[0, 0, 0, 1, 0, 0, 0, 0, 0, 0, 0, 0, 6, 0, 1]].concat();
    socket.send(&last).unwrap();
    let mut buffer = [0; 65535];
    loop {
        let length = socket.recv(&mut buffer).unwrap_or_else(|error| panic!("a server answers no more: {error}"));
        let id = u16::from_be_bytes([buffer[0], buffer[1]]);
        if id == LAST_ID {
            // Answers may overtake each other, if not by much.
            socket.set_read_timeout(Some(std::time::Duration::from_millis(20))).unwrap();
            while let Ok(length) = socket.recv(&mut buffer) {
                replies[usize::from(u16::from_be_bytes([buffer[0], buffer[1]]))] = Some(buffer[..length].to_vec());
            }
            return;
        }
        replies[usize::from(id)] = Some(buffer[..length].to_vec());
    }
}

fn ask_tcp(port: u16, query: &Query) -> Option<Vec<u8>> {
    let mut stream = TcpStream::connect(("127.0.0.1", port)).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    stream.write_all(&[&(query.bytes.len() as u16).to_be_bytes(), &query.bytes[..]].concat()).unwrap();
    stream.shutdown(std::net::Shutdown::Write).unwrap();
    let mut length = [0; 2];
    stream.read_exact(&mut length).ok()?;
    let mut reply = vec![0; usize::from(u16::from_be_bytes(length))];
    stream.read_exact(&mut reply).ok()?;
    Some(reply)
}
