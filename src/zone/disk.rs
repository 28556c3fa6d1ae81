//! Where files are: what copies and journals ask of a file system, and no more.
//!
//! The server has [`Host`]. Tests have a disk that forgets what was not synced, fills up and fails, so that the code
//! which runs on it is the one that runs on a host.

#[cfg(test)]
pub(crate) mod simulated;

use std::fmt;
use std::fs::{self, File, OpenOptions};
use std::io::{self, Read, Write};
use std::os::unix::fs::FileExt;
use std::path::Path;
use std::time::{SystemTime, UNIX_EPOCH};

use nix::fcntl::AT_FDCWD;
use nix::sys::stat::{UtimensatFlags, utimensat};
use nix::sys::time::TimeSpec;

use nix::fcntl::{PosixFadviseAdvice, posix_fadvise};

/// A file system.
pub trait Disk {
    /// A file that is open.
    type File: DiskFile;

    /// Opens a file.
    fn open(&self, path: &Path, access: Access) -> io::Result<Self::File>;

    /// Gives a file another name; a file that has it already is gone.
    fn rename(&self, from: &Path, to: &Path) -> io::Result<()>;

    /// Removes a file.
    fn remove(&self, path: &Path) -> io::Result<()>;

    /// Makes it durable which files there are beside this one.
    fn sync_names(&self, beside: &Path) -> io::Result<()>;

    /// When a file was changed last.
    fn modified(&self, path: &Path) -> io::Result<SystemTime>;

    /// Sets when a file was changed last.
    fn set_modified(&self, path: &Path, at: SystemTime) -> io::Result<()>;
}

/// What a file is opened for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Access {
    /// To be read.
    Read,
    /// To be read and changed.
    Update,
    /// To be filled, and there must be none.
    New,
    /// To be filled; what was in it is gone.
    Replace,
}

/// A file that is open.
pub trait DiskFile: Read + Write + fmt::Debug {
    /// Its size in bytes.
    fn length(&self) -> io::Result<u64>;

    /// Fills the buffer from this offset on.
    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()>;

    /// Writes all of these bytes from this offset on.
    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()>;

    /// Lets the disk begin with what was written, so that to wait for several files takes hardly longer than for one.
    /// It promises nothing.
    fn begin_sync(&self);

    /// Makes what was written durable, and when.
    fn sync(&self) -> io::Result<()>;

    /// Makes what was written durable, whenever that was.
    fn sync_data(&self) -> io::Result<()>;
}

/// The file systems of the host.
#[derive(Debug, Clone, Copy, Default)]
pub struct Host;

impl Disk for Host {
    type File = File;

    fn open(&self, path: &Path, access: Access) -> io::Result<File> {
        let mut options = OpenOptions::new();
        match access {
            Access::Read => options.read(true),
            Access::Update => options.read(true).write(true),
            Access::New => options.read(true).write(true).create_new(true),
            Access::Replace => options.write(true).create(true).truncate(true),
        };
        options.open(path)
    }

    fn rename(&self, from: &Path, to: &Path) -> io::Result<()> {
        fs::rename(from, to)
    }

    fn remove(&self, path: &Path) -> io::Result<()> {
        fs::remove_file(path)
    }

    fn sync_names(&self, beside: &Path) -> io::Result<()> {
        File::open(folder(beside))?.sync_all()
    }

    fn modified(&self, path: &Path) -> io::Result<SystemTime> {
        fs::metadata(path)?.modified()
    }

    fn set_modified(&self, path: &Path, at: SystemTime) -> io::Result<()> {
        let since = at.duration_since(UNIX_EPOCH).map_err(io::Error::other)?;
        utimensat(AT_FDCWD, path, &TimeSpec::UTIME_OMIT, &since.into(), UtimensatFlags::FollowSymlink)?;
        Ok(())
    }
}

impl DiskFile for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn read_exact_at(&self, buffer: &mut [u8], offset: u64) -> io::Result<()> {
        FileExt::read_exact_at(self, buffer, offset)
    }

    fn write_all_at(&self, bytes: &[u8], offset: u64) -> io::Result<()> {
        FileExt::write_all_at(self, bytes, offset)
    }

    fn begin_sync(&self) {
        // Linux starts to write what it is told will not be needed. Whether it does is for `sync` to find out.
        let _ = posix_fadvise(self, 0, 0, PosixFadviseAdvice::POSIX_FADV_DONTNEED);
    }

    fn sync(&self) -> io::Result<()> {
        self.sync_all()
    }

    fn sync_data(&self) -> io::Result<()> {
        Self::sync_data(self)
    }
}

/// The directory of a file.
pub(super) fn folder(path: &Path) -> &Path {
    path.parent().filter(|parent| !parent.as_os_str().is_empty()).unwrap_or(Path::new("."))
}
