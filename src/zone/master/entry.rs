//! One entry of a master file: a directive, or a record with what it inherits from the ones before.

use std::path::Path;

use super::fault::{Fault, Stop, Voice};
use super::heading::Heading;
use super::scan::Scanner;
use super::ttl::MAX_TTL_S;
use super::{Context, Loader, Sink, hosts};
use crate::dns::name::{NameError, NoDot};
use crate::dns::rdata::RdataError;
use crate::dns::text::Tokens;
use crate::dns::{Class, Name, NameBuf, NameRef, Rtype, rdata};
use crate::zone::message::Strictness;

/// The owner that an entry without one of its own inherits.
pub(super) struct Owner {
    name: NameBuf,
    /// The text that it was read from, in case it is repeated; empty if the origin has changed since.
    text: Vec<u8>,
    is_known: bool,
    /// Records of owners outside the zone are read, for their faults, and dropped.
    is_in_zone: bool,
}

impl Owner {
    /// At the start of a zone's file there is none.
    pub(super) fn none() -> Self {
        Self { name: NameBuf::root(), text: Vec::new(), is_known: false, is_in_zone: false }
    }

    /// Whether an entry may inherit it.
    pub(super) fn is_known(&self) -> bool {
        self.is_known
    }

    /// The same owner for an included file, where its text may mean another name.
    pub(super) fn for_include(&self) -> Self {
        Self { name: self.name.clone(), text: Vec::new(), is_known: self.is_known, is_in_zone: self.is_in_zone }
    }

