//! Which version a zone's file holds, from its first bytes.

use std::io::Read;
use std::path::Path;
use std::str;

use super::Form;
use crate::dns::{NameRef, Serial};
use crate::zone::disk::{Access, Disk};
use crate::zone::raw;

/// The serial in a zone's file; none where the file is not there, or does not begin with the zone's SOA record.
pub(super) fn serial(disk: &impl Disk, file: &Path, form: Form, apex: NameRef<'_>) -> Option<Serial> {
    match form {
        Form::Raw => raw::serial(disk, file, apex),
        Form::Text(_) => {
            let mut text = Vec::with_capacity(HEAD_BYTES as usize);
            disk.open(file, Access::Read).ok()?.take(HEAD_BYTES).read_to_end(&mut text).ok()?;
            in_text(&text)
        }
    }
}

/// The serial in the first SOA record of a master file, as a server or an operator writes it: the third field of its
/// data, parentheses aside. What is written otherwise may be taken for another, which leads to more being written.
fn in_text(text: &[u8]) -> Option<Serial> {
    let lines = text.split(|byte| *byte == b'\n').filter_map(|line| line.split(|byte| *byte == b';').next());
    let fields = lines.flat_map(|line| line.split(|byte| byte.is_ascii_whitespace() || b"()".contains(byte)));
    let fields: Vec<_> = fields.filter(|field| !field.is_empty()).collect();
    fields.windows(4).find_map(|fields| match fields {
        [rtype, _, _, serial] if rtype.eq_ignore_ascii_case(b"SOA") => {
            str::from_utf8(serial).ok()?.parse().ok().map(Serial)
        }
        _ => None,
    })
}

/// Long enough for names of any length in front of the serial.
const HEAD_BYTES: u64 = 4096;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_serial_is_found_in_text_of_servers_and_operators() {
        let relative = "$ORIGIN .\n$TTL 300\t; 5 minutes; SOA a b 1\nsoa\t\tIN SOA\tns.a. h\\.x.a. (\n\t\t7 ; serial\n";
        let full = "soa.\t\t 300 IN SOA\tns.a. h.a. 7 7200 900 1209600 300\n";
        let by_hand = "; the zone\r\n$TTL 1h\r\n@ 1D soa ns.a. h.a. (7 ; serial\r\n2h 15m 2w 5m)\r\n";
        let attached = "@(IN SOA ns h(7)1 2 3 4)\n";
        for text in [relative, full, by_hand, attached] {
            assert_eq!(in_text(text.as_bytes()), Some(Serial(7)), "{text}");
        }
        for text in ["", "$INCLUDE other\n", "a. 300 IN SOA ns.a. h.a. (", "a. 300 IN SOA ns.a. h.a. seven 7200\n"] {
            assert_eq!(in_text(text.as_bytes()), None, "{text}");
        }
    }
}
