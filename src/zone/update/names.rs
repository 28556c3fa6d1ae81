//! `check-names` for records that come in updates.

use super::read::Asked;
use crate::dns::rdata::NameField;
use crate::dns::{Class, NameRef, rdata};
use crate::zone::master::hosts;

/// Whether the owner may have records of the type.
pub(super) fn is_owner_allowed(asked: &Asked, class: Class) -> bool {
    hosts::is_owner_allowed(asked.owner.as_ref(), asked.rtype, class)
}

/// The first name in the data that is not what it should be.
pub(super) fn bad_name(asked: &Asked, class: Class) -> Option<NameRef<'_>> {
    let is_reverse = hosts::is_reverse(asked.owner.as_ref());
    let is_bad = |field: &NameField<'_>| !field.is_as_ruled(&asked.rdata, is_reverse);
    rdata::names(rdata::in_class(asked.rtype, class), &asked.rdata).find(is_bad).map(|field| field.name)
}
