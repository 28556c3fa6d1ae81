//! What BIND checks of a zone once it is loaded, in BIND's words and severities.
//!
//! In: a zone version and what to be strict about (`check-*` of the configuration; the server maps them). Out: messages
//! for the log, and whether the zone must be refused. Only three things refuse a primary here: name servers of the zone
//! itself that have no address in it, and mail or service targets where the operator said `fail`. Missing glue and its
//! relatives are logged as errors and served all the same. Of a secondary only its name servers are looked at, to warn.

mod concern;
mod outside;

use std::panic::resume_unwind;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::thread;

use super::contents::ZoneVersion;
use super::find::Match;
use super::keys;
use super::message::{Level, Message, Strictness, Subject};
use super::node::{Flags, Node, Rrset};
use super::processors;
use crate::dns::name::NoDot;
use crate::dns::{Class, Name, NameRef, Rtype, rdata};
pub(super) use concern::is_of_concern;
use concern::{is_spf, old_algorithm, old_digest};
use outside::Outside;
pub use outside::{Resolved, Resolver};

/// What to check on a primary; the default is BIND's for a server.
#[derive(Debug, Clone, Copy)]
pub struct Policy {
    /// Whether name servers of the zone that lie in it must have addresses there. A secondary's copy is served without.
    pub ns_addresses: bool,
    /// `check-integrity`: whether the names that records point to have addresses.
    pub integrity: bool,
    /// `check-sibling`: also glue that another delegation of the zone would need.
    pub sibling: bool,
    /// `check-mx`: mail targets without addresses.
    pub mx: Strictness,
    /// `check-mx-cname`: mail targets that are aliases.
    pub mx_cname: Strictness,
    /// `check-srv-cname`: service targets that are aliases.
    pub srv_cname: Strictness,
    /// `check-dup-records`: records that differ only in the case of names within.
    pub duplicates: Strictness,
    /// `check-spf`: SPF records without the TXT records that have replaced them; a part of `check-integrity`.
    pub spf: bool,
    /// Who is asked about names that the zone does not know; a part of `check-integrity` that the server leaves out.
    pub resolver: Option<Resolver>,
}

impl Default for Policy {
    fn default() -> Self {
        let warn = Strictness::Warn;
        Self {
            ns_addresses: true,
            integrity: true,
            sibling: true,
            mx: warn,
            mx_cname: warn,
            srv_cname: warn,
            duplicates: warn,
            spf: true,
            resolver: None,
        }
    }
}

impl Policy {
    /// Whether anything is asked of other names than the apex.
    fn is_about_names(&self) -> bool {
        self.integrity || self.duplicates != Strictness::Ignore
    }
}

/// A zone of so many names is checked on all processors.
const MANY_NAMES: usize = 50_000;

/// What came of checking a zone.
#[derive(Debug, Default)]
pub struct Verdict {
    /// What to log, each behind `zone z/IN: `.
    pub messages: Vec<Message>,
    /// Whether the zone must not be served.
    pub is_refused: bool,
}

impl Verdict {
    fn judge(&mut self, strictness: Strictness, text: String) {
        let level = match strictness {
            Strictness::Ignore => return,
            Strictness::Warn => Level::Warning,
            Strictness::Fail => Level::Error,
        };
        self.is_refused |= strictness == Strictness::Fail;
        self.messages.push(Message::of_records(level, text));
    }

    fn absorb(&mut self, other: Self) {
        self.is_refused |= other.is_refused;
        self.messages.extend(other.messages);
    }
}

/// What may not stand together at one name.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Conflict {
    /// An alias next to other records (RFC 1034 section 3.6.2).
    #[error("CNAME and other data")]
    CnameAndOther,
    /// Two records of a type that allows one.
    #[error("multiple RRs of singleton type")]
    Singleton,
}

/// Checks a zone that was read from a file: a primary's with the policy of its configuration, a secondary's copy with
/// one that asks for nothing more than what every zone has to have.
pub fn primary(version: &ZoneVersion, policy: &Policy) -> Verdict {
    // Of a secondary's copy no addresses are asked.
    let is_primary = policy.ns_addresses;
    let is_internet = version.class() == Class::IN;
    let policy =
        &Policy { ns_addresses: policy.ns_addresses && is_internet, spf: policy.spf && is_internet, ..*policy };
    let outside = policy.resolver.filter(|_| policy.integrity).map(Outside::new);
    let mut checks = Checks::new(version, policy, outside.as_ref());
    checks.apex();
    if !checks.verdict.is_refused {
        checks.hashes();
    }
    if !checks.verdict.is_refused && policy.is_about_names() {
        checks.names();
    }
    let Checks { mut verdict, duplicates, .. } = checks;
    if !verdict.is_refused {
        verdict.absorb(duplicates);
    }
    if !verdict.is_refused && is_primary {
        verdict.absorb(apex_keys(version));
    }
    verdict
}

