//! Record data over several lines, as named lays it out in the relative style.
//!
//! In: the data and its text on one line. Out: the same within parentheses, in rows that fit a terminal, keys and the
//! numbers of SOA records with what they mean behind them. A table says which types are laid out how; all others stay
//! on one line.

use std::fmt::Write as _;

use super::Duration;
use crate::dns::{NameRef, Rtype, rdata};

/// How the data of some types is laid out.
struct Layout {
    types: &'static [u16],
    shape: Shape,
    /// Fields on the first line.
    head: usize,
    /// Fields on a line of their own behind that.
    row: usize,
}

#[derive(Clone, Copy)]
enum Shape {
    /// The numbers of a SOA record, each with its meaning.
    Soa,
    /// A parenthesis opens behind the first fields; the rest is one text in rows.
    Rows,
    /// The same, with nothing in parentheses if there is no rest.
    RowsIfAny,
    /// The parenthesis opens before all fields.
    Before,
    /// The first row stands behind the parenthesis, and the number of bytes at the end.
    AtOnce,
    /// The same with the blank on the wrong side of the parenthesis.
    Stuck,
    /// The parenthesis opens before all fields, and each of the rest has its own line.
    Fields,
    /// Types, in a line for each of the windows of the bitmap.
    Windows,
    /// A public key, with what it is for.
    Key,
    /// As if the type were unknown.
    Unknown,
}

const fn layout(types: &'static [u16], shape: Shape, head: usize, row: usize) -> Layout {
    Layout { types, shape, head, row }
}

const LAYOUTS: [Layout; 14] = [
    layout(&[6], Shape::Soa, 2, 0),
    // CERT, DS, TLSA, SMIMEA, CDS, ZONEMD, TA, DLV.
    layout(&[37, 43, 52, 53, 59, 63, 32_768, 32_769], Shape::Rows, 3, 0),
    // SINK.
    layout(&[40], Shape::RowsIfAny, 3, 0),
    // SSHFP.
    layout(&[44], Shape::RowsIfAny, 2, 0),
    // RRSIG.
    layout(&[46], Shape::Rows, 4, 4),
    // SIG.
    layout(&[24], Shape::Rows, 5, 3),
    // NSEC3.
    layout(&[50], Shape::Windows, 4, 1),
    // IPSECKEY.
    layout(&[45], Shape::Before, 4, 0),
    // OPENPGPKEY, DHCID, EID, NIMLOC.
    layout(&[61, 49, 31, 32], Shape::AtOnce, 0, 0),
    // HHIT, BRID.
    layout(&[67, 68], Shape::Stuck, 0, 0),
    // HIP.
    layout(&[55], Shape::Fields, 2, 0),
    // KEY, DNSKEY, RKEY, CDNSKEY.
    layout(&[25, 48, 57, 60], Shape::Key, 3, 0),
    // NULL.
    layout(&[10], Shape::Unknown, 0, 0),
    layout(&[], Shape::Unknown, 0, 0),
];

const DHCID: Rtype = Rtype(49);
const DNSKEY: Rtype = Rtype(48);
const CDNSKEY: Rtype = Rtype(60);

/// Spreads the text at `start` of `text`, which is that of `data`.
pub(super) fn spread(rtype: Rtype, data: &[u8], text: &mut String, start: usize) {
    let unknown = rdata::kind(rtype).is_none();
    if text.get(start..).is_some_and(|line| line.starts_with("\\# ")) && !data.is_empty() {
        text.truncate(start);
        return unknown_data(data, text);
    }
    let is_laid_out = |layout: &&Layout| layout.types.contains(&rtype.0) || (unknown && layout.types.is_empty());
    let Some(layout) = LAYOUTS.iter().find(is_laid_out) else { return };
    let line = text.split_off(start);
    let fields: Vec<&str> = line.split(' ').collect();
    let (head, rest) = fields.split_at(layout.head.min(fields.len()));
    let (row, rest) = rest.split_at(layout.row.min(rest.len()));
    let begin = |text: &mut String| {
        text.extend([&head.join(" "), " ("]);
        row.chunks(layout.row.max(1)).for_each(|row| text.extend([NEW_LINE, &row.join(" ")]));
    };
    match layout.shape {
        Shape::Unknown if data.is_empty() => text.push_str(&line),
        Shape::RowsIfAny | Shape::Key if rest.is_empty() => text.push_str(&line),
        Shape::Soa => soa(head, rest, text),
        Shape::Unknown => unknown_data(data, text),
        Shape::Rows | Shape::RowsIfAny => {
            begin(text);
            rows(rest, text);
            text.push_str(" )");
        }
        Shape::Windows => {
            begin(text);
            windows(rest, text);
            text.push_str(" )");
        }
        Shape::Key => {
            begin(text);
            rows(rest, text);
            key_comment(rtype, data, text);
        }
        Shape::Before => {
            text.extend(["( ", &head.join(" ")]);
            rows(rest, text);
            text.push_str(" )");
        }
        Shape::Fields => {
            text.extend(["( ", &head.join(" ")]);
            rest.iter().for_each(|field| text.extend([NEW_LINE, field]));
            text.push_str(" )");
        }
        Shape::AtOnce => at_once("( ", rtype, data, rest, text),
        Shape::Stuck => at_once(" (", rtype, data, rest, text),
    }
}

