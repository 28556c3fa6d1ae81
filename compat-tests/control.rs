//! The real rndc drives nomd as it drives named: same replies, same exit codes.

use super::peers::{Kind, Output, Server, Spec, Zone, dig, nomd, run};
use super::zones;

const ZONE: &str = "example.com";

/// named and nomd with the same primary and a secondary of it.
fn both() -> [(Server, Server); 2] {
    [Kind::Bind, Kind::Nomd].map(|kind| {
        let spec = Spec { zones: vec![Zone::primary(ZONE, zones::example(1))], ..Spec::default() };
        let primary = Server::start(kind, &spec);
        primary.wait_for_serial(ZONE, 1);
        let spec = Spec { zones: vec![Zone::secondary(ZONE, primary.port)], ..Spec::default() };
        let secondary = Server::start(kind, &spec);
        secondary.wait_for_serial(ZONE, 1);
        (primary, secondary)
    })
}

#[test]
fn replies_and_exit_codes_are_those_of_named() {
    let [(bind, bind_secondary), (nomd, nomd_secondary)] = both();
    let on_primary: &[&[&str]] = &[
        &["reload", ZONE],
        &["reload", "nowhere.example"],
        &["reload"],
        &["reconfig"],
        &["refresh", ZONE],
        &["retransfer", ZONE],
        &["notify", ZONE],
        &["notify", "nowhere.example"],
        &["zonestatus", "nowhere.example"],
        &["zonestatus"],
        &["querylog", "on"],
        &["querylog", "off"],
        &["querylog"],
        &["querylog", "maybe"],
        &["no-such-command"],
        &["reload", ZONE, "IN"],
        &["reload", ZONE, "IN", "no-such-view"],
    ];
    for words in on_primary {
        assert_eq!(nomd.rndc(words), bind.rndc(words), "primary: rndc {words:?}");
    }
    let on_secondary: &[&[&str]] = &[&["reload", ZONE], &["refresh", ZONE], &["retransfer", ZONE], &["notify", ZONE]];
    for words in on_secondary {
        assert_eq!(nomd_secondary.rndc(words), bind_secondary.rndc(words), "secondary: rndc {words:?}");
    }
}

