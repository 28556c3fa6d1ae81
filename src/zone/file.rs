//! Zone files on disk: written whole or not at all, and put aside when they cannot be read.
//!
//! A new file is written as `tmp-XXXXXXXXXX` in the directory of its target, synced, renamed over it, and the directory
//! synced, so that a crash at any point leaves the old file or the new one (bind-compatible names: an operator's
//! clean-up rules for stray `tmp-*` and `db-*` files keep working).

use std::hash::{BuildHasher, RandomState};
use std::io::{self, BufWriter};
use std::path::{Path, PathBuf};
use std::time::SystemTime;

use super::disk::{Access, Disk, DiskFile, folder};

/// A zone file that could not be written or moved.
#[derive(Debug, thiserror::Error)]
pub enum FileError {
    /// The temporary file could not be created, written or synced.
    #[error("{path}: write: {source}")]
    Write {
        /// The temporary file.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// The file could not be given its final name.
    #[error("{path}: rename: {source}")]
    Rename {
        /// The target.
        path: PathBuf,
        /// What the system said.
        source: io::Error,
    },
}

/// Writes `path` whole: what `write` puts out becomes the file's content, durable when this returns. On any error the
/// old file stays as it was and the temporary file is removed.
pub fn write_atomically<D: Disk>(
    disk: &D,
    path: &Path,
    write: impl FnOnce(&mut BufWriter<D::File>) -> io::Result<()>,
) -> Result<(), FileError> {
    Draft::write(disk, path, write)?.put_in_place(disk)?;
    sync_names(disk, path)
}

/// A file that is written under another name, and on its way to the disk.
#[derive(Debug)]
pub struct Draft<F> {
    file: F,
    temporary: PathBuf,
    path: PathBuf,
}

impl<F: DiskFile> Draft<F> {
    /// Writes what is to become the content of `path`. The disk is not waited for.
    pub fn write(
        disk: &impl Disk<File = F>,
        path: &Path,
        write: impl FnOnce(&mut BufWriter<F>) -> io::Result<()>,
    ) -> Result<Self, FileError> {
        let (temporary, file) = create_beside(disk, path, "tmp-", TEMPORARY_LETTERS)?;
        match fill(file, write) {
            Ok(file) => Ok(Self { file, temporary, path: path.to_owned() }),
            Err(source) => {
                give_up(disk, &temporary);
                Err(FileError::Write { path: temporary, source })
            }
        }
    }

    /// Dates it back to when what it holds was vouched for.
    pub fn dated(self, disk: &impl Disk<File = F>, modified: SystemTime) -> Result<Self, FileError> {
        match disk.set_modified(&self.temporary, modified) {
            Ok(()) => Ok(self),
            Err(source) => {
                give_up(disk, &self.temporary);
                Err(FileError::Write { path: self.temporary, source })
            }
        }
    }

