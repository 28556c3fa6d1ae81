//! What the requests of a batch need, fetched from memory before the first is answered.
//!
//! A guess: which view a request belongs to is not known yet, and a request that is wrong is found out later. Where the
//! guess fails, the answer waits for memory as it would have done.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::sync::Arc;

use super::respond::Scratch;
use super::snapshot::{Snapshot, Zone};
use crate::dns::message::HEADER_LENGTH;
use crate::dns::{Class, NameRef};
use crate::zone::Fetch;

pub use crate::zone::LANES;

/// Looks up the names of at most [`LANES`] requests together, where they are in a large zone.
pub fn fetch<'r>(snapshot: &Snapshot, requests: impl Iterator<Item = &'r [u8]>, scratch: &mut Scratch) {
    let Some(view) = snapshot.views.iter().find(|view| view.class == Class::IN) else { return };
    let mut names = requests.filter_map(|request| {
        let name = NameRef::from_prefix(request.get(HEADER_LENGTH..)?).ok()?;
        view.zones.find(name, &mut scratch.search.suffixes).map(|zone| (zone, name))
    });
    let mut next = names.next();
    while let Some((zone, first)) = next {
        next = fetch_of(zone, first, &mut names);
    }
}

/// Looks up the names of one zone; the first of another zone is given back.
fn fetch_of<'z, 'r>(
    zone: &'z Arc<Zone>,
    first: NameRef<'r>,
    names: &mut impl Iterator<Item = (&'z Arc<Zone>, NameRef<'r>)>,
) -> Option<(&'z Arc<Zone>, NameRef<'r>)> {
    let contents = zone.contents();
    let Some(version) = contents.as_deref().filter(|version| version.is_large()) else {
        return names.find(|(other, _)| !Arc::ptr_eq(zone, other));
    };
    let mut fetch = Fetch::new(version);
    fetch.push(first);
    let other = names.find(|(other, name)| {
        let is_same = Arc::ptr_eq(zone, other);
        if is_same {
            fetch.push(*name);
        }
        !is_same
    });
    fetch.run();
    other
}
