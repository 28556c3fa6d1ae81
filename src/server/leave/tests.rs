use std::cell::{Cell, RefCell};
use std::collections::BTreeMap;
use std::fs;
use std::path::PathBuf;
use std::sync::mpsc::channel;
use std::thread;
use std::time::Duration;

use super::*;
use crate::dns::{Class, Name, Rtype};
use crate::zone::copy::{self, Behind, Durability, Form, News, keep_all};
use crate::zone::diff::diff;
use crate::zone::file::{FileError, ZONE_FILE, quarantine, write_atomically};
use crate::zone::journal::{self, Transaction};
use crate::zone::{Builder, Limits, ZoneVersion};

/// A disk of which each step is told before it is taken; true: it is waited for.
struct Told<'t, D> {
    disk: D,
    tell: &'t dyn Fn(bool),
}

/// A file there.
struct ToldFile<'t, F> {
    file: F,
    tell: &'t dyn Fn(bool),
}

impl<F> fmt::Debug for ToldFile<'_, F> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("a file")
    }
}

impl<'t, D: Disk> Disk for Told<'t, D> {
    type File = ToldFile<'t, D::File>;

    fn open(&self, path: &Path, access: Access) -> io::Result<Self::File> {
        (self.tell)(false);
        self.disk.open(path, access).map(|file| ToldFile { file, tell: self.tell })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        (self.tell)(false);
        self.disk.rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        (self.tell)(false);
        self.disk.remove(path)
    }

    fn sync_names(&self, beside: &Path) -> io::Result<()> {
        (self.tell)(true);
        self.disk.sync_names(beside)
    }

    fn modified(&self, path: &Path) -> io::Result<SystemTime> {
        self.disk.modified(path)
    }

    fn set_modified(&self, path: &Path, at: SystemTime) -> io::Result<()> {
        (self.tell)(false);
        self.disk.set_modified(path, at)
    }
}

impl<F: Read> Read for ToldFile<'_, F> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read(buffer)
    }
}

impl<F: Write> Write for ToldFile<'_, F> {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        (self.tell)(false);
        self.file.write(bytes)
    }

    fn flush(&mut self) -> io::Result<()> {
        self.file.flush()
    }
}

impl<F: DiskFile> DiskFile for ToldFile<'_, F> {
    fn length(&self) -> io::Result<u64> {
        self.file.length()
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        self.file.read_exact_at(buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        (self.tell)(false);
        self.file.write_all_at(bytes, offset)
    }

    fn begin_sync(&self) {
        self.file.begin_sync();
    }

    fn sync(&self) -> io::Result<()> {
        (self.tell)(true);
        self.file.sync()
    }

    fn sync_data(&self) -> io::Result<()> {
        (self.tell)(true);
        self.file.sync_data()
    }
}

fn version(serial: u8) -> ZoneVersion {
    let apex: Name = "example.".parse().unwrap();
    let mut builder = Builder::new(apex.clone(), Class::IN);
    let soa = [&[0; 5][..], &[serial], &[0; 16]].concat();
    builder.add(apex.as_ref(), Rtype::SOA, 60, &soa).unwrap();
    builder.finish().unwrap()
}

fn step(before: u8, after: u8) -> [Transaction; 1] {
    [diff(&version(before), &version(after)).unwrap()]
}

fn copy_in<'d, D>(folder: &Path, disk: &'d D) -> Copy<'d, D> {
    let [file, journal] = ["zone", "zone.jnl"].map(|name| folder.join(name));
    Copy { disk, file, journal, form: Form::Raw, journal_bytes: None }
}

/// Version 5 in the file and 6 in the journal, which is of the old form.
fn lay_out(folder: &Path) {
    let copy = copy_in(folder, &Host);
    copy.save(&version(5), 0).unwrap();
    copy.keep(&version(6), News::Changes(&step(5, 6)), 0, || ());
    journal::rewrite(&Host, &copy.journal, journal::Form::V1).unwrap();
}

/// Does one of all that can be done to a copy.
fn act<D: Disk>(copy: Copy<'_, D>, action: usize) {
    let (old, new, changes) = (version(6), version(7), step(6, 7));
    let keep = |version: &ZoneVersion, news| drop(copy.keep(version, news, 0, || ()));
    match action {
        0 => keep(&new, News::Changes(&changes)),
        1 => keep(&new, News::Updates(&changes)),
        2 => keep(&new, News::Whole),
        3 => keep(&version(4), News::Instead(Some(&old))),
        4 => drop(keep_all(&[(copy, &new, News::Changes(&changes))], 0)),
        5 => drop(keep_all(&[(copy, &new, News::Whole)], 0)),
        6 => drop(copy.settle(&version(5), Behind::Shortened)),
        7 => drop(copy.settle(&old, Behind::Void)),
        8 => drop(copy::follow(copy.disk, &version(6), &copy.journal, Limits::default())),
        _ => drop(quarantine(copy.disk, &copy.file, ZONE_FILE)),
    }
}

const ACTIONS: usize = 10;

/// Another zone has come to the same files, and has written to them.
fn succeed(folder: &Path) {
    let (files, leave) = (copy_in(folder, &Host), Leave::default());
    let disk = ByLeave::to_keep(&files, &leave);
    let copy = disk.of(&files);
    copy.settle(&version(5), Behind::Shortened).unwrap();
    assert_ne!(copy.keep(&version(9), News::Changes(&step(6, 9)), 0, || ()).durability, Durability::None);
}

