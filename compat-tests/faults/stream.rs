//! Messages made by hand: requests taken apart, replies put together, signatures right and wrong.

use std::time::{SystemTime, UNIX_EPOCH};

use data_encoding::BASE64;
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

use crate::peers::Key;

pub const A: u16 = 1;
pub const NS: u16 = 2;
pub const SOA: u16 = 6;
pub const TXT: u16 = 16;
const TSIG: u16 = 250;
const IXFR: u16 = 251;
const AXFR: u16 = 252;
pub const IN: u16 = 1;
pub const CH: u16 = 3;
const ANY: u16 = 255;

/// What a secondary asks.
#[derive(Debug, Clone)]
pub struct Request {
    pub id: u16,
    /// The zone's name without a final dot, in lower case.
    pub zone: String,
    pub rtype: u16,
    /// The question section.
    pub question: Vec<u8>,
    /// The MAC of a signed request.
    pub mac: Option<Vec<u8>>,
}

impl Request {
    /// Takes a query with one question and perhaps an OPT and a TSIG record apart.
    pub fn read(bytes: &[u8]) -> Option<Self> {
        let counts: Vec<u16> = bytes.get(..12)?.chunks(2).map(|pair| u16::from_be_bytes([pair[0], pair[1]])).collect();
        let end = skip_name(bytes, 12)? + 4;
        let question = bytes.get(12..end)?.to_vec();
        let labels = question[..question.len() - 4].to_ascii_lowercase();
        let (mut at, mut mac) = (end, None);
        for _ in 0..counts[3] + counts[4] + counts[5] {
            let fixed = skip_name(bytes, at)?;
            let length = usize::from(word(bytes, fixed + 8)?);
            let rdata = bytes.get(fixed + 10..fixed + 10 + length)?;
            if word(bytes, fixed)? == TSIG {
                let algorithm = skip_name(rdata, 0)?;
                let size = usize::from(word(rdata, algorithm + 8)?);
                mac = Some(rdata.get(algorithm + 10..algorithm + 10 + size)?.to_vec());
            }
            at = fixed + 10 + length;
        }
        Some(Self { id: counts[0], zone: text(&labels), rtype: word(bytes, end - 4)?, question, mac })
    }

    pub fn is_transfer(&self) -> bool {
        matches!(self.rtype, AXFR | IXFR)
    }

    /// An authoritative answer to the question with these records.
    pub fn reply(&self, records: &[Vec<u8>]) -> Vec<u8> {
        message(self.id, 0x8400, &self.question, records)
    }

    /// The same with another rcode and no records.
    pub fn refusal(&self, rcode: u16) -> Vec<u8> {
        message(self.id, 0x8000 | rcode, &self.question, &[])
    }
}

/// A message with at most one question.
pub fn message(id: u16, flags: u16, question: &[u8], records: &[Vec<u8>]) -> Vec<u8> {
    let questions = u16::from(!question.is_empty());
    let head = [id, flags, questions, records.len() as u16, 0, 0].map(u16::to_be_bytes).concat();
    [&head, question, &records.concat()].concat()
}

/// A NOTIFY that tells no serial.
pub fn notify(zone: &str) -> Vec<u8> {
    message(7, 0x2400, &[&name(zone), &SOA.to_be_bytes()[..], &IN.to_be_bytes()].concat(), &[])
}

/// The messages of an honest transfer: a first one with the SOA record and the bulk, a second one with the end.
pub fn zone_messages(request: &Request, serial: u32) -> Vec<Vec<u8>> {
    let zone = &request.zone;
    let end = message(request.id, 0x8400, &[], &[record(&format!("b.{zone}"), A, &[192, 0, 2, 2]), soa(zone, serial)]);
    vec![request.reply(&[vec![soa(zone, serial)], bulk(zone, serial)].concat()), end]
}

/// The records that every version has beside the SOA record and `b`.
pub fn bulk(zone: &str, serial: u32) -> Vec<Vec<u8>> {
    let version = serial.to_string();
    let text = [&[version.len() as u8], version.as_bytes()].concat();
    vec![
        record(zone, NS, &name(&format!("ns.{zone}"))),
        record(&format!("ns.{zone}"), A, &[192, 0, 2, 1]),
        record(&format!("version.{zone}"), TXT, &text),
    ]
}

/// A SOA record; refresh and retry are long, so that only what the tests ask for happens.
pub fn soa(zone: &str, serial: u32) -> Vec<u8> {
    let numbers = [serial, 86400, 86400, 1_209_600, 300].map(u32::to_be_bytes).concat();
    let rdata = [name(&format!("ns.{zone}")), name(&format!("hostmaster.{zone}")), numbers].concat();
    record(zone, SOA, &rdata)
}

/// A record of class IN with an uncompressed owner.
pub fn record(owner: &str, rtype: u16, rdata: &[u8]) -> Vec<u8> {
    record_of(owner, rtype, IN, rdata)
}

/// A record of any class.
pub fn record_of(owner: &str, rtype: u16, class: u16, rdata: &[u8]) -> Vec<u8> {
    record_with(&name(owner), rtype, class, 3600, rdata)
}

