//! The zones that are asked: small, a TLD, and one with NSEC and one with NSEC3, made the same each time.
//!
//! Nobody checks the signatures, so any 64 bytes will do.

use std::collections::BTreeMap;
use std::fmt::Write as _;
use std::fs;
use std::sync::Arc;

use data_encoding::BASE32_DNSSEC;
use nomd::answer::acl::Acl;
use nomd::answer::snapshot::{Zone, ZonePolicy, ZoneRole};
use nomd::dns::{Class, Name};
use nomd::zone::check::Policy;
use nomd::zone::master::Options;
use nomd::zone::message::Strictness;
use nomd::zone::{Limits, load};
use sha1::{Digest, Sha1};

/// Names of each kind.
pub(crate) const NAMES: usize = 4000;

/// All zones, loaded.
pub(crate) fn all() -> Vec<Arc<Zone>> {
    let zones = [("small.example", small()), ("tld", tld()), ("nsec.example", nsec()), ("nsec3.example", nsec3())];
    zones.iter().map(|(apex, text)| load_text(apex, text)).collect()
}

fn load_text(apex: &str, text: &str) -> Arc<Zone> {
    let folder = tempfile::tempdir().unwrap();
    let path = folder.path().join(apex);
    fs::write(&path, text).unwrap();
    let apex: Name = apex.parse().unwrap();
    let ignore = Strictness::Ignore;
    let options = Options {
        apex: apex.clone(),
        class: Class::IN,
        check_names: ignore,
        check_mx: ignore,
        check_ns: ignore,
        check_wildcard: false,
        max_zone_ttl_s: None,
    };
    let loaded = load::load(&path, &options, Limits::default(), &Policy::default());
    let version = loaded.version.unwrap_or_else(|| panic!("{apex}: {:?}", loaded.messages));
    let policy = ZonePolicy { allow_query: Acl::Any, allow_query_on: Acl::Any, ..ZonePolicy::default() };
    let zone = Zone::new(apex, Class::IN, ZoneRole::Primary, Arc::new(policy));
    zone.publish(Some(Arc::new(version)));
    Arc::new(zone)
}

fn head(origin: &str) -> String {
    format!(
        "$ORIGIN {origin}.\n$TTL 3600\n@ SOA ns1 hostmaster 1 1800 900 604800 900\n@ NS ns1\n@ NS ns2\n\
         ns1 A 192.0.2.1\nns2 A 192.0.2.2\n"
    )
}

fn small() -> String {
    let mut text = head("small.example");
    for number in 0..NAMES {
        let name = format!("host{number:05}");
        writeln!(text, "{name} A 192.0.2.{}\n{name} AAAA 2001:db8::{number:x}", number % 250).unwrap();
        writeln!(text, "{name} MX 10 mx1.{name}\n{name} MX 20 mx2.mail.example.net.").unwrap();
        writeln!(text, "{name} TXT \"v=spf1 -all\"\nwww.{name} CNAME {name}\nmx1.{name} A 192.0.2.9").unwrap();
        writeln!(text, "alias{number:05} DNAME example.net.").unwrap();
    }
    text
}

fn tld() -> String {
    let mut text = head("tld");
    for number in 0..NAMES {
        let servers = number % 97;
        writeln!(text, "del{number:05} NS ns1.servers{servers}.net.\ndel{number:05} NS ns2.servers{servers}.net.")
            .unwrap();
        writeln!(text, "del{number:05} NS ns3.servers{servers}.net.").unwrap();
        let cut = format!("in{number:05}");
        writeln!(text, "{cut} NS ns1.{cut}\n{cut} NS ns2.{cut}\nns1.{cut} A 192.0.2.1\nns2.{cut} A 192.0.2.2").unwrap();
    }
    text
}

/// The names of a signed zone with their records; every type of a name is signed.
fn signed(origin: &str) -> BTreeMap<String, Vec<(&'static str, String)>> {
    let mut names = BTreeMap::from([
        (
            String::new(),
            vec![
                ("SOA", format!("ns1.{origin}. hostmaster.{origin}. 1 1800 900 604800 900")),
                ("NS", format!("ns1.{origin}.")),
                ("DNSKEY", format!("257 3 13 {}", signature())),
            ],
        ),
        ("ns1".to_owned(), vec![("A", "192.0.2.1".to_owned())]),
    ]);
    for number in 0..NAMES {
        let records = vec![("A", "192.0.2.3".to_owned()), ("TXT", "some-text".to_owned())];
        names.insert(format!("host{number:05}"), records);
    }
    names
}

fn signature() -> String {
    "A".repeat(86) + "=="
}

fn write_name(text: &mut String, origin: &str, name: &str, records: &[(&str, String)]) {
    let owner = absolute(origin, name);
    let labels = owner.matches('.').count();
    for (rtype, data) in records {
        writeln!(text, "{owner} 3600 {rtype} {data}").unwrap();
        let dates = "20400101000000 20240101000000 12345";
        writeln!(text, "{owner} 3600 RRSIG {rtype} 13 {labels} 3600 {dates} {origin}. {}", signature()).unwrap();
    }
}

fn absolute(origin: &str, name: &str) -> String {
    if name.is_empty() { format!("{origin}.") } else { format!("{name}.{origin}.") }
}

fn types(records: &[(&str, String)]) -> String {
    records.iter().map(|(rtype, _)| *rtype).collect::<Vec<_>>().join(" ")
}

fn nsec() -> String {
    let origin = "nsec.example";
    let (mut names, mut text) = (signed(origin), String::new());
    let mut next: Vec<_> = names.keys().skip(1).cloned().collect();
    next.push(String::new());
    for ((name, records), next) in names.iter_mut().zip(&next) {
        let data = format!("{} {} RRSIG NSEC", absolute(origin, next), types(records));
        records.push(("NSEC", data));
        write_name(&mut text, origin, name, records);
    }
    text
}

fn nsec3() -> String {
    let origin = "nsec3.example";
    let (mut names, mut text) = (signed(origin), String::new());
    names.entry(String::new()).or_default().push(("NSEC3PARAM", "1 0 0 -".to_owned()));
    let chain: BTreeMap<_, _> = names.iter().map(|(name, records)| (hash(&absolute(origin, name)), records)).collect();
    let mut next = chain.keys().cycle().skip(1);
    for (hash, records) in &chain {
        let data = format!("1 0 0 - {} {} RRSIG", next.next().unwrap(), types(records));
        write_name(&mut text, origin, hash, &[("NSEC3", data)]);
    }
    names.iter().for_each(|(name, records)| write_name(&mut text, origin, name, records));
    text
}

/// The NSEC3 owner of a name: no salt, no more iterations.
fn hash(name: &str) -> String {
    let name: Name = name.parse().unwrap();
    BASE32_DNSSEC.encode(&Sha1::digest(name.as_ref().as_bytes()))
}
