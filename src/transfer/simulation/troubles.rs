//! What goes wrong of itself: primaries change and go back, disks fail, the power does, the clock is set.

use super::notices::notify;
use super::tally::Fault;
use super::{REFRESH_S, World, saving, versions};
use crate::transfer::refresh::Event;
use crate::zone::disk::simulated::Faults;

/// How many versions ago is of late: few enough to be in the journal still.
const LATE: usize = 4;

impl World {
    pub(super) fn misbehave(&mut self) {
        match self.random.below(40) {
            0..=9 => self.change(),
            10 | 11 => self.machine.change_faults(&mut self.random),
            12..=14 => self.machine.disk.crash_after(self.random.below(20)),
            15 => self.crash(),
            16 => self.jump(),
            17 => self.step(Event::Refresh),
            18 | 19 => self.go_back(),
            20 => self.ask_to_save(),
            21 => self.stop(),
            22 => self.move_copy(),
            23 => {
                self.ask_to_save();
                self.move_copy();
            }
            24..=26 => self.remove_copy(),
            _ => {}
        }
        if self.machine.disk.is_down() {
            self.crash();
        }
    }

    /// A primary changes its zone, or goes back in time; it may say so, once or twice.
    fn change(&mut self) {
        let at = self.random.below(self.primaries.len() as u64) as usize;
        if self.random.below(6) == 0 {
            self.primaries[at] = self.older();
        } else {
            self.publish();
            self.primaries[at] = self.newest;
        }
        let serial = (self.random.below(4) > 0).then(|| versions::serial(self.primaries[at]));
        for _ in 0..self.random.below(3) {
            let delay_s = self.random.below(9);
            self.arrives(delay_s, notify(at, serial));
        }
    }

    /// A version from before, most likely of late.
    fn older(&mut self) -> usize {
        let most = if self.random.below(3) == 0 { usize::MAX } else { LATE };
        let most = versions::place(self.newest).min(most);
        self.newest - self.random.below(most as u64 + 1) as usize
    }

    /// All primaries may have gone back, or been built anew; whatever they have is to be served.
    fn go_back(&mut self) {
        let rebuilt = versions::rebuilt(self.newest).filter(|_| self.random.below(3) == 0);
        self.newest = rebuilt.unwrap_or(self.newest);
        if rebuilt.is_some() || self.random.below(2) == 0 {
            let older = self.older();
            self.primaries.fill(older);
        }
        self.step(Event::Retransfer);
        if self.random.below(2) == 0 {
            self.mend();
        }
    }

    /// The disk is sick for as long as the zone is busy, then somebody mends it and wants what is served in the file.
    fn mend(&mut self) {
        self.machine.sicken(&mut self.random);
        while self.zone.is_busy() || !self.arrivals.is_empty() {
            self.advance();
        }
        self.machine.disk.set_faults(Faults::default());
        self.ask_to_save();
    }

    /// The first primary has a new version.
    pub(super) fn publish(&mut self) {
        self.newest += 1;
        self.primaries[0] = self.newest;
    }

    /// Our clock is set, to the right time or another.
    fn jump(&mut self) {
        let ahead_s = [0, 100, 4000, 10 * 86_400, -100, -4000, -10 * 86_400];
        let at = self.random.below(ahead_s.len() as u64) as usize;
        self.set_clock(ahead_s[at]);
    }

    pub(super) fn set_clock(&mut self, ahead_s: i64) {
        let was_s = std::mem::replace(&mut self.ahead_s, ahead_s);
        self.machine.disk.set_clock(self.now_s());
        let now_s = self.now_s();
        let is_due = self.timer_s.is_some_and(|at_s| at_s <= now_s);
        self.tally.count_if(ahead_s > was_s && is_due, Fault::ClockAhead);
        self.tally.count_if(self.zone.next_check_s() > now_s + REFRESH_S, Fault::ClockBack);
        if ahead_s < was_s {
            // As the server floor does when it sees that the clock was set back.
            self.step(Event::Timer);
            self.save_step(saving::Event::ClockSetBack);
        }
    }
}
