//! Every type there and back, and what is refused.

use super::*;
use crate::dns::testing::Random;
use crate::dns::text::Fields;

const ORIGIN: NameRef<'static> = NameRef::from_static(b"\x07example\x00");

/// One record a line with an owner of its own, and what named-compilezone prints of that.
const ZONE: &str = include_str!("../../../testdata/zones/all-types.zone");
const PRINTED: &str = include_str!("../../../testdata/zones/all-types.printed");

fn read(rtype: &str, text: &str) -> Result<Vec<u8>, RdataError> {
    let mut out = Vec::new();
    from_text(rtype.parse::<Rtype>().unwrap(), &mut Fields(text.as_bytes()), ORIGIN, &mut out)?;
    Ok(out)
}

fn fault(rtype: &str, text: &str) -> String {
    match read(rtype, text) {
        Ok(rdata) => format!("{rdata:?}"),
        Err(error) => error.to_string(),
    }
}

fn print(rtype: &str, rdata: &[u8]) -> String {
    let mut text = String::new();
    to_text(rtype.parse::<Rtype>().unwrap(), rdata, &mut text);
    text
}

/// Type and data of each record.
fn records(zone: &'static str) -> impl Iterator<Item = (&'static str, &'static str)> {
    zone.lines().filter(|line| !line.starts_with(';')).map(|line| {
        let mut fields = line.splitn(5, ' ').skip(3);
        (fields.next().unwrap(), fields.next().unwrap_or_default())
    })
}

#[test]
fn every_type_of_the_table_stands_in_the_test_zone() {
    // named refuses the two that RFC 1035 gave up.
    for kind in KINDS.iter().filter(|kind| !kind.is_meta && !["MD", "MF"].contains(&kind.mnemonic)) {
        assert!(records(ZONE).any(|(rtype, _)| rtype == kind.mnemonic), "{}", kind.mnemonic);
    }
}

#[test]
fn every_type_prints_as_named_compilezone_prints_it() {
    assert_eq!(records(ZONE).count(), records(PRINTED).count());
    for ((rtype, text), (_, expected)) in records(ZONE).zip(records(PRINTED)) {
        let rdata = read(rtype, text).unwrap_or_else(|error| panic!("{rtype} {text}: {error}"));
        assert_eq!(print(rtype, &rdata).trim(), expected.trim(), "{rtype} {text}");
    }
}

#[test]
fn what_is_printed_reads_back_and_passes_the_check() {
    for (rtype, text) in records(PRINTED) {
        let rdata = read(rtype, text).unwrap_or_else(|error| panic!("{rtype} {text}: {error}"));
        let number: Rtype = rtype.parse().unwrap();
        assert_eq!(check(number, &rdata), Ok(()), "{rtype} {text}");
        assert_eq!(print(rtype, &rdata).trim(), text.trim());
        let mut taken = Vec::new();
        assert_eq!(from_wire(number, &rdata, 0..rdata.len(), &mut taken), Ok(()));
        assert_eq!(taken, rdata);
        for length in 0..rdata.len() {
            // Must not panic; whether a shorter form is valid depends on the type.
            let _ = check(number, &rdata[..length]);
        }
    }
}

