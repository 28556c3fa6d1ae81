//! Record data: text to wire and back, the check of what arrives, the names within, and the canonical form.
//!
//! What a type looks like stands in `grammar/rdata`; each field of that table is one [`Field`], and `read`, `check` and
//! `print` say what it is in text and on the wire. Data of a type that the table does not have is carried as it is
//! (RFC 3597). All wire data here is uncompressed except what [`from_wire`] takes in.

mod apl;
mod check;
mod cursor;
mod encoding;
mod fault;
mod gateway;
mod hip;
mod hosts;
mod loc;
mod mnemonic;
mod names;
mod odd;
mod old;
mod plain;
mod print;
mod read;
mod regexp;
mod svcb;
mod time;
mod types;

use std::cmp::Ordering;
use std::ops::Range;

use super::text::{Token, Tokens};
use super::wire::{Reader, WireError};
use super::{Class, NameRef, Rtype, case};
pub use fault::{Fault, Near, RdataError};
pub use hosts::{Judgement, NameChecks, NameRule, misnamed};
pub use names::{NameField, Names, names};
pub use plain::Plain;
pub use types::holds as bitmap_holds;

include!(concat!(env!("OUT_DIR"), "/rdata.rs"));

/// The most bytes that the data of a record in text can have: what a message needs beside it must fit as well.
const MAX_TEXT_RDATA: usize = 65_512;

/// What is known of a type: a row of `grammar/rdata`.
#[derive(Debug)]
pub struct Kind {
    /// The type.
    pub rtype: Rtype,
    /// Its name in text.
    pub mnemonic: &'static str,
    /// Whether it stands only in questions and messages.
    pub is_meta: bool,
    /// What its data is made of.
    pub fields: &'static [Field],
}

/// What a domain name in record data is for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct NameUse {
    /// Messages may compress it (RFC 3597 section 4).
    pub compress: bool,
    /// Its letters are lower-cased in canonical form (RFC 4034 section 6.2).
    pub fold: bool,
    /// Its addresses go into the additional section.
    pub address: bool,
    /// Zone files have it absolute even where they are relative to an origin, as named writes them.
    pub absolute: bool,
    /// What `check-names` wants of it.
    pub rule: NameRule,
}

/// One field of a type's data; `grammar/rdata` says what each is, but for the last ones, which no row has: two bytes in
/// octal, an extended RCODE, and base64 behind its length.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(missing_docs)] // described in the table's header
pub enum Field {
    Name(NameUse),
    U8,
    U16,
    U32,
    Ttl,
    Time,
    Type,
    Covered,
    SigCovered,
    Date,
    KeyTag,
    NoFlags,
    Bytes,
    Atma,
    Algorithm,
    CertAlgorithm,
    CertType,
    DigestType,
    HashAlgorithm,
    DsyncScheme,
    Protocol,
    KeyFlags,
    Ip4,
    Ip6,
    String,
    OptionalString,
    Strings,
    Regexp,
    Text,
    QuotedText,
    Tag,
    Hex,
    DsDigest,
    ZoneDigest,
    SshDigest,
    Base64,
    OptionalBase64,
    DoaData,
    Key,
    Salt,
    Hash,
    Types,
    SomeTypes,
    NxtTypes,
    Eui48,
    Eui64,
    Locator,
    Any,
    Apl,
    Loc,
    Nsap,
    Wks,
    A6,
    Gateway,
    AmtRelay,
    Hip,
    SvcParams,
    Psdn,
    Octal,
    TsigError,
    SizedBase64,
}

/// The row of a type; none if the table does not have it.
pub fn kind(rtype: Rtype) -> Option<&'static Kind> {
    place(rtype).and_then(|place| KINDS.get(place))
}

/// What data looks like, in text and on the wire.
#[derive(Debug, Clone, Copy)]
pub struct Form {
    /// The type that it is of, or stands for in the eyes of its class.
    pub rtype: Rtype,
    fields: &'static [Field],
}

