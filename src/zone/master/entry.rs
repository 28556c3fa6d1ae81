//! One entry of a master file: a directive, or a record with what it inherits from the ones before.

use std::path::Path;

use super::fault::{Fault, Lines, Stop, Voice};
use super::heading::Heading;
use super::scan::Scanner;
use super::ttl::MAX_TTL_S;
use super::{Context, Loader, NO_NEWLINE, Sink};
use crate::dns::host::{is_address, is_host};
use crate::dns::name::{NameError, NoDot};
use crate::dns::text::Tokens;
use crate::dns::{Class, NameBuf, NameRef, Rtype, rdata};
use crate::zone::hosts::{BAD_OWNER, has_inner_wildcard, is_owner_allowed, is_reverse};
use crate::zone::message::Strictness;

/// The owner that an entry without one of its own inherits.
pub(super) struct Owner {
    name: Box<NameBuf>,
    /// Memory for the next one.
    spare: Box<NameBuf>,
    /// The text that it was read from, in case it is repeated; empty if the origin has changed since.
    text: Vec<u8>,
    is_known: bool,
    /// Whether nothing has been said of it.
    is_new: bool,
    /// Records of owners outside the zone are read, for their faults, and dropped.
    is_in_zone: bool,
    /// Whether it is the name of a host for certain, and has no asterisk.
    is_host: bool,
    /// Whether the origin is the name of a host, if that has been asked.
    is_origin_host: Option<bool>,
}

impl Owner {
    /// At the start of a zone's file there is none.
    pub(super) fn none() -> Self {
        let name = || Box::new(NameBuf::root());
        Self {
            name: name(),
            spare: name(),
            text: Vec::new(),
            is_known: false,
            is_new: false,
            is_in_zone: false,
            is_host: false,
            is_origin_host: None,
        }
    }

    fn name(&self) -> NameRef<'_> {
        (*self.name).as_ref()
    }

    /// The same owner for an included file, where its text may mean another name.
    pub(super) fn for_include(&self) -> Self {
        let (name, none) = (self.name.clone(), Self::none());
        Self { name, is_known: self.is_known, is_in_zone: self.is_in_zone, is_host: self.is_host, ..none }
    }

    /// After a change of origin the text may mean another name.
    pub(super) fn forget_text(&mut self) {
        self.text.clear();
        self.is_origin_host = None;
    }

    /// Takes the name that is in `spare` for the owner, which was written as `text`. Says whether it is another than
    /// before, or in another case.
    #[inline]
    fn change(&mut self, text: &[u8], apex: NameRef<'_>) -> bool {
        std::mem::swap(&mut self.name, &mut self.spare);
        let is_other = !self.is_known || self.name().as_bytes() != (*self.spare).as_ref().as_bytes();
        self.is_new |= is_other;
        self.text.clear();
        self.text.extend_from_slice(text);
        (self.is_known, self.is_in_zone) = (true, self.name().is_at_or_below(apex));
        is_other
    }
}

