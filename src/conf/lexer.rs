//! named.conf text to tokens, through includes.
//!
//! An included file's tokens come in place of its `include` statement. Files wait on a stack: of several that one
//! pattern names, the last is read first, as with BIND.

use std::borrow::Cow;
use std::path::Path;
use std::sync::Arc;

use nom::branch::alt;
use nom::bytes::complete::{is_not, tag, take_until};
use nom::combinator::{opt, recognize, value};
use nom::multi::many0_count;
use nom::{IResult, Parser};

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

/// One token.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) enum Token {
    /// A bare word.
    Word(Box<str>),
    /// A quoted string, quotes gone.
    Quoted(Box<str>),
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
struct Source {
    file: u32,
    line: u32,
    at: usize,
    text: Vec<u8>,
}

/// Reads tokens from a file and those that it includes.
#[derive(Default)]
pub(crate) struct Lexer {
    files: Vec<Arc<str>>,
    open: Vec<Source>,
    place: Place,
}

impl Lexer {
    /// Puts a file in front of what is being read.
    pub(crate) fn open(&mut self, path: &Path, shown: &str) -> std::io::Result<()> {
        if self.open.len() > MAX_INCLUDE_DEPTH {
            return Err(std::io::Error::other("included too deeply"));
        }
        let text = std::fs::read(path)?;
        self.push(shown, text);
        Ok(())
    }

    /// The same for text that is at hand.
    pub(crate) fn push(&mut self, name: &str, text: Vec<u8>) {
        let file = self.files.len() as u32;
        self.files.push(name.into());
        self.open.push(Source { file, line: 1, at: 0, text });
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

    /// The next token.
    pub(crate) fn token(&mut self) -> Result<Token, LexError> {
        loop {
            let last = self.open.len() == 1;
            let Some(source) = self.open.last_mut() else { return Ok(Token::End) };
            let result = source.token();
            self.place = Place { file: source.file, line: source.line };
            match result {
                Ok(Token::End) if last => return Ok(Token::End),
                Ok(Token::End) => drop(self.open.pop()),
                other => return other,
            }
        }
    }
}

impl Source {
    fn token(&mut self) -> Result<Token, LexError> {
        let rest = self.text.get(self.at..).unwrap_or_default();
        let Ok((rest, token)) = blank(rest).and_then(|(rest, ())| next(rest)) else { return Err(self.fail()) };
        self.advance(rest.len());
        Ok(token)
    }

    /// To where so many bytes are left.
    fn advance(&mut self, left: usize) {
        let end = self.text.len() - left;
        let passed = self.text.get(self.at..end).unwrap_or_default();
        self.line += passed.iter().filter(|&&byte| byte == b'\n').count() as u32;
        self.at = end;
    }

    fn fail(&mut self) -> LexError {
        self.advance(0);
        LexError::Unfinished
    }
}

/// White space and comments: `/* */`, `//` and `#`. White space is stepped over by hand: it stands before most tokens,
/// of which a server of many zones has millions.
fn blank(text: &[u8]) -> IResult<&[u8], ()> {
    let mut rest = text;
    loop {
        rest = rest.get(count(rest, is_space)..).unwrap_or_default();
        if !matches!(rest.first(), Some(b'#' | b'/')) {
            return Ok((rest, ()));
        }
        let line = value((), (alt((tag("#"), tag("//"))), opt(is_not("\n"))));
        let (after, commented) = opt(alt((line, comment))).parse(rest)?;
        if commented.is_none() {
            return Ok((rest, ()));
        }
        rest = after;
    }
}

/// How many bytes `text` starts with that are so.
fn count(text: &[u8], is_so: fn(u8) -> bool) -> usize {
    text.iter().position(|&byte| !is_so(byte)).unwrap_or(text.len())
}

fn is_space(byte: u8) -> bool {
    byte.is_ascii_whitespace() || byte == 0x0b
}

/// `/* ... */`. One that does not end is a failure, not merely no comment.
fn comment(text: &[u8]) -> IResult<&[u8], ()> {
    let (rest, _) = tag("/*").parse(text)?;
    let end: IResult<&[u8], _> = value((), (take_until("*/"), tag("*/"))).parse(rest);
    end.map_err(|error| error.map(|_| nom::error::Error::new(rest, nom::error::ErrorKind::TakeUntil))).map_err(failure)
}

fn failure<E>(error: nom::Err<E>) -> nom::Err<E> {
    match error {
        nom::Err::Error(inner) => nom::Err::Failure(inner),
        other => other,
    }
}

fn next(text: &[u8]) -> IResult<&[u8], Token> {
    match text.first() {
        None => Ok((text, Token::End)),
        Some(b'"') => quoted(text),
        Some(&byte) if is_special(byte) => Ok((text.get(1..).unwrap_or_default(), Token::Special(byte))),
        Some(_) => word(text),
    }
}

fn is_special(byte: u8) -> bool {
    matches!(byte, b'{' | b'}' | b';' | b'/' | b'"' | b'!')
}

fn word(text: &[u8]) -> IResult<&[u8], Token> {
    let is_inside = |byte: u8| !(is_special(byte) || byte == b'#' || is_space(byte));
    let (word, rest) = text.split_at(count(text, is_inside));
    Ok((rest, Token::Word(String::from_utf8_lossy(word).into())))
}

/// A string: `\"` stands for a quote, any other backslash for itself; it may run over several lines.
fn quoted(text: &[u8]) -> IResult<&[u8], Token> {
    let escape = recognize((tag("\\"), nom::bytes::complete::take(1usize)));
    let inside = recognize(many0_count(alt((is_not("\"\\"), escape))));
    let (rest, (_, inside, _)) = (tag("\""), inside, tag("\"")).parse(text)?;
    let text = String::from_utf8_lossy(inside);
    let text = if text.contains("\\\"") { Cow::Owned(text.replace("\\\"", "\"")) } else { text };
    Ok((rest, Token::Quoted(text.into())))
}
