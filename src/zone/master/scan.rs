//! From the text of a master file to the fields of one record after the other (RFC 1035 section 5.1).
//!
//! Fields end at a blank, a quote, a parenthesis, a comment or the end of the line. Their ends are found eight bytes at
//! a time; everything else here happens once per field. The text may be a part of the file: a record that does not end
//! within it leaves [`Scanner::is_starved`] set, and the caller comes again with more. Line numbers are not tracked;
//! they are counted when a message wants one.

use memchr::{memchr, memchr_iter};

use crate::dns::text::{Token, Tokens};

/// What is wrong with the text itself, whatever the record.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum ScanFault {
    /// A closing parenthesis too many, or the end of the file inside parentheses.
    #[error("unbalanced parentheses")]
    Parentheses,
    /// A quoted string that does not end on its line.
    #[error("unbalanced quotes")]
    Quotes,
    /// A quoted string that does not end within the file, whose last line has no end.
    #[error("unexpected end of input")]
    QuotesAtEnd,
    /// A byte of value 0 outside quotes.
    #[error("syntax error")]
    Null,
}

/// What is left to be read of faulty record data.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Rest {
    /// All there is: not even the first field was read.
    Whole,
    /// All behind the field that was read last.
    All,
    /// All behind the quote that the field starts with.
    BehindQuote,
    /// Nothing: what comes next starts a record, within the parentheses that are open.
    Nothing,
}

/// A cursor over text, one record at a time.
#[derive(Debug, Clone)]
pub(super) struct Scanner<'a> {
    text: &'a [u8],
    at: usize,
    /// Open parentheses of the current record.
    depth: u32,
    /// Whether the file ends where `text` ends.
    is_last: bool,
    starved: bool,
    fault: Option<ScanFault>,
    /// The field that was handed out last, for messages.
    latest: Option<Token<'a>>,
    /// Where the latest reading of a field began.
    before: usize,
    /// Where the current record began.
    start: usize,
    /// Whether what comes next is not the start of a line.
    is_within_line: bool,
    /// A place in the text and the number of its line, known from the last time that somebody asked.
    counted: (usize, u64),
}

impl<'a> Scanner<'a> {
    /// A cursor at the start of `text`, which starts where line number `line` does.
    pub(super) fn new(text: &'a [u8], is_last: bool, line: u64) -> Self {
        Self {
            text,
            at: 0,
            depth: 0,
            is_last,
            starved: false,
            fault: None,
            latest: None,
            before: 0,
            start: 0,
            is_within_line: false,
            counted: (0, line),
        }
    }

    /// How far reading has come, in bytes from the start of the text.
    pub(super) fn position(&self) -> usize {
        self.at
    }

    /// Whether the text ended within the current record although the file goes on.
    pub(super) fn is_starved(&self) -> bool {
        self.starved
    }

    /// Whether nothing follows in the file, not even a line end.
    pub(super) fn is_at_end_of_file(&self) -> bool {
        self.is_last && self.at >= self.text.len()
    }

    /// Whether nothing follows in the file, and its last line has no end.
    pub(super) fn is_at_open_end(&self) -> bool {
        self.is_at_end_of_file() && self.text.last() != Some(&b'\n')
    }

    /// The fault that made [`Tokens::next_token`] end early, if one did.
    pub(super) fn fault(&self) -> Option<ScanFault> {
        self.fault
    }