impl<S: Sink> Loader<'_, S> {
    /// Reads the entry that `scanner` stands at. Until it is known to be there whole, nothing happens that reading it
    /// again would do twice.
    #[inline]
    pub(super) fn entry(
        &mut self,
        scanner: &mut Scanner<'_>,
        is_inherited: bool,
        context: &mut Context<'_>,
    ) -> Result<(), Stop> {
        let is_repeated = !is_inherited && context.owner.is_known && scanner.repeats(&context.owner.text);
        if !(is_inherited || is_repeated || self.plain_owner(scanner, context)) {
            let Some(token) = scanner.next_token() else { return self.nothing(scanner) };
            scanner.start_behind_parentheses(token);
            if token.text.starts_with(b"$") {
                return self.directive(token.text, scanner, context);
            }
            if context.unfinished.is_some() {
                return self.finish(token.text, scanner, context);
            }
            self.owner(token.text, context)?;
        } else if !context.owner.is_known {
            return Err(Fault::worded(Voice::Plain, "no current owner name", "no owner"));
        }
        self.record(scanner, is_inherited, context)
    }

    /// An entry without a field: nothing but parentheses.
    #[cold]
    fn nothing(&self, scanner: &mut Scanner<'_>) -> Result<(), Stop> {
        match scanner.fault() {
            Some(fault) => Err(Fault::unreadable(fault)),
            None if scanner.is_starved() => Err(Stop::Starved),
            None => {
                scanner.finish_record();
                Ok(())
            }
        }
    }

    /// Takes the owner of a record from its text.
    pub(super) fn owner(&mut self, text: &[u8], context: &mut Context<'_>) -> Result<(), Stop> {
        if text == context.owner.text {
            return Ok(());
        }
        if text.is_empty() {
            return Err(Fault::load("unexpected end of input"));
        }
        let owner = &mut context.owner;
        *owner.spare = NameBuf::from_text(text, Some(context.origin.as_ref())).map_err(name_fault)?;
        self.sink.capitals(text);
        let is_other = owner.change(text, self.options.apex.as_ref());
        owner.is_host = false;
        if is_other {
            self.begin_owner(context.owner.name());
        }
        Ok(())
    }

    /// The same for an owner that is written plainly, with a blank behind it. False, with nothing done, if it is not.
    #[inline]
    fn plain_owner(&mut self, scanner: &mut Scanner<'_>, context: &mut Context<'_>) -> bool {
        let (owner, origin) = (&mut context.owner, context.origin.as_ref());
        let Some(rest) = scanner.plain_rest().filter(|_| context.unfinished.is_none()) else { return false };
        let Some(name) = owner.spare.set_plain(rest, origin) else { return false };
        let Some((text, [b' ' | b'\t', ..])) = rest.split_at_checked(name.length) else { return false };
        let is_other = owner.change(text, self.options.apex.as_ref());
        if name.has_capital {
            self.sink.capitals(text);
        }
        let mut is_origin_host = || *owner.is_origin_host.get_or_insert_with(|| is_host(origin, false));
        owner.is_host = name.is_host && (name.label_count.is_some() || is_origin_host());
        scanner.step_over(name.length);
        if is_other {
            self.begin_owner(context.owner.name());
        }
        true
    }

    #[inline]
    pub(super) fn record(
        &mut self,
        scanner: &mut Scanner<'_>,
        is_inherited: bool,
        context: &mut Context<'_>,
    ) -> Result<(), Stop> {
        self.remarks(scanner, is_inherited, context);
        if context.is_new_origin {
            context.is_new_origin = !scanner.has_plain_field();
        }
        let mut heading = self.next_heading(scanner, context.path)?;
        heading.ttl = heading.ttl.map(|ttl| self.bounded_ttl(ttl, scanner, context.path));
        self.ttls.latest_s = heading.ttl.or(self.ttls.latest_s);
        let owner = context.owner.name();
        if !(context.owner.is_host && is_for_hosts(heading.rtype)) {
            self.placement(owner, heading.rtype, scanner, context.path);
        }
        self.rdata(heading.rtype, scanner, context)?;
        if !context.owner.is_in_zone {
            scanner.finish_record();
            return Ok(());
        }
        if heading.rtype == Rtype::SOA && self.inherited(owner) != self.options.apex.as_ref() {
            return Err(misplaced_soa(owner));
        }
        if heading.rtype == Rtype::DS && self.inherited(owner) == self.options.apex.as_ref() {
            return Err(misplaced_ds(self.options.apex.as_ref()));
        }
        let ttl = self.ttl(heading, scanner, context.path)?;
        if heading.rtype == Rtype::SOA || (!context.owner.is_host && owner.is_wildcard()) {
            self.check_owner(owner, heading.rtype, context.path, scanner.start_line());
        }
        if S::WANTS_PLACES {
            self.sink.place(context.path, scanner.start_line());
        }
        self.sink.record(owner, heading.rtype, ttl, &self.rdata);
        self.hear();
        if self.batches.is_filled_by(self.rdata.len()) {
            self.commit();
        }
        scanner.finish_record();
        Ok(())
    }

    /// Reads the data of a record, and says what is to be said of it.
    #[inline]
    fn rdata(&mut self, rtype: Rtype, scanner: &mut Scanner<'_>, context: &Context<'_>) -> Result<(), Stop> {
        self.rdata.clear();
        let origin = context.origin.as_ref();
        if self.options.class == Class::IN
            && let Some(text) = scanner.plain_rest()
            && let Some(length) = self.plain.read(rtype, text, origin, &self.checks, &mut self.rdata)
        {
            scanner.step_over(length);
            return Ok(());
        }
        self.unusual_rdata(rtype, scanner, context)
    }

    /// The same for data that is not plain.
    fn unusual_rdata(&mut self, rtype: Rtype, scanner: &mut Scanner<'_>, context: &Context<'_>) -> Result<(), Stop> {
        let origin = context.origin.as_ref();
        if rtype == Rtype::PTR {
            self.checks.is_reverse = self.options.class == Class::IN && is_reverse(context.owner.name());
        }
        let looks_ahead =
            rtype == Rtype::NS && self.options.check_ns != Strictness::Ignore && self.options.class == Class::IN;
        let start = scanner.position();
        let form = rdata::in_class(rtype, self.options.class);
        let read = rdata::from_text_checked(form, scanner, origin, &mut self.checks, &mut self.rdata);
        if looks_ahead {
            // BIND looks at the name before it reads the data, and so misses it earlier.
            match read.is_err().then(|| scanner.field_at(start)) {
                Some(None) => return Err(Fault::missing_field(scanner)),
                Some(Some(token)) if token.quoted => {
                    scanner.enter_quotes_at(start);
                    return Err(Fault::load("syntax error"));
                }
                _ => {}
            }
            self.address_as_name(scanner, context.path);
        }
        if !self.checks.remarks.is_empty() {
            for (line, text) in std::mem::take(&mut self.checks.remarks) {
                self.warn(context.path, line, Voice::Plain, format_args!("warning: {text}"));
            }
        }
        read.map_err(|error| Fault::rdata(&error, scanner))?;
        Fault::check_end(scanner)?;
        if scanner.is_at_end_of_file() {
            self.warn(context.path, scanner.line(), Voice::Plain, NO_NEWLINE);
        }
        Ok(())
    }

    /// Types that a name cannot have. BIND finds that out when it adds them.
    #[inline]
    pub(super) fn check_owner(&mut self, owner: NameRef<'_>, rtype: Rtype, path: &Path, line: u64) {
        let reason = match rtype {
            Rtype::SOA if owner != self.options.apex.as_ref() => NOT_TOP,
            Rtype::NSEC3 if owner.is_wildcard() => "invalid NSEC3 owner name",
            Rtype::NS if owner.is_wildcard() => "invalid NS owner name (wildcard)",
            _ => return,
        };
        if !S::WANTS_PLACES {
            self.report.is_hasty = true;
            let fault = Fault::worded(Voice::Load, format!("{}: {reason}", NoDot(owner)), reason);
            self.stopped(&fault, path, Lines::all(line));
        }
    }

    /// Types that must not stand at just any owner. BIND reads the rest of such a record all the same.
    #[inline]
    pub(super) fn placement(&mut self, owner: NameRef<'_>, rtype: Rtype, scanner: &mut Scanner<'_>, path: &Path) {
        let has_rule = matches!(rtype, MD | MF) || rtype.is_meta();
        if has_rule {
            let reason = if rtype.is_meta() { META_TYPE } else { "obsolete" };
            self.note(&Fault::worded(Voice::Plain, format!("type '{rtype}': {reason}"), reason), scanner, path);
        }
        let strictness = self.options.check_names;
        if strictness == Strictness::Ignore || is_owner_allowed(owner, rtype, self.options.class) {
            return;
        }
        let text = format!("{}: {BAD_OWNER}", NoDot(owner));
        if strictness == Strictness::Fail || rtype == Rtype::NSEC3 {
            self.note(&Fault::worded(Voice::Plain, text, BAD_OWNER), scanner, path);
        } else {
            self.warn(path, scanner.start_line(), Voice::Plain, text);
        }
    }

    /// Counts a fault that does not end its entry.
    pub(super) fn note(&mut self, stop: &Stop, scanner: &mut Scanner<'_>, path: &Path) {
        let line = scanner.start_line();
        self.stopped(stop, path, Lines::all(line));
    }

    /// What is to be said of the owner of a record.
    #[inline]
    fn remarks(&mut self, scanner: &mut Scanner<'_>, is_inherited: bool, context: &mut Context<'_>) {
        if is_inherited {
            if context.is_new_origin {
                self.warn_of_inheritance(scanner, context);
            }
            return;
        }
        let is_new = std::mem::take(&mut context.owner.is_new) && !context.owner.is_host;
        if is_new && self.options.check_wildcard && has_inner_wildcard(context.owner.name()) {
            let owner = NoDot(context.owner.name());
            let text = format!("warning: ownername '{owner}' contains an non-terminal wildcard");
            self.warn(context.path, scanner.start_line(), Voice::Plain, text);
        }
        if !context.owner.is_in_zone {
            let text = format!("ignoring out-of-zone data ({})", NoDot(context.owner.name()));
            self.warn(context.path, scanner.start_line(), Voice::Plain, text);
        }
    }

    fn warn_of_inheritance(&mut self, scanner: &mut Scanner<'_>, context: &Context<'_>) {
        let owner = NoDot(self.inherited(context.owner.name()));
        let origin = NoDot(context.origin.as_ref());
        let text = format!("record with inherited owner ({owner}) immediately after $ORIGIN ({origin})");
        self.warn(context.path, scanner.start_line(), Voice::Plain, text);
    }

    /// An address in the place of a name server.
    #[inline]
    fn address_as_name(&mut self, scanner: &mut Scanner<'_>, path: &Path) {
        let Some(token) = scanner.latest().filter(|token| !token.quoted && is_address(token.text)) else { return };
        let text = format!("NS record '{}' appears to be an address", String::from_utf8_lossy(token.text));
        match self.options.check_ns {
            Strictness::Fail => self.note(&Fault::worded(Voice::Plain, text, "NS is an address"), scanner, path),
            _ => self.warn(path, scanner.start_line(), Voice::Plain, text),
        }
    }

    /// The TTL of a record: its own, `$TTL`, the one before (RFC 1035), or for a first SOA its minimum.
    #[inline]
    fn ttl(&mut self, heading: Heading, scanner: &mut Scanner<'_>, path: &Path) -> Result<u32, Stop> {
        let ttl = match heading.ttl.or(self.ttls.default_s) {
            Some(ttl) => ttl,
            None => self.inherited_ttl(heading.rtype, scanner, path)?,
        };
        if matches!(heading.rtype, Rtype::RRSIG | SIG | NXT) {
            self.remark_on_signature(heading.rtype, path, scanner);
        }
        let ttl = self.rrset_ttl(heading.rtype, ttl, scanner, path);
        if heading.ttl.is_some() || self.ttls.latest_s.is_some() {
            self.ttls.latest_s = Some(ttl);
        }
        match self.options.max_zone_ttl_s {
            Some(limit) if ttl > limit => Err(Fault::long_ttl(ttl, limit)),
            _ => Ok(ttl),
        }
    }

    /// RFC 2181 section 8: a TTL with the top bit set counts as zero.
    #[inline]
    pub(super) fn bounded_ttl(&mut self, ttl: u32, scanner: &mut Scanner<'_>, path: &Path) -> u32 {
        if ttl <= MAX_TTL_S {
            return ttl;
        }
        let text = format!("$TTL {ttl} > MAXTTL, setting $TTL to 0");
        self.warn(path, scanner.start_line(), Voice::Load, text);
        0
    }

    #[cold]
    fn inherited_ttl(&mut self, rtype: Rtype, scanner: &mut Scanner<'_>, path: &Path) -> Result<u32, Stop> {
        if let Some(ttl) = self.ttls.latest_s {
            if !std::mem::replace(&mut self.ttls.has_warned, true) {
                self.warn(path, scanner.start_line(), Voice::Plain, "using RFC1035 TTL semantics");
            }
            return Ok(ttl);
        }
        if self.is_piece {
            // The TTL of a record in another piece.
            return Err(Fault::silent("no ttl"));
        }
        let minimum = self.rdata.last_chunk::<4>().filter(|_| rtype == Rtype::SOA);
        if self.are_hints && minimum.is_none() {
            self.ttls.default_s = Some(0);
            return Ok(0);
        }
        let Some(&minimum) = minimum else {
            self.note(&Fault::worded(Voice::Plain, "no TTL specified; zone rejected", "no ttl"), scanner, path);
            return Ok(0);
        };
        self.warn(path, scanner.start_line(), Voice::Plain, "no TTL specified; using SOA MINTTL instead");
        let ttl = self.bounded_ttl(u32::from_be_bytes(minimum), scanner, path);
        self.ttls.default_s = Some(ttl);
        Ok(ttl)
    }

    /// All records of an RRset have the TTL of the first (RFC 2181 section 5.2).
    #[inline]
    fn rrset_ttl(&mut self, rtype: Rtype, ttl: u32, scanner: &mut Scanner<'_>, path: &Path) -> u32 {
        let covered = match (rtype, self.rdata.first_chunk::<2>()) {
            (Rtype::RRSIG, Some(&covered)) => u32::from(u16::from_be_bytes(covered)),
            _ => 0,
        };
        let rrset = u32::from(rtype.0) << 16 | covered;
        let first = self.batches.ttl(rrset, ttl);
        if first != ttl {
            self.warn(path, scanner.start_line(), Voice::Plain, format!("TTL set to prior TTL ({first})"));
        }
        first
    }
}

