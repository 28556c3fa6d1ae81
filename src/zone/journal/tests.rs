use std::path::{Path, PathBuf};
use std::{fs, io};

use super::*;
use crate::dns::{Class, Rtype};
use crate::zone::check::Policy;
use crate::zone::diff::{diff, diff_in_full};
use crate::zone::disk::simulated::{Faults, Simulated};
use crate::zone::disk::{Access, Disk, DiskFile, Host};
use crate::zone::load::load;
use crate::zone::master::Options;
use crate::zone::message::{Level, Message, Strictness};
use crate::zone::testing::{APEX, Random, build, dump, name, soa};
use crate::zone::{Limits, ZoneVersion};

fn fixture(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/journal").join(name)
}

fn zone(file: &str) -> ZoneVersion {
    let ignore = Strictness::Ignore;
    let options = Options {
        apex: "diff".parse().unwrap(),
        class: Class::IN,
        check_names: ignore,
        check_mx: ignore,
        check_ns: ignore,
        check_wildcard: false,
        max_zone_ttl_s: None,
    };
    load(&fixture(file), &options, Limits::default(), &Policy::default()).version.unwrap()
}

fn transactions(path: &Path) -> Result<Vec<Transaction>, JournalError> {
    let journal = Journal::open(&Host, path)?;
    let entries = journal.entries(journal.first_serial())?;
    entries.map(|entry| entry.map(|entry| entry.transaction)).collect()
}

/// A random zone whose records are all of their types.
fn random_zone(random: &mut Random, serial: u32) -> ZoneVersion {
    let mut records = vec![soa(serial)];
    for _ in 0..random.below(40) {
        let (rtype, rdata) = match random.below(3) {
            0 => (Rtype::A, vec![192, 0, 2, random.below(4) as u8]),
            1 => (Rtype::TXT, vec![1, random.below(3) as u8]),
            _ => (Rtype::NS, vec![1, b"abc"[random.below(3)], 0]),
        };
        let (owner, ttl) = (random.name(), 60 + random.below(2) as u32);
        if rtype != Rtype::NS || !owner.as_ref().is_wildcard() {
            records.push((owner, rtype, ttl, rdata));
        }
    }
    build(&records)
}

/// Zones, and the transactions from each to the next.
fn history(random: &mut Random, length: u32) -> (Vec<ZoneVersion>, Vec<Transaction>) {
    let zones: Vec<ZoneVersion> = (1..length + 2).map(|serial| random_zone(random, serial)).collect();
    let steps = zones.windows(2).map(|pair| diff(&pair[0], &pair[1]).unwrap()).collect();
    (zones, steps)
}

/// What a journal of this file leads to.
fn replayed(from: &ZoneVersion, path: &Path) -> Result<Option<ZoneVersion>, ReplayError> {
    replay(from, &Journal::open(&Host, path)?, Limits::default(), &mut vec![])
}

#[test]
fn journals_of_named_are_printed_as_by_named_journalprint() {
    for name in ["update", "v9", "diff"] {
        let journal = Journal::open(&Host, &fixture(&format!("{name}.jnl"))).unwrap();
        let mut text = vec![];
        print::print(&journal, true, &mut text).unwrap();
        let expected = fs::read_to_string(fixture(&format!("{name}.expected"))).unwrap();
        assert_eq!(String::from_utf8(text).unwrap(), expected, "{name}");
    }
}

#[test]
fn journals_are_byte_for_byte_those_of_named() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["update.jnl", "diff.jnl"] {
        let path = folder.path().join(name);
        for transaction in transactions(&fixture(name)).unwrap() {
            Writer::open(&Host, &path).unwrap().append(&transaction).unwrap();
        }
        assert!(fs::read(&path).unwrap() == fs::read(fixture(name)).unwrap(), "{name}");
    }
}

#[test]
fn differences_are_those_of_named_in_its_order() {
    let found = diff(&zone("diff.before"), &zone("diff.after")).unwrap();
    assert_eq!(transactions(&fixture("diff.jnl")).unwrap(), [found]);
}

