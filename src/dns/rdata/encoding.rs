//! Base64, base32 and hexadecimal as record data uses them: decoded straight into the output from any number of fields,
//! without a copy in between.

use super::Fault;

/// Collects the bits of characters that each stand for `width` bits, and gives out whole bytes.
struct Bits<'o> {
    out: &'o mut Vec<u8>,
    pending: u32,
    count: u32,
}

impl<'o> Bits<'o> {
    fn new(out: &'o mut Vec<u8>) -> Self {
        Self { out, pending: 0, count: 0 }
    }

    fn push(&mut self, value: u8, width: u32) {
        self.pending = self.pending << width | u32::from(value);
        self.count += width;
        if self.count >= 8 {
            self.count -= 8;
            self.out.push((self.pending >> self.count) as u8);
        }
    }

    /// The bits that do not make up a byte.
    fn left_over(&self) -> u32 {
        self.pending & ((1 << self.count) - 1)
    }
}

/// Decodes base64 (RFC 4648 section 4) that may be spread over several fields.
pub(super) struct Base64<'o> {
    bits: Bits<'o>,
    characters: usize,
    padding: usize,
    /// Whether a character has come behind padding.
    is_mixed: bool,
}

impl<'o> Base64<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>) -> Self {
        Self { bits: Bits::new(out), characters: 0, padding: 0, is_mixed: false }
    }

    pub(super) fn push(&mut self, text: &[u8]) -> Result<(), Fault> {
        for &byte in self.push_groups(text) {
            let value = SIXBIT.get(usize::from(byte)).copied().unwrap_or(NONE);
            if self.is_whole() || (value == NONE && byte != b'=') {
                return Err(Fault::BadBase64);
            }
            self.push_one(value);
            if self.is_whole() && !self.is_padded_well() {
                return Err(Fault::BadBase64);
            }
        }
        Ok(())
    }

    /// Takes one character, which is padding if it has no value.
    fn push_one(&mut self, value: u8) {
        if value == NONE {
            self.padding += 1;
            return;
        }
        self.is_mixed |= self.padding > 0;
        self.characters += 1;
        self.bits.push(value, 6);
    }

    /// Whether a last group, of which padding is a part, loses no bits.
    fn is_padded_well(&self) -> bool {
        !self.is_mixed && self.padding < 3 && self.bits.left_over() == 0
    }

    /// Takes whole groups of four characters, as far as there are any; the rest is given back.
    fn push_groups<'t>(&mut self, text: &'t [u8]) -> &'t [u8] {
        if self.bits.count > 0 || self.padding > 0 {
            return text;
        }
        let (groups, _) = text.as_chunks::<4>();
        let mut taken = 0;
        for group in groups {
            let values = group.map(|byte| SIXBIT.get(usize::from(byte)).copied().unwrap_or(NONE));
            if values.contains(&NONE) {
                break;
            }
            let [_, bytes @ ..] = values.iter().fold(0, |word, &value| word << 6 | u32::from(value)).to_be_bytes();
            self.bits.out.extend_from_slice(&bytes);
            taken += group.len();
        }
        self.characters += taken;
        text.get(taken..).unwrap_or_default()
    }

    /// Whether nothing was pushed.
    pub(super) fn is_empty(&self) -> bool {
        self.characters + self.padding == 0
    }

    /// Where the bytes end that have been decoded so far.
    pub(super) fn end(&self) -> usize {
        self.bits.out.len()
    }

    /// Whether padding has come to its end, behind which nothing more belongs to it.
    pub(super) fn is_whole(&self) -> bool {
        self.padding > 0 && (self.characters + self.padding).is_multiple_of(4)
    }

    /// That the groups of four are whole.
    pub(super) fn finish(self) -> Result<(), Fault> {
        if (self.characters + self.padding).is_multiple_of(4) { Ok(()) } else { Err(Fault::BadBase64) }
    }
}

/// No character of the alphabet.
const NONE: u8 = 0xff;

