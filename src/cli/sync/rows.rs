//! The rows of the server's reply, taken apart.

use super::{BEHIND, FINE, TROUBLE};
use crate::dns::Name;
use crate::transfer::standing::State;

/// What the server told.
#[derive(Debug, Default)]
pub(super) struct Standing<'a> {
    pub(super) totals: Vec<(State, u64)>,
    pub(super) zones: Vec<Zone<'a>>,
}

/// A zone's row.
#[derive(Debug)]
pub(super) struct Zone<'a> {
    pub(super) state: State,
    pub(super) name: &'a str,
    pub(super) class: &'a str,
    pub(super) view: &'a str,
    pub(super) serial: Option<u64>,
    pub(super) confirmed_s: Option<u64>,
    pub(super) next_s: Option<u64>,
    pub(super) expires_s: Option<u64>,
    /// The last transfer, and whence.
    pub(super) transfer: Option<(&'a str, Transfer)>,
    pub(super) primaries: Vec<Primary<'a>>,
}

/// A transfer.
#[derive(Debug, Clone, Copy)]
pub(super) struct Transfer {
    pub(super) ended_s: u64,
    pub(super) bytes: u64,
    pub(super) took_ms: u64,
}

/// A primary's row.
#[derive(Debug)]
pub(super) struct Primary<'a> {
    pub(super) address: &'a str,
    pub(super) serial: Option<u64>,
    pub(super) checked_s: Option<u64>,
    pub(super) answered_s: Option<u64>,
    pub(super) trouble: Option<&'a str>,
    pub(super) last_error_s: Option<u64>,
    pub(super) last_error: Option<&'a str>,
    pub(super) transfer: Option<Transfer>,
}

impl<'a> Standing<'a> {
    /// None: a row that this program does not know.
    pub(super) fn read(rows: &'a str) -> Option<Self> {
        let mut standing = Self::default();
        for row in rows.lines().filter(|row| !row.is_empty()) {
            let (kind, words) = row.split_once('\t')?;
            let mut words = words.split('\t');
            match kind {
                "total" => standing.totals.push((State::from_name(words.next()?)?, words.next()?.parse().ok()?)),
                "zone" => standing.zones.push(Zone::read(&mut words)?),
                "primary" => standing.zones.last_mut()?.primaries.push(Primary::read(&mut words)?),
                _ => return None,
            }
        }
        standing.zones.sort_by_cached_key(|zone| (zone.state, zone.name.parse::<Name>().ok()));
        Some(standing)
    }

    pub(super) fn exit_code(&self) -> u8 {
        match self.totals.iter().map(|(state, _)| *state).min() {
            Some(state) if state.is_trouble() => TROUBLE,
            Some(State::Behind) => BEHIND,
            _ => FINE,
        }
    }
}

/// The rows of a part, and where the next one begins.
pub(super) fn split_part(rows: &str) -> (&str, Option<&str>) {
    let last = rows.trim_end().rfind('\n').map_or(0, |end| end + 1);
    match rows[last..].trim_end().strip_prefix("more\t") {
        Some(next) => (&rows[..last], Some(next)),
        None => (rows, None),
    }
}

/// A word that may be missing, for which "-" stands.
fn optional(word: Option<&str>) -> Option<Option<&str>> {
    word.map(|word| Some(word).filter(|word| *word != "-"))
}

fn number(word: Option<&str>) -> Option<Option<u64>> {
    optional(word)?.map_or(Some(None), |word| word.parse().ok().map(Some))
}

impl<'a> Zone<'a> {
    fn read(words: &mut impl Iterator<Item = &'a str>) -> Option<Self> {
        let (state, name) = (State::from_name(words.next()?)?, words.next()?);
        let (class, view) = (words.next()?, words.next()?);
        let [serial, confirmed_s, next_s, expires_s] =
            [number(words.next())?, number(words.next())?, number(words.next())?, number(words.next())?];
        let transfer = optional(words.next())?.zip(Transfer::read(words)?);
        let primaries = vec![];
        Some(Self { state, name, class, view, serial, confirmed_s, next_s, expires_s, transfer, primaries })
    }
}

impl Transfer {
    fn read<'a>(words: &mut impl Iterator<Item = &'a str>) -> Option<Option<Self>> {
        let [ended_s, bytes, took_ms] = [number(words.next())?, number(words.next())?, number(words.next())?];
        let known = ended_s.zip(bytes.zip(took_ms));
        Some(known.map(|(ended_s, (bytes, took_ms))| Self { ended_s, bytes, took_ms }))
    }
}

impl<'a> Primary<'a> {
    fn read(words: &mut impl Iterator<Item = &'a str>) -> Option<Self> {
        Some(Self {
            address: words.next()?,
            serial: number(words.next())?,
            checked_s: number(words.next())?,
            answered_s: number(words.next())?,
            trouble: optional(words.next())?,
            last_error_s: number(words.next())?,
            last_error: optional(words.next())?,
            transfer: Transfer::read(words)?,
        })
    }
}
