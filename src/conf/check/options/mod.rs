//! What `options`, views and zones share, and what only `options` has.
//!
//! The order is that of BIND, which goes by neither the alphabet nor the text.

mod cookies;
mod dnssec;
mod dnstap;
mod limits;
mod listen;
mod names;

use super::access::MAX_PORT;
use super::{Context, all_named, named};
pub(super) use limits::number_of;

use crate::conf::tree::{Block, Item, Node, Value};

/// The ports to listen on.
const PORTS: [&str; 4] = ["port", "tls-port", "http-port", "https-port"];
/// Where recursion sends from.
const SOURCES: [&str; 2] = ["query-source", "query-source-v6"];
/// The longest `server-id`, in bytes.
const MAX_SERVER_ID_LEN: usize = 1024;
/// What `check-names` may be for, and the older word for it.
const CHECK_NAMES_PAIRS: [(&str, &str); 2] = [("primary", "master"), ("secondary", "slave")];

impl Context<'_> {
    /// The `options` statement.
    pub(super) fn check_global(&self) {
        let Some(block) = self.options else { return };
        for item in PORTS.into_iter().filter_map(|name| first_item(block, name)) {
            self.check_own_port(item);
        }
        self.check_options(block);
    }

    /// The statements of `options` that stand in a view.
    pub(super) fn check_options(&self, block: Block<'_>) {
        SOURCES.into_iter().for_each(|name| self.check_source(named(block, name)));
        self.check_limits(block);
        self.check_signatures(block);
        self.check_glue(block);
        self.check_delegation_only(block);
        self.check_disabled(block);
        self.check_auto_dnssec(block);
        self.check_must_be_secure(block);
        self.check_builtin_zones(block);
        self.check_server_id(block);
        self.check_negative_anchors(block);
        self.check_cookies(block);
        self.check_dnstap_options(block);
        self.check_map_size(block);
        self.check_tries(block);
        self.check_ixfr_ratio(block);
        self.check_check_names(block);
        self.check_stale_refresh(block);
        self.check_listeners(block);
        self.check_restarts(block);
    }

    /// Those of them that stand in a zone too, with the same meaning.
    pub(super) fn check_zone_options(&self, block: Block<'_>) {
        self.check_limits(block);
        self.check_signatures(block);
        self.check_ixfr_ratio(block);
    }

    /// BIND: the last port of all is out of range here.
    fn check_own_port(&self, item: &Item<'_>) {
        if let Some(port) = item.number().filter(|port| *port >= MAX_PORT) {
            self.error(item.place, format!("port '{port}' out of range"));
        }
    }

    fn check_glue(&self, block: Block<'_>) {
        let Some(item) = first_item(block, "preferred-glue") else { return };
        let text = item.text().unwrap_or_default();
        if !["a", "aaaa", "none"].iter().any(|known| known.eq_ignore_ascii_case(text)) {
            self.warn(item.place, format!("preferred-glue unexpected value '{text}'"));
        }
    }

    fn check_server_id(&self, block: Block<'_>) {
        let Some(item) = first_item(block, "server-id") else { return };
        if item.text().is_some_and(|text| text.len() > MAX_SERVER_ID_LEN) {
            self.error(item.place, format!("'server-id' too big (>{MAX_SERVER_ID_LEN} bytes)"));
        }
    }

    /// All faults of `check-names` are said at the first statement.
    fn check_check_names(&self, block: Block<'_>) {
        let Some(first) = named(block, "check-names") else { return };
        let kinds: Vec<&str> = all_named(block, "check-names").filter_map(kind_of).collect();
        for (at, kind) in kinds.iter().enumerate() {
            let repeats = kinds.iter().take(at).any(|earlier| earlier == kind);
            if repeats && *kind != "response" {
                self.error(first.place, format!("'check-names {kind}' duplicated"));
            }
        }
        for (new, old) in CHECK_NAMES_PAIRS {
            if kinds.contains(&new) && kinds.contains(&old) {
                self.error(first.place, format!("'check-names' cannot take both '{new}' and '{old}'"));
            }
        }
    }
}

/// The first item of the statement of this name.
fn first_item<'a>(block: Block<'a>, name: &str) -> Option<&'a Item<'a>> {
    named(block, name)?.items.first()
}

fn kind_of(node: &Node<'_>) -> Option<&'static str> {
    match node.value()? {
        Value::Word(word) => Some(word),
        _ => None,
    }
}
