//! Names as text: read with the escapes of RFC 1035, written as BIND writes them.

use std::fmt;
use std::str::FromStr;

use super::{MAX_LABEL, MAX_NAME, Name, NameBuf, NameError, NameRef};

impl Name {
    /// Reads text with RFC 1035 escapes; a name without a final dot is taken as absolute all the same, as named.conf
    /// and command lines do.
    pub fn from_text(text: &[u8]) -> Result<Self, NameError> {
        NameBuf::from_text(text, Some(NameRef::ROOT)).map(|name| name.as_ref().to_name())
    }
}

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::from_text(text.as_bytes())
    }
}

impl NameBuf {
    /// Reads master-file text: `\X` and `\DDD` escapes, `@` for the origin, a relative name completed by `origin`.
    pub fn from_text(text: &[u8], origin: Option<NameRef<'_>>) -> Result<Self, NameError> {
        match text {
            b"@" => return origin.map(Self::from_name).ok_or(NameError::NoOrigin),
            b"." => return Ok(Self::root()),
            _ => {}
        }
        let (body, suffix) = parts(text, origin)?;
        let mut name = Self::root();
        let (head, len) = (body.len() + 1, body.len() + 1 + suffix.len());
        // With escapes the text is longer than the name.
        let Some(labels) = name.bytes.get_mut(1..head) else { return Self::from_escaped_text(text, origin) };
        labels.copy_from_slice(body);
        if !cut_labels(&mut name.bytes[..head])? {
            return Self::from_escaped_text(text, origin);
        }
        name.bytes.get_mut(head..len).ok_or(NameError::NameTooLong)?.copy_from_slice(suffix.0);
        name.len = len as u8;
        Ok(name)
    }

    fn from_escaped_text(text: &[u8], origin: Option<NameRef<'_>>) -> Result<Self, NameError> {
        let mut writer = TextReader { name: Self::root(), start: 0, end: 1 };
        let mut rest = text;
        while let Some((&byte, tail)) = rest.split_first() {
            rest = tail;
            match byte {
                b'.' => writer.finish_label()?,
                b'\\' => {
                    let (value, tail) = unescape(rest)?;
                    rest = tail;
                    writer.push(value)?;
                }
                _ => writer.push(byte)?,
            }
        }
        if writer.end > writer.start + 1 {
            writer.finish_label()?;
            return writer.complete(origin.ok_or(NameError::NoOrigin)?);
        }
        writer.complete(NameRef::ROOT)
    }
}

/// Reads a name as [`NameBuf::from_text`] does, straight into `out`: the path of zone loading.
pub(in crate::dns) fn append_text(text: &[u8], origin: NameRef<'_>, out: &mut Vec<u8>) -> Result<(), NameError> {
    match text {
        b"@" => out.extend_from_slice(origin.0),
        b"." => out.push(0),
        _ => {
            let (body, suffix) = parts(text, Some(origin))?;
            let start = out.len();
            out.push(0);
            out.extend_from_slice(body);
            if !cut_labels(&mut out[start..])? {
                out.truncate(start);
                out.extend_from_slice(NameBuf::from_escaped_text(text, Some(origin))?.as_ref().0);
            } else if body.len() + 1 + suffix.len() > MAX_NAME {
                return Err(NameError::NameTooLong);
            } else {
                out.extend_from_slice(suffix.0);
            }
        }
    }
    Ok(())
}

/// The labels of text, still with dots, and the name to put behind them, which holds only if there are no escapes.
fn parts<'t>(text: &'t [u8], origin: Option<NameRef<'t>>) -> Result<(&'t [u8], NameRef<'t>), NameError> {
    match text.strip_suffix(b".") {
        Some(body) => Ok((body, NameRef::ROOT)),
        None => Ok((text, origin.ok_or(NameError::NoOrigin)?)),
    }
}

