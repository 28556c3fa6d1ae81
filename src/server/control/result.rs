//! The result codes that control commands are answered with.
//!
//! Replies carry a code as a decimal number and, unless it is success, its text. Both are named's, so that rndc and the
//! scripts around it read them alike; a code that is not in the table keeps its number and has no text of its own.

use std::fmt;

/// The outcome of a control command, by its number in named 9.18.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct IscResult(u16);

impl IscResult {
    /// It was done.
    pub const SUCCESS: Self = Self(0);
    /// Not permitted, for instance signing a zone that has no keys.
    pub const NO_PERMISSION: Self = Self(6);
    /// Already there.
    pub const EXISTS: Self = Self(18);
    /// No such zone, view or file.
    pub const NOT_FOUND: Self = Self(23);
    /// An argument is missing.
    pub const UNEXPECTED_END: Self = Self(24);
    /// It failed; the text or the log says why.
    pub const FAILURE: Self = Self(25);
    /// Not built, or not here.
    pub const NOT_IMPLEMENTED: Self = Self(27);
    /// An argument that cannot be read.
    pub const UNEXPECTED_TOKEN: Self = Self(32);
    /// A number outside its range.
    pub const RANGE: Self = Self(41);
    /// Several are meant.
    pub const MULTIPLE: Self = Self(62);
    /// A label of more than 63 bytes.
    pub const LABEL_TOO_LONG: Self = Self(75);
    /// An escape that is none.
    pub const BAD_ESCAPE: Self = Self(76);
    /// Two dots in a row.
    pub const EMPTY_LABEL: Self = Self(77);
    /// Not a class.
    pub const UNKNOWN_CLASS: Self = Self(80);
    /// A word that is not among those expected.
    pub const SYNTAX: Self = Self(89);
    /// The zone is configured but has no contents.
    pub const NOT_LOADED: Self = Self(123);
    /// Somebody has frozen the zone before.
    pub const FROZEN: Self = Self(154);
    /// The zone changes by updates, not by its file.
    pub const DYNAMIC: Self = Self(171);
    /// No such command.
    pub const UNKNOWN_COMMAND: Self = Self(172);
    /// The zone's contents come from other servers.
    pub const NOT_PRIMARY: Self = Self(178);
    /// The zone takes no updates.
    pub const NOT_DYNAMIC: Self = Self(181);

    /// The number that goes over the wire.
    pub fn code(self) -> u16 {
        self.0
    }

    /// The result of a number from the wire.
    pub fn from_code(code: u16) -> Self {
        Self(code)
    }

    /// The result that has these words.
    pub fn from_text(text: &str) -> Option<Self> {
        TABLE.iter().find(|row| row.2 == text).map(|row| Self(row.0))
    }

    /// Whether it was done.
    pub fn is_success(self) -> bool {
        self == Self::SUCCESS
    }

    /// named's words for it.
    pub fn text(self) -> &'static str {
        self.row().map_or("unknown result code", |row| row.2)
    }

    /// The identifier that `rndc -r` prints.
    pub fn id(self) -> &'static str {
        self.row().map_or("(result code id not available)", |row| row.1)
    }

    fn row(self) -> Option<&'static (u16, &'static str, &'static str)> {
        TABLE.iter().find(|row| row.0 == self.0)
    }
}

impl fmt::Display for IscResult {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.text())
    }
}

/// Number, identifier, text.
const TABLE: [(u16, &str, &str); 22] = [
    (0, "ISC_R_SUCCESS", "success"),
    (6, "ISC_R_NOPERM", "permission denied"),
    (18, "ISC_R_EXISTS", "already exists"),
    (23, "ISC_R_NOTFOUND", "not found"),
    (24, "ISC_R_UNEXPECTEDEND", "unexpected end of input"),
    (25, "ISC_R_FAILURE", "failure"),
    (27, "ISC_R_NOTIMPLEMENTED", "not implemented"),
    (32, "ISC_R_UNEXPECTEDTOKEN", "unexpected token"),
    (38, "ISC_R_FILENOTFOUND", "file not found"),
    (41, "ISC_R_RANGE", "out of range"),
    (62, "ISC_R_MULTIPLE", "multiple"),
    (75, "DNS_R_LABELTOOLONG", "label too long"),
    (76, "DNS_R_BADESCAPE", "bad escape"),
    (77, "DNS_R_EMPTYLABEL", "empty label"),
    (80, "DNS_R_UNKNOWN", "unknown class/type"),
    (89, "DNS_R_SYNTAX", "syntax error"),
    (123, "DNS_R_NOTLOADED", "zone not loaded"),
    (154, "DNS_R_FROZEN", "already frozen"),
    (171, "DNS_R_DYNAMIC", "dynamic zone"),
    (172, "DNS_R_UNKNOWNCOMMAND", "unknown command"),
    (178, "DNS_R_NOTPRIMARY", "not primary"),
    (181, "DNS_R_NOTDYNAMIC", "not dynamic"),
];

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn codes_read_as_named_words_them() {
        assert_eq!(IscResult::from_code(172).text(), "unknown command");
        assert_eq!(IscResult::NOT_FOUND.id(), "ISC_R_NOTFOUND");
        assert!(TABLE.windows(2).all(|pair| pair[0].0 < pair[1].0));
        assert_eq!(IscResult::from_code(999).code(), 999);
        assert_eq!(IscResult::from_text("failure"), Some(IscResult::FAILURE));
    }
}
