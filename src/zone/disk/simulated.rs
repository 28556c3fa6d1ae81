//! A disk for tests: it keeps what was synced, and may lose, tear or refuse the rest.
//!
//! Every effect is a step, at which the power can fail: before the step or behind it. Then of what was written and not
//! synced each sector survives or not, and of what happened to names a beginning of it. A disk may be full, refuse
//! steps, or fail to sync, after which what was to be synced may never get there, as Linux has it.

use std::cell::{RefCell, RefMut};
use std::collections::BTreeMap;
use std::io::{self, Read, Write};
use std::path::{Path, PathBuf};
use std::rc::Rc;
use std::time::{Duration, SystemTime, UNIX_EPOCH};

use super::{Access, Disk, DiskFile};
use crate::dns::testing::Random;

/// What is written at once or not at all.
const SECTOR_BYTES: usize = 512;

/// The disk; clones are the same one.
#[derive(Debug, Clone)]
pub(crate) struct Simulated(Rc<RefCell<State>>);

/// What a disk does wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Faults {
    /// One step in so many fails; 0: none.
    pub(crate) failing: usize,
    /// How many bytes there are room for; none: no end of them.
    pub(crate) room_bytes: Option<usize>,
    /// Nothing can be changed.
    pub(crate) is_read_only: bool,
}

/// How often it did what wrong.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub(crate) struct Troubles {
    /// Steps that failed, or reading.
    pub(crate) failures: u64,
    /// Writes for which there was no room.
    pub(crate) full: u64,
    /// Steps that nothing could be changed with.
    pub(crate) read_only: u64,
    /// Steps before which the power failed,
    pub(crate) crashes_before: u64,
    /// and behind which.
    pub(crate) crashes_behind: u64,
}

#[derive(Debug, Clone)]
struct State {
    random: Random,
    faults: Faults,
    troubles: Troubles,
    now_s: u64,
    steps: u64,
    /// The step at which the power fails.
    crash_at: Option<u64>,
    /// The step that fails, alone.
    fail_at: Option<u64>,
    is_down: bool,
    files: Vec<Content>,
    names: BTreeMap<PathBuf, usize>,
    synced_names: BTreeMap<PathBuf, usize>,
    /// What happened to names since they were synced.
    renamings: Vec<Renaming>,
}

#[derive(Debug, Clone)]
struct Renaming {
    gone: Option<PathBuf>,
    come: Option<(PathBuf, usize)>,
}

#[derive(Debug, Clone, Default)]
struct Content {
    bytes: Vec<u8>,
    modified_s: u64,
    synced: Vec<u8>,
    synced_modified_s: u64,
    unsynced: Vec<(usize, Vec<u8>)>,
}

/// An open file of it.
#[derive(Debug)]
pub(crate) struct SimulatedFile {
    disk: Simulated,
    number: usize,
    place: usize,
}

impl Simulated {
    /// An empty disk.
    pub(crate) fn new(seed: u64) -> Self {
        Self(Rc::new(RefCell::new(State {
            random: Random::new(seed),
            faults: Faults::default(),
            troubles: Troubles::default(),
            now_s: 0,
            steps: 0,
            crash_at: None,
            fail_at: None,
            is_down: false,
            files: vec![],
            names: BTreeMap::new(),
            synced_names: BTreeMap::new(),
            renamings: vec![],
        })))
    }

    /// Sets the clock that files are stamped with.
    pub(crate) fn set_clock(&self, now_s: u64) {
        self.state().now_s = now_s;
    }

    /// Does this wrong from now on.
    pub(crate) fn set_faults(&self, faults: Faults) {
        self.state().faults = faults;
    }

    /// All is well from now on.
    pub(crate) fn end_faults(&self) {
        let mut state = self.state();
        (state.faults, state.crash_at) = (Faults::default(), None);
    }

    /// What it does wrong.
    pub(crate) fn faults(&self) -> Faults {
        self.state().faults
    }

    /// What it has done wrong.
    pub(crate) fn troubles(&self) -> Troubles {
        self.state().troubles
    }

    /// Lets the power fail at the step that comes behind so many others.
    pub(crate) fn crash_after(&self, steps: u64) {
        let mut state = self.state();
        state.crash_at = Some(state.steps + steps + 1);
    }

    /// Lets the step fail that comes behind so many others; it may have its effect all the same.
    pub(crate) fn fail_after(&self, steps: u64) {
        let mut state = self.state();
        state.fail_at = Some(state.steps + steps + 1);
    }

    /// Whether the power has failed.
    pub(crate) fn is_down(&self) -> bool {
        self.state().is_down
    }

    /// The power fails now, if it has not, and is back: what is there now is what survived.
    pub(crate) fn restart(&self) {
        self.state().restart();
    }

