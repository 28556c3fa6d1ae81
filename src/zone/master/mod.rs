//! Reading master files (RFC 1035 section 5), at the speed that memory allows.
//!
//! In: a file, the zone's name and class, and what to be strict about. Out: each record, uncompressed, to a [`Sink`];
//! all faults of the file in named's words; and the files read with their times, so that a reload can tell whether any
//! of them changed. A fault never ends the reading: the operator sees every wrong line at once (up to a limit).

use std::path::{Path, PathBuf};
use std::time::SystemTime;

use crate::dns::{Class, Name, NameRef, Rtype};
use crate::zone::message::{Message, Strictness};

/// Where parsed records go. `rdata` is complete and uncompressed.
pub trait Sink {
    /// Takes one record of the zone.
    fn record(&mut self, owner: NameRef<'_>, rtype: Rtype, ttl: u32, rdata: &[u8]);
}

/// What a master file is read as.
#[derive(Debug, Clone)]
pub struct Options {
    /// The zone's name: the first `$ORIGIN`, and the limit of what belongs to the zone.
    pub apex: Name,
    /// The zone's class; a record of another class is a fault.
    pub class: Class,
    /// `check-names` for this zone.
    pub check_names: Strictness,
    /// `max-zone-ttl` in seconds: a longer TTL is a fault.
    pub max_zone_ttl_s: Option<u32>,
}

/// A file that went into a zone.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its path as configured or as written behind `$INCLUDE`.
    pub path: PathBuf,
    /// Its time of last change, as it was before reading.
    pub modified: Option<SystemTime>,
}

/// What came of reading a master file.
#[derive(Debug, Default)]
pub struct Report {
    /// Faults and warnings in file order.
    pub messages: Vec<Message>,
    /// The files read, the zone's own first.
    pub sources: Vec<Source>,
    /// Why the zone cannot be used, as named ends `loading from master file F failed: R`; none if it can.
    pub failure: Option<String>,
}
