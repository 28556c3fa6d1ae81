use std::fs;

use super::*;
use crate::dns::{Class, Name};
use crate::zone::check::Resolved;
use crate::zone::message::{Level, Strictness, Subject};

const HEAD: &str = "$TTL 300\n@ SOA ns h 1 2 3 4 5\n NS ns\nns A 192.0.2.1\n";

/// Loads `HEAD` and `text`; what is said, the file called "f", and whether the zone may be served.
fn load_with(text: &str, policy: &Policy) -> (Vec<String>, bool) {
    load_within(text, Limits::default(), policy)
}

fn options() -> Options {
    Options {
        apex: "ex.test".parse().unwrap(),
        class: Class::IN,
        check_names: Strictness::Fail,
        check_mx: Strictness::Warn,
        check_ns: Strictness::Warn,
        check_wildcard: true,
        max_zone_ttl_s: None,
    }
}

fn load_within(text: &str, limits: Limits, policy: &Policy) -> (Vec<String>, bool) {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("f");
    fs::write(&path, format!("{HEAD}{text}")).unwrap();
    let loaded = load(&path, &options(), limits, policy);
    let place = path.display().to_string();
    let mut said: Vec<String> = loaded.messages.iter().map(|message| message.text.replace(&place, "f")).collect();
    said.extend(loaded.failure.map(|reason| format!("failed: {reason}")));
    (said, loaded.version.is_some())
}

fn load_text(text: &str) -> (Vec<String>, bool) {
    load_with(text, &Policy::default())
}

#[test]
fn a_good_zone_is_served_without_a_word() {
    assert_eq!(load_text("www A 192.0.2.2\n"), (vec![], true));
}

#[test]
fn types_that_mx_replaced_are_obsolete() {
    for rtype in ["MD", "MF"] {
        let expected = vec![format!("f:5: type '{rtype}': obsolete"), "failed: obsolete".to_owned()];
        assert_eq!(load_text(&format!("a {rtype} b\n")), (expected, false));
    }
}

/// Without the limit this would run for minutes.
#[test]
fn generate_ends_where_the_zone_is_full() {
    let limits = Limits { records: 10, ..Limits::default() };
    let (said, is_served) = load_within("$GENERATE 1-2000000000 h$ A 192.0.2.1\n", limits, &Policy::default());
    assert_eq!((said, is_served), (vec!["failed: too many records".to_owned()], false));
}

#[test]
fn what_passes_a_limit_is_named_with_its_line() {
    let limits = Limits { records_per_type: 2, types_per_name: 3, ..Limits::default() };
    let types = |line| format!("dns_master_load: f:{line}: a.ex.test: too many records");
    let wide =
        |done| format!("error {done} 'a.ex.test/A' in 'ex.test/IN' (zone): too many records (must not exceed 2)");
    let host = |last| format!("a A 192.0.2.{last}\n");
    let [two, third] = [(1..3).map(host).collect::<String>(), host(3)];
    for (text, said) in [
        (format!("{two}{third}b A 192.0.2.1\n"), vec![wide("adding"), types(7)]),
        (format!("{two}b A 192.0.2.1\n{third}\n"), vec![wide("updating"), types(8)]),
        ("b A 192.0.2.1\n$GENERATE 1-3 a A 192.0.2.$\n".to_owned(), vec![wide("updating"), types(6)]),
        ("a AAAA ::1\n TXT a\n HINFO a b\n MX 1 ns\nb A 192.0.2.1\n".to_owned(), vec![types(8)]),
        (format!("{two} TXT a\n HINFO a b\nb A 192.0.2.1\na AAAA ::1\n"), vec![types(10)]),
    ] {
        let expected = [said, vec!["failed: too many records".to_owned()]].concat();
        assert_eq!(load_within(&text, limits, &Policy::default()), (expected, false), "{text}");
    }
}

#[test]
fn conflicts_are_named_with_their_line() {
    let cname = |line: u32| vec![format!("dns_master_load: f:{line}: c.ex.test: {CNAME}"), format!("failed: {CNAME}")];
    const CNAME: &str = "CNAME and other data";
    assert_eq!(load_text("c CNAME a\nc A 192.0.2.1\nd A 192.0.2.1\n"), (cname(6), false));
    assert_eq!(load_text("c CNAME a\nd A 192.0.2.1\nc A 192.0.2.1\nc A 192.0.2.2\ne A 192.0.2.1\n"), (cname(8), false));
    let singleton = "multiple RRs of singleton type";
    let expected = vec![format!("dns_master_load: f:6: c.ex.test: {singleton}"), format!("failed: {singleton}")];
    for text in ["c CNAME a\nc CNAME b\n", "c DNAME a\nc DNAME b\n", "c RESINFO a\nc RESINFO b\n"] {
        assert_eq!(load_text(text), (expected.clone(), false), "{text}");
    }
    assert_eq!(load_text("c RESINFO a\nc RESINFO a\n"), (vec![], true));
    let expected = vec![format!("dns_master_load: f:5: ex.test: {singleton}"), format!("failed: {singleton}")];
    assert_eq!(load_text("@ SOA ns h (\n2 3 4\n5 6 )\nd A 192.0.2.1\n"), (expected, false));
}