impl From<Rtype> for Form {
    #[inline]
    fn from(rtype: Rtype) -> Self {
        Self { rtype, fields: fields(rtype) }
    }
}

/// The form that data of `rtype` has in a class: types that only IN has are unknown elsewhere.
#[inline]
pub fn in_class(rtype: Rtype, class: Class) -> Form {
    if class == Class::IN || !ONLY_IN.contains(&rtype.0) {
        return rtype.into();
    }
    match (rtype, class) {
        (Rtype::A, Class::HS) => rtype.into(),
        (Rtype::A, Class::CH) => Form { rtype, fields: &CHAOS_ADDRESS },
        _ => ALIEN.into(),
    }
}

/// A, WKS, NSAP, NSAP-PTR, PX, AAAA, EID, NIMLOC, SRV, ATMA, KX, A6, APL, DHCID, SVCB and HTTPS.
const ONLY_IN: [u16; 16] = [1, 11, 22, 23, 26, 28, 31, 32, 33, 34, 36, 38, 42, 49, 64, 65];
/// Stands for them: nobody's type, with data that is bytes (RFC 6895 section 3.1 keeps it for private use).
const ALIEN: Rtype = Rtype(0xff00);
/// A name whose use is of no concern.
const PLAIN_NAME: Field =
    Field::Name(NameUse { compress: false, fold: true, address: false, absolute: false, rule: NameRule::Any });
/// A of CH: the name of a network and an address in it (RFC 1035 section 3.4.1 leaves other classes to themselves).
const CHAOS_ADDRESS: [Field; 2] = [PLAIN_NAME, Field::Octal];

/// The fields of a type; those of an unknown one are whatever there is.
fn fields(rtype: Rtype) -> &'static [Field] {
    kind(rtype).filter(|kind| !kind.is_meta).map_or(&[Field::Any], |kind| kind.fields)
}

/// What BIND reads from the text of two types that it prints like unknown ones or refuses in the end.
fn fields_in_text(form: Form) -> &'static [Field] {
    use Field::{Algorithm, Date, KeyFlags, Protocol, SizedBase64, TsigError, U16, U32};
    const KEYDATA: u16 = 65533;
    const TKEY: u16 = 249;
    match form.rtype.0 {
        KEYDATA => &[Date, Date, Date, KeyFlags, Protocol, Algorithm, Field::Key],
        TKEY => &[PLAIN_NAME, U32, U32, U16, TsigError, SizedBase64, SizedBase64],
        _ => form.fields,
    }
}

/// Reads the data of one record from text, to its end, and appends it to `out` in wire form. Relative names are
/// completed by `origin`. On error `out` is left as it was.
pub fn from_text<'a>(
    form: impl Into<Form>,
    tokens: &mut impl Tokens<'a>,
    origin: NameRef<'_>,
    out: &mut Vec<u8>,
) -> Result<(), RdataError> {
    let cursor = cursor::Cursor::new(tokens, origin, out.len());
    read_all(form.into(), cursor, out)
}

#[inline]
fn read_all<'a, T: Tokens<'a>>(
    form: Form,
    mut cursor: cursor::Cursor<'_, '_, T, Token<'a>>,
    out: &mut Vec<u8>,
) -> Result<(), RdataError> {
    let start = out.len();
    let read = read::rdata(form, &mut cursor, out);
    let fits = read.and_then(|()| if out.len() - start > MAX_TEXT_RDATA { Err(Fault::Oversized) } else { Ok(()) });
    fits.map_err(|fault| {
        out.truncate(start);
        cursor.error(fault)
    })
}

/// The same for a zone with `check-names`.
pub fn from_text_checked<'a>(
    form: impl Into<Form>,
    tokens: &mut impl Tokens<'a>,
    origin: NameRef<'_>,
    checks: &mut NameChecks,
    out: &mut Vec<u8>,
) -> Result<(), RdataError> {
    let cursor = cursor::Cursor::new(tokens, origin, out.len()).with_checks(checks);
    read_all(form.into(), cursor, out)
}

