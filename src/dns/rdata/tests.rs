//! Every type there and back, and what is refused.

use super::*;
use crate::dns::text::Fields;

const ORIGIN: NameRef<'static> = NameRef::from_static(b"\x07example\x00");

fn read(rtype: &str, text: &str) -> Result<Vec<u8>, RdataError> {
    let mut out = Vec::new();
    from_text(rtype.parse().unwrap(), &mut Fields(text.as_bytes()), ORIGIN, &mut out)?;
    Ok(out)
}

fn print(rtype: &str, rdata: &[u8]) -> String {
    let mut text = String::new();
    to_text(rtype.parse().unwrap(), rdata, &mut text);
    text
}

#[test]
fn plain_types_go_there_and_back() {
    for (rtype, text) in [("A", "1.2.3.4"), ("NS", "ns.example."), ("MX", "10 a.b."), ("TXT", "\"a\" \"b c\"")] {
        let rdata = read(rtype, text).unwrap();
        assert_eq!(check(rtype.parse().unwrap(), &rdata), Ok(()));
        assert_eq!(print(rtype, &rdata), text);
    }
}
