//! Numbers and times that are too large or too small.

use std::ops::RangeInclusive;

use super::first_item;
use crate::conf::check::Context;
use crate::conf::tree::{Block, Item, Value};

/// The longest time, in minutes, that transfers and timers may take: four weeks.
const FOUR_WEEKS_MIN: u32 = 28 * 24 * 60;
/// Seconds of a week.
const WEEK_S: u32 = 7 * 24 * 60 * 60;
/// Statements and the largest value of each.
const LARGEST: [(&str, u32); 9] = [
    ("heartbeat-interval", FOUR_WEEKS_MIN),
    ("interface-interval", FOUR_WEEKS_MIN),
    ("max-transfer-idle-in", FOUR_WEEKS_MIN),
    ("max-transfer-idle-out", FOUR_WEEKS_MIN),
    ("max-transfer-time-in", FOUR_WEEKS_MIN),
    ("max-transfer-time-out", FOUR_WEEKS_MIN),
    ("min-cache-ttl", 90),
    ("min-ncache-ttl", 90),
    ("max-ncache-ttl", WEEK_S),
];
/// Sizes of exponents of RSA, in bits; 0: any.
const RSA_EXPONENT_BITS: RangeInclusive<u32> = 35..=4096;
/// `nta-lifetime` where it is not said, in seconds.
const NTA_LIFETIME_S: u32 = 3600;
/// The size of the database of added zones, in bytes.
const MAP_SIZE: RangeInclusive<u64> = 1 << 20..=1 << 40;
/// The shortest `stale-refresh-time` but none, in seconds.
const MIN_STALE_REFRESH_S: u32 = 30;
/// How often a query may be started again.
const RESTARTS: RangeInclusive<u32> = 1..=255;

impl Context<'_> {
    /// Values with nothing but a largest one, and the size of exponents.
    pub(super) fn check_limits(&self, block: Block<'_>) {
        for (name, max) in LARGEST {
            if let Some((item, number)) = number_of(block, name).filter(|(_, number)| *number > max) {
                self.error(item.place, format!("{name} '{number}' is out of range (0..{max})"));
            }
        }
        let (name, range) = ("max-rsa-exponent-size", RSA_EXPONENT_BITS);
        if let Some((item, bits)) = number_of(block, name).filter(|(_, bits)| *bits != 0 && !range.contains(bits)) {
            let (low, high) = range.into_inner();
            self.error(item.place, format!("{name} '{bits}' is out of range ({low}..{high})"));
        }
    }

    /// How long a negative trust anchor lives, and how often it is looked at again.
    pub(super) fn check_negative_anchors(&self, block: Block<'_>) {
        let mut lifetime = NTA_LIFETIME_S;
        if let Some((item, seconds)) = number_of(block, "nta-lifetime") {
            lifetime = seconds;
            if seconds > WEEK_S {
                self.error(item.place, "'nta-lifetime' cannot exceed one week");
            }
            if seconds == 0 {
                self.error(item.place, "'nta-lifetime' may not be zero");
            }
        }
        let Some((item, recheck)) = number_of(block, "nta-recheck") else { return };
        if recheck > WEEK_S {
            self.error(item.place, "'nta-recheck' cannot exceed one week");
        }
        if recheck > lifetime {
            // BIND shows both as signed numbers.
            let (recheck, lifetime) = (recheck.cast_signed(), lifetime.cast_signed());
            let rule = format!("({recheck} seconds) is greater than 'nta-lifetime' ({lifetime} seconds)");
            self.warn(item.place, format!("'nta-recheck' {rule}"));
        }
    }

    /// `lmdb-mapsize`.
    pub(super) fn check_map_size(&self, block: Block<'_>) {
        let Some(item) = first_item(block, "lmdb-mapsize") else { return };
        let Value::Bytes(size) = item.value else { return };
        let what = match () {
            () if size < *MAP_SIZE.start() => "small",
            () if size > *MAP_SIZE.end() => "large",
            () => return,
        };
        self.error(item.place, format!("'lmdb-mapsize {}' is too {what}", size.cast_signed()));
    }

    /// `resolver-nonbackoff-tries`.
    pub(super) fn check_tries(&self, block: Block<'_>) {
        if let Some((item, 0)) = number_of(block, "resolver-nonbackoff-tries") {
            self.error(item.place, "'resolver-nonbackoff-tries' must be >= 1");
        }
    }

    /// `max-ixfr-ratio`.
    pub(super) fn check_ixfr_ratio(&self, block: Block<'_>) {
        let Some(item) = first_item(block, "max-ixfr-ratio") else { return };
        match item.value {
            // The parenthesis is BIND's.
            Value::Percent(0) => {
                self.error(item.place, "'ixfr-max-ratio' must be a nonzero percentage or 'unlimited')");
            }
            Value::Percent(percent @ 101..) => {
                self.warn(item.place, format!("'ixfr-max-ratio {percent}%' exceeds 100%"));
            }
            _ => {}
        }
    }

    /// `stale-refresh-time`.
    pub(super) fn check_stale_refresh(&self, block: Block<'_>) {
        if let Some((item, 1..MIN_STALE_REFRESH_S)) = number_of(block, "stale-refresh-time") {
            let rule = format!("should either be 0 or otherwise {MIN_STALE_REFRESH_S} seconds or higher");
            self.warn(item.place, format!("'stale-refresh-time' {rule}"));
        }
    }

    /// `max-query-restarts`.
    pub(super) fn check_restarts(&self, block: Block<'_>) {
        if let Some((item, _)) = number_of(block, "max-query-restarts").filter(|(_, times)| !RESTARTS.contains(times)) {
            let (low, high) = RESTARTS.into_inner();
            self.error(item.place, format!("'max-query-restarts' is out of range {low}..{high})"));
        }
    }
}

/// The number, or the seconds, of a statement.
pub(in crate::conf::check) fn number_of<'a>(block: Block<'a>, name: &str) -> Option<(&'a Item<'a>, u32)> {
    let item = first_item(block, name)?;
    match item.value {
        Value::Number(number) | Value::Seconds(number) => Some((item, number)),
        _ => None,
    }
}