/// Puts the numbers of a SOA record on lines of their own, with what they mean.
fn soa(head: &[&str], numbers: &[&str], text: &mut String) {
    text.extend([&head.join(" "), " ("]);
    for (meaning, number) in SOA_FIELDS.iter().zip(numbers) {
        let _ = write!(text, "{NEW_LINE}{number:<10} ; {meaning}");
        if let (true, Ok(seconds)) = (*meaning != "serial", number.parse()) {
            let _ = write!(text, " ({})", Duration(seconds));
        }
    }
    text.extend([NEW_LINE, ")"]);
}

/// One text in lines of the same length.
fn rows(parts: &[&str], text: &mut String) {
    for line in parts.concat().as_bytes().chunks(ROW_LETTERS) {
        text.push_str(NEW_LINE);
        text.extend(line.iter().copied().map(char::from));
    }
}

fn at_once(opening: &str, rtype: Rtype, data: &[u8], parts: &[&str], text: &mut String) {
    let start = text.len();
    rows(parts, text);
    text.replace_range(start..(start + NEW_LINE.len()).min(text.len()), opening);
    text.push_str(" )");
    if let (DHCID, &[high, low, digest, ref rest @ ..]) = (rtype, data) {
        let _ = write!(text, " ; {} {digest} {}", u16::from_be_bytes([high, low]), rest.len());
    }
}

fn windows(types: &[&str], text: &mut String) {
    let window = |word: &str| word.parse::<Rtype>().map_or(0, |rtype| rtype.0 >> 8);
    for window in types.chunk_by(|left, right| window(left) == window(right)) {
        text.extend([NEW_LINE, &window.join(" ")]);
    }
}

/// What a key is for, its algorithm and its tag.
fn key_comment(rtype: Rtype, data: &[u8], text: &mut String) {
    const KSK: u8 = 0x01;
    const REVOKED: u8 = 0x80;
    let &[_, flags, _, algorithm, ref key @ ..] = data else { return };
    text.extend([NEW_LINE, ")"]);
    if matches!(rtype, DNSKEY | CDNSKEY) {
        text.push_str(match (flags & KSK, flags & REVOKED) {
            (0, _) => " ; ZSK",
            (_, 0) => " ; KSK",
            _ => " ; revoked KSK",
        });
    }
    text.push_str("; alg = ");
    match (algorithm, NameRef::from_prefix(key)) {
        (PRIVATE_DNS, Ok(name)) if name.is_root() => text.push('.'),
        (PRIVATE_DNS, Ok(name)) => _ = write!(text, "{}", crate::dns::name::NoDot(name)),
        _ => match rdata::algorithm_word(algorithm) {
            Some(word) => text.push_str(word),
            None => _ = write!(text, "{algorithm}"),
        },
    }
    let _ = write!(text, " ; key id = {}", rdata::key_tag(data));
}

/// Data of an unknown type (RFC 3597 section 5), in parentheses and in lines of as many digits as BIND has.
fn unknown_data(data: &[u8], text: &mut String) {
    let _ = write!(text, "\\# {} (", data.len());
    for (place, part) in data.chunks(UNKNOWN_LINE_BYTES).enumerate() {
        text.push_str(if place == 0 { " " } else { NEW_LINE });
        for byte in part {
            let _ = write!(text, "{byte:02X}");
        }
    }
    text.push_str(" )");
}

const NEW_LINE: &str = "\n\t\t\t\t";
const PRIVATE_DNS: u8 = 253;
const ROW_LETTERS: usize = 44;
const UNKNOWN_LINE_BYTES: usize = 22;
const SOA_FIELDS: [&str; 5] = ["serial", "refresh", "retry", "expire", "minimum"];