#[test]
fn a_name_that_is_spelled_anew_is_no_difference_in_full() {
    let zone = |serial, owner: &str, server: &[u8]| {
        let (owner, server) = (name(owner), server.to_vec());
        let address = (owner, Rtype::A, 60, vec![192, 0, 2, serial as u8]);
        build(&[soa(serial), (name(APEX), Rtype::NS, 60, server), address])
    };
    let old = zone(1, "www.Zone.example.", b"\x02ns\x00");
    for (owner, server, is_full) in [
        ("www.Zone.example.", b"\x02ns\x00", true),
        ("wWw.Zone.example.", b"\x02ns\x00", false),
        ("www.Zone.example.", b"\x02nS\x00", false),
        ("ftp.Zone.example.", b"\x02ns\x00", true),
    ] {
        let new = zone(2, owner, server);
        assert!(diff(&old, &new).is_some() && diff_in_full(&old, &new).is_some() == is_full, "{owner} {server:?}");
    }
}

#[test]
fn what_does_not_raise_the_serial_is_no_difference() {
    let mut random = Random(crate::dns::testing::Random::new(3));
    let (old, same) = (random_zone(&mut random, 7), random_zone(&mut random, 7));
    assert_eq!(diff(&old, &same), None);
    assert_eq!(diff(&old, &old), None);
    assert_eq!(diff(&old, &random_zone(&mut random, 6)), None);
}

#[test]
fn a_journal_is_written_in_the_other_form_as_by_named_journalprint() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zone.jnl");
    fs::copy(fixture("update.jnl"), &path).unwrap();
    for (form, expected) in [(Form::V1, "v9.jnl"), (Form::V2, "update.jnl")] {
        rewrite(&Host, &path, form).unwrap();
        assert_eq!(fs::read(&path).unwrap(), fs::read(fixture(expected)).unwrap(), "{expected}");
    }
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1);
}

#[test]
fn a_journal_of_the_old_form_can_be_appended_to() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zone.jnl");
    fs::copy(fixture("v9.jnl"), &path).unwrap();
    let mut steps = transactions(&path).unwrap();
    let old = zone("diff.before");
    let mut next = Changes::default();
    for serial in [3_u32, 4] {
        let mut data = old.apex_node().unwrap().rrset(Rtype::SOA).unwrap().rdatas().next().unwrap().to_vec();
        let place = data.len() - 20;
        data[place..place + 4].copy_from_slice(&serial.to_be_bytes());
        next.push(old.apex(), Rtype::SOA, Class::IN, 300, &data);
    }
    steps.push(next.finish().unwrap());
    Writer::open(&Host, &path).unwrap().append(&steps[2]).unwrap();
    assert_eq!(transactions(&path).unwrap(), steps);
    rewrite(&Host, &path, Form::V2).unwrap();
    assert_eq!(transactions(&path).unwrap(), steps);
}

#[test]
fn replay_leads_from_every_version_to_the_last() {
    let folder = tempfile::tempdir().unwrap();
    for seed in 1..20 {
        let mut random = Random(crate::dns::testing::Random::new(seed));
        let (zones, steps) = history(&mut random, 6);
        let path = folder.path().join(format!("{seed}.jnl"));
        Writer::open(&Host, &path).unwrap().append_all(&steps).unwrap();
        let (last, earlier) = zones.split_last().unwrap();
        for zone in earlier {
            let reached = replayed(zone, &path).unwrap().unwrap();
            assert_eq!(dump(&reached), dump(last), "seed {seed}, serial {}", zone.serial());
        }
        assert!(replayed(last, &path).unwrap().is_none());
    }
}

