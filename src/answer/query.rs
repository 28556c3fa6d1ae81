//! The answer to a query, by the steps of RFC 1034 section 4.3.2.
//!
//! Find the zone of the name and the place of the name in it, then one of: a referral (the name is at or below a zone
//! cut), a DNAME above it, the name itself, a wildcard, or nothing. CNAME and DNAME lead to another name of the same
//! view and the search starts over, at most `max-query-restarts` times. Authority and additional data come from the
//! zone where the chain ends. What does not fit sets TC where the protocol wants it to, and is left out otherwise.

#![deny(clippy::indexing_slicing, clippy::arithmetic_side_effects)]

use std::net::IpAddr;
use std::sync::Arc;

use super::acl::Peer;
use super::denial;
use super::facts::{Denied, Facts, Result as Kind, Unanswered};
use super::opt::{EXPIRED, ExtendedError, MAX_RESTARTS_REACHED, NOT_AUTHORITATIVE, NOT_READY, PROHIBITED, ZoneSerial};
use super::records::Records;
use super::snapshot::{MinimalResponses, View, Zone};
use crate::dns::message::Section;
use crate::dns::suffix::Suffixes;
use crate::dns::writer::{Full, Owner, QUESTION_PLACE};
use crate::dns::{NameBuf, NameRef, Rcode, Rtype};
use crate::zone::{Denial, Find, Match, Node, Rrset, Way, ZoneVersion};

mod additional;

/// Room for the names of a chain of the length that BIND follows by default.
const USUAL_RESTARTS: usize = 11;

/// What is asked, by whom.
pub(super) struct Query<'a> {
    pub(super) view: &'a View,
    pub(super) name: NameRef<'a>,
    pub(super) rtype: Rtype,
    pub(super) peer: Peer<'a>,
    /// The address that the request was sent to.
    pub(super) local: IpAddr,
    pub(super) is_tcp: bool,
    pub(super) recursion_desired: bool,
    /// The client announced, by EDNS, that it takes no more than 512 bytes over UDP.
    pub(super) is_small: bool,
    pub(super) now_s: u64,
    /// Whether chains and additional data may come from other zones than that of the question. BIND: only if it would
    /// recurse for this client.
    pub(super) may_cross_zones: bool,
    /// The client asks which version of the zone answers.
    pub(super) wants_zone_version: bool,
}

/// An answer under construction.
pub(super) struct Answer<'a, 'w> {
    pub(super) query: &'a Query<'a>,
    pub(super) records: Records<'w>,
    suffixes: &'w mut Suffixes,
    aliases: &'w mut Aliases,
    /// The way of the last look-up, and one for look-ups in between.
    pub(super) way: &'w mut Way,
    spare: &'w mut Way,
    /// The zone of the question.
    first_zone: Option<&'a Arc<Zone>>,
    no_authority: bool,
    no_additional: bool,
    /// What it says, and what came in its way.
    pub(super) facts: &'w mut Facts,
    pub(super) error: Option<ExtendedError>,
    /// How long the zone lasts, if its SOA was asked for (RFC 7314).
    pub(super) expire_s: Option<u32>,
    /// The version of the zone of the question, where it may be told (RFC 9660).
    pub(super) zone_version: Option<ZoneSerial>,
    /// What the question itself led to, before any alias was followed.
    pub(super) first: First,
}

/// What the first round of the search came to, for rate limits.
#[derive(Clone, Copy, Default)]
pub(super) struct First {
    pub(super) kind: Kind,
    /// How much of the end of the name, in bytes, the answer is about: all of it, or the cut, the DNAME, the zone.
    pub(super) name_length: usize,
    pub(super) is_wildcard: bool,
}

/// Names on the way of aliases. The memory is used again for the next request.
pub(super) struct Aliases {
    /// Names that CNAMEs of wildcards led away from. The proofs that they do not exist wait until the answer section is
    /// complete.
    synthesised: Vec<NameBuf>,
    /// Names that have been given a CNAME that does not stand in the zone like that. In a loop each gets it once.
    given: Vec<NameBuf>,
    /// Where the last alias leads.
    target: NameBuf,
}

