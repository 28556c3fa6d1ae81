//! Every type there and back, and what is refused.

use super::*;
use crate::dns::text::Fields;

const ORIGIN: NameRef<'static> = NameRef::from_static(b"\x07example\x00");

/// One record a line with an owner of its own, and what named-compilezone prints of that.
const ZONE: &str = include_str!("../../../testdata/zones/all-types.zone");
const PRINTED: &str = include_str!("../../../testdata/zones/all-types.printed");

fn read(rtype: &str, text: &str) -> Result<Vec<u8>, RdataError> {
    let mut out = Vec::new();
    from_text(rtype.parse().unwrap(), &mut Fields(text.as_bytes()), ORIGIN, &mut out)?;
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
    to_text(rtype.parse().unwrap(), rdata, &mut text);
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
