//! Times of signatures: seconds since 1970 modulo 2^32 on the wire, `YYYYMMDDHHMMSS` in text (RFC 4034 section 3.2).

use std::time::{SystemTime, UNIX_EPOCH};

use super::Fault;
use super::cursor::number;

const DAY_S: i64 = 86_400;
/// Days from 1 March of the year 0 to the start of 1970.
const MARCH_TO_1970: i64 = 719_468;
/// Text of up to so many digits is seconds, longer is a date.
const MAX_SECONDS_DIGITS: usize = 10;

/// Reads a date of fourteen digits or plain seconds.
pub(super) fn parse(text: &[u8]) -> Result<u32, Fault> {
    if text.len() <= MAX_SECONDS_DIGITS && text.first().is_none_or(|sign| !b"+-".contains(sign)) {
        return number(text, u32::MAX).map_err(|fault| if fault == Fault::NotNumber { Fault::Syntax } else { fault });
    }
    parse_date(text)
}

/// Reads a date of fourteen digits.
pub(super) fn parse_date(text: &[u8]) -> Result<u32, Fault> {
    date(text).map(|seconds| seconds as u32)
}

/// The seconds from 1970 to a date of fourteen digits.
pub(super) fn date(text: &[u8]) -> Result<i64, Fault> {
    if text.len() != 14 || !text.iter().all(u8::is_ascii_digit) {
        return Err(Fault::Syntax);
    }
    let part = |from: usize, to: usize| number(text.get(from..to).unwrap_or_default(), 9999);
    let (year, month, day) = (part(0, 4)?, part(4, 6)?, part(6, 8)?);
    let (hour, minute, second) = (part(8, 10)?, part(10, 12)?, part(12, 14)?);
    let in_range = (1..=12).contains(&month)
        && (1..=month_days(year, month)).contains(&i64::from(day))
        && hour <= 23
        && minute <= 59
        && second <= 60;
    if !in_range {
        return Err(Fault::OutOfRange);
    }
    Ok(days_before(year, month, day) * DAY_S + i64::from(hour * 3600 + minute * 60 + second))
}

/// The date of a time, which is one of the 136 years around now.
pub(super) fn to_text(time: u32) -> String {
    let now = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs();
    to_text_at(time, now as i64)
}

/// The date of a time, which is none before 1970.
pub(super) fn to_text_since_1970(time: u32) -> String {
    to_text_at(time, 1 << 31)
}

fn to_text_at(time: u32, now: i64) -> String {
    let from_now = time.wrapping_sub(now as u32).cast_signed();
    let seconds = now + i64::from(from_now);
    let (mut days, second) = (seconds.div_euclid(DAY_S), seconds.rem_euclid(DAY_S));
    let mut year = 1970;
    while days < 0 {
        year -= 1;
        days += year_days(year);
    }
    while days >= year_days(year) {
        days -= year_days(year);
        year += 1;
    }
    let mut month = 1;
    while days >= month_days(year, month) {
        days -= month_days(year, month);
        month += 1;
    }
    format!("{year:04}{month:02}{:02}{:02}{:02}{:02}", days + 1, second / 3600, second / 60 % 60, second % 60)
}

/// Days from the start of 1970. Years are counted from March, so that leap days are at their ends.
fn days_before(year: u32, month: u32, day: u32) -> i64 {
    let (year, month, day) = (i64::from(year), i64::from(month), i64::from(day));
    let (year, months) = if month > 2 { (year, month - 3) } else { (year - 1, month + 9) };
    let leap_days = year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400);
    // Behind March the months have 31 and 30 days by turns, but for August: 153 days in each five.
    let days = year * 365 + leap_days + (153 * months + 2) / 5 + day - 1;
    days - MARCH_TO_1970
}

fn is_leap(year: u32) -> bool {
    year.is_multiple_of(4) && (!year.is_multiple_of(100) || year.is_multiple_of(400))
}

fn year_days(year: u32) -> i64 {
    if is_leap(year) { 366 } else { 365 }
}

fn month_days(year: u32, month: u32) -> i64 {
    match month {
        2 if is_leap(year) => 29,
        2 => 28,
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn dates_and_seconds_are_the_same_time() {
        for (text, seconds) in
            [("19700101000000", 0), ("20000102030405", 946_782_245), ("20240229235959", 1_709_251_199)]
        {
            assert_eq!(parse(text.as_bytes()), Ok(seconds));
            assert_eq!(to_text(seconds), text);
        }
        assert_eq!(parse(b"2143"), Ok(2143));
        assert_eq!(to_text_at(u32::MAX, 0), "19691231235959");
        assert_eq!(to_text_at(u32::MAX, i64::from(u32::MAX)), "21060207062815");
        assert_eq!(parse(b"21060207062816"), Ok(0));
    }

    #[test]
    fn every_day_of_two_centuries_has_its_date() {
        for day in 0..u32::MAX / 86_400 {
            assert_eq!(parse(to_text_since_1970(day * 86_400).as_bytes()), Ok(day * 86_400));
        }
    }

    #[test]
    fn no_such_dates_are_refused() {
        assert_eq!(parse(b"20230229000000"), Err(Fault::OutOfRange));
        assert_eq!(parse(b"20231301000000"), Err(Fault::OutOfRange));
        assert_eq!(parse(b"2000010203040"), Err(Fault::Syntax));
        assert_eq!(parse(b"200001020304xx"), Err(Fault::Syntax));
    }
}
