//! What is done once all changes are made: whether the zone may be so, its serial, and the version that comes of it.

use super::changes::{Making, PRIVATE, TOO_MANY, serial};
use super::draft::Rr;
use super::{Refused, Weight};
use crate::dns::host::is_address;
use crate::dns::name::NoDot;
use crate::dns::{Name, NameRef, Rcode, Rtype, Serial};
use crate::zone::check::target_fault;
use crate::zone::journal::Transaction;
use crate::zone::keys;
use crate::zone::message::Strictness;
use crate::zone::{ContentsError, Limits, ZoneVersion};

/// How the serial is changed (`serial-update-method`).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SerialMethod {
    /// By one.
    Increment,
    /// To this, the time or a date, if that is newer; else by one.
    At(u32),
}

impl SerialMethod {
    /// The serial behind another. 0 is left out, since some take it for none (BIND).
    #[must_use]
    pub fn next(self, serial: Serial) -> Serial {
        match self {
            Self::At(wanted) if wanted != 0 && Serial(wanted).is_newer_than(serial) => Serial(wanted),
            _ => Serial(serial.0.wrapping_add(1).max(1)),
        }
    }
}

/// The next version and what leads to it; none if nothing has changed.
pub(super) fn settle(mut making: Making<'_>) -> Result<Option<(ZoneVersion, Transaction)>, Refused> {
    if !making.draft.is_changed() {
        return Ok(None);
    }
    if !making.has_new_serial {
        making.raise_serial();
    }
    making.drop_orphaned_ds();
    making.restore_private();
    let (version, transaction) = making.version()?;
    making.check_servers(&version)?;
    making.check_told(&version)?;
    making.check_mail(&version)?;
    making.check_keys()?;
    making.check_count(&version)?;
    Ok(Some((version, transaction)))
}