/// Zones that are named alike, one that another view shows, and one of another class.
const VIEWS: &str = "
view a { match-clients { 10/8; };
  zone twice.test { type primary; file \"zone\"; }; zone shown.test { type primary; file \"zone\"; }; };
view b { zone twice.test { type primary; file \"zone\"; }; zone shown.test { in-view a; }; };
view c chaos { zone chaos.test { type primary; file \"chaos\"; }; };
";

#[test]
fn the_zone_that_is_meant_is_found_in_the_views_in_which_named_finds_it() {
    let [bind, nomd] = [Kind::Bind, Kind::Nomd].map(|kind| {
        let zone = |class| format!("$TTL 300\n@ {class} SOA ns h 1 3600 900 604800 300\n@ {class} NS ns.invalid.\n");
        let files = vec![("zone".to_owned(), zone("IN")), ("chaos".to_owned(), zone("CH"))];
        Server::start(kind, &Spec { statements: VIEWS.to_owned(), files, ..Spec::default() })
    });
    let zones = [
        &["twice.test"][..],
        &["twice.test", "IN", "b"],
        &["twice.test", "CH", "b"],
        &["shown.test"],
        &["shown.test", "IN", "a"],
        &["shown.test", "IN", "b"],
        &["shown.test", "IN", "c"],
        &["shown.test", "CH", "c"],
        &["chaos.test"],
        &["chaos.test", "CH"],
        &["chaos.test", "IN"],
        &["nowhere.test", "IN", "a"],
        &["nowhere.test"],
    ];
    for (word, zone) in ["notify", "sync", "reload"].into_iter().flat_map(|word| zones.map(|zone| (word, zone))) {
        let words = [&[word], zone].concat();
        assert_eq!(nomd.rndc(&words), bind.rndc(&words), "rndc {words:?}");
    }
}

#[test]
fn reload_asks_no_primary_as_with_named_unless_a_zone_is_named() {
    let zones = |at: &dyn Fn(&str) -> Zone| ["a.test", "b.test"].map(at).to_vec();
    let text = "$TTL 300\n@ SOA ns h 1 3600 900 604800 300\n@ NS ns\nns A 192.0.2.1\n";
    for kind in [Kind::Bind, Kind::Nomd] {
        let options = "querylog yes;".to_owned();
        let spec = Spec { zones: zones(&|name| Zone::primary(name, text.to_owned())), options, ..Spec::default() };
        let primary = Server::start(Kind::Bind, &spec);
        let spec = Spec { zones: zones(&|name| Zone::secondary(name, primary.port)), ..Spec::default() };
        let secondary = Server::start(kind, &spec);
        ["a.test", "b.test"].iter().for_each(|zone| secondary.wait_for_serial(zone, 1));
        let before = primary.log().len();
        let since = || primary.log().split_off(before);
        assert_eq!(secondary.rndc(&["reload"]).status, 0);
        secondary.wait_for_log("reloading zones succeeded");
        assert_eq!(secondary.rndc(&["reload", "b.test"]).stdout, "zone refresh queued\n");
        primary.wait_until("it is asked", || since().contains("query: b.test IN SOA"));
        assert!(!since().contains("query: a.test IN SOA"), "{kind:?}");
    }
}

/// The words in front of the colons, which scripts look for.
fn keys(output: &Output) -> Vec<String> {
    assert_eq!(output.status, 0, "{output:?}");
    output.stdout.lines().map(|line| line.split(':').next().unwrap_or_default().to_owned()).collect()
}

#[test]
fn status_and_zonestatus_have_the_lines_of_named() {
    let [(bind, bind_secondary), (nomd, nomd_secondary)] = both();
    assert_eq!(keys(&nomd.rndc(&["status"])), keys(&bind.rndc(&["status"])));
    assert!(nomd.rndc(&["status"]).stdout.contains("server is up and running"));
    let other_case = format!("{}.", ZONE.to_uppercase());
    for (ours, theirs, name) in
        [(&nomd, &bind, ZONE), (&nomd_secondary, &bind_secondary, ZONE), (&nomd, &bind, &other_case)]
    {
        let (ours, theirs) = (ours.rndc(&["zonestatus", name]), theirs.rndc(&["zonestatus", name]));
        assert!(keys(&ours).starts_with(&keys(&theirs)), "{}", ours.stdout);
        for line in theirs.stdout.lines() {
            let same = ["name:", "type:", "files:", "serial:", "secure:", "dynamic:", "reconfigurable"];
            if same.iter().any(|start| line.starts_with(start)) {
                assert!(ours.stdout.lines().any(|ours| ours == line), "{line:?} is not in\n{}", ours.stdout);
            }
        }
    }
}

/// Statements with zones of each kind that named counts or does not.
const COUNTED: [&str; 5] = [
    "",
    "zone a { type primary; file \"none\"; }; zone . { type hint; file \"hints\"; };",
    "view v { match-clients { 10/8; }; zone a { type primary; file \"none\"; }; }; view w { zone a { in-view v; }; };",
    "view v { zone a { type primary; file \"none\"; }; }; view c chaos { zone a { type primary; file \"none\"; }; };",
    "view v { zone a { type secondary; primaries { 127.0.0.9; }; }; zone b { type primary; file \"none\"; }; };",
];

#[test]
fn status_counts_the_zones_that_named_counts() {
    for statements in COUNTED {
        let count = |kind| {
            let files = vec![("hints".to_owned(), ". 60 NS r.\nr. 60 A 127.0.0.9\n".to_owned())];
            let spec = Spec { statements: statements.to_owned(), files, ..Spec::default() };
            let status = Server::start(kind, &spec).rndc(&["status"]).stdout;
            status.lines().find(|line| line.starts_with("number of zones: ")).map(str::to_owned)
        };
        let theirs = count(Kind::Bind);
        assert!(theirs.is_some());
        assert_eq!(count(Kind::Nomd), theirs, "{statements}");
    }
}

#[test]
fn stop_and_halt_end_the_server_and_tell_its_pid() {
    for kind in [Kind::Bind, Kind::Nomd] {
        for word in ["stop", "halt"] {
            let spec = Spec { zones: vec![Zone::primary(ZONE, zones::example(1))], ..Spec::default() };
            let mut server = Server::start(kind, &spec);
            server.wait_for_serial(ZONE, 1);
            let pid_file = server.path("named.pid");
            assert_eq!(std::fs::read_to_string(&pid_file).unwrap().trim(), server.pid().to_string());
            let output = server.rndc(&[word, "-p"]);
            assert_eq!(output, Output { status: 0, stdout: format!("pid: {}\n", server.pid()), stderr: "".into() });
            assert_eq!(server.wait_for_end(), 0, "{kind:?} {word}");
            assert!(!pid_file.exists(), "{kind:?} leaves no pid file");
        }
    }
}

#[test]
fn nomd_rndc_drives_named_and_nomd() {
    let [(bind, _), (nomd, _)] = both();
    for server in [&bind, &nomd] {
        let conf = server.path("rndc.conf").display().to_string();
        let ours = |words: &[&str]| run(self::nomd(), &[&["rndc", "-c", &conf], words].concat());
        for words in [&["reload", ZONE][..], &["zonestatus", "nowhere.example"], &["reconfig"], &["bad-command"]] {
            assert_eq!(ours(words), server.rndc(words), "{:?}: rndc {words:?}", server.kind);
        }
        assert!(ours(&["status"]).stdout.contains("server is up and running"));
    }
}

#[test]
fn a_wrong_key_is_refused() {
    let [(bind, _), (nomd, _)] = both();
    for server in [&bind, &nomd] {
        let conf = std::fs::read_to_string(server.path("rndc.conf")).unwrap();
        let wrong = server.path("wrong.conf");
        std::fs::write(&wrong, conf.replace("bm9tZC1", "d3Jvbmc")).unwrap();
        let output = run("rndc", &["-c", &wrong.display().to_string(), "status"]);
        assert_eq!(output.status, 1, "{:?}", server.kind);
        server.wait_for_log("bad auth");
    }
}

#[test]
fn querylog_lines_are_those_of_named() {
    let lines = [Kind::Bind, Kind::Nomd].map(|kind| {
        let spec = Spec { zones: vec![Zone::primary(ZONE, zones::example(1))], ..Spec::default() };
        let server = Server::start(kind, &spec);
        server.wait_for_serial(ZONE, 1);
        server.rndc(&["querylog", "on"]);
        dig::ask(server.port, "Web.example.com", "A", &["+dnssec", "+norec"]);
        dig::ask(server.port, "web.example.com", "AAAA", &["+tcp", "+noedns", "+cdflag"]);
        server.wait_for_log("AAAA");
        let log = server.log();
        let queries = log.lines().filter(|line| line.contains("query: ") && line.contains("eb.example.com"));
        let after = |line: &str| line.split_once("): query: ").map(|(_, rest)| rest.to_owned());
        queries.filter_map(after).collect::<Vec<_>>()
    });
    assert_eq!(lines[1], lines[0]);
    assert_eq!(lines[0].len(), 2, "{lines:?}");
}

#[test]
fn hup_reloads_and_usr1_is_ignored() {
    let server =
        Server::start(Kind::Nomd, &Spec { zones: vec![Zone::primary(ZONE, zones::example(1))], ..Spec::default() });
    server.wait_for_serial(ZONE, 1);
    super::peers::signal(server.pid(), "USR1");
    std::fs::write(server.path("example.com.db"), zones::example(2)).unwrap();
    super::peers::signal(server.pid(), "HUP");
    server.wait_for_log("received SIGHUP signal to reload zones");
    server.wait_for_serial(ZONE, 2);
}
