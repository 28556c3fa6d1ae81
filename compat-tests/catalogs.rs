//! Catalog zones: named and nomd are given the same catalogs, and after each step what they serve, what they keep on disk
//! and what they say of it are the same.

use std::collections::BTreeSet;

use super::peers::{Key, Kind, PATIENCE, Server, Spec, Zone, dig, free_port, nomd, run, within};

const CATALOG: &str = "cat.example";
const OTHER: &str = "cat2.example";
const MEMBERS: [&str; 4] = ["a.test", "b.test", "c.test", "0/25.test"];

fn member() -> String {
    "$TTL 300\n@ SOA ns h 1 7200 900 1209600 300\n@ NS ns\nns A 192.0.2.1\n".into()
}

fn catalog(serial: u32, text: &str) -> String {
    format!("$TTL 0\n@ SOA . . {serial} 3600 600 86400 0\n@ NS invalid.\nversion TXT 2\n{text}\n")
}

/// The primary of two catalogs and of all that they list.
fn primary(text: &str) -> Server {
    primary_with(text, None)
}

/// The same; with a key it gives zones to nobody else.
fn primary_with(text: &str, key: Option<Key>) -> Server {
    let catalogs = [(CATALOG, text), (OTHER, "")].map(|(name, text)| Zone::primary(name, catalog(1, text)));
    let members = MEMBERS.map(|name| Zone::primary(&name.replace('/', "-"), member()));
    let slash = "zone \"0/25.test\" { type primary; file \"0-25.test.db\"; check-names ignore; };".to_owned();
    let spec = Spec { zones: catalogs.into_iter().chain(members).collect(), statements: slash, key, ..Spec::default() };
    let server = Server::start(Kind::Bind, &spec);
    server.wait_for_serial(CATALOG, 1);
    server
}

/// What follows the catalogs of this primary.
fn consumer(primary: u16, options: &str) -> Spec {
    let element = |name: &str| {
        format!("zone \"{name}\" default-primaries {{ 127.0.0.1 port {primary}; }} min-update-interval 0 {options};")
    };
    let zones = [CATALOG, OTHER].map(|name| Zone::secondary(name, primary)).into();
    let options = format!("catalog-zones {{ {} {} }};", element(CATALOG), element(OTHER));
    Spec { zones, options, ..Spec::default() }
}

/// The servers that follow, named first.
fn both(spec: &Spec) -> [Server; 2] {
    [Kind::Bind, Kind::Nomd].map(|kind| Server::start(kind, spec))
}

/// Which members are served.
fn served(server: &Server) -> Vec<&'static str> {
    MEMBERS.into_iter().filter(|name| dig::serial(server.port, name) == Some(1)).collect()
}

/// The files of members.
fn files(server: &Server) -> BTreeSet<String> {
    let names = std::fs::read_dir(server.path("")).unwrap();
    let names = names.map(|entry| entry.unwrap().file_name().to_string_lossy().into_owned());
    names.filter(|name| name.starts_with("__catz__")).collect()
}

/// What it has said of catalogs since its log had this length, in no order: named goes through them as they are hashed.
fn said(server: &Server, since: usize) -> Vec<String> {
    let log = server.log();
    let lines = log.get(since..).unwrap_or_default().lines();
    let mut said: Vec<String> = lines.filter_map(|line| line.find("catz: ").map(|at| line[at..].to_owned())).collect();
    said.sort();
    said
}

/// Gives a catalog to the primary, and waits until all who follow it have said the same.
fn follow(primary: &Server, consumers: &[Server], name: &str, serial: u32, text: &str) {
    let since: Vec<usize> = consumers.iter().map(|server| server.log().len()).collect();
    primary.change_zone(name, &catalog(serial, text));
    primary.wait_for_serial(name, serial);
    let done = format!("catz: {name}: reload done");
    let said = || consumers.iter().zip(&since).map(|(server, since)| said(server, *since)).collect::<Vec<_>>();
    for (server, place) in consumers.iter().zip(0..) {
        server.refresh(name);
        server.wait_until("the catalog is followed", || said()[place].iter().any(|line| line.starts_with(&done)));
    }
    // named says last what came of each member.
    let is_same = || said().windows(2).all(|pair| pair[0] == pair[1]);
    assert!(within(PATIENCE, is_same), "{text}: {:#?}", said());
}

fn expect_served(server: &Server, members: &[&str]) {
    server.wait_until(&format!("{members:?} are served"), || served(server) == members);
}

/// Waits until all serve these members and have their files, and nothing else.
fn expect(consumers: &[Server], members: &[&str]) {
    for server in consumers {
        expect_served(server, members);
        server.wait_until("each has its file", || files(server).len() == members.len());
    }
    assert!(consumers.windows(2).all(|pair| files(&pair[0]) == files(&pair[1])));
}

