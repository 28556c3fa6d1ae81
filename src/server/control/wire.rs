//! The encoding of the control protocol: tables of named values inside a length-prefixed frame.
//!
//! A frame is a 32-bit length, a 32-bit version (1) and the pairs of one table. A pair is a key with an 8-bit length,
//! an 8-bit type (string, binary, table, list) and a value with a 32-bit length; numbers travel as decimal text.
//! The first pair is `_auth` and its MAC covers every byte behind it, so decoding keeps that range. BIND semantics 8.1
//! to 8.6; there is no RFC.
#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

/// The longest frame that a server takes, without its length field.
pub const MAX_REQUEST_BYTES: usize = 32 * 1024;
/// The longest frame that a client takes: `showzone` and `status` of many zones may be long.
pub const MAX_REPLY_BYTES: usize = 16 * 1024 * 1024;
/// The only version there is.
pub const VERSION: u32 = 1;
/// How deep tables and lists may nest.
const MAX_DEPTH: usize = 8;
/// How many values one message may hold in all.
const MAX_VALUES: usize = 1024;

const TYPE_STRING: u8 = 0;
const TYPE_BINARY: u8 = 1;
const TYPE_TABLE: u8 = 2;
const TYPE_LIST: u8 = 3;

/// Why bytes are not a control message.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FrameError {
    /// A length that reaches behind the end, or bytes left over.
    #[error("unexpected end of input")]
    Truncated,
    /// Not version 1.
    #[error("unknown version")]
    Version,
    /// A type byte that is none, or a first pair that is not `_auth`.
    #[error("syntax error")]
    Syntax,
    /// Nested too deeply, or too many values.
    #[error("too complex")]
    TooComplex,
    /// Longer than this side takes.
    #[error("message too long")]
    TooLong,
}

/// A value of a table or list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Text, number or bytes. The string type is read as this and never written, as in BIND.
    Scalar(Vec<u8>),
    /// A nested table.
    Table(Table),
    /// A list of values.
    List(Vec<Self>),
}

/// Named values in the order in which they were given.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Table(Vec<(Vec<u8>, Value)>);

impl Table {
    /// The value of a key.
    pub fn find(&self, key: &str) -> Option<&Value> {
        self.0.iter().find(|(name, _)| name == key.as_bytes()).map(|(_, value)| value)
    }

    /// The table of a key.
    pub fn table(&self, key: &str) -> Option<&Self> {
        match self.find(key)? {
            Value::Table(table) => Some(table),
            _ => None,
        }
    }

    /// The bytes of a key.
    pub fn bytes(&self, key: &str) -> Option<&[u8]> {
        match self.find(key)? {
            Value::Scalar(bytes) => Some(bytes),
            _ => None,
        }
    }

    /// The text of a key. Bytes that are not UTF-8 are replaced.
    pub fn text(&self, key: &str) -> Option<String> {
        self.bytes(key).map(|bytes| String::from_utf8_lossy(bytes).into_owned())
    }

    /// The number of a key.
    pub fn number(&self, key: &str) -> Option<u32> {
        std::str::from_utf8(self.bytes(key)?).ok()?.parse().ok()
    }

    /// The table with one more scalar.
    #[must_use]
    pub fn with(self, key: &str, value: impl Into<Vec<u8>>) -> Self {
        self.with_value(key, Value::Scalar(value.into()))
    }

    /// The table with one more number.
    #[must_use]
    pub fn with_number(self, key: &str, value: u32) -> Self {
        self.with(key, value.to_string())
    }

    /// The table with one more table.
    #[must_use]
    pub fn with_table(self, key: &str, value: Self) -> Self {
        self.with_value(key, Value::Table(value))
    }

    fn with_value(mut self, key: &str, value: Value) -> Self {
        self.0.push((key.as_bytes().to_vec(), value));
        self
    }

    /// Appends the pairs.
    pub fn encode(&self, out: &mut Vec<u8>) {
        for (key, value) in &self.0 {
            let key = key.get(..usize::from(u8::MAX)).unwrap_or(key);
            out.push(u8::try_from(key.len()).unwrap_or(u8::MAX));
            out.extend_from_slice(key);
            value.encode(out);
        }
    }
}

impl Value {
    fn encode(&self, out: &mut Vec<u8>) {
        let mut inner = Vec::new();
        let (kind, body) = match self {
            Self::Scalar(bytes) => (TYPE_BINARY, bytes),
            Self::Table(table) => {
                table.encode(&mut inner);
                (TYPE_TABLE, &inner)
            }
            Self::List(values) => {
                values.iter().for_each(|value| value.encode(&mut inner));
                (TYPE_LIST, &inner)
            }
        };
        out.push(kind);
        out.extend_from_slice(&u32::try_from(body.len()).unwrap_or(u32::MAX).to_be_bytes());
        out.extend_from_slice(body);
    }
}

/// A decoded message, its signature not yet looked at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Unverified<'a> {
    /// The `_auth` table.
    pub auth: Table,
    /// What the MAC covers.
    pub signed: &'a [u8],
    /// Everything behind `_auth`.
    pub body: Table,
}

/// Decodes a frame, its length field already gone.
pub fn decode(frame: &[u8]) -> Result<Unverified<'_>, FrameError> {
    let mut reader = Reader { rest: frame, values: 0 };
    if reader.u32()? != VERSION {
        return Err(FrameError::Version);
    }
    let (key, value) = reader.pair(0)?;
    let (b"_auth", Value::Table(auth)) = (key.as_slice(), value) else { return Err(FrameError::Syntax) };
    let signed = reader.rest;
    Ok(Unverified { auth, signed, body: reader.table(0)? })
}

