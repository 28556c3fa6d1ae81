//! A file in pieces that end where a line does: bounded memory however long the file is.

use std::fs::{File, Metadata};
use std::io::{self, Read};
use std::path::Path;
use std::time::SystemTime;

use memchr::memrchr;

/// A file of which nothing has been read yet.
pub(super) struct Opened {
    file: File,
    metadata: Metadata,
}

impl Opened {
    /// Opens a file that is no directory.
    pub(super) fn new(path: &Path) -> io::Result<Self> {
        let file = File::open(path)?;
        let metadata = file.metadata()?;
        if metadata.is_dir() { Err(io::Error::from(io::ErrorKind::IsADirectory)) } else { Ok(Self { file, metadata }) }
    }

    /// How many bytes it has.
    pub(super) fn size(&self) -> u64 {
        self.metadata.len()
    }

    /// When it was changed last.
    pub(super) fn modified(&self) -> Option<SystemTime> {
        self.metadata.modified().ok()
    }
}

/// The part of a file that is in memory.
pub(super) struct Window {
    file: File,
    /// The size of a plain file: with as much of it read and no more to be had, that was the end.
    size: Option<usize>,
    bytes: Vec<u8>,
    filled: usize,
    is_last: bool,
}

impl Window {
    /// Reads the first piece of a file.
    pub(super) fn new(opened: Opened) -> io::Result<Self> {
        let size = usize::try_from(opened.size()).unwrap_or(usize::MAX);
        let bytes = vec![0; size.saturating_add(1).min(PIECE_BYTES)];
        let size = Some(size).filter(|_| opened.metadata.is_file());
        let mut window = Self { file: opened.file, size, bytes, filled: 0, is_last: false };
        window.fill()?;
        Ok(window)
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
                Ok(read) => {
                    let is_short = read < free.len();
                    self.filled += read;
                    if is_short && self.size == Some(self.filled) {
                        // Small files, of which there are many, are read by one call.
                        self.is_last = true;
                        return Ok(());
                    }
                }
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