#[test]
fn members_come_change_and_go_as_with_named() {
    let primary = primary("a.zones PTR a.test.\nb.zones PTR b.test.\ns.zones PTR 0/25.test.");
    let consumers = both(&consumer(primary.port, ""));
    expect(&consumers, &["a.test", "b.test", "0/25.test"]);
    let steps: [(&str, &[&str]); 6] = [
        ("a.zones PTR a.test.\nb.zones PTR b.test.\nc.zones PTR c.test.", &["a.test", "b.test", "c.test"]),
        ("a.zones PTR a.test.\nb.zones PTR b.test.\nallow-query.ext.b.zones APL 1:10.0.0.0/8", &["a.test"]),
        ("a.zones PTR a.test.\nb.zones PTR b.test.\ngroup.b.zones TXT g\n@ A 192.0.2.1", &["a.test", "b.test"]),
        ("new.zones PTR a.test.\nb.zones PTR b.test.\nb.zones PTR c.test.", &["a.test", "b.test"]),
        ("new.zones PTR a.test.\nb.zones PTR b.test.", &["a.test", "b.test"]),
        (
            "new.zones PTR a.test.\nx.primaries.ext.c.zones TXT key\nc.zones PTR c.test.\ny.zones PTR cat2.example.",
            &["a.test"],
        ),
    ];
    for (step, (text, members)) in steps.into_iter().enumerate() {
        follow(&primary, &consumers, CATALOG, step as u32 + 2, text);
        consumers.iter().for_each(|server| expect_served(server, members));
    }
    expect(&consumers, &["a.test"]);
}

#[test]
fn a_member_moves_to_another_catalog_if_the_old_one_gives_it() {
    let primary = primary("a.zones PTR a.test.\nb.zones PTR b.test.");
    let consumers = both(&consumer(primary.port, "zone-directory \"nowhere\""));
    consumers.iter().for_each(|server| expect_served(server, &["a.test", "b.test"]));
    follow(&primary, &consumers, OTHER, 2, "a.zones PTR a.test.\nown.zones PTR cat.example.");
    follow(&primary, &consumers, CATALOG, 2, "a.zones PTR a.test.\ncoo.a.zones PTR cat2.example.");
    consumers.iter().for_each(|server| expect_served(server, &["a.test"]));
    follow(&primary, &consumers, OTHER, 3, "x.zones PTR a.test.");
    follow(&primary, &consumers, CATALOG, 3, "");
    for server in &consumers {
        expect_served(server, &["a.test"]);
        assert_eq!(files(server), BTreeSet::new(), "{:?} has no directory", server.kind);
        let line = "catz: zone-directory 'nowhere' not found; zone files will not be saved";
        server.wait_for_log(line);
    }
}

#[test]
fn named_and_nomd_take_turns_on_catalog_and_members_though_the_primary_is_dead() {
    for first in [Kind::Nomd, Kind::Bind] {
        let primary = primary("a.zones PTR a.test.\ns.zones PTR 0/25.test.");
        let spec = consumer(primary.port, "");
        let server = Server::start(first, &spec);
        expect(std::slice::from_ref(&server), &["a.test", "0/25.test"]);
        let (kept, mut folder) = (files(&server), server.stop());
        drop(primary);
        for kind in [Kind::Nomd, Kind::Bind, Kind::Nomd] {
            let server = Server::start_in(kind, &spec, free_port(), folder);
            expect_served(&server, &["a.test", "0/25.test"]);
            assert_eq!(files(&server), kept, "{kind:?} on files that began as those of {first:?}");
            folder = server.stop();
        }
    }
}

#[test]
fn commands_treat_members_as_with_named() {
    let primary = primary("a.zones PTR a.test.\nb.zones PTR b.test.");
    let consumers = both(&consumer(primary.port, ""));
    expect(&consumers, &["a.test", "b.test"]);
    let replies = consumers.each_ref().map(|server| {
        let zone = server.rndc(&["zonestatus", "a.test"]).stdout;
        // What nomd tells beyond named stands behind.
        let as_named = zone.lines().take_while(|line| !line.starts_with("state: "));
        let zone: Vec<String> = as_named.filter(|line| !line.contains(" GMT")).map(str::to_owned).collect();
        if server.kind == Kind::Nomd {
            let sync = run(nomd(), &["sync", "-c", &server.path("rndc.conf").display().to_string()]).stdout;
            let is_shown = |line: &str| line.contains(" a.test ") && line.contains(" serial 1,");
            assert!(sync.lines().any(is_shown), "{sync}");
        }
        let deleted = server.rndc(&["delzone", "a.test"]);
        expect_served(server, &["b.test"]);
        let cleaned = server.rndc(&["delzone", "-clean", "b.test"]);
        expect_served(server, &[]);
        (zone, deleted, cleaned)
    });
    assert_eq!(replies[0], replies[1]);
    follow(&primary, &consumers, CATALOG, 2, "a.zones PTR a.test.\nb.zones PTR b.test.");
    expect(&consumers, &["a.test", "b.test"]);
}

