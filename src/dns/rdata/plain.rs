//! Record data as nearly all of it is written: numbers in digits, names of letters, digits and hyphens, no escapes, no
//! comments. What is so is read straight from the bytes of the file, a field at a time by the table of types, without
//! cutting the text into fields first.
//!
//! Anything else is left alone, whether it is unusual or wrong: the general reader (`read`) takes it then, and says
//! what there is to say. So whatever is read here must be what the general reader makes of it.

use super::encoding::{base32hex_group, base64_groups, hex_group};
use super::read::{SHA1, SHA1_BYTES};
use super::{Field, Judgement, MAX_TEXT_RDATA, NameChecks, NameRule, check, fields, time};
use crate::dns::eight::{self, Eight};
use crate::dns::host::are_host_labels;
use crate::dns::name::plain::{PlainName, append_name};
use crate::dns::{NameRef, Rtype};

/// What helps to read the next record and has come of those before it.
#[derive(Debug)]
pub struct Plain {
    /// Times as they were written last: the signatures of a zone have few different ones.
    times: [(u128, u32); 2],
}

impl Default for Plain {
    fn default() -> Self {
        Self { times: [(NO_DATE, 0); 2] }
    }
}

impl Plain {
    /// Reads the data of a record from the start of `text`, and appends it to `out` in wire form. Says where it ends:
    /// at the end of a line, which is not taken. None, with `out` as it was, if it is not plain.
    #[inline]
    pub fn read(
        &mut self,
        rtype: Rtype,
        text: &[u8],
        origin: NameRef<'_>,
        checks: &NameChecks,
        out: &mut Vec<u8>,
    ) -> Option<usize> {
        let start = out.len();
        let mut source = Source { text, at: 0, depth: 0, start, origin, checks, plain: self };
        let end = source.fields(fields(rtype), out);
        if end.is_none() || out.len() - start > MAX_TEXT_RDATA {
            out.truncate(start);
            return None;
        }
        end
    }
}

/// The data of one record in text.
struct Source<'a> {
    text: &'a [u8],
    at: usize,
    /// How many parentheses are open.
    depth: u32,
    /// Where in the output the data starts.
    start: usize,
    origin: NameRef<'a>,
    checks: &'a NameChecks,
    plain: &'a mut Plain,
}

impl<'a> Source<'a> {
    /// All fields, and nothing behind them.
    fn fields(&mut self, fields: &[Field], out: &mut Vec<u8>) -> Option<usize> {
        for &field in fields {
            self.gap()?;
            self.field(field, out)?;
        }
        self.is_over()?.then_some(self.at)
    }

    /// One field. The kinds that zones consist of; those that are not here make data that is not plain.
    fn field(&mut self, field: Field, out: &mut Vec<u8>) -> Option<()> {
        match field {
            Field::Name(usage) => self.name(usage.rule, out)?,
            Field::Ip4 => out.extend_from_slice(&self.ip4()?),
            Field::Ip6 => out.extend_from_slice(&self.ip6()?),
            Field::U8 | Field::Algorithm | Field::DigestType | Field::HashAlgorithm => {
                out.push(self.number(u8::MAX.into())? as u8);
            }
            Field::U16 | Field::KeyTag => out.extend_from_slice(&(self.number(u16::MAX.into())? as u16).to_be_bytes()),
            Field::U32 | Field::Ttl => out.extend_from_slice(&self.number(u32::MAX)?.to_be_bytes()),
            Field::Time => out.extend_from_slice(&self.time()?.to_be_bytes()),
            Field::Covered => out.extend_from_slice(&self.rtype()?.0.to_be_bytes()),
            Field::Strings => self.strings(out)?,
            Field::Tag => self.tag(out)?,
            Field::Text => self.string(out)?,
            Field::DsDigest => self.digest(out)?,
            Field::Base64 => self.base64(out)?,
            Field::Salt => self.no_salt(out)?,
            Field::Hash => self.hash(out)?,
            Field::Types | Field::SomeTypes => self.types(field == Field::SomeTypes, out)?,
            _ => return None,
        }
        Some(())
    }

