//! When a secondary's copy is written to its file: a state machine of each zone.
//!
//! A version is on disk before it is published, see [`crate::zone::copy`]: in the file, or in the journal that leads on
//! from it; or it is nowhere, since a disk that takes nothing must not make the zone stale. What the file lacks is
//! written after a while, or when it is asked for: never twice at a time, and not while a transfer runs, which may
//! write the file itself. One that begins meanwhile waits for its turn.

use super::random::Random;
use crate::zone::copy::{Behind, Durability};

/// What is known of a zone's copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Saving {
    /// The mtime that the copy is to have: when what is served was transferred or confirmed; 0: not since the start.
    touched_s: u64,
    /// Where what is served is.
    durability: Durability,
    /// Whether the journal is to go once the file is written.
    drops_journal: bool,
    /// Whether nothing was written to a journal since it was found that there is none.
    has_no_journal: bool,
    /// Whether a journal that ends with the serial of what is served leads to that, and not to another version.
    is_led_to: bool,
    /// Whether what a transfer keeps may have been dated as what was served before.
    is_dated_back: bool,
    /// Whether the time had come, and a transfer ran.
    is_overdue: bool,
    writing: Writing,
}

/// Whether the file is being written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Writing {
    No,
    Yes,
    /// It is, but not as it should be by now.
    InVain,
}

/// What happens to a copy.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Event {
    /// A version is served that is on disk.
    Published {
        /// Where it is.
        durability: Durability,
        /// When it was written there.
        kept_s: u64,
    },
    /// A primary has confirmed what is served, at this time.
    Confirmed(u64),
    /// The time has come.
    Due,
    /// The clock was set back: what is to be waited for may be far off.
    ClockSetBack,
    /// The operator wants what the journal holds in the file.
    Asked {
        /// When the journal was last changed, which counts where the file is all that is needed but for it.
        touched_s: u64,
        /// Whether the journal is to go.
        drops_journal: bool,
    },
    /// The copy is to be in another file, or of another form, or the journal is to be another file.
    Moved {
        /// When the old one was last changed, which counts until a primary has confirmed what is served.
        touched_s: u64,
        /// Whether the journal is another file.
        has_other_journal: bool,
    },
    /// What was begun with [`Action::Write`] has ended.
    Written(Written),
    /// The server ends: what is to be written is written now, behind what is being written.
    Stopping,
}

/// How an attempt to write the file has ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Written {
    /// The file is what it was.
    Failed,
    /// The file holds the version that was served when it began.
    Done {
        /// Whether that is served still.
        is_served: bool,
        /// Whether what has come to the journal since leads on from it.
        leads_on: bool,
    },
}

/// What is to be done.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Action {
    /// Say [`Event::Due`] at this time, if it would not be said before that.
    Wait(u64),
    /// Write what is served to the file.
    Write {
        /// The mtime that it is to have.
        touched_s: u64,
        /// What is to be done with the journal then.
        behind: Behind,
    },
    /// Set the times of file and journal.
    Touch(u64),
}

/// What a step depends on besides.
#[derive(Debug, Clone, Copy)]
pub struct Context {
    /// The time.
    pub now_s: u64,
    /// Whether anything is served.
    pub is_serving: bool,
    /// Whether a transfer of the zone runs.
    pub is_transferring: bool,
    /// How long the file may lack something, see [`delay_s`].
    pub delay_s: u64,
}

impl Default for Saving {
    fn default() -> Self {
        Self {
            touched_s: 0,
            durability: Durability::File,
            drops_journal: false,
            has_no_journal: false,
            is_led_to: true,
            is_dated_back: false,
            is_overdue: false,
            writing: Writing::No,
        }
    }
}

impl Saving {
    /// Whether the file is all that is needed.
    pub fn is_done(&self) -> bool {
        self.durability == Durability::File
    }

    /// Whether what is served is there again after a crash.
    pub fn is_durable(&self) -> bool {
        self.durability != Durability::None
    }

    /// The file was read, and there is no journal.
    pub fn note_no_journal(&mut self) {
        self.has_no_journal = true;
    }