    /// The field handed out last.
    pub(super) fn latest(&self) -> Option<Token<'a>> {
        self.latest
    }

    /// The same within the parentheses that are open here, which are closed for this one.
    pub(super) fn inner<'b>(&mut self, text: &'b [u8]) -> Scanner<'b> {
        Scanner { depth: std::mem::take(&mut self.depth), ..Scanner::new(text, true, 1) }
    }

    /// The number of the line that reading has come to: line ends are counted when asked for, each once.
    pub(super) fn line(&mut self) -> u64 {
        self.line_at(self.at)
    }

    /// The number of the line on which the field before the latest one ended: BIND puts a field that it does not like
    /// back before it says so.
    pub(super) fn fault_line(&mut self) -> u64 {
        self.line_at(self.before)
    }

    /// The number of the line on which the current record began: where BIND says most things.
    pub(super) fn start_line(&mut self) -> u64 {
        self.line_at(self.start)
    }

    fn line_at(&mut self, place: usize) -> u64 {
        let (from, line) = self.counted;
        match self.text.get(from..place) {
            Some(new) => self.counted = (place, line + line_ends(new)),
            None => return line - line_ends(self.text.get(place..from).unwrap_or_default()),
        }
        self.counted.1
    }

    /// Goes back to where the field begins that came last and is in quotes.
    pub(super) fn reopen_quotes(&mut self) {
        let length = self.latest.filter(|token| token.quoted).map_or(0, |token| token.text.len() + 1);
        self.at = self.at.saturating_sub(length);
    }

    /// Leaves what is left of faulty record data. BIND reads it without regard to quotes.
    pub(super) fn skip_data(&mut self, rest: Rest) {
        match rest {
            Rest::Nothing => {
                self.fault = None;
                self.is_within_line = true;
                return;
            }
            Rest::BehindQuote if self.fault.is_some() => self.enter_quotes(),
            Rest::BehindQuote => self.reopen_quotes(),
            Rest::All | Rest::Whole => {}
        }
        while self.fault.is_none() && !self.starved && self.skip_datum() {}
        if self.fault == Some(ScanFault::Parentheses) && self.peek() == Some(b')') {
            // BIND goes on behind it as if a record began there.
            self.at += 1;
            self.is_within_line = true;
        }
        self.finish_record();
    }

    /// Goes on by a byte or more. False at the end of the record.
    fn skip_datum(&mut self) -> bool {
        match self.peek() {
            None => {
                self.end_of_text();
                return false;
            }
            Some(b'\\') => self.at = field_end(self.text, self.at),
            Some(b'\r') if self.depth == 0 && self.is_at_lone_return() => return false,
            Some(byte @ (b'\n' | b';' | b'(' | b')')) => return self.structure(byte),
            Some(_) => self.at += 1,
        }
        true
    }

    /// Lets the record start where its first field does, which has been read.
    #[inline]
    pub(super) fn start_behind_parentheses(&mut self, first: Token<'_>) {
        if self.depth > 0 {
            self.start = self.at.saturating_sub(first.text.len());
        }
    }

    /// Whether a field comes next, and one without quotes.
    #[cold]
    pub(super) fn has_plain_field(&self) -> bool {
        self.clone().next_token().is_some_and(|token| !token.quoted)
    }

    /// Goes on behind what made the fields end. A string that is not closed ends with its line.
    pub(super) fn resume(&mut self) {
        match self.fault.take() {
            Some(ScanFault::Null) => self.at += 1,
            Some(ScanFault::Parentheses) => {
                self.at += usize::from(self.peek() == Some(b')'));
                self.depth = 0;
            }
            Some(ScanFault::Quotes | ScanFault::QuotesAtEnd) | None => {}
        }
    }

    /// Reads on to the end of a faulty record, or to what makes its fields end before that.
    pub(super) fn skip_fields(&mut self) {
        while self.fault.is_none() && self.next_token().is_some() {}
    }

    /// The field that comes next at a place before this one.
    #[cold]
    pub(super) fn field_at(&self, place: usize) -> Option<Token<'a>> {
        Self { at: place, fault: None, ..self.clone() }.next_token()
    }

    /// Goes behind the first quote from a place on.
    pub(super) fn enter_quotes_at(&mut self, place: usize) {
        self.before = place;
        self.enter_quotes();
    }

    /// Goes behind the quotes that do not end, or the null byte.
    pub(super) fn enter_quotes(&mut self) {
        if self.fault == Some(ScanFault::Null) {
            self.at += 1;
            self.fault = None;
            return;
        }
        let from = self.text.get(self.before..).unwrap_or_default();
        self.at = self.before + memchr(b'"', from).map_or(0, |place| place + 1);
        self.fault = None;
    }

    /// Goes to the next record. `Some(true)` if it starts with a blank, and so inherits its owner; none at the end.
    pub(super) fn next_record(&mut self) -> Option<bool> {
        self.fault = None;
        let mut is_within_line = std::mem::take(&mut self.is_within_line);
        if !is_within_line {
            self.depth = 0;
        }
        loop {
            let start = self.at;
            while matches!(self.peek(), Some(b' ' | b'\t' | b'\r')) && !self.is_at_lone_return() {
                self.at += 1;
            }
            (self.before, self.start) = (self.at, self.at);
            match self.peek()? {
                b'\n' | b'\r' => {
                    self.at += 1;
                    is_within_line &= self.depth > 0;
                }
                b';' => self.skip_line(),
                _ => return Some(self.at > start && !is_within_line),
            }
        }
    }

    /// Steps over `text` if that comes next with a blank behind it.
    #[inline]
    pub(super) fn repeats(&mut self, text: &[u8]) -> bool {
        let Some((head, tail)) = self.text.get(self.at..).and_then(|rest| rest.split_at_checked(text.len())) else {
            return false;
        };
        let is_same = head == text && matches!(tail.first(), Some(b' ' | b'\t'));
        if is_same {
            (self.before, self.at) = (self.at, self.at + text.len());
            self.latest = Some(Token { text: head, quoted: false });
        }
        is_same
    }

    /// The bytes behind the blanks that come next, if there are so many.
    #[inline]
    pub(super) fn ahead(&mut self) -> Option<[u8; AHEAD]> {
        while let Some(b' ' | b'\t') = self.peek() {
            self.at += 1;
        }
        self.text.get(self.at..).and_then(|rest| rest.first_chunk()).copied()
    }

    /// Steps over so many bytes, which are known to be whole fields.
    #[inline]
    pub(super) fn step_over(&mut self, length: usize) {
        self.before = self.at;
        self.at += length;
    }

    /// All text that is left; none within parentheses.
    #[inline]
    pub(super) fn plain_rest(&self) -> Option<&'a [u8]> {
        self.text.get(self.at..).filter(|_| self.depth == 0)
    }

    /// The text from `start` to where reading has come, with the blank behind it; none within parentheses.
    pub(super) fn plain_since(&self, start: usize) -> Option<&'a [u8]> {
        let text = self.text.get(start..=self.at).filter(|_| self.depth == 0)?;
        let is_plain = |&byte: &u8| matches!(byte, b' ' | b'\t') || !is_special(byte);
        text.iter().all(is_plain).then_some(text)
    }

    /// Steps over the line end behind a record that has been read whole.
    pub(super) fn finish_record(&mut self) {
        if self.peek() == Some(b'\n') || self.is_at_lone_return() {
            self.at += 1;
        }
    }

    /// Whether a carriage return comes next that ends a line alone, as it does for BIND.
    #[inline]
    fn is_at_lone_return(&self) -> bool {
        self.peek() == Some(b'\r') && self.text.get(self.at + 1) != Some(&b'\n')
    }

    /// Leaves a faulty record: reads on to its end, or, when even the fields cannot be told apart, to the line's end.
    pub(super) fn skip_record(&mut self) {
        self.skip_fields();
        if self.fault.is_some() {
            self.skip_line();
        }
        self.finish_record();
    }

    /// Makes ready for fields outside parentheses, whatever came before.
    pub(super) fn begin_next(&mut self) {
        (self.depth, self.fault) = (0, None);
    }

    /// Goes back to the start of the text.
    pub(super) fn rewind(&mut self) {
        self.at = 0;
    }

    /// Takes what comes next for an entry, though it does not stand at the start of a line.
    pub(super) fn go_on_with_entry(&mut self) {
        self.is_within_line = true;
    }

    /// Whether the text holds the record to its end.
    pub(super) fn has_whole_record(&self) -> bool {
        let mut ahead = self.clone();
        ahead.skip_record();
        !ahead.starved
    }

    fn peek(&self) -> Option<u8> {
        self.text.get(self.at).copied()
    }

    fn skip_line(&mut self) {
        let rest = self.text.get(self.at..).unwrap_or_default();
        self.at += memchr(b'\n', rest).unwrap_or(rest.len());
    }

    fn bare_field(&mut self) -> Option<Token<'a>> {
        let end = field_end(self.text, self.at);
        let text = self.text.get(self.at..end)?;
        self.at = end;
        Some(Token { text, quoted: false })
    }

    /// A string in quotes. The line's end ends it too, which is a fault, unless a backslash stands before it.
    fn quoted_field(&mut self) -> Option<Token<'a>> {
        let start = self.at + 1;
        let mut end = start;
        loop {
            match self.text.get(end) {
                Some(b'"') => break,
                Some(b'\\') => end += 2,
                Some(b'\n') => return self.fail(ScanFault::Quotes, end),
                Some(_) => end += 1,
                None if self.is_last => return self.fail(ScanFault::QuotesAtEnd, self.text.len()),
                None => return self.starve(),
            }
        }
        self.at = end + 1;
        Some(Token { text: self.text.get(start..end)?, quoted: true })
    }

    fn fail(&mut self, fault: ScanFault, at: usize) -> Option<Token<'a>> {
        self.at = at;
        self.fault = Some(fault);
        None
    }

    fn starve(&mut self) -> Option<Token<'a>> {
        self.starved = true;
        self.at = self.text.len();
        None
    }

    /// The end of the text: of the record too, unless it is open or the file goes on.
    fn end_of_text(&mut self) -> Option<Token<'a>> {
        match self.depth {
            _ if !self.is_last => self.starve(),
            0 => None,
            _ => self.fail(ScanFault::Parentheses, self.at),
        }
    }

    /// A byte that is neither blank nor part of a field. False if the record ends here.
    fn structure(&mut self, byte: u8) -> bool {
        match byte {
            b'\n' if self.depth == 0 => return false,
            b';' => {
                return {
                    self.skip_line();
                    true
                };
            }
            b'(' => self.depth = self.depth.saturating_add(1),
            b')' => match self.depth.checked_sub(1) {
                Some(depth) => self.depth = depth,
                None => {
                    self.fault = Some(ScanFault::Parentheses);
                    return false;
                }
            },
            _ => {}
        }
        self.at += 1;
        true
    }
}

