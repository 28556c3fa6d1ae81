//! `options`: what holds for the server as a whole.

use std::path::PathBuf;

use super::inherit::Levels;
use super::{Context, acl, clause};
use crate::conf::config::{Identity, Options};
use crate::conf::table::Clause;
use crate::conf::tree::{Item, Node, Value};

/// The port of DNS.
pub(super) const DEFAULT_PORT: u16 = clause::PORT.default as u16;
/// Where Debian's builds keep their pid file.
const DEFAULT_PID_FILE: &str = "/run/named/named.pid";
/// Where `rndc stats` writes.
const DEFAULT_STATISTICS_FILE: &str = "named.stats";
/// The unit of the `tcp-*-timeout` statements.
/// named's 10 are few where a secondary's zones all change at once: what does not fit waits a second and more.
const LISTEN_QUEUE: u32 = 1024;
const TENTHS_MS: u64 = 100;
const MINUTE_MS: u64 = 60_000;

impl Context<'_> {
    /// The levels of a statement that only `options` has.
    pub(super) fn global(&self) -> Levels<'_> {
        Levels([None, None, self.options])
    }

    /// `port`.
    pub(super) fn own_port(&self) -> u16 {
        let item = self.global().find(clause::PORT.clause).and_then(|node| node.items.first());
        let port = item.and_then(Item::number).and_then(|number| u16::try_from(number).ok());
        port.unwrap_or(DEFAULT_PORT)
    }

    pub(super) fn lower_options(&self) -> Options {
        let levels = self.global();
        let tenths = |setting| levels.time(setting, TENTHS_MS);
        Options {
            directory: levels.find(clause::DIRECTORY).and_then(Node::text).map(PathBuf::from),
            pid_file: self.file_or_none(clause::PID_FILE, DEFAULT_PID_FILE),
            port: self.port,
            tls_port: self.default_port(clause::TLS_PORT),
            https_port: self.default_port(clause::HTTPS_PORT),
            http_port: self.default_port(clause::HTTP_PORT),
            listen_on: self.listen(clause::LISTEN_ON),
            listen_on_v6: self.listen(clause::LISTEN_ON_V6),
            interface_interval: levels.duration(clause::INTERFACE_INTERVAL),
            version: self.identity(clause::VERSION),
            hostname: self.identity(clause::HOSTNAME),
            server_id: self.identity(clause::SERVER_ID),
            querylog: levels.boolean_or(clause::QUERYLOG, self.logs_queries()),
            edns: self.edns(levels),
            proxies: self.proxies(levels),
            blackhole: self.effective_list(levels, clause::BLACKHOLE, acl::none),
            tcp_clients: levels.number(clause::TCP_CLIENTS),
            tcp_listen_queue: levels.number_or(clause::TCP_LISTEN_QUEUE.clause, LISTEN_QUEUE),
            tcp_initial_timeout: tenths(clause::TCP_INITIAL_TIMEOUT),
            tcp_idle_timeout: tenths(clause::TCP_IDLE_TIMEOUT),
            tcp_keepalive_timeout: tenths(clause::TCP_KEEPALIVE_TIMEOUT),
            tcp_advertised_timeout: tenths(clause::TCP_ADVERTISED_TIMEOUT),
            tcp_primaries_timeout: tenths(clause::TCP_PRIMARIES_TIMEOUT),
            heartbeat_interval: levels.time(clause::HEARTBEAT_INTERVAL, MINUTE_MS),
            transfers_in: levels.number(clause::TRANSFERS_IN),
            transfers_out: levels.number(clause::TRANSFERS_OUT),
            update_quota: levels.number(clause::UPDATE_QUOTA),
            transfers_per_ns: levels.number(clause::TRANSFERS_PER_NS),
            transfer_message_size: levels.number(clause::TRANSFER_MESSAGE_SIZE).clamp(512, 65535) as u16,
            serial_query_rate: levels.number(clause::SERIAL_QUERY_RATE),
            notify_rate: levels.number(clause::NOTIFY_RATE),
            startup_notify_rate: levels.number(clause::STARTUP_NOTIFY_RATE),
            session_key: self.session_key(),
            match_mapped_addresses: levels.boolean(clause::MATCH_MAPPED_ADDRESSES),
            answer_cookie: levels.boolean(clause::ANSWER_COOKIE),
            statistics_file: levels
                .find(clause::STATISTICS_FILE)
                .and_then(Node::text)
                .unwrap_or(DEFAULT_STATISTICS_FILE)
                .into(),
            cookie_by_aes: levels.word(clause::COOKIE_ALGORITHM) == Some("aes"),
            cookie_secrets: self.cookie_secrets(),
        }
    }

    fn file_or_none(&self, clause: Clause, default: &str) -> Option<PathBuf> {
        match self.global().find(clause) {
            None => Some(PathBuf::from(default)),
            Some(node) => node.text().map(PathBuf::from),
        }
    }

    fn identity(&self, clause: Clause) -> Identity {
        match self.global().find(clause).and_then(Node::value) {
            None => Identity::Default,
            Some(Value::Word("hostname")) => Identity::Hostname,
            Some(Value::Text(text)) => Identity::Text(text.to_string()),
            Some(_) => Identity::None,
        }
    }

    fn cookie_secrets(&self) -> Vec<[u8; 16]> {
        let statements = self.options.into_iter().flat_map(|block| block.all(clause::COOKIE_SECRET));
        let read = |text: &str| data_encoding::HEXUPPER_PERMISSIVE.decode(text.as_bytes()).ok()?.try_into().ok();
        statements.filter_map(|node| read(node.text()?)).collect()
    }
}
