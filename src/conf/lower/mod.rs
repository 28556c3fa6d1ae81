//! Tree to [`Config`]: names are resolved, defaults and inheritance applied. The tree has been found sound.
//!
//! A statement's effective value is the zone's own, else the view's, else that of `options`, else the default (see
//! [`inherit`]). What named finds out only when it runs is collected, each once, and the lowering goes on with a
//! harmless value, so that one run finds all.

mod acl;
mod catalog;
mod ciphers;
mod control;
mod edns;
pub mod guards;
mod inherit;
mod key;
mod listen;
mod load;
mod logging;
mod options;
mod rate_limit;
mod remotes;
pub mod rndc;
mod server;
mod settings;
mod update;
mod view;
mod zone;

/// A constant for each statement that is marked full, with its default if it is a single value. One that nothing here
/// uses stops the build.
#[deny(dead_code)]
mod clause {
    use std::time::Duration;

    use crate::conf::table::{Clause, Setting};

    include!(concat!(env!("OUT_DIR"), "/settings.rs"));
}

use std::cell::RefCell;
use std::collections::HashSet;
use std::sync::Arc;

use super::config::Config;
use super::diagnostics::{Diagnostic, Severity};
use super::lexer::Place;
use super::tree::{Block, Node, Tree};

pub(crate) use key::read_key;
pub(crate) use load::zones_to_load;
pub use load::{Content, ZoneToLoad};

/// What lowering has at hand everywhere: the tree, its named things, and the faults found so far.
pub(crate) struct Context<'a> {
    tree: &'a Tree<'a>,
    options: Option<Block<'a>>,
    acls: acl::Acls<'a>,
    remotes: remotes::Lists<'a>,
    /// `port` of options.
    port: u16,
    faults: RefCell<Vec<Diagnostic>>,
    said: RefCell<HashSet<(Place, String)>>,
}

/// Lowers a tree. Without faults of severity error among the diagnostics, the configuration may be used.
pub(crate) fn lower(tree: &Tree<'_>) -> (Config, Vec<Diagnostic>) {
    let context = Context::new(tree);
    let config = context.config();
    (config, context.faults.into_inner())
}

impl<'a> Context<'a> {
    /// A context whose acls and lists are known, so that statements can use them before they stand.
    pub(crate) fn new(tree: &'a Tree<'a>) -> Self {
        let mut context = Self {
            tree,
            options: tree.root.find(clause::OPTIONS).and_then(Node::block),
            acls: acl::Acls::default(),
            remotes: remotes::Lists::default(),
            port: options::DEFAULT_PORT,
            faults: RefCell::default(),
            said: RefCell::default(),
        };
        context.acls = acl::Acls::of(&context);
        context.remotes = remotes::Lists::of(&context);
        context.port = context.own_port();
        context
    }

    /// Whether there are `view` statements.
    fn has_views(&self) -> bool {
        self.tree.root.find(clause::VIEW).is_some()
    }

    fn config(&self) -> Config {
        let keys = key::keys(self.tree.root);
        Config {
            options: self.lower_options(),
            controls: self.controls(&keys),
            logging: self.logging(),
            tls: self.all_tls(),
            http: self.all_http(),
            views: self.views(&keys),
            keys,
            guards: guards::GuardFile::default(),
            // Whichever were used are known once all else is lowered.
            acls: self.used_acls(),
        }
    }

    /// Notes an error at a place, once.
    pub(crate) fn error(&self, place: Place, message: String) {
        self.note(Severity::Error, place, message);
    }

    fn warn(&self, place: Place, message: String) {
        self.note(Severity::Warning, place, message);
    }

    fn note(&self, severity: Severity, place: Place, message: String) {
        if self.said.borrow_mut().insert((place, message.clone())) {
            let file = self.file(place);
            self.faults.borrow_mut().push(Diagnostic { severity, file, line: place.line, message });
        }
    }

    fn file(&self, place: Place) -> Arc<str> {
        self.tree.files.get(place.file as usize).cloned().unwrap_or_default()
    }

    /// How many faults there are so far.
    fn fault_count(&self) -> usize {
        self.faults.borrow().len()
    }

    /// The faults.
    pub(crate) fn into_faults(self) -> Vec<Diagnostic> {
        self.faults.into_inner()
    }
}
