//! Zones with faults, loaded by both servers: the same are served and the same is said of them.

use super::peers::{Kind, Server, Spec, dig, free_port, nomd, run};

/// A sound start of a zone; the faults come behind it.
const SOUND: &str = "$TTL 300\n@ SOA ns h 1 7200 900 1209600 60\n@ NS ns\nns A 192.0.2.1\n";

/// Names of zones, what stands in them beside the start, and whether they are served with the defaults.
const FAULTS: [(&str, &str, bool); 20] = [
    ("under", "a_b A 192.0.2.1", false),
    ("under-mx", "@ MX 1 a_b", false),
    ("ns-address", "@ NS ns9", false),
    ("ns-outside", "@ NS ns.other.test.", true),
    ("ns-cname", "@ NS c\nc CNAME ns", false),
    ("glue", "sub NS ns.sub", true),
    ("siblings", "a NS ns.b\nb NS ns.b", true),
    ("mx-address", "@ MX 1 nope", true),
    ("mx-number", "@ MX 1 192.0.2.1.", true),
    ("mx-cname", "@ MX 1 c\nc CNAME ns", true),
    ("srv-address", "_x._tcp SRV 1 1 1 nope", true),
    ("srv-cname", "_x._tcp SRV 1 1 1 c\nc CNAME ns", true),
    ("wild-ns", "*.s NS ns", false),
    ("below-dname", "d DNAME e.test.\nx.d A 192.0.2.1", true),
    ("cname", "c CNAME ns\nc A 192.0.2.1", false),
    ("ttl", "big 3000000000 A 192.0.2.1", true),
    ("ttls", "t 10 A 192.0.2.1\nt 20 A 192.0.2.2", true),
    ("outside", "www.other.test. A 192.0.2.1", true),
    ("spf", "@ SPF \"v=spf1 -all\"", true),
    ("max-ttl", "t 90000 A 192.0.2.1", false),
];

/// Those without a sound start.
const WHOLE: [(&str, &str); 3] = [
    ("no-soa", "$TTL 300\n@ NS ns\nns A 192.0.2.1\n"),
    ("no-ns", "$TTL 300\n@ SOA ns h 1 1 1 1 1\nns A 192.0.2.1\n"),
    ("two-soa", "$TTL 300\n@ SOA ns h 1 7 7 7 7\n@ NS ns\nns A 192.0.2.1\n@ SOA ns h 2 7 7 7 7\n"),
];

fn spec() -> Spec {
    let faults = FAULTS.iter().map(|(name, text, _)| (*name, format!("{SOUND}{text}\n")));
    let zones: Vec<_> = faults.chain(WHOLE.map(|(name, text)| (name, text.to_owned()))).collect();
    let statement = |(name, _): &(&str, _)| {
        let clauses = if *name == "max-ttl" { "max-zone-ttl 86400;" } else { "" };
        format!("zone \"{name}.test\" {{ type primary; file \"{name}\"; {clauses} }};\n")
    };
    let statements = zones.iter().map(statement).collect();
    let files = zones.into_iter().map(|(name, text)| (name.to_owned(), text)).collect();
    Spec { statements, files, ..Spec::default() }
}

/// What is said of a zone, behind the time.
fn said(log: &str, name: &str) -> Vec<String> {
    let tails = log.lines().filter_map(|line| line.splitn(3, ' ').nth(2));
    let marks = [format!("zone {name}.test/"), format!("{name}:"), format!("'{name}.test"), format!(".{name}.test")];
    let of_zone = |line: &&str| marks.iter().any(|mark| line.contains(mark) || line.starts_with(&mark[1..]));
    let mut said: Vec<String> = tails.filter(of_zone).map(str::to_owned).collect();
    said.sort();
    said
}

