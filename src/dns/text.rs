//! The fields of one record in master-file text, as whoever scans the file hands them over: parentheses, comments and
//! line ends are already gone, quotes are taken off and remembered, escapes are still in place (RFC 1035 section 5.1).

/// One field.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Token<'a> {
    /// Its bytes, without the quotes.
    pub text: &'a [u8],
    /// Whether quotes stood around it.
    pub quoted: bool,
}

/// The fields of one record from the first that has not been read yet.
pub trait Tokens<'a> {
    /// The next field; none at the end of the record.
    fn next_token(&mut self) -> Option<Token<'a>>;

    /// The line of the field that came last, where there are lines.
    fn line(&mut self) -> u64 {
        0
    }

    /// Whether quotes that do not end are what the fields ended at.
    fn has_open_quotes(&self) -> bool {
        false
    }

    /// Whether a byte of value 0, which no field can have outside quotes, is what the fields ended at.
    fn is_at_null(&self) -> bool {
        false
    }

    /// Whether a parenthesis that does not close or was not opened is what the fields ended at.
    fn has_lone_parenthesis(&self) -> bool {
        false
    }

    /// Whether quotes may come next without a blank before them.
    fn may_be_at_quotes(&self) -> bool {
        true
    }

    /// Goes behind such quotes, or such a parenthesis.
    fn leave_fault(&mut self) {}
}

impl<'a, I: Iterator<Item = Token<'a>>> Tokens<'a> for I {
    fn next_token(&mut self) -> Option<Token<'a>> {
        self.next()
    }
}

/// The fields of text that stands on one line and holds no comments: for tests, control commands and the like.
#[derive(Debug, Clone)]
pub struct Fields<'a>(pub &'a [u8]);

impl<'a> Iterator for Fields<'a> {
    type Item = Token<'a>;

    fn next(&mut self) -> Option<Token<'a>> {
        let text = self.0.trim_ascii_start();
        let (quoted, text) = match text.split_first()? {
            (b'"', inner) => (true, inner),
            _ => (false, text),
        };
        let length = field_length(text, quoted);
        let (field, rest) = text.split_at_checked(length)?;
        self.0 = if quoted { rest.get(1..).unwrap_or_default() } else { rest };
        Some(Token { text: field, quoted })
    }
}

/// How far the field at the start of `text` goes: to the closing quote, or to a blank or an opening quote.
fn field_length(text: &[u8], quoted: bool) -> usize {
    let mut escaped = false;
    for (place, &byte) in text.iter().enumerate() {
        let ends = if quoted { byte == b'"' } else { byte == b'"' || byte.is_ascii_whitespace() };
        if ends && !escaped {
            return place;
        }
        escaped = byte == b'\\' && !escaped;
    }
    text.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_falls_into_fields() {
        let fields: Vec<(&str, bool)> = Fields(br#" 10  a\ b "c d" "e\"f""" x"#)
            .map(|token| (std::str::from_utf8(token.text).unwrap(), token.quoted))
            .collect();
        assert_eq!(
            fields,
            [("10", false), ("a\\ b", false), ("c d", true), ("e\\\"f", true), ("", true), ("x", false)]
        );
    }
}
