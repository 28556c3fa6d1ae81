//! named.conf text to tokens, through includes.
//!
//! An included file's tokens come in place of its `include` statement. Files wait on a stack: of several that one
//! pattern names, the last is read first, as with BIND.

use std::fs::File;
use std::io::Read;
use std::path::Path;
use std::sync::Arc;

use memchr::memchr2;
use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_until};
use nom::combinator::{opt, value};
use nom::{IResult, Parser};

use super::tree::Arena;

/// The largest file.
const MAX_FILE_BYTES: usize = 1 << 30;
/// The most files that may wait for an included one to end.
const MAX_INCLUDE_DEPTH: usize = 64;

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
    /// One of `{ } ; / !`.
    Special(u8),
    /// The end of the last file.
    End,
}

/// Why no token could be read.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(crate) enum LexError {
    /// A comment or string that does not end.
    #[error("unexpected end of input")]
    Unfinished,
}

/// A file that is being read.
struct Source<'a> {
    file: u32,
    line: u32,
    /// What has not been read yet.
    rest: &'a str,
}

/// Reads tokens from a file and those that it includes.
pub(crate) struct Lexer<'a> {
    arena: &'a Arena,
    files: Vec<Arc<str>>,
    open: Vec<Source<'a>>,
    place: Place,
}

impl<'a> Lexer<'a> {
    /// Nothing to read yet.
    pub(crate) fn new(arena: &'a Arena) -> Self {
        Self { arena, files: Vec::new(), open: Vec::new(), place: Place::default() }
    }

    /// Puts a file in front of what is being read.
    pub(crate) fn open(&mut self, path: &Path, shown: &str) -> std::io::Result<()> {
        if self.open.len() > MAX_INCLUDE_DEPTH {
            return Err(std::io::Error::other("included too deeply"));
        }
        let mut file = File::open(path)?;
        let length = usize::try_from(file.metadata()?.len()).unwrap_or(usize::MAX).min(MAX_FILE_BYTES);
        let bytes = self.arena.bytes(length);
        let filled = fill(&mut file, bytes)?;
        let mut more = Vec::new();
        // A file that has grown, or one of those that do not say how long they are.
        file.take(MAX_FILE_BYTES as u64).read_to_end(&mut more)?;
        match (more.as_slice(), std::str::from_utf8(&bytes[..filled])) {
            ([], Ok(text)) => self.push(shown, text),
            _ => {
                let text = [&bytes[..filled], &more].concat();
                self.push(shown, self.arena.text(&String::from_utf8_lossy(&text)));
            }
        }
        Ok(())
    }

    /// The same for text that is at hand.
    pub(crate) fn push(&mut self, name: &str, text: &'a str) {
        let file = self.files.len() as u32;
        self.files.push(name.into());
        self.open.push(Source { file, line: 1, rest: text });
        self.place = Place { file, line: 1 };
    }

    /// The names of all files read so far.
    pub(crate) fn files(&self) -> &[Arc<str>] {
        &self.files
    }

    /// Where the last token ended.
    pub(crate) fn place(&self) -> Place {
        self.place
    }

    /// What the file has left.
    pub(crate) fn rest(&self) -> &'a str {
        self.open.last().map_or("", |source| source.rest)
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
fn fill(file: &mut File, bytes: &mut [u8]) -> std::io::Result<usize> {
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
        self.blank()?;
        let (rest, token) = next(self.rest, arena).map_err(|_| self.fail())?;
        if let Token::Quoted(_, raw) = token {
            self.line += line_ends(raw);
        }
        self.rest = rest;
        Ok(token)
    }