/// The value of each character in base64.
static SIXBIT: [u8; 256] = values(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/", false);
/// The same in base32 with the hex alphabet, and in hexadecimal, in either case.
static FIVEBIT: [u8; 256] = values(b"0123456789ABCDEFGHIJKLMNOPQRSTUV", true);
static FOURBIT: [u8; 256] = values(b"0123456789ABCDEF", true);

const fn values(alphabet: &[u8], is_folded: bool) -> [u8; 256] {
    let mut table = [NONE; 256];
    let mut value = 0;
    while value < alphabet.len() {
        table[alphabet[value] as usize] = value as u8;
        if is_folded {
            table[alphabet[value].to_ascii_lowercase() as usize] = value as u8;
        }
        value += 1;
    }
    table
}

/// The values of characters, `width` bits each, as one number; none if there is another character among them.
#[inline]
fn number<const N: usize>(text: [u8; N], width: u32, table: &[u8; 256]) -> Option<u64> {
    let values = text.map(|byte| table[usize::from(byte)]);
    let all = values.iter().fold(0, |all, &value| all | value);
    (all < 1 << width).then(|| values.iter().fold(0, |number, &value| number << width | u64::from(value)))
}

/// The bytes that eight hexadecimal digits stand for.
#[inline]
pub(super) fn hex_group(text: &[u8; 8]) -> Option<[u8; 4]> {
    number(*text, 4, &FOURBIT).map(|number| (number as u32).to_be_bytes())
}

/// The bytes that eight characters of base32 stand for.
#[inline]
pub(super) fn base32hex_group(text: &[u8; 8]) -> Option<[u8; 5]> {
    let [_, _, _, bytes @ ..] = number(*text, 5, &FIVEBIT)?.to_be_bytes();
    Some(bytes)
}

/// Decodes the whole groups of base64 that `text` starts with. Says how many characters they have, and whether there
/// was padding at their end, which must not hide any bits.
#[inline]
pub(super) fn base64_groups(text: &[u8], out: &mut Vec<u8>) -> (usize, bool) {
    let mut taken = 0;
    loop {
        let (bytes, count) = base64_line(text.get(taken..).unwrap_or_default());
        out.extend_from_slice(bytes.get(..count * 6).unwrap_or_default());
        taken += count * 8;
        if count < LINE_PAIRS {
            break;
        }
    }
    let Some(&group) = text.get(taken..).and_then(|rest| rest.first_chunk::<4>()) else { return (taken, false) };
    if let Some(number) = number(group, 6, &SIXBIT) {
        let [_, bytes @ ..] = (number as u32).to_be_bytes();
        out.extend_from_slice(&bytes);
        taken += group.len();
    }
    match text.get(taken..).and_then(|rest| rest.first_chunk::<4>()).and_then(padded_group) {
        Some((bytes, count)) => {
            out.extend(bytes.into_iter().take(count));
            (taken + 4, true)
        }
        None => (taken, false),
    }
}

/// Decodes pairs of groups, and says how many.
#[inline]
fn base64_line(text: &[u8]) -> ([u8; LINE_PAIRS * 6 + 2], usize) {
    let mut bytes = [0; LINE_PAIRS * 6 + 2];
    let pairs = text.as_chunks::<8>().0.iter().take(LINE_PAIRS);
    let mut count = 0;
    for (pair, at) in pairs.zip((0..).step_by(6)) {
        let &[a, b, c, d, e, f, g, h] = pair;
        let (left, right) = (base64_group([a, b, c, d]), base64_group([e, f, g, h]));
        let Some(place) = bytes.get_mut(at..at + 8).filter(|_| left | right < NO_GROUP) else { break };
        place.copy_from_slice(&(u64::from(left) << 40 | u64::from(right) << 16).to_be_bytes());
        count += 1;
    }
    (bytes, count)
}

/// The 24 bits of a group, or [`NO_GROUP`] and more.
#[inline]
fn base64_group(group: [u8; 4]) -> u32 {
    let values = group.into_iter().zip(&SHIFTED).map(|(byte, table)| table[usize::from(byte)]);
    values.fold(0, |bits, value| bits | value)
}

/// How many pairs of groups of base64 are decoded together.
const LINE_PAIRS: usize = 8;
/// In place of the bits of a group that has another character.
const NO_GROUP: u32 = 1 << 24;

/// The values of characters in base64 at each of the four places of a group.
static SHIFTED: [[u32; 256]; 4] = [shifted(18), shifted(12), shifted(6), shifted(0)];

const fn shifted(bits: u32) -> [u32; 256] {
    let mut table = [NO_GROUP; 256];
    let mut byte = 0;
    while byte < table.len() {
        if SIXBIT[byte] != NONE {
            table[byte] = (SIXBIT[byte] as u32) << bits;
        }
        byte += 1;
    }
    table
}

/// The bytes of a group with padding, and how many they are.
fn padded_group(&group: &[u8; 4]) -> Option<([u8; 3], usize)> {
    let (characters, count) = match group {
        [a, b, b'=', b'='] => ([a, b, b'A', b'A'], 1),
        [a, b, c, b'='] => ([a, b, c, b'A'], 2),
        _ => return None,
    };
    let [_, bytes @ ..] = (number(characters, 6, &SIXBIT)? as u32).to_be_bytes();
    bytes.iter().skip(count).all(|&byte| byte == 0).then_some((bytes, count))
}

/// Decodes hexadecimal that may be spread over several fields, with a byte's digits apart even.
pub(super) struct Hex<'o> {
    bits: Bits<'o>,
    digits: usize,
}