/// Each step adds what is there already; the records of the second are behind the 64 of the first in named's batches.
#[test]
fn what_has_no_effect_is_told_with_the_version_that_the_journal_leads_to() {
    let zone = |serial| {
        let host = |last| (name(APEX), Rtype::A, 60, vec![192, 0, 2, last]);
        [vec![soa(serial)], (0..62).map(host).collect()].concat()
    };
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zone.jnl");
    for serial in [1, 2] {
        let mut changes = Changes::default();
        for (owner, rtype, ttl, data) in [vec![soa(serial)], zone(serial + 1)].concat() {
            changes.push(owner.as_ref(), rtype, Class::IN, ttl, &data);
        }
        Writer::open(&Host, &path).unwrap().append(&changes.finish().unwrap()).unwrap();
    }
    let followed = follow(&Host, &build(&zone(1)), &path, Limits::default());
    let Followed::To(version, messages) = followed else { panic!("{followed:?}") };
    let text = "Zone.example/IN: dns_diff_apply: update with no effect".to_owned();
    let told = Message::at(Level::Warning, &path, 0, text);
    assert_eq!((dump(&version), messages), (dump(&build(&zone(3))), vec![told; 3]));
}

#[test]
fn a_zone_that_the_journal_does_not_know_is_out_of_sync() {
    let mut random = Random(crate::dns::testing::Random::new(1));
    let (_, steps) = history(&mut random, 2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zone.jnl");
    Writer::open(&Host, &path).unwrap().append_all(&steps).unwrap();
    for serial in [0, 4, 9] {
        let error = replayed(&random_zone(&mut random, serial), &path).unwrap_err();
        assert_eq!(error.to_string(), "journal out of sync with zone");
    }
}

#[test]
fn changes_that_do_not_fit_the_zone_are_named() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zone.jnl");
    fs::copy(fixture("diff.jnl"), &path).unwrap();
    let before = zone("diff.before");
    let mut edit = before.edit(Limits::default());
    let owner: crate::dns::Name = "a.diff".parse().unwrap();
    edit.remove(owner.as_ref(), Rtype::A, &[1, 2, 3, 4]).unwrap();
    let error = replayed(&edit.finish().unwrap(), &path).unwrap_err();
    let ReplayError::Change(ChangeError::NotExact(misfit)) = error else { panic!("{error}") };
    assert_eq!(misfit.to_string(), "dns_diff_apply: a.diff/A/IN: del not exact");
    let mut edit = before.edit(Limits::default());
    edit.add(owner.as_ref(), Rtype::AAAA, 1, &[0; 16]).unwrap();
    let error = replayed(&edit.finish().unwrap(), &path).unwrap_err();
    let ReplayError::Change(ChangeError::NotExact(misfit)) = error else { panic!("{error}") };
    assert_eq!(misfit.to_string(), "dns_diff_apply: a.diff/AAAA/IN: add not exact");
}

#[test]
fn the_index_is_thinned_out_and_serials_are_found_all_the_same() {
    let mut random = Random(crate::dns::testing::Random::new(5));
    let (_, steps) = history(&mut random, 70);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zone.jnl");
    for step in &steps {
        Writer::open(&Host, &path).unwrap().append(step).unwrap();
    }
    let journal = Journal::open(&Host, &path).unwrap();
    for (place, step) in steps.iter().enumerate() {
        let entries = journal.entries(step.before).unwrap();
        assert!(entries.map(|entry| entry.unwrap().transaction).eq(steps[place..].iter().cloned()));
    }
    let offsets: Vec<u32> = journal.index().1.collect();
    assert_eq!((offsets.len(), offsets[0]), (42, INDEX_END));
}

#[test]
fn a_compacted_journal_keeps_what_the_file_lacks_and_about_half_of_the_size() {
    let mut random = Random(crate::dns::testing::Random::new(6));
    let (_, steps) = history(&mut random, 100);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zone.jnl");
    for (file_serial, target) in [(101, 0), (101, 20_000), (60, 0), (2, 0)] {
        let _ = fs::remove_file(&path);
        Writer::open(&Host, &path).unwrap().append_all(&steps).unwrap();
        compact(&Host, &path, Serial(file_serial), target).unwrap();
        let kept = transactions(&path).unwrap();
        assert!(steps.ends_with(&kept));
        let journal = Journal::open(&Host, &path).unwrap();
        assert!(!journal.first_serial().is_newer_than(Serial(file_serial)));
        let kept_bytes = journal.most_bytes_from(journal.first_serial());
        assert!(file_serial < 101 || kept_bytes < u64::from(target.max(4096) - INDEX_END) / 2, "{kept_bytes}");
    }
    for other in [500, 1] {
        let refused = compact(&Host, &path, Serial(other), 0);
        assert!(matches!(refused, Err(JournalError::NoSerial { serial, .. }) if serial == Serial(other)));
    }
}

