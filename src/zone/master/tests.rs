use crate::dns::testing::Random;
use std::fs;
use std::path::Path;

use super::*;
use crate::dns::rdata;

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

/// Records as "owner ttl type rdata", messages with the file called "f", and the failure.
struct Outcome {
    records: Vec<String>,
    messages: Vec<String>,
    failure: Option<String>,
}

fn read_with(text: &[u8], options: &Options) -> Outcome {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("f");
    fs::write(&path, text).unwrap();
    let mut records = Vec::new();
    let report = read(&path, options, &mut |owner: NameRef<'_>, rtype: Rtype, ttl: u32, data: &[u8]| {
        let mut text = String::new();
        rdata::to_text(rtype, data, &mut text);
        records.push(format!("{owner} {ttl} {rtype} {text}"));
    });
    let place = path.display().to_string();
    let messages = report.messages.iter().map(|m| m.text.replace(&place, "f")).collect();
    Outcome { records, messages, failure: report.failure }
}

fn read_text(text: &str) -> Outcome {
    read_with(text.as_bytes(), &options())
}

fn records(text: &str) -> Vec<String> {
    let outcome = read_text(text);
    assert_eq!(outcome.failure, None, "{:?}", outcome.messages);
    outcome.records
}

#[test]
fn names_are_relative_to_the_origin() {
    let text = "$TTL 60\n@ A 192.0.2.1\nwww A 192.0.2.2\n$ORIGIN sub\na CNAME b\n$ORIGIN ex.test.\nc CNAME d.other.\n";
    let expected = [
        "ex.test. 60 A 192.0.2.1",
        "www.ex.test. 60 A 192.0.2.2",
        "a.sub.ex.test. 60 CNAME b.sub.ex.test.",
        "c.ex.test. 60 CNAME d.other.",
    ];
    assert_eq!(records(text), expected);
}

#[test]
fn the_same_text_under_another_origin_is_another_owner() {
    let text = "$TTL 60\na A 192.0.2.1\n$ORIGIN sub\na A 192.0.2.2\n";
    assert_eq!(records(text), ["a.ex.test. 60 A 192.0.2.1", "a.sub.ex.test. 60 A 192.0.2.2"]);
}

#[test]
fn ttl_and_class_come_in_either_order_and_owners_are_inherited() {
    let text = "$TTL 1h\na 5 IN A 192.0.2.1\n\tIN 6 TXT x\n  class1 AAAA ::1\n 1m30s mx 1 b\n";
    let expected = ["a.ex.test. 5 A 192.0.2.1", "a.ex.test. 6 TXT \"x\"", "a.ex.test. 3600 AAAA ::1"];
    let read = records(text);
    assert_eq!(read[..3], expected);
    assert_eq!(read[3], "a.ex.test. 90 MX 1 b.ex.test.");
}

#[test]
fn types_and_directives_may_be_lower_case() {
    assert_eq!(records("$ttl 5\na in a 192.0.2.1\n"), ["a.ex.test. 5 A 192.0.2.1"]);
}

#[test]
fn carriage_returns_and_comments_are_blank() {
    let text = "(\n)\n; c\r\n$TTL 5\r\na A 192.0.2.1 ; c\r\nb TXT ( \"x;y\" ; c\r\n z )\r\n";
    assert_eq!(records(text), ["a.ex.test. 5 A 192.0.2.1", "b.ex.test. 5 TXT \"x;y\" \"z\""]);
}

#[test]
fn unknown_types_are_taken_as_bytes() {
    let text = "$TTL 5\na TYPE65280 \\# 2 0102\nb TYPE1 \\# 4 c0000201\n";
    assert_eq!(records(text), ["a.ex.test. 5 TYPE65280 \\# 2 0102", "b.ex.test. 5 A 192.0.2.1"]);
}

#[test]
fn a_first_soa_without_ttl_gives_its_minimum_to_all() {
    let outcome = read_text("@ SOA ns h 1 2 3 4 5\n A 192.0.2.1\n");
    assert_eq!(outcome.messages, ["f:1: no TTL specified; using SOA MINTTL instead"]);
    assert_eq!(outcome.records[1], "ex.test. 5 A 192.0.2.1");
    assert_eq!(outcome.failure, None);
}

#[test]
fn without_any_ttl_each_record_is_told() {
    let outcome = read_text("a A 192.0.2.1\nb FOO x\nc A 192.0.2.1\n");
    let told = |line| format!("f:{line}: no TTL specified; zone rejected");
    assert_eq!(outcome.messages, [told(1), "f:2: unknown RR type 'FOO'".to_owned(), told(3)]);
    assert_eq!(outcome.failure.as_deref(), Some("no ttl"));
}

