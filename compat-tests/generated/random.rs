//! Configurations of several statements that refer to each other, some of them wrong, in odd spellings.
//!
//! `NOMD_RANDOM=N` takes so many instead of the ordinary number.

use super::{Case, Chance, judge};

/// How many configurations an ordinary run compares.
const SAMPLE: usize = 200;
/// Out of so many values one is likely to be wrong.
const ONE_WRONG_IN: usize = 40;

/// What the configurations include.
const FILES: [(&str, &str); 2] =
    [("acl.inc", "acl included { 10/8; !10.1/16; };\n"), ("zone.inc", "allow-query { any; };\nnotify no;\n")];

const NUMBERS: [&str; 6] = ["1", "5", "020", "0x14", "30", "100"];
const WRONG_NUMBERS: [&str; 6] = ["-1", "09", "99999999999", "0x1g", "\"5\"", "0xff"];
const DURATIONS: [&str; 6] = ["300", "1h30m", "PT1H", "p1dt2h", "1W", "2d"];
const WRONG_DURATIONS: [&str; 4] = ["1h30", "P1H", "x", "PT1H1H"];
const BOOLEANS: [&str; 6] = ["yes", "no", "TRUE", "false", "1", "0"];
const WRONG_BOOLEANS: [&str; 3] = ["maybe", "2", "\"yes\""];
const MATCHES: [&str; 12] = [
    "any",
    "none",
    "localhost",
    "localnets",
    "a",
    "b",
    "included",
    "10/8",
    "192.0.2.1",
    "2001:db8::/32",
    "key k",
    "\"a\"",
];
const WRONG_MATCHES: [&str; 5] = ["10.1/8", "192.0.2.1/33", "missing", "key missing", "192.0.2"];
const SERVERS: [&str; 6] = ["192.0.2.1", "192.0.2.2 port 5353", "2001:db8::1 key k", "l", "192.0.2.3 port 0", "\"l\""];
const WRONG_SERVERS: [&str; 4] =
    ["missing", "192.0.2.1 port 70000", "192.0.2.1 key missing", "192.0.2.1 port 1 port 2"];

/// Statements of `options` and views, with the kind of their value.
const SETTINGS: [(&str, Kind); 16] = [
    ("tcp-clients", Kind::Number),
    ("max-cache-ttl", Kind::Duration),
    ("recursion", Kind::Boolean),
    ("allow-query", Kind::Matches),
    ("allow-transfer", Kind::Matches),
    ("allow-recursion", Kind::Matches),
    ("blackhole", Kind::Matches),
    ("also-notify", Kind::Servers),
    ("minimal-responses", Kind::Boolean),
    ("max-ncache-ttl", Kind::Duration),
    ("transfers-in", Kind::Number),
    ("sortlist", Kind::Matches),
    ("allow-notify", Kind::Matches),
    ("notify", Kind::Boolean),
    ("max-udp-size", Kind::Number),
    ("forwarders", Kind::Servers),
];
/// Statements of zones.
const OF_ZONES: [(&str, Kind); 8] = [
    ("allow-query", Kind::Matches),
    ("allow-transfer", Kind::Matches),
    ("allow-update", Kind::Matches),
    ("also-notify", Kind::Servers),
    ("notify", Kind::Boolean),
    ("max-journal-size", Kind::Number),
    ("notify-delay", Kind::Number),
    ("zone-statistics", Kind::Boolean),
];

#[derive(Clone, Copy)]
enum Kind {
    Number,
    Duration,
    Boolean,
    Matches,
    Servers,
}

