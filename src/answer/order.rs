//! `rrset-order`: in which order the records of an RRset stand in an answer.
//!
//! The first rule that names the RRset decides; without one they stand as stored. Cyclic order is where the RRset
//! starts, the other records follow in the stored order. Turns are counted for each worker alone, in a few places that
//! RRsets share by chance, so that nothing is written that another worker reads.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use crate::dns::{Class, Name, NameRef, Rtype};
use crate::zone::Rrset;

/// In which order.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum RrsetOrder {
    /// As stored.
    None,
    /// Any order, each as likely as the others.
    #[default]
    Random,
    /// Starting one record later with every answer.
    Cyclic,
}

/// The rules of a view, of which the first that fits counts.
#[derive(Debug, Clone, Default)]
pub struct Orders {
    rules: Box<[Rule]>,
    /// Where none fits.
    otherwise: RrsetOrder,
}

/// One rule; what it does not say fits all.
#[derive(Debug, Clone)]
pub struct Rule {
    /// Of which class the RRset is.
    pub class: Option<Class>,
    /// Of which type.
    pub rtype: Option<Rtype>,
    /// Under which owner, or if it is a wildcard, below which.
    pub name: Option<Name>,
    /// The order that it gives.
    pub order: RrsetOrder,
}

impl Orders {
    /// Keeps of the rules those that can ever count.
    pub fn new(rules: impl IntoIterator<Item = Rule>) -> Self {
        let mut kept = vec![];
        for rule in rules {
            if rule.fits_all() {
                return Self { rules: kept.into(), otherwise: rule.order };
            }
            kept.push(rule);
        }
        Self { rules: kept.into(), otherwise: RrsetOrder::None }
    }

    /// The order of an RRset.
    pub(super) fn of(&self, owner: NameRef<'_>, rtype: Rtype, class: Class) -> RrsetOrder {
        let fits = |rule: &&Rule| {
            rule.class.is_none_or(|own| own == class)
                && rule.rtype.is_none_or(|own| own == rtype)
                && rule.name.as_ref().is_none_or(|name| names(name.as_ref(), owner))
        };
        self.rules.iter().find(fits).map_or(self.otherwise, |rule| rule.order)
    }

    /// The order of all RRsets, if it is the same.
    pub(super) fn of_all(&self) -> Option<RrsetOrder> {
        self.rules.is_empty().then_some(self.otherwise)
    }
}

impl From<RrsetOrder> for Orders {
    fn from(otherwise: RrsetOrder) -> Self {
        Self { rules: Box::default(), otherwise }
    }
}

impl Rule {
    fn fits_all(&self) -> bool {
        self.class.is_none() && self.rtype.is_none() && self.name.is_none()
    }
}

/// Whether a rule's name is about an owner. BIND: a wildcard is about all names below it, but not about its parent.
fn names(pattern: NameRef<'_>, owner: NameRef<'_>) -> bool {
    match pattern.parent().filter(|_| pattern.is_wildcard()) {
        Some(parent) => owner != parent && owner.is_at_or_below(parent),
        None => owner == pattern,
    }
}

/// What a worker keeps of turns: numbers that need not be secret.
#[derive(Debug)]
pub(super) struct Turns {
    random: u64,
    counts: Box<[u32]>,
}

impl Turns {
    /// Starts from a seed.
    pub(super) fn new(seed: u64) -> Self {
        // The generator would stay at zero for ever.
        Self { random: seed | 1, counts: vec![0; COUNTS].into_boxed_slice() }
    }

    /// Another number for the next answer; all its RRsets start at that place, modulo their length.
    pub(super) fn draw(&mut self) -> usize {
        // Marsaglia's xorshift.
        self.random ^= self.random << 13;
        self.random ^= self.random >> 7;
        self.random ^= self.random << 17;
        self.random as u32 as usize
    }

    /// Puts things into random order.
    pub(super) fn shuffle<T>(&mut self, things: &mut [T]) {
        for left in (2..=things.len()).rev() {
            let chosen = self.draw().checked_rem(left).unwrap_or(0);
            things.swap(chosen, left.saturating_sub(1));
        }
    }

