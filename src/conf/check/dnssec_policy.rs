//! `dnssec-policy` statements: times that fit one another, keys and their roles, NSEC3.
//!
//! A policy is left at its first error, so that of two with one name the second is only noticed if the first is sound.

use std::collections::BTreeMap;

use hashbrown::HashSet;

use super::options::number_of;
use super::{Context, all_named, named};
use crate::conf::lexer::Place;
use crate::conf::tree::{Block, Item, Node, Value, after};

/// Names of policies that are there without a statement, in this spelling.
const BUILT_IN: [&str; 3] = ["default", "insecure", "none"];
/// The most iterations of NSEC3, and the longest salt in bytes.
const NSEC3_LIMITS: [(&str, u32); 2] = [("iterations", 150), ("salt-length", 255)];
/// A key that lives less long draws a warning.
const SHORT_LIFETIME_S: u64 = 30 * DAY_S;
const HOUR_S: u64 = 60 * 60;
const DAY_S: u64 = 24 * HOUR_S;

/// An algorithm that messages or rules speak of.
struct Algorithm {
    number: u8,
    names: &'static [&'static str],
    /// The sizes of its keys, where they are to be chosen.
    sizes: Option<(u32, u32)>,
    has_fixed_size: bool,
    is_deprecated: bool,
    /// It is older than NSEC3, and its zones cannot have it.
    lacks_nsec3: bool,
}

const fn algorithm(number: u8, names: &'static [&'static str]) -> Algorithm {
    Algorithm { number, names, sizes: None, has_fixed_size: false, is_deprecated: false, lacks_nsec3: false }
}

const ALGORITHMS: [Algorithm; 16] = [
    Algorithm { lacks_nsec3: true, ..algorithm(1, &["RSAMD5"]) },
    algorithm(2, &["DH"]),
    Algorithm { lacks_nsec3: true, ..algorithm(3, &["DSA"]) },
    Algorithm { sizes: Some((1024, 4096)), is_deprecated: true, lacks_nsec3: true, ..algorithm(5, &["RSASHA1"]) },
    algorithm(6, &["NSEC3DSA"]),
    Algorithm { sizes: Some((1024, 4096)), is_deprecated: true, ..algorithm(7, &["NSEC3RSASHA1"]) },
    Algorithm { sizes: Some((1024, 4096)), ..algorithm(8, &["RSASHA256"]) },
    Algorithm { sizes: Some((1024, 4096)), ..algorithm(10, &["RSASHA512"]) },
    algorithm(12, &["ECCGOST"]),
    Algorithm { has_fixed_size: true, ..algorithm(13, &["ECDSAP256SHA256", "ECDSA256"]) },
    Algorithm { has_fixed_size: true, ..algorithm(14, &["ECDSAP384SHA384", "ECDSA384"]) },
    Algorithm { has_fixed_size: true, ..algorithm(15, &["ED25519"]) },
    Algorithm { has_fixed_size: true, ..algorithm(16, &["ED448"]) },
    algorithm(252, &["INDIRECT"]),
    algorithm(253, &["PRIVATEDNS"]),
    algorithm(254, &["PRIVATEOID"]),
];

/// The times of a policy that the checks need, in seconds.
struct Times {
    validity: u64,
    validity_dnskey: u64,
    refresh: u64,
    jitter: u64,
    /// A key signing key has to live longer.
    ksk_min: u64,
    /// A zone signing key has to live longer.
    zsk_min: u64,
}