/// Where the index of a new journal ends, in bytes.
const INDEX_END: u32 = 64 + 56 * 8;

#[test]
fn a_journal_of_the_old_form_is_compacted_into_the_new_one_however_short_it_is() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zone.jnl");
    fs::copy(fixture("v9.jnl"), &path).unwrap();
    let last = Journal::open(&Host, &path).unwrap().last_serial();
    compact(&Host, &path, last, u32::MAX).unwrap();
    assert_eq!(Journal::open(&Host, &path).unwrap().form(), Form::V2);
}

#[test]
fn what_cannot_be_compared_with_the_newest_serial_is_no_more_in_the_journal() {
    let mut random = Random(crate::dns::testing::Random::new(8));
    let folder = tempfile::tempdir().unwrap();
    for (last, first, entries) in [(0x8000_0000, 1, 2), (0x8000_0001, 0x7fff_ffff, 1), (0x8000_0002, 0x7fff_ffff, 1)] {
        let zones = [1, 0x7fff_ffff, last].map(|serial| random_zone(&mut random, serial));
        let path = folder.path().join(format!("{last}.jnl"));
        for pair in zones.windows(2) {
            Writer::open(&Host, &path).unwrap().append(&diff(&pair[0], &pair[1]).unwrap()).unwrap();
        }
        let journal = Journal::open(&Host, &path).unwrap();
        assert_eq!((journal.first_serial(), journal.index().1.count()), (Serial(first), entries), "{last:x}");
        assert_eq!(transactions(&path).unwrap().len(), entries, "{last:x}");
    }
}

#[test]
fn a_journal_for_which_there_is_no_room_leaves_nothing_and_is_begun_once_there_is() {
    let (disk, path) = (Simulated::new(1), Path::new("/zone.jnl"));
    let (zones, steps) = history(&mut Random(crate::dns::testing::Random::new(9)), 1);
    disk.set_faults(Faults { room_bytes: Some(0), ..Faults::default() });
    Writer::open(&disk, path).unwrap_err();
    assert!(disk.names().is_empty());
    disk.end_faults();
    // As a crash leaves it before the header is written.
    disk.open(path, Access::New).unwrap();
    assert!(matches!(follow(&disk, &zones[0], path, Limits::default()), Followed::Missing));
    Writer::open(&disk, path).unwrap().append_all(&steps).unwrap();
    assert!(matches!(follow(&disk, &zones[0], path, Limits::default()), Followed::To(..)));
}

#[test]
fn a_journal_that_would_be_too_large_for_named_is_left_as_it_is() {
    let mut random = Random(crate::dns::testing::Random::new(9));
    let (_, steps) = history(&mut random, 2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zone.jnl");
    Writer::open(&Host, &path).unwrap().append(&steps[0]).unwrap();
    let file = fs::OpenOptions::new().write(true).open(&path).unwrap();
    let end = i32::MAX as u32;
    file.set_len(end.into()).unwrap();
    DiskFile::write_all_at(&file, &end.to_be_bytes(), END_OFFSET).unwrap();
    let error = Writer::open(&Host, &path).unwrap().append(&steps[1]).unwrap_err().to_string();
    assert!(error.ends_with("transaction too big to be stored in journal"), "{error}");
    assert_eq!(Journal::open(&Host, &path).unwrap().last_serial(), Serial(2));
}

/// A journal with these bytes in these places.
fn patched(path: &Path, patches: &[(u64, &[u8])]) {
    fs::copy(fixture("update.jnl"), path).unwrap();
    let file = fs::OpenOptions::new().write(true).open(path).unwrap();
    patches.iter().for_each(|(offset, bytes)| DiskFile::write_all_at(&file, bytes, *offset).unwrap());
}

#[test]
fn a_head_that_says_something_else_is_refused() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zone.jnl");
    let head = u64::from(INDEX_END);
    for (patches, words) in [
        (&[(head + 4, &[0, 0, 0, 9][..])][..], "bad record count"),
        (&[(BEGIN_SERIAL, &[0; 4]), (head + 8, &[0; 4])], "malformed transaction: bad SOA records"),
        (&[(head + 12, &[0; 4])], "journal file corrupt: expected serial 1, got 1"),
        (&[(BEGIN_OFFSET, &[0, 0, 0, 64])], "offset 0: bad offsets in header"),
        (&[(BEGIN_OFFSET, &[0x7f, 0, 0, 0])], "offset 0: bad offsets in header"),
    ] {
        patched(&path, patches);
        let error = transactions(&path).unwrap_err().to_string();
        assert!(error.ends_with(words), "{error}");
    }
}

