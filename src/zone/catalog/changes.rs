//! What a new version of a catalog changes.

use super::{Catalog, MemberId};
use crate::dns::Name;

/// Members that go, come and change. One whose label or name is another goes and comes: what there is of it is dropped
/// (RFC 9432 section 5.4).
#[derive(Debug, Default, PartialEq, Eq)]
pub struct Changes {
    /// Those of the catalog before that are there no more.
    pub gone: Vec<MemberId>,
    /// Those that were not there before.
    pub come: Vec<MemberId>,
    /// Those whose properties are others.
    pub changed: Vec<MemberId>,
}

impl Changes {
    /// The way from one version to the next.
    pub fn between(old: &Catalog, new: &Catalog) -> Self {
        let mut changes = Self::default();
        for (id, before) in &old.members {
            match new.members.get(id).filter(|now| now.apex == before.apex) {
                None => changes.gone.push(id.clone()),
                Some(now) if now.properties != before.properties => changes.changed.push(id.clone()),
                Some(_) => {}
            }
        }
        let is_new = |id: &MemberId, apex: &Name| old.members.get(id).is_none_or(|before| before.apex != *apex);
        let come = new.members.iter().filter(|(id, member)| is_new(id, &member.apex));
        changes.come = come.map(|(id, _)| id.clone()).collect();
        changes
    }
}