impl Default for Aliases {
    fn default() -> Self {
        let [synthesised, given] = [(); 2].map(|()| Vec::with_capacity(USUAL_RESTARTS.saturating_add(1)));
        Self { synthesised, given, target: NameBuf::root() }
    }
}

/// What the search keeps from answer to answer.
#[derive(Default)]
pub(super) struct Memory {
    pub(super) suffixes: Suffixes,
    aliases: Aliases,
    ways: [Way; 2],
}

/// Where the search goes on.
enum Step {
    Done,
    /// With the target of an alias.
    Follow,
}

/// A name found in a zone.
pub(super) struct Place<'z> {
    zone: &'z Zone,
    pub(super) version: &'z ZoneVersion,
    pub(super) name: NameRef<'z>,
    pub(super) found: &'z Find<'z>,
    /// It is the name of the question.
    is_first: bool,
    /// Where in the question's name the apex stands, if it does so in the same case.
    apex_in_question: Option<u16>,
}

impl<'a, 'w> Answer<'a, 'w> {
    pub(super) fn new(
        query: &'a Query<'a>,
        records: Records<'w>,
        memory: &'w mut Memory,
        facts: &'w mut Facts,
    ) -> Self {
        let Memory { suffixes, aliases, ways: [way, spare] } = memory;
        aliases.synthesised.clear();
        aliases.given.clear();
        let (no_authority, no_additional) = minimal(query);
        Self {
            query,
            records,
            suffixes,
            aliases,
            way,
            spare,
            first_zone: None,
            no_authority,
            no_additional,
            facts,
            error: None,
            expire_s: None,
            zone_version: None,
            first: First::default(),
        }
    }

    /// Fills the message.
    pub(super) fn fill(&mut self) {
        // A chain may also end without authority data, where nothing else writes the proofs.
        self.facts.is_truncated = self.follow().and_then(|()| self.prove_synthesis()).is_err();
    }

    fn follow(&mut self) -> Result<(), Full> {
        let mut step = self.step(self.query.name, true)?;
        let mut restarts = 0..self.query.view.max_restarts;
        while matches!(step, Step::Follow) {
            if restarts.next().is_none() {
                self.fail(Rcode::SERVFAIL, Some(MAX_RESTARTS_REACHED));
                self.facts.unanswered = Some(Unanswered::Restarts);
                return Ok(());
            }
            let name = self.aliases.target.clone();
            let next = self.step(name.as_ref(), false);
            // named tells it to those alone who name the zone itself.
            self.expire_s = None;
            step = next?;
        }
        Ok(())
    }

    fn fail(&mut self, rcode: Rcode, error: Option<ExtendedError>) {
        (self.facts.rcode, self.error, self.facts.result) = (rcode, error, Kind::Failure);
    }

    /// The zone has no contents. What has been found of a chain that leads there is of no use.
    fn fail_unloaded(&mut self, zone: &Zone) {
        let is_expired = zone.expires_at_s().is_some_and(|at_s| at_s <= self.query.now_s);
        self.fail(Rcode::SERVFAIL, Some(if is_expired { EXPIRED } else { NOT_READY }));
        self.facts.is_authoritative = false;
        self.facts.unanswered = Some(Unanswered::NotLoaded);
        self.facts.awaited = zone.wait().then(|| zone.handle());
    }

    /// One round: finds the zone of `name` and answers from it as far as it goes.
    fn step(&mut self, name: NameRef<'_>, is_first: bool) -> Result<Step, Full> {
        let view = self.query.view;
        let zone =
            if is_first { view.zones.find_by(name, self.suffixes) } else { view.zones.find(name, self.suffixes) };
        let Some(zone) = zone.and_then(|zone| self.side_of_cut(view, name, zone)) else {
            if is_first {
                self.fail(Rcode::REFUSED, Some(NOT_AUTHORITATIVE));
                self.facts.denied = Some(Denied::OutsideZones);
            }
            return Ok(Step::Done);
        };
        let contents = zone.contents();
        let Some(version) = contents.as_deref() else {
            // BIND: only who does not set RD is content with the beginning of a chain.
            if is_first || self.query.recursion_desired {
                self.fail_unloaded(zone);
            }
            return Ok(Step::Done);
        };
        if !is_first && !self.may_enter(zone) {
            return Ok(Step::Done);
        }
        if let Some(denied) = self.denied_by(zone) {
            if is_first {
                self.fail(Rcode::REFUSED, Some(PROHIBITED));
                self.facts.denied = Some(denied);
            }
            return Ok(Step::Done);
        }
        if is_first {
            self.facts.is_authoritative = true;
            (self.first_zone, self.facts.has_zone) = (Some(zone), true);
            if self.query.wants_zone_version {
                self.zone_version = zone_serial(zone, version);
            }
        }
        let apex_in_question = if is_first { apex_place(name, version.apex()) } else { None };
        let found = &version.find_below(name, self.way);
        let place = Place { zone, version, name, found, is_first, apex_in_question };
        let step = self.answer_from(&place);
        if is_first && view.rate_limit.is_some() {
            self.first = self.first(&place);
        }
        step
    }