/// Appends the text of well-formed data to `out`, names absolute, as named prints it.
pub fn to_text(form: impl Into<Form>, rdata: &[u8], out: &mut String) {
    print::rdata(form.into(), rdata, None, out);
}

/// The same with the names at or below `origin` written relative to it.
pub fn to_relative_text(form: impl Into<Form>, rdata: &[u8], origin: NameRef<'_>, out: &mut String) {
    print::rdata(form.into(), rdata, Some(origin), out);
}

/// Takes the data of a record out of a message: checks it, decompresses its names, and appends it to `out`. On error
/// `out` is left as it was.
pub fn from_wire(rtype: Rtype, message: &[u8], range: Range<usize>, out: &mut Vec<u8>) -> Result<(), WireError> {
    let start = out.len();
    let mut reader = Reader::new(message).at(range.start).until(range.end)?;
    let taken = check::decompress(fields(rtype), &mut reader, out);
    if taken.is_err() {
        out.truncate(start);
    }
    taken
}

/// Whether `rdata` is well-formed uncompressed data of the type.
pub fn check(form: impl Into<Form>, rdata: &[u8]) -> Result<(), WireError> {
    check::rdata(form.into().fields, rdata)
}

/// Appends the canonical form of well-formed data: names lower-cased where RFC 4034 section 6.2 wants it.
pub fn canonical(form: impl Into<Form>, rdata: &[u8], out: &mut Vec<u8>) {
    let start = out.len();
    out.extend_from_slice(rdata);
    for field in names(form, rdata).filter(|field| field.usage.fold) {
        if let Some(name) = out.get_mut(start + field.range.start..start + field.range.end) {
            name.make_ascii_lowercase();
        }
    }
}

/// The canonical order of the records within an RRset (RFC 4034 section 6.3). Equal means that they are the same
/// record.
pub fn compare(form: impl Into<Form>, left: &[u8], right: &[u8]) -> Ordering {
    let form = form.into();
    if !(is_folded(form, left) || is_folded(form, right)) {
        return left.cmp(right);
    }
    let (mut folded_left, mut folded_right) = (Vec::new(), Vec::new());
    canonical(form, left, &mut folded_left);
    canonical(form, right, &mut folded_right);
    folded_left.cmp(&folded_right)
}

/// Whether the canonical form of this data may be another: it has capital letters, and its type has names that are
/// folded. Data of which none is so can be compared as bytes.
#[inline]
pub fn is_folded(form: impl Into<Form>, rdata: &[u8]) -> bool {
    case::has_capitals(rdata)
        && form.into().fields.iter().any(|field| matches!(field, Field::Name(usage) if usage.fold))
}

/// The word for a DNSSEC algorithm, if it has one.
pub fn algorithm_word(algorithm: u8) -> Option<&'static str> {
    mnemonic::word(mnemonic::ALGORITHMS, u16::from(algorithm))
}

/// The tag of a DNSKEY or its like (RFC 4034 appendix B).
pub fn key_tag(rdata: &[u8]) -> u16 {
    let word = |pair: &[u8]| match *pair {
        [high, low] => u32::from(u16::from_be_bytes([high, low])),
        [high] => u32::from(high) << 8,
        _ => 0,
    };
    let sum: u32 = rdata.chunks(2).map(word).sum();
    (sum + (sum >> 16)) as u16
}

/// When a signature ends and when it begins.
pub fn signature_times(rdata: &[u8]) -> Option<(u32, u32)> {
    let mut reader = Reader::new(rdata);
    reader.take(8).ok()?;
    Some((reader.u32().ok()?, reader.u32().ok()?))
}

/// Reads a time of fourteen digits, as seconds from 1970.
pub fn date_from_text(text: &[u8]) -> Result<i64, Fault> {
    time::date(text)
}

/// A time as text in the form of RRSIG data, taken to lie in 1970 to 2106.
pub fn time_text(seconds: u32) -> String {
    time::to_text_since_1970(seconds)
}

#[cfg(test)]
mod tests;
