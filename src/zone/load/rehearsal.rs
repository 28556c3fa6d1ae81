//! Why named does not add some records, and when it says so.
//!
//! That records exclude each other shows once a zone is built, when lines are forgotten. The file is read again then,
//! and what named does with its records is done over: those that stand together are gathered, and added when another
//! owner comes, RRset by RRset, the type that came last first. What the zone holds is only kept for suspects.

use std::collections::{HashMap, HashSet};
use std::path::{Path, PathBuf};

use crate::dns::rdata::{self, Form};
use crate::dns::{Class, Name, NameRef, Rtype};
use crate::zone::WildcardOwner;
use crate::zone::check;
use crate::zone::master::{self, Options, Refused, Report, Sink, Turn};
use crate::zone::records::MAX_RRSET;
use crate::zone::{Limits, WideRrset};

/// Reads a file in which there are conflicts, or more than the limits allow, at the names of `suspects`.
pub(super) fn read(path: &Path, options: &Options, limits: Limits, suspects: impl IntoIterator<Item = Name>) -> Report {
    let mut rehearsal = Rehearsal {
        apex: options.apex.clone(),
        class: options.class,
        limits,
        zone: suspects.into_iter().map(|name| (name, Vec::new())).collect(),
        files: Vec::new(),
        current: Vec::new(),
        glue: Vec::new(),
        gathered_bytes: 0,
        place: Place::default(),
        refused: Vec::new(),
    };
    master::read(path, options, &mut rehearsal)
}

/// The names of a file at which there may be a conflict, where nothing is known of it.
pub(super) fn suspects(path: &Path, options: &Options) -> HashSet<Name> {
    let mut found = HashSet::new();
    let mut note = |owner: NameRef<'_>, rtype: Rtype, _ttl: u32, data: &[u8]| {
        if check::is_singleton(rtype) || data.len() > LARGE_BYTES {
            found.insert(owner.to_name());
        }
    };
    master::read(path, options, &mut note);
    found
}