    /// Goes over what may stand between fields.
    #[inline]
    fn gap(&mut self) -> Option<()> {
        loop {
            match *self.text.get(self.at)? {
                b' ' | b'\t' => {}
                b'\r' if self.depth > 0 || self.text.get(self.at + 1) == Some(&b'\n') => {}
                b'\n' if self.depth > 0 => self.at += self.indentation(),
                b'(' => self.depth += 1,
                b')' => self.depth = self.depth.checked_sub(1)?,
                b'\r' => return None,
                _ => return Some(()),
            }
            self.at += 1;
        }
    }

    /// How many blanks come behind the end of a line, as far as they are seen at once.
    #[inline]
    fn indentation(&self) -> usize {
        let Some(&word) = self.text.get(self.at + 1..).and_then(|rest| rest.first_chunk()) else { return 0 };
        let word = Eight::new(word);
        eight::first(eight::all_but(word.equal(b' ') | word.equal(b'\t')))
    }

    /// Whether no field is left.
    fn is_over(&mut self) -> Option<bool> {
        self.gap()?;
        Some(self.rest().first() == Some(&b'\n'))
    }

    fn rest(&self) -> &'a [u8] {
        self.text.get(self.at..).unwrap_or_default()
    }

    /// Goes behind so many bytes, if a field ends there.
    #[inline]
    fn end_field(&mut self, length: usize) -> Option<()> {
        let end = self.at + length;
        self.at = end;
        is_end(*self.text.get(end)?).then_some(())
    }

    /// A field of so many bytes.
    #[inline]
    fn field_of(&mut self, length: usize) -> Option<&'a [u8]> {
        let text = self.rest().get(..length)?;
        self.end_field(length)?;
        Some(text)
    }

    /// A field of letters and digits.
    fn word(&mut self) -> Option<&'a [u8]> {
        let length = self.rest().iter().position(|byte| !byte.is_ascii_alphanumeric())?;
        self.field_of(length).filter(|word| !word.is_empty())
    }

    #[inline]
    fn number(&mut self, max: u32) -> Option<u32> {
        let (mut value, mut length) = (0_u64, 0);
        for &byte in self.rest().iter().take(MAX_DIGITS) {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                break;
            }
            value = value * 10 + u64::from(digit);
            length += 1;
        }
        self.end_field(length)?;
        (length > 0 && value <= u64::from(max)).then_some(value as u32)
    }

    /// A name. Where a host is wanted one without a letter might be an address.
    fn name(&mut self, rule: NameRule, out: &mut Vec<u8>) -> Option<()> {
        let (name, labels_wanted) = (append_name(self.rest(), self.origin, out)?, out.get(self.start + LABELS_PLACE));
        let PlainName { length, is_host, has_letter, label_count, .. } = name;
        let is_right = match rule {
            NameRule::Any => true,
            NameRule::Signer => label_count.is_some_and(|count| labels_wanted.is_some_and(|&most| count <= most)),
            NameRule::ServiceHost | NameRule::Mailbox => false,
            NameRule::Host | NameRule::MailHost | NameRule::ReverseHost => {
                has_letter && (self.checks.names == Judgement::Ignore || is_host && self.is_origin_host(label_count))
            }
        };
        self.at += length;
        is_right.then_some(())
    }

    /// Whether the origin behind a relative name is a host's.
    fn is_origin_host(&self, label_count: Option<u8>) -> bool {
        label_count.is_some() || are_host_labels(self.origin.as_bytes())
    }

    fn ip4(&mut self) -> Option<[u8; 4]> {
        let mut octets = [0; 4];
        let mut at = 0;
        let text = self.rest();
        for (place, octet) in octets.iter_mut().enumerate() {
            if place > 0 {
                (*text.get(at)? == b'.').then_some(())?;
                at += 1;
            }
            let (value, digits) = small_number(text.get(at..)?)?;
            (*octet, at) = (value, at + digits);
        }
        self.end_field(at)?;
        Some(octets)
    }

    /// Groups of hexadecimal digits, with one hole at most.
    fn ip6(&mut self) -> Option<[u8; 16]> {
        let (mut groups, mut count, mut hole) = ([0_u16; 8], 0, None);
        if self.takes(b"::") {
            hole = Some(0);
        }
        loop {
            let Some(group) = self.hex_number() else { if hole == Some(count) { break } else { return None } };
            *groups.get_mut(count)? = group;
            count += 1;
            if !self.takes(b":") {
                break;
            }
            if self.takes(b":") && hole.replace(count).is_some() {
                return None;
            }
        }
        self.end_field(0)?;
        match hole {
            None => (count == groups.len()).then_some(())?,
            Some(hole) => {
                (count < groups.len()).then_some(())?;
                let empty = groups.len() - count;
                groups.get_mut(hole..)?.rotate_right(empty);
            }
        }
        let mut octets = [0; 16];
        octets.as_chunks_mut().0.iter_mut().zip(groups).for_each(|(pair, group)| *pair = group.to_be_bytes());
        Some(octets)
    }

    /// Goes over `text` if that comes next.
    fn takes(&mut self, text: &[u8]) -> bool {
        let is_next = self.rest().starts_with(text);
        self.at += if is_next { text.len() } else { 0 };
        is_next
    }

    /// Up to four hexadecimal digits.
    fn hex_number(&mut self) -> Option<u16> {
        let digit = |&byte: &u8| char::from(byte).to_digit(16);
        let digits = self.rest().iter().take(4).map_while(digit);
        let (value, length) = digits.fold((0, 0), |(value, length), digit| (value << 4 | digit, length + 1));
        self.at += length;
        (length > 0).then_some(value as u16)
    }

    /// A time as a date of fourteen digits.
    fn time(&mut self) -> Option<u32> {
        let text = self.rest().first_chunk::<16>().map(|bytes| u128::from_le_bytes(*bytes) & DATE_MASK)?;
        if let Some(&(_, value)) = self.plain.times.iter().find(|(known, _)| *known == text) {
            self.end_field(DATE_DIGITS)?;
            return Some(value);
        }
        let value = time::parse_date(self.field_of(DATE_DIGITS)?).ok()?;
        self.plain.times.rotate_right(1);
        self.plain.times[0] = (text, value);
        Some(value)
    }

    fn rtype(&mut self) -> Option<Rtype> {
        Rtype::from_text(self.word()?).ok()
    }

    /// Strings in quotes or without, at least one.
    fn strings(&mut self, out: &mut Vec<u8>) -> Option<()> {
        loop {
            let start = out.len();
            out.push(0);
            self.string(out)?;
            let length = u8::try_from(out.len() - start - 1).ok()?;
            *out.get_mut(start)? = length;
            if self.is_over()? {
                return Some(());
            }
        }
    }

    /// A string without its length.
    fn string(&mut self, out: &mut Vec<u8>) -> Option<()> {
        if self.takes(b"\"") {
            return self.quoted(out);
        }
        out.extend_from_slice(self.word()?);
        Some(())
    }

    /// The property of CAA.
    fn tag(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let tag = self.word()?;
        out.push(u8::try_from(tag.len()).ok()?);
        out.extend_from_slice(tag);
        Some(())
    }

    /// What stands up to the closing quote.
    fn quoted(&mut self, out: &mut Vec<u8>) -> Option<()> {
        for &word in self.rest().as_chunks::<8>().0 {
            let eight = Eight::new(word);
            let special = eight.equal(b'"') | eight.equal(b'\\') | eight.within(0, 0x1f);
            out.extend_from_slice(&word);
            if special != 0 {
                let length = eight::first(special);
                out.truncate(out.len() - word.len() + length);
                self.at += length;
                return self.takes(b"\"").then_some(());
            }
            self.at += word.len();
        }
        None
    }

    /// The digest of DS, of a type whose length is known.
    fn digest(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let length = check::ds_digest_length(*out.last()?)?;
        let digits = self.rest().get(..2 * length)?;
        let (groups, rest) = digits.as_chunks::<8>();
        for group in groups {
            out.extend_from_slice(&hex_group(group)?);
        }
        self.end_field(2 * length)?;
        rest.is_empty().then_some(())
    }

    /// Base64 to the end of the data, in fields of whole groups.
    fn base64(&mut self, out: &mut Vec<u8>) -> Option<()> {
        let start = out.len();
        loop {
            let (length, is_last) = base64_groups(self.rest(), out);
            self.end_field(length)?;
            let is_over = self.is_over()?;
            if is_over || is_last || length == 0 {
                return (is_over && out.len() > start).then_some(());
            }
        }
    }

    /// The salt that NSEC3 should have.
    fn no_salt(&mut self, out: &mut Vec<u8>) -> Option<()> {
        (self.field_of(1)? == b"-").then_some(())?;
        out.push(0);
        Some(())
    }

    /// A hash made with SHA-1.
    fn hash(&mut self, out: &mut Vec<u8>) -> Option<()> {
        (out.get(self.start) == Some(&SHA1)).then_some(())?;
        out.push(SHA1_BYTES);
        let text = self.field_of(HASH_DIGITS)?;
        for group in text.as_chunks::<8>().0 {
            out.extend_from_slice(&base32hex_group(group)?);
        }
        Some(())
    }

    /// The types that a name has, as long as they are below 512.
    fn types(&mut self, needs_one: bool, out: &mut Vec<u8>) -> Option<()> {
        let mut windows = [[0_u8; 32]; 2];
        let mut is_empty = true;
        while !self.is_over()? {
            let Rtype(number) = self.rtype()?;
            let byte = windows.get_mut(usize::from(number >> 8))?.get_mut(usize::from(number & 0xff) / 8)?;
            *byte |= 0x80 >> (number % 8);
            is_empty = false;
        }
        for (number, window) in windows.iter().enumerate() {
            if let Some(last) = window.iter().rposition(|&byte| byte != 0) {
                out.extend_from_slice(&[number as u8, last as u8 + 1]);
                out.extend_from_slice(window.get(..=last)?);
            }
        }
        (!is_empty || !needs_one).then_some(())
    }
}

