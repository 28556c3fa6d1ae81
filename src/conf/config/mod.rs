//! The typed configuration: every name resolved, every default and inheritance applied.
//!
//! Nothing above `conf` sees configuration text. Lists that many zones inherit are shared by `Arc`, so that a million
//! zones cost little more than their own statements.

mod acl;
mod listen;
mod logging;
mod options;
mod remote;
mod settings;
mod update;
mod view;
mod zone;

use std::sync::Arc;

use super::guards::GuardFile;
use crate::dns::Key;

pub use acl::{AddressMatchList, Match, MatchElement};
pub use listen::{Http, Listen, Proxies, ProxyHeader, Tls};
pub use logging::{Channel, Destination, Logging, PrintTime, Severity};
pub use options::{Control, Identity, Options};
pub use remote::{Remote, Server, any_source};
pub use settings::{Checks, Dialup, MasterfileFormat, Notify, TransferRate, Verdict, ZoneSettings};
pub use update::{GrantNames, GrantRule, SerialUpdateMethod, SessionKey, Updates};
pub use view::{CatalogZone, Edns, MinimalResponses, OrderRule, RateLimit, RrsetOrder, View};
pub use zone::{Role, Zone, ZoneKind};

/// A whole configuration.
#[derive(Debug, Clone, PartialEq)]
pub struct Config {
    /// Settings of the server as a whole.
    pub options: Options,
    /// `key` statements of the top level.
    pub keys: Vec<Arc<Key>>,
    /// `tls` statements, used or not.
    pub tls: Vec<Arc<Tls>>,
    /// `http` statements, used or not.
    pub http: Vec<Arc<Http>>,
    /// The `acl` statements that something uses, by name in lower case.
    pub acls: Vec<(String, AddressMatchList)>,
    /// Where the control channel listens. None: no `controls` statement, so the default channel (BIND semantics 8.10).
    pub controls: Option<Vec<Control>>,
    /// Where log lines go.
    pub logging: Logging,
    /// Views in order of matching. Without `view` statements there is one, named `_default`.
    pub views: Vec<View>,
    /// The guard file beside it; empty where none is named.
    pub guards: GuardFile,
}

impl Config {
    /// How many zones of each view anybody may transfer because no `allow-transfer` says who may.
    pub fn zones_open_to_transfer(&self) -> Vec<(&str, usize)> {
        let is_open = |zone: &&Zone| zone.role.has_contents() && !zone.settings.is_transfer_limited;
        let open = self.views.iter().map(|view| (view.name.as_str(), view.zones.iter().filter(is_open).count()));
        open.filter(|(_, count)| *count > 0).collect()
    }
}
