//! What is logged of queries that get no answer: the lines of named, at its levels, under one configuration after another.

use super::packets::{ask_udp, message, question};
use super::peers::{Kind, Server, Spec, Zone, dig, free_port};

const TEXT: &str = "$TTL 300\n@ SOA ns h 7 7200 900 1209600 60\n@ NS ns\nns A 192.0.2.1\nloop CNAME loop\nc CNAME x.other.\n\
                    w CNAME waiting.test.\n";

/// What stands in all lines that are compared.
const MARKS: [&str; 4] = ["query failed (", "' denied", "query-on denied", "query iterations limit reached"];

/// A difference that is meant: named also tells where a chain leads that it does not follow. Who asked for the end of
/// one has not asked for what lies there.
const MEANT: &str = "query (cache) 'x.other/A/IN' denied";

/// A query that each server tells of whatever its settings.
const END: &str = "end.closed.test";

const QUESTIONS: [&[&str]; 20] = [
    &["ns.example.com", "A"],
    &["none.example.com", "A"],
    &["example.net", "A"],
    &["example.net", "A", "+norec"],
    &["example.net", "AXFR", "+notcp"],
    &["example.com", "TSIG"],
    &["example.com", "TKEY"],
    &["example.com", "OPT"],
    &["example.com", "MAILA"],
    &["waiting.test", "A"],
    &["w.example.com", "A"],
    &["c.example.com", "A"],
    &["loop.example.com", "A"],
    &["closed.test", "A"],
    &["on.test", "A"],
    &["example.com", "AXFR", "+notcp"],
    &["waiting.test", "AXFR"],
    &["bind", "CH", "TXT"],
    &["example.com", "A", "+ednsopt=10:0102"],
    &["example.com", "A", "+edns=1", "+noednsneg"],
];

fn start(kind: Kind, options: &str, flags: &'static [&'static str], http_port: u16) -> Server {
    let zones = vec![
        Zone::primary("example.com", TEXT),
        Zone::primary("closed.test", TEXT).with("allow-query { none; };"),
        Zone::primary("on.test", TEXT).with("allow-query-on { 10/8; };"),
        Zone::secondary("waiting.test", 1),
    ];
    let options = format!("{options} listen-on port {http_port} tls none http default {{ 127.0.0.1; }};");
    let server = Server::start(kind, &Spec { zones, options, flags, ..Spec::default() });
    server.wait_for_serial("example.com", 7);
    server
}

/// The lines that each question brings, without time, port and the address of an object.
fn lines(kind: Kind, options: &str, flags: &'static [&'static str]) -> Vec<Vec<String>> {
    let http_port = free_port();
    let server = start(kind, options, flags, http_port);
    let ask = |port: u16, words: &[&str]| {
        let before = server.log().len();
        dig::dig(port, words);
        // nomd's log is written by a thread of its own, line by line in order.
        ask_udp(&server, &message(7, 0, [1, 0, 0, 0], &question(END, 1, 1)));
        server.wait_until("all is logged", || server.log()[before..].contains(END));
        let log = server.log()[before..].to_owned();
        let is_compared =
            |line: &&str| !line.contains(MEANT) && !line.contains(END) && MARKS.iter().any(|mark| line.contains(mark));
        log.lines().filter(is_compared).map(behind_client).collect()
    };
    let mut all: Vec<Vec<String>> = QUESTIONS.iter().map(|words| ask(server.port, words)).collect();
    all.push(ask(http_port, &["+http-plain", "example.com", "AXFR"]));
    all
}

fn behind_client(line: &str) -> String {
    let (_, behind) = line.split_once('#').unwrap_or(("", line));
    behind.trim_start_matches(|c: char| c.is_ascii_digit()).to_owned()
}

#[test]
fn queries_that_fail_are_logged_as_named_logs_them() {
    let with: [(&str, &'static [&'static str]); 5] = [
        ("", &[]),
        ("", &["-d", "1"]),
        ("", &["-d", "3"]),
        ("querylog yes;", &[]),
        ("recursion yes; allow-recursion { 10/8; };", &[]),
    ];
    for (options, flags) in with {
        let [theirs, ours] = [Kind::Bind, Kind::Nomd].map(|kind| lines(kind, options, flags));
        assert_eq!(ours, theirs, "{options:?} {flags:?}");
        assert!(theirs.iter().any(|lines| !lines.is_empty()), "{options:?} {flags:?}");
    }
}

/// Transfers that are refused, and the end of the line that tells of each.
const REFUSED: [(&[&str], &str); 7] = [
    (&["nowhere.test", "AXFR"], "'nowhere.test/IN': non-authoritative zone (NOTAUTH)"),
    (&["ns.example.com", "AXFR"], "'ns.example.com/IN': non-authoritative zone (NOTAUTH)"),
    (&["nowhere.test", "IXFR=1"], "'nowhere.test/IN': non-authoritative zone (NOTAUTH)"),
    (&["nowhere.test", "IXFR=1", "+notcp"], "'nowhere.test/IN': non-authoritative zone (NOTAUTH)"),
    (&["example.com", "AXFR"], "zone transfer 'example.com/AXFR/IN' denied"),
    (&["example.com", "IXFR=1"], "zone transfer 'example.com/IXFR/IN' denied"),
    (&["waiting.test", "AXFR"], ""),
];

/// The lines of the log on each, behind the client.
fn refused(kind: Kind) -> Vec<Vec<String>> {
    let zones = vec![Zone::secondary("waiting.test", 1)];
    let closed = "zone \"example.com\" { type primary; file \"zone\"; allow-transfer { none; }; };".to_owned();
    let files = vec![("zone".to_owned(), TEXT.to_owned())];
    let server = Server::start(kind, &Spec { zones, statements: closed, files, ..Spec::default() });
    server.wait_for_serial("example.com", 7);
    let lines = |(words, _): &(&[&str], &str)| {
        let before = server.log().len();
        dig::dig(server.port, words);
        dig::dig(server.port, &[END, "AXFR"]);
        let new = || server.log()[before..].to_owned();
        server.wait_until("the end is told of", || new().contains(END));
        let new = new();
        let told = new.lines().filter(|line| line.contains(" client @") && !line.contains(END));
        told.filter_map(|line| Some(line[line.find('#')?..].split_once(' ')?.1.to_owned())).collect()
    };
    REFUSED.iter().map(lines).collect()
}

#[test]
fn transfers_that_are_refused_are_told_of_as_by_named() {
    let [theirs, ours] = [Kind::Bind, Kind::Nomd].map(refused);
    assert_eq!(ours, theirs);
    for (told, (words, end)) in theirs.iter().zip(REFUSED) {
        assert!(told.iter().all(|line| line.ends_with(end)), "{words:?}: {told:?}");
        assert_eq!(told.len(), usize::from(!end.is_empty()), "{words:?}: {told:?}");
    }
}
