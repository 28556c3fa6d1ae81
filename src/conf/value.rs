//! The text forms of single values: numbers, durations, sizes, addresses.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use nix::net::if_::if_nametoindex;

/// An integer as C writes it, but for the letters of hexadecimal numbers: `35`, `0x23`, `043`.
/// None: not a number; `Some(None)`: one beyond 32 bits.
pub(crate) fn integer(text: &str) -> Option<Option<u32>> {
    let (digits, radix) = match text.as_bytes() {
        // BIND knows the prefix, but takes no letters for digits.
        [b'0', b'x' | b'X', rest @ ..] if rest.iter().all(u8::is_ascii_digit) => (text.get(2..)?, 16),
        [b'0', _, ..] => (text.get(1..)?, 8),
        _ => (text, 10),
    };
    let all_digits = !digits.is_empty() && digits.chars().all(|digit| digit.is_digit(radix));
    all_digits.then(|| u32::from_str_radix(digits, radix).ok())
}

/// An integer of decimal digits alone. None: not a number; `Some(None)`: one beyond 32 bits.
pub(crate) fn decimal(text: &str) -> Option<Option<u32>> {
    let all_digits = !text.is_empty() && text.bytes().all(|byte| byte.is_ascii_digit());
    all_digits.then(|| text.parse().ok())
}

/// `yes`, `true`, `1` and their opposites.
pub(crate) fn boolean(text: &str) -> Option<bool> {
    match text.to_ascii_lowercase().as_str() {
        "yes" | "true" | "1" => Some(true),
        "no" | "false" | "0" => Some(false),
        _ => None,
    }
}

/// What stands for no end in the place of a duration.
pub(crate) const UNLIMITED: &str = "unlimited";
/// The longest duration with units, in letters, that BIND reads.
const MAX_TTL_LETTERS: usize = 63;
/// The longest in ISO 8601.
const MAX_ISO_LETTERS: usize = 79;

/// Seconds of `3600`, `1h30m` or ISO 8601 `P1DT2H`, no more than 32 bits hold.
pub(crate) fn duration(text: &str) -> Option<u32> {
    match text.strip_prefix(['P', 'p']) {
        Some(_) if text.len() > MAX_ISO_LETTERS => None,
        Some(iso) => Some(u32::try_from(iso_duration(iso)?).unwrap_or(u32::MAX)),
        None => u32::try_from(ttl(text)?).ok(),
    }
}

/// Seconds of `3600` or `1h30m`, each number of which fits 32 bits.
fn ttl(text: &str) -> Option<u64> {
    if text.len() > MAX_TTL_LETTERS {
        return None;
    }
    units(text, |unit| {
        Some(match unit {
            'w' => WEEK,
            'd' => DAY,
            'h' => HOUR,
            'm' => MINUTE,
            's' => 1,
            _ => return None,
        })
    })
}

/// Whether the sum of such numbers with units is beyond 32 bits.
pub(crate) fn is_endless(text: &str) -> bool {
    !text.starts_with(['P', 'p']) && ttl(text).is_some_and(|seconds| seconds > u64::from(u32::MAX))
}

const MINUTE: u64 = 60;
const HOUR: u64 = 60 * MINUTE;
const DAY: u64 = 24 * HOUR;
const WEEK: u64 = 7 * DAY;
const MONTH: u64 = 31 * DAY;
const YEAR: u64 = 365 * DAY;

/// The units of ISO 8601 in the order in which they may stand, each at most once.
const DATE: [(u8, u64); 4] = [(b'y', YEAR), (b'm', MONTH), (b'w', WEEK), (b'd', DAY)];
const TIME: [(u8, u64); 3] = [(b'h', HOUR), (b'm', MINUTE), (b's', 1)];

/// Reads what follows the `P`. A unit without a number counts nothing, and weeks stand alone. As to BIND, what stands
/// before the `T` without a unit of its own means nothing.
fn iso_duration(text: &str) -> Option<u64> {
    let lower = text.to_ascii_lowercase();
    let (date, time) = lower.split_once('t').map_or((lower.as_str(), None), |(date, time)| (date, Some(time)));
    if date.contains('w') && (time.is_some() || !date.ends_with('w') || date.contains(['y', 'm', 'd'])) {
        return None;
    }
    let (days, rest) = iso_part(date, &DATE)?;
    let is_passed_over = rest.is_empty() || time.is_some() && !rest.contains(['y', 'm', 'd']);
    let (seconds, after) = iso_part(time.unwrap_or_default(), &TIME)?;
    (is_passed_over && after.is_empty()).then_some(days + seconds)
}

