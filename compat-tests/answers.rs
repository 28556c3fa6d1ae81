//! The same zones and the same questions to named and nomd: every answer is the same, section by section.
//!
//! Differences that are meant stand in [`ACCEPTED`] with their reason; any other one fails.

use std::fmt::Write;

use super::peers::{Kind, Server, Spec, Zone, dig, run};
use super::zones;

/// A rule that accepts a difference: a name for it, the reason, and whether it applies.
type Accepted = (&'static str, &'static str, fn(&dig::Answer, &dig::Answer) -> bool);

const ACCEPTED: &[Accepted] = &[(
    "optional signatures near the size limit",
    "named adds addresses one by one and then what signatures still fit; nomd adds an address with its signature or not \
     at all, so that a validator never gets one it can't use",
    |ours, theirs| {
        let is_same_but_additional =
            dig::Answer { additional: vec![], ..ours.clone() } == dig::Answer { additional: vec![], ..theirs.clone() };
        let is_part = ours.additional.iter().all(|record| theirs.additional.contains(record));
        is_same_but_additional && is_part && theirs.additional.iter().any(|record| record.contains(" RRSIG "))
    },
)];

fn zones() -> Vec<Zone> {
    let net = "$TTL 600\n$ORIGIN example.net.\n@ SOA ns hostmaster 3 7200 900 1209600 60\n NS ns\nns A 192.0.2.1\n\
               target A 192.0.2.99\n AAAA 2001:db8::99\nalias CNAME gone.example.com.\nloop CNAME loop2\nloop2 CNAME loop\n\
               chain CNAME www.example.com.\n* MX 5 target\nmail.deep.er A 192.0.2.7\n";
    let sub =
        "$TTL 600\n@ SOA ns hostmaster.example.com. 3 7200 900 1209600 60\n NS ns\nns A 192.0.2.53\nwww A 192.0.2.54\n";
    vec![
        Zone::primary("example.com", zones::example(1)),
        Zone::primary("example.net", net),
        Zone::primary("served.example.net", sub),
    ]
}

const NAMES: &[&str] = &[
    "example.com",
    "EXAMPLE.com",
    "ns1.example.com",
    "mail.example.com",
    "www.example.com",
    "WWW.Example.COM",
    "web.example.com",
    "wild.example.com",
    "x.wild.example.com",
    "a.b.wild.example.com",
    "*.wild.example.com",
    "_sip._tcp.example.com",
    "_tcp.example.com",
    "sub.example.com",
    "ns.sub.example.com",
    "www.sub.example.com",
    "other.example.com",
    "target.other.example.com",
    "x.y.other.example.com",
    "b.c.example.com",
    "c.example.com",
    "a.b.c.example.com",
    "z.b.c.example.com",
    "odd.example.com",
    "svc.example.com",
    "nothing.example.com",
    "below.web.example.com",
    "example.net",
    "target.example.net",
    "alias.example.net",
    "loop.example.net",
    "chain.example.net",
    "any.thing.example.net",
    "deep.er.example.net",
    "er.example.net",
    "mail.deep.er.example.net",
    "served.example.net",
    "www.served.example.net",
    "no.served.example.net",
    "elsewhere.example",
    ".",
    "com",
    "a\\.b.example.com",
    "\\000.example.com",
    "xn--nxasmq6b.example.com",
];

const TYPES: &[&str] = &[
    "A",
    "AAAA",
    "NS",
    "SOA",
    "MX",
    "TXT",
    "CNAME",
    "SRV",
    "CAA",
    "DS",
    "DNSKEY",
    "HTTPS",
    "DNAME",
    "ANY",
    "TYPE65280",
    "RRSIG",
    "NSEC",
    "PTR",
];

const FLAGS: &[&[&str]] = &[
    &[],
    &["+norec"],
    &["+norec", "+dnssec"],
    &["+norec", "+tcp"],
    &["+noedns", "+norec"],
    &["+norec", "+bufsize=512"],
];

