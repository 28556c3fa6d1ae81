//! Configurations as people write them, and as they should not have.
//!
//! `testdata/conf/named/ok` and `err` hold one small file a case; what named 9.18.49 says of it stands beside it.

mod effects;
mod examples;
mod hostile;

use std::path::PathBuf;

use super::config::{Destination, Match, MatchElement, Notify, OrderRule, Remote, Role, RrsetOrder, Verdict, Zone};
use super::table::{Life, Scope};
use super::*;
use crate::dns::{Class, Rtype};

/// Lowers text as if it were a named.conf called `t.conf`.
fn conf(text: &str) -> Result<(Config, Diagnostics), Diagnostics> {
    let arena = Arena::default();
    let how = How { scope: Scope::Top, dialect: Dialect::Nomd };
    let (tree, faults) = parse::text(&arena, "t.conf", text.as_bytes(), how);
    finish(tree.as_ref(), faults, &Tolerance::default())
}

fn good(text: &str) -> Config {
    conf(text).unwrap_or_else(|faults| panic!("{text}\n{faults}")).0
}

/// What is said of a text that must not pass.
fn bad(text: &str) -> String {
    conf(text).expect_err(text).to_string()
}

fn cases(folder: &str) -> Vec<PathBuf> {
    let folder = Path::new("testdata/conf/named").join(folder);
    let entries = std::fs::read_dir(&folder).unwrap().map(|entry| entry.unwrap().path());
    let mut cases: Vec<PathBuf> = entries.filter(|path| path.extension().is_some_and(|end| end == "conf")).collect();
    cases.sort();
    assert!(cases.len() > 10, "{}", folder.display());
    cases
}

/// What is said of a file, line by line, without the folder.
fn verdict(path: &Path) -> Vec<String> {
    let arena = Arena::default();
    let how = How { scope: Scope::Top, dialect: Dialect::Bind918 };
    let (tree, mut faults) = parse::file(&arena, path, how);
    faults.extend(tree.iter().flat_map(check::check));
    let folder = format!("{}/", path.parent().unwrap().display());
    faults.iter().map(|fault| fault.to_string().replace(&folder, "")).collect()
}

/// The files of a folder of which something else is said than named says, or in another order.
fn differing(folder: &str) -> String {
    let differs = |path: &PathBuf| {
        let expected = std::fs::read_to_string(path.with_extension("expected")).unwrap_or_default();
        let said = verdict(path).join("\n");
        (said.trim_end() != expected.trim_end())
            .then(|| format!("{}\n-- named\n{expected}-- nomd\n{said}\n\n", path.display()))
    };
    cases(folder).iter().filter_map(differs).collect()
}

#[test]
fn faulty_files_get_the_words_of_named() {
    let differing = differing("err");
    assert!(differing.is_empty(), "{differing}");
}

#[test]
fn sound_files_pass_with_the_warnings_of_named() {
    let differing = differing("ok");
    assert!(differing.is_empty(), "{differing}");
}

#[test]
fn the_usual_pair_is_understood() {
    let config = good(
        r#"key "transfer-key" { algorithm hmac-sha256; secret "c2VjcmV0"; };
           zone "a.example" { type master; file "/etc/bind/zones/a"; allow-transfer { key "transfer-key"; 10/8; }; };
           zone "b.example" { type slave; file "b"; masters { 10.0.0.1; }; allow-transfer { none; }; };"#,
    );
    let [a, b] = config.views[0].zones.as_slice() else { panic!("two zones") };
    assert!(matches!(a.role, Role::Primary) && a.file() == Some("/etc/bind/zones/a".into()));
    assert!(matches!(&a.settings.allow_transfer[0].what, Match::Key(name) if name.to_string() == "transfer-key."));
    let Role::Secondary { primaries } = &b.role else { panic!("a secondary") };
    assert_eq!(b.file(), Some("b".into()));
    assert_eq!(primaries[0].address.to_string(), "10.0.0.1:53");
    assert!(b.settings.allow_transfer[0].negated);
}

#[test]
fn zones_that_say_the_same_share_their_settings() {
    let config = good(
        r#"zone a { type master; file "a"; notify no; }; zone b { type master; file "b"; notify no; };
           zone c { type master; file "c"; };"#,
    );
    let zones = &config.views[0].zones;
    assert!(std::sync::Arc::ptr_eq(&zones[0].settings, &zones[1].settings));
    assert!(!std::sync::Arc::ptr_eq(&zones[0].settings, &zones[2].settings));
}

