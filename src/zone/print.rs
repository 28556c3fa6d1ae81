//! A zone as text, byte for byte as named writes it for `masterfile-format text`.
//!
//! The relative style (named's own) shortens names by `$ORIGIN` and TTLs by `$TTL`; the full style has every name, TTL
//! and class on every line. Columns are reached by tabs as named does. In the relative style SOA records, keys,
//! signatures, digests and unknown types are spread over several lines as named does it.

mod spread;

use std::borrow::Cow;
use std::fmt::Write as _;
use std::io::{self, Write};
use std::time::{SystemTime, UNIX_EPOCH};

use super::contents::{Cursor, ZoneVersion};
use super::listing::{self, Listed, listed};
use super::node::{Node, Rrset};
use crate::dns::{NameBuf, NameRef, Rtype, Serial, rdata};

/// How text is laid out (`masterfile-style`).
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Style {
    /// For people.
    #[default]
    Relative,
    /// For line-oriented tools.
    Full,
    /// The same, and behind signatures when they are to be made anew: named knows that of zones that it has read
    /// from files.
    FullWithResign,
}

/// Writes all records of `version` as text.
pub fn dump(version: &ZoneVersion, style: Style, out: &mut impl Write) -> io::Result<()> {
    match style {
        Style::Full => full(version, false, out),
        Style::FullWithResign => full(version, true, out),
        Style::Relative => Relative::new(version).dump(out),
    }
}

/// The RRsets of a node as named orders them in dumps: SOA, NS, then by type, each with its signatures behind it.
pub fn in_dump_order<'a>(node: &Node<'a>) -> impl Iterator<Item = Listed<'a>> + use<'a> {
    let mut rrsets = listed(node);
    for some in rrsets.chunks_mut(SORTED_TOGETHER) {
        some.sort_by_key(|Listed { rrset, .. }| (rank(rrset.covered()), rrset.rtype() == Rtype::RRSIG));
    }
    rrsets.into_iter()
}

fn rank(rtype: Rtype) -> u32 {
    match rtype {
        Rtype::SOA => 0,
        Rtype::NS => 1,
        other => u32::from(other.0) + 2,
    }
}

fn full(version: &ZoneVersion, tells_resign: bool, out: &mut impl Write) -> io::Result<()> {
    let mut line = Line::default();
    let class = version.class().to_string();
    for node in version.nodes() {
        let own = node.owner().to_string();
        for Listed { rrset, spelling, is_merged } in in_dump_order(&node) {
            let owner = spelling.map_or(Cow::Borrowed(&own), |spelling| Cow::Owned(spelling.to_string()));
            for data in rrset.rdatas() {
                line.push(&owner);
                line.go_to(FULL_TTL_COLUMN);
                line.push(&rrset.ttl().to_string());
                line.go_to(FULL_TTL_COLUMN);
                line.push(&class);
                line.go_to(FULL_TTL_COLUMN);
                line.push(&rrset.rtype().to_string());
                line.go_to(FULL_RDATA_COLUMN);
                rdata::to_text(rdata::in_class(rrset.rtype(), version.class()), data, &mut line.text);
                line.write(out)?;
            }
            if tells_resign && rrset.rtype() == Rtype::RRSIG && !is_merged {
                writeln!(out, "; resign={}", rdata::time_text(resign_time(&rrset)))?;
            }
        }
    }
    Ok(())
}

/// When the first of some signatures ends. One that is not valid yet is to be made anew at once, says BIND.
fn resign_time(rrset: &Rrset<'_>) -> u32 {
    let now_s = SystemTime::now().duration_since(UNIX_EPOCH).unwrap_or_default().as_secs() as u32;
    let times = rrset.rdatas().filter_map(|data| {
        let (expiration, inception) = rdata::signature_times(data)?;
        Some(if Serial(inception).is_newer_than(Serial(now_s)) { now_s } else { expiration })
    });
    times.min().unwrap_or_default()
}

/// What has been said so far in a relative dump and need not be said again.
struct Relative<'v> {
    version: &'v ZoneVersion,
    origin: Option<NameBuf>,
    ttl: Option<u32>,
    has_class: bool,
    line: Line,
}

impl<'v> Relative<'v> {
    fn new(version: &'v ZoneVersion) -> Self {
        Self { version, origin: None, ttl: None, has_class: false, line: Line::default() }
    }

    fn dump(mut self, out: &mut impl Write) -> io::Result<()> {
        let mut ahead = self.version.cursor();
        ahead.next(self.version);
        let (mut previous, mut is_nsec3) = (None, false);
        for node in self.version.nodes() {
            let owner = node.owner();
            if node.is_nsec3() != std::mem::replace(&mut is_nsec3, node.is_nsec3()) {
                // They have a tree of their own, which starts anew.
                self.origin = None;
                previous = None;
            }
            let next = self.behind_all_below(owner.as_ref(), is_nsec3, &mut ahead);
            let name = listing::tree_name(&node, owner.as_ref(), previous.as_ref());
            let origin = self.origin_of(name.as_ref(), previous.as_ref(), next.as_ref());
            self.node(&node, owner.as_ref(), origin, out)?;
            previous = Some(name);
        }
        Ok(())
    }

    /// The first name of the same tree behind `owner` that is not below it; `ahead` goes to the one that comes next.
    fn behind_all_below(&self, owner: NameRef<'_>, is_nsec3: bool, ahead: &mut Cursor) -> Option<NameBuf> {
        let next = ahead.next(self.version).filter(|node| node.is_nsec3() == is_nsec3)?.owner();
        if owner == self.version.apex() || !next.as_ref().is_at_or_below(owner) {
            return Some(next);
        }
        let mut place = ahead.clone();
        let others = std::iter::from_fn(|| place.next(self.version).filter(|node| node.is_nsec3() == is_nsec3));
        others.map(|node| node.owner()).find(|name| !name.as_ref().is_at_or_below(owner))
    }

