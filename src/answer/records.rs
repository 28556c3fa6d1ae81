//! RRsets into the message: in which order their records stand, with their signatures, as whole sets.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::order::{Orders, RrsetOrder, Turns};
use super::sortlist::{self, Group};
use crate::dns::message::Section;
use crate::dns::writer::{Full, Owner, QUESTION_PLACE, Writer};
use crate::dns::{Class, NameBuf, NameRef, Rtype, suffix};
use crate::zone::Rrset;

/// How many RRsets one answer can hold before repetitions are no longer noticed.
const MAX_NOTICED: usize = 64;

/// RRsets of at most so many records are put in order in little room: most are.
const FEW: usize = 8;
/// Larger ones than this are not shuffled and sorted, but start at a random record.
const MANY: usize = 128;

/// Which RRsets are in the message: the same one is not written twice.
#[derive(Debug)]
struct Written {
    /// Where their data lie in memory.
    places: [usize; MAX_NOTICED],
    count: usize,
}

impl Written {
    /// Notes the place of an RRset; false if it was noted before.
    fn notice(&mut self, place: usize) -> bool {
        if self.places.get(..self.count).unwrap_or_default().contains(&place) {
            return false;
        }
        if let Some(slot) = self.places.get_mut(self.count) {
            *slot = place;
            self.count = self.count.saturating_add(1);
        }
        true
    }

    fn is_full(&self) -> bool {
        self.count == MAX_NOTICED
    }
}

/// Where the data of an RRset lie in memory.
fn place(rrset: &Rrset<'_>) -> usize {
    rrset.as_bytes().as_ptr() as usize
}

/// The same for one that a wildcard lends to this name: a place of its own for each name.
fn place_for(rrset: &Rrset<'_>, name: NameRef<'_>) -> usize {
    suffix::hash(name.as_bytes(), place(rrset) as u64) as usize
}

/// What [`Records`] keeps from message to message.
#[derive(Debug)]
pub(super) struct Memory {
    turns: Turns,
    written: Written,
}

impl Memory {
    /// Starts with a seed for the order of records.
    pub(super) fn new(seed: u64) -> Self {
        Self { turns: Turns::new(seed), written: Written { places: [0; MAX_NOTICED], count: 0 } }
    }
}

/// A message being filled with RRsets.
pub(super) struct Records<'w> {
    pub(super) writer: Writer<'w>,
    pub(super) class: Class,
    /// Whether signatures go along.
    pub(super) dnssec_ok: bool,
    /// The name that the answer is to, and what is said of the order of its RRsets.
    question: NameRef<'w>,
    orders: &'w Orders,
    /// Which addresses come first for this client.
    groups: &'w [Group],
    turns: &'w mut Turns,
    /// Where RRsets in random order start, modulo their length.
    drawn: usize,
    written: &'w mut Written,
}

