//! Every statement of the grammar in every place, with right and with wrong values.
//!
//! The ordinary run takes a sample; `NOMD_ALL_STATEMENTS=1` takes them all.

use std::fs;
use std::path::Path;

use super::{Case, Chance, judge};

/// How many configurations an ordinary run compares.
const SAMPLE: usize = 400;

/// Blocks by their name in the grammar, with `@` for the statement.
const PLACES: [(&str, &str); 25] = [
    ("top", "@"),
    ("options", "options { @ };"),
    ("view", "view v { @ };"),
    ("zone primary", "zone z { type primary; file \"f\"; @ };"),
    ("zone secondary", "zone z { type secondary; primaries { 192.0.2.1; }; @ };"),
    ("zone mirror", "zone . { type mirror; @ };"),
    ("zone hint", "zone . { type hint; file \"f\"; @ };"),
    ("zone stub", "zone z { type stub; primaries { 192.0.2.1; }; @ };"),
    ("zone static-stub", "zone z { type static-stub; server-addresses { 192.0.2.1; }; @ };"),
    ("zone forward", "zone z { type forward; forwarders { 192.0.2.1; }; @ };"),
    ("zone redirect", "zone . { type redirect; file \"f\"; @ };"),
    ("zone delegation-only", "zone z { type delegation-only; @ };"),
    ("zone in-view", "view v { zone z { type primary; file \"f\"; }; }; view w { zone z { in-view v; @ }; };"),
    ("server", "server 192.0.2.1 { @ };"),
    ("key", "key k { algorithm hmac-sha256; secret \"AAAA\"; }; key l { @ };"),
    ("controls", "controls { @ };"),
    ("statistics", "statistics-channels { @ };"),
    ("logging", "logging { @ };"),
    ("channel", "logging { channel c { @ }; };"),
    ("policy", "dnssec-policy p { @ };"),
    ("tls", "tls t { @ };"),
    ("http", "http h { @ };"),
    ("rate-limit", "options { rate-limit { @ }; };"),
    ("dns64", "options { dns64 64:ff9b::/96 { @ }; };"),
    ("dlz", "dlz d { @ };"),
];

/// A name of the grammar, what follows it, its blocks, and what holds without it.
pub(crate) struct Entry {
    pub(crate) name: String,
    syntax: String,
    places: String,
    pub(crate) default: String,
}

pub(crate) fn entries() -> Vec<Entry> {
    let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("grammar/named.conf");
    let mut entries: Vec<Entry> = Vec::new();
    for line in fs::read_to_string(path).unwrap().lines().filter(|line| !line.is_empty() && !line.starts_with('#')) {
        match (line.trim().split_once(' '), entries.last_mut()) {
            (Some(("in", places)), Some(entry)) => entry.places = places.trim().to_owned(),
            (Some(("syntax", syntax)), Some(entry)) => entry.syntax = syntax.trim().to_owned(),
            (Some(("default", default)), Some(entry)) => entry.default = default.trim().to_owned(),
            (None, _) => {
                let [syntax, places, default] = [const { String::new() }; 3];
                entries.push(Entry { name: line.to_owned(), syntax, places, default });
            }
            _ => {}
        }
    }
    entries
}

impl Entry {
    /// Whether the grammar lets it stand in this place.
    pub(crate) fn fits(&self, place: &str) -> bool {
        let (plain, types) = self.places.split_once("zone(").unwrap_or((&self.places, ""));
        let (types, rest) = types.split_once(')').unwrap_or((types, ""));
        let mut words = plain.split_whitespace().chain(rest.split_whitespace());
        match place.split_once(' ') {
            Some((_, zone_type)) => {
                types.split_whitespace().any(|word| word == zone_type) || words.any(|word| word == "zone")
            }
            None => words.any(|word| word == place),
        }
    }

    /// The words of its syntax that stand for themselves, and those that say yes and no.
    fn words(&self) -> impl Iterator<Item = &str> {
        let own =
            self.syntax.split_whitespace().filter(|word| word.starts_with(|letter: char| letter.is_ascii_lowercase()));
        let truth: &[&str] = if self.syntax.contains("<boolean>") { &["true", "no"] } else { &[] };
        own.chain(truth.iter().copied())
    }

    /// The statement with a right value: with all that is optional, or without.
    fn right(&self, is_whole: bool) -> String {
        let syntax = self.syntax.replace(';', " ;");
        let value = example(&mut syntax.split_whitespace(), is_whole);
        format!("{} {value};", self.name)
    }
}