/// Whether a field that needs no quotes ends in front of this byte.
#[inline]
fn is_end(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'(' | b')')
}

/// A number of one byte without leading zeros, and how many digits it has.
#[inline]
fn small_number(text: &[u8]) -> Option<(u8, usize)> {
    let mut value = 0_u16;
    let mut length = 0;
    for &byte in text.iter().take(3) {
        let digit = byte.wrapping_sub(b'0');
        if digit > 9 {
            break;
        }
        value = value * 10 + u16::from(digit);
        length += 1;
    }
    let is_padded = length > 1 && text.first() == Some(&b'0');
    (length > 0 && !is_padded).then_some(())?;
    Some((u8::try_from(value).ok()?, length))
}

/// More digits than any number here has, and few enough that none overflows.
const MAX_DIGITS: usize = 11;
/// `YYYYMMDDHHMMSS`.
const DATE_DIGITS: usize = 14;
const DATE_MASK: u128 = (1 << (8 * DATE_DIGITS)) - 1;
const NO_DATE: u128 = u128::MAX;
/// A hash in base32.
const HASH_DIGITS: usize = SHA1_BYTES as usize * 8 / 5;
/// Where the number of labels stands in signatures.
const LABELS_PLACE: usize = 3;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Name;
    use crate::dns::rdata::from_text_checked;
    use crate::dns::testing::Random;
    use crate::dns::text::{Token, Tokens};

    /// What the general reader makes of the same bytes: it is given the fields on one line.
    fn general(rtype: Rtype, text: &[u8], checks: &mut NameChecks) -> Option<Vec<u8>> {
        struct Fields<'a>(&'a [u8]);
        impl<'a> Tokens<'a> for Fields<'a> {
            fn next_token(&mut self) -> Option<Token<'a>> {
                let text = self.0.trim_ascii_start();
                let quoted = text.first() == Some(&b'"');
                let text = if quoted { &text[1..] } else { text };
                let is_end = |byte: &u8| if quoted { *byte == b'"' } else { b" \t\r\n\"".contains(byte) };
                let length = text.iter().position(is_end).or((!quoted).then_some(text.len()))?;
                let token = Token { text: &text[..length], quoted };
                self.0 = &text[length + usize::from(quoted)..];
                (quoted || length > 0).then_some(token)
            }
        }
        let mut out = Vec::new();
        let origin: Name = "ex.test.".parse().unwrap();
        let flat: Vec<u8> = text.iter().map(|byte| if b"()".contains(byte) { b' ' } else { *byte }).collect();
        from_text_checked(rtype, &mut Fields(&flat), origin.as_ref(), checks, &mut out).ok()?;
        checks.remarks.is_empty().then_some(out)
    }

    fn plain(reader: &mut Plain, rtype: Rtype, text: &[u8], checks: &NameChecks) -> Option<Vec<u8>> {
        let origin: Name = "ex.test.".parse().unwrap();
        let behind = [text, b"\n", &[b'x'; 80]].concat();
        let mut out = b"before".to_vec();
        let end = reader.read(rtype, &behind, origin.as_ref(), checks, &mut out);
        assert!(out.starts_with(b"before") && (end.is_some() || out.len() == 6));
        end.map(|end| {
            assert_eq!(end, text.len());
            out.split_off(6)
        })
    }

    fn strict() -> NameChecks {
        NameChecks { names: Judgement::Remark, addresses: Judgement::Remark, ..NameChecks::default() }
    }

    const TEXTS: [(Rtype, &str); 26] = [
        (Rtype::A, "192.0.2.1"),
        (Rtype::AAAA, "2001:db8::1"),
        (Rtype::AAAA, "::"),
        (Rtype::AAAA, "1:2:3:4:5:6:7:FFFF"),
        (Rtype::AAAA, "1:2:3:4:5:6:7::"),
        (Rtype::NS, "ns1.x-y.example."),
        (Rtype::NS, "ns1"),
        (Rtype::CNAME, "a.b "),
        (Rtype::PTR, "host-10-0-0-10.dyn.isp.example."),
        (Rtype::MX, "10 mx1.mail"),
        (Rtype::SRV, "10 60 5060 sip.x"),
        (Rtype::TXT, "\"v=spf1 -all, and some more\" \"\" plain"),
        (Rtype::TXT, "\"a\"\"b\""),
        (Rtype::DS, "35157 13 2 94C485264DBE8718E0DA38B011A735B7F5C3A18FFE78D12071469e5e365c326a"),
        (Rtype::DS, "1 8 1 ( 94C485264DBE8718E0DA38B011A735B7F5C3A18F )"),
        (
            Rtype::RRSIG,
            "NSEC 13 2 900 (\n 20400101000000 20240101000000 1310 nsec.example.\n\
             g6kux5barsehJYj4ADoRnELDlI5jUUWgAgqC\n 396rb+8PnfIq2w== )",
        ),
        (Rtype::RRSIG, "A 8 3 0 20400229235960 20240101000000 0 b.c.d. Zm9vYmE="),
        (Rtype::NSEC, "b.nsec.example. NS SOA RRSIG NSEC DNSKEY CAA"),
        (Rtype::NSEC3, "1 0 0 - 2t7B4g4vsa5smi47k61mv5bv1a22bojr A RRSIG"),
        (Rtype::NSEC3, "1 1 10 - 2t7B4g4vsa5smi47k61mv5bv1a22bojr"),
        (Rtype::NSEC3PARAM, "1 0 0 -"),
        (Rtype::DNAME, "c.example."),
        (Rtype(99), "\"x\""),
        (Rtype(18), "1 afs.x"),
        (Rtype(257), "0 issue \"ca.example; x=y\""),
        (Rtype(257), "128 iodef plain"),
    ];

    #[test]
    fn ordinary_data_is_plain() {
        let mut reader = Plain::default();
        for (rtype, text) in TEXTS {
            let expected = general(rtype, text.as_bytes(), &mut strict());
            assert!(expected.is_some(), "{rtype} {text}");
            for _ in 0..2 {
                assert_eq!(plain(&mut reader, rtype, text.as_bytes(), &strict()), expected, "{rtype} {text}");
            }
        }
    }

    #[test]
    fn what_is_unusual_or_wrong_is_left_to_the_general_reader() {
        let texts = [
            (Rtype::A, "192.0.2.01"),
            (Rtype::A, "192.0.2.256"),
            (Rtype::A, "192.0.2"),
            (Rtype::A, "192.0.2.1 x"),
            (Rtype::AAAA, "::192.0.2.1"),
            (Rtype::AAAA, "1::2::3"),
            (Rtype::AAAA, "1:2:3:4:5:6:7:8::"),
            (Rtype::AAAA, "1:2:3"),
            (Rtype::NS, "192.0.2.1"),
            (Rtype::NS, "a_b"),
            (Rtype::NS, "-a.b"),
            (Rtype::NS, "a.b-"),
            (Rtype::MX, "65536 a"),
            (Rtype::MX, "10"),
            (Rtype::TXT, "\"a\\\"b\""),
            (Rtype::TXT, ""),
            (Rtype::DS, "1 8 2 00"),
            (Rtype::DS, "1 8 9 00"),
            (Rtype::DS, "1 8 1 94C485264DBE8718E0DA38B011A735B7F5C3A18F00"),
            (Rtype::RRSIG, "A 8 1 0 20400229235960 20240101000000 0 b.c.d. Zm9vYmE="),
            (Rtype::RRSIG, "A 8 3 0 20400230235960 20240101000000 0 b.c.d. Zm9vYmE="),
            (Rtype::RRSIG, "A 8 3 0 20400229235960 20240101000000 0 b.c.d. Zm9vYmF="),
            (Rtype::RRSIG, "A 8 3 0 20400229235960 20240101000000 0 b.c.d."),
            (Rtype::NSEC, "b."),
            (Rtype::NSEC, "b. NOTYPE"),
            (Rtype::NS, "( a"),
            (Rtype::NS, "a )"),
            (Rtype::NS, "a ; comment"),
            (Rtype::A, "\\# 4 01020304"),
        ];
        for (rtype, text) in texts {
            assert_eq!(plain(&mut Plain::default(), rtype, text.as_bytes(), &strict()), None, "{rtype} {text}");
        }
    }

    #[test]
    fn what_is_plain_is_what_the_general_reader_makes_of_it() {
        let mut random = Random::new(0x706c_6169_6e00);
        let (mut reader, mut count) = (Plain::default(), 0);
        for round in 0..60_000 {
            let (rtype, text) = TEXTS[round % TEXTS.len()];
            let mut text = text.as_bytes().to_vec();
            // Parentheses within quotes are text, which the fields above do not know.
            let most = if text.contains(&b'"') { 13 } else { 15 };
            for _ in 0..=random.below(2) {
                let place = random.below(text.len());
                match random.below(3) {
                    0 => text[place] = b"0aZ9.-_:=+/ \t)("[random.below(most)],
                    1 => drop(text.remove(place)),
                    _ => text.insert(place, b"01fF.-: =A"[random.below(10)]),
                }
            }
            let checks = if round % 2 == 0 { strict() } else { NameChecks::default() };
            let Some(read) = plain(&mut reader, rtype, &text, &checks) else { continue };
            let checks = &mut NameChecks { names: checks.names, addresses: checks.addresses, ..NameChecks::default() };
            assert_eq!(Some(read), general(rtype, &text, checks), "{rtype} {}", String::from_utf8_lossy(&text));
            count += 1;
        }
        assert!(count > 10_000, "{count} were plain");
    }
}