    /// A journal was found that does not fit: it leads elsewhere, if it is still there.
    pub fn note_stray_journal(&mut self) {
        self.is_led_to = false;
    }

    /// Whether a journal that ends with the serial of what is served may lead to another version of it: nobody is to
    /// be told what it holds.
    pub fn has_stray_journal(&self) -> bool {
        !self.is_led_to
    }

    /// Whether there may be a journal whose time is to be set.
    pub fn may_have_journal(&self) -> bool {
        !self.has_no_journal
    }

    /// Whether the file is being written.
    pub fn is_writing(&self) -> bool {
        self.writing != Writing::No
    }

    /// What is to be done now that this has happened, in order.
    pub fn step(&mut self, event: Event, context: Context) -> Vec<Action> {
        self.has_no_journal &= matches!(event, Event::Confirmed(_));
        match event {
            Event::Published { durability, kept_s } => {
                let is_dated_back = std::mem::take(&mut self.is_dated_back) && durability != Durability::None;
                let is_led_to = durability != Durability::None;
                *self = Self { touched_s: kept_s, durability, drops_journal: false, is_led_to, ..*self };
                let touch = is_dated_back.then_some(Action::Touch(kept_s));
                // The next transfer may begin at once, and so on: there may be no other time.
                let delay_s = if std::mem::take(&mut self.is_overdue) { 0 } else { context.delay_s };
                touch.into_iter().chain(self.wait(delay_s, context)).collect()
            }
            Event::Confirmed(at_s) => {
                // What has just been written has its time.
                let is_touched = std::mem::replace(&mut self.touched_s, at_s) == at_s;
                if self.is_durable() && !is_touched { vec![Action::Touch(at_s)] } else { vec![] }
            }
            Event::Due => self.write(context),
            Event::ClockSetBack => self.wait(context.delay_s, context),
            Event::Asked { touched_s, drops_journal } => self.ask(touched_s, drops_journal, context),
            Event::Moved { touched_s, has_other_journal } => {
                if self.touched_s == 0 {
                    self.touched_s = touched_s;
                }
                self.durability = Durability::None;
                self.is_led_to &= !has_other_journal;
                self.write_anew();
                self.wait(0, context)
            }
            Event::Written(written) => self.written(written, context),
            Event::Stopping => {
                self.writing = Writing::No;
                self.write(Context { is_transferring: false, ..context })
            }
        }
    }

    fn wait(&self, time_s: u64, context: Context) -> Vec<Action> {
        if self.is_done() { vec![] } else { vec![Action::Wait(context.now_s.saturating_add(time_s))] }
    }

    /// A journal that was followed at the start leads on from the file as well.
    fn ask(&mut self, touched_s: u64, drops_journal: bool, context: Context) -> Vec<Action> {
        if self.is_done() {
            // To a journal that leads elsewhere nothing is to be appended while it is on its way out.
            let durability = if self.is_led_to { Durability::Journal } else { Durability::None };
            (self.touched_s, self.durability) = (touched_s, durability);
        }
        self.drops_journal |= drops_journal;
        self.write_anew();
        self.wait(0, context)
    }

    /// What is being written is to be written once more.
    fn write_anew(&mut self) {
        if self.is_writing() {
            self.writing = Writing::InVain;
        }
    }

    fn write(&mut self, context: Context) -> Vec<Action> {
        if self.is_done() || self.is_writing() || !context.is_serving {
            return vec![];
        }
        self.is_overdue = context.is_transferring;
        if self.is_overdue {
            return self.wait(PAUSE_S, context);
        }
        self.writing = Writing::Yes;
        let behind = match self.durability {
            Durability::None if self.is_led_to => Behind::Ended,
            Durability::None => Behind::Void,
            _ if self.drops_journal => Behind::Dropped,
            _ => Behind::Shortened,
        };
        vec![Action::Write { touched_s: self.touched_s, behind }]
    }

    fn written(&mut self, written: Written, context: Context) -> Vec<Action> {
        let was = std::mem::replace(&mut self.writing, Writing::No);
        match written {
            // What is served came from a transfer, which has written the file behind us.
            _ if self.is_done() => vec![],
            _ if was == Writing::InVain => self.write(context),
            Written::Failed => self.wait(context.delay_s, context),
            Written::Done { is_served, leads_on } => self.settle(is_served, leads_on, context),
        }
    }