    /// At which record an RRset starts; `drawn` is the answer's number.
    pub(super) fn first(&mut self, order: RrsetOrder, rrset: &Rrset<'_>, drawn: usize) -> usize {
        let turn = match order {
            RrsetOrder::None => return 0,
            RrsetOrder::Random => drawn,
            RrsetOrder::Cyclic => self.count(rrset.as_bytes().as_ptr() as usize),
        };
        turn.checked_rem(rrset.len()).unwrap_or(0)
    }

    /// How often an RRset, known by where its data lie, has been answered.
    fn count(&mut self, place: usize) -> usize {
        let slot = (place as u64).wrapping_mul(SPREAD) >> UNUSED_BITS;
        let Some(count) = self.counts.get_mut(slot as usize) else { return 0 };
        let turn = *count;
        *count = count.wrapping_add(1);
        turn as usize
    }
}

/// How many turns are told apart.
const COUNTS: usize = 1024;
/// What of 64 bits is no number of a turn.
const UNUSED_BITS: u32 = 64 - COUNTS.trailing_zeros();
/// Spreads places that lie close to each other (Knuth: the golden ratio).
const SPREAD: u64 = 0x9e37_79b9_7f4a_7c15;

#[cfg(test)]
mod tests {
    use super::*;

    fn rule(name: &str, rtype: Option<Rtype>, order: RrsetOrder) -> Rule {
        Rule { class: None, rtype, name: (!name.is_empty()).then(|| name.parse().unwrap()), order }
    }

    fn order(orders: &Orders, owner: &str, rtype: Rtype) -> RrsetOrder {
        orders.of(owner.parse::<Name>().unwrap().as_ref(), rtype, Class::IN)
    }

    #[test]
    fn the_first_rule_that_fits_counts_and_without_one_nothing_turns() {
        let orders = Orders::new([
            rule("*.example.", Some(Rtype::A), RrsetOrder::Cyclic),
            rule("example.", None, RrsetOrder::Random),
            Rule { class: Some(Class::CH), ..rule("", None, RrsetOrder::Random) },
        ]);
        assert_eq!(order(&orders, "a.b.example.", Rtype::A), RrsetOrder::Cyclic);
        assert_eq!(order(&orders, "a.example.", Rtype::AAAA), RrsetOrder::None);
        assert_eq!(order(&orders, "example.", Rtype::A), RrsetOrder::Random);
        assert_eq!(order(&orders, "other.", Rtype::A), RrsetOrder::None);
        assert_eq!(orders.of(NameRef::ROOT, Rtype::TXT, Class::CH), RrsetOrder::Random);
    }

    #[test]
    fn rules_behind_one_for_everything_are_not_kept() {
        let orders = Orders::new([rule("", None, RrsetOrder::Cyclic), rule("example.", None, RrsetOrder::Random)]);
        assert_eq!(orders.of_all(), Some(RrsetOrder::Cyclic));
        assert_eq!(Orders::new([]).of_all(), Some(RrsetOrder::None));
    }

    #[test]
    fn every_order_comes_when_shuffled() {
        let mut turns = Turns::new(5);
        let orders = (0..500).map(|_| {
            let mut things = [1, 2, 3, 4];
            turns.shuffle(&mut things);
            things
        });
        assert_eq!(orders.collect::<std::collections::HashSet<_>>().len(), 24);
    }

    #[test]
    fn rrsets_that_are_asked_for_in_turn_each_go_round() {
        let mut turns = Turns::new(7);
        let [one, other] = [[0_u8; 64]; 2].map(Box::new);
        let places = [one.as_ptr() as usize, other.as_ptr() as usize];
        let counted: Vec<_> = (0..3).map(|_| places.map(|place| turns.count(place))).collect();
        assert_eq!(counted, [[0, 0], [1, 1], [2, 2]]);
    }
}
