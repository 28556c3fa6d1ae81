//! Domain names in wire form, uncompressed, with the case that they came in.
//!
//! Three shapes of one thing: [`NameRef`] borrows checked bytes, [`Name`] owns and shares them, [`NameBuf`] owns them
//! in a fixed array for paths that must not allocate. All hold the invariant that the bytes are one well-formed name
//! of at most 255 bytes, root label included. Equality and hashing ignore ASCII case; the order is the canonical one
//! of RFC 4034 section 6.1.

pub(crate) mod plain;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::str::FromStr;
use std::sync::Arc;

use super::case;

/// The longest name, in wire bytes with the root label (RFC 1035 section 2.3.4).
pub const MAX_NAME: usize = 255;
/// The longest label.
pub const MAX_LABEL: usize = 63;
/// The most labels that fit into a name, the root label not counted.
pub const MAX_LABELS: usize = 127;

/// Why some bytes or text are not a domain name. Words as BIND has them.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum NameError {
    /// A label of more than 63 bytes.
    #[error("label too long")]
    LabelTooLong,
    /// More than 255 bytes in all.
    #[error("ran out of space")]
    NameTooLong,
    /// Two dots in a row, or a leading one.
    #[error("empty label")]
    EmptyLabel,
    /// A backslash that starts neither `\X` nor a `\DDD` up to 255.
    #[error("bad escape")]
    BadEscape,
    /// The text ends within an escape.
    #[error("unexpected end of input")]
    OpenEscape,
    /// A relative name with no origin to complete it.
    #[error("no origin")]
    NoOrigin,
    /// Wire bytes that end inside a label or hold a pointer or extended label type.
    #[error("bad label type")]
    BadWire,
}

/// A borrowed name.
#[derive(Clone, Copy)]
pub struct NameRef<'a>(&'a [u8]);

/// An owned name; its copies share the bytes, for a zone's name is kept in many places.
#[derive(Clone)]
pub struct Name(Arc<[u8]>);

/// An owned name in place: 256 bytes on the stack, no heap.
#[derive(Clone)]
pub struct NameBuf {
    bytes: [u8; MAX_NAME],
    len: u8,
}

impl<'a> NameRef<'a> {
    /// The root.
    pub const ROOT: NameRef<'static> = NameRef(&[0]);

    /// Takes the name at the start of `bytes`, which may go on behind it. No compression pointers.
    pub fn from_prefix(bytes: &'a [u8]) -> Result<Self, NameError> {
        let mut at = 0;
        loop {
            let length = usize::from(*bytes.get(at).ok_or(NameError::BadWire)?);
            if length > MAX_LABEL {
                return Err(NameError::BadWire);
            }
            at += 1 + length;
            if at > MAX_NAME {
                return Err(NameError::NameTooLong);
            }
            if length == 0 {
                return bytes.get(..at).map(NameRef).ok_or(NameError::BadWire);
            }
        }
    }

    /// Takes `bytes` as exactly one name.
    pub fn from_wire(bytes: &'a [u8]) -> Result<Self, NameError> {
        let name = Self::from_prefix(bytes)?;
        if name.0.len() == bytes.len() { Ok(name) } else { Err(NameError::BadWire) }
    }

    #[cfg(test)]
    pub(crate) const fn from_static(bytes: &'static [u8]) -> NameRef<'static> {
        NameRef(bytes)
    }

    /// Takes bytes that an earlier check has shown to be exactly one name.
    pub(crate) fn from_checked(bytes: &'a [u8]) -> Self {
        debug_assert!(Self::from_wire(bytes).is_ok());
        Self(bytes)
    }

    /// The wire bytes, root label included.
    pub fn as_bytes(self) -> &'a [u8] {
        self.0
    }

    /// Length of the wire form in bytes, 1 to 255.
    #[allow(clippy::len_without_is_empty)] // a name is never empty
    pub fn len(self) -> usize {
        self.0.len()
    }

    /// Whether this is the root.
    pub fn is_root(self) -> bool {
        self.0.len() == 1
    }

