//! Who may change a zone by dynamic update.

use std::path::PathBuf;
use std::sync::Arc;

use super::AddressMatchList;
use crate::dns::{Algorithm, Name, Rtype};

/// Who may change a zone.
#[derive(Debug, Clone, PartialEq, Default)]
pub enum Updates {
    /// Nobody, by no statement or by `allow-update { none; }`: the zone's file is its operator's.
    #[default]
    None,
    /// `allow-update`.
    Allowed(AddressMatchList),
    /// `update-policy`.
    Granted(Arc<[GrantRule]>),
}

/// One rule of `update-policy`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct GrantRule {
    /// `grant`, not `deny`.
    pub is_granted: bool,
    /// Whom it is about.
    pub identity: Name,
    /// Which names it is about.
    pub names: GrantNames,
    /// Types with how many records there may be, 0 for any number; none: all but those that hold a zone together.
    pub types: Vec<(Rtype, u16)>,
}

/// Which names a rule is about.
#[derive(Debug, Clone, PartialEq, Eq)]
#[allow(missing_docs)] // the words of named.conf
pub enum GrantNames {
    Name(Name),
    Subdomain(Name),
    Zonesub,
    /// `update-policy local`.
    Local,
    Wildcard(Name),
    Itself,
    SelfSub,
    SelfWild,
    TcpSelf,
    SixToFourSelf,
}

/// The key that `update-policy local` is about, made anew at each start.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct SessionKey {
    /// `session-keyfile`; none: it is written nowhere.
    pub path: Option<PathBuf>,
    /// `session-keyname`.
    pub name: Name,
    /// `session-keyalg`.
    pub algorithm: Algorithm,
    /// How many bits of a MAC there are, where that is not all.
    pub truncate_bits: Option<u16>,
}

/// `serial-update-method`.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
#[allow(missing_docs)] // the words of named.conf
pub enum SerialUpdateMethod {
    #[default]
    Increment,
    UnixTime,
    Date,
}