impl Chance {
    fn pick<'a>(&mut self, words: &[&'a str]) -> &'a str {
        words[self.below(words.len())]
    }

    /// Mostly a right word.
    fn word<'a>(&mut self, right: &[&'a str], wrong: &[&'a str]) -> &'a str {
        match self.below(ONE_WRONG_IN) {
            0 => self.pick(wrong),
            _ => self.pick(right),
        }
    }

    fn blank(&mut self) -> &'static str {
        self.pick(&[" ", " ", " ", "\n", "\t", " /* ; } */ ", " // {\n", " # \"\n"])
    }

    fn value(&mut self, kind: Kind) -> String {
        match kind {
            Kind::Number => self.word(&NUMBERS, &WRONG_NUMBERS).to_owned(),
            Kind::Duration => self.word(&DURATIONS, &WRONG_DURATIONS).to_owned(),
            Kind::Boolean => self.word(&BOOLEANS, &WRONG_BOOLEANS).to_owned(),
            Kind::Matches => self.matches(0),
            Kind::Servers => self.list(|chance| chance.word(&SERVERS, &WRONG_SERVERS).to_owned()),
        }
    }

    /// An address match list, with lists within.
    fn matches(&mut self, depth: usize) -> String {
        self.list(|chance| {
            let not = chance.pick(&["", "", "", "!", "! "]);
            match chance.below(8) {
                0 if depth < 2 => format!("{not}{}", chance.matches(depth + 1)),
                _ => format!("{not}{}", chance.word(&MATCHES, &WRONG_MATCHES)),
            }
        })
    }

    fn list(&mut self, element: impl Fn(&mut Self) -> String) -> String {
        let elements: String = (0..self.below(4)).map(|_| format!("{};{}", element(self), self.blank())).collect();
        format!("{{{}{elements}}}", self.blank())
    }

    /// Some of these statements.
    fn settings(&mut self, of: &[(&str, Kind)]) -> String {
        let mut out = String::new();
        for (name, kind) in of {
            if self.below(4) == 0 {
                let (value, blank) = (self.value(*kind), self.blank());
                out += &format!("{name}{blank}{value};{}", self.blank());
            }
        }
        out
    }

    fn zone(&mut self) -> String {
        let name = self.pick(&["z.test", "\"z.test\"", "y.test", "X.Test", "10.in-addr.arpa", "b\\097d.test"]);
        let zone_type = self.pick(&[
            "type primary; file \"f\";",
            "type master; file \"g\";",
            "type secondary; primaries { l; };",
            "type slave; masters port 53 { 192.0.2.1; }; file \"h\";",
            "type stub; primaries { 192.0.2.1; };",
            "type forward; forward only;",
        ]);
        let include = self.pick(&["", "", "", "include \"zone.inc\";"]);
        format!("zone {name}{}{{ {zone_type} {} {include} }};\n", self.blank(), self.settings(&OF_ZONES))
    }

    fn zones(&mut self) -> String {
        (0..self.below(4)).map(|_| self.zone()).collect()
    }

    fn configuration(&mut self) -> String {
        let mut parts = vec![
            "key k { algorithm hmac-sha256; secret \"AAAA\"; };\n".to_owned(),
            format!("acl a {};\n", self.matches(0)).replace(" a;", " localhost;"),
            "acl b { a; 198.51.100.1; };\n".to_owned(),
            "primaries l { 192.0.2.9; };\n".to_owned(),
            "include \"acl.inc\";\n".to_owned(),
            format!("options {{ {} }};\n", self.settings(&SETTINGS)),
        ];
        match self.below(3) {
            0 => parts.extend(["v", "w"].map(|view| {
                let clients = self.matches(0);
                format!("view {view} {{ match-clients {clients}; {}{} }};\n", self.settings(&SETTINGS), self.zones())
            })),
            _ => parts.push(self.zones()),
        }
        let (from, to) = (self.below(parts.len()), self.below(parts.len()));
        parts.swap(from, to);
        parts.concat()
    }
}

#[test]
fn random_configurations_are_judged_as_by_named_checkconf() {
    let count = std::env::var("NOMD_RANDOM").ok().and_then(|count| count.parse().ok()).unwrap_or(SAMPLE);
    let mut chance = Chance::new();
    let cases: Vec<Case> =
        (0..count).map(|number| Case { name: number.to_string(), text: chance.configuration() }).collect();
    judge(&cases, &FILES, &["-p"]);
}
