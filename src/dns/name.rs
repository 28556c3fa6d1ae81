//! Domain names in wire form, uncompressed, with the case that they came in.
//!
//! Three shapes of one thing: [`NameRef`] borrows checked bytes, [`Name`] owns and shares them, [`NameBuf`] owns them
//! in a fixed array for paths that must not allocate. All hold the invariant that the bytes are one well-formed name
//! of at most 255 bytes, root label included. Equality and hashing ignore ASCII case; the order is the canonical one
//! of RFC 4034 section 6.1.

mod order;
pub(crate) mod plain;
mod text;

use std::cmp::Ordering;
use std::fmt;
use std::hash::{Hash, Hasher};
use std::sync::Arc;

pub(super) use text::append_text;
pub use text::{NoDot, unescape, write_label};

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

    /// Whether NSEC3 records may have this owner: its first label is base32 with the hex alphabet, in whole bytes.
    pub fn starts_with_hash(self) -> bool {
        let encoding = data_encoding::BASE32_DNSSEC;
        let Some(label) = self.labels().next() else { return true };
        let mut hash = [0; MAX_LABEL];
        let hash = encoding.decode_len(label.len()).ok().and_then(|length| hash.get_mut(..length));
        hash.is_some_and(|hash| encoding.decode_mut(label, hash).is_ok())
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
    fn wire_bytes_are_checked() {
        assert!(NameRef::from_wire(b"\x01a\x00").is_ok());
        assert_eq!(NameRef::from_wire(b"\x01a\x00x"), Err(NameError::BadWire));
        assert_eq!(NameRef::from_wire(b"\x01a"), Err(NameError::BadWire));
        assert_eq!(NameRef::from_wire(b"\xc0\x0c"), Err(NameError::BadWire));
        assert_eq!(NameRef::from_prefix(b"\x01a\x00rest").unwrap().len(), 3);
        assert_eq!(NameRef::from_wire(&[1, 1].repeat(128)), Err(NameError::NameTooLong));
    }
}