#[test]
fn a_new_configuration_keeps_members_and_a_catalog_that_it_has_lost_takes_them_along() {
    let primary = primary("a.zones PTR a.test.");
    let consumers = both(&consumer(primary.port, ""));
    expect(&consumers, &["a.test"]);
    for server in &consumers {
        let conf = server.path("named.conf");
        let original = std::fs::read_to_string(&conf).unwrap();
        let closed = original.replace("recursion no;", "recursion no; allow-query { 192.0.2.1; };");
        let conf_is = |text: &str| {
            std::fs::write(&conf, text).unwrap();
            assert_eq!(server.rndc(&["reconfig"]).status, 0, "{:?}", server.kind);
        };
        conf_is(&closed);
        server.wait_until("nobody is answered", || dig::ask(server.port, "a.test", "SOA", &[]).status == "REFUSED");
        conf_is(&original);
        expect_served(server, &["a.test"]);
        let (before, rest) = original.split_once("zone \"cat.example\" default").unwrap();
        let (_, rest) = rest.split_once("interval 0 ;").unwrap();
        conf_is(&format!("{before}{rest}"));
        expect_served(server, &[]);
        server.wait_for_log("catz: removing catalog zone cat.example");
        server.wait_for_log("zone a.test/IN: (secondary) removed");
        assert_eq!(files(server).len(), 1, "{:?} leaves its file", server.kind);
    }
}

#[test]
fn addresses_and_keys_come_from_the_catalog_in_both_schemas() {
    for (schema, ext) in [("2", ".ext"), ("1", "")] {
        let text = format!(
            "a.zones PTR a.test.\nx.primaries{ext}.a.zones A 127.0.0.1\nx.primaries{ext}.a.zones TXT {}\n\
             b.zones PTR b.test.\nmasters{ext} A 127.0.0.1",
            Key::NAME
        );
        let primary = primary_with("", Some(Key::new("hmac-sha256")));
        let (port, key) = (primary.port, Some(Key::new("hmac-sha256")));
        primary.change_zone(CATALOG, &catalog(2, &text).replace("version TXT 2", &format!("version TXT {schema}")));
        primary.wait_for_serial(CATALOG, 2);
        let zones = vec![Zone::secondary(CATALOG, port)];
        let options = format!("port {port}; catalog-zones {{ zone \"{CATALOG}\"; }};");
        let consumers = both(&Spec { zones, options, key, ..Spec::default() });
        for server in &consumers {
            expect_served(server, &["a.test"]);
            server.wait_for_log(&format!("transfer of 'b.test/IN' from 127.0.0.1#{port}: Transfer status: REFUSED"));
        }
        let lines = |server: &Server| said(server, 0);
        let is_same = || lines(&consumers[0]) == lines(&consumers[1]);
        assert!(within(PATIENCE, is_same), "{:#?}", consumers.each_ref().map(lines));
        primary.change_zone(CATALOG, &catalog(3, "c.zones PTR c.test."));
        primary.wait_for_serial(CATALOG, 3);
        for server in &consumers {
            server.refresh(CATALOG);
            server.wait_for_log("zone c.test/IN: cannot refresh: no primaries");
        }
    }
}

/// Whether a zone is given to a client at this address.
fn is_given(server: &Server, from: &str, zone: &str) -> bool {
    dig::dig(server.port, &["-b", from, zone, "AXFR"]).stdout.contains("XFR size")
}

#[test]
fn a_catalog_says_who_gets_a_member_by_transfer_as_with_named() {
    let allowed = "APL !1:127.0.0.1/32 1:127.0.0.0/8";
    let text = format!("a.zones PTR a.test.\nallow-transfer.ext.a.zones {allowed}\nb.zones PTR b.test.");
    let primary = primary(&text);
    for server in both(&consumer(primary.port, "")) {
        expect_served(&server, &["a.test", "b.test"]);
        for (from, zone, expected) in [
            ("127.0.0.1", "a.test", false),
            ("127.0.0.3", "a.test", true),
            ("127.0.0.1", "b.test", true),
            ("127.0.0.3", "b.test", true),
        ] {
            assert_eq!(is_given(&server, from, zone), expected, "{:?} {from} {zone}", server.kind);
        }
    }
}

#[test]
fn members_of_a_catalog_in_memory_have_no_files_as_with_named() {
    let primary = primary("a.zones PTR a.test.\nb.zones PTR b.test.");
    for (options, count) in [("in-memory yes", 0), ("in-memory no", 2)] {
        for server in both(&consumer(primary.port, options)) {
            expect_served(&server, &["a.test", "b.test"]);
            server.rndc(&["sync"]);
            server.wait_until("as many files as that are there", || files(&server).len() == count);
        }
    }
}
