//! Making the changes of a transaction, with named's eye for what does not fit.
//!
//! As with named, neighbours that do the same to one RRset are one change of it, with the TTL of the first. What is
//! deleted must be there, with that TTL; what is added may be there already, which has no effect and is said where
//! nothing of the change has any. Whoever keeps or hands on the transaction gets it without all that, for it to be
//! exact: a record that one addition brings and none of the others, as who leaves out what comes and goes must know.

use std::collections::BTreeMap;
use std::fmt;

use super::{Change, Changes, Transaction};
use crate::dns::name::NoDot;
use crate::dns::{Class, Name, Rtype, rdata};
use crate::zone::fetch::{Fetch, LANES};
use crate::zone::{ContentsError, Edit, EditError, WildcardOwner};

/// Why a change could not be made.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ChangeError {
    /// It does not fit the zone.
    #[error("not exact")]
    NotExact(Misfit),
    /// The record cannot be in the zone.
    #[error(transparent)]
    Contents(#[from] ContentsError),
}

/// A change that does not fit the zone that it is to be made to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Misfit {
    owner: Name,
    rtype: Rtype,
    class: Class,
    is_addition: bool,
}

impl fmt::Display for Misfit {
    /// As named logs it.
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { owner, rtype, class, is_addition } = self;
        let what = if *is_addition { "add" } else { "del" };
        write!(f, "dns_diff_apply: {}/{rtype}/{class}: {what} not exact", NoDot(owner.as_ref()))
    }
}

impl Transaction {
    /// Makes its changes, those to one owner together. In a large zone some owners are looked up at a time beforehand.
    /// `earlier` records of other transactions are made together with these. Gives the exact transaction where this one
    /// is not; `remarks` takes what named says of that.
    pub fn apply(
        &self,
        edit: &mut Edit<'_>,
        earlier: usize,
        remarks: &mut Vec<String>,
    ) -> Result<Option<Self>, ChangeError> {
        let mut applying = Applying { edit, remarks: Vec::new(), mended: BTreeMap::new() };
        let outcome = applying.transaction(self, earlier);
        let Applying { remarks: mut made, mended, .. } = applying;
        made.sort_by_key(|(place, _)| *place);
        remarks.extend(made.into_iter().map(|(_, remark)| remark));
        outcome?;
        Ok(if mended.is_empty() { None } else { self.with(&mended) })
    }

    /// The same without what has no effect, and with the TTLs that records came to have.
    fn with(&self, mended: &BTreeMap<usize, Mended>) -> Option<Self> {
        let mut changes = Changes::default();
        for (place, Change { owner, rtype, class, ttl, rdata, .. }) in self.changes().enumerate() {
            match mended.get(&place) {
                Some(Mended::LeftOut) => {}
                Some(Mended::Ttl(ttl)) => changes.push(owner, rtype, class, *ttl, rdata),
                None => changes.push(owner, rtype, class, ttl, rdata),
            }
        }
        changes.finish().ok()
    }
}

/// A transaction that is being made, and what is found in it.
struct Applying<'e, 'v> {
    edit: &'e mut Edit<'v>,
    /// What there is to say, and of which record.
    remarks: Vec<(usize, String)>,
    mended: BTreeMap<usize, Mended>,
}

/// What becomes of a record that is not as it should be.
enum Mended {
    LeftOut,
    Ttl(u32),
}

/// A change and its place among those of the transaction.
struct Placed<'t> {
    place: usize,
    change: Change<'t>,
}

