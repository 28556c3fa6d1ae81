//! named.conf text to tokens, through includes.
//!
//! An included file's tokens come in place of its `include` statement. Files wait on a stack: of several that one
//! pattern names, the last is read first, as with BIND.

use std::fs::{File, OpenOptions};
use std::io::{self, Read};
use std::os::unix::fs::{FileTypeExt, OpenOptionsExt};
use std::path::Path;
use std::sync::Arc;

use memchr::memmem;
use memchr::{memchr, memchr2};

use super::tree::Arena;

/// The largest plain file, and the most text of all files together.
const MAX_FILE_BYTES: usize = 1 << 30;
/// The most that is read of a pipe or a device.
const MAX_STREAM_BYTES: usize = 1 << 26;
/// How deep includes may lie within each other.
const MAX_INCLUDE_DEPTH: u32 = 1000;
/// The most files: two includes in each, that deep, would never end. Tests need not wait for so many.
const MAX_FILES: usize = if cfg!(test) { 1 << 12 } else { 1 << 20 };

/// A place in the files of a configuration.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Default)]
pub(crate) struct Place {
    /// Index into [`Lexer::files`].
    pub(crate) file: u32,
    /// From 1.
    pub(crate) line: u32,
}

/// One token; its text lies in the file's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Token<'a> {
    /// A bare word.
    Word(&'a str),
    /// A quoted string: the quotes gone, and as it is written.
    Quoted(&'a str, &'a str),
    /// The quote of a string that does not end.
    Unclosed,
    /// One of `{ } ; / !`.
    Special(u8),
    /// The end of the last file.
    End,
}

/// Why no token could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LexError {
    /// A comment that does not end.
    #[error("unexpected end of input")]
    Unfinished,
}

/// A file that is being read.
struct Source<'a> {
    file: u32,
    line: u32,
    /// How many files it is included by.
    depth: u32,
    text: &'a str,
    /// Up to where it has been read.
    at: usize,
    /// Where the last word starts, and where it ends with what is glued to it.
    word: (usize, usize),
}

/// Reads tokens from a file and those that it includes.
pub(crate) struct Lexer<'a> {
    arena: &'a Arena,
    files: Vec<Arc<str>>,
    open: Vec<Source<'a>>,
    /// What has been read of all files.
    bytes: usize,
    place: Place,
}

impl<'a> Lexer<'a> {
    /// Nothing to read yet.
    pub(crate) fn new(arena: &'a Arena) -> Self {
        Self { arena, files: Vec::new(), open: Vec::new(), bytes: 0, place: Place::default() }
    }

    /// Reads the file that everything starts with; it may be a pipe.
    pub(crate) fn open(&mut self, path: &Path, shown: &str) -> io::Result<()> {
        let text = self.read(path)?;
        self.push_within(shown, text, 0);
        Ok(())
    }

    /// Puts included files, each with the name that it goes by, in front of what is being read, the last one first.
    pub(crate) fn include(&mut self, path: &Path, shown: &str, depth: u32) -> io::Result<()> {
        if depth > MAX_INCLUDE_DEPTH || self.files.len() >= MAX_FILES || self.bytes > MAX_FILE_BYTES {
            return Err(io::Error::other("included too deeply"));
        }
        let kind = path.metadata()?.file_type();
        // The other end of a pipe may never write.
        if kind.is_fifo() || kind.is_socket() || kind.is_block_device() {
            return Err(io::ErrorKind::InvalidInput.into());
        }
        let text = self.read(path)?;
        self.push_within(shown, text, depth);
        Ok(())
    }

