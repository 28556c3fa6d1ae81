//! Record classes (RFC 1035 section 3.2.4): the number, and its text form including `CLASSnnn` (RFC 3597).

use std::fmt;
use std::str::FromStr;

/// A class as it stands in a question or record.
#[derive(Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Class(pub u16);

impl Class {
    /// The Internet.
    pub const IN: Self = Self(1);
    /// Chaosnet: only `version.bind` and its friends live there.
    pub const CH: Self = Self(3);
    /// Hesiod.
    pub const HS: Self = Self(4);
    /// Only in UPDATE messages (RFC 2136).
    pub const NONE: Self = Self(254);
    /// Any class; a question only.
    pub const ANY: Self = Self(255);
}

const NAMES: [(Class, &str); 5] =
    [(Class::IN, "IN"), (Class::CH, "CH"), (Class::HS, "HS"), (Class::NONE, "NONE"), (Class::ANY, "ANY")];

/// The text is no class.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
#[error("unknown class/type")]
pub struct UnknownClass;

impl FromStr for Class {
    type Err = UnknownClass;

    fn from_str(text: &str) -> Result<Self, UnknownClass> {
        if let Some((class, _)) = NAMES.iter().find(|(_, name)| name.eq_ignore_ascii_case(text)) {
            return Ok(*class);
        }
        match text.to_ascii_lowercase().as_str() {
            "chaos" => Ok(Self::CH),
            "hesiod" => Ok(Self::HS),
            "reserved0" => Ok(Self(0)),
            other => {
                let number = other.strip_prefix("class").ok_or(UnknownClass)?;
                number.parse().map(Self).map_err(|_| UnknownClass)
            }
        }
    }
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match NAMES.iter().find(|(class, _)| class == self) {
            Some((_, name)) => f.write_str(name),
            None => write!(f, "CLASS{}", self.0),
        }
    }
}

impl fmt::Debug for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        fmt::Display::fmt(self, f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn text_and_number_agree() {
        for (text, class) in [("in", Class::IN), ("CHAOS", Class::CH), ("CLASS42", Class(42)), ("any", Class::ANY)] {
            assert_eq!(text.parse(), Ok(class));
        }
        assert_eq!(Class(42).to_string(), "CLASS42");
        assert_eq!(Class::IN.to_string(), "IN");
        assert_eq!("CLASS65536".parse::<Class>(), Err(UnknownClass));
        assert_eq!("INN".parse::<Class>(), Err(UnknownClass));
    }
}
