//! DNSSEC: how long signatures hold, and algorithms that are not to be trusted.

use std::collections::HashMap;

use super::limits::number_of;
use crate::conf::check::{Context, all_named, named};
use crate::conf::lexer::Place;
use crate::conf::tree::{Block, Node, Value};
use crate::dns::Name;

/// The longest time that a signature may hold, in days: ten years and a little.
const MAX_VALIDITY_DAYS: u32 = 3660;
/// A validity of up to as many days is renewed after hours, a longer one after days.
const SHORT_VALIDITY_DAYS: u32 = 7;
/// Hours of a day.
const DAY_H: u32 = 24;
/// What `disable-algorithms` may name besides numbers.
const ALGORITHMS: [&str; 16] = [
    "RSAMD5",
    "DH",
    "DSA",
    "RSASHA1",
    "NSEC3DSA",
    "NSEC3RSASHA1",
    "RSASHA256",
    "RSASHA512",
    "ECCGOST",
    "ECDSAP256SHA256",
    "ECDSAP384SHA384",
    "ED25519",
    "ED448",
    "INDIRECT",
    "PRIVATEDNS",
    "PRIVATEOID",
];
/// What `disable-ds-digests` may name besides numbers.
const DIGESTS: [&str; 7] = ["SHA-1", "SHA1", "SHA-256", "SHA256", "SHA-384", "SHA384", "GOST"];

impl Context<'_> {
    /// How long signatures hold; not for what a policy signs.
    pub(super) fn check_signatures(&self, block: Block<'_>) {
        let policy = named(block, "dnssec-policy").is_some();
        for (name, min) in [("sig-validity-interval", 1), ("dnskey-sig-validity", 0)] {
            let (Some(node), Some((item, days))) = (named(block, name), number_of(block, name)) else { continue };
            // BIND: what has two parts stands where its name does.
            let place = if name == "sig-validity-interval" { node.place } else { item.place };
            if !(min..=MAX_VALIDITY_DAYS).contains(&days) {
                self.error(place, format!("{name} '{days}' is out of range ({min}..{MAX_VALIDITY_DAYS})"));
            }
            if let Some(renewal) = node.items.get(1) {
                self.check_renewal(days, renewal.number().unwrap_or_default(), place);
            }
            if policy {
                self.error(place, format!("{name}: cannot be configured if dnssec-policy is also set"));
            }
        }
    }

    fn check_renewal(&self, days: u32, renewal: u32, place: Place) {
        let (validity, unit) = match days > SHORT_VALIDITY_DAYS {
            true => (days, "days"),
            false => (days * DAY_H, "hours"),
        };
        if !(1..=MAX_VALIDITY_DAYS).contains(&renewal) {
            // BIND shows the validity in place of the interval.
            let what = "sig-validity-interval (re-sign)";
            self.error(place, format!("{what} '{days}' is out of range (1..{MAX_VALIDITY_DAYS})"));
        } else if validity < renewal {
            let rule = format!("less than re-signing interval ({renewal} {unit})");
            self.error(place, format!("validity interval ({days} days) {rule}"));
        }
    }

    /// Algorithms and digests that are as if unknown below a name.
    pub(super) fn check_disabled(&self, block: Block<'_>) {
        self.check_mnemonics(block, "disable-algorithms", "algorithm", &ALGORITHMS);
        self.check_mnemonics(block, "disable-ds-digests", "digest type", &DIGESTS);
    }

    fn check_mnemonics(&self, block: Block<'_>, statement: &str, what: &str, known: &[&str]) {
        for node in all_named(block, statement) {
            node.items.first().and_then(|item| self.check_domain(item));
            for item in node.list().unwrap_or_default().iter().copied().flatten() {
                let text = item.text().unwrap_or_default();
                let is_number = text.bytes().all(|byte| byte.is_ascii_digit()) && text.parse::<u8>().is_ok();
                if !is_number && !known.iter().any(|known| known.eq_ignore_ascii_case(text)) {
                    self.error(item.place, format!("invalid {what} '{text}'"));
                }
            }
        }
    }

    /// `auto-dnssec` is for zones.
    pub(super) fn check_auto_dnssec(&self, block: Block<'_>) {
        let Some(item) = named(block, "auto-dnssec").and_then(|node| node.items.first()) else { return };
        if item.value != Value::Word("off") {
            self.error(item.place, "auto-dnssec may only be activated at the zone level");
        }
    }

    /// `dnssec-must-be-secure`: each name once.
    pub(super) fn check_must_be_secure(&self, block: Block<'_>) {
        let mut seen: HashMap<Name, &Node<'_>> = HashMap::new();
        for node in all_named(block, "dnssec-must-be-secure") {
            let Some(name) = node.items.first().and_then(|item| self.check_domain(item)) else { continue };
            if let Some(earlier) = seen.get(&name) {
                let (shown, earlier) = (name.to_string(), self.shown(earlier.place));
                let shown = shown.strip_suffix('.').filter(|rest| !rest.is_empty()).unwrap_or(&shown);
                let what = format!("dnssec-must-be-secure '{shown}'");
                self.error(node.place, format!("{what}: already exists previous definition: {earlier}"));
            } else {
                seen.insert(name, node);
            }
        }
    }
}
