//! `acl` statements, and address match lists wherever they stand.
//!
//! As with BIND, only acls that are used are looked into, and a list is left at its first fault. An acl that was found
//! sound is not looked at again; one that was not is found at fault wherever it is used.

use std::cell::{Cell, RefCell};
use std::collections::HashSet;
use std::collections::hash_map::{Entry, HashMap};

use super::extent::Extent;
use super::{Context, all_named};
use crate::conf::lexer::Place;
use crate::conf::tree::{Block, Item, Node, Value};
use crate::dns::Name;

/// Names that no `acl` statement may take.
const BUILT_IN: [&str; 4] = ["any", "none", "localhost", "localnets"];

/// The acls, and what is known of them.
pub(super) struct Acls<'a> {
    statements: HashMap<String, &'a Node<'a>>,
    /// Names that several have.
    repeated: HashSet<String>,
    /// What those that are sound come to.
    sound: RefCell<HashMap<String, Extent>>,
    /// Those whose elements are being looked at: to meet one again is a loop.
    started: RefCell<HashSet<String>>,
    /// How many lists and acls lead to what is being looked at.
    depth: Cell<usize>,
}

/// A list is at fault, which has been noted. The reason again, in the words that BIND has for it elsewhere.
pub(super) struct Faulty(pub(super) String);

/// An acl that is not there.
const NOT_FOUND: &str = "not found";
/// Any fault that has no word.
pub(super) const FAILURE: &str = "failure";

impl<'a> Acls<'a> {
    /// The statements, of several with one name the first.
    pub(super) fn of(root: Block<'a>) -> Self {
        let (mut statements, mut repeated) = (HashMap::new(), HashSet::new());
        for node in all_named(root, "acl") {
            match statements.entry(node.text().unwrap_or_default().to_ascii_lowercase()) {
                Entry::Occupied(known) => {
                    repeated.insert(known.key().clone());
                }
                Entry::Vacant(free) => {
                    free.insert(node);
                }
            }
        }
        Self { statements, repeated, sound: RefCell::default(), started: RefCell::default(), depth: Cell::default() }
    }

    /// What an acl comes to that has been found sound.
    pub(super) fn extent_of(&self, folded: &str) -> Option<Extent> {
        self.sound.borrow().get(folded).copied()
    }
}

impl Context<'_> {
    /// The names of the acls, which come last of all.
    pub(super) fn check_acls(&self) {
        let mut nodes = all_named(self.root, "acl");
        while let Some(node) = nodes.next() {
            let name = node.text().unwrap_or_default();
            if BUILT_IN.iter().any(|known| known.eq_ignore_ascii_case(name)) {
                self.error(node.place, format!("attempt to redefine builtin acl '{name}'"));
            }
            // The quick answer first: most acls have a name of their own.
            if self.acls.repeated.contains(&name.to_ascii_lowercase()) {
                self.check_later(node, name, nodes.clone());
            }
        }
    }

    fn check_later<'n>(&self, node: &Node<'_>, name: &str, later: impl Iterator<Item = &'n Node<'n>>) {
        for other in later.take_while(|_| !self.has_said_enough()) {
            let text = other.text().unwrap_or_default();
            if text.eq_ignore_ascii_case(name) {
                let earlier = self.shown(node.place);
                self.error(other.place, format!("attempt to redefine acl '{text}' previous definition: {earlier}"));
            }
        }
    }

    /// The list of a statement, where it is there.
    pub(super) fn check_list_of(&self, node: Option<&Node<'_>>) {
        let list = node.and_then(Node::list).unwrap_or_default();
        // The fault has been noted, and the other statements are checked all the same.
        let _ = self.check_match_list(list);
    }

    /// A list: first the acls that it names, then its other elements. What it comes to.
    pub(super) fn check_match_list(&self, list: &[&[Item<'_>]]) -> Result<Extent, Faulty> {
        list.iter().try_for_each(|element| self.check_names(element))?;
        list.iter().try_for_each(|element| self.check_element(element))?;
        let extent = self.extent(list);
        match list.iter().find_map(|element| element.first()) {
            Some(item) if !extent.is_bearable() => Err(self.excess(item.place)),
            _ => Ok(extent),
        }
    }

    fn check_names(&self, element: &[Item<'_>]) -> Result<(), Faulty> {
        match bare(element).first() {
            Some(Item { value: Value::List(list), place, .. }) => {
                self.within(*place, || list.iter().try_for_each(|element| self.check_names(element)))
            }
            Some(item) => match item.text() {
                Some(name) => self.check_name(name, item.place),
                None => Ok(()),
            },
            None => Ok(()),
        }
    }

    fn check_name(&self, name: &str, place: Place) -> Result<(), Faulty> {
        let folded = name.to_ascii_lowercase();
        if BUILT_IN.contains(&folded.as_str()) || self.acls.extent_of(&folded).is_some() {
            return Ok(());
        }
        if self.acls.started.borrow().contains(&folded) {
            self.error(place, format!("acl loop detected: {name}"));
            return Err(Faulty(FAILURE.to_owned()));
        }
        let Some(node) = self.acls.statements.get(&folded) else {
            self.error(place, format!("undefined ACL '{name}'"));
            return Err(Faulty(NOT_FOUND.to_owned()));
        };
        let list = node.list().unwrap_or_default();
        self.acls.started.borrow_mut().insert(folded.clone());
        let found = self.within(place, || self.check_match_list(list));
        self.acls.started.borrow_mut().remove(&folded);
        self.acls.sound.borrow_mut().insert(folded, found?);
        Ok(())
    }

    fn check_element(&self, element: &[Item<'_>]) -> Result<(), Faulty> {
        match bare(element) {
            [Item { value: Value::Word("key"), .. }, name, ..] => self.check_key_name(name),
            [Item { value: Value::Word("geoip"), place, .. }, rest @ ..] => self.check_location(*place, rest),
            [Item { value: Value::List(list), place, .. }, ..] => {
                self.within(*place, || self.check_match_list(list)).map(drop)
            }
            _ => Ok(()),
        }
    }

    /// Looks one list further in.
    fn within<T>(&self, place: Place, check: impl FnOnce() -> Result<T, Faulty>) -> Result<T, Faulty> {
        let depth = self.acls.depth.get();
        if depth >= Extent::LARGEST.depth {
            return Err(self.excess(place));
        }
        self.acls.depth.set(depth + 1);
        let found = check();
        self.acls.depth.set(depth);
        found
    }

    fn excess(&self, place: Place) -> Faulty {
        self.error(place, "address match list is too large or nested too deeply");
        Faulty(FAILURE.to_owned())
    }

    fn check_key_name(&self, item: &Item<'_>) -> Result<(), Faulty> {
        let text = item.text().unwrap_or_default();
        match text.parse::<Name>() {
            Ok(_) => Ok(()),
            Err(error) => {
                self.error(item.place, format!("key name '{text}' is not a valid domain name"));
                Err(Faulty(error.to_string()))
            }
        }
    }
}

/// An element without its negations.
pub(super) fn bare<'a>(element: &'a [Item<'a>]) -> &'a [Item<'a>] {
    let negations = element.iter().take_while(|item| item.value == Value::Word("!")).count();
    element.get(negations..).unwrap_or_default()
}
