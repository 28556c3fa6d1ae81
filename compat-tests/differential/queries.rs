//! Queries made at random: names that exist, nearly exist and do not, every type, flags, and every kind of EDNS.

use nomd::dns::NameBuf;

use super::names::Names;
use super::rounds::{INNER, NO_CASE_COMPRESS, UNWANTED};
use super::{Dice, leading};
use crate::mutator::Mutator;

/// A query, as it is sent.
#[derive(Debug, Clone)]
pub struct Query {
    /// For people.
    pub shown: String,
    pub bytes: Vec<u8>,
    pub is_tcp: bool,
    /// The last number of the address that it comes from.
    pub client: u8,
    /// Its bytes were changed at random.
    pub is_damaged: bool,
}

/// What zones hold, from A to CAA, and ANY.
const TYPES: &[u16] =
    &[1, 2, 5, 6, 7, 12, 15, 16, 18, 21, 28, 33, 35, 36, 39, 43, 46, 47, 48, 50, 51, 59, 64, 65, 255, 65280, 257];
/// Types that every server knows, none of which is a question for several.
const PLAIN_TYPES: &[u16] = &[1, 2, 5, 6, 12, 15, 16, 28, 33, 35, 39, 43, 48, 65, 257];
/// Types that no zone holds, and types of questions: MD, KEY, SIG, WKS, ATMA, IXFR, AXFR, MAILB, MAILA, OPT, TSIG, TKEY, 0,
/// 65535.
const ODD_TYPES: &[u16] = &[3, 25, 24, 11, 34, 251, 252, 253, 254, 41, 250, 249, 0, 65535];
const IN: u16 = 1;
const RD: u16 = 0x0100;
const CD: u16 = 0x0010;
const AD: u16 = 0x0020;

/// A query about one of the zones, or about nothing that is served.
pub fn query(dice: &mut Dice, names: &Names, id: u16) -> Query {
    let name = names.pick(dice);
    let rtype = match dice.below(40) {
        0 | 1 => *dice.pick(ODD_TYPES),
        2 => dice.below(300) as u16,
        3..=14 => *dice.pick(leading::TYPES),
        _ => *dice.pick(TYPES),
    };
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
    let client = if dice.one_in(3) { *dice.pick(&[INNER, UNWANTED, NO_CASE_COMPRESS]) } else { 1 };
    let transport = if is_tcp { " TCP" } else { "" };
    let shown =
        format!("{name} type {rtype} class {class} flags {flags:04x} {edns_shown}{transport} from 127.0.0.{client}");
    let query = Query { shown, bytes, is_tcp, client, is_damaged: false };
    if !is_tcp && dice.one_in(50) { damaged(dice, query) } else { query }
}

/// A query over TCP that every server understands alike.
pub fn plain(dice: &mut Dice, names: &Names, id: u16) -> Query {
    let name = names.pick(dice);
    let rtype = *dice.pick(PLAIN_TYPES);
    let is_signed = dice.one_in(2);
    let mut bytes: Vec<u8> =
        [id, 0, 1, 0, 0, u16::from(is_signed)].iter().flat_map(|word| word.to_be_bytes()).collect();
    bytes.extend_from_slice(NameBuf::from_text(name.as_bytes(), None).unwrap().as_ref().as_bytes());
    bytes.extend([rtype, IN].iter().flat_map(|word| word.to_be_bytes()));
    if is_signed {
        bytes.extend([0, 0, 41, 0x10, 0, 0, 0, 0x80, 0, 0, 0]);
    }
    let shown = format!("{name} type {rtype}{}", if is_signed { " with DO" } else { "" });
    Query { shown, bytes, is_tcp: true, client: 1, is_damaged: false }
}

/// The same with some bytes changed, but not those of the ID, and not so that it is a response.
fn damaged(dice: &mut Dice, mut query: Query) -> Query {
    let id = [query.bytes[0], query.bytes[1]];
    let mut bytes = Mutator::new(dice.below(1 << 30) as u64).damaged(std::slice::from_ref(&query.bytes));
    bytes.resize(bytes.len().clamp(ID_AND_FLAGS, MAX_SENT), 0);
    bytes[..2].copy_from_slice(&id);
    query.shown += &format!(" damaged: {}", data_encoding::HEXLOWER.encode(&bytes));
    Query { bytes, is_damaged: true, ..query }
}

/// How much of a damaged query is kept at least, and at most.
const ID_AND_FLAGS: usize = 4;
const MAX_SENT: usize = 4000;

/// An OPT record, and what is in it.
fn edns(dice: &mut Dice) -> (Vec<u8>, String) {
    let size = *dice.pick(&[0u16, 512, 513, 1232, 1232, 1232, 1400, 4096, 65535]);
    let version = if dice.one_in(40) { 1u8 } else { 0 };
    let flags: u16 = if dice.one_in(2) { 0x8000 } else { 0 } | if dice.one_in(30) { 0x0001 } else { 0 };
    let mut options: Vec<u8> = vec![];
    let mut shown = format!("EDNS {version} size {size} flags {flags:04x}");
    for _ in 0..dice.below(3) {
        let (code, data): (u16, Vec<u8>) = match dice.below(12) {
            0 => (3, vec![]),
            1 => (10, vec![1, 2, 3, 4, 5, 6, 7, 8]),
            2 => (10, vec![7; 24]),
            3 => (9, vec![]),
            4 => (12, vec![0; dice.below(20)]),
            5 => (8, vec![0, 1, 24, 0, 192, 0, 2]),
            6 => (11, vec![]),
            7 => (19, vec![]),
            8 => (14, vec![0, 1]),
            9 => (8, vec![0, 2, 32, 0, 0x20, 1, 0x0d, 0xb8]),
            10 => (15, vec![0, 1]),
            11 if dice.one_in(4) => (dice.below(22) as u16, (0..dice.below(7)).map(|_| dice.below(3) as u8).collect()),
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