/// Types of which the name of any host can have records.
fn is_for_hosts(rtype: Rtype) -> bool {
    matches!(rtype, Rtype::A | Rtype::AAAA | Rtype::MX | Rtype::NS | Rtype::CNAME | Rtype::TXT | Rtype::DS)
        || matches!(rtype, Rtype::PTR | Rtype::RRSIG | Rtype::NSEC)
}

pub(super) fn name_fault(fault: NameError) -> Stop {
    Fault::load(fault.to_string())
}

/// BIND has read the record whole before it sees this.
fn misplaced_soa(owner: NameRef<'_>) -> Stop {
    let text = format!("SOA record not at top of zone ({})", NoDot(owner));
    Fault::skipping_next(Fault::worded(Voice::Plain, text, NOT_TOP))
}

/// The same for what the parent has to say; BIND goes on with the next line.
fn misplaced_ds(owner: NameRef<'_>) -> Stop {
    let text = format!("DS record at top of zone ({})", NoDot(owner));
    Fault::read_whole(Fault::worded(Voice::Plain, text, "at top of zone"))
}

/// RFC 973 put MX in the place of these.
const MD: Rtype = Rtype(3);
const MF: Rtype = Rtype(4);
const SIG: Rtype = Rtype(24);
const NXT: Rtype = Rtype(30);
const NOT_TOP: &str = "not at top of zone";
const META_TYPE: &str = "invalid use of a meta type";