#[test]
fn signatures_and_proofs_may_stand_at_an_alias() {
    let (said, is_served) = load_text("c CNAME a.other.\nc NSEC ns.ex.test. CNAME RRSIG NSEC\n");
    assert_eq!((said, is_served), (vec![], true));
}

#[test]
fn name_servers_of_the_zone_need_addresses() {
    let expected = vec![
        "NS 'cn.ex.test' is a CNAME (illegal)".to_owned(),
        "NS 'nx.ex.test' has no address records (A or AAAA)".to_owned(),
        "NS 'x.d.ex.test' is below a DNAME 'd.ex.test' (illegal)".to_owned(),
    ];
    let (mut said, is_served) =
        load_text("@ NS nx\n@ NS cn\ncn CNAME foo\n@ NS x.d\nd DNAME foo.\n@ NS out.of.zone.\n");
    said.sort();
    assert_eq!((said, is_served), (expected, false));
}

const LOOSE_ENDS: &str = "cn CNAME foo\nsub NS ns.sub\nsub2 NS x.sub2\nx.sub2 CNAME ns\nmx MX 1 cn\nmx MX 1 nomx\n\
srv SRV 0 0 0 cn\nsrv SRV 0 0 0 nosrv\nspf SPF \"v=spf1\"\nsub3 NS ns.sub\nsub4 NS nothere\nsub5 NS c.sub4\n\
d DNAME foo.\nmd MX 1 x.d\nsub6 NS y.d\nwt TXT \"v=spf1 a\"\nmx2 MX 0 .\nmx3 MX 1 a.sub\nsub7 NS out.of.zone.\n\
sr SRV 0 0 0 x.d\nsr2 SRV 0 0 0 .\nsub8 NS cn\n\
cut NS out.of.zone.\ncut MX 1 nothere\ncut SRV 0 0 0 nothere\ncut SPF \"v=spf1\"\n";

#[test]
fn loose_ends_are_told_as_named_tells_them() {
    let expected = [
        "md.ex.test/MX 'x.d.ex.test' is below a DNAME 'd.ex.test' (illegal)",
        "mx.ex.test/MX 'cn.ex.test' is a CNAME (illegal)",
        "mx.ex.test/MX 'nomx.ex.test' has no address records (A or AAAA)",
        "'spf.ex.test' found type SPF record but no SPF TXT record found, add matching type TXT record",
        "sr.ex.test/SRV 'x.d.ex.test' is below a DNAME 'd.ex.test' (illegal)",
        "srv.ex.test/SRV 'cn.ex.test' is a CNAME (illegal)",
        "srv.ex.test/SRV 'nosrv.ex.test' has no address records (A or AAAA)",
        "sub.ex.test/NS 'ns.sub.ex.test' has no REQUIRED GLUE address records (A or AAAA)",
        "sub2.ex.test/NS 'x.sub2.ex.test' has no REQUIRED GLUE address records (A or AAAA)",
        "sub3.ex.test/NS 'ns.sub.ex.test' has no SIBLING GLUE address records (A or AAAA)",
        "sub4.ex.test/NS 'nothere.ex.test' has no address records (A or AAAA)",
        "sub5.ex.test/NS 'c.sub4.ex.test' has no SIBLING GLUE address records (A or AAAA)",
        "sub6.ex.test/NS 'y.d.ex.test' is below a DNAME 'd.ex.test' (illegal)",
        "sub8.ex.test/NS 'cn.ex.test' is a CNAME (illegal)",
    ];
    assert_eq!(load_text(LOOSE_ENDS), (expected.map(String::from).to_vec(), true));
}