    /// The file is newer than it was, and may be all that is needed.
    fn settle(&mut self, is_served: bool, leads_on: bool, context: Context) -> Vec<Action> {
        let mut actions = vec![Action::Touch(self.touched_s)];
        self.is_dated_back = context.is_transferring;
        match self.durability {
            // A journal that is there still may lead to something else.
            Durability::None if is_served && !leads_on => actions.extend(self.wait(context.delay_s, context)),
            _ if is_served => (self.durability, self.drops_journal, self.is_led_to) = (Durability::File, false, true),
            Durability::Journal if leads_on => actions.extend(self.wait(context.delay_s, context)),
            _ => {
                self.durability = Durability::None;
                actions.extend(self.write(context));
            }
        }
        actions
    }
}

/// How long a file may lack something: zones that change together are not written together. BIND: the same.
pub fn delay_s(random: &mut Random) -> u64 {
    random.jitter(DELAY_S, DELAY_S / 4)
}

/// The longest of these times, in seconds.
pub const DELAY_S: u64 = 900;
/// How much longer where a transfer runs, in seconds.
const PAUSE_S: u64 = 5;

#[cfg(test)]
mod tests {
    use super::*;

    const NOW_S: u64 = 1_800_000_000;
    const IDLE: Context = Context { now_s: NOW_S, is_serving: true, is_transferring: false, delay_s: 700 };
    const WRITE: Action = write(NOW_S, Behind::Shortened);
    const WRITE_ALL: Action = write(NOW_S, Behind::Void);
    const MOVED: Event = Event::Moved { touched_s: 5, has_other_journal: false };
    const MOVED_WITH_JOURNAL: Event = Event::Moved { touched_s: 5, has_other_journal: true };
    const LATER: Action = Action::Wait(NOW_S + 700);

    const fn published(durability: Durability) -> Event {
        Event::Published { durability, kept_s: NOW_S }
    }

    const fn write(touched_s: u64, behind: Behind) -> Action {
        Action::Write { touched_s, behind }
    }

    #[test]
    fn zones_that_change_together_are_written_over_a_while() {
        let mut random = Random::new(1);
        let delays: Vec<_> = (0..1000).map(|_| delay_s(&mut random)).collect();
        assert!(delays.iter().all(|delay_s| (676..=900).contains(delay_s)));
        assert!(delays.iter().any(|delay_s| *delay_s < 690) && delays.iter().any(|delay_s| *delay_s > 890));
    }

    fn after(events: &[Event]) -> Saving {
        let mut saving = Saving::default();
        events.iter().for_each(|event| drop(saving.step(*event, IDLE)));
        saving
    }

    fn done(is_served: bool, leads_on: bool) -> Event {
        Event::Written(Written::Done { is_served, leads_on })
    }

    const JOURNALED: Event = published(Durability::Journal);
    const LOST: Event = published(Durability::None);

    #[test]
    fn what_is_not_in_the_file_is_written_after_a_while_and_what_fails_is_tried_again() {
        for (published, write) in [(JOURNALED, WRITE), (LOST, WRITE_ALL)] {
            let mut saving = Saving::default();
            assert_eq!(saving.step(published, IDLE), [LATER]);
            assert_eq!(saving.step(Event::Due, IDLE), [write]);
            assert_eq!(saving.step(Event::Written(Written::Failed), IDLE), [LATER]);
            assert_eq!(saving.step(Event::Due, IDLE), [write]);
            assert_eq!(saving.step(done(true, true), IDLE), [Action::Touch(NOW_S)]);
            assert!(saving.is_done());
        }
    }

    #[test]
    fn what_is_due_while_one_transfer_follows_the_other_is_written_between_two_of_them() {
        let transferring = Context { is_transferring: true, ..IDLE };
        let mut saving = after(&[JOURNALED]);
        assert_eq!(saving.step(Event::Due, transferring), [Action::Wait(NOW_S + PAUSE_S)]);
        assert_eq!(saving.step(JOURNALED, IDLE), [Action::Wait(NOW_S)]);
        assert_eq!(saving.step(Event::Due, IDLE), [WRITE]);
        assert_eq!(saving.step(JOURNALED, IDLE), [LATER], "it is being written");
    }

