//! A bounds-checked cursor over a message: the one place where bytes from the network become numbers and names.
//!
//! Every read either yields a value and moves on, or yields a [`WireError`] of one byte. Compression pointers (RFC 1035
//! section 4.1.4) are followed only backwards, each to a place before all earlier ones, so a name costs at most as many
//! steps as it has bytes.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::name::{MAX_LABEL, NameBuf, NameError};

/// What is wrong with some bytes. The texts are BIND's.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[repr(u8)]
pub enum WireError {
    /// The bytes end before the value does.
    #[error("unexpected end of input")]
    Truncated,
    /// A compression pointer that does not lead strictly backwards, or stands where none may.
    #[error("bad compression pointer")]
    BadPointer,
    /// A label type other than 00 and 11.
    #[error("bad label type")]
    BadLabel,
    /// A name of more than 255 bytes.
    #[error("name too long")]
    NameTooLong,
    /// Record data goes on behind its last field.
    #[error("extra input data")]
    ExtraData,
    /// A field whose value breaks the rules of its type.
    #[error("FORMERR")]
    BadField,
    /// An option of EDNS whose data break the rules of its number.
    #[error("malformed EDNS option")]
    BadOption,
}

impl From<NameError> for WireError {
    fn from(error: NameError) -> Self {
        match error {
            NameError::NameTooLong => Self::NameTooLong,
            _ => Self::BadLabel,
        }
    }
}

/// A cursor. Copying it keeps a place to come back to.
#[derive(Debug, Clone, Copy)]
pub struct Reader<'a> {
    message: &'a [u8],
    position: usize,
    end: usize,
}

impl<'a> Reader<'a> {
    /// Starts at the first byte of `message`.
    pub fn new(message: &'a [u8]) -> Self {
        Self { message, position: 0, end: message.len() }
    }

    /// The same bytes, read on from `position`.
    pub fn at(self, position: usize) -> Self {
        Self { position, ..self }
    }

    /// The same bytes from here up to `end`: the data of one record. Pointers may still lead before it.
    pub fn until(self, end: usize) -> Result<Self, WireError> {
        if end < self.position || end > self.end { Err(WireError::Truncated) } else { Ok(Self { end, ..self }) }
    }

    /// How many bytes into the message the next read starts.
    pub fn position(&self) -> usize {
        self.position
    }

    /// How many bytes are left.
    pub fn remaining(&self) -> usize {
        self.end.saturating_sub(self.position)
    }

    /// Whether all is read.
    pub fn is_at_end(&self) -> bool {
        self.remaining() == 0
    }

    /// The next `count` bytes.
    #[inline]
    pub fn take(&mut self, count: usize) -> Result<&'a [u8], WireError> {
        let bytes = self.ahead().get(..count).ok_or(WireError::Truncated)?;
        self.position = self.position.saturating_add(count);
        Ok(bytes)
    }

    /// The same, left where it is.
    #[inline]
    pub fn ahead(&self) -> &'a [u8] {
        self.message.get(self.position..self.end).unwrap_or_default()
    }

    /// All bytes that are left.
    pub fn rest(&mut self) -> &'a [u8] {
        self.take(self.remaining()).unwrap_or_default()
    }

    #[inline]
    pub(super) fn array<const N: usize>(&mut self) -> Result<[u8; N], WireError> {
        let bytes = self.ahead().first_chunk().copied().ok_or(WireError::Truncated)?;
        self.position = self.position.saturating_add(N);
        Ok(bytes)
    }

    /// One byte.
    pub fn u8(&mut self) -> Result<u8, WireError> {
        self.array::<1>().map(|[byte]| byte)
    }

    /// Two bytes.
    pub fn u16(&mut self) -> Result<u16, WireError> {
        self.array().map(u16::from_be_bytes)
    }

    /// Four bytes.
    pub fn u32(&mut self) -> Result<u32, WireError> {
        self.array().map(u32::from_be_bytes)
    }

    /// Six bytes: the time of TSIG.
    pub fn u48(&mut self) -> Result<u64, WireError> {
        let [a, b, c, d, e, f] = self.array()?;
        Ok(u64::from_be_bytes([0, 0, a, b, c, d, e, f]))
    }

    /// Bytes behind a one-byte length: a character string.
    pub fn short_bytes(&mut self) -> Result<&'a [u8], WireError> {
        let length = self.u8()?;
        self.take(usize::from(length))
    }

    /// Bytes behind a two-byte length.
    pub fn long_bytes(&mut self) -> Result<&'a [u8], WireError> {
        let length = self.u16()?;
        self.take(usize::from(length))
    }

    /// A name, decompressed.
    pub fn name(&mut self) -> Result<NameBuf, WireError> {
        let mut name = NameBuf::empty();
        let mut place = *self;
        let mut jumped = false;
        let mut floor = self.position;
        loop {
            let label_start = place;
            match place.label_length()? {
                Length::Pointer(target) => {
                    if !jumped {
                        *self = place;
                    }
                    if target >= floor {
                        return Err(WireError::BadPointer);
                    }
                    (jumped, floor) = (true, target);
                    // What a pointer leads to lies in front of this record's data, not within its bounds.
                    place = Self::new(self.message).at(target);
                }
                Length::Label(length) => {
                    let mut whole = label_start;
                    name.push_label(whole.take(length.saturating_add(1))?)?;
                    place = whole;
                    if length == 0 {
                        if !jumped {
                            *self = place;
                        }
                        return Ok(name);
                    }
                }
            }
        }
    }

    /// A name that must not be compressed.
    pub fn plain_name(&mut self) -> Result<NameBuf, WireError> {
        let start = *self;
        self.skip_name()?;
        match self.position.checked_sub(start.position) {
            Some(length) => NameBuf::from_plain(start.at(start.position).take(length)?).ok_or(WireError::BadPointer),
            None => Err(WireError::BadPointer),
        }
    }

    /// Moves behind a name without following where a pointer leads.
    pub fn skip_name(&mut self) -> Result<(), WireError> {
        loop {
            match self.label_length()? {
                Length::Label(0) | Length::Pointer(_) => return Ok(()),
                Length::Label(length) => self.take(length)?,
            };
        }
    }

    fn label_length(&mut self) -> Result<Length, WireError> {
        let first = self.u8()?;
        match first & 0xc0 {
            0x00 => Ok(Length::Label(usize::from(first) & MAX_LABEL)),
            0xc0 => Ok(Length::Pointer(usize::from(u16::from_be_bytes([first & 0x3f, self.u8()?])))),
            _ => Err(WireError::BadLabel),
        }
    }
}

