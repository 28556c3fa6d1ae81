//! Flags one by one, in the order in which they stand: one letter each, clustered or apart, until a word that is none.
//!
//! For programs whose first wrong flag is the one that is told, whatever stands behind it; clap keeps no such order.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

/// What comes next on a command line.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Flag<'w> {
    /// A letter that stands alone.
    Plain(char),
    /// A letter and its value; the letter of the long flag is a hyphen.
    With(char, &'w OsStr),
    /// A letter that the program has not got, or one without the value that it needs.
    Wrong(char),
}

/// The flags of a command line.
#[derive(Debug)]
pub(super) struct Flags<'w> {
    /// The letters, those with a value followed by a colon.
    known: &'static str,
    words: &'w [OsString],
    /// What is left of a cluster.
    cluster: &'w [u8],
    /// A flag of nomd's own, with its hyphens.
    long: Option<&'static str>,
}

impl<'w> Flags<'w> {
    /// The flags in `words`; `known` is written as for getopt(3).
    pub(super) fn new(known: &'static str, words: &'w [OsString]) -> Self {
        Self { known, words, cluster: &[], long: None }
    }

    /// Takes a flag of several letters too, one with a value. BIND has none of these, so they collide with nothing.
    pub(super) fn with_long(self, flag: &'static str) -> Self {
        Self { long: Some(flag), ..self }
    }

    /// The words behind the flags, once there are no more of these.
    pub(super) fn rest(&self) -> &'w [OsString] {
        self.words
    }

    /// Takes the long flag, if it comes next: its value stands behind `=` or is the next word.
    fn long(&mut self) -> Option<Flag<'w>> {
        let (word, rest) = self.words.split_first()?;
        let behind = word.as_bytes().strip_prefix(self.long?.as_bytes())?;
        let attached = behind.strip_prefix(b"=").map(OsStr::from_bytes);
        if attached.is_none() && !behind.is_empty() {
            return None;
        }
        self.words = rest;
        Some(attached.or_else(|| self.value()).map_or(Flag::Wrong('-'), |value| Flag::With('-', value)))
    }

    /// Starts the next cluster. None: the next word is no flag.
    fn open(&mut self) -> Option<()> {
        let (word, rest) = self.words.split_first()?;
        let cluster = word.as_bytes().strip_prefix(b"-")?;
        self.words = rest;
        if cluster == b"-" {
            return None;
        }
        // BIND's parser calls a lone hyphen a flag of that letter.
        self.cluster = if cluster.is_empty() { b"-" } else { cluster };
        Some(())
    }

    fn value(&mut self) -> Option<&'w OsStr> {
        if self.cluster.is_empty() {
            let (word, rest) = self.words.split_first()?;
            self.words = rest;
            return Some(word);
        }
        Some(OsStr::from_bytes(std::mem::take(&mut self.cluster)))
    }
}

impl<'w> Iterator for Flags<'w> {
    type Item = Flag<'w>;

    fn next(&mut self) -> Option<Flag<'w>> {
        if self.cluster.is_empty() {
            if let Some(flag) = self.long() {
                return Some(flag);
            }
            self.open()?;
        }
        let (&letter, rest) = self.cluster.split_first()?;
        self.cluster = rest;
        let letter = char::from(letter);
        let place = self.known.find(letter).filter(|_| letter != ':');
        Some(match place.and_then(|place| self.known.get(place + 1..)) {
            None => Flag::Wrong(letter),
            Some(behind) if behind.starts_with(':') => {
                self.value().map_or(Flag::Wrong(letter), |value| Flag::With(letter, value))
            }
            Some(_) => Flag::Plain(letter),
        })
    }
}

/// A decimal number as strtol(3) reads it: blanks and a sign may stand in front, nothing behind, and no digits are 0.
pub(super) fn number(text: &str) -> Option<i64> {
    based(text, |_| 10)
}