    /// After a change of origin the text may mean another name.
    pub(super) fn forget_text(&mut self) {
        self.text.clear();
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
        if !(is_inherited || is_repeated) {
            let Some(token) = scanner.next_token() else { return self.nothing(scanner) };
            if token.quoted {
                return Err(Fault::load("syntax error"));
            }
            if token.text.starts_with(b"$") {
                return self.directive(token.text, scanner, context);
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
        super::directive::whole(scanner)?;
        scanner.finish_record();
        Ok(())
    }

    /// Takes the owner of a record from its text.
    #[inline]
    fn owner(&mut self, text: &[u8], context: &mut Context<'_>) -> Result<(), Stop> {
        if text == context.owner.text {
            return Ok(());
        }
        let name = NameBuf::from_text(text, Some(context.origin.as_ref())).map_err(name_fault)?;
        if name != context.owner.name || !context.owner.is_known {
            self.rrset_ttls.clear();
        }
        let is_in_zone = name.as_ref().is_at_or_below(self.options.apex.as_ref());
        let owner = &mut context.owner;
        owner.text.clear();
        owner.text.extend_from_slice(text);
        (owner.name, owner.is_known, owner.is_in_zone) = (name, true, is_in_zone);
        Ok(())
    }

    #[inline]
    fn record(&mut self, scanner: &mut Scanner<'_>, is_inherited: bool, context: &mut Context<'_>) -> Result<(), Stop> {
        let heading = self.next_heading(scanner)?;
        if context.owner.is_in_zone || heading.rtype != Rtype::SOA {
            self.placement(context.owner.name.as_ref(), heading.rtype)?;
        }
        let heading_end = scanner.position();
        self.rdata.clear();
        let parsed = rdata::from_text(heading.rtype, scanner, context.origin.as_ref(), &mut self.rdata)
            .map_err(|error| self.rdata_fault(&error, heading.rtype, scanner))
            .and_then(|()| Fault::check_end(scanner));
        // What is said before the whole record is at hand would be said again.
        if scanner.is_starved() || (parsed.is_err() && scanner.is_record_cut()) {
            return Err(Stop::Starved);
        }
        self.owner_remarks(scanner, heading_end, is_inherited, context, heading.rtype);
        parsed?;
        self.names(scanner, heading_end, context, heading.rtype)?;
        if context.owner.is_in_zone {
            let ttl = self.ttl(heading, scanner, context.path)?;
            if S::WANTS_PLACES {
                self.sink.place(context.path, scanner.line_at(heading_end));
            }
            self.sink.record(context.owner.name.as_ref(), heading.rtype, ttl, &self.rdata);
        } else {
            // Nothing of it counts but a TTL for the records behind it.
            self.ttls.latest_s = heading.ttl.or(self.ttls.latest_s);
        }
        scanner.finish_record();
        Ok(())
    }

    /// What is wrong with the data. BIND looks at the name of a server before it reads the data, so misses it earlier.
    #[cold]
    fn rdata_fault(&self, error: &RdataError, rtype: Rtype, scanner: &Scanner<'_>) -> Stop {
        let looks_ahead = rtype == Rtype::NS && self.options.check_ns != Strictness::Ignore;
        match error.near {
            None if looks_ahead && self.options.class == Class::IN => Fault::missing_field(scanner),
            _ => Fault::rdata(error, scanner),
        }
    }

    /// Types that must not stand at just any owner.
    #[inline]
    pub(super) fn placement(&self, owner: NameRef<'_>, rtype: Rtype) -> Result<(), Stop> {
        match rtype {
            Rtype::NS | Rtype::NSEC3 if owner.is_wildcard() => {
                let reason = format!("invalid {rtype} owner name (wildcard)");
                Err(Fault::worded(Voice::Load, format!("{}: {reason}", NoDot(owner)), reason))
            }
            Rtype::SOA if owner != self.options.apex.as_ref() => {
                let text = format!("SOA record not at top of zone ({})", NoDot(owner));
                Err(Fault::worded(Voice::Plain, text, "not at top of zone"))
            }
            MD | MF => Err(Fault::worded(Voice::Plain, format!("type '{rtype}': obsolete"), "obsolete")),
            _ if rtype.is_meta() => {
                let text = format!("type '{rtype}': {META_TYPE}");
                Err(Fault::worded(Voice::Plain, text, META_TYPE))
            }
            _ => Ok(()),
        }
    }

    /// What is to be said of an owner, whether or not the rest of the record can be read: that it was inherited by
    /// surprise, or should not be there.
    #[inline]
    fn owner_remarks(
        &mut self,
        scanner: &mut Scanner<'_>,
        heading_end: usize,
        is_inherited: bool,
        context: &mut Context<'_>,
        rtype: Rtype,
    ) {
        if is_inherited {
            if std::mem::take(&mut context.is_new_origin) {
                let (owner, origin) = (NoDot(context.owner.name.as_ref()), NoDot(context.origin.as_ref()));
                let text = format!("record with inherited owner ({owner}) immediately after $ORIGIN ({origin})");
                self.warn(context.path, scanner.line_at(heading_end), Voice::Plain, text);
            }
        } else {
            context.is_new_origin = false;
            self.owner_in_place(scanner, heading_end, context);
        }
        let owner = context.owner.name.as_ref();
        if self.options.check_names != Strictness::Ignore && !hosts::is_owner_allowed(owner, rtype) {
            self.bad_owner(owner, context.path, scanner.line_at(heading_end));
        }
    }

    /// An owner that is written out.
    #[inline]
    fn owner_in_place(&mut self, scanner: &mut Scanner<'_>, heading_end: usize, context: &Context<'_>) {
        let owner = context.owner.name.as_ref();
        if !context.owner.is_in_zone {
            let text = format!("ignoring out-of-zone data ({})", NoDot(owner));
            self.warn(context.path, scanner.line_at(heading_end), Voice::Plain, text);
        }
        if self.options.check_wildcard && hosts::has_inner_wildcard(owner) {
            let text = format!("warning: ownername '{}' contains an non-terminal wildcard", NoDot(owner));
            self.warn(context.path, scanner.line_at(heading_end), Voice::Plain, text);
        }
    }

    /// `check-names` does not like the owner. BIND goes on with the record in either case.
    #[cold]
    fn bad_owner(&mut self, owner: NameRef<'_>, path: &Path, line: u64) {
        let text = format!("{}: {BAD_OWNER}", NoDot(owner));
        match self.options.check_names {
            Strictness::Fail => self.stopped(Fault::worded(Voice::Plain, text, BAD_OWNER), path, line),
            _ => self.warn(path, line, Voice::Plain, text),
        }
    }

    /// `check-names` of what the record points to, and addresses where names belong.
    #[inline]
    fn names(
        &mut self,
        scanner: &mut Scanner<'_>,
        heading_end: usize,
        context: &Context<'_>,
        rtype: Rtype,
    ) -> Result<(), Stop> {
        if matches!(rtype, Rtype::NS | Rtype::MX) {
            self.address_as_name(scanner, context.path, rtype)?;
        }
        if self.options.check_names != Strictness::Ignore
            && let Some((field, target)) = hosts::bad_target(context.owner.name.as_ref(), rtype, &self.rdata)
        {
            let (target, mut fields) = (target.to_name(), scanner.again_from(heading_end));
            for _ in 0..=field {
                fields.next_token();
            }
            self.bad_target(&target, &mut fields, context.path);
        }
        Ok(())
    }

    /// `check-names` does not like a name in the data, which is the field that was read last.
    #[cold]
    fn bad_target(&mut self, target: &Name, fields: &mut Scanner<'_>, path: &Path) {
        if self.options.check_names == Strictness::Fail {
            let text = format!("near '{}': {BAD_NAME}", latest(fields));
            return self.stopped(Fault::worded(Voice::Rdata, text, BAD_NAME), path, fields.fault_line());
        }
        self.warn(path, fields.line(), Voice::Plain, format!("warning: {}: {BAD_NAME}", NoDot(target.as_ref())));
    }

    fn address_as_name(&mut self, scanner: &mut Scanner<'_>, path: &Path, rtype: Rtype) -> Result<(), Stop> {
        if !scanner.latest().is_some_and(|token| hosts::is_address(token.text)) {
            return Ok(());
        }
        let address = latest(scanner);
        if rtype == Rtype::NS {
            if self.options.class != Class::IN {
                return Ok(());
            }
            let text = format!("NS record '{address}' appears to be an address");
            match self.options.check_ns {
                Strictness::Ignore => {}
                Strictness::Warn => self.warn(path, scanner.line(), Voice::Plain, text),
                Strictness::Fail => return Err(Fault::worded(Voice::Plain, text, "NS is an address")),
            }
            return Ok(());
        }
        match self.options.check_mx {
            Strictness::Ignore => {}
            Strictness::Warn => {
                let text = format!("warning: '{address}': MX is an address");
                self.warn(path, scanner.line(), Voice::Plain, text);
            }
            Strictness::Fail => {
                let text = format!("near '{address}': MX is an address");
                return Err(Fault::worded(Voice::Rdata, text, "MX is an address"));
            }
        }
        Ok(())
    }

    /// The TTL of a record: its own, `$TTL`, the one before (RFC 1035), or for a first SOA its minimum.
    #[inline]
    fn ttl(&mut self, heading: Heading, scanner: &mut Scanner<'_>, path: &Path) -> Result<u32, Stop> {
        let ttl = match heading.ttl.or(self.ttls.default_s) {
            Some(ttl) => self.bounded_ttl(ttl, scanner, path),
            None => self.inherited_ttl(heading.rtype, scanner, path)?,
        };
        if let Some(limit) = self.options.max_zone_ttl_s.filter(|&limit| ttl > limit) {
            return Err(Fault::long_ttl(ttl, limit));
        }
        self.ttls.latest_s = Some(ttl);
        if matches!(heading.rtype, Rtype::RRSIG | SIG | NXT) {
            self.remark_on_signature(heading.rtype, path, scanner.line());
        }
        Ok(self.rrset_ttl(heading.rtype, ttl, scanner, path))
    }

    /// RFC 2181 section 8: a TTL with the top bit set counts as zero.
    #[inline]
    pub(super) fn bounded_ttl(&mut self, ttl: u32, scanner: &mut Scanner<'_>, path: &Path) -> u32 {
        if ttl <= MAX_TTL_S {
            return ttl;
        }
        let text = format!("$TTL {ttl} > MAXTTL, setting $TTL to 0");
        self.warn(path, scanner.line(), Voice::Load, text);
        0
    }

    #[cold]
    fn inherited_ttl(&mut self, rtype: Rtype, scanner: &mut Scanner<'_>, path: &Path) -> Result<u32, Stop> {
        if let Some(ttl) = self.ttls.latest_s {
            if !std::mem::replace(&mut self.ttls.has_warned, true) {
                self.warn(path, scanner.line(), Voice::Plain, "using RFC1035 TTL semantics");
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
            return Err(Fault::worded(Voice::Plain, "no TTL specified; zone rejected", "no ttl"));
        };
        self.warn(path, scanner.line(), Voice::Plain, "no TTL specified; using SOA MINTTL instead");
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
        match self.rrset_ttls.iter().find(|(known, _)| *known == rrset) {
            None => self.rrset_ttls.push((rrset, ttl)),
            Some(&(_, first)) if first != ttl => {
                self.warn(path, scanner.line(), Voice::Plain, format!("TTL set to prior TTL ({first})"));
                return first;
            }
            Some(_) => {}
        }
        ttl
    }
}

pub(super) fn name_fault(fault: NameError) -> Stop {
    Fault::load(fault.to_string())
}

/// The last field of the record, for messages.
fn latest(scanner: &Scanner<'_>) -> String {
    scanner.latest().map(|token| String::from_utf8_lossy(token.text).into_owned()).unwrap_or_default()
}

/// RFC 973 put MX in the place of these.
const MD: Rtype = Rtype(3);
const MF: Rtype = Rtype(4);
const SIG: Rtype = Rtype(24);
const NXT: Rtype = Rtype(30);
const META_TYPE: &str = "invalid use of a meta type";
const BAD_OWNER: &str = "bad owner name (check-names)";
const BAD_NAME: &str = "bad name (check-names)";