#[test]
fn the_innermost_statement_decides() {
    let config = good(
        r#"options { notify no; check-names master warn; max-transfer-time-in 5; };
           view v { notify explicit; check-names master ignore;
             zone a { type master; file "a"; notify yes; }; zone b { type master; file "b"; }; };
           view w { zone a { type master; file "a"; check-names fail; }; };"#,
    );
    let settings = |view: usize, zone: usize| &config.views[view].zones[zone].settings;
    assert_eq!((settings(0, 0).notify, settings(0, 1).notify), (Notify::Yes, Notify::Explicit));
    assert_eq!(settings(1, 0).notify, Notify::No);
    assert_eq!(settings(0, 0).checks.names, Verdict::Ignore);
    assert_eq!(settings(1, 0).checks.names, Verdict::Fail);
    assert_eq!(settings(1, 0).max_transfer_time_in.as_secs(), 300);
}

#[test]
fn ports_of_server_lists_are_inherited_inwards() {
    let config = good(
        r#"options { port 5300; };
           primaries inner { 10.0.0.3; 10.0.0.4 port 4; };
           primaries outer port 2 { 10.0.0.2; inner; outer; };
           zone a { type secondary; primaries { 10.0.0.1 key k; outer; inner; }; };"#,
    );
    let Role::Secondary { primaries } = &config.views[0].zones[0].role else { panic!("a secondary") };
    let shown: Vec<String> = primaries.iter().map(|remote| remote.address.to_string()).collect();
    assert_eq!(shown, ["10.0.0.1:5300", "10.0.0.2:2", "10.0.0.3:2", "10.0.0.4:4"]);
    assert_eq!(primaries[0].key.as_ref().map(ToString::to_string).as_deref(), Some("k."));
}

#[test]
fn recursion_is_for_those_who_may_recurse_and_ask_the_cache() {
    let plain = |what| MatchElement { negated: false, what };
    let prefix = |text: &str| plain(Match::Prefix(text.parse().unwrap()));
    let lowered = |options: &str| {
        let view = good(&format!("options {{ {options} }};")).views.remove(0);
        (view.recursion, view.allow_recursion.to_vec())
    };
    let nobody = (false, vec![MatchElement { negated: true, what: Match::Any }]);
    assert_eq!(lowered(""), (true, vec![plain(Match::Localhost), plain(Match::Localnets)]));
    assert_eq!(lowered("recursion no; allow-recursion { any; };"), nobody);
    assert_eq!(lowered("allow-recursion { none; };"), nobody);
    assert_eq!(lowered("allow-query { 10/8; };"), (true, vec![prefix("10.0.0.0/8")]));
    assert_eq!(lowered("allow-query { 10/8; }; allow-query-cache { 11/8; };"), (true, vec![prefix("11.0.0.0/8")]));
    assert_eq!(lowered("allow-recursion { any; }; allow-query-cache { none; };"), nobody);
    let (recursion, both) = lowered("allow-recursion { 10.1/16; }; allow-query-cache { 10/8; };");
    let inner = Match::List([prefix("10.1.0.0/16")].into());
    let outside = Match::List([MatchElement { negated: true, what: inner }, plain(Match::Any)].into());
    let other = Match::List([prefix("10.0.0.0/8")].into());
    assert_eq!((recursion, both), (true, vec![MatchElement { negated: true, what: outside }, plain(other)]));
    let view = "options { allow-recursion { none; }; }; view v { allow-recursion { 10/8; }; };";
    assert_eq!(good(view).views[0].allow_recursion.to_vec(), [prefix("10.0.0.0/8")]);
}

#[test]
fn each_view_has_sizes_of_its_own_within_bounds() {
    let sizes = |text: &str| {
        let edns = good(text).views.into_iter().map(|view| view.edns);
        edns.map(|edns| (edns.udp_size, edns.max_udp_size, edns.nocookie_udp_size)).collect::<Vec<_>>()
    };
    assert_eq!(sizes(""), [(1232, 1232, 4096)]);
    let out = "options { edns-udp-size 100; max-udp-size 9000; nocookie-udp-size 1; };";
    assert_eq!(sizes(out), [(512, 4096, 128)]);
    let views = "options { edns-udp-size 1400; }; view a { max-udp-size 700; }; view b { nocookie-udp-size 9000; };";
    assert_eq!(sizes(views), [(1400, 700, 4096), (1400, 1232, 4096)]);
}

