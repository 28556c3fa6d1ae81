//! LOC (RFC 1876): a place on Earth in degrees, minutes and seconds, its altitude, its size and how exact it is.

use super::Fault;
use super::cursor::number;
use super::print::Printer;
use super::read::Source;
use crate::dns::text::Tokens;
use crate::dns::wire::{Reader, WireError};

/// The equator and the prime meridian, in thousandths of a second.
const MIDDLE: u32 = 1 << 31;
/// Altitudes are counted from so many centimetres below the reference.
const BASE_CM: i64 = 10_000_000;
const DEGREE_MS: u32 = 3_600_000;
const MINUTE_MS: u32 = 60_000;
/// 90000000.00 metres: the largest size.
const MAX_SIZE_CM: u64 = 9_000_000_000;
/// Size 1 m, horizontal 10 km, vertical 10 m, when they are left out (RFC 1876 section 3).
const DEFAULTS: [u8; 3] = [0x12, 0x16, 0x13];

/// Reads the record.
pub(super) fn read<'a, T: Tokens<'a>>(source: &mut Source<'a, '_, '_, T>, out: &mut Vec<u8>) -> Result<(), Fault> {
    let latitude = read_angle(source, 90, [b'N', b'S'])?;
    let longitude = read_angle(source, 180, [b'E', b'W'])?;
    let altitude = read_altitude(source.text()?)?;
    let mut sizes = DEFAULTS;
    for size in &mut sizes {
        let Some(text) = source.optional_text()? else { break };
        *size = read_size(text)?;
    }
    out.push(0);
    out.extend(sizes);
    for value in [latitude, longitude, altitude] {
        out.extend(value.to_be_bytes());
    }
    Ok(())
}

/// Degrees, then minutes and seconds at will, then the direction.
fn read_angle<'a, T: Tokens<'a>>(
    source: &mut Source<'a, '_, '_, T>,
    max_degrees: u32,
    directions: [u8; 2],
) -> Result<u32, Fault> {
    let direction = |text: &[u8]| match text {
        [letter] => directions.iter().position(|each| each == letter),
        _ => None,
    };
    let mut angle = source.number(max_degrees)? * DEGREE_MS;
    let mut text = source.text()?;
    if direction(text).is_none() {
        angle += number(text, 59)? * MINUTE_MS;
        if angle > max_degrees * DEGREE_MS {
            return Err(Fault::OutOfRange);
        }
        text = source.text()?;
    }
    if direction(text).is_none() {
        angle += read_seconds(text)?;
        if angle > max_degrees * DEGREE_MS {
            return Err(Fault::OutOfRange);
        }
        text = source.text()?;
    }
    let side = direction(text).ok_or(Fault::Syntax)?;
    Ok(if side == 0 { MIDDLE + angle } else { MIDDLE - angle })
}

/// Seconds with up to three digits behind the point, in thousandths.
fn read_seconds(text: &[u8]) -> Result<u32, Fault> {
    let (whole, fraction) = fixed_point(text, 3)?;
    if whole > 59 { Err(Fault::OutOfRange) } else { Ok((whole * 1000 + fraction) as u32) }
}

/// Metres with up to two digits behind the point, in centimetres from the base.
fn read_altitude(text: &[u8]) -> Result<u32, Fault> {
    let text = text.strip_suffix(b"m").unwrap_or(text);
    let (negative, digits) = match text.strip_prefix(b"-") {
        Some(digits) => (true, digits),
        None => (false, text),
    };
    let (whole, fraction) = fixed_point(digits, 2)?;
    let centimetres = (whole * 100 + fraction) as i64;
    u32::try_from(BASE_CM + if negative { -centimetres } else { centimetres }).map_err(|_| Fault::OutOfRange)
}

