//! Where in a message under construction the suffixes of its names stand.
//!
//! A table of places, two for each key. Names are looked up from their last label to their first: a slot says where a
//! label stands that has a certain name behind it, known by its own place, so that each step compares one label and no
//! suffix is looked at twice. A hit is believed only after the bytes in the message have been compared. The name of the
//! question is not in the table: what a name shares with it is seen by comparing the two from their ends. For clients
//! who do not care about case whole suffixes are looked up by their hashes instead ([`Case::Ignored`]).

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use super::{MAX_POINTER, QUESTION_PLACE, reachable};
use crate::dns::name::MAX_LABELS;
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

/// What one slot says: what has this key stands at this place of the message with this number.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Slot {
    key: Key,
    message: u16,
    place: u16,
}

/// All slots, and the number of the message under construction.
#[derive(Debug)]
struct Table {
    slots: Box<[Slot; SLOTS]>,
    message: u16,
}

impl Table {
    /// The place that is remembered under a key.
    #[inline]
    fn place_of(&self, key: Key) -> Option<u16> {
        let slot = self.slots.get(key.slot()).filter(|slot| slot.message == self.message)?;
        if slot.key == key {
            return Some(slot.place);
        }
        let other = self.slots.get(key.other_slot());
        other.filter(|slot| slot.key == key && slot.message == self.message).map(|slot| slot.place)
    }

    /// The place that is remembered for the hash of a suffix: the last one that has its slot.
    fn place_of_suffix(&self, hash: u64) -> Option<u16> {
        let key = Key { word: hash, parent: ROOT };
        let slot = self.slots.get(key.slot()).filter(|slot| slot.key == key && slot.message == self.message);
        slot.map(|slot| slot.place)
    }

    /// Remembers a place for the hash of a suffix.
    fn remember_suffix(&mut self, hash: u64, place: u16) {
        let key = Key { word: hash, parent: ROOT };
        if let Some(slot) = self.slots.get_mut(key.slot()) {
            *slot = Slot { key, message: self.message, place };
        }
    }

    /// Remembers a place under a key: in its first slot, or in its second if another place of this message has that.
    #[inline]
    fn remember(&mut self, key: Key, place: u16) {
        let is_taken = self.slots.get(key.slot()).is_some_and(|slot| slot.message == self.message);
        let at = if is_taken { key.other_slot() } else { key.slot() };
        if let Some(slot) = self.slots.get_mut(at) {
            *slot = Slot { key, message: self.message, place };
        }
    }
}

/// The hash of a suffix and no place, or the bytes of a label and the place of the name behind it. Of a label of more
/// than eight bytes only some are there.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
struct Key {
    word: u64,
    parent: u16,
}

/// Where the labels of one name start.
#[derive(Debug)]
struct Labels {
    starts: [u8; MAX_LABELS],
    count: usize,
}

impl Labels {
    /// Reads the labels at the start of `bytes` up to a root label or the end. Says how many bytes they have.
    #[inline]
    fn read(&mut self, bytes: &[u8]) -> usize {
        let (mut at, mut count) = (0_usize, 0_usize);
        while let Some(&length) = bytes.get(at)
            && length > 0
            && let Some(start) = self.starts.get_mut(count)
        {
            *start = at as u8;
            at = at.wrapping_add(usize::from(length)).wrapping_add(1);
            count = count.wrapping_add(1);
        }
        self.count = count;
        at
    }

    /// Where each of them starts, the last first.
    #[inline]
    fn last_first(&self) -> impl Iterator<Item = usize> {
        self.starts.get(..self.count).unwrap_or_default().iter().rev().map(|&start| start.into())
    }
}

/// The memory of a [`super::Writer`]; one serves any number of messages in turn and is never cleared between them,
/// because slots of earlier messages carry another number.
#[derive(Debug)]
pub struct Compression {
    table: Table,
    case: Case,
    /// Where the name of the question ends, if there is one.
    question_end: Option<u16>,
    /// Whether its suffixes are in the table, where they are needed there.
    has_question: bool,
    /// Those of the last name.
    labels: Labels,
    suffixes: Suffixes,
}

/// How much of a name is known.
#[derive(Debug, Clone, Copy)]
pub(super) struct Known {
    /// The first bytes of the name, which have to be written: all its labels if no suffix is known.
    pub(super) fresh: usize,
    /// How many bytes all its labels have.
    pub(super) length: usize,
    /// Where the rest stands; [`ROOT`] if there is none but the root label.
    pub(super) place: u16,
}

