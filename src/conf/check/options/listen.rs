//! `listen-on` and `listen-on-v6`.

use super::super::access::MAX_PORT;
use crate::conf::check::tls::BUILT_IN;
use crate::conf::check::{Context, all_named};
use crate::conf::tree::{Block, Item, Node};

/// The statements, in the order in which they are looked at.
const LISTENERS: [&str; 2] = ["listen-on", "listen-on-v6"];
/// Where a proxy's header may be.
const PROXY_HEADERS: [&str; 2] = ["plain", IN_TLS];
const IN_TLS: &str = "encrypted";
const NEEDS_TLS: &str = "'proxy encrypted' can be used only when encryption is enabled by setting 'tls' to a defined \
                         value or to 'ephemeral'";
/// A listener with `tls` and without it.
const NO_TLS: &str = "none";
/// The `http` statement that is there without being written.
const DEFAULT_HTTP: &str = "default";

impl Context<'_> {
    /// All listeners.
    pub(super) fn check_listeners(&self, block: Block<'_>) {
        for name in LISTENERS {
            for node in all_named(block, name) {
                self.check_listener(node);
                self.check_list_of(Some(node));
            }
        }
    }

    fn check_listener(&self, node: &Node<'_>) {
        let (tls, http) = (node.after("tls"), node.after("http"));
        if let Some((item, place)) = node.after("proxy").and_then(text_of) {
            self.check_proxy_header(item, place, tls.and_then(Item::text));
        }
        if let Some((item, name)) = tls.and_then(text_of) {
            self.check_tls_use(item, name);
        }
        if let Some(item) = http.filter(|_| tls.is_none()) {
            self.error(item.place, "http must specify a 'tls' statement, 'tls ephemeral', or 'tls none'");
        }
        if let Some((item, name)) = http.and_then(text_of) {
            let is_it = |known: &str| known.eq_ignore_ascii_case(name);
            let declared = all_named(self.root, "http").filter_map(Node::text).any(is_it);
            if !declared && !is_it(DEFAULT_HTTP) {
                self.error(item.place, format!("http '{name}' is not defined"));
            }
        }
        // BIND: the last port of all is out of range here.
        if let Some((item, port)) = node.after("port").and_then(|item| Some((item, item.number()?)))
            && port >= MAX_PORT
        {
            self.error(item.place, format!("port value '{port}' is out of range"));
        }
    }

    fn check_proxy_header(&self, item: &Item<'_>, place: &str, tls: Option<&str>) {
        let is_it = |word: &str| word.eq_ignore_ascii_case(place);
        let has_tls = tls.is_some_and(|name| !name.eq_ignore_ascii_case(NO_TLS));
        if !PROXY_HEADERS.into_iter().any(is_it) {
            self.error(item.place, "'proxy' must have one of the following values: 'plain' or 'encrypted'");
        } else if is_it(IN_TLS) && !has_tls {
            self.error(item.place, NEEDS_TLS);
        }
    }

    fn check_tls_use(&self, item: &Item<'_>, name: &str) {
        let is_it = |known: &str| known.eq_ignore_ascii_case(name);
        if !BUILT_IN.into_iter().any(is_it) && !all_named(self.root, "tls").filter_map(Node::text).any(is_it) {
            self.error(item.place, format!("tls '{name}' is not defined"));
        }
    }
}

fn text_of<'a>(item: &'a Item<'a>) -> Option<(&'a Item<'a>, &'a str)> {
    Some((item, item.text()?))
}
