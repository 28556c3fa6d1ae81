use super::*;
use crate::dns::{Class, Rtype, Serial};
use crate::zone::Builder;
use crate::zone::diff::{diff, is_same};
use crate::zone::disk::Host;
use crate::zone::disk::simulated::{Faults, Simulated};
use crate::zone::testing::{name, soa};

const FILE: &str = "/cache/db";
const JOURNAL: &str = "/cache/db.jnl";
/// More than any of what is done here takes.
const STEPS: u64 = 60;
const SEEDS: u64 = 6;

fn copy(disk: &Simulated, journal_bytes: u32) -> Copy<'_, Simulated> {
    let (file, journal) = (FILE.into(), JOURNAL.into());
    Copy { disk, file, journal, form: Form::Raw, journal_bytes: Some(journal_bytes) }
}

/// Another zone's in the same folder.
fn other(disk: &Simulated) -> Copy<'_, Simulated> {
    Copy { file: "/cache/other".into(), journal: "/cache/other.jnl".into(), ..copy(disk, 0) }
}

fn version(serial: u32) -> ZoneVersion {
    let apex = name("zone.example.");
    let mut builder = Builder::new(apex.clone(), Class::IN);
    builder.add(apex.as_ref(), Rtype::SOA, 300, &soa(serial).3).unwrap();
    builder.add(apex.as_ref(), Rtype::NS, 300, b"\x02ns\x00").unwrap();
    let text = [vec![200], serial.to_be_bytes().repeat(50)].concat();
    builder.add(apex.as_ref(), Rtype::TXT, 300, &text).unwrap();
    builder.finish().unwrap()
}

fn third(disk: &Simulated) -> Copy<'_, Simulated> {
    Copy { file: "/cache/third".into(), journal: "/cache/third.jnl".into(), ..copy(disk, 0) }
}

/// What a start finds.
fn found(disk: &Simulated) -> Option<u32> {
    found_at(disk, Path::new(FILE), Path::new(JOURNAL))
}

fn found_at(disk: &Simulated, file: &Path, journal: &Path) -> Option<u32> {
    let read = raw::read(disk, file, &name("zone.example."), Class::IN, Limits::default());
    let (version, _) = read.ok()?;
    let next = match follow(disk, &version, journal, Limits::default()) {
        Followed::To(next, _) => next,
        _ => version,
    };
    Some(next.serial().0)
}

fn changes(from: u32, to: u32) -> Vec<Transaction> {
    (from..to).map(|serial| diff(&version(serial), &version(serial + 1)).unwrap()).collect()
}

fn keep(copy: &Copy<'_, Simulated>, serial: u32) -> Durability {
    let news = changes(serial - 1, serial);
    copy.keep(&version(serial), News::Changes(&news), 0, || ()).durability
}

/// A disk with version 1 in the file and 2 in the journal.
fn begun(seed: u64) -> Simulated {
    let disk = Simulated::new(seed);
    let copy = copy(&disk, 0);
    assert_eq!(copy.keep(&version(1), News::Whole, 0, || ()).durability, Durability::File);
    assert_eq!(keep(&copy, 2), Durability::Journal);
    disk
}

