//! Replies in a form in which they can be compared: header, question, sections in order of text, EDNS by option.

use std::collections::BTreeSet;
use std::fmt::{self, Write};

use nomd::dns::edns::Edns;
use nomd::dns::message::Section;
use nomd::dns::{Message, Rtype, rdata};

/// A reply, or that there is none.
#[derive(Debug, Clone, Default)]
pub struct Reply {
    pub header: String,
    pub question: String,
    pub answer: Vec<String>,
    pub authority: Vec<String>,
    pub additional: Vec<String>,
    pub edns: Vec<String>,
    /// In bytes; not compared.
    pub length: usize,
}

impl PartialEq for Reply {
    fn eq(&self, other: &Self) -> bool {
        let sections =
            |reply: &Self| [&reply.answer, &reply.authority, &reply.additional, &reply.edns].map(Clone::clone);
        (&self.header, &self.question) == (&other.header, &other.question) && sections(self) == sections(other)
    }
}

/// COOKIE: its server part differs by server.
const COOKIE: u16 = 10;

impl Reply {
    /// Reads a reply.
    pub fn read(bytes: Option<&[u8]>) -> Self {
        let Some(bytes) = bytes else { return Self { header: "no reply".into(), ..Self::default() } };
        hickory_proto::op::Message::from_vec(bytes).unwrap_or_else(|error| panic!("{error}: {}", bytes.escape_ascii()));
        let message = Message::new(bytes).unwrap();
        let header = format!("flags {:02x}{:02x}", bytes[2], bytes[3]);
        let mut reply = Self { header, length: bytes.len(), ..Self::default() };
        for question in message.questions() {
            let question = question.unwrap();
            let _ = write!(reply.question, "{} {} {}", question.name.as_ref(), question.class, question.rtype);
        }
        for record in message.records() {
            let record = record.unwrap();
            if record.rtype == Rtype::OPT {
                reply.edns = edns(&Edns::read(&record, message.rdata(&record)).unwrap(), record.ttl);
                continue;
            }
            let mut data = Vec::new();
            rdata::from_wire(record.rtype, bytes, record.rdata.clone(), &mut data).unwrap();
            // Owners keep their case: compression does not change it.
            let kind = format!("{} {} ", record.class, record.rtype).to_lowercase();
            let mut text = format!("{} {} {kind}", record.owner.as_ref(), record.ttl);
            rdata::to_text(record.rtype, &data, &mut text);
            match record.section {
                Section::Answer => reply.answer.push(text),
                Section::Authority => reply.authority.push(text),
                Section::Additional => reply.additional.push(text),
            }
        }
        for section in [&mut reply.answer, &mut reply.authority, &mut reply.additional] {
            section.sort();
        }
        reply
    }
}

impl Reply {
    /// Whether TC is set.
    pub fn is_truncated(&self) -> bool {
        self.flags() & TC != 0
    }

    /// Whether AA is set.
    pub fn is_authoritative(&self) -> bool {
        self.flags() & AA != 0
    }

    /// The rcode, as far as the header has it.
    pub fn rcode(&self) -> u16 {
        self.flags() & 15
    }

    /// The same without ZONEVERSION, and without the extended error Not Authoritative.
    pub fn without_later_options(&self) -> Self {
        let mut reply = self.clone();
        reply.edns.retain(|line| !line.starts_with("option 19 ") && line != "option 15 2 \\x00\\x14");
        reply
    }

    /// The same with all names in small letters.
    pub fn folded(&self) -> Self {
        let mut folded = self.clone();
        for section in [&mut folded.answer, &mut folded.authority, &mut folded.additional] {
            section.iter_mut().for_each(|record| *record = record.to_lowercase());
            section.sort();
        }
        folded
    }

    /// Whether some owner comes in two spellings.
    pub fn spells_owners_differently(&self) -> bool {
        let records = [&self.answer, &self.authority, &self.additional].into_iter().flatten();
        let owners: BTreeSet<&str> = records.filter_map(|record| record.split(' ').next()).collect();
        let folded: BTreeSet<String> = owners.iter().map(|owner| owner.to_lowercase()).collect();
        folded.len() < owners.len()
    }

    fn flags(&self) -> u16 {
        let flags = self.header.trim_start_matches("flags ");
        u16::from_str_radix(flags, 16).unwrap_or(0)
    }
}

const AA: u16 = 0x0400;
const TC: u16 = 0x0200;

fn edns(edns: &Edns<'_>, ttl: u32) -> Vec<String> {
    let mut lines = vec![format!("OPT size {} ttl {ttl:08x}", edns.udp_size)];
    for option in edns.options() {
        let (code, data) = option;
        let shown = if code == COOKIE { &data[..8] } else { data };
        lines.push(format!("option {code} {} {}", data.len(), shown.escape_ascii()));
    }
    lines.sort();
    lines
}

impl fmt::Display for Reply {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        writeln!(f, "{} {}", self.header, self.question)?;
        let sections = [("answer", &self.answer), ("authority", &self.authority), ("additional", &self.additional)];
        for (name, records) in sections.into_iter().chain([("edns", &self.edns)]) {
            records.iter().try_for_each(|record| writeln!(f, "    {name}: {record}"))?;
        }
        Ok(())
    }
}
