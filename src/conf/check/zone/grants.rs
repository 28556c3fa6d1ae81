//! The rules of `update-policy`: who, how far down, which types.

use crate::conf::check::Context;
use crate::conf::tree::{Item, Node, Value};
use crate::dns::{Name, Rtype};

/// Rules in which the name is that of whoever asks.
const OF_IDENTITY: [&str; 3] = ["self", "selfsub", "selfwild"];
/// Rules in which the name says nothing.
const OF_NOTHING: [&str; 6] = ["6to4-self", "krb5-self", "krb5-selfsub", "ms-self", "ms-selfsub", "tcp-self"];
/// The rule for the whole zone, which has no name.
const ZONE: &str = "zonesub";
/// Types of which there is nothing but the name.
const UNUSED_TYPES: [&str; 9] = ["UINFO", "UID", "GID", "UNSPEC", "EID", "NIMLOC", "ATMA", "HHIT", "BRID"];
/// A name that says nothing.
const PLACEHOLDER: &str = ".";

impl Context<'_> {
    /// All rules of a statement.
    pub(super) fn check_grants(&self, node: &Node<'_>) {
        for rule in node.list().unwrap_or_default() {
            let [_, identity, Item { value: Value::Word(matching), .. }, rest @ ..] = rule else { continue };
            let who = self.grant_name(identity);
            let types = match rest.split_first() {
                Some((name, types)) if *matching != ZONE => {
                    if let Some(who) = who {
                        self.check_grant_name(matching, identity, &who, name);
                    }
                    types
                }
                _ => rest,
            };
            types.iter().for_each(|item| self.check_grant_type(item));
        }
    }

    fn grant_name(&self, item: &Item<'_>) -> Option<Name> {
        let text = item.text().unwrap_or_default();
        let name = text.parse().ok();
        if name.is_none() {
            self.error(item.place, format!("'{text}' is not a valid name"));
        }
        name
    }

    /// The name of a rule other than that for the whole zone.
    fn check_grant_name(&self, matching: &str, identity: &Item<'_>, who: &Name, item: &Item<'_>) {
        let Some(name) = self.grant_name(item) else { return };
        let (text, place) = (item.text().unwrap_or_default(), identity.place);
        let is_placeholder = name.as_ref().is_root();
        if OF_NOTHING.contains(&matching) {
            if !is_placeholder {
                self.error(place, format!("name field not set to placeholder value '{PLACEHOLDER}'"));
            }
            return;
        }
        if OF_IDENTITY.contains(&matching) {
            if !is_placeholder && *who != name {
                self.error(place, "identity and name fields are not the same");
            }
            return;
        }
        if matching == "wildcard" && !name.as_ref().is_wildcard() {
            self.error(place, format!("'{text}' is not a wildcard"));
        }
        if is_type(text) {
            self.error(place, format!("missing name field type '{text}' found"));
        }
    }

    /// A type, and how many of it there may be: `A(5)`.
    fn check_grant_type(&self, item: &Item<'_>) {
        let text = item.text().unwrap_or_default();
        let (name, count) = text.find('(').map_or((text, None), |at| {
            let (name, count) = text.split_at(at);
            (name, Some(count))
        });
        if !is_type(name) {
            return self.error(item.place, format!("'{name}' is not a valid type"));
        }
        if let Some(count) = count.filter(|count| !is_count(count)) {
            self.error(item.place, format!("'{count}' is not a valid count"));
        }
    }
}

fn is_type(text: &str) -> bool {
    text.parse::<Rtype>().is_ok() || UNUSED_TYPES.iter().any(|known| known.eq_ignore_ascii_case(text))
}

fn is_count(text: &str) -> bool {
    let digits = text.strip_prefix('(').and_then(|rest| rest.strip_suffix(')'));
    digits.is_some_and(|digits| {
        digits.bytes().all(|byte| byte.is_ascii_digit()) && (digits.is_empty() || digits.parse::<u16>().is_ok())
    })
}