/// Lets the power fail at each step of this, and gives what is found then.
fn crashed_in(work: impl Fn(&Copy<'_, Simulated>)) -> Vec<Option<u32>> {
    let mut all = vec![];
    for (seed, step) in (1..=SEEDS).flat_map(|seed| (0..STEPS).map(move |step| (seed, step))) {
        let disk = begun(seed);
        disk.crash_after(step);
        work(&copy(&disk, 0));
        if !disk.is_down() {
            break;
        }
        disk.restart();
        all.push(found(&disk));
    }
    all
}

#[test]
fn a_crash_at_any_step_leaves_one_version_or_the_other() {
    let found = crashed_in(|copy| {
        keep(copy, 3);
    });
    assert!(found.contains(&Some(2)) && found.contains(&Some(3)), "{found:?}");
    assert!(found.iter().all(|serial| [Some(2), Some(3)].contains(serial)), "{found:?}");
    let found = crashed_in(|copy| drop(copy.keep(&version(7), News::Whole, 0, || ())));
    assert!(found.contains(&Some(2)) && found.contains(&Some(7)), "{found:?}");
    assert!(found.iter().all(|serial| [Some(2), Some(7)].contains(serial)), "{found:?}");
}

/// Another primary's version of this serial.
fn rebuilt(serial: u32) -> ZoneVersion {
    let (apex, version) = (name("zone.example."), version(serial));
    let mut edit = version.edit(Limits::default());
    edit.add(apex.as_ref(), Rtype::TXT, 300, b"\x07rebuilt").unwrap();
    edit.finish().unwrap()
}

/// What a start finds, and whether it is of the other primary.
fn found_of_two(disk: &Simulated) -> Option<(u32, bool)> {
    let read = raw::read(disk, Path::new(FILE), &name("zone.example."), Class::IN, Limits::default());
    let (found, _) = read.ok()?;
    let found = match follow(disk, &found, Path::new(JOURNAL), Limits::default()) {
        Followed::To(next, _) => next,
        _ => found,
    };
    let serial = found.serial().0;
    let is_rebuilt = is_same(&found, &rebuilt(serial));
    assert!(is_rebuilt || is_same(&found, &version(serial)), "nobody had this");
    Some((serial, is_rebuilt))
}

/// A disk with version 3 in the file and 5 in the journal.
fn grown(seed: u64) -> Simulated {
    let disk = Simulated::new(seed);
    let copy = copy(&disk, 0);
    copy.keep(&version(3), News::Whole, 0, || ());
    (4..=5).for_each(|serial| assert_eq!(keep(&copy, serial), Durability::Journal));
    disk
}

#[test]
fn a_crash_at_any_step_of_going_back_leaves_what_was_published_or_what_has_come() {
    for serial in 2..=5 {
        let mut met = BTreeSet::new();
        for (seed, step) in (1..=SEEDS).flat_map(|seed| (0..STEPS).map(move |step| (seed, step))) {
            let disk = grown(seed);
            disk.crash_after(step);
            let kept = match seed % 2 {
                0 => copy(&disk, 0).keep(&rebuilt(serial), News::Instead(Some(&version(5))), 0, || ()),
                _ => keep_all(&[(copy(&disk, 0), &rebuilt(serial), News::Instead(Some(&version(5))))], 0).remove(0),
            };
            disk.restart();
            let found = found_of_two(&disk);
            let is_new = found == Some((serial, true));
            assert!(is_new || (found == Some((5, false)) && kept.durability == Durability::None), "{found:?}");
            met.insert(is_new);
        }
        assert_eq!(met.len(), 2, "{serial}");
    }
}

/// Where there is no room, then some, and what was refused is written then.
#[test]
fn what_was_before_does_not_come_back_where_a_full_disk_refuses_what_is_not_newer() {
    for serial in 2..=5 {
        for old in [Some(version(5)), None] {
            let disk = grown(1);
            let (copy, new) = (copy(&disk, 0), rebuilt(serial));
            disk.set_faults(Faults { room_bytes: Some(0), ..Faults::default() });
            let kept = copy.keep(&new, News::Instead(old.as_ref()), 0, || ());
            assert_eq!((kept.durability, kept.faults.len()), (Durability::None, 1));
            let left = Some((3, false)).filter(|_| serial > 3);
            assert_eq!(disk.names(), if left.is_some() { vec![Path::new(FILE)] } else { vec![] });
            let crashed = disk.detached();
            crashed.restart();
            assert_eq!(found_of_two(&crashed), left);
            disk.end_faults();
            copy.clear_way(&new).unwrap();
            copy.save(&new, 0).unwrap();
            assert!(copy.settle(&new, Behind::Void).unwrap());
            assert_eq!(found_of_two(&disk), Some((serial, true)));
        }
    }
}

#[test]
fn what_takes_the_place_of_a_file_is_written_there_where_there_is_no_room_beside_it() {
    let disk = grown(1);
    let bytes = |path| disk.open(Path::new(path), Access::Read).unwrap().length().unwrap() as usize;
    let room_bytes = Some(bytes(FILE) * 3 / 2);
    disk.set_faults(Faults { room_bytes, ..Faults::default() });
    let kept = copy(&disk, 0).keep(&rebuilt(2), News::Instead(Some(&version(5))), 0, || ());
    assert_eq!((kept.durability, kept.faults.len()), (Durability::File, 0));
    disk.restart();
    assert_eq!(found_of_two(&disk), Some((2, true)));
}

#[test]
fn a_file_that_is_older_stays_where_a_newer_version_is_refused() {
    let disk = grown(1);
    disk.set_faults(Faults { room_bytes: Some(0), ..Faults::default() });
    let kept = copy(&disk, 0).keep(&rebuilt(6), News::Whole, 0, || ());
    assert_eq!(kept.durability, Durability::None);
    disk.restart();
    assert_eq!(found_of_two(&disk), Some((5, false)));
}

#[test]
fn a_journal_that_would_lead_to_another_version_goes_before_one_is_written_and_an_older_one_stays() {
    for (serial, stays) in [(4, false), (5, false), (6, true)] {
        let disk = grown(1);
        copy(&disk, 0).clear_way(&version(serial)).unwrap();
        assert_eq!(disk.names().contains(&JOURNAL.into()), stays, "{serial}");
    }
}

/// Two zones' copies in one folder, of which one has a journal.
#[test]
fn a_crash_while_copies_are_kept_together_leaves_of_each_one_version_or_the_other() {
    let (old, new) = (version(1), version(7));
    let mut met = BTreeSet::new();
    for (seed, step) in (1..=SEEDS).flat_map(|seed| (0..STEPS).map(move |step| (seed, step))) {
        let disk = begun(seed);
        other(&disk).save(&old, 0).unwrap();
        disk.crash_after(step);
        let kept = keep_all(&[(copy(&disk, 0), &new, News::Whole), (other(&disk), &new, News::Whole)], 0);
        disk.restart();
        let read = raw::read(&disk, Path::new("/cache/other"), &name("zone.example."), Class::IN, Limits::default());
        let serials = [found(&disk).unwrap(), read.unwrap().0.serial().0];
        for (kept, (serial, old)) in kept.iter().zip(serials.into_iter().zip([2, 1])) {
            assert!(serial == 7 || (serial == old && kept.durability == Durability::None), "{serials:?}");
        }
        met.insert(serials);
    }
    assert!(met.contains(&[2, 1]) && met.contains(&[7, 7]), "{met:?}");
}

/// Changes for two zones in one folder, of which one has a journal, and a whole version for a third.
#[test]
fn a_crash_while_changes_are_kept_together_leaves_of_each_one_version_or_the_other() {
    let (next, begins, whole) = (changes(2, 3), changes(1, 3), version(3));
    let mut met = BTreeSet::new();
    for (seed, step) in (1..=SEEDS).flat_map(|seed| (0..STEPS).map(move |step| (seed, step))) {
        let disk = begun(seed);
        [other(&disk), third(&disk)].iter().for_each(|copy| copy.save(&version(1), 0).unwrap());
        disk.crash_after(step);
        let (one, two) = (News::Changes(&next), News::Changes(&begins));
        let copies = [(copy(&disk, 0), &whole, one), (other(&disk), &whole, two), (third(&disk), &whole, News::Whole)];
        let kept = keep_all(&copies, 0);
        disk.restart();
        let serials = copies.each_ref().map(|(copy, ..)| found_at(&disk, &copy.file, &copy.journal).unwrap());
        for (kept, (serial, old)) in kept.iter().zip(serials.into_iter().zip([2, 1, 1])) {
            assert!(serial == 3 || (serial == old && kept.durability == Durability::None), "{serials:?}");
        }
        met.insert(serials);
    }
    assert!(met.contains(&[2, 1, 1]) && met.contains(&[3, 3, 3]), "{met:?}");
}

#[test]
fn changes_that_go_round_all_serials_are_kept_as_a_whole() {
    let (disk, last) = (Simulated::new(1), 0x5000_0001);
    copy(&disk, 0).save(&version(1), 0).unwrap();
    let round = [1, 0x7000_0001, 0xe000_0001, last].map(version);
    let round: Vec<_> = round.windows(2).map(|pair| diff(&pair[0], &pair[1]).unwrap()).collect();
    let kept = copy(&disk, 0).keep(&version(last), News::Changes(&round), 0, || ());
    assert_eq!((kept.durability, kept.faults.len()), (Durability::File, 0));
    disk.restart();
    assert_eq!(found_at(&disk, Path::new(FILE), Path::new(JOURNAL)), Some(last));
}

#[test]
fn changes_that_do_not_fit_a_journal_are_kept_as_a_whole_beside_those_that_do() {
    let disk = begun(1);
    other(&disk).save(&version(2), 0).unwrap();
    let (next, odd, whole) = (changes(2, 3), changes(1, 2), version(3));
    let copies = [(copy(&disk, 0), &whole, News::Changes(&odd)), (other(&disk), &whole, News::Changes(&next))];
    let kept = keep_all(&copies, 0);
    assert_eq!((kept[0].durability, kept[0].faults.len()), (Durability::File, 1));
    assert_eq!((kept[1].durability, kept[1].faults.len()), (Durability::Journal, 0));
    assert_eq!(disk.names(), [FILE, "/cache/other", "/cache/other.jnl"].map(Path::new));
    let serials = copies.each_ref().map(|(copy, ..)| found_at(&disk, &copy.file, &copy.journal));
    assert_eq!(serials, [Some(3), Some(3)]);
}

/// What an operator may do to version 1 in the file and 2 in the journal.
const MEDDLING: [fn(&Copy<'_, Simulated>); 7] = [
    |copy| copy.disk.remove(&copy.file).unwrap(),
    |copy| copy.disk.remove(&copy.journal).unwrap(),
    |copy| [&copy.file, &copy.journal].iter().for_each(|path| copy.disk.remove(path).unwrap()),
    |copy| copy.save(&version(0), 0).unwrap(),
    |copy| copy.save(&version(9), 0).unwrap(),
    |copy| drop(copy.disk.open(&copy.file, Access::Replace).unwrap()),
    |copy| {
        copy.disk.remove(&copy.journal).unwrap();
        copy.save(&version(9), 0).unwrap();
    },
];

#[test]
fn changes_to_what_an_operator_has_removed_or_replaced_are_kept_as_a_whole() {
    let (next, whole) = (changes(2, 3), version(3));
    for (number, meddle) in MEDDLING.iter().enumerate() {
        for form in [Form::Raw, Form::Text(Style::Relative), Form::Text(Style::Full)] {
            let disk = begun(1);
            let copies = [copy(&disk, 0), other(&disk), third(&disk)].map(|copy| Copy { form, ..copy });
            let [copy, other, third] = &copies;
            for copy in &copies {
                copy.save(&version(1), 0).unwrap();
                copy.drop_journal().unwrap();
                assert_eq!(keep(copy, 2), Durability::Journal);
                meddle(copy);
            }
            assert_eq!(keep(copy, 3), Durability::File, "{number}");
            let together = keep_all(&[(other.clone(), &whole, News::Changes(&next))], 0).remove(0);
            let updated = third.keep(&whole, News::Updates(&next), 0, || ());
            for kept in [together, updated] {
                assert_eq!((kept.durability, kept.faults.len()), (Durability::File, 0), "{number}");
            }
            disk.restart();
            if form == Form::Raw {
                let serials = copies.each_ref().map(|copy| found_at(&disk, &copy.file, &copy.journal));
                assert_eq!(serials, [Some(3); 3], "{number}");
            }
        }
    }
}

#[test]
fn updates_that_were_kept_survive_a_crash_at_any_step_also_where_an_operator_has_removed_what_they_lead_on_from() {
    let (next, whole) = (changes(2, 3), version(3));
    for meddle in [None, Some(MEDDLING[0]), Some(MEDDLING[2])] {
        let mut met = BTreeSet::new();
        for (seed, step) in (1..=SEEDS).flat_map(|seed| (0..STEPS).map(move |step| (seed, step))) {
            let disk = begun(seed);
            meddle.iter().for_each(|meddle| meddle(&copy(&disk, 0)));
            disk.crash_after(step);
            let kept = copy(&disk, 0).keep(&whole, News::Updates(&next), 0, || ());
            disk.restart();
            let found = found(&disk);
            assert!(kept.durability == Durability::None || found == Some(3), "{kept:?} {found:?}");
            met.insert(found);
        }
        assert!(met.contains(&Some(3)) && met.len() > 1, "{met:?}");
    }
}

#[test]
fn updates_that_the_journal_cannot_take_are_not_written_elsewhere() {
    let folder = tempfile::tempdir().unwrap();
    let (copy, next) = (stuck(folder.path()), changes(2, 3));
    copy.save(&version(2), 0).unwrap();
    let kept = copy.keep(&version(3), News::Updates(&next), 0, || ());
    assert!(matches!(kept.faults[..], [KeepError::Journal(JournalError::File { .. })]), "{:?}", kept.faults);
    assert_eq!(kept.durability, Durability::None);
    assert_eq!(raw::serial(&Host, &copy.file, version(2).apex()), Some(Serial(2)));
}

#[test]
fn a_journal_that_skips_what_the_file_holds_as_serials_wrap_round_is_not_appended_to() {
    let disk = begun(1);
    let (far, back) = (version(1 << 31), version(u32::MAX));
    let steps = [diff(&version(2), &far).unwrap(), diff(&far, &back).unwrap()];
    assert_eq!(copy(&disk, 0).keep(&far, News::Changes(&steps[..1]), 0, || ()).durability, Durability::Journal);
    assert_eq!(copy(&disk, 0).keep(&back, News::Changes(&steps[1..]), 0, || ()).durability, Durability::File);
    disk.restart();
    assert_eq!(found(&disk), Some(u32::MAX));
}

#[test]
fn of_copies_kept_together_each_has_its_own_fault() {
    let disk = begun(1);
    let bytes = |path| disk.open(Path::new(path), Access::Read).unwrap().length().unwrap() as usize;
    // For one more of the same size, not for two.
    let room_bytes = Some(bytes(JOURNAL) + bytes(FILE) * 5 / 2);
    disk.set_faults(Faults { room_bytes, ..Faults::default() });
    let new = version(7);
    let kept = keep_all(&[(copy(&disk, 0), &new, News::Whole), (other(&disk), &new, News::Whole)], 0);
    let durability: Vec<_> = kept.iter().map(|kept| kept.durability).collect();
    assert_eq!(durability, [Durability::File, Durability::None]);
    assert_eq!(disk.names(), [Path::new(FILE)]);
}

#[test]
fn what_is_appended_to_a_journal_made_shorter_survives_a_crash() {
    for seed in 1..=50 {
        let disk = begun(seed);
        let copy = copy(&disk, 0);
        (3..=12).for_each(|serial| assert_eq!(keep(&copy, serial), Durability::Journal));
        copy.save(&version(12), 0).unwrap();
        assert!(copy.shorten(&version(12)).unwrap());
        assert_eq!(keep(&copy, 13), Durability::Journal);
        disk.restart();
        assert_eq!(found(&disk), Some(13), "seed {seed}");
    }
}

#[test]
fn a_journal_that_was_dropped_stays_away_after_a_crash() {
    for seed in 1..=50 {
        let disk = begun(seed);
        // The zone goes back to what it was, as after rndc retransfer.
        assert!(copy(&disk, 0).keep(&version(1), News::Whole, 0, || ()).faults.is_empty());
        disk.restart();
        assert_eq!(found(&disk), Some(1), "seed {seed}");
    }
}

#[test]
fn a_journal_elsewhere_that_was_removed_in_memory_alone_stays_away_after_a_crash_once_it_is_dropped() {
    for seed in 1..=50 {
        let disk = Simulated::new(seed);
        let copy = Copy { journal: "/journals/db.jnl".into(), ..copy(&disk, 0) };
        copy.save(&version(1), 0).unwrap();
        assert_eq!(keep(&copy, 2), Durability::Journal);
        disk.sync_names(&copy.journal).unwrap();
        disk.remove(&copy.journal).unwrap();
        copy.drop_journal().unwrap();
        disk.restart();
        assert_eq!(found_at(&disk, &copy.file, &copy.journal), Some(1), "seed {seed}");
    }
}

#[test]
fn a_journal_that_does_not_lead_on_from_the_file_is_removed() {
    let disk = begun(1);
    let copy = copy(&disk, 0);
    copy.save(&version(7), 0).unwrap();
    assert!(!copy.shorten(&version(7)).unwrap());
    assert_eq!(disk.names(), [Path::new(FILE)]);
    assert_eq!(keep(&copy, 8), Durability::Journal);
}

/// A copy on the host whose journal can be neither read nor removed.
fn stuck(folder: &Path) -> Copy<'static, Host> {
    let (file, journal) = (folder.join("db"), folder.join("db.jnl"));
    // The journal of another user would do, but not where the test is run as root.
    std::fs::create_dir(&journal).unwrap();
    Copy { disk: &Host, file, journal, form: Form::Raw, journal_bytes: None }
}

#[test]
fn a_journal_that_cannot_be_read_now_is_kept() {
    let folder = tempfile::tempdir().unwrap();
    let copy = stuck(folder.path());
    for behind in [Behind::Shortened, Behind::Dropped, Behind::Ended] {
        assert!(matches!(copy.settle(&version(2), behind), Err(KeepError::Compact(_))));
    }
}

#[test]
fn behind_a_journal_that_cannot_be_removed_nothing_is_durable() {
    let folder = tempfile::tempdir().unwrap();
    let kept = stuck(folder.path()).keep(&version(2), News::Whole, 0, || ());
    assert_eq!(kept.durability, Durability::None);
    assert!(matches!(kept.faults[..], [KeepError::Remove { .. }]), "{:?}", kept.faults);
}

#[test]
fn a_journal_that_leads_on_stays_behind_its_file_and_another_goes_where_it_is_to() {
    for (behind, saved, stays) in [
        (Behind::Shortened, 2, true),
        (Behind::Dropped, 2, false),
        (Behind::Dropped, 1, true),
        (Behind::Ended, 2, true),
        (Behind::Ended, 1, false),
        (Behind::Void, 2, false),
    ] {
        let disk = begun(1);
        assert!(copy(&disk, 0).settle(&version(saved), behind).unwrap());
        assert_eq!(disk.names().contains(&JOURNAL.into()), stays, "{behind:?}, {saved}");
    }
}

#[test]
fn a_journal_that_is_none_goes_with_what_is_asked_to_go_and_with_what_it_refuses() {
    let damaged = || {
        let disk = begun(1);
        disk.open(Path::new(JOURNAL), Access::Update).unwrap().write_all_at(b"none", 0).unwrap();
        disk
    };
    for behind in [Behind::Dropped, Behind::Ended] {
        let disk = damaged();
        assert!(copy(&disk, 0).settle(&version(2), behind).unwrap());
        assert_eq!(disk.names(), [Path::new(FILE)]);
    }
    let disk = damaged();
    assert_eq!(keep(&copy(&disk, 0), 3), Durability::File);
    assert_eq!(disk.names(), [Path::new(FILE)]);
}

#[test]
fn a_journal_that_leads_to_a_whole_version_already_is_kept() {
    let disk = begun(1);
    append(&disk, Path::new(JOURNAL), &changes(2, 3)).unwrap();
    let kept = copy(&disk, 0).keep(&version(3), News::Recorded, 0, || ());
    assert_eq!(kept.durability, Durability::File);
    assert_eq!(found(&disk), Some(3));
    assert_eq!(disk.names(), [Path::new(FILE), Path::new(JOURNAL)]);
}

#[test]
fn a_journal_is_dated_with_its_file_where_there_is_one() {
    let disk = begun(1);
    let at = |seconds| SystemTime::UNIX_EPOCH + std::time::Duration::from_secs(seconds);
    for (time_s, has_journal, dated_s) in [(7, true, 7), (8, false, 7)] {
        copy(&disk, 0).touch(at(time_s), has_journal).unwrap();
        assert_eq!(disk.modified(Path::new(FILE)).unwrap(), at(time_s));
        assert_eq!(disk.modified(Path::new(JOURNAL)).unwrap(), at(dated_s));
    }
}

#[test]
fn a_journal_that_cannot_be_made_shorter_stays_as_it_is() {
    let disk = begun(1);
    let copy = copy(&disk, 0);
    (3..=40).for_each(|serial| assert_eq!(keep(&copy, serial), Durability::Journal));
    disk.set_faults(Faults { room_bytes: Some(0), ..Faults::default() });
    assert!(matches!(copy.shorten(&version(40)), Err(KeepError::Compact(_))));
    assert_eq!(disk.names(), [Path::new(FILE), Path::new(JOURNAL)]);
    assert_eq!(found(&disk), Some(40));
}

/// More than there is room for where there is little.
fn large() -> ZoneVersion {
    let (before, apex) = (version(3), name("zone.example."));
    let mut edit = before.edit(Limits::default());
    for number in 0..100 {
        edit.add(apex.as_ref(), Rtype::TXT, 300, &[&[200], &[number; 200][..]].concat()).unwrap();
    }
    edit.finish().unwrap()
}

#[test]
fn copies_kept_together_survive_in_any_folder_and_whatever_becomes_of_another_there() {
    let (changes, large, whole) = (changes(1, 3), large(), version(3));
    for seed in 1..=20 {
        let disk = Simulated::new(seed);
        let at = |file: &str| Copy { file: file.into(), journal: format!("{file}.jnl").into(), ..copy(&disk, 0) };
        let [lost, one, other, next, last] = ["/a/lost", "/a/one", "/b/other", "/c/next", "/d/last"].map(at);
        [&lost, &one, &other, &next, &last].iter().for_each(|copy| copy.save(&version(1), 0).unwrap());
        disk.set_faults(Faults { room_bytes: Some(15_000), ..Faults::default() });
        let new = News::Changes(&changes);
        let copies = [
            (lost, &large, News::Whole),
            (one, &whole, News::Whole),
            (other, &whole, News::Whole),
            (next, &whole, new),
            (last, &whole, new),
        ];
        let kept = keep_all(&copies, 0);
        disk.end_faults();
        disk.restart();
        let [(lost, ..), rest @ ..] = &copies;
        assert_eq!((kept[0].durability, found_at(&disk, &lost.file, &lost.journal)), (Durability::None, Some(1)));
        for (copy, ..) in rest {
            assert_eq!(found_at(&disk, &copy.file, &copy.journal), Some(3), "seed {seed}, {:?}", copy.file);
        }
    }
}

#[test]
fn what_a_full_disk_refuses_leaves_the_version_before_and_nothing_else() {
    let disk = begun(1);
    disk.set_faults(Faults { room_bytes: Some(0), ..Faults::default() });
    assert_eq!(keep(&copy(&disk, 0), 3), Durability::None);
    disk.set_faults(Faults::default());
    assert_eq!(disk.names(), [Path::new(FILE), Path::new(JOURNAL)]);
    disk.restart();
    assert_eq!(found(&disk), Some(2));
    assert_eq!(keep(&copy(&disk, 0), 3), Durability::Journal);
}

#[test]
fn a_journal_that_was_left_behind_its_file_is_removed_at_the_start() {
    let disk = begun(1);
    copy(&disk, 0).save(&version(7), 0).unwrap();
    assert_eq!(found(&disk), Some(7));
    assert_eq!(disk.names(), [Path::new(FILE)]);
}

#[test]
fn a_journal_that_ends_with_its_file_is_kept_at_the_start() {
    let disk = begun(1);
    copy(&disk, 0).save(&version(2), 0).unwrap();
    assert_eq!(found(&disk), Some(2));
    assert_eq!(disk.names(), [Path::new(FILE), Path::new(JOURNAL)]);
}

#[test]
fn a_journal_that_was_created_and_not_written_is_removed_at_the_start() {
    let disk = Simulated::new(1);
    copy(&disk, 0).save(&version(7), 0).unwrap();
    disk.open(Path::new(JOURNAL), Access::New).unwrap();
    assert_eq!(found(&disk), Some(7));
    assert_eq!(disk.names(), [Path::new(FILE)]);
}

#[test]
fn a_journal_that_does_not_fit_is_put_aside_under_a_name_of_its_own() {
    let disk = begun(1);
    append(&disk, Path::new(JOURNAL), &changes(2, 9)).unwrap();
    disk.remove(Path::new(FILE)).unwrap();
    copy(&disk, 0).save(&version(0), 0).unwrap();
    assert_eq!(found(&disk), Some(0));
    let names = disk.names();
    assert!(names.len() == 2 && names[1].starts_with("/cache/"), "{names:?}");
    assert!(names[1].to_str().unwrap().contains("/jn-"), "{names:?}");
}

/// What a start of a primary finds.
fn found_by_primary(disk: &Simulated) -> Option<u32> {
    let read = raw::read(disk, Path::new(FILE), &name("zone.example."), Class::IN, Limits::default());
    let (version, _) = read.ok()?;
    match journal::follow(disk, &version, Path::new(JOURNAL), Limits::default()) {
        Followed::Missing | Followed::Nothing => Some(version.serial().0),
        Followed::To(next, _) => Some(next.serial().0),
        Followed::Not(_) => None,
    }
}

#[test]
fn an_update_that_a_failing_disk_refuses_does_not_come_back_and_the_next_one_is_kept_in_the_journal() {
    let next = changes(2, 3);
    for (seed, begins) in (1..=20).flat_map(|seed| [(seed, false), (seed, true)]) {
        let mut refused = 0;
        for step in 0..STEPS {
            let disk = begun(seed);
            let copy = copy(&disk, 0);
            if begins {
                copy.save(&version(2), 0).unwrap();
                copy.drop_journal().unwrap();
            }
            let base = Serial(if begins { 2 } else { 1 });
            let append = Append { disk: &disk, path: Path::new(JOURNAL), base, transactions: &next };
            disk.fail_after(step);
            let Err(fault) = journal::append_to(&append) else { break };
            refused += 1;
            let crashed = disk.detached();
            crashed.restart();
            assert_eq!(found_by_primary(&crashed), Some(2), "seed {seed}, step {step}, {fault}");
            journal::append_to(&append).unwrap();
            disk.restart();
            assert_eq!(found_by_primary(&disk), Some(3), "seed {seed}, step {step}");
        }
        assert_eq!(refused, if begins { 8 } else { 5 }, "seed {seed}");
    }
}
