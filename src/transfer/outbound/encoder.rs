//! One message of a transfer under construction.
//!
//! A zone is sent in canonical order, so the suffixes that an owner shares with what stands in the message are those
//! that it shares with the owner before it: a row of places, one for each label, is all there is to know. Names in
//! rdata are found again by a small table of what this message holds, which goes with it. Both compare the names of
//! the zone version and never read the message back. Case is kept: only what is the same byte for byte is compressed.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::dns::message::{HEADER_LENGTH, Header, Question};
use crate::dns::writer::{Full, MAX_POINTER, Shape};
use crate::dns::{Class, NameRef, Rtype};
use crate::zone::Rrset;

/// A message being filled with the records of a zone version.
pub(super) struct Encoder<'m, 'v> {
    /// Ends with the message.
    out: &'m mut Vec<u8>,
    /// Where in `out` the message begins.
    start: usize,
    /// How long `out` may become.
    limit: usize,
    questions: u16,
    records: u16,
    /// The size without compression of the record that did not fit.
    refused_bytes: usize,
    class: Class,
    owner: Owner<'v>,
    targets: Targets<'v>,
}

impl<'m, 'v> Encoder<'m, 'v> {
    /// Begins a message of at most `size` bytes at the end of `out`, for a zone with this apex.
    pub(super) fn new(out: &'m mut Vec<u8>, size: usize, apex: NameRef<'v>, class: Class) -> Self {
        let (owner, targets) = (Owner::new(apex), Targets::new());
        let (start, limit) = (out.len(), out.len().saturating_add(size));
        out.extend_from_slice(&[0; HEADER_LENGTH]);
        Self { out, start, limit, questions: 0, records: 0, refused_bytes: 0, class, owner, targets }
    }

    /// Writes the question.
    pub(super) fn question(&mut self, question: &Question) -> Result<(), Full> {
        let name = question.name.as_ref().as_bytes();
        let ([a, b], [c, d]) = (question.rtype.0.to_be_bytes(), question.class.0.to_be_bytes());
        if name == self.owner.apex {
            self.owner.apex_is_at(self.place());
        }
        self.bytes(name)?;
        self.bytes(&[a, b, c, d])?;
        self.questions = 1;
        Ok(())
    }

    /// How many records there are.
    pub(super) fn records(&self) -> u16 {
        self.records
    }

    /// The size without compression of the record that did not fit.
    pub(super) fn refused_bytes(&self) -> usize {
        self.refused_bytes
    }

    fn refuse(&mut self, end: usize, rdata: &[u8]) {
        self.out.truncate(end);
        let owner = self.owner.labels.len().saturating_add(self.owner.apex.len());
        self.refused_bytes = owner.saturating_add(FIXED_BYTES).saturating_add(rdata.len());
    }

    /// The records to come have this owner, given relative to the apex.
    pub(super) fn owner(&mut self, labels: &'v [u8]) {
        self.owner.change(labels);
    }

    /// Writes the records of an RRset but the first `skipped`, until there are `most` in the message. On error says how
    /// many were written; nothing can follow then.
    pub(super) fn rrset(&mut self, rrset: &Rrset<'v>, skipped: usize, most: u16) -> Result<(), usize> {
        let shape = Shape::of(rrset.rtype());
        let ([a, b], [c, d]) = (rrset.rtype().0.to_be_bytes(), self.class.0.to_be_bytes());
        let [e, f, g, h] = rrset.ttl().to_be_bytes();
        let fields = [a, b, c, d, e, f, g, h];
        for (written, rdata) in rrset.rdatas().skip(skipped).enumerate() {
            let end = self.out.len();
            if self.records >= most || self.record(fields, shape.as_ref(), rdata).is_err() {
                self.refuse(end, rdata);
                return Err(written);
            }
            self.records = self.records.saturating_add(1);
        }
        Ok(())
    }

    /// Writes one record, unless there are `most` in the message.
    pub(super) fn single(&mut self, rtype: Rtype, ttl: u32, rdata: &'v [u8], most: u16) -> Result<(), Full> {
        let ([a, b], [c, d]) = (rtype.0.to_be_bytes(), self.class.0.to_be_bytes());
        let ([e, f, g, h], end) = (ttl.to_be_bytes(), self.out.len());
        let written = match self.records < most {
            true => self.record([a, b, c, d, e, f, g, h], Shape::of(rtype).as_ref(), rdata),
            false => Err(Full),
        };
        match written {
            Ok(()) => self.records = self.records.saturating_add(1),
            Err(_) => self.refuse(end, rdata),
        }
        written
    }