/// Puts a list of questions to one server, those over TCP by a dig of their own: in a line of a file it takes only a few
/// words, and not that one.
pub(super) fn ask_all(server: &Server, questions: &[String]) -> Vec<(String, dig::Answer)> {
    let (tcp, udp): (Vec<&String>, Vec<&String>) = questions.iter().partition(|question| question.contains("+tcp"));
    [(udp, "+notcp"), (tcp, "+tcp")].into_iter().flat_map(|(batch, transport)| ask(server, &batch, transport)).collect()
}

fn ask(server: &Server, questions: &[&String], transport: &str) -> Vec<(String, dig::Answer)> {
    if questions.is_empty() {
        return vec![];
    }
    let file = server.path("questions");
    let lines: Vec<String> = questions.iter().map(|question| question.replace("+tcp", "")).collect();
    std::fs::write(&file, lines.join("\n")).unwrap();
    let (file, port) = (file.display().to_string(), server.port.to_string());
    let output = run("dig", &["@127.0.0.1", "-p", &port, "+tries=1", "+time=5", "+nocookie", transport, "-f", &file]);
    let answers: Vec<_> = output.stdout.split("; <<>> DiG").skip(1).map(dig::parse).collect();
    assert_eq!(answers.len(), questions.len(), "{:?} left questions open: {}", server.kind, output.stderr);
    let asked = questions.iter().zip(answers);
    asked.map(|(asked, answer)| (asked.to_string(), answer.unwrap_or_else(|| panic!("no answer to {asked}")))).collect()
}

fn questions(names: &[&str], types: &[&str], flags: &[&[&str]]) -> Vec<String> {
    let mut questions = vec![];
    for name in names {
        for rtype in types {
            for words in flags {
                let words = words.join(" ");
                questions.push(format!("-q {name} -t {rtype} {words}"));
            }
        }
    }
    questions
}

/// Asks both and lists what differs and is not accepted.
fn compare(spec: &Spec, last_zone: (&str, u32), names: &[&str], types: &[&str], flags: &[&[&str]]) {
    let [theirs, ours] = [Kind::Bind, Kind::Nomd].map(|kind| {
        let server = Server::start(kind, spec);
        server.wait_for_serial(last_zone.0, last_zone.1);
        ask_all(&server, &questions(names, types, flags))
    });
    let mut report = String::new();
    let mut differing = 0;
    for ((question, theirs), (_, ours)) in theirs.iter().zip(&ours) {
        if ours != theirs && !ACCEPTED.iter().any(|(_, _, applies)| applies(ours, theirs)) {
            differing += 1;
            if differing <= 20 {
                writeln!(report, "{question}\n{}", theirs.difference(ours)).unwrap();
            }
        }
    }
    println!("{} questions compared, {differing} differ", ours.len());
    assert_eq!(differing, 0, "of {} answers:\n{report}", ours.len());
}

#[test]
fn answers_are_those_of_named() {
    let spec = Spec { zones: zones(), ..Spec::default() };
    compare(&spec, ("served.example.net", 3), NAMES, TYPES, FLAGS);
}

#[test]
fn minimal_responses_in_its_other_values() {
    for value in ["yes", "no", "no-auth"] {
        let spec = Spec { zones: zones(), options: format!("minimal-responses {value};"), ..Spec::default() };
        let types = &["A", "NS", "MX", "SRV", "ANY", "SOA", "DS"];
        compare(&spec, ("served.example.net", 3), NAMES, types, &[&[], &["+norec"], &["+norec", "+bufsize=512"]]);
    }
}

/// A zone signed by dnssec-signzone with NSEC or NSEC3.
pub(super) fn sign(apex: &str, text: &str, denial: &[&str]) -> String {
    let dir = tempfile::tempdir().unwrap();
    let here = dir.path().display().to_string();
    let zone = dir.path().join("zone");
    for flags in [&["-f", "KSK"][..], &[]] {
        let words = [&["-q", "-K", &here, "-a", "ECDSAP256SHA256"], flags, &[apex]].concat();
        assert_eq!(run("dnssec-keygen", &words).status, 0);
    }
    std::fs::write(&zone, text).unwrap();
    let out = zone.with_extension("signed");
    let (zone, out) = (zone.display().to_string(), out.display().to_string());
    let words = [&["-S", "-K", &here, "-d", &here, "-o", apex, "-f", &out][..], denial, &[&zone]].concat();
    let output = run("dnssec-signzone", &words);
    assert_eq!(output.status, 0, "{output:?}");
    std::fs::read_to_string(out).unwrap()
}

