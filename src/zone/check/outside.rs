//! Names that a zone points to and cannot know itself: what the resolver of the host says of them, in the words of
//! BIND's checkers (`named-checkzone -i full`; the server never asks).
//!
//! In: targets of MX and SRV records out of the zone or below its zone cuts, and name servers of delegations below zone
//! cuts, whose glue is held against what the child says. Nothing of this refuses a zone but an alias where the operator
//! said `fail`. Each name is asked for once, and each fault of it told once.

use std::collections::{HashMap, HashSet};
use std::net::IpAddr;
use std::sync::{Arc, Mutex, PoisonError};

use super::{Checks, Strictness};
use crate::dns::name::NoDot;
use crate::dns::{Name, NameRef, Rtype};
use crate::zone::node::{Node, Rrset};

/// What a resolver says of a name.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Resolved {
    /// It has addresses.
    Found {
        /// The name at the end of aliases, where that is known.
        canonical: Option<String>,
        /// All of them.
        addresses: Vec<IpAddr>,
    },
    /// It has none, or is none.
    NoAddresses,
    /// It is not known, for this reason.
    Failed(String),
}

/// Asks for an absolute name, which ends with a dot.
pub type Resolver = fn(&str) -> Resolved;

/// What has been asked of the resolver and told of its answers.
pub(super) struct Outside {
    resolver: Resolver,
    known: Mutex<Known>,
}

#[derive(Default)]
struct Known {
    answers: HashMap<Name, Arc<Resolved>>,
    told: HashSet<(Name, Fault)>,
}

/// What is told of a name only once, whichever record points to it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
enum Fault {
    /// It is an alias, and records of this type point to it.
    Alias(Rtype),
    NoAddresses,
    Failed,
    /// An address record of this type that the child has not.
    ExtraGlue(Rtype),
    MissingGlue,
}

impl Outside {
    pub(super) fn new(resolver: Resolver) -> Self {
        Self { resolver, known: Mutex::default() }
    }

    fn resolve(&self, name: NameRef<'_>) -> Arc<Resolved> {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        let ask = || Arc::new((self.resolver)(&name.to_string()));
        Arc::clone(known.answers.entry(name.to_name()).or_insert_with(ask))
    }

    /// Whether this is told of the name for the first time.
    fn is_new(&self, name: NameRef<'_>, fault: Fault) -> bool {
        let mut known = self.known.lock().unwrap_or_else(PoisonError::into_inner);
        known.told.insert((name.to_name(), fault))
    }
}

impl Checks<'_> {
    /// Whether the resolver is to be asked about a target, which the zone does not know for sure.
    pub(super) fn is_outside(&self, target: NameRef<'_>) -> bool {
        let is_inside = || target.is_at_or_below(self.version.apex());
        let is_cut_off = || self.version.find(target).cut.is_some();
        self.outside.is_some() && !target.is_root() && (!is_inside() || is_cut_off())
    }

    /// Asks for the target of a mail exchanger or service.
    pub(super) fn outside_target(&mut self, owner: NameRef<'_>, rtype: Rtype, target: NameRef<'_>) {
        let Some(outside) = self.outside else { return };
        let strictness = if rtype == Rtype::MX { self.policy.mx_cname } else { self.policy.srv_cname };
        match &*outside.resolve(target) {
            Resolved::Found { canonical, .. } => {
                let Some(canonical) = alias(target, canonical.as_deref()) else { return };
                self.verdict.is_refused |= strictness == Strictness::Fail;
                if strictness != Strictness::Ignore && outside.is_new(target, Fault::Alias(rtype)) {
                    self.judge(strictness, alias_text(owner, rtype, target, canonical));
                }
            }
            other => self.unresolved(outside, owner, rtype, target, other),
        }
    }

    /// Holds the glue of a name server, if it has any, against the addresses that it has.
    pub(super) fn outside_server(&mut self, owner: NameRef<'_>, target: NameRef<'_>) {
        let Some(outside) = self.outside else { return };
        let resolved = outside.resolve(target);
        let Resolved::Found { canonical, addresses } = &*resolved else {
            return self.unresolved(outside, owner, Rtype::NS, target, &resolved);
        };
        if let Some(canonical) = alias(target, canonical.as_deref())
            && outside.is_new(target, Fault::Alias(Rtype::NS))
        {
            self.error(alias_text(owner, Rtype::NS, target, canonical));
        }
        let node = self.version.node(target);
        let glue: Vec<_> = [Rtype::A, Rtype::AAAA].iter().flat_map(|rtype| glue(node, *rtype)).collect();
        let head = format!("{}/NS '{}'", NoDot(owner), NoDot(target));
        for address in glue.iter().filter(|address| !addresses.contains(address)) {
            if outside.is_new(target, Fault::ExtraGlue(rtype_of(address))) {
                self.error(format!("{head} extra GLUE {} record ({address})", rtype_of(address)));
            }
        }
        let missing: Vec<_> = addresses.iter().filter(|address| !glue.contains(address)).collect();
        if !missing.is_empty() && outside.is_new(target, Fault::MissingGlue) {
            for address in missing {
                self.error(format!("{head} missing GLUE {} record ({address})", rtype_of(address)));
            }
        }
    }

    fn unresolved(
        &mut self,
        outside: &Outside,
        owner: NameRef<'_>,
        rtype: Rtype,
        target: NameRef<'_>,
        resolved: &Resolved,
    ) {
        match resolved {
            Resolved::Found { .. } => {}
            Resolved::NoAddresses if outside.is_new(target, Fault::NoAddresses) => {
                let (owner, target) = (NoDot(owner), NoDot(target));
                self.error(format!("{owner}/{rtype} '{target}' (out of zone) has no addresses records (A or AAAA)"));
            }
            Resolved::Failed(why) if outside.is_new(target, Fault::Failed) => {
                self.warning(format!("getaddrinfo({}) failed: {why}", NoDot(target)));
            }
            Resolved::NoAddresses | Resolved::Failed(_) => {}
        }
    }
}

/// The canonical name, if it is another than the target. BIND compares it as the resolver writes it.
fn alias<'c>(target: NameRef<'_>, canonical: Option<&'c str>) -> Option<&'c str> {
    canonical.filter(|canonical| !canonical.eq_ignore_ascii_case(&NoDot(target).to_string()))
}

fn alias_text(owner: NameRef<'_>, rtype: Rtype, target: NameRef<'_>, canonical: &str) -> String {
    format!("{}/{rtype} '{}' (out of zone) is a CNAME '{canonical}' (illegal)", NoDot(owner), NoDot(target))
}

/// The addresses of one type that a name of the zone has.
fn glue(node: Option<Node<'_>>, rtype: Rtype) -> Vec<IpAddr> {
    let rrset = node.and_then(|node| node.rrset(rtype));
    let address = |data: &[u8]| match data.len() {
        4 => <[u8; 4]>::try_from(data).map(IpAddr::from).ok(),
        _ => <[u8; 16]>::try_from(data).map(IpAddr::from).ok(),
    };
    rrset.iter().flat_map(Rrset::rdatas).filter_map(address).collect()
}

fn rtype_of(address: &IpAddr) -> Rtype {
    if address.is_ipv4() { Rtype::A } else { Rtype::AAAA }
}
