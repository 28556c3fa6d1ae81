//! A file in pieces that end where a line does: bounded memory however long the file is.

use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use memchr::memrchr;

/// The part of a file that is in memory.
pub(super) struct Window {
    file: File,
    bytes: Vec<u8>,
    filled: usize,
    is_last: bool,
}

impl Window {
    /// Opens a plain file and reads its first piece; also its time of last change.
    pub(super) fn open(path: &Path) -> io::Result<(Self, Option<SystemTime>)> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() {
            return Err(io::Error::from(io::ErrorKind::IsADirectory));
        }
        let size = usize::try_from(metadata.len()).unwrap_or(usize::MAX).saturating_add(1);
        let bytes = vec![0; size.clamp(1, PIECE_BYTES)];
        let mut window = Self { file, bytes, filled: 0, is_last: false };
        window.fill()?;
        Ok((window, metadata.modified().ok()))
    }

    /// Whole lines, or all that is left of the file.
    pub(super) fn piece(&self) -> &[u8] {
        let filled = self.bytes.get(..self.filled).unwrap_or_default();
        match memrchr(b'\n', filled) {
            Some(end) if !self.is_last => filled.get(..=end).unwrap_or_default(),
            None if !self.is_last => &[],
            _ => filled,
        }
    }

    /// Whether the file ends with [`Self::piece`].
    pub(super) fn is_last(&self) -> bool {
        self.is_last
    }

    /// Drops the first `consumed` bytes and reads on. With nothing consumed the window grows; at its limit that is an
    /// error, since no sane record is so long.
    pub(super) fn advance(&mut self, consumed: usize) -> io::Result<()> {
        self.bytes.copy_within(consumed..self.filled, 0);
        self.filled -= consumed;
        if self.filled == self.bytes.len() {
            if self.filled >= RECORD_LIMIT_BYTES {
                return Err(io::Error::from(io::ErrorKind::FileTooLarge));
            }
            self.bytes.resize(self.filled * 2, 0);
        }
        self.fill()
    }

    fn fill(&mut self) -> io::Result<()> {
        while let Some(free @ [_, ..]) = self.bytes.get_mut(self.filled..) {
            match self.file.read(free) {
                Ok(0) => {
                    self.is_last = true;
                    return Ok(());
                }
                Ok(read) => self.filled += read,
                Err(fault) if fault.kind() == io::ErrorKind::Interrupted => {}
                Err(fault) => return Err(fault),
            }
        }
        Ok(())
    }
}

/// How much of a file is read at a time.
const PIECE_BYTES: usize = 1 << 20;
/// The longest record, comments inside it included.
const RECORD_LIMIT_BYTES: usize = 64 << 20;
