//! What listeners speak above TCP: `tls` and `http` statements made into what [`crate::net`] works with.
//!
//! Certificates are read at the start and with each new configuration, each once for all its listeners. Where one
//! cannot be read, the one before stays, and so do all connections.

use std::collections::HashMap;
use std::sync::Arc;

use super::logging::{Category, Severity, log};
use crate::conf::config::{Config, Http, Listen, ProxyHeader, Tls};
use crate::net::tcp::http::Site;
use crate::net::tcp::{self, Limits, Stack};
use crate::net::tls::server::{Acceptor, Settings};
use crate::net::tls::{DOT, HTTP2, Identity, Terms, TlsError, Versions};
use crate::net::udp::Framing;

/// A certificate is read once for each thing that is spoken under it.
type Use = (String, &'static [u8]);

/// What the datagrams of a listener hold; none: it has no UDP, as TLS and HTTP have none.
pub(super) fn framing(clause: &Listen) -> Option<Framing> {
    let framing = if clause.proxy.is_some() { Framing::Proxied } else { Framing::Bare };
    is_plain(clause).then_some(framing)
}

/// Whether a listener speaks plain DNS.
pub(super) fn is_plain(clause: &Listen) -> bool {
    clause.tls.is_none() && clause.http.is_none()
}

/// The TLS of all listeners.
#[derive(Default)]
pub(super) struct Stacks {
    acceptors: HashMap<Use, Acceptor>,
}

impl Stacks {
    /// Reads the certificates that listeners use. Returns the `tls` statements that did not come to be, and why; each
    /// has been said.
    pub(super) fn read(&mut self, config: &Config) -> Vec<(String, String)> {
        let (mut read, mut failed) = (HashMap::new(), Vec::new());
        let clauses = config.options.listen_on.iter().chain(&config.options.listen_on_v6);
        for (place, tls) in clauses.filter_map(|clause| Some((usage(clause)?, clause.tls.as_deref()?))) {
            if read.contains_key(&place) || failed.iter().any(|(name, _)| *name == tls.name) {
                continue;
            }
            match Acceptor::new(&settings(tls), place.1) {
                Ok(acceptor) => drop(read.insert(place, acceptor)),
                Err(error) => {
                    let kept = self.acceptors.remove(&place);
                    failed.push((tls.name.clone(), say(tls, &error, kept.is_some())));
                    read.extend(kept.map(|acceptor| (place, acceptor)));
                }
            }
        }
        self.acceptors = read;
        failed
    }

    /// What a listener speaks within these limits; none where its certificate has never been read.
    pub(super) fn of(&self, clause: &Listen, limits: &Arc<Limits>) -> Option<Stack> {
        let tls = match usage(clause) {
            Some(place) => Some(self.acceptors.get(&place)?.clone()),
            None => None,
        };
        let proxy = clause.proxy.map(|at| match at {
            ProxyHeader::Plain => tcp::ProxyHeader::Plain,
            ProxyHeader::Encrypted => tcp::ProxyHeader::Encrypted,
        });
        Some(Stack { proxy, tls, http: clause.http.as_deref().map(site), limits: Arc::clone(limits) })
    }
}

fn usage(clause: &Listen) -> Option<Use> {
    let tls = clause.tls.as_ref()?;
    Some((tls.name.to_ascii_lowercase(), if clause.http.is_some() { HTTP2 } else { DOT }))
}

/// Says what is wrong with a certificate, and returns it.
fn say(tls: &Tls, error: &TlsError, is_kept: bool) -> String {
    let rest = if is_kept { "; the certificate in use stays" } else { "" };
    log!(Category::Config, Severity::Error, "tls '{}': {error}{rest}", tls.name);
    error.to_string()
}

fn settings(tls: &Tls) -> Settings {
    Settings {
        identity: files(tls).unwrap_or(Identity::Ephemeral),
        client_ca: tls.ca_file.clone(),
        terms: terms(tls),
        prefers_own_order: tls.prefer_server_ciphers,
        resumes_sessions: tls.session_tickets,
    }
}

/// Who the files of a statement say that we are.
pub(super) fn files(tls: &Tls) -> Option<Identity> {
    tls.files.clone().map(|(certificate, key)| Identity::Files { certificate, key })
}

/// The versions and ciphers of a statement.
pub(super) fn terms(tls: &Tls) -> Terms {
    let versions = match (tls.speaks_12, tls.speaks_13) {
        (true, false) => Versions::Only12,
        (false, true) => Versions::Only13,
        _ => Versions::Both,
    };
    Terms { versions, ciphers: tls.ciphers.clone(), cipher_suites: tls.cipher_suites.clone() }
}

fn site(http: &Http) -> Site {
    Site { endpoints: Arc::clone(&http.endpoints), streams: http.streams }
}
