//! From a member of a catalog to a zone: a secondary like any other, with what the catalog and the configuration say of
//! it. Members that say the same share it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;

use ipnet::IpNet;
use sha2::{Digest, Sha256};

use crate::conf::config::{
    AddressMatchList, CatalogZone, Match, MatchElement, Remote, Role, Zone, ZoneKind, ZoneSettings,
};
use crate::dns::name::NoDot;
use crate::dns::{Class, NameRef, ZonePath, ZonePaths};
use crate::zone::catalog::{Access, Member, Properties, Server};

/// What the members of one catalog are made with.
pub(super) struct Members {
    /// What the configuration says of them.
    pub(super) conf: CatalogZone,
    view: Arc<str>,
    /// Whether they have files.
    has_files: bool,
    paths: ZonePaths,
    said: HashMap<Arc<Properties>, (Role, Arc<ZoneSettings>)>,
    kinds: HashMap<(Arc<Properties>, Option<ZonePath>), Arc<ZoneKind>>,
}

/// Why a member cannot be a zone, as BIND words it.
#[derive(Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum MemberFault {
    #[error("zone '{0}' uses an invalid primary (no IP address assigned)")]
    NoAddress(String),
    #[error("'{0}': address/prefix length mismatch '{length}'", length = .0.prefix_len())]
    NotOnBoundary(IpNet),
}

impl Members {
    /// None made yet.
    pub(super) fn new(conf: CatalogZone, view: Arc<str>) -> Self {
        let has_files = has_files(&conf);
        let (paths, said, kinds) = (ZonePaths::default(), HashMap::new(), HashMap::new());
        Self { conf, view, has_files, paths, said, kinds }
    }

    /// Whether they would be the same with this configuration.
    pub(super) fn are_of(&self, conf: &CatalogZone) -> bool {
        self.conf == *conf && self.has_files == has_files(conf)
    }

    /// Where their files should be and cannot be.
    pub(super) fn missing_directory(&self) -> Option<&str> {
        self.conf.directory.as_deref().filter(|_| !self.conf.is_in_memory && !self.has_files)
    }

    /// The zone of a member.
    pub(super) fn zone(&mut self, member: &Member) -> Result<Zone, MemberFault> {
        if self.kinds.len() >= MAX_SHARED {
            // They serve only to be shared.
            (self.paths, self.said, self.kinds) = (ZonePaths::default(), HashMap::new(), HashMap::new());
        }
        let apex = member.apex.as_ref();
        let path = self.has_files.then(|| self.paths.share(&self.file(apex), apex));
        let key = (Arc::clone(&member.properties), path);
        let kind = match self.kinds.get(&key) {
            Some(known) => Arc::clone(known),
            None => {
                let (role, settings) = self.said_of(member)?;
                let kind = Arc::new(ZoneKind { class: Class::IN, role, path: key.1.clone(), settings });
                self.kinds.insert(key, Arc::clone(&kind));
                kind
            }
        };
        Ok(Zone { apex: member.apex.clone(), kind })
    }

    fn said_of(&mut self, member: &Member) -> Result<(Role, Arc<ZoneSettings>), MemberFault> {
        if let Some((role, settings)) = self.said.get(&member.properties) {
            return Ok((role.clone(), Arc::clone(settings)));
        }
        let (role, settings) = (self.role(member)?, self.settings(member)?);
        self.said.insert(Arc::clone(&member.properties), (role.clone(), Arc::clone(&settings)));
        Ok((role, settings))
    }

    fn role(&self, member: &Member) -> Result<Role, MemberFault> {
        let listed = &member.properties.primaries;
        if listed.is_empty() {
            return Ok(Role::Secondary { primaries: Arc::clone(&self.conf.primaries) });
        }
        Ok(Role::Secondary { primaries: remotes(member, listed, self.conf.primary_port)? })
    }

    fn settings(&self, member: &Member) -> Result<Arc<ZoneSettings>, MemberFault> {
        let Properties { also_notify, allow_query, allow_transfer, .. } = &*member.properties;
        if also_notify.is_empty() && allow_query.is_none() && allow_transfer.is_none() {
            return Ok(Arc::clone(&self.conf.settings));
        }
        let mut settings = ZoneSettings::clone(&self.conf.settings);
        if !also_notify.is_empty() {
            settings.also_notify = remotes(member, also_notify, self.conf.primary_port)?;
        }
        if let Some(list) = allow_query {
            settings.allow_query = match_list(list)?;
        }
        if let Some(list) = allow_transfer {
            settings.allow_transfer = match_list(list)?;
            settings.is_transfer_limited = true;
            (settings.transfer_port, settings.transfer_is_tls) = (None, None);
        }
        Ok(Arc::new(settings))
    }

    fn file(&self, member: NameRef<'_>) -> String {
        let name = file_name(&self.view, self.conf.apex.as_ref(), member);
        self.conf.directory.as_deref().map_or_else(|| name.clone(), |directory| format!("{directory}/{name}"))
    }
}

fn has_files(conf: &CatalogZone) -> bool {
    let is_there = |directory| Path::new(directory).is_dir();
    !conf.is_in_memory && conf.directory.as_deref().is_none_or(is_there)
}

fn remotes(member: &Member, servers: &[Server], port: u16) -> Result<Arc<[Remote]>, MemberFault> {
    let no_address = || MemberFault::NoAddress(NoDot(member.apex.as_ref()).to_string());
    let remote = |server: &Server| {
        let address = SocketAddr::new(server.address.ok_or_else(no_address)?, port);
        Ok(Remote { address, key: server.key.clone(), tls: None })
    };
    servers.iter().map(remote).collect()
}

fn match_list(list: &[Access]) -> Result<AddressMatchList, MemberFault> {
    let element = |access: &Access| match access.network {
        network if network.trunc() != network => Err(MemberFault::NotOnBoundary(network)),
        network => Ok(MatchElement { negated: access.is_negated, what: Match::Prefix(network) }),
    };
    list.iter().map(element).collect()
}

/// BIND's name for a member's file, so that the two find each other's.
fn file_name(view: &str, catalog: NameRef<'_>, member: NameRef<'_>) -> String {
    let catalog = NoDot(catalog).to_string().to_ascii_lowercase();
    let plain = format!("{view}_{catalog}_{}", NoDot(member));
    if plain.len() > LONGEST_PLAIN || plain.contains(['\\', '/', ':']) {
        let digest = data_encoding::HEXLOWER.encode(&Sha256::digest(&plain));
        return format!("__catz__{digest}.db");
    }
    format!("__catz__{plain}.db")
}

/// The longest name that stands in a file's name as it is.
const LONGEST_PLAIN: usize = 65;
/// How many kinds of members are kept to be shared.
const MAX_SHARED: usize = 4096;

#[cfg(test)]
mod tests;
