//! The changes, one after the other (RFC 2136 section 3.4.2). What may not be is passed over, as the RFC and BIND have
//! it; nobody is told but the log.

use super::draft::{Draft, Rr};
use super::read::Asked;
use super::{Refused, Remarks, Rules};
use crate::dns::name::NoDot;
use crate::dns::{Class, Rcode, Rtype, Serial, rdata};
use crate::zone::apex::parse_soa;
use crate::zone::check::{is_singleton, may_stand_at_cname};
use crate::zone::hosts;

/// An update being made.
pub(super) struct Making<'a> {
    pub(super) draft: Draft<'a>,
    pub(super) rules: &'a Rules,
    pub(super) remarks: &'a mut Remarks,
    /// Whether the update has brought the next serial.
    pub(super) has_new_serial: bool,
}

impl Making<'_> {
    /// Makes one change, of records of which so many may be at their name.
    pub(super) fn change(&mut self, change: &Asked, most: u16) -> Result<(), Refused> {
        match change.class {
            Class::ANY if change.rtype == Rtype::ANY => self.delete_name(change),
            Class::ANY => self.delete_rrset(change),
            Class::NONE => self.delete(change),
            _ => return self.add(change, most),
        }
        Ok(())
    }

    fn add(&mut self, change: &Asked, most: u16) -> Result<(), Refused> {
        if let Some(why) = self.passed_over(change) {
            self.remarks.info(why);
            return Ok(());
        }
        self.has_new_serial |= change.rtype == Rtype::SOA;
        let (owner, rtype) = (NoDot(change.owner.as_ref()), change.rtype);
        if self.rules.wildcards && hosts::has_inner_wildcard(change.owner.as_ref()) {
            self.remarks.info(format!("warning: ownername '{owner}' contains a non-terminal wildcard"));
        }
        let ttl = match self.rules.max_ttl {
            Some(max_ttl) if change.ttl > max_ttl => {
                self.remarks.info(format!("reducing TTL to the configured max-zone-ttl {max_ttl}"));
                max_ttl
            }
            _ => change.ttl,
        };
        let of = change.covered();
        let count = self.draft.at(&change.owner).iter().filter(|rr| rr.is_in(rtype, of)).count();
        if most > 0 && count >= usize::from(most) {
            self.remarks.info(format!("attempt to add more records than permitted by policy max={most}"));
            return Ok(());
        }
        let class = self.draft.version().class();
        let mut text = String::new();
        rdata::to_text(rdata::in_class(rtype, class), &change.rdata, &mut text);
        self.remarks.info(format!("adding an RR at '{owner}' {rtype} {}", cut(text)));
        self.put(change, ttl).map_err(|why| {
            self.remarks.info(format!("adding an RR failed: {why}"));
            Rcode::SERVFAIL.into()
        })
    }

    /// Why a record is not added, if it is not.
    fn passed_over(&mut self, change: &Asked) -> Option<String> {
        let (owner, rtype) = (change.owner.as_ref(), change.rtype);
        let is_apex = self.draft.is_apex(owner);
        let there = self.draft.at(&change.owner);
        let why = match rtype {
            MD | MF => format!("attempt to add {rtype} ignored"),
            Rtype::NS | Rtype::DNAME if owner.is_wildcard() => {
                format!("attempt to add wildcard {rtype} record ignored")
            }
            Rtype::CNAME if there.iter().any(|rr| !may_stand_at_cname(rr.rtype)) => {
                "attempt to add CNAME alongside non-CNAME ignored".into()
            }
            _ if there.iter().any(|rr| rr.rtype == Rtype::CNAME) && !may_stand_at_cname(rtype) => {
                "attempt to add non-CNAME alongside CNAME ignored".into()
            }
            Rtype::SOA => return self.passed_over_soa(change),
            Rtype::DS if is_apex => "attempt to add a DS record at zone apex ignored".into(),
            PRIVATE => {
                format!("attempt to add a private type ({}) record rejected internal use only", PRIVATE.0)
            }
            Rtype::NSEC3PARAM if change.rdata.get(1).is_some_and(|flags| flags & !OPT_OUT != 0) => {
                "attempt to add NSEC3PARAM record with non OPTOUT flag".into()
            }
            _ => return None,
        };
        Some(why)
    }

    fn passed_over_soa(&mut self, change: &Asked) -> Option<String> {
        let there = self.draft.at(&change.owner);
        let Some(soa) = there.iter().find(|rr| rr.rtype == Rtype::SOA) else {
            return Some("attempt to create 2nd SOA ignored".into());
        };
        let rises = serial(&change.rdata).zip(serial(&soa.rdata)).is_some_and(|(new, old)| new.is_newer_than(old));
        (!rises).then(|| "SOA update failed to increment serial, ignoring it".into())
    }

    /// Adds a record; the others of its RRset get its TTL, and those that it replaces go.
    fn put(&mut self, change: &Asked, ttl: u32) -> Result<(), &'static str> {
        let (class, limits) = (self.draft.version().class(), self.rules.limits);
        let (rtype, of) = (change.rtype, change.covered());
        let there = self.draft.at(&change.owner);
        if there.iter().any(|rr| rr.is_in(rtype, of) && rr.ttl == ttl && rr.has(class, &change.rdata)) {
            return Ok(());
        }
        there.retain(|rr| !rr.is_in(rtype, of) || !(replaces(change, rr) || rr.has(class, &change.rdata)));
        there.iter_mut().filter(|rr| rr.is_in(rtype, of)).for_each(|rr| rr.ttl = ttl);
        there.push(Rr { rtype, ttl, rdata: change.rdata.clone() });
        let count = there.iter().filter(|rr| rr.is_in(rtype, of)).count();
        let types = self.draft.one_more_type(&change.owner, rtype, of);
        match (limits.records_per_type as usize, limits.types_per_name as usize) {
            _ if count > 1 && is_singleton(rtype) => Err("multiple RRs of singleton type"),
            (most @ 1.., _) if count > most => Err(TOO_MANY),
            (_, most @ 1..) if types.is_some_and(|types| types > most) => Err(TOO_MANY),
            _ => Ok(()),
        }
    }

    fn delete_name(&mut self, change: &Asked) {
        let is_apex = self.draft.is_apex(change.owner.as_ref());
        self.remarks.info(format!("delete all rrsets from name '{}'", NoDot(change.owner.as_ref())));
        let stays = |rtype| match rtype {
            Rtype::RRSIG | Rtype::NSEC => true,
            Rtype::SOA | Rtype::NS | Rtype::NSEC3PARAM => is_apex,
            _ => false,
        };
        self.draft.at(&change.owner).retain(|rr| stays(rr.rtype));
    }

    fn delete_rrset(&mut self, change: &Asked) {
        let (owner, rtype) = (change.owner.as_ref(), change.rtype);
        if self.draft.is_apex(owner) && matches!(rtype, Rtype::SOA | Rtype::NS) {
            return self.remarks.info("attempt to delete all SOA or NS records ignored");
        }
        self.remarks.info(format!("deleting rrset at '{}' {rtype}", NoDot(owner)));
        self.draft.at(&change.owner).retain(|rr| !rr.is_in(rtype, None));
    }

    fn delete(&mut self, change: &Asked) {
        let (owner, rtype) = (change.owner.as_ref(), change.rtype);
        let class = self.draft.version().class();
        let is_apex = self.draft.is_apex(owner);
        if is_apex && rtype == Rtype::SOA {
            return self.remarks.info("attempt to delete SOA ignored");
        }
        let there = self.draft.at(&change.owner);
        if is_apex && rtype == Rtype::NS && there.iter().filter(|rr| rr.rtype == Rtype::NS).count() == 1 {
            return self.remarks.info("attempt to delete last NS ignored");
        }
        there.retain(|rr| !(rr.is_in(rtype, change.covered()) && rr.has(class, &change.rdata)));
        self.remarks.info(format!("deleting an RR at {} {rtype}", NoDot(owner)));
    }
}

