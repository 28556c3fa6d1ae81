//! A log file that is appended to, rolled at a size, and kept in versions.
//!
//! With `size` and `versions` a full file is renamed to `.0` and older ones move up, or is renamed to a time stamp;
//! with `size` alone writing stops once the file is full, as in BIND. A file that is not regular is refused. BIND
//! semantics 9.4.

use std::fs::{File, OpenOptions};
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};

use jiff::Timestamp;

/// The most numbered versions that `versions unlimited` moves up at a time.
const MAX_VERSIONS: u32 = 100_000;

/// An open log file.
#[derive(Debug)]
pub struct LogFile {
    path: PathBuf,
    versions: Option<u32>,
    limit_bytes: Option<u64>,
    timestamp_suffix: bool,
    file: File,
    written_bytes: u64,
}

impl LogFile {
    /// Opens for appending, rolling at once what is full already.
    pub fn open(path: &Path, versions: Option<u32>, limit_bytes: Option<u64>, stamps: bool) -> io::Result<Self> {
        let (file, written_bytes) = append(path)?;
        let path = path.to_owned();
        let mut log = Self { path, versions, limit_bytes, timestamp_suffix: stamps, file, written_bytes };
        if log.is_full() {
            log.roll()?;
        }
        Ok(log)
    }

    /// Appends a line and its end.
    pub fn write(&mut self, line: &str) {
        if self.is_full() && (self.versions.is_none() || self.roll().is_err()) {
            return;
        }
        let mut bytes = Vec::with_capacity(line.len().saturating_add(1));
        bytes.extend_from_slice(line.as_bytes());
        bytes.push(b'\n');
        // A full disk loses lines; there is nowhere to report it that is not itself a log.
        if self.file.write_all(&bytes).is_ok() {
            self.written_bytes = self.written_bytes.saturating_add(bytes.len() as u64);
        }
    }

    fn is_full(&self) -> bool {
        self.limit_bytes.is_some_and(|limit| limit > 0 && self.written_bytes >= limit)
    }

    /// Moves the file aside and starts a new one. Without `versions` nothing moves.
    fn roll(&mut self) -> io::Result<()> {
        match self.versions {
            None => return Ok(()),
            Some(0) => std::fs::remove_file(&self.path)?,
            Some(keep) if self.timestamp_suffix => self.roll_to_stamp(keep)?,
            Some(keep) => self.roll_to_number(keep.min(MAX_VERSIONS))?,
        }
        (self.file, self.written_bytes) = append(&self.path)?;
        Ok(())
    }

    fn roll_to_number(&self, keep: u32) -> io::Result<()> {
        let free = (0..keep).find(|&number| !self.numbered(number).exists()).unwrap_or(keep.saturating_sub(1));
        for number in (0..free).rev() {
            std::fs::rename(self.numbered(number), self.numbered(number.saturating_add(1)))?;
        }
        std::fs::rename(&self.path, self.numbered(0))
    }

    fn roll_to_stamp(&self, keep: u32) -> io::Result<()> {
        let mut stamped = self.stamped()?;
        stamped.sort_unstable();
        let keep = usize::try_from(keep.saturating_sub(1)).unwrap_or(usize::MAX);
        let surplus = stamped.len().saturating_sub(keep);
        for old in stamped.iter().take(surplus) {
            std::fs::remove_file(old)?;
        }
        let stamp = Timestamp::now().strftime("%Y%m%d%H%M%S%3f").to_string();
        std::fs::rename(&self.path, self.suffixed(&stamp))
    }

    /// The versions there are whose suffix is a stamp.
    fn stamped(&self) -> io::Result<Vec<PathBuf>> {
        const STAMP_DIGITS: usize = 17;
        let folder = self.path.parent().filter(|folder| !folder.as_os_str().is_empty()).unwrap_or(Path::new("."));
        let prefix = format!("{}.", self.path.file_name().unwrap_or_default().to_string_lossy());
        let is_stamp = |name: &str| {
            name.strip_prefix(&prefix)
                .is_some_and(|rest| rest.len() == STAMP_DIGITS && rest.bytes().all(|byte| byte.is_ascii_digit()))
        };
        let entries = std::fs::read_dir(folder)?.filter_map(Result::ok);
        Ok(entries.filter(|entry| is_stamp(&entry.file_name().to_string_lossy())).map(|entry| entry.path()).collect())
    }

    fn numbered(&self, number: u32) -> PathBuf {
        self.suffixed(&number.to_string())
    }

    fn suffixed(&self, suffix: &str) -> PathBuf {
        let mut name = self.path.clone().into_os_string();
        name.push(".");
        name.push(suffix);
        name.into()
    }
}

fn append(path: &Path) -> io::Result<(File, u64)> {
    // Looked at before it is opened: opening a pipe for writing would wait for a reader.
    if std::fs::metadata(path).is_ok_and(|metadata| !metadata.is_file()) {
        return Err(io::Error::new(io::ErrorKind::InvalidInput, "invalid file"));
    }
    let file = OpenOptions::new().append(true).create(true).open(path)?;
    let length = file.metadata()?.len();
    Ok((file, length))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn contents(path: &Path) -> String {
        std::fs::read_to_string(path).unwrap_or_else(|_| "-".to_owned())
    }

    #[test]
    fn a_full_file_moves_to_zero_and_the_oldest_goes() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let mut log = LogFile::open(&path, Some(2), Some(4), false).unwrap();
        for line in ["one.", "two.", "three", "four"] {
            log.write(line);
        }
        let version = |number| contents(&log.numbered(number));
        assert_eq!(
            (contents(&path), version(0), version(1), version(2)),
            ("four\n".into(), "three\n".into(), "two.\n".into(), "-".into())
        );
    }

    #[test]
    fn without_versions_a_full_file_takes_nothing_more() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        let mut log = LogFile::open(&path, None, Some(4), false).unwrap();
        log.write("first");
        log.write("second");
        assert_eq!(contents(&path), "first\n");
    }

    #[test]
    fn an_existing_file_is_appended_to() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        std::fs::write(&path, "before\n").unwrap();
        LogFile::open(&path, None, None, false).unwrap().write("after");
        assert_eq!(contents(&path), "before\nafter\n");
    }

    #[test]
    fn stamped_versions_are_kept_up_to_their_number() {
        let folder = tempfile::tempdir().unwrap();
        let path = folder.path().join("a.log");
        for stamp in ["20200101000000000", "20210101000000000"] {
            std::fs::write(folder.path().join(format!("a.log.{stamp}")), "").unwrap();
        }
        let mut log = LogFile::open(&path, Some(2), Some(1), true).unwrap();
        log.write("x");
        log.write("y");
        let stamped = log.stamped().unwrap();
        assert_eq!(stamped.len(), 2);
        assert!(!folder.path().join("a.log.20200101000000000").exists());
        assert_eq!(contents(&path), "y\n");
    }

    #[test]
    fn a_folder_is_no_log_file() {
        let folder = tempfile::tempdir().unwrap();
        assert!(LogFile::open(folder.path(), None, None, false).is_err());
    }
}
