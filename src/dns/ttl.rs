//! TTLs and other durations in text: seconds, or numbers with units, as `1h30m` (RFC 2308 section 4, as BIND reads it).

use std::fmt::Write;

/// Units from the longest, with their seconds.
const UNITS: [(u8, u32, &str); 5] =
    [(b'w', 604_800, "week"), (b'd', 86_400, "day"), (b'h', 3_600, "hour"), (b'm', 60, "minute"), (b's', 1, "second")];

/// Reads seconds (`3600`) or numbers with units in any order (`1h30m`). A number without a unit must stand alone.
pub fn parse(text: &[u8]) -> Option<u32> {
    u32::try_from(seconds(text)?).ok()
}

/// The same for sums of any size; each number is one of 32 bits.
pub fn seconds(text: &[u8]) -> Option<u64> {
    if !text.is_empty() && text.iter().all(u8::is_ascii_digit) {
        return number(text).map(u64::from);
    }
    let mut total = 0_u64;
    let mut rest = text;
    while !rest.is_empty() {
        let digits = rest.iter().take_while(|byte| byte.is_ascii_digit()).count();
        let (value, behind) = rest.split_at_checked(digits).filter(|(digits, _)| !digits.is_empty())?;
        let (unit, behind) = behind.split_first()?;
        let (_, seconds, _) = UNITS.iter().find(|(letter, ..)| letter.eq_ignore_ascii_case(unit))?;
        total = total.saturating_add(u64::from(number(value)?) * u64::from(*seconds));
        rest = behind;
    }
    if text.is_empty() { None } else { Some(total) }
}

fn number(digits: &[u8]) -> Option<u32> {
    digits
        .iter()
        .try_fold(0_u32, |value, digit| value.checked_mul(10)?.checked_add(u32::from(digit.wrapping_sub(b'0'))))
}

/// Seconds with short units, as `1h30m`; 0 is `0s`.
pub fn to_short_text(seconds: u32) -> String {
    let mut text = String::new();
    for (letter, count, _) in parts(seconds) {
        // Writing to a string cannot fail.
        let _ = write!(text, "{count}{}", char::from(letter));
    }
    text
}

/// Seconds in words, as `1 hour 30 minutes`: the comments of zone files.
pub fn to_long_text(seconds: u32) -> String {
    let words: Vec<String> = parts(seconds)
        .map(|(_, count, word)| if count == 1 { format!("1 {word}") } else { format!("{count} {word}s") })
        .collect();
    words.join(" ")
}

/// The units that are not zero; of 0 the seconds.
fn parts(seconds: u32) -> impl Iterator<Item = (u8, u32, &'static str)> {
    let mut rest = seconds;
    UNITS.into_iter().filter_map(move |(letter, length, word)| {
        let count = rest / length;
        rest %= length;
        (count > 0 || (seconds == 0 && length == 1)).then_some((letter, count, word))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_and_units_are_read() {
        for (text, seconds) in
            [("0", 0), ("3600", 3600), ("1h30m", 5400), ("1W", 604_800), ("1d1s", 86_401), ("4294967295", u32::MAX)]
        {
            assert_eq!(parse(text.as_bytes()), Some(seconds), "{text}");
        }
    }

    #[test]
    fn what_bind_refuses_is_refused() {
        for text in ["", "h", "1x", "1h30", "-1", "4294967296", "9999999999999999999999", "7102w", "1 h"] {
            assert_eq!(parse(text.as_bytes()), None, "{text}");
        }
    }

    #[test]
    fn durations_print_in_two_styles() {
        assert_eq!(to_short_text(5400), "1h30m");
        assert_eq!(to_short_text(0), "0s");
        assert_eq!(to_long_text(90_061), "1 day 1 hour 1 minute 1 second");
        assert_eq!(to_long_text(1_209_600), "2 weeks");
        assert_eq!(to_long_text(0), "0 seconds");
    }
}
