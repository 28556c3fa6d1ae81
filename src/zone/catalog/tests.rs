//! What is read of catalogs, and in which words BIND says what is odd about them.

use super::*;
use crate::zone::testing::read as zone;

fn version(schema: &str, text: &str) -> String {
    format!("$TTL 0\n@ SOA . . 1 3600 600 86400 0\n@ NS invalid.\n{schema}\n{text}\n")
}

fn read(text: &str) -> (Option<Catalog>, Vec<String>) {
    let (catalog, messages) = Catalog::read(&zone("cat.example", text), &Catalog::default());
    (catalog, messages.into_iter().map(|message| message.text).collect())
}

/// A catalog of schema 2 about which there is nothing to say.
fn sound(text: &str) -> Catalog {
    let (catalog, messages) = read(&version("version TXT \"2\"", text));
    assert_eq!(messages, [""; 0]);
    catalog.unwrap()
}

fn odd(text: &str) -> Vec<String> {
    let (catalog, messages) = read(&version("version TXT \"2\"", text));
    assert!(catalog.is_some(), "{messages:?}");
    messages
}

fn broken(text: &str) -> Vec<String> {
    let (catalog, mut messages) = read(text);
    let last = messages.pop().unwrap();
    assert_eq!(last, "catz: new catalog zone 'cat.example' is broken and will not be processed");
    assert_eq!(catalog, None);
    messages
}

fn name(text: &str) -> Name {
    text.parse().unwrap()
}

fn properties<'c>(catalog: &'c Catalog, id: &[u8]) -> &'c Properties {
    &catalog.members[id].properties
}

fn shown(primaries: &[Server]) -> Vec<String> {
    let part = |part: Option<String>| part.unwrap_or_else(|| "-".into());
    let text = |primary: &Server| {
        format!("{} {}", part(primary.address.map(|a| a.to_string())), part(primary.key.as_ref().map(Name::to_string)))
    };
    primaries.iter().map(text).collect()
}

#[test]
fn members_are_told_apart_by_their_labels_in_any_case() {
    let catalog = sound("ID1.zones PTR A.test.\nid2.Zones PTR b.test.");
    let members: Vec<_> = catalog.members.iter().map(|(id, member)| (&id[..], member.apex.to_string())).collect();
    assert_eq!(members, [(&b"id1"[..], "A.test.".to_owned()), (b"id2", "b.test.".to_owned())]);
}

#[test]
fn a_property_of_a_member_takes_the_place_of_the_catalogs() {
    let catalog = sound(
        "primaries.ext A 192.0.2.1\nallow-transfer.ext APL 1:192.0.2.0/24\n\
         a.zones PTR a.test.\nb.zones PTR b.test.\nmasters.ext.b.zones AAAA 2001:db8::1",
    );
    assert_eq!(shown(&properties(&catalog, b"a").primaries), ["192.0.2.1 -"]);
    assert_eq!(shown(&properties(&catalog, b"b").primaries), ["2001:db8::1 -"]);
    let transfer = |id: &[u8]| properties(&catalog, id).allow_transfer.clone();
    assert!(transfer(b"a").is_some() && transfer(b"a") == transfer(b"b"));
}

#[test]
fn a_label_joins_an_address_and_a_key() {
    let catalog = sound(
        "a.zones PTR a.test.\nx.primaries.ext.a.zones A 192.0.2.1\nX.primaries.ext.a.zones TXT Key.Name\n\
         y.primaries.ext.a.zones TXT other\nprimaries.ext.a.zones A 192.0.2.9\nprimaries.ext.a.zones A 192.0.2.8",
    );
    let primaries = &properties(&catalog, b"a").primaries;
    assert_eq!(shown(primaries), ["192.0.2.8 -", "192.0.2.9 -", "192.0.2.1 Key.Name.", "- other."]);
}

#[test]
fn access_lists_keep_their_order_and_their_negations() {
    let catalog = sound("a.zones PTR a.test.\nallow-query.ext.a.zones APL !1:10.0.0.0/8 2:2001:db8::/32 1:0.0.0.0/0");
    let list = properties(&catalog, b"a").allow_query.as_deref().unwrap();
    let list: Vec<_> = list.iter().map(|access| (access.is_negated, access.network.to_string())).collect();
    let expected = [(true, "10.0.0.0/8"), (false, "2001:db8::/32"), (false, "0.0.0.0/0")];
    assert_eq!(list, expected.map(|(is_negated, network)| (is_negated, network.to_owned())));
}

#[test]
fn schema_1_has_properties_where_schema_2_has_ext() {
    let text = |schema: &str| {
        version(schema, "a.zones PTR a.test.\nprimaries.a.zones A 192.0.2.1\nprimaries.ext.a.zones A 192.0.2.2")
    };
    let (old, of_old) = read(&text("version TXT 1"));
    let (new, of_new) = read(&text("version TXT 2"));
    assert_eq!(shown(&properties(&old.unwrap(), b"a").primaries), ["192.0.2.1 -"]);
    assert_eq!(shown(&properties(&new.unwrap(), b"a").primaries), ["192.0.2.2 -"]);
    let line = |name: &str| format!("catz: invalid record in catalog zone - {name} IN A (failure) - ignoring");
    assert_eq!(of_old, [line("primaries.ext.a.zones.cat.example")]);
    assert_eq!(of_new, [line("primaries.a.zones.cat.example")]);
}

