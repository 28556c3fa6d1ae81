//! What stands between the owner of a record and its data: TTL and class in either order, each of them or not, and the
//! type.
//!
//! Most records of a file have the heading of one of the records before, letter for letter. The last few are
//! remembered as words of sixteen bytes, and a record that starts with one of them is not taken apart again.

use std::path::Path;

use super::fault::{Fault, Stop, Voice};
use super::scan::{AHEAD, Scanner};
use super::ttl::ttl_from_text;
use super::{Loader, Sink};
use crate::dns::text::{Token, Tokens};
use crate::dns::{Class, Rtype};

/// What stands between owner and rdata.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) struct Heading {
    pub(super) ttl: Option<u32>,
    pub(super) rtype: Rtype,
}

/// The words of a heading: TTL and class in either order, each of them or not, and then the type.
pub(super) struct Words<'a> {
    pub(super) ttl: Option<u32>,
    pub(super) class: Option<Class>,
    pub(super) rtype: &'a [u8],
}

impl<'a> Words<'a> {
    /// Reads them. The TTL is known even if what comes behind it is wrong.
    #[inline]
    pub(super) fn read(scanner: &mut Scanner<'a>, ttl: &mut Option<u32>) -> Result<Self, Stop> {
        let mut class = None;
        loop {
            let token = scanner.next_token();
            let Token { text, quoted } = token.ok_or_else(|| Fault::missing_field(scanner))?;
            if quoted {
                return Err(Fault::quotes(scanner));
            }
            if ttl.is_none() && text.first().is_some_and(u8::is_ascii_digit) {
                *ttl = ttl_from_text(text);
                if ttl.is_some() {
                    continue;
                }
            }
            if class.is_none() {
                class = class_from_text(text);
                if class.is_some() {
                    continue;
                }
            }
            return Ok(Self { ttl: *ttl, class, rtype: text });
        }
    }
}

/// The headings read last, as they are written with the blank behind them.
#[derive(Default)]
pub(super) struct Recent {
    known: [Option<Known>; RECENT],
    next: usize,
}

/// A heading and its text.
#[derive(Clone, Copy)]
struct Known {
    text: u128,
    /// Ones for the bytes that it has.
    mask: u128,
    length: usize,
    heading: Heading,
}

impl Recent {
    /// The heading that `ahead` starts with, and its length.
    #[inline]
    fn find(&self, ahead: [u8; AHEAD]) -> Option<(usize, Heading)> {
        let ahead = u128::from_le_bytes(ahead);
        let found = self.known.iter().flatten().find(|known| ahead & known.mask == known.text)?;
        Some((found.length, found.heading))
    }

    /// Takes the place of the oldest one, if it is short enough.
    fn remember(&mut self, text: &[u8], heading: Heading) {
        let mut bytes = [0; AHEAD];
        let Some(start) = bytes.get_mut(..text.len()) else { return };
        start.copy_from_slice(text);
        let (text, length) = (u128::from_le_bytes(bytes), text.len());
        let known = Known { text, mask: first_bytes(length), length, heading };
        if let Some(place) = self.known.get_mut(self.next) {
            *place = Some(known);
        }
        self.next = (self.next + 1) % RECENT;
    }
}

/// A word whose first bytes in memory are all ones; up to [`AHEAD`] of them, at least one.
#[inline]
fn first_bytes(length: usize) -> u128 {
    u128::MAX >> (8 * (AHEAD - length))
}

impl<S: Sink> Loader<'_, S> {
    /// The heading that comes next.
    #[inline]
    pub(super) fn next_heading(&mut self, scanner: &mut Scanner<'_>, path: &Path) -> Result<Heading, Stop> {
        let known = scanner.ahead().and_then(|ahead| self.recent.find(ahead));
        if let Some((length, heading)) = known {
            scanner.step_over(length);
            return Ok(heading);
        }
        let start = scanner.position();
        let heading = self.heading(scanner, path)?;
        if let Some(text) = scanner.plain_since(start) {
            self.recent.remember(text, heading);
        }
        Ok(heading)
    }

    #[inline]
    fn heading(&mut self, scanner: &mut Scanner<'_>, path: &Path) -> Result<Heading, Stop> {
        let mut ttl = None;
        let rtype = Words::read(scanner, &mut ttl).and_then(|Words { class, rtype: word, .. }| {
            let rtype = Rtype::from_text(word).map_err(|_| unknown_type(word))?;
            self.expect_class(class).map(|()| rtype)
        });
        if let (Err(_), Some(ttl)) = (&rtype, ttl) {
            // The TTL of a record that is wrong is one for the records behind it all the same.
            self.ttls.latest_s = Some(self.bounded_ttl(ttl, scanner, path));
        }
        Ok(Heading { ttl, rtype: rtype? })
    }

    /// Makes sure that a class that is given is the zone's.
    #[inline]
    pub(super) fn expect_class(&self, class: Option<Class>) -> Result<(), Stop> {
        let Some(class) = class.filter(|class| *class != self.options.class && class.0 != 0) else { return Ok(()) };
        let text = format!("class '{class}' != zone class '{}'", self.options.class);
        Err(Fault::worded(Voice::Plain, text, "bad class"))
    }
}

#[inline]
fn class_from_text(text: &[u8]) -> Option<Class> {
    if text.eq_ignore_ascii_case(b"IN") { Some(Class::IN) } else { std::str::from_utf8(text).ok()?.parse().ok() }
}

fn unknown_type(text: &[u8]) -> Stop {
    let text = format!("unknown RR type '{}'", String::from_utf8_lossy(text));
    Fault::worded(Voice::Plain, text, "unknown class/type")
}

/// How many headings are remembered: enough for a signed zone of names with addresses and mail.
const RECENT: usize = 12;

#[cfg(test)]
mod tests {
    use super::*;

    fn ahead(text: &str) -> [u8; AHEAD] {
        let mut bytes = [b'x'; AHEAD];
        bytes[..text.len()].copy_from_slice(text.as_bytes());
        bytes
    }

    #[test]
    fn the_last_headings_are_known_again_and_longer_ones_are_not_kept() {
        let mut recent = Recent::default();
        let types = [Rtype::A, Rtype::AAAA, Rtype::NS, Rtype::MX, Rtype::DS];
        for (number, rtype) in types.into_iter().cycle().take(RECENT + 1).enumerate() {
            recent.remember(format!("{number} IN {rtype} ").as_bytes(), Heading { ttl: Some(number as u32), rtype });
        }
        recent.remember(b"1000000 IN TYPE1 ", Heading { ttl: None, rtype: Rtype::A });
        assert_eq!(recent.find(ahead("0 IN A ")), None);
        assert_eq!(recent.find(ahead("1 IN AAAA ")), Some((10, Heading { ttl: Some(1), rtype: Rtype::AAAA })));
        assert_eq!(recent.find(ahead("1 IN AAA")), None);
        assert_eq!(recent.find(ahead("4 IN DS ")), Some((8, Heading { ttl: Some(4), rtype: Rtype::DS })));
        assert_eq!(recent.find(ahead("1000000 IN TYPE1")), None);
    }
}