/// What named says of the name servers of a secondary's copy, with the changes of its journal.
pub fn copy(version: &ZoneVersion) -> Vec<Message> {
    let policy = Policy::default();
    let mut checks = Checks::new(version, &policy, None);
    if version.class() == Class::IN {
        checks.servers(Level::Warning);
    }
    checks.verdict.messages
}

/// The keys of a primary, and what it tells its parent of them.
fn apex_keys(version: &ZoneVersion) -> Verdict {
    let is_refused = keys::told_wrongly(version).is_some();
    let warnings = if is_refused { keys::told_digests(version) } else { keys::warnings(version) };
    let of_keys = |text| Message { subject: Subject::Keys, ..Message::of_zone(Level::Warning, text) };
    let mut messages: Vec<Message> = warnings.into_iter().map(of_keys).collect();
    if is_refused {
        messages.push(Message::of_zone(Level::Error, "CDS/CDNSKEY consistency checks failed".to_owned()));
    }
    Verdict { messages, is_refused }
}

/// What every zone has to have, a secondary's too: given the numbers of SOA and NS records at the apex.
pub fn presence(soa_count: usize, ns_count: usize) -> Vec<Message> {
    let mut messages = Vec::new();
    if soa_count != 1 {
        messages.push(Message::of_zone(Level::Error, format!("has {soa_count} SOA records")));
    }
    if ns_count == 0 {
        messages.push(Message::of_zone(Level::Error, "has no NS records".into()));
    }
    messages
}

/// The names at which records stand that exclude each other.
pub fn conflicts(version: &ZoneVersion) -> impl Iterator<Item = (Name, Conflict)> {
    let found = |node: &Node<'_>| conflict(node).map(|conflict| (node.owner().as_ref().to_name(), conflict));
    version.names_with([Flags::CNAME, Flags::DOUBLE]).filter_map(move |node| found(&node))
}

/// Whether records at this name exclude each other.
pub fn conflict_at(version: &ZoneVersion, owner: NameRef<'_>) -> Option<Conflict> {
    version.node(owner).and_then(|node| conflict(&node))
}

fn conflict(node: &Node<'_>) -> Option<Conflict> {
    if node.rrsets().any(|rrset| rrset.len() > 1 && is_singleton(rrset.rtype())) {
        return Some(Conflict::Singleton);
    }
    let excluded = node.has_cname() && node.rrsets().any(|rrset| !may_stand_at_cname(rrset.rtype()));
    excluded.then_some(Conflict::CnameAndOther)
}

/// Types of which a name has one record at most (RFC 2181 section 10.1, RFC 6672 section 2.4, RFC 9606 section 3).
pub(super) fn is_singleton(rtype: Rtype) -> bool {
    matches!(rtype, Rtype::CNAME | Rtype::DNAME | Rtype::SOA | RESINFO)
}

/// An alias, its own proof of existence, and the keys and signatures that BIND lets stand beside it.
pub(super) fn may_stand_at_cname(rtype: Rtype) -> bool {
    const SIG: Rtype = Rtype(24);
    const KEY: Rtype = Rtype(25);
    matches!(rtype, Rtype::CNAME | Rtype::RRSIG | Rtype::NSEC | SIG | KEY)
}

/// What is wrong with a name that records of the zone point to, if it is for this zone to tell; glue does not matter.
pub(super) fn target_fault(version: &ZoneVersion, target: NameRef<'_>) -> Option<String> {
    let policy = Policy::default();
    fault_text(&Checks::new(version, &policy, None).target(target))
}

/// A run of checks over one zone.
struct Checks<'a> {
    version: &'a ZoneVersion,
    policy: &'a Policy,
    verdict: Verdict,
    /// What comes behind all else, and only if the zone is not refused before: records that are there twice.
    duplicates: Verdict,
    outside: Option<&'a Outside>,
}

