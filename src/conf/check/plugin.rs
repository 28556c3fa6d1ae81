//! `plugin`: modules that are there to be loaded.

use std::path::{Path, PathBuf};

use super::view::View;
use super::{Context, all_named};
use crate::conf::tree::Node;

/// The modules that BIND brings along, and so are there for named-checkconf whether or not BIND is on this host.
const BROUGHT_ALONG: [&str; 2] = ["filter-a.so", "filter-aaaa.so"];

impl<'a> Context<'a> {
    /// The modules of a view.
    pub(super) fn check_plugins(&self, view: View<'a>) {
        for node in all_named(view.block.unwrap_or(self.root), "plugin") {
            self.check_plugin(node);
        }
    }

    fn check_plugin(&self, node: &Node<'_>) {
        let Some(name) = node.text().filter(|name| !BROUGHT_ALONG.contains(name)) else { return };
        let path = match name.contains('/') {
            true => PathBuf::from(name),
            false => folder().join(name),
        };
        if !path.is_file() {
            let place = node.items.last().map_or(node.place, |item| item.place);
            self.error(place, format!("{}: plugin check failed: failure", path.display()));
        }
    }
}

/// Where Debian's builds look for modules.
fn folder() -> PathBuf {
    Path::new("/usr/lib").join(format!("{}-linux-gnu", std::env::consts::ARCH)).join("bind")
}