/// Metres as one digit of mantissa and one of exponent, in centimetres.
fn read_size(text: &[u8]) -> Result<u8, Fault> {
    if text.starts_with(b"-") {
        return Err(Fault::OutOfRange);
    }
    let (whole, fraction) = fixed_point(text.strip_suffix(b"m").unwrap_or(text), 2)?;
    let mut mantissa = whole * 100 + fraction;
    if mantissa > MAX_SIZE_CM {
        return Err(Fault::OutOfRange);
    }
    let mut exponent = 0;
    while mantissa > 9 {
        mantissa /= 10;
        exponent += 1;
    }
    Ok((mantissa as u8) << 4 | exponent)
}

fn not_number_is_syntax(fault: Fault) -> Fault {
    if fault == Fault::NotNumber { Fault::Syntax } else { fault }
}

/// A decimal number as its whole part and its fraction in units of 10^-`places`.
fn fixed_point(text: &[u8], places: usize) -> Result<(u64, u64), Fault> {
    let mut parts = text.splitn(2, |&byte| byte == b'.');
    let whole = match parts.next().unwrap_or_default() {
        [] if text.len() > 1 => 0,
        digits => number(digits, u32::MAX).map(u64::from).map_err(not_number_is_syntax)?,
    };
    let digits = parts.next().unwrap_or_default();
    if digits.len() > places {
        return Err(Fault::Syntax);
    }
    let mut fraction =
        if digits.is_empty() { 0 } else { u64::from(number(digits, u32::MAX).map_err(|_| Fault::Syntax)?) };
    for _ in digits.len()..places {
        fraction *= 10;
    }
    Ok((whole, fraction))
}

/// Version 0 is checked; of others nothing is known but that they may be there.
pub(super) fn check(reader: &mut Reader<'_>) -> Result<(), WireError> {
    if reader.u8()? != 0 {
        reader.rest();
        return Ok(());
    }
    for _ in 0..DEFAULTS.len() {
        let size = reader.u8()?;
        if size >> 4 > 9 || size & 0x0f > 9 {
            return Err(WireError::BadField);
        }
    }
    let in_range = |value: u32, degrees: u32| value.abs_diff(MIDDLE) <= degrees * DEGREE_MS;
    let (latitude, longitude, _) = (reader.u32()?, reader.u32()?, reader.u32()?);
    if in_range(latitude, 90) && in_range(longitude, 180) { Ok(()) } else { Err(WireError::BadField) }
}

/// Prints version 0.
pub(super) fn print(reader: &mut Reader<'_>, to: &mut Printer<'_, '_>) -> Result<(), WireError> {
    if reader.u8()? != 0 {
        return Err(WireError::BadField);
    }
    let sizes = [reader.u8()?, reader.u8()?, reader.u8()?];
    print_angle(reader.u32()?, ['N', 'S'], to);
    print_angle(reader.u32()?, ['E', 'W'], to);
    let altitude = i64::from(reader.u32()?) - BASE_CM;
    let sign = if altitude < 0 { "-" } else { "" };
    to.word(format_args!("{sign}{}.{:02}m", altitude.abs() / 100, altitude.abs() % 100));
    for size in sizes {
        to.word(size_text(size));
    }
    Ok(())
}

fn print_angle(value: u32, directions: [char; 2], to: &mut Printer<'_, '_>) {
    let [positive, negative] = directions;
    let direction = if value >= MIDDLE { positive } else { negative };
    let angle = value.abs_diff(MIDDLE);
    let (degrees, minutes, rest) = (angle / DEGREE_MS, angle / MINUTE_MS % 60, angle % MINUTE_MS);
    to.word(format_args!("{degrees} {minutes} {}.{:03} {direction}", rest / 1000, rest % 1000));
}

/// Metres, with a fraction only below one metre.
fn size_text(size: u8) -> String {
    let (mantissa, exponent) = (u64::from(size >> 4), u32::from(size & 0x0f));
    match exponent {
        0 | 1 => format!("0.{:02}m", mantissa * 10_u64.pow(exponent)),
        _ => format!("{}m", mantissa * 10_u64.saturating_pow(exponent - 2)),
    }
}