#[test]
fn zones_with_faults_are_served_or_not_and_told_of_as_by_named() {
    let spec = spec();
    let servers = [Kind::Bind, Kind::Nomd].map(|kind| Server::start(kind, &spec));
    servers.iter().for_each(|server| server.wait_for_log("all zones loaded"));
    let whole = WHOLE.map(|(name, _)| (name, false));
    let expected = FAULTS.map(|(name, _, is_served)| (name, is_served)).into_iter().chain(whole).collect::<Vec<_>>();
    for server in &servers {
        let status = |name| dig::ask(server.port, &format!("{name}.test"), "SOA", &[]).status;
        let served: Vec<_> = expected.iter().map(|(name, _)| (*name, status(name) == "NOERROR")).collect();
        assert_eq!(served, expected, "{:?}", server.kind);
    }
    let logs = servers.each_ref().map(Server::settled_log);
    for (name, _) in expected {
        let [theirs, ours] = logs.each_ref().map(|log| said(log, name));
        assert_eq!(ours, theirs, "{name}");
        assert!(!theirs.is_empty(), "{name}");
    }
}

/// Options, a zone's clauses beside its file, and whether a server starts with them.
const STYLES: [(&str, &str, bool); 6] = [
    ("", "type secondary; primaries { 192.0.2.1; }; masterfile-style full;", false),
    ("masterfile-style relative;", "type secondary; primaries { 192.0.2.1; };", false),
    ("", "type primary; masterfile-format raw; masterfile-style full;", false),
    ("masterfile-style full;", "type primary;", true),
    ("masterfile-style full;", "type secondary; primaries { 192.0.2.1; }; masterfile-format text;", true),
    ("masterfile-format raw;", "type primary; masterfile-style full; masterfile-format text;", true),
];

/// What a server says of the style when it does not start, from the name of the configuration on.
fn refusal(program: &[&str], options: &str, zone: &str) -> String {
    let folder = tempfile::tempdir().unwrap();
    let (conf, here) = (folder.path().join("named.conf"), folder.path().display());
    let text = format!(
        "controls {{ }};\noptions {{ directory \"{here}\"; pid-file none; recursion no; {options}\n\
         listen-on port {} {{ 127.0.0.1; }}; listen-on-v6 {{ none; }}; }};\n{zone}\n",
        free_port()
    );
    std::fs::write(&conf, text).unwrap();
    let path = conf.display().to_string();
    let check = run("named-checkconf", &[&path]);
    assert_eq!(run(nomd(), &["named-checkconf", &path]), check);
    assert_eq!(check.status, 0, "{check:?}");
    let output = run(program[0], &[&program[1..], &["-g", "-c", &path]].concat());
    assert_eq!(output.status, 1, "{options} {zone}: {output:?}");
    // nomd warns of what has no effect.
    let mut lines = output.stderr.lines().filter(|line| !line.contains("has no effect"));
    let line = lines.find_map(|line| Some(line.split_once("/named.conf:")?.1));
    assert!(lines.any(|line| line.ends_with("loading configuration: failure")), "{output:?}");
    line.unwrap_or_default().to_owned()
}

/// The style is refused only by the servers: named-checkconf lets it pass.
#[test]
fn a_style_for_raw_files_is_refused_at_the_start_as_by_named() {
    for (options, clauses, is_sound) in STYLES {
        let zone = format!("zone \"a.test\" {{ file \"a\"; {clauses} }};");
        if is_sound {
            let files = vec![("a".to_owned(), SOUND.to_owned())];
            let spec = Spec { options: options.to_owned(), statements: zone, files, ..Spec::default() };
            [Kind::Bind, Kind::Nomd].into_iter().for_each(|kind| drop(Server::start(kind, &spec)));
        } else {
            let [theirs, ours] = [&["named"][..], &[nomd(), "named"]].map(|words| refusal(words, options, &zone));
            assert_eq!(ours, theirs);
            assert!(theirs.contains("'masterfile-style' can only be used"), "{theirs}");
        }
    }
}
