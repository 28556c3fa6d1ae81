//! `dnssec-policy` statements: when signatures are renewed, keys and their roles, NSEC3.
//!
//! A policy is left at its first error, so that of two with one name the second is only noticed if the first is sound.
//! Lifetimes of keys are not held against the time that a rollover takes.

use std::collections::{BTreeMap, HashSet};

use super::{Context, all_named, named};
use crate::conf::lexer::Place;
use crate::conf::tree::{Block, Item, Node, Value, after};

/// Policies that need no statement.
const BUILT_IN: [&str; 3] = ["insecure", "none", "default"];
/// How long signatures are valid, and how long before their end they are renewed, where nothing is said.
const VALIDITY_S: u64 = 14 * 86_400;
const REFRESH_S: u64 = 5 * 86_400;
/// The most iterations, and the longest salt in bytes.
const NSEC3_LIMITS: [(&str, u32); 2] = [("iterations", 150), ("salt-length", 255)];
/// Mnemonics of the algorithms that BIND signs with.
const ALGORITHMS: [(&str, u8); 8] = [
    ("rsasha1", 5),
    ("nsec3rsasha1", 7),
    ("rsasha256", 8),
    ("rsasha512", 10),
    ("ecdsap256sha256", 13),
    ("ecdsap384sha384", 14),
    ("ed25519", 15),
    ("ed448", 16),
];
/// The bits of RSA keys by algorithm.
const RSA_BITS: [(u8, u32, u32); 4] = [(5, 1024, 4096), (7, 1024, 4096), (8, 1024, 4096), (10, 1024, 4096)];
/// Algorithms with SHA-1.
const DEPRECATED: [u8; 2] = [5, 7];

/// A policy is at fault; the reason has been noted.
struct Faulty;

/// How many keys of an algorithm sign keys, and how many sign zones.
#[derive(Default)]
struct Roles {
    ksk: u32,
    zsk: u32,
}