/// Why an RRset is not added.
#[derive(Debug, thiserror::Error)]
enum Reason {
    #[error(transparent)]
    Conflict(#[from] check::Conflict),
    #[error("too many records")]
    TooManyRecords(Box<WideRrset>),
    #[error("too many records")]
    TooManyTypes,
    #[error("ran out of space")]
    TooLarge,
    #[error(transparent)]
    Wildcard(#[from] WildcardOwner),
    #[error("not at top of zone")]
    NotTop,
}

impl Reason {
    fn is_limit(&self) -> bool {
        matches!(self, Self::TooManyRecords(_) | Self::TooManyTypes)
    }

    /// What named says before it says why.
    fn detail(&self) -> Option<String> {
        match self {
            Self::TooManyRecords(wide) => Some(wide.to_string()),
            _ => None,
        }
    }
}

/// Where something stands.
type Place = (PathBuf, u64);

/// An RRset, or a part of one.
#[derive(Clone)]
struct Rrset {
    rtype: Rtype,
    form: Form,
    covered: Rtype,
    ttl: u32,
    /// Without duplicates once they are added.
    records: Vec<Vec<u8>>,
}

impl Rrset {
    /// One of a single record.
    fn new(rtype: Rtype, class: Class, ttl: u32, data: &[u8]) -> Self {
        let form = rdata::in_class(rtype, class);
        let covered = data.first_chunk().filter(|_| rtype == Rtype::RRSIG || rtype == SIG);
        let covered = Rtype(covered.map_or(0, |bytes| u16::from_be_bytes(*bytes)));
        Self { rtype, form, covered, ttl, records: vec![data.to_vec()] }
    }

    fn is_of_type_of(&self, other: &Self) -> bool {
        (self.rtype, self.covered) == (other.rtype, other.covered)
    }

    /// BIND keeps these apart from the names, and finds no conflict there.
    fn is_proof(&self) -> bool {
        Rtype::NSEC3 == if self.rtype == Rtype::RRSIG { self.covered } else { self.rtype }
    }

    fn has(&self, record: &[u8]) -> bool {
        self.records.iter().any(|known| rdata::compare(self.form, known, record).is_eq())
    }

    /// The same without duplicates, if it can be one.
    fn whole(self) -> Result<Self, Reason> {
        let mut whole = Self { records: Vec::new(), ..self };
        for record in self.records {
            if !whole.has(&record) {
                whole.records.push(record);
            }
        }
        if whole.records.len() > 1 && check::is_singleton(whole.rtype) {
            return Err(check::Conflict::Singleton.into());
        }
        let size: usize = whole.records.iter().map(|record| 2 + record.len()).sum();
        if size > MAX_RRSET { Err(Reason::TooLarge) } else { Ok(whole) }
    }
}

/// The owners of an open file, and where the latest records of each stand.
#[derive(Default)]
struct Owners {
    current: Option<Name>,
    current_place: Place,
    /// A name server of the owner that is left for it.
    glue: Option<Name>,
    glue_place: Place,
}

struct Rehearsal {
    apex: Name,
    class: Class,
    limits: Limits,
    /// What the zone holds at the suspects.
    zone: HashMap<Name, Vec<Rrset>>,
    /// The files that are open, the innermost last.
    files: Vec<Owners>,
    /// What has been gathered of the current owner, and of the glue.
    current: Vec<Rrset>,
    glue: Vec<Rrset>,
    gathered_bytes: usize,
    /// Where the record stands that comes next.
    place: Place,
    refused: Vec<Refused>,
}

impl Sink for Rehearsal {
    fn record(&mut self, _owner: NameRef<'_>, rtype: Rtype, ttl: u32, data: &[u8]) {
        self.gather(Rrset::new(rtype, self.class, ttl, data));
        self.gathered_bytes += data.len();
        if self.gathered_bytes > MAX_GATHERED_BYTES {
            self.commit();
        }
    }

    /// Leaves the owner before for this one, unless this is one of its servers, or comes back from there.
    fn owner(&mut self, owner: NameRef<'_>) -> Turn {
        let Some(mut file) = self.files.pop() else { return Turn::Next };
        let turn = self.turn(&mut file, owner);
        self.files.push(file);
        turn
    }

    fn outer(&self) -> Option<NameRef<'_>> {
        let file = self.files.last()?;
        file.current.as_ref().filter(|_| file.glue.is_some()).map(Name::as_ref)
    }

    fn commit(&mut self) {
        let Some(file) = self.files.pop() else { return };
        for (owner, gathered, place) in [
            (&file.current, std::mem::take(&mut self.current), &file.current_place),
            (&file.glue, std::mem::take(&mut self.glue), &file.glue_place),
        ] {
            if let Some(owner) = owner {
                self.add_all(owner, gathered, place);
            }
        }
        self.gathered_bytes = 0;
        self.files.push(file);
    }

    fn generated(&mut self, owner: NameRef<'_>, rtype: Rtype, ttl: u32, data: &[u8]) {
        let place = self.place.clone();
        self.add_all(&owner.to_name(), vec![Rrset::new(rtype, self.class, ttl, data)], &place);
    }

    const WANTS_PLACES: bool = true;

    fn place(&mut self, path: &Path, line: u64) {
        self.place = (path.to_owned(), line);
    }

    fn begin_file(&mut self) {
        let owner = self.files.last().and_then(|file| file.glue.clone().or_else(|| file.current.clone()));
        self.files.push(Owners { current: owner, ..Owners::default() });
    }

    fn end_file(&mut self) {
        self.commit();
        self.files.pop();
    }

    fn refused(&mut self) -> Vec<Refused> {
        std::mem::take(&mut self.refused)
    }
}

impl Rehearsal {
    fn turn(&mut self, file: &mut Owners, owner: NameRef<'_>) -> Turn {
        let is_spelt = |name: &Name| name.as_ref().as_bytes() == owner.as_bytes();
        if let Some(glue) = file.glue.take() {
            let gathered = std::mem::take(&mut self.glue);
            self.add_all(&glue, gathered, &file.glue_place);
        }
        if file.current.as_ref().is_some_and(is_spelt) {
            return Turn::Back;
        }
        if is_server(&self.current, owner) {
            file.glue = Some(owner.to_name());
            return Turn::Server;
        }
        let gathered = std::mem::take(&mut self.current);
        if let Some(current) = file.current.replace(owner.to_name()) {
            self.add_all(&current, gathered, &file.current_place);
        }
        self.gathered_bytes = 0;
        Turn::Next
    }