/// The place of the root, which is written out wherever it is needed: no name starts within the header.
pub(super) const ROOT: u16 = 0;

impl Default for Compression {
    fn default() -> Self {
        Self {
            table: Table { slots: Box::new([Slot::default(); SLOTS]), message: 0 },
            case: Case::Kept,
            question_end: None,
            has_question: false,
            labels: Labels { starts: [0; MAX_LABELS], count: 0 },
            suffixes: Suffixes::default(),
        }
    }
}

impl Compression {
    /// Forgets everything: another message begins.
    #[inline]
    pub(super) fn start(&mut self, case: Case) {
        (self.case, self.question_end, self.has_question) = (case, None, false);
        self.table.message = self.table.message.wrapping_add(1);
        if self.table.message == 0 {
            self.table.slots.fill(Slot::default());
            self.table.message = 1;
        }
    }

    /// Takes note of the question's name, the first of all.
    pub(super) fn note_question(&mut self, name: NameRef<'_>) {
        self.question_end = QUESTION_PLACE.checked_add(name.len() as u16);
    }

    /// Finds the longest suffix in `message` of the name that `labels` make in front of the name at `parent`, and
    /// remembers what is in front of it, which will stand at the end of the message.
    #[inline]
    pub(super) fn place(&mut self, labels: &[u8], parent: u16, message: &[u8]) -> Known {
        match self.case {
            Case::Kept => self.place_labels(labels, parent, message),
            Case::Ignored => self.place_suffixes(labels, message),
        }
    }

    /// Goes from the last label to the first.
    fn place_labels(&mut self, labels: &[u8], parent: u16, message: &[u8]) -> Known {
        let length = self.labels.read(labels);
        let (mut parent, shared) = self.shared_with_question(labels.get(..length).unwrap_or_default(), parent, message);
        let mut end = shared;
        let (mut known, mut is_known) = (Known { fresh: end, length, place: parent }, true);
        for start in self.labels.last_first().skip_while(|&start| start >= shared) {
            let label = labels.get(start..end).unwrap_or_default();
            let key = Key::of_label(label, parent);
            let found = if is_known { self.table.place_of(key) } else { None };
            match found.filter(|&place| key.is_whole(label, place, message)) {
                Some(place) => (parent, known) = (place, Known { fresh: start, length, place }),
                None => {
                    let Some(place) = reachable(message.len().wrapping_add(start)) else { break };
                    self.table.remember(key, place);
                    (parent, is_known) = (place, false);
                }
            }
            end = start;
        }
        known
    }

    /// How many bytes of the labels in front of `parent` stand in front of it in the question as well, as (where they
    /// stand there, where they begin among the labels).
    #[inline]
    fn shared_with_question(&self, labels: &[u8], parent: u16, message: &[u8]) -> (u16, usize) {
        let end = self.question_end.map_or(0, usize::from);
        // The root label of the question is the root that names end in.
        let before = if parent == ROOT { end.wrapping_sub(1) } else { usize::from(parent) };
        let question = message.get(QUESTION_PLACE.into()..before).filter(|_| before < end).unwrap_or_default();
        if labels.last() != question.last() {
            return (parent, labels.len());
        }
        let first = labels.len().saturating_sub(case::common_end(labels, question));
        let starts = self.labels.starts.get(..self.labels.count).unwrap_or_default();
        let shared = starts.iter().map(|&start| usize::from(start)).filter(|&start| start >= first).find_map(|start| {
            let place = before.checked_sub(labels.len().saturating_sub(start))?;
            is_label_start(message, place).then_some((place as u16, start))
        });
        shared.unwrap_or((parent, labels.len()))
    }

    /// The same without regard to case, and with no look at `parent`.
    fn place_suffixes(&mut self, labels: &[u8], message: &[u8]) -> Known {
        self.remember_question(message);
        let Ok(name) = NameRef::from_prefix(labels) else { return Known { fresh: 0, length: 0, place: ROOT } };
        let length = name.len().saturating_sub(1);
        self.suffixes.hash(name, 0);
        let is_there = |&(_, (start, hash)): &(usize, (usize, u64))| {
            let suffix = name.as_bytes().get(start..).unwrap_or_default();
            self.table.place_of_suffix(hash).is_some_and(|place| stands_at(message, place.into(), suffix))
        };
        let found = self.suffixes.iter().enumerate().take(REACH).find(is_there);
        let (fresh_labels, fresh, place) = match found {
            Some((labels, (start, hash))) => (labels, start, self.table.place_of_suffix(hash).unwrap_or(ROOT)),
            None => (self.suffixes.labels(), length, ROOT),
        };
        self.remember_suffixes(fresh_labels, message.len());
        Known { fresh, length, place }
    }

