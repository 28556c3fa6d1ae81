//! Damages configurations by their words and statements, so that more of them come past the reader than bytes would.

use crate::mutator::Mutator;

/// What comes in the place of words: the edges of their kinds, and words that mean something in many places.
const WORDS: &str = "\
    0 1 012 0x10 -1 255 256 65535 65536 4294967295 4294967296 99999999999999999999 1.5 50% 101% 1k 17G 1w 1h30m P1W PT1H \
    P1DT2H P99999Y unlimited default yes no true maybe none any localhost localnets auto * port key tls address dscp \
    10.0.0.1 10/8 10.0.0.1/8 10 2001:db8::1 2001:db8::/32 fe80::1%eth0 ::ffff:10.0.0.1 . a..b \\ \"\" \"a\tb\" \"a\\\"b\" \
    IN CH primary secondary hmac-sha256 default_syslog { } ; !";
const MAX_CHANGES: usize = 3;
/// No input grows larger.
const MAX_LENGTH: usize = 1 << 16;

/// One of the seeds with a few changes, some of them pieces of `others`; a piece is repeated at most `deepest` times.
pub(crate) fn damaged(mutator: &mut Mutator, seeds: &[Vec<u8>], others: &[Vec<u8>], deepest: usize) -> Vec<u8> {
    let mut pieces = pieces(mutator.one_of::<Vec<u8>>(seeds));
    for _ in 0..=mutator.below(MAX_CHANGES) {
        let other = self::pieces(mutator.one_of::<Vec<u8>>(others));
        change(mutator, &mut pieces, &other, deepest);
    }
    let mut bytes = pieces.concat();
    bytes.truncate(MAX_LENGTH);
    bytes
}

/// A word, a string or a special byte, and the white space and comments behind it.
type Piece = Vec<u8>;

fn pieces(text: &[u8]) -> Vec<Piece> {
    let (mut pieces, mut rest) = (Vec::new(), text);
    while !rest.is_empty() {
        let length = token_length(rest);
        let end = length + space_length(rest.get(length..).unwrap_or_default());
        pieces.push(rest[..end].to_vec());
        rest = &rest[end..];
    }
    pieces
}

fn token_length(text: &[u8]) -> usize {
    match text {
        [] => 0,
        [b'"', inside @ ..] => inside.iter().position(|&byte| byte == b'"').map_or(text.len(), |end| end + 2),
        [first, ..] if is_special(*first) => 1,
        _ => text.iter().position(|&byte| is_special(byte) || byte == b'"').unwrap_or(text.len()),
    }
}

fn is_special(byte: u8) -> bool {
    b"{};!/# \t\r\n".contains(&byte)
}

fn space_length(text: &[u8]) -> usize {
    let mut at = text.iter().take_while(|byte| byte.is_ascii_whitespace()).count();
    let comment = &text[at..];
    let end: &[u8] = match comment {
        [b'/', b'*', ..] => b"*/",
        [b'#', ..] | [b'/', b'/', ..] => b"\n",
        _ => return at,
    };
    at +=
        comment.windows(end.len()).position(|window| window == end).map_or(comment.len(), |length| length + end.len());
    at + space_length(&text[at..])
}

fn change(mutator: &mut Mutator, pieces: &mut Vec<Piece>, other: &[Piece], deepest: usize) {
    let at = mutator.below(pieces.len());
    if pieces.is_empty() {
        return pieces.extend_from_slice(other);
    }
    match mutator.below(14) {
        0 => drop(pieces.remove(at)),
        1 => pieces.insert(at, pieces[at].clone()),
        2 => pieces.swap(at, mutator.below(other.len()).min(at)),
        3 | 4 => pieces[at] = word(mutator),
        5 => pieces.insert(at, word(mutator)),
        6 | 7 => pieces[at].clone_from(mutator.one_of(other)),
        8 | 9 => replace_statement(mutator, pieces, other),
        10 => quote(&mut pieces[at]),
        11 => pieces[at].make_ascii_uppercase(),
        12 => repeat(mutator, pieces, deepest),
        _ => bytes(mutator, pieces),
    }
}

fn word(mutator: &mut Mutator) -> Piece {
    let words: Vec<&str> = WORDS.split(' ').collect();
    [mutator.one_of(&words).as_bytes(), b" "].concat()
}

/// Puts a statement of another text in the place of a piece of this one, of a statement, or before it.
fn replace_statement(mutator: &mut Mutator, pieces: &mut Vec<Piece>, other: &[Piece]) {
    let theirs = statement(other, mutator.below(other.len()));
    let ours = statement(pieces, mutator.below(pieces.len()));
    let end = if mutator.below(2) == 0 { ours.start } else { ours.end };
    drop(pieces.splice(ours.start..end, other[theirs].iter().cloned()));
}

/// The statement around a piece, up to its semicolon.
fn statement(pieces: &[Piece], at: usize) -> std::ops::Range<usize> {
    let is = |piece: &Piece, bytes: &[u8]| piece.first().is_some_and(|first| bytes.contains(first));
    let start = pieces.iter().take(at).rposition(|piece| is(piece, b"{;")).map_or(0, |before| before + 1);
    let (mut end, mut depth) = (start, 0);
    while let Some(piece) = pieces.get(end) {
        end += 1;
        depth += i32::from(is(piece, b"{")) - i32::from(is(piece, b"}"));
        if depth <= 0 && is(piece, b";}") {
            break;
        }
    }
    start..end
}

/// Gives a word quotes, or takes them from a string.
fn quote(piece: &mut Piece) {
    let length = token_length(piece);
    let space = piece.split_off(length);
    *piece = match piece.as_slice() {
        [b'"', inside @ .., b'"'] => [inside, b" ", &space].concat(),
        bare => [b"\"", bare, b"\"", &space].concat(),
    };
}

/// Repeats a few pieces up to so many times.
fn repeat(mutator: &mut Mutator, pieces: &mut Vec<Piece>, deepest: usize) {
    let start = mutator.below(pieces.len());
    let end = (start + 1 + mutator.below(4)).min(pieces.len());
    let times = 1 + mutator.below(deepest);
    let repeated = pieces[start..end].concat().repeat(times.min(MAX_LENGTH / (end - start)));
    pieces.insert(start, repeated);
}

/// Damages the bytes.
fn bytes(mutator: &mut Mutator, pieces: &mut Vec<Piece>) {
    let whole = pieces.concat();
    let damaged = mutator.damaged(std::slice::from_ref(&whole));
    *pieces = vec![damaged];
}