#[test]
fn an_index_that_leads_out_of_the_journal_is_not_followed() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zone.jnl");
    patched(&path, &[(HEADER_BYTES + 4, &[0x7f, 0, 0, 0])]);
    assert_eq!(transactions(&path).unwrap(), transactions(&fixture("update.jnl")).unwrap());
}

#[test]
fn what_named_signed_a_zone_from_is_known_of_a_journal_that_is_written_anew() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zone.jnl");
    patched(&path, &[(SOURCE_SERIAL, &[0, 0, 0, 77, 1])]);
    rewrite(&Host, &path, Form::V1).unwrap();
    assert_eq!(Journal::open(&Host, &path).unwrap().source_serial(), Some(Serial(77)));
}

#[test]
fn a_journal_of_which_nothing_is_kept_is_empty_and_can_be_gone_on_with() {
    let hosts = |serial: u32| {
        let host = |last| (name(APEX), Rtype::A, 60, vec![192, 0, serial as u8, last]);
        build(&(0..100).map(host).chain([soa(serial)]).collect::<Vec<_>>())
    };
    let steps = [1, 2, 7].map(|serial| diff(&hosts(serial), &hosts(serial + 1)).unwrap());
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zone.jnl");
    Writer::open(&Host, &path).unwrap().append_all(&steps[..2]).unwrap();
    compact(&Host, &path, Serial(3), 0).unwrap();
    let journal = Journal::open(&Host, &path).unwrap();
    assert!(journal.is_empty());
    for serial in [0, 3] {
        assert!(matches!(journal.find(Serial(serial)), Err(JournalError::NoSerial { .. })));
    }
    Writer::open(&Host, &path).unwrap().append(&steps[2]).unwrap();
    assert_eq!(transactions(&path).unwrap(), steps[2..]);
}

/// Where the header has serial and place of the first transaction, the end of the last one, and what a zone is signed
/// from.
const BEGIN_SERIAL: u64 = 16;
const BEGIN_OFFSET: u64 = 20;
const END_OFFSET: u64 = 28;
const SOURCE_SERIAL: u64 = 36;
const HEADER_BYTES: u64 = 64;

/// A folder in the place of the new file shows which one it is.
#[test]
fn the_new_file_of_a_journal_that_is_compacted_is_named_as_by_named_and_is_no_other_journals() {
    for (name, beside) in
        [("example.org", "example.org.jnw"), ("example.net", "example.net.jnw"), ("example.org.jnl", "example.org.jnw")]
    {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join(name);
        fs::copy(fixture("v9.jnl"), &path).unwrap();
        let place = folder.path().join(beside);
        fs::create_dir(&place).unwrap();
        rewrite(&Host, &path, Form::V2).unwrap_err();
        fs::remove_dir(&place).unwrap();
        rewrite(&Host, &path, Form::V2).unwrap();
        assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 1, "{name}");
    }
}

