//! Views. Without `view` statements the top level is the one view, called `_default`.

use std::sync::Arc;

use hashbrown::{HashMap, HashSet};

use super::inherit::Levels;
use super::zone::Namespace;
use super::{Context, acl, clause, key};
use crate::conf::config::{AddressMatchList, MinimalResponses, OrderRule, RrsetOrder, View};
use crate::conf::tree::{Block, Item, Node, Value, after};
use crate::dns::{Class, Key, Name, Rtype};

/// The name of the view that is there without a statement.
pub(super) const DEFAULT_VIEW: &str = "_default";

/// The zones of the views so far.
pub(super) type Earlier = HashMap<String, HashSet<Name>>;

impl Context<'_> {
    /// All views in order, with their zones.
    pub(super) fn views(&self, keys: &[Arc<Key>]) -> Vec<View> {
        let root = self.tree.root;
        if root.find(clause::VIEW).is_none() {
            let view = self.view(DEFAULT_VIEW, Class::IN, None, keys, &Earlier::new());
            return vec![view];
        }
        let (mut views, mut earlier) = (Vec::new(), Earlier::new());
        for node in root.all(clause::VIEW) {
            let name = node.text().unwrap_or_default();
            let class = self.class(node, Class::IN);
            let view = self.view(name, class, node.block(), keys, &earlier);
            earlier.insert(view.name.clone(), view.zones.iter().map(|zone| zone.apex.clone()).collect());
            views.push(view);
        }
        views
    }

    /// The class behind the name of a view or zone.
    pub(super) fn class(&self, node: &Node<'_>, default: Class) -> Class {
        node.second_text().and_then(|text| text.parse().ok()).unwrap_or(default)
    }

    fn view(&self, name: &str, class: Class, block: Option<Block<'_>>, keys: &[Arc<Key>], earlier: &Earlier) -> View {
        let levels = Levels([None, block, self.options]);
        let own = block.unwrap_or(self.tree.root);
        let keys = self.view_keys(block, keys);
        let servers = match block {
            Some(block) if block.find(clause::SERVER).is_some() => self.servers(block, &keys),
            _ => self.servers(self.tree.root, &keys),
        };
        let namespace = Namespace { class, levels, own, earlier };
        let allow_recursion = self.allow_recursion(levels, class);
        View {
            name: name.to_owned(),
            class,
            match_clients: self.effective_list(levels, clause::MATCH_CLIENTS, acl::any),
            match_destinations: self.effective_list(levels, clause::MATCH_DESTINATIONS, acl::any),
            match_recursive_only: levels.boolean(clause::MATCH_RECURSIVE_ONLY),
            keys,
            recursion: !acl::is_nobody(&allow_recursion),
            offers_recursion: class == Class::IN && levels.boolean(clause::RECURSION),
            allow_recursion,
            minimal_responses: minimal_responses(levels),
            minimal_any: levels.boolean(clause::MINIMAL_ANY),
            edns: self.edns(levels),
            request_nsid: levels.boolean(clause::REQUEST_NSID),
            proxies: self.proxies(levels),
            rrset_order: rrset_order(levels),
            sortlist: self.effective_list(levels, clause::SORTLIST, AddressMatchList::default),
            max_query_restarts: levels.number(clause::MAX_QUERY_RESTARTS),
            servers,
            no_case_compress: self.effective_list(levels, clause::NO_CASE_COMPRESS, acl::none),
            rate_limit: self.rate_limit(levels),
            allow_query: self.effective_list(levels, clause::ALLOW_QUERY, acl::any),
            catalogs: self.catalogs(levels, class),
            zones: self.zones(&namespace),
        }
    }

    fn view_keys(&self, block: Option<Block<'_>>, global: &[Arc<Key>]) -> Vec<Arc<Key>> {
        let mut keys = block.map(key::keys).unwrap_or_default();
        keys.extend(global.iter().cloned());
        keys
    }

    /// For whom BIND would recurse: who may both recurse and ask the cache. Where one of the two is not said it is like
    /// the other, and where neither is, they are those who may ask at all.
    fn allow_recursion(&self, levels: Levels<'_>, class: Class) -> AddressMatchList {
        if class != Class::IN || !levels.boolean(clause::RECURSION) {
            return acl::none();
        }
        let list = |clause| levels.find(clause).map(|node| self.node_list(node));
        match (list(clause::ALLOW_RECURSION), list(clause::ALLOW_QUERY_CACHE)) {
            (Some(recursion), Some(cache)) => acl::both(recursion, cache),
            (Some(one), None) | (None, Some(one)) => one,
            (None, None) => list(clause::ALLOW_QUERY).unwrap_or_else(acl::local),
        }
    }
}

fn minimal_responses(levels: Levels<'_>) -> MinimalResponses {
    match levels.find(clause::MINIMAL_RESPONSES).and_then(Node::value) {
        Some(Value::Boolean(true)) => MinimalResponses::Yes,
        Some(Value::Boolean(false)) => MinimalResponses::No,
        Some(Value::Word("no-auth")) => MinimalResponses::NoAuth,
        _ => MinimalResponses::NoAuthRecursive,
    }
}

/// The rules in order; without the statement one for everything.
fn rrset_order(levels: Levels<'_>) -> Vec<OrderRule> {
    match levels.find(clause::RRSET_ORDER) {
        Some(node) => node.list().unwrap_or_default().iter().filter_map(|element| order_rule(element)).collect(),
        None => vec![OrderRule { class: None, rtype: None, name: None, order: RrsetOrder::Random }],
    }
}

fn order_rule(element: &[Item<'_>]) -> Option<OrderRule> {
    let text = |keyword| after(element, keyword).and_then(Item::text);
    let order = read_order(element.last()?.text()?)?;
    let class = text("class").and_then(|text| text.parse().ok()).filter(|&class| class != Class::ANY);
    let rtype = text("type").and_then(|text| text.parse().ok()).filter(|&rtype| rtype != Rtype::ANY);
    // BIND: a lone asterisk is for the root as well.
    let name = text("name").filter(|&text| text != "*").and_then(|text| text.parse().ok());
    Some(OrderRule { class, rtype, name, order })
}

fn read_order(word: &str) -> Option<RrsetOrder> {
    Some(match word.to_ascii_lowercase().as_str() {
        "none" => RrsetOrder::None,
        "fixed" => RrsetOrder::Fixed,
        "cyclic" => RrsetOrder::Cyclic,
        "random" => RrsetOrder::Random,
        _ => return None,
    })
}