/// The sum of what has units, and what follows it.
fn iso_part<'a>(text: &'a str, units: &[(u8, u64)]) -> Option<(u64, &'a str)> {
    let (mut sum, mut rest) = (0, text);
    for (unit, seconds) in units {
        let signed = rest.strip_prefix('+').filter(|rest| rest.starts_with(|first: char| first.is_ascii_digit()));
        let unsigned = signed.unwrap_or(rest);
        let digits = unsigned.bytes().take_while(u8::is_ascii_digit).count();
        if unsigned.as_bytes().get(digits) == Some(unit) {
            let number: u32 = if digits == 0 { 0 } else { unsigned.get(..digits)?.parse().ok()? };
            sum += u64::from(number) * seconds;
            rest = unsigned.get(digits + 1..)?;
        }
    }
    Some((sum, rest))
}

/// A number alone, or a sum of numbers with units.
fn units(text: &str, scale: impl Fn(char) -> Option<u64>) -> Option<u64> {
    let (mut sum, mut number) = (0u64, None::<u32>);
    for letter in text.chars() {
        match letter.to_digit(10) {
            Some(digit) => number = Some(number.unwrap_or(0).checked_mul(10)?.checked_add(digit)?),
            None => {
                sum = sum.checked_add(u64::from(number.take()?).checked_mul(scale(letter.to_ascii_lowercase())?)?)?
            }
        }
    }
    match number {
        // A number alone; behind units, one without a unit of its own means nothing.
        Some(_) if text.contains(|letter: char| !letter.is_ascii_digit()) => None,
        Some(alone) => Some(alone.into()),
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
    saturating(digits)?.checked_mul(scale)
}

/// `NN%`, of which BIND takes the low 32 bits; `%` alone is none.
pub(crate) fn percent(text: &str) -> Option<u32> {
    match text.strip_suffix('%')? {
        "" => Some(0),
        digits => saturating(digits).map(|number| number as u32),
    }
}

/// A number, or the largest if it is beyond 64 bits. As to C, one below zero counts from the other end.
fn saturating(text: &str) -> Option<u64> {
    let digits = text.strip_prefix(['+', '-']).unwrap_or(text);
    let all_digits = !digits.is_empty() && digits.bytes().all(|byte| byte.is_ascii_digit());
    match digits.parse::<u64>() {
        Ok(number) if text.starts_with('-') => all_digits.then_some(number.wrapping_neg()),
        number => all_digits.then(|| number.unwrap_or(u64::MAX)),
    }
}

/// An address; what stands behind a `%` must tell an interface.
pub(crate) fn address(text: &str) -> Option<IpAddr> {
    match text.split_once('%') {
        None => text.parse().ok(),
        Some((bare, scope)) => {
            let address: Ipv6Addr = bare.parse().ok()?;
            interface(address, scope).map(|_| address.into())
        }
    }
}

/// The number of the interface that an address tells; 0: none.
pub(crate) fn interface_of(text: &str) -> u32 {
    let parts = text.split_once('%').and_then(|(bare, scope)| Some((bare.parse().ok()?, scope)));
    parts.and_then(|(address, scope)| interface(address, scope)).unwrap_or(0)
}

/// A number, behind which BIND takes anything, or for local addresses the name of an interface of this host.
fn interface(address: Ipv6Addr, scope: &str) -> Option<u32> {
    let named = address.is_unicast_link_local().then(|| if_nametoindex(scope).ok()).flatten();
    let digits = scope.bytes().take_while(u8::is_ascii_digit).count();
    named.or_else(|| scope.get(..digits)?.parse().ok())
}

/// Whether a text is an address but for the interface that it tells.
pub(crate) fn is_elsewhere(text: &str) -> bool {
    address(text).is_none() && text.split_once('%').is_some_and(|(bare, _)| bare.parse::<Ipv6Addr>().is_ok())
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
        for text in ["10m", "", "-1", "08", "0x", "0x3c", "0xFF"] {
            assert_eq!(integer(text), None, "{text}");
        }
    }

    #[test]
    fn durations_take_units_and_iso_8601() {
        for (text, seconds) in [
            ("3600", 3600),
            ("1h30m", 5400),
            ("1W", 604_800),
            ("PT1H", 3600),
            ("P1DT2H", 93_600),
            ("P90D", 7_776_000),
            ("P", 0),
            ("PTH", 0),
            ("P1YD", 31_536_000),
            ("P+1D", 86_400),
            ("P1DlocalneT1S", 86_401),
        ] {
            assert_eq!(duration(text), Some(seconds), "{text}");
        }
        for text in [
            "",
            "10x",
            "h",
            "P1",
            "99h9",
            "P1D2Y",
            "P1W1D",
            "P1WT1H",
            "P1H",
            "PT1H1H",
            "PT4294967296S",
            "P1Dx",
            "P+D",
            "P1DxyT1S",
        ] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn sizes_have_one_letter() {
        assert_eq!(size("10k"), Some(10_240));
        assert_eq!(size("2G"), Some(2 << 30));
        assert_eq!(size("10mb"), None);
        assert_eq!(size("+1k"), Some(1024));
        assert_eq!(size("-18446744073709551615k"), Some(1024));
        assert_eq!([size("-1"), size("-99999999999999999999")], [Some(u64::MAX); 2]);
        assert_eq!([size("-1k"), size("-"), size("+-1")], [None; 3]);
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