#[test]
fn rules_of_rrset_order_keep_their_order_and_say_what_they_fit() {
    let rules = |text: &str| good(&format!("options {{ {text} }};")).views.remove(0).rrset_order;
    let all = |order| OrderRule { class: None, rtype: None, name: None, order };
    assert_eq!((rules(""), rules("rrset-order { };")), (vec![all(RrsetOrder::Random)], vec![]));
    let given =
        rules("rrset-order { class IN type A name \"*.example.com\" order cyclic; type any name \"*\" order none; };");
    let first = OrderRule {
        class: Some(Class::IN),
        rtype: Some(Rtype::A),
        name: Some("*.example.com".parse().unwrap()),
        order: RrsetOrder::Cyclic,
    };
    assert_eq!(given, [first, all(RrsetOrder::None)]);
}

/// BIND lowers larger blocks when it runs.
#[test]
fn padding_has_blocks_of_up_to_512_bytes() {
    let block = |size| {
        good(&format!("options {{ response-padding {{ any; }} block-size {size}; }};")).views[0].edns.padding_block
    };
    assert_eq!([block(0), block(468), block(512), block(513)], [0, 468, 512, 512]);
}

/// named 9.18.49: a category has to be known, letter by letter; a channel may be written in any case.
#[test]
fn categories_and_channels_must_be_known() {
    let said = |logging: &str| bad(&format!("logging {{ {logging} }};"));
    assert_eq!(said("category nonsense { null; };").trim_end(), "t.conf:1: undefined category: 'nonsense'");
    assert_eq!(said("category Queries { null; };").trim_end(), "t.conf:1: undefined category: 'Queries'");
    assert_eq!(said("category queries { c; };").trim_end(), "t.conf:1: undefined channel: 'c'");
    good("logging { channel c { stderr; }; category queries { C; Null; }; category zoneload { c; }; };");
}

#[test]
fn an_unknown_syslog_facility_is_said_and_replaced() {
    let (config, faults) = conf("logging { channel c { syslog nofac; }; };").unwrap();
    assert_eq!(config.logging.channels[0].to, Destination::Syslog("daemon".to_owned()));
    assert!(faults.to_string().starts_with("t.conf:1: syslog facility 'nofac' has no effect"), "{faults}");
}

#[test]
fn what_would_change_answers_is_refused() {
    for (text, name) in [
        ("options { dnssec-policy default; };", "dnssec-policy"),
        ("options { allow-new-zones yes; };", "allow-new-zones"),
        ("options { response-policy { zone \"r\"; }; };", "response-policy"),
        ("zone a { type master; file \"a\"; update-policy { grant k krb5-self . A; }; };", "krb5-self"),
        ("zone a { type master; file \"a\"; inline-signing yes; };", "inline-signing"),
        ("zone a { type forward; forwarders { 1.2.3.4; }; };", "a zone of type 'forward'"),
        ("options { allow-query { geoip country SE; }; };", "geoip"),
        ("remote-servers r source 10.0.0.9 { 10.0.0.1; };", "'source' in 'remote-servers'"),
    ] {
        let said = bad(text);
        assert!(said.starts_with("t.conf:1: ") && said.contains(name) && said.contains("refused: "), "{said}");
    }
}