impl Making<'_> {
    fn raise_serial(&mut self) {
        let (method, apex) = (self.rules.serial, self.draft.version().apex().to_name());
        let soa = self.draft.at(&apex).iter_mut().find(|rr| rr.rtype == Rtype::SOA);
        let Some(soa) = soa else { return };
        let next = serial(&soa.rdata).map(|serial| method.next(serial));
        let place = soa.rdata.len().checked_sub(SOA_NUMBERS_BYTES);
        if let (Some(next), Some(place)) = (next, place.and_then(|at| soa.rdata.get_mut(at..at + 4))) {
            place.copy_from_slice(&next.0.to_be_bytes());
        }
    }

    /// DS records are only where there is a delegation (RFC 3658 section 2.2).
    fn drop_orphaned_ds(&mut self) {
        let is_touched = |deleted: &[&_], added: &[&_]| {
            let has = |records: &[&Rr], rtype| records.iter().any(|rr| rr.rtype == rtype);
            has(deleted, Rtype::NS) || has(added, Rtype::DS)
        };
        let differences = self.draft.differences().into_iter();
        let touched = differences.filter(|(_, deleted, added)| is_touched(deleted, added));
        let owners: Vec<Name> = touched.map(|(owner, ..)| owner.clone()).collect();
        for owner in owners {
            if self.draft.is_apex(owner.as_ref()) || !self.draft.has(&owner, Rtype::NS, None) {
                self.draft.at(&owner).retain(|rr| rr.rtype != Rtype::DS);
            }
        }
    }

    /// How far signing is is not told by updates; only that it is done may be deleted.
    fn restore_private(&mut self) {
        let apex = self.draft.version().apex().to_name();
        let is_done = |data: &[u8]| matches!(data, [key, _, _, _, done] if *key > 0 && *done > 0);
        let differences = self.draft.differences().into_iter();
        let deleted = differences.filter(|(owner, ..)| **owner == apex).flat_map(|(_, deleted, _)| deleted);
        let lost = deleted.filter(|rr| rr.rtype == PRIVATE && !is_done(&rr.rdata));
        let lost: Vec<_> = lost.cloned().collect();
        self.draft.at(&apex).extend(lost);
    }

    /// What the changes make of the version, as a journal would.
    fn version(&mut self) -> Result<(ZoneVersion, Transaction), Refused> {
        let before = self.draft.version();
        // BIND counts the records of the zone at the very end.
        let limits = Limits { records: 0, ..self.rules.limits };
        let failed = |making: &mut Self, why: &str| {
            making.remarks.info(format!("adding an RR failed: {why}"));
            Refused::from(Rcode::SERVFAIL)
        };
        let Some(transaction) = self.draft.transaction() else { return Err(failed(self, "failure")) };
        let mut edit = before.edit(limits);
        let edited = transaction.apply(&mut edit, 0, &mut Vec::new()).map_err(|error| error.to_string());
        let edited = edited.and_then(|_| {
            edit.finish().map_err(|error| match error {
                ContentsError::TooManyTypes(_) | ContentsError::WideRrset(_) => TOO_MANY.to_owned(),
                other => other.to_string(),
            })
        });
        edited.map(|version| (version, transaction)).map_err(|why| failed(self, &why))
    }

    /// The zone's own name servers have to have addresses.
    fn check_servers(&mut self, version: &ZoneVersion) -> Result<(), Refused> {
        let servers = version.apex_node().and_then(|apex| apex.rrset(Rtype::NS));
        let servers = servers.iter().flat_map(|servers| servers.rdatas());
        let mut targets = servers.filter_map(|data| NameRef::from_wire(data).ok());
        if !targets.any(|target| target_fault(version, target).is_some()) {
            return Ok(());
        }
        self.remarks.info("update rejected: post update name server sanity check failed");
        Err(Rcode::REFUSED.into())
    }

    /// What the parent is told of keys has to agree with them, or the zone could not be loaded any more.
    fn check_told(&mut self, version: &ZoneVersion) -> Result<(), Refused> {
        let Some(rtype) = keys::told_wrongly(version) else { return Ok(()) };
        self.remarks.info(format!("update rejected: bad {rtype} RRset"));
        Err(Rcode::REFUSED.into())
    }

    /// New mail exchangers have to have addresses, and be none.
    fn check_mail(&mut self, version: &ZoneVersion) -> Result<(), Refused> {
        let mut is_refused = false;
        let differences = self.draft.differences().into_iter();
        let added = differences.flat_map(|(owner, _, added)| added.into_iter().map(move |rr| (owner, rr)));
        for (owner, rr) in added.filter(|(_, rr)| rr.rtype == Rtype::MX) {
            let Some(target) = rr.rdata.get(2..).and_then(|name| NameRef::from_wire(name).ok()) else { continue };
            let (owner, target_text) = (NoDot(owner.as_ref()), NoDot(target).to_string());
            let strictness = self.rules.mail_addresses;
            if strictness != Strictness::Ignore && is_address(target_text.as_bytes()) {
                is_refused |= strictness == Strictness::Fail;
                let (weight, how) = match strictness {
                    Strictness::Fail => (Weight::Error, ""),
                    _ => (Weight::Warning, " warning:"),
                };
                self.remarks.say(weight, format!("{owner}/MX:{how} '{target_text}': MX is an address"));
            }
            if let Some(fault) = target_fault(version, target).filter(|_| self.rules.integrity) {
                is_refused = true;
                self.remarks.say(Weight::Error, format!("{owner}/MX '{target_text}' {fault}"));
            }
        }
        if is_refused { Err(Rcode::REFUSED.into()) } else { Ok(()) }
    }

    /// Nothing is signed here, so what is signed cannot change, nor can it be begun to sign.
    fn check_keys(&mut self) -> Result<(), Refused> {
        let (has_keys, had_keys) = self.draft.has_at_apex(Rtype::DNSKEY);
        if had_keys && !has_keys {
            let why = "all DNSKEY records removed and 'dnssec-secure-to-insecure' not set";
            self.remarks.info(format!("update rejected: {why}"));
            return Err(Rcode::REFUSED.into());
        }
        if has_keys && self.needs_signatures() {
            let error = |making: &mut Self, text: &str| making.remarks.say(Weight::Error, text);
            error(self, "found no active private keys, unable to generate any signatures");
            error(self, "RRSIG/NSEC/NSEC3 update failed: not found");
            return Err(Rcode::SERVFAIL.into());
        }
        let apex = self.draft.version().apex();
        let differences = self.draft.differences().into_iter();
        let mut of_apex = differences.filter(|(owner, ..)| owner.as_ref() == apex);
        if of_apex.any(|(_, deleted, added)| deleted.iter().chain(&added).any(|rr| rr.rtype == Rtype::NSEC3PARAM)) {
            self.remarks.info("update rejected: NSEC3PARAM is changed, and zones are not signed here");
            return Err(Rcode::REFUSED.into());
        }
        Ok(())
    }

    /// Whether a zone with keys is to be signed as named sees it: it has proofs, signing is under way, or there is a
    /// new key. What has keys alone is not signed.
    fn needs_signatures(&mut self) -> bool {
        let version = self.draft.version();
        let apex = version.apex_node();
        let had = |rtype| apex.as_ref().and_then(|apex| apex.rrset(rtype));
        let known = had(Rtype::DNSKEY);
        let is_known = |key: &[u8]| known.iter().flat_map(|keys| keys.rdatas()).any(|known| known == key);
        let has_proofs = had(Rtype::NSEC).is_some() || had(Rtype::NSEC3PARAM).is_some();
        let calls_for_it = |rr: &Rr| match rr.rtype {
            Rtype::DNSKEY => is_key_of_zone(&rr.rdata) && !is_known(&rr.rdata),
            PRIVATE => matches!(rr.rdata[..], [key, _, _, 0, 0] if key > 0),
            _ => false,
        };
        has_proofs || self.draft.at(&version.apex().to_name()).iter().any(calls_for_it)
    }

    /// `max-records`.
    fn check_count(&mut self, version: &ZoneVersion) -> Result<(), Refused> {
        let (count, most) = (version.record_count(), self.rules.limits.records);
        if most == 0 || count <= most as usize {
            return Ok(());
        }
        let text = format!("records in zone ({count}) exceeds max-records ({most})");
        self.remarks.say(Weight::Error, text);
        Err(Rcode::SERVFAIL.into())
    }
}

/// Whether a DNSKEY record is a key that signs zones, by its flags.
fn is_key_of_zone(key: &[u8]) -> bool {
    matches!(key, [high, ..] if high & 0x83 == 1)
}

/// Serial, refresh, retry, expire and minimum.
const SOA_NUMBERS_BYTES: usize = 20;
