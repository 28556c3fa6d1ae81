//! The fields of one record in text, with one of look-ahead, the last one kept for the error, and the readers of plain
//! values. On the path of zone loading: nothing here allocates.

use super::{Fault, RdataError};
use crate::dns::NameRef;
use crate::dns::name::append_text;
use crate::dns::text::{Token, Tokens};

/// Reads fields. `start` is where in the output the record's data starts.
pub(super) struct Cursor<'t, 'o, T, Tok> {
    tokens: &'t mut T,
    origin: NameRef<'o>,
    ahead: Option<Tok>,
    last: Option<Tok>,
    start: usize,
}

impl<'a, 't, 'o, T: Tokens<'a>> Cursor<'t, 'o, T, Token<'a>> {
    pub(super) fn new(tokens: &'t mut T, origin: NameRef<'o>, start: usize) -> Self {
        Self { tokens, origin, ahead: None, last: None, start }
    }

    /// Where in the output the record's data starts.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// The next field, if there is one.
    pub(super) fn optional(&mut self) -> Option<Token<'a>> {
        self.last = self.ahead.take().or_else(|| self.tokens.next_token());
        self.last
    }

    /// The next field.
    pub(super) fn token(&mut self) -> Result<Token<'a>, Fault> {
        self.optional().ok_or(Fault::UnexpectedEnd)
    }

    /// The text of the next field.
    pub(super) fn text(&mut self) -> Result<&'a [u8], Fault> {
        self.token().map(|token| token.text)
    }

    /// The next field, which stays the next one.
    pub(super) fn peek(&mut self) -> Option<Token<'a>> {
        if self.ahead.is_none() {
            self.ahead = self.tokens.next_token();
        }
        self.ahead
    }

    /// That no field is left.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        if self.optional().is_some() { Err(Fault::ExtraText) } else { Ok(()) }
    }

    /// The next field as a number up to `max`.
    pub(super) fn number(&mut self, max: u32) -> Result<u32, Fault> {
        number(self.text()?, max)
    }

    /// The next field as a number of one byte.
    pub(super) fn u8(&mut self) -> Result<u8, Fault> {
        self.number(u32::from(u8::MAX)).map(|value| value as u8)
    }

    /// The next field as a number of two bytes.
    pub(super) fn u16(&mut self) -> Result<u16, Fault> {
        self.number(u32::from(u16::MAX)).map(|value| value as u16)
    }

    /// The next field as a domain name.
    pub(super) fn name(&mut self, out: &mut Vec<u8>) -> Result<(), Fault> {
        Ok(append_text(self.text()?, self.origin, out)?)
    }

    /// The fault with the field that was read last.
    pub(super) fn error(&self, fault: Fault) -> RdataError {
        let near = self.last.map(|token| String::from_utf8_lossy(token.text).into_owned().into_boxed_str());
        RdataError { near, fault }
    }
}

/// Decimal digits as a number up to `max`.
pub(super) fn number(text: &[u8], max: u32) -> Result<u32, Fault> {
    if text.is_empty() || !text.iter().all(u8::is_ascii_digit) {
        return Err(Fault::NotNumber);
    }
    let value = text.iter().try_fold(0_u32, |value, digit| {
        value.checked_mul(10).and_then(|tens| tens.checked_add(u32::from(digit - b'0')))
    });
    value.filter(|&value| value <= max).ok_or(Fault::OutOfRange)
}