    fn first(&self, place: &Place<'_>) -> First {
        let found = place.found;
        let is_wildcard = matches!(found.wildcard, Match::Node(_) | Match::EmptyNonTerminal);
        let apex_length = place.version.apex().len();
        let name_length = match self.facts.result {
            Kind::Referral => found.cut.as_ref().map_or(apex_length, |cut| cut.owner().as_ref().len()),
            Kind::Success | Kind::NoData if is_wildcard => apex_length,
            Kind::Success => found.dname.as_ref().map_or(place.name.len(), |dname| dname.owner().as_ref().len()),
            Kind::NxDomain => apex_length,
            Kind::NoData | Kind::Failure => place.name.len(),
        };
        First { kind: self.facts.result, name_length, is_wildcard }
    }

    /// The zone that answers for `name`, which belongs to `zone`. DS belongs to the parent's side of a cut, so the zone
    /// above comes first if it is served as well (RFC 4035 section 3.1.4.1).
    fn side_of_cut<'v>(&mut self, view: &'v View, name: NameRef<'_>, zone: &'v Arc<Zone>) -> Option<&'v Arc<Zone>> {
        if self.query.rtype == Rtype::DS && zone.apex() == name {
            let parent = name.parent().and_then(|parent| view.zones.find(parent, self.suffixes));
            // BIND: an alias that may not lead into the zone above gets what the zone itself has to say.
            let may_enter = |parent: &&Arc<Zone>| self.first_zone.is_none() || self.may_enter(parent);
            // BIND: without contents it has nothing to say, not even that.
            return parent.filter(may_enter).or_else(|| Some(zone).filter(|zone| zone.contents().is_some()));
        }
        Some(zone)
    }

    /// Whether data of this zone may go into an answer that began in another.
    fn may_enter(&self, zone: &Arc<Zone>) -> bool {
        self.query.may_cross_zones || self.first_zone.is_some_and(|first| Arc::ptr_eq(first, zone))
    }

    fn denied_by(&self, zone: &Zone) -> Option<Denied> {
        let policy = zone.policy();
        let on = Peer { address: self.query.local, key: self.query.peer.key };
        if !policy.allow_query.allows(self.query.peer) {
            return Some(Denied::Query);
        }
        (!policy.allow_query_on.allows(on)).then_some(Denied::QueryOn)
    }

    fn answer_from(&mut self, place: &Place<'_>) -> Result<Step, Full> {
        let found = place.found;
        let depth = |node: &Node<'_>| node.relative_owner().len();
        if let Some(cut) = &found.cut {
            let is_above = found.dname.as_ref().is_none_or(|dname| depth(cut) <= depth(dname));
            if is_above && !self.is_for_parent(place, cut) {
                self.facts.is_authoritative &= !place.is_first;
                return self.refer(place, cut).map(|()| Step::Done);
            }
        }
        if let Some(dname) = &found.dname {
            return self.redirect(place, dname);
        }
        match (found.matched, found.wildcard) {
            (Match::Node(node), _) => self.answer_at(place, &node, false),
            (Match::EmptyNonTerminal, _) => self.no_data(place, None, false).map(|()| Step::Done),
            (Match::Missing, Match::Node(source)) => self.answer_at(place, &source, true),
            (Match::Missing, Match::EmptyNonTerminal) => self.no_data(place, None, true).map(|()| Step::Done),
            (Match::Missing, Match::Missing) => self.no_name(place).map(|()| Step::Done),
        }
    }

    /// Whether the question is one that the parent's side of a cut answers with authority.
    fn is_for_parent(&self, place: &Place<'_>, cut: &Node<'_>) -> bool {
        let is_exact =
            matches!(place.found.matched, Match::Node(node) if node.relative_owner() == cut.relative_owner());
        is_exact && (self.query.rtype == Rtype::DS || self.query.rtype == Rtype::NSEC && cut.has_nsec())
    }

    /// Adds an RRset of a node, whose owner is written as a pointer into the question as far as it stands there.
    pub(super) fn add_at(
        &mut self,
        section: Section,
        place: &Place<'_>,
        node: &Node<'_>,
        rrset: Rrset<'_>,
        ttl: u32,
    ) -> Result<(), Full> {
        let is_kept = self.records.writer.keeps_case() && !place.version.apex().is_root();
        match place.apex_in_question.filter(|_| is_kept) {
            Some(apex) => {
                let labels = node.relative_owner();
                let owner = match rrset.rtype() {
                    _ if labels.is_empty() => Owner::At(apex),
                    Rtype::NSEC3 => Owner::Alone(labels, apex),
                    _ => Owner::Below(labels, apex),
                };
                self.records.add_with_ttl(section, owner, rrset, ttl)
            }
            None => self.records.add_with_ttl(section, Owner::Name(node.owner().as_ref()), rrset, ttl),
        }
    }

    /// Where in the question's name the owner of a node stands, which is the name itself or one above it, if it does so
    /// in the same case.
    fn place_in_question(&self, place: &Place<'_>, node: &Node<'_>) -> Option<u16> {
        let (labels, apex) = (node.relative_owner(), place.apex_in_question?);
        let start = apex.checked_sub(labels.len() as u16)?;
        let [from, to] = [start, apex].map(|place| usize::from(place.saturating_sub(QUESTION_PLACE)));
        (self.query.name.as_bytes().get(from..to) == Some(labels)).then_some(start)
    }

    /// The name exists, or `node` is the source of synthesis for it. Records under the question's name point to it,
    /// unless that is the root, or stands in the zone in another case, which BIND keeps.
    fn answer_at(&mut self, place: &Place<'_>, node: &Node<'_>, is_wildcard: bool) -> Result<Step, Full> {
        let stored;
        let is_first = place.is_first && !place.name.is_root();
        let owner = if is_first && !is_wildcard && self.place_in_question(place, node) == Some(QUESTION_PLACE) {
            Owner::At(QUESTION_PLACE)
        } else {
            stored = if is_wildcard { synthesised_owner(place.name, node) } else { node.owner() };
            let is_asked = is_first && stored.as_ref().as_bytes() == place.name.as_bytes();
            if is_asked { Owner::At(QUESTION_PLACE) } else { Owner::Name(stored.as_ref()) }
        };
        let has_answer = match self.query.rtype {
            Rtype::ANY => self.add_any(place, node, owner)?,
            Rtype::RRSIG => self.add_signatures(node, owner)?,
            rtype => match node.rrset(rtype) {
                Some(rrset) if is_wildcard => {
                    self.records.add_synthesised(Section::Answer, owner, place.name, rrset)?;
                    true
                }
                Some(rrset) => {
                    self.records.add(Section::Answer, owner, rrset)?;
                    true
                }
                None if node.has_cname() && !stands_beside_cname(rtype) => {
                    return self.alias(place, node, owner, is_wildcard);
                }
                None => false,
            },
        };
        if !has_answer {
            return self.no_data(place, Some(node), is_wildcard).map(|()| Step::Done);
        }
        self.facts.result = Kind::Success;
        if self.query.rtype == Rtype::SOA {
            self.expire_s = self.expires_in(place);
        }
        self.prove_synthesis()?;
        if is_wildcard {
            denial::wildcard_answer(self, place)?;
        }
        self.finish_positive(place, node)?;
        Ok(Step::Done)
    }

    /// What EXPIRE says: a primary's zone lasts as long as its SOA says, a secondary's until it expires here.
    fn expires_in(&self, place: &Place<'_>) -> Option<u32> {
        match place.zone.expires_at_s() {
            Some(at_s) => u32::try_from(at_s.saturating_sub(self.query.now_s)).ok(),
            None => place.version.soa().map(|soa| soa.expire),
        }
    }

    /// All RRsets of a node. Whether there was any.
    fn add_any(&mut self, place: &Place<'_>, node: &Node<'_>, owner: Owner<'_>) -> Result<bool, Full> {
        let is_signed = place.version.is_signed();
        let mut shown = node.rrsets().filter(|rrset| is_signed || !is_dnssec(rrset.rtype())).peekable();
        let is_any = shown.peek().is_some();
        if self.query.is_minimal_any() {
            shown.next().map_or(Ok(()), |rrset| self.records.add(Section::Answer, owner, rrset))?;
            return Ok(is_any);
        }
        for rrset in shown {
            self.records.add_alone(Section::Answer, owner, rrset, rrset.ttl())?;
        }
        if is_signed {
            self.add_signatures(node, owner)?;
        }
        Ok(is_any)
    }

    /// All RRSIGs of a node. Whether there was any.
    fn add_signatures(&mut self, node: &Node<'_>, owner: Owner<'_>) -> Result<bool, Full> {
        let mut is_any = false;
        let most = if self.query.is_minimal_any() { 1 } else { usize::MAX };
        for signatures in node.signatures().take(most) {
            self.records.add_alone(Section::Answer, owner, signatures, signatures.ttl())?;
            is_any = true;
        }
        Ok(is_any)
    }

    /// A CNAME leads elsewhere.
    fn alias(&mut self, place: &Place<'_>, node: &Node<'_>, owner: Owner<'_>, is_wildcard: bool) -> Result<Step, Full> {
        let Some(cname) = node.rrset(Rtype::CNAME) else { return Ok(Step::Done) };
        if !is_wildcard {
            self.records.add(Section::Answer, owner, cname)?;
        } else {
            self.records.add_synthesised(Section::Answer, owner, place.name, cname)?;
        }
        self.facts.result = Kind::Success;
        if is_wildcard && self.records.dnssec_ok {
            self.aliases.synthesised.push(NameBuf::from_name(place.name));
        }
        let Some(target) = target(cname) else { return Ok(Step::Done) };
        self.aliases.target = NameBuf::from_name(target);
        Ok(Step::Follow)
    }

    /// Notes a name that gets an alias.
    fn is_first_alias_of(&mut self, name: NameRef<'_>) -> bool {
        let is_first = self.aliases.given.iter().all(|seen| seen.as_ref() != name);
        if is_first {
            self.aliases.given.push(NameBuf::from_name(name));
        }
        is_first
    }

    /// Proves of each name that a wildcard's CNAME led away from that it does not exist itself.
    #[inline]
    fn prove_synthesis(&mut self) -> Result<(), Full> {
        if self.aliases.synthesised.is_empty() { Ok(()) } else { self.prove_all_synthesis() }
    }

    #[cold]
    fn prove_all_synthesis(&mut self) -> Result<(), Full> {
        let mut names = std::mem::take(&mut self.aliases.synthesised);
        std::mem::swap(&mut self.way, &mut self.spare);
        let written = names.iter().try_for_each(|name| self.prove_synthesis_of(name.as_ref()));
        std::mem::swap(&mut self.way, &mut self.spare);
        names.clear();
        self.aliases.synthesised = names;
        written
    }

    fn prove_synthesis_of(&mut self, name: NameRef<'_>) -> Result<(), Full> {
        let view = self.query.view;
        let zone = view.zones.find(name, self.suffixes).and_then(|zone| self.side_of_cut(view, name, zone));
        let Some(zone) = zone else { return Ok(()) };
        let contents = zone.contents();
        let Some(version) = contents.as_deref() else { return Ok(()) };
        let found = &version.find_below(name, self.way);
        denial::wildcard_answer(self, &Place { zone, version, name, found, is_first: false, apex_in_question: None })
    }

    /// A DNAME above the name puts the name under another one (RFC 6672 section 3.2).
    fn redirect(&mut self, place: &Place<'_>, node: &Node<'_>) -> Result<Step, Full> {
        let owner = node.owner();
        let Some(dname) = node.rrset(Rtype::DNAME) else { return Ok(Step::Done) };
        self.records.add(Section::Answer, Owner::Name(owner.as_ref()), dname)?;
        self.facts.result = Kind::Success;
        let Some(target) = target(dname) else { return Ok(Step::Done) };
        let kept = place.name.len().saturating_sub(owner.as_ref().len());
        let Ok(renamed) = NameBuf::join(place.name.as_bytes().get(..kept).unwrap_or_default(), target) else {
            self.fail(Rcode::YXDOMAIN, None);
            return Ok(Step::Done);
        };
        if self.is_first_alias_of(place.name) {
            let fields = (Rtype::CNAME, self.records.class, dname.ttl());
            let rdata = renamed.as_ref().as_bytes();
            self.records.writer.record(Section::Answer, Owner::Name(place.name), fields, rdata)?;
        }
        if matches!(self.query.rtype, Rtype::CNAME | Rtype::ANY) {
            return self.finish_positive(place, node).map(|()| Step::Done);
        }
        self.aliases.target = renamed;
        Ok(Step::Follow)
    }

    /// The name is at or below a zone cut.
    fn refer(&mut self, place: &Place<'_>, cut: &Node<'_>) -> Result<(), Full> {
        self.prove_synthesis()?;
        let Some(ns) = cut.rrset(Rtype::NS) else { return Ok(()) };
        let stored;
        let at = self.place_in_question(place, cut).filter(|_| self.records.writer.keeps_case());
        let owner = match at.and_then(|at| suffix(self.query.name, at)) {
            Some(owner) => owner,
            None => {
                stored = cut.owner();
                stored.as_ref()
            }
        };
        let owner_in_message = at.map_or(Owner::Name(owner), Owner::At);
        self.records.add_alone(Section::Authority, owner_in_message, ns, ns.ttl())?;
        self.facts.result = Kind::Referral;
        if self.records.dnssec_ok && place.version.is_signed() {
            match cut.rrset(Rtype::DS) {
                Some(ds) => self.records.add(Section::Authority, owner_in_message, ds)?,
                None => denial::insecure_referral(self, place, cut)?,
            }
        }
        self.add_glue(place.version, owner, ns)
    }

    fn no_data(&mut self, place: &Place<'_>, node: Option<&Node<'_>>, is_wildcard: bool) -> Result<(), Full> {
        self.facts.result = Kind::NoData;
        // BIND: a wildcard without records denies names as if it were not there, in zones with NSEC.
        let is_denied = is_wildcard && node.is_none() && place.version.denial() == Denial::Nsec;
        self.add_negative_soa(place, is_denied && self.is_zero_for_soa(place))?;
        if self.records.dnssec_ok {
            denial::no_data(self, place, node, is_wildcard)?;
        }
        Ok(())
    }

    fn no_name(&mut self, place: &Place<'_>) -> Result<(), Full> {
        (self.facts.result, self.facts.rcode) = (Kind::NxDomain, Rcode::NXDOMAIN);
        self.add_negative_soa(place, self.is_zero_for_soa(place))?;
        if self.records.dnssec_ok {
            denial::no_name(self, place)?;
        }
        Ok(())
    }

    /// Whether the denial of a name is not to be remembered, since its SOA was asked for (`zero-no-soa-ttl`).
    fn is_zero_for_soa(&self, place: &Place<'_>) -> bool {
        place.zone.policy().zero_no_soa_ttl && self.query.rtype == Rtype::SOA
    }

    /// The SOA of a negative answer: its TTL says how long the answer holds (RFC 2308 section 3).
    fn add_negative_soa(&mut self, place: &Place<'_>, is_zero: bool) -> Result<(), Full> {
        self.prove_synthesis()?;
        let Some(apex) = place.version.apex_node() else { return Ok(()) };
        let Some(rrset) = apex.rrset(Rtype::SOA) else { return Ok(()) };
        let ttl = if is_zero { 0 } else { place.version.negative_ttl() };
        self.add_at(Section::Authority, place, &apex, rrset, ttl)
    }

    /// The apex NS in the authority section, and addresses for all names that the answer points to.
    fn finish_positive(&mut self, place: &Place<'_>, node: &Node<'_>) -> Result<(), Full> {
        if self.no_authority && self.no_additional {
            return Ok(());
        }
        let apex_ns = place.version.apex_node().and_then(|apex| apex.rrset(Rtype::NS));
        let has_ns = node.is_apex() && matches!(self.query.rtype, Rtype::NS | Rtype::ANY);
        let authority = apex_ns.filter(|_| !self.no_authority && !has_ns);
        if let Some(ns) = authority {
            self.records.add(Section::Authority, Owner::Name(place.version.apex()), ns)?;
        }
        if !self.no_additional {
            let answered = node.rrset(self.query.rtype);
            match answered {
                // BIND: whoever asks for the servers of the root gets what a referral to them would have.
                Some(ns) if self.query.rtype == Rtype::NS && place.name.is_root() => self.add_optional_glue(place, ns),
                _ => answered.into_iter().for_each(|rrset| self.add_additional(place, rrset)),
            }
            authority.into_iter().for_each(|ns| self.add_additional(place, ns));
        }
        Ok(())
    }
}

