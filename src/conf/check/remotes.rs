//! Lists of servers: `primaries`, `masters` and `parental-agents` with a name, and what refers to them.

use std::collections::{HashMap, HashSet};

use super::tls::EPHEMERAL;
use super::{Context, all_named};
use crate::conf::lexer::Place;
use crate::conf::tree::{Block, Item, Node, Value, after};
use crate::dns::Name;

/// Words that name lists of primaries; they share one name space. 9.20 gave them a common name.
const PRIMARIES: [&str; 3] = ["primaries", "masters", "remote-servers"];
/// The word that names lists of parental agents.
const AGENTS: [&str; 1] = ["parental-agents"];
/// How many lists may lead to one.
const MAX_DEPTH: usize = 1000;

/// The named lists of each kind.
pub(super) struct Lists<'a> {
    primaries: HashMap<String, &'a Node<'a>>,
    agents: HashMap<String, &'a Node<'a>>,
}

/// Which lists a statement may refer to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    Primaries,
    Agents,
}

impl<'a> Lists<'a> {
    /// The statements, of several with one name the first.
    pub(super) fn of(root: Block<'a>) -> Self {
        Self { primaries: collect(root, &PRIMARIES), agents: collect(root, &AGENTS) }
    }

    fn find(&self, kind: Kind, folded: &str) -> Option<&'a Node<'a>> {
        let lists = if kind == Kind::Primaries { &self.primaries } else { &self.agents };
        lists.get(folded).copied()
    }
}

fn collect<'a>(root: Block<'a>, words: &[&str]) -> HashMap<String, &'a Node<'a>> {
    let mut lists = HashMap::new();
    for node in words.iter().flat_map(|word| all_named(root, word)) {
        lists.entry(node.text().unwrap_or_default().to_ascii_lowercase()).or_insert(node);
    }
    lists
}

impl Context<'_> {
    /// No two lists of a kind have the same name.
    pub(super) fn check_lists(&self) {
        for words in [&PRIMARIES[..], &AGENTS[..]] {
            let mut seen: HashMap<String, Place> = HashMap::new();
            words.iter().for_each(|word| self.check_names_of_lists(word, &mut seen));
        }
    }

    /// BIND leaves the statements of one word at the first fault.
    fn check_names_of_lists(&self, word: &str, seen: &mut HashMap<String, Place>) {
        for node in all_named(self.root, word) {
            let name = node.text().unwrap_or_default();
            if let Some(earlier) = seen.get(&name.to_ascii_lowercase()) {
                let earlier = self.shown(*earlier);
                return self
                    .error(node.place, format!("{word} list '{name}' is duplicated: also defined at {earlier}"));
            }
            seen.insert(name.to_ascii_lowercase(), node.place);
        }
    }

    /// How many servers a statement comes to; none: it is at fault, which has been noted.
    ///
    /// Each named list counts once, so that one which leads to itself ends.
    pub(super) fn check_remotes(&self, node: &Node<'_>, kind: Kind) -> Option<usize> {
        let mut use_of = Use { kind, seen: HashSet::new(), depth: 0, servers: 0, is_sound: true };
        self.expand(node, &mut use_of);
        use_of.is_sound.then_some(use_of.servers)
    }

    fn expand(&self, node: &Node<'_>, into: &mut Use) {
        for element in node.list().unwrap_or_default() {
            match element.first() {
                Some(Item { value: Value::Address(_), .. }) => {
                    into.servers += 1;
                    into.is_sound &= self.check_remote(element);
                }
                Some(Item { value: Value::Text(name), place, .. }) => {
                    into.is_sound &= self.check_bare(element);
                    self.expand_named(name, *place, into);
                }
                _ => {}
            }
        }
    }

    fn expand_named(&self, name: &str, place: Place, into: &mut Use) {
        let folded = name.to_ascii_lowercase();
        if !into.seen.insert(folded.clone()) {
            return;
        }
        let Some(node) = self.lists.find(into.kind, &folded) else {
            let kind = if into.kind == Kind::Primaries { "primaries" } else { "parental-agents" };
            into.is_sound = false;
            return self.error(place, format!("unable to find {kind} list '{name}'"));
        };
        if into.depth >= MAX_DEPTH {
            into.is_sound = false;
            return self.error(place, format!("list '{name}' is nested too deeply"));
        }
        into.depth += 1;
        self.expand(node, into);
        into.depth -= 1;
    }

    /// The key and TLS settings of a server.
    fn check_remote(&self, element: &[Item<'_>]) -> bool {
        let mut is_sound = true;
        if let Some((item, text)) = text_after(element, "key")
            && text.parse::<Name>().is_err()
        {
            self.error(item.place, format!("'{text}' is not a valid name"));
            is_sound = false;
        }
        if let Some((item, text)) = text_after(element, "tls")
            && !self.is_tls(text)
        {
            if text.is_empty() {
                self.error(item.place, "'' is not a valid name");
            }
            self.error(item.place, format!("tls '{text}' is not defined"));
            is_sound = false;
        }
        is_sound
    }

    /// A list that is referred to has its keys and TLS settings within.
    fn check_bare(&self, element: &[Item<'_>]) -> bool {
        let key = text_after(element, "key");
        if let Some((item, text)) = key {
            self.error(item.place, format!("unexpected token '{text}'"));
        }
        let tls = text_after(element, "tls");
        if let Some((_, text)) = tls {
            // BIND says it where the key is, or would be.
            let would_be = element.iter().find(|item| item.value == Value::Word("tls"));
            let place = key.map(|(item, _)| item).or(would_be).map(|item| item.place).unwrap_or_default();
            self.error(place, format!("unexpected token '{text}'"));
        }
        key.is_none() && tls.is_none()
    }

    /// Unlike a listener, a server has no `none`.
    fn is_tls(&self, name: &str) -> bool {
        let is = |known: &str| known.eq_ignore_ascii_case(name);
        is(EPHEMERAL) || all_named(self.root, "tls").filter_map(Node::text).any(is)
    }
}

/// One statement being followed into the lists that it names.
struct Use {
    kind: Kind,
    seen: HashSet<String>,
    /// How many lists lead to the one that is being looked at.
    depth: usize,
    servers: usize,
    is_sound: bool,
}

fn text_after<'a>(element: &'a [Item<'a>], word: &str) -> Option<(&'a Item<'a>, &'a str)> {
    let item = after(element, word)?;
    Some((item, item.text()?))
}