#[test]
fn strictness_decides_what_is_refused_or_ignored() {
    let fail = Strictness::Fail;
    for policy in [
        Policy { mx: fail, ..Policy::default() },
        Policy { mx_cname: fail, ..Policy::default() },
        Policy { srv_cname: fail, ..Policy::default() },
    ] {
        assert!(!load_with(LOOSE_ENDS, &policy).1, "{policy:?}");
    }
    let lenient = Policy { sibling: false, spf: false, ..Policy::default() };
    assert_eq!(load_with(LOOSE_ENDS, &lenient).0.len(), 11);
    let blind = Policy { integrity: false, spf: false, ..Policy::default() };
    assert_eq!(load_with(LOOSE_ENDS, &blind), (vec![], true));
}

#[test]
fn records_that_differ_in_the_case_of_a_name_alone_are_told_last() {
    let text = "lp LP 10 A.\nlp LP 10 a.\nlp LP 11 a.\nz MX 10 x.ex.test.\nns NSEC B. A\nns NSEC b. AAAA\n";
    let no_address = "z.ex.test/MX 'x.ex.test' has no address records (A or AAAA)";
    let twice = "lp.ex.test/LP has semantically identical records";
    let with = |duplicates, mx| load_with(text, &Policy { duplicates, mx, ..Policy::default() });
    let (warn, fail) = (Strictness::Warn, Strictness::Fail);
    assert_eq!(with(warn, warn), (vec![no_address.to_owned(), twice.to_owned()], true));
    assert_eq!(with(fail, warn), (vec![no_address.to_owned(), twice.to_owned()], false));
    assert_eq!(with(fail, fail), (vec![no_address.to_owned()], false));
    assert_eq!(with(Strictness::Ignore, warn), (vec![no_address.to_owned()], true));
}

#[test]
fn a_copy_whose_name_servers_have_no_addresses_is_served() {
    let text = "@ NS elsewhere\n";
    assert!(!load_text(text).1);
    let copy = Policy { ns_addresses: false, integrity: false, spf: false, ..Policy::default() };
    assert_eq!(load_with(text, &copy), (vec![], true));
}

/// Of named 9.18.49, which also says nothing of those that lie elsewhere.
#[test]
fn of_a_copy_named_warns_of_name_servers_without_addresses() {
    let records = [
        ("example.", Rtype::SOA, [&b"\0\0"[..], &[0; 20]].concat()),
        ("example.", Rtype::NS, b"\x04none\x07example\0".to_vec()),
        ("example.", Rtype::NS, b"\x05alias\x07example\0".to_vec()),
        ("example.", Rtype::NS, b"\x02ns\x05other\0".to_vec()),
        ("alias.example.", Rtype::CNAME, b"\x02ns\x05other\0".to_vec()),
    ];
    let said = |class| {
        let mut builder = Builder::new("example.".parse().unwrap(), class);
        for (owner, rtype, data) in &records {
            builder.add(owner.parse::<Name>().unwrap().as_ref(), *rtype, 60, data).unwrap();
        }
        let mut said = check::copy(&builder.finish().unwrap());
        said.sort_by(|left, right| left.text.cmp(&right.text));
        said
    };
    let warning = |text: &str| Message::of_records(Level::Warning, text.to_owned());
    let expected = [
        warning("NS 'alias.example' is a CNAME (illegal)"),
        warning("NS 'none.example' has no address records (A or AAAA)"),
    ];
    assert_eq!(said(Class::IN), expected);
    assert_eq!(said(Class::CH), []);
}

/// Loads just this text.
fn load_all_of(text: &str) -> Loaded {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("f");
    fs::write(&path, text).unwrap();
    load(&path, &options(), Limits::default(), &Policy::default())
}

#[test]
fn a_zone_without_soa_or_ns_is_refused() {
    let said = |text: &str| {
        let loaded = load_all_of(text);
        assert!(loaded.version.is_none() && loaded.failure.is_none());
        loaded.messages.into_iter().map(|message| message.text).collect::<Vec<_>>()
    };
    assert_eq!(said(""), ["has 0 SOA records", "has no NS records"]);
    assert_eq!(said("@ 5 SOA ns h 1 2 3 4 5\n"), ["has no NS records"]);
}

/// By it logs have the categories of named: zoneload, general and dnssec.
#[test]
fn each_message_says_what_it_is_about() {
    let said = |text: &str| load_all_of(text).messages.into_iter().map(|message| message.subject).collect::<Vec<_>>();
    // A key with an exponent of 3.
    let weak = format!("@ DNSKEY 256 3 8 AQPS{}\n", "A".repeat(172));
    assert_eq!(said("@ 5 SOA ns h 1 2 3 4 5\n"), [Subject::Loading]);
    assert_eq!(said(&format!("{HEAD}a MX 1 none\n")), [Subject::Contents]);
    assert_eq!(said(&format!("{HEAD}a A 192.0.2\n")), [Subject::Contents]);
    assert_eq!(said(&format!("{HEAD}{weak}")), [Subject::Keys]);
}