impl<'a> Tokens<'a> for Scanner<'a> {
    fn line(&mut self) -> u64 {
        self.line_at(self.at)
    }

    fn has_open_quotes(&self) -> bool {
        matches!(self.fault, Some(ScanFault::Quotes | ScanFault::QuotesAtEnd))
    }

    fn is_at_null(&self) -> bool {
        self.fault == Some(ScanFault::Null)
    }

    fn has_lone_parenthesis(&self) -> bool {
        self.fault == Some(ScanFault::Parentheses)
    }

    fn may_be_at_quotes(&self) -> bool {
        self.peek() == Some(b'"')
    }

    fn leave_fault(&mut self) {
        let fault = self.fault.take();
        if fault == Some(ScanFault::Parentheses) {
            self.at += usize::from(self.peek() == Some(b')'));
            self.depth = 0;
        }
    }

    #[inline]
    fn next_token(&mut self) -> Option<Token<'a>> {
        if self.fault.is_some() {
            return None;
        }
        self.before = self.at;
        loop {
            let Some(byte) = self.peek() else { return self.end_of_text() };
            match byte {
                b' ' | b'\t' => self.at += 1,
                b'\r' if self.depth == 0 && self.is_at_lone_return() => {
                    let is_cut = !self.is_last && self.at + 1 == self.text.len();
                    return if is_cut { self.starve() } else { None };
                }
                b'\r' => self.at += 1,
                b'"' => {
                    self.latest = self.quoted_field();
                    return self.latest;
                }
                0 => return self.fail(ScanFault::Null, self.at),
                b'\n' | b';' | b'(' | b')' => {
                    if !self.structure(byte) {
                        return None;
                    }
                }
                _ => {
                    self.latest = self.bare_field();
                    return self.latest;
                }
            }
        }
    }
}

