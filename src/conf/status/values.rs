//! Values that are refused within statements that are honoured.
//!
//! The lowering passes over each in the way that opens least: a location matches nobody, a zone of another type is not
//! there.

use super::{Finding, Outcome};
use crate::conf::table::clause;
use crate::conf::tree::{Item, Node, Value};

/// Words of the syntax, wherever they stand.
const WORDS: [(&str, &str); 12] = [
    ("external", "no helper is asked, and updaters would be locked out"),
    ("geoip", "locations are not looked up, so it would match nobody"),
    ("krb5-self", GSS),
    ("krb5-selfsub", GSS),
    ("krb5-subdomain", GSS),
    ("krb5-subdomain-self-rhs", GSS),
    ("ms-self", GSS),
    ("ms-selfsub", GSS),
    ("ms-subdomain", GSS),
    ("ms-subdomain-self-rhs", GSS),
    ("source", "requests to these servers would come from another address, which they may not serve"),
    ("source-v6", "requests to these servers would come from another address, which they may not serve"),
];

/// Why rules of `update-policy` about principals of Kerberos are refused.
const GSS: &str = "GSS-TSIG is not there yet, and updaters would be locked out";

/// Types of zones, under the names that they are tolerated by.
const ZONE_TYPES: [(&str, &str, &str); 6] = [
    ("delegation-only", "type-delegation-only", "nomd does not recurse, so it would not limit anything"),
    ("forward", "type-forward", "nomd does not recurse, so nothing would be forwarded"),
    ("mirror", "type-mirror", "nomd does not validate zones, and clients would not get it from a cache"),
    ("redirect", "type-redirect", "nomd does not recurse, so nothing would be redirected"),
    ("static-stub", "type-static-stub", "nomd does not recurse, so nothing would be looked up there"),
    ("stub", "type-stub", "nomd does not recurse, so nothing would be looked up there"),
];

/// What the values go by.
pub(super) fn names() -> impl Iterator<Item = &'static str> {
    let words = WORDS.iter().map(|(word, _)| *word);
    words.chain(ZONE_TYPES.iter().map(|(_, name, _)| *name))
}

/// Shows the values of a statement that are refused.
pub(super) fn visit<'a>(node: &'a Node<'a>, see: &mut impl FnMut(Finding<'a>)) {
    let mut refuse = |item: &Item<'_>, name, why| {
        see(Finding { node, place: item.place, name, is_value: true, outcome: Outcome::Refused(why) });
    };
    if node.statement.clause == clause::TYPE {
        zone_type(node, &mut refuse);
    }
    words(node.items, &mut refuse);
}

fn zone_type(node: &Node<'_>, refuse: &mut impl FnMut(&Item<'_>, &'static str, &'static str)) {
    for item in node.items {
        let Value::Word(word) = &item.value else { continue };
        if let Some((_, name, why)) = ZONE_TYPES.iter().find(|(known, ..)| *known == *word) {
            refuse(item, name, why);
        }
    }
}

fn words(items: &[Item<'_>], refuse: &mut impl FnMut(&Item<'_>, &'static str, &'static str)) {
    for (item, next) in items.iter().zip(items.iter().skip(1).map(Some).chain([None])) {
        match &item.value {
            Value::Word(word) => {
                let known = WORDS.iter().find(|(known, _)| *known == *word);
                if let Some((word, why)) = known.filter(|_| !asks_for_nothing(next)) {
                    refuse(item, word, why);
                }
            }
            Value::List(list) => list.iter().for_each(|element| words(element, refuse)),
            _ => {}
        }
    }
}

/// Whether what stands behind such a word is any address.
fn asks_for_nothing(item: Option<&Item<'_>>) -> bool {
    match item.map(|item| &item.value) {
        Some(Value::Source(address)) => address.ip().is_unspecified(),
        _ => false,
    }
}
