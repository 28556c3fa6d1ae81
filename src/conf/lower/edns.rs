//! How a view, or the server where no view says otherwise, speaks EDNS.

use std::ops::RangeInclusive;

use super::inherit::Levels;
use super::{Context, acl, clause};
use crate::conf::config::Edns;
use crate::conf::tree::Item;

/// The sizes of UDP payload that may be asked for; others are pulled to the nearer end.
const UDP_SIZES: RangeInclusive<u32> = 512..=4096;
/// The same for clients without a cookie.
const NOCOOKIE_SIZES: RangeInclusive<u32> = 128..=4096;
/// The largest block that BIND pads to a multiple of.
const MAX_PADDING_BLOCK: u32 = 512;

impl Context<'_> {
    pub(super) fn edns(&self, levels: Levels<'_>) -> Edns {
        let padding = levels.find(clause::RESPONSE_PADDING);
        let block = padding.and_then(|node| node.after("block-size")).and_then(Item::number);
        Edns {
            udp_size: pulled(levels.number(clause::EDNS_UDP_SIZE), UDP_SIZES),
            max_udp_size: pulled(levels.number(clause::MAX_UDP_SIZE), UDP_SIZES),
            nocookie_udp_size: pulled(levels.number(clause::NOCOOKIE_UDP_SIZE), NOCOOKIE_SIZES),
            require_server_cookie: levels.boolean(clause::REQUIRE_SERVER_COOKIE),
            padded: padding.map_or_else(acl::none, |node| self.node_list(node)),
            padding_block: block.unwrap_or(0).min(MAX_PADDING_BLOCK) as u16,
        }
    }
}

/// A size within the bounds for it.
pub(super) fn udp_size(size: u32) -> u16 {
    pulled(size, UDP_SIZES)
}

fn pulled(size: u32, sizes: RangeInclusive<u32>) -> u16 {
    size.clamp(*sizes.start(), *sizes.end()) as u16
}
