//! `rate-limit`: each number has a largest one.

use super::view::View;
use super::{Context, named};
use crate::conf::tree::{Block, Item, Node};

/// The most responses in a second that a limit may be.
const MAX_RATE: i32 = 1000;
/// Limits with a largest value, in order.
const RATES: [(&str, i32); 7] = [
    ("responses-per-second", MAX_RATE),
    ("referrals-per-second", MAX_RATE),
    ("nodata-per-second", MAX_RATE),
    ("nxdomains-per-second", MAX_RATE),
    ("errors-per-second", MAX_RATE),
    ("all-per-second", MAX_RATE),
    ("slip", 10),
];
/// The longest window, in seconds.
const MAX_WINDOW_S: i32 = 3600;
/// `min-table-size` where it is not said.
const MIN_TABLE_SIZE: i32 = 500;
/// The prefixes of IPv4 and IPv6 that count as one client.
const IPV4_LENGTHS: std::ops::RangeInclusive<i32> = 8..=32;
const IPV6_LENGTHS: std::ops::RangeInclusive<i32> = 16..=64;

impl<'a> Context<'a> {
    /// The statement that decides for a view.
    pub(super) fn check_rate_limit(&self, view: View<'a>) {
        let Some(block) = self.effective(view, "rate-limit").and_then(Node::block) else { return };
        self.check_table_size(block);
        for (name, max) in RATES {
            if let Some((item, number)) = number_of(block, name).filter(|(_, number)| *number > max) {
                self.error(item.place, format!("{name} {number} > {max}"));
            }
        }
        self.check_window(block);
        self.check_lengths(block);
        self.check_list_of(named(block, "exempt-clients"));
    }

    fn check_table_size(&self, block: Block<'_>) {
        let min = number_of(block, "min-table-size").map_or(MIN_TABLE_SIZE, |(_, size)| size.max(1));
        if let Some((item, max)) = number_of(block, "max-table-size").filter(|(_, max)| *max < min) {
            self.error(item.place, format!("max-table-size {max} < min-table-size {min}"));
        }
    }

    fn check_window(&self, block: Block<'_>) {
        let window = number_of(block, "window").filter(|(_, window)| !(1..=MAX_WINDOW_S).contains(window));
        if let Some((item, window)) = window {
            self.error(item.place, format!("window {window} < 1 or > {MAX_WINDOW_S}"));
        }
        if let Some((item, scale)) = number_of(block, "qps-scale").filter(|(_, scale)| *scale < 1) {
            self.error(item.place, format!("invalid 'qps-scale {scale}'"));
        }
    }

    fn check_lengths(&self, block: Block<'_>) {
        if let Some((item, bits)) =
            number_of(block, "ipv4-prefix-length").filter(|(_, bits)| !IPV4_LENGTHS.contains(bits))
        {
            self.error(item.place, format!("invalid 'ipv4-prefix-length {bits}'"));
        }
        if let Some((item, bits)) =
            number_of(block, "ipv6-prefix-length").filter(|(_, bits)| !IPV6_LENGTHS.contains(bits))
        {
            let (low, high) = IPV6_LENGTHS.into_inner();
            self.error(item.place, format!("ipv6-prefix-length {bits} < {low} or > {high}"));
        }
    }
}

/// A number of the block as BIND takes it: what is beyond 31 bits is negative.
fn number_of<'a>(block: Block<'a>, name: &str) -> Option<(&'a Item<'a>, i32)> {
    let (item, number) = super::options::number_of(block, name)?;
    Some((item, number as i32))
}
