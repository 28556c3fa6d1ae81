//! SOA serials and their circular order (RFC 1982).

use std::cmp::Ordering;
use std::fmt;

/// A zone's serial number. There is no total order, hence no `Ord`: two serials half the circle apart do not compare.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub struct Serial(pub u32);

impl Serial {
    /// Whether this serial comes after `other` (RFC 1982 section 3.2).
    pub fn is_newer_than(self, other: Self) -> bool {
        self.partial_cmp(&other) == Some(Ordering::Greater)
    }
}

impl PartialOrd for Serial {
    fn partial_cmp(&self, other: &Self) -> Option<Ordering> {
        match self.0.wrapping_sub(other.0) {
            0 => Some(Ordering::Equal),
            0x8000_0000 => None,
            ahead if ahead < 0x8000_0000 => Some(Ordering::Greater),
            _ => Some(Ordering::Less),
        }
    }
}

impl fmt::Display for Serial {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.0.fmt(f)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn serials_compare_on_a_circle() {
        assert!(Serial(2).is_newer_than(Serial(1)));
        assert!(Serial(0).is_newer_than(Serial(u32::MAX)));
        assert!(!Serial(1).is_newer_than(Serial(1)));
        assert!(!Serial(0x8000_0000).is_newer_than(Serial(0)));
        assert!(!Serial(0).is_newer_than(Serial(0x8000_0000)));
    }
}
