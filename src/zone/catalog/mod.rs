//! Catalog zones (RFC 9432): zones that list the zones to serve.
//!
//! A version of one is read into members and their properties, and compared with the one before. What is read and what
//! makes a catalog broken are BIND's rules: schemas 1 and 2, with BIND's own properties (primaries, allow-query and
//! allow-transfer), and also-notify, under `ext` in schema 2. What is odd is said in BIND's words and passed over; of a
//! broken catalog nothing is taken. Nothing here knows what is served.

mod changes;
mod properties;
mod read;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

pub use changes::Changes;
pub use properties::{Access, Properties, Server};

use crate::dns::Name;

/// What tells the members of a catalog apart: the label below `zones`, in lower case.
pub type MemberId = Arc<[u8]>;

/// What one version of a catalog zone says.
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Catalog {
    /// The version of its schema; none: there was no catalog yet.
    pub schema: Option<u32>,
    /// The zones to serve.
    pub members: BTreeMap<MemberId, Member>,
    /// To which catalogs members may go (`coo`), by the members' names.
    pub heirs: HashMap<Name, Name>,
}

/// A zone that a catalog lists.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name.
    pub apex: Name,
    /// Its own properties, or the catalog's where it has none.
    pub properties: Arc<Properties>,
}

impl Catalog {
    /// Whether a member may go to another catalog.
    pub fn gives(&self, member: &Name, to: &Name) -> bool {
        self.heirs.get(member) == Some(to)
    }
}

#[cfg(test)]
mod tests;
