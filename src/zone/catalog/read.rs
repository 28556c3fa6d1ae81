//! From the records of a catalog zone to a [`Catalog`].

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use super::properties::{Properties, Property, only_string};
use super::{Catalog, Member, MemberId};
use crate::dns::name::{MAX_NAME, NameError, NoDot};
use crate::dns::{Class, Name, NameBuf, NameRef, Rtype};
use crate::zone::message::{Level, Message};
use crate::zone::{Node, Rrset, ZoneVersion};

/// Why a record is passed over, as BIND words it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub(super) enum Fault {
    #[error("failure")]
    Failure,
    #[error("unexpected error")]
    Unexpected,
    #[error("not a valid number")]
    BadNumber,
    #[error("out of range")]
    Range,
    #[error(transparent)]
    Name(#[from] NameError),
}

impl Catalog {
    /// Reads a version of a catalog zone. None: it is broken. `before` is the catalog in force, whose schema holds
    /// where a version has lost its own.
    pub fn read(zone: &ZoneVersion, before: &Self) -> (Option<Self>, Vec<Message>) {
        let mut reader = Reader::new(zone);
        let catalog = reader.read(before.schema);
        if catalog.is_none() {
            let name = NoDot(zone.apex());
            let text = format!("catz: new catalog zone '{name}' is broken and will not be processed");
            reader.say(Level::Error, text);
        }
        (catalog, reader.messages)
    }
}

/// A catalog that is being read.
struct Reader<'z> {
    zone: &'z ZoneVersion,
    schema: Option<u32>,
    is_broken: bool,
    /// What the catalog says of all members.
    global: Properties,
    members: BTreeMap<MemberId, Draft>,
    messages: Vec<Message>,
}

/// What is known of a member so far. Without a name there is none.
#[derive(Default)]
struct Draft {
    apex: Option<Name>,
    heir: Option<Name>,
    properties: Properties,
}

impl<'z> Reader<'z> {
    fn new(zone: &'z ZoneVersion) -> Self {
        let (global, members) = (Properties::default(), BTreeMap::new());
        Self { zone, schema: None, is_broken: false, global, members, messages: Vec::new() }
    }

    fn read(&mut self, schema_before: Option<u32>) -> Option<Catalog> {
        let name = NoDot(self.zone.apex());
        if self.zone.class() != Class::IN {
            self.say(Level::Error, "catz: RR found which has a non-IN class".to_owned());
            return None;
        }
        // How the others are read depends on it.
        let version = NameBuf::join(VERSION, self.zone.apex()).ok().and_then(|owner| self.zone.node(owner.as_ref()));
        let Some(version) = version else {
            self.say(Level::Error, format!("catz: zone '{name}' has no 'version' record (partial match)"));
            return None;
        };
        self.take_node(&version);
        let others = self.zone.names().filter(|node| node.relative_owner() != version.relative_owner());
        others.for_each(|node| self.take_node(&node));
        let schema = self.schema.or(schema_before);
        match schema {
            Some(1 | 2) => {}
            Some(other) => self.breaks(format!("catz: zone '{name}' unsupported version '{other}'")),
            None => self.breaks(format!("catz: zone '{name}' version is not set")),
        }
        (!self.is_broken).then(|| self.catalog(schema))
    }

    fn catalog(&mut self, schema: Option<u32>) -> Catalog {
        let global = Arc::new(std::mem::take(&mut self.global));
        let (mut members, mut heirs) = (BTreeMap::new(), HashMap::new());
        for (id, Draft { apex, heir, properties }) in std::mem::take(&mut self.members) {
            let Some(apex) = apex else { continue };
            if let Some(heir) = heir {
                heirs.entry(apex.clone()).or_insert(heir);
            }
            let has_own = properties != Properties::default();
            let properties = if has_own { Arc::new(properties.over(&global)) } else { Arc::clone(&global) };
            members.insert(id, Member { apex, properties });
        }
        Catalog { schema, members, heirs }
    }

    fn take_node(&mut self, node: &Node<'_>) {
        let owner = node.owner();
        let mut memory = [0; MAX_NAME];
        let labels = folded_labels(owner.as_ref(), self.zone.apex(), &mut memory);
        for rrset in node.rrsets().filter(|rrset| !PASSED_OVER.contains(&rrset.rtype())) {
            if let Err(fault) = self.take(&labels, &rrset) {
                let (name, class, rtype) = (NoDot(owner.as_ref()), self.zone.class(), rrset.rtype());
                let text =
                    format!("catz: invalid record in catalog zone - {name} {class} {rtype} ({fault}) - ignoring");
                self.say(Level::Warning, text);
            }
        }
    }