    /// Waits until the content is durable and gives it its name, which is durable once [`sync_names`] returns.
    pub fn put_in_place(self, disk: &impl Disk<File = F>) -> Result<(), FileError> {
        let Self { file, temporary, path } = self;
        let synced = file.sync().map_err(|source| FileError::Write { path: temporary.clone(), source });
        let rename = || disk.rename(&temporary, &path).map_err(|source| FileError::Rename { path, source });
        let renamed = synced.and_then(|()| rename());
        if renamed.is_err() {
            give_up(disk, &temporary);
        }
        renamed
    }
}

/// The fault itself is what gets reported; a stray tmp- file is as harmless as after a crash.
fn give_up(disk: &impl Disk, temporary: &Path) {
    let _ = disk.remove(temporary);
}

/// Makes it durable which files there are beside this one.
pub fn sync_names(disk: &impl Disk, path: &Path) -> Result<(), FileError> {
    disk.sync_names(path).map_err(|source| FileError::Write { path: folder(path).to_owned(), source })
}

/// What the name of a zone file that is put aside begins with.
pub const ZONE_FILE: &str = "db-";
/// The same for a journal.
pub const JOURNAL: &str = "jn-";

/// Moves an unreadable file out of the way, to `db-XXXXXXXX` or so beside it, and says what it is called now.
pub fn quarantine(disk: &impl Disk, path: &Path, prefix: &str) -> Result<PathBuf, FileError> {
    let (aside, _) = create_beside(disk, path, prefix, QUARANTINE_LETTERS)?;
    match disk.rename(path, &aside) {
        Ok(()) => Ok(aside),
        Err(source) => {
            let _ = disk.remove(&aside);
            Err(FileError::Rename { path: path.to_owned(), source })
        }
    }
}

fn fill<F: DiskFile>(file: F, write: impl FnOnce(&mut BufWriter<F>) -> io::Result<()>) -> io::Result<F> {
    let mut out = BufWriter::with_capacity(WRITE_BUFFER_BYTES, file);
    write(&mut out)?;
    let file = out.into_inner().map_err(io::IntoInnerError::into_error)?;
    file.begin_sync();
    Ok(file)
}

/// Creates a new file with a random name in the directory of `path`.
fn create_beside<D: Disk>(
    disk: &D,
    path: &Path,
    prefix: &str,
    letters: usize,
) -> Result<(PathBuf, D::File), FileError> {
    let mut attempts = 0;
    loop {
        let candidate = path.with_file_name(random_name(prefix, letters));
        match disk.open(&candidate, Access::New) {
            Ok(file) => return Ok((candidate, file)),
            Err(fault) if fault.kind() == io::ErrorKind::AlreadyExists && attempts < CREATE_ATTEMPTS => attempts += 1,
            Err(source) => return Err(FileError::Write { path: candidate, source }),
        }
    }
}

fn random_name(prefix: &str, letters: usize) -> String {
    // The standard library seeds each of these from the system's randomness; unguessable is not needed (create_new).
    let mut random = RandomState::new().hash_one(std::process::id());
    let mut name = String::with_capacity(prefix.len() + letters);
    name.push_str(prefix);
    for _ in 0..letters {
        let place = (random % ALPHABET.len() as u64) as usize;
        name.push(char::from(ALPHABET.get(place).copied().unwrap_or(b'a')));
        random /= ALPHABET.len() as u64;
    }
    name
}

const ALPHABET: &[u8; 62] = b"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789";
const TEMPORARY_LETTERS: usize = 10;
const QUARANTINE_LETTERS: usize = 8;
const CREATE_ATTEMPTS: usize = 100;
/// Many small files may be written at once, and a large one takes no longer than with more.
const WRITE_BUFFER_BYTES: usize = 32 * 1024;

#[cfg(test)]
mod tests {
    use std::fs;
    use std::io::Write;

    use super::*;
    use crate::zone::disk::Host;

    fn entries(directory: &Path) -> Vec<String> {
        let mut names: Vec<_> =
            fs::read_dir(directory).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
        names.sort();
        names
    }

    #[test]
    fn a_written_file_replaces_the_old_one_and_leaves_nothing_beside_it() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("example.zone");
        for content in ["one", "two"] {
            write_atomically(&Host, &path, |out| out.write_all(content.as_bytes())).unwrap();
            assert_eq!(fs::read_to_string(&path).unwrap(), content);
        }
        assert_eq!(entries(directory.path()), ["example.zone"]);
    }

    #[test]
    fn a_failed_write_keeps_the_old_file() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("example.zone");
        fs::write(&path, "old").unwrap();
        let fault = write_atomically(&Host, &path, |out| {
            out.write_all(b"half")?;
            Err(io::Error::other("disk full"))
        });
        assert!(fault.unwrap_err().to_string().ends_with("disk full"));
        assert_eq!(fs::read_to_string(&path).unwrap(), "old");
        assert_eq!(entries(directory.path()), ["example.zone"]);
    }

    #[test]
    fn a_missing_directory_is_named_in_the_error() {
        let fault = write_atomically(&Host, Path::new("/nonexistent/x/z"), |_| Ok(())).unwrap_err();
        assert!(fault.to_string().starts_with("/nonexistent/x/tmp-"), "{fault}");
    }

    #[test]
    fn quarantine_renames_within_the_directory() {
        let directory = tempfile::tempdir().unwrap();
        let path = directory.path().join("example.zone");
        fs::write(&path, "junk").unwrap();
        let aside = quarantine(&Host, &path, ZONE_FILE).unwrap();
        assert_eq!(fs::read_to_string(&aside).unwrap(), "junk");
        let names = entries(directory.path());
        assert_eq!(names.len(), 1);
        assert!(names[0].starts_with("db-") && names[0].len() == 11, "{names:?}");
        assert!(quarantine(&Host, &path, JOURNAL).is_err());
        assert_eq!(entries(directory.path()).len(), 1);
    }
}