/// What a name that a record points to comes to.
enum Target<'a> {
    /// It has an address, or lies where this zone cannot know.
    Fine,
    /// In the zone, and nothing is there.
    NoAddress,
    /// Below a zone cut, and there is no glue.
    NoGlue,
    /// An alias.
    Cname,
    /// Below this alias of a whole tree.
    BelowDname(Node<'a>),
}

impl<'a> Checks<'a> {
    fn new(version: &'a ZoneVersion, policy: &'a Policy, outside: Option<&'a Outside>) -> Self {
        Self { version, policy, verdict: Verdict::default(), duplicates: Verdict::default(), outside }
    }

    fn error(&mut self, text: String) {
        self.verdict.messages.push(Message::of_records(Level::Error, text));
    }

    /// Says something at the level that the operator chose.
    fn judge(&mut self, strictness: Strictness, text: String) {
        self.verdict.judge(strictness, text);
    }

    /// The zone's own name servers: those in the zone need addresses.
    fn apex(&mut self) {
        let ns = self.version.apex_node().and_then(|apex| apex.rrset(Rtype::NS));
        self.verdict.messages.extend(presence(1, ns.map_or(0, |ns| ns.len())));
        if self.policy.ns_addresses {
            self.servers(Level::Error);
        }
        self.verdict.is_refused = !self.verdict.messages.is_empty();
    }

    fn servers(&mut self, level: Level) {
        let ns = self.version.apex_node().and_then(|apex| apex.rrset(Rtype::NS));
        for target in ns.iter().flat_map(|ns| ns.rdatas()).filter_map(|data| NameRef::from_wire(data).ok()) {
            if let Some(fault) = fault_text(&self.target(target)) {
                self.verdict.messages.push(Message::of_records(level, format!("NS '{}' {fault}", NoDot(target))));
            }
        }
    }

    /// The hashes of NSEC3 chains.
    fn hashes(&mut self) {
        let (warnings, has_known) = keys::hashes(self.version);
        warnings.into_iter().for_each(|text| self.judge(Strictness::Warn, text));
        if !has_known {
            self.judge(Strictness::Fail, "no supported nsec3 hash algorithm".into());
        }
    }

    /// All names of which something may have to be said: those of a large zone on several threads, for most of the time
    /// goes by waiting for memory.
    fn names(&mut self) {
        // Where a resolver is asked it is about names outside the zone, which no flag tells of.
        let flag = if self.outside.is_some() { Flags::default() } else { Flags::CONCERN };
        let parts = self.version.name_parts_with(flag);
        // It is asked by one, for what has been told of a name is not told again.
        let is_for_one = self.outside.is_some() || self.version.node_count() < MANY_NAMES;
        let threads = if is_for_one { 1 } else { processors() };
        let next = AtomicUsize::new(0);
        let work = || {
            let mut done = Vec::new();
            while let Some((number, part)) = parts.get(next.fetch_add(1, Ordering::Relaxed)) {
                done.push((*number, self.part(part.clone())));
            }
            done
        };
        let mut done = thread::scope(|scope| {
            let others: Vec<_> = (1..threads).map(|_| scope.spawn(work)).collect();
            let mut done = work();
            done.extend(others.into_iter().flat_map(|other| other.join().unwrap_or_else(|panic| resume_unwind(panic))));
            done
        });
        done.sort_by_key(|(number, _)| *number);
        for (_, part) in done {
            self.verdict.absorb(part.verdict);
            self.duplicates.absorb(part.duplicates);
        }
    }

    fn part(&self, names: impl Iterator<Item = Node<'a>>) -> Self {
        let mut checks = Self::new(self.version, self.policy, self.outside);
        names.filter(|node| !node.is_occluded()).for_each(|node| checks.node(&node));
        checks
    }

    fn node(&mut self, node: &Node<'a>) {
        let owner = node.owner();
        for rrset in node.rrsets() {
            if self.policy.integrity {
                match rrset.rtype() {
                    Rtype::NS if node.is_cut() => self.delegation(owner.as_ref(), &rrset),
                    Rtype::MX if !node.is_cut() => self.mail(owner.as_ref(), &rrset),
                    Rtype::SRV if !node.is_cut() => self.service(owner.as_ref(), &rrset),
                    Rtype::DS if !node.is_cut() => {}
                    KEY | Rtype::DS => self.deprecated(owner.as_ref(), &rrset),
                    _ => {}
                }
            }
            self.duplicates(owner.as_ref(), &rrset);
        }
        if self.policy.integrity && self.policy.spf && !node.is_cut() {
            self.spf(owner.as_ref(), node);
        }
    }