    /// Whether the first label is a lone asterisk (RFC 4592).
    pub fn is_wildcard(self) -> bool {
        self.0.starts_with(b"\x01*")
    }

    /// The wildcard right below this name; none if that were too long for a name.
    pub fn wildcard(self) -> Option<NameBuf> {
        NameBuf::join(b"\x01*", self).ok()
    }

    /// The labels from the first to the last, the root label left out.
    pub fn labels(self) -> Labels<'a> {
        Labels(self.0)
    }

    /// How many labels, the root label not counted.
    pub fn label_count(self) -> usize {
        self.labels().count()
    }

    /// The name without its first label; none for the root.
    pub fn parent(self) -> Option<Self> {
        let length = usize::from(*self.0.first()?);
        if length == 0 { None } else { self.0.get(1 + length..).map(NameRef) }
    }

    /// The name and then each of its parents down to the root.
    pub fn ancestors(self) -> impl Iterator<Item = Self> {
        std::iter::successors(Some(self), |name| name.parent())
    }

    /// Whether this name is `apex` or below it.
    pub fn is_at_or_below(self, apex: NameRef<'_>) -> bool {
        let Some(extra) = self.0.len().checked_sub(apex.0.len()) else { return false };
        if !self.0.get(extra..).is_some_and(|tail| case::is_same(tail, apex.0)) {
            return false;
        }
        // The tail matches as bytes; it must also start where a label starts.
        let mut at = 0;
        while at < extra {
            at += 1 + usize::from(self.0.get(at).copied().unwrap_or(0));
        }
        at == extra
    }

    /// An owned copy.
    pub fn to_name(self) -> Name {
        Name(self.0.into())
    }

    /// The bytes in lower case, in the caller's memory.
    pub fn folded(self, memory: &mut [u8; MAX_NAME]) -> &[u8] {
        let folded = &mut memory[..self.0.len()];
        folded.copy_from_slice(self.0);
        folded.make_ascii_lowercase();
        folded
    }
}

/// The labels of a name, first to last.
#[derive(Clone)]
pub struct Labels<'a>(&'a [u8]);

impl<'a> Iterator for Labels<'a> {
    type Item = &'a [u8];

    fn next(&mut self) -> Option<&'a [u8]> {
        let (&length, rest) = self.0.split_first()?;
        if length == 0 {
            return None;
        }
        let (label, rest) = rest.split_at_checked(usize::from(length))?;
        self.0 = rest;
        Some(label)
    }
}

impl Name {
    /// The root.
    pub fn root() -> Self {
        NameRef::ROOT.to_name()
    }

    /// A borrowed view.
    pub fn as_ref(&self) -> NameRef<'_> {
        NameRef(&self.0)
    }

    /// Reads text with RFC 1035 escapes; a name without a final dot is taken as absolute all the same, as named.conf
    /// and command lines do.
    pub fn from_text(text: &[u8]) -> Result<Self, NameError> {
        NameBuf::from_text(text, Some(NameRef::ROOT)).map(|name| name.as_ref().to_name())
    }
}

impl NameBuf {
    /// The root.
    pub const fn root() -> Self {
        Self { bytes: [0; MAX_NAME], len: 1 }
    }

    /// A name that has no bytes yet, to be filled by [`Self::push_label`].
    pub(super) const fn empty() -> Self {
        Self { bytes: [0; MAX_NAME], len: 0 }
    }

    /// Appends one label with its length byte; the root label ends the name.
    pub(super) fn push_label(&mut self, label: &[u8]) -> Result<(), NameError> {
        let start = usize::from(self.len);
        let end = start + label.len();
        self.bytes.get_mut(start..end).ok_or(NameError::NameTooLong)?.copy_from_slice(label);
        self.len = end as u8;
        Ok(())
    }

    /// A copy of bytes that are exactly one name; none if they are not.
    pub(super) fn from_plain(bytes: &[u8]) -> Option<Self> {
        NameRef::from_wire(bytes).ok().map(Self::from_name)
    }