/// The files whose names begin like this.
fn files(folder: &Path, prefix: &str) -> BTreeMap<PathBuf, Vec<u8>> {
    let paths = fs::read_dir(folder).unwrap().map(|entry| entry.unwrap().path());
    let paths = paths.filter(|path| path.file_name().unwrap().to_string_lossy().starts_with(prefix));
    paths.map(|path| (path.clone(), fs::read(path).unwrap())).collect()
}

#[test]
fn files_that_another_zone_has_come_to_stay_as_it_leaves_them_at_whatever_step_it_comes() {
    for action in 0..ACTIONS {
        for comes_at in 1.. {
            let (folder, leave) = (tempfile::tempdir().unwrap(), Leave::default());
            let (folder, steps, left) = (folder.path(), Cell::new(0), RefCell::new(None));
            lay_out(folder);
            let tell = |_| {
                // Whoever comes would wait for a step that is being taken.
                steps.set(steps.get() + usize::from(leave.0.step.try_lock().is_ok()));
                if steps.get() == comes_at && left.borrow().is_none() {
                    leave.take_away();
                    succeed(folder);
                    left.replace(Some(files(folder, "zone")));
                }
            };
            let disk = Told { disk: Host, tell: &tell };
            let copy = copy_in(folder, &disk);
            let disk = Told { disk: ByLeave::to_keep(&copy, &leave), tell: &tell };
            act(copy_in(folder, &disk), action);
            let Some(left) = left.take() else {
                assert!(comes_at > 2, "action {action}");
                break;
            };
            assert!(files(folder, "zone") == left, "action {action}, step {comes_at}");
            assert!(files(folder, "tmp-").is_empty(), "action {action}, step {comes_at}");
        }
    }
}

#[test]
fn whoever_takes_it_away_waits_for_no_disk() {
    for action in 0..ACTIONS {
        let (folder, leave) = (tempfile::tempdir().unwrap(), Leave::default());
        lay_out(folder.path());
        let tell = |is_waited_for| {
            let (say, said) = channel();
            let taking = leave.clone();
            if is_waited_for {
                thread::spawn(move || {
                    taking.take_away();
                    say.send(()).unwrap();
                });
                said.recv_timeout(Duration::from_secs(10)).expect("it is taken away at once");
            }
        };
        let disk = Told { disk: Host, tell: &tell };
        let files = copy_in(folder.path(), &disk);
        act(ByLeave::to_keep(&files, &leave).of(&files), action);
    }
}

#[test]
fn it_is_taken_away_once_a_step_has_been_taken_and_then_no_other_is() {
    let leave = Leave::default();
    let (say, said) = channel();
    thread::scope(|scope| {
        let held = leave.hold();
        let taking = leave.clone();
        let taker = say.clone();
        scope.spawn(move || {
            taking.take_away();
            taker.send("taken away").unwrap();
        });
        say.send("written").unwrap();
        drop(held);
    });
    assert_eq!(said.try_iter().collect::<Vec<_>>(), ["written", "taken away"]);
    assert!(leave.hold().is_err() && leave.is_away());
}

#[test]
fn a_large_change_is_given_up_in_the_middle() {
    let (folder, leave, steps) = (tempfile::tempdir().unwrap(), Leave::default(), Cell::new(0));
    let tell = |_| {
        steps.set(steps.get() + 1);
        // After the file was opened, and written to once.
        leave.0.is_away.store(steps.get() == 2, Ordering::Release);
    };
    let disk = Told { disk: Host, tell: &tell };
    let copy = copy_in(folder.path(), &disk);
    let file = ByLeave::to_keep(&copy, &leave).open(&copy.file, Access::New).unwrap();
    assert!(file.write_all_at(&vec![1; 3 * STEP_BYTES], 7).is_err());
    assert_eq!(fs::read(&copy.file).unwrap(), [&[0; 7][..], &vec![1; STEP_BYTES]].concat());
}

#[test]
fn a_file_that_is_being_written_keeps_nobody_from_taking_it_away_and_then_comes_to_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let copy = copy_in(folder.path(), &Host);
    let (file, journal, leave) = (&copy.file, &copy.journal, Leave::default());
    [file, journal].iter().for_each(|path| fs::write(path, "old").unwrap());
    let disk = ByLeave::to_keep(&copy, &leave);
    let written = write_atomically(&disk, file, |out| {
        leave.take_away();
        out.write_all(b"new")
    });
    assert!(matches!(written, Err(FileError::Write { .. })), "{written:?}");
    assert!(disk.of(&copy).drop_journal().is_err());
    assert_eq!([file, journal].map(|path| fs::read(path).unwrap()), [b"old"; 2]);
    assert_eq!(fs::read_dir(folder.path()).unwrap().count(), 2, "what was written is gone");
}

#[test]
fn with_leave_a_file_is_written_and_its_journal_removed() {
    let folder = tempfile::tempdir().unwrap();
    let (copy, leave) = (copy_in(folder.path(), &Host), Leave::default());
    fs::write(&copy.journal, "old").unwrap();
    let disk = ByLeave::to_keep(&copy, &leave);
    write_atomically(&disk, &copy.file, |out| out.write_all(b"new")).unwrap();
    disk.of(&copy).drop_journal().unwrap();
    assert_eq!((fs::read(&copy.file).unwrap(), copy.journal.exists()), (b"new".to_vec(), false));
}