impl Times {
    fn of(block: Block<'_>) -> Self {
        let time = |name, default| number_of(block, name).map_or(default, |(_, seconds)| u64::from(seconds));
        let validity = time("signatures-validity", 14 * DAY_S);
        let refresh = time("signatures-refresh", 5 * DAY_S);
        let propagation = time("zone-propagation-delay", 5 * 60);
        let retire = time("retire-safety", HOUR_S);
        // RFC 7583 sections 3.2 and 3.3: how long a key is published before use, and kept after it.
        let publish = time("dnskey-ttl", HOUR_S) + time("publish-safety", HOUR_S) + propagation;
        let parent = time("parent-ds-ttl", DAY_S) + time("parent-propagation-delay", HOUR_S) + retire;
        let resign = validity.saturating_sub(refresh) + time("max-zone-ttl", DAY_S) + retire + propagation;
        Self {
            validity,
            validity_dnskey: time("signatures-validity-dnskey", 14 * DAY_S),
            refresh,
            jitter: time("signatures-jitter", 12 * HOUR_S),
            ksk_min: publish.max(parent),
            zsk_min: publish.max(resign),
        }
    }
}

/// The keys of one algorithm by what they do.
#[derive(Default)]
struct Roles {
    ksk: usize,
    zsk: usize,
}

/// A policy is at fault; the reason has been noted.
struct Faulty;