    /// The names of the files that are there.
    pub(crate) fn names(&self) -> Vec<PathBuf> {
        self.state().names.keys().cloned().collect()
    }

    /// How many effects there have been.
    pub(crate) fn steps(&self) -> u64 {
        self.state().steps
    }

    /// Another disk that holds the same, down to what is not synced.
    pub(crate) fn detached(&self) -> Self {
        Self(Rc::new(RefCell::new(self.state().clone())))
    }

    fn state(&self) -> RefMut<'_, State> {
        self.0.borrow_mut()
    }
}

impl State {
    /// Takes a step: has the effect, or a fault, or the power fails.
    fn step<T>(&mut self, effect: impl FnOnce(&mut Self) -> io::Result<T>) -> io::Result<T> {
        if self.is_down {
            return Err(io::Error::other("the power is off"));
        }
        self.steps += 1;
        if self.crash_at == Some(self.steps) {
            (self.crash_at, self.is_down) = (None, true);
            if self.random.below(2) == 0 {
                self.troubles.crashes_behind += 1;
                let _ = effect(self);
            } else {
                self.troubles.crashes_before += 1;
            }
            return Err(io::Error::other("the power failed"));
        }
        if self.faults.is_read_only {
            self.troubles.read_only += 1;
            return Err(io::ErrorKind::ReadOnlyFilesystem.into());
        }
        if self.fail_at.take_if(|step| *step == self.steps).is_some() {
            if self.random.below(2) == 0 {
                let _ = effect(self);
            }
            return Err(io::Error::other("input/output error"));
        }
        if self.is_unlucky() {
            return Err(io::Error::other("input/output error"));
        }
        effect(self)
    }

    fn is_unlucky(&mut self) -> bool {
        let fails = self.faults.failing > 0 && self.random.below(self.faults.failing) == 0;
        self.troubles.failures += u64::from(fails);
        fails
    }

    fn number(&self, path: &Path) -> io::Result<usize> {
        self.names.get(path).copied().ok_or_else(|| io::ErrorKind::NotFound.into())
    }

    fn name(&mut self, renaming: Renaming) {
        renaming.apply(&mut self.names);
        self.renamings.push(renaming);
    }

    fn create(&mut self, path: &Path) -> usize {
        let number = self.files.len();
        self.files.push(Content { modified_s: self.now_s, ..Content::default() });
        self.name(Renaming { gone: None, come: Some((path.to_owned(), number)) });
        number
    }

    /// How many more bytes there is room for.
    fn room_bytes(&self) -> usize {
        let used: usize = self.names.values().map(|&number| self.files[number].bytes.len()).sum();
        self.faults.room_bytes.map_or(usize::MAX, |room| room.saturating_sub(used))
    }

    fn write(&mut self, number: usize, offset: usize, bytes: &[u8]) -> io::Result<()> {
        let more = (offset + bytes.len()).saturating_sub(self.files[number].bytes.len());
        let lacking = more.saturating_sub(self.room_bytes());
        self.troubles.full += u64::from(lacking > 0);
        let (fitting, now_s) = (&bytes[..bytes.len().saturating_sub(lacking)], self.now_s);
        let file = &mut self.files[number];
        put(&mut file.bytes, offset, fitting);
        file.unsynced.push((offset, fitting.to_vec()));
        file.modified_s = now_s;
        if lacking > 0 { Err(io::ErrorKind::StorageFull.into()) } else { Ok(()) }
    }

    fn sync(&mut self, number: usize) -> io::Result<()> {
        let fails = self.is_unlucky();
        let file = &mut self.files[number];
        for (offset, bytes) in std::mem::take(&mut file.unsynced) {
            // What failed to be synced is not tried again.
            if !fails || self.random.below(2) == 0 {
                put(&mut file.synced, offset, &bytes);
            }
        }
        file.synced_modified_s = file.modified_s;
        if fails { Err(io::Error::other("input/output error")) } else { Ok(()) }
    }

    /// Lets go of what was in files that have no name any more.
    fn forget(&mut self) {
        let Self { files, names, synced_names, .. } = self;
        let named = |number| synced_names.values().chain(names.values()).any(|&other| other == number);
        let gone = files.iter_mut().enumerate().filter(|(number, _)| !named(*number));
        gone.for_each(|(_, file)| *file = Content::default());
    }

    fn restart(&mut self) {
        for file in &mut self.files {
            for (offset, bytes) in std::mem::take(&mut file.unsynced) {
                for (start, sector) in sectors(offset, &bytes) {
                    if self.random.below(2) == 0 {
                        put(&mut file.synced, start, sector);
                    }
                }
            }
            if self.random.below(2) == 0 {
                file.synced_modified_s = file.modified_s;
            }
            file.bytes.clone_from(&file.synced);
            file.modified_s = file.synced_modified_s;
        }
        let survived = self.random.below(self.renamings.len() + 1);
        for renaming in self.renamings.drain(..).take(survived) {
            renaming.apply(&mut self.synced_names);
        }
        self.names.clone_from(&self.synced_names);
        self.forget();
        (self.is_down, self.crash_at) = (false, None);
    }
}