    /// Appends the OPT record, unless it is empty, and writes the header.
    pub(super) fn finish(self, header: Header, opt: &[u8]) {
        self.out.extend_from_slice(opt);
        let counts = [self.questions, self.records, 0, u16::from(!opt.is_empty())];
        if let Some(place) = self.out.get_mut(self.start..).and_then(<[u8]>::first_chunk_mut) {
            *place = Header { counts, ..header }.to_bytes();
        }
    }

    #[inline]
    fn record(
        &mut self,
        [a, b, c, d, e, f, g, h]: [u8; 8],
        shape: Option<&Shape>,
        rdata: &'v [u8],
    ) -> Result<(), Full> {
        let [i, j] = u16::try_from(rdata.len()).map_err(|_| Full)?.to_be_bytes();
        match self.owner.pointer() {
            Some([x, y]) => self.bytes(&[x, y, a, b, c, d, e, f, g, h, i, j])?,
            None => {
                self.owner_in_part()?;
                self.bytes(&[a, b, c, d, e, f, g, h, i, j])?;
            }
        }
        match shape {
            None => self.bytes(rdata),
            Some(shape) => self.rdata_with_names(shape, rdata),
        }
    }

    /// Writes the owner where no pointer to all of it is possible.
    fn owner_in_part(&mut self) -> Result<(), Full> {
        let ((fresh, known), start) = (self.owner.fresh(), self.place());
        self.bytes(fresh)?;
        match known {
            Some(place) => self.bytes(&pointer(place))?,
            None => {
                self.owner.apex_is_at(self.place());
                self.bytes(self.owner.apex)?;
            }
        }
        self.owner.stands_at(start);
        Ok(())
    }

    /// Writes data in which names are compressed, behind their length, which is mended.
    fn rdata_with_names(&mut self, shape: &Shape, rdata: &'v [u8]) -> Result<(), Full> {
        let start = self.out.len();
        let (before, mut rest) = rdata.split_at_checked(shape.before).unwrap_or((rdata, &[]));
        self.bytes(before)?;
        if shape.names == 1 {
            self.name(rest)?;
        } else {
            for _ in 0..shape.names {
                let name = NameRef::from_prefix(rest).map_err(|_| Full)?.as_bytes();
                self.name(name)?;
                rest = rest.get(name.len()..).unwrap_or_default();
            }
            self.bytes(rest)?;
        }
        let length = u16::try_from(self.out.len().saturating_sub(start)).map_err(|_| Full)?;
        let place = self.out.get_mut(..start).and_then(<[u8]>::last_chunk_mut);
        *place.ok_or(Full)? = length.to_be_bytes();
        Ok(())
    }

    /// Writes a name, compressed.
    fn name(&mut self, name: &'v [u8]) -> Result<(), Full> {
        let mut suffix = name;
        while let Some((label, parent)) = split_label(suffix) {
            let target = self.targets.of(suffix);
            if let Some(place) = target.place.or_else(|| self.owner.place_of_name(suffix)) {
                return self.bytes(&pointer(place));
            }
            self.targets.remember(target, suffix, self.place());
            self.bytes(label)?;
            suffix = parent;
        }
        self.bytes(&[0])
    }

    /// Where in the message the next byte comes to stand.
    fn place(&self) -> usize {
        self.out.len().saturating_sub(self.start)
    }

    #[inline]
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Full> {
        if self.out.len().saturating_add(bytes.len()) > self.limit {
            return Err(Full);
        }
        self.out.extend_from_slice(bytes);
        Ok(())
    }
}

/// The current owner, and where it and the names above it stand in the message.
struct Owner<'v> {
    apex: &'v [u8],
    /// Relative to the apex.
    labels: &'v [u8],
    /// The places of the owner's suffixes, by their length in bytes relative to the apex; 0 where no pointer reaches.
    places: [u16; 256],
    /// The length of the longest suffix that has a place.
    known: usize,
}

impl<'v> Owner<'v> {
    fn new(apex: NameRef<'v>) -> Self {
        Self { apex: apex.as_bytes(), labels: &[], places: [0; 256], known: 0 }
    }

    /// Goes on to another owner; what it shares with the one before keeps its place.
    fn change(&mut self, labels: &'v [u8]) {
        let mut shared = labels;
        while self.place_of(shared).is_none() {
            let Some((_, parent)) = split_label(shared) else { break };
            shared = parent;
        }
        if let Some(forgotten) =
            self.places.get_mut(shared.len()..=self.labels.len()).and_then(<[u16]>::split_first_mut)
        {
            forgotten.1.fill(0);
        }
        (self.labels, self.known) = (labels, shared.len());
    }

    /// The place of a suffix of the owner relative to the apex, which must begin with a label.
    fn place_of(&self, suffix: &[u8]) -> Option<u16> {
        let place = self.place(suffix.len())?;
        self.labels.ends_with(suffix).then_some(place)
    }

