//! Trust anchors: `trust-anchors`, and what it was called before: `managed-keys` and `trusted-keys`.
//!
//! Those of a view and of the top level count together. What is said of the root zone is what its key roll of 2018
//! taught: who trusts one key for ever is left without answers one day.

use std::collections::HashMap;

use super::view::View;
use super::{Context, all_named, named};
use crate::conf::lexer::Place;
use crate::conf::tree::{Block, Item, Node, Value};
use crate::dns::Name;

/// The flag of a key that has been revoked (RFC 5011 section 3).
const REVOKED: u32 = 0x80;
/// RSA with SHA-1, of which early keys had an exponent of 3.
const RSASHA1: u32 = 5;
/// How such a key starts.
const WEAK_EXPONENT: [u8; 2] = [1, 3];
/// How the root zone's keys of 2010 and 2017 start.
const ROOT_2010: &str = "AwEAAagAIKlVZrpC6Ia7gEzahOR+9W29euxhJhVV";
const ROOT_2017: &str = "AwEAAaz/tAm8yTn4Mfeh5eyI96WSVexTBAvkMgJz";
/// What to write in place of what will fail.
const ADVICE: &str =
    "entry for the root zone WILL FAIL after key rollover - use trust-anchors with initial-key or initial-ds instead.";
/// The largest values of the fields of a key and of a digest.
const KEY_FIELDS: [(&str, u32); 3] = [("flags", 65_535), ("protocol", 255), ("algorithm", 255)];
const DIGEST_FIELDS: [(&str, u32); 3] = [("key tag", 65_535), ("algorithm", 255), ("digest type", 255)];

/// One anchor.
struct Anchor<'a> {
    place: Place,
    name: Option<Name>,
    text: &'a str,
    /// `static-key`, `initial-ds` and so on; `trusted-key` in `trusted-keys`.
    kind: &'static str,
    numbers: Vec<u32>,
    data: String,
}

/// What anchors of the root zone there are.
#[derive(Default, Clone, Copy)]
struct Root {
    fixed: bool,
    initial: bool,
    key_2010: bool,
    key_2017: bool,
}

impl<'a> Context<'a> {
    /// The anchors of a view.
    pub(super) fn check_anchors(&self, view: View<'a>) {
        let levels: Vec<Block<'_>> = view.block.into_iter().chain([self.root]).collect();
        let nodes =
            |name: &'static str| levels.iter().flat_map(move |block| all_named(*block, name)).collect::<Vec<_>>();
        let (trusted, managed, mut current) = (nodes("trusted-keys"), nodes("managed-keys"), nodes("trust-anchors"));
        let old_root = self.check_levels(&levels, "trusted-keys", "trusted-keys");
        let mut newest = "trust-anchors";
        if current.is_empty() {
            (newest, current) = ("managed-keys", managed);
        } else if let Some(node) = managed.first() {
            self.error(node.place, "use of managed-keys is not allowed when trust-anchors is also in use");
        }
        let root = self.check_levels(&levels, newest, "static");
        self.check_root(&current, old_root, root);
        let is_auto = self.effective(view, "dnssec-validation").and_then(Node::value) == Some(&Value::Word("auto"));
        let (current, trusted) = (self.general_first(&current), self.general_first(&trusted));
        let all = current.iter().chain(&trusted).flat_map(|node| anchors(node));
        for anchor in all.filter(|anchor| is_auto && anchor.is_of_root() && !anchor.is_initial()) {
            let rule = "cannot be used with 'dnssec-validation auto'.";
            self.error(anchor.place, format!("static trust anchor for root zone {rule}"));
        }
        self.check_conflicts(&current, &trusted);
    }

