//! `check-names` for records that come in updates.

use super::read::Asked;
use crate::dns::{Class, NameRef};
use crate::zone::hosts;

/// Whether the owner may have records of the type.
pub(super) fn is_owner_allowed(asked: &Asked, class: Class) -> bool {
    hosts::is_owner_allowed(asked.owner.as_ref(), asked.rtype, class)
}

/// The first name in the data that is not what it should be.
pub(super) fn bad_name(asked: &Asked, class: Class) -> Option<NameRef<'_>> {
    hosts::misnamed_in(asked.owner.as_ref(), asked.rtype, class, &asked.rdata)
}
