//! Raw zone files: a zone in wire form on disk, as named keeps its secondaries' (`masterfile-format raw`).
//!
//! Versions 0 and 1 are read and written. Everything is big-endian: a header of 12 (v0) or 24 bytes, then
//! RRsets to the end of the file, each with its length, class, type, covered type, TTL, record count, owner, and the
//! records as RDLENGTH and uncompressed rdata. Reading is strict, RRset by RRset in one reused buffer: any length that
//! lies is an error that names the offset. Owners outside the zone are dropped, as from
//! transfers; named 9.18 keeps them here.

use std::io::{self, BufReader, Read, Write};
use std::path::{Path, PathBuf};

use super::builder::{Builder, ContentsError, Limits, WildcardOwner};
use super::contents::ZoneVersion;
use super::disk::{Access, Disk, DiskFile};
use super::file::{FileError, write_atomically};
use super::listing::{Listed, listed};
use super::node::Rrset;
use crate::dns::{Class, Name, NameRef, Rtype, Serial, rdata};

/// A version of the raw format.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Form {
    /// With a header that tells nothing but the time; of BIND before 9.9.
    V0,
    /// What named writes.
    #[default]
    V1,
}

/// What the header of a raw file says. BIND: 9.18 leaves both optional fields unset in the file of a
/// plain secondary.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Header {
    /// The version of the format.
    pub form: Form,
    /// When the file was written, in seconds since 1970.
    pub dumped_at_s: u32,
    /// The serial of the unsigned zone, where named signs one zone into another.
    pub source_serial: Option<Serial>,
    /// When the contents were last transferred, in seconds since 1970.
    pub last_transfer_s: Option<u32>,
}

/// Why a raw file is no zone.
#[derive(Debug, thiserror::Error)]
pub enum RawError {
    /// The file could not be opened or read.
    #[error("{path}: {source}")]
    Read {
        /// The file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file is in another format, as a text file would be.
    #[error("{path}: not raw")]
    NotRaw {
        /// The file.
        path: PathBuf,
    },
    /// The file contradicts itself.
    #[error("{path}: offset {offset}: {fault}")]
    Bad {
        /// The file.
        path: PathBuf,
        /// Where the faulty header or RRset starts.
        offset: u64,
        /// What is wrong with it.
        fault: RawFault,
    },
    /// The file holds another zone.
    #[error("{path}: {owner}: not at top of zone")]
    OtherZone {
        /// The file.
        path: PathBuf,
        /// The owner of the SOA record.
        owner: Name,
    },
    /// The records are well formed but no zone.
    #[error("{path}: {source}")]
    Contents {
        /// The file.
        path: PathBuf,
        /// Why.
        source: ContentsError,
    },
}

/// What is wrong within a raw file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum RawFault {
    /// The file ends within an RRset.
    #[error("unexpected end of file")]
    Truncated,
    /// It ends within its header.
    #[error("unexpected end of file")]
    NoHeader,
    /// A version that is neither 0 nor 1.
    #[error("unsupported file format version")]
    Version,
    /// An RRset's length is shorter than what it must hold, or longer than anything can be.
    #[error("bad RRset length")]
    Length,
    /// Another class than the zone's.
    #[error("bad class")]
    Class,
    /// A type that no record in a zone has.
    #[error("bad type")]
    Type,
    /// The owner is no name.
    #[error("bad owner name")]
    Owner,
    /// No records, or not as many as are said to be there.
    #[error("bad record count")]
    Count,
    /// Rdata that is not of its type.
    #[error("bad rdata")]
    Rdata,
}