impl Renaming {
    /// What it happens in: nothing goes from one folder to another.
    fn folder(&self) -> Option<&Path> {
        let come = self.come.as_ref().map(|(path, _)| path);
        self.gone.as_ref().or(come)?.parent()
    }

    fn apply(&self, names: &mut BTreeMap<PathBuf, usize>) {
        if let Some(path) = &self.gone {
            names.remove(path);
        }
        names.extend(self.come.clone());
    }
}

/// The parts of a write that lie in one sector each.
fn sectors(offset: usize, bytes: &[u8]) -> impl Iterator<Item = (usize, &[u8])> {
    let head = (SECTOR_BYTES - offset % SECTOR_BYTES).min(bytes.len());
    let (first, rest) = bytes.split_at(head);
    let behind = (offset + head..).step_by(SECTOR_BYTES);
    std::iter::once((offset, first)).chain(behind.zip(rest.chunks(SECTOR_BYTES)))
}

fn put(file: &mut Vec<u8>, offset: usize, bytes: &[u8]) {
    let end = offset + bytes.len();
    file.resize(file.len().max(end), 0);
    file[offset..end].copy_from_slice(bytes);
}

impl Disk for Simulated {
    type File = SimulatedFile;

    fn open(&self, path: &Path, access: Access) -> io::Result<SimulatedFile> {
        let mut state = self.state();
        let found = state.number(path);
        let number = match access {
            Access::Read if state.is_down || state.is_unlucky() => return Err(io::Error::other("input/output error")),
            Access::Read => found?,
            Access::Update => {
                let number = found?;
                state.step(|_| Ok(number))?
            }
            Access::New if found.is_ok() => return Err(io::ErrorKind::AlreadyExists.into()),
            Access::New | Access::Replace => state.step(|state| Ok(state.create(path)))?,
        };
        Ok(SimulatedFile { disk: self.clone(), number, place: 0 })
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        let mut state = self.state();
        let number = state.number(from)?;
        let renaming = Renaming { gone: Some(from.to_owned()), come: Some((to.to_owned(), number)) };
        state.step(|state| {
            state.name(renaming);
            Ok(())
        })
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        let mut state = self.state();
        state.number(path)?;
        state.step(|state| {
            state.name(Renaming { gone: Some(path.to_owned()), come: None });
            Ok(())
        })
    }

    fn sync_names(&self, beside: &Path) -> io::Result<()> {
        self.state().step(|state| {
            let State { renamings, synced_names, .. } = state;
            let here = renamings.extract_if(.., |renaming| renaming.folder() == beside.parent());
            here.for_each(|renaming| renaming.apply(synced_names));
            state.forget();
            Ok(())
        })
    }

    fn modified(&self, path: &Path) -> io::Result<SystemTime> {
        let state = self.state();
        let number = state.number(path)?;
        Ok(UNIX_EPOCH + Duration::from_secs(state.files[number].modified_s))
    }

    fn set_modified(&self, path: &Path, at: SystemTime) -> io::Result<()> {
        let mut state = self.state();
        let number = state.number(path)?;
        let at_s = at.duration_since(UNIX_EPOCH).map_or(0, |since| since.as_secs());
        state.step(|state| {
            state.files[number].modified_s = at_s;
            Ok(())
        })
    }
}

impl DiskFile for SimulatedFile {
    fn length(&self) -> io::Result<u64> {
        Ok(self.disk.state().files[self.number].bytes.len() as u64)
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        let state = self.disk.state();
        let bytes = state.files[self.number].bytes.get(offset as usize..).unwrap_or_default();
        let Some(found) = bytes.get(..buffer.len()) else { return Err(io::ErrorKind::UnexpectedEof.into()) };
        buffer.copy_from_slice(found);
        Ok(())
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        self.disk.state().step(|state| state.write(self.number, offset as usize, bytes))
    }

    fn begin_sync(&self) {}

    fn sync(&self) -> io::Result<()> {
        self.disk.state().step(|state| state.sync(self.number))
    }

    fn sync_data(&self) -> io::Result<()> {
        self.sync()
    }
}

impl Read for SimulatedFile {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let state = self.disk.state();
        let mut rest = state.files[self.number].bytes.get(self.place..).unwrap_or_default();
        let read = rest.read(buffer)?;
        self.place += read;
        Ok(read)
    }
}

impl Write for SimulatedFile {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        self.write_all_at(bytes, self.place as u64)?;
        self.place += bytes.len();
        Ok(bytes.len())
    }

    fn flush(&mut self) -> io::Result<()> {
        Ok(())
    }
}