impl<'o> Hex<'o> {
    pub(super) fn new(out: &'o mut Vec<u8>) -> Self {
        Self { bits: Bits::new(out), digits: 0 }
    }

    pub(super) fn push(&mut self, text: &[u8]) -> Result<(), Fault> {
        for &byte in text {
            let value = char::from(byte).to_digit(16).ok_or(Fault::BadHex)?;
            self.digits += 1;
            self.bits.push(value as u8, 4);
        }
        Ok(())
    }

    /// How many digits were read.
    pub(super) fn digits(&self) -> usize {
        self.digits
    }

    /// How many bytes were read; an odd digit is a fault.
    pub(super) fn finish(self) -> Result<usize, Fault> {
        if self.digits.is_multiple_of(2) { Ok(self.digits / 2) } else { Err(Fault::BadHex) }
    }
}

/// Decodes base32 with the hex alphabet and no padding, as NSEC3 has it (RFC 5155 section 3.3).
pub(super) fn base32hex(text: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
    let mut bits = Bits::new(out);
    for &byte in text {
        let value = char::from(byte).to_digit(32).ok_or(Fault::BadBase32)?;
        bits.push(value as u8, 5);
    }
    // More than four bits left over would be a character that adds nothing.
    if bits.count > 4 || bits.left_over() != 0 { Err(Fault::BadBase32) } else { Ok(()) }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn base64(parts: &[&str]) -> Result<Vec<u8>, Fault> {
        let mut out = Vec::new();
        let mut decoder = Base64::new(&mut out);
        parts.iter().try_for_each(|part| decoder.push(part.as_bytes()))?;
        decoder.finish()?;
        Ok(out)
    }

    #[test]
    fn base64_may_be_split_anywhere() {
        for (text, bytes) in [("", ""), ("Zg==", "f"), ("Zm8=", "fo"), ("Zm9v", "foo"), ("Zm9vYmFy", "foobar")] {
            for cut in 0..=text.len() {
                let (left, right) = text.split_at(cut);
                assert_eq!(base64(&[left, right]), Ok(bytes.into()), "{text} {cut}");
            }
        }
    }

    #[test]
    fn wrong_padding_shows_in_the_part_that_ends_its_group() {
        let taken = |parts: &[&str]| {
            let mut out = Vec::new();
            let mut decoder = Base64::new(&mut out);
            parts.iter().take_while(|part| decoder.push(part.as_bytes()).is_ok()).count()
        };
        for parts in [["AQPS", "x", "AQ=="], ["AQPS", "xxx", "=="], ["A=", "A", "A"], ["AR", "=", "="]] {
            assert_eq!(taken(&parts), 2, "{parts:?}");
        }
        assert_eq!((taken(&["AQ=", "=", "A"]), taken(&["A", "==="])), (2, 1));
    }

    #[test]
    fn groups_decode_as_one_character_after_the_other_does() {
        let alphabet = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
        let text: String = (0..200).map(|place| char::from(alphabet[place * 29 % 64])).collect();
        for length in 0..text.len() / 4 {
            for end in ["", "QQ==", "QUI=", "QR==", "Q!==", " "] {
                let text = format!("{}{end}", &text[..4 * length]);
                let mut out = Vec::new();
                let (taken, is_last) = base64_groups(text.as_bytes(), &mut out);
                assert_eq!(Ok(out), base64(&[&text[..taken]]), "{text}");
                let is_padded = matches!(end, "QQ==" | "QUI=");
                assert_eq!((taken, is_last), (4 * length + if is_padded { 4 } else { 0 }, is_padded), "{text}");
            }
        }
    }

    #[test]
    fn broken_base64_is_refused() {
        for text in ["Z", "Zg", "Zg=", "Zg===", "Zh==", "Zm9", "Z=g=", "Zm9v=", "Zm 9v", "Zm9!"] {
            assert_eq!(base64(&[text]), Err(Fault::BadBase64), "{text}");
        }
    }

    #[test]
    fn hex_and_base32_are_read_in_either_case() {
        let mut out = Vec::new();
        let mut hex = Hex::new(&mut out);
        assert_eq!((hex.push(b"a"), hex.push(b"Bc"), hex.push(b"g")), (Ok(()), Ok(()), Err(Fault::BadHex)));
        assert_eq!(hex.finish(), Err(Fault::BadHex));
        let mut out = Vec::new();
        assert_eq!(base32hex(b"Vvvvvvvv00000000", &mut out), Ok(()));
        assert_eq!(out, [0xff, 0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0, 0]);
        assert_eq!(base32hex(b"W", &mut out), Err(Fault::BadBase32));
        assert_eq!(base32hex(b"v", &mut out), Err(Fault::BadBase32));
    }
}