/// Reads the raw file at `path` as the zone `apex`.
pub fn read(
    disk: &impl Disk,
    path: &Path,
    apex: &Name,
    class: Class,
    limits: Limits,
) -> Result<(ZoneVersion, Header), RawError> {
    let fault = |fault| fault_at(path, fault);
    let file = disk.open(path, Access::Read).map_err(|source| RawError::Read { path: path.to_owned(), source })?;
    let mut input = Input::new(file, BUFFER_BYTES);
    let header = input.header().map_err(fault)?;
    let mut builder = Builder::new(apex.clone(), class).with_limits(limits);
    let mut body = Vec::new();
    while input.rrset(&mut body).map_err(|stop| fault_at(path, stop))? {
        add(&body, apex.as_ref(), class, &mut builder).map_err(|stop| fault_at(path, input.placed(stop)))?;
    }
    let version = builder.finish().map_err(|source| RawError::Contents { path: path.to_owned(), source })?;
    Ok((version, header))
}

/// The serial of the zone in a raw file, whose SOA record is with the first of its records; none where there is none.
pub fn serial(disk: &impl Disk, path: &Path, apex: NameRef<'_>) -> Option<Serial> {
    let mut input = Input::new(disk.open(path, Access::Read).ok()?, HEAD_BYTES);
    input.header().ok()?;
    let mut body = Vec::new();
    while input.offset <= MOST_BYTES_BEFORE_SOA && input.rrset(&mut body).ok()? {
        let mut rest = body.get(FIXED_BYTES - 2..)?;
        let owner_length = usize::from(half(&mut rest).ok()?);
        let owner = NameRef::from_wire(take(&mut rest, owner_length)?).ok()?;
        let rtype = u16::from_be_bytes(*body.get(2..)?.first_chunk()?);
        if owner != apex {
            return None;
        }
        if rtype == Rtype::SOA.0 {
            let (_, numbers) = rest.split_last_chunk::<SOA_NUMBERS_BYTES>()?;
            return numbers.first_chunk().map(|serial| Serial(u32::from_be_bytes(*serial)));
        }
    }
    None
}

/// Writes `version` to `path` in the raw format, atomically.
pub fn write(disk: &impl Disk, path: &Path, version: &ZoneVersion, header: &Header) -> Result<(), FileError> {
    write_atomically(disk, path, |out| dump(version, header, out))
}

/// Writes `version` in the raw format to any place.
pub fn dump(version: &ZoneVersion, header: &Header, out: &mut impl Write) -> io::Result<()> {
    write_header(header, out)?;
    for node in version.nodes() {
        let owner = node.owner();
        for Listed { rrset, spelling, .. } in listed(&node) {
            let owner = spelling.as_ref().unwrap_or(&owner);
            write_rrset(owner.as_ref(), version.class(), &rrset, out)?;
        }
    }
    Ok(())
}

fn write_header(header: &Header, out: &mut impl Write) -> io::Result<()> {
    let mut put = |words: &[u32]| words.iter().try_for_each(|word| out.write_all(&word.to_be_bytes()));
    if header.form == Form::V0 {
        return put(&[FORMAT_RAW, 0, header.dumped_at_s]);
    }
    let mut flags = 0;
    flags |= if header.source_serial.is_some() { FLAG_SOURCE_SERIAL } else { 0 };
    flags |= if header.last_transfer_s.is_some() { FLAG_LAST_TRANSFER } else { 0 };
    let source_serial = header.source_serial.map_or(0, |serial| serial.0);
    put(&[FORMAT_RAW, 1, header.dumped_at_s, flags, source_serial, header.last_transfer_s.unwrap_or_default()])
}

fn write_rrset(owner: NameRef<'_>, class: Class, rrset: &Rrset<'_>, out: &mut impl Write) -> io::Result<()> {
    let covered = match (rrset.rtype(), rrset.only().first_chunk()) {
        (Rtype::RRSIG, _) => rrset.covered().0,
        (SIG, Some(&covered)) => u16::from_be_bytes(covered),
        _ => 0,
    };
    let records = rrset.as_bytes();
    let total = LENGTH_BYTES + FIXED_BYTES + owner.len() + records.len();
    let total = u32::try_from(total).map_err(|_| io::Error::from(io::ErrorKind::FileTooLarge))?;
    out.write_all(&total.to_be_bytes())?;
    for half in [class.0, rrset.rtype().0, covered] {
        out.write_all(&half.to_be_bytes())?;
    }
    out.write_all(&rrset.ttl().to_be_bytes())?;
    out.write_all(&(rrset.len() as u32).to_be_bytes())?;
    out.write_all(&(owner.len() as u16).to_be_bytes())?;
    out.write_all(owner.as_bytes())?;
    out.write_all(records)
}

