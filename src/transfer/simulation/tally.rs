//! How often each fault was met: one that is drawn but changes nothing proves nothing.

use crate::zone::disk::simulated::Troubles;

/// A fault that was met: a reply that was not believed, a stream that was refused, a step that failed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Fault {
    /// No reply came, for packets were lost,
    PacketLost,
    /// or late.
    PacketLate,
    /// Another reply came behind the one that was heard.
    PacketDoubled,
    /// The reply to another question came first.
    PacketOvertaken,
    /// A reply that is not signed, or not with the key.
    ReplySignature,
    /// A serial that the primary does not have.
    Lie,
    StreamSignature,
    DiedMidway,
    /// The primary had another version from some message on.
    ChangedMidway,
    /// Bits, messages or the end of a message were lost on the way.
    Damage,
    /// Differences that fit another version than the one that is there.
    Misfit,
    /// Differences that add what is there already.
    Needless,
    ManyDifferences,
    OutsideZone,
    EndlessZone,
    /// A NOTIFY of something new while a transfer runs,
    NotifyInTransfer,
    /// or behind one of something newer.
    NotifyOvertaken,
    WentBack,
    /// Other contents came under a serial that is not newer.
    Rebuilt,
    Expiry,
    DiskFailing,
    DiskFull,
    DiskReadOnly,
    /// A transfer had to wait for the file that was being written.
    DiskSlow,
    CrashBefore,
    CrashBehind,
    /// What was far off is due.
    ClockAhead,
    /// What was due soon is far off.
    ClockBack,
    /// Changes came to a copy that the operator had removed, or its journal.
    Removed,
}

const COUNT: usize = Fault::Removed as usize + 1;

/// In so many histories each fault is met once, at the least.
const RAREST: u64 = 20;

/// How often each was met.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tally([u64; COUNT]);

impl Tally {
    pub(super) fn count(&mut self, fault: Fault) {
        self.add(fault, 1);
    }

    pub(super) fn count_if(&mut self, is_met: bool, fault: Fault) {
        self.add(fault, is_met.into());
    }

    pub(super) fn add(&mut self, fault: Fault, times: u64) {
        self.0[fault as usize] += times;
    }

    pub(super) fn add_troubles(&mut self, troubles: Troubles) {
        let Troubles { failures, full, read_only, crashes_before, crashes_behind } = troubles;
        self.add(Fault::DiskFailing, failures);
        self.add(Fault::DiskFull, full);
        self.add(Fault::DiskReadOnly, read_only);
        self.add(Fault::CrashBefore, crashes_before);
        self.add(Fault::CrashBehind, crashes_behind);
    }

    pub(super) fn and(self, other: Self) -> Self {
        Self(std::array::from_fn(|at| self.0[at] + other.0[at]))
    }

    /// None was hardly met.
    pub(super) fn check(&self, histories: u64) {
        let times = |fault: &Fault| self.0[*fault as usize];
        Fault::ALL.iter().for_each(|fault| println!("{:9} {fault:?}", times(fault)));
        let rare: Vec<_> = Fault::ALL.iter().filter(|fault| times(fault) < histories / RAREST).collect();
        assert!(rare.is_empty(), "hardly met: {rare:?}");
    }
}

impl Fault {
    const ALL: [Self; COUNT] = [
        Self::PacketLost,
        Self::PacketLate,
        Self::PacketDoubled,
        Self::PacketOvertaken,
        Self::ReplySignature,
        Self::Lie,
        Self::StreamSignature,
        Self::DiedMidway,
        Self::ChangedMidway,
        Self::Damage,
        Self::Misfit,
        Self::Needless,
        Self::ManyDifferences,
        Self::OutsideZone,
        Self::EndlessZone,
        Self::NotifyInTransfer,
        Self::NotifyOvertaken,
        Self::WentBack,
        Self::Rebuilt,
        Self::Expiry,
        Self::DiskFailing,
        Self::DiskFull,
        Self::DiskReadOnly,
        Self::DiskSlow,
        Self::CrashBefore,
        Self::CrashBehind,
        Self::ClockAhead,
        Self::ClockBack,
        Self::Removed,
    ];
}