    fn delegation(&mut self, owner: NameRef<'_>, rrset: &Rrset<'a>) {
        for target in rrset.rdatas().filter_map(|data| NameRef::from_wire(data).ok()) {
            let found = self.target(target);
            let fault = match found {
                Target::NoGlue if target.is_at_or_below(owner) => {
                    Some("has no REQUIRED GLUE address records (A or AAAA)".into())
                }
                Target::NoGlue if self.policy.sibling => Some("has no SIBLING GLUE address records (A or AAAA)".into()),
                _ => fault_text(&found),
            };
            let is_open = matches!(found, Target::NoGlue) && fault.is_none();
            if let Some(fault) = fault {
                self.error(format!("{}/NS '{}' {fault}", NoDot(owner), NoDot(target)));
            }
            if !is_open && target.is_at_or_below(self.version.apex()) && self.is_outside(target) {
                self.outside_server(owner, target);
            }
        }
    }

    fn mail(&mut self, owner: NameRef<'_>, rrset: &Rrset<'a>) {
        for target in rrset.rdatas().filter_map(|data| target_name(data, 2)) {
            if self.is_outside(target) {
                self.outside_target(owner, Rtype::MX, target);
                continue;
            }
            let found = self.target(target);
            let Some(fault) = fault_text(&found) else { continue };
            let strictness = match found {
                // BIND has no silence here: `ignore` is about addresses in place of names alone.
                Target::NoAddress if self.policy.mx == Strictness::Ignore => Strictness::Warn,
                Target::NoAddress => self.policy.mx,
                _ => self.policy.mx_cname,
            };
            self.judge(strictness, format!("{}/MX '{}' {fault}", NoDot(owner), NoDot(target)));
        }
    }

    fn service(&mut self, owner: NameRef<'_>, rrset: &Rrset<'a>) {
        for target in rrset.rdatas().filter_map(|data| target_name(data, 6)) {
            if self.is_outside(target) {
                self.outside_target(owner, Rtype::SRV, target);
                continue;
            }
            let found = self.target(target);
            let Some(fault) = fault_text(&found) else { continue };
            let text = format!("{}/SRV '{}' {fault}", NoDot(owner), NoDot(target));
            match found {
                Target::NoAddress => self.error(text),
                _ => self.judge(self.policy.srv_cname, text),
            }
        }
    }

    /// Keys and digests made with SHA-1 or GOST, each kind once.
    fn deprecated(&mut self, owner: NameRef<'_>, rrset: &Rrset<'a>) {
        let mut texts: Vec<String> = Vec::new();
        let head = format!("{}/{} deprecated", NoDot(owner), rrset.rtype());
        for data in rrset.rdatas() {
            let digest = old_digest(rrset.rtype(), data);
            let digest = digest.map(|(kind, word)| format!("{head} digest type {kind} ({word})"));
            let algorithm = old_algorithm(rrset.rtype(), data);
            let algorithm = algorithm.and_then(|number| Some((number, rdata::algorithm_word(number)?)));
            let algorithm = algorithm.map(|(number, word)| format!("{head} algorithm {number} ({word})"));
            for text in digest.into_iter().chain(algorithm) {
                if !texts.contains(&text) {
                    texts.push(text);
                }
            }
        }
        texts.into_iter().for_each(|text| self.warning(text));
    }

    fn warning(&mut self, text: String) {
        self.verdict.messages.push(Message::of_records(Level::Warning, text));
    }

    fn duplicates(&mut self, owner: NameRef<'_>, rrset: &Rrset<'a>) {
        if rrset.len() < 2 || self.policy.duplicates == Strictness::Ignore {
            return;
        }
        if rrset.rtype() == HIP {
            let records: Vec<_> = rrset.rdatas().filter_map(folded_servers).collect();
            return self.identical(owner, rrset, &records);
        }
        let cased = CASED_NAMES.iter().find(|(rtype, ..)| *rtype == rrset.rtype());
        let Some((_, offset, kind)) = cased else { return };
        let records: Vec<_> = rrset.rdatas().filter_map(|data| around_name(data, *offset, *kind)).collect();
        self.identical(owner, rrset, &records);
    }