    /// Whether names keep their case.
    pub(super) fn keeps_case(&self) -> bool {
        self.case == Case::Kept
    }

    /// Remembers the suffixes of a name that stands uncompressed at `place`.
    pub(super) fn note(&mut self, name: NameRef<'_>, place: usize) {
        self.suffixes.hash(name, 0);
        self.remember_suffixes(self.suffixes.labels(), place);
    }

    fn remember_suffixes(&mut self, fresh_labels: usize, place: usize) {
        for (start, hash) in self.suffixes.iter().take(fresh_labels.min(REACH)) {
            let place = place.saturating_add(start);
            if place > MAX_POINTER {
                return;
            }
            self.table.remember_suffix(hash, place as u16);
        }
    }

    /// Remembers the suffixes of the question's name, when they are first needed: many answers need none of them.
    fn remember_question(&mut self, message: &[u8]) {
        let question = self.question_end.and_then(|end| message.get(QUESTION_PLACE.into()..end.into()));
        if let Some(question) = question.filter(|_| !std::mem::replace(&mut self.has_question, true)) {
            self.note(NameRef::from_checked(question), QUESTION_PLACE.into());
        }
    }

    /// Forgets the names at `place` and behind.
    pub(super) fn forget_from(&mut self, place: usize) {
        if place <= QUESTION_PLACE.into() {
            (self.question_end, self.has_question) = (None, false);
        }
        for slot in self.table.slots.iter_mut().filter(|slot| usize::from(slot.place) >= place) {
            *slot = Slot::default();
        }
    }
}

impl Key {
    #[inline]
    fn of_label(label: &[u8], parent: u16) -> Self {
        let last = case::last_word(label);
        let first = label.first_chunk().map_or(0, |first| u64::from_le_bytes(*first));
        Self { word: if label.len() > WORD { last ^ first.rotate_left(29) } else { last }, parent }
    }

    /// Its first slot. Places are at least two bytes apart, so that equal labels of one name never share a slot.
    #[inline]
    fn slot(self) -> usize {
        // Any odd constant with bits all over: its product has bits of every byte at the top.
        const MULTIPLIER: u64 = 0x9e37_79b9_7f4a_7c15;
        let hash = (self.word.wrapping_mul(MULTIPLIER) >> INDEX_SHIFT) as usize;
        hash.wrapping_add(usize::from(self.parent >> 1)) % SLOTS
    }

    /// Its second slot, as far from the first as there are slots: a label that is lost hides all labels in front of it.
    #[inline]
    fn other_slot(self) -> usize {
        self.slot() ^ (SLOTS / 2)
    }

    /// Whether a label of this key stands at a place: the key tells short ones apart by itself.
    #[inline]
    fn is_whole(self, label: &[u8], place: u16, message: &[u8]) -> bool {
        label.len() <= WORD || stands_there(message, place, label)
    }
}

/// Whether a label of the question's name starts at a place within it.
#[inline]
fn is_label_start(message: &[u8], place: usize) -> bool {
    let mut at = usize::from(QUESTION_PLACE);
    while at < place {
        at = at.saturating_add(1).saturating_add(message.get(at).copied().unwrap_or(u8::MAX).into());
    }
    at == place
}

/// Whether just these bytes stand at a place.
fn stands_there(message: &[u8], place: u16, label: &[u8]) -> bool {
    message.get(place.into()..).is_some_and(|behind| behind.starts_with(label))
}

/// How many bytes a key tells apart by itself.
const WORD: usize = size_of::<u64>();
/// How many suffixes of a name are looked for and remembered where case is ignored.
const REACH: usize = 2;
/// What of 64 bits is no number of a slot.
const INDEX_SHIFT: u32 = 64 - SLOTS.trailing_zeros();

/// Whether the name that stands at `place` of `message` is `name` but for case. Pointers lead backwards only.
fn stands_at(message: &[u8], place: usize, name: &[u8]) -> bool {
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
        if !case::is_same(theirs, ours) {
            return false;
        }
        if length == 0 {
            return true;
        }
        (place, name) = (end, rest);
    }
}
