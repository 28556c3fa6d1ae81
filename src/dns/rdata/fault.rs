//! What is wrong with the text of a record's data, in named's words.

use crate::dns::name::NameError;
use crate::dns::wire::WireError;

/// A fault, without its place.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Fault {
    /// A field is missing.
    #[error("unexpected end of input")]
    UnexpectedEnd,
    /// More fields than the type has.
    #[error("extra input text")]
    ExtraText,
    /// Letters where a number belongs.
    #[error("not a valid number")]
    NotNumber,
    /// A number or value beyond what the field can hold.
    #[error("out of range")]
    OutOfRange,
    /// No IPv4 address.
    #[error("bad dotted quad")]
    BadIp4,
    /// No IPv6 address.
    #[error("bad IPv6 address")]
    BadIp6,
    /// Not hexadecimal, or not as many bytes as the type or length says.
    #[error("bad hex encoding")]
    BadHex,
    /// Not base64.
    #[error("bad base64 encoding")]
    BadBase64,
    /// Not base32 with the hex alphabet.
    #[error("bad base32 encoding")]
    BadBase32,
    /// More data than a record can hold.
    #[error("ran out of space")]
    TooLong,
    /// The same for data that has been read whole. BIND does not say so.
    #[error("ran out of space")]
    Oversized,
    /// Text that is not what the field calls for.
    #[error("syntax error")]
    Syntax,
    /// A record type or class that does not exist.
    #[error("unknown class/type")]
    UnknownType,
    /// A key flag that does not exist.
    #[error("unknown flag")]
    UnknownFlag,
    /// A protocol of WKS that has no number here.
    #[error("unknown protocol")]
    UnknownProtocol,
    /// A service of WKS that has no number here.
    #[error("unknown service")]
    UnknownService,
    /// An EUI of another length or form.
    #[error("bad EUI")]
    BadEui,
    /// A form that is reserved for later.
    #[error("not implemented")]
    NotImplemented,
    /// A parameter of SVCB twice.
    #[error("duplicate query")]
    Duplicate,
    /// Parameters of SVCB that do not go together.
    #[error("disallowed (by application policy)")]
    Disallowed,
    /// Quotes where none may be.
    #[error("unexpected token")]
    UnexpectedToken,
    /// A null byte in the place of the first field.
    #[error("unexpected token")]
    NullAtStart,
    /// Quotes that do not end on their line, in the place of the first field.
    #[error("unbalanced quotes")]
    OpenAtStart,
    /// The same in another place.
    #[error("unbalanced quotes")]
    OpenQuotes,
    /// A parenthesis without the other one, in the place of the first field.
    #[error("unbalanced parentheses")]
    LoneAtStart,
    /// The same in another place.
    #[error("unbalanced parentheses")]
    LoneParenthesis,
    /// The types of an NXT record that cannot be.
    #[error("bad bitmap")]
    BadBitmap,
    /// A name that `check-names` does not let pass.
    #[error("bad name (check-names)")]
    BadName,
    /// An address where the name of a mail host belongs.
    #[error("MX is an address")]
    MailAddress,
    /// A meta type has no data in zones.
    #[error("invalid use of a meta type")]
    MetaType,
    /// Text that is right field by field, but not as a whole.
    #[error(transparent)]
    Wire(#[from] WireError),
    /// A domain name that is none.
    #[error(transparent)]
    Name(#[from] NameError),
}

/// A fault with the field that it was found at.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RdataError {
    /// Where it is.
    pub near: Near,
    /// What is wrong with it.
    pub fault: Fault,
}

/// Where in a record a fault was found, as far as BIND tells.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Near {
    /// At a field with this text.
    Field(Box<str>),
    /// At one in quotes, which are not repeated.
    Quotes,
    /// At the end of the record.
    End,
}

impl std::error::Error for RdataError {}

impl std::fmt::Display for RdataError {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.near {
            Near::Field(text) => write!(f, "near '{text}': {}", self.fault),
            Near::Quotes => write!(f, "{}", self.fault),
            Near::End => write!(f, "near eol: {}", self.fault),
        }
    }
}