impl Query<'_> {
    /// Whether a question for all records, or all signatures, gets one RRset only (`minimal-any`).
    fn is_minimal_any(&self) -> bool {
        self.view.minimal_any && !self.is_tcp && matches!(self.rtype, Rtype::ANY | Rtype::RRSIG)
    }
}

fn zone_serial(zone: &Zone, version: &ZoneVersion) -> Option<ZoneSerial> {
    let labels = u8::try_from(zone.apex().label_count()).ok().filter(|_| zone.policy().provide_zone_version)?;
    Some(ZoneSerial { labels, serial: version.serial().0 })
}

/// Whether the authority and the additional section stay empty where they may (BIND semantics 12.8 to 12.11).
fn minimal(query: &Query<'_>) -> (bool, bool) {
    let (no_authority, no_additional) = match query.view.minimal_responses {
        MinimalResponses::No => (false, false),
        MinimalResponses::Yes => (true, true),
        MinimalResponses::NoAuth => (true, false),
        MinimalResponses::NoAuthRecursive => (query.recursion_desired, false),
    };
    match query.rtype {
        _ if query.is_small => (true, true),
        Rtype::DNSKEY | Rtype::CDNSKEY | Rtype::CDS | Rtype::DS => (true, true),
        Rtype::NS => (false, false),
        // BIND: the answer to ANY is long enough.
        Rtype::ANY => (no_authority || query.is_minimal_any(), true),
        _ => (no_authority, no_additional),
    }
}

