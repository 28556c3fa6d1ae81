//! What the disk is asked for, and what it has to hold at every moment.

use super::machine::LEAST_JOURNAL_BYTES;
use super::{Arrival, Brought, World, versions};
use crate::transfer::saving::{Action, Context, Event, Written};
use crate::zone::copy::Durability;

/// How long a step of writing the file may take on a slow disk, in seconds.
const SLOW_S: u64 = 3000;

impl World {
    /// Makes a version durable, if the power lasts.
    pub(super) fn keep(&mut self, Brought { version, changes }: Brought) {
        assert!(versions::is_true(&version), "no primary ever had this");
        let serial = version.serial();
        let (durability, is_sound) = self.machine.keep(&version, &changes, self.now_s());
        if durability != Durability::None && is_sound && !self.machine.disk.is_down() {
            self.promised = Some(vec![serial]);
        } else if let Some(promised) = &mut self.promised {
            promised.push(serial);
        }
        let delay_s = self.random.below(3);
        self.arrives(delay_s, Arrival::Kept(version, durability));
    }

    /// Tells the copy's machine of an event and does what it says.
    pub(super) fn save_step(&mut self, event: Event) {
        let (now_s, is_serving) = (self.now_s(), self.served.is_some());
        let context = Context { now_s, is_serving, is_transferring: self.is_transferring };
        for action in self.machine.saving.step(event, context) {
            match action {
                Action::Wait(at_s) => {
                    self.machine.save_at_s = self.machine.save_at_s.into_iter().chain([at_s]).min();
                }
                Action::Write(behind) => {
                    assert!(!self.is_transferring, "a transfer may write the same file");
                    let version = self.served.clone().expect("something is served");
                    self.machine.write(version, behind);
                    self.disk_arrives();
                }
                Action::Touch(at_s) => self.machine.touch(at_s),
            }
        }
        let saving = &self.machine.saving;
        let is_remembered = saving.is_done() || saving.is_writing() || self.machine.save_at_s.is_some();
        assert!(is_remembered || self.served.is_none(), "it is forgotten that something is to be written");
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
        let is_served = self.serial() == Some(writing.version.serial());
        let written = writing.outcome(is_served);
        let is_kept = self.arrivals.iter().any(|(_, arrival)| matches!(arrival, Arrival::Kept(..)));
        let is_sound = written == Written::Done { is_served: true, leads_on: true };
        let serial = writing.version.serial();
        match &mut self.promised {
            Some(promised) if is_sound && !is_kept && !self.machine.disk.is_down() => *promised = vec![serial],
            Some(promised) if matches!(written, Written::Done { .. }) => promised.push(serial),
            // A journal that could not be read may be read another time, and leads to what was published once.
            _ => {}
        }
        self.save_step(Event::Written(written));
    }

    /// `rndc sync`, perhaps with `-clean`.
    pub(super) fn ask_to_save(&mut self) {
        if self.served.is_some() {
            let (touched_s, drops_journal) = (self.now_s(), self.random.below(2) == 0);
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
        let found = self.machine.found_after_a_crash().map(|found| found.version);
        assert!(found.as_ref().is_none_or(versions::is_true), "no primary ever had what is on disk");
        let serial = found.map(|version| version.serial());
        assert!(serial.is_some_and(|serial| promised.contains(&serial)), "{serial:?} is on disk, not {promised:?}");
    }

    /// In the end the file alone holds what is served, and the journal is no longer than it may be.
    pub(super) fn check_copy(&self) {
        assert!(self.machine.saving.is_done(), "not all is in the file: {:?}", self.machine.saving);
        let (version, journal_bytes) = self.machine.at_rest();
        assert_eq!(version.map(|version| version.serial()), self.serial(), "the file holds another version");
        assert!(journal_bytes <= LEAST_JOURNAL_BYTES, "the journal has {journal_bytes} bytes");
    }
}
