//! TTLs in text, and which TTL a record without one gets.

/// The longest TTL (RFC 2181 section 8).
pub(super) const MAX_TTL_S: u32 = 0x7fff_ffff;

/// What is known of TTLs at some place of a file. It carries over into included files and back.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Ttls {
    /// The last `$TTL` (RFC 2308 section 4).
    pub(super) default_s: Option<u32>,
    /// The last one written in a record: the default of RFC 1035 section 5.1 where there is no `$TTL`.
    pub(super) latest_s: Option<u32>,
    /// Whether a record has used `latest_s`, of which the operator hears once.
    pub(super) has_warned: bool,
}

/// Reads a number of seconds, or numbers with units as in `1h30m`. None if it is not that, or above 32 bits.
pub(super) fn ttl_from_text(text: &[u8]) -> Option<u32> {
    if !text.first()?.is_ascii_digit() {
        return None;
    }
    let (mut total, mut number, mut digits, mut has_units) = (0_u64, 0_u64, 0_u32, false);
    for &byte in text {
        match byte {
            b'0'..=b'9' if digits < MAX_DIGITS => {
                number = number * 10 + u64::from(byte - b'0');
                digits += 1;
            }
            _ if digits > 0 => {
                total += number * unit_s(byte)?;
                (number, digits, has_units) = (0, 0, true);
            }
            _ => return None,
        }
    }
    // A number without a unit is seconds on its own only: BIND does not take "1h30".
    if digits > 0 && has_units { None } else { u32::try_from(total + number).ok() }
}

fn unit_s(unit: u8) -> Option<u64> {
    match unit.to_ascii_lowercase() {
        b's' => Some(1),
        b'm' => Some(60),
        b'h' => Some(3600),
        b'd' => Some(86_400),
        b'w' => Some(604_800),
        _ => None,
    }
}

/// Enough for any TTL, and few enough that no sum of them overflows.
const MAX_DIGITS: u32 = 10;

#[cfg(test)]
mod tests {
    use super::ttl_from_text;

    #[test]
    fn units_add_up() {
        for (text, seconds) in [("0", 0), ("300", 300), ("1h30m", 5400), ("2W", 1_209_600), ("1d1s", 86_401)] {
            assert_eq!(ttl_from_text(text.as_bytes()), Some(seconds), "{text}");
        }
        assert_eq!(ttl_from_text(b"4294967295"), Some(u32::MAX));
    }

    #[test]
    fn what_is_no_ttl_is_left_for_other_readings() {
        for text in ["", "h", "1x", "1h30", "4294967296", "99999999999", "10000w", "IN", "-1", "1hh"] {
            assert_eq!(ttl_from_text(text.as_bytes()), None, "{text}");
        }
    }
}
