//! What the disk is asked for, and what it has to hold at every moment.

use std::sync::Arc;

use super::machine::{Found, LEAST_JOURNAL_BYTES, Target};
use super::{Arrival, Brought, EXPIRE_S, World, versions};
use crate::transfer::saving::{self, Action, Context, DELAY_S, Event, Written};
use crate::zone::copy::Durability;
use crate::zone::disk::simulated::Faults;

/// What may lie between writing a copy and publishing it, in calm, in seconds.
const MOMENT_S: u64 = 3;
/// How long a step of writing the file may take on a slow disk, in seconds.
const SLOW_S: u64 = 3000;

/// The versions of which one is there after a crash, see [`World::promised`].
type Promised = Vec<Option<usize>>;

fn with(mut promised: Promised, number: usize) -> Promised {
    promised.push(Some(number));
    promised
}

impl World {
    /// Makes a version durable, if the power lasts.
    pub(super) fn keep(&mut self, brought: &Brought, target: Target) {
        let number = versions::number(&brought.version);
        let (durability, is_sound) = self.machine.keep(brought, target, self.served.as_deref(), self.now_s());
        let is_kept = durability != Durability::None && is_sound && !self.machine.disk.is_down();
        self.promised = match self.promised.take() {
            _ if target.place != self.machine.place => None,
            _ if is_kept => Some(vec![Some(number)]),
            Some(promised) if self.is_instead(&promised, number) => self.promised_instead(promised, number, target),
            Some(promised) => Some(with(promised, number)),
            None => None,
        };
        self.vouched_s = self.vouched_s.max(self.now_s());
        let most_s = if self.chance(8) { SLOW_S } else { 3 };
        let delay_s = self.random.below(most_s);
        let version = Arc::clone(&brought.version);
        self.arrives(delay_s, Arrival::Kept(version, durability, self.now_s(), target.place));
    }

    /// Whether a version is not newer than what may be there after a crash.
    fn is_instead(&self, promised: &[Option<usize>], number: usize) -> bool {
        let is_older = |other: &usize| versions::serial(number).is_newer_than(versions::serial(*other));
        promised.iter().flatten().any(|other| !is_older(other))
    }

    /// What may be there after a crash once a version that is not newer than what was there could not be kept.
    fn promised_instead(&self, promised: Promised, number: usize, target: Target) -> Option<Promised> {
        let (disk, has_kept_all) = (&self.machine.disk, target.is_durable && self.served.is_some());
        let faults = disk.faults();
        match faults {
            _ if !has_kept_all => None,
            Faults { failing: 0, room_bytes: None, is_read_only: false } => Some(with(promised, number)),
            Faults { failing: 0, is_read_only: false, .. } if !disk.is_down() => {
                let left = self.machine.found_after_a_crash().map(|found| versions::number(&found.version));
                let is_older = |left| versions::serial(number).is_newer_than(versions::serial(left));
                assert!(left.is_none_or(is_older), "{left:?} comes back instead of {number}, and for good");
                Some(vec![left, Some(number)])
            }
            _ => None,
        }
    }

    /// Tells the copy's machine of an event and does what it says.
    pub(super) fn save_step(&mut self, event: Event) {
        let (now_s, is_serving) = (self.now_s(), self.served.is_some());
        let (is_transferring, delay_s) = (self.is_transferring, saving::delay_s(&mut self.random));
        let context = Context { now_s, is_serving, is_transferring, delay_s };
        for action in self.machine.saving.step(event, context) {
            match action {
                Action::Wait(at_s) => {
                    self.machine.save_at_s = self.machine.save_at_s.into_iter().chain([at_s]).min();
                }
                Action::Write { touched_s, behind } => {
                    assert!(!self.is_transferring, "a transfer may write the same file");
                    let version = self.served.clone().expect("something is served");
                    self.machine.write(version, touched_s, behind);
                    self.disk_arrives();
                }
                Action::Touch(at_s) => self.machine.touch(at_s),
            }
        }
    }

    /// What is to be written is written soon, by whatever clock.
    pub(super) fn check_saving(&self) {
        let (saving, soon_s) = (&self.machine.saving, self.now_s() + DELAY_S);
        let is_waiting = self.machine.save_at_s.is_some_and(|at_s| at_s <= soon_s);
        let is_fine = saving.is_done() || saving.is_writing() || is_waiting || self.served.is_none();
        assert!(is_fine, "what is to be written waits until {:?}", self.machine.save_at_s);
    }

    fn disk_arrives(&mut self) {
        let most_s = if self.is_faulty { SLOW_S } else { 2 };
        let delay_s = self.random.below(most_s);
        self.arrives(delay_s, Arrival::Disk);
    }

    /// Goes on with the file that is being written.
    pub(super) fn advance_writing(&mut self) {
        if self.machine.advance_writing(self.now_s()) { self.end_writing() } else { self.disk_arrives() }
    }

