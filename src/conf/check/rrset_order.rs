//! `rrset-order`: classes, types, names and orders.

use super::{Context, named};
use crate::conf::tree::{Block, Item, Node, after};
use crate::dns::{Class, Name, Rtype};

/// The orders that Debian's builds have.
const ORDERS: [&str; 3] = ["random", "cyclic", "none"];
/// An order that they lack.
const NOT_BUILT: &str = "fixed";

impl Context<'_> {
    /// The statement of a view.
    pub(super) fn check_rrset_order(&self, own: Option<Block<'_>>) {
        let node = own.and_then(|block| named(block, "rrset-order"));
        node.and_then(Node::list).unwrap_or_default().iter().for_each(|element| self.check_ordering(element));
    }

    fn check_ordering(&self, element: &[Item<'_>]) {
        self.check_part::<Class>(element, "class");
        self.check_part::<Rtype>(element, "type");
        self.check_part::<Name>(element, "name");
        let [.., keyword, order] = element else { return };
        if !keyword.text().is_some_and(|word| word.eq_ignore_ascii_case("order")) {
            self.error(keyword.place, "rrset-order: keyword 'order' missing");
        }
        let text = order.text().unwrap_or_default();
        if text.eq_ignore_ascii_case(NOT_BUILT) {
            self.warn(order.place, "rrset-order: order 'fixed' was disabled at compilation time");
        } else if !ORDERS.iter().any(|known| known.eq_ignore_ascii_case(text)) {
            self.error(order.place, format!("rrset-order: invalid order '{text}'"));
        }
    }

    fn check_part<T: std::str::FromStr>(&self, element: &[Item<'_>], part: &str) {
        if let Some((item, text)) = after(element, part).and_then(|item| Some((item, item.text()?)))
            && text.parse::<T>().is_err()
        {
            self.error(item.place, format!("rrset-order: invalid {part} '{text}'"));
        }
    }
}
