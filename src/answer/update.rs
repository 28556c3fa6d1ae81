//! UPDATE for a zone whose contents come from a file here (RFC 2136): who may, and what is asked for.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::net::IpAddr;
use std::sync::Arc;

use super::acl::{Acl, Peer};
use super::deferred;
use super::facts::Denied;
use super::respond::{Job, Outcome};
use super::snapshot::{View, Zone};
use crate::dns::{Message, NameRef, Rcode};
use crate::zone::update::{Grants, Requester, Unreadable, Update};

/// Who may change a zone.
#[derive(Debug, Clone, Default)]
pub enum UpdatePolicy {
    /// Nobody: it does not change by updates.
    #[default]
    None,
    /// These (`allow-update`).
    Allowed(Acl),
    /// Some of it, as the rules say (`update-policy`).
    Granted {
        /// The rules.
        grants: Arc<Grants>,
        /// This host.
        localhost: Acl,
    },
}

/// What somebody who may asks of a primary zone.
#[derive(Debug)]
pub struct Asked {
    /// What is to be done.
    pub update: Update,
    /// What of the zone the requester may change; none: all of it.
    pub grants: Option<Arc<Grants>>,
    address: IpAddr,
    is_tcp: bool,
    is_local: bool,
}

impl Asked {
    /// Who asks, given the key of the request.
    pub fn requester<'k>(&self, key: Option<NameRef<'k>>) -> Requester<'k> {
        let Self { address, is_tcp, is_local, .. } = *self;
        Requester { key, address, is_tcp, is_local }
    }
}

impl<'a> Job<'a> {
    /// An UPDATE for a primary zone. BIND: who may not ask may not find out by it what there is.
    pub(super) fn update_primary(
        &mut self,
        view: &'a View,
        zone: &Arc<Zone>,
        update: Update,
        reply: &mut [u8],
    ) -> Outcome {
        if zone.contents().is_none() {
            return self.refuse(Rcode::SERVFAIL, reply);
        }
        match self.allowed(zone) {
            Ok((grants, is_local)) => {
                let (address, is_tcp) = (self.peer().address, self.is_tcp());
                let asked = Some(Box::new(Asked { update, grants, address, is_tcp, is_local }));
                Outcome::Update(deferred::Update { zone: Arc::clone(zone), asked, reply: self.defer(view) })
            }
            Err(denied) => {
                self.scratch.facts.denied = Some(denied);
                self.refuse(Rcode::REFUSED, reply)
            }
        }
    }

    /// What an UPDATE asks for; else what is answered.
    pub(super) fn read_update(&self) -> Result<Update, Rcode> {
        let read = Message::new(self.request.bytes).map_err(Unreadable::from);
        read.and_then(|message| Update::read(&message)).map_err(|unreadable| match unreadable {
            Unreadable::Wire(_) => Rcode::FORMERR,
            Unreadable::Owner => Rcode::SERVFAIL,
        })
    }

    /// The rules for what the requester may change, if there are rules, and whether it is this host.
    fn allowed(&self, zone: &Zone) -> Result<(Option<Arc<Grants>>, bool), Denied> {
        let (policy, peer) = (zone.policy(), self.peer());
        let is_possible = !matches!(policy.updates, UpdatePolicy::None);
        if !policy.allow_query.allows(peer) {
            return Err(Denied::UpdateByQuery { is_possible });
        }
        let is_unknown = peer.key.is_none() && !self.is_tcp();
        match &policy.updates {
            UpdatePolicy::None => Err(Denied::Update),
            UpdatePolicy::Allowed(acl) if acl.allows(peer) => Ok((None, false)),
            UpdatePolicy::Allowed(_) => Err(Denied::UpdateByList),
            UpdatePolicy::Granted { .. } if is_unknown => Err(Denied::UpdateByList),
            UpdatePolicy::Granted { grants, localhost } => {
                let is_local = localhost.allows(Peer { key: None, ..peer });
                Ok((Some(Arc::clone(grants)), is_local))
            }
        }
    }
}