/// A fault on its way to the caller, which knows the path.
enum Stop {
    Io(io::Error),
    NotRaw,
    Bad(u64, RawFault),
    OtherZone(Name),
    Contents(ContentsError),
}

fn fault_at(path: &Path, stop: Stop) -> RawError {
    let path = path.to_owned();
    match stop {
        Stop::Io(source) => RawError::Read { path, source },
        Stop::NotRaw => RawError::NotRaw { path },
        Stop::Bad(offset, fault) => RawError::Bad { path, offset, fault },
        Stop::OtherZone(owner) => RawError::OtherZone { path, owner },
        Stop::Contents(source) => RawError::Contents { path, source },
    }
}

/// The file and how far it has been read.
struct Input<R> {
    source: R,
    offset: u64,
    /// Where the current RRset starts.
    start: u64,
    /// The size of the file: no RRset is longer, so that a lying length cannot ask for memory.
    length: u64,
    /// What it means if the file ends here.
    at_end: RawFault,
}

impl<F: DiskFile> Input<BufReader<F>> {
    fn new(file: F, buffer_bytes: usize) -> Self {
        let length = file.length().unwrap_or(u64::MAX);
        let source = BufReader::with_capacity(buffer_bytes, file);
        Self { source, offset: 0, start: 0, length, at_end: RawFault::NoHeader }
    }
}

impl<R: Read> Input<R> {
    fn header(&mut self) -> Result<Header, Stop> {
        let format = self.word()?;
        if format != FORMAT_RAW {
            return Err(Stop::NotRaw);
        }
        let version = self.word()?;
        if version > 1 {
            return Err(self.bad(RawFault::Version));
        }
        let dumped_at_s = self.word()?;
        match version {
            0 => Ok(Header { form: Form::V0, dumped_at_s, ..Header::default() }),
            _ => {
                let (flags, serial, transfer) = (self.word()?, self.word()?, self.word()?);
                Ok(Header {
                    form: Form::V1,
                    dumped_at_s,
                    source_serial: (flags & FLAG_SOURCE_SERIAL != 0).then_some(Serial(serial)),
                    last_transfer_s: (flags & FLAG_LAST_TRANSFER != 0).then_some(transfer),
                })
            }
        }
    }

    /// Reads the next RRset, without its length, into `body`. False at the end of the file.
    fn rrset(&mut self, body: &mut Vec<u8>) -> Result<bool, Stop> {
        (self.start, self.at_end) = (self.offset, RawFault::Truncated);
        if self.offset == self.length {
            return Ok(false);
        }
        let total = u64::from(self.word()?);
        if total < (LENGTH_BYTES + FIXED_BYTES + 1) as u64 {
            return Err(self.bad(RawFault::Length));
        }
        if total > self.length.saturating_sub(self.start) {
            return Err(self.bad(RawFault::Truncated));
        }
        body.resize(usize::try_from(total).map_err(|_| self.bad(RawFault::Length))? - LENGTH_BYTES, 0);
        self.fill(body)?;
        Ok(true)
    }

    fn word(&mut self) -> Result<u32, Stop> {
        let mut word = [0; 4];
        self.fill(&mut word)?;
        Ok(u32::from_be_bytes(word))
    }

    fn fill(&mut self, buffer: &mut [u8]) -> Result<(), Stop> {
        match self.source.read_exact(buffer) {
            Ok(()) => {
                self.offset += buffer.len() as u64;
                Ok(())
            }
            Err(fault) if fault.kind() == io::ErrorKind::UnexpectedEof => Err(self.bad(self.at_end)),
            Err(fault) => Err(Stop::Io(fault)),
        }
    }