    /// A borrowed view.
    pub fn as_ref(&self) -> NameRef<'_> {
        NameRef(&self.bytes[..usize::from(self.len)])
    }

    /// A copy of a borrowed name.
    pub fn from_name(name: NameRef<'_>) -> Self {
        let mut copy = Self::root();
        copy.bytes[..name.len()].copy_from_slice(name.0);
        copy.len = name.0.len() as u8;
        copy
    }

    /// The same name in the case of another: capital where that one has a capital letter at the same byte, small
    /// elsewhere.
    pub fn in_case_of(mut self, other: NameRef<'_>) -> Self {
        let mut others = other.as_bytes().iter();
        for byte in self.bytes.iter_mut().take(usize::from(self.len)) {
            let is_capital = others.next().is_some_and(u8::is_ascii_uppercase);
            *byte = if is_capital { byte.to_ascii_uppercase() } else { byte.to_ascii_lowercase() };
        }
        self
    }

    /// `prefix` labels (no root label at their end) in front of `suffix`: the owner of a record whose zone is known, or
    /// a wildcard's or DNAME's replacement.
    pub fn join(prefix: &[u8], suffix: NameRef<'_>) -> Result<Self, NameError> {
        let len = prefix.len() + suffix.len();
        let mut joined = Self::root();
        let (head, tail) = joined.bytes.get_mut(..len).ok_or(NameError::NameTooLong)?.split_at_mut(prefix.len());
        head.copy_from_slice(prefix);
        tail.copy_from_slice(suffix.0);
        joined.len = len as u8;
        debug_assert!(NameRef::from_wire(&joined.bytes[..len]).is_ok());
        Ok(joined)
    }

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
pub(super) fn append_text(text: &[u8], origin: NameRef<'_>, out: &mut Vec<u8>) -> Result<(), NameError> {
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

impl FromStr for Name {
    type Err = NameError;

    fn from_str(text: &str) -> Result<Self, NameError> {
        Self::from_text(text.as_bytes())
    }
}

impl PartialEq for NameRef<'_> {
    fn eq(&self, other: &Self) -> bool {
        // Length bytes are below 64, so folding them as if they were letters changes none of them.
        case::is_same(self.0, other.0)
    }
}
impl Eq for NameRef<'_> {}

impl Hash for NameRef<'_> {
    fn hash<H: Hasher>(&self, state: &mut H) {
        state.write(self.folded(&mut [0; MAX_NAME]));
    }
}

impl Ord for NameRef<'_> {
    fn cmp(&self, other: &Self) -> Ordering {
        let (mine, theirs) = (LabelStarts::of(*self), LabelStarts::of(*other));
        for depth in 1..=mine.count.min(theirs.count) {
            let order = compare_folded(mine.at_depth(depth), theirs.at_depth(depth));
            if order != Ordering::Equal {
                return order;
            }
        }
        mine.count.cmp(&theirs.count)
    }
}

impl PartialOrd for NameRef<'_> {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        Some(self.cmp(other))
    }
}

/// Where each label starts, so that labels can be walked from the last to the first.
struct LabelStarts<'a> {
    name: &'a [u8],
    starts: [u8; MAX_LABELS],
    count: usize,
}

impl<'a> LabelStarts<'a> {
    fn of(name: NameRef<'a>) -> Self {
        let mut found = Self { name: name.0, starts: [0; MAX_LABELS], count: 0 };
        let mut at = 0;
        for label in name.labels() {
            found.starts[found.count] = at as u8;
            found.count += 1;
            at += 1 + label.len();
        }
        found
    }

    /// The label `depth` places from the end, 1 being the last before the root.
    fn at_depth(&self, depth: usize) -> &'a [u8] {
        let start = usize::from(self.starts[self.count - depth]);
        let length = usize::from(self.name[start]);
        &self.name[start + 1..start + 1 + length]
    }
}

fn compare_folded(left: &[u8], right: &[u8]) -> Ordering {
    let fold = |bytes: &[u8]| bytes.iter().map(u8::to_ascii_lowercase).collect::<NoAlloc>();
    fold(left).as_slice().cmp(fold(right).as_slice())
}