    /// The statements of one name, those of the view first.
    fn check_levels(&self, levels: &[Block<'_>], name: &str, what: &str) -> Root {
        let mut root = Root::default();
        for block in levels {
            let own = self.check_statements(*block, name);
            if let Some(node) = named(*block, name).filter(|_| own.fixed) {
                self.warn(node.place, format!("{what} {ADVICE}"));
            }
            root = root.and(own);
        }
        root
    }

    fn check_statements(&self, block: Block<'_>, name: &str) -> Root {
        let mut root = Root::default();
        for anchor in all_named(block, name).flat_map(anchors) {
            if self.check_anchor(&anchor) {
                root.add(&anchor);
            }
        }
        root
    }

    fn check_root(&self, nodes: &[&Node<'_>], old: Root, root: Root) {
        let Some(place) = nodes.first().map(|node| node.place) else { return };
        if root.key_2010 && !root.key_2017 {
            let what = "uses the 2010 key without the updated 2017 key";
            self.warn(place, format!("initial-key entry for the root zone {what}"));
        }
        if old.fixed && (root.fixed || root.initial) {
            self.warn(place, "both trusted-keys and trust-anchors for the root zone are present");
        }
        if root.fixed && root.initial {
            self.warn(place, "both initial and static entries for the root zone are present");
        }
    }

    /// Whether it can be used.
    fn check_anchor(&self, anchor: &Anchor<'_>) -> bool {
        if anchor.name.is_none() {
            self.error(anchor.place, "bad key name: empty label\n");
        }
        let fields_fit = self.check_fields(anchor);
        let data_fits = if anchor.is_digest() { self.check_digest_data(anchor) } else { self.check_key_data(anchor) };
        anchor.name.is_some() && fields_fit && data_fits
    }

    fn check_fields(&self, anchor: &Anchor<'_>) -> bool {
        let (place, mut fit) = (anchor.place, true);
        let fields = if anchor.is_digest() { DIGEST_FIELDS } else { KEY_FIELDS };
        for ((field, max), number) in fields.into_iter().zip(&anchor.numbers) {
            if *number > max {
                // BIND's message ends its own line for algorithms.
                let end = if field == "algorithm" { "\n" } else { "" };
                self.error(place, format!("{field} too big: {number}{end}"));
                fit = false;
            } else if field == "flags" && number & REVOKED != 0 {
                self.warn(place, "key flags revoke bit set");
            }
        }
        fit
    }

    fn check_digest_data(&self, anchor: &Anchor<'_>) -> bool {
        let fits = data_encoding::HEXUPPER_PERMISSIVE.decode(anchor.data.as_bytes()).is_ok();
        if !fits {
            self.error(anchor.place, "bad hex encoding");
        }
        fits
    }

    fn check_key_data(&self, anchor: &Anchor<'_>) -> bool {
        let Ok(key) = data_encoding::BASE64.decode(anchor.data.as_bytes()) else {
            self.error(anchor.place, "bad base64 encoding");
            return false;
        };
        if anchor.numbers.get(2) == Some(&RSASHA1) && key.starts_with(&WEAK_EXPONENT) {
            self.warn(anchor.place, format!("{} '{}' has a weak exponent", anchor.kind, anchor.text));
        }
        true
    }

    /// A name is trusted for ever or to begin with, not both.
    fn check_conflicts(&self, current: &[&Node<'_>], trusted: &[&Node<'_>]) {
        let mut fixed: HashMap<Name, Place> = HashMap::new();
        let all = current.iter().chain(trusted).flat_map(|node| anchors(node));
        for anchor in all.filter(|anchor| !anchor.is_initial()) {
            if let Some(name) = anchor.name {
                fixed.entry(name).or_insert(anchor.place);
            }
        }
        for anchor in current.iter().flat_map(|node| anchors(node)).filter(Anchor::is_initial) {
            if let Some(earlier) = anchor.name.and_then(|name| fixed.get(&name).copied()) {
                let rule = "static and initializing keys cannot be used for the same domain.";
                self.error(anchor.place, format!("{rule} static key defined at {}", self.shown(earlier)));
            }
        }
    }

    /// Those of the top level before those of the view, as BIND has them here.
    fn general_first<'n>(&self, nodes: &[&'n Node<'n>]) -> Vec<&'n Node<'n>> {
        let is_of_root = |node: &&'n Node<'n>| self.root.0.iter().any(|known| std::ptr::eq(known, *node));
        let (mut general, own): (Vec<_>, Vec<_>) = nodes.iter().copied().partition(is_of_root);
        general.extend(own);
        general
    }
}

impl Anchor<'_> {
    fn is_digest(&self) -> bool {
        self.kind.ends_with("-ds")
    }

    fn is_of_root(&self) -> bool {
        self.name.as_ref().is_some_and(|name| name.as_ref().is_root())
    }

    fn is_initial(&self) -> bool {
        self.kind.starts_with("initial")
    }
}

impl Root {
    fn and(self, other: Self) -> Self {
        Self {
            fixed: self.fixed || other.fixed,
            initial: self.initial || other.initial,
            key_2010: self.key_2010 || other.key_2010,
            key_2017: self.key_2017 || other.key_2017,
        }
    }

    fn add(&mut self, anchor: &Anchor<'_>) {
        if !anchor.is_of_root() {
            return;
        }
        if !anchor.is_initial() {
            self.fixed = true;
            return;
        }
        self.initial = true;
        self.key_2010 |= anchor.data.starts_with(ROOT_2010);
        self.key_2017 |= anchor.data.starts_with(ROOT_2017);
    }
}

fn anchors<'a>(node: &'a Node<'a>) -> impl Iterator<Item = Anchor<'a>> {
    node.list().unwrap_or_default().iter().filter_map(|items| anchor(items))
}

fn anchor<'a>(items: &'a [Item<'a>]) -> Option<Anchor<'a>> {
    let (first, rest) = items.split_first()?;
    let text = first.text()?;
    let kind = rest.iter().find_map(|item| match item.value {
        Value::Word(word) => Some(word),
        _ => None,
    });
    Some(Anchor {
        place: first.place,
        name: text.parse().ok(),
        text,
        kind: kind.unwrap_or("trusted-key"),
        numbers: rest.iter().filter_map(Item::number).collect(),
        data: rest.iter().filter_map(Item::text).flat_map(str::split_whitespace).collect(),
    })
}