    fn bad(&self, fault: RawFault) -> Stop {
        Stop::Bad(self.start, fault)
    }

    fn placed(&self, stop: Unplaced) -> Stop {
        match stop {
            Unplaced::Bad(fault) => self.bad(fault),
            Unplaced::OtherZone(owner) => Stop::OtherZone(owner),
            Unplaced::Contents(source) => Stop::Contents(source),
        }
    }
}

/// A fault in an RRset whose offset the caller knows.
enum Unplaced {
    Bad(RawFault),
    OtherZone(Name),
    Contents(ContentsError),
}

impl From<RawFault> for Unplaced {
    fn from(fault: RawFault) -> Self {
        Self::Bad(fault)
    }
}

/// Adds the records of one RRset to the zone.
fn add(body: &[u8], apex: NameRef<'_>, class: Class, builder: &mut Builder) -> Result<(), Unplaced> {
    let mut rest = body;
    let [body_class, rtype, _covered] = [half(&mut rest)?, half(&mut rest)?, half(&mut rest)?];
    let ttl = u32::from(half(&mut rest)?) << 16 | u32::from(half(&mut rest)?);
    let count = u32::from(half(&mut rest)?) << 16 | u32::from(half(&mut rest)?);
    let owner_length = usize::from(half(&mut rest)?);
    let owner = take(&mut rest, owner_length).ok_or(RawFault::Owner)?;
    let owner = NameRef::from_wire(owner).map_err(|_| RawFault::Owner)?;
    if body_class != class.0 {
        return Err(RawFault::Class.into());
    }
    let rtype = Rtype(rtype);
    if rtype.is_meta() || rtype == Rtype(0) {
        return Err(RawFault::Type.into());
    }
    if rtype == Rtype::SOA && owner != apex {
        return Err(Unplaced::OtherZone(owner.to_name()));
    }
    let is_ours = owner.is_at_or_below(apex);
    WildcardOwner::check(owner, rtype).map_err(|fault| Unplaced::Contents(fault.into()))?;
    builder.begin_rrset();
    let mut left = count;
    while !rest.is_empty() {
        left = left.checked_sub(1).ok_or(RawFault::Count)?;
        let length = usize::from(half(&mut rest)?);
        let data = take(&mut rest, length).ok_or(RawFault::Length)?;
        rdata::check(rdata::in_class(rtype, class), data).map_err(|_| RawFault::Rdata)?;
        if is_ours {
            builder.add(owner, rtype, ttl, data).map_err(Unplaced::Contents)?;
        }
    }
    if left > 0 || count == 0 { Err(RawFault::Count.into()) } else { Ok(()) }
}

fn half(rest: &mut &[u8]) -> Result<u16, RawFault> {
    let (half, tail) = rest.split_first_chunk().ok_or(RawFault::Length)?;
    *rest = tail;
    Ok(u16::from_be_bytes(*half))
}

fn take<'a>(rest: &mut &'a [u8], length: usize) -> Option<&'a [u8]> {
    let (taken, tail) = rest.split_at_checked(length)?;
    *rest = tail;
    Some(taken)
}

/// The signatures of RFC 2535.
const SIG: Rtype = Rtype(24);
const FORMAT_RAW: u32 = 2;
const FLAG_SOURCE_SERIAL: u32 = 0x02;
const FLAG_LAST_TRANSFER: u32 = 0x04;
/// The length word in front of an RRset, which counts itself.
const LENGTH_BYTES: usize = 4;
/// Class, type, covered type, TTL, record count and owner length.
const FIXED_BYTES: usize = 16;
const BUFFER_BYTES: usize = 256 * 1024;
/// The first bytes of a file, which most often hold the SOA record,
const HEAD_BYTES: usize = 2048;
/// and how far it is looked for.
const MOST_BYTES_BEFORE_SOA: u64 = 256 * 1024;
/// Serial and times of an SOA record.
const SOA_NUMBERS_BYTES: usize = 20;

#[cfg(test)]
mod tests;
