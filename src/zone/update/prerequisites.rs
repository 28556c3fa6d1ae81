//! What has to hold of the zone before anything is changed (RFC 2136 section 3.2).

use std::cmp::Reverse;

use super::draft::Draft;
use super::read::Asked;
use super::{Refused, Remarks};
use crate::dns::{Class, Rcode, Rtype, rdata};

/// Checks all prerequisites, those about the data of whole RRsets behind the others.
pub(super) fn check(asked: &[Asked], draft: &mut Draft<'_>, remarks: &mut Remarks) -> Result<(), Refused> {
    let unmet = |refused: Refused| Refused { is_unmet: true, ..refused };
    asked.iter().try_for_each(|asked| one(asked, draft, remarks)).map_err(unmet)?;
    data(asked, draft, remarks)
}

fn one(asked: &Asked, draft: &mut Draft<'_>, remarks: &mut Remarks) -> Result<(), Refused> {
    let owner = asked.owner.as_ref();
    if asked.ttl != 0 {
        return Err(remarks.refuse(Rcode::FORMERR, "prerequisite TTL is not zero"));
    }
    if !owner.is_at_or_below(draft.version().apex()) {
        return Err(remarks.refuse_name(Rcode::NOTZONE, owner, "prerequisite name is out of zone"));
    }
    let wants_it = match asked.class {
        Class::ANY => true,
        Class::NONE => false,
        class if class == draft.version().class() => return Ok(()),
        _ => return Err(remarks.refuse(Rcode::FORMERR, "malformed prerequisite")),
    };
    let rtype = asked.rtype;
    let is_there = match rtype {
        Rtype::ANY => !draft.at(&asked.owner).is_empty(),
        _ => draft.has(&asked.owner, rtype, None),
    };
    if is_there == wants_it {
        return Ok(());
    }
    let (rcode, what) = match (rtype, wants_it) {
        (Rtype::ANY, true) => (Rcode::NXDOMAIN, "name in use"),
        (Rtype::ANY, false) => (Rcode::YXDOMAIN, "name not in use"),
        (_, true) => (Rcode::NXRRSET, "rrset exists (value independent)"),
        (_, false) => (Rcode::YXRRSET, "rrset does not exist"),
    };
    Err(match rtype {
        Rtype::ANY => remarks.refuse_name(rcode, owner, &unsatisfied(what)),
        _ => remarks.refuse_rrset(rcode, owner, rtype, &unsatisfied(what)),
    })
}

/// RRsets have to be just as they are told, TTLs aside.
fn data(asked: &[Asked], draft: &mut Draft<'_>, remarks: &mut Remarks) -> Result<(), Refused> {
    let class = draft.version().class();
    let mut told: Vec<&Asked> = asked.iter().filter(|asked| asked.class == class).collect();
    told.sort_by(|left, right| left.owner.cmp(&right.owner).then(Reverse(left.rtype).cmp(&Reverse(right.rtype))));
    for told in told.chunk_by(|left, right| left.owner == right.owner && left.rtype == right.rtype) {
        let Some(first) = told.first() else { continue };
        let form = rdata::in_class(first.rtype, class);
        let mut wanted: Vec<&[u8]> = told.iter().map(|told| told.rdata.as_slice()).collect();
        let (rtype, of) = (first.rtype, first.covered());
        let there = draft.at(&first.owner).iter().filter(|rr| rr.is_in(rtype, of));
        let mut there: Vec<&[u8]> = there.map(|rr| rr.rdata.as_slice()).collect();
        wanted.sort_by(|left, right| rdata::compare(form, left, right));
        there.sort_by(|left, right| rdata::compare(form, left, right));
        let is_same = wanted.len() == there.len()
            && wanted.iter().zip(&there).all(|(left, right)| rdata::compare(form, left, right).is_eq());
        if !is_same {
            let why = unsatisfied("RRset exists (value dependent)");
            return Err(remarks.refuse_rrset(Rcode::NXRRSET, first.owner.as_ref(), rtype, &why));
        }
    }
    Ok(())
}

fn unsatisfied(what: &str) -> String {
    format!("'{what}' prerequisite not satisfied")
}