#[test]
fn a_missing_ttl_is_that_of_the_record_before() {
    let outcome = read_text("a 60 A 192.0.2.1\nb A 192.0.2.2\nc 70 A 192.0.2.3\nd A 192.0.2.4\n");
    assert_eq!(outcome.messages, ["f:2: using RFC1035 TTL semantics"]);
    assert_eq!(outcome.records[1], "b.ex.test. 60 A 192.0.2.2");
    assert_eq!(outcome.records[3], "d.ex.test. 70 A 192.0.2.4");
}

#[test]
fn the_first_ttl_of_an_rrset_holds() {
    let outcome = read_text("a 1 TXT a\na 2 TXT b\na 3 A 192.0.2.1\na 4 TXT c\n");
    assert_eq!(outcome.messages, ["f:2: TTL set to prior TTL (1)", "f:4: TTL set to prior TTL (1)"]);
    assert_eq!(outcome.records[3], "a.ex.test. 1 TXT \"c\"");
    assert_eq!(outcome.failure, None);
}

#[test]
fn ttls_of_more_than_31_bits_are_zero() {
    let outcome = read_text("a 3000000000 A 192.0.2.1\n");
    assert_eq!(outcome.messages, ["dns_master_load: f:1: $TTL 3000000000 > MAXTTL, setting $TTL to 0"]);
    assert_eq!(outcome.records, ["a.ex.test. 0 A 192.0.2.1"]);
}

#[test]
fn a_ttl_above_the_zones_limit_ends_the_reading() {
    let options = Options { max_zone_ttl_s: Some(1000), ..options() };
    let outcome = read_with(b"a 1000 A 192.0.2.1\nb 3000 A 192.0.2.1\nc 4000 A 192.0.2.1\n", &options);
    let expected =
        ["dns_master_load: f:2: TTL 3000 exceeds configured max-zone-ttl 1000", "dns_master_load: f:2: out of range"];
    assert_eq!(outcome.messages, expected);
    assert_eq!(outcome.failure.as_deref(), Some("out of range"));
}

#[test]
fn owners_outside_the_zone_are_dropped() {
    let outcome = read_text("$TTL 5\nout.of.zone. A 192.0.2.1\n TXT x\nnotex.test. A 192.0.2.1\na A 192.0.2.2\n");
    let expected = ["f:2: ignoring out-of-zone data (out.of.zone)", "f:4: ignoring out-of-zone data (notex.test)"];
    assert_eq!(outcome.messages, expected);
    assert_eq!(outcome.records, ["a.ex.test. 5 A 192.0.2.2"]);
    assert_eq!(outcome.failure, None);
}

#[test]
fn of_what_is_dropped_only_a_ttl_counts() {
    let text = "other. A 192.0.2.1\nother. 60 SOA ns h 1 2 3 4 5\n@ NS ns\n";
    let outcome = read_text(text);
    let expected = ["f:1: ignoring out-of-zone data (other)", "f:2: ignoring out-of-zone data (other)"];
    assert_eq!(outcome.messages[..2], expected);
    assert_eq!(outcome.messages[2..], ["f:3: using RFC1035 TTL semantics"]);
    assert_eq!((&outcome.records[..], outcome.failure), (&["ex.test. 60 NS ns.ex.test.".to_owned()][..], None));
}

#[test]
fn a_server_without_a_name_is_missed_before_the_data_is_read() {
    let outcome = read_text("$TTL 5\n@ NS\nskipped FOO x\n@ MX 10\n@ BAR");
    let expected = [
        "dns_master_load: f:2: unexpected end of line",
        "dns_master_load: f:2: unexpected end of input",
        "dns_rdata_fromtext: f:4: near eol: unexpected end of input",
        "f:5: unknown RR type 'BAR'",
        "f: file does not end with newline",
    ];
    assert_eq!(outcome.messages, expected);
}

#[test]
fn the_type_that_a_signature_covers_may_be_a_number_alone() {
    let record = |covered| format!("$TTL 5\na RRSIG {covered} 8 2 5 20990101000000 20200101000000 1 @ AAAA\n");
    assert_eq!(records(&record("28")), records(&record("AAAA")));
    assert_eq!(records(&record("28")).len(), 1);
    let said = |covered| read_text(&record(covered)).failure.unwrap();
    assert_eq!((said("65536").as_str(), said("0x10").as_str()), ("out of range", "unknown class/type"));
}

