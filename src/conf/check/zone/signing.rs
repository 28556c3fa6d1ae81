//! How a zone is signed: by a policy or as before there were any, and with keys from where.

use std::io::ErrorKind;
use std::path::Path;

use hashbrown::HashMap;

use super::fit::value_place;
use super::{Zone, word};
use crate::conf::check::options::number_of;
use crate::conf::check::{Context, named};
use crate::conf::lexer::Place;
use crate::conf::table::ZoneType;
use crate::conf::tree::{Node, Value};

/// Types for private use, of which one marks what is being signed.
const PRIVATE_TYPES: std::ops::RangeInclusive<u32> = 65_280..=65_535;

/// Who keeps keys where: by zone and directory, whatever the case of letters, the place of the zone and
/// the policy that it has itself.
pub(in crate::conf::check) type KeyDirectories = HashMap<String, (Place, Option<String>)>;

/// What decides how a zone is signed.
#[derive(Clone, Copy)]
pub(super) struct Signing {
    /// A policy does it.
    pub(super) by_policy: bool,
    /// The zone is changed by updates.
    pub(super) dynamic: bool,
    /// What it is made of is kept apart.
    pub(super) inline: bool,
}

impl<'a> Context<'a> {
    /// `auto-dnssec`, and what was for signing without a policy.
    pub(super) fn check_old_signing(&self, zone: &Zone<'a>, signing: Signing) {
        if !matches!(zone.kind, ZoneType::Primary | ZoneType::Secondary) {
            return;
        }
        self.check_automatic(zone, signing);
        self.check_private_type(zone);
        let needs_inline = zone.kind == ZoneType::Secondary && !signing.inline;
        self.check_switch(zone, "dnssec-dnskey-kskonly", needs_inline, signing.by_policy);
        self.check_switch(zone, "dnssec-secure-to-insecure", false, signing.by_policy);
        self.check_switch(zone, "dnssec-loadkeys-interval", needs_inline, false);
        self.check_switch(zone, "update-check-ksk", needs_inline, signing.by_policy);
        self.check_switch(zone, "dnssec-update-mode", false, signing.by_policy);
    }

    fn check_automatic(&self, zone: &Zone<'a>, signing: Signing) {
        let Some((node, said)) = named(zone.block, "auto-dnssec").and_then(|node| Some((node, word(node)?))) else {
            return;
        };
        let place = value_place(node);
        let rule = "is deprecated and will be removed in BIND 9.19. Please migrate to dnssec-policy";
        self.warn(place, format!("'auto-dnssec' option {rule}"));
        if said == "off" {
            return;
        }
        let shown = node.items.first().map_or(said, |item| item.raw);
        if !signing.dynamic && !signing.inline && !signing.by_policy {
            let updates = if zone.kind == ZoneType::Primary { " dynamic DNS or" } else { "" };
            let rule = format!("requires{updates} inline-signing to be configured for the zone");
            self.error(place, format!("'auto-dnssec {shown};' {rule}"));
        }
        if signing.by_policy {
            self.error(place, format!("'auto-dnssec {shown};' cannot be configured if dnssec-policy is also set"));
        }
    }

    fn check_private_type(&self, zone: &Zone<'_>) {
        let Some((item, number)) = number_of(zone.block, "sig-signing-type") else { return };
        if !PRIVATE_TYPES.contains(&number) {
            let (low, high) = PRIVATE_TYPES.into_inner();
            self.error(item.place, format!("sig-signing-type: {number} out of range [{low}..{high}]"));
        }
    }

    fn check_switch(&self, zone: &Zone<'_>, name: &str, needs_inline: bool, by_policy: bool) {
        let Some(node) = named(zone.block, name) else { return };
        if needs_inline {
            self.error(value_place(node), format!("{name}: requires inline-signing when used in secondary zone"));
        }
        if by_policy {
            self.error(value_place(node), format!("{name}: cannot be configured if dnssec-policy is also set"));
        }
    }

    /// `key-directory`: that it is there, and that two policies do not keep keys of one zone in it. BIND does
    /// not hold it against a zone whose policy is inherited that another comes by later.
    pub(super) fn check_key_directory(&self, zone: &Zone<'a>, policy: Option<&str>, taken: &mut KeyDirectories) {
        let node = self.effective_in(zone, "key-directory");
        if let Some((node, text)) = node.and_then(|node| Some((node, node.text()?))) {
            self.check_directory(node, text);
        }
        let (Some(policy), Some(_)) = (policy, &zone.apex) else { return };
        // BIND prints what is not there in the way of its C library.
        let directory = node.and_then(Node::text).unwrap_or("(null)");
        let shown = format!("{}/{directory}", zone.plain());
        match taken.get(&shown.to_ascii_lowercase()) {
            Some((earlier, Some(other))) if other != policy => {
                let (name, earlier) = (zone.plain(), self.shown(*earlier));
                let rule = format!("already in use by zone {name} with policy {other}: {earlier}");
                self.error(zone.node.place, format!("key-directory '{shown}' {rule}"));
            }
            Some(_) => {}
            None => {
                let own = named(zone.block, "dnssec-policy").and_then(Node::text).map(str::to_owned);
                taken.insert(shown.to_ascii_lowercase(), (zone.node.place, own));
            }
        }
    }

    fn check_directory(&self, node: &Node<'_>, text: &str) {
        let base = self.options.and_then(|block| named(block, "directory")).and_then(Node::text).unwrap_or_default();
        let is_empty = text.is_empty();
        let what = match Path::new(base).join(text).metadata() {
            Ok(found) if found.is_dir() && !is_empty => return,
            Err(error) if error.kind() == ErrorKind::NotADirectory => "is not a directory",
            Ok(_) if !is_empty => "is not a directory",
            _ => "does not exist",
        };
        self.warn(value_place(node), format!("key-directory: '{text}' {what}"));
    }
}

/// Whether a statement of yes or no says yes.
pub(super) fn says_yes(node: &Node<'_>) -> bool {
    node.value() == Some(&Value::Boolean(true))
}