    /// Takes an RRset by the labels of its owner below the catalog's name, the last of them first.
    fn take(&mut self, labels: &[&[u8]], rrset: &Rrset<'_>) -> Result<(), Fault> {
        match labels {
            [] if matches!(rrset.rtype(), Rtype::SOA | Rtype::NS) => Ok(()),
            [] => Err(Fault::Unexpected),
            [b"version"] => self.take_version(rrset),
            [b"zones"] => Err(Fault::Failure),
            [b"zones", id] => self.take_member(id, rrset),
            [b"zones", id, b"coo", ..] => self.take_heir(id, rrset),
            [b"zones", id, rest @ ..] => {
                let (property, label) = self.property(rest)?;
                self.draft(id).properties.take(property, label, rrset)
            }
            rest => {
                let (property, label) = self.property(rest)?;
                self.global.take(property, label, rrset)
            }
        }
    }

    /// A property, and what stands in front of it. From schema 2 on properties of BIND's own stand below `ext`.
    fn property<'l>(&self, labels: &'l [&'l [u8]]) -> Result<(Property, &'l [&'l [u8]]), Fault> {
        let labels = match (self.schema, labels) {
            (Some(1), labels) => labels,
            (_, [b"ext", rest @ ..]) => rest,
            _ => return Err(Fault::Failure),
        };
        let (name, label) = labels.split_first().ok_or(Fault::Failure)?;
        Ok((Property::from_label(name).ok_or(Fault::Failure)?, label))
    }

    fn take_version(&mut self, rrset: &Rrset<'_>) -> Result<(), Fault> {
        self.expect_one(rrset, Rtype::TXT, "'version' property TXT")?;
        let version = rrset.rdatas().next().and_then(only_string).ok_or(Fault::Failure).and_then(number);
        if version.is_err() {
            self.breaks("catz: invalid record for the catalog zone version property".to_owned());
        }
        self.schema = Some(version?);
        Ok(())
    }

    fn take_member(&mut self, id: &[u8], rrset: &Rrset<'_>) -> Result<(), Fault> {
        self.expect_one(rrset, Rtype::PTR, "member zone PTR")?;
        let apex = target(rrset)?;
        self.draft(id).apex = Some(apex);
        Ok(())
    }

    /// `coo`, which came with schema 2.
    fn take_heir(&mut self, id: &[u8], rrset: &Rrset<'_>) -> Result<(), Fault> {
        if self.schema == Some(1) {
            return Err(Fault::Failure);
        }
        self.expect_one(rrset, Rtype::PTR, "'coo' property PTR")?;
        let heir = target(rrset)?;
        let draft = self.draft(id);
        draft.heir = Some(heir);
        draft.apex.as_ref().map(drop).ok_or(Fault::Failure)
    }

    /// Two records where one belongs break the catalog.
    fn expect_one(&mut self, rrset: &Rrset<'_>, rtype: Rtype, what: &str) -> Result<(), Fault> {
        if rrset.rtype() != rtype {
            return Err(Fault::Failure);
        }
        if rrset.len() != 1 {
            self.breaks(format!("catz: {what} RRset contains more than one record, which is invalid"));
            return Err(Fault::Failure);
        }
        Ok(())
    }

    fn draft(&mut self, id: &[u8]) -> &mut Draft {
        self.members.entry(id.into()).or_default()
    }

    fn breaks(&mut self, text: String) {
        self.is_broken = true;
        self.say(Level::Warning, text);
    }

    fn say(&mut self, level: Level, text: String) {
        self.messages.push(Message::of_zone(level, text));
    }
}

/// The labels of a name below the apex in lower case, the one next to the apex first.
fn folded_labels<'m>(name: NameRef<'_>, apex: NameRef<'_>, memory: &'m mut [u8; MAX_NAME]) -> Vec<&'m [u8]> {
    let folded = NameRef::from_checked(name.folded(memory));
    let below = name.label_count().saturating_sub(apex.label_count());
    let mut labels: Vec<&[u8]> = folded.labels().take(below).collect();
    labels.reverse();
    labels
}

fn target(rrset: &Rrset<'_>) -> Result<Name, Fault> {
    let rdata = rrset.rdatas().next().ok_or(Fault::Failure)?;
    Ok(NameRef::from_wire(rdata)?.to_name())
}

/// BIND: at most 15 digits, and 32 bits.
fn number(text: &[u8]) -> Result<u32, Fault> {
    let text = std::str::from_utf8(text).ok().filter(|text| (1..=15).contains(&text.len()));
    let text = text.filter(|text| text.bytes().all(|byte| byte.is_ascii_digit())).ok_or(Fault::BadNumber)?;
    text.parse().map_err(|_| Fault::Range)
}

/// The label `version`.
const VERSION: &[u8] = b"\x07version";

/// What signing a catalog or hashing it adds says nothing of members; nor do signatures, which are kept apart.
const PASSED_OVER: [Rtype; 8] =
    [Rtype::DS, Rtype::NSEC, Rtype::DNSKEY, Rtype::NSEC3, Rtype::NSEC3PARAM, Rtype::CDS, Rtype::CDNSKEY, Rtype::ZONEMD];