/// How many lines end in `text`.
pub(super) fn line_ends(text: &[u8]) -> u64 {
    memchr_iter(b'\n', text).count() as u64
}

/// Where the unquoted field that starts at `at` ends.
#[inline]
fn field_end(text: &[u8], mut at: usize) -> usize {
    loop {
        at = next_special(text, at);
        match text.get(at) {
            // An escape takes the byte behind it into the field whatever it is; but no field goes past its line.
            Some(b'\\') => at = if text.get(at + 1).is_some_and(|b| !b"\r\n".contains(b)) { at + 2 } else { at + 1 },
            Some(b'\n' | b'\r' | b'\t' | b' ' | b'"' | b'(' | b')' | b';' | 0) | None => return at.min(text.len()),
            Some(_) => at += 1,
        }
    }
}

/// The first byte from `at` on that may end a field: `;`, `\`, or one up to `)` in ASCII, which blanks, controls and
/// quotes are. The text's length if none.
#[inline]
fn next_special(text: &[u8], mut at: usize) -> usize {
    while let Some(word) = text.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        let found = specials(u64::from_le_bytes(*word));
        if found != 0 {
            return at + (found.trailing_zeros() / 8) as usize;
        }
        at += 8;
    }
    let rest = text.get(at..).unwrap_or_default();
    at + rest.iter().position(|&byte| is_special(byte)).unwrap_or(rest.len())
}

/// The high bit of each byte of `word` that may end a field. Bits above the lowest one found may be wrong (the
/// subtractions borrow upwards), so only the lowest counts.
#[inline]
fn specials(word: u64) -> u64 {
    let up_to_parentheses = word.wrapping_sub(ONES * 0x2a) & !word;
    let equals = |byte: u8| {
        let difference = word ^ (ONES * u64::from(byte));
        difference.wrapping_sub(ONES) & !difference
    };
    (up_to_parentheses | equals(b';') | equals(b'\\')) & HIGH_BITS
}

fn is_special(byte: u8) -> bool {
    byte <= b')' || matches!(byte, b';' | b'\\')
}

/// How many bytes [`Scanner::ahead`] shows.
pub(super) const AHEAD: usize = 16;