    /// Puts a record beside the others that stand together with it.
    fn gather(&mut self, rrset: Rrset) {
        let Some(file) = self.files.last_mut() else { return };
        let (gathered, latest) = match file.glue {
            Some(_) => (&mut self.glue, &mut file.glue_place),
            None => (&mut self.current, &mut file.current_place),
        };
        latest.clone_from(&self.place);
        match gathered.iter_mut().find(|known| known.is_of_type_of(&rrset)) {
            Some(known) => known.records.extend(rrset.records),
            None => gathered.push(rrset),
        }
    }

    /// Adds what has been gathered to the zone.
    fn add_all(&mut self, owner: &Name, gathered: Vec<Rrset>, place: &Place) {
        for rrset in gathered.into_iter().rev() {
            if let Err(reason) = self.add(owner, rrset) {
                if reason.is_limit() {
                    // Once is enough, whatever comes next.
                    self.zone.remove(owner);
                }
                let (place, owner, detail) = (place.clone(), owner.clone(), reason.detail());
                self.refused.push(Refused { place, owner, reason: reason.to_string(), detail });
            }
        }
    }

    fn add(&mut self, owner: &Name, rrset: Rrset) -> Result<(), Reason> {
        WildcardOwner::check(owner.as_ref(), rrset.rtype)?;
        if rrset.rtype == Rtype::SOA && *owner != self.apex {
            return Err(Reason::NotTop);
        }
        self.count(owner, &rrset, 0)?;
        let rrset = rrset.whole()?;
        let Some(held) = self.zone.get(owner) else { return Ok(()) };
        match held.iter().find(|known| known.is_of_type_of(&rrset)) {
            Some(known) => self.count(owner, &rrset, known.records.len())?,
            None => self.count_types(held, &rrset)?,
        }
        let is_proof = rrset.is_proof();
        let Some(held) = self.zone.get_mut(owner) else { return Ok(()) };
        match held.iter_mut().find(|known| known.is_of_type_of(&rrset)) {
            Some(known) if known.ttl == rrset.ttl && rrset.records.iter().all(|record| known.has(record)) => {
                return Ok(());
            }
            Some(known) => {
                let records = known.records.iter().cloned().chain(rrset.records).collect();
                *known = Rrset { records, ..rrset }.whole()?;
            }
            None => held.push(rrset),
        }
        if !is_proof && has_conflict(held) { Err(check::Conflict::CnameAndOther.into()) } else { Ok(()) }
    }

    /// Whether so many records may come to those that are known. BIND counts duplicates.
    fn count(&self, owner: &Name, rrset: &Rrset, known: usize) -> Result<(), Reason> {
        let most = self.limits.records_per_type;
        if most == 0 || known + rrset.records.len() <= most as usize {
            return Ok(());
        }
        let (owner, apex, grows) = (owner.clone(), self.apex.clone(), known > 0);
        let wide = WideRrset { owner, rtype: rrset.rtype, apex, class: self.class, most, grows };
        Err(Reason::TooManyRecords(wide.into()))
    }

    /// Whether an RRset may come to those of its name.
    fn count_types(&self, held: &[Rrset], rrset: &Rrset) -> Result<(), Reason> {
        let most = self.limits.types_per_name as usize;
        let types = held.iter().filter(|known| known.is_proof() == rrset.is_proof()).count();
        if most > 0 && types >= most { Err(Reason::TooManyTypes) } else { Ok(()) }
    }
}

/// Whether `owner` is a name server that is among the records.
fn is_server(gathered: &[Rrset], owner: NameRef<'_>) -> bool {
    let servers = gathered.iter().filter(|rrset| rrset.rtype == Rtype::NS).flat_map(|rrset| &rrset.records);
    servers.into_iter().any(|server| NameRef::from_wire(server).is_ok_and(|server| server == owner))
}

/// Whether there is an alias next to other data. NSEC3 records are no data of their owner.
fn has_conflict(held: &[Rrset]) -> bool {
    let is_other = |rrset: &Rrset| !check::may_stand_at_cname(rrset.rtype) && rrset.rtype != Rtype::NSEC3;
    held.iter().any(|rrset| rrset.rtype == Rtype::CNAME) && held.iter().any(is_other)
}

const SIG: Rtype = Rtype(24);
/// Named adds what it has gathered when it is more than this, whatever comes next.
const MAX_GATHERED_BYTES: usize = 65_537;
/// A record of this size may make its RRset too large.
const LARGE_BYTES: usize = 4096;
