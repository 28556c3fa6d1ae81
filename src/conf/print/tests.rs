use std::path::Path;

use super::super::Dialect;
use super::super::parse::{self, How};
use super::super::tree::Arena;
use super::*;

/// The canonical form of a text.
fn printed(text: &str, secrets: Secrets) -> String {
    let arena = Arena::default();
    let how = How { scope: Scope::Top, dialect: Dialect::Nomd };
    let (tree, faults) = parse::text(&arena, "t.conf", text.as_bytes(), how);
    canonical(&tree.unwrap_or_else(|| panic!("{text}\n{faults:?}")), secrets)
}

/// The text between the braces of `options`.
fn option(text: &str) -> String {
    let all = printed(&format!("options {{ {text} }};"), Secrets::Shown);
    all.trim_start_matches("options {\n\t").trim_end_matches("\n};\n").to_owned()
}

#[test]
fn values_have_one_form() {
    assert_eq!(option("max-cache-ttl 1h30m;"), "max-cache-ttl 5400;");
    assert_eq!(option("max-cache-ttl pt1h;"), "max-cache-ttl PT1H;");
    assert_eq!(option("max-cache-size 10m;"), "max-cache-size 10485760;");
    assert_eq!(option("fetch-quota-params 0x10 .5 1 0.75;"), "fetch-quota-params 16 0.50 1.00 0.75;");
    assert_eq!(option("recursion 1;"), "recursion yes;");
    assert_eq!(option("version \"a\\\"b\";"), "version \"a\\\"b\";");
    assert_eq!(option("notify-source * port 5;"), "notify-source 0.0.0.0 port 5;");
}

#[test]
fn durations_lose_what_counts_nothing() {
    for (written, shown) in [
        ("P0Y", "PT0S"),
        ("P", "PT0S"),
        ("P1YDT", "P1Y"),
        ("PDT05S", "PT5S"),
        ("p1dt0h90m", "P1DT90M"),
        ("P10W", "P10W"),
    ] {
        assert_eq!(option(&format!("max-cache-ttl {written};")), format!("max-cache-ttl {shown};"));
    }
}

#[test]
fn rules_without_types_have_a_blank_for_them() {
    let zone = "zone \"a\" { type primary; file \"a\"; update-policy { grant x zonesub; grant x self . A; }; };";
    let shown = printed(zone, Secrets::Shown);
    assert!(shown.contains("grant \"x\" zonesub ;\n\t\tgrant \"x\" self \".\" \"A\";"), "{shown}");
}

#[test]
fn strings_end_at_a_nul() {
    assert_eq!(option("version \"a\0b\";"), "version \"a\";");
}

#[test]
fn chosen_words_keep_their_letters() {
    assert_eq!(option("notify EXPLICIT;"), "notify EXPLICIT;");
    assert_eq!(option("max-cache-size Unlimited;"), "max-cache-size Unlimited;");
    assert_eq!(option("version NONE;"), "version none;");
    assert_eq!(option("also-notify PORT 5 { 10.0.0.1; };"), "also-notify port 5 {\n\t\t10.0.0.1;\n\t};");
}

#[test]
fn query_source_keeps_its_words() {
    assert_eq!(option("query-source 10.0.0.1;"), "query-source 10.0.0.1;");
    assert_eq!(option("query-source address 10.0.0.1;"), "query-source address 10.0.0.1 port 0;");
    assert_eq!(option("query-source-v6 port 5;"), "query-source-v6 address :: port 5;");
}

#[test]
fn match_lists_show_lengths_and_nest() {
    let expected = "blackhole {\n\t\t!10.0.0.1/32;\n\t\t{\n\t\t\t10.0.0.0/8;\n\t\t\t!key \"k\";\n\t\t};\n\t};";
    assert_eq!(option("blackhole { ! 10.0.0.1; { 10/8; !key k; }; };"), expected);
}

#[test]
fn parts_in_any_order_are_shown_in_one() {
    let expected = "dnstap-output file\"f\" size 5120 versions 3;";
    assert_eq!(option("dnstap-output file \"f\" versions 3 size 5k;"), expected);
}

#[test]
fn a_part_that_is_missing_leaves_a_blank_in_some_statements() {
    assert_eq!(option("listen-on { any; };"), "listen-on  {\n\t\t\"any\";\n\t};");
    assert_eq!(option("allow-transfer port 5 { any; };"), "allow-transfer port 5 {\n\t\t\"any\";\n\t};");
    assert_eq!(option("also-notify { 10.0.0.1; };"), "also-notify {\n\t\t10.0.0.1;\n\t};");
}

#[test]
fn statements_of_fewer_blocks_come_first() {
    let shown = option("zone-statistics yes; recursion no; version none; answer-cookie no;");
    let names: Vec<&str> = shown.lines().filter_map(|line| line.split_whitespace().next()).collect();
    assert_eq!(names, ["answer-cookie", "version", "recursion", "zone-statistics"]);
}

#[test]
fn secrets_are_hidden_when_asked_for() {
    let text = "key k { algorithm hmac-sha256; secret YWJj; };";
    assert!(printed(text, Secrets::Shown).contains("secret \"YWJj\";"));
    assert!(printed(text, Secrets::Hidden).contains("secret \"????\";"));
}

/// But not `geoip`, whose name BIND leaves out.
#[test]
fn what_is_printed_reads_the_same() {
    let mut count = 0;
    for entry in std::fs::read_dir(Path::new("testdata/conf/named/ok")).unwrap() {
        let path = entry.unwrap().path();
        let text = std::fs::read_to_string(&path).unwrap();
        if path.extension().is_none_or(|end| end != "conf") || text.contains("geoip") || text.contains("include") {
            continue;
        }
        let once = printed(&text, Secrets::Shown);
        assert_eq!(printed(&once, Secrets::Shown), once, "{}", path.display());
        count += 1;
    }
    assert!(count > 30, "{count}");
}
