//! The fields of one record in text, with one of look-ahead, the last one kept for the error, and the readers of plain
//! values. On the path of zone loading: nothing here allocates.

use super::{Fault, NameChecks, NameRule, Near, RdataError};
use crate::dns::NameRef;
use crate::dns::name::append_text;
use crate::dns::text::{Token, Tokens};

/// Reads fields. `start` is where in the output the record's data starts.
pub(super) struct Cursor<'t, 'o, T, Tok> {
    tokens: &'t mut T,
    origin: NameRef<'o>,
    /// What [`Self::peek`] has shown: a field, or the end.
    ahead: Option<Option<Tok>>,
    last: Option<Tok>,
    start: usize,
    checks: Option<&'t mut NameChecks>,
    has_ended: bool,
    /// Whether the fault is the start of quotes that do not end.
    is_at_quotes: bool,
}

impl<'a, 't, 'o, T: Tokens<'a>> Cursor<'t, 'o, T, Token<'a>> {
    pub(super) fn new(tokens: &'t mut T, origin: NameRef<'o>, start: usize) -> Self {
        Self { tokens, origin, ahead: None, last: None, start, checks: None, has_ended: false, is_at_quotes: false }
    }

    /// The same for names that are judged.
    pub(super) fn with_checks(self, checks: &'t mut NameChecks) -> Self {
        Self { checks: Some(checks), ..self }
    }

    /// Where in the output the record's data starts.
    pub(super) fn start(&self) -> usize {
        self.start
    }

    /// The next field, if there is one.
    pub(super) fn optional(&mut self) -> Option<Token<'a>> {
        self.last = self.ahead.take().unwrap_or_else(|| self.read());
        self.last
    }

    /// Reads a field. Once the record has ended, nothing is read any more: messages name the line of the last field.
    #[inline]
    fn read(&mut self) -> Option<Token<'a>> {
        if self.has_ended {
            return None;
        }
        let token = self.tokens.next_token();
        if token.is_none() {
            let tokens = &self.tokens;
            self.has_ended = !(tokens.is_at_null() || tokens.has_open_quotes() || tokens.has_lone_parenthesis());
        }
        token
    }

    /// The next field, in quotes or not, if there is one.
    pub(super) fn optional_token(&mut self) -> Result<Option<Token<'a>>, Fault> {
        match self.optional() {
            Some(token) => Ok(Some(token)),
            None if self.tokens.is_at_null() => {
                self.is_at_quotes = true;
                Err(Fault::UnexpectedToken)
            }
            None if self.tokens.has_open_quotes() => Err(self.broken(Fault::OpenQuotes)),
            None if self.tokens.has_lone_parenthesis() => Err(self.broken(Fault::LoneParenthesis)),
            None => Ok(None),
        }
    }

    /// A fault in the text itself, which BIND reports at the field behind it.
    #[cold]
    fn broken(&mut self, fault: Fault) -> Fault {
        self.tokens.leave_fault();
        self.pass_over();
        fault
    }

    /// Whether the text itself is wrong where the record's data should begin.
    pub(super) fn begins_broken(&self) -> bool {
        self.ahead.flatten().is_none() && self.tokens.has_lone_parenthesis()
    }

    /// The next field, in quotes or not.
    pub(super) fn token(&mut self) -> Result<Token<'a>, Fault> {
        self.optional_token()?.ok_or(Fault::UnexpectedEnd)
    }

    /// The text of the next field, which must not be in quotes.
    #[inline]
    pub(super) fn text(&mut self) -> Result<&'a [u8], Fault> {
        self.optional_text()?.ok_or(Fault::UnexpectedEnd)
    }

    /// The same, if there is a field.
    #[inline]
    pub(super) fn optional_text(&mut self) -> Result<Option<&'a [u8]>, Fault> {
        match self.optional() {
            Some(Token { text, quoted: false }) => Ok(Some(text)),
            Some(_) => Err(Fault::UnexpectedToken),
            None if self.meets_quotes() => Err(Fault::UnexpectedToken),
            None if self.tokens.has_lone_parenthesis() => Err(self.broken(Fault::LoneParenthesis)),
            None => Ok(None),
        }
    }

    /// Whether the fields end at quotes that do not end, where none may be, or at a null byte.
    #[cold]
    pub(super) fn meets_quotes(&mut self) -> bool {
        self.is_at_quotes = self.tokens.has_open_quotes() || self.tokens.is_at_null();
        self.is_at_quotes
    }

    /// What is wrong where the data should begin, and is neither a field nor its end.
    pub(super) fn fault_at_start(&self) -> Fault {
        if self.tokens.is_at_null() { Fault::NullAtStart } else { Fault::OpenAtStart }
    }

    /// The text of the next field, in quotes or not.
    pub(super) fn string(&mut self) -> Result<&'a [u8], Fault> {
        self.token().map(|token| token.text)
    }

    /// The next field, which stays the next one.
    pub(super) fn peek(&mut self) -> Option<Token<'a>> {
        if self.ahead.is_none() {
            self.ahead = Some(self.read());
        }
        self.ahead.flatten()
    }

    /// Leaves the field that was read last, so that a fault in it is reported at the next.
    #[cold]
    pub(super) fn pass_over(&mut self) {
        self.optional();
    }

    /// The same under a condition.
    pub(super) fn pass_over_if(&mut self, is_so: bool) {
        if is_so {
            self.pass_over();
        }
    }

    /// The field that was read last.
    pub(super) fn last(&self) -> Option<Token<'a>> {
        self.last
    }

    /// Makes `token` the field that was read last.
    pub(super) fn go_back_to(&mut self, token: Token<'a>) {
        self.last = Some(token);
    }

    /// That no field is left.
    pub(super) fn end(&mut self) -> Result<(), Fault> {
        if self.optional().is_some() || self.meets_quotes() { Err(Fault::ExtraText) } else { Ok(()) }
    }

    /// The next field if it is in quotes that stand right behind the one before.
    pub(super) fn quotes_behind(&mut self) -> Option<&'a [u8]> {
        let may_be = self.tokens.may_be_at_quotes() && self.peek().is_some_and(|token| token.quoted);
        if may_be { self.optional().map(|token| token.text) } else { None }
    }

    /// The next field as a number up to `max`.
    pub(super) fn number(&mut self, max: u32) -> Result<u32, Fault> {
        match self.text() {
            Ok(text) => number(text, max),
            Err(Fault::UnexpectedToken) => Err(Fault::NotNumber),
            Err(fault) => Err(fault),
        }
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
        let text = self.text()?;
        self.name_of(text, out)
    }

    /// The domain name that `text` is.
    pub(super) fn name_of(&self, text: &[u8], out: &mut Vec<u8>) -> Result<(), Fault> {
        Ok(append_text(text, self.origin, out)?)
    }

    /// The next field as a domain name of which something is expected.
    pub(super) fn name_for(&mut self, rule: NameRule, out: &mut Vec<u8>) -> Result<(), Fault> {
        let text = self.text()?;
        self.judged_name(text, rule, out)
    }

    /// The domain name that `text` is, of which something is expected.
    pub(super) fn judged_name(&mut self, text: &[u8], rule: NameRule, out: &mut Vec<u8>) -> Result<(), Fault> {
        let start = out.len();
        append_text(text, self.origin, out)?;
        let Some(checks) = &mut self.checks else { return Ok(()) };
        let tokens = &mut self.tokens;
        checks.judge(rule, text, out.get(start..).unwrap_or_default(), || tokens.line())
    }

    /// The fault with the field that was read last.
    pub(super) fn error(&self, fault: Fault) -> RdataError {
        let near = match self.last {
            _ if self.is_at_quotes => Near::Quotes,
            Some(token) if token.quoted => Near::Quotes,
            Some(token) => Near::Field(String::from_utf8_lossy(token.text).into()),
            None => Near::End,
        };
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
