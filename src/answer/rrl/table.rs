//! Accounts of answers, as many as the table has room for, drawn on by all workers at once.
//!
//! An account is one word: who it is of, when it was last drawn on, how many answers it may still get, and what became
//! of the last one over the limit. Eight accounts that share a cache line are where an account may stand; when all are
//! taken, the one that nobody drew on for longest makes room. A draw is one compare-and-swap.

use std::sync::atomic::{AtomicU64, Ordering};

/// A row of answers over the limit ends when there was no answer for so long, as with BIND.
const QUIET_S: i32 = 60;
/// The most accounts that there is room for: 32 MB of them.
const MAX_ACCOUNTS: u32 = 1 << 22;
/// Accounts in one place: a cache line of them.
const WAYS: usize = 8;
/// How often a draw is tried again when another worker was faster. One answer too many is no harm.
const MAX_TRIES: usize = 8;

/// The accounts.
#[derive(Debug)]
pub(super) struct Table(Box<[Line]>);

#[derive(Debug, Default)]
#[repr(align(64))]
struct Line([AtomicU64; WAYS]);

/// What a draw came to.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Charge {
    /// There was nothing left.
    pub(super) is_over: bool,
    /// The first time in a row that there was nothing left.
    pub(super) is_first: bool,
    /// It is the turn of a truncated answer.
    pub(super) slips: bool,
}

impl Table {
    /// A table with room for at least so many accounts.
    pub(super) fn new(accounts: u32) -> Self {
        let lines = (accounts.min(MAX_ACCOUNTS) as usize).div_ceil(WAYS).next_power_of_two();
        Self((0..lines).map(|_| Line::default()).collect())
    }

    /// Whether the row of answers over the limit of an account goes on.
    pub(super) fn is_over(&self, id: u64, now_s: u64) -> bool {
        let found = self.line(id).and_then(|line| find(line, Account::tag(id), now_s));
        found.is_some_and(|(_, word)| {
            let account = Account::unpack(word);
            account.tag == Account::tag(id) && account.is_over && account.age_s(now_s) < QUIET_S.unsigned_abs()
        })
    }

    fn line(&self, id: u64) -> Option<&Line> {
        self.0.get(id as usize & self.0.len().wrapping_sub(1))
    }

    /// Takes one answer from an account that gets `rate` a second and may owe those of `window_s`. None: too many
    /// workers want it at once.
    pub(super) fn draw(&self, id: u64, rate: u32, window_s: u32, slip: u8, now_s: u64) -> Option<Charge> {
        let line = self.line(id)?;
        for _ in 0..MAX_TRIES {
            let (place, word) = find(line, Account::tag(id), now_s)?;
            let mut account = Account::unpack(word);
            if account.tag != Account::tag(id) {
                account = Account::open(id, rate, now_s);
            }
            let charge = account.draw(rate, window_s, slip, now_s);
            if place.compare_exchange(word, account.pack(), Ordering::Relaxed, Ordering::Relaxed).is_ok() {
                return Some(charge);
            }
        }
        None
    }
}

/// Where the account of this tag stands, or where it may be put, and what stands there.
fn find(line: &Line, tag: u32, now_s: u64) -> Option<(&AtomicU64, u64)> {
    let words = line.0.iter().map(|place| (place, place.load(Ordering::Relaxed)));
    words.max_by_key(|&(_, word)| {
        let account = Account::unpack(word);
        match word {
            0 => (1, 0),
            _ if account.tag == tag => (2, 0),
            _ => (0, account.age_s(now_s)),
        }
    })
}

/// An account, unpacked.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
struct Account {
    /// Tells those of one line apart; never 0.
    tag: u32,
    /// When it was last drawn on, in seconds.
    time_s: u32,
    /// What is left; below 0 what is owed.
    balance: i32,
    /// How many answers over the limit there were since one was truncated.
    slipped: u8,
    /// Whether an answer of the row was over the limit.
    is_over: bool,
}

const TAG_BITS: u32 = 24;
const TIME_BITS: u32 = 15;
const BALANCE_BITS: u32 = 20;
const SLIP_BITS: u32 = 4;
const BALANCE_MAX: i32 = (1 << (BALANCE_BITS - 1)) - 1;

impl Account {
    fn tag(id: u64) -> u32 {
        ((id >> (u64::BITS - TAG_BITS)) as u32).max(1)
    }

    fn open(id: u64, rate: u32, now_s: u64) -> Self {
        let balance = i32::try_from(rate).unwrap_or(BALANCE_MAX);
        Self { tag: Self::tag(id), time_s: time(now_s), balance, slipped: 0, is_over: false }
    }

    /// How long ago it was drawn on. The clock of accounts starts over every nine hours; one that is older is taken for
    /// a younger one, which owes no more than it did.
    fn age_s(&self, now_s: u64) -> u32 {
        time(now_s).wrapping_sub(self.time_s) & mask(TIME_BITS) as u32
    }

    fn draw(&mut self, rate: u32, window_s: u32, slip: u8, now_s: u64) -> Charge {
        let rate = i32::try_from(rate).unwrap_or(BALANCE_MAX);
        let age_s = i32::try_from(self.age_s(now_s)).unwrap_or(i32::MAX);
        self.credit(rate, window_s, age_s);
        self.time_s = time(now_s);
        let least = rate.saturating_mul(i32::try_from(window_s).unwrap_or(i32::MAX)).min(BALANCE_MAX).saturating_neg();
        self.balance = self.balance.saturating_sub(1).max(least);
        if self.balance >= 0 {
            return Charge { is_over: false, is_first: false, slips: false };
        }
        let is_first = !std::mem::replace(&mut self.is_over, true);
        Charge { is_over: true, is_first, slips: self.slip(slip) }
    }

