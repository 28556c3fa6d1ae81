//! The text forms of single values: numbers, durations, sizes, addresses.

use std::net::{IpAddr, Ipv4Addr};

/// An integer as C writes it: `35`, `0x23`, `043`. None: not a number; `Some(None)`: one beyond 32 bits.
pub(crate) fn integer(text: &str) -> Option<Option<u32>> {
    let (digits, radix) = match text.as_bytes() {
        [b'0', b'x' | b'X', _, ..] => (text.get(2..)?, 16),
        [b'0', _, ..] => (text.get(1..)?, 8),
        _ => (text, 10),
    };
    let all_digits = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    all_digits.then(|| u32::from_str_radix(digits, radix).ok())
}

/// `yes`, `true`, `1` and their opposites.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Some(true),
        "no" | "false" | "0" => Some(false),
        _ => None,
    }
}

/// Seconds of `3600`, `1h30m` or ISO 8601 `P1DT2H`.
pub(crate) fn duration(text: &str) -> Option<u32> {
    match text.strip_prefix(['P', 'p']) {
        Some(iso) => iso_duration(iso).map(|seconds| u32::try_from(seconds).unwrap_or(u32::MAX)),
        None => u32::try_from(units(text, |unit| {
            Some(match unit {
                'w' => WEEK,
                'd' => DAY,
                'h' => HOUR,
                'm' => MINUTE,
                's' => 1,
                _ => return None,
            })
        })?)
        .ok(),
    }
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;
const MONTH: u64 = 31 * DAY;
const YEAR: u64 = 365 * DAY;

fn iso_duration(text: &str) -> Option<u64> {
    let upper = text.to_ascii_lowercase();
    let (date, time) = upper.split_once('t').unwrap_or((&upper, ""));
    if date.is_empty() && time.is_empty() || upper.ends_with('t') {
        return None;
    }
    let scale = |units: &'static [(char, u64)]| {
        move |unit: char| units.iter().find(|(name, _)| *name == unit).map(|(_, seconds)| *seconds)
    };
    let bare_ends = |part: &str| part.ends_with(|last: char| last.is_ascii_digit());
    if bare_ends(date) || bare_ends(time) {
        return None;
    }
    let date = units(date, scale(&[('y', YEAR), ('m', MONTH), ('w', WEEK), ('d', DAY)]));
    let time = units(time, scale(&[('h', HOUR), ('m', MINUTE), ('s', 1)]));
    let (bare, tail) = upper.split_once('t').unwrap_or((&upper, ""));
    let sum = if bare.is_empty() { 0 } else { date? } + if tail.is_empty() { 0 } else { time? };
    Some(sum)
}

/// A number alone, or a sum of numbers with units.
fn units(text: &str, scale: impl Fn(char) -> Option<u64>) -> Option<u64> {
    let (mut sum, mut number) = (0u64, None::<u64>);
    for letter in text.chars() {
        match letter.to_digit(10) {
            Some(digit) => number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(u64::from(digit))?),
            None => sum = sum.checked_add(number.take()?.checked_mul(scale(letter.to_ascii_lowercase())?)?)?,
        }
    }
    match number {
        // A number alone; behind units, one without a unit of its own means nothing.
        Some(_) if text.contains(|letter: char| !letter.is_ascii_digit()) => None,
        Some(alone) => Some(alone),
        None => (!text.is_empty()).then_some(sum),
    }
}

/// Bytes of `10`, `10k`, `10M`, `10g`.
pub(crate) fn size(text: &str) -> Option<u64> {
    let digits = text.trim_end_matches(|letter: char| letter.is_ascii_alphabetic());
    let scale = match text.get(digits.len()..)?.to_ascii_lowercase().as_str() {
        "" => 1,
        "k" => 1 << 10,
        "m" => 1 << 20,
        "g" => 1 << 30,
        _ => return None,
    };
    digits.parse::<u64>().ok()?.checked_mul(scale)
}

/// `NN%`.
pub(crate) fn percent(text: &str) -> Option<u32> {
    text.strip_suffix('%')?.parse().ok()
}

/// An address; a zone index behind a `%` is dropped.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    let bare = if text.contains(':') { text.split('%').next().unwrap_or(text) } else { text };
    bare.parse().ok()
}

/// The start of a prefix in short form, such as `10` or `192.168`, its missing octets zero.
pub(crate) fn short_ipv4(text: &str) -> Option<Ipv4Addr> {
    (1..=3).find_map(|missing| format!("{text}{}", ".0".repeat(missing)).parse().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn integers_are_written_as_in_c() {
        assert_eq!(integer("35"), Some(Some(35)));
        assert_eq!(integer("0x35"), Some(Some(0x35)));
        assert_eq!(integer("010"), Some(Some(8)));
        assert_eq!(integer("0"), Some(Some(0)));
        assert_eq!(integer("4294967296"), Some(None));
        for text in ["10m", "", "-1", "08", "0x"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn durations_take_units_and_iso_8601() {
        for (text, seconds) in
            [("3600", 3600), ("1h30m", 5400), ("1W", 604_800), ("PT1H", 3600), ("P1DT2H", 93_600), ("P90D", 7_776_000)]
        {
            assert_eq!(duration(text), Some(seconds), "{text}");
        }
        for text in ["", "10x", "h", "P", "PT", "P1", "99h9"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_have_one_letter() {
        assert_eq!(size("10k"), Some(10_240));
        assert_eq!(size("2G"), Some(2 << 30));
        assert_eq!(size("10mb"), None);
        assert_eq!(size(""), None);
    }

    #[test]
    fn short_prefixes_gain_zeros() {
        assert_eq!(short_ipv4("10"), Some(Ipv4Addr::new(10, 0, 0, 0)));
        assert_eq!(short_ipv4("192.168"), Some(Ipv4Addr::new(192, 168, 0, 0)));
        assert_eq!(short_ipv4("10."), None);
        assert_eq!(short_ipv4("abc"), None);
    }
}