/// The owner of records that a wildcard stands for. BIND keeps of the case of an owner at which bytes it has capitals,
/// and gives it to whatever name the records get.
fn synthesised_owner(name: NameRef<'_>, source: &Node<'_>) -> NameBuf {
    NameBuf::from_name(name).in_case_of(source.owner().as_ref())
}

/// The types that may stand beside a CNAME, so that a question for them is about the name itself (RFC 4035 section 2.5,
/// RFC 3007 section 2); BIND: and SIG, which is asked for as RRSIG is.
fn stands_beside_cname(rtype: Rtype) -> bool {
    matches!(rtype, Rtype::NSEC | Rtype::KEY | Rtype::SIG)
}

/// The types that an ANY query to an unsigned zone does not show.
fn is_dnssec(rtype: Rtype) -> bool {
    matches!(rtype, Rtype::DS | Rtype::RRSIG | Rtype::NSEC | Rtype::DNSKEY | Rtype::NSEC3 | Rtype::NSEC3PARAM)
}

/// What of the question's name stands from a place on.
fn suffix(asked: NameRef<'_>, place: u16) -> Option<NameRef<'_>> {
    let start = usize::from(place.checked_sub(QUESTION_PLACE)?);
    asked.as_bytes().get(start..).map(NameRef::from_checked)
}

/// Where in the question's name the apex stands, if it does so in the same case.
fn apex_place(asked: NameRef<'_>, apex: NameRef<'_>) -> Option<u16> {
    let start = asked.len().checked_sub(apex.len())?;
    let is_there = asked.as_bytes().get(start..) == Some(apex.as_bytes());
    is_there.then(|| u16::try_from(start).ok()?.checked_add(QUESTION_PLACE)).flatten()
}

/// Where a CNAME or DNAME leads.
fn target(rrset: Rrset<'_>) -> Option<NameRef<'_>> {
    rrset.rdatas().next().and_then(|rdata| NameRef::from_prefix(rdata).ok())
}
