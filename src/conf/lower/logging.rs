//! `logging`: channels, and which categories go to which.

use std::path::PathBuf;

use super::inherit::Levels;
use super::{Context, clause};
use crate::conf::config::{Channel, Destination, Logging, PrintTime, Severity};
use crate::conf::tree::{Block, Item, Node, Value};

/// The facilities of syslog.
const FACILITIES: [&str; 20] = [
    "kern", "user", "mail", "daemon", "auth", "syslog", "lpr", "news", "uucp", "cron", "authpriv", "ftp", "local0",
    "local1", "local2", "local3", "local4", "local5", "local6", "local7",
];
impl Context<'_> {
    /// The `logging` statement; empty where there is none.
    pub(super) fn logging(&self) -> Logging {
        let Some(block) = self.tree.root.find(clause::LOGGING).and_then(Node::block) else {
            return Logging::default();
        };
        let channels: Vec<Channel> = block.all(clause::CHANNEL).filter_map(|node| self.channel(node)).collect();
        let categories = block.all(clause::CATEGORY).filter_map(category).collect();
        Logging { channels, categories }
    }

    /// Whether a `queries` category is configured: then queries are logged from the start.
    pub(super) fn logs_queries(&self) -> bool {
        let block = self.tree.root.find(clause::LOGGING).and_then(Node::block);
        let mut categories = block.into_iter().flat_map(|block| block.all(clause::CATEGORY));
        categories.any(|node| node.text().is_some_and(|name| name == "queries"))
    }

    fn channel(&self, node: &Node<'_>) -> Option<Channel> {
        let (name, block) = (node.text()?, node.block()?);
        if let Some(facility) = block.find(clause::SYSLOG).and_then(|node| node.items.first()) {
            self.check_facility(facility);
        }
        let own = Levels([Some(block), None, None]);
        Some(Channel {
            name: name.to_owned(),
            to: destination(block)?,
            severity: severity(block),
            print_time: print_time(block),
            print_category: own.boolean(clause::PRINT_CATEGORY),
            print_severity: own.boolean(clause::PRINT_SEVERITY),
            buffered: own.boolean(clause::BUFFERED),
        })
    }

    fn check_facility(&self, item: &Item<'_>) {
        let name = item.text().unwrap_or_default();
        if !is_facility(name) {
            // BIND: named starts with such a channel, and nothing says so.
            self.warn(item.place, format!("syslog facility '{name}' has no effect: unknown, 'daemon' is used"));
        }
    }
}

fn category(node: &Node<'_>) -> Option<(String, Vec<String>)> {
    let channels = node.list()?.iter().copied().flatten().filter_map(Item::text);
    Some((node.text()?.to_owned(), channels.map(str::to_owned).collect()))
}

fn is_facility(name: &str) -> bool {
    FACILITIES.iter().any(|known| known.eq_ignore_ascii_case(name))
}

fn destination(block: Block<'_>) -> Option<Destination> {
    if let Some(node) = block.find(clause::FILE) {
        return file(node);
    }
    if let Some(node) = block.find(clause::SYSLOG) {
        let facility = node.text().filter(|name| is_facility(name)).unwrap_or("daemon");
        return Some(Destination::Syslog(facility.to_ascii_lowercase()));
    }
    let stderr = block.find(clause::STDERR).map(|_| Destination::Stderr);
    stderr.or_else(|| block.find(clause::NULL).map(|_| Destination::Null))
}

fn file(node: &Node<'_>) -> Option<Destination> {
    let versions = node.after("versions").map(|item| item.number().unwrap_or(u32::MAX));
    let size = node.after("size").and_then(|item| match item.value {
        Value::Bytes(size) => Some(size),
        _ => None,
    });
    let timestamp_suffix = node.after("suffix").is_some_and(|item| item.value == Value::Word("timestamp"));
    Some(Destination::File { path: PathBuf::from(node.text()?), versions, size, timestamp_suffix })
}

fn severity(block: Block<'_>) -> Severity {
    let Some(node) = block.find(clause::SEVERITY) else { return Severity::Info };
    match node.value() {
        Some(Value::Word("critical")) => Severity::Critical,
        Some(Value::Word("error")) => Severity::Error,
        Some(Value::Word("warning")) => Severity::Warning,
        Some(Value::Word("notice")) => Severity::Notice,
        Some(Value::Word("dynamic")) => Severity::Dynamic,
        Some(Value::Word("debug")) => Severity::Debug(node.items.iter().find_map(|item| item.number()).unwrap_or(1)),
        _ => Severity::Info,
    }
}

fn print_time(block: Block<'_>) -> PrintTime {
    match block.find(clause::PRINT_TIME).and_then(Node::value) {
        Some(Value::Word("iso8601")) => PrintTime::Iso8601,
        Some(Value::Word("iso8601-utc")) => PrintTime::Iso8601Utc,
        Some(Value::Word("local") | Value::Boolean(true)) => PrintTime::Local,
        _ => PrintTime::No,
    }
}
