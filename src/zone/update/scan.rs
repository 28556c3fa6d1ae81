//! All changes looked at before any is made (RFC 2136 section 3.4.1), and whether the requester may make them.

use super::draft::Draft;
use super::grants::{Grants, Requester};
use super::read::{Asked, Update};
use super::{Counts, Refused, Remark, Remarks, Weight};
use crate::dns::{Class, Rcode, Rtype};
use crate::zone::ZoneVersion;
use crate::zone::hosts::Misnamed;
use crate::zone::message::Strictness;

impl Update {
    /// Looks at all changes: how many records each may leave, or why none is made. `names`: `check-names`; `grants`:
    /// what the zone's rules give, and to whom.
    pub fn scan(
        &self,
        version: &ZoneVersion,
        names: Strictness,
        grants: Option<(&Grants, Requester<'_>)>,
    ) -> (Result<Counts, Rcode>, Vec<Remark>) {
        let mut scan = Scan { draft: Draft::of(version), names, grants, remarks: Remarks::default() };
        let counts: Result<Counts, Refused> = self.changes.iter().map(|change| scan.change(change)).collect();
        (counts.map_err(|refused| refused.rcode), scan.remarks.0)
    }
}

struct Scan<'a> {
    /// Nothing of it is changed.
    draft: Draft<'a>,
    names: Strictness,
    grants: Option<(&'a Grants, Requester<'a>)>,
    remarks: Remarks,
}

impl Scan<'_> {
    fn change(&mut self, change: &Asked) -> Result<u16, Refused> {
        if !change.owner.as_ref().is_at_or_below(self.draft.version().apex()) {
            return Err(self.remarks.refuse(Rcode::NOTZONE, "update RR is outside zone"));
        }
        self.form(change)?;
        self.proofs(change)?;
        self.permission(change)
    }

    /// Whether class, TTL and data say what is to be done.
    fn form(&mut self, change: &Asked) -> Result<(), Refused> {
        let is_meta = change.rtype.is_meta();
        let is_sound = match change.class {
            Class::ANY => change.ttl == 0 && (!is_meta || change.rtype == Rtype::ANY),
            Class::NONE => change.ttl == 0 && !is_meta,
            class if class == self.draft.version().class() => !is_meta,
            Class(class) => {
                self.remarks.say(Weight::Warning, format!("update RR has incorrect class {class}"));
                return Err(Rcode::FORMERR.into());
            }
        };
        match is_sound {
            false => Err(self.remarks.refuse(Rcode::FORMERR, "meta-RR in update")),
            true if matches!(change.class, Class::ANY | Class::NONE) => Ok(()),
            true => self.check_names(change),
        }
    }

    /// `check-names`.
    fn check_names(&mut self, change: &Asked) -> Result<(), Refused> {
        let weight = match self.names {
            Strictness::Ignore => return Ok(()),
            Strictness::Warn => Weight::Warning,
            Strictness::Fail => Weight::Error,
        };
        let class = self.draft.version().class();
        for misnamed in Misnamed::all(change.owner.as_ref(), change.rtype, class, &change.rdata) {
            self.remarks.of_zone(weight, misnamed.to_string());
            if self.names == Strictness::Fail {
                return Err(Rcode::REFUSED.into());
            }
        }
        Ok(())
    }

    /// What proves things is nobody's to change.
    fn proofs(&mut self, change: &Asked) -> Result<(), Refused> {
        let why = match change.rtype {
            Rtype::SIG => "SIG updates are not allowed",
            Rtype::NXT => "NXT updates are not allowed",
            Rtype::NSEC3 => "explicit NSEC3 updates are not allowed in secure zones",
            Rtype::NSEC => "explicit NSEC updates are not allowed in secure zones",
            Rtype::RRSIG if !self.draft.is_apex(change.owner.as_ref()) => {
                "explicit RRSIG updates are currently not supported in secure zones except at the apex"
            }
            _ => return Ok(()),
        };
        Err(self.remarks.refuse(Rcode::REFUSED, why))
    }

    /// How many records may be there, if the change may be made at all. What is not there may be deleted by anybody
    /// where BIND looks at what is.
    fn permission(&mut self, change: &Asked) -> Result<u16, Refused> {
        let Some((grants, requester)) = self.grants else { return Ok(0) };
        let apex = self.draft.version().apex();
        let (class, rtype) = (self.draft.version().class(), change.rtype);
        let most = |rtype| grants.most(requester, change.owner.as_ref(), rtype, apex);
        let there = self.draft.at(&change.owner);
        let most = match (change.class, rtype) {
            (Class::ANY, Rtype::ANY) => {
                let is_kept = |rtype| matches!(rtype, Rtype::RRSIG | Rtype::NSEC);
                let mut others = there.iter().filter(|rr| !is_kept(rr.rtype));
                others.all(|rr| most(rr.rtype).is_some()).then_some(0)
            }
            (Class::ANY, Rtype::PTR | Rtype::SRV) if !there.iter().any(|rr| rr.rtype == rtype) => Some(0),
            (Class::NONE, Rtype::PTR | Rtype::SRV)
                if !there.iter().any(|rr| rr.rtype == rtype && rr.has(class, &change.rdata)) =>
            {
                Some(0)
            }
            _ => most(rtype),
        };
        most.ok_or_else(|| self.remarks.refuse(Rcode::REFUSED, "rejected by secure update"))
    }
}