    fn end_writing(&mut self) {
        let Some(writing) = self.machine.writing.take() else { return };
        let is_served = self.served.as_ref().is_none_or(|served| Arc::ptr_eq(served, &writing.version));
        let written = writing.outcome(is_served);
        let is_kept = self.arrivals.iter().any(|(_, arrival)| matches!(arrival, Arrival::Kept(..)));
        let is_sound = written == Written::Done { is_served: true, leads_on: true };
        let number = versions::number(&writing.version);
        let is_sole = is_sound && self.served.is_some() && !is_kept && !self.machine.disk.is_down();
        match &mut self.promised {
            // Of what is not known to be promised all may be somewhere, and lead to what was published once.
            Some(promised) if writing.place == self.machine.place && is_sole => *promised = vec![Some(number)],
            // What could not be written may be there all the same.
            Some(promised) => promised.push(Some(number)),
            None => {}
        }
        self.save_step(Event::Written(written));
    }

    /// The configuration says that the copy or its journal belongs elsewhere, where there may be an old one.
    pub(super) fn move_copy(&mut self) {
        if self.served.is_none() {
            return;
        }
        let vouched_s = self.zone.expires_s().map(|at_s| at_s.saturating_sub(EXPIRE_S));
        let touched_s = self.machine.modified_s().or(vouched_s).unwrap_or(self.now_s());
        let moves = self.random.below(3);
        self.machine.place.journal ^= usize::from(moves != 0);
        self.machine.place.file ^= usize::from(moves != 1);
        self.save_step(Event::Moved { touched_s, has_other_journal: moves != 0 });
        self.promised = None;
    }

    /// The operator removes the file, the journal or both. Before the next transfer nobody can promise anything.
    pub(super) fn remove_copy(&mut self) {
        let which = self.random.below(3);
        self.machine.remove(which != 0, which != 1);
        self.promised = None;
    }

    /// `rndc sync`, perhaps with `-clean`.
    pub(super) fn ask_to_save(&mut self) {
        let touched_s = self.machine.modified_s().filter(|_| self.served.is_some());
        let drops_journal = self.random.below(2) == 0;
        if let Some(touched_s) = touched_s {
            self.save_step(Event::Asked { touched_s, drops_journal });
        }
    }

    /// An orderly end writes what is to be written, behind what is being written, and then the power fails.
    pub(super) fn stop(&mut self) {
        let now_s = self.now_s();
        while !self.machine.advance_writing(now_s) {}
        self.machine.writing = None;
        self.is_transferring = false;
        self.save_step(Event::Stopping);
        while !self.machine.advance_writing(now_s) {}
        self.end_writing();
        self.crash();
    }

    /// Were the power to fail now, what is published would be there again.
    pub(super) fn check_disk(&mut self) {
        let Some(promised) = self.promised.as_ref().filter(|_| self.machine.is_changed()) else { return };
        let found = self.machine.found_after_a_crash().map(|found| versions::number(&found.version));
        assert!(promised.contains(&found), "{found:?} is on disk, not {promised:?}");
        self.check_journal();
    }

    /// What the journal says of how what is served came about is true, for others may ask for it.
    fn check_journal(&self) {
        let troubles = self.machine.disk.troubles();
        let is_known = troubles.failures == 0 && !self.has_stray_journal;
        let Some(number) = self.served_number().filter(|_| is_known) else { return };
        if let Some(step) = self.machine.step_to(versions::serial(number)) {
            let before = versions::beside(number, step.before);
            assert!(versions::changes(before, number) == [step], "the journal leads to another version");
        }
    }

    /// What a start finds is what was published, and no younger than a primary has vouched for it. A journal that does
    /// not fit is no work of a crash, and out of the way.
    pub(super) fn check_found(&self, found: &Found) {
        let number = versions::number(&found.version);
        let is_promised = self.promised.as_ref().is_none_or(|promised| promised.contains(&Some(number)));
        assert!(is_promised || self.has_bad_disk(), "{number} is on disk instead of {:?}", self.promised);
        assert!(found.modified_s.is_none_or(|at_s| at_s <= self.vouched_s), "the copy lives longer than it may");
        if found.is_doubtful {
            let is_expected = self.promised.is_none() || !self.machine.is_sound();
            assert!(is_expected, "a crash alone leaves no journal that does not fit");
            let is_well = self.machine.disk.faults() == Faults::default();
            assert!(!is_well || self.machine.at_rest().1 == 0, "what does not fit is not set aside");
        }
    }

    /// In the end the file alone holds what is served, and the journal is no longer than it may be.
    pub(super) fn check_copy(&self) {
        assert!(self.machine.saving.is_done(), "not all is in the file: {:?}", self.machine.saving);
        let (version, journal_bytes) = self.machine.at_rest();
        assert_eq!(version.map(|version| version.serial()), self.serial(), "the file holds another version");
        assert!(journal_bytes <= LEAST_JOURNAL_BYTES, "the journal has {journal_bytes} bytes");
    }

    /// In calm, a start would know when a primary has vouched for what is served.
    pub(super) fn check_clock(&self) {
        let saving = &self.machine.saving;
        if let Some(expires_s) = self.zone.expires_s().filter(|_| saving.is_durable() && !saving.is_writing()) {
            let lost_s = self.machine.modified_s().map(|at_s| (expires_s - EXPIRE_S).abs_diff(at_s));
            assert!(lost_s.is_some_and(|lost_s| lost_s <= MOMENT_S), "the clock of expiry is {lost_s:?} s off");
        }
    }
}