    /// The place of a name that is a suffix of the owner.
    #[inline]
    fn place_of_name(&self, name: &[u8]) -> Option<u16> {
        let length = name.len().checked_sub(self.apex.len())?;
        let place = self.place(length)?;
        let (relative, apex) = name.split_at_checked(length)?;
        (apex == self.apex && self.labels.ends_with(relative)).then_some(place)
    }

    /// The place of the suffix of this length.
    fn place(&self, length: usize) -> Option<u16> {
        self.places.get(length).copied().filter(|&place| place != 0)
    }

    /// A pointer to the whole owner.
    fn pointer(&self) -> Option<[u8; 2]> {
        if self.known == self.labels.len() { self.place(self.known).map(pointer) } else { None }
    }

    /// What of the owner does not stand in the message yet, and where the rest does.
    fn fresh(&self) -> (&'v [u8], Option<u16>) {
        let fresh = self.labels.len().saturating_sub(self.known);
        (self.labels.get(..fresh).unwrap_or_default(), self.place(self.known))
    }

    /// Takes note of the labels that were fresh: they start at `start`.
    fn stands_at(&mut self, start: usize) {
        let (mut rest, mut place) = (self.fresh().0, start);
        while let Some((label, behind)) = split_label(rest) {
            self.note(self.known.saturating_add(rest.len()), place);
            (rest, place) = (behind, place.saturating_add(label.len()));
        }
        if start <= MAX_POINTER {
            self.known = self.labels.len();
        }
    }

    /// Takes note of the place of the apex. The root is shorter than a pointer to it.
    fn apex_is_at(&mut self, place: usize) {
        if self.apex.len() > 1 {
            self.note(0, place);
        }
    }

    /// Takes note of the place of the suffix of this length, if pointers reach it.
    fn note(&mut self, length: usize, place: usize) {
        if let (0..=MAX_POINTER, Some(known)) = (place, self.places.get_mut(length)) {
            *known = place as u16;
        }
    }
}

/// The names in rdata, and their suffixes, that stand in the message: the last one of each slot.
struct Targets<'v>([Target<'v>; TARGETS]);

/// Type, class, TTL and RDLENGTH.
const FIXED_BYTES: usize = 10;

/// How many names are remembered. A message of 20 kB holds some 350 delegations.
const TARGETS: usize = 512;

#[derive(Clone, Copy)]
struct Target<'v> {
    name: &'v [u8],
    hash: u32,
    place: u16,
}

/// What is known of a name.
#[derive(Clone, Copy)]
struct Known {
    hash: u32,
    place: Option<u16>,
}

impl<'v> Targets<'v> {
    fn new() -> Self {
        Self([Target { name: &[], hash: 0, place: 0 }; TARGETS])
    }

    #[inline]
    fn of(&self, name: &[u8]) -> Known {
        let hash = hash(name);
        let target = self.0.get(hash as usize % TARGETS);
        let known = target.filter(|target| target.hash == hash && target.name == name);
        Known { hash, place: known.map(|target| target.place) }
    }

    /// Takes note that a name is about to be written at `end`.
    #[inline]
    fn remember(&mut self, known: Known, name: &'v [u8], end: usize) {
        if let (0..=MAX_POINTER, Some(target)) = (end, self.0.get_mut(known.hash as usize % TARGETS)) {
            *target = Target { name, hash: known.hash, place: end as u16 };
        }
    }
}

/// A number made of the length of a name and of its bytes at the beginning, in the middle and at the end; host names
/// differ there.
#[inline]
fn hash(name: &[u8]) -> u32 {
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let middle = name.get(name.len().saturating_sub(8) / 2..).and_then(<[u8]>::first_chunk);
    let mixed = match (name.first_chunk(), middle, name.last_chunk()) {
        (Some(first), Some(middle), Some(last)) => mix(mix(word(first)) ^ word(middle)) ^ word(last),
        _ => name.iter().fold(0, |hash, &byte| hash << 8 | u64::from(byte)),
    };
    mix(mixed.wrapping_add(name.len() as u64)) as u32
}

fn mix(word: u64) -> u64 {
    word.wrapping_mul(MIX).rotate_right(32)
}

/// An odd number whose bits look random.
const MIX: u64 = 0x9e37_79b9_7f4a_7c15;

/// The first label of a name, with its length byte, and what is behind; none at the end of the name.
fn split_label(name: &[u8]) -> Option<(&[u8], &[u8])> {
    let &length = name.first().filter(|&&length| length != 0)?;
    name.split_at_checked(usize::from(length).saturating_add(1))
}

/// A pointer to this place, as it stands in a message.
fn pointer(place: u16) -> [u8; 2] {
    (0xc000 | place).to_be_bytes()
}

#[cfg(test)]
mod tests;