#[test]
fn faults_are_worded_as_named_words_them() {
    // Each line as named-checkzone 9.18 reports it.
    for (rtype, text, expected) in [
        ("A", "1.2.3", "near '1.2.3': bad dotted quad"),
        ("A", "01.2.3.4", "near '01.2.3.4': bad dotted quad"),
        ("A", "1.2.3.256", "near '1.2.3.256': bad dotted quad"),
        ("A", "1.2.3.4 5", "near '5': extra input text"),
        ("A", "", "near eol: unexpected end of input"),
        ("AAAA", "1::g", "near '1::g': bad IPv6 address"),
        ("MX", "a b", "near 'a': not a valid number"),
        ("MX", "65536 b", "near '65536': out of range"),
        ("MX", "10 a..b", "near 'a..b': empty label"),
        ("MX", "10 \\256", "near '\\256': bad escape"),
        ("SOA", "a b 1x 1 1 1 1", "near '1x': not a valid number"),
        ("SOA", "a b 1 1h30 1 1 1", "near '1h30': syntax error"),
        ("TXT", "\\256", "near '\\256': syntax error"),
        ("TXT", "", "near eol: unexpected end of input"),
        ("DS", "1 FOO 1 aa", "near 'FOO': unknown class/type"),
        ("DS", "1 5 1 aa", "near eol: unexpected end of input"),
        ("DS", "1 5 2 zz", "near eol: bad hex encoding"),
        ("DNSKEY", "FOO 3 5 AQPS", "near 'FOO': unknown flag"),
        ("DNSKEY", "256 3 8 AQP", "near eol: bad base64 encoding"),
        ("DNSKEY", "256 3 8", "near eol: unexpected end of input"),
        ("RRSIG", "A 1 3 3600 2000010203040 1 1 a. AQ==", "near '2000010203040': syntax error"),
        ("RRSIG", "A 1 3 3600 20001302030405 1 1 a. AQ==", "near '20001302030405': out of range"),
        ("NSEC", "a.", "near eol: FORMERR"),
        ("NSEC3", "1 0 0 - zz", "near 'zz': bad base32 encoding"),
        ("CAA", "0 is-sue x", "near 'is-sue': syntax error"),
        ("TLSA", "3 1 1 aab", "near eol: bad hex encoding"),
        ("TYPE1234", "\\# 3 aabb", "near eol: unexpected end of input"),
        ("TYPE1234", "\\# x aabb", "near 'x': not a valid number"),
        ("TYPE1234", "aabb", "near 'aabb': unknown class/type"),
        ("A", "\\# 3 aabbcc", "near eol: unexpected end of input"),
        ("A", "\\# 5 aabbccddee", "near eol: extra input data"),
        ("LOC", "91 N 24 39 E 10", "near '91': out of range"),
        ("LOC", "60 X 24 E 1m", "near 'X': not a valid number"),
        ("LOC", "60 N 24 E 1.234m", "near '1.234m': syntax error"),
        ("APL", "1:10.0.0.0/33", "near '1:10.0.0.0/33': out of range"),
        ("APL", "3:10.0.0.0/3", "near '3:10.0.0.0/3': not implemented"),
        ("SVCB", "1 foo. alpn=", "near 'alpn=': syntax error"),
        ("SVCB", "1 foo. port=65536", "near 'port=65536': out of range"),
        ("SVCB", "1 foo. alpn=h2 alpn=h3", "near eol: duplicate query"),
        ("SVCB", "1 foo. mandatory=alpn", "near eol: disallowed (by application policy)"),
        ("SVCB", "1 foo. dohpath=/q", "near 'dohpath=/q': FORMERR"),
        ("WKS", "1.2.3.4 foo 53", "near 'foo': unknown protocol"),
        ("NSAP", "47", "near '47': syntax error"),
        ("A6", "129 ::", "near '129': out of range"),
        ("EUI48", "01-23-45-67-89-zz", "near eol: bad EUI"),
        ("URI", "1 1 foo", "near 'foo': syntax error"),
        ("X25", "12ab", "near '12ab': out of range"),
        ("IPSECKEY", "10 4 2 . AQ==", "near '4': out of range"),
        ("OPT", "x", "near 'x': not implemented"),
        ("EUI48", "01-23", "near eol: bad EUI"),
        ("ATMA", "+", "near '+': unexpected end of input"),
        ("ATMA", "\\# 3 01aabb", "near eol: FORMERR"),
        ("NULL", "x", "near 'x': syntax error"),
        ("NULL", "", "near eol: syntax error"),
        ("NXT", ". 128", "near eol: out of range"),
        ("NXT", ". -1 A", "near 'A': out of range"),
        ("UID", "x", "near 'x': unknown class/type"),
        ("RKEY", "1 3 8 AQPS", "near '1': FORMERR"),
        ("RRSIG", "A 8 1 1 1 1 1 a.b. AQPS", "near 'a.b.': out of range"),
        ("SIG", "A 8 1 1 1 1 1 a.b. AQPS", "near '1': syntax error"),
        ("NAPTR", "1 2 a b x .", "near 'x': syntax error"),
        ("OPT", "\\# 0", "near '0': invalid use of a meta type"),
    ] {
        assert_eq!(fault(rtype, text), expected, "{rtype} {text}");
    }
}