/// A folded label on the stack.
struct NoAlloc {
    bytes: [u8; MAX_LABEL],
    len: usize,
}

impl NoAlloc {
    fn as_slice(&self) -> &[u8] {
        &self.bytes[..self.len]
    }
}

impl FromIterator<u8> for NoAlloc {
    fn from_iter<I: IntoIterator<Item = u8>>(bytes: I) -> Self {
        let mut label = Self { bytes: [0; MAX_LABEL], len: 0 };
        for (place, byte) in label.bytes.iter_mut().zip(bytes) {
            *place = byte;
            label.len += 1;
        }
        label
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

/// What the owned shapes have in common, all of it by way of [`NameRef`].
macro_rules! like_name_ref {
    ($owned:ty) => {
        impl PartialEq for $owned {
            fn eq(&self, other: &Self) -> bool {
                self.as_ref() == other.as_ref()
            }
        }
        impl Eq for $owned {}
        impl Hash for $owned {
            fn hash<H: Hasher>(&self, state: &mut H) {
                self.as_ref().hash(state);
            }
        }
        impl Ord for $owned {
            fn cmp(&self, other: &Self) -> Ordering {
                self.as_ref().cmp(&other.as_ref())
            }
        }
        impl PartialOrd for $owned {
            fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
                Some(self.cmp(other))
            }
        }
        impl fmt::Display for $owned {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.as_ref().fmt(f)
            }
        }
        impl fmt::Debug for $owned {
            fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
                self.as_ref().fmt(f)
            }
        }
    };
}
like_name_ref!(Name);
like_name_ref!(NameBuf);

#[cfg(test)]
mod tests {
    use super::*;

    fn name(text: &str) -> Name {
        text.parse().unwrap()
    }

    #[test]
    fn a_name_takes_the_case_of_another_byte_by_byte() {
        let buf = |text: &str| NameBuf::from_text(text.as_bytes(), None).unwrap();
        let cased = |text: &str| buf(text).in_case_of(buf("*.Cd.example.").as_ref()).as_ref().to_string();
        assert_eq!(
            (cased("B.cd.Example."), cased("aB.cd.Example.")),
            ("b.Cd.example.".into(), "ab.cd.example.".into())
        );
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

    #[test]
    fn at_or_below_respects_label_borders() {
        let below = |a: &str, b: &str| name(a).as_ref().is_at_or_below(name(b).as_ref());
        assert!(below("a.Example.", "example."));
        assert!(below("example.", "example."));
        assert!(below("example.", "."));
        assert!(!below("notexample.", "example."));
        assert!(!below("example.", "a.example."));
        // A label that ends in bytes which look like the apex.
        assert!(!below("x\\007example.", "example."));
    }

    #[test]
    fn the_order_is_canonical() {
        // RFC 4034 section 6.1.
        let sorted = [
            "example.",
            "a.example.",
            "yljkjljk.a.example.",
            "Z.a.example.",
            "zABC.a.EXAMPLE.",
            "z.example.",
            "\\001.z.example.",
            "*.z.example.",
            "\\200.z.example.",
        ];
        let mut shuffled: Vec<Name> = sorted.iter().rev().map(|text| name(text)).collect();
        shuffled.sort();
        assert_eq!(shuffled.iter().map(Name::to_string).collect::<Vec<_>>(), sorted);
    }

    #[test]
    fn wire_bytes_are_checked() {
        assert!(NameRef::from_wire(b"\x01a\x00").is_ok());
        assert_eq!(NameRef::from_wire(b"\x01a\x00x"), Err(NameError::BadWire));
        assert_eq!(NameRef::from_wire(b"\x01a"), Err(NameError::BadWire));
        assert_eq!(NameRef::from_wire(b"\xc0\x0c"), Err(NameError::BadWire));
        assert_eq!(NameRef::from_prefix(b"\x01a\x00rest").unwrap().len(), 3);
        assert_eq!(NameRef::from_wire(&[1, 1].repeat(128)), Err(NameError::NameTooLong));
    }
}
