//! TLS to other servers: the `tls` statements that `primaries` and `also-notify` name.
//!
//! Files are read when a server is first spoken to, and anew with each new configuration; where one cannot be read any
//! more, what was read before stays.

use std::collections::HashMap;
use std::sync::Arc;

use super::logging::{Category, Severity, log};
use super::stacks;
use crate::conf::config::{Config, Tls};
use crate::net::exchange::Secure;
use crate::net::tls::client::{Connector, Settings};
use crate::transfer::peer::Peer;

/// What has been read, by the names of the statements.
#[derive(Default)]
pub(super) struct Connectors(HashMap<Arc<str>, Arc<Secure>>);

impl Connectors {
    /// What a server is spoken to with; none: plain TCP.
    pub(super) fn of(&mut self, config: &Config, peer: &Peer) -> Option<Arc<Secure>> {
        let name = peer.tls.as_ref()?;
        let made = self.0.entry(Arc::clone(name)).or_insert_with(|| Arc::new(read(config, name)));
        Some(Arc::clone(made))
    }

    /// Reads the files of those that are in use anew. Returns the statements whose files cannot be read, and why; each
    /// has been said.
    pub(super) fn read_anew(&mut self, config: &Config) -> Vec<(String, String)> {
        let mut failed = vec![];
        let before = std::mem::take(&mut self.0);
        for (name, kept) in before.into_iter().filter(|(name, _)| is_there(config, name)) {
            let read = read(config, &name);
            if let Err(error) = &read {
                let rest = if kept.is_ok() { "; what was read before stays in use" } else { "" };
                log!(Category::Config, Severity::Error, "tls '{name}': {error}{rest}");
                failed.push((name.to_string(), error.to_string()));
            }
            let is_worse = read.is_err() && kept.is_ok();
            self.0.insert(name, if is_worse { kept } else { Arc::new(read) });
        }
        failed
    }
}

/// Whether a name still means something.
fn is_there(config: &Config, name: &str) -> bool {
    name == EPHEMERAL || statement(config, name).is_some()
}

fn statement<'c>(config: &'c Config, name: &str) -> Option<&'c Arc<Tls>> {
    config.tls.iter().find(|tls| tls.name.eq_ignore_ascii_case(name))
}

fn read(config: &Config, name: &str) -> Secure {
    let Some(tls) = statement(config, name) else {
        // What remains is `ephemeral`: whoever answers is spoken to, without showing who we are.
        return Connector::new(&Settings::default());
    };
    Connector::new(&Settings {
        identity: stacks::files(tls),
        authorities: tls.ca_file.clone(),
        name: tls.remote_hostname.clone(),
        terms: stacks::terms(tls),
    })
}

/// The name that needs no statement.
const EPHEMERAL: &str = "ephemeral";