/// What is tolerated is said, and then is as if it were not there: nothing opens by it.
#[test]
fn what_is_refused_can_be_tolerated_by_name() {
    let tolerant = |text: &str, names: &str| {
        let mut tolerance = Tolerance::default();
        tolerance.add(names).unwrap();
        let arena = Arena::default();
        let how = How { scope: Scope::Top, dialect: Dialect::Nomd };
        let (tree, faults) = parse::text(&arena, "t.conf", text.as_bytes(), how);
        finish(tree.as_ref(), faults, &tolerance)
    };
    let text = "options { allow-query { geoip country SE; }; };
        zone f { type forward; forwarders { 1.2.3.4; }; };
        zone p { type master; file \"p\"; inline-signing yes; };
        zone s { type slave; primaries { 10.0.0.2; }; };";
    let all = "geoip,type-forward,inline-signing";
    let (config, said) = tolerant(text, all).unwrap();
    let tolerated = said.iter().filter(|fault| fault.message.contains("which is tolerated: ")).count();
    assert_eq!(tolerated, 3, "{said}");
    let [p, s] = config.views[0].zones.as_slice() else { panic!("{said}") };
    assert!(p.settings.allow_query.is_empty());
    assert!(matches!(&s.role, Role::Secondary { primaries } if primaries.len() == 1));
    let said = tolerant(text, "geoip,type-forward").unwrap_err().to_string();
    assert!(said.contains("t.conf:3: option 'inline-signing' is refused: "), "{said}");
}

#[test]
fn servers_are_asked_where_they_speak_what_is_asked_for() {
    let config = good(
        "options { port 1; tls-port 2; }; tls Own { ca-file \"c\"; remote-hostname \"a.b\"; };
        primaries inner { 10.0.0.1; 10.0.0.1 tls own; 10.0.0.1 port 9 tls own; };
        zone a { type secondary; file \"a\"; primaries { inner; 10.0.0.2 tls Ephemeral; }; };
        zone b { type secondary; file \"b\"; primaries port 5 { inner; 10.0.0.2 tls ephemeral; }; };",
    );
    let servers = |zone: &Zone| match &zone.role {
        Role::Secondary { primaries, .. } => {
            let server = |each: &Remote| format!("{} {}", each.address.port(), each.tls.as_deref().unwrap_or("-"));
            primaries.iter().map(server).collect::<Vec<_>>()
        }
        _ => panic!(),
    };
    assert_eq!(servers(&config.views[0].zones[0]), ["1 -", "2 own", "9 own", "2 ephemeral"]);
    assert_eq!(servers(&config.views[0].zones[1]), ["5 -", "5 own", "9 own", "5 ephemeral"]);
    assert_eq!(config.tls[0].remote_hostname.as_deref(), Some("a.b"));
}

#[test]
fn listeners_without_a_port_listen_on_that_of_what_they_speak() {
    let config = good(
        "tls t { key-file \"k\"; cert-file \"c\"; }; http h { endpoints { \"/q\"; }; listener-clients 7; };
        options { port 1; tls-port 2; https-port 3; http-port 4; listen-on { any; }; listen-on tls T { any; };
        listen-on tls ephemeral http h { any; }; listen-on tls none http default { any; };
        listen-on port 5 tls none { any; }; };",
    );
    let shown = config.options.listen_on.iter().map(|clause| {
        let tls = clause.tls.as_ref().map_or("-", |tls| if tls.files.is_some() { "files" } else { "ephemeral" });
        let http = clause.http.as_ref().map(|http| format!("{} {}", http.endpoints.join(" "), http.clients));
        format!("{} {tls} {}", clause.port, http.unwrap_or_default())
    });
    let wanted = ["1 - ", "2 files ", "3 ephemeral /q 7", "4 - /dns-query 300", "5 - "];
    assert_eq!(shown.collect::<Vec<_>>(), wanted);
}

#[test]
fn ciphers_of_which_there_is_none_are_refused() {
    for (statement, list) in [("ciphers", "DHE-RSA-AES256-GCM-SHA384"), ("cipher-suites", "TLS_AES_128_CCM_SHA256")] {
        let said = bad(&format!("tls t {{\n{statement} \"{list}\"; }};"));
        let fault = format!("t.conf:2: '{statement}' in the 'tls' clause 't' leaves no cipher that nomd has: ");
        assert!(said.starts_with(&fault), "{said}");
    }
}

#[test]
fn a_refusal_that_many_zones_share_is_counted() {
    let zone = |at: usize| format!("zone z{at} {{ type master; file \"f{at}\"; inline-signing yes; }};\n");
    let said = bad(&(1..=30).map(zone).collect::<String>());
    assert_eq!(said.lines().filter(|line| line.starts_with("t.conf:")).count(), 10, "{said}");
    let rest = "option 'inline-signing' is refused: 20 more times (nomd report counts them by zone)\n";
    let switch = "to start without what is refused: --tolerate inline-signing, or NOMD_TOLERATE=inline-signing\n";
    assert!(said.ends_with(&(rest.to_owned() + switch)), "{said}");
}

#[test]
fn what_asks_for_nothing_is_not_refused() {
    good("options { dnssec-policy none; allow-new-zones no; allow-update { none; }; allow-update-forwarding { }; };");
    good("zone a { type master; file \"a\"; allow-update { none; }; inline-signing no; auto-dnssec off; };");
    let (_, said) = conf("options { provide-ixfr no; ixfr-from-differences no; dialup no; };").unwrap();
    assert!(said.iter().all(|fault| fault.message.ends_with("is deprecated")), "{said}");
    good("options { listen-on tls none { any; }; allow-transfer transport tcp { any; }; };");
}

#[test]
fn statements_without_effect_are_said_once() {
    let (_, faults) = conf("view a { prefetch 2; }; view b { prefetch 3; send-report-channel \"a.\"; };").unwrap();
    let shown: Vec<(Severity, u32)> = faults.iter().map(|fault| (fault.severity, fault.line)).collect();
    assert_eq!(shown, [(Severity::Notice, 1), (Severity::Warning, 1)], "{faults}");
}

#[test]
fn several_files_of_one_pattern_are_read_last_first() {
    let folder = tempfile::tempdir().unwrap();
    for name in ["a", "b"] {
        let text = format!("zone {name} {{ type master; file \"{name}\"; }};");
        std::fs::write(folder.path().join(name).with_extension("inc"), text).unwrap();
    }
    let main = folder.path().join("named.conf");
    let text = format!("options {{ directory {:?}; }}; include \"*.inc\";", folder.path());
    std::fs::write(&main, text).unwrap();
    let (config, _) = load(&main, &Tolerance::default()).unwrap();
    let names: Vec<String> = config.views[0].zones.iter().map(|zone| zone.apex.to_string()).collect();
    assert_eq!(names, ["b.", "a."]);
}

#[test]
fn a_file_that_includes_itself_is_a_fault() {
    let folder = tempfile::tempdir().unwrap();
    let main = folder.path().join("named.conf");
    std::fs::write(&main, format!("include {main:?};")).unwrap();
    assert!(load(&main, &Tolerance::default()).unwrap_err().to_string().contains("too many open files"));
}

/// Every row of the table is found in its scope by its name, in any case, and says something about itself.
#[test]
fn every_statement_can_be_reached() {
    for scope in [Scope::Top, Scope::Options, Scope::View, Scope::Zone, Scope::Server, Scope::Channel, Scope::Rndc] {
        for statement in scope.statements() {
            let found = scope.find(&statement.name.to_uppercase()).unwrap();
            assert!(std::ptr::eq(found, statement), "{}", statement.name);
            assert!(statement.manual.doc.ends_with('.'), "{}", statement.name);
            let arena = Arena::default();
            let how = How { scope, dialect: Dialect::Nomd };
            let (_, faults) = parse::text(&arena, "t.conf", format!("{} ;", statement.name).as_bytes(), how);
            let unknown = faults.iter().any(|fault| fault.message.contains("unknown option"));
            let gone = matches!(statement.life, Life::Ancient | Life::NotBuilt);
            assert!(!unknown && (!gone || !faults.is_empty()), "{}", statement.name);
        }
    }
}

#[test]
fn rndc_files_are_read() {
    let folder = tempfile::tempdir().unwrap();
    let (key, conf) = (folder.path().join("rndc.key"), folder.path().join("rndc.conf"));
    let text = "key \"rndc-key\" { algorithm hmac-sha256; secret \"c2VjcmV0\"; };";
    std::fs::write(&key, text).unwrap();
    assert_eq!(rndc::load_key_file(&key).unwrap().secret, b"secret");
    let more = "options { default-key \"rndc-key\"; default-server ns1; default-port 9953; };
        server ns1 { key \"rndc-key\"; addresses { 10.0.0.1 port 5; ns1.example; }; };";
    std::fs::write(&conf, format!("{text}{more}")).unwrap();
    let read = rndc::load(&conf).unwrap();
    assert_eq!((read.default_port, read.default_server.as_deref()), (Some(9953), Some("ns1")));
    let expected = [("10.0.0.1".to_owned(), Some(5)), ("ns1.example".to_owned(), None)];
    assert_eq!(read.servers[0].addresses, expected);
    std::fs::write(&key, "").unwrap();
    assert!(rndc::load_key_file(&key).unwrap_err().to_string().ends_with("rndc.key: no key statement\n"));
}

/// Damaged text ends in a verdict: no panic, no endless loop. Seeded, so that a failure can be repeated.
#[test]
fn damaged_files_are_survived() {
    const SEED: u64 = 0x6e6f_6d64;
    const ROUNDS: usize = 40;
    let mut state = SEED;
    let mut random = move |below: usize| {
        state ^= state << 13;
        state ^= state >> 7;
        state ^= state << 17;
        (state % below.max(1) as u64) as usize
    };
    println!("seed {SEED:#x}");
    for path in cases("ok").into_iter().chain(cases("err")) {
        let whole = std::fs::read(&path).unwrap();
        for _ in 0..ROUNDS {
            let damaged = damage(&whole, &mut random);
            let arena = Arena::default();
            let how = How { scope: Scope::Top, dialect: Dialect::Nomd };
            let (tree, faults) = parse::text(&arena, "t.conf", &damaged, how);
            let broken = tree.is_none();
            assert!(!broken || !faults.is_empty(), "{}", String::from_utf8_lossy(&damaged));
            let _ = finish(tree.as_ref(), faults, &Tolerance::default());
        }
    }
}

/// One cut, doubling, flip or exchange of bytes.
fn damage(whole: &[u8], random: &mut impl FnMut(usize) -> usize) -> Vec<u8> {
    let mut bytes = whole.to_vec();
    let (from, length) = (random(bytes.len()), 1 + random(12));
    let to = (from + length).min(bytes.len());
    match random(5) {
        0 => drop(bytes.drain(from..to)),
        1 => bytes.splice(from..from, whole[from..to].to_vec()).for_each(drop),
        2 => bytes[from] ^= 1 << random(8),
        3 => bytes[from] = b"{};\"!/*# \n"[random(10)],
        _ => bytes.truncate(from),
    }
    bytes
}

/// What is said of a text by one who is as strict as `dialect`.
fn said_by(dialect: Dialect, text: &str) -> Vec<String> {
    let arena = Arena::default();
    let how = How { scope: Scope::Top, dialect };
    parse::text(&arena, "f", text.as_bytes(), how).1.into_iter().map(|fault| fault.message).collect()
}

#[test]
fn the_header_of_a_proxy_is_plain_or_within_tls() {
    let listening = |words: &str| format!("options {{ listen-on {words} {{ any; }}; }};");
    for words in [
        "proxy plain",
        "proxy PLAIN tls ephemeral",
        "proxy encrypted tls ephemeral",
        "proxy plain http default tls none",
    ] {
        assert!(good(&listening(words)).options.listen_on[0].proxy.is_some(), "{words}");
    }
    assert_eq!(good(&listening("tls ephemeral")).options.listen_on[0].proxy, None);
    for (words, fault) in [
        ("proxy other", "'proxy' must have one of the following values: 'plain' or 'encrypted'"),
        ("proxy encrypted", "'proxy encrypted' can be used only when encryption is enabled by"),
        ("proxy encrypted tls none", "'proxy encrypted' can be used only when encryption is enabled by"),
    ] {
        assert!(bad(&listening(words)).contains(fault), "{words}");
    }
}

#[test]
fn each_version_knows_its_own_statements() {
    let newer = "options { responselog no; };\n";
    assert_eq!(said_by(Dialect::Bind918, newer), ["unknown option 'responselog'"]);
    assert!(said_by(Dialect::Bind920, newer).is_empty());
    let newest = "template t { notify no; };\n";
    assert_eq!(said_by(Dialect::Bind920, newest), ["unknown option 'template'"]);
    assert!(said_by(Dialect::Nomd, newest).is_empty());
    let dropped = "options { coresize default; };\n";
    assert_eq!(said_by(Dialect::Bind918, dropped), ["option 'coresize' is deprecated"]);
    assert_eq!(said_by(Dialect::Bind920, dropped), ["option 'coresize' no longer exists"]);
}