/// Makes wire form of a name's text in place: `name` has a free byte and then the text, whose dots become the lengths.
/// False, with the name half made, if there is a backslash. Eight bytes at a time, for zones consist of names.
#[inline]
fn cut_labels(name: &mut [u8]) -> Result<bool, NameError> {
    let (mut start, mut at, end) = (0, 1, name.len());
    while let Some(word) = name.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let word = u64::from_le_bytes(*word);
        if bytes_equal(word, b'\\') != 0 {
            return Ok(false);
        }
        let mut dots = bytes_equal(word, b'.');
        while dots != 0 {
            let place = at + (dots.trailing_zeros() / 8) as usize;
            start = close_label(name, start, place)?;
            dots &= dots - 1;
        }
        at += 8;
    }
    for place in at..end {
        match name[place] {
            b'.' => start = close_label(name, start, place)?,
            b'\\' => return Ok(false),
            _ => {}
        }
    }
    close_label(name, start, end)?;
    Ok(true)
}

/// Writes the length of the label between two places of dots, and gives the second.
#[inline]
fn close_label(name: &mut [u8], start: usize, place: usize) -> Result<usize, NameError> {
    match place - start - 1 {
        0 => Err(NameError::EmptyLabel),
        length @ 1..=MAX_LABEL => {
            name[start] = length as u8;
            Ok(place)
        }
        _ => Err(NameError::LabelTooLong),
    }
}

/// The high bit of each byte of `word` that is `byte`, exactly.
#[inline]
fn bytes_equal(word: u64, byte: u8) -> u64 {
    const ONES: u64 = 0x0101_0101_0101_0101;
    const LOW: u64 = ONES * 0x7f;
    let difference = word ^ (ONES * u64::from(byte));
    !(((difference & LOW) + LOW) | difference | LOW)
}

/// Builds a name label by label: `start` is the place of the open label's length byte, `end` the next free byte.
struct TextReader {
    name: NameBuf,
    start: usize,
    end: usize,
}

impl TextReader {
    fn push(&mut self, byte: u8) -> Result<(), NameError> {
        if self.end - self.start > MAX_LABEL {
            return Err(NameError::LabelTooLong);
        }
        *self.name.bytes.get_mut(self.end).ok_or(NameError::NameTooLong)? = byte;
        self.end += 1;
        Ok(())
    }

    fn finish_label(&mut self) -> Result<(), NameError> {
        let length = self.end - self.start - 1;
        if length == 0 {
            return Err(NameError::EmptyLabel);
        }
        self.name.bytes[self.start] = length as u8;
        self.start = self.end;
        self.end += 1;
        if self.start >= MAX_NAME { Err(NameError::NameTooLong) } else { Ok(()) }
    }

    fn complete(mut self, origin: NameRef<'_>) -> Result<NameBuf, NameError> {
        let len = self.start + origin.len();
        self.name.bytes.get_mut(self.start..len).ok_or(NameError::NameTooLong)?.copy_from_slice(origin.0);
        self.name.len = len as u8;
        Ok(self.name)
    }
}

/// The byte that an escape stands for (`text` starts behind the backslash) and the text behind the escape.
pub fn unescape(text: &[u8]) -> Result<(u8, &[u8]), NameError> {
    match text {
        [hundreds @ b'0'..=b'9', rest @ ..] => {
            let [tens @ b'0'..=b'9', ones @ b'0'..=b'9', rest @ ..] = rest else {
                let is_cut = rest.len() < 2 && rest.iter().all(u8::is_ascii_digit);
                return Err(if is_cut { NameError::OpenEscape } else { NameError::BadEscape });
            };
            let value = u16::from(hundreds - b'0') * 100 + u16::from(tens - b'0') * 10 + u16::from(ones - b'0');
            let value = u8::try_from(value).map_err(|_| NameError::BadEscape)?;
            Ok((value, rest))
        }
        [byte, rest @ ..] => Ok((*byte, rest)),
        [] => Err(NameError::OpenEscape),
    }
}

impl fmt::Display for NameRef<'_> {
    /// Absolute text with a final dot, escaped as BIND escapes it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.is_root() {
            return f.write_str(".");
        }
        for label in self.labels() {
            write_label(f, label)?;
            f.write_str(".")?;
        }
        Ok(())
    }
}