impl Context<'_> {
    /// All policies. What takes the name of a built-in one is said last and once, at the first policy.
    pub(super) fn check_dnssec_policies(&self) {
        let mut seen = HashSet::new();
        let mut reserved = false;
        for node in all_named(self.root, "dnssec-policy") {
            let name = node.text().unwrap_or_default();
            if BUILT_IN.contains(&name) {
                reserved = true;
            } else if seen.contains(name) {
                self.error(node.place, format!("dnssec-policy: duplicately named policy found '{name}'"));
            } else if node.block().is_some_and(|block| self.check_dnssec_policy(node, name, block).is_ok()) {
                seen.insert(name);
            }
        }
        if let Some(first) = named(self.root, "dnssec-policy").filter(|_| reserved) {
            let rule = "may not be 'insecure', 'none', or 'default' (which are built-in policies)";
            self.error(first.place, format!("dnssec-policy name {rule}"));
        }
    }

    fn check_dnssec_policy(&self, node: &Node<'_>, name: &str, block: Block<'_>) -> Result<(), Faulty> {
        let times = Times::of(block);
        self.check_validity(node, name, &times)?;
        let mut roles = BTreeMap::new();
        let mut algorithms = Vec::new();
        if let Some(keys) = named(block, "keys").and_then(|node| node.items.first()) {
            for element in keys.list().unwrap_or_default() {
                let number = self.check_policy_key(element, &times)?;
                note_role(element, roles.entry(number).or_default());
                algorithms.push(number);
            }
            self.check_roles(keys.place, &roles)?;
        }
        named(block, "nsec3param").map_or(Ok(()), |node| self.check_nsec3(node, &algorithms))
    }

    fn check_validity(&self, node: &Node<'_>, policy: &str, times: &Times) -> Result<(), Faulty> {
        let mut found = Ok(());
        let validities =
            [("signatures-validity-dnskey", times.validity_dnskey), ("signatures-validity", times.validity)];
        for (what, validity) in validities {
            let too_late = times.refresh * 10 >= validity * 9;
            let rules = [
                (too_late, "signatures-refresh must be at most 90% of the"),
                (times.jitter > validity, "signatures-jitter cannot be larger than"),
            ];
            for (_, rule) in rules.into_iter().filter(|(broken, _)| *broken) {
                found = Err(Faulty);
                self.error(node.place, format!("dnssec-policy: policy '{policy}' {rule} {what}"));
            }
        }
        found
    }

    /// The number of the key's algorithm, if all is well.
    fn check_policy_key(&self, element: &[Item<'_>], times: &Times) -> Result<u8, Faulty> {
        if let Some(Item { place, value: Value::Seconds(lifetime @ 1..), .. }) = after(element, "lifetime") {
            let lifetime = u64::from(*lifetime);
            if lifetime < SHORT_LIFETIME_S {
                self.warn(*place, "dnssec-policy: key lifetime is shorter than 30 days");
            }
            if does(element, "ksk") && lifetime <= times.ksk_min || does(element, "zsk") && lifetime <= times.zsk_min {
                let rule = "key lifetime is shorter than the time it takes to do a rollover";
                self.error(*place, format!("dnssec-policy: {rule}"));
                return Err(Faulty);
            }
        }
        self.check_algorithm(element)
    }

    fn check_algorithm(&self, element: &[Item<'_>]) -> Result<u8, Faulty> {
        let Some((item, text)) = after(element, "algorithm").and_then(|item| Some((item, item.text()?))) else {
            return Err(Faulty);
        };
        let Some(number) = algorithm_number(text) else {
            self.error(item.place, format!("dnssec-policy: bad algorithm {text}"));
            return Err(Faulty);
        };
        let Some(known) = ALGORITHMS.iter().find(|known| known.number == number) else { return Ok(number) };
        if known.is_deprecated {
            self.warn(item.place, format!("dnssec-policy: DNSSEC algorithm {text} is deprecated"));
        }
        let size = element.iter().find_map(|item| Some((item, item.number()?)));
        match (size, known.sizes) {
            (Some((item, bits)), Some((min, max))) if !(min..=max).contains(&bits) => {
                let rule = format!("key with algorithm {text} has invalid key length {bits}");
                self.error(item.place, format!("dnssec-policy: {rule}"));
                Err(Faulty)
            }
            (Some((item, bits)), _) if known.has_fixed_size => {
                let rule = format!("key algorithm {text} has predefined length; ignoring length value {bits}");
                self.warn(item.place, format!("dnssec-policy: {rule}"));
                Ok(number)
            }
            _ => Ok(number),
        }
    }

    /// Each algorithm signs both keys and data, each with a single key.
    fn check_roles(&self, place: Place, roles: &BTreeMap<u8, Roles>) -> Result<(), Faulty> {
        let mut found = Ok(());
        for (number, Roles { ksk, zsk }) in roles.iter().filter(|(_, roles)| roles.ksk + roles.zsk > 0) {
            if *ksk == 0 || *zsk == 0 {
                self.error(place, format!("dnssec-policy: algorithm {number} requires both KSK and ZSK roles"));
                found = Err(Faulty);
            }
            for (role, _) in [("ZSK", zsk), ("KSK", ksk)].into_iter().filter(|(_, count)| **count > 1) {
                let rule = format!("has multiple keys with {role} role");
                self.warn(place, format!("dnssec-policy: algorithm {number} {rule}"));
            }
        }
        found
    }

    fn check_nsec3(&self, node: &Node<'_>, algorithms: &[u8]) -> Result<(), Faulty> {
        let older = |number: &u8| ALGORITHMS.iter().find(|known| known.number == *number && known.lacks_nsec3);
        if let Some(name) = algorithms.iter().find_map(older).and_then(|known| known.names.first()) {
            // BIND takes the parameters to stand where the first of their values does.
            let place = node.items.get(1).map_or(node.place, |item| item.place);
            self.error(place, format!("dnssec-policy: cannot use nsec3 with algorithm '{name}'"));
            return Err(Faulty);
        }
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

fn note_role(element: &[Item<'_>], roles: &mut Roles) {
    roles.ksk += usize::from(does(element, "ksk"));
    roles.zsk += usize::from(does(element, "zsk"));
}

/// Whether a key has a role, or both. To BIND a word in capitals is none.
fn does(element: &[Item<'_>], role: &str) -> bool {
    element.first().is_some_and(|item| item.raw == role || item.raw == "csk")
}

fn algorithm_number(text: &str) -> Option<u8> {
    let named = ALGORITHMS.iter().find(|known| known.names.iter().any(|name| name.eq_ignore_ascii_case(text)));
    named.map(|known| known.number).or_else(|| {
        let is_plain = text.bytes().all(|byte| byte.is_ascii_digit());
        text.parse().ok().filter(|_| is_plain)
    })
}
