//! Address match lists: named acls resolved, prefixes and keys made typed.

use std::cell::RefCell;
use std::collections::HashMap;
use std::sync::Arc;

use super::inherit::Levels;
use super::{Context, clause};
use crate::conf::config::{AddressMatchList, Match, MatchElement};
use crate::conf::table::Clause;
use crate::conf::tree::{Item, Node, Value};
use crate::dns::Name;

/// The `acl` statements, and what those that were used resolve to.
#[derive(Default)]
pub(super) struct Acls<'a> {
    statements: HashMap<String, &'a Node<'a>>,
    resolved: RefCell<HashMap<String, State>>,
}

/// How far an acl's resolution is.
#[derive(Clone)]
enum State {
    /// Its elements are being looked at: to meet it again is a loop.
    Started,
    Done(AddressMatchList),
}

impl<'a> Acls<'a> {
    /// Collects the statements.
    pub(super) fn of(context: &Context<'a>) -> Self {
        let mut statements: HashMap<String, &'a Node<'a>> = HashMap::new();
        for node in context.tree.root.all(clause::ACL) {
            let name = node.text().unwrap_or_default();
            statements.entry(name.to_ascii_lowercase()).or_insert(node);
        }
        Self { statements, resolved: RefCell::default() }
    }
}

/// A list that matches everybody.
pub(super) fn any() -> AddressMatchList {
    Arc::new([MatchElement { negated: false, what: Match::Any }])
}

/// A list that matches nobody.
pub(super) fn none() -> AddressMatchList {
    Arc::new([MatchElement { negated: true, what: Match::Any }])
}

/// The host itself and its networks.
pub(super) fn local() -> AddressMatchList {
    [Match::Localhost, Match::Localnets].map(|what| MatchElement { negated: false, what }).into()
}

/// Those whom both lists match: `{ !{ !one; any; }; other; }`.
pub(super) fn both(one: AddressMatchList, other: AddressMatchList) -> AddressMatchList {
    let element = |negated, what| MatchElement { negated, what };
    if is_nobody(&one) || is_nobody(&other) {
        return none();
    }
    let not_one = [element(true, Match::List(one)), element(false, Match::Any)];
    Arc::new([element(true, Match::List(Arc::new(not_one))), element(false, Match::List(other))])
}

/// Whether a list plainly matches nobody.
pub(super) fn is_nobody(list: &AddressMatchList) -> bool {
    list.iter().all(|element| element.negated)
}

impl Context<'_> {
    /// The effective list of a statement.
    pub(super) fn effective_list(
        &self,
        levels: Levels<'_>,
        clause: Clause,
        default: fn() -> AddressMatchList,
    ) -> AddressMatchList {
        levels.find(clause).map_or_else(default, |node| self.node_list(node))
    }

    /// The list of one statement.
    pub(super) fn node_list(&self, node: &Node<'_>) -> AddressMatchList {
        self.match_list(node.list().unwrap_or_default())
    }

    /// The named lists that were used so far, by name.
    pub(super) fn used_acls(&self) -> Vec<(String, AddressMatchList)> {
        let resolved = self.acls.resolved.borrow();
        let done = resolved.iter().filter_map(|(name, state)| match state {
            State::Done(list) => Some((name.clone(), Arc::clone(list))),
            State::Started => None,
        });
        let mut used: Vec<_> = done.collect();
        used.sort_by(|(one, _), (other, _)| one.cmp(other));
        used
    }

    /// A list from its elements.
    pub(super) fn match_list(&self, elements: &[&[Item<'_>]]) -> AddressMatchList {
        elements.iter().filter_map(|items| self.match_element(items)).collect()
    }

    fn match_element(&self, items: &[Item<'_>]) -> Option<MatchElement> {
        let negations = items.iter().take_while(|item| item.value == Value::Word("!")).count();
        let negated = negations % 2 == 1;
        let item = items.get(negations)?;
        let what = match &item.value {
            Value::Prefix(prefix) => Match::Prefix(*prefix),
            Value::List(list) => Match::List(self.match_list(list)),
            Value::Word("key") => Match::Key(self.key_name(items.get(negations + 1)?)?),
            // Locations are not looked up, so one matches nobody; `status` has its say on them.
            Value::Word(_) => return None,
            Value::Text(name) if name.eq_ignore_ascii_case("none") => {
                return Some(MatchElement { negated: !negated, what: Match::Any });
            }
            Value::Text(name) => self.named(name)?,
            _ => return None,
        };
        Some(MatchElement { negated, what })
    }

    /// The name of a key where one is used; it need not be defined.
    pub(super) fn key_name(&self, item: &Item<'_>) -> Option<Name> {
        let text = item.text()?;
        text.parse().ok()
    }

    fn named(&self, name: &str) -> Option<Match> {
        let folded = name.to_ascii_lowercase();
        match folded.as_str() {
            "any" => return Some(Match::Any),
            "localhost" => return Some(Match::Localhost),
            "localnets" => return Some(Match::Localnets),
            _ => {}
        }
        let known = self.acls.resolved.borrow().get(&folded).cloned();
        match known {
            Some(State::Done(list)) => return Some(Match::List(list)),
            Some(State::Started) => return None,
            None => {}
        }
        let node = self.acls.statements.get(&folded)?;
        self.acls.resolved.borrow_mut().insert(folded.clone(), State::Started);
        let list = self.node_list(node);
        self.acls.resolved.borrow_mut().insert(folded, State::Done(Arc::clone(&list)));
        Some(Match::List(list))
    }
}