#[test]
fn check_names_can_warn_or_look_away() {
    let text = b"$TTL 5\na_b A 192.0.2.1\nmm MX 10 bad_host\n";
    let warned = read_with(text, &Options { check_names: Strictness::Warn, ..options() });
    let expected =
        ["f:2: a_b.ex.test: bad owner name (check-names)", "f:3: warning: bad_host.ex.test: bad name (check-names)"];
    assert_eq!(warned.messages, expected);
    assert_eq!((warned.records.len(), warned.failure), (2, None));
    let ignored = read_with(text, &Options { check_names: Strictness::Ignore, ..options() });
    assert_eq!((ignored.records.len(), ignored.messages.len()), (2, 0));
}

#[test]
fn names_that_are_refused_are_told_with_their_own_lines_and_hide_no_other_fault() {
    let text = b"$TTL 5\na_b MX (\n10\n c_d\n)\ne_f A (\n1.2.3.400\n)\n@ SOA ns\\.x (\n h 1 2 3 4 5\n)\n";
    let warned = read_with(text, &Options { check_names: Strictness::Warn, ..options() });
    let expected = [
        "f:2: a_b.ex.test: bad owner name (check-names)",
        "f:4: warning: c_d.ex.test: bad name (check-names)",
        "f:6: e_f.ex.test: bad owner name (check-names)",
        "dns_rdata_fromtext: f:6: near '1.2.3.400': bad dotted quad",
        "f:9: warning: ns\\.x.ex.test: bad name (check-names)",
    ];
    assert_eq!(warned.messages, expected);
    let failed = read_with(text, &Options { check_names: Strictness::Fail, ..options() });
    let expected = [
        "f:2: a_b.ex.test: bad owner name (check-names)",
        "dns_rdata_fromtext: f:3: near 'c_d': bad name (check-names)",
        "f:6: e_f.ex.test: bad owner name (check-names)",
        "dns_rdata_fromtext: f:6: near '1.2.3.400': bad dotted quad",
        "dns_rdata_fromtext: f:9: near 'ns\\.x': bad name (check-names)",
    ];
    assert_eq!(failed.messages, expected);
    assert_eq!(failed.failure.as_deref(), Some("bad owner name (check-names)"));
}

#[test]
fn a_last_line_without_an_end_is_told_unless_it_is_a_comment() {
    let said = |end: &str| read_text(&format!("$TTL 5\na A 192.0.2.1\n{end}")).messages;
    for end in ["", ";", "; c", "a A 192.0.2.2\n"] {
        assert_eq!(said(end), [""; 0], "{end:?}");
    }
    for end in [" ", "\t ; c", "\n  "] {
        assert_eq!(said(end), ["f: file does not end with newline"], "{end:?}");
    }
    for end in ["b A 192.0.2.2", " A 192.0.2.2 ; c", "b A 192.0.2.2 "] {
        assert_eq!(said(end), ["f:3: file does not end with newline"], "{end:?}");
    }
}

/// The record does not fit in the text that is read at a time, so it is begun more than once.
#[test]
fn an_owner_is_remarked_upon_once() {
    let text = format!("$TTL 5\na_b MX ( ;{}\n 10 x )\n", "x".repeat(3 << 20));
    let warned = read_with(text.as_bytes(), &Options { check_names: Strictness::Warn, ..options() });
    assert_eq!(warned.messages, ["f:2: a_b.ex.test: bad owner name (check-names)"]);
    assert_eq!(warned.records.len(), 1);
}

#[test]
fn generate_makes_a_record_for_each_number() {
    let text = "$TTL 5\n$GENERATE 1-3 h$ A 10.0.0.$\n$GENERATE 8-10/2 ${0,3,x} 7 IN PTR h${1}.x.\n";
    let expected = [
        "h1.ex.test. 5 A 10.0.0.1",
        "h2.ex.test. 5 A 10.0.0.2",
        "h3.ex.test. 5 A 10.0.0.3",
        "008.ex.test. 7 PTR h9.x.",
        "00a.ex.test. 7 PTR h11.x.",
    ];
    assert_eq!(records(text), expected);
}

#[test]
fn includes_keep_origin_and_owner_to_themselves() {
    let directory = tempfile::tempdir().unwrap();
    let (main, inner) = (directory.path().join("main"), directory.path().join("inner"));
    let text = format!("$TTL 5\na A 192.0.2.1\n$INCLUDE {} sub\n TXT back\nc A 192.0.2.4\n", inner.display());
    fs::write(&main, text).unwrap();
    fs::write(&inner, "b A 192.0.2.2\n$ORIGIN other.ex.test.\n$TTL 6\nb A 192.0.2.3\n").unwrap();
    let mut owners = Vec::new();
    let report = read(&main, &options(), &mut |owner: NameRef<'_>, _, ttl, _: &[u8]| {
        owners.push(format!("{owner} {ttl}"));
    });
    assert_eq!(owners, ["a.ex.test. 5", "b.sub.ex.test. 5", "b.other.ex.test. 6", "a.ex.test. 6", "c.ex.test. 6"]);
    assert_eq!(report.sources.iter().map(|s| s.path.to_path_buf()).collect::<Vec<_>>(), [main, inner]);
    assert!(report.sources.iter().all(|source| source.modified.is_some()));
}