    fn identical<T: PartialEq>(&mut self, owner: NameRef<'_>, rrset: &Rrset<'a>, records: &[T]) {
        if records.iter().enumerate().any(|(at, record)| records.iter().skip(at + 1).any(|other| record == other)) {
            let text = format!("{}/{} has semantically identical records", NoDot(owner), rrset.rtype());
            self.duplicates.judge(self.policy.duplicates, text);
        }
    }

    fn spf(&mut self, owner: NameRef<'_>, node: &Node<'a>) {
        if node.rrset(SPF).is_none() {
            return;
        }
        if !node.rrset(Rtype::TXT).is_some_and(|rrset| rrset.rdatas().any(is_spf)) {
            let owner = NoDot(owner);
            let text =
                format!("'{owner}' found type SPF record but no SPF TXT record found, add matching type TXT record");
            self.verdict.messages.push(Message::of_records(Level::Warning, text));
        }
    }

    fn target(&self, target: NameRef<'_>) -> Target<'a> {
        if target.is_root() || !target.is_at_or_below(self.version.apex()) {
            return Target::Fine;
        }
        let found = self.version.find(target);
        if let (Some(dname), None) = (found.dname, found.cut) {
            return Target::BelowDname(dname);
        }
        let node = match found.matched {
            found @ (Match::Node(_) | Match::EmptyNonTerminal) => found.node(),
            // What lies below a zone cut is glue, which is for nothing but its own name.
            Match::Missing if found.cut.is_some() => None,
            Match::Missing => found.wildcard.node(),
        };
        let has_address = |node: Node<'_>| node.rrset(Rtype::A).is_some() || node.rrset(Rtype::AAAA).is_some();
        match (node, found.cut) {
            (Some(node), _) if has_address(node) => Target::Fine,
            (_, Some(_)) => Target::NoGlue,
            (Some(node), None) if node.has_cname() => Target::Cname,
            _ => Target::NoAddress,
        }
    }
}

const KEY: Rtype = Rtype(25);
const HIP: Rtype = Rtype(55);
const SPF: Rtype = Rtype(99);
const RESINFO: Rtype = Rtype(261);

/// What is wrong with a target, where glue does not matter.
fn fault_text(target: &Target<'_>) -> Option<String> {
    match target {
        Target::Fine | Target::NoGlue => None,
        Target::NoAddress => Some("has no address records (A or AAAA)".into()),
        Target::Cname => Some("is a CNAME (illegal)".into()),
        Target::BelowDname(dname) => Some(format!("is below a DNAME '{}' (illegal)", NoDot(dname.owner().as_ref()))),
    }
}

/// The name at `offset` of some data.
fn target_name(data: &[u8], offset: usize) -> Option<NameRef<'_>> {
    data.get(offset..).and_then(|name| NameRef::from_wire(name).ok())
}

/// The data of HIP with the servers behind its tag and key in lower case.
fn folded_servers(data: &[u8]) -> Option<Vec<u8>> {
    let &[tag_length, _, high, low, ..] = data else { return None };
    let servers = 4 + usize::from(tag_length) + usize::from(u16::from_be_bytes([high, low]));
    let mut folded = data.to_vec();
    folded.get_mut(servers..)?.make_ascii_lowercase();
    Some(folded)
}

/// What stands before a name in some data, the name, which is compared whatever its case, and what stands behind it.
fn around_name(data: &[u8], offset: usize, kind: Option<u8>) -> Option<(&[u8], NameRef<'_>, &[u8])> {
    let (front, rest) = data.split_at_checked(offset)?;
    if kind.is_some_and(|kind| front.get(1).is_none_or(|byte| byte & KIND_BITS != kind)) {
        return None;
    }
    let name = NameRef::from_prefix(rest).ok()?;
    Some((front, name, rest.get(name.len()..)?))
}

/// Types whose records may differ in nothing but the case of a name: where it stands, and the second byte that says so
/// if it need not be there. Records of other types are the same then, and only one of them is kept.
const CASED_NAMES: [(Rtype, usize, Option<u8>); 4] = [
    (Rtype::NSEC, 0, None),
    (Rtype(45), 3, Some(GATEWAY_NAME)),  // IPSECKEY
    (Rtype(107), 2, None),               // LP
    (Rtype(260), 2, Some(GATEWAY_NAME)), // AMTRELAY
];
/// The kind of gateway or relay that is a name (RFC 4025 section 2.3, RFC 8777 section 4.2.3).
const GATEWAY_NAME: u8 = 3;
/// AMTRELAY keeps another flag in the highest bit.
const KIND_BITS: u8 = 0x7f;
