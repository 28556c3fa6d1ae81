//! Raw files of a secondary with every kind of damage.
//!
//! All are made from the file that named itself wrote: a header of 24 bytes, then the RRsets SOA, NS, `b`, `ns` and
//! `version`, each with a total length, class, type, covered type, TTL, count, length of the owner, owner, and records.

use std::fs;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

/// A damage and what becomes of the zone.
pub struct Damage {
    /// The zone is `NAME.example`.
    pub name: &'static str,
    pub what: What,
    /// Whether the copy is served as it is; if not, the zone is transferred anew.
    pub is_served: bool,
}

pub enum What {
    /// Other bytes.
    Bytes(fn(&Image) -> Vec<u8>),
    /// Something else is done to the file.
    File(fn(&Path)),
}

/// A sound file, taken apart.
pub struct Image {
    pub header: Vec<u8>,
    pub rrsets: Vec<Vec<u8>>,
}

impl Image {
    pub fn read(bytes: &[u8]) -> Self {
        let (header, mut rest) = bytes.split_at(24);
        let mut rrsets = vec![];
        while let Some(length) = rest.first_chunk() {
            let (rrset, tail) = rest.split_at(u32::from_be_bytes(*length) as usize);
            rrsets.push(rrset.to_vec());
            rest = tail;
        }
        assert_eq!(rrsets.len(), 5, "{bytes:?}");
        Self { header: header.to_vec(), rrsets }
    }

    fn bytes(&self) -> Vec<u8> {
        [&self.header[..], &self.rrsets.concat()].concat()
    }

    /// The bytes with those at `at` of the header replaced.
    fn headed(&self, at: usize, by: &[u8]) -> Vec<u8> {
        let mut bytes = self.bytes();
        bytes[at..at + by.len()].copy_from_slice(by);
        bytes
    }

    /// The bytes with those at `at` of an RRset replaced.
    fn with(&self, rrset: usize, at: usize, by: &[u8]) -> Vec<u8> {
        let before: usize = self.rrsets[..rrset].iter().map(Vec::len).sum();
        self.headed(self.header.len() + before + at, by)
    }

    fn without(&self, rrset: usize) -> Vec<u8> {
        let mut rrsets = self.rrsets.clone();
        rrsets.remove(rrset);
        Self { header: self.header.clone(), rrsets }.bytes()
    }

    /// The RRset `b` with another type and one other record behind all.
    fn more(&self, rtype: u16, rdata: &[u8]) -> Vec<u8> {
        let mut rrset = self.rrsets[B][..OWNER + usize::from(self.rrsets[B][OWNER - 1])].to_vec();
        rrset.extend((rdata.len() as u16).to_be_bytes());
        rrset.extend(rdata);
        rrset[TYPE..TYPE + 2].copy_from_slice(&rtype.to_be_bytes());
        let total = (rrset.len() as u32).to_be_bytes();
        rrset[..4].copy_from_slice(&total);
        [self.bytes(), rrset].concat()
    }
}

const SOA: usize = 0;
const NS: usize = 1;
/// An RRset with one address.
const B: usize = 2;
/// Where the fields of an RRset are.
const CLASS: usize = 4;
const TYPE: usize = 6;
const COUNT: usize = 14;
const OWNER_LENGTH: usize = 18;
const OWNER: usize = 20;

const fn bytes(name: &'static str, is_served: bool, make: fn(&Image) -> Vec<u8>) -> Damage {
    Damage { name, what: What::Bytes(make), is_served }
}

pub fn all() -> Vec<Damage> {
    vec![
        bytes("sound", true, Image::bytes),
        bytes("empty", false, |_| vec![]),
        bytes("three-bytes", false, |image| image.header[..3].to_vec()),
        bytes("cut-in-the-header", false, |image| image.header[..10].to_vec()),
        bytes("header-alone", false, |image| image.header.clone()),
        bytes("cut-in-a-length", false, |image| image.bytes()[..26].to_vec()),
        bytes("cut-in-the-first-rrset", false, |image| image.bytes()[..60].to_vec()),
        bytes("cut-by-one-byte", false, |image| image.bytes()[..image.bytes().len() - 1].to_vec()),
        bytes("cut-between-rrsets", true, |image| image.without(4)),
        bytes("behind-the-end", false, |image| [image.bytes(), vec![0, 0, 0]].concat()),
        bytes("format-text", false, |image| image.headed(3, &[1])),
        bytes("format-map", false, |image| image.headed(3, &[3])),
        bytes("version-two", false, |image| image.headed(7, &[2])),
        bytes("a-text-file", false, |_| {
            b"$TTL 60\n@ SOA ns hostmaster 1 60 60 60 60\n@ NS ns\nns A 192.0.2.1\n".to_vec()
        }),
        bytes("noise", false, |image| {
            image.bytes().iter().map(|byte| byte.wrapping_mul(77).wrapping_add(13)).collect()
        }),
        bytes("length-zero", false, |image| image.with(SOA, 0, &[0; 4])),
        bytes("length-huge", false, |image| image.with(B, 0, &[0xff; 4])),
        bytes("length-short", false, |image| image.with(B, 3, &[10])),
        bytes("length-long", false, |image| image.with(B, 2, &[1])),
        bytes("other-class", false, |image| image.with(B, CLASS + 1, &[3])),
        bytes("count-zero", false, |image| image.with(B, COUNT, &[0; 4])),
        bytes("count-high", false, |image| image.with(B, COUNT + 3, &[2])),
        bytes("count-huge", false, |image| image.with(B, COUNT, &[0x7f; 4])),
        bytes("owner-length-zero", false, |image| image.with(B, OWNER_LENGTH, &[0; 2])),
        bytes("owner-length-huge", false, |image| image.with(B, OWNER_LENGTH, &[0xff; 2])),
        bytes("owner-label-type", false, |image| image.with(B, OWNER, &[0xc0])),
        bytes("owner-outside", true, |image| image.with(B, OWNER + 4, b"x")),
        bytes("rdata-length", false, |image| {
            let at = image.rrsets[B].len() - 6;
            image.with(B, at, &[0, 3])
        }),
        bytes("rdata-bad", false, |image| {
            let at = image.rrsets[NS].len() - 9;
            image.with(NS, at, &[0xc0, 0x0c])
        }),
        bytes("type-zero", false, |image| image.more(0, b"x")),
        bytes("type-any", false, |image| image.more(255, b"")),
        bytes("no-soa", false, |image| image.without(SOA)),
        bytes("no-ns", false, |image| image.without(NS)),
        bytes("two-soas", false, |image| {
            let mut other = image.rrsets[SOA].clone();
            let serial = other.len() - 17;
            other[serial] = 9;
            [image.bytes(), other].concat()
        }),
        bytes("repeated", true, |image| [image.bytes(), image.rrsets[B].clone()].concat()),
        bytes("cname-and-other", false, |image| image.more(5, b"\x01a\x00")),
        Damage { name: "missing", what: What::File(|path| fs::remove_file(path).unwrap()), is_served: false },
        Damage {
            name: "a-directory",
            what: What::File(|path| {
                fs::remove_file(path).unwrap();
                fs::create_dir(path).unwrap();
            }),
            is_served: false,
        },
        Damage {
            name: "unreadable",
            what: What::File(|path| fs::set_permissions(path, fs::Permissions::from_mode(0o000)).unwrap()),
            is_served: false,
        },
    ]
}