#[test]
fn a_file_that_includes_itself_ends() {
    let directory = tempfile::tempdir().unwrap();
    let path = directory.path().join("loop");
    fs::write(&path, format!("$TTL 5\na A 192.0.2.1\n$INCLUDE {}\n", path.display())).unwrap();
    let report = read(&path, &options(), &mut |_: NameRef<'_>, _, _, _: &[u8]| {});
    assert_eq!(report.sources.len(), MAX_INCLUDE_DEPTH + 1);
    assert_eq!(report.failure.as_deref(), Some("quota reached"));
}

#[test]
fn files_that_cannot_be_read_have_a_reason() {
    let silent = &mut |_: NameRef<'_>, _: Rtype, _: u32, _: &[u8]| {};
    let missing = read(Path::new("/nonexistent"), &options(), silent);
    assert_eq!(missing.failure.as_deref(), Some("file not found"));
    let directory = read(Path::new("/"), &options(), silent);
    assert_eq!(directory.failure.as_deref(), Some("not a file"));
}

#[test]
fn an_empty_file_reads_as_no_records() {
    let outcome = read_text("");
    assert_eq!((outcome.records.len(), outcome.messages.len(), outcome.failure), (0, 0, None));
}

#[test]
fn records_that_cross_a_piece_are_read_once() {
    let mut text = String::from("$TTL 5\n");
    let mut number = 0;
    while text.len() < 3 << 20 {
        number += 1;
        text += &format!("h{number} TXT ( \"{}\"\n ; comment\n \"{number}\" )\n", "x".repeat(number % 250));
    }
    text += "last A 192.0.2.300\n";
    let outcome = read_text(&text);
    assert_eq!(outcome.records.len(), number);
    let line = 2 + 3 * number;
    assert_eq!(outcome.messages, [format!("dns_rdata_fromtext: f:{line}: near '192.0.2.300': bad dotted quad")]);
}

/// Every `NAME.zone` in testdata/zones/broken is read; `NAME.messages` beside it has what named-checkzone 9.18.49 says
/// (`-k fail`), as far as it comes from reading, and as its last line the failure.
#[test]
fn broken_files_get_named_s_messages() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("testdata/zones/broken");
    let mut count = 0;
    for entry in fs::read_dir(&folder).unwrap() {
        let path = entry.unwrap().path();
        if path.extension().is_none_or(|extension| extension != "zone") {
            continue;
        }
        count += 1;
        let outcome = read_with(&fs::read(&path).unwrap(), &options());
        let mut said = outcome.messages;
        said.extend(outcome.failure.map(|reason| format!("failed: {reason}")));
        let expected = fs::read_to_string(path.with_extension("messages")).unwrap();
        assert_eq!(said, expected.lines().collect::<Vec<_>>(), "{}", path.display());
    }
    assert!(count >= 5, "{count} broken zones found");
}

#[test]
fn mutated_text_neither_panics_nor_floods() {
    let mut random = Random::new(0x9e37_79b9_7f4a_7c15);
    for round in 0..2000 {
        let mut text = SEED_TEXT.as_bytes().to_vec();
        for _ in 0..=random.below(8) {
            let place = random.below(text.len());
            match random.below(4) {
                0 => text[place] = random.byte(),
                1 => text[place] = b"\"();\\$@\n \t{}\r#"[random.below(14)],
                2 => drop(text.drain(place..(place + random.below(20)).min(text.len() - 1).max(place))),
                _ => text.insert(place, b"\n\"()\\ $"[random.below(7)]),
            }
        }
        let outcome = read_with(&text, &options());
        assert!(outcome.messages.len() <= MAX_MESSAGES + 2, "round {round}");
    }
}

const SEED_TEXT: &str = "$TTL 1h\n@ IN SOA ns hostmaster ( 1 2 ; serial\n 3 4 5 )\n NS ns\nns 60 IN A 192.0.2.1\n\
 AAAA 2001:db8::1\nmx MX 10 mail\nt TXT \"a b\" c\\032d\n$ORIGIN sub\nx TYPE65280 \\# 4 01020304\n\
$GENERATE 1-4 h${0,3,d} A 192.0.2.$\n@ CAA 0 issue \"x\"\ny SRV 0 0 53 ns.ex.test.\nz 5 DS 1 8 2 (\n 00 11 )\n";
