//! RRsets into the message: in which order their records stand, with their signatures, as whole sets.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::snapshot::RrsetOrder;
use crate::dns::Class;
use crate::dns::message::Section;
use crate::dns::writer::{Full, Owner, Writer};
use crate::zone::Rrset;

/// How many RRsets one answer can hold before repetitions are no longer noticed.
const MAX_NOTICED: usize = 64;

/// A cheap source of numbers that need not be secret: which record of an RRset comes first.
#[derive(Debug)]
struct Order(u64);

impl Order {
    /// Starts from a seed.
    fn new(seed: u64) -> Self {
        // The generator would stay at zero for ever.
        Self(seed | 1)
    }

    /// A number for the next answer; all its RRsets start at that place, modulo their length. One step for each answer,
    /// so that cyclic order gives every record its turn however many RRsets an answer has.
    fn next(&mut self, order: RrsetOrder) -> usize {
        match order {
            RrsetOrder::None => return 0,
            RrsetOrder::Cyclic => self.0 = self.0.wrapping_add(1),
            RrsetOrder::Random => {
                // Marsaglia's xorshift.
                self.0 ^= self.0 << 13;
                self.0 ^= self.0 >> 7;
                self.0 ^= self.0 << 17;
            }
        }
        self.0 as u32 as usize
    }
}

/// Which RRsets are in the message: the same one is not written twice.
#[derive(Debug)]
struct Written {
    /// Where their data lie in memory.
    places: [usize; MAX_NOTICED],
    count: usize,
}

impl Written {
    /// Notes an RRset; false if it was noted before.
    fn notice(&mut self, rrset: &Rrset<'_>) -> bool {
        let place = rrset.as_bytes().as_ptr() as usize;
        if self.places.get(..self.count).unwrap_or_default().contains(&place) {
            return false;
        }
        if let Some(slot) = self.places.get_mut(self.count) {
            *slot = place;
            self.count = self.count.saturating_add(1);
        }
        true
    }
}

/// What [`Records`] keeps from message to message.
#[derive(Debug)]
pub(super) struct Memory {
    order: Order,
    written: Written,
}

impl Memory {
    /// Starts with a seed for the order of records.
    pub(super) fn new(seed: u64) -> Self {
        Self { order: Order::new(seed), written: Written { places: [0; MAX_NOTICED], count: 0 } }
    }
}

/// A message being filled with RRsets.
pub(super) struct Records<'w> {
    pub(super) writer: Writer<'w>,
    pub(super) class: Class,
    /// Whether signatures go along.
    pub(super) dnssec_ok: bool,
    /// Where RRsets start, modulo their length.
    turn: usize,
    written: &'w mut Written,
}

impl<'w> Records<'w> {
    pub(super) fn new(
        writer: Writer<'w>,
        class: Class,
        dnssec_ok: bool,
        rrset_order: RrsetOrder,
        memory: &'w mut Memory,
    ) -> Self {
        let turn = memory.order.next(rrset_order);
        memory.written.count = 0;
        Self { writer, class, dnssec_ok, turn, written: &mut memory.written }
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
        if !self.written.notice(&rrset) {
            return Ok(());
        }
        let written = self.add_again(section, owner, rrset, ttl);
        if written.is_err() {
            self.written.count = self.written.count.saturating_sub(1);
        }
        written
    }

    /// As [`Self::add_with_ttl`], though it may be in the message already: under the owner that a wildcard stands for.
    pub(super) fn add_again(
        &mut self,
        section: Section,
        owner: Owner<'_>,
        rrset: Rrset<'_>,
        ttl: u32,
    ) -> Result<(), Full> {
        let mark = self.writer.mark();
        let written = self.add_alone(section, owner, rrset, ttl).and_then(|owner| match rrset.signatures() {
            Some(signatures) if self.dnssec_ok => self.add_alone(section, owner, signatures, ttl).map(|_| ()),
            _ => Ok(()),
        });
        if written.is_err() {
            self.writer.rollback(mark);
        }
        written
    }

    /// Writes an RRset without its signatures.
    pub(super) fn add_alone<'n>(
        &mut self,
        section: Section,
        owner: Owner<'n>,
        rrset: Rrset<'_>,
        ttl: u32,
    ) -> Result<Owner<'n>, Full> {
        let fields = (rrset.rtype(), self.class, ttl);
        let first = if rrset.len() > 1 { self.turn.checked_rem(rrset.len()).unwrap_or(0) } else { 0 };
        if first == 0 {
            return self.writer.rrset(section, owner, fields, rrset.rdatas());
        }
        let rotated = rrset.rdatas().skip(first).chain(rrset.rdatas().take(first));
        self.writer.rrset(section, owner, fields, rotated)
    }
}
