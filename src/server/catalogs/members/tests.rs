use super::*;
use crate::dns::Name;
use crate::server::core::Core;
use crate::zone::catalog::Catalog;
use crate::zone::testing::read;

/// The members of a catalog with this text, and what they are made with.
fn members(options: &str, text: &str) -> (Members, Vec<Member>) {
    let folder = tempfile::tempdir().unwrap();
    let catalogs = format!("zone Cat.example default-primaries {{ 192.0.2.1 port 5353 key k; }} {options};");
    let zone = "zone cat.example { type primary; file \"cat\"; };";
    let config = Core::configuration(folder.path(), &format!("view v {{ catalog-zones {{ {catalogs} }}; {zone} }};"));
    let members = Members::new(config.views[0].catalogs[0].clone(), "v".into());
    let head = "$TTL 0\n@ SOA . . 1 3600 600 86400 0\n@ NS invalid.\nversion TXT 2\n";
    let (catalog, messages) = Catalog::read(&read("cat.example", &format!("{head}{text}\n")), &Catalog::default());
    assert_eq!(messages, []);
    (members, catalog.unwrap().members.into_values().collect())
}

fn fault(text: &str) -> String {
    let (mut members, list) = members("", text);
    members.zone(&list[0]).unwrap_err().to_string()
}

fn file(view: &str, member: &str) -> String {
    let name = |text: &str| text.parse::<Name>().unwrap();
    file_name(view, name("Cat.Example").as_ref(), name(member).as_ref())
}

#[test]
fn files_are_named_as_bind_names_them() {
    assert_eq!(file("_default", "A.test"), "__catz___default_cat.example_A.test.db");
    let longest = format!("{}.test", "a".repeat(39));
    assert_eq!(file("_default", &longest), format!("__catz___default_cat.example_{longest}.db"));
    let longer = format!("{}.{}.test", "a".repeat(40), "b".repeat(20));
    assert_eq!(
        file("_default", &longer),
        "__catz__76af87c2c89375431d468c7637b2c4b105c4f8f8e401612dadd3550315bc1910.db"
    );
    assert_eq!(
        file("_default", "0/25.2.0.192.in-addr.arpa"),
        "__catz__4d512105f543f0d32927799b3176b91f1d0fd29f6d2e3f69d6f46e573cdca6ea.db"
    );
    assert!(file("a:b", "x.test").len() == "__catz__.db".len() + 64);
}

#[test]
fn members_that_say_the_same_share_all_but_their_names() {
    let (mut members, list) = members("zone-directory \"/\"", "a.zones PTR a.test.\nb.zones PTR b.test.");
    let zones: Vec<Zone> = list.iter().map(|member| members.zone(member).unwrap()).collect();
    assert!(Arc::ptr_eq(&zones[0].kind, &zones[1].kind));
    assert_eq!(zones[1].file(), Some("//__catz__v_cat.example_b.test.db".into()));
    let Role::Secondary { primaries } = &zones[0].role else { panic!("a secondary") };
    let [primary] = &primaries[..] else { panic!("one primary") };
    assert_eq!(primary.address.to_string(), "192.0.2.1:5353");
    assert_eq!(primary.key.as_ref().map(ToString::to_string).as_deref(), Some("k."));
}

#[test]
fn members_are_notified_of_as_the_catalog_says() {
    let text = "also-notify.ext A 192.0.2.9\na.zones PTR a.test.\nb.zones PTR b.test.\n\
                x.also-notify.ext.b.zones A 192.0.2.8\nx.also-notify.ext.b.zones TXT other";
    let (mut members, list) = members("", text);
    let mut notified = |member: &Member| {
        let zone = members.zone(member).unwrap();
        let [to] = &zone.settings.also_notify[..] else { panic!("one server") };
        (to.address.to_string(), to.key.as_ref().map(ToString::to_string))
    };
    let mut of_both: Vec<_> = list.iter().map(&mut notified).collect();
    of_both.sort();
    assert_eq!(of_both, [("192.0.2.8:53".into(), Some("other.".into())), ("192.0.2.9:53".into(), None)]);
    let text = "a.zones PTR a.test.\nx.also-notify.ext.a.zones TXT other";
    assert_eq!(fault(text), "zone 'a.test' uses an invalid primary (no IP address assigned)");
}

#[test]
fn what_the_catalog_says_takes_the_place_of_the_configuration() {
    let text = "a.zones PTR a.test.\nx.primaries.ext.a.zones AAAA 2001:db8::1\nx.primaries.ext.a.zones TXT other\n\
                allow-query.ext.a.zones APL !1:10.0.0.0/8 2:::/0\nallow-transfer.ext.a.zones APL";
    let (mut members, list) = members("in-memory yes", text);
    let zone = members.zone(&list[0]).unwrap();
    let Role::Secondary { primaries } = &zone.role else { panic!("a secondary") };
    assert_eq!(primaries[0].address.to_string(), "[2001:db8::1]:53");
    assert_eq!(primaries[0].key.as_ref().map(ToString::to_string).as_deref(), Some("other."));
    let list: Vec<bool> = zone.settings.allow_query.iter().map(|element| element.negated).collect();
    assert_eq!((zone.file(), list), (None, vec![true, false]));
    assert!(zone.settings.allow_transfer.is_empty() && zone.settings.is_transfer_limited);
}

#[test]
fn a_primary_without_an_address_and_a_prefix_with_host_bits_are_faults() {
    assert_eq!(
        fault("a.zones PTR A.test.\nx.primaries.ext.a.zones TXT key"),
        "zone 'A.test' uses an invalid primary (no IP address assigned)"
    );
    assert_eq!(
        fault("a.zones PTR a.test.\nallow-query.ext.a.zones APL 1:10.0.0.1/24"),
        "'10.0.0.1/24': address/prefix length mismatch '24'"
    );
}

#[test]
fn a_directory_that_is_not_there_leaves_members_in_memory() {
    let (mut members, list) = members("zone-directory \"/nonexistent\"", "a.zones PTR a.test.");
    assert_eq!(members.missing_directory(), Some("/nonexistent"));
    assert_eq!(members.zone(&list[0]).unwrap().file(), None);
}