/// A record, everything chosen.
pub fn record_with(owner: &[u8], rtype: u16, class: u16, ttl: u32, rdata: &[u8]) -> Vec<u8> {
    let (rtype, class, length) = (rtype.to_be_bytes(), class.to_be_bytes(), (rdata.len() as u16).to_be_bytes());
    [owner, &rtype, &class, &ttl.to_be_bytes(), &length, rdata].concat()
}

/// A name in wire form.
pub fn name(text: &str) -> Vec<u8> {
    let labels = text.split('.').filter(|label| !label.is_empty());
    let mut wire: Vec<u8> = labels.flat_map(|label| [&[label.len() as u8], label.as_bytes()].concat()).collect();
    wire.push(0);
    wire
}

fn text(wire: &[u8]) -> String {
    let (mut labels, mut rest) = (vec![], wire);
    while let Some((&length, tail)) = rest.split_first().filter(|(length, _)| **length > 0) {
        let (label, tail) = tail.split_at(usize::from(length));
        labels.push(String::from_utf8_lossy(label).into_owned());
        rest = tail;
    }
    labels.join(".")
}

fn word(bytes: &[u8], at: usize) -> Option<u16> {
    bytes.get(at..at + 2).map(|pair| u16::from_be_bytes([pair[0], pair[1]]))
}

fn skip_name(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        match *bytes.get(at)? {
            0 => return Some(at + 1),
            length if length >= 0xc0 => return Some(at + 2),
            length => at += 1 + usize::from(length),
        }
    }
}

fn now_s() -> u64 {
    SystemTime::now().duration_since(UNIX_EPOCH).unwrap().as_secs()
}

const NOTAUTH: u16 = 9;
pub const BADSIG: u16 = 16;
pub const BADKEY: u16 = 17;
pub const BADTIME: u16 = 18;

/// Signs the messages of one conversation in turn with hmac-sha256 (RFC 8945), or does it wrong.
#[derive(Debug, Clone)]
pub struct Signer {
    pub key_name: String,
    secret: Vec<u8>,
    last_mac: Vec<u8>,
    is_first: bool,
    /// How many bytes of the MAC are sent.
    pub mac_bytes: usize,
    /// Added to the clock.
    pub skew_s: i64,
    /// What is wrong with the request; 0: nothing.
    error: u16,
}

impl Signer {
    /// For the answers to a request, if that was signed.
    pub fn new(key: &Key, request: &Request) -> Option<Self> {
        let secret = BASE64.decode(key.secret.as_bytes()).unwrap();
        let last_mac = request.mac.clone()?;
        Some(Self { key_name: Key::NAME.into(), secret, last_mac, is_first: true, mac_bytes: 32, skew_s: 0, error: 0 })
    }

    /// Another secret from now on.
    pub fn forget_secret(&mut self) {
        self.secret.reverse();
    }

    /// The refusal of a request for this TSIG error; with BADTIME comes the clock, this far from ours.
    pub fn refuse(&mut self, request: &Request, error: u16, skew_s: i64) -> Vec<u8> {
        self.error = error;
        let Some(time_s) = now_s().checked_add_signed(skew_s).filter(|_| error == BADTIME) else {
            self.mac_bytes = 0;
            return self.sign_with(&request.refusal(NOTAUTH), &[]);
        };
        self.sign_with(&request.refusal(NOTAUTH), &time_s.to_be_bytes()[2..])
    }

    /// The message with a TSIG record behind it.
    pub fn sign(&mut self, message: &[u8]) -> Vec<u8> {
        self.sign_with(message, &[])
    }

    fn sign_with(&mut self, message: &[u8], other: &[u8]) -> Vec<u8> {
        let now_s = now_s().checked_add_signed(self.skew_s).unwrap();
        let error = [&self.error.to_be_bytes(), &(other.len() as u16).to_be_bytes(), other].concat();
        let timers = [&now_s.to_be_bytes()[2..], &300_u16.to_be_bytes()].concat();
        let algorithm = name("hmac-sha256");
        let class_and_ttl = [&ANY.to_be_bytes()[..], &[0; 4]].concat();
        let variables = [&name(&self.key_name)[..], &class_and_ttl, &algorithm, &timers, &error].concat();
        let mut mac = Hmac::<Sha256>::new_from_slice(&self.secret).unwrap();
        mac.update(&(self.last_mac.len() as u16).to_be_bytes());
        mac.update(&self.last_mac);
        mac.update(message);
        // Later messages of a stream cover the times alone.
        mac.update(if self.is_first { &variables } else { &timers });
        self.last_mac = mac.finalize().into_bytes().to_vec();
        self.is_first = false;
        let sent = &self.last_mac[..self.mac_bytes];
        let size = (sent.len() as u16).to_be_bytes();
        let rdata = [&algorithm[..], &timers, &size, sent, &message[..2], &error].concat();
        let mut signed = [message, &record_with(&name(&self.key_name), TSIG, ANY, 0, &rdata)].concat();
        signed[11] += 1;
        signed
    }
}
