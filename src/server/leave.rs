//! Leave to write to a zone's files, which ends with the zone: they may be another's from then on.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

/// The leave; clones are one and the same.
#[derive(Debug, Clone, Default)]
pub(super) struct Leave(Arc<Mutex<bool>>);

impl Leave {
    /// To be held while something is written. None: it was taken away.
    pub(super) fn hold(&self) -> Option<MutexGuard<'_, bool>> {
        Some(self.is_away()).filter(|is_away| !**is_away)
    }

    /// Takes it away, once what is being written has been.
    pub(super) fn take_away(&self) {
        *self.is_away() = true;
    }

    fn is_away(&self) -> MutexGuard<'_, bool> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

#[cfg(test)]
mod tests {
    use std::sync::mpsc::channel;
    use std::thread;

    use super::*;

    #[test]
    fn it_is_taken_away_once_nothing_is_written_and_then_nothing_is() {
        let leave = Leave::default();
        let (say, said) = channel();
        thread::scope(|scope| {
            let held = leave.hold();
            let taking = leave.clone();
            let taker = say.clone();
            scope.spawn(move || {
                taking.take_away();
                taker.send("taken away").unwrap();
            });
            say.send("written").unwrap();
            drop(held);
        });
        assert_eq!(said.try_iter().collect::<Vec<_>>(), ["written", "taken away"]);
        assert!(leave.hold().is_none());
    }
}