/// The same in the base that C literals show: `10`, `0xa`, `012`.
pub(super) fn literal(text: &str) -> Option<i64> {
    based(text, |digits| match digits.as_bytes() {
        [b'0', b'x' | b'X', ..] => 16,
        [b'0', ..] => 8,
        _ => 10,
    })
}

fn based(text: &str, base: impl Fn(&str) -> u32) -> Option<i64> {
    use std::num::IntErrorKind::{NegOverflow, PosOverflow};
    let word = text.trim_ascii_start();
    let digits = word.trim_start_matches(['+', '-']);
    let (sign, base) = (word.get(..word.len() - digits.len())?, base(digits));
    let is_unsigned = |digits: &&str| !digits.starts_with(['+', '-']);
    let digits = if base == 16 { digits.get(2..).filter(is_unsigned)? } else { digits };
    match i64::from_str_radix(&format!("{sign}{digits}"), base) {
        Ok(number) => Some(number),
        Err(_) if text.is_empty() => Some(0),
        Err(fault) if *fault.kind() == PosOverflow => Some(i64::MAX),
        Err(fault) if *fault.kind() == NegOverflow => Some(i64::MIN),
        Err(_) => None,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn flags(line: &str) -> (Vec<String>, usize) {
        let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
        let mut flags = Flags::new("ab:h", &words);
        (flags.by_ref().map(|flag| format!("{flag:?}")).collect(), flags.rest().len())
    }

    #[test]
    fn flags_come_clustered_or_apart_until_a_word_that_is_none() {
        let expected = vec!["Plain('a')".to_owned(), "With('b', \"1\")".to_owned(), "Plain('h')".to_owned()];
        assert_eq!(flags("-ab1 -h x -a"), (expected.clone(), 2));
        assert_eq!(flags("-a -b 1 -h -- -a"), (expected, 1));
    }

    #[test]
    fn what_is_no_flag_or_lacks_its_value_is_wrong() {
        assert_eq!(flags("-x").0, ["Wrong('x')"]);
        assert_eq!(flags("-ab").0, ["Plain('a')", "Wrong('b')"]);
        assert_eq!(flags("-:").0, ["Wrong(':')"]);
    }

    #[test]
    fn a_long_flag_has_its_value_attached_or_apart() {
        let flags = |line: &str| {
            let words: Vec<OsString> = line.split(' ').map(OsString::from).collect();
            Flags::new("a", &words).with_long("--zonemd").map(|flag| format!("{flag:?}")).collect::<Vec<_>>()
        };
        assert_eq!(flags("-a --zonemd verify -a x"), ["Plain('a')", "With('-', \"verify\")", "Plain('a')"]);
        assert_eq!(flags("--zonemd=compute=sha512"), ["With('-', \"compute=sha512\")"]);
        assert_eq!(flags("--zonemd"), ["Wrong('-')"]);
        assert_eq!(flags("-- --zonemd x"), [""; 0]);
        assert_eq!(flags("--zonem")[0], "Wrong('-')");
    }

    #[test]
    fn numbers_are_read_as_strtol_does() {
        assert_eq!(number(""), Some(0));
        assert_eq!(number(" +12"), Some(12));
        assert_eq!(number("-5"), Some(-5));
        assert_eq!(number("99999999999999999999"), Some(i64::MAX));
        assert_eq!(number("12k"), None);
        assert_eq!(number("k"), None);
        assert_eq!((number("08"), number("0x8"), number("--1"), number(" ")), (Some(8), None, None, None));
    }

    #[test]
    fn literals_are_read_as_strtol_does() {
        assert_eq!(
            (literal("10"), literal("0x1F"), literal("-0x10"), literal("+010")),
            (Some(10), Some(31), Some(-16), Some(8))
        );
        assert_eq!((literal(""), literal("0"), literal("00")), (Some(0), Some(0), Some(0)));
        assert_eq!(
            (literal("08"), literal("0x"), literal("-"), literal("0x-1"), literal("1h")),
            (None, None, None, None, None)
        );
        assert_eq!(literal("0xffffffffffffffffff"), Some(i64::MAX));
    }
}