    fn read(&mut self, path: &Path) -> io::Result<&'a str> {
        let mut file = OpenOptions::new().read(true).custom_flags(libc::O_NOCTTY).open(path)?;
        let metadata = file.metadata()?;
        let length = usize::try_from(metadata.len()).unwrap_or(usize::MAX).min(MAX_FILE_BYTES);
        let bytes = self.arena.bytes(length);
        let filled = fill(&mut file, bytes)?;
        self.bytes += filled;
        let mut more = Vec::new();
        // A file that has grown, or one of those that do not say how long they are.
        let read = file.take(MAX_STREAM_BYTES as u64).read_to_end(&mut more)?;
        self.bytes += read;
        if read == MAX_STREAM_BYTES || length == MAX_FILE_BYTES {
            return Err(io::ErrorKind::FileTooLarge.into());
        }
        match (more.as_slice(), std::str::from_utf8(&bytes[..filled])) {
            ([], Ok(text)) => Ok(text),
            _ => {
                let text = [&bytes[..filled], &more].concat();
                Ok(self.arena.text(&String::from_utf8_lossy(&text)))
            }
        }
    }

    /// The same for text that is at hand.
    #[cfg(test)]
    pub(crate) fn push(&mut self, name: &str, text: &'a str) {
        self.push_within(name, text, 0);
    }

    fn push_within(&mut self, name: &str, text: &'a str, depth: u32) {
        let file = self.files.len() as u32;
        self.files.push(name.into());
        self.open.push(Source { file, line: 1, depth, text, at: 0, word: (0, 0) });
        self.place = Place { file, line: 1 };
    }

    /// How deep what is included here will lie.
    pub(crate) fn depth_of_includes(&self) -> u32 {
        self.open.last().map_or(0, |source| source.depth + 1)
    }

    /// The names of all files read so far.
    pub(crate) fn files(&self) -> &[Arc<str>] {
        &self.files
    }

    /// Where the last token ended.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// The last word, which is `word`, as BIND shows it: with a comment that is glued to it, and what a NUL hides.
    pub(crate) fn whole<'w>(&'w self, word: &'w str) -> &'w str {
        let whole = self.open.last().and_then(|source| source.text.get(source.word.0..source.word.1));
        whole.filter(|whole| whole.starts_with(word)).unwrap_or(word)
    }

    /// Text up to the brace that closes it, the opening one having been read. Only a backslash takes a brace's meaning.
    pub(crate) fn braced(&mut self) -> Result<&'a str, LexError> {
        let Some(source) = self.open.last_mut() else { return Err(LexError::Unfinished) };
        let text = source.braced();
        self.place = Place { file: source.file, line: source.line };
        text
    }

    /// Gives up the rest of the file: a string in it does not end.
    pub(crate) fn skip_to_end(&mut self) -> LexError {
        let Some(source) = self.open.last_mut() else { return LexError::Unfinished };
        let error = source.fail();
        self.place = Place { file: source.file, line: source.line };
        error
    }

    /// The next token.
    #[inline]
    pub(crate) fn token(&mut self) -> Result<Token<'a>, LexError> {
        loop {
            let last = self.open.len() == 1;
            let Some(source) = self.open.last_mut() else { return Ok(Token::End) };
            let result = source.token(self.arena);
            self.place = Place { file: source.file, line: source.line };
            match result {
                Ok(Token::End) if last => return Ok(Token::End),
                Ok(Token::End) => drop(self.open.pop()),
                other => return other,
            }
        }
    }
}

/// Reads until `bytes` are full or the file ends.
fn fill(file: &mut File, bytes: &mut [u8]) -> io::Result<usize> {
    let mut filled = 0;
    while filled < bytes.len() {
        match file.read(&mut bytes[filled..])? {
            0 => break,
            read => filled += read,
        }
    }
    Ok(filled)
}

impl<'a> Source<'a> {
    fn token(&mut self, arena: &'a Arena) -> Result<Token<'a>, LexError> {
        loop {
            let Some(byte) = self.first_of_token() else { return Ok(Token::End) };
            match byte {
                b'"' => return Ok(self.string(arena)),
                b'#' | b'/' if self.comment()? => {}
                _ if is_special(byte) => {
                    self.at += 1;
                    return Ok(Token::Special(byte));
                }
                _ => return self.word(),
            }
        }
    }

    /// Steps over white space to the next byte.
    fn first_of_token(&mut self) -> Option<u8> {
        let bytes = self.text.as_bytes();
        loop {
            let byte = *bytes.get(self.at)?;
            if !is_space(byte) {
                return Some(byte);
            }
            self.line += u32::from(byte == b'\n');
            self.at += 1;
        }
    }

    /// Steps over a comment, if one starts here: `/* */`, `//` or `#`.
    fn comment(&mut self) -> Result<bool, LexError> {
        let rest = self.rest();
        match rest {
            [b'#', ..] | [b'/', b'/', ..] => self.at += memchr(b'\n', rest).unwrap_or(rest.len()),
            [b'/', b'*', ..] => self.at = self.comment_end()? + 1,
            _ => return Ok(false),
        }
        Ok(true)
    }

    /// Where the last byte of the `/* */` lies that starts here; its lines are counted.
    fn comment_end(&mut self) -> Result<usize, LexError> {
        let inside = self.rest().get(2..).unwrap_or_default();
        let Some(length) = memmem::find(inside, b"*/") else { return Err(self.fail()) };
        self.line += line_ends(inside.get(..length).unwrap_or_default());
        Ok(self.at + 2 + length + 1)
    }

    fn braced(&mut self) -> Result<&'a str, LexError> {
        let (start, mut depth, mut is_escaped) = (self.at, 1u32, false);
        for (at, byte) in self.rest().iter().enumerate() {
            match byte {
                b'{' if !is_escaped => depth += 1,
                b'}' if !is_escaped => depth -= 1,
                _ => {}
            }
            is_escaped = *byte == b'\\' && !is_escaped;
            if depth == 0 {
                let inside = self.text.get(start..start + at).unwrap_or_default();
                self.line += line_ends(inside.as_bytes());
                self.at = start + at + 1;
                return Ok(inside);
            }
        }
        Err(self.fail())
    }

