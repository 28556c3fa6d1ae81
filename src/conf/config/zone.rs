//! Zones.

use std::ops::Deref;
use std::path::PathBuf;
use std::sync::Arc;

use super::{Remote, ZoneSettings};
use crate::dns::{Class, Name, ZonePath};

/// A zone with its effective settings. Of many zones only the names differ, so nothing else is kept for each.
#[derive(Debug, Clone)]
pub struct Zone {
    /// Its apex, in the case of the configuration.
    pub apex: Name,
    /// What else is said of it; many zones share one.
    pub kind: Arc<ZoneKind>,
}

/// What may be said of several zones.
#[derive(Debug, Clone)]
pub struct ZoneKind {
    /// The class.
    pub class: Class,
    /// What the zone is here.
    pub role: Role,
    /// The file that it is read from and, a secondary, written to. None: in memory only, or no contents of its own.
    pub path: Option<ZonePath>,
    /// What it does and allows; zones in different files share one, too.
    pub settings: Arc<ZoneSettings>,
}

impl Deref for Zone {
    type Target = ZoneKind;

    fn deref(&self) -> &ZoneKind {
        &self.kind
    }
}

impl PartialEq for Zone {
    fn eq(&self, other: &Self) -> bool {
        let parts = |zone: &Self| (zone.apex.clone(), zone.class, zone.role.clone(), Arc::clone(&zone.settings));
        parts(self) == parts(other) && self.has_file_of(other)
    }
}

impl Zone {
    /// [`ZoneKind::path`] with the zone's name.
    pub fn file(&self) -> Option<PathBuf> {
        self.path.as_ref().map(|path| path.of(self.apex.as_ref()))
    }

    /// Whether another zone has the same file.
    pub fn has_file_of(&self, other: &Self) -> bool {
        let is_spelt_alike = self.apex.as_ref().as_bytes() == other.apex.as_ref().as_bytes();
        (is_spelt_alike && self.path == other.path) || self.file() == other.file()
    }
}

/// What a zone is on this server.
#[derive(Debug, Clone, PartialEq)]
pub enum Role {
    /// Its contents come from a file that its operator keeps.
    Primary,
    /// Its contents come from its primaries.
    Secondary {
        /// Whom to ask, in this order.
        primaries: Arc<[Remote]>,
    },
    /// `type hint`: accepted, not used.
    Hint,
    /// `in-view`: the zone of that name in an earlier view.
    InView(String),
}

impl Role {
    /// Whether the zone is answered from contents of its own.
    pub fn has_contents(&self) -> bool {
        matches!(self, Self::Primary | Self::Secondary { .. })
    }
}