/// Text for a syntax up to the end of its group.
fn example<'a>(words: &mut impl Iterator<Item = &'a str>, is_whole: bool) -> String {
    let mut out = String::new();
    while let Some(word) = words.next() {
        match word {
            ")" | "]" | "}" => return out,
            "..." | "&" => {}
            "|" => {
                skip(words);
                return out;
            }
            "[" if !is_whole => skip(words),
            "[" | "(" => out += &example(words, is_whole),
            "{" => out += &format!("{{ {} }}", example(words, is_whole)),
            _ => out += &format!("{} ", sample(word)),
        }
    }
    out
}

/// Passes over the rest of a group.
fn skip<'a>(words: &mut impl Iterator<Item = &'a str>) {
    let mut depth = 1;
    while depth > 0
        && let Some(word) = words.next()
    {
        depth += i32::from(matches!(word, "(" | "[" | "{"));
        depth -= i32::from(matches!(word, ")" | "]" | "}"));
    }
}

/// A value of a kind; other words stand for themselves.
fn sample(word: &str) -> &str {
    match word {
        "<address>" | "<address-or-any>" | "<address-match>" | "<remote>" | "<host>" | "<source-v4>"
        | "<forwarder>" => "192.0.2.1",
        "<query-source-v4>" => "address 192.0.2.1",
        "<address-v6>" => "::",
        "<source-v6>" => "2001:db8::1",
        "<query-source-v6>" => "address 2001:db8::1",
        "<prefix>" => "2001:db8::/96",
        "<boolean>" => "yes",
        "<integer>" | "<duration>" | "<lifetime>" | "<size>" | "<port-or-any>" | "<port-range>" => "40",
        "<percentage>" | "<size-or-percentage>" => "40%",
        "<fixed>" => "0.50",
        "<quoted>" => "\"word\"",
        "<bare>" => "IN",
        "<secret>" => "\"AAAA\"",
        "<server-key>" => "k",
        "<text>" => "{ a; }",
        "<words>" => "word",
        _ if word.starts_with('<') => "word",
        _ if word.starts_with('@') => "",
        _ => word,
    }
}

fn cases() -> Vec<Case> {
    let entries = entries();
    let mut cases = Vec::new();
    for entry in &entries {
        for (place, around) in PLACES {
            if !entry.fits(place) && entries.iter().any(|other| other.name == entry.name && other.fits(place)) {
                continue;
            }
            let forms = forms(entry, entry.fits(place));
            cases.extend(forms.into_iter().map(|(form, text)| Case {
                name: format!("{}, {form}, in {place}", entry.name),
                text: format!("{}\n", around.replace('@', &text)),
            }));
        }
    }
    cases
}

/// A statement as it should be and, where it may stand, as it should not.
fn forms(entry: &Entry, is_in_place: bool) -> Vec<(&'static str, String)> {
    let (name, right) = (&entry.name, entry.right(false));
    let mut forms = vec![("right", right.clone())];
    if is_in_place {
        forms.extend([
            ("whole", entry.right(true)),
            ("twice", format!("{right} {right}")),
            ("a wrong word", format!("{name} wrong;")),
            ("a huge number", format!("{name} 99999999999;")),
            ("a large number", format!("{name} 4000000000;")),
            ("a list", format!("{name} {{ wrong; }};")),
            ("a quoted string", format!("{name} \"wrong\";")),
            ("nothing", format!("{name};")),
            ("one word more", format!("{} wrong;", right.trim_end_matches(';'))),
            ("no semicolon", right.trim_end_matches(';').to_owned()),
            ("no brace", format!("{name} {{ wrong;")),
            ("upper case", format!("{name}{};", entry.right(true).trim_end_matches(';')[name.len()..].to_uppercase())),
        ]);
        for word in entry.words() {
            forms.push(("a word in upper case", format!("{name} {};", word.to_uppercase())));
            forms.push(("a quoted word", format!("{name} \"{word}\";")));
            forms.push(("a quoted word in upper case", format!("{name} \"{}\";", word.to_uppercase())));
        }
    }
    forms
}

/// The cases that a run takes: all, or a sample.
fn chosen(mut cases: Vec<Case>) -> Vec<Case> {
    if std::env::var_os("NOMD_ALL_STATEMENTS").is_some() {
        return cases;
    }
    let mut chance = Chance::new();
    let sample = SAMPLE.min(cases.len());
    for at in 0..sample {
        let other = at + chance.below(cases.len() - at);
        cases.swap(at, other);
    }
    cases.truncate(sample);
    cases
}

#[test]
fn statements_are_judged_as_by_named_checkconf() {
    judge(&chosen(cases()), &[], &["-p"]);
}