    fn word(&mut self) -> Result<Token<'a>, LexError> {
        let (start, bytes) = (self.at, self.text.as_bytes());
        let length =
            |from: usize| bytes.get(from..).unwrap_or_default().iter().take_while(|&&byte| WORD[usize::from(byte)]);
        let end = start + length(start).count();
        self.at = end;
        // To BIND a word ends in its text at a NUL, but not in the file.
        while bytes.get(self.at) == Some(&0) {
            self.at += 1;
            self.at += length(self.at).count();
        }
        // BIND reads the last byte of a comment glued to a word once more, so it is a fault that named finds too.
        let glued = match self.rest() {
            [b'/', b'*', ..] => {
                self.at = self.comment_end()?;
                0
            }
            rest @ ([b'#', ..] | [b'/', b'/', ..]) => memchr(b'\n', rest).unwrap_or(rest.len()),
            _ => 0,
        };
        self.word = (start, self.at + glued);
        Ok(Token::Word(self.text.get(start..end).unwrap_or_default()))
    }

    /// A string: `\"` stands for a quote, any other backslash for itself; it may run over several lines.
    fn string(&mut self, arena: &'a Arena) -> Token<'a> {
        let (start, bytes) = (self.at + 1, self.text.as_bytes());
        let (mut at, mut is_escaped) = (start, false);
        loop {
            let Some(found) = memchr2(b'"', b'\\', bytes.get(at..).unwrap_or_default()) else { return Token::Unclosed };
            at += found;
            if bytes.get(at) == Some(&b'"') {
                break;
            }
            (at, is_escaped) = (at + 2, true);
        }
        let inside = self.text.get(start..at).unwrap_or_default();
        let raw = self.text.get(self.at..=at).unwrap_or_default();
        self.line += line_ends(raw.as_bytes());
        self.at = at + 1;
        let inside = memchr(0, inside.as_bytes()).and_then(|end| inside.get(..end)).unwrap_or(inside);
        Token::Quoted(if is_escaped { arena.text(&inside.replace("\\\"", "\"")) } else { inside }, raw)
    }

    fn rest(&self) -> &'a [u8] {
        self.text.as_bytes().get(self.at..).unwrap_or_default()
    }

    /// Goes to the end.
    fn fail(&mut self) -> LexError {
        self.line += line_ends(self.rest());
        self.at = self.text.len();
        LexError::Unfinished
    }
}

/// How many lines end in `text`.
pub(crate) fn line_ends(text: &[u8]) -> u32 {
    memchr::memchr_iter(b'\n', text).count() as u32
}

const fn is_space(byte: u8) -> bool {
    matches!(byte, b' ' | b'\t' | b'\r' | b'\n')
}

const fn is_special(byte: u8) -> bool {
    matches!(byte, b'{' | b'}' | b';' | b'/' | b'"' | b'!')
}

/// The bytes that words are made of.
static WORD: [bool; 256] = word_bytes();

const fn word_bytes() -> [bool; 256] {
    let mut table = [false; 256];
    // Not NUL.
    let mut byte = 1;
    while byte < table.len() {
        table[byte] = !(is_special(byte as u8) || byte == b'#' as usize || is_space(byte as u8));
        byte += 1;
    }
    table
}
