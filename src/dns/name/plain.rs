//! Names as nearly all are written: up to 63 letters, digits, hyphens, underscores and dots, and nothing that would
//! have to be resolved. They are found, taken apart and judged eight bytes at a time: zones consist of names.

use super::{MAX_NAME, NameBuf, NameRef};
use crate::dns::eight::{self, Eight};
use crate::dns::host;

/// A name that has been read.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct PlainName {
    /// How many bytes of text it was.
    pub(crate) length: usize,
    /// Whether its labels could be those of a host, if the origin's could.
    pub(crate) is_host: bool,
    /// Whether there is a letter in it.
    pub(crate) has_letter: bool,
    /// Whether there is a capital letter in it.
    pub(crate) has_capital: bool,
    /// How many labels it has, if it is absolute.
    pub(crate) label_count: Option<u8>,
}

/// Reads the name that `text` starts with, up to a blank or the like, and appends it to `out` in wire form, a relative
/// one with `origin` behind it. None if it is not so simple, or is no name; `out` is in disorder then.
#[inline]
pub(crate) fn append_name(text: &[u8], origin: NameRef<'_>, out: &mut Vec<u8>) -> Option<PlainName> {
    let start = out.len();
    let text = text.first_chunk()?;
    out.push(0);
    out.extend_from_slice(text);
    let name = cut(text, out.get_mut(start..)?)?;
    out.truncate(start + 1 + name.length);
    if name.label_count.is_none() {
        (name.length + 1 + origin.len() <= MAX_NAME).then_some(())?;
        out.extend_from_slice(origin.as_bytes());
    }
    Some(name)
}

impl NameBuf {
    /// Makes this the name that `text` starts with, as [`append_name`] reads it. None leaves no sensible name.
    #[inline]
    pub(crate) fn set_plain(&mut self, text: &[u8], origin: NameRef<'_>) -> Option<PlainName> {
        let text = text.first_chunk::<MAX_TEXT>()?;
        self.bytes.get_mut(1..=MAX_TEXT)?.copy_from_slice(text);
        let name = cut(text, &mut self.bytes)?;
        let mut end = name.length + 1;
        if name.label_count.is_none() {
            let suffix = self.bytes.get_mut(end..end + origin.len())?;
            suffix.copy_from_slice(origin.as_bytes());
            end += origin.len();
        }
        self.len = end as u8;
        Some(name)
    }
}

/// Makes wire form of the name that `text` starts with: `wire` is a free byte and then the text.
#[inline]
fn cut(text: &[u8; MAX_TEXT], wire: &mut [u8]) -> Option<PlainName> {
    let mut labels = Labels { wire, start: 0, closed: 0 };
    let (mut letters, mut capitals, mut before_first, mut is_odd) = (0, 0, HIGH_BIT, false);
    for (&word, at) in text.as_chunks::<8>().0.iter().zip((0..).step_by(8)) {
        let kinds = Kinds::of(Eight::new(word));
        let separated = kinds.separators << 8 | before_first;
        before_first = kinds.separators >> 56;
        is_odd |= (kinds.separators & separated) | kinds.underscores != 0;
        letters |= kinds.letters;
        capitals |= kinds.capitals;
        labels.close_all(kinds.dots, at + 1)?;
        if kinds.ends != 0 {
            let length = at + eight::first(kinds.ends);
            is_odd |= text.get(length.wrapping_sub(1)) == Some(&b'-');
            let is_absolute = labels.finish(length)?;
            let label_count = is_absolute.then_some(labels.closed);
            let is_host = !is_odd || are_hosts(labels.wire, length);
            return is_end(*text.get(length)?).then_some(PlainName {
                length,
                is_host,
                has_letter: letters != 0,
                has_capital: capitals != 0,
                label_count,
            });
        }
    }
    None
}

/// Whether the labels in so many bytes could be those of a host: two hyphens in a row may be.
#[cold]
fn are_hosts(wire: &[u8], length: usize) -> bool {
    wire.get(..=length).is_some_and(host::are_host_labels)
}

/// What the bytes of a word of text are; masks as those of [`Eight`].
struct Kinds {
    dots: u64,
    /// Dots and hyphens.
    separators: u64,
    letters: u64,
    capitals: u64,
    underscores: u64,
    /// None of these, and no digit.
    ends: u64,
}