impl Context<'_> {
    /// All policies. What takes the name of a built-in one is said last and once, at the first policy.
    pub(super) fn check_dnssec_policies(&self) {
        let mut seen = HashSet::new();
        let mut takes_built_in = false;
        for node in all_named(self.root, "dnssec-policy") {
            let (name, Some(block)) = (node.text().unwrap_or_default(), node.block()) else { continue };
            if BUILT_IN.contains(&name) {
                takes_built_in = true;
            } else if seen.contains(name) {
                self.error(node.place, format!("dnssec-policy: duplicately named policy found '{name}'"));
            } else if self.check_dnssec_policy(node, name, block).is_ok() {
                seen.insert(name);
            }
        }
        if let Some(first) = named(self.root, "dnssec-policy").filter(|_| takes_built_in) {
            let rule = "may not be 'insecure', 'none', or 'default' (which are built-in policies)";
            self.error(first.place, format!("dnssec-policy name {rule}"));
        }
    }

    fn check_dnssec_policy(&self, node: &Node<'_>, name: &str, block: Block<'_>) -> Result<(), Faulty> {
        self.check_refresh(node, name, block)?;
        if let Some(item) = named(block, "keys").and_then(|node| node.items.first()) {
            self.check_policy_keys(item)?;
        }
        named(block, "nsec3param").map_or(Ok(()), |node| self.check_nsec3(node))
    }

    /// Signatures are renewed before nine tenths of their validity are over.
    fn check_refresh(&self, node: &Node<'_>, name: &str, block: Block<'_>) -> Result<(), Faulty> {
        let refresh = seconds(block, "signatures-refresh", REFRESH_S);
        let mut result = Ok(());
        for what in ["signatures-validity-dnskey", "signatures-validity"] {
            if refresh.saturating_mul(10) >= seconds(block, what, VALIDITY_S).saturating_mul(9) {
                let rule = format!("signatures-refresh must be at most 90% of the {what}");
                self.error(node.place, format!("dnssec-policy: policy '{name}' {rule}"));
                result = Err(Faulty);
            }
        }
        result
    }

    fn check_policy_keys(&self, keys: &Item<'_>) -> Result<(), Faulty> {
        let mut roles: BTreeMap<u8, Roles> = BTreeMap::new();
        for key in keys.list().unwrap_or_default() {
            let Some(item) = after(key, "algorithm") else { continue };
            let algorithm = self.check_policy_algorithm(item)?;
            self.check_length(key, item, algorithm)?;
            let roles = roles.entry(algorithm).or_default();
            let role = key.first().map(|item| item.value);
            roles.ksk += u32::from(role != Some(Value::Word("zsk")));
            roles.zsk += u32::from(role != Some(Value::Word("ksk")));
        }
        self.check_roles(keys.place, &roles)
    }

    fn check_policy_algorithm(&self, item: &Item<'_>) -> Result<u8, Faulty> {
        let text = item.text().unwrap_or_default();
        let known = ALGORITHMS.iter().find(|(name, _)| name.eq_ignore_ascii_case(text)).map(|(_, number)| *number);
        let Some(number) = known.or_else(|| text.parse().ok()) else {
            self.error(item.place, format!("dnssec-policy: bad algorithm {text}"));
            return Err(Faulty);
        };
        if DEPRECATED.contains(&number) {
            self.warn(item.place, format!("dnssec-policy: DNSSEC algorithm {text} is deprecated"));
        }
        Ok(number)
    }

    fn check_length(&self, key: &[Item<'_>], algorithm: &Item<'_>, number: u8) -> Result<(), Faulty> {
        let Some((item, bits)) = key.last().and_then(|item| Some((item, item.number()?))) else { return Ok(()) };
        let text = algorithm.text().unwrap_or_default();
        match RSA_BITS.iter().find(|(rsa, ..)| *rsa == number) {
            Some((_, low, high)) if !(*low..=*high).contains(&bits) => {
                let rule = format!("has invalid key length {bits}");
                self.error(item.place, format!("dnssec-policy: key with algorithm {text} {rule}"));
                Err(Faulty)
            }
            None if number >= 13 => {
                let rule = format!("has predefined length; ignoring length value {bits}");
                self.warn(item.place, format!("dnssec-policy: key algorithm {text} {rule}"));
                Ok(())
            }
            _ => Ok(()),
        }
    }

    fn check_roles(&self, place: Place, roles: &BTreeMap<u8, Roles>) -> Result<(), Faulty> {
        let mut result = Ok(());
        for (algorithm, roles) in roles {
            if roles.ksk == 0 || roles.zsk == 0 {
                self.error(place, format!("dnssec-policy: algorithm {algorithm} requires both KSK and ZSK roles"));
                result = Err(Faulty);
            }
            for (count, role) in [(roles.zsk, "ZSK"), (roles.ksk, "KSK")] {
                if count > 1 {
                    let rule = format!("has multiple keys with {role} role");
                    self.warn(place, format!("dnssec-policy: algorithm {algorithm} {rule}"));
                }
            }
        }
        result
    }

    fn check_nsec3(&self, node: &Node<'_>) -> Result<(), Faulty> {
        for (what, max) in NSEC3_LIMITS {
            let Some((item, number)) = node.after(what).and_then(|item| Some((item, item.number()?))) else { continue };
            if number > max {
                let rule = match what {
                    "iterations" => format!("iterations value {number} out of range"),
                    _ => format!("salt length {number} too high"),
                };
                self.error(item.place, format!("dnssec-policy: nsec3 {rule}"));
                return Err(Faulty);
            }
        }
        Ok(())
    }
}

fn seconds(block: Block<'_>, name: &str, default: u64) -> u64 {
    match named(block, name).and_then(Node::value) {
        Some(Value::Seconds(seconds)) => u64::from(*seconds),
        _ => default,
    }
}