    #[test]
    fn a_journal_that_may_lead_to_something_else_and_stays_is_not_left_at_that() {
        let mut saving = after(&[LOST, Event::Due]);
        assert_eq!(saving.step(done(true, false), IDLE), [Action::Touch(NOW_S), LATER]);
        assert_eq!(saving.step(Event::Due, IDLE), [WRITE_ALL]);
    }

    #[test]
    fn what_is_in_the_file_is_not_written() {
        let mut saving = after(&[published(Durability::File)]);
        assert_eq!(saving.step(Event::Due, IDLE), []);
        assert_eq!(saving.step(Event::ClockSetBack, IDLE), []);
    }

    #[test]
    fn nothing_is_written_twice_at_a_time_or_while_a_transfer_runs() {
        let mut saving = after(&[JOURNALED]);
        let busy = Context { is_transferring: true, ..IDLE };
        assert_eq!(saving.step(Event::Due, busy), [Action::Wait(NOW_S + PAUSE_S)]);
        assert_eq!(saving.step(Event::Due, IDLE), [WRITE]);
        assert_eq!(saving.step(Event::Due, IDLE), []);
    }

    #[test]
    fn an_expired_zone_has_nothing_to_write() {
        let expired = Context { is_serving: false, ..IDLE };
        assert_eq!(after(&[JOURNALED]).step(Event::Due, expired), []);
    }

    #[test]
    fn what_was_published_meanwhile_waits_in_the_journal_or_is_written_at_once() {
        let begun = [JOURNALED, Event::Due, JOURNALED];
        assert_eq!(after(&begun).step(done(false, true), IDLE), [Action::Touch(NOW_S), LATER]);
        assert_eq!(after(&begun).step(done(false, false), IDLE), [Action::Touch(NOW_S), write(NOW_S, Behind::Ended)]);
        assert_eq!(
            after(&[JOURNALED, Event::Due, LOST]).step(done(false, true), IDLE),
            [Action::Touch(NOW_S), WRITE_ALL]
        );
        let mut whole = after(&[JOURNALED, Event::Due, published(Durability::File)]);
        assert_eq!(whole.step(done(false, true), IDLE), []);
        assert!(whole.is_done());
    }

    #[test]
    fn a_copy_that_is_moved_or_asked_for_while_it_is_written_is_written_anew() {
        let mut saving = after(&[JOURNALED, Event::Due]);
        assert_eq!(saving.step(MOVED, IDLE), [Action::Wait(NOW_S)]);
        assert_eq!(saving.step(done(true, true), IDLE), [write(NOW_S, Behind::Ended)]);
        assert_eq!(saving.step(done(true, true), IDLE), [Action::Touch(NOW_S)]);
        let cleaned = Event::Asked { touched_s: 6, drops_journal: true };
        let mut saving = after(&[JOURNALED, Event::Due]);
        assert_eq!(saving.step(cleaned, IDLE), [Action::Wait(NOW_S)]);
        assert_eq!(saving.step(done(true, true), IDLE), [write(NOW_S, Behind::Dropped)]);
    }

    #[test]
    fn a_copy_that_is_moved_is_as_old_as_its_last_confirmation_or_else_as_the_old_file() {
        assert_eq!(after(&[MOVED]).step(Event::Due, IDLE), [write(5, Behind::Ended)]);
        for (known, behind) in [(LOST, Behind::Void), (Event::Confirmed(NOW_S), Behind::Ended)] {
            assert_eq!(after(&[known, MOVED]).step(Event::Due, IDLE), [write(NOW_S, behind)]);
        }
    }