#[test]
fn only_what_follows_on_is_appended() {
    let mut random = Random(crate::dns::testing::Random::new(7));
    let (_, steps) = history(&mut random, 3);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zone.jnl");
    let mut writer = Writer::open(&Host, &path).unwrap();
    writer.append(&steps[0]).unwrap();
    let before = fs::read(&path).unwrap();
    let error = writer.append(&steps[2]).unwrap_err().to_string();
    assert!(error.ends_with("journal file corrupt: expected serial 2, got 3"), "{error}");
    assert_eq!(fs::read(&path).unwrap(), before);
    writer.append(&steps[1]).unwrap();
    assert_eq!(writer.last_serial(), Some(Serial(3)));
}

#[test]
fn a_crash_before_the_header_is_written_leaves_the_journal_as_it_was() {
    let whole = fs::read(fixture("update.jnl")).unwrap();
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zone.jnl");
    let steps = transactions(&fixture("update.jnl")).unwrap();
    Writer::open(&Host, &path).unwrap().append(&steps[0]).unwrap();
    let first = fs::read(&path).unwrap();
    for written in (0..whole.len() - first.len()).step_by(5) {
        let torn = [&first[..], &whole[first.len()..first.len() + written]].concat();
        fs::write(&path, torn).unwrap();
        assert_eq!(transactions(&path).unwrap(), steps[..1]);
        Writer::open(&Host, &path).unwrap().append(&steps[1]).unwrap();
        assert!(fs::read(&path).unwrap() == whole);
    }
}

#[test]
fn a_journal_that_is_cut_short_is_refused_wherever_it_ends() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zone.jnl");
    for name in ["update.jnl", "v9.jnl"] {
        let whole = fs::read(fixture(name)).unwrap();
        for length in 0..whole.len() {
            fs::write(&path, &whole[..length]).unwrap();
            let error = transactions(&path).unwrap_err().to_string();
            assert!(error.starts_with(&format!("{}: offset 0: ", path.display())), "{error}");
        }
    }
}

#[test]
fn whatever_bit_is_wrong_a_journal_is_read_or_refused_with_its_name_and_place() {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zone.jnl");
    let whole = fs::read(fixture("update.jnl")).unwrap();
    let mut refused = 0;
    for bit in 0..whole.len() * 8 {
        let mut bytes = whole.clone();
        bytes[bit / 8] ^= 1 << (bit % 8);
        fs::write(&path, bytes).unwrap();
        if let Err(error) = transactions(&path) {
            refused += 1;
            assert!(error.to_string().starts_with(&format!("{}: ", path.display())), "{error}");
        }
    }
    assert!(refused > 1000, "{refused}");
}

/// A file to which something is appended as soon as somebody has seen its length.
#[derive(Debug)]
struct Growing<'a>(fs::File, &'a Path, &'a Transaction);

impl io::Read for Growing<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        io::Read::read(&mut self.0, buffer)
    }
}

impl io::Write for Growing<'_> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        io::Write::write(&mut self.0, bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        io::Write::flush(&mut self.0)
    }
}

impl DiskFile for Growing<'_> {
    fn length(&self) -> io::Result<u64> {
        let length = self.0.length()?;
        // It is looked at more than once, and appended only the first time.
        let _ = Writer::open(&Host, self.1).unwrap().append(self.2);
        Ok(length)
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        DiskFile::read_exact_at(&self.0, buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        DiskFile::write_all_at(&self.0, bytes, offset)
    }

    fn begin_sync(&self) {
        self.0.begin_sync();
    }

    fn sync(&self) -> io::Result<()> {
        DiskFile::sync(&self.0)
    }

    fn sync_data(&self) -> io::Result<()> {
        DiskFile::sync_data(&self.0)
    }
}

#[test]
fn a_journal_can_be_read_while_it_is_appended_to() {
    let mut random = Random(crate::dns::testing::Random::new(5));
    let (_, steps) = history(&mut random, 2);
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join("zone.jnl");
    Writer::open(&Host, &path).unwrap().append(&steps[0]).unwrap();
    let file = Growing(fs::File::open(&path).unwrap(), &path, &steps[1]);
    let journal = Journal::of(file, &path).unwrap();
    assert!(journal.wire_bytes(Serial(1), journal.last_serial()).is_ok());
    assert_eq!(Journal::open(&Host, &path).unwrap().last_serial(), Serial(3));
}