#[test]
fn members_tell_whom_to_notify_as_they_tell_whom_to_ask() {
    let catalog = sound(
        "also-notify.ext A 192.0.2.1\na.zones PTR a.test.\nb.zones PTR b.test.\n\
         x.also-notify.ext.b.zones AAAA 2001:db8::1\nx.also-notify.ext.b.zones TXT key",
    );
    assert_eq!(shown(&properties(&catalog, b"a").also_notify), ["192.0.2.1 -"]);
    assert_eq!(shown(&properties(&catalog, b"b").also_notify), ["2001:db8::1 key."]);
}

#[test]
fn what_is_unknown_is_said_and_passed_over() {
    let line = |what: &str| vec![format!("catz: invalid record in catalog zone - {what} - ignoring")];
    assert_eq!(odd("@ A 192.0.2.1"), line("cat.example IN A (unexpected error)"));
    assert_eq!(odd("group.a.zones TXT g"), line("group.a.zones.cat.example IN TXT (failure)"));
    assert_eq!(odd("default-port.ext A 192.0.2.1"), line("default-port.ext.cat.example IN A (failure)"));
    assert_eq!(odd("zones PTR a.test."), line("zones.cat.example IN PTR (failure)"));
    assert_eq!(odd("a.zones A 192.0.2.1"), line("a.zones.cat.example IN A (failure)"));
    assert_eq!(odd("primaries.ext TXT key"), line("primaries.ext.cat.example IN TXT (failure)"));
    assert_eq!(odd("x.primaries.ext TXT a..b"), line("x.primaries.ext.cat.example IN TXT (empty label)"));
    assert_eq!(odd("x.allow-query.ext APL 1:0.0.0.0/0"), line("x.allow-query.ext.cat.example IN APL (failure)"));
}

#[test]
fn properties_without_a_member_and_records_of_signing_say_nothing() {
    let (digest, hash) = ("00".repeat(32), "00".repeat(48));
    let text = format!("primaries.ext.a.zones A 192.0.2.1\n@ DNSKEY 257 3 8 AwEAAQ==\n@ CDS 1 8 2 {digest}\n");
    assert!(sound(&format!("{text}@ ZONEMD 1 1 1 {hash}")).members.is_empty());
}

#[test]
fn change_of_ownership_came_with_schema_2() {
    let text = "a.zones PTR A.test.\ncoo.a.zones PTR CAT2.example.";
    let catalog = sound(text);
    assert!(catalog.gives(&name("a.test"), &name("cat2.example")));
    assert!(!catalog.gives(&name("a.test"), &name("cat3.example")) && !catalog.gives(&name("b.test"), &name("x")));
    let (old, messages) = read(&version("version TXT 1", text));
    assert!(old.unwrap().heirs.is_empty());
    assert_eq!(
        messages,
        ["catz: invalid record in catalog zone - coo.a.zones.cat.example IN PTR (failure) - ignoring"]
    );
}

#[test]
fn what_belongs_there_once_breaks_the_catalog_twice() {
    let cases = [
        ("a.zones PTR a.test.\na.zones PTR b.test.", "member zone PTR", "a.zones.cat.example IN PTR"),
        (
            "a.zones PTR a.test.\ncoo.a.zones PTR c.\ncoo.a.zones PTR d.",
            "'coo' property PTR",
            "coo.a.zones.cat.example IN PTR",
        ),
        ("version TXT 1", "'version' property TXT", "version.cat.example IN TXT"),
    ];
    for (text, what, record) in cases {
        let messages = broken(&version("version TXT 2", text));
        let expected = [
            format!("catz: {what} RRset contains more than one record, which is invalid"),
            format!("catz: invalid record in catalog zone - {record} (failure) - ignoring"),
        ];
        assert_eq!(messages[..2], expected);
    }
}

#[test]
fn a_catalog_has_a_schema_that_is_known() {
    let of = |schema: &str| broken(&version(schema, "a.zones PTR a.test."));
    assert_eq!(of(""), ["catz: zone 'cat.example' has no 'version' record (partial match)"]);
    assert_eq!(of("version TXT 3"), ["catz: zone 'cat.example' unsupported version '3'"]);
    let reasons = [("2a", "not a valid number"), ("4294967296", "out of range"), ("2 2", "failure")];
    for (text, reason) in reasons {
        let expected = [
            "catz: invalid record for the catalog zone version property".to_owned(),
            format!("catz: invalid record in catalog zone - version.cat.example IN TXT ({reason}) - ignoring"),
            "catz: zone 'cat.example' version is not set".to_owned(),
        ];
        assert_eq!(of(&format!("version TXT {text}")), expected);
    }
}

#[test]
fn a_version_that_lost_its_schema_has_the_one_before() {
    let text = version("version A 192.0.2.1", "a.zones PTR a.test.");
    let before = Catalog { schema: Some(1), ..Catalog::default() };
    let (catalog, messages) = Catalog::read(&zone("cat.example", &text), &before);
    assert_eq!((catalog.unwrap().schema, messages.len()), (Some(1), 1));
}

#[test]
fn a_member_with_another_label_or_name_goes_and_comes() {
    let id = |text: &str| MemberId::from(text.as_bytes());
    let old = sound("a.zones PTR a.test.\nb.zones PTR b.test.\nc.zones PTR c.test.\nd.zones PTR d.test.");
    let new = sound(
        "a.zones PTR A.test.\nb2.zones PTR b.test.\nc.zones PTR other.test.\nd.zones PTR d.test.\n\
         primaries.ext.d.zones A 192.0.2.1",
    );
    let expected = Changes { gone: vec![id("b"), id("c")], come: vec![id("b2"), id("c")], changed: vec![id("d")] };
    assert_eq!(Changes::between(&old, &new), expected);
    assert_eq!(Changes::between(&new, &new), Changes::default());
}