#[test]
fn a_fault_leaves_the_output_as_it_was() {
    let mut out = b"before".to_vec();
    assert!(from_text(Rtype::MX, &mut Fields(b"10 a b"), ORIGIN, &mut out).is_err());
    assert!(from_wire(Rtype::MX, b"\x00\x0a\x01a\x00x", 0..6, &mut out).is_err());
    assert_eq!(out, b"before");
}

#[test]
fn names_in_messages_are_decompressed_where_senders_may_compress() {
    let message = b"\x07example\x00\x00\x0a\x02mx\xc0\x00";
    let take = |rtype: Rtype, range| {
        let mut out = Vec::new();
        from_wire(rtype, message, range, &mut out).map(|()| out)
    };
    assert_eq!(take(Rtype::MX, 9..16).unwrap(), b"\x00\x0a\x02mx\x07example\x00");
    assert_eq!(take(Rtype::NS, 11..16).unwrap(), b"\x02mx\x07example\x00");
    assert!(take(Rtype::SVCB, 9..16).is_err());
    assert_eq!(take(Rtype::MX, 9..15), Err(WireError::Truncated));
    assert_eq!(take(Rtype::MX, 9..99), Err(WireError::Truncated));
}

#[test]
fn names_say_what_they_are_for() {
    let found = |rtype: &str, text: &str| -> Vec<String> {
        let rdata = read(rtype, text).unwrap();
        names(rtype.parse::<Rtype>().unwrap(), &rdata)
            .map(|field| {
                let NameUse { compress, fold, address, absolute: _, rule: _ } = field.usage;
                assert_eq!(&rdata[field.range], field.name.as_bytes());
                format!("{} {}{}{}", field.name, u8::from(compress), u8::from(fold), u8::from(address))
            })
            .collect()
    };
    assert_eq!(found("MX", "10 a.b."), ["a.b. 111"]);
    assert_eq!(found("SOA", "a. b. 1 1 1 1 1"), ["a. 110", "b. 110"]);
    assert_eq!(found("SRV", "1 2 3 a."), ["a. 011"]);
    assert_eq!(found("NAPTR", "1 2 a b \"\" c."), ["c. 011"]);
    assert_eq!(found("NSEC", "a. A"), ["a. 000"]);
    assert_eq!(found("RRSIG", "A 1 3 3600 2 1 1 A. AQ=="), ["A. 010"]);
    assert_eq!(found("TXT", "abc"), [""; 0]);
    assert_eq!(found("TYPE65280", "\\# 1 00"), [""; 0]);
}

#[test]
fn records_compare_in_canonical_order() {
    let order = |rtype: &str, left: &str, right: &str| {
        compare(rtype.parse::<Rtype>().unwrap(), &read(rtype, left).unwrap(), &read(rtype, right).unwrap())
    };
    assert_eq!(order("MX", "10 A.B.", "10 a.b."), Ordering::Equal);
    assert_eq!(order("MX", "9 z.", "10 a."), Ordering::Less);
    assert_eq!(order("TXT", "a", "A"), Ordering::Greater);
    assert_eq!(order("NSEC", "A. A", "a. A"), Ordering::Less);
    assert_eq!(order("A", "1.2.3.4", "1.2.3.5"), Ordering::Less);
}

#[test]
fn data_compare_in_the_eyes_of_their_class() {
    let order = |rtype, class| compare(in_class(rtype, class), b"\x01B\0\0\x01", b"\x01b\0\0\x01");
    assert!(order(Rtype::A, Class::CH).is_eq());
    assert!(order(Rtype::A, Class::HS).is_lt());
    let order = |class| compare(in_class(Rtype::SRV, class), b"\0\0\0\0\0\0\x01B\0", b"\0\0\0\0\0\0\x01b\0");
    assert!(order(Class::IN).is_eq() && order(Class::CH).is_lt());
}

