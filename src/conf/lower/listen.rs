//! `listen-on` and `listen-on-v6`, and the `tls` and `http` statements that they name.

use std::path::PathBuf;
use std::sync::Arc;

use super::inherit::Levels;
use super::{Context, acl, ciphers, clause};
use crate::conf::config::{Http, Listen, Proxies, ProxyHeader, Tls};
use crate::conf::table::{Clause, Setting};
use crate::conf::tree::{Block, Item, Node};

/// The names of what needs no statement.
const EPHEMERAL: &str = "ephemeral";
const NONE: &str = "none";
/// The header of a proxy within TLS.
const ENCRYPTED: &str = "encrypted";
const DEFAULT_HTTP: &str = "default";
/// The endpoint of an `http` statement without `endpoints`.
const DEFAULT_ENDPOINT: &str = "/dns-query";

impl Context<'_> {
    /// All statements of one of the two names.
    pub(super) fn listen(&self, clause: Clause) -> Vec<Listen> {
        let statements = self.options.into_iter().flat_map(|block| block.all(clause));
        let listed: Vec<Listen> = statements.map(|node| self.listen_one(node)).collect();
        match listed.is_empty() {
            true => vec![Listen { port: self.port, addresses: acl::any(), proxy: None, tls: None, http: None }],
            false => listed,
        }
    }

    fn listen_one(&self, node: &Node<'_>) -> Listen {
        let name = |keyword| node.after(keyword).and_then(Item::text);
        let tls =
            name("tls").filter(|name| !name.eq_ignore_ascii_case(NONE)).map(|name| Arc::new(self.tls_named(name)));
        let http = name("http").map(|name| Arc::new(self.http_named(name)));
        let port = node.after("port").map(|item| self.port_of(item));
        let port = port.unwrap_or_else(|| match (&tls, &http) {
            (None, None) => self.port,
            (Some(_), None) => self.default_port(clause::TLS_PORT),
            (Some(_), Some(_)) => self.default_port(clause::HTTPS_PORT),
            (None, Some(_)) => self.default_port(clause::HTTP_PORT),
        });
        let header = |name: &str| match name.eq_ignore_ascii_case(ENCRYPTED) {
            true => ProxyHeader::Encrypted,
            false => ProxyHeader::Plain,
        };
        Listen { port, addresses: self.node_list(node), proxy: name("proxy").map(header), tls, http }
    }

    /// Which proxies are heard.
    pub(super) fn proxies(&self, levels: Levels<'_>) -> Proxies {
        Proxies {
            from: self.effective_list(levels, clause::ALLOW_PROXY, acl::none),
            on: self.effective_list(levels, clause::ALLOW_PROXY_ON, acl::any),
        }
    }

    /// `tls-port` and its like.
    pub(super) fn default_port(&self, setting: Setting<u32>) -> u16 {
        let item = self.global().find(setting.clause).and_then(|node| node.items.first());
        item.map_or(setting.default as u16, |item| self.port_of(item))
    }

    /// All `tls` statements.
    pub(super) fn all_tls(&self) -> Vec<Arc<Tls>> {
        let blocks = self.tree.root.all(clause::TLS).filter_map(|node| Some((node.text()?, node.block()?)));
        blocks.map(|(name, block)| Arc::new(self.tls(name, block))).collect()
    }

    /// All `http` statements.
    pub(super) fn all_http(&self) -> Vec<Arc<Http>> {
        let blocks = self.tree.root.all(clause::HTTP).filter_map(|node| Some((node.text()?, node.block()?)));
        blocks.map(|(name, block)| Arc::new(self.http(name, Some(block)))).collect()
    }

    /// The statement of a name, or `ephemeral`, which the checks leave as the only other one.
    fn tls_named(&self, name: &str) -> Tls {
        let block = block_named(self.tree.root, clause::TLS, name);
        block.map_or_else(|| self.tls(EPHEMERAL, Block::default()), |block| self.tls(name, block))
    }

    fn http_named(&self, name: &str) -> Http {
        let block = block_named(self.tree.root, clause::HTTP, name);
        self.http(if block.is_some() { name } else { DEFAULT_HTTP }, block)
    }

    fn tls(&self, name: &str, block: Block<'_>) -> Tls {
        let levels = Levels([Some(block), None, None]);
        let path = |clause| block.find(clause).and_then(Node::text).map(PathBuf::from);
        let protocols = block.find(clause::PROTOCOLS).and_then(Node::list);
        let speaks = |version: &str| {
            let is_it = |item: &Item<'_>| item.text().is_some_and(|text| text.eq_ignore_ascii_case(version));
            protocols.is_none_or(|list| list.iter().copied().flatten().any(is_it))
        };
        Tls {
            name: name.to_owned(),
            files: path(clause::CERT_FILE).zip(path(clause::KEY_FILE)),
            ca_file: path(clause::CA_FILE),
            remote_hostname: block.find(clause::REMOTE_HOSTNAME).and_then(Node::text).map(str::to_owned),
            speaks_12: speaks("TLSv1.2"),
            speaks_13: speaks("TLSv1.3"),
            ciphers: self.ciphers_of(name, block, clause::CIPHERS, ciphers::select),
            cipher_suites: self.ciphers_of(name, block, clause::CIPHER_SUITES, ciphers::select_suites),
            prefer_server_ciphers: levels.boolean_or(clause::PREFER_SERVER_CIPHERS, false),
            session_tickets: levels.boolean_or(clause::SESSION_TICKETS, true),
        }
    }

    /// What there is of the ciphers asked for; where there is nothing, a listener would be of no use.
    fn ciphers_of(
        &self,
        tls: &str,
        block: Block<'_>,
        clause: Clause,
        select: fn(&str) -> Vec<&'static str>,
    ) -> Option<Vec<&'static str>> {
        let node = block.find(clause)?;
        let selected = select(node.text()?);
        if selected.is_empty() {
            let (statement, known) = (node.statement.name, select(ciphers::ALL).join(", "));
            let fault = format!("'{statement}' in the 'tls' clause '{tls}' leaves no cipher that nomd has: {known}");
            self.error(node.place, fault);
        }
        Some(selected)
    }

    fn http(&self, name: &str, block: Option<Block<'_>>) -> Http {
        let levels = Levels([block, None, None]);
        let general = |setting| self.global().number(setting);
        let listed = levels.find(clause::ENDPOINTS).and_then(Node::list);
        let paths = listed.unwrap_or_default().iter().copied().flatten().filter_map(Item::text);
        let mut endpoints: Vec<String> = paths.map(str::to_owned).collect();
        if endpoints.is_empty() {
            endpoints.push(DEFAULT_ENDPOINT.to_owned());
        }
        Http {
            name: name.to_owned(),
            endpoints: endpoints.into(),
            clients: levels.number_or(clause::LISTENER_CLIENTS.clause, general(clause::HTTP_LISTENER_CLIENTS)),
            streams: levels
                .number_or(clause::STREAMS_PER_CONNECTION.clause, general(clause::HTTP_STREAMS_PER_CONNECTION)),
        }
    }
}

fn block_named<'a>(root: Block<'a>, clause: Clause, name: &str) -> Option<Block<'a>> {
    let is_it = |node: &&Node<'_>| node.text().is_some_and(|text| text.eq_ignore_ascii_case(name));
    root.all(clause).find(is_it).and_then(Node::block)
}
