//! Address match lists.

use std::sync::Arc;

use ipnet::IpNet;

use crate::dns::Name;

/// An address match list with named acls resolved. The first element that matches decides.
pub type AddressMatchList = Arc<[MatchElement]>;

/// One element of an address match list.
#[derive(Debug, Clone, PartialEq)]
pub struct MatchElement {
    /// `!`: a match here means no.
    pub negated: bool,
    /// What is matched.
    pub what: Match,
}

/// What an address match list element matches.
#[derive(Debug, Clone, PartialEq)]
pub enum Match {
    /// Everybody. (`none` is a negated `any`.)
    Any,
    /// Addresses of this host, as interfaces come and go.
    Localhost,
    /// Networks that this host is attached to.
    Localnets,
    /// A prefix; a lone address is a prefix of full length.
    Prefix(IpNet),
    /// Requests signed with the key of this name.
    Key(Name),
    /// A nested list or a named acl.
    List(AddressMatchList),
}
