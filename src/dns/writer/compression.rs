//! Where in a message under construction the suffixes of its names stand.
//!
//! A direct-mapped table from the hash of a suffix to its place. A hit is believed only after the bytes in the message
//! have been compared.

use super::MAX_POINTER;
use crate::dns::suffix::Suffixes;
use crate::dns::{NameRef, case};

/// Slots of the table. A message of 20 kB holds some 500 names.
const SLOTS: usize = 512;

/// Whether names that differ in case only are one to compression.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Case {
    /// They are not: every name keeps its case.
    #[default]
    Kept,
    /// They are. BIND then knows and looks for no more of a name than its first two suffixes, and so do we, because a
    /// client sees which names have taken over the case of others.
    Ignored,
}

impl Case {
    /// How many suffixes of a name are looked for and remembered.
    fn reach(self) -> usize {
        match self {
            Self::Kept => usize::MAX,
            Self::Ignored => 2,
        }
    }
}

/// What one slot says: the suffix with this hash stands at this place of the message with this number.
#[derive(Debug, Clone, Copy, Default)]
struct Slot {
    hash: u32,
    message: u16,
    place: u16,
}

/// The memory of a [`super::Writer`]; one serves any number of messages in turn and is never cleared between them,
/// because slots of earlier messages carry another number.
#[derive(Debug)]
pub struct Compression {
    slots: Box<[Slot; SLOTS]>,
    message: u16,
    case: Case,
    /// Where the name of the question stands, whose suffixes are not in the table yet: many answers need none of them.
    question: Option<u16>,
    /// Those of the name that [`Self::find`] saw last.
    suffixes: Suffixes,
}

/// How much of a name is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// The first bytes of the name, which have to be written; the whole name if no suffix is known.
    pub(super) fresh: usize,
    /// Labels among those.
    fresh_labels: usize,
    /// Where the rest stands.
    pub(super) place: Option<u16>,
}

impl Default for Compression {
    fn default() -> Self {
        Self {
            slots: Box::new([Slot::default(); SLOTS]),
            message: 0,
            case: Case::Kept,
            question: None,
            suffixes: Suffixes::default(),
        }
    }
}

impl Compression {
    /// Forgets everything: another message begins.
    pub(super) fn start(&mut self, case: Case) {
        (self.case, self.question) = (case, None);
        self.message = self.message.wrapping_add(1);
        if self.message == 0 {
            self.slots.fill(Slot::default());
            self.message = 1;
        }
    }

    /// Takes note of the question's name, the first of all, which stands at `place`.
    pub(super) fn note_question(&mut self, place: u16) {
        self.question = Some(place);
    }

    /// Finds the longest suffix of `name` in `message`.
    pub(super) fn find(&mut self, name: NameRef<'_>, message: &[u8]) -> Known {
        if let Some(place) = self.question.take() {
            self.remember_question(usize::from(place), message);
        }
        self.suffixes.hash(name, 0);
        for (fresh_labels, (start, hash)) in self.suffixes.iter().enumerate().take(self.case.reach()) {
            let Some(slot) = self.slots.get(index(hash)) else { continue };
            if slot.hash == high(hash) && slot.message == self.message {
                let suffix = name.as_bytes().get(start..).unwrap_or_default();
                if stands_at(message, usize::from(slot.place), suffix, self.case) {
                    return Known { fresh: start, fresh_labels, place: Some(slot.place) };
                }
            }
        }
        Known { fresh: name.len(), fresh_labels: self.suffixes.labels(), place: None }
    }

    /// Whether names that are written without compression are to be [noted](Self::note). BIND always does; it shows
    /// only where later names take over their case.
    pub(super) fn notes_plain_names(&self) -> bool {
        self.case == Case::Ignored
    }

    /// Remembers the suffixes of a name that stands uncompressed at `place`.
    pub(super) fn note(&mut self, name: NameRef<'_>, place: usize) {
        self.suffixes.hash(name, 0);
        let all = Known { fresh: name.len(), fresh_labels: self.suffixes.labels(), place: None };
        self.remember(&all, place);
    }

    /// Remembers the suffixes of the name that [`Self::find`] saw last, whose fresh bytes now stand at `place`.
    pub(super) fn remember(&mut self, known: &Known, place: usize) {
        for (start, hash) in self.suffixes.iter().take(known.fresh_labels.min(self.case.reach())) {
            let place = place.saturating_add(start);
            if place > MAX_POINTER {
                return;
            }
            if let (Some(slot), Ok(place)) = (self.slots.get_mut(index(hash)), u16::try_from(place)) {
                *slot = Slot { hash: high(hash), message: self.message, place };
            }
        }
    }

    fn remember_question(&mut self, place: usize, message: &[u8]) {
        let Ok(name) = NameRef::from_prefix(message.get(place..).unwrap_or_default()) else { return };
        self.suffixes.hash(name, 0);
        let known = Known { fresh: name.len(), fresh_labels: self.suffixes.labels(), place: None };
        self.remember(&known, place);
    }

    /// Forgets the names at `place` and behind.
    pub(super) fn forget_from(&mut self, place: usize) {
        self.question = self.question.filter(|&question| usize::from(question) < place);
        for slot in self.slots.iter_mut().filter(|slot| usize::from(slot.place) >= place) {
            *slot = Slot::default();
        }
    }
}

/// Which slot a hash has.
fn index(hash: u64) -> usize {
    hash as usize % SLOTS
}

/// The part of a hash that a slot keeps: bits that did not choose the slot.
fn high(hash: u64) -> u32 {
    (hash >> 32) as u32
}

/// Whether the name that stands at `place` of `message` is `name`. Pointers lead backwards only.
fn stands_at(message: &[u8], place: usize, name: &[u8], case: Case) -> bool {
    if message.get(place..place.saturating_add(name.len())) == Some(name) {
        return true;
    }
    let (mut place, mut name) = (place, name);
    loop {
        let Some(&length) = message.get(place) else { return false };
        if length >= 0xc0 {
            let Some(&low) = message.get(place.saturating_add(1)) else { return false };
            let target = usize::from(u16::from_be_bytes([length & 0x3f, low]));
            if target >= place {
                return false;
            }
            place = target;
            continue;
        }
        let behind = usize::from(length).saturating_add(1);
        let end = place.saturating_add(behind);
        let (Some(theirs), Some((ours, rest))) = (message.get(place..end), name.split_at_checked(behind)) else {
            return false;
        };
        let same = match case {
            Case::Kept => theirs == ours,
            Case::Ignored => case::is_same(theirs, ours),
        };
        if !same {
            return false;
        }
        if length == 0 {
            return true;
        }
        (place, name) = (end, rest);
    }
}