impl<'w> Records<'w> {
    pub(super) fn new(
        writer: Writer<'w>,
        (question, class): (NameRef<'w>, Class),
        dnssec_ok: bool,
        (orders, groups): (&'w Orders, &'w [Group]),
        Memory { turns, written }: &'w mut Memory,
    ) -> Self {
        let drawn = turns.draw();
        written.count = 0;
        Self { writer, class, dnssec_ok, question, orders, groups, turns, drawn, written }
    }

    /// Writes an RRset, and with DO its signatures: all of it or nothing. One that is in the message already is not
    /// written again.
    pub(super) fn add(&mut self, section: Section, owner: Owner<'_>, rrset: Rrset<'_>) -> Result<(), Full> {
        self.add_with_ttl(section, owner, rrset, rrset.ttl())
    }

    /// As [`Self::add`], with another TTL.
    pub(super) fn add_with_ttl(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        rrset: Rrset<'_>,
        ttl: u32,
    ) -> Result<(), Full> {
        self.add_once(place(&rrset), (section, owner, ttl), rrset).map(|_| ())
    }

    /// As [`Self::add`] for the owner that a wildcard stands for, which is `name` in some case.
    pub(super) fn add_synthesised(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        name: NameRef<'_>,
        rrset: Rrset<'_>,
    ) -> Result<(), Full> {
        self.add_once(place_for(&rrset, name), (section, owner, rrset.ttl()), rrset).map(|_| ())
    }

    /// As [`Self::add`] in the additional section, as long as repetitions are noticed. Whether it was not there yet.
    pub(super) fn add_additional(
        &mut self,
        owner: NameRef<'_>,
        rrset: Rrset<'_>,
        is_synthesised: bool,
    ) -> Result<bool, Full> {
        if self.written.is_full() {
            return Err(Full);
        }
        let place = if is_synthesised { place_for(&rrset, owner) } else { place(&rrset) };
        self.add_once(place, (Section::Additional, Owner::Name(owner), rrset.ttl()), rrset)
    }

    fn add_once(
        &mut self,
        place: usize,
        (section, owner, ttl): (Section, Owner<'_>, u32),
        rrset: Rrset<'_>,
    ) -> Result<bool, Full> {
        if !self.written.notice(place) {
            return Ok(false);
        }
        let written = self.add_signed(section, owner, rrset, ttl);
        if written.is_err() {
            self.written.count = self.written.count.saturating_sub(1);
        }
        written.map(|()| true)
    }

    /// Writes an RRset with its signatures.
    #[inline]
    fn add_signed(&mut self, section: Section, owner: Owner<'_>, rrset: Rrset<'_>, ttl: u32) -> Result<(), Full> {
        let signatures = if self.dnssec_ok { rrset.signatures() } else { None };
        let Some(signatures) = signatures else { return self.add_alone(section, owner, rrset, ttl).map(|_| ()) };
        let mark = self.writer.mark();
        let written = self.add_alone(section, owner, rrset, ttl).and_then(|place| {
            let owner = place.map_or(owner, Owner::At);
            self.add_alone(section, owner, signatures, ttl).map(|_| ())
        });
        if written.is_err() {
            self.writer.rollback(mark);
        }
        written
    }

    /// Writes an RRset without its signatures. The place of its owner is returned for what belongs behind it.
    pub(super) fn add_alone(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        rrset: Rrset<'_>,
        ttl: u32,
    ) -> Result<Option<u16>, Full> {
        let fields = (rrset.rtype(), self.class, ttl);
        if rrset.len() == 1 {
            return self.writer.record(section, owner, fields, rrset.only());
        }
        let order = match section {
            Section::Answer | Section::Authority => self.orders.of_all().unwrap_or_else(|| self.order(owner, &rrset)),
            // BIND: as stored.
            Section::Additional => RrsetOrder::None,
        };
        let groups = if sortlist::is_sorted(rrset.rtype()) { self.groups } else { &[] };
        // Of two records every order is one that starts somewhere.
        let is_turned = groups.is_empty() && (order != RrsetOrder::Random || rrset.len() == 2);
        match rrset.len() {
            2..=FEW if !is_turned => return self.add_arranged::<FEW>((section, owner, fields), rrset, order, groups),
            2..=MANY if !is_turned => return self.add_arranged::<MANY>((section, owner, fields), rrset, order, groups),
            _ => {}
        }
        match self.turns.first(order, &rrset, self.drawn) {
            0 => self.writer.rrset(section, owner, fields, rrset.rdatas()),
            first => {
                let turned = rrset.rdatas().skip(first).chain(rrset.rdatas().take(first));
                self.writer.rrset(section, owner, fields, turned)
            }
        }
    }

    /// Writes an RRset whose records do not follow each other as stored.
    fn add_arranged<const N: usize>(
        &mut self,
        (section, owner, fields): (Section, Owner<'_>, (Rtype, Class, u32)),
        rrset: Rrset<'_>,
        order: RrsetOrder,
        groups: &[Group],
    ) -> Result<Option<u16>, Full> {
        let mut room: [&[u8]; N] = [&[]; N];
        let count = room.iter_mut().zip(rrset.rdatas()).map(|(place, rdata)| *place = rdata).count();
        let rdatas = room.get_mut(..count).unwrap_or_default();
        match order {
            RrsetOrder::Random => self.turns.shuffle(rdatas),
            RrsetOrder::None | RrsetOrder::Cyclic => rdatas.rotate_left(self.turns.first(order, &rrset, self.drawn)),
        }
        if !groups.is_empty() {
            rdatas.sort_by_key(|rdata| sortlist::rank(groups, rdata));
        }
        self.writer.rrset(section, owner, fields, rdatas.iter().copied())
    }

    /// In which order an RRset stands, where that is not the same for all.
    #[cold]
    fn order(&self, owner: Owner<'_>, rrset: &Rrset<'_>) -> RrsetOrder {
        let order = |name: NameRef<'_>| self.orders.of(name, rrset.rtype(), self.class);
        let asked = |place: u16| {
            let start = place.checked_sub(QUESTION_PLACE).map(usize::from)?;
            NameRef::from_prefix(self.question.as_bytes().get(start..)?).ok()
        };
        match owner {
            Owner::Name(name) => order(name),
            Owner::At(place) => asked(place).map_or(RrsetOrder::None, order),
            Owner::Below(labels, parent) | Owner::Alone(labels, parent) => {
                let joined = asked(parent).and_then(|parent| NameBuf::join(labels, parent).ok());
                joined.map_or(RrsetOrder::None, |name| order(name.as_ref()))
            }
        }
    }
}