/// A frame with its length field around a version, an `_auth` table and bytes that it signs.
pub fn frame(auth: Table, signed: &[u8]) -> Vec<u8> {
    let mut inner = VERSION.to_be_bytes().to_vec();
    Table::default().with_table("_auth", auth).encode(&mut inner);
    inner.extend_from_slice(signed);
    let mut out = u32::try_from(inner.len()).unwrap_or(u32::MAX).to_be_bytes().to_vec();
    out.append(&mut inner);
    out
}

struct Reader<'a> {
    rest: &'a [u8],
    values: usize,
}

impl<'a> Reader<'a> {
    fn take(&mut self, count: usize) -> Result<&'a [u8], FrameError> {
        let (taken, rest) = self.rest.split_at_checked(count).ok_or(FrameError::Truncated)?;
        self.rest = rest;
        Ok(taken)
    }

    fn u8(&mut self) -> Result<u8, FrameError> {
        self.take(1)?.first().copied().ok_or(FrameError::Truncated)
    }

    fn u32(&mut self) -> Result<u32, FrameError> {
        let bytes = self.take(4)?.try_into().map_err(|_| FrameError::Truncated)?;
        Ok(u32::from_be_bytes(bytes))
    }

    fn pair(&mut self, depth: usize) -> Result<(Vec<u8>, Value), FrameError> {
        let length = usize::from(self.u8()?);
        let key = self.take(length)?.to_vec();
        Ok((key, self.value(depth)?))
    }

    fn value(&mut self, depth: usize) -> Result<Value, FrameError> {
        self.values = self.values.saturating_add(1);
        if depth > MAX_DEPTH || self.values > MAX_VALUES {
            return Err(FrameError::TooComplex);
        }
        let kind = self.u8()?;
        let length = usize::try_from(self.u32()?).map_err(|_| FrameError::Truncated)?;
        let body = self.take(length)?;
        let mut inner = Self { rest: body, values: self.values };
        let value = match kind {
            TYPE_STRING | TYPE_BINARY => Value::Scalar(body.to_vec()),
            TYPE_TABLE => Value::Table(inner.table(depth.saturating_add(1))?),
            TYPE_LIST => Value::List(inner.list(depth.saturating_add(1))?),
            _ => return Err(FrameError::Syntax),
        };
        self.values = inner.values;
        Ok(value)
    }

    fn table(&mut self, depth: usize) -> Result<Table, FrameError> {
        let mut table = Table::default();
        while !self.rest.is_empty() {
            table.0.push(self.pair(depth)?);
        }
        Ok(table)
    }

    fn list(&mut self, depth: usize) -> Result<Vec<Value>, FrameError> {
        let mut list = Vec::new();
        while !self.rest.is_empty() {
            list.push(self.value(depth)?);
        }
        Ok(list)
    }
}

#[cfg(test)]
#[allow(clippy::indexing_slicing, clippy::arithmetic_side_effects)]
mod tests {
    use super::*;

    fn sample() -> Vec<u8> {
        let mut signed = Vec::new();
        Table::default()
            .with_table("_ctrl", Table::default().with_number("_ser", 7))
            .with_table("_data", Table::default().with("type", "null"))
            .encode(&mut signed);
        frame(Table::default().with("hmd5", "x"), &signed)
    }

    #[test]
    fn a_message_survives_encoding_and_decoding() {
        let bytes = sample();
        let message = decode(&bytes[4..]).unwrap();
        assert_eq!(message.auth.text("hmd5").unwrap(), "x");
        assert_eq!(message.body.table("_ctrl").unwrap().number("_ser"), Some(7));
        assert_eq!(message.body.table("_data").unwrap().text("type").unwrap(), "null");
        assert!(message.signed.starts_with(b"\x05_ctrl\x02"));
    }

    #[test]
    fn malformed_frames_are_told_apart() {
        assert_eq!(decode(b""), Err(FrameError::Truncated));
        assert_eq!(decode(b"\0\0\0\x02"), Err(FrameError::Version));
        assert_eq!(decode(b"\0\0\0\x01\x01a\x01\0\0\0\0"), Err(FrameError::Syntax));
        assert_eq!(decode(b"\0\0\0\x01\x05_auth\x01\0\0\0\0"), Err(FrameError::Syntax));
        assert_eq!(decode(b"\0\0\0\x01\x05_auth\x02\0\0\0\0\x01a\x09\0\0\0\0"), Err(FrameError::Syntax));
        assert_eq!(decode(b"\0\0\0\x01\x05_auth\x02\xff\xff\xff\xff"), Err(FrameError::Truncated));
    }

    #[test]
    fn nesting_has_a_limit() {
        let mut table = Table::default();
        for _ in 0..MAX_DEPTH + 2 {
            table = Table::default().with_table("t", table);
        }
        let mut signed = Vec::new();
        table.encode(&mut signed);
        assert_eq!(decode(&frame(Table::default(), &signed)[4..]), Err(FrameError::TooComplex));
    }

    #[test]
    fn no_mutation_panics_or_reads_past_the_end() {
        let bytes = sample();
        for at in 0..bytes.len() - 4 {
            assert!(decode(&bytes[4..4 + at]).is_err() || at > 18);
            for flip in [0x01, 0x80, 0xff] {
                let mut mutated = bytes[4..].to_vec();
                mutated[at] ^= flip;
                if let Ok(message) = decode(&mutated) {
                    assert!(message.signed.len() < mutated.len());
                }
            }
        }
    }
}