    /// The origin that named has for a name: the node of its tree of trees that the name hangs below. That is the
    /// deepest name above which is there itself, is shared with a neighbour, or starts with an asterisk: those have
    /// nodes of their own.
    fn origin_of<'n>(&self, owner: NameRef<'n>, previous: Option<&NameBuf>, next: Option<&NameBuf>) -> NameRef<'n> {
        if owner == self.version.apex() {
            return NameRef::ROOT;
        }
        let above = owner.parent().unwrap_or(owner);
        if owner.is_wildcard() {
            return above;
        }
        let is_shared = |name: &NameRef<'_>| {
            let shares = |other: &NameBuf| other.as_ref().is_at_or_below(*name);
            previous.is_some_and(shares) || next.is_some_and(shares)
        };
        let apex = self.version.apex();
        let is_node = |name: &NameRef<'_>| name.is_wildcard() || is_shared(name) || *name == apex;
        above.ancestors().find(is_node).unwrap_or(above)
    }

    fn node(
        &mut self,
        node: &Node<'_>,
        owner: NameRef<'_>,
        origin: NameRef<'_>,
        out: &mut impl Write,
    ) -> io::Result<()> {
        if self.origin.as_ref().is_none_or(|known| known.as_ref() != origin) {
            writeln!(out, "$ORIGIN {origin}")?;
            self.origin = Some(NameBuf::from_name(origin));
        }
        let mut is_first = true;
        for Listed { rrset, spelling, .. } in in_dump_order(node) {
            self.ttl(rrset.ttl(), out)?;
            for data in rrset.rdatas() {
                if is_first {
                    self.line.push_relative(spelling.as_ref().map_or(owner, NameBuf::as_ref), origin);
                }
                is_first = false;
                self.record(&rrset, data, origin);
                self.line.write(out)?;
            }
        }
        Ok(())
    }

    fn ttl(&mut self, ttl: u32, out: &mut impl Write) -> io::Result<()> {
        if self.ttl == Some(ttl) {
            return Ok(());
        }
        self.ttl = Some(ttl);
        writeln!(out, "$TTL {ttl}\t; {}", Duration(ttl))
    }

    fn record(&mut self, rrset: &Rrset<'_>, data: &[u8], origin: NameRef<'_>) {
        let line = &mut self.line;
        line.go_to(RELATIVE_TYPE_COLUMN);
        if !self.has_class {
            self.has_class = true;
            line.push(&self.version.class().to_string());
            line.go_to(RELATIVE_TYPE_COLUMN);
        }
        line.push(&rrset.rtype().to_string());
        line.go_to(RELATIVE_RDATA_COLUMN);
        let text = &mut line.text;
        let start = text.len();
        let form = rdata::in_class(rrset.rtype(), self.version.class());
        // Under "$ORIGIN ." named leaves the names in data absolute.
        if origin.is_root() {
            rdata::to_text(form, data, text);
        } else {
            rdata::to_relative_text(form, data, origin, text);
        }
        spread::spread(form.rtype, data, text, start);
    }
}

/// Seconds in words, as BIND has them: `1 hour 30 minutes`.
struct Duration(u32);

impl std::fmt::Display for Duration {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        if self.0 == 0 {
            return f.write_str("0 seconds");
        }
        let mut rest = self.0;
        let mut blank = "";
        for (unit, seconds) in UNITS {
            let count = rest / seconds;
            rest %= seconds;
            if count > 0 {
                write!(f, "{blank}{count} {unit}{}", if count == 1 { "" } else { "s" })?;
                blank = " ";
            }
        }
        Ok(())
    }
}

/// A line in the making, with the column that it has come to.
#[derive(Default)]
pub(super) struct Line {
    pub(super) text: String,
    column: usize,
}

impl Line {
    pub(super) fn push(&mut self, text: &str) {
        self.text.push_str(text);
        self.column += text.len();
    }

    /// Adds a name without the labels of `origin`.
    fn push_relative(&mut self, name: NameRef<'_>, origin: NameRef<'_>) {
        let start = self.text.len();
        if name == origin {
            self.text.push('@');
        } else {
            let _ = write!(self.text, "{name}");
            let cut = if origin.is_root() { 1 } else { origin.to_string().len() + 1 };
            self.text.truncate(self.text.len().saturating_sub(cut).max(start));
        }
        self.column += self.text.len() - start;
    }

    /// Goes to a column by tabs and spaces; at least one column on.
    pub(super) fn go_to(&mut self, column: usize) {
        let to = column.max(self.column + 1);
        let mut from = self.column;
        for _ in from / TAB_COLUMNS..to / TAB_COLUMNS {
            self.text.push('\t');
            from = to / TAB_COLUMNS * TAB_COLUMNS;
        }
        for _ in from..to {
            self.text.push(' ');
        }
        self.column = to;
    }

    pub(super) fn write(&mut self, out: &mut impl Write) -> io::Result<()> {
        self.text.push('\n');
        let written = out.write_all(self.text.as_bytes());
        self.text.clear();
        self.column = 0;
        written
    }
}

/// How many RRsets of a name named sorts at a time.
const SORTED_TOGETHER: usize = 64;
const TAB_COLUMNS: usize = 8;
const FULL_TTL_COLUMN: usize = 46;
const FULL_RDATA_COLUMN: usize = 64;
const RELATIVE_TYPE_COLUMN: usize = 24;
const RELATIVE_RDATA_COLUMN: usize = 32;
const UNITS: [(&str, u32); 5] = [("week", 604_800), ("day", 86_400), ("hour", 3600), ("minute", 60), ("second", 1)];
