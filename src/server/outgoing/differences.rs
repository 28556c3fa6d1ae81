//! The differences that lead from a client's version to ours, and whether they are worth sending.
//!
//! What there is and how much is read off the heads in the journal; no transaction is read before it is clear that they
//! are sent.

use std::sync::Arc;

use tokio::task::{JoinHandle, spawn_blocking};

use crate::answer::Transfer;
use crate::dns::{Rtype, Serial};
use crate::zone::ZoneVersion;
use crate::zone::disk::{DiskFile, Host};
use crate::zone::journal::{Journal, Transaction};

/// Differences that may be sent.
#[derive(Debug)]
pub(super) struct Differences {
    /// The serial of the client.
    pub(super) from: Serial,
    pub(super) transactions: Vec<Transaction>,
}

/// Differences, or why the zone is sent instead, in named's words; without any where it is meant so.
pub(super) type Found = Result<Differences, Option<String>>;

/// A search for differences.
pub(super) enum Search {
    Ended(Found),
    /// On another thread.
    UnderWay(JoinHandle<Found>),
}

impl Search {
    /// Looks for what the client asks for; none: it asks for the zone.
    pub(super) fn begin(transfer: &Transfer) -> Option<Self> {
        let from = transfer.serial.map(Serial).filter(|_| transfer.rtype == Rtype::IXFR)?;
        if !transfer.how.provide_ixfr {
            return Some(Self::Ended(Err(None)));
        }
        let journal = transfer.zone.journal().and_then(|path| Journal::open(&Host, &path).ok());
        let Some(journal) = journal else { return Some(Self::Ended(Err(Some(NOT_IN_JOURNAL.to_owned())))) };
        let (to, max_percent) = (Arc::clone(&transfer.version), transfer.how.max_ixfr_percent);
        let exact_from = transfer.zone.exact_from();
        let is_small = journal.most_bytes_from(from) <= SMALL_BYTES;
        let find = move || {
            let found = find(&journal, from, &to, exact_from, max_percent);
            found.map(|transactions| Differences { from, transactions }).map_err(Some)
        };
        Some(if is_small { Self::Ended(find()) } else { Self::UnderWay(spawn_blocking(find)) })
    }
}

/// The transactions of a journal that lead from a serial to a version, or why they are not sent.
fn find(
    journal: &Journal<impl DiskFile>,
    from: Serial,
    to: &ZoneVersion,
    exact_from: Serial,
    max_percent: Option<u32>,
) -> Result<Vec<Transaction>, String> {
    let missing = |_| NOT_IN_JOURNAL.to_owned();
    judge(journal.wire_bytes(from, to.serial()).map_err(missing)?, to, max_percent)?;
    journal.condensed(from, to.serial(), exact_from).map_err(missing)
}

/// Whether differences of this size may be sent. The size of the zone is counted only where the ratio is in doubt.
fn judge(bytes: u64, zone: &ZoneVersion, max_percent: Option<u32>) -> Result<(), String> {
    let is_beyond = |zone_bytes: u64| max_percent.is_some_and(|most| bytes * 100 / zone_bytes.max(1) > most.into());
    if is_beyond(zone.size_bytes() as u64 / 4) {
        let zone_bytes = zone.wire_bytes();
        if is_beyond(zone_bytes) {
            return Err(format!(
                "IXFR delta size ({bytes} bytes) exceeds the maximum ratio to database size ({zone_bytes} bytes)"
            ));
        }
    }
    match bytes > MAX_BYTES {
        true => Err(format!("IXFR delta size exceeds {MAX_BYTES} bytes")),
        false => Ok(()),
    }
}

pub(super) const NOT_IN_JOURNAL: &str = "IXFR version not in journal";
/// Differences are held in memory while they are sent; where they are larger the zone is sent, which is held anyway.
const MAX_BYTES: u64 = 64 << 20;
/// What takes less to read than to hand to another thread, and holds up nobody.
const SMALL_BYTES: u64 = 64 << 10;

#[cfg(test)]
mod tests {
    use super::*;
    use crate::dns::{Class, Name, NameRef};
    use crate::zone::Builder;
    use crate::zone::journal::{Changes, Writer};

    const APEX: &str = "example.";

    fn apex() -> Name {
        APEX.parse().unwrap()
    }

    fn soa(serial: u32) -> Vec<u8> {
        [&[0, 0][..], &serial.to_be_bytes(), &[0; 16]].concat()
    }

    fn version(serial: u32) -> ZoneVersion {
        let mut builder = Builder::new(apex(), Class::IN);
        builder.add(apex().as_ref(), Rtype::SOA, 60, &soa(serial)).unwrap();
        builder.finish().unwrap()
    }

    /// A step to the next serial that adds so many records of this size.
    fn step(serial: u32, count: u32, bytes: usize) -> Transaction {
        let (apex, mut changes) = (apex(), Changes::default());
        let mut push = |owner: NameRef<'_>, rtype, data: &[u8]| changes.push(owner, rtype, Class::IN, 60, data);
        push(apex.as_ref(), Rtype::SOA, &soa(serial));
        push(apex.as_ref(), Rtype::SOA, &soa(serial + 1));
        for number in 0..count {
            let mut data = vec![0; bytes];
            data[..8].copy_from_slice(&[serial, number].map(u32::to_be_bytes).concat());
            push(apex.as_ref(), Rtype(65_400), &data);
        }
        changes.finish().unwrap()
    }

    fn found(
        steps: &[Transaction],
        damage: Option<u64>,
        from: u32,
        to: u32,
        most: Option<u32>,
    ) -> Result<usize, String> {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("zone.jnl");
        Writer::open(&Host, &path).unwrap().append_all(steps).unwrap();
        if let Some(place) = damage {
            let mut bytes = std::fs::read(&path).unwrap();
            let place = bytes.len() - place as usize;
            bytes[place] ^= 0xff;
            std::fs::write(&path, bytes).unwrap();
        }
        let journal = Journal::open(&Host, &path).unwrap();
        find(&journal, Serial(from), &version(to), Serial(to), most).map(|found| found.len())
    }

    #[test]
    fn differences_are_those_between_the_two_serials_and_counted_as_such() {
        let steps = [step(1, 1, 9), step(2, 1, 9), step(3, 400, 900)];
        assert_eq!(found(&steps, None, 1, 3, Some(10_000)), Ok(2));
        assert_eq!(found(&steps, None, 3, 4, None), Ok(1));
        assert_eq!(found(&steps, None, 7, 4, None), Err(NOT_IN_JOURNAL.to_owned()));
        assert_eq!(found(&steps, None, 1, 7, None), Err(NOT_IN_JOURNAL.to_owned()));
    }

    /// The length of a record is wrong, which shows as soon as the transaction is read.
    #[test]
    fn what_is_too_much_for_the_zone_is_refused_unread() {
        let steps = [step(1, 3, 900)];
        let damage = Some(900 + 10 + 9 + 4);
        assert_eq!(found(&steps, damage, 1, 2, None), Err(NOT_IN_JOURNAL.to_owned()));
        let refusal = found(&steps, damage, 1, 2, Some(100)).unwrap_err();
        let expected = format!("IXFR delta size ({} bytes) exceeds the maximum ratio", steps[0].wire_bytes());
        assert!(refusal.starts_with(&expected), "{refusal}");
    }

    #[test]
    fn what_is_too_much_to_be_held_is_refused_though_it_is_one_transaction() {
        let expected = format!("IXFR delta size exceeds {MAX_BYTES} bytes");
        assert_eq!(found(&[step(1, 1_120, 60_000)], None, 1, 2, None), Err(expected));
    }
}
