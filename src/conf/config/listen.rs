//! Where the server listens, and how it is spoken to there.

use std::path::PathBuf;
use std::sync::Arc;

use super::AddressMatchList;

/// One `listen-on` or `listen-on-v6` clause.
#[derive(Debug, Clone, PartialEq)]
pub struct Listen {
    /// Its port, or that of `options`.
    pub port: u16,
    /// Which of the host's addresses.
    pub addresses: AddressMatchList,
    /// `proxy`.
    pub proxy: Option<ProxyHeader>,
    /// `tls`, unless it is `none`.
    pub tls: Option<Arc<Tls>>,
    /// `http`.
    pub http: Option<Arc<Http>>,
}

/// Where a proxy tells whom it speaks for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ProxyHeader {
    /// Ahead of all else.
    Plain,
    /// Within TLS.
    Encrypted,
}

/// Which proxies are heard.
#[derive(Debug, Clone, PartialEq)]
pub struct Proxies {
    /// `allow-proxy`, default none.
    pub from: AddressMatchList,
    /// `allow-proxy-on`, default any.
    pub on: AddressMatchList,
}

/// A `tls` statement, or `ephemeral`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Tls {
    /// Its name.
    pub name: String,
    /// `cert-file` and `key-file`; none: a certificate is made.
    pub files: Option<(PathBuf, PathBuf)>,
    /// `ca-file`: clients, and servers that are asked, need a certificate from there.
    pub ca_file: Option<PathBuf>,
    /// `remote-hostname`: the name that the certificate of a server has to be for.
    pub remote_hostname: Option<String>,
    /// Whether TLS 1.2 is spoken (`protocols`).
    pub speaks_12: bool,
    /// Whether TLS 1.3 is spoken.
    pub speaks_13: bool,
    /// `ciphers`: OpenSSL's names of those that we have, the best first. None: all.
    pub ciphers: Option<Vec<&'static str>>,
    /// `cipher-suites` in the same way.
    pub cipher_suites: Option<Vec<&'static str>>,
    /// `prefer-server-ciphers`, default no.
    pub prefer_server_ciphers: bool,
    /// `session-tickets`, default yes.
    pub session_tickets: bool,
}

/// An `http` statement, or `default`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Http {
    /// Its name.
    pub name: String,
    /// `endpoints`, default `/dns-query`.
    pub endpoints: Arc<[String]>,
    /// `listener-clients`, default 300.
    pub clients: u32,
    /// `streams-per-connection`, default 100.
    pub streams: u32,
}
