//! Which records named takes to stand together: those of an owner up to the next one, the addresses of its name servers
//! left aside. It says what it finds wrong with them when it adds them to the zone together.

use super::fault::{Fault, Lines};
use super::{Loader, Refused, Sink};
use crate::dns::NameRef;
use crate::dns::name::NoDot;
use crate::zone::message::Level;

impl<S: Sink> Loader<'_, S> {
    /// Takes note of another owner, the same in another case too.
    #[inline]
    pub(super) fn begin_owner(&mut self, owner: NameRef<'_>) {
        let turn = self.sink.owner(owner);
        self.batches.turn(turn);
        self.hear();
    }

    /// What comes now belongs to no RRset that has been read.
    pub(super) fn commit(&mut self) {
        self.batches.clear();
        self.sink.commit();
        self.hear();
    }

    /// The owner that a record without one inherits in the eyes of named, given the one that it gets.
    pub(super) fn inherited<'n>(&'n self, owner: NameRef<'n>) -> NameRef<'n> {
        self.sink.outer().unwrap_or(owner)
    }

    /// Says what the sink has found out.
    #[inline]
    pub(super) fn hear(&mut self) {
        if !S::WANTS_PLACES {
            return;
        }
        for Refused { place: (path, line), owner, reason, detail } in self.sink.refused() {
            detail.into_iter().for_each(|detail| self.say(Level::Error, &path, line, detail));
            let text = format!("{}: {reason}", NoDot(owner.as_ref()));
            self.fault(&Fault::refused(text, reason), &path, Lines::all(line));
        }
    }
}