    fn credit(&mut self, rate: i32, window_s: u32, age_s: i32) {
        if age_s == 0 {
            return;
        }
        let is_forgotten = age_s.unsigned_abs() > window_s;
        let credited = self.balance.saturating_add(rate.saturating_mul(age_s)).min(rate);
        self.balance = if is_forgotten { rate } else { credited };
        if self.balance >= rate {
            self.slipped = 0;
        }
        self.is_over &= age_s < QUIET_S;
    }

    /// Whether it is the turn of a truncated answer: the first over the limit, then each `slip`-th.
    fn slip(&mut self, slip: u8) -> bool {
        if slip == 0 {
            return false;
        }
        let is_turn = self.slipped == 0;
        self.slipped = self.slipped.saturating_add(1) % slip;
        is_turn
    }

    fn pack(self) -> u64 {
        let balance = self.balance as u32 as u64 & mask(BALANCE_BITS);
        let upper = u64::from(self.tag) << TIME_BITS | u64::from(self.time_s);
        (upper << BALANCE_BITS | balance) << (SLIP_BITS + 1) | u64::from(self.slipped) << 1 | u64::from(self.is_over)
    }

    fn unpack(word: u64) -> Self {
        let balance = (word >> (SLIP_BITS + 1) & mask(BALANCE_BITS)) as u32;
        let unused = u32::BITS - BALANCE_BITS;
        Self {
            tag: (word >> (u64::BITS - TAG_BITS)) as u32,
            time_s: (word >> (SLIP_BITS + 1 + BALANCE_BITS) & mask(TIME_BITS)) as u32,
            balance: (balance << unused) as i32 >> unused,
            slipped: (word >> 1 & mask(SLIP_BITS)) as u8,
            is_over: word & 1 == 1,
        }
    }
}

fn time(now_s: u64) -> u32 {
    (now_s & mask(TIME_BITS)) as u32
}

fn mask(bits: u32) -> u64 {
    (1 << bits) - 1
}

#[cfg(test)]
mod tests {
    use super::*;

    fn account(rate: u32) -> Account {
        Account::open(0xabcd_ef01_2345_6789, rate, 1_000_000)
    }

    #[test]
    fn accounts_survive_packing() {
        for (balance, slipped, is_over) in [(0, 0, false), (5, 9, true), (-1, 1, true), (-BALANCE_MAX, 3, false)] {
            let account = Account { balance, slipped, is_over, ..account(7) };
            assert_eq!(Account::unpack(account.pack()), account);
        }
    }

    #[test]
    fn the_first_answer_over_the_limit_slips_and_then_each_so_many() {
        let mut account = account(2);
        let mut draw = |slip| account.draw(2, 15, slip, 1_000_000);
        assert!((0..2).all(|_| !draw(3).is_over));
        let slips: Vec<bool> = (0..7).map(|_| draw(3).slips).collect();
        assert_eq!(slips, [true, false, false, true, false, false, true]);
        assert!(!draw(0).slips);
    }

    #[test]
    fn only_the_first_in_a_row_is_the_first() {
        let mut account = account(1);
        let firsts: Vec<bool> = (0..4).map(|_| account.draw(1, 15, 2, 1_000_000).is_first).collect();
        assert_eq!(firsts, [false, true, false, false]);
    }

    #[test]
    fn debts_are_paid_back_by_the_second_and_forgotten_behind_the_window() {
        let mut account = account(2);
        (0..6).for_each(|_| assert_eq!(account.draw(2, 3, 2, 1_000_000).is_over, account.balance < 0));
        assert_eq!(account.balance, -4);
        assert!(account.draw(2, 3, 2, 1_000_001).is_over);
        assert!(!account.draw(2, 3, 2, 1_000_005).is_over);
        assert_eq!(account.balance, 1);
    }

    #[test]
    fn debts_have_a_limit() {
        let mut account = account(2);
        let over = (0..100).filter(|_| account.draw(2, 3, 2, 1_000_000).is_over).count();
        assert_eq!(over, 98);
        assert_eq!(account.balance, -6);
    }

    #[test]
    fn a_row_over_the_limit_ends_a_minute_after_the_last_answer() {
        let (table, id) = (Table::new(1), 77);
        let over = (0..3).filter(|_| table.draw(id, 1, 15, 2, 1_000_000).unwrap().is_over).count();
        assert_eq!(over, 2);
        assert!(!table.draw(id, 1, 15, 2, 1_000_030).unwrap().is_over);
        assert!(table.is_over(id, 1_000_089));
        assert!(!table.is_over(id, 1_000_090));
        assert!(!table.draw(id, 1, 15, 2, 1_000_095).unwrap().is_over);
        assert!(table.draw(id, 1, 15, 2, 1_000_095).unwrap().is_first);
    }

    #[test]
    fn the_account_that_was_idle_longest_makes_room() {
        let table = Table::new(WAYS as u32);
        let id = |number: u64| number << (u64::BITS - TAG_BITS);
        for number in 1..=WAYS as u64 {
            table.draw(id(number), 1, 15, 2, 1_000_000 + number).unwrap();
        }
        assert!(table.draw(id(2), 1, 15, 2, 1_000_002).unwrap().is_over);
        assert!(!table.draw(id(100), 1, 15, 2, 1_000_010).unwrap().is_over);
        assert!(!table.draw(id(1), 1, 15, 2, 1_000_010).unwrap().is_over, "the first has lost its place");
    }

    #[test]
    fn tables_have_room_for_what_is_asked() {
        for accounts in [0, 1, 8, 9, 20_000] {
            assert!(Table::new(accounts).0.len() * WAYS >= accounts as usize);
        }
    }
}