#[test]
fn names_print_relative_to_an_origin_above_them() {
    let relative = |text: &str, origin: NameRef<'_>| {
        let mut out = String::new();
        to_relative_text(Rtype::MX, &read("MX", text).unwrap(), origin, &mut out);
        out
    };
    assert_eq!(relative("10 a\\.b.c", ORIGIN), "10 a\\.b.c");
    assert_eq!(relative("10 @", ORIGIN), "10 example.");
    assert_eq!(relative("10 a.other.", ORIGIN), "10 a.other.");
    assert_eq!(relative("10 a", NameRef::ROOT), "10 a.example.");
}

#[test]
fn bitmaps_tell_what_they_hold() {
    let rdata = read("NSEC", "a. A RRSIG TYPE1234").unwrap();
    for (rtype, held) in [("A", true), ("RRSIG", true), ("TYPE1234", true), ("NS", false), ("TYPE1235", false)] {
        assert_eq!(bitmap_holds(&rdata[3..], rtype.parse().unwrap()), held, "{rtype}");
    }
}

#[test]
fn mutated_data_never_panics_and_what_passes_the_check_reads_back() {
    const ROUNDS: usize = 200;
    let mut random = Random::new(0x9e37_79b9_7f4a_7c15);
    for (rtype, text) in records(PRINTED) {
        let number: Rtype = rtype.parse().unwrap();
        let original = read(rtype, text).unwrap();
        for round in 0..ROUNDS {
            let mut rdata = original.clone();
            random.mutate(&mut rdata);
            let context = || format!("{rtype} round {round}: {rdata:02x?}");
            let mut taken = Vec::new();
            if from_wire(number, &rdata, 0..rdata.len(), &mut taken).is_ok() {
                assert_eq!(check(number, &taken), Ok(()), "{}", context());
            }
            let printed = print(rtype, &rdata);
            let _ = names(number, &rdata).count();
            if check(number, &rdata).is_ok() && !printed.trim().is_empty() {
                // Text may be refused that named refuses too; but it never becomes something else.
                if let Ok(again) = read(rtype, &printed) {
                    assert_eq!(print(rtype, &again), printed, "{}", context());
                }
            }
        }
    }
}

#[test]
fn mutated_text_never_panics_and_what_is_read_passes_the_check() {
    const ROUNDS: usize = 200;
    let mut random = Random::new(0x2545_f491_4f6c_dd1d);
    for (rtype, text) in records(ZONE) {
        let number: Rtype = rtype.parse().unwrap();
        for round in 0..ROUNDS {
            let mut changed = text.as_bytes().to_vec();
            random.mutate(&mut changed);
            let mut out = Vec::new();
            if from_text(number, &mut Fields(&changed), ORIGIN, &mut out).is_ok() {
                assert_eq!(check(number, &out), Ok(()), "{rtype} round {round}: {}", changed.escape_ascii());
            }
        }
    }
}

#[test]
fn hickory_reads_the_same_records() {
    use hickory_proto::op;
    let mut compared = 0;
    for (rtype, text) in records(PRINTED) {
        let number: Rtype = rtype.parse().unwrap();
        let rdata = read(rtype, text).unwrap();
        let mut message = b"\x00\x01\x84\x00\x00\x00\x00\x01\x00\x00\x00\x00\x01a\x00".to_vec();
        message.extend(number.0.to_be_bytes());
        message.extend(b"\x00\x01\x00\x00\x0e\x10");
        message.extend((rdata.len() as u16).to_be_bytes());
        message.extend(&rdata);
        let Ok(decoded) = op::Message::from_vec(&message) else {
            // It takes no record without data, and of SIG only the kind that signs messages.
            assert!(rdata.is_empty() || rtype == "SIG", "{rtype} {text}");
            continue;
        };
        let record = &decoded.answers[0];
        assert_eq!(u16::from(record.record_type()), number.0, "{rtype}");
        compared += 1;
    }
    assert!(compared > 100, "{compared}");
}