/// example.com signed, with a secure delegation.
fn signed(denial: &[&str]) -> String {
    let secure = "secure NS ns.secure\nns.secure A 192.0.2.54\nsecure DS 12345 13 2 00112233445566778899aabbccddeeff00112233445566778899aabbccddeeff\n";
    sign("example.com", &(zones::example(1) + secure), denial)
}

#[test]
fn signed_answers_are_those_of_named() {
    for denial in [&[][..], &["-3", "-", "-H", "0"], &["-3", "aabb", "-H", "5", "-A"]] {
        let spec = Spec { zones: vec![Zone::primary("example.com", signed(denial))], ..Spec::default() };
        let more = ["secure.example.com", "www.secure.example.com", "a.sub.example.com"];
        let names: Vec<&str> = NAMES.iter().copied().filter(|name| !name.ends_with("net")).chain(more).collect();
        let flags: &[&[&str]] =
            &[&["+norec", "+dnssec"], &["+norec", "+dnssec", "+tcp"], &["+norec"], &["+dnssec", "+bufsize=512"]];
        compare(&spec, ("example.com", 1), &names, TYPES, flags);
    }
}

#[test]
fn the_chaos_names_are_answered_as_named_does() {
    let options = "version \"nine\"; hostname \"host.example\"; server-id \"id-1\";";
    let names = ["version.bind", "hostname.bind", "id.server", "authors.bind", "nothing.bind", "bind", "."];
    for options in ["", options, "version none; hostname none; server-id none;"] {
        let spec = Spec { zones: zones(), options: options.into(), ..Spec::default() };
        // Over TCP: named limits the rate of these answers over UDP.
        let flags: &[&[&str]] = &[&["-c", "CH", "+tcp"], &["-c", "CH", "+norec", "+nsid", "+tcp"]];
        let types = if options.is_empty() { &["NS", "SOA"][..] } else { &["TXT", "NS", "SOA", "A", "ANY"] };
        compare(&spec, ("served.example.net", 3), &names, types, flags);
    }
}

/// Of a chain that leads into a zone without contents nothing is left but SERVFAIL, unless RD is clear.
#[test]
fn chains_into_zones_that_are_not_loaded_fail_as_with_named() {
    let text = "$TTL 300\n@ SOA ns h 7 7200 900 1209600 60\n@ NS ns\nns A 192.0.2.1\nw CNAME waiting.test.\n\
                d DNAME waiting.test.\nq CNAME n.sub\nsub NS ns\nb CNAME both.test.\nc CNAME closed.test.\n";
    let zones = || {
        vec![
            Zone::primary("example.com", text),
            Zone::primary("closed.test", text).with("allow-query { 10/8; };"),
            Zone::secondary("waiting.test", 1),
            Zone::secondary("sub.example.com", 1),
            Zone::secondary("both.test", 1).with("allow-query { 10/8; };"),
        ]
    };
    for options in ["", "recursion yes; allow-recursion { 10/8; };"] {
        let servers = [Kind::Bind, Kind::Nomd].map(|kind| {
            let server = Server::start(kind, &Spec { zones: zones(), options: options.into(), ..Spec::default() });
            server.wait_for_serial("example.com", 7);
            server
        });
        for name in ["w", "d", "a.d", "q", "b", "c", "sub", "n.sub"].map(|label| format!("{label}.example.com")) {
            for (rtype, words) in [("A", "+rec"), ("A", "+norec"), ("A", "+noedns"), ("CNAME", "+rec"), ("DS", "+rec")]
            {
                let [theirs, ours] = servers.each_ref().map(|server| dig::ask(server.port, &name, rtype, &[words]));
                assert_eq!(ours, theirs, "{name} {rtype} {words} {options}");
            }
        }
        for name in ["both.test", "waiting.test", "x.waiting.test"] {
            for rtype in ["A", "DS"] {
                let [theirs, ours] = servers.each_ref().map(|server| dig::ask(server.port, name, rtype, &[]));
                assert_eq!(ours, theirs, "{name} {rtype} {options}");
            }
        }
    }
}
