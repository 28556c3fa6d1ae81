//! One large file on several threads.
//!
//! The file is cut where an owner starts, and each piece is read as if nothing before it mattered but the origin and
//! `$TTL`: behind a piece with a directive the next waits for what came of it. That is a guess, since a piece may start
//! within parentheses or want the TTL of the record before. A piece that does not end where the next begins, and one
//! with a fault, shows that the guess was wrong or that messages have to be exact: then the caller reads the file in
//! one go. Files written by machines never come to that.

use std::collections::BTreeMap;
use std::fs::File;
use std::io::{self, Read};
use std::path::Path;
use std::sync::mpsc::{Receiver, Sender, channel};
use std::sync::{Mutex, PoisonError};
use std::thread;

use memchr::{memchr_iter, memrchr};

use super::entry::Owner;
use super::scan::line_ends;
use super::signatures::Said;
use super::ttl::Ttls;
use super::{Context, Loader, MAX_MESSAGES, Options, PieceSink, Report, Source};
use crate::dns::NameBuf;

/// How much of the file a thread reads at a time: the text and what is made of it stay in a processor's own cache.
const PIECE_BYTES: usize = 1 << 18;
/// The most lines that are looked at to find a place to cut.
const MAX_CUT_LINES: usize = 1000;
/// So many owners before and behind a place are near.
const NEAR: usize = 4;
/// How many pieces wait for each thread.
const AHEAD: usize = 4;

/// Reads the master file at `path` as [`super::read`] does, on so many threads. Each thread has a sink; what comes of
/// the pieces is given to `take` in the order of the file, which refuses one that does not stand for itself. None if
/// that did not work out and the file has to be read in one go; some pieces may have been taken then.
pub fn read_on_threads<S: PieceSink>(
    path: &Path,
    options: &Options,
    threads: usize,
    sink: impl Fn() -> S + Sync,
    take: impl FnMut(S::Piece) -> bool,
) -> Option<Report> {
    read_in_pieces(path, options, (threads, PIECE_BYTES), sink, take)
}

/// The same for pieces of about this many bytes.
fn read_in_pieces<S: PieceSink>(
    path: &Path,
    options: &Options,
    (threads, piece_bytes): (usize, usize),
    sink: impl Fn() -> S + Sync,
    take: impl FnMut(S::Piece) -> bool,
) -> Option<Report> {
    let mut file = File::open(path).ok()?;
    let modified = file.metadata().ok()?.modified().ok();
    let (to_threads, pieces) = channel::<Piece>();
    let (to_us, parts) = channel();
    let pieces = Mutex::new(pieces);
    let report = Report { sources: vec![Source { path: path.into(), modified }], ..Report::default() };
    thread::scope(|scope| {
        for _ in 0..threads {
            let (to_us, pieces, sink) = (to_us.clone(), &pieces, &sink);
            scope.spawn(move || {
                let mut sink = sink();
                while let Some(piece) = next_piece(pieces) {
                    let _ = to_us.send(piece.read(path, options, &mut sink));
                }
            });
        }
        let pieces = Pieces::new(&mut file, piece_bytes, NameBuf::from_name(options.apex.as_ref()));
        let reading =
            Reading { pieces, report, to_threads, parts, waiting: BTreeMap::new(), next: 0, said: Said::default() };
        reading.run(threads * AHEAD, take)
    })
}

fn next_piece(pieces: &Mutex<Receiver<Piece>>) -> Option<Piece> {
    pieces.lock().unwrap_or_else(PoisonError::into_inner).recv().ok()
}

/// A part of the file, and what is thought to hold where it starts.
struct Piece {
    number: usize,
    text: Vec<u8>,
    line: u64,
    is_last: bool,
    origin: NameBuf,
    ttls: Ttls,
}

/// What came of a piece.
struct Part<P> {
    number: usize,
    piece: P,
    /// The memory of the text, for another piece.
    text: Vec<u8>,
    report: Report,
    /// Whether it ended where the next begins, without a fault.
    is_clean: bool,
    origin: NameBuf,
    ttls: Ttls,
}

impl Piece {
    fn read<S: PieceSink>(self, path: &Path, options: &Options, sink: &mut S) -> Part<S::Piece> {
        let mut loader = Loader::new(options, sink);
        loader.ttls = self.ttls;
        loader.is_piece = self.number > 0;
        let owner = Owner::none();
        let mut context = Context { path, origin: self.origin, owner, is_new_origin: false, unfinished: None };
        let mut line = self.line;
        let consumed = loader.piece(&self.text, self.is_last, &mut line, &mut context);
        if self.is_last {
            loader.end_of_file(&self.text, path);
        }
        let is_clean = consumed == self.text.len() && !loader.is_over && loader.report.failure.is_none();
        let (report, ttls) = (loader.report, loader.ttls);
        let (piece, text) = (sink.end_piece(), self.text);
        Part { number: self.number, piece, text, report, is_clean, origin: context.origin, ttls }
    }
}

/// The file in pieces.
struct Pieces<'f> {
    file: &'f mut File,
    /// How much is read at a time.
    bytes: usize,
    /// What was read behind the last cut.
    rest: Vec<u8>,
    /// Memory of earlier pieces.
    spare: Vec<Vec<u8>>,
    is_over: bool,
    number: usize,
    line: u64,
    origin: NameBuf,
    ttls: Ttls,
}