const ONES: u64 = 0x0101_0101_0101_0101;
const HIGH_BITS: u64 = ONES << 7;

#[cfg(test)]
mod tests {
    use super::*;

    /// Each record's fields, a quoted one in quotes, an inherited owner as "^", a fault as its text.
    fn records(text: &str) -> Vec<Vec<String>> {
        let mut scanner = Scanner::new(text.as_bytes(), true, 1);
        let mut records = Vec::new();
        while let Some(inherits) = scanner.next_record() {
            let mut fields: Vec<String> = if inherits { vec!["^".into()] } else { vec![] };
            while let Some(Token { text, quoted }) = scanner.next_token() {
                let text = String::from_utf8_lossy(text);
                fields.push(if quoted { format!("\"{text}\"") } else { text.into_owned() });
            }
            match scanner.fault() {
                Some(fault) => {
                    fields.push(fault.to_string());
                    scanner.skip_record();
                }
                None => scanner.finish_record(),
            }
            records.push(fields);
        }
        records
    }

    fn fields(text: &str) -> Vec<String> {
        let all = records(text);
        assert_eq!(all.len(), 1, "{all:?}");
        all.into_iter().next().unwrap_or_default()
    }

    #[test]
    fn fields_end_at_blanks_quotes_parentheses_and_comments() {
        assert_eq!(fields("a.example. 300\tIN  A 192.0.2.1\n"), ["a.example.", "300", "IN", "A", "192.0.2.1"]);
        assert_eq!(fields("x TXT a\"b c\"d;e\n"), ["x", "TXT", "a", "\"b c\"", "d"]);
        assert_eq!(fields("x(A)y"), ["x", "A", "y"]);
        assert_eq!(fields("x A 192.0.2.1\r\n"), ["x", "A", "192.0.2.1"]);
    }

    #[test]
    fn escapes_keep_specials_in_the_field() {
        assert_eq!(fields("a\\;b\\ c\\\"d\\(e\\\\ f \"g\\\"h\"\n"), ["a\\;b\\ c\\\"d\\(e\\\\", "f", "\"g\\\"h\""]);
        assert_eq!(records("a\\\nb\n"), [["a\\"], ["b"]]);
    }

    #[test]
    fn parentheses_join_lines() {
        let text = "@ SOA ns h ( 1 ; serial (not this)\n 2\n\n 3 ) ; end\n";
        assert_eq!(fields(text), ["@", "SOA", "ns", "h", "1", "2", "3"]);
    }

    #[test]
    fn blank_and_comment_lines_are_no_records() {
        assert_eq!(records("\n  \n; c\n \t; c\na\n\n"), [["a"]]);
        assert_eq!(records(" a\nb"), [vec!["^", "a"], vec!["b"]]);
    }

    #[test]
    fn unbalanced_text_costs_one_record() {
        assert_eq!(records("a )\nb\n"), [vec!["a", "unbalanced parentheses"], vec!["b"]]);
        assert_eq!(records("a \"b\nc\n"), [vec!["a", "unbalanced quotes"], vec!["c"]]);
        assert_eq!(records("a ( b\nc\n"), [["a", "b", "c", "unbalanced parentheses"]]);
        assert_eq!(records("a \"b\\"), [["a", "unexpected end of input"]]);
    }

    #[test]
    fn a_carriage_return_ends_a_line_alone_but_not_within_parentheses() {
        assert_eq!(records("a b\rc\r\nd\r\r e\r"), [vec!["a", "b"], vec!["c"], vec!["d"], vec!["^", "e"]]);
        assert_eq!(records("a ( b\rc )\rd ;e\rf\n"), [vec!["a", "b", "c"], vec!["d"]]);
    }

    #[test]
    fn text_that_ends_within_a_record_asks_for_more() {
        for part in ["a (\n", "a \"b\\\n", "a b"] {
            let mut scanner = Scanner::new(part.as_bytes(), false, 1);
            assert_eq!(scanner.next_record(), Some(false));
            while scanner.next_token().is_some() {}
            assert!(scanner.is_starved(), "{part:?}");
        }
    }

    #[test]
    fn the_wide_search_finds_what_the_narrow_one_finds() {
        for byte in 0..=255_u8 {
            for place in 0..17 {
                let mut text = [b'x'; 20];
                text[place] = byte;
                let expected = if is_special(byte) { place } else { text.len() };
                assert_eq!(next_special(&text, 0), expected, "byte {byte} at {place}");
            }
        }
        assert_eq!(next_special(b"\x80\xff\x2a\x7f\xa8\xa2\xbb\xdc ", 0), 8);
    }
}