    #[test]
    fn a_journal_stays_behind_a_copy_that_is_moved_only_if_it_is_known_to_lead_there() {
        for (moved, behind) in [(MOVED, Behind::Ended), (MOVED_WITH_JOURNAL, Behind::Void)] {
            let mut saving = after(&[JOURNALED, moved]);
            assert_eq!(saving.step(Event::Due, IDLE), [write(NOW_S, behind)]);
            saving.step(done(true, true), IDLE);
            saving.step(MOVED, IDLE);
            assert_eq!(saving.step(Event::Due, IDLE), [write(NOW_S, Behind::Ended)]);
        }
    }

    #[test]
    fn what_the_journal_was_followed_to_is_written_when_it_is_asked_for() {
        let mut saving = Saving::default();
        let asked = Event::Asked { touched_s: 6, drops_journal: false };
        assert_eq!(saving.step(asked, IDLE), [Action::Wait(NOW_S)]);
        assert_eq!(saving.step(Event::Due, IDLE), [write(6, Behind::Shortened)]);
        assert_eq!(saving.step(done(true, true), IDLE), [Action::Touch(6)]);
    }

    #[test]
    fn a_journal_that_did_not_fit_at_the_start_is_told_of_to_nobody_and_appended_to_by_nobody() {
        let mut saving = Saving::default();
        saving.note_stray_journal();
        assert!(saving.has_stray_journal() && saving.is_durable());
        saving.step(Event::Asked { touched_s: 6, drops_journal: false }, IDLE);
        assert!(!saving.is_durable());
        assert_eq!(saving.step(Event::Due, IDLE), [write(6, Behind::Void)]);
        saving.step(done(true, true), IDLE);
        assert!(!saving.has_stray_journal() && saving.is_durable());
    }

    #[test]
    fn a_version_that_was_written_a_moment_ago_needs_no_other_time() {
        for published in [published(Durability::File), JOURNALED] {
            let mut saving = after(&[published]);
            assert_eq!(saving.step(Event::Confirmed(NOW_S), IDLE), []);
            assert_eq!(saving.step(Event::Confirmed(NOW_S - 100), IDLE), [Action::Touch(NOW_S - 100)]);
            assert_eq!(saving.step(Event::Confirmed(NOW_S + 1), IDLE), [Action::Touch(NOW_S + 1)]);
        }
    }

    #[test]
    fn what_a_transfer_has_kept_before_an_older_write_was_told_of_gets_its_own_time() {
        let busy = Context { is_transferring: true, ..IDLE };
        let kept = |durability| Event::Published { durability, kept_s: NOW_S + 9 };
        let begun = || after(&[JOURNALED, Event::Due]);
        let mut saving = begun();
        assert_eq!(saving.step(done(true, true), busy), [Action::Touch(NOW_S)]);
        assert_eq!(saving.step(kept(Durability::File), IDLE), [Action::Touch(NOW_S + 9)]);
        assert_eq!(saving.step(kept(Durability::File), IDLE), []);
        let mut saving = begun();
        saving.step(done(true, true), busy);
        assert_eq!(saving.step(kept(Durability::None), IDLE), [LATER]);
        let mut saving = begun();
        saving.step(done(true, true), IDLE);
        assert_eq!(saving.step(kept(Durability::File), IDLE), []);
    }

    #[test]
    fn that_there_is_no_journal_is_known_until_one_may_be_begun() {
        let mut saving = Saving::default();
        assert!(saving.may_have_journal());
        saving.note_no_journal();
        assert_eq!(saving.step(Event::Confirmed(7), IDLE), [Action::Touch(7)]);
        assert!(!saving.may_have_journal());
        saving.step(JOURNALED, IDLE);
        assert!(saving.may_have_journal());
    }

    #[test]
    fn a_file_of_an_older_version_keeps_its_time() {
        assert_eq!(after(&[LOST]).step(Event::Confirmed(7), IDLE), []);
        assert_eq!(after(&[JOURNALED]).step(Event::Confirmed(7), IDLE), [Action::Touch(7)]);
        assert_eq!(after(&[JOURNALED, MOVED]).step(Event::Confirmed(7), IDLE), []);
        let mut saving = after(&[LOST, Event::Confirmed(7), Event::Due]);
        assert_eq!(saving.step(done(true, true), IDLE), [Action::Touch(7)]);
    }
}
