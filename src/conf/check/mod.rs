//! What a configuration says that its grammar allows and its meaning does not: the verdict of named-checkconf.
//!
//! The checks run in the order in which BIND 9.18 makes them, so that the same messages come out in the same order, as
//! often as there: what all views inherit is found at fault once in each. A view with a faulty key is not looked at any
//! further, as there.

mod access;
mod acl;
mod anchors;
mod catalog;
mod ciphers;
mod control;
mod dns64;
mod dnssec_policy;
mod extent;
mod geoip;
mod http;
mod key;
mod logging;
mod options;
mod plugin;
mod policy_zones;
mod rate;
mod remotes;
mod rrset_order;
mod server;
mod tls;
mod view;
mod zone;

use std::cell::RefCell;
use std::collections::HashSet;

pub(super) use zone::is_elsewhere;

use super::diagnostics::{Diagnostic, Severity};
use super::lexer::Place;
use super::tree::{Block, Node, Tree};

/// After so many faults those of a kind that may have one for each pair of statements are no longer noted.
const ENOUGH_FAULTS: usize = 100_000;

/// All that is wrong, or looks wrong, with a tree.
pub(crate) fn check(tree: &Tree<'_>) -> Vec<Diagnostic> {
    let context = Context::new(tree);
    context.run();
    context.faults.into_inner()
}

/// The same without a look at the modules of `plugin` statements.
pub(crate) fn check_core(tree: &Tree<'_>) -> Vec<Diagnostic> {
    let context = Context { with_plugins: false, ..Context::new(tree) };
    context.run();
    context.faults.into_inner()
}

/// What is wrong with the keys of an rndc.conf or rndc.key.
pub(crate) fn check_keys(tree: &Tree<'_>) -> Vec<Diagnostic> {
    let context = Context::new(tree);
    // Only the faults matter: they have been noted.
    let _ = key::Keys::default().add(&context, context.root);
    context.faults.into_inner()
}

/// What every check has at hand: the tree, its acls, and the faults found so far.
pub(super) struct Context<'a> {
    tree: &'a Tree<'a>,
    root: Block<'a>,
    options: Option<Block<'a>>,
    acls: acl::Acls<'a>,
    lists: remotes::Lists<'a>,
    /// The names of the policies.
    policies: HashSet<&'a str>,
    with_plugins: bool,
    faults: RefCell<Vec<Diagnostic>>,
}

impl<'a> Context<'a> {
    fn new(tree: &'a Tree<'a>) -> Self {
        let root = tree.root;
        let options = named(root, "options").and_then(Node::block);
        let (acls, lists) = (acl::Acls::of(root), remotes::Lists::of(root));
        let policies = all_named(root, "dnssec-policy").filter_map(Node::text).collect();
        Self { tree, root, options, acls, lists, policies, with_plugins: true, faults: RefCell::default() }
    }

    fn run(&self) {
        self.check_global();
        self.check_logging();
        self.check_controls();
        self.check_lists();
        self.check_http();
        self.check_tls();
        self.check_views();
        self.check_acls();
    }

    /// Notes what keeps the configuration from being used.
    pub(super) fn error(&self, place: Place, message: impl Into<String>) {
        self.note(Severity::Error, place, message.into());
    }

    /// Notes what somebody should look at.
    pub(super) fn warn(&self, place: Place, message: impl Into<String>) {
        self.note(Severity::Warning, place, message.into());
    }

    /// Whether there are so many faults that more are of no use.
    pub(super) fn has_said_enough(&self) -> bool {
        self.faults.borrow().len() >= ENOUGH_FAULTS
    }

    fn note(&self, severity: Severity, place: Place, message: String) {
        let file = self.tree.files.get(place.file as usize).cloned().unwrap_or_default();
        self.faults.borrow_mut().push(Diagnostic { severity, file, line: place.line, message });
    }

    /// `file:line`.
    pub(super) fn shown(&self, place: Place) -> String {
        let file = self.tree.files.get(place.file as usize).cloned().unwrap_or_default();
        format!("{file}:{}", place.line)
    }
}

/// The first statement of this name.
fn named<'a>(block: Block<'a>, name: &str) -> Option<&'a Node<'a>> {
    all_named(block, name).next()
}

/// The statements of this name.
fn all_named<'a>(block: Block<'a>, name: &str) -> impl Iterator<Item = &'a Node<'a>> + Clone {
    block.0.iter().filter(move |node| node.statement.name == name)
}

/// The statement of this name in the first of the blocks that has one.
fn nearest<'a>(blocks: &[Option<Block<'a>>], name: &str) -> Option<&'a Node<'a>> {
    blocks.iter().copied().flatten().find_map(|block| named(block, name))
}
