//! DNS cookies (RFC 9018): the algorithm and its secrets.

use super::first_item;
use crate::conf::check::{Context, all_named};
use crate::conf::tree::{Block, Item, Value};

/// Bits of a secret, of either algorithm.
const SECRET_BITS: usize = 128;
/// The most bytes that BIND reads of one.
const MAX_SECRET_LEN: usize = 32;

impl Context<'_> {
    /// `cookie-algorithm` and each `cookie-secret`.
    pub(super) fn check_cookies(&self, block: Block<'_>) {
        let algorithm = first_item(block, "cookie-algorithm");
        let aes = algorithm.filter(|item| item.value == Value::Word("aes"));
        if let Some(item) = aes {
            self.warn(item.place, "cookie-algorithm 'aes' is deprecated");
        }
        let shown = if aes.is_some() { "AES" } else { "SipHash-2-4" };
        for item in all_named(block, "cookie-secret").filter_map(|node| node.items.first()) {
            self.check_secret(item, shown);
        }
    }

    fn check_secret(&self, item: &Item<'_>, algorithm: &str) {
        let digits: Vec<u8> =
            item.text().unwrap_or_default().bytes().filter(|byte| !byte.is_ascii_whitespace()).collect();
        match data_encoding::HEXUPPER_PERMISSIVE.decode(&digits) {
            Err(_) => self.error(item.place, "cookie-secret: invalid hex string"),
            Ok(secret) if secret.len() > MAX_SECRET_LEN => self.error(item.place, "cookie-secret: too long"),
            Ok(secret) if secret.len() * 8 != SECRET_BITS => {
                self.error(item.place, format!("{algorithm} cookie-secret must be {SECRET_BITS} bits"));
            }
            Ok(_) => {}
        }
    }
}