impl Kinds {
    #[inline]
    fn of(word: Eight) -> Self {
        let (from_hyphen, from_0, beyond_9) = (word.at_least(b'-'), word.at_least(b'0'), word.at_least(b'9' + 1));
        // A hyphen, a dot or a slash, which two bits tell apart.
        let (marks, has_bit_0) = (from_hyphen & !from_0, word.with_bit(0));
        let slashes = marks & has_bit_0 & word.with_bit(1);
        let letters = word.lower().at_least(b'a') & !word.lower().at_least(b'z' + 1);
        // In lower case nothing else comes to this but the last byte of ASCII, which has the bit itself.
        let underscores = word.lower().at_least(b'_' | 0x20) & !word.with_bit(5);
        let ends = eight::all_but(word.ascii((from_hyphen & !beyond_9 & !slashes) | letters | underscores));
        let before = if ends == 0 { u64::MAX } else { eight::before(ends) };
        let masked = |mask: u64| word.ascii(mask) & before;
        Self {
            dots: masked(marks & !has_bit_0),
            separators: masked(marks),
            letters: masked(letters),
            capitals: masked(letters & !word.with_bit(5)),
            underscores: masked(underscores),
            ends,
        }
    }
}

/// The labels of a name so far.
struct Labels<'o> {
    /// The name: a free byte, and then its text.
    wire: &'o mut [u8],
    /// Where the length of the open label goes.
    start: usize,
    closed: u8,
}

impl Labels<'_> {
    /// Puts lengths in the place of the dots in a word of the name.
    #[inline]
    fn close_all(&mut self, mut dots: u64, at: usize) -> Option<()> {
        while dots != 0 {
            self.close(at + eight::first(dots))?;
            dots &= dots - 1;
        }
        Some(())
    }

    /// Writes the length of the label that ends at `end`.
    #[inline]
    fn close(&mut self, end: usize) -> Option<()> {
        let length = end - self.start - 1;
        *self.wire.get_mut(self.start)? = length as u8;
        self.start = end;
        self.closed += 1;
        (length > 0).then_some(())
    }

    /// Ends the name behind so many bytes of text. Says whether it is absolute: then the last dot is the root's label.
    #[inline]
    fn finish(&mut self, length: usize) -> Option<bool> {
        let is_absolute = self.closed > 0 && self.start == length;
        if is_absolute {
            *self.wire.get_mut(length)? = 0;
        } else {
            self.close(length + 1)?;
        }
        Some(is_absolute)
    }
}

/// Whether a field that needs no quotes ends in front of this byte.
#[inline]
fn is_end(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\n' | b'\r' | b'(' | b')')
}

/// Behind a word of which the last byte is a separator, and in front of a name.
const HIGH_BIT: u64 = 0x80;
/// Names of longer text are not plain: no label of a shorter one is too long.
const MAX_TEXT: usize = 64;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::Name;
    use crate::dns::testing::Random;

    fn read(text: &str) -> Option<(PlainName, Vec<u8>)> {
        let origin: Name = "Ex.test.".parse().unwrap();
        let mut out = b"before".to_vec();
        let text = format!("{text} {}", "~".repeat(64));
        let read = append_name(text.as_bytes(), origin.as_ref(), &mut out)?;
        assert!(out.starts_with(b"before"));
        let wire = out.split_off(6);
        let mut name = NameBuf::root();
        assert_eq!(name.set_plain(text.as_bytes(), origin.as_ref()), Some(read));
        assert_eq!(name.as_ref().as_bytes(), wire);
        Some((read, wire))
    }

    #[test]
    fn what_is_read_is_what_the_general_reader_reads() {
        let mut random = Random::new(0x6e61_6d65);
        let origin: Name = "Ex.test.".parse().unwrap();
        let mut count = 0;
        for _ in 0..20_000 {
            let length = random.below(70);
            let kinds = 8 + random.below(4);
            let text: String = (0..length).map(|_| char::from(b"aB3.-9z._\\*@"[random.below(kinds)])).collect();
            let Some((name, wire)) = read(&text) else { continue };
            let expected = NameBuf::from_text(text.as_bytes(), Some(origin.as_ref())).unwrap();
            assert_eq!(expected.as_ref().as_bytes(), wire, "{text}");
            assert_eq!(name.length, text.len());
            assert_eq!(name.is_host, host::are_host_labels(&wire), "{text}");
            assert_eq!(name.has_letter, text.bytes().any(|byte| byte.is_ascii_alphabetic()), "{text}");
            let is_absolute = text.ends_with('.');
            assert_eq!(name.label_count, is_absolute.then(|| expected.as_ref().label_count() as u8), "{text}");
            count += 1;
        }
        assert!(count > 1000, "{count} names were plain");
    }

    #[test]
    fn ordinary_names_are_plain() {
        for text in ["a", "ns1.example.com.", "_dmarc.xn--x.x-1", &"a".repeat(63), &format!("{}.b", "a".repeat(61))] {
            assert!(read(text).is_some(), "{text}");
        }
        for text in ["", ".", "..", "a..b", ".a", "@", "*", "a\\.b", "a\"", &"a".repeat(64)] {
            assert!(read(text).is_none(), "{text}");
        }
        assert_eq!(read("b.").unwrap().1, b"\x01b\0");
    }
}