impl<'f> Pieces<'f> {
    fn new(file: &'f mut File, bytes: usize, origin: NameBuf) -> Self {
        let (rest, spare, ttls) = (Vec::new(), Vec::new(), Ttls::default());
        Self { file, bytes, rest, spare, is_over: false, number: 0, line: 1, origin, ttls }
    }

    /// The next piece; none at the end of the file.
    fn next(&mut self) -> io::Result<Option<Piece>> {
        if self.is_over {
            return Ok(None);
        }
        let mut text = self.spare.pop().unwrap_or_default();
        text.clear();
        text.append(&mut self.rest);
        loop {
            let wanted = self.bytes as u64;
            text.reserve(self.bytes);
            let read = (&mut *self.file).take(wanted).read_to_end(&mut text)?;
            self.is_over = (read as u64) < wanted;
            if self.is_over {
                break;
            }
            if let Some(at) = cut(&text) {
                self.rest.extend(text.drain(at..));
                break;
            }
        }
        let (number, line) = (self.number, self.line);
        self.number += 1;
        self.line += line_ends(&text);
        Ok(Some(Piece { number, text, line, is_last: self.is_over, origin: self.origin.clone(), ttls: self.ttls }))
    }
}

/// The side that cuts the file and collects what comes of it.
struct Reading<'f, P> {
    pieces: Pieces<'f>,
    report: Report,
    to_threads: Sender<Piece>,
    parts: Receiver<Part<P>>,
    /// Parts whose turn has not come.
    waiting: BTreeMap<usize, Part<P>>,
    /// How many have been taken.
    next: usize,
    said: Said,
}

impl<P> Reading<'_, P> {
    fn run(mut self, most_ahead: usize, mut take: impl FnMut(P) -> bool) -> Option<Report> {
        loop {
            // The piece with a directive that the others wait for.
            let mut awaited = None;
            while awaited.is_none() && self.pieces.number - self.next < most_ahead {
                let Some(piece) = self.pieces.next().ok()? else { break };
                awaited = has_directive(&piece.text).then_some(piece.number);
                self.to_threads.send(piece).ok()?;
            }
            if self.next == self.pieces.number {
                return Some(self.report);
            }
            let enough = awaited.map_or(self.next + 1, |number| number + 1);
            while self.next < enough {
                let part = self.next_part()?;
                (self.pieces.origin, self.pieces.ttls.default_s) = (part.origin, part.ttls.default_s);
                self.report.messages.extend(part.report.messages);
                self.report.sources.extend(part.report.sources);
                if !take(part.piece) {
                    return None;
                }
                self.pieces.spare.push(part.text);
            }
        }
    }

    /// The part whose turn it is, if it is clean.
    fn next_part(&mut self) -> Option<Part<P>> {
        while !self.waiting.contains_key(&self.next) {
            let part = self.parts.recv().ok()?;
            self.waiting.insert(part.number, part);
        }
        let mut part = self.waiting.remove(&self.next).filter(|part| part.is_clean)?;
        part.report.messages.retain(|message| self.said.is_new(message));
        self.next += 1;
        (self.report.messages.len() + part.report.messages.len() < MAX_MESSAGES).then_some(part)
    }
}

fn has_directive(text: &[u8]) -> bool {
    let is_at_start = |at: usize| at == 0 || text.get(at - 1) == Some(&b'\n');
    memchr_iter(b'$', text).any(is_at_start)
}

/// One of the last places where a line starts with another owner than the line with an owner before it, and where
/// those that stand near before it are not those that follow: the addresses of servers may stand among the records that
/// name them.
fn cut(text: &[u8]) -> Option<usize> {
    let runs = last_runs(text);
    let is_apart = |at: &usize| {
        let (after, before) = runs.split_at(at + 1);
        before.iter().take(NEAR).all(|(_, owner)| !after.iter().any(|(_, other)| owner == other))
    };
    let count = runs.len().saturating_sub(1);
    let at = (NEAR..count).find(is_apart).or_else(|| (0..NEAR.min(count)).rfind(is_apart))?;
    runs.get(at).map(|(start, _)| *start)
}

/// Where the last lines start that have other owners than the lines before, and their owners, the last first.
fn last_runs(text: &[u8]) -> Vec<(usize, &[u8])> {
    let (mut runs, mut end) = (Vec::<(usize, &[u8])>::new(), text.len());
    for _ in 0..MAX_CUT_LINES {
        let Some(before) = text.get(..end).and_then(|text| memrchr(b'\n', text)) else { break };
        if let Some(owner) = text.get(before + 1..).and_then(owner) {
            let is_full = runs.len() > 3 * NEAR;
            match runs.last_mut() {
                Some((start, last)) if *last == owner => *start = before + 1,
                _ if is_full => break,
                _ => runs.push((before + 1, owner)),
            }
        }
        end = before;
    }
    runs
}

/// The owner that a line starts with.
fn owner(line: &[u8]) -> Option<&[u8]> {
    let is_owner = line.first().is_some_and(|first| !b" \t\r\n;()\"$".contains(first));
    let end = line.iter().position(|byte| b" \t\r\n;()\"".contains(byte))?;
    if is_owner { line.get(..end) } else { None }
}

#[cfg(test)]
mod tests;
