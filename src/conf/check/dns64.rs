//! `dns64`: prefixes and suffixes (RFC 6052 section 2.2), and for whom.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use ipnet::IpNet;

use super::view::View;
use super::{Context, all_named, named};
use crate::conf::tree::{Block, Item, Node, Value};

/// The lengths that a prefix may have.
const LENGTHS: [u8; 6] = [32, 40, 48, 56, 64, 96];
/// The octet that stays zero: bits 64 to 71.
const ZERO_OCTET: usize = 8;
/// How many octets the IPv4 address takes.
const IPV4_LEN: usize = 4;
/// The lists within a block.
const LISTS: [&str; 3] = ["clients", "exclude", "mapped"];

impl<'a> Context<'a> {
    /// The statements of a view, or those of `options` where it has none.
    pub(super) fn check_dns64(&self, view: View<'a>) {
        let own = view.block.filter(|block| named(*block, "dns64").is_some()).or(self.options);
        for node in own.into_iter().flat_map(|block| all_named(block, "dns64")) {
            self.check_mapping(node);
        }
    }

    fn check_mapping(&self, node: &Node<'_>) {
        let Some(block) = node.block() else { return };
        let Some(Value::Prefix(prefix)) = node.value() else { return };
        let place = node.block_place();
        let IpAddr::V6(address) = prefix.addr() else {
            return self.error(place, format!("dns64 prefix {prefix} must be IPv6"));
        };
        if address.octets().get(ZERO_OCTET) != Some(&0) {
            return self.error(place, format!("dns64 prefix {prefix} bits [64..71] must be zero"));
        }
        if !LENGTHS.contains(&prefix.prefix_len()) {
            return self.error(place, format!("dns64 prefix {prefix} length is not 32/40/48/56/64/96"));
        }
        LISTS.into_iter().for_each(|name| self.check_list_of(named(block, name)));
        self.check_suffix(block, *prefix);
    }

    /// What stands behind the IPv4 address: the octets before it are zero.
    fn check_suffix(&self, block: Block<'_>, prefix: IpNet) {
        let Some((item, suffix)) = named(block, "suffix").and_then(suffix_of) else { return };
        let mut leading = usize::from(prefix.prefix_len()) / 8 + IPV4_LEN;
        if prefix.prefix_len() <= 64 {
            leading += 1;
        }
        if suffix.octets().iter().take(leading).any(|octet| *octet != 0) {
            self.error(item.place, format!("bad suffix '{}' leading {leading} octets not zeros", shown(suffix)));
        }
    }
}

/// An address as C writes it: one of 96 zero bits ends as IPv4 does.
fn shown(address: Ipv6Addr) -> String {
    const SHORTEST: u128 = 0x1_0000;
    match u128::from(address) {
        bits @ SHORTEST..=0xffff_ffff => format!("::{}", Ipv4Addr::from_bits(bits as u32)),
        _ => address.to_string(),
    }
}

fn suffix_of<'a>(node: &Node<'a>) -> Option<(&'a Item<'a>, Ipv6Addr)> {
    match node.items.first() {
        Some(item @ Item { value: Value::Address(IpAddr::V6(suffix)), .. }) => Some((item, *suffix)),
        _ => None,
    }
}