/// Whether a record goes when another of its RRset comes (RFC 2136 section 3.4.2.2, and what BIND adds to it).
fn replaces(change: &Asked, rr: &Rr) -> bool {
    let (new, old) = (&change.rdata, &rr.rdata);
    match change.rtype {
        Rtype::CNAME | Rtype::DNAME | Rtype::SOA | Rtype::NSEC => true,
        // By the same key: covered type and algorithm, and the tag behind labels, TTL and times.
        Rtype::RRSIG => new.get(..3) == old.get(..3) && new.get(16..18) == old.get(16..18),
        WKS => new.get(..5) == old.get(..5),
        // All but the flags.
        Rtype::NSEC3PARAM => new.first() == old.first() && new.get(2..) == old.get(2..),
        _ => false,
    }
}

/// The serial in the data of a SOA record.
pub(super) fn serial(rdata: &[u8]) -> Option<Serial> {
    parse_soa(rdata, 0).map(|soa| soa.serial)
}

/// BIND logs no more than so much of a record.
fn cut(mut text: String) -> String {
    const MOST: usize = 2048;
    if text.len() >= MOST {
        let end = (0..MOST).rev().find(|&at| text.is_char_boundary(at)).unwrap_or_default();
        text.truncate(end);
        text.push_str(" [TRUNCATED]");
    }
    text
}

pub(super) const TOO_MANY: &str = "too many records";
const MD: Rtype = Rtype(3);
const MF: Rtype = Rtype(4);
const WKS: Rtype = Rtype(11);
/// The type in which named keeps how far signing is (`sig-signing-type`).
pub(super) const PRIVATE: Rtype = Rtype(65534);
/// The one flag of NSEC3PARAM that an update may bring.
const OPT_OUT: u8 = 1;