/// What starts at a place within a name.
enum Length {
    Label(usize),
    Pointer(usize),
}

#[cfg(test)]
mod tests {
    use super::*;

    fn name_at(message: &[u8], position: usize) -> Result<(String, usize), WireError> {
        let mut reader = Reader::new(message).at(position);
        reader.name().map(|name| (name.to_string(), reader.position()))
    }

    #[test]
    fn numbers_are_big_endian_and_bounded() {
        let mut reader = Reader::new(&[1, 2, 3, 4, 5, 6, 7]);
        assert_eq!(reader.u8(), Ok(1));
        assert_eq!(reader.u16(), Ok(0x0203));
        assert_eq!(reader.u32(), Ok(0x0405_0607));
        assert_eq!(reader.u8(), Err(WireError::Truncated));
        assert_eq!(Reader::new(&[0, 0, 0, 1, 0, 0]).u48(), Ok(0x1_0000));
    }

    #[test]
    fn names_are_decompressed_and_the_cursor_stays_behind_the_first_pointer() {
        let message = b"\x07example\x03com\x00\x03www\xc0\x00rest";
        assert_eq!(name_at(message, 0), Ok(("example.com.".into(), 13)));
        assert_eq!(name_at(message, 13), Ok(("www.example.com.".into(), 19)));
    }

    #[test]
    fn a_record_data_bound_does_not_stop_pointers() {
        let message = b"\x01a\x00\x01b\xc0\x00tail";
        let mut reader = Reader::new(message).at(3).until(7).unwrap();
        assert_eq!(reader.name().unwrap().to_string(), "b.a.");
        assert!(reader.is_at_end());
        assert_eq!(reader.u8(), Err(WireError::Truncated));
    }

    #[test]
    fn pointers_that_do_not_lead_backwards_are_refused() {
        assert_eq!(name_at(b"\xc0\x00", 0), Err(WireError::BadPointer));
        assert_eq!(name_at(b"\x01a\xc0\x00", 0), Err(WireError::BadPointer));
        assert_eq!(name_at(b"\xc0\x02\xc0\x00", 2), Err(WireError::BadPointer));
        assert_eq!(name_at(b"\xc0\x04\x00\x00\x00", 0), Err(WireError::BadPointer));
    }

    #[test]
    fn cut_and_odd_names_are_refused() {
        assert_eq!(name_at(b"\x03ww", 0), Err(WireError::Truncated));
        assert_eq!(name_at(b"\xc0", 0), Err(WireError::Truncated));
        assert_eq!(name_at(b"\x41x", 0), Err(WireError::BadLabel));
        assert_eq!(name_at(b"\x80x", 0), Err(WireError::BadLabel));
        assert_eq!(name_at(&[1, 1].repeat(128), 0), Err(WireError::NameTooLong));
    }

    #[test]
    fn plain_names_take_no_pointers() {
        let message = b"\x01a\x00\x01b\xc0\x00";
        assert_eq!(Reader::new(message).plain_name().unwrap().to_string(), "a.");
        assert_eq!(Reader::new(message).at(3).plain_name(), Err(WireError::BadPointer));
    }
}
