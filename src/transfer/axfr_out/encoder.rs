//! One message of a transfer under construction.
//!
//! A zone is sent in canonical order, so the suffixes that an owner shares with what stands in the message are those
//! that it shares with the owner before it: a row of places, one for each label, is all there is to know. Names in
//! rdata are found again by a small table of what this message holds, which goes with it. Both compare the names of
//! the zone version and never read the message back. Case is kept: only what is the same byte for byte is compressed.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::dns::message::{HEADER_LENGTH, Header, Question};
use crate::dns::writer::{Full, MAX_POINTER, Shape};
use crate::dns::{Class, NameRef};
use crate::zone::Rrset;

/// A message being filled with the records of a zone version.
pub(super) struct Encoder<'m, 'v> {
    /// As long as the message may become.
    message: &'m mut [u8],
    end: usize,
    questions: u16,
    records: u16,
    class: Class,
    owner: Owner<'v>,
    targets: Targets<'v>,
}

impl<'m, 'v> Encoder<'m, 'v> {
    /// Begins a message of at most the size of `message`, for a zone with this apex.
    pub(super) fn new(message: &'m mut [u8], apex: NameRef<'v>, class: Class) -> Self {
        let (owner, targets) = (Owner::new(apex), Targets::new());
        Self { message, end: HEADER_LENGTH, questions: 0, records: 0, class, owner, targets }
    }

    /// Writes the question.
    pub(super) fn question(&mut self, question: &Question) -> Result<(), Full> {
        let name = question.name.as_ref().as_bytes();
        let ([a, b], [c, d]) = (question.rtype.0.to_be_bytes(), question.class.0.to_be_bytes());
        if name == self.owner.apex {
            self.owner.apex_is_at(self.end);
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
            let start = self.end;
            if self.records >= most || self.record(fields, shape.as_ref(), rdata).is_err() {
                self.end = start;
                return Err(written);
            }
            self.records = self.records.saturating_add(1);
        }
        Ok(())
    }

    /// Writes the header and returns the length of the message.
    pub(super) fn finish(self, header: Header) -> usize {
        let counts = [self.questions, self.records, 0, 0];
        match self.message.first_chunk_mut::<HEADER_LENGTH>() {
            Some(place) => *place = Header { counts, ..header }.to_bytes(),
            None => return 0,
        }
        self.end
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
        let ((fresh, known), start) = (self.owner.fresh(), self.end);
        self.bytes(fresh)?;
        match known {
            Some(place) => self.bytes(&pointer(place))?,
            None => {
                self.owner.apex_is_at(self.end);
                self.bytes(self.owner.apex)?;
            }
        }
        self.owner.stands_at(start);
        Ok(())
    }

    /// Writes data in which names are compressed, behind their length, which is mended.
    fn rdata_with_names(&mut self, shape: &Shape, rdata: &'v [u8]) -> Result<(), Full> {
        let start = self.end;
        let (before, mut rest) = rdata.split_at_checked(shape.before).unwrap_or((rdata, &[]));
        self.bytes(before)?;
        for _ in 0..shape.names {
            rest = self.name(rest)?;
        }
        self.bytes(rest)?;
        let length = u16::try_from(self.end.saturating_sub(start)).map_err(|_| Full)?;
        let place = self.message.get_mut(..start).and_then(<[u8]>::last_chunk_mut);
        *place.ok_or(Full)? = length.to_be_bytes();
        Ok(())
    }

    /// Writes the name that stands first in `bytes`, and returns what is behind it.
    fn name(&mut self, bytes: &'v [u8]) -> Result<&'v [u8], Full> {
        let name = NameRef::from_prefix(bytes).map_err(|_| Full)?.as_bytes();
        let behind = bytes.get(name.len()..).unwrap_or_default();
        let is_in_zone = name.ends_with(self.owner.apex);
        let mut suffix = name;
        while let Some((label, parent)) = split_label(suffix) {
            let relative = suffix.len().checked_sub(self.owner.apex.len()).filter(|_| is_in_zone);
            let relative = relative.and_then(|length| suffix.get(..length));
            let known = relative.and_then(|relative| self.owner.place_of(relative));
            if let Some(place) = known.or_else(|| self.targets.find_or_remember(suffix, self.end)) {
                return self.bytes(&pointer(place)).map(|()| behind);
            }
            self.bytes(label)?;
            suffix = parent;
        }
        self.bytes(&[0]).map(|()| behind)
    }

    #[inline]
    fn bytes(&mut self, bytes: &[u8]) -> Result<(), Full> {
        let end = self.end.saturating_add(bytes.len());
        self.message.get_mut(self.end..end).ok_or(Full)?.copy_from_slice(bytes);
        self.end = end;
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

/// The names in rdata, and their suffixes, that stand in the message: the last one of each hash.
struct Targets<'v>([Target<'v>; TARGETS]);

/// How many names are remembered. A message of 20 kB holds some 350 delegations.
const TARGETS: usize = 512;

#[derive(Clone, Copy)]
struct Target<'v> {
    name: &'v [u8],
    place: u16,
}

impl<'v> Targets<'v> {
    fn new() -> Self {
        Self([Target { name: &[], place: 0 }; TARGETS])
    }

    /// The place of a name; if there is none, remembers that it stands at `end`.
    fn find_or_remember(&mut self, name: &'v [u8], end: usize) -> Option<u16> {
        let target = self.0.get_mut(hash(name))?;
        if target.name == name {
            return Some(target.place);
        }
        if end <= MAX_POINTER {
            *target = Target { name, place: end as u16 };
        }
        None
    }
}

/// A number below [`TARGETS`] made of the length of a name and of its bytes at the beginning, in the middle and at the
/// end; host names differ there.
#[inline]
fn hash(name: &[u8]) -> usize {
    let word = |bytes: &[u8; 8]| u64::from_le_bytes(*bytes);
    let middle = name.get(name.len().saturating_sub(8) / 2..).and_then(<[u8]>::first_chunk);
    let mixed = match (name.first_chunk(), middle, name.last_chunk()) {
        (Some(first), Some(middle), Some(last)) => mix(mix(word(first)) ^ word(middle)) ^ word(last),
        _ => name.iter().fold(0, |hash, &byte| hash << 8 | u64::from(byte)),
    };
    mix(mixed.wrapping_add(name.len() as u64)) as usize % TARGETS
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