/// One label's text, without a dot: specials get a backslash, bytes that do not print become `\DDD`.
pub fn write_label(out: &mut impl fmt::Write, label: &[u8]) -> fmt::Result {
    for &byte in label {
        match byte {
            b'"' | b'(' | b')' | b'.' | b';' | b'\\' | b'@' | b'$' => write!(out, "\\{}", byte as char)?,
            0x21..=0x7e => out.write_char(byte as char)?,
            _ => write!(out, "\\{byte:03}")?,
        }
    }
    Ok(())
}

/// A name without its final dot, as BIND prints zones in log lines; the root stays ".".
pub struct NoDot<'a>(pub NameRef<'a>);

impl fmt::Display for NoDot<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if self.0.is_root() {
            return f.write_str(".");
        }
        for (place, label) in self.0.labels().enumerate() {
            if place > 0 {
                f.write_str(".")?;
            }
            write_label(f, label)?;
        }
        Ok(())
    }
}

impl fmt::Debug for NameRef<'_> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::name::MAX_LABELS;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn text_round_trips_with_escapes_and_case() {
        for text in ["example.com.", ".", "a\\.b.Example.", "\\000\\255.x.", "*.a.", "\\@.\\$x."] {
            assert_eq!(name(text).to_string(), text);
        }
        assert_eq!(name("example.com").to_string(), "example.com.");
        assert_eq!(NoDot(name("example.com.").as_ref()).to_string(), "example.com");
    }

    #[test]
    fn relative_names_are_completed_by_the_origin() {
        let origin = name("example.com.");
        let read = |text: &str| NameBuf::from_text(text.as_bytes(), Some(origin.as_ref()));
        assert_eq!(read("www").unwrap().to_string(), "www.example.com.");
        assert_eq!(read("@").unwrap().to_string(), "example.com.");
        assert_eq!(read("www.").unwrap().to_string(), "www.");
        assert_eq!(read("a\\.").unwrap().to_string(), "a\\..example.com.");
        assert_eq!(NameBuf::from_text(b"www", None), Err(NameError::NoOrigin));
    }

    #[test]
    fn faults_in_text_are_named() {
        let fault = |text: &str| Name::from_text(text.as_bytes()).unwrap_err();
        assert_eq!(fault("a..b"), NameError::EmptyLabel);
        assert_eq!(fault(".a"), NameError::EmptyLabel);
        assert_eq!(fault(""), NameError::EmptyLabel);
        assert_eq!(fault("\\256"), NameError::BadEscape);
        assert_eq!(fault("\\1x"), NameError::BadEscape);
        assert_eq!((fault("\\1"), fault("a\\25")), (NameError::OpenEscape, NameError::OpenEscape));
        assert_eq!(fault(&"a".repeat(64)), NameError::LabelTooLong);
        assert_eq!(fault(&"abcdefg.".repeat(32)), NameError::NameTooLong);
    }

    #[test]
    fn names_are_appended_as_they_are_read() {
        let origin = name("example.com.");
        let texts = ["www", "@", ".", "a.b.", "a\\.b.c", "", "..", "a..b", ".a", "a.", "\\256", "*"];
        let long = ["a".repeat(64), "a".repeat(63), "abcdefg.".repeat(32), "abcdefg.".repeat(31), "a.".repeat(125)];
        for text in texts.iter().copied().chain(long.iter().map(String::as_str)) {
            let mut appended = Vec::new();
            let result = append_text(text.as_bytes(), origin.as_ref(), &mut appended);
            match NameBuf::from_text(text.as_bytes(), Some(origin.as_ref())) {
                Ok(read) => assert_eq!((result, appended.as_slice()), (Ok(()), read.as_ref().as_bytes()), "{text}"),
                Err(error) => assert_eq!(result, Err(error), "{text}"),
            }
        }
    }

    #[test]
    fn the_longest_names_fit() {
        let longest = format!("{}{}.", "abcdefg.".repeat(31), "abcde");
        assert_eq!(name(&longest).as_ref().len(), MAX_NAME);
        assert_eq!(name(&"a.".repeat(127)).as_ref().label_count(), MAX_LABELS);
        assert_eq!(Name::from_text("a.".repeat(128).as_bytes()), Err(NameError::NameTooLong));
        assert_eq!(name(&"a".repeat(63)).as_ref().len(), 65);
    }
}