/// A resolver without a network.
fn resolve(name: &str) -> Resolved {
    let found = |canonical: &str, addresses: &[&str]| Resolved::Found {
        canonical: Some(canonical.to_owned()),
        addresses: addresses.iter().map(|address| address.parse().unwrap()).collect(),
    };
    match name {
        "fine.out.test." => found("FINE.out.test", &["192.0.2.8"]),
        "alias.out.test." => found("real.out.test", &["192.0.2.8"]),
        "ns.sub.ex.test." => found("ns.sub.ex.test", &["192.0.2.9", "2001:db8::9"]),
        "none.out.test." | "none.sub.ex.test." => Resolved::NoAddresses,
        _ => Resolved::Failed("no luck".to_owned()),
    }
}

fn asking() -> Policy {
    Policy { resolver: Some(resolve), ..Policy::default() }
}

#[test]
fn targets_of_other_zones_are_asked_for_and_each_fault_told_once() {
    let text = "a MX 1 fine.out.test.\n MX 2 alias.out.test.\n MX 3 none.out.test.\n MX 4 lost.out.test.\n MX 5 .\n\
                b MX 1 alias.out.test.\n MX 2 NONE.out.test.\n MX 3 lost.out.test.\n\
                c SRV 1 1 1 alias.out.test.\nd SRV 1 1 1 alias.out.test.\ne SRV 1 1 1 none.out.test.\n\
                f NS none.out.test.\ng NS alias.out.test.\n";
    let told = [
        "a.ex.test/MX 'alias.out.test' (out of zone) is a CNAME 'real.out.test' (illegal)",
        "a.ex.test/MX 'none.out.test' (out of zone) has no addresses records (A or AAAA)",
        "getaddrinfo(lost.out.test) failed: no luck",
        "c.ex.test/SRV 'alias.out.test' (out of zone) is a CNAME 'real.out.test' (illegal)",
    ];
    assert_eq!(load_with(text, &asking()), (told.map(str::to_owned).to_vec(), true));
    assert_eq!(load_with(text, &Policy::default()), (vec![], true));
    assert_eq!(load_with(text, &Policy { integrity: false, ..asking() }), (vec![], true));
}

#[test]
fn aliases_of_other_zones_refuse_a_zone_where_the_operator_says_so() {
    let (mx, srv) = ("a MX 1 alias.out.test.\n", "a SRV 1 1 1 alias.out.test.\n");
    let mx_fail = Policy { mx_cname: Strictness::Fail, ..asking() };
    let srv_fail = Policy { srv_cname: Strictness::Fail, mx_cname: Strictness::Ignore, ..asking() };
    for (text, policy, said, is_served) in
        [(mx, mx_fail, 1, false), (srv, mx_fail, 1, true), (mx, srv_fail, 0, true), (srv, srv_fail, 1, false)]
    {
        let (told, served) = load_with(text, &policy);
        assert_eq!((told.len(), served), (said, is_served), "{text} {told:?}");
    }
}

#[test]
fn glue_is_held_against_what_the_child_has() {
    let text = "sub NS ns.sub\n NS none.sub\nns.sub A 192.0.2.9\n A 192.0.2.10\n A 192.0.2.11\n\
                other NS ns.sub\nmail MX 1 none.sub\nsib NS lost.sub\n";
    let told = [
        "mail.ex.test/MX 'none.sub.ex.test' (out of zone) has no addresses records (A or AAAA)",
        "sib.ex.test/NS 'lost.sub.ex.test' has no SIBLING GLUE address records (A or AAAA)",
        "getaddrinfo(lost.sub.ex.test) failed: no luck",
        "sub.ex.test/NS 'none.sub.ex.test' has no REQUIRED GLUE address records (A or AAAA)",
        "other.ex.test/NS 'ns.sub.ex.test' extra GLUE A record (192.0.2.10)",
        "other.ex.test/NS 'ns.sub.ex.test' missing GLUE AAAA record (2001:db8::9)",
    ];
    let mut expected: Vec<&str> = told.to_vec();
    let (mut said, is_served) = load_with(text, &asking());
    said.sort();
    expected.sort();
    assert_eq!((said, is_served), (expected.into_iter().map(str::to_owned).collect(), true));
    // Glue that a delegation can do without is no reason to ask.
    let (said, _) = load_with(text, &Policy { sibling: false, ..asking() });
    assert!(!said.iter().any(|line| line.contains("lost")), "{said:?}");
}
