use std::fmt::Write as _;

use super::super::Sink;
use super::*;
use crate::dns::{Class, NameRef, Rtype, testing};

type Record = (String, Rtype, u32, Vec<u8>);

fn options() -> Options {
    Options {
        apex: "example.".parse().unwrap(),
        class: Class::IN,
        check_names: crate::zone::message::Strictness::Warn,
        check_mx: crate::zone::message::Strictness::Warn,
        check_ns: crate::zone::message::Strictness::Warn,
        check_wildcard: true,
        max_zone_ttl_s: None,
    }
}

#[derive(Default)]
struct Records(Vec<Record>);

impl Sink for Records {
    fn record(&mut self, owner: NameRef<'_>, rtype: Rtype, ttl: u32, rdata: &[u8]) {
        self.0.push((owner.to_string(), rtype, ttl, rdata.to_vec()));
    }
}

impl PieceSink for Records {
    type Piece = Vec<Record>;

    fn end_piece(&mut self) -> Vec<Record> {
        std::mem::take(&mut self.0)
    }
}

fn in_one_go(path: &Path) -> (Vec<Record>, Report) {
    let mut records = Records::default();
    let report = super::super::read(path, &options(), &mut records);
    (records.0, report)
}

fn on_threads(path: &Path, piece_bytes: usize) -> Option<(Vec<Record>, Report)> {
    let (mut records, manner) = (Vec::new(), (3, piece_bytes));
    let report = read_in_pieces(path, &options(), manner, Records::default, |part| {
        records.extend(part);
        true
    })?;
    Some((records, report))
}

fn file(text: &str) -> tempfile::NamedTempFile {
    let file = tempfile::NamedTempFile::new().unwrap();
    std::fs::write(file.path(), text).unwrap();
    file
}

/// Both readings give the same records, messages and sources.
fn assert_same(text: &str, piece_bytes: usize, what: &str) {
    let file = file(text);
    let read = on_threads(file.path(), piece_bytes);
    let (records, report) = read.unwrap_or_else(|| panic!("{what}: not read on threads"));
    let (expected, expected_report) = in_one_go(file.path());
    assert_eq!(records.len(), expected.len(), "{what}");
    assert!(records == expected, "{what}: other records");
    let texts = |report: &Report| report.messages.iter().map(|message| message.text.clone()).collect::<Vec<_>>();
    assert_eq!(texts(&report), texts(&expected_report), "{what}");
    assert_eq!((report.sources, report.failure), (expected_report.sources, expected_report.failure), "{what}");
}

const HEAD: &str = "$TTL 300\n@ SOA m r 1 2 3 4 5\n NS m\nm A 192.0.2.1\n";

#[test]
fn a_cut_falls_between_delegations_and_not_among_the_addresses_of_their_servers() {
    let delegation = |name: &str| {
        let lines = ["NS ns1.NAME", "NS ns2.NAME", "DS 1 13 2 AA"].map(|rest| format!("NAME {rest}\n"));
        let glue = "ns1.NAME A 192.0.2.1\n AAAA 2001:db8::1\nns2.NAME A 192.0.2.2\n";
        (lines[..2].concat() + glue + &lines[2]).replace("NAME", name)
    };
    let text: String = ["a", "b", "c", "d"].map(delegation).concat();
    for length in text.len() / 2..text.len() {
        let at = cut(&text.as_bytes()[..length]).unwrap();
        assert!(["b NS ns1.b", "c NS ns1.c"].iter().any(|start| text[at..].starts_with(start)), "{}", &text[at..]);
    }
}

#[test]
fn pieces_give_what_the_whole_gives_wherever_they_are_cut() {
    for seed in 1..=6 {
        let mut random = testing::Random::new(seed);
        let mut text = HEAD.to_owned();
        for number in 0..60_000 {
            let _ = match random.below(8) {
                0 => writeln!(text, "n{number} 60 IN TXT \"a;(b\" ; a comment"),
                1 => writeln!(text, "n{number} MX ( 10\n\tm ) "),
                2 => writeln!(text, "\tAAAA 2001:db8::{:x}", number % 65_536),
                3 if random.below(100) == 0 => writeln!(text, "n{number} 70 A 192.0.2.1\nn{number} 80 A 192.0.2.2"),
                4 if random.below(2000) == 0 => writeln!(text, "$ORIGIN o{number}.example."),
                5 if random.below(2000) == 0 => writeln!(text, "$TTL {}", number + 1),
                6 => writeln!(text, "; only a comment\n\n"),
                _ => writeln!(text, "n{number} A 192.0.2.{}", number % 256),
            };
        }
        assert!(text.len() > PIECE_BYTES);
        assert_same(&text, PIECE_BYTES, &format!("seed {seed}"));
    }
}

#[test]
fn pieces_of_every_size_give_what_the_whole_gives() {
    let text = format!(
        "{HEAD}n1 60 IN TXT \"a;(b\" ; a comment\nn2 MX ( 10\n\tm )\n\tAAAA 2001:db8::1\n\n; $TTL 7\n\
         n3 70 A 192.0.2.1\nn3 80 A 192.0.2.2\n$ORIGIN o.example.\nn3 NS m\nN3 NS n\n$TTL 9\n\
         \\110 TXT (\n  \"x y\" ; )\n  z\n )\n*.w CNAME @\r\n$GENERATE 1-3 g$ A 192.0.2.$\nlast A 192.0.2.1"
    );
    for piece_bytes in 1..=text.len() + 1 {
        assert_same(&text, piece_bytes, &format!("pieces of {piece_bytes} bytes"));
    }
}

#[test]
fn a_guess_that_was_wrong_is_noticed() {
    let filler = "x A 192.0.2.1\n".repeat(PIECE_BYTES / 14 + 1);
    let owners: String = (0..PIECE_BYTES / 12).fold(String::new(), |mut all, number| {
        let _ = writeln!(all, "n{number} A 192.0.2.1");
        all
    });
    // Within parentheses lines may start anywhere; without $TTL a record has that of the one before.
    let inside = owners.replace(" A 192.0.2.1", "");
    let parentheses = format!("{HEAD}t TXT (\n{inside})\n");
    let inherited = format!("@ 300 SOA m r 1 2 3 4 5\n NS m\n{owners}");
    let faulty = format!("{HEAD}{owners}x A 192.0.2\n");
    let one_owner = format!("{HEAD}{filler}");
    for text in [parentheses, inherited, faulty] {
        assert!(on_threads(file(&text).path(), PIECE_BYTES).is_none(), "{}", &text[..60]);
    }
    assert_same(&one_owner, PIECE_BYTES, "one owner");
}