    /// Steps over white space and comments: `/* */`, `//` and `#`. By hand, for it stands before most tokens, of which
    /// a server of many zones has millions.
    fn blank(&mut self) -> Result<(), LexError> {
        loop {
            self.spaces();
            let rest = self.rest;
            if !matches!(rest.as_bytes().first(), Some(b'#' | b'/')) {
                return Ok(());
            }
            let line = value((), (alt((tag("#"), tag("//"))), opt(is_not("\n"))));
            let (after, commented) = opt(alt((line, comment))).parse(rest).map_err(|_| self.fail())?;
            if commented.is_none() {
                return Ok(());
            }
            self.line += line_ends(&rest[..rest.len() - after.len()]);
            self.rest = after;
        }
    }

    fn spaces(&mut self) {
        let mut passed = 0;
        for byte in self.rest.bytes().take_while(|&byte| is_space(byte)) {
            self.line += u32::from(byte == b'\n');
            passed += 1;
        }
        self.rest = self.rest.get(passed..).unwrap_or_default();
    }

    /// Goes to the end.
    fn fail(&mut self) -> LexError {
        self.line += line_ends(self.rest);
        self.rest = "";
        LexError::Unfinished
    }
}

fn line_ends(text: &str) -> u32 {
    text.bytes().filter(|&byte| byte == b'\n').count() as u32
}

/// How many bytes `text` starts with that are so.
fn count(text: &str, is_so: impl Fn(u8) -> bool) -> usize {
    text.bytes().position(|byte| !is_so(byte)).unwrap_or(text.len())
}

const fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

/// `/* ... */`. One that does not end is a failure, not merely no comment.
fn comment(text: &str) -> IResult<&str, ()> {
    let (rest, _) = tag("/*").parse(text)?;
    let end: IResult<&str, _> = value((), (take_until("*/"), tag("*/"))).parse(rest);
    end.map_err(|error| error.map(|_| nom::error::Error::new(rest, nom::error::ErrorKind::TakeUntil))).map_err(failure)
}

fn failure<E>(error: nom::Err<E>) -> nom::Err<E> {
    match error {
        nom::Err::Error(inner) => nom::Err::Failure(inner),
        other => other,
    }
}

fn next<'a>(text: &'a str, arena: &'a Arena) -> IResult<&'a str, Token<'a>> {
    match text.as_bytes().first() {
        None => Ok((text, Token::End)),
        Some(b'"') => quoted(text, arena),
        Some(&byte) if is_special(byte) => Ok((text.get(1..).unwrap_or_default(), Token::Special(byte))),
        Some(_) => Ok(word(text)),
    }
}

const fn is_special(byte: u8) -> bool {
    matches!(byte, b'{' | b'}' | b';' | b'/' | b'"' | b'!')
}

fn word(text: &str) -> (&str, Token<'_>) {
    let (word, rest) = text.split_at(count(text, |byte| WORD[usize::from(byte)]));
    (rest, Token::Word(word))
}

/// The bytes that words are made of.
static WORD: [bool; 256] = word_bytes();

const fn word_bytes() -> [bool; 256] {
    let mut table = [false; 256];
    let mut byte = 0;
    while byte < table.len() {
        table[byte] = !(is_special(byte as u8) || byte == b'#' as usize || is_space(byte as u8));
        byte += 1;
    }
    table
}

/// A string: `\"` stands for a quote, any other backslash for itself; it may run over several lines.
fn quoted<'a>(text: &'a str, arena: &'a Arena) -> IResult<&'a str, Token<'a>> {
    let mut at = 1;
    let mut is_escaped = false;
    loop {
        match memchr2(b'"', b'\\', text.as_bytes().get(at..).unwrap_or_default()).map(|found| at + found) {
            Some(end) if text.as_bytes().get(end) == Some(&b'"') => {
                let (raw, rest) = text.split_at(end + 1);
                let inside = &text[1..end];
                let inside = if is_escaped { arena.text(&inside.replace("\\\"", "\"")) } else { inside };
                return Ok((rest, Token::Quoted(inside, raw)));
            }
            Some(backslash) => (at, is_escaped) = (backslash + 2, true),
            None => {
                return Err(failure(nom::Err::Error(nom::error::Error::new(text, nom::error::ErrorKind::TakeUntil))));
            }
        }
    }
}