impl Applying<'_, '_> {
    fn transaction(&mut self, transaction: &Transaction, earlier: usize) -> Result<(), ChangeError> {
        let version = self.edit.version();
        let placed = transaction.changes().enumerate().map(|(place, change)| Placed { place, change });
        let mut changes: Vec<Placed<'_>> = placed.collect();
        // Both parts mostly come in order.
        changes.sort_by(|left, right| left.change.owner.cmp(&right.change.owner));
        let mut owners = changes.chunk_by(|left, right| left.change.owner == right.change.owner).peekable();
        let (mut together, mut fetch) = (Vec::with_capacity(LANES), Fetch::new(version));
        while owners.peek().is_some() {
            together.extend(owners.by_ref().take(LANES));
            if version.is_large() {
                let names = together.iter().filter_map(|changes: &&[Placed<'_>]| Some(changes.first()?.change.owner));
                names.filter(|owner| owner.is_at_or_below(version.apex())).for_each(|owner| fetch.push(owner));
                fetch.run();
            }
            for changes in together.drain(..) {
                let mut rrsets = changes.chunk_by(|left, right| left.goes_on_in(right, earlier));
                rrsets.try_for_each(|rrset| self.rrset(rrset))?;
            }
        }
        Ok(())
    }

    /// Makes the changes of one RRset.
    fn rrset(&mut self, changes: &[Placed<'_>]) -> Result<(), ChangeError> {
        let [Placed { change: Change { ttl, .. }, .. }, ..] = changes else { return Ok(()) };
        let (mut has_effect, mut needless) = (false, None);
        for (index, Placed { place, change }) in changes.iter().enumerate() {
            if change.ttl != *ttl {
                self.remarks.push((*place, change.adjusted(*ttl)));
                self.mended.insert(*place, Mended::Ttl(*ttl));
            }
            let is_repeated = || changes.iter().take(index).any(|before| before.change.is_of_same_record(change));
            match (Change { ttl: *ttl, ..*change }).make(self.edit) {
                Ok(true) => has_effect = true,
                Ok(false) => {
                    self.mended.insert(*place, Mended::LeftOut);
                    needless = Some(*place);
                }
                Err(EditError::NotThere) if is_repeated() => {
                    self.mended.insert(*place, Mended::LeftOut);
                }
                // As BIND does since CVE-2026-78301.
                Err(EditError::Contents(ContentsError::OutOfZone)) => {
                    self.mended.insert(*place, Mended::LeftOut);
                }
                Err(EditError::NotExact | EditError::NotThere) => return Err(change.misfit()),
                Err(EditError::Contents(error)) => return Err(error.into()),
            }
        }
        if let (Some(place), false) = (needless, has_effect) {
            let version = self.edit.version();
            let zone = format!("{}/{}", NoDot(version.apex()), version.class());
            self.remarks.push((place, format!("{zone}: dns_diff_apply: update with no effect")));
        }
        Ok(())
    }
}

impl Placed<'_> {
    /// Whether named takes these, made after `earlier` others, as one change of an RRset of their owner.
    fn goes_on_in(&self, next: &Self, earlier: usize) -> bool {
        let batch = |placed: &Self| (earlier + placed.place) / BATCH;
        self.place + 1 == next.place && batch(self) == batch(next) && self.change.rrset() == next.change.rrset()
    }
}

impl Change<'_> {
    /// Makes the change. False: it has no effect.
    fn make(&self, edit: &mut Edit<'_>) -> Result<bool, EditError> {
        let Self { owner, rtype, ttl, rdata, .. } = *self;
        if self.class != edit.version().class() {
            return Err(EditError::NotExact);
        }
        if !self.is_addition {
            return edit.remove_exactly(owner, rtype, ttl, rdata).map(|()| true);
        }
        WildcardOwner::check(owner, rtype).map_err(ContentsError::from)?;
        edit.add_exactly(owner, rtype, ttl, rdata)
    }

    /// Whether these are changes of one record, whatever its TTL and the case of names in it.
    pub(super) fn is_of_same_record(&self, other: &Change<'_>) -> bool {
        let form = rdata::in_class(self.rtype, self.class);
        (self.rtype, self.owner) == (other.rtype, other.owner) && rdata::compare(form, self.rdata, other.rdata).is_eq()
    }

    /// What is done to which RRset of the owner; signatures go by the type that they cover.
    fn rrset(&self) -> (bool, Rtype, Option<&[u8]>) {
        let covered = self.rdata.get(..2).filter(|_| self.rtype == Rtype::RRSIG);
        (self.is_addition, self.rtype, covered)
    }

    fn adjusted(&self, to: u32) -> String {
        let Self { owner, rtype, class, ttl: from, .. } = self;
        format!("'{}/{rtype}/{class}': TTL differs in rdataset, adjusting {from} -> {to}", NoDot(*owner))
    }

    fn misfit(&self) -> ChangeError {
        let Self { rtype, class, is_addition, .. } = *self;
        ChangeError::NotExact(Misfit { owner: self.owner.to_name(), rtype, class, is_addition })
    }
}

/// How many records named makes at a time.
const BATCH: usize = 101;

#[cfg(test)]
mod tests;
